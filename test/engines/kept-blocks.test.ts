/** Interpreter code that is kept from run to run: that it is used, when it must not be, and that it does the same. */
import { describe, expect, test } from 'vitest';
import { decodeBlocks, encodeBlocks } from '../../src/cache/block-file.ts';
import type { Policy } from '../../src/engines/translated/policy.ts';
import { header } from '../../translators/ir/state.ts';
import { type MemoryStore, memoryStore } from '../cache/memory-store.ts';
import { Assembler, addImmediate, compareImmediate, loadWord, systemCall } from '../fuzz/assembler.ts';
import { caller, constant, leaf } from './caller.ts';
import { code, data, TestThread } from './thread.ts';

const readExecute = 5;
const readWriteExecute = 7;

/** The blocks of caller and leaf: the loop's start and what comes behind the call, the leaf, the system call. */
const blockCount = 4;

interface Start {
  readonly engine?: 'auto' | 'wasm' | 'interpreted' | 'blocks';
  readonly limits?: Partial<Policy>;
  /** What the leaf answers. */
  readonly value?: number;
  /** Calls of the leaf. */
  readonly count?: number;
  /** Instead of caller and leaf; the last thing before the first instruction. */
  readonly prepare?: (thread: TestThread) => void;
  readonly protection?: number;
}

/** A thread that is ready to run caller and leaf. */
function ready(store: MemoryStore, { engine = 'auto', limits, value = 1, count = 10, ...start }: Start = {}) {
  const thread = new TestThread(engine, limits, undefined, store);
  thread.place(caller());
  thread.place(constant(value), leaf);
  start.prepare?.(thread);
  thread.memory.protect(code, 0x4000, start.protection ?? readExecute);
  thread.state.set('r5', count);
  return thread;
}

/** Runs caller and leaf to their end, as one run of a program. */
function run(store: MemoryStore, start: Start = {}) {
  const thread = ready(store, start);
  expect(thread.run()).toBe('none');
  thread.engine.close();
  const { statistics } = thread.engine;
  return { thread, sum: thread.state.get('r6'), statistics, prepared: statistics.tiers.interpreter.count };
}

const keptIn = (store: MemoryStore): number => decodeBlocks(store.kept!)!.code.blocks.length / 3;

