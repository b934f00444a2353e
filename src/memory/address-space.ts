/**
 * A guest's address space in one shared WebAssembly.Memory, whose pages the host backs when they are touched.
 *
 * Layout of the buffer:
 *
 *     0                 the permission table, then the threads' state blocks; no guest address leads here
 *     reserve - guard   nothing
 *     reserve           the guest's memory
 *
 * A big-endian guest sees its memory mirrored (offset = origin - address - size): it begins with the address limit - 1
 * and ends with the minimum, and a null pointer leads past the buffer's end, where even code that does not look at the
 * permission table traps. To a little-endian guest (offset = origin + address) it is the other way round, and a null
 * pointer leads into the guard.
 *
 * The sizes keep every offset, and the origin, within a non-negative 32-bit integer.
 */
import { stateBlockSize } from '../../translators/ir/state.ts';
import { pageShift, pageSize, permission, uncheckedReach } from '../../translators/memory-view.ts';
import { type GuestMemory, type Mapping, type MappingOptions, MemoryFault } from './guest-memory.ts';
import { type FindHostPages, HostProtection, hostBits, type NoHostPages } from './host-protection.ts';
import { MappingList, offsetAt } from './mapping-list.ts';
import { PageTable, pageTableSize } from './page-table.ts';

/** The lowest address that can be mapped: Linux's default vm.mmap_min_addr. */
const minimum = 0x10000;
/** The one past the highest. */
const limit = 0x7f000000;
/** Bytes of the buffer kept from the guest. */
const reserve = 0xff0000;
/**
 * Bytes at the end of the reserve that hold nothing: an unchecked access of WebAssembly code reaches that far below the
 * lowest guest offset, by its displacement and size, and must trap there. Covers the addresses below the minimum, too.
 */
const guard = uncheckedReach;
const wasmPageSize = 0x10000;
const byteLength = limit - minimum + reserve;
/** Linux keeps this many bytes free below a stack that grows (stack_guard_gap). */
const stackGuard = 256 * pageSize;

const { read, write, execute } = permission;

/** The host does not let a guest's memory be made; the message is the host's. */
export class NoMemoryError extends Error {}

export class AddressSpace implements GuestMemory {
  readonly byteOrder: 'big' | 'little';
  readonly minimum = minimum;
  readonly limit = limit;
  /** The memory itself, for modules that import it. */
  readonly memory: WebAssembly.Memory;
  readonly buffer: ArrayBufferLike;
  readonly view: DataView;
  readonly mirrored: boolean;
  readonly origin: number;
  readonly permissions: Uint8Array;
  onCodeChange: (start: number, length: number) => void = () => {};
  onPermissionChange: (start: number, end: number, protection: number) => void = () => {};

  coherentCode = false;
  /** Pages that the guest may write and whose code was read: nothing may be stored there before that is known. */
  private readonly watched = new Set<number>();
  private readonly bytes: Uint8Array;
  private readonly table: PageTable;
  private readonly list = new MappingList();
  private readonly stateBlocksEnd: number;
  private nextStateBlock: number;
  private readonly freeStateBlocks: number[] = [];
  private readonly findHostPages: FindHostPages | undefined;
  /** While host pages follow the mappings. */
  private host: HostProtection | undefined;
  private unavailable: NoHostPages | undefined;

  /**
   * @param findHostPages is asked when enableHostProtection is first called
   * @throws NoMemoryError
   */
  constructor(byteOrder: 'big' | 'little', findHostPages?: FindHostPages) {
    this.findHostPages = findHostPages;
    const pages = byteLength / wasmPageSize;
    this.byteOrder = byteOrder;
    try {
      this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    } catch (error) {
      throw new NoMemoryError((error as Error).message);
    }
    this.buffer = this.memory.buffer;
    this.bytes = new Uint8Array(this.buffer);
    this.view = new DataView(this.buffer);
    this.mirrored = byteOrder === 'big';
    this.origin = this.mirrored ? byteLength + minimum : reserve - minimum;
    this.permissions = new Uint8Array(this.buffer, 0, pageTableSize);
    this.table = new PageTable(this.permissions);
    this.nextStateBlock = pageTableSize;
    this.stateBlocksEnd = reserve - guard;
  }

