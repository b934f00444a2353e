/**
 * What lifters work with: the operands of the instruction that is being lifted, as IR values.
 *
 * Values of 1, 2 and 4 bytes are i32, zero-extended unless said otherwise; values of 8 bytes are i64, in 32-bit mode
 * too; vectors of 16 bytes are v128. Guest registers and addresses are i32 in 32-bit mode and i64 in 64-bit mode.
 *
 * Guest memory lies in the first 4 GiB. An address of a 64-bit program is checked for its high word to be 0 and left with
 * `wide_address` otherwise; from there on it is an i32. Off a base that was checked in the block, displacements of less than
 * 64 KiB need no check of their own: where base + displacement wraps around, nothing is mapped at either end.
 */
import type { Fetch } from '../frontend.ts';
import { type Builder, op, type Value } from '../ir/builder.ts';
import type { ExitReason } from '../ir/operations.ts';
import { callHelper } from './helpers.ts';
import type { Instruction } from './instruction.ts';
import { BlockNotes } from './notes.ts';
import { fs, gs, rsp, type X86Registers } from './registers.ts';
import { log2, operationFor } from './values.ts';

const i64Add = op['i64.add'];
const i64And = op['i64.and'];
const i64Or = op['i64.or'];
const i64Shl = op['i64.shl'];
const i64Low = op['i64.low'];
const i64High = op['i64.high'];
const extendS = op['i64.extend_i32_s'];
const extendU = op['i64.extend_i32_u'];
const extend8 = op['i32.extend8_s'];
const extend16 = op['i32.extend16_s'];

/** Load and store operations by log2 of the bytes. */
const loads = [op.load8_u, op.load16_u, op.load32, op.load64];
const signedLoads = [op.load8_s, op.load16_s, op.load32, op.load64];
const stores = [op.store8, op.store16, op.store32, op.store64];

/** Displacements below this need no check when their base has one. */
const nearby = 0x10000;

export class Lifter {
  readonly registers: X86Registers;
  readonly is64: boolean;
  /** Bytes of a register and of an address: 4 or 8. */
  readonly width: 4 | 8;
  b!: Builder;
  i!: Instruction;
  /** Reads code, for a look at what follows. */
  fetch!: Fetch;
  /** LiftOptions.exactFloatingPoint */
  exact = false;
  /** What is known of the block so far. */
  readonly notes = new BlockNotes();
  /** Where the memory operand is, once found: an i32 value and a displacement. */
  base: Value = 0;
  offset = 0;
  private found = false;

  constructor(registers: X86Registers) {
    this.registers = registers;
    this.is64 = registers.is64;
    this.width = registers.is64 ? 8 : 4;
  }

  /** Begins with an instruction. */
  start(b: Builder, instruction: Instruction, fetch: Fetch, exact: boolean): void {
    this.b = b;
    this.fetch = fetch;
    this.i = instruction;
    this.exact = exact;
    this.found = false;
    this.notes.follow(b);
  }

  // -- operands

  /** Bytes of operand n. */
  size(n: number): number {
    return this.i.sizeOf(n);
  }

  /** Whether operand n is in memory. */
  inMemory(n: number): boolean {
    switch (this.i.operands[n].kind) {
      case 'M':
      case 'O':
        return true;
      case 'E':
      case 'W':
      case 'Q':
        return this.i.mod !== 3;
      default:
        return false;
    }
  }

  /** Number of the general register that operand n is. */
  registerOf(n: number): number {
    const { kind, number } = this.i.operands[n];
    if (kind === 'G') return this.i.reg;
    return kind === 'r' ? number : this.i.rm;
  }

  /** Operand n: i32 zero-extended for 1, 2 and 4 bytes, i64 for 8. */
  read(n: number): Value {
    return this.readAs(n, this.size(n));
  }

  /** Operand n with `size` bytes; an immediate is sign-extended to them. */
  readAs(n: number, size: number): Value {
    const { kind, number } = this.i.operands[n];
    if (kind === 'I' || kind === 'J') return this.immediate(size);
    if (kind === '1') return this.number(number, size);
    if (kind === 's') return this.b.get(this.registers.segment + number);
    if (kind === 'S') return this.b.get(this.registers.segment + this.i.reg);
    if (!this.inMemory(n)) return this.general(this.registerOf(n), size);
    this.address();
    return this.load(loads[log2(size)]);
  }

