/**
 * The operations on vectors, in two tables.
 *
 * `vectors` are operations on v128 values, 16 bytes with the lane that comes first in a little-endian guest's memory
 * lowest. They have WebAssembly's names and meaning where WebAssembly has them (Core Specification 2.0, section 4.3.3);
 * the others say what they do. Only the WebAssembly backend computes with them.
 *
 * `halves` are operations on one half of a vector: 8 bytes whose bits a double holds, whatever number that is. So they are
 * called after shapes of 64 bits (`i8x8.add`). Interpreter and JavaScript have vectors as two halves; vector-lowering.ts makes operations on
 * halves of those on vectors. What each computes is a function of the same name in vector-halves.ts.
 *
 * The column `half` of a vector operation names the operation that makes both halves of the result from the same halves
 * of the operands (operands that are not vectors, and the immediate, are handed on); '' where it is not so simple.
 */
import type { Row } from './operations.ts';

const each = 'v128 v128 -> v128';
const one = 'v128 -> v128';
const shift = 'v128 i32 -> v128';
const mask = 'v128 -> i32';

type VectorRow = readonly [
  name: string,
  signature: string,
  flags: string,
  immediates: string,
  half: string,
  doc: string,
];

// biome-ignore format: one operation per line
const vectorRows: VectorRow[] = [
  ['v128.const', '-> v128', 'pure', 'constant', '', 'The vector whose words are a, b, c and imm, the lowest first.'],
  ['v128.and', each, 'pure commutative', '', 'half.and', 'Bitwise and.'],
  ['v128.andnot', each, 'pure', '', 'half.andnot', 'a and the complement of b.'],
  ['v128.or', each, 'pure commutative', '', 'half.or', 'Bitwise or.'],
  ['v128.xor', each, 'pure commutative', '', 'half.xor', 'Bitwise exclusive or.'],
  ['v128.bitselect', 'v128 v128 v128 -> v128', 'pure', '', 'half.bitselect', 'Each bit of a where that of c is 1, else of b.'],
  ['v128.select', 'i32 v128 v128 -> v128', 'pure', '', '', 'b when a is not 0, else c.'],
  ['v128.any_true', mask, 'pure', '', '', '1 when any bit is 1.'],

  ['i8x16.add', each, 'pure commutative', '', 'i8x8.add', 'Lane by lane, modulo 2^8.'],
  ['i8x16.sub', each, 'pure', '', 'i8x8.sub', 'Lane by lane, modulo 2^8.'],
  ['i8x16.add_sat_s', each, 'pure commutative', '', 'i8x8.add_sat_s', 'Signed sum, saturated.'],
  ['i8x16.add_sat_u', each, 'pure commutative', '', 'i8x8.add_sat_u', 'Unsigned sum, saturated.'],
  ['i8x16.sub_sat_s', each, 'pure', '', 'i8x8.sub_sat_s', 'Signed difference, saturated.'],
  ['i8x16.sub_sat_u', each, 'pure', '', 'i8x8.sub_sat_u', 'Unsigned difference, saturated.'],
  ['i8x16.eq', each, 'pure commutative', '', 'i8x8.eq', 'All ones in the lanes that are equal, else zeros.'],
  ['i8x16.gt_s', each, 'pure', '', 'i8x8.gt_s', 'All ones in the lanes where a is greater, signed.'],
  ['i8x16.min_s', each, 'pure commutative', '', 'i8x8.min_s', 'The lesser, signed.'],
  ['i8x16.min_u', each, 'pure commutative', '', 'i8x8.min_u', 'The lesser, unsigned.'],
  ['i8x16.max_s', each, 'pure commutative', '', 'i8x8.max_s', 'The greater, signed.'],
  ['i8x16.max_u', each, 'pure commutative', '', 'i8x8.max_u', 'The greater, unsigned.'],
  ['i8x16.avgr_u', each, 'pure commutative', '', 'i8x8.avgr_u', '(a + b + 1) / 2, unsigned.'],
  ['i8x16.abs', one, 'pure', '', 'i8x8.abs', 'Absolute value; -2^7 stays.'],
  ['i8x16.bitmask', mask, 'pure', '', '', 'The lanes\' sign bits, lane 0 in bit 0.'],
  ['i8x16.narrow_i16x8_s', each, 'pure', '', '', 'The lanes of a, then b, saturated to signed bytes.'],
  ['i8x16.narrow_i16x8_u', each, 'pure', '', '', 'The lanes of a, then b, which are signed, saturated to unsigned bytes.'],
  ['i8x16.swizzle', each, 'pure', '', '', 'Lane i is that lane of a which lane i of b names; 0 where b says 16 or more.'],
  ['i8x16.interleave_low', each, 'pure', '', '', 'Lanes 0 of a and b, lanes 1, … lanes 7.'],
  ['i8x16.interleave_high', each, 'pure', '', '', 'Lanes 8 of a and b, lanes 9, … lanes 15.'],
  ['i8x16.align', each, 'pure', 'lanes', '', 'The 16 bytes that begin imm bytes (0 to 16) above the lowest of a, with b above a.'],
  ['i8x16.extract_lane_u', mask, 'pure', 'lane', '', 'Lane imm, zero-extended.'],
  ['i8x16.replace_lane', shift, 'pure', 'lane', '', 'a with b in lane imm.'],

  ['i16x8.add', each, 'pure commutative', '', 'i16x4.add', 'Lane by lane, modulo 2^16.'],
  ['i16x8.sub', each, 'pure', '', 'i16x4.sub', 'Lane by lane, modulo 2^16.'],
  ['i16x8.mul', each, 'pure commutative', '', 'i16x4.mul', 'The low halves of the products.'],
  ['i16x8.mulh_s', each, 'pure commutative', '', 'i16x4.mulh_s', 'The high halves of the signed products.'],
  ['i16x8.mulh_u', each, 'pure commutative', '', 'i16x4.mulh_u', 'The high halves of the unsigned products.'],
  ['i16x8.q15mulr_s', each, 'pure commutative', '', 'i16x4.q15mulr_s', '(a * b + 2^14) / 2^15 of signed lanes, modulo 2^16 (-2^15 squared gives -2^15).'],
  ['i16x8.add_sat_s', each, 'pure commutative', '', 'i16x4.add_sat_s', 'Signed sum, saturated.'],
  ['i16x8.add_sat_u', each, 'pure commutative', '', 'i16x4.add_sat_u', 'Unsigned sum, saturated.'],
  ['i16x8.sub_sat_s', each, 'pure', '', 'i16x4.sub_sat_s', 'Signed difference, saturated.'],
  ['i16x8.sub_sat_u', each, 'pure', '', 'i16x4.sub_sat_u', 'Unsigned difference, saturated.'],
  ['i16x8.eq', each, 'pure commutative', '', 'i16x4.eq', 'All ones in the lanes that are equal, else zeros.'],
  ['i16x8.gt_s', each, 'pure', '', 'i16x4.gt_s', 'All ones in the lanes where a is greater, signed.'],
  ['i16x8.min_s', each, 'pure commutative', '', 'i16x4.min_s', 'The lesser, signed.'],
  ['i16x8.min_u', each, 'pure commutative', '', 'i16x4.min_u', 'The lesser, unsigned.'],
  ['i16x8.max_s', each, 'pure commutative', '', 'i16x4.max_s', 'The greater, signed.'],
  ['i16x8.max_u', each, 'pure commutative', '', 'i16x4.max_u', 'The greater, unsigned.'],
  ['i16x8.avgr_u', each, 'pure commutative', '', 'i16x4.avgr_u', '(a + b + 1) / 2, unsigned.'],
  ['i16x8.abs', one, 'pure', '', 'i16x4.abs', 'Absolute value; -2^15 stays.'],
  ['i16x8.shl', shift, 'pure', '', 'i16x4.shl', 'Each lane shifted left by b modulo 16.'],
  ['i16x8.shr_s', shift, 'pure', '', 'i16x4.shr_s', 'Each lane shifted right by b modulo 16, sign in.'],
  ['i16x8.shr_u', shift, 'pure', '', 'i16x4.shr_u', 'Each lane shifted right by b modulo 16, zeros in.'],
  ['i16x8.dot_i8x16_us', each, 'pure', '', 'i16x4.dot_i8x8_us', 'Products of unsigned lanes of a and signed lanes of b, neighbours added and saturated (pmaddubsw).'],
  ['i16x8.narrow_i32x4_s', each, 'pure', '', '', 'The lanes of a, then b, saturated to signed halfwords.'],
  ['i16x8.narrow_i32x4_u', each, 'pure', '', '', 'The lanes of a, then b, which are signed, saturated to unsigned halfwords.'],
  ['i16x8.extend_low_i8x16_s', one, 'pure', '', '', 'The lower eight lanes, sign-extended.'],
  ['i16x8.extend_low_i8x16_u', one, 'pure', '', '', 'The lower eight lanes, zero-extended.'],
  ['i16x8.shuffle', each, 'pure', 'lanes', '', 'Lane i is lane n of a, or lane n - 8 of b, where n are bits 4i to 4i + 3 of imm.'],
  ['i16x8.extract_lane_u', mask, 'pure', 'lane', '', 'Lane imm, zero-extended.'],
  ['i16x8.replace_lane', shift, 'pure', 'lane', '', 'a with b in lane imm.'],

  ['i32x4.add', each, 'pure commutative', '', 'i32x2.add', 'Lane by lane, modulo 2^32.'],
  ['i32x4.sub', each, 'pure', '', 'i32x2.sub', 'Lane by lane, modulo 2^32.'],
  ['i32x4.mul', each, 'pure commutative', '', 'i32x2.mul', 'The low halves of the products.'],
  ['i32x4.eq', each, 'pure commutative', '', 'i32x2.eq', 'All ones in the lanes that are equal, else zeros.'],
  ['i32x4.gt_s', each, 'pure', '', 'i32x2.gt_s', 'All ones in the lanes where a is greater, signed.'],
  ['i32x4.min_s', each, 'pure commutative', '', 'i32x2.min_s', 'The lesser, signed.'],
  ['i32x4.min_u', each, 'pure commutative', '', 'i32x2.min_u', 'The lesser, unsigned.'],
  ['i32x4.max_s', each, 'pure commutative', '', 'i32x2.max_s', 'The greater, signed.'],
  ['i32x4.max_u', each, 'pure commutative', '', 'i32x2.max_u', 'The greater, unsigned.'],
  ['i32x4.abs', one, 'pure', '', 'i32x2.abs', 'Absolute value; -2^31 stays.'],
  ['i32x4.shl', shift, 'pure', '', 'i32x2.shl', 'Each lane shifted left by b modulo 32.'],
  ['i32x4.shr_s', shift, 'pure', '', 'i32x2.shr_s', 'Each lane shifted right by b modulo 32, sign in.'],
  ['i32x4.shr_u', shift, 'pure', '', 'i32x2.shr_u', 'Each lane shifted right by b modulo 32, zeros in.'],
  ['i32x4.dot_i16x8_s', each, 'pure commutative', '', 'i32x2.dot_i16x4_s', 'Products of signed halfwords, neighbours added.'],
  ['i32x4.bitmask', mask, 'pure', '', '', 'The lanes\' sign bits, lane 0 in bit 0.'],
  ['i32x4.extend_low_i16x8_s', one, 'pure', '', '', 'The lower four lanes, sign-extended.'],
  ['i32x4.extend_low_i16x8_u', one, 'pure', '', '', 'The lower four lanes, zero-extended.'],
  ['i32x4.shuffle', each, 'pure', 'lanes', '', 'Lane i is lane n of a, or lane n - 4 of b, where n are bits 4i to 4i + 2 of imm.'],
  ['i32x4.extract_lane', mask, 'pure', 'lane', '', 'Lane imm.'],
  ['i32x4.replace_lane', shift, 'pure', 'lane', '', 'a with b in lane imm.'],

  ['i64x2.add', each, 'pure commutative', '', 'i64x1.add', 'Lane by lane, modulo 2^64.'],
  ['i64x2.sub', each, 'pure', '', 'i64x1.sub', 'Lane by lane, modulo 2^64.'],
  ['i64x2.mul_even_s', each, 'pure commutative', '', 'i64x1.mul_even_s', 'Products of the signed words that are lanes 0 and 2.'],
  ['i64x2.mul_even_u', each, 'pure commutative', '', 'i64x1.mul_even_u', 'Products of the unsigned words that are lanes 0 and 2.'],
  ['i64x2.eq', each, 'pure commutative', '', 'i64x1.eq', 'All ones in the lanes that are equal, else zeros.'],
  ['i64x2.gt_s', each, 'pure', '', 'i64x1.gt_s', 'All ones in the lanes where a is greater, signed.'],
  ['i64x2.shl', shift, 'pure', '', 'i64x1.shl', 'Each lane shifted left by b modulo 64.'],
  ['i64x2.shr_u', shift, 'pure', '', 'i64x1.shr_u', 'Each lane shifted right by b modulo 64, zeros in.'],
  ['i64x2.sad_i8x16_u', each, 'pure commutative', '', 'i64x1.sad_i8x8_u', 'In each lane the sum of the absolute differences of its eight unsigned bytes.'],
  ['i64x2.bitmask', mask, 'pure', '', '', 'The lanes\' sign bits, lane 0 in bit 0.'],
  ['i64x2.extend_low_i32x4_s', one, 'pure', '', '', 'The lower two lanes, sign-extended.'],
  ['i64x2.extend_low_i32x4_u', one, 'pure', '', '', 'The lower two lanes, zero-extended.'],
  ['i64x2.extract_lane', 'v128 -> i64', 'pure', 'lane', '', 'Lane imm.'],
  ['i64x2.replace_lane', 'v128 i64 -> v128', 'pure', 'lane', '', 'a with b in lane imm.'],

  ['f32x4.add', each, 'pure commutative', '', 'f32x2.add', 'Sum.'],
  ['f32x4.sub', each, 'pure', '', 'f32x2.sub', 'Difference.'],
  ['f32x4.mul', each, 'pure commutative', '', 'f32x2.mul', 'Product.'],
  ['f32x4.div', each, 'pure', '', 'f32x2.div', 'Quotient.'],
  ['f32x4.sqrt', one, 'pure', '', 'f32x2.sqrt', 'Square root.'],
  ['f32x4.pmin', each, 'pure', '', 'f32x2.pmin', 'b where it is less than a, else a, bits unchanged.'],
  ['f32x4.pmax', each, 'pure', '', 'f32x2.pmax', 'b where a is less than it, else a, bits unchanged.'],
  ['f32x4.eq', each, 'pure commutative', '', 'f32x2.eq', 'All ones in the lanes that are equal and ordered.'],
  ['f32x4.ne', each, 'pure commutative', '', 'f32x2.ne', 'All ones in the lanes that differ or are unordered.'],
  ['f32x4.lt', each, 'pure', '', 'f32x2.lt', 'All ones in the lanes where a is less, and ordered.'],
  ['f32x4.le', each, 'pure', '', 'f32x2.le', 'All ones in the lanes where a is less or equal, and ordered.'],
  ['f32x4.ceil', one, 'pure', '', 'f32x2.ceil', 'Integral values, rounded up; a NaN becomes quiet.'],
  ['f32x4.floor', one, 'pure', '', 'f32x2.floor', 'Integral values, rounded down; a NaN becomes quiet.'],
  ['f32x4.trunc', one, 'pure', '', 'f32x2.trunc', 'Integral values, rounded towards zero; a NaN becomes quiet.'],
  ['f32x4.nearest', one, 'pure', '', 'f32x2.nearest', 'Integral values, the nearest, ties to even; a NaN becomes quiet.'],
  ['f32x4.nan_of2', 'v128 v128 v128 -> v128', 'pure', 'nan', 'f32x2.nan_of2', 'a where it is not a NaN; else the first NaN of b, c, quieted, or the single imm.'],
  ['f32x4.convert_i32x4_s', one, 'pure', '', 'f32x2.convert_i32x2_s', 'Signed words as singles.'],
  ['f32x4.demote_f64x2_zero', one, 'pure', '', '', 'Both doubles as singles, zeros above them. A NaN keeps what fits of its payload and becomes quiet.'],
  ['f32x4.extract_lane', 'v128 -> f32', 'pure', 'lane', '', 'Lane imm. A signalling NaN may become quiet.'],
  ['f32x4.replace_lane', 'v128 f32 -> v128', 'pure', 'lane', '', 'a with b in lane imm.'],
  ['i32x4.trunc_f32x4_indefinite', one, 'pure', '', 'i32x2.trunc_f32x2_indefinite', 'Towards zero to signed words; -2^31 for a NaN and what does not fit.'],
  ['i32x4.trunc_f64x2_indefinite_zero', one, 'pure', '', '', 'The same for both doubles, zeros above them.'],

  ['f64x2.add', each, 'pure commutative', '', 'f64.add', 'Sum.'],
  ['f64x2.sub', each, 'pure', '', 'f64.sub', 'Difference.'],
  ['f64x2.mul', each, 'pure commutative', '', 'f64.mul', 'Product.'],
  ['f64x2.div', each, 'pure', '', 'f64.div', 'Quotient.'],
  ['f64x2.sqrt', one, 'pure', '', 'f64.sqrt', 'Square root.'],
  ['f64x2.pmin', each, 'pure', '', 'f64.pmin', 'b where it is less than a, else a, bits unchanged.'],
  ['f64x2.pmax', each, 'pure', '', 'f64.pmax', 'b where a is less than it, else a, bits unchanged.'],
  ['f64x2.eq', each, 'pure commutative', '', 'f64x1.eq', 'All ones in the lanes that are equal and ordered.'],
  ['f64x2.ne', each, 'pure commutative', '', 'f64x1.ne', 'All ones in the lanes that differ or are unordered.'],
  ['f64x2.lt', each, 'pure', '', 'f64x1.lt', 'All ones in the lanes where a is less, and ordered.'],
  ['f64x2.le', each, 'pure', '', 'f64x1.le', 'All ones in the lanes where a is less or equal, and ordered.'],
  ['f64x2.ceil', one, 'pure', '', 'f64.ceil', 'Integral values, rounded up; a NaN becomes quiet.'],
  ['f64x2.floor', one, 'pure', '', 'f64.floor', 'Integral values, rounded down; a NaN becomes quiet.'],
  ['f64x2.trunc', one, 'pure', '', 'f64.trunc', 'Integral values, rounded towards zero; a NaN becomes quiet.'],
  ['f64x2.nearest', one, 'pure', '', 'f64.nearest', 'Integral values, the nearest, ties to even; a NaN becomes quiet.'],
  ['f64x2.nan_of2', 'v128 v128 v128 -> v128', 'pure', 'nan', 'f64.nan_of2', 'a where it is not a NaN; else the first NaN of b, c, quieted, or the double whose high word is imm.'],
  ['f64x2.convert_low_i32x4_s', one, 'pure', '', '', 'The lower two signed words as doubles.'],
  ['f64x2.promote_low_f32x4', one, 'pure', '', '', 'The lower two singles as doubles; a NaN becomes quiet.'],
  ['f64x2.extract_lane', 'v128 -> f64', 'pure', 'lane', '', 'Lane imm, bits unchanged.'],
  ['f64x2.replace_lane', 'v128 f64 -> v128', 'pure', 'lane', '', 'a with b in lane imm, bits unchanged.'],
];

