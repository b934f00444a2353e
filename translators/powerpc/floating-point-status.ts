/**
 * The floating-point status and control register (Power ISA 2.07, Book I, 4.2.2): its bits, and how the
 * outcome of an operation enters it.
 */
import { flag, invalidFlags, status, wrap } from '../float/arithmetic.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type State } from '../ir/state.ts';
import { fpscr as fpscrNumber, powerpcRegisters } from './registers.ts';

/** Bits of the register. */
// biome-ignore format: one group per line
export const fpscr = {
  FX: 1 << 31, FEX: 1 << 30, VX: 1 << 29, OX: 1 << 28, UX: 1 << 27, ZX: 1 << 26, XX: 1 << 25,
  VXSNAN: 1 << 24, VXISI: 1 << 23, VXIDI: 1 << 22, VXZDZ: 1 << 21, VXIMZ: 1 << 20, VXVC: 1 << 19,
  FR: 1 << 18, FI: 1 << 17, C: 1 << 16, FPCC: 0xf << 12, FPRF: 0x1f << 12,
  VXSOFT: 1 << 10, VXSQRT: 1 << 9, VXCVI: 1 << 8,
  VE: 1 << 7, OE: 1 << 6, UE: 1 << 5, ZE: 1 << 4, XE: 1 << 3, NI: 1 << 2, RN: 3,
} as const;

/** The kinds of invalid operation, whose disjunction is VX. */
export const invalidKinds =
  fpscr.VXSNAN |
  fpscr.VXISI |
  fpscr.VXIDI |
  fpscr.VXZDZ |
  fpscr.VXIMZ |
  fpscr.VXVC |
  fpscr.VXSOFT |
  fpscr.VXSQRT |
  fpscr.VXCVI;
/** Exception bits that stay set until they are cleared, but FX. */
export const stickyExceptions = fpscr.OX | fpscr.UX | fpscr.ZX | fpscr.XX | invalidKinds;
export const enables = fpscr.VE | fpscr.OE | fpscr.UE | fpscr.ZE | fpscr.XE;
/** Bits that are computed from others or reserved: what is written to them is lost. */
export const notWritable = fpscr.FEX | fpscr.VX | 0x800;

const fpscrIndex = powerpcRegisters.registers[fpscrNumber].index;

const ordinaryFlags = flag.inexact | flag.roundedUp;

export function read(state: State): number {
  return state.i32[fpscrIndex];
}

/**
 * Writes the register, with VX and FEX computed from the rest. When an enabled exception is then present, the
 * state's exit word becomes `floating_point` and its detail the exception bits that are set and enabled (VX, OX, UX, ZX, XX).
 */
export function write(state: State, value: number): void {
  let next = value & ~notWritable;
  if ((next & invalidKinds) !== 0) next |= fpscr.VX;
  // VX OX UX ZX XX stand in the order of their enable bits VE OE UE ZE XE, 22 bits higher.
  const trapping = next & ((next & enables) << 22);
  if (trapping !== 0) {
    next |= fpscr.FEX;
    state.i32[header.exit >> 2] = exitCode.floating_point;
    state.i32[header.detail >> 2] = trapping;
  }
  state.i32[fpscrIndex] = next;
}

/** Adds exception bits to a value of the register, and FX when one of them was clear. */
export function raise(value: number, exceptions: number): number {
  return (exceptions & ~value) !== 0 ? value | exceptions | fpscr.FX : value;
}

/** The mode argument of float/arithmetic.ts: RN, and whether enabled overflow and underflow adjust exponents. */
export function modeOf(state: State): number {
  const value = state.i32[fpscrIndex];
  const mode = value & fpscr.RN;
  if ((value & (fpscr.OE | fpscr.UE)) === 0) return mode;
  return mode | ((value & fpscr.OE) !== 0 ? wrap.overflow : 0) | ((value & fpscr.UE) !== 0 ? wrap.underflow : 0);
}

