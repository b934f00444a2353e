/** A process without an engine: system calls are made directly, time stands still unless a test moves it. */

import type { Engine } from '../../src/engines/engine.ts';
import { NodeFiles } from '../../src/host/node-files.ts';
import { NodeSystem } from '../../src/host/node-system.ts';
import type { Ticker } from '../../src/host/system.ts';
import { i386 } from '../../src/linux/abi/i386.ts';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { x86_64 } from '../../src/linux/abi/x86-64.ts';
import { Dispatcher } from '../../src/linux/dispatch.ts';

import { Files } from '../../src/linux/files.ts';
import { Process } from '../../src/linux/process.ts';
import { i386Signals } from '../../src/linux/signal-frame-i386.ts';
import { powerpcSignals } from '../../src/linux/signal-frame-powerpc.ts';
import { x86_64Signals } from '../../src/linux/signal-frame-x86-64.ts';
import { startThread } from '../../src/linux/startup.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { header, State } from '../../translators/ir/state.ts';
import { powerpcRegisters } from '../../translators/powerpc/registers.ts';
import { i386Registers, x86_64Registers } from '../../translators/x86/registers.ts';

/** A system whose clocks only move when told. Waiting callers are called back in order of their times. */
export class StillSystem extends NodeSystem {
  override readonly processId = 4242;
  now = 1_000_000_000;
  cpu = { user: 0, system: 0 };
  readonly sent: [pid: number, signal: number][] = [];
  readonly heard = new Map<number, () => void>();
  tickers = 0;
  private waiting: { time: number; callback: () => void }[] = [];

