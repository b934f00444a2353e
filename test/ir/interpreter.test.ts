/** How the interpreter goes from block to block, and what makes it stop. */
import { beforeEach, describe, expect, test } from 'vitest';
import { Interpreter, stop } from '../../translators/ir/interpreter.ts';
import { codes, exitCode } from '../../translators/ir/operations.ts';
import { parseUnit } from '../../translators/ir/parser.ts';
import { header, type State } from '../../translators/ir/state.ts';
import { Unit } from '../../translators/ir/unit.ts';
import { makeMemory, makeState, testFrontend, testMachine, testNames } from './guest.ts';

let blocks: Record<number, string>;
let lifted: number[];
let state: State;
let interpreter: Interpreter;

const counted = (): number => state.f64[header.instructions >> 3];

/** r1 += amount, then the terminator; two guest instructions. */
const addThen = (pc: number, amount: number, end: string): string => `
block ${pc} (2 instructions, ends ${pc + 8})
  v0 = get.i32 r1
  v1 = i32.const ${amount}
  v2 = i32.add v0, v1
  set.i32 r1, v2
 @ ${pc + 4}
  v8 = get.i32 r2
  ${end}`;

beforeEach(() => {
  blocks = {};
  lifted = [];
  state = makeState();
  const source = (pc: number): Unit | undefined => {
    lifted.push(pc);
    return blocks[pc] === undefined ? undefined : parseUnit(blocks[pc], testNames);
  };
  interpreter = new Interpreter(testFrontend, state, makeMemory(), testMachine, source);
  state.pc = 0x1000;
});

test('tells when the guest keeps running, and when much of that is interpreting, once each', () => {
  blocks[0x1000] = addThen(0x1000, 1, 'jump 0x1000');
  const told: [what: string, at: number][] = [];
  const machine = {
    ...testMachine,
    keepsRunning: () => told.push(['keeps running', counted()]),
    isOwnWork: () => told.push(['own work', counted()]),
  };
  const source = (pc: number): Unit | undefined => parseUnit(blocks[pc], testNames);
  interpreter = new Interpreter(testFrontend, state, makeMemory(), machine, source);
  state.pc = 0x1000;
  expect(interpreter.run(25_000_000)).toBe(stop.budget);
  expect(told.map(([what]) => what)).toEqual(['keeps running', 'own work']);
  expect(told[0][1]).toBeLessThan(200_000);
  expect(told[1][1]).toBeLessThan(12_000_000);
});

describe('stops', () => {
  test('with missing where the source has no block', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x2000');
    expect(interpreter.run()).toBe(stop.missing);
    expect([state.pc, state.get('r1'), counted()]).toEqual([0x2000, 1, 2]);
    expect(interpreter.run()).toBe(stop.missing);
    expect(counted()).toBe(2);
  });

  test('with budget after the block that used it up', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x1000');
    expect(interpreter.run(5)).toBe(stop.budget);
    expect([state.get('r1'), counted()]).toEqual([3, 6]);
    expect(interpreter.step()).toBe(stop.budget);
    expect([state.get('r1'), counted()]).toEqual([4, 8]);
  });

  test('with interrupt before a block', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x1000');
    state.i32[header.interrupt >> 2] = 1;
    expect(interpreter.run()).toBe(stop.interrupt);
    expect([state.pc, state.get('r1'), counted()]).toEqual([0x1000, 0, 0]);
  });

  test('with hot at the threshold, once', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x1000');
    interpreter.threshold = 10;
    expect(interpreter.run()).toBe(stop.hot);
    expect([state.pc, state.get('r1'), counted()]).toEqual([0x1000, 9, 18]);
    expect(interpreter.run(100)).toBe(stop.budget);
    expect(state.get('r1')).toBe(59);
  });

  test('with translated where leaveAt says so, linked to or not', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'branch v8, 0x3000 else 0x2000');
    blocks[0x2000] = addThen(0x2000, 10, 'jump 0x1000');
    interpreter.run(4);
    interpreter.leaveAt(0x2000);
    expect(interpreter.run()).toBe(stop.translated);
    expect([state.pc, state.get('r1'), counted()]).toEqual([0x2000, 12, 6]);
    interpreter.leaveAt(0x3000);
    state.pc = 0x1000;
    state.set('r2', 1);
    expect(interpreter.run()).toBe(stop.translated);
    expect([state.pc, counted()]).toEqual([0x3000, 8]);
    expect(lifted).toEqual([0x1000, 0x2000]);
  });

  test('with exit, and header.exit is cleared by the next run', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'system_call link 0x1008');
    expect(interpreter.run()).toBe(stop.exit);
    expect(state.i32[header.exit >> 2]).toBe(exitCode.system_call);
    expect([state.pc, counted()]).toEqual([0x1008, 2]);
    blocks[0x1008] = addThen(0x1008, 1, 'jump 0x4000');
    expect(interpreter.run()).toBe(stop.missing);
    expect(state.i32[header.exit >> 2]).toBe(0);
  });
});

