/**
 * From code bytes to an instruction. A mode's decoder is made when its first instruction is decoded, and compiles the rows
 * of an opcode when that is first seen.
 *
 * Code is fetched in aligned words, so that a fetch never reaches into a page that the instruction does not reach into.
 */
import type { Fetch } from '../frontend.ts';
import {
  type CompiledRow,
  DispatchTables,
  immediateAddress,
  immediateB,
  immediateFar,
  immediateNone,
  immediateV,
  immediateW,
  immediateZ,
  notCompiled,
} from './compile-rows.ts';
import { type Instruction, type Row, rexB, rexR, rexW, rexX } from './instruction.ts';
import { rows } from './rows.ts';

/** What decode() returns when there is no row. */
export const notAnInstruction = -1;
/** The bytes at Instruction.faultAddress cannot be fetched. */
export const fetchFault = -2;
/** Longer than 15 bytes: a general protection fault. */
export const tooLong = -3;

export const maximumLength = 15;

/** Condition names by number. */
// biome-ignore format: as a list
export const conditionNames = ['o', 'no', 'b', 'ae', 'e', 'ne', 'be', 'a', 's', 'ns', 'p', 'np', 'l', 'ge', 'le', 'g'] as const;

// What a byte is when an instruction can begin with it: a prefix in both modes, a REX prefix, the opcode.
const isOpcode = 0;
const isOperandSize = 1;
const isAddressSize = 2;
const isLock = 3;
const isRepeat = 4;
const isSegment = 5;
const isRex = 6;
const prefixKinds = new Uint8Array(256);
prefixKinds[0x66] = isOperandSize;
prefixKinds[0x67] = isAddressSize;
prefixKinds[0xf0] = isLock;
prefixKinds[0xf2] = prefixKinds[0xf3] = isRepeat;
const segmentPrefixes = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
for (const byte of segmentPrefixes) prefixKinds[byte] = isSegment;
prefixKinds.fill(isRex, 0x40, 0x50);

/** Base and index registers of 16-bit addresses, by rm. */
const base16 = [3, 3, 5, 5, 6, 7, 5, 3];
const index16 = [6, 7, 6, 7, -1, -1, -1, -1];

/** Decodes instructions of one mode by a table of rows. */
export class Decoder {
  readonly mode: 32 | 64;
  readonly tables: DispatchTables;
  private readonly rows: readonly CompiledRow[];
  private fetch: Fetch = () => undefined;
  /** Address of the next byte; bytes of the aligned word around it. */
  private at = 0;
  private word = 0;
  /** The first word has not been fetched. */
  private fresh = true;
  /** Address where fetching failed, or -1. */
  private failed = -1;

  constructor(table: readonly Row[], mode: 32 | 64) {
    this.mode = mode;
    this.tables = new DispatchTables(table, mode);
    this.rows = this.tables.rows;
  }

  private byte(): number {
    const { at } = this;
    if (this.fresh || (at & 3) === 0) {
      this.fresh = false;
      if (this.failed >= 0) return 0;
      const word = this.fetch(at & ~3, 4);
      if (word === undefined) {
        this.failed = at;
        this.word = 0;
      } else this.word = word;
    }
    this.at = (at + 1) >>> 0;
    return (this.word >>> ((at & 3) << 3)) & 0xff;
  }

  private signedByte(): number {
    return (this.byte() << 24) >> 24;
  }

  private half(): number {
    const low = this.byte();
    return low | (this.byte() << 8);
  }

  private full(): number {
    const low = this.half();
    return low | (this.half() << 16);
  }

  /**
   * Decodes the instruction at pc into `i`, whose mode is this decoder's.
   * @returns the row, or one of `notAnInstruction` (Instruction.length then has the bytes that were looked at), `fetchFault` and `tooLong`
   */
  decode(i: Instruction, fetch: Fetch, pc: number): number {
    this.fetch = fetch;
    this.at = pc;
    this.fresh = true;
    this.failed = -1;
    i.pc = pc;
    const row = this.parse(i);
    i.row = row;
    i.length = (this.at - pc) >>> 0;
    if (this.failed >= 0 && (this.failed - pc) >>> 0 < maximumLength) {
      i.faultAddress = this.failed;
      i.row = fetchFault;
    } else if (i.length > maximumLength) i.row = tooLong;
    else if (i.ripRelative && row >= 0) absolute(i);
    return i.row;
  }

