/**
 * Programs that run hot and then do what no program should: each ends with a signal or an exit status of its own, the same
 * on every engine, and touches nothing that is not its. `npm run fuzz -- --kinds hostile` runs on; SEED repeats.
 */
import { expect, test } from 'vitest';
import { seed } from '../float/cases.ts';
import { type HostileSummary, runHostile } from '../fuzz/hostile.ts';

const programs = 200;
/** As many as CI has processors. */
const processes = 2;

test(`${programs} hostile programs`, { timeout: 300_000 }, async () => {
  const share = programs / processes;
  const runs = Array.from({ length: processes }, (_, i) => runHostile((seed >>> 0) + i * share, share, Infinity));
  const summaries = await Promise.all(runs);
  const total = (count: (summary: HostileSummary) => number): number =>
    summaries.reduce((sum, summary) => sum + count(summary), 0);
  expect(
    summaries.flatMap(({ differences }) => differences),
    `SEED=${seed}`,
  ).toEqual([]);
  expect(total((summary) => summary.programs)).toBe(programs);
  // They reached translated code, handlers, and ends of every kind.
  expect(total(({ translated }) => translated)).toBeGreaterThan(programs / 2);
  expect(total(({ handled }) => handled)).toBeGreaterThan(programs / 10);
  expect(total(({ ends }) => ends.exit ?? 0)).toBeGreaterThan(0);
  expect(total(({ ends }) => ends.SIGSEGV ?? 0)).toBeGreaterThan(programs / 10);
  expect(total(({ ends }) => ends.SIGILL ?? 0)).toBeGreaterThan(0);
  expect(total(({ ends }) => (ends.endless ?? 0) + (ends.waits ?? 0))).toBeLessThan(programs / 10);
});
