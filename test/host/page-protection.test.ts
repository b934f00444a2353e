import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { findHostPages, isGuarded } from '../../src/host/page-protection.ts';

describe('what /proc/self/maps must show', () => {
  const rest = '55e000000000-55e000010000 r-xp 00000000 08:01 42 /usr/bin/node\n';
  const memory = '7f0000000000-7f0000010000 rw-p 00000000 00:00 0 \n';
  const guard = '7f0000010000-7f0200000000 ---p 00000000 00:00 0 \n';
  // biome-ignore format: one row per line
  test.each([
    ['a memory and its guard', rest + memory + guard, true],
    ['a range before it that merged with it', rest + memory.replace('7f0000000000', '7effffff0000') + guard, true],
    ['a part of it', rest + memory.replace('7f0000000000', '7f0000001000') + guard, false],
    ['no guard', rest + memory, false],
    ['a guard that does not cover every offset', rest + memory + guard.replace('7f02', '7f01'), false],
    ['a guard elsewhere', rest + memory + guard.replace('7f0000010000', '7f0000020000'), false],
    ['something accessible behind the memory', rest + memory + guard.replace('---p', 'rw-p'), false],
    ['another length', rest + memory.replace('7f0000010000', '7f0000020000') + guard, false],
    ['a protected memory', rest + memory.replace('rw-p', 'r--p') + guard, false],
    ['nothing', '', false],
  ])('%s', (_name, maps, expected) => {
    expect(isGuarded(maps, 0x7f0000000000, 0x10000)).toBe(expected);
  });
});

describe('finding host pages', () => {
  const find = JSON.stringify(join(import.meta.dirname, '../../src/host/page-protection.ts'));
  const script = `
    const { findHostPages } = await import(${find});
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
    console.log(findHostPages(memory).reason ?? 'available');`;
  const hide = ['--import', join(import.meta.dirname, 'hide-packages.mjs')];
  const run = (flags: readonly string[] = [], hidden = ''): string => {
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [...flags, '--input-type=module', '--eval', script],
      { encoding: 'utf8', env: { ...process.env, HIDDEN_PACKAGES: hidden } },
    );
    expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: '' });
    return stdout.trim();
  };

  test('without koffi', () => {
    expect(run(hide, 'koffi,@koromix/')).toBe('koffi is not installed');
  });

  test('where only koffi finds its package for this processor', () => {
    expect(run(hide, '@koromix/')).toBe(run());
  });

  test('where V8 does not turn faults into traps', () => {
    expect(run(['--disable-wasm-trap-handler'])).toMatch(/^V8 does not catch faults here/);
  });
});

test('the host is asked for huge pages, where it has them', () => {
  if (!existsSync('/sys/kernel/mm/transparent_hugepage/enabled')) return;
  // How many mappings are so marked: others need not be.
  const asked = (): number => readFileSync('/proc/self/smaps', 'latin1').match(/^VmFlags:.* hg\b/gm)?.length ?? 0;
  const before = asked();
  const pages = findHostPages(new WebAssembly.Memory({ initial: 64, maximum: 64, shared: true }));
  expect(asked()).toBe(before + ('reason' in pages ? 0 : 1));
});
