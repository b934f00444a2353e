import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { errno } from '../../src/linux/errno.ts';
import { createProcess, programAddress, type TestProcess } from './process-guest.ts';

const { RDWR, WRONLY, CREAT, EXCL, TRUNC, APPEND, DIRECTORY, NONBLOCK, CLOEXEC, PATH } = powerpc.open;
const here = -100;
const bad = 0xfffffff0;
/** Places of the guest's memory: strings from here, structures and data from there. */
const strings = programAddress;
const data = programAddress + 0x8000;

let directory: string;
let guest: TestProcess;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stele-files-'));
  guest = createProcess();
});
afterEach(() => {
  guest.process.files.closeAll();
  rmSync(directory, { recursive: true });
});

/** Puts a string into guest memory. @returns its address */
function text(value: string, slot = 0): number {
  const address = strings + slot * 0x1000;
  guest.memory.writeBytes(address, new TextEncoder().encode(`${value}\0`));
  return address;
}
const path = (name: string, slot = 0): number => text(join(directory, name), slot);
const bytes = (address: number, length: number): string =>
  new TextDecoder().decode(guest.memory.readBytes(address, length));
const open = (name: string, flags = RDWR | CREAT, mode = 0o644): number => guest.call('open', path(name), flags, mode);
function write(fd: number, value: string): number {
  guest.memory.writeBytes(data, new TextEncoder().encode(value));
  return guest.call('write', fd, data, value.length);
}
const content = (name: string): string => readFileSync(join(directory, name), 'utf8');

