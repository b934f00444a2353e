/**
 * The virtualized engine: an x86-64 guest's instructions run on the processor itself, in ring 3 of a virtual machine
 * whose memory is the guest's own address space. What they cannot do by themselves (system calls, faults) ends in the
 * engine (system-area.ts), which serves it from the same personality as for every other engine.
 */
import { type ExitReason, exitCode } from '../../../translators/ir/operations.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import { pageShift, permission } from '../../../translators/memory-view.ts';
import { rcx, rsp } from '../../../translators/x86/registers.ts';
import { flagsWord, setFlagsWord } from '../../../translators/x86/state-image.ts';
import { effectiveProtection, type GuestMemory } from '../../memory/guest-memory.ts';
import type { Engine, EngineHost } from '../engine.ts';
import { raisedExceptions } from '../raised-exceptions.ts';
import { EngineStatistics } from '../statistics.ts';
import { FloatingPointImage } from './floating-point-image.ts';
import { HypervisorError, type VirtualMachine, type VirtualProcessor } from './hypervisor.ts';
import { identification } from './identification.ts';
import {
  fillSystemRegisters,
  kvmExit,
  ProcessorState,
  systemCallRegisters,
  systemRegistersSize,
} from './processor-state.ts';
import { ports, SystemArea, systemCallStub, systemCallStubLength, systemPhysical, systemSize } from './system-area.ts';

const wasmPage = 65536;
/** Slots of the machine's memory. */
const slots = { guest: 0, system: 1 } as const;
const r11 = 11;

/** Exceptions that come with an error code on top of their frame, by number (SDM volume 3, table 6-1). */
const withErrorCode = new Set([8, 10, 11, 12, 13, 14, 17, 21]);
const illegalInstruction = 6;
const pageFault = 14;
/** The first byte of `int n`, and the number of Linux's system calls. */
const interruptInstruction = 0xcd;
const systemCallInterrupt = 0x80;
/** Bits of the error code of a page fault: a write, fetching an instruction. */
const errorWrite = 2n;
const errorFetch = 16n;

/** What exceptions are to the personality; a page fault is looked at more closely. */
const exceptionReasons: Readonly<Record<number, ExitReason>> = {
  0: 'divide',
  1: 'trap',
  3: 'breakpoint',
  4: 'overflow',
  5: 'bound',
  6: 'illegal',
  11: 'protection',
  // An address that is not canonical, in the stack segment: the frontend tells so.
  12: 'wide_address',
  13: 'protection',
  16: 'floating_point',
  17: 'misaligned',
  19: 'floating_point',
};

export interface VirtualizedOptions {
  readonly machine: VirtualMachine;
  readonly memory: GuestMemory;
  readonly host: EngineHost;
}

export class VirtualizedEngine implements Engine {
  readonly name = 'virtualized';
  readonly statistics = new EngineStatistics();
  private readonly options: VirtualizedOptions;
  private readonly processor: VirtualProcessor;
  private readonly shared: ProcessorState;
  private readonly area: SystemArea;
  private readonly floatingPoint = new FloatingPointImage();
  /** Bases of FS and GS that the processor has. */
  private fsBase = 0n;
  private gsBase = 0n;
  /** An address whose fault was not the guest's: if it comes again, it is. */
  private lastRepeated = -1n;

  /** @throws HypervisorError when the host refuses what the machine needs */
  constructor(options: VirtualizedOptions) {
    this.options = options;
    const { machine, memory } = options;
    const pages = Math.ceil((systemSize + machine.sharedSize) / wasmPage);
    // Whole pages that stay where they are.
    const own = new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
    this.area = new SystemArea(new Uint8Array(own.buffer, 0, systemSize));
    this.giveMemory();
    const shared = new Uint8Array(own.buffer, systemSize, machine.sharedSize);
    this.processor = machine.createProcessor(shared);
    this.processor.setIdentification(identification());
    const system = new Uint8Array(systemRegistersSize);
    this.processor.getSystemRegisters(system);
    fillSystemRegisters(system, this.area);
    this.processor.setSystemRegisters(system);
    this.processor.setModelSpecificRegisters(systemCallRegisters(systemCallStub));
    this.shared = new ProcessorState(shared, system);
    for (const { start, end, protection } of memory.mappings()) this.setPages(start, end, protection);
    memory.onPermissionChange = (start, end, protection) => this.setPages(start, end, protection);
  }

