/** Functions that are part of the WebAssembly regions that call them. */
import { describe, expect, test } from 'vitest';
import { header } from '../../translators/ir/state.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import {
  Assembler,
  addImmediate,
  compareImmediate,
  indexedForm,
  loadWord,
  moveFromSpecial,
  moveToSpecial,
  returnToLink,
  special,
  storeWord,
  storeWordUpdate,
  systemCall,
} from '../fuzz/assembler.ts';
import { bytesOf } from '../fuzz/machine.ts';
import { caller, constant, leaf } from './caller.ts';
import { code, data, TestThread } from './thread.ts';

const otherLeaf = code + 0x2000;
const add = (rt: number, ra: number, rb: number): number => indexedForm(rt, ra, rb, 266);

function at(address: number, ...words: number[]): Assembler {
  const assembler = new Assembler(address);
  assembler.emit(...words, returnToLink);
  return assembler;
}

function prepared(main: Assembler, ...functions: [address: number, code: Assembler][]): TestThread {
  return placed(new TestThread('wasm'), main, ...functions);
}

function placed(thread: TestThread, main: Assembler, ...functions: [address: number, code: Assembler][]): TestThread {
  thread.place(main);
  for (const [address, one] of functions) thread.place(one, address);
  return thread;
}

function sum(thread: TestThread, count: number): number {
  thread.state.set('r5', count);
  thread.state.set('r6', 0);
  expect(thread.run()).toBe('none');
  return thread.state.get('r6');
}

/** How often the text of the last translation with a name has an instruction. */
function occurrences(thread: TestThread, name: string, instruction: RegExp): number {
  const text = thread.logged('out_wasm').findLast((each) => each.startsWith(`function ${name} `));
  return text?.match(instruction)?.length ?? 0;
}

const calls = /^ +call_indirect/gm;

describe('a function that is called', () => {
  test('belongs to the translation of its caller, and its return compares nothing', () => {
    const thread = prepared(caller(), [leaf, constant(2)]);
    expect(sum(thread, 100)).toBe(200);
    expect(thread.logged('out_wasm').filter((text) => text.startsWith('function guest_10001000'))).toEqual([]);
    expect(occurrences(thread, 'guest_10000000', calls)).toBe(0);
    // LR is written, but not read.
    const lr = powerpc.registers.registers[powerpc.registers.numbers.lr];
    const offset = `offset=${lr.offset + thread.state.base}$`;
    expect(occurrences(thread, 'guest_10000000', new RegExp(`i32.store ${offset}`, 'gm'))).toBe(1);
    expect(occurrences(thread, 'guest_10000000', new RegExp(`i32.load ${offset}`, 'gm'))).toBe(0);
  });

  test('is translated anew with it when its code changes', () => {
    const thread = prepared(caller(), [leaf, constant(2)]);
    expect(sum(thread, 100)).toBe(200);
    thread.memory.poke(leaf, bytesOf([addImmediate(3, 0, 5)]));
    expect(sum(thread, 100)).toBe(500);
  });

  test('may return elsewhere', () => {
    // Behind the tenth call in r8 to the instruction behind the loop.
    const skipping = at(
      leaf,
      ...[addImmediate(3, 0, 1), moveFromSpecial(4, special.lr), addImmediate(8, 8, -1), compareImmediate(1, 8, 0)],
      0x40860008, // bne cr1,.+8
      addImmediate(4, 4, 16),
      moveToSpecial(special.lr, 4),
      0x40860004, // bne cr1,.+4: the return is in a block that does not write LR
    );
    const thread = prepared(caller(), [leaf, skipping]);
    thread.state.set('r8', 10);
    expect(sum(thread, 100)).toBe(9);
    expect(thread.state.get('r5')).toBe(91);
    expect(thread.state.pc).toBe(code + 24);
  });

  test('that faults has its return address, for whoever goes on', () => {
    const thread = prepared(caller(), [leaf, at(leaf, loadWord(3, 0, 9), loadWord(4, 4, 10))]);
    thread.engine.requirePreciseFaults();
    thread.state.set('r9', data);
    thread.state.set('r10', data);
    expect(sum(thread, 10)).toBe(0);
    thread.state.set('r10', data + 0x10000);
    thread.state.set('r5', 3);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(leaf + 4);
    expect(thread.state.get('lr') >>> 0).toBe(code + 4);
    thread.memory.map(data + 0x10000, 0x1000, 3);
    expect(thread.resume()).toBe('none');
    expect(thread.state.get('r5')).toBe(0);
    expect(thread.state.pc).toBe(code + 24);
  });

  test('goes on by itself where its translation is left in its middle', () => {
    // A misaligned access in a mapping's last page: where accesses are checked the table's entry refuses it.
    // The second call forgets where the first one returned to.
    const main = new Assembler(code);
    main.emit(0x48000000 + (leaf - code) + 1, 0x48000000 + (otherLeaf - code - 4) + 1);
    main.emit(0x4200fff8, systemCall); // bdnz to the first call
    const thread = prepared(main, [leaf, at(leaf, loadWord(3, 1, 9))], [otherLeaf, constant(5, otherLeaf)]);
    Object.defineProperty(thread.memory, 'hostProtection', { value: 'unavailable' });
    thread.state.set('r9', data + 0xff0);
    thread.state.set('lr', code + 0x100);
    thread.state.set('ctr', 3);
    expect(thread.run()).toBe('none');
    expect(thread.state.pc).toBe(code + 16);
    expect(thread.state.get('r3')).toBe(5);
    expect(occurrences(thread, 'guest_10000000', calls)).toBe(0);
  });

  test('may call itself, once within itself, with calls beyond', () => {
    // r3 = the sum of r3 down to 1
    const recursive = new Assembler(leaf);
    const [self, base] = [recursive.label(), recursive.label()];
    recursive.place(self);
    recursive.emit(compareImmediate(0, 3, 0));
    recursive.branchIf(12, 2, base);
    recursive.emit(storeWordUpdate(1, -16, 1), moveFromSpecial(0, special.lr), storeWord(0, 20, 1), storeWord(3, 8, 1));
    recursive.emit(addImmediate(3, 3, -1));
    recursive.branch(self, 1);
    recursive.emit(loadWord(4, 8, 1), add(3, 3, 4), loadWord(0, 20, 1), moveToSpecial(special.lr, 0));
    recursive.emit(addImmediate(1, 1, 16));
    recursive.place(base);
    recursive.emit(returnToLink);
    const main = new Assembler(code);
    main.emit(0x48000000 + (leaf - code) + 1, systemCall);
    const linksWithin = (depth: number): number => {
      const inlining = { limit: 60, room: 400, depth };
      const thread = placed(new TestThread('wasm', { inlining }), main, [leaf, recursive]);
      thread.state.set('r3', 10_000);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r3')).toBe((10_000 * 10_001) / 2);
      expect(occurrences(thread, 'guest_10001000', calls)).toBe(1);
      return occurrences(thread, 'guest_10001000', /i32\.const 268439584$/gm);
    };
    // Each has an address behind the call to store and to compare.
    expect(linksWithin(1)).toBeGreaterThan(linksWithin(0));
    expect(linksWithin(2)).toBeGreaterThan(linksWithin(1));
  });
});

