import { describe, expect, test } from 'vitest';
import {
  add,
  compare,
  divide,
  double,
  type Format,
  flag,
  multiply,
  multiplyAdd,
  nearestAway,
  relation,
  rounding,
  roundToIntegral,
  roundToSingle,
  single,
  squareRoot,
  status,
  subtract,
  toInt32,
  wrap,
} from '../../translators/float/arithmetic.ts';
import { bits, edges, generator, nans, randomAddend, randomDouble, seed } from './cases.ts';
import {
  doubleShape,
  type Exact,
  productAndSum,
  quotient,
  roundByDefinition,
  singleShape,
  squareRootOf,
} from './oracle.ts';

const modes = Object.values(rounding);
const formats = [double, single];
const comparedFlags = flag.inexact | flag.roundedUp | flag.overflow | flag.tiny;

/** Compares a nonzero finite exact result with what the implementation gave. */
function expectRounded(what: string, result: number, exact: Exact, mode: number, format: Format): void {
  const got = `${bits(result)} flags ${status[0] & comparedFlags}`;
  const outcome = roundByDefinition(exact, mode, format === double ? doubleShape : singleShape, result);
  // Which way an overflow went is not reported.
  const flags = (status[0] & flag.overflow) !== 0 ? outcome.flags & ~flag.roundedUp : outcome.flags;
  const expected = `${bits(outcome.value)} flags ${flags}`;
  if (got !== expected)
    expect.fail(`${what} mode ${mode} single ${format === single}: ${got}, not ${expected} (SEED=${seed})`);
}

function checkAll(a: number, b: number, c: number, mode: number, format: Format): void {
  const finite = Number.isFinite(a) && Number.isFinite(b);
  const name = `${bits(a)} ${bits(b)} ${bits(c)}`;
  const maskRoundedUp = () => {
    if ((status[0] & flag.overflow) !== 0) status[0] &= ~flag.roundedUp;
  };
  const check = (what: string, result: number, exact: Exact) => {
    maskRoundedUp();
    if (exact.numerator !== 0n) expectRounded(`${what} ${name}`, result, exact, mode, format);
    else expect(`${what} ${name} ${result === 0} ${status[0]}`).toBe(`${what} ${name} true 0`);
  };
  if (finite) {
    check('add', add(a, b, mode, format), productAndSum(a, 1, b));
    check('subtract', subtract(a, b, mode, format), productAndSum(a, 1, -b));
    check('multiply', multiply(a, b, mode, format), productAndSum(a, b, 0));
    if (b !== 0) check('divide', divide(a, b, mode, format), quotient(a, b));
    if (Number.isFinite(c)) check('multiplyAdd', multiplyAdd(a, b, c, mode, format), productAndSum(a, b, c));
  }
  if (Number.isFinite(a) && a > 0) check('squareRoot', squareRoot(a, mode, format), squareRootOf(a));
  if (Number.isFinite(a) && format === single) check('roundToSingle', roundToSingle(a, mode), productAndSum(a, 1, 0));
}

describe('results and flags by definition', () => {
  test.each(modes)('edges with edges, rounding mode %i', { timeout: 60000 }, (mode) => {
    for (const format of formats) {
      edges.forEach((a, i) => {
        // Positive first operands do: what they give with both signs of the second, negative ones mirror.
        if ((i & 1) === 1) return;
        edges.forEach((b, j) => {
          checkAll(a, b, edges[(i * 7 + j * 3) % edges.length], mode, format);
        });
      });
    }
  });

  test('random operands', { timeout: 60000 }, () => {
    const next = generator(seed);
    for (let i = 0; i < 3000; i++) {
      const a = randomDouble(next);
      const b = randomDouble(next);
      checkAll(a, b, randomAddend(next, a * b), next() & 3, formats[next() & 1]);
    }
  });
});

