/** `stele inspect` as a user meets it: its document against its schema, against `--stats` and against what runs. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, describe, expect, test } from 'vitest';
import type { RegionReport, Report } from '../../src/inspect/report.ts';
import type { Stage } from '../../src/inspect/stage-names.ts';
import { binaryPath } from '../guests/programs.ts';
import { type Engine, run, steleCommand, steleEntry } from '../programs/run-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-inspect-'));
afterAll(() => rmSync(folder, { recursive: true }));

const patience = { timeout: 60_000 };
const engines = ['auto', 'wasm', 'regions', 'blocks'] as const;
const count = binaryPath('count');
const loop = 0x10000064;

const schema = readFileSync(join(import.meta.dirname, '../../docs/inspect.schema.json'), 'utf8');
const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(JSON.parse(schema));

const inspect = (...args: string[]) => run([process.execPath, steleEntry(), 'inspect', ...args]);

/** The document of an inspection that went well, valid by its schema. */
async function inspected(...args: string[]): Promise<Report> {
  const { stdout, stderr, status } = await inspect('--json', ...args);
  expect(status, stderr).toBe(0);
  const report: Report = JSON.parse(stdout.toString());
  validate(report);
  expect(validate.errors ?? []).toEqual([]);
  return report;
}

const sum = (values: readonly (number | null)[]): number =>
  values.reduce((total: number, value) => total + (value ?? 0), 0);

/** What must hold of the parts of a document. */
function expectConsistent({ totals, timeline, regions }: Report): void {
  expect(totals.translations).toBe(regions.length);
  expect(sum(regions.map(({ executed }) => executed))).toBe(totals.translated);
  expect((totals.translated as number) + (totals.interpreted as number)).toBe(totals.executed);
  expect(timeline?.at.every((at, index) => at >= 0 && at >= timeline.at[Math.max(0, index - 1)])).toBe(true);
  expect(sum(Object.values(timeline?.executed ?? {}).map((column) => column.at(-1) as number))).toBe(totals.executed);
  for (const region of regions) {
    const { blocks } = region;
    expect(sum(blocks.map(({ executed }) => executed))).toBe(region.executed);
    expect(sum(blocks.map(({ guestInstructions }) => guestInstructions))).toBe(region.guestInstructions);
    expect(sum(blocks.map(({ operations }) => operations))).toBe(region.operations);
    expect(sum(blocks.map(({ optimizedOperations }) => optimizedOperations))).toBe(region.optimizedOperations);
    expect(region.optimizedOperations).toBeLessThanOrEqual(region.operations);
    for (const block of blocks) {
      expect(block.executed).toBeLessThanOrEqual((block.executions as number) * block.guestInstructions);
      expect(block.taken?.length).toBe(block.successors.length);
      expect(sum(block.taken ?? [])).toBeLessThanOrEqual(block.executions as number);
      const ways = blocks.map(({ successors, taken }) => taken?.[successors.indexOf(block.pc)] ?? 0);
      const arrived = sum(ways) + (block === blocks[0] ? (region.entries as number) : 0);
      expect(block.executions).toBeLessThanOrEqual(arrived);
    }
  }
}

const textOf = ({ lines = [] }: RegionReport, stage: Stage): string =>
  lines
    .filter((line) => line.stage === stage)
    .map(({ text }) => text)
    .join('\n');

