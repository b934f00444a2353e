/** Translations that are kept from run to run: that they are used, when they must not be, and that they do the same. */
import { afterAll, describe, expect, test } from 'vitest';
import { decodeFile, decodeTranslation, encodeFile, encodeTranslation } from '../../src/cache/translation-file.ts';
import { policies } from '../../src/engines/translated/policy.ts';
import { header } from '../../translators/ir/state.ts';
import { type MemoryStore, memoryStore } from '../cache/memory-store.ts';
import { generator, seed } from '../float/cases.ts';
import {
  Assembler,
  addImmediate,
  compareImmediate,
  indexedForm,
  jumpToCounter,
  loadWord,
  moveToSpecial,
  special,
  systemCall,
} from '../fuzz/assembler.ts';
import { differences } from '../fuzz/compare.ts';
import { FuzzMachine } from '../fuzz/machine.ts';
import { createProgram, kinds } from '../fuzz/programs.ts';
import { caller, constant, leaf } from './caller.ts';
import { code, data, TestThread } from './thread.ts';

/** auto, which translates what ran this often. */
const soon = { threshold: 50, largeFunction: Number.POSITIVE_INFINITY, inlining: { limit: 0, room: 0, depth: 0 } };

interface Start {
  /** What the leaf answers. */
  readonly value?: number;
  /** Calls of the leaf. */
  readonly count?: number;
  readonly prepare?: (thread: TestThread) => void;
  readonly engine?: 'auto' | 'wasm' | 'regions' | 'blocks';
  readonly loopBudget?: number;
}

/** Runs caller and leaf to their end, as one run of a program. @returns what the leaf's answers add up to, and the thread */
function run(store: MemoryStore, start: Start = {}) {
  const { engine = 'auto', count = 1000, value = 1 } = start;
  const budget = start.loopBudget === undefined ? {} : { loopBudget: start.loopBudget };
  const thread = new TestThread(
    engine,
    { ...soon, ...(engine === 'auto' ? {} : { threshold: policies[engine].threshold }), ...budget },
    store,
  );
  thread.place(caller());
  thread.place(constant(value), leaf);
  start.prepare?.(thread);
  thread.state.set('r5', count);
  expect(thread.run()).toBe('none');
  thread.engine.close();
  return { thread, sum: thread.state.get('r6'), statistics: thread.engine.statistics };
}

