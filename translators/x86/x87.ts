/** Instructions of the x87 floating-point unit (Intel SDM volume 2, table: opcodes D8 to DF). */
import { defaultControl } from '../float/extended.ts';
import { op, type Value } from '../ir/builder.ts';
import {
  ifAbove,
  ifBelow,
  ifNotAbove,
  ifNotBelow,
  ifNotParity,
  ifNotZero,
  ifParity,
  ifZero,
  readCondition,
  setBits,
} from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { rax } from './registers.ts';
import { type StoredFormat, storedFormats } from './x87-transfer.ts';

const loadDouble = op['load64.f64'];
const storeDouble = op['store64.f64'];
const ne = op['i32.ne'];

// -- what instructions have in common

/** Begins an instruction that waits: it does not run while an unmasked exception is pending, which only exact lifting expects. */
function wait(l: Lifter): void {
  if (l.exact) l.helper('x87.wait');
}

/** Notes the address of the instruction, and of its operand in memory. */
function note(l: Lifter): void {
  const { b, registers } = l;
  b.set(registers.x87.instruction, b.constant(l.i.pc));
  if (l.i.mod !== 3) b.set(registers.x87.data, place(l));
}

/** The address of the memory operand. */
function place(l: Lifter): Value {
  return l.b.add(l.base, l.b.constant(l.offset));
}

/** i of the operand ST(i). */
const stackIndex = (l: Lifter): Value => l.b.constant(l.i.rm & 7);

/** An instruction that is one call of a helper. */
function calling(name: string, ...operands: readonly number[]): Lift {
  return (l) => {
    wait(l);
    note(l);
    l.helper(name, ...operands.map((operand) => l.b.constant(operand)));
  };
}

/** The same on ST(i), with constants behind it. */
function onRegister(name: string, ...operands: readonly number[]): Lift {
  return (l) => {
    wait(l);
    note(l);
    l.helper(name, stackIndex(l), ...operands.map((operand) => l.b.constant(operand)));
  };
}

// -- memory operands

/** Kinds of memory operands: the name in helpers, and how the operand is loaded. */
const kinds = {
  single: op.load32,
  double: loadDouble,
  integer: op.load32,
  short: op.load16_s,
} as const;
type Kind = keyof typeof kinds;

const helperKind = (kind: Kind): string => (kind === 'short' ? 'integer' : kind);

/** Computes with an operand in memory. */
function withMemory(name: string, kind: Kind, ...operands: readonly number[]): Lift {
  return (l) => {
    wait(l);
    l.address();
    const value = l.load(kinds[kind]);
    note(l);
    l.helper(`x87.${name}.${helperKind(kind)}`, value, ...operands.map((operand) => l.b.constant(operand)));
  };
}

/** The eight instructions that an opcode's reg field chooses, on one kind of memory operand. */
const com = (kind: Kind, pops: number): Lift => withMemory('com', kind, pops);
const arithmetic = (name: string, kind: Kind): Lift => withMemory(name, kind);

function load(kind: Kind | 'long'): Lift {
  return (l) => {
    wait(l);
    l.address();
    const value = l.load(kind === 'long' ? loadDouble : kinds[kind]);
    note(l);
    l.helper(`x87.load.${kind === 'long' ? kind : helperKind(kind)}`, value);
  };
}

/** Loads ten bytes. */
function loadTen(name: string): Lift {
  return (l) => {
    wait(l);
    l.address();
    const low = l.load(loadDouble);
    const high = l.load(op.load16_u, 8);
    note(l);
    l.helper(`x87.load.${name}`, low, high);
  };
}