  /** Sets aside a zeroed state block for a thread. @returns its offset in the buffer. @throws RangeError when there are none left */
  allocateStateBlock(): number {
    const recycled = this.freeStateBlocks.pop();
    if (recycled !== undefined) {
      this.bytes.fill(0, recycled, recycled + stateBlockSize);
      return recycled;
    }
    const block = this.nextStateBlock;
    if (block + stateBlockSize > this.stateBlocksEnd) throw new RangeError('no state block is left: too many threads');
    this.nextStateBlock = block + stateBlockSize;
    return block;
  }

  releaseStateBlock(block: number): void {
    this.freeStateBlocks.push(block);
  }

  // -- the host's protection

  get hostProtection(): 'off' | 'on' | 'unavailable' {
    if (this.host !== undefined) return 'on';
    return this.unavailable === undefined ? 'off' : 'unavailable';
  }

  get withoutHostProtection(): string {
    return this.host === undefined
      ? (this.unavailable?.reason ?? 'only WebAssembly translations can do without checks, and none was made')
      : '';
  }

  enableHostProtection(): boolean {
    if (this.host !== undefined) return true;
    if (this.unavailable !== undefined) return false;
    const pages = this.findHostPages?.(this.memory) ?? { reason: 'nobody offered to protect pages' };
    if ('reason' in pages) {
      this.unavailable = pages;
      return false;
    }
    this.host = new HostProtection(pages, this.list, (address, length) => this.hostRange(address, length));
    if (pages.protect(reserve - guard, guard, 0)) this.followMappings(minimum, limit);
    else this.giveUpHostProtection();
    return this.host !== undefined;
  }

  /** Makes the host allow on a range what its mappings say. */
  private followMappings(start: number, end: number): void {
    if (this.host?.follow(start, end) === false) this.giveUpHostProtection();
  }

  /** Makes the host allow the same on all of a range, whatever is mapped there. */
  private setHostPages(start: number, end: number, bits: number): void {
    if (this.host?.set(start, end, bits) === false) this.giveUpHostProtection();
  }

  /** The host has no room for so many ranges of pages (vm.max_map_count): from here on all accesses must be checked. */
  private giveUpHostProtection(): void {
    const { host } = this;
    this.host = undefined;
    this.unavailable = { reason: 'the host has no room for the protection of so many mappings' };
    // With the guard, so that the range begins where one of the host's does: a part of one would need room.
    if (host?.pages.protect(reserve - guard, byteLength - reserve + guard, read | write) === false) {
      throw new Error("the guest's memory cannot be made accessible");
    }
    this.onCodeChange(minimum, limit - minimum);
  }

  /** Runs an action that touches a range whatever the guest may do there. */
  private withPagesOpen<Result>(address: number, length: number, access: number, action: () => Result): Result {
    if (this.host === undefined || this.allows(address, length, access)) return action();
    const start = address - (address % pageSize);
    const end = Math.ceil((address + length) / pageSize) * pageSize;
    this.setHostPages(start, end, read | write);
    try {
      return action();
    } finally {
      this.followMappings(start, end);
    }
  }

  // -- coherent code

  watchCode(address: number, length: number): void {
    if (!this.coherentCode) return;
    const wanted = write | execute;
    for (let page = address >>> pageShift; page <= (address + length - 1) >>> pageShift; page++) {
      if ((this.permissions[page] & wanted) !== wanted) continue;
      this.watched.add(page);
      this.setWritable(page, false);
    }
  }

  releaseCode(address: number, length: number): boolean {
    if (this.watched.size === 0) return false;
    let found = false;
    for (let page = address >>> pageShift; page <= (address + length - 1) >>> pageShift; page++) {
      if (!this.watched.delete(page)) continue;
      found = true;
      this.setWritable(page, true);
      this.onCodeChange(page << pageShift, pageSize);
    }
    return found;
  }

  private releaseAllCode(): void {
    for (const page of [...this.watched]) this.releaseCode(page << pageShift, pageSize);
  }

  /** Lets the guest write one page, or not, which otherwise stays as it is. */
  private setWritable(page: number, isWritable: boolean): void {
    const start = page << pageShift;
    const end = start + pageSize;
    const [mapping] = this.list.within(start, end);
    const protection = isWritable ? mapping.protection | write : mapping.protection & ~write;
    this.list.replace(start, end, [{ ...mapping, protection }]);
    this.setPermissions(page, page + 1, protection);
    this.setHostPages(start, end, hostBits(protection));
  }

