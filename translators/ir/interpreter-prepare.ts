/**
 * Turns the IR of a block into interpreter code (interpreter-encoding.ts): one backward pass finds what
 * is dead, one forward pass gives each value a slot and emits. What comes out does less than the IR says:
 * - a register is read in place: its value is copied only when the register is written while the value is still needed;
 * - an instruction whose value goes to a register next writes the register's slot itself;
 * - dead pure values are dropped, and register writes that another write hides before anything could look;
 * - constants stand in the code; a comparison that only the branch reads becomes part of it.
 * Registers are exact at every point where the block may be left.
 */
import type { Helper } from '../frontend.ts';
import type { CodeBuffer } from './interpreter-code.ts';
import {
  branchImmediateOpcode,
  branchOpcode,
  calledNumber,
  callMask,
  immediateOpcode,
  memoryOpcode,
  reversedOpcode,
  special,
  takesImmediate,
  valueOpcode,
} from './interpreter-encoding.ts';
import { codes, operations } from './operations.ts';
import { type RegisterFile, stateBlockSize } from './state.ts';
import { sizeOf } from './types.ts';
import { type Block, instructionsBefore, type Unit } from './unit.ts';

/** What an operation is to the passes. */
const kind = {
  value: 0,
  constant32: 1,
  constant64: 2,
  get: 3,
  set: 4,
  load: 5,
  store: 6,
  helper: 7,
  other: 8,
} as const;

const count = operations.length;
const kinds = new Uint8Array(count);
const operandCounts = new Uint8Array(count);
const pure = new Uint8Array(count);
/** Operations after which the registers may be looked at: faults, exits and ends. */
const barriers = new Uint8Array(count);
const wide = new Uint8Array(count);
const withImmediate = new Uint8Array(count);
const wideOperands = operations.map((operation) => operation.operands.map((type) => sizeOf[type] === 8));
for (const operation of operations) {
  const { code, name, flags } = operation;
  operandCounts[code] = operation.operands.length;
  pure[code] = flags.has('pure') || name.startsWith('get.') ? 1 : 0;
  barriers[code] = flags.has('load') || flags.has('store') || flags.has('exits') || flags.has('ends') ? 1 : 0;
  wide[code] = operation.result !== '' && sizeOf[operation.result] === 8 ? 1 : 0;
  withImmediate[code] = takesImmediate(operation) ? 1 : 0;
  if (name === 'i32.const') kinds[code] = kind.constant32;
  else if (name.endsWith('.const')) kinds[code] = kind.constant64;
  else if (name.startsWith('get.')) kinds[code] = kind.get;
  else if (name.startsWith('set.')) kinds[code] = kind.set;
  else if (name.startsWith('helper.')) kinds[code] = kind.helper;
  else if (memoryOpcode[code] !== 0) kinds[code] = flags.has('load') ? kind.load : kind.store;
  else if (valueOpcode[code] === 0) kinds[code] = kind.other;
}

const constant32Code = codes['i32.const'];
const branchCode = codes.branch;
const eqzCode = codes['i32.eqz'];

/** Stands for an absent value, slot or register. */
const none = -1;

export class Preparer {
  private readonly file: RegisterFile;
  private readonly helpers: readonly Helper[];
  private readonly status: number;
  private readonly code: CodeBuffer;
  /** Registers that each helper may write, by number; undefined stands for all. */
  private readonly helperWrites: (readonly number[] | undefined)[];
  private readonly allRegisters: readonly number[];
  /** The first word of the state block behind the registers. */
  private readonly firstFree: number;

  // Per instruction of the unit: uses that remain after the backward pass, index of the last one, slot
  // (index in units of the value's size; none while it has none), position of the destination word
  // that may still be redirected, or 0.
  private uses = new Int32Array(0);
  private last = new Int32Array(0);
  private slot = new Int32Array(0);
  private redirect = new Int32Array(0);

  // Per register: the value that lives in its slot, the position of the last code that touched it, and
  // the epoch in which the backward pass last saw it overwritten.
  private readonly holder: Int32Array;
  private readonly touched: Int32Array;
  private readonly hidden: Int32Array;
  /** From a slot in words to the number of the register there, or none. */
  private readonly registerAt = new Int32Array(stateBlockSize / 4).fill(none);

