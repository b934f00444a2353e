/** `stele` as its users start it: what it prints where, and how it ends. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

const root = join(import.meta.dirname, '..', '..');
const guest = (name: string): string => join(root, 'test', 'guests', 'bin', name);
const folder = mkdtempSync(join(tmpdir(), 'stele-cli-'));
const launcher = join(folder, 'dist', 'stele.js');

beforeAll(() => {
  const built = spawnSync(process.execPath, [join(root, 'scripts', 'build.mjs'), join(folder, 'dist')], {
    encoding: 'utf8',
  });
  expect(built.stderr).toBe('');
});
afterAll(() => rmSync(folder, { recursive: true }));

interface Outcome {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `stele` in an environment that holds nothing but these variables. */
function stele(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Outcome {
  const env = { HOME: folder, ...environment };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [launcher, ...args], {
    encoding: 'utf8',
    env,
    timeout: 30_000,
  });
  return { status, signal, stdout, stderr };
}

function file(name: string, contents: string | Uint8Array, mode = 0o644): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  chmodSync(path, mode);
  return path;
}

describe('help and mistakes', () => {
  test('help and version go to standard output', () => {
    expect(stele(['--version'])).toEqual({ status: 0, signal: null, stdout: `${manifest.version}\n`, stderr: '' });
    expect(stele(['run', '--help'])).toMatchObject({
      status: 0,
      stderr: '',
      stdout: expect.stringContaining('--sysroot'),
    });
  });

  test('a wrong command line is one line on standard error, a hint, and status 1', () => {
    expect(stele(['run', '--nonsense', 'x'])).toEqual({
      status: 1,
      signal: null,
      stdout: '',
      stderr: 'stele: unknown option \'--nonsense\'\nTry "stele --help" or "stele run --help".\n',
    });
    expect(stele([])).toMatchObject({ status: 1, stdout: '' });
    expect(stele(['run', guest('hello')], { STELE_ENGINE: 'steam' })).toMatchObject({ status: 1, stdout: '' });
    expect(stele(['run', '-D', join(folder, 'no', 'such'), guest('hello')])).toMatchObject({ status: 1, stdout: '' });
  });

  // biome-ignore format: one row per line
  const programs: readonly [what: string, make: () => string, status: number, message: string][] = [
    ['that does not exist', () => join(folder, 'missing'), 127, 'No such file or directory'],
    ['in a file that is no directory', () => join(file('plain', ''), 'x'), 127, 'Not a directory'],
    ['that is a directory', () => folder, 126, 'Is a directory'],
    ['that may not be executed', () => file('locked', readFileSync(guest('hello'))), 126, 'Permission denied'],
    ['that is a script', () => file('script', '#!/bin/sh\necho\n', 0o755), 126, 'not an ELF file'],
    ['that is cut', () => file('cut', readFileSync(guest('hello')).subarray(0, 90), 0o755), 126, 'p_filesz'],
    ['of the host', () => process.execPath, 126, '(PT_INTERP|e_machine)'],
  ];

  test.each(programs)('a program %s', (_what, make, status, message) => {
    const program = make();
    const outcome = stele(['run', program]);
    expect(outcome).toMatchObject({ status, stdout: '' });
    expect(outcome.stderr).toMatch(new RegExp(`^stele: .*${message}.*\\n$`));
    expect(outcome.stderr).toContain(program);
  });
});

