/**
 * A plain evaluator of IR, one instruction after the other with nothing remembered but values and
 * registers: what the interpreter's preparation must not change. It shares the operations' JavaScript
 * and nothing else with the interpreter; memory is read and written byte by byte.
 */
import { doubleToSingle, fromHalves, highHalf, lowHalf, singleToDouble } from '../../translators/float/operations.ts';
import { exitCode, type Operation, operations } from '../../translators/ir/operations.ts';
import { runtime as plainRuntime } from '../../translators/ir/runtime.ts';
import { header, type State } from '../../translators/ir/state.ts';
import type { Block, Unit } from '../../translators/ir/unit.ts';
import { calledFunctions } from '../../translators/ir/vector-halves.ts';
import type { MemoryView } from '../../translators/memory-view.ts';
import { byteOffset, permissionAt, testHelpers, testMachine } from './guest.ts';

const runtime = { ...plainRuntime, ...calledFunctions };

type Value = number | bigint;

const evaluators = operations.map((operation) => {
  if (!operation.flags.has('pure') || operation.javascript === '') return undefined;
  const body = operation.javascript.replace(/\$(imm|[abc])/g, '$1');
  const make = new Function(...Object.keys(runtime), `return (a, b, c, imm) => ${body};`);
  return make(...Object.values(runtime)) as (a: Value, b: Value, c: Value, imm: number) => Value;
});

/** Runs a block on a state and memory; the header says where and why it ended. */
export function evaluate(unit: Unit, block: Block, state: State, memory: MemoryView): void {
  const values = new Map<number, Value>();
  const { i32, f64 } = state;
  const leave = (pc: number): void => {
    state.pc = pc;
  };
  const exit = (index: number, reason: number, detail: number): void => {
    i32[header.exit >> 2] = reason;
    i32[header.detail >> 2] = detail;
    f64[header.instructions >> 3] += (unit.pc[index] - block.pc) >> 2;
    leave(unit.pc[index]);
  };
  /** Whether the access faults; leaves then. */
  const faults = (index: number, address: number, bytes: number, access: number): boolean => {
    for (let at = 0; at < bytes; at++) {
      if ((permissionAt(address + at) & access) !== 0) continue;
      exit(index, exitCode.fault, address + at);
      i32[header.access >> 2] = access;
      return true;
    }
    return false;
  };

  for (let index = block.first; index < block.end; index++) {
    const operation = operations[unit.op[index]];
    const { name, bytes } = operation;
    const imm = unit.imm[index];
    const [first, second, third] = [unit.a[index], unit.b[index], unit.c[index]];
    const value = (of: number): Value => values.get(of) as Value;
    const word = (of: number): number => values.get(of) as number;
    const run = evaluators[unit.op[index]];
    if (name.endsWith('64.const')) {
      values.set(index, name === 'f64.const' ? fromHalves(first, second) : runtime.join64(first, second));
    } else if (run !== undefined) {
      values.set(index, run(value(first), value(second), value(third), imm));
    } else if (name.startsWith('get.') || name.startsWith('set.')) {
      const register = state.file.registers[imm];
      const array = state[register.type as 'i32' | 'i64' | 'f64'] as Value[] & (Int32Array | BigInt64Array);
      if (name.startsWith('get.')) values.set(index, array[register.index]);
      else array[register.index] = value(first);
    } else if (name.startsWith('helper.')) {
      const helper = testHelpers[imm];
      const result = helper.run(state, testMachine, word(first), word(second), word(third));
      if (i32[header.exit >> 2] !== 0) {
        exit(index, i32[header.exit >> 2], i32[header.detail >> 2]);
        return;
      }
      values.set(index, result);
    } else if (name === 'check') {
      if (faults(index, word(first) + imm, second, third)) return;
    } else if (name === 'compare_exchange32') {
      const address = (word(first) + imm) | 0;
      if (faults(index, address, 4, 1) || faults(index, address, 4, 2)) return;
      const found = Number(BigInt.asIntN(32, readBytes(memory, address, 4, false)));
      if (found === word(second)) writeBytes(memory, address, 4, BigInt(word(third)), false);
      values.set(index, found);
    } else if (bytes > 0) {
      const address = (word(first) + imm) | 0;
      const load = operation.flags.has('load');
      if (faults(index, address, bytes, load ? 1 : 2)) return;
      if (load) values.set(index, fromBits(operation, readBytes(memory, address, bytes, third === 1)));
      else writeBytes(memory, address, bytes, toBits(name, value(second)), third === 1);
    } else if (name === 'exit' || name === 'exit_if') {
      if (name === 'exit_if' && word(first) === 0) continue;
      if (imm === exitCode.fault) i32[header.access >> 2] = 4;
      exit(index, imm, second);
      return;
    } else {
      f64[header.instructions >> 3] += block.guestInstructions;
      if (name === 'system_call') i32[header.exit >> 2] = exitCode.system_call;
      leave(next(operation, [first, second, imm], word));
      return;
    }
  }
}

/** Where a terminator goes on. */
function next(operation: Operation, words: [number, number, number], word: (of: number) => number): number {
  const [first, second, imm] = words;
  switch (operation.name) {
    case 'branch':
      return word(first) !== 0 ? imm : second;
    case 'branch_return':
    case 'branch_indirect':
      return word(first) !== 0 ? word(second) : imm;
    case 'system_call':
      return second;
    default:
      return operation.operands.length > 0 ? word(first) : imm;
  }
}

/** Bytes in guest order as one number, most significant first for a big-endian guest (mirrored memory). */
function readBytes(memory: MemoryView, address: number, bytes: number, reversed: boolean): bigint {
  let bits = 0n;
  for (let at = 0; at < bytes; at++) {
    const place = memory.mirrored !== reversed ? at : bytes - 1 - at;
    bits = (bits << 8n) | BigInt(memory.view.getUint8(byteOffset(memory, (address + place) >>> 0)));
  }
  return bits;
}

function writeBytes(memory: MemoryView, address: number, bytes: number, bits: bigint, reversed: boolean): void {
  for (let at = 0; at < bytes; at++) {
    const place = memory.mirrored !== reversed ? bytes - 1 - at : at;
    memory.view.setUint8(byteOffset(memory, (address + place) >>> 0), Number((bits >> BigInt(8 * at)) & 0xffn));
  }
}

function fromBits(operation: Operation, bits: bigint): Value {
  const { name, bytes } = operation;
  const low = Number(BigInt.asIntN(32, bits));
  if (name === 'load64') return BigInt.asIntN(64, bits);
  if (name === 'load64.f64') return fromHalves(low, Number(BigInt.asIntN(32, bits >> 32n)));
  if (name === 'load32.f64') return singleToDouble(low);
  if (name === 'load32.f32') return new Float32Array(Int32Array.of(low).buffer)[0];
  return Number(name.endsWith('_u') ? bits : BigInt.asIntN(bytes * 8, bits));
}

function toBits(name: string, value: Value): bigint {
  if (typeof value === 'bigint') return BigInt.asUintN(64, value);
  if (name === 'store64.f64') return (BigInt(highHalf(value) >>> 0) << 32n) | BigInt(lowHalf(value) >>> 0);
  if (name === 'store32.f64') return BigInt(doubleToSingle(value) >>> 0);
  return BigInt(value >>> 0);
}
