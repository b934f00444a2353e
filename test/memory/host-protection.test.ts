import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import type { FindHostPages } from '../../src/memory/host-protection.ts';
import { pageSize, uncheckedReach } from '../../translators/memory-view.ts';

const byteOrders = ['big', 'little'] as const;
const base = 0x100000;
const at = (page: number): number => base + page * pageSize;

/** Pages that only keep what they were told. */
class RecordedPages {
  readonly calls: { offset: number; length: number; bits: number }[] = [];
  /** Calls that succeed before one fails. */
  room = Number.POSITIVE_INFINITY;
  private readonly bits: Uint8Array;

  constructor(byteLength: number) {
    this.bits = new Uint8Array(byteLength / pageSize).fill(3);
  }

  protect(offset: number, length: number, bits: number): boolean {
    if (this.room-- === 0) return false;
    this.calls.push({ offset, length, bits });
    this.bits.fill(bits, offset / pageSize, (offset + length) / pageSize);
    return true;
  }

  at(offset: number): number {
    return this.bits[Math.floor(offset / pageSize)];
  }
}

function recorded(byteOrder: 'big' | 'little'): { memory: AddressSpace; pages: RecordedPages } {
  const memory: AddressSpace = new AddressSpace(byteOrder, () => pages);
  const pages = new RecordedPages(memory.buffer.byteLength);
  return { memory, pages };
}

const hostOffset = (memory: AddressSpace, address: number): number =>
  memory.mirrored ? memory.origin - address - 1 : memory.origin + address;

describe.each(byteOrders)('host pages of a %s-endian guest', (byteOrder) => {
  test('are not asked any more from so many mappings on as a guest among others may have', () => {
    const pages = { protect: () => true, mostMappings: 3 };
    const memory = new AddressSpace(byteOrder, () => pages);
    memory.enableHostProtection();
    for (let page = 0; page < 3; page++) memory.map(at(2 * page), pageSize, 3);
    expect(memory.hostProtection).toBe('on');
    memory.map(at(6), pageSize, 3);
    memory.map(at(8), pageSize, 3);
    expect(memory.hostProtection).toBe('unavailable');
    expect(memory.withoutHostProtection).toContain('no room');
  });

  test('enabling takes a call for each run of equal pages, and leaves what is not the guest’s alone', () => {
    const { memory, pages } = recorded(byteOrder);
    const state = memory.allocateStateBlock();
    memory.map(at(0), 2 * pageSize, 5);
    memory.map(at(2), pageSize, 1, { name: 'readable like code' });
    memory.map(at(3), pageSize, 3);
    memory.map(at(4), pageSize, 3, { name: 'its neighbour' });
    memory.map(at(5), pageSize, 0);
    expect(memory.hostProtection).toBe('off');
    expect(memory.enableHostProtection()).toBe(true);
    expect(memory.hostProtection).toBe('on');
    expect(pages.calls.map(({ length, bits }) => [length, bits])).toEqual([
      // What lies before the guest's memory, where unchecked accesses may come by their displacement.
      [uncheckedReach, 0],
      [base - memory.minimum, 0],
      [3 * pageSize, 1],
      [2 * pageSize, 3],
      [memory.limit - at(5), 0],
    ]);
    expect(pages.at(state)).toBe(3);
    expect(pages.at(memory.permissions.byteOffset)).toBe(3);
    expect(pages.at(memory.permissions.byteOffset + memory.permissions.length - 1)).toBe(3);
    expect(memory.enableHostProtection()).toBe(true);
    expect(pages.calls.length).toBe(5);
  });

  test('a change takes one call, and none where the host needs no other bits', () => {
    const { memory, pages } = recorded(byteOrder);
    memory.enableHostProtection();
    const calls = (action: () => void): number => {
      const before = pages.calls.length;
      action();
      return pages.calls.length - before;
    };
    expect(calls(() => memory.map(at(0), 9 * pageSize, 3))).toBe(1);
    expect(calls(() => memory.protect(at(0), 4 * pageSize, 1))).toBe(1);
    expect(calls(() => memory.protect(at(0), 4 * pageSize, 5))).toBe(0);
    expect(calls(() => memory.writeBytes(at(6), new Uint8Array(3 * pageSize)))).toBe(0);
    expect(calls(() => memory.unmap(at(2), 5 * pageSize))).toBe(1);
  });

  test('pages follow random changes', () => {
    const pageNumber = fc.nat(15);
    const change = fc.record({
      kind: fc.constantFrom('map' as const, 'protect' as const, 'unmap' as const, 'poke' as const),
      page: pageNumber,
      count: fc.integer({ min: 1, max: 6 }),
      protection: fc.constantFrom(0, 1, 2, 3, 4, 5, 7),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 30 }), fc.nat(10), (changes, enabledAt) => {
        const { memory, pages } = recorded(byteOrder);
        changes.forEach(({ kind, page, count, protection }, index) => {
          if (index === enabledAt) memory.enableHostProtection();
          const length = count * pageSize;
          if (kind === 'map') memory.map(at(page), length, protection);
          else if (kind === 'protect') memory.protect(at(page), length, protection);
          else if (kind === 'unmap') memory.unmap(at(page), length);
          else if (memory.find(at(page)) !== undefined) memory.poke(at(page) + 5, new Uint8Array([1]));
          if (memory.hostProtection !== 'on') return;
          for (let p = 0; p < 24; p++) {
            const bits = memory.find(at(p))?.protection ?? 0;
            const expected = (bits & 2) !== 0 ? 3 : bits !== 0 ? 1 : 0;
            for (const address of [at(p), at(p + 1) - 1]) {
              expect(pages.at(hostOffset(memory, address))).toBe(expected);
            }
          }
        });
      }),
      { numRuns: 50 },
    );
  });

  test.each([0, 3, 7])('everything becomes accessible when the host has no room after %i calls', (room) => {
    const { memory, pages } = recorded(byteOrder);
    memory.map(at(0), pageSize, 5);
    memory.map(at(1), pageSize, 3);
    const changes: [number, number][] = [];
    memory.onCodeChange = (start, length) => changes.push([start, length]);
    pages.room = room;
    memory.enableHostProtection();
    for (let p = 10; memory.hostProtection === 'on'; p += 2) memory.map(at(p), pageSize, 1);
    expect(changes).toEqual([[memory.minimum, memory.limit - memory.minimum]]);
    expect(memory.hostProtection).toBe('unavailable');
    expect(memory.enableHostProtection()).toBe(false);
    for (let p = 0; p < 30; p++) expect(pages.at(hostOffset(memory, at(p)))).toBe(3);
    memory.map(at(40), pageSize, 3);
    memory.writeU8(at(40), 7);
    expect(memory.readU8(at(40))).toBe(7);
  });
});

