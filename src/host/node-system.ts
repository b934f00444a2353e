/** The System of a Node process. Modules that a short run does not need are loaded when they are. */
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import os from 'node:os';
import { signalName } from '../linux/signals.ts';
import { callAfter } from './call-after.ts';
import type { CpuTime, Credentials, MachineFacts, ProcessIds, ResourceUsage, System, Ticker } from './system.ts';

const nanosecondsPerMillisecond = 1e6;
/** The longest time that setTimeout takes, in milliseconds. */
const longestTimeout = 0x7fffffff;
/** Real time that differs from the host's clock by more milliseconds than this has been set. */
const clockTolerance = 2;
/** Milliseconds between looks at what has arrived. */
const tickLength = 10;

export class NodeSystem implements System {
  readonly processId = process.pid;
  /**
   * What performance.now() has to be added to: CLOCK_MONOTONIC and the time since the epoch at its start. Both are found
   * when they are first wanted, as Node makes `performance` when it is first used, which costs a start 3 ms.
   */
  private monotonicOrigin: number | undefined;
  private originSeconds = 0;
  private originNanoseconds = 0;
  private known: Credentials | undefined;
  private readonly listeners = new Map<number, () => void>();
  private readonly pauseWord = new Int32Array(new SharedArrayBuffer(4));

  // -- identity

  get parentId(): number {
    return process.ppid;
  }

  processIds(pid: number): ProcessIds | undefined {
    try {
      // /proc/PID/stat: the command's name stands in parentheses and may hold any character.
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const [, , group, session] = text.slice(text.lastIndexOf(')') + 2).split(' ');
      return { group: Number(group), session: Number(session) };
    } catch {
      return pid === process.pid ? { group: pid, session: pid } : undefined;
    }
  }

  credentials(): Credentials {
    this.known ??= {
      uid: process.getuid?.() ?? 0,
      effectiveUid: process.geteuid?.() ?? 0,
      gid: process.getgid?.() ?? 0,
      effectiveGid: process.getegid?.() ?? 0,
      groups: process.getgroups?.() ?? [],
    };
    return this.known;
  }

  machine(): MachineFacts {
    return {
      hostName: os.hostname(),
      release: os.release(),
      version: os.version(),
      processors: os.availableParallelism(),
      memory: os.totalmem(),
      freeMemory: os.freemem(),
      uptime: os.uptime(),
      load: os.loadavg(),
    };
  }

  // -- clocks

  realTime(): { seconds: number; nanoseconds: number } {
    if (this.originSeconds === 0) this.setOrigin(performance.timeOrigin);
    const running = performance.now();
    const wall = Date.now();
    const expected = this.originSeconds * 1000 + this.originNanoseconds / nanosecondsPerMillisecond + running;
    if (Math.abs(expected - wall) > clockTolerance) this.setOrigin(wall - running);
    const nanoseconds = this.originNanoseconds + Math.floor(running * nanosecondsPerMillisecond);
    const carry = Math.floor(nanoseconds / 1e9);
    return { seconds: this.originSeconds + carry, nanoseconds: nanoseconds - carry * 1e9 };
  }

  monotonicTime(): number {
    this.monotonicOrigin ??= Number(process.hrtime.bigint()) - performance.now() * nanosecondsPerMillisecond;
    return Math.floor(this.monotonicOrigin + performance.now() * nanosecondsPerMillisecond);
  }

  processCpuTime(): CpuTime {
    return toNanoseconds(process.cpuUsage());
  }

  threadCpuTime(): CpuTime {
    return toNanoseconds(process.threadCpuUsage());
  }

  resourceUsage(): ResourceUsage {
    const usage = process.resourceUsage();
    return {
      ...toNanoseconds({ user: usage.userCPUTime, system: usage.systemCPUTime }),
      maximumResident: usage.maxRSS,
      minorFaults: usage.minorPageFault,
      majorFaults: usage.majorPageFault,
      blocksRead: usage.fsRead,
      blocksWritten: usage.fsWrite,
      voluntarySwitches: usage.voluntaryContextSwitches,
      involuntarySwitches: usage.involuntaryContextSwitches,
    };
  }

