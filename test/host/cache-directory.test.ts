/** A directory of files that can be made again: whole files or none, of this user only, within a limit. */
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { buildIdentity, identityOfSources } from '../../src/host/build-identity.ts';
import { CacheDirectory } from '../../src/host/cache-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-cache-directory-'));
afterAll(() => rmSync(folder, { recursive: true }));
const plenty = 1 << 20;
let made = 0;
/** A directory that is not there yet. */
const fresh = (): CacheDirectory => new CacheDirectory(join(folder, `parent${made++}`, 'cache'), ['.kept', '.other']);
const bytes = (length: number, value = 1): Uint8Array => new Uint8Array(length).fill(value);
const names = (directory: CacheDirectory): string[] => directory.list().map(({ name }) => name);
/** Makes a file look as if it had last been used some minutes ago. */
function age(directory: CacheDirectory, name: string, minutes: number): void {
  const time = new Date(Date.now() - minutes * 60_000);
  utimesSync(join(directory.path, name), time, time);
}

test('gives back what was written, in files for this user only', () => {
  const directory = fresh();
  expect(directory.read('a.kept')).toBeUndefined();
  expect(directory.list()).toEqual([]);
  expect(existsSync(directory.path)).toBe(false);
  directory.write('a.kept', bytes(100), plenty);
  directory.write('a.kept', bytes(50, 2), plenty);
  expect(directory.read('a.kept')).toEqual(bytes(50, 2));
  expect(statSync(directory.path).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory.path, 'a.kept')).mode & 0o777).toBe(0o600);
  expect(directory.list()).toMatchObject([{ name: 'a.kept', bytes: 50 }]);
  // Nothing half-written is left.
  expect(readdirSync(directory.path)).toEqual(['a.kept']);
});

test('a reader has all of one version or all of another while a file is replaced', () => {
  const directory = fresh();
  directory.write('a.kept', bytes(100_000, 1), plenty);
  const before = readFileSync(join(directory.path, 'a.kept'));
  const old = statSync(join(directory.path, 'a.kept')).ino;
  directory.write('a.kept', bytes(10, 2), plenty);
  // Another file in the old one's place: who had that open goes on reading it.
  expect(statSync(join(directory.path, 'a.kept')).ino).not.toBe(old);
  expect(before.length).toBe(100_000);
});

test('the files that were not used for longest go when there are too many', () => {
  const directory = fresh();
  for (const [index, name] of ['a.kept', 'b.kept', 'c.kept'].entries()) {
    directory.write(name, bytes(400), plenty);
    age(directory, name, 30 - index);
  }
  // Reading counts as use; looking does not.
  directory.read('a.kept');
  directory.read('b.kept', false);
  expect(names(directory)).toEqual(['a.kept', 'c.kept', 'b.kept']);
  directory.write('d.kept', bytes(400), 1200);
  expect(names(directory).sort()).toEqual(['a.kept', 'c.kept', 'd.kept']);
  directory.write('e.kept', bytes(400), 400);
  expect(names(directory)).toEqual(['e.kept']);
});

test('files that a run did not finish go after an hour', () => {
  const directory = fresh();
  directory.write('a.kept', bytes(1), plenty);
  for (const name of ['b.kept.1.part', 'c.kept.2.part']) writeFileSync(join(directory.path, name), 'x');
  age(directory, 'b.kept.1.part', 61);
  directory.write('a.kept', bytes(1), plenty);
  expect(readdirSync(directory.path).sort()).toEqual(['a.kept', 'c.kept.2.part']);
  expect(names(directory)).toEqual(['a.kept']);
});

test('clearing removes its own files and nothing else', () => {
  const directory = fresh();
  directory.write('a.kept', bytes(10), plenty);
  directory.write('b.kept', bytes(20), plenty);
  writeFileSync(join(directory.path, 'c.kept.77.part'), 'x');
  writeFileSync(join(directory.path, 'notes.txt'), 'mine');
  mkdirSync(join(directory.path, 'd.kept'));
  expect(directory.clear().length).toBe(3);
  expect(readdirSync(directory.path).sort()).toEqual(['d.kept', 'notes.txt']);
  expect(directory.clear()).toEqual([]);
});

