/** Random programs: what they consist of, and the kinds that there are. */
import type { Inlining } from '../../translators/optimize/inline.ts';
import { generator } from '../float/cases.ts';
import { Assembler } from './assembler.ts';
import { emitControlFlow } from './control-flow.ts';
import {
  eligibleInstructions,
  type InstructionOptions,
  oneIn,
  pick,
  type Random,
  randomInstruction,
} from './instructions.ts';
import { codeAddress } from './layout.ts';

export const kinds = ['straight', 'faults', 'status', 'branches', 'rewriting', 'interrupts'] as const;
export type Kind = (typeof kinds)[number];

export interface Limits {
  readonly threshold: number;
  readonly regionLimit: number;
  readonly blockLimit: number;
  readonly depthLimit: number;
  readonly loopBudget: number;
  readonly tableEntries: number;
  readonly inlining?: Omit<Inlining, 'boundsOf'>;
}

/** A generated program. Each round starts it anew with other registers, in the memory that the last round left. */
export interface Program {
  readonly kind: Kind;
  readonly seed: number;
  readonly words: readonly number[];
  /** Positions of words that a nop may replace. */
  readonly removable: readonly number[];
  /** Words at tableAddress. */
  readonly tables: readonly number[];
  /** Functions, as a symbol table would tell them; empty: there are no symbols. */
  readonly symbols: readonly { readonly name: string; readonly start: number; readonly size: number }[];
  readonly rounds: number;
  /** The code's pages are writable. */
  readonly writableCode: boolean;
  /** The guest asked for registers to be exact at faults; without that a program ends at its first one. */
  readonly preciseFaults: boolean;
  /** The floating-point status is exact from the first instruction. */
  readonly exactFloatingPoint: boolean;
  /** Limits of the translated engines: small ones reach what takes long programs otherwise. */
  readonly limits: Limits;
  /** What r14 starts with, by round. */
  readonly fuel: readonly number[];
  /** The host interrupts the guest now and then. */
  readonly interrupts: boolean;
  /** Words that events write over code: position in the code, and the word. */
  readonly patches: readonly { readonly at: number; readonly word: number }[];
}

/** The program of a kind that a seed makes. @param qemu only what can be compared with QEMU 7.2 */
export function createProgram(kind: Kind, seed: number, qemu = false): Program {
  const next = generator(seed);
  const limits: Limits = {
    threshold: pick(next, [1, 3, 10]),
    regionLimit: pick(next, [600, 600, 40]),
    blockLimit: pick(next, [128, 128, 8]),
    depthLimit: pick(next, [1000, 100, 10]),
    loopBudget: pick(next, [20_000, 100, 5]),
    tableEntries: pick(next, [4096, 4096, 4]),
    inlining: {
      limit: pick(next, [60, 500]),
      room: pick(next, [400, 2000, 0]),
      depth: pick(next, [1, 3]),
    },
  };
  if (kind === 'branches' || kind === 'rewriting' || kind === 'interrupts') {
    return { kind, seed, limits, ...emitControlFlow(next, kind, qemu) };
  }
  return { kind, seed, limits, ...straight(kind, next, qemu) };
}

/** mffs, a store that looks at its result, and a record form: exact from here on. */
export const beginExact = [0xfc00048e, 0xd80f0000, 0xfc000091];

type Body = Omit<Program, 'kind' | 'seed' | 'limits'>;

function straight(kind: Kind, next: Random, qemu: boolean): Body {
  const options: InstructionOptions = { faults: kind === 'faults', status: kind === 'status', qemu };
  const from = eligibleInstructions(options);
  const assembler = new Assembler(codeAddress);
  if (options.status) assembler.emit(...beginExact);
  const length = 1 + (next() & (oneIn(next, 10) ? 255 : 31));
  while (assembler.removable.length < length) assembler.emitRemovable(...randomInstruction(next, from, options));
  // li r0,0; sc
  assembler.emit(0x38000000, 0x44000002);
  return {
    words: assembler.finish(),
    removable: assembler.removable,
    tables: [],
    symbols: [],
    // More than make a block hot.
    rounds: 12,
    writableCode: false,
    preciseFaults: oneIn(next, 2),
    exactFloatingPoint: options.status,
    fuel: [0],
    interrupts: false,
    patches: [],
  };
}

/** The same program with nops in place of the removable words that `keep` does not name. */
export function reduced(program: Program, keep: ReadonlySet<number>): Program {
  const words = program.words.slice();
  for (const at of program.removable) if (!keep.has(at)) words[at] = 0x60000000;
  return { ...program, words, removable: program.removable.filter((at) => keep.has(at)) };
}
