/** Calls that move bytes: read and write in all forms, seeking, copying between files, synchronizing. */
import { errno } from './errno.ts';
import { checkNewSize, writableLength } from './file-size-limit.ts';
import {
  accessible,
  fileFor,
  gather,
  readAccess,
  readVector,
  type Segment,
  scatter,
  transferMaximum,
  writablePart,
  writeAccess,
} from './guest-access.ts';
import { fileTypes, type OpenFile } from './open-file.ts';
import { signalNumbers } from './signals.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

/** The largest piece that is read at once; a guest may ask for 2 GB and have 20 bytes. */
const chunk = 1 << 20;
/** Flags of preadv2 and pwritev2 that change nothing here: RWF_HIPRI, RWF_DSYNC, RWF_SYNC. */
const harmlessFlags = 1 | 2 | 4;

/** A write to a pipe that nobody reads: EPIPE, and SIGPIPE for the thread. */
function afterWrite(call: SystemCall, result: number): number {
  if (result === -errno.EPIPE) {
    call.process.signals.send({ signal: signalNumbers.SIGPIPE, code: 0, pid: call.process.id }, call.thread);
  }
  return result;
}

function finishWrite(call: SystemCall, result: number | Promise<number>): number | Promise<number> {
  if (typeof result === 'number') return result < 0 ? afterWrite(call, result) : result;
  return result.then((value) => afterWrite(call, value));
}

/** Writes what the size limit allows. @param position undefined: at the file's offset */
function put(
  call: SystemCall,
  file: OpenFile,
  bytes: Uint8Array,
  position: number | undefined,
): number | Promise<number> {
  const length = writableLength(call, file, position, bytes.length);
  if (length < 0) return length;
  const part = length < bytes.length ? bytes.subarray(0, length) : bytes;
  return finishWrite(call, position === undefined ? file.write(part, call.thread) : file.writeAt(part, position));
}

function write(call: SystemCall): number | Promise<number> {
  const [descriptor, address, size] = call.args;
  const file = fileFor(call, descriptor, 'write');
  if (typeof file === 'number') return file;
  const wanted = Math.min(size, transferMaximum);
  const length = accessible(call, address, wanted, readAccess);
  if (length === 0 && wanted > 0) return -errno.EFAULT;
  return put(call, file, call.memory.readBytes(address, length), undefined);
}

function read(call: SystemCall): number | Promise<number> {
  const [descriptor, address, size] = call.args;
  const file = fileFor(call, descriptor, 'read');
  if (typeof file === 'number') return file;
  const wanted = Math.min(size, chunk);
  const length = accessible(call, address, wanted, writeAccess);
  if (length === 0 && wanted > 0) return -errno.EFAULT;
  const buffer = new Uint8Array(length);
  const result = file.read(buffer, call.thread);
  const store = (bytes: number): number => {
    if (bytes > 0) call.memory.writeBytes(address, buffer.subarray(0, bytes));
    return bytes;
  };
  if (typeof result !== 'number') return result.then(store);
  if (result < length || size <= chunk || !isRegular(file)) return store(result);
  store(result);
  return readOn(call, file, address, Math.min(size, transferMaximum), result);
}

/** Reads the rest of a large piece of a regular file. */
function readOn(call: SystemCall, file: OpenFile, address: number, size: number, done: number): number {
  while (done < size) {
    const wanted = Math.min(size - done, chunk);
    const length = accessible(call, address + done, wanted, writeAccess);
    if (length === 0) break;
    const buffer = new Uint8Array(length);
    const bytes = file.read(buffer, call.thread) as number;
    if (bytes <= 0) break;
    call.memory.writeBytes(address + done, buffer.subarray(0, bytes));
    done += bytes;
    if (bytes < length) break;
  }
  return done;
}

function isRegular(file: OpenFile): boolean {
  const status = file.status();
  return typeof status !== 'number' && (Number(status.mode) & fileTypes.mask) === fileTypes.regular;
}

