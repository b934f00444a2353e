/** Units with doublewords in the interpreter, which has none: built again in halves. */
import { expect } from 'vitest';
import type { Frontend } from '../../translators/frontend.ts';
import { inHalves } from '../../translators/ir/in-halves.ts';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { operations } from '../../translators/ir/operations.ts';
import type { State } from '../../translators/ir/state.ts';
import { halfTypes, type Type } from '../../translators/ir/types.ts';
import { type Block, Unit } from '../../translators/ir/unit.ts';
import { verifyUnit } from '../../translators/ir/verifier.ts';
import type { MemoryView } from '../../translators/memory-view.ts';
import { testFrontend, testMachine } from './guest.ts';
import { replay } from './replay.ts';

/** Whether the interpreter lacks an operation of the unit. */
export function needsHalves(unit: Unit): boolean {
  return unit.op.subarray(0, unit.count).some((op) => {
    const { operands, result } = operations[op];
    return [...operands, result].some((type) => halfTypes[type as Type] !== undefined);
  });
}

const frontends = {
  big: inHalves(testFrontend),
  little: inHalves({ ...testFrontend, byteOrder: 'little' }),
};
const frontendFor = (memory: MemoryView): Frontend => (memory.mirrored ? frontends.big : frontends.little);

/** The block built again in halves; no operation of it has an i64. */
function halved(unit: Unit, block: Block, frontend: Frontend): Unit {
  const made = new Unit(64);
  replay(unit, block, (frontend.makeBuilder as NonNullable<Frontend['makeBuilder']>)(made));
  expect(verifyUnit(made, { registers: frontend.registers, helpers: frontend.helpers })).toEqual([]);
  expect(needsHalves(made)).toBe(false);
  return made;
}

/** Runs the unit's first block in halves, in the interpreter. */
export function interpretInHalves(unit: Unit, state: State, memory: MemoryView): void {
  const { pc } = state;
  const frontend = frontendFor(memory);
  const source = (at: number) => (at === pc ? halved(unit, unit.blocks[0], frontend) : undefined);
  new Interpreter(frontend, state, memory, testMachine, source).step();
}
