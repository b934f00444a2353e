/** The files that every program finds, the rights of its user, and the room that there is. */
import { describe, expect, test } from 'vitest';
import type { FileStatus, FileSystemStatus } from '../../src/host/host.ts';
import { errno } from '../../src/linux/errno.ts';
import { standardFiles } from './standard-files.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array | number): string =>
  typeof bytes === 'number' ? String(bytes) : new TextDecoder().decode(bytes);
const create = { read: true, write: true, create: true, mode: 0o644 };

describe('what is there', () => {
  const { files, shown, terminal } = standardFiles();
  const read = (path: string, size = 8): number[] => {
    const buffer = new Uint8Array(size).fill(1);
    const count = files.read(files.open(encode(path), { read: true }), buffer, undefined);
    return count < 0 ? [count] : [...buffer.subarray(0, count)];
  };
  test('devices', () => {
    expect(read('/dev/null')).toEqual([]);
    expect(read('/dev/zero')).toEqual(new Array(8).fill(0));
    expect(read('/dev/urandom')).toEqual(new Array(8).fill(0x5a));
    expect(files.write(files.open(encode('/dev/full'), { write: true }), encode('x'), undefined)).toBe(-errno.ENOSPC);
    expect(files.write(files.open(encode('/dev/null'), { write: true }), encode('xyz'), undefined)).toBe(3);
    expect((files.status(encode('/dev/null'), true) as FileStatus).rdev).toBe(0x103n);
  });
  test('a terminal at the descriptors 0 to 2 and /dev/tty', () => {
    const own = files.open(encode('/dev/tty'), create);
    expect([0, 1, 2, own].map((descriptor) => files.isTerminal(descriptor))).toEqual([true, true, true, true]);
    files.write(1, encode('a\n'), undefined);
    files.write(own, encode('b'), undefined);
    expect(decode(Uint8Array.from(shown))).toBe('a\r\nb');
    terminal.type(encode('line\r'));
    const buffer = new Uint8Array(10);
    expect(files.read(0, buffer, undefined)).toBe(5);
    expect(files.read(0, buffer, undefined)).toBe(-errno.EAGAIN);
    terminal.size = { rows: 7, columns: 40 };
    expect(files.windowSize(1)).toEqual({ rows: 7, columns: 40 });
  });
  test('reports of /proc, made when they are opened', () => {
    expect(decode(files.readWhole(encode('/proc/self/stat')))).toMatch(/^4242 \(program\) R 1 4242 4242/);
    expect(decode(files.readWhole(encode('/proc/meminfo')))).toMatch(/^MemTotal: +1048576 kB\n/);
    expect(decode(files.readWhole(encode('/proc/uptime')))).toBe('12.50 0.00\n');
    expect(decode(files.readLink(encode('/proc/self/fd/0')))).toBe('/dev/pts/0');
    expect(decode(files.readLink(encode('/proc/self/fd/99')))).toBe(String(-errno.ENOENT));
  });
});

describe('rights', () => {
  const { files } = standardFiles();
  test.each([
    ['/etc/passwd', { read: true }, true],
    ['/etc/passwd', { write: true }, false],
    ['/etc/new', create, false],
    ['/tmp/new', create, true],
    ['/home/user/new', create, true],
    ['/proc/self/new', create, false],
  ])('%s %j: %s', (path, request, isAllowed) => {
    const result = files.open(encode(path), request);
    if (isAllowed) expect(result).toBeGreaterThan(2);
    else expect(result).toBe(-errno.EACCES);
  });
  test('what is somebody else’s stays as it is', () => {
    expect(files.unlink(encode('/etc/passwd'))).toBe(-errno.EACCES);
    expect(files.changeMode(encode('/etc/passwd'), 0o777)).toBe(-errno.EPERM);
    expect(files.changeOwner(encode('/tmp/new'), 0, 0, true)).toBe(-errno.EPERM);
    expect(files.rename(encode('/etc/passwd'), encode('/tmp/passwd'))).toBe(-errno.EACCES);
  });
  test('a directory without its rights is closed to its owner, too', () => {
    files.makeDirectory(encode('closed'), 0o755);
    files.open(encode('closed/f'), create);
    files.changeMode(encode('closed'), 0o000);
    expect(files.status(encode('closed/f'), true)).toBe(-errno.EACCES);
    expect(files.list(encode('closed'))).toBe(-errno.EACCES);
  });
});

