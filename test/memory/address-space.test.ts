import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { type Mapping, MemoryFault } from '../../src/memory/guest-memory.ts';
import { pageCount, pageSize } from '../../translators/memory-view.ts';

const byteOrders = ['big', 'little'] as const;
const base = 0x100000;
const at = (page: number): number => base + page * pageSize;

/** The window that random operations work in. */
const windowPages = 12;

/** A naive address space over that window: a protection (undefined: not mapped) per page, a number per byte. */
class Model {
  readonly protections: (number | undefined)[] = new Array(windowPages).fill(undefined);
  readonly bytes = new Uint8Array(windowPages * pageSize);

  map(page: number, count: number, protection: number): void {
    for (let p = page; p < page + count; p++) {
      this.protections[p] = protection;
      this.bytes.fill(0, p * pageSize, (p + 1) * pageSize);
    }
  }

  unmap(page: number, count: number): void {
    for (let p = page; p < page + count; p++) this.protections[p] = undefined;
  }

  protect(page: number, count: number, protection: number): boolean {
    for (let p = page; p < page + count; p++) {
      if (this.protections[p] === undefined) return false;
      this.protections[p] = protection;
    }
    return true;
  }

  /** Address of the first byte that does not allow the access. */
  firstForbidden(address: number, length: number, access: number): number | undefined {
    for (let a = address; a < address + length; a++) {
      const bits = this.protections[((a - base) / pageSize) | 0];
      if (a < base || bits === undefined || (bits & access) === 0) return a;
    }
    return undefined;
  }

  value(address: number, length: number, byteOrder: 'big' | 'little'): bigint {
    let value = 0n;
    for (let i = 0; i < length; i++) {
      const byte = this.bytes[address - base + (byteOrder === 'big' ? i : length - 1 - i)];
      value = (value << 8n) | BigInt(byte);
    }
    return value;
  }

  store(address: number, length: number, byteOrder: 'big' | 'little', value: bigint): void {
    for (let i = 0; i < length; i++) {
      const shift = BigInt(8 * (byteOrder === 'big' ? length - 1 - i : i));
      this.bytes[address - base + i] = Number((value >> shift) & 0xffn);
    }
  }
}

type Operation =
  | { kind: 'map' | 'protect'; page: number; count: number; protection: number }
  | { kind: 'unmap'; page: number; count: number }
  | { kind: 'move'; page: number; count: number; to: number; newCount: number }
  | { kind: 'load' | 'store'; address: number; size: 1 | 2 | 4 | 8; value: bigint }
  | { kind: 'writeBytes' | 'fill' | 'readBytes'; address: number; length: number };

const protectionOf = fc.constantFrom(0, 1, 2, 3, 4, 5, 7);
const page = fc.nat(windowPages - 1);
/** Mostly addresses near a page's edge, where the cases are. */
const address = fc
  .tuple(page, fc.oneof(fc.integer({ min: -9, max: 9 }), fc.nat(pageSize - 1)))
  .map(([p, offset]) => Math.max(base, at(p) + offset))
  .filter((a) => a < at(windowPages) - 8);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .record({
      kind: fc.constantFrom('map' as const, 'protect' as const),
      page,
      count: fc.integer({ min: 1, max: 5 }),
      protection: protectionOf,
    })
    .map((o) => ({ ...o, count: Math.min(o.count, windowPages - o.page) })),
  fc
    .record({ kind: fc.constant('unmap' as const), page, count: fc.integer({ min: 1, max: 5 }) })
    .map((o) => ({ ...o, count: Math.min(o.count, windowPages - o.page) })),
  fc
    .record({
      kind: fc.constant('move' as const),
      page,
      count: fc.integer({ min: 1, max: 3 }),
      to: page,
      newCount: fc.integer({ min: 1, max: 4 }),
    })
    .map((o) => ({
      ...o,
      count: Math.min(o.count, windowPages - o.page),
      newCount: Math.min(o.newCount, windowPages - o.to),
    })),
  fc.record({
    kind: fc.constantFrom('load' as const, 'store' as const),
    address,
    size: fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const),
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  }),
  fc
    .record({
      kind: fc.constantFrom('writeBytes' as const, 'fill' as const, 'readBytes' as const),
      address,
      length: fc.nat(2 * pageSize),
    })
    .map((o) => ({ ...o, length: Math.min(o.length, at(windowPages) - o.address) })),
);

