/** Charts of a comparison as SVG, drawn by Observable Plot. Their colours are variables, so that a page can have themes. */
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import type { Result } from './comparison.ts';
import type { Kind } from './contenders.ts';
import { explain, explainedParts } from './explanation.ts';
import { hasSeveralGuests, statistic, timeParts } from './tables.ts';
import type { Comparison } from './text-report.ts';

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

/** Widths of charts, in pixels: for pages and files, and for phones. */
export const widths = { wide: 720, narrow: 380 } as const;

/** A chart with names on the left, and room for numbers on the right. */
function draw(width: number, several: boolean, options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html><body></body></html>');
  const layout = { width, marginBottom: 48, marginLeft: several ? 150 : 90, marginRight: width < 500 ? 60 : 90 };
  const chart = Plot.plot({ ...layout, style: { fontSize: '13px' }, ...options, document: document as never });
  return chart.outerHTML;
}

/** How rows are named: by engine, and by guest where there are several. */
function nameOf({ entrant, contender }: Result, several: boolean): string {
  return several ? `${entrant.label} ${contender.name}` : contender.name;
}

/** Wall time of everybody who came to the end, with the extremes, and processor time where that was measured. */
export function timeChart({ results }: Comparison, width: number = widths.wide): string {
  const several = hasSeveralGuests(results);
  const data = results.flatMap((result) => {
    const { wall, cpu, contender } = result;
    if (wall === undefined) return [];
    return [{ name: nameOf(result, several), ...wall, cpu: cpu?.median ?? 0, fill: variable(contender.kind) }];
  });
  return draw(width, several, {
    height: 80 + 28 * data.length,
    x: { label: 'seconds: wall time (pale), processor time', grid: true, zero: true, ticks: width / 100 },
    y: { label: null, domain: data.map(({ name }) => name) },
    ariaLabel: 'Wall time of each engine',
    marks: [
      Plot.barX(data, { x: 'median', y: 'name', fill: 'fill', fillOpacity: 0.4 }),
      Plot.barX(data, { x: 'cpu', y: 'name', fill: 'fill', insetTop: 5, insetBottom: 5 }),
      Plot.ruleY(data, { x1: 'least', x2: 'most', y: 'name', strokeWidth: 1.5 }),
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

interface Part {
  readonly name: string;
  readonly part: string;
  /** Of the whole, 1 being all of it. */
  readonly share: number;
}

/** Bars that are stacked of parts, by name, with a key of their colours above. */
function shareChart(
  data: readonly Part[],
  parts: readonly string[],
  { several, label, width }: { readonly several: boolean; readonly label: string; readonly width: number },
): string {
  if (data.length === 0) return '';
  const key = keyOf(parts, width);
  const names = [...new Set(data.map(({ name }) => name))];
  const chart = draw(width, several, {
    marginTop: key.height + 20,
    height: key.height + 76 + 28 * names.length,
    x: { label, grid: true, percent: true, ticks: width / 100 },
    y: { label: null, domain: names },
    color: { domain: [...parts], range: [...partColours] },
    ariaLabel: label,
    marks: [Plot.barX(data, Plot.stackX({ x: 'share', y: 'name', fill: 'part', order: [...parts] })), Plot.ruleX([0])],
  });
  const end = chart.lastIndexOf('</svg>');
  return chart.slice(0, end) + key.drawing + chart.slice(end);
}

/** Names of parts beside squares of their colours, for the room above the bars; in several rows where one is too short. */
function keyOf(parts: readonly string[], width: number): { readonly drawing: string; readonly height: number } {
  let [x, y] = [8, 8];
  const entries = parts.map((part, index) => {
    const length = 34 + 7 * part.length;
    if (x + length > width) [x, y] = [8, y + 20];
    const square = `<rect x="${x}" y="${y}" width="11" height="11" rx="2" fill="${partColours[index]}"></rect>`;
    const text = `<text x="${x + 16}" y="${y + 10}" fill="currentColor" text-anchor="start">${part}</text>`;
    x += length;
    return square + text;
  });
  return { drawing: `<g>${entries.join('')}</g>`, height: y + 18 };
}

/** Where the time of our own engines went; empty where nobody told. */
export function partChart({ results }: Comparison, width: number = widths.wide): string {
  const several = hasSeveralGuests(results);
  const data = results.flatMap((result) => {
    const whole = timeParts.reduce((sum, [key]) => sum + statistic(result, key), 0);
    if (result.statistics === undefined || whole === 0) return [];
    const name = nameOf(result, several);
    return timeParts.map(([key, part]) => ({ name, part, share: statistic(result, key) / whole }));
  });
  const parts = timeParts.map(([, part]) => part);
  return shareChart(data, parts, { several, label: 'where the time went, per cent', width });
}

/** What the probes explain of each engine's time; empty where there are none. */
export function explanationChart({ results }: Comparison, width: number = widths.wide): string {
  const several = hasSeveralGuests(results);
  const data = results.flatMap((result) => {
    const explanation = explain(result, results);
    if (explanation === undefined) return [];
    const name = nameOf(result, several);
    return explainedParts.map(([key, part]) => ({ name, part, share: explanation[key] / explanation.measured }));
  });
  const parts = explainedParts.map(([, part]) => part);
  return shareChart(data, parts, { several, label: 'per cent of the measured time', width });
}

/** Declarations of the variables, for one of the themes. */
export function colourVariables(theme: 'light' | 'dark'): string {
  const index = theme === 'light' ? 0 : 1;
  return Object.entries(colours)
    .map(([kind, values]) => `--${kind}: ${values[index]};`)
    .join(' ');
}

/** The charts as a file of its own, which follows the viewer's theme. */
export function svgReport(comparison: Comparison): string {
  const charts = [timeChart(comparison), partChart(comparison), explanationChart(comparison)].filter(
    (chart) => chart !== '',
  );
  let height = 0;
  const placed = charts.map((chart) => {
    const inner = chart.replace('<svg', `<svg y="${height}"`);
    height += Number(/<svg[^>]* height="(\d+)"/.exec(chart)?.[1]);
    return inner;
  });
  const style = `<style>
:root { ${colourVariables('light')} --plot-background: #ffffff; color: #1c2024; background: #ffffff; }
@media (prefers-color-scheme: dark) { :root { ${colourVariables('dark')} --plot-background: #16191d; color: #e6e8ea; background: #16191d; } }
</style>`;
  const width = widths.wide;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`;
  return `${head}${style}${placed.join('\n')}</svg>\n`;
}
