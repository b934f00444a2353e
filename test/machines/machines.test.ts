/** `stele machines` as users start it: many machines at once, limits, mistakes, ends. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { EngineName } from '../../src/engines/create-engine.ts';
import { createVirtualMachine } from '../../src/host/kvm.ts';
import { type SignalName, signalNumbers } from '../../src/linux/signals.ts';
import { cases, outputPath, readExpectations } from '../guests/cases.ts';

const root = join(import.meta.dirname, '..', '..');
const example = (name: string): string => join(root, 'examples', name);
const folder = mkdtempSync(join(tmpdir(), 'stele-machines-'));
/** Where koffi can be found from. */
const built = mkdtempSync(join(root, 'node_modules', '.stele-machines-'));
const launcher = join(built, 'stele.js');
const patience = 240_000;

beforeAll(() => {
  const build = [join(root, 'scripts', 'build.mjs'), built];
  expect(spawnSync(process.execPath, build, { encoding: 'utf8' }).stderr).toBe('');
});
afterAll(() => {
  for (const each of [folder, built]) rmSync(each, { recursive: true });
});

/** Whether this machine runs guests on its processor; says so where it does not. */
const hasVirtualMachines = ((): boolean => {
  const machine = createVirtualMachine();
  if (!('reason' in machine)) machine.close();
  else console.log(`left out: machines on the engine virtualized (${machine.reason})`);
  return !('reason' in machine);
})();
const hasTracing = process.platform === 'linux' && process.arch === 'x64';
if (!hasTracing) console.log('left out: machines on the engine traced (this is not Linux on x86-64)');

/** What the JSON tells of a machine. */
interface Told {
  readonly name: string;
  readonly isa: string;
  readonly engine: string;
  readonly outcome: string;
  readonly message: string;
  readonly status: number | null;
  readonly signal: string | null;
  readonly cpu: number;
  readonly peakMemory: number;
  readonly systemCalls: number;
  readonly output: number;
  readonly stdout?: string;
  readonly stderr?: string;
}

const environment = { HOME: folder, PATH: process.env.PATH ?? '' };

function stele(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [launcher, 'machines', ...args], {
    encoding: 'utf8',
    env: { ...environment, ...more },
    timeout: patience,
    maxBuffer: 1 << 26,
  });
  return { status, stdout, stderr };
}

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Runs machines of a file that has them as JSON. */
function run(machines: Readonly<Record<string, object>>, more: Readonly<Record<string, string>> = {}) {
  const path = write('machines.json', JSON.stringify({ machines }));
  const { status, stdout, stderr } = stele(['--json', '--progress', 'none', path], more);
  expect(stderr).toBe('');
  const told = JSON.parse(stdout) as { failed: number; machines: Told[] };
  return { status, failed: told.failed, machines: told.machines };
}

const trouble = (suffix: string, ...args: string[]) => ({ program: example(`trouble${suffix}`), args });
const worked = '2488766478\n';

