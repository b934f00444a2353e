/** Stacks of errors that are thrown beneath translated code: which guest functions, addresses and source lines they name. */
import { expect, test, vi } from 'vitest';
import { describeInternalError } from '../../src/diagnostics/stack-trace.ts';
import { runThread } from '../../src/linux/run.ts';
import { makeGuest } from './guest.ts';

// What runs once is not translated otherwise.
vi.mock(import('../../src/engines/translated/policy.ts'), async (importOriginal) => {
  const original = await importOriginal();
  const { policies } = original;
  return {
    ...original,
    policies: {
      ...policies,
      regions: { ...policies.regions, profiled: false, largeFunction: Number.POSITIVE_INFINITY, translateAtOnce: true },
    },
  };
});

/** The report of the error that running a guest ends with. */
async function failure(guest: ReturnType<typeof makeGuest>): Promise<string> {
  return runThread(guest.thread, guest.engine).then(
    () => 'no error',
    (error) => describeInternalError(error),
  );
}

/** The guest's frames, innermost first. */
const frames = (report: string): string[] => report.match(/(?<= at )\S+ \[0x\w+\] \(.*\)/g) ?? [];

test('with line tables, frames name function, address and source line', async () => {
  let calls = 0;
  // A helper that fails: the one that logs the blocks entered, in the fourth call of a function.
  const log = {
    wants: (kind: string) => kind === 'exec',
    write: (_kind: string, text: string) => {
      if (text.includes('dereference+0x0') && ++calls === 4) throw new TypeError('out of paper');
    },
  };
  const report = await failure(makeGuest('lines', 'regions', { log }));
  expect(report).toMatch(/^stele: internal error: TypeError: out of paper\n {4}at /);
  expect(frames(report)).toEqual([
    expect.stringMatching(/^dereference\+0x0 \[0x100000c0\] \(.*lines\.c:8:1\)$/),
    expect.stringMatching(/^middle\+0x34 \[0x10000144\] \(.*lines\.c:15:1\)$/),
    expect.stringMatching(/^_start\+0x48 \[0x100001e8\] \(.*lines\.c:21:1\)$/),
  ]);
});

const outOfPaper = {
  begin: () => {
    throw new Error('out of paper');
  },
  end: () => {},
};

test('without line tables, frames name function and address', async () => {
  const report = await failure(makeGuest('hello', 'regions', { observer: outOfPaper }));
  expect(report).toMatch(/^stele: internal error: Error: out of paper\n/);
  expect(report).toMatch(/\n {4}at Dispatcher\.dispatch \(/);
  expect(frames(report)).toEqual(['_start+0x14 [0x10000068] (guest:_start:21:1)']);
});

test('frames lie on the calls of the C library that led there', async () => {
  const names = frames(await failure(makeGuest('benchmarks', 'regions', { observer: outOfPaper })));
  expect(names.length).toBeGreaterThan(1);
  expect(names.at(-1)).toMatch(/^__libc_start_main(_impl)?\+0x[0-9a-f]+ \[0x1[0-9a-f]{7}\] \(guest:__libc_start_main/);
});

test('two guests with the same program keep their names apart', async () => {
  for (let i = 0; i < 2; i++) {
    const report = await failure(makeGuest('hello', 'regions', { observer: outOfPaper }));
    expect(frames(report)).toHaveLength(1);
  }
});

test('what is thrown and no error is shown as it is', () => {
  expect(describeInternalError('a text')).toBe('stele: internal error: a text\n');
});
