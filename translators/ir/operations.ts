/**
 * The IR's operations, each declared once. Everything else derives from these rows: builder
 * folding, verifier, printer, parser, interpreter, the JavaScript backend and the tests.
 *
 * Legend
 * - `operands`/`result`: value types; an empty result means that the operation makes no value.
 * - `immediates`: what the words `imm`, `a`, `b`, `c` of an instruction hold besides operands
 *   (operands occupy a, b, c in order; see unit.ts).
 * - `javascript`: the meaning, as an expression over $a, $b, $c (operands, each an atom or in
 *   parentheses) and $imm. i32 results are normalized to signed 32-bit numbers, i64 values are
 *   BigInts in the signed 64-bit range, f32 values are doubles that a single can hold.
 *   Names from runtime.ts may be used.
 * - `test`: the same for an i32 result that is 0 or 1, as a JavaScript condition.
 * - flags: `pure` (no effect, may be folded, shared or dropped), `commutative`, `ends` (ends a
 *   block), `load`, `store` (may fault), `exits` (may leave the block), `called` (the JavaScript calls a function of
 *   vector-halves.ts: the interpreter does so through a table, and its loop need not have a case for it).
 *
 * Floating point: rounding is to nearest, ties to even. When an arithmetic result is a NaN its
 * payload and sign are unspecified; frontends pin them with the `nan_of` operations, so nothing
 * unspecified reaches guest state. Moves, `neg`, `abs` and `copysign` never change a payload.
 */
import type { Type } from './types.ts';
import { vectorHalves, vectorScalars, vectors } from './vector-operations.ts';

export type Flag = 'pure' | 'commutative' | 'ends' | 'load' | 'store' | 'exits' | 'called';
export type Immediate =
  | 'constant'
  | 'register'
  | 'displacement'
  | 'order'
  | 'pc'
  | 'else'
  | 'link'
  | 'helper'
  | 'exit'
  | 'detail'
  | 'nan'
  | 'lane'
  | 'lanes';

export interface Operation {
  readonly code: number;
  readonly name: string;
  readonly operands: readonly Type[];
  readonly result: Type | '';
  readonly immediates: readonly Immediate[];
  readonly flags: ReadonlySet<Flag>;
  readonly javascript: string;
  readonly test: string;
  readonly doc: string;
  /** Bytes moved by a load or store, else 0. */
  readonly bytes: number;
}

export type Row = readonly [
  name: string,
  signature: string,
  flags: string,
  immediates: string,
  javascript: string,
  doc: string,
];

