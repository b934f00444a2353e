/**
 * The shape of a system call's row. Rows are declared once, subject by subject (files.ts, memory.ts…);
 * dispatcher, strace, ENOSYS report and coverage page derive from them.
 */

import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Abi } from './abi/abi.ts';
import type { Process } from './process.ts';
import type { Thread } from './thread.ts';

/**
 * Kinds of arguments: how registers become arguments and how strace prints them.
 * `i64` and `u64` take a register pair on 32-bit ABIs, `long` and `size` have the ABI's word size; what is wider than
 * 32 bits arrives as a number (exact to 2^53), and a pointer that is wider as `beyondMemory` (abi.ts). A `word` may be
 * a number or a pointer.
 * `buffer` is memory that the call reads, `outbuffer` memory that it fills; the next argument is the length.
 */
export type ArgumentKind =
  | 'int'
  | 'uint'
  | 'hex'
  | 'octal'
  | 'long'
  | 'i64'
  | 'u64'
  | 'fd'
  | 'atfd'
  | 'path'
  | 'string'
  | 'buffer'
  | 'outbuffer'
  | 'outpath'
  | 'pointer'
  | 'size'
  | 'word'
  | 'flags:open'
  | 'flags:prot'
  | 'flags:map'
  | 'flags:mode'
  | 'flags:at'
  | 'flags:access'
  | 'flags:clock'
  | 'whence'
  | 'fcntl'
  | 'signal'
  | 'ioctl'
  | 'iovec'
  | 'pollfd'
  | 'timespec'
  | 'fdpair'
  | 'struct';

/** The guest-visible ABIs. */
export type AbiName = 'powerpc' | 'i386' | 'x86-64';

/** One call in progress. */
export interface SystemCall {
  readonly process: Process;
  readonly thread: Thread;
  readonly memory: GuestMemory;
  readonly abi: Abi;
  /** Up to six arguments, decoded by the row's kinds: signed 32-bit for int, unsigned for pointers, sizes and flags. */
  readonly args: readonly number[];
}

/**
 * Serves a call. The result is what the kernel would return: a value, or -errno (Linux's generic
 * errno numbers). A MemoryFault becomes -EFAULT. A Promise is a call that waits: it is awaited with the
 * event loop running, and must settle with -EINTR or one of signal-frame.ts's `restart` numbers soon after
 * `thread.whenInterrupted()` resolves.
 */
export type Handler = (call: SystemCall) => number | bigint | Promise<number>;

export interface SystemCallRow {
  readonly name: string;
  /** Numbers per ABI; a call that an ABI lacks has no entry. */
  readonly numbers: Partial<Record<AbiName, number>>;
  readonly arguments: readonly ArgumentKind[];
  readonly handler: Handler;
  /** full: as Linux; partial: see note; accepted: says yes and does nothing, which is allowed here. */
  readonly support: 'full' | 'partial' | 'accepted';
  readonly note?: string;
}
