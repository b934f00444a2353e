/**
 * Every operation on vectors, and the scalar ones beside them, on each engine against a plain implementation: the
 * interpreter and generated JavaScript have halves, WebAssembly has vectors. Operands are random, with many that are
 * special to some operation: limits, NaNs, infinities, ties.
 */
import { describe, expect, test } from 'vitest';
import { createEngine, type EngineName } from '../../src/engines/create-engine.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import type { Frontend } from '../../translators/frontend.ts';
import { type Builder, op, type Value } from '../../translators/ir/builder.ts';
import { codes, type Operation, operations } from '../../translators/ir/operations.ts';
import { defineRegisters, State } from '../../translators/ir/state.ts';
import type { Type } from '../../translators/ir/types.ts';
import { vectorScalars } from '../../translators/ir/vector-operations.ts';
import { testFrontend } from './guest.ts';
import {
  type Bytes,
  hasFreeNans,
  mayQuiet,
  type Operand,
  quietSingles,
  vectorReferences,
  withoutPayloads,
} from './vector-reference.ts';

const code = 0x10000;
const data = 0x20000;
/** Where the operands lie, 16 bytes each, and the result. */
const places = [data, data + 16, data + 32];
const result = data + 64;

/** An operation with an immediate: guest instruction number n, 4 bytes long. */
interface Case {
  readonly operation: Operation;
  readonly immediate: number;
}

const scalarNames = new Set(vectorScalars.map(([name]) => name));
const isTested = ({ name, operands, result: type, flags }: Operation): boolean =>
  flags.has('pure') &&
  name !== 'v128.const' &&
  (type === 'v128' || operands.includes('v128') || scalarNames.has(name)) &&
  !name.includes('_words_') &&
  !name.includes('_low_f64') &&
  !name.includes('_high_f64');

/** Immediates that an operation is tried with. */
function immediatesOf({ name, immediates }: Operation): number[] {
  if (immediates.includes('nan')) return [name.startsWith('f64') ? 0xfff80000 | 0 : 0xffc00000 | 0];
  if (immediates.includes('lane'))
    return Array.from({ length: Number(name.slice(name.indexOf('x') + 1, name.indexOf('.'))) }, (_, lane) => lane);
  if (name === 'i8x16.align') return Array.from({ length: 17 }, (_, bytes) => bytes);
  if (name === 'i32x4.shuffle') return [0x3210, 0x7654, 0x5140, 0x6420, 0x0000, 0x3201, 0x0123, 0x2705];
  if (name === 'i16x8.shuffle')
    return [0x76543210, 0xfedcba98, 0x76540123, 0x32107654, 0xeca86420, 0xd0c1b2a3, 0x91f35b70].map((x) => x | 0);
  return [0];
}

const cases: Case[] = operations
  .filter(isTested)
  .flatMap((operation) => immediatesOf(operation).map((immediate) => ({ operation, immediate })));

const loads: Readonly<Record<Type, string>> = {
  i32: 'load32',
  i64: 'load64',
  f32: 'load32.f32',
  f64: 'load64.f64',
  v128: 'load128',
};
const stores: Readonly<Record<Type, string>> = {
  i32: 'store32',
  i64: 'store64',
  f32: '',
  f64: 'store64.f64',
  v128: 'store128',
};

function emit(b: Builder, { operation, immediate }: Case): void {
  const address = (at: number): Value => b.constant(at);
  const values = operation.operands.map((type, at) => b.load(codes[loads[type]], address(places[at])));
  const [x, y, z] = values;
  let made: Value;
  if (operation.immediates.length > 0) made = b.withImmediate(operation.code, immediate, x, y, z);
  else if (values.length === 1) made = b.unary(operation.code, x);
  else made = values.length === 2 ? b.binary(operation.code, x, y) : b.ternary(operation.code, x, y, z);
  if (operation.result === 'f32') {
    const zero = b.constant128(0, 0, 0, 0);
    b.store(op.store128, address(result), 0, b.withImmediate(op['f32x4.replace_lane'], 0, zero, made));
  } else {
    b.store(codes[stores[operation.result as Type]], address(result), 0, made);
    if (operation.result === 'v128') b.set(x0, made);
  }
}

const registers = defineRegisters([
  { name: 'sp', type: 'i32', pinned: true },
  { name: 'x0', type: 'v128' },
]);
const x0 = registers.numbers.x0;

/** Instruction n is case n; then one that leaves. */
const frontend: Frontend = {
  ...testFrontend,
  name: 'vectors',
  byteOrder: 'little',
  registers,
  helpers: [],
  floatingPointControl: { register: 'sp', mask: 0, inexact: 0 },
  lift: (b, _fetch, pc) => {
    if (((pc - code) & 4) !== 0) b.exit('breakpoint');
    else emit(b, cases[(pc - code) >> 3]);
    return 4;
  },
  disassemble: () => ({ text: '', length: 4 }),
};

let seed = Number(process.env.SEED ?? 1);
function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0;
  return (seed ^ (seed >>> 15)) >>> 0;
}

