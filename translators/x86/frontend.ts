/** The x86 frontends: i386 and x86-64 programs in user mode, to the level x86-64-v2 with AES and PCLMULQDQ. */
import type { Frontend } from '../frontend.ts';
import { decoderOf, fetchFault, tooLong } from './decode.ts';
import { disassemble } from './disassemble.ts';
import { i386Helpers, x86_64Helpers } from './helpers.ts';
import { Instruction } from './instruction.ts';
import { Lifter } from './lift.ts';
import { i386Registers, x86_64Registers } from './registers.ts';
import { rows } from './rows.ts';
import { wideAddress } from './wide-address.ts';

/** MXCSR's rounding mode, exception masks, flush to zero, denormals are zeroes; the register has the default mode as 0. */
const mxcsrModes = 0xffc0;
/** MXCSR's precision flag. */
const mxcsrInexact = 0x20;

function makeFrontend(mode: 32 | 64): Frontend {
  const registers = mode === 64 ? x86_64Registers : i386Registers;
  const decoder = decoderOf(mode);
  const lifters = rows.map((row) => row[4]);
  // One of each is enough: lifting an instruction is never interrupted by lifting another.
  const instruction = new Instruction(mode);
  const lifter = new Lifter(registers);
  return {
    name: mode === 64 ? 'x86-64' : 'i386',
    byteOrder: 'little',
    addressBits: mode,
    registers: registers.file,
    helpers: mode === 64 ? x86_64Helpers : i386Helpers,
    floatingPointControl: { register: 'mxcsr', mask: mxcsrModes, inexact: mxcsrInexact },
    coherentCode: true,
    instructionAlignment: 1,

    lift(builder, fetch, pc, options) {
      builder.pc = pc;
      const row = decoder.decode(instruction, fetch, pc);
      if (row >= 0) {
        lifter.start(builder, instruction, fetch, options.exactFloatingPoint);
        lifters[row](lifter);
      } else if (row === fetchFault) {
        builder.exit('fault', instruction.faultAddress);
        // Up to the byte that was not there, so that the block is dropped when it appears.
        return ((instruction.faultAddress - pc) >>> 0) + 1;
      } else builder.exit(row === tooLong ? 'protection' : 'illegal');
      return instruction.length;
    },

    disassemble: (fetch, pc) => disassemble(fetch, pc, mode),

    wideAddress: (fetch, pc, state) => wideAddress(instruction, fetch, pc, state),
  };
}

let i386: Frontend | undefined;
let x86_64: Frontend | undefined;

/** The frontend of i386 programs (32) or of x86-64 programs (64), made when it is first asked for. */
export function x86Frontend(mode: 32 | 64): Frontend {
  if (mode === 64) {
    x86_64 ??= makeFrontend(64);
    return x86_64;
  }
  i386 ??= makeFrontend(32);
  return i386;
}
