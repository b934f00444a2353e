import { expect, it } from 'vitest';
import { coveragePage, rowsOutsideTheManual } from '../../translators/x86/coverage.ts';

it('docs/x86-coverage.md is what the tables say', async () => {
  await expect(coveragePage()).toMatchFileSnapshot('../../docs/x86-coverage.md');
});

it('every row has a name and a feature that the lists of the manual have', () => {
  expect(rowsOutsideTheManual()).toEqual([]);
});
