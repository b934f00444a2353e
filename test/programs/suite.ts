/** Runs cases on one engine. Each engine has a test file of its own, so that they run side by side. */
import { describe, test } from 'vitest';
import type { Case } from '../guests/cases.ts';
import { expectSteleOutcome } from './expectations.ts';
import { type Engine, runCase, steleCommand } from './run-guest.ts';

/** @param command when it is not the engine's own */
export function runsCases(engine: Engine, chosen: readonly Case[], command = steleCommand(engine)): void {
  describe(`guest programs, engine ${engine}`, () => {
    test.each(chosen)('$name', { timeout: 90_000 }, async (one) => {
      expectSteleOutcome(one, await runCase(command, one));
    });
  });
}
