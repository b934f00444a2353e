/** Calls that make, copy and close descriptors, and change what is kept with them. */
import type { OpenRequest } from '../host/host.ts';
import { errno } from './errno.ts';
import { currentDirectory } from './files.ts';
import { fileFor, readPath } from './guest-access.ts';
import { resource } from './limits.ts';
import { type AccessMode, fileTypes, type OpenFile } from './open-file.ts';
import { restart } from './signal-frame.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

/** Commands of fcntl (asm-generic/fcntl.h). */
export const fcntlCommands = {
  F_DUPFD: 0,
  F_GETFD: 1,
  F_SETFD: 2,
  F_GETFL: 3,
  F_SETFL: 4,
  F_GETLK: 5,
  F_SETLK: 6,
  F_SETLKW: 7,
  F_SETOWN: 8,
  F_GETOWN: 9,
  F_SETSIG: 10,
  F_GETSIG: 11,
  F_GETLK64: 12,
  F_SETLK64: 13,
  F_SETLKW64: 14,
  F_OFD_GETLK: 36,
  F_OFD_SETLK: 37,
  F_OFD_SETLKW: 38,
  F_SETLEASE: 1024,
  F_GETLEASE: 1025,
  F_DUPFD_CLOEXEC: 1030,
  F_SETPIPE_SZ: 1031,
  F_GETPIPE_SZ: 1032,
  F_ADD_SEALS: 1033,
  F_GET_SEALS: 1034,
} as const;

/** Gives a file the lowest free descriptor. */
export function install(call: SystemCall, file: OpenFile, closeOnExec: boolean, minimum = 0): number {
  return call.process.files.add(file, closeOnExec, minimum, call.process.limits.soft(resource.NOFILE));
}

/** @param directory a descriptor or AT_FDCWD @param flags in the guest's numbers */
function open(
  call: SystemCall,
  directory: number,
  address: number,
  flags: number,
  mode: number,
): number | Promise<number> {
  const path = readPath(call, address);
  if (typeof path === 'number') return path;
  const { files } = call.process;
  const f = call.abi.open;
  const has = (flag: number) => (flags & flag) === flag;
  const writes = (flags & 3) === f.WRONLY || (flags & 3) === f.RDWR;
  const pathOnly = has(f.PATH);
  const temporary = has(f.TMPFILE);
  if ((flags & 3) === 3 || (temporary && !writes)) return -errno.EINVAL;
  // A file that is created in a directory: Linux refuses the combination since 6.4, and opened directories before.
  if (has(f.CREAT) && has(f.DIRECTORY) && !temporary) return -errno.EINVAL;

  const virtual = files.proc.open(directory, path, writes);
  if (virtual !== undefined) {
    return typeof virtual === 'number' ? virtual : finishOpen(call, virtual, flags);
  }
  const resolved = files.resolve(directory, path);
  if (typeof resolved === 'number') return resolved;
  const request: OpenRequest = {
    read: !writes || has(f.RDWR),
    write: writes && !pathOnly,
    create: has(f.CREAT) && !pathOnly,
    exclusive: has(f.EXCL) && !pathOnly,
    truncate: has(f.TRUNC) && !pathOnly,
    append: has(f.APPEND),
    directory: has(f.DIRECTORY),
    noFollow: has(f.NOFOLLOW),
    nonBlocking: has(f.NONBLOCK),
    synchronous: has(f.SYNC) || has(f.DSYNC),
    temporary,
    pathOnly,
    mode: mode & 0o7777,
  };
  const access: AccessMode = { read: !writes || has(f.RDWR), write: writes };
  const finish = (descriptor: number): number => {
    if (descriptor < 0) return descriptor;
    const status = files.host.statusOf(descriptor);
    if (typeof status === 'number') return status;
    // O_CREAT, O_EXCL, O_NOCTTY and O_TRUNC act once; to a 64-bit program all files are large.
    const large = call.abi.model.wordSize === 8 ? f.LARGEFILE : 0;
    const kept = (flags & ~(f.CREAT | f.EXCL | f.NOCTTY | f.TRUNC | f.CLOEXEC)) | large;
    const file = files.wrap(descriptor, Number(status.mode), kept, access, { pathOnly });
    file.append = has(f.APPEND);
    file.nonBlocking = has(f.NONBLOCK);
    return finishOpen(call, file, flags);
  };
  if (!pathOnly && !request.nonBlocking && isFifo(call, resolved)) {
    return openFifo(call, resolved, request, finish);
  }
  return finish(files.host.open(resolved, request));
}

