/** What makes the translated engines fast and right, each seen at work. */
import { describe, expect, test } from 'vitest';
import { policies } from '../../src/engines/translated/policy.ts';
import { header } from '../../translators/ir/state.ts';
import {
  Assembler,
  addImmediate,
  compareImmediate,
  immediateForm,
  indexedForm,
  instructionSync,
  jumpToCounter,
  loadWord,
  moveFromSpecial,
  moveToSpecial,
  returnToLink,
  special,
  storeWord,
  storeWordUpdate,
  sync,
  systemCall,
} from '../fuzz/assembler.ts';
import { bytesOf, FuzzMachine } from '../fuzz/machine.ts';
import { createProgram } from '../fuzz/programs.ts';
import { caller, constant } from './caller.ts';
import { code, data, limitsOf, TestThread, wholeAtOnce } from './thread.ts';

const names = Object.keys(policies) as (keyof typeof policies)[];
const countLoop = 16; // BO of bdnz
const whenSet = 12; // BO of a branch on a condition bit

/** r3 += 1, r4 times; then a system call. */
function counting(): Assembler {
  const assembler = new Assembler(code);
  const loop = assembler.label();
  assembler.emit(moveToSpecial(special.ctr, 4));
  assembler.place(loop);
  assembler.emit(addImmediate(3, 3, 1));
  assembler.branchIf(countLoop, 0, loop);
  assembler.emit(systemCall);
  return assembler;
}

/** or ra,rs,rb */
const or = (ra: number, rs: number, rb: number): number => indexedForm(rs, ra, rb, 444);

describe('translating', () => {
  test.each(names)('%s translates what runs often, the interpreter nothing', (name) => {
    for (const [engine, translates] of [[name, true] as const, ['interpreted', false] as const]) {
      const thread = new TestThread(engine, limitsOf(name));
      thread.place(counting());
      thread.state.set('r4', 1000);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r3')).toBe(1000);
      expect(thread.state.pc).toBe(code + 16);
      expect(thread.engine.statistics.regions > 0).toBe(translates);
      expect(thread.logged('out_js').length + thread.logged('out_wasm').length > 0).toBe(translates);
    }
  });

  test('auto leaves alone what runs seldom', () => {
    const thread = new TestThread('auto', { threshold: 50 });
    thread.place(counting());
    thread.state.set('r4', 10);
    thread.run();
    expect(thread.engine.statistics.regions).toBe(0);
    thread.state.set('r4', 100);
    thread.run();
    expect(thread.engine.statistics.regions).toBeGreaterThan(0);
  });
});

