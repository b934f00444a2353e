import { describe, expect, test } from 'vitest';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { Dispatcher } from '../../src/linux/dispatch.ts';
import { quote, Strace } from '../../src/linux/strace.ts';
import { createProcess, programAddress } from './process-guest.ts';

const { CREAT, WRONLY, TRUNC, CLOEXEC } = powerpc.open;
const here = -100;

describe('strace', () => {
  const guest = createProcess();
  const lines: string[] = [];
  const dispatcher = new Dispatcher(guest.thread, powerpc, { observer: new Strace((text) => lines.push(text)) });
  const trace = (name: string, ...args: number[]): string => {
    guest.state.set('r0', powerpc.names.indexOf(name));
    for (let i = 0; i < 6; i++) guest.state.set(`r${i + 3}`, args[i] ?? 0);
    dispatcher.dispatch();
    return (lines.pop() ?? '').replace(/ +=/, ' =');
  };
  const text = (value: string, slot = 0): number => {
    const address = programAddress + slot * 0x1000;
    guest.memory.writeBytes(address, new TextEncoder().encode(`${value}\0`));
    return address;
  };

  test('strings, flags and errors have names', () => {
    expect(trace('open', text('/none/"x"'), WRONLY | CREAT | TRUNC, 0o644)).toBe(
      'open("/none/\\"x\\"", O_WRONLY|O_CREAT|O_TRUNC, 0644) = -1 ENOENT (No such file or directory)\n',
    );
    expect(trace('openat', here, text('/none/x'), CLOEXEC)).toBe(
      'openat(AT_FDCWD, "/none/x", O_RDONLY|O_CLOEXEC) = -1 ENOENT (No such file or directory)\n',
    );
    expect(trace('access', text('/'), 5)).toBe('access("/", R_OK|X_OK) = 0\n');
    expect(trace('lseek', 99, 3, 2)).toBe('lseek(99, 3, SEEK_END) = -1 EBADF (Bad file descriptor)\n');
    expect(trace('fcntl64', 99, 3)).toBe('fcntl64(99, F_GETFL, 0) = -1 EBADF (Bad file descriptor)\n');
    expect(trace('ioctl', 99, powerpc.ioctls.TCGETS, 0)).toBe(
      'ioctl(99, TCGETS, NULL) = -1 EBADF (Bad file descriptor)\n',
    );
  });
  test('buffers that are read show after the call, 32 bytes at most', () => {
    expect(trace('write', 99, text('x'.repeat(40)), 40)).toBe(
      `write(99, "${'x'.repeat(32)}"..., 40) = -1 EBADF (Bad file descriptor)\n`,
    );
    expect(trace('pipe', text('', 2))).toBe('pipe([3, 4]) = 0\n');
    trace('write', 4, text('out\n'), 4);
    expect(trace('read', 3, text('', 3), 100)).toBe('read(3, "out\\n", 100) = 4\n');
  });
  test('what cannot be read is an address', () => {
    expect(trace('open', 0x50000000, 0)).toBe('open(0x50000000, O_RDONLY) = -1 EFAULT (Bad address)\n');
    expect(trace('write', 1, 0x50000000, 5)).toBe('write(1, 0x50000000, 5) = -1 EFAULT (Bad address)\n');
  });
  test('results of mmap and brk are addresses; unknown calls show their registers', () => {
    expect(trace('brk', 0)).toBe('brk(NULL) = 0x10010000\n');
    expect(trace('io_setup', 1, 2)).toBe(
      'io_setup(0x1, 0x2, NULL, NULL, NULL, NULL) = -1 ENOSYS (Function not implemented)\n',
    );
  });
});

test('strings are C literals', () => {
  expect(quote(Uint8Array.of(0, 0x31, 7, 0x61, 255, 9, 10, 92, 34))).toBe('"\\0001\\7a\\377\\t\\n\\\\\\""');
});
