/** The alternate signal stack of a thread (sigaltstack). */
import { errno } from './errno.ts';
import type { Thread } from './thread.ts';

export const stackFlag = { SS_ONSTACK: 1, SS_DISABLE: 2, SS_AUTODISARM: 0x80000000 } as const;

/** MINSIGSTKSZ of PowerPC. */
const minimumSize = 2048;

export function onAlternateStack(thread: Thread, stackPointer: number): boolean {
  const { base, size, flags } = thread.alternateStack;
  if ((flags & stackFlag.SS_AUTODISARM) !== 0) return false;
  return stackPointer > base && stackPointer - base <= size;
}

/** ss_flags as a frame and the old-stack argument hold them, but for SS_ONSTACK. */
export function effectiveStackFlags({ alternateStack }: Thread): number {
  return alternateStack.size === 0 ? stackFlag.SS_DISABLE : alternateStack.flags;
}

/** Replaces the alternate stack. @returns 0 or -errno */
export function setAlternateStack(thread: Thread, base: number, flags: number, size: number): number {
  const mode = (flags & ~stackFlag.SS_AUTODISARM) >>> 0;
  if (mode !== 0 && mode !== stackFlag.SS_ONSTACK && mode !== stackFlag.SS_DISABLE) return -errno.EINVAL;
  if (mode === stackFlag.SS_DISABLE) {
    thread.alternateStack = { base: 0, size: 0, flags: 0 };
    return 0;
  }
  if (size < minimumSize) return -errno.ENOMEM;
  thread.alternateStack = { base, size, flags: (flags & stackFlag.SS_AUTODISARM) >>> 0 };
  return 0;
}
