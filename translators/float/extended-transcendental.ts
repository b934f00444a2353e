/**
 * The transcendental functions of x87 (Intel SDM volume 1, section 8.3.7): exact results up to some 100 bits, rounded once, so
 * within half a unit in the last place and a little. Precision control does not apply to them.
 *
 * Trigonometric functions reduce their operand by the processors' own pi, which has 66 bits (section 8.3.8).
 */
import {
  bias,
  bitLength,
  type Context,
  type Extended,
  exception,
  exponentOf,
  finish,
  integerBit,
  invalid,
  isDenormal,
  isInfinite,
  isNegative,
  isZero,
  makeInfinity,
  makeZero,
  nanOf,
  noteDenormal,
  scaleOf,
  shiftedRight,
} from './extended.ts';
import {
  fixedArctangent,
  fixedCosine,
  fixedExponentialMinusOne,
  fixedLn2,
  fixedLogarithmOfSuccessor,
  fixedPi,
  fixedSine,
} from './fixed-point.ts';

/** Bits of a result beyond its first one: 40 more than are kept. */
const resultPlaces = 104;
/** Below 2^-70 a function is its first term, but for something that only rounding sees. */
const tinyExponent = -70;

/** The place of a finite number's first bit: it is at least two to this, and less than two to one more. */
function magnitudeExponent(a: Extended): number {
  return scaleOf(a) + bitLength(a.significand) - 1;
}

/** A finite number's magnitude in units of 2^-places; bits below are cut off. */
function toFixed(a: Extended, places: number): bigint {
  return shiftedRight(a.significand, -(scaleOf(a) + places));
}

/** Rounds a fixed-point result, which is never exact. */
function finishFixed(context: Context, value: bigint, places: number): Extended {
  const negative = value < 0n;
  return finish(context, negative, negative ? -value : value, -places, true, 64);
}

/** `a`, made smaller or larger in magnitude by very little. */
function beside(context: Context, a: Extended, isLarger: boolean): Extended {
  const value = a.significand << 70n;
  return finish(context, isNegative(a), isLarger ? value : value - 1n, scaleOf(a) - 70, true, 64);
}

// -- sine, cosine, tangent

/** The pi that reduces operands: 4 * 0.C90FDAA22168C234C. */
const reducingPi = 0xc90fdaa22168c234cn;
const reducingPiPlaces = 66;

/** Whether an operand is beyond the range of the trigonometric instructions, 2^63: they set C2 and leave it. */
export function sineIsPartial(a: Extended): boolean {
  return exponentOf(a) >= bias + 63 && exponentOf(a) !== 0x7fff && (a.significand & integerBit) !== 0n;
}

/** An angle as a multiple of pi/2 and a rest of at most pi/4, in units of 2^-places. */
interface Reduced {
  readonly quadrant: number;
  readonly rest: bigint;
  readonly places: number;
}

function reduce(a: Extended): Reduced {
  // All bits of the operand, and of any multiple of pi/2 that comes as near to it as it can.
  const places = Math.max(-scaleOf(a), 0) + resultPlaces + 104;
  const value = toFixed(a, places);
  const quarter = reducingPi << BigInt(places - reducingPiPlaces - 1);
  const turns = (2n * value + quarter) / (2n * quarter);
  const precise = value - turns * quarter;
  // As many places as a result of the rest's size needs.
  const drop = bitLength(precise < 0n ? -precise : precise) - resultPlaces;
  const rest = precise >> BigInt(drop);
  const quadrant = Number(turns & 3n);
  const kept = places - drop;
  return isNegative(a) ? { quadrant: -quadrant & 3, rest: -rest, places: kept } : { quadrant, rest, places: kept };
}

/** Special operands of sine, cosine and tangent, or undefined. */
function ofSpecialAngle(context: Context, a: Extended, ofZero: Extended): Extended | undefined {
  const nan = nanOf(context, a);
  if (nan !== undefined) return nan;
  if (isInfinite(a)) return invalid(context);
  if (isZero(a)) return ofZero;
  return noteDenormal(context, a) ? a : undefined;
}

export const one: Extended = { head: bias, significand: integerBit };

function sineOf(quadrant: number, rest: bigint, places: number): bigint {
  const precision = BigInt(places);
  const value = (quadrant & 1) === 0 ? fixedSine(rest, precision) : fixedCosine(rest, precision);
  return (quadrant & 2) === 0 ? value : -value;
}

export function sine(context: Context, a: Extended): Extended {
  const special = ofSpecialAngle(context, a, a);
  if (special !== undefined) return special;
  if (magnitudeExponent(a) < tinyExponent) return beside(context, a, false);
  const { quadrant, rest, places } = reduce(a);
  return finishFixed(context, sineOf(quadrant, rest, places), places);
}

