/** Files of a host, of which a guest reaches one directory only, whatever it asks for: for guests that ask for anything. */
import { createHash } from 'node:crypto';
import { lstatSync, realpathSync } from 'node:fs';
import type { FileHost, FileStatus } from '../../src/host/host.ts';
import { NodeFiles } from '../../src/host/node-files.ts';

const permissionDenied = -13;
const fileTooLarge = -27;

/** Methods whose first argument is a path, and those with two. */
// biome-ignore format: one row per line
const onePath = new Set<string>([
  'open', 'truncatePath', 'status', 'fileSystem', 'access', 'readLink', 'list', 'unlink', 'makeDirectory',
  'removeDirectory', 'changeMode', 'changeOwner', 'setTimes', 'readWhole',
]);
const twoPaths = new Set<string>(['rename', 'link']);
/** Methods whose first argument is a descriptor. */
// biome-ignore format: one row per line
const ofDescriptor = new Set<string>([
  'read', 'readWaiting', 'truncate', 'synchronize', 'statusOf', 'isTerminal', 'terminalSettings', 'setTerminalSettings',
  'windowSize', 'inherited',
]);

/** The standard descriptors: they are the harness's, and only seem to be the guest's. */
const standard = 3;

export class ConfinedFiles {
  readonly host: FileHost;
  private readonly directory: string;
  private readonly opened = new Set<number>();
  private readonly digest = createHash('sha256');
  private written = 0;
  private mask = 0o022;

  /**
   * @param directory what the guest reaches: the working directory of this process
   * @param limit bytes that a guest may write in all, and that a file may have
   */
  constructor(directory: string, limit: number) {
    this.directory = realpathSync(directory);
    const files = new NodeFiles();
    type Method = (...args: unknown[]) => unknown;
    const call = (name: string, args: readonly unknown[]): unknown =>
      (files[name as keyof NodeFiles] as Method).apply(files, args as unknown[]);
    const own: Partial<FileHost> = {
      workingDirectory: () => new TextEncoder().encode(this.directory),
      setMask: (mask) => {
        const before = this.mask;
        this.mask = mask;
        return before;
      },
      open: (path, request) => (this.reaches(path) ? this.note(files.open(path, request)) : permissionDenied),
      // Opening a FIFO that nobody else opens would keep a thread of the host for ever.
      openWaiting: async () => permissionDenied,
      makeFifo: () => permissionDenied,
      anonymousFile: () => this.note(files.anonymousFile()),
      exists: (path) => this.reaches(path) && files.exists(path),
      symbolicLink: (target, path) => (this.reaches(path) ? files.symbolicLink(target, path) : permissionDenied),
      close: (descriptor) => {
        this.require(descriptor);
        this.opened.delete(descriptor);
        return descriptor < standard ? 0 : files.close(descriptor);
      },
      write: (descriptor, bytes, position) => {
        this.require(descriptor);
        this.written += bytes.length;
        if (this.written > limit || (position ?? 0) + bytes.length > limit) return fileTooLarge;
        this.digest.update(bytes);
        return descriptor < standard ? bytes.length : files.write(descriptor, bytes, position);
      },
      status: (path, followLinks) => (this.reaches(path) ? plain(files.status(path, followLinks)) : permissionDenied),
      statusOf: (descriptor) => {
        this.require(descriptor);
        return plain(files.statusOf(descriptor));
      },
      list: (path) => {
        const entries = this.reaches(path) ? files.list(path) : permissionDenied;
        return typeof entries === 'number' ? entries : entries.sort((a, b) => Buffer.compare(a.name, b.name));
      },
      fileSystem: (path) =>
        this.reaches(path)
          ? { type: 0x01021994, bsize: 4096, blocks: 1e6, bfree: 5e5, bavail: 5e5, files: 1e5, ffree: 5e4 }
          : permissionDenied,
      foregroundGroup: () => 4240,
    };
    this.host = new Proxy(files as FileHost, {
      get: (_, name: keyof FileHost) => {
        if (own[name] !== undefined) return own[name];
        return (...args: unknown[]) => {
          if (onePath.has(name) && !this.reaches(args[0] as Uint8Array)) return permissionDenied;
          if (twoPaths.has(name) && !args.slice(0, 2).every((path) => this.reaches(path as Uint8Array)))
            return permissionDenied;
          if (ofDescriptor.has(name)) this.require(args[0] as number);
          if ((name === 'truncate' || name === 'truncatePath') && (args[1] as number) > limit) return fileTooLarge;
          return call(name, args);
        };
      },
    });
  }

  /** What was written, to whatever descriptor, as a digest. */
  output(): string {
    return `${this.written} bytes, ${this.digest.copy().digest('hex').slice(0, 16)}`;
  }

  /** Closes what the guest left open. @returns how many that were */
  close(): number {
    for (const descriptor of this.opened) new NodeFiles().close(descriptor);
    return this.opened.size;
  }

  private note(descriptor: number): number {
    if (descriptor >= 0) this.opened.add(descriptor);
    return descriptor;
  }

  /** @throws Error for a descriptor of the host that the guest never opened */
  private require(descriptor: number): void {
    if (descriptor < 0 || (descriptor >= standard && !this.opened.has(descriptor))) {
      throw new Error(`descriptor ${descriptor} of the host was used, which is not the guest's`);
    }
  }

  /** Whether a path, as the kernel follows it, leads to a place in the directory, or to an open file of the guest. */
  private reaches(path: Uint8Array): boolean {
    const name = Buffer.from(path).toString('latin1');
    const descriptor = /^\/proc\/self\/fd\/(\d+)$/.exec(name);
    if (descriptor !== null) return this.opened.has(Number(descriptor[1]));
    const place = follow(name);
    if (place === this.directory) return true;
    // The name itself must be in the directory, and so must what it leads to.
    const slash = name.lastIndexOf('/');
    const parent = follow(slash < 0 ? '.' : name.slice(0, slash + 1));
    if (parent === undefined || !this.isInside(parent) || name.endsWith('..')) return false;
    if (place !== undefined) return this.isInside(place);
    // What is not there may be made, but not behind a link.
    try {
      return lstatSync(Buffer.from(name, 'latin1'), { throwIfNoEntry: false })?.isSymbolicLink() !== true;
    } catch (error) {
      // A name that is too long leads nowhere, and the kernel says so to whoever uses it.
      if ((error as NodeJS.ErrnoException).code === 'ENAMETOOLONG') return true;
      throw error;
    }
  }

  private isInside(place: string): boolean {
    return place === this.directory || place.startsWith(`${this.directory}/`);
  }
}

/** Where the kernel finds a path; undefined where there is nothing. */
function follow(name: string): string | undefined {
  try {
    return realpathSync.native(Buffer.from(name, 'latin1'));
  } catch {
    return undefined;
  }
}

/** A status without what differs from run to run. */
function plain(status: FileStatus | number): FileStatus | number {
  if (typeof status === 'number') return status;
  const { mode, nlink, uid, gid, size } = status;
  const times = { atimeNs: 1n, mtimeNs: 1n, ctimeNs: 1n, birthtimeNs: 1n };
  return {
    dev: 1n,
    ino: 1n,
    rdev: 0n,
    blksize: 4096n,
    blocks: (size + 511n) / 512n,
    mode,
    nlink,
    uid,
    gid,
    size,
    ...times,
  };
}
