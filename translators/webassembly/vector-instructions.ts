/**
 * The WebAssembly of the operations on vectors and of the scalar operations beside them (ir/vector-operations.ts). Most are one instruction with
 * the prefix 0xfd (Core Specification 2.0, section 5.4.8).
 */
import { operations } from '../ir/operations.ts';
import type { Sequence } from './instructions.ts';
import { wasm } from './opcodes.ts';

type Emit = (s: Sequence) => void;

export const vectorPrefix = 0xfd;

/** Codes behind the prefix that the emitters name. */
export const simd = {
  v128_load: 0x00,
  v128_store: 0x0b,
  v128_const: 0x0c,
  i8x16_shuffle: 0x0d,
  f64x2_splat: 0x14,
  f64x2_extract_lane: 0x21,
  f64x2_relaxed_madd: 0x107,
  f32x4_eq: 0x41,
  f32x4_lt: 0x43,
  f64x2_eq: 0x47,
  f64x2_lt: 0x49,
  v128_and: 0x4e,
  v128_or: 0x50,
  v128_xor: 0x51,
  v128_bitselect: 0x52,
  v128_load32_zero: 0x5c,
  v128_load64_zero: 0x5d,
  i8x16_sub_sat_u: 0x73,
  i16x8_extadd_pairwise_i8x16_u: 0x7d,
  i32x4_extadd_pairwise_i16x8_u: 0x7f,
  i16x8_q15mulr_sat_s: 0x82,
  i32x4_all_true: 0xa3,
  i64x2_all_true: 0xc3,
  i16x8_shl: 0x8b,
  i16x8_shr_s: 0x8c,
  i16x8_shr_u: 0x8d,
  i16x8_eq: 0x2d,
  i16x8_add_sat_s: 0x8f,
  i16x8_mul: 0x95,
  i32x4_extmul_low_i16x8_s: 0xbc,
  i32x4_extmul_high_i16x8_s: 0xbd,
  i32x4_extmul_low_i16x8_u: 0xbe,
  i32x4_extmul_high_i16x8_u: 0xbf,
  i64x2_shr_u: 0xcd,
  i64x2_add: 0xce,
  i64x2_extmul_low_i32x4_s: 0xdc,
  i64x2_extmul_low_i32x4_u: 0xde,
  i32x4_trunc_sat_f32x4_s: 0xf8,
  i32x4_trunc_sat_f64x2_s_zero: 0xfc,
} as const;

const withPrefix = (code: number): number => (vectorPrefix << 8) | code;

/** Codes of loads and stores, with the prefix above the low byte (FunctionWriter.memory). */
export const vectorMemory = {
  load: withPrefix(simd.v128_load),
  load32Zero: withPrefix(simd.v128_load32_zero),
  load64Zero: withPrefix(simd.v128_load64_zero),
  store: withPrefix(simd.v128_store),
} as const;

