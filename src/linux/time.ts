/** System calls that read clocks and that sleep. */
import { clockId, clockTicks } from './clocks.ts';
import { errno } from './errno.ts';
import { writeWord } from './guest-access.ts';
import { restart } from './signal-frame.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import { joinTime, longestTime, readInterval, splitTime, writeInterval } from './time-values.ts';
import type { Clock } from './timers.ts';

const invalid = -errno.EINVAL;
/** Nanoseconds between updates of the coarse clocks (HZ = 250). */
const coarseResolution = 4_000_000;
const isCoarse = (id: number): boolean => id === clockId.REALTIME_COARSE || id === clockId.MONOTONIC_COARSE;

// -- reading

function clockGetTime(call: SystemCall, wide: boolean): number {
  const { process, abi, memory, args } = call;
  const [id, address] = args;
  const structure = abi.structures[wide ? 'timespec64' : 'timespec'];
  if (id === clockId.REALTIME || id === clockId.REALTIME_COARSE || id === clockId.TAI) {
    const { seconds, nanoseconds } = process.system.realTime();
    structure.write(memory, address, { tv_sec: seconds, tv_nsec: nanoseconds });
    return 0;
  }
  const clock = process.clocks.byId(id, process.id);
  if (clock === undefined) return invalid;
  const { seconds, nanoseconds } = splitTime(clock());
  structure.write(memory, address, { tv_sec: seconds, tv_nsec: nanoseconds });
  return 0;
}

function clockGetResolution(call: SystemCall, wide: boolean): number {
  const { process, args } = call;
  const [id, address] = args;
  if (process.clocks.byId(id, process.id) === undefined) return invalid;
  writeInterval(call, address, isCoarse(id) ? coarseResolution : 1, wide);
  return 0;
}

/** Only the superuser sets the clock, and a guest is none, whoever started it. */
function clockSetTime(call: SystemCall, wide: boolean): number {
  const [id, address] = call.args;
  if (id !== clockId.REALTIME) return invalid;
  const time = readInterval(call, address, wide);
  return time < 0 ? time : -errno.EPERM;
}

function getTimeOfDay({ process, abi, memory, args: [address, zone] }: SystemCall): number {
  if (address !== 0) {
    const { seconds, nanoseconds } = process.system.realTime();
    abi.structures.timeval.write(memory, address, { tv_sec: seconds, tv_usec: Math.floor(nanoseconds / 1000) });
  }
  if (zone !== 0) abi.structures.timezone.write(memory, zone, {});
  return 0;
}

function setTimeOfDay({ abi, memory, args: [address] }: SystemCall): number {
  if (address !== 0) {
    const { tv_sec, tv_usec } = abi.structures.timeval.read(memory, address);
    if (joinTime(tv_sec, tv_usec * 1000) < 0) return invalid;
  }
  return -errno.EPERM;
}

function time({ process, abi, memory, args: [address] }: SystemCall): number {
  const { seconds } = process.system.realTime();
  if (address !== 0) writeWord(abi, memory, address, seconds);
  return seconds;
}

function setTime({ memory, args: [address] }: SystemCall): number {
  memory.readU32(address);
  return -errno.EPERM;
}

/** Processor time in clock ticks. @returns ticks since some start, which a 32-bit clock_t wraps */
function times({ process, abi, memory, args: [address] }: SystemCall): number {
  const ticks = (nanoseconds: number) => Math.floor((nanoseconds * clockTicks) / 1e9);
  if (address !== 0) {
    const used = process.system.processCpuTime();
    abi.structures.tms.write(memory, address, { utime: ticks(used.user), stime: ticks(used.system) });
  }
  return ticks(process.system.monotonicTime()) & 0x7fffffff;
}

/** A clock that nobody disciplines: the state, its status bit, and the error that the kernel then claims. */
const timeError = 5;
const unsynchronized = 0x40;
const largestError = 16_000_000;

/** Reads the parameters of the system's clock; setting any is refused. */
function adjustTime({ process, abi, memory }: SystemCall, address: number): number {
  if (memory.readU32(address) !== 0) return -errno.EPERM;
  const { seconds, nanoseconds } = process.system.realTime();
  abi.structures.timex.write(memory, address, {
    maxerror: largestError,
    esterror: largestError,
    status: unsynchronized,
    constant: 2,
    precision: 1,
    tolerance: 500 << 16,
    time_sec: seconds,
    time_usec: Math.floor(nanoseconds / 1000),
    tick: 1_000_000 / clockTicks,
  });
  return timeError;
}

// -- sleeping

/** Below this the event loop's timers are too coarse, and the thread simply stops. */
const shortSleep = 2_000_000;

/** Sleeps until a time of a clock. @param interrupted what the call returns when a signal ends the sleep */
async function sleepUntil(
  call: SystemCall,
  clock: Clock,
  deadline: number,
  interrupted: () => number,
): Promise<number> {
  for (let left = deadline - clock(); left > 0; left = deadline - clock()) {
    if ((await call.thread.sleep(left)) === 'interrupted') return interrupted();
  }
  return 0;
}