function total(segments: readonly Segment[]): number {
  return segments.reduce((sum, segment) => sum + segment.length, 0);
}

/** Reads into segments. @param position undefined: at the file's offset */
function readSegments(
  call: SystemCall,
  file: OpenFile,
  segments: Segment[] | number,
  position: number | undefined,
): number | Promise<number> {
  if (typeof segments === 'number') return segments;
  const parts = writablePart(call, segments);
  if (typeof parts === 'number') return parts;
  const buffer = new Uint8Array(total(parts));
  const result = position === undefined ? file.read(buffer, call.thread) : file.readAt(buffer, position);
  const store = (bytes: number): number => {
    if (bytes > 0) scatter(call, parts, buffer.subarray(0, bytes));
    return bytes;
  };
  return typeof result === 'number' ? store(result) : result.then(store);
}

function writeSegments(
  call: SystemCall,
  file: OpenFile,
  segments: Segment[] | number,
  position: number | undefined,
): number | Promise<number> {
  if (typeof segments === 'number') return segments;
  const bytes = gather(call, segments);
  if (typeof bytes === 'number') return bytes;
  return put(call, file, bytes, position);
}

type VectorTransfer = typeof readSegments;

/** readv, writev and their positioned forms. @param position from the arguments; -1 is the file's offset where `current` says so */
function vectored(call: SystemCall, access: 'read' | 'write', position: number | undefined): number | Promise<number> {
  const [descriptor, address, count] = call.args;
  const file = fileFor(call, descriptor, access);
  if (typeof file === 'number') return file;
  if (position !== undefined && position < 0) return -errno.EINVAL;
  const transfer: VectorTransfer = access === 'read' ? readSegments : writeSegments;
  return transfer(call, file, readVector(call, address, count), position);
}

/** The position of preadv and pwritev: two longs, low first, whatever the byte order. */
function splitPosition(call: SystemCall): number {
  return call.abi.model.wordSize === 4 ? (call.args[4] | 0) * 0x100000000 + (call.args[3] >>> 0) : call.args[3];
}

function vectoredWithFlags(call: SystemCall, access: 'read' | 'write'): number | Promise<number> {
  if ((call.args[5] & ~harmlessFlags) !== 0) return -errno.EOPNOTSUPP;
  const position = splitPosition(call);
  return vectored(call, access, position === -1 ? undefined : position);
}

function positioned(call: SystemCall, access: 'read' | 'write'): number | Promise<number> {
  const [descriptor, address, size, position] = call.args;
  const file = fileFor(call, descriptor, access);
  if (typeof file === 'number') return file;
  if (position < 0) return -errno.EINVAL;
  const segments = [{ address, length: Math.min(size, transferMaximum) }];
  return (access === 'read' ? readSegments : writeSegments)(call, file, segments, position);
}

function seek(call: SystemCall, offset: number, whence: number): number {
  const file = fileFor(call, call.args[0], 'any');
  if (typeof file === 'number') return file;
  return file.pathOnly ? -errno.EBADF : file.seek(offset, whence);
}

function lseek(call: SystemCall): number {
  const result = seek(call, call.args[1], call.args[2]);
  return call.abi.model.wordSize === 4 && result > 0x7fffffff ? -errno.EOVERFLOW : result;
}

function llseek(call: SystemCall): number {
  const [, high, low, address, whence] = call.args;
  const result = seek(call, (high | 0) * 0x100000000 + low, whence);
  if (result < 0) return result;
  call.memory.writeU64(address, BigInt(result));
  return 0;
}

