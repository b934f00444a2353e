/** Random cases of a row: an instruction, and a state in which its operands lie where they can be compared. */
import type { Fetch } from '../../../translators/frontend.ts';
import type { CompiledRow } from '../../../translators/x86/compile-rows.ts';
import { type Decoder, decoderOf } from '../../../translators/x86/decode.ts';
import { Instruction } from '../../../translators/x86/instruction.ts';
import { rax, rbp, rbx, rcx, rdi, rdx, rsi, rsp } from '../../../translators/x86/registers.ts';
import { below, once, pick, type Random, type RandomInstruction, randomInstruction } from '../random-instruction.ts';
import { Case, codeAddress, comparedFlags, slotSize, windowAddress, windowSize } from './case.ts';
import { putExtended, putVector, random64, randomFloat, randomInteger } from './values.ts';

/** Bit 17 of MXCSR, reserved but on processors by AMD. */
const misalignedMask = 0x20000;

/** Instructions that are not compared, by mnemonic, with the reason. */
// biome-ignore format: one reason per line
const excluded: readonly (readonly [mnemonics: string, reason: string])[] = [
  ['int syscall sysenter', 'calls the system'],
  ['int3 int1', 'is how cases end'],
  ['cpuid rdtsc rdtscp rdpmc rdrand rdseed rdpid', 'tells something of the host'],
  ['sgdt sidt sldt str smsw lar lsl verr verw arpl', 'looks at the descriptor tables of the host'],
  ['lds les lfs lgs lss', 'loads a segment register, of which the runner needs its own'],
  ['retf iret|iretd|iretq iret iretd iretq', 'loads CS, whose values are the system\'s'],
];
const excludedMnemonics = new Set(excluded.flatMap(([mnemonics]) => mnemonics.split(' ')));

/** Whether cases of the row are compared. */
export function isComparable({ row: [, mnemonic], operands }: CompiledRow): boolean {
  if (excludedMnemonics.has(mnemonic)) return false;
  // Far calls and jumps load CS; mov and pop of segment registers those that the runner needs.
  if (
    operands.some(({ kind, code }) => kind === 'A' || (kind === 'M' && code === 'Mp') || kind === 'C' || kind === 'D')
  )
    return false;
  const [first] = operands;
  return !(first !== undefined && (first.kind === 'S' || (first.kind === 's' && mnemonic === 'pop')));
}

const branches = /^(j|call|ret|loop)/;
/** They do not access what their memory operand names. */
const withoutAccess = /^(lea|nop|prefetch)/;
/** Memory operands of these have many bytes. */
const longOperands = /^(fxsave|fxrstor|fnsave|frstor|fnstenv|fldenv)/;

/** The instruction of a case decoded, by Stele's decoder. */
export function decodeCase(decoder: Decoder, i: Instruction, { code, offset }: Case): number {
  const start = codeAddress + offset;
  const fetch: Fetch = (address, length) => {
    let value = 0;
    for (let n = length - 1; n >= 0; n--) value = (value << 8) | (code[address + n - start] ?? 0xcc);
    return value >>> 0;
  };
  return decoder.decode(i, fetch, start);
}

/** Where the memory operand of an instruction of ModRM is. */
export function operandAddress(i: Instruction, { registers }: Case): number {
  let sum = (BigInt(i.displacementHigh) << 32n) + BigInt(i.displacement >>> 0);
  if (i.base >= 0) sum += registers[i.base];
  if (i.index >= 0) sum += registers[i.index] << BigInt(i.scale);
  return Number(BigInt.asUintN(i.addressSize * 8, sum));
}

/** Random cases of one mode. */
export class CaseGenerator {
  readonly mode: 32 | 64;
  private readonly decoder: Decoder;
  private readonly i: Instruction;
  private readonly next: Random;
  private readonly mask: bigint;
  private readonly generalCount: number;

  constructor(mode: 32 | 64, next: Random) {
    this.mode = mode;
    this.next = next;
    this.decoder = decoderOf(mode);
    this.i = new Instruction(mode);
    this.mask = mode === 64 ? 0xffff_ffff_ffff_ffffn : 0xffff_ffffn;
    this.generalCount = mode === 64 ? 16 : 8;
  }

  /** Rows whose cases are compared in this mode. */
  get rows(): readonly CompiledRow[] {
    return this.decoder.tables
      .compileAll()
      .filter((row) => (this.mode === 64 ? row.in64 : row.in32) && isComparable(row));
  }

