/** Shifts and rotations. Counts are taken modulo 32, or 64 for operands of 8 bytes; a count of 0 changes no flag. */
import { op, type Value } from '../ir/builder.ts';
import { readCarry, setRotate, setShift, signFrom } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';

const or = op['i32.or'];
const xor = op['i32.xor'];
const shl = op['i32.shl'];
const shrU = op['i32.shr_u'];
const shrS = op['i32.shr_s'];
const rotl = op['i32.rotl'];

/** A count as lifters use it. */
interface Count {
  /** i32: 0 to 31, or 63. */
  readonly value: Value;
  /** Where it may be 0: the count once more. */
  readonly unlessZero: Value | undefined;
}

/** The count in operand n; undefined where it is known to be 0. */
function countOf(l: Lifter, n: number, size: number): Count | undefined {
  const { b } = l;
  const value = b.and(l.readAs(n, 1), b.constant(size === 8 ? 63 : 31));
  if (!b.isConstant(value)) return { value, unlessZero: value };
  return b.constantOf(value) === 0 ? undefined : { value, unlessZero: undefined };
}

/** The lowest bit of a value of `size` bytes, as i32. */
function lowestBit(l: Lifter, size: number, value: Value): Value {
  const word = size === 8 ? l.b.unary(op['i64.low'], value) : value;
  return l.b.and(word, l.b.constant(1));
}

/** The bit of x at a place given as a value. */
const bitAt = (l: Lifter, size: number, x: Value, place: Value): Value =>
  lowestBit(l, size, l.binary(size, shrU, x, place));

/** count - 1 */
const oneLess = (l: Lifter, { value }: Count): Value => l.b.sub(value, l.b.constant(1));

/** A 32-bit register is written even by a count of 0, which clears the upper half of the 64-bit one. */
function shiftByNothing(l: Lifter): void {
  l.write(0, l.read(0));
}

/** What a shift gives: the result, CF, and a value whose sign is OF XOR CF. */
type Shift = (l: Lifter, size: number, x: Value, count: Count) => [result: Value, carry: Value, overflow: Value];

const shiftLeft: Shift = (l, size, x, count) => {
  const { b } = l;
  const result = l.binary(size, shl, x, count.value);
  // The last bit out; of a byte or a word, which has room above it in the value, what is there now.
  const carry =
    size < 4
      ? b.and(b.shrU(result, b.constant(size * 8)), b.constant(1))
      : bitAt(l, size, x, b.sub(b.constant(size * 8), count.value));
  return [result, carry, result];
};

/** OF is the sign before the shift. */
const shiftRight: Shift = (l, size, x, count) => {
  const carry = bitAt(l, size, x, oneLess(l, count));
  return [l.binary(size, shrU, x, count.value), carry, l.binary(size, xor, x, signFrom(l, size, carry))];
};

/** OF is 0. */
const shiftRightSigned: Shift = (l, size, x, count) => {
  const value = l.signed(x, size);
  const carry = lowestBit(l, size, l.binary(size, shrS, value, oneLess(l, count)));
  return [l.binary(size, shrS, value, count.value), carry, signFrom(l, size, carry)];
};

/** @param isRotation only CF and OF change */
function shift(compute: Shift, isRotation = false): Lift {
  return (l) => {
    const size = l.size(0);
    const count = countOf(l, 1, size);
    if (count === undefined) {
      shiftByNothing(l);
      return;
    }
    const [result, carry, overflow] = compute(l, size, l.read(0), count);
    l.write(0, result);
    if (isRotation) setRotate(l, size, carry, overflow, count.unlessZero);
    else setShift(l, size, carry, result, overflow, count.unlessZero);
  };
}

const rotate = (compute: Shift): Lift => shift(compute, true);

/** A byte four times or a word twice: its rotation by any count is then one of 32 bits. */
function repeated(l: Lifter, size: number, x: Value): Value {
  const { b } = l;
  if (size >= 4) return x;
  return b.mul(x, b.constant(size === 1 ? 0x01010101 : 0x00010001));
}

const rotateLeft: Shift = (l, size, x, count) => {
  const result = l.binary(size, rotl, repeated(l, size, x), count.value);
  return [result, lowestBit(l, size, result), result];
};

/** CF is the highest bit of the result, OF whether the two highest differ. */
const rotateRight: Shift = (l, size, x, count) => {
  const { b } = l;
  const result = l.binary(size, rotl, repeated(l, size, x), b.sub(b.constant(0), count.value));
  const carry = lowestBit(l, size, l.binary(size, shrU, result, b.constant(size * 8 - 1)));
  return [result, carry, l.binary(size, shl, result, b.constant(1))];
};

/** Value rotated left through CF, of a byte or a word: both in one i32. */
function rotateNarrow(l: Lifter, size: number, x: Value, places: Value): [result: Value, carry: Value] {
  const { b } = l;
  const bits = b.constant(size * 8);
  const all = b.or(x, b.shl(readCarry(l), bits));
  const back = b.sub(b.constant(size * 8 + 1), places);
  const rotated = b.or(b.shl(all, places), b.shrU(all, back));
  return [rotated, b.and(b.shrU(rotated, bits), b.constant(1))];
}

/** The count of a rotation through CF, which has one bit more than the operand. */
function placesOf(l: Lifter, size: number, { value }: Count): Value {
  return size < 4 ? l.b.binary(op['i32.rem_u'], value, l.b.constant(size * 8 + 1)) : value;
}

