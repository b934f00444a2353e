/** The x87 registers of a thread as the kernel's functions see them: words at fixed places of the memory. */
import type { FunctionType } from '../encoder.ts';
import {
  add,
  and,
  type Body,
  type Callable,
  call,
  type Expression,
  equal,
  i32,
  isZero,
  lessSigned,
  lessUnsigned,
  load,
  notEqual,
  type Operand,
  or,
  select,
  shiftLeft,
  shiftRight,
  subtract,
  type Variable,
  xor,
} from './expressions.ts';

/** Bytes from the memory's start to each register (translators/x86/x87-registers.ts). */
export interface X87Places {
  readonly significand: number;
  readonly head: number;
  readonly top: number;
  readonly tags: number;
  readonly status: number;
  readonly control: number;
  readonly second: number;
  readonly operand: number;
}

/** Bits of the status word. */
export const precisionFlag = 0x20;
export const c1 = 0x200;
export const pending = 0x80;
/** Bits of the register `x87.control`, which is 0 in the default mode: exceptions that are unmasked, precision, rounding. */
const unmaskedPrecision = 0x20;
/** The exceptions that ordinary operations do not raise: it does not matter here whether they are masked. */
export const otherExceptions = 0x1f;
export const precisionBits = 0x300;
export const roundingBits = 0xc00;

export const sign = 0x8000;
export const largestExponent = 0x7fff;
export const integerBit = 1n << 63n;

/** A number in locals: its significand, and sign and exponent. */
export interface Number80 {
  readonly significand: Variable;
  readonly head: Variable;
}

export const exponentOf = ({ head }: Number80): Expression => and(head, largestExponent);
export const signOf = ({ head }: Number80): Expression => and(head, sign);

/** A function of the kernel while it is written: the fast way of a helper, which `slowIf` leaves for the helper itself. */
export class KernelBody {
  readonly k: Body;
  readonly places: X87Places;
  readonly slowIf: (condition: Expression) => void;

  constructor(k: Body, places: X87Places, slowIf: (condition: Expression) => void) {
    this.k = k;
    this.places = places;
    this.slowIf = slowIf;
  }

  private word(address: number): Expression {
    return load('i32', i32(0), address);
  }

  get top(): Expression {
    return this.word(this.places.top);
  }
  get tags(): Expression {
    return this.word(this.places.tags);
  }
  get status(): Expression {
    return this.word(this.places.status);
  }
  get control(): Expression {
    return this.word(this.places.control);
  }

  setTop(value: Expression): void {
    this.k.store(i32(0), this.places.top, value);
  }
  setTags(value: Expression): void {
    this.k.store(i32(0), this.places.tags, value);
  }
  setSecond(value: Expression): void {
    this.k.store(i32(0), this.places.second, value);
  }

  /** Sets bits of the status word after clearing others. */
  setStatus(cleared: number, set: Expression | undefined): void {
    const kept = and(this.status, ~cleared);
    this.k.store(i32(0), this.places.status, set === undefined ? kept : or(kept, set));
  }

  /** Leaves for the helper while the exception is unmasked that inexact results raise. */
  slowIfUnmasked(): void {
    this.slowIf(and(this.control, unmaskedPrecision));
  }

  /** The physical number of ST(i). */
  physical(i: Operand): Variable {
    return this.k.let(and(add(this.top, i), 7));
  }

  /** The bit of a physical register among the tags. */
  tagOf(register: Expression): Expression {
    return shiftLeft(i32(1), register);
  }

  /** Leaves for the helper where a register is empty. */
  slowIfEmpty(register: Expression): void {
    this.slowIf(isZero(and(shiftRight(this.tags, register), 1)));
  }

  /** The same for either of two. */
  slowIfEitherEmpty(first: Expression, second: Expression): void {
    const both = or(this.tagOf(first), this.tagOf(second));
    this.slowIf(and(xor(this.tags, -1), both));
  }

  significandAt(register: Expression): Expression {
    return load('i64', shiftLeft(register, 3), this.places.significand);
  }
  headAt(register: Expression): Expression {
    return load('i32', shiftLeft(register, 2), this.places.head);
  }

