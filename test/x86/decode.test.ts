import { describe, expect, it } from 'vitest';
import type { Fetch } from '../../translators/frontend.ts';
import type { CompiledRow } from '../../translators/x86/compile-rows.ts';
import { Decoder, decoderOf, fetchFault, notAnInstruction, tooLong } from '../../translators/x86/decode.ts';
import { disassemble, instructionText } from '../../translators/x86/disassemble.ts';
import { Instruction, type Row, rexW, sizeA, sizeP, sizeS } from '../../translators/x86/instruction.ts';
import { generator } from '../float/cases.ts';
import { type Disassembled, loadCapstone, sameOperands, splitText } from './capstone.ts';
import { below, randomInstruction } from './random-instruction.ts';

const modes = [32, 64] as const;
const pc = 0x10001ffd;

/** Code at `pc`: the bytes, then zeros, up to `end`. */
function codeFetch(bytes: readonly number[], end = 0xffffffff): Fetch {
  return (address, length) => {
    if (address >= end) return undefined;
    let value = 0;
    for (let n = length - 1; n >= 0; n--) value = (value << 8) | (bytes[address + n - pc] ?? 0);
    return value >>> 0;
  };
}

const everything = { addressPrefixes: true, segments: true, lock: true, operandSize: true, idleRepeats: true };
const hexadecimal = (bytes: readonly number[]): string =>
  bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' ');

const prefixBytes = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3];
const isPrefix = (byte: number, mode: 32 | 64): boolean =>
  prefixBytes.includes(byte) || (mode === 64 && (byte & 0xf0) === 0x40);

/** Random numbers that depend on nothing but the row. */
const rowGenerator = ({ row }: CompiledRow): (() => number) =>
  generator([...row.slice(0, 4).join()].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 0));

describe.each(modes)('in %s-bit mode the table', (mode) => {
  const decoder = decoderOf(mode);
  const i = new Instruction(mode);
  const all = decoder.tables.compileAll();
  const rows = all.filter((row) => (mode === 64 ? row.in64 : row.in32));

  it('has no two rows for the same bytes', () => {
    expect(decoder.tables.overlaps).toEqual([]);
  });

  it('leads from random bytes of every row back to it', () => {
    for (const row of rows) {
      const next = rowGenerator(row);
      for (let n = 0; n < 32; n++) {
        const { bytes } = randomInstruction(row, next, { mode, ...everything });
        const found = decoder.decode(i, codeFetch(bytes), pc);
        const text = `${row.row.slice(0, 3)}: ${hexadecimal(bytes)}`;
        expect(i.length, text).toBe(bytes.length);
        if (bytes.length > 15) expect(found, text).toBe(tooLong);
        else if (found !== row.index) expect(all[found]?.rank ?? -1, text).toBeGreaterThan(row.rank);
      }
    }
  });

  it('says where code ends, wherever it ends in an instruction', () => {
    expect([decoder.decode(i, codeFetch([], 0), pc), i.faultAddress]).toEqual([fetchFault, pc]);
    const next = generator(2);
    for (const row of rows) {
      const { bytes } = randomInstruction(row, next, { mode, ...everything });
      if (bytes.length > 15) continue;
      // A page ends three bytes behind pc.
      const outcome = decoder.decode(i, codeFetch(bytes, pc + 3), pc);
      const text = hexadecimal(bytes);
      if (bytes.length <= 3) expect(outcome, text).toBeGreaterThanOrEqual(0);
      else expect([outcome, i.faultAddress], text).toEqual([fetchFault, pc + 3]);
    }
  });
});

