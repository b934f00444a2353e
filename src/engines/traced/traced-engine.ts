/**
 * The traced engine: an x86 guest's instructions run on the processor itself, in a child process whose system calls and
 * faults stop it (ptrace(2)), and are served here. It is native execution with trapped system calls, not
 * virtualization: it needs no KVM, runs i386 programs too, and its stops cost more.
 *
 * The guest's address space is shared with the child by a memory file, at the same addresses.
 */
import type { Frontend } from '../../../translators/frontend.ts';
import { Builder } from '../../../translators/ir/builder.ts';
import { type ExitReason, exitCode, operations } from '../../../translators/ir/operations.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import { Unit } from '../../../translators/ir/unit.ts';
import { permission } from '../../../translators/memory-view.ts';
import { i386Registers, x86_64Registers } from '../../../translators/x86/registers.ts';
import { fxsaveSize, readFxsave, writeFxsave } from '../../../translators/x86/state-image.ts';
import { threadSegments, threadSelector } from '../../../translators/x86/thread-segments.ts';
import { effectiveProtection, type GuestMemory } from '../../memory/guest-memory.ts';
import type { Engine, EngineHost } from '../engine.ts';
import { codeFetcher } from '../guest-code.ts';
import { raisedExceptions } from '../raised-exceptions.ts';
import { EngineStatistics } from '../statistics.ts';
import { type Stop, type TracedProcess, TraceError } from './traced-process.ts';
import { TracedRegisters } from './traced-registers.ts';
import { callAddress, callAddress32 } from './tracee-program.ts';

/** Numbers of the system calls that the child makes for itself. */
const call = { close: 3, mmap: 9, mprotect: 10, setitimer: 38 } as const;
const setThreadArea32 = 243;
/** The timer of setitimer that counts processor time. */
const timerOfProcessorTime = 2;

const mapSharedFixed = 0x11;
const mapPrivateFixedAnonymous = 0x32;
/** A page of the child's own for structures, above the guest's memory and where 32-bit calls reach it. */
const scratch = 0x7fff_0000;
const pageSize = 4096;

/** Milliseconds of its processor time after which the child is stopped, so that signals and timers are looked after. */
const slice = 10;

const signal = { ILL: 4, TRAP: 5, BUS: 7, FPE: 8, SEGV: 11 } as const;
/** Codes of signals that the kernel sends by itself (si_code), and of some that instructions cause. */
const siKernel = 0x80;
const fpeDivide = 1;
const busAlignment = 1;
const trapTrace = 2;

/** Bytes of every instruction that makes a system call, and the first two of `int 0x80` and `syscall`. */
const callLength = 2;
const callBytes = { i386: 0x80cd, 'x86-64': 0x050f } as const;

/** The flags of struct user_desc for flat data: 32-bit, in pages, usable. */
const flatData = 0x51n;

export interface TracedOptions {
  readonly process: TracedProcess;
  readonly frontend: Frontend;
  readonly memory: GuestMemory;
  readonly host: EngineHost;
}

export class TracedEngine implements Engine {
  readonly name = 'traced';
  readonly statistics = new EngineStatistics();
  private readonly options: TracedOptions;
  private readonly is64: boolean;
  private readonly registers: TracedRegisters;
  private readonly floatingPoint = new Uint8Array(fxsaveSize);
  private readonly information = new DataView(new ArrayBuffer(128));
  /** Ranges whose protection the child does not have yet, in the order of their setting. */
  private changed: { start: number; end: number; protection: number }[] = [];
  /** Bases of thread-local segments that the child has. */
  private readonly segments = new Int32Array(threadSegments);

  /** @throws TraceError when the host refuses what the process needs */
  constructor(options: TracedOptions) {
    this.options = options;
    const { process, memory, frontend } = options;
    this.is64 = frontend.addressBits === 64;
    this.registers = new TracedRegisters(this.is64 ? x86_64Registers : i386Registers);
    process.getRegisters(this.registers.bytes);
    this.call(call.mmap, memory.minimum, memory.limit - memory.minimum, 0, mapSharedFixed, process.descriptor, 0);
    this.call(call.close, process.descriptor);
    this.call(call.mmap, scratch, pageSize, permission.read | permission.write, mapPrivateFixedAnonymous, -1, 0);
    // struct itimerval: interval and first time, in seconds and microseconds.
    for (const [n, value] of [0, slice * 1000, 0, slice * 1000].entries()) process.poke(scratch + 8 * n, BigInt(value));
    this.call(call.setitimer, timerOfProcessorTime, scratch, 0);
    for (const { start, end, protection } of memory.mappings()) this.changed.push({ start, end, protection });
    memory.onPermissionChange = (start, end, protection) => this.changed.push({ start, end, protection });
  }

