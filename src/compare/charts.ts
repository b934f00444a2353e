/** Charts of a comparison as SVG, drawn by Observable Plot. Their colours are variables, so that a page can have themes. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Result } from './comparison.ts';
import type { Kind } from './contenders.ts';
import { type Comparison, timeParts } from './text-report.ts';

/** Colours of the kinds of engines and of the parts of the time: names of variables, light and dark value. */
export const colours = {
  native: ['#3d7a3d', '#79c279'],
  virtualized: ['#0f7f8b', '#4cc3cf'],
  traced: ['#5c7a12', '#b4d15a'],
  translated: ['#2f5fb3', '#7fa8f0'],
  interpreted: ['#8a4fb0', '#c596e6'],
  qemu: ['#b5651d', '#eaa765'],
} as const satisfies Readonly<Record<Kind, readonly [light: string, dark: string]>>;

const partColours: readonly string[] = ['#9aa5b1', '#e0b040', '#d98a3d', '#c76d7e', '#9d6bb3', '#4c9f9a', '#4a78c2'];

const variable = (kind: Kind): string => `var(--${kind})`;

/** A chart's text: names on the left, room for numbers on the right. */
const layout = { width: 720, marginBottom: 48, marginLeft: 110, marginRight: 90, style: { fontSize: '13px' } };

function draw(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>');
  const chart = Plot.plot({ ...layout, ...options, document: document as never });
  return chart.outerHTML;
}

/** How rows are named: by engine, and by guest where there are several. */
function nameOf({ entrant, contender }: Result, several: boolean): string {
  return several ? `${entrant.label} ${contender.name}` : contender.name;
}

const isSeveral = (results: readonly Result[]): boolean =>
  new Set(results.map(({ entrant }) => entrant.label)).size > 1;

/** Wall time of everybody who came to the end, with the extremes. */
export function timeChart({ results }: Comparison): string {
  const several = isSeveral(results);
  const data = results.flatMap((result) => {
    const { wall, contender } = result;
    if (wall === undefined) return [];
    return [{ name: nameOf(result, several), ...wall, fill: variable(contender.kind) }];
  });
  return draw({
    marginLeft: several ? 170 : layout.marginLeft,
    height: 80 + 28 * data.length,
    x: { label: 'seconds of wall time (bar: median; line: fastest to slowest)', grid: true, zero: true },
    y: { label: null, domain: data.map(({ name }) => name) },
    ariaLabel: 'Wall time of each engine',
    marks: [
      Plot.barX(data, { x: 'median', y: 'name', fill: 'fill' }),
      Plot.ruleY(data, { x1: 'least', x2: 'most', y: 'name', strokeWidth: 2 }),
      Plot.text(data, {
        x: 'most',
        y: 'name',
        text: ({ median }: { median: number }) => `${median.toPrecision(3)} s`,
        textAnchor: 'start',
        dx: 6,
      }),
      Plot.ruleX([0]),
    ],
  });
}

/** Where the time of our own engines went; empty where nobody told. */
export function partChart({ results }: Comparison): string {
  const several = isSeveral(results);
  const told = results.filter(({ statistics }) => statistics !== undefined);
  const data = told.flatMap((result) =>
    timeParts.map(([key, part]) => ({
      name: nameOf(result, several),
      part,
      seconds: Number(result.statistics?.[key] ?? 0) / 1000,
    })),
  );
  if (data.length === 0) return '';
  const parts = timeParts.map(([, part]) => part);
  const chart = draw({
    marginLeft: several ? 170 : layout.marginLeft,
    height: 80 + 28 * told.length,
    x: { label: 'seconds, in a run of its own in which counting costs some time', grid: true },
    y: { label: null, domain: told.map((result) => nameOf(result, several)) },
    color: { domain: parts, range: partColours },
    ariaLabel: 'Where the time of each engine went',
    marks: [Plot.barX(data, Plot.stackX({ x: 'seconds', y: 'name', fill: 'part', order: parts })), Plot.ruleX([0])],
  });
  const legend = parts
    .map((part, index) => `<span class="key"><i style="background:${partColours[index]}"></i>${part}</span>`)
    .join(' ');
  return `<p class="legend">${legend}</p>${chart}`;
}

/** Declarations of the variables, for one of the themes. */
export function colourVariables(theme: 'light' | 'dark'): string {
  const index = theme === 'light' ? 0 : 1;
  return Object.entries(colours)
    .map(([kind, values]) => `--${kind}: ${values[index]};`)
    .join(' ');
}

/** The chart of wall times as a file of its own, which follows the viewer's theme. */
export function svgReport(comparison: Comparison): string {
  const style = `<style>
:root { ${colourVariables('light')} color: #1c2024; background: #ffffff; }
@media (prefers-color-scheme: dark) { :root { ${colourVariables('dark')} color: #e6e8ea; background: #16191d; } }
</style>`;
  const chart = timeChart(comparison);
  const inside = chart.indexOf('>') + 1;
  const head = chart.slice(0, inside).replace('<svg', '<svg xmlns="http://www.w3.org/2000/svg"');
  return `${head}${style}${chart.slice(inside)}\n`;
}