  /** `count` states for one random instruction of the row, which lies in the slot. */
  cases(row: CompiledRow, slot: number, count: number): Case[] {
    const offset = slot * slotSize + slotSize / 2;
    for (;;) {
      const instruction = this.instruction(row);
      if (instruction.bytes.length > 15) continue;
      const first = this.placed(instruction, offset);
      if (first === undefined) continue;
      const all: Case[] = [];
      for (let tries = 0; all.length < count && tries < 20 * count; tries++) {
        const one = new Case(first.bytes.slice());
        if (this.fill(one, instruction)) all.push(one);
      }
      if (all.length === count) return all;
    }
  }

  private instruction(row: CompiledRow): RandomInstruction {
    const mnemonic = row.row[1];
    // On branches Intel and AMD take 66 differently, and F2 and F3 belong to extensions.
    const isBranch = branches.test(mnemonic);
    const { mode } = this;
    const addressPrefixes = mode === 64 || /^(lea|jcxz|loop)/.test(mnemonic);
    const options = {
      mode,
      addressPrefixes,
      segments: false,
      lock: true,
      operandSize: !isBranch,
      idleRepeats: !isBranch,
    };
    return randomInstruction(row, this.next, options);
  }

  /** The instruction in its slot, with a target near it; undefined when it is none that can be compared. */
  private placed({ bytes, displacementAt, displacementSize }: RandomInstruction, offset: number): Case | undefined {
    const { i, next } = this;
    const one = new Case();
    one.setCode(bytes);
    one.offset = offset;
    if (decodeCase(this.decoder, i, one) < 0) return one;
    const last = i.operands.at(-1);
    if (last?.kind === 'J') {
      // Not into the instruction itself, which could go on for ever.
      const size = bytes.length - displacementAt >= 0 ? i.sizeOf(i.operands.length - 1) : 0;
      const distance = once(next, 2) ? below(next, 100) : -16 - below(next, 100);
      for (let n = 0; n < size; n++) one.code[bytes.length - size + n] = (distance >> (8 * n)) & 0xff;
      decodeCase(this.decoder, i, one);
    }
    // Addresses without a register, or whose registers are one, are set in the code.
    if (i.operands.some(({ kind }) => kind === 'O') || (this.hasMemory() && (i.base < 0 || i.base === i.index))) {
      if (withoutAccess.test(i.mnemonic)) return one;
      if (displacementSize < 4) return undefined;
      const target = BigInt(this.target(0));
      let value = i.ripRelative ? target - BigInt(i.next) : target;
      if (i.base >= 0) return undefined;
      if (i.index >= 0) {
        // The index is small, see fill().
        value -= BigInt(this.smallIndex) << BigInt(i.scale);
      }
      for (let n = 0; n < displacementSize; n++)
        one.code[displacementAt + n] = Number((value >> BigInt(8 * n)) & 0xffn);
      decodeCase(this.decoder, i, one);
    }
    return one;
  }

  /** What an index has where there is no base. */
  private readonly smallIndex = 5;

  private hasMemory(): boolean {
    const { i } = this;
    return i.mod !== 3 && i.operands.some(({ kind }) => 'EMQW'.includes(kind) && kind.length === 1);
  }

  /** Bytes of the memory operand. */
  private memorySize(): number {
    const { i } = this;
    if (longOperands.test(i.mnemonic)) return 512;
    const n = i.operands.findIndex(({ kind }) => kind.length === 1 && 'EMQWOXY'.includes(kind));
    return n < 0 ? 8 : i.sizeOf(n) || 16;
  }

  /** An address in the window for an operand: mostly aligned where that matters, seldom at the window's end or across it. */
  private target(size: number): number {
    const { next, i } = this;
    if (size >= 512) return windowAddress + (once(next, 16) ? 256 + below(next, 32) : 16 * below(next, 32));
    if (!branches.test(i.mnemonic) && once(next, 32)) return windowAddress + windowSize - below(next, 2 * size + 1);
    const at = windowAddress + 256 + below(next, 256);
    // Where fillTargets() puts them.
    if (branches.test(i.mnemonic)) return at & ~7;
    return size === 16 && !i.unaligned && !once(next, 16) ? at & ~15 : at;
  }

