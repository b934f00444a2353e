/**
 * IEEE 754 arithmetic in any rounding mode, with every exception: results are rounded once to double or
 * single, and `status[0]` tells what happened (bits `flag`, exact.ts). ISA-neutral: a NaN result is an
 * unspecified NaN, which the frontend replaces by its own rule; flags that ISAs derive differently
 * (tininess, an infinity times zero beside a NaN addend) are reported so that each can.
 *
 * Ordinary operands stay in doubles: the rounding error of a result to nearest is itself a double, and its
 * sign decides inexactness, direction and the other rounding modes. Everything else goes to exact.ts.
 */
import { isSignalling } from './bits.ts';
import { productError, sumError } from './errors.ts';
import {
  divideExact,
  double,
  type Format,
  flag,
  fmaExact,
  rounding,
  single,
  squareRootExact,
  status,
} from './exact.ts';

export { double, type Format, flag, invalidFlags, rounding, single, status, wrap } from './exact.ts';

/** What `compare` gives. The values are those of a PowerPC condition field. */
export const relation = { less: 8, greater: 4, equal: 2, unordered: 1 } as const;

/** Rounds to an integer, ties away from zero; only for `roundToIntegral`. */
export const nearestAway = 4;

const doubles = new Float64Array(1);
const words = new Int32Array(doubles.buffer);
const singles = new Float32Array(1);
const singleWords = new Int32Array(singles.buffer);

// Magnitudes between which no step of the fast paths, nor the result, can overflow, underflow or be subnormal.
const leastOrdinary = 2 ** -940;
const mostOrdinary = 2 ** 980;
const leastOrdinarySingle = 2 ** -125;
const mostOrdinarySingle = 2 ** 127;

function isOrdinary(value: number, format: Format): boolean {
  const magnitude = Math.abs(value);
  return format === double
    ? magnitude > leastOrdinary && magnitude < mostOrdinary
    : magnitude > leastOrdinarySingle && magnitude < mostOrdinarySingle;
}

/** The double next to `value` in magnitude, up or down; neither is zero or infinite. */
function nextDouble(value: number, larger: boolean): number {
  doubles[0] = value;
  if (larger) {
    if ((words[0] = words[0] + 1) === 0) words[1] += 1;
  } else {
    if (words[0] === 0) words[1] -= 1;
    words[0] -= 1;
  }
  return doubles[0];
}

/** The single next to `value`, likewise. */
function nextSingle(value: number, larger: boolean): number {
  singles[0] = value;
  singleWords[0] += larger ? 1 : -1;
  return singles[0];
}

/**
 * Rounds value + error and sets the flags. `value` is ordinary and the double nearest to the exact result;
 * of `error` only the sign counts.
 */
function deliver(value: number, error: number, mode: number, format: Format): number {
  if (format === single) return deliverSingle(value, error, mode);
  if (error === 0) {
    status[0] = 0;
    return value;
  }
  const below = error > 0 === value > 0;
  if ((mode & 3) === rounding.nearest) {
    status[0] = below ? flag.inexact : flag.inexact | flag.roundedUp;
    return value;
  }
  const larger = enlarges(value, mode);
  status[0] = larger ? flag.inexact | flag.roundedUp : flag.inexact;
  return larger === below ? nextDouble(value, larger) : value;
}

function deliverSingle(value: number, error: number, mode: number): number {
  const narrow = Math.fround(value);
  const difference = value - narrow;
  if (difference === 0 && error === 0) {
    status[0] = 0;
    return narrow;
  }
  let below = (difference !== 0 ? difference : error) > 0 === value > 0;
  if ((mode & 3) === rounding.nearest) {
    const neighbour = narrow + 2 * difference;
    // Midway between two singles, were it not for the error that the tie was broken without.
    if (error !== 0 && difference !== 0 && error > 0 === difference > 0 && Math.fround(neighbour) === neighbour) {
      below = !below;
      status[0] = below ? flag.inexact : flag.inexact | flag.roundedUp;
      return neighbour;
    }
    status[0] = below ? flag.inexact : flag.inexact | flag.roundedUp;
    return narrow;
  }
  const larger = enlarges(value, mode);
  status[0] = larger ? flag.inexact | flag.roundedUp : flag.inexact;
  return larger === below ? nextSingle(narrow, larger) : narrow;
}

