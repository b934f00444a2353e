/** Permission checks and accesses of guest memory in WebAssembly (translators/memory-view.ts has the layout). */
import { op } from '../ir/builder.ts';
import type { Unit } from '../ir/unit.ts';
import { pageShift, uncheckedReach } from '../memory-view.ts';
import { type AccessGroup, accessBytes, isOneEntry } from '../optimize/accesses.ts';
import type { FunctionWriter } from './function.ts';
import { emitByteSwap, emitByteSwap64, wasm } from './instructions.ts';
import { vectorMemory } from './vector-instructions.ts';

/** What addresses are computed with. */
export interface MemoryLayout {
  readonly mirrored: boolean;
  readonly origin: number;
  /** Offset of the permission table in the same memory. */
  readonly permissions: number;
  /** Lowest offset that a guest address leads to, when mirrored. Less than twice `window` below it, or below `origin` when not mirrored, nothing may be reached by an access that is not checked. */
  readonly lowest: number;
}

/**
 * Displacements within this distance go into the instruction's offset, which WebAssembly adds without wrapping around.
 * Whatever the base is, an access must come to the guest address that is meant, or to where nothing is mapped.
 *
 * - Mirrored, accesses off one base so share one subtraction. It must not wrap for any base from which
 *   a displacement leads to guest memory, bases beyond its end among them: its result lies higher by the window, and the
 *   offset lower. So the access lies at or above `lowest` less twice the window.
 * - Else a base and a near displacement whose sum wraps around lead to guest addresses within the window of 0 or of 2^32,
 *   where nothing is mapped; the access comes to the window below `origin`, or beyond the buffer's end. Far displacements
 *   are added modulo 2^32, as the processor does: a table at a constant address may have a negative index. The offset
 *   is then `origin`, so that no sum leads below it.
 *
 * V8 catches no fault of an access whose place in the memory it knows when it compiles. Mirrored, the subtraction hides
 * that. Else constants that become addresses are hidden: a `zero` that is loaded from the state block is added to them.
 */
const window = uncheckedReach / 2;

function isNear(displacement: number, bytes: number): boolean {
  return displacement > -window && displacement + bytes <= window;
}

/** Whether an access traps by itself where the guest may not make it, once the host's pages are protected. */
export function trapsByItself(unit: Unit, at: number, layout: MemoryLayout): boolean {
  const code = unit.op[at];
  if (accessBytes[code] === 0 || code === op.compare_exchange32) return false;
  if (!layout.mirrored) return unit.op[unit.a[at]] !== op['i32.const'] || constantAddress(unit, at) >= 0;
  return unit.op[unit.a[at]] !== op['i32.const'] && isNear(unit.imm[at], accessBytes[code]);
}

/** Tells of an access of a unit whether it traps by itself (memory.ts). */
export function accessTraps(unit: Unit, layout: MemoryLayout): (at: number) => boolean {
  return (at) => trapsByItself(unit, at, layout);
}

/** The address of an access off a constant, as a signed number: none of the upper half is ever mapped. */
function constantAddress(unit: Unit, at: number): number {
  return (unit.imm[unit.a[at]] + unit.imm[at]) | 0;
}

/** Pushes whether the group's accesses are not allowed. `push` pushes the base; undefined: the address is `constant` plus the displacement. */
export function emitCheck(
  f: FunctionWriter,
  group: AccessGroup,
  layout: MemoryLayout,
  push: (() => void) | undefined,
  constant: number,
): void {
  const bytes = group.high - group.low;
  const address = (displacement: number): void => {
    if (push === undefined) {
      f.i32((constant + displacement) | 0);
      return;
    }
    push();
    if (displacement === 0) return;
    f.i32(displacement);
    f.op(wasm.i32_add);
  };
  const entry = (shift: number): void => {
    if (shift > 0) {
      f.i32(shift);
      f.op(wasm.i32_rotr);
    }
    f.i32(pageShift - shift);
    f.op(wasm.i32_shr_u);
    f.memory(wasm.i32_load8_u, 0, layout.permissions);
  };
  address(group.low);
  if (isOneEntry(group)) {
    // Rotated right, an aligned address finds its page's entry, another one that of the page and its neighbour.
    entry(Math.log2(bytes));
  } else {
    entry(0);
    address(group.high - 1);
    entry(0);
    f.op(wasm.i32_and);
  }
  f.i32(group.access);
  f.op(wasm.i32_and);
  if (group.access === 3) {
    f.i32(3);
    f.op(wasm.i32_ne);
  } else {
    f.op(wasm.i32_eqz);
  }
}

