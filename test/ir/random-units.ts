/** Random valid units, for property tests. */
import fc from 'fast-check';
import { codes, type Operation, operations } from '../../translators/ir/operations.ts';
import { wordOf } from '../../translators/ir/printer-format.ts';
import { halfTypes, type Type } from '../../translators/ir/types.ts';
import { Unit } from '../../translators/ir/unit.ts';
import { testHelpers, testRegisters } from './guest.ts';

/** What decides about one instruction: which operation, which operands, what immediates. */
interface Seed {
  readonly pick: number;
  readonly operands: readonly [number, number, number];
  readonly word: number;
  readonly advance: boolean;
}

const interesting = [0, 1, -1, 2, 31, 32, 0x7fffffff, -0x80000000, 0x2000, 0x2ffe, 0x3ffd, 0x4008, 0x5010];
const word = fc.oneof(fc.constantFrom(...interesting), fc.integer({ min: -0x80000000, max: 0x7fffffff }));
const seed: fc.Arbitrary<Seed> = fc.record({
  pick: fc.nat(1 << 20),
  operands: fc.tuple(fc.nat(1 << 10), fc.nat(1 << 10), fc.nat(1 << 10)),
  word,
  advance: fc.boolean(),
});

export type Mix = 'any' | 'words' | 'registers';

/**
 * Units of one or more blocks of up to `size` instructions, besides what their operands need.
 * @param mix `any`: every operation alike; `words`: without those that come in halves; `registers`: of these mostly reads and writes of guest registers, few exits
 */
export function randomUnit(size: number, blocks = 3, mix: Mix = 'any'): fc.Arbitrary<Unit> {
  const block = fc.array(seed, { minLength: 1, maxLength: size });
  return fc.array(block, { minLength: 1, maxLength: blocks }).map((lists) => {
    const unit = new Unit(16);
    lists.forEach((seeds, number) => {
      buildBlock(unit, 0x1000 + number * 0x100, seeds, pools[mix]);
    });
    return unit;
  });
}

/** Vectors come to the interpreter as halves. */
const hasVector = ({ operands, result }: Operation): boolean => result === 'v128' || operands.includes('v128');
const inner = operations.filter((operation) => !operation.flags.has('ends') && !hasVector(operation));
const state = inner.filter((operation) => /^[gs]et\./.test(operation.name));
const memory = inner.filter((operation) => operation.bytes > 0);
const isWhole = ({ operands, result }: Operation): boolean =>
  [...operands, result].every((type) => halfTypes[type as Type] === undefined);
const wholeState = state.filter(isWhole);
const simple = ['i32.add', 'i32.lt_s', 'i32.select', 'f64.neg', 'f64.from_halves', 'i32.const'].map(
  (name) => operations[codes[name]],
);
const leaving = ['load32', 'exit_if', 'helper.none', 'helper.i32', 'check'].map((name) => operations[codes[name]]);
/** Operations are picked from one of these at random: registers are used more often than an even choice would. */
const pools = {
  any: [inner, inner, state, state, memory],
  words: [inner, inner, state, state, memory].map((pool) => pool.filter(isWhole)),
  registers: [
    wholeState,
    wholeState,
    wholeState,
    wholeState,
    wholeState,
    wholeState,
    simple,
    simple,
    simple,
    simple,
    simple,
    leaving,
  ],
};
const ends = operations.filter((operation) => operation.flags.has('ends'));

function buildBlock(unit: Unit, start: number, seeds: readonly Seed[], choices: (typeof pools)['any']): void {
  const first = unit.count;
  let pc = start;
  /** Indices of the block's values by type. */
  const values: Record<Type, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  const append = (op: number, a: number, b: number, c: number, imm: number): number => {
    const index = unit.append(op, a, b, c, imm, pc);
    const { result } = operations[op];
    if (result !== '') values[result].push(index);
    return index;
  };
  const operand = (type: Type, choice: number): number => {
    const made = values[type];
    if (made.length > 0 && choice % 8 !== 0) return made[made.length - 1 - (choice % Math.min(made.length, 9))];
    if (type === 'i32') return append(codes['i32.const'], -1, -1, -1, interesting[choice % interesting.length]);
    if (type === 'f32') return append(codes['f32.demote_f64'], operand('f64', 0), -1, -1, 0);
    return append(codes[`${type}.const`], choice, choice << 21, -1, 0);
  };
  const registerOf = (type: Type, choice: number): number => {
    const numbers = testRegisters.registers.flatMap((register, number) => (register.type === type ? [number] : []));
    return numbers[choice % numbers.length];
  };

  seeds.forEach((seed, position) => {
    if (seed.advance && position > 0) pc += 4;
    const last = position === seeds.length - 1;
    const pool = last ? ends : choices[seed.pick % choices.length];
    const operation = pool[(seed.pick >> 4) % pool.length];
    const [x, y, z] = seed.operands;
    let types = operation.operands;
    let imm = seed.word;
    if (operation.immediates.includes('helper')) {
      const fitting = testHelpers.flatMap((helper, number) => (helper.result === operation.result ? [number] : []));
      imm = fitting[x % fitting.length];
      types = testHelpers[imm].operands;
    }
    const words = [x, y, z].map((choice, at) => (at < types.length ? operand(types[at], choice) : -1));
    for (const immediate of operation.immediates) {
      if (immediate === 'register') imm = registerOf((operation.result || operation.operands[0]) as Type, x >> 3);
      else if (immediate === 'displacement') imm = (seed.word % 64) | 0;
      else if (immediate === 'order') words[2] = y & 1;
      else if (immediate === 'lane' || immediate === 'lanes') imm = x & 1;
      else if (immediate === 'exit') imm = 1 + (x % 8);
      else if (immediate === 'else' && operation.name === 'branch') words[1] = seed.word ^ 4;
      if (immediate === 'link' || immediate === 'detail') words[1] = seed.word;
    }
    if (operation.name === 'check') {
      words[1] = 1 + (y % 200);
      words[2] = 1 + (z & 1);
    } else if (operation.name === 'compare_exchange32') {
      // The address must be aligned.
      words[0] = append(codes['i32.const'], -1, -1, -1, [0x2004, 0x4008, 0x5ff0, 0x6000][x & 3]);
      imm &= ~3;
    } else if (operation.bytes > 0 && x % 4 !== 0) {
      words[0] = append(codes['i32.const'], -1, -1, -1, interesting[8 + (x % 5)]);
    } else if (operation.name.endsWith('64.const')) {
      words[0] = seed.word;
      words[1] = Math.imul(seed.word, x);
      imm = 0;
    } else if (!operation.immediates.some((immediate) => wordOf(operation, immediate) === 'imm')) imm = 0;
    append(operation.code, words[0], words[1], words[2], imm);
  });
  const guestInstructions = ((pc - start) >> 2) + 1;
  unit.blocks.push({ pc: start, first, end: unit.count, guestInstructions, endPc: pc + 4 });
}