test('sixteen machines on all engines, three of which misbehave', { timeout: patience }, () => {
  const drawn = (engine: EngineName, suffix = '') => ({
    program: example(`mandelbrot${suffix}`),
    args: ['60', '20'],
    engine,
  });
  const forth = (program: string, engine: EngineName, file: string) => ({
    program: example(program),
    args: [example(`forth-programs/${file}.fs`)],
    engine,
  });
  const expected = (name: string): string =>
    readFileSync(join(root, 'test/guests/expected', `example-${name}.txt`), 'utf8');
  const machines: Record<string, object> = {
    'mandelbrot-interpreted': drawn('interpreted'),
    'mandelbrot-blocks': drawn('blocks'),
    'mandelbrot-regions': drawn('regions', '.i386'),
    'mandelbrot-wasm': drawn('wasm', '.x86-64'),
    'mandelbrot-virtualized': drawn(hasVirtualMachines ? 'virtualized' : 'wasm', '.x86-64'),
    'mandelbrot-traced': drawn(hasTracing ? 'traced' : 'wasm', '.i386'),
    'work-powerpc': { ...trouble('', 'work', '20'), engine: 'wasm' },
    'work-i386': { ...trouble('.i386', 'work', '20'), engine: hasTracing ? 'traced' : 'auto' },
    'work-x86-64': { ...trouble('.x86-64', 'work', '20'), engine: hasVirtualMachines ? 'virtualized' : 'auto' },
    'work-traced': { ...trouble('.x86-64', 'work', '20'), engine: hasTracing ? 'traced' : 'blocks' },
    'queens-powerpc': forth('forth', 'auto', 'queens'),
    'queens-i386': forth('forth.i386', 'regions', 'queens'),
    'primes-x86-64': forth('forth.x86-64', hasVirtualMachines ? 'virtualized' : 'auto', 'primes'),
    crash: { ...trouble('', 'crash'), engine: 'auto' },
    spin: { ...trouble('.x86-64', 'spin'), engine: hasVirtualMachines ? 'virtualized' : 'wasm', 'cpu-limit': '1s' },
    hoard: { ...trouble('.i386', 'hoard'), engine: 'wasm', 'memory-limit': '32M' },
  };
  const outputs: Readonly<Record<string, string>> = {
    mandelbrot: expected('mandelbrot'),
    work: worked,
    queens: expected('forth-queens'),
    primes: expected('forth-primes'),
  };
  const { status, failed, machines: told } = run(machines);
  expect({ status, failed }).toEqual({ status: 2, failed: 3 });
  const right = told.filter(
    ({ name, stdout, outcome }) => outcome === 'success' && stdout === outputs[name.split('-')[0]],
  );
  expect(right.map(({ name }) => name)).toEqual(Object.keys(machines).slice(0, 13));
  const [crash, spin, hoard] = told.slice(13);
  expect(crash).toMatchObject({
    outcome: 'signal',
    signal: 'SIGSEGV',
    stderr: expect.stringContaining('write to 0x00000010, which is not mapped'),
  });
  expect(spin).toMatchObject({ outcome: 'cpu-limit', message: 'stopped: its CPU limit of 1 s was used up' });
  expect(hoard).toMatchObject({ outcome: 'memory-limit', status: 1 });
});

describe('limits', () => {
  test('of memory, CPU time and output are exact to 5 %, on every engine', { timeout: patience }, () => {
    const engines: readonly (readonly [suffix: string, engine: EngineName])[] = [
      ['', 'interpreted'],
      ['', 'wasm'],
      ['.i386', 'blocks'],
      ...(hasTracing ? ([['.i386', 'traced']] as const) : []),
      ...(hasVirtualMachines ? ([['.x86-64', 'virtualized']] as const) : []),
    ];
    const machines = engines.flatMap(([suffix, engine]) => [
      [`memory-${engine}`, { ...trouble(suffix, 'hoard'), engine, 'memory-limit': '24M' }] as const,
      [`cpu-${engine}`, { ...trouble(suffix, 'spin'), engine, 'cpu-limit': '2s' }] as const,
      [`output-${engine}`, { ...trouble(suffix, 'flood'), engine, 'output-limit': '100K' }] as const,
    ]);
    const { status, machines: told } = run(Object.fromEntries(machines));
    expect(status).toBe(2);
    for (const { name, outcome, cpu, stdout, peakMemory, output } of told) {
      const [limit] = name.split('-');
      expect([name, outcome]).toEqual([name, `${limit}-limit`]);
      if (limit === 'memory') {
        const kibibytes = Number(/no more than (\d+) KiB/.exec(stdout as string)?.[1]);
        expect(kibibytes * 1024, name).toBeGreaterThan(0.95 * (24 << 20));
        expect(peakMemory, name).toBeLessThanOrEqual(24 << 20);
      }
      if (limit === 'output') expect([name, output, stdout?.length]).toEqual([name, 102_400, 102_400]);
      // Processor time, not time: what else the machine does is not in it.
      if (limit === 'cpu') expect(cpu, name).toBeGreaterThanOrEqual(2);
      if (limit === 'cpu') expect(cpu, name).toBeLessThan(2.1);
    }
  });

  test('of time end a guest that sleeps and one that does not', { timeout: patience }, () => {
    const { status, machines } = run({
      sleeps: { ...trouble('', 'rest', '100000'), 'wall-limit': '300ms' },
      spins: { ...trouble('', 'spin'), engine: 'regions', 'wall-limit': '300ms' },
      ends: { ...trouble('', 'rest', '10'), 'wall-limit': '100s' },
    });
    expect(status).toBe(2);
    expect(machines.map(({ outcome }) => outcome)).toEqual(['wall-limit', 'wall-limit', 'success']);
    expect(machines[0].message).toBe('stopped: its wall limit of 0.3 s was over');
  });

  test('that a program does not fit into are named', { timeout: patience }, () => {
    const { machines } = run({ small: { ...trouble('', 'work', '1'), 'memory-limit': '4K' } });
    expect(machines[0]).toMatchObject({ outcome: 'unable', message: expect.stringMatching(/^it takes \d+ bytes/) });
  });
});

