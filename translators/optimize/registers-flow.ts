/**
 * Dataflow of guest registers over a region, on bit sets: which registers are live, and which ones a
 * translation's locals must hold where.
 *
 * The model: a translation reads registers from locals and writes them through to the state block. At entry, and
 * after a call or system call, locals are filled. A write that nothing can see any more need not reach the state block.
 *
 * Where accesses trap and the guest does not handle that, a trap may find registers out of date, which only a fatal
 * report shows. What it must find are what addresses are computed from and the pinned registers: an access's block writes
 * them before it, at once. Registers that no address in an innermost loop comes from are written late, where control
 * leaves the loop: until then their locals are newer than the state block. (To write late everywhere
 * keeps too many values alive: most programs become slower.) And not more registers have locals in a loop than the host
 * has registers for; the others are read from the state block where they are used.
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { exitCode, operations } from '../ir/operations.ts';
import type { Unit } from '../ir/unit.ts';
import { isBehindCall, type Region } from './discover.ts';
import {
  findPromptness,
  groupOf,
  type LateOptions,
  type LateWrites,
  lateRegisters,
  newerRegisters,
  residentRegisters,
} from './late-writes.ts';
import type { Loops } from './loops.ts';
import { has } from './register-sets.ts';

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

/** Exits for what an access does on other hosts: they show what a fault shows. */
const faultReasons = new Set<number>([exitCode.wide_address, exitCode.protection]);

/**
 * Whether a side exit shows every register, dead ones too, whatever is asked of faults.
 * @param number of the helper, or the reason of the exit
 */
export function showsAll(code: number, number: number, helpers: readonly HelperRegisters[]): boolean {
  if (code === op.exit_if && faultReasons.has(number)) return false;
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
  /** Present where registers are written late. */
  readonly late?: LateWrites | undefined;
}

/** Register numbers that a helper reads (undefined stands for all) and writes. */
export interface HelperRegisters {
  readonly reads: readonly number[] | undefined;
  readonly writes: readonly number[];
  readonly mayExit: boolean;
  /** No translation is stale behind it. */
  readonly isLocal: boolean;
}

/** The registers of a frontend's helpers, by helper number. */
export function helperRegisters(frontend: Frontend): readonly HelperRegisters[] {
  const { registers, numbers } = frontend.registers;
  const all = registers.map((_, number) => number);
  const named = (names: readonly string[]) => (names.includes('*') ? undefined : names.map((name) => numbers[name]));
  return frontend.helpers.map((helper) => ({
    reads: named(helper.reads),
    writes: named(helper.writes) ?? all,
    mayExit: helper.mayExit === true,
    isLocal: helper.isLocal === true,
  }));
}

/** Whether a register is written late on the loop that a block lies on. */
export function isLate({ late, words }: RegisterFlow, block: number, register: number): boolean {
  const loop = late === undefined ? -1 : late.loops.innermost[block];
  return loop >= 0 && has((late as LateWrites).late, words, loop, register);
}

/** Whether a register has a local in a block. */
export function isResident({ late, words }: RegisterFlow, block: number, register: number): boolean {
  return late === undefined || has(late.residents, words, groupOf(late.loops, block), register);
}

/**
 * @param preciseFaults registers are exact at every side exit, so each of those reads all of them
 * @param lateOptions absent: no register is written late
 */
