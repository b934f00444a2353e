import { describe, expect, test } from 'vitest';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { Structure } from '../../src/linux/abi/structure.ts';
import { Dispatcher } from '../../src/linux/dispatch.ts';
import { errno } from '../../src/linux/errno.ts';
import type { ArgumentKind, SystemCallRow } from '../../src/linux/system-call.ts';
import { dispatchTable, systemCalls } from '../../src/linux/table.ts';
import { createProcess, programAddress } from './process-guest.ts';

const row = (
  name: string,
  number: number,
  kinds: ArgumentKind[],
  handler: SystemCallRow['handler'],
): SystemCallRow => ({
  name,
  numbers: { powerpc: number },
  arguments: kinds,
  handler,
  support: 'full',
});

describe('the table', () => {
  test('has each number once, under the kernel’s name', () => {
    for (const entry of dispatchTable(powerpc)) {
      if (entry !== undefined) expect(entry.row.name).toBe(powerpc.names[entry.number]);
    }
  });
  test('refuses a number that is taken', () => {
    const twice = [row('a', 1, [], () => 0), row('b', 1, [], () => 0)];
    expect(() => dispatchTable(powerpc, twice)).toThrow('both a and b');
  });
  test('explains what is not full', () => {
    for (const { name, support, note } of systemCalls) {
      if (support === 'partial') expect(note, name).toBeTruthy();
    }
  });
});

describe('arguments and results', () => {
  function made(kinds: ArgumentKind[], handler: SystemCallRow['handler']) {
    const guest = createProcess();
    const table = dispatchTable(powerpc, [row('probe', 7, kinds, handler)]);
    const dispatcher = new Dispatcher(guest.thread, powerpc, { table });
    guest.state.set('r0', 7);
    return { ...guest, dispatcher };
  }

  test('signed, unsigned, and 64 bits in an aligned pair, high word first', () => {
    let seen: number[] = [];
    const { state, dispatcher } = made(['int', 'uint', 'int', 'i64'], (call) => {
      seen = call.args.slice(0, 4);
      return 0;
    });
    [-1, -1, 5, 99, 1, 2].forEach((value, i) => {
      state.set(`r${i + 3}`, value);
    });
    // The third word is at position 2; the pair skips position 3.
    const shifted = powerpc.plan(['int', 'uint', 'int', 'i64']);
    expect([...shifted.positions]).toEqual([0, 1, 2, 4]);
    expect(dispatcher.dispatch()).toBe(true);
    expect(seen).toEqual([-1, 0xffffffff, 5, 0x1_0000_0002]);
  });
  test('a negative 64-bit argument', () => {
    let seen = 0;
    const { state, dispatcher } = made(['i64'], (call) => {
      seen = call.args[0];
      return 0;
    });
    state.set('r3', -1);
    state.set('r4', -2);
    dispatcher.dispatch();
    expect(seen).toBe(-2);
  });
  test('an error sets CR0.SO and r3 to the positive number', () => {
    const { state, dispatcher } = made([], () => -errno.ENOENT);
    dispatcher.dispatch();
    expect([state.get('r3'), state.get('cr0.so')]).toEqual([errno.ENOENT, 1]);
  });
  test('a value clears CR0.SO; addresses above 2 GB are values', () => {
    const { state, dispatcher } = made([], () => 0xf0000000);
    state.set('cr0.so', 1);
    dispatcher.dispatch();
    expect([state.get('r3') >>> 0, state.get('cr0.so')]).toEqual([0xf0000000, 0]);
  });
  test('a memory fault is EFAULT', () => {
    const { state, dispatcher } = made(['pointer'], (call) => call.memory.readU32(call.args[0]));
    state.set('r3', 0x50000000);
    dispatcher.dispatch();
    expect([state.get('r3'), state.get('cr0.so')]).toEqual([errno.EFAULT, 1]);
  });
  test('a call that waits leaves the engine and stores its result when it settles', async () => {
    const { state, dispatcher, thread } = made(['int'], async () => 42);
    state.set('r3', 5);
    expect(dispatcher.dispatch()).toBe(false);
    expect(dispatcher.recentCalls()).toEqual([{ name: 'probe', args: [5], result: undefined }]);
    await thread.waiting;
    expect(state.get('r3')).toBe(42);
    expect(dispatcher.recentCalls()[0].result).toBe(42);
  });
  test('a call that wants attention leaves the engine', () => {
    const { dispatcher, thread } = made([], (call) => {
      call.thread.attention = true;
      return 0;
    });
    expect(dispatcher.dispatch()).toBe(false);
    expect(thread.waiting).toBeUndefined();
  });
});

describe('unknown numbers', () => {
  test('are ENOSYS, reported once', () => {
    const { state, thread } = createProcess();
    const reports: string[] = [];
    const dispatcher = new Dispatcher(thread, powerpc, { onUnknown: (text) => reports.push(text) });
    for (const number of [317_000, 120_000, 317_000, -1, 425]) {
      state.set('r0', number);
      dispatcher.dispatch();
      expect([state.get('r3'), state.get('cr0.so')]).toEqual([errno.ENOSYS, 1]);
    }
    expect(reports).toHaveLength(4);
    expect(reports[3]).toBe('system call 425 (io_uring_setup) is not implemented');
  });
});

test('many calls are told of, once', () => {
  const { state, thread } = createProcess();
  const told: number[] = [];
  const dispatcher = new Dispatcher(thread, powerpc, { onManyCalls: () => told.push(dispatcher.calls) });
  for (let call = 0; call < 120_000; call++) {
    state.set('r0', -1);
    dispatcher.dispatch();
  }
  expect(told).toEqual([50_000]);
});

test('the last eight calls are remembered', () => {
  const guest = createProcess();
  for (let i = 0; i < 10; i++) guest.call('close', 100 + i);
  const recent = guest.dispatcher.recentCalls();
  expect(recent).toHaveLength(8);
  expect(recent[7]).toEqual({ name: 'close', args: [109], result: -errno.EBADF });
});

test('structures follow the ABI’s alignments', () => {
  const rows = { a: 'u8', b: 'u64', c: 'long', d: ['u16', 3] } as const;
  const big = new Structure(rows, { byteOrder: 'big', wordSize: 4, alignmentOf64: 8 });
  expect([big.fields.b.offset, big.fields.c.offset, big.fields.d.offset, big.size]).toEqual([8, 16, 20, 32]);
  const i386 = new Structure(rows, { byteOrder: 'little', wordSize: 4, alignmentOf64: 4 });
  expect([i386.fields.b.offset, i386.fields.c.offset, i386.size]).toEqual([4, 12, 24]);
  const { memory } = createProcess();
  big.write(memory, programAddress, { a: 255, b: 0x1_0000_0002, c: -3, d: [1, 2, 3] });
  expect(memory.readU64(programAddress + 8)).toBe(0x1_0000_0002n);
  expect(big.read(memory, programAddress)).toEqual({ a: 255, b: 0x1_0000_0002, c: -3, d: 1 });
});
