/**
 * Accesses to memory that the host protects, from WebAssembly and by the address space itself. In a process of its own,
 * because an access from JavaScript that the host does not allow ends it with SIGSEGV.
 *
 * Usage: node protected-memory.ts big|little traps|random|exhaust
 * Prints JSON: for `traps` the result of each access by name; for `random` how many accesses went through and trapped;
 * for `exhaust` the state of the protection when the guest has very many mappings.
 */
import fc from 'fast-check';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { pageSize } from '../../translators/memory-view.ts';
import { accessors } from './accessors.ts';

const byteOrder = process.argv[2] as 'big' | 'little';
const base = 0x100000;
const at = (page: number): number => base + page * pageSize;

function traps(action: () => unknown): boolean {
  try {
    action();
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    return true;
  }
  return false;
}

/** What WebAssembly may do at each step, as `r` and `w`. */
function sequence(): Record<string, string> {
  const memory = new AddressSpace(byteOrder, findHostPages);
  const { load, store } = accessors(memory);
  const results: Record<string, string> = {};
  const look = (name: string, address: number): void => {
    const reads = traps(() => load(address, 4)) ? '-' : 'r';
    const writes = traps(() => store(address, 4, 0x12345678n)) ? '-' : 'w';
    results[name] = reads + writes;
  };
  memory.map(at(0), 2 * pageSize, 3);
  memory.map(at(2), pageSize, 1);
  memory.map(at(3), pageSize, 0);
  memory.map(at(4), pageSize, 5);
  look('everything, before it is enabled', at(900));
  memory.enableHostProtection();
  look('mapped read-write before', at(0));
  look('mapped read-only before', at(2));
  look('mapped without access before', at(3));
  look('code', at(4));
  look('not mapped', at(900));
  look('the first page', memory.minimum);
  look('the last page', memory.limit - 4);
  look('across the end of what is mapped', at(5) - 2);
  look('across into a read-only page', at(2) - 2);
  look('below the first page', 0x1000);
  memory.protect(at(0), pageSize, 1);
  look('made read-only', at(0));
  look('the page behind it', at(1));
  memory.protect(at(0), pageSize, 0);
  look('made inaccessible', at(0));
  memory.protect(at(0), pageSize, 3);
  look('made read-write again', at(0));
  memory.unmap(at(0), pageSize);
  look('unmapped', at(0));
  memory.map(at(0), pageSize, 3);
  look('mapped again', at(0));
  memory.move(at(0), pageSize, at(20), 2 * pageSize);
  look('moved away', at(0));
  look('moved here', at(21));
  memory.poke(at(2), new Uint8Array([1, 2, 3]));
  look('read-only, after the loader wrote there', at(2));
  memory.peek(at(3), 10);
  look('inaccessible, after the debugger read there', at(3));
  return results;
}

const windowPages = 12;
const size = windowPages * pageSize;

type Operation =
  | { kind: 'map' | 'protect'; page: number; count: number; protection: number }
  | { kind: 'unmap'; page: number; count: number }
  | { kind: 'move'; page: number; count: number; to: number; newCount: number }
  | { kind: 'poke' | 'peek' | 'write' | 'read' | 'fill'; offset: number; length: number; value: number }
  | { kind: 'load' | 'store'; offset: number; bytes: 4 | 8; value: bigint };

const page = fc.nat(windowPages - 1);
const count = fc.integer({ min: 1, max: 5 });
const protection = fc.constantFrom(0, 1, 3, 5, 7);
const edge = fc
  .tuple(page, fc.oneof(fc.integer({ min: -9, max: 9 }), fc.nat(pageSize - 1)))
  .map(([p, distance]) => Math.max(0, p * pageSize + distance));
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    arbitrary: fc.record({ kind: fc.constantFrom('map' as const, 'protect' as const), page, count, protection }),
    weight: 4,
  },
  fc.record({ kind: fc.constant('unmap' as const), page, count }),
  fc.record({ kind: fc.constant('move' as const), page, count, to: page, newCount: count }),
  fc.record({
    kind: fc.constantFrom('poke' as const, 'peek' as const, 'write' as const, 'read' as const, 'fill' as const),
    offset: edge,
    length: fc.nat(2 * pageSize),
    value: fc.nat(255),
  }),
  fc.record({
    kind: fc.constantFrom('load' as const, 'store' as const),
    offset: edge,
    bytes: fc.constantFrom(4 as const, 8 as const),
    value: fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
  }),
);

