/**
 * Finds the blocks of a region: everything that direct branches reach from one entry, within bounds
 * (a guest function, where symbols tell), lifted into one unit.
 */
import type { Fetch, Frontend, LiftOptions } from '../frontend.ts';
import { Builder, op } from '../ir/builder.ts';
import { type Block, instructionsBefore, Unit } from '../ir/unit.ts';
import { stronglyConnected } from './structure.ts';

export interface DiscoverOptions extends LiftOptions {
  /** Only blocks within [low, high) belong to the region; a jump elsewhere leaves it. */
  readonly low: number;
  readonly high: number;
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
  /** Targets that an indirect jump at a guest address was seen to take, in the order of their discovery. */
  indirectTargets(pc: number): readonly number[];
}

export interface Region {
  readonly entry: number;
  /** All blocks lie within [low, high); what lies elsewhere never belongs to the region. */
  readonly low: number;
  readonly high: number;
  readonly unit: Unit;
  /** Blocks; the first is the entry's. Their order is that of discovery. */
  readonly blocks: readonly Block[];
  /** From a block's pc to its index in `blocks`. */
  readonly indices: ReadonlyMap<number, number>;
  /** For each block the indices of its successors within the region, one for each edge. */
  readonly successors: readonly (readonly number[])[];
  /** The region is a loop, without what comes behind it. */
  readonly isLoop: boolean;
  /** Where control may go within the region that had not run. */
  readonly cold: ReadonlySet<number>;
  readonly guestInstructions: number;
}

/** Lifts one block. @returns the number of guest instructions lifted */
export function liftBlock(
  frontend: Frontend,
  builder: Builder,
  fetch: Fetch,
  start: number,
  limit: number,
  options: LiftOptions,
  isBlockStart: (pc: number) => boolean,
): number {
  const block = builder.begin(start);
  const starts: number[] | undefined = frontend.instructionAlignment > 1 ? undefined : [];
  if (starts !== undefined) block.starts = starts;
  let pc = start;
  let count = 0;
  do {
    builder.pc = pc;
    starts?.push(pc);
    pc = (pc + frontend.lift(builder, fetch, pc, options)) >>> 0;
    count++;
  } while (!builder.ended && count < limit && !isBlockStart(pc));
  if (!builder.ended) builder.jump(pc);
  builder.end(pc, count);
  return count;
}

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
  const unit = new Unit();
  const builder = frontend.makeBuilder?.(unit) ?? new Builder(frontend.registers, unit);
  const indices = new Map<number, number>();
  /** From each lifted guest instruction to its block: a branch to one that is no block's first splits the block. */
  const owners = new Map<number, number>();
  const pending = [entry];
  let guestInstructions = 0;
  const targets: number[] = [];
  const cold = new Set<number>();
  const isInside = (pc: number): boolean =>
    pc >= options.low && pc < options.high && (isMember === undefined || isMember(pc));

  const lift = (pc: number, limit: number): void => {
    const index = unit.blocks.length;
    indices.set(pc, index);
    const count = liftBlock(frontend, builder, fetch, pc, limit, options, (next) => indices.has(next));
    guestInstructions += count;
    const block = unit.blocks[index];
    if (block.starts !== undefined) for (const each of block.starts) owners.set(each, index);
    else for (let at = block.first; at < block.end; at++) owners.set(unit.pc[at] >>> 0, index);
  };

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
      guestInstructions -= whole - block.guestInstructions;
      block.endPc = pc;
    } else if (guestInstructions >= options.limit && pc !== entry) {
      continue;
    }
    // Also behind a split: where a block begins less is known, and a branch that was folded may go both ways.
    lift(pc, options.blockLimit);
    targets.length = 0;
    successorsOf(unit, unit.blocks[unit.blocks.length - 1], options, targets, cold);
    // The last one pushed is lifted next: the fall-through, so that blocks come in address order where possible.
    for (const target of targets) {
      if (isInside(target) && !indices.has(target)) pending.push(target);
    }
  }

  // Control may have come there on another way.
  for (const pc of cold) if (!isInside(pc) || indices.has(pc)) cold.delete(pc);
  const whole = connect(unit, indices, options);
  const loop = loopOnly ? loopAround(0, whole) : undefined;
  if (loop === undefined) {
    return {
      entry,
      low: options.low,
      high: options.high,
      unit,
      blocks: unit.blocks,
      indices,
      successors: whole,
      isLoop: false,
      cold,
      guestInstructions,
    };
  }
  const blocks = loop.map((index) => unit.blocks[index]);
  const inside = new Map(blocks.map((block, index) => [block.pc, index]));
  unit.blocks = blocks;
  return {
    entry,
    low: options.low,
    high: options.high,
    unit,
    blocks,
    indices: inside,
    successors: connect(unit, inside, options),
    isLoop: true,
    cold,
    guestInstructions: blocks.reduce((sum, block) => sum + block.guestInstructions, 0),
  };
}

/** For each block of a unit, the indices of its successors among `indices`, whether or not control has gone there from it. */
function connect(unit: Unit, indices: ReadonlyMap<number, number>, { indirectTargets }: DiscoverOptions): number[][] {
  const options = { indirectTargets };
  const targets: number[] = [];
  return unit.blocks.map((block) => {
    targets.length = 0;
    successorsOf(unit, block, options, targets);
    const inside: number[] = [];
    for (const target of targets) {
      const index = indices.get(target);
      if (index !== undefined) inside.push(index);
    }
    return inside;
  });
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