  run(state: State): void {
    const { process, host } = this.options;
    const { registers, statistics, is64 } = this;
    const words = state.i32;
    words[header.exit >> 2] = exitCode.none;
    this.followMemory();
    this.followSegments(state);
    registers.load(state);
    process.setRegisters(registers.bytes);
    writeFxsave(state, this.floatingPoint);
    process.setFloatingPoint(this.floatingPoint);
    for (;;) {
      if (words[header.interrupt >> 2] !== 0) {
        this.leave(state, 'interrupt');
        return;
      }
      const stop = process.resume(true);
      if (stop.kind === 'ended') throw new TraceError(`the traced process was ended by signal ${stop.signal}`);
      if (stop.kind === 'signal') {
        if (this.exception(state, stop)) return;
        continue;
      }
      statistics.countExit('system call');
      process.getRegisters(registers.bytes);
      registers.storeGeneral(state, true);
      const made = this.callAt(state.pc - callLength);
      if (made !== callBytes[is64 ? 'x86-64' : 'i386']) {
        this.otherCall(state, made);
        return;
      }
      words[header.exit >> 2] = exitCode.system_call;
      if (!host.systemCall(state)) {
        this.storeRest(state);
        return;
      }
      words[header.exit >> 2] = exitCode.none;
      if (this.changed.length > 0) this.followMemory();
      this.followSegments(state);
      registers.loadGeneral(state);
      process.setRegisters(registers.bytes);
    }
  }

  /** The processor sees that code changes. */
  invalidate(): void {}

  /** The processor's faults are always precise. */
  requirePreciseFaults(): void {}

  cpuTimeElsewhere(): number {
    return this.options.process.cpuTime();
  }

  close(): void {
    this.options.memory.onPermissionChange = () => {};
    this.options.process.close();
  }

  // -- stops

  /** A call by another instruction than the ABI's: of the other ABI, or none that programs may use. */
  private otherCall(state: State, made: number): void {
    this.storeRest(state);
    if (this.is64 && made === callBytes.i386) {
      this.setExit(state, 'software_interrupt', state.pc);
      return;
    }
    state.pc -= callLength;
    this.setExit(state, 'illegal');
  }

  /** The two bytes of an instruction, low byte first. */
  private callAt(address: number): number {
    const { memory } = this.options;
    return memory.allows(address, callLength, permission.read) ? memory.readU16(address) : 0;
  }

  /** @returns whether the personality must look at it */
  private exception(state: State, { signal: number }: Stop): boolean {
    const { statistics } = this;
    if (
      number !== signal.ILL &&
      number !== signal.TRAP &&
      number !== signal.BUS &&
      number !== signal.FPE &&
      number !== signal.SEGV
    ) {
      // The timer's, or one that was sent to all of a terminal's processes, which this process gets as well.
      statistics.countExit('interrupted');
      this.options.process.getRegisters(this.registers.bytes);
      return false;
    }
    statistics.countExit(number === signal.SEGV ? 'fault' : 'exception');
    const { information } = this;
    this.options.process.getSignalInformation(new Uint8Array(information.buffer));
    const code = information.getInt32(8, true);
    const address = information.getBigUint64(16, true);
    this.options.process.getRegisters(this.registers.bytes);
    this.leave(state, this.reasonOf(number, code, address));
    if (number === signal.FPE && code !== fpeDivide) {
      state.i32[header.detail >> 2] = raisedExceptions(this.floatingPoint);
    } else if (number === signal.SEGV && code !== siKernel) {
      state.i32[header.detail >> 2] = Number(address & 0xffff_ffffn);
      state.i32[header.access >> 2] = this.accessAt(Number(address & 0xffff_ffffn), state.pc);
    }
    return true;
  }

