/** The functions of the scalar operations in vector-operations.ts. A single is a double that a single can hold. */
import { quieted } from '../float/bits.ts';

export function f32_add(a: number, b: number): number {
  return Math.fround(a + b);
}

export function f32_sub(a: number, b: number): number {
  return Math.fround(a - b);
}

export function f32_mul(a: number, b: number): number {
  return Math.fround(a * b);
}

export function f32_div(a: number, b: number): number {
  return Math.fround(a / b);
}

export function f32_sqrt(a: number): number {
  return Math.fround(Math.sqrt(a));
}

const singles = new Float32Array(1);
const words = new Int32Array(singles.buffer);

/** x unless it is a NaN; then the first NaN of b and c, quieted, or the NaN with the bits `otherwise`. */
export function f32_nan_of2(x: number, b: number, c: number, otherwise: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  if (x === x) return x;
  if (Number.isNaN(b)) return quieted(b);
  if (Number.isNaN(c)) return quieted(c);
  words[0] = otherwise;
  return singles[0];
}

export function f32_convert_i32_s(a: number): number {
  return Math.fround(a);
}

/** The signed doubleword with these words as a double, rounded once. */
export function f64_convert_words_s(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0);
}

/** The signed doubleword with these words as a single, rounded once. */
export function f32_convert_words_s(low: number, high: number): number {
  const value = high * 4294967296 + (low >>> 0);
  // Beyond 2^53 the sum is rounded. Its last bit tells singles only that something lies below: they have 29 fewer.
  if (Math.abs(value) < 9007199254740992 || (low & 0x7ff) === 0) return Math.fround(value);
  return Math.fround(high * 4294967296 + ((low & ~0x7ff) >>> 0) + 1024);
}

export function f32_demote_f64(a: number): number {
  return Math.fround(a);
}

export function f64_promote_f32(a: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return a === a ? a : quieted(a);
}

// What Math does with the payload of a NaN is the host's affair.

export function f64_ceil(a: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return a === a ? Math.ceil(a) : quieted(a);
}

export function f64_floor(a: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return a === a ? Math.floor(a) : quieted(a);
}

export function f64_trunc(a: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return a === a ? Math.trunc(a) : quieted(a);
}

/** The nearest integral value, ties to even, with the sign of a. */
export function f64_nearest(a: number): number {
  const magnitude = Math.abs(a);
  // From 2^52 on doubles are integers.
  if (magnitude < 4503599627370496) {
    const rounded = magnitude + 4503599627370496 - 4503599627370496;
    return a < 0 || Object.is(a, -0) ? -rounded : rounded;
  }
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return a === a ? a : quieted(a);
}

/** 2^63 */
const limit = 2 ** 63;

/** Low word of a as a signed doubleword, towards zero; of -2^63 for a NaN and what does not fit. */
export function i64_trunc_low_f64_indefinite(a: number): number {
  if (!(a >= -limit && a < limit)) return 0;
  return lowWordOf(Math.trunc(a));
}

/** High word of the same. */
export function i64_trunc_high_f64_indefinite(a: number): number {
  if (!(a >= -limit && a < limit)) return -0x80000000;
  const whole = Math.trunc(a);
  return (whole - (lowWordOf(whole) >>> 0)) / 4294967296;
}

/** An integral value modulo 2^32. */
function lowWordOf(whole: number): number {
  // Doubles of this size keep their bits below 2^32 in the remainder, whose sign is theirs.
  return (whole % 4294967296) | 0;
}