describe('reading and writing', () => {
  test('write, lseek, read', () => {
    const fd = open('a');
    expect(fd).toBe(3);
    expect(write(fd, 'hello world')).toBe(11);
    expect(guest.call('lseek', fd, 6, 0)).toBe(6);
    expect(guest.call('read', fd, data + 100, 100)).toBe(5);
    expect(bytes(data + 100, 5)).toBe('world');
    expect(guest.call('read', fd, data + 100, 100)).toBe(0);
    expect(guest.call('lseek', fd, -1, 0)).toBe(-errno.EINVAL);
    expect(guest.call('lseek', fd, 0, 9)).toBe(-errno.EINVAL);
    expect(guest.call('lseek', 99, 0, 0)).toBe(-errno.EBADF);
  });
  test('_llseek takes and gives 64 bits', () => {
    const fd = open('a');
    expect(guest.call('_llseek', fd, 1, 5, data, 0)).toBe(0);
    expect(guest.memory.readU64(data)).toBe(0x1_0000_0005n);
    expect(guest.call('lseek', fd, 0, 1)).toBe(-errno.EOVERFLOW);
    expect(guest.call('_llseek', fd, 0, 0, bad, 0)).toBe(-errno.EFAULT);
  });
  test('a bad pointer is EFAULT, a bad descriptor EBADF', () => {
    const fd = open('a');
    expect(guest.call('write', fd, bad, 5)).toBe(-errno.EFAULT);
    expect(guest.call('read', fd, bad, 5)).toBe(-errno.EFAULT);
    expect(guest.call('write', 50, data, 5)).toBe(-errno.EBADF);
    const readOnly = guest.call('open', path('a'), 0, 0);
    expect(guest.call('write', readOnly, data, 5)).toBe(-errno.EBADF);
    expect(guest.call('read', guest.call('open', path('a'), WRONLY, 0), data, 5)).toBe(-errno.EBADF);
  });
  test('moves what lies before an inaccessible page', () => {
    guest.call('munmap', 0x10020000, 0x1000);
    const end = programAddress + 0x10000;
    const fd = open('a');
    expect(guest.call('write', fd, end - 10, 100)).toBe(10);
    guest.call('lseek', fd, 0, 0);
    expect(guest.call('read', fd, end - 4, 100)).toBe(4);
  });
  test('O_APPEND writes at the end, wherever the offset is', () => {
    writeFileSync(join(directory, 'a'), '12345');
    const fd = guest.call('open', path('a'), RDWR | APPEND, 0);
    expect(write(fd, 'x')).toBe(1);
    guest.call('lseek', fd, 0, 0);
    expect(write(fd, 'y')).toBe(1);
    expect(content('a')).toBe('12345xy');
    expect(guest.call('lseek', fd, 0, 1)).toBe(7);
  });
  test('vectors and positions', () => {
    const fd = open('a');
    guest.memory.writeBytes(data, new TextEncoder().encode('abcdef'));
    [data, 2, data + 4, 2].forEach((word, i) => {
      guest.memory.writeU32(data + 0x100 + 4 * i, word);
    });
    expect(guest.call('writev', fd, data + 0x100, 2)).toBe(4);
    expect(content('a')).toBe('abef');
    expect(guest.call('pwrite64', fd, data, 1, 0, 0, 3)).toBe(1);
    expect(guest.call('pread64', fd, data + 0x200, 4, 0, 0, 1)).toBe(3);
    expect(bytes(data + 0x200, 3)).toBe('bea');
    guest.call('lseek', fd, 0, 0);
    expect(guest.call('readv', fd, data + 0x100, 2)).toBe(4);
    expect(guest.call('preadv', fd, data + 0x100, 2, 2, 0)).toBe(2);
    expect(guest.call('pwritev', fd, data + 0x100, 1, 4, 0)).toBe(2);
    expect(guest.call('preadv2', fd, data + 0x100, 2, 0, 0, 0)).toBe(4);
    expect(guest.call('pwritev2', fd, data + 0x100, 1, 0, 0, 0x20)).toBe(-errno.EOPNOTSUPP);
    expect(guest.call('readv', fd, data + 0x100, -1)).toBe(-errno.EINVAL);
    expect(guest.call('writev', fd, bad, 1)).toBe(-errno.EFAULT);
    expect(guest.call('pread64', fd, data, 4, 0, -1, -1)).toBe(-errno.EINVAL);
    expect(guest.call('pwrite64', 77, data, 4, 0, 0, 0)).toBe(-errno.EBADF);
  });
  test('sendfile and copy_file_range', () => {
    writeFileSync(join(directory, 'from'), 'contents');
    const from = guest.call('open', path('from'), 0, 0);
    const to = open('to');
    expect(guest.call('sendfile', to, from, 0, 4)).toBe(4);
    guest.memory.writeU64(data, 2n);
    expect(guest.call('sendfile64', to, from, data, 100)).toBe(6);
    expect(guest.memory.readU64(data)).toBe(8n);
    expect(guest.call('copy_file_range', from, 0, to, 0, 2, 0)).toBe(2);
    expect(content('to')).toBe('contntentsen');
    expect(guest.call('sendfile', 90, from, 0, 4)).toBe(-errno.EBADF);
    expect(guest.call('copy_file_range', from, 0, to, 0, 2, 1)).toBe(-errno.EINVAL);
  });
  test('obeys RLIMIT_FSIZE', () => {
    const exceeded = 25;
    const pending = () => guest.process.signals.take(guest.thread)?.signal;
    const fd = open('a');
    [10, 100].forEach((word, i) => {
      guest.memory.writeU32(data + i * 4, word);
    });
    expect(guest.call('setrlimit', 1, data)).toBe(0);
    expect(write(fd, 'twelve bytes')).toBe(10);
    expect(pending()).toBeUndefined();
    expect(write(fd, 'x')).toBe(-errno.EFBIG);
    expect(pending()).toBe(exceeded);
    expect(guest.call('pwrite64', fd, data, 5, 0, 0, 8)).toBe(2);
    expect(guest.call('ftruncate', fd, 10)).toBe(0);
    expect(guest.call('ftruncate', fd, 11)).toBe(-errno.EFBIG);
    expect(guest.call('truncate', path('a'), 11)).toBe(-errno.EFBIG);
    expect(guest.call('fallocate', fd, 0, 0, 0, 0, 11)).toBe(-errno.EFBIG);
    expect(guest.call('pipe', data)).toBe(0);
    expect(guest.call('write', guest.memory.readU32(data + 4), data, 50)).toBe(50);
  });
  test('truncation, allocation, synchronization, advice', () => {
    const fd = open('a');
    expect(guest.call('ftruncate', fd, 5)).toBe(0);
    expect(guest.call('ftruncate64', fd, 0, 0, 9)).toBe(0);
    expect(guest.call('truncate', path('a'), 7)).toBe(0);
    expect(guest.call('truncate64', path('a'), 0, 0, 8)).toBe(0);
    expect(statSync(join(directory, 'a')).size).toBe(8);
    expect(guest.call('truncate', path('a'), -1)).toBe(-errno.EINVAL);
    expect(guest.call('truncate', path('none'), 1)).toBe(-errno.ENOENT);
    expect(guest.call('fallocate', fd, 0, 0, 100, 0, 28)).toBe(0);
    expect(statSync(join(directory, 'a')).size).toBe(128);
    expect(guest.call('fallocate', fd, 0, 0, 0, 0, 0)).toBe(-errno.EINVAL);
    expect(guest.call('fsync', fd)).toBe(0);
    expect(guest.call('fdatasync', fd)).toBe(0);
    expect(guest.call('syncfs', fd)).toBe(0);
    expect(guest.call('sync')).toBe(0);
    expect(guest.call('fsync', 60)).toBe(-errno.EBADF);
    expect(guest.call('fadvise64_64', fd, 3, 0, 0, 0, 0)).toBe(0);
    expect(guest.call('fadvise64_64', fd, 9, 0, 0, 0, 0)).toBe(-errno.EINVAL);
  });
});

