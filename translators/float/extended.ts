/**
 * Numbers in the x87's 80-bit format, and how an exact result becomes one (Intel SDM volume 1, chapters 4 and 8).
 *
 * Here arithmetic is exact, on integers of any size, and rounded once: this is what every result is defined by, and what
 * computes the rare ones. The frequent cases are computed by translators/kernels/x87.ts.
 */

/** A value: the sign in bit 15 over the biased exponent, and the significand with its explicit integer bit in bit 63. */
export interface Extended {
  readonly head: number;
  readonly significand: bigint;
  /** It was widened from a denormal single or double. */
  readonly isNarrowDenormal?: boolean;
}

/** Exception flags, as the status word has them. */
export const exception = {
  invalid: 1,
  denormal: 2,
  zeroDivide: 4,
  overflow: 8,
  underflow: 16,
  precision: 32,
} as const;

/** Exceptions after which, when they are unmasked, there is no result. */
export const withoutResult = exception.invalid | exception.denormal | exception.zeroDivide;

/** Rounding control, bits 10 and 11 of the control word. */
export const rounding = { nearest: 0, down: 1, up: 2, zero: 3 } as const;

/** The control word that finit sets: to nearest, 64 bits, everything masked. */
export const defaultControl = 0x37f;

/** What an operation runs under, and what it tells besides its result. */
export class Context {
  /** The control word: masks in bits 0 to 5, precision control in bits 8 and 9, rounding control in bits 10 and 11. */
  control: number = defaultControl;
  /** Exceptions of the operation. */
  flags = 0;
  /** The result is larger in magnitude than the exact one (C1). */
  roundedUp = false;

  start(control: number): void {
    this.control = control;
    this.flags = 0;
    this.roundedUp = false;
  }

  get rounding(): number {
    return (this.control >> 10) & 3;
  }

  /** Bits of the significand that results of basic arithmetic are rounded to. */
  get precision(): number {
    const control = (this.control >> 8) & 3;
    // 1 is reserved.
    return control === 0 ? 24 : control === 2 ? 53 : 64;
  }

  /** Notes exceptions. @returns whether one of them is unmasked */
  raise(flags: number): boolean {
    this.flags |= flags;
    return (flags & ~this.control) !== 0;
  }

  isMasked(flag: number): boolean {
    return (this.control & flag) !== 0;
  }
}

export const bias = 16383;
export const largestExponent = 0x7fff;
export const integerBit = 1n << 63n;
const quietBit = 1n << 62n;
/** What is added to or taken from the exponent of a result whose underflow or overflow is unmasked. */
const wrappedBias = 24576;

/** The NaN that invalid operations give. */
export const indefinite: Extended = { head: 0xffff, significand: 0xc000000000000000n };

export function makeInfinity(negative: boolean): Extended {
  return { head: negative ? 0xffff : 0x7fff, significand: integerBit };
}

export function makeZero(negative: boolean): Extended {
  return { head: negative ? 0x8000 : 0, significand: 0n };
}

export const isNegative = (a: Extended): boolean => (a.head & 0x8000) !== 0;
export const exponentOf = (a: Extended): number => a.head & largestExponent;

/** The encodings of later processors than the 8087: pseudo-NaN, pseudo-infinity and unnormals are invalid operands. */
export function isUnsupported(a: Extended): boolean {
  return exponentOf(a) !== 0 && (a.significand & integerBit) === 0n;
}

export function isNan(a: Extended): boolean {
  return exponentOf(a) === largestExponent && a.significand > integerBit;
}

export function isSignalling(a: Extended): boolean {
  return isNan(a) && (a.significand & quietBit) === 0n;
}

export function isInfinite(a: Extended): boolean {
  return exponentOf(a) === largestExponent && a.significand === integerBit;
}

export function isZero(a: Extended): boolean {
  return exponentOf(a) === 0 && a.significand === 0n;
}

/** Denormals and pseudo-denormals, and operands in memory that are denormal there. */
export function isDenormal(a: Extended): boolean {
  return (exponentOf(a) === 0 && a.significand !== 0n) || a.isNarrowDenormal === true;
}

export function quieted(a: Extended): Extended {
  return { head: a.head, significand: a.significand | quietBit };
}