function finishOpen(call: SystemCall, file: OpenFile, flags: number): number {
  return install(call, file, (flags & call.abi.open.CLOEXEC) !== 0);
}

function isFifo(call: SystemCall, path: Uint8Array): boolean {
  const status = call.process.files.host.status(path, true);
  return typeof status !== 'number' && (Number(status.mode) & fileTypes.mask) === fileTypes.fifo;
}

/** Waits for the FIFO's other end with the event loop running. */
async function openFifo(
  call: SystemCall,
  path: Uint8Array,
  request: OpenRequest,
  finish: (descriptor: number) => number,
): Promise<number> {
  const { host } = call.process.files;
  const opened = host.openWaiting(path, request);
  const result = await call.thread.waitFor(opened, undefined);
  if (typeof result === 'number') return finish(result);
  // The open goes on in the host; what it gives is not wanted any more.
  void opened.then((descriptor) => descriptor >= 0 && host.close(descriptor));
  return -restart.ERESTARTSYS;
}

/** openat2: like openat, but strict about its structure and flags. */
function openat2(call: SystemCall): number | Promise<number> {
  const [directory, path, address, size] = call.args;
  const layout = call.abi.structures.openHow;
  if (size < layout.size) return -errno.EINVAL;
  if (size > layout.size) {
    if (size > 4096) return -errno.E2BIG;
    const rest = call.memory.readBytes(address + layout.size, size - layout.size);
    if (rest.some((byte) => byte !== 0)) return -errno.E2BIG;
  }
  const how = layout.read(call.memory, address);
  const f = call.abi.open;
  const known = Object.values(f).reduce((mask, flag) => mask | flag, 0);
  if (how.flags > 0xffffffff || (how.flags & ~known) !== 0 || how.mode > 0o7777) return -errno.EINVAL;
  const creates = (how.flags & f.CREAT) !== 0 || (how.flags & f.TMPFILE) === f.TMPFILE;
  if (how.mode !== 0 && !creates) return -errno.EINVAL;
  // RESOLVE_* restrict the walk along the path, which is the host's.
  if (how.resolve !== 0) return how.resolve > 0x3f ? -errno.EINVAL : -errno.EOPNOTSUPP;
  return open(call, directory, path, how.flags, how.mode);
}

function closeRange(call: SystemCall): number {
  const [first, last, flags] = call.args;
  const unshare = 2;
  const closeOnExec = 4;
  if (first > last || (flags & ~(unshare | closeOnExec)) !== 0) return -errno.EINVAL;
  const { files } = call.process;
  for (const descriptor of files.descriptors()) {
    if (descriptor < first || descriptor > last) continue;
    if ((flags & closeOnExec) !== 0) files.setCloseOnExec(descriptor, true);
    else files.close(descriptor);
  }
  return 0;
}

function duplicate(call: SystemCall): number {
  const file = fileFor(call, call.args[0], 'any');
  return typeof file === 'number' ? file : install(call, file, false);
}

/** dup2 and dup3. */
function duplicateTo(call: SystemCall, strict: boolean): number {
  const [from, to] = call.args;
  const flags = strict ? call.args[2] : 0;
  const { CLOEXEC } = call.abi.open;
  if ((flags & ~CLOEXEC) !== 0) return -errno.EINVAL;
  if (strict && from === to) return -errno.EINVAL;
  const file = fileFor(call, from, 'any');
  if (typeof file === 'number') return file;
  if (from === to) return to;
  if (to < 0 || to >= call.process.limits.soft(resource.NOFILE)) return -errno.EBADF;
  call.process.files.replace(to, file, (flags & CLOEXEC) !== 0);
  return to;
}