  private freeWords: number[] = [];
  private freePairs: number[] = [];
  /** Slots whose last reader is the instruction that is being emitted. */
  private endingWords: number[] = [];
  private endingPairs: number[] = [];
  /** Words from `nextWord` up and pairs from `nextPair` down have not been used by this block. */
  private nextWord = 0;
  private nextPair = 0;
  private epoch = 0;
  /** Position of the last code after which registers may be looked at. */
  private barrier = 0;
  private unit!: Unit;

  /** @param status the register that helpers with `ordinary` arithmetic write, by number */
  constructor(file: RegisterFile, helpers: readonly Helper[], status: number, code: CodeBuffer) {
    this.file = file;
    this.status = status;
    this.helpers = helpers;
    this.code = code;
    const registers = file.registers;
    this.allRegisters = registers.map((_, number) => number);
    this.helperWrites = helpers.map((helper) =>
      helper.writes.includes('*') ? undefined : helper.writes.map((name) => file.numbers[name]),
    );
    this.firstFree = Math.max(...registers.map((register) => register.offset + sizeOf[register.type])) >> 2;
    this.holder = new Int32Array(registers.length);
    this.touched = new Int32Array(registers.length);
    this.hidden = new Int32Array(registers.length);
    for (let number = 0; number < registers.length; number++) {
      const { offset, type } = registers[number];
      this.registerAt[offset >> 2] = number;
      if (sizeOf[type] === 8) this.registerAt[(offset >> 2) + 1] = number;
    }
  }

  /**
   * Appends the code of a block and returns its position.
   * @param countdown executions until the block asks for a better translation
   * @throws RangeError when more values live at once than the state block has room for
   */
  prepare(unit: Unit, block: Block, countdown: number): number {
    this.unit = unit;
    if (this.uses.length < unit.count) {
      this.uses = new Int32Array(unit.op.length);
      this.last = new Int32Array(unit.op.length);
      this.slot = new Int32Array(unit.op.length);
      this.redirect = new Int32Array(unit.op.length);
    }
    this.holder.fill(none);
    this.touched.fill(0);
    this.freeWords.length = 0;
    this.freePairs.length = 0;
    this.nextWord = this.firstFree;
    this.nextPair = stateBlockSize / 8;
    this.barrier = 0;
    const fused = this.count(block);
    const code = this.code;
    // No instruction of the IR becomes more than 3 moves and 16 words.
    code.reserve(64 + (block.end - block.first) * 32);
    const start = code.length;
    code.emit4(special.enter, countdown, block.guestInstructions, block.pc);
    const { uses, endingWords, endingPairs } = this;
    const ops = unit.op;
    const { set } = kind;
    for (let index = block.first, end = block.end; index < end; index++) {
      const op = ops[index];
      if (uses[index] === 0 && (pure[op] === 1 || kinds[op] === set)) continue;
      if (index === fused) continue;
      this.emit(index, op, fused, block);
      if (endingWords.length > 0 || endingPairs.length > 0) this.releaseEnding();
    }
    return start;
  }

  // -- the backward pass

  /** Counts the uses of values and marks what is dead; returns the comparison that the final branch takes in, or none. */
  private count(block: Block): number {
    const { unit, uses, last, hidden } = this;
    const end = block.end - 1;
    uses.fill(0, block.first, block.end);
    let epoch = ++this.epoch;
    for (let index = end; index >= block.first; index--) {
      const op = unit.op[index];
      const operation = kinds[op];
      if (operation === kind.set) {
        const register = unit.imm[index];
        if (hidden[register] === epoch) continue;
        hidden[register] = epoch;
        uses[index] = 1;
      } else if (pure[op] === 1) {
        if (uses[index] === 0) continue;
        if (operation === kind.get) hidden[unit.imm[index]] = 0;
      } else if (barriers[op] === 1) {
        epoch = ++this.epoch;
      }
      const operands = operation === kind.helper ? this.helpers[unit.imm[index]].operands.length : operandCounts[op];
      if (operands > 0) this.use(unit.a[index], index, uses, last);
      if (operands > 1) this.use(unit.b[index], index, uses, last);
      if (operands > 2) this.use(unit.c[index], index, uses, last);
    }
    return this.fusible(end, block);
  }

  private use(value: number, index: number, uses: Int32Array, last: Int32Array): void {
    if (uses[value]++ === 0) last[value] = index;
  }

