/**
 * What the emitter has to know of a block before it emits it: which values and register writes are needed, where
 * values are used last, where control may leave, and which accesses are checked where. One pass backwards.
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import { type Block, instructionsBefore, type Unit } from '../ir/unit.ts';
import { AccessGroups, groupAccesses } from './accesses.ts';
import { isBehindCall } from './discover.ts';
import { kinds, operandCounts } from './operation-kinds.ts';
import { has } from './register-sets.ts';
import { type HelperRegisters, isLate, type RegisterFlow, readsBefore, showsAll, sideExits } from './registers-flow.ts';

export interface AnalysisContext {
  readonly unit: Unit;
  readonly blocks: readonly Block[];
  readonly successors: readonly (readonly number[])[];
  readonly frontend: Frontend;
  readonly flow: RegisterFlow;
  readonly helpers: readonly HelperRegisters[];
  readonly preciseFaults: boolean;
  /**
   * Whether the access at a position has no check and traps where the guest may not make it; undefined where accesses
   * are checked. What a trap leaves is restarted: the interpreter goes on from the last point before it at which the
   * state block was brought up to date. Between the two nothing happens that must not happen twice, so the writes of
   * registers are delayed to the next such point, and an access behind a store begins a new stretch. Where registers are
   * written late (RegisterFlow.late) a trap is fatal, unless nothing was to be written when it came.
   */
  readonly traps?: (at: number) => boolean;
}

const none = 0x7fffffff;
const isStore = Uint8Array.from(operations, ({ flags }) => (flags.has('store') ? 1 : 0));

/** What becomes of a write of a register: bits. */
export const write = {
  /** Its local is assigned. */
  local: 1,
  /** The state block is written where the instruction stands. */
  memory: 2,
  /** The state block is written on those ways out of the block that see it. */
  edges: 4,
} as const;

const noGroups = new AccessGroups(0, [], []);

export class BlockAnalysis {
  /** Uses of each value that is emitted where it stands. */
  readonly uses: Int32Array;
  /** Position of the last use of a value; the block's end for what is written on the ways out. */
  readonly last: Int32Array;
  /** Values: 1 when emitted where they stand; writes: bits of `write`. */
  readonly needed: Uint8Array;
  /** The last `get` of each register in the block, or -1. */
  readonly lastGet: Int32Array;
  /** Number of local assignments up to a position: an expression may move past none of them. */
  readonly assignments: Int32Array;
  /** Writes to be made on the block's ways out. */
  readonly onEdges: number[] = [];
  /** By position: 1 where control may leave before the instruction because a helper came before it and may have made the translation stale. */
  private readonly leavesBefore: Uint8Array;
  /** Those of the block's accesses, where they are checked. */
  groups = noGroups;
  /** Where accesses trap: for each of them the guest address to restart from. */
  readonly restart: Int32Array;
  /** By position: 1 where the state block must be brought up to date first: an access that begins a stretch, or that is checked. */
  private readonly isLeader: Uint8Array;
  private context: AnalysisContext;
  /** Position of the next write of a register, while scanning backwards. */
  private readonly nextSet: Int32Array;
  /** Number of side exits behind that write. */
  private readonly exitsAtSet: Int32Array;
  /** Number of those that show all registers. */
  private readonly trapsAtSet: Int32Array;
  /** For a write: the position of the last read of what it wrote. */
  private readonly readUntil: Int32Array;
  /** The last read of each register that was answered from the block itself, while scanning backwards. */
  private readonly lastRead: Int32Array;
  private index = 0;
  private block: Block = { pc: 0, first: 0, end: 0, guestInstructions: 0, endPc: 0 };