// biome-ignore format: one operation per line
const integer32: Row[] = [
  ['i32.const', '-> i32', 'pure', 'constant', '$imm', 'The constant imm.'],
  ['i32.add', 'i32 i32 -> i32', 'pure commutative', '', '($a + $b) | 0', 'a + b modulo 2^32.'],
  ['i32.sub', 'i32 i32 -> i32', 'pure', '', '($a - $b) | 0', 'a - b modulo 2^32.'],
  ['i32.mul', 'i32 i32 -> i32', 'pure commutative', '', 'Math.imul($a, $b)', 'The low word of the product.'],
  ['i32.mulh_s', 'i32 i32 -> i32', 'pure commutative', '', 'mulhs($a, $b)', 'The high word of the signed product.'],
  ['i32.mulh_u', 'i32 i32 -> i32', 'pure commutative', '', 'mulhu($a, $b)', 'The high word of the unsigned product.'],
  ['i32.div_s', 'i32 i32 -> i32', 'pure', '', '($a / $b) | 0', 'Signed quotient towards zero; 0 when b is 0; -2^31 for -2^31 / -1.'],
  ['i32.div_u', 'i32 i32 -> i32', 'pure', '', '(($a >>> 0) / ($b >>> 0)) | 0', 'Unsigned quotient; 0 when b is 0.'],
  ['i32.rem_s', 'i32 i32 -> i32', 'pure', '', '($a % $b) | 0', 'Signed remainder with the sign of a; 0 when b is 0.'],
  ['i32.rem_u', 'i32 i32 -> i32', 'pure', '', '(($a >>> 0) % ($b >>> 0)) | 0', 'Unsigned remainder; 0 when b is 0.'],
  ['i32.and', 'i32 i32 -> i32', 'pure commutative', '', '$a & $b', 'Bitwise and.'],
  ['i32.or', 'i32 i32 -> i32', 'pure commutative', '', '$a | $b', 'Bitwise or.'],
  ['i32.xor', 'i32 i32 -> i32', 'pure commutative', '', '$a ^ $b', 'Bitwise exclusive or.'],
  ['i32.not', 'i32 -> i32', 'pure', '', '~$a', 'Bitwise complement.'],
  ['i32.neg', 'i32 -> i32', 'pure', '', '(-$a) | 0', '0 - a modulo 2^32.'],
  ['i32.shl', 'i32 i32 -> i32', 'pure', '', '$a << $b', 'a shifted left by b modulo 32.'],
  ['i32.shr_u', 'i32 i32 -> i32', 'pure', '', '($a >>> $b) | 0', 'a shifted right by b modulo 32, zeros in.'],
  ['i32.shr_s', 'i32 i32 -> i32', 'pure', '', '$a >> $b', 'a shifted right by b modulo 32, sign in.'],
  ['i32.rotl', 'i32 i32 -> i32', 'pure', '', '($a << $b) | ($a >>> (32 - $b))', 'a rotated left by b modulo 32.'],
  ['i32.clz', 'i32 -> i32', 'pure', '', 'Math.clz32($a)', 'Leading zeros; 32 when a is 0.'],
  ['i32.ctz', 'i32 -> i32', 'pure', '', 'ctz($a)', 'Trailing zeros; 32 when a is 0.'],
  ['i32.popcnt', 'i32 -> i32', 'pure', '', 'popcnt($a)', 'Number of one bits.'],
  ['i32.bswap', 'i32 -> i32', 'pure', '', 'bswap($a)', 'The four bytes in reverse order.'],
  ['i32.extend8_s', 'i32 -> i32', 'pure', '', '($a << 24) >> 24', 'The low byte, sign-extended.'],
  ['i32.extend16_s', 'i32 -> i32', 'pure', '', '($a << 16) >> 16', 'The low halfword, sign-extended.'],
  ['i32.select', 'i32 i32 i32 -> i32', 'pure', '', '$a ? $b : $c', 'b when a is not 0, else c.'],
];

// biome-ignore format: one operation per line
const compare32: Row[] = [
  ['i32.eqz', 'i32 -> i32', 'pure', '', '$a === 0', '1 when a is 0.'],
  ['i32.eq', 'i32 i32 -> i32', 'pure commutative', '', '$a === $b', '1 when equal.'],
  ['i32.ne', 'i32 i32 -> i32', 'pure commutative', '', '$a !== $b', '1 when not equal.'],
  ['i32.lt_s', 'i32 i32 -> i32', 'pure', '', '$a < $b', 'Signed less than.'],
  ['i32.le_s', 'i32 i32 -> i32', 'pure', '', '$a <= $b', 'Signed less or equal.'],
  ['i32.gt_s', 'i32 i32 -> i32', 'pure', '', '$a > $b', 'Signed greater than.'],
  ['i32.ge_s', 'i32 i32 -> i32', 'pure', '', '$a >= $b', 'Signed greater or equal.'],
  ['i32.lt_u', 'i32 i32 -> i32', 'pure', '', '($a >>> 0) < ($b >>> 0)', 'Unsigned less than.'],
  ['i32.le_u', 'i32 i32 -> i32', 'pure', '', '($a >>> 0) <= ($b >>> 0)', 'Unsigned less or equal.'],
  ['i32.gt_u', 'i32 i32 -> i32', 'pure', '', '($a >>> 0) > ($b >>> 0)', 'Unsigned greater than.'],
  ['i32.ge_u', 'i32 i32 -> i32', 'pure', '', '($a >>> 0) >= ($b >>> 0)', 'Unsigned greater or equal.'],
];

