/**
 * Floating-point instructions.
 *
 * Exact mode calls a helper for everything that touches the status and control register. Else the
 * operations are inline: rounded to nearest, with NaN results as the architecture chooses them, and
 * the status register stays as it was. An instruction that shows status bits (mffs, the record
 * forms) calls a helper in both modes, which turns the exact mode on.
 */
import { type Builder, op, type Value } from '../ir/builder.ts';
import { leavesDefaultMode } from './floating-point.ts';
import { callHelper, helperNumber } from './helpers.ts';
import { BF, BFA, type Lift, RA, RB, RC, type Row, RT, recordBit } from './instruction.ts';
import { cr, fpr, fpscr } from './registers.ts';

const neg = op['f64.neg'];
const abs = op['f64.abs'];
const select = op['f64.select'];
const lessThan = op['f64.lt'];
const greaterThan = op['f64.gt'];
const greaterOrEqual = op['f64.ge'];
const equal = op['f64.eq'];
const unordered = op['f64.unordered'];
const toSingle = op['f64.to_single'];
const fromHalves = op['f64.from_halves'];
const lowHalf = op['f64.low'];
const highHalf = op['f64.high'];

/** High word of the NaN that an invalid operation without a NaN operand makes. */
const defaultNan = 0x7ff80000;

const mffsHelper = helperNumber('mffs');
const mffslHelper = helperNumber('mffsl');

/** The record forms copy the first four status bits to condition field 1. */
function record(b: Builder, word: number): void {
  if ((word & recordBit) === 0) return;
  const status = b.get(fpscr);
  for (let bit = 0; bit < 4; bit++) {
    b.set(cr + 4 + bit, b.and(b.shrU(status, b.constant(31 - bit)), b.constant(1)));
  }
}

type Inline = (b: Builder, operands: readonly Value[]) => Value;

/**
 * An instruction that computes a double from registers.
 * @param fields the operands in the order in which a helper takes them
 * @param inline the inexact form; absent: the helper in both modes
 */
function compute(name: string, fields: readonly ((word: number) => number)[], inline?: Inline): Lift {
  const helper = helperNumber(name);
  return (b, word, exact) => {
    const operands = fields.map((field) => b.get(fpr + field(word)));
    const shows = (word & recordBit) !== 0;
    if (!exact && shows) callHelper(b, mffsHelper);
    const result = exact || shows || inline === undefined ? callHelper(b, helper, ...operands) : inline(b, operands);
    b.set(fpr + RT(word), result);
    record(b, word);
  };
}

/** Two operands; the NaN result is that of the first. */
const dyadic =
  (code: number): Inline =>
  (b, [x, y]) =>
    b.nanOf2(b.binary(code, x, y), x, y, defaultNan);

const squareRoot =
  (code: number): Inline =>
  (b, [x]) =>
    b.nanOf2(b.unary(code, x), x, x, defaultNan);

/** x * y + z: operands FRA, FRC, FRB; the NaN result is that of FRA, then FRB, then FRC, never negated. */
const multiplyAdd =
  (code: number, negateAddend: boolean, negateResult: boolean): Inline =>
  (b, [x, y, z]) => {
    let result = b.ternary(code, x, y, negateAddend ? b.unary(neg, z) : z);
    if (negateResult) result = b.unary(neg, result);
    return b.nanOf2(result, x, b.nanOf2(result, z, y, defaultNan), defaultNan);
  };

/** A NaN stays one, quieted and with the bits gone that a single has no place for. */
const roundToSingle: Inline = (b, [x]) => {
  const high = b.or(b.unary(highHalf, x), b.constant(0x80000));
  const low = b.and(b.unary(lowHalf, x), b.constant(0xe0000000));
  return b.ternary(select, b.binary(unordered, x, x), b.binary(fromHalves, low, high), b.unary(toSingle, x));
};

