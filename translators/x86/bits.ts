/** Single bits: tests, scans and counts. */
import { op, type Value } from '../ir/builder.ts';
import { setBits, setCarry, setLogic } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { log2 } from './values.ts';

const and = op['i32.and'];
const or = op['i32.or'];
const xor = op['i32.xor'];
const not = op['i32.not'];
const shl = op['i32.shl'];
const shrU = op['i32.shr_u'];
const shrS = op['i32.shr_s'];
const clz = op['i32.clz'];
const ctz = op['i32.ctz'];
const popcnt = op['i32.popcnt'];
const eqz = op['i32.eqz'];

/** An operand of 2, 4 or 8 bytes as i32: the low word. */
const lowWord = (l: Lifter, size: number, value: Value): Value =>
  size === 8 ? l.b.unary(op['i64.low'], value) : value;

/**
 * bt and its kin. A bit number in a register counts from the memory operand on in both directions, over as many units of the
 * operand size as it says; elsewhere it is taken modulo the operand's bits.
 * @param change what becomes of the operand; `mask` has the bit
 */
function bitTest(change?: (l: Lifter, size: number, x: Value, mask: Value) => Value): Lift {
  return (l) => {
    const { b } = l;
    const size = l.size(0);
    const number = l.readAs(1, size);
    if (l.inMemory(0) && l.i.operands[1].kind === 'G') {
      const unit = l.binary(size, shrS, l.signed(number, size), b.constant(log2(size) + 3));
      const bytes = l.binary(size, shl, unit, b.constant(log2(size)));
      l.addressFrom(size === 8 || !l.is64 ? bytes : l.widen(bytes, true));
    }
    const place = b.and(lowWord(l, size, number), b.constant(size * 8 - 1));
    const x = l.read(0);
    const bit = b.and(lowWord(l, size, l.binary(size, shrU, x, place)), b.constant(1));
    if (change !== undefined) l.write(0, change(l, size, x, l.binary(size, shl, l.number(1, size), place)));
    setCarry(l, bit);
  };
}

const bt = bitTest();
const bts = bitTest((l, size, x, mask) => l.binary(size, or, x, mask));
const btr = bitTest((l, size, x, mask) => l.binary(size, and, x, l.unary(size, not, mask)));
const btc = bitTest((l, size, x, mask) => l.binary(size, xor, x, mask));

/** Trailing zeros of a value of `size` bytes, `size * 8` for 0. */
function trailingZeros(l: Lifter, size: number, x: Value): Value {
  const bounded = size === 2 ? l.b.or(x, l.b.constant(0x10000)) : x;
  return l.unary(size, ctz, bounded);
}

/** Leading zeros of a value of `size` bytes, zero-extended. */
function leadingZeros(l: Lifter, size: number, x: Value): Value {
  const zeros = l.unary(size, clz, x);
  return size === 2 ? l.b.sub(zeros, l.b.constant(16)) : zeros;
}

/** bsf and bsr: of 0 the destination stays as it was, all of it. */
function scan(forward: boolean): Lift {
  return (l) => {
    const { b } = l;
    const size = l.size(0);
    const x = l.read(1);
    const found = forward
      ? trailingZeros(l, size, x)
      : l.binary(size, xor, leadingZeros(l, size, x), l.number(size * 8 - 1, size));
    const number = l.i.reg;
    const old = b.get(number);
    const isZero = l.unary(size, eqz, x);
    if (size === 2) l.setGeneral(number, 2, b.select(isZero, l.low(old), found));
    else if (!l.is64) b.set(number, b.select(isZero, old, found));
    else b.set(number, b.ternary(op['i64.select'], isZero, old, size === 8 ? found : l.widen(found)));
    setLogic(l, size, x);
  };
}

/** lzcnt and tzcnt: CF when the source is 0, ZF when the count is. */
function count(zeros: (l: Lifter, size: number, x: Value) => Value): Lift {
  return (l) => {
    const size = l.size(0);
    const x = l.read(1);
    const result = zeros(l, size, x);
    l.write(0, result);
    const even = l.b.constant(0);
    setBits(l, { carry: l.unary(size, eqz, x), zero: l.unary(size, eqz, result), parity: even });
  };
}

const populationCount: Lift = (l) => {
  const size = l.size(0);
  const x = l.read(1);
  l.write(0, l.unary(size, popcnt, x));
  const none = l.b.constant(0);
  setBits(l, { carry: none, zero: l.unary(size, eqz, x), parity: none });
};

const bsf = scan(true);
const bsr = scan(false);
const tzcnt = count(trailingZeros);
const lzcnt = count(leadingZeros);

// biome-ignore format: one row per line
export const bitRows: readonly Row[] = [
  ['0F A3 /r',    'bt',     'Ev,Gv', '',       bt],
  ['0F AB /r',    'bts',    'Ev,Gv', 'lock',   bts],
  ['0F B3 /r',    'btr',    'Ev,Gv', 'lock',   btr],
  ['0F BA /4',    'bt',     'Ev,Ib', '',   bt],
  ['0F BA /5',    'bts',    'Ev,Ib', 'lock', bts],
  ['0F BA /6',    'btr',    'Ev,Ib', 'lock', btr],
  ['0F BA /7',    'btc',    'Ev,Ib', 'lock', btc],
  ['0F BB /r',    'btc',    'Ev,Gv', 'lock',   btc],
  ['F3 0F B8 /r', 'popcnt', 'Gv,Ev', 'popcnt', populationCount],
  ['0F BC /r',    'bsf',    'Gv,Ev', '',       bsf],
  ['F3 0F BC /r', 'tzcnt',  'Gv,Ev', 'bmi1',   tzcnt],
  ['0F BD /r',    'bsr',    'Gv,Ev', '',       bsr],
  ['F3 0F BD /r', 'lzcnt',  'Gv,Ev', 'lzcnt',  lzcnt],
];
