import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import * as exact from '../../translators/float/arithmetic.ts';
import { isSignalling, quieted } from '../../translators/float/bits.ts';
import { fmaSoftware, hostFma } from '../../translators/float/fma.ts';
import * as operations from '../../translators/float/operations.ts';
import { bits, edges, generator, nans, randomAddend, randomDouble, seed } from './cases.ts';

const { double, rounding, single } = exact;

/** Every operation to nearest, beside the exact arithmetic that is tested against the definition. */
function differences(a: number, b: number, c: number): string[] {
  const mode = rounding.nearest;
  const fused = exact.multiplyAdd(a, b, c, mode, double);
  const pairs: [name: string, got: number, expected: number][] = [
    ['fma', operations.fma(a, b, c), fused],
    ['fmaSoftware', fmaSoftware(a, b, c), fused],
    ['fmaSingle', operations.fmaSingle(a, b, c), exact.multiplyAdd(a, b, c, mode, single)],
    ['addSingle', operations.addSingle(a, b), exact.add(a, b, mode, single)],
    ['subSingle', operations.subSingle(a, b), exact.subtract(a, b, mode, single)],
    ['mulSingle', operations.mulSingle(a, b), exact.multiply(a, b, mode, single)],
    ['divSingle', operations.divSingle(a, b), exact.divide(a, b, mode, single)],
    ['sqrtSingle', operations.sqrtSingle(a), exact.squareRoot(a, mode, single)],
    ['truncate', operations.truncate(a), exact.toInt32(a, rounding.zero)],
    ['nearest', operations.nearest(a), exact.toInt32(a, mode)],
  ];
  return pairs
    .filter(([, got, expected]) => !Object.is(got, expected))
    .map(([name, got, expected]) => `${name} ${bits(a)} ${bits(b)} ${bits(c)}: ${bits(got)}, not ${bits(expected)}`);
}

describe('operations to nearest', () => {
  test('edges', () => {
    const found: string[] = [];
    edges.forEach((a, i) => {
      edges.forEach((b, j) => {
        found.push(...differences(a, b, edges[(i * 7 + j * 3) % edges.length]));
      });
    });
    expect(found).toEqual([]);
  });

  test('random operands', () => {
    const next = generator(seed);
    const found: string[] = [];
    for (let i = 0; i < 30000; i++) {
      const a = randomDouble(next);
      const b = randomDouble(next);
      found.push(...differences(a, b, randomAddend(next, a * b)));
    }
    expect(found, `SEED=${seed}`).toEqual([]);
  });

  test('singles with singles, where rounding twice meets ties', () => {
    const next = generator(seed + 1);
    const found: string[] = [];
    for (let i = 0; i < 30000; i++) {
      const [a, b, c] = [randomDouble(next), randomDouble(next), randomDouble(next)].map(Math.fround);
      found.push(...differences(a, b, c));
    }
    expect(found, `SEED=${seed}`).toEqual([]);
  });

  test('double rounding is avoided', () => {
    // 1 + 2^-24 is midway between singles; the tail decides.
    expect(operations.addSingle(1 + 2 ** -24, 2 ** -80)).toBe(1 + 2 ** -23);
    expect(operations.addSingle(1 + 2 ** -24, -(2 ** -80))).toBe(1);
    expect(operations.fma(1 + 2 ** -52, 1 + 2 ** -52, -1 - 2 ** -51)).toBe(2 ** -104);
    expect(operations.subSingle(2 ** 128 - 2 ** 103, 2 ** -80)).toBe(2 ** 128 - 2 ** 104);
    expect(operations.addSingle(2 ** 128 - 2 ** 103, 2 ** -80)).toBe(Infinity);
  });

  test('the host fuses where its processor says so', () => {
    let hasFma = false;
    try {
      hasFma = process.arch === 'x64' && / fma /.test(readFileSync('/proc/cpuinfo', 'utf8'));
    } catch {
      // Not Linux: nothing says what the processor has.
    }
    expect(hostFma() !== undefined || !hasFma).toBe(true);
  });
});

describe('NaNs and bits', () => {
  test('the first NaN operand is the result, quieted', () => {
    const [quiet, negative, signalling] = nans;
    const chosen = (x: number, b: number, c: number) => bits(operations.nanOf2(x, b, c, 0x7ff80000));
    expect(chosen(1, signalling, quiet)).toBe(bits(1));
    expect(chosen(NaN, signalling, quiet)).toBe('7ff8000000000001');
    expect(chosen(NaN, 1, negative)).toBe(bits(negative));
    expect(chosen(NaN, 1, 2)).toBe('7ff8000000000000');
    expect(bits(operations.nanOf2(NaN, 1, 2, -0x80000))).toBe('fff8000000000000');
    expect(isSignalling(signalling)).toBe(true);
    expect(isSignalling(quieted(signalling))).toBe(false);
  });

  test('neg and abs change the sign alone', () => {
    for (const value of [...nans, ...edges]) {
      const text = bits(value);
      const sign = Number.parseInt(text[0], 16);
      expect(bits(operations.neg(value))).toBe((sign ^ 8).toString(16) + text.slice(1));
      expect(bits(operations.abs(value))).toBe((sign & 7).toString(16) + text.slice(1));
    }
  });

  test('every kind of single widens and narrows back', () => {
    const view = new DataView(new ArrayBuffer(4));
    const next = generator(seed);
    const signBits = [0, 0x80000000];
    const patterns = [0, 1, 2, 0x3fffff, 0x400000, 0x7fffff, 0x800000, 0x3f800000, 0x7f7fffff, 0x7f800000, 0x7f800001];
    patterns.push(0x7fbfffff, 0x7fc00000, 0x7fffffff, ...Array.from({ length: 2000 }, () => next() & 0x7fffffff));
    for (const pattern of patterns.flatMap((magnitude) => signBits.map((sign) => (magnitude | sign) >>> 0))) {
      const wide = operations.singleToDouble(pattern | 0);
      view.setUint32(0, pattern);
      const read = view.getFloat32(0);
      if (Number.isNaN(read)) expect(Number.isNaN(wide)).toBe(true);
      else expect(wide).toBe(read);
      expect(isSignalling(wide)).toBe(Number.isNaN(read) && (pattern & 0x400000) === 0);
      expect(operations.doubleToSingle(wide) >>> 0).toBe(pattern);
    }
  });

  test('narrowing cuts bits', () => {
    const cases: [value: number, bits: number][] = [
      [1 + 2 ** -23 + 2 ** -24, 0x3f800001],
      [2 ** -149 * 1.75, 1],
      [2 ** -126 - 2 ** -149 + 2 ** -150, 0x7fffff],
      [-(2 ** -150), 0x80000000],
      [2 ** -1074, 0],
      [2 ** 129, 0x40000000],
    ];
    for (const [value, expected] of cases) expect(operations.doubleToSingle(value) >>> 0).toBe(expected);
  });
});