// biome-ignore format: one operation per line
const integer64: Row[] = [
  ['i64.const', '-> i64', 'pure', 'constant', '', 'The constant whose low word is a and high word is b.'],
  ['i64.add', 'i64 i64 -> i64', 'pure commutative', '', 'BigInt.asIntN(64, $a + $b)', 'a + b modulo 2^64.'],
  ['i64.sub', 'i64 i64 -> i64', 'pure', '', 'BigInt.asIntN(64, $a - $b)', 'a - b modulo 2^64.'],
  ['i64.mul', 'i64 i64 -> i64', 'pure commutative', '', 'BigInt.asIntN(64, $a * $b)', 'The low doubleword of the product.'],
  ['i64.mulh_s', 'i64 i64 -> i64', 'pure commutative', '', 'BigInt.asIntN(64, ($a * $b) >> 64n)', 'The high doubleword of the signed product.'],
  ['i64.mulh_u', 'i64 i64 -> i64', 'pure commutative', '', 'BigInt.asIntN(64, (BigInt.asUintN(64, $a) * BigInt.asUintN(64, $b)) >> 64n)', 'The high doubleword of the unsigned product.'],
  ['i64.div_s', 'i64 i64 -> i64', 'pure', '', '($b === 0n ? 0n : BigInt.asIntN(64, $a / $b))', 'Signed quotient; 0 when b is 0; wraps for -2^63 / -1.'],
  ['i64.div_u', 'i64 i64 -> i64', 'pure', '', '($b === 0n ? 0n : BigInt.asIntN(64, BigInt.asUintN(64, $a) / BigInt.asUintN(64, $b)))', 'Unsigned quotient; 0 when b is 0.'],
  ['i64.rem_s', 'i64 i64 -> i64', 'pure', '', '($b === 0n ? 0n : $a % $b)', 'Signed remainder with the sign of a; 0 when b is 0.'],
  ['i64.rem_u', 'i64 i64 -> i64', 'pure', '', '($b === 0n ? 0n : BigInt.asIntN(64, BigInt.asUintN(64, $a) % BigInt.asUintN(64, $b)))', 'Unsigned remainder; 0 when b is 0.'],
  ['i64.and', 'i64 i64 -> i64', 'pure commutative', '', '$a & $b', 'Bitwise and.'],
  ['i64.or', 'i64 i64 -> i64', 'pure commutative', '', '$a | $b', 'Bitwise or.'],
  ['i64.xor', 'i64 i64 -> i64', 'pure commutative', '', '$a ^ $b', 'Bitwise exclusive or.'],
  ['i64.not', 'i64 -> i64', 'pure', '', '~$a', 'Bitwise complement.'],
  ['i64.neg', 'i64 -> i64', 'pure', '', 'BigInt.asIntN(64, -$a)', '0 - a modulo 2^64.'],
  ['i64.shl', 'i64 i32 -> i64', 'pure', '', 'BigInt.asIntN(64, $a << BigInt($b & 63))', 'a shifted left by b modulo 64.'],
  ['i64.shr_u', 'i64 i32 -> i64', 'pure', '', 'BigInt.asIntN(64, BigInt.asUintN(64, $a) >> BigInt($b & 63))', 'a shifted right by b modulo 64, zeros in.'],
  ['i64.shr_s', 'i64 i32 -> i64', 'pure', '', '$a >> BigInt($b & 63)', 'a shifted right by b modulo 64, sign in.'],
  ['i64.rotl', 'i64 i32 -> i64', 'pure', '', 'rotl64($a, $b)', 'a rotated left by b modulo 64.'],
  ['i64.clz', 'i64 -> i64', 'pure', '', 'clz64($a)', 'Leading zeros; 64 when a is 0.'],
  ['i64.ctz', 'i64 -> i64', 'pure', '', 'ctz64($a)', 'Trailing zeros; 64 when a is 0.'],
  ['i64.popcnt', 'i64 -> i64', 'pure', '', 'popcnt64($a)', 'Number of one bits.'],
  ['i64.bswap', 'i64 -> i64', 'pure', '', 'bswap64($a)', 'The eight bytes in reverse order.'],
  ['i64.extend8_s', 'i64 -> i64', 'pure', '', 'BigInt.asIntN(8, $a)', 'The low byte, sign-extended.'],
  ['i64.extend16_s', 'i64 -> i64', 'pure', '', 'BigInt.asIntN(16, $a)', 'The low halfword, sign-extended.'],
  ['i64.extend32_s', 'i64 -> i64', 'pure', '', 'BigInt.asIntN(32, $a)', 'The low word, sign-extended.'],
  ['i64.eqz', 'i64 -> i32', 'pure', '', '$a === 0n', '1 when a is 0.'],
  ['i64.eq', 'i64 i64 -> i32', 'pure commutative', '', '$a === $b', '1 when equal.'],
  ['i64.ne', 'i64 i64 -> i32', 'pure commutative', '', '$a !== $b', '1 when not equal.'],
  ['i64.lt_s', 'i64 i64 -> i32', 'pure', '', '$a < $b', 'Signed less than.'],
  ['i64.le_s', 'i64 i64 -> i32', 'pure', '', '$a <= $b', 'Signed less or equal.'],
  ['i64.gt_s', 'i64 i64 -> i32', 'pure', '', '$a > $b', 'Signed greater than.'],
  ['i64.ge_s', 'i64 i64 -> i32', 'pure', '', '$a >= $b', 'Signed greater or equal.'],
  ['i64.lt_u', 'i64 i64 -> i32', 'pure', '', 'BigInt.asUintN(64, $a) < BigInt.asUintN(64, $b)', 'Unsigned less than.'],
  ['i64.le_u', 'i64 i64 -> i32', 'pure', '', 'BigInt.asUintN(64, $a) <= BigInt.asUintN(64, $b)', 'Unsigned less or equal.'],
  ['i64.gt_u', 'i64 i64 -> i32', 'pure', '', 'BigInt.asUintN(64, $a) > BigInt.asUintN(64, $b)', 'Unsigned greater than.'],
  ['i64.ge_u', 'i64 i64 -> i32', 'pure', '', 'BigInt.asUintN(64, $a) >= BigInt.asUintN(64, $b)', 'Unsigned greater or equal.'],
  ['i64.select', 'i32 i64 i64 -> i64', 'pure', '', '$a ? $b : $c', 'b when a is not 0, else c.'],
  ['i64.join', 'i32 i32 -> i64', 'pure', '', 'join64($a, $b)', 'The doubleword whose low word is a and high word is b.'],
  ['i64.low', 'i64 -> i32', 'pure', '', 'Number(BigInt.asIntN(32, $a))', 'The low word.'],
  ['i64.high', 'i64 -> i32', 'pure', '', 'Number(BigInt.asIntN(32, $a >> 32n))', 'The high word.'],
  ['i64.extend_i32_s', 'i32 -> i64', 'pure', '', 'BigInt($a)', 'Sign extension.'],
  ['i64.extend_i32_u', 'i32 -> i64', 'pure', '', 'BigInt($a >>> 0)', 'Zero extension.'],
];

