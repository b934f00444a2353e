/** Helpers of the x87 instructions that move numbers: loads, constants, stores, exchanges. */
import {
  type Context,
  type Extended,
  exception,
  indefinite,
  isSignalling,
  noteDenormal,
  quieted,
  withoutResult,
} from '../float/extended.ts';
import { constant } from '../float/extended-constants.ts';
import {
  double,
  fromDecimal,
  fromInteger,
  narrow,
  single,
  toDecimal,
  toInteger,
  widen,
} from '../float/extended-convert.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type State } from '../ir/state.ts';
import type { Type } from '../ir/types.ts';
import { doubleBits, doubleOfBits, type HelperRow, type Run } from './x87-helper-row.ts';
import type { X87 } from './x87-unit.ts';

/** What is stored in memory: `low` has the first 8 bytes, `high` two more of an 80-bit number. */
interface Stored {
  readonly low: bigint;
  readonly high: number;
}

/** A format that fst and its kin store. */
export interface StoredFormat {
  /** Name of the helper, behind `store.`. */
  readonly name: string;
  readonly bytes: number;
  /** Type of the value that the helper gives. */
  readonly type: Type;
  /** Exceptions that, unmasked, keep the number from being stored, and popped. */
  readonly preventing: number;
  readonly convert: (context: Context, a: Extended) => Stored;
}

const narrowed = withoutResult | exception.overflow | exception.underflow;
const only = (low: bigint): Stored => ({ low, high: 0 });
const integer = (bytes: number, truncate: boolean) => (context: Context, a: Extended) =>
  only(BigInt.asUintN(8 * bytes, toInteger(context, a, 8 * bytes, truncate)));

// biome-ignore format: one format per line
export const storedFormats: readonly StoredFormat[] = [
  { name: 'single', bytes: 4, type: 'i32', preventing: narrowed, convert: (context, a) => only(narrow(context, single, a)) },
  { name: 'double', bytes: 8, type: 'f64', preventing: narrowed, convert: (context, a) => only(narrow(context, double, a)) },
  { name: 'extended', bytes: 10, type: 'f64', preventing: withoutResult, convert: (_context, { significand, head }) => ({ low: significand, high: head }) },
  { name: 'decimal', bytes: 10, type: 'f64', preventing: withoutResult, convert: toDecimal },
  { name: 'short', bytes: 2, type: 'i32', preventing: withoutResult, convert: integer(2, false) },
  { name: 'integer', bytes: 4, type: 'i32', preventing: withoutResult, convert: integer(4, false) },
  { name: 'long', bytes: 8, type: 'f64', preventing: withoutResult, convert: integer(8, false) },
  { name: 'truncatedShort', bytes: 2, type: 'i32', preventing: withoutResult, convert: integer(2, true) },
  { name: 'truncatedInteger', bytes: 4, type: 'i32', preventing: withoutResult, convert: integer(4, true) },
  { name: 'truncatedLong', bytes: 8, type: 'f64', preventing: withoutResult, convert: integer(8, true) },
];

export function transferRows(unit: X87): readonly HelperRow[] {
  const { context } = unit;
  const rows: HelperRow[] = [];
  const define = (name: string, operands: readonly Type[], result: Type | '', run: Run): void => {
    rows.push([name, operands, result, run]);
  };

  const load = (name: string, operands: readonly Type[], read: (a: number, b: number) => Extended): void => {
    define(`load.${name}`, operands, '', (state, _machine, a, b) => {
      unit.start(state);
      unit.push(() => read(a, b));
      return 0;
    });
  };
  /** A single or double, whose exceptions are raised when it is loaded. */
  const loaded = (value: Extended): Extended => {
    noteDenormal(context, value);
    if (!isSignalling(value)) return value;
    context.raise(exception.invalid);
    return quieted(value);
  };
  load('single', ['i32'], (bits) => loaded(widen(single, BigInt(bits >>> 0))));
  load('double', ['f64'], (value) => loaded(widen(double, doubleBits(value))));
  load('extended', ['f64', 'i32'], (low, head) => ({ head: head & 0xffff, significand: doubleBits(low) }));
  load('decimal', ['f64', 'i32'], (low, high) => fromDecimal(doubleBits(low), high));
  load('integer', ['i32'], (value) => fromInteger(BigInt(value)));
  load('long', ['f64'], (value) => fromInteger(BigInt.asIntN(64, doubleBits(value))));
  load('constant', ['i32'], (n) => constant(context, n));
  define('load.register', ['i32'], '', (state, _machine, i) => {
    unit.start(state);
    const value = unit.read(i);
    unit.push(() => value);
    return 0;
  });

  // The value for an instruction that stores it; popping is a step of its own, behind the store.
  for (const { name, type, convert } of storedFormats) {
    define(`store.${name}`, [], type, (state) => {
      unit.start(state);
      const { low, high } = convert(context, unit.read(0));
      unit.finishOperand();
      state.i32[unit.second] = high;
      return type === 'f64' ? doubleOfBits(low) : Number(BigInt.asIntN(32, low));
    });
  }
  define('pop', [], '', (state) => {
    unit.of(state).pop();
    return 0;
  });

  define('popUnless', ['i32'], '', (state, _machine, condition) => {
    if (condition === 0) unit.of(state).pop();
    return 0;
  });

  // -- between registers

  define('store.register', ['i32', 'i32'], '', (state, _machine, i, pops) => {
    unit.start(state);
    const value = unit.read(0);
    unit.finishResult(i, unit.hasStackFault ? indefinite : value, pops);
    return 0;
  });
  // D9 D8: an empty ST(0) is popped without a stack fault.
  define('store.present', ['i32'], '', (state, _machine, i) => {
    unit.start(state);
    if (!unit.isEmpty(0)) unit.write(i, unit.read(0));
    unit.pop();
    unit.finish();
    return 0;
  });
  define('exchange', ['i32'], '', (state, _machine, i) => {
    unit.start(state);
    const a = unit.read(0);
    const b = unit.read(i);
    if (unit.hasResult) {
      unit.write(i, a);
      unit.write(0, b);
    }
    unit.finishOperand();
    return 0;
  });
  define('move', ['i32', 'i32'], '', (state, _machine, i, condition) => {
    unit.start(state);
    const old = unit.read(0);
    const value = unit.read(i);
    if (unit.hasResult) unit.write(0, unit.hasStackFault ? indefinite : condition !== 0 ? value : old);
    unit.finishWith(0, 0);
    return 0;
  });
  define('free', ['i32'], '', (state, _machine, i) => {
    unit.start(state);
    unit.tagBits &= ~(1 << unit.physical(i));
    unit.finish();
    return 0;
  });
  define('rotate', ['i32'], '', (state, _machine, by) => {
    unit.start(state);
    unit.rotate(by);
    unit.finish();
    return 0;
  });
  return rows;
}

/** Makes the block be left before the instruction, for an access (1 read, 2 write) that the guest may not make. */
export function leaveWithFault(state: State, address: number, access: 1 | 2): void {
  state.i32[header.exit >> 2] = exitCode.fault;
  state.i32[header.detail >> 2] = address;
  state.i32[header.access >> 2] = access;
}
