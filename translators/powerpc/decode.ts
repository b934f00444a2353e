/** From an instruction word to its row. */
import { branchRows } from './branch.ts';
import { floatingRows } from './floating.ts';
import type { Row } from './instruction.ts';
import { integerRows } from './integer.ts';
import { memoryRows } from './memory.ts';
import { systemRows } from './system.ts';

/** Every instruction, in the order of the manual's chapters. */
export const rows: readonly Row[] = [...branchRows, ...integerRows, ...memoryRows, ...floatingRows, ...systemRows];

/** The fixed bits of each row: a word is the instruction when (word & masks[row]) === values[row]. */
export const masks = new Int32Array(rows.length);
export const values = new Int32Array(rows.length);

// Words are looked up by primary opcode (bits 0-5) and then, for the opcodes that have one, by the
// extended opcode's bits 21-30: `groups` has the start of the opcode's part of `slots`, and `extended` its mask (0: one slot).
// Rows that share a slot are chained through `following`. Entries are row + 1; 0 ends.
const groups = new Uint16Array(64);
const extended = new Uint16Array(64);
const primariesWithExtension = [19, 31, 59, 63];
const slots = new Uint16Array(64 + 1024 * primariesWithExtension.length);
const following = new Uint16Array(rows.length + 1);

for (let primary = 0; primary < 64; primary++) groups[primary] = primary;
primariesWithExtension.forEach((primary, index) => {
  groups[primary] = 64 + 1024 * index;
  extended[primary] = 1023;
});

const zero = 0x30;
const one = 0x31;
const blank = 0x20;

// Last row first, so that rows in a slot are tried in the table's order.
for (let row = rows.length - 1; row >= 0; row--) {
  const bits = rows[row][1];
  let mask = 0;
  let value = 0;
  for (let i = 0; i < bits.length; i++) {
    const bit = bits.charCodeAt(i);
    if (bit === blank) continue;
    mask = (mask << 1) | (bit === zero || bit === one ? 1 : 0);
    value = (value << 1) | (bit === one ? 1 : 0);
  }
  masks[row] = mask;
  values[row] = value;
  const primary = value >>> 26;
  const first = groups[primary] + ((value >>> 1) & extended[primary]);
  // Every value of the bits of the extended opcode that the row leaves open.
  const open = ~(mask >>> 1) & extended[primary];
  for (let varied = open; ; varied = (varied - 1) & open) {
    const slot = first + varied;
    if (slots[slot] !== 0 && following[row + 1] === 0) following[row + 1] = slots[slot];
    slots[slot] = row + 1;
    if (varied === 0) break;
  }
}

/** The row of an instruction word, or -1 when it is none of the architecture's. */
export function decode(word: number): number {
  const primary = word >>> 26;
  let entry = slots[groups[primary] + ((word >>> 1) & extended[primary])];
  while (entry !== 0) {
    const row = entry - 1;
    if ((word & masks[row]) === values[row]) return row;
    entry = following[entry];
  }
  return -1;
}
