/**
 * Integer arithmetic of vectors, on MMX and on XMM registers: MMX to SSE4.2. One lifter does for both sets: an MMX
 * register is a vector with zeros above (sse-operands.ts). Where lanes cross the middle, those of MMX are other ones.
 */
import { op, type Value } from '../ir/builder.ts';
import { setBits } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import {
  finish,
  fromHalves,
  fromLow,
  high,
  isMmx,
  low,
  lowHalves,
  shuffled,
  vector,
  zeroVector,
} from './sse-operands.ts';

/** Makes the destination's new value from it and the source. */
type Make = (l: Lifter, destination: Value, source: Value) => Value;

const combine =
  (make: Make): Lift =>
  (l) => {
    const source = vector(l, 1);
    finish(l, make(l, vector(l, 0), source));
  };

/** A vector operation of destination and source. */
const both = (name: string): Lift => {
  const code = op[name];
  return combine((l, destination, source) => l.b.binary(code, destination, source));
};

const ofSource =
  (make: (l: Lifter, source: Value) => Value): Lift =>
  (l) =>
    finish(l, make(l, vector(l, 1)));

/** pandn: the complement of the destination and the source. */
const andNot: Lift = combine((l, destination, source) => l.b.binary(op['v128.andnot'], source, destination));

/** packsswb and the like: the lanes of the destination, then those of the source, saturated. */
const pack = (name: string): Lift => {
  const code = op[name];
  return combine((l, destination, source) => {
    if (!isMmx(l)) return l.b.binary(code, destination, source);
    const lanes = lowHalves(l, destination, source);
    return l.b.binary(code, lanes, lanes);
  });
};

/** punpckl…: lanes of both low halves in turn. */
const unpackLow = (interleave: Make): Lift => combine(interleave);
/** punpckh…: of both high halves. With MMX these are the upper half of what the low ones give. */
const unpackHigh = (lowInterleave: Make, highInterleave: Make): Lift =>
  combine((l, destination, source) => {
    if (!isMmx(l)) return highInterleave(l, destination, source);
    return fromLow(l, high(l, lowInterleave(l, destination, source)));
  });

const bytesLow: Make = (l, a, b) => l.b.binary(op['i8x16.interleave_low'], a, b);
const bytesHigh: Make = (l, a, b) => l.b.binary(op['i8x16.interleave_high'], a, b);
const halfwordsOf =
  (pattern: number): Make =>
  (l, a, b) =>
    l.b.withImmediate(op['i16x8.shuffle'], pattern | 0, a, b);
const halfwordsLow = halfwordsOf(0xb3a29180);
const halfwordsHigh = halfwordsOf(0xf7e6d5c4);
const wordsLow: Make = (l, a, b) => shuffled(l, a, b, [0, 4, 1, 5]);
const wordsHigh: Make = (l, a, b) => shuffled(l, a, b, [2, 6, 3, 7]);
const doublewordsLow: Make = (l, a, b) => shuffled(l, a, b, [0, 1, 4, 5]);
const doublewordsHigh: Make = (l, a, b) => shuffled(l, a, b, [2, 3, 6, 7]);

// -- shifts

/** What the lanes are when the count is their width or more: zeros, or all sign. */
type Beyond = 'zero' | 'sign';

/** A shift by a known count; the operations themselves take it modulo the lane's width. */
function shiftBy(l: Lifter, code: number, width: number, beyond: Beyond, value: Value, count: number): Value {
  if (count === 0) return value;
  if (count < width) return l.b.binary(code, value, l.b.constant(count));
  return beyond === 'zero' ? zeroVector(l) : l.b.binary(code, value, l.b.constant(width - 1));
}

const shiftImmediate =
  (name: string, width: number, beyond: Beyond): Lift =>
  (l) =>
    finish(l, shiftBy(l, op[name], width, beyond, vector(l, 0), l.i.immediate & 0xff));

/** By the doubleword in the low half of the source. */
const shift =
  (name: string, width: number, beyond: Beyond): Lift =>
  (l) => {
    const { b } = l;
    const code = op[name];
    const counts = vector(l, 1);
    const word = b.withImmediate(op['i32x4.extract_lane'], 0, counts);
    const upper = b.withImmediate(op['i32x4.extract_lane'], 1, counts);
    const isBeyond = b.or(b.geU(word, b.constant(width)), b.binary(op['i32.ne'], upper, b.constant(0)));
    const value = vector(l, 0);
    if (beyond === 'sign') {
      finish(l, b.binary(code, value, b.select(isBeyond, b.constant(width - 1), word)));
      return;
    }
    finish(l, b.ternary(op['v128.select'], isBeyond, zeroVector(l), b.binary(code, value, word)));
  };

