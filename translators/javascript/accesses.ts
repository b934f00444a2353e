/**
 * Groups a block's memory accesses that are off one base value, so that one permission check at the first of
 * them covers all: they all happen, or an earlier one faults, and then the interpreter finds out which.
 */
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import type { Unit } from '../ir/unit.ts';

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
  /** Lowest displacement, and the one past the highest byte. */
  low: number;
  high: number;
  /** Bits: 1 read, 2 write. */
  access: number;
  count: number;
}

/** The widest span of one check: it looks at the pages of both ends, so nothing may lie between. */
const span = 4096;

export class AccessGroups {
  private readonly first: number;
  private readonly groups: (AccessGroup | undefined)[];
  constructor(first: number, groups: (AccessGroup | undefined)[]) {
    this.first = first;
    this.groups = groups;
  }
  /** The group of the access at a position. */
  groupOf(at: number): AccessGroup {
    return this.groups[at - this.first] as AccessGroup;
  }
}

/** Groups the accesses of [first, end); a helper may change what is mapped, so nothing is grouped across one. */
export function groupAccesses(unit: Unit, first: number, end: number): AccessGroups {
  const groups: (AccessGroup | undefined)[] = [];
  const open = new Map<number, AccessGroup>();
  for (let at = first; at < end; at++) {
    const code = unit.op[at];
    const isCheck = code === op.check;
    if (code === op['helper.i32'] || code === op['helper.f64'] || code === op['helper.none']) open.clear();
    if (accessBytes[code] === 0 && !isCheck) continue;
    const base = unit.a[at];
    const low = unit.imm[at];
    const high = low + (isCheck ? unit.b[at] : accessBytes[code]);
    const access = isCheck ? unit.c[at] : accessKinds[code];
    const group = open.get(base);
    if (group !== undefined && Math.max(group.high, high) - Math.min(group.low, low) <= span) {
      group.low = Math.min(group.low, low);
      group.high = Math.max(group.high, high);
      group.access |= access;
      group.count++;
      groups[at - first] = group;
    } else {
      const made = { first: at, low, high, access, count: 1 };
      open.set(base, made);
      groups[at - first] = made;
    }
  }
  return new AccessGroups(first, groups);
}
