/** Who runs: simulated processors and machines, so that no clock is needed. */
import { describe, expect, test } from 'vitest';
import { type Contestant, feasibleShares, Schedule } from '../../src/machines/schedule.ts';

interface Simulated {
  readonly share: number;
  /** Whether it wants the processor at a tick. */
  readonly isReady?: (tick: number) => boolean;
  /** Part of a tick's time that it gets when it runs, for a processor that is busy with other things. */
  readonly efficiency?: number;
}

/** Lets those run who are chosen, a tick each time. @returns the time that each has had, in ticks */
function simulate(processors: number, machines: readonly Simulated[], ticks: number): number[] {
  const schedule = new Schedule<number>(processors);
  const used = machines.map(() => 0);
  for (let tick = 0; tick < ticks; tick++) {
    const contestants = new Map<number, Contestant>(
      machines.map(({ share, isReady }, key) => [key, { share, cpu: used[key], isReady: isReady?.(tick) ?? true }]),
    );
    for (const key of schedule.choose(contestants)) {
      const { isReady, efficiency = 1 } = machines[key];
      if (isReady?.(tick) ?? true) used[key] += efficiency;
    }
  }
  return used;
}

/** Expects times in proportion to the shares, to within 5 %. */
function expectProportion(used: readonly number[], shares: readonly number[]): void {
  const total = used.reduce((sum, time) => sum + time, 0);
  const all = shares.reduce((sum, share) => sum + share, 0);
  for (const [index, share] of shares.entries()) {
    const deviation = used[index] / total / (share / all) - 1;
    expect(Math.abs(deviation), `machine ${index} of shares ${shares} had ${used}`).toBeLessThan(0.05);
  }
}

describe('Schedule', () => {
  // biome-ignore format: one row per line
  const cases: readonly (readonly [processors: number, shares: readonly number[]])[] = [
    [1, [1, 1]],
    [1, [1, 2, 3]],
    [1, [0.1, 0.2, 0.7]],
    [2, [1, 1, 1]],
    [2, [1, 1, 2, 3, 5]],
    [2, new Array(16).fill(1)],
    [4, [1, 2, 3, 4, 5, 6, 7, 8]],
  ];
  test.each(cases)('on %d processors shares %j are what machines get', (processors, shares) => {
    expectProportion(
      simulate(
        processors,
        shares.map((share) => ({ share })),
        4000,
      ),
      shares,
    );
  });

  test('a share of more than a processor is a processor, and the others share the rest', () => {
    expectProportion(
      simulate(
        2,
        [8, 1, 3].map((share) => ({ share })),
        4000,
      ),
      [4, 1, 3],
    );
  });

  test('a newcomer beside a share of more than a processor does not keep the others from running', () => {
    const machines: Simulated[] = [{ share: 20 }, { share: 1 }, { share: 1, isReady: (tick) => tick >= 1000 }];
    const before = simulate(2, machines, 1000);
    const after = simulate(2, machines, 1200);
    expect(after[1] - before[1]).toBeGreaterThan(80);
  });

  test('what counts is the time that was used, not that for which machines were chosen', () => {
    expectProportion(
      simulate(
        1,
        [
          { share: 1, efficiency: 0.2 },
          { share: 1, efficiency: 1 },
        ],
        4000,
      ),
      [1, 1],
    );
  });

  test('without contention everybody runs, whatever the shares', () => {
    expect(simulate(2, [{ share: 1 }, { share: 100 }], 100)).toEqual([100, 100]);
  });

  test("who waits is in nobody's way, and saves nothing for later", () => {
    const used = simulate(1, [{ share: 1 }, { share: 1, isReady: (tick) => tick >= 1000 }], 2000);
    expect(used[0]).toBeGreaterThan(1450);
    expect(used[1]).toBeGreaterThan(450);
  });

  test('who comes and goes gets its share while it is there', () => {
    const used = simulate(1, [{ share: 1 }, { share: 3, isReady: (tick) => tick % 200 < 100 }], 4000);
    // In half of the time 3 of 4 are its own.
    expect(used[1] / 4000).toBeGreaterThan(0.34);
    expect(used[1] / 4000).toBeLessThan(0.41);
  });
});

test('feasibleShares leaves no share beyond one processor', () => {
  expect(feasibleShares([1, 1, 4], 2)).toEqual([1, 1, 2]);
  expect(feasibleShares([10, 5, 1, 1], 3)).toEqual([2, 2, 1, 1]);
  expect(feasibleShares([3, 1], 1)).toEqual([3, 1]);
  expect(feasibleShares([1, 1, 1], 2)).toEqual([1, 1, 1]);
});
