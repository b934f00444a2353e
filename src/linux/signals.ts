/** Signals of a process: actions, what is pending, and the choice of the next one to deliver. */
import type { Process } from './process.ts';
import { bitOf, lastSignal, type SignalInfo, SignalQueue, setOf } from './signal-queue.ts';
import type { Thread } from './thread.ts';

/** Signal numbers of Linux's generic numbering (x86, PowerPC, Arm). */
export const signalNumbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;
export type SignalName = keyof typeof signalNumbers;
const s = signalNumbers;

/** What a fatal signal is called in reports (strsignal). */
// biome-ignore format: four per line
const descriptions: readonly string[] = [
  '', 'Hangup', 'Interrupt', 'Quit', 'Illegal instruction',
  'Trace/breakpoint trap', 'Aborted', 'Bus error', 'Floating point exception',
  'Killed', 'User defined signal 1', 'Segmentation fault', 'User defined signal 2',
  'Broken pipe', 'Alarm clock', 'Terminated', 'Stack fault',
  'Child exited', 'Continued', 'Stopped (signal)', 'Stopped',
  'Stopped (tty input)', 'Stopped (tty output)', 'Urgent I/O condition', 'CPU time limit exceeded',
  'File size limit exceeded', 'Virtual timer expired', 'Profiling timer expired', 'Window changed',
  'I/O possible', 'Power failure', 'Bad system call',
];

export function signalDescription(signal: number): string {
  return descriptions[signal] ?? `Real-time signal ${signal - 34}`;
}

/** `SIGSEGV` for 11. */
export function signalName(signal: number): string {
  const found = Object.entries(signalNumbers).find(([, number]) => number === signal);
  return found !== undefined ? found[0] : `SIGRT_${signal - 32}`;
}

/** si_code values. */
export const signalCode = {
  SI_USER: 0,
  SI_KERNEL: 128,
  SI_QUEUE: -1,
  SI_TIMER: -2,
  SI_TKILL: -6,
  ILL_ILLOPC: 1,
  ILL_ILLOPN: 2,
  ILL_PRVOPC: 5,
  FPE_INTDIV: 1,
  FPE_INTOVF: 2,
  FPE_FLTDIV: 3,
  FPE_FLTOVF: 4,
  FPE_FLTUND: 5,
  FPE_FLTRES: 6,
  FPE_FLTINV: 7,
  FPE_FLTUNK: 14,
  SEGV_MAPERR: 1,
  SEGV_ACCERR: 2,
  BUS_ADRALN: 1,
  BUS_ADRERR: 2,
  TRAP_BRKPT: 1,
  TRAP_TRACE: 2,
} as const;

/** Values of sa_handler that are not addresses. */
export const defaultAction = 0;
export const ignoreAction = 1;

/** Bits of sa_flags. */
export const actionFlag = {
  SA_NOCLDSTOP: 0x1,
  SA_NOCLDWAIT: 0x2,
  SA_SIGINFO: 0x4,
  SA_ONSTACK: 0x08000000,
  SA_RESTART: 0x10000000,
  SA_NODEFER: 0x40000000,
  SA_RESETHAND: 0x80000000,
} as const;

export interface SignalAction {
  readonly handler: number;
  /** Unsigned. */
  readonly flags: number;
  readonly mask: bigint;
  readonly restorer: number;
}

const nothing: SignalAction = { handler: defaultAction, flags: 0, mask: 0n, restorer: 0 };

const ignoredByDefault = setOf(s.SIGCHLD, s.SIGCONT, s.SIGURG, s.SIGWINCH);
const stopping = setOf(s.SIGSTOP, s.SIGTSTP, s.SIGTTIN, s.SIGTTOU);
// biome-ignore format: one line
const dumping = setOf(s.SIGQUIT, s.SIGILL, s.SIGTRAP, s.SIGABRT, s.SIGBUS, s.SIGFPE, s.SIGSEGV, s.SIGXCPU, s.SIGXFSZ, s.SIGSYS);
/** Raised by the thread's own instructions: delivered before all others. */
const synchronous = setOf(s.SIGSEGV, s.SIGBUS, s.SIGILL, s.SIGTRAP, s.SIGFPE, s.SIGSYS);

