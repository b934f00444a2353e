/**
 * The functions of the operations on halves of vectors (vector-operations.ts): those that are not lane by lane, and the
 * table of all. A half is a double that stands for its 8 bytes; each function moves it through views of one scratch buffer,
 * so that whatever bits it has stay as they are.
 */
import { mulhs, mulhu } from './runtime.ts';
import * as lanes from './vector-lanes.generated.ts';
import * as scalars from './vector-scalars.ts';

// Operands a, b, c, and the result.
const f64 = new Float64Array(4);
const { buffer } = f64;
const i8 = new Int8Array(buffer);
const u8 = new Uint8Array(buffer);
const i16 = new Int16Array(buffer);
const u16 = new Uint16Array(buffer);
const i32 = new Int32Array(buffer);
const u32 = new Uint32Array(buffer);
const f32 = new Float32Array(buffer);

function half_any_true(a: number): number {
  f64[0] = a;
  return (i32[0] | i32[1]) === 0 ? 0 : 1;
}

// -- Bytes

/** The sign bits of four bytes, that of the lowest in bit 0. */
function signsOf(word: number): number {
  return Math.imul((word >>> 7) & 0x01010101, 0x10204080) >>> 28;
}

function i8x8_bitmask(a: number): number {
  f64[0] = a;
  return signsOf(i32[0]) | (signsOf(i32[1]) << 4);
}

function saturated(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), most);
}

function i8x8_narrow_i16x4_s(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  for (let lane = 0; lane < 8; lane++) i8[24 + lane] = saturated(i16[lane], -128, 127);
  return f64[3];
}

function i8x8_narrow_i16x4_u(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  for (let lane = 0; lane < 8; lane++) u8[24 + lane] = saturated(i16[lane], 0, 255);
  return f64[3];
}

function i8x8_swizzle(a: number, b: number, c: number): number {
  f64[0] = a;
  f64[1] = b;
  f64[2] = c;
  for (let lane = 0; lane < 8; lane++) {
    const from = u8[16 + lane];
    u8[24 + lane] = from < 16 ? u8[from] : 0;
  }
  return f64[3];
}

/** Two bytes, at bits 0 and 8 of x, to bits 0 and 16. */
function spread(x: number): number {
  return (x & 0xff) | ((x & 0xff00) << 8);
}

function interleave(a: number, b: number): void {
  i32[6] = spread(a) | (spread(b) << 8);
  i32[7] = spread(a >>> 16) | (spread(b >>> 16) << 8);
}

function i8x8_interleave_low(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  interleave(i32[0], i32[2]);
  return f64[3];
}

function i8x8_interleave_high(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  interleave(i32[1], i32[3]);
  return f64[3];
}

function i8x8_align(a: number, b: number, bytes: number): number {
  f64[0] = a;
  f64[1] = b;
  const word = bytes >> 2;
  const shift = (bytes & 3) << 3;
  if (shift === 0) {
    i32[6] = i32[word];
    i32[7] = i32[word + 1];
  } else {
    i32[6] = (i32[word] >>> shift) | (i32[word + 1] << (32 - shift));
    i32[7] = (i32[word + 1] >>> shift) | (i32[word + 2] << (32 - shift));
  }
  return f64[3];
}

function i8x8_extract_lane_u(a: number, lane: number): number {
  f64[0] = a;
  return u8[lane];
}

function i8x8_replace_lane(a: number, b: number, lane: number): number {
  f64[0] = a;
  u8[lane] = b;
  return f64[0];
}

// -- Halfwords

function i16x4_dot_i8x8_us(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  for (let lane = 0; lane < 4; lane++) {
    const at = 2 * lane;
    i16[12 + lane] = saturated(u8[at] * i8[8 + at] + u8[at + 1] * i8[9 + at], -32768, 32767);
  }
  return f64[3];
}

function i16x4_narrow_i32x2_s(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  for (let lane = 0; lane < 4; lane++) i16[12 + lane] = saturated(i32[lane], -32768, 32767);
  return f64[3];
}

function i16x4_narrow_i32x2_u(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  for (let lane = 0; lane < 4; lane++) u16[12 + lane] = saturated(i32[lane], 0, 65535);
  return f64[3];
}

function i16x4_extend_low_i8x8_s(a: number): number {
  f64[0] = a;
  for (let lane = 0; lane < 4; lane++) i16[12 + lane] = i8[lane];
  return f64[3];
}

function i16x4_extend_low_i8x8_u(a: number): number {
  f64[0] = a;
  for (let lane = 0; lane < 4; lane++) i16[12 + lane] = u8[lane];
  return f64[3];
}