// Doublewords where there is no i64: the operands' and the result's bits are those of doubles. WebAssembly has i64 instead.
// biome-ignore format: one operation per line
const halves: Row[] = [
  ['halves.mulh_s', 'f64 f64 -> f64', 'pure commutative', '', 'mulhs64($a, $b)', 'i64.mulh_s on the bits of doubles.'],
  ['halves.mulh_u', 'f64 f64 -> f64', 'pure commutative', '', 'mulhu64($a, $b)', 'i64.mulh_u on the bits of doubles.'],
  ['halves.div_s', 'f64 f64 -> f64', 'pure', '', 'divs64($a, $b)', 'i64.div_s on the bits of doubles.'],
  ['halves.div_u', 'f64 f64 -> f64', 'pure', '', 'divu64($a, $b)', 'i64.div_u on the bits of doubles.'],
  ['halves.rem_s', 'f64 f64 -> f64', 'pure', '', 'rems64($a, $b)', 'i64.rem_s on the bits of doubles.'],
  ['halves.rem_u', 'f64 f64 -> f64', 'pure', '', 'remu64($a, $b)', 'i64.rem_u on the bits of doubles.'],
];

// biome-ignore format: one operation per line
const floating: Row[] = [
  ['f64.const', '-> f64', 'pure', 'constant', '', 'The double whose low word is a and high word is b.'],
  ['f64.add', 'f64 f64 -> f64', 'pure commutative', '', '$a + $b', 'Sum.'],
  ['f64.sub', 'f64 f64 -> f64', 'pure', '', '$a - $b', 'Difference.'],
  ['f64.mul', 'f64 f64 -> f64', 'pure commutative', '', '$a * $b', 'Product.'],
  ['f64.div', 'f64 f64 -> f64', 'pure', '', '$a / $b', 'Quotient.'],
  ['f64.sqrt', 'f64 -> f64', 'pure', '', 'Math.sqrt($a)', 'Square root.'],
  ['f64.fma', 'f64 f64 f64 -> f64', 'pure', '', 'fma($a, $b, $c)', 'a * b + c, rounded once.'],
  ['f64.neg', 'f64 -> f64', 'pure', '', 'neg($a)', 'The sign bit inverted.'],
  ['f64.abs', 'f64 -> f64', 'pure', '', 'abs($a)', 'The sign bit cleared.'],
  ['f64.select', 'i32 f64 f64 -> f64', 'pure', '', '$a ? $b : $c', 'b when a is not 0, else c.'],
  ['f64.eq', 'f64 f64 -> i32', 'pure commutative', '', '$a === $b', '1 when equal and ordered.'],
  ['f64.lt', 'f64 f64 -> i32', 'pure', '', '$a < $b', '1 when less and ordered.'],
  ['f64.gt', 'f64 f64 -> i32', 'pure', '', '$a > $b', '1 when greater and ordered.'],
  ['f64.ge', 'f64 f64 -> i32', 'pure', '', '$a >= $b', '1 when greater or equal, and ordered.'],
  ['f64.unordered', 'f64 f64 -> i32', 'pure commutative', '', '$a !== $a || $b !== $b', '1 when either is a NaN.'],
  ['f64.nan_of2', 'f64 f64 f64 -> f64', 'pure', 'nan', 'nanOf2($a, $b, $c, $imm)', 'a unless it is a NaN; then the first NaN of b, c, quieted, or the default NaN of the ISA (imm: its high word).'],
  ['f64.to_single', 'f64 -> f64', 'pure', '', 'Math.fround($a)', 'Rounded to single precision, still held as a double.'],
  ['f64.add_single', 'f64 f64 -> f64', 'pure commutative', '', 'addSingle($a, $b)', 'Sum, rounded once to single precision.'],
  ['f64.sub_single', 'f64 f64 -> f64', 'pure', '', 'subSingle($a, $b)', 'Difference, rounded once to single precision.'],
  ['f64.mul_single', 'f64 f64 -> f64', 'pure commutative', '', 'mulSingle($a, $b)', 'Product, rounded once to single precision.'],
  ['f64.div_single', 'f64 f64 -> f64', 'pure', '', 'divSingle($a, $b)', 'Quotient, rounded once to single precision.'],
  ['f64.sqrt_single', 'f64 -> f64', 'pure', '', 'sqrtSingle($a)', 'Square root, rounded once to single precision.'],
  ['f64.fma_single', 'f64 f64 f64 -> f64', 'pure', '', 'fmaSingle($a, $b, $c)', 'a * b + c, rounded once to single precision.'],
  ['f64.from_halves', 'i32 i32 -> f64', 'pure', '', 'fromHalves($a, $b)', 'The double whose low word is a and high word is b.'],
  ['f64.low', 'f64 -> i32', 'pure', '', 'lowHalf($a)', 'The low word of the bits.'],
  ['f64.high', 'f64 -> i32', 'pure', '', 'highHalf($a)', 'The high word of the bits.'],
  ['f64.convert_i32_s', 'i32 -> f64', 'pure', '', '$a', 'The signed integer as a double.'],
  ['f64.convert_i32_u', 'i32 -> f64', 'pure', '', '($a >>> 0)', 'The unsigned integer as a double.'],
  ['i32.trunc_f64_s', 'f64 -> i32', 'pure', '', 'truncate($a)', 'Towards zero, saturating; -2^31 for a NaN.'],
  ['i32.nearest_f64_s', 'f64 -> i32', 'pure', '', 'nearest($a)', 'To nearest, ties to even, saturating; -2^31 for a NaN.'],
];

