/** What the manual leaves open: flags and results that are not compared. */
import type { Instruction } from '../../../translators/x86/instruction.ts';
import { rcx } from '../../../translators/x86/registers.ts';
import type { Case } from './case.ts';

const CF = 1;
const PF = 4;
const AF = 0x10;
const ZF = 0x40;
const SF = 0x80;
const OF = 0x800;
const all = CF | PF | AF | ZF | SF | OF;

/** The count of a shift or rotation as the processor masks it. */
function countOf(i: Instruction, { registers }: Case): number {
  const last = i.operands[i.operands.length - 1];
  const count = last.kind === 'r' ? Number(registers[rcx] & 0xffn) : last.kind === '1' ? 1 : i.immediate;
  return count & (i.sizeOf(0) === 8 ? 63 : 31);
}

interface UndefinedFlags {
  readonly mnemonics: RegExp;
  /** The section "Flags Affected" of the instruction in SDM volume 2, in short. */
  readonly source: string;
  readonly flags: (i: Instruction, one: Case) => number;
}

// biome-ignore format: one rule per line
const undefinedFlags: readonly UndefinedFlags[] = [
  { mnemonics: /^(aaa|aas)$/, source: 'OF, SF, ZF and PF are undefined', flags: () => OF | SF | ZF | PF },
  { mnemonics: /^(aad|aam)$/, source: 'OF, AF and CF are undefined', flags: () => OF | AF | CF },
  { mnemonics: /^(daa|das)$/, source: 'OF is undefined', flags: () => OF },
  { mnemonics: /^(and|or|xor|test)$/, source: 'AF is undefined', flags: () => AF },
  { mnemonics: /^bs[fr]$/, source: 'CF, OF, SF, AF and PF are undefined', flags: () => CF | OF | SF | AF | PF },
  { mnemonics: /^bt[crs]?$/, source: 'OF, SF, AF and PF are undefined', flags: () => OF | SF | AF | PF },
  { mnemonics: /^i?div$/, source: 'CF, OF, SF, ZF, AF and PF are undefined', flags: () => all },
  { mnemonics: /^i?mul$/, source: 'SF, ZF, AF and PF are undefined', flags: () => SF | ZF | AF | PF },
  { mnemonics: /^[lt]zcnt$/, source: 'OF, SF, PF and AF are undefined', flags: () => OF | SF | PF | AF },
  { mnemonics: /^r[oc][lr]$/, source: 'OF is undefined for counts other than 1', flags: (i, one) => (countOf(i, one) > 1 ? OF : 0) },
  { mnemonics: /^s([ah]l|[ah]r)$/, source: 'AF is undefined unless the count is 0; OF for counts other than 1; CF for counts of the size and more', flags: shiftFlags },
  { mnemonics: /^sh[lr]d$/, source: 'as for shifts; all flags when the count is greater than the operand size', flags: doubleShiftFlags },
];

function shiftFlags(i: Instruction, one: Case): number {
  const count = countOf(i, one);
  if (count === 0) return 0;
  const carry = i.mnemonic !== 'sar' && count >= 8 * i.sizeOf(0) ? CF : 0;
  return AF | (count === 1 ? 0 : OF) | carry;
}

function doubleShiftFlags(i: Instruction, one: Case): number {
  const count = countOf(i, one);
  if (count === 0) return 0;
  return count > 8 * i.sizeOf(0) ? all : AF | (count === 1 ? 0 : OF);
}

/** Flags that are undefined after the instruction. */
export function undefinedFlagsOf(i: Instruction, one: Case): number {
  return undefinedFlags.find(({ mnemonics }) => mnemonics.test(i.mnemonic))?.flags(i, one) ?? 0;
}

/** Whether the destination is undefined: shld and shrd of 16 bits by more than 16. */
export function isResultUndefined(i: Instruction, one: Case): boolean {
  return /^sh[lr]d$/.test(i.mnemonic) && countOf(i, one) > 8 * i.sizeOf(0);
}

/** Transcendental x87 instructions: processors of different makers round differently in the last place. */
const transcendental = /^f(sin|cos|sincos|ptan|patan|2xm1|yl2x|yl2xp1)$/;

/** Bits of the x87 status word that are not compared: C1 tells of transcendental instructions which way they rounded. */
export const undefinedStatusOf = ({ mnemonic }: Instruction): number => (transcendental.test(mnemonic) ? 0x200 : 0);

/** Whether two x87 registers are the same, or may differ as much as they do: by one unit in the last place. */
export function sameExtended({ mnemonic }: Instruction, ours: Uint8Array, theirs: Uint8Array): boolean {
  if (Buffer.compare(ours, theirs) === 0) return true;
  if (!transcendental.test(mnemonic)) return false;
  // Significand and exponent as one number, whose neighbours are those of the value; the integer bit is left out.
  const ordinal = (bytes: Uint8Array): bigint => {
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    return (BigInt(view.getUint16(8, true)) << 63n) | (view.getBigUint64(0, true) & ~(1n << 63n));
  };
  const distance = ordinal(ours) - ordinal(theirs);
  return distance === 1n || distance === -1n;
}

/** Whether approximations of reciprocals are near enough: each may be off by 1.5 × 2^-12 (rcpps, rsqrtps). */
export function sameVector({ mnemonic }: Instruction, ours: Uint8Array, theirs: Uint8Array): boolean {
  if (Buffer.compare(ours, theirs) === 0) return true;
  if (!/^(rcp|rsqrt)[ps]s$/.test(mnemonic)) return false;
  const [a, b] = [ours, theirs].map((bytes) => new Float32Array(bytes.slice().buffer));
  return a.every((value, n) => Object.is(value, b[n]) || Math.abs(value - b[n]) <= 3 * 2 ** -12 * Math.abs(b[n]));
}