describe.each(names)('%s forgets code that changes', (name) => {
  const prepared = (): TestThread => {
    const thread = new TestThread(name, limitsOf(name));
    thread.place(caller());
    thread.place(constant(1), code + 0x1000);
    thread.state.set('r5', 100);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r6')).toBe(100);
    thread.state.set('r5', 100);
    thread.state.set('r6', 0);
    return thread;
  };

  test('that the host writes', () => {
    const thread = prepared();
    thread.place(constant(7), code + 0x1000);
    thread.run();
    expect(thread.state.get('r6')).toBe(700);
    expect(thread.engine.statistics.invalidations).toBeGreaterThan(0);
  });

  test('that is not mapped any more, or may not be executed', () => {
    const thread = prepared();
    thread.memory.protect(code + 0x1000, 0x1000, 3);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(code + 0x1000);
    expect(thread.state.i32[header.detail >> 2]).toBe(code + 0x1000);
    expect(thread.state.i32[header.access >> 2]).toBe(4);
    thread.memory.protect(code + 0x1000, 0x1000, 5);
    expect(thread.resume()).toBe('none');
    expect(thread.state.get('r6')).toBe(100);
    thread.memory.unmap(code + 0x1000, 0x1000);
    thread.state.set('r5', 100);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(code + 0x1000);
  });

  test('that is mapped anew, or moved away', () => {
    const thread = prepared();
    thread.memory.map(code + 0x1000, 0x1000, 7);
    expect(thread.run()).toBe('illegal');
    expect(thread.state.pc).toBe(code + 0x1000);
    thread.place(constant(5), code + 0x1000);
    expect(thread.resume()).toBe('none');
    expect(thread.state.get('r6')).toBe(500);
    thread.state.set('r5', 100);
    thread.memory.move(code + 0x1000, 0x1000, code + 0x8000, 0x1000);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(code + 0x1000);
    expect(thread.run(code + 0x8000)).toBe('fault');
    expect(thread.state.get('r3')).toBe(5);
  });

  test('behind an access that leaves its translation', () => {
    // A misaligned access in a mapping's last page: the table's entry refuses it, and the interpreter goes on from there.
    const thread = new TestThread(name, limitsOf(name));
    const assembler = new Assembler(code);
    const loop = assembler.label();
    assembler.emit(moveToSpecial(special.ctr, 4));
    assembler.place(loop);
    assembler.emit(loadWord(9, 1, 5), addImmediate(3, 3, 1), systemCall);
    assembler.branchIf(countLoop, 0, loop);
    assembler.emit(systemCall);
    thread.place(assembler);
    thread.state.set('r4', 60);
    thread.state.set('r5', data);
    let calls = 0;
    thread.systemCall = () => {
      if (thread.state.pc !== code + 16) return false;
      if (++calls === 30) thread.memory.poke(code + 8, bytesOf([addImmediate(3, 3, 100)]));
      return true;
    };
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r3')).toBe(30 + 30 * 100);
  });

  test('that the guest itself writes, also the code that is running', () => {
    const thread = new TestThread(name, limitsOf(name));
    const assembler = new Assembler(code);
    const [loop, slot] = [assembler.label(), assembler.label()];
    // Each time round the slot becomes li r3,r4: the number of the round.
    assembler.addressInto(12, slot);
    assembler.place(loop);
    assembler.emit(immediateForm(15, 11, 0, 0x3860), or(11, 11, 4), storeWord(11, 0, 12));
    assembler.emit(indexedForm(0, 0, 12, 54), sync, indexedForm(0, 0, 12, 982), instructionSync);
    assembler.place(slot);
    assembler.emit(addImmediate(3, 0, 0), indexedForm(6, 6, 3, 266), addImmediate(4, 4, -1), compareImmediate(0, 4, 0));
    assembler.branchIf(4, 2, loop);
    assembler.emit(systemCall);
    thread.place(assembler);
    thread.state.set('r4', 40);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r6')).toBe((40 * 41) / 2);
  });
});

const sumAddress = code + 0x100;

/** r3 = the sum of r3 down to 1, by recursion. @param innermost instructions of the innermost call */
function recursion(...innermost: number[]): Assembler {
  const assembler = new Assembler(code);
  const [sum, base] = [assembler.label(), assembler.label()];
  assembler.branch(sum, 1);
  assembler.emit(systemCall);
  while (assembler.words.length < (sumAddress - code) / 4) assembler.emit(0);
  assembler.place(sum);
  assembler.emit(compareImmediate(0, 3, 0));
  assembler.branchIf(whenSet, 2, base);
  assembler.emit(storeWordUpdate(1, -16, 1), moveFromSpecial(0, special.lr), storeWord(0, 20, 1), storeWord(3, 8, 1));
  assembler.emit(addImmediate(3, 3, -1));
  assembler.branch(sum, 1);
  assembler.emit(loadWord(4, 8, 1), indexedForm(3, 3, 4, 266));
  assembler.emit(loadWord(0, 20, 1), moveToSpecial(special.lr, 0), addImmediate(1, 1, 16));
  assembler.place(base);
  assembler.emit(...innermost, returnToLink);
  return assembler;
}

