/** Cases of many rows: the same rows and seed give the same cases, whatever other rows there are. */
import type { CompiledRow } from '../../../translators/x86/compile-rows.ts';
import { generator } from '../../float/cases.ts';
import { type Case, slotCount } from './case.ts';
import { CaseGenerator } from './generate.ts';

export interface SampleOptions {
  readonly mode: 32 | 64;
  /** Instructions of each row, and states of each instruction. */
  readonly instructions: number;
  readonly states: number;
  readonly seed: number;
  /** Mnemonics of the rows. */
  readonly only?: RegExp;
}

/** Cases whose instructions lie in slots of their own, so that they can be in place together. */
export interface Batch {
  readonly cases: Case[];
  /** The row of each case. */
  readonly rows: CompiledRow[];
}

/** A number that depends on nothing but the row. */
const hashOf = ({ row }: CompiledRow): number =>
  [...row.slice(0, 4).join()].reduce((sum, letter) => (Math.imul(sum, 31) + letter.charCodeAt(0)) | 0, 0);

export function* sample({ mode, instructions, states, seed, only }: SampleOptions): Generator<Batch, void> {
  let batch: Batch = { cases: [], rows: [] };
  let used = new Set<number>();
  for (const row of new CaseGenerator(mode, generator(0)).rows) {
    if (only !== undefined && !only.test(row.row[1])) continue;
    const hash = hashOf(row);
    const generate = new CaseGenerator(mode, generator(seed ^ hash));
    for (let n = 0; n < instructions; n++) {
      const slot = ((hash >>> 0) + n) % slotCount;
      if (used.has(slot)) {
        yield batch;
        batch = { cases: [], rows: [] };
        used = new Set();
      }
      used.add(slot);
      for (const one of generate.cases(row, slot, states)) {
        batch.cases.push(one);
        batch.rows.push(row);
      }
    }
  }
  if (batch.cases.length > 0) yield batch;
}
