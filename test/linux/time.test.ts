import { beforeEach, describe, expect, test } from 'vitest';
import { timeBase } from '../../src/linux/clocks.ts';
import { errno } from '../../src/linux/errno.ts';
import { signalNumbers as s } from '../../src/linux/signals.ts';
import { createProcess, programAddress, type TestProcess } from './process-guest.ts';

const scratch = programAddress + 0x1000;
const other = scratch + 0x100;

let guest: TestProcess;
beforeEach(() => {
  guest = createProcess();
  guest.system.now = 12_345_678_901;
  guest.system.cpu = { user: 2_500_000_000, system: 500_000_123 };
});

const words = (address: number, count: number) =>
  Array.from({ length: count }, (_, i) => guest.memory.readI32(address + i * 4));
const put = (address: number, ...values: number[]) => {
  values.forEach((value, i) => {
    guest.memory.writeU32(address + i * 4, value);
  });
};

describe('clocks', () => {
  // biome-ignore format: one row per line
  const clocks: [string, number, number, number][] = [
    ['realtime',        0,  1_700_000_012, 345_678_901],
    ['monotonic',       1,  12,            345_678_901],
    ['process time',    2,  3,             123],
    ['thread time',     3,  3,             123],
    ['raw',             4,  12,            345_678_901],
    ['coarse realtime', 5,  1_700_000_012, 345_678_901],
    ['boot time',       7,  12,            345_678_901],
    ['TAI',             11, 1_700_000_012, 345_678_901],
    ['own process by pid', ~4242 << 3 | 2, 3, 123],
    ['own thread by tid',  ~4242 << 3 | 6, 3, 123],
  ];
  test.each(clocks)('%s', (_, id, seconds, nanoseconds) => {
    expect(guest.call('clock_gettime', id, scratch)).toBe(0);
    expect(words(scratch, 2)).toEqual([seconds, nanoseconds]);
    expect(guest.call('clock_gettime64', id, scratch)).toBe(0);
    expect(words(scratch, 4)).toEqual([0, seconds, 0, nanoseconds]);
  });
  test.each([10, 12, 99, (~99 << 3) | 2])('there is no clock %i', (id) => {
    expect(guest.call('clock_gettime', id, scratch)).toBe(-errno.EINVAL);
    expect(guest.call('clock_getres', id, 0)).toBe(-errno.EINVAL);
  });
  test('resolutions', () => {
    expect(guest.call('clock_getres', 1, scratch)).toBe(0);
    expect(words(scratch, 2)).toEqual([0, 1]);
    expect(guest.call('clock_getres_time64', 6, scratch)).toBe(0);
    expect(words(scratch, 4)).toEqual([0, 0, 0, 4_000_000]);
    expect(guest.call('clock_getres', 1, 0)).toBe(0);
  });
  test('the older calls', () => {
    expect(guest.call('gettimeofday', scratch, other)).toBe(0);
    expect(words(scratch, 2)).toEqual([1_700_000_012, 345_678]);
    expect(words(other, 2)).toEqual([0, 0]);
    expect(guest.call('time', scratch)).toBe(1_700_000_012);
    expect(guest.memory.readU32(scratch)).toBe(1_700_000_012);
    expect(guest.call('times', scratch)).toBe(1234);
    expect(words(scratch, 4)).toEqual([250, 50, 0, 0]);
    expect(guest.call('gettimeofday', 4, 0)).toBe(-errno.EFAULT);
  });
  test('nobody sets them', () => {
    put(scratch, 1, 0);
    expect(guest.call('clock_settime', 0, scratch)).toBe(-errno.EPERM);
    expect(guest.call('clock_settime', 1, scratch)).toBe(-errno.EINVAL);
    expect(guest.call('settimeofday', scratch, 0)).toBe(-errno.EPERM);
    put(scratch, 1, 1_000_000_000);
    expect(guest.call('clock_settime', 0, scratch)).toBe(-errno.EINVAL);
  });
  test('the time base ticks 512 times a microsecond', () => {
    const ticks = Math.floor(12_345_678_901 * 0.512);
    expect(timeBase(guest.system)).toEqual({ low: ticks | 0, high: Math.floor(ticks / 2 ** 32) });
  });
});

