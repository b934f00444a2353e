/**
 * A guest's address space: what the personality, the loader and the engines may do with it.
 *
 * Addresses and lengths are unsigned numbers in bytes. Every access of the personality goes through
 * the methods below; one that the guest itself could not make throws a MemoryFault, which the system-call
 * dispatcher answers with EFAULT. Engines use the MemoryView part.
 */
import type { MemoryView } from '../../translators/memory-view.ts';

/** The bits of a mapping's protection; the values are Linux's PROT_* and equal the bits of a permission entry. */
export const protection = { none: 0, read: 1, write: 2, execute: 4 } as const;

/** What a page with this protection allows: a processor cannot make it writable or executable without its being readable. */
export function effectiveProtection(bits: number): number {
  return (bits & (protection.write | protection.execute)) !== 0 ? bits | protection.read : bits;
}

export interface Mapping {
  /** First address, and the one past the last; multiples of the page size. */
  readonly start: number;
  readonly end: number;
  readonly protection: number;
  readonly shared: boolean;
  /** A stack that grows down when the page below it is touched. */
  readonly growsDown: boolean;
  /** A path, or a name in brackets as in /proc/PID/maps; empty for anonymous memory. */
  readonly name: string;
  /** Offset of `start` in the mapped file. */
  readonly offset: number;
}

export interface MappingOptions {
  readonly shared?: boolean;
  readonly growsDown?: boolean;
  readonly name?: string;
  readonly offset?: number;
}

/** An access that the address space does not allow. */
export class MemoryFault extends Error {
  readonly address: number;
  /** 1 read, 2 write, 4 execute. */
  readonly access: number;
  constructor(address: number, access: number) {
    super(`the guest memory at 0x${address.toString(16)} cannot be accessed`);
    this.address = address;
    this.access = access;
  }
}

export interface GuestMemory extends MemoryView {
  readonly byteOrder: 'big' | 'little';
  /** The lowest address that can be mapped, and the one past the highest. */
  readonly minimum: number;
  readonly limit: number;
  /** Called with every range whose code may have changed: unmapped, remapped, made writable, executable or not, or written by the personality. */
  onCodeChange: (start: number, length: number) => void;
  /** Called with every range of whole pages whose protection was set; 0: unmapped. */
  onPermissionChange: (start: number, end: number, protection: number) => void;
  /** The bytes from `minimum` to `limit`, for a machine whose memory they become. @throws RangeError when the guest is big-endian */
  guestPages(): Uint8Array;
  /** The memory itself, for modules that import it. */
  readonly memory: WebAssembly.Memory;
  /** Sets aside 4096 zeroed bytes that no guest address leads to. @returns their offset in the buffer. @throws RangeError when there are none left */
  allocateStateBlock(): number;
  /** Gives such bytes back. */
  releaseStateBlock(block: number): void;

  /** Whether code that is written anew is seen without being announced (Frontend.coherentCode). */
  coherentCode: boolean;
  /** Code was read there. Where code is coherent and the guest may write, the next store to these pages is stopped. */
  watchCode(address: number, length: number): void;
  /**
   * Lets stores to these pages through again, if watchCode stopped them, and reports their code as changed.
   * @returns whether a page was watched
   */
  releaseCode(address: number, length: number): boolean;

  /** Whether accesses that the guest may not make trap in WebAssembly code; 'off' until that is asked for. */
  readonly hostProtection: 'off' | 'on' | 'unavailable';
  /** Why hostProtection is not 'on', as a clause; empty where it is. */
  readonly withoutHostProtection: string;
  /**
   * Protects the host's pages as the guest's are, from now on (src/memory/host-protection.ts has the limits: JavaScript
   * code and WebAssembly's atomic and bulk operations must look at the permission table as before). May end later, when
   * the host has no room for the guest's many ranges: hostProtection is 'unavailable' then, and onCodeChange is called
   * with the whole address space.
   * @returns whether hostProtection is 'on'
   */
  enableHostProtection(): boolean;

  /** Maps zeroed memory at exactly this place, replacing what was there. @throws RangeError outside the limits or not page-aligned */
  map(start: number, length: number, protection: number, options?: MappingOptions): void;
  unmap(start: number, length: number): void;
  /** @returns false when part of the range is not mapped (ENOMEM); the mapped part before it has changed */
  protect(start: number, length: number, protection: number): boolean;
  /** Moves a mapping's pages and contents to a new place. */
  move(from: number, length: number, to: number, newLength: number): void;
  /** A free range of that length (page multiple), as high as possible below `below`; undefined when there is none. */
  findFree(length: number, below?: number): number | undefined;
  isFree(start: number, length: number): boolean;
  /** The mapping that holds an address. */
  find(address: number): Mapping | undefined;
  /** Bytes that are mapped, now and at the most so far. */
  readonly mappedBytes: number;
  readonly mostMappedBytes: number;
  /** All mappings in address order. */
  mappings(): Mapping[];
  /** Whether every byte of the range allows the access (bits 1 read, 2 write, 4 execute). */
  allows(start: number, length: number, access: number): boolean;
  /**
   * Extends a growing-down stack over the address if it lies just below one, within `stackLimit` bytes.
   * @param mayMap whether so many bytes more may be mapped
   * @returns whether it did
   */
  growStack(address: number, stackLimit: number, mayMap?: (growth: number) => boolean): boolean;

  readU8(address: number): number;
  readU16(address: number): number;
  readU32(address: number): number;
  readI32(address: number): number;
  readU64(address: number): bigint;
  readI64(address: number): bigint;
  writeU8(address: number, value: number): void;
  writeU16(address: number, value: number): void;
  /** Writes the low word of a number (signed or unsigned). */
  writeU32(address: number, value: number): void;
  writeU64(address: number, value: bigint): void;
  writeF64(address: number, value: number): void;
  readF64(address: number): number;
  /** A copy of guest memory in guest order. */
  readBytes(address: number, length: number): Uint8Array;
  writeBytes(address: number, bytes: Uint8Array): void;
  /** The bytes before the next zero byte. @throws MemoryFault; RangeError when longer than `maximum` */
  readString(address: number, maximum?: number): Uint8Array;
  fill(address: number, length: number, value: number): void;
  /** Like writeBytes and readBytes, whatever the protection (loader, debugger). @throws MemoryFault when not mapped */
  poke(address: number, bytes: Uint8Array): void;
  peek(address: number, length: number): Uint8Array;
}

/** What a range holds, whatever its protection; undefined where part of it is not mapped. */
export function peekMapped(memory: GuestMemory, address: number, length: number): Uint8Array | undefined {
  try {
    return memory.peek(address, length);
  } catch (error) {
    if (error instanceof MemoryFault) return undefined;
    throw error;
  }
}
