/**
 * The interpreter on the file tests. `STELE_ACCEPT=1 vitest run test/ir/filetests.test.ts` writes what it
 * does now into the files as the expectation: read the difference before it is committed.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { type Operation, operations } from '../../translators/ir/operations.ts';
import { vectorScalars } from '../../translators/ir/vector-operations.ts';
import { type Executor, effectOf, readCases, withEffects } from './filetest.ts';
import { testFrontend, testMachine } from './guest.ts';
import { interpretInHalves, needsHalves } from './in-halves.ts';

const directory = new URL('./filetests/', import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith('.ir'));
const accept = process.env.STELE_ACCEPT === '1';

const interpret: Executor = (unit, state, memory) => {
  if (needsHalves(unit)) {
    interpretInHalves(unit, state, memory);
    return;
  }
  const { pc } = state;
  new Interpreter(testFrontend, state, memory, testMachine, (at) => (at === pc ? unit : undefined)).step();
};

const seen = new Set<number>();

describe.each(files)('%s', (file) => {
  const path = new URL(file, directory);
  const text = readFileSync(path, 'utf8');
  const cases = readCases(text);
  const effects = new Map<number, string>();
  for (const { unit } of cases) for (const op of unit.op.subarray(0, unit.count)) seen.add(op);

  test.each(cases)('$name', (entry) => {
    expect(entry.runs.length).toBeGreaterThan(0);
    for (const run of entry.runs) {
      const effect = effectOf(entry, run, interpret);
      effects.set(run.line, effect);
      if (!accept) expect(effect, run.input).toBe(run.expected);
    }
    if (accept) writeFileSync(path, withEffects(text, effects));
  });
});

/** vectors.test.ts tests these, and their forms on halves with them. */
const testedAsVectors = ({ name, flags, operands, result }: Operation): boolean =>
  flags.has('called') ||
  result === 'v128' ||
  operands.includes('v128') ||
  vectorScalars.some(([scalar]) => scalar === name);

test('every operation has a case', () => {
  const missing = operations
    .filter((operation) => !seen.has(operation.code) && !testedAsVectors(operation))
    .map((operation) => operation.name);
  expect(missing).toEqual([]);
});