describe('special operands', () => {
  const outcome = (result: number) => [result, status[0]];

  test.each(modes)('the sign of exact zeros in mode %i', (mode) => {
    const cancelled = mode === rounding.down ? -0 : 0;
    for (const format of formats) {
      expect(outcome(add(1, -1, mode, format))).toEqual([cancelled, 0]);
      expect(outcome(add(0, -0, mode, format))).toEqual([cancelled, 0]);
      expect(outcome(add(0, 0, mode, format))).toEqual([0, 0]);
      expect(outcome(add(-0, -0, mode, format))).toEqual([-0, 0]);
      expect(outcome(subtract(0, 0, mode, format))).toEqual([cancelled, 0]);
      expect(outcome(subtract(-0, 0, mode, format))).toEqual([-0, 0]);
      expect(outcome(multiplyAdd(2, 3, -6, mode, format))).toEqual([cancelled, 0]);
      expect(outcome(multiplyAdd(-0, 3, 0, mode, format))).toEqual([cancelled, 0]);
      expect(outcome(multiplyAdd(-0, 3, -0, mode, format))).toEqual([-0, 0]);
      expect(outcome(multiplyAdd(0, 3, 0, mode, format))).toEqual([0, 0]);
      expect(outcome(multiply(-0, 5e-324, mode, format))).toEqual([-0, 0]);
      expect(outcome(divide(0, -5, mode, format))).toEqual([-0, 0]);
      expect(outcome(squareRoot(-0, mode, format))).toEqual([-0, 0]);
      expect(outcome(roundToSingle(-0, mode))).toEqual([-0, 0]);
    }
  });

  test('infinities and invalid operations', () => {
    for (const mode of modes) {
      for (const format of formats) {
        expect(outcome(add(Infinity, -Infinity, mode, format))).toEqual([NaN, flag.infinityMinusInfinity]);
        expect(outcome(add(Infinity, 1, mode, format))).toEqual([Infinity, 0]);
        expect(outcome(subtract(Infinity, Infinity, mode, format))).toEqual([NaN, flag.infinityMinusInfinity]);
        expect(outcome(multiply(0, -Infinity, mode, format))).toEqual([NaN, flag.infinityTimesZero]);
        expect(outcome(multiply(-2, Infinity, mode, format))).toEqual([-Infinity, 0]);
        expect(outcome(divide(Infinity, -Infinity, mode, format))).toEqual([NaN, flag.infinityByInfinity]);
        expect(outcome(divide(0, -0, mode, format))).toEqual([NaN, flag.zeroByZero]);
        expect(outcome(divide(5e-324, -0, mode, format))).toEqual([-Infinity, flag.divideByZero]);
        expect(outcome(divide(Infinity, 0, mode, format))).toEqual([Infinity, 0]);
        expect(outcome(divide(1, -Infinity, mode, format))).toEqual([-0, 0]);
        expect(outcome(squareRoot(-5e-324, mode, format))).toEqual([NaN, flag.negativeRoot]);
        expect(outcome(squareRoot(Infinity, mode, format))).toEqual([Infinity, 0]);
        expect(outcome(multiplyAdd(Infinity, 0, 1, mode, format))).toEqual([NaN, flag.infinityTimesZero]);
        expect(outcome(multiplyAdd(Infinity, 2, -Infinity, mode, format))).toEqual([NaN, flag.infinityMinusInfinity]);
        expect(outcome(multiplyAdd(1e300, 1e300, -Infinity, mode, format))).toEqual([-Infinity, 0]);
        expect(outcome(roundToSingle(-Infinity, mode))).toEqual([-Infinity, 0]);
      }
    }
  });

  test('NaN operands are invalid only when they signal', () => {
    for (const nan of nans) {
      const expected = [NaN, bits(nan)[3] >= '8' ? 0 : flag.signalling];
      for (const format of formats) {
        for (const other of [0, 1, Infinity]) {
          expect(outcome(add(nan, other, 0, format))).toEqual(expected);
          expect(outcome(subtract(other, nan, 0, format))).toEqual(expected);
          expect(outcome(multiply(other, nan, 0, format))).toEqual(expected);
          expect(outcome(divide(nan, other, 0, format))).toEqual(expected);
          expect(outcome(multiplyAdd(1, other, nan, 0, format))).toEqual(expected);
        }
        expect(outcome(squareRoot(nan, 0, format))).toEqual(expected);
        expect(outcome(roundToSingle(nan, 0))).toEqual(expected);
        multiplyAdd(Infinity, 0, nan, 0, format);
        expect(status[0] & flag.infinityTimesZero).toBe(flag.infinityTimesZero);
      }
      expect(outcome(compare(nan, 1))).toEqual([relation.unordered, expected[1]]);
      expect(outcome(toInt32(nan, 0))).toEqual([-0x80000000, expected[1] | flag.conversion]);
      expect(outcome(roundToIntegral(nan, 0))).toEqual(expected);
    }
  });

  test('wrapped overflow and underflow deliver the result with its exponent adjusted', () => {
    expect(outcome(multiply(2 ** 1000, 3 * 2 ** 100, wrap.overflow, double))).toEqual([3 * 2 ** -436, flag.overflow]);
    expect(outcome(multiply(2 ** 100, 3 * 2 ** 100, wrap.overflow, single))).toEqual([3 * 2 ** 8, flag.overflow]);
    const underflow = multiply(2 ** -1000, 2 ** -100 * (1 + 2 ** -52), wrap.underflow, double);
    expect(underflow).toBe(2 ** 436 * (1 + 2 ** -52));
    expect(status[0] & (flag.tiny | flag.inexact)).toBe(flag.tiny);
  });
});