export function cosine(context: Context, a: Extended): Extended {
  const special = ofSpecialAngle(context, a, one);
  if (special !== undefined) return special;
  if (magnitudeExponent(a) < tinyExponent) return beside(context, one, false);
  const { quadrant, rest, places } = reduce(a);
  return finishFixed(context, sineOf((quadrant + 1) & 3, rest, places), places);
}

export function tangent(context: Context, a: Extended): Extended {
  const special = ofSpecialAngle(context, a, a);
  if (special !== undefined) return special;
  if (magnitudeExponent(a) < tinyExponent) return beside(context, a, true);
  const { quadrant, rest, places } = reduce(a);
  const numerator = sineOf(quadrant, rest, places);
  const denominator = sineOf((quadrant + 1) & 3, rest, places);
  return finishFixed(context, (numerator << BigInt(places)) / denominator, places);
}

// -- exponential and logarithms

/** f2xm1: 2^a - 1 for -1 <= a <= 1; beyond that, undefined in the manual, the operand as it is. */
export function exponentialMinusOne(context: Context, a: Extended): Extended {
  const nan = nanOf(context, a);
  if (nan !== undefined) return nan;
  const negative = isNegative(a);
  if (isInfinite(a)) return negative ? { head: one.head | 0x8000, significand: integerBit } : a;
  if (isZero(a) || noteDenormal(context, a)) return a;
  const exponent = magnitudeExponent(a);
  if (exponent >= 0) {
    context.raise(exception.precision);
    if (exponent > 0 || a.significand !== integerBit) return a;
    return negative ? { head: 0x8000 | (bias - 1), significand: integerBit } : one;
  }
  if (exponent < tinyExponent) {
    const ln2 = fixedLn2(BigInt(resultPlaces));
    return finish(context, negative, a.significand * ln2, scaleOf(a) - resultPlaces, true, 64);
  }
  const places = BigInt(resultPlaces - exponent);
  const value = toFixed(a, Number(places));
  const product = (value * fixedLn2(places)) >> places;
  return finishFixed(context, fixedExponentialMinusOne(negative ? -product : product, places), Number(places));
}

/** A number's logarithm to base 2 as mantissa * 2^scale, with its sign. */
interface Logarithm {
  readonly value: bigint;
  readonly scale: number;
  readonly isExact: boolean;
}

/** Two numbers of places for logarithms and angles: what is computed once for each is not computed for others. */
const ordinaryPlaces = 128n;
const widePlaces = BigInt(resultPlaces + 72);

/** log2 of a positive finite number. */
function binaryLogarithm(a: Extended): Logarithm {
  const length = bitLength(a.significand);
  const mantissa = a.significand << BigInt(64 - length);
  let exponent = scaleOf(a) + length - 1;
  if (mantissa === integerBit) return { value: BigInt(exponent), scale: 0, isExact: true };
  // Only about 1 a logarithm is small.
  const isNearOne = exponent === -1 || exponent === 0;
  const places = isNearOne ? widePlaces : ordinaryPlaces;
  // Towards the nearer power of two, so that a number just below 1 has a small logarithm and not a difference.
  let fraction = (mantissa - integerBit) << (places - 63n);
  if (fraction >> (places - 1n) !== 0n) {
    exponent++;
    fraction = (fraction - (1n << places)) >> 1n;
  }
  const ln = fixedLogarithmOfSuccessor(fraction, places);
  const value = (ln << places) / fixedLn2(places) + (BigInt(exponent) << places);
  return { value, scale: -Number(places), isExact: false };
}

/** y times a logarithm that is not 0. */
function timesLogarithm(context: Context, y: Extended, { value, scale, isExact }: Logarithm): Extended {
  const negative = isNegative(y) !== value < 0n;
  const product = y.significand * (value < 0n ? -value : value);
  // As the processors do, which do not know that a result is exact.
  context.raise(exception.precision);
  const result = finish(context, negative, product, scaleOf(y) + scale, !isExact, 64);
  if (isExact && isDenormal(result)) context.raise(exception.underflow);
  return result;
}

/** fyl2x: y * log2(x). */
export function logarithm(context: Context, x: Extended, y: Extended): Extended {
  const nan = nanOf(context, x, y);
  if (nan !== undefined) return nan;
  if (isNegative(x) && !isZero(x)) return invalid(context);
  if (isZero(x)) {
    if (isZero(y)) return invalid(context);
    if (isInfinite(y)) return makeInfinity(!isNegative(y));
    context.raise(exception.zeroDivide);
    return makeInfinity(!isNegative(y));
  }
  if (isInfinite(x)) {
    if (isZero(y)) return invalid(context);
    if (noteDenormal(context, y)) return y;
    return makeInfinity(isNegative(y));
  }
  const isOne = x.head === one.head && x.significand === integerBit;
  const isBelowOne = exponentOf(x) < bias;
  if (isInfinite(y)) {
    if (isOne) return invalid(context);
    if (noteDenormal(context, x)) return y;
    return makeInfinity(isNegative(y) !== isBelowOne);
  }
  if (noteDenormal(context, x, y)) return y;
  if (isOne || isZero(y)) return makeZero(isNegative(y) !== isBelowOne);
  return timesLogarithm(context, y, binaryLogarithm(x));
}

