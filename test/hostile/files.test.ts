/** `stele run` on files that are no programs, or programs that it cannot run: one line that says so, never a stack trace. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { ElfError } from '../../src/elf/elf-error.ts';
import { loadElf } from '../../src/elf/load-elf.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { buildElf } from '../elf/build-elf.ts';
import { generator, seed } from '../float/cases.ts';
import { binaryPath } from '../guests/programs.ts';
import { run, steleCommand } from '../programs/run-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-files-'));
afterAll(() => rmSync(folder, { recursive: true }));

const code = { address: 0x10000000, bytes: Uint8Array.of(0x44, 0, 0, 2), flags: 5 };
const interpreter = { address: 0x10001000, bytes: new TextEncoder().encode('/lib/ld.so.1\0'), flags: 4, type: 3 };
const hello = readFileSync(binaryPath('hello'));

function garbage(length: number): Uint8Array {
  const next = generator(seed);
  return Uint8Array.from({ length }, () => next() & 255);
}

// biome-ignore format: one row per line
const files: readonly [what: string, contents: Uint8Array][] = [
  ['nothing', new Uint8Array(0)],
  ['random bytes', garbage(5000)],
  ['random bytes behind the magic number', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, ...garbage(5000))],
  ['a cut magic number', hello.subarray(0, 3)],
  ['a cut header', hello.subarray(0, 40)],
  ['cut segments', hello.subarray(0, 100)],
  ['text', new TextEncoder().encode('hello, world\n')],
  ['an AArch64 program', buildElf({ addressBits: 64, byteOrder: 'little', machine: 183, segments: [code] })],
  ['an x86-64 program of 32 bits (x32)', buildElf({ byteOrder: 'little', machine: 62, segments: [code] })],
  ['an i386 program of 64 bits', buildElf({ addressBits: 64, byteOrder: 'little', machine: 3, segments: [code] })],
  ['a little-endian PowerPC program', buildElf({ byteOrder: 'little', segments: [code] })],
  ['a program with an interpreter', buildElf({ segments: [code, interpreter] })],
  ['an object file', buildElf({ type: 1, segments: [code] })],
  ['no segments', buildElf({ entry: 0x10000000, segments: [] })],
  ['a segment larger than memory', buildElf({ segments: [{ ...code, memorySize: 0xf0000000 }] })],
  ['a segment at zero', buildElf({ segments: [{ ...code, address: 0 }] })],
];

test.each(files)('%s: not a program', (_what, contents) => {
  const load = (): unknown => loadElf(readElf(contents), new AddressSpace('big'), 'program');
  expect(load).toThrow(ElfError);
  expect(load).toThrow(/^[^\n]+$/);
});

/** Each of these starts a process, so not all of the files. */
const started = ['nothing', 'random bytes', 'random bytes behind the magic number', 'a program with an interpreter'];

test('files and devices that cannot be run are refused in one line', { timeout: 60_000 }, async () => {
  const paths = started.map((what) => {
    const path = join(folder, what);
    writeFileSync(path, files.find(([name]) => name === what)![1], { mode: 0o755 });
    return path;
  });
  for (const path of [...paths, '/dev/null', '/proc/self/mem']) {
    const { status, stdout, stderr } = await run([...steleCommand('auto'), path]);
    expect({ path, status, stdout: stdout.toString() }).toEqual({ path, status: 126, stdout: '' });
    expect(stderr, path).toMatch(/^stele: [^\n]+\n$/);
    expect(stderr).toContain(path);
  }
});
