/** Prints system calls as strace does: `write(1, "hello\n", 6) = 6`, from the rows' argument kinds. */
import type { CallObserver } from './dispatch.ts';
import { errno, errnoName } from './errno.ts';
import { currentDirectory } from './files.ts';
import { signalNumbers } from './signals.ts';
import {
  accessNames,
  atNames,
  clockNames,
  fcntlName,
  formatFlags,
  formatMapFlags,
  formatOpenFlags,
  nameOf,
  protectionNames,
  whenceNames,
} from './strace-flags.ts';
import type { ArgumentKind, SystemCall } from './system-call.ts';
import type { Entry } from './table.ts';

/** Bytes of a string that are shown (strace -s), and elements of a vector. */
const shownBytes = 32;
const shownElements = 16;
/** Longest path that is shown whole. */
const pathBytes = 4096;

/** Kinds whose contents are there only when the call has returned. */
const outputs: ReadonlySet<ArgumentKind> = new Set(['outbuffer', 'outpath', 'fdpair']);
/** Calls that do not return. */
const endings: ReadonlySet<string> = new Set(['exit', 'exit_group', 'rt_sigreturn', 'sigreturn']);
/** Calls whose result is an address. */
const addresses: ReadonlySet<string> = new Set(['brk', 'mmap', 'mmap2', 'mremap', 'shmat']);

export class Strace implements CallObserver {
  private readonly write: (text: string) => void;
  private pending = '';

  /** @param write takes whole lines, with their newline */
  constructor(write: (text: string) => void) {
    this.write = write;
  }

  begin(entry: Entry | undefined, number: number, call: SystemCall): void {
    const name = callName(entry, number, call);
    // Inputs are looked at before the call, which may change them.
    this.pending = format(entry, call, undefined);
    if (endings.has(name)) {
      this.write(`${name}(${this.pending}) = ?\n`);
      this.pending = '';
    }
  }

  end(entry: Entry | undefined, number: number, call: SystemCall, result: number | bigint): void {
    const name = callName(entry, number, call);
    if (endings.has(name)) return;
    const late = entry?.row.arguments.some((kind) => outputs.has(kind)) === true;
    const args = late ? format(entry, call, Number(result)) : this.pending;
    const head = `${name}(${args})`;
    this.write(`${head.padEnd(39)} = ${formatResult(name, result)}\n`);
  }
}

function callName(entry: Entry | undefined, number: number, call: SystemCall): string {
  return entry?.row.name ?? call.abi.names[number] ?? `syscall_0x${number.toString(16)}`;
}

function formatResult(name: string, result: number | bigint): string {
  const value = Number(result);
  if (value === -512) return '? ERESTARTSYS (To be restarted if SA_RESTART is set)';
  if (value === -514) return '? ERESTARTNOHAND (To be restarted if no handler)';
  if (value < -512 && value > -520) return '? ERESTART_RESTARTBLOCK (Interrupted by signal)';
  if (value < 0 && value >= -4095) return `-1 ${errnoName(-value)} (${describe(-value)})`;
  return addresses.has(name) ? `0x${(value >>> 0).toString(16)}` : String(result);
}

/** @param result undefined before the call has returned */
function format(entry: Entry | undefined, call: SystemCall, result: number | undefined): string {
  if (entry === undefined) return call.args.map(pointer).join(', ');
  const parts = entry.row.arguments.map((kind, index) => formatArgument(kind, index, call, result));
  // open's mode means something only with O_CREAT and O_TMPFILE.
  const flags = entry.row.arguments.indexOf('flags:open');
  if (flags >= 0 && entry.row.arguments[flags + 1] === 'octal') {
    const { CREAT, TMPFILE } = call.abi.open;
    if ((call.args[flags] & (CREAT | (TMPFILE & ~call.abi.open.DIRECTORY))) === 0) parts.length = flags + 1;
  }
  return parts.join(', ');
}

function formatArgument(kind: ArgumentKind, index: number, call: SystemCall, result: number | undefined): string {
  const { args, abi } = call;
  const value = args[index];
  const next = args[index + 1];
  switch (kind) {
    case 'int':
    case 'uint':
    case 'size':
    case 'word':
    case 'fd':
    case 'long':
    case 'i64':
    case 'u64':
      return String(value);
    case 'hex':
      return value === 0 ? '0' : pointer(value);
    case 'octal':
    case 'flags:mode':
      return value === 0 ? '000' : `0${value.toString(8)}`;
    case 'atfd':
      return value === currentDirectory ? 'AT_FDCWD' : String(value);
    case 'path':
    case 'string':
      return text(call, value, pathBytes);
    case 'buffer':
      return bytes(call, value, next);
    case 'outbuffer':
      return result === undefined || result < 0 ? pointer(value) : bytes(call, value, result);
    case 'outpath':
      return result === undefined || result < 0 ? pointer(value) : bytes(call, value, result);
    case 'fdpair':
      return result === 0 ? `[${words(call, value, 2).join(', ')}]` : pointer(value);
    case 'iovec':
      return vector(call, value, next);
    case 'pollfd':
      return pollList(call, value, next);
    case 'timespec':
      return pointer(value);
    case 'flags:open':
      return formatOpenFlags(abi, value);
    case 'flags:prot':
      return formatFlags(value, protectionNames, 'PROT_NONE');
    case 'flags:map':
      return formatMapFlags(abi, value);
    case 'flags:at':
      return formatFlags(value, atNames);
    case 'flags:access':
      return formatFlags(value, accessNames, 'F_OK');
    case 'flags:clock':
      return clockNames[value] ?? String(value);
    case 'whence':
      return whenceNames[value] ?? String(value);
    case 'fcntl':
      return fcntlName(value);
    case 'signal':
      return nameOf(value, signalNumbers);
    case 'ioctl':
      return nameOf(value, abi.ioctls);
    case 'pointer':
    case 'struct':
      return pointer(value);
  }
}