describe('the decoder', () => {
  const decode = (mode: 32 | 64, ...bytes: number[]): { row: number; i: Instruction } => {
    const i = new Instruction(mode);
    return { row: decoderOf(mode).decode(i, codeFetch(bytes), pc), i };
  };

  it('takes 15 bytes and no more', () => {
    const prefixes = (count: number): number[] => new Array<number>(count).fill(0x66);
    expect(decode(32, ...prefixes(14), 0x90).row).toBeGreaterThanOrEqual(0);
    expect(decode(32, ...prefixes(15), 0x90).row).toBe(tooLong);
    expect(decode(64, ...prefixes(40)).row).toBe(tooLong);
    // Too long already, so that the missing page does not matter.
    const i = new Instruction(32);
    expect(decoderOf(32).decode(i, codeFetch(prefixes(20), pc + 19), pc)).toBe(tooLong);
    expect(decoderOf(32).decode(i, codeFetch(prefixes(20), pc + 11), pc)).toBe(fetchFault);
  });

  it('lets only the REX prefix right before the opcode count', () => {
    expect(decode(64, 0x48, 0x01, 0xc0).i.operandSize).toBe(8);
    expect(decode(64, 0x48, 0x66, 0x01, 0xc0).i.operandSize).toBe(2);
    expect(decode(64, 0x48, 0x41, 0x01, 0xc0).i).toMatchObject({ operandSize: 4, rm: 8 });
  });

  it('allows LOCK only where the manual does, on memory', () => {
    expect(decode(32, 0xf0, 0x01, 0x00).i.lock).toBe(true);
    expect(decode(32, 0xf0, 0x01, 0xc0).row).toBe(notAnInstruction);
    expect(decode(32, 0xf0, 0x03, 0x00).row).toBe(notAnInstruction);
    expect(decode(32, 0xf0, 0x39, 0x00).row).toBe(notAnInstruction);
    expect(decode(32, 0xf0, 0x90).row).toBe(notAnInstruction);
  });

  it('finds addresses relative to the next instruction, with immediates behind the displacement', () => {
    // add dword ptr [rip+0x10], 1
    const { i } = decode(64, 0x83, 0x05, 0x10, 0, 0, 0, 1);
    expect(i).toMatchObject({ ripRelative: true, displacement: pc + 7 + 0x10, displacementHigh: 0, immediate: 1 });
    expect(decode(64, 0x83, 0x05, 0, 0, 0, 0x80, 1).i).toMatchObject({ displacementHigh: -1 });
    // With 67 the sum has 32 bits.
    expect(decode(64, 0x67, 0x83, 0x05, 0, 0, 0, 0x80, 1).i).toMatchObject({ displacementHigh: 0 });
    expect(decode(32, 0x83, 0x05, 0x10, 0, 0, 0, 1).i).toMatchObject({ ripRelative: false, displacement: 0x10 });
  });

  it('has fixed segments in 64-bit mode but for FS and GS', () => {
    expect(decode(64, 0x2e, 0x01, 0x00).i.segment).toBe(-1);
    expect(decode(64, 0x65, 0x2e, 0x01, 0x00).i.segment).toBe(5);
    expect(decode(32, 0x65, 0x2e, 0x01, 0x00).i.segment).toBe(1);
  });

  it('refuses AVX, AVX-512 and XOP by name', () => {
    const text = (mode: 32 | 64, ...bytes: number[]): string => disassemble(codeFetch(bytes), pc, mode).text;
    expect(text(64, 0xc5, 0xf4, 0x58, 0xc2)).toBe('vaddps (AVX is not implemented)');
    expect(text(32, 0xc5, 0xf7, 0x58, 0xc2)).toBe('vaddsd (AVX is not implemented)');
    expect(text(64, 0xc4, 0xe2, 0x71, 0x00, 0xc2)).toBe('vpshufb (AVX is not implemented)');
    expect(text(64, 0x62, 0xf1, 0x74, 0x48, 0x58, 0xc2)).toBe('vaddps (AVX-512 is not implemented)');
    expect(text(64, 0xc4, 0xe2, 0x70, 0xf2, 0xc2)).toBe('VEX-encoded instruction (AVX is not implemented)');
    expect(text(64, 0x8f, 0xe8, 0x78, 0xc0, 0xc1, 0x05)).toBe('XOP-encoded instruction (XOP is not implemented)');
    // The same bytes are les, lds and bound where they address memory in 32-bit mode.
    expect(text(32, 0xc4, 0x01)).toMatch(/^les /);
    expect(text(32, 0xc5, 0x01)).toMatch(/^lds /);
    expect(text(32, 0x62, 0x01)).toMatch(/^bound /);
    expect(text(64, 0x8f, 0x00)).toMatch(/^pop /);
  });

  it('refuses rows that are not as the legend says', () => {
    const lift = (): void => {};
    const build = (...row: [string, string, string, string]): Decoder => {
      const decoder = new Decoder([[...row, lift]], 64);
      decoder.tables.compileAll();
      return decoder;
    };
    expect(() => build('00 /8', 'add', 'Eb,Gb', '')).toThrow(
      'row 0 (00 /8; add; Eb,Gb; ): an operand of ModRM without ModRM',
    );
    expect(() => build('00 /8', 'add', 'AL,Ib', '')).toThrow("cannot read '/8'");
    expect(() => build('00 /r', 'add', 'Eb,Hb', '')).toThrow('unknown operand Hb');
    expect(() => build('00 /r', 'add', 'Eb,Gb', 'locked')).toThrow("unknown attribute 'locked'");
    expect(() => build('50', 'push', 'Zv', '')).toThrow('operand Z and +r need each other');
    expect(() => build('00 /r mem', 'x', 'Udq', '')).toThrow('only memory and only registers');
    expect(() => build('', 'x', '', '')).toThrow('the opcode must be one byte of a map');
    const twice: Row[] = [
      ['66 0F 58 /r', 'addpd', 'Vpd,Wpd', '', lift],
      ['66 0F 58 /1', 'x', 'Wpd', '', lift],
    ];
    const { tables } = new Decoder(twice, 64);
    tables.compileAll();
    expect(tables.overlaps).toEqual(['66 0F 58 /r addpd / 66 0F 58 /1 x']);
  });
});

