/**
 * Dataflow of guest registers over a region, on bit sets: which registers are live, and which ones a
 * translation's locals must hold where.
 *
 * The model: a translation reads registers from locals and writes them through to the state block. At entry, and
 * after a call or system call, locals are filled. A write that nothing can see any more need not reach the state block.
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
/** 1 for those of them that always show every register: what leaves for a trap, whose handler may look. */
const traps = new Uint8Array(operations.length);
for (const operation of operations) {
  if (operation.name.startsWith('get.')) getCodes[operation.code] = 1;
  if (operation.name.startsWith('set.')) setCodes[operation.code] = 1;
  if (operation.name.startsWith('helper.')) helperCodes[operation.code] = 1;
  const { flags } = operation;
  if (flags.has('load') || flags.has('store') || flags.has('exits') || operation.code === op.exit) {
    sideExits[operation.code] = 1;
  }
  if (flags.has('exits')) traps[operation.code] = 1;
}

/** Whether a side exit shows every register, dead ones too, whatever is asked of faults. */
export function showsAll(code: number, number: number, helpers: readonly HelperRegisters[]): boolean {
  return helperCodes[code] === 1 ? helpers[number].mayExit : traps[code] === 1;
}

export interface RegisterFlow {
  /** 32-bit words of one set. Set of block b: words b * words … */
  readonly words: number;
  /** Registers that some path from the block's start reads before it writes them. All ways out read everything. */
  readonly liveIn: Int32Array;
  /** Registers whose locals must be right at the block's start, and at its end. */
  readonly neededIn: Int32Array;
  readonly neededOut: Int32Array;
}

/** Register numbers that a helper reads and writes; undefined stands for all. */
export interface HelperRegisters {
  readonly reads: readonly number[] | undefined;
  readonly writes: readonly number[] | undefined;
  readonly mayExit: boolean;
}

/** The registers of a frontend's helpers, by helper number. */
export function helperRegisters(frontend: Frontend): readonly HelperRegisters[] {
  const number = (names: readonly string[]) =>
    names.includes('*') ? undefined : names.map((name) => frontend.registers.numbers[name]);
  return frontend.helpers.map((helper) => ({
    reads: number(helper.reads),
    writes: number(helper.writes),
    mayExit: helper.mayExit === true,
  }));
}

export function has(sets: Int32Array, words: number, block: number, register: number): boolean {
  return (sets[block * words + (register >>> 5)] & (1 << (register & 31))) !== 0;
}

/**
 * @param preciseFaults registers are exact at every side exit, so each of those reads all of them
 */
export function registerFlow(
  region: Region,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  preciseFaults: boolean,
): RegisterFlow {
  const { unit, blocks, successors } = region;
  const registers = frontend.registers.registers;
  const words = (registers.length + 31) >>> 5;
  const size = blocks.length * words;
  /** Read through a local, before any write of the block. */
  const localReads = new Int32Array(size);
  /** Seen in the state block, by a helper or at a side exit, before any write of the block. */
  const memoryReads = new Int32Array(size);
  const writes = new Int32Array(size);
  const leaves = new Uint8Array(blocks.length);
  const callEnds = new Uint8Array(blocks.length);
  /** What an access that may fault shows. */
  const shown = new Int32Array(words);
  for (const [register, { pinned }] of registers.entries()) {
    if (pinned || preciseFaults) shown[register >>> 5] |= 1 << (register & 31);
  }

  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index];
    const base = index * words;
    for (let at = block.first; at < block.end; at++) {
      const code = unit.op[at];
      const register = unit.imm[at];
      if (getCodes[code] === 1) {
        const word = base + (register >>> 5);
        localReads[word] |= (1 << (register & 31)) & ~writes[word];
      } else if (setCodes[code] === 1) {
        writes[base + (register >>> 5)] |= 1 << (register & 31);
      } else if (sideExits[code] === 1) {
        const all = showsAll(code, register, helpers);
        for (let word = 0; word < words; word++) {
          memoryReads[base + word] |= ~writes[base + word] & (all ? -1 : shown[word]);
        }
        if (helperCodes[code] === 1) {
          const helper = helpers[register];
          if (helper.reads === undefined) {
            for (let word = 0; word < words; word++) memoryReads[base + word] |= ~writes[base + word];
          } else {
            for (const read of helper.reads) {
              const word = base + (read >>> 5);
              memoryReads[word] |= (1 << (read & 31)) & ~writes[word];
            }
          }
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

  const liveIn = new Int32Array(size);
  const neededIn = new Int32Array(size);
  const neededOut = new Int32Array(size);
  let changed = true;
  while (changed) {
    changed = false;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const base = index * words;
      for (let word = 0; word < words; word++) {
        let live = leaves[index] === 1 ? -1 : 0;
        let needed = 0;
        for (const target of successors[index]) {
          live |= liveIn[target * words + word];
          needed |= neededIn[target * words + word];
        }
        // Behind a call the locals are filled anew.
        if (callEnds[index] === 1) needed = 0;
        neededOut[base + word] = needed;
        const kept = ~writes[base + word];
        const liveBefore = (live & kept) | localReads[base + word] | memoryReads[base + word];
        const neededBefore = (needed & kept) | localReads[base + word];
        if (liveBefore !== liveIn[base + word] || neededBefore !== neededIn[base + word]) {
          liveIn[base + word] = liveBefore;
          neededIn[base + word] = neededBefore;
          changed = true;
        }
      }
    }
  }
  return { words, liveIn, neededIn, neededOut };
}
