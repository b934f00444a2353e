/**
 * The WebAssembly of every pure IR operation. Most are one instruction; the others are sequences in which an operand
 * may be pushed several times (operands are locals or constants, so that costs nothing).
 */
import { operations } from '../ir/operations.ts';
import type { ValueType } from './encoder.ts';
import type { Likelihood } from './function.ts';
import { wasm } from './opcodes.ts';
import { simd, vectorPrefix, vectorSequences } from './vector-instructions.ts';

export { wasm } from './opcodes.ts';

/** What a sequence is written with. */
export interface Sequence {
  /** An instruction without immediates. */
  op(code: number): void;
  /** One of the prefixed instructions 0xfc or 0xfd. */
  prefixed(prefix: number, code: number): void;
  i32(value: number): void;
  i64(low: number, high: number): void;
  f64(low: number, high: number): void;
  /** `if` with a result of this type. */
  ifResult(type: ValueType, likelihood?: Likelihood): void;
  /** Pushes operand 0, 1 or 2. */
  push(operand: number): void;
  /** Sets, and pushes, a scratch local of a type. */
  tee(type: ValueType): void;
  scratch(type: ValueType): void;
  /** The operation's immediate. */
  readonly immediate: number;
  /** Calls a function of the operations' runtime; its arguments are on the stack. */
  runtime(name: string, parameters: readonly ValueType[], result: ValueType): void;
  /** Whether relaxed multiply-add is fused on this host. */
  readonly hasFusedMultiplyAdd: boolean;
}

type Emit = (s: Sequence) => void;

// biome-ignore format: one operation per line
const single: readonly (readonly [name: string, opcode: number])[] = [
  ['i32.add', 0x6a], ['i32.sub', 0x6b], ['i32.mul', 0x6c], ['i32.and', 0x71], ['i32.or', 0x72], ['i32.xor', 0x73],
  ['i32.shl', 0x74], ['i32.shr_s', 0x75], ['i32.shr_u', 0x76], ['i32.rotl', 0x77],
  ['i32.clz', 0x67], ['i32.ctz', 0x68], ['i32.popcnt', 0x69],
  ['i32.extend8_s', 0xc0], ['i32.extend16_s', 0xc1],
  ['i32.eqz', 0x45], ['i32.eq', 0x46], ['i32.ne', 0x47],
  ['i32.lt_s', 0x48], ['i32.lt_u', 0x49], ['i32.gt_s', 0x4a], ['i32.gt_u', 0x4b],
  ['i32.le_s', 0x4c], ['i32.le_u', 0x4d], ['i32.ge_s', 0x4e], ['i32.ge_u', 0x4f],
  ['i64.add', 0x7c], ['i64.sub', 0x7d], ['i64.mul', 0x7e], ['i64.and', 0x83], ['i64.or', 0x84], ['i64.xor', 0x85],
  ['i64.clz', 0x79], ['i64.ctz', 0x7a], ['i64.popcnt', 0x7b],
  ['i64.extend8_s', 0xc2], ['i64.extend16_s', 0xc3], ['i64.extend32_s', 0xc4],
  ['i64.eqz', 0x50], ['i64.eq', 0x51], ['i64.ne', 0x52],
  ['i64.lt_s', 0x53], ['i64.lt_u', 0x54], ['i64.gt_s', 0x55], ['i64.gt_u', 0x56],
  ['i64.le_s', 0x57], ['i64.le_u', 0x58], ['i64.ge_s', 0x59], ['i64.ge_u', 0x5a],
  ['i64.extend_i32_s', 0xac], ['i64.extend_i32_u', 0xad], ['i64.low', 0xa7],
  ['f64.add', 0xa0], ['f64.sub', 0xa1], ['f64.mul', 0xa2], ['f64.div', 0xa3], ['f64.sqrt', 0x9f],
  ['f64.neg', 0x9a], ['f64.abs', 0x99],
  ['f64.eq', 0x61], ['f64.lt', 0x63], ['f64.gt', 0x64], ['f64.ge', 0x66],
  ['f64.convert_i32_s', 0xb7], ['f64.convert_i32_u', 0xb8],
];

function operandsThen(count: number, ...opcodes: number[]): Emit {
  return (s) => {
    for (let operand = 0; operand < count; operand++) s.push(operand);
    for (const opcode of opcodes) s.op(opcode);
  };
}

