/** Runs by messages, as a page's worker has them: programs of each machine, keys, limits, files, inspection. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RunRequest } from '../../src/browser/session-messages.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { outputPath } from '../guests/cases.ts';
import { steleEntry } from '../programs/run-guest.ts';
import { example, guest, request, Told } from './session.ts';

const root = join(import.meta.dirname, '../..');
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

async function run(bytes: Uint8Array, changes: Partial<RunRequest> = {}): Promise<Told> {
  const told = new Told();
  await told.session.receive(request(bytes, changes));
  return told;
}

/** What the command line says of a program, and how it ends. */
function commandLine(path: string, ...args: string[]): { output: string; error: string; status: number | null } {
  const command = [steleEntry(), 'run', path, ...args];
  const { stdout, stderr, status } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  return { output: stdout, error: stderr, status };
}

describe('programs', () => {
  test.each([
    ['examples/mandelbrot', ['40', '12', '200']],
    ['examples/mandelbrot.i386', ['40', '12', '200']],
    ['examples/mandelbrot.x86-64', ['40', '12', '200']],
    ['test/guests/bin/exit-code', []],
  ])('%s does what it does from the command line', async (path, args) => {
    const bytes = path.startsWith('examples') ? example(path.slice(9)) : guest(path.slice('test/guests/bin/'.length));
    const expected = commandLine(path, ...args);
    const told = await run(bytes, { arguments: args });
    expect(told.output.replaceAll('\r\n', '\n')).toBe(expected.output);
    expect(told.of('ended')?.outcome).toEqual({ kind: 'exit', code: expected.status });
  });
  // What the C library and the kernel give programs; all but those whose output depends on what standard output is.
  test.each([
    ['signals'],

    ['waiting'],
    ['clocks'],
    ['files'],
    ['status'],
    ['directories'],
    ['descriptors'],
    ['mapped_files'],
    ['bad_pointers'],
    ['identity'],
    ['limits'],
    ['buffering'],
    ['faults'],
  ])('the check %s gives what is recorded', async (name) => {
    const limits = { ...request(guest('hello')).limits, memory: 1 << 30 };
    const told = await run(guest('checks'), { arguments: [name], limits });
    expect(told.output.replaceAll('\r\n', '\n')).toBe(readFileSync(outputPath(name), 'utf8'));
  });
  test('every portable engine runs them', async () => {
    const outputs = await Promise.all(
      (['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const).map(async (engine) => {
        const told = await run(example('life'), { arguments: ['20', '0'], engine });
        return told.output;
      }),
    );
    expect(outputs[0].length).toBeGreaterThan(1000);
    expect(new Set(outputs).size).toBe(1);
  });
  test('a fatal signal is reported as on the command line', async () => {
    const told = await run(guest('null-load'));
    const ended = told.of('ended');
    expect(ended?.outcome).toEqual({ kind: 'signal', signal: 11, description: 'Segmentation fault' });
    // But for the stack pointer: another environment lies above it.
    const withoutStack = (text: string | undefined) => text?.replace(/r1 +[0-9a-f]{8}/, 'r1');
    expect(withoutStack(ended?.report)).toBe(withoutStack(commandLine('test/guests/bin/null-load').error));
  });
  test('arguments arrive, in UTF-8', async () => {
    const told = await run(guest('arguments'), { arguments: ['one', 'zwö two'] });
    expect(told.output).toBe('program\r\none\r\nzwö two\r\n');
  });
});

describe('what cannot be run is refused in the command line’s words', () => {
  test.each([
    ['a script', bytesOf('#!/bin/sh\n')],
    ['truncated', example('life').subarray(0, 60)],
    ['of another machine', Uint8Array.from(example('life'), (byte, at) => (at === 19 ? 8 : byte))],
    ['dynamic', Uint8Array.from(example('life.x86-64'), (byte, at) => (at === 64 ? 3 : byte))],
    ['empty', new Uint8Array(0)],
  ])('%s', async (_what, bytes) => {
    const told = await run(bytes);
    expect(told.messages.map(({ kind }) => kind)).toEqual(['refused']);
    const reason = told.of('refused')?.reason.replace(/^program: /, '');
    expect(() => readElf(bytes)).toThrow(String(reason));
  });
});

