/**
 * Random programs on every engine that translates: registers, memory, faults and their places as in the interpreter.
 * `npm run fuzz` runs on; SEED repeats.
 */
import { afterAll, expect, test } from 'vitest';
import { generator, seed } from '../float/cases.ts';
import { describeFailure, findFailure, minimize } from '../fuzz/compare.ts';
import { FuzzMachine } from '../fuzz/machine.ts';
import { createProgram, kinds } from '../fuzz/programs.ts';

/** Programs of each kind, at most, and the time for them in milliseconds. */
const most = 60;
const time = 1200;

const machine = new FuzzMachine();
afterAll(() => machine.close());

test.each(kinds)('programs of the kind "%s" do what they do in the interpreter', { timeout: 120_000 }, (kind) => {
  const next = generator(seed);
  const end = performance.now() + time;
  let stops = 0;
  for (let i = 0; i < most && performance.now() < end; i++) {
    const program = createProgram(kind, next());
    const failure = findFailure(machine, program);
    expect(failure && describeFailure(minimize(machine, failure)), `SEED=${seed}`).toBeUndefined();
    stops += machine.run(program, 'interpreted').stops.length;
  }
  // Each program ends at least once.
  expect(stops).toBeGreaterThan(0);
});