  /** Makes a random state for the instruction. @returns false when its operands cannot be where they should */
  private fill(one: Case, instruction: RandomInstruction): boolean {
    const { next, i, generalCount, mask } = this;
    const { registers, window } = one;
    for (let n = 0; n < generalCount; n++) registers[n] = BigInt.asUintN(64, randomInteger(next)) & mask;
    for (let at = 0; at < windowSize; at += 16) putVector(next, window, at);
    one.flags = next() & comparedFlags;
    this.fillFloating(one.fx);
    registers[rsp] = BigInt(windowAddress + 256 + below(next, 512));
    if (once(next, 4)) registers[rcx] = BigInt(below(next, 80));
    if (decodeCase(this.decoder, i, one) < 0) return true;

    if (branches.test(i.mnemonic) && !this.fillTargets(one)) return false;
    if (i.mnemonic === 'leave') registers[rbp] = BigInt(windowAddress + 256 + below(next, 512));
    if (i.mnemonic === 'enter') {
      // Apart, because what is left in the middle begins again: the copies of frame pointers must not overlap.
      registers[rsp] = BigInt(windowAddress + 256 + below(next, 256));
      registers[rbp] = BigInt(windowAddress + 768 + below(next, 256));
    }
    if (i.mnemonic.startsWith('xlat'))
      this.setAddress(registers, rbx, BigInt(this.target(1)) - (registers[rax] & 0xffn));
    if (i.mnemonic.startsWith('maskmov')) this.setAddress(registers, rdi, BigInt(this.target(16)));
    if (i.mnemonic.startsWith('popf')) this.clearTraps(one);
    for (const { kind } of i.operands) {
      if (kind === 'X') this.setAddress(registers, rsi, BigInt(windowAddress + 256 + below(next, 256)));
      if (kind === 'Y') this.setAddress(registers, rdi, BigInt(windowAddress + 256 + below(next, 256)));
    }
    if (i.repeats && i.repeat !== 0) this.setAddress(registers, rcx, BigInt(below(next, 12)));
    if (this.hasMemory() && !withoutAccess.test(i.mnemonic) && !this.placeOperand(one, instruction)) return false;
    this.fitOperands(one);
    return true;
  }

  /** Sets a register that is used as an address or count; what lies above the address size is any. */
  private setAddress(registers: BigUint64Array, number: number, value: bigint): void {
    const { i, next, mask } = this;
    const bits = BigInt(8 * i.addressSize);
    const above = i.addressSize * 8 < this.mode ? random64(next) << bits : 0n;
    registers[number] = (BigInt.asUintN(Number(bits), value) | above) & mask;
  }

  /** Puts the memory operand into the window by its base register. */
  private placeOperand(one: Case, { displacementSize }: RandomInstruction): boolean {
    const { i, next } = this;
    const { registers } = one;
    if (i.base < 0) {
      if (i.index >= 0) this.setAddress(registers, i.index, BigInt(this.smallIndex));
      return displacementSize >= 4;
    }
    let reach = 0n;
    if (/^bt/.test(i.mnemonic) && i.operands[1].kind === 'G') {
      if (i.reg === i.base || i.reg === i.index) return false;
      // The bit's number reaches up to 128 bytes to each side.
      const number = BigInt(below(next, 2048) - 1024);
      const bits = 8 * i.operandSize;
      const above = bits < this.mode ? random64(next) << BigInt(bits) : 0n;
      registers[i.reg] = (BigInt.asUintN(bits, number) | above) & this.mask;
      reach = 128n;
    }
    const target = BigInt(this.target(reach === 0n ? this.memorySize() : 0)) + reach;
    const index = i.index < 0 ? 0n : registers[i.index] << BigInt(i.scale);
    const displacement = (BigInt(i.displacementHigh) << 32n) + BigInt(i.displacement >>> 0);
    this.setAddress(registers, i.base, target - index - displacement);
    // A stack instruction has its stack in the window too.
    return !(i.base === rsp && /^(push|pop|call)/.test(i.mnemonic));
  }

  /** Targets of returns and of indirect jumps and calls: int3 near the instruction. */
  private fillTargets(one: Case): boolean {
    const { i, next } = this;
    const { registers, window } = one;
    const target = BigInt(codeAddress + one.offset + 20 + below(next, 100));
    const view = new DataView(window.buffer, window.byteOffset);
    if (i.mnemonic === 'ret') {
      view.setBigUint64(
        Number(registers[rsp]) - windowAddress,
        this.mode === 64 ? target : target | (random64(next) << 32n),
        true,
      );
    } else if (i.operands[0]?.kind === 'E') {
      if (i.mod === 3) {
        if (i.rm === rsp) return false;
        registers[i.rm] = target;
      } else {
        // Wherever the operand will be.
        for (let at = 0; at + 8 <= windowSize; at += 8) view.setBigUint64(at, target, true);
        return !(i.base === rsp || i.index === rsp);
      }
    }
    return true;
  }

  /** popf must not begin tracing or alignment checks. */
  private clearTraps({ registers, window }: Case): void {
    const at = Number(registers[rsp]) - windowAddress;
    const view = new DataView(window.buffer, window.byteOffset);
    view.setUint32(at, view.getUint32(at, true) & comparedFlags, true);
    view.setUint32(at + 4, 0, true);
  }