// biome-ignore format: one operation per line
const state: Row[] = [
  ['get.i32', '-> i32', '', 'register', '', 'Reads guest register imm.'],
  ['get.i64', '-> i64', '', 'register', '', 'Reads guest register imm.'],
  ['get.f64', '-> f64', '', 'register', '', 'Reads guest register imm.'],
  ['get.v128', '-> v128', '', 'register', '', 'Reads guest register imm.'],
  ['set.i32', 'i32 ->', '', 'register', '', 'Writes guest register imm.'],
  ['set.i64', 'i64 ->', '', 'register', '', 'Writes guest register imm.'],
  ['set.f64', 'f64 ->', '', 'register', '', 'Writes guest register imm.'],
  ['set.v128', 'v128 ->', '', 'register', '', 'Writes guest register imm.'],
  ['helper.i32', '* -> i32', 'exits', 'helper', '', 'Calls helper imm of the ISA with up to three operands; it reads and writes the registers that its row names.'],
  ['helper.f64', '* -> f64', 'exits', 'helper', '', 'The same with a double as result.'],
  ['helper.none', '* ->', 'exits', 'helper', '', 'The same without a result.'],
];

// The address is a + imm modulo 2^32. `order` (word c) is 1 for the byte order opposite to the guest's.
// biome-ignore format: one operation per line
const memory: Row[] = [
  ['load8_u', 'i32 -> i32', 'load', 'displacement order', '', 'Loads a byte, zero-extended.'],
  ['load8_s', 'i32 -> i32', 'load', 'displacement order', '', 'Loads a byte, sign-extended.'],
  ['load16_u', 'i32 -> i32', 'load', 'displacement order', '', 'Loads a halfword, zero-extended.'],
  ['load16_s', 'i32 -> i32', 'load', 'displacement order', '', 'Loads a halfword, sign-extended.'],
  ['load32', 'i32 -> i32', 'load', 'displacement order', '', 'Loads a word.'],
  ['load64', 'i32 -> i64', 'load', 'displacement order', '', 'Loads a doubleword.'],
  ['load64.f64', 'i32 -> f64', 'load', 'displacement order', '', 'Loads a double, bits unchanged.'],
  ['load32.f64', 'i32 -> f64', 'load', 'displacement order', '', 'Loads a single and widens it; a signalling NaN stays one (Power ISA DOUBLE()).'],
  ['load32.f32', 'i32 -> f32', 'load', 'displacement order', '', 'Loads a single; a signalling NaN may become quiet.'],
  ['load128', 'i32 -> v128', 'load', 'displacement order', '', 'Loads 16 bytes.'],
  ['load64_zero', 'i32 -> v128', 'load', 'displacement order', '', 'Loads 8 bytes, zeros above them.'],
  ['load32_zero', 'i32 -> v128', 'load', 'displacement order', '', 'Loads 4 bytes, zeros above them.'],
  ['store8', 'i32 i32 ->', 'store', 'displacement order', '', 'Stores the low byte of b.'],
  ['store16', 'i32 i32 ->', 'store', 'displacement order', '', 'Stores the low halfword of b.'],
  ['store32', 'i32 i32 ->', 'store', 'displacement order', '', 'Stores a word.'],
  ['store64', 'i32 i64 ->', 'store', 'displacement order', '', 'Stores a doubleword.'],
  ['store64.f64', 'i32 f64 ->', 'store', 'displacement order', '', 'Stores a double, bits unchanged.'],
  ['store32.f64', 'i32 f64 ->', 'store', 'displacement order', '', 'Stores a double as a single without rounding (Power ISA SINGLE()).'],
  ['store128', 'i32 v128 ->', 'store', 'displacement order', '', 'Stores 16 bytes.'],
  ['compare_exchange32', 'i32 i32 i32 -> i32', 'load store', 'displacement', '', 'If the word at a equals b, stores c, atomically; gives the word found. a is a multiple of 4.'],
  ['check', 'i32 ->', 'load', 'displacement detail', '', 'Faults unless the b bytes at a + imm can be read (c = 1) or written (c = 2), before any of them is touched.'],
];

