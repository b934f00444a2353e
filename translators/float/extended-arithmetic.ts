/** Arithmetic of 80-bit numbers: x87's basic, remainder, scaling and comparison instructions. */
import {
  bias,
  bitLength,
  type Context,
  type Extended,
  exception,
  exponentOf,
  finish,
  invalid,
  isDenormal,
  isInfinite,
  isNan,
  isNegative,
  isSignalling,
  isUnsupported,
  isZero,
  makeInfinity,
  makeZero,
  nanOf,
  noteDenormal,
  pack,
  roundedBits,
  rounding,
  scaleOf,
} from './extended.ts';

export function negate(a: Extended): Extended {
  return { head: a.head ^ 0x8000, significand: a.significand };
}

export function magnitude(a: Extended): Extended {
  return { head: a.head & 0x7fff, significand: a.significand };
}

export function add(context: Context, a: Extended, b: Extended): Extended {
  return nanOf(context, a, b) ?? sum(context, a, b, isNegative(b));
}

export function subtract(context: Context, a: Extended, b: Extended): Extended {
  return nanOf(context, a, b) ?? sum(context, a, b, !isNegative(b));
}

/** Beyond this distance of the exponents the smaller number only decides how the larger one is rounded. */
const farAway = 140;

/** a plus the magnitude of b with the given sign; neither is a NaN. */
function sum(context: Context, a: Extended, b: Extended, bIsNegative: boolean): Extended {
  const aIsNegative = isNegative(a);
  if (isInfinite(a) && isInfinite(b)) return aIsNegative === bIsNegative ? a : invalid(context);
  if (noteDenormal(context, a, b)) return a;
  if (isInfinite(a)) return a;
  if (isInfinite(b)) return makeInfinity(bIsNegative);
  if (isZero(a) && isZero(b)) {
    return makeZero(aIsNegative === bIsNegative ? aIsNegative : context.rounding === rounding.down);
  }
  if (isZero(b)) return finish(context, aIsNegative, a.significand, scaleOf(a));
  if (isZero(a)) return finish(context, bIsNegative, b.significand, scaleOf(b));
  const aScale = scaleOf(a);
  const bScale = scaleOf(b);
  if (aScale - bScale > farAway) return nearly(context, a, aIsNegative, aIsNegative === bIsNegative);
  if (bScale - aScale > farAway) return nearly(context, b, bIsNegative, aIsNegative === bIsNegative);
  const scale = Math.min(aScale, bScale);
  const left = a.significand << BigInt(aScale - scale);
  const right = b.significand << BigInt(bScale - scale);
  const total = (aIsNegative ? -left : left) + (bIsNegative ? -right : right);
  if (total === 0n) return makeZero(context.rounding === rounding.down);
  return finish(context, total < 0n, total < 0n ? -total : total, scale);
}

/** `a`, and something tiny that makes its magnitude larger or smaller. */
function nearly(context: Context, a: Extended, negative: boolean, isLarger: boolean): Extended {
  const value = a.significand << 70n;
  return finish(context, negative, isLarger ? value : value - 1n, scaleOf(a) - 70, true);
}

export function multiply(context: Context, a: Extended, b: Extended): Extended {
  const nan = nanOf(context, a, b);
  if (nan !== undefined) return nan;
  const negative = isNegative(a) !== isNegative(b);
  if ((isInfinite(a) && isZero(b)) || (isZero(a) && isInfinite(b))) return invalid(context);
  if (noteDenormal(context, a, b)) return a;
  if (isInfinite(a) || isInfinite(b)) return makeInfinity(negative);
  if (isZero(a) || isZero(b)) return makeZero(negative);
  return finish(context, negative, a.significand * b.significand, scaleOf(a) + scaleOf(b));
}

export function divide(context: Context, a: Extended, b: Extended): Extended {
  const nan = nanOf(context, a, b);
  if (nan !== undefined) return nan;
  const negative = isNegative(a) !== isNegative(b);
  if ((isInfinite(a) && isInfinite(b)) || (isZero(a) && isZero(b))) return invalid(context);
  if (isZero(b) && !isInfinite(a)) {
    context.raise(exception.zeroDivide);
    return makeInfinity(negative);
  }
  if (noteDenormal(context, a, b)) return a;
  if (isInfinite(a)) return makeInfinity(negative);
  if (isInfinite(b) || isZero(a)) return makeZero(negative);
  // At least 66 bits of the quotient, whatever the lengths.
  const dividend = a.significand << 130n;
  const quotient = dividend / b.significand;
  const sticky = quotient * b.significand !== dividend;
  return finish(context, negative, quotient, scaleOf(a) - scaleOf(b) - 130, sticky);
}