describe('calls', () => {
  test('are calls of the host, named after the guest', () => {
    const thread = new TestThread('regions', wholeAtOnce);
    const assembler = new Assembler(code);
    const [outer, inner] = [assembler.label(), assembler.label()];
    assembler.branch(outer, 1);
    assembler.emit(systemCall);
    assembler.place(outer);
    assembler.emit(moveFromSpecial(5, special.lr));
    assembler.branch(inner, 1);
    assembler.emit(moveToSpecial(special.lr, 5), returnToLink);
    assembler.place(inner);
    assembler.emit(systemCall, returnToLink);
    thread.place(assembler);
    thread.symbols = [
      { name: 'outer', start: code + 8, size: 16 },
      { name: 'inner', start: code + 24, size: 8 },
    ];
    const stacks: string[] = [];
    thread.systemCall = () => {
      stacks.push(new Error().stack ?? '');
      return stacks.length < 2;
    };
    expect(thread.run()).toBe('none');
    expect(thread.state.pc).toBe(code + 8);
    expect(stacks[0]).toMatch(/inner_10000018[\s\S]*outer_10000008/);
    expect(stacks[1]).not.toMatch(/inner|outer/);
  });

  test.each(names)('nest deeper than the host could on %s', (name) => {
    const thread = new TestThread(name, limitsOf(name));
    thread.place(recursion());
    const depth = 50_000;
    for (let round = 0; round < 3; round++) {
      thread.state.set('r3', depth);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r3') >>> 0).toBe(((depth * (depth + 1)) / 2) % 2 ** 32);
    }
  });

  test('beyond the depth limit go on from the loop around translations', () => {
    const deepest = (depthLimit: number): number => {
      const thread = new TestThread('regions', { ...wholeAtOnce, depthLimit });
      // The innermost call makes a system call, which looks at the host's stack.
      thread.place(recursion(systemCall));
      let frames = 0;
      thread.systemCall = () => {
        if (thread.state.pc < sumAddress) return false;
        const { stackTraceLimit } = Error;
        Error.stackTraceLimit = 1000;
        frames = Math.max(frames, (new Error().stack ?? '').match(/at (Cell\.)?guest_/g)?.length ?? 0);
        Error.stackTraceLimit = stackTraceLimit;
        return true;
      };
      thread.state.set('r3', 95);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r3')).toBe((95 * 96) / 2);
      return frames;
    };
    expect(deepest(1000)).toBeGreaterThan(90);
    expect(deepest(10)).toBeLessThan(15);
  });
});

test.each(names)('a long loop is left on %s through its back edge, and goes on where it was', (name) => {
  const loopBudget = 5;
  const thread = new TestThread(name, { ...limitsOf(name), loopBudget });
  const assembler = new Assembler(code);
  const loop = assembler.label();
  assembler.emit(moveToSpecial(special.ctr, 4));
  assembler.place(loop);
  assembler.emit(0x7d2c42e6, addImmediate(3, 3, 1)); // mftb r9
  assembler.branchIf(countLoop, 0, loop);
  assembler.emit(systemCall);
  thread.place(assembler);
  const [rounds, interrupted] = [1000, 500];
  let ticks = 0;
  thread.timeBase = () => {
    if (++ticks === interrupted) thread.state.i32[header.interrupt >> 2] = 1;
    return { low: ticks, high: 0 };
  };
  thread.state.set('r4', rounds);
  expect(thread.run()).toBe('interrupt');
  expect(thread.engine.statistics.regions).toBeGreaterThan(0);
  // An inner loop, which this one is in a region of its own, goes ten times longer.
  expect(thread.state.get('r3')).toBeLessThanOrEqual(interrupted + 10 * loopBudget + 1);
  thread.state.i32[header.interrupt >> 2] = 0;
  expect(thread.resume()).toBe('none');
  expect(thread.state.get('r3')).toBe(rounds);
});