  read(register: Expression): Number80 {
    return { significand: this.k.let(this.significandAt(register)), head: this.k.let(this.headAt(register)) };
  }

  write(register: Expression, significand: Expression, head: Expression): void {
    this.k.store(shiftLeft(register, 3), this.places.significand, significand);
    this.k.store(shiftLeft(register, 2), this.places.head, head);
  }

  isNormal(a: Number80): Expression {
    return and(lessSigned(a.significand, 0), lessUnsigned(subtract(exponentOf(a), 1), largestExponent - 1));
  }

  /** Leaves for the helper unless a number is normal or zero, or, where that is said, infinite. */
  slowUnlessOrdinary(a: Number80, orInfinite = false): void {
    const { k } = this;
    const exponent = exponentOf(a);
    if (orInfinite) {
      const isNormal = lessUnsigned(subtract(exponent, 1), largestExponent - 1);
      const isPlainInfinity = and(equal(exponent, largestExponent), isZero(shiftLeft(a.significand, 1)));
      k.if(isZero(and(lessSigned(a.significand, 0), or(isNormal, isPlainInfinity))), () =>
        this.slowIf(or(notEqual(a.significand, 0), notEqual(exponent, 0))),
      );
      return;
    }
    k.if(isZero(this.isNormal(a)), () => this.slowIf(or(notEqual(a.significand, 0), notEqual(exponent, 0))));
  }

  /** Changes the sign of a number in locals. */
  negate(a: Number80): void {
    this.k.set(a.head, xor(a.head, sign));
  }

  /** Pops `times` (0 to 2) registers. */
  pop(times: Variable): void {
    const { k } = this;
    k.if(times, () => {
      const top = k.let(this.top);
      // One bit, or two neighbours around the end.
      const bits = shiftLeft(subtract(shiftLeft(i32(1), times), 1), top);
      this.setTags(and(this.tags, xor(or(bits, shiftRight(bits, 8)), -1)));
      this.setTop(and(add(top, times), 7));
    });
  }

  /** Pushes a number; leaves for the helper where the stack is full. C1 is cleared. */
  push(significand: Expression, head: Expression): void {
    const { k } = this;
    const register = this.physical(-1);
    this.slowIf(and(shiftRight(this.tags, register), 1));
    this.write(register, significand, head);
    this.setTop(register);
    this.setTags(or(this.tags, this.tagOf(register)));
    this.setStatus(c1, undefined);
    k.return();
  }

  /**
   * Whether a magnitude that loses bits is rounded away from zero. @param rest what is lost, as a fraction of its last bit in
   * units of 2^-64, with bit 0 set for anything below @param isNegative 0 or the sign bit
   */
  roundsAway(magnitude: Expression, rest: Variable, isNegative: Expression): Variable {
    const { k } = this;
    const odd = notEqual(or(shiftLeft(rest, 1), and(magnitude, 1)), 0);
    const away = k.let(and(lessSigned(rest, 0), odd));
    const mode = k.let(and(this.control, roundingBits));
    k.if(mode, () => {
      // Down is 1, up 2, towards zero 3.
      const wanted = select(isNegative, 0x400, i32(0x800));
      k.set(away, and(equal(mode, wanted), notEqual(rest, 0)));
    });
    return away;
  }
}

/** Functions of the kernel: defines one for each helper that has a fast way. */
export type DefineFast = (
  name: string,
  type: FunctionType,
  write: (f: KernelBody, parameters: readonly Variable[]) => void,
) => void;

/** What the functions of one subject are defined with. */
export interface KernelParts {
  readonly define: DefineFast;
  /** Defines a function that others call; 0 tells that it did nothing and the helper must. */
  readonly shared: (type: FunctionType, write: (f: KernelBody, parameters: readonly Variable[]) => void) => Callable;
}

/** A call of a shared function, after which there is nothing to do unless it gave 0. */
export function slowUnless(f: KernelBody, target: Callable, ...operands: readonly Operand[]): void {
  f.slowIf(isZero(call(target, ...operands)));
}
