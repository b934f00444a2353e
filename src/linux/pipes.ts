/** Pipes and event counters inside the process: what is written to one end waits in a buffer for the other. */
import type { FileStatus } from '../host/host.ts';
import { errno } from './errno.ts';
import { install } from './files-open.ts';
import { fileTypes, OpenFile, pollBits, readable, writable } from './open-file.ts';
import { restart } from './signal-frame.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import type { Thread } from './thread.ts';

/** Bytes that a pipe holds (its default capacity), and that a write puts in as one piece (PIPE_BUF). */
const defaultCapacity = 65536;
const atomicSize = 4096;
const largestCapacity = 1 << 20;

/** Lets calls wait until something changes. */
export class Waiters {
  private waiting: PromiseWithResolvers<void> | undefined;

  /** Resolves at the next change. */
  next(): Promise<void> {
    this.waiting ??= Promise.withResolvers();
    return this.waiting.promise;
  }

  wake(): void {
    this.waiting?.resolve();
    this.waiting = undefined;
  }
}

/** What both ends of a pipe share. */
class Pipe {
  readonly changed = new Waiters();
  readonly inode: bigint;
  private buffer = new Uint8Array(4096);
  private start = 0;
  length = 0;
  capacity = defaultCapacity;
  readers = 1;
  writers = 1;

  constructor(inode: bigint) {
    this.inode = inode;
  }

  take(target: Uint8Array): number {
    const bytes = Math.min(target.length, this.length);
    target.set(this.buffer.subarray(this.start, this.start + bytes));
    this.start += bytes;
    this.length -= bytes;
    if (this.length === 0) this.start = 0;
    this.changed.wake();
    return bytes;
  }

  /** @returns bytes that there was room for */
  put(bytes: Uint8Array): number {
    const count = Math.min(bytes.length, this.capacity - this.length);
    const end = this.start + this.length;
    if (end + count > this.buffer.length) {
      const size = Math.max(this.buffer.length, Math.min(this.capacity, 2 * (this.length + count)));
      const moved = size > this.buffer.length ? new Uint8Array(size) : this.buffer;
      moved.set(this.buffer.subarray(this.start, end));
      this.buffer = moved;
      this.start = 0;
    }
    this.buffer.set(bytes.subarray(0, count), this.start + this.length);
    this.length += count;
    this.changed.wake();
    return count;
  }

  status(thread: { uid: number; gid: number }): FileStatus {
    return anonymousStatus(this.inode, fileTypes.fifo | 0o600, thread);
  }
}

/** The status of a file that no file system holds. */
export function anonymousStatus(inode: bigint, mode: number, owner: { uid: number; gid: number }): FileStatus {
  const now = BigInt(Date.now()) * 1_000_000n;
  return {
    dev: 14n,
    ino: inode,
    mode: BigInt(mode),
    nlink: 1n,
    uid: BigInt(owner.uid),
    gid: BigInt(owner.gid),
    rdev: 0n,
    size: 0n,
    blksize: 4096n,
    blocks: 0n,
    atimeNs: now,
    mtimeNs: now,
    ctimeNs: now,
    birthtimeNs: 0n,
  };
}

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

abstract class PipeEnd extends OpenFile {
  protected readonly pipe: Pipe;
  private readonly owner: Owner;

  constructor(pipe: Pipe, owner: Owner, flags: number, access: { read: boolean; write: boolean }) {
    super(flags, access);
    this.pipe = pipe;
    this.owner = owner;
  }

  status(): FileStatus {
    return this.pipe.status(this.owner);
  }

  override available(): number {
    return this.pipe.length;
  }

  override pipeSize(size: number | undefined): number {
    if (size !== undefined) {
      const capacity = Math.max(atomicSize, 2 ** Math.ceil(Math.log2(size)));
      if (capacity > largestCapacity) return -errno.EPERM;
      if (capacity < this.pipe.length) return -errno.EBUSY;
      this.pipe.capacity = capacity;
      this.pipe.changed.wake();
    }
    return this.pipe.capacity;
  }

  override whenChanged(): Promise<void> {
    return this.pipe.changed.next();
  }

  override get label(): string {
    return `pipe:[${this.pipe.inode}]`;
  }
}

class ReadEnd extends PipeEnd {
  read(buffer: Uint8Array, thread: Thread): number | Promise<number> {
    const { pipe } = this;
    if (buffer.length === 0) return 0;
    if (pipe.length > 0) return pipe.take(buffer);
    if (pipe.writers === 0) return 0;
    return this.nonBlocking ? -errno.EAGAIN : this.readLater(buffer, thread);
  }