describe('a region of what has run', () => {
  /** r3 += 1, r4 times; every time that r3 and r6 have a bit in common, r5 += 1 (cold), r7 is what r3 was last. */
  const rarely = (): { assembler: Assembler; cold: number } => {
    const assembler = new Assembler(code);
    const [loop, seldom, back] = [assembler.label(), assembler.label(), assembler.label()];
    assembler.place(loop);
    assembler.emit(addImmediate(3, 3, 1), indexedForm(3, 8, 6, 28) | 1); // and. r8,r3,r6
    assembler.branchIf(4, 2, seldom);
    assembler.place(back);
    assembler.emit(addImmediate(7, 3, 0), addImmediate(4, 4, -1), compareImmediate(0, 4, 0));
    assembler.branchIf(4, 2, loop);
    assembler.emit(systemCall);
    assembler.place(seldom);
    assembler.emit(addImmediate(5, 5, 1));
    assembler.branch(back);
    return { assembler, cold: assembler.addressOf(seldom) };
  };
  const run = (threshold: number, mask: number, rounds: number) => {
    const thread = new TestThread('regions', { threshold });
    const { assembler, cold } = rarely();
    thread.place(assembler);
    const go = (bits: number): void => {
      for (const name of ['r3', 'r5', 'r7']) thread.state.set(name, 0);
      thread.state.set('r4', rounds);
      thread.state.set('r6', bits);
      expect(thread.run()).toBe('none');
      expect(thread.state.get('r3')).toBe(rounds);
      expect(thread.state.get('r7')).toBe(rounds);
    };
    go(mask);
    return { thread, cold, go };
  };
  const adds = (text: string): boolean => text.includes('r5 + 1');

  test('leaves for the rest, and takes it in when it runs often', () => {
    const { thread, cold, go } = run(20, 0, 1000);
    const [first] = thread.logged('out_js');
    expect(first).toContain(`return ${cold};`);
    expect(adds(first)).toBe(false);
    // Now and then: the interpreter does it.
    go(64 * 8);
    expect(thread.state.get('r5')).toBe(489);
    const texts = thread.logged('out_js');
    expect(texts.filter(adds).length).toBe(1);
    expect(adds(texts[texts.length - 1])).toBe(true);
    const { regions } = thread.engine.statistics;
    go(1);
    expect(thread.state.get('r5')).toBe(500);
    expect(thread.engine.statistics.regions).toBe(regions);
  });

  test('has its exits rehearsed without a trace', () => {
    const thread = new TestThread('regions', { threshold: 20 });
    const { assembler } = rarely();
    thread.place(assembler);
    thread.state.set('r4', 1000);
    const kept = { r5: 5, r8: 8, r20: 20, 'cr7.eq': 1, 'xer.ca': 1 };
    for (const [name, value] of Object.entries(kept)) thread.state.set(name, value);
    expect(thread.run()).toBe('none');
    expect(thread.logged('out_js').some((text) => /^case -1: /m.test(text))).toBe(true);
    for (const [name, value] of Object.entries({ ...kept, r8: 0, r3: 1000, r7: 1000 })) {
      expect([name, thread.state.get(name)]).toEqual([name, value]);
    }
  });

  test('calls what has not run by way of the interpreter', () => {
    const thread = new TestThread('regions', { threshold: 20 });
    const assembler = new Assembler(code);
    const [loop, inner, done] = [assembler.label(), assembler.label(), assembler.label()];
    assembler.branch(loop);
    assembler.place(inner);
    assembler.emit(addImmediate(3, 3, 1), returnToLink);
    assembler.place(loop);
    assembler.emit(compareImmediate(0, 4, 900));
    assembler.branchIf(12, 1, done); // r4 > 900: not called yet
    assembler.branch(inner, 1);
    assembler.place(done);
    assembler.emit(addImmediate(4, 4, -1), compareImmediate(0, 4, 0));
    assembler.branchIf(4, 2, loop);
    assembler.emit(systemCall);
    thread.place(assembler);
    thread.state.set('r4', 1000);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r3')).toBe(900);
    const callee = assembler.addressOf(inner).toString(16);
    const texts = thread.logged('out_js');
    expect(texts.some((text) => text.includes(`c${callee}.f(next)`))).toBe(true);
    expect(texts.filter((text) => text.startsWith(`function guest_${callee}(`)).length).toBe(1);
  });
});

