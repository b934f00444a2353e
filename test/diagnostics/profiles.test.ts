/** Profiles of guests: what profilers of V8 and of Linux are told of translations. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type CpuProfile, guestProfile, type ProfileNode, samplesOf } from '../../src/diagnostics/cpu-profile.ts';
import { guestPerfMap } from '../../src/diagnostics/perf-map.ts';
import { type Engine, steleCommand } from '../programs/run-guest.ts';

const folder = mkdtempSync(join(tmpdir(), 'stele-profiles-'));
afterAll(() => rmSync(folder, { recursive: true }));
const patience = { timeout: 120_000 };

/** A function `work` of 0x40 bytes, four bytes a line from line 10 on; what follows has neither name nor lines. */
const places = {
  symbolAt: (address: number) =>
    address >= 0x10000400 && address < 0x10000440 ? { name: 'work.part.0', start: 0x10000400 } : undefined,
  lineAt: (address: number) =>
    address >= 0x10000400 && address < 0x10000440
      ? { file: '/src/a b.c', line: 10 + ((address - 0x10000400) >> 2) }
      : undefined,
};

const frame = (functionName: string, url: string, lineNumber = 3) => ({
  callFrame: { functionName, scriptId: '17', url, lineNumber, columnNumber: 5 },
});

test('generated functions of a profile get the guest’s names, files and lines; others stay', () => {
  const url = 'stele:guest/1/work_part_0_10000404';
  const nodes: ProfileNode[] = [
    // Lines of the script from 1: none, none, three of guest code, one of another function.
    {
      id: 1,
      ...frame('work_part_0_10000404', url),
      positionTicks: [3, 4, 5, 6, 2].map((line) => ({ line, ticks: line })),
    },
    { id: 2, ...frame('work_part_0_10000400$7', 'wasm://wasm/0953846e'), positionTicks: [{ line: 1, ticks: 61 }] },
    {
      id: 3,
      ...frame('guest_10000800', 'wasm://wasm/0953846f'),
      positionTicks: [{ line: 1, ticks: 2 }],
    },
    { id: 4, ...frame('f64_from_10000400', 'file:///stele/main.js') },
    { id: 5, ...frame('wasm-function[3]', 'wasm://wasm/1') },
  ];
  const pcs = [-1, -1, -1, 0x10000404, 0x10000408, 0x10000408, 0x20000000];
  const profile = { nodes, startTime: 1, samples: [1, 2] };
  const changed = guestProfile(profile, {
    places,
    program: '/bin/program',
    scriptOf: (name) => (name === url ? { pcs, places } : undefined),
  });
  const work = { functionName: 'work.part.0', url: 'file:///src/a%20b.c', columnNumber: 0 };
  expect(changed).toMatchObject({ startTime: 1, samples: [1, 2] });
  expect(changed.nodes[0].callFrame).toMatchObject({ ...work, lineNumber: 10 });
  // Those of lines that no guest code came from, or that of another file, are on the function's own line.
  expect(changed.nodes[0].positionTicks).toEqual([
    { line: 11, ticks: 3 + 6 + 2 },
    { line: 12, ticks: 4 + 5 },
  ]);
  expect(changed.nodes[1].callFrame).toMatchObject({ ...work, lineNumber: 9 });
  expect(changed.nodes[1].positionTicks).toEqual([{ line: 10, ticks: 61 }]);
  expect(changed.nodes[1].callFrame.scriptId).toBe(changed.nodes[0].callFrame.scriptId);
  expect(changed.nodes[2]).toMatchObject({
    positionTicks: [],
    callFrame: { functionName: '0x10000800', url: 'file:///bin/program', lineNumber: -1, columnNumber: -1 },
  });
  expect(changed.nodes.slice(3)).toEqual(nodes.slice(3));
});

test('samples are counted by generated function; those of an idle thread are none', () => {
  const [one, other] = ['stele:guest/1/work_10000400', 'stele:guest/2/work_10000400'];
  const samples = samplesOf({
    nodes: [
      { id: 1, ...frame('(idle)', ''), hitCount: 1000 },
      { id: 2, ...frame('work_10000400', one), hitCount: 1 },
      { id: 3, ...frame('work_10000400', other), hitCount: 2 },
      { id: 4, ...frame('work_10000400', other), hitCount: 4 },
      { id: 5, ...frame('work_10000400', 'wasm://wasm/1'), hitCount: 8 },
      { id: 6, ...frame('execute', 'file:///stele/main.js'), hitCount: 16 },
      { id: 7, ...frame('nothing', 'file:///stele/main.js') },
    ],
  });
  expect(samples.all).toBe(31);
  expect([one, other, ''].map((script) => samples.of(script, 'work_10000400'))).toEqual([1, 6, 8]);
  expect(samples.of('stele:guest/3/work_10000400', 'work_10000400')).toBe(0);
});

