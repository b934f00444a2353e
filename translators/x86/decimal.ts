/** Decimal adjustment, in 32-bit mode only. */
import type { Value } from '../ir/builder.ts';
import { op } from '../ir/builder.ts';
import { readDecimal, setDecimal } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rax } from './registers.ts';

/** Whether the low decimal digit of AL needs an adjustment. */
function lowAdjustment(l: Lifter, al: Value, auxiliary: Value): Value {
  const { b } = l;
  return b.or(b.gtU(b.and(al, b.constant(15)), b.constant(9)), auxiliary);
}

/** daa and das: after the addition or subtraction of two packed decimal numbers. */
function adjustPacked(add: boolean): Lift {
  return (l) => {
    const { b } = l;
    const al = l.general(rax, 1);
    const { auxiliary, carry } = readDecimal(l);
    const low = lowAdjustment(l, al, auxiliary);
    const high = b.or(b.gtU(al, b.constant(0x99)), carry);
    const adjustment = b.add(b.mul(low, b.constant(6)), b.mul(high, b.constant(0x60)));
    const result = add ? b.add(al, adjustment) : b.sub(al, adjustment);
    const borrow = b.and(low, b.ltU(al, b.constant(6)));
    l.setGeneral(rax, 1, result);
    setDecimal(l, result, add ? high : b.or(high, borrow), low);
  };
}

/** aaa and aas: after the addition or subtraction of two decimal digits. */
function adjustDigit(add: boolean): Lift {
  return (l) => {
    const { b } = l;
    const ax = l.general(rax, 2);
    const adjust = lowAdjustment(l, b.and(ax, b.constant(0xff)), readDecimal(l).auxiliary);
    const by = b.mul(adjust, b.constant(0x106));
    const result = b.and(add ? b.add(ax, by) : b.sub(ax, by), b.constant(0xff0f));
    l.setGeneral(rax, 2, result);
    setDecimal(l, b.and(result, b.constant(0xff)), adjust, adjust);
  };
}

/** aam: AL in two digits of the given base. */
const toDigits: Lift = (l) => {
  const { b, i } = l;
  const base = b.constant(i.immediate & 0xff);
  if ((i.immediate & 0xff) === 0) {
    l.fault('divide');
    return;
  }
  const al = l.general(rax, 1);
  const low = b.binary(op['i32.rem_u'], al, base);
  l.setGeneral(rax, 2, b.or(b.shl(b.binary(op['i32.div_u'], al, base), b.constant(8)), low));
  setDecimal(l, low, b.constant(0), b.constant(0));
};

/** aad: two digits in AH and AL become one number. */
const fromDigits: Lift = (l) => {
  const { b, i } = l;
  const ax = l.general(rax, 2);
  const sum = b.add(b.mul(b.shrU(ax, b.constant(8)), b.constant(i.immediate & 0xff)), ax);
  const result = b.and(sum, b.constant(0xff));
  l.setGeneral(rax, 2, result);
  setDecimal(l, result, b.constant(0), b.constant(0));
};

// biome-ignore format: one row per line
export const decimalRows: readonly Row[] = [
  ['27', 'daa', '',   'i64',      adjustPacked(true)],
  ['2F', 'das', '',   'i64',      adjustPacked(false)],
  ['37', 'aaa', '',   'i64',      adjustDigit(true)],
  ['3F', 'aas', '',   'i64',      adjustDigit(false)],
  ['D4', 'aam', 'Ib', 'i64', toDigits],
  ['D5', 'aad', 'Ib', 'i64', fromDigits],
];
