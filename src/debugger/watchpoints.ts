/**
 * Watchpoints: ranges of guest memory whose accesses are to stop the guest.
 *
 * While there are any, code runs on a permission table of its own (`GuestAccess`), in which the pages of watched ranges
 * allow nothing that is watched for. So an access near one leaves as a fault, before it has had an effect; the instruction
 * is then run alone, on the real table, through a DataView that notes what it touches.
 */
import { pageCount, pageShift, permission } from '../../translators/memory-view.ts';
import type { GuestAccess } from '../engines/guest-code.ts';
import { type GuestMemory, peekMapped } from '../memory/guest-memory.ts';
import { PageTable, pageTableSize } from '../memory/page-table.ts';

/** Which accesses stop the guest: bits 1 read, 2 write. */
export interface Watchpoint {
  readonly address: number;
  /** Bytes. */
  readonly length: number;
  readonly access: number;
}

/** The widest range that can be watched, in bytes. */
export const longestWatch = 1 << 20;

/** An access that was made. */
export interface Touch {
  readonly address: number;
  readonly length: number;
  readonly access: number;
}

export class Watchpoints {
  /** What code runs on while something is watched. */
  readonly restricted: GuestAccess;
  private readonly memory: GuestMemory;
  private table: PageTable | undefined;
  private list: readonly Watchpoint[] = [];
  /** What the ranges that are watched for writes held when the guest went on. */
  private contents: readonly Uint8Array[] = [];

  constructor(memory: GuestMemory) {
    this.memory = memory;
    const { buffer, view, mirrored, origin } = memory;
    const tableOf = (): Uint8Array => this.requireTable().permissions;
    this.restricted = {
      buffer,
      view,
      mirrored,
      origin,
      get permissions() {
        return tableOf();
      },
      readU8: (address) => memory.readU8(address),
      writeU8: (address, value) => memory.writeU8(address, value),
    };
  }

  get any(): boolean {
    return this.list.length > 0;
  }

  insert(watchpoint: Watchpoint): void {
    this.remove(watchpoint);
    this.list = [...this.list, watchpoint];
    this.restrict(watchpoint);
  }

  remove({ address, length, access }: Watchpoint): void {
    const isOther = (one: Watchpoint): boolean =>
      one.address !== address || one.length !== length || one.access !== access;
    if (this.list.every(isOther)) return;
    this.list = this.list.filter(isOther);
    this.follow(address, address + length);
  }

  clear(): void {
    for (const one of this.list) this.remove(one);
  }

  /** The guest goes on: what is watched for writes is compared with what it holds now. */
  note(): void {
    this.contents = this.list.map(({ address, length }) => this.contentsOf(address, length));
  }

  /**
   * The watchpoint that one of these accesses is about, or whose range was written by other means (a system call).
   * @param touches accesses since note()
   */
  hit(touches: readonly Touch[]): Watchpoint | undefined {
    const overlaps = (one: Watchpoint, touch: Touch): boolean =>
      (one.access & touch.access) !== 0 &&
      touch.address < one.address + one.length &&
      one.address < touch.address + touch.length;
    return this.list.find(
      (one, i) =>
        touches.some((touch) => overlaps(one, touch)) ||
        ((one.access & permission.write) !== 0 && this.hasChanged(one, i)),
    );
  }

  private hasChanged({ address, length }: Watchpoint, index: number): boolean {
    const before = this.contents[index];
    const now = this.contentsOf(address, length);
    return before === undefined || before.length !== now.length || before.some((byte, i) => byte !== now[i]);
  }

  private contentsOf(address: number, length: number): Uint8Array {
    return peekMapped(this.memory, address, length) ?? new Uint8Array();
  }

  private requireTable(): PageTable {
    if (this.table === undefined) {
      this.table = new PageTable(this.memory.permissions.slice(0, pageTableSize));
      const { onPermissionChange } = this.memory;
      this.memory.onPermissionChange = (start, end, bits) => {
        onPermissionChange(start, end, bits);
        this.follow(start, end);
      };
    }
    return this.table;
  }