test('translations in a map for perf get the guest’s names, source lines and tiers; others stay', () => {
  const map = [
    '37121b24c840 300 JS:work_part_0_10000400-2-liftoff',
    '37121b24cb40 1c0 JS:work_part_0_1000040c$12-2-turbofan',
    "7f34da920080 2a8 JS:*'work_part_0_10000404 stele:guest/0/work_part_0_10000404:4:24",
    '2d2b71538818 321 JS:~guest_10000800 :4:24',
    "7f34da920480 2a8 JS:*'execute /stele/main.js:2:17",
    '37121b24d000 40 JS:wasm-function[0]-0-turbofan',
    '7f34da8cca80 dc4 Builtin:Call',
    '',
  ];
  expect(guestPerfMap(map.join('\n'), places).split('\n')).toEqual([
    '37121b24c840 300 work.part.0 a b.c:10 liftoff',
    '37121b24cb40 1c0 work.part.0+0xc a b.c:13 turbofan',
    '7f34da920080 2a8 work.part.0+0x4 a b.c:11 turbofan',
    '2d2b71538818 321 0x10000800 bytecode',
    ...map.slice(4),
  ]);
});

const source = `
__attribute__((noinline)) static unsigned mix(unsigned value) {
  for (int i = 0; i < 1000; i++)
    value = value * 1664525u + 1013904223u;
  return value;
}

static volatile unsigned result;
void _start(void) {
  unsigned value = 1;
  for (int i = 0; i < 60000; i++)
    value = mix(value);
  result = value;
#ifdef __powerpc__
  register unsigned number __asm__("r0") = 1, status __asm__("r3") = 0;
  __asm__ volatile("sc" : : "r"(number), "r"(status));
#else
  __asm__ volatile("syscall" : : "a"(60), "D"(0));
#endif
  __builtin_unreachable();
}
`;
const firstLine = 2;
const lastLine = 6;
const file = join(folder, 'mix.c');
writeFileSync(file, source);

/** The program compiled by each compiler that is there. */
const programs = [
  ['powerpc', 'powerpc-linux-gnu-gcc', []],
  ['x86-64', 'gcc', ['-fno-pie', '-no-pie']],
].flatMap(([abi, compiler, flags]): [string, string][] => {
  const path = join(folder, `mix-${abi}`);
  const command = ['-g', '-O1', '-static', '-nostdlib', ...flags, '-o', path, file];
  const isThere = abi !== 'x86-64' || process.arch === 'x64';
  return isThere && spawnSync(compiler as string, command).status === 0 ? [[abi as string, path]] : [];
});
if (programs.length === 0) console.log('left out: profiles of programs, which need a compiler for PowerPC or x86-64');

describe.each(programs)('a program for %s with debugging information', (_abi, program) => {
  test.each(['wasm', 'regions'])('has function, file and lines in a CPU profile on %s', patience, (engine) => {
    const output = join(folder, 'profile.cpuprofile');
    const [node, ...args] = steleCommand(engine as Engine, '--cpu-prof', output);
    const { status, stderr } = spawnSync(node, [...args, program], { encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    const profile: CpuProfile & { samples: number[]; timeDeltas: number[] } = JSON.parse(readFileSync(output, 'utf8'));
    expect(profile.samples.length).toBe(profile.timeDeltas.length);
    const own = profile.nodes.filter(({ callFrame }) => callFrame.functionName === 'mix');
    const sampled = new Set(profile.samples);
    expect(own.some(({ id }) => sampled.has(id))).toBe(true);
    for (const { callFrame, positionTicks = [] } of own) {
      expect(callFrame.url.endsWith('mix.c')).toBe(true);
      for (const line of [callFrame.lineNumber + 1, ...positionTicks.map(({ line }) => line)]) {
        expect(line).toBeGreaterThanOrEqual(firstLine);
        expect(line).toBeLessThanOrEqual(lastLine);
      }
    }
  });

  test('has its functions in the map for perf', patience, () => {
    const [node, ...args] = steleCommand('wasm', '--perfmap');
    const { status, stderr, pid } = spawnSync(node, [...args, program], { encoding: 'utf8' });
    const map = `/tmp/perf-${pid}.map`;
    expect(status, stderr).toBe(0);
    expect(existsSync(map)).toBe(true);
    const text = readFileSync(map, 'latin1');
    rmSync(map);
    // Not the text, which is long.
    expect(/^[\da-f]+ [\da-f]+ mix(\+0x[\da-f]+)? mix\.c:[2-6] turbofan$/m.test(text)).toBe(true);
    expect(/\bmix_[\da-f]{8}/.test(text)).toBe(false);
  });
});

test('a profile that cannot be written is said before the program runs', patience, () => {
  const [node, ...args] = steleCommand('auto', '--cpu-prof', join(folder, 'nowhere', 'profile'));
  const { status, stdout, stderr } = spawnSync(node, [...args, process.execPath], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain('--cpu-prof: ');
});
