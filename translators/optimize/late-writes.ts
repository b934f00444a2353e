/**
 * When and where guest registers are kept in locals, and written late, where accesses trap: choices on top of the
 * dataflow of registers-flow.ts, whose head explains them.
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import type { Register } from '../ir/state.ts';
import type { Unit } from '../ir/unit.ts';
import { isBehindCall, type Region } from './discover.ts';
import type { Loops } from './loops.ts';
import { kinds, operandCounts } from './operation-kinds.ts';
import { forEachRegister } from './register-sets.ts';
import type { BlockSets } from './registers-flow.ts';

/** When registers are written to the state block, where some are written late. */
export interface LateWrites {
  readonly loops: Loops;
  /** By position: 1 for assignments that are written at once. */
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
    forEachRegister(localReads, words, index, (register) => {
      weights[base + register] += weight;
    });
  }
  const residents = new Int32Array(groups * words);
  for (let group = 0; group < groups; group++) {
    const left = { ...residentLimits };
    const base = group * registers.length;
    const read: number[] = [];
    for (let register = 0; register < registers.length; register++)
      if (weights[base + register] > 0) read.push(register);
    read.sort((one, other) => weights[base + other] - weights[base + one] || one - other);
    for (const register of read) {
      if (left[registers[register].type]-- > 0) residents[group * words + (register >>> 5)] |= 1 << (register & 31);
    }
  }
  return residents;
}

/** The value that another one is, but for a constant that was added to it. */
export function rootOf(unit: Unit, value: number): number {
  const code = unit.op[value];
  if (code === op['i32.add']) return unit.op[unit.b[value]] === op['i32.const'] ? unit.a[value] : value;
  if (code === op['i64.add']) return unit.op[unit.b[value]] === op['i64.const'] ? unit.a[value] : value;
  return value;
}

/** What a value is more than its root: the low word, which says all for constants of a word with sign extension. */
export function distanceFromRoot(unit: Unit, value: number): number {
  if (rootOf(unit, value) === value) return 0;
  const constant = unit.b[value];
  return unit.op[constant] === op['i32.const'] ? unit.imm[constant] : unit.a[constant];
}

/** Which assignments are written at once, and what may be written late. */
export interface Promptness {
  readonly isPrompt: Uint8Array;
  /** Sets as in RegisterFlow: registers that the address of an access in a block comes from, as they are at its start. */
  readonly addresses: Int32Array;
  /**
   * The set of registers that may be written late: not the pinned ones, nor those that are assigned a comparison's result
   * somewhere, since to compute that for the sake of ways out of a loop costs more than to write it there.
   */
  readonly eligible: Int32Array;
}

/** By code: 1 where an operation is a comparison. */
const comparisons = Uint8Array.from(operations, ({ test }) => (test !== '' ? 1 : 0));

/**
 * Finds out which assignments are written at once: those that the address of an access in the same block comes from, and
 * those of pinned registers that do not only move what the register held. What is not late is in the state block by the
 * end of its block.
 */
export function findPromptness(
  { unit, blocks }: Region,
  frontend: Frontend,
  words: number,
  { traps }: LateOptions,
): Promptness {
  const { registers } = frontend.registers;
  const isPrompt = new Uint8Array(unit.count);
  const addresses = new Int32Array(blocks.length * words);
  const eligible = frontend.registers.pinned.map((pinned) => ~pinned);
  const addressed = new AddressRegisters(unit, registers);
  /** By pinned register: the value that it was moved from since the block's start. */
  const roots = new Int32Array(registers.length);
  const moves = (at: number, register: number): boolean => {
    const before = roots[register];
    roots[register] = rootOf(unit, unit.a[at]);
    return roots[register] === before;
  };
  blocks.forEach((block, index) => {
    roots.fill(-1);
    for (let at = block.first; at < block.end; at++) {
      if (kinds[unit.op[at]] === 'set') {
        const register = unit.imm[at];
        if (registers[register].pinned && !moves(at, register)) isPrompt[at] = 1;
        if (comparisons[unit.op[unit.a[at]]] === 1) eligible[register >>> 5] &= ~(1 << (register & 31));
      } else if (kinds[unit.op[at]] === 'get') roots[unit.imm[at]] = at;
      else if (traps(at)) addressed.mark(at, block.first, isPrompt, addresses, index * words);
    }
  });
  return { isPrompt, addresses, eligible };
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
  { addresses, eligible }: Promptness,
): Int32Array {
  const late = new Int32Array(loops.heads.length * words);
  const isLate = (index: number): boolean =>
    loops.innermost[index] >= 0 && loops.sizes[loops.innermost[index]] <= longestLateLoop;
  for (let index = 0; index < blockCount; index++) {
    if (!isLate(index)) continue;
    const loop = loops.innermost[index];
    const head = loops.heads[loop] * words;
    for (let word = 0; word < words; word++) {
      late[loop * words + word] |= writes[index * words + word] & eligible[word] & carried[head + word];
    }
  }
  for (let index = 0; index < blockCount; index++) {
    if (!isLate(index)) continue;
    for (let word = 0; word < words; word++) {
      late[loops.innermost[index] * words + word] &= ~addresses[index * words + word];
    }
  }
  return late;
}

