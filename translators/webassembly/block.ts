/**
 * Emits the WebAssembly of one block's instructions up to its terminator.
 *
 * As in the JavaScript backend guest registers are read from locals and written through to the state block, so control
 * can leave anywhere without storing anything; but where accesses trap, not all have locals, and loops write some late
 * (optimize/late-writes.ts). Values live in locals: V8's optimizing compiler makes registers of them.
 */
import type { BlockCounters } from '../counters.ts';
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import { header } from '../ir/state.ts';
import type { Type } from '../ir/types.ts';
import type { Block } from '../ir/unit.ts';
import { groupOfOne } from '../optimize/accesses.ts';
import { type AnalysisContext, analysisOf, type BlockAnalysis, write } from '../optimize/block-analysis.ts';
import { distanceFromRoot } from '../optimize/late-writes.ts';
import { kinds } from '../optimize/operation-kinds.ts';
import { forEachRegister, has } from '../optimize/register-sets.ts';
import { isResident } from '../optimize/registers-flow.ts';
import { type ValueType, valueType } from './encoder.ts';
import type { FunctionWriter } from './function.ts';
import { pureSequences, type Sequence, wasm } from './instructions.ts';
import { emitAccess, emitCheck, type MemoryLayout } from './memory.ts';
import { vectorMemory } from './vector-instructions.ts';

export interface BlockContext extends AnalysisContext {
  readonly frontend: Frontend;
  readonly layout: MemoryLayout;
  /** Offset of the thread's state block in the memory. */
  readonly stateBase: number;
  readonly countInstructions: boolean;
  /** By block; undefined where they are not counted one by one. */
  readonly counters: readonly BlockCounters[] | undefined;
  readonly hasFusedMultiplyAdd: boolean;
  readonly f: FunctionWriter;
  /** A local that holds 0, which is not known when the function is compiled. */
  zero(type: 'i32' | 'i64'): number;
  /** Notes that the instruction that is written next may trap. See Trap for the arguments. */
  mayTrap(pc: number, executed: number, isCurrent: boolean, moved: number): void;
}

const none = -1;
/** More delayed writes than this are not repeated on a way out that is seldom taken. */
const mostDelayed = 12;
const loads: Record<string, readonly [load: number, store: number, align: number]> = {
  i32: [wasm.i32_load, wasm.i32_store, 2],
  i64: [wasm.i64_load, wasm.i64_store, 3],
  f64: [wasm.f64_load, wasm.f64_store, 3],
  v128: [vectorMemory.load, vectorMemory.store, 4],
};
const resultTypes = operations.map(({ result }) => result as ValueType | '');
const word: { parameters: readonly ValueType[]; result: ValueType } = { parameters: ['i32'], result: 'i32' };

export class BlockEmitter {
  private readonly context: BlockContext;
  private readonly f: FunctionWriter;
  private readonly analysis: BlockAnalysis;
  /** The local that holds each value, or none. */
  private readonly home: Int32Array;
  private readonly setDone: Uint8Array;
  /** Values of the block that live in a register's local, by register. */
  private readonly homedIn: (number[] | undefined)[];
  private readonly touched: number[] = [];
  /** The local of each register, or none. */
  private readonly registerLocals: Int32Array;
  private readonly sequence: Sequence;
  /** Writes of the state block that are delayed to the next point where it must be up to date. */
  private readonly delayed: { readonly register: number; value: number }[] = [];
  /** The set of registers written late whose locals may be newer than the state block since an earlier block. */
  private readonly newer: Int32Array;
  /** Whether a register was assigned since the state block was up to date; but for the pinned one, of which the next two tell. */
  private isBehind = false;
  /** The frontend's pinned register, or none. */
  private readonly pinned: number;
  /** What the pinned register holds, and what the state block has of it, as distances from the same value (rootOf). */
  private pinnedNow = 0;
  private pinnedStored = 0;
  private at = 0;
  private index = 0;
  private block: Block = { pc: 0, first: 0, end: 0, guestInstructions: 0, endPc: 0 };

  constructor(context: BlockContext) {
    this.context = context;
    this.f = context.f;
    this.analysis = analysisOf(context);
    this.home = new Int32Array(context.unit.count);
    this.setDone = new Uint8Array(context.unit.count);
    const { registers } = context.frontend.registers;
    this.homedIn = new Array(registers.length);
    this.pinned = registers.findIndex(({ pinned }) => pinned);
    this.registerLocals = new Int32Array(registers.length).fill(none);
    this.newer = new Int32Array(context.flow.words);
    this.sequence = this.makeSequence();
  }

