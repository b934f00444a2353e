import { beforeEach, describe, expect, test } from 'vitest';
import { NodeSystem } from '../../src/host/node-system.ts';
import { errno } from '../../src/linux/errno.ts';
import { createProcess, programAddress, type TestProcess } from './process-guest.ts';

const scratch = programAddress + 0x1000;

let guest: TestProcess;
beforeEach(() => {
  guest = createProcess();
});

const text = (address: number) => new TextDecoder().decode(guest.memory.readString(address));
const words = (address: number, count: number) =>
  Array.from({ length: count }, (_, i) => guest.memory.readU32(address + i * 4));

describe('identity', () => {
  // biome-ignore format: one row per line
  const calls: [string, number[], number][] = [
    ['getpid',    [],                  4242],
    ['gettid',    [],                  4242],
    ['getppid',   [],                  41],
    ['getpgrp',   [],                  4240],
    ['getpgid',   [0],                 4240],
    ['getpgid',   [99],                -errno.ESRCH],
    ['getsid',    [4242],              4000],
    ['setsid',    [],                  -errno.EPERM],
    ['setpgid',   [0, 4240],           0],
    ['setpgid',   [0, 0],              -errno.EPERM],
    ['setpgid',   [0, -1],             -errno.EINVAL],
    ['getuid',    [],                  1000],
    ['geteuid',   [],                  1000],
    ['getgid',    [],                  100],
    ['getegid',   [],                  100],
    ['setuid',    [1000],              0],
    ['setuid',    [0],                 -errno.EPERM],
    ['setuid',    [-1],                -errno.EINVAL],
    ['setresuid', [-1, 1000, -1],      0],
    ['setregid',  [100, 5],            -errno.EPERM],
    ['getgroups', [0, 0],              2],
    ['getgroups', [1, scratch],        -errno.EINVAL],
    ['getgroups', [-1, scratch],       -errno.EINVAL],
    ['setgroups', [0, 0],              -errno.EPERM],
    ['capset',    [scratch, scratch],  -errno.EPERM],
  ];
  test.each(calls)('%s %j is %i', (name, args, result) => {
    expect(guest.call(name, ...args)).toBe(result);
  });
  test('lists', () => {
    expect(guest.call('getgroups', 5, scratch)).toBe(2);
    expect(words(scratch, 2)).toEqual([100, 27]);
    expect(guest.call('getresuid', scratch, scratch + 4, scratch + 8)).toBe(0);
    expect(words(scratch, 3)).toEqual([1000, 1000, 1000]);
  });
  test('uname says that the machine is a ppc', () => {
    expect(guest.call('uname', scratch)).toBe(0);
    expect([0, 4, 5].map((i) => text(scratch + i * 65))).toEqual(['Linux', 'ppc', '(none)']);
    expect(text(scratch + 2 * 65)).not.toBe('');
    expect(guest.call('uname', 4)).toBe(-errno.EFAULT);
  });
  test('no capabilities, in each version of the structure', () => {
    guest.memory.writeU32(scratch, 0x20080522);
    guest.memory.fill(scratch + 16, 24, 0xff);
    expect(guest.call('capget', scratch, scratch + 16)).toBe(0);
    expect(words(scratch + 16, 6)).toEqual([0, 0, 0, 0, 0, 0]);
    guest.memory.writeU32(scratch, 1);
    expect(guest.call('capget', scratch, scratch + 16)).toBe(-errno.EINVAL);
    expect(guest.memory.readU32(scratch)).toBe(0x20080522);
  });
});

describe('names and what prctl keeps', () => {
  test('a name is cut to 15 bytes', () => {
    guest.memory.writeBytes(scratch, new TextEncoder().encode('a name of many letters\0'));
    expect(guest.call('prctl', 15, scratch)).toBe(0);
    expect(guest.call('prctl', 16, scratch + 64)).toBe(0);
    expect(text(scratch + 64)).toBe('a name of many ');
  });
  test('settings come back', () => {
    expect([guest.call('prctl', 3), guest.call('prctl', 4, 0), guest.call('prctl', 3)]).toEqual([1, 0, 0]);
    expect([guest.call('prctl', 30), guest.call('prctl', 29, 7), guest.call('prctl', 30)]).toEqual([50_000, 0, 7]);
    expect([guest.call('prctl', 39), guest.call('prctl', 38, 1), guest.call('prctl', 39)]).toEqual([0, 0, 1]);
    expect(guest.call('prctl', 1, 15)).toBe(0);
    expect(guest.call('prctl', 2, scratch)).toBe(0);
    expect(guest.memory.readU32(scratch)).toBe(15);
    expect(guest.call('prctl', 999)).toBe(-errno.EINVAL);
    expect([guest.call('personality', -1), guest.call('personality', 8), guest.call('personality', -1)]).toEqual([
      0, 0, 8,
    ]);
  });
});

