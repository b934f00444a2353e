/** Translations kept from run to run, as a user meets them: later runs start with them, and nothing else changes. */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { cases } from '../guests/cases.ts';
import { binaryPath } from '../guests/programs.ts';
import { expectSteleOutcome } from './expectations.ts';
import { cachingCommand, type Engine, run, runCase, steleCommand, steleEntry } from './run-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-cache-'));
afterAll(() => rmSync(folder, { recursive: true }));
const patience = { timeout: 60_000 };
let made = 0;
const freshDirectory = (): string => join(folder, `cache${made++}`);

/** Runs long enough for translations, and prints a checksum. */
const program = [binaryPath('benchmarks'), 'sort', '0.02'];
const output = /^sort: [0-9a-f]{8}\n$/;

interface Counted {
  readonly stdout: string;
  readonly regions: number;
  readonly regionsFromCache: number;
  readonly regionsKept: number;
}

async function counted(
  directory: string,
  guest = program,
  options: readonly string[] = [],
  environment: Readonly<Record<string, string>> = {},
  engine: Engine = 'auto',
): Promise<Counted> {
  const { stdout, stderr, status } = await run([...cachingCommand(engine, directory, '--json', ...options), ...guest], {
    environment,
  });
  expect(status).toBe(0);
  const { tiers, regionsFromCache, regionsKept } = JSON.parse(stderr);
  const regions = tiers.webassemblyRegions.count;
  return { stdout: stdout.toString(), regions, regionsFromCache, regionsKept };
}

/** The files of translations, or of blocks, in a cache directory. */
const filesIn = (directory: string, ending: '.translations' | '.blocks' = '.translations'): string[] =>
  readdirSync(directory).flatMap((name) => (name.endsWith(ending) ? [join(directory, name)] : []));

const command = (...args: string[]) => run([process.execPath, steleEntry(), 'cache', ...args]);

describe('a later run', () => {
  test('takes translations from an earlier one, and prints the same', patience, async () => {
    const directory = freshDirectory();
    const first = await counted(directory);
    expect(first.stdout).toMatch(output);
    expect(first).toMatchObject({ regionsFromCache: 0, regionsKept: first.regions });
    expect(first.regions).toBeGreaterThan(5);
    await counted(directory);
    const third = await counted(directory);
    expect(third.stdout).toBe(first.stdout);
    expect(third.regionsFromCache).toBeGreaterThan(5);
    expect(third.regions).toBeLessThan(first.regions / 2);
    // The other engine that makes WebAssembly can use them as well.
    const wasm = await counted(directory, program, [], {}, 'wasm');
    expect(wasm.stdout).toBe(first.stdout);
    expect(wasm.regionsFromCache).toBeGreaterThan(5);
  });

  test('of another program does not, even where only its data differ', patience, async () => {
    const directory = freshDirectory();
    await counted(directory);
    const other = join(folder, 'other');
    copyFileSync(program[0], other);
    const bytes = readFileSync(other);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(other, Buffer.concat([bytes, Buffer.from('!')]));
    chmodSync(other, 0o755);
    expect(await counted(directory, [other, ...program.slice(1)])).toMatchObject({ regionsFromCache: 0 });
    expect(filesIn(directory).length).toBe(2);
  });

  test('neither takes nor leaves any where that is not wanted', patience, async () => {
    const directory = freshDirectory();
    expect(await counted(directory, program, ['--no-cache'])).toMatchObject({ regionsFromCache: 0, regionsKept: 0 });
    expect(existsSync(directory)).toBe(false);
    await counted(directory);
    const [file] = filesIn(directory);
    const before = readFileSync(file);
    const blocks = readFileSync(filesIn(directory, '.blocks')[0]);
    const unwanted = [
      await counted(directory, program, ['--no-cache']),
      await counted(directory, program, [], { STELE_NO_CACHE: '1' }),
      await counted(directory, program, ['-d', 'unimp', '-D', join(folder, 'log')]),
    ];
    for (const each of unwanted) {
      expect(each.stdout).toMatch(output);
      expect(each).toMatchObject({ regionsFromCache: 0, regionsKept: 0 });
      expect(each.regions).toBeGreaterThan(5);
    }
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readFileSync(filesIn(directory, '.blocks')[0]).equals(blocks)).toBe(true);
  });

  test('finds the directory by the environment', patience, async () => {
    const home = freshDirectory();
    const plain = [process.execPath, steleEntry(), 'run', ...program];
    for (const [environment, directory] of [
      [{ HOME: home }, join(home, '.cache/stele')],
      [{ HOME: home, XDG_CACHE_HOME: join(home, 'xdg') }, join(home, 'xdg/stele')],
      [{ HOME: home, XDG_CACHE_HOME: join(home, 'xdg'), STELE_CACHE_DIR: join(home, 'own') }, join(home, 'own')],
    ] as const) {
      expect((await run(plain, { environment })).stdout.toString()).toMatch(output);
      expect(filesIn(directory).length, directory).toBe(1);
    }
    // A short program has no translations to keep.
    const environment = { HOME: join(home, 'short') };
    await run([process.execPath, steleEntry(), 'run', binaryPath('benchmarks')], { environment });
    expect(filesIn(join(environment.HOME, '.cache/stele'))).toEqual([]);
  });

  test('does without a directory that cannot be had', patience, async () => {
    for (const directory of ['/dev/null/cache', '/proc/stele']) {
      const { stdout, regionsFromCache } = await counted(directory);
      expect(stdout).toMatch(output);
      expect(regionsFromCache).toBe(0);
    }
  });
});

