/**
 * Random cases of x87 instructions: a state, a memory operand and an instruction, in the form that
 * test/x86/native/x87-runner.c reads. The same seed gives the same cases.
 */
import { caseSize } from './x87-guest.ts';

/** Instructions by subject; those on memory use [edx], those on two registers ST(0) and ST(1). */
// biome-ignore format: one subject per line
export const subjects: Readonly<Record<string, readonly (readonly [number, number])[]>> = {
  memoryD8: [[0xd8, 0x02], [0xd8, 0x0a], [0xd8, 0x22], [0xd8, 0x2a], [0xd8, 0x32], [0xd8, 0x3a]],
  memoryDA: [[0xda, 0x02], [0xda, 0x0a], [0xda, 0x22], [0xda, 0x2a], [0xda, 0x32], [0xda, 0x3a]],
  memoryDC: [[0xdc, 0x02], [0xdc, 0x0a], [0xdc, 0x22], [0xdc, 0x2a], [0xdc, 0x32], [0xdc, 0x3a]],
  memoryDE: [[0xde, 0x02], [0xde, 0x0a], [0xde, 0x22], [0xde, 0x2a], [0xde, 0x32], [0xde, 0x3a]],
  memoryComparisons: [[0xd8, 0x12], [0xd8, 0x1a], [0xda, 0x12], [0xda, 0x1a], [0xdc, 0x12], [0xdc, 0x1a], [0xde, 0x12], [0xde, 0x1a]],
  sums: [[0xd8, 0xc1], [0xdc, 0xc1], [0xde, 0xc1], [0xd8, 0xe1], [0xd8, 0xe9], [0xdc, 0xe1], [0xdc, 0xe9], [0xde, 0xe1], [0xde, 0xe9]],
  products: [[0xd8, 0xc9], [0xdc, 0xc9], [0xde, 0xc9]],
  quotients: [[0xd8, 0xf1], [0xd8, 0xf9], [0xdc, 0xf1], [0xdc, 0xf9], [0xde, 0xf1], [0xde, 0xf9]],
  comparisons: [[0xd8, 0xd1], [0xd8, 0xd9], [0xdd, 0xe1], [0xdd, 0xe9], [0xda, 0xe9], [0xde, 0xd9], [0xdb, 0xe9], [0xdb, 0xf1], [0xdf, 0xe9], [0xdf, 0xf1], [0xdc, 0xd1], [0xdc, 0xd9], [0xde, 0xd1]],
  roots: [[0xd9, 0xfa]],
  unary: [[0xd9, 0xe0], [0xd9, 0xe1], [0xd9, 0xe4], [0xd9, 0xe5], [0xd9, 0xfc], [0xd9, 0xf4]],
  scaling: [[0xd9, 0xfd]],
  remainders: [[0xd9, 0xf8], [0xd9, 0xf5]],
  loads: [[0xd9, 0x02], [0xdd, 0x02], [0xdb, 0x2a], [0xdb, 0x02], [0xdf, 0x02], [0xdf, 0x2a], [0xdf, 0x22]],
  constants: [[0xd9, 0xe8], [0xd9, 0xe9], [0xd9, 0xea], [0xd9, 0xeb], [0xd9, 0xec], [0xd9, 0xed], [0xd9, 0xee]],
  moves: [[0xd9, 0xc1], [0xd9, 0xc0], [0xd9, 0xc9], [0xdd, 0xc1], [0xdd, 0xd1], [0xdd, 0xd9], [0xd9, 0xd9], [0xdd, 0xc9], [0xdf, 0xc1], [0xdf, 0xc9], [0xdf, 0xd1], [0xdf, 0xd9]],
  conditionalMoves: [[0xda, 0xc1], [0xda, 0xc9], [0xda, 0xd1], [0xda, 0xd9], [0xdb, 0xc1], [0xdb, 0xc9], [0xdb, 0xd1], [0xdb, 0xd9]],
  stores: [[0xd9, 0x12], [0xd9, 0x1a], [0xdd, 0x12], [0xdd, 0x1a], [0xdb, 0x3a]],
  integerStores: [[0xdb, 0x12], [0xdb, 0x1a], [0xdf, 0x12], [0xdf, 0x1a], [0xdf, 0x3a], [0xdb, 0x0a], [0xdf, 0x0a], [0xdd, 0x0a]],
  decimalStores: [[0xdf, 0x32]],
  control: [[0xd9, 0x2a], [0xd9, 0x3a], [0xdd, 0x3a], [0xdf, 0xe0], [0xd9, 0xd0], [0xd9, 0xf6], [0xd9, 0xf7], [0xdb, 0xe0], [0xdb, 0xe1], [0xdb, 0xe2], [0xdb, 0xe3], [0xdb, 0xe4]],
  exponentials: [[0xd9, 0xf0]],
  logarithms: [[0xd9, 0xf1]],
  logarithmsOfSuccessors: [[0xd9, 0xf9]],
  angles: [[0xd9, 0xfe], [0xd9, 0xff], [0xd9, 0xfb], [0xd9, 0xf2]],
  arctangents: [[0xd9, 0xf3]],
};