describe.each(engines)('%s', (engine) => {
  test('counts a loop to the last instruction, as --stats does', patience, async () => {
    const report = await inspected('--engine', engine, count);
    expectConsistent(report);
    const { stderr } = await run([...steleCommand(engine as Engine, '--json'), count]);
    const statistics = JSON.parse(stderr);
    expect(report.totals.executed).toBe(statistics.guestInstructions);
    expect(report.totals.translations).toBe(
      sum(Object.values<{ count: number }>(statistics.tiers).map(({ count }) => count)) -
        statistics.tiers.interpreter.count,
    );
    const tier = report.regions[0].tier;
    expect(report.totals.guestInstructions).toBe(statistics.tiers[tier].instructions);
    // Four instructions, two million turns of four, and three.
    expect(report.totals.executed).toBe(8_000_007);
    const turns = report.regions.flatMap(({ blocks }) => blocks).filter(({ pc }) => pc === loop);
    // Where everything is translated the first turn belongs to the block that falls into the loop.
    const others = engine === 'wasm' ? 1 : Math.floor(((report.totals.interpreted as number) - 4) / 4);
    expect(sum(turns.map(({ executions }) => executions))).toBe(2_000_000 - others);
    expect(sum(report.regions.map(({ time }) => time))).toBeLessThanOrEqual(1);
    expect(report.regions.every(({ time }) => time !== null)).toBe(true);
    // Each turn but the last leads to the next one.
    const again = sum(turns.map(({ successors, taken }) => taken?.[successors.indexOf(loop)] ?? 0));
    expect(again).toBe(2_000_000 - others - 1);
  });

  test('shows the code that runs when nobody inspects it', patience, async () => {
    // The engine that translates all that runs would translate the C library.
    const program =
      engine === 'wasm' ? [binaryPath('mandelbrot'), '20', '4'] : [binaryPath('benchmarks'), 'sort', '0.001'];
    const log = join(folder, `${engine}.log`);
    await run([...steleCommand(engine as Engine, '-d', 'out_js,out_wasm', '-D', log), ...program]);
    const logged = readFileSync(log, 'utf8');
    const report = await inspected('--engine', engine, '--hot', '100000', '--show', 'js,wasm', ...program);
    expectConsistent(report);
    expect(report.regions.length).toBeGreaterThan(0);
    for (const region of report.regions) {
      const text = textOf(region, region.tier === 'webassemblyRegions' ? 'wasm' : 'js');
      expect(text.split('\n').length).toBe(region.code.lines);
      const title =
        region.tier === 'webassemblyRegions' ? `function ${region.name} ;; ${region.code.size} bytes\n` : '';
      expect(logged.includes(`${title}${text}\n`), `${region.name}\n${text}`).toBe(true);
    }
  });
});

test('lines of every stage belong to guest instructions of the block', patience, async () => {
  const { regions } = await inspected(
    '--engine',
    'wasm',
    '--address',
    '0x10000064',
    '--show',
    'guest,ir,optimized,wasm',
    count,
  );
  const [region] = regions.filter(({ lines }) => lines !== undefined);
  const { blocks, lines = [] } = region;
  const of = (stage: Stage) => lines.filter((line) => line.stage === stage);
  expect(of('guest').map(({ text }) => text)).toContain('xori    r3,r3,85');
  expect(of('guest').length).toBe(region.guestInstructions);
  expect(of('ir').length).toBe(region.operations);
  expect(of('optimized').length).toBe(region.optimizedOperations);
  expect(of('wasm').length).toBe(region.code.lines);
  for (const { pc, block, stage, text } of lines) {
    if (pc === undefined) {
      expect(stage).toBe('wasm');
      continue;
    }
    const holder = blocks[block as number];
    expect(pc >= holder.pc && pc < holder.endPc, `${stage}: ${text}`).toBe(true);
  }
  const xori = of('guest').find(({ text }) => text.startsWith('xori'))?.pc;
  const under = (stage: Stage) =>
    of(stage)
      .filter(({ pc }) => pc === xori)
      .map(({ text }) => text.trim());
  expect(under('ir')).toEqual([
    expect.stringMatching(/i32\.const 85$/),
    expect.stringContaining('i32.xor'),
    expect.stringContaining('set.i32 r3'),
  ]);
  // The write is dropped: rotlwi writes r3 again.
  expect(under('optimized')).toHaveLength(2);
  expect(under('wasm')).toContain('i32.xor');
});

