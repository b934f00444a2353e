/** From the texts of rows to numbers: what the decoder needs of a row, and the tables that lead from opcodes to rows. */
import {
  features,
  type Operand,
  type OperandKind,
  type Row,
  sizeA,
  sizeP,
  sizeS,
  sizeV,
  sizeY,
  sizeZ,
} from './instruction.ts';

/** Opcode maps: one byte, 0F, 0F 38, 0F 3A. */
export const mapCount = 4;

/** Kinds of immediate bytes, in the order in which the decoder reads them. */
export const immediateNone = 0;
/** A signed byte. */
export const immediateB = 1;
/** An unsigned word. */
export const immediateW = 2;
/** The operand size, at most 4, signed. */
export const immediateZ = 3;
/** The operand size. */
export const immediateV = 4;
/** An address (O). */
export const immediateAddress = 5;
/** A far pointer (A). */
export const immediateFar = 6;

/** A row as the decoder uses it. */
export interface CompiledRow {
  readonly row: Row;
  readonly index: number;
  readonly mnemonics: readonly string[];
  readonly operands: readonly Operand[];
  /** 0 to 3. */
  readonly map: number;
  /** First opcode byte in the map, and how many (1, 8 for `+r`, 16 for `+c`). */
  readonly opcode: number;
  readonly opcodes: number;
  readonly registerInOpcode: boolean;
  readonly conditionInOpcode: boolean;
  readonly hasModrm: boolean;
  /** Bit n is set when prefix n may lead here: none, 66, F3, F2. */
  readonly prefixes: number;
  /** Restrictions that decide which of two rows goes first. */
  readonly rank: number;
  /** 0 or 1, or -1 when it does not matter. */
  readonly w: number;
  readonly b: number;
  /** The ModRM bytes that are this instruction. */
  readonly matches: (modrm: number) => boolean;
  readonly matchesAll: boolean;
  readonly immediate: number;
  readonly immediate2: number;
  readonly lock: boolean;
  readonly repeats: boolean;
  /** Valid in 32-bit mode, in 64-bit mode. */
  readonly in32: boolean;
  readonly in64: boolean;
  /** Operand size 8 in 64-bit mode by default; always. */
  readonly default64: boolean;
  readonly force64: boolean;
  readonly unaligned: boolean;
  /** ModRM's reg field is a segment register. */
  readonly namesSegment: boolean;
  readonly namedByAddressSize: boolean;
}

const kinds = 'EGRZMOXYIJASCDPNQVUW';
const sizes: Readonly<Record<string, number>> = {
  '': 0,
  b: 1,
  w: 2,
  d: 4,
  q: 8,
  dq: 16,
  x: 16,
  ps: 16,
  pd: 16,
  ss: 4,
  sd: 8,
  t: 10,
  v: sizeV,
  z: sizeZ,
  y: sizeY,
  p: sizeP,
  s: sizeS,
  a: sizeA,
};

const fixed = (code: string, kind: OperandKind, size: number, number: number): [string, Operand] => [
  code,
  { kind, size, number, code },
];
const fixedOperands = new Map<string, Operand>([
  fixed('AL', 'r', 1, 0),
  fixed('CL', 'r', 1, 1),
  fixed('AX', 'r', 2, 0),
  fixed('DX', 'r', 2, 2),
  fixed('eAX', 'r', sizeZ, 0),
  fixed('rAX', 'r', sizeV, 0),
  ...['ES', 'CS', 'SS', 'DS', 'FS', 'GS'].map((code, number) => fixed(code, 's', sizeV, number)),
  fixed('1', '1', 1, 1),
  fixed('3', '1', 1, 3),
  fixed('XMM0', 'XMM0', 16, 0),
  fixed('ST0', 'ST0', 10, 0),
  fixed('STi', 'STi', 10, 0),
]);

const operandCache = new Map(fixedOperands);

