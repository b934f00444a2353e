/** What a comparison found, as text for a terminal. */
import { formatTable } from '../diagnostics/table.ts';
import type { Difference, Result, Spread } from './comparison.ts';
import type { Absentee } from './contenders.ts';
import { detailTables, exitLines, hasSeveralGuests, type ReportTable, stoppedLines } from './tables.ts';

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
  const several = hasSeveralGuests(results);
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

function detailText(table: ReportTable | undefined): string {
  if (table === undefined) return '';
  const { title, notes, header, rows, left } = table;
  const cells = rows.map((row) => row.cells);
  return `${[title, ...notes.map((note) => `  ${note}`)].join('\n')}\n\n${formatTable(header, cells, left)}`;
}

export function outputLine({ results, differences }: Comparison): string {
  const finished = results.filter(({ stdout }) => stdout !== undefined);
  if (finished.length === 0) return 'No run came to its end in time: there is nothing to compare.';
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
  const { results, absentees, rounds, timeout, machine } = comparison;
  const [{ entrant }] = results;
  const { parts, probes, explanation } = detailTables(results);
  const sections = [
    `${[entrant.program, ...entrant.args].join(' ')}\n${machine}; medians of ${rounds} rounds, each in turn, after one to warm up`,
    timeTable(comparison),
    [outputLine(comparison), ...stoppedLines(results, timeout)].join('\n'),
    detailText(parts),
    exitLines(results).join('\n'),
    detailText(probes),
    detailText(explanation),
    absentees.map(({ name, reason }) => `${name} is left out: ${reason}`).join('\n'),
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}