/** Of the loop in the program `count`: what each of its instructions became. */
const machineCode: readonly (readonly [mnemonic: string, text: RegExp])[] = [
  ['xori', /\b(?:xor|eor)/],
  ['rotlwi', /\bro[lr]/],
];

test.each(['wasm', 'regions'])('machine code of %s is tied to guest instructions', patience, async (engine) => {
  const report = await inspected('--engine', engine, '--symbol', 'loop', '--show', 'guest,host', count);
  const [{ host, blocks, expansion, guestInstructions, lines = [] }] = report.regions;
  const listed = lines.filter(({ stage }) => stage === 'host');
  expect(report.hostCode.regions).toBeGreaterThan(0);
  expect(host?.instructions).toBe(listed.length);
  expect(expansion.host).toBe(listed.length / guestInstructions);
  const offsets = listed.map(({ text }) => Number.parseInt(text, 16));
  expect(offsets).toEqual(offsets.toSorted((one, other) => one - other));
  blocks.forEach(({ hostInstructions }, index) => {
    expect(hostInstructions).toBe(listed.filter(({ block }) => block === index).length);
    expect(hostInstructions).toBeGreaterThan(0);
  });
  if (process.arch === 'x64') {
    // Where ctr is counted down: at the beginning of a line of JavaScript, and by nothing else.
    const [bdnz] = lines.filter((line) => line.stage === 'guest' && line.text.startsWith('bdnz'));
    const counted = listed.filter(({ text }) => /lea.*-0x1\]$|addl \w+,0xff$/.test(text));
    expect(counted.length).toBeGreaterThan(0);
    expect(counted.filter(({ pc }) => pc !== bdnz.pc)).toEqual([]);
  }
  // One line of JavaScript computes what addi, xori and rotlwi do, and writes it.
  const alone = engine === 'wasm' ? machineCode : machineCode.slice(-1);
  for (const [mnemonic, text] of alone) {
    const pc = lines.find((line) => line.stage === 'guest' && line.text.startsWith(mnemonic))?.pc;
    const own = listed.filter((line) => line.pc === pc);
    expect(own.filter((line) => text.test(line.text)).length).toBeGreaterThan(0);
    if (engine === 'wasm') expect(own.filter((line) => !text.test(line.text))).toEqual([]);
    else expect(own.some((line) => machineCode[0][1].test(line.text))).toBe(true);
  }
});

test('machine code is counted for all WebAssembly; for JavaScript when that is asked for', patience, async () => {
  const { regions, totals, hostCode } = await inspected('--engine', 'wasm', count);
  expect(hostCode).toEqual({ regions: regions.length, note: '' });
  expect(totals.hostInstructions).toBe(sum(regions.map(({ host }) => host?.instructions ?? 0)));
  expect(totals.expansion.host).toBeCloseTo((totals.hostInstructions as number) / totals.guestInstructions, 10);
  // All but eight instructions run in the loop, so it is the loop's expansion.
  const [loopRegion] = regions;
  const ofBlock = loopRegion.blocks[0].optimizedOperations / loopRegion.blocks[0].guestInstructions;
  expect(totals.executedExpansion?.optimized).toBeCloseTo(ofBlock, 3);
  expect(totals.executedExpansion?.host).toBeCloseTo(loopRegion.expansion.host as number, 3);
  const javascript = await inspected('--engine', 'regions', count);
  expect(javascript.totals.hostInstructions).toBeNull();
  expect(javascript.hostCode.note).toContain('--host');
  const asked = await inspected('--engine', 'regions', '--host', count);
  expect(asked.totals.hostInstructions).toBeGreaterThan(0);
});

test(
  'a name or an address chooses regions, and one that nothing has is an error that says what there is',
  patience,
  async () => {
    const { stdout } = await inspect('--quiet', '--symbol', 'loop', '--show', 'guest', count);
    expect(stdout.toString()).toContain('10000068  xori    r3,r3,85\n');
    expect(stdout.toString()).not.toContain('\x1b');
    const missing = await inspect('--quiet', '--symbol', 'nowhere', count);
    expect(missing.status).toBe(1);
    expect(missing.stderr).toContain('there is no translation of the function "nowhere": the hottest are of loop');
    const elsewhere = await inspect('--quiet', '--address', '0x20000000', count);
    expect(elsewhere.status).toBe(1);
  },
);

