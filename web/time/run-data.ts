/** How a run went on, as the charts have it. Times are in milliseconds since the program began to run. */

import type { Tier } from '../../src/engines/statistics.ts';
import type { RegionSummary } from '../../src/inspect/page-data.ts';
import type { Timeline } from '../../src/inspect/report.ts';

/** Guest instructions per second that a tier ran between two times. */
export interface Rate {
  readonly from: number;
  readonly end: number;
  readonly tier: Tier;
  readonly perSecond: number;
}

/** @param bins how many stretches the run is divided into at most; samples that lie closer are taken together */
export function ratesOf({ at, executed }: Timeline, bins: number): Rate[] {
  const last = at.at(-1) ?? 0;
  const distance = last / bins;
  const tiers = Object.entries(executed) as [Tier, readonly number[]][];
  const rates: Rate[] = [];
  let [from, before] = [0, tiers.map(() => 0)];
  at.forEach((end, index) => {
    const isLast = index === at.length - 1;
    if (end <= from || (end - from < distance && !isLast)) return;
    const now = tiers.map(([, counts]) => counts[index]);
    tiers.forEach(([tier], row) => {
      rates.push({ from, end, tier, perSecond: (1000 * Math.max(0, now[row] - before[row])) / (end - from) });
    });
    [from, before] = [end, now];
  });
  return rates;
}

export const phases = ['lift', 'optimize', 'emit', 'compile'] as const;
export type Phase = (typeof phases)[number];

/** How much of a stretch of the run went into a phase of translating. */
export interface Work {
  readonly from: number;
  readonly end: number;
  readonly phase: Phase;
  /** Milliseconds. */
  readonly time: number;
}

/** Each region's phases lie one behind the other, and the last ends when the region is ready. @param end of the run */
export function workOf(regions: readonly RegionSummary[], end: number, bins: number): Work[] {
  const width = end / bins;
  if (width <= 0) return [];
  const sums = phases.map(() => new Float64Array(bins));
  for (const { madeAt, times } of regions) {
    let until = madeAt;
    for (let row = phases.length - 1; row >= 0; row--) {
      const from = until - times[phases[row]];
      spread(sums[row], from, until, width);
      until = from;
    }
  }
  return phases.flatMap((phase, row) =>
    Array.from(sums[row], (time, bin) => ({ from: bin * width, end: (bin + 1) * width, phase, time })),
  );
}

/** Adds a stretch of time to the bins that it lies in. What is before the first bin or behind the last belongs to these. */
function spread(bins: Float64Array, from: number, end: number, width: number): void {
  const binOf = (time: number): number => Math.min(bins.length - 1, Math.max(0, Math.floor(time / width)));
  const [first, last] = [binOf(from), binOf(end)];
  for (let bin = first; bin <= last; bin++) {
    const begin = bin === first ? from : bin * width;
    bins[bin] += (bin === last ? end : (bin + 1) * width) - begin;
  }
}

/** When a region was in use. */
export interface Lane {
  readonly region: RegionSummary;
  readonly from: number;
  readonly end: number;
}

/** The hottest regions in the order in which they were made. @param end of the run */
export function lanesOf(regions: readonly RegionSummary[], end: number, limit: number): Lane[] {
  return regions
    .slice(0, limit)
    .map((region) => ({ region, from: region.madeAt, end: region.retired?.at ?? end }))
    .sort((a, b) => a.from - b.from);
}

/** What the regions of a tier cost and did. */
export interface TierSum {
  readonly tier: Tier;
  readonly regions: number;
  readonly retired: number;
  readonly guestInstructions: number;
  readonly executed: number;
  readonly times: Readonly<Record<Phase, number>>;
}

/** @param interpreted guest instructions that ran in no region */
export function tierSums(regions: readonly RegionSummary[], interpreted: number | null): TierSum[] {
  const byTier = Map.groupBy(regions, ({ tier }) => tier);
  const sum = (own: readonly RegionSummary[], value: (region: RegionSummary) => number): number =>
    own.reduce((total, region) => total + value(region), 0);
  const sums = Array.from(byTier, ([tier, own]): TierSum => {
    const times = phases.map((phase) => [phase, sum(own, (region) => region.times[phase])]);
    return {
      tier,
      regions: own.length,
      retired: own.filter(({ retired }) => retired !== null).length,
      guestInstructions: sum(own, (region) => region.guestInstructions),
      executed: sum(own, (region) => region.executed ?? 0),
      times: Object.fromEntries(times) as Record<Phase, number>,
    };
  });
  if (interpreted === null) return sums;
  const times = { lift: 0, optimize: 0, emit: 0, compile: 0 };
  return [{ tier: 'interpreter', regions: 0, retired: 0, guestInstructions: 0, executed: interpreted, times }, ...sums];
}
