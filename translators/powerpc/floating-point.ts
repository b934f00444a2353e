/**
 * The floating-point instructions of PowerPC in full: every rounding mode, and FPSCR kept exactly (Power ISA
 * 2.07, Book I, chapter 4). The IR calls these where exactness is asked for; elsewhere it computes to nearest.
 *
 * Enabled exceptions: a helper that raises one sets the state's exit word to `floating_point` (detail: the
 * exception bits of FPSCR that are set and enabled) with FPSCR already written, so the block is left before the
 * target register changes and at the instruction's own address. As in QEMU's user mode the exception is
 * then always delivered: MSR[FE0, FE1] count as set.
 */
import {
  add,
  compare,
  divide,
  double,
  flag,
  multiply,
  multiplyAdd,
  nearestAway,
  relation,
  rounding,
  roundToIntegral,
  roundToSingle,
  single,
  squareRoot,
  status,
  subtract,
  toInt32,
} from '../float/arithmetic.ts';
import { fromHalves, highHalf, isSignalling, lowHalf, neg, quieted } from '../float/bits.ts';
import type { Helper, Machine } from '../frontend.ts';
import type { State } from '../ir/state.ts';
import {
  enables,
  fpscr,
  modeOf,
  notWritable,
  raise,
  read,
  record,
  recordConversion,
  recordSingle,
  stickyExceptions,
  write,
} from './floating-point-status.ts';

type Run = Helper['run'];

/** High word of the NaN that an invalid operation gives. */
const defaultNanHigh = 0x7ff80000;

/**
 * What goes to the target register: the result, or for a NaN the first operand that is one, quieted, in the
 * order FRA, FRB, FRC, else the default NaN.
 */
function settle(result: number, a: number, b: number, c: number): number {
  // biome-ignore lint/suspicious/noSelfCompare: only a NaN differs from itself
  return result === result ? result : chooseNan(a, b, c);
}

function chooseNan(a: number, b: number, c: number): number {
  if (Number.isNaN(a)) return quieted(a);
  if (Number.isNaN(b)) return quieted(b);
  if (Number.isNaN(c)) return quieted(c);
  return fromHalves(0, defaultNanHigh);
}

// The instructions are written out, though they are of one shape: V8 knows what a call calls only where each
// caller has a text of its own. FRC counts as the second operand of a multiplication, for which the order of NaNs is the same.

const fadd: Run = (state, _machine, a, b) => {
  const result = add(a, b, modeOf(state), double);
  record(state, result);
  return settle(result, a, b, 0);
};

const fsub: Run = (state, _machine, a, b) => {
  const result = subtract(a, b, modeOf(state), double);
  record(state, result);
  return settle(result, a, b, 0);
};

const fmul: Run = (state, _machine, a, b) => {
  const result = multiply(a, b, modeOf(state), double);
  record(state, result);
  return settle(result, a, b, 0);
};

const fdiv: Run = (state, _machine, a, b) => {
  const result = divide(a, b, modeOf(state), double);
  record(state, result);
  return settle(result, a, b, 0);
};

const fsqrt: Run = (state, _machine, b) => {
  const result = squareRoot(b, modeOf(state), double);
  record(state, result);
  return settle(result, 0, b, 0);
};

const fadds: Run = (state, _machine, a, b) => {
  const result = add(a, b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, 0);
};

const fsubs: Run = (state, _machine, a, b) => {
  const result = subtract(a, b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, 0);
};

const fmuls: Run = (state, _machine, a, b) => {
  const result = multiply(a, b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, 0);
};

const fdivs: Run = (state, _machine, a, b) => {
  const result = divide(a, b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, 0);
};

const fsqrts: Run = (state, _machine, b) => {
  const result = squareRoot(b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, 0, b, 0);
};

// Multiply-add: operands FRA, FRC, FRB. The negative forms negate what has been rounded.

const fmadd: Run = (state, _machine, a, c, b) => {
  const result = multiplyAdd(a, c, b, modeOf(state), double);
  record(state, result);
  return settle(result, a, b, c);
};

