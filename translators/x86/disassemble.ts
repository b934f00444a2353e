/** x86 assembly text in Intel's syntax, in the form of objdump's. */
import type { Fetch } from '../frontend.ts';
import { conditionNames, type Decoder, decoderOf, maximumLength, notAnInstruction } from './decode.ts';
import { Instruction, type Operand } from './instruction.ts';

const low8 = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil'];
const high8 = ['al', 'cl', 'dl', 'bl', 'ah', 'ch', 'dh', 'bh'];
const words = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di'];
const segments = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'];

/** General register `number` of `size` bytes; `rex`: whether there is a REX prefix, without which 4 to 7 are AH to BH. */
function generalName(number: number, size: number, rex: boolean): string {
  if (number >= 8) return `r${number}${size === 8 ? '' : size === 4 ? 'd' : size === 2 ? 'w' : 'b'}`;
  if (size === 1) return rex ? low8[number] : high8[number];
  return size === 2 ? words[number] : `${size === 4 ? 'e' : 'r'}${words[number]}`;
}

const sizeNames: Readonly<Record<number, string>> = {
  1: 'BYTE PTR ',
  2: 'WORD PTR ',
  4: 'DWORD PTR ',
  6: 'FWORD PTR ',
  8: 'QWORD PTR ',
  10: 'TBYTE PTR ',
  16: 'XMMWORD PTR ',
};

/** Two's complement of `size` bytes as hexadecimal digits. */
function hexadecimal(low: number, high: number, size: number): string {
  if (size === 8) {
    const upper = high >>> 0;
    if (upper !== 0) return `0x${upper.toString(16)}${(low >>> 0).toString(16).padStart(8, '0')}`;
  }
  const mask = size === 1 ? 0xff : size === 2 ? 0xffff : -1;
  return `0x${((low & mask) >>> 0).toString(16)}`;
}

function memory(i: Instruction, size: number): string {
  const registerSize = i.addressSize;
  const parts: string[] = [];
  if (i.base >= 0) parts.push(generalName(i.base, registerSize, true));
  if (i.index >= 0) {
    const index = generalName(i.index, registerSize, true);
    parts.push(registerSize === 2 ? index : `${index}*${1 << i.scale}`);
  }
  let text = parts.join('+');
  if (parts.length === 0) text = hexadecimal(i.displacement, i.displacementHigh, registerSize);
  else if (i.displacement !== 0) {
    const { displacement } = i;
    text += `${displacement < 0 ? '-' : '+'}0x${Math.abs(displacement).toString(16)}`;
  }
  return `${sizeNames[size] ?? ''}${i.segment < 0 ? '' : `${segments[i.segment]}:`}[${text}]`;
}

/** Opcodes of the first map whose immediate byte is extended to the operand size. */
const extendingOpcodes = [0x6a, 0x6b, 0x83];

function immediate(i: Instruction, n: number): string {
  const size = i.sizeOf(n);
  if (size > 1) {
    // An immediate of 4 bytes is extended to operands of 8.
    const wide = i.operandSize === 8 && size === 4;
    return hexadecimal(i.immediate, i.immediateHigh, wide ? 8 : size);
  }
  if (i.operands[0].kind === 'I' && n > 0) return hexadecimal(i.immediate2, 0, 1);
  const extends_ = extendingOpcodes.includes(i.opcode) && i.map === 0;
  return hexadecimal(i.immediate, i.immediateHigh, extends_ ? i.operandSize : 1);
}

