/** Moves, shuffles and blends of XMM registers: SSE to SSE4.1. What MMX has too is in mmx.ts. */
import { op, type Value } from '../ir/builder.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rdi } from './registers.ts';
import { finish, fromLow, high, low, setVector, shuffled, useMmx, vector, zeroVector } from './sse-operands.ts';

const replaceDouble = op['f64x2.replace_lane'];
const replaceWord = op['i32x4.replace_lane'];
const extractWord = op['i32x4.extract_lane'];
const bitselect = op['v128.bitselect'];
const shuffle16 = op['i16x8.shuffle'];

const move: Lift = (l) => setVector(l, 0, vector(l, 1));

/** movss, movsd to a register: from memory with zeros above, from a register the lane alone. */
const loadScalar =
  (lanes: readonly [number, number, number, number]): Lift =>
  (l) => {
    const source = vector(l, 1);
    setVector(l, 0, l.inMemory(1) ? source : shuffled(l, vector(l, 0), source, lanes));
  };

const lowestWord = [4, 1, 2, 3] as const;
const lowestDouble = [4, 5, 2, 3] as const;

/** movss to a register or memory. */
const storeSingle: Lift = (l) => {
  const source = vector(l, 1);
  if (!l.inMemory(0)) {
    setVector(l, 0, shuffled(l, vector(l, 0), source, lowestWord));
    return;
  }
  l.address();
  l.store(op.store32, 0, l.b.withImmediate(extractWord, 0, source));
};

const storeDouble: Lift = (l) => {
  const source = vector(l, 1);
  if (l.inMemory(0)) setVector(l, 0, source);
  else setVector(l, 0, shuffled(l, vector(l, 0), source, lowestDouble));
};

/** Replaces the low (0) or high (1) half of the destination by the double in memory. */
const loadHalf =
  (lane: 0 | 1): Lift =>
  (l) => {
    l.address();
    const half = l.load(op['load64.f64']);
    setVector(l, 0, l.b.withImmediate(replaceDouble, lane, vector(l, 0), half));
  };

const storeHalf =
  (half: (l: Lifter, value: Value) => Value): Lift =>
  (l) => {
    const value = half(l, vector(l, 1));
    l.address();
    l.store(op['store64.f64'], 0, value);
  };

/** A shuffle of words of destination (0 to 3) and source (4 to 7). */
const words =
  (...lanes: [number, number, number, number]): Lift =>
  (l) =>
    setVector(l, 0, shuffled(l, vector(l, 0), vector(l, 1), lanes));

/** A shuffle of words of the source. */
const wordsOfSource =
  (...lanes: [number, number, number, number]): Lift =>
  (l) => {
    const source = vector(l, 1);
    setVector(l, 0, shuffled(l, source, source, lanes));
  };

const movddup: Lift = (l) => {
  const source = vector(l, 1);
  setVector(l, 0, shuffled(l, source, source, [0, 1, 0, 1]));
};

/** Two bits of the immediate. */
const field = (l: Lifter, n: number): number => (l.i.immediate >> (2 * n)) & 3;

const shufps: Lift = (l) => words(field(l, 0), field(l, 1), 4 + field(l, 2), 4 + field(l, 3))(l);

const shufpd: Lift = (l) => {
  const first = 2 * (l.i.immediate & 1);
  const second = 4 + (l.i.immediate & 2);
  words(first, first + 1, second, second + 1)(l);
};

const pshufd: Lift = (l) => wordsOfSource(field(l, 0), field(l, 1), field(l, 2), field(l, 3))(l);

/** pshuflw, pshufhw: four halfwords from lane `first` on change places. */
const shuffleHalfwords =
  (first: 0 | 4): Lift =>
  (l) => {
    let pattern = 0x76543210;
    for (let n = 0; n < 4; n++) {
      const shift = 4 * (first + n);
      pattern = (pattern & ~(15 << shift)) | ((first + field(l, n)) << shift);
    }
    const source = vector(l, 1);
    finish(l, l.b.withImmediate(shuffle16, pattern, source, source));
  };

