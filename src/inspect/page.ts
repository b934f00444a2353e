/** Puts what an inspection found into the page (web/), so that one file shows all of it. */
import {
  type Contents,
  compress,
  contentsId,
  detailsOf,
  partId,
  type RegionDetails,
  type RegionSummary,
  type Summary,
  summaryOf,
} from './page-data.ts';
import type { RegionReport } from './report.ts';

/** Lines of all stages that share a part: as many as take the page a few milliseconds. */
const linesPerPart = 8192;

export interface PageOptions {
  /** The page without a report. */
  readonly template: string;
  /** The text of a source file; null where it is not there. */
  readSource(name: string): string | null;
  /** Told now and then how many regions are done. */
  progress(done: number): void;
}

/**
 * @param regions the hottest first, with the lines of all stages; each is made when its turn comes, and not kept
 * @param summarize makes the rest of the report
 * @returns the page with everything in it
 */
export async function pageOf(
  regions: Iterable<RegionReport>,
  summarize: (regions: readonly RegionSummary[]) => Summary,
  options: PageOptions,
): Promise<string> {
  const summaries: RegionSummary[] = [];
  const parts: number[][] = [];
  const scripts: string[] = [];
  let numbers: number[] = [];
  let details: RegionDetails[] = [];
  let lines = 0;
  const finishPart = async (): Promise<void> => {
    scripts.push(script(partId(parts.length), await compress(details)));
    parts.push(numbers);
    [numbers, details, lines] = [[], [], 0];
    options.progress(summaries.length);
  };
  for (const region of regions) {
    summaries.push(summaryOf(region));
    numbers.push(region.number);
    details.push(detailsOf(region));
    lines += region.lines?.length ?? 0;
    if (lines >= linesPerPart) await finishPart();
  }
  if (numbers.length > 0) await finishPart();
  const summary = summarize(summaries);
  const contents: Contents = { summary, parts, sources: summary.files.map((name) => options.readSource(name)) };
  const all = [script(contentsId, await compress(contents)), ...scripts].join('\n');
  // A function, because text that replaces may not have "$" in it.
  return options.template.replace('<div id="page"></div>', (place) => `${place}\n${all}`);
}

const script = (id: string, text: string): string => `<script type="text/plain" id="${id}">${text}</script>`;