function operandText(i: Instruction, operand: Operand, n: number): string {
  const size = i.sizeOf(n);
  const general = (number: number): string => generalName(number, size, i.rex !== 0);
  switch (operand.kind) {
    case 'E':
      if (i.mod === 3) return general(i.rm);
      // A segment register is 2 bytes in memory, whatever the operand size.
      return memory(i, i.operands[1 - n]?.kind === 'S' ? 2 : size);
    case 'R':
    case 'Z':
      return general(i.rm);
    case 'G':
      return general(i.reg);
    case 'r':
      return general(operand.number);
    case 'M':
    case 'O':
      return memory(i, size);
    case 'X':
      return `${sizeNames[size]}${segments[i.segment < 0 ? 3 : i.segment]}:[${generalName(6, i.addressSize, true)}]`;
    case 'Y':
      return `${sizeNames[size]}es:[${generalName(7, i.addressSize, true)}]`;
    case 'I':
      return immediate(i, n);
    case 'J': {
      const target = (i.next + i.immediate) & (i.mode === 32 && i.operandSize === 2 ? 0xffff : -1);
      return `0x${(target >>> 0).toString(16)}`;
    }
    case 'A':
      return `0x${i.immediate2.toString(16)}:0x${(i.immediate >>> 0).toString(16)}`;
    case 'S':
      return segments[i.reg];
    case 's':
      return segments[operand.number];
    case 'C':
      return `cr${i.reg}`;
    case 'D':
      return `dr${i.reg}`;
    case 'P':
      return `mm${i.reg & 7}`;
    case 'N':
      return `mm${i.rm & 7}`;
    case 'Q':
      return i.mod === 3 ? `mm${i.rm & 7}` : memory(i, size);
    case 'V':
      return `xmm${i.reg}`;
    case 'U':
      return `xmm${i.rm}`;
    case 'W':
      return i.mod === 3 ? `xmm${i.rm}` : memory(i, size);
    case '1':
      return `${operand.number}`;
    case 'XMM0':
      return 'xmm0';
    case 'ST0':
      return 'st';
    case 'STi':
      return `st(${i.rm & 7})`;
  }
}

/** The mnemonic with its condition. */
export function mnemonicOf(i: Instruction): string {
  return i.condition >= 0 ? i.mnemonic.replace('cc', conditionNames[i.condition]) : i.mnemonic;
}

function repeatText(i: Instruction): string {
  if (!i.repeats || i.repeat === 0) return '';
  if (i.repeat === 0xf2) return 'repne ';
  return /^(cmps|scas)/.test(i.mnemonic) ? 'repe ' : 'rep ';
}

/** The text of a decoded instruction. */
export function instructionText(i: Instruction): string {
  const operands = i.operands.map((operand, n) => operandText(i, operand, n)).join(',');
  const mnemonic = `${i.lock ? 'lock ' : ''}${repeatText(i)}${mnemonicOf(i)}`;
  return operands === '' ? mnemonic : `${mnemonic.padEnd(6)} ${operands}`;
}

/**
 * The name of an instruction in a VEX or EVEX encoding when it is that of an SSE instruction with a `v` before it.
 * @param at address of the first byte of the VEX or EVEX prefix
 */
function refusedName(decoder: Decoder, fetch: Fetch, at: number): string | undefined {
  const byte = (n: number): number => fetch((at + n) >>> 0, 1) ?? 0;
  let map = 1;
  let last = 1;
  let opcode = 2;
  if (byte(0) === 0xc4) {
    map = byte(1) & 31;
    last = 2;
    opcode = 3;
  } else if (byte(0) === 0x62) {
    map = byte(1) & 7;
    last = 2;
    opcode = 4;
  }
  if (map < 1 || map > 3) return undefined;
  const w = byte(0) !== 0xc5 ? byte(last) >> 7 : 0;
  const row = decoder.rowOf(map, byte(opcode), byte(last) & 3, w, byte(opcode + 1));
  return row === undefined || row.operands.some(({ kind }) => 'PQN'.includes(kind))
    ? undefined
    : `v${row.mnemonics[0]}`;
}

const extensions = { VEX: 'AVX', EVEX: 'AVX-512', XOP: 'XOP' };

const instructions = { 32: new Instruction(32), 64: new Instruction(64) };

/** Disassembles the instruction at pc; where there is none, says why. */
export function disassemble(fetch: Fetch, pc: number, mode: 32 | 64): { text: string; length: number } {
  const i = instructions[mode];
  const decoder = decoderOf(mode);
  const row = decoder.decode(i, fetch, pc);
  if (row >= 0) return { text: instructionText(i), length: i.length };
  if (row !== notAnInstruction) {
    const text = i.length > maximumLength ? `(longer than ${maximumLength} bytes)` : '(not executable)';
    return { text, length: Math.min(i.length, maximumLength) };
  }
  if (i.refused === '') return { text: '(bad)', length: 1 };
  const name = refusedName(decoder, fetch, (pc + i.length - 2) >>> 0) ?? `${i.refused}-encoded instruction`;
  return { text: `${name} (${extensions[i.refused]} is not implemented)`, length: i.length };
}