  /** Emits all but the terminator; afterwards push() and edge() speak of the block's end. @param first emits what comes before the first instruction */
  body(index: number, block: Block, first: () => void): void {
    this.index = index;
    this.block = block;
    for (const register of this.touched) this.homedIn[register] = undefined;
    this.touched.length = 0;
    this.home.fill(none, block.first, block.end);
    this.setDone.fill(0, block.first, block.end);
    this.f.freeTemporaries();
    this.f.from(block.pc);
    this.analysis.analyse(index, block);
    this.isBehind = false;
    this.pinnedNow = this.pinnedStored = 0;
    const { late, words } = this.context.flow;
    if (late !== undefined) {
      for (let part = 0; part < words; part++) {
        this.newer[part] = late.newerIn[index * words + part];
        if (this.newer[part] !== 0) this.isBehind = true;
      }
    }
    first();
    this.checkEarly();
    const counters = this.context.counters?.[index];
    if (counters !== undefined) this.f.addToDouble(counters.executions, 1);
    this.delayed.length = 0;
    for (let at = block.first; at < block.end; at++) {
      const exit = this.analysis.exitBehindHelper(at);
      if (exit >= 0) {
        this.update();
        this.pushHeader(header.unwind);
        this.leaveIf(exit);
      }
      this.f.from(this.pcOf(at));
      const isLast = at === block.end - 1;
      if (this.analysis.isUpdatePoint(at)) this.update();
      else if (isLast) this.writeDelayed();
      if (!isLast) this.instruction(at);
    }
  }

  // -- for the terminator

  /** Pushes a value. */
  push(value: number): void {
    const { f } = this;
    const { unit } = this.context;
    const home = this.home[value];
    if (home !== none) {
      f.get(home);
      return;
    }
    const code = unit.op[value];
    if (code === op['i32.const']) f.i32(unit.imm[value]);
    else if (code === op['f64.const']) f.f64(unit.a[value], unit.b[value]);
    else if (code === op['i64.const']) f.i64(unit.a[value], unit.b[value]);
    else if (code === op['v128.const']) f.v128([unit.a[value], unit.b[value], unit.c[value], unit.imm[value]]);
    else if (pureSequences[code] !== undefined) this.compute(value);
    else throw new Error(`value ${value} of ${operations[code].name} has no place`);
  }

  /** Emits the writes that a way out of the block sees. @param target the block of the region where it leads, or undefined */
  edge(target: number | undefined): void {
    const { unit, flow } = this.context;
    const { late } = flow;
    const leavesLoop = target === undefined || !this.analysis.isInLoop(target);
    const sees = (register: number): boolean => target === undefined || has(flow.liveIn, flow.words, target, register);
    for (const at of this.analysis.onEdges) {
      const register = unit.imm[at];
      if (sees(register) && (leavesLoop || !this.analysis.isLate(register))) {
        this.store(register, () => this.push(unit.a[at]));
      }
    }
    if (late === undefined || !leavesLoop) return;
    forEachRegister(this.newer, flow.words, 0, (register) => {
      if (sees(register)) this.storeLocal(register);
    });
    if (target === undefined) return;
    forEachRegister(flow.neededIn, flow.words, target, (register) => {
      if (!isResident(flow, this.index, register)) this.fill(register);
    });
  }

  /** Stores the locals that are newer than the state block, as of the block's start where it has not brought it up to date. */
  storeNewer(): void {
    forEachRegister(this.newer, this.newer.length, 0, (register) => this.storeLocal(register));
  }

  /** Stores a register's local in the state block. */
  storeLocal(register: number): void {
    this.store(register, () => this.f.get(this.local(register)));
  }

  /** Leaves before the instruction at `pc`; the interpreter goes on there. */
  sideExit(pc: number): void {
    const { f } = this;
    this.count(this.executedBefore(pc));
    f.i32(pc | 0);
    f.call(f.import('X', word));
    f.op(wasm.return);
  }

  countBlock(): void {
    if (this.context.countInstructions) this.count(this.block.guestInstructions);
  }

  /** Pushes a word of the state block's header. */
  pushHeader(offset: number): void {
    this.f.i32(0);
    this.f.memory(wasm.i32_load, 2, this.context.stateBase + offset);
  }

