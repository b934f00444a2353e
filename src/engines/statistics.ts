/** What an engine did: counters, the cost of each tier, and each translation where that is asked for. */

/** Ways in which guest code runs: what is cheapest to make comes first. */
export const tiers = ['interpreter', 'javascriptBlocks', 'javascriptRegions', 'webassemblyRegions'] as const;
export type Tier = (typeof tiers)[number];

/** What it took to make code of guest code. Times are in milliseconds, and 0 where nobody measures (EngineHost.now). */
export interface CodeCost {
  /** Guest instructions that it stands for. */
  readonly instructions: number;
  /** Bytes of WebAssembly or of interpreter code, characters of JavaScript. */
  readonly size: number;
  /** Finding, decoding and lifting the guest code. */
  readonly liftTime: number;
  readonly optimizeTime: number;
  readonly emitTime: number;
  /** Making functions of what was emitted; V8's own later tiers are not in it. */
  readonly compileTime: number;
}

/** The sum over a tier. */
export type TierCost = { -readonly [Key in keyof CodeCost]: number } & {
  /** Translations made; of the interpreter, blocks prepared. What was made twice counts twice, here and in the sums. */
  count: number;
};

/** One translation. */
export interface TranslationCost extends CodeCost {
  readonly tier: Tier;
  /** Guest address of the entry. */
  readonly address: number;
  /** When it was done, on the clock that costs are measured by. */
  readonly at: number;
}

const emptyCost = (): TierCost => ({
  count: 0,
  instructions: 0,
  size: 0,
  liftTime: 0,
  optimizeTime: 0,
  emitTime: 0,
  compileTime: 0,
});

/** Counts since the engine was made. */
export class EngineStatistics {
  guestInstructions = 0;
  /** Translations that were dropped because code changed, or the rules that they were made by. */
  invalidations = 0;
  exactFloatingPoint = false;
  /** Regions whose translations earlier runs made, and those that this run made and kept for later ones. */
  regionsFromCache = 0;
  regionsKept = 0;
  /** The same for blocks of the interpreter. */
  blocksFromCache = 0;
  blocksKept = 0;
  readonly tiers = Object.fromEntries(tiers.map((tier) => [tier, emptyCost()])) as Record<Tier, TierCost>;
  /** Every translation in the order of making; undefined while nobody wants to know. */
  translations: TranslationCost[] | undefined;

  /** Translations made, in all tiers. */
  get regions(): number {
    return tiers.reduce((sum, tier) => (tier === 'interpreter' ? sum : sum + this.tiers[tier].count), 0);
  }

  /** Times that a guest on the processor itself was left, by what for. */
  readonly exits = new Map<string, number>();

  countExit(reason: string): void {
    this.exits.set(reason, (this.exits.get(reason) ?? 0) + 1);
  }

  /** Counts a translation. */
  addTranslation(cost: TranslationCost): void {
    const sum = this.tiers[cost.tier];
    sum.count++;
    sum.instructions += cost.instructions;
    sum.size += cost.size;
    sum.liftTime += cost.liftTime;
    sum.optimizeTime += cost.optimizeTime;
    sum.emitTime += cost.emitTime;
    sum.compileTime += cost.compileTime;
    this.translations?.push(cost);
  }
}
