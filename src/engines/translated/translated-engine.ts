/** The translated engines: JavaScript functions for regions, with the interpreter for what is cold. */
import type { State } from '../../../translators/ir/state.ts';
import type { Engine, EngineOptions } from '../engine.ts';
import { EngineStatistics } from '../statistics.ts';
import { type Policy, policies } from './policy.ts';
import { ThreadCode } from './thread-code.ts';

export class TranslatedEngine implements Engine {
  readonly name: keyof typeof policies;
  readonly statistics = new EngineStatistics();
  private readonly options: EngineOptions;
  private readonly policy: Policy;
  private readonly threads = new Map<State, ThreadCode>();
  private exactFloatingPoint = false;
  private preciseFaults = false;

  /** @param policy what the name stands for, unless a test wants other limits */
  constructor(name: keyof typeof policies, options: EngineOptions, policy: Policy = policies[name]) {
    this.name = name;
    this.options = options;
    this.policy = policy;
    options.memory.onCodeChange = (start, length) => this.invalidate(start, length);
  }

  run(state: State): void {
    this.thread(state).run();
  }

  /** Translates what a guest address begins, without running it. */
  translateAt(state: State, pc: number): void {
    this.thread(state).translateAt(pc);
  }

  private thread(state: State): ThreadCode {
    let thread = this.threads.get(state);
    if (thread === undefined) {
      // What is kept names the first thread's state block and table of functions.
      const options =
        this.threads.size === 0 ? this.options : { ...this.options, translations: undefined, blocks: undefined };
      thread = new ThreadCode(options, this.policy, this.statistics, state, {
        invalidate: (start, length) => this.invalidate(start, length),
        requireExact: () => this.requireExactFloatingPoint(),
        requirePrecise: () => this.requirePreciseFaults(),
      });
      thread.exactFloatingPoint = this.exactFloatingPoint;
      thread.preciseFaults = this.preciseFaults;
      this.threads.set(state, thread);
    }
    return thread;
  }

  invalidate(start: number, length: number): void {
    for (const thread of this.threads.values()) thread.invalidate(start, length);
  }

  requirePreciseFaults(): void {
    if (this.preciseFaults) return;
    this.preciseFaults = true;
    for (const thread of this.threads.values()) {
      thread.preciseFaults = true;
      thread.retranslate();
    }
  }

  close(): void {
    for (const thread of this.threads.values()) thread.close();
  }

  private requireExactFloatingPoint(): void {
    if (this.exactFloatingPoint) return;
    this.exactFloatingPoint = true;
    this.statistics.exactFloatingPoint = true;
    for (const thread of this.threads.values()) {
      thread.exactFloatingPoint = true;
      thread.retranslate();
    }
  }
}
