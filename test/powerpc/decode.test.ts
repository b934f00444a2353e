import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { decode, masks, rows, values } from '../../translators/powerpc/decode.ts';
import { disassemble, mnemonicOf } from '../../translators/powerpc/disassemble.ts';

/** A repeatable sequence of words (xorshift32). */
function words(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

const bitsOf = (row: number): string => rows[row][1].replaceAll(' ', '');
const maskOf = (bits: string, letter: string): number =>
  [...bits].reduce((mask, bit) => (mask << 1) | +(bit === letter), 0);

describe('the table', () => {
  it('has 32 bits in every row', () => {
    for (const row of rows.keys()) expect(`${rows[row][0]} ${bitsOf(row).length}`).toBe(`${rows[row][0]} 32`);
  });

  it('has no two rows that match one word', () => {
    const overlaps: string[] = [];
    for (const row of rows.keys()) {
      for (let other = 0; other < row; other++) {
        const common = masks[row] & masks[other];
        if ((values[row] & common) === (values[other] & common)) overlaps.push(`${rows[row][0]} ${rows[other][0]}`);
      }
    }
    expect(overlaps).toEqual([]);
  });

  it('is found by decode() whatever the free bits are', () => {
    const next = words(1);
    for (const row of rows.keys()) {
      for (let i = 0; i < 64; i++) expect(decode((values[row] | (next() & ~masks[row])) >>> 0)).toBe(row);
    }
  });

  it('leaves out what it does not list', () => {
    // The reserved opcode, AltiVec (4), 64-bit rotates (30), unused extended opcodes.
    for (const word of [0, 0x10000484, 0x78640000, 0x7c0003fe, 0x4c0007fe, 0xfc0007e0, 0xec000000])
      expect(decode(word)).toBe(-1);
  });
});

interface Capstone {
  disasm(bytes: number[], address: number): { mnemonic: string }[];
}

/** What capstone 5 does not know, by row. */
const unknownToCapstone = new Set(['prtyw', 'lswx', 'stswx', 'fcmpo', 'mcrxr']);

/**
 * Whether capstone's name for a word is right although ours differs.
 * - It knows neither overflow forms nor the record forms of mtfsb0 and mtfsb1.
 * - It reads the branch's BO field as if the bits that the architecture calls hints or ignores mattered.
 * - It gives names to special registers of other processors.
 * - eieio with reserved bits is Book E's mbar.
 * - The bit that makes a comparison one of doublewords is reserved on 32-bit processors.
 */
function excused(name: string, word: number, theirs: string): boolean {
  if (unknownToCapstone.has(name)) return theirs === '';
  if (bitsOf(decode(word))[21] === 'O' && (word & 0x400) !== 0) return theirs === '';
  if (name.startsWith('mtfsb') && (word & 1) !== 0) return theirs === '';
  if (name === 'bc' || name === 'bclr' || name === 'bcctr') return theirs.startsWith('b');
  if (name === 'mtspr' || name === 'mfspr') return /^m[tf]/.test(theirs);
  if (name === 'eieio') return theirs === 'mbar';
  if (name.startsWith('cmp') && (word & 0x200000) !== 0) return theirs === name.replace('w', 'd');
  return false;
}

describe('capstone agrees', async () => {
  // The package is an Emscripten module without types.
  const load = createRequire(import.meta.url)('@alexaltea/capstone-js') as () => Promise<
    Record<string, number> & { Capstone: new (architecture: number, mode: number) => Capstone }
  >;
  const library = await load();
  const capstone = new library.Capstone(library.ARCH_PPC, library.MODE_BIG_ENDIAN);
  const theirsFor = (word: number): string => {
    try {
      const found = capstone.disasm([word >>> 24, (word >>> 16) & 255, (word >>> 8) & 255, word & 255], 0x1000);
      return (found[0]?.mnemonic ?? '').replace(/[-+]$/, '');
    } catch {
      return '';
    }
  };
  const agrees = (word: number, theirs: string): boolean =>
    theirs === disassemble(word, 0x1000).split(' ')[0] ||
    theirs === mnemonicOf(word) ||
    excused(rows[decode(word)][0], word, theirs);

  it('with every row', () => {
    const next = words(2);
    for (const row of rows.keys()) {
      const free = ~masks[row] & ~maskOf(bitsOf(row), '-');
      for (let i = 0; i < 24; i++) {
        const word = (values[row] | (next() & free)) >>> 0;
        const theirs = theirsFor(word);
        expect(agrees(word, theirs), `${word.toString(16)} ${disassemble(word, 0x1000)} / ${theirs}`).toBe(true);
      }
    }
  });

  it('with random words', () => {
    const next = words(3);
    const opcodes = [19, 31, 59, 63];
    const disagreements: string[] = [];
    for (let i = 0; i < 20000; i++) {
      const random = next();
      const word = ((i & 1) === 0 ? random : (random & 0x3ffffff) | (opcodes[(i >> 1) & 3] << 26)) >>> 0;
      const theirs = theirsFor(word);
      const row = decode(word);
      // Words that only capstone knows belong to other processors; words with reserved bits set it does not know.
      if (row < 0 || theirs === '' || agrees(word, theirs)) continue;
      disagreements.push(`${word.toString(16)} ${disassemble(word, 0x1000)} / ${theirs}`);
    }
    expect(disagreements).toEqual([]);
  });
});
