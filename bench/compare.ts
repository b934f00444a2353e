/**
 * Compares Stele's engines with QEMU user mode, with native code and with the same sources compiled straight to WebAssembly,
 * on the benchmarks among the guest programs: whole processes, processor time, interleaved rounds, medians.
 * `npm run bench -- --help`.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import {
  type Benchmark,
  benchmarks,
  type Contender,
  Contenders,
  engines,
  type GuestName,
  guestNames,
  isReference,
  references,
} from './lib/contenders.ts';
import { type Measurement, measure } from './lib/measure.ts';
import { Report, type Series } from './lib/report.ts';

const help = `Usage: npm run bench -- [options]

  --guest NAME        the guest's ISA, of ${guestNames.join(', ')} (default: powerpc); i386 and x86-64 need a compiler for them
  --rounds N          rounds of every measurement (default 3); the median counts
  --benchmarks A,B    only these (default: all)
  --engines A,B       of ${engines.join(', ')} (default: all)
  --json FILE         write all samples and the summary to a file
  --help              print this

Compared with, where installed: native (gcc -O2; of an x86 guest the very file on an x86 processor), scalar (the same
with -fno-tree-vectorize), clang-wasm (the sources compiled to WebAssembly by clang, run by Node: what translating to
WebAssembly can reach), qemu (user mode).
`;

const { values } = parseArgs({
  options: {
    guest: { type: 'string', default: 'powerpc' },
    rounds: { type: 'string', default: '3' },
    benchmarks: { type: 'string', default: benchmarks.map(({ name }) => name).join(',') },
    engines: { type: 'string', default: engines.join(',') },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

function chosen<T extends string>(option: string, names: string, known: readonly T[]): T[] {
  const list = names.split(',') as T[];
  const unknown = list.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    console.error(`--${option}: "${unknown}" is not one of ${known.join(', ')}`);
    process.exit(1);
  }
  return list;
}

function progress(text: string): void {
  process.stderr.write(process.stderr.isTTY ? `\r\x1b[K${text}` : `${text}\n`);
}

function succeeded(measurement: Measurement, what: string): Measurement {
  if (measurement.status !== 0) throw new Error(`${what}: exit status ${measurement.status}\n${measurement.stderr}`);
  return measurement;
}

/** One measurement of every series of a benchmark, in turn, so that slow drifts of the machine touch all alike. */
async function measureRound(contenders: Contenders, group: readonly Series[], label: string): Promise<void> {
  for (const series of group) {
    const what = `${series.benchmark} ${series.scale}, ${series.contender}`;
    progress(`${label}: ${what}`);
    const command = contenders.command(series.contender, series.benchmark, series.scale);
    const measurement = succeeded(await measure(command), what);
    series.cpu.push(measurement.cpu);
    series.wall.push(measurement.wall);
    series.output = measurement.stdout;
  }
  const [first, ...others] = group;
  for (const other of others) {
    if (other.output !== first.output) {
      throw new Error(
        `${first.benchmark}: ${other.contender} prints\n${other.output}${first.contender} prints\n${first.output}`,
      );
    }
  }
}

/** Guest instructions that a run executes, by the engine's own statistics. */
async function countInstructions(contenders: Contenders, benchmark: Benchmark): Promise<number> {
  progress(`counting instructions of ${benchmark.name}`);
  const command = contenders.command('interpreted', benchmark.name, benchmark.small, '--json');
  const { stderr } = succeeded(await measure(command), `${benchmark.name}, interpreted --json`);
  return JSON.parse(stderr).guestInstructions;
}

const names = chosen(
  'benchmarks',
  values.benchmarks,
  benchmarks.map(({ name }) => name),
);
const wanted = chosen('engines', values.engines, engines);
const rounds = Number(values.rounds);
if (values.help || !(rounds >= 1)) {
  console.log(help);
  process.exit(values.help ? 0 : 1);
}

const [guest] = chosen<GuestName>('guest', values.guest, guestNames);
const contenders = makeContenders();
const isWanted = (contender: Contender): boolean =>
  contenders.available.includes(contender) && (isReference(contender) || wanted.includes(contender));
const large = ([...references, 'blocks', 'regions', 'wasm', 'auto'] as const).filter(isWanted);
const small = wanted.includes('interpreted') ? (['qemu', 'interpreted', 'blocks'] as const).filter(isWanted) : [];
const selected = benchmarks.filter(({ name }) => names.includes(name));
const seriesAt = (contender: Contender, { name }: Benchmark, scale: number): Series => ({
  benchmark: name,
  contender,
  scale,
  cpu: [],
  wall: [],
  output: '',
});
const instructions: Record<string, number> = {};
const groups = selected.flatMap((benchmark) => [
  large.map((contender) => seriesAt(contender, benchmark, benchmark.scale)),
  small.map((contender) => seriesAt(contender, benchmark, benchmark.small)),
]);
const all = groups.flat();

try {
  for (let round = 1; round <= rounds; round++) {
    for (const group of groups) await measureRound(contenders, group, `round ${round} of ${rounds}`);
  }
  if (wanted.includes('interpreted')) {
    for (const benchmark of selected) instructions[benchmark.name] = await countInstructions(contenders, benchmark);
  }
  progress('');
  print();
} finally {
  contenders.dispose();
}

function makeContenders(): Contenders {
  try {
    return new Contenders(guest);
  } catch (error) {
    console.error((error as Error).message);
    process.exit(1);
  }
}

function print(): void {
  const report = new Report(selected, all);
  const how = rounds === 1 ? 'one round' : `medians of ${rounds} rounds`;
  console.log(`${guest}: processor time in seconds, ${how}; ratios: lower is faster`);
  for (const [what, version] of Object.entries(contenders.versions)) console.log(`  ${what}: ${version}`);
  for (const engine of engines.filter((name) => (large as readonly Contender[]).includes(name))) {
    console.log(`\n${report.engineTable(engine)}`);
  }
  const line = report.referenceLine();
  if (line !== '') console.log(`\nIn geometric mean: ${line}`);
  for (const missing of contenders.missing) console.log(missing);
  if (small.includes('interpreted')) {
    console.log(
      '\nAt a smaller scale, the interpreter (MIPS: million guest instructions per second of processor time):\n',
    );
    console.log(report.interpreterTable(instructions));
  }
  if (values.json !== undefined) {
    const result = {
      versions: contenders.versions,
      rounds,
      instructions,
      series: all.map(({ output, ...rest }) => rest),
    };
    writeFileSync(values.json, `${JSON.stringify(result, null, 2)}\n`);
  }
}
