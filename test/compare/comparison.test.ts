/** `stele compare`: whose turn it is, what is made of the samples, and the reports, with runs that a function makes up. */
import { describe, expect, test } from 'vitest';
import { compare, type Entrant, findDifferences, type Result, spreadOf } from '../../src/compare/comparison.ts';
import { type Contender, contenderNames, findContenders, type Surroundings } from '../../src/compare/contenders.ts';
import { csvReport, jsonReport } from '../../src/compare/data-report.ts';
import { type Comparison, textReport } from '../../src/compare/text-report.ts';
import type { ChildRun } from '../../src/host/measured-child.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const contender = (name: string, kind: Contender['kind']): Contender => ({
  name,
  kind,
  description: `a way called ${name}`,
  command: (program, args, options) => [name, ...options, program, ...args],
});

const entrant = (label: string, ...contenders: Contender[]): Entrant => ({
  label,
  abi: 'x86-64',
  program: 'prog',
  args: ['7'],
  contenders,
  probes: undefined,
});

const outcome = (wall: number, differences: Partial<ChildRun> = {}): ChildRun => ({
  wall,
  user: wall / 2,
  system: wall / 4,
  peakMemory: wall * 2 ** 20,
  minorFaults: 100,
  status: 0,
  stdout: bytes('same\n'),
  stderr: bytes(''),
  timedOut: false,
  ...differences,
});

/** Compares with runs that take what `times` says for each turn of a contender. */
async function compareWith(
  entrants: readonly Entrant[],
  answer: (name: string, turn: number, command: readonly string[]) => ChildRun,
  rounds = 3,
): Promise<{ results: Result[]; turns: string[] }> {
  const turns: string[] = [];
  const counts = new Map<string, number>();
  const results = await compare(entrants, {
    rounds,
    timeout: 10,
    runOptions: [],
    inspect: ({ program }) => ['inspect', program],
    progress: () => {},
    run: async (command) => {
      turns.push(command.join(' '));
      const turn = counts.get(command[0]) ?? 0;
      counts.set(command[0], turn + 1);
      return answer(command[0], turn, command);
    },
  });
  return { results, turns };
}

const comparisonOf = (results: readonly Result[]): Comparison => ({
  results,
  differences: findDifferences(results),
  absentees: [{ name: 'qemu', reason: 'there is no qemu-x' }],
  rounds: 3,
  timeout: 10,
  machine: 'a machine',
});

const native = contender('native', 'native');
const auto = contender('auto', 'translated');

test('each has its turn in every round; the first round does not count', async () => {
  const { results, turns } = await compareWith([entrant('x86-64', native, auto)], (name, turn) =>
    outcome(turn === 0 ? 100 : name === 'auto' ? turn * 2 : turn),
  );
  expect(turns.slice(0, 8)).toEqual(Array.from({ length: 4 }, () => ['native prog 7', 'auto prog 7']).flat());
  expect(results.map(({ wall }) => wall)).toEqual([
    { median: 2, least: 1, most: 3 },
    { median: 4, least: 2, most: 6 },
  ]);
  expect(results[1].cpu).toEqual({ median: 3, least: 1.5, most: 4.5 });
  expect(results[1].peakMemory).toBe(6 * 2 ** 20);
});

test('who takes too long has no further turn, and is in the table', async () => {
  const { results, turns } = await compareWith([entrant('x86-64', native, auto)], (name) =>
    outcome(1, { timedOut: name === 'auto' }),
  );
  expect(turns.filter((turn) => turn.startsWith('auto'))).toHaveLength(1);
  expect(results[1]).toMatchObject({ stopped: true, wall: undefined, stdout: undefined });
  const report = textReport(comparisonOf(results));
  expect(report).toMatch(/^auto +a way called auto +over 10 +- +- +- +-$/m);
  expect(report).toContain('x86-64, auto: stopped after 10 s (--timeout)');
});

test('engines of ours are asked for their statistics in a run of their own', async () => {
  const statistics = {
    executionTime: 500,
    systemCallTime: 6,
    guestInstructions: 250e6,
    systemCalls: 12,
    exits: { 'system call': 12 },
  };
  const { results, turns } = await compareWith([entrant('x86-64', native, auto)], (_, __, command) =>
    outcome(1, command.includes('--json') ? { stderr: bytes(`oops\n${JSON.stringify(statistics)}\n`) } : {}),
  );
  expect(turns.filter((turn) => turn.includes('--json'))).toEqual(['auto --json prog 7']);
  expect(results[1].statistics).toEqual(statistics);
  const report = textReport(comparisonOf(results));
  expect(report).toMatch(/^auto .* 500\.0 +12 +500\.0 +250\.0 +2\.00$/m);
  expect(report).toContain('Exits of x86-64, auto: system call 12');
});

describe('outputs', () => {
  test('that are equal are said to be', async () => {
    const { results } = await compareWith([entrant('x86-64', native, auto)], () => outcome(1));
    expect(findDifferences(results)).toEqual([]);
    expect(textReport(comparisonOf(results))).toContain('All outputs are equal: 5 bytes, exit status 0.');
  });

  test.each([
    ['output', { stdout: bytes('else\n') }],
    ['exit status', { status: 3 }],
    ['output and exit status', { stdout: bytes('same\n!'), status: 3 }],
  ])('that differ in %s are told of', async (what, change) => {
    const { results } = await compareWith([entrant('x86-64', native, auto)], (name) =>
      outcome(1, name === 'auto' ? change : {}),
    );
    expect(findDifferences(results).map((difference) => difference.what)).toEqual([what]);
    const report = textReport(comparisonOf(results));
    expect(report).toContain(`DIFFERENT: ${what} of x86-64, auto from that of x86-64, native.`);
    expect(report).not.toContain('All outputs are equal');
  });
});

