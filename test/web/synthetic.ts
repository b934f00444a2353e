/** A report of as many regions as one likes, made of one real translation; for tests and for measuring the page. */
import type { RegionSummary, Summary } from '../../src/inspect/page-data.ts';
import type { BlockReport, RegionReport } from '../../src/inspect/report.ts';
import type { Stage } from '../../src/inspect/stage-names.ts';
import type { StageLine } from '../../src/inspect/stages.ts';

const blockSize = 16;
const regionSize = 4 * blockSize;
const firstPc = 0x10000000;
const expansion = { ir: 3, optimized: 2, code: 6, host: 10 };

/** A loop: 0 -> 1 -> 2 -> 1, 2 -> 3. @param runs of the loop's blocks */
function blocksOf(pc: number, runs: number): BlockReport[] {
  const successors = [[1], [2], [1, 3], []];
  const executions = [runs / 10, runs, runs, runs / 10];
  const taken = [[runs / 10], [runs], [runs - runs / 10, runs / 10], []];
  return successors.map((targets, index) => ({
    pc: pc + index * blockSize,
    endPc: pc + (index + 1) * blockSize,
    guestInstructions: 4,
    operations: 12,
    optimizedOperations: 8,
    codeLines: 24,
    hostInstructions: 40,
    successors: targets.map((target) => pc + target * blockSize),
    taken: taken[index],
    executions: executions[index],
    executed: executions[index] * 4,
    source: [[pc + index * blockSize, 0, 10 * (index + 1)]],
  }));
}

function linesOf(blocks: readonly BlockReport[]): StageLine[] {
  const perInstruction: readonly (readonly [Stage, readonly string[]])[] = [
    ['guest', ['addi    r3,r3,7']],
    ['ir', ['v0 = get.i32 r3', 'v1 = i32.const 7', 'set.i32 r3, v1']],
    ['optimized', ['v1 = i32.const 7', 'set.i32 r3, v1 ; to local']],
    ['wasm', ['local.get 1', 'i32.const 7', 'i32.add', 'local.tee 1', 'i32.const 0', 'i32.store offset=84']],
    ['host', ['0000  leal rdx,[rax+0x7]', '0003  movl [rcx+0x54],rdx']],
  ];
  return perInstruction.flatMap(([stage, texts]) =>
    blocks.flatMap(({ pc }, block) =>
      [0, 4, 8, 12].flatMap((offset) => texts.map((text) => ({ stage, pc: pc + offset, block, text }))),
    ),
  );
}

/** A region that is the hotter the smaller its number is. */
export function syntheticRegion(number: number, count: number): RegionReport {
  const pc = firstPc + number * regionSize;
  const runs = 10 * Math.ceil(1e6 / (number + 1));
  const blocks = blocksOf(pc, runs);
  const executed = blocks.reduce((sum, block) => sum + (block.executed ?? 0), 0);
  return {
    number,
    name: `function_${number}`,
    pc,
    symbol: `function_${number}+0x0`,
    line: `loop.c:${number}`,
    tier: number % 3 === 0 ? 'javascriptRegions' : 'webassemblyRegions',
    entries: runs / 10,
    executed,
    share: executed / 1e9,
    time: null,
    guestInstructions: 16,
    operations: 48,
    optimizedOperations: 32,
    code: { lines: 96, size: 300, sizeUnit: 'bytes' },
    expansion,
    executedExpansion: expansion,
    host: { instructions: 160, bytes: 700 },
    madeAt: (1000 * number) / count,
    retired: number % 10 === 9 ? { at: (1000 * (number + 0.5)) / count, why: 'indirectTarget' } : null,
    times: { lift: 0.02, optimize: 0.03, emit: 0.03, compile: 0.01 },
    blocks,
    lines: linesOf(blocks),
  };
}

export function* syntheticRegions(count: number): Generator<RegionReport> {
  for (let number = 0; number < count; number++) yield syntheticRegion(number, count);
}

export function syntheticSummary(regions: readonly RegionSummary[]): Summary {
  const translated = regions.reduce((sum, { executed }) => sum + (executed ?? 0), 0);
  return {
    format: 'stele-inspect',
    version: 1,
    program: 'synthetic',
    arguments: ['--of', String(regions.length)],
    abi: 'powerpc',
    engine: 'auto',
    outcome: { exit: 0 },
    totals: {
      translations: regions.length,
      guestInstructions: 16 * regions.length,
      operations: 48 * regions.length,
      optimizedOperations: 32 * regions.length,
      codeLines: 96 * regions.length,
      hostInstructions: 160 * regions.length,
      expansion,
      executedExpansion: expansion,
      work: null,
      executed: translated + 1e6,
      translated,
      interpreted: 1e6,
      uncounted: 0,
    },
    statistics: {},
    hostCode: { regions: regions.length, note: '' },
    timeline: {
      at: [100, 200, 600, 1000],
      executed: {
        interpreter: [5e5, 8e5, 9e5, 1e6],
        javascriptRegions: [0, translated / 4, translated / 3, translated / 3],
        webassemblyRegions: [0, 0, translated / 3, (2 * translated) / 3],
      },
    },
    files: ['loop.c'],
    regions,
  };
}
