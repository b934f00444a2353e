/**
 * Arithmetic of doublewords where there are only numbers: each is given as the double with its bits. The division by 0
 * gives 0, as all divisions of the IR.
 */
import { fromHalves, highHalf, lowHalf } from '../float/bits.ts';

const signed = (a: number): bigint => (BigInt(highHalf(a)) << 32n) | BigInt(lowHalf(a) >>> 0);
const unsigned = (a: number): bigint => BigInt.asUintN(64, signed(a));
const double = (value: bigint): number =>
  fromHalves(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));

/** Whether a doubleword is one word, zero-extended; such numbers divide without BigInts. */
const isWord = (a: number): boolean => highHalf(a) === 0;

export function mulhs64(a: number, b: number): number {
  return double((signed(a) * signed(b)) >> 64n);
}

export function mulhu64(a: number, b: number): number {
  return double((unsigned(a) * unsigned(b)) >> 64n);
}

export function divs64(a: number, b: number): number {
  const divisor = signed(b);
  return divisor === 0n ? 0 : double(signed(a) / divisor);
}

export function divu64(a: number, b: number): number {
  if (isWord(a) && isWord(b)) {
    const divisor = lowHalf(b) >>> 0;
    return divisor === 0 ? 0 : fromHalves((lowHalf(a) >>> 0) / divisor, 0);
  }
  const divisor = unsigned(b);
  return divisor === 0n ? 0 : double(unsigned(a) / divisor);
}

export function rems64(a: number, b: number): number {
  const divisor = signed(b);
  return divisor === 0n ? 0 : double(signed(a) % divisor);
}

export function remu64(a: number, b: number): number {
  if (isWord(a) && isWord(b)) {
    const divisor = lowHalf(b) >>> 0;
    return divisor === 0 ? 0 : fromHalves((lowHalf(a) >>> 0) % divisor, 0);
  }
  const divisor = unsigned(b);
  return divisor === 0n ? 0 : double(unsigned(a) % divisor);
}
