/**
 * Floating-point arithmetic of SSE: on one number or on all of a vector, in single and in double precision.
 *
 * Where the default mode may be taken for granted it is computed inline, and MXCSR's exceptions are left alone; a NaN
 * among the results is replaced by the one that x86 gives. Exactly (Lifter.exact) it is a helper's (sse-helpers.ts), number by
 * number or half by half.
 */
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
  setBits,
} from './flags.ts';
import type { Lift, Row } from './instruction.ts';
import type { Lifter } from './lift.ts';
import { logical } from './sse-integer.ts';
import {
  complement,
  double,
  fromHalves,
  high,
  low,
  setDouble,
  setSingle,
  setSingleBits,
  setVector,
  shuffled,
  single,
  singleBits,
  vector,
} from './sse-operands.ts';

/** The NaN of an invalid operation: a single's bits, and the high word of a double's. */
const defaultSingle = 0xffc00000 | 0;
const defaultDouble = 0xfff80000 | 0;

/** The forms of an instruction: packed or scalar, singles or doubles. */
export type Form = 'ps' | 'pd' | 'ss' | 'sd';

/** A helper of halves on both halves of some vectors, with the same scalar operand: of singles it does two at a time, of doubles one. */
export function byHalves(l: Lifter, name: string, vectors: readonly Value[], ...scalars: readonly Value[]): Value {
  const lowHalf = l.helper(`${name}.first`, ...vectors.map((value) => low(l, value)), ...scalars);
  return fromHalves(l, lowHalf, l.helper(`${name}.last`, ...vectors.map((value) => high(l, value)), ...scalars));
}

/** The name of the helper for packed numbers: it works on a half. */
const packedHelper = (name: string, form: Form): string => `sse.${name}${form === 'ps' ? 'ps' : 'sd'}`;

const shapeOf = (form: Form): string => (form === 'ps' ? 'f32x4' : 'f64x2');

/** A packed result with its NaNs as x86 has them; a and b are the operands. */
function pinned(l: Lifter, form: Form, result: Value, a: Value, b: Value): Value {
  const code = op[`${shapeOf(form)}.nan_of2`];
  return l.b.withImmediate(code, form === 'ps' ? defaultSingle : defaultDouble, result, a, b);
}

/** Packed arithmetic: add, sub, mul, div; sqrt of b. */
export function packed(l: Lifter, name: string, form: Form, a: Value, b: Value): Value {
  if (l.exact) return byHalves(l, packedHelper(name, form), [a, b]);
  const code = op[`${shapeOf(form)}.${name}`];
  const result = name === 'sqrt' ? l.b.unary(code, b) : l.b.binary(code, a, b);
  return pinned(l, form, result, name === 'sqrt' ? b : a, b);
}

/** add, sub, mul, div and sqrt in one of their forms. */
function arithmetic(name: string, form: Form): Lift {
  const isRoot = name === 'sqrt';
  switch (form) {
    case 'ps':
    case 'pd':
      return (l) => {
        const source = vector(l, 1);
        setVector(l, 0, packed(l, name, form, isRoot ? source : vector(l, 0), source));
      };
    case 'sd':
      return (l) => {
        const y = double(l, 1);
        const x = isRoot ? y : double(l, 0);
        if (l.exact) {
          setDouble(l, 0, l.helper(`sse.${name}sd`, x, y));
          return;
        }
        const code = op[`f64.${name}`];
        const result = isRoot ? l.b.unary(code, y) : l.b.binary(code, x, y);
        setDouble(l, 0, l.b.nanOf2(result, x, y, defaultDouble));
      };
    default:
      return (l) => {
        if (l.exact) {
          const bits = singleBits(l, 1);
          setSingleBits(l, 0, l.helper(`sse.${name}ss`, isRoot ? bits : singleBits(l, 0), bits));
          return;
        }
        const y = single(l, 1);
        const x = isRoot ? y : single(l, 0);
        const code = op[`f32.${name}`];
        const result = isRoot ? l.b.unary(code, y) : l.b.binary(code, x, y);
        setSingle(l, 0, l.b.withImmediate(op['f32.nan_of2'], defaultSingle, result, x, y));
      };
  }
}

