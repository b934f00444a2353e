/**
 * Positions of machine code in WebAssembly, from V8's documents for its Turbolizer (`--trace-turbo`).
 *
 * V8 keeps positions of WebAssembly only for calls and accesses that may trap. The documents have the operations of V8's graph,
 * with their positions, in blocks, and the machine instructions that were selected for each block, in the same order, without a word of
 * which came from which. So the two are aligned, block by block: a call with a call, a store with a store, a value with a value.
 */
import { instructionOf, type V8Code, type V8Instruction } from './v8-code.ts';

interface GraphNode {
  readonly id: number;
  readonly title: string;
  readonly block_id: number;
  readonly sourcePosition?: { readonly scriptOffset: number };
}

interface SelectedInstruction {
  readonly id: number;
  readonly opcode: string;
  readonly flags: string;
  readonly outputs: readonly unknown[];
  readonly inputs: readonly { readonly text: string }[];
}

/** What an operation does, such as "[Add, Word32]", "[raw, Int32, Word32, offset: 8388612]". */
interface Property {
  readonly key: number;
  readonly value: string;
}

/** Offsets of the moves before an instruction, of the instruction, and behind it. */
interface Offsets {
  readonly gap: number;
  readonly arch: number;
  readonly condition: number;
}

/** The parts of a document that are read here, as V8 13 writes them. */
interface Phase {
  readonly name: string;
  readonly type: string;
  readonly data?: { readonly nodes: readonly GraphNode[] } | readonly Property[] | string;
  readonly blocks?: readonly { readonly id: number; readonly instructions: readonly SelectedInstruction[] }[];
  readonly instructionOffsetToPCOffset?: Readonly<Record<string, Offsets>>;
}

interface Document {
  readonly function: string;
  readonly phases: readonly Phase[];
}

type Kind = 'call' | 'return' | 'jump' | 'branch' | 'store' | 'load' | 'value';

const titles: Readonly<Record<string, Kind>> = {
  Call: 'call',
  TailCall: 'call',
  Return: 'return',
  Goto: 'jump',
  Branch: 'branch',
  Switch: 'branch',
  TrapIf: 'branch',
  Store: 'store',
  Load: 'load',
};
/** Operations that no instruction stands for. */
const silent: ReadonlySet<string> = new Set(['Constant', 'Phi', 'Parameter', 'DidntThrow', 'CheckException']);

function kindOf({ opcode, flags, outputs }: SelectedInstruction): Kind {
  if (/^Arch(?:Tail)?Call/.test(opcode)) return 'call';
  if (opcode.startsWith('ArchRet')) return 'return';
  if (opcode === 'ArchJmp') return 'jump';
  if (/branch|trap/.test(flags) || /Switch/.test(opcode)) return 'branch';
  const moves = /Mov|Ldr|Str|Load|Store/i.test(opcode);
  if (moves && outputs.length === 0) return 'store';
  return moves ? 'load' : 'value';
}

