/**
 * What a machine's thread and the one that supervises it share: a few words of memory, so that either can tell the other
 * something while guest code holds the machine's thread.
 */

const words = { permit: 0, requests: 1, activity: 2, unread: 3 } as const;
const wordCount = 4;
const numberCount = 5;

/** What the supervisor asks of a machine, as bits. */
export const request = {
  /** Signals that the guest gets, as from a terminal and from kill(1). */
  interrupt: 1,
  terminate: 2,
  /** The guest ends, whatever it does. */
  end: 4,
} as const;

/** Bytes of output that a machine may be ahead of the supervisor. */
const mostUnread = 1 << 18;

/** What a machine has used so far. */
export interface Usage {
  /** Nanoseconds of processor time. */
  readonly cpu: number;
  /** Bytes of address space now, and the most that it was when somebody looked. */
  readonly memory: number;
  readonly peakMemory: number;
  readonly systemCalls: number;
  /** Bytes written to standard output and standard error. */
  readonly output: number;
}

/** One side's view of it; both are made from the same buffer. */
export class Control {
  readonly buffer: SharedArrayBuffer;
  private readonly words: Int32Array;
  private readonly numbers: Float64Array;

  constructor(buffer = new SharedArrayBuffer(wordCount * 4 + numberCount * 8)) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer, 0, wordCount);
    this.numbers = new Float64Array(buffer, wordCount * 4, numberCount);
  }

  // -- the supervisor's side

  get isPermitted(): boolean {
    return Atomics.load(this.words, words.permit) !== 0;
  }

  /** Lets the machine run, or has it stop when it looks next. */
  setPermitted(permitted: boolean): void {
    Atomics.store(this.words, words.permit, permitted ? 1 : 0);
    if (permitted) Atomics.notify(this.words, words.permit);
  }

  /** Asks for something, also of a machine that is stopped. */
  ask(bits: number): void {
    Atomics.or(this.words, words.requests, bits);
    Atomics.notify(this.words, words.permit);
  }

  /** Whether the guest waits for something else than the processor. */
  get isWaiting(): boolean {
    return Atomics.load(this.words, words.activity) !== 0;
  }

  get usage(): Usage {
    const [cpu, memory, peakMemory, systemCalls, output] = this.numbers;
    return { cpu, memory, peakMemory, systemCalls, output };
  }

  /** Output has been read. */
  read(bytes: number): void {
    Atomics.sub(this.words, words.unread, bytes);
    Atomics.notify(this.words, words.unread);
  }

  // -- the machine's side

  set isWaiting(waiting: boolean) {
    Atomics.store(this.words, words.activity, waiting ? 1 : 0);
  }

  set usage({ cpu, memory, peakMemory, systemCalls, output }: Usage) {
    this.numbers.set([cpu, memory, peakMemory, systemCalls, output]);
  }

  /** What has been asked for since the last call. */
  takeRequests(): number {
    return Atomics.exchange(this.words, words.requests, 0);
  }

  /** Stops this thread until it may run or something is asked for. */
  awaitPermit(): void {
    while (!this.isPermitted && Atomics.load(this.words, words.requests) === 0) {
      // A request that comes right here wakes nobody: so not for ever.
      Atomics.wait(this.words, words.permit, 0, 100);
    }
  }

  /** Output is on its way. Stops this thread while too much of it has not been read. */
  wrote(bytes: number): void {
    let unread = Atomics.add(this.words, words.unread, bytes) + bytes;
    while (unread > mostUnread) {
      Atomics.wait(this.words, words.unread, unread, 1000);
      unread = Atomics.load(this.words, words.unread);
    }
  }
}