describe('names', () => {
  const { files } = standardFiles();
  test('a directory does not move into itself', () => {
    files.makeDirectory(encode('a'), 0o755);
    files.makeDirectory(encode('a/b'), 0o755);
    expect(files.rename(encode('a'), encode('a/c'))).toBe(-errno.EINVAL);
    expect(files.rename(encode('a'), encode('a/b/c'))).toBe(-errno.EINVAL);
    expect(files.rename(encode('a/b'), encode('b'))).toBe(0);
    expect(files.rename(encode('a'), encode('b/a'))).toBe(0);
    expect(files.exists(encode('/home/user/b/a'))).toBe(true);
  });
  test('links lead from the root, from where they are, or nowhere', () => {
    files.symbolicLink(encode('/etc/hostname'), encode('absolute'));
    files.symbolicLink(encode('../../etc/hostname'), encode('relative'));
    files.symbolicLink(encode('loop'), encode('loop'));
    expect(decode(files.readWhole(encode('absolute')))).toBe('browser\n');
    expect(decode(files.readWhole(encode('relative')))).toBe('browser\n');
    expect(files.open(encode('loop'), { read: true })).toBe(-errno.ELOOP);
  });
  test('an open file knows where it is now', () => {
    const descriptor = files.open(encode('/tmp/before'), create);
    const path = (): string => decode(files.readLink(files.descriptorPath(descriptor)));
    files.rename(encode('/tmp/before'), encode('/tmp/after'));
    expect(path()).toBe('/tmp/after');
    files.unlink(encode('/tmp/after'));
    expect(path()).toBe('/tmp/after (deleted)');
  });
  test('what is appended goes to the end, wherever else was written', () => {
    const [first, second] = [files.open(encode('log'), { ...create, append: true }), files.open(encode('log'), create)];
    files.write(first, encode('one '), undefined);
    files.write(second, encode('two two '), undefined);
    files.write(first, encode('three'), 0);
    expect(decode(files.readWhole(encode('log')))).toBe('two two three');
  });
});

describe('room', () => {
  const free = ({ files }: ReturnType<typeof standardFiles>): number =>
    (files.fileSystem(encode('/')) as FileSystemStatus).bavail;

  test('ends, and comes back with what is removed', () => {
    const all = standardFiles({ limit: 1 << 20 });
    const { files } = all;
    const before = free(all);
    const descriptor = files.open(encode('big'), create);
    expect(files.write(descriptor, new Uint8Array(900_000), 0)).toBe(900_000);
    expect(files.write(descriptor, new Uint8Array(900_000), 900_000)).toBe(-errno.ENOSPC);
    expect(files.unlink(encode('big'))).toBe(0);
    // Open files stay.
    expect(free(all)).toBeLessThan(before / 2);
    files.close(descriptor);
    expect(free(all)).toBe(before);
  });
  test('a hole takes none', () => {
    const all = standardFiles({ limit: 1 << 20 });
    const descriptor = all.files.open(encode('sparse'), create);
    const before = free(all);
    expect(all.files.truncate(descriptor, 2 ** 40)).toBe(0);
    expect(free(all)).toBe(before);
    const buffer = new Uint8Array(4).fill(1);
    expect(all.files.read(descriptor, buffer, 2 ** 39)).toBe(4);
    expect([...buffer]).toEqual([0, 0, 0, 0]);
  });
  test('empty files take some', () => {
    const { files } = standardFiles({ limit: 1 << 20 });
    let made = 0;
    let result = 0;
    while (result === 0 && made < 2000) result = files.makeDirectory(encode(`d${made++}`), 0o755);
    expect(result).toBe(-errno.ENOSPC);
    for (let n = 0; n < made; n++) files.removeDirectory(encode(`d${n}`));
    expect(files.makeDirectory(encode('again'), 0o755)).toBe(0);
  });
});

test('a FIFO waits for its other end, and for bytes', async () => {
  const { files } = standardFiles();
  expect(files.makeFifo(encode('pipe'), 0o644)).toBe(0);
  expect(files.open(encode('pipe'), { write: true, nonBlocking: true })).toBe(-errno.ENXIO);
  const reader = files.openWaiting(encode('pipe'), { read: true });
  const writer = await files.openWaiting(encode('pipe'), { write: true });
  const buffer = new Uint8Array(8);
  const reading = files.readWaiting(await reader, buffer);
  expect(files.write(writer, encode('hello'), undefined)).toBe(5);
  expect(await reading).toBe(5);
  expect(files.write(writer, new Uint8Array(100_000), undefined)).toBe(65536);
  expect(files.write(writer, encode('x'), undefined)).toBe(-errno.EAGAIN);
  files.close(writer);
  expect(files.read(await reader, new Uint8Array(100_000), undefined)).toBe(65536);
  expect(files.read(await reader, buffer, undefined)).toBe(0);
});
