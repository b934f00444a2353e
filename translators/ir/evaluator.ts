/**
 * Runs guest code while it is lifted: a builder whose values are the numbers themselves. Most blocks of a short program
 * run once, and making IR and interpreter code for one (builder.ts, interpreter-prepare.ts) takes much longer than
 * running it.
 *
 * It does what is done with i32 values in registers and memory, and ends at system calls. Anything else (floating point,
 * helpers, other exits, accesses that may fault) it refuses: the instruction then has had no effect, and the interpreter does it. For this a lifter
 * must emit whatever may be refused before the instruction's first effect, as it must for whatever may leave a block.
 */
import type { Fetch, Frontend } from '../frontend.ts';
import type { MemoryView } from '../memory-view.ts';
import { Builder, op, type Value } from './builder.ts';
import { fold } from './fold.ts';
import { firstForbidden, hostFlip, hostOrigin } from './memory-access.ts';
import { exitCode, operations } from './operations.ts';
import type { State } from './state.ts';
import { Unit } from './unit.ts';

const exactly = { exactFloatingPoint: true };

/** The longest stretch that is run in one go, in guest instructions. */
const longest = 64;

/** Bit of a permission entry (memory-view.ts) that an access needs. */
const readBit = 1;
const writeBit = 2;

/** For operations that move i32 values: log2 of the bytes moved; none for all others. The index is the operation's code. */
const none = 255;
const sizes = Uint8Array.from(operations, ({ bytes, name, operands, result }) =>
  (name.startsWith('load') || name.startsWith('store')) &&
  [...operands, result].every((type) => type === 'i32' || type === '')
    ? Math.log2(bytes)
    : none,
);

const { load8_s, load8_u, load16_s, load16_u, load32, store16, store32 } = op;

export class Evaluator extends Builder {
  /** Guest address where control goes on; after a refusal that of the refused instruction. */
  target = 0;
  /** The last instruction was refused: it waits for the interpreter. */
  refused = false;
  /** Not 0 when the guest asked for the personality: an exit code. */
  exitReason = 0;
  private readonly frontend: Frontend;
  private readonly fetch: Fetch;
  private readonly memory: MemoryView;
  private readonly registerWords: Int32Array;
  /** Guest memory as words, for atomic operations. */
  private readonly memoryWords: Int32Array;
  /** For each register its index in `registerWords`; -1 when it is not an i32. */
  private readonly slots: Int16Array;
  private readonly flip: number;
  /** hostOrigin() by log2 of the access's bytes. */
  private readonly origins: readonly number[];

  constructor(frontend: Frontend, state: State, memory: MemoryView, fetch: Fetch) {
    super(frontend.registers, new Unit(0));
    this.frontend = frontend;
    this.fetch = fetch;
    this.memory = memory;
    this.registerWords = state.i32;
    this.memoryWords = new Int32Array(memory.buffer, 0, memory.buffer.byteLength >> 2);
    this.slots = Int16Array.from(frontend.registers.registers, ({ type, index }) => (type === 'i32' ? index : -1));
    this.flip = hostFlip(memory);
    this.origins = [1, 2, 4].map((bytes) => hostOrigin(memory, bytes));
  }

  /**
   * Runs from a guest address to the end of the block there, or to what it refuses.
   * @returns guest instructions executed; `target` and `refused` say how it goes on
   */
  run(start: number): number {
    const { frontend, fetch } = this;
    let pc = start;
    let count = 0;
    this.ended = false;
    this.refused = false;
    this.exitReason = exitCode.none;
    do {
      this.target = pc;
      // A number that stands for several values: what is known of one instruction's does not hold for the next one's.
      this.remembered = undefined;
      const next = (pc + frontend.lift(this, fetch, pc, exactly)) >>> 0;
      if (this.refused) return count;
      count++;
      pc = next;
    } while (!this.ended && count < longest);
    if (!this.ended) this.target = pc;
    return count;
  }

  /** From here on nothing of the instruction has an effect. */
  private refuse(): Value {
    this.refused = true;
    return 0;
  }