/** The integer part of the square root. */
export function integerRoot(value: bigint): bigint {
  if (value === 0n) return 0n;
  let guess = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (guess + value / guess) >> 1n;
    if (next >= guess) return guess;
    guess = next;
  }
}

export function squareRoot(context: Context, a: Extended): Extended {
  const nan = nanOf(context, a);
  if (nan !== undefined) return nan;
  if (isZero(a)) return a;
  if (isNegative(a)) return invalid(context);
  if (noteDenormal(context, a) || isInfinite(a)) return a;
  const scale = scaleOf(a);
  const shift = 140 + (scale & 1);
  const square = a.significand << BigInt(shift);
  const root = integerRoot(square);
  return finish(context, false, root, (scale - shift) / 2, root * root !== square);
}

/** Outcomes of a comparison as condition codes C0 (bit 8), C2 (bit 10), C3 (bit 14). */
export const relation = { greater: 0, less: 0x100, equal: 0x4000, unordered: 0x4500 } as const;

/** @param quiet a quiet NaN is not invalid (fucom) */
export function compare(context: Context, a: Extended, b: Extended, quiet: boolean): number {
  if (isUnsupported(a) || isUnsupported(b)) {
    context.raise(exception.invalid);
    return relation.unordered;
  }
  if (isNan(a) || isNan(b)) {
    if (!quiet || isSignalling(a) || isSignalling(b)) context.raise(exception.invalid);
    return relation.unordered;
  }
  noteDenormal(context, a, b);
  const order = compareValues(a, b);
  return order === 0 ? relation.equal : order < 0 ? relation.less : relation.greater;
}

/** Negative, 0 or positive as a is less than, equal to or greater than b; neither is a NaN. */
function compareValues(a: Extended, b: Extended): number {
  if (isZero(a) && isZero(b)) return 0;
  if (isNegative(a) !== isNegative(b)) return isNegative(a) ? -1 : 1;
  // A pseudo-denormal has the value that exponent 1 gives it.
  const byExponent = Math.max(exponentOf(a), 1) - Math.max(exponentOf(b), 1);
  const order =
    byExponent !== 0 ? byExponent : a.significand < b.significand ? -1 : a.significand > b.significand ? 1 : 0;
  return isNegative(a) ? -order : order;
}

/** The integer that a finite number rounds to, as a magnitude; sets the inexact exception and C1. */
export function integerMagnitude(context: Context, a: Extended, mode: number): bigint {
  const drop = -scaleOf(a);
  // All of a number's bits lie at least 64 places below the units: only the sticky bit counts.
  const isTiny = drop > 130;
  const rounded = roundedBits(
    isTiny ? 0n : a.significand,
    isTiny ? 1 : drop,
    isTiny && a.significand !== 0n,
    isNegative(a),
    mode,
  );
  if (rounded.isInexact) context.flags |= exception.precision;
  context.roundedUp = rounded.isAway;
  return rounded.value;
}

export function roundToIntegral(context: Context, a: Extended): Extended {
  const nan = nanOf(context, a);
  if (nan !== undefined) return nan;
  if (noteDenormal(context, a) || isInfinite(a) || isZero(a) || exponentOf(a) >= bias + 63) return a;
  return pack(isNegative(a), integerMagnitude(context, a, context.rounding), 0);
}

/** fscale: a times two to the integer part of b. */
export function scale(context: Context, a: Extended, b: Extended): Extended {
  const nan = nanOf(context, a, b);
  if (nan !== undefined) return nan;
  if (isInfinite(b)) {
    if (isNegative(b) ? isInfinite(a) : isZero(a)) return invalid(context);
    if (noteDenormal(context, a)) return a;
    return isNegative(b) ? makeZero(isNegative(a)) : makeInfinity(isNegative(a));
  }
  if (noteDenormal(context, a, b) || isInfinite(a) || isZero(a)) return a;
  return finish(context, isNegative(a), a.significand, scaleOf(a) + boundedInteger(b), false, 64);
}

