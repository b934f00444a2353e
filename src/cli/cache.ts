/** `stele cache`: the translations that are kept from run to run. */
import { decodeFile } from '../cache/translation-file.ts';
import type { CacheDirectory, CachedFile } from '../host/cache-directory.ts';
import { writeError, writeOutput } from '../host/command.ts';
import { completeOptions } from './configuration.ts';
import type { PartialOptions } from './options.ts';
import { translationDirectory } from './translation-store.ts';

/** One program's translations by one build. */
interface Row {
  /** The path that the program was last started by; empty where the file cannot be used. */
  readonly program: string;
  readonly file: string;
  readonly bytes: number;
  readonly translations: number;
  /** ISO 8601. */
  readonly lastUsed: string;
}

/** The directory that options name. @returns undefined, having said why, when it is not used */
function openDirectory(flags: PartialOptions): CacheDirectory | undefined {
  const directory = translationDirectory(completeOptions(flags).cacheDir);
  if (directory.problem === undefined) return directory;
  writeError(`stele: nothing is kept: ${directory.problem}\n`);
  return undefined;
}

function describe(directory: CacheDirectory, { name, bytes, used }: CachedFile): Row {
  const contents = directory.read(name, false);
  const file = contents === undefined ? undefined : decodeFile(contents);
  let translations = 0;
  for (const byAddress of file?.translations.values() ?? []) translations += byAddress.size;
  return { program: file?.program ?? '', file: name, bytes, translations, lastUsed: used.toISOString() };
}

const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024).toLocaleString('en')} KiB`;

/** @returns the exit status */
export function listCache(flags: PartialOptions, json: boolean): number {
  const directory = openDirectory(flags);
  if (directory === undefined) return 1;
  const rows = directory.list().map((file) => describe(directory, file));
  if (json) {
    writeOutput(`${JSON.stringify(rows, undefined, 2)}\n`);
    return 0;
  }
  if (rows.length === 0) {
    writeOutput(`No translations are kept in ${directory.path}.\n`);
    return 0;
  }
  const lines = rows.map(({ program, file, bytes, translations, lastUsed }) => [
    kibibytes(bytes),
    String(translations),
    lastUsed.slice(0, 16).replace('T', ' '),
    program === '' ? `(not usable: ${file})` : program,
  ]);
  const table = [['size', 'translations', 'last used (UTC)', 'program'], ...lines];
  const widths = [0, 1, 2].map((column) => Math.max(...table.map((line) => line[column].length)));
  for (const line of table) {
    const [size, count, used] = line.map((cell, column) =>
      column < 2 ? cell.padStart(widths[column]) : cell.padEnd(widths[column] ?? 0),
    );
    writeOutput(`${size}  ${count}  ${used}  ${line[3]}\n`);
  }
  return 0;
}

/** @returns the exit status */
export function clearCache(flags: PartialOptions): number {
  const directory = openDirectory(flags);
  if (directory === undefined) return 1;
  const removed = directory.clear();
  const bytes = removed.reduce((sum, file) => sum + file.bytes, 0);
  const files =
    removed.length === 1 ? 'the translations of 1 program' : `the translations of ${removed.length} programs`;
  writeOutput(`Removed ${files} from ${directory.path}: ${kibibytes(bytes)}.\n`);
  return 0;
}
