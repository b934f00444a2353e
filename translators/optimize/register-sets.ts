/** Sets of registers: one for each block or loop of a region, of so many 32-bit words, one after another in an array. */
import { ctz } from '../ir/runtime.ts';

/** Whether a register is in a set. @param set its number in the array */
export function has(sets: Int32Array, words: number, set: number, register: number): boolean {
  return (sets[set * words + (register >>> 5)] & (1 << (register & 31))) !== 0;
}

/** Visits the registers in a set, in ascending order. */
export function forEachRegister(sets: Int32Array, words: number, set: number, visit: (register: number) => void): void {
  for (let word = 0; word < words; word++) {
    for (let rest = sets[set * words + word]; rest !== 0; rest &= rest - 1) visit(word * 32 + ctz(rest));
  }
}