/** Runs operations on one address space and a naive model of it: a protection (undefined: not mapped) per page, a number per byte. */
class Comparison {
  readonly counts = { allowed: 0, trapped: 0 };
  private readonly memory = new AddressSpace(byteOrder, findHostPages);
  private readonly wasm = accessors(this.memory);
  private readonly protections: (number | undefined)[] = new Array(windowPages).fill(undefined);
  private readonly bytes = new Uint8Array(size);

  /** @param enabledAt the operation before which the host's protection is switched on */
  run(operations: readonly Operation[], enabledAt: number): void {
    operations.forEach((one, index) => {
      if (index === enabledAt && !this.memory.enableHostProtection()) throw new Error('no protection');
      this.apply(one);
      if (index >= enabledAt) this.probe();
    });
  }

  private apply(one: Operation): void {
    const { memory, bytes, protections } = this;
    switch (one.kind) {
      case 'map':
      case 'protect':
      case 'unmap': {
        const end = Math.min(windowPages, one.page + one.count);
        const length = (end - one.page) * pageSize;
        if (one.kind === 'map') {
          memory.map(at(one.page), length, one.protection);
          bytes.fill(0, one.page * pageSize, end * pageSize);
          protections.fill(one.protection, one.page, end);
        } else if (one.kind === 'unmap') {
          memory.unmap(at(one.page), length);
          protections.fill(undefined, one.page, end);
        } else {
          memory.protect(at(one.page), length, one.protection);
          for (let p = one.page; p < end && protections[p] !== undefined; p++) protections[p] = one.protection;
        }
        break;
      }
      case 'move': {
        const length = Math.min(one.count, windowPages - one.page);
        const newLength = Math.min(one.newCount, windowPages - one.to);
        const mapping = memory.find(at(one.page));
        if (mapping === undefined || mapping.end < at(one.page + length)) return;
        if (one.to < one.page + length && one.page < one.to + newLength) return;
        const source = bytes.slice(one.page * pageSize, (one.page + Math.min(length, newLength)) * pageSize);
        memory.move(at(one.page), length * pageSize, at(one.to), newLength * pageSize);
        bytes.fill(0, one.to * pageSize, (one.to + newLength) * pageSize);
        bytes.set(source, one.to * pageSize);
        protections.fill(mapping.protection, one.to, one.to + newLength);
        protections.fill(undefined, one.page, one.page + length);
        break;
      }
      case 'poke':
      case 'peek':
      case 'write':
      case 'read':
      case 'fill':
        this.copy(one.kind, one.offset, Math.min(one.length, size - one.offset), one.value);
        break;
      default:
        this.access(one.kind, Math.min(one.offset, size - one.bytes), one.bytes, one.value);
    }
  }

  private copy(kind: 'poke' | 'peek' | 'write' | 'read' | 'fill', offset: number, length: number, value: number): void {
    const { memory, bytes } = this;
    const needed = { poke: 0, peek: 0, write: 2, read: 1, fill: 2 }[kind];
    const possible = this.pagesOf(offset, length).every((bits) => bits !== undefined && (bits & needed) === needed);
    const address = base + offset;
    if (!possible) return;
    if (kind === 'peek' || kind === 'read') {
      const found = kind === 'peek' ? memory.peek(address, length) : memory.readBytes(address, length);
      if (Buffer.compare(found, bytes.subarray(offset, offset + length)) !== 0) throw new Error(`${kind} differs`);
      return;
    }
    bytes.fill(value, offset, offset + length);
    if (kind === 'fill') memory.fill(address, length, value);
    else if (kind === 'poke') memory.poke(address, new Uint8Array(length).fill(value));
    else memory.writeBytes(address, new Uint8Array(length).fill(value));
  }

