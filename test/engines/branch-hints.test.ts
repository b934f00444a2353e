/** What translations say of their branches: it must be said of branches, and V8 must be asked to heed it. */
import { Script } from 'node:vm';
import { expect, test } from 'vitest';
import { compileHinted } from '../../src/host/tiering.ts';
import { wasm } from '../../translators/webassembly/opcodes.ts';
import { Assembler, addImmediate, compareImmediate, systemCall } from '../fuzz/assembler.ts';
import { code, TestThread } from './thread.ts';

/** fadd f1, f1, f2 */
const addDoubles = 0xfc21102a;

/** Adds doubles in a loop, r5 times. */
function summing(): TestThread {
  const assembler = new Assembler(code);
  const loop = assembler.label();
  assembler.place(loop);
  assembler.emit(addDoubles, addImmediate(5, 5, -1), compareImmediate(0, 5, 0));
  assembler.branchIf(4, 2, loop);
  assembler.emit(systemCall);
  const thread = new TestThread('wasm');
  thread.place(assembler);
  thread.state.set('r5', 20);
  return thread;
}

/** Reads a module as far as these tests need it. */
class Reader {
  private readonly bytes: Uint8Array;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    return this.bytes[this.at++];
  }

  unsigned(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  }
}

/** Where the contents of a module's section lie. */
function contentsOf(bytes: Uint8Array, wanted: (id: number, name: string) => boolean): number | undefined {
  const reader = new Reader(bytes);
  reader.at = 8;
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const size = reader.unsigned();
    const start = reader.at;
    let name = '';
    if (id === 0) for (let left = reader.unsigned(); left > 0; left--) name += String.fromCharCode(reader.byte());
    if (wanted(id, name)) return reader.at;
    reader.at = start + size;
  }
  return undefined;
}

interface Hint {
  /** The instruction that it is about. */
  readonly opcode: number;
  readonly isLikely: boolean;
}

function hintsIn(bytes: Uint8Array): Hint[] {
  const hints = new Reader(bytes);
  hints.at = contentsOf(bytes, (id, name) => id === 0 && name === 'metadata.code.branch_hint') as number;
  expect(hints.unsigned()).toBe(1);
  hints.unsigned();
  const body = new Reader(bytes);
  body.at = contentsOf(bytes, (id) => id === 10) as number;
  expect(body.unsigned()).toBe(1);
  body.unsigned();
  return Array.from({ length: hints.unsigned() }, () => {
    const opcode = bytes[body.at + hints.unsigned()];
    expect(hints.unsigned()).toBe(1);
    return { opcode, isLikely: hints.byte() === 1 };
  });
}

test('hints are about conditions: of results that are no NaN, and of what is seldom', () => {
  const thread = summing();
  thread.state.set('f1', 1);
  thread.state.set('f2', 0.5);
  thread.run();
  expect(thread.state.get('f1')).toBe(11);
  const hints = thread.modules.map(hintsIn);
  expect(hints.flat().filter(({ opcode }) => opcode !== wasm.if)).toEqual([]);
  // The loop's: at its start, when it has run long, and for the sum.
  expect(hints[0].map(({ isLikely }) => isLikely)).toEqual([false, false, true]);
});

test('a module is compiled with its hints, without a change that what V8 has kept depends on', () => {
  const thread = summing();
  thread.run();
  const source = '(() => 7)()';
  const cachedData = new Script(source).createCachedData();
  const [bytes] = thread.modules;
  expect(compileHinted(bytes as Uint8Array<ArrayBuffer>)).toBeInstanceOf(WebAssembly.Module);
  expect(new Script(source, { cachedData }).cachedDataRejected).toBe(false);
});
