/**
 * Comparisons of strings of bytes whose ends are zeroes, byte by byte (pcmpistri and pcmpistrm with "equal each"), as vector
 * operations: what the C library's comparisons of strings are made of.
 */
import { op, type Value } from '../ir/builder.ts';
import { ifAbove, ifBelow, ifNotAbove, ifNotBelow, ifNotZero, ifOverflow, ifSign, ifZero, setBits } from './flags.ts';
import type { Lifter } from './lift.ts';
import { zeroVector } from './sse-operands.ts';

/** Whether an immediate says to compare each byte with its counterpart. */
export const isEach = (immediate: number): boolean => (immediate & 0b1101) === 0b1000;

const count = 16;

/** Compares and sets the flags. @returns the mask, a bit for each element, and the index of one of them as bit 6 says */
export function compareEach(
  l: Lifter,
  first: Value,
  second: Value,
  immediate: number,
): { readonly found: Value; readonly index: Value } {
  const { b } = l;
  const all = b.constant((1 << count) - 1);
  const none = b.constant(0);
  const equalities = (x: Value, y: Value): Value => b.unary(op['i8x16.bitmask'], b.binary(op['i8x16.eq'], x, y));
  const firstZeroes = equalities(first, zeroVector(l));
  const secondZeroes = equalities(second, zeroVector(l));
  /** The elements before the first zero. */
  const before = (zeroes: Value): Value => {
    const lowest = b.and(zeroes, b.sub(none, zeroes));
    return b.and(b.add(lowest, b.constant(-1)), all);
  };
  const inFirst = before(firstZeroes);
  const inSecond = before(secondZeroes);
  // Beyond both ends elements count as equal.
  const inNeither = b.xor(b.or(inFirst, inSecond), all);
  let found = b.or(b.and(equalities(first, second), b.and(inFirst, inSecond)), inNeither);
  if ((immediate & 0x10) !== 0) found = b.xor(found, (immediate & 0x20) !== 0 ? inSecond : all);
  const end = b.constant(1 << count);
  const index =
    (immediate & 0x40) !== 0
      ? b.select(found, b.sub(b.constant(31), b.unary(op['i32.clz'], found)), b.constant(count))
      : b.unary(op['i32.ctz'], b.or(found, end));
  const isFound = b.ne(found, none);
  const ends = b.ne(secondZeroes, none);
  const overflow = b.and(found, b.constant(1));
  const flags = { carry: isFound, parity: none, zero: ends, sign: b.ne(firstZeroes, none), overflow };
  setBits(l, flags, (condition) => {
    switch (condition) {
      case ifBelow:
        return isFound;
      case ifNotBelow:
        return b.eqz(found);
      case ifZero:
        return ends;
      case ifNotZero:
        return b.eqz(secondZeroes);
      case ifNotAbove:
        return b.ne(b.or(found, secondZeroes), none);
      case ifAbove:
        return b.eqz(b.or(found, secondZeroes));
      case ifSign:
        return flags.sign;
      case ifOverflow:
        return overflow;
      default:
        return undefined;
    }
  });
  return { found, index };
}
