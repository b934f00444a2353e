/** The interpreted engine: every block through the IR interpreter. */
import { inHalves } from '../../../translators/ir/in-halves.ts';
import { Interpreter, stop } from '../../../translators/ir/interpreter.ts';
import { exitCode } from '../../../translators/ir/operations.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import type { Unit } from '../../../translators/ir/unit.ts';
import { CodeWatch } from '../code-watch.ts';
import type { Engine, EngineOptions } from '../engine.ts';
import { BlockLifter, blockLimit, createMachine, type GuestAccess } from '../guest-code.ts';
import { logBlock } from '../log.ts';
import { EngineStatistics } from '../statistics.ts';

/** What can be different for a debugger. */
export interface InterpretedOptions {
  /** Guest instructions of a block at most. */
  readonly blockLimit?: number;
  /** What guest code accesses in the place of its memory. */
  readonly access?: GuestAccess;
}

export class InterpretedEngine implements Engine {
  readonly name = 'interpreted';
  readonly statistics = new EngineStatistics();
  private readonly options: EngineOptions;
  private readonly special: InterpretedOptions;
  private readonly interpreters = new Map<State, { readonly interpreter: Interpreter; readonly watch: CodeWatch }>();

  constructor(options: EngineOptions, special: InterpretedOptions = {}) {
    this.options = options;
    this.special = special;
    this.statistics.exactFloatingPoint = true;
    options.memory.onCodeChange = (start, length) => this.invalidate(start, length);
  }

  run(state: State): void {
    const { interpreter, watch } = this.interpreters.get(state) ?? this.add(state);
    const { host } = this.options;
    const words = state.i32;
    for (;;) {
      words[header.exit >> 2] = exitCode.none;
      const reason = interpreter.run();
      this.statistics.guestInstructions = state.f64[header.instructions >> 3];
      if (reason === stop.interrupt) {
        words[header.exit >> 2] = exitCode.interrupt;
        return;
      }
      const exit = words[header.exit >> 2];
      if (exit === exitCode.none || watch.resolve()) continue;
      if (exit !== exitCode.system_call || !host.systemCall(state)) return;
    }
  }

  /**
   * Runs the one block at the pc, whether or not something wants the thread's attention. Leaves as run() does; where the
   * block simply ended, with no reason in header.exit.
   */
  step(state: State): void {
    const { interpreter, watch } = this.interpreters.get(state) ?? this.add(state);
    const words = state.i32;
    const attention = Atomics.exchange(words, header.interrupt >> 2, 0);
    interpreter.step();
    if (attention !== 0) Atomics.store(words, header.interrupt >> 2, attention);
    this.statistics.guestInstructions = state.f64[header.instructions >> 3];
    if (words[header.exit >> 2] === exitCode.none || watch.resolve(true)) return;
    if (words[header.exit >> 2] === exitCode.system_call && this.options.host.systemCall(state)) {
      words[header.exit >> 2] = exitCode.none;
    }
  }

  invalidate(start: number, length: number): void {
    this.statistics.invalidations++;
    for (const { interpreter } of this.interpreters.values()) interpreter.invalidate(start, length);
  }

  /** The interpreter's faults are always precise. */
  requirePreciseFaults(): void {}

  close(): void {}

  private add(state: State): { readonly interpreter: Interpreter; readonly watch: CodeWatch } {
    const { memory, host } = this.options;
    const { access = memory, blockLimit: limit = blockLimit } = this.special;
    const frontend = inHalves(this.options.frontend);
    const machine = createMachine(access, host, {
      invalidateCode: (address, length) => this.invalidate(address, length),
      requireExactFloatingPoint: () => {},
      leaveDefaultFloatingPoint: () => {},
    });
    const watch = new CodeWatch(frontend, memory, host, state, machine, () => {});
    const log = (unit: Unit): void => logBlock(unit, this.options, frontend);
    const lifter = new BlockLifter(frontend, watch.fetch, host, this.statistics, log, limit);
    const interpreter = new Interpreter(frontend, state, access, machine, (pc) => lifter.lift(pc));
    interpreter.observer = lifter.preparationObserver();
    const made = { interpreter, watch };
    this.interpreters.set(state, made);
    return made;
  }
}
