/**
 * Storage for interpreter code: one growing array of words for all blocks, the blocks in it by guest
 * address, and the guest instruction behind each position where a block can be left midway.
 */
import { special } from './interpreter-encoding.ts';

/** Guest pages of which blocks are found together when code is invalidated. */
const pageShift = 12;

/** Runs of a block after which code is made for it: to run it without takes about a sixth of the time of making code. */
const worthCode = 3;

/**
 * Where code of an earlier run was restored, the program is one that runs again and again: as many blocks as were restored
 * get code at their first run, until there are so many words. What that takes is what restoring saved, and after some runs
 * (four of a hello with the C library) there is nothing left to prepare.
 */
const earlyWords = 1 << 16;

/** The code of many blocks: plain data, which makes sense to the very build of these sources that it is from. */
export interface PreparedCode {
  /** The array, from its first word on. */
  readonly words: Int32Array;
  /** Three words for each block: position, guest address, and guest address past its end. */
  readonly blocks: Int32Array;
  /** Three words for each place where a block can be left midway, by ascending position: see CodeBuffer.site. */
  readonly sites: Int32Array;
}

export class CodeBuffer {
  // The arrays have room for a short program from the start: what is never touched of them costs nothing.

  /** Words after which everything is forgotten and made anew. */
  limit = 1 << 23;
  words = new Int32Array(1 << 17);
  /** Words in use. Position 0 stands for no code. */
  length = 4;
  /** Blocks whose code was made, also those that were invalidated since. */
  blocks = 0;
  /** Blocks whose code is that of an earlier run. */
  restored = 0;

  /** Where blocks can be left midway, by ascending position: position, guest pc and instructions from there to the block's end. */
  private siteWords = new Int32Array(3 << 14);
  /** Words in use of these. */
  private sites = 0;

  // Open addressing from guest pc to position; 0 marks a free place. -n stands for a block that ran n times without code,
  // -worthCode for blocks that were dropped.
  private keys = new Int32Array(1 << 12);
  private positions = new Int32Array(1 << 12);
  private used = 0;

  /** Blocks that are not in `pages` and `ends` yet: three words each, see PreparedCode. */
  private unlisted: Int32Array = new Int32Array(0);
  /** Positions of the blocks that touch a guest page, by page number. */
  private readonly pages = new Map<number, number[]>();
  /** Guest address past the block at a position, for blocks in `pages`. */
  private readonly ends = new Map<number, number>();

  // -- words

  /** Makes room for so many more words. */
  reserve(words: number): void {
    if (this.length + words <= this.words.length) return;
    this.words = longer(this.words, Math.max(this.words.length * 2, this.length + words));
  }

  emit(word: number): void {
    this.words[this.length++] = word;
  }
  emit3(first: number, second: number, third: number): void {
    const { words, length } = this;
    words[length] = first;
    words[length + 1] = second;
    words[length + 2] = third;
    this.length = length + 3;
  }
  emit4(first: number, second: number, third: number, fourth: number): void {
    const { words, length } = this;
    words[length] = first;
    words[length + 1] = second;
    words[length + 2] = third;
    words[length + 3] = fourth;
    this.length = length + 4;
  }

  // -- sites

  /** Notes that the code at `position` may leave its block at guest address `pc`, `rest` instructions before the end. */
  site(position: number, pc: number, rest: number): void {
    const { sites } = this;
    if (sites === this.siteWords.length) this.siteWords = longer(this.siteWords, 2 * sites);
    const { siteWords } = this;
    siteWords[sites] = position;
    siteWords[sites + 1] = pc;
    siteWords[sites + 2] = rest;
    this.sites = sites + 3;
  }