describe('the terminal', () => {
  test('a program reads what is typed; ^D ends it', async () => {
    const told = new Told();
    const ended = told.session.receive(request(example('forth')));
    await told.until(() => told.output.includes('ok> '));
    told.type('6 7 * .\r');
    await told.until(() => told.output.includes('42 '));
    told.type('\x04');
    await ended;
    expect(told.output).toContain('ok> 6 7 * .\r\n42 ok> ');
    expect(told.of('ended')?.outcome).toEqual({ kind: 'exit', code: 0 });
  });
  test('^C ends a program that waits', async () => {
    const told = new Told();
    const ended = told.session.receive(request(example('forth')));
    await told.until(() => told.output.includes('ok> '));
    told.type('\x03');
    await ended;
    expect(told.of('ended')?.outcome).toMatchObject({ kind: 'signal', signal: 2 });
  });
});

describe('a program that does not end', () => {
  test.each(['auto', 'regions', 'wasm'] as const)('is stopped (%s), and inspected', async (engine) => {
    const told = new Told();
    const ended = told.session.receive(request(guest('endless'), { engine, isInspected: true }));
    // By then it has looked for messages in the middle of its loop.
    while (told.yields < 3) await setImmediate();
    await told.session.receive({ kind: 'stop' });
    await ended;
    expect(told.of('ended')?.outcome).toMatchObject({ kind: 'signal', signal: 9 });
    await told.session.receive({ kind: 'inspect' });
    expect(told.of('summary')?.summary.regions.length).toBeGreaterThan(0);
  });
});

describe('limits', () => {
  test('of output: the program ends where it wrote too much', async () => {
    const limits = { ...request(guest('hello')).limits, output: 5000 };
    const told = await run(example('life'), { arguments: ['100000', '0'], limits });
    expect(bytesOf(told.output)).toHaveLength(5000);
    expect(told.of('ended')?.outcome).toEqual({ kind: 'limit', reason: 'it wrote more than 5000 bytes' });
  });
  test('of files: too large a program is refused', async () => {
    const limits = { ...request(guest('hello')).limits, files: 100_000 };
    const told = await run(example('forth'), { limits });
    expect(told.of('refused')?.reason).toBe('program: the files take more than 100000 bytes');
  });
  test('of memory: a program gets no more', async () => {
    const [enough, little] = await Promise.all(
      [1 << 30, 1 << 20].map(async (memory) => {
        const limits = { ...request(guest('hello')).limits, memory };
        const told = await run(guest('checks'), { arguments: ['heap'], limits });
        return told.output.replaceAll('\r\n', '\n');
      }),
    );
    const recorded = readFileSync(outputPath('heap'), 'utf8');
    expect(enough).toBe(recorded);
    expect(little).not.toBe(recorded);
  });
});

test('files that a program is given and makes', async () => {
  const told = new Told();
  const files = [{ path: 'add.fs', bytes: bytesOf('20 22 + . bye\n') }];
  await told.session.receive(request(example('forth'), { arguments: ['add.fs'], files }));
  expect(told.output).toContain('42');
  await told.session.receive({ kind: 'files' });
  const names = told.of('files')?.files.map(({ path }) => path);
  expect(names).toEqual(['/home/user/program', '/home/user/add.fs']);
});

test('translations are inspected as the command line inspects them', async () => {
  const args = ['40', '12', '2000'];
  const told = await run(example('mandelbrot'), { arguments: args, isInspected: true });
  await told.session.receive({ kind: 'inspect' });
  const summary = told.of('summary')?.summary;
  const command = [steleEntry(), 'inspect', '--json', '--show', 'guest,ir,optimized,wasm', '--quiet'];
  const { stdout } = spawnSync(process.execPath, [...command, 'examples/mandelbrot', ...args], {
    cwd: root,
    encoding: 'utf8',
  });
  const expected = JSON.parse(stdout);
  const facts = ({ pc, executed, guestInstructions, blocks }: Record<string, unknown>) => ({
    pc,
    executed,
    guestInstructions,
    blocks: (blocks as unknown[] | undefined)?.length,
  });
  const [region] = summary?.regions ?? [];
  expect(summary?.totals.executed).toBe(expected.totals.executed);
  expect({ ...facts({ ...region }), blocks: region?.blockCount }).toEqual(facts(expected.regions[0]));
  await told.session.receive({ kind: 'details', number: region.number });
  const details = told.of('details')?.details;
  const guestLines = expected.regions[0].lines.filter(({ stage }: { stage: string }) => stage === 'guest');
  const own = details?.stages.find(({ stage }) => stage === 'guest');
  expect(own?.text.split('\n')).toEqual(guestLines.map(({ text }: { text: string }) => text));
});
