/**
 * The translations that are kept for a program from run to run.
 *
 * A translation is used as it was made: the places of functions in the table, which its instructions name, are kept with
 * it, and a run that uses what is kept begins with these. So all that is kept together comes from one sequence of runs.
 * Where two runs keep translations at the same time, those of the last one count.
 */
import type { ProgramStore } from './program-store.ts';
import {
  decodeFile,
  decodeTranslation,
  type EncodedTranslation,
  encodeFile,
  encodeTranslation,
  type KeptTranslation,
} from './translation-file.ts';

/** Places in the table of functions beyond which a program begins anew: they are never given up one by one. */
const mostSlots = 1 << 16;

/** A translation as words, as what they stand for, or both. */
interface Kept {
  encoded?: EncodedTranslation;
  translation?: KeptTranslation;
  /** Whether this run used or made it. */
  used: boolean;
}

export class TranslationCache {
  private readonly store: ProgramStore;
  /** The guest addresses that the table of functions must begin with before anything kept is linked. */
  readonly slots: readonly number[];
  /** By assumptions and guest address. */
  private readonly translations = new Map<string, Map<number, Kept>>();
  private added = 0;

  constructor(store: ProgramStore) {
    this.store = store;
    const bytes = store.read();
    const file = bytes === undefined ? undefined : decodeFile(bytes);
    const isOurs = file?.key === store.key && file.slots.length <= mostSlots;
    this.slots = isOurs ? file.slots : [];
    if (!isOurs) return;
    for (const [assumptions, byAddress] of file.translations) {
      const kept = Array.from(byAddress, ([pc, encoded]): [number, Kept] => [pc, { encoded, used: false }]);
      this.translations.set(assumptions, new Map(kept));
    }
  }

  /** Guest addresses with translations that were made under these assumptions. */
  addresses(assumptions: string): number[] {
    return [...(this.translations.get(assumptions)?.keys() ?? [])];
  }

  /** The translation of a guest address that was made under these assumptions, when it is as it was written. */
  find(pc: number, assumptions: string): KeptTranslation | undefined {
    const kept = this.translations.get(assumptions)?.get(pc);
    if (kept === undefined) return undefined;
    kept.translation ??= decodeTranslation(kept.encoded!);
    if (kept.translation === undefined) this.remove(pc, assumptions);
    kept.used = true;
    return kept.translation;
  }

  /** Keeps a translation from now on, in the place of another one of the same address and assumptions. */
  add(pc: number, assumptions: string, translation: KeptTranslation): void {
    let byAddress = this.translations.get(assumptions);
    if (byAddress === undefined) {
      byAddress = new Map();
      this.translations.set(assumptions, byAddress);
    }
    byAddress.set(pc, { translation, used: true });
    this.added++;
  }

  remove(pc: number, assumptions: string): void {
    this.translations.get(assumptions)?.delete(pc);
  }

  /** Whether there is something to save. */
  get hasNew(): boolean {
    return this.added > 0;
  }

  /**
   * Writes what is kept, if anything is new. Where that would be too much, what this run did not use is left out first.
   * @param slots the guest addresses in the table of functions, those of `slots` first
   */
  save(slots: readonly number[]): void {
    if (!this.hasNew) return;
    this.added = 0;
    const { key, program, limit } = this.store;
    const translations = new Map<string, Map<number, EncodedTranslation>>();
    let size = 0;
    for (const wanted of [true, false]) {
      for (const [assumptions, byAddress] of this.translations) {
        const into = translations.get(assumptions) ?? new Map<number, EncodedTranslation>();
        translations.set(assumptions, into);
        for (const [pc, kept] of byAddress) {
          if (kept.used !== wanted) continue;
          kept.encoded ??= encodeTranslation(kept.translation!);
          size += kept.encoded.words.length * 4;
          if (size <= limit) into.set(pc, kept.encoded);
        }
      }
    }
    this.store.write(encodeFile({ key, program, slots, translations }));
  }
}
