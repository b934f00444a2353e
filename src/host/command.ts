/** What a command asks of Node: its arguments, the files it is given by name, its output, its end. */
import {
  accessSync,
  closeSync,
  existsSync,
  fstatSync,
  constants as modes,
  openSync,
  readFileSync,
  writeSync,
} from 'node:fs';
import { constants, homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

/** The command's arguments, without the interpreter and the script. */
export function commandArguments(): string[] {
  return process.argv.slice(2);
}

export function environment(): Readonly<Record<string, string | undefined>> {
  return process.env;
}

/** What Node puts where bytes are not UTF-8. */
const replacement = '\ufffd';

/** The last `count` of the command's arguments as the bytes that they were given in. */
export function argumentBytes(count: number): Uint8Array[] {
  const texts = count === 0 ? [] : process.argv.slice(-count);
  if (!texts.some((text) => text.includes(replacement))) return texts.map((text) => Buffer.from(text));
  return splitAtZeroes('/proc/self/cmdline')?.slice(-count) ?? texts.map((text) => Buffer.from(text));
}

/** The environment as `NAME=value` bytes. */
export function environmentBytes(): Uint8Array[] {
  const texts = Object.entries(process.env).map(([name, value]) => `${name}=${value}`);
  const raw = texts.some((text) => text.includes(replacement)) ? splitAtZeroes('/proc/self/environ') : undefined;
  return raw ?? texts.map((text) => Buffer.from(text));
}

function splitAtZeroes(path: string): Uint8Array[] | undefined {
  try {
    const text = readFileSync(path, 'latin1');
    return text
      .split('\0')
      .slice(0, -1)
      .map((part) => Buffer.from(part, 'latin1'));
  } catch {
    return undefined;
  }
}

/** The directory of the user's configuration files (XDG Base Directory Specification). */
export function configurationDirectory(): string {
  return process.env.XDG_CONFIG_HOME || `${homedir()}/.config`;
}

/** The directory of what can be made again (XDG Base Directory Specification, for which a relative path does not count). */
export function cacheDirectory(): string {
  const { XDG_CACHE_HOME: home = '' } = process.env;
  return home.startsWith('/') ? home : `${homedir()}/.cache`;
}

/** The path from the root, for use when the working directory may be another one. */
export function absolutePath(path: string): string {
  return resolve(path);
}

/** A file that cannot be used, with the system's name for the reason (ENOENT, EACCES). */
export interface FileProblem {
  readonly code: string;
  /** As strerror says it: "No such file or directory". */
  readonly message: string;
}

/** Reads an executable file. */
export function readExecutable(path: Uint8Array): Uint8Array | FileProblem {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(Buffer.from(path), 'r');
    const status = fstatSync(descriptor);
    if (!status.isFile()) return { code: 'EACCES', message: status.isDirectory() ? 'Is a directory' : 'Not a file' };
    if ((status.mode & 0o111) === 0) return { code: 'EACCES', message: 'Permission denied' };
    return readFileSync(descriptor);
  } catch (error) {
    return fileProblem(error);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

export function readText(path: string): string | FileProblem {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    return fileProblem(error);
  }
}

const problems: Readonly<Record<string, string>> = {
  ENOENT: 'No such file or directory',
  ENOTDIR: 'Not a directory',
  EACCES: 'Permission denied',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOSPC: 'No space left on device',
  EFBIG: 'File too large',
  EDQUOT: 'Disk quota exceeded',
  EPIPE: 'Broken pipe',
};

export function fileProblem(error: unknown): FileProblem {
  const { code = 'EIO', message } = error as NodeJS.ErrnoException;
  return { code, message: problems[code] ?? message };
}

/**
 * Writes to a descriptor, all of it, also to a pipe or terminal that is not ready at once.
 * @returns what kept it from that
 */
export function writeBytes(descriptor: number, bytes: Uint8Array): FileProblem | undefined {
  let rest = bytes;
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return fileProblem(error);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
  return undefined;
}

function writeWhole(descriptor: number, text: string): FileProblem | undefined {
  return writeBytes(descriptor, Buffer.from(text));
}

/** Writes to the command's standard output; a reader that has gone away is not an error. */
export function writeOutput(text: string): void {
  writeWhole(1, text);
}

/** Whether text on standard output may be coloured: a terminal shows it, and the user does not object (no-color.org). */
export function outputIsColoured(): boolean {
  return process.stdout.isTTY === true && !process.env.NO_COLOR;
}

export function writeError(text: string): void {
  writeWhole(2, text);
}

/** Somewhere to write text. */
export interface TextSink {
  write(text: string): void;
  /** Writes what is held back. */
  flush(): void;
}

/** Bytes that a file sink holds back, so that a log of every instruction does not cost a system call each. */
const sinkCapacity = 1 << 16;

/** Creates a file to write text to. Where writing fails, that is said once, and what comes after it is lost. */
export function openTextFile(path: string): TextSink | FileProblem {
  let descriptor: number;
  try {
    descriptor = openSync(path, 'w');
  } catch (error) {
    return fileProblem(error);
  }
  let held = '';
  let failed = false;
  const flush = (): void => {
    const problem = writeWhole(descriptor, held);
    held = '';
    if (problem === undefined) return;
    failed = true;
    writeError(`stele: ${path}: ${problem.message}; what follows is not written there\n`);
  };
  const write = (text: string): void => {
    if (failed) return;
    held += text;
    if (held.length >= sinkCapacity) flush();
  };
  return { write, flush };
}

/** Standard error as a sink; nothing is held back. */
export const errorSink: TextSink = { write: writeError, flush: () => {} };

/** A line on standard error that is written over and over, on a terminal; elsewhere a line each. */
export function progressLine(): { show(text: string): void; clear(): void } {
  const { isTTY } = process.stderr;
  return {
    show: (text) => writeError(isTTY ? `\r\x1b[K${text}` : `${text}\n`),
    clear: () => {
      if (isTTY) writeError('\r\x1b[K');
    },
  };
}

/** The command that this program was started by: Node with its options, and the script. */
export function steleCommand(): string[] {
  return [process.execPath, ...process.execArgv, process.argv[1]];
}

/** Whether the host's kernel would let this user start a file. */
export function mayExecute(path: string): boolean {
  try {
    accessSync(path, modes.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The path of a program among the examples that come with Stele; undefined where they are not there. */
export function examplePath(name: string): string | undefined {
  for (let folder = dirname(import.meta.filename); folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'examples', name);
    if (existsSync(path)) return path;
  }
  return undefined;
}

/** Ends this process at once. */
export function exit(code: number): never {
  process.exit(code);
}

/** Ends this process by a signal with its default action, so that whoever waits for it sees that signal. */
export function dieOfSignal(signal: number): never {
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  if (name !== undefined) {
    // Adding and removing a listener puts the default action back where Node has set another one (SIGPIPE, SIGUSR1).
    if (name !== 'SIGKILL' && name !== 'SIGSTOP') {
      const listener = (): void => {};
      process.on(name, listener).removeListener(name, listener);
    }
    process.kill(process.pid, name);
  } else {
    process.kill(process.pid, signal);
  }
  // Only a signal that the starter of this process blocked gets here.
  process.exit(128 + signal);
}
