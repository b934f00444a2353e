/**
 * An engine that a debugger drives: runs the guest on another engine, whose code leaves at breakpoints, steps it by
 * instructions, and looks after watchpoints. It leaves as for an interrupt when the guest is to stop, with the reason in
 * `stop`.
 */
import { exitCode } from '../../translators/ir/operations.ts';
import { header, type State } from '../../translators/ir/state.ts';
import type { Engine, EngineOptions } from '../engines/engine.ts';
import { InterpretedEngine } from '../engines/interpreted/interpreted-engine.ts';
import type { EngineStatistics } from '../engines/statistics.ts';
import { type BreakpointKind, Breakpoints, withBreakpoints } from './breakpoints.ts';
import { type Touch, TouchedMemory, type Watchpoint, Watchpoints } from './watchpoints.ts';

/** How the guest is to go on. */
export type Motion =
  | { readonly kind: 'continue' }
  /** One instruction. */
  | { readonly kind: 'step' }
  /** One instruction, and further ones while they lie from `start` to before `end`. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

/** Why the guest stopped, besides signals. */
export type Stop =
  | { readonly kind: 'breakpoint'; readonly breakpoint: BreakpointKind }
  | { readonly kind: 'step' }
  | { readonly kind: 'watchpoint'; readonly watchpoint: Watchpoint };

const exitWord = header.exit >> 2;
const interruptWord = header.interrupt >> 2;

export class DebuggedEngine implements Engine {
  readonly breakpoints = new Breakpoints();
  readonly watchpoints: Watchpoints;
  /** Why the last run ended, if the debugger wants to know. Whoever answers to it clears it. */
  stop: Stop | undefined;
  private motion: Motion = { kind: 'continue' };
  /** Where the guest was when it went on: a breakpoint there has had its turn. */
  private passing: number | undefined;
  /** A system call asked for the personality. */
  private leaving = false;
  private readonly runner: Engine;
  /** Runs on memory that allows no access which is watched for. */
  private readonly watcher: InterpretedEngine;
  private readonly stepper: InterpretedEngine;
  /** Steps and notes accesses. */
  private readonly noting: InterpretedEngine;
  private readonly touched: TouchedMemory;

  /** @param createEngine makes the engine that the guest runs on at full speed */
  constructor(given: EngineOptions, createEngine: (options: EngineOptions) => Engine) {
    const { memory, frontend, host } = given;
    // A call may write what is watched.
    const systemCall = (state: State): boolean => {
      const goesOn = host.systemCall(state);
      this.look();
      this.leaving = !goesOn || this.stop !== undefined;
      return !this.leaving;
    };
    const options = { ...given, host: { ...host, systemCall } };
    const stopping = { ...options, frontend: withBreakpoints(frontend, this.breakpoints) };
    this.watchpoints = new Watchpoints(memory);
    this.touched = new TouchedMemory(memory);
    this.runner = createEngine(stopping);
    this.watcher = new InterpretedEngine(stopping, { access: this.watchpoints.restricted });
    this.stepper = new InterpretedEngine(options, { blockLimit: 1 });
    this.noting = new InterpretedEngine(options, { blockLimit: 1, access: this.touched });
    memory.onCodeChange = (start, length) => this.invalidate(start, length);
    this.breakpoints.onChange = (address) => {
      for (const engine of [this.runner, this.watcher]) engine.invalidate(address, 1);
    };
    // A debugger looks at registers wherever the guest stops.
    this.runner.requirePreciseFaults();
  }

  get name(): string {
    return this.runner.name;
  }

  get statistics(): EngineStatistics {
    return this.runner.statistics;
  }

  /** The debugger lets the guest go on, from where its thread stands. */
  resume(motion: Motion, state: State): void {
    this.motion = motion;
    this.stop = undefined;
    this.passing = state.pc;
    this.watchpoints.note();
  }

  /** The guest goes on without a debugger. */
  release(): void {
    this.motion = { kind: 'continue' };
    this.breakpoints.clear();
    this.watchpoints.clear();
  }

  /** A signal's handler was entered: that counts as a step. */
  enteredHandler(): void {
    if (this.motion.kind !== 'continue') this.stop ??= { kind: 'step' };
  }