function i16x4_extend_high_i8x8_s(a: number): number {
  f64[0] = a;
  for (let lane = 0; lane < 4; lane++) i16[12 + lane] = i8[4 + lane];
  return f64[3];
}

function i16x4_extend_high_i8x8_u(a: number): number {
  f64[0] = a;
  for (let lane = 0; lane < 4; lane++) i16[12 + lane] = u8[4 + lane];
  return f64[3];
}

function i16x4_shuffle(a: number, b: number, pattern: number): number {
  f64[0] = a;
  f64[1] = b;
  i16[12] = i16[pattern & 7];
  i16[13] = i16[(pattern >> 4) & 7];
  i16[14] = i16[(pattern >> 8) & 7];
  i16[15] = i16[(pattern >> 12) & 7];
  return f64[3];
}

function i16x4_extract_lane_u(a: number, lane: number): number {
  f64[0] = a;
  return u16[lane];
}

function i16x4_replace_lane(a: number, b: number, lane: number): number {
  f64[0] = a;
  u16[lane] = b;
  return f64[0];
}

// -- Words

function i32x2_dot_i16x4_s(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  i32[6] = i16[0] * i16[4] + i16[1] * i16[5];
  i32[7] = i16[2] * i16[6] + i16[3] * i16[7];
  return f64[3];
}

function i32x2_bitmask(a: number): number {
  f64[0] = a;
  return (i32[0] >>> 31) | ((i32[1] >>> 31) << 1);
}

function i32x2_extend_low_i16x4_s(a: number): number {
  f64[0] = a;
  i32[6] = i16[0];
  i32[7] = i16[1];
  return f64[3];
}

function i32x2_extend_low_i16x4_u(a: number): number {
  f64[0] = a;
  i32[6] = u16[0];
  i32[7] = u16[1];
  return f64[3];
}

function i32x2_extend_high_i16x4_s(a: number): number {
  f64[0] = a;
  i32[6] = i16[2];
  i32[7] = i16[3];
  return f64[3];
}

function i32x2_extend_high_i16x4_u(a: number): number {
  f64[0] = a;
  i32[6] = u16[2];
  i32[7] = u16[3];
  return f64[3];
}

function i32x2_shuffle(a: number, b: number, pattern: number): number {
  f64[0] = a;
  f64[1] = b;
  i32[6] = i32[pattern & 3];
  i32[7] = i32[(pattern >> 4) & 3];
  return f64[3];
}

function i32x2_replace_lane(a: number, b: number, lane: number): number {
  f64[0] = a;
  i32[lane] = b;
  return f64[0];
}

// -- Doublewords

function i64x1_add(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  const low = u32[0] + u32[2];
  i32[6] = low;
  i32[7] = i32[1] + i32[3] + (low > 0xffffffff ? 1 : 0);
  return f64[3];
}

function i64x1_sub(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  const low = u32[0] - u32[2];
  i32[6] = low;
  i32[7] = i32[1] - i32[3] - (low < 0 ? 1 : 0);
  return f64[3];
}

function i64x1_mul_even_s(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  i32[6] = Math.imul(i32[0], i32[2]);
  i32[7] = mulhs(i32[0], i32[2]);
  return f64[3];
}

function i64x1_mul_even_u(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  i32[6] = Math.imul(i32[0], i32[2]);
  i32[7] = mulhu(i32[0], i32[2]);
  return f64[3];
}

/** A half that is all ones or all zeros. */
function maskOf(condition: boolean): number {
  i32[6] = condition ? -1 : 0;
  i32[7] = i32[6];
  return f64[3];
}

function i64x1_eq(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  return maskOf(i32[0] === i32[2] && i32[1] === i32[3]);
}

function i64x1_gt_s(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  return maskOf(i32[1] > i32[3] || (i32[1] === i32[3] && u32[0] > u32[2]));
}

function i64x1_shl(a: number, b: number): number {
  f64[0] = a;
  const low = i32[0];
  if ((b & 32) !== 0) {
    i32[6] = 0;
    i32[7] = low << b;
  } else {
    i32[6] = low << b;
    // In two steps, so that a shift by 0 brings nothing in.
    i32[7] = (i32[1] << b) | ((low >>> 1) >>> (31 - (b & 31)));
  }
  return f64[3];
}

function i64x1_shr_u(a: number, b: number): number {
  f64[0] = a;
  const high = i32[1];
  if ((b & 32) !== 0) {
    i32[6] = high >>> b;
    i32[7] = 0;
  } else {
    i32[6] = (i32[0] >>> b) | ((high << 1) << (31 - (b & 31)));
    i32[7] = high >>> b;
  }
  return f64[3];
}

