/** One machine of `stele machines`, in its thread: makes the guest, runs it, and does what the supervisor asks for. */
import { header } from '../../translators/ir/state.ts';
import { ElfError } from '../elf/elf-error.ts';
import { EngineUnavailable } from '../engines/create-engine.ts';
import { createVirtualMachine } from '../host/kvm.ts';
import { MachineFiles } from '../host/machine-files.ts';
import { type Keeper, MachineSystem } from '../host/machine-system.ts';
import { onWake, sendToSupervisor } from '../host/machine-threads.ts';
import { findHostPages } from '../host/page-protection.ts';
import { startTracedProcess } from '../host/ptrace.ts';
import { openNowhere } from '../host/redirected-files.ts';
import { compileHinted } from '../host/tiering.ts';
import { HostDirectory } from '../linux/file-host.ts';
import { resource } from '../linux/limits.ts';
import type { ExitStatus } from '../linux/process.ts';
import { runThread } from '../linux/run.ts';
import { signalCode, signalNumbers } from '../linux/signals.ts';
import { Control, request } from '../machines/control.ts';
import type { Ending, MachineData, MachineMessage } from '../machines/messages.ts';
import { NoMemoryError } from '../memory/address-space.ts';
import { fatalReport } from './fatal-report.ts';
import { createGuest, type Guest } from './guest.ts';
import { openBlockStore, openTranslationStore } from './program-stores.ts';

const send = (message: MachineMessage, moved: readonly ArrayBuffer[] = []): void => sendToSupervisor(message, moved);

/** Runs the machine to its end, and tells the supervisor how it ended. */
export async function runMachine(data: MachineData): Promise<void> {
  const machine = new Machine(data);
  const ending = await machine.run();
  send({ kind: 'ended', ending });
}

class Machine implements Keeper {
  private readonly data: MachineData;
  private readonly control: Control;
  private guest: Guest | undefined;
  private readonly system: MachineSystem;
  private readonly files: MachineFiles;
  /** Processor time that the thread had used when the guest began. */
  private before = 0;
  private written = 0;
  private exceeded = false;

  constructor(data: MachineData) {
    this.data = data;
    this.control = new Control(data.control);
    this.system = new MachineSystem(this);
    const nowhere = openNowhere();
    this.files = new MachineFiles({
      descriptors: new Map(data.descriptors.map((descriptor, standard) => [standard, descriptor ?? nowhere])),
      pipes: new Set([1, 2].filter((standard) => data.descriptors[standard] === undefined)),
      take: (descriptor, bytes) => this.take(descriptor, bytes),
      mask: data.mask,
    });
  }

  async run(): Promise<Ending> {
    let guest: Guest;
    try {
      guest = this.create();
    } catch (error) {
      if (error instanceof NoMemoryError) {
        return {
          kind: 'unable',
          reason: `its memory cannot be made: ${error.message} ("stele doctor" tells what to do)`,
        };
      }
      if (error instanceof ElfError) return { kind: 'unable', reason: error.message };
      if (!(error instanceof EngineUnavailable)) throw error;
      return { kind: 'unable', reason: `the engine ${this.data.engine} cannot run it: ${error.message}` };
    }
    const { memoryLimit } = this.data;
    const needed = guest.memory.mappedBytes;
    if (memoryLimit !== undefined && needed > memoryLimit) {
      guest.engine.close();
      return {
        kind: 'unable',
        reason: `it takes ${needed} bytes of memory to begin with, and its limit is ${memoryLimit}`,
      };
    }
    this.guest = guest;
    this.before = this.threadTime();
    const { state } = guest.thread;
    send({ kind: 'started', words: state.i32, interrupt: header.interrupt >> 2 });
    const endWakes = onWake(() => this.serve());
    this.look();
    let status: ExitStatus;
    try {
      status = await runThread(guest.thread, guest.engine);
    } finally {
      endWakes();
    }
    this.publish();
    guest.engine.close();
    if (this.exceeded) return { kind: 'output' };
    if (status.kind === 'signal' && status.core) {
      this.files.write(2, new TextEncoder().encode(fatalReport(status, guest)), undefined);
    }
    const wasRefusedMemory = guest.process.limits.reached.has(resource.AS);
    return status.kind === 'exit'
      ? { kind: 'exit', code: status.code, wasRefusedMemory }
      : { kind: 'signal', signal: status.signal, pc: status.pc, wasRefusedMemory };
  }

