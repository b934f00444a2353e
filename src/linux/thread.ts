/**
 * One guest thread: registers, signal mask, pending signals, and what it waits for.
 *
 * What the dispatcher of system calls does with a thread:
 * - before a call it notes its number and first argument, so that the call can be restarted;
 * - after a call it leaves the engine when `attention` is set;
 * - for a call that must wait it puts a promise into `waiting`, which resolves when the result stands in
 *   the registers, and leaves the engine.
 * The run loop (run.ts) does the rest.
 */
import type { ExitReason } from '../../translators/ir/operations.ts';
import { header, type State } from '../../translators/ir/state.ts';
import type { Process } from './process.ts';
import { SignalQueue } from './signal-queue.ts';

/** What a guest's instruction ran into. */
export interface ThreadException {
  readonly reason: ExitReason;
  /** What the engine told about it: the address of an access, which exceptions floating point had. */
  readonly detail: number;
  /** Of the access that failed. */
  readonly address: number | bigint;
  /** 1 read, 2 write, 4 execute. */
  readonly access: number;
  /** Whether the address was mapped, so that only the permission was missing. */
  readonly mapped: boolean;
  /** Whether it was an access to x86's stack segment. */
  readonly isStack: boolean;
}

/** A segment of an x86 thread, as struct user_desc describes it. */
export interface SegmentDescriptor {
  readonly base: number;
  readonly limit: number;
  readonly flags: number;
}

/** An exception of an x86 processor: its number, error code, and the address of the last page fault (CR2). */
export interface Trap {
  readonly number: number;
  readonly error: number;
  readonly address: number | bigint;
}

/** How a wait ended. */
export type Awakening = 'elapsed' | 'interrupted';

export class Thread {
  readonly id: number;
  readonly state: State;
  readonly process: Process;
  /** Blocked signals: bit n-1 of the 64-bit set stands for signal n. Change it through `setSignalMask`. */
  signalMask = 0n;
  /** The mask to put back when a call that replaced it for its own duration (sigsuspend, ppoll) is over. */
  savedSignalMask: bigint | undefined;
  /** Signals that sigtimedwait waits for: kept even if they are ignored. */
  awaited = 0n;
  /** Signals sent to this thread. */
  readonly pending = new SignalQueue();
  /** Alternate signal stack; size 0: none. */
  alternateStack = { base: 0, size: 0, flags: 0 };
  /** Address that the kernel clears at exit (set_tid_address). */
  clearChildTid = 0;
  /** Head of the list of robust futexes, as the guest gave it, and the list's length. */
  robustList = { head: 0, length: 0 };

  /** Descriptors of segments that the thread has asked for (set_thread_area), by their entries in the descriptor table. */
  readonly descriptors = new Map<number, SegmentDescriptor>();

  /** The engine must be left after the call in progress: a signal can be delivered, the process has ended, or `deferred` is set. */
  attention = false;
  /** Somebody wants the thread to be between calls: waits end as for a signal. */
  stopRequested = false;
  /** The call that the thread waits for. */
  waiting: Promise<void> | undefined;
  /** Number and first argument of the last system call, as the guest passed them. */
  callNumber = 0;
  callArgument = 0;
  /** Work of the last call that replaces registers (sigreturn), done when the call has returned. */
  deferred: (() => void) | undefined;
  /** How to go on with a call that was interrupted and is not to start again from its arguments (restart_syscall). */
  restart: (() => number | Promise<number>) | undefined;

  /** What signal frames of x86 tell of the last exception, whenever that was. */
  trap: Trap = { number: 0, error: 0, address: 0 };
  /** What stopped the thread's last instruction; undefined: a system call. */
  exception: ThreadException | undefined;

  private interruption: PromiseWithResolvers<void> | undefined;

  constructor(id: number, state: State, process: Process) {
    this.id = id;
    this.state = state;
    this.process = process;
  }

  /** Whether a signal waits that the mask lets through and that does something, or else the thread is to come out of its calls. */
  get interrupted(): boolean {
    return this.stopRequested || this.process.signals.deliverable(this) || this.process.exitStatus !== undefined;
  }

  /** Has the thread leave its engine, and end the call that it waits for, as soon as it can; `stopRequested` stays set. */
  requestStop(): void {
    this.stopRequested = true;
    Atomics.store(this.state.i32, header.interrupt >> 2, 1);
    this.review();
  }

  /** Resolves when a signal can be delivered to this thread or the process has ended; at once if that is so already. */
  whenInterrupted(): Promise<void> {
    if (this.interrupted) return Promise.resolve();
    this.interruption ??= Promise.withResolvers();
    return this.interruption.promise;
  }

  /**
   * Waits with the event loop running.
   * @param nanoseconds how long at most; undefined: until a signal
   */
  sleep(nanoseconds: number | undefined): Promise<Awakening> {
    return this.waitFor(undefined, nanoseconds);
  }

  /** Waits for `event` (its value is passed on), a time or a signal, whichever comes first. */
  waitFor<T = never>(event: Promise<T> | undefined, nanoseconds: number | undefined): Promise<T | Awakening> {
    if (this.interrupted) return Promise.resolve('interrupted');
    const contenders: Promise<T | Awakening>[] = [this.whenInterrupted().then(() => 'interrupted')];
    if (event !== undefined) contenders.push(event);
    let cancel = () => {};
    if (nanoseconds !== undefined) {
      const elapsed = Promise.withResolvers<Awakening>();
      cancel = this.process.system.after(nanoseconds, () => elapsed.resolve('elapsed'));
      contenders.push(elapsed.promise);
    }
    return Promise.race(contenders).finally(() => cancel());
  }

  /** The call that the thread waited for is over; whoever raced with its interruption is forgotten. */
  endWait(): void {
    this.waiting = undefined;
    this.interruption = undefined;
  }

  /** Looks again whether something wants the thread's attention, after a signal arrived or the mask changed. */
  review(): void {
    const interrupted = this.interrupted;
    this.attention = interrupted || this.deferred !== undefined;
    if (interrupted && this.interruption !== undefined) {
      this.interruption.resolve();
      this.interruption = undefined;
    }
  }

  /** Leaves the engine after this call and does the work there. */
  defer(work: () => void): void {
    this.deferred = work;
    this.attention = true;
  }

  /** Replaces the mask; signals that cannot be blocked stay out of it. */
  setSignalMask(mask: bigint): void {
    this.signalMask = mask & ~unblockable;
    this.review();
  }

  /**
   * Replaces the mask until the call in progress is over: after a signal handler has been entered (its frame
   * holds the old mask), or when the call ends without one.
   */
  setTemporarySignalMask(mask: bigint): void {
    this.savedSignalMask ??= this.signalMask;
    this.setSignalMask(mask);
  }

  /** Ends what setTemporarySignalMask began, for a call that was not interrupted. */
  restoreSignalMask(): void {
    const mask = this.savedSignalMask;
    this.savedSignalMask = undefined;
    if (mask !== undefined) this.setSignalMask(mask);
  }
}

/** SIGKILL and SIGSTOP. */
const unblockable = (1n << 8n) | (1n << 18n);
