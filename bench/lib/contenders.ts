/** What the comparison runs: how each contender is built, and its command line for a benchmark. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { folder as guests, programs } from '../../test/guests/programs.ts';
import { steleEntry } from '../../test/programs/run-guest.ts';

export const engines = ['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const;
export type Engine = (typeof engines)[number];

/** What engines are compared with: `scalar` is native code without SIMD, `clang-wasm` the sources as WebAssembly. */
export const references = ['native', 'scalar', 'clang-wasm', 'qemu'] as const;
export type Reference = (typeof references)[number];
export type Contender = Reference | Engine;

export interface Benchmark {
  readonly name: string;
  /** The guest's scale argument: the engine `auto` takes about 2 s or more, QEMU 3 to 28 s. */
  readonly scale: number;
  /** The scale at which the interpreter runs, and QEMU and block translation next to it. */
  readonly small: number;
}

// biome-ignore format: one row per line
export const benchmarks: readonly Benchmark[] = [
  { name: 'sha256',     scale: 3,    small: 0.02 },
  { name: 'sieve',      scale: 4,    small: 0.05 },
  { name: 'queens',     scale: 4,    small: 0.03 },
  { name: 'bytecode',   scale: 1.5,  small: 0.02 },
  { name: 'strings',    scale: 2,    small: 0.04 },
  { name: 'lz',         scale: 3,    small: 0.03 },
  { name: 'sort',       scale: 2,    small: 0.07 },
  { name: 'hash',       scale: 3,    small: 0.05 },
  { name: 'matrix',     scale: 1.5,  small: 0.04 },
  { name: 'nbody',      scale: 0.2,  small: 0.01 },
  { name: 'mandelbrot', scale: 1.2,  small: 0.025 },
  { name: 'recursion',  scale: 3,    small: 0.03 },
  { name: 'chase',      scale: 5,    small: 0.1 },
  { name: 'mix',        scale: 2,    small: 0.02 },
];

const guest = join(guests, 'bin/benchmarks');
const { sources } = programs().find(({ name }) => name === 'benchmarks')!;

/** A reference: made once, and run by its command with a benchmark's name and scale behind it. */
interface Recipe {
  /** Commands that make it, run in the folder of the guests' sources. */
  readonly builds: readonly (readonly string[])[];
  readonly command: readonly string[];
  /** The program whose version the report tells. */
  readonly versionOf: string;
  /** What provides it, as Debian names it. */
  readonly packages: string;
}

/** @param folder where what is built goes */
function recipesIn(folder: string): Record<Reference, Recipe> {
  const file = (name: string): string => join(folder, name);
  const gcc = (name: string, ...flags: string[]): Recipe => ({
    builds: [['gcc', '-O2', ...flags, ...sources, '-o', file(name), '-lm']],
    command: [file(name)],
    versionOf: 'gcc',
    packages: 'gcc libc6-dev',
  });
  const clang = ['clang', '--target=wasm32-wasi', '-O2', '-Wno-unknown-attributes'];
  // The attribute that keeps its recursion from becoming loops is gcc's own.
  const recursion = sources.filter((source) => source.endsWith('/recursion.c'));
  const others = sources.filter((source) => !recursion.includes(source));
  return {
    native: gcc('native'),
    scalar: gcc('scalar', '-fno-tree-vectorize'),
    'clang-wasm': {
      builds: [
        [...clang, '-fno-optimize-sibling-calls', '-c', ...recursion, '-o', file('recursion.o')],
        [...clang, ...others, file('recursion.o'), '-o', file('benchmarks.wasm'), '-lm'],
      ],
      command: [
        process.execPath,
        '--no-warnings',
        join(import.meta.dirname, 'wasi-runner.mjs'),
        file('benchmarks.wasm'),
      ],
      versionOf: 'clang',
      packages: 'clang lld wasi-libc libclang-rt-dev-wasm32',
    },
    qemu: { builds: [], command: ['qemu-ppc', guest], versionOf: 'qemu-ppc', packages: 'qemu-user' },
  };
}

/** Builds the references and the command lines; owns a temporary folder with what it built. */
export class Contenders {
  /** What can run here. */
  readonly available: readonly Contender[];
  /** What compiled the references and which QEMU it is, for the report. */
  readonly versions: Readonly<Record<string, string>>;
  /** For each reference that cannot run here, a line that says why and what to install. */
  readonly missing: readonly string[];
  private readonly temporary = mkdtempSync(join(tmpdir(), 'stele-compare-'));
  private readonly recipes = recipesIn(this.temporary);
  private readonly entry = steleEntry();

  constructor() {
    const available: Contender[] = [];
    const versions: Record<string, string> = { node: process.version };
    const missing: string[] = [];
    for (const name of references) {
      const { builds, versionOf, packages } = this.recipes[name];
      const version = execute([versionOf, '--version']);
      const problem = version.problem ?? firstProblem(builds);
      if (problem === undefined) {
        available.push(name);
        versions[versionOf] = version.output.split('\n', 1)[0];
      } else {
        missing.push(`${name} is left out: ${problem} (on Debian: apt-get install ${packages})`);
      }
    }
    this.available = [...available, ...engines];
    this.versions = versions;
    this.missing = missing;
  }

  /** @param options options of `stele run`, for the engines */
  command(contender: Contender, benchmark: string, scale: number, ...options: string[]): string[] {
    const args = [benchmark, `${scale}`];
    if (isReference(contender)) return [...this.recipes[contender].command, ...args];
    return [process.execPath, this.entry, 'run', '--no-cache', '--engine', contender, ...options, guest, ...args];
  }

  dispose(): void {
    rmSync(this.temporary, { recursive: true, force: true });
  }
}

export function isReference(contender: Contender): contender is Reference {
  return (references as readonly Contender[]).includes(contender);
}

/** Runs commands until one fails. @returns what was wrong with it */
function firstProblem(commands: readonly (readonly string[])[]): string | undefined {
  for (const command of commands) {
    const { problem } = execute(command);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** Runs a command to its end. @returns what it printed, and what was wrong where it failed */
function execute(command: readonly string[]): { output: string; problem?: string } {
  const [program, ...args] = command;
  const { status, error, stdout, stderr } = spawnSync(program, args, { cwd: guests, encoding: 'utf8' });
  if (error !== undefined) return { output: '', problem: `${program} does not run (${error.message})` };
  const lines = stderr.split('\n');
  const said = lines.find((line) => line.includes('error')) ?? lines[0];
  return status === 0 ? { output: stdout } : { output: stdout, problem: `${program}: ${said}` };
}
