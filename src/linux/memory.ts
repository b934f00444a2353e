/** System calls on the address space: heap, mappings, protection. */
import { pageSize } from '../../translators/memory-view.ts';
import type { GuestMemory, Mapping } from '../memory/guest-memory.ts';
import { effectiveProtection, protection } from '../memory/guest-memory.ts';
import { errno } from './errno.ts';
import { readArguments, withArguments } from './guest-access.ts';
import { resource } from './limits.ts';
import { fileTypes, type OpenFile } from './open-file.ts';
import type { Process } from './process.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';

const allProtection = protection.read | protection.write | protection.execute;

const roundUp = (length: number): number => Math.ceil(length / pageSize) * pageSize;
const aligned = (address: number): boolean => address % pageSize === 0;

/** Bytes that are mapped, and those of them that count as data: private and writable. */
function mappedBytes(memory: GuestMemory): { all: number; data: number } {
  let all = 0;
  let data = 0;
  for (const mapping of memory.mappings()) {
    const size = mapping.end - mapping.start;
    all += size;
    if (!mapping.shared && !mapping.growsDown && (mapping.protection & protection.write) !== 0) data += size;
  }
  return { all, data };
}

/** Whether the limits on address space and data let `growth` more bytes be mapped. */
function withinLimits(process: Process, growth: number, isData: boolean): boolean {
  const space = process.limits.soft(resource.AS);
  const data = isData ? process.limits.soft(resource.DATA) : Number.POSITIVE_INFINITY;
  if (space === Number.POSITIVE_INFINITY && data === Number.POSITIVE_INFINITY) return true;
  const mapped = mappedBytes(process.memory);
  const fits = mapped.all + growth <= space && mapped.data + growth <= data;
  if (!fits) process.limits.reached.add(mapped.all + growth > space ? resource.AS : resource.DATA);
  return fits;
}

/**
 * Extends the stack over an address that was accessed, if it lies just below and the limits allow it.
 * @returns whether the access can be made now
 */
export function growStack(process: Process, address: number): boolean {
  const { memory, limits } = process;
  return memory.growStack(address, limits.soft(resource.STACK), (growth) => withinLimits(process, growth, false));
}

/** Moves the break; a wish that cannot be met leaves it where it is. */
function brk({ process, memory, args: [wanted] }: SystemCall): number {
  const { heap } = process;
  if (wanted < heap.start) return heap.end;
  const oldEnd = roundUp(heap.end);
  const newEnd = roundUp(wanted);
  if (newEnd > oldEnd) {
    const growth = newEnd - oldEnd;
    // A page stays free behind the heap: the kernel keeps it from running into the next mapping.
    if (newEnd + pageSize > process.mappingCeiling || !memory.isFree(oldEnd, growth + pageSize)) return heap.end;
    if (!withinLimits(process, growth, true)) return heap.end;
    memory.map(oldEnd, growth, protection.read | protection.write, { name: '[heap]' });
  } else if (newEnd < oldEnd) {
    memory.unmap(newEnd, oldEnd - newEnd);
  }
  heap.end = wanted;
  return wanted;
}

// -- mmap

/** Flags of a mapping, by name; the ABI has their values. */
function mapFlags(call: SystemCall, flags: number): (name: string) => boolean {
  const { map } = call.abi;
  return (name) => (flags & map[name]) !== 0;
}

const highProtection = { growsDown: 0x01000000, growsUp: 0x02000000 } as const;
/** Bits of prot besides the common three that PowerPC knows: PROT_SEM and PROT_SAO. */
const tolerated = 0x18;

/** The first address of a new mapping, or -errno. */
function choosePlace(call: SystemCall, address: number, length: number, fixed: boolean, replaces: boolean): number {
  const { memory, process } = call;
  if (fixed) {
    if (!aligned(address)) return -errno.EINVAL;
    if (address + length > memory.limit) return -errno.ENOMEM;
    if (address < memory.minimum) return -errno.EPERM;
    if (!replaces && !memory.isFree(address, length)) return -errno.EEXIST;
    return address;
  }
  const hint = roundUp(address);
  const usable = hint >= memory.minimum && hint + length <= process.mappingCeiling;
  if (address !== 0 && usable && memory.isFree(hint, length)) return hint;
  return memory.findFree(length, process.mappingCeiling) ?? -errno.ENOMEM;
}