describe('descriptors', () => {
  test('open says what is wrong', () => {
    expect(guest.call('open', path('none'), 0, 0)).toBe(-errno.ENOENT);
    expect(guest.call('open', bad, 0, 0)).toBe(-errno.EFAULT);
    expect(guest.call('open', text(''), 0, 0)).toBe(-errno.ENOENT);
    expect(open('a', RDWR | CREAT | EXCL)).toBe(3);
    expect(open('a', RDWR | CREAT | EXCL)).toBe(-errno.EEXIST);
    expect(guest.call('open', path('a'), DIRECTORY, 0)).toBe(-errno.ENOTDIR);
    expect(guest.call('open', text(directory), RDWR, 0)).toBe(-errno.EISDIR);
    guest.memory.fill(strings, 0x2000, 0x61);
    expect(guest.call('open', strings, 0, 0)).toBe(-errno.ENAMETOOLONG);
  });
  test('openat starts from a directory, which must be one', () => {
    mkdirSync(join(directory, 'sub'));
    writeFileSync(join(directory, 'sub', 'f'), 'x');
    const at = guest.call('open', path('sub'), DIRECTORY, 0);
    const fd = guest.call('openat', at, text('f'), 0, 0);
    expect(guest.call('read', fd, data, 10)).toBe(1);
    expect(guest.call('openat', fd, text('f'), 0, 0)).toBe(-errno.ENOTDIR);
    expect(guest.call('openat', 99, text('f'), 0, 0)).toBe(-errno.EBADF);
    powerpc.structures.openHow.write(guest.memory, data, { flags: 0 });
    expect(guest.call('openat2', at, text('f'), data, 24)).toBe(fd + 1);
    expect(guest.call('openat2', at, text('f'), data, 8)).toBe(-errno.EINVAL);
    expect(guest.call('creat', path('new'), 0o600)).toBe(fd + 2);
    expect(guest.call('creat', path('none/new'), 0o600)).toBe(-errno.ENOENT);
  });
  test('dup shares the offset and takes the lowest number', () => {
    const fd = open('a');
    write(fd, 'abcdef');
    expect(guest.call('dup', fd)).toBe(4);
    expect(guest.call('lseek', 4, 1, 0)).toBe(1);
    expect(guest.call('lseek', fd, 0, 1)).toBe(1);
    expect(guest.call('dup2', fd, 9)).toBe(9);
    expect(guest.call('dup2', fd, fd)).toBe(fd);
    expect(guest.call('dup3', fd, 10, CLOEXEC)).toBe(10);
    expect(guest.call('fcntl64', 10, 1, 0)).toBe(1);
    expect(guest.call('dup3', fd, fd, 0)).toBe(-errno.EINVAL);
    expect(guest.call('dup', 55)).toBe(-errno.EBADF);
    expect(guest.call('dup2', fd, 5000)).toBe(-errno.EBADF);
    expect(guest.call('close', fd)).toBe(0);
    expect(guest.call('close', fd)).toBe(-errno.EBADF);
    expect(guest.call('read', 4, data, 1)).toBe(1);
    expect(guest.call('fcntl', 4, 0, 20)).toBe(20);
    expect(guest.call('fcntl', 4, 1030, 20)).toBe(21);
    expect(guest.call('close_range', 4, 30, 0)).toBe(0);
    expect(guest.process.files.descriptors().filter((each) => each > 2)).toEqual([]);
    expect(guest.call('close_range', 4, 3, 0)).toBe(-errno.EINVAL);
  });
  test('fcntl and flock', () => {
    const fd = open('a', RDWR | CREAT | TRUNC);
    expect(guest.call('fcntl', fd, 3, 0)).toBe(RDWR);
    expect(guest.call('fcntl', fd, 4, NONBLOCK | APPEND)).toBe(0);
    expect(guest.call('fcntl64', fd, 3, 0)).toBe(RDWR | NONBLOCK | APPEND);
    expect(guest.call('fcntl', fd, 2, 1)).toBe(0);
    expect(guest.call('fcntl', fd, 1, 0)).toBe(1);
    powerpc.structures.flock64.write(guest.memory, data, { l_type: 1 });
    expect(guest.call('fcntl64', fd, 13, data)).toBe(0);
    expect(guest.call('fcntl64', fd, 12, data)).toBe(0);
    expect(guest.memory.readU16(data)).toBe(2);
    expect(guest.call('fcntl', fd, 999, 0)).toBe(-errno.EINVAL);
    expect(guest.call('fcntl', 77, 3, 0)).toBe(-errno.EBADF);
    expect(guest.call('flock', fd, 2)).toBe(0);
    expect(guest.call('flock', fd, 3)).toBe(-errno.EINVAL);
  });
  test('O_PATH gives a place, not contents', () => {
    open('a');
    const fd = guest.call('open', path('a'), PATH, 0);
    expect(guest.call('read', fd, data, 1)).toBe(-errno.EBADF);
    expect(guest.call('fstat64', fd, data)).toBe(0);
    expect(guest.call('fchmod', fd, 0o600)).toBe(-errno.EBADF);
  });
  test('memfd_create', () => {
    const fd = guest.call('memfd_create', text('name'), 1);
    expect(write(fd, 'abc')).toBe(3);
    expect(guest.call('lseek', fd, 0, 2)).toBe(3);
    expect(guest.call('memfd_create', text('name'), 0x100)).toBe(-errno.EINVAL);
  });
  test('umask holds for new files', () => {
    const old = guest.call('umask', 0o77);
    open('a', RDWR | CREAT, 0o666);
    expect(guest.call('umask', old)).toBe(0o77);
    expect(statSync(join(directory, 'a')).mode & 0o777).toBe(0o600);
  });
  test('too many descriptors are EMFILE', () => {
    const limits = guest.process.limits.get(7);
    guest.process.limits.set(7, { ...limits, soft: 4n });
    expect(open('a')).toBe(3);
    expect(open('a')).toBe(-errno.EMFILE);
    expect(guest.call('pipe', data)).toBe(-errno.EMFILE);
  });
});