// biome-ignore format: rows of a shape together
const plain: readonly (readonly [name: string, code: number])[] = [
  ['v128.and', 0x4e], ['v128.andnot', 0x4f], ['v128.or', 0x50], ['v128.xor', 0x51], ['v128.bitselect', 0x52], ['v128.any_true', 0x53],
  ['i8x16.add', 0x6e], ['i8x16.sub', 0x71], ['i8x16.add_sat_s', 0x6f], ['i8x16.add_sat_u', 0x70], ['i8x16.sub_sat_s', 0x72], ['i8x16.sub_sat_u', 0x73],
  ['i8x16.eq', 0x23], ['i8x16.gt_s', 0x27], ['i8x16.min_s', 0x76], ['i8x16.min_u', 0x77], ['i8x16.max_s', 0x78], ['i8x16.max_u', 0x79],
  ['i8x16.avgr_u', 0x7b], ['i8x16.abs', 0x60], ['i8x16.bitmask', 0x64], ['i8x16.narrow_i16x8_s', 0x65], ['i8x16.narrow_i16x8_u', 0x66], ['i8x16.swizzle', 0x0e],
  ['i16x8.add', 0x8e], ['i16x8.sub', 0x91], ['i16x8.mul', 0x95], ['i16x8.add_sat_s', 0x8f], ['i16x8.add_sat_u', 0x90], ['i16x8.sub_sat_s', 0x92], ['i16x8.sub_sat_u', 0x93],
  ['i16x8.eq', 0x2d], ['i16x8.gt_s', 0x31], ['i16x8.min_s', 0x96], ['i16x8.min_u', 0x97], ['i16x8.max_s', 0x98], ['i16x8.max_u', 0x99], ['i16x8.avgr_u', 0x9b], ['i16x8.abs', 0x80],
  ['i16x8.shl', 0x8b], ['i16x8.shr_s', 0x8c], ['i16x8.shr_u', 0x8d], ['i16x8.narrow_i32x4_s', 0x85], ['i16x8.narrow_i32x4_u', 0x86],
  ['i16x8.extend_low_i8x16_s', 0x87], ['i16x8.extend_low_i8x16_u', 0x89],
  ['i32x4.add', 0xae], ['i32x4.sub', 0xb1], ['i32x4.mul', 0xb5], ['i32x4.eq', 0x37], ['i32x4.gt_s', 0x3b], ['i32x4.min_s', 0xb6], ['i32x4.min_u', 0xb7], ['i32x4.max_s', 0xb8], ['i32x4.max_u', 0xb9],
  ['i32x4.abs', 0xa0], ['i32x4.shl', 0xab], ['i32x4.shr_s', 0xac], ['i32x4.shr_u', 0xad], ['i32x4.dot_i16x8_s', 0xba], ['i32x4.bitmask', 0xa4],
  ['i32x4.extend_low_i16x8_s', 0xa7], ['i32x4.extend_low_i16x8_u', 0xa9],
  ['i64x2.add', 0xce], ['i64x2.sub', 0xd1], ['i64x2.eq', 0xd6], ['i64x2.gt_s', 0xd9], ['i64x2.shl', 0xcb], ['i64x2.shr_u', 0xcd], ['i64x2.bitmask', 0xc4],
  ['i64x2.extend_low_i32x4_s', 0xc7], ['i64x2.extend_low_i32x4_u', 0xc9],
  ['f32x4.add', 0xe4], ['f32x4.sub', 0xe5], ['f32x4.mul', 0xe6], ['f32x4.div', 0xe7], ['f32x4.sqrt', 0xe3], ['f32x4.pmin', 0xea], ['f32x4.pmax', 0xeb],
  ['f32x4.eq', 0x41], ['f32x4.ne', 0x42], ['f32x4.lt', 0x43], ['f32x4.le', 0x45], ['f32x4.ceil', 0x67], ['f32x4.floor', 0x68], ['f32x4.trunc', 0x69], ['f32x4.nearest', 0x6a],
  ['f32x4.convert_i32x4_s', 0xfa], ['f32x4.demote_f64x2_zero', 0x5e],
  ['f64x2.add', 0xf0], ['f64x2.sub', 0xf1], ['f64x2.mul', 0xf2], ['f64x2.div', 0xf3], ['f64x2.sqrt', 0xef], ['f64x2.pmin', 0xf6], ['f64x2.pmax', 0xf7],
  ['f64x2.eq', 0x47], ['f64x2.ne', 0x48], ['f64x2.lt', 0x49], ['f64x2.le', 0x4b], ['f64x2.ceil', 0x74], ['f64x2.floor', 0x75], ['f64x2.trunc', 0x7a], ['f64x2.nearest', 0x94],
  ['f64x2.convert_low_i32x4_s', 0xfe], ['f64x2.promote_low_f32x4', 0x5f],
];

/** With the lane in the byte behind the code. */
// biome-ignore format: rows of a shape together
const laned: readonly (readonly [name: string, code: number])[] = [
  ['i8x16.extract_lane_u', 0x16], ['i8x16.replace_lane', 0x17], ['i16x8.extract_lane_u', 0x19], ['i16x8.replace_lane', 0x1a],
  ['i32x4.extract_lane', 0x1b], ['i32x4.replace_lane', 0x1c], ['i64x2.extract_lane', 0x1d], ['i64x2.replace_lane', 0x1e],
  ['f32x4.extract_lane', 0x1f], ['f32x4.replace_lane', 0x20], ['f64x2.extract_lane', 0x21], ['f64x2.replace_lane', 0x22],
];

