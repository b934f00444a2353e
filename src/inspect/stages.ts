/** The stages of a translation as lines, each with the guest instruction that it came from. */
import { printInstruction } from '../../translators/ir/printer.ts';
import { analysisOf, type BlockAnalysis, write } from '../../translators/optimize/block-analysis.ts';
import type { Region } from '../../translators/optimize/discover.ts';
import { kinds } from '../../translators/optimize/operation-kinds.ts';
import { bodyLines } from '../../translators/webassembly/printer.ts';
import type { EmittedCode, InspectedTranslation } from '../engines/inspection.ts';
import type { CollectedTranslation } from './collector.ts';
import type { Stage } from './stage-names.ts';

export interface StageLine {
  readonly stage: Stage;
  /** The guest instruction that the line came from; undefined for what the function as a whole needs. */
  readonly pc: number | undefined;
  /** The number of the block in its region that the instruction belongs to. */
  readonly block: number | undefined;
  readonly text: string;
}

/** The lines of a stage in its own order; empty where the translation does not have it (js and wasm exclude each other). */
export function stageLines(stage: Exclude<Stage, 'host'>, collected: CollectedTranslation): StageLine[] {
  const { translation } = collected;
  switch (stage) {
    case 'guest':
      return collected.guest.flatMap((instructions, block) =>
        instructions.map(({ pc, text }) => ({ stage, pc, block, text })),
      );
    case 'ir':
      return operationLines(stage, translation, () => '');
    case 'optimized':
      return operationLines(stage, translation, fateOf);
    case 'js':
    case 'wasm':
      return codeLines(translation, translation.emit()).filter((line) => line.stage === stage);
  }
}

/** Operations of each block that code is made of, by number of the block. */
export function optimizedCounts({ translation }: CollectedTranslation): number[] {
  const counts = translation.region.blocks.map(() => 0);
  eachOperation(translation, (at, block, analysis) => {
    if (fateOf(at, analysis, translation) !== undefined) counts[block]++;
  });
  return counts;
}

/** What becomes of an operation, as a comment; undefined for one of which nothing is left. */
type Fate = (at: number, analysis: BlockAnalysis, translation: InspectedTranslation) => string | undefined;

function operationLines(stage: Stage, translation: InspectedTranslation, fate: Fate): StageLine[] {
  const { frontend, region } = translation;
  const { unit } = region;
  const lines: StageLine[] = [];
  eachOperation(translation, (at, block, analysis) => {
    const remark = fate(at, analysis, translation);
    if (remark === undefined) return;
    const text = printInstruction(unit, at, frontend) + (remark === '' ? '' : ` ; ${remark}`);
    lines.push({ stage, pc: unit.pc[at] >>> 0, block, text });
  });
  return lines;
}

/** @param visit is given an operation, the number of its block, and that block's analysis */
function eachOperation(
  translation: InspectedTranslation,
  visit: (at: number, block: number, analysis: BlockAnalysis) => void,
): void {
  const { region, analysis, frontend, helpers, preciseFaults, traps } = translation;
  const { unit, blocks, successors } = region;
  const context = { unit, blocks, successors, frontend, flow: analysis.flow, helpers, preciseFaults };
  const blockAnalysis = analysisOf(traps === undefined ? context : { ...context, traps });
  blocks.forEach((block, number) => {
    blockAnalysis.analyse(number, block);
    for (let at = block.first; at < block.end; at++) visit(at, number, blockAnalysis);
  });
}

const places: readonly (readonly [bit: number, name: string])[] = [
  [write.local, 'local'],
  [write.memory, 'state block'],
  [write.edges, 'state block, on ways out that see it'],
];

/** What the backends make of an operation, by what they look at themselves. */
const fateOf: Fate = (at, analysis, { region, traps }) => {
  const { needed, uses, last } = analysis;
  switch (kinds[region.unit.op[at]]) {
    case 'set':
      if (needed[at] === 0) return undefined;
      return `to ${places
        .filter(([bit]) => (needed[at] & bit) !== 0)
        .map(([, name]) => name)
        .join(', ')}`;
    case 'get':
    case 'const':
    case 'pure':
      return uses[at] > 0 || last[at] >= 0 ? '' : undefined;
    case 'load':
      if (traps?.(at) === true) return 'checked by the host';
      return analysis.isChecked(at) ? 'checked here' : 'checked before';
    default:
      return '';
  }
};

/** Finds the number of the block that holds a guest address; undefined for an address that none holds. */
export function blockFinder({ blocks }: Region): (pc: number) => number | undefined {
  const known = new Map<number, number>();
  return (pc) => {
    let found = known.get(pc);
    if (found === undefined) {
      found = blocks.findIndex((block) => pc >= block.pc && pc < block.endPc);
      known.set(pc, found);
    }
    return found < 0 ? undefined : found;
  };
}

/** The lines of the code that runs: JavaScript or WebAssembly. @param code what `translation` emits */
export function codeLines({ region }: InspectedTranslation, code: EmittedCode): StageLine[] {
  const blockOf = blockFinder(region);
  if (code.kind === 'javascript') {
    const { source, pcs, blockLines } = code.emitted;
    return source.split('\n').map((text, line) => {
      const pc = line < blockLines.first || line >= blockLines.end ? undefined : pcs[line] >>> 0;
      return { stage: 'js', pc, block: pc === undefined ? undefined : blockOf(pc), text };
    });
  }
  const { body, imports, origins = [] } = code.emitted;
  let next = 0;
  let pc: number | undefined;
  return bodyLines(body, imports).map(({ offset, text }) => {
    for (; next < origins.length && origins[next].offset <= offset; next++) pc = origins[next].pc;
    return { stage: 'wasm', pc, block: pc === undefined ? undefined : blockOf(pc), text };
  });
}

/** Characters of JavaScript, bytes of a WebAssembly module. */
export function codeSize(code: EmittedCode): number {
  return code.kind === 'javascript' ? code.emitted.source.length : code.emitted.bytes.length;
}
