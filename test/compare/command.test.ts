/** `stele compare` and its probes as a user meets them, on every engine that this machine has. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { workPerTurn } from '../../src/compare/probes.ts';
import { type EngineName, engineNames } from '../../src/engines/create-engine.ts';
import { runMeasured } from '../../src/host/measured-child.ts';
import { binaryPath, exampleName, guests } from '../guests/programs.ts';
import { run, runsNatively, steleEntry } from '../programs/run-guest.ts';

const patience = { timeout: 120_000 };
const stele = [process.execPath, steleEntry()];

/**
 * What each probe computes in 1000 turns, whatever it runs on: of system calls those that went wrong, of pages those that
 * were zero and kept what was written, of signals those that came with the right address and place.
 */
const computed: readonly (readonly [probe: string, result: number])[] = [
  ['integer', 3336460315],
  ['float', 17999],
  ['memory', 1978860],
  ['call', 3000],
  ['indirect-branch', 3722304902],
  ['system-call', 0],
  ['page-touch', 1000],
  ['signal', 1000],
];

const cannotRun = 126;

describe.each(guests)('%s', (guest) => {
  const program = binaryPath(exampleName('probes', guest));
  const isNative = guest !== 'powerpc' && runsNatively(program);
  const names = [...engineNames, ...(isNative ? ['native' as const] : [])];
  const command = (engine: EngineName | 'native'): string[] =>
    engine === 'native' ? [program] : [...stele, 'run', '--no-cache', '--engine', engine, program];

  test.each(names)('probes compute the same on %s', patience, async (engine) => {
    const { status, stderr } = await run([...command(engine), '0', 'nothing']);
    if (status === cannotRun) {
      console.info(`Not tested: probes for ${guest}. ${stderr.trim()}`);
      expect(['virtualized', 'traced']).toContain(engine);
      return;
    }
    const inTurns = async (probe: string, turns: number): Promise<string> => {
      const { stdout } = await run([...command(engine), '0', probe, String(turns)]);
      return stdout.toString().replace(/ \d+$/gm, '');
    };
    const lines = computed.map(([probe, result]) => `${probe} 1000 ${result}\n`);
    expect(await inTurns('all', 1000)).toBe(lines.join(''));
    expect(await inTurns('system-call', 10_000)).toBe('system-call 10000 0\n');
    // 64 MiB, page by page.
    expect(await inTurns('page-touch', 16_384)).toBe('page-touch 16384 16384\n');
  });

  test.each(names)('%s can be stopped in an endless loop', patience, async (engine) => {
    const endless = command(engine).with(-1, binaryPath(exampleName('mandelbrot', guest)));
    const started = await runMeasured([...endless, '1', '1', '1'], { timeout: 60 });
    if (started.status === cannotRun) return;
    expect(started).toMatchObject({ status: 0, timedOut: false });
    const { timedOut, wall } = await runMeasured([...endless, '78', '31', '2000000000'], { timeout: 1 });
    expect(timedOut).toBe(true);
    expect(wall).toBeLessThan(30);
  });

  test('turns are the work that the model takes them for', patience, async () => {
    const turns = 1_000_000;
    for (const [probe, work] of Object.entries(workPerTurn[guest])) {
      const options = ['inspect', '--json', '--quiet', '--engine', 'wasm'];
      const { stdout } = await run([...stele, ...options, program, '0', probe, String(turns)]);
      const { totals } = JSON.parse(stdout.toString());
      const counted = { instructions: totals.executed, ...totals.work };
      for (const [kind, count] of Object.entries(work)) {
        // What comes before the loop, and its turns before it is translated, are not many.
        expect(Math.abs(counted[kind] / turns - count), `${probe}: ${kind}`).toBeLessThan(0.1);
      }
    }
  });
});

const mandelbrot = binaryPath(exampleName('mandelbrot', 'powerpc'));
const compare = (...args: string[]) => run([...stele, 'compare', ...args]);

test('costs are measured and explained', patience, async () => {
  const engines = ['--engines', 'auto,regions', '-n', '1'];
  const { stdout, status } = await compare(...engines, '--json', '-', mandelbrot, '20', '10', '2000');
  expect(status).toBe(0);
  const { results } = JSON.parse(stdout.toString());
  expect(results.map(({ engine }: { engine: string }) => engine)).toEqual(['auto', 'regions']);
  for (const { probes, work, explanation, counts } of results) {
    expect(Object.keys(probes.turns)).toEqual(computed.map(([probe]) => probe));
    expect(Math.min(...(Object.values(probes.turns) as number[]))).toBeGreaterThan(0);
    expect(work.instructions).toBeGreaterThan(200_000);
    expect(work.floatOperations).toBeGreaterThan(work.memoryAccesses);
    expect(counts.systemCalls).toBe(2);
    expect(explanation.instructions).toBeGreaterThan(0);
  }
});

test('engines that run endlessly are stopped, and named', patience, async () => {
  const limits = ['--timeout', '2', '-n', '1', '--no-probes'];
  const { stdout, status } = await compare(...limits, '--engines', 'auto,blocks', mandelbrot, '78', '31', '2000000000');
  expect(stdout.toString()).toMatch(/^auto .* over 2 /m);
  expect(stdout.toString()).toContain('powerpc, auto: stopped after 2 s');
  expect(stdout.toString()).toContain('powerpc, blocks: stopped after 2 s');
  expect(stdout.toString()).toContain('No run came to its end in time');
  expect(status).toBe(2);
});

test('without koffi all works but what needs it, which is named', patience, async () => {
  const environment = {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, '../host/hide-packages.mjs')}`,
    HIDDEN_PACKAGES: 'koffi,@koromix/',
  };
  const x86 = binaryPath(exampleName('mandelbrot', 'x86-64'));
  const engines = ['--engines', 'virtualized,traced,auto,interpreted', '-n', '1'];
  const { stdout, stderr, status } = await run([...stele, 'compare', ...engines, x86, '20', '10'], { environment });
  expect(status).toBe(0);
  expect(stderr).toContain('without koffi neither processor time nor memory of other processes can be measured');
  const text = stdout.toString();
  expect(text).toMatch(/^auto .* \d\.\d{3} +±\d+% .* - +- +-$/m);
  expect(text).toContain('All outputs are equal: 210 bytes');
  expect(text).toContain('What that explains of the wall time');
  for (const engine of ['virtualized', 'traced']) {
    expect(text).toMatch(new RegExp(`^${engine} is left out: .*(koffi|need)`, 'm'));
  }
});