/** Codes that carry a lane, and those that carry sixteen bytes: for the printer. */
export const lanedCodes: ReadonlySet<number> = new Set(laned.map(([, code]) => code));

function pushOperands(s: Sequence, count: number): void {
  for (let operand = 0; operand < count; operand++) s.push(operand);
}

/** Pushes a vector of which each byte is given. */
function bytes(s: Sequence, code: number, lanes: readonly number[]): void {
  s.prefixed(vectorPrefix, code);
  for (const lane of lanes) s.op(lane);
}

/** i8x16.shuffle of the two vectors on the stack; lanes of `size` bytes as the function names them. */
function shuffle(s: Sequence, size: number, laneAt: (lane: number) => number): void {
  bytes(
    s,
    simd.i8x16_shuffle,
    Array.from({ length: 16 }, (_, byte) => laneAt(Math.floor(byte / size)) * size + (byte % size)),
  );
}

/** A shuffle of both operands. */
function shuffled(size: number, laneAt: (lane: number, immediate: number) => number): Emit {
  return (s) => {
    pushOperands(s, 2);
    shuffle(s, size, (lane) => laneAt(lane, s.immediate));
  };
}

/** A vector of four equal words. */
function words(s: Sequence, word: number): void {
  bytes(
    s,
    simd.v128_const,
    Array.from({ length: 16 }, (_, at) => (word >>> (8 * (at & 3))) & 0xff),
  );
}

/** A vector of two equal doublewords. */
function doublewords(s: Sequence, low: number, high: number): void {
  bytes(
    s,
    simd.v128_const,
    Array.from({ length: 16 }, (_, at) => ((at & 4 ? high : low) >>> (8 * (at & 3))) & 0xff),
  );
}

const v = (s: Sequence, ...codes: number[]): void => {
  for (const code of codes) s.prefixed(vectorPrefix, code);
};

/** Upper halves of products that two extending multiplications give. */
function highHalves(low: number, high: number): Emit {
  return (s) => {
    pushOperands(s, 2);
    v(s, low);
    pushOperands(s, 2);
    v(s, high);
    shuffle(s, 2, (lane) => 2 * lane + 1);
  };
}

function evenProducts(code: number): Emit {
  return (s) => {
    for (const operand of [0, 1]) {
      s.push(operand);
      s.push(operand);
      shuffle(s, 4, (lane) => 2 * (lane & 1));
    }
    v(s, code);
  };
}

/** Pushes where an operand is not a NaN. */
function ordered(s: Sequence, operand: number, equal: number): void {
  s.push(operand);
  s.push(operand);
  v(s, equal);
}

/** Operand 0 unless a lane of it is a NaN: then, lane by lane, the first NaN of operands 1 and 2, quieted, or the default. */
function nanOf2(is64: boolean): Emit {
  const equal = is64 ? simd.f64x2_eq : simd.f32x4_eq;
  const quieted = (s: Sequence, operand: number): void => {
    s.push(operand);
    if (is64) doublewords(s, 0, 0x80000);
    else words(s, 0x400000);
    v(s, simd.v128_or);
  };
  return (s) => {
    ordered(s, 0, equal);
    s.tee('v128');
    v(s, is64 ? simd.i64x2_all_true : simd.i32x4_all_true);
    s.ifResult('v128', 'likely');
    s.push(0);
    s.op(wasm.else);
    s.push(0);
    if (is64) doublewords(s, 0, s.immediate);
    else words(s, s.immediate);
    for (const operand of [2, 1]) {
      quieted(s, operand);
      ordered(s, operand, equal);
      v(s, simd.v128_bitselect);
    }
    s.scratch('v128');
    v(s, simd.v128_bitselect);
    s.op(wasm.end);
  };
}

