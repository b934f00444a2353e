/**
 * The interpreter's instruction set, derived from the operations' table.
 *
 * Interpreter code is a stream of 32-bit words: an opcode and its operand words. An operand is the
 * index of a slot in the thread's state block, counted in units of its type (an i32 slot indexes
 * `state.i32`, an f64 slot `state.f64`): registers are used in place, temporaries live behind them. Wider values come
 * in halves (halves.ts): there are no instructions for them. A constant second operand of an integer operation stands in the stream itself.
 *
 * | form | words after the opcode |
 * | --- | --- |
 * | value | destination, operands…, imm (where the operation has one) |
 * | valueImmediate | destination, a, constant b |
 * | load | destination, address, displacement |
 * | store | address, displacement, value |
 * | compareBranch | a, b, link, else link, pc, else pc |
 * | call | destination, function, what the operands are, operands and immediate (4 words) |
 * | other | see `special` |
 *
 * A link is the position of the next block's code, or 0 as long as it is not known.
 */
import { type Operation, operations } from './operations.ts';
import { halfTypes } from './types.ts';

export type Form =
  | 'special'
  | 'value'
  | 'valueImmediate'
  | 'load'
  | 'store'
  | 'call'
  | 'compareBranch'
  | 'compareBranchImmediate';

export interface Instruction {
  readonly opcode: number;
  readonly name: string;
  readonly form: Form;
  /** The operation that it carries out; absent for `special` ones. */
  readonly operation: Operation | undefined;
  /** Byte order opposite to the guest's (loads and stores). */
  readonly reversed: boolean;
  /** Words, the opcode included. */
  readonly length: number;
}

/** Instructions with a meaning of their own: name and words after the opcode. Block heads share one layout. */
// biome-ignore format: one instruction per line
const specialRows: readonly (readonly [name: string, words: string])[] = [
  ['enter', 'countdown guestInstructions pc'],
  ['stale', 'forward guestInstructions pc'],
  ['leave', 'countdown guestInstructions pc'],
  ['const32', 'destination constant'],
  ['const64', 'destination low high'],
  ['move32', 'destination source'],
  ['move64', 'destination source'],
  ['helper.i32', 'destination helper mask a b c'],
  ['helper.f64', 'destination helper mask a b c'],
  ['helper.none', 'helper mask a b c'],
  ['settle', ''],
  ['compare_exchange32', 'destination address displacement expected replacement'],
  ['check', 'address displacement bytes access'],
  ['jump', 'link pc'],
  ['branch', 'a link elseLink pc elsePc'],
  ['jump_indirect', 'a cachedPc cachedLink'],
  ['branch_indirect', 'a b elseLink elsePc cachedPc cachedLink'],
  ['system_call', 'pc'],
  ['exit', 'reason detail'],
  ['exit_if', 'a reason detail'],
];

/**
 * Arithmetic that helpers do in full, as JavaScript of operands a, b and c, for an ordinary outcome: a result far from
 * overflow and underflow, in the default mode, when an inexact result was seen before. Then the status register's only
 * news is what the next arithmetic overwrites: the interpreter notes the operation, and lets the helper do it again
 * when somebody looks (`settle`). The limits are those of `single` or double format.
 */
// biome-ignore format: one operation per line
export const ordinaryArithmetic: Readonly<Record<string, { readonly javascript: string; readonly single: boolean }>> = {
  add: { javascript: 'a + b', single: false },
  subtract: { javascript: 'a - b', single: false },
  multiply: { javascript: 'a * b', single: false },
  divide: { javascript: 'a / b', single: false },
  multiply_add: { javascript: 'fma(a, b, c)', single: false },
  multiply_subtract: { javascript: 'fma(a, b, -c)', single: false },
  negative_multiply_add: { javascript: '-fma(a, b, c)', single: false },
  negative_multiply_subtract: { javascript: '-fma(a, b, -c)', single: false },
  add_single: { javascript: 'addSingle(a, b)', single: true },
  subtract_single: { javascript: 'subSingle(a, b)', single: true },
  multiply_single: { javascript: 'mulSingle(a, b)', single: true },
  divide_single: { javascript: 'divSingle(a, b)', single: true },
  multiply_add_single: { javascript: 'fmaSingle(a, b, c)', single: true },
  multiply_subtract_single: { javascript: 'fmaSingle(a, b, -c)', single: true },
  negative_multiply_add_single: { javascript: '-fmaSingle(a, b, c)', single: true },
  negative_multiply_subtract_single: { javascript: '-fmaSingle(a, b, -c)', single: true },
};