describe('names', () => {
  test('rename, link, unlink, mkdir, rmdir', () => {
    open('a');
    expect(guest.call('rename', path('a'), path('b', 1))).toBe(0);
    expect(guest.call('rename', path('a'), path('b', 1))).toBe(-errno.ENOENT);
    expect(guest.call('link', path('b'), path('c', 1))).toBe(0);
    expect(guest.call('linkat', here, path('b'), here, path('c', 1), 0)).toBe(-errno.EEXIST);
    expect(guest.call('renameat2', here, path('b'), here, path('c', 1), 1)).toBe(-errno.EEXIST);
    expect(guest.call('renameat', here, path('c'), here, path('d', 1))).toBe(0);
    expect(guest.call('unlink', path('d'))).toBe(0);
    expect(guest.call('unlink', path('d'))).toBe(-errno.ENOENT);
    expect(guest.call('mkdir', path('sub'), 0o755)).toBe(0);
    expect(guest.call('mkdirat', here, path('sub'), 0o755)).toBe(-errno.EEXIST);
    expect(guest.call('unlink', path('sub'))).toBe(-errno.EISDIR);
    expect(guest.call('rmdir', path('b'))).toBe(-errno.ENOTDIR);
    expect(guest.call('unlinkat', here, path('sub'), 0x200)).toBe(0);
    expect(guest.call('rmdir', path('sub'))).toBe(-errno.ENOENT);
  });
  test('symbolic links', () => {
    expect(guest.call('symlink', text('target'), path('l', 1))).toBe(0);
    expect(readlinkSync(join(directory, 'l'))).toBe('target');
    expect(guest.call('readlink', path('l'), data, 3)).toBe(3);
    expect(bytes(data, 3)).toBe('tar');
    expect(guest.call('readlinkat', here, path('l'), data, 100)).toBe(6);
    expect(guest.call('readlink', path('l'), data, 0)).toBe(-errno.EINVAL);
    expect(guest.call('readlink', text(directory), data, 10)).toBe(-errno.EINVAL);
    expect(guest.call('symlinkat', text('x'), here, path('l', 1))).toBe(-errno.EEXIST);
  });
  test('modes, owners, times', () => {
    const fd = open('a');
    expect(guest.call('chmod', path('a'), 0o640)).toBe(0);
    expect(statSync(join(directory, 'a')).mode & 0o7777).toBe(0o640);
    expect(guest.call('fchmod', fd, 0o600)).toBe(0);
    expect(guest.call('fchmodat', here, path('a'), 0o644)).toBe(0);
    expect(guest.call('chmod', path('none'), 0o640)).toBe(-errno.ENOENT);
    expect(guest.call('chown', path('a'), -1, -1)).toBe(0);
    expect(guest.call('fchown', fd, -1, -1)).toBe(0);
    expect(guest.call('lchown', path('none'), -1, -1)).toBe(-errno.ENOENT);
    expect(guest.call('fchownat', here, path('a'), -1, -1, 0x100)).toBe(0);
    const { timespec64, timespec, timeval, utimbuf } = powerpc.structures;
    timespec64.write(guest.memory, data, { tv_sec: 1_700_000_000, tv_nsec: 123456789 });
    timespec64.write(guest.memory, data + 16, { tv_sec: 1_600_000_000, tv_nsec: 500000000 });
    expect(guest.call('utimensat_time64', here, path('a'), data, 0)).toBe(0);
    const times = () => statSync(join(directory, 'a'), { bigint: true });
    expect(times().atimeNs).toBe(1_700_000_000_123_456_789n);
    expect(times().mtimeNs).toBe(1_600_000_000_500_000_000n);
    timespec.write(guest.memory, data, { tv_sec: 0, tv_nsec: 0x3ffffffe });
    timespec.write(guest.memory, data + 8, { tv_sec: 7, tv_nsec: 0 });
    expect(guest.call('utimensat', fd, 0, data, 0)).toBe(0);
    expect(times().atimeNs).toBe(1_700_000_000_123_456_789n);
    expect(times().mtimeNs).toBe(7_000_000_000n);
    timespec.write(guest.memory, data, { tv_sec: 0, tv_nsec: 1_000_000_000 });
    expect(guest.call('utimensat', fd, 0, data, 0)).toBe(-errno.EINVAL);
    utimbuf.write(guest.memory, data, { actime: 3, modtime: 4 });
    expect(guest.call('utime', path('a'), data)).toBe(0);
    expect(times().mtimeNs).toBe(4_000_000_000n);
    timeval.write(guest.memory, data, { tv_sec: 5, tv_usec: 1_000_000 });
    timeval.write(guest.memory, data + 8, { tv_sec: 6, tv_usec: 0 });
    expect(guest.call('utimes', path('a'), data)).toBe(-errno.EINVAL);
    timeval.write(guest.memory, data, { tv_sec: 5, tv_usec: 0 });
    expect(guest.call('futimesat', here, path('a'), data)).toBe(0);
    expect(times().atimeNs).toBe(5_000_000_000n);
  });
  test('names are bytes', () => {
    guest.memory.writeBytes(strings, new Uint8Array([...new TextEncoder().encode(`${directory}/`), 0xff, 0xe9, 0]));
    expect(guest.call('open', strings, RDWR | CREAT, 0o600)).toBe(3);
    expect(guest.call('access', strings, 0)).toBe(0);
    expect(guest.call('unlink', strings)).toBe(0);
  });
  test('mknod makes files and FIFOs, not devices', () => {
    expect(guest.call('mknod', path('f'), 0o100600, 0)).toBe(0);
    expect(guest.call('mknodat', here, path('p'), 0o010600, 0)).toBe(0);
    expect(statSync(join(directory, 'p')).isFIFO()).toBe(true);
    expect(guest.call('mknod', path('f'), 0o100600, 0)).toBe(-errno.EEXIST);
    expect(guest.call('mknod', path('d'), 0o020600, 0)).toBe(-errno.EPERM);
  });
  test('a root directory is looked up first', () => {
    mkdirSync(join(directory, 'root/etc'), { recursive: true });
    writeFileSync(join(directory, 'root/etc/hostname'), 'inside');
    const root = new TextEncoder().encode(join(directory, 'root'));
    Object.assign(guest.process.files, { root });
    const fd = guest.call('open', text('/etc/hostname'), 0, 0);
    expect(guest.call('read', fd, data, 100)).toBe(6);
    expect(guest.call('open', path('root/etc/hostname'), 0, 0)).toBe(4);
  });
});