/** Puts what packed arithmetic gives into the destination: all of it, or its lowest number. */
function place(l: Lifter, form: Form, made: Value): void {
  if (form === 'ps' || form === 'pd') setVector(l, 0, made);
  else setVector(l, 0, shuffled(l, vector(l, 0), made, form === 'ss' ? [4, 1, 2, 3] : [4, 5, 2, 3]));
}

/** min, max: the second operand where they are equal or one is a NaN, bits unchanged. */
function extreme(name: 'min' | 'max', form: Form): Lift {
  return (l) => {
    const source = vector(l, 1);
    const destination = vector(l, 0);
    if (!l.exact) {
      const shape = form === 'ps' || form === 'ss' ? 'f32x4' : 'f64x2';
      place(l, form, l.b.binary(op[`${shape}.p${name}`], source, destination));
    } else if (form === 'ss') {
      setSingleBits(
        l,
        0,
        l.helper(`sse.${name}ss`, singleBits(l, 0), l.b.withImmediate(op['i32x4.extract_lane'], 0, source)),
      );
    } else if (form === 'sd') setDouble(l, 0, l.helper(`sse.${name}sd`, low(l, destination), low(l, source)));
    else setVector(l, 0, byHalves(l, packedHelper(name, form), [destination, source]));
  };
}

/** cmpps and the like: all ones where the immediate's predicate holds. */
function compare(form: Form): Lift {
  return (l) => {
    const predicate = l.i.immediate & 7;
    const source = vector(l, 1);
    const destination = vector(l, 0);
    const number = l.b.constant(predicate);
    if (!l.exact) {
      place(l, form, compared(l, form === 'ps' || form === 'ss' ? 'f32x4' : 'f64x2', predicate, destination, source));
    } else if (form === 'ss') {
      const bits = (value: Value): Value => l.b.withImmediate(op['i32x4.extract_lane'], 0, value);
      setSingleBits(l, 0, l.helper('sse.cmpss', bits(destination), bits(source), number));
    } else if (form === 'sd') setDouble(l, 0, l.helper('sse.cmpsd', low(l, destination), low(l, source), number));
    else setVector(l, 0, byHalves(l, packedHelper('cmp', form), [destination, source], number));
  };
}

function compared(l: Lifter, shape: string, predicate: number, x: Value, y: Value): Value {
  const { b } = l;
  const test = (name: string, p: Value, q: Value): Value => b.binary(op[`${shape}.${name}`], p, q);
  switch (predicate) {
    case 0:
      return test('eq', x, y);
    case 1:
      return test('lt', x, y);
    case 2:
      return test('le', x, y);
    case 3:
      return b.binary(op['v128.or'], test('ne', x, x), test('ne', y, y));
    case 4:
      return test('ne', x, y);
    case 5:
      return complement(l, test('lt', x, y));
    case 6:
      return complement(l, test('le', x, y));
    default:
      return b.binary(op['v128.and'], test('eq', x, x), test('eq', y, y));
  }
}

/** comiss, comisd, and quietly ucomiss, ucomisd: ZF, PF and CF; all of them where a number is a NaN. */
function compareFlags(form: 'ss' | 'sd', quiet: boolean): Lift {
  return (l) => {
    const { b } = l;
    if (l.exact) {
      const [y, x] = [1, 0].map((n) => (form === 'ss' ? singleBits(l, n) : double(l, n)));
      const flags = l.helper(`sse.comi${form}`, x, y, b.constant(quiet ? 1 : 0));
      const bit = (at: number): Value => b.and(b.shrU(flags, b.constant(at)), b.constant(1));
      setBits(l, { carry: bit(0), parity: bit(2), zero: bit(6) });
      return;
    }
    const [y, x] = [1, 0].map((n) => (form === 'ss' ? single(l, n) : double(l, n)));
    const type = form === 'ss' ? 'f32' : 'f64';
    const less = b.binary(op[`${type}.lt`], x, y);
    const greater = b.binary(op[`${type}.lt`], y, x);
    const equal = b.binary(op[`${type}.eq`], x, y);
    const unordered = b.binary(op[`${type}.unordered`], x, y);
    const notBelow = b.or(greater, equal);
    setBits(l, { carry: b.or(less, unordered), parity: unordered, zero: b.or(equal, unordered) }, (condition) => {
      switch (condition) {
        case ifAbove:
          return greater;
        case ifNotAbove:
          return b.eqz(greater);
        case ifNotBelow:
          return notBelow;
        case ifBelow:
          return b.eqz(notBelow);
        case ifParity:
          return unordered;
        case ifNotParity:
          return b.eqz(unordered);
        case ifZero:
          return b.or(equal, unordered);
        case ifNotZero:
          return b.eqz(b.or(equal, unordered));
        default:
          return undefined;
      }
    });
  };
}

