/** Fixed-point arithmetic, compare, select, logical, rotate and shift instructions. */
import { type Builder, op, type Value } from '../ir/builder.ts';
import {
  BF,
  baseOrZero,
  type Lift,
  ME,
  maskOf,
  overflowBit,
  RA,
  RB,
  RC,
  type Row,
  RT,
  recordBit,
  SI,
  UI,
} from './instruction.ts';
import { ca, cr, ov, so } from './registers.ts';

const mulhS = op['i32.mulh_s'];
const mulhU = op['i32.mulh_u'];
const divS = op['i32.div_s'];
const divU = op['i32.div_u'];
const neg = op['i32.neg'];
const clz = op['i32.clz'];
const popcnt = op['i32.popcnt'];
const extend8 = op['i32.extend8_s'];
const extend16 = op['i32.extend16_s'];

const minimum = 0x80000000 | 0;

/** Sets condition field 0 from the signed comparison of a result with 0. */
export function record(b: Builder, result: Value): void {
  const zero = b.constant(0);
  b.set(cr, b.ltS(result, zero));
  b.set(cr + 1, b.gtS(result, zero));
  b.set(cr + 2, b.eqz(result));
  b.set(cr + 3, b.get(so));
}

/** Writes a result to a register, and to condition field 0 when the record bit is set. */
function finish(b: Builder, word: number, target: number, result: Value): void {
  b.set(target, result);
  if ((word & recordBit) !== 0) record(b, result);
}

function setOverflow(b: Builder, overflow: Value): void {
  b.set(ov, overflow);
  b.set(so, b.or(b.get(so), overflow));
}

/** Overflow of the signed sum of x, y and a carry. */
function sumOverflows(b: Builder, x: Value, y: Value, sum: Value): Value {
  return b.shrU(b.and(b.xor(x, sum), b.xor(y, sum)), b.constant(31));
}

/** Carry out of the sum of x, y and a carry. */
function sumCarries(b: Builder, x: Value, y: Value, sum: Value): Value {
  return b.shrU(b.or(b.and(x, y), b.and(b.or(x, y), b.not(sum))), b.constant(31));
}

// -- arithmetic

/** An XO-form instruction: `compute` gives the result, and `overflows` (for forms that have the overflow bit) the overflow. */
function arithmetic(compute: (b: Builder, x: Value, y: Value) => Value, overflows?: typeof sumOverflows): Lift {
  return (b, word) => {
    const x = b.get(RA(word));
    const y = b.get(RB(word));
    const result = compute(b, x, y);
    if (overflows !== undefined && (word & overflowBit) !== 0) setOverflow(b, overflows(b, x, y, result));
    finish(b, word, RT(word), result);
  };
}

const add = arithmetic((b, x, y) => b.add(x, y), sumOverflows);

const subf = arithmetic(
  (b, x, y) => b.sub(y, x),
  (b, x, y, result) => b.shrU(b.and(b.xor(y, x), b.xor(y, result)), b.constant(31)),
);

const mullw = arithmetic(
  (b, x, y) => b.mul(x, y),
  (b, x, y, result) => b.ne(b.binary(mulhS, x, y), b.shrS(result, b.constant(31))),
);
const mulhw = arithmetic((b, x, y) => b.binary(mulhS, x, y));
const mulhwu = arithmetic((b, x, y) => b.binary(mulhU, x, y));

// The quotient by 0 is undefined; it is the dividend here, as in QEMU, so that runs can be compared.
const divisor = (b: Builder, y: Value): Value => b.or(y, b.eqz(y));

const divw = arithmetic(
  (b, x, y) => b.binary(divS, x, divisor(b, y)),
  (b, x, y) => b.or(b.eqz(y), b.and(b.eq(x, b.constant(minimum)), b.eq(y, b.constant(-1)))),
);
const divwu = arithmetic(
  (b, x, y) => b.binary(divU, x, divisor(b, y)),
  (b, _x, y) => b.eqz(y),
);

