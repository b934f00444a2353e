/** Programs that run on translations which runs of other cases have kept. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { decodeFile } from '../../src/cache/translation-file.ts';
import { computingCases } from '../guests/cases.ts';
import { cachingCommand } from './run-guest.ts';
import { runsCases } from './suite.ts';

const directory = mkdtempSync(join(tmpdir(), 'stele-kept-'));
afterAll(() => rmSync(directory, { recursive: true }));

runsCases('wasm', computingCases, cachingCommand('wasm', directory));

test('the cases have kept their translations together', () => {
  const programs = readdirSync(directory).map((name) => {
    const file = decodeFile(new Uint8Array(readFileSync(join(directory, name))));
    return [...(file?.translations.values() ?? [])].reduce((sum, byAddress) => sum + byAddress.size, 0);
  });
  expect(programs.length).toBe(new Set(computingCases.map(({ program }) => program)).size);
  expect(Math.max(...programs)).toBeGreaterThan(500);
});