/** mmap with the offset in bytes. */
function mapMemory(call: SystemCall, offset: number): number {
  const { memory, process, args } = call;
  const [address, size, prot, flags, descriptor] = args;
  const has = mapFlags(call, flags);
  const kind = flags & 3;
  let file: OpenFile | undefined;
  if (!has('ANONYMOUS')) {
    file = process.files.get(descriptor | 0);
    if (file === undefined) return -errno.EBADF;
  }
  if (size === 0 || kind === 0 || !aligned(offset)) return -errno.EINVAL;
  if ((prot & ~(allProtection | tolerated | highProtection.growsDown | highProtection.growsUp)) !== 0)
    return -errno.EINVAL;
  const length = roundUp(size);
  if (length > memory.limit) return -errno.ENOMEM;
  const fixed = has('FIXED') || has('FIXED_NOREPLACE');
  const place = choosePlace(call, address, length, fixed, !has('FIXED_NOREPLACE'));
  if (place < 0) return place;
  const shared = kind !== 2;
  const bits = effectiveProtection(prot & allProtection);
  if (!withinLimits(process, length, !shared && (bits & protection.write) !== 0)) return -errno.ENOMEM;
  if (file === undefined) {
    process.mappedFiles.release(place, place + length);
    memory.map(place, length, bits, { shared, growsDown: has('GROWSDOWN') });
    if (has('GROWSDOWN')) process.requirePreciseFaults();
    return place;
  }
  return mapFile(call, file, { place, length, bits, shared, offset });
}

interface FileMapping {
  readonly place: number;
  readonly length: number;
  readonly bits: number;
  readonly shared: boolean;
  readonly offset: number;
}

/** Major and minor number of /dev/zero, of which a mapping is anonymous memory. */
const zeroDevice = (1 << 8) | 5;

/** A mapped file's path, as /proc/PID/maps shows it. */
function nameOf(process: Process, file: OpenFile): string {
  const path = process.files.pathOf(file);
  const target = path === undefined ? undefined : process.files.host.readLink(path);
  return target instanceof Uint8Array ? new TextDecoder().decode(target) : file.label;
}

function mapFile({ memory, process }: SystemCall, file: OpenFile, wanted: FileMapping): number {
  const { place, length, bits, shared, offset } = wanted;
  if (!file.access.read || (shared && (bits & protection.write) !== 0 && !file.access.write)) return -errno.EACCES;
  const status = file.status();
  if (typeof status === 'number') return status;
  const type = Number(status.mode) & fileTypes.mask;
  const anonymous = type === fileTypes.character && Number(status.rdev) === zeroDevice;
  if (type !== fileTypes.regular && !anonymous) return -errno.ENODEV;
  process.mappedFiles.release(place, place + length);
  memory.map(place, length, bits, { shared, name: anonymous ? '' : nameOf(process, file), offset });
  if (anonymous) return place;
  const result = process.mappedFiles.fill(place, length, file, offset);
  if (result < 0) {
    memory.unmap(place, length);
    return result;
  }
  if (shared) process.mappedFiles.share(place, place + length, file, offset);
  return place;
}

/** Pages of a mapping's offset argument of mmap2, which does not depend on the page size. */
const mmap2Unit = 4096;

function munmap({ memory, process, args: [address, size] }: SystemCall): number {
  const length = roundUp(size);
  if (!aligned(address) || length === 0 || address + length > memory.limit) return -errno.EINVAL;
  process.mappedFiles.release(address, address + length);
  const start = Math.max(address, memory.minimum);
  if (address + length > start) memory.unmap(start, address + length - start);
  noteRoom(process, address + length);
  return 0;
}

function mprotect({ memory, process, args: [address, size, prot] }: SystemCall): number {
  const { growsDown, growsUp } = highProtection;
  if ((prot & growsDown) !== 0 && (prot & growsUp) !== 0) return -errno.EINVAL;
  if ((prot & ~(allProtection | tolerated | growsDown | growsUp)) !== 0 || !aligned(address)) return -errno.EINVAL;
  if (size === 0) return 0;
  let start = address;
  const end = address + roundUp(size);
  if (end > memory.limit || start < memory.minimum) return -errno.ENOMEM;
  if ((prot & (growsDown | growsUp)) !== 0) {
    const mapping = memory.find(address);
    if (mapping === undefined) return -errno.ENOMEM;
    if ((prot & growsUp) !== 0 || !mapping.growsDown) return -errno.EINVAL;
    start = mapping.start;
  }
  const bits = effectiveProtection(prot & allProtection);
  if ((bits & protection.write) !== 0 && process.mappedFiles.isReadOnly(start, end)) return -errno.EACCES;
  return memory.protect(start, end - start, bits) ? 0 : -errno.ENOMEM;
}

// -- mremap

const remapFlag = { MAYMOVE: 1, FIXED: 2 } as const;

