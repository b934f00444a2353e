/** `stele cache`: what is kept from run to run. */
import { decodeBlocks } from '../cache/block-file.ts';
import { decodeFile } from '../cache/translation-file.ts';
import type { CacheDirectory, CachedFile } from '../host/cache-directory.ts';
import { writeError, writeOutput } from '../host/command.ts';
import { undoubled } from '../host/doubled.ts';
import { completeOptions } from './configuration.ts';
import type { PartialOptions } from './options.ts';
import { endings, keptDirectory } from './program-stores.ts';

/** One program's translations, or blocks of the interpreter, by one build. */
interface Row {
  /** The path that the program was last started by; empty where the file cannot be used. */
  readonly program: string;
  readonly file: string;
  readonly bytes: number;
  readonly translations: number;
  readonly blocks: number;
  /** ISO 8601. */
  readonly lastUsed: string;
}

/** The directory that options name. @returns undefined, having said why, when it is not used */
function openDirectory(flags: PartialOptions): CacheDirectory | undefined {
  const directory = keptDirectory(completeOptions(flags).cacheDir);
  if (directory.problem === undefined) return directory;
  writeError(`stele: nothing is kept: ${directory.problem}\n`);
  return undefined;
}

function describe(directory: CacheDirectory, { name, bytes, used }: CachedFile): Row {
  const contents = directory.read(name, false);
  const row = { program: '', file: name, bytes, translations: 0, blocks: 0, lastUsed: used.toISOString() };
  if (name.endsWith(endings.blocks)) {
    const half = undoubled(contents);
    const file = half === undefined ? undefined : decodeBlocks(half);
    return file === undefined ? row : { ...row, program: file.program, blocks: file.code.blocks.length / 3 };
  }
  const file = contents === undefined ? undefined : decodeFile(contents);
  if (file === undefined) return row;
  const translations = [...file.translations.values()].reduce((sum, byAddress) => sum + byAddress.size, 0);
  return { ...row, program: file.program, translations };
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
    writeOutput(`Nothing is kept in ${directory.path}.\n`);
    return 0;
  }
  const lines = rows.map(({ program, file, bytes, translations, blocks, lastUsed }) => [
    kibibytes(bytes),
    String(translations),
    String(blocks),
    lastUsed.slice(0, 16).replace('T', ' '),
    program === '' ? `(not usable: ${file})` : program,
  ]);
  const table = [['size', 'translations', 'blocks', 'last used (UTC)', 'program'], ...lines];
  const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((line) => line[column].length)));
  for (const line of table) {
    const cells = line.map((cell, column) =>
      column < 3 ? cell.padStart(widths[column]) : cell.padEnd(widths[column] ?? 0),
    );
    writeOutput(`${cells.join('  ')}\n`);
  }
  return 0;
}

/** @returns the exit status */
export function clearCache(flags: PartialOptions): number {
  const directory = openDirectory(flags);
  if (directory === undefined) return 1;
  const removed = directory.clear();
  const bytes = removed.reduce((sum, file) => sum + file.bytes, 0);
  const files = removed.length === 1 ? '1 file' : `${removed.length} files`;
  writeOutput(`Removed ${files} from ${directory.path}: ${kibibytes(bytes)}.\n`);
  return 0;
}
