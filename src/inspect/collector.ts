/** Collects the translations of a run, and the guest code that they were made from. */
import type { Fetch } from '../../translators/frontend.ts';
import type { Block } from '../../translators/ir/unit.ts';
import type { InspectedTranslation, Inspector } from '../engines/inspection.ts';

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
}

export class Collector implements Inspector {
  /** In the order of making. */
  readonly collected: CollectedTranslation[] = [];

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
    this.collected.push({ translation, guest: region.blocks.map(disassemble) });
  }
}