  /** Gives the pages of a range what the guest may do there, but for what is watched. */
  private follow(start: number, end: number): void {
    const table = this.requireTable();
    const first = start >>> pageShift;
    const last = Math.min(((end - 1) >>> pageShift) + 1, pageCount);
    for (let page = first; page < last; ) {
      const bits = this.memory.permissions[page];
      let next = page + 1;
      while (next < last && this.memory.permissions[next] === bits) next++;
      table.set(page, next, bits);
      page = next;
    }
    for (const one of this.list)
      if (one.address < last << pageShift && one.address + one.length > first << pageShift) this.restrict(one);
  }

  private restrict({ address, length, access }: Watchpoint): void {
    const table = this.requireTable();
    for (let page = address >>> pageShift; page <= (address + length - 1) >>> pageShift; page++) {
      table.set(page, page + 1, table.permissions[page] & ~access);
    }
  }
}

/** Guest memory through which an instruction's accesses are noted. */
export class TouchedMemory implements GuestAccess {
  /** What was touched since the last clearing. */
  readonly touches: Touch[] = [];
  readonly view: DataView;
  readonly buffer: ArrayBufferLike;
  readonly mirrored: boolean;
  readonly origin: number;
  readonly permissions: Uint8Array;
  readonly runs: Uint8Array;
  private readonly memory: GuestMemory;

  constructor(memory: GuestMemory) {
    const { buffer, mirrored, origin, permissions } = memory;
    this.memory = memory;
    this.buffer = buffer;
    this.mirrored = mirrored;
    this.origin = origin;
    this.permissions = permissions;
    const note: Note = (offset, length, access) => {
      this.touches.push({ address: mirrored ? origin - offset - length : offset - origin, length, access });
    };
    this.view = notingView(buffer, note);
    this.runs = notingRuns(buffer, note);
  }

  readU8(address: number): number {
    this.touches.push({ address, length: 1, access: permission.read });
    return this.memory.readU8(address);
  }

  writeU8(address: number, value: number): void {
    this.touches.push({ address, length: 1, access: permission.write });
    this.memory.writeU8(address, value);
  }
}

/** Names of DataView's accessors without `get` and `set`, and their bytes. */
const accessors = {
  Int8: 1,
  Uint8: 1,
  Int16: 2,
  Uint16: 2,
  Int32: 4,
  Uint32: 4,
  Float32: 4,
  Float64: 8,
  BigInt64: 8,
  BigUint64: 8,
};

/** @param offset in the buffer @param access 1 read, 2 write */
type Note = (offset: number, length: number, access: number) => void;
type Accessors = Record<string, (offset: number, ...rest: unknown[]) => unknown>;

/** A DataView that tells of its accesses. */
function notingView(buffer: ArrayBufferLike, note: Note): DataView {
  const view = new DataView(buffer);
  const own = view as unknown as Accessors;
  const inherited = DataView.prototype as unknown as Accessors;
  for (const [name, length] of Object.entries(accessors)) {
    own[`get${name}`] = (offset, ...rest) => {
      note(offset, length, permission.read);
      return inherited[`get${name}`].call(view, offset, ...rest);
    };
    own[`set${name}`] = (offset, ...rest) => {
      note(offset, length, permission.write);
      return inherited[`set${name}`].call(view, offset, ...rest);
    };
  }
  return view;
}

/** All bytes of a buffer, which tell of copies and of bytes that are set. */
function notingRuns(buffer: ArrayBufferLike, note: Note): Uint8Array {
  const bytes = new Uint8Array(buffer);
  const copyWithin = (to: number, from: number, end: number): Uint8Array => {
    note(from, end - from, permission.read);
    note(to, end - from, permission.write);
    return bytes.copyWithin(to, from, end);
  };
  return new Proxy(bytes, {
    get: (target, key) => (key === 'copyWithin' ? copyWithin : Reflect.get(target, key, target)),
    set(target, key, value) {
      note(Number(key), 1, permission.write);
      return Reflect.set(target, key, value, target);
    },
  });
}
