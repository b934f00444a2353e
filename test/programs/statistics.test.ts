/** What `--stats` and `--json` tell of programs whose work is known, and the end of one that never ends. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { CodeCost, Tier, TierCost } from '../../src/engines/statistics.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { binaryPath } from '../guests/programs.ts';
import { type Engine, engines, run, steleCommand } from './run-guest.ts';

/** Of src/freestanding/count.S: seven instructions around 2 million rounds of four. */
const instructions = 2_000_000 * 4 + 7;

describe.each(engines)('engine %s', (engine) => {
  test('counts the guest instructions of a loop exactly', { timeout: 60_000 }, async () => {
    const { stderr } = await run([...steleCommand(engine, '--json'), binaryPath('count')]);
    expect(JSON.parse(stderr).guestInstructions).toBe(instructions);
  });

  test('a loop without end dies of SIGTERM', { timeout: 60_000 }, async () => {
    const [program, ...args] = [...steleCommand(engine), binaryPath('endless')];
    const child = spawn(program, args, { stdio: 'ignore' });
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const ended = new Promise((resolve) => child.on('exit', (_, signal) => resolve(signal)));
    child.kill('SIGTERM');
    expect(await ended).toBe('SIGTERM');
  });
});

/** The parts of `--json` that tell what was translated. */
interface Translated {
  readonly pageProtection: string;
  readonly checkedBecause: string;
  readonly tiers: Readonly<Record<Tier, TierCost>>;
  readonly translations?: readonly (CodeCost & { tier: Tier; address: number; function: string; at: number })[];
}

async function statisticsOf(engine: Engine, options: readonly string[], environment = {}): Promise<Translated> {
  const command = [...steleCommand(engine, '--json', ...options), binaryPath('benchmarks'), 'sieve', '0.01'];
  const { stderr } = await run(command, { environment });
  return JSON.parse(stderr);
}

const tierOf: Readonly<Record<Engine, Tier>> = {
  interpreted: 'interpreter',
  blocks: 'javascriptBlocks',
  regions: 'javascriptRegions',
  wasm: 'webassemblyRegions',
  auto: 'webassemblyRegions',
};

describe.each(engines)('what the engine %s made', (engine) => {
  test('is told by tier and by translation', { timeout: 60_000 }, async () => {
    const { tiers, translations = [] } = await statisticsOf(engine, ['--stats-full']);
    const used = Object.entries(tiers).filter(([, { count }]) => count > 0);
    const usesInterpreter = engine === 'interpreted' || engine === 'blocks' || engine === 'auto';
    expect(used.map(([tier]) => tier).filter((tier) => tier !== 'interpreter' || usesInterpreter)).toEqual([
      ...new Set([...(usesInterpreter ? ['interpreter'] : []), tierOf[engine]]),
    ]);
    for (const [tier, cost] of used) {
      const own = translations.filter((one) => one.tier === tier);
      expect(cost.instructions).toBeGreaterThanOrEqual(cost.count);
      expect(cost.size).toBeGreaterThan(cost.instructions);
      expect(cost.liftTime).toBeGreaterThan(0);
      expect(cost.emitTime).toBeGreaterThan(0);
      if (tier === 'interpreter') continue;
      expect(own).toHaveLength(cost.count);
      for (const key of ['instructions', 'size', 'liftTime', 'optimizeTime', 'emitTime', 'compileTime'] as const) {
        expect(cost[key]).toBeGreaterThan(0);
        expect(own.reduce((sum, one) => sum + one[key], 0)).toBeCloseTo(cost[key]);
      }
    }
    expect(translations.some((one) => /^run_sieve\+0x[0-9a-f]+$/.test(one.function))).toBe(engine !== 'interpreted');
    const times = translations.map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

test('nothing is translated on auto of a program that ends soon after its first loops', async () => {
  const command = [...steleCommand('auto', '--json'), binaryPath('benchmarks'), 'mix', '0.00002'];
  const { guestInstructions, tiers } = JSON.parse((await run(command)).stderr);
  expect(guestInstructions).toBeGreaterThan(50_000);
  expect(guestInstructions).toBeLessThan(100_000);
  expect(tiers.webassemblyRegions.count).toBe(0);
});

describe('page protection', () => {
  const isAvailable = new AddressSpace('big', findHostPages).enableHostProtection();
  const withoutKoffi = {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, '../host/hide-packages.mjs')}`,
    HIDDEN_PACKAGES: 'koffi,@koromix/',
  };

  test('is told, and why accesses are checked', { timeout: 60_000 }, async () => {
    if (!isAvailable) console.info('Not tested: protection by the host (there is none here)');
    const { pageProtection, checkedBecause } = await statisticsOf('wasm', []);
    expect({ pageProtection, because: checkedBecause !== '' }).toEqual(
      isAvailable ? { pageProtection: 'by the host', because: false } : { pageProtection: 'checked', because: true },
    );
    expect(await statisticsOf('wasm', [], withoutKoffi)).toMatchObject({
      pageProtection: 'checked',
      checkedBecause: process.platform === 'linux' ? 'koffi is not installed' : expect.stringContaining('not Linux'),
    });
    expect(await statisticsOf('regions', [])).toMatchObject({
      pageProtection: 'checked',
      checkedBecause: expect.stringContaining('no'),
    });
  });

  test('stands in the table with its reason', async () => {
    const command = [...steleCommand('wasm', '--stats'), binaryPath('count')];
    const { stderr } = await run(command, { environment: withoutKoffi });
    expect(stderr).toMatch(/^page protection +checked$/m);
    expect(stderr).toMatch(/^accesses were checked: (koffi is not installed|the host is \w+, not Linux)$/m);
    expect(stderr).toMatch(/^WebAssembly regions +2 +15 +[\d,]+ bytes /m);
    expect(stderr).not.toMatch(/^interpreter blocks|^translation {2}/m);
  });
});

test('translations are listed only where that is asked for', async () => {
  expect((await statisticsOf('wasm', [])).translations).toBeUndefined();
  const { stderr } = await run([...steleCommand('wasm', '--stats-full'), binaryPath('count')]);
  expect(stderr).toMatch(/^WebAssembly region +0x[0-9a-f]{8} {2}_start\+0x0 +[\d.]+ ms +8 /m);
});

test('docs/debugging.md has every key of the JSON', async () => {
  const page = readFileSync(new URL('../../docs/debugging.md', import.meta.url), 'utf8');
  const statistics = await statisticsOf('wasm', ['--stats-full']);
  expect(Object.keys(statistics).filter((key) => !page.includes(`\`${key}\``))).toEqual([]);
});
