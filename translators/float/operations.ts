/**
 * Floating-point functions that the IR's operations name: exact for rounding to nearest, ties to even.
 * Everything exported here can be named by an operation's JavaScript (ir/operations.ts).
 */
import { fromHalves, quieted } from './bits.ts';
import { sumError } from './errors.ts';
import { divideExact, fmaExact, rounding, single, squareRootExact } from './exact.ts';
import { fma } from './fma.ts';

export { abs, doubleToSingle, fromHalves, highHalf, lowHalf, neg, singleToDouble } from './bits.ts';
export { fma } from './fma.ts';

/**
 * What an arithmetic result is on the guest: `x` unless it is a NaN; then the first NaN of `b` and `c`,
 * quieted, or the ISA's default NaN, whose high word is `defaultHigh`.
 */
export function nanOf2(x: number, b: number, c: number, defaultHigh: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return x === x ? x : chooseNan(b, c, defaultHigh);
}

function chooseNan(b: number, c: number, defaultHigh: number): number {
  if (Number.isNaN(b)) return quieted(b);
  if (Number.isNaN(c)) return quieted(c);
  return fromHalves(0, defaultHigh);
}

/** To an integer towards zero, saturating; -2^31 for a NaN. */
export function truncate(x: number): number {
  if (x >= 2147483647) return 0x7fffffff;
  return x > -2147483649 ? x | 0 : -0x80000000;
}

/** To the nearest integer, ties to even, saturating; -2^31 for a NaN. */
export function nearest(x: number): number {
  if (x >= 2147483647) return 0x7fffffff;
  // Adding 1.5 * 2^52 leaves no bits for a fraction.
  return x > -2147483648 ? (x + 6755399441055744 - 6755399441055744) | 0 : -0x80000000;
}

// Rounding to double and then to single goes wrong only where the double is midway between two singles
// and is not exact. So: round twice, and look at the first error in that rare case.

/** The double midway between the largest single and 2^128. */
const overflowMidway = 2 ** 128 - 2 ** 103;
const largestSingle = 2 ** 128 - 2 ** 104;

/** Whether `value`, which rounds to the other value `narrow`, lies midway between two singles. */
function isMidway(value: number, narrow: number): boolean {
  const neighbour = narrow + 2 * (value - narrow);
  return Math.fround(neighbour) === neighbour || Math.abs(value) === overflowMidway;
}

/** Rounds value + error, where value is midway between `narrow` and another single; only error's sign counts. */
function settle(value: number, narrow: number, error: number): number {
  if (error === 0) return narrow;
  const away = error > 0 === value > 0;
  if (Math.abs(value) === overflowMidway) return away ? narrow : value > 0 ? largestSingle : -largestSingle;
  const step = value - narrow;
  return error > 0 === step > 0 ? narrow + 2 * step : narrow;
}

/** a + b, rounded once to single. */
export function addSingle(a: number, b: number): number {
  const sum = a + b;
  const narrow = Math.fround(sum);
  if (narrow === sum || !isMidway(sum, narrow)) return narrow;
  return settle(sum, narrow, sumError(a, b, sum));
}

/** a - b, rounded once to single. */
export function subSingle(a: number, b: number): number {
  const difference = a - b;
  const narrow = Math.fround(difference);
  if (narrow === difference || !isMidway(difference, narrow)) return narrow;
  return settle(difference, narrow, sumError(a, -b, difference));
}

/** a * b, rounded once to single. */
export function mulSingle(a: number, b: number): number {
  const product = a * b;
  const narrow = Math.fround(product);
  if (narrow === product || !isMidway(product, narrow)) return narrow;
  // Products of singles are exact.
  if (Math.fround(a) === a && Math.fround(b) === b) return narrow;
  return fmaExact(a, b, 0, single, rounding.nearest);
}

/** a / b, rounded once to single. */
export function divSingle(a: number, b: number): number {
  const quotient = a / b;
  const narrow = Math.fround(quotient);
  if (narrow === quotient || !isMidway(quotient, narrow)) return narrow;
  return divideExact(a, b, single, rounding.nearest);
}

/** The square root of a, rounded once to single. */
export function sqrtSingle(a: number): number {
  const root = Math.sqrt(a);
  const narrow = Math.fround(root);
  if (narrow === root || !isMidway(root, narrow)) return narrow;
  return squareRootExact(a, single, rounding.nearest);
}

/** a * b + c, rounded once to single. */
export function fmaSingle(a: number, b: number, c: number): number {
  if (Math.fround(a) === a && Math.fround(b) === b) {
    // The product is exact, so this is an addition.
    const product = a * b;
    const sum = product + c;
    const narrow = Math.fround(sum);
    if (narrow === sum || !isMidway(sum, narrow)) return narrow;
    return settle(sum, narrow, sumError(product, c, sum));
  }
  const sum = fma(a, b, c);
  const narrow = Math.fround(sum);
  if (narrow === sum || !isMidway(sum, narrow)) return narrow;
  return fmaExact(a, b, c, single, rounding.nearest);
}
