/** `-d` and `-D` as users give them, on every engine. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { binaryPath } from '../guests/programs.ts';
import { engines, run, steleCommand } from '../programs/run-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-log-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(engines)('on the engine %s', (engine) => {
  /** Runs a program. @returns the log's lines */
  async function logged(kinds: string, program: string, ...args: string[]): Promise<string[]> {
    const file = join(folder, 'log');
    const { stderr } = await run([...steleCommand(engine, '-d', kinds, '-D', file), binaryPath(program), ...args]);
    expect(stderr.replace(/^stele: uncaught target signal 11.*/s, '')).toBe('');
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  }

  test('in_asm shows the guest code of each block', async () => {
    const lines = await logged('in_asm', 'hello');
    expect(lines[0]).toBe('IN: 0x10000054 (_start+0x0)');
    expect(lines[1]).toMatch(/^0x10000054: {2}li +r3,1$/);
    expect(lines.filter((line) => /^0x[0-9a-f]{8}: {2}sc$/.test(line))).toHaveLength(2);
  });

  test('op shows its IR', async () => {
    const lines = await logged('op', 'hello');
    expect(lines[0]).toBe('block 0x10000054 (6 instructions, ends 0x1000006c)');
    expect(lines.join('\n')).toMatch(/\n +set\.i32 r0, v\d+\n/);
  });

  test('out_js shows the JavaScript of what is translated, out_wasm the WebAssembly', async () => {
    const usesWebAssembly = engine === 'wasm' || engine === 'auto';
    for (const [kind, expected, instruction] of [
      ['out_js', engine === 'blocks' || engine === 'regions', /^const S = /],
      ['out_wasm', usesWebAssembly, /^ +i32\.add$/],
    ] as const) {
      const lines = await logged(kind, 'benchmarks', 'sieve', '0.001');
      const functions = lines.filter((line) => line.startsWith('function '));
      for (const line of functions) expect(line).toMatch(/^function \w+_1[0-9a-f]{7}(\(| ;; \d+ bytes)/);
      expect(functions.length > 0).toBe(expected);
      expect(lines.some((line) => instruction.test(line))).toBe(expected);
    }
  }, 30_000);

  test('exec shows the blocks that are entered, in order', async () => {
    const lines = await logged('exec', 'lines');
    const entered = lines.map((line) => /^EXEC: 0x[0-9a-f]{8} \((\w+)\+0x0\)$/.exec(line)?.[1]).filter(Boolean);
    const round = ['middle', 'dereference'];
    expect(entered).toEqual(['_start', ...round, ...round, ...round, ...round]);
  });

  test('kinds come together, and only those that were asked for', async () => {
    const lines = await logged('unimp,exec', 'unknown-system-call');
    expect(lines[0]).toMatch(/^EXEC: 0x10000054 \(_start\+0x0\)$/);
    expect(lines.filter((line) => line.includes('is not implemented'))).toHaveLength(1);
    expect(lines.filter((line) => !/^EXEC: |is not implemented/.test(line))).toEqual([]);
  });
});

test.runIf(existsSync('/dev/full'))(
  'a log that cannot be written is told of once, and the program runs on',
  async () => {
    const command = steleCommand('interpreted', '-d', 'in_asm,op', '-D', '/dev/full');
    const { status, stdout, stderr } = await run([...command, binaryPath('benchmarks'), 'sieve', '0.01']);
    expect(stderr).toBe('stele: /dev/full: No space left on device; what follows is not written there\n');
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^sieve/);
  },
);
