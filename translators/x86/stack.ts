/** The stack. */
import type { Value } from '../ir/builder.ts';
import { readFlags, setFromWord, systemFlags } from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rbp, rsp } from './registers.ts';

/** Pushes a value of `size` bytes. */
export function push(l: Lifter, size: number, value: Value): void {
  const top = l.b.get(rsp);
  l.point(top, -size);
  l.storeSize(size, 0, value);
  l.b.set(rsp, l.plus(top, -size));
}

/** The value of `size` bytes on top of the stack, which stays there. */
export function top(l: Lifter, size: number): Value {
  l.point(l.b.get(rsp), 0);
  return l.loadSize(size);
}

/** Takes bytes off the stack. */
export function drop(l: Lifter, bytes: number): void {
  l.b.set(rsp, l.plus(l.b.get(rsp), bytes));
}

const pushOperand: Lift = (l) => {
  const size = l.i.operandSize;
  push(l, size, l.readAs(0, size));
};

const popRegister: Lift = (l) => {
  const size = l.size(0);
  const value = top(l, size);
  drop(l, size);
  l.write(0, value);
};

/** Into memory; an address off the stack pointer is computed with what it is after the pop. */
const popMemory: Lift = (l) => {
  if (!l.inMemory(0)) {
    popRegister(l);
    return;
  }
  const { i } = l;
  const size = l.size(0);
  const value = top(l, size);
  if (i.base === rsp) i.displacement = (i.displacement + size) | 0;
  l.forgetPlace();
  l.write(0, value);
  drop(l, size);
};

/** A selector is pushed zero-extended. */
const pushSegment: Lift = (l) => {
  const size = l.i.operandSize;
  const value = l.read(0);
  push(l, size, size === 8 ? l.widen(value) : value);
};

const popSegment: Lift = (l) => {
  const selector = l.b.and(top(l, 2), l.b.constant(0xffff));
  l.helper('loadSegment', l.b.constant(l.i.operands[0].number), selector);
  drop(l, l.i.operandSize);
};

const pushAll: Lift = (l) => {
  const { b, i } = l;
  const size = i.operandSize;
  const stack = b.get(rsp);
  b.check(stack, -8 * size, 8 * size, 2);
  l.point(stack, 0);
  for (let n = 0; n < 8; n++) l.storeSize(size, -(n + 1) * size, l.general(n, size));
  b.set(rsp, l.plus(stack, -8 * size));
};

const popAll: Lift = (l) => {
  const { b, i } = l;
  const size = i.operandSize;
  const stack = b.get(rsp);
  l.point(stack, 0);
  const values = Array.from({ length: 8 }, (_, n) => l.loadSize(size, (7 - n) * size));
  b.set(rsp, l.plus(stack, 8 * size));
  for (let n = 0; n < 8; n++) if (n !== rsp) l.setGeneral(n, size, values[n]);
};

const pushFlags: Lift = (l) => {
  const size = l.i.operandSize;
  const flags = readFlags(l);
  push(l, size, size === 8 ? l.widen(flags) : flags);
};

/** Of a word the flags above bit 15 stay. */
const popFlags: Lift = (l) => {
  const { b, registers } = l;
  const size = l.i.operandSize;
  const value = top(l, size);
  const word = size === 8 ? l.low(value) : value;
  drop(l, size);
  setFromWord(l, word);
  b.set(registers.direction, b.sub(b.constant(0), b.and(b.shrU(word, b.constant(10)), b.constant(1))));
  const changed = size === 2 ? systemFlags & 0xffff : systemFlags;
  const kept = b.and(b.get(registers.system), b.constant(systemFlags & ~changed));
  b.set(registers.system, b.or(kept, b.and(word, b.constant(changed))));
};

const leave: Lift = (l) => {
  const size = l.i.operandSize;
  const frame = l.b.get(rbp);
  l.point(frame, 0);
  const value = l.loadSize(size);
  l.b.set(rsp, l.plus(frame, size));
  l.setGeneral(rbp, size, value);
};

/** enter: saves rBP, copies the frame pointers of `level` - 1 outer procedures, and makes room. */
const enter: Lift = (l) => {
  const { b, i } = l;
  const size = i.operandSize;
  const level = i.immediate2 & 31;
  const stack = b.get(rsp);
  const frame = b.get(rbp);
  const pushed = (level === 0 ? 1 : level + 1) * size;
  if (level > 1) {
    l.point(stack, -pushed);
    b.check(l.base, l.offset, pushed, 2);
  }
  l.point(stack, -size);
  l.storeSize(size, 0, l.general(rbp, size));
  const newFrame = l.plus(stack, -size);
  for (let n = 1; n < level; n++) {
    l.point(frame, -n * size);
    const outer = l.loadSize(size);
    l.point(stack, -(n + 1) * size);
    l.storeSize(size, 0, outer);
  }
  if (level > 0) {
    l.point(stack, -pushed);
    l.storeSize(size, 0, size === l.width ? newFrame : l.low(newFrame));
  }
  // The processor looks whether the new top of the stack can be written, after all stores.
  l.point(stack, -pushed - i.immediate);
  b.check(l.base, l.offset, size, 2);
  b.set(rsp, l.plus(stack, -pushed - i.immediate));
  l.setGeneral(rbp, size, size === l.width ? newFrame : l.low(newFrame));
};

// biome-ignore format: one row per line
export const stackRows: readonly Row[] = [
  ['06',    'push',   'ES',    'i64', pushSegment],
  ['07',    'pop',    'ES',    'i64', popSegment],
  ['0E',    'push',   'CS',    'i64', pushSegment],
  ['16',    'push',   'SS',    'i64', pushSegment],
  ['17',    'pop',    'SS',    'i64', popSegment],
  ['1E',    'push',   'DS',    'i64', pushSegment],
  ['1F',    'pop',    'DS',    'i64', popSegment],
  ['50+r',  'push',   'Zv',    'd64', pushOperand],
  ['58+r',  'pop',    'Zv',    'd64', popRegister],
  ['60',    'pusha|pushad', '', 'i64', pushAll],
  ['61',    'popa|popad', '',  'i64', popAll],
  ['68',    'push',   'Iz',    'd64', pushOperand],
  ['6A',    'push',   'Ib',    'd64', pushOperand],
  ['8F /0', 'pop',    'Ev',    'd64', popMemory],
  ['9C',    'pushf|pushfd|pushfq', '', 'd64', pushFlags],
  ['9D',    'popf|popfd|popfq', '', 'd64', popFlags],
  ['C8',    'enter',  'Iw,Ib', 'd64', enter],
  ['C9',    'leave',  '',      'd64', leave],
  ['FF /6', 'push',   'Ev',    'd64', pushOperand],
  ['0F A0', 'push',   'FS',    'd64', pushSegment],
  ['0F A1', 'pop',    'FS',    'd64', popSegment],
  ['0F A8', 'push',   'GS',    'd64', pushSegment],
  ['0F A9', 'pop',    'GS',    'd64', popSegment],
];
