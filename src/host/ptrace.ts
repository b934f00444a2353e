/**
 * A child process that runs instructions of ours under ptrace(2), called through koffi. The guest's memory is shared with
 * it by a memory file, which takes the place of the pages of a WebAssembly.Memory.
 */
import type { NoTracedProcess, Range, Stop, TracedProcess } from '../engines/traced/traced-process.ts';
import { TraceError } from '../engines/traced/traced-process.ts';
import { type CallErrors, loadFunctions } from './koffi.ts';

/** Requests of ptrace(2). */
const request = {
  POKEDATA: 5,
  CONT: 7,
  KILL: 8,
  GETREGS: 12,
  SETREGS: 13,
  GETFPREGS: 14,
  SETFPREGS: 15,
  SYSEMU: 31,
  SETOPTIONS: 0x4200,
  GETSIGINFO: 0x4202,
} as const;
/** PTRACE_O_TRACESYSGOOD, PTRACE_O_EXITKILL. */
const options = 0x100001;

const SIGTRAP = 5;
/** What the first option adds to the signal of a stop at a system call. */
const systemCallBit = 0x80;

const PROT_READ_WRITE = 3;
const MAP_SHARED_FIXED = 0x11;
const __WALL = 0x40000000;
/** The clock of a process's processor time (MAKE_PROCESS_CPUCLOCK of include/linux/posix-timers.h). */
const CPUCLOCK_SCHED = 2;

interface Native {
  ptrace(request: number, pid: number, address: number, data: number | bigint): number;
  ptraceAt(request: number, pid: number, address: number, data: Uint8Array): number;
  wait4(pid: number, status: Uint8Array, options: number, usage: null): number;
  memfdCreate(name: string, flags: number): number;
  ftruncate(descriptor: number, length: number): number;
  write(descriptor: number, bytes: Uint8Array, length: number): number;
  close(descriptor: number): number;
  mmap(address: number, length: number, protection: number, flags: number, descriptor: number, offset: number): number;
  memmove(destination: Uint8Array, source: Uint8Array, length: number): number;
  spawn(pid: Uint8Array, path: string, actions: null, attributes: null, args: string[], environment: string[]): number;
  clockGettime(clock: number, time: Uint8Array): number;
}

const prototypes: { readonly [Name in keyof Native]: string } = {
  ptrace: 'long ptrace(long request, int pid, intptr_t address, intptr_t data)',
  ptraceAt: 'long ptrace(long request, int pid, intptr_t address, void *data)',
  wait4: 'int wait4(int pid, void *status, int options, void *usage)',
  memfdCreate: 'int memfd_create(const char *name, unsigned int flags)',
  ftruncate: 'int ftruncate(int descriptor, int64_t length)',
  write: 'intptr_t write(int descriptor, void *bytes, size_t length)',
  close: 'int close(int descriptor)',
  mmap: 'intptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int descriptor, int64_t offset)',
  memmove: 'uintptr_t memmove(void *destination, void *source, size_t length)',
  spawn:
    'int posix_spawn(void *pid, const char *path, void *actions, void *attributes, const char **args, const char **environment)',
  clockGettime: 'int clock_gettime(int clock, void *time)',
};

/** Starts a traced process (StartTracedProcess). */
export function startTracedProcess(
  program: Uint8Array,
  memory: Uint8Array,
  contents: readonly Range[],
): TracedProcess | NoTracedProcess {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `it needs Linux on x86-64; this is ${process.platform} on ${process.arch}` };
  }
  const native = loadFunctions<Native>(prototypes);
  if ('reason' in native) return { reason: `${native.reason}; "npm install koffi" may help` };
  try {
    return new PtracedProcess(native, program, memory, contents);
  } catch (error) {
    if (error instanceof TraceError) return { reason: error.message };
    throw error;
  }
}

class PtracedProcess implements TracedProcess {
  readonly descriptor: number;
  private readonly native: Native & CallErrors;
  private readonly pid: number;
  private readonly status = new Uint8Array(4);
  private hasEnded = false;
  private lastCpuTime = 0;

  constructor(
    native: Native & CallErrors & CallErrors,
    program: Uint8Array,
    memory: Uint8Array,
    contents: readonly Range[],
  ) {
    this.native = native;
    this.descriptor = this.share(memory, contents);
    const file = this.checked(native.memfdCreate('stele-tracee', 0), 'memfd_create');
    try {
      if (native.write(file, program, program.length) !== program.length) this.checked(-1, 'write');
      const pid = new Uint8Array(4);
      // Not by Node, which would wait for the child itself.
      const error = native.spawn(
        pid,
        `/proc/self/fd/${file}`,
        null,
        null,
        ['stele-guest', null as never],
        [null as never],
      );
      if (error !== 0) throw new TraceError(`posix_spawn: ${native.message(error)}`);
      this.pid = new DataView(pid.buffer).getInt32(0, true);
    } finally {
      native.close(file);
    }
    const first = this.wait();
    if (first.kind !== 'signal' || first.signal !== SIGTRAP) {
      throw new TraceError('a child cannot be traced here (see kernel.yama.ptrace_scope)');
    }
    this.checked(native.ptrace(request.SETOPTIONS, this.pid, 0, options), 'PTRACE_SETOPTIONS');
  }

