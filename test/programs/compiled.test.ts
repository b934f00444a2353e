/**
 * Where powerpc-linux-gnu-gcc and qemu-ppc are installed: the checks compiled here with other
 * optimization, and programs that are not worth a prebuilt file, give what they give on QEMU.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases } from '../guests/cases.ts';
import { compiler, folder, lenient, programs } from '../guests/programs.ts';
import { expectations } from './expectations.ts';
import { qemuVersion, runCase, steleCommand } from './run-guest.ts';

const hasCompiler = spawnSync(compiler, ['--version']).status === 0;
const able = hasCompiler && qemuVersion() !== undefined;
const levels = ['-O0', '-O3'];
const checks = cases.filter(({ program, name }) => program === 'checks' && expectations[name].correction === undefined);
const single = readdirSync(join(folder, 'src/compiled')).map((name) => basename(name, '.c'));

let temporary = '';
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'stele-compiled-'));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

function compile(name: string, level: string, sources: readonly string[]): string {
  const binary = join(temporary, `${name}${level}`);
  execFileSync(compiler, [level, '-static', ...lenient, ...sources, '-o', binary, '-lm'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  return binary;
}

test('programs compiled here are compared with QEMU, or left out', () => {
  if (!able) console.info('Not compared: programs compiled here (powerpc-linux-gnu-gcc or qemu-ppc is not installed)');
  expect(checks.length).toBeGreaterThan(0);
});

for (const level of able ? levels : []) {
  describe(`checks compiled with ${level}`, () => {
    const { sources } = programs().find(({ name }) => name === 'checks')!;
    let binary = '';
    beforeAll(() => {
      binary = compile('checks', level, sources);
    }, 120_000);

    test.each(checks)('$name', { timeout: 120_000 }, async (one) => {
      const [stele, qemu] = [
        await runCase(steleCommand('auto'), one, binary),
        await runCase(['qemu-ppc'], one, binary),
      ];
      expect(stele.stdout.toString('latin1')).toBe(qemu.stdout.toString('latin1'));
      expect(stele.status).toBe(qemu.status);
    });
  });
}

describe.each(able ? single : [])('%s, compiled here', (name) => {
  test.each(['-O0', '-O2'])('%s', { timeout: 120_000 }, async (level) => {
    const binary = compile(name, level, [`src/compiled/${name}.c`]);
    const one = { name, program: name, args: [] };
    const [stele, qemu] = [await runCase(steleCommand('auto'), one, binary), await runCase(['qemu-ppc'], one, binary)];
    expect(stele).toEqual(qemu);
  });
});
