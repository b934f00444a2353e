/** Signals that wait for delivery, with what is known of each. */

/** What a signal tells its handler; the fields that matter depend on `code` (siginfo_t). */
export interface SignalInfo {
  readonly signal: number;
  /** si_code. */
  readonly code: number;
  /** si_errno. */
  readonly error?: number;
  /** Sender (SI_USER, SI_QUEUE, SI_TKILL) or child (SIGCHLD). */
  readonly pid?: number;
  readonly uid?: number;
  /** si_value: SI_QUEUE, SI_TIMER. */
  readonly value?: number | bigint;
  /** Faults: si_addr. */
  readonly address?: number | bigint;
  /** SI_TIMER: the timer's id and its overruns, counted when the signal is taken. */
  readonly timer?: number;
  readonly overrun?: number;
  readonly countOverrun?: () => number;
  /** The bytes of siginfo_t behind the code, as rt_sigqueueinfo passed them. */
  readonly raw?: Uint8Array;
}

/** The first real-time signal: from here on every instance of a signal is queued. */
export const firstRealTime = 32;
export const lastSignal = 64;

export const bitOf = (signal: number): bigint => 1n << BigInt(signal - 1);

export const setOf = (...signals: number[]): bigint => signals.reduce((set, signal) => set | bitOf(signal), 0n);

export class SignalQueue {
  /** Bit n-1: signal n waits. */
  set = 0n;
  private entries: SignalInfo[] = [];

  get length(): number {
    return this.entries.length;
  }

  /** Adds a signal. @returns false when an ordinary signal already waits and this one is dropped */
  add(info: SignalInfo): boolean {
    const bit = bitOf(info.signal);
    if (info.signal < firstRealTime && (this.set & bit) !== 0n) return false;
    this.set |= bit;
    this.entries.push(info);
    return true;
  }

  /** Takes the oldest instance of a signal. */
  take(signal: number): SignalInfo | undefined {
    const index = this.entries.findIndex((entry) => entry.signal === signal);
    if (index < 0) return undefined;
    const [info] = this.entries.splice(index, 1);
    if (!this.entries.some((entry) => entry.signal === signal)) this.set &= ~bitOf(signal);
    return info;
  }

  /** Drops every instance of the signals in the set. */
  discard(set: bigint): void {
    if ((this.set & set) === 0n) return;
    this.set &= ~set;
    this.entries = this.entries.filter((entry) => (set & bitOf(entry.signal)) === 0n);
  }
}