  private reasonOf(number: number, code: number, address: bigint): ExitReason {
    const { is64 } = this;
    switch (number) {
      case signal.ILL:
        return 'illegal';
      case signal.TRAP:
        return code === trapTrace ? 'trap' : 'breakpoint';
      case signal.FPE:
        return code === fpeDivide ? 'divide' : 'floating_point';
      case signal.BUS:
        return code === busAlignment ? 'misaligned' : is64 ? 'wide_address' : 'protection';
      default:
        if (code !== siKernel) return address >> 32n === 0n ? 'fault' : 'wide_address';
        return is64 ? 'wide_address' : 'protection';
    }
  }

  /** What an instruction tried to do at an address where it may not: the signal does not tell. */
  private accessAt(address: number, pc: number): number {
    const { memory } = this.options;
    if (address === pc && !memory.allows(address, 1, permission.execute)) return permission.execute;
    return memory.allows(address, 1, permission.read) || this.stores(pc) ? permission.write : permission.read;
  }

  /** Whether an instruction stores, as far as its IR tells: string instructions are helpers. */
  private stores(pc: number): boolean {
    const { frontend, memory } = this.options;
    const unit = new Unit();
    const builder = new Builder(frontend.registers, unit);
    builder.begin(pc);
    frontend.lift(builder, codeFetcher(memory), pc, { exactFloatingPoint: true });
    return unit.op.subarray(0, unit.count).some((code) => operations[code].flags.has('store'));
  }

  // -- the child's own calls

  /** Makes the child make a system call, with whatever else is in its registers. @returns what the kernel answers */
  private call(number: number, ...args: number[]): number {
    return this.callIn(callAddress, number, args, true);
  }

  private callIn(address: number, number: number, args: readonly number[], is64: boolean): number {
    const { process } = this.options;
    const kept = this.registers.bytes.slice();
    this.registers.setCall(address, number, args, is64);
    process.setRegisters(this.registers.bytes);
    let stop: Stop;
    do {
      stop = process.resume(false);
      if (stop.kind === 'ended') throw new TraceError(`the traced process was ended by signal ${stop.signal}`);
    } while (stop.signal !== signal.TRAP);
    process.getRegisters(this.registers.bytes);
    const result = Number(BigInt.asIntN(is64 ? 64 : 32, this.registers.accumulator));
    this.registers.bytes.set(kept);
    if (result < 0 && result > -pageSize) throw new TraceError(`the traced process: call ${number}: error ${-result}`);
    return result;
  }

  /** Gives the child's pages the protection of the guest's. */
  private followMemory(): void {
    const { changed } = this;
    this.changed = [];
    for (const { start, end, protection } of changed) {
      this.statistics.countExit('protection changed');
      this.call(call.mprotect, start, end - start, effectiveProtection(protection));
    }
  }

  /** Sets the child's entries of the descriptor table that system calls have set. */
  private followSegments(state: State): void {
    if (this.is64) return;
    const present = state.get('segments.present');
    for (let n = 0; n < threadSegments; n++) {
      const base = state.get(`segment${n}.base`);
      if ((present & (1 << n)) === 0 || base === this.segments[n]) continue;
      this.segments[n] = base;
      const { process } = this.options;
      // struct user_desc: entry, base, limit, flags.
      process.poke(scratch, BigInt(threadSelector + n) | (BigInt(base >>> 0) << 32n));
      process.poke(scratch + 8, 0xfffffn | (flatData << 32n));
      this.callIn(callAddress32, setThreadArea32, [scratch], false);
    }
  }

  // -- leaving

  private leave(state: State, reason: ExitReason): void {
    this.registers.storeGeneral(state, false);
    this.storeRest(state);
    this.setExit(state, reason);
  }

  private setExit(state: State, reason: ExitReason, detail = 0): void {
    state.i32[header.exit >> 2] = exitCode[reason];
    state.i32[header.detail >> 2] = detail;
  }

  private storeRest(state: State): void {
    this.registers.storeRest(state);
    this.options.process.getFloatingPoint(this.floatingPoint);
    readFxsave(state, this.floatingPoint);
  }
}