/** An instruction of ours, and what capstone says. */
interface Comparison {
  readonly i: Instruction;
  readonly row: CompiledRow;
  readonly theirs: Disassembled;
  /** The bytes before the opcode. */
  readonly prefixes: readonly number[];
}

/**
 * Where capstone is wrong or chose otherwise. `when` says of an instruction whether this is why the texts differ; the
 * lengths must be the same, 0 where capstone sees no instruction, or anything with `anyLength`.
 */
interface Difference {
  readonly reason: string;
  readonly anyLength?: true;
  readonly when: (comparison: Comparison) => boolean;
}

const operandSizePrefix = 0x66;
const addressSizePrefix = 0x67;

// biome-ignore format: one difference per line
const differences: readonly Difference[] = [
  { reason: 'F2 and F3 that mean nothing: taken for a mandatory prefix or for another instruction', when: ({ i, row }) => i.repeat !== 0 && !i.repeats && row.prefixes === 15 },
  { reason: '66 with REX.W, which goes before it: the smaller size', when: ({ i, prefixes }) => prefixes.includes(operandSizePrefix) && (i.rex & rexW) !== 0 },
  { reason: '66 before near branches in 64-bit mode, which Intel ignores and AMD does not: as AMD', anyLength: true, when: ({ i, row, prefixes }) => row.force64 && i.mode === 64 && prefixes.includes(operandSizePrefix) },
  { reason: '67 before a branch shortens the target', when: ({ i, prefixes }) => prefixes.includes(addressSizePrefix) && i.operands.some(({ kind }) => kind === 'J') },
  { reason: 'not known with 66 or 67 before it', when: ({ theirs, prefixes }) => theirs.length === 0 && prefixes.some((byte) => byte === operandSizePrefix || byte === addressSizePrefix) },
  { reason: 'ud0 and ud1 without their ModRM byte', anyLength: true, when: ({ theirs }) => /^ud[01]$/.test(theirs.mnemonic) },
  { reason: '66 and a mandatory F2 or F3: 66 for the mandatory one', when: ({ row, prefixes }) => (row.prefixes === 4 || row.prefixes === 8) && prefixes.includes(operandSizePrefix) },
  { reason: 'F2 before string instructions that compare nothing', when: ({ i }) => i.repeats && i.repeat === 0xf2 },
  { reason: 'no-operations that prefetches and extensions are among', when: ({ i }) => /^(nop|prefetch)$/.test(i.mnemonic) && i.map === 1 },
  { reason: 'other encodings of x87 instructions that the manual does not list', when: ({ i, row }) => row.map === 0 && (row.opcode & 0xf8) === 0xd8 && i.mod === 3 && /^(fcomp?|fxch|fstp|ffreep)$/.test(i.mnemonic) },
  { reason: 'pause with REX.W as xchg', when: ({ i }) => i.mnemonic === 'pause' && (i.rex & rexW) !== 0 },
  { reason: 'fences are known with rm 0 only', when: ({ i, theirs }) => /^[lms]fence$/.test(i.mnemonic) && (theirs.length === 0 || theirs.mnemonic === 'tpause') },
  { reason: 'rcl by 1 without the 1', when: ({ i, theirs }) => i.mnemonic === 'rcl' && theirs.mnemonic === 'rcl' && !theirs.operands.includes(',') },
  { reason: 'selectors and the machine status word in registers with the operand size', when: ({ i, row }) => (row.namesSegment || /^(sldt|str|smsw)$/.test(i.mnemonic)) && i.mod === 3 },
  { reason: 'comisd with an operand of 16 bytes', when: ({ i, theirs }) => i.mnemonic === 'comisd' && theirs.mnemonic === 'comisd' },
  { reason: 'comparisons of vectors by the name of their predicate', when: ({ i, theirs }) => /^cmp[ps][sd]$/.test(i.mnemonic) && /^cmp[a-z]+[ps][sd]$/.test(theirs.mnemonic) },
];

