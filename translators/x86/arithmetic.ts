/** Addition, subtraction, comparison, multiplication and division. */
import { op, type Value } from '../ir/builder.ts';
import { readCarry, setAdd, setLogic, setProduct, setStep, setSub, setSubBorrow } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rax, rdx } from './registers.ts';

const addCode = op['i32.add'];
const subCode = op['i32.sub'];
const andCode = op['i32.and'];
const orCode = op['i32.or'];
const xorCode = op['i32.xor'];
const mulCode = op['i32.mul'];
const mulhS = op['i32.mulh_s'];
const mulhU = op['i32.mulh_u'];
const divS = op['i32.div_s'];
const divU = op['i32.div_u'];
const remS = op['i32.rem_s'];
const remU = op['i32.rem_u'];
const eq = op['i32.eq'];
const ne = op['i32.ne'];
const eqz = op['i32.eqz'];
const neg = op['i32.neg'];
const shrS = op['i32.shr_s'];

/** Computes with operands of `size` bytes, zero-extended; `flags` sets the flags, once nothing can fault any more. */
type Operation = (l: Lifter, size: number, x: Value, y: Value) => { result: Value; flags: () => void };

const addition: Operation = (l, size, x, y) => {
  const result = l.binary(size, addCode, x, y);
  return { result, flags: () => setAdd(l, size, x, y, result) };
};

const subtraction: Operation = (l, size, x, y) => {
  const result = l.binary(size, subCode, x, y);
  return { result, flags: () => setSub(l, size, x, y, result) };
};

const additionWithCarry: Operation = (l, size, x, y) => {
  const result = l.binary(size, addCode, l.binary(size, addCode, x, y), l.bit(size, readCarry(l)));
  return { result, flags: () => setAdd(l, size, x, y, result, true) };
};

const subtractionWithBorrow: Operation = (l, size, x, y) => {
  const result = l.binary(size, subCode, l.binary(size, subCode, x, y), l.bit(size, readCarry(l)));
  return { result, flags: () => setSubBorrow(l, size, x, y, result) };
};

/** A bitwise operation by its code. */
function bitwise(code: number): Operation {
  return (l, size, x, y) => {
    const result = l.binary(size, code, x, y);
    return { result, flags: () => setLogic(l, size, result) };
  };
}

/** Operand 0 becomes f(operand 0, operand 1). */
function twoOperands(operation: Operation): Lift {
  return (l) => {
    const size = l.size(0);
    const x = l.read(0);
    const { result, flags } = operation(l, size, x, l.readAs(1, size));
    l.write(0, result);
    flags();
  };
}

/** The same for the flags only: cmp, test. */
function flagsOnly(operation: Operation): Lift {
  return (l) => {
    const size = l.size(0);
    const x = l.read(0);
    operation(l, size, x, l.readAs(1, size)).flags();
  };
}

/** The opcodes of one of the eight operations: six from 8 n on, and four of the group with /n. */
function operationRows(n: number, mnemonic: string, lift: Lift, lock: string): readonly Row[] {
  const opcode = (low: number): string => (8 * n + low).toString(16).toUpperCase().padStart(2, '0');
  const invalid64 = lock === '' ? 'i64' : `${lock} i64`;
  // biome-ignore format: one row per line
  return [
    [`${opcode(0)} /r`, mnemonic, 'Eb,Gb', lock, lift],
    [`${opcode(1)} /r`, mnemonic, 'Ev,Gv', lock, lift],
    [`${opcode(2)} /r`, mnemonic, 'Gb,Eb', '', lift],
    [`${opcode(3)} /r`, mnemonic, 'Gv,Ev', '', lift],
    [opcode(4), mnemonic, 'AL,Ib', '', lift],
    [opcode(5), mnemonic, 'rAX,Iz', '', lift],
    [`80 /${n}`, mnemonic, 'Eb,Ib', lock, lift],
    [`81 /${n}`, mnemonic, 'Ev,Iz', lock, lift],
    [`82 /${n}`, mnemonic, 'Eb,Ib', invalid64, lift],
    [`83 /${n}`, mnemonic, 'Ev,Ib', lock, lift],
  ];
}

const test = flagsOnly(bitwise(andCode));

function step(by: 1 | -1): Lift {
  return (l) => {
    const size = l.size(0);
    const x = l.read(0);
    const result = l.binary(size, by === 1 ? addCode : subCode, x, l.number(1, size));
    l.write(0, result);
    const carries = l.unary(size, eqz, by === -1 ? x : size < 4 ? l.truncated(result, size) : result);
    setStep(l, size, x, result, carries);
  };
}
const inc = step(1);
const dec = step(-1);

const negate: Lift = (l) => {
  const size = l.size(0);
  const x = l.read(0);
  const result = l.unary(size, neg, x);
  l.write(0, result);
  setSub(l, size, l.number(0, size), x, result);
};

const not: Lift = (l) => {
  const size = l.size(0);
  l.write(0, l.unary(size, op['i32.not'], l.read(0)));
};

