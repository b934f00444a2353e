/** Addition, multiplication, division and square root of normal numbers and zeros, rounded in every mode and precision. */
import type { FunctionType } from '../encoder.ts';
import {
  add,
  addDouble,
  and,
  atLeastSigned,
  atLeastUnsigned,
  bitsOfDouble,
  divideDouble,
  divideUnsigned,
  double,
  doubleOfSigned,
  doubleOfUnsigned,
  type Expression,
  equal,
  extend,
  greaterUnsigned,
  i32,
  i64,
  isZero,
  leadingZeros,
  lessSigned,
  lessUnsigned,
  multiply,
  multiplyDouble,
  notEqual,
  or,
  select,
  shiftLeft,
  shiftRight,
  squareRoot,
  subtract,
  truncateToSigned,
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
  type KernelParts,
  largestExponent,
  type Number80,
  precisionBits,
  precisionFlag,
  roundingBits,
  sign,
  signOf,
} from './unit.ts';

const lowWord = 0xffffffffn;

/** Register to write, and both operands; gives 0 where the helper has to compute. */
const coreType: FunctionType = { parameters: ['i32', 'i64', 'i32', 'i64', 'i32'], result: 'i32' };

export interface ArithmeticCores {
  readonly add: ReturnType<KernelParts['shared']>;
  readonly multiply: ReturnType<KernelParts['shared']>;
  readonly divide: ReturnType<KernelParts['shared']>;
  readonly squareRoot: ReturnType<KernelParts['shared']>;
}

/**
 * Rounds a result to the precision in force, writes it to a register with its flags, and returns 1.
 * @param high its first 64 bits, the first of which is 1 @param low the bits behind, the last of which is set for anything below
 */
function finish(
  f: KernelBody,
  register: Variable,
  negative: Variable,
  exponent: Variable,
  high: Variable,
  low: Variable,
): void {
  const { k } = f;
  const shorter = k.let(and(f.control, precisionBits));
  // How many bits of the 64 are cut off, and the number without them.
  const cut = k.local('i32', 0);
  k.if(shorter, () => {
    // As the register has it, 100 are 53 bits, 300 are 24; 200 is reserved and 64.
    k.set(cut, select(equal(shorter, 0x100), 11, select(equal(shorter, 0x300), 40, i32(0))));
    k.if(cut, () => {
      const rest = or(shiftLeft(high, subtract(64, cut)), shiftRight(low, cut));
      const below = extend(notEqual(shiftLeft(low, subtract(64, cut)), 0));
      k.set(low, or(rest, below));
      k.set(high, shiftRight(high, cut));
    });
  });
  const flags = k.local('i32', 0);
  k.if(notEqual(low, 0), () => {
    const away = f.roundsAway(high, low, negative);
    k.set(high, add(high, extend(away)));
    k.set(flags, select(away, precisionFlag | c1, i32(precisionFlag)));
  });
  // A carry out of the significand leaves 0.
  k.set(high, shiftLeft(high, cut));
  k.if(isZero(high), () => {
    k.set(high, integerBit);
    k.set(exponent, add(exponent, 1));
  });
  f.slowIf(atLeastUnsigned(subtract(exponent, 1), largestExponent - 1));
  f.write(register, high, or(negative, exponent));
  f.setStatus(c1, flags);
  k.return(1);
}

/** Writes a result that is exact, and returns 1. */
function finishExact(f: KernelBody, register: Variable, significand: Expression, head: Expression): void {
  f.write(register, significand, head);
  f.setStatus(c1, undefined);
  f.k.return(1);
}

function operands(
  f: KernelBody,
  [, aSignificand, aHead, bSignificand, bHead]: readonly Variable[],
): [Number80, Number80] {
  const a = { significand: aSignificand, head: aHead };
  const b = { significand: bSignificand, head: bHead };
  f.slowIfUnmasked();
  f.slowUnlessOrdinary(a);
  f.slowUnlessOrdinary(b);
  return [a, b];
}