/** The power of two that the significand of a finite number counts. */
export function scaleOf(a: Extended): number {
  return Math.max(exponentOf(a), 1) - bias - 63;
}

/** How many bits a number that is not negative has; 0 for 0. */
export function bitLength(value: bigint): number {
  let length = 0;
  let rest = value;
  for (let high = rest >> 256n; high !== 0n; high = rest >> 256n) {
    rest = high;
    length += 256;
  }
  for (let high = rest >> 32n; high !== 0n; high = rest >> 32n) {
    rest = high;
    length += 32;
  }
  return length + 32 - Math.clz32(Number(rest));
}

/** Shifts right by a count that may be negative: then left. */
export function shiftedRight(value: bigint, count: number): bigint {
  return count >= 0 ? value >> BigInt(count) : value << BigInt(-count);
}

/** Whether a magnitude is rounded away from zero. @param rest what is cut off, compared with half a unit: -1, 0 or 1 */
function roundsAway(mode: number, negative: boolean, isOdd: boolean, rest: number): boolean {
  switch (mode) {
    case rounding.nearest:
      return rest > 0 || (rest === 0 && isOdd);
    case rounding.down:
      return negative;
    case rounding.up:
      return !negative;
    default:
      return false;
  }
}

/** A magnitude without its lowest `drop` bits, and what became of these. */
export interface Rounded {
  readonly value: bigint;
  readonly isInexact: boolean;
  readonly isAway: boolean;
}

/**
 * Cuts the lowest `drop` bits off, rounding.
 * @param sticky the exact magnitude is larger than this one, by less than its last bit
 */
export function roundedBits(
  magnitude: bigint,
  drop: number,
  sticky: boolean,
  negative: boolean,
  mode: number,
): Rounded {
  if (drop <= 0 && !sticky) {
    return { value: magnitude << BigInt(-drop), isInexact: false, isAway: false };
  }
  // Two more bits tell what is below, above or at the half.
  const precise = (magnitude << 2n) | (sticky ? 1n : 0n);
  const count = BigInt(drop + 2);
  if (count <= 0n) throw new RangeError('an inexact magnitude has too few bits');
  const value = precise >> count;
  const rest = precise - (value << count);
  if (rest === 0n) return { value, isInexact: false, isAway: false };
  const half = 1n << (count - 1n);
  const isAway = roundsAway(mode, negative, (value & 1n) !== 0n, rest > half ? 1 : rest === half ? 0 : -1);
  return { value: isAway ? value + 1n : value, isInexact: true, isAway };
}

/** What a binary floating-point format has room for. Its least normal number is 2^leastExponent. */
export interface Format {
  readonly precision: number;
  readonly leastExponent: number;
  readonly largestExponent: number;
}

const extendedFormats: Readonly<Record<number, Format>> = {
  24: { precision: 24, leastExponent: 1 - bias, largestExponent: bias },
  53: { precision: 53, leastExponent: 1 - bias, largestExponent: bias },
  64: { precision: 64, leastExponent: 1 - bias, largestExponent: bias },
};

/** A rounded magnitude: value * 2^scale. */
export interface Outcome {
  readonly value: bigint;
  readonly scale: number;
  readonly isInfinite: boolean;
}

/**
 * Rounds magnitude * 2^scale, which is not 0, to a format, with overflow and underflow as they are when masked.
 * @param sticky the exact magnitude is larger than this one, by less than its last bit; then it has more bits than the format
 * @param wrap how far an unmasked overflow or underflow moves the exponent; 0: such a result is not wanted
 */
