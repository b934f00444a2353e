/** What the emitter of regions is told besides the region. */
import type { RegionCounters } from '../counters.ts';
import type { MemoryLayout } from './memory.ts';

export interface EmitOptions {
  readonly name: string;
  readonly layout: MemoryLayout;
  readonly memoryPages: number;
  readonly tableEntries: number;
  readonly stateBase: number;
  /** A table in memory that gives the slot of a guest address: (pc, slot) pairs of words, at the hash of pc; -1 where a pair is empty. */
  readonly slotCache: { readonly offset: number; readonly entries: number };
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