/** The MemoryFault's address, or undefined when the action went through. */
function faultOf(action: () => void): number | undefined {
  try {
    action();
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error;
    return error.address;
  }
  return undefined;
}

function load(memory: AddressSpace, address: number, size: 1 | 2 | 4 | 8): bigint {
  if (size === 1) return BigInt(memory.readU8(address));
  if (size === 2) return BigInt(memory.readU16(address));
  if (size === 4) return BigInt(memory.readU32(address));
  return memory.readU64(address);
}

function store(memory: AddressSpace, address: number, size: 1 | 2 | 4 | 8, value: bigint): void {
  if (size === 1) memory.writeU8(address, Number(value & 0xffn));
  else if (size === 2) memory.writeU16(address, Number(value & 0xffffn));
  else if (size === 4) memory.writeU32(address, Number(value & 0xffffffffn));
  else memory.writeU64(address, value);
}

function apply(memory: AddressSpace, model: Model, o: Operation): void {
  switch (o.kind) {
    case 'map':
      memory.map(at(o.page), o.count * pageSize, o.protection);
      model.map(o.page, o.count, o.protection);
      break;
    case 'unmap':
      memory.unmap(at(o.page), o.count * pageSize);
      model.unmap(o.page, o.count);
      break;
    case 'protect': {
      const done = memory.protect(at(o.page), o.count * pageSize, o.protection);
      expect(done).toBe(model.protect(o.page, o.count, o.protection));
      break;
    }
    case 'move': {
      const bits = model.protections.slice(o.page, o.page + o.count);
      const overlaps = o.page !== o.to && o.to < o.page + o.count && o.page < o.to + o.newCount;
      if (overlaps || bits.some((b) => b === undefined || b !== bits[0])) break;
      memory.move(at(o.page), o.count * pageSize, at(o.to), o.newCount * pageSize);
      const contents = model.bytes.slice(o.page * pageSize, (o.page + Math.min(o.count, o.newCount)) * pageSize);
      model.unmap(o.page, o.count);
      model.map(o.to, o.newCount, bits[0] as number);
      model.bytes.set(contents, o.to * pageSize);
      break;
    }
    case 'load': {
      let value = 0n;
      const fault = faultOf(() => {
        value = load(memory, o.address, o.size);
      });
      expect(fault).toBe(model.firstForbidden(o.address, o.size, 1));
      if (fault === undefined) expect(value).toBe(model.value(o.address, o.size, memory.byteOrder));
      break;
    }
    case 'store': {
      const fault = faultOf(() => store(memory, o.address, o.size, o.value));
      expect(fault).toBe(model.firstForbidden(o.address, o.size, 2));
      if (fault === undefined) model.store(o.address, o.size, memory.byteOrder, o.value);
      break;
    }
    case 'writeBytes': {
      const bytes = Uint8Array.from({ length: o.length }, (_, i) => (i * 7 + o.address) & 0xff);
      const fault = faultOf(() => memory.writeBytes(o.address, bytes));
      expect(fault).toBe(model.firstForbidden(o.address, o.length, 2));
      if (fault === undefined) model.bytes.set(bytes, o.address - base);
      break;
    }
    case 'fill': {
      const fault = faultOf(() => memory.fill(o.address, o.length, 0xa5));
      expect(fault).toBe(model.firstForbidden(o.address, o.length, 2));
      if (fault === undefined) model.bytes.fill(0xa5, o.address - base, o.address - base + o.length);
      break;
    }
    case 'readBytes': {
      let bytes = new Uint8Array();
      const fault = faultOf(() => {
        bytes = new Uint8Array(memory.readBytes(o.address, o.length));
      });
      expect(fault).toBe(model.firstForbidden(o.address, o.length, 1));
      if (fault === undefined) {
        expect(Buffer.compare(bytes, model.bytes.subarray(o.address - base, o.address - base + o.length))).toBe(0);
      }
      break;
    }
  }
}