describe('a later run', () => {
  test.each(['auto', 'wasm'] as const)('on %s takes its translations from the earlier one', (engine) => {
    const store = memoryStore();
    const first = run(store, { engine });
    expect(first.sum).toBe(1000);
    expect(first.statistics).toMatchObject({ regionsFromCache: 0, regions: first.statistics.regionsKept });
    expect(first.statistics.regionsKept).toBeGreaterThan(1);
    const second = run(store, { engine });
    expect(second.sum).toBe(1000);
    expect(second.statistics).toMatchObject({ regions: 0, regionsKept: 0 });
    expect(second.statistics.regionsFromCache).toBeGreaterThan(1);
    expect(store.writes).toBe(1);
  });

  test('does not wait until what is kept is hot', () => {
    /** Two loops, one after the other, of r4 and r5 turns; the second one counts in `step`s. */
    const loops = (step: number): Assembler => {
      const assembler = new Assembler(code);
      for (const register of [4, 5]) {
        const loop = assembler.label();
        assembler.emit(moveToSpecial(special.ctr, register));
        assembler.place(loop);
        assembler.emit(addImmediate(6, 6, register === 4 ? 1 : step));
        assembler.branchIf(16, 0, loop);
      }
      assembler.emit(systemCall);
      return assembler;
    };
    const once = (store: MemoryStore, first: number, second: number, step = 1) => {
      const thread = new TestThread('auto', soon, store);
      thread.symbols = [
        { name: 'first', start: code, size: 12 },
        { name: 'second', start: code + 12, size: 16 },
      ];
      thread.place(loops(step));
      thread.state.set('r4', first);
      thread.state.set('r5', second);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r6')).toBe(first + second * step);
      thread.engine.close();
      return thread.engine.statistics;
    };
    const store = memoryStore();
    expect(once(store, 100, 100).regionsKept).toBe(2);
    // What tells that the run is not a short one is the first loop; the second one is taken when it is reached.
    expect(once(store, 100, 10)).toMatchObject({ regions: 0, regionsFromCache: 2 });
    expect(once(memoryStore(), 100, 10)).toMatchObject({ regions: 1, regionsFromCache: 0 });
    // Where the code is another one now, it has to become hot like any other.
    expect(once(store, 100, 10, 3)).toMatchObject({ regions: 0, regionsFromCache: 1 });
    expect(once(store, 100, 100, 3)).toMatchObject({ regions: 1, regionsFromCache: 1 });
    // Before that nothing is looked for.
    expect(once(store, 10, 10)).toMatchObject({ regions: 0, regionsFromCache: 0 });
  });

  test('has no use for them on engines that make JavaScript', () => {
    const store = memoryStore();
    for (const engine of ['regions', 'blocks'] as const) expect(run(store, { engine }).sum).toBe(1000);
    expect(store.writes).toBe(0);
  });

  test('finds functions at the places in the table that its translations name', () => {
    const store = memoryStore();
    run(store);
    // Another order of calls: were places given anew, the leaf's would be another.
    const thread = new TestThread('auto', soon, store);
    thread.place(caller());
    thread.place(constant(1), leaf);
    const other = new Assembler(code + 0x2000);
    const loop = other.label();
    other.emit(moveToSpecial(special.ctr, 4));
    other.place(loop);
    other.emit(addImmediate(7, 7, 1));
    other.branchIf(16, 0, loop);
    other.emit(0x48000000 | ((code - (code + 0x2000 + 4 * other.words.length)) & 0x3fffffc));
    thread.place(other, code + 0x2000);
    thread.state.set('r4', 300);
    thread.state.set('r5', 1000);
    expect(thread.run(code + 0x2000)).toBe('none');
    expect(thread.state.get('r6')).toBe(1000);
    expect(thread.state.get('r7')).toBe(300);
    expect(thread.engine.statistics.regionsFromCache).toBeGreaterThan(1);
    thread.engine.close();
    // What this run added stands beside what was there.
    const third = run(store);
    expect(third.sum).toBe(1000);
    expect(third.statistics).toMatchObject({ regions: 0 });
  });

  describe('with indirect jumps', () => {
    /** r5 times: jumps to one of `places` places, 16 bytes apart, by r5; each adds its number to r6. */
    const switching = (places: number): Assembler => {
      const assembler = new Assembler(code);
      const loop = assembler.label();
      const next = assembler.label();
      assembler.place(loop);
      assembler.emit(
        indexedForm(5, 7, 9, 28), // and r7,r5,r9
        ((21 << 26) | (7 << 21) | (7 << 16) | (4 << 11) | (27 << 1)) >>> 0, // slwi r7,r7,4
        indexedForm(7, 7, 8, 266),
        moveToSpecial(special.ctr, 7),
        jumpToCounter,
      );
      for (let number = 0; number < places; number++) {
        assembler.emit(addImmediate(6, 6, number));
        assembler.branch(next);
        assembler.emit(0x60000000, 0x60000000);
      }
      assembler.place(next);
      assembler.emit(addImmediate(5, 5, -1), compareImmediate(0, 5, 0));
      assembler.branchIf(4, 2, loop);
      assembler.emit(systemCall);
      return assembler;
    };
    /** @param used how many of the places are jumped to: a power of two */
    const once = (store: MemoryStore, used: number, places = 8, limits: object = soon) => {
      const thread = new TestThread('auto', limits, store);
      thread.place(switching(places));
      thread.state.set('r5', 64_000);
      thread.state.set('r8', code + 20);
      thread.state.set('r9', used - 1);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r6')).toBe(32_000 * (used - 1));
      thread.engine.close();
      return thread.engine.statistics;
    };

    test('knows the targets that an earlier one saw', () => {
      const store = memoryStore();
      expect(once(store, 8).regions).toBeGreaterThan(2);
      expect(once(store, 8)).toMatchObject({ regions: 0 });
    });

    test('translates anew, and keeps that, where it sees others', () => {
      const store = memoryStore();
      once(store, 4);
      // The four others, and one region with all of them that a target led to often.
      expect(once(store, 8)).toMatchObject({ regions: 5 });
      expect(once(store, 8)).toMatchObject({ regions: 0 });
    });

    test('adds targets to those that an earlier one saw', () => {
      const store = memoryStore();
      once(store, 8, 16);
      const thread = new TestThread('wasm', {}, store);
      thread.place(switching(16));
      thread.state.set('r5', 16);
      thread.state.set('r8', code + 20);
      thread.state.set('r9', 15);
      // The first target's region was made last, and knows all eight. The others are new.
      expect(thread.run(code + 20)).toBe('none');
      expect(thread.state.get('r6')).toBe(120);
      expect(thread.engine.statistics.regionsFromCache).toBeGreaterThan(0);
      const made = thread.logged('in_asm').map((text) => text.split('\n', 1)[0]);
      expect(made).toContain(`IN: 0x${(code + 20 + 15 * 16).toString(16)}`);
      // A region that is new has the old targets in it.
      expect(made).toContain(`IN: 0x${(code + 20 + 16).toString(16)}`);
    });

    test('makes no region anew that has no room for its targets', () => {
      const limits = { ...soon, regionLimit: 12 };
      const store = memoryStore();
      // The loop, the targets, and one that could have had room.
      expect(once(store, 32, 32, limits).regions).toBeLessThanOrEqual(1 + 32 + 1);
      expect(once(store, 32, 32, limits).regions).toBeLessThanOrEqual(1);
    });
  });

  test('goes on in a region that leaves the default floating-point mode and comes back', () => {
    const mode = (rounding: number): number => ((63 << 26) | (7 << 23) | (rounding << 12) | (134 << 1)) >>> 0; // mtfsfi 7
    const store = memoryStore();
    for (const isFirst of [true, false]) {
      const thread = new TestThread('wasm', {}, store);
      const assembler = new Assembler(code);
      const loop = assembler.label();
      assembler.emit(moveToSpecial(special.ctr, 4));
      assembler.place(loop);
      assembler.emit(mode(1), addImmediate(6, 6, 1), mode(0));
      assembler.branchIf(16, 0, loop);
      assembler.emit(systemCall);
      thread.place(assembler);
      thread.state.set('r4', 1000);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r6')).toBe(1000);
      thread.engine.close();
      expect(thread.engine.statistics.regions > 0).toBe(isFirst);
      // Nothing is left to the interpreter.
      expect(thread.engine.statistics.tiers.interpreter.count).toBe(0);
    }
  });
});

