/** Interrupts a guest that runs too long, from a thread of its own, since guest code leaves this one no time. */
import { Worker } from 'node:worker_threads';
import { header, type State } from '../../translators/ir/state.ts';

/** Value of the interrupt word that says: this takes too long. */
export const tooLong = 2;
/** Milliseconds between two looks at the time. */
export const stepTime = 50;

export interface WatchdogData {
  readonly words: Int32Array;
  /** Index of the interrupt word. */
  readonly interrupt: number;
  /** Milliseconds left (0: nothing is watched), and 1 to end the thread. */
  readonly control: Int32Array;
}

export class Watchdog {
  private readonly control = new Int32Array(new SharedArrayBuffer(8));

  private readonly worker: Worker;

  constructor(state: State) {
    const workerData: WatchdogData = { words: state.i32, interrupt: header.interrupt >> 2, control: this.control };
    this.worker = new Worker(new URL('./watchdog-worker.ts', import.meta.url), { workerData });
    this.worker.unref();
  }

  /** Watches another guest from here on. */
  turnTo(state: State): void {
    this.worker.postMessage(state.i32);
  }

  /** Lets the guest run this long; 0: without end. */
  watch(milliseconds: number): void {
    Atomics.store(this.control, 0, milliseconds);
  }

  /** Ends the thread. */
  close(): void {
    Atomics.store(this.control, 1, 1);
    Atomics.notify(this.control, 1);
  }
}
