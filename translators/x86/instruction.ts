/** How an x86 instruction is declared, and what is known of one that has been decoded. */
import type { Lifter } from './lift.ts';

/** Emits the IR of the instruction that the lifter holds. */
export type Lift = (l: Lifter) => void;

/**
 * One instruction. The manual is Intel's Software Developer's Manual, volume 2 (SDM).
 *
 * `encoding` is the manual's opcode column, blanks between:
 * - `NP`, `66`, `F3` or `F2`: the mandatory prefix. Without one, 66 chooses the operand size, and F2 and F3 repeat
 *   (attribute `rep`) or mean nothing. A row with a mandatory prefix goes before one without.
 * - opcode bytes: `0F 38 F0`. `50+r`: the low three bits are a register (operand Z). `70+c`: the low four bits are a
 *   condition, which takes the place of `cc` in the mnemonic.
 * - `/r`: a ModRM byte follows; `/0` to `/7`: and its reg field is this. `=D0`: the byte is this; `=C0+i`: one of eight
 *   from this on, its low bits name a register (operand STi).
 * - `mem` or `reg`: only the ModRM bytes of memory operands, of register operands. Operands M, U, N and R imply it.
 *
 * `mnemonic`: Intel's, in small letters; `cbw|cwde|cdqe` are the names at operand sizes 16, 32 and 64 (with attribute
 * `asize`: at address sizes).
 *
 * `operands`: codes of SDM appendix A.2, commas between; first how the operand is addressed, then its size.
 * - `E` ModRM's register or memory, `G` ModRM's reg field, `R` ModRM's register, `Z` the register in the opcode
 * - `M` memory, `O` memory at an address in the instruction, `X` memory at DS:rSI, `Y` memory at ES:rDI
 * - `I` immediate, `J` displacement from the next instruction, `A` far pointer in the instruction
 * - `S` segment register, `C` control register, `D` debug register in ModRM's reg field
 * - `P` MMX register in ModRM's reg field, `N` ModRM's MMX register, `Q` ModRM's MMX register or memory; `V`, `U` and `W` likewise, XMM
 * - sizes: `b` 1, `w` 2, `d` 4, `q` 8, `dq` `x` `ps` `pd` 16, `ss` 4, `sd` 8, `t` 10 bytes; `v` the operand size; `z` the
 *   operand size, but 4 where that is 8; `y` 8 with REX.W, else 4; `p` a far pointer: 2 and the operand size; `s` a
 *   descriptor table register: 6, 10 in 64-bit mode; `a` two of the operand size. None: what the instruction says.
 * - `AL` `CL` `AX` `DX` `eAX` `rAX` (eAX: size `z`, rAX: size `v`), `ES` `CS` `SS` `DS` `FS` `GS`, `XMM0`, `ST0`, `STi`, and
 *   the numbers `1` and `3`
 *
 * `attributes`, blanks between:
 * - `lock`: LOCK is allowed where the operand of ModRM is memory. `rep`: F2 and F3 repeat.
 * - `i64`: invalid in 64-bit mode. `o64`: only there. `d64`: the operand size is 8 there, with 66 2. `f64`: 8 whatever 66 says.
 * - `w0`, `w1`, `b0`, `b1`: only with this REX.W, REX.B. A row with more of these goes before one with fewer.
 * - `unaligned`: operands of 16 bytes in memory need no alignment.
 * - `asize`: see mnemonic.
 * - features of `features`, which CPUID must announce.
 */
export type Row = readonly [encoding: string, mnemonic: string, operands: string, attributes: string, lift: Lift];

/** CPUID features that attributes of rows name. */
// biome-ignore format: as a list
export const features = [
  'fpu', 'cmov', 'cx8', 'cx16', 'mmx', 'fxsr', 'clflush', 'sse', 'sse2', 'sse3', 'ssse3', 'sse4_1', 'sse4_2', 'popcnt', 'movbe',
  'aes', 'pclmul', 'lahf', 'lzcnt', 'bmi1', 'rdtscp', 'prefetchw', 'syscall',
] as const;

