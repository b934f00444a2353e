import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // All cores: on two, Vitest's default of one less takes nearly twice as long.
    maxWorkers: '100%',
    // No test asserts time: a limit is there so that a hang ends, on a machine that is busy with other things, too.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
  },
});
