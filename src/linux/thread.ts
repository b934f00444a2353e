/** One guest thread: registers, signal mask, what waits for it. */
import type { State } from '../../translators/ir/state.ts';

export class Thread {
  readonly id: number;
  readonly state: State;
  /** Blocked signals: bit n-1 of the 64-bit set stands for signal n. */
  signalMask = 0n;
  /** Alternate signal stack; size 0: none. */
  alternateStack = { base: 0, size: 0, flags: 0 };
  /** Address that the kernel clears at exit (set_tid_address). */
  clearChildTid = 0;

  constructor(id: number, state: State) {
    this.id = id;
    this.state = state;
  }
}
