/** Which blocks a region has. */
import { expect, it } from 'vitest';
import { discoverRegion } from '../../translators/optimize/discover.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';

const entry = 0x10000000;

function blocksOf(code: readonly number[]): number[] {
  const region = discoverRegion(powerpc, (address) => code[(address - entry) >> 2], entry, {
    low: entry,
    high: entry + 4 * code.length,
    limit: 600,
    blockLimit: 128,
    exactFloatingPoint: false,
    loopOnly: false,
    indirectTargets: () => [],
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
