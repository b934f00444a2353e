/**
 * The operations on vectors as operations on halves (vector-operations.ts). A vector is a pair of f64 values: its low and
 * its high 8 bytes, bits unchanged.
 */
import { op, type Value } from './builder.ts';
import { operations } from './operations.ts';
import type { Pairs } from './pairs.ts';
import { halfOf } from './vector-operations.ts';

/** Makes the result of an operation from its immediate and operands; a vector among them is a pair. */
type Form = (b: Pairs, immediate: number, a: Value, second: Value, third: Value) => Value;

const zero = (b: Pairs): Value => b.constantF64(0, 0);

/** Both halves alike: `isPair` tells of each operand whether it is a vector. */
function each(code: number, isPair: readonly boolean[], hasImmediate: boolean): Form {
  return (b, immediate, a, second, third) => {
    const operands = [a, second, third];
    const half = (part: 'low' | 'high'): Value => {
      const [x, y, z] = isPair.map((isVector, at) => (isVector ? b[part](operands[at]) : operands[at]));
      if (hasImmediate) return b.withImmediate(code, immediate, x, y, z);
      if (y === undefined) return b.unary(code, x);
      return z === undefined ? b.binary(code, x, y) : b.ternary(code, x, y, z);
    };
    return b.pair(half('low'), half('high'));
  };
}

/** The low half of the result from both halves of the first operand, the high half from those of the second. */
function narrow(code: number): Form {
  return (b, _, a, second) =>
    b.pair(b.binary(code, b.low(a), b.high(a)), b.binary(code, b.low(second), b.high(second)));
}

/** Both halves of the result from the low half of the operand. */
function extend(low: number, high: number): Form {
  return (b, _, a) => b.pair(b.unary(low, b.low(a)), b.unary(high, b.low(a)));
}

/** An i32 from those of both halves: the high one's stands `shift` bits above. */
function mask(code: number, shift: number): Form {
  return (b, _, a) => b.or(b.unary(code, b.low(a)), b.shl(b.unary(code, b.high(a)), b.constant(shift)));
}

/** Lane `immediate` of a vector with so many lanes in each half. */
function extract(code: number, lanes: number): Form {
  return (b, immediate, a) => b.withImmediate(code, immediate % lanes, immediate < lanes ? b.low(a) : b.high(a));
}

function replace(code: number, lanes: number): Form {
  return (b, immediate, a, value) => {
    const isLow = immediate < lanes;
    const half = b.withImmediate(code, immediate % lanes, isLow ? b.low(a) : b.high(a), value);
    return isLow ? b.pair(half, b.high(a)) : b.pair(b.low(a), half);
  };
}

/**
 * A half that takes each of its lanes from one of four halves. `numbers` are the lanes: 0 to `lanes` - 1 of the first half,
 * then those of the second, and so on.
 */
function gather(b: Pairs, code: number, lanes: number, sources: readonly Value[], numbers: readonly number[]): Value {
  const used = [...new Set(numbers.map((number) => Math.floor(number / lanes)))];
  if (used.length === 1 && numbers.every((number, at) => number % lanes === at)) return sources[used[0]];
  let made = sources[used[0]];
  let taken: (number | undefined)[] = numbers.map((number) =>
    Math.floor(number / lanes) === used[0] ? number % lanes : undefined,
  );
  // Two halves at a time: what is not there yet keeps its place.
  for (const source of used.length === 1 ? [used[0]] : used.slice(1)) {
    const pattern = numbers.map((number, at) =>
      Math.floor(number / lanes) === source && used.length > 1 ? lanes + (number % lanes) : (taken[at] ?? at),
    );
    made = b.withImmediate(
      code,
      pattern.reduce((bits, lane, at) => bits | (lane << (4 * at)), 0),
      made,
      sources[source],
    );
    taken = taken.map((_, at) => at);
  }
  return made;
}

