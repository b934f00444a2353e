/**
 * How much of a program's time the probes explain: what the program did, times what the engine takes for one of each.
 *
 * It is a model. It knows how many instructions ran, and how many of them were accesses, floating-point operations, calls
 * and indirect branches, but not which waited for which; and each costs what it costs in a small loop.
 */
import type { Result } from './comparison.ts';
import { timeOf, workCosts } from './probes.ts';

export interface Explanation {
  /** Seconds of processor time; of wall time where that cannot be measured. */
  readonly measured: number;
  /** Starting and ending; a program that does nothing takes as long. */
  readonly start: number;
  /** Translating: decoding, lifting, optimizing, emitting, making functions. */
  readonly translation: number;
  /** System calls, at the price of a getppid: what the host's kernel does for them comes on top. */
  readonly systemCalls: number;
  readonly pageFaults: number;
  readonly instructions: number;
}

/** Parts of what is explained, in the order of the reports. */
export const explainedParts = [
  ['start', 'start, end'],
  ['translation', 'translate'],
  ['systemCalls', 'system calls'],
  ['pageFaults', 'page faults'],
  ['instructions', 'instructions'],
] as const;

export const explained = (explanation: Explanation): number =>
  explainedParts.reduce((sum, [part]) => sum + explanation[part], 0);

const translationTimes = ['liftTime', 'optimizeTime', 'emitTime', 'compileTime'] as const;

/** What an entrant's program asked of whoever ran it. */
export interface ProgramCounts {
  readonly systemCalls: number | undefined;
  /** Pages that it touched first: what a native run faults for more than one that does nothing. */
  readonly pageFaults: number | undefined;
}

/** @param results of all engines: what one of them counted holds for the others */
export function countsOf(result: Result, results: readonly Result[]): ProgramCounts {
  const own = results.filter(({ entrant }) => entrant === result.entrant);
  const counted = own.find(({ statistics }) => typeof statistics?.systemCalls === 'number');
  const native = own.find(({ contender, probes }) => contender.kind === 'native' && probes !== undefined);
  return {
    systemCalls: counted?.statistics?.systemCalls as number | undefined,
    pageFaults: moreFaults(native ?? result),
  };
}

function moreFaults({ minorFaults, probes }: Result): number | undefined {
  if (minorFaults === undefined || probes?.startFaults === undefined) return undefined;
  return Math.max(0, minorFaults - probes.startFaults);
}

/** @returns undefined where there are no probes of the engine, or nobody could count what the program did */
export function explain(result: Result, results: readonly Result[]): Explanation | undefined {
  const { wall, cpu, probes, work, statistics, entrant } = result;
  if (wall === undefined || probes === undefined || work === undefined) return undefined;
  const costs = workCosts(entrant.abi, probes);
  if (costs === undefined) return undefined;
  const counts = countsOf(result, results);
  const nanoseconds = (count: number | undefined, probe: string): number =>
    ((count ?? 0) * (probes.turns[probe] ?? 0)) / 1e9;
  const translation = translationTimes.reduce((sum, key) => sum + Number(statistics?.[key] ?? 0), 0) / 1000;
  return {
    measured: cpu?.median ?? wall.median,
    start: cpu === undefined ? probes.startWall : (probes.startCpu ?? probes.startWall),
    translation,
    systemCalls: nanoseconds(counts.systemCalls, 'system-call'),
    pageFaults: nanoseconds(counts.pageFaults, 'page-touch'),
    instructions: timeOf(work, costs) / 1e9,
  };
}