test('targets of an indirect jump that are seen often become part of its region', () => {
  const thread = new TestThread('regions', wholeAtOnce);
  const assembler = new Assembler(code);
  const [loop, join, first, second] = [assembler.label(), assembler.label(), assembler.label(), assembler.label()];
  assembler.place(loop);
  // r9 alternates between the two addresses: r10 is one xor the other.
  assembler.emit(indexedForm(9, 9, 10, 316), moveToSpecial(special.ctr, 9), jumpToCounter);
  assembler.place(first);
  assembler.emit(addImmediate(3, 3, 1));
  assembler.branch(join);
  assembler.place(second);
  assembler.emit(addImmediate(3, 3, 100));
  assembler.place(join);
  assembler.emit(addImmediate(4, 4, -1), compareImmediate(0, 4, 0));
  assembler.branchIf(4, 2, loop);
  assembler.emit(systemCall);
  thread.place(assembler);
  const [one, other] = [assembler.addressOf(first), assembler.addressOf(second)];
  const go = (): void => {
    thread.state.set('r3', 0);
    thread.state.set('r4', 1000);
    thread.state.set('r9', other);
    thread.state.set('r10', one ^ other);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r3')).toBe(500 * 101);
  };
  const jumpTables = (): number =>
    [...thread.logged('out_js'), ...thread.logged('out_wasm')].filter((text) => /switch \(J1|br_table/.test(text))
      .length;
  go();
  expect(jumpTables()).toBeGreaterThan(0);
  const regions = thread.engine.statistics.regions;
  go();
  expect(thread.engine.statistics.regions).toBe(regions);
});

describe.each(['interpreted', ...names] as const)('faults on %s', (name) => {
  /** Sets CR0, CR1 and r7, loads from r5, and sets them again: the first time is dead unless the load faults. */
  function dying(): TestThread {
    const thread = new TestThread(name, name === 'interpreted' ? undefined : limitsOf(name));
    const assembler = new Assembler(code);
    const loop = assembler.label();
    assembler.emit(moveToSpecial(special.ctr, 4));
    assembler.place(loop);
    assembler.emit(compareImmediate(0, 3, 5), compareImmediate(1, 3, 7), addImmediate(7, 3, 1), loadWord(6, 4, 5));
    assembler.emit(compareImmediate(0, 3, 0), compareImmediate(1, 3, 0), addImmediate(7, 3, 2));
    assembler.branchIf(countLoop, 0, loop);
    assembler.emit(systemCall);
    thread.place(assembler);
    thread.state.set('r3', 6);
    thread.state.set('r4', 50);
    thread.state.set('r5', data);
    return thread;
  }

  test('tell where, what and how', () => {
    const thread = dying();
    expect(thread.run()).toBe('none');
    thread.state.set('r5', 0x50000000);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(code + 16);
    expect(thread.state.i32[header.detail >> 2]).toBe(0x50000004);
    expect(thread.state.i32[header.access >> 2]).toBe(1);
  });

  test('show dead registers exactly once that was asked for', () => {
    const thread = dying();
    thread.run();
    thread.engine.requirePreciseFaults();
    thread.run();
    thread.state.set('r5', 0x50000000);
    expect(thread.run()).toBe('fault');
    const flags = ['cr0.lt', 'cr0.gt', 'cr0.eq', 'cr1.lt', 'cr1.gt', 'cr1.eq'].map((flag) => thread.state.get(flag));
    expect(flags).toEqual([0, 1, 0, 1, 0, 0]);
    expect(thread.state.get('r7')).toBe(7);
  });
});

describe.each(['interpreted', ...names] as const)('addresses beyond the end of memory on %s', (name) => {
  const limits = name === 'interpreted' ? undefined : limitsOf(name);

  test.each([0x80000000, 0xfffffff8, ~(code + 0x40) & ~3])('a return to %i faults there', (target) => {
    const thread = new TestThread(name, limits);
    const assembler = new Assembler(code);
    const [loop, leaf] = [assembler.label(), assembler.label()];
    assembler.place(loop);
    assembler.branch(leaf, 1);
    assembler.emit(addImmediate(4, 4, -1), compareImmediate(0, 4, 0));
    assembler.branchIf(12, 1, loop);
    // The last call returns where r5 says.
    assembler.emit(moveToSpecial(special.lr, 5));
    assembler.place(leaf);
    assembler.emit(addImmediate(3, 3, 1), returnToLink);
    thread.place(assembler);
    thread.state.set('r4', 20);
    thread.state.set('r5', target | 0);
    expect(thread.run()).toBe('fault');
    expect(thread.state.pc).toBe(target >>> 0);
    expect(thread.state.i32[header.detail >> 2] >>> 0).toBe(target >>> 0);
    expect(thread.state.get('r3')).toBe(21);
  });

  test('an access off a base there reaches the last pages', () => {
    const thread = new TestThread(name, limits);
    const { limit } = thread.memory;
    thread.memory.map(limit - 0x1000, 0x1000, 3);
    thread.memory.writeU32(limit - 8, 42);
    const assembler = new Assembler(code);
    const loop = assembler.label();
    assembler.emit(moveToSpecial(special.ctr, 4));
    assembler.place(loop);
    assembler.emit(loadWord(3, -0x7008, 5), storeWord(3, -0x7004, 5));
    assembler.branchIf(countLoop, 0, loop);
    assembler.emit(systemCall);
    thread.place(assembler);
    thread.state.set('r4', 20);
    thread.state.set('r5', limit + 0x7000);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r3')).toBe(42);
    expect(thread.memory.readU32(limit - 4)).toBe(42);
  });
});

test('flags that nothing reads are not computed unless faults are precise', () => {
  const writes = (precise: boolean): number => {
    const thread = new TestThread('regions', wholeAtOnce);
    if (precise) thread.engine.requirePreciseFaults();
    const assembler = new Assembler(code);
    // The second access may fault: its base is known only behind the first.
    assembler.emit(
      loadWord(7, 0, 5),
      compareImmediate(0, 3, 5),
      loadWord(6, 0, 7),
      compareImmediate(0, 3, 7),
      systemCall,
    );
    thread.place(assembler);
    thread.memory.poke(data, bytesOf([data]));
    thread.state.set('r5', data);
    expect(thread.run()).toBe('none');
    return (
      thread
        .logged('out_js')
        .join('\n')
        .match(/[<>=]=?=? 5\b/g)?.length ?? 0
    );
  };
  expect(writes(false)).toBe(0);
  expect(writes(true)).toBeGreaterThan(0);
});

test.each(names)('floating-point status becomes exact on %s when the guest looks at it', (name) => {
  const thread = new TestThread(name, limitsOf(name));
  const assembler = new Assembler(code);
  const loop = assembler.label();
  assembler.emit(moveToSpecial(special.ctr, 4));
  assembler.place(loop);
  assembler.emit(0xfc411824); // fdiv f2,f1,f3
  assembler.branchIf(countLoop, 0, loop);
  assembler.emit(systemCall, 0xfc80048e, 0xd8850000); // mffs f4; stfd f4,0(r5)
  assembler.emit(0xfc411824, systemCall);
  thread.place(assembler);
  const inexact = 1 << 25;
  thread.state.set('f1', 1);
  thread.state.set('f3', 3);
  thread.state.set('r4', 20);
  thread.state.set('r5', data);
  expect(thread.run()).toBe('none');
  expect(thread.state.get('f2')).toBe(1 / 3);
  expect(thread.engine.statistics.exactFloatingPoint).toBe(false);
  expect(thread.resume()).toBe('none');
  expect(thread.engine.statistics.exactFloatingPoint).toBe(true);
  expect(thread.state.get('fpscr') & inexact).toBe(inexact);
});

describe.each(['interpreted', ...names] as const)('%s is interrupted', (name) => {
  test('before it runs', () => {
    const thread = new TestThread(name);
    thread.place(counting());
    thread.state.set('r4', 10);
    thread.state.i32[header.interrupt >> 2] = 1;
    expect(thread.run()).toBe('interrupt');
    thread.state.i32[header.interrupt >> 2] = 0;
    expect(thread.resume()).toBe('none');
    expect(thread.state.get('r3')).toBe(10);
  });

  test('in a loop without end, by another thread', { timeout: 20_000 }, () => {
    const machine = new FuzzMachine();
    machine.patience = 300;
    const words = [0x38630001, 0x4bfffffc]; // addi r3,r3,1; b back
    const program = { ...createProgram('straight', 1), words, removable: [] };
    expect(machine.run(program, name).endless).toBe(true);
    machine.close();
  });
});