function mremap(call: SystemCall): number {
  const { memory, process, args } = call;
  const [from, oldSize, newSize, flags, target] = args;
  const fixed = (flags & remapFlag.FIXED) !== 0;
  const mayMove = (flags & remapFlag.MAYMOVE) !== 0;
  if ((flags & ~(remapFlag.MAYMOVE | remapFlag.FIXED)) !== 0 || (fixed && !mayMove)) return -errno.EINVAL;
  const oldLength = roundUp(oldSize);
  const newLength = roundUp(newSize);
  if (!aligned(from) || newLength === 0) return -errno.EINVAL;
  if (fixed) {
    if (!aligned(target) || target + newLength > memory.limit) return -errno.EINVAL;
    if (target < from + oldLength && from < target + newLength) return -errno.EINVAL;
    if (target < memory.minimum) return -errno.EPERM;
  }
  const mapping = memory.find(from);
  if (mapping === undefined) return -errno.EFAULT;
  if (oldLength === 0) return -errno.EINVAL;
  if (!fixed && newLength <= oldLength) {
    if (newLength < oldLength) unmapRange(process, from + newLength, oldLength - newLength);
    return from;
  }
  if (mapping.end < from + oldLength) return -errno.EFAULT;
  const growth = newLength - oldLength;
  const isData = !mapping.shared && (mapping.protection & protection.write) !== 0;
  if (growth > 0 && !withinLimits(process, growth, isData)) return -errno.ENOMEM;
  if (!fixed && mapping.end === from + oldLength && fitsBehind(memory, mapping.end, growth)) {
    memory.move(from, oldLength, from, newLength);
    return from;
  }
  if (!mayMove) return -errno.ENOMEM;
  const to = fixed ? target : memory.findFree(newLength, process.mappingCeiling);
  if (to === undefined) return -errno.ENOMEM;
  if (fixed) unmapRange(process, to, newLength);
  const moved = Math.min(oldLength, newLength);
  if (moved < oldLength) unmapRange(process, from + moved, oldLength - moved);
  memory.move(from, moved, to, newLength);
  process.mappedFiles.move(from, moved, to);
  noteRoom(process, from + moved);
  return to;
}

function fitsBehind(memory: GuestMemory, end: number, growth: number): boolean {
  return end + growth <= memory.limit && memory.isFree(end, growth);
}

function unmapRange(process: Process, start: number, length: number): void {
  process.mappedFiles.release(start, start + length);
  process.memory.unmap(start, length);
  noteRoom(process, start + length);
}

/** Where nothing is mapped below an address any more: a stack there could grow, and an access that makes it grow goes on. */
function noteRoom(process: Process, end: number): void {
  if (process.memory.find(end)?.growsDown) process.requirePreciseFaults();
}

// -- advice, residence, locks

/** The mappings of a range in order, and whether they cover it. */
function mappingsOf(memory: GuestMemory, start: number, end: number): { parts: Mapping[]; whole: boolean } {
  const parts = memory.mappings().filter((mapping) => mapping.start < end && start < mapping.end);
  let reached = start;
  for (const mapping of parts) {
    if (mapping.start > reached) break;
    reached = mapping.end;
  }
  return { parts, whole: reached >= end };
}

/** Advice that asks for nothing that could be seen: MADV_NORMAL to WILLNEED, the ones about forks, huge pages, dumps, reclaim. */
const harmlessAdvice = new Set([0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23]);
const advice = { DONTNEED: 4, FREE: 8 } as const;

function madvise({ memory, args: [start, size, what] }: SystemCall): number {
  const discards = what === advice.DONTNEED || what === advice.FREE;
  if (!discards && !harmlessAdvice.has(what)) return -errno.EINVAL;
  const end = start + roundUp(size);
  if (!aligned(start) || end > 0x100000000) return -errno.EINVAL;
  if (size === 0) return 0;
  const { parts, whole } = mappingsOf(memory, start, end);
  if (discards) {
    for (const mapping of parts) {
      if (mapping.shared || mapping.name.startsWith('/')) continue;
      const from = Math.max(start, mapping.start);
      const length = Math.min(end, mapping.end) - from;
      const { growsDown, name } = mapping;
      memory.map(from, length, mapping.protection, { growsDown, name, offset: mapping.offset + from - mapping.start });
    }
  }
  return whole ? 0 : -errno.ENOMEM;
}

function mincore({ memory, args: [start, size, vector] }: SystemCall): number {
  if (!aligned(start)) return -errno.EINVAL;
  const length = roundUp(size);
  if (!mappingsOf(memory, start, start + length).whole) return -errno.ENOMEM;
  memory.fill(vector, length / pageSize, 1);
  return 0;
}

const syncFlag = { ASYNC: 1, INVALIDATE: 2, SYNC: 4 } as const;

