/** Loads, stores, comparisons and moves of normal numbers and zeros (comparisons: infinities too). */
import type { ValueType } from '../encoder.ts';
import {
  add,
  and,
  atLeastUnsigned,
  bitsOfDouble,
  doubleOfBits,
  type Expression,
  equal,
  extend,
  extend16,
  extend32,
  extendSigned,
  greaterSigned,
  greaterUnsigned,
  i32,
  i64,
  isZero,
  leadingZeros,
  lessSigned,
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
import {
  c1,
  exponentOf,
  integerBit,
  type KernelBody,
  type KernelParts,
  largestExponent,
  type Number80,
  pending,
  precisionFlag,
  sign,
  signOf,
} from './unit.ts';

const bias = 16383;

/** Kinds of operands in memory, by their helper's operand; each makes a number of it, or leaves. */
export interface Source {
  readonly name: string;
  readonly type: ValueType;
  readonly widen: (f: KernelBody, value: Variable) => Number80;
}

function widenDouble(f: KernelBody, value: Variable): Number80 {
  const { k } = f;
  const bits = k.let(bitsOfDouble(value));
  const exponent = k.let(and(wrap(shiftRight(bits, 52)), 0x7ff));
  const negative = and(wrap(shiftRight(bits, 48)), sign);
  const significand = k.let(or(shiftLeft(bits, 11), integerBit));
  const head = k.let(or(negative, add(exponent, bias - 1023)));
  k.if(atLeastUnsigned(subtract(exponent, 1), 0x7fe), () => {
    f.slowIf(notEqual(shiftLeft(bits, 1), 0));
    k.set(significand, 0);
    k.set(head, negative);
  });
  return { significand, head };
}

function widenSingle(f: KernelBody, bits: Variable): Number80 {
  const { k } = f;
  const exponent = k.let(and(shiftRight(bits, 23), 0xff));
  const negative = and(shiftRight(bits, 16), sign);
  const significand = k.let(or(shiftLeft(extend(bits), 40), integerBit));
  const head = k.let(or(negative, add(exponent, bias - 127)));
  k.if(atLeastUnsigned(subtract(exponent, 1), 0xfe), () => {
    f.slowIf(shiftLeft(bits, 1));
    k.set(significand, 0);
    k.set(head, negative);
  });
  return { significand, head };
}

/** A signed doubleword. */
function widenLong(f: KernelBody, value: Variable): Number80 {
  const { k } = f;
  const head = k.local('i32', 0);
  const significand = k.let(value);
  k.if(notEqual(value, 0), () => {
    k.set(head, add(and(wrap(shiftRight(value, 48)), sign), bias + 63));
    k.if(lessSigned(value, 0), () => k.set(significand, subtract(0, value)));
    const shift = k.let(leadingZeros(significand));
    k.set(significand, shiftLeft(significand, shift));
    k.set(head, subtract(head, wrap(shift)));
  });
  return { significand, head };
}

const widenInteger = (f: KernelBody, value: Variable): Number80 => widenLong(f, f.k.let(extendSigned(value)));

export const sources: readonly Source[] = [
  { name: 'single', type: 'i32', widen: widenSingle },
  { name: 'double', type: 'f64', widen: widenDouble },
  { name: 'integer', type: 'i32', widen: widenInteger },
];

function defineLoads({ define }: KernelParts): void {
  for (const { name, type, widen } of sources) {
    define(`load.${name}`, { parameters: [type], result: '' }, (f, [value]) => {
      const { significand, head } = widen(f, value);
      f.push(significand, head);
    });
  }
  define('load.long', { parameters: ['f64'], result: '' }, (f, [value]) => {
    const { significand, head } = widenLong(f, f.k.let(bitsOfDouble(value)));
    f.push(significand, head);
  });
  define('load.extended', { parameters: ['f64', 'i32'], result: '' }, (f, [low, head]) => {
    f.push(bitsOfDouble(low), and(head, 0xffff));
  });
  define('load.register', { parameters: ['i32'], result: '' }, (f, [i]) => {
    const register = f.physical(i);
    f.slowIfEmpty(register);
    f.push(f.significandAt(register), f.headAt(register));
  });
  // fld1 and fldz; the others depend on the rounding mode.
  define('load.constant', { parameters: ['i32'], result: '' }, (f, [n]) => {
    const isOne = f.k.let(isZero(n));
    f.slowIf(and(isZero(isOne), notEqual(n, 6)));
    f.push(select(isOne, i64(integerBit), 0), select(isOne, i32(bias), 0));
  });
}

/** Sets the flags of a number that was rounded: what is lost, and whether away from zero. */
function flagRounding(f: KernelBody, rest: Expression, away: Expression): void {
  f.setStatus(c1, select(notEqual(rest, 0), select(away, precisionFlag | c1, i32(precisionFlag)), 0));
}

/** ST(0), which must be there; leaves for the helper unless it is normal or zero, and inexactness masked. */
function readTop(f: KernelBody): Number80 {
  const register = f.physical(0);
  f.slowIfEmpty(register);
  f.slowIfUnmasked();
  const number = f.read(register);
  f.slowUnlessOrdinary(number);
  return number;
}

/** Stores in a narrower binary format. */
function defineNarrowing(
  { define }: KernelParts,
  name: string,
  type: ValueType,
  fractionBits: number,
  leastBias: number,
  result: (bits: Expression) => Expression,
): void {
  const cut = 63 - fractionBits;
  const exponents = 2 * leastBias + 1;
  define(`store.${name}`, { parameters: [], result: type }, (f) => {
    const { k } = f;
    const a = readTop(f);
    const negative = shiftLeft(extend(shiftRight(signOf(a), 15)), type === 'f64' ? 63 : 31);
    k.if(isZero(a.significand), () => {
      f.setStatus(c1, undefined);
      k.return(result(negative));
    });
    const exponent = k.let(subtract(exponentOf(a), bias - leastBias));
    // Far from overflow even when rounded up.
    f.slowIf(atLeastUnsigned(subtract(exponent, 1), exponents - 2));
    const magnitude = k.let(shiftRight(a.significand, cut));
    const rest = k.let(shiftLeft(a.significand, 64 - cut));
    const away = f.roundsAway(magnitude, rest, signOf(a));
    flagRounding(f, rest, away);
    // The integer bit of the magnitude adds one to the exponent, and so does a carry.
    const bits = add(shiftLeft(extend(subtract(exponent, 1)), fractionBits), add(magnitude, extend(away)));
    k.return(result(or(negative, bits)));
  });
}

/** A number's magnitude as an integer below 2^63, and what is lost of it in units of 2^-64; for exponents below bias + 63. */
function integerParts(f: KernelBody, a: Number80): { magnitude: Variable; rest: Variable } {
  const { k } = f;
  const drop = k.let(subtract(bias + 63, exponentOf(a)));
  const magnitude = k.local('i64', 0);
  const rest = k.local('i64', 0);
  k.if(
    greaterSigned(i32(64), drop),
    () => {
      k.set(magnitude, shiftRight(a.significand, drop));
      k.set(rest, shiftLeft(a.significand, subtract(64, drop)));
    },
    () => k.set(rest, select(equal(drop, 64), a.significand, extend(notEqual(a.significand, 0)))),
  );
  return { magnitude, rest };
}

/** fist, fistp and fisttp. */
function defineIntegerStores({ define }: KernelParts): void {
  const formats: readonly (readonly [string, ValueType, (value: Expression) => Expression])[] = [
    ['Short', 'i32', extend16],
    ['Integer', 'i32', extend32],
    ['Long', 'f64', (value) => value],
  ];
  for (const [name, type, narrowed] of formats) {
    for (const truncates of [false, true]) {
      const helper = truncates ? `store.truncated${name}` : `store.${name.toLowerCase()}`;
      define(helper, { parameters: [], result: type }, (f) => {
        const { k } = f;
        const a = readTop(f);
        f.slowIf(atLeastUnsigned(exponentOf(a), bias + 63));
        const { magnitude, rest } = integerParts(f, a);
        const away = truncates ? k.local('i32', 0) : f.roundsAway(magnitude, rest, signOf(a));
        const value = k.let(add(magnitude, extend(away)));
        // Rounded up to 2^63.
        f.slowIf(lessSigned(value, 0));
        k.if(signOf(a), () => k.set(value, subtract(0, value)));
        f.slowIf(notEqual(narrowed(value), value));
        flagRounding(f, rest, away);
        k.return(type === 'f64' ? doubleOfBits(value) : wrap(value));
      });
    }
  }
}

function defineStores(parts: KernelParts): void {
  const { define } = parts;
  defineNarrowing(parts, 'single', 'i32', 23, 127, wrap);
  defineNarrowing(parts, 'double', 'f64', 52, 1023, doubleOfBits);
  defineIntegerStores(parts);
  define('store.extended', { parameters: [], result: 'f64' }, (f) => {
    const { k } = f;
    const register = f.physical(0);
    f.slowIfEmpty(register);
    f.setSecond(f.headAt(register));
    f.setStatus(c1, undefined);
    k.return(doubleOfBits(f.significandAt(register)));
  });
  define('popUnless', { parameters: ['i32'], result: '' }, (f, [condition]) => {
    const times = f.k.let(isZero(condition));
    f.pop(times);
    f.k.return();
  });
  define('pop', { parameters: [], result: '' }, (f) => {
    const top = f.physical(0);
    f.setTags(and(f.tags, xor(f.tagOf(top), -1)));
    f.setTop(and(add(top, 1), 7));
    f.k.return();
  });
}

/** Condition codes of comparisons. */
const less = 0x100;
const equalCode = 0x4000;
const unordered = 0x4500;

/** The condition codes for two numbers that are not NaNs. */
function compared(f: KernelBody, a: Number80, b: Number80): Variable {
  const { k } = f;
  f.slowUnlessOrdinary(a, true);
  f.slowUnlessOrdinary(b, true);
  const code = k.local('i32', 0);
  const haveSigns = and(xor(a.head, b.head), sign);
  k.if(
    haveSigns,
    () => {
      // Zeros are equal whatever their signs.
      const areZeros = isZero(or(a.significand, b.significand));
      k.set(code, select(areZeros, equalCode, select(signOf(a), less, i32(0))));
    },
    () => {
      const difference = k.let(subtract(exponentOf(a), exponentOf(b)));
      k.if(isZero(difference), () => {
        const isGreater = greaterUnsigned(a.significand, b.significand);
        k.set(difference, subtract(isGreater, greaterUnsigned(b.significand, a.significand)));
      });
      const isLess = xor(lessSigned(difference, 0), shiftRight(signOf(a), 15));
      k.set(code, select(isZero(difference), equalCode, select(isLess, less, i32(0))));
    },
  );
  return code;
}

function defineComparisons({ define }: KernelParts): void {
  const finish = (f: KernelBody, a: Number80, b: Number80, pops: Variable): void => {
    const code = compared(f, a, b);
    f.setStatus(unordered | c1, code);
    f.pop(pops);
    f.k.return();
  };
  for (const { name, type, widen } of sources) {
    define(`com.${name}`, { parameters: [type, 'i32'], result: '' }, (f, [value, pops]) => {
      const register = f.physical(0);
      f.slowIfEmpty(register);
      finish(f, f.read(register), widen(f, value), pops);
    });
  }
  const both = (f: KernelBody, i: Variable): [Number80, Number80] => {
    const first = f.physical(0);
    const second = f.physical(i);
    f.slowIfEitherEmpty(first, second);
    return [f.read(first), f.read(second)];
  };
  // Without NaNs it does not matter which of them are quiet.
  for (const name of ['com', 'ucom']) {
    define(name, { parameters: ['i32', 'i32'], result: '' }, (f, [i, pops]) => {
      const [a, b] = both(f, i);
      finish(f, a, b, pops);
    });
    define(`${name}i`, { parameters: ['i32', 'i32'], result: 'i32' }, (f, [i, pops]) => {
      const [a, b] = both(f, i);
      const code = compared(f, a, b);
      f.pop(pops);
      f.k.return(shiftRight(code, 8));
    });
  }
  define('tst', { parameters: [], result: '' }, (f) => {
    const register = f.physical(0);
    f.slowIfEmpty(register);
    const zero: Number80 = { significand: f.k.local('i64', 0), head: f.k.local('i32', 0) };
    const code = compared(f, f.read(register), zero);
    f.setStatus(unordered | c1, code);
    f.k.return();
  });
}

function defineMoves({ define }: KernelParts): void {
  define('wait', { parameters: [], result: '' }, (f) => {
    f.slowIf(and(f.status, pending));
    f.k.return();
  });
  define('store.register', { parameters: ['i32', 'i32'], result: '' }, (f, [i, pops]) => {
    const from = f.physical(0);
    f.slowIfEmpty(from);
    const to = f.physical(i);
    f.write(to, f.significandAt(from), f.headAt(from));
    f.setTags(or(f.tags, f.tagOf(to)));
    f.setStatus(c1, undefined);
    f.pop(pops);
    f.k.return();
  });
  define('exchange', { parameters: ['i32'], result: '' }, (f, [i]) => {
    const a = f.physical(0);
    const b = f.physical(i);
    f.slowIfEitherEmpty(a, b);
    const { significand, head } = f.read(a);
    f.write(a, f.significandAt(b), f.headAt(b));
    f.write(b, significand, head);
    f.setStatus(c1, undefined);
    f.k.return();
  });
  define('move', { parameters: ['i32', 'i32'], result: '' }, (f, [i, condition]) => {
    const to = f.physical(0);
    const from = f.physical(i);
    f.slowIfEitherEmpty(to, from);
    f.k.if(condition, () => f.write(to, f.significandAt(from), f.headAt(from)));
    f.k.return();
  });
  const signs: readonly (readonly [string, (head: Expression) => Expression])[] = [
    ['chs', (head) => xor(head, sign)],
    ['abs', (head) => and(head, largestExponent)],
  ];
  for (const [name, change] of signs) {
    define(name, { parameters: [], result: '' }, (f) => {
      const register = f.physical(0);
      f.slowIfEmpty(register);
      f.write(register, f.significandAt(register), change(f.headAt(register)));
      f.setStatus(c1, undefined);
      f.k.return();
    });
  }
  define('rndint', { parameters: [], result: '' }, (f) => {
    const { k } = f;
    const a = readTop(f);
    const register = f.physical(0);
    k.if(or(isZero(a.significand), atLeastUnsigned(exponentOf(a), bias + 63)), () => {
      f.setStatus(c1, undefined);
      k.return();
    });
    const { magnitude, rest } = integerParts(f, a);
    const away = f.roundsAway(magnitude, rest, signOf(a));
    const value = k.let(add(magnitude, extend(away)));
    flagRounding(f, rest, away);
    const head = k.let(signOf(a));
    k.if(notEqual(value, 0), () => {
      const shift = k.let(leadingZeros(value));
      k.set(value, shiftLeft(value, shift));
      k.set(head, or(head, subtract(bias + 63, wrap(shift))));
    });
    f.write(register, value, head);
    k.return();
  });
}

export function defineTransfers(parts: KernelParts): void {
  defineLoads(parts);
  defineStores(parts);
  defineComparisons(parts);
  defineMoves(parts);
}
