/** What a fresh file system in memory holds: the directories, devices and files that programs look for. */
import { bytesOf } from '../linux/path.ts';
import { ByteStore } from './file-bytes.ts';
import type { Content, Device, Entry, FileTree, User } from './file-tree.ts';
import { MemoryFiles } from './memory-files.ts';
import type { Terminal } from './terminal.ts';

const root: User = { uid: 0, gid: 0 };
/** Where the user's files are, and programs start. */
export const homeDirectory = '/home/user';
const terminalPath = '/dev/pts/0';

/** Facts that files under /proc tell. */
export interface ProcessFacts {
  readonly processId: number;
  readonly name: string;
  /** Bytes. */
  readonly memory: number;
  /** Seconds. */
  uptime(): number;
}

export interface StandardFiles {
  readonly files: MemoryFiles;
  /** Puts a file into the home directory or, with an absolute path, elsewhere. @returns whether there was room */
  addFile(path: string, bytes: Uint8Array, permissions: number): boolean;
  /** The regular files below the home directory, with their contents. */
  homeFiles(): Generator<{ path: string; bytes: Uint8Array<ArrayBuffer> }>;
}

/** Puts entries into a tree; rights are not looked at. */
class TreeBuilder {
  private readonly tree: FileTree;

  constructor(tree: FileTree) {
    this.tree = tree;
  }

  /** The directory at an absolute path; makes it, and those above it, where there is none. */
  directory(path: string, permissions = 0o755, owner = root): Entry {
    const names = path.split('/').filter((each) => each !== '');
    return names.reduce((at, name, index) => {
      const { content } = at.inode;
      const known = content.kind === 'directory' ? content.entries.get(name) : undefined;
      if (known !== undefined) return known;
      const isLast = index === names.length - 1;
      const made: Content = { kind: 'directory', entries: new Map() };
      return this.add(at, name, made, isLast ? permissions : 0o755, isLast ? owner : root);
    }, this.tree.root);
  }

  put(path: string, content: Content, permissions: number, owner = root): Entry {
    const slash = path.lastIndexOf('/');
    return this.add(this.directory(path.slice(0, slash)), path.slice(slash + 1), content, permissions, owner);
  }

  file(path: string, bytes: Uint8Array, permissions = 0o644, owner = root): boolean {
    const store = new ByteStore(this.tree.quota);
    if (!store.adopt(bytes)) return false;
    this.put(path, { kind: 'file', bytes: store }, permissions, owner);
    return true;
  }

  report(path: string, make: () => string): void {
    this.put(path, { kind: 'report', make: () => bytesOf(make()) }, 0o444);
  }

  device(path: string, device: Device, major: number, minor: number): void {
    this.put(path, { kind: 'device', device, number: BigInt((major << 8) | minor) }, 0o666);
  }

  link(path: string, target: string): void {
    this.put(path, { kind: 'link', target: bytesOf(target) }, 0o777);
  }

  private add(parent: Entry, name: string, content: Content, permissions: number, owner: User): Entry {
    const inode = this.tree.newInode(content, permissions, owner);
    if (inode === undefined) throw new RangeError('there is no room for the files that every program finds');
    return this.tree.add(parent, name, inode);
  }
}

/** Numbers of devices (Linux, Documentation/admin-guide/devices.txt). */
// biome-ignore format: one row per line
const devices: readonly [name: string, device: Device, major: number, minor: number][] = [
  ['null', 'null', 1, 3],
  ['zero', 'zero', 1, 5],
  ['full', 'full', 1, 7],
  ['random', 'random', 1, 8],
  ['urandom', 'random', 1, 9],
  ['tty', 'terminal', 5, 0],
  ['console', 'terminal', 5, 1],
  ['pts/0', 'terminal', 136, 0],
];

/** Names that the personality makes the contents of, and asks for the status of only (src/linux/proc.ts). */
const ownReports = ['auxv', 'cmdline', 'comm', 'environ', 'maps'];

