/**
 * The file of interpreter code that is kept for a program. All numbers are 32-bit words, least significant byte first.
 *
 *     header     magic (2), lengths of the parts in words (6)
 *     parts      description (JSON, filled up with spaces), words, blocks and sites of the code, runs, guest code
 *
 * It has no sum of its own: whoever stores it sees to it that it comes back as it was.
 */
import type { PreparedCode } from '../../translators/ir/interpreter-code.ts';

/** Guest code as it lies in the host's memory. */
export interface GuestCode {
  /** Two words for each run: guest address, a multiple of 4, and number of words. */
  readonly runs: Int32Array;
  /** The words of these runs one after another. */
  readonly guestCode: Int32Array;
}

export interface BlockFile extends GuestCode {
  /** Tells what the file is for: program and build. */
  readonly key: string;
  /** The path that the program was started by. */
  readonly program: string;
  /** What the code was prepared for, besides. */
  readonly assumptions: string;
  /** Made of the guest code. */
  readonly code: PreparedCode;
}

/** "STELEBL1" */
const magic = [0x4c455453, 0x314c4245];
const partCount = 6;
const headerWords = magic.length + partCount;

export function encodeBlocks({ code, runs, guestCode, ...description }: BlockFile): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder().encode(JSON.stringify(description));
  const padded = new Uint8Array((text.length + 3) & -4).fill(0x20);
  padded.set(text);
  const parts = [new Int32Array(padded.buffer), code.words, code.blocks, code.sites, runs, guestCode];
  const words = new Int32Array(parts.reduce((sum, part) => sum + part.length, headerWords));
  words.set([...magic, ...parts.map((part) => part.length)]);
  let at = headerWords;
  for (const part of parts) {
    words.set(part, at);
    at += part.length;
  }
  return new Uint8Array(words.buffer);
}

/**
 * @param bytes at an offset in their buffer that is a multiple of 4; the arrays of what is returned are parts of it
 * @returns undefined for what is of another kind
 */
export function decodeBlocks(bytes: Uint8Array<ArrayBuffer>): BlockFile | undefined {
  if (bytes.length % 4 !== 0 || bytes.length < headerWords * 4) return undefined;
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.length >>> 2);
  if (words[0] !== magic[0] || words[1] !== magic[1]) return undefined;
  const lengths = words.subarray(magic.length, headerWords);
  let at = headerWords;
  const parts = Array.from(lengths, (length) => words.subarray(at, (at += Math.max(0, length))));
  if (at !== words.length) return undefined;
  const [description, code, blocks, sites, runs, guestCode] = parts;
  const text = new Uint8Array(description.buffer, description.byteOffset, description.byteLength);
  return {
    ...JSON.parse(new TextDecoder().decode(text)),
    code: { words: code, blocks, sites },
    runs,
    guestCode,
  };
}
