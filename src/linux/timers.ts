/**
 * Timers: things that happen at a time of some clock. Interval timers, POSIX timers and timer descriptors
 * are Alarms that differ in what they do when they expire.
 *
 * A running guest is interrupted by the ticker (events.ts) and the run loop calls `service`; while the guest
 * waits, a timer of the host does.
 */
import type { Process } from './process.ts';

/** Nanoseconds on some clock. */
export type Clock = () => number;

/** A timer that expires once or again and again. Times are nanoseconds. */
export class Alarm {
  /** Time between expiries; 0: expires once. */
  interval = 0;
  /** When it expires next, on its clock; 0: not armed. */
  deadline = 0;
  readonly clock: Clock;
  private readonly timers: Timers;
  private readonly expire: (times: number) => void;

  /** @param expire is told how often the timer has expired since it was told last */
  constructor(timers: Timers, clock: Clock, expire: (times: number) => void) {
    this.timers = timers;
    this.clock = clock;
    this.expire = expire;
  }

  /** Time until it expires, at least 1 when armed; 0: not armed. */
  get remaining(): number {
    return this.deadline === 0 ? 0 : Math.max(1, this.deadline - this.clock());
  }

  /** Arms the timer for a time of its clock, or disarms it (deadline 0). */
  set(deadline: number, interval: number): void {
    this.deadline = deadline;
    this.interval = interval;
    if (deadline === 0) this.timers.remove(this);
    else this.timers.add(this);
  }

  /** Expires if its time has come. @returns whether it is still armed */
  check(): boolean {
    const late = this.clock() - this.deadline;
    if (late < 0) return true;
    const times = this.interval === 0 ? 1 : Math.floor(late / this.interval) + 1;
    this.deadline = this.interval === 0 ? 0 : this.deadline + times * this.interval;
    this.expire(times);
    return this.deadline !== 0;
  }
}

export class Timers {
  private readonly process: Process;
  private readonly armed = new Set<Alarm>();
  private cancel: (() => void) | undefined;

  constructor(process: Process) {
    this.process = process;
  }

  add(alarm: Alarm): void {
    this.armed.add(alarm);
    this.schedule();
  }

  remove(alarm: Alarm): void {
    if (this.armed.delete(alarm)) this.schedule();
  }

  clear(): void {
    this.armed.clear();
    this.schedule();
  }

  /** Lets every timer expire whose time has come. */
  service(): void {
    if (this.armed.size === 0) return;
    for (const alarm of [...this.armed]) if (!alarm.check()) this.armed.delete(alarm);
    this.schedule();
  }

  /** Arranges to be called at the next deadline, whether the guest runs or waits. */
  private schedule(): void {
    this.cancel?.();
    this.cancel = undefined;
    if (this.armed.size === 0) return;
    const { system, events } = this.process;
    let next = Number.POSITIVE_INFINITY;
    for (const alarm of this.armed) next = Math.min(next, alarm.remaining);
    events.startTicker().setDeadline(system.monotonicTime() + next);
    this.cancel = system.after(next, () => this.service());
  }
}