function checkWhole(memory: AddressSpace, model: Model): void {
  for (let p = 0; p < windowPages; p++) {
    const bits = model.protections[p];
    expect(memory.find(at(p))?.protection).toBe(bits);
    expect(memory.permissions[at(p) / pageSize]).toBe(bits ?? 0);
    const both = (bits ?? 0) & (model.protections[p + 1] ?? 0);
    for (let row = 1; row < 8; row++) expect(memory.permissions[row * pageCount + at(p) / pageSize]).toBe(both);
    if (bits !== undefined) {
      const bytes = memory.peek(at(p), pageSize);
      expect(Buffer.compare(bytes, model.bytes.subarray(p * pageSize, (p + 1) * pageSize))).toBe(0);
    }
  }
  const list = memory.mappings();
  expect(memory.mappedBytes).toBe(list.reduce((sum, { start, end }) => sum + end - start, 0));
  expect(memory.mostMappedBytes).toBeGreaterThanOrEqual(memory.mappedBytes);
  for (let i = 1; i < list.length; i++) {
    expect(list[i].start).toBeGreaterThanOrEqual(list[i - 1].end);
    // Equal neighbours have merged.
    if (list[i].start === list[i - 1].end) expect(list[i].protection).not.toBe(list[i - 1].protection);
  }
}

