/** What the traced engine asks of the host: a child process that runs our instructions under ptrace(2). src/host/ptrace.ts has it. */

/** Why there is no such process: a clause. */
export interface NoTracedProcess {
  readonly reason: string;
}

/** Errors of the host's calls; the message names the call. */
export class TraceError extends Error {}

/** Why the process stopped. */
export interface Stop {
  /** At a system call, with a signal that is not delivered, or for good. */
  readonly kind: 'system call' | 'signal' | 'ended';
  readonly signal: number;
}

export interface TracedProcess {
  /** The descriptor by which the process finds the shared memory. */
  readonly descriptor: number;
  /** Lets it run on. @param emulateCalls stop at its system calls, which are not made */
  resume(emulateCalls: boolean): Stop;
  /** struct user_regs_struct, 216 bytes. */
  getRegisters(into: Uint8Array): void;
  setRegisters(from: Uint8Array): void;
  /** An FXSAVE image, 512 bytes. */
  getFloatingPoint(into: Uint8Array): void;
  setFloatingPoint(from: Uint8Array): void;
  /** siginfo_t of the signal that it stopped with, 128 bytes. */
  getSignalInformation(into: Uint8Array): void;
  /** Writes eight bytes of its memory. */
  poke(address: number, value: bigint): void;
  /** Processor time that it has used, in nanoseconds. */
  cpuTime(): number;
  close(): void;
}

/** A range of bytes: where it begins, and how many. */
export type Range = readonly [offset: number, length: number];

/**
 * Starts a traced process.
 * @param program an ELF file that asks to be traced and then stops by itself
 * @param memory pages of a WebAssembly.Memory, which become shared with the process
 * @param contents ranges of them that hold something
 */
export type StartTracedProcess = (
  program: Uint8Array,
  memory: Uint8Array,
  contents: readonly Range[],
) => TracedProcess | NoTracedProcess;
