/** Random cases of all instructions on engines and on the host's processor, as many as wanted. */
import type { EngineName } from '../../../src/engines/create-engine.ts';
import { NativeRunner } from './native.ts';
import { Comparison } from './run.ts';
import { sample } from './sample.ts';

export interface FuzzOptions {
  readonly modes: readonly (32 | 64)[];
  readonly engines: readonly EngineName[];
  /** The program has looked at MXCSR. */
  readonly looks: boolean;
  /** Instructions of each row, and states of each. */
  readonly instructions: number;
  readonly states: number;
  readonly seed: number;
  readonly only?: RegExp;
  /** Called with each difference. */
  readonly report: (failure: string) => void;
}

/** Compares all engines about each mode that this host has. @returns the number of cases of each mode */
export function fuzzInstructions(options: FuzzOptions): { mode: 32 | 64; cases: number }[] {
  const done: { mode: 32 | 64; cases: number }[] = [];
  for (const mode of options.modes) {
    if (NativeRunner.missing(mode) !== undefined) continue;
    const runner = new NativeRunner(mode);
    const comparisons = options.engines.map((name) => new Comparison(mode, name, options.looks));
    for (const batch of sample({ ...options, mode })) {
      const native = runner.run(batch.cases);
      for (const comparison of comparisons)
        for (const failure of comparison.compare(batch, native)) options.report(failure);
    }
    done.push({ mode, cases: comparisons[0].count });
    for (const comparison of comparisons) comparison.close();
    runner.close();
  }
  return done;
}

/** Says which modes cannot be compared here, and why. */
export function missingModes(modes: readonly (32 | 64)[]): string[] {
  return modes.flatMap((mode) => {
    const missing = NativeRunner.missing(mode);
    return missing === undefined ? [] : [`left out: ${mode}-bit mode (needs ${missing})`];
  });
}
