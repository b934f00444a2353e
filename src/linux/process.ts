/** One guest process: what its threads share. Each subject keeps its state in an object of its own. */
import type { System } from '../host/system.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import { Clocks } from './clocks.ts';
import { AsynchronousEvents } from './events.ts';
import type { Files } from './files.ts';
import { IntervalTimers } from './interval-timers.ts';
import { type FirstLimits, Limits } from './limits.ts';
import { MappedFiles } from './memory-files.ts';
import { PosixTimers } from './posix-timers.ts';
import type { SignalAbi } from './signal-frame.ts';
import { Signals } from './signals.ts';
import type { Thread } from './thread.ts';
import { Timers } from './timers.ts';

/** How a process ended. */
export type ExitStatus =
  | { readonly kind: 'exit'; readonly code: number }
  | {
      readonly kind: 'signal';
      readonly signal: number;
      /** Whether the signal's default action is to dump core. */
      readonly core: boolean;
      /** Guest address of the instruction at which the process died. */
      readonly pc: number;
      /** si_code. */
      readonly code: number;
      /** The address that a fault was about. */
      readonly address: number | bigint | undefined;
      /** For a signal that was sent: by whom. */
      readonly sender: number | undefined;
    };

/** An address that no guest memory can be at: 64 bits, unsigned. */
export interface WideAddress {
  readonly address: bigint;
  readonly isStack: boolean;
}

/** The program's heap, between the end of its data and the break (brk). */
export interface Heap {
  readonly start: number;
  end: number;
}

export interface ProcessOptions {
  readonly memory: GuestMemory;
  readonly system: System;
  readonly files: Files;
  readonly signalAbi: SignalAbi;
  readonly limits?: FirstLimits;
}

export class Process {
  readonly memory: GuestMemory;
  readonly system: System;
  readonly files: Files;
  readonly signalAbi: SignalAbi;
  readonly id: number;
  /** The first is the main thread. */
  readonly threads: Thread[] = [];
  readonly signals: Signals;
  readonly events: AsynchronousEvents;
  readonly clocks: Clocks;
  readonly timers: Timers;
  readonly intervalTimers: IntervalTimers;
  readonly posixTimers: PosixTimers;
  readonly limits: Limits;
  heap: Heap = { start: 0, end: 0 };
  readonly mappedFiles: MappedFiles;
  /** Mappings without a place of their own go below this address, and the heap ends there. */
  mappingCeiling = 0;
  /** Where startup put the code that handlers return to. */
  signalTrampoline = 0;
  /** Command name (prctl PR_SET_NAME): at most 15 bytes. */
  name = new Uint8Array(0);
  /** What prctl and personality remember. */
  dumpable = true;
  noNewPrivileges = false;
  parentDeathSignal = 0;
  timerSlack = 50_000;
  personality = 0;
  exitStatus: ExitStatus | undefined;
  /** Whether the stack may grow beyond what is mapped at the start. */
  stackGrows = false;
  /** Tells the engine that the guest can look at registers when a fault is delivered, or go on as a stack grows. */
  requirePreciseFaults: () => void = () => {};
  /** The address beyond 32 bits that a thread's instruction accesses, and whether it is in the stack segment; undefined where there is none. */
  wideAddress: (thread: Thread) => WideAddress | undefined = () => undefined;
  /** Makes the call of an instruction that asks for another ABI's calls: int 0x80 of an x86-64 program. */
  makeOtherCall: (thread: Thread) => void = () => {};
  /** Work for the end of the process (shared file mappings, open files). */
  private readonly endings: (() => void)[] = [];

  constructor(options: ProcessOptions) {
    this.memory = options.memory;
    this.system = options.system;
    this.files = options.files;
    this.signalAbi = options.signalAbi;
    this.id = options.system.processId;
    this.limits = new Limits(options.limits);
    this.signals = new Signals(this);
    this.events = new AsynchronousEvents(this);
    this.clocks = new Clocks(options.system);
    this.timers = new Timers(this);
    this.intervalTimers = new IntervalTimers(this);
    this.posixTimers = new PosixTimers(this);
    this.mappedFiles = new MappedFiles(options.memory);
    this.atExit(() => {
      this.mappedFiles.release(0, options.memory.limit);
      this.files.closeAll();
    });
  }

  /** Does something when the process ends, whichever way. */
  atExit(work: () => void): void {
    this.endings.push(work);
  }

  /** Ends the process: its threads leave their engines, and what it holds is given back. The first status counts. */
  exit(status: ExitStatus): void {
    if (this.exitStatus !== undefined) return;
    this.exitStatus = status;
    for (const work of this.endings) work();
    this.timers.clear();
    this.events.stop();
    for (const thread of this.threads) thread.review();
  }
}
