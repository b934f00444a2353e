/** The comparison of `npm run bench`: what it compares with computes the same, and what its tables say follows from the samples. */
import { afterEach, describe, expect, test, vi } from 'vitest';
import { type Contender, Contenders, engines, references } from '../../bench/lib/contenders.ts';
import { measure } from '../../bench/lib/measure.ts';
import { Report, type Series } from '../../bench/lib/report.ts';

afterEach(() => vi.unstubAllEnvs());

test('what engines are compared with prints what the guest prints', { timeout: 120_000 }, async () => {
  const contenders = new Contenders();
  for (const line of contenders.missing) console.info(`Not compared: ${line}`);
  try {
    const output = async (contender: Contender): Promise<string> => {
      const { status, stdout } = await measure(contenders.command(contender, 'recursion', 0.03));
      return `${status}: ${stdout}`;
    };
    const expected = await output('auto');
    expect(expected).toMatch(/^0: recursion: [0-9a-f]{8}\n$/);
    const compared = references.filter((name) => contenders.available.includes(name));
    expect(compared.includes('scalar')).toBe(compared.includes('native'));
    expect(compared.length + contenders.missing.length).toBe(references.length);
    for (const reference of compared) expect([reference, await output(reference)]).toEqual([reference, expected]);
  } finally {
    contenders.dispose();
  }
});

test('what is not installed is left out, with a line that says what to install', () => {
  vi.stubEnv('PATH', '/nonexistent');
  const contenders = new Contenders();
  contenders.dispose();
  expect(contenders.available).toEqual(engines);
  expect(contenders.missing).toEqual([
    expect.stringMatching(/^native is left out: gcc does not run .*apt-get install gcc/),
    expect.stringMatching(/^scalar is left out: gcc does not run/),
    expect.stringMatching(/^clang-wasm is left out: clang does not run .*apt-get install clang lld wasi-libc/),
    expect.stringMatching(/^qemu is left out: qemu-ppc does not run .*apt-get install qemu-user/),
  ]);
});

test('a guest whose compiler is missing is told of', () => {
  vi.stubEnv('PATH', '/nonexistent');
  expect(() => new Contenders('i386')).toThrow(
    /^the benchmarks cannot be built for i386: i686-linux-gnu-gcc does not run .*apt-get install gcc-i686-linux-gnu/,
  );
});

describe('the report', () => {
  const benchmarks = [
    { name: 'fast', scale: 2, small: 0.1 },
    { name: 'slow', scale: 3, small: 0.2 },
  ];
  const series = (benchmark: string, contender: Contender, scale: number, ...cpu: number[]): Series => ({
    benchmark,
    contender,
    scale,
    cpu,
    wall: cpu,
    output: '',
  });
  const report = new Report(benchmarks, [
    series('fast', 'native', 2, 9, 0.5, 0.4),
    series('fast', 'qemu', 2, 4),
    series('fast', 'auto', 2, 1),
    series('fast', 'interpreted', 0.1, 2),
    series('slow', 'native', 3, 1),
    series('slow', 'qemu', 3, 2),
    series('slow', 'auto', 3, 8),
    series('slow', 'interpreted', 0.2, 4),
  ]);

  test('has medians, their ratios, geometric mean and worst', () => {
    expect(report.engineTable('auto').split('\n')).toEqual([
      'benchmark       native   qemu   auto  auto/native  auto/qemu',
      '--------------  ------  -----  -----  -----------  ---------',
      'fast             0.500  4.000  1.000         2.00       0.25',
      'slow             1.000  2.000  8.000         8.00       4.00',
      'geometric mean                               4.00       1.00',
      'worst                                        8.00       4.00',
    ]);
    expect(report.referenceLine()).toBe('qemu/native 4.00');
  });

  test('has the interpreter at its own scale, and dashes for what was not measured', () => {
    expect(report.interpreterTable({ fast: 20e6, slow: 100e6 }).split('\n')).toEqual([
      'benchmark  scale  interpreted  interpreted/qemu  interpreted/blocks  MIPS',
      '---------  -----  -----------  ----------------  ------------------  ----',
      'fast         0.1        2.000                 -                   -  10.0',
      'slow         0.2        4.000                 -                   -  25.0',
    ]);
  });

  test('has an engine alone where nothing else is installed', () => {
    const alone = new Report(benchmarks, [series('fast', 'auto', 2, 1), series('slow', 'auto', 3, 8)]);
    expect(alone.engineTable('auto').split('\n').at(-1)).toBe('worst');
    expect(alone.referenceLine()).toBe('');
  });
});
