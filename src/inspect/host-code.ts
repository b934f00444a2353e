/** The machine code that V8 made of translations: how much, and which came from which guest instruction. */
import type { EmittedCode, InspectedTranslation } from '../engines/inspection.ts';
import { blockFinder, type StageLine } from './stages.ts';
import { codeBytes, type V8Code } from './v8-code.ts';

export interface HostCode {
  /** Machine instructions, without padding. */
  readonly instructions: number;
  readonly bytes: number;
  /** Where they were asked for. */
  readonly lines?: readonly StageLine[];
  /** Machine instructions by block; undefined where V8 does not tell. */
  readonly blocks?: readonly number[] | undefined;
}

/** Where positions of the code lead: from a position to the guest address, undefined for what the function as a whole needs. */
type Origins = (position: number) => number | undefined;

/** How much code there is. */
export function hostSize(code: V8Code): HostCode {
  return { instructions: code.instructions.length, bytes: codeBytes(code) };
}

/** The same with lines. @param emitted what the code was made of */
export function hostCodeOf(code: V8Code, { region }: InspectedTranslation, emitted: EmittedCode): HostCode {
  const { instructions, positions } = code;
  const known = emitted.kind === 'javascript' ? javascriptOrigins(code, emitted) : webassemblyOrigins(emitted);
  const isKnown = known !== undefined && positions.length > 0;
  const blockOf = blockFinder(region);
  const blocks: number[] = region.blocks.map(() => 0);
  let next = 0;
  let pc: number | undefined;
  const lines = instructions.map(({ offset, text }): StageLine => {
    for (; next < positions.length && positions[next].offset <= offset; next++) pc = known?.(positions[next].position);
    const block = pc === undefined ? undefined : blockOf(pc);
    if (block !== undefined) blocks[block]++;
    const place = offset.toString(16).padStart(4, '0');
    return { stage: 'host', pc: block === undefined ? undefined : pc, block, text: `${place}  ${text}` };
  });
  return { ...hostSize(code), lines, blocks: isKnown ? blocks : undefined };
}

/** Positions are those in the script. Where V8 inlined functions, it does not tell in whose script. */
function javascriptOrigins(code: V8Code, from: Extract<EmittedCode, { kind: 'javascript' }>): Origins | undefined {
  if (code.inlined > 0 || !isMadeOf(code, from)) return undefined;
  const { emitted } = from;
  const { pcs, blockLines } = emitted;
  const start = emitted.source.indexOf('(');
  return (position) => {
    const line = countLines(emitted.source, start + position - code.sourcePosition);
    return line < blockLines.first || line >= blockLines.end ? undefined : pcs[line] >>> 0;
  };
}

const countLines = (text: string, end: number): number => {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0 && at < end; at = text.indexOf('\n', at + 1)) lines++;
  return lines;
};

/** Positions are offsets in the function, the declarations of its locals included. */
function webassemblyOrigins({ emitted }: Extract<EmittedCode, { kind: 'webassembly' }>): Origins {
  const { origins = [], localsSize } = emitted;
  return (position) => origins.findLast(({ offset }) => offset <= position - localsSize)?.pc;
}

/** Whether a listing's function was made of a translation's JavaScript. V8 prints it from its parameters on. */
export function isMadeOf({ source }: V8Code, code: EmittedCode): boolean {
  if (code.kind !== 'javascript') return false;
  const { source: text } = code.emitted;
  return source.startsWith(text.slice(text.indexOf('(')));
}
