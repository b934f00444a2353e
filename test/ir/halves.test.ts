/** Doublewords in halves: on the file tests, and on random blocks against the plain evaluator, which has BigInts. */
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Frontend } from '../../translators/frontend.ts';
import { inHalves } from '../../translators/ir/in-halves.ts';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { printUnit } from '../../translators/ir/printer.ts';
import type { State } from '../../translators/ir/state.ts';
import { Unit } from '../../translators/ir/unit.ts';
import type { MemoryView } from '../../translators/memory-view.ts';
import { liftBlock } from '../../translators/optimize/lift-block.ts';
import { effectOf, readCases } from './filetest.ts';
import { makeMemory, makeState, testFrontend, testMachine, testNames } from './guest.ts';
import { interpretInHalves } from './in-halves.ts';
import { expressionUnit } from './random-instructions.ts';
import { randomUnit } from './random-units.ts';
import { evaluate } from './reference.ts';
import { replayRange } from './replay.ts';
import { fill, visible } from './visible.ts';

/** Lifts a unit's first block instruction by instruction, as if it were guest code with 4 bytes each. */
function frontendOf(unit: Unit): Frontend {
  const [block] = unit.blocks;
  return inHalves({
    ...testFrontend,
    lift: (builder, _fetch, pc) => {
      let first = block.first;
      while (unit.pc[first] !== pc) first++;
      let end = first;
      while (end < block.end && unit.pc[end] === pc) end++;
      replayRange(unit, first, end, builder, new Map());
      return 4;
    },
  });
}

/** Runs the unit's first block without making code for what can be run without. */
function runFirstTime(unit: Unit, state: State, memory: MemoryView): void {
  const frontend = frontendOf(unit);
  const fetch = (): number => 0;
  const made = new Unit(64);
  const builder = (frontend.makeBuilder as NonNullable<Frontend['makeBuilder']>)(made);
  const source = (pc: number): Unit => {
    made.clear();
    liftBlock(frontend, builder, fetch, pc, 64, { exactFloatingPoint: true }, () => false);
    return made;
  };
  new Interpreter(frontend, state, memory, testMachine, source, fetch).step();
}

const directory = new URL('./filetests/', import.meta.url);

describe.each(readdirSync(directory).filter((name) => name.endsWith('.ir')))('%s', (file) => {
  test.each(readCases(readFileSync(new URL(file, directory), 'utf8')))('$name', (entry) => {
    expect(entry.runs.length).toBeGreaterThan(0);
    for (const run of entry.runs) expect(effectOf(entry, run, interpretInHalves), run.input).toBe(run.expected);
  });
});

describe.each([
  ['mirrored', true],
  ['plain', false],
])('in halves as with BigInts, %s memory', (_name, mirrored) => {
  test.each([
    ['random blocks', randomUnit(40, 1)],
    ['integer expressions', expressionUnit],
  ])('%s', (_kind, units) => {
    fc.assert(
      fc.property(units, fc.integer(), (unit, seed) => {
        const expected = { state: makeState(), memory: makeMemory(mirrored) };
        const actual = { state: makeState(), memory: makeMemory(mirrored) };
        for (const { state, memory } of [expected, actual]) {
          fill(state, memory.buffer, seed);
          state.pc = unit.blocks[0].pc;
        }
        evaluate(unit, unit.blocks[0], expected.state, expected.memory);
        interpretInHalves(unit, actual.state, actual.memory);
        expect(visible(actual.state, actual.memory.buffer), printUnit(unit, testNames)).toEqual(
          visible(expected.state, expected.memory.buffer),
        );
      }),
      { numRuns: Number(process.env.STELE_RUNS ?? 1000) },
    );
  });
});

test('integer expressions without code being made', () => {
  fc.assert(
    fc.property(expressionUnit, fc.integer(), (unit, seed) => {
      const expected = { state: makeState(), memory: makeMemory() };
      const actual = { state: makeState(), memory: makeMemory() };
      for (const { state, memory } of [expected, actual]) {
        fill(state, memory.buffer, seed);
        state.pc = unit.blocks[0].pc;
      }
      evaluate(unit, unit.blocks[0], expected.state, expected.memory);
      runFirstTime(unit, actual.state, actual.memory);
      expect(visible(actual.state, actual.memory.buffer), printUnit(unit, testNames)).toEqual(
        visible(expected.state, expected.memory.buffer),
      );
    }),
    { numRuns: Number(process.env.STELE_RUNS ?? 1000) },
  );
});
