/** Which exceptions SSE operations raise outside of a format's range, as the processor did for random cases. */
import { expect, test } from 'vitest';
import { single } from '../../translators/float/exact.ts';
import { exception, operations, SseUnit } from '../../translators/x86/sse-unit.ts';

/** MXCSR with everything masked, and with overflow, underflow and inexactness not. */
const [masked, unmasked] = [0x1f80, 0x0180];
const { overflow, underflow, precision } = exception;

/** @returns what an operation raises under an MXCSR */
function raised(mxcsr: number, run: (unit: SseUnit) => void): number {
  const unit = new SseUnit();
  unit.begin(mxcsr);
  run(unit);
  return unit.raised;
}

const narrowed = (value: number) => (unit: SseUnit) => void unit.narrow(value);
const multiplied = (a: number, b: number) => (unit: SseUnit) => void unit.arithmetic(operations.mul, a, b, single);

test.each([
  ['cvtsd2ss', narrowed(3 * 2 ** -150), underflow],
  ['cvtsd2ss', narrowed(2 ** 200), overflow],
  ['mulss', multiplied(3 * 2 ** -100, 2 ** -50), underflow],
  ['mulss', multiplied(2 ** 100, 2 ** 100), overflow],
])('%s: what is inexact only because of the range is so only where the exception is masked', (_name, run, alone) => {
  expect(raised(masked, run)).toBe(alone | precision);
  expect(raised(unmasked, run)).toBe(alone);
});

test.each([
  ['cvtsd2ss', narrowed(2 ** -130 * (1 + 2 ** -52)), underflow],
  ['mulss', multiplied(2 ** -70 * (1 + 2 ** -23), 2 ** -70 * (1 + 2 ** -23)), underflow],
])('%s: what is inexact anyway is so in both', (_name, run, alone) => {
  expect(raised(masked, run)).toBe(alone | precision);
  expect(raised(unmasked, run)).toBe(alone | precision);
});
