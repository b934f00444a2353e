/** How translations find each other: the type of their functions, and the slots of the table that these stand in. */
import type { FunctionType } from './encoder.ts';
import type { FunctionWriter } from './function.ts';
import { wasm } from './instructions.ts';

/** Of every translation: depth and slot to guest address. */
export const translationType: FunctionType = { parameters: ['i32', 'i32'], result: 'i32' };
/** Of functions that take a guest address. */
export const word: FunctionType = { parameters: ['i32'], result: 'i32' };
const words3: FunctionType = { parameters: ['i32', 'i32', 'i32'], result: 'i32' };

/** A table in memory that gives the slot of a guest address: (pc, slot) pairs of words, at the hash of pc; -1 where a pair is empty. */
export interface SlotCache {
  readonly offset: number;
  readonly entries: number;
}

/** Pushes the slot of the guest address that `push` pushes. @param alignment distance of guest instructions in bytes */
export function emitFindSlot(
  f: FunctionWriter,
  { offset, entries }: SlotCache,
  alignment: number,
  push: () => void,
): void {
  const pair = f.scratch('i32');
  push();
  const shift = 3 - Math.log2(alignment);
  f.i32(Math.abs(shift));
  f.op(shift >= 0 ? wasm.i32_shl : wasm.i32_shr_u);
  f.i32((entries - 1) * 8);
  f.op(wasm.i32_and);
  f.tee(pair);
  f.memory(wasm.i32_load, 2, offset);
  push();
  f.op(wasm.i32_eq);
  f.openIf('likely', 'i32');
  f.get(pair);
  f.memory(wasm.i32_load, 2, offset + 4);
  f.else();
  push();
  f.call(f.import('G', word));
  f.end();
}

/** Pushes the slot of an address that the jump or call at `site` goes to, which is noted, so that the region can be made anew with it. */
export function emitNote(f: FunctionWriter, entry: number, site: number, push: () => void): void {
  f.i32(entry | 0);
  f.i32(site | 0);
  push();
  f.call(f.import('N', words3));
}
