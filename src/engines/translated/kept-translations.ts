/**
 * Translations that earlier runs made of the program, for one thread. They are linked again where the guest's memory
 * holds the very code that they were made from, and what was assumed then holds now.
 */
import type { Fetch } from '../../../translators/frontend.ts';
import type { EmittedModule } from '../../../translators/webassembly/emitted-module.ts';
import type { ProgramStore } from '../../cache/program-store.ts';
import { TranslationCache } from '../../cache/translation-cache.ts';
import type { CodeRun, KeptTranslation } from '../../cache/translation-file.ts';

/** Milliseconds after which translations are saved for the first time; the time doubles each time. */
const firstSave = 1000;

export class KeptTranslations {
  private readonly cache: TranslationCache;
  private readonly fetch: Fetch;
  /** What was read since record() was called, in that order: some of it twice. */
  private runs: { start: number; count: number; length: 1 | 2 | 4 }[] = [];
  private code: number[] = [];
  private sawNothing = false;
  private nextSave = firstSave;
  /** Node makes `performance` when it is first used, which costs 3 ms. */
  private readonly start = Date.now();

  constructor(store: ProgramStore, fetch: Fetch) {
    this.cache = new TranslationCache(store);
    this.fetch = fetch;
  }

  /** The guest addresses that the table of functions must begin with. */
  get slots(): readonly number[] {
    return this.cache.slots;
  }

  /** Whether no earlier run kept anything. */
  get isEmpty(): boolean {
    return this.cache.slots.length === 0;
  }

  /** Guest addresses whose translations were made under these assumptions: plain data. */
  addresses(assumptions: object): number[] {
    return this.cache.addresses(JSON.stringify(assumptions));
  }

  /** The translation of a guest address, if there is one of the code that is there now. */
  find(pc: number, assumptions: object): KeptTranslation | undefined {
    const kept = this.cache.find(pc, JSON.stringify(assumptions));
    return kept !== undefined && this.isOfPresentCode(kept) ? kept : undefined;
  }

  private isOfPresentCode({ runs, code }: KeptTranslation): boolean {
    let at = 0;
    for (const { start, count, length } of runs) {
      for (let index = 0; index < count; index++) {
        const value = this.fetch(start + index * length, length);
        if (value === undefined || (value | 0) !== code[at++]) return false;
      }
    }
    return true;
  }

  /** Reads code for a translation that is to be kept. */
  readonly recordingFetch: Fetch = (address, length) => {
    const value = this.fetch(address, length);
    if (value === undefined) {
      this.sawNothing = true;
      return undefined;
    }
    const { runs } = this;
    const last = runs.length === 0 ? undefined : runs[runs.length - 1];
    if (last?.length === length && last.start + last.count * length === address) last.count++;
    else runs.push({ start: address, count: 1, length });
    this.code.push(value | 0);
    return value;
  };

  /** Begins to note what recordingFetch reads. */
  record(): void {
    this.runs = [];
    this.code = [];
    this.sawNothing = false;
  }

  /**
   * Keeps the translation of what was read since record() was called. One that met an address without code is not kept:
   * that there is none belongs to what it was made from.
   * @returns whether it is kept
   */
  keep(
    pc: number,
    assumptions: object,
    emitted: EmittedModule,
    checksMode: boolean,
    targets: KeptTranslation['targets'],
  ): boolean {
    if (this.sawNothing) return false;
    const { name, imports, traps, bytes } = emitted;
    const code = Int32Array.from(this.code);
    const kept = { name, imports, checksMode, runs: this.runs, code, targets, traps, bytes };
    this.cache.add(pc, JSON.stringify(assumptions), kept);
    return true;
  }

  /** Forgets a translation that shall be made anew. */
  remove(pc: number, assumptions: object): void {
    this.cache.remove(pc, JSON.stringify(assumptions));
  }

  /** Saves what is new when the run has lasted: not every program comes to an end of its own. */
  saveInTime(slots: () => readonly number[]): void {
    if (!this.cache.hasNew || Date.now() - this.start < this.nextSave) return;
    this.nextSave *= 2;
    this.cache.save(slots());
  }

  save(slots: readonly number[]): void {
    this.cache.save(slots);
  }
}

/** Guest pages that code was read from. */
export function pagesOfRuns(runs: readonly CodeRun[]): number[] {
  const pages = new Set<number>();
  for (const { start, count, length } of runs) {
    for (let page = start >>> 12; page <= (start + count * length - 1) >>> 12; page++) pages.add(page);
  }
  return [...pages];
}
