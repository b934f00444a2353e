/**
 * The i386 ABI of Linux, as a 64-bit kernel serves it: the number is in eax, arguments are in ebx, ecx, edx, esi, edi
 * and ebp, the result is in eax, an error as a negative number (arch/x86/entry/entry_32.S, syscall_32.tbl). A 64-bit
 * argument lies in any two following registers, low word first.
 */
import type { State } from '../../../translators/ir/state.ts';
import { hardwareCapabilities } from '../../../translators/x86/features.ts';
import { i386Registers, type X86Registers, x86_64Registers } from '../../../translators/x86/registers.ts';
import { type Abi, type ArgumentPlan, plan32, way } from './abi.ts';
import { i386Names } from './i386-names.ts';
import { makeStructures } from './layouts.ts';
import type { DataModel, FieldRows } from './structure.ts';
import * as x86 from './x86.ts';
import { processorInfo } from './x86-processor.ts';

const model: DataModel = { byteOrder: 'little', wordSize: 4, alignmentOf64: 4 };

// biome-ignore format: one structure per paragraph
const ownLayouts = {
  stat: {
    st_dev: 'u32', st_ino: 'u32', st_mode: 'u16', st_nlink: 'u16', st_uid: 'u16', st_gid: 'u16', st_rdev: 'u32',
    st_size: 'i32', st_blksize: 'u32', st_blocks: 'u32', st_atime: 'u32', st_atime_nsec: 'u32', st_mtime: 'u32',
    st_mtime_nsec: 'u32', st_ctime: 'u32', st_ctime_nsec: 'u32', unused4: 'u32', unused5: 'u32',
  },
  stat64: {
    st_dev: 'u64', pad0: 'u32', short_ino: 'u32', st_mode: 'u32', st_nlink: 'u32', st_uid: 'u32', st_gid: 'u32',
    st_rdev: 'u64', pad3: 'u32', st_size: 'i64', st_blksize: 'u32', st_blocks: 'u64', st_atime: 'u32',
    st_atime_nsec: 'u32', st_mtime: 'u32', st_mtime_nsec: 'u32', st_ctime: 'u32', st_ctime_nsec: 'u32', st_ino: 'u64',
  },
  termios: x86.termiosLayout,
} as const satisfies Record<string, FieldRows>;

const structures = makeStructures(model, ownLayouts);

/** The accumulator and the registers of arguments, by their encoding: eax; ebx, ecx, edx, esi, edi and ebp. */
const accumulatorNumber = 0;
const argumentNumbers = [3, 1, 2, 6, 7, 5];

/** The calls in the registers of one mode: a 64-bit program can make them, too, by int 0x80. */
function makeAbi(registers: X86Registers): Abi {
  const { file, general, is64 } = registers;
  /** Place of a register, or of its low half, among the state's 32-bit words. */
  const place = (number: number): number => file.registers[file.numbers[general[number]]].offset >> 2;
  const accumulator = place(accumulatorNumber);
  const argumentIndices = Int32Array.from(argumentNumbers, place);
  return {
    name: 'i386',
    model,
    machine: 'i686',
    names: i386Names,
    structures,
    ...x86.common,
    processorInfo: (processors) => processorInfo(false, processors),

    start: {
      vector: x86.startVector,
      capabilities: [hardwareCapabilities(false), 0],
      platform: 'i686',
      hasBasePlatform: false,
      setRegisters(state, stackPointer) {
        x86.resetProcessor(state, registers);
        for (const name of ['es', 'ss', 'ds']) state.set(name, x86.selectors.data);
        state.set('cs', x86.selectors.code32);
        state.set('esp', stackPointer);
      },
    },

    plan: (kinds) => plan32(kinds, false),

    callNumber: (state) => state.i32[accumulator] >>> 0,

    decode(state: State, plan: ArgumentPlan, args: number[]): void {
      const registers = state.i32;
      for (let i = 0; i < plan.count; i++) {
        const position = plan.positions[i];
        const word = registers[argumentIndices[position]];
        const how = plan.ways[i];
        if (how === way.signed32) args[i] = word;
        else if (how === way.unsigned32) args[i] = word >>> 0;
        else {
          const high = registers[argumentIndices[position + 1]];
          args[i] = (how === way.unsigned64 ? high >>> 0 : high) * 0x100000000 + (word >>> 0);
        }
      }
    },

    rawArgument: (state, position) => state.i32[argumentIndices[position]] >>> 0,

    setResult(state: State, result: number | bigint): void {
      state.i32[accumulator] = typeof result === 'bigint' ? Number(BigInt.asIntN(32, result)) : result;
      if (is64) state.i32[accumulator + 1] = state.i32[accumulator] >> 31;
    },
  };
}

export const i386 = makeAbi(i386Registers);

/** i386's calls from a 64-bit program. */
export const i386From64 = makeAbi(x86_64Registers);
