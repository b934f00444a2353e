/**
 * Dataflow of guest registers over a region, on bit sets: which flags are live, which registers a
 * translation's locals must hold where, and which of them are dirty (newer than the state block).
 *
 * The model: a translation keeps registers in locals. At entry, and after a call or system call, the state
 * block holds everything and locals are filled; before a call and at every way out, dirty locals are spilled.
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import type { Region } from './discover.ts';

const getCodes = new Uint8Array(operations.length);
const setCodes = new Uint8Array(operations.length);
const helperCodes = new Uint8Array(operations.length);
/** 1 for operations at which control may leave in the middle of a block. */
export const sideExits = new Uint8Array(operations.length);
for (const operation of operations) {
  if (operation.name.startsWith('get.')) getCodes[operation.code] = 1;
  if (operation.name.startsWith('set.')) setCodes[operation.code] = 1;
  if (operation.name.startsWith('helper.')) helperCodes[operation.code] = 1;
  const { flags } = operation;
  if (flags.has('load') || flags.has('store') || flags.has('exits') || operation.code === op.exit) {
    sideExits[operation.code] = 1;
  }
}

export interface RegisterFlow {
  /** 32-bit words of one set. Set of block b: words b * words … */
  readonly words: number;
  /** Registers that some path from the block's start or end reads before it writes them. All ways out read everything. */
  readonly liveIn: Int32Array;
  readonly liveOut: Int32Array;
  /** Registers that may be dirty at the block's start and end. */
  readonly dirtyIn: Int32Array;
  readonly dirtyOut: Int32Array;
  /** Registers whose locals must be right at the block's start. */
  readonly neededIn: Int32Array;
  /** Registers that the block writes. */
  readonly writes: Int32Array;
  /** Whether control continues behind a call: locals are lost there. */
  readonly callEnds: Uint8Array;
}

/** Register numbers that a helper reads and writes; undefined stands for all. */
export interface HelperRegisters {
  readonly reads: readonly number[] | undefined;
  readonly writes: readonly number[] | undefined;
}

/** The registers of a frontend's helpers, by helper number. */
export function helperRegisters(frontend: Frontend): readonly HelperRegisters[] {
  const number = (names: readonly string[]) =>
    names.includes('*') ? undefined : names.map((name) => frontend.registers.numbers[name]);
  return frontend.helpers.map((helper) => ({ reads: number(helper.reads), writes: number(helper.writes) }));
}

export function has(sets: Int32Array, words: number, block: number, register: number): boolean {
  return (sets[block * words + (register >>> 5)] & (1 << (register & 31))) !== 0;
}

/**
 * @param preciseFaults flags are exact at every side exit, so each of those reads all flags
 */
export function registerFlow(
  region: Region,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  preciseFaults: boolean,
): RegisterFlow {
  const { unit, blocks, successors } = region;
  const registerCount = frontend.registers.registers.length;
  const words = (registerCount + 31) >>> 5;
  const size = blocks.length * words;
  const reads = new Int32Array(size);
  const writes = new Int32Array(size);
  const exposed = new Int32Array(size);
  const hasSideExit = new Uint8Array(blocks.length);
  const leaves = new Uint8Array(blocks.length);
  const callEnds = new Uint8Array(blocks.length);

  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index];
    const base = index * words;
    const read = (register: number): void => {
      const word = base + (register >>> 5);
      const bit = 1 << (register & 31);
      if ((writes[word] & bit) === 0) reads[word] |= bit;
    };
    for (let at = block.first; at < block.end; at++) {
      const code = unit.op[at];
      if (getCodes[code] === 1) {
        read(unit.imm[at]);
      } else if (setCodes[code] === 1) {
        const register = unit.imm[at];
        writes[base + (register >>> 5)] |= 1 << (register & 31);
      } else if (sideExits[code] === 1) {
        hasSideExit[index] = 1;
        // What the exit reads: everything that is not written before it.
        for (let word = 0; word < words; word++) exposed[base + word] |= ~writes[base + word];
        if (helperCodes[code] === 1) {
          const helper = helpers[unit.imm[at]];
          if (helper.reads === undefined) for (let register = 0; register < registerCount; register++) read(register);
          else for (const register of helper.reads) read(register);
          for (const register of helper.writes ?? []) writes[base + (register >>> 5)] |= 1 << (register & 31);
        }
      }
    }
    switch (unit.op[block.end - 1]) {
      case op.call:
      case op.call_indirect:
      case op.system_call:
        callEnds[index] = 1;
        leaves[index] = 1;
        break;
      case op.jump:
        leaves[index] = successors[index].length < 1 ? 1 : 0;
        break;
      case op.branch:
        leaves[index] = successors[index].length < 2 ? 1 : 0;
        break;
      default:
        leaves[index] = 1;
    }
  }

  // Liveness. A way out reads everything; side exits read all but flags, or all when faults are precise.
  const flagMask = new Int32Array(words);
  for (const [register, { flag }] of frontend.registers.registers.entries()) {
    if (flag && !preciseFaults) flagMask[register >>> 5] |= 1 << (register & 31);
  }
  const liveIn = new Int32Array(size);
  const liveOut = new Int32Array(size);
  let changed = true;
  while (changed) {
    changed = false;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const base = index * words;
      for (let word = 0; word < words; word++) {
        let out = leaves[index] === 1 ? -1 : 0;
        if (out === 0) for (const target of successors[index]) out |= liveIn[target * words + word];
        const side = hasSideExit[index] === 1 ? exposed[base + word] & ~flagMask[word] : 0;
        const into = (out & ~writes[base + word]) | reads[base + word] | side;
        liveOut[base + word] = out;
        if (into !== liveIn[base + word]) {
          liveIn[base + word] = into;
          changed = true;
        }
      }
    }
  }

  // Dirty registers, forwards.
  const dirtyIn = new Int32Array(size);
  const dirtyOut = new Int32Array(size);
  changed = true;
  while (changed) {
    changed = false;
    for (let index = 0; index < blocks.length; index++) {
      const base = index * words;
      for (let word = 0; word < words; word++) {
        // A flag that nobody reads any more is not worth a spill.
        const out = callEnds[index] === 1 ? 0 : (dirtyIn[base + word] | writes[base + word]) & liveOut[base + word];
        dirtyOut[base + word] = out;
        if (out === 0) continue;
        for (const target of successors[index]) {
          const into = dirtyIn[target * words + word];
          if ((into | out) !== into) {
            dirtyIn[target * words + word] = into | out;
            changed = true;
          }
        }
      }
    }
  }

  // Needed locals, backwards: what is read, and what may be dirty at a way out.
  const neededIn = new Int32Array(size);
  changed = true;
  while (changed) {
    changed = false;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const base = index * words;
      for (let word = 0; word < words; word++) {
        let out = 0;
        if (callEnds[index] === 0) for (const target of successors[index]) out |= neededIn[target * words + word];
        if (leaves[index] === 1) out |= dirtyIn[base + word];
        const side = hasSideExit[index] === 1 ? dirtyIn[base + word] & exposed[base + word] & liveIn[base + word] : 0;
        const into = (out & ~writes[base + word]) | reads[base + word] | side;
        if (into !== neededIn[base + word]) {
          neededIn[base + word] = into;
          changed = true;
        }
      }
    }
  }
  return { words, liveIn, liveOut, dirtyIn, dirtyOut, neededIn, writes, callEnds };
}
