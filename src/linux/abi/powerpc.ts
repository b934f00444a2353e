/**
 * The 32-bit big-endian PowerPC ABI of Linux (arch/powerpc/include/uapi/asm, Documentation of `sc`):
 * the number is in r0, arguments are in r3 to r8, the result is in r3; on an error CR0.SO is set and r3
 * holds the positive error number. A 64-bit argument lies in an aligned pair of registers, high word first.
 */
import type { State } from '../../../translators/ir/state.ts';
import { powerpcRegisters } from '../../../translators/powerpc/registers.ts';
import { timeBaseFrequency } from '../clocks.ts';
import { type Abi, type ArgumentPlan, plan32, way } from './abi.ts';
import { auxiliary } from './auxiliary.ts';
import { makeStructures } from './layouts.ts';
import { powerpcNames } from './powerpc-names.ts';
import type { DataModel, FieldRows } from './structure.ts';

const model: DataModel = { byteOrder: 'big', wordSize: 4, alignmentOf64: 8 };

// biome-ignore format: one structure per paragraph
const ownLayouts = {
  stat: {
    st_dev: 'u32', st_ino: 'u32', st_mode: 'u32', st_nlink: 'u16', st_uid: 'u32', st_gid: 'u32', st_rdev: 'u32',
    st_size: 'i32', st_blksize: 'u32', st_blocks: 'u32', st_atime: 'u32', st_atime_nsec: 'u32', st_mtime: 'u32',
    st_mtime_nsec: 'u32', st_ctime: 'u32', st_ctime_nsec: 'u32', unused4: 'u32', unused5: 'u32',
  },
  stat64: {
    st_dev: 'u64', st_ino: 'u64', st_mode: 'u32', st_nlink: 'u32', st_uid: 'u32', st_gid: 'u32', st_rdev: 'u64',
    pad2: 'u16', st_size: 'i64', st_blksize: 'i32', st_blocks: 'i64', st_atime: 'i32', st_atime_nsec: 'u32',
    st_mtime: 'i32', st_mtime_nsec: 'u32', st_ctime: 'i32', st_ctime_nsec: 'u32', unused4: 'u32', unused5: 'u32',
  },
  termios: {
    c_iflag: 'u32', c_oflag: 'u32', c_cflag: 'u32', c_lflag: 'u32', c_cc: ['u8', 19], c_line: 'u8',
    c_ispeed: 'u32', c_ospeed: 'u32',
  },
} as const satisfies Record<string, FieldRows>;

const structures = makeStructures(model, ownLayouts);

const index = (name: string): number => powerpcRegisters.registers[powerpcRegisters.numbers[name]].index;
const callNumberIndex = index('r0');
const resultIndex = index('r3');
const overflowIndex = index('cr0.so');
const argumentIndices = Int32Array.from({ length: 6 }, (_, position) => index(`r${position + 3}`));

/** Error numbers from 1 to this one are errors when a call returns them negated (include/linux/err.h). */
const maximumError = 4095;

/** PPC_FEATURE_32, PPC_FEATURE_HAS_FPU and PPC_FEATURE_HAS_MMU: a 32-bit processor without AltiVec. */
const hardwareCapabilities = 0x8c000000;
/** Bytes of a cache block: what dcbz clears. */
const cacheBlockSize = 32;

const octal = (digits: string): number => Number.parseInt(digits, 8);

