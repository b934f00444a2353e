/**
 * What the signal frames of i386 and x86-64 have in common: their place, flags and floating-point state
 * (arch/x86/kernel/signal.c, fpu/signal.c), as on a processor without XSAVE.
 */
import type { ExitReason } from '../../translators/ir/operations.ts';
import type { State } from '../../translators/ir/state.ts';
import { AC, AF, CF, DF, OF, PF, SF, TF, ZF } from '../../translators/x86/flags.ts';
import { flagsWord, fxsaveSize, readFxsave, setFlagsWord } from '../../translators/x86/state-image.ts';
import { MemoryFault } from '../memory/guest-memory.ts';
import { onAlternateStack } from './signal-stack.ts';
import { actionFlag, type SignalAction } from './signals.ts';
import type { Thread } from './thread.ts';

/** What the kernel aligns the image of FXSAVE to. */
const fxsaveAlignment = 64;
/** sa_restorer is there. */
export const restorerFlag = 0x04000000;

/** Where the stack pointer goes to before a frame is put there, on the alternate stack or the one in use. */
export function frameTop(thread: Thread, action: SignalAction, stackPointer: number): number {
  const { base, size } = thread.alternateStack;
  const switches = (action.flags & actionFlag.SA_ONSTACK) !== 0 && size !== 0;
  return switches && !onAlternateStack(thread, stackPointer) ? base + size : stackPointer;
}

/** The place of the FXSAVE image below an address. */
export const fxsavePlace = (top: number): number => Math.floor((top - fxsaveSize) / fxsaveAlignment) * fxsaveAlignment;

/** A frame that would run over the end of the alternate stack is not written. @throws MemoryFault */
export function checkAlternateStack(thread: Thread, action: SignalAction, interrupted: number, frame: number): void {
  const { base, size } = thread.alternateStack;
  if (size === 0) return;
  const nested = onAlternateStack(thread, interrupted);
  const enters = (action.flags & actionFlag.SA_ONSTACK) !== 0 && !nested;
  if ((nested || enters) && !(frame > base && frame - base <= size)) throw new MemoryFault(frame, 2);
}

/** The flags that a handler may change in its frame (FIX_EFLAGS; RF does nothing here). */
const changeableFlags = AC | OF | DF | TF | SF | ZF | AF | PF | CF;

/** The resume flag, which a processor sets where an instruction is to be tried again. */
const resumeFlag = 0x10000;
/** Exceptions that are reported behind their instruction, and what is none of its own. */
const withoutResume: ReadonlySet<ExitReason> = new Set(['breakpoint', 'overflow', 'trap', 'interrupt']);

/** The flags as a frame has them. */
export function savedFlags({ state, exception }: Thread): number {
  const isFault = exception !== undefined && !withoutResume.has(exception.reason);
  return flagsWord(state) | (isFault ? resumeFlag : 0);
}

export function restoreFlags(state: State, word: number): void {
  setFlagsWord(state, (flagsWord(state) & ~changeableFlags) | (word & changeableFlags));
}

/** What a handler finds in the registers whatever was interrupted: DF and TF clear, and floating point as after a start. */
export function resetForHandler(state: State): void {
  setFlagsWord(state, flagsWord(state) & ~(DF | TF));
  readFxsave(state, initialFxsave);
}

/** Floating-point registers as a program finds them: control word 0x37F, MXCSR 0x1F80. */
export const initialFxsave = new Uint8Array(fxsaveSize);
new DataView(initialFxsave.buffer).setUint16(0, 0x37f, true);
new DataView(initialFxsave.buffer).setUint32(24, 0x1f80, true);
