/** Reads the report that `stele inspect` put into the page (src/inspect/page.ts). */
import { type Contents, contentsId, decompress, partId, type RegionDetails } from '../../src/inspect/page-data.ts';
import type { ReportSource } from './source.ts';

/** @returns undefined where the page has none */
export async function embeddedReport(): Promise<ReportSource | undefined> {
  const text = document.getElementById(contentsId)?.textContent;
  if (!text) return undefined;
  const { summary, parts, sources } = (await decompress(text)) as Contents;
  const places = new Map(
    parts.flatMap((numbers, part) => numbers.map((number, index) => [number, { part, index }] as const)),
  );
  /** Parts that were looked at. What the page's own text takes stays anyway; this is several times as much. */
  const opened = new Map<number, Promise<RegionDetails[]>>();
  const open = (part: number): Promise<RegionDetails[]> => {
    const held = opened.get(part) ?? (decompress(document.getElementById(partId(part))?.textContent ?? '') as never);
    opened.delete(part);
    opened.set(part, held);
    // The first of a map is the one that was used longest ago.
    if (opened.size > 16) opened.delete(opened.keys().next().value as number);
    return held;
  };
  return {
    summary,
    sources,
    details: async (number) => {
      const place = places.get(number);
      if (place === undefined) throw new Error(`the report has no region ${number}`);
      return (await open(place.part))[place.index];
    },
  };
}
