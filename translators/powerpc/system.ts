/** Moves to and from special registers and condition fields, and the privileged instructions. */
import type { Builder, Value } from '../ir/builder.ts';
import { callHelper, helperNumber } from './helpers.ts';
import { BF, FXM, type Lift, type Row, RT, SPR } from './instruction.ts';
import { ca, cr, ctr, lr, ov, so, stringCount, vrsave } from './registers.ts';

/** Version that mfspr PVR gives, which Linux lets programs read: that of a 750, as in QEMU. */
const processorVersion = 0x00080301;

const timeBaseLower = helperNumber('timeBaseLower');
const timeBaseUpper = helperNumber('timeBaseUpper');

function bitAt(b: Builder, register: number, shift: number): Value {
  return b.shl(b.get(register), b.constant(shift));
}

function readXer(b: Builder): Value {
  const bits = b.or(b.or(bitAt(b, so, 31), bitAt(b, ov, 30)), bitAt(b, ca, 29));
  return b.or(bits, b.get(stringCount));
}

function writeXer(b: Builder, value: Value): void {
  b.set(so, b.shrU(value, b.constant(31)));
  b.set(ov, b.and(b.shrU(value, b.constant(30)), b.constant(1)));
  b.set(ca, b.and(b.shrU(value, b.constant(29)), b.constant(1)));
  b.set(stringCount, b.and(value, b.constant(0x7f)));
}

interface SpecialRegister {
  readonly name: string;
  readonly read: (b: Builder) => Value;
  /** Absent: user programs may only read it. */
  readonly write?: (b: Builder, value: Value) => void;
}

const plain = (name: string, register: number): SpecialRegister => ({
  name,
  read: (b) => b.get(register),
  write: (b, value) => b.set(register, value),
});

/** The special registers that user programs reach, by number. */
export const specialRegisters: ReadonlyMap<number, SpecialRegister> = new Map([
  [1, { name: 'xer', read: readXer, write: writeXer }],
  [8, plain('lr', lr)],
  [9, plain('ctr', ctr)],
  [256, plain('vrsave', vrsave)],
  [268, { name: 'tb', read: (b: Builder) => callHelper(b, timeBaseLower) }],
  [269, { name: 'tbu', read: (b: Builder) => callHelper(b, timeBaseUpper) }],
  [287, { name: 'pvr', read: (b: Builder) => b.constant(processorVersion) }],
]);

/** Special registers whose number has this bit are the operating system's. */
const privilegedBit = 0x10;

const refuse = (b: Builder, number: number): void => b.exit((number & privilegedBit) !== 0 ? 'privileged' : 'illegal');

const mfspr: Lift = (b, word) => {
  const register = specialRegisters.get(SPR(word));
  if (register === undefined) refuse(b, SPR(word));
  else b.set(RT(word), register.read(b));
};

const mtspr: Lift = (b, word) => {
  const write = specialRegisters.get(SPR(word))?.write;
  if (write === undefined) refuse(b, SPR(word));
  else write(b, b.get(RT(word)));
};

const mftb: Lift = (b, word) => {
  const number = SPR(word);
  if (number !== 268 && number !== 269) b.exit('illegal');
  else mfspr(b, word, true);
};

// -- condition fields

/** `count` condition bits from bit `first` on as a number; pairs are joined first, so that the parts are independent. */
function gather(b: Builder, first: number, count: number): Value {
  if (count === 1) return b.get(cr + first);
  const half = count >> 1;
  return b.or(b.shl(gather(b, first, half), b.constant(half)), gather(b, first + half, half));
}

const mfcr: Lift = (b, word) => b.set(RT(word), gather(b, 0, 32));

/** One condition field at its place in the register; when more are named, what is undefined is all of them. */
const mfocrf: Lift = (b, word) => {
  const field = Math.clz32(FXM(word)) - 24;
  if (FXM(word) !== 0x80 >> field) mfcr(b, word, true);
  else b.set(RT(word), b.shl(gather(b, field * 4, 4), b.constant(28 - field * 4)));
};

/** Of mtcrf and mtocrf, which names one field only. */
const mtcrf: Lift = (b, word) => {
  const mask = FXM(word);
  const value = b.get(RT(word));
  for (let bit = 0; bit < 32; bit++) {
    if ((mask & (0x80 >> (bit >> 2))) === 0) continue;
    b.set(cr + bit, b.and(b.shrU(value, b.constant(31 - bit)), b.constant(1)));
  }
};

const mcrxr: Lift = (b, word) => {
  const field = cr + BF(word) * 4;
  const zero = b.constant(0);
  b.set(field, b.get(so));
  b.set(field + 1, b.get(ov));
  b.set(field + 2, b.get(ca));
  b.set(field + 3, zero);
  b.set(so, zero);
  b.set(ov, zero);
  b.set(ca, zero);
};

const privileged: Lift = (b) => b.exit('privileged');

// biome-ignore format: one row per line
export const systemRows: readonly Row[] = [
  ['mtspr',   '011111 sssss pppppppppp 0111010011 -',     'spr,rs',    'I 3.3.17', mtspr],
  ['mfspr',   '011111 ttttt pppppppppp 0101010011 -',     'rt,spr',    'I 3.3.17', mfspr],
  ['mtcrf',   '011111 sssss 0 ffffffff - 0010010000 -',   'fxm,rs',    'I 3.3.17', mtcrf],
  ['mfcr',    '011111 ttttt 0 --------- 0000010011 -',    'rt',        'I 3.3.17', mfcr],
  ['mtocrf',  '011111 sssss 1 ffffffff - 0010010000 -',   'fxm,rs',    'I 3.3.17', mtcrf],
  ['mfocrf',  '011111 ttttt 1 ffffffff - 0000010011 -',   'rt,fxm',    'I 3.3.17', mfocrf],
  ['mcrxr',   '011111 fff-- ----- ----- 1000000000 -',    'bf',        'I 3.3.17', mcrxr],
  ['mftb',    '011111 ttttt pppppppppp 0101110011 -',     'rt,tbr',    'II 6.2.1', mftb],
  ['rfi',     '010011 ----- ----- ----- 0000110010 -',    '',          'PEM 4.4.1', privileged],
  ['mtmsr',   '011111 sssss ----- ----- 0010010010 -',    'rs',        'PEM 4.4.2', privileged],
  ['mfmsr',   '011111 ttttt ----- ----- 0001010011 -',    'rt',        'PEM 4.4.2', privileged],
  ['mtsr',    '011111 sssss - rrrr ----- 0011010010 -',   'sr,rs',     'PEM 4.4.3', privileged],
  ['mtsrin',  '011111 sssss ----- bbbbb 0011110010 -',    'rs,rb',     'PEM 4.4.3', privileged],
  ['mfsr',    '011111 ttttt - rrrr ----- 1001010011 -',   'rt,sr',     'PEM 4.4.3', privileged],
  ['mfsrin',  '011111 ttttt ----- bbbbb 1010010011 -',    'rt,rb',     'PEM 4.4.3', privileged],
  ['tlbie',   '011111 ----- ----- bbbbb 0100110010 -',    'rb',        'PEM 4.4.3', privileged],
  ['tlbia',   '011111 ----- ----- ----- 0101110010 -',    '',          'PEM 4.4.3', privileged],
  ['tlbsync', '011111 ----- ----- ----- 1000110110 -',    '',          'PEM 4.4.3', privileged],
  ['dcbi',    '011111 ----- aaaaa bbbbb 0111010110 -',    'ra0,rb',    'PEM 4.4.3', privileged],
];