  write(): number {
    return -errno.EBADF;
  }

  override readiness(): number {
    return (this.pipe.length > 0 ? readable : 0) | (this.pipe.writers === 0 ? pollBits.POLLHUP : 0);
  }

  dispose(): void {
    this.pipe.readers--;
    this.pipe.changed.wake();
  }

  private async readLater(buffer: Uint8Array, thread: Thread): Promise<number> {
    const { pipe } = this;
    while (pipe.length === 0) {
      if (pipe.writers === 0) return 0;
      if (thread.interrupted) return -restart.ERESTARTSYS;
      await Promise.race([pipe.changed.next(), thread.whenInterrupted()]);
    }
    return pipe.take(buffer);
  }
}

class WriteEnd extends PipeEnd {
  read(): number {
    return -errno.EBADF;
  }

  write(bytes: Uint8Array, thread: Thread): number | Promise<number> {
    const { pipe } = this;
    if (pipe.readers === 0) return -errno.EPIPE;
    if (bytes.length === 0) return 0;
    const room = pipe.capacity - pipe.length;
    if (bytes.length <= room) return pipe.put(bytes);
    if (!this.nonBlocking) return this.writeLater(bytes, thread);
    if (room === 0 || bytes.length <= atomicSize) return -errno.EAGAIN;
    return pipe.put(bytes);
  }

  override readiness(): number {
    const { pipe } = this;
    if (pipe.readers === 0) return writable | pollBits.POLLERR;
    return pipe.capacity - pipe.length >= atomicSize ? writable : 0;
  }

  dispose(): void {
    this.pipe.writers--;
    this.pipe.changed.wake();
  }

  private async writeLater(bytes: Uint8Array, thread: Thread): Promise<number> {
    const { pipe } = this;
    let done = 0;
    while (done < bytes.length) {
      if (pipe.readers === 0) return done > 0 ? done : -errno.EPIPE;
      const room = pipe.capacity - pipe.length;
      const whole = bytes.length <= atomicSize;
      if (room > 0 && (!whole || room >= bytes.length)) {
        done += pipe.put(bytes.subarray(done));
        continue;
      }
      if (thread.interrupted) return done > 0 ? done : -restart.ERESTARTSYS;
      await Promise.race([pipe.changed.next(), thread.whenInterrupted()]);
    }
    return done;
  }
}

/** Largest value of an event counter, plus one (ULLONG_MAX). */
const counterLimit = 0xffffffffffffffffn;

/** eventfd: a 64-bit counter that writes add to and reads take from. */
class EventCounter extends OpenFile {
  private readonly changed = new Waiters();
  private readonly semaphore: boolean;
  private readonly little: boolean;
  private readonly owner: Owner;
  private value: bigint;

  constructor(value: bigint, semaphore: boolean, little: boolean, owner: Owner, flags: number) {
    super(flags, { read: true, write: true });
    this.value = value;
    this.semaphore = semaphore;
    this.little = little;
    this.owner = owner;
  }

  read(buffer: Uint8Array, thread: Thread): number | Promise<number> {
    if (buffer.length < 8) return -errno.EINVAL;
    if (this.value === 0n) return this.nonBlocking ? -errno.EAGAIN : this.readLater(buffer, thread);
    const taken = this.semaphore ? 1n : this.value;
    this.value -= taken;
    new DataView(buffer.buffer, buffer.byteOffset).setBigUint64(0, taken, this.little);
    this.changed.wake();
    return 8;
  }

  write(bytes: Uint8Array, thread: Thread): number | Promise<number> {
    if (bytes.length < 8) return -errno.EINVAL;
    const added = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, this.little);
    if (added === counterLimit) return -errno.EINVAL;
    if (this.value + added >= counterLimit) return this.nonBlocking ? -errno.EAGAIN : this.writeLater(bytes, thread);
    this.value += added;
    this.changed.wake();
    return 8;
  }

  override readiness(): number {
    return (this.value > 0n ? readable : 0) | (this.value < counterLimit - 1n ? writable : 0);
  }

  override whenChanged(): Promise<void> {
    return this.changed.next();
  }

  status(): FileStatus {
    return anonymousStatus(1n, 0o600, this.owner);
  }

  dispose(): void {}

  override get label(): string {
    return 'anon_inode:[eventfd]';
  }

  private async readLater(buffer: Uint8Array, thread: Thread): Promise<number> {
    while (this.value === 0n) {
      if (thread.interrupted) return -restart.ERESTARTSYS;
      await Promise.race([this.changed.next(), thread.whenInterrupted()]);
    }
    return this.read(buffer, thread);
  }

  private async writeLater(bytes: Uint8Array, thread: Thread): Promise<number> {
    if (thread.interrupted) return -restart.ERESTARTSYS;
    await Promise.race([this.changed.next(), thread.whenInterrupted()]);
    return this.write(bytes, thread);
  }
}

