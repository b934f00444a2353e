/** Branch, condition register, trap and system call instructions. */
import { type Builder, op, type Value } from '../ir/builder.ts';
import { absoluteBit, BF, BFA, type Lift, linkBit, RA, RB, type Row, RT, SI } from './instruction.ts';
import { cr, ctr, lr } from './registers.ts';

/** The instruction after this one. */
const next = (b: Builder): number => (b.pc + 4) | 0;

// The BO field.
const ignoreCondition = 16;
const conditionWanted = 8;
const ignoreCounter = 4;
const counterZero = 2;

// -- to an address in the instruction

function target(b: Builder, word: number, displacement: number): number {
  return (word & absoluteBit) !== 0 ? displacement : (b.pc + displacement) | 0;
}

const branchAlways: Lift = (b, word) => {
  const to = target(b, word, ((word << 6) >> 6) & ~3);
  if ((word & linkBit) === 0) b.jump(to);
  else callTo(b, to);
};

/** A branch with link is a call, except to the next instruction: that is how code learns its own address. */
function callTo(b: Builder, to: number): void {
  b.set(lr, b.constant(next(b)));
  if (to === next(b)) b.jump(to);
  else b.call(to, next(b));
}

/** Whether the condition bit and the counter, which it decrements, allow the branch; undefined: always. */
function branchCondition(b: Builder, word: number): Value | undefined {
  const bo = RT(word);
  let counter: Value | undefined;
  if ((bo & ignoreCounter) === 0) {
    const count = b.sub(b.get(ctr), b.constant(1));
    b.set(ctr, count);
    counter = (bo & counterZero) !== 0 ? b.eqz(count) : b.ne(count, b.constant(0));
  }
  if ((bo & ignoreCondition) !== 0) return counter;
  const bit = b.get(cr + RA(word));
  const condition = (bo & conditionWanted) !== 0 ? bit : b.eqz(bit);
  return counter === undefined ? condition : b.and(counter, condition);
}

const branchConditional: Lift = (b, word) => {
  const to = target(b, word, SI(word) & ~3);
  const condition = branchCondition(b, word);
  if (condition !== undefined) {
    if ((word & linkBit) !== 0) b.set(lr, b.constant(next(b)));
    b.branch(condition, to, next(b));
  } else if ((word & linkBit) !== 0) callTo(b, to);
  else b.jump(to);
};

// -- to an address in a register

function branchToRegister(b: Builder, word: number, register: number): void {
  const condition = branchCondition(b, word);
  const to = b.and(b.get(register), b.constant(~3));
  const link = (word & linkBit) !== 0;
  if (link) b.set(lr, b.constant(next(b)));
  if (condition === undefined) {
    if (link) b.callIndirect(to, next(b));
    else if (register === lr) b.return(to);
    else b.jumpIndirect(to);
  } else if (link) b.jumpIndirect(b.select(condition, to, b.constant(next(b))));
  else if (register === lr) b.branchReturn(condition, to, next(b));
  else b.branchIndirect(condition, to, next(b));
}

const branchToLink: Lift = (b, word) => branchToRegister(b, word, lr);
const branchToCounter: Lift = (b, word) => {
  // The counter cannot be decremented and branched to at once: an invalid form.
  if ((RT(word) & ignoreCounter) === 0) b.exit('illegal');
  else branchToRegister(b, word, ctr);
};

const systemCall: Lift = (b) => b.systemCall(next(b));

// -- condition register

function conditionLogical(compute: (b: Builder, x: Value, y: Value) => Value): Lift {
  return (b, word) => b.set(cr + RT(word), compute(b, b.get(cr + RA(word)), b.get(cr + RB(word))));
}

const crand = conditionLogical((b, x, y) => b.and(x, y));
const cror = conditionLogical((b, x, y) => b.or(x, y));
const crxor = conditionLogical((b, x, y) => b.xor(x, y));
const crnand = conditionLogical((b, x, y) => b.eqz(b.and(x, y)));
const crnor = conditionLogical((b, x, y) => b.eqz(b.or(x, y)));
const creqv = conditionLogical((b, x, y) => b.eqz(b.xor(x, y)));
const crandc = conditionLogical((b, x, y) => b.and(x, b.eqz(y)));
const crorc = conditionLogical((b, x, y) => b.or(x, b.eqz(y)));