const negate: Lift = (b, word) => {
  const x = b.get(RA(word));
  if ((word & overflowBit) !== 0) setOverflow(b, b.eq(x, b.constant(minimum)));
  finish(b, word, RT(word), b.unary(neg, x));
};

const addc: Lift = (b, word) => {
  const x = b.get(RA(word));
  const y = b.get(RB(word));
  const sum = b.add(x, y);
  b.set(ca, b.ltU(sum, x));
  if ((word & overflowBit) !== 0) setOverflow(b, sumOverflows(b, x, y, sum));
  finish(b, word, RT(word), sum);
};

const subfc: Lift = (b, word) => {
  const x = b.get(RA(word));
  const y = b.get(RB(word));
  const difference = b.sub(y, x);
  b.set(ca, b.geU(y, x));
  if ((word & overflowBit) !== 0) setOverflow(b, sumOverflows(b, b.not(x), y, difference));
  finish(b, word, RT(word), difference);
};

/** x + y + CA with carry and overflow out. */
function extended(b: Builder, word: number, x: Value, y: Value): void {
  const sum = b.add(b.add(x, y), b.get(ca));
  b.set(ca, sumCarries(b, x, y, sum));
  if ((word & overflowBit) !== 0) setOverflow(b, sumOverflows(b, x, y, sum));
  finish(b, word, RT(word), sum);
}

const adde: Lift = (b, word) => extended(b, word, b.get(RA(word)), b.get(RB(word)));

const subfe: Lift = (b, word) => {
  if (RA(word) !== RB(word)) {
    extended(b, word, b.not(b.get(RA(word))), b.get(RB(word)));
    return;
  }
  // ~x + x + CA, the idiom for a mask from the carry: CA stays, nothing overflows.
  const mask = b.sub(b.get(ca), b.constant(1));
  if ((word & overflowBit) !== 0) setOverflow(b, b.constant(0));
  finish(b, word, RT(word), mask);
};

/** x - 1 + CA: carries unless x and CA are 0. */
function toMinusOne(b: Builder, word: number, x: Value): void {
  const carry = b.get(ca);
  const sum = b.add(x, b.sub(carry, b.constant(1)));
  b.set(ca, b.or(b.ne(x, b.constant(0)), carry));
  if ((word & overflowBit) !== 0) setOverflow(b, b.shrU(b.and(x, b.not(sum)), b.constant(31)));
  finish(b, word, RT(word), sum);
}

/** x + CA: carries when x is all ones and CA is 1. */
function toZero(b: Builder, word: number, x: Value): void {
  const carry = b.get(ca);
  const sum = b.add(x, carry);
  b.set(ca, b.and(b.eq(x, b.constant(-1)), carry));
  if ((word & overflowBit) !== 0) setOverflow(b, b.shrU(b.and(b.not(x), sum), b.constant(31)));
  finish(b, word, RT(word), sum);
}

const addme: Lift = (b, word) => toMinusOne(b, word, b.get(RA(word)));
const subfme: Lift = (b, word) => toMinusOne(b, word, b.not(b.get(RA(word))));
const addze: Lift = (b, word) => toZero(b, word, b.get(RA(word)));
const subfze: Lift = (b, word) => toZero(b, word, b.not(b.get(RA(word))));

const addi: Lift = (b, word) => b.set(RT(word), b.add(baseOrZero(b, word), b.constant(SI(word))));
const addis: Lift = (b, word) => b.set(RT(word), b.add(baseOrZero(b, word), b.constant(word << 16)));
const mulli: Lift = (b, word) => b.set(RT(word), b.mul(b.get(RA(word)), b.constant(SI(word))));

const addCarrying = (b: Builder, word: number): Value => {
  const x = b.get(RA(word));
  const addend = b.constant(SI(word));
  const sum = b.add(x, addend);
  b.set(ca, b.ltU(sum, addend));
  b.set(RT(word), sum);
  return sum;
};
const addic: Lift = (b, word) => {
  addCarrying(b, word);
};
const addicRecord: Lift = (b, word) => record(b, addCarrying(b, word));

