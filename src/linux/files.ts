/**
 * A process's files: the table of descriptors, the working directory, the mask of modes, and how paths
 * become the host's.
 */
import type { FileHost } from '../host/host.ts';
import type { Abi } from './abi/abi.ts';
import { errno } from './errno.ts';
import { HostDirectory, HostFile } from './file-host.ts';
import { HostStream } from './file-stream.ts';
import { fileTypes, type OpenFile } from './open-file.ts';
import { bytesOf, concatenate, join, latin1, normalize, pathMaximum, slash } from './path.ts';
import { ProcessDirectory } from './proc.ts';

/** The directory argument that stands for the working directory (AT_FDCWD). */
export const currentDirectory = -100;

export interface FilesOptions {
  readonly host: FileHost;
  readonly abi: Abi;
  /** Directory that absolute paths are looked up in first (-L). */
  readonly root?: Uint8Array;
}

interface Descriptor {
  readonly file: OpenFile;
  closeOnExec: boolean;
}

/** Inodes of pipes count from here. */
const firstInode = 100_000n;

/** A path of the guest, resolved. */
export type Resolved = Uint8Array | number;

export class Files {
  readonly host: FileHost;
  readonly abi: Abi;
  readonly root: Uint8Array | undefined;
  /** What the guest sees in /proc of itself. */
  readonly proc: ProcessDirectory;
  /** Processors that /proc/cpuinfo lists. */
  processors = 1;
  private inode = firstInode;
  private readonly table: (Descriptor | undefined)[] = [];
  /** The working directory; undefined: the host's own, as at the start. */
  private directory: HostDirectory | undefined;

  constructor(options: FilesOptions) {
    this.host = options.host;
    this.abi = options.abi;
    this.root = options.root;
    this.proc = new ProcessDirectory(this);
    for (const descriptor of [0, 1, 2]) this.inherit(descriptor);
  }

  /** The file behind a descriptor. */
  get(descriptor: number): OpenFile | undefined {
    return this.table[descriptor]?.file;
  }

  /** The lowest free descriptor from `minimum` on, now in use; -EMFILE when there is none below `limit`. */
  add(file: OpenFile, closeOnExec: boolean, minimum: number, limit: number): number {
    let descriptor = minimum;
    while (this.table[descriptor] !== undefined) descriptor++;
    if (descriptor >= limit) {
      if (file.references === 0) file.dispose();
      return -errno.EMFILE;
    }
    this.put(descriptor, file, closeOnExec);
    return descriptor;
  }

  /** Makes a certain descriptor refer to a file, closing what it was (dup2). */
  replace(descriptor: number, file: OpenFile, closeOnExec: boolean): void {
    file.references++;
    this.close(descriptor);
    file.references--;
    this.put(descriptor, file, closeOnExec);
  }

  close(descriptor: number): number {
    const entry = this.table[descriptor];
    if (entry === undefined) return -errno.EBADF;
    this.table[descriptor] = undefined;
    if (--entry.file.references === 0) entry.file.dispose();
    return 0;
  }

  closeOnExec(descriptor: number): boolean {
    return this.table[descriptor]?.closeOnExec === true;
  }

  setCloseOnExec(descriptor: number, value: boolean): void {
    const entry = this.table[descriptor];
    if (entry !== undefined) entry.closeOnExec = value;
  }

  /** Descriptors in use, in order. */
  descriptors(): number[] {
    return [...this.table.keys()].filter((descriptor) => this.table[descriptor] !== undefined);
  }

  /** Gives back every file, when the process ends. */
  closeAll(): void {
    for (const descriptor of this.descriptors()) this.close(descriptor);
    this.directory?.dispose();
    this.directory = undefined;
  }

  /** An inode number for a file that no file system holds. */
  nextInode(): bigint {
    return this.inode++;
  }

  // -- paths

  /**
   * The host's path for one of the guest's.
   * @param directory a descriptor, or AT_FDCWD
   * @returns bytes, or -errno
   */
  resolve(directory: number, path: Uint8Array): Resolved {
    if (path.length === 0) return -errno.ENOENT;
    if (path.length >= pathMaximum) return -errno.ENAMETOOLONG;
    if (path[0] === slash) return this.resolveAbsolute(path);
    const start = this.startOf(directory);
    if (typeof start === 'number') return start;
    return start === undefined ? path : join(start, path);
  }

