/** The natural loops of a region: how deep each block lies, and the loops that contain no other. */
import type { Structure } from './structure.ts';

export interface Loops {
  /** By block: how many loops it lies on. */
  readonly depth: Uint8Array;
  /** From a block to the number of the loop without an inner one that it lies on, or -1. */
  readonly innermost: Int32Array;
  /** The head of each such loop, a block, and the number of its blocks. */
  readonly heads: readonly number[];
  readonly sizes: readonly number[];
}

/** @param successors for each block the blocks that control may reach next */
export function findLoops(successors: readonly (readonly number[])[], structure: Structure): Loops {
  const { order, position, isLoop, route } = structure;
  const depth = new Uint8Array(successors.length);
  const innermost = new Int32Array(successors.length).fill(-1);
  const heads: number[] = [];
  const sizes: number[] = [];
  const predecessors: number[][] = successors.map(() => []);
  successors.forEach((targets, block) => {
    for (const target of targets) predecessors[target].push(block);
  });
  /** By block: the last head whose loop it was found on, and one more. */
  const seen = new Int32Array(successors.length);
  for (let at = 0; at < order.length; at++) {
    const head = order[at];
    if (isLoop[at] === 0 || head >= successors.length || route.has(head)) continue;
    const members = [head];
    seen[head] = head + 1;
    let isInnermost = true;
    const pending = predecessors[head].filter((block) => position[block] >= at);
    while (pending.length > 0) {
      const block = pending.pop() as number;
      if (seen[block] === head + 1) continue;
      seen[block] = head + 1;
      members.push(block);
      if (isLoop[position[block]] === 1 || route.has(block)) isInnermost = false;
      for (const predecessor of predecessors[block]) pending.push(predecessor);
    }
    for (const block of members) {
      depth[block]++;
      if (isInnermost) innermost[block] = heads.length;
    }
    if (!isInnermost) continue;
    heads.push(head);
    sizes.push(members.length);
  }
  return { depth, innermost, heads, sizes };
}
