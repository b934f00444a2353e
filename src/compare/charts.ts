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

/** Wall time of everybody who came to the end, with the extremes. */
export function timeChart({ results }: Comparison): string {
  const several = hasSeveralGuests(results);
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

interface Part {
  readonly name: string;
  readonly part: string;
  /** Of the whole, 1 being all of it. */
  readonly share: number;
}

/** Bars that are stacked of parts, by name, with a key of their colours above. */
function shareChart(data: readonly Part[], parts: readonly string[], several: boolean, label: string): string {
  if (data.length === 0) return '';
  const names = [...new Set(data.map(({ name }) => name))];
  const chart = draw({
    marginLeft: several ? 170 : layout.marginLeft,
    marginTop: 46,
    height: 106 + 28 * names.length,
    x: { label, grid: true, percent: true },
    y: { label: null, domain: names },
    color: { domain: [...parts], range: [...partColours] },
    ariaLabel: label,
    marks: [Plot.barX(data, Plot.stackX({ x: 'share', y: 'name', fill: 'part', order: [...parts] })), Plot.ruleX([0])],
  });
  const end = chart.lastIndexOf('</svg>');
  return chart.slice(0, end) + keyOf(parts) + chart.slice(end);
}

/** Names of parts beside squares of their colours, for the room above the bars. */
function keyOf(parts: readonly string[]): string {
  let x = 8;
  const entries = parts.map((part, index) => {
    const square = `<rect x="${x}" y="8" width="11" height="11" rx="2" fill="${partColours[index]}"></rect>`;
    const text = `<text x="${x + 16}" y="18" fill="currentColor">${part}</text>`;
    x += 34 + 7 * part.length;
    return square + text;
  });
  return `<g>${entries.join('')}</g>`;
}

/** Where the time of our own engines went; empty where nobody told. */
export function partChart({ results }: Comparison): string {
  const several = hasSeveralGuests(results);
  const data = results.flatMap((result) => {
    const whole = timeParts.reduce((sum, [key]) => sum + statistic(result, key), 0);
    if (result.statistics === undefined || whole === 0) return [];
    const name = nameOf(result, several);
    return timeParts.map(([key, part]) => ({ name, part, share: statistic(result, key) / whole }));
  });
  const parts = timeParts.map(([, part]) => part);
  return shareChart(data, parts, several, 'where the time went, per cent');
}

/** What the probes explain of each engine's time; empty where there are none. */
export function explanationChart({ results }: Comparison): string {
  const several = hasSeveralGuests(results);
  const data = results.flatMap((result) => {
    const explanation = explain(result, results);
    if (explanation === undefined) return [];
    const name = nameOf(result, several);
    return explainedParts.map(([key, part]) => ({ name, part, share: explanation[key] / explanation.measured }));
  });
  const parts = explainedParts.map(([, part]) => part);
  return shareChart(data, parts, several, 'what the probes explain, per cent of the measured time');
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
  const { width } = layout;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">`;
  return `${head}${style}${placed.join('\n')}</svg>\n`;
}