describe('status', () => {
  test('stat, stat64 and statx agree with the host', () => {
    writeFileSync(join(directory, 'a'), 'x'.repeat(1234));
    symlinkSync('a', join(directory, 'l'));
    const host = statSync(join(directory, 'a'), { bigint: true });
    expect(guest.call('stat64', path('l'), data)).toBe(0);
    const found = powerpc.structures.stat64.read(guest.memory, data);
    expect(found.st_size).toBe(1234);
    expect(BigInt(found.st_ino)).toBe(host.ino);
    expect(found.st_mode).toBe(Number(host.mode));
    expect(BigInt(found.st_mtime) * 1_000_000_000n + BigInt(found.st_mtime_nsec)).toBe(host.mtimeNs);
    expect(powerpc.structures.stat64.size).toBe(104);
    expect(powerpc.structures.stat.size).toBe(72);
    expect(powerpc.structures.statx.size).toBe(256);
    expect(guest.call('lstat64', path('l'), data)).toBe(0);
    expect(powerpc.structures.stat64.read(guest.memory, data).st_mode & 0o170000).toBe(0o120000);
    expect(guest.call('stat', path('l'), data)).toBe(0);
    expect(powerpc.structures.stat.read(guest.memory, data).st_size).toBe(1234);
    expect(guest.call('lstat', path('l'), data)).toBe(0);
    const fd = guest.call('open', path('a'), 0, 0);
    expect(guest.call('fstat', fd, data)).toBe(0);
    expect(guest.call('fstat64', fd, data)).toBe(0);
    expect(guest.call('fstatat64', here, path('l'), data, 0x100)).toBe(0);
    expect(guest.call('fstatat64', here, path('l'), data, 1)).toBe(-errno.EINVAL);
    expect(guest.call('statx', fd, text(''), 0x1000, 0x7ff, data)).toBe(0);
    expect(powerpc.structures.statx.read(guest.memory, data).stx_size).toBe(1234);
    expect(guest.call('statx', here, path('none'), 0, 0x7ff, data)).toBe(-errno.ENOENT);
    expect(guest.call('stat64', path('a'), bad)).toBe(-errno.EFAULT);
    expect(guest.call('stat64', path('a/b'), data)).toBe(-errno.ENOTDIR);
    expect(guest.call('fstat64', 88, data)).toBe(-errno.EBADF);
  });
  test('statfs and access', () => {
    const fd = open('a', RDWR | CREAT, 0o444);
    expect(guest.call('statfs64', text(directory), 88, data)).toBe(0);
    expect(powerpc.structures.statfs64.read(guest.memory, data).f_namelen).toBe(255);
    expect(guest.call('fstatfs64', fd, 88, data)).toBe(0);
    expect(guest.call('statfs64', text(directory), 64, data)).toBe(-errno.EINVAL);
    expect(guest.call('access', path('a'), 4)).toBe(0);
    expect(guest.call('access', path('a'), 1)).toBe(-errno.EACCES);
    expect(guest.call('access', path('none'), 0)).toBe(-errno.ENOENT);
    expect(guest.call('access', path('a'), 8)).toBe(-errno.EINVAL);
    expect(guest.call('faccessat', here, path('a'), 4)).toBe(0);
    expect(guest.call('faccessat2', here, path('a'), 4, 0x100)).toBe(0);
    expect(guest.call('faccessat2', here, path('a'), 4, 1)).toBe(-errno.EINVAL);
  });
});