/** Pushes the host address of an access. @param zero of an access that may trap: pushes 0. @returns the offset for its instruction */
function emitHostAddress(
  f: FunctionWriter,
  layout: MemoryLayout,
  push: (() => void) | undefined,
  constant: number,
  displacement: number,
  bytes: number,
  zero: (() => void) | undefined,
): number {
  const { mirrored, origin } = layout;
  const near = isNear(displacement, bytes);
  if (!mirrored) {
    if (push === undefined) {
      const address = (constant + displacement) | 0;
      if (zero === undefined) {
        f.i32(address);
        return origin;
      }
      zero();
      return origin + address;
    }
    push();
    if (near) return origin + displacement;
    f.i32(displacement);
    f.op(wasm.i32_add);
    return origin;
  }
  if (push === undefined) {
    f.i32((origin - (constant + displacement) - bytes) | 0);
    return 0;
  }
  const floor = layout.lowest - window;
  f.i32((origin - (near ? floor : displacement + bytes)) | 0);
  push();
  f.op(wasm.i32_sub);
  return near ? floor - displacement - bytes : 0;
}

const plainLoads: Readonly<Record<number, readonly [code: number, align: number]>> = {
  [op.load8_u]: [wasm.i32_load8_u, 0],
  [op.load8_s]: [wasm.i32_load8_s, 0],
  [op.load16_u]: [wasm.i32_load16_u, 0],
  [op.load16_s]: [wasm.i32_load16_s, 0],
  [op.load32]: [wasm.i32_load, 0],
  [op.load64]: [wasm.i64_load, 0],
  [op['load64.f64']]: [wasm.f64_load, 0],
  [op['load32.f32']]: [wasm.f32_load, 0],
  [op.load128]: [vectorMemory.load, 0],
  [op.load64_zero]: [vectorMemory.load64Zero, 0],
  [op.load32_zero]: [vectorMemory.load32Zero, 0],
};
const plainStores: Readonly<Record<number, number>> = {
  [op.store8]: wasm.i32_store8,
  [op.store16]: wasm.i32_store16,
  [op.store32]: wasm.i32_store,
  [op.store64]: wasm.i64_store,
  [op['store64.f64']]: wasm.f64_store,
  [op.store128]: vectorMemory.store,
};

/** Byte order opposite to the guest's: only these operations have it. */
const reversible = new Set([op.load16_u, op.load16_s, op.load32, op.load64, op.store16, op.store32, op.store64]);

/**
 * Emits an access; a load leaves its value on the stack. `pushValue` pushes a stored value; `trap` is called before the
 * instruction that may trap is written. `zero` pushes 0, where the permission has not been checked.
 */
export function emitAccess(
  f: FunctionWriter,
  unit: Unit,
  at: number,
  layout: MemoryLayout,
  push: (() => void) | undefined,
  constant: number,
  pushValue: (value: number) => void,
  trap: () => void,
  zero: (() => void) | undefined,
): void {
  const code = unit.op[at];
  const bytes = accessBytes[code];
  const reversed = code !== op.compare_exchange32 && unit.c[at] === 1 && bytes > 1;
  if (reversed && !reversible.has(code)) throw new Error(`no operation ${code} with reversed bytes is known`);
  const offset = emitHostAddress(f, layout, push, constant, unit.imm[at], bytes, zero);
  if (code === op.compare_exchange32) {
    pushValue(unit.b[at]);
    pushValue(unit.c[at]);
    // i32.atomic.rmw.cmpxchg
    f.prefixed(0xfe, 0x48);
    f.out.unsigned(2);
    f.out.unsigned(offset);
    return;
  }
  if (code === op['load32.f64']) {
    trap();
    emitLoadSingle(f, offset);
    return;
  }
  if (code === op['store32.f64']) {
    emitStoreSingle(f, offset, () => pushValue(unit.b[at]), trap);
    return;
  }
  const load = plainLoads[code];
  if (load !== undefined) {
    trap();
    f.memory(reversed && bytes === 2 ? wasm.i32_load16_u : load[0], load[1], offset);
    if (!reversed) return;
    if (bytes === 8) {
      const wide = f.scratch('i64');
      f.set(wide);
      emitByteSwap64(
        f,
        () => f.get(wide),
        () => f.set(wide),
        () => f.get(wide),
      );
      return;
    }
    const scratch = f.scratch('i32');
    f.set(scratch);
    swapBytes(f, bytes, () => f.get(scratch));
    if (code === op.load16_s) f.op(wasm.i32_extend16_s);
    return;
  }
  if (reversed && bytes === 8) {
    const wide = f.scratch('i64');
    emitByteSwap64(
      f,
      () => pushValue(unit.b[at]),
      () => f.set(wide),
      () => f.get(wide),
    );
  } else if (reversed) swapBytes(f, bytes, () => pushValue(unit.b[at]));
  else pushValue(unit.b[at]);
  trap();
  f.memory(plainStores[code], 0, offset);
}

