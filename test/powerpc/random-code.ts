/** Random PowerPC code that runs straight through: for comparisons between engines and with other emulators. */
import { rows, values } from '../../translators/powerpc/decode.ts';
import { nans, randomDouble } from '../float/cases.ts';
import { dataAddress } from './guest.ts';

/** Uniform 32-bit integers. */
export type Random = () => number;

/** Base register of every access, in the middle of the data; index register; neither is written but by update forms. */
const base = 30;
const index = 29;
const middle = dataAddress + 0x800;

/** Registers that the code computes with. The stack pointer and the ABI's r2 and r13 are not among them. */
const general = [0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 31];

/**
 * What random code leaves out: control flow; what user programs may not do; instructions that QEMU's 7400 has not,
 * that take many registers, or whose result the architecture leaves open (the estimates, single precision of
 * operands that are not single); the status register, in which QEMU 7.2 forgets bits.
 */
const excluded = new RegExp(
  `^(${[
    'b(c|clr|cctr)?|sc|twi?|icbi|mftb|rfi|m[tf](msr|sr|srin)|tlb.*|dcb[iaft].*|l[bhw]arx|st[bhw]cx\\.',
    'isel|cmpb|popcnt[bw]|prtyw|lfiw[az]x|fcpsgn|fsqrts?|fri[nzpm]',
    'lmw|stmw|lsw[ix]|stsw[ix]',
    'fres|frsqrte|f(n?m)?(add|sub)s|fmuls|fdivs',
    'mffs|mcrfs|mtfs.*',
  ].join('|')})$`,
);

const eligible = rows.flatMap(([name, bits], row) =>
  excluded.test(name) ? [] : [{ row, name, bits: bits.replaceAll(' ', '') }],
);

/** LR, CTR and XER, their halves in the order of the word. XER is only read: QEMU keeps what is written to its reserved bits. */
const specialRegisters = [8, 9, 1].map((number) => number << 5);

const isAccess = (name: string): boolean => /^(l|st)[bhwf]/.test(name) || name.startsWith('dcb');
const isFloating = (name: string): boolean => name.startsWith('f');

function instruction(next: Random): number {
  const { row, name, bits } = eligible[(next() >>> 0) % eligible.length];
  let word = values[row];
  const put = (letter: string, value: number): void => {
    const last = bits.lastIndexOf(letter);
    const width = last - bits.indexOf(letter) + 1;
    word |= (value & (2 ** width - 1)) << (31 - last);
  };
  const register = (): number => general[(next() >>> 0) % general.length];
  for (const letter of new Set(bits)) {
    if ('01-'.includes(letter)) continue;
    if (letter === 'R' && isFloating(name)) continue;
    // Registers have five bits; r0 and f0 to f7 are as good as any.
    const isRegister = 'tsab'.includes(letter) && bits.lastIndexOf(letter) - bits.indexOf(letter) === 4;
    if (letter === 'p') put(letter, specialRegisters[(next() >>> 0) % (name === 'mfspr' ? 3 : 2)]);
    else if (name.endsWith('ocrf') && letter === 'f') put(letter, 1 << (next() & 7));
    else if (isFloating(name) && 'tabc'.includes(letter)) put(letter, next() & 7);
    else if (isRegister && !name.startsWith('cr')) put(letter, register());
    else put(letter, next());
  }
  if (isAccess(name)) {
    const field = (position: number, value: number): void => {
      word = (word & ~(31 << position)) | (value << position);
    };
    field(16, base);
    if (bits.includes('b')) field(11, index);
    else word = (word & ~0xffff) | (((next() << 24) >> 24) & 0xffff);
    if (/^(lf|stf)/.test(name)) field(21, next() & 7);
  }
  return word >>> 0;
}

/** A sequence of up to `length` instructions. */
export function randomCode(next: Random, length: number): number[] {
  return Array.from({ length: 1 + ((next() >>> 0) % length) }, () => instruction(next));
}

const words = [0, 1, 2, -1, -2, 0x80000000, 0x7fffffff, 31, 32, 33, 63, 64, 0x8000, -0x8000, 0x7fff];

/** Values for every register, by the names that Guest.set takes. */
export function randomRegisters(next: Random): Map<string, bigint> {
  const word = (): bigint => BigInt((next() & 1) === 0 ? next() >>> 0 : words[(next() >>> 0) % words.length] >>> 0);
  const bits = new BigUint64Array(1);
  const double = new Float64Array(bits.buffer);
  const registers = new Map<string, bigint>();
  for (const number of general) registers.set(`r${number}`, word());
  registers.set(`r${base}`, BigInt(middle + (next() & 7)));
  registers.set(`r${index}`, BigInt(((next() << 24) >> 24) >>> 0));
  for (const name of ['cr', 'lr', 'ctr']) registers.set(name, word());
  registers.set('xer', word() & 0xe000007fn);
  for (let number = 0; number < 8; number++) {
    if ((next() & 7) === 0) double.set([nans[next() & 3]]);
    else double[0] = randomDouble(next);
    registers.set(`f${number}`, bits[0]);
  }
  return registers;
}

/** The data page before each run. */
export const randomData = Uint8Array.from({ length: 0x1000 }, (_, at) => (at * 37 + (at >> 3) * 11) & 255);