  /** Operand n, which has 1, 2 or 4 bytes, as an i32 with sign extension. */
  readSigned(n: number): Value {
    const size = this.size(n);
    if (!this.inMemory(n)) return this.signed(this.read(n), size);
    this.address();
    return this.load(signedLoads[log2(size)]);
  }

  /** Writes operand n; of a value of 1 or 2 bytes the upper bits are ignored. 4 bytes clear the upper half of a 64-bit register. */
  write(n: number, value: Value): void {
    const size = this.size(n);
    if (!this.inMemory(n)) {
      this.setGeneral(this.registerOf(n), size, value);
      return;
    }
    this.address();
    this.store(stores[log2(size)], 0, value);
  }

  private immediate(size: number): Value {
    const { immediate, immediateHigh } = this.i;
    if (size === 8) return this.b.constant64(immediate, immediateHigh);
    return this.b.constant(size === 4 ? immediate : immediate & (size === 2 ? 0xffff : 0xff));
  }

  // -- values

  /** An i32 value of 1, 2 or 4 bytes, sign-extended; an i64 value stays as it is. */
  signed(value: Value, size: number): Value {
    if (size === 1) return this.b.unary(extend8, value);
    return size === 2 ? this.b.unary(extend16, value) : value;
  }

  /** The low `size` bytes (1, 2 or 4) of an i32 value, zero-extended. */
  truncated(value: Value, size: number): Value {
    return size === 4 ? value : this.b.and(value, this.b.constant(size === 2 ? 0xffff : 0xff));
  }

  /** A bit (0 or 1) as a value of `size` bytes. */
  bit(size: number, value: Value): Value {
    return size === 8 ? this.b.unary(extendU, value) : value;
  }

  /** An operation on values of `size` bytes by the code of its i32 form; shift counts are i32. */
  unary(size: number, code: number, value: Value): Value {
    return this.b.unary(operationFor(size, code), value);
  }
  binary(size: number, code: number, x: Value, y: Value): Value {
    return this.b.binary(operationFor(size, code), x, y);
  }

  /** A constant of an operand of `size` bytes: i64 for 8, with sign extension, else i32. */
  number(value: number, size: number): Value {
    return size === 8 ? this.b.constant64(value, value >> 31) : this.b.constant(value);
  }

  /** A value of a register's width (i32 or i64 by mode) from an i32, with zero or sign extension. */
  widen(value: Value, signed = false): Value {
    return this.is64 ? this.b.unary(signed ? extendS : extendU, value) : value;
  }

  /** The low word of a value of a register's width. */
  low(value: Value): Value {
    if (!this.is64) return value;
    const { lows } = this.notes;
    let low = lows.get(value);
    if (low === undefined) {
      low = this.b.unary(i64Low, value);
      lows.set(value, low);
    }
    return low;
  }

  // -- general registers

  /** The low 4 bytes of general register `number`. */
  word(number: number): Value {
    return this.low(this.b.get(number));
  }

  /** General register `number` with `size` bytes as read() gives it; without REX the byte registers 4 to 7 are AH to BH. */
  general(number: number, size: number): Value {
    const { b } = this;
    if (size === 8) return b.get(number);
    if (size === 4) return this.word(number);
    if (size === 2) return b.and(this.word(number), b.constant(0xffff));
    if (number < 4 || this.i.rex !== 0) return b.and(this.word(number), b.constant(0xff));
    return b.and(b.shrU(this.word(number - 4), b.constant(8)), b.constant(0xff));
  }

  setGeneral(number: number, size: number, value: Value): void {
    const { b } = this;
    if (size === 8) b.set(number, value);
    else if (size === 4) b.set(number, this.widen(value));
    else if (size === 2) this.insert(number, value, 0, 0xffff);
    else if (number < 4 || this.i.rex !== 0) this.insert(number, value, 0, 0xff);
    else this.setHighByte(number - 4, value);
  }

  /** AH to BH: bits 8 to 15 of general register `number`, whatever the prefixes. */
  setHighByte(number: number, value: Value): void {
    this.insert(number, value, 8, 0xff);
  }

