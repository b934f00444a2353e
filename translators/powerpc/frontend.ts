/** The 32-bit PowerPC frontend: the user-mode architecture without AltiVec. */
import type { Frontend } from '../frontend.ts';
import { decode, rows } from './decode.ts';
import { disassemble } from './disassemble.ts';
import { mffsControl } from './floating.ts';
import { controlBits } from './floating-point.ts';
import { fpscr } from './floating-point-status.ts';
import { ignoresExceptions } from './floating-point-use.ts';
import { powerpcHelpers } from './helpers.ts';
import { recordBit } from './instruction.ts';
import { powerpcRegisters } from './registers.ts';

const lifters = rows.map((row) => row[4]);
const mffsRow = rows.findIndex((row) => row[0] === 'mffs');

export const powerpc: Frontend = {
  name: 'powerpc',
  byteOrder: 'big',
  addressBits: 32,
  registers: powerpcRegisters,
  helpers: powerpcHelpers,
  floatingPointControl: { register: 'fpscr', mask: controlBits, inexact: fpscr.XX },
  instructionAlignment: 4,

  lift(builder, fetch, pc, options) {
    builder.pc = pc;
    const word = fetch(pc, 4);
    if (word === undefined) {
      builder.exit('fault', pc);
      return 4;
    }
    const row = decode(word);
    if (row < 0) builder.exit('illegal', word);
    else if (row === mffsRow && (word & recordBit) === 0 && ignoresExceptions(fetch, pc)) {
      mffsControl(builder, word, options.exactFloatingPoint);
    } else lifters[row](builder, word, options.exactFloatingPoint);
    return 4;
  },

  disassemble(fetch, pc) {
    const word = fetch(pc, 4);
    return { text: word === undefined ? '(not executable)' : disassemble(word, pc), length: 4 };
  },
};
