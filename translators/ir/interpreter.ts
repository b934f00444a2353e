/**
 * The IR interpreter: the tier for cold code, and the oracle for the translators.
 *
 * Blocks are prepared once (interpreter-prepare.ts) into one array of words (interpreter-encoding.ts,
 * interpreter-code.ts), which the generated loop (interpreter.generated.ts) runs from block to block
 * over direct links until something needs the caller. Where it can fetch code itself, a block's first runs are
 * done by lifting alone (evaluator.ts), and the block is prepared when control comes to it once more.
 */
import type { Fetch, Frontend, Helper, Machine } from '../frontend.ts';
import type { MemoryView } from '../memory-view.ts';
import { Evaluator } from './evaluator.ts';
import { execute } from './interpreter.generated.ts';
import { CodeBuffer, type PreparedCode } from './interpreter-code.ts';
import { calledOperations, stop } from './interpreter-encoding.ts';
import { Preparer } from './interpreter-prepare.ts';
import { exitCode } from './operations.ts';
import { header, type State } from './state.ts';
import type { Unit } from './unit.ts';
import { type Called, calledFunctions } from './vector-halves.ts';
import { identifierOf } from './vector-operations.ts';

export { stop } from './interpreter-encoding.ts';

/** Gives the IR of the block at a guest address as the unit's first block, or undefined where there is none. */
export type BlockSource = (pc: number) => Unit | undefined;

/** Told what it takes to prepare blocks. */
export interface PreparationObserver {
  /** Milliseconds of a steady clock. */
  now(): number;
  /** @param words of interpreter code that a block became, 4 bytes each */
  prepared(milliseconds: number, words: number): void;
}

type Run = Helper['run'];

const exitWord = header.exit >> 2;
const interruptWord = header.interrupt >> 2;
const detailWord = header.detail >> 2;
const accessWord = header.access >> 2;
const instructionsIndex = header.instructions >> 3;
const executeAccess = 4;

const calledByNumber = calledOperations.map(({ name }) => calledFunctions[identifierOf(name)]);

/** No reason to stop. */
const none = 0;

/** Instructions that one call of the generated loop may count: a 31-bit number. */
const longestRun = 0x3fffffff;
/** Instructions after which the machine is told that the guest keeps running. */
export const shortRun = 100_000;
/** Instructions after which it is told that it is the interpreter that has much to do. */
const longRun = 10_000_000;

export class Interpreter {
  readonly state: State;
  readonly memory: MemoryView;
  readonly machine: Machine;
  readonly helpers: readonly Run[];
  /** The functions of called operations, by number. */
  readonly called: readonly Called[] = calledByNumber;
  /** Guest memory as words, for atomic operations. */
  readonly words: Int32Array;
  /** How often a block runs before run() leaves with `stop.hot`; counts for blocks prepared from now on. */
  threshold = 0x7fffffff;
  /** Where the cost of preparing is measured. */
  observer: PreparationObserver | undefined;

  // Arithmetic whose outcome is ordinary (ordinaryArithmetic): the status register, the bits that are looked at there,
  // and what they are then; the last such operation, as its helper's number + 1 or 0, and its operands.
  readonly statusWord: number;
  readonly ordinaryMask: number;
  readonly ordinaryStatus: number;
  unsettled = 0;
  readonly unsettledOperands = new Float64Array(3);

  private readonly buffer = new CodeBuffer();
  // Both are made when they are first needed: a run that begins with restored code may do without.
  private preparer: Preparer | undefined;
  private readonly makePreparer: () => Preparer;
  private readonly source: BlockSource;
  /** Does the first runs of each block; absent when every run shall be one of prepared code. */
  private readonly makeEvaluator: (() => Evaluator) | undefined;
  private evaluator: Evaluator | undefined;
  /** Instructions that the running call of the generated loop may still execute, when it began. */
  private allowance = 0;
  private longest = shortRun;
  /** Instructions that were executed here, up to `longRun`. */
  private interpreted = 0;