// Every pc is a guest address. `link` is the address of the instruction after a call.
// biome-ignore format: one operation per line
const exits: Row[] = [
  ['jump', '->', 'ends', 'pc', '', 'Goes on at imm.'],
  ['branch', 'i32 ->', 'ends', 'pc else', '', 'Goes on at imm when a is not 0, else at b.'],
  ['call', '->', 'ends', 'pc link', '', 'Calls the function at imm; it is expected to return to b.'],
  ['call_indirect', 'i32 ->', 'ends', 'link', '', 'Calls the function at a; it is expected to return to b.'],
  ['jump_indirect', 'i32 ->', 'ends', '', '', 'Goes on at a.'],
  ['return', 'i32 ->', 'ends', '', '', 'Returns from a function to a.'],
  ['branch_return', 'i32 i32 ->', 'ends', 'else', '', 'Returns from a function to b when a is not 0, else goes on at imm.'],
  ['branch_indirect', 'i32 i32 ->', 'ends', 'else', '', 'Goes on at b when a is not 0, else at imm.'],
  ['system_call', '->', 'ends', 'link', '', 'Asks the personality for a service and goes on at b.'],
  ['exit', '->', 'ends', 'exit detail', '', 'Leaves with the reason imm and the detail b; the pc is that of this instruction.'],
  ['exit_if', 'i32 ->', 'exits', 'exit detail', '', 'The same when a is not 0, else goes on.'],
];

