/**
 * Short programs: whether the automatic engine costs them anything next to the engine that suits each best. Every benchmark
 * is scaled until `auto` takes a given time, then all engines run it: whole processes, wall time, interleaved rounds,
 * medians. `npm run bench:short -- --help`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/diagnostics/table.ts';
import { folder } from '../test/guests/programs.ts';
import { type Engine, engines, steleCommand } from '../test/programs/run-guest.ts';
import { type Benchmark, benchmarks } from './lib/contenders.ts';
import { measure } from './lib/measure.ts';
import { geometricMean, median } from './lib/statistics.ts';

const help = `Usage: npm run bench:short -- [options]

  --rounds N          rounds of every measurement (default 7); the median counts
  --seconds N         wall time that a whole run with auto shall take (default 0.2; a benchmark that takes longer for its
                      shortest run is run that way). Only a machine with nothing else to do finds useful scales
  --benchmarks A,B    only these (default: all)
  --scales FILE       use the scales of an earlier run's --json instead of finding them
  --json FILE         write scales and samples to a file
  --help              print this
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '0.2' },
    benchmarks: { type: 'string', default: benchmarks.map(({ name }) => name).join(',') },
    scales: { type: 'string' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const rounds = Number(values.rounds);
const target = Number(values.seconds);
const names = values.benchmarks.split(',');
const unknown = names.filter((name) => !benchmarks.some((each) => each.name === name));
if (unknown.length > 0) console.error(`--benchmarks: there is no ${unknown.join(', ')}`);
if (values.help || unknown.length > 0 || !(rounds >= 1) || !(target > 0)) {
  console.log(help);
  process.exit(values.help ? 0 : 1);
}

const guest = join(folder, 'bin/benchmarks');

/** Wall time of one run in seconds. */
async function time(engine: Engine, name: string, scale: number): Promise<number> {
  const { wall, status, stderr } = await measure([...steleCommand(engine), guest, name, `${scale}`]);
  if (status !== 0) throw new Error(`${name} ${scale}, ${engine}: exit status ${status}\n${stderr}`);
  return wall;
}

/** The least of some runs' times: what else the machine does can only add to it. */
async function least(engine: Engine, name: string, scale: number): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let run = 0; run < 5; run++) best = Math.min(best, await time(engine, name, scale));
  return best;
}

/** The scale at which `auto` takes the target time. */
async function findScale({ name, small }: Benchmark): Promise<number> {
  const [smallest, largest] = [small / 1000, small * 100];
  const empty = await least('auto', name, smallest);
  let scale = small / 10;
  for (let attempt = 0; attempt < 6; attempt++) {
    const taken = await least('auto', name, scale);
    if (Math.abs(taken - target) < 0.05 * target) break;
    // What is hot runs faster the longer the program: steps of at most 4 find the place from either side.
    const step = (target - empty) / Math.max(taken - empty, 0.001);
    scale = Math.min(largest, Math.max(smallest, scale * Math.min(4, Math.max(0.25, step))));
  }
  return Number(scale.toPrecision(3));
}

interface Row {
  readonly name: string;
  readonly scale: number;
  readonly wall: Record<Engine, number[]>;
}

/** Scales by benchmark, from a file of --json. */
function known(): Readonly<Record<string, number>> {
  if (values.scales === undefined) return {};
  const { rows } = JSON.parse(readFileSync(values.scales, 'utf8')) as { rows: Row[] };
  return Object.fromEntries(rows.map(({ name, scale }) => [name, scale]));
}

async function main(): Promise<void> {
  const scales = known();
  const rows: Row[] = [];
  for (const benchmark of benchmarks.filter(({ name }) => names.includes(name))) {
    const scale = scales[benchmark.name] ?? (await findScale(benchmark));
    const wall: Record<Engine, number[]> = { interpreted: [], blocks: [], regions: [], wasm: [], auto: [] };
    rows.push({ name: benchmark.name, scale, wall });
    process.stderr.write(`${benchmark.name} ${scale}\n`);
  }
  for (let round = 0; round < rounds; round++) {
    for (const { name, scale, wall } of rows) {
      for (const engine of engines) wall[engine].push(await time(engine, name, scale));
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify({ rounds, target, rows }));
  report(rows);
}

function report(rows: readonly Row[]): void {
  const single = engines.filter((engine) => engine !== 'auto');
  const ratios: number[] = [];
  const lines = rows.map(({ name, scale, wall }) => {
    const best = single.reduce((one, other) => (median(wall[other]) < median(wall[one]) ? other : one));
    const ratio = median(wall.auto) / median(wall[best]);
    ratios.push(ratio);
    return [name, `${scale}`, ...engines.map((engine) => median(wall[engine]).toFixed(3)), best, ratio.toFixed(2)];
  });
  const blank = ['', ...engines.map(() => ''), ''];
  lines.push(['geometric mean', ...blank, geometricMean(ratios).toFixed(2)]);
  lines.push(['worst', ...blank, Math.max(...ratios).toFixed(2)]);
  console.log(`Wall time in seconds, medians of ${rounds} rounds, Node ${process.version}\n`);
  console.log(formatTable(['benchmark', 'scale', ...engines, 'best single', 'auto/best'], lines));
}

await main();
