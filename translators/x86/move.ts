/** Moves, exchanges, extensions and conditional moves. */
import { op, type Value } from '../ir/builder.ts';
import { OF, readCondition, readFlags, readLowFlags, setFromWord, setSub, setZero } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rax, rbx, rcx, rdx } from './registers.ts';

const sub = op['i32.sub'];
const eq = op['i32.eq'];
const shrS = op['i32.shr_s'];
const bswapCode = op['i32.bswap'];
const i64ExtendS = op['i64.extend_i32_s'];

const select = (l: Lifter, size: number, condition: Value, yes: Value, no: Value): Value =>
  l.b.ternary(op[size === 8 ? 'i64.select' : 'i32.select'], condition, yes, no);

const mov: Lift = (l) => l.write(0, l.readAs(1, l.size(0)));

const lea: Lift = (l) => l.write(0, l.effective(l.size(0)));

/** AL becomes the byte at rBX + AL. */
const xlat: Lift = (l) => {
  const { b, i } = l;
  const index = l.general(rax, 1);
  if (i.addressSize === 8) l.pointAt(b.binary(op['i64.add'], b.get(rbx), l.widen(index)));
  else {
    const sum = b.add(l.word(rbx), index);
    l.pointAt(i.addressSize === 2 ? b.and(sum, b.constant(0xffff)) : sum);
  }
  l.setGeneral(rax, 1, l.load(op.load8_u));
};

// -- extension

const movzx: Lift = (l) => l.write(0, l.bit(l.size(0), l.read(1)));

/** A narrow source, sign-extended to the destination's size. */
const movsx: Lift = (l) => {
  const value = l.readSigned(1);
  l.write(0, l.size(0) === 8 ? l.b.unary(i64ExtendS, value) : value);
};

/** movsxd without REX.W is a plain move. */
const movsxd: Lift = (l) => {
  const size = l.size(0);
  const value = l.read(1);
  l.write(0, size === 8 ? l.b.unary(i64ExtendS, value) : value);
};

/** cbw, cwde, cdqe: the lower half of rAX fills all of it. */
const extendAccumulator: Lift = (l) => {
  const size = l.i.operandSize;
  const value = l.signed(l.general(rax, size >> 1), size >> 1);
  l.setGeneral(rax, size, size === 8 ? l.b.unary(i64ExtendS, value) : value);
};

/** cwd, cdq, cqo: rDX becomes the sign of rAX. */
const signOfAccumulator: Lift = (l) => {
  const { b } = l;
  const size = l.i.operandSize;
  const value = l.general(rax, size);
  const sign = l.binary(size, shrS, l.signed(value, size), b.constant(size === 8 ? 63 : 31));
  l.setGeneral(rdx, size, sign);
  if (size >= 4) l.notes.sign = { of: value, value: sign };
};

// -- byte order

const reversed = (l: Lifter, size: number, value: Value): Value => {
  const { b } = l;
  // Of a word: the lower half of what the doubleword's reversal leaves above.
  return size === 2 ? b.shrU(b.unary(bswapCode, value), b.constant(16)) : l.unary(size, bswapCode, value);
};

const movbe: Lift = (l) => l.write(0, reversed(l, l.size(0), l.read(1)));

/** Of a word, whose result is undefined, processors make 0. */
const bswap: Lift = (l) => {
  const size = l.size(0);
  l.write(0, size === 2 ? l.b.constant(0) : reversed(l, size, l.read(0)));
};

// -- exchange

const xchg: Lift = (l) => {
  const x = l.read(0);
  const y = l.read(1);
  l.write(0, y);
  l.write(1, x);
};

const nop: Lift = () => {};

/** Operand 0 becomes operand 1 when it equals rAX, which else takes its value; memory is written either way. */
const cmpxchg: Lift = (l) => {
  const { b } = l;
  const size = l.size(0);
  const found = l.read(0);
  const expected = l.general(rax, size);
  const equal = l.binary(size, eq, expected, found);
  if (l.inMemory(0)) l.write(0, select(l, size, equal, l.read(1), found));
  else {
    // All of the register that is not written stays, its upper half too.
    const register = l.registerOf(0);
    keepUnless(l, register, equal, () => l.setGeneral(register, size, l.read(1)));
  }
  keepUnless(l, rax, b.eqz(equal), () => l.setGeneral(rax, size, found));
  setSub(l, size, expected, found, l.binary(size, sub, expected, found));
};

/** Lets `write` change a general register only where the condition holds. */
function keepUnless(l: Lifter, register: number, condition: Value, write: () => void): void {
  const { b } = l;
  const full = l.i.rex === 0 && register >= 4 && l.size(0) === 1 ? register - 4 : register;
  const old = b.get(full);
  write();
  b.set(full, select(l, l.width, condition, b.get(full), old));
}