  run(state: State): void {
    const words = state.i32;
    words[exitWord] = exitCode.none;
    this.leaving = false;
    if (words[interruptWord] !== 0) {
      words[exitWord] = exitCode.interrupt;
      return;
    }
    if (this.motion.kind !== 'continue') this.runSteps(state, this.motion);
    else this.runOn(state);
    if (this.stop !== undefined && !this.leaving && words[exitWord] === exitCode.none)
      words[exitWord] = exitCode.interrupt;
  }

  /** Runs at full speed until the guest is to stop or something needs the personality. */
  private runOn(state: State): void {
    const words = state.i32;
    const { breakpoints, watchpoints } = this;
    for (;;) {
      const { pc } = state;
      if (breakpoints.isPlanted(pc)) {
        if (pc !== this.passing) this.arriveAt(pc);
        if (this.stop !== undefined) return;
        this.step(state);
        if (isBehind(words)) this.passing = undefined;
      } else if (watchpoints.any) {
        this.watcher.run(state);
        // Whether the guest may make the access itself turns out now.
        if (words[exitWord] === exitCode.fault) this.step(state, faultOf(words));
      } else this.runner.run(state);
      const isAtBreakpoint = words[exitWord] === exitCode.interrupt && breakpoints.isPlanted(state.pc);
      if (this.stop !== undefined || this.leaving) return;
      if (words[exitWord] !== exitCode.none && !isAtBreakpoint) return;
      words[exitWord] = exitCode.none;
      if (words[interruptWord] !== 0) {
        words[exitWord] = exitCode.interrupt;
        return;
      }
    }
  }

  private runSteps(state: State, motion: Exclude<Motion, { kind: 'continue' }>): void {
    const words = state.i32;
    for (;;) {
      this.step(state);
      // A system call was a step, even if it waits.
      if (!isBehind(words)) return;
      const { pc } = state;
      if (motion.kind === 'step' || pc < motion.start || pc >= motion.end) this.stop ??= { kind: 'step' };
      else this.arriveAt(pc);
      if (this.stop !== undefined || this.leaving) return;
      if (words[interruptWord] !== 0) {
        words[exitWord] = exitCode.interrupt;
        return;
      }
    }
  }

  /** Control has come to an address: stops where a breakpoint is hit. */
  private arriveAt(pc: number): void {
    const breakpoint = this.breakpoints.hit(pc);
    if (breakpoint !== undefined) this.stop ??= { kind: 'breakpoint', breakpoint };
  }

  /** Runs one instruction. @param touch an access that it makes for sure */
  private step(state: State, touch?: Touch): void {
    if (!this.watchpoints.any) {
      this.stepper.step(state);
      return;
    }
    this.touched.touches.length = 0;
    this.noting.step(state);
    if (touch !== undefined) this.touched.touches.push(touch);
    if (isBehind(state.i32)) this.look(this.touched.touches);
  }

  /** Looks whether a watchpoint is hit. @param touches accesses that were made; what else was written is seen anyway */
  look(touches: readonly Touch[] = []): void {
    if (!this.watchpoints.any) return;
    const watchpoint = this.watchpoints.hit(touches);
    if (watchpoint !== undefined) this.stop = { kind: 'watchpoint', watchpoint };
  }

  private get engines(): readonly Engine[] {
    return [this.runner, this.watcher, this.stepper, this.noting];
  }

  invalidate(start: number, length: number): void {
    for (const engine of this.engines) engine.invalidate(start, length);
  }

  requirePreciseFaults(): void {
    this.runner.requirePreciseFaults();
  }

  close(): void {
    this.runner.close();
  }
}

/** Whether the instruction has been run: what leaves otherwise leaves before it has had an effect. */
function isBehind(words: Int32Array): boolean {
  return words[exitWord] === exitCode.none || words[exitWord] === exitCode.system_call;
}

/** The byte that a fault was about. */
function faultOf(words: Int32Array): Touch {
  return { address: words[header.detail >> 2] >>> 0, length: 1, access: words[header.access >> 2] };
}