/** The integer part of b, or something beyond every exponent. */
function boundedInteger(b: Extended): number {
  const beyond = 0x10000;
  const exponent = exponentOf(b) - bias;
  const value = exponent < 0 ? 0 : exponent > 16 ? beyond : Number(b.significand >> BigInt(63 - exponent));
  return isNegative(b) ? -value : value;
}

/** fxtract: the exponent of a number as a number, and its significand as one in [1, 2). */
export function extract(context: Context, a: Extended): { exponent: Extended; significand: Extended } {
  const nan = nanOf(context, a);
  if (nan !== undefined) return { exponent: nan, significand: nan };
  if (isZero(a)) {
    context.raise(exception.zeroDivide);
    return { exponent: makeInfinity(true), significand: a };
  }
  if (isInfinite(a)) return { exponent: makeInfinity(false), significand: a };
  noteDenormal(context, a);
  const length = bitLength(a.significand);
  const exponent = scaleOf(a) + length - 1;
  return {
    exponent: pack(exponent < 0, BigInt(Math.abs(exponent)), 0),
    significand: { head: (a.head & 0x8000) | bias, significand: a.significand << BigInt(64 - length) },
  };
}

/** A remainder, and the quotient's low three bits if one was computed; partial when the operands were too far apart (C2). */
export interface Remainder {
  readonly value: Extended;
  readonly quotient: number | undefined;
  readonly isPartial: boolean;
}

/** fprem (quotient cut off) and fprem1 (quotient to nearest). */
export function remainder(context: Context, a: Extended, b: Extended, toNearest: boolean): Remainder {
  const complete = (value: Extended, quotient?: number): Remainder => ({ value, quotient, isPartial: false });
  const nan = nanOf(context, a, b);
  if (nan !== undefined) return complete(nan);
  if (isInfinite(a) || isZero(b)) return complete(invalid(context));
  if (noteDenormal(context, a, b)) return complete(a);
  if (isZero(a)) return complete(a, 0);
  if (isInfinite(b)) return complete(finish(context, isNegative(a), a.significand, scaleOf(a), false, 64), 0);
  const aLength = bitLength(a.significand);
  const bLength = bitLength(b.significand);
  const distance = scaleOf(a) + aLength - scaleOf(b) - bLength;
  const negative = isNegative(a);
  // Each operand as an integer with the weight of the smaller last bit.
  const low = Math.min(scaleOf(a), scaleOf(b));
  if (distance >= 64) {
    // As many bits of the quotient as make the distance of the exponents 32 to 63 smaller: as the processors do.
    const bits = (distance & 31) + 32;
    const unit = scaleOf(b) + distance - bits;
    const least = Math.min(scaleOf(a), unit);
    const value = (a.significand << BigInt(scaleOf(a) - least)) % (b.significand << BigInt(unit - least));
    return { value: pack(negative, value, least), quotient: 0, isPartial: true };
  }
  if (distance < -2) return complete(finish(context, negative, a.significand, scaleOf(a), false, 64), 0);
  const dividend = a.significand << BigInt(scaleOf(a) - low);
  const divisor = b.significand << BigInt(scaleOf(b) - low);
  let quotient = dividend / divisor;
  let rest = dividend - quotient * divisor;
  let flips = false;
  if (toNearest) {
    const twice = rest << 1n;
    if (twice > divisor || (twice === divisor && (quotient & 1n) !== 0n)) {
      quotient += 1n;
      rest = divisor - rest;
      flips = true;
    }
  }
  const low3 = Number(quotient & 7n);
  if (rest === 0n) return complete(makeZero(negative), low3);
  return complete(finish(context, negative !== flips, rest, low, false, 64), low3);
}

/** fxam: C3, C2 and C0 for the class of a number in a register that is not empty, with C1 for its sign. */
export function classify(a: Extended): number {
  const sign = isNegative(a) ? 0x200 : 0;
  if (isUnsupported(a)) return sign;
  if (isNan(a)) return sign | 0x100;
  if (isInfinite(a)) return sign | 0x500;
  if (isZero(a)) return sign | 0x4000;
  // A pseudo-denormal counts as normal or denormal by its exponent.
  if (isDenormal(a)) return sign | 0x4400;
  return sign | 0x400;
}