/** xadd: the destination's old value goes to the source, first, so that where both are one register the sum stays. */
const xadd: Lift = (l) => {
  const size = l.size(0);
  const x = l.read(0);
  const y = l.read(1);
  const sum = l.binary(size, addCode, x, y);
  if (l.inMemory(0)) {
    l.write(0, sum);
    l.write(1, x);
  } else {
    l.write(1, x);
    l.write(0, sum);
  }
  setAdd(l, size, x, y, sum);
};

// -- multiplication

/** Whether a product that is the sign-extended (or zero-extended) 2 * `size` bytes does not fit `size` bytes (1 or 2). */
function narrowOverflow(l: Lifter, size: number, product: Value, signed: boolean): Value {
  return l.b.ne(product, signed ? l.signed(product, size) : l.truncated(product, size));
}

/** The two halves of x * y and whether the upper is needed, for operands of 4 and 8 bytes. */
function wideProduct(l: Lifter, size: number, x: Value, y: Value, signed: boolean): [Value, Value, Value] {
  const low = l.binary(size, mulCode, x, y);
  const high = l.binary(size, signed ? mulhS : mulhU, x, y);
  const extension = signed ? l.binary(size, shrS, low, l.b.constant(size * 8 - 1)) : l.number(0, size);
  return [low, high, l.binary(size, ne, high, extension)];
}

/** rDX:rAX (AX for bytes) becomes rAX times the operand. */
function multiply(signed: boolean): Lift {
  return (l) => {
    const { b } = l;
    const size = l.size(0);
    const y = signed && size < 8 ? l.readSigned(0) : l.read(0);
    const accumulator = l.general(rax, size);
    const x = signed ? l.signed(accumulator, size) : accumulator;
    if (size < 4) {
      const product = b.mul(x, y);
      l.setGeneral(rax, 2, product);
      if (size === 2) l.setGeneral(rdx, 2, b.shrU(product, b.constant(16)));
      setProduct(l, size, product, narrowOverflow(l, size, product, signed));
      return;
    }
    const [low, high, overflow] = wideProduct(l, size, x, y, signed);
    l.setGeneral(rax, size, low);
    l.setGeneral(rdx, size, high);
    setProduct(l, size, low, overflow);
  };
}

/** imul with two or three operands: operand 0 becomes operand `first` times operand `first + 1`. */
function multiplyTo(first: 0 | 1): Lift {
  return (l) => {
    const size = l.size(0);
    const x = l.signed(l.read(first), size);
    const y = l.signed(l.readAs(first + 1, size), size);
    if (size === 2) {
      const product = l.b.mul(x, y);
      l.write(0, product);
      setProduct(l, size, product, narrowOverflow(l, size, product, true));
      return;
    }
    const [low, , overflow] = wideProduct(l, size, x, y, true);
    l.write(0, low);
    setProduct(l, size, low, overflow);
  };
}

// -- division: flags stay, though they are undefined

/** AX / a byte, or DX:AX / a word. */
function divideNarrow(l: Lifter, size: number, signed: boolean): void {
  const { b } = l;
  const divisor = signed ? l.readSigned(0) : l.read(0);
  let dividend = l.general(rax, 2);
  if (size === 2) dividend = b.or(dividend, b.shl(l.word(rdx), b.constant(16)));
  else if (signed) dividend = l.signed(dividend, 2);
  const quotient = b.binary(signed ? divS : divU, dividend, divisor);
  const remainder = b.binary(signed ? remS : remU, dividend, divisor);
  l.leaveIf(b.eqz(divisor), 'divide');
  // -2^31 / -1 wraps to -2^31, which does not fit either.
  l.leaveIf(narrowOverflow(l, size, quotient, signed), 'divide');
  if (size === 2) {
    l.setGeneral(rax, 2, quotient);
    l.setGeneral(rdx, 2, remainder);
  } else l.setGeneral(rax, 2, b.or(b.and(quotient, b.constant(0xff)), b.shl(remainder, b.constant(8))));
}

/** Whether a value of 4 or 8 bytes is known to be 0. */
function isZero(l: Lifter, size: number, value: Value): boolean {
  const { b } = l;
  const known = (word: Value): boolean => b.isConstant(word) && b.constantOf(word) === 0;
  return size === 4 ? known(value) : known(b.unary(op['i64.low'], value)) && known(b.unary(op['i64.high'], value));
}

/** Whether `high` is known to be the sign of `low`: cdq and cqo come before most signed divisions. */
function isSignOf(l: Lifter, size: number, high: Value, low: Value): boolean {
  const { b, notes } = l;
  if (notes.sign !== undefined && notes.sign.of === low && notes.sign.value === high) return true;
  return size === 4 && b.isConstant(high) && b.isConstant(low) && b.constantOf(high) === b.constantOf(low) >> 31;
}

