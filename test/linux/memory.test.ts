import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errno } from '../../src/linux/errno.ts';
import { createProcess, programAddress, programSize, type TestProcess } from './process-guest.ts';

const page = 4096;
const readWrite = 3;
const anonymous = 0x22;
const fixed = 0x10;
const noReplace = 0x100000;
const none = 0xffffffff;
const heapStart = programAddress + programSize;

let guest: TestProcess;
beforeEach(() => {
  guest = createProcess();
});

const map = (size: number, flags = anonymous, address = 0, prot = readWrite) =>
  guest.call('mmap2', address, size, prot, flags, none, 0);

describe('brk', () => {
  test('grows in bytes, shrinks, and answers a wish it cannot meet with the break as it is', () => {
    expect(guest.call('brk', 0)).toBe(heapStart);
    expect(guest.call('brk', heapStart + 5000)).toBe(heapStart + 5000);
    guest.memory.writeU32(heapStart + 8188, 7);
    expect(() => guest.memory.writeU32(heapStart + 8192, 7)).toThrow();
    expect(guest.call('brk', heapStart + 10)).toBe(heapStart + 10);
    expect(() => guest.memory.readU32(heapStart + 4096)).toThrow();
    expect(guest.call('brk', heapStart - 1)).toBe(heapStart + 10);
    expect(guest.call('brk', 0x7ff00000)).toBe(heapStart + 10);
  });
  test('memory that comes back is zero', () => {
    guest.call('brk', heapStart + page);
    guest.memory.writeU32(heapStart, 1);
    guest.call('brk', heapStart);
    guest.call('brk', heapStart + page);
    expect(guest.memory.readU32(heapStart)).toBe(0);
  });
  test('does not run into a mapping', () => {
    map(page, anonymous | fixed, heapStart + 4 * page);
    expect(guest.call('brk', heapStart + 5 * page)).toBe(heapStart);
    expect(guest.call('brk', heapStart + 2 * page)).toBe(heapStart + 2 * page);
  });
  test('obeys RLIMIT_DATA', () => {
    guest.memory.writeU32(programAddress, programSize + page + 8 * 1024 * 1024);
    guest.memory.writeU32(programAddress + 4, 0xffffffff);
    expect(guest.call('setrlimit', 2, programAddress)).toBe(0);
    expect(guest.call('brk', heapStart + 3 * 8 * 1024 * 1024)).toBe(heapStart);
    expect(guest.call('brk', heapStart + page)).toBe(heapStart + page);
  });
});

describe('mmap', () => {
  test('gives zeroed pages from the top down', () => {
    const first = map(page + 1);
    const second = map(page);
    expect(first % page).toBe(0);
    expect(second).toBe(first - page);
    expect(guest.memory.readU32(first + page)).toBe(0);
    expect(guest.memory.find(first)?.protection).toBe(readWrite);
  });
  test('takes a hint that is free and rounds it up', () => {
    expect(map(page, anonymous, 0x30000123)).toBe(0x30001000);
    expect(map(page, anonymous, 0x30001000)).not.toBe(0x30001000);
  });
  test('MAP_FIXED replaces, MAP_FIXED_NOREPLACE does not', () => {
    const place = map(3 * page);
    guest.memory.writeU32(place + page, 9);
    expect(map(page, anonymous | noReplace, place + page)).toBe(-errno.EEXIST);
    expect(map(page, anonymous | fixed, place + page)).toBe(place + page);
    expect(guest.memory.readU32(place + page)).toBe(0);
  });
  const address = 0x30000000;
  // biome-ignore format: one row per line
  const failures: [string, number[], number][] = [
    ['no length',            [0, 0, 3, anonymous, none, 0],                  errno.EINVAL],
    ['neither kind',         [0, page, 3, 0x20, none, 0],                    errno.EINVAL],
    ['unknown protection',   [0, page, 0x40, anonymous, none, 0],            errno.EINVAL],
    ['a length beyond all',  [0, 0xfffff000, 3, anonymous, none, 0],         errno.ENOMEM],
    ['a fixed odd address',  [address + 1, page, 3, anonymous | fixed, none, 0], errno.EINVAL],
    ['a fixed place too high', [0x7f000000, page, 3, anonymous | fixed, none, 0], errno.ENOMEM],
    ['a fixed place too low', [page, page, 3, anonymous | fixed, none, 0],   errno.EPERM],
    ['a closed descriptor',  [0, page, 3, 2, 99, 0],                         errno.EBADF],
  ];
  test.each(failures)('%s', (_, args, error) => {
    expect(guest.call('mmap2', ...args)).toBe(-error);
  });
  test('obeys RLIMIT_AS', () => {
    guest.memory.writeU32(programAddress, 32 << 20);
    guest.memory.writeU32(programAddress + 4, 0xffffffff);
    expect(guest.call('setrlimit', 9, programAddress)).toBe(0);
    expect(map(64 << 20)).toBe(-errno.ENOMEM);
    expect(map(page)).toBeGreaterThan(0);
  });
  test('munmap makes holes, and what it does not find is no error', () => {
    const place = map(3 * page);
    expect(guest.call('munmap', place + page, page)).toBe(0);
    expect(guest.call('munmap', place + page, page)).toBe(0);
    expect(guest.memory.find(place + page)).toBeUndefined();
    expect(guest.memory.find(place + 2 * page)).toBeDefined();
    expect(guest.call('munmap', place + 1, page)).toBe(-errno.EINVAL);
    expect(guest.call('munmap', place, 0)).toBe(-errno.EINVAL);
  });
});

