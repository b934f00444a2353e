/**
 * The flags: what instructions leave in the three parts (registers.ts), and what is read back from them.
 *
 * Each instruction that sets flags sets all parts; what nobody reads is dropped later. A condition whose flags come from an
 * instruction in the same block is made of that instruction's operands, so that `cmp; jl` is one comparison.
 */
import { op, type Value } from '../ir/builder.ts';
import type { Lifter } from './lift.ts';

/** Flags at their places in EFLAGS. */
export const CF = 0x1;
export const PF = 0x4;
export const AF = 0x10;
export const ZF = 0x40;
export const SF = 0x80;
export const TF = 0x100;
export const IF = 0x200;
export const DF = 0x400;
export const OF = 0x800;
export const NT = 0x4000;
export const AC = 0x40000;
export const ID = 0x200000;

/** Flags that programs may change and that register `flags.system` holds. */
export const systemFlags = TF | NT | AC | ID;
/** Bit 1 is always 1, and programs run with interrupts enabled. */
export const fixedFlags = 0x2 | IF;

/** Corrections in `flags.carry`: this bit inverts SF; from the shift on, a byte that is XORed into the byte of PF. */
const signCorrection = 1;
const parityCorrection = 8;

/** Conditions by their encoding; an odd one is the opposite of the one before. */
// biome-ignore format: as in the manual
export const [
  ifOverflow, ifNotOverflow, ifBelow, ifNotBelow, ifZero, ifNotZero, ifNotAbove, ifAbove,
  ifSign, ifNotSign, ifParity, ifNotParity, ifLess, ifNotLess, ifNotGreater, ifGreater,
] = Array.from({ length: 16 }, (_, n) => n);

const and = op['i32.and'];
const or = op['i32.or'];
const xor = op['i32.xor'];
const not = op['i32.not'];
const eqz = op['i32.eqz'];
const eq = op['i32.eq'];
const ne = op['i32.ne'];
const ltU = op['i32.lt_u'];
const geU = op['i32.ge_u'];
const leU = op['i32.le_u'];
const gtU = op['i32.gt_u'];
const ltS = op['i32.lt_s'];
const geS = op['i32.ge_s'];
const leS = op['i32.le_s'];
const gtS = op['i32.gt_s'];
const shl = op['i32.shl'];
const i32Select = op['i32.select'];
const i64Select = op['i64.select'];

/** What set the flags last in the block, as far as conditions can use it (BlockNotes.setter). */
export interface Setter {
  /**
   * `comparison`: of x and y. `logic`: x is the result, CF and OF are 0. `result`: x is the result, CF and OF are in the
   * parts. With these three the parts hold no corrections. `direct`: see there, or the parts.
   */
  readonly kind: 'comparison' | 'logic' | 'result' | 'direct';
  readonly size: number;
  readonly x: Value;
  readonly y: Value;
  readonly direct?: ((condition: number) => Value | undefined) | undefined;
}

// -- setting

/** A value of `size` bytes, sign-extended to a register's width. */
function extended(l: Lifter, size: number, value: Value): Value {
  return size === 8 ? value : l.widen(l.signed(value, size), true);
}

/** The sign of a value of 4 or 8 bytes as 0 or 1. */
const signOf = (l: Lifter, size: number, value: Value): Value => l.binary(size, ltS, value, l.number(0, size));

/** A bit as the sign of a value of a register's width. */
const asSign = (l: Lifter, bit: Value): Value => l.binary(l.width, shl, l.widen(bit), l.b.constant(l.width * 8 - 1));

/** A bit as the sign of a value of `size` bytes: what setShift and setRotate take. */
export function signFrom(l: Lifter, size: number, bit: Value): Value {
  return l.binary(size, shl, l.bit(size, bit), l.b.constant(size * 8 - 1));
}

/** Everything but the sign cleared. */
function onlySign(l: Lifter, value: Value): Value {
  return l.binary(l.width, and, value, l.is64 ? l.b.constant64(0, 1 << 31) : l.b.constant(1 << 31));
}

/** The parts, from values as wide as the operands; those of 1 and 2 bytes may have anything above. */
function setParts(l: Lifter, size: number, carry: Value, result: Value, carries: Value): void {
  const { b, registers } = l;
  b.set(registers.carry, carry);
  b.set(registers.result, extended(l, size, result));
  b.set(registers.carries, extended(l, size, carries));
}

/** What was carried, or borrowed, into each bit of x + y (+ 1), or x - y (- 1). */
function carriesOf(l: Lifter, size: number, x: Value, y: Value, result: Value): Value {
  return l.binary(size, xor, l.binary(size, xor, x, y), result);
}

/**
 * Flags of `result` = x + y, or x + y + 1 `withCarry`. Of 1 and 2 bytes x and y are zero-extended and their sum is not
 * truncated, here and below.
 */
