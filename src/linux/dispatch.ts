/**
 * From a guest's system-call instruction to a row's handler and back. One dispatcher serves one thread:
 * the call object and its arguments are reused, which a waiting call can rely on, as its thread makes no other.
 */
import { type GuestMemory, MemoryFault } from '../memory/guest-memory.ts';
import type { Abi } from './abi/abi.ts';
import { errno } from './errno.ts';
import type { Process } from './process.ts';
import type { SystemCall } from './system-call.ts';
import { dispatchTable, type Entry } from './table.ts';
import type { Thread } from './thread.ts';

/** Sees calls as they begin and end (strace). */
export interface CallObserver {
  /** `entry` is undefined for a call that has no row. */
  begin(entry: Entry | undefined, number: number, call: SystemCall): void;
  end(entry: Entry | undefined, number: number, call: SystemCall, result: number | bigint): void;
}

/** Calls after which serving them is worth optimizing. */
const manyCalls = 50_000;

export interface DispatchOptions {
  readonly observer?: CallObserver;
  /** Told once for each number that has no row. */
  readonly onUnknown?: (text: string) => void;
  /** Told once, when there have been many calls. */
  readonly onManyCalls?: (() => void) | undefined;
  /** Measure the time spent in calls, for --stats. */
  readonly measure?: boolean;
  /** Defaults to all rows that the ABI has. */
  readonly table?: (Entry | undefined)[];
}

/** A call that was made, for fault reports. */
export interface RecentCall {
  readonly name: string;
  readonly args: readonly number[];
  /** undefined while the call is in progress, and for calls that do not return. */
  readonly result: number | bigint | undefined;
}

/** Calls that the ring remembers, and numbers that it keeps of each: call number, six arguments, result. */
const ringLength = 8;
const ringStride = 8;

export class Dispatcher implements SystemCall {
  readonly process: Process;
  readonly thread: Thread;
  readonly memory: GuestMemory;
  readonly abi: Abi;
  readonly args: number[] = [0, 0, 0, 0, 0, 0];
  /** Calls made, and milliseconds spent in them (with `measure`); waiting counts. */
  calls = 0;
  time = 0;
  readonly table: (Entry | undefined)[];
  private readonly observer: CallObserver | undefined;
  private readonly onManyCalls: (() => void) | undefined;
  private readonly onUnknown: ((text: string) => void) | undefined;
  private readonly measure: boolean;
  private readonly reported = new Set<number>();
  private readonly ring = new Float64Array(ringLength * ringStride);

  constructor(thread: Thread, abi: Abi, options: DispatchOptions = {}) {
    this.thread = thread;
    this.process = thread.process;
    this.memory = thread.process.memory;
    this.abi = abi;
    this.table = options.table ?? dispatchTable(abi);
    this.observer = options.observer;
    this.onUnknown = options.onUnknown;
    this.onManyCalls = options.onManyCalls;
    this.measure = options.measure === true;
  }

  /**
   * Serves the call that the thread's registers describe.
   * @returns false when the engine has to be left: `thread.attention` is set, or `thread.waiting` holds a promise
   * that resolves when the result stands in the registers
   */
  dispatch(): boolean {
    const state = this.thread.state;
    const number = this.abi.callNumber(state);
    const entry = this.table[number];
    if (++this.calls === manyCalls) this.onManyCalls?.();
    this.thread.callNumber = number;
    this.thread.callArgument = this.abi.rawArgument(state, 0);
    if (entry === undefined) {
      this.unknown(number);
      return !this.thread.attention;
    }
    entry.calls++;
    this.abi.decode(state, entry.plan, this.args);
    this.remember(number, entry.plan.count);
    this.observer?.begin(entry, number, this);
    const start = this.measure ? performance.now() : 0;
    let result: number | bigint | Promise<number>;
    try {
      result = entry.row.handler(this);
    } catch (error) {
      result = faultResult(error);
    }
    if (typeof result === 'object') {
      const slot = (this.calls - 1) % ringLength;
      this.thread.waiting = result.catch(faultResult).then((value) => this.finish(entry, number, value, start, slot));
      return false;
    }
    this.finish(entry, number, result, start, (this.calls - 1) % ringLength);
    return !this.thread.attention;
  }

  /** The last calls, oldest first. */
  recentCalls(): RecentCall[] {
    const made = Math.min(this.calls, ringLength);
    return Array.from({ length: made }, (_, i): RecentCall => {
      const base = ((this.calls - made + i) % ringLength) * ringStride;
      const number = this.ring[base];
      const entry = this.table[number];
      const result = this.ring[base + 7];
      return {
        name: entry?.row.name ?? this.abi.names[number] ?? `system call ${number}`,
        args: Array.from(this.ring.subarray(base + 1, base + 1 + (entry?.plan.count ?? 6))),
        result: Number.isNaN(result) ? undefined : result,
      };
    });
  }

  private finish(entry: Entry, number: number, result: number | bigint, start: number, slot: number): void {
    if (this.measure) {
      const time = performance.now() - start;
      entry.time += time;
      this.time += time;
    }
    if (result < 0) entry.errors++;
    this.ring[slot * ringStride + 7] = Number(result);
    this.abi.setResult(this.thread.state, result);
    this.observer?.end(entry, number, this, result);
  }

  private unknown(number: number): void {
    const { state } = this.thread;
    for (let i = 0; i < 6; i++) this.args[i] = this.abi.rawArgument(state, i);
    this.remember(number, 6);
    this.observer?.begin(undefined, number, this);
    this.abi.setResult(state, -errno.ENOSYS);
    this.ring[((this.calls - 1) % ringLength) * ringStride + 7] = -errno.ENOSYS;
    this.observer?.end(undefined, number, this, -errno.ENOSYS);
    if (this.onUnknown !== undefined && !this.reported.has(number)) {
      this.reported.add(number);
      this.onUnknown(`system call ${number} (${this.abi.names[number] ?? 'unknown'}) is not implemented`);
    }
  }

  private remember(number: number, count: number): void {
    const { ring, args } = this;
    const base = ((this.calls - 1) % ringLength) * ringStride;
    ring[base] = number;
    for (let i = 0; i < count; i++) ring[base + 1 + i] = args[i];
    ring[base + 7] = Number.NaN;
  }
}

/** What a handler's exception means: an inaccessible pointer is the guest's error, anything else ours. */
function faultResult(error: unknown): number {
  if (error instanceof MemoryFault) return -errno.EFAULT;
  throw error;
}
