/** Random instructions that do not branch, for generated programs. */
import { rows, values } from '../../translators/powerpc/decode.ts';
import { addImmediate, immediateForm, indexedForm, moveFromSpecial, moveToSpecial, special } from './assembler.ts';
import { floatingCount, general, register } from './layout.ts';

/** Uniform 32-bit integers. */
export type Random = () => number;

/** A number from 0 up to `count`. */
export const below = (next: Random, count: number): number => (next() >>> 0) % count;
export const pick = <T>(next: Random, from: readonly T[]): T => from[below(next, from.length)];
/** True once in `count` times. */
export const oneIn = (next: Random, count: number): boolean => below(next, count) === 0;

export interface InstructionOptions {
  /** Accesses may fault. */
  readonly faults: boolean;
  /** Instructions that read or write the floating-point status, and record forms of floating-point instructions. */
  readonly status: boolean;
  /** Only what QEMU 7.2 does as the architecture says. */
  readonly qemu: boolean;
}

/** Control flow, what user programs may not do, and what `macro` puts together. */
const never = /^(b(c|clr|cctr)?|sc|icbi|mftb|rfi|m[tf](msr|sr|srin|spr)|tlb.*|dcbi|lsw[ix]|stsw[ix]|lmw)$/;
const traps = /^twi?$/;
const status = /^(mffs|mcrfs|mtfs.*)$/;
/**
 * What QEMU's 7400 has not, or whose result the architecture leaves open (the estimates, and single precision of operands that
 * are not single).
 */
const notOnQemu = new RegExp(
  `^(${[
    'isel|cmpb|popcnt[bw]|prtyw|lfiw[az]x|fcpsgn|fsqrts?|fri[nzpm]|l[bhw]arx|st[bhw]cx\\.',
    'fres|frsqrte|f(n?m)?(add|sub)s|fmuls|fdivs|dcba',
  ].join('|')})$`,
);

interface Eligible {
  readonly row: number;
  readonly name: string;
  readonly bits: string;
}

const eligible: readonly Eligible[] = rows.flatMap(([name, bits], row) =>
  never.test(name) ? [] : [{ row, name, bits: bits.replaceAll(' ', '') }],
);

/** The instructions that options allow; a generator asks once. */
export function eligibleInstructions(options: InstructionOptions): readonly Eligible[] {
  return eligible.filter(
    ({ name }) =>
      (options.faults || !traps.test(name)) &&
      (options.status || !status.test(name)) &&
      (!options.qemu || !notOnQemu.test(name)),
  );
}

const isAccess = (name: string): boolean => /^(l[bhwfm]|st[bhwfm])/.test(name) || name.startsWith('dcb');
const isFloatingAccess = (name: string): boolean => /^(lf|stf)/.test(name);

const safeBases: readonly number[] = [register.middle, register.middle, register.writablePages];
const faultingBases: readonly number[] = [
  register.middle,
  register.writablePages,
  register.readOnlyPage,
  register.absentPage,
  register.afterAbsent,
  register.code,
];
const wildBases: readonly number[] = [register.zero, register.top, ...general];

function setField(word: number, position: number, width: number, value: number): number {
  const mask = (2 ** width - 1) << position;
  return ((word & ~mask) | ((value << position) & mask)) >>> 0;
}

/** One instruction, or a few that belong together. */
export function randomInstruction(next: Random, from: readonly Eligible[], options: InstructionOptions): number[] {
  if (oneIn(next, 16)) return macro(next, options);
  const { row, name, bits } = pick(next, from);
  const floating = name.startsWith('f');
  let word = values[row] >>> 0;
  for (const letter of new Set(bits)) {
    if ('01-'.includes(letter)) continue;
    const last = bits.lastIndexOf(letter);
    const width = last - bits.indexOf(letter) + 1;
    let value = next();
    if (letter === 'R' && (floating || status.test(name)) && !(options.status && oneIn(next, 4))) value = 0;
    else if (name.endsWith('ocrf') && letter === 'f') value = 1 << (next() & 7);
    else if (floating && 'tabc'.includes(letter)) value = below(next, floatingCount);
    else if (status.test(name) && (name === 'mffs' ? letter === 't' : letter === 'b'))
      value = below(next, floatingCount);
    else if (width === 5 && 'tsab'.includes(letter) && !name.startsWith('cr') && !status.test(name))
      value = pick(next, general);
    word = setField(word, 31 - last, width, value);
  }
  if (!isAccess(name)) return [word];
  return access(next, word, name, bits, options);
}

/** Gives an access its address. */
function access(next: Random, start: number, name: string, bits: string, options: InstructionOptions): number[] {
  let word = start;
  let base = pick(next, options.faults && oneIn(next, 4) ? faultingBases : safeBases);
  if (options.faults && oneIn(next, 24)) base = pick(next, wildBases);
  const near = base === register.middle ? 256 : 32;
  const displacement = below(next, near) - near / 2;
  const before: number[] = [];
  const updates = /u(x?)$/.test(name);
  const reserves = /arx|cx\./.test(name);
  if (updates || oneIn(next, 8)) {
    const distance = below(next, 16) - 8;
    before.push(addImmediate(register.updated, base, reserves && !options.faults ? distance & ~3 : distance));
    base = register.updated;
  }
  word = setField(word, 16, 5, base);
  if (bits.includes('b')) {
    word = setField(word, 11, 5, register.index);
    // Reservations and store-conditionals trap unless aligned.
    if (reserves && !(options.faults && oneIn(next, 4))) {
      word = setField(setField(word, 16, 5, 0), 11, 5, base);
    }
  } else {
    word = setField(word, 0, 16, displacement);
  }
  if (isFloatingAccess(name)) word = setField(word, 21, 5, below(next, floatingCount));
  if (name === 'stmw') word = setField(word, 21, 5, 2 + below(next, 30));
  return [...before, word];
}

/** Instructions that need others before them, or many registers: strings, multiple words, special registers. */
function macro(next: Random, options: InstructionOptions): number[] {
  const base = pick(next, options.faults ? faultingBases : safeBases);
  switch (below(next, options.qemu ? 5 : 7)) {
    case 0:
      return [moveToSpecial(special.ctr, pick(next, general))];
    case 1:
      return [addImmediate(3, 0, below(next, 24)), moveToSpecial(special.ctr, 3)];
    case 2:
      return [moveFromSpecial(pick(next, general), pick(next, [special.xer, special.lr, special.ctr]))];
    case 3: {
      const first = 25 + below(next, 7);
      return [immediateForm(46, first, base, below(next, 64) - 32)];
    }
    case 4: {
      // lswi and stswi, within r3 to r12
      const count = below(next, 33);
      const registers = ((count || 32) + 3) >> 2;
      return [indexedForm(3 + below(next, 11 - registers), base, count & 31, oneIn(next, 2) ? 597 : 725)];
    }
    case 5: {
      // lswx and stswx with the count in XER
      const count = below(next, 33);
      const first = 4 + below(next, 2);
      const setCount = [addImmediate(3, 0, count), moveToSpecial(special.xer, 3)];
      const address = addImmediate(register.updated, base, below(next, 16) - 8);
      return [...setCount, address, indexedForm(first, 0, register.updated, oneIn(next, 2) ? 533 : 661)];
    }
    default:
      // mftb
      return [(0x7c0c42e6 | (pick(next, general) << 21)) >>> 0];
  }
}
