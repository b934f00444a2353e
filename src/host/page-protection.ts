/** The pages inside a WebAssembly.Memory: their protection by the host's mprotect, and their size, through koffi. */
import { readFileSync } from 'node:fs';
import type { HostPages, NoHostPages } from '../memory/host-protection.ts';
import { loadFunctions } from './koffi.ts';

/** The page size that guests and this protection have. */
const pageSize = 4096;
/** MADV_HUGEPAGE */
const hugePages = 14;
/** How far behind a memory's start V8 reserves what 32-bit addresses plus 32-bit offsets reach, when accesses trap. */
const guardedLength = 2 ** 33;

interface Native {
  /** mprotect(2), with PROT_READ 1 and PROT_WRITE 2. @returns 0, or -1 on failure */
  mprotect(address: number, length: number, protection: number): number;
  /** madvise(2), with MADV_HUGEPAGE 14. @returns 0, or -1 where the host has no such pages */
  madvise(address: number, length: number, advice: number): number;
  /** Gives the address of its first argument, when it moves nothing. */
  memmove(destination: Uint8Array, source: Uint8Array, length: number): number;
  getpagesize(): number;
}

const prototypes: { readonly [Name in keyof Native]: string } = {
  mprotect: 'int mprotect(uintptr_t address, size_t length, int protection)',
  madvise: 'int madvise(uintptr_t address, size_t length, int advice)',
  memmove: 'uintptr_t memmove(void *destination, void *source, size_t length)',
  getpagesize: 'int getpagesize()',
};

/** Why functions of the C library cannot be called; empty where they can. */
export function ffiProblem(): string {
  const native = loadFunctions<Native>(prototypes);
  return 'reason' in native ? native.reason : '';
}

/**
 * Whether the host maps all of this range for reading and writing, and behind it the inaccessible range that V8
 * reserves only where it turns faults of WebAssembly code into traps (not with --disable-wasm-trap-handler, nor where
 * the address space is limited). Without that, a fault would end the process.
 * @param maps the text of /proc/self/maps, where a range may have merged with another one before it
 */
export function isGuarded(maps: string, address: number, length: number): boolean {
  const end = (address + length).toString(16);
  const range = new RegExp(`^([0-9a-f]+)-${end} rw-p `, 'm').exec(maps);
  const guard = new RegExp(`^${end}-([0-9a-f]+) ---p `, 'm').exec(maps);
  if (range === null || guard === null) return false;
  return Number.parseInt(range[1], 16) <= address && Number.parseInt(guard[1], 16) >= address + guardedLength;
}

/**
 * The host pages of a memory, none of which is protected yet, or why they cannot be protected so that WebAssembly code
 * traps: without koffi, elsewhere than on Linux, with other page sizes, or where V8 does not catch faults.
 * Takes 6 to 10 ms, most of it for loading koffi, so it is to be called when protection is worth that.
 */
export function findHostPages(memory: WebAssembly.Memory): HostPages | NoHostPages {
  if (process.platform !== 'linux') return { reason: `the host is ${process.platform}, not Linux` };
  const native = loadFunctions<Native>(prototypes);
  if ('reason' in native) return native;
  const hostPageSize = native.getpagesize();
  if (hostPageSize !== pageSize) return { reason: `the host's pages have ${hostPageSize} bytes, not ${pageSize}` };
  const bytes = new Uint8Array(memory.buffer);
  const address = native.memmove(bytes, bytes, 0);
  try {
    if (!isGuarded(readFileSync('/proc/self/maps', 'latin1'), address, bytes.length)) {
      return { reason: 'V8 does not catch faults here (the address space is limited, or an option of V8 forbids it)' };
    }
  } catch {
    return { reason: '/proc/self/maps cannot be read' };
  }
  // Huge pages, where the host gives them to those who ask: a walk through scattered memory takes a twelfth less.
  native.madvise(address, bytes.length, hugePages);
  return {
    protect(offset, length, bits) {
      if (offset < 0 || length <= 0 || offset + length > bytes.length) {
        throw new RangeError(`the pages at 0x${offset.toString(16)}+0x${length.toString(16)} are outside the memory`);
      }
      return native.mprotect(address + offset, length, bits) === 0;
    },
  };
}
