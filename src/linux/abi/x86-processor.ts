/** What AT_HWCAP and /proc/cpuinfo tell of the processor. */

/** Features and their bits in register EDX of CPUID leaf 1, by the names of /proc/cpuinfo. */
const features: readonly (readonly [name: string, bit: number])[] = [
  ['fpu', 0],
  ['tsc', 4],
  ['cx8', 8],
  ['cmov', 15],
  ['mmx', 23],
  ['fxsr', 24],
  ['sse', 25],
  ['sse2', 26],
];
const furtherFeatures =
  'syscall lm constant_tsc rep_good nopl pni pclmulqdq ssse3 cx16 sse4_1 sse4_2 movbe popcnt aes lahf_lm';

/** AT_HWCAP, which is that register, and AT_HWCAP2. */
export const capabilities: readonly [number, number] = [features.reduce((word, [, bit]) => word | (1 << bit), 0), 0];

/** The text of /proc/cpuinfo. */
export function processorInfo(processors: number): string {
  const flags = `${features.map(([name]) => name).join(' ')} ${furtherFeatures}`;
  const describe = (number: number): string =>
    [
      `processor\t: ${number}`,
      'vendor_id\t: GenuineIntel',
      'cpu family\t: 6',
      'model\t\t: 44',
      'model name\t: Stele',
      'stepping\t: 0',
      `siblings\t: ${processors}`,
      `core id\t\t: ${number}`,
      `cpu cores\t: ${processors}`,
      'fpu\t\t: yes',
      'fpu_exception\t: yes',
      'cpuid level\t: 7',
      'wp\t\t: yes',
      `flags\t\t: ${flags}`,
      'clflush size\t: 64',
      'cache_alignment\t: 64',
      'address sizes\t: 40 bits physical, 48 bits virtual',
    ].join('\n');
  return `${Array.from({ length: processors }, (_, number) => describe(number)).join('\n\n')}\n\n`;
}
