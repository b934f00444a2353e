/** Random instructions made from the rows of the tables: their bytes, and where the fields lie that a caller may change. */
import {
  type CompiledRow,
  immediateAddress,
  immediateB,
  immediateFar,
  immediateNone,
  immediateV,
  immediateW,
  immediateZ,
} from '../../translators/x86/compile-rows.ts';
import { sizeV, sizeZ } from '../../translators/x86/instruction.ts';

export type Random = () => number;

/** A number from 0 to limit - 1. */
export const below = (next: Random, limit: number): number => (next() >>> 0) % limit;
/** True once in `times`. */
export const once = (next: Random, times: number): boolean => below(next, times) === 0;
export const pick = <T>(next: Random, list: readonly T[]): T => list[below(next, list.length)];

export interface InstructionOptions {
  readonly mode: 32 | 64;
  /** Prefixes that change nothing but what this row's operands are may be there: 66, 67, segments, REX. */
  readonly addressPrefixes: boolean;
  readonly segments: boolean;
  readonly lock: boolean;
  /** 66 may be there where it chooses the operand size. */
  readonly operandSize: boolean;
  /** F2 and F3 may be there where they mean nothing. */
  readonly idleRepeats: boolean;
}

export interface RandomInstruction {
  readonly bytes: number[];
  /** Where the displacement of the memory operand lies, and its size; size 0 when there is none. */
  readonly displacementAt: number;
  readonly displacementSize: number;
}

const segmentBytes = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65];
const mandatory: Readonly<Record<number, number>> = { 2: 0x66, 4: 0xf3, 8: 0xf2 };
const everyPrefix = 15;
const usesOperandSize = ({ operands }: CompiledRow): boolean =>
  operands.some(({ size }) => size === sizeV || size === sizeZ);
/** The bytes before the opcode in each map. */
const escapes = [[], [0x0f], [0x0f, 0x38], [0x0f, 0x3a]];

/** Immediates that programs have: small, extreme, any. */
function pushImmediate(bytes: number[], next: Random, size: number): void {
  const kind = below(next, 4);
  const value = kind === 0 ? 0 : kind === 1 ? -1 : kind === 2 ? 1 << below(next, 8 * Math.min(size, 4)) : next();
  for (let n = 0; n < size; n++)
    bytes.push(n < 4 ? (value >> (8 * n)) & 0xff : kind === 3 ? next() & 0xff : (value >> 31) & 0xff);
}

/** A random instruction that is this row's, unless a row that goes before it has the same bytes. */
export function randomInstruction(row: CompiledRow, next: Random, options: InstructionOptions): RandomInstruction {
  const { mode } = options;
  const is64 = mode === 64;
  const prefixes: number[] = [];
  let operandSize = false;
  let addressSize = false;
  if (row.prefixes === everyPrefix) {
    if (options.operandSize && once(next, 3)) {
      operandSize = true;
      prefixes.push(0x66);
    }
    if (row.repeats ? once(next, 2) : options.idleRepeats && once(next, 12)) prefixes.push(once(next, 2) ? 0xf2 : 0xf3);
  } else if (row.prefixes !== 1) {
    if (row.prefixes > 2 && options.operandSize && usesOperandSize(row) && once(next, 3)) {
      operandSize = true;
      prefixes.push(0x66);
    }
    operandSize ||= row.prefixes === 2;
    prefixes.push(mandatory[row.prefixes]);
  }
  if (options.segments && once(next, 8)) prefixes.push(pick(next, segmentBytes));
  if (options.addressPrefixes && once(next, 8)) {
    addressSize = true;
    prefixes.push(0x67);
  }

  let modrm = -1;
  if (row.hasModrm) {
    do modrm = next() & 0xff;
    while (!row.matches(modrm) || (row.namesSegment && ((modrm >> 3) & 7) > 5));
  }
  const isMemory = modrm >= 0 && modrm < 0xc0;
  if (options.lock && row.lock && isMemory && once(next, 3)) prefixes.push(0xf0);
  // Prefixes may come in any order.
  for (let n = prefixes.length - 1; n > 0; n--) {
    const other = below(next, n + 1);
    [prefixes[n], prefixes[other]] = [prefixes[other], prefixes[n]];
  }

  const bytes = [...prefixes];
  let rex = 0;
  if (is64) {
    rex = once(next, 2) ? 0x40 | (next() & 15) : 0;
    if (row.w >= 0) rex = row.w === 1 ? rex | 0x48 : rex & ~8;
    if (row.b >= 0) rex = row.b === 1 ? rex | 0x41 : rex & ~1;
    if (rex !== 0) bytes.push(rex | 0x40);
  }
  bytes.push(...escapes[row.map], row.opcode + below(next, row.opcodes));

  let displacementAt = 0;
  let displacementSize = 0;
  const displacement = (size: number): void => {
    displacementAt = bytes.length;
    displacementSize = size;
    for (let n = 0; n < size; n++) bytes.push(next() & 0xff);
  };
  if (modrm >= 0) {
    bytes.push(modrm);
    const mod = modrm >> 6;
    const rm = modrm & 7;
    if (isMemory && addressSize && !is64) {
      if (mod === 1) displacement(1);
      else if (mod === 2 || rm === 6) displacement(2);
    } else if (isMemory) {
      let base = rm;
      if (rm === 4) {
        const sib = next() & 0xff;
        bytes.push(sib);
        base = sib & 7;
      }
      if (mod === 1) displacement(1);
      else if (mod === 2 || base === 5) displacement(4);
    }
  }

  const wide = (rex & 8) !== 0 || (is64 && row.force64);
  const size = wide ? 8 : operandSize ? 2 : 4;
  const addressBytes = is64 ? (addressSize ? 4 : 8) : addressSize ? 2 : 4;
  for (const kind of [row.immediate, row.immediate2]) {
    if (kind === immediateB) pushImmediate(bytes, next, 1);
    else if (kind === immediateW) pushImmediate(bytes, next, 2);
    else if (kind === immediateZ) pushImmediate(bytes, next, Math.min(size, 4));
    else if (kind === immediateV) pushImmediate(bytes, next, size);
    else if (kind === immediateFar) pushImmediate(bytes, next, size + 2);
    else if (kind === immediateAddress) displacement(addressBytes);
    else if (kind !== immediateNone) throw new Error(`immediate ${kind}`);
  }
  return { bytes, displacementAt, displacementSize };
}
