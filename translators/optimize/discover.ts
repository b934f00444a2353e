/**
 * Finds the blocks of a region: everything that direct branches reach from one entry, within bounds
 * (a guest function, where symbols tell), lifted into one unit.
 */
import type { Fetch, Frontend, LiftOptions } from '../frontend.ts';
import { Builder, op } from '../ir/builder.ts';
import { operations } from '../ir/operations.ts';
import { type Block, instructionsBefore, Unit } from '../ir/unit.ts';
import { type Callee, type Constants, constantsAt, expectReturn, type Inlining, measureCallee } from './inline.ts';
import { liftBlock } from './lift-block.ts';
import { cyclicNodes, stronglyConnected } from './structure.ts';

/** Only blocks within [low, high) belong to a function; a jump elsewhere leaves it. */
export interface Bounds {
  readonly low: number;
  readonly high: number;
}

export interface DiscoverOptions extends LiftOptions, Bounds {
  /** Guest instructions at most; blocks beyond are left to other regions. */
  readonly limit: number;
  /** Longest block, in guest instructions. */
  readonly blockLimit: number;
  /**
   * When the entry lies on a loop: only the blocks of the outermost loop around it; or of the innermost one, where this is
   * the start of the function around the entry, from which loops have their heads.
   */
  readonly loopOnly: boolean;
  readonly functionStart?: number | undefined;
  /** Whether the code at a guest address has run, or may be about to; absent: all of it. What has not is left to other regions. */
  readonly hasRun?: ((pc: number) => boolean) | undefined;
  /** Targets that an indirect jump or call at a guest address was seen to take, in the order of their discovery. */
  indirectTargets(pc: number): readonly number[];
  /** Which called functions become part of the region; absent: none. */
  readonly inlining?: Inlining | undefined;
}

export interface Region {
  readonly entry: number;
  /** All blocks lie within [low, high); what lies elsewhere never belongs to the region. */
  readonly low: number;
  readonly high: number;
  readonly unit: Unit;
  /** Blocks; the first is the entry's. Their order is that of discovery. */
  readonly blocks: readonly Block[];
  /** From a block's pc to its index in `blocks`; without those of functions that are part of the region where they are called. */
  readonly indices: ReadonlyMap<number, number>;
  /** For each block the indices of its successors within the region, one for each edge. */
  readonly successors: readonly (readonly number[])[];
  /** The region is a loop, without what comes behind it. */
  readonly isLoop: boolean;
  /** Where control may go within the region that had not run. */
  readonly cold: ReadonlySet<number>;
  readonly guestInstructions: number;
}

/** The block of a region where control goes from another one when it goes on at a guest address; undefined where that leaves the region. */
export function successorAt({ blocks, successors }: Region, from: number, pc: number): number | undefined {
  return successors[from].find((index) => blocks[index].pc === pc);
}

/** Whether an edge comes back from a call or system call. Any other edge of a block that ends so leads into the called function. */
export function isBehindCall({ unit, blocks }: Pick<Region, 'unit' | 'blocks'>, from: number, to: number): boolean {
  const at = blocks[from].end - 1;
  return isCall[unit.op[at]] === 1 && blocks[to].pc === unit.b[at] >>> 0;
}

/** 1 for operations behind which control goes on at their link. */
export const isCall = Uint8Array.from(operations, ({ name }) =>
  name === 'call' || name === 'call_indirect' || name === 'system_call' ? 1 : 0,
);

/** Discovers and lifts the region at `entry`. */
export function discoverRegion(frontend: Frontend, fetch: Fetch, entry: number, options: DiscoverOptions): Region {
  const { loopOnly, functionStart } = options;
  if (!loopOnly || functionStart === undefined) return discover(frontend, fetch, entry, options, loopOnly);
  const { blocks, successors } = discover(frontend, fetch, functionStart, { ...options, hasRun: undefined }, false);
  const holder = blocks.findIndex(({ pc, endPc }) => entry >= pc && entry < endPc);
  const loop = holder < 0 ? undefined : innermostLoop(holder, successors);
  if (loop === undefined) return discover(frontend, fetch, entry, options, true);
  const members = loop.map((index) => blocks[index]);
  const isMember = (target: number): boolean => members.some(({ pc, endPc }) => target >= pc && target < endPc);
  return discover(frontend, fetch, entry, options, true, isMember);
}

