/**
 * Floating-point results by definition: the exact result is compared, as a fraction of integers, with the
 * format's values, found by bisection of their bit patterns. Shares nothing with the implementation.
 */
import { flag, rounding } from '../../translators/float/arithmetic.ts';

/** numerator / denominator, or the positive square root of that. */
export interface Exact {
  readonly numerator: bigint;
  readonly denominator: bigint;
  readonly root: boolean;
}

const view = new DataView(new ArrayBuffer(8));

export interface Shape {
  readonly infinity: bigint;
  readonly leastNormal: bigint;
  value(pattern: bigint): number;
  /** Bits of a positive value of the format. */
  pattern(value: number): bigint;
}

export const doubleShape: Shape = {
  infinity: 0x7ff0000000000000n,
  leastNormal: 0x0010000000000000n,
  value(pattern) {
    view.setBigUint64(0, pattern);
    return view.getFloat64(0);
  },
  pattern(value) {
    view.setFloat64(0, value);
    return view.getBigUint64(0);
  },
};

export const singleShape: Shape = {
  infinity: 0x7f800000n,
  leastNormal: 0x00800000n,
  value(pattern) {
    view.setUint32(0, Number(pattern));
    return view.getFloat32(0);
  },
  pattern(value) {
    view.setFloat32(0, value);
    return BigInt(view.getUint32(0));
  },
};

/** A finite double as a fraction whose denominator is 2^1074. */
export function integerOf(value: number): bigint {
  view.setFloat64(0, Math.abs(value));
  const pattern = view.getBigUint64(0);
  const exponent = pattern >> 52n;
  const fraction = pattern & 0xfffffffffffffn;
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10000000000000n) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}

const one = 1n << 1074n;

/** Sign of |exact| - magnitude, a finite double, or 2^power when power is given. */
function compareWith(exact: Exact, magnitude: bigint, unit: bigint): bigint {
  const numerator = exact.numerator < 0n ? -exact.numerator : exact.numerator;
  return exact.root
    ? numerator * unit * unit - magnitude * magnitude * exact.denominator
    : numerator * unit - magnitude * exact.denominator;
}

export interface Outcome {
  value: number;
  /** inexact, roundedUp, overflow, tiny of `flag`. */
  flags: number;
}

/** Rounds a nonzero exact value. The search begins next to `guess`, which need not be near. */
export function roundByDefinition(exact: Exact, mode: number, shape: Shape, guess: number): Outcome {
  const negative = exact.numerator < 0n;
  // The infinity's pattern stands for the power of two after the last finite value.
  const magnitudeOf = (pattern: bigint): bigint => {
    if (pattern < shape.infinity) return integerOf(shape.value(pattern));
    const step = integerOf(shape.value(pattern - 1n)) - integerOf(shape.value(pattern - 2n));
    return integerOf(shape.value(pattern - 1n)) + step;
  };
  let low = 0n;
  let high = shape.infinity;
  if (compareWith(exact, magnitudeOf(high), one) >= 0n) low = high;
  const near = Number.isFinite(guess) ? shape.pattern(Math.abs(guess)) : high;
  if (near > low && compareWith(exact, magnitudeOf(near - 1n), one) >= 0n) low = near - 1n;
  if (near + 1n < high && compareWith(exact, magnitudeOf(near + 1n), one) < 0n) high = near + 1n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (compareWith(exact, magnitudeOf(middle), one) >= 0n) low = middle;
    else high = middle;
  }
  let flags = 0;
  if (compareWith(exact, magnitudeOf(shape.leastNormal), one) < 0n) flags |= flag.tiny;
  let chosen = low;
  if (low === shape.infinity) {
    flags |= flag.overflow | flag.inexact;
  } else if (compareWith(exact, magnitudeOf(low), one) !== 0n) {
    flags |= flag.inexact;
    const upper = low + 1n;
    const middle = compareWith(exact, magnitudeOf(low) + magnitudeOf(upper), 2n * one);
    const up =
      mode === rounding.nearest
        ? middle > 0n || (middle === 0n && (low & 1n) === 1n)
        : mode === (negative ? rounding.down : rounding.up);
    if (up) {
      chosen = upper;
      flags |= flag.roundedUp;
    }
    if (chosen === shape.infinity) flags |= flag.overflow;
  }
  if ((flags & flag.overflow) !== 0) {
    const infinite = mode === rounding.nearest || mode === (negative ? rounding.down : rounding.up);
    chosen = infinite ? shape.infinity : shape.infinity - 1n;
  }
  const value = shape.value(chosen);
  return { value: negative ? -value : value, flags };
}

export function productAndSum(a: number, b: number, c: number): Exact {
  return { numerator: integerOf(a) * integerOf(b) + integerOf(c) * one, denominator: one * one, root: false };
}

export function quotient(a: number, b: number): Exact {
  const divisor = integerOf(b);
  return divisor < 0n
    ? { numerator: -integerOf(a), denominator: -divisor, root: false }
    : { numerator: integerOf(a), denominator: divisor, root: false };
}

export function squareRootOf(a: number): Exact {
  return { numerator: integerOf(a), denominator: one, root: true };
}