/** FPRF of a result: its class and sign. `leastNormal` is that of the result's format. */
function classOf(value: number, leastNormal: number): number {
  if (value >= leastNormal) return value === Infinity ? 0x5000 : 0x4000;
  if (value <= -leastNormal) return value === -Infinity ? 0x9000 : 0x8000;
  if (value === 0) return Object.is(value, 0) ? 0x2000 : 0x12000;
  if (Number.isNaN(value)) return 0x11000;
  return value > 0 ? 0x14000 : 0x18000;
}

const leastNormalDouble = 2 ** -1022;
const leastNormalSingle = 2 ** -126;

/** Sets FR, FI, FPRF and the exceptions for a result in double format; the flags are those of `status`. */
export function record(state: State, result: number): void {
  recordFlags(state, classOf(result, leastNormalDouble));
}

/** The same for a result in single format. */
export function recordSingle(state: State, result: number): void {
  recordFlags(state, classOf(result, leastNormalSingle));
}

function recordFlags(state: State, resultClass: number): void {
  const flags = status[0];
  const old = state.i32[fpscrIndex];
  if ((flags & ~ordinaryFlags) !== 0 || (old & enables) !== 0) {
    recordExceptions(state, flags, old, resultClass);
    return;
  }
  // inexact and roundedUp stand in the order of FI and FR.
  let next = (old & ~(fpscr.FR | fpscr.FI | fpscr.FPRF)) | resultClass | (flags << 17);
  if (flags !== 0 && (old & fpscr.XX) === 0) next |= fpscr.XX | fpscr.FX;
  state.i32[fpscrIndex] = next;
}

/** Sets FR, FI and the exceptions for a conversion to an integer; FPRF, undefined then, stays. */
export function recordConversion(state: State): void {
  const old = state.i32[fpscrIndex];
  recordExceptions(state, status[0], old, old & fpscr.FPRF);
}

function recordExceptions(state: State, flags: number, old: number, resultClass: number): void {
  const cleared = old & ~(fpscr.FR | fpscr.FI);
  const classified = (cleared & ~fpscr.FPRF) | resultClass;
  // An enabled invalid operation or division by zero leaves the target alone, and its class with it.
  if ((flags & invalidFlags) !== 0) {
    write(state, raise((old & fpscr.VE) !== 0 ? cleared : classified, invalidBits(flags)));
    return;
  }
  if ((flags & flag.divideByZero) !== 0) {
    write(state, raise((old & fpscr.ZE) !== 0 ? cleared : classified, fpscr.ZX));
    return;
  }
  let exceptions = 0;
  let value = classified;
  if ((flags & flag.overflow) !== 0) exceptions |= fpscr.OX;
  if ((flags & flag.tiny) !== 0 && (flags & flag.inexact || old & fpscr.UE) !== 0) exceptions |= fpscr.UX;
  if ((flags & flag.inexact) !== 0) {
    exceptions |= fpscr.XX;
    value |= fpscr.FI;
  }
  if ((flags & flag.roundedUp) !== 0) value |= fpscr.FR;
  write(state, raise(value, exceptions));
}

function invalidBits(flags: number): number {
  let bits = 0;
  if ((flags & flag.signalling) !== 0) bits |= fpscr.VXSNAN;
  if ((flags & flag.infinityMinusInfinity) !== 0) bits |= fpscr.VXISI;
  if ((flags & flag.infinityByInfinity) !== 0) bits |= fpscr.VXIDI;
  if ((flags & flag.zeroByZero) !== 0) bits |= fpscr.VXZDZ;
  if ((flags & flag.infinityTimesZero) !== 0) bits |= fpscr.VXIMZ;
  if ((flags & flag.negativeRoot) !== 0) bits |= fpscr.VXSQRT;
  if ((flags & flag.conversion) !== 0) bits |= fpscr.VXCVI;
  return bits;
}