describe('mprotect, mremap, madvise and their kin', () => {
  test('mprotect changes what it can before a hole', () => {
    const place = map(3 * page);
    guest.call('munmap', place + 2 * page, page);
    expect(guest.call('mprotect', place + page, 2 * page, 1)).toBe(-errno.ENOMEM);
    expect(guest.memory.find(place + page)?.protection).toBe(1);
    expect(guest.call('mprotect', place + 1, page, 1)).toBe(-errno.EINVAL);
    expect(guest.call('mprotect', place, 0, 1)).toBe(0);
  });
  test('writable and executable pages are readable', () => {
    const place = map(page, anonymous, 0, 2);
    expect(guest.memory.find(place)?.protection).toBe(3);
    guest.call('mprotect', place, page, 4);
    expect(guest.memory.find(place)?.protection).toBe(5);
  });
  test('mremap grows in place, moves, and shrinks', () => {
    const wall = map(page);
    const place = map(page);
    expect(wall).toBe(place + page);
    guest.memory.writeU32(place, 77);
    expect(guest.call('mremap', place, page, 2 * page, 0)).toBe(-errno.ENOMEM);
    const moved = guest.call('mremap', place, page, 3 * page, 1);
    expect(guest.memory.readU32(moved)).toBe(77);
    expect(guest.memory.readU32(moved + 2 * page)).toBe(0);
    expect(guest.memory.find(place)).toBeUndefined();
    expect(guest.call('mremap', moved, 3 * page, page, 0)).toBe(moved);
    expect(guest.memory.find(moved + page)).toBeUndefined();
    expect(guest.call('mremap', moved, page, 2 * page, 0)).toBe(moved);
  });
  test('mremap to a fixed place replaces what is there', () => {
    const place = map(page);
    guest.memory.writeU32(place, 5);
    const target = 0x30000000;
    map(2 * page, anonymous | fixed, target);
    expect(guest.call('mremap', place, page, 2 * page, 3, target)).toBe(target);
    expect(guest.memory.readU32(target)).toBe(5);
  });
  test('mremap refuses what the kernel refuses', () => {
    const place = map(page);
    expect(guest.call('mremap', place + 1, page, page, 1)).toBe(-errno.EINVAL);
    expect(guest.call('mremap', place, page, 0, 1)).toBe(-errno.EINVAL);
    expect(guest.call('mremap', place, page, page, 2, place)).toBe(-errno.EINVAL);
    expect(guest.call('mremap', 0x30000000, page, 2 * page, 1)).toBe(-errno.EFAULT);
  });
  test('MADV_DONTNEED zeroes private memory, other advice changes nothing', () => {
    const place = map(2 * page);
    guest.memory.writeU32(place, 1);
    guest.memory.writeU32(place + page, 2);
    expect(guest.call('madvise', place, page, 3)).toBe(0);
    expect(guest.memory.readU32(place)).toBe(1);
    expect(guest.call('madvise', place, page, 4)).toBe(0);
    expect([guest.memory.readU32(place), guest.memory.readU32(place + page)]).toEqual([0, 2]);
    expect(guest.call('madvise', place, page, 99)).toBe(-errno.EINVAL);
    expect(guest.call('madvise', 0x30000000, page, 3)).toBe(-errno.ENOMEM);
  });
  test('mincore, mlock and msync tell mapped memory from holes', () => {
    const place = map(2 * page);
    expect(guest.call('mincore', place, 2 * page, programAddress)).toBe(0);
    expect([...guest.memory.readBytes(programAddress, 3)]).toEqual([1, 1, 0]);
    expect(guest.call('mincore', 0x30000000, page, programAddress)).toBe(-errno.ENOMEM);
    expect(guest.call('mlock', place + 5, 10)).toBe(0);
    expect(guest.call('mlock', 0x30000000, 10)).toBe(-errno.ENOMEM);
    expect(guest.call('msync', place, page, 5)).toBe(-errno.EINVAL);
    expect(guest.call('msync', place, page, 4)).toBe(0);
    expect(guest.call('msync', 0x30000000, page, 4)).toBe(-errno.ENOMEM);
  });
});