/** Whether a directed mode rounds the magnitude up. */
function enlarges(value: number, mode: number): boolean {
  return (mode & 3) === (value > 0 ? rounding.up : rounding.down);
}

/** a + b. */
export function add(a: number, b: number, mode: number, format: Format): number {
  const sum = a + b;
  if (isOrdinary(sum, format)) {
    const error = sumError(a, b, sum);
    // A huge operand can overflow in there, even when the sum is ordinary.
    if (Math.abs(error) < Infinity) return deliver(sum, error, mode, format);
  }
  if (a - a === 0 && b - b === 0) {
    status[0] = 0;
    return sum === 0 ? zeroSum(a, b, mode) : fmaExact(a, 1, b, format, mode);
  }
  return special(a, b, sum, flag.infinityMinusInfinity);
}

/** a + b where it is exactly zero: negative when both are, or when opposite signs meet and the mode is down. */
function zeroSum(a: number, b: number, mode: number): number {
  if (Object.is(a, 0) && Object.is(b, 0)) return 0;
  return (mode & 3) === rounding.down ? -0 : a + b;
}

/** a - b. */
export function subtract(a: number, b: number, mode: number, format: Format): number {
  // The negation of a signalling NaN may be quiet.
  return Number.isNaN(b) ? special(a, b, b, 0) : add(a, -b, mode, format);
}

/** a * b. */
export function multiply(a: number, b: number, mode: number, format: Format): number {
  const product = a * b;
  if (isOrdinary(product, format)) {
    const error = productError(a, b, product);
    if (Math.abs(error) < Infinity) return deliver(product, error, mode, format);
  }
  if (a - a === 0 && b - b === 0) {
    status[0] = 0;
    if (a === 0 || b === 0) return product;
    return fmaExact(a, b, 0, format, mode);
  }
  return special(a, b, product, flag.infinityTimesZero);
}

/** a / b. */
export function divide(a: number, b: number, mode: number, format: Format): number {
  const quotient = a / b;
  if (isOrdinary(quotient, format) && isOrdinary(a, double) && isOrdinary(b, double)) {
    const product = quotient * b;
    const remainder = a - product - productError(quotient, b, product);
    return deliver(quotient, b > 0 ? remainder : -remainder, mode, format);
  }
  if (a - a === 0 && b - b === 0) {
    if (b === 0) {
      status[0] = a === 0 ? flag.zeroByZero : flag.divideByZero;
      return quotient;
    }
    status[0] = 0;
    return a === 0 ? quotient : divideExact(a, b, format, mode);
  }
  return special(a, b, quotient, flag.infinityByInfinity);
}

/** The square root of a. */
export function squareRoot(a: number, mode: number, format: Format): number {
  const root = Math.sqrt(a);
  if (isOrdinary(a, double) && isOrdinary(root, format)) {
    const square = root * root;
    return deliver(root, a - square - productError(root, root, square), mode, format);
  }
  status[0] = 0;
  if (a > 0 && a < Infinity) return squareRootExact(a, format, mode);
  if (a < 0) status[0] = flag.negativeRoot;
  else if (isSignalling(a)) status[0] = flag.signalling;
  return root;
}

/** a * b + c, rounded once. `infinityTimesZero` is reported also where c is a NaN. */
export function multiplyAdd(a: number, b: number, c: number, mode: number, format: Format): number {
  const product = a * b;
  if (isOrdinary(product, double)) {
    const low = productError(a, b, product);
    const sum = product + c;
    const high = sumError(product, c, sum);
    const tail = high + low;
    const result = sum + tail;
    // Not finite also where something overflowed on the way.
    if (isOrdinary(result, format)) {
      // a * b + c = result + error + rest, and error, where it is not 0, is greater than rest.
      const error = sum - result + tail;
      const rest = sumError(high, low, tail);
      if (error === 0) return deliver(result, rest, mode, format);
      const neighbour = result + 2 * error;
      // Midway between two doubles but for the rest: the tie was broken without it.
      if (rest !== 0 && rest > 0 === error > 0 && neighbour - result === 2 * error) {
        return deliver(neighbour, -error, mode, format);
      }
      return deliver(result, error, mode, format);
    }
  }
  if (a - a === 0 && b - b === 0 && c - c === 0) {
    if ((a === 0 || b === 0) && isOrdinary(c, format)) return deliver(c, 0, mode, format);
    status[0] = 0;
    return fmaExact(a, b, c, format, mode);
  }
  return multiplyAddSpecial(a, b, c);
}