  private access(kind: 'load' | 'store', unaligned: number, width: 4 | 8, value: bigint): void {
    if (this.memory.hostProtection !== 'on') return;
    // Other processors may have written a part of what lies across two pages when the second one faults.
    const offset = process.arch === 'x64' ? unaligned : unaligned - (unaligned % width);
    const bytes = this.bytes.subarray(offset, offset + width);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const little = byteOrder === 'little';
    const allowed = this.pagesOf(offset, width).every(kind === 'load' ? canRead : canWrite);
    const address = base + offset;
    if (kind === 'store') {
      this.expect(allowed, () => this.wasm.store(address, width, value));
      if (!allowed) return;
      if (width === 4) view.setUint32(0, Number(value & 0xffffffffn), little);
      else view.setBigUint64(0, value, little);
      return;
    }
    const expected = width === 4 ? BigInt(view.getUint32(0, little)) : view.getBigUint64(0, little);
    this.expect(allowed, () => {
      const found = this.wasm.load(address, width);
      if (found !== expected) throw new Error(`loaded ${found} instead of ${expected}`);
    });
  }

  /** Tries every page. */
  private probe(): void {
    this.protections.forEach((bits, p) => {
      const offset = p * pageSize + (p % 2) * (pageSize - 1);
      const byte = BigInt(this.bytes[offset]);
      this.expect(canRead(bits), () => {
        const found = this.wasm.load(base + offset, 1);
        if (found !== byte) throw new Error(`page ${p} holds ${found} instead of ${byte}`);
      });
      this.expect(canWrite(bits), () => this.wasm.store(base + offset, 1, byte));
    });
  }

  private expect(allowed: boolean, action: () => void): void {
    if (traps(action) === allowed)
      throw new Error(allowed ? 'an allowed access trapped' : 'a forbidden access went through');
    this.counts[allowed ? 'allowed' : 'trapped']++;
  }

  private pagesOf(offset: number, length: number): (number | undefined)[] {
    return this.protections.slice(Math.floor(offset / pageSize), Math.ceil((offset + Math.max(length, 1)) / pageSize));
  }
}

const canRead = (bits: number | undefined): boolean => bits !== undefined && bits !== 0;
const canWrite = (bits: number | undefined): boolean => bits !== undefined && (bits & 2) !== 0;

function random(): Record<string, number> {
  const total = { allowed: 0, trapped: 0 };
  fc.assert(
    fc.property(fc.array(operation, { minLength: 10, maxLength: 40 }), fc.nat(9), (operations, enabledAt) => {
      const comparison = new Comparison();
      comparison.run(operations, enabledAt);
      total.allowed += comparison.counts.allowed;
      total.trapped += comparison.counts.trapped;
    }),
    { numRuns: 60 },
  );
  return total;
}

/** Maps more single pages than the host has ranges for, and touches them all. */
function exhaust(): Record<string, unknown> {
  const memory = new AddressSpace(byteOrder, findHostPages);
  memory.enableHostProtection();
  let used = 0;
  while (memory.hostProtection === 'on' && used < 40_000) memory.map(at(used++ * 2), pageSize, used % 2);
  const bytes = new Uint8Array(memory.buffer);
  const offset = (address: number): number => memory.origin + (memory.mirrored ? -1 - address : address);
  for (const address of [memory.minimum, memory.limit - 1, at(used)]) bytes[offset(address)] = 1;
  for (let p = 0; p < used; p++) bytes[offset(at(p * 2))] = 1;
  return { hostProtection: memory.hostProtection };
}

const modes = { traps: sequence, random, exhaust };
console.log(JSON.stringify(modes[process.argv[3] as keyof typeof modes]()));