export const vectors: Row[] = vectorRows.map(([name, signature, flags, immediates, , doc]) => [
  name,
  signature,
  flags,
  immediates,
  '',
  doc,
]);

/** The operation on halves that a vector operation is for each of its halves. */
export const halfOf: Readonly<Record<string, string>> = Object.fromEntries(
  vectorRows.filter(([, , , , half]) => half !== '').map(([name, , , , half]) => [name, half]),
);

const binary = 'f64 f64 -> f64';
const unary = 'f64 -> f64';
const shifted = 'f64 i32 -> f64';

// biome-ignore format: one operation per line
const halfRows: (readonly [name: string, signature: string, immediates: string, doc: string])[] = [
  ...['and', 'andnot', 'or', 'xor'].map((name) => [`half.${name}`, binary, '', `As v128.${name}.`] as const),
  ['half.bitselect', 'f64 f64 f64 -> f64', '', 'As v128.bitselect.'],
  ['half.any_true', 'f64 -> i32', '', 'As v128.any_true.'],
  ...['add', 'sub', 'add_sat_s', 'add_sat_u', 'sub_sat_s', 'sub_sat_u', 'eq', 'gt_s', 'min_s', 'min_u', 'max_s', 'max_u', 'avgr_u'].flatMap(
    (name) => [[`i8x8.${name}`, binary, '', `As i8x16.${name}.`], [`i16x4.${name}`, binary, '', `As i16x8.${name}.`]] as const,
  ),
  ['i8x8.abs', unary, '', 'As i8x16.abs.'],
  ['i8x8.bitmask', 'f64 -> i32', '', 'As i8x16.bitmask.'],
  ['i8x8.narrow_i16x4_s', binary, '', 'As i8x16.narrow_i16x8_s.'],
  ['i8x8.narrow_i16x4_u', binary, '', 'As i8x16.narrow_i16x8_u.'],
  ['i8x8.swizzle', 'f64 f64 f64 -> f64', '', 'Lanes of a, then b, that the lanes of c name; 0 where c says 16 or more.'],
  ['i8x8.interleave_low', binary, '', 'Lanes 0 of a and b, … lanes 3.'],
  ['i8x8.interleave_high', binary, '', 'Lanes 4 of a and b, … lanes 7.'],
  ['i8x8.align', binary, 'lanes', 'The 8 bytes that begin imm bytes (0 to 8) above the lowest of a, with b above a.'],
  ['i8x8.extract_lane_u', 'f64 -> i32', 'lane', 'Lane imm, zero-extended.'],
  ['i8x8.replace_lane', shifted, 'lane', 'a with b in lane imm.'],
  ...['mul', 'mulh_s', 'mulh_u', 'q15mulr_s'].map((name) => [`i16x4.${name}`, binary, '', `As i16x8.${name}.`] as const),
  ['i16x4.abs', unary, '', 'As i16x8.abs.'],
  ...['shl', 'shr_s', 'shr_u'].flatMap((name) => [[`i16x4.${name}`, shifted, '', `As i16x8.${name}.`], [`i32x2.${name}`, shifted, '', `As i32x4.${name}.`]] as const),
  ['i16x4.dot_i8x8_us', binary, '', 'As i16x8.dot_i8x16_us.'],
  ['i16x4.narrow_i32x2_s', binary, '', 'As i16x8.narrow_i32x4_s.'],
  ['i16x4.narrow_i32x2_u', binary, '', 'As i16x8.narrow_i32x4_u.'],
  ['i16x4.extend_low_i8x8_s', unary, '', 'The lower four lanes, sign-extended.'],
  ['i16x4.extend_low_i8x8_u', unary, '', 'The lower four lanes, zero-extended.'],
  ['i16x4.extend_high_i8x8_s', unary, '', 'The upper four lanes, sign-extended.'],
  ['i16x4.extend_high_i8x8_u', unary, '', 'The upper four lanes, zero-extended.'],
  ['i16x4.shuffle', binary, 'lanes', 'Lane i is lane n of a, or lane n - 4 of b, where n are bits 4i to 4i + 2 of imm.'],
  ['i16x4.extract_lane_u', 'f64 -> i32', 'lane', 'Lane imm, zero-extended.'],
  ['i16x4.replace_lane', shifted, 'lane', 'a with b in lane imm.'],
  ...['add', 'sub', 'mul', 'eq', 'gt_s', 'min_s', 'min_u', 'max_s', 'max_u'].map((name) => [`i32x2.${name}`, binary, '', `As i32x4.${name}.`] as const),
  ['i32x2.abs', unary, '', 'As i32x4.abs.'],
  ['i32x2.dot_i16x4_s', binary, '', 'As i32x4.dot_i16x8_s.'],
  ['i32x2.bitmask', 'f64 -> i32', '', 'As i32x4.bitmask.'],
  ['i32x2.extend_low_i16x4_s', unary, '', 'The lower two lanes, sign-extended.'],
  ['i32x2.extend_low_i16x4_u', unary, '', 'The lower two lanes, zero-extended.'],
  ['i32x2.extend_high_i16x4_s', unary, '', 'The upper two lanes, sign-extended.'],
  ['i32x2.extend_high_i16x4_u', unary, '', 'The upper two lanes, zero-extended.'],
  ['i32x2.shuffle', binary, 'lanes', 'Lane i is lane n of a, or lane n - 2 of b, where n are bits 4i and 4i + 1 of imm.'],
  ['i32x2.replace_lane', shifted, 'lane', 'a with b in lane imm.'],
  ...['add', 'sub', 'mul_even_s', 'mul_even_u', 'eq', 'gt_s'].map((name) => [`i64x1.${name}`, binary, '', `As i64x2.${name}.`] as const),
  ...['shl', 'shr_u'].map((name) => [`i64x1.${name}`, shifted, '', `As i64x2.${name}.`] as const),
  ['i64x1.sad_i8x8_u', binary, '', 'As i64x2.sad_i8x16_u.'],
  ...['add', 'sub', 'mul', 'div', 'pmin', 'pmax', 'eq', 'ne', 'lt', 'le'].map((name) => [`f32x2.${name}`, binary, '', `As f32x4.${name}.`] as const),
  ...['sqrt', 'ceil', 'floor', 'trunc', 'nearest'].map((name) => [`f32x2.${name}`, unary, '', `As f32x4.${name}.`] as const),
  ['f32x2.nan_of2', 'f64 f64 f64 -> f64', 'nan', 'As f32x4.nan_of2.'],
  ['f32x2.convert_i32x2_s', unary, '', 'As f32x4.convert_i32x4_s.'],
  ['f32x2.demote_f64', binary, '', 'The doubles a and b as singles.'],
  ['f32x2.promote_low', unary, '', 'Lane 0 as a double; a NaN becomes quiet.'],
  ['f32x2.promote_high', unary, '', 'Lane 1 as a double; a NaN becomes quiet.'],
  ['f32x2.extract_lane', 'f64 -> f32', 'lane', 'Lane imm. A signalling NaN may become quiet.'],
  ['f32x2.replace_lane', 'f64 f32 -> f64', 'lane', 'a with b in lane imm.'],
  ['i32x2.trunc_f32x2_indefinite', unary, '', 'As i32x4.trunc_f32x4_indefinite.'],
  ...['eq', 'ne', 'lt', 'le'].map((name) => [`f64x1.${name}`, binary, '', `As f64x2.${name}.`] as const),
];

