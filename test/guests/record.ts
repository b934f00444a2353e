/**
 * Records what the cases give under QEMU, and those for x86 on the processor itself, as their expectations
 * (`node test/guests/record.ts [CASE…]`).
 * QEMU_PPC names the program to use instead of `qemu-ppc`: record with 10.0 or later, 7.2's libm results are wrong.
 * Expectations with a correction are left alone.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { runCase, runNatively } from '../programs/run-guest.ts';
import { cases, type Expectation, expectationsPath, outputPath, readExpectations, x86Cases } from './cases.ts';

/** Outputs longer than this, in bytes, are kept as a digest. */
const longest = 200_000;

const chosen = process.argv.slice(2);
const previous = existsSync(expectationsPath) ? readExpectations() : {};
const expectations: Record<string, Expectation> = {};

mkdirSync(dirname(expectationsPath), { recursive: true });
for (const one of [...cases, ...x86Cases]) {
  const known = previous[one.name];
  if (known !== undefined && (known.correction !== undefined || (chosen.length > 0 && !chosen.includes(one.name)))) {
    expectations[one.name] = known;
    continue;
  }
  const isNative = x86Cases.includes(one);
  const { status, stdout, stderr } = isNative
    ? await runNatively(one)
    : await runCase([process.env.QEMU_PPC ?? 'qemu-ppc'], one);
  const long = stdout.length > longest;
  if (!long && stdout.length > 0) writeFileSync(outputPath(one.name), stdout);
  expectations[one.name] = {
    status,
    ...(stderr !== '' && status < 128 ? { stderr } : {}),
    ...(long ? { digest: createHash('sha256').update(stdout).digest('hex') } : {}),
  };
  console.log(`${one.name}: status ${status}, ${stdout.length} bytes`);
}
for (const file of readdirSync(dirname(expectationsPath))) {
  if (file.endsWith('.txt') && !(basename(file, '.txt') in expectations)) rmSync(join(dirname(expectationsPath), file));
}
writeFileSync(expectationsPath, `${JSON.stringify(expectations, null, 2)}\n`);
