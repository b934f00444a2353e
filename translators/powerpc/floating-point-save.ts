/**
 * Tells an mffs that looks at FPSCR from one that only saves it. The C library's sqrt, floor and their like
 * save FPSCR in a register and put it back; programs that call them do not use exceptions, and should not
 * pay for having them exact.
 */
import type { Fetch } from '../frontend.ts';

/** Instructions to follow after an mffs; the library's functions need about 60. */
const scanLimit = 160;

type Effect = 'none' | 'observed' | 'gone' | 'branch' | 'jump';

/**
 * Whether on every way from the mffs at `pc` its target register is put back by mtfsf, or overwritten, before
 * anything else reads it or the function is left.
 */
export function savesOnly(fetch: Fetch, pc: number): boolean {
  const mffs = fetch(pc, 4);
  if (mffs === undefined) return false;
  const register = (mffs >>> 21) & 31;
  const pending = [(pc + 4) >>> 0];
  const seen = new Set<number>();
  for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
    if (seen.has(at)) continue;
    seen.add(at);
    const word = fetch(at, 4);
    if (word === undefined || seen.size > scanLimit) return false;
    const effect = effectOn(word, register);
    if (effect === 'observed') return false;
    if (effect === 'gone') continue;
    if (effect === 'jump' || effect === 'branch') pending.push(target(word, at));
    if (effect !== 'jump') pending.push((at + 4) >>> 0);
  }
  return true;
}

/** Address that a b or bc without link goes to. */
function target(word: number, at: number): number {
  const displacement = word >>> 26 === 18 ? ((word & 0x03fffffc) << 6) >> 6 : ((word & 0xfffc) << 16) >> 16;
  return ((word & 2) !== 0 ? displacement : at + displacement) >>> 0;
}

/** What an instruction does to the value in a floating-point register. What is not known to leave it alone observes it. */
function effectOn(word: number, register: number): Effect {
  const primary = word >>> 26;
  const isTarget = ((word >>> 21) & 31) === register;
  switch (primary) {
    case 16:
      return (word & 1) !== 0 ? 'observed' : 'branch';
    case 18:
      return (word & 1) !== 0 ? 'observed' : 'jump';
    case 17:
    case 19:
      return leavesFunction(word) ? 'observed' : 'none';
    case 31:
      return effectOfIndexed((word >>> 1) & 0x3ff, isTarget);
    case 48:
    case 49:
    case 50:
    case 51:
      return isTarget ? 'gone' : 'none';
    case 52:
    case 53:
    case 54:
    case 55:
      return isTarget ? 'observed' : 'none';
    case 59:
    case 63:
      return effectOfArithmetic(word, register, isTarget);
    default:
      return 'none';
  }
}

/** sc, bclr and bcctr, in contrast to operations on the condition register and isync. */
function leavesFunction(word: number): boolean {
  const extended = (word >>> 1) & 0x3ff;
  return word >>> 26 === 17 || extended === 16 || extended === 528;
}

/** Loads lfsx lfsux lfdx lfdux; stores stfsx stfsux stfdx stfdux stfiwx. */
function effectOfIndexed(extended: number, isTarget: boolean): Effect {
  if (!isTarget) return 'none';
  if (extended === 535 || extended === 567 || extended === 599 || extended === 631) return 'gone';
  const stores = extended === 663 || extended === 695 || extended === 727 || extended === 759 || extended === 983;
  return stores ? 'observed' : 'none';
}

function effectOfArithmetic(word: number, register: number, isTarget: boolean): Effect {
  const extended = word >>> 26 === 63 ? (word >>> 1) & 0x3ff : -1;
  // mtfsf takes FRB alone; its other fields are a mask.
  if (extended === 711) return ((word >>> 11) & 31) === register ? 'gone' : 'none';
  // mtfsb1, mcrfs, mtfsb0, mtfsfi, and mffs where it has another target: no register is read.
  if (extended === 38 || extended === 64 || extended === 70 || extended === 134) return 'none';
  if (extended === 583) return isTarget ? 'gone' : 'none';
  for (let shift = 6; shift <= 16; shift += 5) if (((word >>> shift) & 31) === register) return 'observed';
  // Comparisons have a condition field where others have a target.
  const compares = extended === 0 || extended === 32;
  return isTarget && !compares ? 'gone' : 'none';
}
