/** Arithmetic in every rounding mode against the processor that the tests run on: results and IEEE flags. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  add,
  divide,
  double,
  flag,
  multiply,
  multiplyAdd,
  roundToSingle,
  single,
  squareRoot,
  status,
  subtract,
} from '../../translators/float/arithmetic.ts';
import { bits, edges, generator, nans, randomAddend, randomDouble, seed } from './cases.ts';

type Operation = (a: number, b: number, c: number, mode: number) => number;

// biome-ignore format: one operation per line
const operations: readonly [name: string, c: string, singles: boolean, run: Operation][] = [
  ['add', 'a + b', false, (a, b, _c, mode) => add(a, b, mode, double)],
  ['subtract', 'a - b', false, (a, b, _c, mode) => subtract(a, b, mode, double)],
  ['multiply', 'a * b', false, (a, b, _c, mode) => multiply(a, b, mode, double)],
  ['divide', 'a / b', false, (a, b, _c, mode) => divide(a, b, mode, double)],
  ['squareRoot', 'sqrt(a)', false, (a, _b, _c, mode) => squareRoot(a, mode, double)],
  ['multiplyAdd', 'fma(a, b, c)', false, (a, b, c, mode) => multiplyAdd(a, b, c, mode, double)],
  ['add to single', '(float)a + (float)b', true, (a, b, _c, mode) => add(a, b, mode, single)],
  ['subtract to single', '(float)a - (float)b', true, (a, b, _c, mode) => subtract(a, b, mode, single)],
  ['multiply to single', '(float)a * (float)b', true, (a, b, _c, mode) => multiply(a, b, mode, single)],
  ['divide to single', '(float)a / (float)b', true, (a, b, _c, mode) => divide(a, b, mode, single)],
  ['squareRoot to single', 'sqrtf((float)a)', true, (a, _b, _c, mode) => squareRoot(a, mode, single)],
  ['multiplyAdd to single', 'fmaf((float)a, (float)b, (float)c)', true, (a, b, c, mode) => multiplyAdd(a, b, c, mode, single)],
  ['roundToSingle', '(float)a', false, (a, _b, _c, mode) => roundToSingle(a, mode)],
];

const source = `
#include <fenv.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
struct { uint32_t op, mode; double a, b, c; } in;
struct { double r; uint32_t flags, pad; } out;
static const int modes[] = { FE_TONEAREST, FE_TOWARDZERO, FE_UPWARD, FE_DOWNWARD };
int main(void) {
  while (fread(&in, sizeof in, 1, stdin) == 1) {
    volatile double a = in.a, b = in.b, c = in.c, r = 0;
    fesetround(modes[in.mode]);
    feclearexcept(FE_ALL_EXCEPT);
    switch (in.op) {
${operations.map(([, expression], op) => `    case ${op}: r = ${expression}; break;`).join('\n')}
    }
    int raised = fetestexcept(FE_ALL_EXCEPT);
    fesetround(FE_TONEAREST);
    out.r = r;
    out.flags = !!(raised & FE_INVALID) | !!(raised & FE_DIVBYZERO) << 1 | !!(raised & FE_OVERFLOW) << 2
      | !!(raised & FE_UNDERFLOW) << 3 | !!(raised & FE_INEXACT) << 4;
    fwrite(&out, sizeof out, 1, stdout);
  }
  return 0;
}
`;

const invalid =
  flag.signalling |
  flag.infinityMinusInfinity |
  flag.infinityByInfinity |
  flag.zeroByZero |
  flag.infinityTimesZero |
  flag.negativeRoot;

/** IEEE's five flags as the program above numbers them. x86 detects tininess after rounding, others before. */
function ieeeFlags(flags: number): number {
  const tiny = process.arch === 'x64' ? flag.tinyAfterRounding : flag.tiny;
  const inexact = (flags & flag.inexact) !== 0;
  return (
    Number((flags & invalid) !== 0) |
    (Number((flags & flag.divideByZero) !== 0) << 1) |
    (Number((flags & flag.overflow) !== 0) << 2) |
    (Number((flags & tiny) !== 0 && inexact) << 3) |
    (Number(inexact) << 4)
  );
}

interface Case {
  op: number;
  mode: number;
  operands: Float64Array;
}

function cases(): Case[] {
  const next = generator(seed);
  const pick = () => {
    const kind = next() & 15;
    if (kind === 0) return nans[next() & 3];
    return kind < 8 ? edges[(next() >>> 1) % edges.length] : randomDouble(next);
  };
  return Array.from({ length: 60000 }, (_, i) => {
    const a = pick();
    const b = pick();
    const operands = Float64Array.of(a, b, (next() & 1) === 0 ? pick() : randomAddend(next, a * b));
    const op = i % operations.length;
    // Narrowing a NaN to float would itself be invalid.
    if (operations[op][2]) {
      operands.forEach((value, k) => {
        operands[k] = Number.isNaN(value) ? NaN : Math.fround(value);
      });
    }
    return { op, mode: next() & 3, operands };
  }).filter(({ operands: [a, b, c] }) => {
    // Whether infinity * 0 + a quiet NaN is invalid is the implementation's choice.
    return !(Number.isNaN(c) && Number.isNaN(a * b) && !Number.isNaN(a) && !Number.isNaN(b));
  });
}

function compareWithHost(compiler: string): void {
  const directory = mkdtempSync(join(tmpdir(), 'stele-float-'));
  try {
    const program = join(directory, 'host');
    writeFileSync(`${program}.c`, source);
    const built = spawnSync(compiler, [
      '-O1',
      '-frounding-math',
      '-ffp-contract=off',
      '-o',
      program,
      `${program}.c`,
      '-lm',
    ]);
    expect(built.stderr.toString()).toBe('');
    const all = cases();
    const input = new ArrayBuffer(all.length * 32);
    all.forEach((one, i) => {
      new Uint32Array(input, i * 32, 2).set([one.op, one.mode]);
      new Float64Array(input, i * 32 + 8, 3).set(one.operands);
    });
    const ran = spawnSync(program, { input: new Uint8Array(input), maxBuffer: 1 << 26 });
    expect(ran.stdout.length).toBe(all.length * 16);
    const output = new DataView(ran.stdout.buffer, ran.stdout.byteOffset);
    const failures: string[] = [];
    all.forEach(({ op, mode, operands }, i) => {
      const [name, , , run] = operations[op];
      const [a, b, c] = operands;
      const result = run(a, b, c, mode);
      const show = (value: number, flags: number) =>
        `${Number.isNaN(value) ? 'NaN' : bits(value)} ${flags.toString(2)}`;
      const ours = show(result, ieeeFlags(status[0]));
      const theirs = show(output.getFloat64(i * 16, true), output.getUint32(i * 16 + 8, true));
      if (ours !== theirs)
        failures.push(`${name} mode ${mode} ${bits(a)} ${bits(b)} ${bits(c)}: ${ours}, host ${theirs}`);
    });
    expect(failures, `SEED=${seed}`).toEqual([]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const compiler = 'gcc';

if (spawnSync(compiler, ['--version']).status === 0) {
  test("results and flags equal the host processor's", { timeout: 60000 }, () => compareWithHost(compiler));
} else {
  test('flags of the cases are within those compared', () => {
    console.log(`left out: floating-point arithmetic against the host processor (needs ${compiler})`);
    for (const { op, mode, operands } of cases()) {
      const [a, b, c] = operands;
      operations[op][3](a, b, c, mode);
      expect(ieeeFlags(status[0])).toBeLessThan(32);
    }
  });
}
