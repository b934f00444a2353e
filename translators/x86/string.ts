/**
 * String instructions. One element is moved inline; repeated ones are a call of a helper (string-helper.ts), which does whole
 * runs at once.
 */
import { op, type Value } from '../ir/builder.ts';
import { setSub } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rax, rdi, rsi } from './registers.ts';
import { packRepeat, repeatHelper, type StringKind } from './string-helper.ts';
import { log2 } from './values.ts';

const sub = op['i32.sub'];

/** What rSI and rDI move by: the size, or what is lower by it where the direction flag is set. */
function stepOf(l: Lifter, size: number): Value {
  const { b, registers } = l;
  const direction = b.or(b.get(registers.direction), b.constant(1));
  return b.shl(direction, b.constant(log2(size)));
}

/** Moves an index register by a step, an i32. */
function advance(l: Lifter, register: number, step: Value): void {
  const size = l.i.addressSize;
  const old = l.general(register, size);
  const by = size === 8 ? l.widen(step, true) : step;
  l.setGeneral(register, size, l.binary(size, op['i32.add'], old, by));
}

/** Loads the element at rSI in the instruction's segment. */
function source(l: Lifter, size: number): Value {
  l.pointAt(l.offsetIn(rsi));
  return l.loadSize(size);
}

/** Makes the element at rDI, which is always in ES, the memory operand. */
const pointAtDestination = (l: Lifter): void => l.pointAt(l.offsetIn(rdi), true);

/** A string instruction: `once` does it for one element. */
function stringLift(kind: StringKind, once: (l: Lifter, size: number) => void): Lift {
  return (l) => {
    const size = l.size(0);
    const { i } = l;
    if (i.repeat === 0) once(l, size);
    else {
      l.helper(repeatHelper(kind), l.b.constant(packRepeat(size, i.addressSize, i.segment, i.repeat)));
      if (kind === 'cmps' || kind === 'scas') l.notes.setter = undefined;
    }
  };
}

const movs = stringLift('movs', (l, size) => {
  const value = source(l, size);
  pointAtDestination(l);
  l.storeSize(size, 0, value);
  const step = stepOf(l, size);
  advance(l, rsi, step);
  advance(l, rdi, step);
});

const cmps = stringLift('cmps', (l, size) => {
  const x = source(l, size);
  pointAtDestination(l);
  const y = l.loadSize(size);
  const step = stepOf(l, size);
  advance(l, rsi, step);
  advance(l, rdi, step);
  setSub(l, size, x, y, l.binary(size, sub, x, y));
});

const stos = stringLift('stos', (l, size) => {
  pointAtDestination(l);
  l.storeSize(size, 0, l.general(rax, size));
  advance(l, rdi, stepOf(l, size));
});

const lods = stringLift('lods', (l, size) => {
  const value = source(l, size);
  advance(l, rsi, stepOf(l, size));
  l.setGeneral(rax, size, value);
});

const scas = stringLift('scas', (l, size) => {
  const x = l.general(rax, size);
  pointAtDestination(l);
  const y = l.loadSize(size);
  advance(l, rdi, stepOf(l, size));
  setSub(l, size, x, y, l.binary(size, sub, x, y));
});

/** Input and output are privileged. */
const refused: Lift = (l) => l.fault('protection');

// biome-ignore format: one row per line
export const stringRows: readonly Row[] = [
  ['6C', 'ins',  'Yb,DX',  'rep', refused],
  ['6D', 'ins',  'Yz,DX',  'rep', refused],
  ['6E', 'outs', 'DX,Xb',  'rep', refused],
  ['6F', 'outs', 'DX,Xz',  'rep', refused],
  ['A4', 'movs', 'Yb,Xb',  'rep', movs],
  ['A5', 'movs', 'Yv,Xv',  'rep', movs],
  ['A6', 'cmps', 'Xb,Yb',  'rep', cmps],
  ['A7', 'cmps', 'Xv,Yv',  'rep', cmps],
  ['AA', 'stos', 'Yb,AL',  'rep', stos],
  ['AB', 'stos', 'Yv,rAX', 'rep', stos],
  ['AC', 'lods', 'AL,Xb',  'rep', lods],
  ['AD', 'lods', 'rAX,Xv', 'rep', lods],
  ['AE', 'scas', 'AL,Yb',  'rep', scas],
  ['AF', 'scas', 'rAX,Yv', 'rep', scas],
];