/** 0 when the divisor is 0, else what `divide` pushes. */
function unlessZero(type: 'i32' | 'i64', divide: Emit): Emit {
  return (s) => {
    s.push(1);
    s.op(type === 'i32' ? wasm.i32_eqz : wasm.i64_eqz);
    s.ifResult(type);
    if (type === 'i32') s.i32(0);
    else s.i64(0, 0);
    s.op(wasm.else);
    divide(s);
    s.op(wasm.end);
  };
}

/** a / b, but a / -1 is 0 - a: the quotient that does not fit wraps. */
function divideSigned(type: 'i32' | 'i64'): Emit {
  const minusOne = (s: Sequence) => (type === 'i32' ? s.i32(-1) : s.i64(-1, -1));
  return unlessZero(type, (s) => {
    s.push(1);
    minusOne(s);
    s.op(type === 'i32' ? wasm.i32_eq : wasm.i64_eq);
    s.ifResult(type);
    if (type === 'i32') s.i32(0);
    else s.i64(0, 0);
    s.push(0);
    s.op(type === 'i32' ? wasm.i32_sub : wasm.i64_sub);
    s.op(wasm.else);
    s.push(0);
    s.push(1);
    s.op(type === 'i32' ? wasm.i32_div_s : wasm.i64_div_s);
    s.op(wasm.end);
  });
}

function multiplyHigh(extend: number): Emit {
  return (s) => {
    s.push(0);
    s.op(extend);
    s.push(1);
    s.op(extend);
    s.op(wasm.i64_mul);
    s.i64(32, 0);
    s.op(wasm.i64_shr_u);
    s.op(wasm.i32_wrap_i64);
  };
}

/**
 * The high doubleword of the unsigned product, from the products of words:
 * middle = aHigh * bLow + (aLow * bLow >> 32), then aHigh * bHigh + (middle >> 32) + (aLow * bHigh + low(middle) >> 32).
 */
function multiplyHighUnsigned64(s: Sequence): void {
  const low = (operand: number): void => {
    s.push(operand);
    s.i64(-1, 0);
    s.op(wasm.i64_and);
  };
  const high = (push: () => void): void => {
    push();
    s.i64(32, 0);
    s.op(wasm.i64_shr_u);
  };
  const product = (first: () => void, second: () => void): void => {
    first();
    second();
    s.op(wasm.i64_mul);
  };
  const aLow = () => low(0);
  const bLow = () => low(1);
  const aHigh = () => high(() => s.push(0));
  const bHigh = () => high(() => s.push(1));
  product(aHigh, bLow);
  high(() => product(aLow, bLow));
  s.op(wasm.i64_add);
  s.tee('i64');
  s.i64(32, 0);
  s.op(wasm.i64_shr_u);
  high(() => {
    product(aLow, bHigh);
    s.scratch('i64');
    s.i64(-1, 0);
    s.op(wasm.i64_and);
    s.op(wasm.i64_add);
  });
  s.op(wasm.i64_add);
  product(aHigh, bHigh);
  s.op(wasm.i64_add);
}

/**
 * Eight bytes in the reverse order, of the doubleword that `push` pushes: swapped in halfwords, halfwords in words, then
 * the words. `keep` takes a value from the stack, which `kept` pushes.
 */
export function emitByteSwap64(
  s: Pick<Sequence, 'op' | 'i64'>,
  push: () => void,
  keep: () => void,
  kept: () => void,
): void {
  const swap = (bits: number, mask: number, operand: () => void): void => {
    operand();
    s.i64(mask, mask);
    s.op(wasm.i64_and);
    s.i64(bits, 0);
    s.op(wasm.i64_shl);
    operand();
    s.i64(bits, 0);
    s.op(wasm.i64_shr_u);
    s.i64(mask, mask);
    s.op(wasm.i64_and);
    s.op(wasm.i64_or);
  };
  swap(8, 0x00ff00ff, push);
  keep();
  swap(16, 0x0000ffff, kept);
  s.i64(32, 0);
  s.op(wasm.i64_rotl);
}

/** Four bytes in the reverse order, of the word that `push` pushes. */
export function emitByteSwap(s: Pick<Sequence, 'op' | 'i32'>, push: () => void): void {
  push();
  s.i32(8);
  s.op(wasm.i32_rotl);
  s.i32(0x00ff00ff);
  s.op(wasm.i32_and);
  push();
  s.i32(24);
  s.op(wasm.i32_rotl);
  s.i32(0xff00ff00 | 0);
  s.op(wasm.i32_and);
  s.op(wasm.i32_or);
}

