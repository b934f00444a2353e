/** Where an instruction keeps what it has besides operands: shared by printer, parser and verifier. */
import type { Immediate, Operation } from './operations.ts';
import type { Unit } from './unit.ts';

export type Word = 'a' | 'b' | 'c' | 'imm';

/** The words of a unit that hold operands, in order. */
export const operandWords: readonly ('a' | 'b' | 'c')[] = ['a', 'b', 'c'];

/** The word that holds an immediate of an operation. 64-bit constants use a (low) and b (high). */
export function wordOf(operation: Operation, immediate: Immediate): Word {
  switch (immediate) {
    case 'else':
      return operation.immediates.includes('pc') ? 'b' : 'imm';
    case 'link':
    case 'detail':
      return 'b';
    case 'order':
      return 'c';
    default:
      return 'imm';
  }
}

/** Whether the operation's constant takes two words, or, of a vector, four: a, b, c and imm. */
export function isWideConstant(operation: Operation): boolean {
  return operation.immediates.includes('constant') && operation.result !== 'i32';
}

/** What an access of the `check` operation is called in text, by its number. */
export const accessNames = ['', 'read', 'write'];

/** A guest address or other 32-bit word in text. */
export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`;
}

/** The operands of instruction `index`, the first `count` of its words. */
export function operandsOf(unit: Unit, index: number, count: number): number[] {
  return operandWords.slice(0, count).map((word) => unit[word][index]);
}
