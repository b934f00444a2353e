/** 80-bit numbers from and to x87's memory formats: single, double, integers, packed decimal. */
import {
  type Context,
  type Extended,
  exception,
  type Format,
  indefinite,
  isInfinite,
  isNan,
  isNegative,
  isSignalling,
  isUnsupported,
  isZero,
  makeInfinity,
  makeZero,
  pack,
  rounding,
  roundTo,
  scaleOf,
} from './extended.ts';
import { integerMagnitude } from './extended-arithmetic.ts';

/** A binary interchange format: bits of the fraction and of the exponent. */
interface Interchange extends Format {
  readonly fractionBits: number;
  readonly exponentBits: number;
}

export const single: Interchange = {
  fractionBits: 23,
  exponentBits: 8,
  precision: 24,
  leastExponent: -126,
  largestExponent: 127,
};
export const double: Interchange = {
  fractionBits: 52,
  exponentBits: 11,
  precision: 53,
  leastExponent: -1022,
  largestExponent: 1023,
};

/** Widens the bits of a single or double; a signalling NaN stays one. */
export function widen(format: Interchange, bits: bigint): Extended {
  const { fractionBits, exponentBits, leastExponent } = format;
  const negative = bits >> BigInt(fractionBits + exponentBits) !== 0n;
  const exponent = Number((bits >> BigInt(fractionBits)) & ((1n << BigInt(exponentBits)) - 1n));
  const fraction = bits & ((1n << BigInt(fractionBits)) - 1n);
  if (exponent === (1 << exponentBits) - 1) {
    const infinity = makeInfinity(negative);
    return { head: infinity.head, significand: infinity.significand | (fraction << BigInt(63 - fractionBits)) };
  }
  if (exponent !== 0) {
    return pack(negative, fraction | (1n << BigInt(fractionBits)), exponent - 1 + leastExponent - fractionBits);
  }
  const value = pack(negative, fraction, leastExponent - fractionBits);
  return fraction === 0n ? value : { ...value, isNarrowDenormal: true };
}

/** Rounds to a single or double. @returns its bits */
export function narrow(context: Context, format: Interchange, a: Extended): bigint {
  const { fractionBits, exponentBits, precision, leastExponent } = format;
  const sign = isNegative(a) ? 1n << BigInt(fractionBits + exponentBits) : 0n;
  const infinity = ((1n << BigInt(exponentBits)) - 1n) << BigInt(fractionBits);
  if (isUnsupported(a)) {
    context.raise(exception.invalid);
    return narrow(context, format, indefinite);
  }
  if (isNan(a)) {
    if (isSignalling(a)) context.raise(exception.invalid);
    const fraction = (a.significand >> BigInt(63 - fractionBits)) & ((1n << BigInt(fractionBits)) - 1n);
    return sign | infinity | fraction | (1n << BigInt(fractionBits - 1));
  }
  if (isInfinite(a)) return sign | infinity;
  if (isZero(a)) return sign;
  const outcome = roundTo(context, format, isNegative(a), a.significand, scaleOf(a), false, 0);
  if (outcome.isInfinite) return sign | infinity;
  const { value } = outcome;
  // A magnitude of 2^precision was carried into: it is one with a greater exponent.
  const least = 1n << BigInt(precision - 1);
  if (value < least) return sign | value;
  return sign | (value + (BigInt(outcome.scale + precision - 1 - leastExponent) << BigInt(fractionBits)));
}

/** A signed integer. */
export function fromInteger(value: bigint): Extended {
  return pack(value < 0n, value < 0n ? -value : value, 0);
}

/**
 * Rounds to a signed integer of 16, 32 or 64 bits; what has no room gives the integer indefinite, the least one.
 * @param truncate towards zero, whatever the rounding control says (fisttp)
 */
export function toInteger(context: Context, a: Extended, bits: number, truncate: boolean): bigint {
  const least = -(1n << BigInt(bits - 1));
  if (!isUnsupported(a) && !isNan(a) && !isInfinite(a) && scaleOf(a) <= 0) {
    const { flags } = context;
    const magnitude = integerMagnitude(context, a, truncate ? rounding.zero : context.rounding);
    const value = isNegative(a) ? -magnitude : magnitude;
    if (value >= least && value < -least) return value;
    context.flags = flags;
    context.roundedUp = false;
  }
  context.raise(exception.invalid);
  return least;
}

/** A packed decimal number: the low eight of its bytes, and the high two, with the sign in the last one's bit 7. */
export interface Decimal {
  readonly low: bigint;
  readonly high: number;
}

const decimalIndefinite: Decimal = { low: 0xc000000000000000n, high: 0xffff };

export function fromDecimal(low: bigint, high: number): Extended {
  let value = 0n;
  for (let digit = 17; digit >= 0; digit--) {
    const bits = digit < 16 ? Number((low >> BigInt(4 * digit)) & 15n) : (high >> (4 * (digit - 16))) & 15;
    value = value * 10n + BigInt(bits);
  }
  const negative = (high & 0x8000) !== 0;
  return value === 0n ? makeZero(negative) : pack(negative, value, 0);
}

/** Rounds to an integer of at most 18 decimal digits; what has no room gives the decimal indefinite. */
export function toDecimal(context: Context, a: Extended): Decimal {
  if (!isUnsupported(a) && !isNan(a) && !isInfinite(a) && scaleOf(a) <= 0) {
    const { flags } = context;
    let rest = integerMagnitude(context, a, context.rounding);
    if (rest < 10n ** 18n) {
      let digits = 0n;
      for (let digit = 0n; digit < 18n; digit++) {
        digits |= (rest % 10n) << (4n * digit);
        rest /= 10n;
      }
      const sign = isNegative(a) ? 0x8000 : 0;
      return { low: BigInt.asUintN(64, digits), high: sign | Number(digits >> 64n) };
    }
    context.flags = flags;
    context.roundedUp = false;
  }
  context.raise(exception.invalid);
  return decimalIndefinite;
}