const fmsub: Run = (state, _machine, a, c, b) => {
  const result = multiplyAdd(a, c, neg(b), modeOf(state), double);
  record(state, result);
  return settle(result, a, b, c);
};

const fnmadd: Run = (state, _machine, a, c, b) => {
  const result = -multiplyAdd(a, c, b, modeOf(state), double);
  record(state, result);
  return settle(result, a, b, c);
};

const fnmsub: Run = (state, _machine, a, c, b) => {
  const result = -multiplyAdd(a, c, neg(b), modeOf(state), double);
  record(state, result);
  return settle(result, a, b, c);
};

const fmadds: Run = (state, _machine, a, c, b) => {
  const result = multiplyAdd(a, c, b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, c);
};

const fmsubs: Run = (state, _machine, a, c, b) => {
  const result = multiplyAdd(a, c, neg(b), modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, c);
};

const fnmadds: Run = (state, _machine, a, c, b) => {
  const result = -multiplyAdd(a, c, b, modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, c);
};

const fnmsubs: Run = (state, _machine, a, c, b) => {
  const result = -multiplyAdd(a, c, neg(b), modeOf(state), single);
  recordSingle(state, result);
  return settle(result, a, b, c);
};

/** Rounds to single; of a NaN the bits that a single has remain. */
const frsp: Run = (state, _machine, b) => {
  const result = roundToSingle(b, modeOf(state));
  recordSingle(state, result);
  return Number.isNaN(result) ? fromHalves(lowHalf(b) & 0xe0000000, highHalf(b) | 0x80000) : result;
};

// The architecture bounds the error of both estimates (1/256 and 1/32) and leaves the rest to the processor. As in
// QEMU they are the quotient to the precision of the result. They raise no inexact exception.

const exactness = flag.inexact | flag.roundedUp;

const fres: Run = (state, _machine, b) => {
  const result = divide(1, b, modeOf(state), single);
  if ((status[0] & (flag.overflow | flag.tiny)) === 0) status[0] &= ~exactness;
  recordSingle(state, result);
  return settle(result, 0, b, 0);
};

const frsqrte: Run = (state, _machine, b) => {
  const mode = modeOf(state);
  const root = squareRoot(b, mode, double);
  const flags = status[0];
  const result = divide(1, root, mode, double);
  status[0] = (status[0] | flags) & ~exactness;
  record(state, result);
  return settle(result, 0, b, 0);
};

function convert(state: State, b: number, mode: number): number {
  const integer = toInt32(b, mode);
  recordConversion(state);
  // The high word is undefined. As in QEMU it is the sign, or 0 for a NaN.
  return fromHalves(integer, Number.isNaN(b) ? 0 : integer >> 31);
}

const fctiw: Run = (state, _machine, b) => convert(state, b, modeOf(state) & fpscr.RN);
const fctiwz: Run = (state, _machine, b) => convert(state, b, rounding.zero);

/** frin, friz, frip, frim: to an integral value in a fixed mode, never inexact. */
function toIntegral(mode: number): Run {
  return (state, _machine, b) => {
    const result = roundToIntegral(b, mode);
    record(state, result);
    return settle(result, 0, b, 0);
  };
}

function fcmpu(state: State, _machine: Machine, a: number, b: number): number {
  const result = compare(a, b);
  const value = (read(state) & ~fpscr.FPCC) | (result << 12);
  write(state, status[0] === 0 ? value : raise(value, fpscr.VXSNAN));
  return result;
}

/** As fcmpu, but any NaN is invalid: VXVC, for a signalling one only where the exception is not enabled. */
function fcmpo(state: State, _machine: Machine, a: number, b: number): number {
  const result = compare(a, b);
  let value = (read(state) & ~fpscr.FPCC) | (result << 12);
  if (result === relation.unordered) {
    const signalling = isSignalling(a) || isSignalling(b);
    const invalid = signalling ? ((value & fpscr.VE) === 0 ? fpscr.VXSNAN | fpscr.VXVC : fpscr.VXSNAN) : fpscr.VXVC;
    value = raise(value, invalid);
  }
  write(state, value);
  return result;
}

