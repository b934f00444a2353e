/**
 * A plain implementation of the operations on vectors, lane by lane on arrays, for the tests: it shares nothing with the
 * code that it is compared with. Lanes are BigInts where they are integers, so nothing is rounded or cut by accident.
 */

export type Bytes = Uint8Array;
/** A vector as its bytes, an i32 or f32 as a number, an i64 or the bits of an f64 as a BigInt (a signalling NaN does not stay one in an array). */
export type Operand = Bytes | number | bigint;

type Reference = (operands: readonly Operand[], immediate: number) => Operand;

/** Lanes of `bits` bits as integers. */
function lanesOf(vector: Operand, bits: number, signed: boolean): bigint[] {
  const bytes = vector as Bytes;
  let all = 0n;
  for (let at = 15; at >= 0; at--) all = (all << 8n) | BigInt(bytes[at]);
  return Array.from({ length: 128 / bits }, (_, lane) => {
    const value = all >> BigInt(lane * bits);
    return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  });
}

function vectorOf(lanes: readonly bigint[], bits: number): Bytes {
  let all = 0n;
  for (const lane of [...lanes].reverse()) all = (all << BigInt(bits)) | BigInt.asUintN(bits, lane);
  return Uint8Array.from({ length: 16 }, (_, at) => Number((all >> BigInt(8 * at)) & 0xffn));
}

const limit = (value: bigint, bits: number, signed: boolean): bigint => {
  const least = signed ? -(1n << BigInt(bits - 1)) : 0n;
  const most = signed ? (1n << BigInt(bits - 1)) - 1n : (1n << BigInt(bits)) - 1n;
  return value < least ? least : value > most ? most : value;
};

type Lane = (x: bigint, y: bigint, bits: number) => bigint;
const ones = (condition: boolean): bigint => (condition ? -1n : 0n);

const each =
  (bits: number, signed: boolean, lane: Lane): Reference =>
  ([a, b]) => {
    const right = b === undefined ? [] : lanesOf(b, bits, signed);
    return vectorOf(
      lanesOf(a, bits, signed).map((x, at) => lane(x, right[at] ?? 0n, bits)),
      bits,
    );
  };

const references: Record<string, Reference> = {};

/** Math.min knows no BigInts. */
const lesser = (x: bigint, y: bigint): bigint => {
  if (x < y) return x;
  return y;
};

const integerLanes: Readonly<Record<string, Lane>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  add_sat_s: (x, y, bits) => limit(x + y, bits, true),
  add_sat_u: (x, y, bits) => limit(x + y, bits, false),
  sub_sat_s: (x, y, bits) => limit(x - y, bits, true),
  sub_sat_u: (x, y, bits) => limit(x - y, bits, false),
  eq: (x, y) => ones(x === y),
  gt_s: (x, y) => ones(x > y),
  min_s: (x, y) => lesser(x, y),
  min_u: (x, y) => lesser(x, y),
  max_s: (x, y) => x + y - lesser(x, y),
  max_u: (x, y) => x + y - lesser(x, y),
  avgr_u: (x, y) => (x + y + 1n) >> 1n,
  abs: (x) => (x < 0n ? -x : x),
  mulh_s: (x, y) => (x * y) >> 16n,
  mulh_u: (x, y) => (x * y) >> 16n,
  q15mulr_s: (x, y) => (x * y + 0x4000n) >> 15n,
};

for (const [shape, bits] of [
  ['i8x16', 8],
  ['i16x8', 16],
  ['i32x4', 32],
  ['i64x2', 64],
] as const) {
  for (const [name, lane] of Object.entries(integerLanes)) {
    references[`${shape}.${name}`] = each(bits, !name.endsWith('_u'), lane);
  }
  references[`${shape}.shl`] = ([a, count]) =>
    vectorOf(
      lanesOf(a, bits, true).map((x) => x << BigInt((count as number) & (bits - 1))),
      bits,
    );
  for (const [name, signed] of [
    ['shr_s', true],
    ['shr_u', false],
  ] as const) {
    references[`${shape}.${name}`] = ([a, count]) =>
      vectorOf(
        lanesOf(a, bits, signed).map((x) => x >> BigInt((count as number) & (bits - 1))),
        bits,
      );
  }
  references[`${shape}.bitmask`] = ([a]) =>
    lanesOf(a, bits, true).reduce((mask, x, lane) => mask | (x < 0n ? 1 << lane : 0), 0);
  for (const name of ['extract_lane', 'extract_lane_u']) {
    references[`${shape}.${name}`] = ([a], lane) => {
      const value = lanesOf(a, bits, bits >= 32)[lane];
      return bits === 64 ? value : Number(value);
    };
  }
  references[`${shape}.replace_lane`] = ([a, value], lane) =>
    vectorOf(lanesOf(a, bits, true).with(lane, BigInt(value as number)), bits);
  references[`${shape}.shuffle`] = ([a, b], pattern) => {
    const lanes = [...lanesOf(a, bits, true), ...lanesOf(b, bits, true)];
    return vectorOf(
      Array.from({ length: 128 / bits }, (_, at) => lanes[(pattern >>> (4 * at)) & (256 / bits - 1)]),
      bits,
    );
  };
}

