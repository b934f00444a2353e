/**
 * Every instruction on every engine does what it does on the processor itself: a few cases of each. Where the host's
 * processor cannot be asked, its outcomes have been recorded.
 * `npm run fuzz -- --kinds x86` runs as many as you like, test/x86/native/main.ts those of some instructions.
 */
import { describe, expect, it } from 'vitest';
import type { EngineName } from '../../../src/engines/create-engine.ts';
import type { Outcome } from './case.ts';
import { NativeRunner } from './native.ts';
import { readRecording, sampleOptions } from './recorded.ts';
import { Comparison } from './run.ts';
import { type Batch, sample } from './sample.ts';

/** Engines, and whether the program has looked at MXCSR before. */
const engines: readonly (readonly [name: EngineName, looks: boolean])[] = [
  ['interpreted', false],
  ['blocks', false],
  ['regions', false],
  ['regions', true],
  ['wasm', false],
  ['wasm', true],
  ['auto', false],
];

/** The sample with what the processor did. */
function outcomesOf(mode: 32 | 64): (readonly [Batch, readonly Outcome[]])[] {
  const missing = NativeRunner.missing(mode);
  if (missing !== undefined) {
    console.log(
      `left out: ${mode}-bit instructions on this host's processor (needs ${missing}); recorded outcomes instead`,
    );
    return readRecording(mode);
  }
  const runner = new NativeRunner(mode);
  const seed = Number(process.env.SEED ?? sampleOptions.seed);
  const outcomes = Array.from(
    sample({ mode, ...sampleOptions, seed }),
    (batch) => [batch, runner.run(batch.cases)] as const,
  );
  runner.close();
  return outcomes;
}

describe.each([32, 64] as const)('in %s-bit mode', (mode) => {
  const outcomes = outcomesOf(mode);

  it.each(engines)('%s is as the processor (MXCSR looked at: %s)', { timeout: 120_000 }, (name, looks) => {
    const comparison = new Comparison(mode, name, looks);
    const failures = outcomes.flatMap(([batch, native]) => comparison.compare(batch, native));
    comparison.close();
    expect(comparison.count).toBeGreaterThan(1000);
    expect(failures).toEqual([]);
  });

  it('has been recorded for other hosts', () => {
    const recorded = readRecording(mode);
    const signals = recorded.flatMap(([, outcomes]) => outcomes.map(({ signal }) => signal));
    expect(signals.filter((signal) => signal === 0)).toEqual([]);
  });
});
