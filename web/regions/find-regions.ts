/** Finds regions by symbol and address, and brings them into an order. */
import type { RegionSummary } from '../../src/inspect/page-data.ts';
import { hex } from './numbers.ts';

// biome-ignore format: one row per line
export const orders = [
  { id: '', title: 'heat', compare: () => 0 },
  { id: 'address', title: 'address', compare: (a, b) => a.pc - b.pc },
  { id: 'name', title: 'name', compare: (a, b) => compareNames(a.symbol, b.symbol) || a.pc - b.pc },
  { id: 'size', title: 'guest instructions', compare: (a, b) => b.guestInstructions - a.guestInstructions },
  { id: 'expansion', title: 'expansion', compare: (a, b) => b.expansion.code - a.expansion.code },
  { id: 'time', title: 'time to make', compare: (a, b) => timeToMake(b) - timeToMake(a) },
  { id: 'made', title: 'when made', compare: (a, b) => a.number - b.number },
] as const satisfies readonly {
  /** In the address. */
  readonly id: string;
  readonly title: string;
  readonly compare: (a: RegionSummary, b: RegionSummary) => number;
}[];

/** The symbol, with an offset where it is not the symbol's begin; without one, the address. */
export function nameOf({ symbol, pc }: Pick<RegionSummary, 'symbol' | 'pc'>): string {
  return symbol === '' ? `0x${hex(pc)}` : symbol.replace(/\+0x0$/, '');
}

/** Milliseconds. */
export function timeToMake({ times }: RegionSummary): number {
  return times.lift + times.optimize + times.emit + times.compile;
}

/** What has no name comes last. */
function compareNames(a: string, b: string): number {
  if (a === '' || b === '') return Number(a === '') - Number(b === '');
  return a < b ? -1 : Number(a > b);
}

/** The guest address that a text is: hexadecimal, with 0x or at least four digits, so that "add" is a name. */
export function addressOf(text: string): number | undefined {
  const match = /^(?:0x([\da-f]{1,8})|([\da-f]{4,8}))$/i.exec(text.trim());
  return match === null ? undefined : Number.parseInt(match[1] ?? match[2], 16);
}

/** Whether a region's code holds a guest address. */
export function holds({ ranges }: Pick<RegionSummary, 'ranges'>, address: number): boolean {
  for (let at = 0; at < ranges.length; at += 2) if (address >= ranges[at] && address < ranges[at + 1]) return true;
  return false;
}

/**
 * @param regions the hottest first
 * @param text part of a symbol, of a source file's name with line, or of a pc as the list shows it; or an address that
 *   the region holds. Empty: all
 * @param order one of `orders`; anything else is heat
 */
export function findRegions(regions: readonly RegionSummary[], text: string, order: string): readonly RegionSummary[] {
  const wanted = text.trim().toLowerCase();
  const address = addressOf(wanted);
  const found =
    wanted === ''
      ? regions
      : regions.filter(
          (region) =>
            (address !== undefined && holds(region, address)) ||
            region.symbol.toLowerCase().includes(wanted) ||
            region.line.toLowerCase().includes(wanted) ||
            region.pc.toString(16).includes(wanted),
        );
  const chosen = orders.find(({ id }) => id === order);
  return chosen === undefined || chosen.id === '' ? found : found.toSorted(chosen.compare);
}
