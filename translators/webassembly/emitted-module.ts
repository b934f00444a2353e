/** What the backend makes of a region. */
import type { FunctionImport } from './encoder.ts';
import type { Origin } from './function.ts';

export interface Trap {
  /** Of the instruction, from the module's start. */
  readonly offset: number;
  /** The guest instruction to go on from. */
  readonly pc: number;
  /** Guest instructions of its block before it, when they are counted. */
  readonly executed: number;
  /** Registers are in the state block, so that the guest can go on. Else only those are that the address is computed from. */
  readonly isCurrent: boolean;
  /** How much more the pinned register is than what the state block has of it, where it is not the same. */
  readonly moved?: number;
  /** The counter of its block's instructions, where there is one. */
  readonly counter?: number;
}

export interface EmittedModule {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly imports: readonly FunctionImport[];
  /** Where the function may trap. */
  readonly traps: readonly Trap[];
  /** The function's instructions, for printing. */
  readonly body: Uint8Array;
  /** Bytes before them that declare the function's locals; V8 counts positions from there. */
  readonly localsSize: number;
  /** Where asked for: by offset in the body, from which guest instruction. What comes before the first one belongs to none. */
  readonly origins?: readonly Origin[];
}