test.each([
  [['--engine', 'interpreted'], '--engine: "interpreted" is not one of auto, wasm, regions, blocks'],
  [['--show', 'guest,native'], '--show: "native" is not one of'],
  [['--hot', '0'], '--hot: "0" is not a whole number from 1 on'],
  [['--address', 'main'], '--address: "main" is not a guest address'],
])('%j is a usage error', patience, async (args, message) => {
  const { status, stderr } = await inspect(...args, count);
  expect(status).toBe(1);
  expect(stderr).toContain(message);
});

test('the program writes to standard error, or nowhere; the view has standard output to itself', patience, async () => {
  const hello = binaryPath('hello');
  const loud = await inspect('--engine', 'wasm', hello);
  expect(loud.stderr).toBe('hello, world\n');
  expect(loud.stdout.toString()).toMatch(/^function +pc +tier +entries +executed +share/);
  expect(loud.stdout.toString()).not.toContain('hello');
  const quiet = await inspect('--engine', 'wasm', '--quiet', hello);
  expect(quiet.stderr).toBe('');
});

test.each(engines)('--static translates all functions on %s, and runs nothing', patience, async (engine) => {
  // Without symbols: everything is found from the entry.
  const program = [binaryPath('mandelbrot'), '30', '4'];
  const { stderr } = await inspect('--json', '--static', '--engine', engine, ...program);
  expect(stderr).toBe('');
  const report = await inspected('--static', '--engine', engine, ...program);
  expect(report.outcome).toBeNull();
  expect(report.statistics).toBeNull();
  expect(report.totals).toMatchObject({ executed: null, translated: null, interpreted: null });
  expect(report.regions.every(({ entries, executed }) => entries === null && executed === null)).toBe(true);
  const starts = new Set(report.regions.flatMap(({ blocks }) => blocks.map(({ pc }) => pc)));
  for (const { code } of report.regions) expect(code.lines).toBeGreaterThan(0);
  const run = await inspected('--quiet', '--engine', engine === 'auto' ? 'wasm' : engine, ...program);
  const ran = run.regions.flatMap(({ blocks }) => blocks.map(({ pc }) => pc));
  expect(ran.length).toBeGreaterThan(0);
  expect(ran.filter((pc) => !starts.has(pc))).toEqual([]);
});

test('blocks have source lines where the program has line tables', patience, async () => {
  const { files, regions } = await inspected('--engine', 'wasm', binaryPath('lines'));
  expect(files).toEqual(['src/freestanding/lines.c']);
  const start = 0x100000c0;
  // It may be part of the function that calls it.
  const [caller] = regions.filter(({ blocks }) => blocks.some(({ pc }) => pc === start));
  expect(caller.line).toMatch(/^src\/freestanding\/lines\.c:/);
  const first = caller.blocks.findIndex(({ pc }) => pc === start);
  const lines = caller.blocks.slice(first).flatMap(({ source }) => source.filter(([pc]) => pc < start + 0x40));
  expect(lines[0]).toEqual([start, 0, 8]);
  expect(new Set(lines.map(([, , line]) => line))).toEqual(new Set([8, 9, 11]));
  expect((await inspected('--engine', 'wasm', count)).files).toEqual([]);
});

