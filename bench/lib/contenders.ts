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

/** ISAs that the benchmarks are compared on. */
export const guestNames = ['powerpc', 'i386', 'x86-64'] as const;
export type GuestName = (typeof guestNames)[number];

/** How the guest program of an ISA comes to be, and what else runs it. */
interface Guest {
  /** Its compiler; undefined: the program is part of the repository. */
  readonly compiler?: string;
  readonly packages: string;
  readonly qemu: string;
  /** Whether the processor runs the very file: then that is the native contender. */
  readonly isNative: boolean;
}

const runsX86 = process.arch === 'x64';
const guestsByName: Readonly<Record<GuestName, Guest>> = {
  powerpc: { packages: '', qemu: 'qemu-ppc', isNative: false },
  i386: {
    compiler: 'i686-linux-gnu-gcc',
    packages: 'gcc-i686-linux-gnu libc6-dev-i386-cross',
    qemu: 'qemu-i386',
    isNative: runsX86,
  },
  'x86-64': {
    compiler: runsX86 ? 'gcc' : 'x86_64-linux-gnu-gcc',
    packages: runsX86 ? 'gcc libc6-dev' : 'gcc-x86-64-linux-gnu libc6-dev-amd64-cross',
    qemu: 'qemu-x86_64',
    isNative: runsX86,
  },
};

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

/** Compiles the guest program statically. */
const build = (compiler: string, output: string, ...flags: string[]): string[] => {
  return [compiler, '-O2', ...flags, ...sources, '-o', output, '-lm'];
};

/** @param folder where what is built goes */
function recipesIn(
  folder: string,
  { compiler, packages, qemu, isNative }: Guest,
  guest: string,
): Record<Reference, Recipe> {
  const file = (name: string): string => join(folder, name);
  // Where the processor runs the guest's files, native code is just these.
  const isGuest = isNative && compiler !== undefined;
  const gcc = (name: string, ...flags: string[]): Recipe => ({
    builds: [isGuest ? build(compiler, file(name), '-static', ...flags) : build('gcc', file(name), ...flags)],
    command: [file(name)],
    versionOf: isGuest ? compiler : 'gcc',
    packages: isGuest ? packages : 'gcc libc6-dev',
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
    qemu: { builds: [], command: [qemu, guest], versionOf: qemu, packages: 'qemu-user' },
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
  private readonly recipes: Readonly<Record<Reference, Recipe>>;
  private readonly entry = steleEntry();
  private readonly guest: string;

  /** @throws Error when the guest program must be built and cannot be */
  constructor(name: GuestName = 'powerpc') {
    const guest = guestsByName[name];
    const { compiler, packages } = guest;
    this.guest = compiler === undefined ? join(guests, 'bin/benchmarks') : join(this.temporary, `benchmarks-${name}`);
    if (compiler !== undefined) {
      const { problem } = execute(build(compiler, this.guest, '-static'));
      if (problem !== undefined) {
        this.dispose();
        throw new Error(
          `the benchmarks cannot be built for ${name}: ${problem} (on Debian: apt-get install ${packages})`,
        );
      }
    }
    this.recipes = recipesIn(this.temporary, guest, this.guest);
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
    return [process.execPath, this.entry, 'run', '--no-cache', '--engine', contender, ...options, this.guest, ...args];
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
