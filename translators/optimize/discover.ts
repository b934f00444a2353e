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
  /** When the entry lies on a loop: only the blocks of the outermost loop around it. */
  readonly loopOnly: boolean;
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
  const unit = new Unit();
  const builder = frontend.makeBuilder?.(unit) ?? new Builder(frontend.registers, unit);
  const indices = new Map<number, number>();
  /** From each lifted guest instruction to its block: a branch to one that is no block's first splits the block. */
  const owners = new Map<number, number>();
  const pending = [entry];
  let guestInstructions = 0;
  const targets: number[] = [];

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
    successorsOf(unit, unit.blocks[unit.blocks.length - 1], options, targets);
    // The last one pushed is lifted next: the fall-through, so that blocks come in address order where possible.
    for (const target of targets) {
      if (target >= options.low && target < options.high && !indices.has(target)) pending.push(target);
    }
  }

  const whole = connect(unit, indices, options);
  const loop = options.loopOnly ? loopAround(0, whole) : undefined;
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
    guestInstructions: blocks.reduce((sum, block) => sum + block.guestInstructions, 0),
  };
}

/** For each block of a unit, the indices of its successors among `indices`. */
function connect(unit: Unit, indices: ReadonlyMap<number, number>, options: DiscoverOptions): number[][] {
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

/** Appends the guest addresses where control may go from a block without leaving the function. */
function successorsOf(unit: Unit, block: Block, options: DiscoverOptions, into: number[]): void {
  const at = block.end - 1;
  switch (unit.op[at]) {
    case op.jump:
    case op.branch_return:
      into.push(unit.imm[at] >>> 0);
      break;
    case op.branch:
      into.push(unit.imm[at] >>> 0, unit.b[at] >>> 0);
      break;
    case op.branch_indirect:
      for (const target of options.indirectTargets(unit.pc[at] >>> 0)) into.push(target);
      into.push(unit.imm[at] >>> 0);
      break;
    case op.jump_indirect:
      for (const target of options.indirectTargets(unit.pc[at] >>> 0)) into.push(target);
      break;
    case op.call:
    case op.call_indirect:
    case op.system_call:
      into.push(unit.b[at] >>> 0);
      break;
  }
}
