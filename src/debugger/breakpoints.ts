/**
 * Breakpoints: where the guest is to stop, and code that does. Code is made to leave at an address (`withBreakpoints`)
 * and stays so when the breakpoint is taken away, since debuggers take all of them away whenever the guest stops, and
 * set them again before it goes on. Only where control comes in vain many times is the code made anew.
 */
import type { Frontend } from '../../translators/frontend.ts';

/** What the debugger calls it when it is hit: one that it takes for an instruction in the code, or for the processor's. */
export type BreakpointKind = 'swbreak' | 'hwbreak';

/** Whether to stop, now that control has come to the breakpoint. */
export type Condition = () => boolean;

/** How often control comes to a place in vain before its code is made without the stop. */
const vainLimit = 100;

export class Breakpoints {
  /** Is told of every address whose code is to be made anew. */
  onChange: (address: number) => void = () => {};
  private readonly active = new Map<number, Map<BreakpointKind, readonly Condition[]>>();
  /** Addresses whose code leaves, with how often it did so in vain. */
  private readonly planted = new Map<number, number>();

  /** @param conditions of which one must hold; empty: always */
  insert(address: number, kind: BreakpointKind, conditions: readonly Condition[]): void {
    const here = this.active.get(address) ?? new Map<BreakpointKind, readonly Condition[]>();
    this.active.set(address, here.set(kind, conditions));
    if (this.planted.has(address)) return;
    this.planted.set(address, 0);
    this.onChange(address);
  }

  remove(address: number, kind: BreakpointKind): void {
    const here = this.active.get(address);
    here?.delete(kind);
    if (here?.size === 0) this.active.delete(address);
  }

  clear(): void {
    this.active.clear();
    const places = [...this.planted.keys()];
    this.planted.clear();
    for (const address of places) this.onChange(address);
  }

  /** Whether code leaves there. */
  isPlanted(address: number): boolean {
    return this.planted.has(address);
  }

  /** Control has come to an address. @returns the kind of the breakpoint to stop at */
  hit(address: number): BreakpointKind | undefined {
    const here = this.active.get(address);
    for (const [kind, conditions] of here ?? []) {
      if (conditions.length === 0 || conditions.some((holds) => holds())) return kind;
    }
    const vain = this.planted.get(address);
    if (here !== undefined || vain === undefined) return undefined;
    if (vain < vainLimit) this.planted.set(address, vain + 1);
    else {
      this.planted.delete(address);
      this.onChange(address);
    }
    return undefined;
  }
}

/** A frontend whose code leaves, as for an interrupt, before an instruction where a breakpoint is planted. */
export function withBreakpoints(frontend: Frontend, breakpoints: Breakpoints): Frontend {
  return {
    ...frontend,
    lift: (builder, fetch, pc, options) => {
      if (!breakpoints.isPlanted(pc)) return frontend.lift(builder, fetch, pc, options);
      builder.pc = pc;
      builder.exit('interrupt');
      return frontend.instructionAlignment;
    },
  };
}
