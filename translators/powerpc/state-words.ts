/**
 * Registers of the processor that are several of the guest state's, as the words that kernels and debuggers have for them.
 * Not for hot paths.
 */
import type { State } from '../ir/state.ts';
import { powerpcRegisters } from './registers.ts';

const index = (name: string): number => powerpcRegisters.registers[powerpcRegisters.numbers[name]].index;
const firstCondition = index('cr0.lt');
const [summary, overflow, carry, count] = ['xer.so', 'xer.ov', 'xer.ca', 'xer.count'].map(index);

/** CR. */
export function conditionWord({ i32 }: State): number {
  let word = 0;
  for (let i = 0; i < 32; i++) word = (word << 1) | i32[firstCondition + i];
  return word;
}

export function setConditionWord({ i32 }: State, word: number): void {
  for (let i = 0; i < 32; i++) i32[firstCondition + i] = (word >>> (31 - i)) & 1;
}

/** XER. */
export function xerWord({ i32 }: State): number {
  return (i32[summary] << 31) | (i32[overflow] << 30) | (i32[carry] << 29) | i32[count];
}

export function setXerWord({ i32 }: State, word: number): void {
  i32[summary] = word >>> 31;
  i32[overflow] = (word >>> 30) & 1;
  i32[carry] = (word >>> 29) & 1;
  i32[count] = word & 0x7f;
}