/** fyl2xp1: y * log2(x + 1), for |x| less than 1 - sqrt(1/2); beyond, undefined in the manual, as if it were defined. */
export function logarithmOfSuccessor(context: Context, x: Extended, y: Extended): Extended {
  const nan = nanOf(context, x, y);
  if (nan !== undefined) return nan;
  const negative = isNegative(x) !== isNegative(y);
  if (isInfinite(x) && (isNegative(x) || isZero(y))) return invalid(context);
  if (isInfinite(y) && isZero(x)) return invalid(context);
  if (noteDenormal(context, x, y)) return y;
  if (isInfinite(x) || isInfinite(y)) return makeInfinity(negative);
  if (isZero(x) || isZero(y)) return makeZero(negative);
  const exponent = magnitudeExponent(x);
  if (exponent < tinyExponent) {
    const inverse = (1n << BigInt(2 * resultPlaces)) / fixedLn2(BigInt(resultPlaces));
    const product = x.significand * inverse * y.significand;
    return finish(context, negative, product, scaleOf(x) + scaleOf(y) - resultPlaces, true, 64);
  }
  if (exponent >= -1 && (exponent >= 0 || isNegative(x))) {
    if (isNegative(x) && exponent >= 0) {
      // As a processor does that has no better answer either.
      context.raise(exception.precision);
      return x;
    }
    // 1 + x as it is, with as many bits as that has.
    const scale = Math.min(scaleOf(x), 0);
    const units = x.significand << BigInt(scaleOf(x) - scale);
    const sum = (1n << BigInt(-scale)) + (isNegative(x) ? -units : units);
    return timesLogarithm(context, y, wideLogarithm(sum, scale));
  }
  const places = BigInt(resultPlaces - exponent);
  const value = toFixed(x, Number(places));
  const ln = fixedLogarithmOfSuccessor(isNegative(x) ? -value : value, places);
  const quotient = (ln << places) / fixedLn2(places);
  return timesLogarithm(context, y, { value: quotient, scale: -Number(places), isExact: false });
}

/** log2 of a number that has more bits than a significand. */
function wideLogarithm(value: bigint, scale: number): Logarithm {
  const length = bitLength(value);
  const exponent = scale + length - 1;
  const places = widePlaces;
  const fraction = shiftedRight(value, length - 1 - Number(places)) - (1n << places);
  if (fraction === 0n) return { value: BigInt(exponent), scale: 0, isExact: true };
  const ln = fixedLogarithmOfSuccessor(fraction, places);
  return {
    value: (ln << places) / fixedLn2(places) + (BigInt(exponent) << places),
    scale: -Number(places),
    isExact: false,
  };
}

// -- arc tangent

/** fpatan: the angle of the point (x, y), from -pi to pi. */
export function arctangent(context: Context, x: Extended, y: Extended): Extended {
  const nan = nanOf(context, x, y);
  if (nan !== undefined) return nan;
  const places = resultPlaces;
  const pi = fixedPi(BigInt(places));
  const signed = (value: bigint): Extended => finishFixed(context, isNegative(y) ? -value : value, places);
  if (noteDenormal(context, x, y)) return y;
  if (isInfinite(y)) {
    if (!isInfinite(x)) return signed(pi >> 1n);
    return signed(isNegative(x) ? (3n * pi) >> 2n : pi >> 2n);
  }
  if (isInfinite(x) || isZero(y)) return isNegative(x) ? signed(pi) : makeZero(isNegative(y));
  if (isZero(x)) return signed(pi >> 1n);
  const distance = magnitudeExponent(y) - magnitudeExponent(x);
  if (distance > 140) return signed(pi >> 1n);
  if (distance < tinyExponent) {
    if (isNegative(x)) return signed(pi - 1n);
    // y / x, and a little less.
    const quotient = (y.significand << 200n) / x.significand;
    return finish(context, isNegative(y), quotient - 1n, scaleOf(y) - scaleOf(x) - 200, true, 64);
  }
  // The smaller coordinate over the larger one, precise enough for small angles.
  const low = Math.min(scaleOf(x), scaleOf(y));
  const width = x.significand << BigInt(scaleOf(x) - low);
  const height = y.significand << BigInt(scaleOf(y) - low);
  const more = distance > -16 && distance < 16 ? ordinaryPlaces : BigInt(resultPlaces + 144);
  const isSteep = height > width;
  const angle = fixedArctangent(((isSteep ? width : height) << more) / (isSteep ? height : width), more);
  const precisePi = fixedPi(more);
  const first = isSteep ? (precisePi >> 1n) - angle : angle;
  const result = isNegative(x) ? precisePi - first : first;
  return finishFixed(context, isNegative(y) ? -result : result, Number(more));
}
