/**
 * The registers of the x87 floating-point unit, which the MMX registers are a part of.
 *
 * Physical register n (not counted from the top of the stack) has its significand in `mm{n}` and sign and exponent in
 * `x87.head{n}`, bits 0 to 15. All of it is 0 after finit.
 *
 * An MMX instruction that uses mm registers (not emms) also makes `x87.top` 0 and `x87.tags` 255, and sets `x87.head{n}` of
 * the register that it writes to 0xFFFF.
 */
import type { RegisterFile, RegisterRow } from '../ir/state.ts';

const eight = [0, 1, 2, 3, 4, 5, 6, 7];

export const x87Rows: readonly RegisterRow[] = [
  ...eight.map((n): RegisterRow => ({ name: `mm${n}`, type: 'i64' })),
  ...eight.map((n): RegisterRow => ({ name: `x87.head${n}`, type: 'i32' })),
  // Number of the physical register that is ST(0): 0 to 7.
  { name: 'x87.top', type: 'i32' },
  // Bit n is set when physical register n is in use (the abridged tag word of fxsave).
  { name: 'x87.tags', type: 'i32' },
  // The status word without the top: exceptions in bits 0 to 7, condition codes in 8 to 10 and 14, busy in 15.
  { name: 'x87.status', type: 'i32' },
  // The control word XOR 0x37F, so that 0 is the default mode.
  { name: 'x87.control', type: 'i32' },
  // Address of the last instruction that is not a control instruction, and of its operand in memory.
  { name: 'x87.instruction', type: 'i32' },
  { name: 'x87.data', type: 'i32' },
  // An operand of a helper, where a call as a number might change its bits: NaNs from WebAssembly to JavaScript are quieted.
  { name: 'x87.operand', type: 'f64' },
  // A second result of a helper.
  { name: 'x87.second', type: 'i32' },
];

/** Numbers of the rows above in a register file. */
export interface X87Registers {
  /** Significand of physical register n: `significand + n`; the MMX register n. */
  readonly significand: number;
  /** Sign and exponent of physical register n: `head + n`. */
  readonly head: number;
  readonly top: number;
  readonly tags: number;
  readonly status: number;
  readonly control: number;
  readonly instruction: number;
  readonly data: number;
  readonly second: number;
}

export function x87RegistersOf({ numbers }: RegisterFile): X87Registers {
  return {
    significand: numbers.mm0,
    head: numbers['x87.head0'],
    top: numbers['x87.top'],
    tags: numbers['x87.tags'],
    status: numbers['x87.status'],
    control: numbers['x87.control'],
    instruction: numbers['x87.instruction'],
    data: numbers['x87.data'],
    second: numbers['x87.second'],
  };
}
