/**
 * Takes two loops apart that begin with the same block, as they do when a region is entered in the middle of a loop nest: its
 * entry is the head of the inner loop, and every way back to it from an outer one looks like one more turn.
 */
import { op } from '../ir/builder.ts';
import type { Region } from './discover.ts';

/**
 * A region whose entry is the head of an inner loop gets a new first block, which only goes on there: the head of the
 * loops around it.
 */
export function separateNestedLoops(region: Region): Region {
  const { unit, blocks, successors, entry } = region;
  const outer = outerLatches(successors);
  if (outer.size === 0) return region;
  const head = blocks.length;
  const first = unit.append(op.jump, -1, -1, -1, entry | 0, entry);
  const before = { pc: entry, first, end: first + 1, guestInstructions: 0, endPc: entry };
  unit.blocks = [before, ...blocks.slice(1), blocks[0]];
  const moved = successors.map((targets, from) =>
    targets.map((target) => (target === 0 && !outer.has(from) ? head : target)),
  );
  return { ...region, blocks: unit.blocks, successors: [[head], ...moved.slice(1), moved[0]] };
}

/** The blocks that lead back to the entry from around an inner loop, which has that entry for its head, too. */
function outerLatches(successors: readonly (readonly number[])[]): Set<number> {
  const predecessors: number[][] = successors.map(() => []);
  successors.forEach((targets, block) => {
    for (const target of targets) predecessors[target].push(block);
  });
  const latches = [...new Set(predecessors[0])];
  const outer = new Set<number>();
  if (latches.length < 2) return outer;
  const bodies = latches.map((latch) => bodyOf(latch, predecessors));
  latches.forEach((latch, one) => {
    const body = bodies[one];
    if (bodies.some((other) => other.size < body.size && other.isSubsetOf(body))) outer.add(latch);
  });
  return outer;
}

/** The blocks on ways from the entry, number 0, to a block that leads back to it. */
function bodyOf(latch: number, predecessors: readonly (readonly number[])[]): Set<number> {
  const body = new Set([0, latch]);
  const pending = latch === 0 ? [] : [latch];
  while (pending.length > 0) {
    for (const block of predecessors[pending.pop() as number]) {
      if (body.has(block)) continue;
      body.add(block);
      pending.push(block);
    }
  }
  return body;
}