/** How an operand is addressed: the letters of Row, `r` a fixed general register, `s` a fixed segment register, `1` a number. */
// biome-ignore format: as a list
export type OperandKind =
  | 'E' | 'G' | 'R' | 'Z' | 'M' | 'O' | 'X' | 'Y' | 'I' | 'J' | 'A' | 'S' | 'C' | 'D' | 'P' | 'N' | 'Q' | 'V' | 'U' | 'W'
  | 'r' | 's' | '1' | 'XMM0' | 'ST0' | 'STi';

/** Sizes that the instruction's prefixes decide (Operand.size). */
export const sizeV = -1;
export const sizeZ = -2;
export const sizeY = -3;
export const sizeP = -4;
export const sizeS = -5;
export const sizeA = -6;

export interface Operand {
  readonly kind: OperandKind;
  /** Bytes, 0 where the instruction says, or one of the sizes above. */
  readonly size: number;
  /** Number of the fixed register, or the number itself. */
  readonly number: number;
  readonly code: string;
}

/** REX bits (Instruction.rex). */
export const rexW = 8;
export const rexR = 4;
export const rexX = 2;
export const rexB = 1;

const noOperands: readonly Operand[] = [];

/** A decoded instruction. One object is used for many, and valid until the next is decoded. */
export class Instruction {
  readonly mode: 32 | 64;
  pc = 0;
  /** Bytes. */
  length = 0;
  /** Index of the row. */
  row = -1;
  mnemonic = '';
  operands = noOperands;
  /** The row has attribute `unaligned`. */
  unaligned = false;
  /** 2, 4 or 8. */
  operandSize = 4;
  /** 2, 4 or 8. */
  addressSize = 4;
  /** 0x40 and the bits W, R, X, B when a REX prefix is in force, else 0. */
  rex = 0;
  lock = false;
  /** 0, 0xF2 or 0xF3, whichever came last. */
  repeat = 0;
  /** The row has attribute `rep`. */
  repeats = false;
  /** Segment register by number (es cs ss ds fs gs), or -1 for the default one. In 64-bit mode -1, 4 or 5. */
  segment = -1;
  /** The opcode map: 0 one byte, 1 0F, 2 0F 38, 3 0F 3A. */
  map = 0;
  /** The last byte of the opcode. */
  opcode = 0;
  /** The condition of `+c`: 0 to 15; -1 where there is none. */
  condition = -1;
  /** ModRM's fields; 3 for the mod of instructions that have none. */
  mod = 3;
  /** With REX.R. */
  reg = 0;
  /** With REX.B; for `+r` the register in the opcode. */
  rm = 0;
  /** Number of the base register, or -1. */
  base = -1;
  /** Number of the index register, or -1. */
  index = -1;
  /** The index is shifted left by this. */
  scale = 0;
  /** Low and high word of the displacement, sign-extended; of the address itself for operand O. With `ripRelative` next was added. */
  displacement = 0;
  displacementHigh = 0;
  ripRelative = false;
  /** Low and high word of the immediate: `I` and `J` sign-extended from their size, but `Iw` zero-extended; the offset of `A`. */
  immediate = 0;
  immediateHigh = 0;
  /** A second immediate (enter); the selector of `A`. */
  immediate2 = 0;
  /** Where fetching failed. */
  faultAddress = 0;
  /** Why an instruction that the processor's manual has was refused: an encoding of AVX, AVX-512 or XOP. */
  refused: '' | 'VEX' | 'EVEX' | 'XOP' = '';

  constructor(mode: 32 | 64) {
    this.mode = mode;
  }

  /** Address of the instruction behind this one. */
  get next(): number {
    return (this.pc + this.length) >>> 0;
  }

  /** Bytes of operand n; 0 where only the instruction itself knows. */
  sizeOf(n: number): number {
    const { size } = this.operands[n];
    if (size >= 0) return size;
    switch (size) {
      case sizeV:
        return this.operandSize;
      case sizeZ:
        return this.operandSize === 2 ? 2 : 4;
      case sizeY:
        return (this.rex & rexW) !== 0 ? 8 : 4;
      case sizeP:
        return 2 + this.operandSize;
      case sizeS:
        return this.mode === 64 ? 10 : 6;
      default:
        return 2 * this.operandSize;
    }
  }
}
