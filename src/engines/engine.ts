/**
 * The contract of an engine: a way to make guest code run. The personality never knows which one runs.
 *
 * An engine runs one guest thread at a time on a State until something needs the personality. It
 * leaves with the reason in the state's header (translators/ir/state.ts), the pc and all registers exact.
 */
import type { Frontend, Machine } from '../../translators/frontend.ts';
import type { State } from '../../translators/ir/state.ts';
import type { ProgramStore } from '../cache/program-store.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { Inspector } from './inspection.ts';
import type { EngineStatistics } from './statistics.ts';
import type { StartTracedProcess } from './traced/traced-process.ts';
import type { CreateVirtualMachine } from './virtualized/hypervisor.ts';

/** What an engine asks of its surroundings. The rest of Machine it does itself. */
export interface EngineHost extends Pick<Machine, 'timeBase'> {
  /**
   * Serves the system call that the guest made, synchronously; state.pc is already past the call.
   * @returns true to go on running at state.pc; false to leave run() (exit, a signal to deliver, a call that must wait)
   */
  systemCall(state: State): boolean;
  /** The symbol that holds a guest address, for the names of generated functions. */
  symbolAt(address: number): { name: string; start: number; size: number } | undefined;
  /** The source line of a guest address, where the program has line tables. */
  lineAt?(address: number): { file: string; line: number } | undefined;
  readonly log?: Log;
  /** See Machine. */
  keepsRunning?(): void;
  isOwnWork?(): void;
  /** See System: called again and again between translations. */
  readonly poll?: (() => void) | undefined;
  /** Compiles a translation in the way that suits the host; absent: as it does by itself. */
  readonly compile?: ((bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module) | undefined;
  /** Milliseconds of a steady clock, when costs are to be measured. */
  readonly now?: () => number;
}

/** Kinds of `-d` output. */
export type LogKind = 'in_asm' | 'op' | 'out_js' | 'out_wasm' | 'exec' | 'unimp';

export interface Log {
  /** Whether anybody asked for this kind: what is costly to make is not made otherwise. */
  wants(kind: LogKind): boolean;
  /** Writes lines of text; the last one without its newline. */
  write(kind: LogKind, text: string): void;
}

export interface EngineOptions {
  readonly frontend: Frontend;
  readonly memory: GuestMemory;
  readonly host: EngineHost;
  /** Count guest instructions in translated code too (the interpreter always does). */
  readonly countInstructions: boolean;
  /** Where translations of the program are kept from run to run; asked for when the first one is wanted. */
  readonly translations?: (() => ProgramStore) | undefined;
  /** Where interpreter code of the program is kept from run to run. */
  readonly blocks?: (() => ProgramStore) | undefined;
  /** Is shown every translation, which then counts what it runs; wants countInstructions, too. */
  readonly inspector?: Inspector | undefined;
  /** Translations are made before anything has run: none of their code counts as cold. */
  readonly ahead?: boolean | undefined;
  /** The guest may come to its end soon: nothing is translated before it has run for a while (Policy.patience). */
  readonly mayBeShort?: boolean | undefined;
  /** For the engine that runs the guest on the processor itself. */
  readonly createVirtualMachine?: CreateVirtualMachine | undefined;
  /** For the engine that runs it there in a traced process. */
  readonly startTracedProcess?: StartTracedProcess | undefined;
}

export interface Engine {
  readonly name: string;
  readonly statistics: EngineStatistics;
  /** Runs the thread until header.exit is not 0 or systemCall() said to leave; clears header.exit first. */
  run(state: State): void;
  /** Forgets translations of a range of guest code. */
  invalidate(start: number, length: number): void;
  /** From now on dead registers too are exact at faults: the guest handles SIGSEGV or SIGBUS and may look. */
  requirePreciseFaults(): void;
  /** Nanoseconds of processor time that guest code has used outside of the thread that calls run(); absent: none. */
  cpuTimeElsewhere?(): number;
  /** The guest has come to its end: keeps what later runs can use. */
  close(): void;
}
