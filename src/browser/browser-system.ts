/**
 * The System of a browser's worker: one user on a machine of its own, without other processes. A page that is not isolated
 * from others (crossOriginIsolated) may not share memory between threads; there engines call `poll` instead of a ticker.
 */
import { callAfter } from '../host/call-after.ts';
import type { CpuTime, Credentials, MachineFacts, ProcessIds, ResourceUsage, System, Ticker } from '../host/system.ts';
import { errno } from '../linux/errno.ts';
import { tickerProgram } from './ticker-program.ts';

const nanosecondsPerMillisecond = 1e6;
/** Milliseconds between looks at what has arrived: for a guest with timers or handlers, and for any other. */
const tickLength = 10;
const idleTickLength = 50;
/** What a browser does not tell of a machine's memory, in bytes. */
const assumedMemory = 2 ** 32;

export const userId = 1000;

/** What a worker has around it. */
export interface BrowserSurroundings {
  /** Whether memory can be shared between threads. */
  readonly isIsolated: boolean;
  readonly processors: number;
  /** Lets the event loop run once. */
  yieldToEvents(): Promise<void>;
  /** Starts a worker from its text. @param whenItTalks called at its first message */
  startWorker(program: string, whenItTalks: () => void): TickerWorker;
}

export interface TickerWorker {
  postMessage(message: unknown): void;
  terminate(): void;
}

export class BrowserSystem implements System {
  readonly processId = 100;
  readonly parentId = 1;
  /** Called whenever the event loop gets its turn. */
  beforeEvents: () => void = () => {};
  private readonly surroundings: BrowserSurroundings;
  private readonly startTime = performance.now();
  private readonly listeners = new Map<number, () => void>();
  /** Milliseconds that nothing ran. */
  private idle = 0;
  private readonly pauseWord = new Int32Array(sharedPage());
  /** What is set at ticks. */
  private interrupt: { readonly words: Int32Array; readonly index: number } | undefined;
  private worker: TickerWorker | undefined;
  /** Of the ticker's thread: how often something changed, the length of a tick in milliseconds. */
  private readonly control = new Int32Array(this.pauseWord.buffer, 8, 2);
  /** In milliseconds since the epoch. */
  private readonly deadline = new Float64Array(this.pauseWord.buffer, 16, 1);
  /** The next tick of `poll`, in the time of performance.now(). */
  private nextTick = 0;

  constructor(surroundings: BrowserSurroundings) {
    this.surroundings = surroundings;
  }

  /**
   * Begins to set a word every now and then, so that a thread in translated code lets the event loop have its turn.
   * Resolves when the ticker runs: a worker's own workers do not start while it is busy.
   */
  async start(words: Int32Array, index: number): Promise<void> {
    this.interrupt = { words, index };
    this.control[1] = idleTickLength;
    this.deadline[0] = Number.POSITIVE_INFINITY;
    this.nextTick = performance.now() + idleTickLength;
    if (!this.surroundings.isIsolated) return;
    const { control, deadline } = this;
    await new Promise<void>((resolve) => {
      this.worker = this.surroundings.startWorker(tickerProgram, resolve);
      this.worker.postMessage({ words, index, control, deadline });
    });
  }

  stop(): void {
    this.worker?.terminate();
    this.worker = undefined;
    this.interrupt = undefined;
  }

  /** A tick, when it is time for one, where no other thread can do that. */
  readonly poll = (): void => {
    if (performance.now() < this.nextTick || this.worker !== undefined) return;
    const { interrupt } = this;
    if (interrupt !== undefined) Atomics.store(interrupt.words, interrupt.index, 1);
    this.nextTick = performance.now() + this.control[1];
  };

  startTicker(): Ticker {
    this.control[1] = tickLength;
    this.wakeTicker();
    return {
      setDeadline: (time) => {
        const milliseconds = time / nanosecondsPerMillisecond;
        this.deadline[0] = milliseconds + performance.timeOrigin;
        // No sooner than that: a guest that is interrupted at once whenever a timer is set comes to nothing else.
        this.nextTick = Math.min(this.nextTick, milliseconds);
        this.wakeTicker();
      },
      stop: () => {
        this.control[1] = idleTickLength;
        this.deadline[0] = Number.POSITIVE_INFINITY;
      },
    };
  }

