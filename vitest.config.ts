import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // No test asserts time: a limit is there so that a hang ends, on a machine that is busy with other things, too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
