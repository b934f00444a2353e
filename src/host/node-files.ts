/** Files through Node's `fs`. The only place of the personality's file calls that knows Node. */
import fs from 'node:fs';
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
} from './host.ts';
import { formatTerminalSettings, parseTerminalSettings } from './stty.ts';

/** Loaded when first wanted: with what they bring along, this and node:tty cost a start 6 ms. */
const childProcess = () => process.getBuiltinModule('node:child_process');

const { constants } = fs;
/** Linux's EIO, for failures that carry no number. */
const inputOutputError = 5;

/** -errno of an exception that `fs` threw. */
function failure(error: unknown): number {
  const { errno, code } = error as NodeJS.ErrnoException;
  if (typeof errno === 'number') return errno;
  // Node's own checks of arguments, which the kernel would answer with EINVAL.
  if (code?.startsWith('ERR_')) return -22;
  return -inputOutputError;
}

function attempt(work: () => void): number {
  try {
    work();
    return 0;
  } catch (error) {
    return failure(error);
  }
}

const asPath = (path: Uint8Array): Buffer => Buffer.from(path.buffer, path.byteOffset, path.length);
const text = (path: string): Uint8Array => new TextEncoder().encode(path);

function hostFlags(request: OpenRequest): number {
  let flags = request.write ? (request.read ? constants.O_RDWR : constants.O_WRONLY) : constants.O_RDONLY;
  if (request.create) flags |= constants.O_CREAT;
  if (request.exclusive) flags |= constants.O_EXCL;
  if (request.truncate) flags |= constants.O_TRUNC;
  if (request.append) flags |= constants.O_APPEND;
  if (request.directory) flags |= constants.O_DIRECTORY;
  if (request.noFollow) flags |= constants.O_NOFOLLOW;
  if (request.nonBlocking) flags |= constants.O_NONBLOCK;
  if (request.synchronous) flags |= constants.O_SYNC;
  if (request.temporary) flags |= temporaryFlag;
  if (request.pathOnly) flags |= pathOnlyFlag;
  return flags | constants.O_NOCTTY;
}

/** O_TMPFILE of Linux on x86 and Arm, which Node does not name. */
const temporaryFlag = 0o20200000;
/** O_PATH, which Node does not name either. */
const pathOnlyFlag = 0o10000000;

/**
 * A time as `fs.utimes` takes it. Node cuts it to a double of seconds, which is exact to about 0.2 us
 * nowadays; as a string it may be negative, infinite means now, and a date that is none means no change (libuv's
 * uv_fs_utime).
 */
function utimesArgument(time: FileTimes['access']): string | Date {
  if (time === undefined) return new Date(Number.NaN);
  return time === 'now' ? 'Infinity' : secondsText(time);
}

/** Nanoseconds as decimal seconds. */
function secondsText(time: bigint): string {
  const sign = time < 0n ? '-' : '';
  const magnitude = time < 0n ? -time : time;
  return `${sign}${magnitude / 1_000_000_000n}.${(magnitude % 1_000_000_000n).toString().padStart(9, '0')}`;
}

/** Whether a double of seconds holds a time exactly. */
function exactAsSeconds(time: FileTimes['access']): boolean {
  if (typeof time !== 'bigint') return true;
  // A multiple of 2^-9 s, which is 5^9 ns: 44 bits of seconds can stand before it.
  return time % 1_953_125n === 0n;
}

/**
 * A path as another program may be given it: as text, and without a /proc/self of ours.
 * @returns undefined for a path that is no text
 */
function nameForOthers(path: Uint8Array): string | undefined {
  const name = Buffer.from(path).toString('utf8');
  if (!Buffer.from(name).equals(path)) return undefined;
  return name.replace(/^\/proc\/self(?=\/)/, `/proc/${process.pid}`);
}

/** Sets one time to the nanosecond with touch(1). @returns whether that worked */
function touch(path: Uint8Array, time: bigint, which: '-a' | '-m', followLinks: boolean): boolean {
  const options = [which, '-c', ...(followLinks ? [] : ['-h']), '-d', `@${secondsText(time)}`, '--'];
  const target = nameForOthers(path);
  return (
    target !== undefined && childProcess().spawnSync('touch', [...options, target], { stdio: 'ignore' }).status === 0
  );
}

function entryType(entry: fs.Dirent): number {
  if (entry.isFile()) return 8;
  if (entry.isDirectory()) return 4;
  if (entry.isSymbolicLink()) return 10;
  if (entry.isFIFO()) return 1;
  if (entry.isCharacterDevice()) return 2;
  if (entry.isBlockDevice()) return 6;
  if (entry.isSocket()) return 12;
  return 0;
}

