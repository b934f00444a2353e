/** GDB's own numbers of signals, which packets have, and Linux's (gdb's include/gdb/signals.def). */
import { signalNumbers as s } from '../linux/signals.ts';

/** Linux's number of each of GDB's signals from 1 on; 0: Linux has none such. */
// biome-ignore format: ten per line
const ordinary: readonly number[] = [
  s.SIGHUP, s.SIGINT, s.SIGQUIT, s.SIGILL, s.SIGTRAP, s.SIGABRT, 0, s.SIGFPE, s.SIGKILL, s.SIGBUS,
  s.SIGSEGV, s.SIGSYS, s.SIGPIPE, s.SIGALRM, s.SIGTERM, s.SIGURG, s.SIGSTOP, s.SIGTSTP, s.SIGCONT, s.SIGCHLD,
  s.SIGTTIN, s.SIGTTOU, s.SIGIO, s.SIGXCPU, s.SIGXFSZ, s.SIGVTALRM, s.SIGPROF, s.SIGWINCH, 0, s.SIGUSR1,
  s.SIGUSR2, s.SIGPWR,
];

/** GDB's numbers of the real-time signals: of 33, which the others up to 63 follow, of 32, and of 64. */
const realTime = { first: 45, thirtyTwo: 77, sixtyFour: 78 } as const;
/** GDB_SIGNAL_UNKNOWN. */
const unknown = 143;

/** GDB's number of a Linux signal. */
export function toGdbSignal(signal: number): number {
  if (signal === 32) return realTime.thirtyTwo;
  if (signal === 64) return realTime.sixtyFour;
  if (signal > 32) return realTime.first + signal - 33;
  const index = signal === 0 ? -1 : ordinary.indexOf(signal);
  return index < 0 ? unknown : index + 1;
}

/** The Linux signal of GDB's number; undefined where there is none. */
export function fromGdbSignal(number: number): number | undefined {
  if (number === realTime.thirtyTwo) return 32;
  if (number === realTime.sixtyFour) return 64;
  if (number >= realTime.first && number < realTime.first + 31) return number - realTime.first + 33;
  return ordinary[number - 1] || undefined;
}
