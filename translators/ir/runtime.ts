/** The functions that the operations' JavaScript names (operations.ts). */
import * as floating from '../float/operations.ts';
import * as doublewords from './doublewords.ts';
import { f32_convert_words_s, i64_trunc_high_f64_indefinite, i64_trunc_low_f64_indefinite } from './vector-scalars.ts';

/** High word of the unsigned product of two words. */
export function mulhu(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = Math.imul(aHigh, bLow) >>> 0;
  const sum = middle + (Math.imul(aLow, bLow) >>> 16);
  const carry = (Math.imul(aLow, bHigh) >>> 0) + (sum & 0xffff);
  return (Math.imul(aHigh, bHigh) + ((sum / 0x10000) | 0) + ((carry / 0x10000) | 0)) | 0;
}

/** High word of the signed product of two words. */
export function mulhs(a: number, b: number): number {
  return (mulhu(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

export function ctz(a: number): number {
  return a === 0 ? 32 : 31 - Math.clz32(a & -a);
}

export function popcnt(a: number): number {
  let v = a - ((a >>> 1) & 0x55555555);
  v = (v & 0x33333333) + ((v >>> 2) & 0x33333333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}

export function bswap(a: number): number {
  return (a << 24) | ((a & 0xff00) << 8) | ((a >>> 8) & 0xff00) | (a >>> 24);
}

/** The signed doubleword with these halves. */
export function join64(low: number, high: number): bigint {
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

function lowWord(a: bigint): number {
  return Number(BigInt.asIntN(32, a));
}

function highWord(a: bigint): number {
  return Number(a >> 32n);
}

export function rotl64(a: bigint, b: number): bigint {
  const bits = BigInt(b & 63);
  return BigInt.asIntN(64, (a << bits) | (BigInt.asUintN(64, a) >> (64n - bits)));
}

export function clz64(a: bigint): bigint {
  const high = highWord(a);
  return BigInt(high !== 0 ? Math.clz32(high) : 32 + Math.clz32(lowWord(a)));
}

export function ctz64(a: bigint): bigint {
  const low = lowWord(a);
  return BigInt(low !== 0 ? ctz(low) : 32 + ctz(highWord(a)));
}

export function popcnt64(a: bigint): bigint {
  return BigInt(popcnt(lowWord(a)) + popcnt(highWord(a)));
}

export function bswap64(a: bigint): bigint {
  return join64(bswap(highWord(a)), bswap(lowWord(a)));
}

/** A double towards zero as a doubleword; -2^63 for a NaN and what does not fit. */
export function truncate64(a: number): bigint {
  return join64(i64_trunc_low_f64_indefinite(a), i64_trunc_high_f64_indefinite(a));
}

/** A signed doubleword as a single, rounded once. */
export function toSingle64(a: bigint): number {
  return f32_convert_words_s(lowWord(a), highWord(a));
}

/** The double with these bits. */
export function toDouble64(a: bigint): number {
  return floating.fromHalves(lowWord(a), highWord(a));
}

export const runtime = {
  mulhu,
  mulhs,
  ctz,
  popcnt,
  bswap,
  join64,
  rotl64,
  clz64,
  ctz64,
  popcnt64,
  bswap64,
  ...doublewords,
  truncate64,
  toSingle64,
  toDouble64,
  ...floating,
};