function writeAdd(f: KernelBody, parameters: readonly Variable[]): void {
  const { k } = f;
  const [register] = parameters;
  const [a, b] = operands(f, parameters);
  const either = isZero(a.significand);
  k.if(or(either, isZero(b.significand)), () => {
    // Another precision may shorten the other number.
    f.slowIf(and(f.control, precisionBits));
    k.if(isZero(or(a.significand, b.significand)), () => {
      // Of different signs: by the rounding mode.
      f.slowIf(and(notEqual(a.head, b.head), notEqual(and(f.control, roundingBits), 0)));
      finishExact(f, register, i64(0), and(a.head, b.head));
    });
    finishExact(f, register, or(a.significand, b.significand), select(either, b.head, a.head));
  });
  // `a` shall be the larger one.
  const isSmaller = or(
    lessUnsigned(exponentOf(a), exponentOf(b)),
    and(equal(exponentOf(a), exponentOf(b)), lessUnsigned(a.significand, b.significand)),
  );
  k.if(isSmaller, () => {
    const significand = k.let(a.significand);
    const head = k.let(a.head);
    k.set(a.significand, b.significand);
    k.set(a.head, b.head);
    k.set(b.significand, significand);
    k.set(b.head, head);
  });
  const exponent = k.let(exponentOf(a));
  const negative = k.let(signOf(a));
  const distance = k.let(subtract(exponent, exponentOf(b)));
  // The smaller one at the larger one's place: its bits there, those behind, and whether there are more.
  const high = k.local('i64', b.significand);
  const low = k.local('i64', 0);
  k.if(distance, () => {
    k.if(
      lessUnsigned(distance, 64),
      () => {
        k.set(low, shiftLeft(b.significand, subtract(64, distance)));
        k.set(high, shiftRight(b.significand, distance));
      },
      () => {
        k.set(high, 0);
        k.if(
          lessUnsigned(distance, 128),
          () => {
            // By a count of 64 nothing is shifted: at that distance all bits are kept.
            const below = select(equal(distance, 64), i64(0), shiftLeft(b.significand, subtract(128, distance)));
            k.set(low, or(shiftRight(b.significand, subtract(distance, 64)), extend(notEqual(below, 0))));
          },
          () => k.set(low, 1),
        );
      },
    );
  });
  k.if(
    isZero(and(xor(a.head, b.head), sign)),
    () => {
      k.set(high, add(a.significand, high));
      k.if(lessUnsigned(high, a.significand), () => {
        k.set(low, or(shiftRight(low, 1), or(shiftLeft(high, 63), and(low, 1))));
        k.set(high, or(shiftRight(high, 1), integerBit));
        k.set(exponent, add(exponent, 1));
      });
    },
    () => {
      k.set(high, subtract(subtract(a.significand, high), extend(notEqual(low, 0))));
      k.set(low, subtract(0, low));
      k.if(atLeastSigned(high, 0), () => {
        k.if(isZero(high), () => {
          k.if(isZero(low), () => {
            f.slowIf(and(f.control, roundingBits));
            finishExact(f, register, i64(0), i32(0));
          });
          k.set(high, low);
          k.set(low, 0);
          k.set(exponent, subtract(exponent, 64));
        });
        const shift = k.let(leadingZeros(high));
        k.if(wrap(shift), () => {
          k.set(high, or(shiftLeft(high, shift), shiftRight(low, subtract(64, shift))));
          k.set(low, shiftLeft(low, shift));
          k.set(exponent, subtract(exponent, wrap(shift)));
        });
      });
    },
  );
  finish(f, register, negative, exponent, high, low);
}

function writeMultiply(f: KernelBody, parameters: readonly Variable[]): void {
  const { k } = f;
  const [register] = parameters;
  const [a, b] = operands(f, parameters);
  const negative = k.let(and(xor(a.head, b.head), sign));
  k.if(or(isZero(a.significand), isZero(b.significand)), () => finishExact(f, register, i64(0), negative));
  const exponent = k.let(subtract(add(exponentOf(a), exponentOf(b)), 16382));
  const { high, low } = product(f, a.significand, b.significand);
  k.if(atLeastSigned(high, 0), () => {
    k.set(high, or(shiftLeft(high, 1), shiftRight(low, 63)));
    k.set(low, shiftLeft(low, 1));
    k.set(exponent, subtract(exponent, 1));
  });
  finish(f, register, negative, exponent, high, low);
}

function writeDivide(f: KernelBody, parameters: readonly Variable[]): void {
  const { k } = f;
  const [register] = parameters;
  const [a, b] = operands(f, parameters);
  f.slowIf(isZero(b.significand));
  const negative = k.let(and(xor(a.head, b.head), sign));
  k.if(isZero(a.significand), () => finishExact(f, register, i64(0), negative));
  const exponent = k.let(add(subtract(exponentOf(a), exponentOf(b)), 16382));
  // The dividend, less than the divisor, and what stands behind it.
  const dividend = k.let(a.significand);
  const next = k.local('i64', 0);
  k.if(atLeastUnsigned(dividend, b.significand), () => {
    k.set(next, shiftLeft(dividend, 63));
    k.set(dividend, shiftRight(dividend, 1));
    k.set(exponent, add(exponent, 1));
  });
  // Two digits of 32 bits (Knuth, The Art of Computer Programming, volume 2, 4.3.1, algorithm D).
  const divisor = b.significand;
  const divisorHigh = k.let(shiftRight(divisor, 32));
  const divisorLow = k.let(and(divisor, lowWord));
  const rest = dividend;
  const digit = (following: Expression): Variable => {
    const quotient = k.let(divideUnsigned(rest, divisorHigh));
    const remainder = k.let(subtract(rest, multiply(quotient, divisorHigh)));
    // The estimate is at most two too large.
    for (let times = 0; times < 2; times++) {
      const isTooLarge = or(
        notEqual(shiftRight(quotient, 32), 0),
        greaterUnsigned(multiply(quotient, divisorLow), or(shiftLeft(remainder, 32), following)),
      );
      k.if(and(isZero(shiftRight(remainder, 32)), isTooLarge), () => {
        k.set(quotient, subtract(quotient, 1));
        k.set(remainder, add(remainder, divisorHigh));
      });
    }
    k.set(rest, subtract(or(shiftLeft(rest, 32), following), multiply(quotient, divisor)));
    return quotient;
  };
  const nextHigh = k.let(shiftRight(next, 32));
  const first = digit(nextHigh);
  const second = digit(i64(0));
  const high = k.let(or(shiftLeft(first, 32), second));
  // The rest of the division against half the divisor.
  const low = k.local('i64', 0);
  k.if(notEqual(rest, 0), () => {
    const twice = k.let(shiftLeft(rest, 1));
    const isHalf = equal(twice, divisor);
    const isMore = or(lessSigned(rest, 0), greaterUnsigned(twice, divisor));
    k.set(low, select(isMore, integerBit | 1n, select(isHalf, integerBit, i64(1))));
  });
  finish(f, register, negative, exponent, high, low);
}

