/** The helpers of a thread's translations: functions of TypeScript, or of a kernel that takes their place. */
import type { Helper, Machine } from '../../../translators/frontend.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import type { ValueType } from '../../../translators/webassembly/encoder.ts';
import { withUnchangedResult } from '../../../translators/webassembly/helper-result.ts';
import { makeX87Kernel, type X87Kernel } from '../../../translators/webassembly/x87/kernel.ts';

type Numeric = (...operands: number[]) => number;

const hasKernel = (helper: string): boolean => helper.startsWith('x87.');

/** Calls of a kernel's helpers by the interpreter, some microseconds each, after which it is worth making the kernel. */
const patience = 3000;

export class HelperFunctions {
  private readonly helpers: readonly Helper[];
  private readonly memory: WebAssembly.Memory;
  private readonly state: State;
  private readonly machine: Machine;
  /** Made when a translation first names one of its helpers, or the interpreter has called them often. */
  private x87: X87Kernel | undefined;
  private interpreted = 0;

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
    const { name, run, operands, result } = this.helpers[number];
    const found = this.kernelOf(name)?.forWebAssembly.get(name);
    if (found !== undefined) return found;
    const bound = this.bound(run, machine);
    if (result !== 'f64') return bound;
    const { state, memory } = this;
    return withUnchangedResult(bound, operands as readonly ValueType[], memory, {
      doubles: state.f64,
      index: header.result >> 3,
      offset: state.base + header.result,
    });
  }

  /** The helpers for an interpreter. */
  forInterpreter(): readonly Helper[] {
    return this.helpers.map((helper) => {
      const { name, run } = helper;
      if (!hasKernel(name)) return helper;
      let fast: Helper['run'] | undefined;
      return {
        ...helper,
        run: (state, machine, a, b, c) => {
          if (fast !== undefined) return fast(state, machine, a, b, c);
          if (this.x87 !== undefined || ++this.interpreted > patience)
            fast = this.forJavaScript(this.helpers.indexOf(helper));
          return run(state, machine, a, b, c);
        },
      };
    });
  }

  private bound(run: Helper['run'], machine: Machine): Numeric {
    const { state } = this;
    return (a, b, c) => run(state, machine, a, b, c);
  }

  private kernelOf(name: string): X87Kernel | undefined {
    if (!hasKernel(name)) return undefined;
    this.x87 ??= makeX87Kernel(this.memory, this.state, this.helpers, (number) =>
      this.bound(this.helpers[number].run, this.machine),
    );
    return this.x87;
  }
}
