/** Files that are made from the operations' table say what the table says now. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { generateFold } from '../../scripts/generate-fold.ts';
import { generateInterpreter } from '../../scripts/generate-interpreter.ts';
import { generateDocs } from '../../scripts/generate-ir-docs.ts';
import { generateVectorLanes } from '../../scripts/generate-vector-lanes.ts';
import { operations } from '../../translators/ir/operations.ts';

const fileText = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

test('the interpreter is up to date: else run node scripts/generate-interpreter.ts', () => {
  expect(fileText('translators/ir/interpreter.generated.ts') === generateInterpreter()).toBe(true);
});

test('folding is up to date: else run node scripts/generate-fold.ts', () => {
  expect(fileText('translators/ir/fold.generated.ts') === generateFold()).toBe(true);
});

test('lanes of vectors are up to date: else run node scripts/generate-vector-lanes.ts', () => {
  expect(fileText('translators/ir/vector-lanes.generated.ts') === generateVectorLanes()).toBe(true);
});

test('docs/ir.md is up to date: else run node scripts/generate-ir-docs.ts', () => {
  expect(fileText('docs/ir.md') === generateDocs()).toBe(true);
});

test('docs/ir.md has every operation once', () => {
  const listed = [...generateDocs().matchAll(/^\| `([^`]+)` \|/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual(operations.map((operation) => operation.name).sort());
});
