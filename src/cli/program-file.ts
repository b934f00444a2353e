/** What commands have in common that are given a program to run, and files to write to. */
import { openTextFile, readExecutable, type TextSink, writeError, writeOutput } from '../host/command.ts';
import { UsageError } from './options.ts';

/** Exit statuses of shells for a program that cannot be run and for one that is not there. */
export const cannotRun = 126;
const notFound = 127;

/** Reads a program's file. @returns its contents, or the exit status where it cannot be read, which was told on standard error */
export function readProgram(path: Uint8Array, program: string): Uint8Array | number {
  const file = readExecutable(path);
  if (!('code' in file)) return file;
  writeError(`stele: ${program}: ${file.message}\n`);
  return file.code === 'ENOENT' || file.code === 'ENOTDIR' ? notFound : cannotRun;
}

/** Creates a file that an option names. @throws UsageError when it cannot be written */
export function openSink(path: string, option: string): TextSink {
  const sink = openTextFile(path);
  if ('code' in sink) throw new UsageError(`${option}: ${path}: ${sink.message}`);
  return sink;
}

/**
 * @param path "-": standard output; empty: nothing is wanted
 * @returns what writes a report there; undefined when nothing is wanted
 * @throws UsageError when the file cannot be written
 */
export function openReport(path: string, option: string): ((text: string) => void) | undefined {
  if (path === '') return undefined;
  if (path === '-') return writeOutput;
  const sink = openSink(path, option);
  return (text) => {
    sink.write(text);
    sink.flush();
  };
}