/** Stores ST(0) in a format of x87-transfer.ts. */
function store(format: string, pops: boolean): Lift {
  const { bytes, preventing } = storedFormats.find(({ name }) => name === format) as StoredFormat;
  const parts = partsOf(bytes);
  return (l) => {
    const { b, registers } = l;
    wait(l);
    l.address();
    // Nothing happens unless all of it does.
    if (l.exact || parts.length > 1) b.check(l.base, l.offset, bytes, 2);
    const values = [l.helper(`x87.store.${format}`)];
    if (parts.length > 1) values.push(b.get(registers.x87.second));
    if (!l.exact) {
      parts.forEach(([, code, at], n) => {
        l.store(code, at, values[n]);
      });
      note(l);
      if (pops) l.helper('x87.pop');
      return;
    }
    // An exception that is unmasked keeps the number from being stored, and popped. None was pending before.
    const unmasked = b.and(b.get(registers.x87.status), b.get(registers.x87.control));
    const kept = b.and(unmasked, b.constant(preventing));
    parts.forEach(([loads, code, at], n) => {
      const select = op[code === storeDouble ? 'f64.select' : 'i32.select'];
      l.store(code, at, b.ternary(select, kept, l.load(loads, at), values[n]));
    });
    note(l);
    if (pops) l.helper('x87.popUnless', kept);
  };
}

/** What a number of so many bytes is stored by: loads and stores, with their places. */
function partsOf(bytes: number): readonly (readonly [load: number, store: number, at: number])[] {
  switch (bytes) {
    case 2:
      return [[op.load16_u, op.store16, 0]];
    case 4:
      return [[op.load32, op.store32, 0]];
    case 8:
      return [[loadDouble, storeDouble, 0]];
    default:
      return [
        [loadDouble, storeDouble, 0],
        [op.load16_u, op.store16, 8],
      ];
  }
}

// -- comparisons that set EFLAGS

/** EFLAGS from a relation (ZF, PF, CF at their places), of which there are four: 0, 1, 40, 45. */
function compareFlags(name: string, pops: number): Lift {
  return (l) => {
    const { b } = l;
    wait(l);
    note(l);
    const flags = l.helper(name, stackIndex(l), b.constant(pops));
    const bit = (place: number): Value => b.and(b.shrU(flags, b.constant(place)), b.constant(1));
    const any = (mask: number): Value => b.binary(ne, b.and(flags, b.constant(mask)), b.constant(0));
    setBits(l, { carry: b.and(flags, b.constant(1)), parity: bit(2), zero: bit(6) }, (condition) => {
      switch (condition) {
        case ifBelow:
          return b.and(flags, b.constant(1));
        case ifNotBelow:
          return b.eqz(b.and(flags, b.constant(1)));
        case ifZero:
          return any(0x40);
        case ifNotZero:
          return b.eqz(b.and(flags, b.constant(0x40)));
        case ifParity:
          return any(4);
        case ifNotParity:
          return b.eqz(b.and(flags, b.constant(4)));
        case ifAbove:
          return b.eqz(flags);
        case ifNotAbove:
          return b.binary(ne, flags, b.constant(0));
        default:
          return undefined;
      }
    });
  };
}

function conditionalMove(condition: number): Lift {
  return (l) => {
    wait(l);
    note(l);
    l.helper('x87.move', stackIndex(l), readCondition(l, condition));
  };
}

// -- control

/** Control instructions leave the addresses of instruction and operand alone; those without `n` in the name wait. */
function control(name: string, waits: boolean): Lift {
  return (l) => {
    if (waits) wait(l);
    l.helper(name);
  };
}

function withImage(name: string, waits: boolean): Lift {
  return (l) => {
    if (waits) wait(l);
    l.address();
    l.helper(name, place(l), l.b.constant(l.i.operandSize === 2 ? 2 : 4));
  };
}

const loadControl: Lift = (l) => {
  wait(l);
  l.address();
  l.helper('x87.loadControl', l.load(op.load16_u));
};

const storeControl: Lift = (l) => {
  const { b, registers } = l;
  l.address();
  l.store(op.store16, 0, b.xor(b.get(registers.x87.control), b.constant(defaultControl)));
};

function statusWord(l: Lifter): Value {
  const { b, registers } = l;
  return b.or(b.get(registers.x87.status), b.shl(b.get(registers.x87.top), b.constant(11)));
}

const storeStatus: Lift = (l) => {
  l.address();
  l.store(op.store16, 0, statusWord(l));
};