/** The same of scalar singles. */
function nanOfSingles(s: Sequence): void {
  const isOrdered = (operand: number): void => {
    s.push(operand);
    s.push(operand);
    s.op(wasm.f32_eq);
  };
  const choose = (operand: number, otherwise: () => void): void => {
    isOrdered(operand);
    s.ifResult('f32');
    otherwise();
    s.op(wasm.else);
    s.push(operand);
    s.op(wasm.i32_reinterpret_f32);
    s.i32(0x400000);
    s.op(wasm.i32_or);
    s.op(wasm.f32_reinterpret_i32);
    s.op(wasm.end);
  };
  isOrdered(0);
  s.ifResult('f32', 'likely');
  s.push(0);
  s.op(wasm.else);
  choose(1, () =>
    choose(2, () => {
      s.i32(s.immediate);
      s.op(wasm.f32_reinterpret_i32);
    }),
  );
  s.op(wasm.end);
}

function selected(s: Sequence): void {
  s.push(1);
  s.push(2);
  s.push(0);
  s.op(wasm.select);
}

/** The lesser or greater of two doubles as a vector instruction has it: without a branch. */
function ofVectors(code: number): Emit {
  return (s) => {
    for (const operand of [0, 1]) {
      s.push(operand);
      v(s, simd.f64x2_splat);
    }
    v(s, code);
    v(s, simd.f64x2_extract_lane);
    s.op(0);
  };
}

/** A saturating conversion of operand 0, but `indefinite` where it is not below the limit, whose high word is given. */
function truncated(code: number, limit: number, indefinite: (s: Sequence) => void): Emit {
  return (s) => {
    s.push(0);
    s.prefixed(0xfc, code);
    indefinite(s);
    s.push(0);
    s.f64(0, limit);
    s.op(wasm.f64_lt);
    s.op(wasm.select);
  };
}

const scalar =
  (count: number, ...codes: number[]): Emit =>
  (s) => {
    pushOperands(s, count);
    for (const code of codes) s.op(code);
  };

/** High words of the doubles 2^31 and 2^63, and the single 2^31. */
const limit32 = 0x41e00000;
const limit64 = 0x43e00000;
const limitSingle = 0x4f000000;

