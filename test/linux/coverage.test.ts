import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { abis } from '../../src/linux/abi/abis.ts';
import { coveragePage } from '../../src/linux/coverage.ts';
import { systemCalls } from '../../src/linux/table.ts';

test('docs/system-calls.md is what the rows say (node scripts/system-calls.ts writes it)', () => {
  const page = readFileSync(new URL('../../docs/system-calls.md', import.meta.url), 'utf8');
  expect(page).toBe(coveragePage(abis, systemCalls));
});