// -- horizontal

/** haddps, hsubpd…: neighbours of the destination, then of the source. */
function horizontal(name: 'add' | 'sub', form: 'ps' | 'pd'): Lift {
  return (l) => {
    const source = vector(l, 1);
    const destination = vector(l, 0);
    const isSingle = form === 'ps';
    const even = shuffled(l, destination, source, isSingle ? [0, 2, 4, 6] : [0, 1, 4, 5]);
    const odd = shuffled(l, destination, source, isSingle ? [1, 3, 5, 7] : [2, 3, 6, 7]);
    setVector(l, 0, packed(l, name, form, even, odd));
  };
}

/** addsubps, addsubpd: odd lanes are added, even ones subtracted. */
function addSub(form: 'ps' | 'pd'): Lift {
  return (l) => {
    const source = vector(l, 1);
    const destination = vector(l, 0);
    if (!l.exact) {
      const sums = packed(l, 'add', form, destination, source);
      const differences = packed(l, 'sub', form, destination, source);
      setVector(l, 0, shuffled(l, differences, sums, form === 'ps' ? [0, 5, 2, 7] : [0, 1, 6, 7]));
    } else if (form === 'pd') {
      const difference = l.helper('sse.subsd.first', low(l, destination), low(l, source));
      setVector(l, 0, fromHalves(l, difference, l.helper('sse.addsd.last', high(l, destination), high(l, source))));
    } else setVector(l, 0, byHalves(l, 'sse.addsubps', [destination, source]));
  };
}

/**
 * dpps and dppd: products of the lanes that bits 4 and up of the immediate name, their sum in those that bits 0 and up name.
 * @param lanesOf the mask for the lanes of which an immediate's bits from 0 on are set @param sumOf adds a vector's lanes up
 */
function dotProduct(
  element: 'ps' | 'pd',
  lanesOf: (bit: (lane: number) => number) => [number, number, number, number],
  sumOf: (l: Lifter, products: Value) => Value,
): Lift {
  return (l) => {
    const { b } = l;
    const { immediate } = l.i;
    const lanes = (bits: number): Value => b.constant128(...lanesOf((lane) => -((bits >> lane) & 1)));
    const source = vector(l, 1);
    const destination = vector(l, 0);
    // Lanes that are not named are not multiplied: they raise nothing.
    const named = lanes(immediate >> 4);
    const pick = (value: Value): Value => b.binary(op['v128.and'], value, named);
    const products = b.binary(op['v128.and'], packed(l, 'mul', element, pick(destination), pick(source)), named);
    setVector(l, 0, b.binary(op['v128.and'], sumOf(l, products), lanes(immediate)));
  };
}

/** The sum of two vectors that consist of one's words in these orders. */
function sumOfShuffled(
  l: Lifter,
  element: 'ps' | 'pd',
  value: Value,
  one: readonly [number, number, number, number],
  other: readonly [number, number, number, number],
): Value {
  return packed(l, 'add', element, shuffled(l, value, value, one), shuffled(l, value, value, other));
}

const dpps = dotProduct(
  'ps',
  (bit) => [bit(0), bit(1), bit(2), bit(3)],
  (l, products) => {
    // The lanes in pairs, both pairs at once, and then the pairs.
    const pairs = sumOfShuffled(l, 'ps', products, [0, 2, 0, 2], [1, 3, 1, 3]);
    return sumOfShuffled(l, 'ps', pairs, [0, 0, 0, 0], [1, 1, 1, 1]);
  },
);

