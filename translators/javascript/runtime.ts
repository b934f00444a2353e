/** What generated functions may name besides their own locals: the operations' runtime and the backend's own helpers. */
import { doubleToSingle, singleToDouble } from '../float/operations.ts';
import { runtime } from '../ir/runtime.ts';

/** Loads a single as a double. A NaN takes the long way: it must not become quiet. */
function loadSingle(view: DataView, offset: number, littleEndian: boolean): number {
  const value = view.getFloat32(offset, littleEndian);
  return Number.isNaN(value) ? singleToDouble(view.getInt32(offset, littleEndian)) : value;
}

/** Stores a double as a single, without rounding what a single cannot hold. */
function storeSingle(view: DataView, offset: number, value: number, littleEndian: boolean): void {
  if (Math.fround(value) === value) view.setFloat32(offset, value, littleEndian);
  else view.setInt32(offset, doubleToSingle(value), littleEndian);
}

/** Compares and exchanges the word with this index, atomically; gives the word found. */
function compareExchange(words: Int32Array, index: number, expected: number, replacement: number): number {
  return Atomics.compareExchange(words, index, expected, replacement);
}

export const javascriptRuntime: Readonly<Record<string, unknown>> = {
  ...runtime,
  loadSingle,
  storeSingle,
  compareExchange,
};