function divide(signed: boolean): Lift {
  return (l) => {
    const { b } = l;
    const size = l.size(0);
    if (size < 4) {
      divideNarrow(l, size, signed);
      return;
    }
    const divisor = l.read(0);
    const low = l.general(rax, size);
    const high = l.general(rdx, size);
    l.leaveIf(l.unary(size, eqz, divisor), 'divide');
    if (signed ? isSignOf(l, size, high, low) : isZero(l, size, high)) {
      if (signed) {
        const minimum = size === 8 ? b.constant64(0, 1 << 31) : b.constant(1 << 31);
        const wraps = b.and(l.binary(size, eq, low, minimum), l.binary(size, eq, divisor, l.number(-1, size)));
        l.leaveIf(wraps, 'divide');
      }
      l.setGeneral(rax, size, l.binary(size, signed ? divS : divU, low, divisor));
      l.setGeneral(rdx, size, l.binary(size, signed ? remS : remU, low, divisor));
    } else if (size === 4) divideLong(l, low, high, divisor, signed);
    else {
      b.set(l.registers.scratch, divisor);
      l.helper(signed ? 'idiv128' : 'div128');
    }
  };
}

/** EDX:EAX / a doubleword. */
function divideLong(l: Lifter, low: Value, high: Value, divisor: Value, signed: boolean): void {
  const { b } = l;
  const dividend = b.binary(op['i64.join'], low, high);
  const wide = b.unary(op[signed ? 'i64.extend_i32_s' : 'i64.extend_i32_u'], divisor);
  const quotient = b.binary(op[signed ? 'i64.div_s' : 'i64.div_u'], dividend, wide);
  const word = b.unary(op['i64.low'], quotient);
  const upper = b.unary(op['i64.high'], quotient);
  l.leaveIf(signed ? b.ne(upper, b.shrS(word, b.constant(31))) : b.ne(upper, b.constant(0)), 'divide');
  // The remainder of -2^63 by -1, which JavaScript and WebAssembly differ about, is not reached.
  const remainder = b.binary(op[signed ? 'i64.rem_s' : 'i64.rem_u'], dividend, wide);
  l.setGeneral(rax, 4, word);
  l.setGeneral(rdx, 4, b.unary(op['i64.low'], remainder));
}

// biome-ignore format: one row per line
export const arithmeticRows: readonly Row[] = [
  ...operationRows(0, 'add', twoOperands(addition), 'lock'),
  ...operationRows(1, 'or', twoOperands(bitwise(orCode)), 'lock'),
  ...operationRows(2, 'adc', twoOperands(additionWithCarry), 'lock'),
  ...operationRows(3, 'sbb', twoOperands(subtractionWithBorrow), 'lock'),
  ...operationRows(4, 'and', twoOperands(bitwise(andCode)), 'lock'),
  ...operationRows(5, 'sub', twoOperands(subtraction), 'lock'),
  ...operationRows(6, 'xor', twoOperands(bitwise(xorCode)), 'lock'),
  ...operationRows(7, 'cmp', flagsOnly(subtraction), ''),
  ['40+r',     'inc',  'Zv',       'i64',  inc],
  ['48+r',     'dec',  'Zv',       'i64',  dec],
  ['69 /r',    'imul', 'Gv,Ev,Iz', '',     multiplyTo(1)],
  ['6B /r',    'imul', 'Gv,Ev,Ib', '',     multiplyTo(1)],
  ['84 /r',    'test', 'Eb,Gb',    '',     test],
  ['85 /r',    'test', 'Ev,Gv',    '',     test],
  ['A8',       'test', 'AL,Ib',    '',     test],
  ['A9',       'test', 'rAX,Iz',   '',     test],
  ['F6 /0',    'test', 'Eb,Ib',    '',     test],
  ['F6 /1',    'test', 'Eb,Ib',    '',     test],
  ['F6 /2',    'not',  'Eb',       'lock', not],
  ['F6 /3',    'neg',  'Eb',       'lock', negate],
  ['F6 /4',    'mul',  'Eb',       '',     multiply(false)],
  ['F6 /5',    'imul', 'Eb',       '',     multiply(true)],
  ['F6 /6',    'div',  'Eb',       '',     divide(false)],
  ['F6 /7',    'idiv', 'Eb',       '',     divide(true)],
  ['F7 /0',    'test', 'Ev,Iz',    '',     test],
  ['F7 /1',    'test', 'Ev,Iz',    '',     test],
  ['F7 /2',    'not',  'Ev',       'lock', not],
  ['F7 /3',    'neg',  'Ev',       'lock', negate],
  ['F7 /4',    'mul',  'Ev',       '',     multiply(false)],
  ['F7 /5',    'imul', 'Ev',       '',     multiply(true)],
  ['F7 /6',    'div',  'Ev',       '',     divide(false)],
  ['F7 /7',    'idiv', 'Ev',       '',     divide(true)],
  ['FE /0',    'inc',  'Eb',       'lock', inc],
  ['FE /1',    'dec',  'Eb',       'lock', dec],
  ['FF /0',    'inc',  'Ev',       'lock', inc],
  ['FF /1',    'dec',  'Ev',       'lock', dec],
  ['0F AF /r', 'imul', 'Gv,Ev',    '',     multiplyTo(0)],
  ['0F C0 /r', 'xadd', 'Eb,Gb',    'lock', xadd],
  ['0F C1 /r', 'xadd', 'Ev,Gv',    'lock', xadd],
];