/** What instructions for operations of these names are called, on x86 and ARM processors. */
const mnemonics: readonly (readonly [operation: RegExp, opcode: RegExp])[] = [
  [/^\[Add\b/, /Add|Lea|Inc/],
  [/^\[Sub\b/, /Sub|Lea|Dec/],
  [/^\[Mul/, /Mul|Lea/],
  [/^\[(?:Signed|Unsigned)?(?:Div|Mod)/, /Div/],
  [/^\[BitwiseAnd\b/, /And|Test|Tst|Movz|Ubfx/],
  [/^\[BitwiseOr\b/, /Or/],
  [/^\[BitwiseXor\b/, /Xor|Eor|Not/],
  [/^\[(?:Shift|Rotate)/, /Shl|Shr|Sar|Ro[lr]|Ls[lr]|Asr|Lea/],
  [/^\[(?:Equal|(?:Signed|Unsigned)?LessThan)/, /Cmp|Test|Tst|Set/],
];

/** How well an operation and an instruction go together; 0: not at all. */
function likeness(node: Candidate, instruction: SelectedInstruction, kind: Kind): number {
  const isValue = (one: Kind): boolean => one === 'value' || one === 'load';
  if (node.kind !== kind && !(isValue(node.kind) && isValue(kind))) return 0;
  const sameOffset = node.offset !== '' && instruction.inputs.some(({ text }) => text === `#${node.offset}`);
  const sameName = node.opcode?.test(instruction.opcode) === true;
  return 1 + (node.kind === kind ? 2 : 0) + (sameOffset ? 4 : 0) + (sameName ? 4 : 0);
}

/** An operation of V8's graph. */
interface Candidate {
  readonly kind: Kind;
  /** Of a load or store, in decimal. */
  readonly offset: string;
  /** What an instruction for it is called. */
  readonly opcode: RegExp | undefined;
  readonly position: number;
}

function candidateOf({ title, sourcePosition }: GraphNode, property: string): Candidate {
  return {
    kind: titles[title] ?? 'value',
    offset: /offset: (-?\d+)/.exec(property)?.[1] ?? '',
    opcode: mnemonics.find(([operation]) => operation.test(property))?.[1],
    position: sourcePosition?.scriptOffset ?? 0,
  };
}

/**
 * For each instruction the position of the operation that it goes with, in an alignment that keeps the order of both; those that
 * go with none have their predecessor's. Later operations are preferred: an operand is part of the instruction that uses it.
 */
function align(nodes: readonly Candidate[], instructions: readonly SelectedInstruction[]): number[] {
  const kinds = instructions.map(kindOf);
  const width = nodes.length + 1;
  const best = new Int32Array((instructions.length + 1) * width);
  const fitAt = (index: number, node: number): number => likeness(nodes[node], instructions[index], kinds[index]);
  for (let index = 0; index < instructions.length; index++) {
    for (let node = 0; node < nodes.length; node++) {
      const fit = fitAt(index, node);
      best[(index + 1) * width + node + 1] = Math.max(
        fit === 0 ? 0 : best[index * width + node] + fit,
        best[index * width + node + 1],
        best[(index + 1) * width + node],
      );
    }
  }
  const found: number[] = new Array(instructions.length).fill(-1);
  for (let index = instructions.length, node = nodes.length; index > 0 && node > 0; ) {
    const here = best[index * width + node];
    const fit = fitAt(index - 1, node - 1);
    if (fit > 0 && here === best[(index - 1) * width + node - 1] + fit) found[--index] = nodes[--node].position;
    else if (here === best[index * width + node - 1]) node--;
    else index--;
  }
  let last = found.find((position) => position >= 0) ?? nodes.at(0)?.position ?? 0;
  return found.map((position) => {
    if (position >= 0) last = position;
    return last;
  });
}

/** The code that a document tells of, with a position for each instruction; undefined where it is not as V8 13 writes it. */
export function codeOfTrace(document: unknown): V8Code | undefined {
  const { function: name, phases = [] } = document as Partial<Document>;
  const graphAt = phases.findLastIndex(({ type }) => type === 'turboshaft_graph');
  const graph = phases[graphAt]?.data;
  const properties = phases.slice(graphAt).find(({ name: title }) => title === 'Properties')?.data;
  const selected = phases.find(({ type, blocks }) => type === 'sequence' && blocks !== undefined)?.blocks;
  const offsets = phases.find(({ type }) => type === 'instructions')?.instructionOffsetToPCOffset;
  const listing = phases.find(({ type }) => type === 'disassembly')?.data;
  if (name === undefined || selected === undefined || offsets === undefined || typeof listing !== 'string')
    return undefined;
  if (typeof graph !== 'object' || !('nodes' in graph) || !Array.isArray(properties)) return undefined;
  const instructions = listing
    .split('\n')
    .map((line) => instructionOf(line))
    .filter((instruction): instruction is V8Instruction => instruction !== undefined);
  const propertyOf = new Map((properties as readonly Property[]).map(({ key, value }) => [key, value]));
  const byBlock = Map.groupBy(graph.nodes, (node) => node.block_id);
  const positions: { offset: number; position: number }[] = [];
  for (const { id, instructions: chosen } of selected) {
    const nodes = (byBlock.get(id) ?? []).filter(({ title }) => !silent.has(title));
    const candidates = nodes.map((node) => candidateOf(node, propertyOf.get(node.id) ?? ''));
    // A jump to what comes next is no code.
    const real = chosen.filter(({ id: at }) => offsets[at].gap < offsets[at].condition);
    align(candidates, real).forEach((position, index) => {
      positions.push({ offset: offsets[real[index].id].gap, position });
    });
  }
  positions.sort((one, other) => one.offset - other.offset);
  const head = { name, compiler: 'TurboFan', source: '', sourcePosition: 0, inlined: 0 };
  return { ...head, instructions, positions };
}
