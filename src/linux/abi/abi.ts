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
  | 'sysinfo';

/** Names and values of constants. */
export type Constants = Readonly<Record<string, number>>;

/** Where a row's arguments come from: for each argument a way of decoding and a register's position. */
export interface ArgumentPlan {
  readonly count: number;
  /** 0 signed word, 1 unsigned word, 2 unsigned 64-bit, 3 signed 64-bit. */
  readonly ways: Uint8Array;
  /** Position among the argument registers. */
  readonly positions: Uint8Array;
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
}

const waysOf: Partial<Record<ArgumentKind, number>> = {
  int: 0,
  fd: 0,
  atfd: 0,
  signal: 0,
  'flags:clock': 0,
  whence: 0,
  u64: 2,
  i64: 3,
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
    ways[i] = waysOf[kinds[i]] ?? 1;
    const wide = ways[i] >= 2;
    if (wide && alignedPairs) position += position & 1;
    positions[i] = position;
    position += wide ? 2 : 1;
  }
  return { count: kinds.length, ways, positions };
}