/** The high word, which the architecture leaves open, is the sign, or 0 for a NaN, as in QEMU and the helpers. */
const toInteger =
  (code: number): Inline =>
  (b, [x]) => {
    const integer = b.unary(code, x);
    const sign = b.shrS(integer, b.constant(31));
    return b.binary(fromHalves, integer, b.select(b.binary(unordered, x, x), b.constant(0), sign));
  };

// -- moves and selection, which touch no status

function move(change: (b: Builder, x: Value) => Value): Lift {
  return (b, word, exact) => {
    b.set(fpr + RT(word), change(b, b.get(fpr + RB(word))));
    showStatus(b, word, exact);
  };
}

function showStatus(b: Builder, word: number, exact: boolean): void {
  if (!exact && (word & recordBit) !== 0) callHelper(b, mffsHelper);
  record(b, word);
}

const fmr = move((_b, x) => x);
const fneg = move((b, x) => b.unary(neg, x));
const fabs = move((b, x) => b.unary(abs, x));
const fnabs = move((b, x) => b.unary(neg, b.unary(abs, x)));

const fcpsgn: Lift = (b, word, exact) => {
  const x = b.get(fpr + RB(word));
  const sign = b.and(b.unary(highHalf, b.get(fpr + RA(word))), b.constant(0x80000000));
  const magnitude = b.and(b.unary(highHalf, x), b.constant(0x7fffffff));
  b.set(fpr + RT(word), b.binary(fromHalves, b.unary(lowHalf, x), b.or(magnitude, sign)));
  showStatus(b, word, exact);
};

/** FRC where FRA is at least 0 (of either sign), FRB where it is less or a NaN. */
const fsel: Lift = (b, word, exact) => {
  const condition = b.binary(greaterOrEqual, b.get(fpr + RA(word)), b.constantF64(0, 0));
  b.set(fpr + RT(word), b.ternary(select, condition, b.get(fpr + RC(word)), b.get(fpr + RB(word))));
  showStatus(b, word, exact);
};

// -- compare

/** Sets a condition field from a number of four bits. */
function setField(b: Builder, field: number, value: Value): void {
  b.set(cr + field * 4, b.shrU(value, b.constant(3)));
  for (let bit = 1; bit < 4; bit++) {
    b.set(cr + field * 4 + bit, b.and(b.shrU(value, b.constant(3 - bit)), b.constant(1)));
  }
}

function compare(name: string): Lift {
  const helper = helperNumber(name);
  return (b, word, exact) => {
    const x = b.get(fpr + RA(word));
    const y = b.get(fpr + RB(word));
    if (exact) {
      setField(b, BF(word), callHelper(b, helper, x, y));
      return;
    }
    const field = cr + BF(word) * 4;
    b.set(field, b.binary(lessThan, x, y));
    b.set(field + 1, b.binary(greaterThan, x, y));
    b.set(field + 2, b.binary(equal, x, y));
    b.set(field + 3, b.binary(unordered, x, y));
  };
}

// -- status and control

/** mffs; with 24 in the reserved field, mffsl of later processors, which asks for the control bits only. */
const mffs: Lift = (b, word) => {
  b.set(fpr + RT(word), callHelper(b, RA(word) === 24 ? mffslHelper : mffsHelper));
  record(b, word);
};

const mffsControlHelper = helperNumber('mffsControl');

/** An mffs whose exception bits nobody looks at (floating-point-use.ts). */
export const mffsControl: Lift = (b, word) => {
  b.set(fpr + RT(word), callHelper(b, mffsControlHelper));
};

const mcrfsHelper = helperNumber('mcrfs');
const mcrfs: Lift = (b, word) => setField(b, BF(word), callHelper(b, mcrfsHelper, b.constant(BFA(word))));

const mtfsfHelper = helperNumber('mtfsf');
const mtfsf: Lift = (b, word) => {
  callHelper(b, mtfsfHelper, b.get(fpr + RB(word)), b.constant((word >>> 17) & 255));
  record(b, word);
};

