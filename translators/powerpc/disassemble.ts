/** PowerPC assembly text from instruction words, in the form of objdump's, with the usual simplified mnemonics. */
import { decode, rows } from './decode.ts';
import {
  absoluteBit,
  BF,
  BFA,
  FXM,
  linkBit,
  ME,
  overflowBit,
  RA,
  RB,
  RC,
  RT,
  recordBit,
  SI,
  SPR,
  UI,
} from './instruction.ts';
import { specialRegisters } from './system.ts';

const conditions = ['lt', 'gt', 'eq', 'so'];

const address = (value: number): string => (value >>> 0).toString(16);

/** A bit of the condition register: `eq`, `4*cr7+lt`. */
const conditionBit = (bit: number): string => {
  const name = conditions[bit & 3];
  return bit < 4 ? name : `4*cr${bit >> 2}+${name}`;
};

const baseOrZero = (word: number): string => (RA(word) === 0 ? '0' : `r${RA(word)}`);

/** Targets of the I and B forms. */
const branchTarget = (word: number, pc: number, displacement: number): string =>
  address((word & absoluteBit) !== 0 ? displacement : pc + displacement);

/** The operands that rows name. */
const operandFormats: Readonly<Record<string, (word: number, pc: number) => string>> = {
  rt: (word) => `r${RT(word)}`,
  rs: (word) => `r${RT(word)}`,
  ra: (word) => `r${RA(word)}`,
  rb: (word) => `r${RB(word)}`,
  ra0: baseOrZero,
  si: (word) => `${SI(word)}`,
  ui: (word) => `${UI(word)}`,
  'd(ra)': (word) => `${SI(word)}(r${RA(word)})`,
  'd(ra0)': (word) => `${SI(word)}(${baseOrZero(word)})`,
  sh: (word) => `${RB(word)}`,
  mb: (word) => `${RC(word)}`,
  me: (word) => `${ME(word)}`,
  '31-me': (word) => `${31 - ME(word)}`,
  nb: (word) => `${RB(word) || 32}`,
  frt: (word) => `f${RT(word)}`,
  fra: (word) => `f${RA(word)}`,
  frb: (word) => `f${RB(word)}`,
  frc: (word) => `f${RC(word)}`,
  bf: (word) => `cr${BF(word)}`,
  field: (word) => `${BF(word)}`,
  bfa: (word) => `cr${BFA(word)}`,
  bit: (word) => `${RT(word)}`,
  bt: (word) => conditionBit(RT(word)),
  ba: (word) => conditionBit(RA(word)),
  bb: (word) => conditionBit(RB(word)),
  bc: (word) => conditionBit(RC(word)),
  bo: (word) => `${RT(word)}`,
  bi: (word) => conditionBit(RA(word)),
  bh: (word) => `${RB(word) & 3}`,
  bd: (word, pc) => branchTarget(word, pc, SI(word) & ~3),
  li: (word, pc) => branchTarget(word, pc, ((word << 6) >> 6) & ~3),
  to: (word) => `${RT(word)}`,
  spr: (word) => `${SPR(word)}`,
  tbr: (word) => `${SPR(word)}`,
  sr: (word) => `${RA(word) & 15}`,
  fxm: (word) => `${FXM(word)}`,
  flm: (word) => `${(word >>> 17) & 255}`,
  u: (word) => `${(word >>> 12) & 15}`,
  l: (word) => `${(word >>> 21) & 3}`,
};

/** Suffix that each capital in a row's bits adds when the bit is set; the order is that of the text. */
const suffixes: readonly (readonly [letter: string, bit: number, suffix: string])[] = [
  ['O', overflowBit, 'o'],
  ['L', linkBit, 'l'],
  ['A', absoluteBit, 'a'],
  ['R', recordBit, '.'],
];

interface Simplified {
  readonly mnemonic: string;
  /** Operand names as in rows, or literal text after `=`. */
  readonly operands: string;
}
type Simplify = (word: number) => Simplified | undefined;

const dropFieldZero =
  (mnemonic: string, operands: string): Simplify =>
  (word) =>
    BF(word) === 0 ? { mnemonic, operands } : undefined;

const whenSame =
  (mnemonic: string, operands: string): Simplify =>
  (word) =>
    RT(word) === RB(word) ? { mnemonic, operands } : undefined;

const whenSameBits =
  (mnemonic: string, operands: string, all: boolean): Simplify =>
  (word) =>
    RA(word) === RB(word) && (!all || RT(word) === RA(word)) ? { mnemonic, operands } : undefined;

/** Conditional branches by BO, without its hint bits: the condition, or the counter. */
const conditionNames: Readonly<Record<number, readonly string[]>> = {
  4: ['ge', 'le', 'ne', 'ns'],
  12: conditions,
};
const counterNames: Readonly<Record<number, string>> = { 16: 'dnz', 18: 'dz' };

/** bc, bclr and bcctr: `suffix` is what follows the condition, `target` the operand that is left. */
function branch(suffix: string, target: string): Simplify {
  return (word) => {
    const bo = RT(word);
    if ((bo & 20) === 20) return target === '' ? { mnemonic: `b${suffix}`, operands: '' } : undefined;
    const counter = (bo & 20) === 16 ? counterNames[bo & 18] : undefined;
    if (counter !== undefined) return { mnemonic: `b${counter}${suffix}`, operands: target };
    const names = conditionNames[bo & 28];
    if (names === undefined) return undefined;
    const field = RA(word) < 4 ? [] : [`=cr${RA(word) >> 2}`];
    const operands = target === '' ? field : [...field, target];
    return { mnemonic: `b${names[RA(word) & 3]}${suffix}`, operands: operands.join(',') };
  };
}

