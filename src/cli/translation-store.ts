/** Where the translations of a program are kept: in a file of the user's cache directory. */
import { fingerprint } from '../cache/checksum.ts';
import type { TranslationStore } from '../cache/translation-cache.ts';
import { buildIdentity } from '../host/build-identity.ts';
import { CacheDirectory } from '../host/cache-directory.ts';
import { absolutePath, cacheDirectory } from '../host/command.ts';
import type { RunOptions } from './options.ts';

/** Ending of the files' names. */
const ending = '.translations';

/** A program's share of the whole is this part of it at most. */
const share = 4;

/** @param path as --cache-dir gives it */
export function translationDirectory(path: string): CacheDirectory {
  return new CacheDirectory(path === '' ? `${cacheDirectory()}/stele` : path, ending);
}

/**
 * @param file the program's contents
 * @param path the path that it was started by
 */
export function openTranslationStore(
  file: Uint8Array,
  path: Uint8Array,
  options: Pick<RunOptions, 'cacheDir' | 'cacheSize'>,
): TranslationStore {
  const key = `${fingerprint(file)}-${buildIdentity()}`;
  const directory = translationDirectory(options.cacheDir);
  return {
    key,
    program: absolutePath(new TextDecoder().decode(path)),
    limit: Math.floor(options.cacheSize / share),
    read: () => directory.read(key + ending),
    write: (bytes) => directory.write(key + ending, bytes, options.cacheSize),
  };
}
