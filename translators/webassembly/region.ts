/**
 * Emits a region as one WebAssembly function in structured control flow.
 *
 * The function takes the depth of guest calls (in units of 128 bytes of the host's stack) and its own slot in the table,
 * and returns the guest address where control goes on, as the JavaScript backend's functions do (javascript/region.ts):
 * -1 means that the state block holds the pc, -2 that it is the start of a loop that ran long. It imports the memory, the table of functions, and
 *
 * | name | meaning |
 * | --- | --- |
 * | X(pc) | leaves in the middle of a block, before the instruction at pc; returns -1 |
 * | Y(link) | serves a system call; returns where to go on |
 * | V(pc) | leaves for pc, outside of the default floating-point mode |
 * | G(pc) | the slot of a guest address; N(entry, site, pc) the same for an indirect jump that the region did not know |
 * | h3 | helper number 3 |
 * | nanOf2 … | functions of the operations' runtime |
 */
import type { Frontend } from '../frontend.ts';
import { op } from '../ir/builder.ts';
import { header } from '../ir/state.ts';
import type { RegionAnalysis } from '../optimize/analyse.ts';
import { isBehindCall, type Region, successorAt } from '../optimize/discover.ts';
import { forEachRegister } from '../optimize/register-sets.ts';
import type { HelperRegisters, RegisterFlow } from '../optimize/registers-flow.ts';
import { cyclicNodes, type Dispatch, innerLoopFactor, leftLoop } from '../optimize/structure.ts';
import { StructuredEmitter } from '../optimize/structured-emitter.ts';
import { BlockEmitter } from './block.ts';
import type { EmitOptions } from './emit-options.ts';
import type { EmittedModule, Trap } from './emitted-module.ts';
import { encodeModule } from './encoder.ts';
import { FunctionWriter, type Piece } from './function.ts';
import { wasm } from './instructions.ts';
import { trapsByItself } from './memory.ts';
import { emitFindSlot, emitNote, translationType, word } from './slots.ts';

const depth = 0;
/** The slot's local holds the depth of callees: the slot itself is only for stubs. */
const next = 1;
/** A jump table of more entries is not made: the table of functions then finds the target. */
const tableLimit = 4096;

/** Guest instructions of a region that is made anew for the sake of a call through a pointer, at most. */
const mostNoted = 300;

export function emitModule(
  region: Region,
  analysis: RegionAnalysis,
  frontend: Frontend,
  helpers: readonly HelperRegisters[],
  options: EmitOptions,
): EmittedModule {
  return new RegionEmitter(region, analysis, frontend, helpers, options).emit();
}

/** What a way out of a block needs, and the block where it leads, if that is one of the region. */
interface Way {
  readonly piece: Piece;
  readonly index: number | undefined;
}

class RegionEmitter extends StructuredEmitter {
  private readonly frontend: Frontend;
  private readonly options: EmitOptions;
  private readonly flow: RegisterFlow;
  private readonly f = new FunctionWriter(2);
  private readonly blocks: BlockEmitter;
  /** Local that counts down the loop budget. */
  private readonly budget: number;
  /** Local of what a call returned. */
  private readonly returned: number;
  /** Locals of dispatch nodes' selectors. */
  private readonly selectors = new Map<number, number>();
  /** Locals that hold 0, loaded where the function begins. */
  private readonly zeros = new Map<'i32' | 'i64', number>();
  /** Blocks that lie on loops. */
  private looping: ReadonlySet<number> | undefined;
  /** The block that is emitted. */
  private index = 0;
  private arms = 0;
  /** With offsets in the body so far. */
  private readonly traps: Trap[] = [];

  constructor(
    region: Region,
    analysis: RegionAnalysis,
    frontend: Frontend,
    helpers: readonly HelperRegisters[],
    options: EmitOptions,
  ) {
    super(region, analysis.structure);
    this.frontend = frontend;
    this.options = options;
    this.flow = analysis.flow;
    this.budget = this.f.local('i32');
    this.returned = this.f.local('i32');
    for (const dispatch of this.structure.dispatches) this.selectors.set(dispatch.node, this.f.local('i32'));
    this.blocks = new BlockEmitter({
      unit: region.unit,
      blocks: region.blocks,
      successors: region.successors,
      frontend,
      flow: this.flow,
      helpers,
      layout: options.layout,
      stateBase: options.stateBase,
      preciseFaults: options.preciseFaults,
      countInstructions: options.countInstructions,
      counters: options.counters?.blocks,
      hasFusedMultiplyAdd: options.hasFusedMultiplyAdd,
      f: this.f,
      zero: (type) => this.zero(type),
      traps: options.accessesTrap ? (at) => trapsByItself(region.unit, at, options.layout) : undefined,
      mayTrap: (pc, executed, isCurrent, moved) => this.mayTrap(pc, executed, isCurrent, moved),
    });
  }

