/** Which blocks a region has. */
import { describe, expect, it } from 'vitest';
import { type DiscoverOptions, discoverRegion } from '../../translators/optimize/discover.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';

const entry = 0x10000000;

/** Positions in the code of the blocks of the region at one of them. */
function blocksOf(code: readonly number[], at = 0, options: Partial<DiscoverOptions> = {}): number[] {
  const region = discoverRegion(powerpc, (address) => code[(address - entry) >> 2], entry + 4 * at, {
    low: entry,
    high: entry + 4 * code.length,
    limit: 600,
    blockLimit: 128,
    exactFloatingPoint: false,
    loopOnly: false,
    indirectTargets: () => [],
    ...options,
  });
  return region.blocks.map((block) => (block.pc - entry) >> 2).sort((one, other) => one - other);
}

it('a loop whose first turn is known to go on has what comes behind it', () => {
  // li 9,16; mtctr 9; addi 3,3,1; bdnz -4; addi 4,4,1; blr
  expect(blocksOf([0x39200010, 0x7d2903a6, 0x38630001, 0x4200fffc, 0x38840001, 0x4e800020])).toEqual([0, 2, 4]);
});

it('both ways of a branch, up to the bounds', () => {
  // cmpwi 3,0; beq +12; addi 3,3,1; blr; li 3,2; b +8; nop
  expect(blocksOf([0x2c030000, 0x4182000c, 0x38630001, 0x4e800020, 0x38600002, 0x48000008, 0x60000000])).toEqual([
    0, 2, 4,
  ]);
});

describe('of a loop', () => {
  // li 5,9; { li 6,7; { addi 6,6,-1; cmpwi 6,0; bne -8 } cmpwi 5,3; beq +8; addi 5,5,-1; { cmpwi 5,0; bne -32 } } blr
  const nest = [
    0x38a00009, 0x38c00007, 0x38c6ffff, 0x2c060000, 0x4082fff8, 0x2c050003, 0x41820008, 0x38a5ffff, 0x2c050000,
    0x4082ffe0, 0x4e800020,
  ];
  const inFunction = { loopOnly: true, functionStart: entry };

  it('the outermost one where the function is not known', () => {
    expect(blocksOf(nest, 2, { loopOnly: true })).toEqual([1, 2, 5, 7, 8]);
  });

  it('the innermost one within the function', () => {
    expect(blocksOf(nest, 2, inFunction)).toEqual([2]);
    expect(blocksOf(nest, 1, inFunction)).toEqual([1, 2, 5, 7, 8]);
    expect(blocksOf(nest, 7, inFunction)).toEqual([1, 2, 5, 7, 8]);
  });

  it('all that follows where the entry lies on none', () => {
    expect(blocksOf(nest, 10, inFunction)).toEqual([10]);
  });

  it('what has run', () => {
    const cold = entry + 4 * 7;
    const region = discoverRegion(powerpc, (address) => nest[(address - entry) >> 2], entry + 4, {
      low: entry,
      high: entry + 4 * nest.length,
      limit: 600,
      blockLimit: 128,
      exactFloatingPoint: false,
      ...inFunction,
      hasRun: (pc) => pc !== cold && pc !== entry + 4 * 10,
      indirectTargets: () => [],
    });
    expect(region.indices.has(cold)).toBe(false);
    // What comes behind the loop is none of its business.
    expect([...region.cold]).toEqual([cold]);
  });
});