function whole(operate: (x: bigint, y: bigint, z: bigint) => bigint): Reference {
  return (operands) => {
    const [x, y, z] = operands.map((operand) => {
      const [low, high] = lanesOf(operand, 64, false);
      return (high << 64n) | low;
    });
    const result = operate(x, y, z);
    return vectorOf([BigInt.asUintN(64, result), BigInt.asUintN(64, result >> 64n)], 64);
  };
}

function narrowed(bits: number, signed: boolean): Reference {
  return ([a, b]) =>
    vectorOf(
      [...lanesOf(a, 2 * bits, true), ...lanesOf(b, 2 * bits, true)].map((x) => limit(x, bits, signed)),
      bits,
    );
}

const extended =
  (bits: number, signed: boolean): Reference =>
  ([a]) =>
    vectorOf(lanesOf(a, bits, signed).slice(0, 64 / bits), 2 * bits);

const interleaved =
  (start: number): Reference =>
  ([a, b]) => {
    const [x, y] = [lanesOf(a, 8, false), lanesOf(b, 8, false)];
    return vectorOf(
      Array.from({ length: 16 }, (_, at) => ((at & 1) === 0 ? x : y)[start + (at >> 1)]),
      8,
    );
  };

// -- Floating point: singles as bits, computed with as doubles and rounded once

const single = new DataView(new ArrayBuffer(8));

/** What a NaN with these bits is when it is quiet. */
const quietSingle = (bits: number): number => bits | 0x400000;

function singleOf(bits: number): number {
  single.setInt32(0, bits);
  return single.getFloat32(0);
}

function bitsOfSingle(value: number): number {
  single.setFloat32(0, value);
  return single.getInt32(0);
}

function doubleOf(bits: bigint): number {
  single.setBigInt64(0, BigInt.asIntN(64, bits));
  return single.getFloat64(0);
}

function bitsOfDouble(value: number): bigint {
  single.setFloat64(0, value);
  return single.getBigInt64(0);
}

const isNanSingle = (bits: number): boolean => (bits & 0x7fffffff) > 0x7f800000;
const isNanDouble = (bits: bigint): boolean => BigInt.asUintN(63, bits) > 0x7ff0000000000000n;

function nearest(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  const result = rest < 0.5 || (rest === 0.5 && floor % 2 === 0) ? floor : floor + 1;
  return result === 0 ? (x < 0 || Object.is(x, -0) ? -0 : 0) : result;
}

const arithmetic: Readonly<Record<string, (x: number, y: number) => number>> = {
  add: (x, y) => x + y,
  sub: (x, y) => x - y,
  mul: (x, y) => x * y,
  div: (x, y) => x / y,
  sqrt: (x) => Math.sqrt(x),
};
const roundings: Readonly<Record<string, (x: number) => number>> = {
  ceil: Math.ceil,
  floor: Math.floor,
  trunc: Math.trunc,
  nearest,
};
const comparisons: Readonly<Record<string, (x: number, y: number) => boolean>> = {
  eq: (x, y) => x === y,
  ne: (x, y) => x !== y,
  lt: (x, y) => x < y,
  le: (x, y) => x <= y,
};

const words = (operand: Operand): number[] => lanesOf(operand, 32, true).map(Number);
const ofWords = (lanes: readonly number[]): Bytes => vectorOf(lanes.map(BigInt), 32);