describe('what is kept is not used', () => {
  const usedBy = (store: MemoryStore, start: Start): number => run(store, start).statistics.regionsFromCache;

  test('for code that is not what it was made from', () => {
    const store = memoryStore();
    run(store);
    const { sum, statistics } = run(store, { value: 5 });
    expect(sum).toBe(5000);
    // The caller is as it was.
    expect(statistics).toMatchObject({ regions: 1, regionsKept: 1 });
    expect(statistics.regionsFromCache).toBeGreaterThan(0);
    // And the present code's took the place of the old one.
    const third = run(store, { value: 5 });
    expect(third.sum).toBe(5000);
    expect(third.statistics).toMatchObject({ regions: 0 });
  });

  test('for code that may not be executed', () => {
    const store = memoryStore();
    run(store);
    const thread = new TestThread('auto', soon, store);
    thread.place(caller());
    thread.place(constant(1), leaf);
    thread.memory.protect(leaf, 0x1000, 3);
    thread.state.set('r5', 1000);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(leaf);
    expect(thread.state.i32[header.access >> 2]).toBe(4);
  });

  test('once the code changes while it runs', () => {
    const store = memoryStore();
    run(store);
    const { thread } = run(store);
    thread.place(constant(7), leaf);
    thread.state.set('r5', 1000);
    thread.state.set('r6', 0);
    thread.run();
    expect(thread.state.get('r6')).toBe(7000);
  });

  test('under other assumptions, each of which has translations of its own', () => {
    const store = memoryStore();
    const precise = (thread: TestThread) => thread.engine.requirePreciseFaults();
    run(store);
    expect(usedBy(store, { loopBudget: 77 })).toBe(0);
    expect(usedBy(store, { prepare: precise })).toBe(0);
    expect(usedBy(store, { prepare: precise })).toBeGreaterThan(0);
    expect(usedBy(store, {})).toBeGreaterThan(0);
    const other = (thread: TestThread) => thread.memory.allocateStateBlock();
    expect(usedBy(store, { prepare: other })).toBe(0);
  });

  test('when it is damaged, of another kind, or refused by WebAssembly', () => {
    const store = memoryStore();
    run(store);
    const whole = store.kept!;
    for (let at = 0; at < whole.length; at += 61) {
      store.kept = whole.slice();
      store.kept[at] ^= 0x40;
      const { sum, statistics } = run(store);
      expect(sum).toBe(1000);
      expect(statistics.regions, `byte ${at}`).toBeGreaterThan(0);
    }
    store.kept = whole.subarray(0, whole.length >> 1).slice();
    expect(usedBy(store, {})).toBe(0);
    // Modules without sense, whose checksums are right.
    const file = decodeFile(whole)!;
    const translations = new Map(
      Array.from(file.translations, ([assumptions, byAddress]) => [
        assumptions,
        new Map(
          Array.from(byAddress, ([pc, encoded]) => {
            const translation = decodeTranslation(encoded)!;
            return [pc, encodeTranslation({ ...translation, bytes: translation.bytes.slice(0, -9) })];
          }),
        ),
      ]),
    );
    store.kept = encodeFile({ ...file, translations });
    expect(usedBy(store, {})).toBe(0);
    expect(usedBy(store, {})).toBeGreaterThan(0);
  });
});

