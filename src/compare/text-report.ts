/** What a comparison found, as text for a terminal. */
import { formatTable } from '../diagnostics/table.ts';
import type { Difference, Result, Spread } from './comparison.ts';
import type { Absentee } from './contenders.ts';

export interface Comparison {
  readonly results: readonly Result[];
  readonly differences: readonly Difference[];
  readonly absentees: readonly Absentee[];
  readonly rounds: number;
  readonly timeout: number;
  /** What it was measured on: processor, cores, Node, system. */
  readonly machine: string;
}

/** Who the others are compared with: native code where it ran, else the first that came to its end. */
export function baseline(results: readonly Result[]): Result | undefined {
  const finished = results.filter(({ wall }) => wall !== undefined);
  return finished.find(({ contender }) => contender.kind === 'native') ?? finished[0];
}

export const seconds = (spread: Spread | undefined): string => (spread === undefined ? '-' : spread.median.toFixed(3));

/** How far the samples lie apart: half of the distance between the extremes, of the median. */
export function deviation(spread: Spread | undefined): string {
  if (spread === undefined) return '';
  return `±${Math.round(((spread.most - spread.least) / 2 / spread.median) * 100)}%`;
}

export const ratio = (value: number | undefined, base: number | undefined): string =>
  value === undefined || base === undefined || base === 0 ? '-' : (value / base).toFixed(2);

export const mebibytes = (bytes: number | undefined): string =>
  bytes === undefined ? '-' : (bytes / 2 ** 20).toFixed(0);

/** Times, ratios and memory of everybody. */
function timeTable({ results, timeout }: Comparison): string {
  const base = baseline(results);
  const labels = new Set(results.map(({ entrant }) => entrant.label));
  const several = labels.size > 1;
  const title = base === undefined ? 'ratio' : `x ${several ? `${base.entrant.label} ` : ''}${base.contender.name}`;
  const rows = results.map((result) => {
    const { entrant, contender, wall, cpu, peakMemory, stopped } = result;
    return [
      ...(several ? [entrant.label] : []),
      contender.name,
      contender.description,
      stopped ? `over ${timeout}` : seconds(wall),
      stopped ? '' : deviation(wall),
      ratio(wall?.median, base?.wall?.median),
      seconds(cpu),
      ratio(cpu?.median, base?.cpu?.median),
      mebibytes(peakMemory),
    ];
  });
  const header = [...(several ? ['guest'] : []), 'engine', 'how', 'wall s', '', title, 'CPU s', title, 'MiB'];
  return formatTable(header, rows, several ? 3 : 2);
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

const number = (statistics: Readonly<Record<string, unknown>>, key: string): number => Number(statistics[key] ?? 0);

/** Where each engine's time went, in milliseconds, and what it executed. */
function partTable(results: readonly Result[]): string {
  const told = results.filter(({ statistics }) => statistics !== undefined);
  if (told.length === 0) return '';
  const several = new Set(results.map(({ entrant }) => entrant.label)).size > 1;
  const rows = told.map(({ entrant, contender, statistics = {} }) => {
    const instructions = number(statistics, 'guestInstructions');
    return [
      ...(several ? [entrant.label] : []),
      contender.name,
      ...timeParts.map(([key]) => number(statistics, key).toFixed(1)),
      number(statistics, 'systemCalls').toLocaleString('en'),
      instructions === 0 ? '-' : (instructions / 1e6).toFixed(1),
      instructions === 0 ? '-' : ((number(statistics, 'executionTime') / instructions) * 1e6).toFixed(2),
    ];
  });
  const header = [
    ...(several ? ['guest'] : []),
    'engine',
    ...timeParts.map(([, label]) => label),
    'calls',
    'million instructions',
    'ns each',
  ];
  const title = 'Where the time went, in milliseconds (a run of its own, in which counting costs some time)';
  return `${title}\n\n${formatTable(header, rows, several ? 2 : 1)}`;
}

/** Times that the processor left a virtualized guest, by what for. */
function exitLines(results: readonly Result[]): string {
  return results
    .flatMap(({ entrant, contender, statistics }) => {
      const exits = Object.entries((statistics?.exits ?? {}) as Record<string, number>);
      if (exits.length === 0) return [];
      const counts = exits.map(([reason, count]) => `${reason} ${count.toLocaleString('en')}`);
      return [`Exits of ${entrant.label}, ${contender.name}: ${counts.join(', ')}`];
    })
    .join('\n');
}

export function outputLine({ results, differences }: Comparison): string {
  const finished = results.filter(({ stdout }) => stdout !== undefined);
  if (differences.length === 0) {
    const bytes = finished[0]?.stdout?.length ?? 0;
    return `All outputs are equal: ${bytes.toLocaleString('en')} bytes, exit status ${finished[0]?.status}.`;
  }
  return differences
    .map(({ result, reference, what }) => {
      const name = ({ entrant, contender }: Result): string => `${entrant.label}, ${contender.name}`;
      return `DIFFERENT: ${what} of ${name(result)} from that of ${name(reference)}.`;
    })
    .join('\n');
}

export function textReport(comparison: Comparison): string {
  const { results, absentees, rounds, machine } = comparison;
  const [{ entrant }] = results;
  const sections = [
    `${[entrant.program, ...entrant.args].join(' ')}\n${machine}; medians of ${rounds} rounds, each in turn, after one to warm up`,
    timeTable(comparison),
    outputLine(comparison),
    partTable(results),
    exitLines(results),
    absentees.map(({ name, reason }) => `${name} is left out: ${reason}`).join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}
