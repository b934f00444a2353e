/** Calls that change names and attributes: unlink, rename, mkdir, link, chmod, chown, utime and their relatives. */
import type { FileTimes } from '../host/host.ts';
import { errno } from './errno.ts';
import { checkNewSize } from './file-size-limit.ts';
import type { Resolved } from './files.ts';
import { currentDirectory } from './files.ts';
import { fileFor, readPath, resolvePath } from './guest-access.ts';
import { fileTypes } from './open-file.ts';
import { concatenate, slash } from './path.ts';
import { atFlags } from './stat.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

/** Resolves the path of arguments `directory` and `address` and works on it. */
function withPath(call: SystemCall, directory: number, address: number, work: (path: Uint8Array) => number): number {
  const path = resolvePath(call, directory, address);
  return typeof path === 'number' ? path : work(path);
}

function withPaths(
  call: SystemCall,
  from: readonly [directory: number, address: number],
  to: readonly [directory: number, address: number],
  work: (from: Uint8Array, to: Uint8Array) => number,
): number {
  return withPath(call, from[0], from[1], (first) => withPath(call, to[0], to[1], (second) => work(first, second)));
}

/** The path of an open file, for calls on descriptors. */
function withDescriptor(call: SystemCall, descriptor: number, work: (path: Uint8Array) => number): number {
  const file = fileFor(call, descriptor, 'any');
  if (typeof file === 'number') return file;
  if (file.pathOnly) return -errno.EBADF;
  const path = call.process.files.pathOf(file);
  return path === undefined ? -errno.EINVAL : work(path);
}

const host = (call: SystemCall) => call.process.files.host;

function unlinkAt(call: SystemCall, directory: number, address: number, flags: number): number {
  if ((flags & ~atFlags.REMOVEDIR) !== 0) return -errno.EINVAL;
  const remove = (flags & atFlags.REMOVEDIR) !== 0;
  return withPath(call, directory, address, (path) =>
    remove ? host(call).removeDirectory(path) : host(call).unlink(path),
  );
}

/** Flags of renameat2. */
const noReplace = 1;
const exchange = 2;
const whiteout = 4;

function renameAt(
  call: SystemCall,
  fromDirectory: number,
  from: number,
  toDirectory: number,
  to: number,
  flags: number,
): number {
  if ((flags & ~(noReplace | exchange | whiteout)) !== 0) return -errno.EINVAL;
  // What the host's file system may not support either.
  if ((flags & (exchange | whiteout)) !== 0) return -errno.EINVAL;
  return withPaths(call, [fromDirectory, from], [toDirectory, to], (first, second) => {
    if (flags === noReplace) {
      const status = host(call).status(first, false);
      if (typeof status === 'number') return status;
      if (host(call).exists(second)) return -errno.EEXIST;
    }
    return host(call).rename(first, second);
  });
}

/** Symbolic links that a walk follows before it gives up (MAXSYMLINKS). */
const linkMaximum = 40;

/** What a chain of symbolic links ends at. */
function followLinks(call: SystemCall, path: Uint8Array): Resolved {
  for (let i = 0; i < linkMaximum; i++) {
    const status = host(call).status(path, false);
    if (typeof status === 'number' || (Number(status.mode) & fileTypes.mask) !== fileTypes.link) return path;
    const target = host(call).readLink(path);
    if (typeof target === 'number') return target;
    path = target[0] === slash ? target : concatenate(path.subarray(0, path.lastIndexOf(slash) + 1), target);
  }
  return -errno.ELOOP;
}

function linkAt(
  call: SystemCall,
  fromDirectory: number,
  from: number,
  toDirectory: number,
  to: number,
  flags: number,
): number {
  if ((flags & ~(atFlags.SYMLINK_FOLLOW | atFlags.EMPTY_PATH)) !== 0) return -errno.EINVAL;
  return withPaths(call, [fromDirectory, from], [toDirectory, to], (first, second) => {
    const source = (flags & atFlags.SYMLINK_FOLLOW) !== 0 ? followLinks(call, first) : first;
    return typeof source === 'number' ? source : host(call).link(source, second);
  });
}