describe('mapped files', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'stele-memory-'));
    path = join(folder, 'file');
    writeFileSync(path, 'contents of the file');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const open = (access: { read: boolean; write: boolean }): number => {
    const descriptor = openSync(path, access.write ? 'r+' : 'r');
    const file = guest.files.wrap(descriptor, 0o100600, access.write ? 2 : 0, access);
    return guest.files.add(file, false, 3, 100);
  };
  const text = (address: number, length: number) => new TextDecoder().decode(guest.memory.readBytes(address, length));

  test('a private mapping holds the contents and keeps its changes', () => {
    const place = guest.call('mmap2', 0, page, 3, 2, open({ read: true, write: false }), 0);
    expect(text(place, 20)).toBe('contents of the file');
    guest.memory.writeU8(place, 0x43);
    guest.call('munmap', place, page);
    expect(readFileSync(path, 'utf8')).toBe('contents of the file');
  });
  test('changes of a shared mapping reach the file at msync, munmap and exit, and do not lengthen it', () => {
    const descriptor = open({ read: true, write: true });
    const place = guest.call('mmap2', 0, page, 3, 1, descriptor, 0);
    expect(guest.call('close', descriptor)).toBe(0);
    guest.memory.writeU8(place, 0x43);
    guest.memory.writeU8(place + 100, 0x43);
    expect(guest.call('msync', place, page, 4)).toBe(0);
    expect(readFileSync(path, 'utf8')).toBe('Contents of the file');
    guest.memory.writeU8(place + 1, 0x4f);
    guest.process.exit({ kind: 'exit', code: 0 });
    expect(readFileSync(path, 'utf8')).toBe('COntents of the file');
  });
  test('a shared mapping cannot become writable without the right to write', () => {
    const descriptor = open({ read: true, write: false });
    expect(guest.call('mmap2', 0, page, 3, 1, descriptor, 0)).toBe(-errno.EACCES);
    const place = guest.call('mmap2', 0, page, 1, 1, descriptor, 0);
    expect(place).toBeGreaterThan(0);
    expect(guest.call('mprotect', place, page, 3)).toBe(-errno.EACCES);
  });
  test('what cannot be mapped', () => {
    const descriptor = openSync(folder, 'r');
    const directory = guest.files.add(
      guest.files.wrap(descriptor, 0o040700, 0, { read: true, write: false }),
      false,
      3,
      100,
    );
    expect(guest.call('mmap2', 0, page, 1, 2, directory, 0)).toBe(-errno.ENODEV);
    expect(guest.call('close', directory)).toBe(0);
    expect(() => closeSync(descriptor)).toThrow();
  });
});

describe('where a stack can grow, faults are precise', () => {
  const growsDown = 0x100;
  const stack = 0x30000000;
  let asked = 0;
  beforeEach(() => {
    map(4 * page, anonymous | fixed | growsDown, stack);
    asked = 0;
    guest.process.requirePreciseFaults = () => {
      asked++;
    };
  });

  test.each([
    ['mmap of one that grows', 1, () => map(page, anonymous | growsDown)],
    ['mmap of one that does not', 0, () => map(page, anonymous)],
    ['munmap of its lowest pages', 1, () => guest.call('munmap', stack, 2 * page)],
    ['munmap of what lies below it', 1, () => guest.call('munmap', stack - page, page)],
    ['munmap of all of it', 0, () => guest.call('munmap', stack, 4 * page)],
    ['mremap of its lowest page', 1, () => guest.call('mremap', stack, page, 2 * page, 1)],
    ['mremap that shrinks what lies below', 0, () => guest.call('mremap', stack, 4 * page, page, 0)],
  ])('%s', (_what, times, call) => {
    expect(call()).toBeGreaterThanOrEqual(0);
    expect(asked).toBe(times);
  });

  test('a higher limit, not a lower one', () => {
    const setStack = (size: number): number => {
      guest.memory.writeU32(programAddress, size);
      guest.memory.writeU32(programAddress + 4, 0xffffffff);
      return guest.call('setrlimit', 3, programAddress);
    };
    expect([setStack(1 << 20), asked]).toEqual([0, 0]);
    expect([setStack(2 << 20), asked]).toEqual([0, 1]);
  });
});
