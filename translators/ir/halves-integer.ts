/**
 * The i64 operations on halves: each as i32 operations on the low and high words of its operands. What cannot be
 * written so in a few of them (division, the high half of a product) is a function of doubles whose bits are the words.
 *
 * Shifts take their count modulo 64; an i32 shift takes it modulo 32, so a count of 32 or more is one of `count - 32` of
 * the other half, and bit 5 of the count chooses.
 */
import { op, type Value } from './builder.ts';
import { codes } from './operations.ts';
import type { Pairs } from './pairs.ts';

type Unary = (b: Pairs, a: Value) => Value;
type Binary = (b: Pairs, a: Value, second: Value) => Value;

const mulhU = op['i32.mulh_u'];
const clz = op['i32.clz'];
const ctz = op['i32.ctz'];
const popcnt = op['i32.popcnt'];
const bswap = op['i32.bswap'];
const extend8 = op['i32.extend8_s'];
const extend16 = op['i32.extend16_s'];
const leU = op['i32.le_u'];
const geS = op['i32.ge_s'];
const fromHalves = op['f64.from_halves'];
const f64Low = op['f64.low'];
const f64High = op['f64.high'];

const signOf = (b: Pairs, word: Value): Value => b.shrS(word, b.constant(31));
const signExtended = (b: Pairs, word: Value): Value => b.pair(word, signOf(b, word));
const zeroExtended = (b: Pairs, word: Value): Value => b.pair(word, b.constant(0));

/** The same i32 operation on low words and on high words. */
function each(operate: (b: Pairs, a: Value, second: Value) => Value): Binary {
  return (b, a, second) => b.pair(operate(b, b.low(a), b.low(second)), operate(b, b.high(a), b.high(second)));
}

function add(b: Pairs, a: Value, second: Value): Value {
  const low = b.add(b.low(a), b.low(second));
  const carry = low === b.low(a) ? b.constant(0) : b.ltU(low, b.low(a));
  return b.pair(low, b.add(b.add(b.high(a), b.high(second)), carry));
}

function subtract(b: Pairs, a: Value, second: Value): Value {
  const borrow = b.ltU(b.low(a), b.low(second));
  return b.pair(b.sub(b.low(a), b.low(second)), b.sub(b.sub(b.high(a), b.high(second)), borrow));
}

function multiply(b: Pairs, a: Value, second: Value): Value {
  const crossed = b.add(b.mul(b.low(a), b.high(second)), b.mul(b.high(a), b.low(second)));
  const high = b.binary(mulhU, b.low(a), b.low(second));
  return b.pair(b.mul(b.low(a), b.low(second)), b.add(high, crossed));
}

function negate(b: Pairs, a: Value): Value {
  return subtract(b, b.constant64(0, 0), a);
}

/** A function of doubles (ir/doublewords.ts) whose bits are the operands' and the result's. */
function viaDoubles(name: string): Binary {
  const code = codes[name];
  return (b, a, second) => {
    const bits = (value: Value): Value => b.binary(fromHalves, b.low(value), b.high(value));
    const result = b.binary(code, bits(a), bits(second));
    return b.pair(b.unary(f64Low, result), b.unary(f64High, result));
  };
}

// -- shifts

/** What crosses from the low half into the high one in a shift to the left: low >>> (32 - count), 0 for a count of 0. */
const crossedUp = (b: Pairs, low: Value, count: Value): Value =>
  b.isConstant(count)
    ? b.shrU(low, b.constant(32 - b.constantOf(count)))
    : b.shrU(b.shrU(low, b.constant(1)), b.not(count));

/** The same for a shift to the right: high << (32 - count). */
const crossedDown = (b: Pairs, high: Value, count: Value): Value =>
  b.isConstant(count)
    ? b.shl(high, b.constant(32 - b.constantOf(count)))
    : b.shl(b.shl(high, b.constant(1)), b.not(count));

/** A shift from its results for counts below 32 and from 32 on; the count is taken modulo 64. */
function shift(small: Binary, large: Binary): Binary {
  return (b, a, count) => {
    if (b.isConstant(count)) {
      const bits = b.constantOf(count) & 63;
      if (bits === 0) return a;
      return bits < 32 ? small(b, a, b.constant(bits)) : large(b, a, b.constant(bits - 32));
    }
    const isLarge = b.and(count, b.constant(32));
    const [one, other] = [large(b, a, count), small(b, a, count)];
    return b.pair(b.select(isLarge, b.low(one), b.low(other)), b.select(isLarge, b.high(one), b.high(other)));
  };
}

const shiftLeft = shift(
  (b, a, n) => b.pair(b.shl(b.low(a), n), b.or(b.shl(b.high(a), n), crossedUp(b, b.low(a), n))),
  (b, a, n) => b.pair(b.constant(0), b.shl(b.low(a), n)),
);

const shiftRight = shift(
  (b, a, n) => b.pair(b.or(b.shrU(b.low(a), n), crossedDown(b, b.high(a), n)), b.shrU(b.high(a), n)),
  (b, a, n) => b.pair(b.shrU(b.high(a), n), b.constant(0)),
);

const shiftRightSigned = shift(
  (b, a, n) => b.pair(b.or(b.shrU(b.low(a), n), crossedDown(b, b.high(a), n)), b.shrS(b.high(a), n)),
  (b, a, n) => b.pair(b.shrS(b.high(a), n), signOf(b, b.high(a))),
);

const rotatedSmall: Binary = (b, a, n) =>
  b.pair(b.or(b.shl(b.low(a), n), crossedUp(b, b.high(a), n)), b.or(b.shl(b.high(a), n), crossedUp(b, b.low(a), n)));

