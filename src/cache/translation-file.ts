/**
 * The file of translations that are kept for a program: what `TranslationCache` reads and writes. All numbers are
 * 32-bit words, least significant byte first, and every part begins at a multiple of 4 bytes.
 *
 *     header          magic (2), length of the file and of the index, checksum of header and index (2)
 *     index           JSON, filled up with spaces: see FileIndex
 *     translations    one after another, each with its own checksum in the index: see encodeTranslation
 */
import type { Trap } from '../../translators/webassembly/emitted-module.ts';
import { type Checksum, checksum } from './checksum.ts';

/** Code that was read while a translation was made: `count` values of `length` bytes each from guest address `start` on. */
export interface CodeRun {
  readonly start: number;
  readonly count: number;
  readonly length: 1 | 2 | 4;
}

/** A translation with what linking it takes. */
export interface KeptTranslation {
  /** The function's name. */
  readonly name: string;
  readonly imports: readonly { readonly name: string }[];
  /** See EmitOptions.checksMode. */
  readonly checksMode: boolean;
  /** The guest code that it was made from, and the values there, run by run. */
  readonly runs: readonly CodeRun[];
  readonly code: Int32Array;
  /** Indirect jumps with the targets that they were known to take. */
  readonly targets: readonly (readonly [site: number, targets: readonly number[]])[];
  readonly traps: readonly Trap[];
  /** The WebAssembly module. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** A translation as words, which may not be what was written. */
export interface EncodedTranslation {
  readonly words: Int32Array<ArrayBuffer>;
  readonly checksum: Checksum;
}

interface FileIndex {
  /** Tells what the file is for: program and build. */
  readonly key: string;
  /** The path that the program was last started by. */
  readonly program: string;
  /** Guest addresses by their numbers in the table of functions, as the modules name them. */
  readonly slots: readonly number[];
  /** Assumptions that translations were made under. */
  readonly assumptions: readonly string[];
  /** Positions and lengths are in words. */
  readonly translations: readonly (readonly [
    pc: number,
    assumptions: number,
    position: number,
    length: number,
    checksum1: number,
    checksum2: number,
  ])[];
}

/** What a file holds. Translations are by assumptions and guest address. */
export interface TranslationFile {
  readonly key: string;
  readonly program: string;
  readonly slots: readonly number[];
  readonly translations: ReadonlyMap<string, ReadonlyMap<number, EncodedTranslation>>;
}

/** "STELETR1" */
const magic = [0x4c455453, 0x31525445];
const headerWords = 6;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function wordsFor(bytes: number): number {
  return (bytes + 3) >>> 2;
}

/** UTF-8 text of JSON in whole words. */
function jsonBytes(value: unknown): Uint8Array {
  const bytes = encoder.encode(JSON.stringify(value));
  const padded = new Uint8Array(wordsFor(bytes.length) * 4).fill(0x20);
  padded.set(bytes);
  return padded;
}

/**
 * A translation as words: the lengths of the three parts (description in words, code values, bytes of the module), then
 * the parts: JSON, values, the module.
 */
export function encodeTranslation(translation: KeptTranslation): EncodedTranslation {
  const { code, bytes, imports, ...rest } = translation;
  const description = jsonBytes({ ...rest, imports: imports.map(({ name }) => name) });
  const descriptionWords = description.length >>> 2;
  const codeAt = 3 + descriptionWords;
  const moduleAt = codeAt + code.length;
  const words = new Int32Array(moduleAt + wordsFor(bytes.length));
  const all = new Uint8Array(words.buffer);
  words.set([descriptionWords, code.length, bytes.length]);
  all.set(description, 12);
  words.set(code, codeAt);
  all.set(bytes, moduleAt * 4);
  return { words, checksum: checksum(words) };
}

/** @returns undefined when the words are not those that were written */
export function decodeTranslation(encoded: EncodedTranslation): KeptTranslation | undefined {
  const { words } = encoded;
  const [first, second] = checksum(words);
  if (first !== encoded.checksum[0] || second !== encoded.checksum[1]) return undefined;
  const [descriptionWords, codeLength, moduleLength] = words;
  const codeAt = 3 + descriptionWords;
  const moduleAt = codeAt + codeLength;
  const { buffer, byteOffset } = words;
  const description = JSON.parse(decoder.decode(new Uint8Array(buffer, byteOffset + 12, descriptionWords * 4)));
  return {
    ...description,
    imports: description.imports.map((name: string) => ({ name })),
    code: words.subarray(codeAt, moduleAt),
    bytes: new Uint8Array(buffer, byteOffset + moduleAt * 4, moduleLength),
  };
}

export function encodeFile(file: TranslationFile): Uint8Array<ArrayBuffer> {
  const { key, program, slots } = file;
  const assumptions = [...file.translations.keys()];
  const translations: FileIndex['translations'][number][] = [];
  const parts: Int32Array[] = [];
  let position = 0;
  for (const [number, name] of assumptions.entries()) {
    for (const [pc, { words, checksum }] of file.translations.get(name)!) {
      translations.push([pc, number, position, words.length, ...checksum]);
      parts.push(words);
      position += words.length;
    }
  }
  const indexBytes = jsonBytes({ key, program, slots, assumptions, translations } satisfies FileIndex);
  const indexWords = indexBytes.length >>> 2;
  const words = new Int32Array(headerWords + indexWords + position);
  const bytes = new Uint8Array(words.buffer);
  words.set([...magic, words.length, indexWords]);
  bytes.set(indexBytes, headerWords * 4);
  words.set(checksum(words.subarray(0, headerWords + indexWords)), 4);
  let at = headerWords + indexWords;
  for (const part of parts) {
    words.set(part, at);
    at += part.length;
  }
  return bytes;
}

/**
 * Reads a file's index; the translations are checked when they are decoded.
 * @param bytes at an offset in their buffer that is a multiple of 4
 * @returns undefined for what encodeFile did not write, or not so
 */
export function decodeFile(bytes: Uint8Array<ArrayBuffer>): TranslationFile | undefined {
  if (bytes.length % 4 !== 0 || bytes.length < headerWords * 4) return undefined;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  const [magic1, magic2, length, indexWords, first, second] = words;
  if (magic1 !== magic[0] || magic2 !== magic[1] || length !== words.length) return undefined;
  if (indexWords < 0 || indexWords > length - headerWords) return undefined;
  const checked = words.slice(0, headerWords + indexWords);
  checked.fill(0, 4, 6);
  const sum = checksum(checked);
  if (sum[0] !== first || sum[1] !== second) return undefined;
  const start = headerWords + indexWords;
  const index: FileIndex = JSON.parse(decoder.decode(bytes.subarray(headerWords * 4, start * 4)));
  const translations = new Map(index.assumptions.map((name) => [name, new Map<number, EncodedTranslation>()]));
  for (const [pc, assumptions, position, size, ...checksum] of index.translations) {
    const encoded = { words: words.subarray(start + position, start + position + size), checksum };
    translations.get(index.assumptions[assumptions])?.set(pc, encoded);
  }
  return { key: index.key, program: index.program, slots: index.slots, translations };
}
