/** The file of kept translations: what is written comes back, and what is not as it was written is not used. */
import { describe, expect, test } from 'vitest';
import { checksum, fingerprint } from '../../src/cache/checksum.ts';
import { TranslationCache } from '../../src/cache/translation-cache.ts';
import {
  decodeFile,
  decodeTranslation,
  encodeFile,
  encodeTranslation,
  type KeptTranslation,
} from '../../src/cache/translation-file.ts';
import { memoryStore } from './memory-store.ts';

/** @param size of the module, in bytes */
function translation(number: number, size = 9): KeptTranslation {
  return {
    name: `f_${number}`,
    imports: [{ name: 'X' }, { name: 'h3' }],
    checksMode: number % 2 === 1,
    runs: [
      { start: 0x10000000 + 16 * number, count: 2, length: 4 },
      { start: 0xfffffff0, count: 1, length: 4 },
    ],
    code: Int32Array.of(number, -1, 0x7fffffff),
    targets: [[0x10000004, [0x10000008, 0x1000000c]]],
    traps: [{ offset: 70, pc: 0xf0000000, executed: 3, isCurrent: true }],
    bytes: Uint8Array.from({ length: size }, (_, at) => at ^ number),
  };
}

const addresses = [0x10000000, 0x10000040, 0xfffffff0];
const assumptions = ['{"precise":false}', '{"precise":true}'];

/** A file of three translations under one assumption, and one under another. */
function smallFile(): Uint8Array<ArrayBuffer> {
  const store = memoryStore();
  const cache = new TranslationCache(store);
  for (const [number, pc] of addresses.entries()) cache.add(pc, assumptions[0], translation(number));
  cache.add(addresses[0], assumptions[1], translation(3));
  cache.save([addresses[0], 0x10000100]);
  return store.kept!;
}

describe('a file', () => {
  test('gives back what was written', () => {
    const file = decodeFile(smallFile())!;
    expect(file).toMatchObject({ key: 'program-build', program: '/bin/guest', slots: [addresses[0], 0x10000100] });
    expect([...file.translations.keys()]).toEqual(assumptions);
    const kept = file.translations.get(assumptions[0])!;
    expect([...kept.keys()]).toEqual(addresses);
    for (const [number, pc] of addresses.entries()) {
      expect(decodeTranslation(kept.get(pc)!)).toEqual(translation(number));
    }
    expect(decodeTranslation(file.translations.get(assumptions[1])!.get(addresses[0])!)).toEqual(translation(3));
  });

  test('that was cut anywhere is not used', () => {
    const whole = smallFile();
    for (let length = 0; length < whole.length; length++) {
      expect(decodeFile(whole.slice(0, length)), `cut to ${length} bytes`).toBeUndefined();
    }
    const longer = new Uint8Array(whole.length + 4);
    longer.set(whole);
    expect(decodeFile(longer)).toBeUndefined();
  });

  test('with any byte changed loses what that byte belongs to, and nothing else', () => {
    const whole = smallFile();
    let losses = 0;
    for (let at = 0; at < whole.length; at++) {
      const changed = whole.slice();
      changed[at] ^= 1 << (at % 8);
      const file = decodeFile(changed);
      if (file === undefined) continue;
      const lost = [...file.translations].flatMap(([, byAddress]) =>
        [...byAddress.values()].filter((kept) => decodeTranslation(kept) === undefined),
      );
      expect(lost.length, `byte ${at}`).toBe(1);
      losses++;
    }
    // Both happen: header and index refuse the file, the rest single translations.
    expect(losses).toBeGreaterThan(200);
    expect(losses).toBeLessThan(whole.length - 200);
  });

  test('of random bytes, of zeroes or of another kind is not used', () => {
    for (let length = 0; length < 200; length++) {
      expect(decodeFile(new Uint8Array(length))).toBeUndefined();
      expect(decodeFile(Uint8Array.from({ length }, (_, at) => (at * 167 + length) & 0xff))).toBeUndefined();
    }
    const other = smallFile();
    const words = new Int32Array(other.buffer);
    words[1]++;
    words.fill(0, 4, 6);
    words.set(checksum(words.subarray(0, 6 + words[3])), 4);
    expect(decodeFile(other)).toBeUndefined();
  });
});

