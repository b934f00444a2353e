/** What the probes explain: the model against engines that behave as it assumes, and the reports that show it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { expect, test } from 'vitest';
import { compare, type Entrant, findDifferences, type Result } from '../../src/compare/comparison.ts';
import type { Contender } from '../../src/compare/contenders.ts';
import { csvReport, jsonReport } from '../../src/compare/data-report.ts';
import { countsOf, explain, explained } from '../../src/compare/explanation.ts';
import { htmlReport, svgReport } from '../../src/compare/html-report.ts';
import { type GuestWork, parseProbes, probes, timeOf, workCosts, workPerTurn } from '../../src/compare/probes.ts';
import { type Comparison, textReport } from '../../src/compare/text-report.ts';
import type { ChildRun } from '../../src/host/measured-child.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Nanoseconds of an engine on which everything takes its own time. */
const costs = { instructions: 0.5, memoryAccesses: 2, floatOperations: 3, calls: 10, indirectBranches: 20 };
const others: Readonly<Record<string, number>> = { 'system-call': 1000, 'page-touch': 4000, signal: 9000 };
/** What the program does. */
const work: GuestWork = {
  instructions: 200e6,
  memoryAccesses: 40e6,
  floatOperations: 20e6,
  calls: 2e6,
  indirectBranches: 1e6,
};
const [systemCalls, pages, start] = [5000, 300, 0.05];
const seconds = start + (timeOf(work, costs) + systemCalls * 1000 + pages * 4000) / 1e9;

const probeLines = probes.map(({ name }) => {
  const loop = workPerTurn['x86-64'][name as keyof (typeof workPerTurn)['x86-64']];
  const turn = loop === undefined ? others[name] : timeOf(loop, costs);
  return `${name} 1000 77 ${Math.round(turn * 1000)}\n`;
});

const contender = (name: string, kind: Contender['kind']): Contender => ({
  name,
  kind,
  description: name,
  command: (program, args, options) => [name, ...options, program, ...args],
});
const entrant: Entrant = {
  label: 'x86-64',
  abi: 'x86-64',
  program: 'prog',
  args: [],
  contenders: [contender('native', 'native'), contender('auto', 'translated')],
  probes: 'probes',
};

function answer(command: readonly string[]): ChildRun {
  const took = (time: number, minorFaults: number, stdout: string, stderr = ''): ChildRun => {
    const output = { stdout: bytes(stdout), stderr: bytes(stderr), timedOut: false };
    return { wall: time * 3, user: time, system: 0, peakMemory: 1 << 20, minorFaults, status: 0, ...output };
  };
  if (command[0] === 'inspect') {
    // Half of the instructions ran in the interpreter, which does not tell what they did.
    const half = Object.fromEntries(Object.entries(work).map(([kind, count]) => [kind, count / 2]));
    const executedExpansion = { ir: 6, optimized: 4, code: 12.5, host: 7.25 };
    const totals = { executed: work.instructions, translated: work.instructions / 2, work: half, executedExpansion };
    return took(1, 0, JSON.stringify({ totals }));
  }
  if (command.includes('nothing')) return took(start, 40, '');
  if (command.includes('probes')) return took(1, 40, probeLines.join(''));
  const statistics = { systemCalls, systemCallTime: 10, executionTime: 100, guestInstructions: work.instructions };
  return took(seconds, 40 + pages, 'out', command.includes('--json') ? JSON.stringify(statistics) : '');
}

async function results(entrants: readonly Entrant[] = [entrant]): Promise<Result[]> {
  return await compare(entrants, {
    rounds: 1,
    timeout: 10,
    runOptions: [],
    inspect: ({ program }) => ['inspect', program],
    progress: () => {},
    run: async (command) => answer(command),
  });
}

const schema = readFileSync(join(import.meta.dirname, '../../docs/compare.schema.json'), 'utf8');
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(schema));

const comparisonOf = (all: readonly Result[]): Comparison => ({
  results: all,
  differences: findDifferences(all),
  absentees: [],
  rounds: 1,
  timeout: 10,
  machine: 'a machine',
});

test('loops are taken apart into what their parts take', async () => {
  const [{ probes: measured }] = await results();
  const found = workCosts('x86-64', measured ?? { turns: {}, startWall: 0, startCpu: 0, startFaults: 0 });
  for (const [kind, cost] of Object.entries(costs)) expect(found?.[kind as keyof GuestWork]).toBeCloseTo(cost, 2);
});