describe('limits and usage', () => {
  test('the stack limit, in each form', () => {
    expect(guest.call('ugetrlimit', 3, scratch)).toBe(0);
    expect(words(scratch, 2)).toEqual([8 << 20, 0xffffffff]);
    expect(guest.call('getrlimit', 3, scratch)).toBe(0);
    expect(words(scratch, 2)).toEqual([8 << 20, 0x7fffffff]);
    expect(guest.call('prlimit64', 0, 3, 0, scratch)).toBe(0);
    expect(words(scratch, 4)).toEqual([0, 8 << 20, 0xffffffff, 0xffffffff]);
    expect(guest.call('ugetrlimit', 16, scratch)).toBe(-errno.EINVAL);
  });
  test('a limit can be lowered, and not raised above the hard one', () => {
    guest.memory.writeU64(scratch, 100n);
    guest.memory.writeU64(scratch + 8, 200n);
    expect(guest.call('prlimit64', 0, 7, scratch, scratch + 16)).toBe(0);
    expect(words(scratch + 16, 4)).toEqual([0, 1024, 0, 4096]);
    guest.memory.writeU64(scratch + 8, 300n);
    expect(guest.call('prlimit64', 0, 7, scratch, 0)).toBe(-errno.EPERM);
    guest.memory.writeU64(scratch, 301n);
    expect(guest.call('prlimit64', 0, 7, scratch, 0)).toBe(-errno.EINVAL);
    expect(guest.call('prlimit64', 99, 7, 0, scratch)).toBe(-errno.ESRCH);
  });
  test('usage', () => {
    expect(guest.call('getrusage', 0, scratch)).toBe(0);
    expect(guest.memory.readU32(scratch + 16)).toBeGreaterThan(1000);
    expect(guest.call('getrusage', -1, scratch)).toBe(0);
    expect(words(scratch, 18)).toEqual(new Array(18).fill(0));
    expect(guest.call('getrusage', 2, scratch)).toBe(-errno.EINVAL);
  });
  test('sysinfo tells memory in units that fit', () => {
    expect(guest.call('sysinfo', scratch)).toBe(0);
    const [total, unit] = [guest.memory.readU32(scratch + 16), guest.memory.readU32(scratch + 52)];
    expect(Math.abs(total * unit - guest.system.machine().memory)).toBeLessThan(unit);
  });
});

describe('scheduling', () => {
  // biome-ignore format: one row per line
  const calls: [string, number[], number][] = [
    ['sched_yield',            [],               0],
    ['sched_getscheduler',     [0],              0],
    ['sched_getscheduler',     [-1],             -errno.EINVAL],
    ['sched_getscheduler',     [99],             -errno.ESRCH],
    ['sched_get_priority_max', [1],              99],
    ['sched_get_priority_min', [2],              1],
    ['sched_get_priority_max', [0],              0],
    ['sched_get_priority_max', [77],             -errno.EINVAL],
    ['getcpu',                 [scratch, 0, 0],  0],
    ['getpriority',            [3, 0],           -errno.EINVAL],
    ['sched_getaffinity',      [0, 3, scratch],  -errno.EINVAL],
  ];
  test.each(calls)('%s %j is %i', (name, args, result) => {
    expect(guest.call(name, ...args)).toBe(result);
  });
  test('affinity names every processor, counted from the low end of each word', () => {
    const { processors } = guest.system.machine();
    const size = guest.call('sched_getaffinity', 0, 128, scratch);
    const set = words(scratch, size / 4);
    const count = set.reduce((sum, word) => sum + word.toString(2).replaceAll('0', '').length, 0);
    expect(count).toBe(processors);
    expect(set[0] & 1).toBe(1);
  });
});

