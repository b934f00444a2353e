/** What WebAssembly translations are made for, besides the guest's code. */
import type { State } from '../../../translators/ir/state.ts';
import type { EmitOptions } from '../../../translators/webassembly/emit-options.ts';
import type { EngineOptions } from '../engine.ts';
import type { Policy } from './policy.ts';
import type { WebAssemblyLinker } from './webassembly-linker.ts';

/** Plain data: a translation that is kept is of use where all of it is the same. */
export type Assumptions = Omit<EmitOptions, 'name' | 'checksMode' | 'slotOf' | 'indirectTargets'> & {
  readonly frontend: string;
  readonly exactFloatingPoint: boolean;
};

export function assumptionsOf(
  { memory, frontend, countInstructions }: EngineOptions,
  { depthLimit, loopBudget }: Policy,
  { base }: State,
  linker: WebAssemblyLinker,
  rules: Pick<Assumptions, 'exactFloatingPoint' | 'preciseFaults'>,
): Assumptions {
  return {
    ...rules,
    frontend: frontend.name,
    layout: {
      mirrored: memory.mirrored,
      origin: memory.origin,
      permissions: memory.permissions.byteOffset,
      lowest: memory.mirrored ? memory.origin - memory.limit : 0,
    },
    memoryPages: linker.memoryPages,
    tableEntries: linker.tableEntries,
    stateBase: base,
    slotCache: linker.slotCache,
    accessesTrap: memory.hostProtection === 'on',
    countInstructions,
    depthLimit,
    loopBudget,
    hasFusedMultiplyAdd: linker.hasFusedMultiplyAdd,
  };
}
