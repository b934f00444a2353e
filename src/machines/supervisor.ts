/** Runs machines side by side: starts their threads, shares the processors among them, and holds them to their limits. */
import { Control, request, type Usage } from './control.ts';
import type { Ending, MachineMessage } from './messages.ts';
import { type LimitTexts, type Outcome, outcomeOf, type StoppedBy } from './outcome.ts';
import { type Contestant, Schedule } from './schedule.ts';

/** What a machine is, to the supervisor. Limits are undefined where there is none. */
export interface MachinePlan {
  readonly name: string;
  readonly share: number;
  /** Seconds. */
  readonly cpuLimit: number | undefined;
  readonly wallLimit: number | undefined;
  readonly limitTexts: LimitTexts;
}

/** A machine's thread (MachineThread of src/host/machine-threads.ts). */
export interface Runner {
  wake(): void;
  terminate(): void;
  listen(listeners: {
    readonly message: (message: MachineMessage) => void;
    readonly error: (error: unknown) => void;
    readonly end: () => void;
  }): void;
}

/** The supervisor's surroundings. */
export interface SupervisorHost<Plan extends MachinePlan> {
  readonly processors: number;
  start(plan: Plan, control: Control): Runner;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** Calls back after so many milliseconds. @returns calls it off */
  after(milliseconds: number, callback: () => void): () => void;
}

/** Who is told what happens. */
export interface Listener<Plan extends MachinePlan> {
  started(machine: Machine<Plan>): void;
  output(machine: Machine<Plan>, descriptor: 1 | 2, bytes: Uint8Array): void;
  ended(machine: Machine<Plan>): void;
  /** An error of Stele's own, which ended a machine. */
  failed(machine: Machine<Plan>, error: unknown): void;
}

export type MachineState = 'starting' | 'running' | 'ready' | 'waiting' | 'ended';

/** Milliseconds between looks at who may run: while there is contention or a limit on CPU time, and otherwise. */
const tick = 10;
const slowTick = 50;
/** Milliseconds that a machine has to end by itself, when it was told to: after a signal, and for good. */
const grace = 3000;
const patience = 2000;

/** One machine that runs or has run. */
export class Machine<Plan extends MachinePlan> {
  readonly plan: Plan;
  readonly control = new Control();
  outcome: Outcome | undefined;
  /** Milliseconds of the host's clock. */
  startTime: number | undefined;
  endTime: number | undefined;
  runner: Runner | undefined;
  ending: Ending | undefined;
  stoppedBy: StoppedBy | undefined;
  words: Int32Array | undefined;
  interruptIndex = 0;
  /** Calls off what was to happen to it. */
  readonly timers: (() => void)[] = [];

  constructor(plan: Plan) {
    this.plan = plan;
  }

  get usage(): Usage {
    return this.control.usage;
  }

  get state(): MachineState {
    if (this.outcome !== undefined) return 'ended';
    if (this.startTime === undefined) return 'starting';
    if (this.control.isWaiting) return 'waiting';
    return this.control.isPermitted ? 'running' : 'ready';
  }

  /** Has the guest leave its code soon. */
  interrupt(): void {
    if (this.words !== undefined) Atomics.store(this.words, this.interruptIndex, 1);
  }
}

export class Supervisor<Plan extends MachinePlan> {
  readonly machines: readonly Machine<Plan>[];
  private readonly host: SupervisorHost<Plan>;
  private readonly listener: Listener<Plan>;
  private readonly schedule: Schedule<Machine<Plan>>;
  private cancelTick = (): void => {};
  private finish: () => void = () => {};

  constructor(plans: readonly Plan[], host: SupervisorHost<Plan>, listener: Listener<Plan>) {
    this.machines = plans.map((plan) => new Machine(plan));
    this.host = host;
    this.listener = listener;
    this.schedule = new Schedule(host.processors);
  }

  /** Runs all machines to their ends. */
  async run(): Promise<void> {
    const finished = new Promise<void>((resolve) => {
      this.finish = resolve;
    });
    for (const machine of this.machines) this.start(machine);
    this.look();
    await finished;
    this.cancelTick();
  }

