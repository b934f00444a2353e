/** What the page's parts are drawn from: regions found and sorted, graphs, the time line, source lines, numbers. */
import { describe, expect, test } from 'vitest';
import { compress, decompress, detailsOf, type RegionSummary, summaryOf } from '../../src/inspect/page-data.ts';
import { addressOf, findRegions, holds, orders } from '../../web/regions/find-regions.ts';
import { blocksAround, curve, edgesOf, layOut, nodeSize } from '../../web/regions/flow-graph.ts';
import { heatColour, heatOf } from '../../web/regions/heat.ts';
import { indented } from '../../web/regions/listing.ts';
import { milliseconds, percent, several, short } from '../../web/regions/numbers.ts';
import { sourceListing } from '../../web/regions/source-listing.ts';
import { lanesOf, type phases, ratesOf, tierSums, workOf } from '../../web/time/run-data.ts';
import { syntheticRegion } from './synthetic.ts';

const count = 40;
const region = (number: number, changes: Partial<RegionSummary> = {}): RegionSummary => ({
  ...summaryOf(syntheticRegion(number, count)),
  ...changes,
});
const regions = Array.from({ length: count }, (_, number) => region(number));
const numbersOf = (found: readonly RegionSummary[]): number[] => found.map(({ number }) => number);

describe('regions', () => {
  test('are found by what people know of them', () => {
    expect(numbersOf(findRegions(regions, '', ''))).toEqual(numbersOf(regions));
    expect(numbersOf(findRegions(regions, ' FUNCTION_3+', ''))).toEqual([3]);
    expect(numbersOf(findRegions(regions, 'loop.c:39', ''))).toEqual([39]);
    expect(numbersOf(findRegions(regions, '0x1000004c', ''))).toEqual([1]);
    // Part of an address as the list shows it.
    expect(numbersOf(findRegions(regions, '100009c', ''))).toEqual([39]);
    expect(findRegions(regions, '0x1000', '')).toEqual([]);
  });

  test.each([
    ['0x10', 0x10],
    ['10000064', 0x10000064],
    [' 0XABCD ', 0xabcd],
    ['add', undefined],
    ['beefs', undefined],
    ['123456789', undefined],
    ['', undefined],
  ])('%j is the address %s', (text, address) => {
    expect(addressOf(text)).toBe(address);
  });

  test('are sorted by each order, stably', () => {
    for (const { id, compare } of orders) {
      const sorted = findRegions(regions, '', id);
      expect(numbersOf(sorted).toSorted((a, b) => a - b)).toEqual(numbersOf(regions));
      for (let at = 1; at < sorted.length; at++) expect(compare(sorted[at - 1], sorted[at])).toBeLessThanOrEqual(0);
    }
    const some = [region(0, { symbol: '' }), region(1, { symbol: 'b' }), region(2, { symbol: 'a' })];
    expect(numbersOf(findRegions(some, '', 'name'))).toEqual([2, 1, 0]);
    expect(numbersOf(findRegions(regions, '', 'nonsense'))).toEqual(numbersOf(regions));
  });

  test('hold addresses of their blocks only', () => {
    const { blocks, ...rest } = syntheticRegion(0, count);
    const [first, second, third, fourth] = blocks;
    // In whatever order; the second block is somewhere else, the others follow one another.
    const moved = { ...second, pc: 0x20000000, endPc: 0x20000010 };
    const apart = summaryOf({ ...rest, blocks: [fourth, moved, third, first] });
    expect(apart.ranges).toEqual([first.pc, first.endPc, third.pc, fourth.endPc, moved.pc, moved.endPc]);
    expect(holds(apart, first.pc)).toBe(true);
    expect(holds(apart, second.pc)).toBe(false);
    expect(holds(apart, fourth.endPc - 4)).toBe(true);
    expect(holds(apart, fourth.endPc)).toBe(false);
    expect(holds(apart, 0x2000000c)).toBe(true);
    // Blocks that overlap, as x86 code can.
    expect(summaryOf({ ...rest, blocks: [{ ...first, endPc: third.endPc }, second] }).ranges).toEqual([
      first.pc,
      third.endPc,
    ]);
  });
});

describe('what is embedded', () => {
  test('comes back as it was', async () => {
    const value = { text: '</script> $& ü 語', numbers: Array.from({ length: 50_000 }, (_, index) => index * 7919) };
    expect(await decompress(await compress(value))).toEqual(value);
  });

  test('has the lines by stage', () => {
    const { stages, blocks } = detailsOf(syntheticRegion(1, count));
    expect(blocks).toHaveLength(4);
    expect(stages.map(({ stage, pcs }) => [stage, pcs.length])).toEqual([
      ['guest', 16],
      ['ir', 48],
      ['optimized', 32],
      ['wasm', 96],
      ['host', 32],
    ]);
    expect(stages[1].text.split('\n').slice(0, 3)).toEqual(['v0 = get.i32 r3', 'v1 = i32.const 7', 'set.i32 r3, v1']);
    expect(stages[1].pcs.slice(2, 4)).toEqual([0x10000040, 0x10000044]);
    expect(stages[1].blocks.at(-1)).toBe(3);
    const whole = detailsOf({
      ...syntheticRegion(1, count),
      lines: [{ stage: 'js', pc: undefined, block: undefined, text: '}' }],
    });
    expect(whole.stages).toEqual([{ stage: 'js', text: '}', pcs: [-1], blocks: [-1] }]);
  });
});

