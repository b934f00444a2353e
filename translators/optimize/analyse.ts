/** What a backend needs to know of a region before it emits it. */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import type { Region } from './discover.ts';
import { type HelperRegisters, type RegisterFlow, registerFlow } from './registers-flow.ts';
import { type Structure, structure } from './structure.ts';

export interface RegionAnalysis {
  readonly flow: RegisterFlow;
  readonly structure: Structure;
}

/** @param preciseFaults registers are exact at every side exit */
export function analyseRegion(
  region: Region,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  preciseFaults: boolean,
): RegionAnalysis {
  return {
    flow: registerFlow(region, frontend, helpers, preciseFaults),
    structure: structure(region.successors, 0, (block) => {
      const code = region.unit.op[region.blocks[block].end - 1];
      return (code === op.jump_indirect || code === op.branch_indirect) && region.successors[block].length > 1;
    }),
  };
}
