import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { errno } from '../../src/linux/errno.ts';
import { pollBits } from '../../src/linux/open-file.ts';
import { createProcess, programAddress, type TestProcess } from './process-guest.ts';

const { NONBLOCK, CLOEXEC } = powerpc.open;
const { POLLIN, POLLOUT, POLLHUP, POLLERR, POLLNVAL } = pollBits;
const text = programAddress;
const data = programAddress + 0x8000;

let guest: TestProcess;
beforeEach(() => {
  guest = createProcess();
});

function pipe(flags = 0): [number, number] {
  expect(guest.call('pipe2', data, flags)).toBe(0);
  return [guest.memory.readU32(data), guest.memory.readU32(data + 4)];
}
function put(value: string): number {
  guest.memory.writeBytes(text, new TextEncoder().encode(`${value}\0`));
  return text;
}
const got = (length: number): string => new TextDecoder().decode(guest.memory.readBytes(data, length));

describe('pipes', () => {
  test('carry bytes; the end comes when no writer is left', () => {
    const [from, to] = pipe();
    expect(guest.call('write', to, put('hello'), 5)).toBe(5);
    expect(guest.call('ioctl', from, powerpc.ioctls.FIONREAD, data)).toBe(0);
    expect(guest.memory.readU32(data)).toBe(5);
    expect(guest.call('read', from, data, 3)).toBe(3);
    expect(guest.call('read', from, data, 100)).toBe(2);
    expect(got(2)).toBe('lo');
    guest.call('close', to);
    expect(guest.call('read', from, data, 100)).toBe(0);
    expect(guest.call('lseek', from, 0, 1)).toBe(-errno.ESPIPE);
    expect(guest.call('read', to, data, 1)).toBe(-errno.EBADF);
  });
  test('not blocking: EAGAIN when empty and when full', () => {
    const [from, to] = pipe(NONBLOCK | CLOEXEC);
    expect(guest.call('read', from, data, 1)).toBe(-errno.EAGAIN);
    expect(guest.call('write', to, programAddress, 0x10000)).toBe(0x10000);
    expect(guest.call('write', to, programAddress, 1)).toBe(-errno.EAGAIN);
    expect(guest.call('read', from, programAddress, 0x2000)).toBe(0x2000);
    expect(guest.call('write', to, programAddress, 0x4000)).toBe(0x2000);
    expect(guest.call('fcntl', to, 1032, 0)).toBe(65536);
    expect(guest.call('fcntl', to, 1031, 1 << 17)).toBe(1 << 17);
  });
  test('without a reader: EPIPE and SIGPIPE', () => {
    const [from, to] = pipe();
    guest.call('close', from);
    expect(guest.call('write', to, put('x'), 1)).toBe(-errno.EPIPE);
    expect(guest.thread.attention).toBe(true);
    expect(guest.process.signals.take(guest.thread)?.signal).toBe(13);
  });
  test('a bad pointer or flag leaves no descriptors', () => {
    expect(guest.call('pipe', 0xfffffff0)).toBe(-errno.EFAULT);
    expect(guest.call('pipe2', data, 1)).toBe(-errno.EINVAL);
    expect(guest.process.files.descriptors().filter((each) => each > 2)).toEqual([]);
  });
  test('a signal ends a waiting read', async () => {
    const [from] = pipe();
    const waiting = guest.callAndWait('read', from, data, 1);
    guest.process.signals.send({ signal: 15, code: 0 }, guest.thread);
    expect(await waiting).toBe(-512);
  });
});

describe('event counters', () => {
  test('add up and are taken whole, or one by one', () => {
    const counter = guest.call('eventfd2', 3, NONBLOCK);
    guest.memory.writeU64(text, 4n);
    expect(guest.call('write', counter, text, 8)).toBe(8);
    expect(guest.call('read', counter, data, 8)).toBe(8);
    expect(guest.memory.readU64(data)).toBe(7n);
    expect(guest.call('read', counter, data, 8)).toBe(-errno.EAGAIN);
    expect(guest.call('read', counter, data, 4)).toBe(-errno.EINVAL);
    const semaphore = guest.call('eventfd2', 2, NONBLOCK | 1);
    expect(guest.call('read', semaphore, data, 8)).toBe(8);
    expect(guest.memory.readU64(data)).toBe(1n);
    expect(guest.call('eventfd', 0)).toBe(semaphore + 1);
    expect(guest.call('eventfd2', 0, 2)).toBe(-errno.EINVAL);
  });
});

const { pollfd, timespec, timespec64, timeval } = powerpc.structures;

