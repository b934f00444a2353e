/** What differs between the Linux ABIs: where arguments and results lie, structures, constants, numbers. */
import type { State } from '../../../translators/ir/state.ts';
import type { AbiName, ArgumentKind } from '../system-call.ts';
import type { DataModel, Structure } from './structure.ts';

/** Names of the structures that every ABI lays out. */
export type StructureName =
  | 'stat'
  | 'stat64'
  | 'statx'
  | 'statfs'
  | 'statfs64'
  | 'iovec'
  | 'pollfd'
  | 'timespec'
  | 'timespec64'
  | 'timeval'
  | 'itimerval'
  | 'itimerspec'
  | 'itimerspec64'
  | 'utimbuf'
  | 'timezone'
  | 'rlimit'
  | 'rlimit64'
  | 'flock'
  | 'flock64'
  | 'termios'
  | 'winsize'
  | 'epollEvent'
  | 'openHow'
  | 'sigsetArgument'
  | 'rusage'
  | 'tms'
  | 'timex'
  | 'sysinfo'
  | 'sigaction'
  | 'sigevent'
  | 'signalStack'
  | 'robustList'
  | 'callArguments';

/** Names and values of constants. */
export type Constants = Readonly<Record<string, number>>;

/** Where a row's arguments come from: for each argument a way of decoding and a register's position. */
export interface ArgumentPlan {
  readonly count: number;
  /** A number of `way` for each argument. */
  readonly ways: Uint8Array;
  /** Position among the argument registers. */
  readonly positions: Uint8Array;
}

/** How an argument is decoded. */
export const way = { signed32: 0, unsigned32: 1, unsigned64: 2, signed64: 3, address64: 4 } as const;

/** Where a pointer leads that has more than 32 bits: to no guest memory, which ends far below. */
export const beyondMemory = 0xfffff000;

/** A pointer that was read from guest memory, as addresses are passed on. */
export const narrowAddress = (address: number): number => (address > 0xffffffff ? beyondMemory : address);

/** What a program finds in its auxiliary vector and its registers when it starts (arch/.../include/asm/elf.h). */
export interface StartAbi {
  /** Entries of the auxiliary vector in front of those that every architecture has (ARCH_DLINFO). */
  readonly vector: readonly (readonly [type: number, value: number])[];
  /** AT_HWCAP and AT_HWCAP2. */
  readonly capabilities: readonly [number, number];
  /** AT_PLATFORM. */
  readonly platform: string;
  /** Whether AT_BASE_PLATFORM tells the platform once more. */
  readonly hasBasePlatform: boolean;
  /** Sets the registers for the program's first instruction; they are all 0 before. */
  setRegisters(state: State, stackPointer: number): void;
}

export interface Abi {
  readonly name: AbiName;
  readonly model: DataModel;
  /** Machine name, as uname reports it. */
  readonly machine: string;
  /** Names of all system calls that the kernel has, by number, with holes. */
  readonly names: readonly string[];
  readonly structures: Readonly<Record<StructureName, Structure>>;
  /** O_* by name without the prefix. */
  readonly open: OpenFlags;
  /** F_GETLK64 and the like have the same numbers everywhere; ioctl request numbers do not. */
  readonly ioctls: Constants;
  readonly termios: TerminalConstants;
  /** MAP_* by name without the prefix. */
  readonly map: Constants;
  /** The bits that mlockall takes (MCL_*). */
  readonly lockAllFlags: number;
  readonly start: StartAbi;

  /** Where the names stand in lines of /proc/PID/maps: behind what the kernel's own words need. */
  readonly mapsNameColumn: number;
  /** The text of /proc/cpuinfo. */
  processorInfo(processors: number): string;

  plan(kinds: readonly ArgumentKind[]): ArgumentPlan;
  callNumber(state: State): number;
  /** Fills `args` from the registers. */
  decode(state: State, plan: ArgumentPlan, args: number[]): void;
  /** Argument register `position` as it is, for calls that have no row. */
  rawArgument(state: State, position: number): number;
  /** Stores what the kernel would return: a value, or a negated generic error number. */
  setResult(state: State, result: number | bigint): void;
}

/** Values of O_*. */
export interface OpenFlags extends Constants {
  readonly WRONLY: number;
  readonly RDWR: number;
  readonly CREAT: number;
  readonly EXCL: number;
  readonly NOCTTY: number;
  readonly TRUNC: number;
  readonly APPEND: number;
  readonly NONBLOCK: number;
  readonly DSYNC: number;
  readonly DIRECT: number;
  readonly LARGEFILE: number;
  readonly DIRECTORY: number;
  readonly NOFOLLOW: number;
  readonly NOATIME: number;
  readonly CLOEXEC: number;
  readonly SYNC: number;
  readonly PATH: number;
  readonly TMPFILE: number;
}

/** termios flags and the order of control characters. */
export interface TerminalConstants {
  readonly input: Constants;
  readonly output: Constants;
  readonly control: Constants;
  readonly local: Constants;
  /** Index of each control character in c_cc. */
  readonly characters: Constants;
  /** Bits of c_cflag that hold a speed, and what is added there to the numbers of speeds above 38400, which count from 1. */
  readonly speedMask: number;
  readonly extendedSpeed: number;
}

const waysOf: Partial<Record<ArgumentKind, number>> = {
  int: way.signed32,
  long: way.signed32,
  fd: way.signed32,
  atfd: way.signed32,
  signal: way.signed32,
  'flags:clock': way.signed32,
  whence: way.signed32,
  u64: way.unsigned64,
  i64: way.signed64,
};

/** Where a 64-bit ABI differs: whole words and addresses. Other kinds are int or unsigned int in the kernel, which takes their low halves. */
const waysOf64: Partial<Record<ArgumentKind, number>> = {
  ...waysOf,
  long: way.signed64,
  size: way.unsigned64,
  path: way.address64,
  string: way.address64,
  buffer: way.address64,
  outbuffer: way.address64,
  outpath: way.address64,
  pointer: way.address64,
  word: way.address64,
  iovec: way.address64,
  pollfd: way.address64,
  timespec: way.address64,
  fdpair: way.address64,
  struct: way.address64,
};

/**
 * The plan of a 32-bit ABI.
 * @param alignedPairs a 64-bit argument starts at an even position (PowerPC, ARM, MIPS), not at any (i386)
 */
export function plan32(kinds: readonly ArgumentKind[], alignedPairs: boolean): ArgumentPlan {
  const ways = new Uint8Array(kinds.length);
  const positions = new Uint8Array(kinds.length);
  let position = 0;
  for (let i = 0; i < kinds.length; i++) {
    ways[i] = waysOf[kinds[i]] ?? way.unsigned32;
    const wide = ways[i] >= way.unsigned64;
    if (wide && alignedPairs) position += position & 1;
    positions[i] = position;
    position += wide ? 2 : 1;
  }
  return { count: kinds.length, ways, positions };
}

/** The plan of a 64-bit ABI: one register for each argument. */
export function plan64(kinds: readonly ArgumentKind[]): ArgumentPlan {
  return {
    count: kinds.length,
    ways: Uint8Array.from(kinds, (kind) => waysOf64[kind] ?? way.unsigned32),
    positions: Uint8Array.from(kinds, (_, position) => position),
  };
}
