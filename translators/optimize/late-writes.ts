/**
 * When and where guest registers are kept in locals, and written late, where accesses trap: choices on top of the
 * dataflow of registers-flow.ts, whose head explains them.
 */
import type { Frontend } from '../frontend.ts';
import { operations } from '../ir/operations.ts';
import { ctz } from '../ir/runtime.ts';
import type { Register } from '../ir/state.ts';
import type { Unit } from '../ir/unit.ts';
import type { Region } from './discover.ts';
import type { Loops } from './loops.ts';
import { kinds } from './operation-kinds.ts';
import type { BlockSets } from './registers-flow.ts';

/** When registers are written to the state block, where some are written late. */
export interface LateWrites {
  readonly loops: Loops;
  /** By register: 1 where it is written with each assignment. */
  readonly isPrompt: Uint8Array;
  /** Sets by loop: registers that its blocks write, but not to the state block before control leaves the loop. */
  readonly late: Int32Array;
  /** Sets as in RegisterFlow: registers written late whose locals may be newer than the state block at a block's start, and are live. */
  readonly newerIn: Int32Array;
  /** Sets by loop, and behind them the one of all other blocks: registers that have locals there. */
  readonly residents: Int32Array;
}

/** Where registers may be written late. */
export interface LateOptions {
  /** Whether the access at a position has no check and traps by itself. */
  traps(at: number): boolean;
  /** By block: 1 where control may leave before it, because it is the head of a loop. */
  readonly heads: Uint8Array;
  readonly loops: Loops;
}

/** The number of a block's set of residents. */
export function groupOf({ innermost, heads }: Loops, block: number): number {
  return innermost[block] >= 0 ? innermost[block] : heads.length;
}

/** Registers of each type that have locals at the same time, at most; V8 needs some of the host's for itself and for what a block computes. */
const residentLimits: Readonly<Record<string, number>> = { i32: 10, i64: 10, f64: 12, v128: 12 };

/** Chooses the registers that have locals on each innermost loop, and elsewhere: those that the most blocks read, inner ones first. */
export function residentRegisters(
  { blocks }: Region,
  frontend: Frontend,
  { words, localReads }: BlockSets,
  loops: Loops,
): Int32Array {
  const { registers } = frontend.registers;
  const groups = loops.heads.length + 1;
  const weights = new Float64Array(groups * registers.length);
  for (let index = 0; index < blocks.length; index++) {
    const base = groupOf(loops, index) * registers.length;
    const weight = 8 ** loops.depth[index];
    for (let word = 0; word < words; word++) {
      for (let rest = localReads[index * words + word]; rest !== 0; rest &= rest - 1) {
        weights[base + word * 32 + ctz(rest)] += weight;
      }
    }
  }
  const residents = new Int32Array(groups * words);
  for (let group = 0; group < groups; group++) {
    const left = { ...residentLimits };
    const base = group * registers.length;
    const read = registers.map((_, register) => register).filter((register) => weights[base + register] > 0);
    read.sort((one, other) => weights[base + other] - weights[base + one] || one - other);
    for (const register of read) {
      if (left[registers[register].type]-- > 0) residents[group * words + (register >>> 5)] |= 1 << (register & 31);
    }
  }
  return residents;
}

/**
 * Which registers are written with each assignment, and which ones are assigned a comparison's result somewhere: to
 * compute that for the sake of ways out of a loop costs more than to write it there.
 */
export function classify(
  { unit, blocks }: Region,
  frontend: Frontend,
  { traps }: LateOptions,
): { isPrompt: Uint8Array; isComparison: Uint8Array } {
  const { registers } = frontend.registers;
  const isPrompt = Uint8Array.from(registers, ({ pinned }) => (pinned ? 1 : 0));
  const isComparison = new Uint8Array(registers.length);
  const addressed = new AddressRegisters(unit, registers);
  for (const block of blocks) {
    for (let at = block.first; at < block.end; at++) {
      if (kinds[unit.op[at]] === 'set') {
        if (operations[unit.op[unit.a[at]]].test !== '') isComparison[unit.imm[at]] = 1;
      } else if (traps(at)) {
        for (const register of addressed.of(at, block.first)) isPrompt[register] = 1;
      }
    }
  }
  return { isPrompt, isComparison };
}

/** Blocks of a loop on which registers are written late: with more, too many ways out and meeting points carry them. */
const longestLateLoop = 4;