/** Checks about what the system gives a program; those of clocks could not tell a machine that has to wait for its turn. */
// biome-ignore format: a few lines
const ofTheSystem = [
  'arguments', 'environment', 'identity', 'limits', 'copy_input', 'large_output', 'streams', 'files', 'status',
  'directories', 'descriptors', 'mapping', 'signals', 'signal_waiting', 'faults', 'abort', 'default_action-2', 'default_action-15',
];

describe('what a machine is given', () => {
  test('is a system like the one that a program has to itself', { timeout: patience }, () => {
    const chosen = cases.filter(({ name }) => ofTheSystem.includes(name));
    expect(chosen).toHaveLength(ofTheSystem.length);
    const expectations = readExpectations();
    const machines = chosen.map(({ name, args, stdin = '', environment: variables = {} }) => {
      const directory = join(folder, name);
      mkdirSync(directory);
      const path = write(`${name}.stdin`, stdin);
      const program = join(root, 'test/guests/bin/checks');
      return [name, { program, args, directory, stdin: path, env: variables }] as const;
    });
    const { machines: told } = run(Object.fromEntries(machines));
    const wrong = told.flatMap(({ name, status, signal, stdout = '' }) => {
      const wanted = expectations[name];
      const ended = signal === null ? status : 128 + signalNumbers[signal as SignalName];
      const text = existsSync(outputPath(name)) ? readFileSync(outputPath(name), 'utf8') : '';
      const digest = createHash('sha256').update(stdout).digest('hex');
      const isRight = wanted.digest === undefined ? stdout === text : digest === wanted.digest;
      return ended === wanted.status && isRight ? [] : [name];
    });
    expect(wrong).toEqual([]);
  });
});

test('without koffi machines on the processor itself are named, and the others go on', { timeout: patience }, () => {
  const { status, machines } = run(
    {
      translated: { ...trouble('', 'work', '20'), engine: 'wasm' },
      virtualized: { ...trouble('.x86-64', 'work', '20'), engine: 'virtualized' },
      traced: { ...trouble('.i386', 'work', '20'), engine: 'traced' },
    },
    {
      NODE_OPTIONS: `--import=${join(root, 'test/host/hide-packages.mjs')}`,
      HIDDEN_PACKAGES: 'koffi,@koromix/',
    },
  );
  expect(status).toBe(2);
  expect(machines[0]).toMatchObject({ outcome: 'success', stdout: worked });
  for (const { engine, outcome, message } of machines.slice(1)) {
    expect(outcome).toBe('unable');
    expect(message).toContain(`the engine ${engine} cannot run it: `);
  }
});