// -- Moves to and from FPSCR

/** What mffs gives: FPSCR in the low word; the high word is 0 as in QEMU. */
function mffs(state: State, machine: Machine): number {
  machine.requireExactFloatingPoint();
  return fromHalves(read(state), 0);
}

/** The same where nobody looks at the exceptions (`ignoresExceptions`): no exactness is asked for. */
function mffsControl(state: State): number {
  return fromHalves(read(state), 0);
}

/** The control bits and the bits that do not stick (Power ISA 3.0B): asks for no exceptions, so for no exactness. */
function mffsl(state: State): number {
  return fromHalves(read(state) & (fpscr.FR | fpscr.FI | fpscr.FPRF | enables | fpscr.NI | fpscr.RN), 0);
}

const exceptions = fpscr.FX | stickyExceptions;

/** Not 0 when the mode is not the default one: an exception is enabled, or rounding is not to nearest. */
export const controlBits = enables | fpscr.RN;

/** Replaces the bits in `mask`; says so when the mode is not the default one afterwards. */
function replace(state: State, machine: Machine, value: number, mask: number): void {
  const next = (read(state) & ~mask) | (value & mask & ~notWritable);
  if ((next & controlBits) !== 0) machine.leaveDefaultFloatingPoint();
  write(state, next);
}

/** The same for an instruction that names its bits: naming an exception asks for exactness, even when nothing changes. */
function replaceNamed(state: State, machine: Machine, value: number, mask: number): void {
  if ((mask & exceptions) !== 0) machine.requireExactFloatingPoint();
  replace(state, machine, value, mask);
}

/** The bits of field 0 (leftmost) to 7. */
function fieldMask(field: number): number {
  return 0xf0000000 >>> (field * 4);
}

/** Replaces the fields that `mask` has bits for (the leftmost of 8 is field 0) by those of the low word of `b`. */
function mtfsf(state: State, machine: Machine, b: number, mask: number): number {
  let bits = 0;
  for (let field = 0; field < 8; field++) if ((mask & (0x80 >> field)) !== 0) bits |= fieldMask(field);
  const value = lowHalf(b);
  // Putting back what was there says nothing of an interest in exceptions.
  if (((value ^ read(state)) & bits & exceptions & ~notWritable) !== 0) machine.requireExactFloatingPoint();
  replace(state, machine, value, bits);
  return 0;
}

function mtfsfi(state: State, machine: Machine, field: number, value: number): number {
  replaceNamed(state, machine, value << (28 - field * 4), fieldMask(field));
  return 0;
}

/** Whether an mtfsfi surely leaves the default mode: its value enables an exception or rounds another way than to nearest. */
export function leavesDefaultMode(field: number, value: number): boolean {
  return ((value << (28 - field * 4)) & controlBits) !== 0;
}

/** Clears bit `bit` (0 is the leftmost); FEX and VX cannot be cleared so. */
function mtfsb0(state: State, machine: Machine, bit: number): number {
  replaceNamed(state, machine, 0, 0x80000000 >>> bit);
  return 0;
}

/** Sets a bit, and FX when it is an exception's and was clear. */
function mtfsb1(state: State, machine: Machine, bit: number): number {
  const mask = 0x80000000 >>> bit;
  const raised = (mask & stickyExceptions & ~read(state)) !== 0;
  replaceNamed(state, machine, -1, raised ? mask | fpscr.FX : mask);
  return 0;
}

/** Gives a field and clears the exceptions in it. */
function mcrfs(state: State, machine: Machine, field: number): number {
  const value = read(state);
  const mask = fieldMask(field);
  if ((mask & (exceptions | fpscr.FPRF)) !== 0) machine.requireExactFloatingPoint();
  write(state, value & ~(mask & exceptions));
  return (value >>> (28 - field * 4)) & 15;
}

