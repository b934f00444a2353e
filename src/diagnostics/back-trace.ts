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
const walks: Readonly<Record<string, Walk>> = {
  powerpc: walkPowerpc,
  i386: (view, limit) => walkX86(view, limit, 4, 'esp', 'ebp'),
  'x86-64': (view, limit) => walkX86(view, limit, 8, 'rsp', 'rbp'),
};

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

/** How far a return address is looked for on the stack, in words. */
const searchedWords = 512;

/**
 * The call that a return address leads back to, and where it went: undefined for an indirect call. Undefined when no call
 * ends at that address.
 */
function x86CallBefore({ word }: StackView, address: number): { call: number; target: number | undefined } | undefined {
  const byte = (at: number): number => (word(at) ?? 0) & 0xff;
  if (word(address) === undefined) return undefined;
  if (byte(address - 5) === 0xe8) return { call: address - 5, target: (address + (word(address - 4) ?? 0)) >>> 0 };
  // call r/m: FF /2 with ModRM, SIB and displacement as they come; the length follows from these.
  for (let length = 2; length <= 7; length++) {
    const start = address - length;
    const modrm = byte(start + 1);
    if (byte(start) !== 0xff || ((modrm >> 3) & 7) !== 2) continue;
    const [mod, rm] = [modrm >> 6, modrm & 7];
    const hasSib = mod !== 3 && rm === 4;
    const wide = mod === 2 || (mod === 0 && (rm === 5 || (hasSib && (byte(start + 2) & 7) === 5)));
    if (2 + (hasSib ? 1 : 0) + (wide ? 4 : mod === 1 ? 1 : 0) === length) return { call: start, target: undefined };
  }
  return undefined;
}

/**
 * Looks for return addresses: by the chain of frame pointers where the frame pointer begins one, else among the words on
 * the stack, from the stack pointer on. A word counts when a call ends at the address that it holds; a call that names its
 * target must have gone to the function that was found last.
 */
function walkX86(view: StackView, limit: number, size: 4 | 8, stackName: string, frameName: string): number[] {
  const { state, symbolAt } = view;
  const pointerAt = (address: number): number | undefined => {
    const low = view.word(address);
    return low === undefined || (size === 8 && view.word(address + 4) !== 0) ? undefined : low;
  };
  const register = (name: string): number => state.i32[state.register(name).offset >> 2] >>> 0;
  const calls: number[] = [];
  let stack = register(stackName);
  let frame = register(frameName);
  let running = symbolAt(view.pc)?.start;
  while (calls.length < limit) {
    let found: number | undefined;
    for (let n = 0; n < searchedWords && found === undefined; n++) {
      const address = stack + n * size;
      const value = pointerAt(address);
      const before = value === undefined ? undefined : x86CallBefore(view, value);
      if (before === undefined) continue;
      const isFrames = address === frame + size;
      const fits = before.target === undefined || running === undefined || symbolAt(before.target)?.start === running;
      if (!isFrames && !fits) continue;
      found = before.call;
      stack = address + size;
      if (isFrames) frame = pointerAt(frame) ?? 0;
    }
    if (found === undefined) break;
    calls.push(found);
    running = symbolAt(found)?.start;
  }
  return calls;
}