function shuffle(code: number, lanes: number): Form {
  return (b, immediate, a, second) => {
    const sources = [b.low(a), b.high(a), b.low(second), b.high(second)];
    const numbers = Array.from({ length: 2 * lanes }, (_, lane) => (immediate >>> (4 * lane)) & (4 * lanes - 1));
    return b.pair(
      gather(b, code, lanes, sources, numbers.slice(0, lanes)),
      gather(b, code, lanes, sources, numbers.slice(lanes)),
    );
  };
}

const alignHalves = op['i8x8.align'];

const align: Form = (b, immediate, a, second) => {
  const sources = [b.low(a), b.high(a), b.low(second), b.high(second)];
  const at = immediate >> 3;
  const half = (first: number): Value =>
    (immediate & 7) === 0
      ? sources[first]
      : b.withImmediate(alignHalves, immediate & 7, sources[first], sources[first + 1]);
  return b.pair(half(at), half(at + 1));
};

const swizzleHalves = op['i8x8.swizzle'];
const anyTrue = op['half.any_true'];
const f64Select = op['f64.select'];
const f64High = op['f64.high'];
const f64Low = op['f64.low'];
const fromHalves = op['f64.from_halves'];
const truncate = op['i32.trunc_f64_indefinite'];
const convert = op['f64.convert_i32_s'];
const replaceWord = op['i32x2.replace_lane'];

const word = (b: Pairs, a: Value, lane: number): Value =>
  b.unary((lane & 1) === 0 ? f64Low : f64High, lane < 2 ? b.low(a) : b.high(a));

