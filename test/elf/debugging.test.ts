/** Symbols and source lines, on the prebuilt program with DWARF and on what an installed compiler makes of a source. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import { LineTable } from '../../src/elf/dwarf-lines.ts';
import { type ElfImage, readElf } from '../../src/elf/read-elf.ts';
import { SymbolTable } from '../../src/elf/symbols.ts';

const guests = join(import.meta.dirname, '..', 'guests');
const lines = new Uint8Array(readFileSync(join(guests, 'bin', 'lines')));
const compiler = 'powerpc-linux-gnu-gcc';
const addr2line = 'powerpc-linux-gnu-addr2line';
const compilerInstalled =
  spawnSync(addr2line, ['--version']).status === 0 && spawnSync(compiler, ['--version']).status === 0;
if (!compilerInstalled)
  console.log(`${compiler} is not installed: line tables of other DWARF versions are not compared`);

describe('symbols', () => {
  const symbols = new SymbolTable(readElf(lines), 0);

  test('are found by any address in them', () => {
    const start = symbols.symbolAt(readElf(lines).entry);
    expect(start?.name).toBe('_start');
    const { start: first, size } = start!;
    expect(symbols.symbolAt(first + size - 1)).toBe(start);
    expect(symbols.symbolAt(first + size)?.name).not.toBe('_start');
  });

  test('do not reach beyond code', () => {
    expect(symbols.symbolAt(0)).toBeUndefined();
    expect(symbols.symbolAt(0x10002000)).toBeUndefined();
    expect(symbols.symbolAt(0xffffffff)).toBeUndefined();
  });

  test('without a size last to the next symbol', () => {
    const image = readElf(new Uint8Array(readFileSync(join(guests, 'bin', 'hello'))));
    const labels = new SymbolTable(image, 0x1000);
    expect(labels.symbolAt(image.entry + 0x1000 + 8)).toMatchObject({ name: '_start', start: image.entry + 0x1000 });
  });

  test('agree with a plain search of the table', () => {
    const image = readElf(new Uint8Array(readFileSync(join(guests, 'bin', 'benchmarks'))));
    const table = new SymbolTable(image, 0);
    const text = image.segments[0];
    let found = 0;
    for (let address = text.address; address < text.address + text.memorySize; address += 52) {
      const symbol = table.symbolAt(address);
      if (symbol === undefined) continue;
      found++;
      expect(symbol.start).toBeLessThanOrEqual(address);
      expect(symbol.start + symbol.size).toBeGreaterThan(address);
      expect(table.symbolAt(symbol.start)?.name).toBe(symbol.name);
    }
    expect(found).toBeGreaterThan(1000);
  });
});

describe('source lines', () => {
  const source = readFileSync(join(guests, 'src', 'freestanding', 'lines.c'), 'utf8').split('\n');

  test('are found by address', () => {
    const image = readElf(lines);
    const table = new LineTable(image, 0);
    const symbols = new SymbolTable(image, 0);
    const entry = table.lineAt(image.entry);
    expect(entry?.file).toMatch(/freestanding\/lines\.c$/);
    expect(source[entry!.line - 1]).toContain('_start');
    // Some instruction of dereference() belongs to the line that counts.
    const { start, size } = [...Array(200).keys()]
      .map((i) => symbols.symbolAt(image.segments[0].address + i * 4))
      .find((symbol) => symbol?.name === 'dereference')!;
    const counting = source.findIndex((line) => line.includes('depth++')) + 1;
    const found = Array.from({ length: size / 4 }, (_, i) => table.lineAt(start + i * 4)?.line);
    expect(found).toContain(counting);
    expect(new LineTable(image, 0x5000).lineAt(image.entry + 0x5000)).toEqual(entry);
    expect(table.lineAt(0)).toBeUndefined();
    expect(table.lineAt(0xfffffffc)).toBeUndefined();
  });

  test('are unknown in a program without them', () => {
    const image = readElf(new Uint8Array(readFileSync(join(guests, 'bin', 'hello'))));
    expect(new LineTable(image, 0).lineAt(image.entry)).toBeUndefined();
  });

  describe.runIf(compilerInstalled)('agree with addr2line', () => {
    const folder = mkdtempSync(join(tmpdir(), 'stele-lines-'));
    afterAll(() => rmSync(folder, { recursive: true }));
    const text = `
      static inline int square(int x) { return x * x; }
      int sum(int n) {
        int s = 0;
        for (int i = 0; i < n; i++) {
          s += square(i);
          if (s & 1) s ^= 3;
        }
        return s;
      }
      void _start(void) { for (;;) sum(7); }
    `;

    test.each([2, 3, 4, 5])('DWARF version %i', (version) => {
      const path = join(folder, `program${version}`);
      writeFileSync(`${path}.c`, text);
      execFileSync(compiler, ['-O2', `-gdwarf-${version}`, '-static', '-nostdlib', '-o', path, `${path}.c`]);
      const image = readElf(new Uint8Array(readFileSync(path)));
      const table = new LineTable(image, 0);
      const symbols = new SymbolTable(image, 0);
      const end = image.segments[0].address + image.segments[0].memorySize;
      const addresses: number[] = [];
      for (let a = image.segments[0].address; a < end; a += 4) if (symbols.symbolAt(a) !== undefined) addresses.push(a);
      expect(addresses.length).toBeGreaterThan(10);
      const input = addresses.map((a) => a.toString(16)).join('\n');
      const expected = execFileSync(addr2line, ['-e', path], { input, encoding: 'utf8' }).trim().split('\n');
      const found = addresses.map((a) => {
        const line = table.lineAt(a);
        return line === undefined ? '??:0' : `${line.file}:${line.line}`;
      });
      expect(found).toEqual(expected.map((line) => line.replace(/ \(discriminator \d+\)/, '').replace('??:?', '??:0')));
    });
  });
});

describe('broken debugging information', () => {
  test('costs names and lines, nothing else', () => {
    const image = readElf(lines);
    const loadedEnd = Math.max(...image.segments.map((segment) => segment.offset + segment.fileSize));
    const mutation = fc.record({ position: fc.nat(), value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0xff), fc.nat(255)) });
    const look = (broken: ElfImage): void => {
      const table = new LineTable(broken, 0);
      const symbols = new SymbolTable(broken, 0);
      for (const address of [broken.entry, broken.entry - 0x40, 0x10000100]) {
        const line = table.lineAt(address);
        if (line !== undefined) expect(typeof line.file).toBe('string');
        const symbol = symbols.symbolAt(address);
        if (symbol !== undefined) expect(symbol.start).toBeLessThanOrEqual(address);
      }
    };
    fc.assert(
      fc.property(fc.array(mutation, { minLength: 1, maxLength: 30 }), fc.boolean(), (mutations, sectionHeaders) => {
        const file = lines.slice();
        const start = sectionHeaders ? file.length - 40 * 17 : loadedEnd;
        for (const { position, value } of mutations) file[start + (position % (file.length - start))] = value;
        look(readElf(file));
      }),
      { numRuns: 1000 },
    );
  });
});