  /** The pages become others. */
  private forgetWatches(first: number, end: number): void {
    if (this.watched.size > 0) for (let page = first; page < end; page++) this.watched.delete(page);
  }

  // -- mappings

  map(start: number, length: number, protection: number, options: MappingOptions = {}): void {
    const end = this.requireRange(start, length);
    const first = start >>> pageShift;
    const last = end >>> pageShift;
    const hadCode = this.holdsCode(start, end);
    this.forgetWatches(first, last);
    const bits = hostBits(protection);
    const isWritable = (bits & write) !== 0;
    if (isWritable) this.setHostPages(start, end, bits);
    this.table.clean(first, last, (from, to) => {
      if (!isWritable) this.setHostPages(from << pageShift, to << pageShift, read | write);
      this.fillUnchecked(from << pageShift, (to - from) << pageShift, 0);
    });
    this.setPermissions(first, last, protection);
    const { shared = false, growsDown = false, name = '', offset = 0 } = options;
    this.list.replace(start, end, [{ start, end, protection, shared, growsDown, name, offset }]);
    if (!isWritable) this.setHostPages(start, end, bits);
    if (hadCode || (protection & execute) !== 0) this.onCodeChange(start, length);
  }

  unmap(start: number, length: number): void {
    const end = this.requireRange(start, length);
    const first = start >>> pageShift;
    const last = end >>> pageShift;
    const hadCode = this.holdsCode(start, end);
    this.forgetWatches(first, last);
    this.setPermissions(first, last, 0);
    this.list.replace(start, end, []);
    this.setHostPages(start, end, 0);
    if (hadCode) this.onCodeChange(start, length);
  }

  protect(start: number, length: number, protection: number): boolean {
    const end = this.requireRange(start, length);
    this.releaseCode(start, length);
    const changed: Mapping[] = [];
    let reached = start;
    for (const mapping of this.list.within(start, end)) {
      if (mapping.start !== reached) break;
      changed.push(mapping.protection === protection ? mapping : { ...mapping, protection });
      reached = mapping.end;
    }
    if (reached > start) {
      const first = start >>> pageShift;
      const last = reached >>> pageShift;
      // Code that stays executable and read-only is still the same code, and what neither was code nor becomes it is none.
      const keeps = (mapping: Mapping): boolean =>
        ((mapping.protection | protection) & execute) === 0 ||
        ((mapping.protection & ~read) === execute && (protection & ~read) === execute);
      const codeChanges = !this.list.within(start, reached).every(keeps);
      const hostChanges = this.host?.agrees(start, reached, protection) === false;
      this.setPermissions(first, last, protection);
      this.list.replace(start, reached, changed);
      if (hostChanges) this.setHostPages(start, reached, hostBits(protection));
      if (codeChanges) this.onCodeChange(start, reached - start);
    }
    return reached === end;
  }

  move(from: number, length: number, to: number, newLength: number): void {
    const fromEnd = this.requireRange(from, length);
    const toEnd = this.requireRange(to, newLength);
    this.releaseCode(from, length);
    const mapping = this.list.at(from);
    if (mapping === undefined || mapping.end < fromEnd) throw new RangeError('only one mapping can be moved at a time');
    const { protection, shared, growsDown, name } = mapping;
    if (from === to) {
      const options = { shared, growsDown, name, offset: offsetAt(mapping, fromEnd) };
      if (newLength > length) this.map(fromEnd, newLength - length, protection, options);
      else if (newLength < length) this.unmap(toEnd, length - newLength);
      return;
    }
    if (to < fromEnd && from < toEnd) throw new RangeError('a mapping cannot be moved onto itself');
    this.map(to, newLength, protection, { shared, growsDown, name, offset: offsetAt(mapping, from) });
    const copied = Math.min(length, newLength);
    const source = this.hostRange(from, copied);
    this.withPagesOpen(from, copied, read, () =>
      this.withPagesOpen(to, copied, write, () =>
        this.bytes.copyWithin(this.hostRange(to, copied), source, source + copied),
      ),
    );
    this.table.markDirty(to >>> pageShift, (to + copied) >>> pageShift);
    this.unmap(from, length);
  }

  findFree(length: number, below: number = limit): number | undefined {
    return this.list.findGap(length, minimum, Math.min(below, limit));
  }

  isFree(start: number, length: number): boolean {
    const next = this.list.above(start);
    return next === undefined || next.start >= start + length;
  }

