/** Helpers of x87's transcendental functions. */
import { type Context, type Extended, indefinite, isDenormal } from '../float/extended.ts';
import {
  arctangent,
  cosine,
  exponentialMinusOne,
  logarithm,
  logarithmOfSuccessor,
  one,
  sine,
  sineIsPartial,
  tangent,
} from '../float/extended-transcendental.ts';
import type { Type } from '../ir/types.ts';
import type { Binary } from './x87-arithmetic.ts';
import type { HelperRow, Run } from './x87-helper-row.ts';
import { status, type X87 } from './x87-unit.ts';

export function functionRows(unit: X87): readonly HelperRow[] {
  const rows: HelperRow[] = [];
  const define = (name: string, operands: readonly Type[], result: Type | '', run: Run): void => {
    rows.push([name, operands, result, run]);
  };

  define('2xm1', [], '', (state) => {
    const context = unit.start(state);
    const a = unit.read(0);
    unit.finishResult(0, unit.hasStackFault ? indefinite : exponentialMinusOne(context, a));
    return 0;
  });

  /** Functions of x in ST(0) and y in ST(1), whose result takes the place of both. */
  const intoSecond = (name: string, compute: Binary): void => {
    define(name, [], '', (state) => {
      const context = unit.start(state);
      const x = unit.read(0);
      const y = unit.read(1);
      unit.finishResult(1, unit.hasStackFault ? indefinite : compute(context, x, y), 1);
      return 0;
    });
  };
  intoSecond('yl2x', logarithm);
  intoSecond('yl2xp1', logarithmOfSuccessor);
  intoSecond('patan', arctangent);

  /** Trigonometric functions: C2 tells that the operand is out of range, and stays then. */
  const trigonometric = (name: string, pushes: boolean, compute: (context: Context, a: Extended) => void): void => {
    define(name, [], '', (state) => {
      const context = unit.start(state);
      const a = unit.read(0);
      if (!unit.hasStackFault && sineIsPartial(a) && !(pushes && !unit.isEmpty(7))) {
        unit.finishWith(status.c1 | status.c2, status.c2);
        return 0;
      }
      compute(context, a);
      unit.setConditions(status.c2, 0);
      return 0;
    });
  };
  const single = (compute: (context: Context, a: Extended) => Extended) => (context: Context, a: Extended) =>
    unit.finishResult(0, unit.hasStackFault ? indefinite : compute(context, a));
  trigonometric('sin', false, single(sine));
  trigonometric('cos', false, single(cosine));
  trigonometric('sincos', true, (context, a) =>
    unit.finishPair(() => {
      const second = cosine(context, a);
      return [sine(context, a), second];
    }),
  );
  trigonometric('ptan', true, (context, a) =>
    unit.finishPair(() => {
      const result = tangent(context, a);
      // A NaN goes to both.
      return [result, (result.head & 0x7fff) === 0x7fff && !isDenormal(a) ? result : one];
    }),
  );
  return rows;
}