describe('the graph', () => {
  const { blocks } = syntheticRegion(9, count);

  test('has an edge for each way that control went, with its count', () => {
    expect(edgesOf(blocks)).toEqual([
      { from: 0, to: 1, count: 1e5 },
      { from: 1, to: 2, count: 1e6 },
      { from: 2, to: 1, count: 9e5 },
      { from: 2, to: 3, count: 1e5 },
    ]);
    expect(edgesOf([{ ...blocks[0], taken: null }, blocks[1]])[0]).toEqual({ from: 0, to: 1, count: null });
  });

  test('is laid out from above, without blocks over one another, and knows what goes back', () => {
    const { nodes, edges, width, height } = layOut(blocks, [0, 1, 2, 3]);
    expect(edges.filter(({ isBack }) => isBack).map(({ from, to }) => [from, to])).toEqual([[2, 1]]);
    for (const [index, { x, y }] of nodes.entries()) {
      expect(x).toBeGreaterThanOrEqual(nodeSize.width / 2);
      expect(x).toBeLessThanOrEqual(width - nodeSize.width / 2);
      expect(y).toBeLessThanOrEqual(height - nodeSize.height / 2);
      if (index > 0) expect(y - nodes[index - 1].y).toBeGreaterThan(nodeSize.height);
    }
    // A part of it has the edges inside of that part.
    expect(layOut(blocks, [1, 2]).edges.map(({ from, to }) => [from, to])).toEqual([
      [1, 2],
      [2, 1],
    ]);
  });

  test('has the blocks that are nearest where there are too many', () => {
    expect(blocksAround(blocks, 0)).toEqual([0, 1, 2, 3]);
    expect(blocksAround(blocks, 0, 2)).toEqual([0, 1]);
    expect(blocksAround(blocks, 3, 2)).toEqual([2, 3]);
    expect(blocksAround(blocks, 1, 3)).toEqual([0, 1, 2]);
  });

  test('has smooth lines that begin and end where they should', () => {
    const [a, b, c, d] = [
      { x: 0, y: 0 },
      { x: 10, y: 0 },
      { x: 10, y: 10 },
      { x: 20, y: 10 },
    ];
    expect(curve([a, b])).toBe('M0.0,0.0 L10.0,0.0');
    expect(curve([a, b, c])).toBe('M0.0,0.0 Q10.0,0.0 10.0,10.0');
    expect(curve([a, b, c, d])).toBe('M0.0,0.0 Q10.0,0.0 10.0,5.0 Q10.0,10.0 20.0,10.0');
    expect(curve([a])).toBe('');
  });
});

describe('the time line', () => {
  test('has the speed of each tier between samples', () => {
    const rates = ratesOf(
      { at: [0, 50, 100, 200], executed: { interpreter: [0, 10, 20, 20], webassemblyRegions: [0, 0, 0, 500] } },
      2,
    );
    // The samples of the first half are taken together.
    expect(rates).toEqual([
      { from: 0, end: 100, tier: 'interpreter', perSecond: 200 },
      { from: 0, end: 100, tier: 'webassemblyRegions', perSecond: 0 },
      { from: 100, end: 200, tier: 'interpreter', perSecond: 0 },
      { from: 100, end: 200, tier: 'webassemblyRegions', perSecond: 5000 },
    ]);
    expect(ratesOf({ at: [], executed: {} }, 10)).toEqual([]);
  });

  test('has the work of each phase, one behind the other before the region is ready', () => {
    const times = { lift: 4, optimize: 3, emit: 2, compile: 1 };
    const work = workOf([region(0, { madeAt: 15, times })], 20, 2);
    const of = (phase: (typeof phases)[number]): number[] =>
      work.filter((one) => one.phase === phase).map(({ time }) => time);
    expect(work.map(({ from, end }) => [from, end]).slice(0, 2)).toEqual([
      [0, 10],
      [10, 20],
    ]);
    // From 5 to 9, to 12, to 14, to 15.
    expect(of('lift')).toEqual([4, 0]);
    expect(of('optimize')).toEqual([1, 2]);
    expect(of('emit')).toEqual([0, 2]);
    expect(of('compile')).toEqual([0, 1]);
    // What ended at the run's end, or began before it, is not lost.
    const edges = workOf([region(0, { madeAt: 20, times }), region(1, { madeAt: 5, times })], 20, 4);
    expect(edges.reduce((sum, { time }) => sum + time, 0)).toBeCloseTo(20);
    expect(workOf([], 0, 4)).toEqual([]);
  });

  test('has a lane for each of the hottest, from when it was ready to when it was replaced', () => {
    const lanes = lanesOf(
      [region(3, { madeAt: 7 }), region(9, { madeAt: 2, retired: { at: 4, why: 'codeChange' } }), region(1)],
      10,
      2,
    );
    expect(lanes.map(({ region: { number }, from, end }) => [number, from, end])).toEqual([
      [9, 2, 4],
      [3, 7, 10],
    ]);
  });

  test('sums what each tier ran and cost', () => {
    const sums = tierSums(regions, 123);
    expect(sums.map(({ tier }) => tier)).toEqual(['interpreter', 'javascriptRegions', 'webassemblyRegions']);
    expect(sums[0].executed).toBe(123);
    expect(sums[1].regions + sums[2].regions).toBe(count);
    expect(sums[1].retired + sums[2].retired).toBe(4);
    expect(sums[1].executed + sums[2].executed).toBe(regions.reduce((sum, { executed }) => sum + (executed ?? 0), 0));
    expect(sums[1].times.lift + sums[2].times.lift).toBeCloseTo(count * 0.02);
    expect(tierSums(regions, null)).toHaveLength(2);
  });
});

