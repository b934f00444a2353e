/**
 * Keeps the protection of host pages in step with what the guest may do, so that an access that WebAssembly code
 * makes without a check traps. The processor does the checking; it costs nothing per access.
 *
 * V8 makes a trap only of what WebAssembly's own loads and stores touch. An access from JavaScript to a protected
 * page ends the host's process; so does one by an atomic operation or by memory.copy or memory.fill of WebAssembly.
 * Those ask the permission table first, and AddressSpace opens the pages that it touches whatever the guest may do.
 */
import { permission } from '../../translators/memory-view.ts';
import { effectiveProtection } from './guest-memory.ts';
import type { MappingList } from './mapping-list.ts';

/**
 * Mappings from which on the host is not asked: each can take two of the ranges that it has room for, 65 530 unless
 * vm.max_map_count says otherwise, and when V8 finds none left it ends the process.
 */
const mostMappings = 0x4000;

/** What the host lets WebAssembly code do with the pages of one memory. */
export interface HostPages {
  /** Mappings from which on it is not to be asked any more, where other guests have the rest of its room. */
  readonly mostMappings?: number;
  /**
   * Sets what the host allows on a range.
   * @param offset in the memory's buffer, in bytes; it and the length are multiples of 4096
   * @param bits of `permission`: none, read, or read and write
   * @returns false when the host has no room for so many ranges; the range may have changed in part
   */
  protect(offset: number, length: number, bits: number): boolean;
}

/** Why there are no host pages to protect. */
export interface NoHostPages {
  /** A clause, such as "koffi is not installed". */
  readonly reason: string;
}

/** Finds the host pages of a memory, or why the host offers no protection that WebAssembly code traps on. */
export type FindHostPages = (memory: WebAssembly.Memory) => HostPages | NoHostPages;

/** What the host must allow: JavaScript reads code, and whatever a host's processor can write it can read. */
export function hostBits(protection: number): number {
  return effectiveProtection(protection) & (permission.read | permission.write);
}

/** The protection that follows a list of mappings. All ranges are of guest addresses and whole pages. */
export class HostProtection {
  readonly pages: HostPages;
  private readonly list: MappingList;
  private readonly hostOffset: (address: number, length: number) => number;

  /** @param hostOffset gives the offset in the buffer of the lowest byte of a guest range */
  constructor(pages: HostPages, list: MappingList, hostOffset: (address: number, length: number) => number) {
    this.pages = pages;
    this.list = list;
    this.hostOffset = hostOffset;
  }

  /** Gives a range the same bits, whatever is mapped. @returns false when the host has no room */
  set(start: number, end: number, bits: number): boolean {
    if (start >= end) return true;
    if (this.list.length > (this.pages.mostMappings ?? mostMappings)) return false;
    return this.pages.protect(this.hostOffset(start, end - start), end - start, bits);
  }

  /** Gives a range what its mappings say, with one call for each run of equal pages. @returns false when the host has no room */
  follow(start: number, end: number): boolean {
    let runStart = start;
    let runBits = 0;
    let reached = start;
    const goOn = (from: number, bits: number): boolean => {
      if (bits === runBits) return true;
      const done = this.set(runStart, from, runBits);
      runStart = from;
      runBits = bits;
      return done;
    };
    for (const mapping of this.list.within(start, end)) {
      if (mapping.start > reached && !goOn(reached, 0)) return false;
      if (!goOn(mapping.start, hostBits(mapping.protection))) return false;
      reached = mapping.end;
    }
    if (reached < end && !goOn(reached, 0)) return false;
    return this.set(runStart, end, runBits);
  }

  /** Whether all of a range is mapped and needs the same bits as a protection. */
  agrees(start: number, end: number, protection: number): boolean {
    const bits = hostBits(protection);
    return this.list.within(start, end).every((mapping) => hostBits(mapping.protection) === bits);
  }
}