  private insert(number: number, value: Value, shift: number, mask: number): void {
    const { b } = this;
    const inserted = b.shl(b.and(value, b.constant(mask)), b.constant(shift));
    const keep = ~(mask << shift);
    const old = b.get(number);
    if (!this.is64) b.set(number, b.or(b.and(old, b.constant(keep)), inserted));
    else b.set(number, b.binary(i64Or, b.binary(i64And, old, b.constant64(keep, -1)), b.unary(extendU, inserted)));
  }

  // -- addresses

  /** A value of a register's width plus a constant. */
  plus(value: Value, addend: number): Value {
    const { b, notes } = this;
    if (!this.is64) return b.add(value, b.constant(addend));
    if (addend === 0) return value;
    const known = notes.offsets.get(value);
    const base = known === undefined ? value : known.base;
    const offset = known === undefined ? addend : known.offset + addend;
    if (offset === 0) return base;
    if (offset !== (offset | 0)) return b.binary(i64Add, value, b.constant64(addend, addend >> 31));
    const sum = b.binary(i64Add, base, b.constant64(offset, offset >> 31));
    notes.offsets.set(sum, { base, offset });
    return sum;
  }

  /** Finds the memory operand, once, and checks its address. */
  address(): void {
    if (this.found) return;
    const { b, i } = this;
    const segment = this.segmentBase();
    if (this.is64 && i.addressSize === 8) {
      const sum = this.wideSum(segment);
      if (sum === undefined) {
        this.leaveIf(b.constant(i.displacementHigh), 'wide_address');
        this.place(b.constant(i.displacement), 0);
      } else if (i.displacementHigh === i.displacement >> 31) this.point(sum, i.displacement);
      else this.point(b.binary(i64Add, sum, b.constant64(i.displacement, i.displacementHigh)), 0);
    } else if (this.is64 && segment !== undefined) {
      this.point(b.binary(i64Add, segment, this.effective(8)), 0);
    } else {
      const sum = this.narrowSum();
      const displacement = i.addressSize === 2 ? 0 : i.displacement;
      const base = segment === undefined || sum === undefined ? (segment ?? sum) : b.add(segment, sum);
      if (base === undefined) this.place(b.constant(displacement), 0);
      else this.place(base, displacement);
    }
  }

  /** The same with this many more bytes, a value of a register's width. */
  addressFrom(bytes: Value): void {
    const { b, i } = this;
    if (i.addressSize === 8) this.pointAt(b.binary(i64Add, this.effective(8), bytes));
    else this.pointAt(this.offsetOf(b.add(this.effective(4), this.low(bytes))));
  }

  /** An i32 offset as the address size, which is 2 or 4, leaves it. */
  private offsetOf(sum: Value): Value {
    return this.i.addressSize === 2 ? this.b.and(sum, this.b.constant(0xffff)) : sum;
  }

  /** Makes an offset in the instruction's segment (`flat`: in ES) the place of the memory operand: i64 with addresses of 8 bytes, else i32. */
  pointAt(offset: Value, flat = false): void {
    const { b, i } = this;
    const segment = flat ? undefined : this.segmentBase();
    if (this.is64 && i.addressSize === 8)
      this.point(segment === undefined ? offset : b.binary(i64Add, segment, offset), 0);
    else if (segment === undefined) this.place(offset, 0);
    else if (this.is64) this.point(b.binary(i64Add, segment, b.unary(extendU, offset)), 0);
    else this.place(b.add(segment, offset), 0);
  }

  /** General register `number` as an offset: i64 with addresses of 8 bytes, else i32. */
  offsetIn(number: number): Value {
    return this.general(number, this.i.addressSize);
  }

  /** The base of an FS or GS segment; the others begin at 0. */
  segmentBase(): Value | undefined {
    if (this.i.segment === fs) return this.b.get(this.registers.fsBase);
    return this.i.segment === gs ? this.b.get(this.registers.gsBase) : undefined;
  }

  /** Lets address() find the memory operand anew. */
  forgetPlace(): void {
    this.found = false;
  }

  private place(base: Value, offset: number): void {
    this.found = true;
    this.base = base;
    this.offset = offset;
  }

