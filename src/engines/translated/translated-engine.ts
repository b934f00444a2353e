/** The translated engines: JavaScript functions for regions, with the interpreter for what is cold. */
import type { State } from '../../../translators/ir/state.ts';
import type { Engine, EngineOptions } from '../engine.ts';
import { emptyStatistics } from '../guest-code.ts';
import { policies } from './policy.ts';
import { ThreadCode } from './thread-code.ts';

export class TranslatedEngine implements Engine {
  readonly name: 'regions' | 'auto';
  readonly statistics = emptyStatistics();
  private readonly options: EngineOptions;
  private readonly threads = new Map<State, ThreadCode>();
  private exactFloatingPoint = false;
  private preciseFaults = false;

  constructor(name: 'regions' | 'auto', options: EngineOptions) {
    this.name = name;
    this.options = options;
    options.memory.onCodeChange = (start, length) => this.invalidate(start, length);
  }

  run(state: State): void {
    let thread = this.threads.get(state);
    if (thread === undefined) {
      thread = new ThreadCode(this.options, policies[this.name], this.statistics, state, {
        invalidate: (start, length) => this.invalidate(start, length),
        requireExact: () => this.requireExactFloatingPoint(),
      });
      thread.exactFloatingPoint = this.exactFloatingPoint;
      thread.preciseFaults = this.preciseFaults;
      this.threads.set(state, thread);
    }
    thread.run();
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