  private mayTrap(pc: number, executed: number, isCurrent: boolean, moved: number): void {
    const trap = { offset: this.f.out.length, pc, executed, isCurrent, ...(moved !== 0 && { moved }) };
    const counters = this.options.counters?.blocks[this.index];
    this.traps.push(counters === undefined ? trap : { ...trap, counter: counters.instructions });
  }

  emit(): EmittedModule {
    const { options, f } = this;
    if (options.notesOrigins) f.origins = [];
    this.fill(0);
    const route = this.structure.route.get(0);
    if (route !== undefined) this.select(route.dispatch.node, route.selector);
    this.tree(0);
    f.op(wasm.unreachable);
    const body = f.cut(0);
    this.prologue();
    const prologue = f.out.length;
    f.append(body);
    const instructions = f.out.finish();
    const { bytes, bodyOffset, localsSize } = encodeModule({
      name: options.name,
      type: translationType,
      locals: f.localRuns(),
      body: instructions,
      hints: f.hints,
      imports: f.imports,
      memoryPages: options.memoryPages,
      tableEntries: options.tableEntries,
    });
    const moved = bodyOffset + prologue;
    return {
      name: options.name,
      body: instructions,
      localsSize,
      bytes,
      traps: this.traps.map((trap) => ({ ...trap, offset: trap.offset + moved })),
      imports: f.imports,
      ...(f.origins && { origins: f.origins.map(({ offset, pc }) => ({ offset: offset + prologue, pc })) }),
    };
  }

  private zero(type: 'i32' | 'i64'): number {
    const local = this.zeros.get(type) ?? this.f.local(type);
    this.zeros.set(type, local);
    return local;
  }

  /** Leaves when the stack is used up or an interrupt waits; else sets what loops and calls count with. */
  private prologue(): void {
    const { f, options } = this;
    const { stateBase } = options;
    f.get(depth);
    f.i32(options.depthLimit);
    f.op(wasm.i32_gt_s);
    this.blocks.pushHeader(header.interrupt);
    f.op(wasm.i32_or);
    f.openIf('unlikely');
    f.i32(0);
    f.i32(this.region.entry | 0);
    f.memory(wasm.i32_store, 2, stateBase + header.pc);
    f.i32(0);
    f.i32(1);
    f.memory(wasm.i32_store, 2, stateBase + header.unwind);
    f.i32(-1);
    f.op(wasm.return);
    f.end();
    if (options.counters !== undefined) f.addToDouble(options.counters.entries, 1);
    f.get(depth);
    // V8's baseline code keeps every local in the frame.
    f.i32(2 + ((f.localTypes.length + 24) >> 4));
    f.op(wasm.i32_add);
    f.set(next);
    f.i32(options.loopBudget);
    f.set(this.budget);
    for (const [type, local] of this.zeros) {
      this.blocks.pushHeader(header.zero);
      if (type === 'i64') f.op(wasm.i64_extend_i32_u);
      f.set(local);
    }
  }

  // -- structure

  protected openLoop(position: number): void {
    this.f.from(this.pcAt(position));
    this.f.open(wasm.loop, `L${position}`);
  }

  protected closeLoop(position: number): void {
    this.f.from(this.pcAt(position));
    this.f.end();
  }

  protected openMerge(merge: number, from: number): void {
    this.f.from(this.pcAt(from));
    this.f.open(wasm.block, `M${merge}`);
  }

  protected closeMerge(merge: number): void {
    this.f.from(this.pcAt(merge));
    this.f.end();
  }

  protected branch(target: number, isLoop: boolean): void {
    this.f.branch(`${isLoop ? 'L' : 'M'}${target}`);
  }

  protected countEdge(from: number, to: number): void {
    const counter = this.options.counters?.blocks[from].edges.get(to);
    if (counter !== undefined) this.f.addToDouble(counter, 1);
  }

