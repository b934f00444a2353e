/** Emits permission checks and accesses of guest memory (translators/memory-view.ts has the layout). */
import { op } from '../ir/builder.ts';
import type { Unit } from '../ir/unit.ts';
import { pageShift } from '../memory-view.ts';
import { type AccessGroup, isOneEntry } from '../optimize/accesses.ts';

/** How a guest address becomes an offset into the buffer. */
export interface MemoryConstants {
  readonly mirrored: boolean;
  readonly origin: number;
}

/** A condition that holds when the group's accesses are not allowed. `base` undefined: the address is `constant` plus the displacement. */
export function emitCheck(group: AccessGroup, base: string | undefined, constant: number): string {
  const bytes = group.high - group.low;
  const low = addressText(base, constant, group.low);
  let entry: string;
  if (bytes === 1) {
    entry = `P[${low} >>> ${pageShift}]`;
  } else if (isOneEntry(group)) {
    const shift = Math.log2(bytes);
    // Rotated right, an aligned address finds its page's entry, another one that of the page and its neighbour.
    entry = `P[(${low} >>> ${shift} | ${low} << ${32 - shift}) >>> ${pageShift - shift}]`;
  } else {
    entry = `P[${low} >>> ${pageShift}] & P[${addressText(base, constant, group.high - 1)} >>> ${pageShift}]`;
  }
  return group.access === 3 ? `(${entry} & 3) !== 3` : `(${entry} & ${group.access}) === 0`;
}

export interface EmittedAccess {
  /** A load's value. */
  readonly expression?: string;
  /** A store. */
  readonly statement?: string;
}

const loads: Record<number, string> = {
  [op.load16_u]: 'getUint16',
  [op.load16_s]: 'getInt16',
  [op.load32]: 'getInt32',
  [op['load64.f64']]: 'getFloat64',
  [op['load32.f32']]: 'getFloat32',
};
const stores: Record<number, string> = {
  [op.store16]: 'setInt16',
  [op.store32]: 'setInt32',
  [op['store64.f64']]: 'setFloat64',
};

export function emitAccess(
  unit: Unit,
  at: number,
  memory: MemoryConstants,
  base: string | undefined,
  constant: number,
  bytes: number,
  value: (value: number) => string,
): EmittedAccess {
  const code = unit.op[at];
  const host = hostText(memory, base, constant, unit.imm[at], bytes);
  const order = unit.c[at] === 1 ? ', false' : ', true';
  // Single bytes through typed arrays: V8 makes less of them than of a DataView.
  if (code === op.load8_u) return { expression: `B[${host}]` };
  if (code === op.load8_s) return { expression: `B[${host}] << 24 >> 24` };
  if (code === op.store8) return { statement: `B[${host}] = ${value(unit.b[at])};` };
  if (code === op.compare_exchange32) {
    return { expression: `compareExchange(I, (${host}) >> 2, ${value(unit.b[at])}, ${value(unit.c[at])})` };
  }
  if (code === op['load32.f64']) {
    return { expression: `loadSingle(D, ${host}${order})` };
  }
  if (code === op['store32.f64']) {
    return { statement: `storeSingle(D, ${host}, ${value(unit.b[at])}${order});` };
  }
  const load = loads[code];
  if (load !== undefined) return { expression: `D.${load}(${host}${order})` };
  return { statement: `D.${stores[code]}(${host}, ${value(unit.b[at])}${order});` };
}

function addressText(base: string | undefined, constant: number, displacement: number): string {
  if (base === undefined) return `${(constant + displacement) | 0}`;
  if (displacement === 0) return base;
  return displacement < 0 ? `(${base} - ${-displacement})` : `(${base} + ${displacement})`;
}

function hostText(
  memory: MemoryConstants,
  base: string | undefined,
  constant: number,
  displacement: number,
  bytes: number,
): string {
  const offset = memory.mirrored ? (memory.origin - displacement - bytes) | 0 : (memory.origin + displacement) | 0;
  if (base === undefined) return `${memory.mirrored ? (offset - constant) | 0 : (offset + constant) | 0}`;
  return memory.mirrored ? `${offset} - ${base} | 0` : `${base} + ${offset} | 0`;
}
