/** What a debugger is told of the program besides its threads: its file, its auxiliary vector, what runs it. */
import type { Thread } from '../linux/thread.ts';
import { peekMapped } from '../memory/guest-memory.ts';
import type { DebugTarget } from './registers.ts';

export interface DebuggedProgram {
  readonly target: DebugTarget;
  /** Absolute path. */
  readonly path: Uint8Array;
  /** The file's contents. */
  readonly file: Uint8Array;
  readonly auxiliaryVector: Uint8Array;
  /** The last system calls as strace prints them, oldest first. */
  recentCalls(): readonly string[];
}

/** Entries of an auxiliary vector at most; there are about twenty. */
const longestVector = 100;

/**
 * The auxiliary vector on the stack of a thread that has not run yet: behind the number of arguments, the arguments, a
 * null pointer, the environment and another one.
 */
export function auxiliaryVectorOf(thread: Thread): Uint8Array {
  const { memory, signalAbi, files } = thread.process;
  const { wordSize } = files.abi.model;
  const word = (address: number): number =>
    wordSize === 4 ? memory.readU32(address) : Number(memory.readU64(address));
  const stack = signalAbi.stackPointer(thread);
  let address = stack + (word(stack) + 2) * wordSize;
  while (word(address) !== 0) address += wordSize;
  const start = address + wordSize;
  let end = start;
  for (let n = 0; n < longestVector && word(end) !== 0; n++) end += 2 * wordSize;
  return peekMapped(memory, start, end + 2 * wordSize - start) ?? new Uint8Array();
}
