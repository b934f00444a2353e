/**
 * The x86-64 ABI of Linux: the number is in rax, arguments are in rdi, rsi, rdx, r10, r8 and r9, the result is in rax,
 * an error as a negative number (arch/x86/entry/entry_64.S, syscall_64.tbl).
 */
import type { State } from '../../../translators/ir/state.ts';
import { hardwareCapabilities } from '../../../translators/x86/features.ts';
import { x86_64Registers } from '../../../translators/x86/registers.ts';
import { type Abi, type ArgumentPlan, beyondMemory, plan64, way } from './abi.ts';
import { commonLayouts, makeStructures } from './layouts.ts';
import type { DataModel, FieldRows } from './structure.ts';
import * as x86 from './x86.ts';
import { x86_64Names } from './x86-64-names.ts';
import { processorInfo } from './x86-processor.ts';

const model: DataModel = { byteOrder: 'little', wordSize: 8, alignmentOf64: 8 };

/** One structure for stat and stat64, which have become the same. */
// biome-ignore format: as the kernel lays it out
const stat = {
  st_dev: 'u64', st_ino: 'u64', st_nlink: 'u64', st_mode: 'u32', st_uid: 'u32', st_gid: 'u32', pad0: 'u32',
  st_rdev: 'u64', st_size: 'i64', st_blksize: 'i64', st_blocks: 'i64', st_atime: 'i64', st_atime_nsec: 'u64',
  st_mtime: 'i64', st_mtime_nsec: 'u64', st_ctime: 'i64', st_ctime_nsec: 'u64', unused: ['i64', 3],
} as const;

const { reserved: _none, ...sysinfo } = commonLayouts.sysinfo;
const ownLayouts = { stat, stat64: stat, sysinfo, termios: x86.termiosLayout } as const satisfies Record<
  string,
  FieldRows
>;

const structures = makeStructures(model, ownLayouts, ['epollEvent']);

const { file } = x86_64Registers;
/** Place of a register's low half among the state's 32-bit words; the high half follows. */
const index = (name: string): number => file.registers[file.numbers[name]].offset >> 2;
const accumulator = index('rax');
const argumentIndices = Int32Array.from(['rdi', 'rsi', 'rdx', 'r10', 'r8', 'r9'], index);

export const x86_64: Abi = {
  name: 'x86-64',
  model,
  machine: 'x86_64',
  names: x86_64Names,
  structures,
  ...x86.common,
  processorInfo: (processors) => processorInfo(true, processors),

  start: {
    vector: x86.startVector,
    capabilities: [hardwareCapabilities(true), 0],
    platform: 'x86_64',
    hasBasePlatform: false,
    setRegisters(state, stackPointer) {
      x86.resetProcessor(state, x86_64Registers);
      state.set('cs', x86.selectors.code64);
      state.set('ss', x86.selectors.data);
      state.i32[index('rsp')] = stackPointer;
    },
  },

  plan: plan64,

  callNumber: (state) => state.i32[accumulator] >>> 0,

  decode(state: State, plan: ArgumentPlan, args: number[]): void {
    const registers = state.i32;
    for (let i = 0; i < plan.count; i++) {
      const place = argumentIndices[plan.positions[i]];
      const low = registers[place];
      const high = registers[place + 1];
      switch (plan.ways[i]) {
        case way.signed32:
          args[i] = low;
          break;
        case way.unsigned32:
          args[i] = low >>> 0;
          break;
        case way.unsigned64:
          args[i] = (high >>> 0) * 0x100000000 + (low >>> 0);
          break;
        case way.signed64:
          args[i] = high * 0x100000000 + (low >>> 0);
          break;
        case way.address64:
          args[i] = high === 0 ? low >>> 0 : beyondMemory;
          break;
      }
    }
  },

  rawArgument(state, position) {
    const place = argumentIndices[position];
    return (state.i32[place + 1] >>> 0) * 0x100000000 + (state.i32[place] >>> 0);
  },

  setResult(state: State, result: number | bigint): void {
    if (typeof result === 'bigint') {
      state.i64[accumulator >> 1] = result;
      return;
    }
    state.i32[accumulator] = result;
    state.i32[accumulator + 1] = Math.floor(result / 0x100000000);
  },
};
