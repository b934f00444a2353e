/** Files in memory, as a guest's host: what NodeFiles is on a machine with files. Times of access are not kept (noatime). */
import type {
  DirectoryEntry,
  FileHost,
  FileStatus,
  FileSystemStatus,
  FileTimes,
  InheritedDescriptor,
  OpenRequest,
  TerminalSettings,
  WindowSize,
} from '../host/host.ts';
import { errno } from '../linux/errno.ts';
import { bytesOf, fromLatin1 } from '../linux/path.ts';
import { Fifo } from './fifo.ts';
import { ByteStore } from './file-bytes.ts';
import {
  type Content,
  type Device,
  type Entry,
  type FileTree,
  type Inode,
  inodeCost,
  isDirectory,
  mayRead,
  mayWrite,
  type Place,
} from './file-tree.ts';
import type { Terminal } from './terminal.ts';

const blockSize = 4096;
/** Type of a file system in memory (TMPFS_MAGIC of linux/magic.h). */
const memoryFileSystem = 0x01021994;
/** Number of the device that it would lie on. */
const fileSystemDevice = 0x2an;

/** An open file. */
interface Description {
  readonly entry: Entry;
  readonly request: OpenRequest;
  /** Of a report: what it said when it was opened. */
  readonly report: Uint8Array | undefined;
  /** Where reads and writes without a position go on. */
  position: number;
}

export interface MemoryFilesOptions {
  readonly tree: FileTree;
  /** Where relative paths start. */
  readonly workingDirectory: Entry;
  /** What the device is. */
  readonly terminal: Terminal;
  readonly processId: number;
  fillRandom(bytes: Uint8Array<ArrayBuffer>): void;
}

export class MemoryFiles implements FileHost {
  private readonly options: MemoryFilesOptions;
  private readonly tree: FileTree;
  private readonly descriptions = new Map<number, Description>();
  private readonly start: Entry;
  private mask = 0o022;

  constructor(options: MemoryFilesOptions) {
    this.options = options;
    this.tree = options.tree;
    this.start = options.workingDirectory;
  }

  /** The entry of an open file. */
  entryOf(descriptor: number): Entry | undefined {
    return this.descriptions.get(descriptor)?.entry;
  }

  /** Makes a descriptor that a process starts with. @param path of a file that can be read and written */
  inherit(descriptor: number, path: string): void {
    const opened = this.open(bytesOf(path), { read: true, write: true });
    const description = this.descriptions.get(opened);
    if (description === undefined) throw new RangeError(`${path} cannot be opened: ${opened}`);
    this.descriptions.delete(opened);
    this.descriptions.set(descriptor, description);
  }

  // -- the process

  workingDirectory(): Uint8Array {
    return fromLatin1(this.tree.pathOf(this.start));
  }

  setMask(mask: number): number {
    const old = this.mask;
    this.mask = mask;
    return old;
  }

  inherited(descriptor: number): InheritedDescriptor | undefined {
    const description = this.descriptions.get(descriptor);
    return description === undefined ? undefined : { flags: 2, position: description.position };
  }

  foregroundGroup(): number {
    return this.options.processId;
  }

  // -- opening and closing

  open(path: Uint8Array, request: OpenRequest): number {
    const entry = request.temporary ? this.unnamedIn(path, request) : this.entryToOpen(path, request);
    if (typeof entry === 'number') return entry;
    const { inode } = entry;
    const { content } = inode;
    if (content.kind === 'fifo' && !request.pathOnly) {
      const hasReader = content.fifo.hasOther(false, true) || request.read === true;
      if (request.write && request.nonBlocking && !hasReader) return -errno.ENXIO;
      content.fifo.open(request.read === true, request.write === true);
    }
    if (content.kind === 'file' && request.truncate && content.bytes.size > 0) {
      content.bytes.truncate(0);
      this.tree.touch(inode);
    }
    return this.describe(entry, request);
  }

  /** As open(2) of a FIFO: waits until the other end is open. */
  async openWaiting(path: Uint8Array, request: OpenRequest): Promise<number> {
    const descriptor = this.open(path, request);
    const content = this.descriptions.get(descriptor)?.entry.inode.content;
    if (content?.kind !== 'fifo') return descriptor;
    while (!content.fifo.hasOther(request.read === true, request.write === true)) await content.fifo.change();
    return descriptor;
  }