  /** Fills a register's local from the state block. */
  fill(register: number): void {
    this.load(register);
    this.f.set(this.local(register));
  }

  /** Pushes a register from the state block. */
  private load(register: number): void {
    const { type, offset } = this.context.frontend.registers.registers[register];
    const [load, , align] = loads[type];
    this.f.i32(0);
    this.f.memory(load, align, this.context.stateBase + offset);
  }

  // -- leaving

  /** Leaves before `pc` when the word on the stack is not 0. */
  private leaveIf(pc: number): void {
    this.f.openIf('unlikely');
    this.sideExit(pc);
    this.f.end();
  }

  private exitIf(at: number): void {
    const { f } = this;
    const isCold = this.analysis.isColdExit(at);
    if (isCold && this.delayed.length > mostDelayed) this.update();
    const condition = this.context.unit.a[at];
    if (this.isWideCheck(condition)) {
      // Of the low word, which the access needs, one comparison tells.
      const value = this.context.unit.a[condition];
      this.push(value);
      f.op(wasm.i32_wrap_i64);
      f.op(wasm.i64_extend_i32_u);
      this.push(value);
      f.op(wasm.i64_ne);
    } else this.push(condition);
    f.openIf('unlikely');
    if (isCold) {
      // Only here: where control goes on the writes stay delayed.
      this.storeNewer();
      for (const { register, value } of this.delayed) this.store(register, () => this.push(value));
    }
    this.sideExit(this.pcOf(at));
    f.end();
  }

  /** Whether a value is the high word of another, and the next instruction leaves where that is not 0, and nothing else uses it. */
  private isWideCheck(at: number): boolean {
    const { unit } = this.context;
    return (
      unit.op[at] === op['i64.high'] &&
      unit.op[at + 1] === op.exit_if &&
      unit.a[at + 1] === at &&
      this.analysis.uses[at] === 1
    );
  }

  private count(instructions: number): void {
    const { f } = this;
    if (instructions === 0) return;
    f.addToDouble(this.context.stateBase + header.instructions, instructions);
    const counters = this.context.counters?.[this.index];
    if (counters !== undefined) f.addToDouble(counters.instructions, instructions);
  }

  /** Guest instructions of the block before an address, when they are counted. */
  private executedBefore(pc: number): number {
    return this.context.countInstructions ? this.analysis.executedBefore(pc) : 0;
  }

  // -- instructions

  private instruction(at: number): void {
    const { unit } = this.context;
    const code = unit.op[at];
    switch (kinds[code]) {
      case 'get': {
        const register = unit.imm[at];
        const { flow } = this.context;
        if (register === this.pinned) this.pinnedNow = this.pinnedStored = 0;
        if (!isResident(flow, this.index, register)) {
          if (this.analysis.last[at] < 0) return;
          const { type } = this.context.frontend.registers.registers[register];
          this.home[at] = this.f.temporary(type as ValueType);
          this.load(register);
          this.f.set(this.home[at]);
          return;
        }
        this.homeIn(register, at);
        return;
      }
      case 'set':
        this.assign(at);
        return;
      case 'const':
        return;
      case 'pure':
        if (this.analysis.needed[at] === 1 && !this.isWideCheck(at)) {
          this.compute(at);
          this.keep(at, resultTypes[code] as ValueType);
        }
        return;
      case 'load':
        this.access(at);
        return;
      case 'helper':
        this.helper(at);
        return;
      default:
        if (code === op.exit_if) this.exitIf(at);
    }
  }

  private compute(at: number): void {
    const emit = pureSequences[this.context.unit.op[at]];
    const outer = this.at;
    this.at = at;
    emit?.(this.sequence);
    this.at = outer;
  }

  /** Gives the value on the stack a home: the local of the register that the next instruction writes, or one of its own. */
  private keep(at: number, type: ValueType): void {
    const { f, analysis } = this;
    const { unit } = this.context;
    const next = at + 1;
    if (next < this.block.end && kinds[unit.op[next]] === 'set' && unit.a[next] === at) {
      const kept = analysis.needed[next];
      if ((kept & write.local) !== 0) {
        const register = unit.imm[next];
        // release() only moves other values: the one on the stack stays there.
        this.release(register, next);
        const local = this.local(register);
        f.set(local);
        this.noteAssignment(next);
        this.settle(next, register, at);
        if ((kept & write.memory) !== 0) this.write(next);
        return;
      }
    }
    const home = f.temporary(type);
    f.set(home);
    this.home[at] = home;
  }