const dppd = dotProduct(
  'pd',
  (bit) => [bit(0), bit(0), bit(1), bit(1)],
  (l, products) => sumOfShuffled(l, 'pd', products, [0, 1, 0, 1], [2, 3, 2, 3]),
);

// -- rounding to integral values

const integralNames = ['nearest', 'floor', 'ceil', 'trunc'];

/** roundps and the like, as the immediate says: bit 2 is MXCSR's mode, which by default is to nearest. */
function integral(form: Form): Lift {
  return (l) => {
    const { b, i } = l;
    if (l.exact) {
      const immediate = b.constant(i.immediate & 15);
      if (form === 'ss') setSingleBits(l, 0, l.helper('sse.roundss', singleBits(l, 1), immediate));
      else if (form === 'sd') setDouble(l, 0, l.helper('sse.roundsd', double(l, 1), immediate));
      else setVector(l, 0, byHalves(l, packedHelper('round', form), [vector(l, 1)], immediate));
      return;
    }
    const name = integralNames[(i.immediate & 4) !== 0 ? 0 : i.immediate & 3];
    if (form === 'sd') setDouble(l, 0, b.unary(op[`f64.${name}`], double(l, 1)));
    else place(l, form, b.unary(op[`${form === 'pd' ? 'f64x2' : 'f32x4'}.${name}`], vector(l, 1)));
  };
}

// -- estimates

/**
 * rcpps, rsqrtps, rcpss, rsqrtss: the manual bounds their relative error by 1.5 * 2^-12 and leaves the rest to the processor.
 * Here they are exact to single precision. They raise no exceptions, know no rounding mode, and neither take nor give denormals.
 */
function estimate(isRoot: boolean, form: 'ps' | 'ss'): Lift {
  return (l) => {
    const { b } = l;
    const source = withoutDenormals(l, vector(l, 1));
    const one = b.constant128(0x3f800000, 0x3f800000, 0x3f800000, 0x3f800000);
    const divisor = isRoot ? inline(l, 'sqrt', source, source) : source;
    // Reciprocals that would be denormal are zeros, too.
    place(l, form, withoutDenormals(l, inline(l, 'div', one, divisor)));
  };
}

/** Singles with zeros for denormals. */
function withoutDenormals(l: Lifter, value: Value): Value {
  const { b } = l;
  const exponents = b.constant128(0x7f800000, 0x7f800000, 0x7f800000, 0x7f800000);
  const signs = b.constant128(-0x80000000, -0x80000000, -0x80000000, -0x80000000);
  const isZero = b.binary(op['i32x4.eq'], b.binary(op['v128.and'], value, exponents), b.constant128(0, 0, 0, 0));
  return b.ternary(op['v128.bitselect'], b.binary(op['v128.and'], value, signs), value, isZero);
}

/** Packed singles without exceptions, whatever the mode. */
function inline(l: Lifter, name: string, x: Value, y: Value): Value {
  const { b } = l;
  const code = op[`f32x4.${name}`];
  return pinned(l, 'ps', name === 'sqrt' ? b.unary(code, y) : b.binary(code, x, y), x, y);
}

/** The four forms of an instruction; its prefix tells them apart. */
function forms(opcode: string, name: string, lift: (form: Form) => Lift, suffix = ''): Row[] {
  const immediate = suffix === '' ? '' : `,${suffix}`;
  return [
    [`NP ${opcode} /r`, `${name}ps`, `Vdq,Wdq${immediate}`, 'sse', lift('ps')],
    [`66 ${opcode} /r`, `${name}pd`, `Vdq,Wdq${immediate}`, 'sse2', lift('pd')],
    [`F3 ${opcode} /r`, `${name}ss`, `Vdq,Wss${immediate}`, 'sse', lift('ss')],
    [`F2 ${opcode} /r`, `${name}sd`, `Vdq,Wsd${immediate}`, 'sse2', lift('sd')],
  ];
}

const arithmeticForms = (opcode: string, name: string): Row[] => forms(opcode, name, (form) => arithmetic(name, form));