  private describe(entry: Entry, request: OpenRequest): number {
    let descriptor = 3;
    while (this.descriptions.has(descriptor)) descriptor++;
    const { content } = entry.inode;
    const report = content.kind === 'report' ? content.make() : undefined;
    this.descriptions.set(descriptor, { entry, request, report, position: 0 });
    entry.inode.opens++;
    return descriptor;
  }

  /** What a path and the flags of open lead to, made where they ask for it; or -errno. */
  private entryToOpen(path: Uint8Array, request: OpenRequest): Entry | number {
    const isExclusive = request.create === true && request.exclusive === true;
    const follow = isExclusive ? 'never' : request.noFollow ? 'before slash' : 'always';
    const place = this.tree.find(path, this.start, follow);
    if (typeof place === 'number') return place;
    const { entry } = place;
    if (request.create && place.isDirectoryWanted && !place.isDots) return -errno.EISDIR;
    if (entry === undefined) return request.create ? this.create(place, request) : -errno.ENOENT;
    const { mode, content } = entry.inode;
    if (isExclusive) return -errno.EEXIST;
    if (request.directory && !isDirectory(mode)) return -errno.ENOTDIR;
    if (place.isDirectoryWanted && !isDirectory(mode)) return -errno.ENOTDIR;
    if (request.pathOnly) return entry;
    if (content.kind === 'link' || content.kind === 'shortcut') return -errno.ELOOP;
    if (isDirectory(mode) && (request.write || request.create)) return -errno.EISDIR;
    const access = (request.read ? mayRead : 0) | (request.write || request.truncate ? mayWrite : 0);
    return this.tree.permits(entry.inode, access) ? entry : -errno.EACCES;
  }

  private create({ parent, name }: Place, request: OpenRequest): Entry | number {
    return this.addNew(parent, name, { kind: 'file', bytes: new ByteStore(this.tree.quota) }, request.mode ?? 0);
  }

  private unnamedIn(path: Uint8Array, request: OpenRequest): Entry | number {
    const directory = this.tree.entryAt(path, this.start, true);
    if (typeof directory === 'number') return directory;
    if (!isDirectory(directory.inode.mode)) return -errno.ENOTDIR;
    return this.tree.mayChange(directory) || this.unnamed(directory, request.mode ?? 0);
  }

  private unnamed(parent: Entry, mode: number): Entry | number {
    const inode = this.tree.newInode({ kind: 'file', bytes: new ByteStore(this.tree.quota) }, mode & ~this.mask);
    if (inode === undefined) return -errno.ENOSPC;
    return { name: `#${inode.number}`, parent, inode, isRemoved: true };
  }

  anonymousFile(): number {
    const entry = this.unnamed(this.tree.root, 0o600);
    return typeof entry === 'number' ? entry : this.describe(entry, { read: true, write: true });
  }

  close(descriptor: number): number {
    const description = this.descriptions.get(descriptor);
    if (description === undefined) return -errno.EBADF;
    this.descriptions.delete(descriptor);
    const { entry, request } = description;
    const { content } = entry.inode;
    if (content.kind === 'fifo' && !request.pathOnly) content.fifo.close(request.read === true, request.write === true);
    entry.inode.opens--;
    this.tree.release(entry.inode);
    return 0;
  }

  // -- reading and writing

  read(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    const description = this.descriptions.get(descriptor);
    if (description === undefined || !description.request.read) return -errno.EBADF;
    const at = position ?? description.position;
    const count = this.readAt(description, buffer, at);
    if (position === undefined && count > 0) description.position = at + count;
    return count;
  }

  private readAt({ entry, report }: Description, buffer: Uint8Array, position: number): number {
    const { content } = entry.inode;
    switch (content.kind) {
      case 'file':
        return content.bytes.read(buffer, position);
      case 'report': {
        const part = (report as Uint8Array).subarray(position, position + buffer.length);
        buffer.set(part);
        return part.length;
      }
      case 'fifo':
        return content.fifo.read(buffer);
      case 'device':
        return this.readDevice(content.device, buffer);
      default:
        return -errno.EISDIR;
    }
  }

  private readDevice(device: Device, buffer: Uint8Array): number {
    switch (device) {
      case 'null':
        return 0;
      case 'random': {
        const bytes = new Uint8Array(buffer.length);
        this.options.fillRandom(bytes);
        buffer.set(bytes);
        return buffer.length;
      }
      case 'terminal':
        return this.options.terminal.read(buffer) ?? -errno.EAGAIN;
      default:
        buffer.fill(0);
        return buffer.length;
    }
  }