/** What happens to a process that neither handles nor ignores a signal. */
export function defaultEffect(signal: number): 'terminate' | 'core' | 'ignore' | 'stop' {
  const bit = bitOf(signal);
  if ((ignoredByDefault & bit) !== 0n) return 'ignore';
  if ((stopping & bit) !== 0n) return 'stop';
  return (dumping & bit) !== 0n ? 'core' : 'terminate';
}

export class Signals {
  /** Signals sent to the process, for whichever thread lets them through. */
  readonly pending = new SignalQueue();
  private readonly process: Process;
  private readonly actions: SignalAction[] = new Array(lastSignal + 1).fill(nothing);

  constructor(process: Process) {
    this.process = process;
  }

  action(signal: number): SignalAction {
    return this.actions[signal];
  }

  /** Installs an action; pending signals that it ignores are dropped. */
  setAction(signal: number, action: SignalAction): void {
    this.actions[signal] = action;
    const { threads } = this.process;
    if (this.ignores(signal)) {
      this.pending.discard(bitOf(signal));
      for (const thread of threads) thread.pending.discard(bitOf(signal));
    }
    for (const thread of threads) thread.review();
    this.process.events.actionChanged(signal, action);
  }

  /** Whether the signal has no effect when it is delivered now. */
  ignores(signal: number): boolean {
    const { handler } = this.actions[signal];
    return handler === ignoreAction || (handler === defaultAction && defaultEffect(signal) === 'ignore');
  }

  /** Whether some pending signal gets through the thread's mask. */
  deliverable(thread: Thread): boolean {
    return ((thread.pending.set | this.pending.set) & ~thread.signalMask) !== 0n;
  }

  /** Sends a signal to the process, or to one thread of it. A signal that is ignored and not blocked vanishes. */
  send(info: SignalInfo, thread?: Thread): void {
    const { signal } = info;
    const bit = bitOf(signal);
    if (signal === s.SIGCONT) this.discard(stopping);
    else if ((stopping & bit) !== 0n) this.discard(bitOf(s.SIGCONT));
    const target = thread ?? this.process.threads[0];
    if (this.ignores(signal) && ((target.signalMask | target.awaited) & bit) === 0n) return;
    (thread === undefined ? this.pending : thread.pending).add(info);
    for (const each of this.process.threads) each.review();
  }

  /**
   * Sends a signal that a thread's own instruction raised. Blocked or ignored, it kills: the instruction
   * cannot go on (force_sig_info).
   */
  force(info: SignalInfo, thread: Thread): void {
    const bit = bitOf(info.signal);
    const blocked = (thread.signalMask & bit) !== 0n;
    if (blocked || this.actions[info.signal].handler === ignoreAction) this.actions[info.signal] = nothing;
    if (blocked) thread.setSignalMask(thread.signalMask & ~bit);
    thread.pending.add(info);
    thread.review();
  }

  /** Takes the next signal that gets through the thread's mask: the thread's own first, synchronous ones before others, low numbers before high. */
  take(thread: Thread, mask = thread.signalMask): SignalInfo | undefined {
    for (const queue of [thread.pending, this.pending]) {
      const ready = queue.set & ~mask;
      if (ready === 0n) continue;
      const first = (ready & synchronous) !== 0n ? ready & synchronous : ready;
      const info = queue.take(lowest(first));
      thread.review();
      return info?.countOverrun === undefined ? info : { ...info, overrun: info.countOverrun() };
    }
    return undefined;
  }

  private discard(set: bigint): void {
    this.pending.discard(set);
    for (const thread of this.process.threads) thread.pending.discard(set);
  }
}

function lowest(set: bigint): number {
  const low = Number(set & 0xffffffffn) | 0;
  if (low !== 0) return 32 - Math.clz32(low & -low);
  const high = Number(set >> 32n) | 0;
  return 64 - Math.clz32(high & -high);
}