const statusToAccumulator: Lift = (l) => l.setGeneral(rax, 2, statusWord(l));

/** Does nothing but wait. */
const nothing: Lift = (l) => {
  wait(l);
  note(l);
};

// biome-ignore format: one row per line
export const x87InstructionRows: readonly Row[] = [
  ['9B', 'fwait', '', '', wait],
  ['D8 /0 mem', 'fadd', 'Ed', 'fpu', arithmetic('add', 'single')],
  ['D8 /1 mem', 'fmul', 'Ed', 'fpu', arithmetic('mul', 'single')],
  ['D8 /2 mem', 'fcom', 'Ed', 'fpu', com('single', 0)],
  ['D8 /3 mem', 'fcomp', 'Ed', 'fpu', com('single', 1)],
  ['D8 /4 mem', 'fsub', 'Ed', 'fpu', arithmetic('sub', 'single')],
  ['D8 /5 mem', 'fsubr', 'Ed', 'fpu', arithmetic('subr', 'single')],
  ['D8 /6 mem', 'fdiv', 'Ed', 'fpu', arithmetic('div', 'single')],
  ['D8 /7 mem', 'fdivr', 'Ed', 'fpu', arithmetic('divr', 'single')],
  ['D8 =C0+i', 'fadd', 'ST0,STi', 'fpu', onRegister('x87.add.top')],
  ['D8 =C8+i', 'fmul', 'ST0,STi', 'fpu', onRegister('x87.mul.top')],
  ['D8 =D0+i', 'fcom', 'STi', 'fpu', onRegister('x87.com', 0)],
  ['D8 =D8+i', 'fcomp', 'STi', 'fpu', onRegister('x87.com', 1)],
  ['D8 =E0+i', 'fsub', 'ST0,STi', 'fpu', onRegister('x87.sub.top')],
  ['D8 =E8+i', 'fsubr', 'ST0,STi', 'fpu', onRegister('x87.subr.top')],
  ['D8 =F0+i', 'fdiv', 'ST0,STi', 'fpu', onRegister('x87.div.top')],
  ['D8 =F8+i', 'fdivr', 'ST0,STi', 'fpu', onRegister('x87.divr.top')],

  ['D9 /0 mem', 'fld', 'Ed', 'fpu', load('single')],
  ['D9 /2 mem', 'fst', 'Ed', 'fpu', store('single', false)],
  ['D9 /3 mem', 'fstp', 'Ed', 'fpu', store('single', true)],
  ['D9 /4 mem', 'fldenv', 'M', 'fpu', withImage('x87.loadEnvironment', true)],
  ['D9 /5 mem', 'fldcw', 'Mw', 'fpu', loadControl],
  ['D9 /6 mem', 'fnstenv', 'M', 'fpu', withImage('x87.storeEnvironment', false)],
  ['D9 /7 mem', 'fnstcw', 'Mw', 'fpu', storeControl],
  ['D9 =C0+i', 'fld', 'STi', 'fpu', onRegister('x87.load.register')],
  ['D9 =C8+i', 'fxch', 'STi', 'fpu', onRegister('x87.exchange')],
  ['D9 =D0', 'fnop', '', 'fpu', nothing],
  // The manuals leave it out; as fstp, but that an empty register is no fault.
  ['D9 =D8+i', 'fstp', 'STi', 'fpu', onRegister('x87.store.present')],
  ['D9 =E0', 'fchs', '', 'fpu', calling('x87.chs')],
  ['D9 =E1', 'fabs', '', 'fpu', calling('x87.abs')],
  ['D9 =E4', 'ftst', '', 'fpu', calling('x87.tst')],
  ['D9 =E5', 'fxam', '', 'fpu', calling('x87.xam')],
  ['D9 =E8', 'fld1', '', 'fpu', calling('x87.load.constant', 0)],
  ['D9 =E9', 'fldl2t', '', 'fpu', calling('x87.load.constant', 1)],
  ['D9 =EA', 'fldl2e', '', 'fpu', calling('x87.load.constant', 2)],
  ['D9 =EB', 'fldpi', '', 'fpu', calling('x87.load.constant', 3)],
  ['D9 =EC', 'fldlg2', '', 'fpu', calling('x87.load.constant', 4)],
  ['D9 =ED', 'fldln2', '', 'fpu', calling('x87.load.constant', 5)],
  ['D9 =EE', 'fldz', '', 'fpu', calling('x87.load.constant', 6)],
  ['D9 =F0', 'f2xm1', '', 'fpu', calling('x87.2xm1')],
  ['D9 =F1', 'fyl2x', '', 'fpu', calling('x87.yl2x')],
  ['D9 =F2', 'fptan', '', 'fpu', calling('x87.ptan')],
  ['D9 =F3', 'fpatan', '', 'fpu', calling('x87.patan')],
  ['D9 =F4', 'fxtract', '', 'fpu', calling('x87.xtract')],
  ['D9 =F5', 'fprem1', '', 'fpu', calling('x87.prem1')],
  ['D9 =F6', 'fdecstp', '', 'fpu', calling('x87.rotate', -1)],
  ['D9 =F7', 'fincstp', '', 'fpu', calling('x87.rotate', 1)],
  ['D9 =F8', 'fprem', '', 'fpu', calling('x87.prem')],
  ['D9 =F9', 'fyl2xp1', '', 'fpu', calling('x87.yl2xp1')],
  ['D9 =FA', 'fsqrt', '', 'fpu', calling('x87.sqrt')],
  ['D9 =FB', 'fsincos', '', 'fpu', calling('x87.sincos')],
  ['D9 =FC', 'frndint', '', 'fpu', calling('x87.rndint')],
  ['D9 =FD', 'fscale', '', 'fpu', calling('x87.scale')],
  ['D9 =FE', 'fsin', '', 'fpu', calling('x87.sin')],
  ['D9 =FF', 'fcos', '', 'fpu', calling('x87.cos')],

  ['DA /0 mem', 'fiadd', 'Ed', 'fpu', arithmetic('add', 'integer')],
  ['DA /1 mem', 'fimul', 'Ed', 'fpu', arithmetic('mul', 'integer')],
  ['DA /2 mem', 'ficom', 'Ed', 'fpu', com('integer', 0)],
  ['DA /3 mem', 'ficomp', 'Ed', 'fpu', com('integer', 1)],
  ['DA /4 mem', 'fisub', 'Ed', 'fpu', arithmetic('sub', 'integer')],
  ['DA /5 mem', 'fisubr', 'Ed', 'fpu', arithmetic('subr', 'integer')],
  ['DA /6 mem', 'fidiv', 'Ed', 'fpu', arithmetic('div', 'integer')],
  ['DA /7 mem', 'fidivr', 'Ed', 'fpu', arithmetic('divr', 'integer')],
  ['DA =C0+i', 'fcmovb', 'ST0,STi', 'fpu cmov', conditionalMove(ifBelow)],
  ['DA =C8+i', 'fcmove', 'ST0,STi', 'fpu cmov', conditionalMove(ifZero)],
  ['DA =D0+i', 'fcmovbe', 'ST0,STi', 'fpu cmov', conditionalMove(ifNotAbove)],
  ['DA =D8+i', 'fcmovu', 'ST0,STi', 'fpu cmov', conditionalMove(ifParity)],
  ['DA =E9', 'fucompp', '', 'fpu', calling('x87.ucom', 1, 2)],

  ['DB /0 mem', 'fild', 'Ed', 'fpu', load('integer')],
  ['DB /1 mem', 'fisttp', 'Ed', 'fpu sse3', store('truncatedInteger', true)],
  ['DB /2 mem', 'fist', 'Ed', 'fpu', store('integer', false)],
  ['DB /3 mem', 'fistp', 'Ed', 'fpu', store('integer', true)],
  ['DB /5 mem', 'fld', 'Mt', 'fpu', loadTen('extended')],
  ['DB /7 mem', 'fstp', 'Mt', 'fpu', store('extended', true)],
  ['DB =C0+i', 'fcmovnb', 'ST0,STi', 'fpu cmov', conditionalMove(ifNotBelow)],
  ['DB =C8+i', 'fcmovne', 'ST0,STi', 'fpu cmov', conditionalMove(ifNotZero)],
  ['DB =D0+i', 'fcmovnbe', 'ST0,STi', 'fpu cmov', conditionalMove(ifAbove)],
  ['DB =D8+i', 'fcmovnu', 'ST0,STi', 'fpu cmov', conditionalMove(ifNotParity)],
  // Of the 8087 and 80287; later processors ignore them.
  ['DB =E0', 'fneni', '', 'fpu', nothing],
  ['DB =E1', 'fndisi', '', 'fpu', nothing],
  ['DB =E2', 'fnclex', '', 'fpu', control('x87.clear', false)],
  ['DB =E3', 'fninit', '', 'fpu', control('x87.initialize', false)],
  ['DB =E4', 'fsetpm', '', 'fpu', nothing],
  ['DB =E8+i', 'fucomi', 'ST0,STi', 'fpu cmov', compareFlags('x87.ucomi', 0)],
  ['DB =F0+i', 'fcomi', 'ST0,STi', 'fpu cmov', compareFlags('x87.comi', 0)],

  ['DC /0 mem', 'fadd', 'Eq', 'fpu', arithmetic('add', 'double')],
  ['DC /1 mem', 'fmul', 'Eq', 'fpu', arithmetic('mul', 'double')],
  ['DC /2 mem', 'fcom', 'Eq', 'fpu', com('double', 0)],
  ['DC /3 mem', 'fcomp', 'Eq', 'fpu', com('double', 1)],
  ['DC /4 mem', 'fsub', 'Eq', 'fpu', arithmetic('sub', 'double')],
  ['DC /5 mem', 'fsubr', 'Eq', 'fpu', arithmetic('subr', 'double')],
  ['DC /6 mem', 'fdiv', 'Eq', 'fpu', arithmetic('div', 'double')],
  ['DC /7 mem', 'fdivr', 'Eq', 'fpu', arithmetic('divr', 'double')],
  ['DC =C0+i', 'fadd', 'STi,ST0', 'fpu', onRegister('x87.add.other', 0)],
  ['DC =C8+i', 'fmul', 'STi,ST0', 'fpu', onRegister('x87.mul.other', 0)],
  // The manuals leave these two out; as D8.
  ['DC =D0+i', 'fcom', 'STi', 'fpu', onRegister('x87.com', 0)],
  ['DC =D8+i', 'fcomp', 'STi', 'fpu', onRegister('x87.com', 1)],
  ['DC =E0+i', 'fsubr', 'STi,ST0', 'fpu', onRegister('x87.subr.other', 0)],
  ['DC =E8+i', 'fsub', 'STi,ST0', 'fpu', onRegister('x87.sub.other', 0)],
  ['DC =F0+i', 'fdivr', 'STi,ST0', 'fpu', onRegister('x87.divr.other', 0)],
  ['DC =F8+i', 'fdiv', 'STi,ST0', 'fpu', onRegister('x87.div.other', 0)],

  ['DD /0 mem', 'fld', 'Eq', 'fpu', load('double')],
  ['DD /1 mem', 'fisttp', 'Eq', 'fpu sse3', store('truncatedLong', true)],
  ['DD /2 mem', 'fst', 'Eq', 'fpu', store('double', false)],
  ['DD /3 mem', 'fstp', 'Eq', 'fpu', store('double', true)],
  ['DD /4 mem', 'frstor', 'M', 'fpu', withImage('x87.restore', true)],
  ['DD /6 mem', 'fnsave', 'M', 'fpu', withImage('x87.save', false)],
  ['DD /7 mem', 'fnstsw', 'Mw', 'fpu', storeStatus],
  ['DD =C0+i', 'ffree', 'STi', 'fpu', onRegister('x87.free')],
  // The manuals leave it out; as D9.
  ['DD =C8+i', 'fxch', 'STi', 'fpu', onRegister('x87.exchange')],
  ['DD =D0+i', 'fst', 'STi', 'fpu', onRegister('x87.store.register', 0)],
  ['DD =D8+i', 'fstp', 'STi', 'fpu', onRegister('x87.store.register', 1)],
  ['DD =E0+i', 'fucom', 'STi', 'fpu', onRegister('x87.ucom', 0)],
  ['DD =E8+i', 'fucomp', 'STi', 'fpu', onRegister('x87.ucom', 1)],

  ['DE /0 mem', 'fiadd', 'Ew', 'fpu', arithmetic('add', 'short')],
  ['DE /1 mem', 'fimul', 'Ew', 'fpu', arithmetic('mul', 'short')],
  ['DE /2 mem', 'ficom', 'Ew', 'fpu', com('short', 0)],
  ['DE /3 mem', 'ficomp', 'Ew', 'fpu', com('short', 1)],
  ['DE /4 mem', 'fisub', 'Ew', 'fpu', arithmetic('sub', 'short')],
  ['DE /5 mem', 'fisubr', 'Ew', 'fpu', arithmetic('subr', 'short')],
  ['DE /6 mem', 'fidiv', 'Ew', 'fpu', arithmetic('div', 'short')],
  ['DE /7 mem', 'fidivr', 'Ew', 'fpu', arithmetic('divr', 'short')],
  ['DE =C0+i', 'faddp', 'STi,ST0', 'fpu', onRegister('x87.add.other', 1)],
  ['DE =C8+i', 'fmulp', 'STi,ST0', 'fpu', onRegister('x87.mul.other', 1)],
  // The manuals leave it out; as D8.
  ['DE =D0+i', 'fcomp', 'STi', 'fpu', onRegister('x87.com', 1)],
  ['DE =D9', 'fcompp', '', 'fpu', calling('x87.com', 1, 2)],
  ['DE =E0+i', 'fsubrp', 'STi,ST0', 'fpu', onRegister('x87.subr.other', 1)],
  ['DE =E8+i', 'fsubp', 'STi,ST0', 'fpu', onRegister('x87.sub.other', 1)],
  ['DE =F0+i', 'fdivrp', 'STi,ST0', 'fpu', onRegister('x87.divr.other', 1)],
  ['DE =F8+i', 'fdivp', 'STi,ST0', 'fpu', onRegister('x87.div.other', 1)],

  ['DF /0 mem', 'fild', 'Ew', 'fpu', load('short')],
  ['DF /1 mem', 'fisttp', 'Ew', 'fpu sse3', store('truncatedShort', true)],
  ['DF /2 mem', 'fist', 'Ew', 'fpu', store('short', false)],
  ['DF /3 mem', 'fistp', 'Ew', 'fpu', store('short', true)],
  ['DF /4 mem', 'fbld', 'Mt', 'fpu', loadTen('decimal')],
  ['DF /5 mem', 'fild', 'Eq', 'fpu', load('long')],
  ['DF /6 mem', 'fbstp', 'Mt', 'fpu', store('decimal', true)],
  ['DF /7 mem', 'fistp', 'Eq', 'fpu', store('long', true)],
  // The manuals leave these out: ffree and a pop, as D9, and as fstp.
  ['DF =C0+i', 'ffreep', 'STi', 'fpu', (l) => { onRegister('x87.free')(l); l.helper('x87.pop'); }],
  ['DF =C8+i', 'fxch', 'STi', 'fpu', onRegister('x87.exchange')],
  ['DF =D0+i', 'fstp', 'STi', 'fpu', onRegister('x87.store.register', 1)],
  ['DF =D8+i', 'fstp', 'STi', 'fpu', onRegister('x87.store.register', 1)],
  ['DF =E0', 'fnstsw', 'AX', 'fpu', statusToAccumulator],
  ['DF =E8+i', 'fucomip', 'ST0,STi', 'fpu cmov', compareFlags('x87.ucomi', 1)],
  ['DF =F0+i', 'fcomip', 'ST0,STi', 'fpu cmov', compareFlags('x87.comi', 1)],
];
