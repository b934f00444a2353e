/** What the comparison runs: how each contender's command line is made for a benchmark. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folder as guests, programs } from '../../test/guests/programs.ts';
import { steleEntry } from '../../test/programs/run-guest.ts';

export const engines = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
export type Engine = (typeof engines)[number];
export type Contender = 'native' | 'qemu' | Engine;

const guest = join(guests, 'bin/benchmarks');

export interface Benchmark {
  readonly name: string;
  /** The guest's scale argument: QEMU takes about 3 to 8 s. */
  readonly scale: number;
  /** The scale at which the interpreter runs, and QEMU and block translation next to it. */
  readonly small: number;
}

// biome-ignore format: one row per line
export const benchmarks: readonly Benchmark[] = [
  { name: 'sha256',     scale: 3,    small: 0.02 },
  { name: 'sieve',      scale: 4,    small: 0.05 },
  { name: 'queens',     scale: 4,    small: 0.03 },
  { name: 'bytecode',   scale: 1,    small: 0.02 },
  { name: 'strings',    scale: 2,    small: 0.04 },
  { name: 'lz',         scale: 3,    small: 0.03 },
  { name: 'sort',       scale: 2,    small: 0.07 },
  { name: 'hash',       scale: 3,    small: 0.05 },
  { name: 'matrix',     scale: 0.5,  small: 0.04 },
  { name: 'nbody',      scale: 0.1,  small: 0.01 },
  { name: 'mandelbrot', scale: 0.3,  small: 0.025 },
  { name: 'recursion',  scale: 3,    small: 0.03 },
  { name: 'chase',      scale: 5,    small: 0.1 },
  { name: 'mix',        scale: 2,    small: 0.02 },
];

/** Builds the command lines; owns a temporary folder with the native build. */
export class Contenders {
  /** Names of what can run here. */
  readonly available: readonly Contender[];
  /** What compiled the native build and which QEMU it is, for the report. */
  readonly versions: Readonly<Record<string, string>>;
  private readonly temporary = mkdtempSync(join(tmpdir(), 'stele-compare-'));
  private readonly entry = steleEntry();

  constructor() {
    const gcc = firstLine('gcc', ['--version']);
    const qemu = firstLine('qemu-ppc', ['--version']);
    if (gcc !== undefined) {
      const { sources } = programs().find(({ name }) => name === 'benchmarks')!;
      execFileSync('gcc', ['-O2', ...sources, '-o', join(this.temporary, 'benchmarks'), '-lm'], { cwd: guests });
    }
    this.available = [...(gcc ? ['native' as const] : []), ...(qemu ? ['qemu' as const] : []), ...engines];
    this.versions = { node: process.version, ...(gcc ? { gcc } : {}), ...(qemu ? { qemu } : {}) };
  }

  /** @param options options of `stele run`, for the engines */
  command(contender: Contender, benchmark: string, scale: number, ...options: string[]): string[] {
    const args = [benchmark, `${scale}`];
    if (contender === 'native') return [join(this.temporary, 'benchmarks'), ...args];
    if (contender === 'qemu') return ['qemu-ppc', guest, ...args];
    return [process.execPath, this.entry, 'run', '--engine', contender, ...options, guest, ...args];
  }

  dispose(): void {
    rmSync(this.temporary, { recursive: true, force: true });
  }
}

function firstLine(program: string, args: string[]): string | undefined {
  const { status, stdout } = spawnSync(program, args, { encoding: 'utf8' });
  return status === 0 ? stdout.split('\n', 1)[0] : undefined;
}
