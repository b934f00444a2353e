/** Files that the host holds open: regular files and devices that never wait, and directories. */
import type { DirectoryEntry, FileHost, FileStatus } from '../host/host.ts';
import { errno } from './errno.ts';
import { type AccessMode, fileTypes, OpenFile } from './open-file.ts';

/** The largest offset that 64-bit file positions have here: numbers are exact to 2^53. */
const largestOffset = Number.MAX_SAFE_INTEGER;

export abstract class HostBacked extends OpenFile {
  readonly host: FileHost;
  readonly descriptor: number;
  /** One of the standard descriptors: the host keeps it when the guest closes it. */
  readonly inherited: boolean;
  override readonly pathOnly: boolean;

  constructor(host: FileHost, descriptor: number, flags: number, access: AccessMode, options: HostOptions = {}) {
    super(flags, access);
    this.host = host;
    this.descriptor = descriptor;
    this.inherited = options.inherited === true;
    this.pathOnly = options.pathOnly === true;
  }

  status(): FileStatus | number {
    return this.host.statusOf(this.descriptor);
  }

  dispose(): void {
    if (!this.inherited) this.host.close(this.descriptor);
  }

  override synchronize(dataOnly: boolean): number {
    return this.host.synchronize(this.descriptor, dataOnly);
  }

  override get hostDescriptor(): number {
    return this.descriptor;
  }
}

export interface HostOptions {
  readonly inherited?: boolean;
  readonly pathOnly?: boolean;
}

/** A regular file, or a device whose reads and writes never wait. */
export class HostFile extends HostBacked {
  /** Offset of the next access; undefined: the host's own, shared with whoever else has the description. */
  private position: number | undefined;
  private readonly seekable: boolean;

  constructor(
    host: FileHost,
    descriptor: number,
    flags: number,
    access: AccessMode,
    seekable: boolean,
    options: HostOptions = {},
  ) {
    super(host, descriptor, flags, access, options);
    this.seekable = seekable;
    this.position = seekable && options.inherited !== true ? 0 : undefined;
  }

  read(buffer: Uint8Array): number {
    const bytes = this.host.read(this.descriptor, buffer, this.position);
    if (bytes > 0 && this.position !== undefined) this.position += bytes;
    return bytes;
  }

  write(bytes: Uint8Array): number {
    if (this.append) {
      const written = this.host.write(this.descriptor, bytes, undefined);
      if (written >= 0 && this.position !== undefined) this.position = this.size();
      return written;
    }
    const written = this.host.write(this.descriptor, bytes, this.position);
    if (written > 0 && this.position !== undefined) this.position += written;
    return written;
  }

  override readAt(buffer: Uint8Array, position: number): number {
    if (!this.seekable) return this.host.read(this.descriptor, buffer, undefined);
    return this.host.read(this.descriptor, buffer, position);
  }

  override writeAt(bytes: Uint8Array, position: number): number {
    if (!this.seekable || this.append) return this.host.write(this.descriptor, bytes, undefined);
    return this.host.write(this.descriptor, bytes, position);
  }

  override seek(offset: number, whence: number): number {
    // Devices such as /dev/null accept every seek and stay at 0.
    if (!this.seekable) return 0;
    const current = this.position ?? this.host.inherited(this.descriptor)?.position ?? 0;
    const target = this.target(offset, whence, current);
    if (target < 0) return target;
    // Asking for the position does not take it from the others.
    if (target !== current || this.position !== undefined) this.position = target;
    return target;
  }

  override truncate(length: number): number {
    return this.host.truncate(this.descriptor, length);
  }

  override available(): number {
    if (!this.seekable) return -errno.ENOTTY;
    return Math.max(0, this.size() - this.seek(0, 1));
  }

  private size(): number {
    const status = this.status();
    return typeof status === 'number' ? 0 : Number(status.size);
  }

  private target(offset: number, whence: number, current: number): number {
    switch (whence) {
      case 0:
        break;
      case 1:
        offset += current;
        break;
      case 2:
        offset += this.size();
        break;
      // SEEK_DATA and SEEK_HOLE: every file may call itself all data with one hole at its end.
      case 3:
      case 4: {
        const size = this.size();
        if (offset < 0 || offset >= size) return -errno.ENXIO;
        return whence === 3 ? offset : size;
      }
      default:
        return -errno.EINVAL;
    }
    return offset < 0 || offset > largestOffset ? -errno.EINVAL : offset;
  }
}

/** A directory. Its entries are read as a whole, so that an offset is an index and fits a 32-bit guest. */
export class HostDirectory extends HostBacked {
  /** Index of the next entry. */
  position = 0;
  private entries: DirectoryEntry[] | undefined;

  read(): number {
    return -errno.EISDIR;
  }
  write(): number {
    return -errno.EBADF;
  }
  override readAt(): number {
    return -errno.EISDIR;
  }

  /** The entries as they were when the position was last 0, with `.` and `..` first. */
  list(): DirectoryEntry[] | number {
    if (this.position === 0 || this.entries === undefined) {
      const listed = this.hostEntries();
      if (typeof listed === 'number') return listed;
      this.entries = [dot, dotDot, ...listed];
    }
    return this.entries;
  }

  protected hostEntries(): DirectoryEntry[] | number {
    return this.host.list(this.host.descriptorPath(this.descriptor));
  }

  override seek(offset: number, whence: number): number {
    if (whence === 1) offset += this.position;
    else if (whence !== 0) return -errno.EINVAL;
    if (offset < 0) return -errno.EINVAL;
    this.position = offset;
    return offset;
  }

  override get isDirectory(): boolean {
    return true;
  }
}

const directoryType = fileTypes.directory >> 12;
const dot: DirectoryEntry = { name: Uint8Array.of(0x2e), type: directoryType };
const dotDot: DirectoryEntry = { name: Uint8Array.of(0x2e, 0x2e), type: directoryType };
