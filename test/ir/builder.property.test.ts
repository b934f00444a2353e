/** What the builder simplifies must not show: random blocks, as they are and built again, on the plain evaluator. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Builder } from '../../translators/ir/builder.ts';
import { operations } from '../../translators/ir/operations.ts';
import { printUnit } from '../../translators/ir/printer.ts';
import type { Unit } from '../../translators/ir/unit.ts';
import { verifyUnit } from '../../translators/ir/verifier.ts';
import { makeMemory, makeState, testNames, testRegisters } from './guest.ts';
import { expressionUnit } from './random-instructions.ts';
import { randomUnit } from './random-units.ts';
import { evaluate } from './reference.ts';
import { replay } from './replay.ts';
import { fill, visible } from './visible.ts';

function effect(unit: Unit, seed: number) {
  const [state, memory] = [makeState(), makeMemory()];
  fill(state, memory.buffer, seed);
  state.pc = unit.blocks[0].pc;
  evaluate(unit, unit.blocks[0], state, memory);
  return visible(state, memory.buffer);
}

const numRuns = Number(process.env.STELE_RUNS ?? 2000);

/** Operations that compute something. */
const computed = (unit: Unit): number =>
  unit.op.subarray(0, unit.count).filter((op) => operations[op].flags.has('pure') && operations[op].operands.length > 0)
    .length;

test.each([
  ['random blocks', randomUnit(40, 1)],
  ['integer expressions', expressionUnit],
])('a builder changes no effect of %s', (_name, units) => {
  let simplified = 0;
  fc.assert(
    fc.property(units, fc.integer(), (unit, seed) => {
      const builder = new Builder(testRegisters);
      replay(unit, unit.blocks[0], builder);
      expect(verifyUnit(builder.unit, testNames)).toEqual([]);
      if (computed(builder.unit) < computed(unit)) simplified++;
      expect(effect(builder.unit, seed), printUnit(unit, testNames)).toEqual(effect(unit, seed));
    }),
    { numRuns },
  );
  expect(simplified).toBeGreaterThan(numRuns / 4);
});