const subfic: Lift = (b, word) => {
  const x = b.get(RA(word));
  const minuend = b.constant(SI(word));
  b.set(ca, b.geU(minuend, x));
  b.set(RT(word), b.sub(minuend, x));
};

// -- compare and select

function compare(b: Builder, word: number, y: Value, signed: boolean): void {
  const x = b.get(RA(word));
  const field = cr + BF(word) * 4;
  b.set(field, signed ? b.ltS(x, y) : b.ltU(x, y));
  b.set(field + 1, signed ? b.gtS(x, y) : b.gtU(x, y));
  b.set(field + 2, b.eq(x, y));
  b.set(field + 3, b.get(so));
}

const cmpi: Lift = (b, word) => compare(b, word, b.constant(SI(word)), true);
const cmpli: Lift = (b, word) => compare(b, word, b.constant(UI(word)), false);
const cmp: Lift = (b, word) => compare(b, word, b.get(RB(word)), true);
const cmpl: Lift = (b, word) => compare(b, word, b.get(RB(word)), false);

const isel: Lift = (b, word) => b.set(RT(word), b.select(b.get(cr + RC(word)), baseOrZero(b, word), b.get(RB(word))));

// -- logical

/** An X-form instruction RA <- f(RS, RB). */
function logical(compute: (b: Builder, x: Value, y: Value) => Value): Lift {
  return (b, word) => finish(b, word, RA(word), compute(b, b.get(RT(word)), b.get(RB(word))));
}

const and = logical((b, x, y) => b.and(x, y));
const or = logical((b, x, y) => b.or(x, y));
const xor = logical((b, x, y) => b.xor(x, y));
const nand = logical((b, x, y) => b.not(b.and(x, y)));
const nor = logical((b, x, y) => b.not(b.or(x, y)));
const eqv = logical((b, x, y) => b.not(b.xor(x, y)));
const andc = logical((b, x, y) => b.and(x, b.not(y)));
const orc = logical((b, x, y) => b.or(x, b.not(y)));

/** The D forms RA <- f(RS, UI), with the immediate in the low or the high halfword. */
function immediate(combine: 'or' | 'xor', shift: 0 | 16): Lift {
  return (b, word) => b.set(RA(word), b[combine](b.get(RT(word)), b.constant(UI(word) << shift)));
}

const ori = immediate('or', 0);
const oris = immediate('or', 16);
const xori = immediate('xor', 0);
const xoris = immediate('xor', 16);

function andImmediate(b: Builder, word: number, mask: number): void {
  const result = b.and(b.get(RT(word)), b.constant(mask));
  b.set(RA(word), result);
  record(b, result);
}
const andi: Lift = (b, word) => andImmediate(b, word, UI(word));
const andis: Lift = (b, word) => andImmediate(b, word, word << 16);

/** An X-form instruction RA <- f(RS). */
function unary(compute: (b: Builder, x: Value) => Value): Lift {
  return (b, word) => finish(b, word, RA(word), compute(b, b.get(RT(word))));
}
/** The same where the last bit of the word is reserved. */
function unaryPlain(compute: (b: Builder, x: Value) => Value): Lift {
  return (b, word) => b.set(RA(word), compute(b, b.get(RT(word))));
}

const extsb = unary((b, x) => b.unary(extend8, x));
const extsh = unary((b, x) => b.unary(extend16, x));
const cntlzw = unary((b, x) => b.unary(clz, x));
const popcntw = unaryPlain((b, x) => b.unary(popcnt, x));

const popcntb = unaryPlain((b, x) => {
  const bits = (value: Value, shift: number, mask: number): Value =>
    b.and(b.shrU(value, b.constant(shift)), b.constant(mask));
  const pairs = b.sub(x, bits(x, 1, 0x55555555));
  const nibbles = b.add(b.and(pairs, b.constant(0x33333333)), bits(pairs, 2, 0x33333333));
  return b.and(b.add(nibbles, b.shrU(nibbles, b.constant(4))), b.constant(0x0f0f0f0f));
});

