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

/** Signals whose default action dumps core: QUIT, ILL, TRAP, ABRT, BUS, FPE, SEGV, XCPU. */
const coreSignals = [3, 4, 5, 6, 7, 8, 11, 24];

/** As expectOutcome, for Stele: like QEMU it reports a death that would dump core. */
export function expectSteleOutcome(one: Case, outcome: Outcome): void {
  expectOutcome(one, outcome);
  const signal = expectations[one.name].status - 128;
  if (coreSignals.includes(signal)) expect(outcome.stderr).toContain(`uncaught target signal ${signal} (`);
}