/** @param isMember whether a block may belong to the region; absent: any */
function discover(
  frontend: Frontend,
  fetch: Fetch,
  entry: number,
  options: DiscoverOptions,
  loopOnly: boolean,
  isMember?: (pc: number) => boolean,
): Region {
  return new Discovery(frontend, fetch, entry, options, isMember).discover(loopOnly);
}

/** A function whose blocks belong to a region: the one around the entry, or one that is part of it at a place that calls it. */
interface Frame extends Bounds {
  readonly entry: number;
  /** From a block's pc to its index. */
  readonly indices: Map<number, number>;
  /** From each lifted guest instruction to its block: a branch to one that is no block's first splits the block. */
  readonly owners: Map<number, number>;
  /** Where it is called; undefined for the one around the entry. */
  readonly call: { readonly caller: Frame; readonly link: number; readonly constants: Constants } | undefined;
}

class Discovery {
  private readonly frontend: Frontend;
  private readonly fetch: Fetch;
  private readonly options: DiscoverOptions;
  private readonly isMember: ((pc: number) => boolean) | undefined;
  private readonly unit = new Unit();
  private readonly builder: Builder;
  private readonly root: Frame;
  /** By block. */
  private readonly frames: Frame[] = [];
  /** From a block to where one of its edges leads into another frame. */
  private readonly crossings = new Map<number, { readonly pc: number; readonly frame: Frame }>();
  private readonly callees = new Map<number, Callee | undefined>();
  private readonly cold = new Set<number>();
  private guestInstructions = 0;

  constructor(
    frontend: Frontend,
    fetch: Fetch,
    entry: number,
    options: DiscoverOptions,
    isMember: ((pc: number) => boolean) | undefined,
  ) {
    this.frontend = frontend;
    this.fetch = fetch;
    this.options = options;
    this.isMember = isMember;
    this.builder = frontend.makeBuilder?.(this.unit) ?? new Builder(frontend.registers, this.unit);
    this.root = { ...options, entry, indices: new Map(), owners: new Map(), call: undefined };
  }

  discover(loopOnly: boolean): Region {
    const { root, unit, cold, options } = this;
    this.explore(root);
    // Control may have come there on another way.
    for (const pc of cold) if (!this.isInside(root, pc) || root.indices.has(pc)) cold.delete(pc);
    let whole = this.connect();
    let loop = loopOnly ? loopAround(0, whole) : undefined;
    if (options.inlining !== undefined && options.inlining.room > 0) {
      this.inline(options.inlining, loop ?? [...unit.blocks.keys()], cyclicNodes(whole));
      whole = this.connect();
      if (loop !== undefined) loop = loopAround(0, whole);
    }
    const { entry, low, high } = root;
    const found = { entry, low, high, unit, cold };
    if (loop === undefined) {
      const { guestInstructions } = this;
      const { indices } = root;
      return { ...found, blocks: unit.blocks, indices, successors: whole, isLoop: false, guestInstructions };
    }
    const blocks = loop.map((index) => unit.blocks[index]);
    const numbers = new Map(loop.map((member, index) => [member, index]));
    const indices = new Map<number, number>();
    loop.forEach((member, index) => {
      if (this.frames[member] === root) indices.set(blocks[index].pc, index);
    });
    unit.blocks = blocks;
    return {
      ...found,
      blocks,
      indices,
      successors: loop.map((member) => whole[member].flatMap((target) => numbers.get(target) ?? [])),
      isLoop: true,
      guestInstructions: blocks.reduce((sum, block) => sum + block.guestInstructions, 0),
    };
  }

  private isInside(frame: Frame, pc: number): boolean {
    return (
      pc >= frame.low &&
      pc < frame.high &&
      (this.isMember === undefined || frame.call !== undefined || this.isMember(pc))
    );
  }