function selectOf(s: Sequence): void {
  s.push(1);
  s.push(2);
  s.push(0);
  s.op(wasm.select);
}

/**
 * An arithmetic result rounded to single once. `compute` pushes the double result. Rounding it again goes wrong only
 * where it lies midway between two singles, or where a single would be subnormal: there the exact function decides.
 */
function roundedOnce(count: number, compute: Emit, exact: string): Emit {
  return (s) => {
    compute(s);
    s.tee('f64');
    s.op(wasm.i64_reinterpret_f64);
    s.i64(0x1fffffff, 0);
    s.op(wasm.i64_and);
    s.i64(0x10000000, 0);
    s.op(wasm.i64_eq);
    s.scratch('f64');
    s.op(wasm.f64_abs);
    // 2^-126
    s.f64(0, 0x38100000);
    s.op(wasm.f64_lt);
    s.op(wasm.i32_or);
    s.ifResult('f64', 'unlikely');
    for (let operand = 0; operand < count; operand++) s.push(operand);
    s.runtime(
      exact,
      Array.from({ length: count }, () => 'f64' as const),
      'f64',
    );
    s.op(wasm.else);
    s.scratch('f64');
    s.op(wasm.f32_demote_f64);
    s.op(wasm.f64_promote_f32);
    s.op(wasm.end);
  };
}

/** The fused product and sum of operands 0, 1 and 2, where the host has it. */
export function fusedMultiplyAdd(s: Pick<Sequence, 'push' | 'prefixed' | 'op'>): void {
  for (let operand = 0; operand < 3; operand++) {
    s.push(operand);
    s.prefixed(vectorPrefix, simd.f64x2_splat);
  }
  s.prefixed(vectorPrefix, simd.f64x2_relaxed_madd);
  s.prefixed(vectorPrefix, simd.f64x2_extract_lane);
  s.op(0);
}

const three = ['f64', 'f64', 'f64'] as const;

/** To an integer, saturating; -2^31 for a NaN. */
function toInteger(prepare: (s: Sequence) => void): Emit {
  return (s) => {
    s.push(0);
    prepare(s);
    s.prefixed(0xfc, 0x02);
    s.i32(-0x80000000);
    s.push(0);
    s.push(0);
    s.op(wasm.f64_eq);
    s.op(wasm.select);
  };
}

