/** Random operands: the values where things happen, and any bits. */
import { below, once, pick, type Random } from '../random-instruction.ts';

/** 64 random bits. */
export const random64 = (next: Random): bigint => (BigInt(next() >>> 0) << 32n) | BigInt(next() >>> 0);

/** A 64-bit integer: zeros, ones, ends of ranges of all sizes, few bits, small, any. */
export function randomInteger(next: Random): bigint {
  const bits = BigInt(pick(next, [8, 16, 32, 64]));
  switch (below(next, 8)) {
    case 0:
      return BigInt(below(next, 3)) - 1n;
    case 1:
      return 1n << (bits - 1n);
    case 2:
      return (1n << (bits - 1n)) - 1n;
    case 3:
      return 1n << BigInt(below(next, 64));
    case 4:
      return BigInt(below(next, 256)) - 128n;
    case 5:
      return random64(next) & ((1n << bits) - 1n);
    default:
      return random64(next);
  }
}

/** Fraction and exponent widths of the floating-point formats. */
const formats = { 32: [23, 8], 64: [52, 11] } as const;

/** Bits of a single or double: zeros, ones, infinities, NaNs, subnormals, integers, near each other, any. */
export function randomFloat(next: Random, size: 32 | 64): bigint {
  const [fractionBits, exponentBits] = formats[size];
  const sign = BigInt(next() & 1) << BigInt(size - 1);
  const largest = (1n << BigInt(exponentBits)) - 1n;
  const bias = largest >> 1n;
  const anyFraction = random64(next) & ((1n << BigInt(fractionBits)) - 1n);
  const fraction = pick(next, [
    0n,
    1n,
    1n << BigInt(fractionBits - 1),
    (1n << BigInt(fractionBits)) - 1n,
    anyFraction,
    anyFraction,
  ]);
  const exponent = (() => {
    switch (below(next, 8)) {
      case 0:
        return 0n;
      case 1:
        return largest;
      case 2:
        return pick(next, [1n, largest - 1n]);
      case 3:
        return BigInt(next() >>> 0) & largest;
      case 4:
        // Around the sizes of integers.
        return bias + BigInt(pick(next, [7, 8, 15, 16, 30, 31, 32, 62, 63, 64]));
      default:
        return bias + BigInt(below(next, 9) - 4);
    }
  })();
  return sign | (exponent << BigInt(fractionBits)) | fraction;
}

/** Writes a random double extended: sign, exponent and significand with its explicit integer bit, the unusual combinations too. */
export function putExtended(next: Random, bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const exponent = (() => {
    switch (below(next, 10)) {
      case 0:
        return 0;
      case 1:
        return 0x7fff;
      case 2:
        return next() & 0x7fff;
      case 3:
        return 0x3fff + pick(next, [14, 15, 16, 30, 31, 32, 62, 63, 64]);
      case 4:
        // The ends of the range of doubles and of singles.
        return 0x3fff + pick(next, [-1075, -1023, -1022, 1023, 1024, -150, -127, -126, 127, 128]);
      default:
        return 0x3fff + below(next, 9) - 4;
    }
  })();
  let significand = pick(next, [
    0n,
    1n,
    1n << 62n,
    (1n << 63n) - 1n,
    random64(next),
    random64(next),
    random64(next) << 40n,
  ]);
  // Numbers have the integer bit, subnormals and zero do not; seldom it is the other way.
  if ((exponent !== 0) !== once(next, 24)) significand |= 1n << 63n;
  else significand &= (1n << 63n) - 1n;
  if (exponent === 0 && once(next, 2)) significand = 0n;
  view.setBigUint64(at, BigInt.asUintN(64, significand), true);
  view.setUint16(at + 8, exponent | (once(next, 2) ? 0x8000 : 0), true);
}

/** Fills 16 bytes with a vector: integers or floating-point numbers of one size, equal elements, text, any bits. */
export function putVector(next: Random, bytes: Uint8Array, at: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const kind = below(next, 6);
  for (let n = 0; n < 16; n += 8) {
    let value: bigint;
    if (kind === 0) value = random64(next);
    else if (kind === 1) value = randomInteger(next);
    else if (kind === 2) value = randomFloat(next, 64);
    else if (kind === 3) value = (randomFloat(next, 32) << 32n) | randomFloat(next, 32);
    else if (kind === 4) value = BigInt(pick(next, [0, 1, 0x7f, 0x80, 0xff])) * 0x0101010101010101n;
    else value = random64(next) & 0x0303030303030303n;
    view.setBigUint64(at + n, BigInt.asUintN(64, value), true);
  }
}
