import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ElfError } from '../../src/elf/elf-error.ts';
import { loadElf } from '../../src/elf/load-elf.ts';
import type { Target } from '../../src/elf/machines.ts';
import { type ElfImage, readElf } from '../../src/elf/read-elf.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { buildElf, type FileSpecification } from './build-elf.ts';

const code = Uint8Array.from({ length: 64 }, (_, i) => i + 1);
const data = Uint8Array.of(9, 8, 7, 6, 5);

const program: FileSpecification = {
  segments: [
    { address: 0x10000000, bytes: code, flags: 5, alignment: 0x10000 },
    { address: 0x10010100, bytes: data, memorySize: 0x3000, flags: 6, alignment: 0x10000 },
  ],
};

/** The program with bytes of the file changed. */
function changed(offset: number, bytes: readonly number[], specification = program): Uint8Array {
  const file = buildElf(specification);
  file.set(bytes, offset);
  return file;
}

function errorOf(file: Uint8Array): ElfError {
  try {
    readElf(file);
  } catch (error) {
    if (error instanceof ElfError) return error;
    throw error;
  }
  throw new Error('the file was accepted');
}

const header = (index: number): number => 52 + 32 * index;

describe('a file that can be run', () => {
  const kinds = [32, 64].flatMap((bits) => ['big', 'little'].map((order) => [bits, order] as const));

  test.each(kinds)('is read: %i bits, %s-endian', (bits, order) => {
    const addressBits = bits as 32 | 64;
    const byteOrder = order as 'big' | 'little';
    const target: Target = { abi: 'powerpc', machine: 20, addressBits, byteOrder };
    const image = readElf(buildElf({ ...program, addressBits, byteOrder }), [target]);
    expect(image).toMatchObject({ target, positionIndependent: false, entry: 0x10000000, stackExecutable: true });
    expect(image.segments).toMatchObject([
      { address: 0x10000000, fileSize: 64, memorySize: 64, protection: 5, alignment: 0x10000 },
      { address: 0x10010100, fileSize: 5, memorySize: 0x3000, protection: 3, alignment: 0x10000 },
    ]);
    const memory = new AddressSpace(byteOrder);
    loadElf(image, memory);
    expect([...memory.readBytes(0x10000000, 64)]).toEqual([...code]);
    expect([...memory.readBytes(0x10010100, 6)]).toEqual([...data, 0]);
  });

  test('says whether its stack is executable', () => {
    const stack = (flags: number): ElfImage =>
      readElf(
        buildElf({
          segments: [
            ...program.segments,
            { address: 0, bytes: new Uint8Array(), flags, type: 0x6474e551, alignment: 16 },
          ],
        }),
      );
    expect(stack(6).stackExecutable).toBe(false);
    expect(stack(7).stackExecutable).toBe(true);
  });
});