const prtyw = unaryPlain((b, x) => {
  const halves = b.xor(x, b.shrU(x, b.constant(16)));
  return b.and(b.xor(halves, b.shrU(halves, b.constant(8))), b.constant(1));
});

/** Each byte all ones where the operands' bytes are equal, else 0. */
const cmpb: Lift = (b, word) => {
  const difference = b.xor(b.get(RT(word)), b.get(RB(word)));
  const low = b.constant(0x7f7f7f7f);
  const different = b.or(b.add(b.and(difference, low), low), difference);
  const equal = b.and(b.shrU(b.not(different), b.constant(7)), b.constant(0x01010101));
  b.set(RA(word), b.mul(equal, b.constant(0xff)));
};

// -- rotate and shift

/** (x rotated left by `count`) & mask, by a shift when the mask takes no bit that went around. */
function rotateAndMask(b: Builder, x: Value, count: number, mask: number): Value {
  const shiftedLeft = -1 << count;
  if (count === 0) return b.and(x, b.constant(mask));
  if ((mask & ~shiftedLeft) === 0) {
    const shifted = b.shl(x, b.constant(count));
    return mask === shiftedLeft ? shifted : b.and(shifted, b.constant(mask));
  }
  if ((mask & shiftedLeft) === 0) {
    const shifted = b.shrU(x, b.constant(32 - count));
    return mask === ~shiftedLeft ? shifted : b.and(shifted, b.constant(mask));
  }
  return b.and(b.rotl(x, b.constant(count)), b.constant(mask));
}

const rlwinm: Lift = (b, word) => {
  const mask = maskOf(RC(word), ME(word));
  finish(b, word, RA(word), rotateAndMask(b, b.get(RT(word)), RB(word), mask));
};

const rlwimi: Lift = (b, word) => {
  const mask = maskOf(RC(word), ME(word));
  const inserted = rotateAndMask(b, b.get(RT(word)), RB(word), mask);
  finish(b, word, RA(word), b.or(inserted, b.and(b.get(RA(word)), b.constant(~mask))));
};

const rlwnm: Lift = (b, word) => {
  const mask = b.constant(maskOf(RC(word), ME(word)));
  finish(b, word, RA(word), b.and(b.rotl(b.get(RT(word)), b.get(RB(word))), mask));
};

// Shift counts have six bits: from 32 on nothing of the operand is left.
const tooFar = (b: Builder, count: Value): Value => b.and(count, b.constant(32));
const slw = logical((b, x, y) => b.select(tooFar(b, y), b.constant(0), b.shl(x, y)));
const srw = logical((b, x, y) => b.select(tooFar(b, y), b.constant(0), b.shrU(x, y)));

const sraw: Lift = (b, word) => {
  const x = b.get(RT(word));
  const count = b.get(RB(word));
  const far = tooFar(b, count);
  const negative = b.shrU(x, b.constant(31));
  const shifted = b.shrS(x, b.select(far, b.constant(31), count));
  b.set(ca, b.select(far, negative, b.and(negative, b.ne(b.shl(shifted, count), x))));
  finish(b, word, RA(word), shifted);
};

/** CA: the operand is negative and a one was shifted out. */
const srawi: Lift = (b, word) => {
  const x = b.get(RT(word));
  const count = RB(word);
  const lost = b.and(x, b.constant(~(-1 << count)));
  b.set(ca, b.and(b.ltS(x, b.constant(0)), b.ne(lost, b.constant(0))));
  finish(b, word, RA(word), b.shrS(x, b.constant(count)));
};

