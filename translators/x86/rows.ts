/** All instructions: the tables of the subjects, in the order of the coverage page. */
import { arithmeticRows } from './arithmetic.ts';
import { bitRows } from './bits.ts';
import { branchRows } from './branch.ts';
import { decimalRows } from './decimal.ts';
import type { Row } from './instruction.ts';
import { moveRows } from './move.ts';
import { shiftRows } from './shift.ts';
import { sseConvertRows } from './sse-convert.ts';
import { sseFloatRows } from './sse-float.ts';
import { sseIntegerRows } from './sse-integer.ts';
import { sseMoveRows } from './sse-move.ts';
import { sseSpecialRows } from './sse-special.ts';
import { stackRows } from './stack.ts';
import { stringRows } from './string.ts';
import { systemRows } from './system.ts';
import { x87InstructionRows } from './x87.ts';

/** One line per table. */
export const tables: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  ['Arithmetic and logic', arithmeticRows],
  ['Shifts and rotations', shiftRows],
  ['Bits', bitRows],
  ['Moves', moveRows],
  ['Stack', stackRows],
  ['Branches', branchRows],
  ['Strings', stringRows],
  ['Decimal adjustment', decimalRows],
  ['x87 floating point', x87InstructionRows],
  ['MMX and SSE: moves, shuffles, blends', sseMoveRows],
  ['MMX and SSE: integers', sseIntegerRows],
  ['SSE: floating point', sseFloatRows],
  ['SSE: conversions', sseConvertRows],
  ['SSE: control, strings, AES', sseSpecialRows],
  ['System', systemRows],
];

export const rows: readonly Row[] = tables.flatMap(([, table]) => table);
