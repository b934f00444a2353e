/**
 * Programs compiled here for i386 and x86-64, on Stele and on the processor itself. Each guest has a test file of its own,
 * so that they run side by side.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, extname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Case, cases, computingCases } from '../guests/cases.ts';
import { binaryPath, compilers, folder, lenient, programs, type x86Guests } from '../guests/programs.ts';
import { type Engine, engines, type Outcome, runCase, runNatively, runsNatively, steleCommand } from './run-guest.ts';

type X86Guest = (typeof x86Guests)[number];

/** Sources of programs that are for both guests and need the C library. */
const sources = readdirSync(join(folder, 'src/x86')).filter((name) => !name.startsWith('bare'));
const single = sources.map((source): Case => ({ name: source, program: basename(source, extname(source)), args: [] }));

/** At its end, reading gives nothing, whether or not what is read could be stored. */
const withInput: ReadonlySet<string> = new Set(['faults']);
const checks = cases
  .filter(({ program }) => program === 'checks')
  .map((one) => (withInput.has(one.name) ? { ...one, stdin: 'input\n' } : one));
const benchmarks = cases.filter(({ program }) => program === 'benchmarks');
const isComputing = ({ name }: Case): boolean => computingCases.some((each) => each.name === name);

/** The engine that runs what tells translations apart, besides `auto`: one has 64-bit words in halves, the other whole. */
const further: Readonly<Record<X86Guest, Engine>> = { i386: 'regions', 'x86-64': 'wasm' };

/** Lets the C library compute as it does on a processor without fused multiply-add, which gives other signs of NaNs. */
const sameFeatures = { GLIBC_TUNABLES: 'glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2' };

/** What a 32-bit program hears of a 64-bit kernel's machine. */
const normalize = (text: string): string => text.replace(/^Linux x86_64$/m, 'Linux i686');

/** What must be equal: a report of Stele's own aside, all that a run gives. */
function visible({ status, stdout, stderr }: Outcome, isI386: boolean): unknown {
  const output = stdout.toString('latin1');
  return [status, isI386 ? normalize(output) : output, status < 128 ? stderr : ''];
}

export function comparesWithProcessor(guest: X86Guest): void {
  const compiler = compilers[guest];
  const hasCompiler = spawnSync(compiler, ['--version']).status === 0;
  const isNative = runsNatively(binaryPath(`${guest}/bare`));
  const isCompared = hasCompiler && isNative;
  const directory = mkdtempSync(join(tmpdir(), 'stele-x86-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  const binary = (name: string): string => join(directory, name);

  function compile(name: string, files: readonly string[], level: string): void {
    const options = [level, '-static', '-msse2', ...lenient, ...files, '-o', binary(name), '-lm'];
    execFileSync(compiler, options, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  }

  const nativeOutcomes = new Map<string, Promise<Outcome>>();
  /** A case on the processor, once for all engines. */
  function onProcessor(one: Case): Promise<Outcome> {
    const known = nativeOutcomes.get(one.name);
    const environment = { ...sameFeatures, ...one.environment };
    const outcome = known ?? runNatively({ ...one, environment }, binary(one.program));
    nativeOutcomes.set(one.name, outcome);
    return outcome;
  }

  async function compare(engine: Engine, one: Case): Promise<void> {
    const environment = { ...sameFeatures, ...one.environment };
    const outcome = await runCase(steleCommand(engine), { ...one, environment }, binary(one.program));
    expect(visible(outcome, guest === 'i386')).toEqual(visible(await onProcessor(one), guest === 'i386'));
  }

  test(`${guest} programs compiled here are compared with the processor, or left out`, () => {
    if (!hasCompiler) console.info(`Not compared: ${guest} programs compiled here (no ${compiler})`);
    else if (!isNative) console.info(`Not compared: ${guest} programs compiled here (this host does not run them)`);
    expect(checks.length).toBeGreaterThan(50);
    expect(single.length).toBeGreaterThan(0);
  });

  describe.runIf(isCompared)(`${guest} programs give what they give on the processor`, () => {
    beforeAll(() => {
      for (const name of ['checks', 'benchmarks']) {
        const { sources: files } = programs().find((program) => program.name === name)!;
        compile(name, files, '-O2');
      }
      for (const { name, program } of single) compile(program, [`src/x86/${name}`], '-O1');
    }, 240_000);

    test.each(checks)('$name', { timeout: 120_000 }, (one) => compare('auto', one));
    test.each(benchmarks)('$name', { timeout: 120_000 }, (one) => compare('auto', one));
    describe.each(engines)('engine %s', (engine) => {
      test.each(single)('$name', { timeout: 120_000 }, (one) => compare(engine, one));
    });
    describe(`engine ${further[guest]}`, () => {
      test.each(checks.filter(isComputing))('$name', { timeout: 120_000 }, (one) => compare(further[guest], one));
    });
  });
}