  /** The host's path of the directory that relative paths start from; undefined: the host's own working directory. */
  startOf(directory: number): Uint8Array | undefined | number {
    if (directory === currentDirectory) {
      return this.directory === undefined ? undefined : this.host.descriptorPath(this.directory.descriptor);
    }
    const file = this.get(directory);
    if (file === undefined) return -errno.EBADF;
    if (!file.isDirectory) return -errno.ENOTDIR;
    return this.host.descriptorPath((file as HostDirectory).descriptor);
  }

  /** A path that names what a descriptor refers to, for calls that have no form for descriptors. */
  pathOf(file: OpenFile): Uint8Array | undefined {
    return file.hostDescriptor === undefined ? undefined : this.host.descriptorPath(file.hostDescriptor);
  }

  /** The working directory as the guest knows it. @returns bytes, or -errno when it was removed */
  workingDirectory(): Uint8Array | number {
    if (this.directory === undefined) return this.host.workingDirectory();
    return this.withoutRoot(this.host.readLink(this.host.descriptorPath(this.directory.descriptor)));
  }

  /** @param directory taken over: closed when the working directory changes again */
  changeDirectory(directory: HostDirectory): void {
    const old = this.directory;
    directory.references++;
    this.directory = directory;
    if (old !== undefined && --old.references === 0) old.dispose();
  }

  private withoutRoot(path: Uint8Array | number): Uint8Array | number {
    if (typeof path === 'number') return path;
    const text = latin1(path);
    if (text.endsWith(' (deleted)')) return -errno.ENOENT;
    const root = this.root === undefined ? '' : latin1(this.root);
    if (root !== '' && (text === root || text.startsWith(`${root}/`))) {
      return path.length === root.length ? bytesOf('/') : path.subarray(root.length);
    }
    return path;
  }

  private resolveAbsolute(path: Uint8Array): Resolved {
    // Only paths under /proc and /dev can name what must show the guest's truth.
    if (path[1] === 0x70 || path[1] === 0x64) {
      const redirected = this.proc.redirect(normalize(latin1(path)));
      if (redirected !== undefined) return redirected;
    }
    if (this.root !== undefined) {
      const below = concatenate(this.root, path);
      if (this.host.exists(below)) return below;
    }
    return path;
  }

  // -- descriptors that the process was started with

  private put(descriptor: number, file: OpenFile, closeOnExec: boolean): void {
    while (this.table.length < descriptor) this.table.push(undefined);
    this.table[descriptor] = { file, closeOnExec };
    file.references++;
  }

  private inherit(descriptor: number): void {
    const status = this.host.statusOf(descriptor);
    if (typeof status === 'number') return;
    const { flags } = this.host.inherited(descriptor) ?? { flags: 2 };
    const access = { read: (flags & 3) !== 1, write: (flags & 3) !== 0 };
    const append = (flags & genericAppend) !== 0;
    // Not O_NONBLOCK: that is the parent's, and a guest that does not expect it would lose output.
    const guestFlags = (flags & 3) | (append ? this.abi.open.APPEND : 0);
    const file = this.wrap(descriptor, Number(status.mode), guestFlags, access, { inherited: true });
    file.append = append;
    this.put(descriptor, file, false);
  }

  /** An open file for a descriptor of the host. */
  wrap(
    descriptor: number,
    mode: number,
    flags: number,
    access: { read: boolean; write: boolean },
    options: { inherited?: boolean; pathOnly?: boolean } = {},
  ): OpenFile {
    switch (mode & fileTypes.mask) {
      case fileTypes.directory:
        return new HostDirectory(this.host, descriptor, flags, access, options);
      case fileTypes.regular:
      case fileTypes.block:
        return new HostFile(this.host, descriptor, flags, access, true, options);
      case fileTypes.character:
        if (!this.host.isTerminal(descriptor))
          return new HostFile(this.host, descriptor, flags, access, false, options);
        return new HostStream(this.host, descriptor, flags, access, true, options);
      default:
        return new HostStream(this.host, descriptor, flags, access, false, options);
    }
  }
}

/** O_APPEND in Linux's generic numbering. */
const genericAppend = 0o2000;