/** Opcodes of an operation's forms, indexed by the operation's code; 0 where there is none. */
export const valueOpcode = new Int32Array(operations.length);
export const immediateOpcode = new Int32Array(operations.length);
export const memoryOpcode = new Int32Array(operations.length);
export const reversedOpcode = new Int32Array(operations.length);
export const branchOpcode = new Int32Array(operations.length);
export const branchImmediateOpcode = new Int32Array(operations.length);

/** Operations whose functions are called through a table (flag `called`); the index is the function's number there. */
export const calledOperations: readonly Operation[] = operations.filter(({ flags }) => flags.has('called'));
/** From an operation's code to the number of its function, or -1. */
export const calledNumber = new Int32Array(operations.length).fill(-1);
calledOperations.forEach(({ code }, number) => {
  calledNumber[code] = number;
});
/** What a word of a call is: two bits each in the word that describes the operands. The last is a constant in the stream. */
export const callOperand: Readonly<Record<string, number>> = { i32: 0, f64: 1, f32: 2, constant: 3 };
/** For each called operation, by its code, what its words are. */
export const callMask = new Int32Array(operations.length);
for (const { code, operands, immediates } of calledOperations) {
  const kinds = immediates.length > 0 ? [...operands, 'constant'] : operands;
  callMask[code] = kinds.reduce((mask, kind, at) => mask | ((callOperand[kind] ?? 0) << (2 * at)), 0);
}

/** Opcodes of the instructions with a meaning of their own. */
export const special: Record<string, number> = {};

/** Whether the operation's `imm` word follows its operands in the stream. */
export const takesImmediate = (operation: Operation): boolean => operation.immediates.includes('nan');

const comesInHalves = ({ operands, result }: Operation): boolean =>
  [...operands, result].some((type) => type !== '' && halfTypes[type] !== undefined);

const isWordOperation = (operation: Operation): boolean =>
  operation.result === 'i32' && operation.operands.length === 2 && operation.operands.every((type) => type === 'i32');

/** Why run() came back. In every case state.pc says where the guest goes on. */
export const stop = {
  /** The guest left: header.exit holds the reason. */
  exit: 1,
  /** The state's interrupt word is set. */
  interrupt: 2,
  /** The budget is used up. */
  budget: 3,
  /** The block at the pc has run as often as `threshold` says; running again goes on with it. */
  hot: 4,
  /** The pc has a better translation (leaveAt). */
  translated: 5,
  /** The source has no block for the pc. */
  missing: 6,
} as const;

/** Every interpreter instruction; the index is its opcode. */
export const instructions: readonly Instruction[] = list();

function list(): Instruction[] {
  const made: Instruction[] = [];
  const add = (name: string, form: Form, length: number, operation?: Operation, reversed = false): number => {
    made.push({ opcode: made.length, name, form, operation, reversed, length });
    return made.length - 1;
  };
  const addSpecial = (name: string, words: string): void => {
    special[name] = add(name, 'special', words === '' ? 1 : 1 + words.split(' ').length);
  };
  for (const [name, words] of specialRows) addSpecial(name, words);
  for (const name of Object.keys(ordinaryArithmetic)) {
    addSpecial(`ordinary.${name}`, 'destination helper mask a b c');
  }
  const callOpcode: Record<string, number> = {};
  for (const type of ['i32', 'f32', 'f64']) callOpcode[type] = add(`call.${type}`, 'call', 8);
  for (const operation of operations) {
    const { code, name, flags, operands, result, bytes } = operation;
    if (comesInHalves(operation)) continue;
    if (flags.has('called')) {
      valueOpcode[code] = callOpcode[result];
    } else if (flags.has('pure') && operands.length > 0) {
      valueOpcode[code] = add(name, 'value', 2 + operands.length + (takesImmediate(operation) ? 1 : 0), operation);
      if (!isWordOperation(operation)) continue;
      immediateOpcode[code] = add(`${name} constant`, 'valueImmediate', 4, operation);
      if (operation.test === '') continue;
      branchOpcode[code] = add(`branch ${name}`, 'compareBranch', 7, operation);
      branchImmediateOpcode[code] = add(`branch ${name} constant`, 'compareBranchImmediate', 7, operation);
    } else if (bytes > 0 && special[name] === undefined) {
      const form = flags.has('load') ? 'load' : 'store';
      memoryOpcode[code] = add(name, form, 4, operation);
      reversedOpcode[code] = bytes === 1 ? memoryOpcode[code] : add(`${name} reversed`, form, 4, operation, true);
    }
  }
  return made;
}