const fpscrOnly = ['fpscr'];

function helper(name: string, operands: Helper['operands'], result: Helper['result'], run: Run): Helper {
  return { name, operands, result, reads: fpscrOnly, writes: fpscrOnly, mayExit: true, run };
}

/** A helper of arithmetic that the interpreter does itself where the outcome is ordinary. */
function arithmetic(name: string, operands: Helper['operands'], ordinary: string, run: Run): Helper {
  return { ...helper(name, operands, 'f64', run), ordinary };
}

/** A helper that only reads FPSCR. */
function reader(name: string, run: Run): Helper {
  return { name, operands: [], result: 'f64', reads: fpscrOnly, writes: [], run };
}

// biome-ignore format: one helper per line
export const floatingPointHelpers: readonly Helper[] = [
  arithmetic('fadd', ['f64', 'f64'], 'add', fadd),
  arithmetic('fsub', ['f64', 'f64'], 'subtract', fsub),
  arithmetic('fmul', ['f64', 'f64'], 'multiply', fmul),
  arithmetic('fdiv', ['f64', 'f64'], 'divide', fdiv),
  helper('fsqrt', ['f64'], 'f64', fsqrt),
  arithmetic('fadds', ['f64', 'f64'], 'add_single', fadds),
  arithmetic('fsubs', ['f64', 'f64'], 'subtract_single', fsubs),
  arithmetic('fmuls', ['f64', 'f64'], 'multiply_single', fmuls),
  arithmetic('fdivs', ['f64', 'f64'], 'divide_single', fdivs),
  helper('fsqrts', ['f64'], 'f64', fsqrts),
  arithmetic('fmadd', ['f64', 'f64', 'f64'], 'multiply_add', fmadd),
  arithmetic('fmsub', ['f64', 'f64', 'f64'], 'multiply_subtract', fmsub),
  arithmetic('fnmadd', ['f64', 'f64', 'f64'], 'negative_multiply_add', fnmadd),
  arithmetic('fnmsub', ['f64', 'f64', 'f64'], 'negative_multiply_subtract', fnmsub),
  arithmetic('fmadds', ['f64', 'f64', 'f64'], 'multiply_add_single', fmadds),
  arithmetic('fmsubs', ['f64', 'f64', 'f64'], 'multiply_subtract_single', fmsubs),
  arithmetic('fnmadds', ['f64', 'f64', 'f64'], 'negative_multiply_add_single', fnmadds),
  arithmetic('fnmsubs', ['f64', 'f64', 'f64'], 'negative_multiply_subtract_single', fnmsubs),
  helper('frsp', ['f64'], 'f64', frsp),
  helper('fres', ['f64'], 'f64', fres),
  helper('frsqrte', ['f64'], 'f64', frsqrte),
  helper('fctiw', ['f64'], 'f64', fctiw),
  helper('fctiwz', ['f64'], 'f64', fctiwz),
  helper('frin', ['f64'], 'f64', toIntegral(nearestAway)),
  helper('friz', ['f64'], 'f64', toIntegral(rounding.zero)),
  helper('frip', ['f64'], 'f64', toIntegral(rounding.up)),
  helper('frim', ['f64'], 'f64', toIntegral(rounding.down)),
  helper('fcmpu', ['f64', 'f64'], 'i32', fcmpu),
  helper('fcmpo', ['f64', 'f64'], 'i32', fcmpo),
  reader('mffs', mffs),
  reader('mffsControl', mffsControl),
  reader('mffsl', mffsl),
  helper('mtfsf', ['f64', 'i32'], '', mtfsf),
  helper('mtfsfi', ['i32', 'i32'], '', mtfsfi),
  { ...helper('mtfsfiMode', ['i32', 'i32'], '', mtfsfi), changesFloatingPointMode: true },
  helper('mtfsb0', ['i32'], '', mtfsb0),
  helper('mtfsb1', ['i32'], '', mtfsb1),
  helper('mcrfs', ['i32'], 'i32', mcrfs),
];