  /** The comparison that only the final branch reads. Its operands then live until the branch. */
  private fusible(end: number, block: Block): number {
    const { unit, uses, last } = this;
    if (unit.op[end] !== branchCode) return none;
    const condition = unit.a[end];
    const op = unit.op[condition];
    if (condition < block.first || uses[condition] !== 1 || (branchOpcode[op] === 0 && op !== eqzCode)) return none;
    last[unit.a[condition]] = end;
    if (operandCounts[op] > 1) last[unit.b[condition]] = end;
    return condition;
  }

  // -- the forward pass

  private emit(index: number, op: number, fused: number, block: Block): void {
    const { unit, code } = this;
    const imm = unit.imm[index];
    switch (kinds[op]) {
      case kind.constant32:
      case kind.constant64:
        this.slot[index] = none;
        this.redirect[index] = 0;
        return;
      case kind.get:
        if (imm === this.status) code.emit(special.settle);
        this.emitGet(index, imm);
        return;
      case kind.set:
        if (imm === this.status) code.emit(special.settle);
        this.emitSet(index, imm, wideOperands[op][0]);
        return;
      case kind.value:
        this.emitValue(index, op);
        return;
      case kind.load: {
        const address = this.operand(unit.a[index], index, false);
        const position = this.site(index, block);
        const slot = this.define(index, op, position);
        code.emit4(unit.c[index] === 1 ? reversedOpcode[op] : memoryOpcode[op], slot, address, imm);
        return;
      }
      case kind.store: {
        const address = this.operand(unit.a[index], index, false);
        const value = this.operand(unit.b[index], index, wideOperands[op][1]);
        this.site(index, block);
        code.emit4(unit.c[index] === 1 ? reversedOpcode[op] : memoryOpcode[op], address, imm, value);
        return;
      }
      case kind.helper:
        this.emitHelper(index, op, block);
        return;
      default:
        this.emitOther(index, op, fused, block);
    }
  }

  private emitValue(index: number, op: number): void {
    const { unit, code } = this;
    const operands = operandCounts[op];
    const types = wideOperands[op];
    const right = unit.b[index];
    if (immediateOpcode[op] !== 0 && unit.op[right] === constant32Code) {
      const a = this.operand(unit.a[index], index, false);
      const slot = this.define(index, op, code.length);
      code.emit4(immediateOpcode[op], slot, a, unit.imm[right]);
      return;
    }
    const a = this.operand(unit.a[index], index, types[0]);
    const b = operands > 1 ? this.operand(right, index, types[1]) : 0;
    const c = operands > 2 ? this.operand(unit.c[index], index, types[2]) : 0;
    const slot = this.define(index, op, code.length);
    if (calledNumber[op] >= 0) {
      const imm = unit.imm[index];
      code.emit4(valueOpcode[op], slot, calledNumber[op], callMask[op]);
      code.emit4(a, operands > 1 ? b : imm, operands > 2 ? c : imm, imm);
      return;
    }
    code.emit(valueOpcode[op]);
    code.emit(slot);
    code.emit(a);
    if (operands > 1) code.emit(b);
    if (operands > 2) code.emit(c);
    if (withImmediate[op] === 1) code.emit(unit.imm[index]);
  }

  private emitGet(index: number, register: number): void {
    const { index: slot, type } = this.file.registers[register];
    const holder = this.holder[register];
    if (holder !== none && this.last[holder] > index) {
      // Another value lives in the register already: take a copy.
      const isWide = sizeOf[type] === 8;
      const copy = this.allocate(isWide);
      this.touch(slot, isWide);
      this.code.emit3(isWide ? special.move64 : special.move32, copy, slot);
      this.slot[index] = copy;
    } else {
      this.slot[index] = slot;
      this.holder[register] = index;
    }
    this.redirect[index] = 0;
  }

