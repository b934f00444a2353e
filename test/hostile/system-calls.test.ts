/**
 * Every system call with arguments that make no sense: pointers where nothing is mapped, that may not be written, that reach into
 * such a page or around the end of memory; lengths and counts of all sizes. Each call answers; none throws or waits for ever.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ArgumentKind, SystemCallRow } from '../../src/linux/system-call.ts';
import { systemCalls } from '../../src/linux/table.ts';
import { protection } from '../../src/memory/guest-memory.ts';
import { generator, seed } from '../float/cases.ts';
import { below, oneIn, pick, type Random } from '../fuzz/instructions.ts';
import { createProcess, type TestProcess } from '../linux/process-guest.ts';

const calls = 40;
/** Milliseconds that a call which waits may take to see that the process has ended. */
const patience = 3000;

const folder = mkdtempSync(join(tmpdir(), 'stele-hostile-'));
const start = process.cwd();
beforeAll(() => process.chdir(folder));
afterAll(() => {
  process.chdir(start);
  rmSync(folder, { recursive: true });
});

const writable = 0x20000000;
const readOnly = 0x20004000;
const text = 0x20006000;
const empty = text + 0x100;

/** Calls that end the process, or change its memory under the test: they get a process of their own afterwards. */
const changes = /^(exit|exit_group|brk|mmap2?|munmap|mprotect|mremap|.*sigreturn|close_range|swapcontext)$/;

/** Calls that do as they are told with a valid file, at a price: only file descriptors that are not open. */
const costly =
  /^(fallocate|ftruncate|ftruncate64|flock|copy_file_range|sendfile|sendfile64|splice|tee|pwrite.*|lseek|_llseek)$/;

interface Guest extends TestProcess {
  /** Descriptors: of a small file, of the two ends of a pipe, and some that are not open. */
  readonly descriptors: readonly number[];
}

function createGuest(): Guest {
  const guest = createProcess();
  const { memory } = guest;
  memory.map(writable, 0x2000, protection.read | protection.write);
  memory.map(readOnly, 0x1000, protection.read);
  memory.map(text, 0x1000, protection.read | protection.write);
  memory.writeBytes(text, new TextEncoder().encode('no-such-folder/no-such-file\0'));
  writeFileSync(join(folder, 'file'), 'some text in a file\n');
  memory.writeBytes(text + 0x200, new TextEncoder().encode('file\0'));
  const file = guest.call('open', text + 0x200, 2, 0);
  expect(guest.call('pipe', writable)).toBe(0);
  const pipe = [memory.readU32(writable), memory.readU32(writable + 4)];
  return { ...guest, descriptors: [file, ...pipe, 77, -1, 0x7fffffff] };
}

const badPointers = [
  0,
  1,
  0xfff,
  0x50000000,
  0x7ffffffe,
  0x80000000,
  0xfffff000,
  0xfffffffc,
  0xffffffff,
  writable + 0x2000,
];

function pointer(next: Random): number {
  switch (below(next, 6)) {
    case 0:
      return writable + (next() & 0x1ff8);
    case 1:
      return writable + (next() & 0x1fff);
    case 2:
      return writable + 0x2000 - (next() & 31);
    case 3:
      return readOnly + (next() & 0xfff);
    default:
      return pick(next, badPointers);
  }
}

const sizes = [0, 1, 4, 8, 16, 100, 0xfff, 0x1000, 0x2000, 0x10000, 0x7fffffff, 0x80000000, 0xfffff000, 0xffffffff];

function argument(next: Random, kind: ArgumentKind, row: SystemCallRow, { descriptors }: Guest): number[] {
  switch (kind) {
    case 'path':
    case 'string':
      // What exists must not be named: these calls are made for real.
      return [pick(next, [text, empty, ...badPointers])];
    case 'fd':
    case 'atfd':
      return [costly.test(row.name) ? pick(next, [-1, 77]) : pick(next, descriptors)];
    case 'i64':
    case 'u64':
      return [pick(next, [0, 0, 0xffffffff, 0x7fffffff]), pick(next, [0, 1, 0x1000, 0xffffffff])];
    case 'size':
      return [pick(next, sizes)];
    case 'signal':
      return [below(next, 70) - 2];
    case 'int':
    case 'uint':
      // Small numbers choose what to do, large ones are counts.
      return [oneIn(next, 3) ? pick(next, sizes) : below(next, 24) - 2];
    case 'hex':
    case 'octal':
      return [oneIn(next, 2) ? below(next, 16) : next()];
    case 'ioctl':
      return [pick(next, [0x5401, 0x5413, 0x541b, 0x40087468, 0x402c7413, next()])];
    case 'fcntl':
      return [below(next, 20)];
    default:
      if (kind.startsWith('flags') || kind === 'whence') return [oneIn(next, 2) ? below(next, 16) : next()];
      return [pointer(next)];
  }
}

/** Arguments as registers hold them: pairs begin at odd registers (r3, r5, r7). */
function registers(next: Random, row: SystemCallRow, guest: Guest): number[] {
  const values: number[] = [];
  for (const kind of row.arguments) {
    const words = argument(next, kind, row, guest);
    if (words.length === 2 && values.length % 2 === 1) values.push(next());
    values.push(...words);
  }
  return values.slice(0, 6);
}

/** Ends a process whose call waits, and sees the wait end. */
async function endWait(guest: Guest): Promise<void> {
  await guest.system.advance(2e9);
  guest.process.exit({ kind: 'exit', code: 0 });
  guest.thread.review();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('the call goes on waiting')), patience);
  });
  await Promise.race([guest.thread.waiting, late]).finally(() => clearTimeout(timer));
}

const rows = systemCalls.filter(({ numbers }) => numbers.powerpc !== undefined);

test('every system call answers whatever its arguments are', { timeout: 120_000 }, async () => {
  const next = generator(seed);
  let guest = createGuest();
  let faults = 0;
  for (const row of rows) {
    for (let i = 0; i < calls; i++) {
      // Structures in guest memory hold anything.
      for (let at = 0; at < 0x40; at += 4)
        guest.memory.writeU32(writable + (next() & 0x1ffc), pick(next, [next(), ...sizes]));
      const args = registers(next, row, guest);
      const what = `SEED=${seed}: ${row.name}(${args.map((value) => `0x${(value >>> 0).toString(16)}`).join(', ')})`;
      let waits = false;
      try {
        guest.begin(row.name, args);
        waits = guest.thread.waiting !== undefined;
        if (waits) await endWait(guest);
      } catch (error) {
        throw new Error(what, { cause: error });
      }
      const { state } = guest;
      if (state.get('cr0.so') !== 0 && !changes.test(row.name)) {
        expect(state.get('r3'), what).toBeGreaterThan(0);
        expect(state.get('r3'), what).toBeLessThan(600);
        if (state.get('r3') === 14) faults++;
      }
      if (waits || changes.test(row.name) || guest.process.exitStatus !== undefined) guest = createGuest();
    }
  }
  // Bad pointers were noticed.
  expect(faults).toBeGreaterThan(rows.length);
});
