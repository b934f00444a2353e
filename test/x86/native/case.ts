/**
 * A case for the comparison with the processor: one instruction and the state before it; and an outcome, the state behind it.
 * The layouts are those of the structures in runner.c.
 */

/** Where the code and the window of memory lie that cases use; what follows the window is not mapped. */
export const codeAddress = 0x10000000;
export const codeSize = 0x80000;
export const dataAddress = 0x20000000;
export const windowSize = 1024;
export const windowAddress = dataAddress + 0x1000 - windowSize;
/** Each instruction has a stretch of code of its own, filled with int3 but for the instruction in its middle. */
export const slotSize = 512;
export const slotCount = codeSize / slotSize;

const registersAt = 0;
const flagsAt = 128;
/** Bytes of a case and of an outcome. */
export const caseSize = 1696;
export const outcomeSize = 1696;
const longestCode = 16;
export const fxSize = 512;

const breakpoint = 0xcc;

/** CF, PF, AF, ZF, SF, DF and OF: the flags that are compared. */
export const comparedFlags = 0xcd5;

/** What a case and an outcome have in common. */
abstract class Snapshot {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** General registers in the order of their encoding. */
  readonly registers: BigUint64Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.registers = new BigUint64Array(bytes.buffer, bytes.byteOffset + registersAt, 16);
  }

  get flags(): number {
    return this.view.getUint32(flagsAt, true);
  }
  set flags(value: number) {
    this.view.setBigUint64(flagsAt, BigInt(value >>> 0), true);
  }
}

export class Case extends Snapshot {
  /** The image of fxsave: x87, MMX and SSE registers. */
  readonly fx: Uint8Array;
  readonly window: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(caseSize)) {
    super(bytes);
    this.fx = bytes.subarray(136, 136 + fxSize);
    this.window = bytes.subarray(648, 648 + windowSize);
  }

  /** The instruction, with int3 behind it. */
  get code(): Uint8Array {
    return this.bytes.subarray(1672, 1672 + longestCode);
  }
  setCode(bytes: readonly number[]): void {
    this.code.fill(breakpoint);
    this.code.set(bytes);
  }

  /** Where the instruction lies, from `codeAddress`. */
  get offset(): number {
    return this.view.getUint32(1688, true);
  }
  set offset(value: number) {
    this.view.setUint32(1688, value, true);
  }
}

export class Outcome extends Snapshot {
  readonly fx: Uint8Array;
  readonly window: Uint8Array;

  constructor(bytes: Uint8Array = new Uint8Array(outcomeSize)) {
    super(bytes);
    this.fx = bytes.subarray(160, 160 + fxSize);
    this.window = bytes.subarray(672, 672 + windowSize);
  }

  /** Where the instruction, or what it went to, was left. */
  get pc(): number {
    return this.view.getUint32(136, true);
  }
  set pc(value: number) {
    this.view.setUint32(136, value, true);
  }
  /** The address that a SIGSEGV is about. */
  get address(): number {
    return this.view.getUint32(144, true);
  }
  set address(value: number) {
    this.view.setUint32(144, value, true);
  }
  get signal(): number {
    return this.view.getInt32(152, true);
  }
  set signal(value: number) {
    this.view.setInt32(152, value, true);
  }

  /** Linux's si_code. */
  get siCode(): number {
    return this.view.getInt32(156, true);
  }
  set siCode(value: number) {
    this.view.setInt32(156, value, true);
  }
}

/** Linux's numbers. */
export const signals = { SIGILL: 4, SIGTRAP: 5, SIGBUS: 7, SIGFPE: 8, SIGSEGV: 11 } as const;
