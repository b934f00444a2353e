/** What a debugger sees of a 32-bit PowerPC thread (GDB manual, "PowerPC Features"). */
import type { State } from '../../translators/ir/state.ts';
import { conditionWord, setConditionWord, setXerWord, xerWord } from '../../translators/powerpc/state-words.ts';
import { constantRegister, type DebugRegister, type DebugTarget, programCounter, stateRegister } from './registers.ts';

const thirtyTwo = Array.from({ length: 32 }, (_, n) => n);

/** A register that several of the frontend's make up. */
function wordRegister(
  name: string,
  read: (state: State) => number,
  write: (state: State, word: number) => void,
): DebugRegister {
  return {
    name,
    bits: 32,
    read: (state) => BigInt(read(state) >>> 0),
    write: (state, value) => write(state, Number(BigInt.asIntN(32, value))),
  };
}

/** Problem state, external interrupts, machine checks, translation on: what Linux shows of a user program's MSR. */
const userMsr = 0xd032n;

export const powerpcTarget: DebugTarget = {
  architecture: 'powerpc:common',
  byteOrder: 'big',
  features: [
    {
      name: 'org.gnu.gdb.power.core',
      registers: [
        ...thirtyTwo.map((n) => stateRegister(`r${n}`, 32, { type: 'uint32' })),
        programCounter('pc', 32),
        constantRegister('msr', 32, userMsr, { type: 'uint32' }),
        wordRegister('cr', conditionWord, setConditionWord),
        stateRegister('lr', 32, { type: 'code_ptr' }),
        stateRegister('ctr', 32, { type: 'uint32' }),
        wordRegister('xer', xerWord, setXerWord),
      ],
    },
    {
      name: 'org.gnu.gdb.power.fpu',
      registers: [
        ...thirtyTwo.map((n) => stateRegister(`f${n}`, 64, { type: 'ieee_double' })),
        stateRegister('fpscr', 32, { group: 'float' }),
      ],
    },
    {
      // A debugger never sees a thread within a system call: nothing is to be restarted.
      name: 'org.gnu.gdb.power.linux',
      registers: [constantRegister('orig_r3', 32, 0n), constantRegister('trap', 32, 0n)],
    },
  ],
  programCounter: 'pc',
  stackPointer: 'r1',
};