describe.each(byteOrders)('a %s-endian address space', (byteOrder) => {
  test('agrees with a naive model over random operations', () => {
    fc.assert(
      fc.property(fc.array(operation, { minLength: 1, maxLength: 40 }), (operations) => {
        const memory = new AddressSpace(byteOrder);
        const model = new Model();
        for (const o of operations) apply(memory, model, o);
        checkWhole(memory, model);
      }),
      { numRuns: 60 },
    );
  });

  test('keeps bytes in guest order', () => {
    const memory = new AddressSpace(byteOrder);
    memory.map(base, pageSize, 3);
    memory.writeBytes(base, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    expect(memory.readU32(base)).toBe(byteOrder === 'big' ? 0x01020304 : 0x04030201);
    expect(memory.readU16(base + 1)).toBe(byteOrder === 'big' ? 0x0203 : 0x0302);
    expect(memory.readU8(base + 2)).toBe(3);
    memory.writeF64(base, -1.5);
    expect(memory.readF64(base)).toBe(-1.5);
    expect(memory.readI64(base)).toBe(memory.readU64(base) - (1n << 64n));
    memory.writeU32(base, -2);
    expect(memory.readI32(base)).toBe(-2);
    expect(memory.readU32(base)).toBe(0xfffffffe);
  });

  test('places the null page where nothing is, and everything else inside the buffer', () => {
    const memory = new AddressSpace(byteOrder);
    const offset = (address: number, size: number): number =>
      memory.mirrored ? memory.origin - address - size : memory.origin + address;
    const blocks: number[] = [];
    expect(() => {
      for (;;) blocks.push(memory.allocateStateBlock());
    }).toThrow(RangeError);
    for (const address of [0, 4, 0x7ffc, 0xfff8]) {
      if (memory.mirrored) expect(() => memory.view.getUint32(offset(address, 4), true)).toThrow(RangeError);
      else expect(offset(address, 4)).toBeGreaterThanOrEqual(Math.max(...blocks) + 4096);
    }
    for (const address of [memory.minimum, memory.limit - 4]) {
      expect(memory.view.getUint32(offset(address, 4), true)).toBe(0);
      expect(offset(address, 4)).toBeLessThan(2 ** 31);
    }
    expect(memory.origin).toBeLessThan(2 ** 31);
  });

  test('gives threads state blocks apart from guest memory and from each other', () => {
    const memory = new AddressSpace(byteOrder);
    const first = memory.allocateStateBlock();
    const second = memory.allocateStateBlock();
    expect(Math.abs(first - second)).toBeGreaterThanOrEqual(4096);
    const guestOffsets = memory.mirrored
      ? [memory.origin - memory.limit, memory.origin - memory.minimum]
      : [memory.origin + memory.minimum, memory.origin + memory.limit];
    for (const block of [first, second]) {
      expect(block + 4096 <= guestOffsets[0] || block >= guestOffsets[1]).toBe(true);
    }
    new Uint8Array(memory.buffer, first, 8).fill(9);
    memory.releaseStateBlock(first);
    expect(memory.allocateStateBlock()).toBe(first);
    expect([...new Uint8Array(memory.buffer, first, 8)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
  });
});

describe('an address space', () => {
  const memoryWith = (...maps: [number, number, number, Partial<Mapping>?][]): AddressSpace => {
    const memory = new AddressSpace('big');
    for (const [start, pages, protection, options] of maps) memory.map(start, pages * pageSize, protection, options);
    return memory;
  };

  test('refuses ranges that are outside or not aligned', () => {
    const memory = new AddressSpace('big');
    for (const [start, length] of [
      [0, pageSize],
      [memory.minimum - pageSize, pageSize],
      [memory.limit - pageSize, 2 * pageSize],
      [memory.limit, pageSize],
      [base + 1, pageSize],
      [base, 100],
      [base, 0],
      [base, Number.NaN],
      [base, -pageSize],
    ]) {
      expect(() => memory.map(start, length, 3)).toThrow(RangeError);
      expect(() => memory.unmap(start, length)).toThrow(RangeError);
      expect(() => memory.protect(start, length, 3)).toThrow(RangeError);
    }
  });

  test('answers accesses outside the address space with a MemoryFault', () => {
    const memory = new AddressSpace('big');
    memory.map(memory.limit - pageSize, pageSize, 7);
    for (const address of [0, 0xfffe, memory.limit, 0x80000000, 0xfffffffe, 0xffffffff, -4]) {
      expect(faultOf(() => memory.readU32(address))).toBe(address >>> 0);
      expect(faultOf(() => memory.writeU64(address, 1n))).toBe(address >>> 0);
      expect(memory.allows(address >>> 0, 4, 1)).toBe(false);
    }
    expect(faultOf(() => memory.readBytes(0xffffff00, 0x200))).toBe(0xffffff00);
    expect(faultOf(() => memory.readBytes(memory.limit - 4, 8))).toBe(memory.limit);
    expect(faultOf(() => memory.readU32(memory.limit - 2))).toBe(memory.limit);
    expect(memory.readU32(memory.limit - 4)).toBe(0);
  });

  test('splits and merges mappings, and keeps file offsets', () => {
    const file = { name: '/lib/data', offset: 0x8000 };
    const memory = memoryWith([at(0), 6, 5, file]);
    memory.protect(at(2), 2 * pageSize, 1);
    expect(memory.mappings().map((m) => [m.start, m.end, m.protection, m.offset])).toEqual([
      [at(0), at(2), 5, 0x8000],
      [at(2), at(4), 1, 0xa000],
      [at(4), at(6), 5, 0xc000],
    ]);
    memory.protect(at(2), 2 * pageSize, 5);
    expect(memory.mappings()).toEqual([
      { start: at(0), end: at(6), protection: 5, shared: false, growsDown: false, ...file },
    ]);
    memory.unmap(at(1), pageSize);
    expect(memory.find(at(1))).toBeUndefined();
    expect(memory.find(at(2))?.offset).toBe(0xa000);
  });

  test('finds the highest hole that is large enough', () => {
    const top = 0x7f000000;
    const memory = memoryWith([top - 4 * pageSize, 2, 3], [top - 10 * pageSize, 3, 3]);
    expect(memory.findFree(2 * pageSize)).toBe(top - 2 * pageSize);
    expect(memory.findFree(3 * pageSize)).toBe(top - 7 * pageSize);
    expect(memory.findFree(4 * pageSize)).toBe(top - 14 * pageSize);
    expect(memory.findFree(2 * pageSize, top - 2 * pageSize)).toBe(top - 6 * pageSize);
    expect(memory.findFree(2 * pageSize, top - pageSize)).toBe(top - 6 * pageSize);
    expect(memory.findFree(top)).toBeUndefined();
    expect(memory.findFree(pageSize, memory.minimum)).toBeUndefined();
    expect(memory.isFree(top - 7 * pageSize, 3 * pageSize)).toBe(true);
    expect(memory.isFree(top - 7 * pageSize, 4 * pageSize)).toBe(false);
    expect(memory.isFree(top - 8 * pageSize, pageSize)).toBe(false);
  });

  test('maps zeroes where memory was used before', () => {
    const memory = memoryWith([at(0), 3, 3]);
    memory.fill(at(0), 3 * pageSize, 0xff);
    memory.unmap(at(0), 3 * pageSize);
    memory.map(at(1), pageSize, 1);
    expect(memory.readBytes(at(1), pageSize).every((byte) => byte === 0)).toBe(true);
    memory.poke(at(1) + 8, Uint8Array.of(7));
    expect(memory.readU8(at(1) + 8)).toBe(7);
    memory.map(at(1), pageSize, 1);
    expect(memory.readU8(at(1) + 8)).toBe(0);
  });

  test.each(byteOrders)('moves a mapping with its contents (%s-endian)', (byteOrder) => {
    const memory = new AddressSpace(byteOrder);
    const file = { name: '/data', offset: 0x3000, shared: true };
    memory.map(at(0), 3 * pageSize, 3, file);
    const bytes = Uint8Array.from({ length: 3 * pageSize }, (_, i) => (i * 5 + (i >> 8)) & 0xff);
    memory.writeBytes(at(0), bytes);
    // A part, to a larger place: the part's pages go, the new place ends in zeroes.
    memory.move(at(1), 2 * pageSize, at(10), 4 * pageSize);
    expect([...memory.readBytes(at(10), 2 * pageSize)]).toEqual([...bytes.subarray(pageSize)]);
    expect(memory.readBytes(at(12), 2 * pageSize).every((byte) => byte === 0)).toBe(true);
    expect(memory.find(at(1))).toBeUndefined();
    expect([...memory.readBytes(at(0), pageSize)]).toEqual([...bytes.subarray(0, pageSize)]);
    expect(memory.find(at(10))).toMatchObject({ start: at(10), end: at(14), ...file, offset: 0x4000 });
    // In place: longer, then shorter.
    memory.move(at(0), pageSize, at(0), 2 * pageSize);
    expect(memory.find(at(1))).toMatchObject({ start: at(0), end: at(2), ...file });
    memory.move(at(10), 4 * pageSize, at(10), pageSize);
    expect([...memory.readBytes(at(10), pageSize)]).toEqual([...bytes.subarray(pageSize, 2 * pageSize)]);
    expect(memory.find(at(11))).toBeUndefined();
    expect(() => memory.move(at(0), 2 * pageSize, at(1), 2 * pageSize)).toThrow(RangeError);
    expect(() => memory.move(at(0), 3 * pageSize, at(20), 3 * pageSize)).toThrow(RangeError);
  });

  test('grows a stack only just below it, up to the limit, and not into a neighbour', () => {
    const stackTop = 0x7e000000;
    const memory = memoryWith([stackTop - 2 * pageSize, 2, 3, { growsDown: true, name: '[stack]' }]);
    expect(memory.growStack(stackTop - 3 * pageSize + 5, 1 << 20)).toBe(true);
    expect(memory.mappings()).toHaveLength(1);
    expect(memory.find(stackTop - 3 * pageSize)?.growsDown).toBe(true);
    expect(memory.growStack(stackTop - (1 << 20) - 1, 1 << 20)).toBe(false);
    expect(memory.growStack(stackTop, 1 << 20)).toBe(false);
    memory.map(stackTop - 400 * pageSize, pageSize, 3);
    expect(memory.growStack(stackTop - 200 * pageSize, 1 << 22)).toBe(false);
    expect(memory.growStack(stackTop - 100 * pageSize, 1 << 22)).toBe(true);
    expect(memory.growStack(stackTop - 399 * pageSize - 1, 1 << 22)).toBe(false);
    const plain = memoryWith([at(5), 1, 3]);
    expect(plain.growStack(at(4), 1 << 20)).toBe(false);
  });

  test('reads strings up to a page that cannot be read', () => {
    const memory = memoryWith([at(0), 1, 3]);
    memory.writeBytes(at(1) - 6, new TextEncoder().encode('héllo'));
    expect(faultOf(() => memory.readString(at(1) - 6))).toBe(at(1));
    memory.writeU8(at(1) - 1, 0);
    expect(new TextDecoder().decode(memory.readString(at(1) - 6))).toBe('héll');
    expect(() => memory.readString(at(1) - 6, 3)).toThrow(RangeError);
    expect(memory.readString(at(1) - 1)).toHaveLength(0);
  });

  test('reports changes of code, and only those', () => {
    const memory = memoryWith([at(0), 4, 5], [at(4), 2, 3]);
    const changes: [number, number][] = [];
    memory.onCodeChange = (start, length) => changes.push([start, length]);
    const expectChange = (action: () => void, ...expected: [number, number][]): void => {
      changes.length = 0;
      action();
      expect(changes).toEqual(expected);
    };
    expectChange(() => memory.writeU32(at(4), 1));
    expectChange(() => memory.protect(at(4), pageSize, 5), [at(4), pageSize]);
    expectChange(() => memory.protect(at(0), pageSize, 5));
    expectChange(() => memory.protect(at(0), pageSize, 7), [at(0), pageSize]);
    expectChange(() => memory.writeU8(at(0) + 9, 1), [at(0) + 9, 1]);
    expectChange(() => memory.poke(at(1), Uint8Array.of(1, 2)), [at(1), 2]);
    expectChange(() => memory.fill(at(0), 16, 0), [at(0), 16]);
    expectChange(() => memory.protect(at(0), pageSize, 1), [at(0), pageSize]);
    expectChange(() => memory.unmap(at(2), pageSize), [at(2), pageSize]);
    expectChange(() => memory.map(at(3), pageSize, 5), [at(3), pageSize]);
    expectChange(() => memory.map(at(2), pageSize, 5), [at(2), pageSize]);
    expectChange(() => memory.unmap(at(5), pageSize));
  });

  describe('code that is written without an announcement', () => {
    const setUp = () => {
      const memory = memoryWith([at(0), 3, 7], [at(4), 1, 3], [at(6), 1, 5]);
      memory.coherentCode = true;
      const changes: [number, number][] = [];
      memory.onCodeChange = (start, length) => changes.push([start, length]);
      return { memory, changes };
    };
    const canWrite = (memory: AddressSpace, page: number) => (memory.permissions[at(page) >>> 12] & 2) !== 0;

    test('stores to a page whose code was read are stopped once, and the code is reported as changed', () => {
      const { memory, changes } = setUp();
      memory.watchCode(at(1) + 20, 4);
      memory.watchCode(at(4), 4);
      memory.watchCode(at(6), 4);
      expect([0, 1, 2, 4, 6].map((page) => canWrite(memory, page))).toEqual([true, false, true, true, false]);
      expect(changes).toEqual([]);
      expect(memory.releaseCode(at(2), 4)).toBe(false);
      expect(memory.releaseCode(at(1) - 2, 4)).toBe(true);
      expect(changes).toEqual([[at(1), pageSize]]);
      expect(canWrite(memory, 1)).toBe(true);
      expect(memory.releaseCode(at(1), 4)).toBe(false);
      expect(memory.mappings().map(({ protection }) => protection)).toEqual([7, 3, 5]);
    });

    test('whoever else writes, asks or maps there sees no difference', () => {
      for (const action of [
        (memory: AddressSpace) => memory.writeU8(at(1), 1),
        (memory: AddressSpace) => memory.writeU64(at(1) - 4, 1n),
        (memory: AddressSpace) => memory.writeBytes(at(0), new Uint8Array(2 * pageSize)),
        (memory: AddressSpace) => memory.allows(at(1), 4, 2),
        (memory: AddressSpace) => memory.mappings(),
        (memory: AddressSpace) => memory.move(at(0), 3 * pageSize, at(20), 3 * pageSize),
        (memory: AddressSpace) => memory.protect(at(0), 3 * pageSize, 7),
        (memory: AddressSpace) => memory.map(at(1), pageSize, 7),
      ]) {
        const { memory, changes } = setUp();
        memory.watchCode(at(1), 4);
        const result = action(memory);
        expect(result === undefined || result === true || typeof result === 'object').toBe(true);
        const found = memory.mappings().filter(({ protection }) => protection === 7);
        expect(found.map(({ start, end }) => end - start)).toEqual([3 * pageSize]);
        expect(changes.length).toBeGreaterThan(0);
        expect(memory.releaseCode(at(1), 1)).toBe(false);
      }
    });

    test('nothing is watched where code has to be announced', () => {
      const { memory } = setUp();
      memory.coherentCode = false;
      memory.watchCode(at(1), 4);
      expect(canWrite(memory, 1)).toBe(true);
    });
  });

  test('maps and unmaps large ranges quickly', () => {
    const memory = new AddressSpace('big');
    const start = performance.now();
    for (let i = 0; i < 20; i++) {
      memory.map(0x10000000, 0x40000000, 0);
      memory.unmap(0x10000000, 0x40000000);
    }
    expect(performance.now() - start).toBeLessThan(1000);
  });
});