  /** @param instructions and registers for which there shall be room */
  constructor(context: AnalysisContext, instructions: number, registers: number) {
    this.context = context;
    this.uses = new Int32Array(instructions);
    this.last = new Int32Array(instructions);
    this.needed = new Uint8Array(instructions);
    this.nextSet = new Int32Array(registers);
    this.exitsAtSet = new Int32Array(registers);
    this.trapsAtSet = new Int32Array(registers);
    this.readUntil = new Int32Array(instructions);
    this.restart = new Int32Array(instructions);
    this.isLeader = new Uint8Array(instructions);
    this.leavesBefore = new Uint8Array(instructions + 1);
    this.lastRead = new Int32Array(registers);
    this.lastGet = new Int32Array(registers);
    this.assignments = new Int32Array(instructions + 1);
  }

  /** Turns to another region. @returns whether there is room for it */
  begin(context: AnalysisContext): boolean {
    this.context = context;
    return context.unit.count <= this.uses.length && context.frontend.registers.registers.length <= this.lastGet.length;
  }

  /** Looks at a block from its end to its start. @param index its number in the region */
  analyse(index: number, block: Block): void {
    this.index = index;
    this.block = block;
    this.onEdges.length = 0;
    const { unit, flow, frontend, preciseFaults, helpers, traps: mayTrap } = this.context;
    this.groups = mayTrap === undefined ? groupAccesses(unit, block.first, block.end) : noGroups;
    if (mayTrap !== undefined) this.findStretches(block, mayTrap);
    const { uses, last, needed, nextSet, exitsAtSet, trapsAtSet } = this;
    const registers = frontend.registers.registers;
    nextSet.fill(none);
    exitsAtSet.fill(0);
    trapsAtSet.fill(0);
    this.lastRead.fill(-1);
    this.lastGet.fill(-1);
    let helperAt = -1;
    for (let at = block.first; at < block.end; at++) {
      uses[at] = 0;
      last[at] = -1;
      needed[at] = 0;
      const leaves = helperAt >= 0 && (unit.pc[at] !== unit.pc[helperAt] || at === block.end - 1);
      this.leavesBefore[at] = leaves ? 1 : 0;
      if (leaves) helperAt = -1;
      if (kinds[unit.op[at]] === 'helper' && !helpers[unit.imm[at]].isLocal) helperAt = at;
    }
    this.leavesBefore[block.end] = 0;
    const reads = unit.forwardedReads;
    let read = readsBefore(unit, block.end);
    const leaves = this.leaves();
    /** Positions of side exits, descending. */
    const exits: number[] = [];
    /** The next point where the state block is brought up to date. */
    let update = block.end;
    let traps = 0;
    const use = (value: number, at: number): void => {
      if (value < 0) return;
      uses[value]++;
      if (last[value] < at) last[value] = at;
    };
    const extend = (value: number, at: number): void => {
      if (value >= 0 && last[value] < at) last[value] = at;
    };
    for (let at = block.end - 1; at >= block.first; at--) {
      const code = unit.op[at];
      const kind = kinds[code];
      if (this.leavesBefore[at + 1] === 1) {
        exits.push(at + 1);
        update = at + 1;
      }
      // A read noted at this position comes before this instruction.
      for (; read >= 2 && reads[read - 2] > at; read -= 2) {
        const register = reads[read - 1];
        if (this.lastRead[register] < 0) this.lastRead[register] = reads[read - 2];
      }
      if (kind === 'set') {
        const register = unit.imm[at];
        const value = unit.a[at];
        const final = nextSet[register] === none;
        const isPrompt = flow.late?.isPrompt[at] === 1;
        const isLate = this.isLate(register);
        const visible = !final ? 0 : this.visibleOn(register, leaves, isLate);
        this.readUntil[at] = visible > 0 ? none : this.lastRead[register];
        // A side exit before the register's next write sees this value; where it may be stale, the first one, if any.
        const seen =
          traps > trapsAtSet[register] ||
          (exits.length > exitsAtSet[register] &&
            (preciseFaults || isLate || registers[register].pinned || this.isRead(at, exits[exits.length - 1])));
        if (isPrompt) needed[at] = write.memory;
        else if (seen) needed[at] = write.memory;
        else if (visible === 2) needed[at] = write.memory;
        else if (visible === 1) needed[at] = write.edges;
        if (final && has(flow.neededOut, flow.words, this.index, register)) needed[at] |= write.local;
        if ((needed[at] & (write.local | write.memory)) !== 0) use(value, at);
        if (mayTrap !== undefined && !isPrompt && (needed[at] & write.memory) !== 0) {
          extend(value, update);
        }
        if ((needed[at] & write.edges) !== 0) {
          extend(value, block.end);
          this.onEdges.push(at);
        }
        this.lastRead[register] = -1;
        nextSet[register] = at;
        exitsAtSet[register] = exits.length;
        trapsAtSet[register] = traps;
        continue;
      }
      if (kind === 'pure') {
        const operands = operandCounts[code];
        if (uses[at] > 0) {
          needed[at] = 1;
          if (operands > 0) use(unit.a[at], at);
          if (operands > 1) use(unit.b[at], at);
          if (operands > 2) use(unit.c[at], at);
        }
        // What is written on the ways out may be computed there.
        if (last[at] === block.end) {
          if (operands > 0) extend(unit.a[at], block.end);
          if (operands > 1) extend(unit.b[at], block.end);
          if (operands > 2) extend(unit.c[at], block.end);
        }
        continue;
      }
      if (kind === 'get') {
        const register = unit.imm[at];
        if (this.lastGet[register] < 0) this.lastGet[register] = at;
        // Behind a helper that may have written the register: what was written before it is read here, too.
        if (this.lastRead[register] < 0) this.lastRead[register] = at;
        continue;
      }
      if (kind === 'const') continue;
      needed[at] = 1;
      for (const operand of this.operandsOf(at)) use(operand, at);
      if (sideExits[code] === 1 && (kind !== 'load' || this.isChecked(at))) {
        exits.push(at);
        if (this.isUpdatePoint(at)) update = at;
        if (showsAll(code, unit.imm[at], helpers)) traps++;
        if (kind === 'helper') {
          // What it writes it need not write: an earlier write still counts.
          for (const register of helpers[unit.imm[at]].reads ?? registers.keys()) this.lastRead[register] = at + 1;
        }
      }
    }
    let count = 0;
    for (let at = block.first; at < block.end; at++) {
      this.assignments[at] = count;
      const kind = kinds[unit.op[at]];
      if ((kind === 'set' && (needed[at] & write.local) !== 0) || kind === 'helper') count++;
    }
    this.assignments[block.end] = count;
  }

