/** How x87 helpers are declared, and the bits of the f64 values that they exchange. */
import type { Helper } from '../frontend.ts';
import type { Type } from '../ir/types.ts';

export type Run = Helper['run'];

/** Name without `x87.`, types of the operands, type of the result, and what it does. */
export type HelperRow = readonly [name: string, operands: readonly Type[], result: Type | '', run: Run];

const scratch = new DataView(new ArrayBuffer(8));

export function doubleBits(value: number): bigint {
  scratch.setFloat64(0, value);
  return scratch.getBigUint64(0);
}

export function doubleOfBits(bits: bigint): number {
  scratch.setBigUint64(0, bits);
  return scratch.getFloat64(0);
}
