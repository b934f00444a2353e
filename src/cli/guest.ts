/** Puts a guest together: its memory, program, process, first thread and engine. */

import type { Fetch, Frontend } from '../../translators/frontend.ts';
import { header, State } from '../../translators/ir/state.ts';
import { powerpc as powerpcFrontend } from '../../translators/powerpc/frontend.ts';
import type { ProgramStore } from '../cache/program-store.ts';
import type { RunCost } from '../diagnostics/statistics.ts';
import { LineTable } from '../elf/dwarf-lines.ts';
import { type LoadedProgram, loadElf } from '../elf/load-elf.ts';
import type { Target } from '../elf/machines.ts';
import { type ElfImage, readElf } from '../elf/read-elf.ts';
import { SymbolTable } from '../elf/symbols.ts';
import { createEngine, type EngineName } from '../engines/create-engine.ts';
import type { Engine, EngineHost, EngineOptions, Log } from '../engines/engine.ts';
import type { Inspector } from '../engines/inspection.ts';
import type { StartTracedProcess } from '../engines/traced/traced-process.ts';
import type { CreateVirtualMachine } from '../engines/virtualized/hypervisor.ts';
import type { FileHost } from '../host/host.ts';
import type { System } from '../host/system.ts';
import type { Abi } from '../linux/abi/abi.ts';
import { powerpc as powerpcAbi } from '../linux/abi/powerpc.ts';
import { timeBase } from '../linux/clocks.ts';
import { type CallObserver, Dispatcher, type RecentCall } from '../linux/dispatch.ts';
import { Files } from '../linux/files.ts';
import { Process } from '../linux/process.ts';
import type { SignalAbi } from '../linux/signal-frame.ts';
import { powerpcSignals } from '../linux/signal-frame-powerpc.ts';
import { startThread } from '../linux/startup.ts';
import type { Thread } from '../linux/thread.ts';
import { AddressSpace } from '../memory/address-space.ts';
import { protection } from '../memory/guest-memory.ts';
import type { FindHostPages } from '../memory/host-protection.ts';
import { x86Architecture } from './x86-architecture.ts';

export interface GuestOptions {
  /** The ELF file's contents. */
  readonly file: Uint8Array;
  /** The path that the program was started by. */
  readonly path: Uint8Array;
  readonly arguments: readonly Uint8Array[];
  /** `NAME=value` */
  readonly environment: readonly Uint8Array[];
  readonly system: System;
  readonly fileHost: FileHost;
  /** Directory that absolute paths are looked up in first. */
  readonly root?: Uint8Array;
  readonly stackLimit: number;
  /** Bytes of address space that the guest may have (RLIMIT_AS). */
  readonly memoryLimit?: number | undefined;
  /** Lets WebAssembly translations leave checks of accesses to the processor. */
  readonly findHostPages?: FindHostPages;
  /** See EngineHost. */
  readonly compile?: EngineHost['compile'];
  /** For the engine `virtualized`. */
  readonly createVirtualMachine?: CreateVirtualMachine;
  /** For the engine `traced`. */
  readonly startTracedProcess?: StartTracedProcess;
  readonly engine: EngineName;
  /** Makes the engine in another way. */
  readonly createEngine?: (name: EngineName, options: EngineOptions) => Engine;
  /** Count guest instructions and measure system calls. */
  readonly measure: boolean;
  /** Called when the program turns out not to be a short one. */
  readonly keepsRunning?: () => void;
  /** Called when much of the run is interpreting or serving system calls. */
  readonly isOwnWork?: () => void;
  readonly observer?: CallObserver;
  readonly log?: Log;
  /** Is shown every translation. */
  readonly inspector?: Inspector;
  /** See EngineOptions. */
  readonly ahead?: boolean;
  /** See EngineOptions. */
  readonly mayBeShort?: boolean;
  /** Where translations of the program are kept from run to run. */
  readonly translations?: () => ProgramStore;
  /** Where interpreter code of the program is kept from run to run. */
  readonly blocks?: () => ProgramStore;
}

export interface Guest {
  readonly image: ElfImage;
  readonly program: LoadedProgram;
  readonly frontend: Frontend;
  readonly memory: AddressSpace;
  readonly process: Process;
  readonly thread: Thread;
  readonly dispatcher: Dispatcher;
  readonly engine: Engine;
  readonly symbols: SymbolTable;
  readonly lines: LineTable;
  /** The last system calls as strace prints them, oldest first. */
  recentCalls(): string[];
}

/** What stands for each ABI that programs can have. */
export interface Architecture {
  readonly frontend: Frontend;
  readonly abi: Abi;
  readonly signals: SignalAbi;
  /** The ABI of calls that another instruction makes. */
  readonly otherAbi?: Abi;
}