  /**
   * Where accesses trap: the stretches that are restarted as a whole. Where registers are written late each access is one
   * of its own, and only one that is checked begins it.
   */
  private findStretches(block: Block, mayTrap: (at: number) => boolean): void {
    const { unit, flow } = this.context;
    let start = block.pc;
    let isOver = false;
    for (let at = block.first; at < block.end; at++) {
      const kind = kinds[unit.op[at]];
      this.isLeader[at] = 0;
      if (kind === 'load' && flow.late !== undefined) {
        this.isLeader[at] = mayTrap(at) ? 0 : 1;
        this.restart[at] = unit.pc[at];
      } else if (kind === 'load') {
        if (isOver || !mayTrap(at)) {
          this.isLeader[at] = 1;
          start = unit.pc[at] >>> 0;
        }
        this.restart[at] = start;
        isOver = isStore[unit.op[at]] === 1;
      } else if (kind === 'helper' || kind === 'exit') {
        isOver = true;
      }
    }
  }

  /**
   * Where control goes on if it leaves before the instruction at a position, because a helper came before it and may have
   * made the translation stale; -1 where it does not leave.
   */
  exitBehindHelper(at: number): number {
    if (this.leavesBefore[at] === 0) return -1;
    const { pc } = this.context.unit;
    return pc[at] === pc[at - 1] ? this.block.endPc : pc[at] >>> 0;
  }

  /** Guest instructions of the block before an address. */
  executedBefore(pc: number): number {
    const { starts } = this.block;
    if (starts !== undefined) return instructionsBefore(starts, pc);
    return (pc - this.block.pc) / this.context.frontend.instructionAlignment;
  }

