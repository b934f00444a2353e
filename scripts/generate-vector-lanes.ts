/**
 * Writes translators/ir/vector-lanes.generated.ts: the operations on halves of vectors that do the same in every lane,
 * written out lane by lane. In a loop, or through a function per lane, they take several times as long.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { identifierOf } from '../translators/ir/vector-operations.ts';

const path = fileURLToPath(new URL('../translators/ir/vector-lanes.generated.ts', import.meta.url));

/** Bytes of a lane of each of the typed arrays. */
const laneBytes: Readonly<Record<string, number>> = { i8: 1, u8: 1, i16: 2, u16: 2, i32: 4, u32: 4, f32: 4 };

/**
 * The operation, the arrays that its lanes are read from, the array that a lane of the result is written to, and what
 * is written there, modulo its size: x, y and z are the lanes of the operands, s is an operand that is no vector.
 */
// biome-ignore format: one operation per line
const rows: readonly (readonly [name: string, operands: string, result: string, lane: string])[] = [
  ['half.and', 'i32 i32', 'i32', 'x & y'],
  ['half.andnot', 'i32 i32', 'i32', 'x & ~y'],
  ['half.or', 'i32 i32', 'i32', 'x | y'],
  ['half.xor', 'i32 i32', 'i32', 'x ^ y'],
  ['half.bitselect', 'i32 i32 i32', 'i32', '(x & z) | (y & ~z)'],

  // Four bytes at a time: the sums of the lower seven bits do not reach the next byte.
  ['i8x8.add', 'i32 i32', 'i32', '((x & 0x7f7f7f7f) + (y & 0x7f7f7f7f)) ^ ((x ^ y) & 0x80808080)'],
  ['i8x8.sub', 'i32 i32', 'i32', '((x | 0x80808080) - (y & 0x7f7f7f7f)) ^ (~(x ^ y) & 0x80808080)'],
  ['i8x8.eq', 'i32 i32', 'i32', 'zeroBytes(x ^ y)'],
  ['i8x8.add_sat_s', 'i8 i8', 'i8', 'clamp(x + y, -128, 127)'],
  ['i8x8.add_sat_u', 'u8 u8', 'u8', 'clamp(x + y, 0, 255)'],
  ['i8x8.sub_sat_s', 'i8 i8', 'i8', 'clamp(x - y, -128, 127)'],
  ['i8x8.sub_sat_u', 'u8 u8', 'u8', 'clamp(x - y, 0, 255)'],
  ['i8x8.gt_s', 'i8 i8', 'i8', 'x > y ? -1 : 0'],
  ['i8x8.min_s', 'i8 i8', 'i8', 'x < y ? x : y'],
  ['i8x8.min_u', 'u8 u8', 'u8', 'x < y ? x : y'],
  ['i8x8.max_s', 'i8 i8', 'i8', 'x > y ? x : y'],
  ['i8x8.max_u', 'u8 u8', 'u8', 'x > y ? x : y'],
  ['i8x8.avgr_u', 'u8 u8', 'u8', '(x + y + 1) >> 1'],
  ['i8x8.abs', 'i8', 'i8', 'x < 0 ? -x : x'],

  ['i16x4.add', 'i16 i16', 'i16', 'x + y'],
  ['i16x4.sub', 'i16 i16', 'i16', 'x - y'],
  ['i16x4.mul', 'i16 i16', 'i16', 'Math.imul(x, y)'],
  ['i16x4.mulh_s', 'i16 i16', 'i16', 'Math.imul(x, y) >> 16'],
  ['i16x4.mulh_u', 'u16 u16', 'u16', 'Math.imul(x, y) >>> 16'],
  ['i16x4.q15mulr_s', 'i16 i16', 'i16', '(Math.imul(x, y) + 0x4000) >> 15'],
  ['i16x4.add_sat_s', 'i16 i16', 'i16', 'clamp(x + y, -32768, 32767)'],
  ['i16x4.add_sat_u', 'u16 u16', 'u16', 'clamp(x + y, 0, 65535)'],
  ['i16x4.sub_sat_s', 'i16 i16', 'i16', 'clamp(x - y, -32768, 32767)'],
  ['i16x4.sub_sat_u', 'u16 u16', 'u16', 'clamp(x - y, 0, 65535)'],
  ['i16x4.eq', 'i16 i16', 'i16', 'x === y ? -1 : 0'],
  ['i16x4.gt_s', 'i16 i16', 'i16', 'x > y ? -1 : 0'],
  ['i16x4.min_s', 'i16 i16', 'i16', 'x < y ? x : y'],
  ['i16x4.min_u', 'u16 u16', 'u16', 'x < y ? x : y'],
  ['i16x4.max_s', 'i16 i16', 'i16', 'x > y ? x : y'],
  ['i16x4.max_u', 'u16 u16', 'u16', 'x > y ? x : y'],
  ['i16x4.avgr_u', 'u16 u16', 'u16', '(x + y + 1) >> 1'],
  ['i16x4.abs', 'i16', 'i16', 'x < 0 ? -x : x'],
  ['i16x4.shl', 'i16 s', 'i16', 'x << (s & 15)'],
  ['i16x4.shr_s', 'i16 s', 'i16', 'x >> (s & 15)'],
  ['i16x4.shr_u', 'u16 s', 'u16', 'x >> (s & 15)'],

  ['i32x2.add', 'i32 i32', 'i32', 'x + y'],
  ['i32x2.sub', 'i32 i32', 'i32', 'x - y'],
  ['i32x2.mul', 'i32 i32', 'i32', 'Math.imul(x, y)'],
  ['i32x2.eq', 'i32 i32', 'i32', 'x === y ? -1 : 0'],
  ['i32x2.gt_s', 'i32 i32', 'i32', 'x > y ? -1 : 0'],
  ['i32x2.min_s', 'i32 i32', 'i32', 'x < y ? x : y'],
  ['i32x2.min_u', 'u32 u32', 'u32', 'x < y ? x : y'],
  ['i32x2.max_s', 'i32 i32', 'i32', 'x > y ? x : y'],
  ['i32x2.max_u', 'u32 u32', 'u32', 'x > y ? x : y'],
  ['i32x2.abs', 'i32', 'i32', 'x < 0 ? -x : x'],
  ['i32x2.shl', 'i32 s', 'i32', 'x << s'],
  ['i32x2.shr_s', 'i32 s', 'i32', 'x >> s'],
  ['i32x2.shr_u', 'u32 s', 'u32', 'x >>> s'],

  ['f32x2.add', 'f32 f32', 'f32', 'x + y'],
  ['f32x2.sub', 'f32 f32', 'f32', 'x - y'],
  ['f32x2.mul', 'f32 f32', 'f32', 'x * y'],
  ['f32x2.div', 'f32 f32', 'f32', 'x / y'],
  ['f32x2.sqrt', 'f32', 'f32', 'Math.sqrt(x)'],
  ['f32x2.eq', 'f32 f32', 'i32', 'x === y ? -1 : 0'],
  ['f32x2.ne', 'f32 f32', 'i32', 'x !== y ? -1 : 0'],
  ['f32x2.lt', 'f32 f32', 'i32', 'x < y ? -1 : 0'],
  ['f32x2.le', 'f32 f32', 'i32', 'x <= y ? -1 : 0'],
  ['f32x2.ceil', 'f32', 'f32', 'f64_ceil(x)'],
  ['f32x2.floor', 'f32', 'f32', 'f64_floor(x)'],
  ['f32x2.trunc', 'f32', 'f32', 'f64_trunc(x)'],
  ['f32x2.nearest', 'f32', 'f32', 'f64_nearest(x)'],
  ['f32x2.convert_i32x2_s', 'i32', 'f32', 'x'],
  ['i32x2.trunc_f32x2_indefinite', 'f32', 'i32', 'x > -2147483649 && x < 2147483648 ? x : -0x80000000'],
];

