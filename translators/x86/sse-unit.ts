/**
 * Arithmetic of SSE in full, number by number: rounding modes, exceptions, denormals as zeros, flush to zero (Intel SDM
 * volume 1, sections 10.2.3 and 11.5, and table 4-10 for the order of exceptions).
 *
 * Numbers are doubles; singles are doubles that a single can hold, but as bits where they come and go: a signalling NaN
 * must stay one.
 */
import {
  add,
  compare,
  divide,
  double,
  type Format,
  flag,
  invalidFlags,
  multiply,
  relation,
  rounding,
  roundToIntegral,
  roundToSingle,
  single,
  squareRoot,
  status,
  subtract,
} from '../float/arithmetic.ts';
import { doubleToSingle, fromHalves, isSignalling, quieted, singleToDouble } from '../float/bits.ts';
import { round, wrap } from '../float/exact.ts';

/** Exceptions: bits of MXCSR, and 7 places above them their masks. */
export const exception = { invalid: 1, denormal: 2, divide: 4, overflow: 8, underflow: 16, precision: 32 } as const;
export const exceptions = 0x3f;
const denormalsAreZeros = 0x40;
const maskShift = 7;
const underflowMask = exception.underflow << maskShift;
const roundingShift = 13;
const flushToZero = 0x8000;

/** From MXCSR's rounding field to modes of float/. */
const modes = [rounding.nearest, rounding.down, rounding.up, rounding.zero];

const leastNormal = { double: 2 ** -1022, single: 2 ** -126 };

export type Operation = (a: number, b: number, mode: number, format: Format) => number;

const narrowing: Operation = (a, _b, mode) => roundToSingle(a, mode);

/** Arithmetic by the name that its instructions begin with. */
export const operations: Readonly<Record<string, Operation>> = { add, sub: subtract, mul: multiply, div: divide };

/** One MXCSR at a time: `begin` with its value, then operations, which add to `raised`. */
export class SseUnit {
  /** Exceptions since `begin`. */
  raised = 0;
  /** MXCSR. */
  control = 0;

  begin(mxcsr: number): void {
    this.control = mxcsr;
    this.raised = 0;
  }

  get mode(): number {
    return modes[(this.control >> roundingShift) & 3];
  }

  /** Those of some exceptions that are not masked. */
  unmaskedOf(raised: number): number {
    return raised & ~(this.control >> maskShift) & exceptions;
  }

  /** The exceptions that the instruction reports: when one that comes before the computation is not masked, none that comes behind it. */
  get reported(): number {
    const early = this.raised & (exception.invalid | exception.denormal | exception.divide);
    return this.unmaskedOf(early) !== 0 ? early : this.raised;
  }

  /** A mode that an instruction's immediate names: bit 2 stands for MXCSR's. */
  modeOf(immediate: number): number {
    return (immediate & 4) !== 0 ? this.mode : modes[immediate & 3];
  }

  private isDenormal(value: number, format: Format): boolean {
    const magnitude = Math.abs(value);
    return magnitude !== 0 && magnitude < (format === double ? leastNormal.double : leastNormal.single);
  }

  /** An operand as the operation sees it: a denormal may count as a zero. */
  private operand(value: number, format: Format): number {
    const isZeroed = (this.control & denormalsAreZeros) !== 0 && this.isDenormal(value, format);
    return isZeroed ? (value < 0 ? -0 : 0) : value;
  }

  private noteDenormals(a: number, b: number, format: Format): void {
    if (this.isDenormal(a, format) || this.isDenormal(b, format)) this.raised |= exception.denormal;
  }

  /** The NaN that stands for a result: the first operand that is one, quieted, or the default one. */
  private nanOf(a: number, b: number): number {
    if (Number.isNaN(a)) return quieted(a);
    return Number.isNaN(b) ? quieted(b) : fromHalves(0, 0xfff80000);
  }

  /** Adds the exceptions of the last operation of float/. @returns the result, which may be flushed to zero */
  private deliver(result: number, a: number, b: number, format: Format): number {
    const flags = status[0];
    if ((flags & invalidFlags) !== 0) {
      this.raised |= exception.invalid;
      return this.nanOf(a, b);
    }
    if (Number.isNaN(result)) return this.nanOf(a, b);
    if ((flags & flag.divideByZero) !== 0) this.raised |= exception.divide;
    else this.noteDenormals(a, b, format);
    if ((flags & flag.overflow) !== 0) this.raised |= exception.overflow;
    const isTiny = (flags & flag.tinyAfterRounding) !== 0;
    if (isTiny && (this.control & flushToZero) !== 0 && (this.control & underflowMask) !== 0) {
      this.raised |= exception.underflow | exception.precision;
      return result < 0 || Object.is(result, -0) ? -0 : 0;
    }
    const isInexact = (flags & flag.inexact) !== 0;
    if (isInexact) this.raised |= exception.precision;
    // Masked, an exact result that is tiny raises nothing.
    if (isTiny && (isInexact || (this.control & underflowMask) === 0)) this.raised |= exception.underflow;
    return result;
  }