for (const [name, operate] of Object.entries(arithmetic)) {
  references[`f32x4.${name}`] = ([a, b]) => {
    const right = b === undefined ? [] : words(b);
    return ofWords(words(a).map((x, at) => bitsOfSingle(operate(singleOf(x), singleOf(right[at] ?? 0)))));
  };
  references[`f64x2.${name}`] = ([a, b]) => {
    const right = b === undefined ? [] : lanesOf(b, 64, true);
    return vectorOf(
      lanesOf(a, 64, true).map((x, at) => bitsOfDouble(operate(doubleOf(x), doubleOf(right[at] ?? 0n)))),
      64,
    );
  };
}
for (const [name, operate] of Object.entries(roundings)) {
  references[`f32x4.${name}`] = ([a]) =>
    ofWords(words(a).map((x) => (isNanSingle(x) ? quietSingle(x) : bitsOfSingle(operate(singleOf(x))))));
  references[`f64x2.${name}`] = ([a]) =>
    vectorOf(
      lanesOf(a, 64, true).map((x) => (isNanDouble(x) ? x | 0x8000000000000n : bitsOfDouble(operate(doubleOf(x))))),
      64,
    );
}
for (const [name, compare] of Object.entries(comparisons)) {
  references[`f32x4.${name}`] = ([a, b]) => {
    const right = words(b);
    return ofWords(words(a).map((x, at) => (compare(singleOf(x), singleOf(right[at])) ? -1 : 0)));
  };
  references[`f64x2.${name}`] = ([a, b]) => {
    const right = lanesOf(b, 64, true);
    return vectorOf(
      lanesOf(a, 64, true).map((x, at) => ones(compare(doubleOf(x), doubleOf(right[at])))),
      64,
    );
  };
}
for (const [name, second] of [
  ['pmin', (x: number, y: number) => y < x],
  ['pmax', (x: number, y: number) => x < y],
] as const) {
  references[`f32x4.${name}`] = ([a, b]) => {
    const right = words(b);
    return ofWords(words(a).map((x, at) => (second(singleOf(x), singleOf(right[at])) ? right[at] : x)));
  };
  references[`f64x2.${name}`] = ([a, b]) => {
    const right = lanesOf(b, 64, true);
    return vectorOf(
      lanesOf(a, 64, true).map((x, at) => (second(doubleOf(x), doubleOf(right[at])) ? right[at] : x)),
      64,
    );
  };
}

const toWord = (x: number): number => (x > -2147483649 && x < 2147483648 ? Math.trunc(x) : -2147483648);

