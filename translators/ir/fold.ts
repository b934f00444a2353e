/** What is known of pure integer operations without computing them; fold.generated.ts computes. */
import { codes, operations } from './operations.ts';

export { fold, foldWide } from './fold.generated.ts';

/** 1 for operations whose operands may be exchanged; the index is the operation's code. */
export const commutes = Uint8Array.from(operations, (operation) => (operation.flags.has('commutative') ? 1 : 0));

const and = codes['i32.and'];
const mul = codes['i32.mul'];
const and64 = codes['i64.and'];
const mul64 = codes['i64.mul'];

/** What `x code constant` is without computing: 1 x itself, 2 zero, 0 neither. The constant of an i64 is sign-extended. */
export function identity(code: number, constant: number): 0 | 1 | 2 {
  if (constant === 0) return zeroIdentity[code] as 0 | 1 | 2;
  if (constant === -1 && (code === and || code === and64)) return 1;
  if (constant === 1 && (code === mul || code === mul64)) return 1;
  return 0;
}

const zeroIdentity = new Uint8Array(operations.length);
for (const type of ['i32', 'i64']) {
  for (const name of ['add', 'sub', 'or', 'xor', 'shl', 'shr_u', 'shr_s', 'rotl']) {
    zeroIdentity[codes[`${type}.${name}`]] = 1;
  }
  for (const name of ['and', 'mul']) zeroIdentity[codes[`${type}.${name}`]] = 2;
}
