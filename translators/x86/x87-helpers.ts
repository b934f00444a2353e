/**
 * All helpers of x87 instructions (Intel SDM volume 1, chapter 8, and the instructions' pages of volume 2).
 *
 * Doubles and 64-bit integers from and to memory come and go as f64 values with their bits; an 80-bit operand as the bits
 * of its significand and an i32, which of results is in the register `x87.second`.
 */
import type { Helper } from '../frontend.ts';
import type { RegisterFile } from '../ir/state.ts';
import { arithmeticRows } from './x87-arithmetic.ts';
import { environmentRows } from './x87-environment.ts';
import { functionRows } from './x87-functions.ts';
import { x87Rows } from './x87-registers.ts';
import { transferRows } from './x87-transfer.ts';
import { X87 } from './x87-unit.ts';

const names = x87Rows.map(({ name }) => name);
/** What only control instructions change, or read. */
const controlOnly = new Set(['x87.instruction', 'x87.data']);
const operated = names.filter((name) => !controlOnly.has(name));
const written = operated.filter((name) => name !== 'x87.control');

const controlling = new Set([
  'initialize',
  'clear',
  'loadControl',
  'storeEnvironment',
  'loadEnvironment',
  'save',
  'restore',
]);
/** Helpers that access memory themselves, or stop at a pending exception. */
const leaving = new Set(['wait', 'storeEnvironment', 'loadEnvironment', 'save', 'restore']);

export function x87Helpers(file: RegisterFile, is64: boolean): readonly Helper[] {
  const unit = new X87(file);
  const rows = [...arithmeticRows(unit), ...functionRows(unit), ...transferRows(unit), ...environmentRows(unit, is64)];
  return rows.map(([name, operands, result, run]): Helper => {
    const controls = controlling.has(name);
    return {
      name: `x87.${name}`,
      operands,
      result,
      reads: controls ? names : operated,
      writes: controls ? names : written,
      mayExit: leaving.has(name),
      isLocal: !controls,
      run,
    };
  });
}