  private setOrigin(milliseconds: number): void {
    this.originSeconds = Math.floor(milliseconds / 1000);
    this.originNanoseconds = Math.floor((milliseconds - this.originSeconds * 1000) * nanosecondsPerMillisecond);
  }

  // -- randomness

  fillRandom(bytes: Uint8Array<ArrayBuffer>): void {
    // The device rather than the crypto module, which takes longer to load than a small program to run.
    try {
      const descriptor = openSync('/dev/urandom', 'r');
      const count = readSync(descriptor, bytes);
      closeSync(descriptor);
      if (count === bytes.length) return;
    } catch {
      // No such device on this host.
    }
    crypto.getRandomValues(bytes);
  }

  // -- waiting

  after(nanoseconds: number, callback: () => void): () => void {
    return callAfter(() => this.monotonicTime(), nanoseconds, callback);
  }

  pause(nanoseconds: number): void {
    if (nanoseconds > 0) Atomics.wait(this.pauseWord, 0, 0, nanoseconds / nanosecondsPerMillisecond);
  }

  yieldToEvents(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  stayAlive(): () => void {
    const timer = setInterval(() => {}, longestTimeout);
    return () => clearInterval(timer);
  }

  // -- signals

  onSignal(signal: number, listener: (() => void) | undefined): boolean {
    const name = signalName(signal) as NodeJS.Signals;
    if (os.constants.signals[name] === undefined) return false;
    const before = this.listeners.get(signal);
    if (before !== undefined) process.off(name, before);
    this.listeners.delete(signal);
    if (listener === undefined) return true;
    process.on(name, listener);
    this.listeners.set(signal, listener);
    return true;
  }

  kill(pid: number, signal: number): number {
    try {
      process.kill(pid, signal);
      return 0;
    } catch (error) {
      return (error as NodeJS.ErrnoException).errno ?? -1;
    }
  }

  priority(pid: number): number | undefined {
    try {
      return os.getPriority(pid);
    } catch {
      return undefined;
    }
  }

  setPriority(pid: number, priority: number): boolean {
    try {
      os.setPriority(pid, priority);
      return true;
    } catch {
      return false;
    }
  }

  startTicker(words: Int32Array, index: number): Ticker {
    const shared = new SharedArrayBuffer(16);
    const control = new Int32Array(shared, 0, 2);
    const deadline = new Float64Array(shared, 8, 1);
    deadline[0] = Number.POSITIVE_INFINITY;
    const { Worker } = process.getBuiltinModule('node:worker_threads');
    const workerData = { words, index, control, deadline, tickLength };
    const worker = new Worker(tickerProgram, { eval: true, workerData, name: 'ticker' });
    worker.unref();
    const wake = () => {
      Atomics.add(control, 0, 1);
      Atomics.notify(control, 0);
    };
    return {
      setDeadline(time) {
        if (deadline[0] === time) return;
        deadline[0] = time;
        wake();
      },
      stop() {
        Atomics.store(control, 1, 1);
        wake();
      },
    };
  }
}

/**
 * The ticker's thread: sleeps until the next tick or deadline, then sets the word. It is text, so that it
 * runs alike from sources and from a bundle. control: how often the deadline changed, whether to stop.
 */
const tickerProgram = `
const { words, index, control, deadline, tickLength } = require('node:worker_threads').workerData;
let passed = 0;
while (Atomics.load(control, 1) === 0) {
  const changes = Atomics.load(control, 0);
  const left = (deadline[0] - Number(process.hrtime.bigint())) / ${nanosecondsPerMillisecond};
  const first = left <= 0 && deadline[0] !== passed;
  if (first) passed = deadline[0];
  const wait = first ? 0 : left > 0 ? Math.min(left, tickLength) : tickLength;
  if (Atomics.wait(control, 0, changes, wait) === 'timed-out') Atomics.store(words, index, 1);
}
`;

function toNanoseconds({ user, system }: { user: number; system: number }): CpuTime {
  return { user: user * 1000, system: system * 1000 };
}
