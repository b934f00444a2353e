/**
 * What the personality asks of the machine below it besides files: clocks, identity, random bytes, signals.
 * Times are numbers of nanoseconds unless said otherwise; doubles hold them exactly up to 2^53 (104 days).
 */

/** CPU time used so far, in nanoseconds. */
export interface CpuTime {
  readonly user: number;
  readonly system: number;
}

export interface ResourceUsage extends CpuTime {
  /** Largest resident set, in KiB. */
  readonly maximumResident: number;
  readonly minorFaults: number;
  readonly majorFaults: number;
  readonly blocksRead: number;
  readonly blocksWritten: number;
  readonly voluntarySwitches: number;
  readonly involuntarySwitches: number;
}

export interface Credentials {
  readonly uid: number;
  readonly effectiveUid: number;
  readonly gid: number;
  readonly effectiveGid: number;
  readonly groups: readonly number[];
}

export interface MachineFacts {
  readonly hostName: string;
  readonly release: string;
  readonly version: string;
  readonly processors: number;
  /** Bytes. */
  readonly memory: number;
  readonly freeMemory: number;
  /** Seconds since the machine started. */
  readonly uptime: number;
  /** Processes ready to run, averaged over 1, 5 and 15 minutes. */
  readonly load: readonly number[];
}

export interface ProcessIds {
  readonly group: number;
  readonly session: number;
}

export interface System {
  readonly processId: number;
  /** Changes when the parent ends before this process. */
  readonly parentId: number;
  /** Looks up the group and session of a process; undefined when there is no such process or no way to know. */
  processIds(pid: number): ProcessIds | undefined;
  credentials(): Credentials;
  machine(): MachineFacts;

  /** Time since the epoch; nanoseconds are 0 to 999999999. */
  realTime(): { seconds: number; nanoseconds: number };
  /** Time since some start, never set back. */
  monotonicTime(): number;
  processCpuTime(): CpuTime;
  /** Of the calling thread. */
  threadCpuTime(): CpuTime;
  resourceUsage(): ResourceUsage;

  fillRandom(bytes: Uint8Array<ArrayBuffer>): void;

  /** Calls back once after a time, with the event loop running. @returns a function that calls it off */
  after(nanoseconds: number, callback: () => void): () => void;
  /** Keeps the event loop going although nothing in it is outstanding. @returns a function that ends that */
  stayAlive(): () => void;
  /** Stops this thread, event loop and all; only for times so short that the event loop's timers are too coarse. */
  pause(nanoseconds: number): void;
  /** Lets the event loop run once: signals that have arrived are seen, input and output proceed. */
  yieldToEvents(): Promise<void>;

  /**
   * Begins to report a host signal instead of letting it do what it does by default.
   * @param listener undefined: back to the default
   * @returns whether the host can report this signal
   */
  onSignal(signal: number, listener: (() => void) | undefined): boolean;
  /** Sends a signal to another process, or to this one where the guest leaves the effect to the host (stop). @returns 0 or -errno */
  kill(pid: number, signal: number): number;
  priority(pid: number): number | undefined;
  setPriority(pid: number, priority: number): boolean;

  /**
   * Starts to set the word at `index` of `words` to 1 every ~10 ms and at each deadline, so that a thread in
   * translated code comes back to look after signals and timers.
   */
  startTicker(words: Int32Array, index: number): Ticker;
  /** Does a ticker's work where it cannot have a thread of its own: whoever holds this one calls it every now and then. */
  readonly poll?: (() => void) | undefined;
}

export interface Ticker {
  /** Sets the next deadline, in monotonic time; Infinity: none. */
  setDeadline(time: number): void;
  stop(): void;
}
