/** A directory of files that can be made again, which are left out of account when they are not this user's own. */
import fs from 'node:fs';
import { dirname, join, resolve } from 'node:path';

/** What is in the directory under a name. */
export interface CachedFile {
  readonly name: string;
  readonly bytes: number;
  /** When it was last read or written. */
  readonly used: Date;
}

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** Others' permission to write. */
const writableByOthers = 0o022;
/** Milliseconds after which a file that was not finished is taken to have been given up. */
const patience = 3_600_000;

export class CacheDirectory {
  readonly path: string;
  private readonly endings: readonly string[];

  /**
   * @param path from the present working directory, if it is relative
   * @param endings of the names of files that belong here; nothing else is touched
   */
  constructor(path: string, endings: readonly string[]) {
    this.path = resolve(path);
    this.endings = endings;
  }

  /** Why the directory is not used, if it exists and is not. */
  get problem(): string | undefined {
    let status: fs.Stats;
    try {
      status = fs.statSync(this.path);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      return code === 'ENOENT' ? undefined : message;
    }
    if (!status.isDirectory()) return `${this.path} is not a directory`;
    return isOwn(status) ? undefined : `${this.path} belongs to another user, or others may write there`;
  }

  /**
   * A file's contents; undefined when there is none of this user's own.
   * @param use whether the file counts as used now
   */
  read(name: string, use = true): Uint8Array<ArrayBuffer> | undefined {
    if (this.problem !== undefined) return undefined;
    let descriptor: number | undefined;
    try {
      descriptor = fs.openSync(join(this.path, name), O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
      const status = fs.fstatSync(descriptor);
      if (!status.isFile() || !isOwn(status)) return undefined;
      const bytes = new Uint8Array(status.size);
      const length = fs.readSync(descriptor, bytes);
      const now = new Date();
      if (use) fs.futimesSync(descriptor, now, now);
      return bytes.subarray(0, length);
    } catch {
      return undefined;
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
  }

  /**
   * Writes a file so that every reader sees all of it or what was there before; where that cannot be done, nothing
   * happens. Then removes the files that were not used for longest, until all are within the limit.
   * @param limit bytes of all files together
   */
  write(name: string, bytes: Uint8Array, limit: number): void {
    const part = join(this.path, `${name}.${process.pid}.part`);
    let descriptor: number | undefined;
    try {
      makeDirectory(this.path);
      if (this.problem !== undefined) return;
      descriptor = fs.openSync(part, 'wx', 0o600);
      fs.writeFileSync(descriptor, bytes);
      fs.renameSync(part, join(this.path, name));
      this.shrink(limit);
    } catch {
      if (descriptor !== undefined) removeFile(part);
    } finally {
      if (descriptor !== undefined) fs.closeSync(descriptor);
    }
  }

  /** The files, those used last first. */
  list(): CachedFile[] {
    return this.files()
      .filter(({ name }) => this.isFinished(name))
      .sort((one, other) => other.used.getTime() - one.used.getTime());
  }

  /** Removes every file. @returns what was removed */
  clear(): CachedFile[] {
    return this.files().filter(({ name }) => removeFile(join(this.path, name)));
  }

  private isFinished(name: string): boolean {
    return this.endings.some((ending) => name.endsWith(ending));
  }

  private shrink(limit: number): void {
    for (const { name, used } of this.files()) {
      if (!this.isFinished(name) && Date.now() - used.getTime() > patience) removeFile(join(this.path, name));
    }
    let size = 0;
    for (const { name, bytes } of this.list()) {
      size += bytes;
      if (size > limit) removeFile(join(this.path, name));
    }
  }

  /** All files of this directory's kind, unfinished ones too. */
  private files(): CachedFile[] {
    if (this.problem !== undefined || !fs.existsSync(this.path)) return [];
    return fs.readdirSync(this.path).flatMap((name) => {
      const isPart = name.endsWith('.part') && this.endings.some((ending) => name.includes(`${ending}.`));
      if (!isPart && !this.isFinished(name)) return [];
      const status = fs.lstatSync(join(this.path, name), { throwIfNoEntry: false });
      return status?.isFile() ? [{ name, bytes: status.size, used: status.mtime }] : [];
    });
  }
}

/** Makes a directory and those above it. Node's own `recursive` never ends where mkdir(2) says ENOENT for good (/proc). */
function makeDirectory(path: string): void {
  if (fs.existsSync(path)) return;
  const parent = dirname(path);
  if (parent !== path) makeDirectory(parent);
  try {
    fs.mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another run may have been faster.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isOwn({ uid, mode }: fs.Stats): boolean {
  const user = process.geteuid?.();
  return user === undefined || (uid === user && (mode & writableByOthers) === 0);
}

/** @returns whether it was there */
function removeFile(path: string): boolean {
  try {
    fs.unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}
