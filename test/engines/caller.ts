/** A program that calls a function in a loop: what tests of calls, and of code that is kept or changes, run. */
import {
  Assembler,
  addImmediate,
  callCounter,
  compareImmediate,
  indexedForm,
  moveToSpecial,
  returnToLink,
  special,
  systemCall,
} from '../fuzz/assembler.ts';
import { code } from './thread.ts';

/** Where the function is. */
export const leaf = code + 0x1000;

/** r5 times: calls the function at `leaf`, or the one that r7 points to, and adds up what it answers in r6. Then a system call. */
export function caller(throughPointer = false): Assembler {
  const assembler = new Assembler(code);
  const loop = assembler.label();
  assembler.place(loop);
  if (throughPointer) assembler.emit(moveToSpecial(special.ctr, 7), callCounter);
  else assembler.emit(0x48000000 + (leaf - code) + 1);
  assembler.emit(indexedForm(6, 6, 3, 266), addImmediate(5, 5, -1), compareImmediate(0, 5, 0));
  assembler.branchIf(4, 2, loop);
  assembler.emit(systemCall);
  return assembler;
}

/** r3 = `value`, and back. */
export function constant(value: number, address = leaf): Assembler {
  const assembler = new Assembler(address);
  assembler.emit(addImmediate(3, 0, value), returnToLink);
  return assembler;
}