function multiplyAddSpecial(a: number, b: number, c: number): number {
  const infinityTimesZero = (Math.abs(a) === Infinity && b === 0) || (Math.abs(b) === Infinity && a === 0);
  let flags: number = infinityTimesZero ? flag.infinityTimesZero : 0;
  if (Number.isNaN(a) || Number.isNaN(b) || Number.isNaN(c)) {
    if (isSignalling(a) || isSignalling(b) || isSignalling(c)) flags |= flag.signalling;
    status[0] = flags;
    return NaN;
  }
  // Finite factors whose product overflows as a double are not an infinity.
  const product = a - a === 0 && b - b === 0 ? 0 : a * b;
  const sum = product + c;
  if (flags === 0 && Number.isNaN(sum)) flags = flag.infinityMinusInfinity;
  status[0] = flags;
  return sum;
}

/** The result where an operand is infinite or a NaN: exact, or invalid for the given reason. */
function special(a: number, b: number, result: number, invalid: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) status[0] = isSignalling(a) || isSignalling(b) ? flag.signalling : 0;
  else status[0] = Number.isNaN(result) ? invalid : 0;
  return result;
}

/** a rounded to single precision. */
export function roundToSingle(a: number, mode: number): number {
  if (isOrdinary(a, single)) return deliverSingle(a, 0, mode);
  status[0] = 0;
  if (a - a === 0) return a === 0 ? a : fmaExact(a, 1, 0, single, mode);
  if (isSignalling(a)) status[0] = flag.signalling;
  return a;
}

/** a rounded to an integral value in a rounding mode or `nearestAway`. Never inexact; a NaN may be signalling. */
export function roundToIntegral(a: number, mode: number): number {
  status[0] = isSignalling(a) ? flag.signalling : 0;
  const magnitude = Math.abs(a);
  // From 2^52 on, doubles are integers; so are infinities, and NaNs stay.
  if (!(magnitude < 4503599627370496)) return a;
  switch (mode) {
    case rounding.zero:
      return Math.trunc(a);
    case rounding.up:
      return Math.ceil(a);
    case rounding.down:
      return Math.floor(a);
    case nearestAway: {
      const whole = Math.floor(magnitude);
      const rounded = magnitude - whole >= 0.5 ? whole + 1 : whole;
      return a < 0 || Object.is(a, -0) ? -rounded : rounded;
    }
    default: {
      const rounded = magnitude + 4503599627370496 - 4503599627370496;
      return a < 0 || Object.is(a, -0) ? -rounded : rounded;
    }
  }
}

/**
 * a as a signed 32-bit integer. Out of range: `conversion` is set and the result saturated, -2^31 for a NaN.
 */
export function toInt32(a: number, mode: number): number {
  const rounded = roundToIntegral(a, mode & 3);
  if (rounded >= -2147483648 && rounded <= 2147483647) {
    if (rounded !== a) {
      status[0] = Math.abs(rounded) > Math.abs(a) ? flag.inexact | flag.roundedUp : flag.inexact;
    }
    return rounded | 0;
  }
  status[0] |= flag.conversion;
  return rounded > 0 ? 0x7fffffff : -0x80000000;
}

/** How a relates to b (`relation`); `signalling` is set for a signalling NaN. */
export function compare(a: number, b: number): number {
  status[0] = 0;
  if (a < b) return relation.less;
  if (a > b) return relation.greater;
  if (a === b) return relation.equal;
  if (isSignalling(a) || isSignalling(b)) status[0] = flag.signalling;
  return relation.unordered;
}
