/**
 * Operands of MMX and SSE instructions as IR values. A vector is a v128 value; that of an MMX register, or of 8 bytes in
 * memory, is one with zeros above, so that most lifters serve both sets of registers.
 */
import { op, type Value } from '../ir/builder.ts';
import type { OperandKind } from './instruction.ts';
import type { Lifter } from './lift.ts';

const f64ExtractLane = op['f64x2.extract_lane'];
const f64ReplaceLane = op['f64x2.replace_lane'];
const i64ExtractLane = op['i64x2.extract_lane'];
const i64ReplaceLane = op['i64x2.replace_lane'];
const i32ExtractLane = op['i32x4.extract_lane'];
const f32ExtractLane = op['f32x4.extract_lane'];
const f32ReplaceLane = op['f32x4.replace_lane'];
const { load64_zero, load32_zero, load128, store128 } = op;
const xor = op['v128.xor'];
const shuffle32 = op['i32x4.shuffle'];

/** Whether operand n is in MMX registers or memory, not in XMM registers. */
const isMmxKind = (kind: OperandKind): boolean => kind === 'P' || kind === 'Q' || kind === 'N';

/** Whether the instruction works on MMX registers. */
export const isMmx = (l: Lifter): boolean => l.i.operands.some(({ kind }) => isMmxKind(kind));

/** Number of the register that operand n is: ModRM's reg field, or its register. */
function numberOf(l: Lifter, n: number): number {
  const { kind } = l.i.operands[n];
  if (kind === 'XMM0') return 0;
  return kind === 'V' || kind === 'P' ? l.i.reg : l.i.rm;
}

/** Number of the guest register that operand n is. MMX registers have no REX bits. */
function registerOf(l: Lifter, n: number): number {
  const { xmm, x87 } = l.registers;
  const number = numberOf(l, n);
  return isMmxKind(l.i.operands[n].kind) ? x87.significand + (number & 7) : xmm + number;
}

export const zeroVector = (l: Lifter): Value => l.b.constant128(0, 0, 0, 0);

/** Operand n as a vector; of 8 and 4 bytes in memory with zeros above. */
export function vector(l: Lifter, n: number): Value {
  const { b } = l;
  if (!l.inMemory(n)) {
    const value = b.get(registerOf(l, n));
    if (!isMmxKind(l.i.operands[n].kind)) return value;
    return b.withImmediate(i64ReplaceLane, 0, zeroVector(l), value);
  }
  l.address();
  switch (l.size(n)) {
    case 4:
      return l.load(load32_zero);
    case 8:
      return l.load(load64_zero);
    default:
      if (!l.i.unaligned) l.requireAlignment(16);
      return l.load(load128);
  }
}

/** Writes operand n: a register, or as many bytes of memory as it has (8 or 16). */
export function setVector(l: Lifter, n: number, value: Value): void {
  const { b } = l;
  const isMmxOperand = isMmxKind(l.i.operands[n].kind);
  if (!l.inMemory(n)) {
    if (!isMmxOperand) b.set(registerOf(l, n), value);
    else setMmx(l, numberOf(l, n), value);
    return;
  }
  l.address();
  if (l.size(n) === 8) {
    l.store(op['store64.f64'], 0, b.withImmediate(f64ExtractLane, 0, value));
    return;
  }
  if (!l.i.unaligned) l.requireAlignment(16);
  l.store(store128, 0, value);
}

/** Writes the low half of a vector to an MMX register, whose x87 register then has all ones above it. */
function setMmx(l: Lifter, number: number, value: Value): void {
  const { b } = l;
  const { x87 } = l.registers;
  b.set(x87.significand + (number & 7), b.withImmediate(i64ExtractLane, 0, value));
  b.set(x87.head + (number & 7), b.constant(0xffff));
}

/** What every instruction with MMX registers does to the x87 unit: all registers are in use, counted from the first. */
export function useMmx(l: Lifter): void {
  const { b } = l;
  const { x87 } = l.registers;
  b.set(x87.top, b.constant(0));
  b.set(x87.tags, b.constant(0xff));
}

/** Writes the result of an instruction whose first operand is its destination. */
export function finish(l: Lifter, value: Value): void {
  setVector(l, 0, value);
  if (isMmx(l)) useMmx(l);
}

// -- scalars

/** Lane 0 of operand n as a double. */
export function double(l: Lifter, n: number): Value {
  if (!l.inMemory(n)) return l.b.withImmediate(f64ExtractLane, 0, l.b.get(registerOf(l, n)));
  l.address();
  return l.load(op['load64.f64']);
}

/** Lane 0 of operand n as a single. */
export function single(l: Lifter, n: number): Value {
  if (!l.inMemory(n)) return l.b.withImmediate(f32ExtractLane, 0, l.b.get(registerOf(l, n)));
  l.address();
  return l.load(op['load32.f32']);
}

/** The bits of lane 0 of operand n, a single, as an i32. */
export function singleBits(l: Lifter, n: number): Value {
  if (!l.inMemory(n)) return l.b.withImmediate(i32ExtractLane, 0, l.b.get(registerOf(l, n)));
  l.address();
  return l.load(op.load32);
}

/** Writes lane 0 of operand n, an XMM register; the rest stays. */
export function setDouble(l: Lifter, n: number, value: Value): void {
  const register = registerOf(l, n);
  l.b.set(register, l.b.withImmediate(f64ReplaceLane, 0, l.b.get(register), value));
}

export function setSingle(l: Lifter, n: number, value: Value): void {
  const register = registerOf(l, n);
  l.b.set(register, l.b.withImmediate(f32ReplaceLane, 0, l.b.get(register), value));
}

export function setSingleBits(l: Lifter, n: number, value: Value): void {
  const register = registerOf(l, n);
  l.b.set(register, l.b.withImmediate(op['i32x4.replace_lane'], 0, l.b.get(register), value));
}

// -- values

export const low = (l: Lifter, vectorValue: Value): Value => l.b.withImmediate(f64ExtractLane, 0, vectorValue);
export const high = (l: Lifter, vectorValue: Value): Value => l.b.withImmediate(f64ExtractLane, 1, vectorValue);

/** The vector of two halves, given as doubles with their bits. */
export function fromHalves(l: Lifter, lowHalf: Value, highHalf: Value): Value {
  const { b } = l;
  return b.withImmediate(f64ReplaceLane, 1, b.withImmediate(f64ReplaceLane, 0, zeroVector(l), lowHalf), highHalf);
}

/** A half with zeros above. */
export const fromLow = (l: Lifter, half: Value): Value => l.b.withImmediate(f64ReplaceLane, 0, zeroVector(l), half);

/** i32x4.shuffle by its four lanes. */
export const shuffled = (l: Lifter, a: Value, b: Value, lanes: readonly [number, number, number, number]): Value =>
  l.b.withImmediate(
    shuffle32,
    lanes.reduce((pattern, lane, at) => pattern | (lane << (4 * at)), 0),
    a,
    b,
  );

/** The low halves of two vectors, one above the other. */
export const lowHalves = (l: Lifter, a: Value, b: Value): Value => shuffled(l, a, b, [0, 1, 4, 5]);

export const complement = (l: Lifter, value: Value): Value => l.b.binary(xor, value, l.b.constant128(-1, -1, -1, -1));
