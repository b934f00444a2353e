/** When and how much the translated engines translate: the knobs, with what was measured. */
import { shortRun } from '../../../translators/ir/interpreter.ts';
import type { Inlining } from '../../../translators/optimize/inline.ts';

export interface Policy {
  /** What translations are made of. */
  readonly backend: 'javascript' | 'webassembly';
  /**
   * Executions of a block in the interpreter before it is translated. The first translations cost milliseconds each:
   * translating and compiling themselves are still cold code. 30 made a hello with the C library translate 40 regions in
   * 160 ms; from 1600 on it translates none, and what runs for a second takes no longer (sha256, bytecode, lz).
   */
  readonly threshold: number;
  /**
   * Guest instructions that the interpreter runs before anything is translated, where the program may be short. The
   * first translation takes tens of milliseconds: a program that ends soon after its first loop has no use for it
   * (`mix 0.00002` took 1.4 times the interpreter's time). Others lose up to 25 ms, once (`sieve 0.005`).
   */
  readonly patience: number;
  /** Keep what the interpreter prepares before it is known that the run is not short, for later runs. */
  readonly keepsBlocks: boolean;
  /** Translate whatever is reached, without interpreting first. */
  readonly translateAtOnce: boolean;
  /**
   * Bytes from which on a function is large: of its code only what the interpreter has seen run is translated. Of
   * `vfprintf` it is a fifth, which fits into one region; all of its code made a dozen that overlap. What turns out to run,
   * too, has the region made anew; to do that with small functions costs more than it saves.
   */
  readonly largeFunction: number;
  /**
   * Translate loop by loop from the inside, and no cold code: V8 throws a function's optimized code
   * away, whatever its size, when code in it runs for the first time. As regions of whole functions lz spent half of its
   * time on that and on compiling again.
   */
  readonly profiled: boolean;
  /** Translations are single blocks, each of which names the next, run by a loop. */
  readonly chained: boolean;
  /** Guest instructions of one translation, and of one block, at most. */
  readonly regionLimit: number;
  readonly blockLimit: number;
  /** Which called functions become part of a region, where translations are WebAssembly. */
  readonly inlining: Omit<Inlining, 'boundsOf'>;
  /** How much of the host's stack nested guest calls may take, in units of 128 bytes; V8's limit is 984 KiB. */
  readonly depthLimit: number;
  /** Times that one call of a translation may come to the start of its loops; interrupts are seen then. */
  readonly loopBudget: number;
  /** Slots of the table of functions through which WebAssembly calls: of guest addresses that are called or jumped to. */
  readonly tableEntries: number;
  /** The guest addresses that a translation with this entry may take in. */
  bounds(entry: number, symbol: { start: number; size: number } | undefined): { low: number; high: number };
}

/** Whether a function is large: of its code only what has run is translated. */
export function isLarge({ low, high }: { low: number; high: number }, { largeFunction }: Policy): boolean {
  return high - low >= largeFunction;
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

const shared = {
  backend: 'javascript' as const,
  profiled: false,
  patience: 0,
  largeFunction: Number.POSITIVE_INFINITY,
  keepsBlocks: false,
  chained: false,
  regionLimit: 600,
  blockLimit: 128,
  depthLimit: 4500,
  loopBudget: 5000,
  tableEntries: 1 << 16,
  // Takeuchi's function, of 44 instructions, takes three quarters of the time as part of itself; twice within itself two
  // thirds, with four times the code.
  inlining: { limit: 60, room: 400, depth: 1 },
};

export const policies: Readonly<Record<'blocks' | 'regions' | 'wasm' | 'auto', Policy>> = {
  blocks: {
    ...shared,
    chained: true,
    threshold: 20,
    translateAtOnce: false,
    // Nothing but the block itself: a jump back to its start is a loop, all else leaves.
    bounds: (entry) => ({ low: entry, high: entry + 1 }),
  },
  regions: {
    ...shared,
    profiled: true,
    largeFunction: 0,
    threshold: 2000,
    translateAtOnce: false,
    bounds: functionBounds,
  },
  wasm: {
    ...shared,
    backend: 'webassembly',
    threshold: 0x7fffffff,
    translateAtOnce: true,
    bounds: functionBounds,
  },
  auto: {
    ...shared,
    backend: 'webassembly',
    threshold: 2000,
    patience: shortRun,
    keepsBlocks: true,
    largeFunction: 2400,
    translateAtOnce: false,
    bounds: functionBounds,
  },
};