/** Instructions that are not implemented, and what capstone takes for instructions of other processors. */
const onlyCapstone =
  /^(l[as]r|lsl|ver[rw]|vm\w+|getsec|sysenter|syscall|sysret|femms|pf\w+|pi2f\w|pswapd|pmulhrw|pavgusb|x(save|rstor|crypt|store)\w*|x(begin|abort|end|test|getbv)|(rd|wr)(pkru|fsbase|gsbase|pid|rand|seed)|lock)$/;

/** Other names of the same instruction: capstone's and ours. */
const aliases: Readonly<Record<string, string>> = {
  pushal: 'pushad',
  pushaw: 'pusha',
  popal: 'popad',
  popaw: 'popa',
  lcall: 'callf',
  ljmp: 'jmpf',
  retfq: 'retf',
  sysretq: 'sysret',
  sysexitq: 'sysexit',
  movabs: 'mov',
  wait: 'fwait',
  feni8087_nop: 'fneni',
  fdisi8087_nop: 'fndisi',
  fucompi: 'fucomip',
  fcompi: 'fcomip',
};

/** Whether capstone's mnemonic is ours but for names of prefixes that mean nothing, of far pointers and of the element's size in strings. */
function sameName(i: Instruction, ours: string, theirs: string): boolean {
  if (ours === theirs) return true;
  let name = theirs.replace(/^notrack /, '');
  if (!i.repeats && i.repeat !== 0) name = name.replace(/^(repz?|repnz|repne|repe|bnd|xacquire|xrelease) /, '');
  if (i.operands.some(({ kind }) => kind === 'X' || kind === 'Y')) name = name.replace(/[bwdq]$/, '');
  if (i.operands[0]?.size === sizeP && /^(call|jmp)$/.test(name)) name += 'f';
  return ours === (aliases[name] ?? name);
}