  /** @param fetch reads code for the first runs of each block; without it `source` is asked for every block that runs */
  constructor(
    frontend: Frontend,
    state: State,
    memory: MemoryView,
    machine: Machine,
    source: BlockSource,
    fetch?: Fetch,
  ) {
    this.state = state;
    this.memory = memory;
    this.machine = machine;
    this.source = source;
    this.helpers = frontend.helpers.map((helper) => helper.run);
    this.words = new Int32Array(memory.buffer, 0, memory.buffer.byteLength >> 2);
    const { register, mask, inexact } = frontend.floatingPointControl;
    const status = frontend.registers.numbers[register];
    this.statusWord = frontend.registers.registers[status].index;
    this.ordinaryMask = mask | inexact;
    this.ordinaryStatus = inexact;
    this.makePreparer = () => new Preparer(frontend.registers, frontend.helpers, status, this.buffer);
    if (fetch !== undefined) {
      this.makeEvaluator = () =>
        frontend.makeEvaluator?.(state, memory, fetch) ?? new Evaluator(frontend, state, memory, fetch);
    }
  }

  /** Words of interpreter code (4 bytes each) after which all of it is dropped and made anew; 2^23 at first. */
  set codeLimit(words: number) {
    this.buffer.limit = words;
  }

  /** Number of blocks that have been prepared. */
  get preparedBlocks(): number {
    return this.buffer.blocks;
  }

  /**
   * Runs from state.pc until something stops it.
   * @param budget guest instructions; whole blocks run, so the last one may go beyond it
   * @returns why it stopped (`stop`)
   */
  run(budget = Number.POSITIVE_INFINITY): number {
    const { state, buffer, makeEvaluator } = this;
    state.i32[exitWord] = 0;
    let rest = budget;
    for (;;) {
      const before = state.f64[instructionsIndex];
      if (makeEvaluator !== undefined) {
        const reason = this.evaluate(makeEvaluator, rest);
        if (reason !== none) return reason;
      }
      const start = buffer.find(state.pc) || this.make(state.pc);
      if (start === 0) return stop.missing;
      // What the evaluator refused may come when the budget is used up, and still belongs to the last block.
      this.allowance = Math.max(1, Math.min(rest - (state.f64[instructionsIndex] - before), this.longest));
      const reason = execute(this, start, this.allowance);
      if (this.unsettled !== 0) this.settle();
      const executed = state.f64[instructionsIndex];
      rest -= executed - before;
      if (this.longest === shortRun && (reason === stop.hot || executed >= shortRun)) {
        this.longest = longRun;
        this.machine.keepsRunning?.();
      } else if (this.longest === longRun && (this.interpreted += executed - before) >= longRun) {
        this.longest = longestRun;
        this.machine.isOwnWork?.();
      }
      // Code that is not worth preparing yet is the evaluator's.
      const goesOn = reason === stop.budget || (reason === stop.missing && makeEvaluator !== undefined);
      if (!goesOn) return reason;
      if (rest <= 0) return stop.budget;
    }
  }

  /** A copy of the code of those blocks that are wanted (CodeBuffer.copy), for `restoreCode` in another run. */
  copyCode(keeps: (pc: number, end: number) => boolean): PreparedCode {
    return this.buffer.copy(this.threshold, keeps);
  }

  /**
   * Begins with code of an earlier run, before anything ran in this one. All of it must have been prepared by this build
   * of the sources, for the same frontend and threshold, from the code that the guest has now.
   */
  restoreCode(code: PreparedCode): void {
    this.buffer.restore(code);
  }

  /** Runs the one block at state.pc. @returns as run() does; `stop.budget` when the block simply ended */
  step(): number {
    return this.run(1);
  }

  /** From now on control that comes to a guest address leaves with `stop.translated`. */
  leaveAt(pc: number): void {
    this.buffer.replaceByLeave(pc);
  }

  /** Whether a block that begins at a guest address has run, as far as that is remembered. */
  hasRun(pc: number): boolean {
    return this.buffer.hasRun(pc);
  }

  /** Forgets the blocks that overlap a range of guest code (bytes), also what leaveAt said about it. */
  invalidate(start: number, length: number): void {
    this.buffer.invalidate(start, length);
  }

  // -- for the generated loop

  get code(): Int32Array {
    return this.buffer.words;
  }

