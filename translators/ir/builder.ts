/**
 * Builds the IR of one block at a time, and simplifies as it goes: constants are folded, a register read
 * after a read or write in the same block is the same value, and algebraic identities disappear. This
 * costs little and serves every tier, the interpreter first.
 */
import { commutes, fold, foldWide, identity } from './fold.ts';
import { codes, type ExitReason, exitCode, operations } from './operations.ts';
import type { RegisterFile } from './state.ts';
import type { Type } from './types.ts';
import { type Block, Unit } from './unit.ts';

/** An instruction's index in the unit. */
export type Value = number;

/** Codes of the operations that the builder and the backends name, as plain numbers. */
export const op = codes;

const constant32 = op['i32.const'];
// biome-ignore format: one row per line
const getCodes: Record<Type, number> = { i32: op['get.i32'], i64: op['get.i64'], f64: op['get.f64'], f32: -1, v128: op['get.v128'] };
// biome-ignore format: one row per line
const setCodes: Record<Type, number> = { i32: op['set.i32'], i64: op['set.i64'], f64: op['set.f64'], f32: -1, v128: op['set.v128'] };

const f64Const = op['f64.const'];
const f64x2ExtractLane = op['f64x2.extract_lane'];
const f64x2ReplaceLane = op['f64x2.replace_lane'];
const f64NanOf2 = op['f64.nan_of2'];
const f64Select = op['f64.select'];
const i32Add = op['i32.add'];
const i32And = op['i32.and'];
const i32Eq = op['i32.eq'];
const i32Eqz = op['i32.eqz'];
const i32GeU = op['i32.ge_u'];
const i32GtS = op['i32.gt_s'];
const i32GtU = op['i32.gt_u'];
const i32LtS = op['i32.lt_s'];
const i32LtU = op['i32.lt_u'];
const i32Mul = op['i32.mul'];
const i32Ne = op['i32.ne'];
const i32Not = op['i32.not'];
const i32Or = op['i32.or'];
const i32Rotl = op['i32.rotl'];
const i32Select = op['i32.select'];
const i32Shl = op['i32.shl'];
const i32ShrS = op['i32.shr_s'];
const i32ShrU = op['i32.shr_u'];
const i32Sub = op['i32.sub'];
const i32Xor = op['i32.xor'];
const i64Add = op['i64.add'];
const i64And = op['i64.and'];
const i64Const = op['i64.const'];
const i64Eq = op['i64.eq'];
const i64Eqz = op['i64.eqz'];
const i64Extend32S = op['i64.extend32_s'];
const i64ExtendS = op['i64.extend_i32_s'];
const i64ExtendU = op['i64.extend_i32_u'];
const i64High = op['i64.high'];
const i64Join = op['i64.join'];
const i64Low = op['i64.low'];
const i64Or = op['i64.or'];
const i64Select = op['i64.select'];
const i64Sub = op['i64.sub'];
const i64Xor = op['i64.xor'];
const v128Const = op['v128.const'];
const v128Select = op['v128.select'];

/** What a vector operation makes of twice the same operand: 1 zeros, 2 ones, 3 that operand; the index is the code. */
const ofTwins = new Uint8Array(operations.length);
for (const name of ['xor', 'andnot']) ofTwins[op[`v128.${name}`]] = ofTwins[op[`half.${name}`]] = 1;
for (const name of ['and', 'or']) ofTwins[op[`v128.${name}`]] = ofTwins[op[`half.${name}`]] = 3;
for (const shape of ['i8x16', 'i16x8', 'i32x4', 'i64x2', 'i8x8', 'i16x4', 'i32x2', 'i64x1']) {
  ofTwins[op[`${shape}.sub`]] = ofTwins[op[`${shape}.gt_s`]] = 1;
  ofTwins[op[`${shape}.eq`]] = 2;
}

/** 1 for pure operations with an i64 among operands and result, but not `i64.select`; the index is the operation's code. */
const isWide = Uint8Array.from(operations, ({ flags, operands, result }) =>
  flags.has('pure') && operands.length < 3 && (result === 'i64' || operands.includes('i64')) ? 1 : 0,
);

