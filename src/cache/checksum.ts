/**
 * Sums that tell whether bytes are the same, against accidents, not against somebody who looks for a collision. Node's
 * own (node:crypto, node:zlib) take 5 to 10 ms to load, which is what keeping translations saves a short run.
 */

/** Two words: together 64 bits. */
export type Checksum = readonly [first: number, second: number];

/** The checksum of words. A change within one word always changes it. */
export function checksum(words: Int32Array): Checksum {
  let first = words.length | 0;
  let second = 0x9e3779b9 | 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at];
    first = Math.imul(first ^ word, 0x85ebca6b);
    first ^= first >>> 15;
    second = Math.imul((second + word) | 0, 0xc2b2ae35);
    second ^= second >>> 13;
  }
  return [first, second];
}

/** Bytes of a program that are looked at in any case: headers, notes. */
const headLength = 4096;
/** Words that are looked at beyond them, evenly spaced. This code is still cold then: 16 384 took 5 ms and more. */
const samples = 2048;

/**
 * A name for a program's contents: 16 hexadecimal digits from its length, its beginning, and words all over it. Two
 * programs that differ elsewhere only share a name; what is kept under it must be compared with what it was made from.
 * @param file the ELF file
 */
export function fingerprint(file: Uint8Array): string {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const head = Math.min(headLength, file.length) >>> 2;
  const rest = Math.max(0, (file.length >>> 2) - head);
  const step = Math.max(1, Math.ceil(rest / samples));
  const words = new Int32Array(1 + head + Math.ceil(rest / step));
  words[0] = file.length;
  let filled = 1;
  for (let at = 0; at < head; at++) words[filled++] = view.getInt32(at * 4);
  for (let at = head; at < head + rest; at += step) words[filled++] = view.getInt32(at * 4);
  return digits(checksum(words));
}

/** A name for a text: 16 hexadecimal digits. */
export function checksumOfText(text: string): string {
  return digits(checksum(Int32Array.from(text, (character) => character.codePointAt(0)!)));
}

/** 16 hexadecimal digits. */
function digits(sum: Checksum): string {
  return sum.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