/** Operands whose size in memory capstone does not name. */
const unnamedSizes = [sizeP, sizeS, sizeA];

/** The differences that were seen, in both modes. */
const seen = new Set<string>();

describe.each(modes)('in %s-bit mode capstone agrees', async (mode) => {
  const capstone = await loadCapstone(mode);
  const decoder = decoderOf(mode);
  const rows = decoder.tables.compileAll();
  const i = new Instruction(mode);

  /** Capstone must not know either what we do not. */
  function foundNothing(found: number, bytes: readonly number[]): string {
    if (found !== notAnInstruction || i.refused !== '') return '';
    const theirs = capstone(bytes, pc);
    if (theirs.length === 0 || onlyCapstone.test(theirs.mnemonic)) return '';
    // LOCK where the destination is a register.
    if (theirs.mnemonic.startsWith('lock ') && !/^[^,]*\[/.test(theirs.operands)) return '';
    // Moves of control registers, which programs may not make, with a mod that is ignored.
    if (/\b[cd]r\d/.test(theirs.operands)) return '';
    return `${hexadecimal(bytes)}: nothing / ${theirs.mnemonic} ${theirs.operands}`;
  }

  /** What differs, '' for nothing. */
  function compare(bytes: readonly number[]): string {
    const found = decoder.decode(i, codeFetch(bytes), pc);
    if (found < 0) return foundNothing(found, bytes);
    const text = instructionText(i);
    const ours = splitText(text);
    const theirs = capstone(bytes, pc);
    const sameLength = theirs.length === i.length;
    const sizes = i.operands.some(({ kind, size }) => unnamedSizes.includes(size) || (kind === 'M' && size === 0));
    const same =
      sameName(i, ours.mnemonic, theirs.mnemonic) &&
      (sameOperands(ours.operands, theirs.operands, mode, i.next, { sizes }) ||
        // Capstone leaves out the top of the x87 stack where it is one of two operands.
        sameOperands(ours.operands.replace(/^st,|,st$/, ''), theirs.operands, mode, i.next, { sizes }));
    if (same && sameLength) return '';
    const opcodeAt = bytes.findIndex((byte) => !isPrefix(byte, mode));
    const comparison = { i, row: rows[found], theirs, prefixes: bytes.slice(0, opcodeAt) };
    const reason = differences.find(
      ({ anyLength, when }) => (sameLength || theirs.length === 0 || anyLength === true) && when(comparison),
    );
    if (reason === undefined) {
      return `${hexadecimal(bytes.slice(0, Math.max(i.length, theirs.length)))}: ${text} (${i.length}) / ${theirs.mnemonic} ${theirs.operands} (${theirs.length})`;
    }
    seen.add(reason.reason);
    return '';
  }

  it('about every row', () => {
    const disagreements: string[] = [];
    for (const row of rows) {
      if (!(mode === 64 ? row.in64 : row.in32)) continue;
      const next = rowGenerator(row);
      for (let n = 0; n < 32; n++) {
        const { bytes } = randomInstruction(row, next, { mode, ...everything });
        if (bytes.length > 15) continue;
        const disagreement = compare(bytes);
        if (disagreement !== '') disagreements.push(disagreement);
      }
    }
    expect(disagreements).toEqual([]);
  });

  it('about random bytes', () => {
    const next = generator(4);
    const disagreements: string[] = [];
    for (let n = 0; n < 20000; n++) {
      const bytes = Array.from({ length: 15 }, () => next() & 0xff);
      // Half of them with the escape byte, which a random byte seldom is.
      if ((n & 1) === 1) bytes[below(next, 2)] = 0x0f;
      const disagreement = compare(bytes);
      if (disagreement !== '') disagreements.push(disagreement);
    }
    expect(disagreements).toEqual([]);
  });
});

it('every difference from capstone is seen', () => {
  expect(differences.map(({ reason }) => reason).filter((reason) => !seen.has(reason))).toEqual([]);
});
