/** How a PowerPC instruction is declared, and the fields of an instruction word. */
import type { Builder, Value } from '../ir/builder.ts';

/**
 * Emits the IR of one instruction.
 * @param word the instruction
 * @param exact LiftOptions.exactFloatingPoint
 */
export type Lift = (b: Builder, word: number, exact: boolean) => void;

/**
 * One instruction.
 * - `mnemonic`: without the suffixes that fields of the word add.
 * - `bits`: the 32 bits, first bit first; blanks are for the eye. 0 and 1 are fixed. A small letter
 *   stands for a bit of an operand, `-` for a reserved bit, which processors ignore. Capitals are
 *   the bits that add a suffix to the mnemonic: R (record) `.`, O (overflow) `o`, L (link) `l`, A (absolute) `a`.
 * - `operands`: assembler operands for the disassembler (operandFormats in disassemble.ts).
 * - `section`: book and section of Power ISA 2.07 B, or of the Programming Environments Manual for 32-bit processors (PEM).
 */
export type Row = readonly [mnemonic: string, bits: string, operands: string, section: string, lift: Lift];

// -- fields, named as in the manual (RT also stands for RS, FRT, FRS, TO and BO, RA for BI, FRA and BA)

export const RT = (word: number): number => (word >>> 21) & 31;
export const RA = (word: number): number => (word >>> 16) & 31;
export const RB = (word: number): number => (word >>> 11) & 31;
export const RC = (word: number): number => (word >>> 6) & 31;
/** Last bit of a mask (ME); MB is RC. */
export const ME = (word: number): number => (word >>> 1) & 31;
/** Target and source condition fields. */
export const BF = (word: number): number => (word >>> 23) & 7;
export const BFA = (word: number): number => (word >>> 18) & 7;
/** The mask of condition fields (mtcrf); bit 7 stands for field 0. */
export const FXM = (word: number): number => (word >>> 12) & 255;
/** Signed and unsigned immediates of the D form. */
export const SI = (word: number): number => (word << 16) >> 16;
export const UI = (word: number): number => word & 0xffff;
/** Number of a special register or time base: its halves are exchanged in the word. */
export const SPR = (word: number): number => ((word >>> 16) & 31) | ((word >>> 6) & 0x3e0);

export const recordBit = 1;
export const overflowBit = 0x400;
export const linkBit = 1;
export const absoluteBit = 2;

/** (RA|0): general register RA, or 0 where the field is 0. */
export function baseOrZero(b: Builder, word: number): Value {
  const number = RA(word);
  return number === 0 ? b.constant(0) : b.get(number);
}

/** (RA|0) + (RB): the address of an indexed access. */
export function indexedAddress(b: Builder, word: number): Value {
  const number = RA(word);
  const index = b.get(RB(word));
  return number === 0 ? index : b.add(b.get(number), index);
}

/** The mask with ones from bit `first` to bit `last` (bit 0 is the highest), around the end when first > last. */
export function maskOf(first: number, last: number): number {
  const from = -1 >>> first;
  const to = -1 << (31 - last);
  return first <= last ? from & to : from | to;
}
