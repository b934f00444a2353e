/** Source maps to guest code, read by Node's own reader. */
import { SourceMap } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Places } from '../../src/diagnostics/places.ts';
import { guestSourceMap } from '../../src/diagnostics/source-map.ts';

/** One function, main, of 4 KiB, whose second half has source lines. */
const places: Places = {
  symbolAt: (address) => (address >>> 12 === 0x10000 ? { name: 'main', start: 0x10000000 } : undefined),
  lineAt: (address) =>
    address >>> 11 === 0x20001 ? { file: 'src/main.c', line: ((address >> 2) & 0xff) + 1 } : undefined,
};

/** What a map says of a generated line, counted from 1. */
function original(pcs: readonly number[], line: number) {
  const { sources, ...rest } = guestSourceMap('stele:guest/0/main', pcs, places);
  const map = new SourceMap({ ...rest, version: 3, sources, sourcesContent: [], sourceRoot: '' });
  const entry = map.findEntry(line - 1, 5) as { originalSource: string; originalLine: number; name?: string };
  return { source: entry.originalSource, line: entry.originalLine + 1, name: entry.name };
}

test('a line leads to its source line, or to its byte of the function', () => {
  const pcs = [-1, -1, -1, 0x10000000, 0x10000004, 0x10000804, 0x10000800];
  expect(original(pcs, 3)).toEqual({ source: 'guest:main', line: 1, name: 'main+0x0 [0x10000000]' });
  expect(original(pcs, 4)).toEqual({ source: 'guest:main', line: 5, name: 'main+0x4 [0x10000004]' });
  expect(original(pcs, 5)).toEqual({ source: 'src/main.c', line: 2, name: 'main+0x804 [0x10000804]' });
  expect(original(pcs, 6)).toEqual({ source: 'src/main.c', line: 1, name: 'main+0x800 [0x10000800]' });
});

test('code without a symbol leads to its byte of the page', () => {
  expect(original([-1, 0xfffffffc], 1)).toEqual({ source: 'guest:0xfffff000', line: 0xffd, name: '[0xfffffffc]' });
});

test('every mapped line is found again, whatever the order of the addresses', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0x3fffffff }), { minLength: 1, maxLength: 20 }), (words) => {
      const pcs = [-1, ...words.map((word) => word * 4)];
      for (let line = 1; line < pcs.length; line++) {
        const name = original(pcs, line).name ?? '';
        expect(Number(/\[(0x[0-9a-f]{8})\]$/.exec(name)?.[1])).toBe(pcs[line]);
      }
    }),
    { numRuns: 50 },
  );
});