describe('the command line', () => {
  test('has machines between plus signs, whose lines stand behind their names', { timeout: patience }, () => {
    const { status, stdout, stderr } = stele([
      '--engine',
      'interpreted',
      example('trouble'),
      'work',
      '1',
      '+',
      '--name',
      'other',
      '--engine',
      'blocks',
      example('trouble.i386'),
      'work',
      '1',
      '+',
      example('trouble'),
    ]);
    expect(status).toBe(2);
    const lines = stdout.split('\n').sort();
    expect(lines).toEqual([
      '',
      expect.stringMatching(/^other {5}\| \d+$/),
      expect.stringMatching(/^trouble {3}\| \d+$/),
      'trouble-2 | trouble crash | spin | hoard | flood | work [UNITS] | rest [MILLISECONDS]',
    ]);
    expect(stderr).toContain('stele: other: started (i386, blocks)\n');
    expect(stderr).toContain('stele: trouble-2: exit status 2\n');
    expect(stderr).toMatch(/^other +i386 +blocks +ok /m);
    expect(stderr).toMatch(/^trouble-2 +powerpc +interpreted +FAILED /m);
    expect(stderr).toMatch(/\n1 of 3 failed:\ntrouble-2: exit status 2\n$/);
  });

  test('says everything that is wrong before anything runs', { timeout: patience }, () => {
    const out = join(folder, 'not-made');
    const path = write(
      'wrong.yaml',
      `machines:
  right: { program: ${example('trouble')}, args: [work, 1], stdout: ${out} }
  gone: { program: nowhere }
  text: { program: wrong.yaml }
  isa: { program: ${example('trouble')}, isa: i386 }
  engine: { program: ${example('trouble')}, engine: virtualized }
  input: { program: ${example('trouble')}, stdin: nothing, directory: ${example('trouble')} }
  output: { program: ${example('trouble')}, stdout: no/such/folder }
  none: { engine: auto }
  key: { programm: x }
`,
    );
    const { status, stdout, stderr } = stele([path]);
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
    expect(stderr.split('\n')).toEqual([
      `stele: ${path}:10:10: key: there is no key "programm"; did you mean "program"?`,
      `stele: ${path}:3:11: gone: ${join(folder, 'nowhere')}: No such file or directory`,
      `stele: ${path}:4:11: text: ${path}: Permission denied`,
      expect.stringMatching(/^stele: .*:5:\d+: isa: .*trouble is built for powerpc, not i386$/),
      expect.stringMatching(/^stele: .*:6:\d+: engine: the engine virtualized cannot run .*: it runs x86-64 programs/),
      expect.stringMatching(/^stele: .*:7:\d+: input: .*trouble is not a directory$/),
      expect.stringMatching(/^stele: .*:7:\d+: input: .*nothing: No such file or directory$/),
      expect.stringMatching(/^stele: .*:8:\d+: output: .*no\/such\/folder: No such file or directory$/),
      `stele: ${path}:9:3: none: no program is given`,
      `stele: ${path}:10:3: key: no program is given`,
      'Try "stele --help" or "stele machines --help".',
      '',
    ]);
    expect(existsSync(out)).toBe(false);
  });

  // biome-ignore format: one row per line
  const mistakes: readonly (readonly [args: readonly string[], message: string])[] = [
    [[], 'machines: no program and no file of machines is given'],
    [['--memory-limit', 'much', 'x'], '--memory-limit: "much" is not a size such as 8M'],
    [['--cpus', '0', 'x'], '--cpus: "0" is not a whole number from 1 on'],
    [['-E', '=x', 'x'], '--env: "=x" is not name=value'],
    [['x', '+'], '"+": no program is given behind it'],
    [['x', '+', '--cpu-share', 'all', 'y'], '--cpu-share: "all" is not a positive number'],
    [['x', '+', '--json', 'y'], "unknown option '--json'"],
    [['nowhere.yaml'], 'nowhere.yaml: No such file or directory'],
    [['--name', 'a', 'nowhere.json'], '--name: the machines of nowhere.json have names'],
    [['nowhere.json', 'x'], 'nowhere.json: a file of machines takes no arguments ("x")'],
    [['--name', 'a', example('trouble'), '+', '--name', 'a', example('life')], `${example('life')}: there is another machine called "a"`],
  ];
  test.each(mistakes)('%j is wrong', (args, message) => {
    expect(stele(args)).toEqual({
      status: 1,
      stdout: '',
      stderr: `stele: ${message}\nTry "stele --help" or "stele machines --help".\n`,
    });
  });
});

describe('Ctrl-C', () => {
  /** Starts machines, sends SIGINT when all have said something, and again. */
  async function interrupted(signals: number, ...args: string[]): Promise<{ status: number | null; stderr: string }> {
    const child = spawn(process.execPath, [launcher, 'machines', ...args], {
      env: environment,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    let sent = 0;
    const wanted = args.filter((arg) => arg === '+').length + 1;
    child.stderr.on('data', (bytes) => {
      stderr += bytes;
      const mayFollow = sent === 0 ? stderr.split(': started').length > wanted : stderr.includes('again: at once');
      if (sent >= signals || !mayFollow) return;
      sent++;
      child.kill('SIGINT');
    });
    const status = await new Promise<number | null>((resolve) => {
      child.on('close', (code) => resolve(code));
    });
    return { status, stderr };
  }

  test('ends all machines, whatever they do', { timeout: patience }, async () => {
    const { status, stderr } = await interrupted(
      1,
      ...['--engine', 'wasm', example('trouble'), 'spin'],
      ...['+', '--engine', hasTracing ? 'traced' : 'blocks', example('trouble.i386'), 'spin'],
      ...['+', example('trouble'), 'rest', '100000'],
    );
    expect(status).toBe(130);
    expect(stderr).toMatch(
      /3 of 3 failed:\ntrouble: stopped: interrupted\ntrouble.i386: stopped: interrupted\ntrouble-2: stopped: interrupted\n$/,
    );
  });
});
