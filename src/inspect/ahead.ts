/** Translates a program without running it: what symbols name, and what that leads to. */
import { op } from '../../translators/ir/builder.ts';
import type { Region } from '../../translators/optimize/discover.ts';
import type { Collector } from './collector.ts';

export interface AheadOptions {
  readonly collector: Collector;
  /** Guest addresses to begin with. */
  readonly entries: readonly number[];
  /** Whether a guest address holds code. */
  isCode(pc: number): boolean;
  /** Makes the translation that a guest address begins, which the collector is shown. */
  translateAt(pc: number): void;
}

export function translateAhead({ collector, entries, isCode, translateAt }: AheadOptions): void {
  const { collected } = collector;
  /** Guest addresses of blocks that some translation has. */
  const covered = new Set<number>();
  // The first come first: a region that is entered in the middle of a function repeats what follows there.
  const waiting = [...entries];
  for (let next = 0; next < waiting.length; next++) {
    const pc = waiting[next];
    if (covered.has(pc) || !isCode(pc)) continue;
    const made = collected.length;
    translateAt(pc);
    for (const { translation } of collected.slice(made)) {
      for (const block of translation.region.blocks) covered.add(block.pc);
      waiting.push(...exitsOf(translation.region).filter((exit) => !covered.has(exit)));
    }
  }
}

/** Known guest addresses that a region leads to and does not hold: callees, and where it goes on elsewhere. */
function exitsOf({ unit, blocks, indices }: Region): number[] {
  const exits: number[] = [];
  for (const { end } of blocks) {
    const at = end - 1;
    const target = unit.imm[at] >>> 0;
    const other = unit.b[at] >>> 0;
    switch (unit.op[at]) {
      case op.jump:
      case op.branch_return:
      case op.branch_indirect:
        exits.push(target);
        break;
      case op.branch:
      case op.call:
        exits.push(target, other);
        break;
      case op.call_indirect:
      case op.system_call:
        exits.push(other);
    }
  }
  return exits.filter((pc) => !indices.has(pc));
}
