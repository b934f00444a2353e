/** Which calls led to the place where a thread stands, as far as its registers and stack tell. */
import type { State } from '../../translators/ir/state.ts';
import type { Places } from './places.ts';

/** What a walk over the stack looks at. */
export interface StackView extends Places {
  readonly state: State;
  /** Guest address of the instruction where the thread stands. */
  readonly pc: number;
  /** The 32-bit word at a guest address in the guest's byte order; undefined where nothing is mapped. */
  word(address: number): number | undefined;
}

type Walk = (view: StackView, limit: number) => number[];

/** By the frontend's name. */
const walks: Readonly<Record<string, Walk>> = { powerpc: walkPowerpc };

/**
 * Guest addresses of the calls, innermost first.
 * @param limit how many at most
 */
export function backTrace(architecture: string, view: StackView, limit: number): number[] {
  return walks[architecture]?.(view, limit) ?? [];
}

/** Loads the program counter and so is no call: the next instruction's address, for position-independent code. */
const branchToNext = 0x429f0005;

/** Whether an instruction is a branch that sets the link register: b, bc, bclr or bcctr with LK. */
function isPowerpcCall(word: number | undefined): boolean {
  if (word === undefined || (word & 1) === 0 || word === branchToNext) return false;
  const opcode = word >>> 26;
  const extended = (word >>> 1) & 0x3ff;
  return opcode === 18 || opcode === 16 || (opcode === 19 && (extended === 16 || extended === 528));
}

/**
 * Follows the back chain (System V ABI, PowerPC supplement, "The Stack Frame"): the word at r1 is the address of the
 * caller's frame, and behind each frame's own word lies the return address of the function that the frame called. A function
 * that has not stored its return address has it in the link register, which in other functions points into
 * themselves once they have made a call.
 */
function walkPowerpc(view: StackView, limit: number): number[] {
  const { state, pc, word } = view;
  const calls: number[] = [];
  const isReturn = (address: number): boolean => (address & 3) === 0 && isPowerpcCall(word(address - 4));
  let stack = state.get('r1') >>> 0;
  let frame = word(stack);
  const link = state.get('lr') >>> 0;
  const running = view.symbolAt(pc);
  const isOwn = running !== undefined && view.symbolAt(link - 4)?.start === running.start;
  if (isReturn(link) && !isOwn && (frame === undefined || word(frame + 4) !== link)) calls.push(link - 4);
  // Frames lie at ever higher addresses; the outermost one's chain is 0.
  while (frame !== undefined && frame > stack && (frame & 3) === 0 && calls.length < limit) {
    const saved = word(frame + 4);
    if (saved !== undefined && isReturn(saved)) calls.push(saved - 4);
    stack = frame;
    frame = word(frame);
  }
  return calls;
}
