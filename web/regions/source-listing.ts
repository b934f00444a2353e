/** The source lines that a region's code came from, as a listing. */
import type { BlockReport } from '../../src/inspect/report.ts';
import type { Heading, Listing, Span } from './listing.ts';

/** Lines without code that are shown around and between those with code. */
const surroundings = 3;

interface SourceCode {
  readonly spans: Span[];
  executed: number;
}

/** Guest code by file, by line; what ran of a line is what ran in the blocks that have code of it, each counted once. */
function codeByLine(blocks: readonly BlockReport[]): Map<number, Map<number, SourceCode>> {
  const files = new Map<number, Map<number, SourceCode>>();
  for (const { source, endPc, executions } of blocks) {
    const seen = new Set<SourceCode>();
    source.forEach(([from, file, line], index) => {
      if (file < 0) return;
      const lines = files.get(file) ?? new Map<number, SourceCode>();
      files.set(file, lines);
      const code = lines.get(line) ?? { spans: [], executed: 0 };
      lines.set(line, code);
      code.spans.push({ from, end: source[index + 1]?.[0] ?? endPc });
      if (!seen.has(code)) code.executed += executions ?? 0;
      seen.add(code);
    });
  }
  return files;
}

/**
 * @param files names, and texts: null where there is none
 * @param heat the colour of what ran this often
 * @returns undefined where no line is known of the code
 */
export function sourceListing(
  blocks: readonly BlockReport[],
  files: readonly { readonly name: string; readonly text: string | null }[],
  heat: (executions: number) => string,
): Listing | undefined {
  const byFile = codeByLine(blocks);
  if (byFile.size === 0) return undefined;
  const texts: string[] = [];
  const spans: (readonly Span[])[] = [];
  const labels: string[] = [];
  const heats: string[] = [];
  const headings = new Map<number, Heading>();
  for (const [file, byLine] of byFile) {
    const { name, text } = files[file];
    const source = text?.split(/\r?\n/);
    let last = Number.NEGATIVE_INFINITY;
    const add = (number: number): void => {
      if (number !== last + 1) headings.set(texts.length, { text: `${name}:${number}`, count: '' });
      last = number;
      const code = byLine.get(number);
      texts.push(source?.[number - 1] ?? '');
      spans.push(code?.spans ?? []);
      labels.push(String(number));
      heats.push(code === undefined ? '' : heat(code.executed));
    };
    const numbers = [...byLine.keys()].sort((a, b) => a - b);
    numbers.forEach((number, index) => {
      const around = source === undefined ? 0 : surroundings;
      const end = Math.min(number + around, source?.length ?? number, (numbers[index + 1] ?? Number.MAX_VALUE) - 1);
      for (let at = Math.max(1, number - around, last + 1); at <= end; at++) add(at);
    });
  }
  return { text: texts.join('\n'), stage: undefined, spans, labels, heats, headings };
}