describe('directories', () => {
  const names = (size: number, wide: boolean): string[] => {
    const fd = guest.call('open', text(directory), DIRECTORY, 0);
    const found: string[] = [];
    for (;;) {
      const used = guest.call(wide ? 'getdents64' : 'getdents', fd, data, size);
      if (used === 0) return found.sort();
      if (used < 0) throw new Error(`getdents: ${used}`);
      for (let at = 0; at < used; at += guest.memory.readU16(data + at + (wide ? 16 : 8))) {
        found.push(new TextDecoder().decode(guest.memory.readString(data + at + (wide ? 19 : 10))));
      }
    }
  };
  test('getdents lists all, whatever the size of the buffer', () => {
    const expected = ['.', '..'];
    for (let i = 0; i < 50; i++) {
      writeFileSync(join(directory, `file${i}`), '');
      expected.push(`file${i}`);
    }
    expect(names(4096, true)).toEqual(expected.sort());
    expect(names(64, true)).toEqual(expected);
    expect(names(200, false)).toEqual(expected);
  });
  test('seeking goes back to an entry; a small buffer is EINVAL, a file ENOTDIR', () => {
    writeFileSync(join(directory, 'a'), '');
    const fd = guest.call('open', text(directory), DIRECTORY, 0);
    expect(guest.call('getdents64', fd, data, 10)).toBe(-errno.EINVAL);
    expect(guest.call('getdents64', fd, data, 4096)).toBe(24 + 24 + 24);
    expect(guest.memory.readU64(data + 24 + 8)).toBe(2n);
    expect(guest.call('lseek', fd, 2, 0)).toBe(2);
    expect(guest.call('getdents64', fd, data, 4096)).toBe(24);
    expect(guest.call('getdents64', guest.call('open', path('a'), 0, 0), data, 4096)).toBe(-errno.ENOTDIR);
    expect(guest.call('read', fd, data, 4)).toBe(-errno.EISDIR);
  });
  test('the working directory', () => {
    mkdirSync(join(directory, 'sub'));
    writeFileSync(join(directory, 'sub', 'f'), 'x');
    expect(guest.call('chdir', path('sub'))).toBe(0);
    const length = guest.call('getcwd', data, 4096);
    expect(bytes(data, length - 1)).toBe(join(directory, 'sub'));
    expect(guest.call('open', text('f'), 0, 0)).toBe(3);
    expect(guest.call('chdir', text('..'))).toBe(0);
    expect(guest.call('access', text('sub/f'), 4)).toBe(0);
    expect(guest.call('chdir', text('sub/f'))).toBe(-errno.ENOTDIR);
    expect(guest.call('getcwd', data, 3)).toBe(-errno.ERANGE);
    const fd = guest.call('open', text('sub'), DIRECTORY, 0);
    expect(guest.call('fchdir', fd)).toBe(0);
    expect(guest.call('access', text('f'), 4)).toBe(0);
    expect(guest.call('fchdir', 3)).toBe(-errno.ENOTDIR);
    rmSync(join(directory, 'sub'), { recursive: true });
    expect(guest.call('getcwd', data, 4096)).toBe(-errno.ENOENT);
  });
});