describe('the cache', () => {
  test('keeps by address and assumptions from run to run, and writes only when something is new', () => {
    const store = memoryStore();
    const first = new TranslationCache(store);
    expect(first.find(addresses[0], assumptions[0])).toBeUndefined();
    first.save([]);
    expect(store.writes).toBe(0);
    first.add(addresses[0], assumptions[0], translation(0));
    first.save(addresses);
    first.save(addresses);
    expect(store.writes).toBe(1);

    const second = new TranslationCache(store);
    expect(second.slots).toEqual(addresses);
    expect(second.addresses(assumptions[0])).toEqual([addresses[0]]);
    expect(second.find(addresses[0], assumptions[0])).toEqual(translation(0));
    expect(second.find(addresses[0], assumptions[1])).toBeUndefined();
    expect(second.find(addresses[1], assumptions[0])).toBeUndefined();
    second.save(addresses);
    expect(store.writes).toBe(1);
    // A new translation takes an old one's place; the others stay.
    second.add(addresses[1], assumptions[0], translation(1));
    second.add(addresses[0], assumptions[0], translation(7));
    second.save(addresses);
    const third = new TranslationCache(store);
    expect(third.find(addresses[0], assumptions[0])).toEqual(translation(7));
    expect(third.find(addresses[1], assumptions[0])).toEqual(translation(1));
    third.remove(addresses[0], assumptions[0]);
    expect(third.find(addresses[0], assumptions[0])).toBeUndefined();
  });

  test('of another program or build is not used, and is replaced', () => {
    const store = memoryStore('program-other');
    store.kept = smallFile();
    const cache = new TranslationCache(store);
    expect(cache.slots).toEqual([]);
    expect(cache.addresses(assumptions[0])).toEqual([]);
    cache.add(addresses[1], assumptions[0], translation(1));
    cache.save([addresses[1]]);
    const file = decodeFile(store.kept)!;
    expect(file).toMatchObject({ key: 'program-other', slots: [addresses[1]] });
    expect([...file.translations.get(assumptions[0])!.keys()]).toEqual([addresses[1]]);
  });

  test('replaces a translation that is not as it was written', () => {
    const store = memoryStore();
    store.kept = smallFile();
    // The last byte before the padding belongs to the last translation's module.
    store.kept[store.kept.length - 4] ^= 0x10;
    const cache = new TranslationCache(store);
    expect(cache.find(addresses[0], assumptions[1])).toBeUndefined();
    expect(cache.find(addresses[0], assumptions[0])).toEqual(translation(0));
    cache.add(addresses[0], assumptions[1], translation(3));
    cache.save(cache.slots);
    expect(new TranslationCache(store).find(addresses[0], assumptions[1])).toEqual(translation(3));
  });

  test('leaves out what the run did not use where all would be too much', () => {
    const store = memoryStore('program-build', 4500);
    const first = new TranslationCache(store);
    for (let number = 0; number < 4; number++) first.add(number, assumptions[0], translation(number, 1000));
    first.save([]);
    expect(decodeFile(store.kept!)!.translations.get(assumptions[0])!.size).toBe(3);
    const second = new TranslationCache(store);
    expect(second.find(2, assumptions[0])).toBeDefined();
    second.add(5, assumptions[0], translation(5, 2000));
    second.save([]);
    expect([...decodeFile(store.kept!)!.translations.get(assumptions[0])!.keys()]).toEqual([2, 5]);
    expect(store.kept!.length).toBeLessThan(5000);
  });

  test('begins anew when the table of functions has grown too long', () => {
    for (const [length, used] of [
      [1 << 16, true],
      [(1 << 16) + 1, false],
    ] as const) {
      const store = memoryStore();
      const slots = Array.from({ length }, (_, at) => at * 4);
      const kept = new Map([[8, encodeTranslation(translation(0))]]);
      store.kept = encodeFile({ ...store, slots, translations: new Map([['', kept]]) });
      const cache = new TranslationCache(store);
      expect(cache.slots.length).toBe(used ? length : 0);
      expect(cache.find(8, '') !== undefined).toBe(used);
    }
  });
});

test('the name of a program tells its contents', () => {
  const file = Uint8Array.from({ length: 300_001 }, (_, at) => (at * at) & 0xff);
  const name = fingerprint(file);
  expect(name).toMatch(/^[0-9a-f]{16}$/);
  expect(fingerprint(file.slice())).toBe(name);
  // Also in a buffer of something larger, at any offset.
  const within = new Uint8Array(file.length + 3);
  within.set(file, 3);
  expect(fingerprint(within.subarray(3))).toBe(name);
  const names = new Set([name, fingerprint(file.subarray(0, -1)), fingerprint(file.subarray(0, 100))]);
  for (const at of [0, 24, 4095]) {
    const changed = file.slice();
    changed[at] ^= 0x80;
    names.add(fingerprint(changed));
  }
  expect(names.size).toBe(6);
  expect(fingerprint(new Uint8Array(0))).toMatch(/^[0-9a-f]{16}$/);
});