// -- between general registers and vectors

const i64ExtractLane = op['i64x2.extract_lane'];
const i64ReplaceLane = op['i64x2.replace_lane'];

/** movd, movq to a vector: zeros above. */
const fromGeneral: Lift = (l) => {
  if (l.inMemory(1)) {
    l.address();
    finish(l, l.load(l.size(1) === 8 ? op.load64_zero : op.load32_zero));
    return;
  }
  const code = l.size(1) === 8 ? i64ReplaceLane : replaceWord;
  finish(l, l.b.withImmediate(code, 0, zeroVector(l), l.read(1)));
};

const toGeneral: Lift = (l) => {
  const code = l.size(0) === 8 ? i64ExtractLane : extractWord;
  const value = l.b.withImmediate(code, 0, vector(l, 1));
  l.write(0, value);
  if (l.i.operands[1].kind === 'P') useMmx(l);
};

/** movq between XMM registers and memory: zeros above. */
const moveQuadword: Lift = (l) => {
  const source = vector(l, 1);
  setVector(l, 0, l.inMemory(0) ? source : fromLow(l, low(l, source)));
};

/** movdq2q, movq2dq. */
const betweenSets: Lift = (l) => finish(l, fromLow(l, low(l, vector(l, 1))));

/** Puts operand 1 into the lane that the immediate names, of `lanes`. */
const insert =
  (code: number, lanes: number): Lift =>
  (l) => {
    const value = l.read(1);
    finish(l, l.b.withImmediate(code, l.i.immediate & (lanes - 1), vector(l, 0), value));
  };

const insertWord: Lift = (l) => (l.size(1) === 8 ? insert(i64ReplaceLane, 2)(l) : insert(replaceWord, 4)(l));

const extract =
  (code: number, lanes: number): Lift =>
  (l) => {
    const value = l.b.withImmediate(code, l.i.immediate & (lanes - 1), vector(l, 1));
    l.write(0, value);
    if (l.i.operands[1].kind === 'N') useMmx(l);
  };

const extractAny: Lift = (l) => (l.size(0) === 8 ? extract(i64ExtractLane, 2)(l) : extract(extractWord, 4)(l));

/** The word that bits 6 and 7 name (of memory the only one) goes where bits 4 and 5 say; words with a bit set in 0 to 3 become 0. */
const insertps: Lift = (l) => {
  const { immediate } = l.i;
  const source = vector(l, 1);
  const from = l.inMemory(1) ? 0 : (immediate >> 6) & 3;
  const lanes: [number, number, number, number] = [0, 1, 2, 3];
  lanes[(immediate >> 4) & 3] = 4 + from;
  const inserted = shuffled(l, vector(l, 0), source, lanes);
  const keep = [0, 1, 2, 3].map((lane) => ((immediate >> lane) & 1) - 1);
  setVector(
    l,
    0,
    (immediate & 15) === 0
      ? inserted
      : l.b.binary(op['v128.and'], inserted, l.b.constant128(keep[0], keep[1], keep[2], keep[3])),
  );
};

const extractSigns =
  (code: number): Lift =>
  (l) => {
    const value = l.b.unary(code, vector(l, 1));
    l.write(0, value);
    if (l.i.operands[1].kind === 'N') useMmx(l);
  };

// -- blends

/** Lanes of the source where the mask's lanes are negative: `signs` makes all ones of these. */
const blendBySign =
  (signs: (l: Lifter, mask: Value) => Value): Lift =>
  (l) => {
    const source = vector(l, 1);
    setVector(l, 0, l.b.ternary(bitselect, source, vector(l, 0), signs(l, vector(l, 2))));
  };