describe('a later run', () => {
  test('prepares nothing that the earlier one prepared, and does the same', () => {
    const store = memoryStore();
    const first = run(store);
    expect(first).toMatchObject({ sum: 10, prepared: blockCount });
    expect(first.statistics).toMatchObject({ blocksFromCache: 0, blocksKept: blockCount });
    const second = run(store);
    expect(second).toMatchObject({ sum: 10, prepared: 0 });
    expect(second.statistics).toMatchObject({ blocksFromCache: blockCount, blocksKept: 0 });
    expect(second.statistics.guestInstructions).toBe(first.statistics.guestInstructions);
    expect(store.writes).toBe(1);
  });

  test('adds what it prepares itself', () => {
    const store = memoryStore();
    const other = new Assembler(code + 0x2000);
    other.emit(addImmediate(6, 6, 7), systemCall);
    const prepare = (thread: TestThread): void => thread.place(other, code + 0x2000);
    run(store, { prepare });
    const thread = ready(store, { prepare });
    expect(thread.run(code + 0x2000)).toBe('none');
    thread.engine.close();
    expect(thread.engine.statistics).toMatchObject({ blocksFromCache: blockCount, blocksKept: 1 });
    const third = ready(store, { prepare });
    for (const pc of [code + 0x2000, code]) expect(third.run(pc)).toBe('none');
    expect(third.state.get('r6')).toBe(17);
    expect(third.engine.statistics.tiers.interpreter.count).toBe(0);
  });

  test('knows where its blocks can be left midway', () => {
    const store = memoryStore();
    const faulting = new Assembler(code);
    faulting.emit(addImmediate(6, 0, 1), loadWord(7, 0, 4), addImmediate(6, 6, 1), loadWord(7, 4, 4), systemCall);
    const outcomes = [data, data, data + 0xffc, data + 0x1000].map((address) => {
      const thread = new TestThread('auto', undefined, undefined, store);
      thread.place(faulting);
      thread.memory.protect(code, 0x4000, readExecute);
      thread.state.set('r4', address);
      const reason = thread.run();
      thread.engine.close();
      const { state, engine } = thread;
      const { blocksFromCache, guestInstructions } = engine.statistics;
      return { reason, pc: state.pc - code, r6: state.get('r6'), blocksFromCache, guestInstructions };
    });
    expect(outcomes).toEqual([
      { reason: 'none', pc: 20, r6: 2, blocksFromCache: 0, guestInstructions: 5 },
      { reason: 'none', pc: 20, r6: 2, blocksFromCache: 1, guestInstructions: 5 },
      { reason: 'fault', pc: 12, r6: 2, blocksFromCache: 1, guestInstructions: 3 },
      { reason: 'fault', pc: 4, r6: 1, blocksFromCache: 1, guestInstructions: 1 },
    ]);
  });

  test('begins to count how often blocks run', () => {
    const store = memoryStore();
    const limits = { threshold: 50 };
    for (let time = 0; time < 3; time++) expect(run(store, { limits, count: 40 }).statistics.regions).toBe(0);
    const long = run(store, { limits, count: 400 });
    expect(long.sum).toBe(400);
    expect(long.statistics).toMatchObject({ blocksFromCache: blockCount });
    expect(long.statistics.regions).toBeGreaterThan(0);
  });

  test('has the blocks that came before the first translation', () => {
    const store = memoryStore();
    const limits = { threshold: 50 };
    const first = run(store, { limits, count: 400 });
    expect(first.statistics.regions).toBeGreaterThan(0);
    // The last one came when translations had been made.
    expect(first.statistics.blocksKept).toBe(blockCount - 1);
    const second = run(store, { limits, count: 400 });
    expect(second.sum).toBe(400);
    expect(second.statistics.blocksFromCache).toBe(blockCount - 1);
    expect(second.statistics.regions).toBe(first.statistics.regions);
    expect(run(store, { limits, count: 10 })).toMatchObject({ sum: 10, prepared: 1 });
  });

  test('sees that code changes, also when it was the earlier one’s', () => {
    const store = memoryStore();
    run(store);
    const thread = ready(store);
    expect(thread.run()).toBe('none');
    thread.place(constant(5), leaf);
    thread.state.set('r5', 10);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r6')).toBe(10 + 50);
    expect(thread.engine.statistics).toMatchObject({ blocksFromCache: blockCount });
  });
});

describe('what is kept is not used', () => {
  /** A store with the blocks of caller and leaf. */
  const filled = (): MemoryStore => {
    const store = memoryStore();
    run(store);
    return store;
  };

  test.each([
    ['by another program', { value: 2 }, 20],
    ['with another threshold', { limits: { threshold: 77 } }, 10],
  ] as const)('%s, which leaves its own', (_, start, sum) => {
    const store = filled();
    const other = run(store, start);
    expect(other).toMatchObject({ sum, prepared: blockCount });
    expect(other.statistics).toMatchObject({ blocksFromCache: 0, blocksKept: blockCount });
    expect(run(store, start).statistics.blocksFromCache).toBe(blockCount);
    expect(run(store).statistics.blocksFromCache).toBe(0);
  });

  test('where any word of the code is another', () => {
    const store = memoryStore();
    run(store);
    const words = [...caller().finish().entries()].map(([index]) => code + 4 * index);
    for (const address of [...words, leaf, leaf + 4]) {
      const thread = ready({ ...store, write: () => {} });
      thread.memory.protect(code, 0x4000, readWriteExecute);
      thread.memory.writeU32(address, thread.memory.readU32(address) ^ 0x10);
      thread.memory.protect(code, 0x4000, readExecute);
      thread.systemCall = () => false;
      thread.state.set('r5', 1);
      thread.run(leaf + 0x800);
      expect(thread.engine.statistics.blocksFromCache, address.toString(16)).toBe(0);
    }
    expect(run(store).statistics.blocksFromCache).toBe(blockCount);
  });

  test('where the guest may not execute the code', () => {
    const store = filled();
    const thread = ready(store);
    thread.memory.protect(leaf, 0x1000, 1);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(leaf);
    expect(thread.state.i32[header.detail >> 2]).toBe(leaf);
    expect(thread.engine.statistics.blocksFromCache).toBe(0);
  });

  test('when it was kept for something else, or is of another kind', () => {
    for (const change of [
      (store: MemoryStore): MemoryStore => ({ ...store, key: 'another' }),
      (store: MemoryStore): MemoryStore => ({ ...store, read: () => new Uint8Array(400) }),
      (store: MemoryStore): MemoryStore => ({ ...store, read: () => store.kept!.slice(0, -4) }),
      (store: MemoryStore): MemoryStore => ({ ...store, read: () => new Uint8Array(0) }),
    ]) {
      expect(run(change(filled()))).toMatchObject({ sum: 10, prepared: blockCount });
    }
  });

  test('by other engines, which keep none', () => {
    const store = filled();
    for (const engine of ['wasm', 'blocks', 'interpreted'] as const) {
      const { sum, statistics } = run(store, { engine, value: 3 });
      expect(sum).toBe(30);
      expect(statistics).toMatchObject({ blocksFromCache: 0, blocksKept: 0 });
    }
    expect(store.writes).toBe(1);
  });
});