  override realTime() {
    return { seconds: 1_700_000_000 + Math.floor(this.now / 1e9), nanoseconds: this.now % 1e9 };
  }
  override monotonicTime() {
    return this.now;
  }
  override processCpuTime() {
    return this.cpu;
  }
  override threadCpuTime() {
    return this.cpu;
  }
  override pause(nanoseconds: number) {
    this.now += nanoseconds;
  }
  override credentials() {
    return { uid: 1000, effectiveUid: 1000, gid: 100, effectiveGid: 100, groups: [100, 27] };
  }
  override get parentId() {
    return 41;
  }
  override processIds(pid: number) {
    return pid === this.processId ? { group: 4240, session: 4000 } : undefined;
  }
  override fillRandom(bytes: Uint8Array) {
    bytes.fill(0x5a);
  }
  override kill(pid: number, signal: number) {
    this.sent.push([pid, signal]);
    return 0;
  }
  override onSignal(signal: number, listener: (() => void) | undefined) {
    if (listener === undefined) this.heard.delete(signal);
    else this.heard.set(signal, listener);
    return true;
  }
  override startTicker(): Ticker {
    this.tickers++;
    return { setDeadline() {}, stop() {} };
  }
  override after(nanoseconds: number, callback: () => void) {
    const entry = { time: this.now + nanoseconds, callback };
    this.waiting.push(entry);
    return () => {
      this.waiting = this.waiting.filter((each) => each !== entry);
    };
  }
  /** Lets time pass, calling back whoever waited for it. */
  async advance(nanoseconds: number): Promise<void> {
    const end = this.now + nanoseconds;
    for (;;) {
      const [next] = this.waiting.filter(({ time }) => time <= end).sort((a, b) => a.time - b.time);
      if (next === undefined) break;
      this.now = Math.max(this.now, next.time);
      this.waiting = this.waiting.filter((each) => each !== next);
      next.callback();
      await this.yieldToEvents();
    }
    this.now = end;
    await this.yieldToEvents();
  }
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Where tests find memory of the program: readable, writable and executable. */
export const programAddress = 0x10000000;
export const programSize = 0x10000;

const program = {
  entry: programAddress + 0x100,
  programHeadersAddress: programAddress + 52,
  programHeaderCount: 4,
  programHeaderSize: 32,
  bias: 0,
  breakStart: programAddress + programSize,
  stackExecutable: false,
};

export type TestProcess = ReturnType<typeof createProcess>;

/** How each ABI's calls are made: registers of number, arguments and result. */
const conventions = {
  powerpc: { abi: powerpc, signals: powerpcSignals, file: powerpcRegisters, registers: 'r0 r3 r4 r5 r6 r7 r8' },
  i386: { abi: i386, signals: i386Signals, file: i386Registers.file, registers: 'eax ebx ecx edx esi edi ebp' },
  'x86-64': { abi: x86_64, signals: x86_64Signals, file: x86_64Registers.file, registers: 'rax rdi rsi rdx r10 r8 r9' },
} as const;

/** Sets a register of one word; a 64-bit one as a whole. */
export function setWord(state: State, name: string, value: number | bigint): void {
  const { type, index } = state.register(name);
  if (type === 'i64') state.i64[index] = BigInt(value);
  else state.i32[index] = Number(BigInt.asIntN(32, BigInt(value)));
}

/** A register of one word, unsigned. */
export function wordOf(state: State, name: string): number {
  const { type, index } = state.register(name);
  return type === 'i64' ? Number(BigInt.asUintN(64, state.i64[index])) : state.i32[index] >>> 0;
}

interface TestProcessOptions {
  abi?: keyof typeof conventions;
  arguments?: string[];
  environment?: string[];
  stackLimit?: number;
  /** Bytes of address space that it may have. */
  memoryLimit?: number;
}

export function createProcess(options: TestProcessOptions = {}) {
  const { abi, signals, file, registers } = conventions[options.abi ?? 'powerpc'];
  const [numberRegister, ...argumentRegisters] = registers.split(' ');
  const memory = new AddressSpace(abi.model.byteOrder);
  memory.map(programAddress, programSize, 7);
  const system = new StillSystem();
  const files = new Files({ host: new NodeFiles(), abi });
  const { stackLimit, memoryLimit } = options;
  const process = new Process({
    memory,
    system,
    files,
    signalAbi: signals,
    limits: { stack: stackLimit, addressSpace: memoryLimit },
  });
  const state = new State(file, memory.buffer, memory.allocateStateBlock());
  const thread = startThread(process, state, {
    program,
    arguments: (options.arguments ?? ['program']).map(encode),
    environment: (options.environment ?? []).map(encode),
    path: encode('/bin/program'),
  });
  const dispatcher = new Dispatcher(thread, abi);

  /** Makes a call through the registers, as guest code would. @returns the result, an error negated */
  const result = (): number => {
    const error = signals.callError(thread);
    return error !== 0 ? -error : wordOf(state, abi.name === 'powerpc' ? 'r3' : numberRegister);
  };
  const begin = (name: string, args: readonly (number | bigint)[]): boolean => {
    const entry = dispatcher.table.find((each) => each?.row.name === name);
    if (entry === undefined) throw new RangeError(`there is no system call ${name}`);
    setWord(state, numberRegister, entry.number);
    argumentRegisters.forEach((register, i) => {
      setWord(state, register, args[i] ?? 0);
    });
    return dispatcher.dispatch();
  };
  const call = (name: string, ...args: (number | bigint)[]): number => {
    begin(name, args);
    if (thread.waiting !== undefined) throw new Error(`${name} waits`);
    return result();
  };
  /** Makes a call that waits. */
  const callAndWait = async (name: string, ...args: number[]): Promise<number> => {
    begin(name, args);
    await thread.waiting;
    thread.waiting = undefined;
    return result();
  };
  return { memory, system, files, process, state, thread, dispatcher, begin, call, callAndWait, result };
}

/** An engine whose steps a test writes: each does something and says why the engine leaves. */
export function scriptedEngine(steps: ((state: State) => number)[]): Engine {
  return {
    name: 'scripted',
    statistics: undefined as never,
    run(state) {
      const step = steps.shift();
      if (step === undefined) throw new Error('the engine has nothing left to run');
      state.i32[header.exit >> 2] = 0;
      state.i32[header.exit >> 2] = step(state);
    },
    invalidate() {},
    requirePreciseFaults() {},
    close() {},
  };
}
