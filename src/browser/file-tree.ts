/**
 * A file system's tree in memory: inodes, the names that lead to them, and the walk along a path, with the rights of one
 * user. As in Linux, what is opened, renamed or removed is an entry (a name in a directory), so that an open file
 * knows where it lies now.
 */
import { errno } from '../linux/errno.ts';
import { fileTypes } from '../linux/open-file.ts';
import { latin1, nameMaximum, pathMaximum } from '../linux/path.ts';
import type { Fifo } from './fifo.ts';
import { type ByteStore, Quota } from './file-bytes.ts';

/** What a device does with reads and writes. */
export type Device = 'null' | 'zero' | 'full' | 'random' | 'terminal';

/** What an inode holds, by its type. */
export type Content =
  | { readonly kind: 'file'; readonly bytes: ByteStore }
  /** A file whose contents are made when it is opened. */
  | { readonly kind: 'report'; readonly make: () => Uint8Array }
  | { readonly kind: 'directory'; readonly entries: Map<string, Entry> }
  | { readonly kind: 'link'; readonly target: Uint8Array }
  /** A link of /proc that leads to an entry whatever its path is. */
  | { readonly kind: 'shortcut'; readonly entry: Entry }
  /** A directory whose names are shortcuts that are made when they are looked up. */
  | { readonly kind: 'shortcuts'; readonly find: (name: string) => Entry | undefined }
  | { readonly kind: 'device'; readonly device: Device; readonly number: bigint }
  | { readonly kind: 'fifo'; readonly fifo: Fifo };

export interface Inode {
  readonly number: bigint;
  /** Type and permissions (S_IFMT and the rest). */
  mode: number;
  uid: number;
  gid: number;
  /** Names that lead to it. */
  links: number;
  /** Open descriptions of it. */
  opens: number;
  /** Nanoseconds since the epoch. */
  accessed: bigint;
  modified: bigint;
  changed: bigint;
  readonly born: bigint;
  readonly content: Content;
}

/** A name in a directory. Names are strings with a character per byte. */
export interface Entry {
  name: string;
  /** The directory; the root is its own. */
  parent: Entry;
  readonly inode: Inode;
  /** The name was removed. */
  isRemoved: boolean;
}

/** Where a path led. */
export interface Place {
  readonly parent: Entry;
  readonly name: string;
  /** undefined: there is no such name in the directory. */
  readonly entry: Entry | undefined;
  /** The path ends with a slash. */
  readonly isDirectoryWanted: boolean;
  /** The path ends with `.` or `..`, so that `name` is none that can be removed. */
  readonly isDots: boolean;
}

/** Who walks. */
export interface User {
  readonly uid: number;
  readonly gid: number;
}

const types: Readonly<Record<Content['kind'], number>> = {
  file: fileTypes.regular,
  report: fileTypes.regular,
  directory: fileTypes.directory,
  link: fileTypes.link,
  shortcut: fileTypes.link,
  shortcuts: fileTypes.directory,
  device: fileTypes.character,
  fifo: fileTypes.fifo,
};

/** Symbolic links that a walk follows before it gives up (MAXSYMLINKS). */
const linkMaximum = 40;

/** What an inode and its name count for in bytes, so that empty files cannot take all memory. */
export const inodeCost = 1024;

export const mayRead = 4;
export const mayWrite = 2;
export const maySearch = 1;

export class FileTree {
  readonly user: User;
  readonly root: Entry;
  readonly quota: Quota;
  readonly now: () => bigint;
  private nextNumber = 1n;

  /**
   * @param limit bytes that everything together may take
   * @param now nanoseconds since the epoch
   */
  constructor(user: User, limit: number, now: () => bigint) {
    this.user = user;
    this.quota = new Quota(limit);
    this.now = now;
    const inode = this.inode({ kind: 'directory', entries: new Map() }, 0o755, { uid: 0, gid: 0 });
    inode.links = 2;
    const root = { name: '', inode, isRemoved: false } as Entry;
    root.parent = root;
    this.root = root;
  }

  /** As `inode`, for what counts. @returns undefined when there is no room */
  newInode(content: Content, permissions: number, owner?: User): Inode | undefined {
    return this.quota.take(inodeCost) ? this.inode(content, permissions, owner) : undefined;
  }

  /** Gives back the room of what neither a name nor an open file leads to. */
  release({ links, opens, content }: Inode): void {
    if (links > (content.kind === 'directory' ? 1 : 0) || opens > 0) return;
    if (content.kind === 'file') content.bytes.truncate(0);
    this.quota.used -= inodeCost;
  }

  /** Makes an inode that no name leads to yet. @param permissions the mode without its type */
  inode(content: Content, permissions: number, owner: User = this.user): Inode {
    const time = this.now();
    return {
      number: this.nextNumber++,
      mode: types[content.kind] | permissions,
      uid: owner.uid,
      gid: owner.gid,
      links: 0,
      opens: 0,
      accessed: time,
      modified: time,
      changed: time,
      born: time,
      content,
    };
  }

  /** Whether the user may do all of `access` (mayRead…). */
  permits({ mode, uid, gid }: Inode, access: number): boolean {
    if (this.user.uid === 0) return (access & maySearch) === 0 || (mode & 0o111) !== 0 || isDirectory(mode);
    const shift = uid === this.user.uid ? 6 : gid === this.user.gid ? 3 : 0;
    return ((mode >> shift) & access) === access;
  }

  /** Whether the user may change what belongs to the owner: mode and times. */
  owns({ uid }: Inode): boolean {
    return this.user.uid === 0 || uid === this.user.uid;
  }

