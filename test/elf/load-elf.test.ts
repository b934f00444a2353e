import { describe, expect, test } from 'vitest';
import { ElfError } from '../../src/elf/elf-error.ts';
import { type LoadedProgram, loadElf } from '../../src/elf/load-elf.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { buildElf, type FileSpecification } from './build-elf.ts';

const bytes = (length: number, seed: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i * 3 + seed) & 0xff);

function load(specification: FileSpecification): { memory: AddressSpace; loaded: LoadedProgram } {
  const memory = new AddressSpace('big');
  const loaded = loadElf(readElf(buildElf(specification)), memory, '/bin/guest');
  return { memory, loaded };
}

describe('loading', () => {
  test('puts segments in place with their protection and zeroes what has no contents', () => {
    const { memory, loaded } = load({
      segments: [
        { address: 0x10000000, bytes: bytes(0x1234, 1), flags: 5, alignment: 0x10000 },
        { address: 0x10020ff0, bytes: bytes(0x20, 2), memorySize: 0x5020, flags: 6, alignment: 0x10000 },
      ],
    });
    expect(memory.mappings().map(({ start, end, protection, name }) => [start, end, protection, name])).toEqual([
      [0x10000000, 0x10002000, 5, '/bin/guest'],
      [0x10020000, 0x10022000, 3, '/bin/guest'],
      [0x10022000, 0x10027000, 3, ''],
    ]);
    expect([...memory.readBytes(0x10000000, 0x1234)]).toEqual([...bytes(0x1234, 1)]);
    expect([...memory.readBytes(0x10020ff0, 0x20)]).toEqual([...bytes(0x20, 2)]);
    expect(memory.readBytes(0x10021010, 0x5000).every((byte) => byte === 0)).toBe(true);
    expect(loaded).toMatchObject({ entry: 0x10000000, bias: 0, breakStart: 0x10027000, programHeadersAddress: 0 });
  });

  test('finds the program headers in the segment that holds them', () => {
    const plain = buildElf({ segments: [{ address: 0x10000000, bytes: bytes(64, 0), flags: 5, alignment: 0x10000 }] });
    // The segment starts with the file.
    const view = new DataView(plain.buffer);
    view.setUint32(52 + 4, 0);
    view.setUint32(52 + 16, plain.length);
    view.setUint32(52 + 20, plain.length);
    const loaded = loadElf(readElf(plain), new AddressSpace('big'));
    expect(loaded).toMatchObject({ programHeadersAddress: 0x10000034, programHeaderCount: 1, programHeaderSize: 32 });
  });

  test('makes what can be executed or written readable', () => {
    const { memory } = load({
      segments: [
        { address: 0x10000000, bytes: bytes(16, 1), flags: 1, alignment: 4 },
        { address: 0x10002000, bytes: bytes(16, 2), flags: 2, alignment: 4 },
        { address: 0x10004000, bytes: bytes(16, 3), flags: 0, alignment: 4 },
      ],
    });
    expect(memory.mappings().map(({ protection }) => protection)).toEqual([5, 3, 0]);
  });

  test('gives a page that segments share what all of them allow', () => {
    const { memory } = load({
      segments: [
        { address: 0x10000100, bytes: bytes(16, 1), flags: 5, alignment: 4 },
        { address: 0x10000200, bytes: bytes(16, 2), flags: 4, alignment: 4 },
        { address: 0x10000300, bytes: bytes(0x1000, 3), flags: 6, alignment: 4 },
      ],
    });
    expect(memory.find(0x10000000)?.protection).toBe(7);
    expect(memory.find(0x10001000)?.protection).toBe(3);
    expect([...memory.readBytes(0x10000100, 16)]).toEqual([...bytes(16, 1)]);
    expect([...memory.readBytes(0x10000200, 16)]).toEqual([...bytes(16, 2)]);
    expect([...memory.readBytes(0x10000300, 0x1000)]).toEqual([...bytes(0x1000, 3)]);
  });

  test('moves a position-independent program, keeping its alignment', () => {
    const { memory, loaded } = load({
      type: 3,
      entry: 0x40,
      segments: [
        { address: 0, bytes: bytes(0x100, 1), flags: 5, alignment: 0x40000 },
        { address: 0x40100, bytes: bytes(0x10, 2), flags: 6, alignment: 0x40000 },
      ],
    });
    expect(loaded.bias % 0x40000).toBe(0);
    expect(loaded.bias).toBeGreaterThanOrEqual(0x20000000);
    expect(loaded.entry).toBe(loaded.bias + 0x40);
    expect([...memory.readBytes(loaded.bias + 0x40100, 0x10)]).toEqual([...bytes(0x10, 2)]);
  });

  test.each([0, 0x8000, 0x7effffc0, 0xffff0000])('refuses addresses that programs may not use: 0x%x', (address) => {
    const file = buildElf({ segments: [{ address, bytes: bytes(0x80, 1), flags: 5, alignment: 1 }] });
    expect(() => loadElf(readElf(file), new AddressSpace('big'))).toThrow(ElfError);
    expect(() => loadElf(readElf(file), new AddressSpace('big'))).toThrow(
      /p_vaddr of program header 0 .*programs may use/,
    );
  });
});
