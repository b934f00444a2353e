/** The page tables of virtual machines: walked as a processor does, and what moves when rights are taken away. */
import { beforeEach, describe, expect, test } from 'vitest';
import { PageTables, pageTableBytes, type Rights } from '../../src/engines/virtualized/page-tables.ts';

const physical = 2 ** 32;
const offset = 0x10000;
const all: Rights = { read: true, write: true, execute: true };
const none: Rights = { read: false, write: false, execute: false };

let bytes: Uint8Array;
let view: DataView;
let tables: PageTables;

beforeEach(() => {
  bytes = new Uint8Array(pageTableBytes);
  view = new DataView(bytes.buffer);
  tables = new PageTables(bytes, physical, offset, [[511, 0x5007]]);
});

const entryAt = (table: bigint, index: bigint): bigint =>
  view.getBigUint64(Number(table) - physical - offset + Number(index) * 8, true);

/** Tables that are read for an address, from the root on, and the last entry; undefined where one is not present. */
function walk(address: bigint): { places: bigint[]; entry: bigint } | undefined {
  let table = tables.root;
  const places = [];
  let entry = 0n;
  for (const shift of [39n, 30n, 21n, 12n]) {
    places.push(table);
    entry = entryAt(table, (address >> shift) & 511n);
    if ((entry & 1n) === 0n) return undefined;
    table = entry & 0xf_ffff_ffff_f000n;
  }
  return { places, entry };
}

const noExecute = 1n << 63n;

describe('what an entry says', () => {
  test.each([
    ['all', all, 7n],
    ['reading', { read: true, write: false, execute: false }, 5n | noExecute],
    ['reading and executing', { read: true, write: false, execute: true }, 5n],
    ['reading and writing', { read: true, write: true, execute: false }, 7n | noExecute],
  ])('%s', (_, rights, bits) => {
    tables.setPages(0x7efff, 0x7f000, rights);
    expect(walk(0x7efff123n)?.entry).toBe(0x7efff000n | bits);
    expect(walk(0x7effe000n)).toBe(undefined);
    expect(walk(0x7f000000n)).toBe(undefined);
  });

  test('the root keeps what else it names', () => {
    tables.setPages(16, 17, all);
    tables.setPages(16, 17, none);
    tables.renew();
    expect(entryAt(tables.root, 511n)).toBe(0x1_0000_5007n);
  });
});

describe('rights that are taken away', () => {
  test.each([
    ['all', all, none],
    ['writing', all, { ...all, write: false }],
    ['executing', all, { ...all, execute: false }],
  ])('%s: the table moves, with those above it, and others stay', (_, before, after) => {
    tables.setPages(0x400, 0x401, before);
    tables.setPages(0x40000, 0x40001, before);
    expect(tables.isStale).toBe(false);
    const first = walk(0x400000n)?.places as bigint[];
    const other = walk(0x40000000n)?.places as bigint[];
    tables.setPages(0x400, 0x402, after);
    tables.setPages(0x401, 0x402, before);
    expect(tables.isStale).toBe(true);
    expect(tables.renew()).toBe(true);
    expect(tables.isStale).toBe(false);
    const moved = walk(0x401000n)?.places as bigint[];
    for (const [level, place] of moved.entries()) expect([level, place]).not.toEqual([level, first[level]]);
    const kept = walk(0x40000000n)?.places as bigint[];
    expect(kept[3]).toBe(other[3]);
    expect(kept[0]).toBe(moved[0]);
  });

  test.each([
    ['more than before', { ...all, write: false }, all],
    ['the same', all, all],
    ['something instead of nothing', none, all],
  ])('%s is no loss', (_, before, after) => {
    tables.setPages(0x400, 0x401, before);
    tables.setPages(0x400, 0x401, after);
    expect(tables.isStale).toBe(false);
  });

  test('when places are used up it says so, once in a while, and the tables are right', () => {
    const seen = new Set<bigint>();
    let restarts = 0;
    for (let round = 0; round < 3000; round++) {
      tables.setPages(round, round + 1, all);
      tables.setPages(round + 512, round + 514, all);
      tables.setPages(round, round + 1, none);
      if (!tables.renew()) {
        restarts++;
        seen.clear();
      }
      expect(seen.has(tables.root)).toBe(false);
      seen.add(tables.root);
    }
    expect(restarts).toBeGreaterThan(1);
    expect(restarts).toBeLessThan(10);
    expect(walk(BigInt(2999 + 513) << 12n)?.entry).toBe((BigInt(2999 + 513) << 12n) | 7n);
    expect(walk(2999n << 12n)).toBe(undefined);
  });
});