test.runIf(process.platform === 'linux')(
  'a guest that the host has no room for is an error that says what to do',
  () => {
    const command = [process.execPath, launcher, 'run', guest('hello')];
    const { status, stdout, stderr } = spawnSync('/bin/sh', ['-c', 'ulimit -v 2000000; exec "$@"', 'sh', ...command], {
      encoding: 'utf8',
    });
    expect({ status, stdout }).toEqual({ status: 126, stdout: '' });
    expect(stderr).toMatch(/^stele: the guest's memory cannot be made: .*\. "stele doctor" tells what to do\.\n$/);
  },
);

describe('a program', () => {
  test('has its output and status to itself', () => {
    expect(stele(['run', guest('hello')])).toEqual({ status: 0, signal: null, stdout: 'hello, world\n', stderr: '' });
    expect(stele(['run', guest('exit-code')])).toEqual({ status: 42, signal: null, stdout: '', stderr: '' });
  });

  test('gets its arguments, argv[0] among them', () => {
    const { stdout, status } = stele(['run', '-0', 'myself', guest('arguments'), '--', '-E', '', 'käse']);
    expect(stdout).toBe('myself\n--\n-E\n\nkäse\n');
    expect(status).toBe(5);
  });

  test('gets the environment, as -E and -U change it', () => {
    const greeting = (args: readonly string[], environment: Readonly<Record<string, string>>): string =>
      stele(['run', ...args, guest('checks'), 'environment'], environment).stdout.split('\n')[0];
    expect(greeting([], { GREETING: 'hello' })).toContain('hello');
    expect(greeting(['-E', 'GREETING=moin'], { GREETING: 'hello' })).toContain('moin');
    expect(greeting(['-U', 'GREETING'], { GREETING: 'hello' })).not.toContain('hello');
  });

  test('is reported and dies of its signal when it faults', () => {
    const { signal, stdout, stderr } = stele(['run', guest('null-load')]);
    expect(signal).toBe('SIGSEGV');
    expect(stdout).toBe('');
    const lines = stderr.split('\n');
    expect(lines[0]).toBe('stele: uncaught target signal 11 (Segmentation fault)');
    expect(lines[1]).toMatch(/^ {2}at 0x[0-9a-f]{8} _start\+0x[0-9a-f]+$/);
    expect(lines[2]).toBe('  read of 0x00000000, which is not mapped');
    expect(stderr).toMatch(/\n {2}> [0-9a-f]{8} {2}[0-9a-f]{8} {2}lwz /);
    expect(stderr).toMatch(/\n {4}r0 +[0-9a-f]{8} {2}r1 +7[0-9a-f]{7} /);
  });

  test('is reported with its source line', () => {
    const { signal, stderr } = stele(['run', guest('lines')]);
    expect(signal).toBe('SIGSEGV');
    expect(stderr).toMatch(/\n? {2}at 0x[0-9a-f]{8} dereference\+0x[0-9a-f]+ \(.*lines\.c:\d+\)\n/);
  });

  test('that ends by a signal without a fault does so without a report', () => {
    expect(stele(['run', guest('kill-self')])).toEqual({ status: null, signal: 'SIGTERM', stdout: '', stderr: '' });
  });
});

describe('what is seen of a run', () => {
  test('system calls go to standard error, or to the log file', () => {
    const { stdout, stderr } = stele(['run', '-strace', guest('hello')]);
    expect(stdout).toBe('hello, world\n');
    expect(stderr).toMatch(/^write\(1, "hello, world\\n", 13\) += 13\nexit\(0\) += \?\n$/);
    const log = join(folder, 'strace.log');
    expect(stele(['run', '--strace', '-D', log, guest('hello')])).toMatchObject({
      stdout: 'hello, world\n',
      stderr: '',
    });
    expect(readFileSync(log, 'utf8')).toBe(stderr);
  });

  test('logs are of the kinds that were asked for', () => {
    const { stderr } = stele(['run', '--engine', 'interpreted', '-d', 'in_asm', guest('hello')]);
    expect(stderr).toContain('_start');
    expect(stderr).toMatch(/\bsc\b/);
    expect(stele(['run', '-d', 'unimp', guest('hello')]).stderr).toBe('');
    expect(stele(['run', '-d', 'unimp', guest('unknown-system-call')]).stderr).toContain('is not implemented');
  });

  test('statistics are a table, or JSON', () => {
    const table = stele(['run', '--stats', guest('hello')]);
    expect(table.stdout).toBe('hello, world\n');
    expect(table.stderr).toMatch(/^engine +auto\npage protection +\w+( \w+)*\nguest instructions +\d+\n/);
    const path = join(folder, 'statistics.json');
    expect(stele(['run', '--json', '--stats-file', path, guest('hello')])).toMatchObject({ stderr: '' });
    const statistics = JSON.parse(readFileSync(path, 'utf8'));
    expect(statistics).toMatchObject({ systemCalls: 2, invalidations: 0 });
    expect(statistics.guestInstructions).toBeGreaterThan(5);
    expect(statistics.guestInstructions).toBeLessThan(50);
    expect(statistics.runTime).toBeGreaterThan(0);
    expect(statistics.peakMemory).toBeGreaterThan(1 << 20);
  });

  test('options come from flags before the environment before the configuration file', () => {
    mkdirSync(join(folder, '.config', 'stele'), { recursive: true });
    const place = join(folder, '.config', 'stele', 'config.json');
    const engineOf = (args: readonly string[], environment = {}): string =>
      JSON.parse(stele(['run', '--json', ...args, guest('hello')], environment).stderr).engine;
    writeFileSync(place, '{ "engine": "interpreted" }');
    expect(engineOf([])).toBe('interpreted');
    expect(engineOf([], { STELE_ENGINE: 'regions' })).toBe('regions');
    expect(engineOf(['--engine', 'interpreted'], { STELE_ENGINE: 'regions' })).toBe('interpreted');
    const other = file('other.json', '{ "engine": "regions" }');
    expect(engineOf(['--config', other])).toBe('regions');
    expect(stele(['run', '--config', join(folder, 'none.json'), guest('hello')])).toMatchObject({
      status: 1,
      stdout: '',
    });
    rmSync(place);
  });
});

describe('a build', () => {
  test('has an identity that follows from what was built', () => {
    const program = readFileSync(join(folder, 'dist', 'main.js'), 'utf8');
    const place = /const steleBuild="([0-9a-f]{16})";/;
    const identity = place.exec(program)?.[1];
    expect(createHash('sha256').update(program.replace(place, '')).digest('hex').slice(0, 16)).toBe(identity);
  });

  test('uses no translations of another one', { timeout: 60_000 }, () => {
    const directory = join(folder, 'translations');
    const args = ['run', '--json', '--cache-dir', directory, guest('benchmarks'), 'sort', '0.02'];
    const fromCache = (entry: string): number => {
      const { stdout, stderr } = spawnSync(process.execPath, [entry, ...args], { encoding: 'utf8' });
      expect(stdout).toMatch(/^sort: [0-9a-f]{8}\n$/);
      return JSON.parse(stderr).regionsFromCache;
    };
    const other = join(folder, 'other-build');
    // Without V8's compiled code, which is for the program as it was.
    cpSync(join(folder, 'dist'), other, { recursive: true, filter: (path) => !path.endsWith('.cache') });
    const program = readFileSync(join(other, 'main.js'), 'latin1');
    const changed = program.replace(
      /(steleBuild="[0-9a-f]{15})(.)/,
      (_, most, last) => most + (last === '0' ? '1' : '0'),
    );
    expect(changed).not.toBe(program);
    writeFileSync(join(other, 'main.js'), changed, 'latin1');
    const launchers = [launcher, join(other, 'stele.js')];
    for (const each of launchers) expect(fromCache(each)).toBe(0);
    for (const each of launchers) expect(fromCache(each)).toBeGreaterThan(5);
  });
});

describe('the launcher', () => {
  test('says in one line that Node is too old', () => {
    const old = file('old.cjs', "Object.defineProperty(process.versions, 'node', { value: '20.19.1' });\n");
    const { status, stdout, stderr } = spawnSync(process.execPath, ['-r', old, launcher, '--version'], {
      encoding: 'utf8',
    });
    expect({ status, stdout, stderr }).toEqual({
      status: 1,
      stdout: '',
      stderr: 'stele: Node 24 or newer is needed; this is Node 20.19.1\n',
    });
  });

  test('starts with the compiled code that the build left, and makes it anew where it is missing', () => {
    const cache = join(folder, 'dist', `main.${process.versions.v8}.cache`);
    expect(existsSync(cache)).toBe(true);
    rmSync(cache);
    expect(stele(['--version']).status).toBe(0);
    expect(existsSync(cache)).toBe(false);
    expect(stele(['run', guest('hello')]).stdout).toBe('hello, world\n');
    expect(existsSync(cache)).toBe(true);
    writeFileSync(cache, 'not compiled code');
    expect(stele(['run', guest('hello')]).stdout).toBe('hello, world\n');
    expect(readFileSync(cache).length).toBeGreaterThan(10_000);
  });
});