describe('conversions', () => {
  // biome-ignore format: one operand per line
  const rows: [a: number, nearest: number, zero: number, up: number, down: number, away: number][] = [
    [0.5, 0, 0, 1, 0, 1],
    [-0.5, -0, -0, -0, -1, -1],
    [1.5, 2, 1, 2, 1, 2],
    [-2.5, -2, -2, -2, -3, -3],
    [2.5, 2, 2, 3, 2, 3],
    [0.49999999999999994, 0, 0, 1, 0, 0],
    [-0, -0, -0, -0, -0, -0],
    [5e-324, 0, 0, 1, 0, 0],
    [4503599627370495.5, 4503599627370496, 4503599627370495, 4503599627370496, 4503599627370495, 4503599627370496],
    [-9007199254740994, -9007199254740994, -9007199254740994, -9007199254740994, -9007199254740994, -9007199254740994],
    [Infinity, Infinity, Infinity, Infinity, Infinity, Infinity],
  ];

  test.each(rows)('%d to an integral value', (a, ...expected) => {
    const order = [rounding.nearest, rounding.zero, rounding.up, rounding.down, nearestAway];
    expect(order.map((mode) => roundToIntegral(a, mode))).toEqual(expected);
    expect(status[0]).toBe(0);
  });

  test('to a 32-bit integer', () => {
    const { nearest, zero, up, down } = rounding;
    const convert = (a: number, mode: number) => [toInt32(a, mode), status[0]];
    expect(convert(2.5, nearest)).toEqual([2, flag.inexact]);
    expect(convert(3.5, nearest)).toEqual([4, flag.inexact | flag.roundedUp]);
    expect(convert(-1.5, up)).toEqual([-1, flag.inexact]);
    expect(convert(-1.5, down)).toEqual([-2, flag.inexact | flag.roundedUp]);
    expect(convert(-0, zero)).toEqual([0, 0]);
    expect(convert(2147483647.4, nearest)).toEqual([2147483647, flag.inexact]);
    expect(convert(2147483647.5, nearest)).toEqual([2147483647, flag.conversion]);
    expect(convert(2147483647.5, zero)).toEqual([2147483647, flag.inexact]);
    expect(convert(-2147483648.5, nearest)).toEqual([-2147483648, flag.inexact]);
    expect(convert(-2147483648.5, down)).toEqual([-2147483648, flag.conversion]);
    expect(convert(Infinity, zero)).toEqual([2147483647, flag.conversion]);
    expect(convert(-Infinity, zero)).toEqual([-2147483648, flag.conversion]);
  });

  test('comparison', () => {
    expect(compare(-0, 0)).toBe(relation.equal);
    expect(compare(-Infinity, 5)).toBe(relation.less);
    expect(compare(5, 4)).toBe(relation.greater);
  });
});
