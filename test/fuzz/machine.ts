/** Runs generated programs on any engine and notes what can be seen of them: how each stretch ended, registers, memory. */
import type { ProgramStore } from '../../src/cache/program-store.ts';
import { createEngine, type EngineName } from '../../src/engines/create-engine.ts';
import type { Engine, EngineOptions } from '../../src/engines/engine.ts';
import type { EngineStatistics } from '../../src/engines/statistics.ts';
import { policies } from '../../src/engines/translated/policy.ts';
import { TranslatedEngine } from '../../src/engines/translated/translated-engine.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { protection } from '../../src/memory/guest-memory.ts';
import { exitReasons } from '../../translators/ir/operations.ts';
import { header, headerSize, State } from '../../translators/ir/state.ts';
import { fpscr } from '../../translators/powerpc/floating-point-status.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import { generator, nans, randomDouble } from '../float/cases.ts';
import { events } from './control-flow.ts';
import { below } from './instructions.ts';
import {
  bases,
  codeAddress,
  codeSize,
  dataAddress,
  dataEnd,
  floatingCount,
  general,
  lastDataAddress,
  readOnlyAddress,
  register,
  stackAddress,
  stackSize,
  stackStart,
  tableAddress,
  tableSize,
} from './layout.ts';
import type { Program } from './programs.ts';
import { tooLong, Watchdog } from './watchdog.ts';

const { read, write, execute } = protection;

/** Where a stretch of the guest's run ended. */
export interface Stop {
  readonly round: number;
  readonly reason: (typeof exitReasons)[number];
  readonly pc: number;
  /** Address of a fault and its kind, code of an exception; 0 for other reasons. */
  readonly detail: number;
  readonly access: number;
  /** The registers' part of the state block. */
  readonly registers: Int32Array;
}

export interface Outcome {
  readonly stops: readonly Stop[];
  /** Data, stack and code at the end. */
  readonly memory: Uint8Array;
  readonly statistics: EngineStatistics;
  /** It was stopped, because it took too long. */
  readonly endless: boolean;
  /** What the engine threw. */
  readonly error?: unknown;
}

/** Stops of a program after which it is not continued. */
const stopLimit = 600;

const detailed = new Set(['fault', 'misaligned', 'floating_point', 'trap']);

const registerWords = (() => {
  const last = powerpc.registers.registers[powerpc.registers.registers.length - 1];
  return [headerSize >> 2, (last.offset + 8) >> 2] as const;
})();

/** For comparing: names of registers, and the words of a stop that hold each. */
export const registerPlaces = powerpc.registers.registers.map(({ name, type, offset, bit, pinned }) => ({
  name,
  at: (offset - headerSize) >> 2,
  words: type === 'f64' ? 2 : 1,
  bit,
  pinned,
}));
const fpscrAt = registerPlaces.find(({ name }) => name === 'fpscr')!.at;
const unpinnedPlaces = registerPlaces.filter(({ pinned }) => !pinned);
/** Bits of FPSCR that do not tell what happened: enables, NI and rounding mode. */
const controlBits = fpscr.VE | fpscr.OE | fpscr.UE | fpscr.ZE | fpscr.XE | fpscr.NI | fpscr.RN;

export interface Segment {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export class FuzzMachine {
  readonly memory = new AddressSpace('big', findHostPages);
  readonly state = new State(powerpc.registers, this.memory.buffer, this.memory.allocateStateBlock());
  /** Milliseconds that a program may run on one engine. */
  patience = 20_000;
  private readonly watchdog = new Watchdog(this.state);

  /**
   * Runs all rounds of a program on a new engine.
   * @param translations keeps translations from run to run
   */
  run(program: Program, name: EngineName, translations?: ProgramStore): Outcome {
    this.watchdog.watch(this.patience);
    this.state.i32[header.interrupt >> 2] = 0;
    const outcome = new Run(this, program, name, translations).run();
    this.watchdog.watch(0);
    return outcome;
  }

  /** Memory and registers (the state block's words) as a program finds them in its first round. */
  initial(program: Program): { readonly segments: readonly Segment[]; readonly state: State } {
    const { memory, state } = this;
    new Run(this, program, 'interpreted').prepare();
    const segment = (address: number, length: number): Segment => ({ address, bytes: memory.peek(address, length) });
    const segments = [
      segment(codeAddress, codeSize),
      segment(dataAddress, readOnlyAddress - dataAddress),
      segment(stackAddress, stackSize),
      segment(tableAddress, tableSize),
    ];
    return { segments, state };
  }

