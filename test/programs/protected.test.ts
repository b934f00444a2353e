/** Guest programs with the host's page protection on: an access that nothing checked would end the process. */
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { cases } from '../guests/cases.ts';
import { expectOutcome } from './expectations.ts';
import { runCase } from './run-guest.ts';

const isAvailable = new AddressSpace('big', findHostPages).enableHostProtection();
if (!isAvailable) console.info('Not tested: guest programs in protected pages (none on this host)');
/** What only computes needs no protection, and runs with it on the engines that have it anyway. */
const calling = cases.filter(({ name }) => !/^(benchmark|example)-/.test(name));
const script = join(import.meta.dirname, 'protected-guest.ts');

describe.runIf(isAvailable)('guest programs in protected pages', () => {
  test.each(calling)('$name', { timeout: 90_000 }, async (one) => {
    expectOutcome(one, await runCase([process.execPath, script, 'auto'], one));
  });
});