  /**
   * The position of the code for a guest address, preparing it if need be; 0 when there is none.
   * @param link position of the word that shall hold the answer from now on, or 0
   * @param key position of the word that shall hold the pc with it, or 0
   */
  resolve(pc: number, link: number, key: number): number {
    const { buffer } = this;
    let position = buffer.find(pc);
    let keep = link;
    if (position === 0) {
      if (this.makeEvaluator !== undefined && !buffer.isWorthCode(pc)) return 0;
      const { length } = buffer;
      position = this.make(pc);
      // Links into code that was just forgotten must not be written.
      if (position < length) keep = 0;
    }
    if (keep !== 0) {
      buffer.words[keep] = position;
      if (key !== 0) buffer.words[key] = pc;
    }
    return position;
  }

  /** Brings the status register up to date: the helper does again what was only noted. */
  settle(): void {
    const { unsettledOperands } = this;
    const helper = this.helpers[this.unsettled - 1];
    helper(this.state, this.machine, unsettledOperands[0], unsettledOperands[1], unsettledOperands[2]);
    this.unsettled = 0;
  }

  /** Has the helper do the arithmetic whose code is at `position` (the words of helper.f64). @returns whether it leaves the block */
  callArithmetic(position: number): boolean {
    if (this.unsettled !== 0) this.settle();
    const { code, state } = this;
    const { f64, i32 } = state;
    const helper = this.helpers[code[position + 2]];
    const result = helper(
      state,
      this.machine,
      f64[code[position + 4]],
      f64[code[position + 5]],
      f64[code[position + 6]],
    );
    if (i32[exitWord] !== 0) return true;
    f64[code[position + 1]] = result;
    return false;
  }

  /** Leaves at a guest address with all instructions counted that `left` says. */
  leave(pc: number, reason: number, left: number): number {
    this.state.pc = pc;
    this.state.f64[instructionsIndex] += this.allowance - left;
    return reason;
  }

  /** Leaves a block at the instruction whose code is at `position`, before it has done anything. */
  leaveInside(position: number, left: number): number {
    const { pc, rest } = this.buffer.siteAt(position);
    return this.leave(pc, stop.exit, left + rest);
  }

  /** Leaves with an exit reason and its detail. A fault that is an exit of the IR's own is one of fetching the instruction. */
  exit(position: number, reason: number, detail: number, left: number): number {
    if (reason === exitCode.fault) this.state.i32[accessWord] = executeAccess;
    this.state.i32[exitWord] = reason;
    this.state.i32[detailWord] = detail;
    return this.leaveInside(position, left);
  }

  /** Leaves with a fault at a guest address; access: 1 read, 2 write. */
  fault(position: number, address: number, access: number, left: number): number {
    const stopped = this.exit(position, exitCode.fault, address, left);
    this.state.i32[accessWord] = access;
    return stopped;
  }

  /**
   * Does first runs of blocks until control comes to one that is worth code, or to an instruction for prepared code.
   * @param budget guest instructions
   * @returns why run() shall stop, or none
   */
  private evaluate(makeEvaluator: () => Evaluator, budget: number): number {
    const { state, buffer } = this;
    const { i32, f64 } = state;
    let rest = budget;
    let pc = state.pc;
    while (!buffer.isWorthCode(pc)) {
      if (i32[interruptWord] !== 0) return stop.interrupt;
      if (rest <= 0) return stop.budget;
      buffer.noteRun(pc);
      this.evaluator ??= makeEvaluator();
      const { evaluator } = this;
      const count = evaluator.run(pc);
      f64[instructionsIndex] += count;
      rest -= count;
      pc = evaluator.target;
      state.pc = pc;
      if (evaluator.refused) break;
      if (evaluator.exitReason !== exitCode.none) {
        i32[exitWord] = evaluator.exitReason;
        return stop.exit;
      }
    }
    return none;
  }

  /** Prepares the block at a guest address, for which there is no code. @returns its position; 0 when there is none */
  private make(pc: number): number {
    const { buffer, observer } = this;
    const unit = this.source(pc >>> 0);
    if (unit === undefined) return 0;
    const start = observer?.now() ?? 0;
    buffer.trim();
    const block = unit.blocks[0];
    this.preparer ??= this.makePreparer();
    const position = this.preparer.prepare(unit, block, this.threshold);
    observer?.prepared(observer.now() - start, buffer.length - position);
    buffer.add(block.pc, block.endPc, position);
    return position;
  }
}
