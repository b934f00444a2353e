/** What the guest sees of itself under /proc and /dev: its own truth instead of that of the process that runs it. */
import type { DirectoryEntry, FileStatus } from '../host/host.ts';
import type { GuestMemory, Mapping } from '../memory/guest-memory.ts';
import type { Abi } from './abi/abi.ts';
import { errno } from './errno.ts';
import { HostDirectory } from './file-host.ts';
import { MemoryFile } from './file-memory.ts';
import type { Files } from './files.ts';
import { readWord } from './guest-access.ts';
import type { OpenFile } from './open-file.ts';
import { bytesOf, concatenate, fromLatin1, latin1, normalize, slash } from './path.ts';

/** What start-up knows of the program. */
export interface ProgramFacts {
  /** The path that the program was started by. */
  readonly path: Uint8Array;
  readonly arguments: readonly Uint8Array[];
  readonly environment: readonly Uint8Array[];
  readonly processId: number;
  readonly memory: GuestMemory;
  /** Where the stack began: argument count, vectors, auxiliary vector. */
  readonly stackPointer: number;
  /** Command name (comm). */
  name(): Uint8Array;
}

const standardNames: Readonly<Record<string, number>> = { '/dev/stdin': 0, '/dev/stdout': 1, '/dev/stderr': 2 };
const linkType = 10;
const zero = Uint8Array.of(0);

export class ProcessDirectory {
  program: ProgramFacts | undefined;
  private readonly files: Files;
  private executablePath: Uint8Array | undefined;

  constructor(files: Files) {
    this.files = files;
  }

  /** The host's path for a name (normalized) that leads elsewhere than the host's own does. */
  redirect(path: string): Uint8Array | undefined | number {
    const descriptor = this.descriptorOf(path);
    if (descriptor !== undefined) {
      const file = this.files.get(descriptor);
      if (file === undefined) return -errno.ENOENT;
      return this.files.pathOf(file);
    }
    const own = this.ownName(path);
    if (own === 'exe') return this.executable();
    if (own === 'cwd') return this.files.startOf(-100) ?? this.files.host.workingDirectory();
    return undefined;
  }

  /** Opens a file of ours. @returns undefined for every other path */
  open(_directory: number, path: Uint8Array, writes: boolean): OpenFile | number | undefined {
    const name = this.candidate(path);
    if (name === undefined) return undefined;
    const descriptor = this.descriptorOf(name);
    if (descriptor !== undefined) {
      const file = this.files.get(descriptor);
      // A pipe of ours has no host path to open again: the same end is what opening gives.
      return file === undefined ? -errno.ENOENT : file.hostDescriptor === undefined ? file : undefined;
    }
    const own = this.ownName(name);
    if (own === 'fd') return writes ? -errno.EISDIR : this.openDescriptors();
    const content = this.content(name, own);
    if (content === undefined) return undefined;
    if (writes) return -errno.EACCES;
    const status = this.files.host.status(bytesOf(own === undefined ? name : `/proc/self/${own}`), true);
    return new MemoryFile(content, status);
  }

  /** Where a link of ours points; undefined for every other path. */
  link(_directory: number, path: Uint8Array): Uint8Array | number | undefined {
    const name = this.candidate(path);
    if (name === undefined) return undefined;
    if (name === '/proc/self' && this.program !== undefined) return bytesOf(String(this.program.processId));
    const own = this.ownName(name);
    if (own === 'exe') return this.executable();
    if (own === 'cwd') return this.files.workingDirectory();
    const descriptor = own === undefined ? undefined : this.descriptorOf(name);
    if (descriptor === undefined) return undefined;
    const file = this.files.get(descriptor);
    if (file === undefined) return -errno.ENOENT;
    const hostPath = this.files.pathOf(file);
    return hostPath === undefined ? bytesOf(file.label) : this.files.host.readLink(hostPath);
  }

  /** The status of a name of ours that has no path on the host; undefined for every other. */
  status(_directory: number, path: Uint8Array, follow: boolean): FileStatus | number | undefined {
    const name = this.candidate(path);
    if (name === undefined) return undefined;
    const descriptor = this.descriptorOf(name);
    if (descriptor === undefined) return undefined;
    const file = this.files.get(descriptor);
    if (file === undefined) return -errno.ENOENT;
    if (follow) return file.status();
    return this.files.host.status(bytesOf('/proc/self/cwd'), false);
  }

  /** Absolute path of the program's file, links followed. */
  private executable(): Uint8Array | undefined {
    if (this.program === undefined || this.executablePath !== undefined) return this.executablePath;
    const { host } = this.files;
    const { path } = this.program;
    const resolved = this.files.resolve(-100, path);
    const descriptor = typeof resolved === 'number' ? resolved : host.open(resolved, { read: true, pathOnly: true });
    if (descriptor >= 0) {
      const target = host.readLink(host.descriptorPath(descriptor));
      host.close(descriptor);
      if (typeof target !== 'number') this.executablePath = target;
    }
    this.executablePath ??= path;
    return this.executablePath;
  }