  async readWaiting(descriptor: number, buffer: Uint8Array): Promise<number> {
    const content = this.descriptions.get(descriptor)?.entry.inode.content;
    if (content?.kind === 'device' && content.device === 'terminal') return this.options.terminal.readWaiting(buffer);
    for (;;) {
      const count = this.read(descriptor, buffer, undefined);
      if (count !== -errno.EAGAIN || content?.kind !== 'fifo') return count;
      await content.fifo.change();
    }
  }

  write(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    const description = this.descriptions.get(descriptor);
    if (description === undefined || !description.request.write) return -errno.EBADF;
    const { content } = description.entry.inode;
    switch (content.kind) {
      case 'file': {
        const at = description.request.append ? content.bytes.size : (position ?? description.position);
        const count = content.bytes.write(buffer, at);
        if (position === undefined && count > 0) description.position = at + count;
        if (count > 0) this.tree.touch(description.entry.inode);
        return count;
      }
      case 'fifo':
        return content.fifo.write(buffer);
      case 'device':
        if (content.device === 'full') return -errno.ENOSPC;
        return content.device === 'terminal' ? this.options.terminal.write(buffer) : buffer.length;
      default:
        return -errno.EBADF;
    }
  }

  truncate(descriptor: number, length: number): number {
    const description = this.descriptions.get(descriptor);
    if (description === undefined) return -errno.EBADF;
    return description.request.write ? this.truncateInode(description.entry.inode, length) : -errno.EINVAL;
  }

  truncatePath(path: Uint8Array, length: number): number {
    const entry = this.tree.entryAt(path, this.start, true);
    if (typeof entry === 'number') return entry;
    if (isDirectory(entry.inode.mode)) return -errno.EISDIR;
    return this.tree.permits(entry.inode, mayWrite) ? this.truncateInode(entry.inode, length) : -errno.EACCES;
  }

  private truncateInode(inode: Inode, length: number): number {
    if (inode.content.kind !== 'file') return -errno.EINVAL;
    inode.content.bytes.truncate(length);
    this.tree.touch(inode);
    return 0;
  }

  synchronize(descriptor: number, _dataOnly: boolean): number {
    return this.descriptions.has(descriptor) ? 0 : -errno.EBADF;
  }

  // -- status

  status(path: Uint8Array, followLinks: boolean): FileStatus | number {
    const entry = this.tree.entryAt(path, this.start, followLinks);
    return typeof entry === 'number' ? entry : statusOf(entry.inode);
  }

  statusOf(descriptor: number): FileStatus | number {
    const description = this.descriptions.get(descriptor);
    return description === undefined ? -errno.EBADF : statusOf(description.entry.inode);
  }

  fileSystem(path: Uint8Array): FileSystemStatus | number {
    const entry = this.tree.entryAt(path, this.start, true);
    if (typeof entry === 'number') return entry;
    const { limit, used } = this.tree.quota;
    const free = Math.floor((limit - used) / blockSize);
    return {
      type: memoryFileSystem,
      bsize: blockSize,
      blocks: Math.floor(limit / blockSize),
      bfree: free,
      bavail: free,
      files: Math.floor(limit / inodeCost),
      ffree: Math.floor((limit - used) / inodeCost),
    };
  }

  exists(path: Uint8Array): boolean {
    return typeof this.tree.entryAt(path, this.start, false) !== 'number';
  }

  access(path: Uint8Array, mode: number): number {
    const entry = this.tree.entryAt(path, this.start, true);
    if (typeof entry === 'number') return entry;
    return this.tree.permits(entry.inode, mode) ? 0 : -errno.EACCES;
  }

  readLink(path: Uint8Array): Uint8Array | number {
    const entry = this.tree.entryAt(path, this.start, false);
    if (typeof entry === 'number') return entry;
    const { content } = entry.inode;
    if (content.kind === 'shortcut') return fromLatin1(this.tree.pathOf(content.entry));
    return content.kind === 'link' ? content.target : -errno.EINVAL;
  }

  list(path: Uint8Array): DirectoryEntry[] | number {
    const entry = this.tree.entryAt(path, this.start, true);
    if (typeof entry === 'number') return entry;
    const { content, mode } = entry.inode;
    if (!isDirectory(mode)) return -errno.ENOTDIR;
    if (!this.tree.permits(entry.inode, mayRead)) return -errno.EACCES;
    if (content.kind !== 'directory') return [];
    return Array.from(content.entries.values(), ({ name, inode }) => ({
      name: fromLatin1(name),
      type: inode.mode >> 12,
    }));
  }

