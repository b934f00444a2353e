/** When and how much the translated engines translate: the knobs, with what was measured. */

export interface Policy {
  /**
   * Executions of a block in the interpreter before it is translated. The first translations cost milliseconds each:
   * translating and compiling themselves are still cold code. 30 made a hello with the C library translate 40 regions in
   * 160 ms; from 1600 on it translates none, and what runs for a second takes no longer (sha256, bytecode, lz).
   */
  readonly threshold: number;
  /** Translate whatever is reached, without interpreting first. */
  readonly translateAtOnce: boolean;
  /** Guest instructions of one translation, and of one block, at most. */
  readonly regionLimit: number;
  readonly blockLimit: number;
  readonly depthLimit: number;
  /** The guest addresses that a translation with this entry may take in. */
  bounds(entry: number, symbol: { start: number; size: number } | undefined): { low: number; high: number };
}

/** How far from its entry a region may go where no symbol tells the function's bounds. */
const reach = 0x4000;

function functionBounds(
  entry: number,
  symbol: { start: number; size: number } | undefined,
): { low: number; high: number } {
  if (symbol !== undefined && symbol.size > 0 && entry < symbol.start + symbol.size) {
    return { low: symbol.start, high: symbol.start + symbol.size };
  }
  return { low: Math.max(0, entry - reach), high: entry + reach };
}

const shared = { regionLimit: 600, blockLimit: 128, depthLimit: 1000 };

export const policies: Readonly<Record<'regions' | 'auto', Policy>> = {
  regions: { ...shared, threshold: 0x7fffffff, translateAtOnce: true, bounds: functionBounds },
  auto: { ...shared, threshold: 2000, translateAtOnce: false, bounds: functionBounds },
};