  private assign(at: number): void {
    const kept = this.analysis.needed[at];
    this.noteAssignment(at);
    if (this.setDone[at] === 1 || (kept & (write.local | write.memory)) === 0) return;
    const { unit } = this.context;
    const register = unit.imm[at];
    const value = unit.a[at];
    if ((kept & write.local) === 0) {
      this.write(at);
      return;
    }
    const local = this.local(register);
    if (this.home[value] !== local) {
      this.push(value);
      this.hideConstant(value);
      this.release(register, at);
      this.f.set(local);
    }
    this.settle(at, register, value);
    if ((kept & write.memory) !== 0) this.write(at);
  }

  /** A constant that another block may use as an address is none to the host's compiler (memory.ts). */
  private hideConstant(value: number): void {
    const { unit, layout, traps, zero } = this.context;
    if (traps === undefined || layout.mirrored) return;
    const code = unit.op[value];
    if (code === op['i32.const']) {
      this.f.get(zero('i32'));
      this.f.op(wasm.i32_add);
    } else if (code === op['i64.const']) {
      this.f.get(zero('i64'));
      this.f.op(wasm.i64_add);
    }
  }

  private noteAssignment(at: number): void {
    const { flow, unit } = this.context;
    const register = unit.imm[at];
    const isPrompt = flow.late?.isPrompt[at] === 1;
    this.newer[register >>> 5] &= ~(1 << (register & 31));
    if (register === this.pinned) {
      this.pinnedNow = distanceFromRoot(unit, unit.a[at]);
      if (isPrompt) this.pinnedStored = this.pinnedNow;
    } else if (!isPrompt) this.isBehind = true;
  }

  /** Writes what an instruction assigns to the state block: at once, or when that must be up to date. */
  private write(at: number): void {
    const { traps, flow, unit } = this.context;
    const register = unit.imm[at];
    const value = unit.a[at];
    const before = this.delayed.findIndex((one) => one.register === register);
    if (traps === undefined || flow.late?.isPrompt[at] === 1) {
      if (before >= 0) this.delayed.splice(before, 1);
      this.store(register, () => this.push(value));
    } else if (before < 0) this.delayed.push({ register, value });
    else this.delayed[before].value = value;
  }

  /** Brings the state block up to date. */
  private update(): void {
    this.storeNewer();
    this.newer.fill(0);
    this.writeDelayed();
    this.isBehind = false;
  }

  private writeDelayed(): void {
    for (const { register, value } of this.delayed) this.store(register, () => this.push(value));
    this.delayed.length = 0;
    this.pinnedStored = this.pinnedNow;
  }

  private settle(at: number, register: number, value: number): void {
    this.setDone[at] = 1;
    if (this.home[value] === none && kinds[this.context.unit.op[value]] !== 'const') {
      this.homeIn(register, value);
    }
  }

  /** A value lives in a register's local until that changes. */
  private homeIn(register: number, value: number): void {
    this.home[value] = this.local(register);
    const homed = this.homedIn[register];
    if (homed !== undefined) {
      homed.push(value);
      return;
    }
    this.homedIn[register] = [value];
    this.touched.push(register);
  }

  /** Before a register's local changes: values that live in it and are used later move to locals of their own. */
  private release(register: number, at: number): void {
    const homed = this.homedIn[register];
    if (homed === undefined) return;
    const type = this.context.frontend.registers.registers[register].type as ValueType;
    let moved = none;
    for (const value of homed) {
      if (this.analysis.last[value] <= at) continue;
      if (moved === none) {
        moved = this.f.temporary(type);
        this.f.get(this.local(register));
        this.f.set(moved);
      }
      this.home[value] = moved;
    }
    this.homedIn[register] = undefined;
  }