function writeSquareRoot(f: KernelBody, parameters: readonly Variable[]): void {
  const { k } = f;
  const [register, significand, head] = parameters;
  const a = { significand, head };
  f.slowIfUnmasked();
  f.slowUnlessOrdinary(a);
  k.if(isZero(significand), () => finishExact(f, register, significand, head));
  f.slowIf(and(head, sign));
  // The square is 2^127 or 2^126 times a number in [1, 2), so that the root has 64 bits: by the parity of the exponent.
  const isOdd = k.let(and(head, 1));
  const exponent = k.let(shiftRight(add(head, 16383), 1));
  const high = k.let(select(isOdd, shiftRight(significand, 1), significand));
  const low = k.let(select(isOdd, shiftLeft(significand, 63), i64(0)));
  // A root good for some 50 bits, below 2^64.
  const estimate = multiplyDouble(squareRoot(doubleOfUnsigned(high)), double(2 ** 32));
  const bits = k.let(bitsOfDouble(estimate));
  // As an integer: the significand of the double, from an exponent of 63; 2^64 itself becomes the largest.
  const root = k.let(shiftLeft(or(and(bits, 0xfffffffffffffn), 1n << 52n), 11));
  k.if(equal(wrap(shiftRight(bits, 52)), 1023 + 64), () => k.set(root, -1));
  // What the square of the root leaves, signed, in 128 bits of which few are used.
  const { high: squareHigh, low: squareLow } = product(f, root, root);
  const restLow = k.let(subtract(low, squareLow));
  const restHigh = k.let(subtract(subtract(high, squareHigh), extend(lessUnsigned(low, squareLow))));
  const rest = addDouble(multiplyDouble(doubleOfSigned(restHigh), double(2 ** 64)), doubleOfUnsigned(restLow));
  const step = truncateToSigned(divideDouble(rest, multiplyDouble(doubleOfUnsigned(root), double(2))));
  const better = k.let(add(root, step));
  // The largest root is never overstepped by the first one's correction, but may wrap around.
  k.if(atLeastSigned(better, 0), () => k.set(better, -1));
  const square = product(f, better, better);
  k.set(restLow, subtract(low, square.low));
  k.set(restHigh, subtract(subtract(high, square.high), extend(lessUnsigned(low, square.low))));
  // One step down while the square is too large, or up while the next one is not.
  for (let times = 0; times < 2; times++) {
    k.if(lessSigned(restHigh, 0), () => {
      k.set(better, subtract(better, 1));
      // rest + 2 * root + 1
      const addend = k.let(or(shiftLeft(better, 1), 1));
      const sum = k.let(add(restLow, addend));
      k.set(restHigh, add(add(restHigh, shiftRight(better, 63)), extend(lessUnsigned(sum, addend))));
      k.set(restLow, sum);
    });
  }
  for (let times = 0; times < 2; times++) {
    const isMore = or(
      greaterUnsigned(restHigh, shiftRight(better, 63)),
      and(equal(restHigh, shiftRight(better, 63)), greaterUnsigned(restLow, shiftLeft(better, 1))),
    );
    k.if(and(isMore, atLeastSigned(restHigh, 0)), () => {
      const taken = k.let(or(shiftLeft(better, 1), 1));
      const carried = extend(lessUnsigned(restLow, taken));
      k.set(restHigh, subtract(subtract(restHigh, shiftRight(better, 63)), carried));
      k.set(restLow, subtract(restLow, taken));
      k.set(better, add(better, 1));
    });
  }
  // More than half a unit is left when the rest is more than the root.
  const rest64 = k.local('i64', 0);
  k.if(notEqual(or(restHigh, restLow), 0), () => {
    const isAbove = or(notEqual(restHigh, 0), greaterUnsigned(restLow, better));
    k.set(rest64, select(isAbove, integerBit | 1n, i64(1)));
  });
  const negative = k.local('i32', 0);
  finish(f, register, negative, exponent, better, rest64);
}

export function defineArithmeticCores({ shared }: KernelParts): ArithmeticCores {
  return {
    add: shared(coreType, writeAdd),
    multiply: shared(coreType, writeMultiply),
    divide: shared(coreType, writeDivide),
    squareRoot: shared({ parameters: ['i32', 'i64', 'i32'], result: 'i32' }, writeSquareRoot),
  };
}
