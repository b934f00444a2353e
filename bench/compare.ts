/**
 * Compares Stele's engines with qemu-ppc and with native code, on the benchmarks among the guest
 * programs: whole processes, processor time, interleaved rounds, medians. `npm run bench -- --help`.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Benchmark, benchmarks, type Contender, Contenders, engines } from './lib/contenders.ts';
import { type Measurement, measure } from './lib/measure.ts';
import { geometricMean, median } from './lib/statistics.ts';
import { formatNumber, formatTable } from './lib/table.ts';

const help = `Usage: npm run bench -- [options]

  --rounds N          rounds of every measurement (default 3); the median counts
  --benchmarks A,B    only these (default: all)
  --engines A,B       of ${engines.join(', ')} (default: all)
  --json FILE         write all samples and the summary to a file
  --help              print this
`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    benchmarks: { type: 'string', default: benchmarks.map(({ name }) => name).join(',') },
    engines: { type: 'string', default: engines.join(',') },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

/** The samples of one contender on one benchmark at one scale. */
interface Series {
  readonly benchmark: string;
  readonly contender: Contender;
  readonly scale: number;
  readonly cpu: number[];
  readonly wall: number[];
  output: string;
}

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
    if (other.scale === first.scale && other.output !== first.output) {
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

const contenders = new Contenders();
const isWanted = (contender: Contender): boolean =>
  contenders.available.includes(contender) &&
  (contender === 'native' || contender === 'qemu' || (wanted as Contender[]).includes(contender));
const large = (['native', 'qemu', 'blocks', 'regions', 'wasm', 'auto'] as const).filter(isWanted);
const small = wanted.includes('interpreted') ? (['qemu', 'interpreted', 'blocks'] as const).filter(isWanted) : [];
const all: Series[] = [];
const instructions: Record<string, number> = {};

function seriesOf(name: string, contender: Contender, scale: number): Series | undefined {
  return all.find((series) => series.benchmark === name && series.contender === contender && series.scale === scale);
}

/** Median processor time in seconds; undefined where it was not measured. */
function cpuOf(name: string, contender: Contender, scale: number): number | undefined {
  const series = seriesOf(name, contender, scale);
  return series === undefined ? undefined : median(series.cpu);
}

function ratio(numerator: number | undefined, denominator: number | undefined): number | undefined {
  return numerator === undefined || denominator === undefined ? undefined : numerator / denominator;
}

/** Ratios of one contender to another over all chosen benchmarks, with the benchmarks' names. */
function ratios(contender: Contender, base: Contender, scale: 'scale' | 'small' = 'scale'): [string, number][] {
  return selected.flatMap((benchmark) => {
    const value = ratio(
      cpuOf(benchmark.name, contender, benchmark[scale]),
      cpuOf(benchmark.name, base, benchmark[scale]),
    );
    return value === undefined ? [] : [[benchmark.name, value] as [string, number]];
  });
}

const selected = benchmarks.filter(({ name }) => names.includes(name));
for (const benchmark of selected) {
  for (const contender of large) {
    all.push({ benchmark: benchmark.name, contender, scale: benchmark.scale, cpu: [], wall: [], output: '' });
  }
  for (const contender of small) {
    all.push({ benchmark: benchmark.name, contender, scale: benchmark.small, cpu: [], wall: [], output: '' });
  }
}

try {
  for (let round = 1; round <= rounds; round++) {
    for (const { name } of selected) {
      const group = all.filter(({ benchmark }) => benchmark === name);
      for (const scale of new Set(group.map((series) => series.scale))) {
        const same = group.filter((series) => series.scale === scale);
        await measureRound(contenders, same, `round ${round} of ${rounds}`);
      }
    }
  }
  if (wanted.includes('interpreted')) {
    for (const benchmark of selected) instructions[benchmark.name] = await countInstructions(contenders, benchmark);
  }
  progress('');
  report();
} finally {
  contenders.dispose();
}

function report(): void {
  const engineColumns = large.filter((contender) => contender !== 'native' && contender !== 'qemu');
  const rows = selected.map(({ name, scale }) => [
    name,
    ...large.map((contender) => formatNumber(cpuOf(name, contender, scale), 3)),
    ...(['qemu', 'native'] as const)
      .filter(isWanted)
      .flatMap((base) =>
        engineColumns.map((contender) => formatNumber(ratio(cpuOf(name, contender, scale), cpuOf(name, base, scale)))),
      ),
  ]);
  const bases = (['qemu', 'native'] as const).filter(isWanted);
  const summary = (title: string, choose: (values: [string, number][]) => number): string[] => [
    title,
    ...large.map(() => ''),
    ...bases.flatMap((base) =>
      engineColumns.map((contender) => {
        const list = ratios(contender, base);
        return list.length > 0 ? formatNumber(choose(list)) : '-';
      }),
    ),
  ];
  rows.push(summary('geometric mean', (list) => geometricMean(list.map(([, value]) => value))));
  rows.push(summary('worst', (list) => Math.max(...list.map(([, value]) => value))));
  console.log(`Processor time in seconds, medians of ${rounds} rounds; ratios: lower is faster`);
  for (const [what, version] of Object.entries(contenders.versions)) console.log(`  ${what}: ${version}`);
  console.log();
  console.log(
    formatTable(
      ['benchmark', ...large, ...bases.flatMap((base) => engineColumns.map((contender) => `${contender}/${base}`))],
      rows,
    ),
  );
  if (bases.includes('qemu') && bases.includes('native')) {
    console.log(
      `\nqemu/native: ${formatNumber(geometricMean(ratios('qemu', 'native').map(([, value]) => value)))} in geometric mean`,
    );
  }
  if (small.includes('interpreted')) reportInterpreter();
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

/** The interpreter at its own, smaller scale: start-up weighs more there, for all alike. */
function reportInterpreter(): void {
  const rows = selected.map(({ name, small: scale }) => {
    const seconds = cpuOf(name, 'interpreted', scale);
    return [
      name,
      `${scale}`,
      ...small.map((contender) => formatNumber(cpuOf(name, contender, scale), 3)),
      formatNumber(ratio(seconds, cpuOf(name, 'qemu', scale))),
      formatNumber(ratio(seconds, cpuOf(name, 'blocks', scale))),
      formatNumber(ratio(instructions[name] / 1e6, seconds), 1),
    ];
  });
  console.log(
    '\nAt a smaller scale, the interpreter (MIPS: million guest instructions per second of processor time):\n',
  );
  console.log(formatTable(['benchmark', 'scale', ...small, 'interpreted/qemu', 'interpreted/blocks', 'MIPS'], rows));
}
