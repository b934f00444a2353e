/** All instructions: the tables of the subjects, in the order of the coverage page. */
import type { Row } from './instruction.ts';

/** One line per table. */
export const tables: readonly (readonly [title: string, rows: readonly Row[]])[] = [];

export const rows: readonly Row[] = tables.flatMap(([, table]) => table);
