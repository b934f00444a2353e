/** Interpreter code kept from run to run, as a user meets it: a short program that runs again prepares none. */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { computingCases } from '../guests/cases.ts';
import { binaryPath } from '../guests/programs.ts';
import { cachingCommand, run } from './run-guest.ts';
import { runsCases } from './suite.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-blocks-'));
afterAll(() => rmSync(folder, { recursive: true }));
const patience = { timeout: 60_000 };
let made = 0;
const freshDirectory = (): string => join(folder, `cache${made++}`);

/** Prints the benchmarks' names, by the C library. */
const program = binaryPath('benchmarks');

interface Counted {
  readonly stdout: string;
  readonly prepared: number;
  readonly blocksFromCache: number;
  readonly blocksKept: number;
}

async function counted(directory: string, options: readonly string[] = [], guest = [program]): Promise<Counted> {
  const { stdout, stderr, status } = await run([...cachingCommand('auto', directory, '--json', ...options), ...guest]);
  expect(status).toBe(0);
  const { tiers, blocksFromCache, blocksKept } = JSON.parse(stderr);
  return { stdout: stdout.toString(), prepared: tiers.interpreter.count, blocksFromCache, blocksKept };
}

const theFile = (directory: string): string => {
  const names = readdirSync(directory);
  expect(names).toEqual([expect.stringMatching(/^[0-9a-f]{16}-[0-9a-f]{16}\.blocks$/)]);
  return join(directory, names[0]);
};

describe('a short program that runs again', () => {
  test('prepares in any run about as many blocks as it found, and in the end none', patience, async () => {
    const directory = freshDirectory();
    const runs: Counted[] = [];
    for (let time = 0; time < 6; time++) runs.push(await counted(directory));
    expect(runs[0]).toMatchObject({ blocksFromCache: 0, blocksKept: runs[0].prepared });
    expect(runs[0].prepared).toBeGreaterThan(50);
    for (const [index, each] of runs.slice(1).entries()) {
      const before = runs[index];
      expect(each.stdout).toBe(runs[0].stdout);
      expect(each.blocksFromCache).toBe(before.blocksFromCache + before.blocksKept);
    }
    // Few blocks run as often as it takes to be prepared in one run alone.
    expect(runs[1].prepared).toBeGreaterThanOrEqual(runs[1].blocksFromCache);
    expect(runs[1].prepared).toBeLessThan(1.5 * runs[1].blocksFromCache);
    expect(runs[5]).toMatchObject({ prepared: 0, blocksKept: 0 });
  });

  test('neither takes nor leaves anything where that is not wanted', patience, async () => {
    const directory = freshDirectory();
    await counted(directory, ['--no-cache']);
    expect(existsSync(directory)).toBe(false);
    await counted(directory);
    const before = readFileSync(theFile(directory));
    for (const options of [['--no-cache'], ['-d', 'unimp', '-D', join(folder, 'log')]]) {
      const each = await counted(directory, options);
      expect(each).toMatchObject({ blocksFromCache: 0, blocksKept: 0 });
      expect(each.prepared).toBeGreaterThan(50);
    }
    expect(readFileSync(theFile(directory)).equals(before)).toBe(true);
  });

  test('is known by its path, and its code is looked at', patience, async () => {
    const directory = freshDirectory();
    const path = join(folder, 'program');
    const install = (name: string): void => {
      copyFileSync(binaryPath(name), path);
      chmodSync(path, 0o755);
    };
    install('benchmarks');
    const first = await counted(directory, [], [path]);
    expect((await counted(directory, [], [path])).blocksFromCache).toBe(first.prepared);
    install('hello');
    const other = await counted(directory, [], [path]);
    expect(other.stdout).not.toBe(first.stdout);
    expect(other.blocksFromCache).toBe(0);
    // It ran no block often enough to leave anything.
    expect(other.blocksKept).toBe(0);
    install('benchmarks');
    expect((await counted(directory, [], [path])).stdout).toBe(first.stdout);
  });
});

test('files that are cut, damaged or of another kind are replaced', patience, async () => {
  const directory = freshDirectory();
  const { stdout, prepared } = await counted(directory);
  const file = theFile(directory);
  const whole = readFileSync(file);
  const damaged = (at: number): Buffer => {
    const bytes = Buffer.from(whole);
    bytes[at] ^= 0x20;
    return bytes;
  };
  const contents: readonly [what: string, bytes: Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['cut', whole.subarray(0, whole.length - 8)],
    ['cut in half', whole.subarray(0, whole.length >> 1)],
    ['of another kind', Buffer.from('#!/bin/sh\necho something else!\n'.repeat(200))],
    ['zeroes', Buffer.alloc(4096)],
    ['damaged in the header', damaged(9)],
    ['damaged in the code', damaged(whole.length >> 2)],
    ['damaged in the guest code', damaged((whole.length >> 1) - 9)],
    ['damaged in the second half', damaged(whole.length - 50)],
  ];
  for (const [what, bytes] of contents) {
    writeFileSync(file, bytes);
    const after = await counted(directory);
    expect(after, what).toMatchObject({ stdout, prepared, blocksFromCache: 0, blocksKept: prepared });
    expect(readFileSync(file).equals(whole), what).toBe(true);
  }
});

const shared = freshDirectory();
const programs = Map.groupBy(computingCases, (one) => one.program);
const sharing = computingCases.filter((one) => programs.get(one.program)!.length > 1);
runsCases('auto', sharing, cachingCommand('auto', shared));

test('the cases have kept their blocks together', () => {
  const files = readdirSync(shared).filter((name) => name.endsWith('.blocks'));
  expect(files.length).toBe(new Set(sharing.map((one) => one.program)).size);
});