test('a part takes no less than nothing, and a loop that was not measured explains nothing', () => {
  const turns = { integer: 21, memory: 1, float: 9, call: 8, 'indirect-branch': 10 };
  const empty = { startWall: 0, startCpu: 0, startFaults: 0 };
  expect(workCosts('x86-64', { turns, ...empty })).toMatchObject({ instructions: 1, memoryAccesses: 0 });
  expect(workCosts('x86-64', { turns: { integer: 21 }, ...empty })).toBe(undefined);
});

test('an engine that behaves as the model assumes is explained wholly', async () => {
  const all = await results();
  expect(countsOf(all[1], all)).toEqual({ systemCalls, pageFaults: pages });
  for (const result of all) {
    const explanation = explain(result, all);
    if (explanation === undefined) throw new Error(`${result.contender.name} is not explained`);
    expect(explanation).toMatchObject({ start, measured: seconds, systemCalls: 0.005, pageFaults: 0.0012 });
    expect(explained(explanation) / seconds).toBeCloseTo(1, 3);
    expect(result.work?.expansion).toEqual({ code: 12.5, host: 7.25 });
  }
});

test('without probes nothing is probed, counted or explained', async () => {
  const all = await results([{ ...entrant, probes: undefined }]);
  expect(all.map(({ probes: measured, work: counted }) => [measured, counted])).toEqual([
    [undefined, undefined],
    [undefined, undefined],
  ]);
  expect(explain(all[0], all)).toBe(undefined);
  expect(textReport(comparisonOf(all))).not.toContain('What one of each takes');
});

test('lines of the program that are not whole are left out', () => {
  expect(parseProbes('integer 10 1 50\nfloat 3\nsystem-call 2 0 3000\nother 1 1 1\n')).toEqual({
    integer: 5,
    'system-call': 1500,
  });
});

test('the JSON is as its schema says, with and without probes', async () => {
  for (const probesOfEntrant of ['probes', undefined]) {
    const all = await results([{ ...entrant, probes: probesOfEntrant }]);
    validate(JSON.parse(await jsonReport(comparisonOf(all))));
    expect(validate.errors).toBe(null);
  }
});

test('every report shows the costs and what they explain', async () => {
  const comparison = comparisonOf(await results());
  const text = textReport(comparison);
  expect(text).toMatch(/^native +10\.5 .* 1,000 +4,000 +9,000$/m);
  expect(text).toContain(
    'the program: 200,000,000 instructions (20 % accesses to memory, 10 % floating-point operations',
  );
  expect(text).toContain(
    '5,000 system calls, 300 page faults; for each, "wasm" and "auto" run 12.5 instructions of WebAssembly, 7.3 of the',
  );
  expect(text).toMatch(/^auto +50\.0 +0\.0 +5\.0 +1\.2 .* 100 %$/m);

  const [header, native] = csvReport(comparison)
    .split('\n')
    .map((line) => line.split(','));
  const cell = (title: string): string => native[header.indexOf(title)];
  expect([cell('system_call_ns'), cell('page_touch_ns'), cell('explained_page_faults_s')]).toEqual([
    '1000',
    '4000',
    '0.0012',
  ]);
  expect(Number(cell('explained_share'))).toBeCloseTo(1, 3);

  const { results: rows } = JSON.parse(await jsonReport(comparison));
  expect(rows[0]).toMatchObject({ probes: { turns: { signal: 9000 } }, counts: { systemCalls }, work: { calls: 2e6 } });
  expect(rows[1].explanation.share).toBeCloseTo(1, 3);

  const page = htmlReport(comparison);
  expect([...page.matchAll(/<h2>(.*?)<\/h2>/g)].map(([, title]) => title)).toEqual([
    'Time',
    'Where the time went, in milliseconds',
    'What one of each takes, in nanoseconds',
    'What that explains of the processor time, in milliseconds',
  ]);
  // Each for wide and for narrow screens.
  expect(page.match(/<svg/g)).toHaveLength(6);
  expect(page).toContain('<td>9,000</td>');

  const drawing = svgReport(comparison);
  const heights = [...drawing.matchAll(/<svg[^>]* height="(\d+)"/g)].map(([, height]) => Number(height));
  expect(heights).toHaveLength(4);
  expect(heights[0]).toBe(heights[1] + heights[2] + heights[3]);
});
