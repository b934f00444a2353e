/** What the i386 and x86-64 ABIs of Linux share: the generic numbers of most constants (asm-generic), and the processor's description. */
import type { State } from '../../../translators/ir/state.ts';
import type { X86Registers } from '../../../translators/x86/registers.ts';
import type { Abi, Constants, OpenFlags, StartAbi, TerminalConstants } from './abi.ts';
import { auxiliary } from './auxiliary.ts';
import { genericTerminal } from './terminal-constants.ts';

const octal = (digits: string): number => Number.parseInt(digits, 8);

/** asm-generic/fcntl.h */
// biome-ignore format: one line per kind
const openFlags: OpenFlags = {
  WRONLY: 1, RDWR: 2, CREAT: octal('100'), EXCL: octal('200'), NOCTTY: octal('400'), TRUNC: octal('1000'),
  APPEND: octal('2000'), NONBLOCK: octal('4000'), DSYNC: octal('10000'), ASYNC: octal('20000'),
  DIRECT: octal('40000'), LARGEFILE: octal('100000'), DIRECTORY: octal('200000'), NOFOLLOW: octal('400000'),
  NOATIME: octal('1000000'), CLOEXEC: octal('2000000'), SYNC: octal('4010000'), PATH: octal('10000000'),
  TMPFILE: octal('20200000'),
};

/** asm-generic/ioctls.h */
// biome-ignore format: one line per kind
const ioctls: Constants = {
  FIOCLEX: 0x5451, FIONCLEX: 0x5450, FIOASYNC: 0x5452, FIONBIO: 0x5421, FIONREAD: 0x541b, FIOQSIZE: 0x5460,
  TCGETS: 0x5401, TCSETS: 0x5402, TCSETSW: 0x5403, TCSETSF: 0x5404,
  TCSBRK: 0x5409, TCXONC: 0x540a, TCFLSH: 0x540b, TCSBRKP: 0x5425,
  TIOCSWINSZ: 0x5414, TIOCGWINSZ: 0x5413, TIOCOUTQ: 0x5411, TIOCSPGRP: 0x5410,
  TIOCGPGRP: 0x540f, TIOCSCTTY: 0x540e, TIOCNOTTY: 0x5422, TIOCGETD: 0x5424, TIOCGSID: 0x5429,
  TIOCEXCL: 0x540c, TIOCNXCL: 0x540d, TIOCSTI: 0x5412,
};

/** asm-generic/termbits.h */
// biome-ignore format: one line per kind
const termios: TerminalConstants = {
  ...genericTerminal,
  characters: {
    VINTR: 0, VQUIT: 1, VERASE: 2, VKILL: 3, VEOF: 4, VTIME: 5, VMIN: 6, VSWTC: 7, VSTART: 8, VSTOP: 9, VSUSP: 10,
    VEOL: 11, VREPRINT: 12, VDISCARD: 13, VWERASE: 14, VLNEXT: 15, VEOL2: 16,
  },
};

/** asm-generic/mman.h, asm/mman.h */
// biome-ignore format: one line per kind
const mapFlags: Constants = {
  SHARED: 1, PRIVATE: 2, SHARED_VALIDATE: 3, FIXED: 0x10, ANONYMOUS: 0x20, '32BIT': 0x40, GROWSDOWN: 0x100,
  DENYWRITE: 0x800, EXECUTABLE: 0x1000, LOCKED: 0x2000, NORESERVE: 0x4000, POPULATE: 0x8000, NONBLOCK: 0x10000,
  STACK: 0x20000, HUGETLB: 0x40000, FIXED_NOREPLACE: 0x100000,
};

/** MCL_CURRENT, MCL_FUTURE and MCL_ONFAULT. */
const lockAllFlags = 7;

/** What both ABIs have alike. */
export const common = {
  open: openFlags,
  ioctls,
  termios,
  map: mapFlags,
  lockAllFlags,
  // Of a 64-bit kernel.
  mapsNameColumn: 73,
} as const satisfies Partial<Abi>;

// biome-ignore format: as the kernel lays them out
export const termiosLayout = {
  c_iflag: 'u32', c_oflag: 'u32', c_cflag: 'u32', c_lflag: 'u32', c_line: 'u8', c_cc: ['u8', 19],
} as const;

/** Error numbers from 1 to this one are errors when a call returns them negated (include/linux/err.h). */
export const maximumError = 4095;

/** The error number that an accumulator holds after a call, or 0. @param result its low word, signed */
export function errorOf(result: number): number {
  return result < 0 && result >= -maximumError ? -result : 0;
}

/** Selectors of the flat segments of user programs on a 64-bit kernel (asm/segment.h). */
export const selectors = { code32: 0x23, data: 0x2b, code64: 0x33 } as const;

/**
 * AT_MINSIGSTKSZ: what a signal takes of the stack at most, on a 64-bit kernel and a processor without XSAVE
 * (get_sigframe_size in arch/x86/kernel/signal.c).
 */
const signalStackEntry: readonly [number, number] = [auxiliary.AT_MINSIGSTKSZ, 1152];

export const startVector: StartAbi['vector'] = [signalStackEntry];

/** Sets the registers that are not 0 when a program starts, but for selectors and the stack pointer. */
export function resetProcessor(state: State, { file }: X86Registers): void {
  const put = (name: string, value: number): void => {
    state.i32[file.registers[file.numbers[name]].offset >> 2] = value;
  };
  // A result that is neither zero nor negative and has an odd number of ones: no flag is set.
  put('flags.result', 1);
}