describe('sleeping', () => {
  test('short sleeps pass without a timer', async () => {
    put(scratch, 0, 500_000);
    expect(await guest.callAndWait('nanosleep', scratch, 0)).toBe(0);
    expect(guest.system.now).toBe(12_346_178_901);
  });
  test.each([
    [-1, 0],
    [0, -1],
    [0, 1_000_000_000],
  ])('%i seconds and %i nanoseconds are no time', (seconds, nanoseconds) => {
    put(scratch, seconds, nanoseconds);
    expect(guest.call('nanosleep', scratch, 0)).toBe(-errno.EINVAL);
  });
  test('until a time of a clock', async () => {
    put(scratch, 0, 14, 0xdeadbeef, 0);
    const done = guest.callAndWait('clock_nanosleep_time64', 1, 1, scratch, 0);
    await guest.system.advance(2e9);
    expect(await done).toBe(0);
    expect(guest.system.now).toBeGreaterThanOrEqual(14e9);
  });
  test('a time that has passed is no wait', async () => {
    put(scratch, 1, 0);
    expect(await guest.callAndWait('clock_nanosleep', 0, 1, scratch, 0)).toBe(0);
  });
  test('clocks that cannot be slept on', () => {
    put(scratch, 1, 0);
    expect(guest.call('clock_nanosleep', 3, 0, scratch, 0)).toBe(-errno.EINVAL);
    expect(guest.call('clock_nanosleep', 4, 0, scratch, 0)).toBe(-errno.EOPNOTSUPP);
    expect(guest.call('clock_nanosleep', 77, 0, scratch, 0)).toBe(-errno.EINVAL);
  });
});

describe('timers', () => {
  const pending = () => guest.process.signals.take(guest.thread, 0n);

  test('alarm tells what was left, rounded', () => {
    expect(guest.call('alarm', 10)).toBe(0);
    guest.system.now += 2.6e9;
    expect(guest.call('alarm', 0)).toBe(7);
    expect(guest.call('alarm', 0)).toBe(0);
  });
  test('an interval timer goes off again and again', async () => {
    put(scratch, 0, 300_000, 1, 0);
    expect(guest.call('setitimer', 0, scratch, other)).toBe(0);
    expect(words(other, 4)).toEqual([0, 0, 0, 0]);
    await guest.system.advance(0.9e9);
    expect(pending()).toBeUndefined();
    expect(guest.call('getitimer', 0, other)).toBe(0);
    expect(words(other, 4)).toEqual([0, 300_000, 0, 100_000]);
    await guest.system.advance(0.1e9);
    expect(pending()).toMatchObject({ signal: s.SIGALRM, code: 128 });
    await guest.system.advance(0.3e9);
    expect(pending()).toMatchObject({ signal: s.SIGALRM });
  });
  test('timers of processor time', async () => {
    put(scratch, 0, 0, 1, 0);
    guest.call('setitimer', 1, scratch, 0);
    guest.call('setitimer', 2, scratch, 0);
    guest.system.cpu = { user: 3_000_000_000, system: 1_100_000_000 };
    guest.process.timers.service();
    expect(pending()).toMatchObject({ signal: s.SIGPROF });
    expect(pending()).toBeUndefined();
    guest.system.cpu = { user: 3_500_000_000, system: 1_100_000_000 };
    guest.process.timers.service();
    expect(pending()).toMatchObject({ signal: s.SIGVTALRM });
  });
  test('what setitimer refuses', () => {
    put(scratch, 0, 0, 0, 1_000_000);
    expect(guest.call('setitimer', 0, scratch, 0)).toBe(-errno.EINVAL);
    expect(guest.call('setitimer', 3, scratch, 0)).toBe(-errno.EINVAL);
    expect(guest.call('getitimer', 3, scratch)).toBe(-errno.EINVAL);
  });
  test('a POSIX timer passes its value and counts overruns', async () => {
    put(other, 0x1234, 40, 0, 0);
    expect(guest.call('timer_create', 1, other, scratch)).toBe(0);
    const id = guest.memory.readU32(scratch);
    put(scratch, 0, 100_000_000, 0, 100_000_000);
    expect(guest.call('timer_settime', id, 0, scratch, 0)).toBe(0);
    await guest.system.advance(0.35e9);
    expect(pending()).toMatchObject({ signal: 40, code: -2, value: 0x1234, timer: id, overrun: 2 });
    expect(guest.call('timer_getoverrun', id)).toBe(2);
    expect(guest.call('timer_gettime64', id, scratch)).toBe(0);
    expect(words(scratch, 8)).toEqual([0, 0, 0, 100_000_000, 0, 0, 0, 50_000_000]);
    expect(guest.call('timer_delete', id)).toBe(0);
    expect(guest.call('timer_delete', id)).toBe(-errno.EINVAL);
    await guest.system.advance(1e9);
    expect(pending()).toBeUndefined();
  });
  test('without an event a POSIX timer sends SIGALRM, at an absolute time if asked', async () => {
    expect(guest.call('timer_create', 0, 0, scratch)).toBe(0);
    const id = guest.memory.readU32(scratch);
    put(scratch, 0, 0, 1_700_000_013, 0);
    expect(guest.call('timer_settime', id, 1, scratch, other)).toBe(0);
    await guest.system.advance(0.6e9);
    expect(pending()).toBeUndefined();
    await guest.system.advance(0.1e9);
    expect(pending()).toMatchObject({ signal: s.SIGALRM, value: id, code: -2 });
  });
  test('the padding of 64-bit times may hold anything', async () => {
    put(other, 0, 40, 0, 0);
    expect(guest.call('timer_create', 1, other, scratch)).toBe(0);
    const id = guest.memory.readU32(scratch);
    put(scratch, 0, 0, 0x7efff000, 0, 0, 0, 0x10001234, 20_000_000);
    expect(guest.call('timer_settime64', id, 0, scratch, 0)).toBe(0);
    await guest.system.advance(0.03e9);
    expect(pending()).toMatchObject({ signal: 40, timer: id });
  });
  test('what timer_create refuses', () => {
    put(other, 0, 65, 0, 0);
    expect(guest.call('timer_create', 1, other, scratch)).toBe(-errno.EINVAL);
    put(other, 0, 10, 4, 1);
    expect(guest.call('timer_create', 1, other, scratch)).toBe(-errno.EINVAL);
    expect(guest.call('timer_create', 44, 0, scratch)).toBe(-errno.EINVAL);
  });
});