  run(state: State): void {
    const { host } = this.options;
    const { shared, processor, statistics } = this;
    const words = state.i32;
    words[header.exit >> 2] = exitCode.none;
    this.load(state);
    for (;;) {
      if (words[header.interrupt >> 2] !== 0) {
        this.leave(state, 'interrupt');
        return;
      }
      if (this.area.pageTables.isStale) this.renewPageTables();
      if (processor.run() === 'interrupted') {
        statistics.countExit('interrupted');
        continue;
      }
      if (shared.exitReason !== kvmExit.io) {
        throw new HypervisorError(`the processor stopped for a reason that is not known here (${shared.exitReason})`);
      }
      if (shared.port !== ports.systemCall) {
        if (this.exception(state, shared.port - ports.exception)) return;
        continue;
      }
      const inRing3 = shared.isUser;
      if (inRing3 && shared.rip !== systemCallStub + systemCallStubLength) {
        // The guest's own `out` to the port that the stub is allowed to use: to a program it is forbidden.
        shared.rip -= systemCallStubLength;
        this.leave(state, 'protection');
        return;
      }
      statistics.countExit('system call');
      shared.rip = shared.general(rcx);
      shared.flags = shared.general(r11);
      this.storeGeneral(state);
      words[header.exit >> 2] = exitCode.system_call;
      if (!host.systemCall(state)) {
        this.storeRest(state);
        return;
      }
      words[header.exit >> 2] = exitCode.none;
      this.loadGeneral(state);
      if (!inRing3) shared.enterUser();
    }
  }

  /** The processor sees that code changes. */
  invalidate(): void {}

  /** The processor's faults are always precise. */
  requirePreciseFaults(): void {}

  close(): void {
    this.options.memory.onPermissionChange = () => {};
    this.options.machine.close();
  }

  // -- exceptions

  /** @returns whether the personality must look at it */
  private exception(state: State, vector: number): boolean {
    const { shared, area } = this;
    const frame = shared.general(rsp);
    const hasError = withErrorCode.has(vector);
    const error = hasError ? area.frameWord(frame, 0) : 0n;
    const first = hasError ? 1 : 0;
    // The frame: instruction pointer, code segment, flags, stack pointer, stack segment.
    shared.rip = area.frameWord(frame, first);
    shared.flags = area.frameWord(frame, first + 2);
    shared.setGeneral(rsp, area.frameWord(frame, first + 3));
    shared.enterUser();
    this.statistics.countExit(vector === pageFault ? 'page fault' : 'exception');
    if (vector === pageFault) return this.pageFault(state, error);
    if (vector === ports.interrupt80 - ports.exception) {
      this.leave(state, 'software_interrupt', Number(shared.rip));
      return true;
    }
    if (vector === illegalInstruction && this.byteAt(shared.rip) === interruptInstruction) {
      // A paravirtualized KVM makes every `int n` illegal.
      this.softwareInterrupt(state);
      return true;
    }
    const reason = exceptionReasons[vector];
    if (reason === undefined) throw new HypervisorError(`exception ${vector} came at 0x${shared.rip.toString(16)}`);
    this.leave(state, reason, Number(error));
    if (reason === 'floating_point') state.i32[header.detail >> 2] = raisedExceptions(this.floatingPoint.bytes);
    return true;
  }

  /** At an `int n`: only that of Linux's system calls is a program's to use. */
  private softwareInterrupt(state: State): void {
    const { shared } = this;
    const number = this.byteAt(shared.rip + 1n);
    if (number !== systemCallInterrupt) {
      this.leave(state, 'protection');
      return;
    }
    shared.rip += 2n;
    this.leave(state, 'software_interrupt', Number(shared.rip));
  }

