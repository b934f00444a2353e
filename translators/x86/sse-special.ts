/** Instructions of SSE beyond arithmetic: MXCSR, the image of fxsave, comparisons of strings, AES, carry-less products. */
import { op, type Value } from '../ir/builder.ts';
import { setBits } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { looksAtRoundingMode } from './mxcsr-use.ts';
import { defaultMxcsr, rax, rcx, rdx } from './registers.ts';
import { fromHalves, high, low, setVector, vector, zeroVector } from './sse-operands.ts';
import { comparison, implicit } from './string-compare.ts';
import { compareEach, isEach } from './string-compare-each.ts';

const xor = op['v128.xor'];

const addressOf = (l: Lifter): Value => l.b.add(l.base, l.b.constant(l.offset));

/** A bit that is reserved must be 0. */
const ldmxcsr: Lift = (l) => {
  const { b } = l;
  const value = l.read(0);
  l.leaveIf(b.and(value, b.constant(~0xffff)), 'protection');
  l.helper('sse.set_mxcsr', value);
};

/** Exactness is asked for when the exceptions may be what the program wants. */
const stmxcsr: Lift = (l) => {
  const { b, registers } = l;
  l.address();
  b.check(l.base, l.offset, 4, 2);
  const isForRounding = looksAtRoundingMode(l.fetch, l.i.next);
  l.write(0, isForRounding ? b.xor(b.get(registers.mxcsr), b.constant(defaultMxcsr)) : l.helper('sse.mxcsr'));
};

const withImage =
  (name: string): Lift =>
  (l) => {
    l.address();
    l.requireAlignment(16);
    l.helper(name, addressOf(l));
  };

// -- strings

/** A length in elements as a word: of 64 bits one that is too large counts as 16. */
function lengthOf(l: Lifter, register: number): Value {
  const { b, i } = l;
  if (i.operandSize !== 8) return l.word(register);
  const value = l.general(register, 8);
  const wordOf = b.unary(op['i64.low'], value);
  const isWord = b.eq(b.unary(op['i64.high'], value), b.shrS(wordOf, b.constant(31)));
  return b.select(isWord, wordOf, b.constant(16));
}

/** The four instructions: lengths in registers or given by the strings, the result an index or a mask. */
const compareStrings =
  (isImplicit: boolean, isMask: boolean): Lift =>
  (l) => {
    const { b, i, registers } = l;
    const source = vector(l, 1);
    const immediate = i.immediate & 0xff;
    if (isImplicit && isEach(immediate)) {
      const { found, index } = compareEach(l, vector(l, 0), source, immediate);
      if (isMask) b.set(registers.xmm, maskOf(l, found, immediate));
      else l.setGeneral(rcx, 4, index);
      return;
    }
    b.set(registers.firstVector, vector(l, 0));
    b.set(registers.secondVector, source);
    const result = l.helper(
      'sse.compare_strings',
      b.constant(isImplicit ? immediate | implicit : immediate),
      isImplicit ? b.constant(0) : lengthOf(l, rax),
      isImplicit ? b.constant(0) : lengthOf(l, rdx),
    );
    const bit = (mask: number): Value => b.and(b.shrU(result, b.constant(Math.log2(mask))), b.constant(1));
    if (isMask) b.set(registers.xmm, maskOf(l, b.and(result, b.constant(0xffff)), immediate));
    else l.setGeneral(rcx, 4, b.and(b.shrU(result, b.constant(comparison.index)), b.constant(31)));
    setBits(l, {
      carry: bit(comparison.carry),
      parity: b.constant(0),
      zero: bit(comparison.zero),
      sign: bit(comparison.sign),
      overflow: bit(comparison.overflow),
    });
  };

/** The mask as bits, or, as bit 6 of the immediate says, as bytes or halfwords. */
function maskOf(l: Lifter, bits: Value, immediate: number): Value {
  const { b } = l;
  const all = b.withImmediate(op['i32x4.replace_lane'], 0, zeroVector(l), bits);
  if ((immediate & 0x40) === 0) return all;
  if ((immediate & 1) !== 0) {
    // In each halfword the byte with the eight bits; then in each only its own.
    const spread = b.withImmediate(op['i16x8.shuffle'], 0, all, all);
    const own = b.constant128(0x00020001, 0x00080004, 0x00200010, 0x00800040);
    return b.binary(op['i16x8.eq'], b.binary(op['v128.and'], spread, own), own);
  }
  const spread = b.binary(op['i8x16.swizzle'], all, b.constant128(0, 0, 0x01010101, 0x01010101));
  const own = b.constant128(0x08040201, 0x80402010 | 0, 0x08040201, 0x80402010 | 0);
  return b.binary(op['i8x16.eq'], b.binary(op['v128.and'], spread, own), own);
}

