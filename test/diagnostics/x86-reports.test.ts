/** What reports of i386 and x86-64 programs show: calls that led to a place, and registers. */
import { describe, expect, test } from 'vitest';
import { backTrace } from '../../src/diagnostics/back-trace.ts';
import { registerView } from '../../src/diagnostics/register-view.ts';
import { State } from '../../translators/ir/state.ts';
import { i386Registers, x86_64Registers } from '../../translators/x86/registers.ts';
import { setFlagsWord } from '../../translators/x86/state-image.ts';

/** Functions f, g and h at 0x1000, 0x2000 and 0x3000; a stack at 0x8000. */
const functions = [0x1000, 0x2000, 0x3000];
const start = 0x8000;

/** Code that calls: `call` at an address with the bytes of the instruction. */
const direct = (from: number, to: number): [number, number[]] => {
  const distance = to - (from + 5);
  return [from, [0xe8, 0, 8, 16, 24].map((shift, i) => (i === 0 ? 0xe8 : (distance >> shift) & 255))];
};

function walk(
  mode: 32 | 64,
  code: readonly (readonly [number, readonly number[]])[],
  stack: readonly number[],
  frame = 0,
  limit = 9,
): number[] {
  const { file } = mode === 64 ? x86_64Registers : i386Registers;
  const size = mode / 8;
  const memory = new DataView(new ArrayBuffer(0x9000));
  for (const [address, bytes] of code) for (const [i, byte] of bytes.entries()) memory.setUint8(address + i, byte);
  stack.forEach((value, i) => {
    memory.setUint32(start + i * size, value, true);
  });
  const state = new State(file, new ArrayBuffer(4096), 0);
  const set = (name: string, value: number) => {
    state.i32[state.register(name).offset >> 2] = value;
  };
  set(mode === 64 ? 'rsp' : 'esp', start);
  set(mode === 64 ? 'rbp' : 'ebp', frame);
  const view = {
    state,
    pc: 0x1004,
    word: (address: number) =>
      address >= 0x1000 && address + 4 <= 0x9000 ? memory.getUint32(address, true) : undefined,
    symbolAt: (address: number) => {
      const at = functions.findLast((each) => each <= address && address < each + 0x1000);
      return at === undefined ? undefined : { name: `f${at}`, start: at };
    },
  };
  return backTrace(mode === 64 ? 'x86-64' : 'i386', view, limit);
}

describe.each([32, 64] as const)('calls of a %i-bit program', (mode) => {
  const fromG = direct(0x2010, 0x1000);
  const fromH = direct(0x3020, 0x2000);

  test('are found on the stack by their return addresses', () => {
    expect(walk(mode, [fromG, fromH], [7, 0x2015, 8, 9, 0x3025, 0])).toEqual([0x2010, 0x3020]);
    expect(walk(mode, [fromG, fromH], [7, 0x2015, 8, 9, 0x3025, 0], 0, 1)).toEqual([0x2010]);
  });

  test('must have gone to the function that runs', () => {
    // What an earlier call has left: h calls g, but f runs.
    expect(walk(mode, [fromG, fromH], [0x3025, 0x2015, 0x3025])).toEqual([0x2010, 0x3020]);
  });

  test('may be indirect, of any length', () => {
    for (const bytes of [
      [0xff, 0xd0],
      [0xff, 0x50, 8],
      [0xff, 0x54, 0x24, 8],
      [0xff, 0x15, 1, 2, 3, 4],
      [0xff, 0x94, 0x24, 1, 2, 3, 4],
    ]) {
      expect(walk(mode, [[0x2010, bytes]], [0x2010 + bytes.length])).toEqual([0x2010]);
    }
    // A jump through the same operand is no call.
    expect(walk(mode, [[0x2010, [0xff, 0xe0]]], [0x2012])).toEqual([]);
  });

  test('follow frame pointers, wherever the call says that it went', () => {
    const elsewhere = direct(0x2010, 0x3000);
    const size = mode / 8;
    const frames = [5, start + 4 * size, 0x2015, 6, 0, 0x3025];
    expect(walk(mode, [elsewhere, fromH], frames, start + size)).toEqual([0x2010, 0x3020]);
    expect(walk(mode, [elsewhere, fromH], frames)).toEqual([]);
  });
});

test('registers are shown by their names, with the flags that are set', () => {
  const state = new State(x86_64Registers.file, new ArrayBuffer(4096), 0);
  state.i64[state.register('r9').index] = -2n;
  setFlagsWord(state, 0x41);
  const { cells, set } = registerView('x86-64', state);
  expect(Object.fromEntries(cells)).toMatchObject({ rax: '0'.repeat(16), r9: 'fffffffffffffffe', rflags: '00000243' });
  expect(cells).toHaveLength(19);
  expect(set).toEqual(['CF', 'ZF']);
  const narrow = new State(i386Registers.file, new ArrayBuffer(4096), 0);
  narrow.set('esi', -1);
  expect(Object.fromEntries(registerView('i386', narrow).cells)).toMatchObject({ esi: 'ffffffff', eax: '00000000' });
});
