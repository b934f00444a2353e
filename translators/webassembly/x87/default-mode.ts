/**
 * Addition and multiplication of normal numbers in the default mode (to nearest, 64 bits, inexactness masked), which is
 * nearly all arithmetic that programs do: in place at each use, and without a branch that depends on the numbers but for
 * that between sums and differences.
 */
import {
  add,
  and,
  atLeastUnsigned,
  type Expression,
  equal,
  extend,
  i64,
  isZero,
  leadingZeros,
  lessSigned,
  lessUnsigned,
  multiply,
  notEqual,
  or,
  select,
  shiftLeft,
  shiftRight,
  subtract,
  type Variable,
  wrap,
  xor,
} from './expressions.ts';
import { product } from './product.ts';
import {
  c1,
  exponentOf,
  integerBit,
  type KernelBody,
  largestExponent,
  type Number80,
  otherExceptions,
  precisionFlag,
  sign,
} from './unit.ts';

/** A result that is to be rounded: 128 bits, the first of which is 1 and the last of which stands for all behind. */
interface Result {
  readonly negative: Variable;
  readonly exponent: Variable;
  readonly high: Variable;
  readonly low: Variable;
}

/** Shifts a result left by an i64 count from 0 to 63. */
function normalize(f: KernelBody, { exponent, high, low }: Result, count: Variable): void {
  const { k } = f;
  k.set(high, or(shiftLeft(high, count), shiftRight(shiftRight(low, 1), subtract(63, count))));
  k.set(low, shiftLeft(low, count));
  k.set(exponent, subtract(exponent, wrap(count)));
}

type Leave = (condition: Expression) => void;

/** Rounds to nearest, and writes the register and the flags; leaves where the result is not normal. */
function finish(f: KernelBody, register: Variable, { negative, exponent, high, low }: Result, leave: Leave): void {
  const { k } = f;
  const isOddOrMore = notEqual(or(shiftLeft(low, 1), and(high, 1)), 0);
  const away = k.let(and(lessSigned(low, 0), isOddOrMore));
  k.set(high, add(high, extend(away)));
  // A carry out of the significand leaves 0.
  const carried = k.let(isZero(high));
  k.set(high, or(high, shiftLeft(extend(carried), 63)));
  k.set(exponent, add(exponent, carried));
  leave(atLeastUnsigned(subtract(exponent, 1), largestExponent - 1));
  f.write(register, high, or(negative, exponent));
  f.setStatus(c1, or(multiply(notEqual(low, 0), precisionFlag), multiply(away, c1)));
}

function writeSum(f: KernelBody, register: Variable, a: Number80, b: Number80, leave: Leave): void {
  const { k } = f;
  const aExponent = k.let(exponentOf(a));
  const bExponent = k.let(exponentOf(b));
  const isSmaller = k.let(
    or(
      lessUnsigned(aExponent, bExponent),
      and(equal(aExponent, bExponent), lessUnsigned(a.significand, b.significand)),
    ),
  );
  const large = k.let(select(isSmaller, b.significand, a.significand));
  const small = k.let(select(isSmaller, a.significand, b.significand));
  const negative = k.let(and(select(isSmaller, b.head, a.head), sign));
  const exponent = k.let(select(isSmaller, bExponent, aExponent));
  const distance = k.let(subtract(exponent, select(isSmaller, aExponent, bExponent)));
  // The smaller number at the larger one's place. Far away only the last bit is left, which stands for all.
  const high = k.local('i64');
  const low = k.local('i64');
  k.if(
    lessUnsigned(distance, 64),
    () => {
      k.set(high, shiftRight(small, distance));
      // In two steps, of which the first is by 1: at a distance of 0 nothing is left.
      k.set(low, shiftLeft(shiftLeft(small, 1), subtract(63, distance)));
    },
    () => {
      k.set(high, 0);
      const near = or(shiftRight(small, and(distance, 1)), and(small, 1));
      k.set(low, select(lessUnsigned(distance, 66), near, i64(1)));
    },
  );
  const result: Result = { negative, exponent, high, low };
  k.if(
    isZero(and(xor(a.head, b.head), sign)),
    () => {
      k.set(high, add(high, large));
      const carry = k.let(extend(lessUnsigned(high, large)));
      k.set(low, or(shiftRight(low, carry), and(or(shiftLeft(high, 63), and(low, 1)), subtract(0, carry))));
      k.set(high, or(shiftRight(high, carry), shiftLeft(carry, 63)));
      k.set(exponent, add(exponent, wrap(carry)));
    },
    () => {
      k.set(high, subtract(subtract(large, high), extend(notEqual(low, 0))));
      k.set(low, subtract(0, low));
      // Equal numbers, or so nearly that only bits behind are left.
      leave(isZero(high));
      normalize(f, result, k.let(leadingZeros(high)));
    },
  );
  finish(f, register, result, leave);
}

function writeProduct(f: KernelBody, register: Variable, a: Number80, b: Number80, leave: Leave): void {
  const { k } = f;
  const negative = k.let(and(xor(a.head, b.head), sign));
  const exponent = k.let(subtract(add(exponentOf(a), exponentOf(b)), 16382));
  const { high, low } = product(f, a.significand, b.significand);
  const result: Result = { negative, exponent, high, low };
  normalize(f, result, k.let(shiftRight(xor(high, integerBit), 63)));
  finish(f, register, result, leave);
}

const operations = { add: writeSum, multiply: writeProduct } as const;

/** Whether there is a way in the default mode for an operation. */
export function hasDefaultMode(operation: string): operation is keyof typeof operations {
  return operation in operations;
}

/** Computes into a register; where numbers, mode or result are not such, nothing is done. @param done ends the function */
export function inDefaultMode(
  f: KernelBody,
  operation: keyof typeof operations,
  register: Variable,
  a: Number80,
  b: Number80,
  done: () => void,
): void {
  const areNormal = and(f.isNormal(a), f.isNormal(b));
  f.k.block((leave) => {
    leave(isZero(and(areNormal, isZero(and(f.control, ~otherExceptions)))));
    operations[operation](f, register, a, b, leave);
    done();
  });
}