function symlinkAt(call: SystemCall, target: number, directory: number, address: number): number {
  const text = readPath(call, target);
  if (typeof text === 'number') return text;
  if (text.length === 0) return -errno.ENOENT;
  return withPath(call, directory, address, (path) => host(call).symbolicLink(text, path));
}

function readLinkAt(call: SystemCall, directory: number, address: number, buffer: number, size: number): number {
  if ((size | 0) <= 0) return -errno.EINVAL;
  const path = readPath(call, address);
  if (typeof path === 'number') return path;
  const { files } = call.process;
  let target: Uint8Array | number | undefined;
  if (path.length === 0 && directory !== currentDirectory) {
    const file = files.get(directory);
    if (file === undefined) return -errno.EBADF;
    const own = files.pathOf(file);
    // The link that the descriptor itself was opened on is not known any more, only what it led to.
    if (own === undefined || !file.pathOnly) return -errno.ENOENT;
    target = -errno.EINVAL;
  } else {
    target = files.proc.link(directory, path);
    if (target === undefined) {
      const resolved = files.resolve(directory, path);
      target = typeof resolved === 'number' ? resolved : host(call).readLink(resolved);
    }
  }
  if (typeof target === 'number') return target;
  const bytes = target.length > size ? target.subarray(0, size) : target;
  call.memory.writeBytes(buffer, bytes);
  return bytes.length;
}

function makeDirectoryAt(call: SystemCall, directory: number, address: number, mode: number): number {
  return withPath(call, directory, address, (path) => host(call).makeDirectory(path, mode & 0o1777));
}

/** mknod: regular files; FIFOs as the host can make them; devices are for root. */
function makeNodeAt(call: SystemCall, directory: number, address: number, mode: number): number {
  const type = mode & fileTypes.mask;
  if (type === fileTypes.directory) return -errno.EPERM;
  return withPath(call, directory, address, (path) => {
    if (host(call).exists(path)) return -errno.EEXIST;
    if (type === fileTypes.fifo) return host(call).makeFifo(path, mode & 0o7777);
    if (type === fileTypes.character || type === fileTypes.block || type === fileTypes.socket) return -errno.EPERM;
    if (type !== fileTypes.regular && type !== 0) return -errno.EINVAL;
    const descriptor = host(call).open(path, { write: true, create: true, exclusive: true, mode: mode & 0o7777 });
    return descriptor < 0 ? descriptor : host(call).close(descriptor);
  });
}

function changeModeAt(call: SystemCall, directory: number, address: number, mode: number): number {
  return withPath(call, directory, address, (path) => host(call).changeMode(path, mode & 0o7777));
}

function changeOwnerAt(
  call: SystemCall,
  directory: number,
  address: number,
  owner: readonly [uid: number, gid: number],
  flags: number,
): number {
  if ((flags & ~(atFlags.SYMLINK_NOFOLLOW | atFlags.EMPTY_PATH)) !== 0) return -errno.EINVAL;
  const follow = (flags & atFlags.SYMLINK_NOFOLLOW) === 0;
  const path = readPath(call, address);
  if (typeof path === 'number') return path;
  if (path.length === 0 && (flags & atFlags.EMPTY_PATH) !== 0) {
    return withDescriptor(call, directory, (own) => host(call).changeOwner(own, owner[0], owner[1], true));
  }
  return withPath(call, directory, address, (resolved) => host(call).changeOwner(resolved, owner[0], owner[1], follow));
}

/** Values of tv_nsec that stand for the current time and for no change. */
const timeNow = 0x3fffffff;
const timeOmit = 0x3ffffffe;
const billion = 1_000_000_000n;

const nowTimes: FileTimes = { access: 'now', modification: 'now' };

