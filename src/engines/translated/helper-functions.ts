/** The helpers of a thread's translations: functions of TypeScript, or of a kernel that takes their place. */
import type { Helper, Machine } from '../../../translators/frontend.ts';
import type { State } from '../../../translators/ir/state.ts';
import { makeX87Kernel, type X87Kernel } from '../../../translators/webassembly/x87/kernel.ts';

type Numeric = (...operands: number[]) => number;

export class HelperFunctions {
  private readonly helpers: readonly Helper[];
  private readonly memory: WebAssembly.Memory;
  private readonly state: State;
  private readonly machine: Machine;
  /** Made when a translation first names one of its helpers. */
  private x87: X87Kernel | undefined;

  constructor(helpers: readonly Helper[], memory: WebAssembly.Memory, state: State, machine: Machine) {
    this.helpers = helpers;
    this.memory = memory;
    this.state = state;
    this.machine = machine;
  }

  /** A helper for generated JavaScript, to be called as its `run`. */
  forJavaScript(number: number): Helper['run'] {
    const { name, run } = this.helpers[number];
    return this.kernelOf(name)?.forJavaScript.get(name) ?? run;
  }

  /** A helper as a function of its operands. */
  forWebAssembly(number: number, machine: Machine): Numeric {
    const { name, run } = this.helpers[number];
    return this.kernelOf(name)?.forWebAssembly.get(name) ?? this.bound(run, machine);
  }

  private bound(run: Helper['run'], machine: Machine): Numeric {
    const { state } = this;
    return (a, b, c) => run(state, machine, a, b, c);
  }

  private kernelOf(name: string): X87Kernel | undefined {
    if (!name.startsWith('x87.')) return undefined;
    this.x87 ??= makeX87Kernel(this.memory, this.state, this.helpers, (number) =>
      this.bound(this.helpers[number].run, this.machine),
    );
    return this.x87;
  }
}
