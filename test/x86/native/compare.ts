/** Compares what an engine of ours left of a case with what the processor did. */
import type { Instruction } from '../../../translators/x86/instruction.ts';
import { type Case, comparedFlags, type Outcome, signals, windowAddress, windowSize } from './case.ts';
import { operandAddress } from './generate.ts';
import { floatingParts } from './registers.ts';
import { isResultUndefined, sameExtended, sameVector, undefinedFlagsOf, undefinedStatusOf } from './undefined.ts';

const hexadecimal = (bytes: Uint8Array): string => Buffer.from(bytes).reverse().toString('hex');

/** Where a case ended: behind int3 the processor is one byte further. */
const pcOf = ({ pc, signal }: Outcome): number => (signal === signals.SIGTRAP ? pc - 1 : pc);

/** Whether a part of the floating-point registers is the same, as far as it is defined. */
function sameFloating(
  i: Instruction,
  name: string,
  ours: Uint8Array,
  theirs: Uint8Array,
  exact: boolean,
  faults: boolean,
): boolean {
  if (/^st\d/.test(name)) return sameExtended(i, ours, theirs);
  if (name.startsWith('xmm')) return sameVector(i, ours, theirs);
  const word = (bytes: Uint8Array): number => bytes.reduceRight((sum, byte) => (sum << 8) | byte, 0);
  let compared = -1;
  if (name === 'status') compared = ~undefinedStatusOf(i);
  // A store that faults may have noted what it will note again when it is repeated.
  if (name === 'status' && !exact && faults) compared &= ~0x82ff;
  // Code that is not lifted exactly leaves MXCSR's exceptions alone until the program looks.
  if (name === 'mxcsr' && !exact) compared = ~0x3f;
  return ((word(ours) ^ word(theirs)) & compared) === 0;
}

/** What differs, as text; nothing when the outcomes are the same as far as the manual says. @param exact the engine keeps MXCSR's exceptions */
export function differences(
  i: Instruction,
  mode: 32 | 64,
  one: Case,
  ours: Outcome,
  theirs: Outcome,
  exact: boolean,
): string[] {
  const found: string[] = [];
  const differ = (what: string, a: string | number | bigint, b: string | number | bigint, input = ''): void => {
    const text = (value: string | number | bigint): string => (typeof value === 'string' ? value : value.toString(16));
    found.push(`${what} ${text(a)}, native ${text(b)}${input === '' ? '' : `, before ${input}`}`);
  };
  if (ours.signal !== theirs.signal) differ('signal', ours.signal, theirs.signal);
  if (pcOf(ours) !== pcOf(theirs)) differ('pc', pcOf(ours), pcOf(theirs));
  const isUndefined = isResultUndefined(i, one);
  const names = mode === 64 ? 16 : 8;
  for (let n = 0; n < names; n++) {
    if (isUndefined && i.mod === 3 && n === i.rm) continue;
    if (ours.registers[n] !== theirs.registers[n]) {
      differ(`register ${n}`, ours.registers[n], theirs.registers[n], one.registers[n].toString(16));
    }
  }
  const compared = comparedFlags & ~undefinedFlagsOf(i, one);
  if (((ours.flags ^ theirs.flags) & compared) !== 0) {
    differ('flags', ours.flags & compared, theirs.flags & compared, (one.flags & compared).toString(16));
  }
  for (const { name, at, size } of floatingParts(mode)) {
    const part = (fx: Uint8Array): Uint8Array => fx.subarray(at, at + size);
    const [a, b] = [part(ours.fx), part(theirs.fx)];
    if (!sameFloating(i, name, a, b, exact, theirs.signal === signals.SIGSEGV))
      differ(name, hexadecimal(a), hexadecimal(b), hexadecimal(part(one.fx)));
  }
  // MXCSR_MASK in the image that fxsave writes tells which bits the host's processor has.
  const mask = i.mnemonic.startsWith('fxsave') ? operandAddress(i, one) + 28 - windowAddress : windowSize;
  const first = ours.window.findIndex((byte, n) => byte !== theirs.window[n] && (n < mask || n >= mask + 4));
  if (!(isUndefined && i.mod !== 3) && first >= 0) {
    const part = (bytes: Uint8Array): string => Buffer.from(bytes.subarray(first, first + 16)).toString('hex');
    differ(
      `memory at ${(windowAddress + first).toString(16)}`,
      part(ours.window),
      part(theirs.window),
      part(one.window),
    );
  }
  return found;
}