export function setAdd(l: Lifter, size: number, x: Value, y: Value, result: Value, withCarry = false): void {
  const { b } = l;
  let carry: Value;
  if (size < 4) carry = b.and(b.shrU(result, b.constant(size * 8)), b.constant(1));
  else if (!withCarry) carry = l.binary(size, ltU, result, x);
  else {
    const unless = l.binary(size, and, l.binary(size, or, x, y), l.unary(size, not, result));
    carry = signOf(l, size, l.binary(size, or, l.binary(size, and, x, y), unless));
  }
  setParts(l, size, carry, result, carriesOf(l, size, x, y, result));
  l.notes.setter = { kind: 'result', size, x: result, y: result };
}

/** Flags of `result` = x - y. */
export function setSub(l: Lifter, size: number, x: Value, y: Value, result: Value): void {
  setParts(l, size, l.binary(size, ltU, x, y), result, carriesOf(l, size, x, y, result));
  l.notes.setter = { kind: 'comparison', size, x, y };
}

/** Flags of `result` = x - y - borrow. */
export function setSubBorrow(l: Lifter, size: number, x: Value, y: Value, result: Value): void {
  let carry: Value;
  if (size < 4) carry = l.b.shrU(result, l.b.constant(31));
  else {
    const notX = l.unary(size, not, x);
    const unless = l.binary(size, and, l.binary(size, or, notX, y), result);
    carry = signOf(l, size, l.binary(size, or, l.binary(size, and, notX, y), unless));
  }
  setParts(l, size, carry, result, carriesOf(l, size, x, y, result));
  l.notes.setter = { kind: 'result', size, x: result, y: result };
}

/** Flags of `result` = x + 1 or x - 1, which leave CF as it was. `wraps`: it carried or borrowed out. */
export function setStep(l: Lifter, size: number, x: Value, result: Value, wraps: Value): void {
  const { b } = l;
  const carry = readCarry(l);
  const carries = extended(l, size, carriesOf(l, size, x, l.number(1, size), result));
  setParts(
    l,
    l.width,
    carry,
    extended(l, size, result),
    l.binary(l.width, xor, carries, asSign(l, b.xor(carry, wraps))),
  );
  l.notes.setter = { kind: 'result', size, x: result, y: result };
}

/** Flags of a logical operation: CF, OF and AF are 0. */
export function setLogic(l: Lifter, size: number, result: Value): void {
  setParts(l, size, l.b.constant(0), result, l.number(0, size));
  l.notes.setter = { kind: 'logic', size, x: result, y: result };
}

/** Sets a part, where `when` is given only if it is not 0. */
function setPart(l: Lifter, part: number, value: Value, when: Value | undefined): void {
  const { b } = l;
  if (when === undefined) b.set(part, value);
  else {
    const wide = l.is64 && part !== l.registers.carry;
    b.set(part, b.ternary(wide ? i64Select : i32Select, when, value, b.get(part)));
  }
}

/**
 * Flags of a shift: OF is CF XOR the sign of `overflow`, which has the result's size; AF is 0.
 * @param when the count, where it may be 0: then no flag changes
 */
export function setShift(l: Lifter, size: number, carry: Value, result: Value, overflow: Value, when?: Value): void {
  const { carry: carryPart, result: resultPart, carries } = l.registers;
  setPart(l, carryPart, carry, when);
  setPart(l, resultPart, extended(l, size, result), when);
  setPart(l, carries, onlySign(l, extended(l, size, overflow)), when);
  l.notes.setter = when === undefined ? { kind: 'result', size, x: result, y: result } : undefined;
}

/** CF and OF of a rotation, as for setShift; the other flags stay. */
export function setRotate(l: Lifter, size: number, carry: Value, overflow: Value, when?: Value): void {
  const { b, registers, width } = l;
  const auxiliary = l.binary(width, and, b.get(registers.carries), l.number(AF, width));
  const carries = l.binary(width, or, auxiliary, onlySign(l, extended(l, size, overflow)));
  setPart(l, registers.carry, b.or(b.and(b.get(registers.carry), b.constant(~1)), carry), when);
  setPart(l, registers.carries, carries, when);
  l.notes.setter = undefined;
}

/** CF and OF of a multiplication, both whether the product needs its upper half; the others, which are undefined, from its lower half. */
export function setProduct(l: Lifter, size: number, result: Value, overflow: Value): void {
  setParts(l, size, overflow, result, l.number(0, size));
  l.notes.setter = { kind: 'result', size, x: result, y: result };
}