/** For each register of a file, the operations that read and write it. */
interface Accesses {
  readonly get: Uint16Array;
  readonly set: Uint16Array;
}

/** Made once for each file: builders are made for each region. */
const accesses = new WeakMap<RegisterFile, Accesses>();

function accessesOf(file: RegisterFile): Accesses {
  let found = accesses.get(file);
  if (found === undefined) {
    const { registers } = file;
    found = {
      get: Uint16Array.from(registers, ({ type }) => getCodes[type]),
      set: Uint16Array.from(registers, ({ type }) => setCodes[type]),
    };
    accesses.set(file, found);
  }
  return found;
}

export class Builder {
  readonly unit: Unit;
  readonly registers: RegisterFile;
  /** Guest address of the instruction that is being lifted. */
  pc = 0;
  /** Whether the block has a terminator. */
  ended = false;
  /** What the frontend knows of the values in this block; forgotten where a block begins. */
  remembered: object | undefined = undefined;
  private block: Block | undefined;
  /** For each register, the value that it is known to hold in this block, or -1. */
  private readonly known: Int32Array;
  /** For each register, the operations that read and write it. */
  private readonly getCode: Uint16Array;
  private readonly setCode: Uint16Array;

  constructor(registers: RegisterFile, unit: Unit = new Unit()) {
    this.registers = registers;
    this.unit = unit;
    const rows = registers.registers;
    this.known = new Int32Array(rows.length).fill(-1);
    const { get, set } = accessesOf(registers);
    this.getCode = get;
    this.setCode = set;
  }

  /** Starts a block at a guest address. */
  begin(pc: number): Block {
    this.known.fill(-1);
    this.remembered = undefined;
    this.ended = false;
    this.pc = pc;
    const block = { pc, first: this.unit.count, end: this.unit.count, guestInstructions: 0, endPc: pc };
    this.unit.blocks.push(block);
    this.block = block;
    return block;
  }

  /** Ends the block, which must have a terminator; `endPc` is the address past its last instruction. */
  end(endPc: number, guestInstructions: number): void {
    const block = this.block as Block;
    block.end = this.unit.count;
    block.endPc = endPc;
    block.guestInstructions = guestInstructions;
    this.block = undefined;
  }

  // -- guest registers

  /** The block begins with a word in register `number` that is known. */
  assume(number: number, value: number): void {
    this.known[number] = this.constant(value);
  }

  /** The value of register `number` here. */
  get(number: number): Value {
    const value = this.known[number];
    if (value >= 0) {
      this.unit.forwardedReads.push(this.unit.count, number);
      return value;
    }
    const made = this.unit.append(this.getCode[number], -1, -1, -1, number, this.pc);
    this.known[number] = made;
    return made;
  }

  set(number: number, value: Value): void {
    if (this.known[number] === value) return;
    this.known[number] = value;
    this.unit.append(this.setCode[number], value, -1, -1, number, this.pc);
  }

  // -- constants

  constant(value: number): Value {
    return this.unit.append(constant32, -1, -1, -1, value | 0, this.pc);
  }

  constant64(low: number, high: number): Value {
    return this.unit.append(i64Const, low | 0, high | 0, -1, 0, this.pc);
  }

  /** The double with these bits. */
  constantF64(low: number, high: number): Value {
    return this.unit.append(f64Const, low | 0, high | 0, -1, 0, this.pc);
  }

  /** The vector with these words, the lowest first. */
  constant128(first: number, second: number, third: number, fourth: number): Value {
    return this.unit.append(v128Const, first | 0, second | 0, third | 0, fourth | 0, this.pc);
  }

  isConstant(value: Value): boolean {
    return this.unit.op[value] === constant32;
  }

  /** The number that an i32 constant stands for. */
  constantOf(value: Value): number {
    return this.unit.imm[value];
  }

  // -- pure operations

  /** Any pure operation by its code (`i32Add`). */
  unary(code: number, a: Value): Value {
    if (this.unit.op[a] === constant32) {
      const folded = fold(code, this.unit.imm[a]);
      if (folded !== undefined) return this.constant(folded);
    }
    return (
      (isWide[code] === 1 ? this.simplerWide(code, a) : undefined) ?? this.unit.append(code, a, -1, -1, 0, this.pc)
    );
  }

