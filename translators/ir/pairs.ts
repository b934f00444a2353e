/**
 * Pairs of values: a builder that keeps each i64 value as two i32 values, its low and high words, and each v128 value as
 * two f64 values with the bits of its halves, and so gives frontends the whole interface where a backend knows neither.
 *
 * To a frontend a pair is a value like any other: a number, here an index into the block's pairs. What is a pair and
 * what is not the operations say, so the numbers of both may be the same. A register of either type is two registers at the
 * same place of the state block (halves.ts).
 */
import { type Builder, op, type Value } from './builder.ts';
import { binaryForms, unaryForms } from './halves-integer.ts';
import { vectorForms } from './halves-vector.ts';
import type { RegisterFile } from './state.ts';
import type { Type } from './types.ts';

/** A register file whose wide registers are pairs. Numbers of registers in a frontend are those of the whole file. */
export interface HalvesFile extends RegisterFile {
  /** From a register's number in the whole file to that of it, or of its low half. */
  readonly lows: Int16Array;
  /** The same for the high half; -1 where the register is not a pair. */
  readonly highs: Int16Array;
  /** The low half of a doubleword in memory has the lower address: the guest is little-endian. */
  readonly lowFirst: boolean;
}

/** What the forms of operations on halves are written with. */
export interface Pairs extends Builder {
  pair(low: Value, high: Value): Value;
  low(pair: Value): Value;
  high(pair: Value): Value;
}

const { load32, load32_zero, load64, load64_zero, load128, store32, store64, store128 } = op;
const loadF64 = op['load64.f64'];
const storeF64 = op['store64.f64'];
const fromHalves = op['f64.from_halves'];
const i64Select = op['i64.select'];

/** The class with pairs instead of i64 and v128 values; its register file is a HalvesFile. */
// biome-ignore lint/suspicious/noExplicitAny: TypeScript wants these parameters of a class that extends any class
export function withPairs<Base extends new (...parameters: any[]) => Builder>(base: Base) {
  return class extends base implements Pairs {
    private readonly file = this.registers as HalvesFile;
    private readonly lowValues: Value[] = [];
    private readonly highValues: Value[] = [];
    /** For each register of the whole file the pair that was last made for it in this block, or -1. */
    private readonly made = new Int32Array(this.file.lows.length).fill(-1);

    /** A block begins: no pair of the last one is used again. */
    forgetPairs(): void {
      this.lowValues.length = 0;
      this.highValues.length = 0;
      this.made.fill(-1);
    }

    override begin(pc: number) {
      this.forgetPairs();
      return super.begin(pc);
    }

    pair(low: Value, high: Value): Value {
      this.highValues.push(high);
      return this.lowValues.push(low) - 1;
    }

    low(pair: Value): Value {
      return this.lowValues[pair];
    }

    high(pair: Value): Value {
      return this.highValues[pair];
    }

    override get(number: number): Value {
      const { lows, highs } = this.file;
      const low = super.get(lows[number]);
      if (highs[number] < 0) return low;
      const high = super.get(highs[number]);
      // A register that did not change is the same value: frontends know values again.
      const known = this.made[number];
      if (known >= 0 && this.lowValues[known] === low && this.highValues[known] === high) return known;
      const made = this.pair(low, high);
      this.made[number] = made;
      return made;
    }

    override set(number: number, value: Value): void {
      const { lows, highs } = this.file;
      if (highs[number] < 0) {
        super.set(lows[number], value);
        return;
      }
      super.set(lows[number], this.lowValues[value]);
      super.set(highs[number], this.highValues[value]);
      this.made[number] = value;
    }

    override constant64(low: number, high: number): Value {
      return this.pair(this.constant(low), this.constant(high));
    }

    override constant128(first: number, second: number, third: number, fourth: number): Value {
      return this.pair(this.constantF64(first, second), this.constantF64(third, fourth));
    }

    override withImmediate(code: number, immediate: number, a: Value, b: Value = -1, c: Value = -1): Value {
      const form = vectorForms[code];
      if (form === undefined) return super.withImmediate(code, immediate, a, b, c);
      return form(this, immediate, a, b, c);
    }

    override unary(code: number, a: Value): Value {
      const form = unaryForms[code];
      if (form !== undefined) return form(this, a);
      const vector = vectorForms[code];
      return vector === undefined ? super.unary(code, a) : vector(this, 0, a, -1, -1);
    }

    override binary(code: number, a: Value, b: Value): Value {
      const form = binaryForms[code];
      if (form !== undefined) return form(this, a, b);
      const vector = vectorForms[code];
      return vector === undefined ? super.binary(code, a, b) : vector(this, 0, a, b, -1);
    }

    override ternary(code: number, a: Value, b: Value, c: Value): Value {
      if (code === i64Select) {
        return this.pair(this.select(a, this.low(b), this.low(c)), this.select(a, this.high(b), this.high(c)));
      }
      const vector = vectorForms[code];
      return vector === undefined ? super.ternary(code, a, b, c) : vector(this, 0, a, b, c);
    }

    override load(code: number, address: Value, displacement = 0, reversed = false): Value {
      if (code === load32_zero) {
        const word = super.load(load32, address, displacement, reversed);
        return this.pair(this.binary(fromHalves, word, this.constant(0)), this.constantF64(0, 0));
      }
      if (code === load64_zero) {
        return this.pair(super.load(loadF64, address, displacement, reversed), this.constantF64(0, 0));
      }
      if (code !== load64 && code !== load128) return super.load(code, address, displacement, reversed);
      const [half, bytes] = code === load64 ? [load32, 4] : [loadF64, 8];
      const first = super.load(half, address, displacement, reversed);
      const second = super.load(half, address, displacement + bytes, reversed);
      return this.file.lowFirst !== reversed ? this.pair(first, second) : this.pair(second, first);
    }

    override store(code: number, address: Value, displacement: number, value: Value, reversed = false): void {
      if (code !== store64 && code !== store128) {
        super.store(code, address, displacement, value, reversed);
        return;
      }
      // All of it is written, or nothing.
      const [half, bytes] = code === store64 ? [store32, 4] : [storeF64, 8];
      this.check(address, displacement, 2 * bytes, 2);
      const [low, high] = [this.low(value), this.high(value)];
      const [first, second] = this.file.lowFirst !== reversed ? [low, high] : [high, low];
      super.store(half, address, displacement, first, reversed);
      super.store(half, address, displacement + bytes, second, reversed);
    }

    override helper(
      helper: number,
      result: Type | '',
      operands: readonly Value[],
      writes: readonly number[] | '*',
    ): Value {
      if (writes === '*') return super.helper(helper, result, operands, writes);
      const { lows, highs } = this.file;
      const halves = writes.flatMap((register) =>
        highs[register] < 0 ? [lows[register]] : [lows[register], highs[register]],
      );
      return super.helper(helper, result, operands, halves);
    }
  };
}
