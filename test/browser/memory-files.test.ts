/** The personality's file tests once more, on files in memory: what they do to the host's files they do to these. */
import { expect, test, vi } from 'vitest';
import type { MemoryFiles } from '../../src/browser/memory-files.ts';
import type { FileStatus } from '../../src/host/host.ts';

const shared = vi.hoisted(() => ({ files: undefined as MemoryFiles | undefined }));

vi.mock('../../src/host/node-files.ts', () => ({
  // A function, because "new" gives what it returns.
  NodeFiles: function NodeFiles() {
    return shared.files;
  },
}));

vi.mock('node:fs', async (original) => {
  const real: object = await original();
  const { hostSide, standardFiles } = await import('./standard-files.ts');
  const host = hostSide(() => shared.files as MemoryFiles);
  /** Begins each test with fresh files. */
  const mkdtempSync = (): string => {
    shared.files = standardFiles().files;
    host.mkdirSync('/tmp/test');
    return '/tmp/test';
  };
  return { ...real, ...host, mkdtempSync };
});

await import('../linux/files.test.ts');

test('these are the files in memory', () => {
  const files = shared.files as MemoryFiles;
  expect((files.status(new TextEncoder().encode('/home/user'), true) as FileStatus).dev).toBe(0x2an);
});