  binary(code: number, a: Value, b: Value): Value {
    const unit = this.unit;
    if (isWide[code] === 1) return this.simplerWide2(code, a, b) ?? unit.append(code, a, b, -1, 0, this.pc);
    const constantB = unit.op[b] === constant32;
    if (unit.op[a] === constant32) {
      if (constantB) {
        const folded = fold(code, unit.imm[a], unit.imm[b]);
        if (folded !== undefined) return this.constant(folded);
      } else if (commutes[code] === 1) {
        return this.binary(code, b, a);
      }
    } else if (constantB) {
      const same = identity(code, unit.imm[b]);
      if (same === 1) return a;
      if (same === 2) return this.constant(0);
      // (x + c1) + c2 and (x & c1) & c2: one operation.
      if (code === i32Add || code === i32And) {
        const inner = unit.b[a];
        if (unit.op[a] === code && unit.op[inner] === constant32) {
          const joined = code === i32Add ? unit.imm[inner] + unit.imm[b] : unit.imm[inner] & unit.imm[b];
          return this.binary(code, unit.a[a], this.constant(joined));
        }
      }
      if (code === i32Sub) return this.binary(i32Add, a, this.constant(-unit.imm[b]));
    } else if (a === b) {
      if (code === i32Xor || code === i32Sub) return this.constant(0);
      if (code === i32And || code === i32Or) return a;
      const made = ofTwins[code];
      if (made === 3) return a;
      if (made !== 0) return this.allBits(code, made === 1 ? 0 : -1);
    }
    return unit.append(code, a, b, -1, 0, this.pc);
  }

  /** A vector, or a half of one, as the operation makes, all of whose words are the same. */
  private allBits(code: number, word: number): Value {
    return operations[code].result === 'f64' ? this.constantF64(word, word) : this.constant128(word, word, word, word);
  }

  ternary(code: number, a: Value, b: Value, c: Value): Value {
    if (code === i32Select || code === f64Select || code === i64Select || code === v128Select) {
      if (this.unit.op[a] === constant32) return this.unit.imm[a] !== 0 ? b : c;
    }
    return this.unit.append(code, a, b, c, 0, this.pc);
  }

  /** The number that an integer constant stands for, bigint when it is an i64. */
  private numberOf(value: Value): number | bigint | undefined {
    const { unit } = this;
    if (unit.op[value] === constant32) return unit.imm[value];
    if (unit.op[value] === i64Const) return (BigInt(unit.b[value]) << 32n) | BigInt(unit.a[value] >>> 0);
    return undefined;
  }

  private constantFrom(value: number | bigint): Value {
    if (typeof value === 'number') return this.constant(value);
    return this.constant64(Number(BigInt.asIntN(32, value)), Number(value >> 32n));
  }

  /** What `code a` is without an operation of its own, where something of that kind is known; i64 is among the types. */
  private simplerWide(code: number, a: Value): Value | undefined {
    const { unit } = this;
    const number = this.numberOf(a);
    const folded = number === undefined ? undefined : foldWide(code, number);
    if (folded !== undefined) return this.constantFrom(folded);
    const inner = unit.op[a];
    if (code === i64Low) {
      if (inner === i64Join || inner === i64ExtendS || inner === i64ExtendU) return unit.a[a];
    } else if (code === i64High) {
      if (inner === i64Join) return unit.b[a];
      if (inner === i64ExtendU) return this.constant(0);
      if (inner === i64ExtendS) return this.binary(i32ShrS, unit.a[a], this.constant(31));
    } else if (code === i64Extend32S) {
      if (inner === i64ExtendS) return a;
      if (inner === i64ExtendU) return this.unary(i64ExtendS, unit.a[a]);
    } else if (code === i64Eqz) {
      if (inner === i64ExtendS || inner === i64ExtendU) return this.unary(i32Eqz, unit.a[a]);
    }
    return undefined;
  }

