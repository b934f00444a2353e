/** What CPUID answers in a virtual machine: the processor that guests have on every engine (translators/x86/features.ts). */
import { cpuid } from '../../../translators/x86/features.ts';

/** Leaves that depend on a subleaf, with those that there are. */
const withSubleaves: Readonly<Record<number, number>> = { 4: 5, 7: 1 };
const lastLeaves = [7, 0x80000008];

/** A row for each leaf and subleaf: leaf, subleaf or -1, EAX, EBX, ECX, EDX. */
export function identification(): readonly (readonly number[])[] {
  const rows: number[][] = [];
  for (const last of lastLeaves) {
    for (let leaf = last & 0x80000000 ? 0x80000000 : 0; leaf <= last; leaf++) {
      const subleaves = withSubleaves[leaf];
      for (let subleaf = 0; subleaf < (subleaves ?? 1); subleaf++) {
        rows.push([leaf, subleaves === undefined ? -1 : subleaf, ...cpuid(true, leaf, subleaf)]);
      }
    }
  }
  return rows;
}