/** @throws Error when the code is not one of the legend's */
function operandOf(code: string): Operand {
  let operand = operandCache.get(code);
  if (operand === undefined) {
    const kind = code[0];
    const size = sizes[code.slice(1)];
    if (!kinds.includes(kind) || size === undefined) throw new Error(`unknown operand ${code}`);
    operand = { kind: kind as OperandKind, size, number: 0, code };
    operandCache.set(code, operand);
  }
  return operand;
}

const mandatoryPrefixes: Readonly<Record<string, number | undefined>> = { NP: 1, '66': 2, F3: 4, F2: 8 };
const everyPrefix = 15;

const attributeNames = new Set<string>([
  ...['lock', 'rep', 'i64', 'o64', 'd64', 'f64', 'w0', 'w1', 'b0', 'b1', 'unaligned', 'asize'],
  ...features,
]);

const modrmAll = (): boolean => true;

function immediateOf({ kind, size, code }: Operand): number {
  if (kind === 'O') return immediateAddress;
  if (kind === 'A') return immediateFar;
  if (kind !== 'I' && kind !== 'J') return immediateNone;
  if (size === 1) return immediateB;
  if (size === 2) return immediateW;
  if (size === sizeZ) return immediateZ;
  if (size === sizeV) return immediateV;
  throw new Error(`operand ${code} has no immediate of this size`);
}

/** @throws Error with the row when it is not written as the legend in instruction.ts says */
export function compileRow(row: Row, index: number): CompiledRow {
  try {
    return compile(row, index);
  } catch (error) {
    throw new Error(`row ${index} (${row.slice(0, 4).join('; ')}): ${(error as Error).message}`);
  }
}

function compile(row: Row, index: number): CompiledRow {
  const [encoding, mnemonic, operandText, attributeText] = row;
  const tokens = encoding.split(' ');
  let at = 0;
  const mandatory = tokens.length > 1 ? mandatoryPrefixes[tokens[0]] : undefined;
  const prefixes = mandatory ?? everyPrefix;
  let rank = 0;
  if (mandatory !== undefined) {
    rank += 4;
    at++;
  }
  const bytes: number[] = [];
  let suffix = '';
  for (; at < tokens.length; at++) {
    const match = /^([0-9A-F]{2})(\+[rc])?$/.exec(tokens[at]);
    if (match === null) break;
    bytes.push(Number.parseInt(match[1], 16));
    suffix = match[2] ?? '';
  }
  let map = 0;
  if (bytes[0] === 0x0f && bytes.length > 1) {
    map = 1;
    bytes.shift();
    const second: number = bytes[0];
    if ((second === 0x38 || second === 0x3a) && bytes.length > 1) {
      map = second === 0x38 ? 2 : 3;
      bytes.shift();
    }
  }
  if (bytes.length !== 1) throw new Error('the opcode must be one byte of a map');

  const operands = operandText === '' ? [] : operandText.split(',').map(operandOf);
  const has = (letters: string): boolean => operands.some(({ kind }) => kind.length === 1 && letters.includes(kind));
  let matches: (modrm: number) => boolean = modrmAll;
  let hasModrm = false;
  const modrmToken = /^(?:\/([0-7r])|=([0-9A-F]{2})(\+i)?)$/.exec(tokens[at] ?? '');
  if (modrmToken !== null) {
    at++;
    hasModrm = true;
    const [, digit, byte, variable] = modrmToken;
    if (byte !== undefined) {
      const first = Number.parseInt(byte, 16);
      matches = variable === undefined ? (modrm) => modrm === first : (modrm) => (modrm & 0xf8) === first;
    } else {
      const only = tokens[at];
      const memory = only === 'mem' || has('M');
      const register = only === 'reg' || has('URN');
      if (only === 'mem' || only === 'reg') at++;
      if (memory && register) throw new Error('only memory and only registers');
      const reg = digit === 'r' ? -1 : Number(digit);
      if (reg >= 0 || memory || register) {
        matches = (modrm) =>
          (reg < 0 || ((modrm >> 3) & 7) === reg) && (!memory || modrm < 0xc0) && (!register || modrm >= 0xc0);
      }
    }
  } else if (has('EGRMSCDPNQVUW')) throw new Error('an operand of ModRM without ModRM');
  if (at !== tokens.length) throw new Error(`cannot read '${tokens[at]}'`);
  if ((suffix === '+r') !== has('Z')) throw new Error('operand Z and +r need each other');

  const attributes = attributeText === '' ? [] : attributeText.split(' ');
  for (const name of attributes) if (!attributeNames.has(name)) throw new Error(`unknown attribute '${name}'`);
  const w = attributes.includes('w1') ? 1 : attributes.includes('w0') ? 0 : -1;
  const b = attributes.includes('b1') ? 1 : attributes.includes('b0') ? 0 : -1;
  if (b >= 0) rank += 1;
  if (w >= 0) rank += 1;
  const immediates = operands.map(immediateOf).filter((kind) => kind !== immediateNone);
  if (immediates.length > 2 || (immediates.length === 2 && immediates[1] !== immediateB)) {
    throw new Error('a second immediate must be a byte');
  }
  return {
    row,
    index,
    mnemonics: mnemonic.split('|'),
    operands,
    map,
    opcode: bytes[0],
    opcodes: suffix === '+r' ? 8 : suffix === '+c' ? 16 : 1,
    registerInOpcode: suffix === '+r',
    conditionInOpcode: suffix === '+c',
    hasModrm,
    prefixes,
    rank,
    w,
    b,
    matches,
    matchesAll: matches === modrmAll,
    immediate: immediates[0] ?? immediateNone,
    immediate2: immediates[1] ?? immediateNone,
    lock: attributes.includes('lock'),
    repeats: attributes.includes('rep'),
    in32: !attributes.includes('o64') && w !== 1 && b !== 1,
    in64: !attributes.includes('i64'),
    default64: attributes.includes('d64'),
    force64: attributes.includes('f64'),
    unaligned: attributes.includes('unaligned'),
    namesSegment: has('S'),
    namedByAddressSize: attributes.includes('asize'),
  };
}

