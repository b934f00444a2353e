/**
 * Counters that a translation keeps of itself when it is inspected: doubles in the memory that it runs on, each named
 * by its offset in bytes, a multiple of 8. Whoever asks for a translation with counters owns them.
 */

export interface BlockCounters {
  /** Times that the block began to run. */
  readonly executions: number;
  /** Guest instructions that ran in it: less than its length where it was left in the middle. */
  readonly instructions: number;
  /** Times that control went on to a block of the region, by the number of that block. */
  readonly edges: ReadonlyMap<number, number>;
}

export interface RegionCounters {
  /** Times that the translation was entered. */
  readonly entries: number;
  /** By the number of a block in its region. */
  readonly blocks: readonly BlockCounters[];
}