const rotateLeftThroughCarry: Shift = (l, size, x, count) => {
  const { b } = l;
  const places = placesOf(l, size, count);
  if (size < 4) {
    const [result, carry] = rotateNarrow(l, size, x, places);
    return [result, carry, result];
  }
  const carryIn = l.binary(size, shl, l.bit(size, readCarry(l)), oneLess(l, count));
  // A shift by 33 or 65 less the count in two steps: it may be all 32 or 64.
  const back = b.sub(b.constant(size * 8), places);
  const around = l.binary(size, shrU, l.binary(size, shrU, x, b.constant(1)), back);
  const rotated = l.binary(size, or, l.binary(size, or, l.binary(size, shl, x, places), carryIn), around);
  const result = unlessZero(l, size, count, rotated, x);
  return [result, bitAt(l, size, x, back), result];
};

/** OF is the highest bit of the result XOR the one below, as for ror. */
const rotateRightThroughCarry: Shift = (l, size, x, count) => {
  const { b } = l;
  const places = placesOf(l, size, count);
  let result: Value;
  let carry: Value;
  if (size < 4) {
    const left = b.sub(b.constant(size * 8 + 1), places);
    [result, carry] = rotateNarrow(l, size, x, b.select(places, left, places));
  } else {
    const back = b.sub(b.constant(size * 8), places);
    const carryIn = l.binary(size, shl, l.bit(size, readCarry(l)), back);
    const around = l.binary(size, shl, l.binary(size, shl, x, b.constant(1)), back);
    const rotated = l.binary(size, or, l.binary(size, or, l.binary(size, shrU, x, places), carryIn), around);
    result = unlessZero(l, size, count, rotated, x);
    carry = bitAt(l, size, x, oneLess(l, count));
  }
  const highest = l.binary(size, xor, result, l.binary(size, shl, result, b.constant(1)));
  return [result, carry, l.binary(size, xor, highest, signFrom(l, size, carry))];
};

function unlessZero(l: Lifter, size: number, { unlessZero }: Count, value: Value, otherwise: Value): Value {
  if (unlessZero === undefined) return value;
  return l.b.ternary(op[size === 8 ? 'i64.select' : 'i32.select'], unlessZero, value, otherwise);
}

/**
 * Double shifts: operand 0 is shifted, and bits of operand 1 come in. OF: the sign has changed. Of words, a count above 16,
 * where the manual leaves all undefined, goes on with the destination's bits.
 */
function doubleShift(left: boolean): Lift {
  return (l) => {
    const { b } = l;
    const size = l.size(0);
    const count = countOf(l, 2, size);
    if (count === undefined) {
      shiftByNothing(l);
      return;
    }
    const x = l.read(0);
    const y = l.read(1);
    let result: Value;
    let carry: Value;
    if (size === 2) {
      const sixteen = b.constant(16);
      const pair = left ? b.or(b.shl(x, sixteen), y) : b.or(b.shl(y, sixteen), x);
      const back = b.sub(b.constant(32), count.value);
      result = left ? b.shrU(b.rotl(pair, count.value), sixteen) : b.rotl(pair, back);
      carry = left ? bitAt(l, 4, pair, back) : bitAt(l, 4, pair, oneLess(l, count));
    } else {
      const back = b.sub(b.constant(size * 8), count.value);
      const shifted = l.binary(size, left ? shl : shrU, x, count.value);
      const comesIn = l.binary(size, left ? shrU : shl, y, back);
      result = unlessZero(l, size, count, l.binary(size, or, shifted, comesIn), x);
      carry = left ? bitAt(l, size, x, back) : bitAt(l, size, x, oneLess(l, count));
    }
    l.write(0, result);
    const changed = l.binary(size, xor, result, x);
    setShift(l, size, carry, result, l.binary(size, xor, changed, signFrom(l, size, carry)), count.unlessZero);
  };
}

const rol = rotate(rotateLeft);
const ror = rotate(rotateRight);
const rcl = rotate(rotateLeftThroughCarry);
const rcr = rotate(rotateRightThroughCarry);
const shiftLeftLift = shift(shiftLeft);
const shiftRightLift = shift(shiftRight);
const sar = shift(shiftRightSigned);
const shld = doubleShift(true);
const shrd = doubleShift(false);

/** Group 2 in the order of its reg field; 6 is the manual's sal once more. */
const group: readonly (readonly [mnemonic: string, lift: Lift])[] = [
  ['rol', rol],
  ['ror', ror],
  ['rcl', rcl],
  ['rcr', rcr],
  ['shl', shiftLeftLift],
  ['shr', shiftRightLift],
  ['sal', shiftLeftLift],
  ['sar', sar],
];

/** The opcodes of group 2. */
const groupRows = (opcode: string, operands: string): Row[] =>
  group.map(([mnemonic, lift], n) => [`${opcode} /${n}`, mnemonic, operands, '', lift]);

// biome-ignore format: one row per line
export const shiftRows: readonly Row[] = [
  ...groupRows('C0', 'Eb,Ib'),
  ...groupRows('C1', 'Ev,Ib'),
  ...groupRows('D0', 'Eb,1'),
  ...groupRows('D1', 'Ev,1'),
  ...groupRows('D2', 'Eb,CL'),
  ...groupRows('D3', 'Ev,CL'),
  ['0F A4 /r', 'shld', 'Ev,Gv,Ib', '', shld],
  ['0F A5 /r', 'shld', 'Ev,Gv,CL', '', shld],
  ['0F AC /r', 'shrd', 'Ev,Gv,Ib', '', shrd],
  ['0F AD /r', 'shrd', 'Ev,Gv,CL', '', shrd],
];