Object.assign(references, {
  'v128.and': whole((x, y) => x & y),
  'v128.andnot': whole((x, y) => x & ~y),
  'v128.or': whole((x, y) => x | y),
  'v128.xor': whole((x, y) => x ^ y),
  'v128.bitselect': whole((x, y, z) => (x & z) | (y & ~z)),
  'v128.select': ([condition, yes, no]) => (condition !== 0 ? yes : no),
  'v128.any_true': ([a]) => ((a as Bytes).some((byte) => byte !== 0) ? 1 : 0),
  'i8x16.narrow_i16x8_s': narrowed(8, true),
  'i8x16.narrow_i16x8_u': narrowed(8, false),
  'i16x8.narrow_i32x4_s': narrowed(16, true),
  'i16x8.narrow_i32x4_u': narrowed(16, false),
  'i16x8.extend_low_i8x16_s': extended(8, true),
  'i16x8.extend_low_i8x16_u': extended(8, false),
  'i32x4.extend_low_i16x8_s': extended(16, true),
  'i32x4.extend_low_i16x8_u': extended(16, false),
  'i64x2.extend_low_i32x4_s': extended(32, true),
  'i64x2.extend_low_i32x4_u': extended(32, false),
  'i8x16.swizzle': ([a, b]) => Uint8Array.from([...(b as Bytes)].map((lane) => (a as Bytes)[lane] ?? 0)),
  'i8x16.interleave_low': interleaved(0),
  'i8x16.interleave_high': interleaved(8),
  'i8x16.align': ([a, b], bytes) => Uint8Array.from([...(a as Bytes), ...(b as Bytes)].slice(bytes, bytes + 16)),
  'i16x8.dot_i8x16_us': ([a, b]) => {
    const [x, y] = [lanesOf(a, 8, false), lanesOf(b, 8, true)];
    return vectorOf(
      Array.from({ length: 8 }, (_, at) => limit(x[2 * at] * y[2 * at] + x[2 * at + 1] * y[2 * at + 1], 16, true)),
      16,
    );
  },
  'i32x4.dot_i16x8_s': ([a, b]) => {
    const [x, y] = [lanesOf(a, 16, true), lanesOf(b, 16, true)];
    return vectorOf(
      Array.from({ length: 4 }, (_, at) => x[2 * at] * y[2 * at] + x[2 * at + 1] * y[2 * at + 1]),
      32,
    );
  },
  'i64x2.mul_even_s': ([a, b]) => {
    const [x, y] = [lanesOf(a, 32, true), lanesOf(b, 32, true)];
    return vectorOf([x[0] * y[0], x[2] * y[2]], 64);
  },
  'i64x2.mul_even_u': ([a, b]) => {
    const [x, y] = [lanesOf(a, 32, false), lanesOf(b, 32, false)];
    return vectorOf([x[0] * y[0], x[2] * y[2]], 64);
  },
  'i64x2.sad_i8x16_u': ([a, b]) => {
    const sums = [0n, 0n];
    (a as Bytes).forEach((byte, at) => {
      sums[at >> 3] += BigInt(Math.abs(byte - (b as Bytes)[at]));
    });
    return vectorOf(sums, 64);
  },
  'f32x4.nan_of2': (operands, otherwise) => {
    const [x, y, z] = operands.map(words);
    return ofWords(
      x.map((bits, at) => {
        if (!isNanSingle(bits)) return bits;
        if (isNanSingle(y[at])) return quietSingle(y[at]);
        return isNanSingle(z[at]) ? quietSingle(z[at]) : otherwise;
      }),
    );
  },
  'f64x2.nan_of2': (operands, otherwise) => {
    const [x, y, z] = operands.map((operand) => lanesOf(operand, 64, true));
    return vectorOf(
      x.map((bits, at) => {
        if (!isNanDouble(bits)) return bits;
        if (isNanDouble(y[at])) return y[at] | 0x8000000000000n;
        return isNanDouble(z[at]) ? z[at] | 0x8000000000000n : BigInt(otherwise) << 32n;
      }),
      64,
    );
  },
  'f32x4.convert_i32x4_s': ([a]) => ofWords(words(a).map((x) => bitsOfSingle(x))),
  'f32x4.demote_f64x2_zero': ([a]) => {
    const lanes = lanesOf(a, 64, false).map((x) => {
      if (!isNanDouble(x)) return bitsOfSingle(doubleOf(x));
      const sign = Number(x >> 63n) === 1 ? -0x80000000 : 0;
      return sign | 0x7fc00000 | (Number(x >> 29n) & 0x3fffff);
    });
    return ofWords([...lanes, 0, 0]);
  },
  'f32x4.extract_lane': ([a], lane) => {
    const bits = words(a)[lane];
    return singleOf(isNanSingle(bits) ? quietSingle(bits) : bits);
  },
  'f32x4.replace_lane': ([a, value], lane) => ofWords(words(a).with(lane, bitsOfSingle(value as number))),
  'i32x4.trunc_f32x4_indefinite': ([a]) => ofWords(words(a).map((x) => toWord(singleOf(x)))),
  'i32x4.trunc_f64x2_indefinite_zero': ([a]) =>
    ofWords([...lanesOf(a, 64, true).map((x) => toWord(doubleOf(x))), 0, 0]),
  'f64x2.convert_low_i32x4_s': ([a]) => vectorOf(words(a).slice(0, 2).map(bitsOfDouble), 64),
  'f64x2.promote_low_f32x4': ([a]) =>
    vectorOf(
      words(a)
        .slice(0, 2)
        .map((x) => bitsOfDouble(singleOf(isNanSingle(x) ? quietSingle(x) : x))),
      64,
    ),
  'f64x2.extract_lane': ([a], lane) => lanesOf(a, 64, true)[lane],
  'f64x2.replace_lane': ([a, value], lane) => vectorOf(lanesOf(a, 64, true).with(lane, value as bigint), 64),
} satisfies Record<string, Reference>);

