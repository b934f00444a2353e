/**
 * Measures what starting costs: Node alone (`node -e 0`), and Stele with programs that do next to nothing, each as it is
 * the first time and as it is when it has run some times before. Whole processes, interleaved rounds, medians.
 * `npm run bench:startup -- --help`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { formatTable } from '../src/diagnostics/table.ts';
import { steleEntry } from '../test/programs/run-guest.ts';
import { type Measurement, measure } from './lib/measure.ts';
import { median } from './lib/statistics.ts';

const help = `Usage: npm run bench:startup -- [options] [PROGRAM…]

  --rounds N   rounds of every measurement (default 15); the median counts
  --help       print this

Measures two of the guest programs and each PROGRAM, run without arguments.
`;

const { values, positionals } = parseArgs({
  options: { rounds: { type: 'string', default: '15' }, help: { type: 'boolean', default: false } },
  allowPositionals: true,
});

const folder = mkdtempSync(join(tmpdir(), 'stele-bench-startup-'));
/** Directories for what is kept from run to run: the one is always empty, the other one lasts. */
const empty = join(folder, 'empty');
const filled = join(folder, 'filled');
/** Runs after which a program of this kind finds everything that can be kept. */
const settled = 5;

/** A command, and how to ask it for its peak memory in bytes. */
interface Contender {
  readonly name: string;
  readonly command: readonly string[];
  /** Where it keeps what later runs can use. */
  readonly directory: string;
  peakMemory(): Promise<number>;
}

const guest = (name: string): string => fileURLToPath(new URL(`../test/guests/bin/${name}`, import.meta.url));
const stele = (...args: string[]): string[] => [process.execPath, steleEntry(), 'run', ...args];

function steleContenders(name: string, program: string): Contender[] {
  return [
    ['first run', empty],
    ['later run', filled],
  ].map(([when, directory]) => ({
    name: `${name}, ${when}`,
    command: stele(program),
    directory,
    peakMemory: async () => {
      const { stderr } = await succeeded(stele('--stats', '--json', program), directory);
      return JSON.parse(stderr).peakMemory;
    },
  }));
}

const contenders: readonly Contender[] = [
  {
    name: 'node -e 0',
    command: [process.execPath, '-e', '0'],
    directory: empty,
    peakMemory: async () => {
      const tell = 'console.log(process.resourceUsage().maxRSS)';
      const { stdout } = await succeeded([process.execPath, '-e', tell], empty);
      return Number(stdout) * 1024;
    },
  },
  ...steleContenders('hello without a C library', guest('hello')),
  // Without arguments it prints the benchmarks' names with printf.
  ...steleContenders('hello with the C library', guest('benchmarks')),
  ...positionals.flatMap((program) => steleContenders(basename(program), program)),
];

async function succeeded(command: readonly string[], directory: string): Promise<Measurement> {
  // By the environment: parsing options would be measured too.
  process.env.STELE_CACHE_DIR = directory;
  rmSync(empty, { recursive: true, force: true });
  const measurement = await measure(command, 30);
  if (measurement.status !== 0) throw new Error(`${command.join(' ')}: exit status ${measurement.status}`);
  return measurement;
}

async function main(): Promise<void> {
  const rounds = Number(values.rounds);
  // First runs of each, which may have to make V8's compiled code; the last one tells the memory.
  const memory: number[] = [];
  for (const contender of contenders) {
    for (let run = 0; run < settled; run++) memory[contenders.indexOf(contender)] = await contender.peakMemory();
  }
  const samples = contenders.map(() => ({ wall: [] as number[], cpu: [] as number[] }));
  for (let round = 0; round < rounds; round++) {
    for (const [index, { command, directory }] of contenders.entries()) {
      const { wall, cpu } = await succeeded(command, directory);
      samples[index].wall.push(wall);
      samples[index].cpu.push(cpu);
    }
  }
  const base = { wall: median(samples[0].wall), cpu: median(samples[0].cpu) };
  const rows = contenders.map(({ name }, index) => {
    const wall = median(samples[index].wall);
    const cpu = median(samples[index].cpu);
    return [
      name,
      `${(wall * 1000).toFixed(0)} ms`,
      (wall / base.wall).toFixed(2),
      `${(cpu * 1000).toFixed(0)} ms`,
      (cpu / base.cpu).toFixed(2),
      `${(memory[index] / 1e6).toFixed(0)} MB`,
    ];
  });
  console.log(`Node ${process.version}, ${rounds} rounds, medians\n`);
  console.log(formatTable(['', 'wall', 'ratio', 'processor', 'ratio', 'peak memory'], rows));
}

try {
  if (values.help) process.stdout.write(help);
  else await main();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