/** Makes the files of a process whose descriptors 0 to 2 are a terminal. */
export function makeStandardFiles(
  tree: FileTree,
  terminal: Terminal,
  facts: ProcessFacts,
  fillRandom: (bytes: Uint8Array<ArrayBuffer>) => void,
): StandardFiles {
  const { user } = tree;
  const build = new TreeBuilder(tree);
  const home = build.directory(homeDirectory, 0o755, user);
  for (const path of ['/tmp', '/var/tmp', '/dev/shm']) build.directory(path, 0o1777);
  for (const path of ['/bin', '/usr/bin', '/usr/share', '/root', '/run']) build.directory(path);
  for (const [name, device, major, minor] of devices) build.device(`/dev/${name}`, device, major, minor);
  const files = new MemoryFiles({ tree, workingDirectory: home, terminal, processId: facts.processId, fillRandom });
  addAccounts(build, user);
  addProcess(build, facts, files);
  for (const descriptor of [0, 1, 2]) files.inherit(descriptor, terminalPath);
  return {
    files,
    addFile: (path, bytes, permissions) =>
      build.file(path.startsWith('/') ? path : `${homeDirectory}/${path}`, bytes, permissions, user),
    homeFiles: () => filesBelow(tree, home),
  };
}

function addAccounts(build: TreeBuilder, { uid, gid }: User): void {
  const text = (path: string, lines: readonly string[]) => build.file(path, bytesOf(`${lines.join('\n')}\n`));
  text('/etc/passwd', ['root:x:0:0:root:/root:/bin/sh', `user:x:${uid}:${gid}:user:${homeDirectory}:/bin/sh`]);
  text('/etc/group', ['root:x:0:', `user:x:${gid}:`]);
  text('/etc/hostname', ['browser']);
  text('/etc/hosts', ['127.0.0.1 localhost']);
  text('/etc/nsswitch.conf', ['passwd: files', 'group: files', 'hosts: files']);
}

function addProcess(build: TreeBuilder, facts: ProcessFacts, files: MemoryFiles): void {
  const { processId, name } = facts;
  const own = `/proc/${processId}`;
  const kibibytes = Math.floor(facts.memory / 1024);
  build.directory(own, 0o555);
  build.link('/proc/self', String(processId));
  const find = (text: string): Entry | undefined => {
    const entry = /^\d+$/.test(text) ? files.entryOf(Number(text)) : undefined;
    return entry === undefined ? undefined : shortcut(text, directory, entry);
  };
  const shortcut = (text: string, parent: Entry, entry: Entry): Entry => {
    const inode = {
      ...entry.inode,
      mode: 0o120700,
      uid: directory.inode.uid,
      content: { kind: 'shortcut', entry },
    } as const;
    return { name: text, parent, inode, isRemoved: false };
  };
  const directory = build.put(`${own}/fd`, { kind: 'shortcuts', find }, 0o555);
  build.link(`${own}/cwd`, homeDirectory);
  build.link(`${own}/root`, '/');
  for (const each of ownReports) build.report(`${own}/${each}`, () => '');
  // The fields of proc_pid_stat(5), which the personality gives the name.
  const zeros = new Array(44).fill('0').join(' ');
  build.report(
    `${own}/stat`,
    () => `${processId} (${name}) R 1 ${processId} ${processId} 34816 ${processId} ${zeros}\n`,
  );
  const status = [
    `Name:\t${name}`,
    'State:\tR (running)',
    `Tgid:\t${processId}`,
    `Pid:\t${processId}`,
    'PPid:\t1',
    'Threads:\t1',
  ];
  build.report(`${own}/status`, () => `${status.join('\n')}\n`);
  for (const each of ['cpuinfo', 'mounts']) build.report(`/proc/${each}`, () => 'none / tmpfs rw 0 0\n');
  build.report('/proc/meminfo', () => {
    const row = (label: string, value: number) => `${`${label}:`.padEnd(16)}${String(value).padStart(8)} kB\n`;
    return row('MemTotal', kibibytes) + row('MemFree', kibibytes) + row('MemAvailable', kibibytes);
  });
  build.report('/proc/uptime', () => `${facts.uptime().toFixed(2)} 0.00\n`);
  build.report('/proc/loadavg', () => `0.00 0.00 0.00 1/1 ${processId}\n`);
}

function* filesBelow(tree: FileTree, directory: Entry): Generator<{ path: string; bytes: Uint8Array<ArrayBuffer> }> {
  const { content } = directory.inode;
  if (content.kind !== 'directory') return;
  for (const entry of content.entries.values()) {
    const { content: each } = entry.inode;
    if (each.kind === 'file') yield { path: tree.pathOf(entry), bytes: each.bytes.all() };
    else yield* filesBelow(tree, entry);
  }
}
