/**
 * What a debugger does to a guest, between the run loop, whose supervisor this is, and the session, which speaks the
 * protocol: holds the thread, tells why, and lets it go on.
 */
import { header, type State } from '../../translators/ir/state.ts';
import type { ExitStatus, Process } from '../linux/process.ts';
import type { SignalInfo } from '../linux/signal-queue.ts';
import { signalCode, signalNumbers } from '../linux/signals.ts';
import type { Supervisor } from '../linux/supervisor.ts';
import type { Thread } from '../linux/thread.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { DebuggedEngine, Motion, Stop } from './debugged-engine.ts';

/** Why the guest stands. */
export type Reason =
  | Stop
  /** It has not begun, or the debugger asked for it. */
  | { readonly kind: 'start' }
  | { readonly kind: 'interrupt' }
  | { readonly kind: 'signal'; readonly info: SignalInfo }
  | { readonly kind: 'end'; readonly status: ExitStatus };

/** A debugger as the guest's side sees it. */
export interface DebuggerSession {
  /** The guest has stopped, or has come to its end. */
  stopped(reason: Reason): void;
}

export class Debugger implements Supervisor {
  readonly thread: Thread;
  readonly engine: DebuggedEngine;
  /** Signals (Linux's numbers) that are delivered without being shown. */
  passedSignals: ReadonlySet<number> = new Set();
  private session: DebuggerSession | undefined;
  private reason: Reason | undefined;
  private release: (() => void) | undefined;
  private isDetached = false;
  /** What is delivered in the place of the signal that the guest stopped for. */
  private verdict: SignalInfo | undefined;
  /** A signal of the debugger's own, which it need not be shown. */
  private injected: SignalInfo | undefined;
  private isFirst = true;

  constructor(thread: Thread, engine: DebuggedEngine) {
    this.thread = thread;
    this.engine = engine;
    thread.stopRequested = true;
    // So that what the debugger sends is seen while guest code runs.
    thread.process.events.startTicker();
  }

  get state(): State {
    return this.thread.state;
  }

  get process(): Process {
    return this.thread.process;
  }

  get memory(): GuestMemory {
    return this.process.memory;
  }

  /** Why the guest stands; undefined while it runs. */
  get standsBecause(): Reason | undefined {
    return this.reason;
  }

  // -- for the session

  /** A debugger has come: the guest stops as soon as it can. */
  attach(session: DebuggerSession): void {
    this.session = session;
    this.interrupt();
  }

  /** The debugger is gone without a word: the guest stands or runs as it did, without breakpoints. */
  lose(): void {
    this.session = undefined;
    this.passedSignals = new Set();
    this.engine.release();
  }

  /** Stops a guest that runs. */
  interrupt(): void {
    if (this.reason === undefined && !this.isDetached) this.thread.requestStop();
  }

  /**
   * Lets a guest that stands go on.
   * @param signal Linux's number of a signal to deliver; 0: none
   */
  resume(motion: Motion, signal: number): void {
    const { reason } = this;
    if (reason === undefined || reason.kind === 'end') return;
    if (signal !== 0) {
      const info =
        reason.kind === 'signal' && reason.info.signal === signal
          ? reason.info
          : { signal, code: signalCode.SI_USER, pid: this.process.id, uid: 0 };
      if (reason.kind === 'signal') this.verdict = info;
      else this.inject(info);
    }
    this.engine.resume(motion, this.state);
    this.letGo();
  }

  /** Lets the guest go on without a debugger, for good. */
  detach(): void {
    this.isDetached = true;
    this.session = undefined;
    const { reason } = this;
    if (reason?.kind === 'signal') this.verdict = reason.info;
    this.engine.release();
    this.thread.stopRequested = false;
    if (reason !== undefined && reason.kind !== 'end') {
      this.engine.resume({ kind: 'continue' }, this.state);
      this.letGo();
    }
  }

  /** Ends a guest that stands, as SIGKILL does. */
  kill(): void {
    this.session = undefined;
    const { pc } = this.state;
    const signal = signalNumbers.SIGKILL;
    this.process.exit({
      kind: 'signal',
      signal,
      core: false,
      pc,
      code: signalCode.SI_USER,
      address: undefined,
      sender: 0,
    });
    this.letGo();
  }

  // -- for the run loop

  beforeRun(): Promise<void> | undefined {
    const { engine, thread } = this;
    if (this.isDetached) return undefined;
    // What a call wrote that had to wait.
    if (engine.stop === undefined) engine.look();
    const reason: Reason | undefined = engine.stop ?? (thread.stopRequested ? this.requested() : undefined);
    return reason === undefined ? undefined : this.hold(reason);
  }

  beforeSignal(_thread: Thread, info: SignalInfo): Promise<SignalInfo | undefined> | SignalInfo {
    if (this.isDetached || this.passedSignals.has(info.signal) || info === this.injected) {
      this.injected = undefined;
      this.noteHandler(info);
      return info;
    }
    return this.askAbout(info);
  }

  /** The guest has come to its end. */
  ended(status: ExitStatus): void {
    this.reason = { kind: 'end', status };
    this.session?.stopped(this.reason);
  }

  private async askAbout(info: SignalInfo): Promise<SignalInfo | undefined> {
    const { stop } = this.engine;
    // A breakpoint that the guest has come to is told first.
    if (stop !== undefined) await this.hold(stop);
    if (this.process.exitStatus !== undefined || this.isDetached) return info;
    this.verdict = undefined;
    await this.hold({ kind: 'signal', info });
    const { verdict } = this;
    if (verdict !== undefined) this.noteHandler(verdict);
    return verdict;
  }

  private requested(): Reason {
    const kind = this.isFirst ? 'start' : 'interrupt';
    this.isFirst = false;
    return { kind };
  }

  private hold(reason: Reason): Promise<void> {
    this.thread.stopRequested = false;
    this.reason = reason;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.release = resolve;
    this.session?.stopped(reason);
    return promise;
  }

  private letGo(): void {
    this.reason = undefined;
    this.release?.();
    this.release = undefined;
  }

  /** Sends a signal that is delivered before the thread runs, unless it is blocked. */
  private inject(info: SignalInfo): void {
    this.injected = info;
    this.thread.pending.add(info);
    // The engine is left at once, before it has run anything.
    Atomics.store(this.state.i32, header.interrupt >> 2, 1);
  }

  /** A handler's first instruction is a step away. */
  private noteHandler({ signal }: SignalInfo): void {
    if (this.process.signals.action(signal).handler > 1) this.engine.enteredHandler();
  }
}