  /** The same for operations with two operands. */
  private simplerWide2(code: number, a: Value, b: Value): Value | undefined {
    const { unit } = this;
    const first = this.numberOf(a);
    const second = this.numberOf(b);
    if (first !== undefined && second === undefined && commutes[code] === 1) return this.binary(code, b, a);
    if (second === undefined) {
      if (a !== b) return undefined;
      if (code === i64Xor || code === i64Sub) return this.constant64(0, 0);
      return code === i64And || code === i64Or ? a : undefined;
    }
    if (first !== undefined) {
      const folded = foldWide(code, first, second);
      return folded === undefined ? undefined : this.constantFrom(folded);
    }
    // A constant that is no sign-extended word is none of those with which an operation disappears.
    const word = typeof second === 'number' ? second & 63 : second === BigInt.asIntN(32, second) ? Number(second) : 2;
    const same = identity(code, word);
    if (same === 1) return a;
    if (same === 2) return this.constant64(0, 0);
    if (typeof second === 'number') return undefined;
    if (code === i64Eq && word === 0) return this.unary(i64Eqz, a);
    if (code === i64Sub) return this.binary(i64Add, a, this.constantFrom(BigInt.asIntN(64, -second)));
    if (code === i64And && second === 0xffffffffn && unit.op[a] === i64ExtendU) return a;
    // (x + c1) + c2 and (x & c1) & c2: one operation.
    const inner = (code === i64Add || code === i64And) && unit.op[a] === code ? this.numberOf(unit.b[a]) : undefined;
    if (typeof inner !== 'bigint') return undefined;
    const joined = code === i64Add ? BigInt.asIntN(64, inner + second) : inner & second;
    return this.binary(code, unit.a[a], this.constantFrom(joined));
  }

  /** A pure operation that has an immediate, by its code. */
  withImmediate(code: number, immediate: number, a: Value, b: Value = -1, c: Value = -1): Value {
    const { unit } = this;
    const inner = unit.op[a];
    // A lane of a vector whose other lane was replaced, or whose own was.
    if (code === f64x2ExtractLane && inner === f64x2ReplaceLane) {
      return unit.imm[a] === immediate ? unit.b[a] : this.withImmediate(code, immediate, unit.a[a]);
    }
    if (code === f64x2ReplaceLane && inner === code && unit.imm[a] === immediate) {
      return this.withImmediate(code, immediate, unit.a[a], b);
    }
    return unit.append(code, a, b, c, immediate, this.pc);
  }

  /** `f64.nan_of2`: a, or what stands for it when it is a NaN; `defaultHigh` is the high word of the ISA's default NaN. */
  nanOf2(a: Value, b: Value, c: Value, defaultHigh: number): Value {
    return this.unit.append(f64NanOf2, a, b, c, defaultHigh | 0, this.pc);
  }