  private candidate(path: Uint8Array): string | undefined {
    if (path[0] !== slash || (path[1] !== 0x70 && path[1] !== 0x64)) return undefined;
    return normalize(latin1(path));
  }

  /** What comes after /proc/self/, in any way to say that; undefined for other paths. */
  private ownName(path: string): string | undefined {
    const match = /^\/proc\/(self|thread-self|\d+)(?:\/task\/\d+)?\/(.+)$/.exec(path);
    if (match === null) return undefined;
    const [, who, name] = match;
    return who.endsWith('self') || Number(who) === this.program?.processId ? name : undefined;
  }

  private descriptorOf(path: string): number | undefined {
    const standard = standardNames[path];
    if (standard !== undefined) return standard;
    const name = path.startsWith('/dev/fd/') ? path.slice(5) : this.ownName(path);
    const match = name === undefined ? null : /^fd\/(\d+)$/.exec(name);
    return match === null ? undefined : Number(match[1]);
  }

  private openDescriptors(): OpenFile | number {
    const { host, abi } = this.files;
    const descriptor = host.open(bytesOf('/proc/self/fd'), { read: true, directory: true });
    if (descriptor < 0) return descriptor;
    const access = { read: true, write: false };
    return new DescriptorDirectory(this.files, descriptor, abi.open.DIRECTORY, access);
  }

  /** /proc/PID/maps. The program's own mappings are named by its path as it was started, and listed by its absolute one. */
  private mapsOf(program: ProgramFacts): string {
    const decoder = new TextDecoder();
    const started = decoder.decode(program.path);
    const absolute = decoder.decode(this.executable());
    const lines = program.memory.mappings().map((mapping) => {
      return mapsLine(mapping, mapping.name === started ? absolute : mapping.name, this.files.abi.mapsNameColumn);
    });
    return lines.join('');
  }

  private content(path: string, own: string | undefined): Uint8Array | undefined {
    if (path === '/proc/cpuinfo') return bytesOf(this.files.abi.processorInfo(this.files.processors));
    const { program } = this;
    if (program === undefined) return undefined;
    switch (own) {
      case 'maps':
        return bytesOf(this.mapsOf(program));
      case 'cmdline':
        return concatenate(...program.arguments.flatMap((argument) => [argument, zero]));
      case 'environ':
        return concatenate(...program.environment.flatMap((variable) => [variable, zero]));
      case 'auxv':
        return auxiliaryVector(program, this.files.abi);
      case 'comm':
        return concatenate(program.name(), bytesOf('\n'));
      case 'stat': {
        const host = this.files.host.readWhole(bytesOf('/proc/self/stat'));
        if (typeof host === 'number') return undefined;
        const text = latin1(host);
        return fromLatin1(`${program.processId} (${latin1(program.name())}${text.slice(text.lastIndexOf(')'))}`);
      }
      case 'status': {
        const host = this.files.host.readWhole(bytesOf('/proc/self/status'));
        if (typeof host === 'number') return undefined;
        return fromLatin1(latin1(host).replace(/^Name:.*$/m, () => `Name:\t${latin1(program.name())}`));
      }
      default:
        return undefined;
    }
  }
}

/** The auxiliary vector as it lies on the stack, behind the argument count and the two vectors that zeros end. */
function auxiliaryVector(program: ProgramFacts, abi: Abi): Uint8Array {
  const { memory, stackPointer, arguments: args, environment } = program;
  const { wordSize } = abi.model;
  const start = stackPointer + wordSize * (1 + args.length + 1 + environment.length + 1);
  let end = start;
  while (readWord(abi, memory, end) !== 0) end += 2 * wordSize;
  return memory.readBytes(start, end + 2 * wordSize - start);
}

/** /proc/self/fd: the guest's descriptors instead of the host's. */
class DescriptorDirectory extends HostDirectory {
  private readonly files: Files;

  constructor(files: Files, descriptor: number, flags: number, access: { read: boolean; write: boolean }) {
    super(files.host, descriptor, flags, access);
    this.files = files;
  }

  protected override hostEntries(): DirectoryEntry[] {
    return this.files.descriptors().map((descriptor) => ({ name: bytesOf(String(descriptor)), type: linkType }));
  }
}

/** A line of /proc/PID/maps (Documentation/filesystems/proc.rst). */
function mapsLine(mapping: Mapping, name: string, nameColumn: number): string {
  const hexadecimal = (value: number) => value.toString(16).padStart(8, '0');
  const { start, end, protection, shared, offset } = mapping;
  const flag = (bit: number, letter: string) => ((protection & bit) !== 0 ? letter : '-');
  const permissions = `${flag(1, 'r')}${flag(2, 'w')}${flag(4, 'x')}${shared ? 's' : 'p'}`;
  const line = `${hexadecimal(start)}-${hexadecimal(end)} ${permissions} ${hexadecimal(offset)} 00:00 0`;
  return name === '' ? `${line} \n` : `${line.padEnd(nameColumn)}${name}\n`;
}