describe('what is in the way', () => {
  test('files that are cut, damaged or of another kind are replaced', { timeout: 120_000 }, async () => {
    const directory = freshDirectory();
    const { stdout } = await counted(directory);
    const [file] = filesIn(directory);
    const whole = readFileSync(file);
    const damaged = (at: number): Buffer => {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 0x20;
      return bytes;
    };
    const contents: readonly [what: string, bytes: Buffer, usable: boolean][] = [
      ['empty', Buffer.alloc(0), false],
      ['cut', whole.subarray(0, whole.length >> 1), false],
      ['of another kind', Buffer.from('#!/bin/sh\necho something else\n'.repeat(200)), false],
      ['damaged in the header', damaged(9), false],
      ['damaged in the index', damaged(100), false],
      ['damaged in a translation', damaged(whole.length - 500), true],
    ];
    for (const [what, bytes, usable] of contents) {
      writeFileSync(file, bytes);
      const after = await counted(directory);
      expect(after.stdout, what).toBe(stdout);
      expect(after.regionsFromCache > 0, what).toBe(usable);
      expect(after.regionsKept, what).toBeGreaterThan(0);
      expect((await counted(directory)).regionsFromCache, what).toBeGreaterThan(5);
    }
  });

  test('other runs at the same time', patience, async () => {
    const directory = freshDirectory();
    const together = await Promise.all(Array.from({ length: 5 }, () => counted(directory)));
    for (const each of together) expect(each.stdout).toMatch(output);
    expect(readdirSync(directory).every((name) => /\.(translations|blocks)$/.test(name))).toBe(true);
    const later = await Promise.all(Array.from({ length: 3 }, () => counted(directory)));
    for (const each of later) {
      expect(each.stdout).toBe(together[0].stdout);
      expect(each.regionsFromCache).toBeGreaterThan(5);
    }
  });

  test('the end of a run that is killed', patience, async () => {
    const directory = freshDirectory();
    const [node, ...args] = [...cachingCommand('auto', directory), binaryPath('benchmarks'), 'sieve', '100'];
    const child = spawn(node, args, { stdio: 'ignore' });
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    const isKept = (): boolean => existsSync(directory) && filesIn(directory).length > 0;
    for (const end = Date.now() + 40_000; !isKept() && Date.now() < end; ) {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    child.kill('SIGKILL');
    expect(await ended).toBe('SIGKILL');
    const rows = JSON.parse((await command('list', '--json', '--cache-dir', directory)).stdout.toString());
    const kept = rows.find(({ file }: { file: string }) => file.endsWith('.translations'));
    expect(kept.translations).toBeGreaterThan(0);
  });

  test('programs that change their code', patience, async () => {
    const changing = cases.filter(({ name }) => name === 'self-modifying' || name === 'code_writing');
    expect(changing.length).toBe(2);
    const directory = freshDirectory();
    for (const one of changing) {
      for (const engine of ['wasm', 'wasm', 'auto', 'auto'] as const) {
        expectSteleOutcome(one, await runCase(cachingCommand(engine, directory), one));
      }
    }
  });
});

describe('the size', () => {
  test('of all together is limited', patience, async () => {
    const directory = freshDirectory();
    mkdirSync(directory, { mode: 0o700 });
    const copies = ['one', 'two', 'three'].map((name) => {
      const copy = join(folder, name);
      writeFileSync(copy, Buffer.concat([readFileSync(program[0]), Buffer.from(name)]), { mode: 0o755 });
      return [copy, ...program.slice(1)];
    });
    const { regionsKept } = await counted(directory, copies[0], ['--cache-size', '1M']);
    expect(regionsKept).toBeGreaterThan(5);
    const size = readFileSync(filesIn(directory)[0]).length;
    expect(size).toBeLessThan(1 << 18);
    // A program may take a quarter; there is room for two such shares and a half.
    for (const copy of copies) await counted(directory, copy, ['--cache-size', String(Math.floor(size * 2.5))]);
    const sizes = readdirSync(directory).map((name) => readFileSync(join(directory, name)).length);
    expect(sizes.reduce((sum, each) => sum + each)).toBeLessThanOrEqual(size * 2.5);
    expect(sizes.length).toBeGreaterThan(1);
  });
});

describe('stele cache', () => {
  test('lists what is kept and clears it', patience, async () => {
    const directory = freshDirectory();
    const where = ['--cache-dir', directory];
    expect(await command('list', ...where)).toMatchObject({ status: 0, stderr: '' });
    expect((await command('list', ...where)).stdout.toString()).toBe(`Nothing is kept in ${directory}.\n`);
    const { regionsKept } = await counted(directory);
    for (const name of ['broken.translations', 'broken.blocks']) writeFileSync(join(directory, name), 'x');
    const table = (await command('list', ...where)).stdout.toString();
    expect(table).toMatch(/^ +size +translations +blocks +last used \(UTC\) +program\n/);
    expect(table).toMatch(/^ *\d+ KiB +\d+ +0 +\d{4}-\d\d-\d\d \d\d:\d\d +\/.*bin\/benchmarks$/m);
    expect(table).toMatch(/^ *\d+ KiB +0 +\d{3} +\d{4}-\d\d-\d\d \d\d:\d\d +\/.*bin\/benchmarks$/m);
    expect(table).toContain('(not usable: broken.translations)');
    expect(table).toContain('(not usable: broken.blocks)');
    const rows = JSON.parse((await command('list', '--json', ...where)).stdout.toString());
    const listed = rows.find((row: { translations: number }) => row.translations > 0);
    // A region that was translated anew is kept once.
    expect(listed.translations).toBeGreaterThan(regionsKept / 2);
    expect(listed.translations).toBeLessThanOrEqual(regionsKept);
    expect(listed).toMatchObject({
      program: program[0],
      lastUsed: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    const cleared = await command('clear', ...where);
    expect(cleared.stdout.toString()).toMatch(/^Removed 4 files from .*: \d+ KiB\.\n$/);
    expect(readdirSync(directory)).toEqual([]);
    const environment = { STELE_CACHE_DIR: directory };
    const again = await run([process.execPath, steleEntry(), 'cache', 'list'], { environment });
    expect(again.stdout.toString()).toContain(directory);
  });

  test('says what is wrong', async () => {
    const file = join(folder, 'no-directory');
    writeFileSync(file, '');
    for (const action of ['list', 'clear']) {
      expect(await command(action, '--cache-dir', file)).toMatchObject({
        status: 1,
        stderr: `stele: nothing is kept: ${file} is not a directory\n`,
      });
    }
    expect((await command('shrink')).stderr).toMatch(/^stele: .*shrink.*\n/);
    expect((await command()).status).toBe(1);
  });
});

test('the other tests neither use nor leave translations of the user', patience, async () => {
  const home = freshDirectory();
  const { stdout } = await run([...steleCommand('auto'), ...program], { environment: { HOME: home } });
  expect(stdout.toString()).toMatch(output);
  expect(existsSync(home)).toBe(false);
});