  /**
   * Whether the last operation of float/ overflowed or underflowed where that is not masked. Then no result is delivered,
   * and it counts as inexact where it would be so without bounds of the exponent: for that the operation is done again.
   */
  private leavesRange(): boolean {
    const flags = status[0];
    const overflow = (flags & flag.overflow) !== 0 ? exception.overflow : 0;
    const underflow = (flags & flag.tinyAfterRounding) !== 0 ? exception.underflow : 0;
    return this.unmaskedOf(overflow | underflow) !== 0;
  }

  arithmetic(operation: Operation, a: number, b: number, format: Format): number {
    const x = this.operand(a, format);
    const y = this.operand(b, format);
    const result = operation(x, y, this.mode, format);
    if (this.leavesRange()) operation(x, y, this.mode | wrap.overflow | wrap.underflow, format);
    return this.deliver(result, x, y, format);
  }

  squareRoot(a: number, format: Format): number {
    const x = this.operand(a, format);
    return this.deliver(squareRoot(x, this.mode, format), x, x, format);
  }

  /** The lesser (or greater); b where they are equal or one is a NaN. */
  extreme(a: number, b: number, isMaximum: boolean, format: Format): number {
    const x = this.operand(a, format);
    const y = this.operand(b, format);
    if (Number.isNaN(x) || Number.isNaN(y)) this.raised |= exception.invalid;
    else this.noteDenormals(x, y, format);
    return (isMaximum ? x > y : x < y) ? x : y;
  }

  /** How a and b relate (`relation`). @param quiet only a signalling NaN is invalid */
  compare(a: number, b: number, quiet: boolean, format: Format): number {
    const x = this.operand(a, format);
    const y = this.operand(b, format);
    const found = compare(x, y);
    if (found === relation.unordered) {
      if (!quiet || (status[0] & flag.signalling) !== 0) this.raised |= exception.invalid;
    } else this.noteDenormals(x, y, format);
    return found;
  }

  /** A predicate of cmpps and the like: eq, lt, le, unord, and their opposites. */
  predicate(a: number, b: number, predicate: number, format: Format): boolean {
    const kind = predicate & 3;
    const found = this.compare(a, b, kind === 0 || kind === 3, format);
    let holds = found === relation.unordered;
    if (kind === 0) holds = found === relation.equal;
    else if (kind === 1) holds = found === relation.less;
    else if (kind === 2) holds = found === relation.less || found === relation.equal;
    return holds !== ((predicate & 4) !== 0);
  }

  /** To an integral value. @param isSilent an inexact result raises nothing */
  toIntegral(a: number, mode: number, isSilent: boolean, format: Format): number {
    const x = this.operand(a, format);
    const result = roundToIntegral(x, mode);
    if ((status[0] & flag.signalling) !== 0) this.raised |= exception.invalid;
    if (Number.isNaN(x)) return quieted(x);
    if (result !== x && !isSilent) this.raised |= exception.precision;
    return result;
  }

  /** To a signed integer of 32 bits; the least one where there is none. */
  toWord(a: number, mode: number, format: Format): number {
    const whole = roundToIntegral(this.operand(a, format), mode);
    if (!(whole >= -2147483648 && whole <= 2147483647)) return this.indefinite();
    if (whole !== this.operand(a, format)) this.raised |= exception.precision;
    return whole | 0;
  }

  /** The same of 64 bits. */
  toDoubleword(a: number, mode: number, format: Format): bigint {
    const whole = roundToIntegral(this.operand(a, format), mode);
    if (!(whole >= -(2 ** 63) && whole < 2 ** 63)) {
      this.indefinite();
      return -(1n << 63n);
    }
    if (whole !== this.operand(a, format)) this.raised |= exception.precision;
    return BigInt(whole);
  }

  private indefinite(): number {
    this.raised |= exception.invalid;
    return -0x80000000;
  }

  fromInteger(value: bigint, format: Format): number {
    status[0] = 0;
    const result = round(value < 0n, value < 0n ? -value : value, 0, false, format, this.mode);
    if ((status[0] & flag.inexact) !== 0) this.raised |= exception.precision;
    return value === 0n ? 0 : result;
  }

  /** A double as the bits of a single. */
  narrow(a: number): number {
    return singleBits(this.arithmetic(narrowing, a, a, double));
  }

  /** The single with these bits as a double. */
  widen(bits: number): number {
    const x = this.operand(singleToDouble(bits), single);
    if (Number.isNaN(x)) {
      if (isSignalling(x)) this.raised |= exception.invalid;
      return quieted(x);
    }
    if (this.isDenormal(x, single)) this.raised |= exception.denormal;
    return x;
  }
}

/** The bits of a single; of a NaN those that it has room for. */
export const singleBits = (value: number): number => doubleToSingle(value);

export { double, relation, single, singleToDouble };
