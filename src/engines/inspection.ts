/** What an engine shows of its translations to whoever inspects them. */
import type { RegionCounters } from '../../translators/counters.ts';
import type { Fetch, Frontend } from '../../translators/frontend.ts';
import type { EmittedRegion } from '../../translators/javascript/region.ts';
import type { RegionAnalysis } from '../../translators/optimize/analyse.ts';
import type { Region } from '../../translators/optimize/discover.ts';
import type { HelperRegisters } from '../../translators/optimize/registers-flow.ts';
import type { EmittedModule } from '../../translators/webassembly/emitted-module.ts';
import type { TranslationCost } from './statistics.ts';

/** A translation, and all that it was made from. */
export interface InspectedTranslation {
  readonly cost: TranslationCost;
  /** The name of the generated function. */
  readonly name: string;
  /** The name of its script, which no other has; empty for WebAssembly, where the function's name is like that. */
  readonly script: string;
  readonly region: Region;
  readonly analysis: RegionAnalysis;
  /** What it was lifted with. */
  readonly frontend: Frontend;
  readonly helpers: readonly HelperRegisters[];
  readonly preciseFaults: boolean;
  /** Whether an access has no check and traps by itself; undefined where all are checked. */
  readonly traps: ((at: number) => boolean) | undefined;
  /** Where it counts; undefined when there was no room for counters any more. */
  readonly counters: RegionCounters | undefined;
  /** The code that runs of this region when nobody inspects it: without counters. */
  emit(): EmittedCode;
}

export type EmittedCode =
  | { readonly kind: 'javascript'; readonly emitted: EmittedRegion }
  | { readonly kind: 'webassembly'; readonly emitted: EmittedModule };

/** Why a translation is not used any more. */
export const retirements = [
  /** The guest's code changed. */
  'codeChange',
  /** The rules changed that all translations were made by: exact floating point, precise faults. */
  'assumptions',
  /** An indirect jump took targets that it did not know. */
  'indirectTarget',
  /** Code ran that it leaves out because it had not run. */
  'coldCode',
] as const;
export type Retirement = (typeof retirements)[number];

/** Where a run is, on the clock of TranslationCost.at. */
export interface Progress {
  readonly at: number;
  /** Guest instructions that ran, in translations and outside of them. */
  readonly executed: number;
  /** The counter at an offset in memory. */
  count(offset: number): number;
}

export interface Inspector {
  /** A translation was made. @param fetch reads guest code as it is now; later it may have changed */
  translated(translation: InspectedTranslation, fetch: Fetch): void;
  /** A translation was taken out of use, at a time on the same clock. */
  retired(translation: InspectedTranslation, at: number, why: Retirement): void;
  /** From time to time, and when a translation was made. */
  progress(progress: Progress): void;
}
