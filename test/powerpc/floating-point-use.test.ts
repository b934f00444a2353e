import { expect, test } from 'vitest';
import { ignoresExceptions } from '../../translators/powerpc/floating-point-use.ts';

/** Whether an mffs f5 followed by these instructions looks at no exceptions. */
function ignores(...words: number[]): boolean {
  const code = [0xfca0048e, ...words];
  return ignoresExceptions((address) => (address >= 0x1000 ? code[(address - 0x1000) >> 2] : undefined), 0x1000);
}

const mtfsf5 = 0xfdfe2d8e; // mtfsf 255,f5
const mtfsf5All = 0xfffe2d8e; // mtfsf 255,f5,1
const stfd = 0xd8a10008; // stfd f5,8(r1)
const clrlwi = 0x54a507be; // clrlwi r5,r5,30
const blr = 0x4e800020;
const beq8 = 0x41820008; // beq .+8
const fadd123 = 0xfc22182a; // fadd f1,f2,f3

// biome-ignore format: one sequence per line
const rows: [what: string, words: number[], expected: boolean][] = [
  ['put back at once', [mtfsf5, blr], true],
  ['put back after arithmetic and mtfsfi', [0xff80010c, fadd123, 0xfd60603c, mtfsf5], true],
  ['put back on both ways', [beq8, mtfsf5All, mtfsf5], true],
  ['put back behind a jump', [0x48000008, stfd, mtfsf5], true],
  ['overwritten: lfd f5,8(r1)', [0xc8a10008, blr], true],
  ['overwritten: fmr f5,f1', [0xfca00890, blr], true],
  ['put back in a loop: b .-4', [beq8, mtfsf5, 0x4182fff8, mtfsf5], true],
  ['stored and not read again', [stfd, fadd123, blr], false],
  ['the rounding mode: lwz, clrlwi', [stfd, 0x80a1000c, clrlwi, blr], true],
  ['the rounding mode: lwz, andi. r9,r5,3', [stfd, 0x80a1000c, 0x70a90003, blr], true],
  ['the mode or nothing', [stfd, 0x80a1000c, beq8, clrlwi, 0x38a00000, blr], true],
  ['other words are read meanwhile', [stfd, 0x80c10018, 0x90c10000, 0x80a1000c, 0x38c00001, clrlwi], true],
  ['an exception: lwz, andis. r9,r5,0x2000', [stfd, 0x80a1000c, 0x74a92000, clrlwi], false],
  ['VXSQRT: lwz, andi. r9,r5,0x200', [stfd, 0x80a1000c, 0x70a90200, clrlwi], false],
  ['the whole: lwz, stw r5,0(r3)', [stfd, 0x80a1000c, 0x90a30000, clrlwi], false],
  ['the whole: lwz, mr r3,r5', [stfd, 0x80a1000c, 0x7ca32b78, clrlwi], false],
  ['the whole as a double: lfd f1,8(r1)', [stfd, 0xc8210008, blr], false],
  ['a lost base: addi r1,r1,16', [stfd, 0x38210010, 0x80a1000c, clrlwi], false],
  ['stored: stfiwx f5,0,r9', [0x7ca04fae, mtfsf5], false],
  ['stored on one way', [beq8, mtfsf5, stfd], false],
  ['copied: fmr f1,f5', [0xfc202890, mtfsf5], false],
  ['used: fmadd f1,f2,f5,f3', [0xfc22197a, mtfsf5], false],
  ['compared: fcmpu cr0,f5,f1', [0xfc050800, mtfsf5], false],
  ['comparison of others whose field looks like the register: fcmpu cr1,f1,f2', [0xfc811000, mtfsf5], true],
  ['another one put back: mtfsf 255,f6', [0xfdfe358e, blr], false],
  ['the function returns', [blr], false],
  ['another function is called', [0x48000101, mtfsf5], false],
  ['a conditional return', [0x4d820020, mtfsf5], false],
  ['code ends', [fadd123], false],
];

test.each(rows)('%s', (_what, words, expected) => {
  expect(ignores(...words)).toBe(expected);
});