const sequences: Readonly<Record<string, Emit>> = {
  'i32.mulh_s': multiplyHigh(wasm.i64_extend_i32_s),
  'i32.mulh_u': multiplyHigh(wasm.i64_extend_i32_u),
  'i32.div_s': divideSigned('i32'),
  'i32.div_u': unlessZero('i32', operandsThen(2, wasm.i32_div_u)),
  'i32.rem_s': unlessZero('i32', operandsThen(2, wasm.i32_rem_s)),
  'i32.rem_u': unlessZero('i32', operandsThen(2, wasm.i32_rem_u)),
  'i32.not': (s) => {
    s.push(0);
    s.i32(-1);
    s.op(wasm.i32_xor);
  },
  'i32.neg': (s) => {
    s.i32(0);
    s.push(0);
    s.op(wasm.i32_sub);
  },
  'i32.bswap': (s) => emitByteSwap(s, () => s.push(0)),
  'i32.select': selectOf,
  'i64.select': selectOf,
  'f64.select': selectOf,
  'i64.div_s': divideSigned('i64'),
  'i64.div_u': unlessZero('i64', operandsThen(2, wasm.i64_div_u)),
  'i64.rem_s': unlessZero('i64', operandsThen(2, wasm.i64_rem_s)),
  'i64.rem_u': unlessZero('i64', operandsThen(2, wasm.i64_rem_u)),
  'i64.mulh_u': multiplyHighUnsigned64,
  'i64.mulh_s': (s) => {
    multiplyHighUnsigned64(s);
    for (const [sign, other] of [
      [0, 1],
      [1, 0],
    ]) {
      s.push(sign);
      s.i64(63, 0);
      s.op(wasm.i64_shr_s);
      s.push(other);
      s.op(wasm.i64_and);
      s.op(wasm.i64_sub);
    }
  },
  'i64.not': (s) => {
    s.push(0);
    s.i64(-1, -1);
    s.op(wasm.i64_xor);
  },
  'i64.neg': (s) => {
    s.i64(0, 0);
    s.push(0);
    s.op(wasm.i64_sub);
  },
  'i64.bswap': (s) =>
    emitByteSwap64(
      s,
      () => s.push(0),
      () => {
        s.tee('i64');
        s.op(wasm.drop);
      },
      () => s.scratch('i64'),
    ),
  'i64.shl': shift64(wasm.i64_shl),
  'i64.shr_u': shift64(wasm.i64_shr_u),
  'i64.shr_s': shift64(wasm.i64_shr_s),
  'i64.rotl': shift64(wasm.i64_rotl),
  'i64.join': join,
  'i64.high': (s) => {
    s.push(0);
    s.i64(32, 0);
    s.op(wasm.i64_shr_u);
    s.op(wasm.i32_wrap_i64);
  },
  'f64.fma': (s) => {
    if (s.hasFusedMultiplyAdd) {
      fusedMultiplyAdd(s);
      return;
    }
    for (let operand = 0; operand < 3; operand++) s.push(operand);
    s.runtime('fma', three, 'f64');
  },
  'f64.fma_single': (s) => {
    if (s.hasFusedMultiplyAdd) {
      roundedOnce(3, fusedMultiplyAdd, 'fmaSingle')(s);
      return;
    }
    for (let operand = 0; operand < 3; operand++) s.push(operand);
    s.runtime('fmaSingle', three, 'f64');
  },
  'f64.add_single': roundedOnce(2, operandsThen(2, 0xa0), 'addSingle'),
  'f64.sub_single': roundedOnce(2, operandsThen(2, 0xa1), 'subSingle'),
  'f64.mul_single': roundedOnce(2, operandsThen(2, 0xa2), 'mulSingle'),
  'f64.div_single': roundedOnce(2, operandsThen(2, 0xa3), 'divSingle'),
  'f64.sqrt_single': roundedOnce(1, operandsThen(1, 0x9f), 'sqrtSingle'),
  'f64.to_single': operandsThen(1, wasm.f32_demote_f64, wasm.f64_promote_f32),
  'f64.unordered': (s) => {
    for (const operand of [0, 1]) {
      s.push(operand);
      s.push(operand);
      s.op(wasm.f64_ne);
    }
    s.op(wasm.i32_or);
  },
  'f64.nan_of2': (s) => {
    s.push(0);
    s.push(0);
    s.op(wasm.f64_eq);
    s.ifResult('f64', 'likely');
    s.push(0);
    s.op(wasm.else);
    for (let operand = 0; operand < 3; operand++) s.push(operand);
    s.i32(s.immediate);
    s.runtime('nanOf2', ['f64', 'f64', 'f64', 'i32'], 'f64');
    s.op(wasm.end);
  },
  'f64.from_halves': (s) => {
    join(s);
    s.op(wasm.f64_reinterpret_i64);
  },
  'f64.low': operandsThen(1, wasm.i64_reinterpret_f64, wasm.i32_wrap_i64),
  'f64.high': (s) => {
    s.push(0);
    s.op(wasm.i64_reinterpret_f64);
    s.i64(32, 0);
    s.op(wasm.i64_shr_u);
    s.op(wasm.i32_wrap_i64);
  },
  'i32.trunc_f64_s': toInteger(() => {}),
  'i32.nearest_f64_s': toInteger((s) => s.op(wasm.f64_nearest)),
};

function shift64(opcode: number): Emit {
  return (s) => {
    s.push(0);
    s.push(1);
    s.op(wasm.i64_extend_i32_u);
    s.op(opcode);
  };
}

function join(s: Sequence): void {
  s.push(1);
  s.op(wasm.i64_extend_i32_u);
  s.i64(32, 0);
  s.op(wasm.i64_shl);
  s.push(0);
  s.op(wasm.i64_extend_i32_u);
  s.op(wasm.i64_or);
}

const byName = new Map<string, Emit>([...Object.entries(sequences), ...Object.entries(vectorSequences)]);
for (const [name, opcode] of single) {
  const count = operations.find((operation) => operation.name === name)?.operands.length ?? 0;
  byName.set(name, operandsThen(count, opcode));
}

/** By code: pushes the value of a pure operation; undefined for those that are not pure, and for constants. */
export const pureSequences: readonly (Emit | undefined)[] = operations.map(({ name }) => byName.get(name));

/** Names of opcodes in the text format. */
export const opcodeNames: ReadonlyMap<number, string> = new Map([
  // The IR's names are WebAssembly's, where both have the operation.
  ...single.map(([name, opcode]) => [opcode, name] as const),
  ...Object.entries(wasm).map(([name, opcode]) => [opcode, name.replace(/^([if](?:32|64)|local)_/, '$1.')] as const),
]);