/** The low two or four bytes of a word in reverse order; those above are zero for two. */
function swapBytes(f: FunctionWriter, bytes: number, push: () => void): void {
  emitByteSwap(f, push);
  if (bytes === 4) return;
  f.i32(16);
  f.op(wasm.i32_shr_u);
}

/** The single at the address on the stack as a double. A NaN is widened bit by bit: it must not become quiet. */
function emitLoadSingle(f: FunctionWriter, offset: number): void {
  const word = f.scratch('i32');
  const value = f.scratch('f64');
  f.memory(wasm.i32_load, 0, offset);
  f.tee(word);
  f.op(wasm.f32_reinterpret_i32);
  f.op(wasm.f64_promote_f32);
  f.tee(value);
  f.get(value);
  f.op(wasm.f64_eq);
  f.openIf('likely', 'f64');
  f.get(value);
  f.else();
  f.get(word);
  f.i32(-0x80000000);
  f.op(wasm.i32_and);
  f.op(wasm.i64_extend_i32_u);
  f.i64(32, 0);
  f.op(wasm.i64_shl);
  f.get(word);
  f.i32(0x7fffff);
  f.op(wasm.i32_and);
  f.op(wasm.i64_extend_i32_u);
  f.i64(29, 0);
  f.op(wasm.i64_shl);
  f.op(wasm.i64_or);
  f.i64(0, 0x7ff00000);
  f.op(wasm.i64_or);
  f.op(wasm.f64_reinterpret_i64);
  f.end();
}

/**
 * Stores a double as a single, without rounding what a single cannot hold (Power ISA SINGLE()); the address is on the
 * stack. `push` pushes the double.
 */
function emitStoreSingle(f: FunctionWriter, offset: number, push: () => void, trap: () => void): void {
  const bits = f.scratch('i64');
  push();
  f.op(wasm.f32_demote_f64);
  f.op(wasm.f64_promote_f32);
  push();
  f.op(wasm.f64_eq);
  f.openIf('likely', 'i32');
  push();
  f.op(wasm.f32_demote_f64);
  f.op(wasm.i32_reinterpret_f32);
  f.else();
  // Exponents above those of subnormal singles, NaNs among them: bits 0 and 1, and 5 to 34.
  push();
  f.op(wasm.i64_reinterpret_f64);
  f.tee(bits);
  f.i64(52, 0);
  f.op(wasm.i64_shr_u);
  f.op(wasm.i32_wrap_i64);
  f.i32(0x7ff);
  f.op(wasm.i32_and);
  f.i32(896);
  f.op(wasm.i32_gt_s);
  f.open(wasm.if, '', 'i32');
  f.get(bits);
  f.i64(32, 0);
  f.op(wasm.i64_shr_u);
  f.op(wasm.i32_wrap_i64);
  f.i32(0xc0000000 | 0);
  f.op(wasm.i32_and);
  f.get(bits);
  f.i64(29, 0);
  f.op(wasm.i64_shr_u);
  f.op(wasm.i32_wrap_i64);
  f.i32(0x3fffffff);
  f.op(wasm.i32_and);
  f.op(wasm.i32_or);
  f.else();
  push();
  f.call(f.import('doubleToSingle', { parameters: ['f64'], result: 'i32' }));
  f.end();
  f.end();
  trap();
  f.memory(wasm.i32_store, 0, offset);
}
