/** What kinds of work the guest instructions of translations did, by their IR and by how often each block ran. */
import { operations } from '../../translators/ir/operations.ts';
import type { CollectedTranslation } from './collector.ts';

/** How often translations did each. What the interpreter ran is not in it. */
export interface Work {
  /** Loads and stores. */
  readonly memoryAccesses: number;
  /** Additions, multiplications, comparisons, conversions and the like; of a vector, one. */
  readonly floatOperations: number;
  /** Of functions, each with its return. */
  readonly calls: number;
  /** Branches to an address in a register or in memory; no returns. */
  readonly indirectBranches: number;
}

type Kind = keyof Work;

/** What moves values or makes them what the guest's processor would give is no work of the guest's. */
const arithmetic =
  /^f(32|64)(x[124])?\.(add|sub|mul|div|sqrt|fma|eq|ne|lt|le|gt|ge|unordered|convert|pmin|pmax|ceil|floor|trunc|nearest)/;
const indirect: ReadonlySet<string> = new Set(['jump_indirect', 'branch_indirect', 'call_indirect']);
const calls: ReadonlySet<string> = new Set(['call', 'call_indirect']);

/** Kinds of work that an operation is, by its code. */
const kindsOf: readonly (readonly Kind[])[] = operations.map(({ name, flags }) => {
  const kinds: Kind[] = [];
  if ((flags.has('load') || flags.has('store')) && name !== 'check') kinds.push('memoryAccesses');
  if (arithmetic.test(name)) kinds.push('floatOperations');
  if (calls.has(name)) kinds.push('calls');
  if (indirect.has(name)) kinds.push('indirectBranches');
  return kinds;
});

/** @param count reads a counter at its offset in memory */
export function workOf(collected: readonly CollectedTranslation[], count: (offset: number) => number): Work {
  const work = { memoryAccesses: 0, floatOperations: 0, calls: 0, indirectBranches: 0 };
  for (const { translation } of collected) {
    const { region, counters } = translation;
    if (counters === undefined) continue;
    region.blocks.forEach((block, number) => {
      const executions = count(counters.blocks[number].executions);
      if (block.endsInInlinedCall) work.calls += executions;
      for (let at = block.first; at < block.end; at++) {
        for (const kind of kindsOf[region.unit.op[at]]) work[kind] += executions;
      }
    });
  }
  return work;
}