/** sendfile: the source's offset is at `address`, or its own when that is null. */
function sendFile(call: SystemCall, wide: boolean): number | Promise<number> {
  const [outDescriptor, inDescriptor, address, size] = call.args;
  const source = fileFor(call, inDescriptor, 'read');
  if (typeof source === 'number') return source;
  const target = fileFor(call, outDescriptor, 'write');
  if (typeof target === 'number') return target;
  if (target.append || !isRegular(source)) return -errno.EINVAL;
  const { memory } = call;
  const start = address === 0 ? undefined : wide ? Number(memory.readI64(address)) : memory.readI32(address);
  if (start !== undefined && start < 0) return -errno.EINVAL;
  const finish = (copied: number): number => {
    if (copied >= 0 && start !== undefined) {
      if (wide) memory.writeU64(address, BigInt(start + copied));
      else memory.writeU32(address, start + copied);
    }
    return copied;
  };
  const copied = copy(call, source, start, target, undefined, Math.min(size, transferMaximum));
  return typeof copied === 'number' ? finish(copied) : copied.then(finish);
}

function copyFileRange(call: SystemCall): number | Promise<number> {
  const [inDescriptor, inAddress, outDescriptor, outAddress, size, flags] = call.args;
  const source = fileFor(call, inDescriptor, 'read');
  if (typeof source === 'number') return source;
  const target = fileFor(call, outDescriptor, 'write');
  if (typeof target === 'number') return target;
  if (flags !== 0) return -errno.EINVAL;
  if (target.append) return -errno.EBADF;
  if (source.isDirectory || target.isDirectory) return -errno.EISDIR;
  if (!isRegular(source) || !isRegular(target)) return -errno.EINVAL;
  const { memory } = call;
  const from = inAddress === 0 ? undefined : Number(memory.readI64(inAddress));
  const to = outAddress === 0 ? undefined : Number(memory.readI64(outAddress));
  if ((from ?? 0) < 0 || (to ?? 0) < 0) return -errno.EINVAL;
  const finish = (copied: number): number => {
    if (copied > 0 && from !== undefined) memory.writeU64(inAddress, BigInt(from + copied));
    if (copied > 0 && to !== undefined) memory.writeU64(outAddress, BigInt(to + copied));
    return copied;
  };
  const copied = copy(call, source, from, target, to, Math.min(size, transferMaximum));
  return typeof copied === 'number' ? finish(copied) : copied.then(finish);
}

/** Copies between files through a buffer; stops at the first short write. @param from undefined: at the file's offset */
function copy(
  call: SystemCall,
  source: OpenFile,
  from: number | undefined,
  target: OpenFile,
  to: number | undefined,
  size: number,
): number | Promise<number> {
  let done = 0;
  const step = (): number | Promise<number> => {
    while (done < size) {
      const buffer = new Uint8Array(Math.min(chunk, size - done));
      const position = from === undefined ? source.seek(0, 1) : from + done;
      const bytes = source.readAt(buffer, position);
      if (bytes <= 0) return done > 0 ? done : bytes;
      const piece = buffer.subarray(0, bytes);
      const written = put(call, target, piece, to === undefined ? undefined : to + done);
      const account = (count: number): number | undefined => {
        if (count < 0) return done > 0 ? done : count;
        done += count;
        if (from === undefined) source.seek(position + count, 0);
        return count < bytes ? done : undefined;
      };
      if (typeof written !== 'number') return written.then((count) => account(count) ?? step());
      const end = account(written);
      if (end !== undefined) return end;
    }
    return done;
  };
  return step();
}

function synchronize(call: SystemCall, dataOnly: boolean): number {
  const file = fileFor(call, call.args[0], 'any');
  if (typeof file === 'number') return file;
  return file.pathOnly ? -errno.EBADF : file.synchronize(dataOnly);
}

function truncateDescriptor(call: SystemCall, length: number): number {
  const file = fileFor(call, call.args[0], 'any');
  if (typeof file === 'number') return file;
  if (file.pathOnly) return -errno.EBADF;
  if (length < 0 || !file.access.write) return -errno.EINVAL;
  return checkNewSize(call, length) || file.truncate(length);
}