/** Subjects whose results may be one unit in the last place from the processor's. */
export const transcendental = new Set([
  'exponentials',
  'logarithms',
  'logarithmsOfSuccessors',
  'angles',
  'arctangents',
]);

interface Number80 {
  head: number;
  significand: bigint;
}

const bias = 16383;
const integerBit = 1n << 63n;

/** Exponents where something changes: limits of the formats, distances at which a number only decides rounding. */
const corners = [0, 1, 2, 0x7ffe, 0x7fff, ...[0, 1, -1, 62, 63, 64, 65, 66, -64, -65, -66].map((n) => bias + n)];
const narrowCorners = [-149, -127, -126, -1, 127, 128, -1074, -1023, -1022, 1023, 1024].map((n) => bias + n);

export class CaseGenerator {
  private seed: number;

  constructor(seed: number) {
    this.seed = seed * 2654435761 || 1;
    for (let n = 0; n < 20; n++) this.random();
  }

  /** Marsaglia's xorshift. */
  private random(): number {
    let { seed } = this;
    seed ^= seed << 13;
    seed ^= seed >>> 17;
    seed ^= seed << 5;
    this.seed = seed;
    return seed >>> 0;
  }

  private below(limit: number): number {
    return this.random() % limit;
  }

  private pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)];
  }

  private doubleword(): bigint {
    return (BigInt(this.random()) << 32n) | BigInt(this.random());
  }

  /** A significand with its integer bit: a power of two, all ones, two bits, few bits, or any. */
  private significand(): bigint {
    switch (this.below(6)) {
      case 0:
        return integerBit;
      case 1:
        return 2n * integerBit - 1n;
      case 2:
        return integerBit | (1n << BigInt(this.below(63)));
      case 3:
        return integerBit | (this.doubleword() & (-1n << BigInt(this.below(63))) & (integerBit - 1n));
      default:
        return this.doubleword() | integerBit;
    }
  }

  private number(): Number80 {
    const sign = this.random() & 0x8000;
    const normal = (exponent: number): Number80 => ({ head: sign | exponent, significand: this.significand() });
    switch (this.below(24)) {
      case 0:
        return { head: sign, significand: 0n };
      case 1:
        return { head: sign | 0x7fff, significand: integerBit };
      case 2:
        return { head: sign | 0x7fff, significand: this.doubleword() | (3n << 62n) };
      case 3: {
        // A signalling NaN.
        const significand = ((this.doubleword() | integerBit) & ~(1n << 62n)) | 1n;
        return { head: sign | 0x7fff, significand };
      }
      case 4:
        return { head: sign, significand: this.doubleword() >> BigInt(1 + this.below(63)) };
      case 5:
        // A pseudo-denormal.
        return { head: sign, significand: this.significand() };
      case 6:
        // An unnormal, and, below, what an infinity or a NaN would be.
        return { head: sign | (this.below(0x7fff) + 1), significand: this.doubleword() & (integerBit - 1n) };
      case 7:
        return { head: sign | 0x7fff, significand: this.doubleword() & (integerBit - 1n) };
      case 8:
        return normal(1 + this.below(70));
      case 9:
        return normal(0x7ffe - this.below(70));
      case 10:
        return normal(this.below(0x7ffe) + 1);
      case 11: {
        const value = this.below(999) + 1;
        const length = 32 - Math.clz32(value);
        return { head: sign | (bias + length - 1), significand: BigInt(value) << BigInt(64 - length) };
      }
      case 12:
        return normal(bias + this.below(66));
      case 13:
        return normal(bias - this.below(80));
      default:
        return normal(bias - 8 + this.below(16));
    }
  }

  /** A number with an exponent at a corner and a significand that is a power of two, all ones or next to these. */
  private corner(exponents: readonly number[]): Number80 {
    const exponent = this.pick(exponents);
    const sign = this.random() & 0x8000;
    if (exponent === 0 && this.below(2) === 0) return { head: sign, significand: 0n };
    const all = 2n * integerBit - 1n;
    const significand = this.pick([integerBit, integerBit, integerBit | 1n, all, all - 0x400n, all - 0x7ffn]);
    return { head: sign | exponent, significand: exponent === 0 ? significand >> 1n : significand };
  }

  /** A number that differs little from another. */
  private neighbour({ head, significand }: Number80): Number80 {
    switch (this.below(5)) {
      case 0:
        return { head, significand };
      case 1:
        return { head: head ^ 0x8000, significand };
      case 2:
        return { head, significand: BigInt.asUintN(64, significand + 1n) };
      case 3:
        return { head: (head & 0x8000) | ((head + this.below(3)) & 0x7fff), significand };
      default:
        return this.number();
    }
  }

  private fillMemory(view: DataView, at: number): void {
    switch (this.below(8)) {
      case 0: {
        const { head, significand } = this.number();
        view.setBigUint64(at, significand, true);
        view.setUint16(at + 8, head, true);
        break;
      }
      case 1:
        view.setFloat64(at, (this.random() - 2 ** 31) / 2 ** this.below(40), true);
        break;
      case 2:
        view.setFloat32(at, (this.random() - 2 ** 31) / 2 ** this.below(40), true);
        break;
      case 3: {
        const exponent = this.pick([0, 1, 2, 0x7fe, 0x7ff, 0x7ff, 0x3ff, 0x400]);
        const fraction = this.pick([0n, this.doubleword()]) & ((1n << 52n) - 1n);
        const sign = BigInt(this.random() >>> 31);
        view.setBigUint64(at, (sign << 63n) | (BigInt(exponent) << 52n) | fraction, true);
        break;
      }
      case 4: {
        const exponent = this.pick([0, 1, 2, 0xfe, 0xff, 0xff, 0x7f]);
        const fraction = this.pick([0, this.random()]) & 0x7fffff;
        view.setUint32(at, (this.random() & 0x80000000) | (exponent << 23) | fraction, true);
        break;
      }
      case 5:
        for (let n = 0; n < 9; n++) view.setUint8(at + n, this.below(10) * 16 + this.below(10));
        view.setUint8(at + 9, this.random() & 0x80);
        break;
      case 6:
        view.setBigInt64(at, BigInt(this.below(1000) - 500), true);
        break;
      default:
        view.setBigUint64(at, this.doubleword(), true);
        view.setUint16(at + 8, this.random(), true);
    }
  }

  /** Brings ST(0) mostly into a function's range. */
  private adapt(subject: string, number: Number80): void {
    const sign = number.head & 0x8000;
    if (subject === 'exponentials' && this.below(4) !== 0) {
      number.head = sign | (bias - this.below(this.below(2) === 0 ? 80 : 6) - 1);
    } else if (subject === 'logarithmsOfSuccessors' && this.below(8) !== 0) {
      number.head = sign | (bias - 2 - this.below(this.below(2) === 0 ? 90 : 6));
    } else if (subject === 'logarithms' && this.below(4) !== 0) number.head &= 0x7fff;
  }

  /** @param allMasked no exception is unmasked */
  make(subject: string, allMasked: boolean): Uint8Array {
    const bytes = new Uint8Array(caseSize);
    const view = new DataView(bytes.buffer);
    const masks = allMasked || this.below(4) !== 0 ? 0x3f : this.random() & 0x3f;
    const precision = this.pick([3, 3, 3, 2, 0]);
    const rounding = this.below(2) === 0 ? 0 : this.below(4);
    view.setUint32(0, 0xffff0040 | masks | (precision << 8) | (rounding << 10), true);
    const top = this.below(8);
    view.setUint32(4, 0xffff0000 | (this.random() & 0x4700) | (top << 11), true);
    let used = 0;
    if (this.below(6) === 0) used = this.random() & 0xff;
    else if (this.below(5) === 0) used = 0xff;
    else for (let i = this.below(3) + 1; i >= 0; i--) used |= 1 << ((top + i) & 7);
    let tags = 0;
    for (let n = 0; n < 8; n++) if ((used & (1 << n)) === 0) tags |= 3 << (2 * n);
    view.setUint32(8, 0xffff0000 | tags, true);
    view.setUint32(24, 0xffff0000, true);
    const isCorner = this.below(3) === 0;
    const first = isCorner ? this.corner(subject.endsWith('tores') ? narrowCorners : corners) : this.number();
    const registers = [first];
    if (isCorner) registers.push(this.corner(corners));
    else registers.push(this.below(3) === 0 ? this.neighbour(first) : this.number());
    while (registers.length < 8) registers.push(this.number());
    this.adapt(subject, first);
    registers.forEach(({ head, significand }, i) => {
      view.setBigUint64(28 + 10 * i, significand, true);
      view.setUint16(36 + 10 * i, head, true);
    });
    view.setUint32(108, 2 | (this.random() & 0x45), true);
    this.fillMemory(view, 112);
    const code = this.pick(subjects[subject]);
    view.setUint32(128, code.length, true);
    bytes.set(code, 132);
    return bytes;
  }
}