const byteSigns = (l: Lifter, mask: Value): Value => l.b.binary(op['i8x16.gt_s'], zeroVector(l), mask);
const wordSigns = (l: Lifter, mask: Value): Value => l.b.binary(op['i32x4.shr_s'], mask, l.b.constant(31));
const doubleSigns = (l: Lifter, mask: Value): Value => {
  const signs = wordSigns(l, mask);
  return shuffled(l, signs, signs, [1, 1, 3, 3]);
};

const blendps: Lift = (l) => {
  const lane = (n: number): number => n + 4 * ((l.i.immediate >> n) & 1);
  words(lane(0), lane(1), lane(2), lane(3))(l);
};

const blendpd: Lift = (l) => {
  const [first, second] = [0, 1].map((n) => 2 * n + 4 * ((l.i.immediate >> n) & 1));
  words(first, first + 1, second, second + 1)(l);
};

const pblendw: Lift = (l) => {
  let pattern = 0;
  for (let n = 0; n < 8; n++) pattern |= (n + 8 * ((l.i.immediate >> n) & 1)) << (4 * n);
  const source = vector(l, 1);
  setVector(l, 0, l.b.withImmediate(shuffle16, pattern, vector(l, 0), source));
};

/** Extensions from the low lanes, one after the other: `codes` widen once each. */
const extend =
  (...names: string[]): Lift =>
  (l) => {
    let value = l.inMemory(1) && l.size(1) === 2 ? loadPair(l) : vector(l, 1);
    for (const name of names) value = l.b.unary(op[name], value);
    setVector(l, 0, value);
  };

/** Two bytes of memory in the lowest lane. */
function loadPair(l: Lifter): Value {
  l.address();
  return l.b.withImmediate(replaceWord, 0, zeroVector(l), l.load(op.load16_u));
}

/** The bytes whose mask byte is negative go to memory at DS:rDI. As on AMD's processors all bytes must be writable. */
const maskedStore: Lift = (l) => {
  const { b } = l;
  const [value, mask] = [vector(l, 0), vector(l, 1)];
  const isMmx = l.i.operands[0].kind === 'P';
  if (isMmx) useMmx(l);
  l.pointAt(l.offsetIn(rdi));
  b.check(l.base, l.offset, isMmx ? 8 : 16, 2);
  const address = b.add(l.base, b.constant(l.offset));
  l.helper('sse.store_masked', address, low(l, value), low(l, mask));
  if (!isMmx) l.helper('sse.store_masked', b.add(address, b.constant(8)), high(l, value), high(l, mask));
};