describe('/proc', () => {
  const read = (name: string): string => {
    const fd = guest.call('open', text(name), 0, 0);
    return bytes(data, guest.call('read', fd, data, 0x4000));
  };
  test('shows the guest', () => {
    expect(read('/proc/self/cmdline')).toBe('program\0');
    expect(read('/proc/self/comm')).toBe('program\n');
    expect(read('/proc/self/maps')).toMatch(/^10000000-10010000 rwxp 00000000 00:00 0 \n/);
    expect(read('/proc/self/maps')).toContain('[stack]');
    expect(read('/proc/cpuinfo')).toMatch(/740\/750[\s\S]*timebase\t: 512000000\n/);
    expect(read('/proc/4242/auxv').length).toBeGreaterThan(100);
    const length = guest.call('readlink', text('/proc/self/exe'), data, 100);
    expect(bytes(data, length)).toBe('/bin/program');
  });
  test('descriptors are the guest’s', () => {
    const fd = open('a');
    guest.call('dup2', fd, 40);
    const length = guest.call('readlink', text('/proc/self/fd/40'), data, 4096);
    expect(bytes(data, length)).toBe(join(directory, 'a'));
    expect(guest.call('readlink', text('/proc/self/fd/41'), data, 4096)).toBe(-errno.ENOENT);
    expect(guest.call('open', text('/dev/fd/40'), 0, 0)).toBe(4);
    expect(guest.call('stat64', text('/proc/self/fd/40'), data)).toBe(0);
  });
});

test('sockets do not exist', () => {
  expect(guest.call('socket', 2, 1, 0)).toBe(-errno.EAFNOSUPPORT);
  expect(guest.call('connect', 0, data, 16)).toBe(-errno.ENOTSOCK);
  expect(guest.call('connect', 70, data, 16)).toBe(-errno.EBADF);
  guest.memory.writeU32(data, 2);
  expect(guest.call('socketcall', 1, data)).toBe(-errno.EAFNOSUPPORT);
  expect(guest.call('socketcall', 99, data)).toBe(-errno.EINVAL);
});

test('ioctl on what is no terminal', () => {
  const fd = open('a');
  write(fd, 'abc');
  guest.call('lseek', fd, 1, 0);
  expect(guest.call('ioctl', fd, powerpc.ioctls.TCGETS, data)).toBe(-errno.ENOTTY);
  expect(guest.call('ioctl', fd, powerpc.ioctls.FIONREAD, data)).toBe(0);
  expect(guest.memory.readU32(data)).toBe(2);
  expect(guest.call('ioctl', 99, powerpc.ioctls.TCGETS, data)).toBe(-errno.EBADF);
});