function msync({ memory, process, args: [start, size, flags] }: SystemCall): number {
  const { ASYNC, INVALIDATE, SYNC } = syncFlag;
  if ((flags & ~(ASYNC | INVALIDATE | SYNC)) !== 0 || !aligned(start)) return -errno.EINVAL;
  if ((flags & ASYNC) !== 0 && (flags & SYNC) !== 0) return -errno.EINVAL;
  const end = start + roundUp(size);
  const result = process.mappedFiles.flush(start, end);
  return mappingsOf(memory, start, end).whole ? result : -errno.ENOMEM;
}

/** Nothing is ever paged out, so a lock only has to name mapped memory. */
function lock({ memory, args: [start, size] }: SystemCall): number {
  const first = start - (start % pageSize);
  return mappingsOf(memory, first, roundUp(start + size)).whole ? 0 : -errno.ENOMEM;
}

/** i386's first mmap, which takes its arguments through memory. */
function oldMmap(call: SystemCall): number {
  const args = readArguments(call, call.args[0], 6);
  if (!aligned(args[5])) return -errno.EINVAL;
  return mapMemory(withArguments(call, args), args[5]);
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'brk', numbers: { powerpc: 45, i386: 45, 'x86-64': 12 }, arguments: ['pointer'], handler: brk, support: 'full' },
  { name: 'mmap', numbers: { powerpc: 90, 'x86-64': 9 }, arguments: ['pointer', 'size', 'flags:prot', 'flags:map', 'fd', 'size'], handler: (call) => mapMemory(call, call.args[5]), support: 'partial', note: 'shared file mappings are written back at msync, munmap and exit' },
  { name: 'mmap', numbers: { i386: 90 }, arguments: ['struct'], handler: oldMmap, support: 'partial', note: 'as mmap2' },
  { name: 'munmap', numbers: { powerpc: 91, i386: 91, 'x86-64': 11 }, arguments: ['pointer', 'size'], handler: munmap, support: 'full' },
  { name: 'mprotect', numbers: { powerpc: 125, i386: 125, 'x86-64': 10 }, arguments: ['pointer', 'size', 'flags:prot'], handler: mprotect, support: 'full' },
  { name: 'msync', numbers: { powerpc: 144, i386: 144, 'x86-64': 26 }, arguments: ['pointer', 'size', 'hex'], handler: msync, support: 'full' },
  { name: 'mlock', numbers: { powerpc: 150, i386: 150, 'x86-64': 149 }, arguments: ['pointer', 'size'], handler: lock, support: 'accepted', note: 'guest memory is as resident as the host keeps it' },
  { name: 'munlock', numbers: { powerpc: 151, i386: 151, 'x86-64': 150 }, arguments: ['pointer', 'size'], handler: lock, support: 'accepted' },
  { name: 'mlockall', numbers: { powerpc: 152, i386: 152, 'x86-64': 151 }, arguments: ['hex'], handler: ({ abi, args: [flags] }) => (flags === 0 || (flags & ~abi.lockAllFlags) !== 0 ? -errno.EINVAL : 0), support: 'accepted' },
  { name: 'munlockall', numbers: { powerpc: 153, i386: 153, 'x86-64': 152 }, arguments: [], handler: () => 0, support: 'accepted' },
  { name: 'mremap', numbers: { powerpc: 163, i386: 163, 'x86-64': 25 }, arguments: ['pointer', 'size', 'size', 'hex', 'pointer'], handler: mremap, support: 'partial', note: 'without MREMAP_DONTUNMAP; a length of 0 does not duplicate' },
  { name: 'mmap2', numbers: { powerpc: 192, i386: 192 }, arguments: ['pointer', 'size', 'flags:prot', 'flags:map', 'fd', 'size'], handler: (call) => mapMemory(call, call.args[5] * mmap2Unit), support: 'partial', note: 'as mmap' },
  { name: 'madvise', numbers: { powerpc: 205, i386: 219, 'x86-64': 28 }, arguments: ['pointer', 'size', 'int'], handler: madvise, support: 'partial', note: 'MADV_DONTNEED does not read a private file mapping anew' },
  { name: 'mincore', numbers: { powerpc: 206, i386: 218, 'x86-64': 27 }, arguments: ['pointer', 'size', 'pointer'], handler: mincore, support: 'full' },
  { name: 'mlock2', numbers: { powerpc: 378, i386: 376, 'x86-64': 325 }, arguments: ['pointer', 'size', 'hex'], handler: (call) => ((call.args[2] & ~1) !== 0 ? -errno.EINVAL : lock(call)), support: 'accepted' },
];
