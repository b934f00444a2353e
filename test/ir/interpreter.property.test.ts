/** The interpreter against the plain evaluator on random blocks. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { printUnit } from '../../translators/ir/printer.ts';
import { header, type State } from '../../translators/ir/state.ts';
import { makeMemory, makeState, testFrontend, testMachine, testNames, testRegisters } from './guest.ts';
import { randomUnit } from './random-units.ts';
import { evaluate } from './reference.ts';

/** Everything that the guest or the caller can see: registers as bits, header, memory. */
function visible(state: State, buffer: ArrayBufferLike) {
  const registers = testRegisters.registers.map(({ name, type, index }) => {
    if (type === 'i32') return `${name}=${state.i32[index]}`;
    return `${name}=${BigInt.asUintN(64, state.i64[index]).toString(16)}`;
  });
  const { exit, detail, access, instructions } = header;
  return {
    registers: registers.join(' '),
    pc: state.pc,
    exit: state.i32[exit >> 2],
    detail: state.i32[detail >> 2],
    access: state.i32[access >> 2],
    instructions: state.f64[instructions >> 3],
    memory: Buffer.from(buffer as ArrayBuffer).toString('base64'),
  };
}

function fill(state: State, buffer: ArrayBufferLike, seed: number): void {
  let x = seed | 1;
  const next = (): number => {
    x = Math.imul(x, 1664525) + 1013904223;
    return (x ^ (x >>> 13)) | 0;
  };
  for (const { type, offset, bit } of testRegisters.registers) {
    const value = next();
    // Some registers hold addresses, so that accesses through them succeed too.
    state.i32[offset >> 2] = bit ? value & 1 : (value & 3) === 0 ? 0x2000 + (value >>> 19) : value;
    if (type !== 'i32') state.i32[(offset >> 2) + 1] = next();
  }
  const words = new Int32Array(buffer as ArrayBuffer);
  for (let at = 0; at < words.length; at += 7) words[at] = next();
}

describe.each([
  ['mirrored', true],
  ['plain', false],
])('interpreter and plain evaluator agree, %s memory', (_name, mirrored) => {
  test.each(['any', 'registers'] as const)('on random blocks, mix %s', (mix) => {
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
