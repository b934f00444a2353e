/**
 * AES rounds (FIPS 197; Intel SDM volume 2, section 12.12) and carry-less multiplication, half by half: of a 128-bit
 * result each function gives the low or the high 8 bytes as a double with these bits.
 */

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
const doubled = (a: number): number => ((a << 1) ^ ((a & 0x80) !== 0 ? 0x11b : 0)) & 0xff;

function product(a: number, b: number): number {
  let result = 0;
  for (let [x, y] = [a, b]; y !== 0; y >>= 1, x = doubled(x)) if ((y & 1) !== 0) result ^= x;
  return result;
}

interface Tables {
  readonly sBox: Uint8Array;
  readonly inverseBox: Uint8Array;
  /** Products with the coefficients of a column's row, from its own on. */
  readonly mixing: readonly Uint8Array[];
  readonly unmixing: readonly Uint8Array[];
}

let tables: Tables | undefined;

/** Made when the first round is asked for. */
function tablesOf(): Tables {
  tables ??= makeTables();
  return tables;
}

function makeTables(): Tables {
  const sBox = new Uint8Array(256);
  const inverseBox = new Uint8Array(256);
  for (let value = 0; value < 256; value++) {
    // The inverse is the power 254.
    let inverse = value;
    for (let n = 0; n < 6; n++) inverse = product(product(inverse, inverse), value);
    inverse = product(inverse, inverse);
    let substituted = 0x63;
    for (let n = 0; n < 5; n++) substituted ^= ((inverse << n) | (inverse >> (8 - n))) & 0xff;
    sBox[value] = substituted;
    inverseBox[substituted] = value;
  }
  const products = (factor: number): Uint8Array => Uint8Array.from(sBox, (_, value) => product(value, factor));
  return { sBox, inverseBox, mixing: [2, 3, 1, 1].map(products), unmixing: [14, 11, 13, 9].map(products) };
}

const doubles = new Float64Array(4);
const bytes = new Uint8Array(doubles.buffer);
const words = new Int32Array(doubles.buffer);

type Half = (a: number, b: number) => number;

/** Where byte n of a state comes from when rows are shifted, or shifted back. */
const shiftedRow = (n: number): number => (n + 4 * (n & 3)) & 15;
const unshiftedRow = (n: number): number => (n - 4 * (n & 3)) & 15;

/** Mixes the columns of 8 bytes from byte 16 on, into those from byte 24 on. */
function mixColumns(factors: readonly Uint8Array[]): void {
  for (let n = 0; n < 8; n++) {
    let sum = 0;
    for (let k = 0; k < 4; k++) sum ^= factors[(k - n) & 3][bytes[16 + (n & 4) + k]];
    bytes[24 + n] = sum;
  }
}

/** A round without its key: bytes from their places, substituted, columns mixed (but in the last round). */
function round(start: 0 | 8, isInverse: boolean, isLast: boolean): Half {
  const place = isInverse ? unshiftedRow : shiftedRow;
  return (a, b) => {
    const { sBox, inverseBox, mixing, unmixing } = tablesOf();
    const box = isInverse ? inverseBox : sBox;
    doubles[0] = a;
    doubles[1] = b;
    for (let n = 0; n < 8; n++) bytes[16 + n] = box[bytes[place(start + n)]];
    if (isLast) return doubles[2];
    mixColumns(isInverse ? unmixing : mixing);
    return doubles[3];
  };
}

/** Columns of a or b unmixed, as for a key of the inverse cipher. */
function unmixed(start: 0 | 8): Half {
  return (a, b) => {
    doubles[2] = start === 0 ? a : b;
    mixColumns(tablesOf().unmixing);
    return doubles[3];
  };
}

/** Of words 1 and 3: substituted, and the same rotated by a byte. The round constant is not in it yet. */
function keyAssist(start: 0 | 8): Half {
  return (a, b) => {
    const { sBox } = tablesOf();
    doubles[0] = start === 0 ? a : b;
    for (let n = 0; n < 4; n++) bytes[16 + n] = sBox[bytes[4 + n]];
    words[5] = (words[4] >>> 8) | (words[4] << 24);
    return doubles[2];
  };
}

/** The low (0) or high (1) 64 bits of the product of polynomials over GF(2). */
function carryless(half: 0 | 1): Half {
  return (a, b) => {
    doubles[0] = a;
    doubles[1] = b;
    const [aLow, aHigh, bLow, bHigh] = words;
    let [r0, r1, r2, r3] = [0, 0, 0, 0];
    for (let bit = 63; bit >= 0; bit--) {
      r3 = (r3 << 1) | (r2 >>> 31);
      r2 = (r2 << 1) | (r1 >>> 31);
      r1 = (r1 << 1) | (r0 >>> 31);
      r0 <<= 1;
      if ((((bit < 32 ? bLow : bHigh) >>> (bit & 31)) & 1) === 0) continue;
      r0 ^= aLow;
      r1 ^= aHigh;
    }
    [words[4], words[5]] = half === 0 ? [r0, r1] : [r2, r3];
    return doubles[2];
  };
}

/** Names without prefix: `.low` gives the low half of the result, `.high` the high half. */
export const aesHelpers: readonly (readonly [name: string, run: Half])[] = (
  [
    ['low', 0],
    ['high', 8],
  ] as const
).flatMap(([half, start]) => [
  [`aesenc.${half}`, round(start, false, false)] as const,
  [`aesenclast.${half}`, round(start, false, true)] as const,
  [`aesdec.${half}`, round(start, true, false)] as const,
  [`aesdeclast.${half}`, round(start, true, true)] as const,
  [`aesimc.${half}`, unmixed(start)] as const,
  [`aeskeygenassist.${half}`, keyAssist(start)] as const,
  [`pclmul.${half}`, carryless(start === 0 ? 0 : 1)] as const,
]);
