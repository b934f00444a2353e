/** The examples compute the same, whatever they are built for: what is compared is one program. */
import { describe, expect, test } from 'vitest';
import { cases } from '../guests/cases.ts';
import { binaryPath, exampleName, x86Guests } from '../guests/programs.ts';
import { expectOutcome, expectSteleOutcome } from './expectations.ts';
import { runCase, runNatively, runsNatively, steleCommand } from './run-guest.ts';

const examples = cases.filter(({ name }) => name.startsWith('example-'));

test('each example has a run', () => {
  expect(new Set(examples.map(({ program }) => program))).toEqual(new Set(['donut', 'life', 'mandelbrot', 'forth']));
});

describe.each(x86Guests)('examples for %s', (guest) => {
  test.each(examples)('$name gives what it gives on PowerPC', { timeout: 90_000 }, async (one) => {
    expectSteleOutcome(one, await runCase(steleCommand('auto'), one, binaryPath(exampleName(one.program, guest))));
  });

  if (!runsNatively(binaryPath(exampleName('mandelbrot', guest)))) {
    console.info(`Not compared with the processor: examples for ${guest}, which it does not run.`);
    return;
  }
  test.each(examples)('$name gives it on the processor, too', { timeout: 90_000 }, async (one) => {
    expectOutcome(one, await runNatively(one, binaryPath(exampleName(one.program, guest))));
  });
});