  private access(at: number): void {
    const { unit, layout } = this.context;
    const baseValue = unit.a[at];
    const isConstant = unit.op[baseValue] === op['i32.const'];
    const push = isConstant ? undefined : () => this.push(baseValue);
    const constant = isConstant ? unit.imm[baseValue] : 0;
    const code = unit.op[at];
    const traps = this.context.traps?.(at) === true;
    if (!traps && this.analysis.isChecked(at)) {
      const group = this.context.traps === undefined ? this.analysis.groups.groupOf(at) : groupOfOne(unit, at);
      emitCheck(this.f, group, layout, push, constant);
      this.leaveIf(this.pcOf(at));
    }
    if (code === op.check) return;
    const type = resultTypes[code];
    const unused = this.analysis.uses[at] === 0 && this.analysis.last[at] < 0;
    // A load that nobody needs has had its check; an exchange still stores.
    if (type !== '' && unused && code !== op.compare_exchange32 && !traps) return;
    const trap = (): void => {
      const restart = this.analysis.restart[at] >>> 0;
      const isCurrent = this.context.flow.late === undefined || !this.isBehind;
      const moved = this.context.flow.late === undefined ? 0 : this.pinnedNow - this.pinnedStored;
      if (traps) this.context.mayTrap(restart, this.executedBefore(restart), isCurrent, moved);
    };
    const zero = traps ? () => this.f.get(this.context.zero('i32')) : undefined;
    emitAccess(this.f, unit, at, layout, push, constant, (value) => this.push(value), trap, zero);
    if (type === '') return;
    if (unused) this.f.op(wasm.drop);
    else this.keep(at, type);
  }

  /** The checks of accesses whose base is known at the block's start. */
  private checkEarly(): void {
    const { unit, layout, traps } = this.context;
    if (traps !== undefined) return;
    let checks = 0;
    for (const group of this.analysis.groups.early) {
      const base = unit.a[group.first];
      const isConstant = unit.op[base] === op['i32.const'];
      const push = isConstant ? undefined : () => this.f.get(this.local(unit.imm[base]));
      emitCheck(this.f, group, layout, push, isConstant ? unit.imm[base] : 0);
      if (checks++ > 0) this.f.op(wasm.i32_or);
    }
    if (checks > 0) this.leaveIf(this.block.pc);
  }

  private helper(at: number): void {
    const { f } = this;
    const { unit, frontend, helpers, flow } = this.context;
    const number = unit.imm[at];
    const helper = frontend.helpers[number];
    for (const value of this.analysis.operandsOf(at).slice()) this.push(value);
    const parameters = helper.operands as readonly ValueType[];
    f.call(f.import(`h${number}`, { parameters, result: helper.result as ValueType | '' }));
    if (helper.result !== '') {
      const home = f.temporary(helper.result as ValueType);
      f.set(home);
      this.home[at] = home;
    }
    if (helper.mayExit) {
      this.pushHeader(header.exit);
      this.leaveIf(this.pcOf(at));
    }
    for (const register of helpers[number].writes) {
      this.release(register, at);
      const isRead = this.analysis.lastGet[register] > at && isResident(flow, this.index, register);
      if (isRead || has(flow.neededOut, flow.words, this.index, register)) {
        this.fill(register);
      }
    }
  }

  // -- registers

  private local(register: number): number {
    let local = this.registerLocals[register];
    if (local === none) {
      local = this.f.local(this.context.frontend.registers.registers[register].type as ValueType);
      this.registerLocals[register] = local;
    }
    return local;
  }

  private store(register: number, push: () => void): void {
    const { type, offset } = this.context.frontend.registers.registers[register];
    const [, store, align] = loads[type as Type];
    this.f.i32(0);
    push();
    this.f.memory(store, align, this.context.stateBase + offset);
  }

  private pcOf(at: number): number {
    return this.context.unit.pc[at] >>> 0;
  }

  private makeSequence(): Sequence {
    const { f } = this;
    const { unit, hasFusedMultiplyAdd } = this.context;
    const operand = (number: number): number =>
      number === 0 ? unit.a[this.at] : number === 1 ? unit.b[this.at] : unit.c[this.at];
    const immediate = (): number => unit.imm[this.at];
    return {
      op: (code) => f.op(code),
      prefixed: (prefix, code) => f.prefixed(prefix, code),
      i32: (value) => f.i32(value),
      i64: (low, high) => f.i64(low, high),
      f64: (low, high) => f.f64(low, high),
      ifResult: (type, likelihood) => {
        if (likelihood !== undefined) f.hint(likelihood);
        f.out.byte(wasm.if);
        f.out.byte(valueType[type]);
      },
      push: (number) => this.push(operand(number)),
      tee: (type) => f.tee(f.scratch(type)),
      scratch: (type) => f.get(f.scratch(type)),
      get immediate() {
        return immediate();
      },
      runtime: (name, parameters, result) => f.call(f.import(name, { parameters, result })),
      hasFusedMultiplyAdd,
    };
  }
}
