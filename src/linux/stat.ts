/** What is known of files and file systems: stat in all forms, statfs, access. */
import type { FileStatus } from '../host/host.ts';
import type { Structure } from './abi/structure.ts';
import { errno } from './errno.ts';
import { currentDirectory } from './files.ts';
import { fileFor, readPath, resolvePath } from './guest-access.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

/** Flags of calls with a directory argument (linux/fcntl.h). */
export const atFlags = {
  SYMLINK_NOFOLLOW: 0x100,
  EACCESS: 0x200,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  NO_AUTOMOUNT: 0x800,
  EMPTY_PATH: 0x1000,
  STATX_FORCE_SYNC: 0x2000,
  STATX_DONT_SYNC: 0x4000,
} as const;

const billion = 1_000_000_000n;

/** Seconds (rounded down) and the nanoseconds after them. */
function timeParts(nanoseconds: bigint): { seconds: bigint; rest: bigint } {
  const rest = ((nanoseconds % billion) + billion) % billion;
  return { seconds: (nanoseconds - rest) / billion, rest };
}

/** Linux's split of a 64-bit device number (glibc's gnu_dev_major). */
const majorOf = (device: bigint): bigint => ((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn);
const minorOf = (device: bigint): bigint => (device & 0xffn) | ((device >> 12n) & ~0xffn);
/** The kernel's 32-bit form of a device number (new_encode_dev). */
const encodeDevice = (device: bigint): bigint =>
  (minorOf(device) & 0xffn) | ((majorOf(device) & 0xfffn) << 8n) | ((minorOf(device) & ~0xffn) << 12n);

/** The largest id of 16 bits, and what stands for every one that does not fit (overflowuid). */
export const largestNarrowId = 65535;
const overflowId = 65534;
export const toNarrowId = (id: number): number => (id > largestNarrowId ? overflowId : id);

function storeStat(call: SystemCall, address: number, status: FileStatus | number, layout: Structure): number {
  if (typeof status === 'number') return status;
  const size = layout.fields.st_size;
  if (size.type === 'i32' && status.size > 0x7fffffffn) return -errno.EOVERFLOW;
  const inode = layout.fields.st_ino;
  // A 32-bit kernel answers EOVERFLOW for a wide inode in struct stat; a guest that only wants the size would fail.
  const ino = inode.type === 'u32' ? BigInt.asUintN(32, status.ino ^ (status.ino >> 32n)) : status.ino;
  const narrow = (id: bigint): bigint => (layout.fields.st_uid.type === 'u16' ? BigInt(toNarrowId(Number(id))) : id);
  const access = timeParts(status.atimeNs);
  const modification = timeParts(status.mtimeNs);
  const change = timeParts(status.ctimeNs);
  layout.write(call.memory, address, {
    st_dev: encodeDevice(status.dev),
    st_ino: ino,
    short_ino: BigInt.asUintN(32, status.ino),
    st_mode: status.mode,
    st_nlink: status.nlink,
    st_uid: narrow(status.uid),
    st_gid: narrow(status.gid),
    st_rdev: encodeDevice(status.rdev),
    st_size: status.size,
    st_blksize: status.blksize,
    st_blocks: status.blocks,
    st_atime: access.seconds,
    st_atime_nsec: access.rest,
    st_mtime: modification.seconds,
    st_mtime_nsec: modification.rest,
    st_ctime: change.seconds,
    st_ctime_nsec: change.rest,
  });
  return 0;
}

/** The status of what a directory argument and a path name, as AT_* flags ask. */
function statusAt(call: SystemCall, directory: number, address: number, flags: number): FileStatus | number {
  const path = readPath(call, address);
  if (typeof path === 'number') return path;
  const { files } = call.process;
  if (path.length === 0 && (flags & atFlags.EMPTY_PATH) !== 0) {
    if (directory === currentDirectory) {
      const start = files.startOf(directory) ?? files.host.workingDirectory();
      return typeof start === 'number' ? start : files.host.status(start, true);
    }
    const file = files.get(directory);
    return file === undefined ? -errno.EBADF : file.status();
  }
  const own = files.proc.status(directory, path, (flags & atFlags.SYMLINK_NOFOLLOW) === 0);
  if (own !== undefined) return own;
  const resolved = files.resolve(directory, path);
  if (typeof resolved === 'number') return resolved;
  return files.host.status(resolved, (flags & atFlags.SYMLINK_NOFOLLOW) === 0);
}

function statPath(call: SystemCall, layout: 'stat' | 'stat64', flags: number): number {
  const status = statusAt(call, currentDirectory, call.args[0], flags);
  return storeStat(call, call.args[1], status, call.abi.structures[layout]);
}

function statDescriptor(call: SystemCall, layout: 'stat' | 'stat64'): number {
  const file = fileFor(call, call.args[0], 'any');
  const status = typeof file === 'number' ? file : file.status();
  return storeStat(call, call.args[1], status, call.abi.structures[layout]);
}

function fstatat(call: SystemCall): number {
  const [directory, path, address, flags] = call.args;
  const known = atFlags.SYMLINK_NOFOLLOW | atFlags.NO_AUTOMOUNT | atFlags.EMPTY_PATH;
  if ((flags & ~known) !== 0) return -errno.EINVAL;
  return storeStat(call, address, statusAt(call, directory, path, flags), call.abi.structures.stat64);
}

/** STATX_BASIC_STATS and STATX_BTIME. */
const basicMask = 0x7ff;
const birthMask = 0x800;

function statx(call: SystemCall): number {
  const [directory, path, flags, mask, address] = call.args;
  const synchronization = atFlags.STATX_FORCE_SYNC | atFlags.STATX_DONT_SYNC;
  const known = atFlags.SYMLINK_NOFOLLOW | atFlags.NO_AUTOMOUNT | atFlags.EMPTY_PATH | synchronization;
  if ((flags & ~known) !== 0 || mask >= 0x80000000) return -errno.EINVAL;
  if ((flags & synchronization) === synchronization) return -errno.EINVAL;
  const status = statusAt(call, directory, path, flags);
  if (typeof status === 'number') return status;
  const times: Record<string, bigint> = {};
  for (const [name, value] of [
    ['stx_atime', status.atimeNs],
    ['stx_mtime', status.mtimeNs],
    ['stx_ctime', status.ctimeNs],
    ['stx_btime', status.birthtimeNs],
  ] as const) {
    const { seconds, rest } = timeParts(value);
    times[`${name}_sec`] = seconds;
    times[`${name}_nsec`] = rest;
  }
  call.abi.structures.statx.write(call.memory, address, {
    stx_mask: basicMask | birthMask,
    stx_blksize: status.blksize,
    stx_nlink: status.nlink,
    stx_uid: status.uid,
    stx_gid: status.gid,
    stx_mode: status.mode,
    stx_ino: status.ino,
    stx_size: status.size,
    stx_blocks: status.blocks,
    stx_rdev_major: majorOf(status.rdev),
    stx_rdev_minor: minorOf(status.rdev),
    stx_dev_major: majorOf(status.dev),
    stx_dev_minor: minorOf(status.dev),
    ...times,
  });
  return 0;
}

/** Longest name in every file system that matters (NAME_MAX). */
const longestName = 255;

function storeStatfs(call: SystemCall, path: Uint8Array | number, address: number, layout: Structure): number {
  if (typeof path === 'number') return path;
  const status = call.process.files.host.fileSystem(path);
  if (typeof status === 'number') return status;
  const narrow = layout.fields.f_blocks.type === 'u32';
  const { blocks, bfree, bavail, files, ffree } = status;
  if (narrow && Math.max(blocks, bfree, bavail) > 0xffffffff) return -errno.EOVERFLOW;
  // Some file systems have no fixed number of files and say all ones: that is all ones here too.
  const files32 = (count: number) => (narrow && count > 0xffffffff ? 0xffffffff : count);
  layout.write(call.memory, address, {
    f_type: status.type,
    f_bsize: status.bsize,
    f_blocks: blocks,
    f_bfree: bfree,
    f_bavail: bavail,
    f_files: files32(files),
    f_ffree: files32(ffree),
    f_namelen: longestName,
    f_frsize: status.bsize,
  });
  return 0;
}

function statfs(call: SystemCall, wide: boolean): number {
  const address = wide ? call.args[2] : call.args[1];
  const layout = wide ? call.abi.structures.statfs64 : call.abi.structures.statfs;
  if (wide && call.args[1] !== layout.size) return -errno.EINVAL;
  return storeStatfs(call, resolvePath(call, currentDirectory, call.args[0]), address, layout);
}

function fstatfs(call: SystemCall, wide: boolean): number {
  const address = wide ? call.args[2] : call.args[1];
  const layout = wide ? call.abi.structures.statfs64 : call.abi.structures.statfs;
  if (wide && call.args[1] !== layout.size) return -errno.EINVAL;
  const file = fileFor(call, call.args[0], 'any');
  if (typeof file === 'number') return file;
  return storeStatfs(call, call.process.files.pathOf(file) ?? -errno.ENOSYS, address, layout);
}

function access(call: SystemCall, directory: number, address: number, mode: number, flags: number): number {
  if ((mode & ~7) !== 0) return -errno.EINVAL;
  if ((flags & ~(atFlags.EACCESS | atFlags.SYMLINK_NOFOLLOW | atFlags.EMPTY_PATH)) !== 0) return -errno.EINVAL;
  const path = readPath(call, address);
  if (typeof path === 'number') return path;
  const { files } = call.process;
  if (path.length === 0 && (flags & atFlags.EMPTY_PATH) !== 0) {
    const file = files.get(directory);
    if (file === undefined) return -errno.EBADF;
    const own = files.pathOf(file);
    return own === undefined ? 0 : files.host.access(own, mode);
  }
  const resolved = files.resolve(directory, path);
  if (typeof resolved === 'number') return resolved;
  if ((flags & atFlags.SYMLINK_NOFOLLOW) !== 0) {
    const status = files.host.status(resolved, false);
    if (typeof status === 'number') return status;
    // A link itself allows everything.
    if ((Number(status.mode) & 0o170000) === 0o120000) return 0;
  }
  return files.host.access(resolved, mode);
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'stat', numbers: { powerpc: 106, i386: 106, 'x86-64': 4 }, arguments: ['path', 'struct'], handler: (call) => statPath(call, 'stat', 0), support: 'full', note: 'a wide inode number is folded to 32 bits' },
  { name: 'lstat', numbers: { powerpc: 107, i386: 107, 'x86-64': 6 }, arguments: ['path', 'struct'], handler: (call) => statPath(call, 'stat', atFlags.SYMLINK_NOFOLLOW), support: 'full', note: 'as stat' },
  { name: 'fstat', numbers: { powerpc: 108, i386: 108, 'x86-64': 5 }, arguments: ['fd', 'struct'], handler: (call) => statDescriptor(call, 'stat'), support: 'full', note: 'as stat' },
  { name: 'stat64', numbers: { powerpc: 195, i386: 195 }, arguments: ['path', 'struct'], handler: (call) => statPath(call, 'stat64', 0), support: 'full' },
  { name: 'lstat64', numbers: { powerpc: 196, i386: 196 }, arguments: ['path', 'struct'], handler: (call) => statPath(call, 'stat64', atFlags.SYMLINK_NOFOLLOW), support: 'full' },
  { name: 'fstat64', numbers: { powerpc: 197, i386: 197 }, arguments: ['fd', 'struct'], handler: (call) => statDescriptor(call, 'stat64'), support: 'full' },
  { name: 'fstatat64', numbers: { powerpc: 291, i386: 300 }, arguments: ['atfd', 'path', 'struct', 'flags:at'], handler: fstatat, support: 'full' },
  { name: 'newfstatat', numbers: { 'x86-64': 262 }, arguments: ['atfd', 'path', 'struct', 'flags:at'], handler: fstatat, support: 'full' },
  { name: 'statx', numbers: { powerpc: 383, i386: 383, 'x86-64': 332 }, arguments: ['atfd', 'path', 'flags:at', 'hex', 'struct'], handler: statx, support: 'full' },
  { name: 'statfs', numbers: { powerpc: 99, i386: 99, 'x86-64': 137 }, arguments: ['path', 'struct'], handler: (call) => statfs(call, false), support: 'partial', note: 'no file-system id, no mount flags' },
  { name: 'fstatfs', numbers: { powerpc: 100, i386: 100, 'x86-64': 138 }, arguments: ['fd', 'struct'], handler: (call) => fstatfs(call, false), support: 'partial', note: 'as statfs' },
  { name: 'statfs64', numbers: { powerpc: 252, i386: 268 }, arguments: ['path', 'size', 'struct'], handler: (call) => statfs(call, true), support: 'partial', note: 'as statfs' },
  { name: 'fstatfs64', numbers: { powerpc: 253, i386: 269 }, arguments: ['fd', 'size', 'struct'], handler: (call) => fstatfs(call, true), support: 'partial', note: 'as statfs' },
  { name: 'access', numbers: { powerpc: 33, i386: 33, 'x86-64': 21 }, arguments: ['path', 'flags:access'], handler: (call) => access(call, currentDirectory, call.args[0], call.args[1], 0), support: 'full' },
  { name: 'faccessat', numbers: { powerpc: 298, i386: 307, 'x86-64': 269 }, arguments: ['atfd', 'path', 'flags:access'], handler: (call) => access(call, call.args[0], call.args[1], call.args[2], 0), support: 'full' },
  { name: 'faccessat2', numbers: { powerpc: 439, i386: 439, 'x86-64': 439 }, arguments: ['atfd', 'path', 'flags:access', 'flags:at'], handler: (call) => access(call, call.args[0], call.args[1], call.args[2], call.args[3]), support: 'full', note: 'checks for the real user, also with AT_EACCESS' },
];
