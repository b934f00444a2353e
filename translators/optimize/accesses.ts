/**
 * Groups a block's memory accesses that are off one base value, so that one permission check at the first of
 * them covers all: they all happen, or an earlier one faults, and then the interpreter finds out which.
 */
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import type { Unit } from '../ir/unit.ts';
import { kinds } from './operation-kinds.ts';

/** Bytes that each operation moves, by code; 0 for operations that touch no memory. */
export const accessBytes = Uint8Array.from(operations, (operation) => operation.bytes);

/** 1 read, 2 write, 3 both, by code. */
const accessKinds = Uint8Array.from(
  operations,
  (operation) => (operation.flags.has('load') ? 1 : 0) | (operation.flags.has('store') ? 2 : 0),
);

export interface AccessGroup {
  /** Position of the first access, where the check stands. */
  readonly first: number;
  /** The check stands at the block's start: the base is known there. When it fails, the interpreter runs the whole block. */
  readonly early: boolean;
  /** Lowest displacement, and the one past the highest byte. */
  low: number;
  high: number;
  /** Bits: 1 read, 2 write. */
  access: number;
  /** Bytes of the widest access. */
  widest: number;
}

/**
 * Whether one entry of the permission table answers for the whole group (translators/memory-view.ts): where its span is
 * that of one access, mostly aligned. Several narrower ones need not be aligned as a whole, and then that entry tells of
 * the next page, too, which none of them may touch.
 */
export function isOneEntry(group: AccessGroup): boolean {
  const bytes = group.high - group.low;
  return bytes === group.widest && (bytes === 1 || bytes === 2 || bytes === 4 || bytes === 8);
}

/** The widest span of one check: it looks at the pages of both ends, so nothing may lie between. */
const span = 4096;

export class AccessGroups {
  private readonly first: number;
  private readonly groups: readonly (AccessGroup | undefined)[];
  /** Those whose check stands at the block's start. */
  readonly early: readonly AccessGroup[];
  constructor(first: number, groups: readonly (AccessGroup | undefined)[], early: readonly AccessGroup[]) {
    this.first = first;
    this.groups = groups;
    this.early = early;
  }
  /** The group of the access at a position. */
  groupOf(at: number): AccessGroup {
    return this.groups[at - this.first] as AccessGroup;
  }
}

/** The group of one access alone. */
export function groupOfOne(unit: Unit, at: number): AccessGroup {
  const code = unit.op[at];
  const isCheck = code === op.check;
  const low = unit.imm[at];
  const bytes = isCheck ? unit.b[at] : accessBytes[code];
  return {
    first: at,
    early: false,
    low,
    high: low + bytes,
    access: isCheck ? unit.c[at] : accessKinds[code],
    widest: bytes,
  };
}

/** Groups the accesses of [first, end); a helper may change what is mapped, so nothing is grouped across one. */
export function groupAccesses(unit: Unit, first: number, end: number): AccessGroups {
  const groups: (AccessGroup | undefined)[] = [];
  const early: AccessGroup[] = [];
  const open = new Map<number, AccessGroup>();
  let known = true;
  for (let at = first; at < end; at++) {
    const code = unit.op[at];
    if (kinds[code] === 'helper') {
      open.clear();
      // Registers that are read from here on may not be those of the block's start.
      known = false;
    }
    if (accessBytes[code] === 0 && code !== op.check) continue;
    const base = unit.a[at];
    const one = groupOfOne(unit, at);
    const { low, high } = one;
    const group = open.get(base);
    if (group !== undefined && Math.max(group.high, high) - Math.min(group.low, low) <= span) {
      group.low = Math.min(group.low, low);
      group.high = Math.max(group.high, high);
      group.access |= one.access;
      group.widest = Math.max(group.widest, high - low);
      groups[at - first] = group;
    } else {
      const isEarly = known && (unit.op[base] === op['get.i32'] || unit.op[base] === op['i32.const']);
      const made = { ...one, early: isEarly };
      if (isEarly) early.push(made);
      open.set(base, made);
      groups[at - first] = made;
    }
  }
  return new AccessGroups(first, groups, early);
}
