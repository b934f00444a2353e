/** The three interval timers of a process (setitimer), and alarm. */
import { errno } from './errno.ts';
import type { Process } from './process.ts';
import { signalCode, signalNumbers } from './signals.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import { joinTime, nanosecondsPerSecond, splitTime } from './time-values.ts';
import { Alarm } from './timers.ts';

/** ITIMER_REAL, ITIMER_VIRTUAL and ITIMER_PROF, by number. */
export class IntervalTimers {
  readonly real: Alarm;
  readonly virtual: Alarm;
  readonly profile: Alarm;

  constructor(process: Process) {
    const { clocks, timers } = process;
    const raise = (signal: number) => () => process.signals.send({ signal, code: signalCode.SI_KERNEL });
    this.real = new Alarm(timers, clocks.monotonic, raise(signalNumbers.SIGALRM));
    this.virtual = new Alarm(timers, clocks.processUser, raise(signalNumbers.SIGVTALRM));
    this.profile = new Alarm(timers, clocks.processCpu, raise(signalNumbers.SIGPROF));
  }

  byNumber(which: number): Alarm | undefined {
    return [this.real, this.virtual, this.profile][which];
  }
}

function writeTimer({ abi, memory }: SystemCall, address: number, alarm: Alarm): void {
  const value = splitTime(alarm.remaining);
  const interval = splitTime(alarm.interval);
  abi.structures.itimerval.write(memory, address, {
    value_sec: value.seconds,
    // Rounded up, so that an armed timer does not look like one that is not.
    value_usec: Math.min(999_999, Math.ceil(value.nanoseconds / 1000)),
    interval_sec: interval.seconds,
    interval_usec: Math.floor(interval.nanoseconds / 1000),
  });
}

function getTimer(call: SystemCall): number {
  const [which, address] = call.args;
  const alarm = call.process.intervalTimers.byNumber(which);
  if (alarm === undefined) return -errno.EINVAL;
  writeTimer(call, address, alarm);
  return 0;
}

function setTimer(call: SystemCall): number {
  const { process, abi, memory, args } = call;
  const [which, address, old] = args;
  const alarm = process.intervalTimers.byNumber(which);
  if (alarm === undefined) return -errno.EINVAL;
  const wanted = address === 0 ? {} : abi.structures.itimerval.read(memory, address);
  const value = joinTime(wanted.value_sec ?? 0, (wanted.value_usec ?? 0) * 1000);
  const interval = joinTime(wanted.interval_sec ?? 0, (wanted.interval_usec ?? 0) * 1000);
  if (value < 0 || interval < 0) return -errno.EINVAL;
  if (old !== 0) writeTimer(call, old, alarm);
  alarm.set(value === 0 ? 0 : alarm.clock() + value, interval);
  return 0;
}

function alarm({ process, args: [seconds] }: SystemCall): number {
  const { real } = process.intervalTimers;
  const { remaining } = real;
  real.set(seconds === 0 ? 0 : real.clock() + seconds * nanosecondsPerSecond, 0);
  return remaining === 0 ? 0 : Math.max(1, Math.round(remaining / nanosecondsPerSecond));
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'alarm', numbers: { powerpc: 27, i386: 27, 'x86-64': 37 }, arguments: ['uint'], handler: alarm, support: 'full' },
  { name: 'setitimer', numbers: { powerpc: 104, i386: 104, 'x86-64': 38 }, arguments: ['int', 'pointer', 'pointer'], handler: setTimer, support: 'full' },
  { name: 'getitimer', numbers: { powerpc: 105, i386: 105, 'x86-64': 36 }, arguments: ['int', 'pointer'], handler: getTimer, support: 'full' },
];
