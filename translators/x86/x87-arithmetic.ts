/** Helpers of the x87 instructions that compute, but for transcendental functions: arithmetic, comparisons, remainders. */
import { type Context, type Extended, indefinite, isNegative, makeZero } from '../float/extended.ts';
import {
  add,
  classify,
  compare,
  divide,
  extract,
  magnitude,
  multiply,
  negate,
  type Remainder,
  relation,
  remainder,
  roundToIntegral,
  scale,
  squareRoot,
  subtract,
} from '../float/extended-arithmetic.ts';
import { double, fromInteger, single, widen } from '../float/extended-convert.ts';
import type { Type } from '../ir/types.ts';
import { doubleBits, type HelperRow, type Run } from './x87-helper-row.ts';
import { status, type X87 } from './x87-unit.ts';

export type Binary = (context: Context, a: Extended, b: Extended) => Extended;

/** Arithmetic by the name that its instructions have without `f`; subr and divr have the operands exchanged. */
const arithmetic: Readonly<Record<string, Binary>> = {
  add,
  mul: multiply,
  sub: subtract,
  subr: (context, a, b) => subtract(context, b, a),
  div: divide,
  divr: (context, a, b) => divide(context, b, a),
};

/** Kinds of operands in memory: name, type of the helper's operand, and the number that this stands for. */
const sources: readonly (readonly [name: string, type: Type, widen: (value: number) => Extended])[] = [
  ['single', 'i32', (value) => widen(single, BigInt(value >>> 0))],
  ['double', 'f64', (value) => widen(double, doubleBits(value))],
  ['integer', 'i32', (value) => fromInteger(BigInt(value))],
];

/** EFLAGS as fcomi sets them: ZF bit 6, PF bit 2, CF bit 0. */
function flagsOf(code: number): number {
  return (code & relation.unordered) >> 8;
}

/** C0, C3 and C1 for the low three bits of a remainder's quotient, from the highest. */
function quotientConditions(quotient: number): number {
  return (
    ((quotient & 4) !== 0 ? status.c0 : 0) |
    ((quotient & 2) !== 0 ? status.c3 : 0) |
    ((quotient & 1) !== 0 ? status.c1 : 0)
  );
}

const noRemainder: Remainder = { value: indefinite, quotient: undefined, isPartial: false };

export function arithmeticRows(unit: X87): readonly HelperRow[] {
  const rows: HelperRow[] = [];
  const define = (name: string, operands: readonly Type[], result: Type | '', run: Run): void => {
    rows.push([name, operands, result, run]);
  };

  /** Computes of operands, the first of which is ST(i), and puts the result there. */
  const binary = (i: number, a: Extended, b: Extended, operation: Binary, pops: number): number => {
    unit.finishResult(i, unit.hasStackFault ? indefinite : operation(unit.context, a, b), pops);
    return 0;
  };

  for (const [name, operation] of Object.entries(arithmetic)) {
    for (const [source, type, widenSource] of sources) {
      define(`${name}.${source}`, [type], '', (state, _machine, value) => {
        unit.start(state);
        return binary(0, unit.read(0), widenSource(value), operation, 0);
      });
    }
    define(`${name}.top`, ['i32'], '', (state, _machine, i) => {
      unit.start(state);
      return binary(0, unit.read(0), unit.read(i), operation, 0);
    });
    define(`${name}.other`, ['i32', 'i32'], '', (state, _machine, i, pops) => {
      unit.start(state);
      return binary(i, unit.read(i), unit.read(0), operation, pops);
    });
  }

  /** Compares, sets the condition codes, and pops. */
  const comparison = (a: Extended, b: Extended, quiet: boolean, pops: number): number => {
    const code = unit.hasStackFault ? relation.unordered : compare(unit.context, a, b, quiet);
    if (unit.hasResult) unit.pop(pops);
    unit.finishWith(relation.unordered | status.c1, code);
    return 0;
  };
  /** The same for EFLAGS, which it gives. */
  const flagsComparison = (a: Extended, b: Extended, quiet: boolean, pops: number): number => {
    const code = unit.hasStackFault ? relation.unordered : compare(unit.context, a, b, quiet);
    if (unit.hasResult) unit.pop(pops);
    unit.finishWith(0, 0);
    return flagsOf(code);
  };
  for (const [source, type, widenSource] of sources) {
    define(`com.${source}`, [type, 'i32'], '', (state, _machine, value, pops) => {
      unit.start(state);
      return comparison(unit.read(0), widenSource(value), false, pops);
    });
  }
  for (const [prefix, quiet] of [
    ['', false],
    ['u', true],
  ] as const) {
    define(`${prefix}com`, ['i32', 'i32'], '', (state, _machine, i, pops) => {
      unit.start(state);
      return comparison(unit.read(0), unit.read(i), quiet, pops);
    });
    define(`${prefix}comi`, ['i32', 'i32'], 'i32', (state, _machine, i, pops) => {
      unit.start(state);
      return flagsComparison(unit.read(0), unit.read(i), quiet, pops);
    });
  }
  define('tst', [], '', (state) => {
    unit.start(state);
    return comparison(unit.read(0), makeZero(false), false, 0);
  });
  define('xam', [], '', (state) => {
    unit.start(state);
    const value = unit.register(unit.physical(0));
    const code = unit.isEmpty(0) ? status.c3 | status.c0 | (isNegative(value) ? status.c1 : 0) : classify(value);
    unit.finishWith(relation.unordered | status.c1, code);
    return 0;
  });

  const unary = (name: string, compute: (context: Context, a: Extended) => Extended): void => {
    define(name, [], '', (state) => {
      const context = unit.start(state);
      const a = unit.read(0);
      unit.finishResult(0, unit.hasStackFault ? indefinite : compute(context, a));
      return 0;
    });
  };
  unary('chs', (_context, a) => negate(a));
  unary('abs', (_context, a) => magnitude(a));
  unary('sqrt', squareRoot);
  unary('rndint', roundToIntegral);

  define('scale', [], '', (state) => {
    unit.start(state);
    return binary(0, unit.read(0), unit.read(1), scale, 0);
  });
  for (const [name, toNearest] of [
    ['prem', false],
    ['prem1', true],
  ] as const) {
    define(name, [], '', (state) => {
      const context = unit.start(state);
      const a = unit.read(0);
      const b = unit.read(1);
      const found = unit.hasStackFault ? noRemainder : remainder(context, a, b, toNearest);
      if (unit.hasResult) unit.write(0, found.value);
      // Without a quotient C0 and C3 stay.
      const isComputed = found.isPartial || found.quotient !== undefined;
      const codes = found.isPartial ? status.c2 : quotientConditions(found.quotient ?? 0);
      unit.finishWith(isComputed ? relation.unordered | status.c1 : status.c1 | status.c2, codes);
      return 0;
    });
  }
  define('xtract', [], '', (state) => {
    const context = unit.start(state);
    const a = unit.read(0);
    const parts = (): readonly [Extended, Extended] => {
      const { exponent, significand } = extract(context, a);
      return [exponent, significand];
    };
    unit.finishPair(parts);
    return 0;
  });
  return rows;
}
