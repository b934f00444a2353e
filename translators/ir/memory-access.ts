/**
 * Access to guest memory at guest addresses with exact permission checks.
 *
 * `accessors` is the one definition of what each load and store operation does to host memory; the
 * generated interpreter inlines it, `memoryAccess` makes functions of it for helpers and tests.
 */
import { type MemoryView, pageCount, pageShift, pageSize } from '../memory-view.ts';

/**
 * What moves the bytes of each load and store: an expression over `view` (a DataView), `at` (host
 * offset), `little` (true unless the order is reversed) and `value`. A double moves as two words, so
 * that no NaN changes; `first` and `second` are the offsets of its low and high word.
 */
// biome-ignore format: one operation per line
export const accessors: Readonly<Record<string, string>> = {
  load8_u: 'view.getUint8(at)',
  load8_s: 'view.getInt8(at)',
  load16_u: 'view.getUint16(at, little)',
  load16_s: 'view.getInt16(at, little)',
  load32: 'view.getInt32(at, little)',
  'load32.f32': 'view.getFloat32(at, little)',
  'load32.f64': 'singleToDouble(view.getInt32(at, little))',
  store8: 'view.setInt8(at, value)',
  store16: 'view.setInt16(at, value, little)',
  store32: 'view.setInt32(at, value, little)',
  'store32.f64': 'view.setInt32(at, doubleToSingle(value), little)',
};

/**
 * Added to `address ^ flip`, modulo 2^32, this gives the host offset of an access of `bytes` bytes at a guest
 * address: mirrored memory counts down (-g is ~g + 1).
 */
export function hostOrigin(memory: MemoryView, bytes: number): number {
  return (memory.mirrored ? memory.origin - bytes + 1 : memory.origin) | 0;
}

/** What guest addresses are combined with by exclusive or before `hostOrigin` is added. */
export function hostFlip(memory: MemoryView): number {
  return memory.mirrored ? -1 : 0;
}

/**
 * The first address in [address, address + bytes) whose page lacks the permission bit, or -1 when the
 * whole range has it. A range that runs past the end of the address space ends at its end and lacks it.
 * @param address guest address; taken modulo 2^32
 */
export function firstForbidden(permissions: Uint8Array, address: number, bytes: number, bit: number): number {
  const start = address >>> 0;
  const last = start + bytes - 1;
  const lastPage = Math.floor(last / pageSize);
  for (let page = start >>> pageShift; page <= lastPage; page++) {
    if (page === pageCount) return 0;
    if ((permissions[page] & bit) === 0) return Math.max(start, page * pageSize);
  }
  return -1;
}