export const powerpc: Abi = {
  name: 'powerpc',
  model,
  machine: 'ppc',
  names: powerpcNames,
  structures,

  // biome-ignore format: one line per kind
  open: {
    WRONLY: 1, RDWR: 2, CREAT: octal('100'), EXCL: octal('200'), NOCTTY: octal('400'), TRUNC: octal('1000'),
    APPEND: octal('2000'), NONBLOCK: octal('4000'), DSYNC: octal('10000'), ASYNC: octal('20000'),
    DIRECTORY: octal('40000'), NOFOLLOW: octal('100000'), LARGEFILE: octal('200000'), DIRECT: octal('400000'),
    NOATIME: octal('1000000'), CLOEXEC: octal('2000000'), SYNC: octal('4010000'), PATH: octal('10000000'),
    TMPFILE: octal('20040000'),
  },

  // _IOC(direction, type, number, size) with 3 direction bits: none 1, read 2, write 4; 13 size bits.
  // biome-ignore format: one line per kind
  ioctls: {
    FIOCLEX: 0x20006601, FIONCLEX: 0x20006602, FIOASYNC: 0x8004667d, FIONBIO: 0x8004667e, FIONREAD: 0x4004667f,
    FIOQSIZE: 0x40086680,
    TCGETS: 0x402c7413, TCSETS: 0x802c7414, TCSETSW: 0x802c7415, TCSETSF: 0x802c7416,
    TCSBRK: 0x2000741d, TCXONC: 0x2000741e, TCFLSH: 0x2000741f, TCSBRKP: 0x5425,
    TIOCSWINSZ: 0x80087467, TIOCGWINSZ: 0x40087468, TIOCOUTQ: 0x40047473, TIOCSPGRP: 0x80047476,
    TIOCGPGRP: 0x40047477, TIOCSCTTY: 0x540e, TIOCNOTTY: 0x5422, TIOCGETD: 0x5424, TIOCGSID: 0x5429,
    TIOCEXCL: 0x540c, TIOCNXCL: 0x540d, TIOCSTI: 0x5412,
  },

  // biome-ignore format: one line per word of flags
  termios: {
    input: {
      IGNBRK: 0x1, BRKINT: 0x2, IGNPAR: 0x4, PARMRK: 0x8, INPCK: 0x10, ISTRIP: 0x20, INLCR: 0x40, IGNCR: 0x80,
      ICRNL: 0x100, IXON: 0x200, IXOFF: 0x400, IXANY: 0x800, IUCLC: 0x1000, IMAXBEL: 0x2000, IUTF8: 0x4000,
    },
    output: {
      OPOST: 0x1, ONLCR: 0x2, OLCUC: 0x4, OCRNL: 0x8, ONOCR: 0x10, ONLRET: 0x20, OFILL: 0x40, OFDEL: 0x80,
      TAB1: 0x400, TAB2: 0x800, NL1: 0x100, CR1: 0x1000, CR2: 0x2000, FF1: 0x4000, BS1: 0x8000, VT1: 0x10000,
    },
    control: {
      CS6: 0x100, CS7: 0x200, CSTOPB: 0x400, CREAD: 0x800, PARENB: 0x1000, PARODD: 0x2000, HUPCL: 0x4000,
      CLOCAL: 0x8000, CMSPAR: 0x40000000, CRTSCTS: 0x80000000,
    },
    local: {
      ISIG: 0x80, ICANON: 0x100, XCASE: 0x4000, ECHO: 0x8, ECHOE: 0x2, ECHOK: 0x4, ECHONL: 0x10,
      NOFLSH: 0x80000000, TOSTOP: 0x400000, ECHOCTL: 0x40, ECHOPRT: 0x20, ECHOKE: 0x1, FLUSHO: 0x800000,
      PENDIN: 0x20000000, IEXTEN: 0x400, EXTPROC: 0x10000000,
    },
    characters: {
      VINTR: 0, VQUIT: 1, VERASE: 2, VKILL: 3, VEOF: 4, VMIN: 5, VEOL: 6, VTIME: 7, VEOL2: 8, VSWTC: 9,
      VWERASE: 10, VREPRINT: 11, VSUSP: 12, VSTART: 13, VSTOP: 14, VLNEXT: 15, VDISCARD: 16,
    },
    speedMask: 0xff,
    extendedSpeed: 0xf,
  },

  // biome-ignore format: one line per kind
  map: {
    SHARED: 1, PRIVATE: 2, SHARED_VALIDATE: 3, FIXED: 0x10, ANONYMOUS: 0x20, NORESERVE: 0x40, LOCKED: 0x80,
    GROWSDOWN: 0x100, DENYWRITE: 0x800, EXECUTABLE: 0x1000, POPULATE: 0x8000, NONBLOCK: 0x10000, STACK: 0x20000,
    HUGETLB: 0x40000, FIXED_NOREPLACE: 0x100000,
  },

  // MCL_CURRENT, MCL_FUTURE and MCL_ONFAULT.
  lockAllFlags: 0xe000,

  start: {
    vector: [
      [auxiliary.AT_IGNOREPPC, auxiliary.AT_IGNOREPPC],
      [auxiliary.AT_IGNOREPPC, auxiliary.AT_IGNOREPPC],
      [auxiliary.AT_DCACHEBSIZE, cacheBlockSize],
      [auxiliary.AT_ICACHEBSIZE, cacheBlockSize],
      [auxiliary.AT_UCACHEBSIZE, 0],
    ],
    capabilities: [hardwareCapabilities, 0],
    // What Linux calls a 750, the G3: the processor whose facilities the frontend has.
    platform: 'ppc750',
    hasBasePlatform: true,
    setRegisters(state, stackPointer) {
      state.set('r1', stackPointer);
      state.set('reserve.address', -1);
    },
  },

  mapsNameColumn: 49,
  processorInfo: (processors) =>
    `${Array.from({ length: processors }, (_, number) => `processor\t: ${number}\ncpu\t\t: 740/750\nrevision\t: 3.1 (pvr 0008 0301)\n\n`).join('')}timebase\t: ${timeBaseFrequency}\nplatform\t: stele\n`,

  plan: (kinds) => plan32(kinds, true),

  callNumber: (state) => state.i32[callNumberIndex] >>> 0,

  decode(state: State, plan: ArgumentPlan, args: number[]): void {
    const registers = state.i32;
    for (let i = 0; i < plan.count; i++) {
      const position = plan.positions[i];
      const word = registers[argumentIndices[position]];
      const how = plan.ways[i];
      if (how === way.signed32) args[i] = word;
      else if (how === way.unsigned32) args[i] = word >>> 0;
      else {
        const high = how === way.unsigned64 ? word >>> 0 : word;
        args[i] = high * 0x100000000 + (registers[argumentIndices[position + 1]] >>> 0);
      }
    }
  },

  rawArgument: (state, position) => state.i32[argumentIndices[position]] >>> 0,

  setResult(state: State, result: number | bigint): void {
    const value = typeof result === 'bigint' ? Number(BigInt.asIntN(32, result)) : result;
    if (value < 0 && value >= -maximumError) {
      state.i32[resultIndex] = -value;
      state.i32[overflowIndex] = 1;
    } else {
      state.i32[resultIndex] = value;
      state.i32[overflowIndex] = 0;
    }
  },
};