const rotateLeft: Binary = (b, a, count) => {
  if (!b.isConstant(count)) {
    const isLarge = b.and(count, b.constant(32));
    const [low, high] = [b.low(a), b.high(a)];
    return rotatedSmall(b, b.pair(b.select(isLarge, high, low), b.select(isLarge, low, high)), count);
  }
  const bits = b.constantOf(count) & 63;
  const turned = bits < 32 ? a : b.pair(b.high(a), b.low(a));
  return (bits & 31) === 0 ? turned : rotatedSmall(b, turned, b.constant(bits & 31));
};

// -- comparisons

/** 0 when equal. */
const difference: Binary = (b, a, second) => b.or(b.xor(b.low(a), b.low(second)), b.xor(b.high(a), b.high(second)));

/** A comparison by the high words (`strict`), or by the low words (`low`) where these are equal. */
function ordered(strict: Binary, low: Binary): Binary {
  return (b, a, second) => {
    const equal = b.eq(b.high(a), b.high(second));
    return b.select(equal, low(b, b.low(a), b.low(second)), strict(b, b.high(a), b.high(second)));
  };
}

const isZero = (b: Pairs, value: Value): boolean =>
  b.isConstant(b.low(value)) &&
  b.isConstant(b.high(value)) &&
  b.constantOf(b.low(value)) === 0 &&
  b.constantOf(b.high(value)) === 0;

const ltS: Binary = (b, a, second) => b.ltS(a, second);
const gtS: Binary = (b, a, second) => b.gtS(a, second);
const ltU: Binary = (b, a, second) => b.ltU(a, second);
const gtU: Binary = (b, a, second) => b.gtU(a, second);
const lessS = ordered(ltS, ltU);
const notLessS = ordered(gtS, (b, low, second) => b.geU(low, second));

/** By code, where the operation has one i64 operand, or makes an i64 of one i32 operand. */
export const unaryForms: (Unary | undefined)[] = [];
/** By code, where it has two operands. */
export const binaryForms: (Binary | undefined)[] = [];

const unary: Readonly<Record<string, Unary>> = {
  'i64.low': (b, a) => b.low(a),
  'i64.high': (b, a) => b.high(a),
  'i64.extend_i32_s': signExtended,
  'i64.extend_i32_u': zeroExtended,
  'i64.not': (b, a) => b.pair(b.not(b.low(a)), b.not(b.high(a))),
  'i64.neg': negate,
  'i64.clz': (b, a) =>
    zeroExtended(b, b.select(b.high(a), b.unary(clz, b.high(a)), b.add(b.unary(clz, b.low(a)), b.constant(32)))),
  'i64.ctz': (b, a) =>
    zeroExtended(b, b.select(b.low(a), b.unary(ctz, b.low(a)), b.add(b.unary(ctz, b.high(a)), b.constant(32)))),
  'i64.popcnt': (b, a) => zeroExtended(b, b.add(b.unary(popcnt, b.low(a)), b.unary(popcnt, b.high(a)))),
  'i64.bswap': (b, a) => b.pair(b.unary(bswap, b.high(a)), b.unary(bswap, b.low(a))),
  'i64.extend8_s': (b, a) => signExtended(b, b.unary(extend8, b.low(a))),
  'i64.extend16_s': (b, a) => signExtended(b, b.unary(extend16, b.low(a))),
  'i64.extend32_s': (b, a) => signExtended(b, b.low(a)),
  'i64.eqz': (b, a) => b.eqz(b.or(b.low(a), b.high(a))),
};

const binary: Readonly<Record<string, Binary>> = {
  'i64.add': add,
  'i64.sub': subtract,
  'i64.mul': multiply,
  'i64.mulh_s': viaDoubles('halves.mulh_s'),
  'i64.mulh_u': viaDoubles('halves.mulh_u'),
  'i64.div_s': viaDoubles('halves.div_s'),
  'i64.div_u': viaDoubles('halves.div_u'),
  'i64.rem_s': viaDoubles('halves.rem_s'),
  'i64.rem_u': viaDoubles('halves.rem_u'),
  'i64.and': each((b, a, second) => b.and(a, second)),
  'i64.or': each((b, a, second) => b.or(a, second)),
  'i64.xor': each((b, a, second) => b.xor(a, second)),
  'i64.shl': shiftLeft,
  'i64.shr_u': shiftRight,
  'i64.shr_s': shiftRightSigned,
  'i64.rotl': rotateLeft,
  'i64.eq': (b, a, second) => b.eqz(difference(b, a, second)),
  'i64.ne': (b, a, second) => b.ne(difference(b, a, second), b.constant(0)),
  'i64.lt_s': (b, a, second) => (isZero(b, second) ? b.ltS(b.high(a), b.constant(0)) : lessS(b, a, second)),
  'i64.le_s': ordered(ltS, (b, low, second) => b.binary(leU, low, second)),
  'i64.gt_s': ordered(gtS, gtU),
  'i64.ge_s': (b, a, second) => (isZero(b, second) ? b.binary(geS, b.high(a), b.constant(0)) : notLessS(b, a, second)),
  'i64.lt_u': ordered(ltU, ltU),
  'i64.le_u': ordered(ltU, (b, low, second) => b.binary(leU, low, second)),
  'i64.gt_u': ordered(gtU, gtU),
  'i64.ge_u': ordered(gtU, (b, low, second) => b.geU(low, second)),
  'i64.join': (b, a, second) => b.pair(a, second),
};

for (const [name, form] of Object.entries(unary)) unaryForms[codes[name]] = form;
for (const [name, form] of Object.entries(binary)) binaryForms[codes[name]] = form;
