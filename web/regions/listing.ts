/** Lines of code, and the guest code that each of them belongs to. */
import type { StageText } from '../../src/inspect/page-data.ts';
import type { Stage } from '../../src/inspect/stage-names.ts';
import { hex } from './numbers.ts';

/** Guest addresses from `from` on, before `end`. */
export interface Span {
  readonly from: number;
  readonly end: number;
}

/** @param pc of a guest instruction; undefined or negative for none */
export const instructionAt = (pc: number | undefined): readonly Span[] =>
  pc === undefined || pc < 0 ? [] : [{ from: pc, end: pc + 1 }];

/** Whether code has a part in what is pointed at or selected. */
export const isLit = (code: readonly Span[], lit: readonly Span[]): boolean =>
  code.some(({ from, end }) => lit.some((one) => one.from < end && from < one.end));

export interface Listing {
  /** The lines, separated by line feeds. */
  readonly text: string;
  /** What colours the text: a stage's tokens; undefined for none. */
  readonly stage: Stage | undefined;
  /** By line: the guest code that it belongs to; empty for none. */
  readonly spans: readonly (readonly Span[])[];
  /** By line: what stands at the margin; empty for nothing. Undefined: there is no margin. */
  readonly labels: readonly string[] | undefined;
  /** By line: a colour that shows how hot it is. */
  readonly heats: readonly string[];
  /** Headings, by the index of the line that they stand above. */
  readonly headings: ReadonlyMap<number, Heading>;
}

export interface Heading {
  readonly text: string;
  /** On the right. */
  readonly count: string;
}

/** Generated JavaScript has no indentation; people like to have it. Braces stand at the ends of its lines. */
export function indented(source: string): string {
  let depth = 0;
  return source
    .split('\n')
    .map((line) => {
      const closing = /^\}*/.exec(line)?.[0].length ?? 0;
      const own = Math.max(0, depth - closing);
      depth = Math.max(0, depth + line.split('{').length - line.split('}').length);
      return '  '.repeat(own) + line;
    })
    .join('\n');
}

/** How a stage of a region is listed. @param isLinear whether block follows on block, each under a heading */
export function listingOf(
  { stage, text, pcs, blocks }: StageText,
  isLinear: boolean,
  ofBlock: (block: number) => { readonly heading: Heading; readonly heat: string },
): Listing {
  const known = blocks.map((block) => (block < 0 ? undefined : ofBlock(block)));
  const headings = new Map<number, Heading>();
  if (isLinear) {
    known.forEach((block, line) => {
      if (block !== undefined && blocks[line] !== blocks[line - 1]) headings.set(line, block.heading);
    });
  }
  return {
    text: stage === 'js' ? indented(text) : text,
    stage,
    spans: pcs.map(instructionAt),
    labels: stage === 'guest' ? pcs.map(hex) : undefined,
    heats: known.map((block) => block?.heat ?? ''),
    headings,
  };
}
