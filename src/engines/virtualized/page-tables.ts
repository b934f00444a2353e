/**
 * The page tables of a virtual machine's guest: guest-virtual addresses below 2 GiB lead to the same guest-physical ones
 * (AMD64 Architecture Programmer's Manual, volume 2, chapter 5).
 *
 * A processor, and a host that shadows the tables, keep what they have read of them. Nothing tells the host of rights
 * that are taken away here, and that it forgets everything when memory is taken away from the machine costs a
 * millisecond. So tables that lost rights move: copies of them, and of the tables above, take effect at other
 * addresses, of which nobody knows anything yet, with a new root. The others keep their places, and what is known of them.
 */

const page = 4096;
const entriesPerTable = 512;
/** Tables at the lowest level, for 2 GiB, and the directories that name them. */
const tableCount = 1024;
const directoryCount = tableCount / entriesPerTable;
/** Tables that there are in all: the lowest level, their directories, the directories of these, the root. */
const liveTables = tableCount + directoryCount + 2;

/** Bits of the low and of the high word of an entry. */
export const present = 1;
const writable = 2;
export const user = 4;
const noExecute = 0x8000_0000;
const inner = present | writable | user;

/** Half of the places that tables can have. */
const halfPages = 4 * liveTables;
/** Bytes that the tables and the places that they move to take. */
export const pageTableBytes = 2 * halfPages * page;

export interface Rights {
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
}

export class PageTables {
  /** Entries as pairs of words, low word first. */
  private readonly words: Uint32Array;
  private readonly bytes: Uint8Array;
  /** Guest-physical address of the bytes, a multiple of 4 GiB. */
  private readonly physical: number;
  /** Places of tables, in pages. */
  private readonly tables = new Uint32Array(tableCount);
  private readonly directories = new Uint32Array(directoryCount);
  private top = 0;
  private rootPlace = 0;
  private nextPlace = 0;
  private half = 0;
  /** 1 for tables that lost rights since the processor last ran. */
  private readonly lost = new Uint8Array(tableCount);
  private hasLost = false;

  /**
   * @param bytes pageTableBytes zero bytes
   * @param offset of them in the area that begins at guest-physical address `physical`, a multiple of 4 GiB
   * @param rootEntries what else the root names: index and low word, in the same area
   */
  constructor(
    bytes: Uint8Array,
    physical: number,
    offset: number,
    rootEntries: readonly (readonly [index: number, low: number])[],
  ) {
    this.bytes = bytes;
    this.words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 2);
    this.physical = physical + offset;
    for (let table = 0; table < tableCount; table++) this.tables[table] = this.nextPlace++;
    for (let directory = 0; directory < directoryCount; directory++) this.directories[directory] = this.nextPlace++;
    this.top = this.nextPlace++;
    this.rootPlace = this.nextPlace++;
    for (let table = 0; table < tableCount; table++) this.linkTable(table);
    for (let directory = 0; directory < directoryCount; directory++) this.linkDirectory(directory);
    this.linkTop();
    for (const [index, low] of rootEntries) this.put(this.rootPlace, index, low, physical / 2 ** 32);
  }

  /** Guest-physical address of the root, for CR3. */
  get root(): bigint {
    return BigInt(this.physical + this.rootPlace * page);
  }

  /** Whether renew() must be called before the guest runs on. */
  get isStale(): boolean {
    return this.hasLost;
  }

  /** Gives the pages from `first` to before `end` these rights. */
  setPages(first: number, end: number, { read, write, execute }: Rights): void {
    const bits = read ? present | user | (write ? writable : 0) : 0;
    const high = read && !execute ? noExecute : 0;
    const { words } = this;
    for (let number = first; number < end; number++) {
      const table = number >>> 9;
      const at = (this.tables[table] * entriesPerTable + (number & 511)) * 2;
      const before = words[at];
      if ((before & present) !== 0 && ((before & ~bits & inner) !== 0 || (words[at + 1] ^ high) & high)) {
        this.lost[table] = 1;
        this.hasLost = true;
      }
      words[at] = bits === 0 ? 0 : ((number << 12) | bits) >>> 0;
      words[at + 1] = high;
    }
  }

  /**
   * Moves what lost rights; the root is another one then.
   * @returns false when places were used up: the machine's memory must be taken away and given again, so that the host
   *   forgets all places
   */
  renew(): boolean {
    const moving = this.lost.reduce((sum, lost) => sum + lost, 0) + directoryCount + 2;
    const hasRoom = this.nextPlace + moving <= (this.half + 1) * halfPages;
    if (!hasRoom) {
      this.half = 1 - this.half;
      this.nextPlace = this.half * halfPages;
      this.lost.fill(1);
    }
    for (let table = 0; table < tableCount; table++) {
      if (this.lost[table] === 0) continue;
      this.tables[table] = this.move(this.tables[table]);
    }
    for (let directory = 0; directory < directoryCount; directory++) {
      this.directories[directory] = this.move(this.directories[directory]);
    }
    for (let table = 0; table < tableCount; table++) if (this.lost[table] === 1) this.linkTable(table);
    this.top = this.move(this.top);
    for (let directory = 0; directory < directoryCount; directory++) this.linkDirectory(directory);
    this.rootPlace = this.move(this.rootPlace);
    this.linkTop();
    this.lost.fill(0);
    this.hasLost = false;
    return hasRoom;
  }

  private move(from: number): number {
    const to = this.nextPlace++;
    this.bytes.copyWithin(to * page, from * page, (from + 1) * page);
    return to;
  }

  private linkTable(table: number): void {
    this.link(this.directories[table >>> 9], table & 511, this.tables[table]);
  }

  private linkDirectory(directory: number): void {
    this.link(this.top, directory, this.directories[directory]);
  }

  private linkTop(): void {
    this.link(this.rootPlace, 0, this.top);
  }

  private link(place: number, index: number, target: number): void {
    const address = this.physical + target * page;
    this.put(place, index, (address % 2 ** 32) | inner, Math.floor(address / 2 ** 32));
  }

  private put(place: number, index: number, low: number, high: number): void {
    const at = (place * entriesPerTable + index) * 2;
    this.words[at] = low >>> 0;
    this.words[at + 1] = high;
  }
}