  protected select(node: number, selector: number): void {
    this.f.i32(selector);
    this.f.set(this.selectors.get(node) as number);
  }

  protected dispatch(position: number, { node, targets }: Dispatch): void {
    const { f } = this;
    const selector = this.selectors.get(node) as number;
    if (this.structure.isLoop[position] === 1) {
      this.pushBudgetUsed(this.structure.position[node]);
      f.openIf('unlikely');
      targets.forEach((target, number) => {
        this.ifSelected(selector, number, () => {
          this.storeNewer(target);
          this.leaveLoop(this.region.blocks[target].pc);
        });
      });
      f.end();
    }
    targets.forEach((target, number) => {
      if (number === targets.length - 1) this.enter(position, target);
      else this.ifSelected(selector, number, () => this.enter(position, target));
    });
  }

  private ifSelected(selector: number, number: number, then: () => void): void {
    const { f } = this;
    f.get(selector);
    f.i32(number);
    f.op(wasm.i32_eq);
    f.open(wasm.if);
    then();
    f.end();
  }

  // -- blocks

  protected block(position: number, index: number): void {
    const { region, blocks, structure } = this;
    const block = region.blocks[index];
    this.index = index;
    blocks.body(index, block, () => {
      if (structure.isLoop[position] === 1) this.loopCheck(position, block.pc);
    });
    if (region.unit.op[block.end - 1] !== op.exit) blocks.countBlock();
    this.terminator(position, index);
  }

  /**
   * At the start of a loop: once the budget is used up, leave, to come back by a call: V8 replaces baseline code of
   * WebAssembly only when it is called.
   */
  private loopCheck(position: number, pc: number): void {
    this.pushBudgetUsed(position);
    this.f.openIf('unlikely');
    this.blocks.storeNewer();
    this.leaveLoop(pc);
    this.f.end();
  }

  private pushBudgetUsed(position: number): void {
    const { f, options } = this;
    f.get(this.budget);
    f.i32(1);
    f.op(wasm.i32_sub);
    f.tee(this.budget);
    f.i32(this.structure.isInner[position] === 1 ? -innerLoopFactor * options.loopBudget : 0);
    f.op(wasm.i32_lt_s);
  }

  private leaveLoop(pc: number): void {
    const { f } = this;
    f.i32(0);
    f.i32(pc | 0);
    f.memory(wasm.i32_store, 2, this.options.stateBase + header.pc);
    f.i32(leftLoop);
    f.op(wasm.return);
  }

  private terminator(position: number, index: number): void {
    const { f, blocks } = this;
    const { unit } = this.region;
    const at = this.region.blocks[index].end - 1;
    const target = unit.imm[at] >>> 0;
    f.from(unit.pc[at]);
    switch (unit.op[at]) {
      case op.jump:
        this.goOn(position, index, target);
        return;
      case op.branch: {
        const otherwise = unit.b[at] >>> 0;
        const no = this.way(index, otherwise);
        blocks.push(unit.a[at]);
        f.open(wasm.if);
        this.goOn(position, index, target);
        f.from(unit.pc[at]);
        f.else();
        this.follow(position, no);
        f.from(unit.pc[at]);
        f.end();
        return;
      }
      case op.branch_return:
        blocks.push(unit.a[at]);
        f.open(wasm.if);
        this.returnTo(unit.b[at]);
        f.end();
        this.goOn(position, index, target);
        return;
      case op.branch_indirect: {
        const way = this.way(index, target);
        blocks.push(unit.a[at]);
        f.open(wasm.if);
        this.indirect(position, index, unit.b[at], unit.pc[at] >>> 0);
        f.end();
        this.follow(position, way);
        return;
      }
      case op.return:
        this.returnTo(unit.a[at]);
        return;
      case op.jump_indirect:
        this.indirect(position, index, unit.a[at], unit.pc[at] >>> 0);
        return;
      case op.call:
        this.call(position, index, unit.b[at], target);
        return;
      case op.call_indirect:
        this.callIndirect(position, index, unit.b[at], unit.a[at], unit.pc[at] >>> 0);
        return;
      case op.system_call:
        blocks.edge(undefined);
        f.i32(unit.b[at]);
        f.call(f.import('Y', word));
        this.goOnBehind(position, index, unit.b[at]);
        return;
      default:
        blocks.edge(undefined);
        blocks.sideExit(unit.pc[at] >>> 0);
    }
  }

