/** Puts what an inspection found into the page (web/), so that one file shows all of it. */
import { type Contents, compress, contentsId, detailsOf, partId, type RegionSummary, summaryOf } from './page-data.ts';
import { documentOf, type Findings, type Heat, regionReport } from './report.ts';
import { stages } from './stage-names.ts';

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

/** @returns the page with everything in it */
export async function pageOf(findings: Findings, heats: readonly Heat[], options: PageOptions): Promise<string> {
  const regions: RegionSummary[] = [];
  const parts: number[][] = [];
  const scripts: string[] = [];
  let numbers: number[] = [];
  let details: unknown[] = [];
  let lines = 0;
  const finishPart = async (): Promise<void> => {
    scripts.push(script(partId(parts.length), await compress(details)));
    parts.push(numbers);
    [numbers, details, lines] = [[], [], 0];
    options.progress(regions.length);
  };
  for (const heat of heats) {
    const region = regionReport(heat, findings, stages);
    regions.push(summaryOf(region));
    numbers.push(region.number);
    details.push(detailsOf(region));
    lines += region.lines?.length ?? 0;
    if (lines >= linesPerPart) await finishPart();
  }
  if (numbers.length > 0) await finishPart();
  const summary = documentOf(findings, regions);
  const contents: Contents = { summary, parts, sources: summary.files.map((name) => options.readSource(name)) };
  const all = [script(contentsId, await compress(contents)), ...scripts].join('\n');
  // A function, because text that replaces may not have "$" in it. Before the page's own script, which reads them.
  return options.template.replace('<div id="page"></div>', (place) => `${place}\n${all}`);
}

const script = (id: string, text: string): string => `<script type="text/plain" id="${id}">${text}</script>`;