describe('indirect jumps', () => {
  test('change their target from time to time', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump_indirect v8');
    blocks[0x2000] = addThen(0x2000, 100, 'jump 0x1000');
    blocks[0x3000] = addThen(0x3000, 1000, 'jump 0x1000');
    for (const target of [0x2000, 0x3000, 0x2000, 0x2000]) {
      state.set('r2', target);
      interpreter.run(4);
    }
    expect(state.get('r1')).toBe(4 + 3 * 100 + 1000);
    expect(lifted).toEqual([0x1000, 0x2000, 0x3000]);
  });

  test('find a target whose code was replaced', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'branch_indirect v8, v8 else 0x1008');
    blocks[0x2000] = addThen(0x2000, 100, 'jump 0x1000');
    state.set('r2', 0x2000);
    interpreter.run(4);
    interpreter.invalidate(0x2004, 1);
    blocks[0x2000] = addThen(0x2000, 500, 'jump 0x1000');
    interpreter.run(4);
    expect(state.get('r1')).toBe(602);
  });
});

describe('invalidation', () => {
  test('reaches blocks that overlap the range, through links', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x1ffc');
    // This block lies in two pages.
    blocks[0x1ffc] = addThen(0x1ffc, 10, 'jump 0x1000');
    interpreter.run(8);
    blocks[0x1ffc] = addThen(0x1ffc, 100, 'jump 0x1000');
    interpreter.invalidate(0x1008, 0xff4);
    interpreter.invalidate(0x2004, 0x1000);
    interpreter.run(4);
    expect([state.get('r1'), lifted]).toEqual([33, [0x1000, 0x1ffc]]);
    interpreter.invalidate(0x2003, 1);
    interpreter.run(8);
    expect([state.get('r1'), lifted]).toEqual([235, [0x1000, 0x1ffc, 0x1ffc]]);
    interpreter.invalidate(0, 2 ** 32);
    interpreter.run(4);
    expect(lifted).toEqual([0x1000, 0x1ffc, 0x1ffc, 0x1000, 0x1ffc]);
  });

  test('forgets what leaveAt said', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x1000');
    interpreter.leaveAt(0x1000);
    expect(interpreter.run(10)).toBe(stop.translated);
    interpreter.invalidate(0x1000, 4);
    expect(interpreter.run(10)).toBe(stop.budget);
  });

  test('of a block many times over, its links always find the newest', () => {
    blocks[0x1000] = addThen(0x1000, 1, 'jump 0x2000');
    for (let round = 1; round <= 5; round++) {
      blocks[0x2000] = addThen(0x2000, 100, 'jump 0x1000');
      interpreter.invalidate(0x2000, 8);
      interpreter.run(8);
    }
    expect(state.get('r1')).toBe(10 * 101);
  });
});

test('code beyond the limit is dropped between blocks and made anew', () => {
  for (let at = 0; at < 40; at++) {
    const pc = 0x1000 + at * 16;
    blocks[pc] = addThen(pc, 1, `jump ${at === 39 ? 0x1000 : pc + 16}`);
  }
  interpreter.codeLimit = 100;
  expect(interpreter.run(400)).toBe(stop.budget);
  expect([state.get('r1'), counted()]).toEqual([200, 400]);
  expect(lifted.length).toBeGreaterThan(40);
});

test('thousands of blocks are found again', () => {
  const start = 0x1000;
  const number = 3000;
  for (let at = 0; at < number; at++) {
    const pc = start + at * 8;
    blocks[pc] = addThen(pc, 1, `jump ${at === number - 1 ? start : pc + 8}`);
  }
  interpreter.run(2 * number);
  for (let at = 0; at < number; at++) {
    state.pc = start + at * 8;
    interpreter.step();
  }
  expect([state.get('r1'), lifted.length, interpreter.preparedBlocks]).toEqual([2 * number, number, number]);
});

test('a block with more live values than there is room for is refused', () => {
  const unit = new Unit();
  const values: number[] = [];
  for (let at = 0; at < 1500; at++) {
    const constant = unit.append(codes['i32.const'], -1, -1, -1, at, 0x1000);
    const register = unit.append(codes['get.i32'], -1, -1, -1, 0, 0x1000);
    values.push(unit.append(codes['i32.add'], register, constant, -1, 0, 0x1000));
  }
  for (const value of values) unit.append(codes['set.i32'], value, -1, -1, 0, 0x1000);
  for (const value of values) unit.append(codes.exit_if, value, 0, -1, exitCode.trap, 0x1000);
  unit.append(codes.jump, -1, -1, -1, 0x1004, 0x1000);
  unit.blocks.push({ pc: 0x1000, first: 0, end: unit.count, guestInstructions: 1, endPc: 0x1004 });
  const refusing = new Interpreter(testFrontend, state, makeMemory(), testMachine, () => unit);
  expect(() => refusing.run()).toThrow('more values live at once than the state block has room for');
});
