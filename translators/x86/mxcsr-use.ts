/**
 * What a program does with the MXCSR that stmxcsr has stored. The C library's sin, cos, exp and others store it in each call,
 * only to see whether rounding is to nearest; to keep its exceptions for them would make all arithmetic slow. Whoever wants the
 * exceptions has no use for the rounding mode.
 */
import type { Fetch } from '../frontend.ts';

/** How far behind stmxcsr the rounding mode is looked for, in bytes. */
const reach = 48;

/** The rounding mode in MXCSR, and what is left of it (as far as ANDed) without. */
const roundingMode = 0x6000;
const withoutRoundingMode = 0xffff9fff;
/** The same in the second byte. */
const roundingModeHigh = 0x60;
const withoutRoundingModeHigh = 0x9f;

/** Whether `and` or `test` of the accumulator or another register with a word has this opcode; the word's distance from it, or 0. */
function wordAt(opcode: number, next: number): number {
  // and eAX, test eAX
  if (opcode === 0x25 || opcode === 0xa9) return 1;
  // 81 /4: and; F7 /0: test
  const isAnd = opcode === 0x81 && (next & 0xf8) === 0xe0;
  return isAnd || (opcode === 0xf7 && (next & 0xf8) === 0xc0) ? 2 : 0;
}

/** Whether the code at an address keeps or clears the rounding mode of a word in a register, soon. */
export function looksAtRoundingMode(fetch: Fetch, address: number): boolean {
  const byte = (at: number): number => fetch((address + at) >>> 0, 1) ?? -1;
  for (let at = 0; at < reach; at++) {
    const opcode = byte(at);
    if (opcode < 0) return false;
    const next = byte(at + 1);
    const distance = wordAt(opcode, next);
    if (distance !== 0) {
      const word = fetch((address + at + distance) >>> 0, 4);
      if (word === roundingMode || word === withoutRoundingMode) return true;
    }
    // Of AH to BH; 80 /4: and, F6 /0: test.
    const isAnd = opcode === 0x80 && (next & 0xfc) === 0xe4;
    if (isAnd && (byte(at + 2) === withoutRoundingModeHigh || byte(at + 2) === roundingModeHigh)) return true;
    if (opcode === 0xf6 && (next & 0xfc) === 0xc4 && byte(at + 2) === roundingModeHigh) return true;
  }
  return false;
}