/** Values that are looked at to tell whether an address comes from a register; where there are more it is taken to. */
const mostOperands = 64;

/**
 * Finds the registers that the address of an access comes from: of those that its guest instruction reads before it, all
 * whose values have to do with the address. Where the builder knew a register as the sum of another and a constant the
 * address need not be made of that very value; but then both are made of the same ones.
 */
class AddressRegisters {
  private readonly unit: Unit;
  private readonly registers: readonly Register[];
  /** Reads of the instruction, by register. */
  private readonly isRead: Uint8Array;
  private readonly read: number[] = [];
  /** Index in the unit's forwarded reads: those before it lie before the last access. */
  private next = 0;
  private lastAccess = -1;
  /** What the address of an access is made of. */
  private readonly parts = new Set<number>();
  private readonly pending: number[] = [];

  constructor(unit: Unit, registers: readonly Register[]) {
    this.unit = unit;
    this.registers = registers;
    this.isRead = new Uint8Array(registers.length);
  }

  /** Marks the assignments of the access's block that its address comes from, and adds to the set at `base` what comes from before. */
  mark(access: number, blockStart: number, isPrompt: Uint8Array, addresses: Int32Array, base: number): void {
    this.findReads(access, blockStart);
    this.parts.clear();
    const isKnown = !this.meets(this.unit.a[access], false);
    for (const register of this.read) {
      // What a pinned register holds a trap knows.
      if (this.registers[register].pinned) continue;
      const source = this.sourceOf(register, access, blockStart);
      const isSet = source >= 0 && kinds[this.unit.op[source]] === 'set';
      const value = isSet ? this.unit.a[source] : source;
      if (isKnown && value >= 0 && !this.meets(value, true)) continue;
      if (isSet) isPrompt[source] = 1;
      else addresses[base + (register >>> 5)] |= 1 << (register & 31);
    }
  }

  /** Finds what the guest instruction of an access has read before it. */
  private findReads(access: number, blockStart: number): void {
    const { unit, isRead, read } = this;
    const forwarded = unit.forwardedReads;
    let start = access;
    while (start > blockStart && unit.pc[start - 1] === unit.pc[access]) start--;
    for (const register of read) isRead[register] = 0;
    read.length = 0;
    const note = (register: number): void => {
      // A floating-point register or a vector is never part of an address.
      const { type } = this.registers[register];
      if (isRead[register] === 1 || type === 'f64' || type === 'v128') return;
      read.push(register);
      isRead[register] = 1;
    };
    for (let at = start; at < access; at++) if (kinds[unit.op[at]] === 'get') note(unit.imm[at]);
    // Blocks may stand in another order than they were lifted in.
    if (start < this.lastAccess) this.next = 0;
    this.lastAccess = start;
    while (this.next < forwarded.length && forwarded[this.next] < start) this.next += 2;
    for (let at = this.next; at < forwarded.length && forwarded[at] <= access; at += 2) note(forwarded[at + 1]);
  }

  /**
   * Adds what a value is made of to the parts, or looks whether one of these is among it: up to what comes from registers,
   * memory and helpers.
   * @returns true, too, where it is a constant, which does not tell what it comes from, or made of too much
   */
  private meets(value: number, looks: boolean): boolean {
    const { unit, parts, pending } = this;
    if (kinds[unit.op[value]] === 'const') return true;
    pending.length = 0;
    pending.push(value);
    for (let next = 0; next < pending.length; next++) {
      if (next === mostOperands) return true;
      const at = pending[next];
      const code = unit.op[at];
      if (kinds[code] === 'const') continue;
      if (!looks) parts.add(at);
      else if (parts.has(at)) return true;
      if (kinds[code] !== 'pure') continue;
      const operands = operandCounts[code];
      if (operands > 0) pending.push(unit.a[at]);
      if (operands > 1) pending.push(unit.b[at]);
      if (operands > 2) pending.push(unit.c[at]);
    }
    return false;
  }

  /** The assignment, or else the read, that tells what a register holds at a position; -1 when the block has neither. */
  private sourceOf(register: number, before: number, blockStart: number): number {
    const { unit } = this;
    for (let at = before - 1; at >= blockStart; at--) {
      if (unit.imm[at] !== register) continue;
      const kind = kinds[unit.op[at]];
      if (kind === 'set' || kind === 'get') return at;
    }
    return -1;
  }
}

/** Registers written late whose locals may be newer than the state block at each block's start, and are live there. */
export function newerRegisters(
  region: Region,
  { words, writes, liveIn, updates }: BlockSets,
  loops: Loops,
  late: Int32Array,
): Int32Array {
  const { blocks, successors } = region;
  const newerIn = new Int32Array(blocks.length * words);
  for (let changed = true; changed; ) {
    changed = false;
    for (let index = 0; index < blocks.length; index++) {
      const loop = loops.innermost[index];
      if (loop < 0) continue;
      for (let word = 0; word < words; word++) {
        const at = index * words + word;
        const newer = (writes[at] & late[loop * words + word]) | (updates[index] === 1 ? 0 : newerIn[at]);
        for (const target of successors[index]) {
          if (loops.innermost[target] !== loop || isBehindCall(region, index, target)) continue;
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
