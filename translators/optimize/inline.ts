/**
 * Functions that become part of a region at the places that call them: which ones may, and how their returns become jumps.
 *
 * Such a call is a jump into blocks of the callee that belong to this one call, so registers stay in locals, and what
 * is dead behind the call is not computed. Nothing is assumed: the return address is in its register, or on the stack,
 * as the guest has it. Where the callee returns to what is known at the call, which it then cannot have changed, its return
 * is a jump; else its return compares, and leaves the region for any other address.
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import type { Block, Unit } from '../ir/unit.ts';
import type { Bounds, Region } from './discover.ts';
import { kinds } from './operation-kinds.ts';
import { cyclicNodes } from './structure.ts';

export interface Inlining {
  /** Guest instructions of a function that becomes part of a region, at most. */
  readonly limit: number;
  /** Guest instructions of all of them in one region. */
  readonly room: number;
  /** How many times a function may be found within itself. */
  readonly depth: number;
  /** The bounds of the function at a guest address. */
  boundsOf(entry: number): Bounds;
}

/** Words that registers hold, by register number. */
export type Constants = ReadonlyMap<number, number>;

/** What a caller needs to know of a function that may become part of it. */
export interface Callee {
  readonly guestInstructions: number;
  /** By register: 1 where the function may change it. */
  readonly changes: Uint8Array;
}

/** @param region the function alone @returns undefined for one that shall stay a function of its own */
export function measureCallee(region: Region, frontend: Frontend, limit: number): Callee | undefined {
  const { unit, blocks, successors, guestInstructions } = region;
  // Next to a loop the call is cheap; and a loop that is left comes back by itself, without the caller.
  if (guestInstructions > limit || cyclicNodes(successors).size > 0) return undefined;
  const changes = new Uint8Array(frontend.registers.registers.length);
  let calls = false;
  let returnsOnCondition = false;
  for (const [index, { first, end }] of blocks.entries()) {
    for (let at = first; at < end; at++) {
      const kind = kinds[unit.op[at]];
      if (kind === 'helper') return undefined;
      if (kind === 'set') changes[unit.imm[at]] = 1;
    }
    switch (unit.op[end - 1]) {
      case op.jump:
        if (successors[index].length < 1) return undefined;
        break;
      case op.branch:
        if (successors[index].length < 2) return undefined;
        break;
      case op.branch_return:
        if (successors[index].length < 1) return undefined;
        returnsOnCondition = true;
        break;
      case op.return:
        break;
      case op.call:
      case op.call_indirect:
        calls = true;
        break;
      default:
        return undefined;
    }
  }
  if (calls && returnsOnCondition) return undefined;
  return { guestInstructions, changes: calls ? changes.fill(1) : changes };
}

/** The words that are in registers where a block ends with a call, and stay there in the callee. @param before those where the block begins */
export function constantsAt(unit: Unit, block: Block, before: Constants | undefined, { changes }: Callee): Constants {
  const constants = new Map(before);
  for (let at = block.first; at < block.end; at++) {
    const kind = kinds[unit.op[at]];
    if (kind === 'helper') constants.clear();
    if (kind !== 'set') continue;
    const value = unit.a[at];
    if (unit.op[value] === op['i32.const']) constants.set(unit.imm[at], unit.imm[value]);
    else constants.delete(unit.imm[at]);
  }
  for (const register of constants.keys()) if (changes[register] === 1) constants.delete(register);
  return constants;
}

/**
 * Lets the return that a block ends with go to the address behind the call. The block is the last one in the unit.
 * @returns whether it ends with a return that may
 */
export function expectReturn(unit: Unit, block: Block, link: number): boolean {
  const at = block.end - 1;
  const code = unit.op[at];
  if (code !== op.return && code !== op.branch_return) return false;
  const value = code === op.return ? unit.a[at] : unit.b[at];
  const isKnown = unit.op[value] === op['i32.const'] && unit.imm[value] >>> 0 === link;
  if (isKnown && code === op.return) {
    unit.op[at] = op.jump;
    unit.a[at] = -1;
    unit.imm[at] = link | 0;
    return true;
  }
  if (isKnown) {
    unit.op[at] = op.branch;
    unit.b[at] = unit.imm[at];
    unit.imm[at] = link | 0;
    return true;
  }
  if (code !== op.return || operations[unit.op[value]].result !== 'i32') return false;
  const { pc } = unit;
  const expected = at;
  unit.op[expected] = op['i32.const'];
  unit.a[expected] = -1;
  unit.imm[expected] = link | 0;
  const isOther = unit.append(op['i32.ne'], value, expected, -1, 0, pc[at]);
  unit.append(op.branch_return, isOther, value, -1, link | 0, pc[at]);
  block.end = unit.count;
  return true;
}
