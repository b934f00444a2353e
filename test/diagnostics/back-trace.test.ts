/** The calls that lead to where a guest stands. */
import { expect, test } from 'vitest';
import { backTrace } from '../../src/diagnostics/back-trace.ts';
import { describeFatalSignal } from '../../src/diagnostics/fatal-signal.ts';
import { portableEngineNames } from '../../src/engines/create-engine.ts';
import { runThread } from '../../src/linux/run.ts';
import { State } from '../../translators/ir/state.ts';
import { powerpcRegisters } from '../../translators/powerpc/registers.ts';
import { makeGuest } from './guest.ts';

test.each(portableEngineNames)(
  'a fatal signal on the engine %s is reported with functions and source lines',
  async (engine) => {
    const { thread, engine: running, frontend, memory, symbols, lines } = makeGuest('lines', engine);
    const status = await runThread(thread, running);
    if (status.kind !== 'signal') throw new Error(`the program ended by ${status.kind}`);
    const mayBeStale = engine !== 'interpreted';
    const { signal, pc, address } = status;
    const report = describeFatalSignal(
      { signal, description: 'Segmentation fault', pc, address, access: 1, mayBeStale },
      {
        frontend,
        memory,
        state: thread.state,
        symbolAt: (address) => symbols.symbolAt(address),
        lineAt: (address) => lines.lineAt(address),
        recentCalls: [],
      },
    );
    expect(report.includes('may be out of date')).toBe(mayBeStale);
    expect(report.split('\n').slice(1, 6)).toEqual([
      expect.stringMatching(/^ {2}at 0x100000fc dereference\+0x3c \(.*lines\.c:1[01]\)$/),
      '  read of 0x00000000, which is not mapped',
      '  called from',
      expect.stringMatching(/^ {4}0x10000144 middle\+0x34 \(.*lines\.c:15\)$/),
      expect.stringMatching(/^ {4}0x100001e8 _start\+0x48 \(.*lines\.c:21\)$/),
    ]);
  },
);

/** A stack of PowerPC frames in a few words of memory; 0x1000 to 0x1fff is a function, calls stand at multiples of 0x10. */
function walk(registers: { r1: number; lr: number; pc: number }, stack: Readonly<Record<number, number>>, limit = 9) {
  const state = new State(powerpcRegisters, new ArrayBuffer(4096), 0);
  state.set('r1', registers.r1);
  state.set('lr', registers.lr);
  return backTrace(
    'powerpc',
    {
      state,
      pc: registers.pc,
      word: (address) => (address < 0x8000 ? ((address & 0xf) === 0 ? 0x48000001 : 0x60000000) : stack[address]),
      symbolAt: (address) => ({ name: 'f', start: address & ~0xfff }),
    },
    limit,
  );
}

const stack = { 36864: 0x9020, 36868: 0, 36896: 0x9040, 36900: 0x2014, 36928: 0, 36932: 0x3014 };

test('a function that stored its return address is followed by its frame', () => {
  expect(walk({ r1: 0x9000, lr: 0x1014, pc: 0x1100 }, stack)).toEqual([0x2010, 0x3010]);
  expect(walk({ r1: 0x9000, lr: 0x2014, pc: 0x1100 }, stack)).toEqual([0x2010, 0x3010]);
});

test('a function that did not is followed by the link register', () => {
  expect(walk({ r1: 0x9000, lr: 0x4014, pc: 0x1100 }, stack)).toEqual([0x4010, 0x2010, 0x3010]);
});

test('a broken stack ends the walk', () => {
  const at = { r1: 0x9000, lr: 0, pc: 0x1100 };
  expect(walk({ ...at, r1: 0x9008 }, stack)).toEqual([]);
  expect(walk(at, { ...stack, 36896: 0x9000 })).toEqual([0x2010]);
  expect(walk(at, { ...stack, 36896: 0x9041 })).toEqual([0x2010]);
  expect(walk(at, { ...stack, 36896: 0xa000 })).toEqual([0x2010]);
  expect(walk(at, { ...stack, 36900: 0x2018 })).toEqual([0x3010]);
});

test('no more calls than asked for are given', () => {
  expect(walk({ r1: 0x9000, lr: 0, pc: 0x1100 }, stack, 1)).toEqual([0x2010]);
});

test('an architecture without a known stack has none', () => {
  const view = {
    state: new State(powerpcRegisters, new ArrayBuffer(4096), 0),
    pc: 0,
    word: () => 0,
    symbolAt: () => undefined,
  };
  expect(backTrace('pdp11', view, 9)).toEqual([]);
});
