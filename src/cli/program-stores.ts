/** What is kept for a program from run to run lies in files of the user's cache directory, one of each kind. */
import { checksumOfText, fingerprint } from '../cache/checksum.ts';
import type { ProgramStore } from '../cache/program-store.ts';
import { buildIdentity } from '../host/build-identity.ts';
import { CacheDirectory } from '../host/cache-directory.ts';
import { absolutePath, cacheDirectory } from '../host/command.ts';
import { doubled, undoubled } from '../host/doubled.ts';
import type { RunOptions } from './options.ts';

/** Endings of the files' names. */
export const endings = { translations: '.translations', blocks: '.blocks' } as const;

/** A program's share of the whole is this part of it at most. */
const share = 4;
/** Bytes of interpreter code that may be kept for a program: what every later run reads and compares. */
const mostBlocks = 1 << 20;

/** @param path as --cache-dir gives it */
export function keptDirectory(path: string): CacheDirectory {
  return new CacheDirectory(path === '' ? `${cacheDirectory()}/stele` : path, Object.values(endings));
}

type Options = Pick<RunOptions, 'cacheDir' | 'cacheSize'>;

/** The program's path from the root. @param path the path that it was started by */
const programPath = (path: Uint8Array): string => absolutePath(new TextDecoder().decode(path));

/**
 * @param file the program's contents
 * @param path the path that it was started by
 */
export function openTranslationStore(file: Uint8Array, path: Uint8Array, options: Options): ProgramStore {
  const key = `${fingerprint(file)}-${buildIdentity()}`;
  const directory = keptDirectory(options.cacheDir);
  const name = key + endings.translations;
  return {
    key,
    program: programPath(path),
    limit: Math.floor(options.cacheSize / share),
    read: () => directory.read(name),
    write: (bytes) => directory.write(name, bytes, options.cacheSize),
  };
}

/**
 * Every run reads what is kept here, short ones too. So its name is made of the program's path, not of its contents: a
 * program that was built anew takes the place of the former.
 * @param path the path that the program was started by
 */
export function openBlockStore(path: Uint8Array, options: Options): ProgramStore {
  const program = programPath(path);
  const key = `${checksumOfText(program)}-${buildIdentity()}`;
  const directory = keptDirectory(options.cacheDir);
  const name = key + endings.blocks;
  return {
    key,
    program,
    limit: Math.min(Math.floor(options.cacheSize / share), mostBlocks) >> 1,
    read: () => undoubled(directory.read(name)),
    write: (bytes) => directory.write(name, doubled(bytes), options.cacheSize),
  };
}
