/** Operands for floating-point tests: the values where things happen, and random bit patterns of many kinds. */
import { fromHalves, highHalf, lowHalf } from '../../translators/float/bits.ts';

/** Zeros, ones, ends of the ranges of double and single, halfway points and infinities, with both signs. */
export const edges: readonly number[] = [
  0,
  1,
  1 + 2 ** -52,
  1 - 2 ** -53,
  1 + 2 ** -23,
  1 + 2 ** -24,
  1 + 2 ** -24 + 2 ** -52,
  1.5,
  3,
  1 / 3,
  5e-324,
  2 ** -1022,
  2 ** -1022 - 2 ** -1074,
  2 ** -960,
  2 ** -511,
  2 ** -149,
  2 ** -150,
  2 ** -126,
  2 ** -126 - 2 ** -150,
  2 ** -127 + 2 ** -149,
  2 ** -54,
  2 ** 31 - 1,
  2 ** 31 - 0.5,
  2 ** 31,
  2 ** 52 - 0.5,
  2 ** 53,
  2 ** 127,
  2 ** 128 - 2 ** 104,
  2 ** 128 - 2 ** 103,
  2 ** 1000,
  Number.MAX_VALUE,
  Infinity,
].flatMap((value) => [value, -value]);

/** Quiet and signalling NaNs of both signs. In a typed array: a plain one makes every NaN quiet. */
export const nans = new Float64Array(
  BigUint64Array.of(0x7ff8000000000000n, 0xfff89abc12345678n, 0x7ff0000000000001n, 0xfff0f0f020000000n).buffer,
);

/** A generator of uniform 32-bit integers (mulberry32). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return t ^ (t >>> 14);
  };
}

/** SEED in the environment repeats a run; else every run has new cases. */
export const seed = process.env.SEED === undefined ? Date.now() | 0 : Number(process.env.SEED);

/** A random finite or infinite double: any bits, moderate exponents, singles, few significant bits, edges. */
export function randomDouble(next: () => number): number {
  for (;;) {
    const kind = next() & 7;
    let low = next();
    let high = next();
    if (kind >= 2) high = (high & 0x800fffff) | ((1023 - 40 + ((next() >>> 1) % 80)) << 20);
    if (kind === 3 || kind === 4) low &= 0xe0000000;
    if (kind === 5) low = next() & 1 ? 0x10000000 : 0x30000000;
    if (kind === 6) {
      low = 0;
      high &= 0xffff8000;
    }
    const value = kind === 7 ? edges[(next() >>> 1) % edges.length] : fromHalves(low, high);
    if (!Number.isNaN(value)) return value;
  }
}

/** A third operand that cancels against a * b, or any. */
export function randomAddend(next: () => number, product: number): number {
  if ((next() & 1) === 0 || !Number.isFinite(product)) return randomDouble(next);
  return -product * (1 + ((next() & 7) - 3) * 2 ** -52) * 2 ** ((next() & 3) === 0 ? next() % 56 : 0);
}

/** A double as text that shows all its bits. */
export function bits(value: number): string {
  const hex = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  return `${hex(highHalf(value))}${hex(lowHalf(value))}`;
}