const mtfsfiHelper = helperNumber('mtfsfi');
const mtfsfiModeHelper = helperNumber('mtfsfiMode');
const mtfsfi: Lift = (b, word) => {
  const helper = leavesDefaultMode(BF(word), (word >>> 12) & 15) ? mtfsfiModeHelper : mtfsfiHelper;
  callHelper(b, helper, b.constant(BF(word)), b.constant((word >>> 12) & 15));
  record(b, word);
};

function setStatusBit(name: string): Lift {
  const helper = helperNumber(name);
  return (b, word) => {
    callHelper(b, helper, b.constant(RT(word)));
    record(b, word);
  };
}

const AB = [RA, RB];
const AC = [RA, RC];
const ACB = [RA, RC, RB];
const B = [RB];
const fma = op['f64.fma'];
const fmaSingle = op['f64.fma_single'];

// biome-ignore format: one row per line
export const floatingRows: readonly Row[] = [
  ['fmr',     '111111 ttttt ----- bbbbb 0001001000 R',    'frt,frb',         'I 4.6.5', fmr],
  ['fneg',    '111111 ttttt ----- bbbbb 0000101000 R',    'frt,frb',         'I 4.6.5', fneg],
  ['fabs',    '111111 ttttt ----- bbbbb 0100001000 R',    'frt,frb',         'I 4.6.5', fabs],
  ['fnabs',   '111111 ttttt ----- bbbbb 0010001000 R',    'frt,frb',         'I 4.6.5', fnabs],
  ['fcpsgn',  '111111 ttttt aaaaa bbbbb 0000001000 R',    'frt,fra,frb',     'I 4.6.5', fcpsgn],
  ['fadd',    '111111 ttttt aaaaa bbbbb ----- 10101 R',   'frt,fra,frb',     'I 4.6.6.1', compute('fadd', AB, dyadic(op['f64.add']))],
  ['fadds',   '111011 ttttt aaaaa bbbbb ----- 10101 R',   'frt,fra,frb',     'I 4.6.6.1', compute('fadds', AB, dyadic(op['f64.add_single']))],
  ['fsub',    '111111 ttttt aaaaa bbbbb ----- 10100 R',   'frt,fra,frb',     'I 4.6.6.1', compute('fsub', AB, dyadic(op['f64.sub']))],
  ['fsubs',   '111011 ttttt aaaaa bbbbb ----- 10100 R',   'frt,fra,frb',     'I 4.6.6.1', compute('fsubs', AB, dyadic(op['f64.sub_single']))],
  ['fmul',    '111111 ttttt aaaaa ----- ccccc 11001 R',   'frt,fra,frc',     'I 4.6.6.1', compute('fmul', AC, dyadic(op['f64.mul']))],
  ['fmuls',   '111011 ttttt aaaaa ----- ccccc 11001 R',   'frt,fra,frc',     'I 4.6.6.1', compute('fmuls', AC, dyadic(op['f64.mul_single']))],
  ['fdiv',    '111111 ttttt aaaaa bbbbb ----- 10010 R',   'frt,fra,frb',     'I 4.6.6.1', compute('fdiv', AB, dyadic(op['f64.div']))],
  ['fdivs',   '111011 ttttt aaaaa bbbbb ----- 10010 R',   'frt,fra,frb',     'I 4.6.6.1', compute('fdivs', AB, dyadic(op['f64.div_single']))],
  ['fsqrt',   '111111 ttttt ----- bbbbb ----- 10110 R',   'frt,frb',         'I 4.6.6.1', compute('fsqrt', B, squareRoot(op['f64.sqrt']))],
  ['fsqrts',  '111011 ttttt ----- bbbbb ----- 10110 R',   'frt,frb',         'I 4.6.6.1', compute('fsqrts', B, squareRoot(op['f64.sqrt_single']))],
  ['fres',    '111011 ttttt ----- bbbbb ----- 11000 R',   'frt,frb',         'I 4.6.6.1', compute('fres', B)],
  ['frsqrte', '111111 ttttt ----- bbbbb ----- 11010 R',   'frt,frb',         'I 4.6.6.1', compute('frsqrte', B)],
  ['fmadd',   '111111 ttttt aaaaa bbbbb ccccc 11101 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fmadd', ACB, multiplyAdd(fma, false, false))],
  ['fmadds',  '111011 ttttt aaaaa bbbbb ccccc 11101 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fmadds', ACB, multiplyAdd(fmaSingle, false, false))],
  ['fmsub',   '111111 ttttt aaaaa bbbbb ccccc 11100 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fmsub', ACB, multiplyAdd(fma, true, false))],
  ['fmsubs',  '111011 ttttt aaaaa bbbbb ccccc 11100 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fmsubs', ACB, multiplyAdd(fmaSingle, true, false))],
  ['fnmadd',  '111111 ttttt aaaaa bbbbb ccccc 11111 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fnmadd', ACB, multiplyAdd(fma, false, true))],
  ['fnmadds', '111011 ttttt aaaaa bbbbb ccccc 11111 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fnmadds', ACB, multiplyAdd(fmaSingle, false, true))],
  ['fnmsub',  '111111 ttttt aaaaa bbbbb ccccc 11110 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fnmsub', ACB, multiplyAdd(fma, true, true))],
  ['fnmsubs', '111011 ttttt aaaaa bbbbb ccccc 11110 R',   'frt,fra,frc,frb', 'I 4.6.6.2', compute('fnmsubs', ACB, multiplyAdd(fmaSingle, true, true))],
  ['frsp',    '111111 ttttt ----- bbbbb 0000001100 R',    'frt,frb',         'I 4.6.7.1', compute('frsp', B, roundToSingle)],
  ['fctiw',   '111111 ttttt ----- bbbbb 0000001110 R',    'frt,frb',         'I 4.6.7.2', compute('fctiw', B, toInteger(op['i32.nearest_f64_s']))],
  ['fctiwz',  '111111 ttttt ----- bbbbb 0000001111 R',    'frt,frb',         'I 4.6.7.2', compute('fctiwz', B, toInteger(op['i32.trunc_f64_s']))],
  ['frin',    '111111 ttttt ----- bbbbb 0110001000 R',    'frt,frb',         'I 4.6.7.3', compute('frin', B)],
  ['friz',    '111111 ttttt ----- bbbbb 0110101000 R',    'frt,frb',         'I 4.6.7.3', compute('friz', B)],
  ['frip',    '111111 ttttt ----- bbbbb 0111001000 R',    'frt,frb',         'I 4.6.7.3', compute('frip', B)],
  ['frim',    '111111 ttttt ----- bbbbb 0111101000 R',    'frt,frb',         'I 4.6.7.3', compute('frim', B)],
  ['fcmpu',   '111111 fff-- aaaaa bbbbb 0000000000 -',    'bf,fra,frb',      'I 4.6.8', compare('fcmpu')],
  ['fcmpo',   '111111 fff-- aaaaa bbbbb 0000100000 -',    'bf,fra,frb',      'I 4.6.8', compare('fcmpo')],
  ['fsel',    '111111 ttttt aaaaa bbbbb ccccc 10111 R',   'frt,fra,frc,frb', 'I 4.6.9', fsel],
  ['mffs',    '111111 ttttt ----- ----- 1001000111 R',    'frt',             'I 4.6.10', mffs],
  ['mcrfs',   '111111 fff-- sss-- ----- 0001000000 -',    'bf,bfa',          'I 4.6.10', mcrfs],
  ['mtfsfi',  '111111 fff-- ----- uuuu - 0010000110 R',   'field,u',         'I 4.6.10', mtfsfi],
  ['mtfsf',   '111111 - ffffffff - bbbbb 1011000111 R',   'flm,frb',         'I 4.6.10', mtfsf],
  ['mtfsb0',  '111111 ttttt ----- ----- 0001000110 R',    'bit',             'I 4.6.10', setStatusBit('mtfsb0')],
  ['mtfsb1',  '111111 ttttt ----- ----- 0000100110 R',    'bit',             'I 4.6.10', setStatusBit('mtfsb1')],
];