  override get(number: number): Value {
    const slot = this.slots[number];
    return slot < 0 ? this.refuse() : this.registerWords[slot];
  }

  override set(number: number, value: Value): void {
    const slot = this.slots[number];
    if (slot < 0) this.refuse();
    else if (!this.refused) this.registerWords[slot] = value;
  }

  override constant(value: number): Value {
    return value | 0;
  }

  override constant64(): Value {
    return this.refuse();
  }

  override constantF64(): Value {
    return this.refuse();
  }

  override isConstant(): boolean {
    return true;
  }

  override constantOf(value: Value): number {
    return value;
  }

  override unary(code: number, a: Value): Value {
    return fold(code, a) ?? this.refuse();
  }

  override binary(code: number, a: Value, b: Value): Value {
    return fold(code, a, b) ?? this.refuse();
  }

  override ternary(code: number, a: Value, b: Value, c: Value): Value {
    return fold(code, a, b, c) ?? this.refuse();
  }

  override constant128(): Value {
    return this.refuse();
  }

  override withImmediate(): Value {
    return this.refuse();
  }

  override nanOf2(): Value {
    return this.refuse();
  }

  override load(code: number, address: Value, displacement = 0, reversed = false): Value {
    const at = this.locate(code, address + displacement, readBit);
    if (at < 0) return this.refuse();
    const { view } = this.memory;
    if (code === load32) return view.getInt32(at, !reversed);
    if (code === load8_u) return view.getUint8(at);
    if (code === load16_u) return view.getUint16(at, !reversed);
    if (code === load16_s) return view.getInt16(at, !reversed);
    return code === load8_s ? view.getInt8(at) : this.refuse();
  }

  override store(code: number, address: Value, displacement: number, value: Value, reversed = false): void {
    const at = this.locate(code, address + displacement, writeBit);
    if (at < 0) this.refuse();
    if (this.refused) return;
    const { view } = this.memory;
    if (code === store32) view.setInt32(at, value, !reversed);
    else if (code === store16) view.setInt16(at, value, !reversed);
    else view.setInt8(at, value);
  }

  override compareExchange(address: Value, expected: Value, replacement: Value): Value {
    const at = this.locate(load32, address, readBit | writeBit);
    if (at < 0) this.refuse();
    return this.refused ? 0 : Atomics.compareExchange(this.memoryWords, at >>> 2, expected, replacement);
  }

  override check(address: Value, displacement: number, bytes: number, access: 1 | 2): void {
    if (firstForbidden(this.memory.permissions, address + displacement, bytes, access) >= 0) this.refuse();
  }

  override helper(): Value {
    return this.refuse();
  }

  override jump(pc: number): void {
    this.ended = true;
    if (!this.refused) this.target = pc >>> 0;
  }

  override branch(condition: Value, taken: number, otherwise: number): void {
    this.jump(condition !== 0 ? taken : otherwise);
  }

  override call(target: number): void {
    this.jump(target);
  }

  override callIndirect(target: Value): void {
    this.jump(target);
  }

  override jumpIndirect(target: Value): void {
    this.jump(target);
  }

  override return(target: Value): void {
    this.jump(target);
  }

  override branchReturn(condition: Value, target: Value, otherwise: number): void {
    this.jump(condition !== 0 ? target : otherwise);
  }

  override branchIndirect(condition: Value, target: Value, otherwise: number): void {
    this.jump(condition !== 0 ? target : otherwise);
  }

  override systemCall(link: number): void {
    if (!this.refused) this.exitReason = exitCode.system_call;
    this.jump(link);
  }

  override exit(): void {
    this.refuse();
  }

  override exitIf(condition: Value): void {
    if (condition !== 0) this.refuse();
  }

  /** Host offset of an access of i32 values, or -1 where it may fault or moves something else. */
  private locate(code: number, address: number, access: number): number {
    const size = sizes[code];
    if (size === none) return -1;
    const page = ((address >>> size) | (address << (32 - size))) >>> (12 - size);
    if ((this.memory.permissions[page] & access) !== access) return -1;
    return (this.origins[size] + (address ^ this.flip)) >>> 0;
  }
}