test('what others could have put there is not used', () => {
  const directory = fresh();
  directory.write('a.kept', bytes(10), plenty);
  chmodSync(join(directory.path, 'a.kept'), 0o620);
  expect(directory.read('a.kept')).toBeUndefined();
  chmodSync(join(directory.path, 'a.kept'), 0o644);
  expect(directory.read('a.kept')).toEqual(bytes(10));
  symlinkSync(join(directory.path, 'a.kept'), join(directory.path, 'link.kept'));
  expect(directory.read('link.kept')).toBeUndefined();
  mkdirSync(join(directory.path, 'folder.kept'));
  expect(directory.read('folder.kept')).toBeUndefined();
  chmodSync(directory.path, 0o770);
  expect(directory.problem).toMatch(/others may write there/);
  expect(directory.read('a.kept')).toBeUndefined();
  directory.write('b.kept', bytes(1), plenty);
  expect(readdirSync(directory.path)).not.toContain('b.kept');
  expect(directory.list()).toEqual([]);
  expect(directory.clear()).toEqual([]);
  chmodSync(directory.path, 0o755);
  expect(directory.problem).toBeUndefined();
});

test('what belongs to another user is not used', () => {
  if (process.geteuid?.() !== 0) {
    console.info('Not tested: files of another user, which only root can make.');
    expect(fresh().problem).toBeUndefined();
    return;
  }
  const directory = fresh();
  directory.write('a.kept', bytes(10), plenty);
  chownSync(join(directory.path, 'a.kept'), 65534, 65534);
  expect(directory.read('a.kept')).toBeUndefined();
  directory.write('b.kept', bytes(10), plenty);
  chownSync(directory.path, 65534, 65534);
  expect(directory.problem).toMatch(/belongs to another user/);
  expect(directory.read('b.kept')).toBeUndefined();
});

test('where nothing can be written nothing happens', () => {
  const file = join(folder, 'file');
  writeFileSync(file, 'not a directory');
  const directory = new CacheDirectory(file, ['.kept', '.other']);
  expect(directory.problem).toMatch(/not a directory/);
  directory.write('a.kept', bytes(1), plenty);
  expect(directory.read('a.kept')).toBeUndefined();
  const below = new CacheDirectory(join(file, 'cache'), ['.kept', '.other']);
  below.write('a.kept', bytes(1), plenty);
  expect(below.read('a.kept')).toBeUndefined();
  const nowhere = new CacheDirectory('/proc/stele-cache', ['.kept', '.other']);
  nowhere.write('a.kept', bytes(1), plenty);
  expect(nowhere.read('a.kept')).toBeUndefined();
  expect(readFileSync(file, 'utf8')).toBe('not a directory');
  // A name that cannot be had: the unfinished file goes again.
  const blocked = fresh();
  mkdirSync(join(blocked.path, 'a.kept'), { recursive: true });
  chmodSync(blocked.path, 0o700);
  blocked.write('a.kept', bytes(1), plenty);
  expect(readdirSync(blocked.path)).toEqual(['a.kept']);
});

test('the identity of a build changes with any of its sources', () => {
  const tree = join(folder, 'sources');
  const put = (name: string, text: string): string => {
    mkdirSync(join(tree, name, '..'), { recursive: true });
    writeFileSync(join(tree, name), text);
    return identityOfSources(tree);
  };
  mkdirSync(join(tree, 'translators'), { recursive: true });
  const seen = [
    put('src/a.ts', '1'),
    put('src/deep/b.ts', '2'),
    put('translators/c.ts', '3'),
    put('translators/c.ts', '4'),
    put('src/a.ts', '12'),
    put('src/deep/b.ts', ''),
  ];
  expect(new Set(seen).size).toBe(seen.length);
  expect(put('src/notes.md', 'text')).toBe(seen.at(-1));
  expect(buildIdentity()).toBe(identityOfSources(join(import.meta.dirname, '../..')));
  expect(buildIdentity()).toMatch(/^[0-9a-f]{16}$/);
});