  find(address: number): Mapping | undefined {
    return this.list.at(address);
  }

  get mappedBytes(): number {
    return this.list.bytes;
  }

  get mostMappedBytes(): number {
    return this.list.mostBytes;
  }

  mappings(): Mapping[] {
    this.releaseAllCode();
    return this.list.all();
  }

  allows(start: number, length: number, access: number): boolean {
    if (length === 0) return true;
    if (start + length > limit) return false;
    if ((access & write) !== 0) this.releaseCode(start, length);
    const end = ((start + length - 1) >>> pageShift) + 1;
    return this.table.firstWithout(start >>> pageShift, end, access) === end;
  }

  growStack(address: number, stackLimit: number, mayMap = (_growth: number): boolean => true): boolean {
    this.releaseAllCode();
    const stack = this.list.above(address);
    const start = address - (address % pageSize);
    if (stack === undefined || !stack.growsDown || stack.start <= address || start < minimum) return false;
    if (stack.end - start > stackLimit) return false;
    const lower = this.list.below(start);
    const guard = lower === undefined || lower.growsDown || lower.protection === 0 ? 0 : stackGuard;
    if (lower !== undefined && start - lower.end < guard) return false;
    if (!mayMap(stack.start - start)) return false;
    const { protection, shared, name, offset } = stack;
    this.map(start, stack.start - start, protection, { shared, growsDown: true, name, offset });
    return true;
  }

  // -- values

  readU8(address: number): number {
    const guest = address >>> 0;
    if ((this.permissions[guest >>> pageShift] & read) === 0) throw new MemoryFault(guest, read);
    return this.bytes[this.hostRange(guest, 1)];
  }

  readU16(address: number): number {
    return this.view.getUint16(this.place2(address, read), true);
  }

  readU32(address: number): number {
    return this.view.getUint32(this.place4(address, read), true);
  }

  readI32(address: number): number {
    return this.view.getInt32(this.place4(address, read), true);
  }

  readU64(address: number): bigint {
    return this.view.getBigUint64(this.place8(address, read), true);
  }

  readI64(address: number): bigint {
    return this.view.getBigInt64(this.place8(address, read), true);
  }

  readF64(address: number): number {
    return this.view.getFloat64(this.place8(address, read), true);
  }

  writeU8(address: number, value: number): void {
    const guest = address >>> 0;
    const entry = this.permissions[guest >>> pageShift];
    if ((entry & write) === 0) this.require(guest, 1, write);
    this.bytes[this.hostRange(guest, 1)] = value;
    if ((entry & execute) !== 0) this.onCodeChange(guest, 1);
  }

  writeU16(address: number, value: number): void {
    this.view.setUint16(this.place2(address, write), value, true);
    this.wrote(address >>> 0, 2);
  }

  writeU32(address: number, value: number): void {
    this.view.setUint32(this.place4(address, write), value, true);
    this.wrote(address >>> 0, 4);
  }

  writeU64(address: number, value: bigint): void {
    this.view.setBigUint64(this.place8(address, write), value, true);
    this.wrote(address >>> 0, 8);
  }

  writeF64(address: number, value: number): void {
    this.view.setFloat64(this.place8(address, write), value, true);
    this.wrote(address >>> 0, 8);
  }

  // -- runs of bytes

  readBytes(address: number, length: number): Uint8Array {
    this.require(address, length, read);
    return this.copyOut(address, length);
  }

  writeBytes(address: number, bytes: Uint8Array): void {
    this.require(address, bytes.length, write);
    this.copyIn(address, bytes);
    this.wrote(address, bytes.length);
  }

  readString(address: number, maximum = 0x100000): Uint8Array {
    let end = address;
    while (this.readU8(end) !== 0) {
      if (end - address >= maximum) throw new RangeError(`a string is longer than ${maximum} bytes`);
      end++;
    }
    return this.copyOut(address, end - address);
  }

  fill(address: number, length: number, value: number): void {
    this.require(address, length, write);
    this.fillUnchecked(address, length, value);
    this.wrote(address, length);
  }

  poke(address: number, bytes: Uint8Array): void {
    this.requireMapped(address, bytes.length, write);
    this.table.markDirty(address >>> pageShift, (address + bytes.length + pageSize - 1) >>> pageShift);
    this.withPagesOpen(address, bytes.length, write, () => this.copyIn(address, bytes));
    this.wrote(address, bytes.length);
  }

