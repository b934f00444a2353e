/** struct user_regs_struct (arch/x86/include/asm/user_64.h) and the state block, for both modes. */
import type { State } from '../../../translators/ir/state.ts';
import { segmentNames, type X86Registers } from '../../../translators/x86/registers.ts';
import { flagsWord, setFlagsWord } from '../../../translators/x86/state-image.ts';

/** Indices of its doublewords. */
const index = {
  originalAccumulator: 15,
  rip: 16,
  cs: 17,
  flags: 18,
  ss: 20,
  fsBase: 21,
  gsBase: 22,
  ds: 23,
  es: 24,
  fs: 25,
  gs: 26,
} as const;
const count = 27;

/** Indices of the general registers, by the number that instructions encode them with. */
const general = [10, 11, 12, 5, 19, 4, 13, 14, 9, 8, 7, 6, 3, 2, 1, 0] as const;

/** Selectors of user programs on x86-64 Linux. */
const selectors = { code32: 0x23, code64: 0x33, data: 0x2b } as const;

/** No system call is to be started again. */
const noCall = 0xffff_ffff_ffff_ffffn;

export class TracedRegisters {
  readonly bytes = new Uint8Array(count * 8);
  private readonly words = new BigUint64Array(this.bytes.buffer);
  private readonly registers: X86Registers;

  constructor(registers: X86Registers) {
    this.registers = registers;
  }

  get rip(): number {
    return Number(this.words[index.rip] & 0xffff_ffffn);
  }

  /** What a system call answered. */
  get accumulator(): bigint {
    return this.words[general[0]];
  }

  /** For a call of the engine's own: number and arguments, in the registers of x86-64's or i386's convention. */
  setCall(address: number, number: number, args: readonly number[], is64: boolean): void {
    const places = is64 ? [13 + 1, 13, 12, 7, 9, 8] : [5, 11, 12, 13, 14, 4];
    this.words[index.rip] = BigInt(address);
    this.words[index.cs] = BigInt(selectors.code64);
    this.words[index.ss] = BigInt(selectors.data);
    this.words[index.originalAccumulator] = noCall;
    this.words[general[0]] = BigInt(number);
    for (const [n, arg] of args.entries()) this.words[places[n]] = BigInt(arg);
  }

  /** From the state block. */
  load(state: State): void {
    const { words, registers } = this;
    const { is64, file } = registers;
    this.loadGeneral(state);
    this.loadBases(state);
    words[index.flags] = BigInt(flagsWord(state));
    words[index.cs] = BigInt(is64 ? selectors.code64 : selectors.code32);
    words[index.ss] = BigInt(selectors.data);
    for (const [number, name] of segmentNames.entries()) {
      if (name === 'cs' || name === 'ss') continue;
      words[index[name]] = BigInt(state.i32[file.registers[registers.segment + number].index] & 0xffff);
    }
  }

  /** What system calls change. */
  loadGeneral(state: State): void {
    const { words, registers } = this;
    const { is64, file } = registers;
    for (let number = 0; number < (is64 ? 16 : 8); number++) {
      const at = file.registers[number].index;
      words[general[number]] = is64 ? BigInt.asUintN(64, state.i64[at]) : BigInt(state.i32[at] >>> 0);
    }
    words[index.rip] = BigInt(state.pc);
    words[index.originalAccumulator] = noCall;
    // Of i386 they come with the selectors, which programs load by themselves.
    if (is64) this.loadBases(state);
  }

  private loadBases(state: State): void {
    this.words[index.fsBase] = this.base(state, this.registers.fsBase);
    this.words[index.gsBase] = this.base(state, this.registers.gsBase);
  }

  /** To the state block. @param isCall the registers at a system call, whose number is not where it was */
  storeGeneral(state: State, isCall: boolean): void {
    const { words, registers } = this;
    const { is64, file } = registers;
    for (let number = 0; number < (is64 ? 16 : 8); number++) {
      const from = isCall && number === 0 ? index.originalAccumulator : general[number];
      const at = file.registers[number].index;
      if (is64) state.i64[at] = BigInt.asIntN(64, words[from]);
      else state.i32[at] = Number(words[from] & 0xffff_ffffn);
    }
    state.pc = this.rip;
  }

  storeRest(state: State): void {
    const { words, registers } = this;
    const { is64, file } = registers;
    setFlagsWord(state, Number(words[index.flags] & 0xffff_ffffn));
    for (const [number, name] of segmentNames.entries()) {
      if (name === 'cs' || name === 'ss') continue;
      state.i32[file.registers[registers.segment + number].index] = Number(words[index[name]]);
    }
    if (!is64) {
      state.i32[file.registers[registers.fsBase].index] = Number(words[index.fsBase] & 0xffff_ffffn);
      state.i32[file.registers[registers.gsBase].index] = Number(words[index.gsBase] & 0xffff_ffffn);
    }
  }

  private base(state: State, number: number): bigint {
    const { type, index: at } = state.file.registers[number];
    return type === 'i64' ? BigInt.asUintN(64, state.i64[at]) : BigInt(state.i32[at] >>> 0);
  }
}