const forms: Readonly<Record<string, Form>> = {
  'v128.select': (b, _, condition, yes, no) =>
    b.pair(
      b.ternary(f64Select, condition, b.low(yes), b.low(no)),
      b.ternary(f64Select, condition, b.high(yes), b.high(no)),
    ),
  'v128.any_true': (b, _, a) => b.or(b.unary(anyTrue, b.low(a)), b.unary(anyTrue, b.high(a))),
  'i8x16.bitmask': mask(op['i8x8.bitmask'], 8),
  'i32x4.bitmask': mask(op['i32x2.bitmask'], 2),
  'i64x2.bitmask': (b, _, a) => {
    const sign = (half: Value): Value => b.shrU(b.unary(f64High, half), b.constant(31));
    return b.or(sign(b.low(a)), b.shl(sign(b.high(a)), b.constant(1)));
  },
  'i8x16.narrow_i16x8_s': narrow(op['i8x8.narrow_i16x4_s']),
  'i8x16.narrow_i16x8_u': narrow(op['i8x8.narrow_i16x4_u']),
  'i16x8.narrow_i32x4_s': narrow(op['i16x4.narrow_i32x2_s']),
  'i16x8.narrow_i32x4_u': narrow(op['i16x4.narrow_i32x2_u']),
  'i16x8.extend_low_i8x16_s': extend(op['i16x4.extend_low_i8x8_s'], op['i16x4.extend_high_i8x8_s']),
  'i16x8.extend_low_i8x16_u': extend(op['i16x4.extend_low_i8x8_u'], op['i16x4.extend_high_i8x8_u']),
  'i32x4.extend_low_i16x8_s': extend(op['i32x2.extend_low_i16x4_s'], op['i32x2.extend_high_i16x4_s']),
  'i32x4.extend_low_i16x8_u': extend(op['i32x2.extend_low_i16x4_u'], op['i32x2.extend_high_i16x4_u']),
  'i64x2.extend_low_i32x4_s': (b, _, a) => {
    const extended = (value: Value): Value => b.binary(fromHalves, value, b.shrS(value, b.constant(31)));
    return b.pair(extended(word(b, a, 0)), extended(word(b, a, 1)));
  },
  'i64x2.extend_low_i32x4_u': (b, _, a) => {
    const extended = (value: Value): Value => b.binary(fromHalves, value, b.constant(0));
    return b.pair(extended(word(b, a, 0)), extended(word(b, a, 1)));
  },
  'i8x16.swizzle': (b, _, a, second) => {
    const half = (lanes: Value): Value => b.ternary(swizzleHalves, b.low(a), b.high(a), lanes);
    return b.pair(half(b.low(second)), half(b.high(second)));
  },
  'i8x16.interleave_low': interleave('low'),
  'i8x16.interleave_high': interleave('high'),
  'i8x16.align': align,
  'i16x8.shuffle': shuffle(op['i16x4.shuffle'], 4),
  'i32x4.shuffle': shuffle(op['i32x2.shuffle'], 2),
  'i8x16.extract_lane_u': extract(op['i8x8.extract_lane_u'], 8),
  'i8x16.replace_lane': replace(op['i8x8.replace_lane'], 8),
  'i16x8.extract_lane_u': extract(op['i16x4.extract_lane_u'], 4),
  'i16x8.replace_lane': replace(op['i16x4.replace_lane'], 4),
  'i32x4.extract_lane': (b, immediate, a) => word(b, a, immediate),
  'i32x4.replace_lane': replace(replaceWord, 2),
  'i64x2.extract_lane': (b, immediate, a) => b.pair(word(b, a, 2 * immediate), word(b, a, 2 * immediate + 1)),
  'i64x2.replace_lane': (b, immediate, a, value) => {
    const half = b.binary(fromHalves, b.low(value), b.high(value));
    return immediate === 0 ? b.pair(half, b.high(a)) : b.pair(b.low(a), half);
  },
  'f32x4.extract_lane': extract(op['f32x2.extract_lane'], 2),
  'f32x4.replace_lane': replace(op['f32x2.replace_lane'], 2),
  'f64x2.extract_lane': (b, immediate, a) => (immediate === 0 ? b.low(a) : b.high(a)),
  'f64x2.replace_lane': (b, immediate, a, value) =>
    immediate === 0 ? b.pair(value, b.high(a)) : b.pair(b.low(a), value),
  'f32x4.demote_f64x2_zero': (b, _, a) => b.pair(b.binary(op['f32x2.demote_f64'], b.low(a), b.high(a)), zero(b)),
  'f64x2.promote_low_f32x4': extend(op['f32x2.promote_low'], op['f32x2.promote_high']),
  'f64x2.convert_low_i32x4_s': (b, _, a) => b.pair(b.unary(convert, word(b, a, 0)), b.unary(convert, word(b, a, 1))),
  'i32x4.trunc_f64x2_indefinite_zero': (b, _, a) =>
    b.pair(b.binary(fromHalves, b.unary(truncate, b.low(a)), b.unary(truncate, b.high(a))), zero(b)),

  // Between i64 values, which are pairs of words, and scalars.
  'f64.reinterpret_i64': (b, _, a) => b.binary(fromHalves, b.low(a), b.high(a)),
  'i64.reinterpret_f64': (b, _, a) => b.pair(b.unary(f64Low, a), b.unary(f64High, a)),
  'f64.convert_i64_s': (b, _, a) => b.binary(op['f64.convert_words_s'], b.low(a), b.high(a)),
  'f32.convert_i64_s': (b, _, a) => b.binary(op['f32.convert_words_s'], b.low(a), b.high(a)),
  'i64.trunc_f64_indefinite': (b, _, a) =>
    b.pair(b.unary(op['i64.trunc_low_f64_indefinite'], a), b.unary(op['i64.trunc_high_f64_indefinite'], a)),
};

function interleave(part: 'low' | 'high'): Form {
  return (b, _, a, second) =>
    b.pair(
      b.binary(op['i8x8.interleave_low'], b[part](a), b[part](second)),
      b.binary(op['i8x8.interleave_high'], b[part](a), b[part](second)),
    );
}

/** By the operation's code: how it is made of operations on halves; undefined for those that neither take nor make a pair of doubles. */
export const vectorForms: readonly (Form | undefined)[] = operations.map(({ name, operands, immediates }) => {
  const half = halfOf[name];
  if (half === undefined) return forms[name];
  return each(
    op[half],
    operands.map((type) => type === 'v128'),
    immediates.length > 0,
  );
});
