/**
 * Who runs: machines get processor time in proportion to their shares. Each has a virtual time, the processor time that it
 * used over its weight; those that are behind run next (stride scheduling: Waldspurger and Weihl, 1995). What counts is
 * the time that was used, so shares hold on a machine that is busy with other things, too.
 */

export interface Contestant {
  /** A positive number: twice as much gets twice the time. */
  readonly share: number;
  /** Processor time used so far. */
  readonly cpu: number;
  /** Whether it wants the processor. */
  readonly isReady: boolean;
}

interface Entry {
  virtualTime: number;
  /** Processor time that is in it. */
  counted: number;
  wasReady: boolean;
}

/**
 * The shares of those who are ready, such that nobody's is more than one processor's: what is beyond that cannot be had,
 * and would let the others fall ever further behind in virtual time (Chandra et al., Surplus Fair Scheduling, 2000).
 * @param shares in any order @param processors fewer than there are shares
 */
export function feasibleShares(shares: readonly number[], processors: number): number[] {
  const result = [...shares];
  const order = [...shares.keys()].sort((a, b) => shares[b] - shares[a]);
  let rest = shares.reduce((sum, share) => sum + share, 0);
  let cut = 0;
  for (; cut < processors - 1; cut++) {
    const share = shares[order[cut]];
    rest -= share;
    if (share * (processors - cut - 1) <= rest) {
      rest += share;
      break;
    }
  }
  // From the smallest of them on: each gets one processor's part of what it shares with those below it.
  for (let rank = cut - 1; rank >= 0; rank--) {
    result[order[rank]] = rest / (processors - rank - 1);
    rest += result[order[rank]];
  }
  return result;
}

export class Schedule<Key> {
  private readonly processors: number;
  private readonly entries = new Map<Key, Entry>();

  constructor(processors: number) {
    this.processors = processors;
  }

  /** Who may run now: everybody where there is no contention; else as many of those who are ready as there are processors. */
  choose(contestants: ReadonlyMap<Key, Contestant>): Set<Key> {
    const ready = [...contestants].filter(([, { isReady }]) => isReady);
    const isContended = ready.length > this.processors;
    const shares = ready.map(([, { share }]) => share);
    const weights = feasibleShares(shares, this.processors);
    const weightOf = new Map(ready.map(([key], index) => [key, weights[index]]));
    if (!isContended) {
      // Nobody takes anything from anybody: what was used so far is no debt.
      this.entries.clear();
      return new Set(contestants.keys());
    }
    this.count(contestants, weightOf);
    const behind = ready
      .map(([key]) => [key, this.entries.get(key)!.virtualTime] as const)
      .sort(([, a], [, b]) => a - b);
    return new Set(behind.slice(0, this.processors).map(([key]) => key));
  }

  /** Adds the time that was used to the virtual times. Who was not ready has not saved anything for later. */
  private count(contestants: ReadonlyMap<Key, Contestant>, weights: ReadonlyMap<Key, number>): void {
    for (const key of this.entries.keys()) if (!contestants.has(key)) this.entries.delete(key);
    let least = Number.POSITIVE_INFINITY;
    for (const [key, { share, cpu, isReady }] of contestants) {
      const entry = this.entries.get(key);
      if (entry === undefined) continue;
      entry.virtualTime += (cpu - entry.counted) / (weights.get(key) ?? share);
      entry.counted = cpu;
      if (isReady && entry.wasReady) least = Math.min(least, entry.virtualTime);
    }
    for (const [key, { cpu, isReady }] of contestants) {
      const entry = this.entries.get(key) ?? { virtualTime: 0, counted: cpu, wasReady: false };
      if (isReady && !entry.wasReady && least !== Number.POSITIVE_INFINITY) {
        entry.virtualTime = Math.max(entry.virtualTime, least);
      }
      entry.wasReady = isReady;
      this.entries.set(key, entry);
    }
  }
}
