/** POSIX timers (timer_create). */
import { errno } from './errno.ts';
import type { Process } from './process.ts';
import { lastSignal } from './signal-queue.ts';
import { signalCode, signalNumbers } from './signals.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import type { Thread } from './thread.ts';
import { readInterval, splitTime } from './time-values.ts';
import { Alarm, type Clock } from './timers.ts';

/** What a timer does when it expires. */
export interface TimerEvent {
  /** 0: nothing (SIGEV_NONE). */
  readonly signal: number;
  readonly value: number | bigint;
  /** SIGEV_THREAD_ID: the thread that gets the signal. */
  readonly thread: Thread | undefined;
}

/** Overruns are counted no further than this (DELAYTIMER_MAX). */
const mostOverruns = 0x7fffffff;

export class PosixTimer {
  readonly id: number;
  readonly alarm: Alarm;
  /** Expiries that the signal delivered last stood for, besides its own. */
  overrun = 0;
  /** Expiries since the signal that is on its way was sent. */
  private waiting = 0;
  private queued = false;
  private readonly process: Process;
  private readonly event: TimerEvent;

  constructor(process: Process, id: number, clock: Clock, event: TimerEvent) {
    this.process = process;
    this.id = id;
    this.event = event;
    this.alarm = new Alarm(process.timers, clock, (times) => this.expire(times));
  }

  /** Arms or disarms the timer; the signal of an earlier setting no longer counts overruns. */
  set(deadline: number, interval: number): void {
    this.waiting = 0;
    this.overrun = 0;
    this.alarm.set(deadline, interval);
  }

  private expire(times: number): void {
    const { signal, value, thread } = this.event;
    if (signal === 0) return;
    if (this.queued) {
      this.waiting += times;
      return;
    }
    this.queued = true;
    this.waiting = times - 1;
    const countOverrun = (): number => {
      this.queued = false;
      this.overrun = Math.min(mostOverruns, this.waiting);
      return this.overrun;
    };
    this.process.signals.send({ signal, code: signalCode.SI_TIMER, timer: this.id, value, countOverrun }, thread);
    if (this.process.signals.ignores(signal)) this.queued = false;
  }
}

export class PosixTimers {
  private readonly process: Process;
  private readonly timers = new Map<number, PosixTimer>();
  private next = 0;

  constructor(process: Process) {
    this.process = process;
  }

  create(clock: Clock, eventOf: (id: number) => TimerEvent): PosixTimer {
    const id = this.next++;
    const timer = new PosixTimer(this.process, id, clock, eventOf(id));
    this.timers.set(id, timer);
    return timer;
  }

  get(id: number): PosixTimer | undefined {
    return this.timers.get(id);
  }

  delete(id: number): boolean {
    this.timers.get(id)?.set(0, 0);
    return this.timers.delete(id);
  }
}

/** sigev_notify. */
const notify = { SIGNAL: 0, NONE: 1, THREAD: 2, THREAD_ID: 4 } as const;

function readEvent({ process, memory, abi }: SystemCall, address: number): TimerEvent | number {
  const layout = abi.structures.sigevent;
  const event = layout.read(memory, address);
  const { sigev_signo: signal, sigev_notify: kind } = event;
  const value = abi.model.wordSize === 8 ? memory.readU64(address) : memory.readU32(address);
  if (kind === notify.NONE) return { signal: 0, value, thread: undefined };
  if (signal < 1 || signal > lastSignal) return -errno.EINVAL;
  if (kind === notify.SIGNAL || kind === notify.THREAD) return { signal, value, thread: undefined };
  if (kind !== notify.THREAD_ID) return -errno.EINVAL;
  const id = event.sigev_notify_thread_id;
  const thread = process.threads.find((each) => each.id === id);
  return thread === undefined ? -errno.EINVAL : { signal, value, thread };
}

