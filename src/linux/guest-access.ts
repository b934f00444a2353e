/** How file calls reach guest memory: buffers of which only a part may be accessible, vectors, and paths. */
import { pageSize } from '../../translators/memory-view.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { type Abi, narrowAddress } from './abi/abi.ts';
import { errno } from './errno.ts';
import { resource } from './limits.ts';
import type { OpenFile } from './open-file.ts';
import { pathMaximum } from './path.ts';
import type { SystemCall } from './system-call.ts';

/** Bits of an access, as in a permission entry. */
export const readAccess = 1;
export const writeAccess = 2;

/** The most that one call moves (MAX_RW_COUNT). */
export const transferMaximum = 0x7ffff000;
/** Elements that a vector may have (UIO_MAXIOV). */
const vectorMaximum = 1024;

/** A piece of guest memory. */
export interface Segment {
  readonly address: number;
  readonly length: number;
}

/**
 * How many bytes from `address` on allow an access, at most `length`: a call moves what it can before the
 * first page that it may not touch. Grows the stack as touching it would.
 */
export function accessible(call: SystemCall, address: number, length: number, access: number): number {
  const { memory } = call;
  if (memory.allows(address, length, access)) return length;
  const end = address + length;
  for (let page = address - (address % pageSize); page < end; page += pageSize) {
    const start = Math.max(page, address);
    const part = Math.min(page + pageSize, end) - start;
    if (start >= memory.limit) return start - address;
    if (!memory.allows(start, part, access)) {
      const limit = call.process.limits.soft(resource.STACK);
      if (!memory.growStack(start, limit) || !memory.allows(start, part, access)) return start - address;
    }
  }
  return length;
}

/** The same call with other arguments, for calls that are forms of another one. */
export function withArguments({ process, thread, memory, abi }: SystemCall, args: readonly number[]): SystemCall {
  return { process, thread, memory, abi, args };
}

/** Arguments that a call takes through memory, an array of words. @throws MemoryFault */
export function readArguments({ abi, memory }: SystemCall, address: number, count: number): number[] {
  const { wordSize } = abi.model;
  return Array.from({ length: count }, (_, i) => readWord(abi, memory, address + i * wordSize));
}

/** An unsigned word of the ABI's size; exact to 2^53. @throws MemoryFault */
export function readWord({ model }: Abi, memory: GuestMemory, address: number): number {
  return model.wordSize === 4 ? memory.readU32(address) : Number(memory.readU64(address));
}

/** @throws MemoryFault */
export function writeWord({ model }: Abi, memory: GuestMemory, address: number, value: number | bigint): void {
  if (model.wordSize === 8) memory.writeU64(address, BigInt.asUintN(64, BigInt(value)));
  else memory.writeU32(address, typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value);
}

/** The file of a descriptor argument that can be read or written, or -EBADF. */
export function fileFor(call: SystemCall, descriptor: number, access: 'read' | 'write' | 'any'): OpenFile | number {
  const file = call.process.files.get(descriptor);
  if (file === undefined) return -errno.EBADF;
  if (access !== 'any' && (file.pathOnly || !file.access[access])) return -errno.EBADF;
  return file;
}

/** The path at an address, without its final zero, or -errno. @throws MemoryFault */
export function readPath(call: SystemCall, address: number): Uint8Array | number {
  try {
    return call.memory.readString(address, pathMaximum);
  } catch (error) {
    if (error instanceof RangeError) return -errno.ENAMETOOLONG;
    throw error;
  }
}

/** The host's path for a path argument, or -errno. @param directory a descriptor or AT_FDCWD @throws MemoryFault */
export function resolvePath(call: SystemCall, directory: number, address: number): Uint8Array | number {
  const path = readPath(call, address);
  return typeof path === 'number' ? path : call.process.files.resolve(directory, path);
}

/**
 * The segments of an iovec array, cut so that together they are not longer than one call may move.
 * @returns -EINVAL for a negative length or count
 * @throws MemoryFault
 */
export function readVector(call: SystemCall, address: number, count: number): Segment[] | number {
  if (count < 0 || count > vectorMaximum) return -errno.EINVAL;
  const layout = call.abi.structures.iovec;
  const segments: Segment[] = [];
  let room = transferMaximum;
  for (let i = 0; i < count; i++) {
    const { iov_base, iov_len } = layout.read(call.memory, address + i * layout.size);
    if (iov_len > (call.abi.model.wordSize === 4 ? 0x7fffffff : Number.MAX_SAFE_INTEGER)) return -errno.EINVAL;
    const length = Math.min(iov_len, room);
    room -= length;
    segments.push({ address: narrowAddress(iov_base), length });
  }
  return segments;
}

/**
 * The bytes of the segments in one piece, up to the first that the guest may not read.
 * @returns -EFAULT when that is the very first
 */
export function gather(call: SystemCall, segments: readonly Segment[]): Uint8Array | number {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (const { address, length } of segments) {
    if (length === 0) continue;
    const allowed = accessible(call, address, length, readAccess);
    if (allowed > 0) parts.push(call.memory.readBytes(address, allowed));
    total += allowed;
    if (allowed < length) {
      if (total === 0) return -errno.EFAULT;
      break;
    }
  }
  if (parts.length === 1) return parts[0];
  const bytes = new Uint8Array(total);
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** The part of the segments that the guest may write, from the start on; -EFAULT when that is nothing of something. */
export function writablePart(call: SystemCall, segments: readonly Segment[]): Segment[] | number {
  const result: Segment[] = [];
  for (const { address, length } of segments) {
    if (length === 0) continue;
    const allowed = accessible(call, address, length, writeAccess);
    if (allowed > 0) result.push({ address, length: allowed });
    if (allowed < length) return result.length === 0 ? -errno.EFAULT : result;
  }
  return result;
}

/** Spreads bytes over segments. */
export function scatter(call: SystemCall, segments: readonly Segment[], bytes: Uint8Array): void {
  let offset = 0;
  for (const { address, length } of segments) {
    const part = Math.min(length, bytes.length - offset);
    if (part <= 0) return;
    call.memory.writeBytes(address, bytes.subarray(offset, offset + part));
    offset += part;
  }
}