export function ownerOf(call: SystemCall): Owner {
  const { effectiveUid, effectiveGid } = call.process.system.credentials();
  return { uid: effectiveUid, gid: effectiveGid };
}

function makePipe(call: SystemCall, flags: number): number {
  const { NONBLOCK, CLOEXEC, DIRECT, WRONLY } = call.abi.open;
  // O_DIRECT asks for packets, which the kernel may be built without.
  if ((flags & ~(NONBLOCK | CLOEXEC | DIRECT)) !== 0 || (flags & DIRECT) !== 0) return -errno.EINVAL;
  const { memory, process } = call;
  const address = call.args[0];
  // Looked at first: descriptors that the guest never hears of must not stay open.
  if (!memory.allows(address, 8, 2)) return -errno.EFAULT;
  const pipe = new Pipe(process.files.nextInode());
  const owner = ownerOf(call);
  const status = flags & NONBLOCK;
  const readEnd = new ReadEnd(pipe, owner, status, { read: true, write: false });
  const writeEnd = new WriteEnd(pipe, owner, status | WRONLY, { read: false, write: true });
  readEnd.nonBlocking = status !== 0;
  writeEnd.nonBlocking = status !== 0;
  const first = install(call, readEnd, (flags & CLOEXEC) !== 0);
  if (first < 0) return first;
  const second = install(call, writeEnd, (flags & CLOEXEC) !== 0);
  if (second < 0) {
    process.files.close(first);
    return second;
  }
  memory.writeU32(address, first);
  memory.writeU32(address + 4, second);
  return 0;
}

function makeEventCounter(call: SystemCall, flags: number): number {
  const { NONBLOCK, CLOEXEC, RDWR } = call.abi.open;
  const semaphore = 1;
  if ((flags & ~(NONBLOCK | CLOEXEC | semaphore)) !== 0) return -errno.EINVAL;
  const little = call.abi.model.byteOrder === 'little';
  const value = BigInt(call.args[0]);
  const counter = new EventCounter(value, (flags & semaphore) !== 0, little, ownerOf(call), RDWR | (flags & NONBLOCK));
  counter.nonBlocking = (flags & NONBLOCK) !== 0;
  return install(call, counter, (flags & CLOEXEC) !== 0);
}

/** Moving pages between pipes is an optimization that every program does without. */
const noPages = () => -errno.EINVAL;

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'pipe', numbers: { powerpc: 42, i386: 42, 'x86-64': 22 }, arguments: ['fdpair'], handler: (call) => makePipe(call, 0), support: 'full' },
  { name: 'pipe2', numbers: { powerpc: 317, i386: 331, 'x86-64': 293 }, arguments: ['fdpair', 'flags:open'], handler: (call) => makePipe(call, call.args[1]), support: 'partial', note: 'O_DIRECT: EINVAL' },
  { name: 'eventfd', numbers: { powerpc: 307, i386: 323, 'x86-64': 284 }, arguments: ['uint'], handler: (call) => makeEventCounter(call, 0), support: 'full' },
  { name: 'eventfd2', numbers: { powerpc: 314, i386: 328, 'x86-64': 290 }, arguments: ['uint', 'hex'], handler: (call) => makeEventCounter(call, call.args[1]), support: 'full' },
  { name: 'splice', numbers: { powerpc: 283, i386: 313, 'x86-64': 275 }, arguments: ['fd', 'pointer', 'fd', 'pointer', 'size', 'hex'], handler: noPages, support: 'partial', note: 'EINVAL, as for files that cannot be spliced' },
  { name: 'tee', numbers: { powerpc: 284, i386: 315, 'x86-64': 276 }, arguments: ['fd', 'fd', 'size', 'hex'], handler: noPages, support: 'partial', note: 'as splice' },
  { name: 'vmsplice', numbers: { powerpc: 285, i386: 316, 'x86-64': 278 }, arguments: ['fd', 'iovec', 'int', 'hex'], handler: noPages, support: 'partial', note: 'as splice' },
];