  /** The guest pc and the instructions that were not executed when the code at `position` leaves its block. */
  siteAt(position: number): { pc: number; rest: number } {
    const { siteWords } = this;
    let low = 0;
    let high = this.sites / 3 - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (siteWords[3 * middle] < position) low = middle + 1;
      else high = middle;
    }
    return { pc: siteWords[3 * low + 1], rest: siteWords[3 * low + 2] };
  }

  // -- blocks

  /** The position of the block at a guest address, or 0. */
  find(pc: number): number {
    return Math.max(this.entry(pc), 0);
  }

  /** Whether a guest address has a block, or shall get one; runs of blocks that are not in use may be forgotten. */
  isWorthCode(pc: number): boolean {
    const position = this.entry(pc);
    return position > 0 || position <= -worthCode || (this.blocks < this.restored && this.length < earlyWords);
  }

  /** Whether the block at a guest address has code or ran without; runs of blocks that are not in use may be forgotten. */
  hasRun(pc: number): boolean {
    return this.entry(pc) !== 0;
  }

  /** Notes that the block at a guest address, for which there is no code, runs. */
  noteRun(pc: number): void {
    this.enter(pc, this.entry(pc) - 1);
  }

  private entry(pc: number): number {
    const { keys, positions } = this;
    const mask = keys.length - 1;
    for (let at = hash(pc) & mask; positions[at] !== 0; at = (at + 1) & mask) {
      if (keys[at] === (pc | 0)) return positions[at];
    }
    return 0;
  }

  /** Registers the code at `position` as that of the guest range [pc, end). */
  add(pc: number, end: number, position: number): void {
    this.blocks++;
    this.enter(pc, position);
    this.list(pc, end, position);
  }

  private list(pc: number, end: number, position: number): void {
    this.ends.set(position, end >>> 0);
    const last = ((end - 1) >>> 0) >>> pageShift;
    for (let page = (pc >>> 0) >>> pageShift; page <= last; page++) {
      const list = this.pages.get(page);
      if (list === undefined) this.pages.set(page, [position]);
      else list.push(position);
    }
  }

  /** Makes control that comes to a guest address leave the interpreter; also what links to the block there. */
  replaceByLeave(pc: number): void {
    const position = this.find(pc);
    if (position !== 0) {
      this.words[position] = special.leave;
      return;
    }
    this.reserve(4);
    this.add(pc, pc + 1, this.length);
    this.emit4(special.leave, 0, 0, pc);
  }

  /** Forgets the blocks that overlap a guest range; length in bytes. Whoever links to them finds what replaces them. */
  invalidate(start: number, length: number): void {
    const first = start >>> 0;
    const end = first + length;
    if (length <= 0) return;
    this.listAll();
    const firstPage = first >>> pageShift;
    const lastPage = Math.floor((end - 1) / (1 << pageShift));
    if (lastPage - firstPage < this.pages.size) {
      for (let page = firstPage; page <= lastPage; page++) this.drop(page, first, end);
    } else {
      for (const page of [...this.pages.keys()]) if (page >= firstPage && page <= lastPage) this.drop(page, first, end);
    }
  }

  private drop(page: number, first: number, end: number): void {
    const list = this.pages.get(page);
    if (list === undefined) return;
    const kept = list.filter((position) => {
      const pc = this.words[position + 3];
      const blockEnd = this.ends.get(position);
      // A block of two pages is in two lists, and may be gone already.
      if (blockEnd === undefined) return false;
      if (pc >>> 0 >= end || blockEnd <= first) return true;
      this.words[position] = special.stale;
      this.words[position + 1] = 0;
      this.ends.delete(position);
      if (this.find(pc) === position) this.enter(pc, -worthCode);
      return false;
    });
    if (kept.length === 0) this.pages.delete(page);
    else this.pages.set(page, kept);
  }

  /** Forgets everything when the array has become too long; says whether it did. No code may be running. */
  trim(): boolean {
    if (this.length < this.limit) return false;
    this.length = 4;
    this.sites = 0;
    this.used = 0;
    this.positions.fill(0);
    this.unlisted = new Int32Array(0);
    this.pages.clear();
    this.ends.clear();
    return true;
  }

  // -- code that is kept from run to run

  /**
   * A copy of the code, as it was before any of it ran.
   * @param countdown of each block
   * @param keeps says for a block's guest range [pc, end) whether it is wanted; whoever links to one that is not prepares it
   */
  copy(countdown: number, keeps: (pc: number, end: number) => boolean): PreparedCode {
    this.listAll();
    const words = this.words.slice(0, this.length);
    const blocks: number[] = [];
    for (const [position, end] of this.ends) {
      const pc = words[position + 3] >>> 0;
      if (words[position] === special.enter && keeps(pc, end)) {
        words[position + 1] = countdown;
        blocks.push(position, pc, end);
      } else {
        words[position] = special.stale;
        words[position + 1] = 0;
      }
    }
    return { words, blocks: new Int32Array(blocks), sites: this.siteWords.slice(0, this.sites) };
  }

  /** Makes the code of another buffer this one's, which must be empty. The arrays stay the caller's. */
  restore({ words, blocks, sites }: PreparedCode): void {
    this.reserve(words.length);
    this.words.set(words);
    this.length = words.length;
    this.siteWords = longer(sites, 2 * sites.length + (3 << 10));
    this.sites = sites.length;
    this.restored = blocks.length / 3;
    while (this.keys.length < 2 * this.restored) this.rehash();
    for (let at = 0; at < blocks.length; at += 3) this.enter(blocks[at + 1], blocks[at]);
    this.unlisted = blocks;
  }

  /** Most runs never ask which blocks a page has. */
  private listAll(): void {
    const { unlisted } = this;
    if (unlisted.length === 0) return;
    this.unlisted = new Int32Array(0);
    for (let at = 0; at < unlisted.length; at += 3) this.list(unlisted[at + 1], unlisted[at + 2], unlisted[at]);
  }

  private enter(pc: number, position: number): void {
    if (this.used * 2 >= this.keys.length) this.rehash();
    const { keys, positions } = this;
    const mask = keys.length - 1;
    let at = hash(pc) & mask;
    while (positions[at] !== 0 && keys[at] !== (pc | 0)) at = (at + 1) & mask;
    if (positions[at] === 0) this.used++;
    keys[at] = pc;
    positions[at] = position;
  }

  private rehash(): void {
    const { keys, positions } = this;
    this.keys = new Int32Array(keys.length * 2);
    this.positions = new Int32Array(keys.length * 2);
    this.used = 0;
    for (let at = 0; at < keys.length; at++) if (positions[at] > 0) this.enter(keys[at], positions[at]);
  }
}

function hash(pc: number): number {
  return Math.imul(pc, 0x9e3779b1) >>> 8;
}

function longer(array: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(length);
  larger.set(array);
  return larger;
}