describe('one process, one thread', () => {
  // biome-ignore format: one row per line
  const calls: [string, number[], number][] = [
    ['fork',            [],                         -errno.ENOSYS],
    ['clone',           [17, 0, 0, 0, 0],           -errno.ENOSYS],
    ['execve',          [scratch, 0, 0],            -errno.ENOSYS],
    ['wait4',           [-1, 0, 0, 0],              -errno.ECHILD],
    ['waitpid',         [-1, 0, 1],                 -errno.ECHILD],
    ['waitpid',         [-1, 0, 0x100],             -errno.EINVAL],
    ['waitid',          [0, 0, 0, 4, 0],            -errno.ECHILD],
    ['set_tid_address', [scratch],                  4242],
    ['set_robust_list', [scratch, 12],              0],
    ['set_robust_list', [scratch, 24],              -errno.EINVAL],
    ['rseq',            [scratch, 32, 0, 0],        -errno.ENOSYS],
    ['membarrier',      [0, 0, 0],                  0x7f],
    ['membarrier',      [8, 0, 0],                  0],
    ['membarrier',      [256, 0, 0],                -errno.EINVAL],
    ['futex',           [scratch, 1, 1],            0],
    ['futex',           [scratch, 0, 1, 0],         -errno.EAGAIN],
    ['futex',           [scratch + 1, 1, 1],        -errno.EINVAL],
    ['futex',           [4, 0x80, 1, 0],            -errno.EFAULT],
    ['ptrace',          [0, 0, 0, 0],               -errno.EPERM],
    ['reboot',          [0, 0, 0, 0],               -errno.EPERM],
  ];
  test.each(calls)('%s %j is %i', (name, args, result) => {
    expect(guest.call(name, ...args)).toBe(result);
  });
  test('waiting on a word that nobody changes ends with its timeout', async () => {
    guest.memory.writeU32(scratch + 8, 0);
    guest.memory.writeU32(scratch + 12, 5_000_000);
    const done = guest.callAndWait('futex', scratch, 0, 0, scratch + 8);
    await guest.system.advance(5_000_000);
    expect(await done).toBe(-errno.ETIMEDOUT);
  });
});

describe('getrandom', () => {
  test('fills what the guest may write', () => {
    expect(guest.call('getrandom', scratch, 20, 0)).toBe(20);
    expect([...guest.memory.readBytes(scratch, 21)]).toEqual([...new Array(20).fill(0x5a), 0]);
    expect(guest.call('getrandom', 4, 20, 0)).toBe(-errno.EFAULT);
    expect(guest.call('getrandom', scratch, 20, 8)).toBe(-errno.EINVAL);
  });
});

describe('the system of a Node process', () => {
  const system = new NodeSystem();

  test('clocks advance and agree with the host', async () => {
    const [real, monotonic] = [system.realTime(), system.monotonicTime()];
    expect(Math.abs(real.seconds * 1000 + real.nanoseconds / 1e6 - Date.now())).toBeLessThan(50);
    expect(Math.abs(monotonic - Number(process.hrtime.bigint()))).toBeLessThan(50e6);
    system.pause(1_000_000);
    expect(system.monotonicTime() - monotonic).toBeGreaterThanOrEqual(1_000_000);
    const start = system.monotonicTime();
    await new Promise<void>((resolve) => system.after(3_000_000, resolve));
    expect(system.monotonicTime() - start).toBeGreaterThanOrEqual(3_000_000);
  });
  test('identity and random bytes', () => {
    expect(system.parentId).toBe(process.ppid);
    const bytes = new Uint8Array(64);
    system.fillRandom(bytes);
    expect(new Set(bytes).size).toBeGreaterThan(20);
    expect(system.kill(process.pid, 0)).toBe(0);
  });
  test('signals are reported while somebody listens', async () => {
    let count = 0;
    expect(system.onSignal(10, () => count++)).toBe(true);
    system.kill(process.pid, 10);
    while (count === 0) await system.yieldToEvents();
    expect(system.onSignal(10, undefined)).toBe(true);
    expect(system.onSignal(50, () => {})).toBe(false);
  });
  test('the ticker sets the word at ticks and at deadlines, until it is stopped', async () => {
    const word = new Int32Array(new SharedArrayBuffer(4));
    const ticker = system.startTicker(word, 0);
    const set = async () => {
      while (Atomics.load(word, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      Atomics.store(word, 0, 0);
    };
    await set();
    ticker.setDeadline(system.monotonicTime() + 2_000_000);
    await set();
    ticker.stop();
    await new Promise((resolve) => setTimeout(resolve, 30));
    Atomics.store(word, 0, 0);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(Atomics.load(word, 0)).toBe(0);
  });
});
