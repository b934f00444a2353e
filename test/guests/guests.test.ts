import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { outputPath, cases as powerpcCases, readExpectations, x86Cases } from './cases.ts';
import { binaryHash, programs, readManifest, sourceHash } from './programs.ts';

const cases = [...powerpcCases, ...x86Cases];
const manifest = readManifest();

describe('guest programs agree with the manifest', () => {
  test('which lists each of them, and nothing else', () => {
    expect(Object.keys(manifest).sort()).toEqual(
      programs()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test.each(programs())('$name was built from its present source (else: npm run guests)', (program) => {
    expect(sourceHash(program)).toBe(manifest[program.name].source);
  });

  test.each(programs())('$name is the ELF file that was built', ({ name }) => {
    expect(binaryHash(name)).toBe(manifest[name].binary);
  });
});

test('each case has an expectation, and each expectation a case', () => {
  expect(Object.keys(readExpectations()).sort()).toEqual(cases.map(({ name }) => name).sort());
});

test('a case has its output in a file or as a digest, not both', () => {
  const twice = cases.filter(
    ({ name }) => readExpectations()[name].digest !== undefined && existsSync(outputPath(name)),
  );
  expect(twice).toEqual([]);
});