/** fadd of numbers so far apart that the smaller one hardly counts, in every mode and precision. */
export function distantSums(): Uint8Array[] {
  const all = 2n * integerBit - 1n;
  const significands = [integerBit, integerBit | 1n, all];
  const cases: Uint8Array[] = [];
  for (const distance of [0, 1, 62, 63, 64, 65, 66, 67, 127, 128, 129]) {
    for (const large of significands) {
      for (const small of significands) {
        for (const sign of [0, 0x8000]) {
          for (let mode = 0; mode < 12; mode++) {
            const bytes = new Uint8Array(caseSize);
            const view = new DataView(bytes.buffer);
            const precision = [3, 2, 0][mode % 3];
            view.setUint32(0, 0xffff007f | (precision << 8) | ((mode & 3) << 10), true);
            view.setUint32(4, 0xffff0000, true);
            // ST(0) and ST(1) are there.
            view.setUint32(8, 0xfffffff0, true);
            view.setUint32(24, 0xffff0000, true);
            view.setBigUint64(28, large, true);
            view.setUint16(36, bias, true);
            view.setBigUint64(38, small, true);
            view.setUint16(46, sign | (bias - distance), true);
            view.setUint32(128, 2, true);
            bytes.set([0xd8, 0xc1], 132);
            cases.push(bytes);
          }
        }
      }
    }
  }
  return cases;
}