const architectures: Readonly<Record<Target['abi'], () => Architecture>> = {
  powerpc: () => ({ frontend: powerpcFrontend, abi: powerpcAbi, signals: powerpcSignals }),
  i386: () => x86Architecture(32),
  'x86-64': () => x86Architecture(64),
};

/** @throws ElfError when the file is not a program that can be run; EngineUnavailable when the engine cannot run it here */
export function createGuest(options: GuestOptions): Guest {
  const { system, log } = options;
  const image = readElf(options.file);
  const { frontend, abi, signals, otherAbi } = architectures[image.target.abi]();
  const memory = new AddressSpace(frontend.byteOrder, options.findHostPages);
  memory.coherentCode = frontend.coherentCode === true;
  const program = loadElf(image, memory, new TextDecoder().decode(options.path));
  const files = new Files({ host: options.fileHost, abi, root: options.root });
  const limits = { stack: options.stackLimit, addressSpace: options.memoryLimit };
  const process = new Process({ memory, system, files, signalAbi: signals, limits });
  const state = new State(frontend.registers, memory.buffer, memory.allocateStateBlock());
  const thread = startThread(process, state, {
    program,
    arguments: options.arguments,
    environment: options.environment,
    path: options.path,
  });
  const dispatchOptions = {
    observer: options.observer,
    measure: options.measure,
    onManyCalls: options.isOwnWork,
    onUnknown: log === undefined ? undefined : (text: string) => log.write('unimp', text),
  };
  const dispatcher = new Dispatcher(thread, abi, dispatchOptions);
  if (otherAbi !== undefined) {
    let other: Dispatcher | undefined;
    process.makeOtherCall = () => {
      other ??= new Dispatcher(thread, otherAbi, dispatchOptions);
      state.pc = state.i32[header.detail >> 2];
      other.dispatch();
    };
  }
  if (frontend.addressBits === 64) {
    process.wideAddress = () => frontend.wideAddress?.(fetchFrom(memory), state.pc, state);
  }
  const symbols = new SymbolTable(image, program.bias);
  const lines = new LineTable(image, program.bias);
  const engine = (options.createEngine ?? createEngine)(options.engine, {
    frontend,
    memory,
    countInstructions: options.measure,
    inspector: options.inspector,
    ahead: options.ahead,
    mayBeShort: options.mayBeShort,
    translations: options.translations,
    createVirtualMachine: options.createVirtualMachine,
    startTracedProcess: options.startTracedProcess,
    blocks: options.blocks,
    host: {
      systemCall: () => dispatcher.dispatch(),
      symbolAt: (address) => symbols.symbolAt(address),
      lineAt: (address) => lines.lineAt(address),
      timeBase: () => timeBase(system),
      keepsRunning: options.keepsRunning,
      isOwnWork: options.isOwnWork,
      poll: system.poll,
      compile: options.compile,
      now: options.measure ? () => performance.now() : undefined,
      log,
    },
  });
  memory.onCodeChange = (start, length) => engine.invalidate(start, length);
  const recentCalls = (): string[] => dispatcher.recentCalls().map(callText);
  return { image, program, frontend, memory, process, thread, dispatcher, engine, symbols, lines, recentCalls };
}

function callText({ name, args, result }: RecentCall): string {
  const values = args.map((value) => (value > 0xffff ? `0x${value.toString(16)}` : String(value)));
  return `${name}(${values.join(', ')})${result === undefined ? '' : ` = ${result}`}`;
}

/** Reads code as a number in the guest's byte order, where the guest may execute it. */
function fetchFrom(memory: AddressSpace): Fetch {
  return (address, length) => {
    if (!memory.allows(address, length, protection.execute)) return undefined;
    const bytes = memory.peek(address, length);
    const ordered = memory.byteOrder === 'big' ? bytes : bytes.toReversed();
    return ordered.reduce((value, byte) => ((value << 8) | byte) >>> 0, 0);
  };
}

/** What a run cost, for statistics. Times are in milliseconds: for loading the program, and for running it. */
export function runCost(guest: Guest, system: System, loadTime: number, runTime: number): RunCost {
  return {
    engineName: guest.engine.name,
    engine: guest.engine.statistics,
    checkedBecause: guest.memory.withoutHostProtection,
    places: guest.symbols,
    runTime,
    loadTime,
    systemCalls: guest.dispatcher.calls,
    systemCallTime: guest.dispatcher.time,
    peakMemory: system.resourceUsage().maximumResident * 1024,
  };
}
