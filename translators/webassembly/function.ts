/** A WebAssembly function while it is written: its bytes, labels, locals and imports. */
import {
  type BranchHint,
  ByteWriter,
  type FunctionImport,
  type FunctionType,
  type ValueType,
  valueType,
} from './encoder.ts';
import { wasm } from './instructions.ts';
import { simd, vectorPrefix } from './vector-instructions.ts';

/** Type byte of a block without a result (section 5.3.5). */
const emptyBlock = 0x40;

/** The guest instruction that code from an offset on, in bytes, came from. */
export interface Origin {
  readonly offset: number;
  readonly pc: number;
}

/** How often the condition of an `if` holds. */
export type Likelihood = 'likely' | 'unlikely';

/** Instructions that were taken out, to be put in elsewhere. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** With offsets in the piece. */
  readonly hints: readonly BranchHint[];
}

export class FunctionWriter {
  readonly out = new ByteWriter(4096);
  readonly localTypes: ValueType[] = [];
  readonly imports: FunctionImport[] = [];
  /** Where instructions come from: absent where nobody asks. */
  origins: Origin[] | undefined;
  /** By rising offset in `out`: what is known of conditions. */
  readonly hints: BranchHint[] = [];
  private readonly importIndices = new Map<string, number>();
  private readonly parameters: number;
  /** Labels of the enclosing blocks, innermost last; '' for those that nothing names. */
  private readonly labels: string[] = [];
  private readonly scratchLocals = new Map<ValueType, number>();
  /** Locals for the values of one block, by type, and how many of them the present block uses. */
  private readonly temporaries: Record<ValueType, number[]> = { i32: [], i64: [], f32: [], f64: [], v128: [] };
  private readonly temporariesUsed: Record<ValueType, number> = { i32: 0, i64: 0, f32: 0, f64: 0, v128: 0 };

  /** @param parameters how many locals are the function's parameters */
  constructor(parameters: number) {
    this.parameters = parameters;
  }

  /** What is written from here on belongs to a guest instruction. */
  from(pc: number): void {
    this.origins?.push({ offset: this.out.length, pc: pc >>> 0 });
  }

  // -- locals

  /** A new local. @returns its index */
  local(type: ValueType): number {
    this.localTypes.push(type);
    return this.parameters + this.localTypes.length - 1;
  }

  /** A local for a value of the present block. */
  temporary(type: ValueType): number {
    const pool = this.temporaries[type];
    const at = this.temporariesUsed[type]++;
    if (at === pool.length) pool.push(this.local(type));
    return pool[at];
  }

  /** The locals of the last block's values are free again. */
  freeTemporaries(): void {
    const used = this.temporariesUsed;
    used.i32 = used.i64 = used.f32 = used.f64 = used.v128 = 0;
  }

  /** The scratch local of a type: valid within one instruction's code. */
  scratch(type: ValueType): number {
    let local = this.scratchLocals.get(type);
    if (local === undefined) {
      local = this.local(type);
      this.scratchLocals.set(type, local);
    }
    return local;
  }

  /** The index of an imported function. */
  import(name: string, type: FunctionType): number {
    let index = this.importIndices.get(name);
    if (index === undefined) {
      index = this.imports.length;
      this.imports.push({ name, type });
      this.importIndices.set(name, index);
    }
    return index;
  }

  // -- instructions

  op(code: number): void {
    this.out.byte(code);
  }

  prefixed(prefix: number, code: number): void {
    this.out.byte(prefix);
    this.out.unsigned(code);
  }

  i32(value: number): void {
    this.out.byte(wasm.i32_const);
    this.out.signed(value);
  }

  i64(low: number, high: number): void {
    this.out.byte(wasm.i64_const);
    this.out.signed64(low, high);
  }

  f64(low: number, high: number): void {
    this.out.byte(wasm.f64_const);
    this.out.word(low);
    this.out.word(high);
  }

  /** A vector with these words, the lowest first. */
  v128(words: readonly number[]): void {
    this.prefixed(vectorPrefix, simd.v128_const);
    for (const word of words) this.out.word(word);
  }

