/**
 * Conversions of SSE between integers, singles and doubles. Inline they round to nearest (or towards zero where the
 * instruction says so); exactly they are a helper's, as arithmetic is (sse-float.ts).
 */
import { op, type Value } from '../ir/builder.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { byHalves } from './sse-float.ts';
import {
  double,
  fromHalves,
  fromLow,
  high,
  low,
  setDouble,
  setSingle,
  setSingleBits,
  setVector,
  shuffled,
  single,
  singleBits,
  useMmx,
  vector,
} from './sse-operands.ts';

const wordAt = (l: Lifter, value: Value, lane: number): Value =>
  l.b.withImmediate(op['i32x4.extract_lane'], lane, value);

/** Words with zeros above. */
function fromWords(l: Lifter, first: Value, second: Value): Value {
  return fromLow(l, l.b.binary(op['f64.from_halves'], first, second));
}

// -- to integers in general registers

/** cvtsd2si and cvttsd2si. */
const doubleToInteger =
  (truncates: boolean): Lift =>
  (l) => {
    const { b } = l;
    const value = double(l, 1);
    const isWide = l.size(0) === 8;
    if (l.exact) {
      const how = b.constant(truncates ? 1 : 0);
      if (isWide) l.write(0, b.unary(op['i64.reinterpret_f64'], l.helper('sse.double_to_doubleword', value, how)));
      else l.write(0, l.helper('sse.double_to_word', value, how));
      return;
    }
    const whole = truncates ? value : b.unary(op['f64.nearest'], value);
    l.write(0, b.unary(op[isWide ? 'i64.trunc_f64_indefinite' : 'i32.trunc_f64_indefinite'], whole));
  };

/** cvtss2si and cvttss2si. */
const singleToInteger =
  (truncates: boolean): Lift =>
  (l) => {
    const { b } = l;
    const isWide = l.size(0) === 8;
    if (l.exact) {
      const how = b.constant(truncates ? 1 : 0);
      const bits = singleBits(l, 1);
      if (isWide) l.write(0, b.unary(op['i64.reinterpret_f64'], l.helper('sse.single_to_doubleword', bits, how)));
      else l.write(0, l.helper('sse.single_to_word', bits, how));
      return;
    }
    const value = b.unary(op['f64.promote_f32'], single(l, 1));
    const whole = truncates ? value : b.unary(op['f64.nearest'], value);
    l.write(0, b.unary(op[isWide ? 'i64.trunc_f64_indefinite' : 'i32.trunc_f64_indefinite'], whole));
  };

// -- from integers in general registers

/** cvtsi2sd: of a word always exact. */
const integerToDouble: Lift = (l) => {
  const { b } = l;
  const value = l.read(1);
  if (l.size(1) !== 8) setDouble(l, 0, b.unary(op['f64.convert_i32_s'], value));
  else if (!l.exact) setDouble(l, 0, b.unary(op['f64.convert_i64_s'], value));
  else setDouble(l, 0, l.helper('sse.doubleword_to_double', b.unary(op['f64.reinterpret_i64'], value)));
};

const integerToSingle: Lift = (l) => {
  const { b } = l;
  const value = l.read(1);
  const isWide = l.size(1) === 8;
  if (!l.exact) setSingle(l, 0, b.unary(op[isWide ? 'f32.convert_i64_s' : 'f32.convert_i32_s'], value));
  else if (!isWide) setSingleBits(l, 0, l.helper('sse.word_to_single', value));
  else setSingleBits(l, 0, l.helper('sse.doubleword_to_single', b.unary(op['f64.reinterpret_i64'], value)));
};

// -- between singles and doubles

const singleToDouble: Lift = (l) => {
  if (l.exact) setDouble(l, 0, l.helper('sse.single_to_double', singleBits(l, 1)));
  else setDouble(l, 0, l.b.unary(op['f64.promote_f32'], single(l, 1)));
};

const doubleToSingle: Lift = (l) => {
  const value = double(l, 1);
  if (l.exact) setSingleBits(l, 0, l.helper('sse.double_to_single', value));
  else setSingle(l, 0, l.b.unary(op['f32.demote_f64'], value));
};

const singlesToDoubles: Lift = (l) => {
  const source = vector(l, 1);
  if (!l.exact) {
    setVector(l, 0, l.b.unary(op['f64x2.promote_low_f32x4'], source));
    return;
  }
  const first = l.helper('sse.single_to_double.first', wordAt(l, source, 0));
  setVector(l, 0, fromHalves(l, first, l.helper('sse.single_to_double.last', wordAt(l, source, 1))));
};

const doublesToSingles: Lift = (l) => {
  const source = vector(l, 1);
  if (!l.exact) {
    setVector(l, 0, l.b.unary(op['f32x4.demote_f64x2_zero'], source));
    return;
  }
  const first = l.helper('sse.double_to_single.first', low(l, source));
  setVector(l, 0, fromWords(l, first, l.helper('sse.double_to_single.last', high(l, source))));
};

// -- vectors of integers

function singlesOf(l: Lifter, source: Value): Value {
  if (!l.exact) return l.b.unary(op['f32x4.convert_i32x4_s'], source);
  return byHalves(l, 'sse.words_to_singles', [source]);
}

const wordsToSingles: Lift = (l) => setVector(l, 0, singlesOf(l, vector(l, 1)));

const wordsToDoubles: Lift = (l) => setVector(l, 0, l.b.unary(op['f64x2.convert_low_i32x4_s'], vector(l, 1)));

