/** What the engine asks of a region besides its translation. */
import type { Frontend } from '../../../translators/frontend.ts';
import { operations } from '../../../translators/ir/operations.ts';
import type { Unit } from '../../../translators/ir/unit.ts';
import type { Region } from '../../../translators/optimize/discover.ts';

/** The guest pages that a region's code lies in. */
export function pagesOf(region: Region): number[] {
  const pages = new Set<number>();
  for (const block of region.blocks) {
    for (let page = block.pc >>> 12; page <= (block.endPc - 1) >>> 12; page++) pages.add(page);
  }
  return [...pages];
}

/** Whether a unit has an instruction that may leave the default floating-point mode. */
export function changesFloatingPointMode(unit: Unit, frontend: Frontend): boolean {
  for (let at = 0; at < unit.count; at++) {
    const name = operations[unit.op[at]].name;
    if (name.startsWith('helper.') && frontend.helpers[unit.imm[at]].changesFloatingPointMode) return true;
  }
  return false;
}

/** A JavaScript name that tells the guest's symbol and address. */
export function functionName(entry: number, symbol: { name: string; start: number } | undefined): string {
  const address = entry.toString(16).padStart(8, '0');
  return symbol === undefined ? `guest_${address}` : `${symbol.name.replace(/[^A-Za-z0-9_$]/g, '_')}_${address}`;
}

/** The guest address in a name that functionName() gave, whether or not a number makes it unique; undefined for other names. */
export function entryOf(name: string): number | undefined {
  const digits = /_([\da-f]{8})(?:\$\d+)?$/.exec(name)?.[1];
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** The targets that a region's indirect jumps are known to take. @param targets by the guest address of the jump */
export function targetsIn(
  { unit, blocks }: Region,
  targets: ReadonlyMap<number, readonly number[]>,
): [site: number, targets: number[]][] {
  return blocks.flatMap(({ end }): [number, number[]][] => {
    const site = unit.pc[end - 1] >>> 0;
    const known = targets.get(site);
    return known === undefined ? [] : [[site, known.slice()]];
  });
}