export function registerFlow(
  region: Region,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  preciseFaults: boolean,
  lateOptions?: LateOptions,
): RegisterFlow {
  const { unit, blocks, successors } = region;
  const { forwardedReads } = unit;
  const words = frontend.registers.pinned.length;
  const size = blocks.length * words;
  /** Read through a local, before any write of the block. */
  const localReads = new Int32Array(size);
  /** Seen in the state block, by a helper or at a side exit, before any write of the block. */
  const memoryReads = new Int32Array(size);
  const writes = new Int32Array(size);
  const leaves = new Uint8Array(blocks.length);
  /** By block: 1 where all registers are brought up to date in its middle. */
  const updates = new Uint8Array(blocks.length);
  /** By block: 1 where a seldom taken way out of its middle brings them up to date, and only that (BlockAnalysis.isColdExit). */
  const coldExits = new Uint8Array(blocks.length);
  /** What an access that may fault shows. */
  const shown = preciseFaults ? new Int32Array(words).fill(-1) : frontend.registers.pinned;

  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index];
    const base = index * words;
    let read = readsBefore(unit, block.first);
    for (let at = block.first; at < block.end; at++) {
      // What is known to be in a register where the block begins: the interpreter reads it when it goes on in its middle.
      for (; read < forwardedReads.length && forwardedReads[read] <= at; read += 2) {
        const register = forwardedReads[read + 1];
        const word = base + (register >>> 5);
        memoryReads[word] |= (1 << (register & 31)) & ~writes[word];
      }
      const code = unit.op[at];
      const register = unit.imm[at];
      if (getCodes[code] === 1) {
        const word = base + (register >>> 5);
        localReads[word] |= (1 << (register & 31)) & ~writes[word];
      } else if (setCodes[code] === 1) {
        writes[base + (register >>> 5)] |= 1 << (register & 31);
      } else if (sideExits[code] === 1) {
        if (code === op.exit_if) coldExits[index] = 1;
        else if (lateOptions?.traps(at) === false) updates[index] = 1;
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
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const base = index * words;
      const targets = successors[index];
      for (let word = 0; word < words; word++) {
        let live = leaves[index] === 1 ? -1 : 0;
        for (let at = 0; at < targets.length; at++) live |= liveIn[targets[at] * words + word];
        const before = (live & ~writes[base + word]) | localReads[base + word] | memoryReads[base + word];
        if (before === liveIn[base + word]) continue;
        liveIn[base + word] = before;
        changed = true;
      }
    }
  }
  const sets: BlockSets = { words, localReads, writes, liveIn, leaves, updates };
  if (lateOptions === undefined) return { words, liveIn, ...neededRegisters(region, sets, new Int32Array(size)) };
  const { loops } = lateOptions;
  const promptness = findPromptness(region, frontend, words, lateOptions);
  const residents = residentRegisters(region, frontend, sets, loops);
  const resident = { loops, residents };
  /** Registers that are stored from their locals in a block, unless the block wrote them. */
  const stored = new Int32Array(size);
  const withoutLate = neededRegisters(region, sets, stored, resident);
  const late = lateRegisters(blocks.length, sets, loops, withoutLate.neededIn, promptness);
  const newerIn = newerRegisters(region, sets, loops, late);
  const lateWrites: LateWrites = { loops, isPrompt: promptness.isPrompt, late, newerIn, residents };
  // Most regions have nothing to write late.
  if (newerIn.every((word) => word === 0)) return { words, liveIn, ...withoutLate, late: lateWrites };
  for (let index = 0; index < blocks.length; index++) {
    const early = lateOptions.heads[index] === 1 || updates[index] === 1 || coldExits[index] === 1;
    for (let word = 0; word < words; word++) {
      const at = index * words + word;
      let behind = leaves[index] === 1 ? -1 : 0;
      for (const to of successors[index])
        if (loops.innermost[to] !== loops.innermost[index]) behind |= liveIn[to * words + word];
      stored[at] = newerIn[at] & (early ? -1 : behind & ~writes[at]);
    }
  }
  return { words, liveIn, ...neededRegisters(region, sets, stored, resident), late: lateWrites };
}

/** What a region's blocks do with registers: sets as in RegisterFlow, and by block 1 or 0. */
export interface BlockSets {
  readonly words: number;
  readonly localReads: Int32Array;
  readonly writes: Int32Array;
  readonly liveIn: Int32Array;
  readonly leaves: Uint8Array;
  readonly updates: Uint8Array;
}

/** Which registers' locals must be right at each block's start and end. @param stored registers that a block reads to store them */
function neededRegisters(
  region: Region,
  { words, localReads, writes }: BlockSets,
  stored: Int32Array,
  resident?: { readonly loops: Loops; readonly residents: Int32Array },
): Pick<RegisterFlow, 'neededIn' | 'neededOut'> {
  const { blocks } = region;
  // Behind a call the locals are filled anew.
  const successors = region.successors.map((targets, from) => targets.filter((to) => !isBehindCall(region, from, to)));
  const neededIn = new Int32Array(blocks.length * words);
  const neededOut = new Int32Array(blocks.length * words);
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = blocks.length - 1; index >= 0; index--) {
      const base = index * words;
      const targets = successors[index];
      const group = resident === undefined ? 0 : groupOf(resident.loops, index) * words;
      for (let word = 0; word < words; word++) {
        const mask = resident === undefined ? -1 : resident.residents[group + word];
        let needed = 0;
        for (let at = 0; at < targets.length; at++) needed |= neededIn[targets[at] * words + word];
        needed &= mask;
        neededOut[base + word] = needed;
        const before = ((needed & ~writes[base + word]) | localReads[base + word] | stored[base + word]) & mask;
        if (before === neededIn[base + word]) continue;
        neededIn[base + word] = before;
        changed = true;
      }
    }
  }
  return { neededIn, neededOut };
}

/** Length of the prefix of a unit's forwarded reads (pairs) that lies before a position. */
export function readsBefore({ forwardedReads: reads }: Unit, position: number): number {
  let low = 0;
  let high = reads.length >>> 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (reads[middle * 2] <= position) low = middle + 1;
    else high = middle;
  }
  return low * 2;
}
