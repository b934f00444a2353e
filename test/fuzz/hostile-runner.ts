/**
 * A process that runs hostile programs: when one of them ends it, nothing else is lost. Standard output gets a line before
 * each run, `SEED WAY`, so that the last one tells who did it, then what was found.
 *
 * Usage: node hostile-runner.ts SEED COUNT SECONDS
 */
import { writeSync } from 'node:fs';
import { type HostileSummary, summaryMark } from './hostile.ts';
import { HostileGuests, type HostileOutcome, type Way, ways } from './hostile-guest.ts';
import { createHostileProgram, type HostileProgram } from './hostile-programs.ts';

const [first, count, seconds] = process.argv.slice(2).map(Number);
const end = performance.now() + 1000 * seconds;
const guests = new HostileGuests();
const ends: Record<string, number> = {};
const differences: string[] = [];
const summary: HostileSummary = { programs: 0, translated: 0, handled: 0, ends, differences };

/** The measure, the tiers that users get, and one of the others in turn. */
function waysOf(seed: number): Way[] {
  const others: readonly (readonly Way[])[] = [
    ['blocks', 'auto-checked'],
    ['regions', 'wasm-checked'],
  ];
  return [ways[0], 'wasm', 'auto', ...others[seed & 1]];
}

/** What a run shows that the interpreter's does not, or should not be at all. */
function compare(program: HostileProgram, way: Way, expected: HostileOutcome, outcome: HostileOutcome): string[] {
  const where = `seed ${program.seed}, ${way}`;
  const found = outcome.faults.map((fault) => `${where}: ${fault}`);
  if (!program.determined || expected.cut) return found;
  if (outcome.end !== expected.end) return [...found, `${where}: ${outcome.end}, interpreted: ${expected.end}`];
  for (const what of new Set([...Object.keys(expected.seen), ...Object.keys(outcome.seen)])) {
    const [one, other] = [expected.seen[what] ?? 'nothing', outcome.seen[what] ?? 'nothing'];
    if (one !== other) found.push(`${where}: ${what}: ${firstDifference(other, one)}`);
  }
  return found;
}

function firstDifference(found: string, expected: string): string {
  const [a, b] = [found.split(' '), expected.split(' ')];
  const at = a.findIndex((part, i) => part !== b[i]);
  return `${a[at]}, interpreted: ${b[at]}`;
}

for (let seed = first; seed < first + count && performance.now() < end; seed++) {
  const program = createHostileProgram(seed);
  let expected: HostileOutcome | undefined;
  let translated = false;
  for (const way of waysOf(seed)) {
    writeSync(1, `${seed} ${way}\n`);
    const outcome = await guests.run(program, way, expected?.cut === false);
    expected ??= outcome;
    translated ||= outcome.translations > 0;
    differences.push(...compare(program, way, expected, outcome));
  }
  const kind = expected!.end.split(' ', 1)[0];
  ends[kind] = (ends[kind] ?? 0) + 1;
  summary.programs++;
  if (translated) summary.translated++;
  if (expected!.handled > 0) summary.handled++;
}
guests.close();
writeSync(1, `${summaryMark}${JSON.stringify(summary)}\n`);
process.exit(0);
