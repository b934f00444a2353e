/** Doubles and singles as bits. */

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);
const singles = new Float32Array(1);
const singleWords = new Int32Array(singles.buffer);

/** The double whose low word is `low` and high word is `high`. */
export function fromHalves(low: number, high: number): number {
  words[0] = low;
  words[1] = high;
  return doubles[0];
}

/** Low word of a double's bits. */
export function lowHalf(value: number): number {
  doubles[0] = value;
  return words[0];
}

/** High word of a double's bits. */
export function highHalf(value: number): number {
  doubles[0] = value;
  return words[1];
}

/** A NaN with its quiet bit set. */
export function quieted(nan: number): number {
  doubles[0] = nan;
  words[1] |= 0x80000;
  return doubles[0];
}

/** Whether the value is a signalling NaN. */
export function isSignalling(value: number): boolean {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return value !== value && (highHalf(value) & 0x80000) === 0;
}

/** The value with its sign bit inverted; a NaN keeps its payload. */
export function neg(value: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  if (value === value) return -value;
  doubles[0] = value;
  words[1] ^= 0x80000000;
  return doubles[0];
}

/** The value with its sign bit cleared; a NaN keeps its payload. */
export function abs(value: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  if (value === value) return Math.abs(value);
  doubles[0] = value;
  words[1] &= 0x7fffffff;
  return doubles[0];
}

/**
 * A single's bits widened to a double as a load does it (Power ISA, Book I, DOUBLE()): a signalling NaN
 * stays one. Where the bits are not a NaN's, that is where `value === value` holds for
 * `value = view.getFloat32(…)`, that read alone gives the same.
 */
export function singleToDouble(bits: number): number {
  if ((bits & 0x7fffffff) > 0x7f800000) {
    words[0] = bits << 29;
    words[1] = (bits & 0x80000000) | 0x7ff00000 | ((bits & 0x7fffff) >>> 3);
    return doubles[0];
  }
  singleWords[0] = bits;
  return singles[0];
}

/**
 * A double's bits narrowed as a store of a single does it (Power ISA, Book I, SINGLE()): bits are cut,
 * nothing is rounded, and a magnitude below the least subnormal single becomes zero. Where
 * `Math.fround(value) === value`, `view.setFloat32(…, value)` stores the same.
 */
export function doubleToSingle(value: number): number {
  doubles[0] = value;
  const high = words[1];
  const exponent = (high >>> 20) & 0x7ff;
  if (exponent > 896) return (high & 0xc0000000) | ((high & 0x07ffffff) << 3) | (words[0] >>> 29);
  const sign = high & 0x80000000;
  if (exponent < 874) return sign;
  return sign | (((((high & 0xfffff) | 0x100000) << 2) | (words[0] >>> 30)) >>> (896 - exponent));
}