/** Flags of a decimal adjustment: of the byte `result`, with CF and AF; OF, which is undefined, is 0. */
export function setDecimal(l: Lifter, result: Value, carry: Value, auxiliary: Value): void {
  const { b, width } = l;
  const carries = l.binary(width, or, l.widen(b.shl(auxiliary, b.constant(4))), asSign(l, carry));
  setParts(l, width, carry, extended(l, 1, result), carries);
  l.notes.setter = { kind: 'result', size: 1, x: result, y: result };
}

/** CF changes, nothing else. */
export function setCarry(l: Lifter, carry: Value): void {
  const { b, registers } = l;
  const old = b.get(registers.carry);
  b.set(registers.carry, b.or(b.and(old, b.constant(~1)), carry));
  const changed = asSign(l, b.xor(b.and(old, b.constant(1)), carry));
  b.set(registers.carries, l.binary(l.width, xor, b.get(registers.carries), changed));
  const direct = (condition: number): Value | undefined => {
    if (condition >> 1 !== ifBelow >> 1) return undefined;
    return condition === ifBelow ? carry : b.eqz(carry);
  };
  l.notes.setter = { kind: 'direct', size: 4, x: carry, y: carry, direct };
}

/** ZF changes, nothing else. */
export function setZero(l: Lifter, zero: Value): void {
  const { b } = l;
  const others = b.and(readFlags(l), b.constant(~ZF));
  setFromWord(l, b.or(others, b.shl(zero, b.constant(6))));
}

/** A flag each, as a bit. */
export interface FlagBits {
  readonly carry: Value;
  readonly parity: Value;
  readonly zero: Value;
  readonly auxiliary?: Value;
  readonly sign?: Value;
  readonly overflow?: Value;
}

/**
 * All flags from bits, those not named 0: of comparisons that know unordered, tests of vectors, popf.
 * @param direct a condition (by encoding) made in a better way than from these bits, or undefined
 */
export function setBits(l: Lifter, flags: FlagBits, direct?: (condition: number) => Value | undefined): void {
  const { b } = l;
  const none = b.constant(0);
  const { carry, parity, zero, auxiliary = none, sign = none, overflow = none } = flags;
  // The result is 0 or 1, which is even or odd, and not negative: corrected where the flags are otherwise.
  const signs = b.shl(sign, b.constant(signCorrection));
  const parities = b.shl(b.xor(parity, zero), b.constant(parityCorrection));
  const carries = l.binary(l.width, or, l.widen(b.shl(auxiliary, b.constant(4))), asSign(l, b.xor(overflow, carry)));
  setParts(l, l.width, b.or(b.or(carry, signs), parities), l.widen(b.eqz(zero)), carries);
  l.notes.setter = direct === undefined ? undefined : { kind: 'direct', size: 4, x: zero, y: zero, direct };
}

/** All flags from a value that has them at their places in EFLAGS. */
export function setFromWord(l: Lifter, word: Value): void {
  const { b } = l;
  const bit = (place: number): Value => b.and(b.shrU(word, b.constant(place)), b.constant(1));
  const [carry, parity, auxiliary, zero, sign, overflow] = [0, 2, 4, 6, 7, 11].map(bit);
  setBits(l, { carry, parity, auxiliary, zero, sign, overflow });
}

// -- reading

/** Whether the parts hold no corrections, so that register `flags.carry` is CF. */
const isPlain = (l: Lifter): boolean => l.notes.setter !== undefined && l.notes.setter.kind !== 'direct';

/** The sign of a register's value as 0 or 1. */
const signOfPart = (l: Lifter, value: Value): Value => signOf(l, l.width, value);

export function readCarry(l: Lifter): Value {
  const carry = l.b.get(l.registers.carry);
  return isPlain(l) ? carry : l.b.and(carry, l.b.constant(1));
}

function readZero(l: Lifter): Value {
  return l.unary(l.width, eqz, l.b.get(l.registers.result));
}

function correctedSign(l: Lifter, sign: Value): Value {
  const { b } = l;
  if (isPlain(l)) return sign;
  return b.xor(sign, b.and(b.shrU(b.get(l.registers.carry), b.constant(signCorrection)), b.constant(1)));
}

const readSign = (l: Lifter): Value => correctedSign(l, signOfPart(l, l.b.get(l.registers.result)));

const readOverflow = (l: Lifter): Value => l.b.xor(signOfPart(l, l.b.get(l.registers.carries)), readCarry(l));

/** SF != OF. */
function readLess(l: Lifter): Value {
  const { b, registers } = l;
  const signs = l.binary(l.width, xor, b.get(registers.result), b.get(registers.carries));
  return correctedSign(l, b.xor(signOfPart(l, signs), readCarry(l)));
}

