/** The operations' JavaScript, split once into what a backend pastes together. */
import { operations } from '../ir/operations.ts';

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