describe('a block is not kept', () => {
  test('whose code the guest may write', () => {
    const store = memoryStore();
    expect(run(store, { protection: readWriteExecute }).sum).toBe(10);
    expect(store.writes).toBe(0);
    // Only the leaf's page: what links to the leaf comes to the leaf that is there then.
    const prepare = (thread: TestThread): void => {
      thread.memory.protect(code + 0x4000 - 0x1000, 0x1000, readExecute);
    };
    const thread = ready(store, { prepare });
    thread.memory.protect(leaf, 0x1000, readWriteExecute);
    expect(thread.run()).toBe('none');
    thread.engine.close();
    expect(keptIn(store)).toBe(blockCount - 1);
    expect(run(store, { value: 4 })).toMatchObject({ sum: 40, prepared: 1 });
  });

  test('whose code changed in the run', () => {
    const store = memoryStore();
    const thread = ready(store);
    expect(thread.run()).toBe('none');
    thread.place(constant(5), leaf);
    thread.state.set('r5', 10);
    expect(thread.run()).toBe('none');
    thread.engine.close();
    expect(thread.state.get('r6')).toBe(10 + 50);
    const second = run(store);
    expect(second).toMatchObject({ sum: 10, prepared: 1 });
    expect(second.statistics.blocksFromCache).toBe(blockCount - 1);
  });

  test('that depends on code which is not its own', () => {
    const store = memoryStore();
    const moveFromStatus = 0xfca0048e; // mffs f5
    const moveToStatus = 0xfdfe2d8e; // mtfsf 255,f5
    const add = 0xfcc5282a; // fadd f6,f5,f5
    /** What does the branch that is not taken do with the status: put it back, or look at it? */
    const program = (other: number): Assembler => {
      const assembler = new Assembler(code);
      const elsewhere = assembler.label();
      assembler.emit(moveFromStatus, compareImmediate(0, 4, 0));
      assembler.branchIf(12, 2, elsewhere);
      assembler.emit(moveToStatus, systemCall);
      assembler.place(elsewhere);
      assembler.emit(other, systemCall);
      return assembler;
    };
    const isExact = (other: number): boolean => {
      const prepare = (thread: TestThread): void => thread.place(program(other));
      const thread = ready(store, { prepare });
      thread.state.set('r4', 1);
      expect(thread.run()).toBe('none');
      thread.engine.close();
      return thread.engine.statistics.exactFloatingPoint;
    };
    expect(isExact(moveToStatus)).toBe(false);
    expect(keptIn(store)).toBe(1);
    expect(isExact(add)).toBe(true);
  });

  test('with others that take too much room: the next run begins anew', () => {
    const store = memoryStore('program-build', 300);
    run(store);
    expect(store.kept!.length).toBe(0);
    expect(run(store)).toMatchObject({ sum: 10, prepared: blockCount });
  });
});

test('the file gives back what was written, and is not used when it was cut', () => {
  const store = memoryStore();
  run(store);
  const whole = store.kept!;
  const file = decodeBlocks(whole)!;
  expect(file).toMatchObject({ key: 'program-build', program: '/bin/guest' });
  expect(Array.from(encodeBlocks(file))).toEqual(Array.from(whole));
  for (let length = 0; length < whole.length; length++) expect(decodeBlocks(whole.slice(0, length))).toBeUndefined();
});
