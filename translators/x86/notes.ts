/** What the lifter knows of the block that it is in: facts about IR values, forgotten where the next block begins. */
import type { Builder, Value } from '../ir/builder.ts';
import type { Setter } from './flags.ts';

export interface Sum {
  readonly base: Value | undefined;
  readonly index: Value;
  readonly scale: number;
  readonly value: Value;
}

export class BlockNotes {
  /** i64 values and their low words. */
  readonly lows = new Map<Value, Value>();
  /** i64 addresses that were checked for a high word of 0. */
  readonly narrow = new Set<Value>();
  /** i64 values that are another value plus a constant. */
  readonly offsets = new Map<Value, { readonly base: Value; readonly offset: number }>();
  /** Sums of addresses: base + (index << scale). */
  readonly sums: Sum[] = [];
  /** What set the flags last; undefined: before the block, or in a way that only the parts tell. */
  setter: Setter | undefined;
  /** A general register's value that is the sign of another's: all ones or 0. */
  sign: { readonly of: Value; readonly value: Value } | undefined;
  private owner: Builder | undefined;

  /** Forgets everything when the builder is in another block than at the last call. */
  follow(b: Builder): void {
    if (this.owner === b && b.remembered === this) return;
    this.owner = b;
    b.remembered = this;
    this.lows.clear();
    this.narrow.clear();
    this.offsets.clear();
    this.sums.length = 0;
    this.setter = undefined;
    this.sign = undefined;
  }

  /** The value of a sum that was made before, if any. */
  findSum(base: Value | undefined, index: Value, scale: number): Value | undefined {
    for (const sum of this.sums) if (sum.base === base && sum.index === index && sum.scale === scale) return sum.value;
    return undefined;
  }
}
