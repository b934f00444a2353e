/** What a WebAssembly translation is made for, besides the guest's code. */
import type { RegionCounters } from '../counters.ts';
import type { MemoryLayout } from './memory.ts';
import type { SlotCache } from './slots.ts';

export interface EmitOptions {
  readonly name: string;
  readonly layout: MemoryLayout;
  readonly memoryPages: number;
  readonly tableEntries: number;
  readonly stateBase: number;
  readonly slotCache: SlotCache;
  readonly preciseFaults: boolean;
  /** Accesses that the guest may not make trap: the host's pages are protected. */
  readonly accessesTrap: boolean;
  readonly checksMode: boolean;
  readonly countInstructions: boolean;
  /** Counts of this translation; asks for countInstructions, too. */
  readonly counters?: RegionCounters | undefined;
  /** Tell where instructions came from (EmittedModule.origins). */
  readonly notesOrigins?: boolean;
  readonly depthLimit: number;
  readonly loopBudget: number;
  readonly hasFusedMultiplyAdd: boolean;
  /** The slot of a guest address in the table; 0 when there is none for it. */
  slotOf(pc: number): number;
  indirectTargets(pc: number): readonly number[];
}