// biome-ignore format: one row per line
export const sseMoveRows: readonly Row[] = [
  ['NP 0F 10 /r',  'movups',   'Vdq,Wdq',  'sse unaligned',  move],
  ['66 0F 10 /r',  'movupd',   'Vdq,Wdq',  'sse2 unaligned', move],
  ['F3 0F 10 /r',  'movss',    'Vdq,Wss',  'sse',            loadScalar(lowestWord)],
  ['F2 0F 10 /r',  'movsd',    'Vdq,Wsd',  'sse2',           loadScalar(lowestDouble)],
  ['NP 0F 11 /r',  'movups',   'Wdq,Vdq',  'sse unaligned',  move],
  ['66 0F 11 /r',  'movupd',   'Wdq,Vdq',  'sse2 unaligned', move],
  ['F3 0F 11 /r',  'movss',    'Wss,Vdq',  'sse',            storeSingle],
  ['F2 0F 11 /r',  'movsd',    'Wsd,Vdq',  'sse2',           storeDouble],
  ['NP 0F 12 /r',  'movlps',   'Vdq,Mq',   'sse',            loadHalf(0)],
  ['NP 0F 12 /r',  'movhlps',  'Vdq,Udq',  'sse',            words(6, 7, 2, 3)],
  ['66 0F 12 /r',  'movlpd',   'Vdq,Mq',   'sse2',           loadHalf(0)],
  ['F3 0F 12 /r',  'movsldup', 'Vdq,Wdq',  'sse3',           wordsOfSource(0, 0, 2, 2)],
  ['F2 0F 12 /r',  'movddup',  'Vdq,Wq',   'sse3',           movddup],
  ['NP 0F 13 /r',  'movlps',   'Mq,Vdq',   'sse',            storeHalf(low)],
  ['66 0F 13 /r',  'movlpd',   'Mq,Vdq',   'sse2',           storeHalf(low)],
  ['NP 0F 14 /r',  'unpcklps', 'Vdq,Wdq',  'sse',            words(0, 4, 1, 5)],
  ['66 0F 14 /r',  'unpcklpd', 'Vdq,Wdq',  'sse2',           words(0, 1, 4, 5)],
  ['NP 0F 15 /r',  'unpckhps', 'Vdq,Wdq',  'sse',            words(2, 6, 3, 7)],
  ['66 0F 15 /r',  'unpckhpd', 'Vdq,Wdq',  'sse2',           words(2, 3, 6, 7)],
  ['NP 0F 16 /r',  'movhps',   'Vdq,Mq',   'sse',            loadHalf(1)],
  ['NP 0F 16 /r',  'movlhps',  'Vdq,Udq',  'sse',            words(0, 1, 4, 5)],
  ['66 0F 16 /r',  'movhpd',   'Vdq,Mq',   'sse2',           loadHalf(1)],
  ['F3 0F 16 /r',  'movshdup', 'Vdq,Wdq',  'sse3',           wordsOfSource(1, 1, 3, 3)],
  ['NP 0F 17 /r',  'movhps',   'Mq,Vdq',   'sse',            storeHalf(high)],
  ['66 0F 17 /r',  'movhpd',   'Mq,Vdq',   'sse2',           storeHalf(high)],
  ['NP 0F 28 /r',  'movaps',   'Vdq,Wdq',  'sse',            move],
  ['66 0F 28 /r',  'movapd',   'Vdq,Wdq',  'sse2',           move],
  ['NP 0F 29 /r',  'movaps',   'Wdq,Vdq',  'sse',            move],
  ['66 0F 29 /r',  'movapd',   'Wdq,Vdq',  'sse2',           move],
  ['NP 0F 2B /r',  'movntps',  'Mdq,Vdq',  'sse',            move],
  ['66 0F 2B /r',  'movntpd',  'Mdq,Vdq',  'sse2',           move],
  ['NP 0F 50 /r',  'movmskps', 'Gd,Udq',   'sse',            extractSigns(op['i32x4.bitmask'])],
  ['66 0F 50 /r',  'movmskpd', 'Gd,Udq',   'sse2',           extractSigns(op['i64x2.bitmask'])],
  ['66 0F 6E /r',  'movd|movd|movq', 'Vdq,Ey',  'sse2',           fromGeneral],
  ['NP 0F 6E /r',  'movd|movd|movq', 'Pq,Ey',   'mmx',            fromGeneral],
  ['66 0F 6F /r',  'movdqa',   'Vdq,Wdq',  'sse2',           move],
  ['F3 0F 6F /r',  'movdqu',   'Vdq,Wdq',  'sse2 unaligned', move],
  ['66 0F 70 /r',  'pshufd',   'Vdq,Wdq,Ib', 'sse2',         pshufd],
  ['F3 0F 70 /r',  'pshufhw',  'Vdq,Wdq,Ib', 'sse2',         shuffleHalfwords(4)],
  ['F2 0F 70 /r',  'pshuflw',  'Vdq,Wdq,Ib', 'sse2',         shuffleHalfwords(0)],
  ['NP 0F 70 /r',  'pshufw',   'Pq,Qq,Ib', 'sse',            shuffleHalfwords(0)],
  ['66 0F 7E /r',  'movd|movd|movq', 'Ey,Vdq',  'sse2',           toGeneral],
  ['NP 0F 7E /r',  'movd|movd|movq', 'Ey,Pq',   'mmx',            toGeneral],
  ['F3 0F 7E /r',  'movq',     'Vdq,Wq',   'sse2',           moveQuadword],
  ['66 0F 7F /r',  'movdqa',   'Wdq,Vdq',  'sse2',           move],
  ['F3 0F 7F /r',  'movdqu',   'Wdq,Vdq',  'sse2 unaligned', move],
  ['66 0F C4 /r',  'pinsrw',   'Vdq,Rd,Ib', 'sse2',          insert(op['i16x8.replace_lane'], 8)],
  ['66 0F C4 /r',  'pinsrw',   'Vdq,Mw,Ib', 'sse2',          insert(op['i16x8.replace_lane'], 8)],
  ['NP 0F C4 /r',  'pinsrw',   'Pq,Rd,Ib', 'sse',            insert(op['i16x8.replace_lane'], 4)],
  ['NP 0F C4 /r',  'pinsrw',   'Pq,Mw,Ib', 'sse',            insert(op['i16x8.replace_lane'], 4)],
  ['66 0F C5 /r',  'pextrw',   'Gd,Udq,Ib', 'sse2',          extract(op['i16x8.extract_lane_u'], 8)],
  ['NP 0F C5 /r',  'pextrw',   'Gd,Nq,Ib', 'sse',            extract(op['i16x8.extract_lane_u'], 4)],
  ['NP 0F C6 /r',  'shufps',   'Vdq,Wdq,Ib', 'sse',          shufps],
  ['66 0F C6 /r',  'shufpd',   'Vdq,Wdq,Ib', 'sse2',         shufpd],
  ['66 0F D6 /r',  'movq',     'Wq,Vdq',   'sse2',           moveQuadword],
  ['F2 0F D6 /r',  'movdq2q',  'Pq,Udq',   'sse2',           betweenSets],
  ['F3 0F D6 /r',  'movq2dq',  'Vdq,Nq',   'sse2',           betweenSets],
  ['66 0F D7 /r',  'pmovmskb', 'Gd,Udq',   'sse2',           extractSigns(op['i8x16.bitmask'])],
  ['NP 0F D7 /r',  'pmovmskb', 'Gd,Nq',    'sse',            extractSigns(op['i8x16.bitmask'])],
  ['66 0F E7 /r',  'movntdq',  'Mdq,Vdq',  'sse2',           move],
  ['F2 0F F0 /r',  'lddqu',    'Vdq,Mdq',  'sse3 unaligned', move],
  ['66 0F F7 /r',  'maskmovdqu', 'Vdq,Udq', 'sse2',          maskedStore],
  ['NP 0F F7 /r',  'maskmovq', 'Pq,Nq',    'sse',            maskedStore],
  ['66 0F 38 10 /r', 'pblendvb', 'Vdq,Wdq,XMM0', 'sse4_1',   blendBySign(byteSigns)],
  ['66 0F 38 14 /r', 'blendvps', 'Vdq,Wdq,XMM0', 'sse4_1',   blendBySign(wordSigns)],
  ['66 0F 38 15 /r', 'blendvpd', 'Vdq,Wdq,XMM0', 'sse4_1',   blendBySign(doubleSigns)],
  ['66 0F 38 20 /r', 'pmovsxbw', 'Vdq,Wq', 'sse4_1',         extend('i16x8.extend_low_i8x16_s')],
  ['66 0F 38 21 /r', 'pmovsxbd', 'Vdq,Wd', 'sse4_1',         extend('i16x8.extend_low_i8x16_s', 'i32x4.extend_low_i16x8_s')],
  ['66 0F 38 22 /r', 'pmovsxbq', 'Vdq,Ww', 'sse4_1',         extend('i16x8.extend_low_i8x16_s', 'i32x4.extend_low_i16x8_s', 'i64x2.extend_low_i32x4_s')],
  ['66 0F 38 23 /r', 'pmovsxwd', 'Vdq,Wq', 'sse4_1',         extend('i32x4.extend_low_i16x8_s')],
  ['66 0F 38 24 /r', 'pmovsxwq', 'Vdq,Wd', 'sse4_1',         extend('i32x4.extend_low_i16x8_s', 'i64x2.extend_low_i32x4_s')],
  ['66 0F 38 25 /r', 'pmovsxdq', 'Vdq,Wq', 'sse4_1',         extend('i64x2.extend_low_i32x4_s')],
  ['66 0F 38 2A /r', 'movntdqa', 'Vdq,Mdq', 'sse4_1',        move],
  ['66 0F 38 30 /r', 'pmovzxbw', 'Vdq,Wq', 'sse4_1',         extend('i16x8.extend_low_i8x16_u')],
  ['66 0F 38 31 /r', 'pmovzxbd', 'Vdq,Wd', 'sse4_1',         extend('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u')],
  ['66 0F 38 32 /r', 'pmovzxbq', 'Vdq,Ww', 'sse4_1',         extend('i16x8.extend_low_i8x16_u', 'i32x4.extend_low_i16x8_u', 'i64x2.extend_low_i32x4_u')],
  ['66 0F 38 33 /r', 'pmovzxwd', 'Vdq,Wq', 'sse4_1',         extend('i32x4.extend_low_i16x8_u')],
  ['66 0F 38 34 /r', 'pmovzxwq', 'Vdq,Wd', 'sse4_1',         extend('i32x4.extend_low_i16x8_u', 'i64x2.extend_low_i32x4_u')],
  ['66 0F 38 35 /r', 'pmovzxdq', 'Vdq,Wq', 'sse4_1',         extend('i64x2.extend_low_i32x4_u')],
  ['66 0F 3A 0C /r', 'blendps', 'Vdq,Wdq,Ib', 'sse4_1',      blendps],
  ['66 0F 3A 0D /r', 'blendpd', 'Vdq,Wdq,Ib', 'sse4_1',      blendpd],
  ['66 0F 3A 0E /r', 'pblendw', 'Vdq,Wdq,Ib', 'sse4_1',      pblendw],
  ['66 0F 3A 14 /r', 'pextrb', 'Rd,Vdq,Ib', 'sse4_1',        extract(op['i8x16.extract_lane_u'], 16)],
  ['66 0F 3A 14 /r', 'pextrb', 'Mb,Vdq,Ib', 'sse4_1',        extract(op['i8x16.extract_lane_u'], 16)],
  ['66 0F 3A 15 /r', 'pextrw', 'Rd,Vdq,Ib', 'sse4_1',        extract(op['i16x8.extract_lane_u'], 8)],
  ['66 0F 3A 15 /r', 'pextrw', 'Mw,Vdq,Ib', 'sse4_1',        extract(op['i16x8.extract_lane_u'], 8)],
  ['66 0F 3A 16 /r', 'pextrd|pextrd|pextrq', 'Ey,Vdq,Ib', 'sse4_1', extractAny],
  ['66 0F 3A 17 /r', 'extractps', 'Ed,Vdq,Ib', 'sse4_1',     extract(extractWord, 4)],
  ['66 0F 3A 20 /r', 'pinsrb', 'Vdq,Rd,Ib', 'sse4_1',        insert(op['i8x16.replace_lane'], 16)],
  ['66 0F 3A 20 /r', 'pinsrb', 'Vdq,Mb,Ib', 'sse4_1',        insert(op['i8x16.replace_lane'], 16)],
  ['66 0F 3A 21 /r', 'insertps', 'Vdq,Wss,Ib', 'sse4_1',     insertps],
  ['66 0F 3A 22 /r', 'pinsrd|pinsrd|pinsrq', 'Vdq,Ey,Ib', 'sse4_1', insertWord],
];
