/** What delivering signals needs to know of an ABI: how a handler is entered and left, and how a call is restarted. */
import type { SignalInfo } from './signal-queue.ts';
import type { SignalAction } from './signals.ts';
import type { Thread, ThreadException } from './thread.ts';

export interface SignalAbi {
  /** Code that a handler returns to; it calls sigreturn. Mapped read-only and executable by startup. */
  readonly trampoline: Uint8Array;

  /**
   * Puts a frame onto the stack and lets the thread go on in the handler.
   * @param mask the mask that comes back when the handler returns
   * @throws MemoryFault when the stack cannot hold the frame
   */
  enterHandler(thread: Thread, action: SignalAction, info: SignalInfo, mask: bigint): void;
  /**
   * Takes the registers back from the frame that the stack pointer leads to.
   * @returns the mask to go on with
   * @throws MemoryFault
   */
  leaveHandler(thread: Thread, realTime: boolean): bigint;

  /** Saving and loading a ucontext, where the kernel has a call for that. */
  readonly contexts?: ContextAbi;

  /** The signal for what stopped the thread's instruction, which was no access to memory. */
  exceptionSignal(exception: ThreadException, thread: Thread): ExceptionSignal;
  /** Notes what frames tell of an exception later, and sets the pc to where it is reported. */
  beginException?(thread: Thread, exception: ThreadException): void;

  stackPointer(thread: Thread): number;
  /** The error that the last system call returned (positive), or 0. */
  callError(thread: Thread): number;
  setCallError(thread: Thread, error: number): void;
  /** Lets the thread make the last call once more, with its arguments as they were. */
  restartCall(thread: Thread): void;
  /** Lets the thread call restart_syscall. */
  resumeCall(thread: Thread): void;
}

export type ExceptionSignal = Pick<SignalInfo, 'signal' | 'code' | 'address'>;

/** A system call that exchanges contexts (swapcontext). */
export interface ContextAbi {
  /** Bytes of a ucontext. */
  readonly size: number;
  save(thread: Thread, address: number): void;
  /** @returns the mask to go on with */
  load(thread: Thread, address: number): bigint;
}

/**
 * Results of handlers that never reach the guest (linux/errno.h): they say what becomes of a call that a
 * signal interrupted.
 */
export const restart = {
  /** Start again if the handler has SA_RESTART or there is none, else EINTR. */
  ERESTARTSYS: 512,
  /** Start again in any case. */
  ERESTARTNOINTR: 513,
  /** Start again if there is no handler, else EINTR. */
  ERESTARTNOHAND: 514,
  /** Go on by thread.restart if there is no handler, else EINTR. */
  ERESTART_RESTARTBLOCK: 516,
} as const;