function pointer(value: number): string {
  return value === 0 ? 'NULL' : `0x${(value < 0 ? value >>> 0 : value).toString(16)}`;
}

/** Whether strace may look at guest memory there. */
function visible(call: SystemCall, address: number, length: number): boolean {
  return length >= 0 && call.memory.allows(address, length, 1);
}

function bytes(call: SystemCall, address: number, length: number): string {
  const shown = Math.min(length, shownBytes);
  if (address === 0 || !visible(call, address, shown)) return pointer(address);
  return quote(call.memory.readBytes(address, shown)) + (length > shown ? '...' : '');
}

function text(call: SystemCall, address: number, maximum: number): string {
  if (address === 0) return 'NULL';
  try {
    return quote(call.memory.readString(address, maximum));
  } catch {
    // What the guest cannot read or what does not end is shown as the address that was passed.
    return pointer(address);
  }
}

function words(call: SystemCall, address: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => call.memory.readU32(address + 4 * i));
}

function vector(call: SystemCall, address: number, count: number): string {
  const layout = call.abi.structures.iovec;
  const shown = Math.min(count, shownElements);
  if (shown < 0 || !visible(call, address, shown * layout.size)) return pointer(address);
  const parts = Array.from({ length: shown }, (_, i) => {
    const { iov_base, iov_len } = layout.read(call.memory, address + i * layout.size);
    return `{iov_base=${bytes(call, iov_base, iov_len)}, iov_len=${iov_len}}`;
  });
  return `[${parts.join(', ')}${count > shown ? ', ...' : ''}]`;
}

function pollList(call: SystemCall, address: number, count: number): string {
  const layout = call.abi.structures.pollfd;
  const shown = Math.min(count, shownElements);
  if (!visible(call, address, shown * layout.size)) return pointer(address);
  const parts = Array.from({ length: shown }, (_, i) => {
    const { fd, events } = layout.read(call.memory, address + i * layout.size);
    return `{fd=${fd}, events=${formatFlags(events, pollNames)}}`;
  });
  return `[${parts.join(', ')}${count > shown ? ', ...' : ''}]`;
}

const pollNames = { POLLIN: 1, POLLPRI: 2, POLLOUT: 4, POLLERR: 8, POLLHUP: 16, POLLNVAL: 32 };

const escapes: Readonly<Record<number, string>> = {
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
  34: '\\"',
  92: '\\\\',
};

/** A C string literal; other bytes in octal, as short as the next character allows. */
export function quote(data: Uint8Array): string {
  let result = '"';
  for (let i = 0; i < data.length; i++) {
    const byte = data[i];
    const escaped = escapes[byte];
    if (escaped !== undefined) result += escaped;
    else if (byte >= 32 && byte < 127) result += String.fromCharCode(byte);
    else {
      const following = data[i + 1];
      const digitFollows = following >= 0x30 && following <= 0x37;
      result += `\\${digitFollows ? byte.toString(8).padStart(3, '0') : byte.toString(8)}`;
    }
  }
  return `${result}"`;
}

const descriptions: Readonly<Record<number, string>> = {
  [errno.EPERM]: 'Operation not permitted',
  [errno.ENOENT]: 'No such file or directory',
  [errno.ESRCH]: 'No such process',
  [errno.EINTR]: 'Interrupted system call',
  [errno.EIO]: 'Input/output error',
  [errno.ENXIO]: 'No such device or address',
  [errno.EBADF]: 'Bad file descriptor',
  [errno.ECHILD]: 'No child processes',
  [errno.EAGAIN]: 'Resource temporarily unavailable',
  [errno.ENOMEM]: 'Cannot allocate memory',
  [errno.EACCES]: 'Permission denied',
  [errno.EFAULT]: 'Bad address',
  [errno.EBUSY]: 'Device or resource busy',
  [errno.EEXIST]: 'File exists',
  [errno.EXDEV]: 'Invalid cross-device link',
  [errno.ENODEV]: 'No such device',
  [errno.ENOTDIR]: 'Not a directory',
  [errno.EISDIR]: 'Is a directory',
  [errno.EINVAL]: 'Invalid argument',
  [errno.EMFILE]: 'Too many open files',
  [errno.ENOTTY]: 'Inappropriate ioctl for device',
  [errno.EFBIG]: 'File too large',
  [errno.ENOSPC]: 'No space left on device',
  [errno.ESPIPE]: 'Illegal seek',
  [errno.EROFS]: 'Read-only file system',
  [errno.EPIPE]: 'Broken pipe',
  [errno.ERANGE]: 'Numerical result out of range',
  [errno.ENAMETOOLONG]: 'File name too long',
  [errno.ENOSYS]: 'Function not implemented',
  [errno.ENOTEMPTY]: 'Directory not empty',
  [errno.ELOOP]: 'Too many levels of symbolic links',
  [errno.EOVERFLOW]: 'Value too large for defined data type',
  [errno.EOPNOTSUPP]: 'Operation not supported',
  [errno.EAFNOSUPPORT]: 'Address family not supported by protocol',
  [errno.ETIMEDOUT]: 'Connection timed out',
};

/** strerror for the errors that calls return here. */
function describe(number: number): string {
  return descriptions[number] ?? `error ${number}`;
}
