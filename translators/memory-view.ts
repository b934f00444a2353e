/**
 * What translated code and the interpreter see of a guest's memory: one buffer, how a guest address
 * becomes an offset into it, and a table of permissions.
 *
 * Big-endian guests live in mirrored memory: the bytes lie in reverse order, so the host offset of an
 * n-byte access at guest address g is `top - g - n`, and every access is one plain little-endian
 * access. Little-endian guests: the offset is `base + g`.
 */
export interface MemoryView {
  readonly buffer: ArrayBufferLike;
  readonly view: DataView;
  readonly mirrored: boolean;
  /** The constant of the address computation: `top` when mirrored, else `base`. */
  readonly origin: number;
  /**
   * Permissions, 8 rows of 2^20 entries, one entry per 4 KiB page. Row 0 holds the page's own bits;
   * rows 1 to 7 hold page & next page, for accesses misaligned by that much, which may cross into the next page.
   * The entry for an n-byte access at address a (n a power of two) is
   * `permissions[rotr(a, log2 n) >>> (12 - log2 n)]`. If its bit is set the access is allowed. If not,
   * row 0 of each page touched decides.
   */
  readonly permissions: Uint8Array;
}

export const pageShift = 12;
export const pageSize = 1 << pageShift;
/** Pages of a 32-bit address space: entries of one row of the permission table. */
export const pageCount = 1 << (32 - pageShift);

/**
 * Bytes below the lowest offset of a guest's memory that an access of WebAssembly code may touch, whatever its address: by
 * its displacement and its size. Nothing may lie there.
 */
export const uncheckedReach = 0x20000;

/** Bits of a permission entry. */
export const permission = { read: 1, write: 2, execute: 4 } as const;
