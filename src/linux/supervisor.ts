/** Who watches over a thread as it runs, and may hold it: a debugger. */
import type { SignalInfo } from './signal-queue.ts';
import type { Thread } from './thread.ts';

export interface Supervisor {
  /**
   * The thread is about to run guest code, and in no system call. The supervisor may change its registers and memory, or
   * end its process, before the promise resolves.
   * @returns undefined: it goes on at once
   */
  beforeRun(thread: Thread): Promise<void> | undefined;
  /**
   * A signal is about to be delivered.
   * @returns the one to deliver in its place; undefined: none
   */
  beforeSignal(thread: Thread, info: SignalInfo): Promise<SignalInfo | undefined> | SignalInfo;
}
