/** Where qemu-ppc is installed: the recorded expectations are what it gives, but for the corrections. */
import { describe, expect, test } from 'vitest';
import { cases } from '../guests/cases.ts';
import { expectations, expectOutcome } from './expectations.ts';
import { qemuVersion, runCase } from './run-guest.ts';

const version = qemuVersion();
const compared = version === undefined ? [] : cases.filter(({ name }) => expectations[name].correction === undefined);
const leftOut = cases.filter((one) => !compared.includes(one)).map(({ name }) => name);

describe('expectations are what QEMU gives', () => {
  test('or are left out, by name', () => {
    const why = version === undefined ? 'no qemu-ppc here' : `expectations corrected by hand, qemu-ppc ${version}`;
    console.info(`Not compared with QEMU (${why}): ${leftOut.join(', ')}`);
    expect(compared.length + leftOut.length).toBe(cases.length);
  });

  for (const one of compared) {
    test(one.name, { timeout: 90_000 }, async () => {
      expectOutcome(one, await runCase(['qemu-ppc'], one));
    });
  }
});
