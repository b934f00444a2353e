/** What is known of pure i32 operations without computing them; fold.generated.ts computes. */
import { codes, operations } from './operations.ts';

export { fold } from './fold.generated.ts';

/** 1 for operations whose operands may be exchanged; the index is the operation's code. */
export const commutes = Uint8Array.from(operations, (operation) => (operation.flags.has('commutative') ? 1 : 0));

const and = codes['i32.and'];
const mul = codes['i32.mul'];

/** What `x code constant` is without computing: 1 x itself, 2 zero, 0 neither. */
export function identity(code: number, constant: number): 0 | 1 | 2 {
  if (constant === 0) return zeroIdentity[code] as 0 | 1 | 2;
  if (constant === -1 && code === and) return 1;
  if (constant === 1 && code === mul) return 1;
  return 0;
}

const zeroIdentity = new Uint8Array(operations.length);
for (const name of ['add', 'sub', 'or', 'xor', 'shl', 'shr_u', 'shr_s', 'rotl']) zeroIdentity[codes[`i32.${name}`]] = 1;
for (const name of ['and', 'mul']) zeroIdentity[codes[`i32.${name}`]] = 2;