// biome-ignore format: kinds of numbers together
const singles = [0, 0x80000000, 0x3f800000, 0xbf800000, 0x3f000000, 0x40200000, 0xc0600000, 0x4effffff, 0x4f000000, 0xcf000000, 0xcf000001, 0x7f800000, 0xff800000, 0x7fc00000, 0x7f800001, 0xffc12345, 0xff812345, 1, 0x80000001, 0x007fffff, 0x7f7fffff, 0x4b000001];
// biome-ignore format: kinds of numbers together
const doubles = [0n, 1n << 63n, 0x3ff0000000000000n, 0xbfe0000000000000n, 0x4004000000000000n, 0xc00c000000000000n, 0x41dfffffffe00000n, 0x41e0000000000000n, 0xc1e0000000000000n, 0xc1e0000000200000n, 0x43e0000000000000n, 0xc3e0000000000000n, 0x43dfffffffffffffn, 0x7ff0000000000000n, 0xfff0000000000000n, 0x7ff8000000000000n, 0x7ff0000000000001n, 0xfff8123456789abcn, 0xfff0123456789abcn, 1n, 0x47efffffe0000000n, 0x36a0000000000001n, 0x4330000000000001n,
  // Integers midway between two singles, and beside that.
  0x4000004000000000n, 0x4000004000000001n, 0x400000bfffffffffn, 0x4000003fffffffffn, 0xbfffffbfffffffffn, 0xbfffffc000000001n];

/** @param nans the shape of a vector in which NaNs are frequent, or undefined */
function randomVector(nans?: 'f32' | 'f64'): Bytes {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  const kind = nans === undefined ? random() % 6 : nans === 'f32' ? 2 : 4;
  const isNan = (): boolean => nans !== undefined && random() % 2 === 0;
  for (let at = 0; at < 16; at += 4) view.setUint32(at, Math.imul(random(), 0x9e3779b1), true);
  if (kind === 0) for (let at = 0; at < 16; at++) bytes[at] = [0, 1, 0x7f, 0x80, 0xff, 15, 16][random() % 7];
  if (kind === 1)
    for (let at = 0; at < 16; at += 2) view.setUint16(at, [0, 1, 0x7fff, 0x8000, 0xffff, 0x8001][random() % 6], true);
  if (kind === 2 || kind === 3)
    for (let at = 0; at < 16; at += 4)
      view.setUint32(at, isNan() ? 0x7f800001 + (random() >>> 10) : singles[random() % singles.length], true);
  if (kind === 4)
    for (let at = 0; at < 16; at += 8)
      view.setBigUint64(
        at,
        isNan() ? 0x7ff0000000000001n + (BigInt(random()) << 19n) : doubles[random() % doubles.length],
        true,
      );
  return bytes;
}

/** The operand that the first bytes of a vector are. */
function operandOf(bytes: Bytes, type: Type): Operand {
  const view = new DataView(bytes.buffer);
  if (type === 'v128') return bytes;
  if (type === 'i32') return view.getInt32(0, true);
  return type === 'f32' ? view.getFloat32(0, true) : view.getBigInt64(0, true);
}

/** The bytes that are stored of a result. */
function bytesOf(value: Operand, type: Type): Bytes {
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  if (type === 'v128') bytes.set(value as Bytes);
  else if (type === 'i32') view.setInt32(0, value as number, true);
  else if (type === 'f32') view.setFloat32(0, value as number, true);
  else view.setBigInt64(0, value as bigint, true);
  return bytes;
}

/** What the state block has of the register that a vector goes to. */
function registerBytes(state: State): Bytes {
  const { offset } = state.register('x0');
  return new Uint8Array(state.i32.slice(offset >> 2, (offset >> 2) + 4).buffer);
}

const hex = (bytes: Bytes): string => Buffer.from(bytes).reverse().toString('hex');

describe.each(['interpreted', 'regions', 'wasm'] as const)('%s', (name: EngineName) => {
  const memory = new AddressSpace('little');
  const state = new State(registers, memory.buffer, memory.allocateStateBlock());
  const engine = createEngine(name, {
    frontend,
    memory,
    countInstructions: false,
    host: {
      systemCall: () => false,
      symbolAt: () => undefined,
      timeBase: () => ({ low: 0, high: 0 }),
    },
  });
  memory.onCodeChange = (start, length) => engine.invalidate(start, length);
  memory.map(code, 0x4000, 7);
  memory.map(data, 0x1000, 3);

  test.each(cases.map((entry, number) => ({ name: entry.operation.name, number, ...entry })))(
    '$name $immediate',
    ({ operation, immediate, number }) => {
      const reference = vectorReferences[operation.name];
      expect(reference, operation.name).toBeDefined();
      const type = operation.result as Type;
      const free = hasFreeNans(operation.name);
      const shape = operation.name.startsWith('f32') ? 'f32' : 'f64';
      const nans = operation.immediates.includes('nan') ? shape : undefined;
      for (let run = 0; run < Number(process.env.STELE_RUNS ?? 300); run++) {
        const operands = operation.operands.map(() => randomVector(nans));
        operands.forEach((bytes, at) => {
          memory.poke(places[at], bytes);
        });
        memory.poke(result, new Uint8Array(16));
        state.pc = code + 8 * number;
        engine.run(state);
        let actual = memory.peek(result, 16) as Bytes;
        let expected = bytesOf(
          reference(
            operands.map((bytes, at) => operandOf(bytes, operation.operands[at])),
            immediate,
          ),
          type,
        );
        if (free !== 0) [actual, expected] = [withoutPayloads(actual, free), withoutPayloads(expected, free)];
        if (type === 'v128') expect(hex(registerBytes(state))).toBe(hex(memory.peek(result, 16) as Bytes));
        if (mayQuiet(operation.name)) [actual, expected] = [quietSingles(actual), quietSingles(expected)];
        expect(hex(actual), `${operation.name} ${immediate} of ${operands.map(hex).join(' ')}`).toBe(hex(expected));
      }
    },
  );
});
