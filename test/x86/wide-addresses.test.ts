/** Addresses beyond 4 GiB, of which memory has none: an access there leaves, and its low word is not taken for the address. */
import { describe, expect, test } from 'vitest';
import { findHostPages } from '../../src/host/page-protection.ts';
import { codeAddress, dataAddress, X86Guest } from './guest.ts';

const beyond = 1n << 32n;
const data = BigInt(dataAddress);

interface Case {
  readonly code: string;
  readonly registers: Readonly<Record<string, bigint>>;
  /** Bytes of the code before the access. */
  readonly at: number;
}

// biome-ignore format: one row per access
const cases: readonly (readonly [string, Case])[] = [
  ['a load', { code: '8b08', registers: { rax: data + beyond }, at: 0 }],
  ['a store', { code: '8908', registers: { rax: data + beyond }, at: 0 }],
  ['a read and write', { code: '0108', registers: { rax: data + beyond }, at: 0 }],
  ['a load of a vector', { code: '0f1008', registers: { rax: data + beyond }, at: 0 }],
  ['a displacement that leads there', { code: '8b8800000070 8b8800000070', registers: { rax: 0xb000_0000n }, at: 0 }],
  ['an index that leads there', { code: '8b0b 8b0cc3', registers: { rbx: data, rax: beyond >> 3n }, at: 2 }],
  ['a base that leads there behind an access that it did not', { code: '8b0b 4801c3 8b0b', registers: { rbx: data, rax: beyond }, at: 5 }],
  ['a base that is negative', { code: '8b08', registers: { rax: data - beyond }, at: 0 }],
  // Accesses nearby share a check, while their base is the same.
  ['the second of two nearby', { code: '8b0b 8b4b08 4801c3 8b4b08', registers: { rbx: data, rax: beyond }, at: 8 }],
];

describe.each(['interpreted', 'blocks', 'regions', 'wasm'] as const)('%s leaves before', (engine) => {
  test.each(cases)('%s', (_name, { code, registers, at }) => {
    // Once with checked accesses, once with those that trap, where the host has them.
    for (const findPages of [undefined, findHostPages]) {
      const guest = new X86Guest(64, engine, findPages);
      guest.set({ ...registers, rcx: 5 });
      guest.write(dataAddress, [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0]);
      const before = guest.read(dataAddress, 16);
      expect(guest.run(code)).toBe('wide_address');
      expect(guest.state.pc).toBe(codeAddress + at);
      expect(guest.read(dataAddress, 16)).toEqual(before);
      guest.close();
    }
  });
});
