/** Builds a unit again through a builder, as a frontend would have built it. */
import type { Builder, Value } from '../../translators/ir/builder.ts';
import { exitReasons, operations } from '../../translators/ir/operations.ts';
import type { Block, Unit } from '../../translators/ir/unit.ts';
import { testHelpers, testRegisters } from './guest.ts';

/** Emits one block of a unit; stops where the builder ends it, which folding may make earlier than in the unit. */
export function replay(unit: Unit, block: Block, builder: Builder): void {
  builder.begin(block.pc);
  replayRange(unit, block.first, block.end, builder, new Map());
  builder.end(block.endPc, block.guestInstructions);
}

/**
 * Emits the instructions [first, end) of a unit.
 * @param values what stands for the unit's values; those made are added
 * @param shift added to every address of memory
 */
export function replayRange(
  unit: Unit,
  first: number,
  end: number,
  builder: Builder,
  values: Map<number, Value>,
  shift = 0,
): void {
  for (let index = first; index < end && !builder.ended; index++) {
    builder.pc = unit.pc[index];
    values.set(
      index,
      emit(unit, index, builder, (value) => values.get(value) as Value, shift),
    );
  }
}

/** @returns what stands for the instruction's value; -1 when it has none */
function emit(unit: Unit, index: number, b: Builder, value: (index: number) => Value, shift: number): Value {
  const { name, operands, flags, immediates, result } = operations[unit.op[index]];
  const code = unit.op[index];
  const [first, second, third, imm] = [unit.a[index], unit.b[index], unit.c[index], unit.imm[index]];
  const kind = name.slice(0, name.indexOf('.') < 0 ? undefined : name.indexOf('.'));
  if (name === 'i32.const') return b.constant(imm);
  if (name === 'i64.const') return b.constant64(first, second);
  if (name === 'f64.const') return b.constantF64(first, second);
  if (name === 'v128.const') return b.constant128(first, second, third, imm);
  if (name === 'f64.nan_of2') return b.nanOf2(value(first), value(second), value(third), imm);
  if (flags.has('pure') && immediates.length > 0) {
    const [x, y, z] = [first, second, third].map((word, at) => (at < operands.length ? value(word) : -1));
    return b.withImmediate(code, imm, x, y, z);
  }
  if (flags.has('pure')) {
    if (operands.length === 1) return b.unary(code, value(first));
    if (operands.length === 2) return b.binary(code, value(first), value(second));
    return b.ternary(code, value(first), value(second), value(third));
  }
  switch (kind) {
    case 'get':
      return b.get(imm);
    case 'set':
      b.set(imm, value(first));
      return -1;
    case 'helper': {
      const helper = testHelpers[imm];
      const words = [first, second, third].slice(0, helper.operands.length).map(value);
      const writes = helper.writes.includes('*')
        ? '*'
        : helper.writes.map((register) => testRegisters.numbers[register]);
      return b.helper(imm, result, words, writes);
    }
    case 'compare_exchange32':
      return b.compareExchange(b.add(value(first), b.constant(imm + shift)), value(second), value(third));
    case 'check':
      b.check(value(first), imm + shift, second, third as 1 | 2);
      return -1;
    case 'jump':
      b.jump(imm);
      return -1;
    case 'branch':
      b.branch(value(first), imm, second);
      return -1;
    case 'call':
      b.call(imm, second);
      return -1;
    case 'call_indirect':
      b.callIndirect(value(first), second);
      return -1;
    case 'jump_indirect':
      b.jumpIndirect(value(first));
      return -1;
    case 'return':
      b.return(value(first));
      return -1;
    case 'branch_return':
      b.branchReturn(value(first), value(second), imm);
      return -1;
    case 'branch_indirect':
      b.branchIndirect(value(first), value(second), imm);
      return -1;
    case 'system_call':
      b.systemCall(second);
      return -1;
    case 'exit':
      b.exit(exitReasons[imm], second);
      return -1;
    case 'exit_if':
      b.exitIf(value(first), exitReasons[imm], second);
      return -1;
    default:
      if (flags.has('load')) return b.load(code, value(first), imm + shift, third === 1);
      b.store(code, value(first), imm + shift, value(second), third === 1);
      return -1;
  }
}