test('a translation whose code changed is taken out of use, and its successor made later', patience, async () => {
  const { regions } = await inspected('--engine', 'wasm', binaryPath('self-modifying'));
  const rewritten = regions.filter(({ retired }) => retired !== null && retired.why !== 'indirectTarget');
  expect(rewritten.length).toBeGreaterThan(100);
  let succeeded = 0;
  for (const { pc, madeAt, retired, times, number } of rewritten) {
    expect(retired?.why).toBe('codeChange');
    expect(retired?.at).toBeGreaterThanOrEqual(madeAt);
    expect(times.emit).toBeGreaterThan(0);
    const successor = regions.find((other) => other.pc === pc && other.number > number);
    if (successor === undefined) continue;
    succeeded++;
    expect(successor.madeAt).toBeGreaterThan(retired?.at as number);
  }
  // The last one's code may be part of its caller when it runs again.
  expect(succeeded).toBeGreaterThan(rewritten.length / 2);
});

describe.each(['i386', 'x86-64'])('a program for %s', (abi) => {
  test.each(engines)('is inspected on %s, and totals agree with --stats', patience, async (engine) => {
    const program = [binaryPath(`${abi}/bare`), 'fibonacci', 'x'];
    const report = await inspected('--engine', engine, ...program);
    expectConsistent(report);
    expect(report.abi).toBe(abi);
    expect(report.totals.translated).toBeGreaterThan(0);
    const { stderr } = await run([...steleCommand(engine as Engine, '--json'), ...program]);
    expect(report.totals.executed).toBe(JSON.parse(stderr).guestInstructions);
  });
});

const compiler = spawnSync('gcc', ['-dumpmachine'], { encoding: 'utf8' });
const hasCompiler = compiler.status === 0 && compiler.stdout.startsWith('x86_64');
if (!hasCompiler) console.log('left out: an x86-64 program, which needs gcc on an x86-64 host');

/** Compiles a program without a library. @returns its path */
function compileBare(name: string, text: string): string {
  const [source, program] = [join(folder, `${name}.c`), join(folder, name)];
  writeFileSync(source, text);
  const flags = ['-O1', '-fno-pie', '-no-pie', '-nostdlib', '-static'];
  const compiled = spawnSync('gcc', [...flags, '-o', program, source], { encoding: 'utf8' });
  expect(compiled.status, compiled.stderr).toBe(0);
  return program;
}

test('what a block ran before an access trapped is counted', patience, async () => {
  const [program, executed] = hasCompiler
    ? [compileBare('trap', '__asm__(".globl _start; _start: mov (%rsp),%rax; inc %rax; mov (%rax),%ecx; nop");'), 2]
    : [binaryPath('null-load'), 1];
  const report = await inspected('--engine', 'wasm', program);
  expect(report.outcome).toEqual({ signal: 11 });
  expect(report.totals).toMatchObject({ executed, translated: executed, interpreted: 0 });
});

test('a program of another ABI is inspected in the same way', patience, async () => {
  if (!hasCompiler) {
    expect((await inspected('--engine', 'wasm', count)).abi).toBe('powerpc');
    return;
  }
  const program = compileBare(
    'fibonacci',
    `int fibonacci(int n) { return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2); }
    void _start(void) { __asm__ volatile("syscall" : : "a"(60), "D"(fibonacci(12) & 127)); __builtin_unreachable(); }`,
  );
  const report = await inspected('--engine', 'wasm', '--symbol', 'fibonacci', program);
  expectConsistent(report);
  expect(report.abi).toBe('x86-64');
  expect(report.outcome).toEqual({ exit: 144 & 127 });
  // Its blocks may be there more than once: as part of whoever calls it.
  const [{ pc }] = report.regions.filter(({ symbol }) => symbol === 'fibonacci+0x0');
  const first = report.regions.flatMap(({ blocks }) => blocks.filter((block) => block.pc === pc));
  const sum = (counts: readonly number[]): number => counts.reduce((total, one) => total + one, 0);
  // Calls of fibonacci(12): 2 fibonacci(13) - 1, of which fibonacci(13) end at once.
  expect(sum(first.map(({ executions }) => executions ?? 0))).toBe(465);
  expect([0, 1].map((way) => sum(first.map(({ taken }) => taken?.[way] ?? 0))).toSorted()).toEqual([232, 233]);
  expect(report.totals.interpreted).toBe(0);
});