  /** Lifts a function's blocks. */
  private explore(frame: Frame): void {
    const { frontend, unit, options } = this;
    const { indices, owners } = frame;
    const pending = [frame.entry];
    const targets: number[] = [];
    while (pending.length > 0) {
      const pc = pending.pop() as number;
      if (indices.has(pc)) continue;
      const owner = owners.get(pc);
      if (owner !== undefined && splitAt(unit, unit.blocks[owner], pc)) {
        const block = unit.blocks[owner];
        const whole = block.guestInstructions;
        if (block.starts === undefined) {
          block.guestInstructions -= (block.endPc - pc) / frontend.instructionAlignment;
        } else {
          block.guestInstructions = instructionsBefore(block.starts, pc);
          block.starts = block.starts.slice(0, block.guestInstructions);
        }
        this.guestInstructions -= whole - block.guestInstructions;
        block.endPc = pc;
        this.crossings.delete(owner);
      } else if (this.guestInstructions >= options.limit && pc !== frame.entry && frame.call === undefined) {
        continue;
      }
      // Also behind a split: where a block begins less is known, and a branch that was folded may go both ways.
      this.lift(frame, pc);
      targets.length = 0;
      const lifted = unit.blocks.length - 1;
      successorsOf(unit, unit.blocks[lifted], options, targets, this.cold);
      const crossing = this.crossings.get(lifted)?.pc;
      // The last one pushed is lifted next: the fall-through, so that blocks come in address order where possible.
      for (const target of targets) {
        if (target !== crossing && this.isInside(frame, target) && !indices.has(target)) pending.push(target);
      }
    }
  }

  private lift(frame: Frame, pc: number): void {
    const { unit, builder, options } = this;
    const { indices, owners, call } = frame;
    const index = unit.blocks.length;
    indices.set(pc, index);
    this.frames.push(frame);
    const known = call?.constants;
    const isStart = (next: number): boolean => indices.has(next);
    const { blockLimit } = options;
    const count = liftBlock(this.frontend, builder, this.fetch, pc, blockLimit, options, isStart, known);
    this.guestInstructions += count;
    const block = unit.blocks[index];
    if (block.starts !== undefined) for (const each of block.starts) owners.set(each, index);
    else for (let at = block.first; at < block.end; at++) owners.set(unit.pc[at] >>> 0, index);
    if (call !== undefined && expectReturn(unit, block, call.link)) {
      this.crossings.set(index, { pc: call.link, frame: call.caller });
    }
  }

  /** Makes functions that are called part of the region. @param blocks where they are called @param looping those of them that lie on loops */
  private inline(inlining: Inlining, blocks: readonly number[], looping: Set<number>): void {
    const { unit } = this;
    const pending = blocks.slice();
    let room = Math.min(inlining.room, this.options.limit - this.guestInstructions);
    for (let next = 0; next < pending.length && room > 0; next++) {
      const caller = pending[next];
      const block = unit.blocks[caller];
      const at = block.end - 1;
      const isDirect = unit.op[at] === op.call;
      if (!isDirect && unit.op[at] !== op.call_indirect) continue;
      const frame = this.frames[caller];
      // Of a call through a pointer the target that was seen first: others stay calls.
      const entry = isDirect ? unit.imm[at] >>> 0 : this.options.indirectTargets(unit.pc[at] >>> 0)[0];
      if (entry === undefined || entry === unit.b[at] >>> 0) continue;
      const depth = depthOf(frame, entry);
      // Elsewhere it would be more to compile than it saves.
      if (depth === 0 && !looping.has(caller)) continue;
      const callee = this.calleeAt(entry, inlining);
      if (callee === undefined || callee.guestInstructions > room || depth > inlining.depth) continue;
      room -= callee.guestInstructions;
      const link = unit.b[at] >>> 0;
      const constants = constantsAt(unit, block, frame.call?.constants, callee);
      const called: Frame = {
        ...inlining.boundsOf(entry),
        entry,
        indices: new Map(),
        owners: new Map(),
        call: { caller: frame, link, constants },
      };
      if (isDirect) {
        unit.op[at] = op.jump;
        unit.b[at] = -1;
        block.endsInInlinedCall = true;
      }
      this.crossings.set(caller, { pc: entry, frame: called });
      const first = unit.blocks.length;
      this.explore(called);
      for (let index = first; index < unit.blocks.length; index++) {
        pending.push(index);
        if (looping.has(caller)) looping.add(index);
      }
    }
  }

  private calleeAt(entry: number, inlining: Inlining): Callee | undefined {
    const { callees, frontend, options } = this;
    if (!callees.has(entry)) {
      const limits = { limit: inlining.limit + 1, loopOnly: false, inlining: undefined };
      const found = discover(
        frontend,
        this.fetch,
        entry,
        { ...options, ...inlining.boundsOf(entry), ...limits },
        false,
      );
      callees.set(entry, measureCallee(found, frontend, inlining.limit));
    }
    return callees.get(entry);
  }

