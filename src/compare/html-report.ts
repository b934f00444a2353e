/** What a comparison found as one page that needs nothing else: tables and charts, for light and dark screens, wide and narrow. */
import { colourVariables, explanationChart, partChart, timeChart, widths } from './charts.ts';
import type { Result } from './comparison.ts';
import { detailTables, exitLines, hasSeveralGuests, type ReportTable, stoppedLines } from './tables.ts';
import { baseline, type Comparison, deviation, mebibytes, outputLine, ratio, seconds } from './text-report.ts';

export { svgReport } from './charts.ts';

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character]);

const style = `
:root { color-scheme: light dark; --text: #1c2024; --soft: #5b6470; --line: #d8dde3; --back: #ffffff; --raised: #f5f7f9; ${colourVariables('light')} }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6e8ea; --soft: #9aa4af; --line: #343b43; --back: #16191d; --raised: #1e2328; ${colourVariables('dark')} }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 76rem; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.25rem 0 .5rem; }
p { margin: .25rem 0; }
.soft { color: var(--soft); }
.different { font-weight: 600; color: #c0392b; }
.scroll { overflow-x: auto; border: 1px solid var(--line); border-radius: .5rem; background: var(--raised); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .4rem .75rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th { font-weight: 600; color: var(--soft); font-size: .875rem; }
th.left, td.left { text-align: left; }
td.how { white-space: normal; min-width: 12rem; color: var(--soft); }
.dot { display: inline-block; width: .75em; height: .75em; border-radius: 50%; margin-right: .5em; }
svg { display: block; margin: .5rem 0; max-width: 100%; height: auto; color: var(--text); --plot-background: var(--back); }
.narrow { display: none; }
@media (max-width: 44rem) { .wide { display: none; } .narrow { display: block; } th, td { padding: .35rem .5rem; } }
code { font: .9em ui-monospace, monospace; }
`;

interface Column {
  readonly title: string;
  readonly kind?: 'left' | 'how' | undefined;
  /** The cell as HTML. */
  cell(result: Result): string;
}

function tableOf(columns: readonly Column[], results: readonly Result[]): string {
  const mark = (kind: Column['kind']): string => (kind === undefined ? '' : ` class="left ${kind}"`);
  const head = columns.map(({ title, kind }) => `<th${mark(kind)}>${escaped(title)}</th>`).join('');
  const rows = results.map(
    (result) => `<tr>${columns.map(({ kind, cell }) => `<td${mark(kind)}>${cell(result)}</td>`).join('')}</tr>`,
  );
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table></div>`;
}

const dotOf = ({ contender }: Result): string =>
  `<span class="dot" style="background:var(--${contender.kind})"></span>`;
const name: Column = {
  title: 'engine',
  kind: 'left',
  cell: (result) => dotOf(result) + escaped(result.contender.name),
};
const guest: Column = { title: 'guest', kind: 'left', cell: ({ entrant }) => escaped(entrant.label) };

function timeColumns({ results, timeout }: Comparison, several: boolean): Column[] {
  const base = baseline(results);
  const title = base === undefined ? 'ratio' : `× ${several ? `${base.entrant.label} ` : ''}${base.contender.name}`;
  return [
    ...(several ? [guest] : []),
    name,
    { title: 'how', kind: 'how', cell: ({ contender }) => escaped(contender.description) },
    { title: 'wall s', cell: ({ wall, stopped }) => (stopped ? `over ${timeout}` : seconds(wall)) },
    { title: 'spread', cell: ({ wall }) => deviation(wall) },
    { title, cell: ({ wall }) => ratio(wall?.median, base?.wall?.median) },
    { title: 'CPU s', cell: ({ cpu }) => seconds(cpu) },
    { title: 'MiB', cell: ({ peakMemory }) => mebibytes(peakMemory) },
  ];
}

/** A chart for wide and one for narrow screens, of which the style shows one. */
function chartOf(draw: (comparison: Comparison, width: number) => string, comparison: Comparison): string {
  return Object.entries(widths)
    .map(([name, width]) => `<div class="${name}">${draw(comparison, width)}</div>`)
    .join('\n');
}

const paragraphs = (lines: readonly string[]): string =>
  lines.map((line) => `<p class="soft">${escaped(line)}</p>`).join('\n');

/** A section; `chart` stands above the table. */
function detail(table: ReportTable | undefined, chart = ''): string {
  if (table === undefined) return '';
  const { title, notes, header, rows, left } = table;
  const columns = header.map((name, index): Column => {
    const cells = new Map(rows.map(({ result, cells }) => [result, escaped(cells[index])]));
    const dot = index === left - 1 ? dotOf : (): string => '';
    return { title: name, kind: index < left ? 'left' : undefined, cell: (result) => dot(result) + cells.get(result) };
  });
  const shown = rows.map(({ result }) => result);
  return `<h2>${escaped(title)}</h2>\n${paragraphs(notes)}\n${chart}\n${tableOf(columns, shown)}`;
}

export function htmlReport(comparison: Comparison): string {
  const { results, differences, absentees, rounds, timeout, machine } = comparison;
  const [{ entrant }] = results;
  const several = hasSeveralGuests(results);
  const command = escaped([entrant.program, ...entrant.args].join(' '));
  const { parts, probes, explanation } = detailTables(results);
  const absent = absentees.map(({ name, reason }) => `${name} is left out: ${reason}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${command}: engines side by side</title>
<style>${style}</style>
</head>
<body>
<h1><code>${command}</code></h1>
<p class="soft">${escaped(machine)}; medians of ${rounds} rounds, each engine in turn, after one to warm up</p>
<p${differences.length > 0 ? ' class="different"' : ''}>${escaped(outputLine(comparison))}</p>
<h2>Time</h2>
${chartOf(timeChart, comparison)}
${tableOf(timeColumns(comparison, several), results)}
${paragraphs(stoppedLines(results, timeout))}
${detail(parts, chartOf(partChart, comparison))}
${paragraphs(exitLines(results))}
${detail(probes)}
${detail(explanation, chartOf(explanationChart, comparison))}
${paragraphs(absent)}
</body>
</html>
`;
}