  /**
   * The row at an opcode with known prefixes, or undefined.
   * @param prefix 0 none, 1 66, 2 F3, 3 F2
   */
  rowOf(map: number, opcode: number, prefix: number, w: number, modrm: number): CompiledRow | undefined {
    const { variants, modrms } = this.tables;
    let entry = this.tables.entryAt((map << 8) | opcode);
    if (entry < 0) entry = variants[4 * prefix + 2 * w - entry];
    if (entry < 0) entry = modrms[modrm - entry];
    return entry === 0 ? undefined : this.rows[entry - 1];
  }

  private parse(i: Instruction): number {
    const is64 = this.mode === 64;
    i.rex = 0;
    i.lock = false;
    i.repeat = 0;
    i.segment = -1;
    i.mod = 3;
    i.base = -1;
    i.index = -1;
    i.scale = 0;
    i.displacement = 0;
    i.displacementHigh = 0;
    i.ripRelative = false;
    i.immediate = 0;
    i.immediateHigh = 0;
    i.immediate2 = 0;
    i.refused = '';
    let operandSizePrefix = false;
    let addressSizePrefix = false;

    // A REX prefix counts only right before the opcode.
    let rex = 0;
    let byte = this.byte();
    for (let count = 1; count <= maximumLength; count++) {
      const kind = prefixKinds[byte];
      if (kind === isOpcode || (kind === isRex && !is64)) break;
      rex = 0;
      if (kind === isOperandSize) operandSizePrefix = true;
      else if (kind === isAddressSize) addressSizePrefix = true;
      else if (kind === isLock) i.lock = true;
      else if (kind === isRepeat) i.repeat = byte;
      else if (kind === isRex) rex = byte;
      else {
        const segment = segmentPrefixes.indexOf(byte);
        // Those of ES, CS, SS and DS do nothing in 64-bit mode.
        if (!is64 || segment >= 4) i.segment = segment;
      }
      byte = this.byte();
    }
    i.rex = rex;
    i.addressSize = is64 ? (addressSizePrefix ? 4 : 8) : addressSizePrefix ? 2 : 4;

    let map = 0;
    if (byte === 0x0f) {
      byte = this.byte();
      map = 1;
      if (byte === 0x38 || byte === 0x3a) {
        map = byte === 0x38 ? 2 : 3;
        byte = this.byte();
      }
    }
    i.map = map;
    i.opcode = byte;
    const { opcodes, variants, modrms } = this.tables;
    let entry = opcodes[(map << 8) | byte];
    if (entry === notCompiled) entry = this.tables.entryAt((map << 8) | byte);
    let modrm = -1;
    if (entry < 0) {
      const prefix = i.repeat !== 0 ? (i.repeat === 0xf3 ? 8 : 12) : operandSizePrefix ? 4 : 0;
      entry = variants[prefix + ((rex & rexW) >> 2) + (rex & rexB) - entry];
      if (entry < 0) {
        modrm = this.byte();
        entry = modrms[modrm - entry];
      }
    }
    if (map === 0 && this.isRefused(i, byte, modrm)) return notAnInstruction;
    if (entry === 0) return notAnInstruction;
    const row = this.rows[entry - 1];
    i.operands = row.operands;
    i.unaligned = row.unaligned;
    i.repeats = row.repeats;

    let operandSize = operandSizePrefix ? 2 : 4;
    if (is64) {
      if (row.force64 || (rex & rexW) !== 0) operandSize = 8;
      else if (row.default64 && !operandSizePrefix) operandSize = 8;
    }
    i.operandSize = operandSize;

    if (row.hasModrm) {
      if (modrm < 0) modrm = this.byte();
      i.mod = modrm >> 6;
      i.reg = ((modrm >> 3) & 7) | ((rex & rexR) << 1);
      if (i.mod === 3) i.rm = (modrm & 7) | ((rex & rexB) << 3);
      else if (i.addressSize === 2) this.address16(i, modrm);
      else this.address(i, modrm);
    } else if (row.registerInOpcode) i.rm = (byte & 7) | ((rex & rexB) << 3);
    i.condition = row.conditionInOpcode ? byte & 15 : -1;
    if (row.namesSegment) {
      // REX.R does not count, and there are six.
      i.reg &= 7;
      if (i.reg > 5) return notAnInstruction;
    }
    if (i.lock && (!row.lock || i.mod === 3)) return notAnInstruction;

    if (row.immediate !== immediateNone) this.immediate(i, row.immediate);
    if (row.immediate2 !== immediateNone) i.immediate2 = this.signedByte();

    const { mnemonics } = row;
    i.mnemonic = mnemonics[0];
    if (mnemonics.length > 1) i.mnemonic = mnemonics[(row.namedByAddressSize ? i.addressSize : operandSize) >> 2];
    return entry - 1;
  }