  /** Whether the state block must be up to date before the instruction at a position. */
  isUpdatePoint(at: number): boolean {
    const code = this.context.unit.op[at];
    return sideExits[code] === 1 && (kinds[code] !== 'load' || this.isChecked(at)) && !this.isColdExit(at);
  }

  /** Whether control may leave at a position, where that is seldom: the state block is brought up to date on that way only. */
  isColdExit(at: number): boolean {
    return this.context.traps !== undefined && this.context.unit.op[at] === op.exit_if;
  }

  /** Whether a way out of the block leads out of the region. */
  private leaves(): boolean {
    const { unit, successors } = this.context;
    const inside = successors[this.index].length;
    switch (unit.op[this.block.end - 1]) {
      case op.jump:
        return inside < 1;
      case op.branch:
        return inside < 2;
      default:
        return true;
    }
  }

  /** Which of the block's ways out see a register that it writes: 0 none, 1 some, 2 all. */
  private visibleOn(register: number, leaves: boolean, isLate: boolean): 0 | 1 | 2 {
    const { flow, successors } = this.context;
    let seen = leaves ? 1 : 0;
    let unseen = 0;
    for (const target of successors[this.index]) {
      // A call stores everything before it, wherever it returns to.
      if (isBehindCall(this.context, this.index, target)) continue;
      if (has(flow.liveIn, flow.words, target, register) && !(isLate && this.isInLoop(target))) seen++;
      else unseen++;
    }
    if (unseen === 0) return seen > 0 ? 2 : 0;
    return seen > 0 ? 1 : 0;
  }

  /** Whether a register is written where control leaves the loop that the block lies on. */
  isLate(register: number): boolean {
    return isLate(this.context.flow, this.index, register);
  }

  /** Whether another block lies on the same innermost loop. */
  isInLoop(target: number): boolean {
    const innermost = this.context.flow.late?.loops.innermost;
    return innermost !== undefined && innermost[target] >= 0 && innermost[target] === innermost[this.index];
  }

  private readonly operandBuffer: number[] = [];

  /** The operands of an instruction; the array is valid until the next call. */
  operandsOf(at: number): readonly number[] {
    const { unit, frontend } = this.context;
    const code = unit.op[at];
    const buffer = this.operandBuffer;
    buffer.length = 0;
    const count = kinds[code] === 'helper' ? frontend.helpers[unit.imm[at]].operands.length : operandCounts[code];
    if (count > 0) buffer.push(unit.a[at]);
    if (count > 1) buffer.push(unit.b[at]);
    if (count > 2) buffer.push(unit.c[at]);
    return buffer;
  }

  /** Whether an access has its own check in front of it. */
  isChecked(at: number): boolean {
    if (this.context.traps !== undefined) return this.isLeader[at] === 1;
    const group = this.groups.groupOf(at);
    return group.first === at && !group.early;
  }

  /** Whether what a register was written at `set` is read at or after the guest instruction that holds position `at`. */
  private isRead(set: number, at: number): boolean {
    const until = this.readUntil[set];
    if (until > at) return true;
    const { unit } = this.context;
    let start = at;
    while (start > this.block.first && unit.pc[start - 1] === unit.pc[at]) start--;
    return until >= start;
  }
}

/** One region is emitted at a time, and there are many: one analysis serves them all. Each block writes what it reads. */
let shared: BlockAnalysis | undefined;

/** The analysis of a region's blocks; valid until the next region's. */
export function analysisOf(context: AnalysisContext): BlockAnalysis {
  if (shared?.begin(context) !== true) {
    const instructions = Math.max(2 * context.unit.count, shared?.uses.length ?? 1024);
    const registers = Math.max(context.frontend.registers.registers.length, shared?.lastGet.length ?? 0);
    shared = new BlockAnalysis(context, instructions, registers);
  }
  return shared;
}