  add(a: Value, b: Value): Value {
    return this.binary(i32Add, a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary(i32Sub, a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary(i32Mul, a, b);
  }
  and(a: Value, b: Value): Value {
    return this.binary(i32And, a, b);
  }
  or(a: Value, b: Value): Value {
    return this.binary(i32Or, a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.binary(i32Xor, a, b);
  }
  not(a: Value): Value {
    return this.unary(i32Not, a);
  }
  shl(a: Value, b: Value): Value {
    return this.binary(i32Shl, a, b);
  }
  shrU(a: Value, b: Value): Value {
    return this.binary(i32ShrU, a, b);
  }
  shrS(a: Value, b: Value): Value {
    return this.binary(i32ShrS, a, b);
  }
  rotl(a: Value, b: Value): Value {
    return this.binary(i32Rotl, a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.binary(i32Eq, a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.binary(i32Ne, a, b);
  }
  eqz(a: Value): Value {
    return this.unary(i32Eqz, a);
  }
  ltS(a: Value, b: Value): Value {
    return this.binary(i32LtS, a, b);
  }
  gtS(a: Value, b: Value): Value {
    return this.binary(i32GtS, a, b);
  }
  ltU(a: Value, b: Value): Value {
    return this.binary(i32LtU, a, b);
  }
  gtU(a: Value, b: Value): Value {
    return this.binary(i32GtU, a, b);
  }
  geU(a: Value, b: Value): Value {
    return this.binary(i32GeU, a, b);
  }
  select(condition: Value, yes: Value, no: Value): Value {
    return this.ternary(i32Select, condition, yes, no);
  }

  // -- memory

  /** A load by its code (`op['load32']`) at address + displacement; reversed: byte order opposite to the guest's. */
  load(code: number, address: Value, displacement = 0, reversed = false): Value {
    return this.access(code, address, displacement, -1, reversed);
  }

  store(code: number, address: Value, displacement: number, value: Value, reversed = false): void {
    this.access(code, address, displacement, value, reversed);
  }

  compareExchange(address: Value, expected: Value, replacement: Value): Value {
    return this.unit.append(op.compare_exchange32, address, expected, replacement, 0, this.pc);
  }

  /** Faults unless `bytes` bytes at address + displacement allow the access (1 read, 2 write). */
  check(address: Value, displacement: number, bytes: number, access: 1 | 2): void {
    this.unit.append(op.check, address, bytes, access, displacement, this.pc);
  }

  /** Moves a constant addend of the address into the displacement: accesses off one base then share it. */
  private access(code: number, address: Value, displacement: number, value: Value, reversed: boolean): Value {
    const unit = this.unit;
    let base = address;
    let offset = displacement | 0;
    if (unit.op[address] === i32Add) {
      const addend = unit.b[address];
      if (unit.op[addend] === constant32) {
        base = unit.a[address];
        offset = (displacement + unit.imm[addend]) | 0;
      }
    }
    return unit.append(code, base, value, reversed ? 1 : 0, offset, this.pc);
  }

  // -- helpers

  /** Calls helper number `helper`; what it writes is forgotten here. */
  helper(helper: number, result: Type | '', operands: readonly Value[], writes: readonly number[] | '*'): Value {
    const code = op[`helper.${result === '' ? 'none' : result}`];
    const made = this.unit.append(code, operands[0] ?? -1, operands[1] ?? -1, operands[2] ?? -1, helper, this.pc);
    if (writes === '*') this.known.fill(-1);
    else for (const register of writes) this.known[register] = -1;
    return made;
  }

  // -- ends of a block

  jump(pc: number): void {
    this.finish(op.jump, -1, -1, pc | 0);
  }
  branch(condition: Value, taken: number, otherwise: number): void {
    if (this.isConstant(condition)) this.jump(this.constantOf(condition) !== 0 ? taken : otherwise);
    else this.finish(op.branch, condition, otherwise | 0, taken | 0);
  }
  call(target: number, link: number): void {
    this.finish(op.call, -1, link | 0, target | 0);
  }
  callIndirect(target: Value, link: number): void {
    this.finish(op.call_indirect, target, link | 0, 0);
  }
  jumpIndirect(target: Value): void {
    this.finish(op.jump_indirect, target, -1, 0);
  }
  return(target: Value): void {
    this.finish(op.return, target, -1, 0);
  }
  /** Returns from a function to `target` when the condition holds, else goes on at the guest address `otherwise`. */
  branchReturn(condition: Value, target: Value, otherwise: number): void {
    this.branchTo(op.branch_return, op.return, condition, target, otherwise);
  }
  /** Goes on at `target` when the condition holds, else at the guest address `otherwise`. */
  branchIndirect(condition: Value, target: Value, otherwise: number): void {
    this.branchTo(op.branch_indirect, op.jump_indirect, condition, target, otherwise);
  }
  systemCall(link: number): void {
    this.finish(op.system_call, -1, link | 0, 0);
  }
  exit(reason: ExitReason, detail = 0): void {
    this.finish(op.exit, -1, detail | 0, exitCode[reason]);
  }
  exitIf(condition: Value, reason: ExitReason, detail = 0): void {
    if (this.isConstant(condition)) {
      if (this.constantOf(condition) !== 0) this.exit(reason, detail);
      return;
    }
    this.unit.append(op.exit_if, condition, detail | 0, -1, exitCode[reason], this.pc);
  }

  private branchTo(code: number, always: number, condition: Value, target: Value, otherwise: number): void {
    if (!this.isConstant(condition)) this.finish(code, condition, target, otherwise | 0);
    else if (this.constantOf(condition) !== 0) this.finish(always, target, -1, 0);
    else this.jump(otherwise);
  }

  private finish(code: number, a: number, b: number, imm: number): void {
    this.unit.append(code, a, b, -1, imm, this.pc);
    this.ended = true;
  }
}