// -- AES and carry-less products

/** What a pair of helpers makes of both halves of a vector. */
const transformed = (l: Lifter, name: string, value: Value): Value => {
  const half = (part: 'low' | 'high'): Value => l.helper(`sse.${name}.${part}`, low(l, value), high(l, value));
  return fromHalves(l, half('low'), half('high'));
};

/** A round on the destination with the source as its key. */
const aesRound =
  (name: string): Lift =>
  (l) => {
    const key = vector(l, 1);
    setVector(l, 0, l.b.binary(xor, transformed(l, name, vector(l, 0)), key));
  };

const aesimc: Lift = (l) => setVector(l, 0, transformed(l, 'aesimc', vector(l, 1)));

const aeskeygenassist: Lift = (l) => {
  const constant = l.i.immediate & 0xff;
  const words = transformed(l, 'aeskeygenassist', vector(l, 1));
  setVector(l, 0, l.b.binary(xor, words, l.b.constant128(0, constant, 0, constant)));
};

/** Bits 0 and 4 of the immediate choose the halves of destination and source. */
const pclmulqdq: Lift = (l) => {
  const { immediate } = l.i;
  const source = vector(l, 1);
  const y = (immediate & 0x10) === 0 ? low(l, source) : high(l, source);
  const destination = vector(l, 0);
  const x = (immediate & 1) === 0 ? low(l, destination) : high(l, destination);
  setVector(l, 0, fromHalves(l, l.helper('sse.pclmul.low', x, y), l.helper('sse.pclmul.high', x, y)));
};

// biome-ignore format: one row per line
export const sseSpecialRows: readonly Row[] = [
  ['NP 0F AE /0', 'fxsave|fxsave|fxsave64', 'M', 'fxsr', withImage('sse.fxsave')],
  ['NP 0F AE /1', 'fxrstor|fxrstor|fxrstor64', 'M', 'fxsr', withImage('sse.fxrstor')],
  ['NP 0F AE /2', 'ldmxcsr', 'Md', 'sse',  ldmxcsr],
  ['NP 0F AE /3', 'stmxcsr', 'Md', 'sse',  stmxcsr],
  ['66 0F 3A 60 /r', 'pcmpestrm', 'Vdq,Wdq,Ib', 'sse4_2 unaligned', compareStrings(false, true)],
  ['66 0F 3A 61 /r', 'pcmpestri', 'Vdq,Wdq,Ib', 'sse4_2 unaligned', compareStrings(false, false)],
  ['66 0F 3A 62 /r', 'pcmpistrm', 'Vdq,Wdq,Ib', 'sse4_2 unaligned', compareStrings(true, true)],
  ['66 0F 3A 63 /r', 'pcmpistri', 'Vdq,Wdq,Ib', 'sse4_2 unaligned', compareStrings(true, false)],
  ['66 0F 38 DB /r', 'aesimc',     'Vdq,Wdq', 'aes', aesimc],
  ['66 0F 38 DC /r', 'aesenc',     'Vdq,Wdq', 'aes', aesRound('aesenc')],
  ['66 0F 38 DD /r', 'aesenclast', 'Vdq,Wdq', 'aes', aesRound('aesenclast')],
  ['66 0F 38 DE /r', 'aesdec',     'Vdq,Wdq', 'aes', aesRound('aesdec')],
  ['66 0F 38 DF /r', 'aesdeclast', 'Vdq,Wdq', 'aes', aesRound('aesdeclast')],
  ['66 0F 3A DF /r', 'aeskeygenassist', 'Vdq,Wdq,Ib', 'aes', aeskeygenassist],
  ['66 0F 3A 44 /r', 'pclmulqdq', 'Vdq,Wdq,Ib', 'pclmul', pclmulqdq],
];