describe('source lines', () => {
  const { blocks } = syntheticRegion(9, count);
  const text = Array.from({ length: 12 }, (_, index) => `text ${index + 1}`).join('\n');

  test('stand with those around them, under a heading where lines are left out', () => {
    const [first, , , last] = blocks;
    const near = {
      ...last,
      source: [
        [last.pc, 0, 2],
        [last.pc + 8, 0, 11],
      ],
    } as const;
    const listing = sourceListing([{ ...first, source: [[first.pc, 0, 3]] }, near], [{ name: 'a.c', text }], String);
    expect(listing?.labels).toEqual(['1', '2', '3', '4', '5', '6', '8', '9', '10', '11', '12']);
    expect(listing?.text.split('\n')[2]).toBe('text 3');
    expect([...(listing?.headings.values() ?? [])].map((heading) => heading.text)).toEqual(['a.c:1', 'a.c:8']);
    expect(listing?.spans[1]).toEqual([{ from: last.pc, end: last.pc + 8 }]);
    expect(listing?.spans[9]).toEqual([{ from: last.pc + 8, end: last.endPc }]);
    expect(listing?.heats[2]).toBe('100000');
    expect(listing?.heats[0]).toBe('');
  });

  test('are numbers where nobody has the file, and nothing where there are no line tables', () => {
    const listing = sourceListing(
      [{ ...blocks[0], source: [[blocks[0].pc, 0, 3]] }],
      [{ name: 'a.c', text: null }],
      String,
    );
    expect(listing?.labels).toEqual(['3']);
    expect(sourceListing([{ ...blocks[0], source: [] }], [], String)).toBeUndefined();
    expect(sourceListing([{ ...blocks[0], source: [[blocks[0].pc, -1, 0]] }], [], String)).toBeUndefined();
  });
});

test('generated JavaScript is indented by its braces', () => {
  const lines = ['function f(n) {', 'for (;;) {', 'if (n) { n = 0; break; }', '} else {', 'n++;', '}', '}', '}', '}'];
  const expected = [
    'function f(n) {',
    '  for (;;) {',
    '    if (n) { n = 0; break; }',
    '  } else {',
    '    n++;',
    '  }',
    '}',
    '}',
    '}',
  ];
  expect(indented(lines.join('\n')).split('\n')).toEqual(expected);
});

describe('numbers', () => {
  test.each([
    [percent(1), '100 %'],
    [percent(0.9994), '99.9 %'],
    [percent(0.9996), '100 %'],
    [percent(0.0005), '0.05 %'],
    [percent(0.00001), '<0.01 %'],
    [percent(0), '0 %'],
    [short(9999), '9,999'],
    [short(12_345), '12.3K'],
    [short(2_000_000), '2M'],
    [milliseconds(1.234), '1.23 ms'],
    [milliseconds(1234.5), '1235 ms'],
    [several(1, 'block'), '1 block'],
    [several(1200, 'block'), '1,200 blocks'],
  ])('%s', (text, expected) => {
    expect(text).toBe(expected);
  });

  test('heat falls with the logarithm, and what ran at all is warmer than what did not', () => {
    expect(heatOf(100, 100)).toBe(1);
    expect(heatOf(1, 100)).toBe(0.5);
    expect(heatOf(1, 1e9)).toBe(0.04);
    for (const cold of [0, null]) expect(heatOf(cold, 100)).toBe(0);
    expect(heatOf(1, 0)).toBe(0);
    expect(heatColour(0)).toBe('var(--cold)');
    expect(heatColour(0.5)).toContain(' 50%');
  });
});
