/** Branches, calls and returns within the code segment. Far ones are refused: programs have one code segment. */
import { op, type Value } from '../ir/builder.ts';
import { branchOn, ifZero, readCondition } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rcx } from './registers.ts';
import { drop, push, top } from './stack.ts';

/** An address in code: with operands of 2 bytes its lower half. */
const truncatedTarget = (l: Lifter, address: number): number =>
  l.i.operandSize === 2 ? address & 0xffff : address | 0;

/** Where a displacement from the next instruction leads. */
const target = (l: Lifter): number => truncatedTarget(l, l.i.next + l.i.immediate);

const jump: Lift = (l) => l.b.jump(target(l));

const jumpIf: Lift = (l) => branchOn(l, l.i.condition, target(l), l.i.next);

/** An address in code that a program computed, as i32. Of a 64-bit program it must lie in the first 4 GiB like all else. */
function targetFrom(l: Lifter, value: Value): Value {
  const { b } = l;
  const size = l.i.operandSize;
  if (size < 8) return value;
  l.leaveIf(b.unary(op['i64.high'], value), 'wide_address');
  return l.low(value);
}

function pushReturnAddress(l: Lifter): void {
  const size = l.i.operandSize;
  push(l, size, size === 8 ? l.b.constant64(l.i.next, 0) : l.b.constant(l.i.next));
}

/** A call of the next instruction is how code learns its own address: no function. */
const call: Lift = (l) => {
  const to = target(l);
  pushReturnAddress(l);
  if (to === (l.i.next | 0)) l.b.jump(to);
  else l.b.call(to, l.i.next);
};

const callIndirect: Lift = (l) => {
  const to = targetFrom(l, l.read(0));
  pushReturnAddress(l);
  l.b.callIndirect(to, l.i.next);
};

const jumpIndirect: Lift = (l) => l.b.jumpIndirect(targetFrom(l, l.read(0)));

/** ret; operand 0, if any, is how many more bytes to take off the stack. */
const ret: Lift = (l) => {
  const size = l.i.operandSize;
  const to = targetFrom(l, top(l, size));
  drop(l, size + (l.i.immediate & 0xffff));
  l.b.return(to);
};

/** The counter of the address size: rCX less one, and whether it is then 0. */
function countDown(l: Lifter): Value {
  const size = l.i.addressSize;
  const count = l.binary(size, op['i32.sub'], l.general(rcx, size), l.number(1, size));
  l.setGeneral(rcx, size, count);
  return l.unary(size, op['i32.eqz'], size === 2 ? l.truncated(count, 2) : count);
}

/** loopne (0), loope (1): while ZF is this; loop: whatever it is. */
function loop(zero?: 0 | 1): Lift {
  return (l) => {
    const { b } = l;
    const flag = zero === undefined ? undefined : readCondition(l, ifZero + 1 - zero);
    const isDone = countDown(l);
    b.branch(flag === undefined ? isDone : b.or(isDone, b.eqz(flag)), l.i.next, target(l));
  };
}

const jumpIfCounterZero: Lift = (l) => {
  const size = l.i.addressSize;
  l.b.branch(l.unary(size, op['i32.eqz'], l.general(rcx, size)), target(l), l.i.next);
};

const far: Lift = (l) => l.fault('protection');

// biome-ignore format: one row per line
export const branchRows: readonly Row[] = [
  ['70+c',    'jcc',    'Jb',    'f64', jumpIf],
  ['9A',      'callf',  'Ap',    'i64', far],
  ['C2',      'ret',    'Iw',    'f64', ret],
  ['C3',      'ret',    '',      'f64', ret],
  ['CA',      'retf',   'Iw',    '',    far],
  ['CB',      'retf',   '',      '',    far],
  ['CF',      'iret|iretd|iretq', '', '', far],
  ['E0',      'loopne', 'Jb',    'f64', loop(0)],
  ['E1',      'loope',  'Jb',    'f64', loop(1)],
  ['E2',      'loop',   'Jb',    'f64', loop()],
  ['E3',      'jcxz|jecxz|jrcxz', 'Jb', 'f64 asize', jumpIfCounterZero],
  ['E8',      'call',   'Jz',    'f64', call],
  ['E9',      'jmp',    'Jz',    'f64', jump],
  ['EA',      'jmpf',   'Ap',    'i64', far],
  ['EB',      'jmp',    'Jb',    'f64', jump],
  ['FF /2',   'call',   'Ev',    'f64', callIndirect],
  ['FF /3',   'callf',  'Mp',    '',    far],
  ['FF /4',   'jmp',    'Ev',    'f64', jumpIndirect],
  ['FF /5',   'jmpf',   'Mp',    '',    far],
  ['0F 80+c', 'jcc',    'Jz',    'f64', jumpIf],
];