  private wakeTicker(): void {
    Atomics.add(this.control, 0, 1);
    Atomics.notify(this.control, 0);
  }

  // -- identity

  processIds(pid: number): ProcessIds | undefined {
    return pid === this.processId ? { group: pid, session: pid } : undefined;
  }

  credentials(): Credentials {
    return { uid: userId, effectiveUid: userId, gid: userId, effectiveGid: userId, groups: [userId] };
  }

  machine(): MachineFacts {
    return {
      hostName: 'browser',
      // One that no C library finds too old.
      release: '6.12.0-stele',
      version: '#1 SMP',
      processors: this.surroundings.processors,
      memory: assumedMemory,
      freeMemory: assumedMemory / 2,
      uptime: performance.now() / 1000,
      load: [0, 0, 0],
    };
  }

  // -- clocks

  realTime(): { seconds: number; nanoseconds: number } {
    const milliseconds = performance.timeOrigin + performance.now();
    const seconds = Math.floor(milliseconds / 1000);
    return { seconds, nanoseconds: Math.floor((milliseconds - seconds * 1000) * nanosecondsPerMillisecond) };
  }

  monotonicTime(): number {
    return Math.floor(performance.now() * nanosecondsPerMillisecond);
  }

  /** The time that was not spent waiting: a browser does not tell the processor's. */
  processCpuTime(): CpuTime {
    const running = performance.now() - this.startTime - this.idle;
    return { user: Math.max(0, Math.floor(running * nanosecondsPerMillisecond)), system: 0 };
  }

  threadCpuTime(): CpuTime {
    return this.processCpuTime();
  }

  resourceUsage(): ResourceUsage {
    return {
      ...this.processCpuTime(),
      maximumResident: 0,
      minorFaults: 0,
      majorFaults: 0,
      blocksRead: 0,
      blocksWritten: 0,
      voluntarySwitches: 0,
      involuntarySwitches: 0,
    };
  }

  fillRandom(bytes: Uint8Array<ArrayBuffer>): void {
    // The most that one call gives.
    for (let at = 0; at < bytes.length; at += 65536) crypto.getRandomValues(bytes.subarray(at, at + 65536));
  }

  // -- waiting

  after(nanoseconds: number, callback: () => void): () => void {
    return callAfter(() => this.monotonicTime(), nanoseconds, callback);
  }

  stayAlive(): () => void {
    this.beforeEvents();
    const start = performance.now();
    return () => {
      this.idle += performance.now() - start;
    };
  }

  pause(nanoseconds: number): void {
    if (nanoseconds > 0) Atomics.wait(this.pauseWord, 0, 0, nanoseconds / nanosecondsPerMillisecond);
  }

  yieldToEvents(): Promise<void> {
    this.beforeEvents();
    return this.surroundings.yieldToEvents();
  }

  // -- signals

  onSignal(signal: number, listener: (() => void) | undefined): boolean {
    if (listener === undefined) this.listeners.delete(signal);
    else this.listeners.set(signal, listener);
    return true;
  }

  /** Reports a signal from outside. @returns whether somebody listens */
  raise(signal: number): boolean {
    const listener = this.listeners.get(signal);
    listener?.();
    return listener !== undefined;
  }

  /** There is no other process, and nobody who could continue this one when it stopped. */
  kill(pid: number, _signal: number): number {
    return Math.abs(pid) === this.processId ? 0 : -errno.ESRCH;
  }

  priority(pid: number): number | undefined {
    return pid === 0 || pid === this.processId ? 0 : undefined;
  }

  setPriority(): boolean {
    return false;
  }
}

/** Memory that threads can wait on. SharedArrayBuffer itself is hidden from pages that are not isolated. */
function sharedPage(): ArrayBufferLike {
  return new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer;
}