function create(call: SystemCall): number {
  const { process, memory, args } = call;
  const [id, event, result] = args;
  const clock = process.clocks.byId(id, process.id);
  if (clock === undefined) return -errno.EINVAL;
  const wanted = event === 0 ? undefined : readEvent(call, event);
  if (typeof wanted === 'number') return wanted;
  memory.writeU32(result, 0);
  const timer = process.posixTimers.create(
    clock,
    (timerId) => wanted ?? { signal: signalNumbers.SIGALRM, value: timerId, thread: undefined },
  );
  memory.writeU32(result, timer.id);
  return 0;
}

/** Writes a struct itimerspec: what is left and the interval. */
export function writeSetting({ abi, memory }: SystemCall, address: number, alarm: Alarm, wide: boolean): void {
  const value = splitTime(alarm.remaining);
  const interval = splitTime(alarm.interval);
  abi.structures[wide ? 'itimerspec64' : 'itimerspec'].write(memory, address, {
    value_sec: value.seconds,
    value_nsec: value.nanoseconds,
    interval_sec: interval.seconds,
    interval_nsec: interval.nanoseconds,
  });
}

/** Reads a struct itimerspec. @returns nanoseconds, or -errno */
export function readSetting(
  call: SystemCall,
  address: number,
  wide: boolean,
): { value: number; interval: number } | number {
  const interval = readInterval(call, address, wide);
  const value = readInterval(call, address + call.abi.structures[wide ? 'timespec64' : 'timespec'].size, wide);
  return value < 0 || interval < 0 ? -errno.EINVAL : { value, interval };
}

const absolute = 1;

/** When a timer set to `value` expires on its clock; 0: never. */
export function deadlineOf(alarm: Alarm, value: number, isAbsolute: boolean): number {
  if (value === 0) return 0;
  return isAbsolute ? value : alarm.clock() + value;
}

function setTime(call: SystemCall, wide: boolean): number {
  const { process, args } = call;
  const [id, flags, address, old] = args;
  const setting = readSetting(call, address, wide);
  if (typeof setting === 'number') return setting;
  const timer = process.posixTimers.get(id);
  if (timer === undefined) return -errno.EINVAL;
  const { alarm } = timer;
  if (old !== 0) writeSetting(call, old, alarm, wide);
  timer.set(deadlineOf(alarm, setting.value, (flags & absolute) !== 0), setting.interval);
  return 0;
}

function getTime(call: SystemCall, wide: boolean): number {
  const [id, address] = call.args;
  const timer = call.process.posixTimers.get(id);
  if (timer === undefined) return -errno.EINVAL;
  writeSetting(call, address, timer.alarm, wide);
  return 0;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'timer_create', numbers: { powerpc: 240, i386: 259, 'x86-64': 222 }, arguments: ['flags:clock', 'pointer', 'pointer'], handler: create, support: 'full' },
  { name: 'timer_settime', numbers: { powerpc: 241, i386: 260, 'x86-64': 223 }, arguments: ['int', 'hex', 'pointer', 'pointer'], handler: (call) => setTime(call, false), support: 'full' },
  { name: 'timer_gettime', numbers: { powerpc: 242, i386: 261, 'x86-64': 224 }, arguments: ['int', 'pointer'], handler: (call) => getTime(call, false), support: 'full' },
  { name: 'timer_getoverrun', numbers: { powerpc: 243, i386: 262, 'x86-64': 225 }, arguments: ['int'], handler: ({ process, args: [id] }) => process.posixTimers.get(id)?.overrun ?? -errno.EINVAL, support: 'full' },
  { name: 'timer_delete', numbers: { powerpc: 244, i386: 263, 'x86-64': 226 }, arguments: ['int'], handler: ({ process, args: [id] }) => (process.posixTimers.delete(id) ? 0 : -errno.EINVAL), support: 'full' },
  { name: 'timer_gettime64', numbers: { powerpc: 408, i386: 408 }, arguments: ['int', 'pointer'], handler: (call) => getTime(call, true), support: 'full' },
  { name: 'timer_settime64', numbers: { powerpc: 409, i386: 409 }, arguments: ['int', 'hex', 'pointer', 'pointer'], handler: (call) => setTime(call, true), support: 'full' },
];