  /** VEX (C4, C5), EVEX (62) and XOP (8F): in 32-bit mode told from les, lds, bound and pop by the byte that follows. */
  private isRefused(i: Instruction, byte: number, modrm: number): boolean {
    if (byte !== 0xc4 && byte !== 0xc5 && byte !== 0x62 && byte !== 0x8f) return false;
    const next = modrm >= 0 ? modrm : this.byte();
    if (byte === 0x8f) {
      if ((next & 0x1f) < 8) return false;
      i.refused = 'XOP';
    } else {
      if (this.mode === 32 && next < 0xc0) return false;
      i.refused = byte === 0x62 ? 'EVEX' : 'VEX';
    }
    return true;
  }

  private address(i: Instruction, modrm: number): void {
    const mod = modrm >> 6;
    const { rex } = i;
    let base = modrm & 7;
    i.rm = base | ((rex & rexB) << 3);
    if (base === 4) {
      const sib = this.byte();
      i.scale = sib >> 6;
      const index = ((sib >> 3) & 7) | ((rex & rexX) << 2);
      if (index !== 4) i.index = index;
      base = sib & 7;
      if (base === 5 && mod === 0) {
        this.displacement(i, this.full());
        return;
      }
    } else if (base === 5 && mod === 0) {
      i.ripRelative = this.mode === 64;
      this.displacement(i, this.full());
      return;
    }
    i.base = base | ((rex & rexB) << 3);
    if (mod === 1) this.displacement(i, this.signedByte());
    else if (mod === 2) this.displacement(i, this.full());
  }

  private address16(i: Instruction, modrm: number): void {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    i.rm = rm;
    if (mod === 0 && rm === 6) {
      this.displacement(i, this.half());
      return;
    }
    // By rm: BX+SI, BX+DI, BP+SI, BP+DI, SI, DI, BP, BX.
    i.base = base16[rm];
    i.index = index16[rm];
    if (mod === 1) this.displacement(i, this.signedByte());
    else if (mod === 2) this.displacement(i, (this.half() << 16) >> 16);
  }

  private displacement(i: Instruction, value: number): void {
    i.displacement = value;
    i.displacementHigh = value >> 31;
  }

  private immediate(i: Instruction, kind: number): void {
    switch (kind) {
      case immediateB:
        i.immediate = this.signedByte();
        break;
      case immediateW:
        i.immediate = this.half();
        break;
      case immediateZ:
      case immediateV:
        if (i.operandSize === 2) i.immediate = (this.half() << 16) >> 16;
        else {
          i.immediate = this.full();
          if (kind === immediateV && i.operandSize === 8) {
            i.immediateHigh = this.full();
            return;
          }
        }
        break;
      case immediateAddress:
        i.displacement = i.addressSize === 2 ? this.half() : this.full();
        i.displacementHigh = i.addressSize === 8 ? this.full() : 0;
        return;
      case immediateFar:
        i.immediate = i.operandSize === 2 ? this.half() : this.full();
        i.immediate2 = this.half();
        break;
    }
    i.immediateHigh = i.immediate >> 31;
  }
}

/** Adds the address of the next instruction to the displacement. */
function absolute(i: Instruction): void {
  const sum = i.next + i.displacement;
  i.displacement = sum | 0;
  i.displacementHigh = i.addressSize === 8 ? Math.floor(sum / 0x1_0000_0000) : 0;
}

let decoder32: Decoder | undefined;
let decoder64: Decoder | undefined;

/** The decoder of a mode, with all rows. */
export function decoderOf(mode: 32 | 64): Decoder {
  if (mode === 64) {
    decoder64 ??= new Decoder(rows, 64);
    return decoder64;
  }
  decoder32 ??= new Decoder(rows, 32);
  return decoder32;
}