  /**
   * Makes value + displacement, of a register's width, the place that load and store use, and checks it.
   * With a displacement nearby the check is of the value and is shared with all its other places in the block.
   */
  point(value: Value, displacement: number): void {
    const { b, notes } = this;
    if (!this.is64) {
      this.place(value, displacement);
      return;
    }
    const known = notes.offsets.get(value);
    let base = known === undefined ? value : known.base;
    let offset = known === undefined ? displacement : displacement + known.offset;
    if (offset <= -nearby || offset >= nearby) {
      base = this.plus(value, displacement);
      offset = 0;
    }
    if (!notes.narrow.has(base)) {
      this.leaveIf(b.unary(i64High, base), 'wide_address');
      notes.narrow.add(base);
    }
    this.place(this.low(base), offset);
  }

  /** base + (index << scale) of the instruction as i32, if it has either; with 16-bit addresses the whole address. */
  private narrowSum(): Value | undefined {
    const { b, i } = this;
    let sum = i.base < 0 ? undefined : this.word(i.base);
    if (i.index >= 0) {
      const index = b.shl(this.word(i.index), b.constant(i.scale));
      sum = sum === undefined ? index : b.add(sum, index);
    }
    if (i.addressSize !== 2) return sum;
    const displacement = b.constant(i.displacement);
    return b.and(sum === undefined ? displacement : b.add(sum, displacement), b.constant(0xffff));
  }

  /** segment + base + (index << scale) as i64, if there is any of them. */
  private wideSum(segment: Value | undefined): Value | undefined {
    const { b, i, notes } = this;
    let sum = i.base < 0 ? undefined : b.get(i.base);
    if (i.index >= 0) {
      const index = b.get(i.index);
      let made = notes.findSum(sum, index, i.scale);
      if (made === undefined) {
        const scaled = b.binary(i64Shl, index, b.constant(i.scale));
        made = sum === undefined ? scaled : b.binary(i64Add, sum, scaled);
        notes.sums.push({ base: sum, index, scale: i.scale, value: made });
      }
      sum = made;
    }
    if (segment === undefined || sum === undefined) return segment ?? sum;
    return b.binary(i64Add, segment, sum);
  }

  /** The effective address, without segment and unchecked: as i32 for `size` 2 and 4, as i64 for 8. */
  effective(size: number): Value {
    const { b, i } = this;
    if (size === 8 && i.addressSize === 8) {
      const sum = this.wideSum(undefined);
      return sum === undefined ? b.constant64(i.displacement, i.displacementHigh) : this.plus(sum, i.displacement);
    }
    const sum = this.narrowSum();
    const displacement = b.constant(i.displacement);
    const address =
      i.addressSize === 2 ? (sum ?? displacement) : sum === undefined ? displacement : b.add(sum, displacement);
    return size === 8 ? b.unary(extendU, address) : address;
  }

  /** Loads by an operation's code from the place of the memory operand. */
  load(code: number, displacement = 0): Value {
    return this.b.load(code, this.base, this.offset + displacement);
  }

  store(code: number, displacement: number, value: Value): void {
    this.b.store(code, this.base, this.offset + displacement, value);
  }

  /** Loads `size` bytes (1 to 8), zero-extended. */
  loadSize(size: number, displacement = 0): Value {
    return this.load(loads[log2(size)], displacement);
  }

  storeSize(size: number, displacement: number, value: Value): void {
    this.store(stores[log2(size)], displacement, value);
  }

  /** A memory operand must be a multiple of `bytes`, a power of two: a general protection fault otherwise. */
  requireAlignment(bytes: number): void {
    const { b } = this;
    const address = b.add(this.base, b.constant(this.offset));
    this.leaveIf(b.and(address, b.constant(bytes - 1)), 'protection');
  }

  // -- helpers and exits

  /** Calls the helper with this name. */
  helper(name: string, ...operands: readonly Value[]): Value {
    return callHelper(this.b, this.registers, name, operands);
  }

  /** Leaves before the instruction; nothing may be emitted after it. */
  fault(reason: ExitReason, detail = 0): void {
    this.b.exit(reason, detail);
  }

  /** Leaves before the instruction when the condition is not 0. The block goes on even where it surely is, so that lifters need not look. */
  leaveIf(condition: Value, reason: ExitReason, detail = 0): void {
    const { b } = this;
    if (!b.isConstant(condition)) b.exitIf(condition, reason, detail);
    else if (b.constantOf(condition) !== 0) b.exitIf(b.or(this.word(rsp), b.constant(1)), reason, detail);
  }
}
