/** The interpreter against the plain evaluator on random blocks. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { printUnit } from '../../translators/ir/printer.ts';
import { makeMemory, makeState, testFrontend, testMachine, testNames } from './guest.ts';
import { randomUnit } from './random-units.ts';
import { evaluate } from './reference.ts';
import { fill, visible } from './visible.ts';

describe.each([
  ['mirrored', true],
  ['plain', false],
])('interpreter and plain evaluator agree, %s memory', (_name, mirrored) => {
  test.each(['words', 'registers'] as const)('on random blocks, mix %s', (mix) => {
    fc.assert(
      fc.property(randomUnit(40, 1, mix), fc.integer(), (unit, seed) => {
        const expected = { state: makeState(), memory: makeMemory(mirrored) };
        const actual = { state: makeState(), memory: makeMemory(mirrored) };
        for (const { state, memory } of [expected, actual]) {
          fill(state, memory.buffer, seed);
          state.pc = unit.blocks[0].pc;
        }
        evaluate(unit, unit.blocks[0], expected.state, expected.memory);
        const source = (pc: number) => (pc === unit.blocks[0].pc ? unit : undefined);
        new Interpreter(testFrontend, actual.state, actual.memory, testMachine, source).step();
        expect(visible(actual.state, actual.memory.buffer), printUnit(unit, testNames)).toEqual(
          visible(expected.state, expected.memory.buffer),
        );
      }),
      { numRuns: Number(process.env.STELE_RUNS ?? 400) },
    );
  });
});
