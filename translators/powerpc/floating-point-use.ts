/**
 * Tells an mffs that looks at exceptions from one that does not. The C library saves FPSCR in a register and puts it
 * back in sqrt and floor, and looks at the rounding mode in printf and strtod; programs that call these
 * should not pay for having exceptions exact.
 *
 * The value is followed as compilers move it: register, stack, general register. A copy counts as
 * the only one: code that was compiled does not read a temporary again after it moved it.
 */
import type { Fetch } from '../frontend.ts';

/** Instructions to follow after an mffs; the library's functions need about 60. */
const scanLimit = 160;

/** Where the value is: a floating-point register, a word at `displacement` from a general register, a general register. */
interface Place {
  readonly kind: 'float' | 'memory' | 'general';
  readonly register: number;
  readonly displacement: number;
}

/** What an instruction does with the value: leaves it, looks at its exceptions, ends its life, or moves it. */
type Effect = 'none' | 'observed' | 'gone' | Place;

/**
 * Whether on every way from the mffs at `pc` its value is put back by mtfsf, overwritten, or reduced to the control
 * bits, before anything else reads it or the function is left.
 */
export function ignoresExceptions(fetch: Fetch, pc: number): boolean {
  const mffs = fetch(pc, 4);
  if (mffs === undefined) return false;
  const pending: [at: number, place: Place][] = [
    [(pc + 4) >>> 0, { kind: 'float', register: (mffs >>> 21) & 31, displacement: 0 }],
  ];
  const seen = new Set<string>();
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const [at, place] = next;
    const key = `${at} ${place.kind} ${place.register} ${place.displacement}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const word = fetch(at, 4);
    if (word === undefined || seen.size > scanLimit || leavesFunction(word)) return false;
    const effect = effects[place.kind](word, place);
    if (effect === 'observed') return false;
    if (effect === 'gone') continue;
    const moved = effect === 'none' ? place : effect;
    const primary = word >>> 26;
    if (primary === 16 || primary === 18) pending.push([target(word, at), moved]);
    if (primary !== 18) pending.push([(at + 4) >>> 0, moved]);
  }
  return true;
}

const effects = { float: effectOnFloat, memory: effectOnMemory, general: effectOnGeneral };

/** A branch with link or to a register, or a system call. */
function leavesFunction(word: number): boolean {
  const primary = word >>> 26;
  if (primary === 16 || primary === 18) return (word & 1) !== 0;
  if (primary === 17) return true;
  const extended = (word >>> 1) & 0x3ff;
  return primary === 19 && (extended === 16 || extended === 528);
}

/** Address that a b or bc goes to. */
function target(word: number, at: number): number {
  const displacement = word >>> 26 === 18 ? ((word & 0x03fffffc) << 6) >> 6 : ((word & 0xfffc) << 16) >> 16;
  return ((word & 2) !== 0 ? displacement : at + displacement) >>> 0;
}

const fieldT = (word: number): number => (word >>> 21) & 31;
const fieldA = (word: number): number => (word >>> 16) & 31;
const fieldB = (word: number): number => (word >>> 11) & 31;
const displacementOf = (word: number): number => (word << 16) >> 16;

function effectOnFloat(word: number, { register }: Place): Effect {
  const primary = word >>> 26;
  if (primary === 59 || primary === 63) return effectOfArithmetic(word, register);
  if (fieldT(word) !== register) return 'none';
  if (primary === 31) return effectOfIndexed((word >>> 1) & 0x3ff);
  // lfs lfsu lfd lfdu
  if (primary >= 48 && primary <= 51) return 'gone';
  // stfd: the low word, which is FPSCR, comes second.
  if (primary === 54) return { kind: 'memory', register: fieldA(word), displacement: displacementOf(word) + 4 };
  return primary >= 52 && primary <= 55 ? 'observed' : 'none';
}

/** Loads lfsx lfsux lfdx lfdux; stores stfsx stfsux stfdx stfdux stfiwx. */
function effectOfIndexed(extended: number): Effect {
  if (extended === 535 || extended === 567 || extended === 599 || extended === 631) return 'gone';
  const stores = extended === 663 || extended === 695 || extended === 727 || extended === 759 || extended === 983;
  return stores ? 'observed' : 'none';
}

function effectOfArithmetic(word: number, register: number): Effect {
  const isTarget = fieldT(word) === register;
  const extended = word >>> 26 === 63 ? (word >>> 1) & 0x3ff : -1;
  // mtfsf takes FRB alone; its other fields are a mask.
  if (extended === 711) return fieldB(word) === register ? 'gone' : 'none';
  // mtfsb1, mcrfs, mtfsb0, mtfsfi, and mffs where it has another target: no register is read.
  if (extended === 38 || extended === 64 || extended === 70 || extended === 134) return 'none';
  if (extended === 583) return isTarget ? 'gone' : 'none';
  for (let shift = 6; shift <= 16; shift += 5) if (((word >>> shift) & 31) === register) return 'observed';
  // Comparisons have a condition field where others have a target.
  const compares = extended === 0 || extended === 32;
  return isTarget && !compares ? 'gone' : 'none';
}

function effectOnMemory(word: number, { register, displacement }: Place): Effect {
  const primary = word >>> 26;
  const isThere = fieldA(word) === register;
  const offset = displacementOf(word) - displacement;
  if (primary === 32 && isThere && offset === 0) return { kind: 'general', register: fieldT(word), displacement: 0 };
  // Other loads and stores that touch the word, and lmw and stmw, which go on to higher addresses.
  if (primary >= 32 && primary <= 55 && isThere && offset > -8 && offset < 4) return 'observed';
  if ((primary === 46 || primary === 47) && isThere && offset < 4) return 'observed';
  // With another base the place cannot be told any more.
  return writesGeneral(word, register) ? 'observed' : 'none';
}

function effectOnGeneral(word: number, { register }: Place): Effect {
  const primary = word >>> 26;
  const reads = fieldT(word) === register;
  // rlwinm without rotation and andi. that keep but the enable bits, NI and RN.
  const keepsControl =
    (primary === 21 && (word & 0xf800) === 0 && ((word >>> 6) & 31) >= 24 && ((word >>> 1) & 31) === 31) ||
    (primary === 28 && (word & 0xff00) === 0);
  if (reads && keepsControl) return 'gone';
  if (!mentionsGeneral(word, register)) return 'none';
  const overwrites = reads && writesGeneral(word, register);
  const isPlain =
    primary === 14 || primary === 15 || (primary >= 32 && primary <= 43 && (primary < 36 || primary > 39));
  return overwrites && isPlain && fieldA(word) !== register ? 'gone' : 'observed';
}

/** Whether an instruction may read or write a general register. */
function mentionsGeneral(word: number, register: number): boolean {
  const primary = word >>> 26;
  if (primary === 16 || primary === 18 || primary === 19 || primary === 59 || primary === 63) return false;
  // lmw and stmw take all registers from theirs on.
  if (primary === 46 || primary === 47) return fieldT(word) <= register || fieldA(word) === register;
  if (fieldA(word) === register) return true;
  // The first field is a condition field in compares, a floating-point register in their loads and stores.
  const hasGeneral = primary !== 10 && primary !== 11 && primary < 48;
  if (hasGeneral && fieldT(word) === register) return true;
  return (primary === 31 || primary === 23) && fieldB(word) === register;
}

/** Whether an instruction may write a general register; rather yes than no. */
function writesGeneral(word: number, register: number): boolean {
  const primary = word >>> 26;
  const isStore = (primary >= 36 && primary <= 39) || primary === 44 || primary === 45 || primary === 47;
  if (!mentionsGeneral(word, register)) return false;
  if (primary === 10 || primary === 11) return false;
  // Of loads and stores with a displacement, those with update (odd numbers) also write their base.
  if (primary >= 32) return fieldA(word) === register ? (primary & 1) === 1 || fieldT(word) === register : !isStore;
  // Additions and the like write their first register, logical operations and rotations their second.
  if ((primary >= 7 && primary <= 15) || primary === 3) return fieldT(word) === register;
  if (primary >= 20 && primary <= 29) return fieldA(word) === register;
  return true;
}
