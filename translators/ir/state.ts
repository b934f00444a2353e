/**
 * Guest state: the registers of one guest thread in a block of linear memory.
 *
 * A frontend declares its registers by name and type; this file gives each an offset. The block
 * starts with a header that is the same for every ISA, so that engines and the personality need not
 * know which guest runs. All words are in the host's byte order; offsets are in bytes from the
 * block's start.
 */
import { sizeOf, type Type } from './types.ts';

/** Offsets (bytes) of the header's words. */
export const header = {
  /** Guest address of the next instruction. */
  pc: 0,
  /** Not 0: something wants the thread's attention; tested on loop back edges and region entries. */
  interrupt: 4,
  /** Why translated code was left: an index into exitReasons. */
  exit: 8,
  /** Detail of the exit: the address of a fault, the code of a trap. */
  detail: 12,
  /** For a fault: 1 read, 2 write, 4 execute. */
  access: 16,
  /** Not 0: every translation on the host's stack must be left, because one may be stale. */
  unwind: 20,
  /** Counters of the thread: guest instructions executed, as a double. */
  instructions: 24,
  /** Always 0, which a host's compiler does not know (webassembly/memory.ts). */
  zero: 32,
  /** The result of a helper on its way into WebAssembly: a double whose bits must stay (webassembly/helper-result.ts). */
  result: 40,
} as const;

/** Bytes of the header; registers follow. */
export const headerSize = 64;

/** Bytes set aside for one thread's state block. */
export const stateBlockSize = 4096;

export interface Register {
  readonly name: string;
  readonly type: Type;
  /** Bytes from the start of the state block. */
  readonly offset: number;
  /** Index into a typed array of the register's type over the state block (offset / size). */
  readonly index: number;
  /**
   * Exact wherever control may leave, whether or not the program reads it again: the system looks at it (the stack
   * pointer). Of other registers liveness may drop a write that no path reads before the next, also across accesses
   * whose fault would show it, unless precise faults are asked for.
   */
  readonly pinned: boolean;
  /** The value can only be 0 or 1. */
  readonly bit: boolean;
}

export interface RegisterFile {
  readonly registers: readonly Register[];
  /** From a register's name to its number. */
  readonly numbers: Readonly<Record<string, number>>;
  /** The set of pinned registers: bit n & 31 of word n >>> 5 stands for register n. */
  readonly pinned: Int32Array;
}

export interface RegisterRow {
  readonly name: string;
  readonly type: Type;
  readonly pinned?: boolean;
  readonly bit?: boolean;
}

/** Lays out registers after the header. @throws RangeError when they do not fit the state block */
export function defineRegisters(rows: readonly RegisterRow[]): RegisterFile {
  let offset = headerSize;
  const registers = rows.map((row): Register => {
    const size = sizeOf[row.type];
    offset = (offset + size - 1) & -size;
    const register = {
      name: row.name,
      type: row.type,
      offset,
      index: offset / size,
      pinned: row.pinned === true,
      bit: row.bit === true,
    };
    offset += size;
    return register;
  });
  if (offset > stateBlockSize) throw new RangeError(`the registers need ${offset} bytes, more than a state block has`);
  return registerFile(registers);
}

/** A file of registers that have their places. */
export function registerFile(registers: readonly Register[]): RegisterFile {
  const pinned = new Int32Array((registers.length + 31) >>> 5);
  registers.forEach((register, number) => {
    if (register.pinned) pinned[number >>> 5] |= 1 << (number & 31);
  });
  return { registers, numbers: Object.fromEntries(registers.map(({ name }, number) => [name, number])), pinned };
}

/** One thread's state block, seen through each type. The arrays share memory. */
export class State {
  readonly file: RegisterFile;
  readonly i32: Int32Array;
  readonly i64: BigInt64Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Bytes from the buffer's start to the block. */
  readonly base: number;

  constructor(file: RegisterFile, buffer: ArrayBufferLike, base: number) {
    this.file = file;
    this.base = base;
    this.i32 = new Int32Array(buffer, base, stateBlockSize / 4);
    this.i64 = new BigInt64Array(buffer, base, stateBlockSize / 8);
    this.f32 = new Float32Array(buffer, base, stateBlockSize / 4);
    this.f64 = new Float64Array(buffer, base, stateBlockSize / 8);
  }

  /** Guest address of the next instruction, unsigned. */
  get pc(): number {
    return this.i32[header.pc >> 2] >>> 0;
  }
  set pc(value: number) {
    this.i32[header.pc >> 2] = value;
  }

  /** Reads an i32 register by name; for tests, the personality's tables and reports, not for hot paths. */
  get(name: string): number {
    const register = this.register(name);
    return register.type === 'f64' ? this.f64[register.index] : this.i32[register.index];
  }
  set(name: string, value: number): void {
    const register = this.register(name);
    if (register.type === 'f64') this.f64[register.index] = value;
    else this.i32[register.index] = value;
  }

  /** Adds to the frontend's pinned register, which holds an address. @param bytes a whole number of 32 bits with its sign */
  movePinned(bytes: number): void {
    const { type, index } = this.file.registers.find(({ pinned }) => pinned) as Register;
    if (type === 'i64') this.i64[index] += BigInt(bytes);
    else this.i32[index] += bytes;
  }

  register(name: string): Register {
    const number = this.file.numbers[name];
    if (number === undefined) throw new RangeError(`there is no register ${name}`);
    return this.file.registers[number];
  }
}