  get(local: number): void {
    this.out.byte(wasm.local_get);
    this.out.unsigned(local);
  }

  set(local: number): void {
    this.out.byte(wasm.local_set);
    this.out.unsigned(local);
  }

  tee(local: number): void {
    this.out.byte(wasm.local_tee);
    this.out.unsigned(local);
  }

  /** A load or store; a code of more than a byte has its prefix above that. @param align the logarithm of its alignment @param offset unsigned */
  memory(code: number, align: number, offset: number): void {
    if (code > 0xff) this.prefixed(code >> 8, code & 0xff);
    else this.out.byte(code);
    this.out.unsigned(align);
    this.out.unsigned(offset);
  }

  /** Adds a constant to a double in memory. */
  addToDouble(offset: number, value: number): void {
    doubles[0] = value;
    this.i32(0);
    this.i32(0);
    this.memory(wasm.f64_load, 3, offset);
    this.f64(doubleWords[0], doubleWords[1]);
    this.op(wasm.f64_add);
    this.memory(wasm.f64_store, 3, offset);
  }

  call(index: number): void {
    this.out.byte(wasm.call);
    this.out.unsigned(index);
  }

  /** call_indirect or return_call_indirect of the type 0 through the table. */
  callIndirect(code: number): void {
    this.out.byte(code);
    this.out.unsigned(0);
    this.out.unsigned(0);
  }

  // -- structure

  /** Opens a block, loop or if that branches may name. */
  open(code: number, label = '', result?: ValueType): void {
    this.out.byte(code);
    this.out.byte(result === undefined ? emptyBlock : valueType[result]);
    this.labels.push(label);
  }

  /**
   * Opens an `if` whose condition seldom, or mostly, holds. V8 puts what is seldom executed behind the function, and
   * keeps registers around it as if there was nothing.
   */
  openIf(likelihood: Likelihood, result?: ValueType): void {
    this.hint(likelihood);
    this.open(wasm.if, '', result);
  }

  /** Says how often the condition of the `if` that is written next holds. */
  hint(likelihood: Likelihood): void {
    this.hints.push({ offset: this.out.length, isLikely: likelihood === 'likely' });
  }

  /** Takes out what was written from an offset on. */
  cut(from: number): Piece {
    const { hints } = this;
    let first = hints.length;
    while (first > 0 && hints[first - 1].offset >= from) first--;
    const bytes = this.out.cut(from);
    return { bytes, hints: first === hints.length ? none : moved(hints.splice(first), -from) };
  }

  /** Puts in here what was taken out. */
  append({ bytes, hints }: Piece): void {
    if (hints.length > 0) this.hints.push(...moved(hints, this.out.length));
    this.out.append(bytes);
  }

  else(): void {
    this.out.byte(wasm.else);
  }

  end(): void {
    this.out.byte(wasm.end);
    this.labels.pop();
  }

  /** Branches to an enclosing label. */
  branch(label: string): void {
    this.out.byte(wasm.br);
    this.out.unsigned(this.depthOf(label));
  }

  /** How many blocks lie between here and a label. */
  depthOf(label: string): number {
    const at = this.labels.lastIndexOf(label);
    if (at < 0) throw new Error(`there is no enclosing label ${label}`);
    return this.labels.length - 1 - at;
  }

  /** Types of the locals as runs. */
  localRuns(): { type: ValueType; count: number }[] {
    const runs: { type: ValueType; count: number }[] = [];
    for (const type of this.localTypes) {
      const last = runs[runs.length - 1];
      if (last !== undefined && last.type === type) last.count++;
      else runs.push({ type, count: 1 });
    }
    return runs;
  }
}

const none: readonly BranchHint[] = [];

function moved(hints: readonly BranchHint[], distance: number): BranchHint[] {
  return hints.map(({ offset, isLikely }) => ({ offset: offset + distance, isLikely }));
}

const doubles = new Float64Array(1);
const doubleWords = new Int32Array(doubles.buffer);
