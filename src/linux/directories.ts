/** Directories: listing them, and the working directory. */
import type { DirectoryEntry, FileHost } from '../host/host.ts';
import { errno } from './errno.ts';
import { HostDirectory } from './file-host.ts';
import { currentDirectory } from './files.ts';
import { fileFor, resolvePath } from './guest-access.ts';
import { join, pathMaximum } from './path.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

/** Writes one record into `view` at `offset`. @returns the record's length; more than there is room: nothing was written */
type WriteRecord = (view: DataView, offset: number, entry: DirectoryEntry, inode: bigint, next: number) => number;

/** struct linux_dirent64: u64 inode, s64 offset of the next, u16 length, u8 type, name. */
function record64(little: boolean): WriteRecord {
  return (view, offset, { name, type }, inode, next) => {
    const length = (19 + name.length + 1 + 7) & ~7;
    if (offset + length > view.byteLength) return length;
    view.setBigUint64(offset, inode, little);
    view.setBigInt64(offset + 8, BigInt(next), little);
    view.setUint16(offset + 16, length, little);
    view.setUint8(offset + 18, type);
    bytesAt(view, offset + 19).set(name);
    return length;
  };
}

/** struct linux_dirent: ulong inode, ulong offset of the next, u16 length, name, and the type in the last byte. */
function recordWord(little: boolean, wordSize: 4 | 8): WriteRecord {
  return (view, offset, { name, type }, inode, next) => {
    const start = 2 * wordSize + 2;
    const length = (start + name.length + 2 + wordSize - 1) & -wordSize;
    if (offset + length > view.byteLength) return length;
    if (wordSize === 4) {
      view.setUint32(offset, Number(BigInt.asUintN(32, inode ^ (inode >> 32n))), little);
      view.setUint32(offset + 4, next, little);
    } else {
      view.setBigUint64(offset, inode, little);
      view.setBigInt64(offset + 8, BigInt(next), little);
    }
    view.setUint16(offset + 2 * wordSize, length, little);
    bytesAt(view, offset + start).set(name);
    view.setUint8(offset + length - 1, type);
    return length;
  };
}

function bytesAt(view: DataView, offset: number): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset + offset, view.byteLength - offset);
}

/** The inode of an entry; a number that is not 0 where it cannot be had, as programs skip entries with inode 0. */
function inodeOf(host: FileHost, directory: Uint8Array, entry: DirectoryEntry): bigint {
  const status = host.status(join(directory, entry.name), false);
  return typeof status === 'number' ? 1n : status.ino;
}

/** The longest record is 280 bytes; a guest that offers megabytes gets several calls. */
const bufferMaximum = 1 << 18;

function getEntries(call: SystemCall, write: WriteRecord): number {
  const [descriptor, address, size] = call.args;
  const file = fileFor(call, descriptor, 'read');
  if (typeof file === 'number') return file;
  if (!(file instanceof HostDirectory)) return -errno.ENOTDIR;
  const entries = file.list();
  if (typeof entries === 'number') return entries;
  const { host } = call.process.files;
  const path = host.descriptorPath(file.descriptor);
  const view = new DataView(new ArrayBuffer(Math.min(size, bufferMaximum)));
  let used = 0;
  let position = file.position;
  for (; position < entries.length; position++) {
    const entry = entries[position];
    const length = write(view, used, entry, inodeOf(host, path, entry), position + 1);
    if (used + length > view.byteLength) {
      if (used === 0) return -errno.EINVAL;
      break;
    }
    used += length;
  }
  call.memory.writeBytes(address, new Uint8Array(view.buffer, 0, used));
  file.position = position;
  return used;
}

function getCurrentDirectory(call: SystemCall): number {
  const [address, size] = call.args;
  const path = call.process.files.workingDirectory();
  if (typeof path === 'number') return path;
  if (path.length + 1 > Math.min(size, pathMaximum)) return -errno.ERANGE;
  const text = new Uint8Array(path.length + 1);
  text.set(path);
  call.memory.writeBytes(address, text);
  return text.length;
}

function changeDirectory(call: SystemCall): number {
  const path = resolvePath(call, currentDirectory, call.args[0]);
  if (typeof path === 'number') return path;
  const { files } = call.process;
  // Searching a directory takes permission x, which opening it for its path does not check.
  const searchable = files.host.access(path, 1);
  const descriptor = files.host.open(path, { read: true, directory: true, pathOnly: true });
  if (descriptor < 0) return descriptor;
  if (searchable < 0) {
    files.host.close(descriptor);
    return searchable;
  }
  const access = { read: true, write: false };
  files.changeDirectory(new HostDirectory(files.host, descriptor, 0, access, { pathOnly: true }));
  return 0;
}

function changeToDescriptor(call: SystemCall): number {
  const file = fileFor(call, call.args[0], 'any');
  if (typeof file === 'number') return file;
  if (!(file instanceof HostDirectory)) return -errno.ENOTDIR;
  const { files } = call.process;
  const searchable = files.host.access(files.host.descriptorPath(file.descriptor), 1);
  if (searchable < 0) return searchable;
  files.changeDirectory(file);
  return 0;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'getdents', numbers: { powerpc: 141, i386: 141, 'x86-64': 78 }, arguments: ['fd', 'pointer', 'size'], handler: (call) => getEntries(call, recordWord(call.abi.model.byteOrder === 'little', call.abi.model.wordSize)), support: 'full' },
  { name: 'getdents64', numbers: { powerpc: 202, i386: 220, 'x86-64': 217 }, arguments: ['fd', 'pointer', 'size'], handler: (call) => getEntries(call, record64(call.abi.model.byteOrder === 'little')), support: 'full' },
  { name: 'getcwd', numbers: { powerpc: 182, i386: 183, 'x86-64': 79 }, arguments: ['outpath', 'size'], handler: getCurrentDirectory, support: 'full' },
  { name: 'chdir', numbers: { powerpc: 12, i386: 12, 'x86-64': 80 }, arguments: ['path'], handler: changeDirectory, support: 'full' },
  { name: 'fchdir', numbers: { powerpc: 133, i386: 133, 'x86-64': 81 }, arguments: ['fd'], handler: changeToDescriptor, support: 'full' },
];