  private emitSet(index: number, register: number, isWide: boolean): void {
    const { unit, code } = this;
    const value = unit.a[index];
    const target = this.file.registers[register].index;
    const holder = this.holder[register];
    if (holder === value) return;
    const redirect = this.redirect[value];
    const held = holder !== none && this.last[holder] > index;
    if (redirect > 0 && !held && redirect > this.barrier && redirect > this.touched[register]) {
      this.release(this.slot[value], isWide);
      code.words[redirect] = target;
      this.slot[value] = target;
      this.redirect[value] = 0;
      this.holder[register] = value;
      this.touched[register] = code.length;
      return;
    }
    const op = unit.op[value];
    if (this.slot[value] === none) {
      this.saveHolder(register, index);
      this.touched[register] = code.length;
      this.constant(value, kinds[op] === kind.constant32 ? kind.constant32 : kind.constant64, target);
      if (this.last[value] > index) {
        this.slot[value] = target;
        this.holder[register] = value;
      }
      return;
    }
    const source = this.operand(value, index, isWide);
    this.saveHolder(register, index);
    this.touched[register] = code.length;
    code.emit3(isWide ? special.move64 : special.move32, target, source);
    if (this.last[value] <= index) return;
    // The value lives on in the register written last: the other one is likely to change next (a rotation of registers).
    const former = this.registerAt[isWide ? source << 1 : source];
    if (former === none) this.release(source, isWide);
    else this.holder[former] = none;
    this.slot[value] = target;
    this.holder[register] = value;
  }

  private emitHelper(index: number, op: number, block: Block): void {
    const { unit, code } = this;
    const number = unit.imm[index];
    const helper = this.helpers[number];
    const operands = helper.operands;
    let mask = helper.mayExit === true ? 8 : 0;
    const slots = [0, 0, 0];
    const values = [unit.a[index], unit.b[index], unit.c[index]];
    for (let at = 0; at < operands.length; at++) {
      const isWide = sizeOf[operands[at]] === 8;
      if (isWide) mask |= 1 << at;
      slots[at] = this.operand(values[at], index, isWide);
    }
    for (const register of this.helperWrites[number] ?? this.allRegisters) this.saveHolder(register, index);
    const position = this.site(index, block);
    const { name, result } = operations[op];
    code.emit(special[helper.ordinary === undefined ? name : `ordinary.${helper.ordinary}`]);
    if (result !== '') code.emit(this.define(index, op, position));
    code.emit(number);
    code.emit(mask);
    for (const slot of slots) code.emit(slot);
  }

  private emitOther(index: number, op: number, fused: number, block: Block): void {
    const { unit, code } = this;
    const operation = operations[op];
    const imm = unit.imm[index];
    const first = unit.a[index];
    const second = unit.b[index];
    const third = unit.c[index];
    // The most frequent first: a short program runs this before it is compiled.
    switch (operation.name) {
      case 'branch':
        this.emitBranch(index, fused);
        return;
      case 'jump':
      case 'call':
        code.emit3(special.jump, 0, imm);
        return;
      case 'call_indirect':
      case 'jump_indirect':
      case 'return':
        code.emit4(special.jump_indirect, this.operand(first, index, false), 0, 0);
        return;
      case 'compare_exchange32': {
        const address = this.operand(first, index, false);
        const expected = this.operand(second, index, false);
        const replacement = this.operand(third, index, false);
        const position = this.site(index, block);
        code.emit4(special.compare_exchange32, this.define(index, op, position), address, imm);
        code.emit(expected);
        code.emit(replacement);
        return;
      }
      case 'check': {
        const address = this.operand(first, index, false);
        this.site(index, block);
        code.emit4(special.check, address, imm, second);
        code.emit(third);
        return;
      }
      case 'branch_return':
      case 'branch_indirect': {
        const condition = this.operand(first, index, false);
        const target = this.operand(second, index, false);
        code.emit4(special.branch_indirect, condition, target, 0);
        code.emit3(imm, 0, 0);
        return;
      }
      case 'system_call':
        code.emit(special.system_call);
        code.emit(second);
        return;
      case 'exit':
        this.site(index, block);
        code.emit3(special.exit, imm, second);
        return;
      default: {
        const condition = this.operand(first, index, false);
        this.site(index, block);
        code.emit4(special.exit_if, condition, imm, second);
      }
    }
  }

  private emitBranch(index: number, fused: number): void {
    const { unit, code } = this;
    const taken = unit.imm[index];
    const otherwise = unit.b[index];
    if (fused === none) {
      const condition = this.operand(unit.a[index], index, false);
      code.emit4(special.branch, condition, 0, 0);
      code.emit(taken);
      code.emit(otherwise);
      return;
    }
    const op = unit.op[fused];
    const a = this.operand(unit.a[fused], index, false);
    if (op === eqzCode) {
      code.emit4(special.branch, a, 0, 0);
      code.emit(otherwise);
      code.emit(taken);
      return;
    }
    const right = unit.b[fused];
    if (unit.op[right] === constant32Code) {
      code.emit3(branchImmediateOpcode[op], a, unit.imm[right]);
    } else {
      code.emit3(branchOpcode[op], a, this.operand(right, index, false));
    }
    code.emit4(0, 0, taken, otherwise);
  }