function fcntl(call: SystemCall, wideLocks: boolean): number {
  const [descriptor, command, argument] = call.args;
  const { files, limits } = call.process;
  const file = fileFor(call, descriptor, 'any');
  if (typeof file === 'number') return file;
  const c = fcntlCommands;
  const f = call.abi.open;
  switch (command) {
    case c.F_DUPFD:
    case c.F_DUPFD_CLOEXEC:
      if (argument >= limits.soft(resource.NOFILE)) return -errno.EINVAL;
      return install(call, file, command === c.F_DUPFD_CLOEXEC, argument);
    case c.F_GETFD:
      return files.closeOnExec(descriptor) ? 1 : 0;
    case c.F_SETFD:
      files.setCloseOnExec(descriptor, (argument & 1) !== 0);
      return 0;
    case c.F_GETFL:
      return file.flags;
  }
  if (file.pathOnly) return -errno.EBADF;
  switch (command) {
    case c.F_SETFL: {
      const changeable = f.APPEND | f.NONBLOCK | f.ASYNC | f.DIRECT | f.NOATIME;
      file.flags = (file.flags & ~changeable) | (argument & changeable);
      file.append = (argument & f.APPEND) !== 0;
      file.nonBlocking = (argument & f.NONBLOCK) !== 0;
      return 0;
    }
    case c.F_GETLK:
      return testLock(call, argument, false);
    case c.F_GETLK64:
    case c.F_OFD_GETLK:
      return testLock(call, argument, wideLocks || call.abi.model.wordSize === 8);
    case c.F_SETLK:
    case c.F_SETLKW:
      return setLock(call, file, argument, false);
    case c.F_SETLK64:
    case c.F_SETLKW64:
    case c.F_OFD_SETLK:
    case c.F_OFD_SETLKW:
      return setLock(call, file, argument, true);
    case c.F_GETOWN:
    case c.F_GETSIG:
    case c.F_SETOWN:
    case c.F_SETSIG:
      return 0;
    case c.F_GETLEASE:
      return 2;
    case c.F_GETPIPE_SZ:
    case c.F_SETPIPE_SZ:
      return file.pipeSize(command === c.F_SETPIPE_SZ ? argument : undefined);
    case c.F_GET_SEALS:
    case c.F_ADD_SEALS:
      return -errno.EINVAL;
    default:
      return -errno.EINVAL;
  }
}

const unlocked = 2;

/** Nobody else holds a lock: the process's own locks never conflict with it, and others' are not looked at. */
function testLock(call: SystemCall, address: number, wide: boolean): number {
  const layout = wide ? call.abi.structures.flock64 : call.abi.structures.flock;
  const lock = layout.read(call.memory, address);
  if (lock.l_type < 0 || lock.l_type >= unlocked || lock.l_whence < 0 || lock.l_whence > 2) return -errno.EINVAL;
  call.memory.writeU16(address + layout.fields.l_type.offset, unlocked);
  return 0;
}

function setLock(call: SystemCall, file: OpenFile, address: number, wide: boolean): number {
  const layout = wide ? call.abi.structures.flock64 : call.abi.structures.flock;
  const lock = layout.read(call.memory, address);
  if (lock.l_type < 0 || lock.l_type > unlocked || lock.l_whence < 0 || lock.l_whence > 2) return -errno.EINVAL;
  if ((lock.l_type === 0 && !file.access.read) || (lock.l_type === 1 && !file.access.write)) return -errno.EBADF;
  return 0;
}

function flock(call: SystemCall): number {
  const [descriptor, operation] = call.args;
  const file = fileFor(call, descriptor, 'any');
  if (typeof file === 'number') return file;
  if (file.pathOnly) return -errno.EBADF;
  const nonBlocking = 4;
  const kind = operation & ~nonBlocking;
  return kind === 1 || kind === 2 || kind === 8 ? 0 : -errno.EINVAL;
}