/** Where the operands and the result lie in the scratch buffer, in bytes. */
const places = [0, 8, 16];
const resultPlace = 24;

function functionOf([name, operandTypes, result, lane]: (typeof rows)[number]): string {
  const types = operandTypes.split(' ');
  const letters = [...'abc'].slice(0, types.length);
  const at = (type: string, place: number, index: number): string => `${type}[${place / laneBytes[type] + index}]`;
  const fills = types.flatMap((type, index) => (type === 's' ? [] : [`  f64[${index}] = ${letters[index]};`]));
  const lanes = Array.from({ length: 8 / laneBytes[result] }, (_, index) => {
    const value = lane
      .replace(/\b[xyz]\b/g, (letter) => at(types['xyz'.indexOf(letter)], places['xyz'.indexOf(letter)], index))
      .replace(/\bs\b/g, letters[types.indexOf('s')] ?? 's');
    return `  ${at(result, resultPlace, index)} = ${value};`;
  });
  const parameters = letters.map((letter) => `${letter}: number`).join(', ');
  return `export function ${identifierOf(name)}(${parameters}): number {\n${[...fills, ...lanes].join('\n')}\n  return f64[3];\n}\n`;
}

/** The text of the file. */
export function generateVectorLanes(): string {
  return `// Generated by scripts/generate-vector-lanes.ts. Do not edit.
import { f64_ceil, f64_floor, f64_nearest, f64_trunc } from './vector-scalars.ts';

const f64 = new Float64Array(4);
const { buffer } = f64;
const i8 = new Int8Array(buffer);
const u8 = new Uint8Array(buffer);
const i16 = new Int16Array(buffer);
const u16 = new Uint16Array(buffer);
const i32 = new Int32Array(buffer);
const u32 = new Uint32Array(buffer);
const f32 = new Float32Array(buffer);

function clamp(value: number, least: number, most: number): number {
  return value < least ? least : value > most ? most : value;
}

/** All ones in the bytes of x that are 0, else zeros. */
function zeroBytes(x: number): number {
  // Bit 7 of each byte that is not 0.
  const bits = (((x & 0x7f7f7f7f) + 0x7f7f7f7f) | x) & 0x80808080;
  return ~((bits >>> 7) * 255);
}

${rows.map(functionOf).join('\n')}`;
}

if (import.meta.main) writeFileSync(path, generateVectorLanes());
