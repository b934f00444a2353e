/** Evaluation of pure i32 operations on constants, made from the operations' own JavaScript. */
import { codes, operations } from './operations.ts';
import { runtime } from './runtime.ts';

type Evaluate = (a: number, b: number, c: number) => number;

const foldable = operations.map(
  (operation) =>
    operation.flags.has('pure') &&
    operation.result === 'i32' &&
    operation.operands.length > 0 &&
    operation.operands.every((type) => type === 'i32'),
);
const evaluators: (Evaluate | undefined)[] = new Array(operations.length);

/** 1 for operations whose operands may be exchanged; the index is the operation's code. */
export const commutes = Uint8Array.from(operations, (operation) => (operation.flags.has('commutative') ? 1 : 0));

/** The value of operation `code` on i32 constants, or undefined when the operation is not a pure i32 function. */
export function fold(code: number, a: number, b = 0, c = 0): number | undefined {
  if (!foldable[code]) return undefined;
  evaluators[code] ??= compile(operations[code].javascript);
  return evaluators[code](a, b, c);
}

function compile(javascript: string): Evaluate {
  const body = javascript.replace(/\$([abc])/g, '$1');
  const names = Object.keys(runtime);
  const make = new Function(...names, `return (a, b, c) => ${body};`);
  return make(...Object.values(runtime)) as Evaluate;
}

/** What `x code constant` is without computing: 1 x itself, 2 zero, 0 neither. */
export function identity(code: number, constant: number): 0 | 1 | 2 {
  if (constant === 0) return zeroIdentity[code] as 0 | 1 | 2;
  if (constant === -1 && code === codes['i32.and']) return 1;
  if (constant === 1 && code === codes['i32.mul']) return 1;
  return 0;
}

const zeroIdentity = new Uint8Array(operations.length);
for (const name of ['add', 'sub', 'or', 'xor', 'shl', 'shr_u', 'shr_s', 'rotl']) zeroIdentity[codes[`i32.${name}`]] = 1;
for (const name of ['and', 'mul']) zeroIdentity[codes[`i32.${name}`]] = 2;