const align = op['i8x16.align'];

/** psrldq and pslldq: by bytes. */
const shiftBytesRight: Lift = (l) => {
  const bytes = Math.min(l.i.immediate & 0xff, 16);
  finish(l, l.b.withImmediate(align, bytes, vector(l, 0), zeroVector(l)));
};
const shiftBytesLeft: Lift = (l) => {
  const bytes = Math.min(l.i.immediate & 0xff, 16);
  finish(l, l.b.withImmediate(align, 16 - bytes, zeroVector(l), vector(l, 0)));
};

/** palignr: the destination above the source, shifted right by bytes. */
const palignr: Lift = (l) => {
  const { b } = l;
  const bytes = l.i.immediate & 0xff;
  const source = vector(l, 1);
  const destination = vector(l, 0);
  if (isMmx(l))
    finish(l, b.withImmediate(align, Math.min(bytes, 16), lowHalves(l, source, destination), zeroVector(l)));
  else if (bytes <= 16) finish(l, b.withImmediate(align, bytes, source, destination));
  else finish(l, b.withImmediate(align, Math.min(bytes, 32) - 16, destination, zeroVector(l)));
};

// -- SSSE3

/** Lanes 0 of the pairs of both operands, and lanes 1. */
type Pairs = (l: Lifter, a: Value, b: Value) => readonly [even: Value, odd: Value];

const pairsOfHalfwords: Pairs = (l, a, b) => [halfwordsOf(0xeca86420)(l, a, b), halfwordsOf(0xfdb97531)(l, a, b)];
const pairsOfWords: Pairs = (l, a, b) => [shuffled(l, a, b, [0, 2, 4, 6]), shuffled(l, a, b, [1, 3, 5, 7])];

/** phadd…, phsub…: neighbours of the destination, then of the source. */
const horizontal = (name: string, pairs: Pairs): Lift => {
  const code = op[name];
  return combine((l, destination, source) => {
    const lanes = isMmx(l) ? lowHalves(l, destination, source) : undefined;
    const [even, odd] = pairs(l, lanes ?? destination, lanes ?? source);
    return l.b.binary(code, even, odd);
  });
};

/** psign…: the destination, negated where the source is negative, 0 where it is 0. */
const sign = (shape: string, shiftToSign: (l: Lifter, value: Value) => Value): Lift =>
  combine((l, destination, source) => {
    const { b } = l;
    const negative = shiftToSign(l, source);
    const negated = b.binary(op[`${shape}.sub`], b.binary(op['v128.xor'], destination, negative), negative);
    const isZero = b.binary(op[`${shape}.eq`], source, zeroVector(l));
    return b.binary(op['v128.andnot'], negated, isZero);
  });

const isNegative =
  (shape: string) =>
  (l: Lifter, value: Value): Value =>
    l.b.binary(op[`${shape}.gt_s`], zeroVector(l), value);

/** pshufb: bytes of the destination that the source names by its low bits; 0 where its sign bit is set. */
const pshufb: Lift = combine((l, destination, source) => {
  const kept = isMmx(l) ? 0x87878787 | 0 : 0x8f8f8f8f | 0;
  const lanes = l.b.binary(op['v128.and'], source, l.b.constant128(kept, kept, kept, kept));
  return l.b.binary(op['i8x16.swizzle'], destination, lanes);
});

const absolute = (name: string): Lift => ofSource((l, source) => l.b.unary(op[name], source));

// -- SSE4.1

/** ptest: ZF where no bit of both is 1, CF where no bit of the source alone is. */
const ptest: Lift = (l) => {
  const { b } = l;
  const source = vector(l, 1);
  const destination = vector(l, 0);
  const isNone = (value: Value): Value => b.eqz(b.unary(op['v128.any_true'], value));
  const zero = isNone(b.binary(op['v128.and'], destination, source));
  const carry = isNone(b.binary(op['v128.andnot'], source, destination));
  setBits(l, { carry, parity: b.constant(0), zero }, (condition) => {
    if (condition === 4) return zero;
    if (condition === 5) return b.eqz(zero);
    if (condition === 2) return carry;
    return condition === 3 ? b.eqz(carry) : undefined;
  });
};

/** The least unsigned halfword and its lane. */
const phminposuw: Lift = ofSource((l, source) =>
  fromLow(l, l.helper('sse.least_halfword', low(l, source), high(l, source))),
);

