/**
 * Exact arithmetic on doubles in unbounded integers: the definition that the fast paths of this folder
 * fall back on where exponents are extreme, and never the hot path.
 *
 * A finite nonzero double is significand * 2^exponent. Functions compute the mathematical result as such
 * a pair (with a sticky bit for what a quotient or root leaves over) and round it once.
 */
import { fromHalves, highHalf, lowHalf } from './bits.ts';

/** Rounding modes. The numbers are PowerPC's FPSCR[RN]; an x86 frontend maps its own. */
export const rounding = { nearest: 0, zero: 1, up: 2, down: 3 } as const;

/**
 * Added to a rounding mode: on overflow or underflow deliver the result with its exponent adjusted into
 * range (by -1536 or +1536 for doubles, 192 for singles), as IEEE 754-1985 has it for enabled exceptions.
 */
export const wrap = { overflow: 4, underflow: 8 } as const;

/** What an operation reports besides its result: bits of `status[0]`. */
export const flag = {
  inexact: 1 << 0,
  /** The result's magnitude was rounded up (FPSCR[FR]). */
  roundedUp: 1 << 1,
  overflow: 1 << 2,
  /** Nonzero and below the least normal number before rounding (PowerPC). */
  tiny: 1 << 3,
  /** The same after rounding with an unbounded exponent (x86). */
  tinyAfterRounding: 1 << 4,
  divideByZero: 1 << 5,
  /** The invalid operations: a signalling operand, inf - inf, inf / inf, 0 / 0, inf * 0, … */
  signalling: 1 << 6,
  infinityMinusInfinity: 1 << 7,
  infinityByInfinity: 1 << 8,
  zeroByZero: 1 << 9,
  infinityTimesZero: 1 << 10,
  /** … the root of a negative number, an integer conversion without a result. */
  negativeRoot: 1 << 11,
  conversion: 1 << 12,
} as const;

/** The invalid operations of arithmetic. */
export const invalidFlags =
  flag.signalling |
  flag.infinityMinusInfinity |
  flag.infinityByInfinity |
  flag.zeroByZero |
  flag.infinityTimesZero |
  flag.negativeRoot |
  flag.conversion;

/** A binary format: bits of the significand, exponent of its least unit, first exponent that overflows, wrap distance. */
export interface Format {
  readonly precision: number;
  readonly leastUnit: number;
  readonly overflow: number;
  readonly wrap: number;
}

export const double: Format = { precision: 53, leastUnit: -1074, overflow: 1024, wrap: 1536 };
export const single: Format = { precision: 24, leastUnit: -149, overflow: 128, wrap: 192 };

/** Element 0: the flags of the last operation. Scratch: valid until the next operation of this folder. */
export const status = new Int32Array(1);

/** 2^n for -1074 <= n <= 1023. */
export function powerOfTwo(n: number): number {
  if (n >= -1022) return fromHalves(0, (n + 1023) << 20);
  const bit = n + 1074;
  return bit >= 32 ? fromHalves(0, 1 << (bit - 32)) : fromHalves(1 << bit, 0);
}

/** Signed significand of a finite double: value = significandOf(value) * 2^exponentOf(value). */
export function significandOf(value: number): bigint {
  const high = highHalf(value);
  const fraction = (BigInt(high & 0xfffff) << 32n) | BigInt(lowHalf(value) >>> 0);
  const magnitude = (high & 0x7ff00000) === 0 ? fraction : fraction | (1n << 52n);
  return high < 0 ? -magnitude : magnitude;
}

/** Exponent of the unit of `significandOf`. */
export function exponentOf(value: number): number {
  const biased = (highHalf(value) >>> 20) & 0x7ff;
  return biased === 0 ? -1074 : biased - 1075;
}

function bitLength(value: bigint): number {
  const text = value.toString(16);
  return text.length * 4 - (Math.clz32(Number.parseInt(text[0], 16)) - 28);
}

/** Whether a magnitude with remainder `rest` of `one` (and sticky bits below) is rounded up. */
function roundsUp(negative: boolean, odd: boolean, rest: bigint, one: bigint, sticky: boolean, mode: number): boolean {
  if (rest === 0n && !sticky) return false;
  switch (mode & 3) {
    case rounding.nearest: {
      const twice = rest << 1n;
      return twice > one || (twice === one && (sticky || odd));
    }
    case rounding.up:
      return !negative;
    case rounding.down:
      return negative;
    default:
      return false;
  }
}

/**
 * Rounds (magnitude + sticky) * 2^exponent, where `sticky` stands for something in 0..1 exclusive.
 * With sticky the magnitude must have at least two bits more than the format. Adds to status[0].
 * @param mode a rounding mode, with `wrap` bits
 */