  /** Operands that make the instruction do something: divisions without overflow, exchanges that happen, control words that are valid. */
  private fitOperands(one: Case): void {
    const { next, i, mask } = this;
    const { registers, window } = one;
    const { mnemonic } = i;
    const view = new DataView(window.buffer, window.byteOffset);
    if (/^i?div$/.test(mnemonic) && !once(next, 4)) {
      const high = pick(next, [0n, mnemonic === 'idiv' ? mask : 1n, BigInt(below(next, 100))]);
      if (!this.addresses(rdx)) registers[rdx] = high;
      if (!this.addresses(rax)) registers[rax] = once(next, 2) ? random64(next) & mask : BigInt(below(next, 0x7fff));
    } else if (mnemonic.startsWith('cmpxchg') && once(next, 2) && !this.addresses(rax) && !this.addresses(rdx)) {
      const [low, high] = this.operandValue(one);
      registers[rax] = low & mask;
      if (mnemonic !== 'cmpxchg') {
        if (mnemonic === 'cmpxchg8b') registers[rax] &= 0xffff_ffffn;
        registers[rdx] = mnemonic === 'cmpxchg8b' ? low >> 32n : high;
      }
    }
    if (!this.hasMemory()) return;
    const at = operandAddress(this.i, one) - windowAddress;
    if (mnemonic === 'ldmxcsr' && at + 4 <= windowSize && at >= 0) {
      const any = view.getUint32(at, true) & ~misalignedMask;
      view.setUint32(at, once(next, 6) ? any : this.randomMxcsr(), true);
    } else if (mnemonic.startsWith('fxrstor') && at + 512 <= windowSize) {
      this.fillFloating(window.subarray(at, at + 512));
      if (once(next, 6)) view.setUint32(at + 24, next() & ~misalignedMask, true);
    } else if (/^(frstor|fldenv)/.test(mnemonic) && at + 108 <= windowSize) {
      view.setUint16(at, this.randomControl(), true);
    } else if (/^f/.test(mnemonic) && at + 16 <= windowSize && at >= 0) this.putOperand(window, at, i.sizeOf(0));
  }

  /** A floating-point operand in memory, or any bits. */
  private putOperand(window: Uint8Array, at: number, size: number): void {
    const { next } = this;
    const view = new DataView(window.buffer, window.byteOffset);
    if (size === 10 && !once(next, 3)) putExtended(next, window, at);
    else if (size === 8 && once(next, 2)) view.setBigUint64(at, randomFloat(next, 64), true);
    else if (size === 4 && once(next, 2)) view.setUint32(at, Number(randomFloat(next, 32)), true);
    else if (size === 10 && once(next, 2)) {
      // Packed decimal digits.
      for (let n = 0; n < 9; n++) window[at + n] = below(next, 10) | (below(next, 10) << 4);
    }
  }

  /** Whether a register is part of the memory operand's address. */
  private addresses(number: number): boolean {
    const { i } = this;
    return this.hasMemory() && (i.base === number || i.index === number);
  }

  /** 16 bytes of operand 0 as two numbers. */
  private operandValue(one: Case): [bigint, bigint] {
    const { i } = this;
    if (!this.hasMemory()) return [one.registers[i.rm], 0n];
    const at = operandAddress(this.i, one) - windowAddress;
    if (at < 0 || at + 16 > windowSize) return [0n, 0n];
    const view = new DataView(one.window.buffer, one.window.byteOffset);
    return [view.getBigUint64(at, true), view.getBigUint64(at + 8, true)];
  }

  private randomMxcsr(): number {
    const { next } = this;
    if (once(next, 2)) return 0x1f80;
    const masks = once(next, 24) ? next() & 0x1f80 : 0x1f80;
    return masks | (next() & 0xe07f);
  }

  private randomControl(): number {
    const { next } = this;
    if (once(next, 2)) return 0x37f;
    // Exceptions of the x87 unit that are not masked have tests of their own (test/x86/x87.test.ts).
    return 0x3f | (pick(next, [0, 2, 3, 3]) << 8) | (next() & 0xc00) | 0x40;
  }

  /** Fills an image of fxsave with a state that the processor could have left. */
  private fillFloating(fx: Uint8Array): void {
    const { next, generalCount } = this;
    const view = new DataView(fx.buffer, fx.byteOffset, fx.length);
    fx.fill(0);
    const control = this.randomControl();
    view.setUint16(0, control, true);
    // Exceptions that are not masked would be pending.
    const status = next() & 0x7f00;
    const exceptions = once(next, 2) ? next() & control & 0x3f : 0;
    view.setUint16(2, status | exceptions, true);
    fx[4] = once(next, 2) ? 0xff : next() & 0xff;
    view.setUint32(24, this.randomMxcsr(), true);
    view.setUint32(28, 0xffff, true);
    for (let n = 0; n < 8; n++) putExtended(next, fx, 32 + 16 * n);
    for (let n = 0; n < generalCount; n++) putVector(next, fx, 160 + 16 * n);
  }
}
