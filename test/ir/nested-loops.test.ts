/** Loops that begin with the same block are taken apart where one lies around the other, and only there. */
import { describe, expect, test } from 'vitest';
import { op } from '../../translators/ir/builder.ts';
import { Unit } from '../../translators/ir/unit.ts';
import type { Region } from '../../translators/optimize/discover.ts';
import { separateNestedLoops } from '../../translators/optimize/nested-loops.ts';

const entry = 0x1000;

/** A region of blocks that all are one jump, with these successors. */
function regionOf(successors: readonly (readonly number[])[]): Region {
  const unit = new Unit();
  unit.blocks = successors.map((_, index) => {
    const pc = entry + 16 * index;
    const first = unit.append(op.jump, -1, -1, -1, pc, pc);
    return { pc, first, end: first + 1, guestInstructions: 4, endPc: pc + 16 };
  });
  return {
    entry,
    low: entry,
    high: entry + 0x1000,
    unit,
    blocks: unit.blocks,
    indices: new Map(),
    successors,
    isLoop: true,
    cold: new Set(),
    guestInstructions: 4 * successors.length,
  };
}

describe('a region with several ways back to its entry', () => {
  test('gets a head for the outer loop', () => {
    // 0 and 1 are the inner loop; 2 and 3 lead around it.
    const { blocks, successors, unit } = separateNestedLoops(regionOf([[1], [0, 2], [3], [0]]));
    expect(successors).toEqual([[4], [4, 2], [3], [0], [1]]);
    const [first, , , , inner] = blocks;
    expect([first.pc, first.guestInstructions, inner.pc, inner.guestInstructions]).toEqual([entry, 0, entry, 4]);
    expect([unit.op[first.first], unit.imm[first.first], first.end - first.first]).toEqual([op.jump, entry, 1]);
    expect(unit.blocks).toBe(blocks);
  });

  test('has a loop of one block within another', () => {
    expect(separateNestedLoops(regionOf([[0, 1], [0]])).successors).toEqual([[2], [0], [2, 1]]);
  });

  test('stays as it is where they only part within one turn, or there is just one', () => {
    for (const successors of [
      [[1, 2], [0], [0]],
      [[1], [0]],
      [[1], []],
    ]) {
      const region = regionOf(successors);
      expect(separateNestedLoops(region)).toBe(region);
    }
  });
});
