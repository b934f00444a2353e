/** First runs: what the evaluator does equals what prepared code does, and what it refuses has had no effect. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Evaluator } from '../../translators/ir/evaluator.ts';
import { Interpreter, stop } from '../../translators/ir/interpreter.ts';
import { exitCode, exitReasons } from '../../translators/ir/operations.ts';
import { header, headerSize } from '../../translators/ir/state.ts';
import { sizeOf } from '../../translators/ir/types.ts';
import { masks, rows, values } from '../../translators/powerpc/decode.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import { generator, seed } from '../float/cases.ts';
import { codeAddress, dataAddress, Guest } from './guest.ts';
import { randomData, randomRegisters } from './random-code.ts';

const self = 0x48000000; // b .
const guest = new Guest();
const { state, memory } = guest;
let code: readonly number[] = [];
const fetch = (address: number): number | undefined => code[(address - codeAddress) >> 2];
const ends = powerpc.registers.registers.map(({ offset, type }) => offset + sizeOf[type]);
const registerBytes = new Uint8Array(memory.buffer, state.base + headerSize, Math.max(...ends) - headerSize);

const visible = () => ({
  registers: registerBytes.slice(),
  data: memory.readBytes(dataAddress, 0x1000),
});

/** Loads and stores of the D form. */
const isDisplaced = (word: number): boolean => word >>> 26 >= 32 && word >>> 26 < 56;

describe('every instruction', () => {
  const evaluator = new Evaluator(powerpc, state, memory, fetch);
  const next = generator(seed);
  const evaluated = new Set<string>();

  /** Random registers; the general ones may be addresses in the data. */
  function scramble(addresses: boolean): void {
    guest.reset();
    for (const [name, value] of randomRegisters(next)) guest.set(name, value);
    for (let number = 0; addresses && number < 32; number++) {
      guest.set(`r${number}`, BigInt(dataAddress + (next() & 0xffc)));
    }
    memory.writeBytes(dataAddress, randomData);
  }

  it('is run as by prepared code, or refused without an effect', () => {
    for (const [row, [name]] of rows.entries()) {
      for (let round = 0; round < 40; round++) {
        const random = (values[row] | (next() & ~masks[row])) >>> 0;
        // In every other round most accesses with a displacement are aligned and stay in the data.
        const addresses = (round & 1) !== 0;
        const word = addresses && isDisplaced(random) ? (random & ~0xff83) >>> 0 : random;
        code = [word, self];
        scramble(addresses);
        const before = visible();
        const count = evaluator.run(codeAddress);
        const found = visible();
        const what = `${name} ${word.toString(16)}, seed ${seed}`;
        if (evaluator.refused) {
          expect({ what, count, ...found }).toEqual({ what, count: 0, ...before });
          continue;
        }
        evaluated.add(name);
        registerBytes.set(before.registers);
        memory.writeBytes(dataAddress, before.data);
        state.f64[header.instructions >> 3] = 0;
        const reason = guest.run(code);
        expect({ what, count, pc: evaluator.target, reason: exitReasons[evaluator.exitReason], ...found }).toEqual({
          what,
          count: state.f64[header.instructions >> 3],
          pc: state.pc,
          reason,
          ...visible(),
        });
      }
    }
    const frequent =
      'addi addis add subf cmpwi cmplwi cmpw cmplw or and rlwinm lwz lwzu lbz lhz stw stwu stb sth lmw stmw';
    expect([...evaluated]).toEqual(expect.arrayContaining(`${frequent} b bc bclr bcctr mfcr mtcrf`.split(' ')));
  });
});

describe('an interpreter that evaluates first runs', () => {
  let asked: number[];
  let interpreter: Interpreter;

  beforeEach(() => {
    guest.reset();
    asked = [];
    const source = (pc: number) => {
      asked.push((pc - codeAddress) >> 2);
      return guest.block(pc);
    };
    interpreter = new Interpreter(powerpc, state, memory, guest.machine, source, fetch);
    state.pc = codeAddress;
    state.i32[header.interrupt >> 2] = 0;
    state.f64[header.instructions >> 3] = 0;
  });

  function load(words: readonly number[]): void {
    code = words;
    guest.code = words;
  }
  const outcome = () => ({
    at: (state.pc - codeAddress) >> 2,
    r3: state.get('r3'),
    count: state.f64[header.instructions >> 3],
    asked,
  });

  it('prepares a block when control comes to it again', () => {
    // addi 3,3,1; bdnz -4; b .
    load([0x38630001, 0x4200fffc, self]);
    state.set('ctr', 5);
    expect(interpreter.run(10)).toBe(stop.budget);
    expect(outcome()).toEqual({ at: 2, r3: 5, count: 10, asked: [0] });
  });

  it('keeps to the budget', () => {
    // addi 3,3,1; b +4; addi 3,3,2; b .
    load([0x38630001, 0x48000004, 0x38630002, self]);
    expect(interpreter.step()).toBe(stop.budget);
    expect(outcome()).toEqual({ at: 2, r3: 1, count: 2, asked: [] });
  });

  it('stops for an interrupt before a block', () => {
    load([0x38630001, self]);
    state.i32[header.interrupt >> 2] = 1;
    expect(interpreter.run()).toBe(stop.interrupt);
    expect(outcome()).toEqual({ at: 0, r3: 0, count: 0, asked: [] });
  });

  it('leaves for a system call', () => {
    // addi 3,3,1; sc
    load([0x38630001, 0x44000002]);
    expect(interpreter.run()).toBe(stop.exit);
    expect(state.i32[header.exit >> 2]).toBe(exitCode.system_call);
    expect(outcome()).toEqual({ at: 2, r3: 1, count: 2, asked: [] });
  });

  it('leaves other exits to prepared code', () => {
    // addi 3,3,1; trap
    load([0x38630001, 0x7fe00008]);
    expect(interpreter.run()).toBe(stop.exit);
    expect(state.i32[header.exit >> 2]).toBe(exitCode.trap);
    expect(outcome()).toEqual({ at: 1, r3: 1, count: 1, asked: [1] });
  });

  it('exchanges a reserved word', () => {
    // lwarx 5,0,4; addi 3,5,1; stwcx. 3,0,4; b .
    load([0x7ca02028, 0x38650001, 0x7c60212d, self]);
    state.set('r4', dataAddress);
    memory.writeU32(dataAddress, 41);
    expect(interpreter.step()).toBe(stop.budget);
    expect(outcome()).toEqual({ at: 3, r3: 42, count: 4, asked: [] });
    expect([memory.readU32(dataAddress), state.get('cr0.eq')]).toEqual([42, 1]);
  });

  it('finishes the block of a refused instruction when the budget is used up', () => {
    // addi 3,3,1; lfd 1,0(4); addi 3,3,1; b .
    load([0x38630001, 0xc8240000, 0x38630001, self]);
    state.set('r4', dataAddress);
    expect(interpreter.step()).toBe(stop.budget);
    expect(outcome()).toEqual({ at: 3, r3: 2, count: 4, asked: [1] });
  });

  it('faults at the instruction', () => {
    // addi 3,3,1; stwu 3,-4(4)
    load([0x38630001, 0x9464fffc]);
    expect(interpreter.run()).toBe(stop.exit);
    expect(state.i32[header.exit >> 2]).toBe(exitCode.fault);
    expect(state.i32[header.detail >> 2]).toBe(-4);
    expect(outcome()).toEqual({ at: 1, r3: 1, count: 1, asked: [1] });
    expect(state.get('r4')).toBe(0);
  });
});
