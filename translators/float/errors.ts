/**
 * Error-free transformations: the rounding error of a sum or a product to nearest, itself a double.
 * (Muller et al., Handbook of Floating-Point Arithmetic, 2nd edition, sections 4.3 and 4.4.)
 */

/** Splits a double into halves of 26 bits (Veltkamp). */
const splitter = 134217729;

/** a * b - product for product = the rounded a * b, exactly (Dekker). For 2^-969 < |product| and |a|, |b| < 2^996. */
export function productError(a: number, b: number, product: number): number {
  const aScaled = splitter * a;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = splitter * b;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** a + b - sum for sum = the rounded a + b, exactly (Knuth). For finite sums below 2^1023. */
export function sumError(a: number, b: number, sum: number): number {
  const other = sum - a;
  return a - (sum - other) + (b - other);
}