export function roundTo(
  context: Context,
  format: Format,
  negative: boolean,
  magnitude: bigint,
  scale: number,
  sticky: boolean,
  wrap: number,
): Outcome {
  const mode = context.rounding;
  const length = bitLength(magnitude);
  const { precision } = format;
  let exponent = scale + length - 1;
  let drop = length - precision;
  let rounded = roundedBits(magnitude, drop, sticky, negative, mode);
  const carries = bitLength(rounded.value) > precision;
  // Tiny is what would be below the least normal number if rounded without a bound to the exponent.
  const isTiny = exponent + (carries ? 1 : 0) < format.leastExponent;
  let moved = 0;
  if (isTiny) {
    if (context.isMasked(exception.underflow)) {
      drop += format.leastExponent - exponent;
      rounded = roundedBits(magnitude, drop, sticky, negative, mode);
      if (rounded.isInexact) context.flags |= exception.underflow;
      exponent = format.leastExponent;
    } else {
      context.flags |= exception.underflow;
      moved = wrap;
    }
  } else if (exponent + (carries ? 1 : 0) > format.largestExponent) {
    context.flags |= exception.overflow;
    if (context.isMasked(exception.overflow)) {
      context.flags |= exception.precision;
      const toInfinity =
        mode === rounding.nearest || (mode === rounding.up && !negative) || (mode === rounding.down && negative);
      context.roundedUp = toInfinity;
      const value = (1n << BigInt(precision)) - 1n;
      return { value, scale: format.largestExponent - precision + 1, isInfinite: toInfinity };
    }
    moved = -wrap;
  }
  if (wrap === 0 && (context.flags & ~context.control & (exception.overflow | exception.underflow)) !== 0) {
    return { value: 0n, scale: 0, isInfinite: false };
  }
  if (rounded.isInexact) context.flags |= exception.precision;
  context.roundedUp = rounded.isAway;
  return { value: rounded.value, scale: scale + drop + moved, isInfinite: false };
}

/**
 * The 80-bit number for an exact result: magnitude * 2^scale, which is not 0.
 * @param sticky the exact magnitude is larger than this one, by less than its last bit; then it has at least 66 bits
 * @param precision bits to round to; by the control word where it is left out
 */
export function finish(
  context: Context,
  negative: boolean,
  magnitude: bigint,
  scale: number,
  sticky = false,
  precision = context.precision,
): Extended {
  const format = extendedFormats[precision];
  const outcome = roundTo(context, format, negative, magnitude, scale, sticky, wrappedBias);
  if (outcome.isInfinite) return makeInfinity(negative);
  const exponent = outcome.scale + bitLength(outcome.value) - 1;
  // Only scaling gets so far that a moved exponent is of no use.
  if (exponent > format.largestExponent) {
    context.raise(exception.precision);
    context.roundedUp = true;
    return makeInfinity(negative);
  }
  if (exponent < format.leastExponent && !context.isMasked(exception.underflow)) {
    context.raise(exception.precision);
    context.roundedUp = false;
    return makeZero(negative);
  }
  return pack(negative, outcome.value, outcome.scale);
}

/** The encoding of magnitude * 2^scale, which an 80-bit number can hold. */
export function pack(negative: boolean, magnitude: bigint, scale: number): Extended {
  const sign = negative ? 0x8000 : 0;
  if (magnitude === 0n) return { head: sign, significand: 0n };
  const length = bitLength(magnitude);
  const exponent = scale + length - 1 + bias;
  if (exponent > 0) return { head: sign | exponent, significand: shiftedRight(magnitude, length - 64) };
  return { head: sign, significand: shiftedRight(magnitude, 1 - bias - 63 - scale) };
}

/**
 * The NaN that comes of two operands, one of which may be left out, or undefined when neither is one: the only NaN, the
 * quiet one of a quiet and a signalling one, else the one with the larger significand, else the positive one; always quieted.
 */
export function nanOf(context: Context, a: Extended, b: Extended = a): Extended | undefined {
  if (isUnsupported(a) || isUnsupported(b)) {
    context.raise(exception.invalid);
    return indefinite;
  }
  const aIsNan = isNan(a);
  const bIsNan = isNan(b);
  if (!aIsNan && !bIsNan) return undefined;
  const aSignals = isSignalling(a);
  const bSignals = isSignalling(b);
  if (aSignals || bSignals) context.raise(exception.invalid);
  if (!bIsNan) return quieted(a);
  if (!aIsNan) return quieted(b);
  if (aSignals !== bSignals) return aSignals ? b : a;
  if (a.significand !== b.significand) return quieted(a.significand > b.significand ? a : b);
  return quieted(a.head < b.head ? a : b);
}

/** Notes that an operand is denormal. @returns whether that is unmasked, so that there is no result */
export function noteDenormal(context: Context, a: Extended, b: Extended = a): boolean {
  return (isDenormal(a) || isDenormal(b)) && context.raise(exception.denormal);
}

/** The result of an invalid operation. */
export function invalid(context: Context): Extended {
  context.raise(exception.invalid);
  return indefinite;
}