const trapNames: Readonly<Record<number, string>> = {
  1: 'lgt',
  2: 'llt',
  4: 'eq',
  5: 'lge',
  6: 'lle',
  8: 'gt',
  12: 'ge',
  16: 'lt',
  20: 'le',
  24: 'ne',
  31: 'u',
};

function trap(suffix: string, operands: string): Simplify {
  return (word) => {
    const name = trapNames[RT(word)];
    return name === undefined ? undefined : { mnemonic: `tw${name}${suffix}`, operands };
  };
}

const specialMove =
  (prefix: string, operands: string): Simplify =>
  (word) => {
    const register = specialRegisters.get(SPR(word));
    return register === undefined ? undefined : { mnemonic: `${prefix}${register.name}`, operands };
  };

const rotateImmediate: Simplify = (word) => {
  const count = RB(word);
  const first = RC(word);
  const last = ME(word);
  if (first === 0 && last === 31) return { mnemonic: 'rotlwi', operands: 'ra,rs,sh' };
  if (count === 0 && last === 31) return { mnemonic: 'clrlwi', operands: 'ra,rs,mb' };
  if (count === 0 && first === 0) return { mnemonic: 'clrrwi', operands: 'ra,rs,31-me' };
  if (first === 0 && last === 31 - count) return { mnemonic: 'slwi', operands: 'ra,rs,sh' };
  if (last === 31 && first === 32 - count) return { mnemonic: 'srwi', operands: 'ra,rs,mb' };
  return undefined;
};

const barriers = ['sync', 'lwsync', 'ptesync'];

const simplifications: Readonly<Record<string, Simplify>> = {
  addi: (word) => (RA(word) === 0 ? { mnemonic: 'li', operands: 'rt,si' } : undefined),
  addis: (word) => (RA(word) === 0 ? { mnemonic: 'lis', operands: 'rt,si' } : undefined),
  ori: (word) => ((word & 0x3ffffff) === 0 ? { mnemonic: 'nop', operands: '' } : undefined),
  or: whenSame('mr', 'ra,rs'),
  nor: whenSame('not', 'ra,rs'),
  rlwinm: rotateImmediate,
  rlwnm: (word) => (RC(word) === 0 && ME(word) === 31 ? { mnemonic: 'rotlw', operands: 'ra,rs,rb' } : undefined),
  cmpwi: dropFieldZero('cmpwi', 'ra,si'),
  cmpw: dropFieldZero('cmpw', 'ra,rb'),
  cmplwi: dropFieldZero('cmplwi', 'ra,ui'),
  cmplw: dropFieldZero('cmplw', 'ra,rb'),
  bc: branch('', 'bd'),
  bclr: branch('lr', ''),
  bcctr: branch('ctr', ''),
  crxor: whenSameBits('crclr', 'bt', true),
  creqv: whenSameBits('crset', 'bt', true),
  cror: whenSameBits('crmove', 'bt,ba', false),
  crnor: whenSameBits('crnot', 'bt,ba', false),
  tw: (word) => (word === 0x7fe00008 ? { mnemonic: 'trap', operands: '' } : trap('', 'ra,rb')(word)),
  twi: trap('i', 'ra,si'),
  mfspr: specialMove('mf', 'rt'),
  mtspr: specialMove('mt', 'rs'),
  mftb: specialMove('mf', 'rt'),
  mtcrf: (word) => (FXM(word) === 255 ? { mnemonic: 'mtcr', operands: 'rs' } : undefined),
  sync: (word) => {
    const mnemonic = barriers[(word >>> 21) & 3];
    return mnemonic === undefined ? undefined : { mnemonic, operands: '' };
  },
};

/** The mnemonic that the table gives a word, with suffixes and without simplification; undefined for words that are no instruction. */
export function mnemonicOf(word: number): string | undefined {
  const row = decode(word);
  return row < 0 ? undefined : rows[row][0] + suffixOf(rows[row][1], word);
}

function suffixOf(bits: string, word: number): string {
  let suffix = '';
  for (const [letter, bit, text] of suffixes) if ((word & bit) !== 0 && bits.includes(letter)) suffix += text;
  return suffix;
}

/**
 * The text of one instruction; words that are none appear as `.long`.
 * @param pc its address, from which branch targets are computed
 */
export function disassemble(word: number, pc: number): string {
  const row = decode(word);
  if (row < 0) return `.long   0x${address(word)}`;
  const [name, bits, written] = rows[row];
  const simplified = simplifications[name]?.(word);
  const mnemonic = (simplified?.mnemonic ?? name) + suffixOf(bits, word);
  const operands = simplified?.operands ?? written;
  if (operands === '') return mnemonic;
  const text = operands.split(',').map((operand) => format(operand, word, pc));
  return `${mnemonic.padEnd(7)} ${text.join(',')}`;
}

function format(operand: string, word: number, pc: number): string {
  return operand.startsWith('=') ? operand.slice(1) : operandFormats[operand](word, pc);
}