  // -- names

  /** Gives a new inode a name that is free. */
  private addNew(parent: Entry, name: string, content: Content, mode: number): Entry | number {
    const refused = this.tree.mayChange(parent);
    if (refused !== 0) return refused;
    const mask = content.kind === 'link' ? 0 : this.mask;
    const inode = this.tree.newInode(content, mode & 0o7777 & ~mask);
    return inode === undefined ? -errno.ENOSPC : this.tree.add(parent, name, inode);
  }

  /** Makes something at a path that must be free. */
  private make(path: Uint8Array, content: Content, mode: number): number {
    const place = this.tree.find(path, this.start, 'never');
    if (typeof place === 'number') return place;
    if (place.entry !== undefined) return -errno.EEXIST;
    if (place.isDirectoryWanted && content.kind !== 'directory') return -errno.ENOENT;
    const made = this.addNew(place.parent, place.name, content, mode);
    return typeof made === 'number' ? made : 0;
  }

  makeDirectory(path: Uint8Array, mode: number): number {
    return this.make(path, { kind: 'directory', entries: new Map() }, mode);
  }

  makeFifo(path: Uint8Array, mode: number): number {
    return this.make(path, { kind: 'fifo', fifo: new Fifo() }, mode);
  }

  symbolicLink(target: Uint8Array, path: Uint8Array): number {
    if (target.length === 0) return -errno.ENOENT;
    return this.make(path, { kind: 'link', target: Uint8Array.from(target) }, 0o777);
  }

  unlink(path: Uint8Array): number {
    const place = this.tree.find(path, this.start, 'never');
    if (typeof place === 'number') return place;
    const { entry } = place;
    if (entry === undefined) return -errno.ENOENT;
    if (isDirectory(entry.inode.mode)) return -errno.EISDIR;
    if (place.isDirectoryWanted) return -errno.ENOTDIR;
    return this.tree.mayChange(entry.parent) || this.removeEntry(entry);
  }

  removeDirectory(path: Uint8Array): number {
    const place = this.tree.find(path, this.start, 'never');
    if (typeof place === 'number') return place;
    const { entry } = place;
    if (entry === undefined) return -errno.ENOENT;
    if (!isDirectory(entry.inode.mode)) return -errno.ENOTDIR;
    if (place.isDots) return -errno.EINVAL;
    const result = this.tree.mayChange(entry.parent);
    if (result !== 0) return result;
    return isEmpty(entry.inode) ? this.removeEntry(entry) : -errno.ENOTEMPTY;
  }

  private removeEntry(entry: Entry): number {
    this.tree.remove(entry);
    this.tree.release(entry.inode);
    return 0;
  }

  rename(from: Uint8Array, to: Uint8Array): number {
    const source = this.tree.find(from, this.start, 'never');
    if (typeof source === 'number') return source;
    const target = this.tree.find(to, this.start, 'never');
    if (typeof target === 'number') return target;
    if (source.isDots || target.isDots) return -errno.EBUSY;
    const { entry } = source;
    if (entry === undefined) return -errno.ENOENT;
    const refused = this.tree.mayChange(source.parent) || this.tree.mayChange(target.parent);
    if (refused !== 0) return refused;
    const isMovingDirectory = isDirectory(entry.inode.mode);
    if ((source.isDirectoryWanted || target.isDirectoryWanted) && !isMovingDirectory) return -errno.ENOTDIR;
    if (isMovingDirectory && isWithin(target.parent, entry)) return -errno.EINVAL;
    const replaced = target.entry;
    if (replaced !== undefined) {
      if (replaced.inode === entry.inode) return 0;
      const isReplacingDirectory = isDirectory(replaced.inode.mode);
      if (isMovingDirectory && !isReplacingDirectory) return -errno.ENOTDIR;
      if (!isMovingDirectory && isReplacingDirectory) return -errno.EISDIR;
      if (isReplacingDirectory && !isEmpty(replaced.inode)) return -errno.ENOTEMPTY;
      this.removeEntry(replaced);
    }
    this.tree.move(entry, target.parent, target.name);
    return 0;
  }