function i64x1_sad_i8x8_u(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  let sum = 0;
  for (let lane = 0; lane < 8; lane++) sum += Math.abs(u8[lane] - u8[8 + lane]);
  i32[6] = sum;
  i32[7] = 0;
  return f64[3];
}

// -- Singles. What moves one does so as a word: as a number a signalling NaN would become quiet.

function f32x2_pmin(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  i32[6] = f32[2] < f32[0] ? i32[2] : i32[0];
  i32[7] = f32[3] < f32[1] ? i32[3] : i32[1];
  return f64[3];
}

function f32x2_pmax(a: number, b: number): number {
  f64[0] = a;
  f64[1] = b;
  i32[6] = f32[0] < f32[2] ? i32[2] : i32[0];
  i32[7] = f32[1] < f32[3] ? i32[3] : i32[1];
  return f64[3];
}

/** The bits of a single with the quiet bit of a NaN. */
const quietBit = 0x400000;

function chosen(lane: number, otherwise: number): number {
  const x = f32[lane];
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  if (x === x) return i32[lane];
  if (Number.isNaN(f32[2 + lane])) return i32[2 + lane] | quietBit;
  if (Number.isNaN(f32[4 + lane])) return i32[4 + lane] | quietBit;
  return otherwise;
}

function f32x2_nan_of2(a: number, b: number, c: number, otherwise: number): number {
  f64[0] = a;
  f64[1] = b;
  f64[2] = c;
  i32[6] = chosen(0, otherwise);
  i32[7] = chosen(1, otherwise);
  return f64[3];
}

function f32x2_demote_f64(a: number, b: number): number {
  f32[6] = a;
  f32[7] = b;
  return f64[3];
}

function f32x2_promote_low(a: number): number {
  f64[0] = a;
  return scalars.f64_promote_f32(f32[0]);
}

function f32x2_promote_high(a: number): number {
  f64[0] = a;
  return scalars.f64_promote_f32(f32[1]);
}

function f32x2_extract_lane(a: number, lane: number): number {
  f64[0] = a;
  return f32[lane];
}

function f32x2_replace_lane(a: number, b: number, lane: number): number {
  f64[0] = a;
  f32[lane] = b;
  return f64[0];
}

// -- Doubles

function f64x1_eq(a: number, b: number): number {
  return maskOf(a === b);
}

function f64x1_ne(a: number, b: number): number {
  return maskOf(a !== b);
}

function f64x1_lt(a: number, b: number): number {
  return maskOf(a < b);
}

function f64x1_le(a: number, b: number): number {
  return maskOf(a <= b);
}

/** A function takes its operands and then the immediate, where its operation has one. */
export type Called = (...operands: number[]) => number;

/** The functions of called operations, by identifier. */
export const calledFunctions: Readonly<Record<string, Called>> = {
  ...(lanes as Readonly<Record<string, Called>>),
  ...(scalars as Readonly<Record<string, Called>>),
  half_any_true,
  i8x8_bitmask,
  i8x8_narrow_i16x4_s,
  i8x8_narrow_i16x4_u,
  i8x8_swizzle,
  i8x8_interleave_low,
  i8x8_interleave_high,
  i8x8_align,
  i8x8_extract_lane_u,
  i8x8_replace_lane,
  i16x4_dot_i8x8_us,
  i16x4_narrow_i32x2_s,
  i16x4_narrow_i32x2_u,
  i16x4_extend_low_i8x8_s,
  i16x4_extend_low_i8x8_u,
  i16x4_extend_high_i8x8_s,
  i16x4_extend_high_i8x8_u,
  i16x4_shuffle,
  i16x4_extract_lane_u,
  i16x4_replace_lane,
  i32x2_dot_i16x4_s,
  i32x2_bitmask,
  i32x2_extend_low_i16x4_s,
  i32x2_extend_low_i16x4_u,
  i32x2_extend_high_i16x4_s,
  i32x2_extend_high_i16x4_u,
  i32x2_shuffle,
  i32x2_replace_lane,
  i64x1_add,
  i64x1_sub,
  i64x1_mul_even_s,
  i64x1_mul_even_u,
  i64x1_eq,
  i64x1_gt_s,
  i64x1_shl,
  i64x1_shr_u,
  i64x1_sad_i8x8_u,
  f32x2_pmin,
  f32x2_pmax,
  f32x2_nan_of2,
  f32x2_demote_f64,
  f32x2_promote_low,
  f32x2_promote_high,
  f32x2_extract_lane,
  f32x2_replace_lane,
  f64x1_eq,
  f64x1_ne,
  f64x1_lt,
  f64x1_le,
};
