/** Tables of a comparison, as the text and the page show them: where the time went, what one of each takes, what that explains. */
import type { Result } from './comparison.ts';
import { countsOf, explain, explained, explainedParts } from './explanation.ts';
import { probes } from './probes.ts';

export interface ReportTable {
  readonly title: string;
  /** Lines below the title. */
  readonly notes: readonly string[];
  readonly header: readonly string[];
  /** The cells begin with the guest, where there are several, and the engine. */
  readonly rows: readonly { readonly result: Result; readonly cells: readonly string[] }[];
  /** How many of the cells that is. */
  readonly left: number;
}

export const hasSeveralGuests = (results: readonly Result[]): boolean =>
  new Set(results.map(({ entrant }) => entrant)).size > 1;

/** A table with a row for each of the results that it has cells for; undefined where that is none. */
function tableOf(
  results: readonly Result[],
  title: string,
  notes: readonly string[],
  header: readonly string[],
  cellsOf: (result: Result) => readonly string[] | undefined,
): ReportTable | undefined {
  const several = hasSeveralGuests(results);
  const rows = results.flatMap((result) => {
    const cells = cellsOf(result);
    if (cells === undefined) return [];
    return [{ result, cells: [...(several ? [result.entrant.label] : []), result.contender.name, ...cells] }];
  });
  const names = [...(several ? ['guest'] : []), 'engine'];
  return rows.length === 0 ? undefined : { title, notes, header: [...names, ...header], rows, left: names.length };
}

/** Parts of the time of an engine of ours, in the order of their happening. */
export const timeParts = [
  ['loadTime', 'load'],
  ['liftTime', 'decode, lift'],
  ['optimizeTime', 'optimize'],
  ['emitTime', 'emit'],
  ['compileTime', 'compile'],
  ['systemCallTime', 'system calls'],
  ['executionTime', 'run'],
] as const;

export const statistic = ({ statistics }: Result, key: string): number => Number(statistics?.[key] ?? 0);

const whole = (value: number): string => Math.round(value).toLocaleString('en');
/** Three digits or more. */
const digits = (value: number): string =>
  value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : whole(value);

/** Guest instructions of a run of one of our engines, which counts them or leaves it to those that do. */
const instructionsOf = (result: Result): number =>
  statistic(result, 'guestInstructions') || (result.work?.instructions ?? 0);

/** Microseconds that the personality takes for a system call, on average of those that the program made. */
export function timePerCall(result: Result): number | undefined {
  const calls = statistic(result, 'systemCalls');
  return calls === 0 ? undefined : (statistic(result, 'systemCallTime') / calls) * 1000;
}

/** Where each engine's time went, in milliseconds, and what it executed. */
function partsTable(results: readonly Result[]): ReportTable | undefined {
  const header = [...timeParts.map(([, label]) => label), 'calls', 'us each', 'million instructions', 'ns each'];
  const note = 'in a run of its own, in which counting costs some time; translations that are kept are not made again';
  return tableOf(results, 'Where the time went, in milliseconds', [note], header, (result) => {
    if (result.statistics === undefined) return undefined;
    const instructions = instructionsOf(result);
    return [
      ...timeParts.map(([key]) => statistic(result, key).toFixed(1)),
      whole(statistic(result, 'systemCalls')),
      timePerCall(result)?.toFixed(1) ?? '-',
      instructions === 0 ? '-' : (instructions / 1e6).toFixed(1),
      instructions === 0 ? '-' : digits((statistic(result, 'executionTime') / instructions) * 1e6),
    ];
  });
}

/** Nanoseconds of each probe. */
function probeTable(results: readonly Result[]): ReportTable | undefined {
  const notes = ['the fastest of some runs of a loop, per turn; "stele compare --help" tells what a turn is'];
  const header = probes.map(({ label }) => label);
  return tableOf(results, 'What one of each takes, in nanoseconds', notes, header, (result) => {
    const costs = result.probes;
    if (costs === undefined) return undefined;
    return probes.map(({ name }) => (costs.turns[name] === undefined ? '-' : digits(costs.turns[name])));
  });
}

const percent = (part: number, of: number): string => `${Math.round((part / of) * 100)} %`;

/** What the programs did, a line each. */
function programLines(results: readonly Result[]): string[] {
  const firsts = results.filter((one, index) => results.findIndex(({ entrant }) => entrant === one.entrant) === index);
  return firsts.flatMap((result) => {
    const { work, entrant } = result;
    if (work === undefined) return [];
    const { systemCalls, pageFaults } = countsOf(result, results);
    const kinds = [
      [work.memoryAccesses, 'accesses to memory'],
      [work.floatOperations, 'floating-point operations'],
      [work.calls, 'calls'],
      [work.indirectBranches, 'indirect branches'],
    ] as const;
    const counts = kinds.map(([count, name]) => `${percent(count, work.instructions)} ${name}`);
    const others = [
      systemCalls === undefined ? '' : `${whole(systemCalls)} system calls`,
      pageFaults === undefined ? '' : `${whole(pageFaults)} page faults`,
    ].filter((text) => text !== '');
    const name = hasSeveralGuests(results) ? entrant.label : 'the program';
    const { code, host } = work.expansion;
    const machine = host === null ? '' : `, ${host.toFixed(1)} of the host's`;
    const expansion = `for each, "wasm" and "auto" run ${code.toFixed(1)} instructions of WebAssembly${machine}`;
    return [
      `${name}: ${whole(work.instructions)} instructions (${counts.join(', ')}), ${others.join(', ')}; ${expansion}`,
    ];
  });
}

/** What the probes explain of the time, in milliseconds. */
function explanationTable(results: readonly Result[]): ReportTable | undefined {
  const measured = results.some(({ cpu }) => cpu !== undefined) ? 'processor time' : 'wall time';
  const header = [...explainedParts.map(([, label]) => label), 'sum', measured, 'explained'];
  const notes = [...programLines(results), 'what it did, times what one of each takes: an estimate'];
  return tableOf(results, `What that explains of the ${measured}, in milliseconds`, notes, header, (result) => {
    const explanation = explain(result, results);
    if (explanation === undefined) return undefined;
    const sum = explained(explanation);
    return [
      ...explainedParts.map(([part]) => (explanation[part] * 1000).toFixed(1)),
      (sum * 1000).toFixed(1),
      (explanation.measured * 1000).toFixed(1),
      percent(sum, explanation.measured),
    ];
  });
}

/** Times that the processor left a guest that runs on it, by what for. */
export function exitLines(results: readonly Result[]): string[] {
  return results.flatMap(({ entrant, contender, statistics }) => {
    const exits = Object.entries((statistics?.exits ?? {}) as Record<string, number>);
    if (exits.length === 0) return [];
    const counts = exits.map(([reason, count]) => `${reason} ${whole(count)}`);
    return [`Exits of ${entrant.label}, ${contender.name}: ${counts.join(', ')}`];
  });
}

/** Engines that took too long, and how long they were given. */
export function stoppedLines(results: readonly Result[], timeout: number): string[] {
  return results
    .filter(({ stopped }) => stopped)
    .map(({ entrant, contender }) => `${entrant.label}, ${contender.name}: stopped after ${timeout} s (--timeout)`);
}

export interface DetailTables {
  readonly parts: ReportTable | undefined;
  readonly probes: ReportTable | undefined;
  readonly explanation: ReportTable | undefined;
}

export const detailTables = (results: readonly Result[]): DetailTables => ({
  parts: partsTable(results),
  probes: probeTable(results),
  explanation: explanationTable(results),
});
