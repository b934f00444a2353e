/**
 * Cells stand for guest addresses that control may come to. Translations name the cells of the
 * addresses they know, so a new or dropped translation shows everywhere at once.
 */
import type { Translation } from '../../../translators/javascript/compile.ts';
import type { Retirement } from '../inspection.ts';

export class Cell {
  readonly pc: number;
  /** The translation, or what makes one. */
  f: Translation;
  /** Whether f is a translation. */
  translated = false;
  /** How often translations called it without a translation. */
  calls = 0;
  /** Guest pages (4 KiB numbers) that the translation was made from. */
  pages: readonly number[] = [];

  constructor(pc: number, f: Translation) {
    this.pc = pc;
    this.f = f;
  }
}

const cacheSize = 4096;

export class CellTable {
  private readonly cells = new Map<number, Cell>();
  private readonly cache: (Cell | undefined)[] = new Array(cacheSize).fill(undefined);
  private readonly shift: number;
  private readonly stub: (cell: Cell) => Translation;
  /** Told when a cell loses its translation. */
  readonly onUninstall: ((cell: Cell, why: Retirement) => void)[] = [];
  /** Translated cells by guest page. */
  private readonly pages = new Map<number, Set<Cell>>();

  /** @param alignment distance of instructions in bytes; stub: gives the function of an untranslated cell */
  constructor(alignment: number, stub: (cell: Cell) => Translation) {
    this.shift = Math.log2(alignment);
    this.stub = stub;
  }

  /** The cell of a guest address (signed or unsigned). */
  get(address: number): Cell {
    const pc = address >>> 0;
    const slot = (pc >>> this.shift) & (cacheSize - 1);
    const cached = this.cache[slot];
    if (cached !== undefined && cached.pc === pc) return cached;
    let cell = this.cells.get(pc);
    if (cell === undefined) {
      cell = new Cell(pc, unmade);
      cell.f = this.stub(cell);
      this.cells.set(pc, cell);
    }
    this.cache[slot] = cell;
    return cell;
  }

  install(cell: Cell, translation: Translation, pages: readonly number[]): void {
    cell.f = translation;
    cell.translated = true;
    cell.pages = pages;
    for (const page of pages) {
      const set = this.pages.get(page);
      if (set === undefined) this.pages.set(page, new Set([cell]));
      else set.add(cell);
    }
  }

  /** Drops the translations made from a range of guest code. @returns how many */
  drop(start: number, length: number): number {
    let dropped = 0;
    const first = start >>> 12;
    const last = (start + length - 1) >>> 12;
    if (last - first < this.pages.size) {
      for (let page = first; page <= last; page++) dropped += this.dropPage(page, 'codeChange');
    } else {
      for (const page of [...this.pages.keys()]) {
        if (page >= first && page <= last) dropped += this.dropPage(page, 'codeChange');
      }
    }
    return dropped;
  }

  /** Drops every translation. */
  clear(): number {
    let dropped = 0;
    for (const page of [...this.pages.keys()]) dropped += this.dropPage(page, 'assumptions');
    return dropped;
  }

  private dropPage(page: number, why: Retirement): number {
    const set = this.pages.get(page);
    if (set === undefined) return 0;
    const dropped = set.size;
    for (const cell of set) this.uninstall(cell, why);
    return dropped;
  }

  /** Takes a cell's translation away. */
  uninstall(cell: Cell, why: Retirement): void {
    for (const page of cell.pages) {
      const set = this.pages.get(page);
      set?.delete(cell);
      if (set?.size === 0) this.pages.delete(page);
    }
    cell.f = this.stub(cell);
    cell.translated = false;
    cell.pages = [];
    for (const tell of this.onUninstall) tell(cell, why);
  }
}

function unmade(): number {
  throw new Error('a cell was called before it had a function');
}
