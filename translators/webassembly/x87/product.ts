/** Multiplication of doublewords to 128 bits. */
import { add, and, multiply, or, shiftLeft, shiftRight, type Variable } from './expressions.ts';
import type { KernelBody } from './unit.ts';

const lowWord = 0xffffffffn;

/** The high and low halves of the product of two doublewords. */
export function product(f: KernelBody, a: Variable, b: Variable): { high: Variable; low: Variable } {
  const { k } = f;
  const aLow = k.let(and(a, lowWord));
  const aHigh = k.let(shiftRight(a, 32));
  const bLow = k.let(and(b, lowWord));
  const bHigh = k.let(shiftRight(b, 32));
  const least = k.let(multiply(aLow, bLow));
  const first = k.let(add(multiply(aLow, bHigh), shiftRight(least, 32)));
  const second = k.let(add(multiply(aHigh, bLow), and(first, lowWord)));
  const high = k.let(add(multiply(aHigh, bHigh), add(shiftRight(first, 32), shiftRight(second, 32))));
  const low = k.let(or(shiftLeft(second, 32), and(least, lowWord)));
  return { high, low };
}