describe('poll', () => {
  const watch = (...list: [fd: number, events: number][]): void => {
    list.forEach(([fd, events], i) => {
      pollfd.write(guest.memory, text + i * pollfd.size, { fd, events });
    });
  };
  const found = (index: number): number => pollfd.read(guest.memory, text + index * pollfd.size).revents;

  test('tells what is ready now', () => {
    const [from, to] = pipe();
    guest.call('write', to, put('x'), 1);
    watch([from, POLLIN], [to, POLLOUT], [90, POLLIN], [-1, POLLIN]);
    expect(guest.call('poll', text, 4, 0)).toBe(3);
    expect([found(0), found(1), found(2), found(3)]).toEqual([POLLIN, POLLOUT, POLLNVAL, 0]);
    guest.call('close', to);
    guest.call('read', from, data, 1);
    watch([from, POLLIN]);
    expect(guest.call('poll', text, 1, -1)).toBe(1);
    expect(found(0)).toBe(POLLHUP);
    expect(guest.call('poll', 0xfffffff0, 1, 0)).toBe(-errno.EFAULT);
    expect(guest.call('poll', text, 5000, 0)).toBe(-errno.EINVAL);
  });
  test('waits for a time', async () => {
    const [from] = pipe();
    watch([from, POLLIN]);
    const waiting = guest.callAndWait('poll', text, 1, 50);
    await guest.system.advance(50e6);
    expect(await waiting).toBe(0);
  });
  test('ppoll writes back what is left of its time', () => {
    const [from, to] = pipe();
    guest.call('close', from);
    watch([to, POLLOUT]);
    timespec64.write(guest.memory, data, { tv_sec: 1, tv_nsec: 5 });
    expect(guest.call('ppoll_time64', text, 1, data, 0, 0)).toBe(1);
    expect(found(0)).toBe(POLLOUT | POLLERR);
    timespec.write(guest.memory, data, { tv_sec: 1, tv_nsec: -1 });
    expect(guest.call('ppoll', text, 1, data, 0, 0)).toBe(-errno.EINVAL);
    expect(guest.call('ppoll', text, 1, 0, text, 7)).toBe(-errno.EINVAL);
  });
});

describe('select', () => {
  test('keeps the bits of what is ready', () => {
    const [from, to] = pipe();
    guest.call('write', to, put('x'), 1);
    const [readSet, writeSet] = [data, data + 0x80];
    const bits = (1 << from) | (1 << to);
    for (const name of ['select', '_newselect', 'pselect6', 'pselect6_time64']) {
      guest.memory.writeU32(readSet, 1 << from);
      guest.memory.writeU32(writeSet, 1 << to);
      expect(guest.call(name, 32, readSet, writeSet, 0, 0, 0)).toBe(2);
      expect(guest.memory.readU32(readSet) | guest.memory.readU32(writeSet)).toBe(bits);
    }
    guest.memory.writeU32(readSet, 1 << 30);
    expect(guest.call('select', 32, readSet, 0, 0, 0)).toBe(-errno.EBADF);
    expect(guest.call('select', -1, 0, 0, 0, 0)).toBe(-errno.EINVAL);
    timeval.write(guest.memory, text, { tv_sec: -1, tv_usec: 0 });
    expect(guest.call('_newselect', 0, 0, 0, 0, text)).toBe(-errno.EINVAL);
  });
  test('sleeps when there is nothing to watch', async () => {
    timeval.write(guest.memory, text, { tv_sec: 0, tv_usec: 1000 });
    const waiting = guest.callAndWait('_newselect', 0, 0, 0, 0, text);
    await guest.system.advance(1e6);
    expect(await waiting).toBe(0);
    expect(timeval.read(guest.memory, text)).toEqual({ tv_sec: 0, tv_usec: 0 });
  });
});

describe('epoll', () => {
  const { epollEvent } = powerpc.structures;
  test('tells level-triggered events with their data', () => {
    const [from, to] = pipe();
    const set = guest.call('epoll_create1', 0);
    epollEvent.write(guest.memory, text, { events: POLLIN, data: 0x1234_5678_9abc_def0n });
    expect(guest.call('epoll_ctl', set, 1, from, text)).toBe(0);
    expect(guest.call('epoll_ctl', set, 1, from, text)).toBe(-errno.EEXIST);
    expect(guest.call('epoll_wait', set, data, 8, 0)).toBe(0);
    guest.call('write', to, put('x'), 1);
    for (const name of ['epoll_wait', 'epoll_pwait', 'epoll_wait']) {
      expect(guest.call(name, set, data, 8, -1, 0, 0)).toBe(1);
      expect(guest.memory.readU64(data + 8)).toBe(0x1234_5678_9abc_def0n);
    }
    epollEvent.write(guest.memory, text, { events: POLLIN | 0x80000000, data: 1n });
    expect(guest.call('epoll_ctl', set, 3, from, text)).toBe(0);
    expect(guest.call('epoll_wait', set, data, 8, 0)).toBe(1);
    expect(guest.call('epoll_wait', set, data, 8, 0)).toBe(0);
    expect(guest.call('epoll_ctl', set, 2, from, 0)).toBe(0);
    expect(guest.call('epoll_ctl', set, 2, from, 0)).toBe(-errno.ENOENT);
    expect(guest.call('epoll_ctl', set, 1, 77, text)).toBe(-errno.EBADF);
    expect(guest.call('epoll_wait', set, data, 0, 0)).toBe(-errno.EINVAL);
    expect(guest.call('epoll_create', 0)).toBe(-errno.EINVAL);
  });
});

describe('pipes of the host', () => {
  test('a read waits, and poll’s read ahead loses nothing', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stele-fifo-'));
    const name = join(directory, 'fifo');
    spawnSync('mkfifo', [name]);
    try {
      // Both ends, so that opening does not wait.
      const ours = openSync(name, 'r+');
      const descriptor = await guest.callAndWait('open', put(name), 2, 0);
      const reading = guest.callAndWait('read', descriptor, data, 100);
      writeSync(ours, 'one');
      expect(await reading).toBe(3);
      pollfd.write(guest.memory, text, { fd: descriptor, events: POLLIN });
      const polling = guest.callAndWait('poll', text, 1, -1);
      writeSync(ours, 'second');
      expect(await polling).toBe(1);
      expect(guest.call('read', descriptor, data, 3)).toBe(3);
      expect(got(3)).toBe('sec');
      expect(guest.call('read', descriptor, data, 100)).toBe(3);
      expect(got(3)).toBe('ond');
      closeSync(ours);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
