/**
 * What the processor is: one table that cpuid, /proc/cpuinfo and AT_HWCAP tell from. It is a processor of level x86-64-v2
 * with AES and PCLMULQDQ, with movbe and lzcnt in addition. Of BMI1 there is tzcnt only, whose encoding older processors run
 * as bsf; so BMI1 is not announced. Family and model are those of a Silvermont (Avoton), which has just these features and no
 * AVX: for it the GNU C library chooses functions with unaligned accesses, and none that compare strings by pcmpistri,
 * which is slow there as it is here.
 */

/** Where cpuid tells a feature. */
type Place = 'leaf 1 edx' | 'leaf 1 ecx' | 'leaf 7 ebx' | 'extended ecx' | 'extended edx' | 'power edx';

/** `name`: as in /proc/cpuinfo. `only64`: not on a processor that runs 32-bit programs only. */
type Feature = readonly [name: string, place: Place, bit: number, only64?: true];

// biome-ignore format: one feature per line
const table: readonly Feature[] = [
  ['fpu',           'leaf 1 edx',   0],
  ['tsc',           'leaf 1 edx',   4],
  ['cx8',           'leaf 1 edx',   8],
  ['cmov',          'leaf 1 edx',   15],
  ['clflush',       'leaf 1 edx',   19],
  ['mmx',           'leaf 1 edx',   23],
  ['fxsr',          'leaf 1 edx',   24],
  ['sse',           'leaf 1 edx',   25],
  ['sse2',          'leaf 1 edx',   26],
  ['syscall',       'extended edx', 11, true],
  ['nx',            'extended edx', 20],
  ['rdtscp',        'extended edx', 27],
  ['lm',            'extended edx', 29, true],
  ['nonstop_tsc',   'power edx',    8],
  ['pni',           'leaf 1 ecx',   0],
  ['pclmulqdq',     'leaf 1 ecx',   1],
  ['ssse3',         'leaf 1 ecx',   9],
  ['cx16',          'leaf 1 ecx',   13, true],
  ['sse4_1',        'leaf 1 ecx',   19],
  ['sse4_2',        'leaf 1 ecx',   20],
  ['movbe',         'leaf 1 ecx',   22],
  ['popcnt',        'leaf 1 ecx',   23],
  ['aes',           'leaf 1 ecx',   25],
  ['lahf_lm',       'extended ecx', 0, true],
  ['abm',           'extended ecx', 5],
  ['3dnowprefetch', 'extended ecx', 8],
  ['erms',          'leaf 7 ebx',   9],
];

const featuresOf = (is64: boolean): readonly Feature[] => table.filter(([, , , only64]) => is64 || only64 !== true);

/** Features in the order and with the names of /proc/cpuinfo. */
export const featureNames = (is64: boolean): readonly string[] => featuresOf(is64).map(([name]) => name);

function bitsAt(is64: boolean, place: Place): number {
  return featuresOf(is64).reduce((bits, [, at, bit]) => (at === place ? bits | (1 << bit) : bits), 0);
}

/** AT_HWCAP: what cpuid tells in leaf 1, EDX. */
export const hardwareCapabilities = (is64: boolean): number => bitsAt(is64, 'leaf 1 edx') >>> 0;

/** Maker, family, model, stepping and name, as cpuid and /proc/cpuinfo have them. */
export const processor = {
  vendor: 'GenuineIntel',
  family: 6,
  model: 77,
  stepping: 8,
  name: 'Stele virtual processor',
  /** Bytes of a cache line, and of what clflush flushes. */
  lineSize: 64,
  /** Kilobytes of the last cache. */
  cacheSize: 8192,
  physicalBits: 36,
  virtualBits: 48,
} as const;

const signature =
  ((processor.model >> 4) << 16) | (processor.family << 8) | ((processor.model & 15) << 4) | processor.stepping;

/** Caches as leaf 4 tells them: 1 data, 2 instructions, 3 both. */
const caches = [
  { type: 1, level: 1, kilobytes: 32, ways: 8 },
  { type: 2, level: 1, kilobytes: 32, ways: 4 },
  { type: 3, level: 2, kilobytes: 256, ways: 8 },
  { type: 3, level: 3, kilobytes: processor.cacheSize, ways: 16 },
];

/** Four letters from `at` on as a word. */
const letters = (text: string, at: number): number =>
  [0, 1, 2, 3].reduce((word, n) => word | (((text.charCodeAt(at + n) || 0) & 0xff) << (8 * n)), 0);

const highestLeaf = 7;
const highestExtended = 0x80000008;

/** What cpuid answers: EAX, EBX, ECX, EDX for a leaf and a subleaf (SDM volume 2, CPUID). */
export function cpuid(is64: boolean, leaf: number, subleaf: number): readonly [number, number, number, number] {
  const { vendor, name, lineSize } = processor;
  switch (leaf >>> 0) {
    case 0:
      return [highestLeaf, letters(vendor, 0), letters(vendor, 8), letters(vendor, 4)];
    case 1:
      return [signature, ((lineSize / 8) << 8) | (1 << 16), bitsAt(is64, 'leaf 1 ecx'), bitsAt(is64, 'leaf 1 edx')];
    case 2:
      // See leaf 4.
      return [0x00ff_0001 | 0xfe00, 0, 0, 0];
    case 4: {
      const cache = caches[subleaf];
      if (cache === undefined) return [0, 0, 0, 0];
      const sets = (cache.kilobytes * 1024) / (cache.ways * lineSize);
      return [cache.type | (cache.level << 5) | (1 << 8), ((cache.ways - 1) << 22) | (lineSize - 1), sets - 1, 0];
    }
    case 7:
      return [0, subleaf === 0 ? bitsAt(is64, 'leaf 7 ebx') : 0, 0, 0];
    case 0x80000000:
      return [highestExtended | 0, 0, 0, 0];
    case 0x80000001:
      return [0, 0, bitsAt(is64, 'extended ecx'), bitsAt(is64, 'extended edx')];
    case 0x80000002:
    case 0x80000003:
    case 0x80000004: {
      const at = 16 * ((leaf >>> 0) - 0x80000002);
      return [letters(name, at), letters(name, at + 4), letters(name, at + 8), letters(name, at + 12)];
    }
    case 0x80000006:
      return [0, 0, (256 << 16) | (6 << 12) | lineSize, 0];
    case 0x80000007:
      return [0, 0, 0, bitsAt(is64, 'power edx')];
    case 0x80000008:
      return [processor.physicalBits | ((is64 ? processor.virtualBits : 32) << 8), 0, 0, 0];
    default:
      return [0, 0, 0, 0];
  }
}
