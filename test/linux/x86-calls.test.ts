/** Calls of i386 and x86-64 programs: arguments, results, structures, and what only these ABIs have. */
import { mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { auxiliary as a } from '../../src/linux/abi/auxiliary.ts';
import { errno } from '../../src/linux/errno.ts';
import { infinity, resource } from '../../src/linux/limits.ts';
import { cpuid } from '../../translators/x86/features.ts';
import { createProcess, programAddress, setWord, type TestProcess, wordOf } from './process-guest.ts';

const directory = mkdtempSync(join(tmpdir(), 'stele-calls-'));
afterAll(() => rmSync(directory, { recursive: true }));
const scratch = programAddress + 0x1000;
const at = (offset: number): number => scratch + offset;

let guest: TestProcess;
const text = (address: number, value: string): number => {
  guest.memory.writeBytes(address, new TextEncoder().encode(`${value}\0`));
  return address;
};
const words32 = (address: number, values: readonly number[]): number => {
  values.forEach((value, i) => {
    guest.memory.writeU32(address + i * 4, value);
  });
  return address;
};

describe.each(['i386', 'x86-64'] as const)('%s: the first instruction', (abi) => {
  const wordSize = abi === 'i386' ? 4 : 8;
  const process = createProcess({ abi, arguments: ['name', 'one'], environment: ['A=1'] });
  const { memory, state } = process;
  const read = (address: number) => (wordSize === 4 ? memory.readU32(address) : Number(memory.readU64(address)));
  const pointer = wordOf(state, abi === 'i386' ? 'esp' : 'rsp');

  test('the stack pointer is a multiple of 16 and leads to argc, argv, environment and auxiliary vector', () => {
    expect(pointer % 16).toBe(0);
    const words = Array.from({ length: 6 }, (_, i) => read(pointer + i * wordSize));
    expect([words[0], words[3], words[5]]).toEqual([2, 0, 0]);
    const strings = [words[1], words[2], words[4]].map((address) =>
      new TextDecoder().decode(memory.readString(address)),
    );
    expect(strings).toEqual(['name', 'one', 'A=1']);
    expect(read(memory.limit - wordSize)).toBe(0);
    const vector = new Map<number, number>();
    let place = pointer + 6 * wordSize;
    for (; read(place) !== 0; place += 2 * wordSize) vector.set(read(place), read(place + wordSize));
    // Without a vDSO the vector begins with the size of signal frames.
    expect([...vector.keys()].slice(0, 4)).toEqual([a.AT_MINSIGSTKSZ, a.AT_HWCAP, a.AT_PAGESZ, a.AT_CLKTCK]);
    expect(new TextDecoder().decode(memory.readString(vector.get(a.AT_PLATFORM) ?? 0))).toBe(
      abi === 'i386' ? 'i686' : 'x86_64',
    );
    expect(vector.has(a.AT_BASE_PLATFORM)).toBe(false);
    expect(process.files.proc.program?.stackPointer).toBe(pointer);
  });

  test('AT_HWCAP and /proc/cpuinfo tell what cpuid does', () => {
    const is64 = abi === 'x86-64';
    const target = process.files.abi;
    expect(target.start.capabilities[0] >>> 0).toBe(cpuid(is64, 1, 0)[3] >>> 0);
    const text = target.processorInfo(2);
    expect(text.match(/^processor\t: \d$/gm)).toEqual(['processor\t: 0', 'processor\t: 1']);
    const flags = /^flags\t\t: (.*)$/m.exec(text)?.[1].split(' ') ?? [];
    expect(flags).toEqual(expect.arrayContaining(['fpu', 'sse2', 'ssse3', 'sse4_2', 'popcnt', 'aes', 'pclmulqdq']));
    expect(flags).not.toContain('avx');
    expect(flags.includes('lm')).toBe(is64);
  });

  test('general registers are 0, segments are flat', () => {
    const general = abi === 'i386' ? ['eax', 'ebp', 'edi'] : ['rax', 'rdx', 'rbp', 'r15', 'fs.base'];
    expect(general.map((name) => wordOf(state, name))).toEqual(general.map(() => 0));
    const selectors = ['cs', 'ss', 'ds', 'es', 'fs', 'gs'].map((name) => state.get(name));
    expect(selectors).toEqual(abi === 'i386' ? [0x23, 0x2b, 0x2b, 0x2b, 0, 0] : [0x33, 0x2b, 0, 0, 0, 0]);
    expect(state.pc).toBe(programAddress + 0x100);
  });
});

describe('i386', () => {
  beforeEach(() => {
    guest = createProcess({ abi: 'i386' });
  });

  test('a 64-bit argument takes any two registers, low word first', () => {
    const path = join(directory, 'wide');
    writeFileSync(path, '');
    const file = guest.call('open', text(scratch, path), 2, 0);
    // Descriptor, low and high word.
    expect(guest.call('ftruncate64', file, 5, 1)).toBe(0);
    expect(statSync(path).size).toBe(2 ** 32 + 5);
    truncateSync(path, 0);
    expect(guest.call('pwrite64', file, text(at(0x200), 'xyz'), 3, 7, 0)).toBe(3);
    expect(statSync(path).size).toBe(10);
    expect(guest.call('fadvise64_64', file, 0, 0, 0, 0, 6)).toBe(-errno.EINVAL);
    expect(guest.call('fadvise64_64', file, 0, 0, 6, 0, 0)).toBe(0);
  });

  test('errors come back negative in eax', () => {
    guest.begin('close', [99]);
    expect(guest.state.get('eax')).toBe(-errno.EBADF);
  });

  test('mmap takes its arguments through memory, mmap2 an offset in pages', () => {
    const path = join(directory, 'mapped');
    writeFileSync(path, `${'a'.repeat(4096)}second`);
    const file = guest.call('open', text(scratch, path), 0, 0);
    const arguments_ = words32(at(0x400), [0, 4096, 1, 2, file, 4096]);
    const entry = guest.dispatcher.table[90];
    expect([entry?.row.name, guest.dispatcher.table[192]?.row.name]).toEqual(['mmap', 'mmap2']);
    setWord(guest.state, 'eax', 90);
    setWord(guest.state, 'ebx', arguments_);
    guest.dispatcher.dispatch();
    const first = wordOf(guest.state, 'eax');
    const second = guest.call('mmap2', 0, 4096, 1, 2, file, 1);
    for (const place of [first, second]) {
      expect(new TextDecoder().decode(guest.memory.readBytes(place, 6))).toBe('second');
    }
  });

  test('select takes its arguments through memory', () => {
    const [set, time] = [words32(at(0x100), [1 << 9]), words32(at(0x180), [0, 0])];
    setWord(guest.state, 'eax', 82);
    setWord(guest.state, 'ebx', words32(scratch, [10, set, 0, 0, time]));
    guest.dispatcher.dispatch();
    expect(guest.result()).toBe(-errno.EBADF);
  });

  test('users have 16 bits in the first calls and 32 in the later ones', () => {
    const { system } = guest;
    system.credentials = () => ({ uid: 100_000, effectiveUid: 7, gid: 8, effectiveGid: 9, groups: [70_000, 5] });
    expect([24, 199, 49, 201].map((number) => callNumber(number))).toEqual([65534, 100_000, 7, 7]);
    guest.memory.fill(scratch, 64, 0xaa);
    expect(callNumber(165, scratch, at(8), at(16))).toBe(0);
    expect([scratch, at(2), at(8), at(16)].map((place) => guest.memory.readU16(place))).toEqual([65534, 0xaaaa, 7, 7]);
    expect(callNumber(80, 2, scratch)).toBe(2);
    expect([0, 2, 4].map((offset) => guest.memory.readU16(at(offset)))).toEqual([65534, 5, 0xaaaa]);
    expect(callNumber(205, 2, scratch)).toBe(2);
    expect([0, 4].map((offset) => guest.memory.readU32(at(offset)))).toEqual([70_000, 5]);
    // -1 keeps an id: in 16 bits, whatever is above.
    expect(callNumber(70, 0xffff, 7)).toBe(0);
    expect(callNumber(203, 0xffff, 7)).toBe(-errno.EPERM);
  });

  test('struct stat has 16-bit users, struct stat64 the inode at its end', () => {
    const path = join(directory, 'status');
    writeFileSync(path, 'twelve bytes');
    const { ino, uid } = statSync(path, { bigint: true });
    expect(guest.call('stat', text(scratch, path), at(0x200))).toBe(0);
    expect(guest.memory.readU32(at(0x200 + 20))).toBe(12);
    expect(guest.memory.readU16(at(0x200 + 12))).toBe(Number(uid > 65535n ? 65534n : uid));
    expect(guest.call('stat64', scratch, at(0x300))).toBe(0);
    expect(guest.memory.readU64(at(0x300 + 88))).toBe(ino);
    expect(guest.memory.readU32(at(0x300 + 12))).toBe(Number(BigInt.asUintN(32, ino)));
    expect(guest.memory.readU64(at(0x300 + 44))).toBe(12n);
  });
});

/** A call by its number. */
function callNumber(number: number, ...args: number[]): number {
  setWord(guest.state, 'eax', number);
  ['ebx', 'ecx', 'edx', 'esi', 'edi'].forEach((name, i) => {
    setWord(guest.state, name, args[i] ?? 0);
  });
  guest.dispatcher.dispatch();
  return guest.result();
}

describe('x86-64', () => {
  beforeEach(() => {
    guest = createProcess({ abi: 'x86-64' });
  });

  test('whole words are arguments and results; ints are their low halves', () => {
    const path = join(directory, 'far');
    writeFileSync(path, '');
    const file = guest.call('open', text(scratch, path), 2, 0);
    expect(guest.call('lseek', file, 0x1_2345_6789n, 0)).toBe(0x1_2345_6789);
    expect(guest.state.i64[guest.state.register('rax').index]).toBe(0x1_2345_6789n);
    expect(guest.call('lseek', file, -3n, 1)).toBe(0x1_2345_6786);
    expect(guest.call('lseek', 0xabc_0000_0000n + BigInt(file), 0, 0)).toBe(0);
    guest.begin('close', [99]);
    expect(guest.state.i64[guest.state.register('rax').index]).toBe(BigInt(-errno.EBADF));
    expect(guest.call('ftruncate', file, 0x1_0000_0002n)).toBe(0);
    expect(statSync(path).size).toBe(2 ** 32 + 2);
    const vector = [BigInt(text(at(0x300), 'abc')), 3n];
    vector.forEach((word, i) => {
      guest.memory.writeU64(at(0x200) + i * 8, word);
    });
    expect(guest.call('pwritev', file, at(0x200), 1, 0x1_0000_0002n, 0)).toBe(3);
    expect(statSync(path).size).toBe(2 ** 32 + 5);
    truncateSync(path, 0);
    // To a 64-bit program every file is a large one.
    expect(guest.call('fcntl', file, 3, 0)).toBe(0o100002);
  });

  test('a pointer beyond 32 bits is EFAULT, in registers and in memory', () => {
    const wide = 0x1_0000_0000n + BigInt(scratch);
    guest.memory.writeU8(scratch, 65);
    expect(guest.call('write', 1, wide, 1)).toBe(-errno.EFAULT);
    expect(guest.call('open', wide, 0, 0)).toBe(-errno.EFAULT);
    expect(guest.call('clock_gettime', 0, wide)).toBe(-errno.EFAULT);
    guest.memory.writeU64(at(64), wide);
    guest.memory.writeU64(at(72), 1n);
    expect(guest.call('writev', 1, at(64), 1)).toBe(-errno.EFAULT);
    expect(guest.call('writev', 1, wide, 0)).toBe(0);
    expect(guest.call('writev', 1, wide + 128n, 1)).toBe(-errno.EFAULT);
    // The sixth argument of pselect6 leads to a pointer and a size.
    guest.memory.writeU64(at(72), 8n);
    expect(guest.call('pselect6', 0, 0, 0, 0, 0, at(64))).toBe(-errno.EFAULT);
    expect(guest.call('munmap', 0x7f00_0000_0000n, 4096)).toBe(-errno.EINVAL);
    expect(guest.call('mmap', 0x7f00_0000_0000n, 4096, 3, 0x32, -1n, 0)).toBe(-errno.ENOMEM);
    const hint = guest.call('mmap', 0x7f00_0000_0000n, 4096, 3, 0x22, -1n, 0);
    expect(guest.memory.find(hint)).toMatchObject({ protection: 3 });
    expect(guest.call('brk', -1n)).toBe(guest.process.heap.end);
  });

  test('times, limits and stacks are of 64 bits', () => {
    const { memory } = guest;
    expect(guest.call('clock_gettime', 0, scratch)).toBe(0);
    expect([memory.readU64(scratch), memory.readU64(at(8))]).toEqual([1_700_000_001n, 0n]);
    expect(guest.call('time', scratch)).toBe(1_700_000_001);
    expect(memory.readU64(scratch)).toBe(1_700_000_001n);
    expect(guest.call('getrlimit', resource.DATA, scratch)).toBe(0);
    expect([memory.readU64(scratch), memory.readU64(at(8))]).toEqual([infinity, infinity]);
    memory.writeU64(scratch, 0x1_0000_0000n);
    expect(guest.call('setrlimit', resource.DATA, scratch)).toBe(0);
    expect(guest.process.limits.get(resource.DATA)).toEqual({ soft: 0x1_0000_0000n, hard: infinity });
    memory.writeU64(scratch, BigInt(at(0x800)));
    memory.writeU32(at(8), 0);
    memory.writeU64(at(16), 8192n);
    expect(guest.call('sigaltstack', scratch, 0)).toBe(0);
    expect(guest.thread.alternateStack).toEqual({ base: at(0x800), size: 8192, flags: 0 });
    expect(guest.call('set_robust_list', scratch, 12)).toBe(-errno.EINVAL);
    expect(guest.call('set_robust_list', scratch, 24)).toBe(0);
  });

  test('struct sigaction has 64-bit words and one word of signals', () => {
    const { memory } = guest;
    const restorer = 0x04000000;
    [BigInt(programAddress), BigInt(restorer), 0x1234n, 0x8000_0000_0000_0001n].forEach((word, i) => {
      memory.writeU64(scratch + i * 8, word);
    });
    expect(guest.call('rt_sigaction', 10, scratch, 0, 8)).toBe(0);
    expect(guest.process.signals.action(10)).toEqual({
      handler: programAddress,
      flags: restorer,
      restorer: 0x1234,
      mask: 0x8000_0000_0000_0001n,
    });
    expect(guest.call('rt_sigaction', 10, 0, at(64), 8)).toBe(0);
    expect(memory.readBytes(at(64), 32)).toEqual(memory.readBytes(scratch, 32));
  });

  test('epoll_event is packed', () => {
    const { memory } = guest;
    expect(guest.call('pipe', scratch)).toBe(0);
    const [reader, writer] = [memory.readU32(scratch), memory.readU32(at(4))];
    const set = guest.call('epoll_create1', 0);
    memory.writeU32(at(16), 1);
    memory.writeU64(at(20), 0x1122_3344_5566_7788n);
    expect(guest.call('epoll_ctl', set, 1, reader, at(16))).toBe(0);
    guest.call('write', writer, scratch, 1);
    expect(guest.call('epoll_wait', set, at(64), 4, 0)).toBe(1);
    expect([memory.readU32(at(64)), memory.readU64(at(68))]).toEqual([1, 0x1122_3344_5566_7788n]);
  });

  test('arch_prctl sets and tells the bases of FS and GS', () => {
    const { memory, state } = guest;
    const [setGs, setFs, getFs, getGs] = [0x1001, 0x1002, 0x1003, 0x1004];
    expect(guest.call('arch_prctl', setFs, 0x7000_1234_5678n)).toBe(0);
    expect(guest.call('arch_prctl', setGs, at(8))).toBe(0);
    expect([wordOf(state, 'fs.base'), wordOf(state, 'gs.base')]).toEqual([0x7000_1234_5678, at(8)]);
    expect([guest.call('arch_prctl', getFs, at(32)), guest.call('arch_prctl', getGs, at(40))]).toEqual([0, 0]);
    expect([memory.readU64(at(32)), memory.readU64(at(40))]).toEqual([0x7000_1234_5678n, BigInt(at(8))]);
    expect(guest.call('arch_prctl', setFs, 0x8000_0000_0000n)).toBe(-errno.EPERM);
    expect(guest.call('arch_prctl', 0x3001, 0)).toBe(-errno.EINVAL);
  });
});

describe('set_thread_area', () => {
  beforeEach(() => {
    guest = createProcess({ abi: 'i386' });
  });
  /** What glibc asks for: a 32-bit data segment of 4 GiB, in pages. */
  const flags = 0x51;

  test('gives the first free entry, whose base is that of the segment registers that select it', () => {
    const { memory, state } = guest;
    words32(scratch, [0xffffffff, 0x1000_2000, 0xfffff, flags]);
    expect(guest.call('set_thread_area', scratch)).toBe(0);
    expect(memory.readU32(scratch)).toBe(12);
    expect([state.get('segment0.base'), state.get('segments.present')]).toEqual([0x1000_2000, 1]);
    state.set('gs', (12 << 3) | 3);
    words32(scratch, [12, 0x1000_3000, 0xfffff, flags]);
    expect(guest.call('set_thread_area', scratch)).toBe(0);
    expect(state.get('gs.base')).toBe(0x1000_3000);
    words32(scratch, [0xffffffff, 0x1000_4000, 0xfffff, flags]);
    expect(guest.call('set_thread_area', scratch)).toBe(0);
    expect([memory.readU32(scratch), state.get('segments.present')]).toEqual([13, 3]);
    words32(scratch, [12, 0, 0, 0]);
    expect(guest.call('get_thread_area', scratch)).toBe(0);
    expect([4, 8, 12].map((offset) => memory.readU32(at(offset)))).toEqual([0x1000_3000, 0xfffff, flags]);
  });

  test('refuses segments that are not 32-bit data, and entries that are not for threads', () => {
    const attempt = (...words: number[]) => guest.call('set_thread_area', words32(scratch, words));
    expect(attempt(12, 1, 1, flags & ~1)).toBe(-errno.EINVAL);
    expect(attempt(12, 1, 1, flags | 4)).toBe(-errno.EINVAL);
    expect(attempt(12, 1, 1, flags | 32)).toBe(-errno.EINVAL);
    expect(attempt(11, 1, 1, flags)).toBe(-errno.EINVAL);
    expect(attempt(15, 1, 1, flags)).toBe(-errno.EINVAL);
    for (let entry = 12; entry < 15; entry++) expect(attempt(0xffffffff, entry, 1, flags)).toBe(0);
    expect(attempt(0xffffffff, 1, 1, flags)).toBe(-errno.ESRCH);
    // An empty descriptor gives its entry back.
    expect(attempt(13, 0, 0, 0x28)).toBe(0);
    expect(guest.state.get('segments.present')).toBe(5);
    expect(guest.call('get_thread_area', words32(scratch, [13, 9, 9, 9]))).toBe(0);
    expect(guest.memory.readU32(at(12))).toBe(0x28);
  });
});
