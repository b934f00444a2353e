/**
 * Interpreter code that earlier runs prepared for the program, for one thread. A run begins with it when the guest's
 * memory holds the very code that it was made of; so a short program that runs again prepares nothing.
 */
import type { Interpreter } from '../../../translators/ir/interpreter.ts';
import { pageShift, permission } from '../../../translators/memory-view.ts';
import { decodeBlocks, encodeBlocks, type GuestCode } from '../../cache/block-file.ts';
import type { ProgramStore } from '../../cache/program-store.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { EngineStatistics } from '../statistics.ts';

/** Guest code is compared in words of so many bytes. */
const wordSize = 4;

/** A guest range, [start, end). */
interface Range {
  readonly start: number;
  readonly end: number;
}

export class KeptBlocks {
  private readonly store: ProgramStore;
  private readonly assumptions: string;
  private readonly interpreter: Interpreter;
  private readonly memory: GuestMemory;
  private readonly readsElsewhere: ReadonlySet<number>;
  private readonly statistics: EngineStatistics;
  /** Guest code that changed in this run: a later run begins without the change. */
  private readonly changed: Range[] = [];
  /** What is to be written. */
  private taken: Uint8Array<ArrayBuffer> | undefined;
  /** Whether take() has been called. */
  private settled = false;

  /**
   * Restores what is kept, if it is of the program as it is now.
   * @param assumptions what code is prepared for, besides the build: plain data
   * @param readsElsewhere addresses of blocks that depend on code which is not theirs
   */
  constructor(
    store: ProgramStore,
    assumptions: object,
    interpreter: Interpreter,
    memory: GuestMemory,
    readsElsewhere: ReadonlySet<number>,
    statistics: EngineStatistics,
  ) {
    this.store = store;
    this.assumptions = JSON.stringify(assumptions);
    this.interpreter = interpreter;
    this.memory = memory;
    this.readsElsewhere = readsElsewhere;
    this.statistics = statistics;
    const bytes = store.read();
    const file = bytes === undefined ? undefined : decodeBlocks(bytes);
    if (file?.key !== store.key || file.assumptions !== this.assumptions || !this.isPresent(file)) return;
    interpreter.restoreCode(file.code);
    statistics.blocksFromCache = file.code.blocks.length / 3;
  }

  /** Whether the guest's memory holds this code, and may execute, but not write, all of it. */
  private isPresent({ runs, guestCode }: GuestCode): boolean {
    const { words } = this.interpreter;
    let at = 0;
    for (let run = 0; run < runs.length; run += 2) {
      const start = runs[run] >>> 0;
      const count = runs[run + 1];
      if (!this.allAllow(start, start + count * wordSize, permission.execute, permission.write)) return false;
      const offset = this.placeOf(start, count) - at;
      for (const end = at + count; at < end; at++) if (words[offset + at] !== guestCode[at]) return false;
    }
    return true;
  }

  /** Whether all pages of a guest range have the permission bits `allowed`, and none has one of `forbidden`. */
  private allAllow(start: number, end: number, allowed: number, forbidden: number): boolean {
    const { permissions } = this.memory;
    for (let page = start >>> pageShift; page <= (end - 1) >>> pageShift; page++) {
      if ((permissions[page] & (allowed | forbidden)) !== allowed) return false;
    }
    return true;
  }

  /** Where `count` words of guest memory from a multiple of their size on begin in the host's words. */
  private placeOf(start: number, count: number): number {
    const { mirrored, origin } = this.memory;
    return (mirrored ? origin - start : origin + start) / wordSize - (mirrored ? count : 0);
  }

  /** Notes that guest code has changed; length in bytes. */
  noteChange(start: number, length: number): void {
    if (!this.settled) this.changed.push({ start, end: start + length });
  }

  /**
   * Whether a block is of use to later runs: nobody has written its code since they began, and it depends on no other. To
   * code that the guest may write it may have done so without saying.
   */
  private isOfUse(start: number, end: number): boolean {
    return (
      this.allAllow(start, end, permission.execute, permission.write) &&
      !this.readsElsewhere.has(start) &&
      !this.changed.some((range) => start < range.end && range.start < end)
    );
  }

  /**
   * Settles on what has been prepared up to now, when it is more than was restored; later calls change nothing. Where it
   * has become too much, that is nothing: so the next run begins anew, with what is of use then.
   */
  take(): void {
    const { interpreter, store, statistics, assumptions } = this;
    if (this.settled) return;
    this.settled = true;
    if (interpreter.preparedBlocks === 0) return;
    const ranges: Range[] = [];
    const code = interpreter.copyCode((start, end) => {
      if (!this.isOfUse(start, end)) return false;
      ranges.push({ start, end });
      return true;
    });
    const { key, program, limit } = store;
    const more = ranges.length - statistics.blocksFromCache;
    if (more <= 0) return;
    const bytes = encodeBlocks({ key, program, assumptions, code, ...this.guestCodeOf(ranges) });
    const fits = bytes.length <= limit;
    this.taken = fits ? bytes : new Uint8Array(0);
    if (fits) statistics.blocksKept = more;
  }

  /** The words that hold these ranges. */
  private guestCodeOf(ranges: Range[]): GuestCode {
    ranges.sort((one, other) => one.start - other.start);
    const merged: { start: number; end: number }[] = [];
    for (const { start, end } of ranges) {
      const first = start - (start % wordSize);
      const last = merged.at(-1);
      if (last !== undefined && first <= last.end) last.end = Math.max(last.end, end);
      else merged.push({ start: first, end });
    }
    const runs = new Int32Array(2 * merged.length);
    const counts = merged.map(({ start, end }) => Math.ceil((end - start) / wordSize));
    const guestCode = new Int32Array(counts.reduce((sum, count) => sum + count, 0));
    let at = 0;
    for (const [index, count] of counts.entries()) {
      const { start } = merged[index];
      const place = this.placeOf(start, count);
      runs[2 * index] = start;
      runs[2 * index + 1] = count;
      guestCode.set(this.interpreter.words.subarray(place, place + count), at);
      at += count;
    }
    return { runs, guestCode };
  }

  /** Keeps what was taken, or else what there is now. */
  save(): void {
    this.take();
    if (this.taken !== undefined) this.store.write(this.taken);
  }
}