describe('a file that cannot be run names field, value and place', () => {
  // biome-ignore format: one row per line
  const rows: readonly [what: string, file: Uint8Array, field: string, offset: number, problem: string][] = [
    ['an empty file', new Uint8Array(), 'EI_MAG', 0, 'not an ELF file'],
    ['a script', new TextEncoder().encode('#!/bin/sh\necho hello, world\n'), 'EI_MAG', 0, '23 21 2f 62'],
    ['a header that is cut', buildElf(program).subarray(0, 51), 'e_ehsize', 0, '51'],
    ['no class', changed(4, [0]), 'EI_CLASS', 4, 'is 0'],
    ['no byte order', changed(5, [3]), 'EI_DATA', 5, 'is 3'],
    ['another version', changed(6, [2]), 'EI_VERSION', 6, 'is 2'],
    ['another system', changed(7, [9]), 'EI_OSABI', 7, 'is 9'],
    ['an object file', changed(16, [0, 1]), 'e_type', 16, 'linked first'],
    ['a core dump', changed(16, [0, 4]), 'e_type', 16, 'core dump'],
    ['another machine', changed(18, [0, 40]), 'e_machine', 18, '32-bit big-endian ARM'],
    ['a machine without a name', changed(18, [0xff, 0xfe]), 'e_machine', 18, 'unknown machine 65534'],
    ['another byte order', buildElf({ ...program, byteOrder: 'little' }), 'e_machine', 18, '32-bit little-endian PowerPC'],
    ['another class', buildElf({ ...program, addressBits: 64, byteOrder: 'little', machine: 183 }), 'e_machine', 18, '64-bit little-endian AArch64'],
    ['another format version', changed(20, [0, 0, 0, 2]), 'e_version', 20, 'is 2'],
    ['an entry in data', changed(24, [0x10, 1, 1, 0]), 'e_entry', 24, '0x10010100'],
    ['an entry nowhere', changed(24, [0, 0, 0, 0]), 'e_entry', 24, 'is 0x0'],
    ['program headers in the header', changed(28, [0, 0, 0, 8]), 'e_phoff', 28, '0x8'],
    ['program headers past the end', changed(28, [0x7f, 0, 0, 0]), 'e_phoff', 28, '0x7f000000'],
    ['another header size', changed(40, [0, 64]), 'e_ehsize', 40, 'is 64'],
    ['another program header size', changed(42, [0, 56]), 'e_phentsize', 42, 'is 56'],
    ['no program headers', changed(44, [0, 0]), 'e_phnum', 44, 'is 0'],
    ['too many program headers', changed(44, [0xff, 0xff]), 'e_phnum', 44, 'is 65535'],
    ['nothing to load', changed(header(0), [0, 0, 0, 4], { segments: [program.segments[0]] }), 'e_phnum', 44, 'no segment'],
    ['an offset past the end', changed(header(1) + 4, [0x7f, 1, 1, 0]), 'p_offset of program header 1', header(1) + 4, '0x7f010100'],
    ['contents past the end', changed(header(1) + 16, [0, 0, 0x10, 0]), 'p_filesz of program header 1', header(1) + 16, 'truncated'],
    ['more contents than memory', changed(header(1) + 20, [0, 0, 0, 4]), 'p_filesz of program header 1', header(1) + 16, 'more than p_memsz (0x4)'],
    ['memory that wraps round', changed(header(1) + 20, [0xf0, 0, 0, 0]), 'p_memsz of program header 1', header(1) + 20, 'wraps round'],
    ['an odd alignment', changed(header(1) + 28, [0, 1, 0, 1]), 'p_align of program header 1', header(1) + 28, '0x10001'],
    ['an address that is not congruent', changed(header(1) + 8, [0x10, 1, 1, 4]), 'p_vaddr of program header 1', header(1) + 8, 'not congruent'],
    ['overlapping segments', changed(header(0) + 20, [0, 2, 0, 0]), 'p_vaddr of program header 1', header(1) + 8, 'below the end of the segment before'],
  ];

  test.each(rows)('%s', (_what, file, field, offset, problem) => {
    const error = errorOf(file);
    expect(error.field).toBe(field);
    expect(error.offset).toBe(offset);
    expect(error.message).toContain(problem);
    expect(error.message).toContain(`${field} (at file offset ${offset})`);
  });

  test('a dynamically linked program', () => {
    const path = new TextEncoder().encode('/lib/ld.so.1\0');
    const interpreter = { address: 0x10020000, bytes: path, flags: 4, type: 3, alignment: 1 };
    const error = errorOf(buildElf({ segments: [interpreter, ...program.segments] }));
    expect(error.message).toContain('PT_INTERP');
    expect(error.message).toContain('"/lib/ld.so.1"');
    expect(error.message).toContain('-static');
  });

  test('a 64-bit file with an absurd size', () => {
    const target: Target = { abi: 'x86-64', machine: 21, addressBits: 64, byteOrder: 'big' };
    const file = buildElf({ ...program, addressBits: 64, machine: 21 });
    file.fill(0xff, 64 + 40, 64 + 48);
    expect(() => readElf(file, [target])).toThrow(/p_memsz of program header 0 \(at file offset 104\) .* absurd/);
  });
});

describe('hostile files', () => {
  const prebuilt = join(import.meta.dirname, '..', 'guests', 'bin', 'hello');
  const originals = [buildElf(program), ...(existsSync(prebuilt) ? [new Uint8Array(readFileSync(prebuilt))] : [])];

  /** Nothing but an ElfError or a program in memory, with as many mappings as segments can make. */
  function readOrRefuse(file: Uint8Array): void {
    try {
      const image = readElf(file);
      const memory = new AddressSpace('big');
      const loaded = loadElf(image, memory);
      expect(memory.allows(loaded.entry, 1, 4)).toBe(true);
      expect(memory.mappings().length).toBeLessThanOrEqual(3 * image.segments.length);
    } catch (error) {
      expect(error).toBeInstanceOf(ElfError);
    }
  }

  const interesting = fc.oneof(fc.constantFrom(0, 1, 2, 4, 0x7f, 0x80, 0xff), fc.integer({ min: 0, max: 255 }));
  const mutation = fc.record({ position: fc.nat(), value: interesting });

  test('bytes changed in the headers', () => {
    fc.assert(
      fc.property(
        fc.nat(originals.length - 1),
        fc.array(mutation, { minLength: 1, maxLength: 12 }),
        (which, mutations) => {
          const file = originals[which].slice();
          for (const { position, value } of mutations) file[position % 116] = value;
          readOrRefuse(file);
        },
      ),
      { numRuns: 1500 },
    );
  });

  test('files that are cut', () => {
    fc.assert(
      fc.property(fc.nat(originals.length - 1), fc.nat(), (which, length) => {
        readOrRefuse(originals[which].subarray(0, length % (originals[which].length + 1)));
      }),
      { numRuns: 300 },
    );
  });

  test('anything behind a valid identification', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 400 }), (rest) => {
        const file = new Uint8Array(20 + rest.length);
        file.set(buildElf(program).subarray(0, 20));
        file.set(rest, 20);
        readOrRefuse(file);
      }),
      { numRuns: 500 },
    );
  });
});