describe('a function that is called through a pointer', () => {
  test('belongs to the translation once it was seen there, and others are called', () => {
    const thread = prepared(caller(true), [leaf, constant(2)], [otherLeaf, constant(3, otherLeaf)]);
    thread.state.set('r7', leaf);
    expect(sum(thread, 100)).toBe(200);
    const before = thread.engine.statistics.regions;
    expect(sum(thread, 100)).toBe(200);
    expect(thread.engine.statistics.regions).toBe(before + 1);
    expect(thread.logged('out_wasm').at(-1)).toMatch(/guest_10000000/);
    expect(sum(thread, 1000)).toBe(2000);
    expect(thread.engine.statistics.regions).toBe(before + 1);
    thread.state.set('r7', otherLeaf);
    expect(sum(thread, 100)).toBe(300);
    thread.memory.poke(leaf, bytesOf([addImmediate(3, 0, 7)]));
    thread.state.set('r7', leaf);
    expect(sum(thread, 100)).toBe(700);
  });

  test('keeps the registers of the loop around it', () => {
    // The loop counts in registers that are written late; the pointer changes every other turn.
    const main = new Assembler(code);
    const loop = main.label();
    main.emit(moveToSpecial(special.ctr, 5));
    main.place(loop);
    main.emit(addImmediate(6, 6, 1), moveToSpecial(special.lr, 7), 0x4e800021); // blrl
    main.emit(add(8, 8, 6), add(9, 7, 10), indexedForm(7, 9, 7, 40)); // subf r9,r7,r9 …
    main.branchIf(16, 0, loop);
    main.emit(systemCall);
    const run = (engine: 'wasm' | 'interpreted'): number[] => {
      const thread = new TestThread(engine);
      thread.place(main);
      thread.place(at(leaf, addImmediate(11, 6, 5)), leaf);
      thread.place(at(otherLeaf, addImmediate(11, 8, 9)), otherLeaf);
      const results: number[] = [];
      for (let round = 0; round < 4; round++) {
        thread.state.set('r5', 100);
        for (const [name, value] of [
          ['r6', 1],
          ['r8', 0],
          ['r7', round === 2 ? otherLeaf : leaf],
          ['r10', 0],
        ] as const) {
          thread.state.set(name, value);
        }
        thread.run();
        for (const name of ['r6', 'r7', 'r8', 'r9', 'r11', 'lr', 'ctr'] as const) results.push(thread.state.get(name));
        results.push(thread.state.i32[header.pc >> 2]);
      }
      return results;
    };
    expect(run('wasm')).toEqual(run('interpreted'));
  });
});