const mcrf: Lift = (b, word) => {
  for (let bit = 0; bit < 4; bit++) b.set(cr + BF(word) * 4 + bit, b.get(cr + BFA(word) * 4 + bit));
};

// -- trap

/** The comparisons that bits of the TO field ask for, pairs of them as one comparison. */
const trapComparisons: readonly (readonly [bits: number, code: number])[] = [
  [0b11000, op['i32.ne']],
  [0b10100, op['i32.le_s']],
  [0b01100, op['i32.ge_s']],
  [0b00110, op['i32.le_u']],
  [0b00101, op['i32.ge_u']],
  [0b10000, op['i32.lt_s']],
  [0b01000, op['i32.gt_s']],
  [0b00100, op['i32.eq']],
  [0b00010, op['i32.lt_u']],
  [0b00001, op['i32.gt_u']],
];

function trapOn(b: Builder, word: number, y: Value): void {
  const wanted = RT(word);
  const always = 0b11100;
  if ((wanted & always) === always || (wanted & 0b00111) === 0b00111) {
    b.exit('trap');
    return;
  }
  const x = b.get(RA(word));
  let covered = 0;
  let condition: Value | undefined;
  for (const [bits, code] of trapComparisons) {
    if ((wanted & bits) !== bits || (covered & bits) === bits) continue;
    covered |= bits;
    const holds = b.binary(code, x, y);
    condition = condition === undefined ? holds : b.or(condition, holds);
  }
  if (condition !== undefined) b.exitIf(condition, 'trap');
}

const trapWord: Lift = (b, word) => trapOn(b, word, b.get(RB(word)));
const trapImmediate: Lift = (b, word) => trapOn(b, word, b.constant(SI(word)));

// biome-ignore format: one row per line
export const branchRows: readonly Row[] = [
  ['b',      '010010 iiiiiiiiiiiiiiiiiiiiiiii A L',    'li',          'I 2.4', branchAlways],
  ['bc',     '010000 ooooo iiiii dddddddddddddd A L',  'bo,bi,bd',    'I 2.4', branchConditional],
  ['bclr',   '010011 ooooo iiiii ---bb 0000010000 L',  'bo,bi,bh',    'I 2.4', branchToLink],
  ['bcctr',  '010011 ooooo iiiii ---bb 1000010000 L',  'bo,bi,bh',    'I 2.4', branchToCounter],
  ['crand',  '010011 ttttt aaaaa bbbbb 0100000001 -',  'bt,ba,bb',    'I 2.5.1', crand],
  ['crnand', '010011 ttttt aaaaa bbbbb 0011100001 -',  'bt,ba,bb',    'I 2.5.1', crnand],
  ['cror',   '010011 ttttt aaaaa bbbbb 0111000001 -',  'bt,ba,bb',    'I 2.5.1', cror],
  ['crxor',  '010011 ttttt aaaaa bbbbb 0011000001 -',  'bt,ba,bb',    'I 2.5.1', crxor],
  ['crnor',  '010011 ttttt aaaaa bbbbb 0000100001 -',  'bt,ba,bb',    'I 2.5.1', crnor],
  ['creqv',  '010011 ttttt aaaaa bbbbb 0100100001 -',  'bt,ba,bb',    'I 2.5.1', creqv],
  ['crandc', '010011 ttttt aaaaa bbbbb 0010000001 -',  'bt,ba,bb',    'I 2.5.1', crandc],
  ['crorc',  '010011 ttttt aaaaa bbbbb 0110100001 -',  'bt,ba,bb',    'I 2.5.1', crorc],
  ['mcrf',   '010011 fff-- sss-- ----- 0000000000 -',  'bf,bfa',      'I 2.5.2', mcrf],
  ['sc',     '010001 ----- ----- ---- ------- --- 1 -', '',           'I 2.6', systemCall],
  ['twi',    '000011 ooooo aaaaa iiiiiiiiiiiiiiii',    'to,ra,si',    'I 3.3.11', trapImmediate],
  ['tw',     '011111 ooooo aaaaa bbbbb 0000000100 -',  'to,ra,rb',    'I 3.3.11', trapWord],
];