  /**
   * Walks along a path (path_resolution(7)).
   * @param start where a relative path begins
   * @param follow whether a link at the path's end is followed: one before a slash, where the path's target is wanted,
   * not where its name is
   * @returns -errno when the path cannot lead anywhere; a missing last name is no error yet
   */
  find(path: Uint8Array, start: Entry, follow: 'always' | 'before slash' | 'never'): Place | number {
    if (path.length === 0) return -errno.ENOENT;
    if (path.length >= pathMaximum) return -errno.ENAMETOOLONG;
    const text = latin1(path);
    const isDirectoryWanted = text.endsWith('/');
    const followsLast = follow === 'always' || (follow === 'before slash' && isDirectoryWanted);
    /** Names still to go, the next one last. */
    const pending = namesOf(text).reverse();
    let at = text.startsWith('/') ? this.root : start;
    let place: Place = { parent: at.parent, name: at.name, entry: at, isDirectoryWanted, isDots: true };
    for (let followed = 0; ; ) {
      const name = pending.pop();
      if (name === undefined) return place;
      if (!isDirectory(at.inode.mode)) return -errno.ENOTDIR;
      if (!this.permits(at.inode, maySearch)) return -errno.EACCES;
      const isLast = pending.length === 0;
      if (name === '.' || name === '..') {
        if (name === '..') at = at.parent;
        place = { parent: at.parent, name: at.name, entry: at, isDirectoryWanted, isDots: true };
        continue;
      }
      if (name.length > nameMaximum) return -errno.ENAMETOOLONG;
      const found = lookUp(at.inode.content, name);
      place = { parent: at, name, entry: found, isDirectoryWanted, isDots: false };
      if (found === undefined) return isLast ? place : -errno.ENOENT;
      const { content } = found.inode;
      const isLink = content.kind === 'link' || content.kind === 'shortcut';
      if (!isLink || (isLast && !followsLast)) {
        at = found;
        continue;
      }
      if (++followed > linkMaximum) return -errno.ELOOP;
      if (content.kind === 'shortcut') {
        at = content.entry;
        place = { parent: at.parent, name: at.name, entry: at, isDirectoryWanted, isDots: false };
      } else {
        const target = latin1(content.target);
        if (target.startsWith('/')) at = this.root;
        place = { parent: at.parent, name: at.name, entry: at, isDirectoryWanted, isDots: true };
        pending.push(...namesOf(target).reverse());
      }
    }
  }

  /** The entry that a path leads to, or -errno. */
  entryAt(path: Uint8Array, start: Entry, follow: boolean): Entry | number {
    const place = this.find(path, start, follow ? 'always' : 'before slash');
    if (typeof place === 'number') return place;
    if (place.entry === undefined) return -errno.ENOENT;
    return place.isDirectoryWanted && !isDirectory(place.entry.inode.mode) ? -errno.ENOTDIR : place.entry;
  }

  /** Gives an inode a name, which must be free. */
  add(parent: Entry, name: string, inode: Inode): Entry {
    const entry: Entry = { name, parent, inode, isRemoved: false };
    this.entriesOf(parent).set(name, entry);
    inode.links++;
    if (inode.content.kind === 'directory') {
      inode.links++;
      parent.inode.links++;
    }
    this.touch(parent.inode);
    return entry;
  }

  /** Takes a name out of its directory. */
  remove(entry: Entry): void {
    const { parent, inode } = entry;
    this.entriesOf(parent).delete(entry.name);
    entry.isRemoved = true;
    inode.links--;
    if (inode.content.kind === 'directory') {
      inode.links--;
      parent.inode.links--;
    }
    inode.changed = this.now();
    this.touch(parent.inode);
  }

  /** Moves an entry to a name that is free. */
  move(entry: Entry, parent: Entry, name: string): void {
    const before = entry.parent;
    this.entriesOf(before).delete(entry.name);
    if (entry.inode.content.kind === 'directory') {
      before.inode.links--;
      parent.inode.links++;
    }
    entry.parent = parent;
    entry.name = name;
    this.entriesOf(parent).set(name, entry);
    entry.inode.changed = this.now();
    this.touch(before.inode);
    this.touch(parent.inode);
  }

  /** Whether a directory's entries may be changed: 0 or -errno. */
  mayChange(parent: Entry): number {
    if (parent.isRemoved) return -errno.ENOENT;
    if (parent.inode.content.kind !== 'directory') return -errno.EACCES;
    return this.permits(parent.inode, mayWrite | maySearch) ? 0 : -errno.EACCES;
  }

  /** Notes that contents changed. */
  touch(inode: Inode): void {
    inode.modified = this.now();
    inode.changed = inode.modified;
  }

  /** An entry's path, with a character per byte. */
  pathOf(entry: Entry): string {
    const names: string[] = [];
    for (let at = entry; at !== this.root; at = at.parent) names.push(at.name);
    return `/${names.reverse().join('/')}${entry.isRemoved ? ' (deleted)' : ''}`;
  }

  private entriesOf({ inode }: Entry): Map<string, Entry> {
    if (inode.content.kind !== 'directory') throw new TypeError('only a directory has entries');
    return inode.content.entries;
  }
}

export const isDirectory = (mode: number): boolean => (mode & fileTypes.mask) === fileTypes.directory;

function namesOf(path: string): string[] {
  return path.split('/').filter((name) => name !== '');
}

function lookUp(content: Content, name: string): Entry | undefined {
  if (content.kind === 'shortcuts') return content.find(name);
  return content.kind === 'directory' ? content.entries.get(name) : undefined;
}
