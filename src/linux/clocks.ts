/** The guest's clocks, in nanoseconds. */
import type { System } from '../host/system.ts';
import type { Clock } from './timers.ts';

/** Clock ids (uapi/linux/time.h). */
export const clockId = {
  REALTIME: 0,
  MONOTONIC: 1,
  PROCESS_CPUTIME_ID: 2,
  THREAD_CPUTIME_ID: 3,
  MONOTONIC_RAW: 4,
  REALTIME_COARSE: 5,
  MONOTONIC_COARSE: 6,
  BOOTTIME: 7,
  REALTIME_ALARM: 8,
  BOOTTIME_ALARM: 9,
  TAI: 11,
} as const;

/** Units of times() per second (USER_HZ). */
export const clockTicks = 100;

/** Ticks of the time base per second: what the Power ISA requires of servers, and /proc/cpuinfo should tell. */
export const timeBaseFrequency = 512_000_000;

/** The clocks of a process. Real time is a double here and so exact to 256 ns; `system.realTime()` is exact. */
export class Clocks {
  readonly realTime: Clock;
  readonly monotonic: Clock;
  readonly processCpu: Clock;
  readonly processUser: Clock;
  readonly threadCpu: Clock;

  constructor(system: System) {
    this.realTime = () => {
      const { seconds, nanoseconds } = system.realTime();
      return seconds * 1e9 + nanoseconds;
    };
    this.monotonic = () => system.monotonicTime();
    this.processCpu = () => {
      const { user, system: kernel } = system.processCpuTime();
      return user + kernel;
    };
    this.processUser = () => system.processCpuTime().user;
    this.threadCpu = () => {
      const { user, system: kernel } = system.threadCpuTime();
      return user + kernel;
    };
  }

  /**
   * The clock with a number.
   * @param pid of this process: a negative number can name its processor time
   * @returns undefined when there is none
   */
  byId(id: number, pid: number): Clock | undefined {
    switch (id) {
      case clockId.REALTIME:
      case clockId.REALTIME_COARSE:
      case clockId.REALTIME_ALARM:
      case clockId.TAI:
        return this.realTime;
      case clockId.MONOTONIC:
      case clockId.MONOTONIC_RAW:
      case clockId.MONOTONIC_COARSE:
      case clockId.BOOTTIME:
      case clockId.BOOTTIME_ALARM:
        return this.monotonic;
      case clockId.PROCESS_CPUTIME_ID:
        return this.processCpu;
      case clockId.THREAD_CPUTIME_ID:
        return this.threadCpu;
      default:
        return id < 0 ? this.processorClock(id, pid) : undefined;
    }
  }

  /** Negative ids hold an inverted pid, a bit for threads, and a kind (include/linux/posix-timers_types.h). */
  private processorClock(id: number, pid: number): Clock | undefined {
    const owner = ~(id >> 3);
    if ((owner !== 0 && owner !== pid) || (id & 3) === 3) return undefined;
    if ((id & 4) !== 0) return this.threadCpu;
    return (id & 3) === 1 ? this.processUser : this.processCpu;
  }
}

/** The time base: ticks since some start as two words. */
export function timeBase(system: System): { low: number; high: number } {
  const ticks = Math.floor(system.monotonicTime() * (timeBaseFrequency / 1e9));
  return { low: (ticks % 0x100000000) | 0, high: Math.floor(ticks / 0x100000000) };
}