const name = ({ row }: CompiledRow): string => `${row[0]} ${row[1]}`;

/** The place of an encoding in the opcode maps (map << 8 | byte), and how many opcodes from there on it has. */
function placeOf(encoding: string): { first: number; count: number } {
  let at = /^(NP|66|F3|F2) /.test(encoding) ? 3 : 0;
  let map = 0;
  if (encoding.startsWith('0F ', at)) {
    at += 3;
    map = encoding.startsWith('38 ', at) ? 2 : encoding.startsWith('3A ', at) ? 3 : 1;
    if (map > 1) at += 3;
  }
  const suffix = encoding.slice(at + 2, at + 4);
  return {
    first: (map << 8) | Number.parseInt(encoding.slice(at, at + 2), 16),
    count: suffix === '+r' ? 8 : suffix === '+c' ? 16 : 1,
  };
}

/** In `opcodes`: there are rows, which nobody has looked for. */
export const notCompiled = 0x7fffffff;

/**
 * The way from an opcode to a row, for one mode. `opcodes[map << 8 | byte]` is row + 1, 0 for no instruction, or -n: then
 * `variants[n + key]`, where the key is the prefix (none, 66, F3, F2) times four, plus 2 for REX.W, plus 1 for REX.B, is
 * row + 1, 0, or -m: then `modrms[m + modrm]` is row + 1 or 0. Or it is `notCompiled`: a short program decodes few
 * opcodes, so the rows of one are compiled when it is first seen.
 */