  peek(address: number, length: number): Uint8Array {
    this.requireMapped(address, length, read);
    return this.withPagesOpen(address, length, read, () => this.copyOut(address, length));
  }

  guestPages(): Uint8Array {
    if (this.mirrored) throw new RangeError('the memory of a big-endian guest lies in reverse');
    return this.bytes.subarray(this.hostRange(minimum, 0), this.hostRange(limit, 0));
  }

  // -- helpers

  private setPermissions(first: number, last: number, protection: number): void {
    this.table.set(first, last, protection);
    this.onPermissionChange(first << pageShift, last << pageShift, protection);
  }

  private holdsCode(start: number, end: number): boolean {
    return this.list.within(start, end).some((mapping) => (mapping.protection & execute) !== 0);
  }

  /** Offset in the buffer of the lowest of the `length` bytes that hold a guest range. */
  private hostRange(address: number, length: number): number {
    return this.mirrored ? this.origin - address - length : this.origin + address;
  }

  /** The buffer offset for a 2-byte access, which must be allowed. */
  private place2(address: number, access: number): number {
    const guest = address >>> 0;
    const index = ((guest >>> 1) | (guest << 31)) >>> (pageShift - 1);
    if ((this.permissions[index] & access) === 0) this.require(guest, 2, access);
    return this.hostRange(guest, 2);
  }

  private place4(address: number, access: number): number {
    const guest = address >>> 0;
    const index = ((guest >>> 2) | (guest << 30)) >>> (pageShift - 2);
    if ((this.permissions[index] & access) === 0) this.require(guest, 4, access);
    return this.hostRange(guest, 4);
  }

  private place8(address: number, access: number): number {
    const guest = address >>> 0;
    const index = ((guest >>> 3) | (guest << 29)) >>> (pageShift - 3);
    if ((this.permissions[index] & access) === 0) this.require(guest, 8, access);
    return this.hostRange(guest, 8);
  }

  private copyOut(address: number, length: number): Uint8Array {
    const start = this.hostRange(address, length);
    const copy = this.bytes.slice(start, start + length);
    return this.mirrored ? copy.reverse() : copy;
  }

  private copyIn(address: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const start = this.hostRange(address, bytes.length);
    this.bytes.set(bytes, start);
    if (this.mirrored) this.bytes.subarray(start, start + bytes.length).reverse();
  }

  private fillUnchecked(address: number, length: number, value: number): void {
    const start = this.hostRange(address, length);
    this.bytes.fill(value, start, start + length);
  }

  /** Reports a write by the personality or the loader to pages that hold code. */
  private wrote(address: number, length: number): void {
    if (length === 0) return;
    const end = ((address + length - 1) >>> pageShift) + 1;
    if (this.table.any(address >>> pageShift, end, execute)) this.onCodeChange(address, length);
  }

  /** @throws MemoryFault with the first address of the range that does not allow the access */
  private require(address: number, length: number, access: number): void {
    if (length === 0) return;
    if ((access & write) !== 0) this.releaseCode(address, length);
    const end = Math.min(address + length, limit);
    const lastPage = ((end - 1) >>> pageShift) + 1;
    const page =
      address >= limit ? address >>> pageShift : this.table.firstWithout(address >>> pageShift, lastPage, access);
    if (page < lastPage || address >= limit) throw new MemoryFault(Math.max(address, page * pageSize), access);
    if (address + length > limit) throw new MemoryFault(limit, access);
  }

  private requireMapped(address: number, length: number, access: number): void {
    let reached = address;
    for (const mapping of this.list.within(address, address + length)) {
      if (mapping.start !== reached) break;
      reached = mapping.end;
    }
    if (reached < address + length) throw new MemoryFault(reached, access);
  }

  /** @returns the end of the range. @throws RangeError when no mapping can be there */
  private requireRange(start: number, length: number): number {
    if (start % pageSize !== 0 || length % pageSize !== 0) {
      throw new RangeError(`the range 0x${start.toString(16)}+0x${length.toString(16)} is not aligned to pages`);
    }
    if (!(start >= minimum && length > 0 && start + length <= limit)) {
      throw new RangeError(`the range 0x${start.toString(16)}+0x${length.toString(16)} is outside the address space`);
    }
    return start + length;
  }
}
