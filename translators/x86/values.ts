/** From operations on i32 values to the same on i64 values. */
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';

const none = 0xffff;

/** For the code of an i32 operation that of the i64 operation with the same name. */
const wide = Uint16Array.from(operations, ({ name }) =>
  name.startsWith('i32.') ? (op[`i64.${name.slice(4)}`] ?? none) : none,
);

/** The operation `code` (of i32 values) for operands of `size` bytes. @throws RangeError where there is no wide one */
export function operationFor(size: number, code: number): number {
  if (size !== 8) return code;
  const found = wide[code];
  if (found === none) throw new RangeError(`operation ${operations[code].name} has no i64 form`);
  return found;
}

/** Of a size in bytes. */
export const log2 = (size: number): number => 31 - Math.clz32(size);