/** PF: bit n of the constant says whether the nibble n has an even number of ones. */
function readParity(l: Lifter): Value {
  const { b, registers } = l;
  let byte = l.low(b.get(registers.result));
  if (!isPlain(l)) byte = b.xor(byte, b.shrU(b.get(registers.carry), b.constant(parityCorrection)));
  const nibble = b.and(b.xor(byte, b.shrU(byte, b.constant(4))), b.constant(15));
  return b.and(b.shrU(b.constant(0x9669), nibble), b.constant(1));
}

const readAuxiliary = (l: Lifter): Value =>
  l.b.and(l.b.shrU(l.low(l.b.get(l.registers.carries)), l.b.constant(4)), l.b.constant(1));

/** The lower byte of EFLAGS: SF, ZF, AF, PF, CF and the bit that is always 1. */
export function readLowFlags(l: Lifter): Value {
  const { b } = l;
  const at = (bit: Value, place: number): Value => b.shl(bit, b.constant(place));
  const carries = b.and(l.low(b.get(l.registers.carries)), b.constant(AF));
  const upper = b.or(b.or(at(readSign(l), 7), at(readZero(l), 6)), carries);
  return b.or(b.or(upper, at(readParity(l), 2)), b.or(readCarry(l), b.constant(2)));
}

/** EFLAGS as pushf shows them. */
export function readFlags(l: Lifter): Value {
  const { b, registers } = l;
  const direction = b.and(b.get(registers.direction), b.constant(DF));
  const others = b.or(b.or(direction, b.get(registers.system)), b.constant(fixedFlags));
  return b.or(b.or(readLowFlags(l), b.shl(readOverflow(l), b.constant(11))), others);
}

/** AF and CF, for the decimal instructions. */
export function readDecimal(l: Lifter): { auxiliary: Value; carry: Value } {
  return { auxiliary: readAuxiliary(l), carry: readCarry(l) };
}

// -- conditions

/** The comparison for each condition after cmp, by encoding; 0: none. */
// biome-ignore format: four to a line
const comparisons = [
  0, 0, ltU, geU,
  eq, ne, leU, gtU,
  0, 0, 0, 0,
  ltS, geS, leS, gtS,
];

/** The comparison with 0 of a result without carry and overflow, for each condition; 0: none. */
// biome-ignore format: four to a line
const logicComparisons = [
  0, 0, 0, 0,
  eq, ne, eq, ne,
  ltS, geS, 0, 0,
  ltS, geS, leS, gtS,
];

/** A condition from the instruction in this block that set the flags, as one comparison; undefined where there is none such. */
function fusedCondition(l: Lifter, condition: number): Value | undefined {
  const { setter } = l.notes;
  if (setter === undefined) return undefined;
  const { kind, size, x, y, direct } = setter;
  if (kind === 'direct') return direct?.(condition);
  if (kind === 'comparison') {
    const code = comparisons[condition];
    if (code === 0) return undefined;
    return condition >= ifLess
      ? l.binary(size, code, l.signed(x, size), l.signed(y, size))
      : l.binary(size, code, x, y);
  }
  if (kind === 'logic' && (condition >> 1 === ifBelow >> 1 || condition >> 1 === ifOverflow >> 1))
    return l.b.constant(condition & 1);
  // Of a result with carry and overflow, ZF and SF are as simple.
  const pair = condition & ~1;
  if (kind === 'result' && pair !== ifZero && pair !== ifSign) return undefined;
  const code = logicComparisons[condition];
  return code === 0 ? undefined : l.binary(size, code, l.signed(x, size), l.number(0, size));
}

/** A condition with an even encoding, from the parts. */
function conditionOfParts(l: Lifter, condition: number): Value {
  switch (condition) {
    case ifOverflow:
      return readOverflow(l);
    case ifBelow:
      return readCarry(l);
    case ifZero:
      return readZero(l);
    case ifNotAbove:
      return l.b.or(readCarry(l), readZero(l));
    case ifSign:
      return readSign(l);
    case ifParity:
      return readParity(l);
    case ifLess:
      return readLess(l);
    default:
      return l.b.or(readZero(l), readLess(l));
  }
}

/** A condition by its encoding, as 0 or 1. */
export function readCondition(l: Lifter, condition: number): Value {
  const fused = fusedCondition(l, condition);
  if (fused !== undefined) return fused;
  const value = conditionOfParts(l, condition & ~1);
  return (condition & 1) !== 0 ? l.b.eqz(value) : value;
}

/** Ends the block at `taken` when a condition holds, else at `otherwise`. */
export function branchOn(l: Lifter, condition: number, taken: number, otherwise: number): void {
  const fused = fusedCondition(l, condition);
  if (fused !== undefined) l.b.branch(fused, taken, otherwise);
  else if ((condition & 1) === 0) l.b.branch(conditionOfParts(l, condition), taken, otherwise);
  else l.b.branch(conditionOfParts(l, condition & ~1), otherwise, taken);
}