/** Runs stty on a terminal. @returns what it printed; undefined when it failed or is missing */
function stty(descriptor: number, args: readonly string[]): string | undefined {
  const result = childProcess().spawnSync('stty', args, { stdio: [descriptor, 'pipe', 'ignore'], encoding: 'latin1' });
  return result.status === 0 ? result.stdout : undefined;
}

export class NodeFiles implements FileHost {
  private readonly small = new Uint8Array(1024);

  workingDirectory(): Uint8Array {
    return text(process.cwd());
  }

  setMask(mask: number): number {
    return process.umask(mask);
  }

  inherited(descriptor: number): InheritedDescriptor | undefined {
    try {
      const info = fs.readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1');
      const position = /^pos:\s*(\d+)/m.exec(info);
      const flags = /^flags:\s*([0-7]+)/m.exec(info);
      return { position: Number(position?.[1] ?? 0), flags: Number.parseInt(flags?.[1] ?? '2', 8) };
    } catch {
      return undefined;
    }
  }

  open(path: Uint8Array, request: OpenRequest): number {
    try {
      return fs.openSync(asPath(path), hostFlags(request), request.mode);
    } catch (error) {
      return failure(error);
    }
  }

  openWaiting(path: Uint8Array, request: OpenRequest): Promise<number> {
    return new Promise((resolve) => {
      fs.open(asPath(path), hostFlags(request), request.mode, (error, descriptor) => {
        resolve(error === null ? descriptor : failure(error));
      });
    });
  }

  close(descriptor: number): number {
    return attempt(() => fs.closeSync(descriptor));
  }

  read(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    try {
      return fs.readSync(descriptor, buffer, 0, buffer.length, position ?? null);
    } catch (error) {
      return failure(error);
    }
  }

  readWaiting(descriptor: number, buffer: Uint8Array): Promise<number> {
    return new Promise((resolve) => {
      fs.read(descriptor, buffer, 0, buffer.length, null, (error, bytes) => {
        resolve(error === null ? bytes : failure(error));
      });
    });
  }

  write(descriptor: number, buffer: Uint8Array, position: number | undefined): number {
    try {
      let bytes = buffer;
      if (buffer.length <= this.small.length) {
        // A small fresh array lies in V8's heap and has to be moved out for every native call.
        this.small.set(buffer);
        bytes = this.small;
      }
      return fs.writeSync(descriptor, bytes, 0, buffer.length, position ?? null);
    } catch (error) {
      return failure(error);
    }
  }

  truncate(descriptor: number, length: number): number {
    return attempt(() => fs.ftruncateSync(descriptor, length));
  }

  truncatePath(path: Uint8Array, length: number): number {
    return attempt(() => fs.truncateSync(asPath(path), length));
  }

  synchronize(descriptor: number, dataOnly: boolean): number {
    return attempt(() => (dataOnly ? fs.fdatasyncSync(descriptor) : fs.fsyncSync(descriptor)));
  }

  status(path: Uint8Array, followLinks: boolean): FileStatus | number {
    try {
      return followLinks ? fs.statSync(asPath(path), { bigint: true }) : fs.lstatSync(asPath(path), { bigint: true });
    } catch (error) {
      return failure(error);
    }
  }

  statusOf(descriptor: number): FileStatus | number {
    try {
      return fs.fstatSync(descriptor, { bigint: true });
    } catch (error) {
      return failure(error);
    }
  }

  fileSystem(path: Uint8Array): FileSystemStatus | number {
    try {
      return fs.statfsSync(asPath(path));
    } catch (error) {
      return failure(error);
    }
  }

  exists(path: Uint8Array): boolean {
    return fs.lstatSync(asPath(path), { throwIfNoEntry: false }) !== undefined;
  }

  access(path: Uint8Array, mode: number): number {
    return attempt(() => fs.accessSync(asPath(path), mode));
  }

  readLink(path: Uint8Array): Uint8Array | number {
    try {
      return fs.readlinkSync(asPath(path), { encoding: 'buffer' });
    } catch (error) {
      return failure(error);
    }
  }