test('a translation that met an address without code is not kept', () => {
  const store = memoryStore();
  for (let round = 0; round < 2; round++) {
    const thread = new TestThread('auto', soon, store);
    const assembler = new Assembler(code + 0x3ff0);
    const loop = assembler.label();
    assembler.emit(moveToSpecial(special.ctr, 4));
    assembler.place(loop);
    assembler.emit(loadWord(3, 0, 9), 0x60000000);
    // The last instruction before memory ends: what comes behind it has no code.
    assembler.branchIf(16, 0, loop);
    thread.place(assembler, code + 0x3ff0);
    thread.state.set('r4', 1000);
    thread.state.set('r9', data);
    expect(thread.run(code + 0x3ff0)).toBe('fault');
    expect(thread.state.pc).toBe(code + 0x4000);
    thread.engine.close();
    expect(thread.engine.statistics).toMatchObject({ regionsFromCache: 0 });
  }
});

describe('random programs', () => {
  const machine = new FuzzMachine();
  afterAll(() => machine.close());
  /** Programs of each kind, at most, and the time for them in milliseconds. */
  const most = 30;
  const time = 1000;

  test.each(kinds)(
    'of the kind "%s" do with kept translations what they do in the interpreter',
    { timeout: 60_000 },
    (kind) => {
      const next = generator(seed);
      const end = performance.now() + time;
      let used = 0;
      for (let i = 0; i < most && performance.now() < end; i++) {
        const program = createProgram(kind, next());
        const expected = machine.run(program, 'interpreted');
        const store = memoryStore();
        for (const engine of ['auto', 'wasm', 'auto'] as const) {
          const outcome = machine.run(program, engine, store);
          expect(differences(expected, outcome), `SEED=${seed}, program ${i} on ${engine}`).toEqual([]);
          used += outcome.statistics.regionsFromCache;
        }
      }
      expect(used).toBeGreaterThan(0);
    },
  );
});
