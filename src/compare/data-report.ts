/** What a comparison found, as JSON and as comma-separated values. */
import type { Result, Spread } from './comparison.ts';
import { countsOf, explain, explained, explainedParts } from './explanation.ts';
import { probes } from './probes.ts';
import { statistic, timeParts, timePerCall } from './tables.ts';
import { baseline, type Comparison } from './text-report.ts';

/** The version of the JSON's form; it changes when something that was there means another thing or is no more. */
const version = 1;

const hexadecimal = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

async function digest(bytes: Uint8Array | undefined): Promise<string | null> {
  if (bytes === undefined) return null;
  return hexadecimal(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)));
}

const orNull = <Value>(value: Value | undefined): Value | null => value ?? null;

/** Times are in seconds, memory in bytes; what was not measured is null. */
export async function jsonReport(comparison: Comparison): Promise<string> {
  const { results, differences, absentees, rounds, timeout, machine } = comparison;
  const base = baseline(results);
  const rows = await Promise.all(
    results.map(async (result) => ({
      guest: result.entrant.label,
      program: result.entrant.program,
      arguments: result.entrant.args,
      engine: result.contender.name,
      kind: result.contender.kind,
      description: result.contender.description,
      wall: orNull(result.wall),
      cpu: orNull(result.cpu),
      wallRatio: ratio(result.wall, base?.wall),
      cpuRatio: ratio(result.cpu, base?.cpu),
      peakMemory: orNull(result.peakMemory),
      stopped: result.stopped,
      status: orNull(result.status),
      outputBytes: orNull(result.stdout?.length),
      outputSha256: await digest(result.stdout),
      minorFaults: orNull(result.minorFaults),
      isDifferent: differences.some((difference) => difference.result === result),
      statistics: orNull(result.statistics),
      probes: orNull(result.probes),
      work: orNull(result.work),
      counts: countsOf(result, results),
      explanation: explanationOf(result, results),
    })),
  );
  const baselineName = base === undefined ? null : { guest: base.entrant.label, engine: base.contender.name };
  const report = { version, machine, rounds, timeout, baseline: baselineName, results: rows, leftOut: absentees };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

/** Seconds by part, their sum, and the share of what was measured. */
function explanationOf(result: Result, results: readonly Result[]): Readonly<Record<string, number>> | null {
  const explanation = explain(result, results);
  if (explanation === undefined) return null;
  const sum = explained(explanation);
  return { ...explanation, sum, share: sum / explanation.measured };
}

const ratio = (spread: Spread | undefined, base: Spread | undefined): number | null =>
  spread === undefined || base === undefined ? null : spread.median / base.median;

/** A value as RFC 4180 has it. */
function quoted(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type Cell = string | number | undefined;

type Column = readonly [title: string, value: (result: Result, results: readonly Result[]) => Cell];

/** "pageTouch" and "page-touch" as a part of a column's title: page_touch. */
const titled = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');

const columns: readonly Column[] = [
  ['guest', ({ entrant }) => entrant.label],
  ['engine', ({ contender }) => contender.name],
  ['kind', ({ contender }) => contender.kind],
  ['wall_median_s', ({ wall }) => wall?.median],
  ['wall_least_s', ({ wall }) => wall?.least],
  ['wall_most_s', ({ wall }) => wall?.most],
  ['cpu_median_s', ({ cpu }) => cpu?.median],
  ['cpu_least_s', ({ cpu }) => cpu?.least],
  ['cpu_most_s', ({ cpu }) => cpu?.most],
  ['peak_memory_bytes', ({ peakMemory }) => peakMemory],
  ['status', ({ status }) => status],
  ['stopped', ({ stopped }) => (stopped ? 1 : 0)],
  ['minor_faults', ({ minorFaults }) => minorFaults],
  ...timeParts.map(([key]): Column => [`${titled(key)}_ms`, (result) => counted(result, statistic(result, key))]),
  ['system_calls', (result) => counted(result, statistic(result, 'systemCalls'))],
  ['system_call_us', (result) => counted(result, timePerCall(result))],
  ['guest_instructions', ({ work }) => work?.instructions],
  ...probes.map(({ name }): Column => [`${titled(name)}_ns`, (result) => result.probes?.turns[name]]),
  ...explainedParts.map(
    ([part]): Column => [`explained_${titled(part)}_s`, (result, results) => explain(result, results)?.[part]],
  ),
  ['explained_share', (result, results) => explanationOf(result, results)?.share],
];

/** Only what one of our engines counted. */
const counted = ({ statistics }: Result, value: Cell): Cell => (statistics === undefined ? undefined : value);

export function csvReport({ results }: Comparison): string {
  const values = (result: Result): Cell[] => columns.map(([, value]) => value(result, results));
  const lines = [columns.map(([title]) => title), ...results.map(values)];
  return lines.map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}