/**
 * Sets by loop: what its blocks write and may write late. Only what a local carries from one turn to the next anyway:
 * anything else would take one of the host's registers for the sake of the ways out.
 * @param carried registers whose locals must be right at the start of each block, if none is written late
 */
export function lateRegisters(
  blockCount: number,
  { words, writes }: BlockSets,
  loops: Loops,
  carried: Int32Array,
  isPrompt: Uint8Array,
  isComparison: Uint8Array,
): Int32Array {
  const eligible = new Int32Array(words);
  isPrompt.forEach((prompt, register) => {
    if (prompt === 0 && isComparison[register] === 0) eligible[register >>> 5] |= 1 << (register & 31);
  });
  const late = new Int32Array(loops.heads.length * words);
  for (let index = 0; index < blockCount; index++) {
    const loop = loops.innermost[index];
    if (loop < 0 || loops.sizes[loop] > longestLateLoop) continue;
    const head = loops.heads[loop] * words;
    for (let word = 0; word < words; word++) {
      late[loop * words + word] |= writes[index * words + word] & eligible[word] & carried[head + word];
    }
  }
  return late;
}

/** Finds the registers that the address of an access comes from: what its guest instruction reads but a store's value. */
class AddressRegisters {
  private readonly unit: Unit;
  private readonly registers: readonly Register[];
  /** Reads of the instruction, by register. */
  private readonly reads: Uint8Array;
  private readonly found: number[] = [];
  /** Index in the unit's forwarded reads: those before it lie before the last access. */
  private next = 0;
  private lastAccess = -1;

  constructor(unit: Unit, registers: readonly Register[]) {
    this.unit = unit;
    this.registers = registers;
    this.reads = new Uint8Array(registers.length);
  }

  /** @returns register numbers; valid until the next call */
  of(access: number, blockStart: number): readonly number[] {
    const { unit, reads, found } = this;
    const forwarded = unit.forwardedReads;
    let start = access;
    while (start > blockStart && unit.pc[start - 1] === unit.pc[access]) start--;
    reads.fill(0);
    found.length = 0;
    const note = (register: number): void => {
      // A floating-point register or a vector is never part of an address.
      const { type } = this.registers[register];
      if (reads[register]++ === 0 && type !== 'f64' && type !== 'v128') found.push(register);
    };
    for (let at = start; at < access; at++) if (kinds[unit.op[at]] === 'get') note(unit.imm[at]);
    // Blocks may stand in another order than they were lifted in.
    if (start < this.lastAccess) this.next = 0;
    this.lastAccess = start;
    while (this.next < forwarded.length && forwarded[this.next] < start) this.next += 2;
    for (let at = this.next; at < forwarded.length && forwarded[at] <= access; at += 2) note(forwarded[at + 1]);
    const isStored = (register: number): boolean =>
      reads[register] === 1 && this.valueOf(register, access, blockStart) === unit.b[access];
    const addresses = found.filter((register) => !isStored(register));
    return addresses.length > 0 ? addresses : found;
  }

  /** The value that a register has for the instruction at a position; -1 when the block has not said. */
  private valueOf(register: number, before: number, blockStart: number): number {
    const { unit } = this;
    for (let at = before - 1; at >= blockStart; at--) {
      if (unit.imm[at] !== register) continue;
      if (kinds[unit.op[at]] === 'set') return unit.a[at];
      if (kinds[unit.op[at]] === 'get') return at;
    }
    return -1;
  }
}

/** Registers written late whose locals may be newer than the state block at each block's start, and are live there. */
export function newerRegisters(
  { blocks, successors }: Region,
  { words, writes, liveIn, callEnds, updates }: BlockSets,
  loops: Loops,
  late: Int32Array,
): Int32Array {
  const newerIn = new Int32Array(blocks.length * words);
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = 0; index < blocks.length; index++) {
      const loop = loops.innermost[index];
      if (loop < 0 || callEnds[index] === 1) continue;
      for (let word = 0; word < words; word++) {
        const at = index * words + word;
        const newer = (writes[at] & late[loop * words + word]) | (updates[index] === 1 ? 0 : newerIn[at]);
        for (const target of successors[index]) {
          if (loops.innermost[target] !== loop) continue;
          const to = target * words + word;
          const before = newerIn[to] | (newer & liveIn[to]);
          if (before === newerIn[to]) continue;
          newerIn[to] = before;
          changed = true;
        }
      }
    }
  }
  return newerIn;
}