  /** Ends the watchdog. */
  close(): void {
    this.watchdog.close();
  }
}

/** The engines that translate. */
export const translatedEngines = Object.keys(policies) as (keyof typeof policies)[];

function createLimitedEngine(name: EngineName, program: Program, options: EngineOptions): Engine {
  const translated = translatedEngines.find((each) => each === name);
  if (translated === undefined) return createEngine(name, options);
  const { threshold, ...limits } = program.limits;
  const policy = { ...policies[translated], ...limits };
  // Half of the programs have regions of all code, not only of what the interpreter has seen run.
  if (policy.profiled && program.seed % 2 === 0) {
    return new TranslatedEngine(translated, options, {
      ...policy,
      profiled: false,
      largeFunction: Number.POSITIVE_INFINITY,
      translateAtOnce: true,
    });
  }
  return new TranslatedEngine(translated, options, policy.translateAtOnce ? policy : { ...policy, threshold });
}

class Run {
  private readonly memory: AddressSpace;
  private readonly state: State;
  private readonly program: Program;
  private readonly engine: Engine;
  private readonly stops: Stop[] = [];
  private readonly code: Uint8Array;
  private round = 0;
  private ended = false;
  private ticks = 0;
  private patched = 0;
  private endless = false;

  constructor(machine: FuzzMachine, program: Program, name: EngineName, translations?: ProgramStore) {
    this.memory = machine.memory;
    this.state = machine.state;
    this.program = program;
    this.code = bytesOf(program.words);
    this.engine = createLimitedEngine(name, program, {
      frontend: powerpc,
      memory: machine.memory,
      countInstructions: false,
      translations: translations === undefined ? undefined : () => translations,
      host: {
        systemCall: () => this.systemCall(),
        symbolAt: (address) => program.symbols.find(({ start, size }) => address >= start && address < start + size),
        timeBase: () => this.timeBase(),
      },
    });
    this.memory.onCodeChange = (start, length) => this.engine.invalidate(start, length);
  }

  run(): Outcome {
    const { program, engine } = this;
    this.fillMemory();
    if (program.preciseFaults) engine.requirePreciseFaults();
    let error: unknown;
    try {
      for (; this.round < program.rounds && this.stops.length < stopLimit && !this.endless; this.round++) {
        this.runRound();
      }
    } catch (thrown) {
      error = thrown;
    }
    engine.close();
    const { memory } = this;
    const memories = [
      memory.peek(dataAddress, readOnlyAddress + 0x1000 - dataAddress),
      memory.peek(lastDataAddress, dataEnd - lastDataAddress),
      memory.peek(stackAddress, stackSize),
      memory.peek(codeAddress, codeSize),
    ];
    return {
      stops: this.stops,
      memory: Buffer.concat(memories),
      statistics: engine.statistics,
      endless: this.endless,
      error,
    };
  }

  prepare(): void {
    this.fillMemory();
    this.fillRegisters();
  }

  private fillMemory(): void {
    const { memory, program } = this;
    const next = generator(program.seed + 1);
    memory.map(codeAddress, codeSize, this.codeProtection);
    memory.poke(codeAddress, this.code);
    memory.map(dataAddress, dataEnd - dataAddress, read | write);
    for (let at = dataAddress; at < dataEnd; at += 4) memory.writeU32(at, (next() & 3) === 0 ? next() & 0xff : next());
    memory.protect(readOnlyAddress, 0x1000, read);
    memory.unmap(readOnlyAddress + 0x1000, 0x1000);
    memory.map(tableAddress, tableSize, read);
    memory.poke(tableAddress, bytesOf(program.tables));
    memory.map(stackAddress, stackSize, read | write);
  }

  private get codeProtection(): number {
    return read | execute | (this.program.writableCode ? write : 0);
  }

  private fillRegisters(): void {
    const { state, program } = this;
    const next = generator(program.seed + 2 + 7919 * this.round);
    state.i32.fill(0, ...registerWords);
    state.set('reserve.address', -1);
    for (const number of general) state.set(`r${number}`, (next() & 1) === 0 ? next() : (next() << 24) >> 24);
    for (const [number, value] of bases) state.set(`r${number}`, value | 0);
    state.set(`r${register.stack}`, stackStart);
    state.set(`r${register.index}`, below(next, 32) - 16);
    state.set(`r${register.fuel}`, program.fuel[this.round % program.fuel.length]);
    for (const { name, bit } of registerPlaces) if (bit) state.set(name, next() & 1);
    state.set('ctr', (next() & 3) === 0 ? next() : below(next, 20));
    state.set('xer.count', below(next, 32));
    for (let number = 0; number < floatingCount; number++) {
      if ((next() & 7) === 0)
        state.f64.set(nans.subarray(next() & 3).subarray(0, 1), state.register(`f${number}`).index);
      else state.set(`f${number}`, randomDouble(next));
    }
  }