/** fallocate: extends the file; the host reserves blocks when they are written. */
function allocate(call: SystemCall): number {
  const [descriptor, mode, offset, length] = call.args;
  const file = fileFor(call, descriptor, 'write');
  if (typeof file === 'number') return file;
  if (offset < 0 || length <= 0) return -errno.EINVAL;
  const keepSize = 1;
  if ((mode & ~keepSize) !== 0) return -errno.EOPNOTSUPP;
  const status = file.status();
  if (typeof status === 'number') return status;
  if ((Number(status.mode) & fileTypes.mask) === fileTypes.fifo) return -errno.ESPIPE;
  if ((Number(status.mode) & fileTypes.mask) !== fileTypes.regular) return -errno.ENODEV;
  if (mode === keepSize || offset + length <= Number(status.size)) return 0;
  return checkNewSize(call, offset + length) || file.truncate(offset + length);
}

/** Advice that only concerns speed is taken once the arguments are right. */
function advise(call: SystemCall, advice: number): number {
  const file = fileFor(call, call.args[0], 'any');
  if (typeof file === 'number') return file;
  const status = file.status();
  if (typeof status !== 'number' && (Number(status.mode) & fileTypes.mask) === fileTypes.fifo) return -errno.ESPIPE;
  return advice < 0 || advice > 5 ? -errno.EINVAL : 0;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'read', numbers: { powerpc: 3, i386: 3, 'x86-64': 0 }, arguments: ['fd', 'outbuffer', 'size'], handler: read, support: 'full' },
  { name: 'write', numbers: { powerpc: 4, i386: 4, 'x86-64': 1 }, arguments: ['fd', 'buffer', 'size'], handler: write, support: 'full' },
  { name: 'readv', numbers: { powerpc: 145, i386: 145, 'x86-64': 19 }, arguments: ['fd', 'iovec', 'int'], handler: (call) => vectored(call, 'read', undefined), support: 'full' },
  { name: 'writev', numbers: { powerpc: 146, i386: 146, 'x86-64': 20 }, arguments: ['fd', 'iovec', 'int'], handler: (call) => vectored(call, 'write', undefined), support: 'full' },
  { name: 'pread64', numbers: { powerpc: 179, i386: 180, 'x86-64': 17 }, arguments: ['fd', 'outbuffer', 'size', 'i64'], handler: (call) => positioned(call, 'read'), support: 'full' },
  { name: 'pwrite64', numbers: { powerpc: 180, i386: 181, 'x86-64': 18 }, arguments: ['fd', 'buffer', 'size', 'i64'], handler: (call) => positioned(call, 'write'), support: 'full' },
  { name: 'preadv', numbers: { powerpc: 320, i386: 333, 'x86-64': 295 }, arguments: ['fd', 'iovec', 'int', 'long', 'uint'], handler: (call) => vectored(call, 'read', splitPosition(call)), support: 'full' },
  { name: 'pwritev', numbers: { powerpc: 321, i386: 334, 'x86-64': 296 }, arguments: ['fd', 'iovec', 'int', 'long', 'uint'], handler: (call) => vectored(call, 'write', splitPosition(call)), support: 'full' },
  { name: 'preadv2', numbers: { powerpc: 380, i386: 378, 'x86-64': 327 }, arguments: ['fd', 'iovec', 'int', 'long', 'uint', 'hex'], handler: (call) => vectoredWithFlags(call, 'read'), support: 'partial', note: 'RWF_NOWAIT and RWF_APPEND: EOPNOTSUPP' },
  { name: 'pwritev2', numbers: { powerpc: 381, i386: 379, 'x86-64': 328 }, arguments: ['fd', 'iovec', 'int', 'long', 'uint', 'hex'], handler: (call) => vectoredWithFlags(call, 'write'), support: 'partial', note: 'RWF_NOWAIT and RWF_APPEND: EOPNOTSUPP' },
  { name: 'lseek', numbers: { powerpc: 19, i386: 19, 'x86-64': 8 }, arguments: ['fd', 'long', 'whence'], handler: lseek, support: 'full', note: 'a standard descriptor that was moved keeps an offset of its own' },
  { name: '_llseek', numbers: { powerpc: 140, i386: 140 }, arguments: ['fd', 'uint', 'uint', 'pointer', 'whence'], handler: llseek, support: 'full' },
  { name: 'sendfile', numbers: { powerpc: 186, i386: 187, 'x86-64': 40 }, arguments: ['fd', 'fd', 'pointer', 'size'], handler: (call) => sendFile(call, call.abi.model.wordSize === 8), support: 'full' },
  { name: 'sendfile64', numbers: { powerpc: 226, i386: 239 }, arguments: ['fd', 'fd', 'pointer', 'size'], handler: (call) => sendFile(call, true), support: 'full' },
  { name: 'copy_file_range', numbers: { powerpc: 379, i386: 377, 'x86-64': 326 }, arguments: ['fd', 'pointer', 'fd', 'pointer', 'size', 'hex'], handler: copyFileRange, support: 'full' },
  { name: 'sync', numbers: { powerpc: 36, i386: 36, 'x86-64': 162 }, arguments: [], handler: () => 0, support: 'accepted' },
  { name: 'fsync', numbers: { powerpc: 118, i386: 118, 'x86-64': 74 }, arguments: ['fd'], handler: (call) => synchronize(call, false), support: 'full' },
  { name: 'fdatasync', numbers: { powerpc: 148, i386: 148, 'x86-64': 75 }, arguments: ['fd'], handler: (call) => synchronize(call, true), support: 'full' },
  { name: 'syncfs', numbers: { powerpc: 348, i386: 344, 'x86-64': 306 }, arguments: ['fd'], handler: (call) => (call.process.files.get(call.args[0]) === undefined ? -errno.EBADF : 0), support: 'accepted' },
  { name: 'sync_file_range2', numbers: { powerpc: 308 }, arguments: ['fd', 'hex', 'i64', 'i64'], handler: (call) => synchronize(call, true), support: 'full' },
  { name: 'ftruncate', numbers: { powerpc: 93, i386: 93, 'x86-64': 77 }, arguments: ['fd', 'long'], handler: (call) => truncateDescriptor(call, call.args[1]), support: 'full' },
  { name: 'ftruncate64', numbers: { powerpc: 194, i386: 194 }, arguments: ['fd', 'i64'], handler: (call) => truncateDescriptor(call, call.args[1]), support: 'full' },
  { name: 'fallocate', numbers: { powerpc: 309, i386: 324, 'x86-64': 285 }, arguments: ['fd', 'hex', 'i64', 'i64'], handler: allocate, support: 'partial', note: 'extends the file without reserving blocks; modes other than FALLOC_FL_KEEP_SIZE: EOPNOTSUPP' },
  { name: 'fadvise64', numbers: { powerpc: 233, i386: 250, 'x86-64': 221 }, arguments: ['fd', 'i64', 'size', 'int'], handler: (call) => advise(call, call.args[3]), support: 'accepted' },
  { name: 'fadvise64_64', numbers: { powerpc: 254 }, arguments: ['fd', 'int', 'i64', 'i64'], handler: (call) => advise(call, call.args[1]), support: 'accepted' },
  { name: 'fadvise64_64', numbers: { i386: 272 }, arguments: ['fd', 'i64', 'i64', 'int'], handler: (call) => advise(call, call.args[3]), support: 'accepted' },
  { name: 'sync_file_range', numbers: { i386: 314, 'x86-64': 277 }, arguments: ['fd', 'i64', 'i64', 'hex'], handler: (call) => synchronize(call, true), support: 'full' },
  { name: 'readahead', numbers: { powerpc: 191, i386: 225, 'x86-64': 187 }, arguments: ['fd', 'i64', 'size'], handler: (call) => { const file = fileFor(call, call.args[0], 'read'); return typeof file === 'number' ? file : isRegular(file) ? 0 : -errno.EINVAL; }, support: 'accepted' },
];
