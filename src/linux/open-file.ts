/**
 * Open file descriptions: what descriptors refer to, shared by dup. Each kind of file is a class; what
 * a kind cannot do answers as the kernel does for it.
 */
import type { FileStatus } from '../host/host.ts';
import { errno } from './errno.ts';
import type { Thread } from './thread.ts';

/** Bits of poll's events (asm-generic/poll.h). */
export const pollBits = {
  POLLIN: 0x001,
  POLLPRI: 0x002,
  POLLOUT: 0x004,
  POLLERR: 0x008,
  POLLHUP: 0x010,
  POLLNVAL: 0x020,
  POLLRDNORM: 0x040,
  POLLRDBAND: 0x080,
  POLLWRNORM: 0x100,
  POLLWRBAND: 0x200,
  POLLRDHUP: 0x2000,
} as const;

export const readable = pollBits.POLLIN | pollBits.POLLRDNORM;
export const writable = pollBits.POLLOUT | pollBits.POLLWRNORM;

/** Types of a file's mode (S_IFMT). */
export const fileTypes = {
  mask: 0o170000,
  socket: 0o140000,
  link: 0o120000,
  regular: 0o100000,
  block: 0o060000,
  directory: 0o040000,
  character: 0o020000,
  fifo: 0o010000,
} as const;

export type SeekWhence = 0 | 1 | 2 | 3 | 4;

export interface AccessMode {
  readonly read: boolean;
  readonly write: boolean;
}

export abstract class OpenFile {
  /** Descriptors that refer to it. */
  references = 0;
  /** File status flags and access mode in the numbers of the guest's ABI (F_GETFL). */
  flags: number;
  readonly access: AccessMode;
  append = false;
  nonBlocking = false;
  /** Opened with O_PATH: only a place in the file system. */
  readonly pathOnly: boolean = false;

  constructor(flags: number, access: AccessMode) {
    this.flags = flags;
    this.access = access;
  }

  /** Reads at the file's offset into `buffer`. @returns bytes, 0 at the end, or -errno */
  abstract read(buffer: Uint8Array, thread: Thread): number | Promise<number>;
  abstract write(bytes: Uint8Array, thread: Thread): number | Promise<number>;
  abstract status(): FileStatus | number;
  /** Gives back what it holds, when the last descriptor is closed. */
  abstract dispose(): void;

  readAt(_buffer: Uint8Array, _position: number): number {
    return -errno.ESPIPE;
  }
  writeAt(_bytes: Uint8Array, _position: number): number {
    return -errno.ESPIPE;
  }
  seek(_offset: number, _whence: number): number {
    return -errno.ESPIPE;
  }
  truncate(_length: number): number {
    return -errno.EINVAL;
  }
  synchronize(_dataOnly: boolean): number {
    return -errno.EINVAL;
  }
  /** Which of poll's bits hold now; regular files are always ready. */
  readiness(): number {
    return readable | writable;
  }
  /**
   * Resolves when `readiness` may have changed for one of the bits; undefined for a file that is always ready.
   * Asking also starts whatever finds out.
   */
  whenChanged(_bits: number): Promise<void> | undefined {
    return undefined;
  }
  /** Whether `readiness` is not known for sure: a read ahead is on its way that may yet tell of one of the bits. */
  isUncertain(_bits: number): boolean {
    return false;
  }
  /** Bytes that can be read without waiting (FIONREAD), or -errno. */
  available(): number {
    return -errno.ENOTTY;
  }
  /** Capacity in bytes of a pipe, changed first when `size` is given; or -errno. */
  pipeSize(_size: number | undefined): number {
    return -errno.EBADF;
  }
  /** The host's descriptor, for kinds that have one. */
  get hostDescriptor(): number | undefined {
    return undefined;
  }
  /** Where /proc/self/fd/N points, for kinds without a host descriptor. */
  get label(): string {
    return 'anon_inode:[unknown]';
  }
  get isDirectory(): boolean {
    return false;
  }
  get isTerminal(): boolean {
    return false;
  }
}