  list(path: Uint8Array): DirectoryEntry[] | number {
    try {
      // A directory stream keeps the file system's order, which readdir sorts away.
      const directory = fs.opendirSync(asPath(path) as unknown as string, {
        encoding: 'buffer' as 'utf8',
        bufferSize: 256,
      });
      const entries: DirectoryEntry[] = [];
      try {
        for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
          entries.push({ name: entry.name as unknown as Uint8Array, type: entryType(entry) });
        }
      } finally {
        directory.closeSync();
      }
      return entries;
    } catch (error) {
      return failure(error);
    }
  }

  unlink(path: Uint8Array): number {
    return attempt(() => fs.unlinkSync(asPath(path)));
  }
  rename(from: Uint8Array, to: Uint8Array): number {
    return attempt(() => fs.renameSync(asPath(from), asPath(to)));
  }
  makeDirectory(path: Uint8Array, mode: number): number {
    return attempt(() => fs.mkdirSync(asPath(path), mode));
  }
  makeFifo(path: Uint8Array, mode: number): number {
    const name = nameForOthers(path);
    if (name === undefined) return -1;
    const result = childProcess().spawnSync('mkfifo', ['-m', (mode & ~process.umask()).toString(8), '--', name], {
      stdio: 'ignore',
    });
    return result.status === 0 ? 0 : -1;
  }
  removeDirectory(path: Uint8Array): number {
    return attempt(() => fs.rmdirSync(asPath(path)));
  }
  link(from: Uint8Array, to: Uint8Array): number {
    return attempt(() => fs.linkSync(asPath(from), asPath(to)));
  }
  symbolicLink(target: Uint8Array, path: Uint8Array): number {
    return attempt(() => fs.symlinkSync(asPath(target), asPath(path)));
  }
  changeMode(path: Uint8Array, mode: number): number {
    return attempt(() => fs.chmodSync(asPath(path), mode));
  }

  changeOwner(path: Uint8Array, uid: number, gid: number, followLinks: boolean): number {
    return attempt(() => (followLinks ? fs.chownSync(asPath(path), uid, gid) : fs.lchownSync(asPath(path), uid, gid)));
  }

  setTimes(path: Uint8Array, times: FileTimes, followLinks: boolean): number {
    const set = followLinks ? fs.utimesSync : fs.lutimesSync;
    const result = attempt(() => set(asPath(path), utimesArgument(times.access), utimesArgument(times.modification)));
    if (result !== 0) return result;
    for (const [time, which] of [
      [times.access, '-a'],
      [times.modification, '-m'],
    ] as const) {
      if (typeof time === 'bigint' && !exactAsSeconds(time)) touch(path, time, which, followLinks);
    }
    return 0;
  }

  descriptorPath(descriptor: number): Uint8Array {
    return text(`/proc/self/fd/${descriptor}`);
  }

  anonymousFile(): number {
    try {
      const directory = fs.existsSync('/dev/shm') ? '/dev/shm' : '/tmp';
      return fs.openSync(directory, constants.O_RDWR | temporaryFlag, 0o600);
    } catch (error) {
      return failure(error);
    }
  }

  isTerminal(descriptor: number): boolean {
    // By the device's major number where that tells (Linux, Documentation/admin-guide/devices.txt): 1 is memory, which
    // has /dev/null; 4 is consoles and serial lines, 136 to 143 are pseudoterminals.
    if (process.platform === 'linux') {
      const major = (fs.fstatSync(descriptor).rdev >>> 8) & 0xfff;
      if (major === 1) return false;
      if (major === 4 || (major >= 136 && major <= 143)) return true;
    }
    return process.getBuiltinModule('node:tty').isatty(descriptor);
  }

  terminalSettings(descriptor: number): TerminalSettings | number {
    const result = stty(descriptor, ['-g']);
    const settings = result === undefined ? undefined : parseTerminalSettings(result);
    return settings ?? -inputOutputError;
  }

  setTerminalSettings(descriptor: number, settings: TerminalSettings): number {
    return stty(descriptor, [formatTerminalSettings(settings)]) === undefined ? -inputOutputError : 0;
  }

  windowSize(descriptor: number): WindowSize | number {
    const result = stty(descriptor, ['size']);
    const match = result === undefined ? null : /^(\d+) (\d+)/.exec(result);
    return match === null ? -inputOutputError : { rows: Number(match[1]), columns: Number(match[2]) };
  }

  foregroundGroup(): number {
    try {
      const fields = fs.readFileSync('/proc/self/stat', 'latin1');
      // After the command in parentheses: state ppid pgrp session tty_nr tpgid.
      return Number(fields.slice(fields.lastIndexOf(')') + 2).split(' ')[5]);
    } catch {
      return process.pid;
    }
  }

  readWhole(path: Uint8Array): Uint8Array | number {
    try {
      return fs.readFileSync(asPath(path));
    } catch (error) {
      return failure(error);
    }
  }

  delay(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      setTimeout(resolve, milliseconds);
    });
  }
}