describe('without host pages', () => {
  test.each<[string, FindHostPages | undefined]>([
    ['nothing finds them', undefined],
    ['none are found', () => ({ reason: 'it is broken' })],
  ])('%s: everything else works', (_name, find) => {
    const memory = new AddressSpace('big', find);
    expect(memory.enableHostProtection()).toBe(false);
    expect(memory.hostProtection).toBe('unavailable');
    memory.map(at(0), pageSize, 1);
    memory.poke(at(0), new Uint8Array([1, 2]));
    expect(memory.peek(at(0), 2)).toEqual(new Uint8Array([1, 2]));
    expect(() => memory.writeU8(at(0), 1)).toThrow();
  });
});

/** Runs protected-memory.ts. @throws when it fails or dies of a signal */
function inOwnProcess(byteOrder: 'big' | 'little', what: 'traps' | 'random' | 'exhaust'): Record<string, unknown> {
  const script = join(import.meta.dirname, 'protected-memory.ts');
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script, byteOrder, what], {
    encoding: 'utf8',
  });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
  return JSON.parse(stdout);
}

const isAvailable = new AddressSpace('big', findHostPages).enableHostProtection();
if (!isAvailable) console.info('Not tested: traps of WebAssembly code (no koffi, or no page protection on this host)');

describe.runIf(isAvailable).each(byteOrders)('WebAssembly code of a %s-endian guest', (byteOrder) => {
  test('traps where the guest may not access', () => {
    expect(inOwnProcess(byteOrder, 'traps')).toEqual({
      'mapped read-write before': 'rw',
      'mapped read-only before': 'r-',
      'mapped without access before': '--',
      code: 'r-',
      'not mapped': '--',
      'the first page': '--',
      'the last page': '--',
      'across the end of what is mapped': '--',
      'across into a read-only page': 'r-',
      'below the first page': '--',
      'made read-only': 'r-',
      'the page behind it': 'rw',
      'made inaccessible': '--',
      'made read-write again': 'rw',
      unmapped: '--',
      'mapped again': 'rw',
      'moved away': '--',
      'moved here': 'rw',
      'read-only, after the loader wrote there': 'r-',
      'inaccessible, after the debugger read there': '--',
      'everything, before it is enabled': 'rw',
    });
  });

  test('leaves everything accessible when there are too many mappings', () => {
    expect(inOwnProcess(byteOrder, 'exhaust')).toEqual({ hostProtection: 'unavailable' });
  });

  test('traps as a model says, and the address space’s own accesses go through', { timeout: 60_000 }, () => {
    const { allowed, trapped } = inOwnProcess(byteOrder, 'random');
    expect(allowed).toBeGreaterThan(1000);
    expect(trapped).toBeGreaterThan(1000);
  });
});
