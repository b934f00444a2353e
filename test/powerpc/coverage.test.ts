import { expect, it } from 'vitest';
import { coveragePage } from '../../translators/powerpc/coverage.ts';

it('docs/powerpc-coverage.md is what the tables say', async () => {
  await expect(coveragePage()).toMatchFileSnapshot('../../docs/powerpc-coverage.md');
});
