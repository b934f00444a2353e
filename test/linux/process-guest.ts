/** A process without an engine: system calls are made directly, time stands still unless a test moves it. */

import type { Engine } from '../../src/engines/engine.ts';
import { NodeFiles } from '../../src/host/node-files.ts';
import { NodeSystem } from '../../src/host/node-system.ts';
import type { Ticker } from '../../src/host/system.ts';
import { powerpc } from '../../src/linux/abi/powerpc.ts';
import { Dispatcher } from '../../src/linux/dispatch.ts';
import { Files } from '../../src/linux/files.ts';
import { Process } from '../../src/linux/process.ts';
import { powerpcSignals } from '../../src/linux/signal-frame-powerpc.ts';
import { startThread } from '../../src/linux/startup.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { header, State } from '../../translators/ir/state.ts';
import { powerpcRegisters } from '../../translators/powerpc/registers.ts';

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

export function createProcess(options: { arguments?: string[]; environment?: string[]; stackLimit?: number } = {}) {
  const memory = new AddressSpace('big');
  memory.map(programAddress, programSize, 7);
  const system = new StillSystem();
  const files = new Files({ host: new NodeFiles(), abi: powerpc });
  const { stackLimit } = options;
  const process = new Process({ memory, system, files, signalAbi: powerpcSignals, stackLimit });
  const state = new State(powerpcRegisters, memory.buffer, memory.allocateStateBlock());
  const thread = startThread(process, state, {
    program,
    arguments: (options.arguments ?? ['program']).map(encode),
    environment: (options.environment ?? []).map(encode),
    path: encode('/bin/program'),
  });
  const dispatcher = new Dispatcher(thread, powerpc);

  /** Makes a call through the registers, as guest code would. @returns the result, an error negated */
  const result = (): number => (state.get('cr0.so') !== 0 ? -state.get('r3') : state.get('r3') >>> 0);
  const begin = (name: string, args: readonly number[]): boolean => {
    const entry = dispatcher.table.find((each) => each?.row.name === name);
    if (entry === undefined) throw new RangeError(`there is no system call ${name}`);
    state.set('r0', entry.number);
    for (let i = 0; i < 6; i++) state.set(`r${i + 3}`, args[i] ?? 0);
    return dispatcher.dispatch();
  };
  const call = (name: string, ...args: number[]): number => {
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
