/** Runs cases on Stele's engines. */
import { createEngine, type EngineName } from '../../../src/engines/create-engine.ts';
import type { Engine } from '../../../src/engines/engine.ts';
import { findHostPages } from '../../../src/host/page-protection.ts';
import { AddressSpace } from '../../../src/memory/address-space.ts';
import { protection } from '../../../src/memory/guest-memory.ts';
import { exitReasons } from '../../../translators/ir/operations.ts';
import { header, headerSize, State, stateBlockSize } from '../../../translators/ir/state.ts';
import { x86Frontend } from '../../../translators/x86/frontend.ts';
import {
  type Case,
  codeAddress,
  codeSize,
  dataAddress,
  Outcome,
  signals,
  slotCount,
  slotSize,
  windowAddress,
  windowSize,
} from './case.ts';
import { readRegisters, writeRegisters } from './registers.ts';

type ExitReason = (typeof exitReasons)[number];

/** The signals that Linux makes of exits. */
const signalOf: Partial<Record<ExitReason, number>> = {
  breakpoint: signals.SIGTRAP,
  illegal: signals.SIGILL,
  privileged: signals.SIGSEGV,
  fault: signals.SIGSEGV,
  protection: signals.SIGSEGV,
  wide_address: signals.SIGSEGV,
  overflow: signals.SIGSEGV,
  bound: signals.SIGSEGV,
  divide: signals.SIGFPE,
  floating_point: signals.SIGFPE,
};

const breakpoint = 0xcc;

/** Code that looks at MXCSR, from which on engines are exact about it: stmxcsr [esp], then int3. */
const looking = [0x0f, 0xae, 0x1c, 0x24, breakpoint];
const lookingAddress = codeAddress + codeSize;

/** Engines that translate at once, and are not exact about MXCSR's exceptions before the program looks. */
const translating: readonly EngineName[] = ['regions', 'wasm'];

/** One engine with memory as the runner has it. Cases of up to `slotCount` instructions are run on it. */
export class CaseMachine {
  private readonly mode: 32 | 64;
  private readonly memory = new AddressSpace('little', findHostPages);
  private readonly state: State;
  private readonly frontend: ReturnType<typeof x86Frontend>;
  private readonly name: EngineName;
  private readonly looks: boolean;
  /** MXCSR's exceptions are kept. */
  readonly exact: boolean;
  private engine: Engine;

  /** @param looks the program has looked at MXCSR */
  constructor(mode: 32 | 64, name: EngineName, looks: boolean) {
    this.mode = mode;
    this.name = name;
    this.looks = looks;
    this.exact = looks || !translating.includes(name);
    const { memory } = this;
    this.frontend = x86Frontend(mode);
    this.state = new State(this.frontend.registers, memory.buffer, memory.allocateStateBlock());
    memory.map(codeAddress, codeSize, protection.read | protection.execute);
    memory.map(lookingAddress, 0x1000, protection.read | protection.execute);
    memory.poke(lookingAddress, Uint8Array.from(looking));
    memory.map(dataAddress, 0x1000, protection.read | protection.write);
    this.engine = this.newEngine();
  }

  private newEngine(): Engine {
    const { memory } = this;
    const engine = createEngine(this.name, {
      frontend: this.frontend,
      memory,
      countInstructions: false,
      host: {
        systemCall: () => false,
        symbolAt: (address) => ({ name: 'slot', start: address - (address % slotSize), size: slotSize }),
        timeBase: () => ({ low: 0, high: 0 }),
      },
    });
    memory.onCodeChange = (start, length) => engine.invalidate(start, length);
    engine.requirePreciseFaults();
    return engine;
  }

  /** Puts the code of cases in place, of which those in the same slot have the same. */
  load(cases: readonly Case[]): void {
    const code = new Uint8Array(slotCount * slotSize).fill(breakpoint);
    for (const one of cases) code.set(one.code, one.offset);
    this.memory.poke(codeAddress, code);
    this.engine.close();
    this.engine = this.newEngine();
    if (!this.looks) return;
    this.state.i32.fill(0, headerSize >> 2, stateBlockSize >> 2);
    this.state.pc = lookingAddress;
    const view = new DataView(
      this.state.i32.buffer,
      this.state.base + this.state.register(this.mode === 64 ? 'rsp' : 'esp').offset,
    );
    view.setUint32(0, windowAddress, true);
    this.engine.run(this.state);
  }

  /** Runs a case whose code is in place. */
  run(one: Case): Outcome {
    const { state, memory, mode } = this;
    // All registers are 0 where the case does not say otherwise.
    state.i32.fill(0, headerSize >> 2, stateBlockSize >> 2);
    const page = new Uint8Array(0x1000);
    page.set(one.window, 0x1000 - windowSize);
    memory.poke(dataAddress, page);
    writeRegisters(state, mode, one);
    state.pc = codeAddress + one.offset;
    this.engine.run(state);
    const outcome = new Outcome();
    const reason = exitReasons[state.i32[header.exit >> 2]];
    const signal = signalOf[reason];
    if (signal === undefined) throw new Error(`the engine left with ${reason}`);
    outcome.signal = signal;
    const detail = state.i32[header.detail >> 2];
    // The processor is behind these, where the detail says.
    outcome.pc = reason === 'breakpoint' || reason === 'overflow' ? detail : state.pc;
    if (reason === 'fault') outcome.address = detail;
    readRegisters(state, mode, outcome);
    outcome.window.set(memory.peek(windowAddress, windowSize));
    return outcome;
  }

  close(): void {
    this.engine.close();
  }
}