/** cmpxchg8b and cmpxchg16b: the same of a pair, with rDX:rAX and rCX:rBX. */
const cmpxchgPair: Lift = (l) => {
  const { b, i } = l;
  const size = i.operandSize === 8 ? 8 : 4;
  l.address();
  if (size === 8) l.requireAlignment(16);
  b.check(l.base, l.offset, 2 * size, 2);
  const low = l.loadSize(size);
  const high = l.loadSize(size, size);
  const equal = b.and(l.binary(size, eq, low, l.general(rax, size)), l.binary(size, eq, high, l.general(rdx, size)));
  l.storeSize(size, 0, select(l, size, equal, l.general(rbx, size), low));
  l.storeSize(size, size, select(l, size, equal, l.general(rcx, size), high));
  const different = b.eqz(equal);
  for (const [register, value] of [
    [rax, low],
    [rdx, high],
  ]) {
    keepUnless(l, register, different, () => l.setGeneral(register, size, value));
  }
  setZero(l, equal);
};

// -- conditions

const cmov: Lift = (l) => {
  const size = l.size(0);
  const value = l.read(1);
  l.write(0, select(l, size, readCondition(l, l.i.condition), value, l.read(0)));
};

const set: Lift = (l) => l.write(0, readCondition(l, l.i.condition));

const lahf: Lift = (l) => l.setHighByte(rax, readLowFlags(l));

/** SF, ZF, AF, PF and CF; OF stays. */
const sahf: Lift = (l) => {
  const { b } = l;
  const overflow = b.and(readFlags(l), b.constant(OF));
  setFromWord(l, b.or(overflow, b.and(b.shrU(l.word(rax), b.constant(8)), b.constant(0xff))));
};

// biome-ignore format: one row per line
export const moveRows: readonly Row[] = [
  ['63 /r',        'movsxd', 'Gv,Ed',  'o64',  movsxd],
  ['86 /r',        'xchg',   'Eb,Gb',  'lock', xchg],
  ['87 /r',        'xchg',   'Ev,Gv',  'lock', xchg],
  ['88 /r',        'mov',    'Eb,Gb',  '',     mov],
  ['89 /r',        'mov',    'Ev,Gv',  '',     mov],
  ['8A /r',        'mov',    'Gb,Eb',  '',     mov],
  ['8B /r',        'mov',    'Gv,Ev',  '',     mov],
  ['8D /r',        'lea',    'Gv,M',   '',     lea],
  ['90',           'nop',    '',       'b0',   nop],
  ['F3 90',        'pause',  '',       'b0',   nop],
  ['90+r',         'xchg',   'Zv,rAX', '',     xchg],
  ['98',           'cbw|cwde|cdqe', '', '',    extendAccumulator],
  ['99',           'cwd|cdq|cqo', '',  '',     signOfAccumulator],
  ['9E',           'sahf',   '',       'lahf', sahf],
  ['9F',           'lahf',   '',       'lahf', lahf],
  ['A0',           'mov',    'AL,Ob',  '',     mov],
  ['A1',           'mov',    'rAX,Ov', '',     mov],
  ['A2',           'mov',    'Ob,AL',  '',     mov],
  ['A3',           'mov',    'Ov,rAX', '',     mov],
  ['B0+r',         'mov',    'Zb,Ib',  '',     mov],
  ['B8+r',         'mov',    'Zv,Iv',  '',     mov],
  ['C6 /0',        'mov',    'Eb,Ib',  '',     mov],
  ['C7 /0',        'mov',    'Ev,Iz',  '',     mov],
  ['D7',           'xlatb',  '',       '',     xlat],
  ['0F 40+c /r',   'cmovcc', 'Gv,Ev',  'cmov', cmov],
  ['0F 90+c /r',   'setcc',  'Eb',     '',     set],
  ['0F B0 /r',     'cmpxchg', 'Eb,Gb', 'lock', cmpxchg],
  ['0F B1 /r',     'cmpxchg', 'Ev,Gv', 'lock', cmpxchg],
  ['0F B6 /r',     'movzx',  'Gv,Eb',  '',     movzx],
  ['0F B7 /r',     'movzx',  'Gv,Ew',  '',     movzx],
  ['0F BE /r',     'movsx',  'Gv,Eb',  '',     movsx],
  ['0F BF /r',     'movsx',  'Gv,Ew',  '',     movsx],
  ['NP 0F C3 /r',  'movnti', 'My,Gy',  'sse2', mov],
  ['0F C7 /1',     'cmpxchg8b', 'Mq',   'lock cx8 w0', cmpxchgPair],
  ['0F C7 /1',     'cmpxchg16b', 'Mdq', 'lock cx16 w1', cmpxchgPair],
  ['0F C8+r',      'bswap',  'Zv',     '',     bswap],
  ['NP 0F 38 F0 /r', 'movbe', 'Gv,Mv', 'movbe', movbe],
  ['66 0F 38 F0 /r', 'movbe', 'Gv,Mv', 'movbe', movbe],
  ['NP 0F 38 F1 /r', 'movbe', 'Mv,Gv', 'movbe', movbe],
  ['66 0F 38 F1 /r', 'movbe', 'Mv,Gv', 'movbe', movbe],
];