/** Sequences by the operation's name. */
export const vectorSequences: Readonly<Record<string, Emit>> = {
  ...Object.fromEntries(
    plain.map(([name, code]): [string, Emit] => {
      const count = operations.find((operation) => operation.name === name)?.operands.length ?? 0;
      return [
        name,
        (s) => {
          pushOperands(s, count);
          v(s, code);
        },
      ];
    }),
  ),
  ...Object.fromEntries(
    laned.map(([name, code]): [string, Emit] => [
      name,
      (s) => {
        pushOperands(s, name.includes('replace') ? 2 : 1);
        v(s, code);
        s.op(s.immediate);
      },
    ]),
  ),
  'v128.select': selected,
  'i8x16.interleave_low': shuffled(1, (lane) => (lane >> 1) + 16 * (lane & 1)),
  'i8x16.interleave_high': shuffled(1, (lane) => 8 + (lane >> 1) + 16 * (lane & 1)),
  'i8x16.align': shuffled(1, (lane, immediate) => lane + immediate),
  'i16x8.shuffle': shuffled(2, (lane, immediate) => (immediate >>> (4 * lane)) & 15),
  'i32x4.shuffle': shuffled(4, (lane, immediate) => (immediate >>> (4 * lane)) & 7),
  'i16x8.mulh_s': highHalves(simd.i32x4_extmul_low_i16x8_s, simd.i32x4_extmul_high_i16x8_s),
  'i16x8.mulh_u': highHalves(simd.i32x4_extmul_low_i16x8_u, simd.i32x4_extmul_high_i16x8_u),
  'i16x8.q15mulr_s': (s) => {
    pushOperands(s, 2);
    v(s, simd.i16x8_q15mulr_sat_s);
    // Only of -2^15 squared the saturated result is another one: its complement.
    for (const operand of [0, 1]) {
      s.push(operand);
      words(s, 0x80008000);
      v(s, simd.i16x8_eq);
    }
    v(s, simd.v128_and, simd.v128_xor);
  },
  'i16x8.dot_i8x16_us': (s) => {
    s.push(0);
    words(s, 0x00ff00ff);
    v(s, simd.v128_and);
    s.push(1);
    s.i32(8);
    v(s, simd.i16x8_shl);
    s.i32(8);
    v(s, simd.i16x8_shr_s, simd.i16x8_mul);
    s.push(0);
    s.i32(8);
    v(s, simd.i16x8_shr_u);
    s.push(1);
    s.i32(8);
    v(s, simd.i16x8_shr_s, simd.i16x8_mul, simd.i16x8_add_sat_s);
  },
  'i64x2.mul_even_s': evenProducts(simd.i64x2_extmul_low_i32x4_s),
  'i64x2.mul_even_u': evenProducts(simd.i64x2_extmul_low_i32x4_u),
  'i64x2.sad_i8x16_u': (s) => {
    s.push(0);
    s.push(1);
    v(s, simd.i8x16_sub_sat_u);
    s.push(1);
    s.push(0);
    v(s, simd.i8x16_sub_sat_u, simd.v128_or);
    v(s, simd.i16x8_extadd_pairwise_i8x16_u, simd.i32x4_extadd_pairwise_i16x8_u);
    s.tee('v128');
    s.scratch('v128');
    s.i32(32);
    v(s, simd.i64x2_shr_u, simd.i64x2_add);
    doublewords(s, -1, 0);
    v(s, simd.v128_and);
  },
  'f32x4.nan_of2': nanOf2(false),
  'f64x2.nan_of2': nanOf2(true),
  'i32x4.trunc_f32x4_indefinite': (s) => {
    s.push(0);
    v(s, simd.i32x4_trunc_sat_f32x4_s);
    words(s, -0x80000000);
    s.push(0);
    words(s, limitSingle);
    v(s, simd.f32x4_lt, simd.v128_bitselect);
  },
  'i32x4.trunc_f64x2_indefinite_zero': (s) => {
    s.push(0);
    v(s, simd.i32x4_trunc_sat_f64x2_s_zero);
    s.prefixed(vectorPrefix, simd.v128_const);
    for (let at = 0; at < 16; at++) s.op(at === 3 || at === 7 ? 0x80 : 0);
    s.push(0);
    doublewords(s, 0, limit32);
    v(s, simd.f64x2_lt);
    s.tee('v128');
    s.scratch('v128');
    // The masks of the two doubles, as those of two words.
    shuffle(s, 4, (lane) => 2 * (lane & 1));
    v(s, simd.v128_bitselect);
  },

  'f32.add': scalar(2, 0x92),
  'f32.sub': scalar(2, 0x93),
  'f32.mul': scalar(2, 0x94),
  'f32.div': scalar(2, 0x95),
  'f32.sqrt': scalar(1, 0x91),
  'f32.nan_of2': nanOfSingles,
  'f32.eq': scalar(2, wasm.f32_eq),
  'f32.lt': scalar(2, 0x5d),
  'f32.unordered': (s) => {
    for (const operand of [0, 1]) {
      s.push(operand);
      s.push(operand);
      s.op(0x5c);
    }
    s.op(wasm.i32_or);
  },
  'f32.convert_i32_s': scalar(1, 0xb2),
  'f32.convert_i64_s': scalar(1, 0xb4),
  'f64.convert_i64_s': scalar(1, 0xb9),
  'f64.reinterpret_i64': scalar(1, wasm.f64_reinterpret_i64),
  'i64.reinterpret_f64': scalar(1, wasm.i64_reinterpret_f64),
  'f32.demote_f64': scalar(1, wasm.f32_demote_f64),
  'f64.promote_f32': scalar(1, wasm.f64_promote_f32),
  'f64.pmin': ofVectors(0xf6),
  'f64.pmax': ofVectors(0xf7),
  'f64.ceil': scalar(1, 0x9b),
  'f64.floor': scalar(1, 0x9c),
  'f64.trunc': scalar(1, 0x9d),
  'f64.nearest': scalar(1, wasm.f64_nearest),
  'i32.trunc_f64_indefinite': truncated(0x02, limit32, (s) => s.i32(-0x80000000)),
  'i64.trunc_f64_indefinite': truncated(0x06, limit64, (s) => s.i64(0, -0x80000000)),
};

/** Names of the codes behind the prefix, for the printer. */
export const vectorCodeNames: ReadonlyMap<number, string> = new Map([
  ...Object.entries(simd).map(([name, code]) => [code, name.replace('_', '.')] as const),
  ...[...plain, ...laned].map(([name, code]) => [code, name] as const),
]);
