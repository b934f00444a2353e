/** Lines of streams, and what is kept of them. */
import { expect, test } from 'vitest';
import { Collected, joinBytes, Lines } from '../../src/machines/output.ts';
import { formatBytes, formatTime } from '../../src/machines/report.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const texts = (parts: readonly Uint8Array[]): string[] => parts.map((part) => new TextDecoder().decode(part));

test('lines are whole, wherever a stream was cut', () => {
  const lines = new Lines();
  expect(texts(lines.add(bytes('one\ntw')))).toEqual(['one\n']);
  expect(texts(lines.add(bytes('o')))).toEqual([]);
  expect(texts(lines.add(bytes('\n\nthree\nfour')))).toEqual(['two\n', '\n', 'three\n']);
  expect(texts(lines.end())).toEqual(['four\n']);
  expect(texts(lines.end())).toEqual([]);
});

test('a line without an end is not held for ever', () => {
  const lines = new Lines();
  let shown = 0;
  for (let piece = 0; piece < 100; piece++) shown += joinBytes(lines.add(new Uint8Array(4096).fill(120))).length;
  expect(shown).toBeGreaterThan(5 * 65536);
});

test('what is kept of a stream is its beginning', () => {
  const kept = new Collected(6);
  for (const part of ['abc', 'def', 'ghi']) kept.add(bytes(part));
  expect(texts([kept.bytes])).toEqual(['abcdef']);
  expect(kept.dropped).toBe(3);
});

test('sizes and times are short', () => {
  expect([0, 999, 1000, 1024, 1 << 20, 1.5 * 2 ** 20, 200 * 2 ** 20, 2 ** 31].map(formatBytes)).toEqual([
    '0B',
    '999B',
    '1.0K',
    '1.0K',
    '1.0M',
    '1.5M',
    '200M',
    '2.0G',
  ]);
  expect([0, 4, 1234, 99_994, 123_456].map(formatTime)).toEqual(['0.00 s', '0.00 s', '1.23 s', '99.99 s', '123 s']);
});