  link(from: Uint8Array, to: Uint8Array): number {
    const entry = this.tree.entryAt(from, this.start, false);
    if (typeof entry === 'number') return entry;
    const target = this.tree.find(to, this.start, 'never');
    if (typeof target === 'number') return target;
    if (target.entry !== undefined) return -errno.EEXIST;
    if (isDirectory(entry.inode.mode)) return -errno.EPERM;
    if (entry.inode.content.kind === 'shortcut') return -errno.EXDEV;
    if (target.isDirectoryWanted) return -errno.ENOENT;
    const refused = this.tree.mayChange(target.parent);
    if (refused !== 0) return refused;
    this.tree.add(target.parent, target.name, entry.inode).inode.changed = this.tree.now();
    return 0;
  }

  // -- attributes

  changeMode(path: Uint8Array, mode: number): number {
    return this.change(path, true, (inode) => {
      inode.mode = (inode.mode & ~0o7777) | mode;
    });
  }

  /** Only root gives files away; the group may be one's own. */
  changeOwner(path: Uint8Array, uid: number, gid: number, followLinks: boolean): number {
    const { user } = this.tree;
    const entry = this.tree.entryAt(path, this.start, followLinks);
    if (typeof entry === 'number') return entry;
    const { inode } = entry;
    const isKept = (wanted: number, now: number) => wanted >>> 0 === 0xffffffff || wanted === now;
    const isAllowed =
      user.uid === 0 ||
      (isKept(uid, inode.uid) && (isKept(gid, inode.gid) || (this.tree.owns(inode) && gid === user.gid)));
    if (!isAllowed) return -errno.EPERM;
    if (!isKept(uid, inode.uid)) inode.uid = uid;
    if (!isKept(gid, inode.gid)) inode.gid = gid;
    inode.changed = this.tree.now();
    return 0;
  }

  setTimes(path: Uint8Array, { access, modification }: FileTimes, followLinks: boolean): number {
    return this.change(path, followLinks, (inode) => {
      const now = this.tree.now();
      if (access !== undefined) inode.accessed = access === 'now' ? now : access;
      if (modification !== undefined) inode.modified = modification === 'now' ? now : modification;
    });
  }

  /** Changes what is the owner's to change. */
  private change(path: Uint8Array, followLinks: boolean, work: (inode: Inode) => void): number {
    const entry = this.tree.entryAt(path, this.start, followLinks);
    if (typeof entry === 'number') return entry;
    if (!this.tree.owns(entry.inode)) return -errno.EPERM;
    work(entry.inode);
    entry.inode.changed = this.tree.now();
    return 0;
  }

  // -- the rest

  descriptorPath(descriptor: number): Uint8Array {
    return bytesOf(`/proc/self/fd/${descriptor}`);
  }

  isTerminal(descriptor: number): boolean {
    const content = this.descriptions.get(descriptor)?.entry.inode.content;
    return content?.kind === 'device' && content.device === 'terminal';
  }

  terminalSettings(_descriptor: number): TerminalSettings | number {
    return this.options.terminal.settings;
  }

  setTerminalSettings(_descriptor: number, settings: TerminalSettings): number {
    this.options.terminal.change(settings);
    return 0;
  }

  windowSize(_descriptor: number): WindowSize | number {
    return this.options.terminal.size;
  }

  readWhole(path: Uint8Array): Uint8Array | number {
    const descriptor = this.open(path, { read: true });
    if (descriptor < 0) return descriptor;
    const { entry, report } = this.descriptions.get(descriptor) as Description;
    this.close(descriptor);
    const { content } = entry.inode;
    return report ?? (content.kind === 'file' ? content.bytes.all() : -errno.EINVAL);
  }

  delay(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    });
  }
}

function isEmpty({ content }: Inode): boolean {
  return content.kind === 'directory' && content.entries.size === 0;
}

/** Whether a directory is `above` or lies somewhere in it. */
function isWithin(directory: Entry, above: Entry): boolean {
  for (let at = directory; ; at = at.parent) {
    if (at === above) return true;
    if (at === at.parent) return false;
  }
}

function statusOf(inode: Inode): FileStatus {
  const { content } = inode;
  const size = content.kind === 'file' ? content.bytes.size : content.kind === 'link' ? content.target.length : 0;
  return {
    dev: fileSystemDevice,
    ino: inode.number,
    mode: BigInt(inode.mode),
    nlink: BigInt(inode.links),
    uid: BigInt(inode.uid),
    gid: BigInt(inode.gid),
    rdev: content.kind === 'device' ? content.number : 0n,
    size: BigInt(size),
    blksize: BigInt(blockSize),
    blocks: BigInt(Math.ceil(size / 512)),
    atimeNs: inode.accessed,
    mtimeNs: inode.modified,
    ctimeNs: inode.changed,
    birthtimeNs: inode.born,
  };
}