  /** For each block the indices of its successors, whether or not control has gone there from it. */
  private connect(): number[][] {
    const { unit, frames, crossings } = this;
    const { indirectTargets } = this.options;
    const targets: number[] = [];
    return unit.blocks.map((block, index) => {
      targets.length = 0;
      successorsOf(unit, block, { indirectTargets }, targets);
      const crossing = crossings.get(index);
      if (crossing !== undefined && unit.op[block.end - 1] === op.call_indirect) targets.unshift(crossing.pc);
      return targets.flatMap((target) => {
        const frame = crossing?.pc === target ? crossing.frame : frames[index];
        return frame.indices.get(target) ?? [];
      });
    });
  }
}

/** How many calls of a function lead to a frame, itself among them. */
function depthOf(frame: Frame | undefined, entry: number): number {
  let depth = 0;
  for (let each = frame; each !== undefined; each = each.call?.caller) if (each.entry === entry) depth++;
  return depth;
}

/** The blocks of the outermost loop that a block lies on, itself first; undefined when it lies on none. */
function loopAround(node: number, successors: readonly (readonly number[])[]): number[] | undefined {
  const loop = stronglyConnected(
    successors,
    successors.map((_, index) => index),
  ).find((component) => component.includes(node)) as number[];
  if (loop.length < 2 && !successors[node].includes(node)) return undefined;
  return loop.sort((one, other) => one - other);
}

/**
 * The innermost loop around a block, in a function whose first block is number 0: cycles within cycles, each without its
 * heads, where control comes in from outside. Undefined when the block lies on none.
 */
function innermostLoop(node: number, successors: readonly (readonly number[])[]): number[] | undefined {
  let loop: number[] | undefined;
  let nodes = successors.map((_, index) => index);
  for (;;) {
    const component = stronglyConnected(successors, nodes).find((each) => each.includes(node));
    if (component === undefined || (component.length < 2 && !successors[node].includes(node))) return loop;
    loop = component;
    const inside = new Set(component);
    const heads = new Set<number>(inside.has(0) ? [0] : []);
    successors.forEach((targets, from) => {
      if (!inside.has(from)) for (const target of targets) if (inside.has(target)) heads.add(target);
    });
    if (heads.has(node)) return loop;
    nodes = component.filter((each) => !heads.has(each));
  }
}

/** Cuts a block off before the instruction at `pc`, with a jump there. @returns false when pc is not an instruction of it */
function splitAt(unit: Unit, block: Block, pc: number): boolean {
  if (pc === block.pc) return false;
  for (let at = block.first; at < block.end; at++) {
    // An instruction that leaves nothing is cut off with the next one.
    if (unit.pc[at] >>> 0 < pc) continue;
    unit.op[at] = op.jump;
    unit.a[at] = -1;
    unit.b[at] = -1;
    unit.c[at] = -1;
    unit.imm[at] = pc | 0;
    unit.pc[at] = at > block.first ? unit.pc[at - 1] : block.pc;
    block.end = at + 1;
    return true;
  }
  return false;
}

/**
 * Appends the guest addresses where control may go from a block without leaving the function.
 * @param cold gets those that have not run instead
 */
function successorsOf(
  unit: Unit,
  block: Block,
  { hasRun, indirectTargets }: Pick<DiscoverOptions, 'hasRun' | 'indirectTargets'>,
  into: number[],
  cold?: Set<number>,
): void {
  const at = block.end - 1;
  // Behind a condition control may not have come to either side.
  const add = (target: number): void => {
    if (hasRun === undefined || hasRun(target)) into.push(target);
    else cold?.add(target);
  };
  switch (unit.op[at]) {
    case op.jump:
      into.push(unit.imm[at] >>> 0);
      break;
    case op.branch_return:
      add(unit.imm[at] >>> 0);
      break;
    case op.branch:
      add(unit.imm[at] >>> 0);
      add(unit.b[at] >>> 0);
      break;
    case op.branch_indirect:
      for (const target of indirectTargets(unit.pc[at] >>> 0)) into.push(target);
      add(unit.imm[at] >>> 0);
      break;
    case op.jump_indirect:
      for (const target of indirectTargets(unit.pc[at] >>> 0)) into.push(target);
      break;
    case op.call:
    case op.call_indirect:
    case op.system_call:
      into.push(unit.b[at] >>> 0);
      break;
  }
}