  private returnTo(value: number): void {
    this.blocks.edge(undefined);
    this.modeCheck(() => this.blocks.push(value));
    if (this.frontend.instructionAlignment === 1) {
      // The values that stand for something else say that the state block holds the pc.
      this.f.i32(0);
      this.blocks.push(value);
      this.f.memory(wasm.i32_store, 2, this.options.stateBase + header.pc);
    }
    this.blocks.push(value);
    this.f.op(wasm.return);
  }

  /** A guest call to a known address. */
  private call(position: number, from: number, link: number, target: number): void {
    const { f } = this;
    const slot = this.options.slotOf(target);
    const push = (): void => f.i32(target | 0);
    this.blocks.edge(undefined);
    this.modeCheck(push);
    if (slot === 0) {
      // As if the callee had said that control goes on at its start.
      push();
    } else {
      this.callSlot(() => f.i32(slot));
    }
    this.goOnBehind(position, from, link);
  }

  private liesOnLoop(block: number): boolean {
    this.looping ??= cyclicNodes(this.region.successors);
    return this.looping.has(block);
  }

  private callSlot(pushSlot: () => void): void {
    const { f } = this;
    f.get(next);
    pushSlot();
    pushSlot();
    f.callIndirect(wasm.call_indirect);
  }

  /** A guest call to a computed address: a known one may be part of the region. */
  private callIndirect(position: number, from: number, link: number, value: number, pc: number): void {
    const { f, blocks } = this;
    const push = (): void => blocks.push(value);
    const [known] = this.options.indirectTargets(pc);
    const inlined = this.region.successors[from].find((to) => !isBehindCall(this.region, from, to));
    const way = inlined === undefined ? undefined : this.way(from, this.region.blocks[inlined].pc);
    const start = f.out.length;
    blocks.edge(undefined);
    this.modeCheck(push);
    if (known === undefined && this.region.guestInstructions <= mostNoted && this.liesOnLoop(from)) {
      // It is noted, so that the region can be made anew.
      emitNote(f, this.region.entry, pc, push);
    } else if (known !== undefined && inlined === undefined && this.options.slotOf(known) !== 0) {
      push();
      f.i32(known | 0);
      f.op(wasm.i32_eq);
      f.open(wasm.if, '', 'i32');
      f.i32(this.options.slotOf(known));
      f.else();
      emitFindSlot(f, this.options.slotCache, this.frontend.instructionAlignment, push);
      f.end();
    } else {
      emitFindSlot(f, this.options.slotCache, this.frontend.instructionAlignment, push);
    }
    f.set(this.returned);
    this.callSlot(() => f.get(this.returned));
    const call = f.cut(start);
    if (inlined !== undefined && way !== undefined) {
      push();
      f.i32(this.region.blocks[inlined].pc | 0);
      f.op(wasm.i32_eq);
      f.open(wasm.if);
      f.append(way.piece);
      this.go(position, inlined);
      f.end();
    }
    f.append(call);
    this.goOnBehind(position, from, link);
  }

  /** Behind a call: what it returned is on the stack. */
  private goOnBehind(position: number, from: number, link: number): void {
    const { f } = this;
    f.tee(this.returned);
    f.i32(link);
    f.op(wasm.i32_ne);
    f.openIf('unlikely');
    f.get(this.returned);
    f.op(wasm.return);
    f.end();
    const index = successorAt(this.region, from, link >>> 0);
    if (index === undefined) {
      this.leave(link >>> 0);
      return;
    }
    this.fill(index);
    this.go(position, index);
  }

  /** Where a region that may change the floating-point mode is left: sees to it that no other translation runs. */
  private modeCheck(push: () => void): void {
    if (!this.options.checksMode) return;
    const { f } = this;
    const { register, mask } = this.frontend.floatingPointControl;
    const { registers, numbers } = this.frontend.registers;
    this.blocks.pushHeader(registers[numbers[register]].offset);
    f.i32(mask);
    f.op(wasm.i32_and);
    f.openIf('unlikely');
    push();
    f.call(f.import('V', word));
    f.op(wasm.return);
    f.end();
  }

