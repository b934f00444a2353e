/** The operations' JavaScript, split once into what a backend pastes together. */
import { type Operation, operations } from '../ir/operations.ts';

export type Kind = 'const' | 'get' | 'set' | 'pure' | 'load' | 'helper' | 'exit';

function kindOf(operation: Operation): Kind {
  if (operation.name.endsWith('.const')) return 'const';
  if (operation.name.startsWith('get.')) return 'get';
  if (operation.name.startsWith('set.')) return 'set';
  if (operation.name.startsWith('helper.')) return 'helper';
  if (operation.flags.has('pure')) return 'pure';
  if (operation.flags.has('load') || operation.flags.has('store')) return 'load';
  return 'exit';
}

/** What the emitter does with each operation, by code. */
export const kinds: readonly Kind[] = operations.map(kindOf);

export const operandCounts = Uint8Array.from(operations, (operation) => operation.operands.length);

/** Text, name of an operand (a, b, c, imm), text, … by code. */
export const templates: readonly (readonly string[])[] = operations.map((operation) =>
  // V8 makes a branch of `? 1 : 0`, but a plain conversion of this.
  split(operation.test === '' ? operation.javascript : `(${operation.test}) | 0`),
);

/** The same as conditions, for operations whose result is 0 or 1. */
export const testTemplates: readonly (readonly string[])[] = operations.map((operation) => split(operation.test));

/** 1 where testTemplates has an entry. */
export const isCompare = Uint8Array.from(operations, (operation) => (operation.test === '' ? 0 : 1));

function split(text: string): string[] {
  return text.split(/\$(a|b|c|imm)\b/);
}
