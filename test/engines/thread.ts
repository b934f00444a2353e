/** One guest thread with a page or more of code, on an engine of the test's choice. */
import type { ProgramStore } from '../../src/cache/program-store.ts';
import { createEngine, type EngineName } from '../../src/engines/create-engine.ts';
import type { Engine, EngineOptions, LogKind } from '../../src/engines/engine.ts';
import { type Policy, policies } from '../../src/engines/translated/policy.ts';
import { TranslatedEngine } from '../../src/engines/translated/translated-engine.ts';
import type { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { exitReasons } from '../../translators/ir/operations.ts';
import { header, State } from '../../translators/ir/state.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import type { Assembler } from '../fuzz/assembler.ts';
import { bytesOf } from '../fuzz/machine.ts';

export const code = 0x10000000;
export const data = 0x20000000;
const stack = 0x30000000;
const stackSize = 0x1000000;

/** Translate what ran this often. */
export const soon: Partial<Policy> = { threshold: 3 };

/** Limits with which an engine soon translates. */
export const limitsOf = (name: keyof typeof policies): Partial<Policy> => (policies[name].translateAtOnce ? {} : soon);

/** Limits for the engine `regions` with which it translates whatever is reached, as a whole. */
export const wholeAtOnce: Partial<Policy> = {
  profiled: false,
  largeFunction: Number.POSITIVE_INFINITY,
  translateAtOnce: true,
};

export class TestThread {
  readonly memory: AddressSpace;
  readonly state: State;
  readonly engine: Engine;
  /** What was logged. */
  readonly log: [kind: LogKind, text: string][] = [];
  /** Modules of WebAssembly that were compiled. */
  readonly modules: Uint8Array[] = [];
  /** Serves system calls; the default leaves the engine. */
  systemCall: () => boolean = () => false;
  timeBase = () => ({ low: 0, high: 0 });
  symbols: { name: string; start: number; size: number }[] = [];

  /**
   * @param limits instead of the engine's own, for one that translates
   * @param translations keeps translations from thread to thread
   * @param blocks keeps interpreter code
   * @param findPages finds the host's pages, so that accesses of WebAssembly trap; absent: they are checked
   */
  constructor(
    name: EngineName,
    limits?: Partial<Policy>,
    translations?: ProgramStore,
    blocks?: ProgramStore,
    findPages?: typeof findHostPages,
  ) {
    this.memory = new AddressSpace('big', findPages);
    this.state = new State(powerpc.registers, this.memory.buffer, this.memory.allocateStateBlock());
    const options: EngineOptions = {
      frontend: powerpc,
      memory: this.memory,
      countInstructions: false,
      translations: translations === undefined ? undefined : () => translations,
      blocks: blocks === undefined ? undefined : () => blocks,
      host: {
        systemCall: () => this.systemCall(),
        symbolAt: (address) => this.symbols.find(({ start, size }) => address >= start && address < start + size),
        timeBase: () => this.timeBase(),
        compile: (bytes) => {
          this.modules.push(bytes);
          return new WebAssembly.Module(bytes);
        },
        // To log what is entered changes translations.
        log: { wants: (kind) => kind !== 'exec', write: (kind, text) => this.log.push([kind, text]) },
      },
    };
    this.engine =
      limits !== undefined && name in policies
        ? new TranslatedEngine(name as keyof typeof policies, options, {
            ...policies[name as keyof typeof policies],
            ...limits,
          })
        : createEngine(name, options);
    this.memory.onCodeChange = (start, length) => this.engine.invalidate(start, length);
    this.memory.map(code, 0x4000, 7);
    this.memory.map(data, 0x1000, 3);
    this.memory.map(stack, stackSize, 3);
    this.state.set('r1', stack + stackSize - 64);
  }

  place(assembler: Assembler, address = code): void {
    this.memory.poke(address, bytesOf(assembler.finish()));
  }

  /** Runs from an address. @returns the reason for which the engine left */
  run(pc = code): (typeof exitReasons)[number] {
    this.state.pc = pc;
    return this.resume();
  }

  resume(): (typeof exitReasons)[number] {
    this.engine.run(this.state);
    const reason = exitReasons[this.state.i32[header.exit >> 2]];
    return reason === 'system_call' ? 'none' : reason;
  }

  /** Texts of one kind in the log. */
  logged(kind: LogKind): string[] {
    return this.log.flatMap(([each, text]) => (each === kind ? [text] : []));
  }
}
