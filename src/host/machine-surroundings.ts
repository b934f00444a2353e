/** What the command that supervises machines asks of its process: descriptors, its mask of modes, signals, the terminal. */
import { accessSync, constants, openSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { type FileProblem, fileProblem, writeError } from './command.ts';

/** Opens a file for guests: to read from, or made anew to be written to. @returns its descriptor */
export function openForGuests(path: string, writes: boolean): number | FileProblem {
  try {
    return openSync(path, writes ? 'w' : 'r');
  } catch (error) {
    return fileProblem(error);
  }
}

/** What keeps a file from being read; undefined: nothing that can be seen without opening it. */
export function readProblem(path: string): FileProblem | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}

/** What keeps a file from being written or made; undefined: nothing that can be seen without doing it. */
export function writeProblem(path: string): FileProblem | undefined {
  try {
    accessSync(path, constants.W_OK);
    return undefined;
  } catch (error) {
    const problem = fileProblem(error);
    if (problem.code !== 'ENOENT') return problem;
  }
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return fileProblem(error);
  }
}

/** Makes the process's mask of modes 0: guests in threads have masks of their own. @returns what it was */
export function clearModeMask(): number {
  return process.umask(0);
}

/** Whether what is written to standard output or standard error is seen at once. */
export function isTerminal(descriptor: 1 | 2): boolean {
  return (descriptor === 1 ? process.stdout : process.stderr).isTTY === true;
}

/** A line, with its newline, without what would move the cursor of a terminal that others write to, too. */
export function plainLine(line: Uint8Array): Uint8Array {
  const text = stripVTControlCharacters(Buffer.from(line).toString());
  const plain = Array.from(text).filter((character) => character >= ' ' || character === '\t' || character === '\n');
  return Buffer.from(plain.join(''));
}

export function processorCount(): number {
  return availableParallelism();
}

/** Calls back at Ctrl-C and when the process is asked to end, instead of ending. @param listener is told the signal's number */
export function onTermination(listener: (signal: number) => void): void {
  process.on('SIGINT', () => listener(2));
  process.on('SIGTERM', () => listener(15));
}

/** Calls back once after so many milliseconds. @returns calls it off */
export function after(milliseconds: number, callback: () => void): () => void {
  const timer = setTimeout(callback, milliseconds);
  return () => clearTimeout(timer);
}

/** Lines at the end of the terminal that are drawn over and over, with other output above them. */
export interface LiveLines {
  readonly rows: number;
  draw(lines: readonly string[]): void;
  /** Takes them away, so that something else can be written. */
  clear(): void;
}

/** Live lines on standard error; undefined where that is no terminal. */
export function liveLines(): LiveLines | undefined {
  const { stderr } = process;
  if (!stderr.isTTY) return undefined;
  let drawn = 0;
  let last = '';
  const clear = (): void => {
    if (drawn > 0) writeError(`\x1b[${drawn}A\x1b[J`);
    drawn = 0;
  };
  return {
    get rows() {
      return stderr.rows ?? 24;
    },
    draw(lines) {
      const wanted = lines.join('\n');
      if (drawn > 0 && wanted === last) return;
      last = wanted;
      const up = drawn > 0 ? `\x1b[${drawn}A` : '';
      const width = Math.max(20, (stderr.columns ?? 80) - 1);
      const text = lines.map((line) => `\x1b[2K${Array.from(line).slice(0, width).join('')}\n`).join('');
      drawn = lines.length;
      writeError(`${up}${text}\x1b[J`);
    },
    clear,
  };
}
