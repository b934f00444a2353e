/** Runs of the guest programs whose output, standard error and exit status the tests know. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { folder, x86Guests } from './programs.ts';

/** One run of a guest program, in an empty current directory. */
export interface Case {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

/** What a run must give. */
export interface Expectation {
  /** Exit status, or 128 + the number of the signal that it died of, as a shell shows it. */
  readonly status: number;
  /** Standard error; absent when empty or when the run dies of a signal. */
  readonly stderr?: string;
  /** SHA-256 of standard output, where that is too long for a file of its own. */
  readonly digest?: string;
  /** Why this expectation is not what QEMU gives: recording leaves it alone, and QEMU is not compared. */
  readonly correction?: string;
}

export type Expectations = Readonly<Record<string, Expectation>>;

export const expectationsPath = join(folder, 'expected', 'expected.json');

/** The file with a case's standard output. */
export function outputPath(name: string): string {
  return join(folder, 'expected', `${name}.txt`);
}

export function readExpectations(): Expectations {
  return JSON.parse(readFileSync(expectationsPath, 'utf8'));
}

const freestanding = [
  'hello',
  'exit-code',
  'wild-jump',
  'null-jump',
  'illegal',
  'privileged',
  'null-load',
  'null-store',
  'store-to-text',
  'execute-data',
  'trap',
  'stack-overflow',
  'kill-self',
  'unknown-system-call',
  'bad-pointer',
  'self-modifying',
  'lines',
];

const checks = [
  'quick_exit',
  'at_exit',
  'abort',
  'identity',
  'limits',
  'varargs',
  'printf',
  'printf_float',
  'long_double',
  'streams',
  'large_output',
  'buffering',
  'wide',
  'heap',
  'mapping',
  'mapped_files',
  'code_writing',
  'string',
  'string_alignment',
  'ctype',
  'conversion',
  'sorting',
  'integers',
  'bit_fields',
  'floats',
  'rounding',
  'exceptions',
  'math',
  'jumps',
  'signals',
  'signal_waiting',
  'timers',
  'alternate_stack',
  'signal_context',
  'faults',
  'fault_fixing',
  'traps',
  'files',
  'status',
  'directories',
  'descriptors',
  'bad_pointers',
  'clocks',
  'calendar',
  'waiting',
];

/** Scales at which the benchmarks run as tests: a few million guest instructions each. */
// biome-ignore format: one row per line
const benchmarks: readonly (readonly [name: string, scale: number])[] = [
  ['sha256', 0.005],
  ['sieve', 0.01],
  ['queens', 0.01],
  ['bytecode', 0.01],
  ['strings', 0.02],
  ['lz', 0.01],
  ['sort', 0.01],
  ['hash', 0.02],
  ['matrix', 0.01],
  ['nbody', 0.002],
  ['mandelbrot', 0.01],
  ['recursion', 0.01],
  ['chase', 0.01],
  ['mix', 0.005],
];

function check(name: string, extra: Partial<Case> = {}): Case {
  return { name, program: 'checks', args: [name], ...extra };
}

/** The signals whose default action the tests see: numbers are those of PowerPC Linux. */
const fatalSignals = [1, 2, 3, 6, 8, 9, 10, 13, 14, 15, 24];
const harmlessSignals = [17, 18, 23, 28];

/** What the program src/x86/bare.c does, on both guests and on one. */
// biome-ignore format: by kind
const bareX86 = [
  'hello', 'arguments', 'fibonacci', 'rewrite', 'segments', 'old-calls', 'unknown-call', 'bad-pointer', 'divide', 'illegal',
  'breakpoint', 'privileged', 'interrupt', 'null-load', 'null-store', 'null-call', 'high-load', 'execute-data',
  'store-to-text', 'stack-overflow',
];
const bareOf: Readonly<Record<(typeof x86Guests)[number], readonly string[]>> = {
  i386: [...bareX86, 'overflow', 'bound'],
  'x86-64': [...bareX86, 'wide-load', 'wide-jump', 'not-canonical'],
};

/** Cases of programs for x86, whose expectations are what the processor gives. */
export const x86Cases: readonly Case[] = x86Guests.flatMap((guest) =>
  bareOf[guest].map((what) => ({ name: `${guest}-${what}`, program: `${guest}/bare`, args: [what, 'x y'] })),
);

export const cases: readonly Case[] = [
  ...freestanding.map((name) => ({ name, program: name, args: [] })),
  { name: 'arguments-from-stack', program: 'arguments', args: ['one', '', 'two words', 'd\u00e9j\u00e0 vu'] },
  ...checks.map((name) => check(name)),
  check('arguments', { args: ['arguments', 'one', '', 'two words', '--flag', '-', '$HOME', 'd\u00e9j\u00e0 vu'] }),
  check('environment', { environment: { GREETING: 'good day' } }),
  check('getopt', { args: ['getopt', '-v', '-ofile', '--level=3', 'operand', '--output', 'other', '--', '-x'] }),
  check('scanf', { stdin: 'alpha beta\ngamma  delta' }),
  check('copy_input', { stdin: 'some text\n'.repeat(20000) }),
  ...[...fatalSignals, ...harmlessSignals].map((number) =>
    check(`default_action-${number}`, { args: ['default_action', `${number}`] }),
  ),
  { name: 'example-donut', program: 'donut', args: ['3', '0'] },
  { name: 'example-life', program: 'life', args: ['20', '1'] },
  { name: 'example-mandelbrot', program: 'mandelbrot', args: ['60', '20'] },
  { name: 'example-mandelbrot-deep', program: 'mandelbrot', args: ['40', '12', '5000'] },
  ...['primes', 'queens', 'mandelbrot'].map((name) => ({
    name: `example-forth-${name}`,
    program: 'forth',
    args: [join(folder, `../../examples/forth-programs/${name}.fs`)],
  })),
  {
    name: 'example-forth-typed',
    program: 'forth',
    args: [],
    stdin: '6 7 * .\n: squares 10 1 do i i * . loop ;\nsquares cr\n1 0 /\n',
  },
  ...benchmarks.map(([name, scale]) => ({
    name: `benchmark-${name}`,
    program: 'benchmarks',
    args: [name, `${scale}`],
  })),
];

/** The checks that tell translations apart; the others are about the C library and the personality. */
const computing = [
  'varargs',
  'printf_float',
  'long_double',
  'large_output',
  'code_writing',
  'string',
  'string_alignment',
  'conversion',
  'sorting',
  'integers',
  'bit_fields',
  'floats',
  'rounding',
  'exceptions',
  'math',
  'jumps',
  'signals',
  'signal_context',
  'alternate_stack',
  'faults',
  'fault_fixing',
  'traps',
];

/** For engines that translate everything at once, which for a run of a tenth of a second takes several. */
export const computingCases = cases.filter(({ program, name }) => program !== 'checks' || computing.includes(name));
