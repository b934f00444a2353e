/**
 * Where powerpc-linux-gnu-gcc is installed: the checks compiled here with other optimization, and
 * programs that are not worth a prebuilt file.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { cases } from '../guests/cases.ts';
import { compiler, folder, lenient, programs } from '../guests/programs.ts';
import { expectSteleOutcome } from './expectations.ts';
import { engines, qemuVersion, runCase, steleCommand } from './run-guest.ts';

const hasCompiler = spawnSync(compiler, ['--version']).status === 0;
const hasQemu = qemuVersion() !== undefined;
/** Their output tells how the compiler ordered and joined accesses to memory. */
const dependOnOptimization = ['faults', 'fault_fixing'];
const checks = cases.filter(({ program, name }) => program === 'checks' && !dependOnOptimization.includes(name));
/** QEMU's stack is what -s says, and does not grow. */
const growingStack = 'growing_stack';
const single = readdirSync(join(folder, 'src/compiled'))
  .map((name) => basename(name, '.c'))
  .filter((name) => name !== growingStack);

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

test('programs compiled here are compared, or left out', () => {
  if (!hasCompiler) console.info(`Not compared: programs compiled here (no ${compiler})`);
  else if (!hasQemu) console.info(`Not compared with QEMU (no qemu-ppc): ${single.join(', ')}`);
  expect(checks.length).toBeGreaterThan(0);
});

for (const level of hasCompiler ? ['-O0', '-O3'] : []) {
  describe(`checks compiled with ${level}`, () => {
    const { sources } = programs().find(({ name }) => name === 'checks')!;
    let binary = '';
    beforeAll(() => {
      binary = compile('checks', level, sources);
    }, 120_000);

    test.each(checks)('$name', { timeout: 120_000 }, async (one) => {
      expectSteleOutcome(one, await runCase(steleCommand('auto'), one, binary));
    });
  });
}

describe.each(hasCompiler && hasQemu ? single : [])('%s, compiled here', (name) => {
  test.each(['-O0', '-O2'])('%s', { timeout: 120_000 }, async (level) => {
    const binary = compile(name, level, [`src/compiled/${name}.c`]);
    const one = { name, program: name, args: [] };
    const [stele, qemu] = [await runCase(steleCommand('auto'), one, binary), await runCase(['qemu-ppc'], one, binary)];
    expect(stele).toEqual(qemu);
  });
});

describe.runIf(hasCompiler)('a stack that grows beyond what is mapped at the start', () => {
  let binary = '';
  beforeAll(() => {
    binary = compile(growingStack, '-O2', [`src/compiled/${growingStack}.c`]);
  }, 120_000);

  // What qemu-ppc -s 64000000 prints.
  test.each(engines)('%s', { timeout: 120_000 }, async (engine) => {
    const one = { name: growingStack, program: growingStack, args: [] };
    const outcome = await runCase(steleCommand(engine, '--stack-size', '1M'), one, binary);
    expect([outcome.status, String(outcome.stdout)]).toEqual([0, 'fa108c28\n']);
  });
});