function memfdCreate(call: SystemCall): number {
  const [address, flags] = call.args;
  const closeOnExec = 1;
  const allowSealing = 2;
  if ((flags & ~(closeOnExec | allowSealing)) !== 0) return -errno.EINVAL;
  const name = readPath(call, address);
  if (typeof name === 'number' || name.length > 249) return -errno.EINVAL;
  const { files } = call.process;
  const descriptor = files.host.anonymousFile();
  if (descriptor < 0) return descriptor;
  const status = files.host.statusOf(descriptor);
  if (typeof status === 'number') return status;
  const { RDWR, LARGEFILE } = call.abi.open;
  const file = files.wrap(descriptor, Number(status.mode), RDWR | LARGEFILE, { read: true, write: true });
  return install(call, file, (flags & closeOnExec) !== 0);
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'open', numbers: { powerpc: 5, i386: 5, 'x86-64': 2 }, arguments: ['path', 'flags:open', 'octal'], handler: (call) => open(call, currentDirectory, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'creat', numbers: { powerpc: 8, i386: 8, 'x86-64': 85 }, arguments: ['path', 'octal'], handler: (call) => open(call, currentDirectory, call.args[0], call.abi.open.WRONLY | call.abi.open.CREAT | call.abi.open.TRUNC, call.args[1]), support: 'full' },
  { name: 'openat', numbers: { powerpc: 286, i386: 295, 'x86-64': 257 }, arguments: ['atfd', 'path', 'flags:open', 'octal'], handler: (call) => open(call, call.args[0], call.args[1], call.args[2], call.args[3]), support: 'full' },
  { name: 'openat2', numbers: { powerpc: 437, i386: 437, 'x86-64': 437 }, arguments: ['atfd', 'path', 'struct', 'size'], handler: openat2, support: 'partial', note: 'RESOLVE_* flags: EOPNOTSUPP' },
  { name: 'close', numbers: { powerpc: 6, i386: 6, 'x86-64': 3 }, arguments: ['fd'], handler: (call) => call.process.files.close(call.args[0]), support: 'full' },
  { name: 'close_range', numbers: { powerpc: 436, i386: 436, 'x86-64': 436 }, arguments: ['uint', 'uint', 'hex'], handler: closeRange, support: 'full' },
  { name: 'dup', numbers: { powerpc: 41, i386: 41, 'x86-64': 32 }, arguments: ['fd'], handler: duplicate, support: 'full' },
  { name: 'dup2', numbers: { powerpc: 63, i386: 63, 'x86-64': 33 }, arguments: ['fd', 'fd'], handler: (call) => duplicateTo(call, false), support: 'full' },
  { name: 'dup3', numbers: { powerpc: 316, i386: 330, 'x86-64': 292 }, arguments: ['fd', 'fd', 'flags:open'], handler: (call) => duplicateTo(call, true), support: 'full' },
  { name: 'fcntl', numbers: { powerpc: 55, i386: 55, 'x86-64': 72 }, arguments: ['fd', 'fcntl', 'word'], handler: (call) => fcntl(call, false), support: 'partial', note: 'locks are accepted without looking at other processes; no leases, owners or seals' },
  { name: 'fcntl64', numbers: { powerpc: 204, i386: 221 }, arguments: ['fd', 'fcntl', 'word'], handler: (call) => fcntl(call, true), support: 'partial', note: 'as fcntl' },
  { name: 'flock', numbers: { powerpc: 143, i386: 143, 'x86-64': 73 }, arguments: ['fd', 'hex'], handler: flock, support: 'accepted', note: 'other processes are not looked at' },
  { name: 'memfd_create', numbers: { powerpc: 360, i386: 356, 'x86-64': 319 }, arguments: ['string', 'hex'], handler: memfdCreate, support: 'partial', note: 'no sealing' },
  { name: 'umask', numbers: { powerpc: 60, i386: 60, 'x86-64': 95 }, arguments: ['octal'], handler: (call) => call.process.files.host.setMask(call.args[0] & 0o777), support: 'full' },
];
