/**
 * Debian's busybox-static for i386 and amd64 on real files, against the same file on the processor itself. Downloaded from
 * the archive, not installed; where the archive cannot be reached, the comparison is left out.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binaryPath } from '../guests/programs.ts';
import { run, runsNatively, steleCommand } from './run-guest.ts';

const archive = 'http://deb.debian.org/debian/pool/main/b/busybox/';
const version = '1.35.0-4+deb12u1+b1';
const packages = {
  i386: '725ef9e6fbac4ab79b353165b05005e8c140d6e42177ebbc202ff1e13ded8b7c',
  amd64: '3d3fdbe91d4660c873e14b092c213fe81c1da6362daa236eb25d0171eb108744',
} as const;
type Architecture = keyof typeof packages;
const guests = { i386: 'i386', amd64: 'x86-64' } as const;
const seconds = 30;

const directory = mkdtempSync(join(tmpdir(), 'stele-busybox-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const folder = join(directory, 'files');

/** Downloads and unpacks a package. @returns the program, or why there is none */
async function download(architecture: Architecture): Promise<{ program: string } | { reason: string }> {
  if (!runsNatively(binaryPath(`${guests[architecture]}/bare`)))
    return { reason: 'this host does not run its programs' };
  const name = `busybox-static_${version}_${architecture}.deb`;
  let bytes: Uint8Array;
  try {
    const response = await fetch(archive + name, { signal: AbortSignal.timeout(seconds * 1000) });
    if (!response.ok) return { reason: `${archive}${name}: ${response.status}` };
    bytes = await response.bytes();
  } catch (error) {
    return { reason: `${archive}: ${(error as Error).message}` };
  }
  const digest = createHash('sha256').update(bytes).digest('hex');
  if (digest !== packages[architecture])
    throw new Error(`${name} is not the file that it was: its SHA-256 is ${digest}`);
  const file = join(directory, name);
  writeFileSync(file, bytes);
  const target = join(directory, architecture);
  const unpacked = spawnSync('dpkg-deb', ['-x', file, target]);
  if (unpacked.status !== 0) return { reason: 'dpkg-deb is not installed' };
  return { program: join(target, 'bin/busybox') };
}

const found = {
  i386: await download('i386'),
  amd64: await download('amd64'),
};

/** Real files: sources of ours, and a large one made of them. */
beforeAll(() => {
  mkdirSync(join(folder, 'deep/er'), { recursive: true });
  const sources = join(import.meta.dirname, '../../src/linux');
  for (const name of ['poll.ts', 'stat.ts', 'run.ts']) cpSync(join(sources, name), join(folder, name));
  cpSync(join(import.meta.dirname, '../../README.md'), join(folder, 'deep/er/README.md'));
  const text = ['poll.ts', 'stat.ts', 'run.ts'].map((name) => readFileSync(join(folder, name), 'utf8')).join('');
  writeFileSync(join(folder, 'large'), text.repeat(12));
  utimesSync(join(folder, 'large'), 1_700_000_000, 1_600_000_000);
});

/** Applets with their arguments. */
// biome-ignore format: one row per line
const commands: readonly (readonly string[])[] = [
  ['sha256sum', 'large', 'poll.ts', 'missing'],
  ['sort', 'stat.ts'],
  ['sort', '-rn', '-k2', 'deep/er/README.md'],
  ['awk', '{ n += NF; if (length($0) > m) m = length($0) } END { print NR, n, m, n / NR, sin(NR) }', 'poll.ts'],
  ['gzip', '-c', '-9', 'large'],
  ['ls', '-la', '.', 'deep'],
  ['seq', '-w', '1', '7', '5000'],
  ['wc', 'poll.ts', 'stat.ts', 'large'],
  ['grep', '-nE', '^(export )?function [a-z]+', 'poll.ts', 'run.ts'],
  ['expr', '(', '17', '*', '23', ')', '%', '100'],
  ['expr', 'length of' , ':', '.*of'],
  ['dd', 'if=large', 'bs=1000', 'skip=3', 'count=2'],
  ['find', '.', '-name', '*.ts', '-size', '+10'],
  ['bc'],
];

test('Debian’s busybox is compared with the processor, or left out', () => {
  for (const [architecture, result] of Object.entries(found)) {
    if ('reason' in result) console.info(`Not compared: busybox-static for ${architecture} (${result.reason})`);
  }
  expect(commands.length).toBeGreaterThan(10);
});

for (const [architecture, result] of Object.entries(found)) {
  if ('reason' in result) continue;
  describe(`busybox-static for ${architecture}`, () => {
    test.each(commands.map((args) => ({ args })))('$args', { timeout: 120_000 }, async ({ args }) => {
      const options = { cwd: folder, stdin: 'scale = 30; 4 * a(1); 2 ^ 200\n', environment: { TZ: 'UTC' } };
      const [native, stele] = [
        await run([result.program, ...args], options),
        await run([...steleCommand('auto'), result.program, ...args], options),
      ];
      expect(stele.stdout.equals(native.stdout)).toBe(true);
      expect(stele.status).toBe(native.status);
      // dd tells how long it took.
      if (args[0] !== 'dd') expect(stele.stderr).toBe(native.stderr);
    });
  });
}