/** Words of singles. */
function wordsOfSingles(l: Lifter, source: Value, truncates: boolean): Value {
  const { b } = l;
  if (l.exact) {
    const how = b.constant(truncates ? 1 : 0);
    return byHalves(l, 'sse.singles_to_words', [source], how);
  }
  const whole = truncates ? source : b.unary(op['f32x4.nearest'], source);
  return b.unary(op['i32x4.trunc_f32x4_indefinite'], whole);
}

/** Words of doubles, zeros above them. */
function wordsOfDoubles(l: Lifter, source: Value, truncates: boolean): Value {
  const { b } = l;
  if (l.exact) {
    const how = b.constant(truncates ? 1 : 0);
    const first = l.helper('sse.double_to_word.first', low(l, source), how);
    return fromWords(l, first, l.helper('sse.double_to_word.last', high(l, source), how));
  }
  const whole = truncates ? source : b.unary(op['f64x2.nearest'], source);
  return b.unary(op['i32x4.trunc_f64x2_indefinite_zero'], whole);
}

const singlesToWords =
  (truncates: boolean): Lift =>
  (l) =>
    setVector(l, 0, wordsOfSingles(l, vector(l, 1), truncates));

const doublesToWords =
  (truncates: boolean): Lift =>
  (l) =>
    setVector(l, 0, wordsOfDoubles(l, vector(l, 1), truncates));

// -- with MMX registers

// The x87 unit changes before an exception is raised; by a source in memory it does not.

/** cvtpi2ps: the two words become the lower two singles. */
const mmxToSingles: Lift = (l) => {
  const source = vector(l, 1);
  if (!l.inMemory(1)) useMmx(l);
  const made = l.exact ? fromLow(l, l.helper('sse.words_to_singles', low(l, source))) : singlesOf(l, source);
  setVector(l, 0, shuffled(l, vector(l, 0), made, [4, 5, 2, 3]));
};

/** cvtpi2pd. */
const mmxToDoubles: Lift = (l) => {
  wordsToDoubles(l);
  if (!l.inMemory(1)) useMmx(l);
};

/** The source of cvtps2pi has 8 bytes: nothing above them is converted. */
const singlesToMmx =
  (truncates: boolean): Lift =>
  (l) => {
    const source = vector(l, 1);
    useMmx(l);
    if (!l.exact) setVector(l, 0, wordsOfSingles(l, source, truncates));
    else setVector(l, 0, fromLow(l, l.helper('sse.singles_to_words', low(l, source), l.b.constant(truncates ? 1 : 0))));
  };

const doublesToMmx =
  (truncates: boolean): Lift =>
  (l) => {
    const source = vector(l, 1);
    useMmx(l);
    setVector(l, 0, wordsOfDoubles(l, source, truncates));
  };

// biome-ignore format: one row per line
export const sseConvertRows: readonly Row[] = [
  ['NP 0F 2A /r', 'cvtpi2ps',  'Vdq,Qq',  'sse',  mmxToSingles],
  ['66 0F 2A /r', 'cvtpi2pd',  'Vdq,Qq',  'sse2', mmxToDoubles],
  ['F3 0F 2A /r', 'cvtsi2ss',  'Vdq,Ey',  'sse',  integerToSingle],
  ['F2 0F 2A /r', 'cvtsi2sd',  'Vdq,Ey',  'sse2', integerToDouble],
  ['NP 0F 2C /r', 'cvttps2pi', 'Pq,Wq',   'sse',  singlesToMmx(true)],
  ['66 0F 2C /r', 'cvttpd2pi', 'Pq,Wdq',  'sse2', doublesToMmx(true)],
  ['F3 0F 2C /r', 'cvttss2si', 'Gy,Wss',  'sse',  singleToInteger(true)],
  ['F2 0F 2C /r', 'cvttsd2si', 'Gy,Wsd',  'sse2', doubleToInteger(true)],
  ['NP 0F 2D /r', 'cvtps2pi',  'Pq,Wq',   'sse',  singlesToMmx(false)],
  ['66 0F 2D /r', 'cvtpd2pi',  'Pq,Wdq',  'sse2', doublesToMmx(false)],
  ['F3 0F 2D /r', 'cvtss2si',  'Gy,Wss',  'sse',  singleToInteger(false)],
  ['F2 0F 2D /r', 'cvtsd2si',  'Gy,Wsd',  'sse2', doubleToInteger(false)],
  ['NP 0F 5A /r', 'cvtps2pd',  'Vdq,Wq',  'sse2', singlesToDoubles],
  ['66 0F 5A /r', 'cvtpd2ps',  'Vdq,Wdq', 'sse2', doublesToSingles],
  ['F3 0F 5A /r', 'cvtss2sd',  'Vdq,Wss', 'sse2', singleToDouble],
  ['F2 0F 5A /r', 'cvtsd2ss',  'Vdq,Wsd', 'sse2', doubleToSingle],
  ['NP 0F 5B /r', 'cvtdq2ps',  'Vdq,Wdq', 'sse2', wordsToSingles],
  ['66 0F 5B /r', 'cvtps2dq',  'Vdq,Wdq', 'sse2', singlesToWords(false)],
  ['F3 0F 5B /r', 'cvttps2dq', 'Vdq,Wdq', 'sse2', singlesToWords(true)],
  ['66 0F E6 /r', 'cvttpd2dq', 'Vdq,Wdq', 'sse2', doublesToWords(true)],
  ['F3 0F E6 /r', 'cvtdq2pd',  'Vdq,Wq',  'sse2', wordsToDoubles],
  ['F2 0F E6 /r', 'cvtpd2dq',  'Vdq,Wdq', 'sse2', doublesToWords(false)],
];
