/**
 * Floating-point functions that the IR's operations name: exact for rounding to nearest, ties to even.
 */

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);

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