// biome-ignore format: one row per line
export const integerRows: readonly Row[] = [
  ['addi',   '001110 ttttt aaaaa iiiiiiiiiiiiiiii',     'rt,ra0,si',  'I 3.3.9', addi],
  ['addis',  '001111 ttttt aaaaa iiiiiiiiiiiiiiii',     'rt,ra0,si',  'I 3.3.9', addis],
  ['add',    '011111 ttttt aaaaa bbbbb O 100001010 R',  'rt,ra,rb',   'I 3.3.9', add],
  ['subf',   '011111 ttttt aaaaa bbbbb O 000101000 R',  'rt,ra,rb',   'I 3.3.9', subf],
  ['addic',  '001100 ttttt aaaaa iiiiiiiiiiiiiiii',     'rt,ra,si',   'I 3.3.9', addic],
  ['addic.', '001101 ttttt aaaaa iiiiiiiiiiiiiiii',     'rt,ra,si',   'I 3.3.9', addicRecord],
  ['subfic', '001000 ttttt aaaaa iiiiiiiiiiiiiiii',     'rt,ra,si',   'I 3.3.9', subfic],
  ['addc',   '011111 ttttt aaaaa bbbbb O 000001010 R',  'rt,ra,rb',   'I 3.3.9', addc],
  ['subfc',  '011111 ttttt aaaaa bbbbb O 000001000 R',  'rt,ra,rb',   'I 3.3.9', subfc],
  ['adde',   '011111 ttttt aaaaa bbbbb O 010001010 R',  'rt,ra,rb',   'I 3.3.9', adde],
  ['subfe',  '011111 ttttt aaaaa bbbbb O 010001000 R',  'rt,ra,rb',   'I 3.3.9', subfe],
  ['addme',  '011111 ttttt aaaaa ----- O 011101010 R',  'rt,ra',      'I 3.3.9', addme],
  ['subfme', '011111 ttttt aaaaa ----- O 011101000 R',  'rt,ra',      'I 3.3.9', subfme],
  ['addze',  '011111 ttttt aaaaa ----- O 011001010 R',  'rt,ra',      'I 3.3.9', addze],
  ['subfze', '011111 ttttt aaaaa ----- O 011001000 R',  'rt,ra',      'I 3.3.9', subfze],
  ['neg',    '011111 ttttt aaaaa ----- O 001101000 R',  'rt,ra',      'I 3.3.9', negate],
  ['mulli',  '000111 ttttt aaaaa iiiiiiiiiiiiiiii',     'rt,ra,si',   'I 3.3.9', mulli],
  ['mulhw',  '011111 ttttt aaaaa bbbbb - 001001011 R',  'rt,ra,rb',   'I 3.3.9', mulhw],
  ['mulhwu', '011111 ttttt aaaaa bbbbb - 000001011 R',  'rt,ra,rb',   'I 3.3.9', mulhwu],
  ['mullw',  '011111 ttttt aaaaa bbbbb O 011101011 R',  'rt,ra,rb',   'I 3.3.9', mullw],
  ['divw',   '011111 ttttt aaaaa bbbbb O 111101011 R',  'rt,ra,rb',   'I 3.3.9', divw],
  ['divwu',  '011111 ttttt aaaaa bbbbb O 111001011 R',  'rt,ra,rb',   'I 3.3.9', divwu],
  ['cmpwi',  '001011 fff-- aaaaa iiiiiiiiiiiiiiii',     'bf,ra,si',   'I 3.3.10', cmpi],
  ['cmpw',   '011111 fff-- aaaaa bbbbb 0000000000 -',   'bf,ra,rb',   'I 3.3.10', cmp],
  ['cmplwi', '001010 fff-- aaaaa uuuuuuuuuuuuuuuu',     'bf,ra,ui',   'I 3.3.10', cmpli],
  ['cmplw',  '011111 fff-- aaaaa bbbbb 0000100000 -',   'bf,ra,rb',   'I 3.3.10', cmpl],
  ['isel',   '011111 ttttt aaaaa bbbbb ccccc 01111 -',  'rt,ra0,rb,bc', 'I 3.3.12', isel],
  ['andi.',  '011100 sssss aaaaa uuuuuuuuuuuuuuuu',     'ra,rs,ui',   'I 3.3.13', andi],
  ['andis.', '011101 sssss aaaaa uuuuuuuuuuuuuuuu',     'ra,rs,ui',   'I 3.3.13', andis],
  ['ori',    '011000 sssss aaaaa uuuuuuuuuuuuuuuu',     'ra,rs,ui',   'I 3.3.13', ori],
  ['oris',   '011001 sssss aaaaa uuuuuuuuuuuuuuuu',     'ra,rs,ui',   'I 3.3.13', oris],
  ['xori',   '011010 sssss aaaaa uuuuuuuuuuuuuuuu',     'ra,rs,ui',   'I 3.3.13', xori],
  ['xoris',  '011011 sssss aaaaa uuuuuuuuuuuuuuuu',     'ra,rs,ui',   'I 3.3.13', xoris],
  ['and',    '011111 sssss aaaaa bbbbb 0000011100 R',   'ra,rs,rb',   'I 3.3.13', and],
  ['xor',    '011111 sssss aaaaa bbbbb 0100111100 R',   'ra,rs,rb',   'I 3.3.13', xor],
  ['nand',   '011111 sssss aaaaa bbbbb 0111011100 R',   'ra,rs,rb',   'I 3.3.13', nand],
  ['or',     '011111 sssss aaaaa bbbbb 0110111100 R',   'ra,rs,rb',   'I 3.3.13', or],
  ['nor',    '011111 sssss aaaaa bbbbb 0001111100 R',   'ra,rs,rb',   'I 3.3.13', nor],
  ['eqv',    '011111 sssss aaaaa bbbbb 0100011100 R',   'ra,rs,rb',   'I 3.3.13', eqv],
  ['andc',   '011111 sssss aaaaa bbbbb 0000111100 R',   'ra,rs,rb',   'I 3.3.13', andc],
  ['orc',    '011111 sssss aaaaa bbbbb 0110011100 R',   'ra,rs,rb',   'I 3.3.13', orc],
  ['extsb',  '011111 sssss aaaaa ----- 1110111010 R',   'ra,rs',      'I 3.3.13', extsb],
  ['extsh',  '011111 sssss aaaaa ----- 1110011010 R',   'ra,rs',      'I 3.3.13', extsh],
  ['cntlzw', '011111 sssss aaaaa ----- 0000011010 R',   'ra,rs',      'I 3.3.13', cntlzw],
  ['cmpb',   '011111 sssss aaaaa bbbbb 0111111100 -',   'ra,rs,rb',   'I 3.3.13', cmpb],
  ['popcntb', '011111 sssss aaaaa ----- 0001111010 -',  'ra,rs',      'I 3.3.13', popcntb],
  ['popcntw', '011111 sssss aaaaa ----- 0101111010 -',  'ra,rs',      'I 3.3.13', popcntw],
  ['prtyw',  '011111 sssss aaaaa ----- 0010011010 -',   'ra,rs',      'I 3.3.13', prtyw],
  ['rlwinm', '010101 sssss aaaaa hhhhh mmmmm eeeee R',  'ra,rs,sh,mb,me', 'I 3.3.14', rlwinm],
  ['rlwnm',  '010111 sssss aaaaa bbbbb mmmmm eeeee R',  'ra,rs,rb,mb,me', 'I 3.3.14', rlwnm],
  ['rlwimi', '010100 sssss aaaaa hhhhh mmmmm eeeee R',  'ra,rs,sh,mb,me', 'I 3.3.14', rlwimi],
  ['slw',    '011111 sssss aaaaa bbbbb 0000011000 R',   'ra,rs,rb',   'I 3.3.14', slw],
  ['srw',    '011111 sssss aaaaa bbbbb 1000011000 R',   'ra,rs,rb',   'I 3.3.14', srw],
  ['srawi',  '011111 sssss aaaaa hhhhh 1100111000 R',   'ra,rs,sh',   'I 3.3.14', srawi],
  ['sraw',   '011111 sssss aaaaa bbbbb 1100011000 R',   'ra,rs,rb',   'I 3.3.14', sraw],
];