  private runRound(): void {
    const { state, engine, memory, program } = this;
    this.fillRegisters();
    this.ended = false;
    state.pc = codeAddress;
    for (let stretches = 0; !this.ended && this.stops.length < stopLimit; stretches++) {
      if (stretches > 100_000) this.endless = true;
      if (this.endless) return;
      engine.run(state);
      const reason = exitReasons[state.i32[header.exit >> 2]];
      if (reason === 'interrupt') {
        if ((state.i32[header.interrupt >> 2] & tooLong) !== 0) {
          this.endless = true;
          return;
        }
        state.i32[header.interrupt >> 2] = 0;
        continue;
      }
      if (reason === 'none' || reason === 'system_call') {
        if (this.ended) this.note(reason === 'none' ? 'none' : reason);
        continue;
      }
      const isExecute = reason === 'fault' && state.i32[header.access >> 2] === execute;
      // Where faults need not be precise the code from here on may rely on the instruction that faulted: not continued.
      const isFinal = reason === 'fault' && !isExecute && !program.preciseFaults;
      if (isFinal) for (const { name } of unpinnedPlaces) state.set(name, 0);
      this.note(reason);
      if (isFinal) return;
      if (isExecute && state.pc >= codeAddress && state.pc < codeAddress + codeSize) {
        memory.protect(codeAddress, codeSize, this.codeProtection);
      } else if (state.pc >= codeAddress && state.pc < codeAddress + 4 * program.words.length) {
        state.pc += 4;
      } else {
        return;
      }
    }
  }

  private note(reason: Stop['reason']): void {
    const { state, program, round } = this;
    const registers = state.i32.slice(...registerWords);
    if (!program.exactFloatingPoint) registers[fpscrAt] &= controlBits;
    const counts = detailed.has(reason);
    this.stops.push({
      round,
      reason: reason === 'system_call' ? 'none' : reason,
      pc: state.pc,
      detail: counts ? state.i32[header.detail >> 2] : 0,
      access: reason === 'fault' ? state.i32[header.access >> 2] : 0,
      registers,
    });
  }

  private timeBase(): { low: number; high: number } {
    this.ticks++;
    if (this.program.interrupts && this.ticks % 3 === 0) this.interrupt();
    return { low: Math.imul(this.ticks, 0x01234567), high: this.ticks };
  }

  private interrupt(): void {
    Atomics.or(this.state.i32, header.interrupt >> 2, 1);
  }

  /** Serves the event that r0 names. */
  private systemCall(): boolean {
    const { state, memory, program, engine } = this;
    const event = events[state.get('r0')] ?? 'end';
    switch (event) {
      case 'end':
        this.ended = true;
        return false;
      case 'leave':
        return false;
      case 'interrupt':
        this.interrupt();
        return true;
      case 'patch':
        this.patch();
        return true;
      case 'protect':
        memory.protect(codeAddress, codeSize, read | write);
        memory.protect(codeAddress, codeSize, this.codeProtection);
        return true;
      case 'remap':
        memory.map(codeAddress, codeSize, this.codeProtection);
        memory.poke(codeAddress, this.code);
        return true;
      case 'forbid':
        memory.protect(codeAddress, codeSize, read | write);
        return true;
      case 'precise':
        if (program.preciseFaults) engine.requirePreciseFaults();
        return true;
      case 'invalidate':
        engine.invalidate(codeAddress, codeSize);
        return true;
    }
  }

  /** The host writes over the code, as a debugger does. */
  private patch(): void {
    const { patches } = this.program;
    if (patches.length === 0) return;
    const { at, word } = patches[(this.patched += 5) % patches.length];
    this.memory.poke(codeAddress + 4 * at, bytesOf([word]));
  }
}

/** Words as big-endian bytes. */
export function bytesOf(words: readonly number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(4 * words.length));
  words.forEach((word, at) => {
    view.setUint32(4 * at, word);
  });
  return new Uint8Array(view.buffer);
}