  /** Goes on at a known address outside the region: in its translation's place. */
  private leave(pc: number): void {
    const { f } = this;
    // What has not run yet may well be cold: it is for the engine to decide how it runs.
    const slot = this.region.cold.has(pc) ? 0 : this.options.slotOf(pc);
    if (slot !== 0) {
      const { isLoop } = this.region;
      // What comes behind a loop may well be cold: where no translation called this one, the engine decides how it runs.
      if (isLoop) {
        f.get(depth);
        f.open(wasm.if);
      }
      f.get(depth);
      f.i32(slot);
      f.i32(slot);
      f.callIndirect(wasm.return_call_indirect);
      if (!isLoop) return;
      f.end();
    }
    f.i32(pc | 0);
    f.op(wasm.return);
  }

  /** What a way out of the present block needs. @returns the block where it leads, if it stays in the region */
  private emitWay(from: number, target: number): number | undefined {
    const { f } = this;
    const index = successorAt(this.region, from, target);
    this.blocks.edge(index);
    if (index === undefined) {
      this.modeCheck(() => f.i32(target | 0));
      this.leave(target);
    }
    return index;
  }

  /** The same, to be put in behind another block, which is emitted before. */
  private way(from: number, target: number): Way {
    const start = this.f.out.length;
    const index = this.emitWay(from, target);
    return { piece: this.f.cut(start), index };
  }

  private goOn(position: number, from: number, target: number): void {
    const index = this.emitWay(from, target);
    if (index !== undefined) this.go(position, index);
  }

  private follow(position: number, { piece, index }: Way): void {
    this.f.append(piece);
    if (index !== undefined) this.go(position, index);
  }

  /** A jump to a computed address: a jump table of the targets that were seen, anything else through the table of functions. */
  private indirect(position: number, from: number, value: number, pc: number): void {
    const { f, blocks } = this;
    const push = (): void => blocks.push(value);
    const known = this.options
      .indirectTargets(pc)
      .filter((address) => successorAt(this.region, from, address) !== undefined);
    const alignment = this.frontend.instructionAlignment;
    const low = Math.min(...known);
    const span = (Math.max(...known) - low) / alignment + 1;
    const start = f.out.length;
    blocks.edge(undefined);
    this.modeCheck(push);
    f.get(depth);
    // A target that the region could take in is noted; any other is a call, mostly, of a stub's function.
    const { entry, low: regionLow, high } = this.region;
    push();
    f.i32(regionLow | 0);
    f.op(wasm.i32_sub);
    f.i32((high - regionLow) | 0);
    f.op(wasm.i32_lt_u);
    f.open(wasm.if, '', 'i32');
    emitNote(f, entry, pc, push);
    f.else();
    emitFindSlot(f, this.options.slotCache, this.frontend.instructionAlignment, push);
    f.end();
    f.tee(this.returned);
    f.get(this.returned);
    f.callIndirect(wasm.return_call_indirect);
    const unknown = f.cut(start);
    const ways = known.map((address) => this.way(from, address));
    if (known.length > 0 && span <= tableLimit) {
      const name = `A${this.arms++}`;
      f.open(wasm.block, `${name}.`);
      for (let arm = known.length - 1; arm >= 0; arm--) f.open(wasm.block, `${name}.${arm}`);
      push();
      f.i32(low | 0);
      f.op(wasm.i32_sub);
      if (alignment > 1) {
        // Rotated, an address between two instructions is beyond the table.
        f.i32(Math.log2(alignment));
        f.op(wasm.i32_rotr);
      }
      const arms = new Int32Array(span).fill(-1);
      known.forEach((address, arm) => {
        arms[(address - low) / alignment] = arm;
      });
      f.op(wasm.br_table);
      f.out.unsigned(span);
      for (const arm of arms) f.out.unsigned(f.depthOf(arm < 0 ? `${name}.` : `${name}.${arm}`));
      f.out.unsigned(f.depthOf(`${name}.`));
      for (const way of ways) {
        f.end();
        this.follow(position, way);
      }
      f.end();
    }
    f.append(unknown);
  }

  /** Stores the locals that are newer than the state block where the block at `index` starts. */
  private storeNewer(index: number): void {
    const { late, words } = this.flow;
    if (late === undefined) return;
    forEachRegister(late.newerIn, words, index, (register) => this.blocks.storeLocal(register));
  }

  /** Fills the locals that the block at `index` expects. */
  private fill(index: number): void {
    const { flow } = this;
    forEachRegister(flow.neededIn, flow.words, index, (register) => this.blocks.fill(register));
  }
}
