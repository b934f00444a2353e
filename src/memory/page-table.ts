/**
 * The permission table that engines look up at every access (layout: translators/memory-view.ts), and
 * which pages may hold something other than zeroes.
 */
import { pageCount, permission } from '../../translators/memory-view.ts';

/** Rows of the table: one per possible misalignment of an 8-byte access. */
const rows = 8;
export const pageTableSize = rows * pageCount;

export class PageTable {
  readonly permissions: Uint8Array;
  /** 1 for pages that were ever writable or were filled by the loader, since they were last cleared. */
  private readonly dirty = new Uint8Array(pageCount);

  /** @param permissions pageTableSize zero bytes */
  constructor(permissions: Uint8Array) {
    this.permissions = permissions;
  }

  /** Gives the pages from `first` to before `end` these permission bits. */
  set(first: number, end: number, bits: number): void {
    const table = this.permissions;
    table.fill(bits, first, end);
    if ((bits & permission.write) !== 0) this.dirty.fill(1, first, end);
    const below = first === 0 ? 0 : table[first - 1] & bits;
    const above = end === pageCount ? 0 : bits & table[end];
    for (let row = pageCount; row < pageTableSize; row += pageCount) {
      if (first > 0) table[row + first - 1] = below;
      table.fill(bits, row + first, row + end - 1);
      table[row + end - 1] = above;
    }
  }

  /** Whether any of the pages has one of the bits. */
  any(first: number, end: number, bits: number): boolean {
    for (let page = first; page < end; page++) if ((this.permissions[page] & bits) !== 0) return true;
    return false;
  }

  /** The first page that lacks one of the bits, or `end`. */
  firstWithout(first: number, end: number, bits: number): number {
    let page = first;
    while (page < end && (this.permissions[page] & bits) === bits) page++;
    return page;
  }

  markDirty(first: number, end: number): void {
    this.dirty.fill(1, first, end);
  }

  /** Calls `clear` for each run of dirty pages, which are clean then. */
  clean(first: number, end: number, clear: (first: number, end: number) => void): void {
    const pages = this.dirty.subarray(first, end);
    let page = pages.indexOf(1);
    while (page >= 0) {
      const clean = pages.indexOf(0, page);
      const stop = clean < 0 ? pages.length : clean;
      clear(first + page, first + stop);
      pages.fill(0, page, stop);
      page = pages.indexOf(1, stop);
    }
  }
}