/** The times that utimensat was given. @param layout of struct timespec */
function readTimes(call: SystemCall, address: number, layout: 'timespec' | 'timespec64'): FileTimes | number {
  if (address === 0) return nowTimes;
  const structure = call.abi.structures[layout];
  const read = (index: number): FileTimes['access'] | number => {
    const { tv_sec, tv_nsec } = structure.read(call.memory, address + index * structure.size);
    // The upper half of a 64-bit tv_nsec is padding on a 32-bit ABI (get_timespec64).
    const rest = call.abi.model.wordSize === 4 ? Number(BigInt.asIntN(32, BigInt(tv_nsec))) : tv_nsec;
    if (rest === timeNow) return 'now';
    if (rest === timeOmit) return undefined;
    if (rest < 0 || rest > 999_999_999) return -errno.EINVAL;
    return BigInt(tv_sec) * billion + BigInt(rest);
  };
  const access = read(0);
  const modification = read(1);
  if (typeof access === 'number') return access;
  if (typeof modification === 'number') return modification;
  return { access, modification };
}

function utimensAt(call: SystemCall, layout: 'timespec' | 'timespec64'): number {
  const [directory, address, times, flags] = call.args;
  if ((flags & ~(atFlags.SYMLINK_NOFOLLOW | atFlags.EMPTY_PATH)) !== 0) return -errno.EINVAL;
  const values = readTimes(call, times, layout);
  if (typeof values === 'number') return values;
  if (values.access === undefined && values.modification === undefined) return 0;
  if (address === 0) {
    if (directory === currentDirectory) return -errno.EFAULT;
    if (flags !== 0) return -errno.EINVAL;
    return withDescriptor(call, directory, (path) => host(call).setTimes(path, values, true));
  }
  const follow = (flags & atFlags.SYMLINK_NOFOLLOW) === 0;
  return withPath(call, directory, address, (path) => host(call).setTimes(path, values, follow));
}

function utime(call: SystemCall): number {
  const [address, times] = call.args;
  let values = nowTimes;
  if (times !== 0) {
    const { actime, modtime } = call.abi.structures.utimbuf.read(call.memory, times);
    values = { access: BigInt(actime) * billion, modification: BigInt(modtime) * billion };
  }
  return withPath(call, currentDirectory, address, (path) => host(call).setTimes(path, values, true));
}

function utimesAt(call: SystemCall, directory: number, address: number, times: number): number {
  let values = nowTimes;
  if (times !== 0) {
    const layout = call.abi.structures.timeval;
    const [access, modification] = [0, 1].map((index) => layout.read(call.memory, times + index * layout.size));
    if ([access, modification].some(({ tv_usec }) => tv_usec < 0 || tv_usec > 999_999)) return -errno.EINVAL;
    const value = (time: Record<string, number>) => BigInt(time.tv_sec) * billion + BigInt(time.tv_usec) * 1000n;
    values = { access: value(access), modification: value(modification) };
  }
  return withPath(call, directory, address, (path) => host(call).setTimes(path, values, true));
}

function truncatePath(call: SystemCall, length: number): number {
  if (length < 0) return -errno.EINVAL;
  return withPath(
    call,
    currentDirectory,
    call.args[0],
    (path) => checkNewSize(call, length) || host(call).truncatePath(path, length),
  );
}