export function round(
  negative: boolean,
  magnitude: bigint,
  exponent: number,
  sticky: boolean,
  format: Format,
  mode: number,
): number {
  if (magnitude === 0n) return negative ? -0 : 0;
  const top = bitLength(magnitude) + exponent;
  const free = top - format.precision;
  const tiny = free < format.leastUnit;
  let flags = 0;
  if (tiny) flags = flag.tiny | afterRounding(negative, magnitude, exponent, sticky, format, mode);
  const wraps = tiny && (mode & wrap.underflow) !== 0;
  const unit = tiny && !wraps ? format.leastUnit : free;
  const shift = BigInt(Math.max(unit - exponent, 0));
  let kept = unit > exponent ? magnitude >> shift : magnitude << BigInt(exponent - unit);
  const one = 1n << shift;
  const rest = unit > exponent ? magnitude & (one - 1n) : 0n;
  if (rest !== 0n || sticky) flags |= flag.inexact;
  if (roundsUp(negative, (kept & 1n) === 1n, rest, one, sticky, mode)) {
    kept += 1n;
    flags |= flag.roundedUp;
  }
  let scale = unit;
  if (wraps) scale += format.wrap;
  if (kept !== 0n && bitLength(kept) + unit > format.overflow) {
    flags |= flag.overflow;
    if ((mode & wrap.overflow) === 0) {
      status[0] |= flags | flag.inexact;
      return overflowed(negative, format, mode);
    }
    scale -= format.wrap;
  }
  status[0] |= flags;
  return scaled(negative ? -Number(kept) : Number(kept), scale);
}

/** value * 2^scale, where the product is representable and value has at most 53 bits. */
function scaled(value: number, scale: number): number {
  if (scale < -1074) return value * powerOfTwo(-1022) * powerOfTwo(Math.max(scale + 1022, -1074));
  if (scale > 1023) return value * powerOfTwo(1023) * powerOfTwo(Math.min(scale - 1023, 1023));
  return value * powerOfTwo(scale);
}

function afterRounding(
  negative: boolean,
  magnitude: bigint,
  exponent: number,
  sticky: boolean,
  format: Format,
  mode: number,
): number {
  const free = bitLength(magnitude) + exponent - format.precision;
  if (free !== format.leastUnit - 1) return flag.tinyAfterRounding;
  const shift = free - exponent;
  // Only all ones can be carried up to the least normal number.
  const kept = shift > 0 ? magnitude >> BigInt(shift) : magnitude << BigInt(-shift);
  if (kept !== (1n << BigInt(format.precision)) - 1n) return flag.tinyAfterRounding;
  const one = 1n << BigInt(Math.max(shift, 0));
  return roundsUp(negative, true, magnitude & (one - 1n), one, sticky, mode) ? 0 : flag.tinyAfterRounding;
}

/** What overflow delivers when it is not wrapped. */
function overflowed(negative: boolean, format: Format, mode: number): number {
  const toInfinity = (mode & 3) === rounding.nearest || (mode & 3) === (negative ? rounding.down : rounding.up);
  const magnitude = toInfinity ? Infinity : (2 - powerOfTwo(1 - format.precision)) * powerOfTwo(format.overflow - 1);
  return negative ? -magnitude : magnitude;
}

/** a * b + c for finite operands, rounded once. Exact zero sums have the sign that the mode gives them. */
export function fmaExact(a: number, b: number, c: number, format: Format, mode: number): number {
  let product = significandOf(a) * significandOf(b);
  let exponent = exponentOf(a) + exponentOf(b);
  const addend = significandOf(c);
  const other = exponentOf(c);
  if (product === 0n && addend === 0n) {
    const negative = Object.is(a * b, -0);
    if (negative === Object.is(c, -0)) return negative ? -0 : 0;
    return (mode & 3) === rounding.down ? -0 : 0;
  }
  if (other >= exponent) {
    product += addend << BigInt(other - exponent);
  } else {
    product = (product << BigInt(exponent - other)) + addend;
    exponent = other;
  }
  if (product === 0n) return (mode & 3) === rounding.down ? -0 : 0;
  const negative = product < 0n;
  return round(negative, negative ? -product : product, exponent, false, format, mode);
}

/** a / b for finite operands, b not zero. */
export function divideExact(a: number, b: number, format: Format, mode: number): number {
  const negative = highHalf(a) < 0 !== highHalf(b) < 0;
  let dividend = significandOf(a);
  let divisor = significandOf(b);
  if (dividend < 0n) dividend = -dividend;
  if (divisor < 0n) divisor = -divisor;
  // 110 more bits in the dividend give a quotient of at least 57.
  dividend <<= 110n;
  const quotient = dividend / divisor;
  const sticky = quotient * divisor !== dividend;
  return round(negative, quotient, exponentOf(a) - 110 - exponentOf(b), sticky, format, mode);
}

/** The square root of a finite positive number. */
export function squareRootExact(a: number, format: Format, mode: number): number {
  let significand = significandOf(a);
  let exponent = exponentOf(a);
  if ((exponent & 1) !== 0) {
    significand <<= 1n;
    exponent -= 1;
  }
  significand <<= 120n;
  exponent -= 120;
  const root = integerRoot(significand);
  return round(false, root, exponent / 2, root * root !== significand, format, mode);
}

/** The integer square root, by Newton's method from above. */
function integerRoot(value: bigint): bigint {
  let root = 1n << BigInt((bitLength(value) + 1) >> 1);
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}