/** Sums of absolute differences of four bytes of the source and each four from 0 to 7 on of the destination. */
const mpsadbw: Lift = (l) => {
  const { b, i } = l;
  const source = vector(l, 1);
  const destination = vector(l, 0);
  const block = b.withImmediate(op['i32x4.extract_lane'], i.immediate & 3, source);
  const start = (i.immediate & 4) === 0 ? 0 : 4;
  const from = (bytes: number): Value => low(l, b.withImmediate(align, bytes, destination, zeroVector(l)));
  const sums = (bytes: number): Value => l.helper('sse.sums_of_differences', from(bytes), block);
  finish(l, fromHalves(l, sums(start), sums(start + 4)));
};

const emms: Lift = (l) => {
  const { b } = l;
  const { x87 } = l.registers;
  b.set(x87.top, b.constant(0));
  b.set(x87.tags, b.constant(0));
};

/** Rows of an instruction that MMX and XMM registers have alike. `feature` is that of the MMX form. */
function twins(opcode: string, mnemonic: string, feature: string, lift: Lift, feature2 = 'sse2'): Row[] {
  return [
    [`NP ${opcode} /r`, mnemonic, 'Pq,Qq', feature, lift],
    [`66 ${opcode} /r`, mnemonic, 'Vdq,Wdq', feature2, lift],
  ];
}

const xmm = (opcode: string, mnemonic: string, lift: Lift, feature: string): Row => [
  `66 ${opcode} /r`,
  mnemonic,
  'Vdq,Wdq',
  feature,
  lift,
];

const ssse3 = (opcode: string, mnemonic: string, lift: Lift): Row[] =>
  twins(`0F 38 ${opcode}`, mnemonic, 'ssse3', lift, 'ssse3');

/** Shifts by the immediate, of both sets. */
function shifts(opcode: string, mnemonic: string, lift: Lift): Row[] {
  return [
    [`NP ${opcode} reg`, mnemonic, 'Nq,Ib', 'mmx', lift],
    [`66 ${opcode} reg`, mnemonic, 'Udq,Ib', 'sse2', lift],
  ];
}