describe('timer descriptors', () => {
  const expiries = () => guest.memory.readU64(other);

  test('count their expiries, and reading waits for the first', async () => {
    const descriptor = guest.call('timerfd_create', 1, 0);
    expect(descriptor).toBeGreaterThan(2);
    put(scratch, 0, 100_000_000, 0, 50_000_000);
    expect(guest.call('timerfd_settime', descriptor, 0, scratch, 0)).toBe(0);
    const reading = guest.callAndWait('read', descriptor, other, 8);
    await guest.system.advance(60e6);
    expect(await reading).toBe(8);
    expect(expiries()).toBe(1n);
    guest.system.now += 300e6;
    expect(guest.call('read', descriptor, other, 8)).toBe(8);
    expect(expiries()).toBe(3n);
    expect(guest.call('timerfd_gettime', descriptor, scratch)).toBe(0);
    expect(words(scratch, 4)).toEqual([0, 100_000_000, 0, 90_000_000]);
    expect(guest.call('close', descriptor)).toBe(0);
  });
  test('without a wait, and what they refuse', () => {
    const nonBlocking = 0o4000;
    const descriptor = guest.call('timerfd_create', 0, nonBlocking);
    expect(guest.call('read', descriptor, other, 8)).toBe(-errno.EAGAIN);
    expect(guest.call('read', descriptor, other, 4)).toBe(-errno.EINVAL);
    expect(guest.call('timerfd_create', 2, 0)).toBe(-errno.EINVAL);
    expect(guest.call('timerfd_create', 8, 0)).toBe(-errno.EPERM);
    expect(guest.call('timerfd_settime', 99, 0, scratch, 0)).toBe(-errno.EBADF);
    expect(guest.call('timerfd_gettime', 99, scratch)).toBe(-errno.EBADF);
  });
});

describe('adjtimex', () => {
  test('reads an undisciplined clock and refuses to set it', () => {
    put(scratch, 0);
    expect(guest.call('adjtimex', scratch)).toBe(5);
    expect(words(scratch, 12)).toEqual([0, 0, 0, 16e6, 16e6, 0x40, 2, 1, 32768000, 1_700_000_012, 345_678, 10_000]);
    put(scratch, 1);
    expect(guest.call('adjtimex', scratch)).toBe(-errno.EPERM);
    expect(guest.call('clock_adjtime', 1, scratch)).toBe(-errno.EOPNOTSUPP);
  });
});
