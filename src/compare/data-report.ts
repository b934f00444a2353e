/** What a comparison found, as JSON and as comma-separated values. */
import type { Result, Spread } from './comparison.ts';
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
      isDifferent: differences.some((difference) => difference.result === result),
      statistics: orNull(result.statistics),
    })),
  );
  const baselineName = base === undefined ? null : { guest: base.entrant.label, engine: base.contender.name };
  const report = { version, machine, rounds, timeout, baseline: baselineName, results: rows, leftOut: absentees };
  return `${JSON.stringify(report, undefined, 2)}\n`;
}

const ratio = (spread: Spread | undefined, base: Spread | undefined): number | null =>
  spread === undefined || base === undefined ? null : spread.median / base.median;

/** A value as RFC 4180 has it. */
function quoted(value: string | number | undefined): string {
  const text = value === undefined ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

type Cell = string | number | undefined;

const columns: readonly (readonly [title: string, value: (result: Result) => Cell])[] = [
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
];

export function csvReport({ results }: Comparison): string {
  const lines = [columns.map(([title]) => title), ...results.map((row) => columns.map(([, value]) => value(row)))];
  return lines.map((cells) => `${cells.map(quoted).join(',')}\n`).join('');
}