const here = currentDirectory;
const none = -errno.EOPNOTSUPP;

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'unlink', numbers: { powerpc: 10, i386: 10, 'x86-64': 87 }, arguments: ['path'], handler: (call) => unlinkAt(call, here, call.args[0], 0), support: 'full' },
  { name: 'unlinkat', numbers: { powerpc: 292, i386: 301, 'x86-64': 263 }, arguments: ['atfd', 'path', 'flags:at'], handler: (call) => unlinkAt(call, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'rmdir', numbers: { powerpc: 40, i386: 40, 'x86-64': 84 }, arguments: ['path'], handler: (call) => unlinkAt(call, here, call.args[0], atFlags.REMOVEDIR), support: 'full' },
  { name: 'rename', numbers: { powerpc: 38, i386: 38, 'x86-64': 82 }, arguments: ['path', 'path'], handler: (call) => renameAt(call, here, call.args[0], here, call.args[1], 0), support: 'full' },
  { name: 'renameat', numbers: { powerpc: 293, i386: 302, 'x86-64': 264 }, arguments: ['atfd', 'path', 'atfd', 'path'], handler: (call) => renameAt(call, call.args[0], call.args[1], call.args[2], call.args[3], 0), support: 'full' },
  { name: 'renameat2', numbers: { powerpc: 357, i386: 353, 'x86-64': 316 }, arguments: ['atfd', 'path', 'atfd', 'path', 'hex'], handler: (call) => renameAt(call, call.args[0], call.args[1], call.args[2], call.args[3], call.args[4]), support: 'partial', note: 'RENAME_NOREPLACE is not atomic; RENAME_EXCHANGE and RENAME_WHITEOUT: EINVAL' },
  { name: 'mkdir', numbers: { powerpc: 39, i386: 39, 'x86-64': 83 }, arguments: ['path', 'octal'], handler: (call) => makeDirectoryAt(call, here, call.args[0], call.args[1]), support: 'full' },
  { name: 'mkdirat', numbers: { powerpc: 287, i386: 296, 'x86-64': 258 }, arguments: ['atfd', 'path', 'octal'], handler: (call) => makeDirectoryAt(call, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'mknod', numbers: { powerpc: 14, i386: 14, 'x86-64': 133 }, arguments: ['path', 'octal', 'hex'], handler: (call) => makeNodeAt(call, here, call.args[0], call.args[1]), support: 'partial', note: 'devices and sockets: EPERM' },
  { name: 'mknodat', numbers: { powerpc: 288, i386: 297, 'x86-64': 259 }, arguments: ['atfd', 'path', 'octal', 'hex'], handler: (call) => makeNodeAt(call, call.args[0], call.args[1], call.args[2]), support: 'partial', note: 'devices and sockets: EPERM' },
  { name: 'link', numbers: { powerpc: 9, i386: 9, 'x86-64': 86 }, arguments: ['path', 'path'], handler: (call) => linkAt(call, here, call.args[0], here, call.args[1], 0), support: 'full' },
  { name: 'linkat', numbers: { powerpc: 294, i386: 303, 'x86-64': 265 }, arguments: ['atfd', 'path', 'atfd', 'path', 'flags:at'], handler: (call) => linkAt(call, call.args[0], call.args[1], call.args[2], call.args[3], call.args[4]), support: 'partial', note: 'AT_EMPTY_PATH: ENOENT' },
  { name: 'symlink', numbers: { powerpc: 83, i386: 83, 'x86-64': 88 }, arguments: ['path', 'path'], handler: (call) => symlinkAt(call, call.args[0], here, call.args[1]), support: 'full' },
  { name: 'symlinkat', numbers: { powerpc: 295, i386: 304, 'x86-64': 266 }, arguments: ['path', 'atfd', 'path'], handler: (call) => symlinkAt(call, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'readlink', numbers: { powerpc: 85, i386: 85, 'x86-64': 89 }, arguments: ['path', 'outpath', 'size'], handler: (call) => readLinkAt(call, here, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'readlinkat', numbers: { powerpc: 296, i386: 305, 'x86-64': 267 }, arguments: ['atfd', 'path', 'outpath', 'size'], handler: (call) => readLinkAt(call, call.args[0], call.args[1], call.args[2], call.args[3]), support: 'full' },
  { name: 'chmod', numbers: { powerpc: 15, i386: 15, 'x86-64': 90 }, arguments: ['path', 'octal'], handler: (call) => changeModeAt(call, here, call.args[0], call.args[1]), support: 'full' },
  { name: 'fchmod', numbers: { powerpc: 94, i386: 94, 'x86-64': 91 }, arguments: ['fd', 'octal'], handler: (call) => withDescriptor(call, call.args[0], (path) => host(call).changeMode(path, call.args[1] & 0o7777)), support: 'full' },
  { name: 'fchmodat', numbers: { powerpc: 297, i386: 306, 'x86-64': 268 }, arguments: ['atfd', 'path', 'octal'], handler: (call) => changeModeAt(call, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'chown', numbers: { powerpc: 181, 'x86-64': 92 }, arguments: ['path', 'int', 'int'], handler: (call) => changeOwnerAt(call, here, call.args[0], [call.args[1], call.args[2]], 0), support: 'full' },
  { name: 'lchown', numbers: { powerpc: 16, 'x86-64': 94 }, arguments: ['path', 'int', 'int'], handler: (call) => changeOwnerAt(call, here, call.args[0], [call.args[1], call.args[2]], atFlags.SYMLINK_NOFOLLOW), support: 'full' },
  { name: 'fchown', numbers: { powerpc: 95, 'x86-64': 93 }, arguments: ['fd', 'int', 'int'], handler: (call) => withDescriptor(call, call.args[0], (path) => host(call).changeOwner(path, call.args[1], call.args[2], true)), support: 'full' },
  { name: 'fchownat', numbers: { powerpc: 289, i386: 298, 'x86-64': 260 }, arguments: ['atfd', 'path', 'int', 'int', 'flags:at'], handler: (call) => changeOwnerAt(call, call.args[0], call.args[1], [call.args[2], call.args[3]], call.args[4]), support: 'full' },
  { name: 'utime', numbers: { powerpc: 30, i386: 30, 'x86-64': 132 }, arguments: ['path', 'struct'], handler: utime, support: 'full' },
  { name: 'utimes', numbers: { powerpc: 251, i386: 271, 'x86-64': 235 }, arguments: ['path', 'struct'], handler: (call) => utimesAt(call, here, call.args[0], call.args[1]), support: 'full' },
  { name: 'futimesat', numbers: { powerpc: 290, i386: 299, 'x86-64': 261 }, arguments: ['atfd', 'path', 'struct'], handler: (call) => utimesAt(call, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'utimensat', numbers: { powerpc: 304, i386: 320, 'x86-64': 280 }, arguments: ['atfd', 'path', 'timespec', 'flags:at'], handler: (call) => utimensAt(call, 'timespec'), support: 'full' },
  { name: 'utimensat_time64', numbers: { powerpc: 412, i386: 412 }, arguments: ['atfd', 'path', 'timespec', 'flags:at'], handler: (call) => utimensAt(call, 'timespec64'), support: 'full' },
  { name: 'truncate', numbers: { powerpc: 92, i386: 92, 'x86-64': 76 }, arguments: ['path', 'long'], handler: (call) => truncatePath(call, call.args[1]), support: 'full' },
  { name: 'truncate64', numbers: { powerpc: 193, i386: 193 }, arguments: ['path', 'i64'], handler: (call) => truncatePath(call, call.args[1]), support: 'full' },
  // Extended attributes are optional in file systems; programs take EOPNOTSUPP for an answer.
  ...(['setxattr', 'lsetxattr', 'fsetxattr', 'getxattr', 'lgetxattr', 'fgetxattr', 'listxattr', 'llistxattr', 'flistxattr', 'removexattr', 'lremovexattr', 'fremovexattr'] as const).map((name, index): SystemCallRow => ({ name, numbers: { powerpc: 209 + index, i386: 226 + index, 'x86-64': 188 + index }, arguments: [name.startsWith('f') ? 'fd' : 'path', 'pointer', 'pointer', 'size'], handler: () => none, support: 'partial', note: 'EOPNOTSUPP, as on a file system without extended attributes' })),
];