  resume(emulateCalls: boolean): Stop {
    const kind = emulateCalls ? request.SYSEMU : request.CONT;
    this.checked(this.native.ptrace(kind, this.pid, 0, 0), emulateCalls ? 'PTRACE_SYSEMU' : 'PTRACE_CONT');
    return this.wait();
  }

  getRegisters(into: Uint8Array): void {
    this.call(request.GETREGS, into, 'PTRACE_GETREGS');
  }

  setRegisters(from: Uint8Array): void {
    this.call(request.SETREGS, from, 'PTRACE_SETREGS');
  }

  getFloatingPoint(into: Uint8Array): void {
    this.call(request.GETFPREGS, into, 'PTRACE_GETFPREGS');
  }

  setFloatingPoint(from: Uint8Array): void {
    this.call(request.SETFPREGS, from, 'PTRACE_SETFPREGS');
  }

  getSignalInformation(into: Uint8Array): void {
    this.call(request.GETSIGINFO, into, 'PTRACE_GETSIGINFO');
  }

  poke(address: number, value: bigint): void {
    const result = this.native.ptrace(request.POKEDATA, this.pid, address, BigInt.asIntN(64, value));
    this.checked(result, 'PTRACE_POKEDATA');
  }

  cpuTime(): number {
    if (this.hasEnded) return this.lastCpuTime;
    const time = new DataView(new ArrayBuffer(16));
    const processClock = (~this.pid << 3) | CPUCLOCK_SCHED;
    this.checked(this.native.clockGettime(processClock, new Uint8Array(time.buffer)), 'clock_gettime');
    this.lastCpuTime = Number(time.getBigInt64(0, true)) * 1e9 + Number(time.getBigInt64(8, true));
    return this.lastCpuTime;
  }

  close(): void {
    this.native.close(this.descriptor);
    if (this.hasEnded) return;
    this.native.ptrace(request.KILL, this.pid, 0, 0);
    this.native.wait4(this.pid, this.status, __WALL, null);
    this.hasEnded = true;
  }

  /** Puts a memory file with the same contents in the place of pages. @returns its descriptor */
  private share(memory: Uint8Array, contents: readonly Range[]): number {
    const { native } = this;
    const descriptor = this.checked(native.memfdCreate('stele-memory', 0), 'memfd_create');
    this.checked(native.ftruncate(descriptor, memory.length), 'ftruncate');
    const copies = contents.map(([offset, length]) => [offset, memory.slice(offset, offset + length)] as const);
    const place = native.memmove(memory, memory, 0);
    const mapped = native.mmap(place, memory.length, PROT_READ_WRITE, MAP_SHARED_FIXED, descriptor, 0);
    if (mapped !== place) this.checked(-1, 'mmap');
    for (const [offset, bytes] of copies) copyNonZero(memory, offset, bytes);
    return descriptor;
  }

  private wait(): Stop {
    const { native, status } = this;
    if (this.checked(native.wait4(this.pid, status, __WALL, null), 'wait4') !== this.pid) throw new TraceError('wait4');
    const [low, high] = status;
    if ((low & 0x7f) !== 0x7f) {
      this.hasEnded = true;
      return (low & 0x7f) === 0 ? { kind: 'ended', signal: 0 } : { kind: 'ended', signal: low & 0x7f };
    }
    if (high === (SIGTRAP | systemCallBit)) return { kind: 'system call', signal: 0 };
    return { kind: 'signal', signal: high };
  }

  private call(code: number, bytes: Uint8Array, name: string): void {
    this.checked(this.native.ptraceAt(code, this.pid, 0, bytes), name);
  }

  /** @throws TraceError when the host's call failed */
  private checked(result: number, what: string): number {
    if (result < 0) throw new TraceError(`${what}: ${this.native.message(this.native.errno())}`);
    return result;
  }
}

const pageSize = 4096;

/** Copies the pages that hold something else than zeroes: the others need not be there. @param bytes whole pages, which begin a buffer */
function copyNonZero(memory: Uint8Array, offset: number, bytes: Uint8Array): void {
  const words = new Int32Array(bytes.buffer);
  for (let at = 0; at < bytes.length; at += pageSize) {
    const end = (at + pageSize) >> 2;
    let word = at >> 2;
    while (word < end && words[word] === 0) word++;
    if (word < end) memory.set(bytes.subarray(at, at + pageSize), offset + at);
  }
}
