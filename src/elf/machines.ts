/** Which kinds of ELF files Stele runs, and the names of those that it does not. */

/** A kind of ELF file that a frontend can run. */
export interface Target {
  /** Name of the guest's ABI. */
  readonly abi: 'powerpc' | 'i386' | 'x86-64';
  readonly machine: number;
  readonly addressBits: 32 | 64;
  readonly byteOrder: 'big' | 'little';
}

// biome-ignore format: one row per line
export const targets: readonly Target[] = [
  { abi: 'powerpc', machine: 20, addressBits: 32, byteOrder: 'big' },
  { abi: 'i386', machine: 3, addressBits: 32, byteOrder: 'little' },
  { abi: 'x86-64', machine: 62, addressBits: 64, byteOrder: 'little' },
];

/** Names of e_machine's values that people have programs for (elf.h, EM_*). */
const machineNames: Readonly<Record<number, string>> = {
  0: 'no machine',
  2: 'SPARC',
  3: 'Intel 80386',
  4: 'Motorola 68000',
  8: 'MIPS',
  15: 'PA-RISC',
  18: 'SPARC 32+',
  20: 'PowerPC',
  21: 'PowerPC64',
  22: 'IBM S/390',
  40: 'ARM',
  41: 'Alpha',
  42: 'SuperH',
  43: 'SPARC v9',
  50: 'IA-64',
  62: 'x86-64',
  93: 'ARC',
  94: 'Xtensa',
  164: 'Hexagon',
  183: 'AArch64',
  189: 'MicroBlaze',
  243: 'RISC-V',
  247: 'BPF',
  258: 'LoongArch',
};

export function machineName(machine: number): string {
  return machineNames[machine] ?? `unknown machine ${machine}`;
}

/** "32-bit big-endian PowerPC" */
export function describeTarget(target: Pick<Target, 'machine' | 'addressBits' | 'byteOrder'>): string {
  return `${target.addressBits}-bit ${target.byteOrder}-endian ${machineName(target.machine)}`;
}