  /**
   * Ends all machines: their guests get a signal, and those that have not ended some seconds later are ended.
   * @param signal a bit of `request`
   * @param atOnce without giving them time
   */
  stop(signal: number, atOnce: boolean): void {
    for (const machine of this.machines) {
      if (machine.outcome !== undefined) continue;
      machine.stoppedBy ??= 'interrupt';
      if (atOnce) {
        this.end(machine, 'interrupt');
        continue;
      }
      this.ask(machine, signal);
      machine.timers.push(this.host.after(grace, () => this.end(machine, 'interrupt')));
    }
  }

  // -- a machine's life

  private start(machine: Machine<Plan>): void {
    machine.control.setPermitted(true);
    let runner: Runner;
    try {
      runner = this.host.start(machine.plan, machine.control);
    } catch (error) {
      this.conclude(machine, internalError(error));
      this.listener.failed(machine, error);
      return;
    }
    machine.runner = runner;
    runner.listen({
      message: (message) => this.receive(machine, message),
      error: (error) => {
        if (machine.outcome !== undefined) return;
        this.conclude(machine, internalError(error));
        this.listener.failed(machine, error);
      },
      end: () => {
        if (machine.outcome !== undefined) return;
        // It had to be terminated, or ended without a word.
        const { stoppedBy, plan } = machine;
        const killed: Ending = { kind: 'signal', signal: 9, pc: 0, wasRefusedMemory: false };
        this.conclude(
          machine,
          stoppedBy === undefined
            ? internalError(new Error('its thread ended by itself'))
            : outcomeOf(killed, stoppedBy, plan.limitTexts),
        );
      },
    });
  }

  private receive(machine: Machine<Plan>, message: MachineMessage): void {
    const { plan } = machine;
    switch (message.kind) {
      case 'started':
        machine.startTime = this.host.now();
        machine.words = message.words;
        machine.interruptIndex = message.interrupt;
        if (plan.wallLimit !== undefined) {
          machine.timers.push(this.host.after(plan.wallLimit * 1000, () => this.end(machine, 'wall-limit')));
        }
        this.listener.started(machine);
        break;
      case 'output':
        this.listener.output(machine, message.descriptor, message.bytes);
        machine.control.read(message.bytes.length);
        break;
      case 'ended':
        this.conclude(machine, outcomeOf(message.ending, machine.stoppedBy, plan.limitTexts));
        break;
    }
  }

  private conclude(machine: Machine<Plan>, outcome: Outcome): void {
    machine.endTime = this.host.now();
    machine.outcome = outcome;
    for (const cancel of machine.timers) cancel();
    this.listener.ended(machine);
    if (this.machines.every(({ outcome: each }) => each !== undefined)) this.finish();
  }

  /** Makes the guest end for a reason; a thread that does not answer is terminated. */
  private end(machine: Machine<Plan>, reason: StoppedBy): void {
    machine.stoppedBy ??= reason;
    this.ask(machine, request.end);
    machine.timers.push(this.host.after(patience, () => machine.runner?.terminate()));
  }

  private ask(machine: Machine<Plan>, what: number): void {
    machine.control.ask(what);
    machine.interrupt();
    machine.runner?.wake();
  }

  // -- processors and their time

  /** Decides who runs, and looks at the time that was used; again and again. */
  private look(): void {
    const live = this.machines.filter(({ startTime, outcome }) => startTime !== undefined && outcome === undefined);
    const contestants = new Map<Machine<Plan>, Contestant>();
    for (const machine of live) {
      const { control, plan } = machine;
      contestants.set(machine, { share: plan.share, cpu: control.usage.cpu, isReady: !control.isWaiting });
    }
    const chosen = this.schedule.choose(contestants);
    const isContended = chosen.size < live.length;
    let next = isContended ? tick : slowTick;
    for (const machine of live) {
      const { control, plan } = machine;
      const { isPermitted } = control;
      if (isPermitted !== chosen.has(machine)) control.setPermitted(!isPermitted);
      // Who runs on tells what it has used, and who may not run any more stops.
      if (isPermitted) machine.interrupt();
      if (plan.cpuLimit === undefined) continue;
      const left = plan.cpuLimit * 1000 - control.usage.cpu / 1e6;
      if (left <= 0 && machine.stoppedBy === undefined) this.end(machine, 'cpu-limit');
      else next = Math.min(next, Math.max(1, left));
    }
    this.cancelTick = this.host.after(next, () => this.look());
  }
}

function internalError(error: unknown): Outcome {
  return { kind: 'internal-error', text: `internal error: ${error instanceof Error ? error.message : String(error)}` };
}
