/** Which calls led to the place where a thread stands, as far as its registers and stack tell. */
import type { State } from '../../translators/ir/state.ts';
import type { CallFrame } from '../elf/call-frames.ts';
import type { Places } from './places.ts';
import { callerFrame, type FrameRegisters } from './unwind.ts';

/** What a walk over the stack looks at. */
export interface StackView extends Places {
  readonly state: State;
  /** Guest address of the instruction where the thread stands. */
  readonly pc: number;
  /** The 32-bit word at a guest address in the guest's byte order; undefined where nothing is mapped. */
  word(address: number): number | undefined;
  /** What the compiler tells of the frame of the code at a guest address. */
  frameAt?(address: number): CallFrame | undefined;
}

/** A function on the stack. */
interface Position {
  /** Where it goes on, or stands. */
  readonly pc: number;
  /** It is in a call, whose instruction lies before the pc. */
  readonly isCaller: boolean;
  /** By DWARF's numbers. */
  readonly registers: FrameRegisters;
}

interface Caller extends Position {
  /** Guest address of the call. */
  readonly call: number;
}

interface Architecture {
  /** Names of registers by DWARF's numbers. */
  readonly names: ReadonlyMap<number, string>;
  /** The stack pointer's number. */
  readonly stack: number;
  readonly pointerSize: 4 | 8;
  /** The call that ends at an address; undefined when there is none. */
  callBefore(view: StackView, address: number): number | undefined;
  /** The caller, as well as it can be found without the compiler's word. */
  guess(view: StackView, position: Position): Caller | undefined;
}

/** By the frontend's name. */
const architectures: Readonly<Record<string, () => Architecture>> = {
  powerpc: powerpcArchitecture,
  i386: () => x86Architecture(4, ['eax', 'ecx', 'edx', 'ebx', 'esp', 'ebp', 'esi', 'edi'], 4, 5),
  'x86-64': () => x86Architecture(8, ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp'], 7, 6),
};

/**
 * Guest addresses of the calls, innermost first: by call frame information where there is some that makes sense, by what
 * lies on the stack otherwise.
 * @param limit how many at most
 */
export function backTrace(architecture: string, view: StackView, limit: number): number[] {
  const known = architectures[architecture]?.();
  if (known === undefined) return [];
  const { state } = view;
  const word = (name: string): number => state.i32[state.register(name).offset >> 2] >>> 0;
  const registers = new Map([...known.names].map(([number, name]) => [number, word(name)]));
  let position: Position = { pc: view.pc, isCaller: false, registers };
  const calls: number[] = [];
  while (calls.length < limit) {
    const found = unwind(known, view, position);
    if (found === 'outermost') break;
    const caller = found ?? known.guess(view, position);
    if (caller === undefined) break;
    calls.push(caller.call);
    position = caller;
  }
  return calls;
}

/** The pointer at a guest address; undefined for one beyond 32 bits. */
function pointerAt(view: StackView, address: number, size: 4 | 8): number | undefined {
  if (size === 4) return view.word(address);
  const low = view.word(address);
  return view.word(address + 4) === 0 ? low : undefined;
}

/** The caller by call frame information; undefined where there is none, or what it finds is no call. */
function unwind(
  known: Architecture,
  view: StackView,
  { pc, isCaller, registers }: Position,
): Caller | 'outermost' | undefined {
  const frame = view.frameAt?.(isCaller ? pc - 1 : pc);
  if (frame === undefined) return undefined;
  const pointer = (address: number): number | undefined => pointerAt(view, address, known.pointerSize);
  const caller = callerFrame(frame, registers, known.stack, { pointer });
  if (caller === undefined) return undefined;
  const { returnAddress } = caller;
  if (returnAddress === undefined || returnAddress === 0) return 'outermost';
  if (frame.isSignal) return { call: returnAddress, pc: returnAddress, isCaller: false, registers: caller.registers };
  const call = known.callBefore(view, returnAddress);
  const goesUp = (caller.registers.get(known.stack) ?? 0) >= (registers.get(known.stack) ?? 0);
  return call === undefined || !goesUp
    ? undefined
    : { call, pc: returnAddress, isCaller: true, registers: caller.registers };
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

/** DWARF's number of the link register. */
const linkNumber = 65;

/**
 * Follows the back chain (System V ABI, PowerPC supplement, "The Stack Frame"): the word at r1 is the address of the
 * caller's frame, and behind each frame's own word lies the return address of the function that the frame called. A function
 * that has not stored its return address has it in the link register, which in other functions points into
 * themselves once they have made a call.
 */
function powerpcArchitecture(): Architecture {
  const stack = 1;
  const names = new Map(Array.from({ length: 32 }, (_, n) => [n, `r${n}`]));
  const isReturn = (view: StackView, address: number): boolean =>
    (address & 3) === 0 && isPowerpcCall(view.word(address - 4));
  const callBefore = (view: StackView, address: number): number | undefined =>
    isReturn(view, address) ? address - 4 : undefined;
  return {
    names: names.set(linkNumber, 'lr'),
    stack,
    pointerSize: 4,
    callBefore,
    guess(view, { pc, isCaller, registers }) {
      const { word } = view;
      let place = registers.get(stack) ?? 0;
      let frame = word(place);
      const link = registers.get(linkNumber);
      if (!isCaller && link !== undefined) {
        const running = view.symbolAt(pc);
        const isOwn = running !== undefined && view.symbolAt(link - 4)?.start === running.start;
        if (isReturn(view, link) && !isOwn && (frame === undefined || word(frame + 4) !== link)) {
          return { call: link - 4, pc: link, isCaller: true, registers: new Map([[stack, place]]) };
        }
      }
      // Frames lie at ever higher addresses; the outermost one's chain is 0.
      while (frame !== undefined && frame > place && (frame & 3) === 0) {
        const saved = word(frame + 4);
        place = frame;
        if (saved !== undefined && isReturn(view, saved)) {
          return { call: saved - 4, pc: saved, isCaller: true, registers: new Map([[stack, place]]) };
        }
        frame = word(place);
      }
      return undefined;
    },
  };
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
 * @param general the first eight general registers in DWARF's order, which the ABIs' supplements have
 */
function x86Architecture(size: 4 | 8, general: readonly string[], stack: number, frame: number): Architecture {
  const names = new Map(general.entries());
  if (size === 8) for (let n = 8; n < 16; n++) names.set(n, `r${n}`);
  return {
    names,
    stack,
    pointerSize: size,
    callBefore: (view, address) => x86CallBefore(view, address)?.call,
    guess(view, { pc, isCaller, registers }) {
      const start = registers.get(stack) ?? 0;
      const base = registers.get(frame) ?? 0;
      const running = view.symbolAt(isCaller ? pc - 1 : pc)?.start;
      for (let n = 0; n < searchedWords; n++) {
        const address = start + n * size;
        const value = pointerAt(view, address, size);
        const before = value === undefined ? undefined : x86CallBefore(view, value);
        if (value === undefined || before === undefined) continue;
        const isFrames = address === base + size;
        const { call, target } = before;
        const fits = target === undefined || running === undefined || view.symbolAt(target)?.start === running;
        if (!isFrames && !fits) continue;
        const next = isFrames ? (pointerAt(view, base, size) ?? 0) : base;
        const known: FrameRegisters = new Map([
          [stack, address + size],
          [frame, next],
        ]);
        return { call, pc: value, isCaller: true, registers: known };
      }
      return undefined;
    },
  };
}
