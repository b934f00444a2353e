/** What a backend needs to know of a region before it emits it. */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import type { Region } from './discover.ts';
import { findLoops } from './loops.ts';
import { type HelperRegisters, type RegisterFlow, registerFlow } from './registers-flow.ts';
import { type Structure, structure } from './structure.ts';

export interface RegionAnalysis {
  readonly flow: RegisterFlow;
  readonly structure: Structure;
}

/**
 * @param preciseFaults registers are exact at every side exit
 * @param traps whether the access at a position has no check and traps by itself; absent where all are checked
 */
export function analyseRegion(
  region: Region,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  preciseFaults: boolean,
  traps?: (at: number) => boolean,
): RegionAnalysis {
  const found = structure(region.successors, 0, (block) => {
    const code = region.unit.op[region.blocks[block].end - 1];
    return (code === op.jump_indirect || code === op.branch_indirect) && region.successors[block].length > 1;
  });
  const late =
    traps === undefined || preciseFaults
      ? undefined
      : {
          traps,
          heads: loopHeads(region, found),
          loops: findLoops(region.successors, found),
        };
  return { flow: registerFlow(region, frontend, helpers, preciseFaults, late), structure: found };
}

/** By block: 1 where control may leave before it because it is the head of a loop, or one of several that a dispatch node leads to. */
function loopHeads(region: Region, found: Structure): Uint8Array {
  const heads = new Uint8Array(region.blocks.length);
  found.order.forEach((node, position) => {
    if (found.isLoop[position] === 0) return;
    if (node < heads.length) heads[node] = 1;
    else
      for (const target of found.dispatches.find((dispatch) => dispatch.node === node)?.targets ?? [])
        heads[target] = 1;
  });
  return heads;
}
