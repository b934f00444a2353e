/**
 * The IR interpreter: the tier for cold code, and the oracle for the translators.
 *
 * Blocks are prepared once (interpreter-prepare.ts) into one array of words (interpreter-encoding.ts,
 * interpreter-code.ts), which the generated loop (interpreter.generated.ts) runs from block to block
 * over direct links until something needs the caller.
 */
import type { Frontend, Helper, Machine } from '../frontend.ts';
import type { MemoryView } from '../memory-view.ts';
import { execute } from './interpreter.generated.ts';
import { CodeBuffer } from './interpreter-code.ts';
import { stop } from './interpreter-encoding.ts';
import { Preparer } from './interpreter-prepare.ts';
import { exitCode } from './operations.ts';
import { header, type State } from './state.ts';
import type { Block, Unit } from './unit.ts';

export { stop } from './interpreter-encoding.ts';

/** Gives the IR of the block at a guest address as the unit's first block, or undefined where there is none. */
export type BlockSource = (pc: number) => Unit | undefined;

type Run = Helper['run'];

const exitWord = header.exit >> 2;
const detailWord = header.detail >> 2;
const accessWord = header.access >> 2;
const instructionsIndex = header.instructions >> 3;
const executeAccess = 4;

/** Instructions that one call of the generated loop may count: a 31-bit number. */
const longestRun = 0x3fffffff;
/** Instructions after which the machine is told that the guest keeps running. */
const shortRun = 100_000;

export class Interpreter {
  readonly state: State;
  readonly memory: MemoryView;
  readonly machine: Machine;
  readonly helpers: readonly Run[];
  /** Guest memory as words, for atomic operations. */
  readonly words: Int32Array;
  /** How often a block runs before run() leaves with `stop.hot`; counts for blocks prepared from now on. */
  threshold = 0x7fffffff;

  private readonly buffer = new CodeBuffer();
  private readonly preparer: Preparer;
  private readonly source: BlockSource;
  /** Instructions that the running call of the generated loop may still execute, when it began. */
  private allowance = 0;
  private longest = shortRun;

  constructor(frontend: Frontend, state: State, memory: MemoryView, machine: Machine, source: BlockSource) {
    this.state = state;
    this.memory = memory;
    this.machine = machine;
    this.source = source;
    this.helpers = frontend.helpers.map((helper) => helper.run);
    this.words = new Int32Array(memory.buffer, 0, memory.buffer.byteLength >> 2);
    this.preparer = new Preparer(frontend.registers, frontend.helpers, this.buffer);
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
    const { state } = this;
    let rest = budget;
    for (;;) {
      const start = this.resolve(state.pc, 0, 0);
      if (start === 0) return stop.missing;
      state.i32[exitWord] = 0;
      const before = state.f64[instructionsIndex];
      this.allowance = Math.min(rest, this.longest);
      const reason = execute(this, start, this.allowance);
      const executed = state.f64[instructionsIndex];
      rest -= executed - before;
      if (this.longest === shortRun && (reason === stop.hot || executed >= shortRun)) {
        this.longest = longestRun;
        this.machine.keepsRunning?.();
      }
      if (reason !== stop.budget || rest <= 0) return reason;
    }
  }

  /** Runs the one block at state.pc. @returns as run() does; `stop.budget` when the block simply ended */
  step(): number {
    return this.run(1);
  }

  /** From now on control that comes to a guest address leaves with `stop.translated`. */
  leaveAt(pc: number): void {
    this.buffer.replaceByLeave(pc);
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
    let position = this.buffer.find(pc);
    let keep = link;
    if (position === 0) {
      const unit = this.source(pc >>> 0);
      if (unit === undefined) return 0;
      // Links into code that was just forgotten must not be written.
      if (this.buffer.trim()) keep = 0;
      position = this.prepare(unit, unit.blocks[0]);
    }
    if (keep !== 0) {
      this.buffer.words[keep] = position;
      if (key !== 0) this.buffer.words[key] = pc;
    }
    return position;
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

  private prepare(unit: Unit, block: Block): number {
    const position = this.preparer.prepare(unit, block, this.threshold);
    this.buffer.add(block.pc, block.endPc, position);
    return position;
  }
}