// Without regular expressions: to compile the first one costs a short program milliseconds.

/** What the names of comparisons end in, behind the operands' type. */
const comparisons = new Set('eq eqz ne lt le gt ge lt_s le_s gt_s ge_s lt_u le_u gt_u ge_u unordered'.split(' '));

const isComparison = (name: string): boolean => comparisons.has(name.slice(name.indexOf('.') + 1));

const bytesMoved = (name: string): number => {
  if (name === 'compare_exchange32') return 4;
  const prefix = name.startsWith('load') ? 4 : name.startsWith('store') ? 5 : 0;
  return prefix === 0 ? 0 : Number.parseInt(name.slice(prefix), 10) / 8;
};

/** What `make` gives for a text; most texts of the rows' columns come many times. */
function once<Made>(make: (text: string) => Made): (text: string) => Made {
  const made = new Map<string, Made>();
  return (text) => {
    let value = made.get(text);
    if (value === undefined) {
      value = make(text);
      made.set(text, value);
    }
    return value;
  };
}

const listOf = <Word>(text: string): Word[] => (text === '' ? [] : (text.split(' ') as Word[]));
const flagsOf = once((text): ReadonlySet<Flag> => new Set(listOf<Flag>(text)));
const immediatesOf = once((text) => listOf<Immediate>(text));
const signatureOf = once((text) => {
  const [operands, result] = text.split('->').map((part) => part.trim());
  return { operands: operands === '*' ? [] : listOf<Type>(operands), result: result as Type | '' };
});

function declare(row: Row, code: number): Operation {
  const [name, signature, flags, immediates, javascript, doc] = row;
  const { operands, result } = signatureOf(signature);
  const compares = result === 'i32' && isComparison(name);
  return {
    code,
    name,
    operands,
    result,
    immediates: immediatesOf(immediates),
    flags: flagsOf(flags),
    javascript: compares ? `(${javascript} ? 1 : 0)` : javascript,
    test: compares ? javascript : '',
    doc,
    bytes: bytesMoved(name),
  };
}

/** Every operation; the index is the operation's code. */
export const operations: readonly Operation[] = [
  ...integer32,
  ...compare32,
  ...integer64,
  ...halves,
  ...floating,
  ...state,
  ...memory,
  ...exits,
  ...vectorScalars,
  ...vectors,
  ...vectorHalves,
].map(declare);

/**
 * From an operation's name to its code. Without a prototype, so that V8 makes a dictionary at once: to add some hundred
 * properties to an object of the ordinary kind takes milliseconds.
 */
export const codes: Readonly<Record<string, number>> = dictionary(operations);

function dictionary(all: readonly Operation[]): Record<string, number> {
  const made: Record<string, number> = Object.create(null);
  for (const { name, code } of all) made[name] = code;
  return made;
}

/**
 * Reasons for the `exit` operations and for leaving translated code (word `exit` of the state block). `divide`: a
 * quotient that does not exist or does not fit; `overflow`, `bound`: the checks of instructions made for them;
 * `protection`: an operand or an alignment that is not allowed; `wide_address`: an address of a 64-bit guest beyond its
 * space of 32 bits; `software_interrupt`: the guest called an interrupt that is not its system call (detail: the vector).
 */
export const exitReasons = [
  'none',
  'system_call',
  'illegal',
  'privileged',
  'trap',
  'breakpoint',
  'fault',
  'interrupt',
  'floating_point',
  'misaligned',
  'divide',
  'overflow',
  'bound',
  'protection',
  'wide_address',
  'software_interrupt',
] as const;
export type ExitReason = (typeof exitReasons)[number];
export const exitCode = Object.fromEntries(exitReasons.map((name, index) => [name, index])) as Record<
  ExitReason,
  number
>;
