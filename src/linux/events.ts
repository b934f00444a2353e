/**
 * What reaches a guest from outside its own instructions: signals of the host and timers.
 *
 * Guest code holds the host's thread, so something must call it back. As long as the guest could not tell,
 * nothing does: without handlers and timers the host's own default actions (Ctrl-C ends everything) are right.
 * From the first handler or timer on, a ticker sets the `interrupt` word of the threads' states.
 */

import { header } from '../../translators/ir/state.ts';
import type { Ticker } from '../host/system.ts';
import type { Process } from './process.ts';
import { bitOf, setOf } from './signal-queue.ts';
import { defaultAction, ignoreAction, type SignalAction, signalNumbers as s, signalCode } from './signals.ts';

/** Signals that only the guest itself raises, or that the host keeps for itself. */
// biome-ignore format: one line
const internal = setOf(s.SIGILL, s.SIGTRAP, s.SIGABRT, s.SIGBUS, s.SIGFPE, s.SIGKILL, s.SIGSEGV, s.SIGPIPE, s.SIGSTOP, s.SIGSYS);
/** Signals that timers and the personality raise; a handler alone does not call for a ticker. */
const raisedHere = setOf(s.SIGCHLD, s.SIGALRM, s.SIGVTALRM, s.SIGPROF, s.SIGXFSZ);

export class AsynchronousEvents {
  private readonly process: Process;
  private ticker: Ticker | undefined;
  /** Host signals that are reported to us. */
  private listening = 0n;

  constructor(process: Process) {
    this.process = process;
  }

  /** Follows a change of a signal's action on the host's side. */
  actionChanged(signal: number, action: SignalAction): void {
    const bit = bitOf(signal);
    if ((internal & bit) !== 0n) {
      const faults = signal === s.SIGSEGV || signal === s.SIGBUS;
      if (faults && action.handler > ignoreAction) this.process.requirePreciseFaults();
      return;
    }
    const { system } = this.process;
    if (action.handler === defaultAction) {
      if ((this.listening & bit) === 0n) return;
      this.listening &= ~bit;
      system.onSignal(signal, undefined);
      return;
    }
    if ((this.listening & bit) === 0n) {
      const listener = () => this.process.signals.send({ signal, code: signalCode.SI_USER, pid: 0, uid: 0 });
      if (!system.onSignal(signal, listener)) return;
      this.listening |= bit;
    }
    if (action.handler !== ignoreAction && (raisedHere & bit) === 0n) this.startTicker();
  }

  /** From now on threads leave translated code at deadlines and every few milliseconds. */
  startTicker(): Ticker {
    if (this.ticker === undefined) {
      const [thread] = this.process.threads;
      this.ticker = this.process.system.startTicker(thread.state.i32, header.interrupt >> 2);
    }
    return this.ticker;
  }

  stop(): void {
    this.ticker?.stop();
    this.ticker = undefined;
    for (let signal = 1; signal < 32; signal++) {
      if ((this.listening & bitOf(signal)) !== 0n) this.process.system.onSignal(signal, undefined);
    }
    this.listening = 0n;
  }
}
