/** Paths as bytes: file names need not be text. */

const encoder = new TextEncoder();

/** Longest path with its final zero (PATH_MAX), and longest name. */
export const pathMaximum = 4096;
export const nameMaximum = 255;

export const slash = 0x2f;

/** UTF-8 bytes of a path that we wrote ourselves. */
export function bytesOf(text: string): Uint8Array {
  return encoder.encode(text);
}

/** One character per byte: for comparing and matching paths, never for showing them. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

/** The bytes that `latin1` made a string of. */
export function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function concatenate(...parts: readonly Uint8Array[]): Uint8Array {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.length;
  }
  return result;
}

const slashBytes = Uint8Array.of(slash);

/** `directory/name`. */
export function join(directory: Uint8Array, name: Uint8Array): Uint8Array {
  return concatenate(directory, slashBytes, name);
}

/** An absolute path without `.`, `..`, doubled and final slashes, by text alone (symbolic links are not looked at). */
export function normalize(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '' && part !== '.') parts.push(part);
  }
  return `/${parts.join('/')}`;
}
