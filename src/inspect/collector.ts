/** Collects the translations of a run, the guest code that they were made from, and how the run went on. */
import type { Fetch } from '../../translators/frontend.ts';
import type { Block } from '../../translators/ir/unit.ts';
import type { InspectedTranslation, Inspector, Progress, Retirement } from '../engines/inspection.ts';
import type { Tier } from '../engines/statistics.ts';

/** A guest instruction as it was when it was translated. */
export interface GuestInstruction {
  readonly pc: number;
  readonly length: number;
  readonly text: string;
}

export interface CollectedTranslation {
  readonly translation: InspectedTranslation;
  /** By block of the region. */
  readonly guest: readonly (readonly GuestInstruction[])[];
  /** When and why it was taken out of use, if it was; on the clock of its cost. */
  retired?: { readonly at: number; readonly why: Retirement };
}

/** Guest instructions that had run at a time, by the tier that ran them. */
export type Sample = { readonly at: number } & Readonly<Partial<Record<Tier, number>>>;

/** Most samples that are kept, and milliseconds between them to begin with; at least so many times what one takes. */
const sampleLimit = 512;
const sampleDistance = 5;
const sampleCost = 50;

export class Collector implements Inspector {
  /** In the order of making. */
  readonly collected: CollectedTranslation[] = [];
  samples: Sample[] = [];
  private readonly byTranslation = new Map<InspectedTranslation, CollectedTranslation>();
  private distance = sampleDistance;
  /** When the next sample is due. */
  private due = 0;

  translated(translation: InspectedTranslation, fetch: Fetch): void {
    const { region, frontend } = translation;
    const disassemble = ({ pc, endPc }: Block): GuestInstruction[] => {
      const instructions: GuestInstruction[] = [];
      for (let at = pc; at < endPc; ) {
        const { text, length } = frontend.disassemble(fetch, at);
        instructions.push({ pc: at, length, text });
        at += length;
      }
      return instructions;
    };
    const one = { translation, guest: region.blocks.map(disassemble) };
    this.collected.push(one);
    this.byTranslation.set(translation, one);
  }

  retired(translation: InspectedTranslation, at: number, why: Retirement): void {
    const one = this.byTranslation.get(translation);
    if (one !== undefined) one.retired = { at, why };
  }

  progress(progress: Progress): void {
    if (progress.at < this.due || progress.executed === 0) return;
    const start = performance.now();
    this.sample(progress);
    this.due = progress.at + Math.max(this.distance, sampleCost * (performance.now() - start));
  }

  /** Takes a sample. When there are too many, every other one goes, and the next ones are further apart. */
  sample({ at, executed, count }: Progress): void {
    const sums: Partial<Record<Tier, number>> = {};
    let translated = 0;
    for (const { translation } of this.collected) {
      const ran = executedIn(translation, count);
      sums[translation.cost.tier] = (sums[translation.cost.tier] ?? 0) + ran;
      translated += ran;
    }
    this.samples.push({ at, interpreter: executed - translated, ...sums });
    if (this.samples.length < sampleLimit) return;
    this.samples = this.samples.filter((_, index) => index % 2 === 1);
    this.distance *= 2;
  }
}

/** Guest instructions that ran in a translation, as far as they were counted. */
export function executedIn({ counters }: InspectedTranslation, count: Progress['count']): number {
  let sum = 0;
  for (const { instructions } of counters?.blocks ?? []) sum += count(instructions);
  return sum;
}