/** The name of the function of a called operation: its own, as an identifier. */
export const identifierOf = (name: string): string => name.replace('.', '_');

/** JavaScript that calls the function of an operation with its operands, and with its immediate where it has one. */
export function callOf(name: string, signature: string, immediates: string): string {
  const operands = signature.slice(0, signature.indexOf('->')).trim().split(' ');
  const parts = operands.map((_, index) => `$${'abc'[index]}`);
  if (immediates !== '') parts.push('$imm');
  return `${identifierOf(name)}(${parts.join(', ')})`;
}

export const vectorHalves: Row[] = halfRows.map(([name, signature, immediates, doc]) => [
  name,
  signature,
  'pure called',
  immediates,
  callOf(name, signature, immediates),
  doc,
]);

const singleBinary = 'f32 f32 -> f32';

/** Scalar operations that only vector instruction sets need: single precision, rounding, conversions. */
// biome-ignore format: one operation per line
const scalarRows: Row[] = [
  ['f32.add', singleBinary, 'pure commutative called', '', '', 'Sum.'],
  ['f32.sub', singleBinary, 'pure called', '', '', 'Difference.'],
  ['f32.mul', singleBinary, 'pure commutative called', '', '', 'Product.'],
  ['f32.div', singleBinary, 'pure called', '', '', 'Quotient.'],
  ['f32.sqrt', 'f32 -> f32', 'pure called', '', '', 'Square root.'],
  ['f32.nan_of2', 'f32 f32 f32 -> f32', 'pure called', 'nan', '', 'a unless it is a NaN; then the first NaN of b, c, quieted, or the single imm.'],
  ['f32.eq', 'f32 f32 -> i32', 'pure commutative', '', '$a === $b', '1 when equal and ordered.'],
  ['f32.lt', 'f32 f32 -> i32', 'pure', '', '$a < $b', '1 when less and ordered.'],
  ['f32.unordered', 'f32 f32 -> i32', 'pure commutative', '', '$a !== $a || $b !== $b', '1 when either is a NaN.'],
  ['f32.convert_i32_s', 'i32 -> f32', 'pure called', '', '', 'The signed integer as a single.'],
  ['f32.convert_i64_s', 'i64 -> f32', 'pure', '', 'toSingle64($a)', 'The signed integer as a single, rounded once.'],
  ['f32.convert_words_s', 'i32 i32 -> f32', 'pure called', '', '', 'The same of the doubleword whose low word is a and high word is b.'],
  ['f64.convert_i64_s', 'i64 -> f64', 'pure', '', 'Number($a)', 'The signed integer as a double, rounded once.'],
  ['f64.convert_words_s', 'i32 i32 -> f64', 'pure called', '', '', 'The same of the doubleword whose low word is a and high word is b.'],
  ['f64.reinterpret_i64', 'i64 -> f64', 'pure', '', 'toDouble64($a)', 'The double with these bits.'],
  ['i64.reinterpret_f64', 'f64 -> i64', 'pure', '', 'join64(lowHalf($a), highHalf($a))', 'The bits of a double.'],
  ['f32.demote_f64', 'f64 -> f32', 'pure called', '', '', 'Rounded to a single. A NaN keeps what fits of its payload and becomes quiet.'],
  ['f64.promote_f32', 'f32 -> f64', 'pure called', '', '', 'The single as a double; a NaN becomes quiet.'],
  ['f64.pmin', 'f64 f64 -> f64', 'pure', '', '$b < $a ? $b : $a', 'b when it is less than a, else a, bits unchanged.'],
  ['f64.pmax', 'f64 f64 -> f64', 'pure', '', '$a < $b ? $b : $a', 'b when a is less than it, else a, bits unchanged.'],
  ['f64.ceil', unary, 'pure called', '', '', 'The integral value, rounded up; a NaN becomes quiet.'],
  ['f64.floor', unary, 'pure called', '', '', 'The integral value, rounded down; a NaN becomes quiet.'],
  ['f64.trunc', unary, 'pure called', '', '', 'The integral value, rounded towards zero; a NaN becomes quiet.'],
  ['f64.nearest', unary, 'pure called', '', '', 'The integral value, the nearest, ties to even; a NaN becomes quiet.'],
  ['i32.trunc_f64_indefinite', 'f64 -> i32', 'pure', '', '$a > -2147483649 && $a < 2147483648 ? $a | 0 : -0x80000000', 'Towards zero; -2^31 for a NaN and what does not fit.'],
  ['i64.trunc_f64_indefinite', 'f64 -> i64', 'pure', '', 'truncate64($a)', 'Towards zero; -2^63 for a NaN and what does not fit.'],
  ['i64.trunc_low_f64_indefinite', 'f64 -> i32', 'pure called', '', '', 'The low word of i64.trunc_f64_indefinite.'],
  ['i64.trunc_high_f64_indefinite', 'f64 -> i32', 'pure called', '', '', 'The high word of i64.trunc_f64_indefinite.'],
];

export const vectorScalars: Row[] = scalarRows.map((row) => {
  const [name, signature, flags, immediates, javascript, doc] = row;
  if (javascript !== '') return row;
  return [name, signature, flags, immediates, callOf(name, signature, immediates), doc];
});
