/** Children that are measured: what they leave, and that the times are theirs. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type ChildRun, canMeasureResources, runMeasured } from '../../src/host/measured-child.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-measured-'));
afterAll(() => rmSync(folder, { recursive: true }));

const node = (script: string, timeout = 60): Promise<ChildRun> =>
  runMeasured([process.execPath, '-e', script], { timeout });

test('output, error output and exit status', async () => {
  const run = await node('process.stdout.write("out"); process.stderr.write("err"); process.exitCode = 7');
  expect([run.status, `${Buffer.from(run.stdout)}`, `${Buffer.from(run.stderr)}`]).toEqual([7, 'out', 'err']);
  expect(run.timedOut).toBe(false);
});

test('much output', async () => {
  const run = await runMeasured(['head', '-c', '3000000', '/dev/zero'], { timeout: 60 });
  expect(run.stdout).toHaveLength(3_000_000);
});

test('a signal that ends it', async () => {
  expect(await node('process.kill(process.pid, "SIGTERM"); setInterval(() => {}, 1000)')).toMatchObject({
    status: 143,
  });
});

test('standard input is a file, or empty', async () => {
  const path = join(folder, 'input');
  writeFileSync(path, 'hello');
  expect(`${Buffer.from((await runMeasured(['cat'], { timeout: 60, input: path })).stdout)}`).toBe('hello');
  expect((await runMeasured(['cat'], { timeout: 60 })).stdout).toHaveLength(0);
});

test('who takes too long is stopped', async () => {
  const run = await runMeasured(['sleep', '60'], { timeout: 0.2 });
  expect(run).toMatchObject({ timedOut: true, status: 137 });
  expect(run.wall).toBeGreaterThanOrEqual(0.2);
  expect(run.wall).toBeLessThan(30);
});

test('a program that is not there', async () => {
  await expect(runMeasured([join(folder, 'nothing')], { timeout: 60 })).rejects.toThrow('ENOENT');
});

describe.runIf(canMeasureResources())('resources', () => {
  test('processor time is the time that it computes, not that it sleeps', async () => {
    const computes = 'const end = process.cpuUsage().user + 4e5; while (process.cpuUsage().user < end);';
    const busy = await node(computes);
    const idle = await node('setTimeout(() => {}, 400)');
    expect(busy.user).toBeGreaterThan(0.4);
    expect(idle.wall).toBeGreaterThan(0.4);
    expect((idle.user as number) + (idle.system as number)).toBeLessThan(busy.user as number);
  });

  test('the largest memory is its own', async () => {
    const small = await node('0');
    const large = await node('Buffer.alloc(300 << 20, 1)');
    expect((large.peakMemory as number) - (small.peakMemory as number)).toBeGreaterThan(250 << 20);
  });
});

if (!canMeasureResources()) console.info('Not tested: resources of children, which need Linux and koffi');