// biome-ignore format: one row per line
export const sseIntegerRows: readonly Row[] = [
  ['NP 0F 60 /r', 'punpcklbw', 'Pq,Qd', 'mmx', unpackLow(bytesLow)],
  xmm('0F 60', 'punpcklbw', unpackLow(bytesLow), 'sse2'),
  ['NP 0F 61 /r', 'punpcklwd', 'Pq,Qd', 'mmx', unpackLow(halfwordsLow)],
  xmm('0F 61', 'punpcklwd', unpackLow(halfwordsLow), 'sse2'),
  ['NP 0F 62 /r', 'punpckldq', 'Pq,Qd', 'mmx', unpackLow(wordsLow)],
  xmm('0F 62', 'punpckldq', unpackLow(wordsLow), 'sse2'),
  ...twins('0F 63', 'packsswb',   'mmx', pack('i8x16.narrow_i16x8_s')),
  ...twins('0F 64', 'pcmpgtb',    'mmx', both('i8x16.gt_s')),
  ...twins('0F 65', 'pcmpgtw',    'mmx', both('i16x8.gt_s')),
  ...twins('0F 66', 'pcmpgtd',    'mmx', both('i32x4.gt_s')),
  ...twins('0F 67', 'packuswb',   'mmx', pack('i8x16.narrow_i16x8_u')),
  ...twins('0F 68', 'punpckhbw',  'mmx', unpackHigh(bytesLow, bytesHigh)),
  ...twins('0F 69', 'punpckhwd',  'mmx', unpackHigh(halfwordsLow, halfwordsHigh)),
  ...twins('0F 6A', 'punpckhdq',  'mmx', unpackHigh(wordsLow, wordsHigh)),
  ...twins('0F 6B', 'packssdw',   'mmx', pack('i16x8.narrow_i32x4_s')),
  xmm('0F 6C', 'punpcklqdq', unpackLow(doublewordsLow), 'sse2'),
  xmm('0F 6D', 'punpckhqdq', unpackLow(doublewordsHigh), 'sse2'),
  ['NP 0F 6F /r', 'movq', 'Pq,Qq', 'mmx', ofSource((_, source) => source)],
  ...shifts('0F 71 /2', 'psrlw',  shiftImmediate('i16x8.shr_u', 16, 'zero')),
  ...shifts('0F 71 /4', 'psraw',  shiftImmediate('i16x8.shr_s', 16, 'sign')),
  ...shifts('0F 71 /6', 'psllw',  shiftImmediate('i16x8.shl', 16, 'zero')),
  ...shifts('0F 72 /2', 'psrld',  shiftImmediate('i32x4.shr_u', 32, 'zero')),
  ...shifts('0F 72 /4', 'psrad',  shiftImmediate('i32x4.shr_s', 32, 'sign')),
  ...shifts('0F 72 /6', 'pslld',  shiftImmediate('i32x4.shl', 32, 'zero')),
  ...shifts('0F 73 /2', 'psrlq',  shiftImmediate('i64x2.shr_u', 64, 'zero')),
  ['66 0F 73 /3 reg', 'psrldq', 'Udq,Ib', 'sse2', shiftBytesRight],
  ...shifts('0F 73 /6', 'psllq',  shiftImmediate('i64x2.shl', 64, 'zero')),
  ['66 0F 73 /7 reg', 'pslldq', 'Udq,Ib', 'sse2', shiftBytesLeft],
  ...twins('0F 74', 'pcmpeqb',    'mmx', both('i8x16.eq')),
  ...twins('0F 75', 'pcmpeqw',    'mmx', both('i16x8.eq')),
  ...twins('0F 76', 'pcmpeqd',    'mmx', both('i32x4.eq')),
  ['NP 0F 77', 'emms', '', 'mmx', emms],
  ['NP 0F 7F /r', 'movq', 'Qq,Pq', 'mmx', ofSource((_, source) => source)],
  ...twins('0F D1', 'psrlw',      'mmx', shift('i16x8.shr_u', 16, 'zero')),
  ...twins('0F D2', 'psrld',      'mmx', shift('i32x4.shr_u', 32, 'zero')),
  ...twins('0F D3', 'psrlq',      'mmx', shift('i64x2.shr_u', 64, 'zero')),
  ...twins('0F D4', 'paddq',      'sse2', both('i64x2.add')),
  ...twins('0F D5', 'pmullw',     'mmx', both('i16x8.mul')),
  ...twins('0F D8', 'psubusb',    'mmx', both('i8x16.sub_sat_u')),
  ...twins('0F D9', 'psubusw',    'mmx', both('i16x8.sub_sat_u')),
  ...twins('0F DA', 'pminub',     'sse', both('i8x16.min_u')),
  ...twins('0F DB', 'pand',       'mmx', both('v128.and')),
  ...twins('0F DC', 'paddusb',    'mmx', both('i8x16.add_sat_u')),
  ...twins('0F DD', 'paddusw',    'mmx', both('i16x8.add_sat_u')),
  ...twins('0F DE', 'pmaxub',     'sse', both('i8x16.max_u')),
  ...twins('0F DF', 'pandn',      'mmx', andNot),
  ...twins('0F E0', 'pavgb',      'sse', both('i8x16.avgr_u')),
  ...twins('0F E1', 'psraw',      'mmx', shift('i16x8.shr_s', 16, 'sign')),
  ...twins('0F E2', 'psrad',      'mmx', shift('i32x4.shr_s', 32, 'sign')),
  ...twins('0F E3', 'pavgw',      'sse', both('i16x8.avgr_u')),
  ...twins('0F E4', 'pmulhuw',    'sse', both('i16x8.mulh_u')),
  ...twins('0F E5', 'pmulhw',     'mmx', both('i16x8.mulh_s')),
  ['NP 0F E7 /r', 'movntq', 'Mq,Pq', 'sse', ofSource((_, source) => source)],
  ...twins('0F E8', 'psubsb',     'mmx', both('i8x16.sub_sat_s')),
  ...twins('0F E9', 'psubsw',     'mmx', both('i16x8.sub_sat_s')),
  ...twins('0F EA', 'pminsw',     'sse', both('i16x8.min_s')),
  ...twins('0F EB', 'por',        'mmx', both('v128.or')),
  ...twins('0F EC', 'paddsb',     'mmx', both('i8x16.add_sat_s')),
  ...twins('0F ED', 'paddsw',     'mmx', both('i16x8.add_sat_s')),
  ...twins('0F EE', 'pmaxsw',     'sse', both('i16x8.max_s')),
  ...twins('0F EF', 'pxor',       'mmx', both('v128.xor')),
  ...twins('0F F1', 'psllw',      'mmx', shift('i16x8.shl', 16, 'zero')),
  ...twins('0F F2', 'pslld',      'mmx', shift('i32x4.shl', 32, 'zero')),
  ...twins('0F F3', 'psllq',      'mmx', shift('i64x2.shl', 64, 'zero')),
  ...twins('0F F4', 'pmuludq',    'sse2', both('i64x2.mul_even_u')),
  ...twins('0F F5', 'pmaddwd',    'mmx', both('i32x4.dot_i16x8_s')),
  ...twins('0F F6', 'psadbw',     'sse', both('i64x2.sad_i8x16_u')),
  ...twins('0F F8', 'psubb',      'mmx', both('i8x16.sub')),
  ...twins('0F F9', 'psubw',      'mmx', both('i16x8.sub')),
  ...twins('0F FA', 'psubd',      'mmx', both('i32x4.sub')),
  ...twins('0F FB', 'psubq',      'sse2', both('i64x2.sub')),
  ...twins('0F FC', 'paddb',      'mmx', both('i8x16.add')),
  ...twins('0F FD', 'paddw',      'mmx', both('i16x8.add')),
  ...twins('0F FE', 'paddd',      'mmx', both('i32x4.add')),
  ...ssse3('00', 'pshufb',    pshufb),
  ...ssse3('01', 'phaddw',    horizontal('i16x8.add', pairsOfHalfwords)),
  ...ssse3('02', 'phaddd',    horizontal('i32x4.add', pairsOfWords)),
  ...ssse3('03', 'phaddsw',   horizontal('i16x8.add_sat_s', pairsOfHalfwords)),
  ...ssse3('04', 'pmaddubsw', both('i16x8.dot_i8x16_us')),
  ...ssse3('05', 'phsubw',    horizontal('i16x8.sub', pairsOfHalfwords)),
  ...ssse3('06', 'phsubd',    horizontal('i32x4.sub', pairsOfWords)),
  ...ssse3('07', 'phsubsw',   horizontal('i16x8.sub_sat_s', pairsOfHalfwords)),
  ...ssse3('08', 'psignb',    sign('i8x16', isNegative('i8x16'))),
  ...ssse3('09', 'psignw',    sign('i16x8', isNegative('i16x8'))),
  ...ssse3('0A', 'psignd',    sign('i32x4', isNegative('i32x4'))),
  ...ssse3('0B', 'pmulhrsw',  both('i16x8.q15mulr_s')),
  ...ssse3('1C', 'pabsb',     absolute('i8x16.abs')),
  ...ssse3('1D', 'pabsw',     absolute('i16x8.abs')),
  ...ssse3('1E', 'pabsd',     absolute('i32x4.abs')),
  xmm('0F 38 17', 'ptest',    ptest, 'sse4_1'),
  xmm('0F 38 28', 'pmuldq',   both('i64x2.mul_even_s'), 'sse4_1'),
  xmm('0F 38 29', 'pcmpeqq',  both('i64x2.eq'), 'sse4_1'),
  xmm('0F 38 2B', 'packusdw', pack('i16x8.narrow_i32x4_u'), 'sse4_1'),
  xmm('0F 38 37', 'pcmpgtq',  both('i64x2.gt_s'), 'sse4_2'),
  xmm('0F 38 38', 'pminsb',   both('i8x16.min_s'), 'sse4_1'),
  xmm('0F 38 39', 'pminsd',   both('i32x4.min_s'), 'sse4_1'),
  xmm('0F 38 3A', 'pminuw',   both('i16x8.min_u'), 'sse4_1'),
  xmm('0F 38 3B', 'pminud',   both('i32x4.min_u'), 'sse4_1'),
  xmm('0F 38 3C', 'pmaxsb',   both('i8x16.max_s'), 'sse4_1'),
  xmm('0F 38 3D', 'pmaxsd',   both('i32x4.max_s'), 'sse4_1'),
  xmm('0F 38 3E', 'pmaxuw',   both('i16x8.max_u'), 'sse4_1'),
  xmm('0F 38 3F', 'pmaxud',   both('i32x4.max_u'), 'sse4_1'),
  xmm('0F 38 40', 'pmulld',   both('i32x4.mul'), 'sse4_1'),
  xmm('0F 38 41', 'phminposuw', phminposuw, 'sse4_1'),
  ['NP 0F 3A 0F /r', 'palignr', 'Pq,Qq,Ib',   'ssse3', palignr],
  ['66 0F 3A 0F /r', 'palignr', 'Vdq,Wdq,Ib', 'ssse3', palignr],
  ['66 0F 3A 42 /r', 'mpsadbw', 'Vdq,Wdq,Ib', 'sse4_1', mpsadbw],
];

/** For the logical instructions on singles and doubles, which are these. */
export const logical = { and: both('v128.and'), andNot, or: both('v128.or'), xor: both('v128.xor') } as const;