function sleepFor(
  call: SystemCall,
  clock: Clock,
  duration: number,
  remainder: number,
  wide: boolean,
): number | Promise<number> {
  const { thread, process } = call;
  if (duration < shortSleep && !thread.interrupted) {
    process.system.pause(duration);
    // A guest that polls between short sleeps must see what has arrived in the meantime.
    return process.system.yieldToEvents().then(() => 0);
  }
  const deadline = Math.min(longestTime, clock() + duration);
  const interrupted = (): number => {
    writeInterval(call, remainder, Math.max(0, deadline - clock()), wide);
    thread.restart = () => sleepUntil(call, clock, deadline, interrupted);
    return -restart.ERESTART_RESTARTBLOCK;
  };
  return sleepUntil(call, clock, deadline, interrupted);
}

function nanosleep(call: SystemCall): number | Promise<number> {
  const [request, remainder] = call.args;
  const duration = readInterval(call, request, false);
  if (duration < 0) return duration;
  return sleepFor(call, call.process.clocks.monotonic, duration, remainder, false);
}

const absolute = 1;
/** Clocks that can be read but not slept on. */
const unsleepable: readonly number[] = [clockId.MONOTONIC_RAW, clockId.REALTIME_COARSE, clockId.MONOTONIC_COARSE];

function clockNanosleep(call: SystemCall, wide: boolean): number | Promise<number> {
  const { process, args } = call;
  const [id, flags, request, remainder] = args;
  const clock = process.clocks.byId(id, process.id);
  if (clock === undefined || id === clockId.THREAD_CPUTIME_ID) return invalid;
  if (unsleepable.includes(id)) return -errno.EOPNOTSUPP;
  const duration = readInterval(call, request, wide);
  if (duration < 0) return duration;
  if ((flags & absolute) === 0) return sleepFor(call, clock, duration, remainder, wide);
  return sleepUntil(call, clock, duration, () => -restart.ERESTARTNOHAND);
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'time', numbers: { powerpc: 13, i386: 13, 'x86-64': 201 }, arguments: ['pointer'], handler: time, support: 'full' },
  { name: 'stime', numbers: { powerpc: 25, i386: 25 }, arguments: ['pointer'], handler: setTime, support: 'partial', note: 'always EPERM' },
  { name: 'times', numbers: { powerpc: 43, i386: 43, 'x86-64': 100 }, arguments: ['pointer'], handler: times, support: 'full' },
  { name: 'gettimeofday', numbers: { powerpc: 78, i386: 78, 'x86-64': 96 }, arguments: ['pointer', 'pointer'], handler: getTimeOfDay, support: 'full' },
  { name: 'settimeofday', numbers: { powerpc: 79, i386: 79, 'x86-64': 164 }, arguments: ['pointer', 'pointer'], handler: setTimeOfDay, support: 'partial', note: 'always EPERM' },
  { name: 'adjtimex', numbers: { powerpc: 124, i386: 124, 'x86-64': 159 }, arguments: ['pointer'], handler: (call) => adjustTime(call, call.args[0]), support: 'partial', note: 'reads; setting is EPERM' },
  { name: 'clock_adjtime', numbers: { powerpc: 347, i386: 343, 'x86-64': 305 }, arguments: ['flags:clock', 'pointer'], handler: (call) => (call.args[0] === clockId.REALTIME ? adjustTime(call, call.args[1]) : -errno.EOPNOTSUPP), support: 'partial', note: 'as adjtimex' },
  { name: 'nanosleep', numbers: { powerpc: 162, i386: 162, 'x86-64': 35 }, arguments: ['timespec', 'pointer'], handler: nanosleep, support: 'full' },
  { name: 'clock_settime', numbers: { powerpc: 245, i386: 264, 'x86-64': 227 }, arguments: ['flags:clock', 'timespec'], handler: (call) => clockSetTime(call, false), support: 'partial', note: 'always EPERM' },
  { name: 'clock_gettime', numbers: { powerpc: 246, i386: 265, 'x86-64': 228 }, arguments: ['flags:clock', 'pointer'], handler: (call) => clockGetTime(call, false), support: 'full' },
  { name: 'clock_getres', numbers: { powerpc: 247, i386: 266, 'x86-64': 229 }, arguments: ['flags:clock', 'pointer'], handler: (call) => clockGetResolution(call, false), support: 'full' },
  { name: 'clock_nanosleep', numbers: { powerpc: 248, i386: 267, 'x86-64': 230 }, arguments: ['flags:clock', 'int', 'timespec', 'pointer'], handler: (call) => clockNanosleep(call, false), support: 'full' },
  { name: 'clock_gettime64', numbers: { powerpc: 403, i386: 403 }, arguments: ['flags:clock', 'pointer'], handler: (call) => clockGetTime(call, true), support: 'full' },
  { name: 'clock_settime64', numbers: { powerpc: 404, i386: 404 }, arguments: ['flags:clock', 'pointer'], handler: (call) => clockSetTime(call, true), support: 'partial', note: 'always EPERM' },
  { name: 'clock_getres_time64', numbers: { powerpc: 406, i386: 406 }, arguments: ['flags:clock', 'pointer'], handler: (call) => clockGetResolution(call, true), support: 'full' },
  { name: 'clock_nanosleep_time64', numbers: { powerpc: 407, i386: 407 }, arguments: ['flags:clock', 'int', 'pointer', 'pointer'], handler: (call) => clockNanosleep(call, true), support: 'full' },
];
