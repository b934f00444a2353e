/** Compares what a run gave with what a case expects. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Case, type Expectations, outputPath, readExpectations } from '../guests/cases.ts';
import type { Outcome } from './run-guest.ts';

export const expectations: Expectations = readExpectations();

/** Fails unless status, standard output and, where the run ended by itself, standard error are as expected. */
export function expectOutcome(one: Case, outcome: Outcome): void {
  const { status, stderr = '', digest } = expectations[one.name];
  if (digest !== undefined) {
    expect(createHash('sha256').update(outcome.stdout).digest('hex')).toBe(digest);
  } else {
    const path = outputPath(one.name);
    expect(outcome.stdout.toString('latin1')).toBe(existsSync(path) ? readFileSync(path, 'latin1') : '');
  }
  if (status < 128) expect(outcome.stderr).toBe(stderr);
  expect(outcome.status).toBe(status);
}

/** As expectOutcome, for Stele: it also reports the signal that a guest died of. */
export function expectSteleOutcome(one: Case, outcome: Outcome): void {
  expectOutcome(one, outcome);
  const { status } = expectations[one.name];
  // A guest that sends itself SIGKILL leaves nobody to report it.
  if (status > 128 && status !== 128 + 9) expect(outcome.stderr).toContain(`uncaught target signal ${status - 128} (`);
}
