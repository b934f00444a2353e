/**
 * Measures what keeping translations from run to run saves: each program without the cache, on an empty one, and on what
 * earlier runs left there. Whole processes, interleaved rounds, medians. `npm run bench:cache -- --help`.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/diagnostics/table.ts';
import { steleEntry } from '../test/programs/run-guest.ts';
import { type Measurement, measure } from './lib/measure.ts';
import { median } from './lib/statistics.ts';

const help = `Usage: npm run bench:cache -- [options] [--] [PROGRAM [ARGUMENTS…]]

  --rounds N   rounds of every measurement (default 11); the median counts
  --help       print this

Measures some of the example and guest programs, or PROGRAM alone.
`;

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '11' }, help: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const root = join(import.meta.dirname, '..');
const forth = (program: string): string[] => [
  join(root, 'examples/forth'),
  join(root, 'examples/forth-programs', program),
];
const benchmark = (name: string, scale: string): string[] => [join(root, 'test/guests/bin/benchmarks'), name, scale];

const programs: readonly { readonly name: string; readonly command: readonly string[] }[] =
  positionals.length > 0
    ? [{ name: basename(positionals[0]), command: positionals }]
    : [
        // The C library's start and a printf: too short for anything to be translated or kept.
        { name: 'hello with the C library', command: [join(root, 'test/guests/bin/benchmarks')] },
        { name: 'forth queens.fs', command: forth('queens.fs') },
        { name: 'forth primes.fs', command: forth('primes.fs') },
        { name: 'forth mandelbrot.fs', command: forth('mandelbrot.fs') },
        { name: 'strings', command: benchmark('strings', '0.1') },
        { name: 'lz', command: benchmark('lz', '0.1') },
        { name: 'sort', command: benchmark('sort', '0.1') },
      ];

const folder = mkdtempSync(join(tmpdir(), 'stele-bench-cache-'));
const empty = join(folder, 'empty');
const filled = join(folder, 'filled');
/** What earlier runs left: each measurement begins with a copy of it. */
const prepared = join(folder, 'prepared');

const ways = ['without', 'first run', 'later run'] as const;
type Way = (typeof ways)[number];

function options(way: Way): string[] {
  if (way === 'without') return ['--no-cache'];
  return ['--cache-dir', way === 'first run' ? empty : filled];
}

function stele(...args: readonly string[]): Promise<Measurement> {
  return measure([process.execPath, steleEntry(), 'run', ...args], 300);
}

async function measureProgram(command: readonly string[], rounds: number) {
  for (const directory of [empty, filled, prepared]) rmSync(directory, { recursive: true, force: true });
  mkdirSync(prepared, { mode: 0o700 });
  const { stdout } = await stele('--no-cache', ...command);
  // The second run may still find something to translate.
  for (let run = 0; run < 3; run++) await stele('--cache-dir', prepared, ...command);
  const samples = { without: [] as Measurement[], 'first run': [] as Measurement[], 'later run': [] as Measurement[] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ways) {
      rmSync(empty, { recursive: true, force: true });
      rmSync(filled, { recursive: true, force: true });
      cpSync(prepared, filled, { recursive: true });
      const measurement = await stele(...options(way), ...command);
      if (measurement.stdout !== stdout) throw new Error(`${command.join(' ')}: ${way}: another output`);
      samples[way].push(measurement);
    }
  }
  return samples;
}

async function main(): Promise<void> {
  const rounds = Number(values.rounds);
  const rows: string[][] = [];
  for (const { name, command } of programs) {
    const samples = await measureProgram(command, rounds);
    const wall = (way: Way): number => median(samples[way].map((each) => each.wall));
    const cpu = (way: Way): number => median(samples[way].map((each) => each.cpu));
    rows.push([
      name,
      ...ways.map((way) => `${(wall(way) * 1000).toFixed(0)} ms`),
      (wall('later run') / wall('without')).toFixed(2),
      ...ways.map((way) => `${(cpu(way) * 1000).toFixed(0)} ms`),
      (cpu('later run') / cpu('without')).toFixed(2),
    ]);
  }
  console.log(`Node ${process.version}, ${rounds} rounds, medians: wall time, then processor time\n`);
  console.log(formatTable(['', ...ways, 'later/without', ...ways, 'later/without'], rows));
}

if (values.help) process.stdout.write(help);
else await main().finally(() => rmSync(folder, { recursive: true, force: true }));
