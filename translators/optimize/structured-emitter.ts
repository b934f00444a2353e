/** Walks a region's structure (structure.ts): what both backends do to turn it into nested blocks and loops. */
import type { Region } from './discover.ts';
import type { Dispatch, Structure } from './structure.ts';

export abstract class StructuredEmitter {
  protected readonly region: Region;
  protected readonly structure: Structure;

  constructor(region: Region, structure: Structure) {
    this.region = region;
    this.structure = structure;
  }

  // -- what a backend writes

  /** The loop that starts at a position, which `branch` comes back to. */
  protected abstract openLoop(position: number): void;
  protected abstract closeLoop(position: number): void;
  /** What is left for the merge point at a position by `branch`. @param from where the block begins */
  protected abstract openMerge(merge: number, from: number): void;
  protected abstract closeMerge(merge: number): void;
  /** A branch to an enclosing loop or merge point. @param pc guest address of the instruction that it belongs to */
  protected abstract branch(target: number, isLoop: boolean, pc: number): void;
  /** Tells a dispatch node where to go on. */
  protected abstract select(node: number, selector: number, pc: number): void;
  /** A block of the region, with its terminator. */
  protected abstract block(position: number, index: number): void;
  protected abstract dispatch(position: number, dispatch: Dispatch): void;
  /** Counts that control goes from one block to another, where that is asked for. */
  protected abstract countEdge(from: number, to: number, pc: number): void;

  /** The guest address of the block at a position; of a dispatch node, the region's. */
  protected pcAt(position: number): number {
    const node = this.structure.order[position];
    return node < this.region.blocks.length ? this.region.blocks[node].pc : this.region.entry;
  }

  // -- the walk

  /** Emits the node at a position, and all that it dominates. */
  protected tree(position: number): void {
    const { structure } = this;
    const merges = structure.children[position].filter((child) => structure.isMerge[child] === 1);
    const isLoop = structure.isLoop[position] === 1;
    if (isLoop) this.openLoop(position);
    this.within(position, merges, merges.length);
    if (isLoop) this.closeLoop(position);
  }

  private within(position: number, merges: readonly number[], count: number): void {
    if (count > 0) {
      const merge = merges[count - 1];
      this.openMerge(merge, position);
      this.within(position, merges, count - 1);
      this.closeMerge(merge);
      this.tree(merge);
      return;
    }
    const { order, dispatches } = this.structure;
    const node = order[position];
    if (node < this.region.blocks.length) {
      this.block(position, node);
      return;
    }
    const dispatch = dispatches.find((candidate) => candidate.node === node);
    if (dispatch === undefined) throw new Error(`there is no dispatch node ${node}`);
    this.dispatch(position, dispatch);
  }

  // The pc is for a backend that notes where its text comes from.

  /** An edge from the block at `position` to a block of the region. */
  protected go(position: number, target: number, pc = this.region.entry): void {
    this.countEdge(this.structure.order[position], target, pc);
    const route = this.structure.route.get(target);
    if (route === undefined) {
      this.enter(position, target, pc);
      return;
    }
    this.select(route.dispatch.node, route.selector, pc);
    this.enter(position, route.dispatch.node, pc);
  }

  /** An edge from the node at `position` to another node. */
  protected enter(position: number, node: number, pc = this.region.entry): void {
    const target = this.structure.position[node];
    if (target <= position) this.branch(target, true, pc);
    else if (this.structure.isMerge[target] === 1) this.branch(target, false, pc);
    else this.tree(target);
  }
}
