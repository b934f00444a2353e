/** The System of a guest that has a thread of the process to itself, beside other guests. */
import { readlinkSync } from 'node:fs';
import { NodeSystem } from './node-system.ts';
import type { CpuTime, ProcessIds, ResourceUsage } from './system.ts';

/** Who looks after the guest from outside. */
export interface Keeper {
  /** The guest's thread is out of its code: does what was asked for, and stops the thread while it may not run. */
  look(): void;
  /** The guest waits for something from now on, or does not any more. */
  setWaiting(waiting: boolean): void;
  /** Sends the guest a signal. */
  signal(signal: number): void;
  /** Processor time that the guest has used elsewhere than in this thread, in nanoseconds. */
  cpuTimeElsewhere(): number;
}

const EPERM = 1;
const ESRCH = 3;

/** This thread's number, which no process has; where there is none, the process's. */
function threadNumber(): number {
  try {
    return Number(readlinkSync('/proc/thread-self').split('/').at(-1));
  } catch {
    return process.pid;
  }
}

export class MachineSystem extends NodeSystem {
  override readonly processId = threadNumber();
  private readonly keeper: Keeper;

  constructor(keeper: Keeper) {
    super();
    this.keeper = keeper;
  }

  override processIds(pid: number): ProcessIds | undefined {
    return pid === this.processId ? { group: pid, session: pid } : super.processIds(pid);
  }

  override processCpuTime(): CpuTime {
    return this.threadCpuTime();
  }

  override threadCpuTime(): CpuTime {
    const { user, system } = super.threadCpuTime();
    return { user: user + this.keeper.cpuTimeElsewhere(), system };
  }

  override resourceUsage(): ResourceUsage {
    return { ...super.resourceUsage(), ...this.threadCpuTime() };
  }

  override async yieldToEvents(): Promise<void> {
    await super.yieldToEvents();
    this.keeper.look();
  }

  override stayAlive(): () => void {
    const release = super.stayAlive();
    this.keeper.setWaiting(true);
    return () => {
      this.keeper.setWaiting(false);
      release();
    };
  }

  /** Signals come from the keeper alone: those of the process are not for one guest. */
  override onSignal(): boolean {
    return true;
  }

  /** A guest reaches no process but itself. It cannot stop: that would stop all, and nobody could make it go on. */
  override kill(pid: number, signal: number): number {
    if (pid === this.processId) return 0;
    if (pid === 0 || pid === -this.processId) {
      if (signal !== 0) this.keeper.signal(signal);
      return 0;
    }
    return super.processIds(Math.abs(pid)) === undefined ? -ESRCH : -EPERM;
  }

  /** The process's priority is not one guest's to change. */
  override setPriority(): boolean {
    return false;
  }
}