// biome-ignore format: one row per line
export const sseFloatRows: readonly Row[] = [
  ['NP 0F 2E /r', 'ucomiss', 'Vdq,Wss', 'sse',  compareFlags('ss', true)],
  ['66 0F 2E /r', 'ucomisd', 'Vdq,Wsd', 'sse2', compareFlags('sd', true)],
  ['NP 0F 2F /r', 'comiss',  'Vdq,Wss', 'sse',  compareFlags('ss', false)],
  ['66 0F 2F /r', 'comisd',  'Vdq,Wsd', 'sse2', compareFlags('sd', false)],
  ...arithmeticForms('0F 51', 'sqrt'),
  ['NP 0F 52 /r', 'rsqrtps', 'Vdq,Wdq', 'sse',  estimate(true, 'ps')],
  ['F3 0F 52 /r', 'rsqrtss', 'Vdq,Wss', 'sse',  estimate(true, 'ss')],
  ['NP 0F 53 /r', 'rcpps',   'Vdq,Wdq', 'sse',  estimate(false, 'ps')],
  ['F3 0F 53 /r', 'rcpss',   'Vdq,Wss', 'sse',  estimate(false, 'ss')],
  ['NP 0F 54 /r', 'andps',   'Vdq,Wdq', 'sse',  logical.and],
  ['66 0F 54 /r', 'andpd',   'Vdq,Wdq', 'sse2', logical.and],
  ['NP 0F 55 /r', 'andnps',  'Vdq,Wdq', 'sse',  logical.andNot],
  ['66 0F 55 /r', 'andnpd',  'Vdq,Wdq', 'sse2', logical.andNot],
  ['NP 0F 56 /r', 'orps',    'Vdq,Wdq', 'sse',  logical.or],
  ['66 0F 56 /r', 'orpd',    'Vdq,Wdq', 'sse2', logical.or],
  ['NP 0F 57 /r', 'xorps',   'Vdq,Wdq', 'sse',  logical.xor],
  ['66 0F 57 /r', 'xorpd',   'Vdq,Wdq', 'sse2', logical.xor],
  ...arithmeticForms('0F 58', 'add'),
  ...arithmeticForms('0F 59', 'mul'),
  ...arithmeticForms('0F 5C', 'sub'),
  ...forms('0F 5D', 'min', (form) => extreme('min', form)),
  ...arithmeticForms('0F 5E', 'div'),
  ...forms('0F 5F', 'max', (form) => extreme('max', form)),
  ['66 0F 7C /r', 'haddpd',   'Vdq,Wdq', 'sse3', horizontal('add', 'pd')],
  ['F2 0F 7C /r', 'haddps',   'Vdq,Wdq', 'sse3', horizontal('add', 'ps')],
  ['66 0F 7D /r', 'hsubpd',   'Vdq,Wdq', 'sse3', horizontal('sub', 'pd')],
  ['F2 0F 7D /r', 'hsubps',   'Vdq,Wdq', 'sse3', horizontal('sub', 'ps')],
  ...forms('0F C2', 'cmp', compare, 'Ib'),
  ['66 0F D0 /r', 'addsubpd', 'Vdq,Wdq', 'sse3', addSub('pd')],
  ['F2 0F D0 /r', 'addsubps', 'Vdq,Wdq', 'sse3', addSub('ps')],
  ['66 0F 3A 08 /r', 'roundps', 'Vdq,Wdq,Ib', 'sse4_1', integral('ps')],
  ['66 0F 3A 09 /r', 'roundpd', 'Vdq,Wdq,Ib', 'sse4_1', integral('pd')],
  ['66 0F 3A 0A /r', 'roundss', 'Vdq,Wss,Ib', 'sse4_1', integral('ss')],
  ['66 0F 3A 0B /r', 'roundsd', 'Vdq,Wsd,Ib', 'sse4_1', integral('sd')],
  ['66 0F 3A 40 /r', 'dpps',    'Vdq,Wdq,Ib', 'sse4_1', dpps],
  ['66 0F 3A 41 /r', 'dppd',    'Vdq,Wdq,Ib', 'sse4_1', dppd],
];
