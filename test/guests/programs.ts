/** The guest programs: their sources, how they are built, and what the manifest records of each build. */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, extname, join } from 'node:path';

/** What programs are built for. */
export const guests = ['powerpc', 'i386', 'x86-64'] as const;
export type Guest = (typeof guests)[number];

/** A program to build: paths are relative to this folder. */
export interface Program {
  /** Programs for x86 have the guest in front: `i386/bare`. */
  readonly name: string;
  readonly guest: Guest;
  readonly sources: readonly string[];
  /** Files that sources include. */
  readonly headers: readonly string[];
  readonly flags: readonly string[];
  readonly libraries: readonly string[];
}

/** What the manifest says of a built program. */
export interface Build {
  /** SHA-256 over the names and contents of the sources and headers, the flags and the libraries. */
  readonly source: string;
  readonly flags: string;
  readonly compiler: string;
  /** SHA-256 of the ELF file. */
  readonly binary: string;
}

export type Manifest = Readonly<Record<string, Build>>;

export const folder = import.meta.dirname;
export const manifestPath = join(folder, 'manifest.json');

/** The compiler for each guest; there may be others that do. */
export const compilers: Readonly<Record<Guest, string>> = {
  powerpc: 'powerpc-linux-gnu-gcc',
  i386: 'i686-linux-gnu-gcc',
  'x86-64': 'x86_64-linux-gnu-gcc',
};
export const compiler = compilers.powerpc;
/** The two guests for which the same sources are built. */
export const x86Guests = ['i386', 'x86-64'] as const;

const bare = [
  '-nostdlib',
  '-ffreestanding',
  '-fno-tree-loop-distribute-patterns',
  '-static',
  '-O2',
  '-Wl,--build-id=none',
  '-Wl,-z,max-page-size=4096',
];
/** What keeps x86 files small, whatever a compiler does by default. */
const smallX86 = [
  '-fno-pic',
  '-no-pie',
  '-fno-stack-protector',
  '-fcf-protection=none',
  '-fno-asynchronous-unwind-tables',
  '-Wl,-z,noseparate-code',
];
/** Without a C library and without vector registers. */
const bareX86 = [...bare, ...smallX86, '-mgeneral-regs-only', '-s'];
/** For debuggers. */
const debugged = [...bare, '-O0', '-g', '-fno-pic', '-no-pie', '-fno-stack-protector', '-w'];
const hosted = ['-O2', '-static', '-Wall', '-ffunction-sections', '-Wl,--gc-sections', '-Wl,--build-id=none'];

/** The checks make mistakes on purpose, of which the compiler would warn. */
export const lenient = ['-D_GNU_SOURCE', '-w'];

/** Programs that users are shown, in the folder `examples`; true: with the C library. */
const examples: Readonly<Record<string, boolean>> = {
  donut: false,
  life: false,
  mandelbrot: false,
  probes: false,
  trouble: false,
  forth: true,
};
/**
 * Each of them is built for every guest, so that the same program can be compared: `mandelbrot` for PowerPC,
 * `mandelbrot.x86-64` beside it. All compute the same: none fuses multiplications with additions, none has x87's precision.
 */
export const exampleName = (name: string, guest: Guest): string => (guest === 'powerpc' ? name : `${name}.${guest}`);
const exampleFlags: Readonly<Record<Guest, readonly string[]>> = {
  powerpc: ['-ffp-contract=off', '-s'],
  i386: ['-march=i686', '-msse2', '-mfpmath=sse', ...smallX86, '-s'],
  'x86-64': [...smallX86, '-s'],
};

/** The path of a program's ELF file. */
export function binaryPath(name: string): string {
  const isExample = Object.hasOwn(examples, name.replace(/\.(i386|x86-64)$/, ''));
  return isExample ? join(folder, '../../examples', name) : join(folder, 'bin', name);
}

function files(under: string, ...extensions: string[]): string[] {
  return readdirSync(join(folder, under))
    .filter((name) => extensions.includes(extname(name)))
    .sort()
    .map((name) => `${under}/${name}`);
}

/** Every program that `npm run guests` builds. */
export function programs(): Program[] {
  const freestanding = files('src/freestanding', '.S', '.c').map((source) => ({
    name: basename(source, extname(source)),
    guest: 'powerpc' as const,
    sources: [source],
    headers: files('src/freestanding', '.h'),
    flags: extname(source) === '.c' ? [...bare, '-g'] : bare,
    libraries: [],
  }));
  const multicall = [
    { name: 'benchmarks', flags: hosted },
    { name: 'checks', flags: [...hosted, ...lenient, '-s'] },
  ].map(({ name, flags }) => ({
    name,
    guest: 'powerpc' as const,
    sources: files(`src/${name}`, '.c'),
    headers: files(`src/${name}`, '.h'),
    flags,
    libraries: ['-lm'],
  }));
  const shown = guests.flatMap((guest) =>
    Object.entries(examples).map(([name, hasLibrary]) => ({
      name: exampleName(name, guest),
      guest,
      sources: [`../../examples/src/${name}.c`],
      headers: hasLibrary ? [] : ['../../examples/src/bare.h'],
      flags: [...(hasLibrary ? hosted : bare), ...exampleFlags[guest]],
      libraries: [],
    })),
  );
  const x86 = x86Guests.map((guest) => ({
    name: `${guest}/bare`,
    guest,
    sources: ['src/x86/bare.c'],
    headers: [],
    flags: bareX86,
    libraries: [],
  }));
  const debuggable = guests.map((guest) => ({
    name: guest === 'powerpc' ? 'debugged' : `${guest}/debugged`,
    guest,
    sources: ['src/debugged/debugged.c'],
    headers: [],
    flags: guest === 'powerpc' ? debugged : [...debugged, '-fcf-protection=none', '-fasynchronous-unwind-tables'],
    libraries: [],
  }));
  return [...freestanding, ...multicall, ...shown, ...x86, ...debuggable];
}

/** The hash by which the manifest knows a program's source. */
export function sourceHash(program: Program): string {
  const hash = createHash('sha256');
  for (const path of [...program.sources, ...program.headers]) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(folder, path)))
      .update('\0');
  }
  return hash.update([...program.flags, ...program.libraries].join(' ')).digest('hex');
}

/** The hash of an ELF file. */
export function binaryHash(name: string): string {
  return createHash('sha256')
    .update(readFileSync(binaryPath(name)))
    .digest('hex');
}

export function readManifest(): Manifest {
  return JSON.parse(readFileSync(manifestPath, 'utf8'));
}
