/** Guest programs with the host's page protection on: an access that nothing checked would end the process. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { cases } from '../guests/cases.ts';
import { expectOutcome } from './expectations.ts';
import { runCase } from './run-guest.ts';

const isAvailable = new AddressSpace('big', findHostPages).enableHostProtection();
if (!isAvailable) console.info('Not tested: guest programs in protected pages (none on this host)');
/** What only computes needs no protection, and runs with it on the engines that have it anyway. */
const calling = cases.filter(({ name }) => !/^(benchmark|example)-/.test(name));

/** Bundled, and with its compiled code kept: from the sources each start takes most of a second more. */
function bundle(directory: string): string {
  const script = join(directory, 'protected-guest.mjs');
  buildSync({
    entryPoints: [join(import.meta.dirname, 'protected-guest.ts')],
    outfile: script,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['koffi'],
  });
  const launcher = join(directory, 'launcher.mjs');
  const keeps = `import { enableCompileCache } from 'node:module';\nenableCompileCache(${JSON.stringify(directory)});\n`;
  writeFileSync(launcher, `${keeps}await import('./protected-guest.mjs');\n`);
  return launcher;
}

describe.runIf(isAvailable)('guest programs in protected pages', () => {
  let directory = '';
  let script = '';
  beforeAll(() => {
    // Where Node finds the packages.
    const cache = join(import.meta.dirname, '../../node_modules/.cache');
    mkdirSync(cache, { recursive: true });
    directory = mkdtempSync(join(cache, 'protected-'));
    script = bundle(directory);
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each(calling)('$name', { timeout: 90_000 }, async (one) => {
    expectOutcome(one, await runCase([process.execPath, script, 'auto'], one));
  });
});