  /** A byte of the guest's code; undefined where there is none. */
  private byteAt(address: bigint): number | undefined {
    const { memory } = this.options;
    return memory.allows(Number(address), 1, permission.read) ? memory.readU8(Number(address)) : undefined;
  }

  private pageFault(state: State, error: bigint): boolean {
    const address = this.shared.faultAddress;
    const access =
      (error & errorWrite) !== 0n
        ? permission.write
        : (error & errorFetch) !== 0n
          ? permission.execute
          : permission.read;
    if (address >> 32n !== 0n) {
      this.leave(state, 'wide_address');
      return true;
    }
    // The host may have known less than the tables say by now.
    const { memory } = this.options;
    if (memory.allows(Number(address), 1, access) && !this.repeats(address)) return false;
    state.i32[header.access >> 2] = access;
    this.leave(state, 'fault', Number(address));
    return true;
  }

  /** Whether the same address faults once more though it is allowed. */
  private repeats(address: bigint): boolean {
    const isSame = this.lastRepeated === address;
    this.lastRepeated = isSame ? -1n : address;
    return isSame;
  }

  // -- memory

  private giveMemory(): void {
    const { machine, memory } = this.options;
    machine.setMemory(slots.guest, memory.minimum, memory.guestPages());
    machine.setMemory(slots.system, systemPhysical, this.area.bytes);
  }

  private setPages(start: number, end: number, protection: number): void {
    const bits = effectiveProtection(protection);
    this.area.pageTables.setPages(start >>> pageShift, end >>> pageShift, {
      read: bits !== 0,
      write: (bits & permission.write) !== 0,
      execute: (bits & permission.execute) !== 0,
    });
  }

  private renewPageTables(): void {
    const { pageTables } = this.area;
    if (!pageTables.renew()) {
      const { machine, memory } = this.options;
      machine.removeMemory(slots.guest, memory.minimum);
      machine.removeMemory(slots.system, systemPhysical);
      this.giveMemory();
    }
    this.shared.setPageTableRoot(pageTables.root);
    this.statistics.countExit('page tables renewed');
  }

  // -- registers

  /** Leaves with a reason; the registers are the guest's. */
  private leave(state: State, reason: ExitReason, detail = 0): void {
    this.storeGeneral(state);
    this.storeRest(state);
    state.i32[header.exit >> 2] = exitCode[reason];
    state.i32[header.detail >> 2] = detail;
  }

  /** From the state block to the processor, in ring 3. */
  private load(state: State): void {
    this.loadGeneral(state);
    this.shared.flags = BigInt(flagsWord(state));
    this.floatingPoint.load(state);
    this.processor.setFloatingPoint(this.floatingPoint.bytes);
    this.shared.enterUser();
  }

  /** What system calls change. */
  private loadGeneral(state: State): void {
    const { shared } = this;
    for (let number = 0; number < 16; number++) shared.setGeneral(number, state.i64[this.generalIndex(state) + number]);
    shared.rip = BigInt(state.pc);
    shared.markRegisters();
    const fs = state.i64[state.register('fs.base').index];
    const gs = state.i64[state.register('gs.base').index];
    if (fs === this.fsBase && gs === this.gsBase) return;
    this.fsBase = fs;
    this.gsBase = gs;
    shared.setBases(fs, gs);
  }

  /** What system calls look at. */
  private storeGeneral(state: State): void {
    const { shared } = this;
    for (let number = 0; number < 16; number++) state.i64[this.generalIndex(state) + number] = shared.general(number);
    state.pc = Number(shared.rip & 0xffff_ffffn);
  }

  private storeRest(state: State): void {
    setFlagsWord(state, Number(this.shared.flags & 0xffff_ffffn));
    this.processor.getFloatingPoint(this.floatingPoint.bytes);
    this.floatingPoint.store(state);
  }

  private generalIndex(state: State): number {
    return state.file.registers[0].index;
  }
}