export class DispatchTables {
  readonly opcodes = new Int32Array(mapCount << 8);
  // Index 0 is nobody's, so that -n is negative.
  readonly variants: number[] = [0];
  readonly modrms: number[] = [0];
  /** Rows as far as they are compiled. */
  readonly rows: CompiledRow[];
  /** Pairs of rows of equal rank that claim the same bytes; empty when the tables are right. */
  readonly overlaps: string[] = [];
  private readonly table: readonly Row[];
  private readonly mode: 32 | 64;
  /** Indices of the rows of each opcode. */
  private readonly candidates: number[][] = [];

  constructor(table: readonly Row[], mode: 32 | 64) {
    this.table = table;
    this.mode = mode;
    this.rows = new Array<CompiledRow>(table.length);
    for (let index = 0; index < table.length; index++) {
      const { first, count } = placeOf(table[index][0]);
      for (let slot = first; slot < first + count; slot++) {
        this.opcodes[slot] = notCompiled;
        this.candidates[slot] ??= [];
        this.candidates[slot].push(index);
      }
    }
  }

  /** Compiles every row. @throws Error where one is not written as the legend in instruction.ts says */
  compileAll(): readonly CompiledRow[] {
    for (let index = 0; index < this.table.length; index++) this.rows[index] ??= compileRow(this.table[index], index);
    for (let slot = 0; slot < this.opcodes.length; slot++) this.entryAt(slot);
    return this.rows;
  }

  /** What `opcodes` has at a slot, compiled. */
  entryAt(slot: number): number {
    const entry = this.opcodes[slot];
    if (entry !== notCompiled) return entry;
    const rows: CompiledRow[] = [];
    for (const index of this.candidates[slot]) {
      this.rows[index] ??= compileRow(this.table[index], index);
      const row = this.rows[index];
      if (this.mode === 64 ? row.in64 : row.in32) rows.push(row);
    }
    this.opcodes[slot] = this.compile(rows);
    return this.opcodes[slot];
  }

  /** Makes the entry of an opcode. */
  private compile(rows: readonly CompiledRow[]): number {
    if (rows.every(({ prefixes, w, b }) => prefixes === everyPrefix && w < 0 && b < 0)) {
      const entry = this.entryOf(rows);
      if (entry >= 0) return entry;
    }
    const { variants } = this;
    const start = variants.length;
    const known = new Map<string, number>();
    for (let key = 0; key < 16; key++) {
      const matching = rows.filter(
        ({ prefixes, w, b }) =>
          (prefixes & (1 << (key >> 2))) !== 0 && (w < 0 || w === ((key >> 1) & 1)) && (b < 0 || b === (key & 1)),
      );
      const identity = matching.map(({ index }) => index).join();
      let entry = known.get(identity);
      if (entry === undefined) {
        entry = this.entryOf(matching);
        known.set(identity, entry);
      }
      variants.push(entry);
    }
    return -start;
  }

  /** The entry of an opcode whose prefixes are known. */
  private entryOf(rows: readonly CompiledRow[]): number {
    if (rows.length === 0) return 0;
    if (rows.length === 1 && rows[0].matchesAll) return rows[0].index + 1;
    const ordered = rows.toSorted((a, b) => b.rank - a.rank);
    const [first, second] = ordered;
    // Whether a ModRM byte follows must not depend on it.
    if (!ordered.every(({ hasModrm }) => hasModrm)) {
      if (first.rank === second.rank || first.hasModrm) this.noteOverlap(first, second);
      return first.index + 1;
    }
    const { modrms } = this;
    const start = modrms.length;
    for (let modrm = 0; modrm < 256; modrm++) {
      let best: CompiledRow | undefined;
      for (const row of ordered) {
        if (!row.matches(modrm)) continue;
        if (best === undefined) best = row;
        else if (best.rank === row.rank) this.noteOverlap(best, row);
      }
      modrms.push(best === undefined ? 0 : best.index + 1);
    }
    return -start;
  }

  private noteOverlap(a: CompiledRow, b: CompiledRow): void {
    const text = `${name(a)} / ${name(b)}`;
    if (!this.overlaps.includes(text)) this.overlaps.push(text);
  }
}