test('ratios are to native code, also of another guest', async () => {
  const { results } = await compareWith([entrant('powerpc', auto), entrant('x86-64', native)], (name) =>
    outcome(name === 'auto' ? 3 : 2),
  );
  const report = textReport(comparisonOf(results));
  expect(report).toContain('x x86-64 native');
  expect(report).toMatch(/^powerpc +auto .* 3\.000 +±0% +1\.50 /m);
  expect(report).toContain('qemu is left out: there is no qemu-x');
});

test('the JSON has all of it, null for what was not measured', async () => {
  const { results } = await compareWith([entrant('x86-64', native, auto)], (name) =>
    outcome(2, name === 'native' ? { user: undefined, system: undefined, peakMemory: undefined } : {}),
  );
  const report = JSON.parse(await jsonReport(comparisonOf(results)));
  expect(report).toMatchObject({ version: 1, rounds: 3, baseline: { guest: 'x86-64', engine: 'native' } });
  expect(report.results[0]).toMatchObject({ engine: 'native', cpu: null, peakMemory: null, wallRatio: 1 });
  expect(report.results[1]).toMatchObject({ engine: 'auto', cpu: { median: 1.5 }, cpuRatio: null, stopped: false });
  // sha256sum of "same\n"
  expect(report.results[1].outputSha256).toMatch(/^[0-9a-f]{64}$/);
  expect(report.results[1].outputSha256).toBe(report.results[0].outputSha256);
});

test('values with commas and quotation marks are quoted', async () => {
  const { results } = await compareWith([entrant('a "guest", and more', native)], () => outcome(2));
  const [header, row] = csvReport(comparisonOf(results)).split('\n');
  expect(header).toMatch(/^guest,engine,kind,wall_median_s,wall_least_s,wall_most_s,cpu_median_s,/);
  expect(row).toMatch(/^"a ""guest"", and more",native,native,2,2,2,1\.5,/);
  expect(row.replace(/^".*"/, '').split(',')).toHaveLength(header.split(',').length);
});

test('the middle of an even number of samples lies between two', () => {
  expect(spreadOf([4, 1, 2, 3])).toEqual({ median: 2.5, least: 1, most: 4 });
  expect(spreadOf([])).toBe(undefined);
});

describe('who can run a program', () => {
  const surroundings: Surroundings = {
    stele: ['node', 'stele.js'],
    architecture: 'x64',
    platform: 'linux',
    mayExecute: true,
    programVersion: (program) => `${program} 7.2`,
    virtualizationProblem: () => '',
    tracingProblem: () => '',
  };
  const names = (abi: Parameters<typeof findContenders>[0], differences: Partial<Surroundings> = {}): string[] =>
    findContenders(abi, { ...surroundings, ...differences }).contenders.map(({ name }) => name);
  const reasons = (abi: Parameters<typeof findContenders>[0], differences: Partial<Surroundings> = {}) =>
    Object.fromEntries(
      findContenders(abi, { ...surroundings, ...differences }).absentees.map(({ name, reason }) => [name, reason]),
    );

  test('x86-64 on such a processor: everybody', () => {
    expect(names('x86-64')).toEqual(contenderNames);
    expect(reasons('x86-64')).toEqual({});
  });

  test('a file that may not be executed: not natively', () => {
    expect(names('x86-64', { mayExecute: false })).toEqual(contenderNames.slice(1));
    expect(reasons('x86-64', { mayExecute: false })).toEqual({
      native: 'this user may not execute the file (chmod +x)',
    });
  });

  test('PowerPC: not the processor', () => {
    expect(names('powerpc')).toEqual(['auto', 'wasm', 'regions', 'blocks', 'interpreted', 'qemu']);
    expect(reasons('powerpc')).toEqual({
      native: 'powerpc is not what this processor runs',
      virtualized: 'it runs x86-64 programs, and this one is powerpc',
      traced: 'it runs x86 programs, and this one is powerpc',
    });
  });

  test('i386: not in a virtual machine', () => {
    expect(names('i386')).toEqual(contenderNames.filter((name) => name !== 'virtualized'));
  });

  test('x86-64 elsewhere, without KVM or QEMU: the reasons', () => {
    const poor = {
      architecture: 'arm64',
      virtualizationProblem: () => '/dev/kvm cannot be opened',
      tracingProblem: () => 'a child cannot be traced here',
      programVersion: () => undefined,
    };
    expect(names('x86-64', poor)).toEqual(['auto', 'wasm', 'regions', 'blocks', 'interpreted']);
    expect(reasons('x86-64', poor)).toEqual({
      native: 'x86-64 is not what this processor runs',
      virtualized: '/dev/kvm cannot be opened',
      traced: 'a child cannot be traced here',
      qemu: 'there is no qemu-x86_64 (on Debian: apt-get install qemu-user)',
    });
  });
});
