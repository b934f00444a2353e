/**
 * What keeps code that has not run out of translations that are hot. Of JavaScript: V8 has collected no types for it, and
 * throws all of a function's optimized code away when such code runs for the first time. Of WebAssembly in large functions, of
 * which most never runs (Policy).
 */

import { header, headerSize, type State } from '../../../translators/ir/state.ts';
import type { Translation } from '../../../translators/javascript/compile.ts';
import type { Cell } from './cells.ts';

/** Times that translations leave for a function before it is translated because they call it. */
const callLimit = 100;

/** Calls of each exit in a rehearsal: V8 collects types in a function only once it has run a little. */
const rehearsals = 12;

/**
 * Whether a call of a cell without a translation goes to the interpreter, which shall see first what of it runs.
 * @param depth of the call; at 0 none of the translations that would be left is on the host's stack
 * @param threshold of the policy
 */
export function isCalledSeldom(cell: Cell, depth: number, threshold: number): boolean {
  return depth > 0 && ++cell.calls < Math.min(callLimit, threshold);
}

/** Has a translation take each of its exits some times. They write registers, whose values then are as they were. */
export function rehearse({ i32 }: State, translation: Translation, exits: number): void {
  const pc = i32[header.pc >> 2];
  const registers = i32.slice(headerSize >> 2);
  for (let turn = 0; turn < rehearsals; turn++) {
    for (let exit = 1; exit <= exits; exit++) translation(-exit);
  }
  i32.set(registers, headerSize >> 2);
  i32[header.pc >> 2] = pc;
}

/** The cells of translations that are left for an address because the code there had not run, by that address. */
export class ColdExits {
  private readonly cells = new Map<number, Set<Cell>>();

  add(cell: Cell, addresses: Iterable<number>): void {
    for (const pc of addresses) {
      const known = this.cells.get(pc);
      if (known === undefined) this.cells.set(pc, new Set([cell]));
      else known.add(cell);
    }
  }

  /** Takes an address out, and uninstalls those of its cells that have a translation. @returns whether it was known */
  take(pc: number, uninstall: (cell: Cell) => void): boolean {
    for (const cell of this.cells.get(pc) ?? []) if (cell.translated) uninstall(cell);
    return this.cells.delete(pc);
  }
}