  // -- what the guest's system tells

  look(): void {
    this.publish();
    do {
      this.control.awaitPermit();
      this.serve();
    } while (!this.control.isPermitted && this.guest?.process.exitStatus === undefined);
  }

  setWaiting(waiting: boolean): void {
    if (waiting) this.publish();
    this.control.isWaiting = waiting;
    if (!waiting) this.look();
  }

  signal(signal: number): void {
    this.guest?.process.signals.send({ signal, code: signalCode.SI_USER, pid: 0, uid: 0 });
  }

  cpuTimeElsewhere(): number {
    return this.guest?.engine.cpuTimeElsewhere?.() ?? 0;
  }

  // -- the supervisor

  /** Does what was asked for. */
  private serve(): void {
    const asked = this.control.takeRequests();
    if ((asked & request.end) !== 0) this.end();
    if ((asked & request.interrupt) !== 0) this.signal(signalNumbers.SIGINT);
    if ((asked & request.terminate) !== 0) this.signal(signalNumbers.SIGTERM);
  }

  /** Ends the guest as SIGKILL does. */
  private end(): void {
    const { SIGKILL: signal } = signalNumbers;
    const { pc } = this.guest!.thread.state;
    this.guest!.process.exit({
      kind: 'signal',
      signal,
      core: false,
      pc,
      code: 0,
      address: undefined,
      sender: undefined,
    });
  }

  private publish(): void {
    const { guest } = this;
    if (guest === undefined) return;
    this.control.usage = {
      cpu: this.threadTime() - this.before,
      memory: guest.memory.mappedBytes,
      peakMemory: guest.memory.mostMappedBytes,
      systemCalls: guest.dispatcher.calls,
      output: this.written,
    };
  }

  private threadTime(): number {
    const { user, system } = this.system.threadCpuTime();
    return user + system;
  }

  // -- output

  /** Counts what the guest writes, and sends it where nothing else is behind the descriptor. @returns bytes that count as written */
  private take(descriptor: 1 | 2, bytes: Uint8Array): number {
    const { outputLimit = Number.POSITIVE_INFINITY, descriptors } = this.data;
    const length = Math.min(bytes.length, outputLimit - this.written);
    this.written += length;
    if (length < bytes.length && !this.exceeded) {
      this.exceeded = true;
      this.end();
    }
    if (descriptors[descriptor] === undefined && length > 0) {
      const copy = bytes.slice(0, length);
      this.control.wrote(length);
      send({ kind: 'output', descriptor, bytes: copy }, [copy.buffer as ArrayBuffer]);
    }
    return length;
  }

  // -- the guest

  private create(): Guest {
    const { data, system, files: fileHost } = this;
    const { cache, file, path } = data;
    const guest = createGuest({
      file,
      path,
      arguments: data.arguments,
      environment: data.environment,
      system,
      fileHost,
      root: data.root,
      stackLimit: 8 << 20,
      memoryLimit: data.memoryLimit,
      findHostPages: (memory) => {
        const pages = findHostPages(memory);
        return 'reason' in pages ? pages : { ...pages, mostMappings: data.mostMappings };
      },
      compile: compileHinted,
      engine: data.engine,
      createVirtualMachine,
      startTracedProcess,
      measure: false,
      translations: cache && (() => openTranslationStore(file, path, cache)),
      blocks: cache && (() => openBlockStore(path, cache)),
    });
    if (data.directory !== undefined) {
      const descriptor = fileHost.open(data.directory, { read: true, directory: true });
      const access = { read: true, write: false };
      guest.process.files.changeDirectory(new HostDirectory(fileHost, descriptor, 0, access));
    }
    return guest;
  }
}
