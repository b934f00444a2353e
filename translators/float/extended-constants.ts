/** The constants of fld1, fldl2t, fldl2e, fldpi, fldlg2, fldln2 and fldz. */
import { type Context, type Extended, makeZero, pack, rounding } from './extended.ts';

/** Three bits more than a significand; what follows them is not 0. */
interface Constant {
  readonly bits: bigint;
  /** The power of two that the last of the 67 bits counts. */
  readonly scale: number;
}

const one: Extended = { head: 0x3fff, significand: 1n << 63n };

const constants: readonly (Constant | Extended)[] = [
  one,
  { bits: 0x6a4d3c25e68dc57f2n, scale: -65 },
  { bits: 0x5c551d94ae0bf85ddn, scale: -66 },
  { bits: 0x6487ed5110b4611a6n, scale: -65 },
  { bits: 0x4d104d427de7fbcc4n, scale: -68 },
  { bits: 0x58b90bfbe8e7bcd5en, scale: -67 },
  makeZero(false),
];

/** The constant that the opcode D9 E8+n loads, rounded by the control word to 64 bits; neither inexact nor rounded up. */
export function constant(context: Context, n: number): Extended {
  const found = constants[n];
  if ('head' in found) return found;
  const { bits, scale } = found;
  const rest = bits & 7n;
  // All are positive, and more bits follow.
  const isAway = context.rounding === rounding.nearest ? rest >= 4n : context.rounding === rounding.up;
  return pack(false, (bits >> 3n) + (isAway ? 1n : 0n), scale + 3);
}