/** A scalar operation as lane 0 of that on vectors. */
function scalar(shape: 'f32x4' | 'f64x2', name: string, resultIsInteger = false): Reference {
  return (operands, immediate) => {
    const vectors = operands.map((operand) => {
      return shape === 'f32x4'
        ? ofWords([bitsOfSingle(operand as number), 0, 0, 0])
        : vectorOf([operand as bigint, 0n], 64);
    });
    const made = references[`${shape}.${name}`](vectors, immediate);
    if (resultIsInteger) return words(made)[0] & 1;
    return shape === 'f32x4' ? singleOf(words(made)[0]) : lanesOf(made, 64, true)[0];
  };
}

for (const name of ['add', 'sub', 'mul', 'div', 'sqrt', 'nan_of2']) references[`f32.${name}`] = scalar('f32x4', name);
for (const name of ['eq', 'lt']) references[`f32.${name}`] = scalar('f32x4', name, true);
for (const name of ['pmin', 'pmax', 'ceil', 'floor', 'trunc', 'nearest'])
  references[`f64.${name}`] = scalar('f64x2', name);

/** An integer as a single, rounded once: by the bits, not by the host's conversions. */
function roundedToSingle(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  const extra = Math.max(0, magnitude.toString(2).length - 24);
  const unit = 1n << BigInt(extra);
  const rest = magnitude % unit;
  let kept = magnitude / unit;
  if (2n * rest > unit || (2n * rest === unit && extra > 0 && (kept & 1n) === 1n)) kept += 1n;
  const rounded = Number(kept) * 2 ** extra;
  return value < 0n ? -rounded : rounded;
}

Object.assign(references, {
  'f32.unordered': ([a, b]) => (Number.isNaN(a) || Number.isNaN(b) ? 1 : 0),
  'f32.convert_i32_s': ([a]) => roundedToSingle(BigInt(a as number)),
  'f32.convert_i64_s': ([a]) => roundedToSingle(a as bigint),
  'f64.convert_i64_s': ([a]) => bitsOfDouble(Number(a)),
  'f64.reinterpret_i64': ([a]) => a,
  'i64.reinterpret_f64': ([a]) => a,
  'f32.demote_f64': ([a]) =>
    singleOf(words(references['f32x4.demote_f64x2_zero']([vectorOf([a as bigint, 0n], 64)], 0))[0]),
  'f64.promote_f32': ([a]) =>
    lanesOf(references['f64x2.promote_low_f32x4']([ofWords([bitsOfSingle(a as number), 0, 0, 0])], 0), 64, true)[0],
  'i32.trunc_f64_indefinite': ([a]) => toWord(doubleOf(a as bigint)),
  'i64.trunc_f64_indefinite': ([a]) => {
    const value = doubleOf(a as bigint);
    return value >= -(2 ** 63) && value < 2 ** 63 ? BigInt(Math.trunc(value)) : -(1n << 63n);
  },
} satisfies Record<string, Reference>);

export const vectorReferences: Readonly<Record<string, Reference>> = references;

/** Whether lanes of an arithmetic result that are NaNs may be any: the frontend pins them. */
export function hasFreeNans(name: string): 0 | 32 | 64 {
  const [shape, operation] = name.split('.');
  if (arithmetic[operation] === undefined) return 0;
  return shape === 'f32x4' || shape === 'f32' ? 32 : shape === 'f64x2' ? 64 : 0;
}

/** Whether a signalling NaN among singles may become quiet: where they are values of type f32. */
export function mayQuiet(name: string): boolean {
  return name === 'f32x4.extract_lane' || name === 'f32x4.replace_lane';
}

/** The vector with every NaN of its singles quiet. */
export function quietSingles(vector: Bytes): Bytes {
  return ofWords(words(vector).map((bits) => (isNanSingle(bits) ? quietSingle(bits) : bits)));
}

/** The vector with each NaN lane replaced by one NaN. */
export function withoutPayloads(vector: Bytes, bits: 32 | 64): Bytes {
  const data = new DataView(Uint8Array.from(vector).buffer);
  for (let at = 0; at < 16; at += bits / 8) {
    if (bits === 32 && isNanSingle(data.getInt32(at, true))) data.setInt32(at, 0x7fc00000, true);
    if (bits === 64 && isNanDouble(data.getBigInt64(at, true))) data.setBigInt64(at, 0x7ff8000000000000n, true);
  }
  return new Uint8Array(data.buffer);
}
