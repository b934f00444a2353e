/**
 * The contract of a frontend: guest bytes in, IR out. A frontend knows no backend; backends and
 * engines know frontends only through this.
 */
import type { Builder } from './ir/builder.ts';
import type { Evaluator } from './ir/evaluator.ts';
import type { RegisterFile, State } from './ir/state.ts';
import type { Type } from './ir/types.ts';
import type { Unit } from './ir/unit.ts';
import type { MemoryView } from './memory-view.ts';

/** What helpers and translations may ask of the machine they run in. */
export interface Machine {
  /** Ticks of the guest's time base since some start; 64 bits as two words. */
  timeBase(): { low: number; high: number };
  /** Code in the given guest range was declared stale (icbi and the like); length in bytes. */
  invalidateCode(address: number, length: number): void;
  /** Guest memory, for helpers that move runs of bytes; they look at its permissions themselves. `bytes`: all of its buffer. */
  readonly memory: MemoryView;
  readonly bytes: Uint8Array;
  /** The byte at a guest address, or -1 where the guest may not read. For helpers that access as much memory as a register says. */
  loadByte(address: number): number;
  /** Stores a byte; false where the guest may not write. */
  storeByte(address: number, value: number): boolean;
  /** The guest began to look at floating-point status: translate exactly from now on. */
  requireExactFloatingPoint(): void;
  /** The guest left the default floating-point mode (Frontend.floatingPointControl): only code that was lifted exactly may run until it is back. */
  leaveDefaultFloatingPoint(): void;
  /** The guest has run for a while, or its first block is hot: what pays only in longer runs is worth its price now. */
  keepsRunning?(): void;
  /** Much of the run is work of the engine or the personality: what they are made of is worth optimizing. */
  isOwnWork?(): void;
}

/** A function written in TypeScript that IR can call (`helper.*`). */
export interface Helper {
  readonly name: string;
  /** i32 or f64, for the result too. What is wider is given in parts, or stays in registers. */
  readonly operands: readonly Type[];
  readonly result: Type | '';
  /** Registers it reads from and writes to the state block, by name; '*' in reads or writes means all. */
  readonly reads: readonly string[];
  readonly writes: readonly string[];
  /** Not 0 when the helper may leave the block by setting the state's exit word. */
  readonly mayExit?: boolean;
  /** It asks the machine for nothing that could make a translation stale: behind it nobody looks. */
  readonly isLocal?: boolean;
  /** It leaves the default floating-point mode, mostly for a short while, or looks at exceptions: the function that calls it is lifted exactly. */
  readonly changesFloatingPointMode?: boolean;
  /** What it computes while its operands and status are ordinary: a row of `ordinaryArithmetic` (ir/interpreter-encoding.ts). */
  readonly ordinary?: string | undefined;
  readonly run: (state: State, machine: Machine, a: number, b: number, c: number) => number;
}

/** How far floating point is tracked. */
export interface LiftOptions {
  /**
   * true: every operation keeps the status and control register, rounding modes and exceptions
   * exactly (the interpreter always lifts so). false: results are exact for round-to-nearest, the
   * status bits stay as they were.
   */
  readonly exactFloatingPoint: boolean;
}

/** Why a block ended, besides its terminator being a jump of the guest's own. */
export interface Frontend {
  readonly name: string;
  /** Byte order of guest data. */
  readonly byteOrder: 'big' | 'little';
  /** Bits of a guest address. */
  readonly addressBits: 32 | 64;
  readonly registers: RegisterFile;
  readonly helpers: readonly Helper[];
  /**
   * The default floating-point mode (to nearest, no exception enabled) is in force while these bits of an i32 register
   * are 0. `inexact` is the bit there that an inexact result sets and that stays set.
   */
  readonly floatingPointControl: { readonly register: string; readonly mask: number; readonly inexact: number };
  /** What is stored is what runs: no instruction announces that code has changed. */
  readonly coherentCode?: boolean;
  /**
   * The smallest distance between two instruction addresses, in bytes (PowerPC: 4, x86: 1). What is lifted never goes to an
   * address that is no multiple of it.
   */
  readonly instructionAlignment: number;
  /**
   * Lifts one instruction at the builder's pc.
   * @param fetch reads `length` bytes of code as a number in guest byte order (length 1, 2 or 4); undefined where the guest may not execute
   * @returns the instruction's length in bytes; the builder says whether the block has ended
   */
  lift(builder: Builder, fetch: Fetch, pc: number, options: LiftOptions): number;
  /** Makes what lift() is given, where it is not a plain builder or evaluator: on a frontend in halves (ir/halves.ts). */
  readonly makeBuilder?: (unit: Unit) => Builder;
  readonly makeEvaluator?: (state: State, memory: MemoryView, fetch: Fetch) => Evaluator;
  /** Disassembles one instruction for logs and fault reports. */
  disassemble(fetch: Fetch, pc: number): { text: string; length: number };
  /**
   * For the exit `wide_address`: the address (64 bits, unsigned) that the instruction at pc wanted to access, and whether
   * it is one of the stack segment; undefined when no address is beyond 32 bits.
   */
  wideAddress?(fetch: Fetch, pc: number, state: State): { address: bigint; isStack: boolean } | undefined;
}

export type Fetch = (address: number, length: 1 | 2 | 4) => number | undefined;