  // -- slots

  /** The slot that holds an operand of instruction `index`; frees it when this is the last use. */
  private operand(value: number, index: number, isWide: boolean): number {
    let slot = this.slot[value];
    if (slot === none) {
      const operation = kinds[this.unit.op[value]];
      if (operation === kind.constant32 || operation === kind.constant64) {
        slot = this.allocate(isWide);
        this.constant(value, operation, slot);
        this.slot[value] = slot;
      }
    }
    this.redirect[value] = 0;
    if (!this.touch(slot, isWide) && this.last[value] === index) {
      // Freed when all operands are at hand; the instruction may name the value twice.
      this.last[value] = none;
      if (isWide) this.endingPairs.push(slot);
      else this.endingWords.push(slot);
    }
    return slot;
  }

  /** Gives instruction `index`, whose code starts at `position`, a slot for its value, which a `set` may still redirect. */
  private define(index: number, op: number, position: number): number {
    this.releaseEnding();
    const isWide = wide[op] === 1;
    const slot = this.allocate(isWide);
    if (this.uses[index] === 0) this.release(slot, isWide);
    this.slot[index] = slot;
    this.redirect[index] = position + 1;
    return slot;
  }

  private constant(value: number, operation: number, slot: number): void {
    const { unit, code } = this;
    if (operation === kind.constant32) code.emit3(special.const32, slot, unit.imm[value]);
    else code.emit4(special.const64, slot, unit.a[value], unit.b[value]);
  }

  /** Notes that the code at the end reads the slot; says whether it is a register's. */
  private touch(slot: number, isWide: boolean): boolean {
    const register = this.registerAt[isWide ? slot << 1 : slot];
    if (register === none) return false;
    this.touched[register] = this.code.length;
    return true;
  }

  /** Register `register` is about to be written: a value in it that is still needed moves out. */
  private saveHolder(register: number, index: number): void {
    const holder = this.holder[register];
    this.holder[register] = none;
    if (holder === none || this.last[holder] <= index) return;
    const { index: slot, type } = this.file.registers[register];
    const isWide = sizeOf[type] === 8;
    const copy = this.allocate(isWide);
    this.code.emit3(isWide ? special.move64 : special.move32, copy, slot);
    this.slot[holder] = copy;
  }

  /** The next code may leave the block: notes where, for the guest pc and the instruction count there. */
  private site(index: number, block: Block): number {
    const position = this.code.length;
    this.barrier = position;
    this.code.site(position, this.unit.pc[index], block.guestInstructions - this.done(index, block));
    return position;
  }

  /** Guest instructions of the block that are complete before IR instruction `index`. */
  private done(index: number, block: Block): number {
    const { pc } = this.unit;
    if (block.starts !== undefined) return instructionsBefore(block.starts, pc[index]);
    const bytes = (block.endPc - block.pc) >>> 0;
    if (bytes === block.guestInstructions * 4) return ((pc[index] - block.pc) >>> 0) >> 2;
    let complete = 0;
    for (let at = block.first + 1; at <= index; at++) if (pc[at] !== pc[at - 1]) complete++;
    return complete;
  }

  private allocate(isWide: boolean): number {
    const free = isWide ? this.freePairs.pop() : this.freeWords.pop();
    if (free !== undefined) return free;
    const slot = isWide ? --this.nextPair : this.nextWord++;
    if (this.nextWord > this.nextPair << 1) {
      throw new RangeError('more values live at once than the state block has room for: make the block shorter');
    }
    return slot;
  }

  private releaseEnding(): void {
    while (this.endingWords.length > 0) this.freeWords.push(this.endingWords.pop() as number);
    while (this.endingPairs.length > 0) this.freePairs.push(this.endingPairs.pop() as number);
  }

  private release(slot: number, isWide: boolean): void {
    if (isWide) this.freePairs.push(slot);
    else this.freeWords.push(slot);
  }
}
