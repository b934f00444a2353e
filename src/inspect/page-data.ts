/** A report as the page has it: what its list of regions needs at once, and the rest of each region when somebody looks at it. */
import type { BlockReport, RegionReport, Report } from './report.ts';
import type { Stage } from './stage-names.ts';
import type { StageLine } from './stages.ts';

export type RegionSummary = Omit<RegionReport, 'blocks' | 'lines'> & {
  /** Begin and end, in turn, of the guest addresses that the region holds; ascending. */
  readonly ranges: readonly number[];
  readonly blockCount: number;
};

export type Summary = Omit<Report, 'regions'> & {
  /** The hottest first. */
  readonly regions: readonly RegionSummary[];
};

/** The lines of a stage. */
export interface StageText {
  readonly stage: Stage;
  /** The lines, separated by line feeds. */
  readonly text: string;
  /** By line: the guest instruction that it came from; -1 for what belongs to the function as a whole. */
  readonly pcs: readonly number[];
  /** By line: the number of its block; -1 for none. */
  readonly blocks: readonly number[];
}

export interface RegionDetails {
  readonly blocks: readonly BlockReport[];
  /** In the order of stages; only those that the region has. */
  readonly stages: readonly StageText[];
}

export function summaryOf({ blocks, lines: _, ...region }: RegionReport): RegionSummary {
  return { ...region, ranges: rangesOf(blocks), blockCount: blocks.length };
}

/** @param region with the lines of all stages */
export function detailsOf({ blocks, lines = [] }: RegionReport): RegionDetails {
  const byStage = new Map<Stage, StageLine[]>();
  for (const line of lines) {
    const own = byStage.get(line.stage);
    if (own === undefined) byStage.set(line.stage, [line]);
    else own.push(line);
  }
  const stages = Array.from(byStage, ([stage, own]) => ({
    stage,
    text: own.map(({ text }) => text).join('\n'),
    pcs: own.map(({ pc = -1 }) => pc),
    blocks: own.map(({ block = -1 }) => block),
  }));
  return { blocks, stages };
}

/** Joins blocks that follow one another. */
function rangesOf(blocks: readonly BlockReport[]): number[] {
  const ranges: number[] = [];
  for (const { pc, endPc } of blocks.toSorted((a, b) => a.pc - b.pc)) {
    const end = ranges.at(-1);
    if (end === undefined || pc > end) ranges.push(pc, endPc);
    else if (endPc > end) ranges[ranges.length - 1] = endPc;
  }
  return ranges;
}

/** What the page finds embedded: the summary, and in which part the details of each region are. */
export interface Contents {
  readonly summary: Summary;
  /** By part: numbers of the regions whose details it has, in the order in which it has them. */
  readonly parts: readonly (readonly number[])[];
  /** By index in the report's `files`: the file's text; null where it was not found. */
  readonly sources: readonly (string | null)[];
}

/** Ids of the scripts that hold JSON, compressed by gzip, in base64. */
export const contentsId = 'stele-contents';
export const partId = (part: number): string => `stele-part-${part}`;

export async function compress(value: unknown): Promise<string> {
  const stream = new Blob([JSON.stringify(value)]).stream().pipeThrough(new CompressionStream('gzip'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let binary = '';
  // String.fromCharCode takes as many arguments as fit on the stack.
  for (let at = 0; at < bytes.length; at += 0x8000) binary += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return btoa(binary);
}

export async function decompress(text: string): Promise<unknown> {
  return JSON.parse(new TextDecoder().decode(await inflate(text)));
}

/** The bytes that gzip and base64 made a text of. */
export async function inflate(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
