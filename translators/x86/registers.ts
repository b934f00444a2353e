/**
 * The guest state of an x86 thread, for both modes: the registers of an i386 program and those of an x86-64 program.
 *
 * General registers are in the order of their encoding, so register n has number n.
 *
 * The arithmetic flags are kept in three parts, from which flags.ts computes each flag when it is read:
 * - `flags.result`: the result, sign-extended. ZF: it is 0. SF: it is negative. PF: parity of its low byte.
 * - `flags.carries`: what was carried (or borrowed) into each bit. AF: bit 4. OF: the sign bit XOR CF, since the sum
 *   overflows when the carry into the sign differs from the carry out of it.
 * - `flags.carry`: CF in bit 0. The other bits are corrections that arithmetic leaves 0, for combinations that no result
 *   has (popf, sahf, unordered comparisons): bit 1 inverts SF, bits 8 to 15 are XORed into the byte that PF comes from.
 */
import { defineRegisters, type RegisterFile, type RegisterRow } from '../ir/state.ts';
import { threadSegments } from './thread-segments.ts';
import { type X87Registers, x87RegistersOf, x87Rows } from './x87-registers.ts';

const names32 = ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'];
const names64 = ['rax', 'rcx', 'rdx', 'rbx', 'rsp', 'rbp', 'rsi', 'rdi'];
for (let n = 8; n < 16; n++) names64.push(`r${n}`);

/** Numbers of the general registers in both modes. */
export const rax = 0;
export const rcx = 1;
export const rdx = 2;
export const rbx = 3;
export const rsp = 4;
export const rbp = 5;
export const rsi = 6;
export const rdi = 7;

/** Segment registers in the order of their encoding. */
export const segmentNames = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const;
export const es = 0;
export const cs = 1;
export const ss = 2;
export const ds = 3;
export const fs = 4;
export const gs = 5;

/** What MXCSR holds at start; the register holds the difference to it, so that 0 is the default mode. */
export const defaultMxcsr = 0x1f80;

/** Linux's selectors: code of 32-bit programs, data, code of 64-bit programs (as a 64-bit kernel has them). */
export const codeSelector32 = 0x23;
export const dataSelector = 0x2b;
export const codeSelector64 = 0x33;

/** Selectors whose segments programs may load, all of which begin at 0. */
export const flatSelectors = (is64: boolean): readonly number[] =>
  is64 ? [codeSelector32, dataSelector, codeSelector64] : [codeSelector32, dataSelector];

function rowsOf(is64: boolean): RegisterRow[] {
  const word = is64 ? 'i64' : 'i32';
  const rows: RegisterRow[] = [];
  for (const name of is64 ? names64 : names32)
    rows.push({ name, type: word, pinned: name === 'esp' || name === 'rsp' });
  rows.push(
    { name: 'flags.carry', type: 'i32' },
    { name: 'flags.result', type: word },
    { name: 'flags.carries', type: word },
  );
  // 0, or -1 when string instructions go downwards (DF).
  rows.push({ name: 'flags.direction', type: 'i32' });
  // Bits of EFLAGS that programs may change and that do nothing here (TF, NT, AC, ID), at their places.
  rows.push({ name: 'flags.system', type: 'i32' });
  for (const name of segmentNames) rows.push({ name, type: 'i32' });
  rows.push({ name: 'fs.base', type: word }, { name: 'gs.base', type: word });
  // Descriptors of thread-local segments: their bases, and which of them are present, a bit each.
  for (let n = 0; n < threadSegments; n++) rows.push({ name: `segment${n}.base`, type: 'i32' });
  rows.push({ name: 'segments.present', type: 'i32' });
  for (let n = 0; n < (is64 ? 16 : 8); n++) rows.push({ name: `xmm${n}`, type: 'v128' });
  rows.push({ name: 'mxcsr', type: 'i32' });
  // Operands of helpers that take two vectors.
  rows.push({ name: 'vector.first', type: 'v128' }, { name: 'vector.second', type: 'v128' });
  // An operand of helpers that is wider than a number.
  if (is64) rows.push({ name: 'scratch', type: 'i64' });
  rows.push(...x87Rows);
  return rows;
}

/** The register file of one mode, and the numbers of its registers. */
export interface X86Registers {
  readonly is64: boolean;
  readonly file: RegisterFile;
  /** Names of the general registers, by number. */
  readonly general: readonly string[];
  readonly carry: number;
  readonly result: number;
  readonly carries: number;
  readonly direction: number;
  readonly system: number;
  /** Selector of segment register n: `segment + n`. */
  readonly segment: number;
  readonly fsBase: number;
  readonly gsBase: number;
  /** Base of thread-local segment n: `segmentBase + n`. */
  readonly segmentBase: number;
  readonly segmentsPresent: number;
  /** XMM register n: `xmm + n`. */
  readonly xmm: number;
  readonly mxcsr: number;
  readonly firstVector: number;
  readonly secondVector: number;
  /** In 64-bit mode. */
  readonly scratch: number;
  readonly x87: X87Registers;
}

function define(is64: boolean): X86Registers {
  const file = defineRegisters(rowsOf(is64));
  const { numbers } = file;
  return {
    is64,
    file,
    general: is64 ? names64 : names32,
    carry: numbers['flags.carry'],
    result: numbers['flags.result'],
    carries: numbers['flags.carries'],
    direction: numbers['flags.direction'],
    system: numbers['flags.system'],
    segment: numbers.es,
    fsBase: numbers['fs.base'],
    gsBase: numbers['gs.base'],
    segmentBase: numbers['segment0.base'],
    segmentsPresent: numbers['segments.present'],
    xmm: numbers.xmm0,
    mxcsr: numbers.mxcsr,
    firstVector: numbers['vector.first'],
    secondVector: numbers['vector.second'],
    scratch: is64 ? numbers.scratch : -1,
    x87: x87RegistersOf(file),
  };
}

export const i386Registers = define(false);
export const x86_64Registers = define(true);
