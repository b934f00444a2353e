/** Linux's virtual machines: /dev/kvm, called through koffi (Documentation/virt/kvm/api.rst of Linux). */
import {
  HypervisorError,
  type NoHypervisor,
  type RunResult,
  type VirtualMachine,
  type VirtualProcessor,
} from '../engines/virtualized/hypervisor.ts';
import { type CallErrors, loadFunctions } from './koffi.ts';

/** Requests of ioctl(2), with the size of their argument in them. */
const request = {
  GET_API_VERSION: 0xae00,
  CREATE_VM: 0xae01,
  CHECK_EXTENSION: 0xae03,
  GET_VCPU_MMAP_SIZE: 0xae04,
  CREATE_VCPU: 0xae41,
  SET_USER_MEMORY_REGION: 0x4020ae46,
  SET_TSS_ADDR: 0xae47,
  RUN: 0xae80,
  GET_SREGS: 0x8138ae83,
  SET_SREGS: 0x4138ae84,
  SET_MSRS: 0x4008ae89,
  SET_SIGNAL_MASK: 0x4004ae8b,
  GET_XSAVE: 0x9000aea4,
  SET_XSAVE: 0x5000aea5,
  SET_CPUID2: 0x4008ae90,
} as const;

const apiVersion = 12;
/** KVM_CAP_SYNC_REGS, and what of it is needed: registers and system registers. */
const syncRegisters = 74;
const syncNeeded = 3;
/** Where Intel's processors keep three pages that no guest memory may be at: below 4 GiB, and above what guests have. */
const taskStateAddress = 0xfffbd000;

/**
 * Milliseconds of processor time after which a guest is interrupted, so that signals and timers are looked after. Not of
 * wall time: where others want the processor, too, most of these interruptions (40 us each) would find nothing done since the last.
 */
const slice = 10;
/** The signal that does it: a real-time one, blocked but while the guest runs. */
const sliceSignal = 40;

const EINTR = 4;
const EAGAIN = 11;

interface Native {
  open(path: string, flags: number): number;
  close(descriptor: number): number;
  ioctl(descriptor: number, request: number, argument: number): number;
  ioctlAt(descriptor: number, request: number, argument: Uint8Array): number;
  mmap(address: number, length: number, protection: number, flags: number, descriptor: number, offset: number): number;
  memmove(destination: Uint8Array, source: Uint8Array, length: number): number;
  sigprocmask(how: number, set: Uint8Array, old: Uint8Array): number;
  sigtimedwait(set: Uint8Array, info: null, timeout: Uint8Array): number;
  timerCreate(clock: number, event: Uint8Array, timer: Uint8Array): number;
  timerSet(timer: number, flags: number, value: Uint8Array, old: null): number;
  timerDelete(timer: number): number;
  gettid(): number;
}

const prototypes: { readonly [Name in keyof Native]: string } = {
  open: 'int open(const char *path, int flags)',
  close: 'int close(int descriptor)',
  ioctl: 'int ioctl(int descriptor, unsigned long request, long argument)',
  ioctlAt: 'int ioctl(int descriptor, unsigned long request, void *argument)',
  mmap: 'intptr_t mmap(uintptr_t address, size_t length, int protection, int flags, int descriptor, long offset)',
  memmove: 'uintptr_t memmove(void *destination, void *source, size_t length)',
  sigprocmask: 'int pthread_sigmask(int how, void *set, void *old)',
  sigtimedwait: 'int sigtimedwait(void *set, void *info, void *timeout)',
  timerCreate: 'int timer_create(int clock, void *event, void *timer)',
  timerSet: 'int timer_settime(uintptr_t timer, int flags, void *value, void *old)',
  timerDelete: 'int timer_delete(uintptr_t timer)',
  gettid: 'int gettid()',
};

/** Makes a virtual machine, or says why this host has none. */
export function createVirtualMachine(): VirtualMachine | NoHypervisor {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return { reason: `virtual machines need Linux on x86-64; this is ${process.platform} on ${process.arch}` };
  }
  const native = loadFunctions<Native>(prototypes);
  if ('reason' in native) return { reason: `${native.reason}; "npm install koffi" may help` };
  const O_RDWR_CLOEXEC = 0o2000002;
  const device = native.open('/dev/kvm', O_RDWR_CLOEXEC);
  if (device < 0) {
    const problem = native.message(native.errno());
    return { reason: `/dev/kvm cannot be opened (${problem}); it needs a host with KVM and the right to use it` };
  }
  try {
    if (native.ioctl(device, request.GET_API_VERSION, 0) !== apiVersion) {
      return { reason: `/dev/kvm has another version of its interface than ${apiVersion}` };
    }
    if ((native.ioctl(device, request.CHECK_EXTENSION, syncRegisters) & syncNeeded) !== syncNeeded) {
      return { reason: "this host's KVM is too old: it cannot hand over registers with an exit (Linux 4.18 can)" };
    }
    return new KvmMachine(native, device);
  } catch (error) {
    native.close(device);
    if (error instanceof HypervisorError) return { reason: error.message };
    throw error;
  }
}

/** @throws HypervisorError when the host's call failed */
function checked(native: Native & CallErrors & CallErrors, result: number, what: string): number {
  if (result < 0) throw new HypervisorError(`${what}: ${native.message(native.errno())}`);
  return result;
}

class KvmMachine implements VirtualMachine {
  readonly sharedSize: number;
  private readonly native: Native & CallErrors;
  private readonly device: number;
  private readonly descriptor: number;
  private processor: KvmProcessor | undefined;

  constructor(native: Native & CallErrors & CallErrors, device: number) {
    this.native = native;
    this.device = device;
    this.descriptor = checked(native, native.ioctl(device, request.CREATE_VM, 0), 'KVM_CREATE_VM');
    this.sharedSize = checked(native, native.ioctl(device, request.GET_VCPU_MMAP_SIZE, 0), 'KVM_GET_VCPU_MMAP_SIZE');
    checked(native, native.ioctl(this.descriptor, request.SET_TSS_ADDR, taskStateAddress), 'KVM_SET_TSS_ADDR');
  }

  setMemory(slot: number, address: number, bytes: Uint8Array): void {
    const place = this.native.memmove(bytes, bytes, 0);
    this.setRegion(slot, address, bytes.length, place);
  }

  removeMemory(slot: number, address: number): void {
    this.setRegion(slot, address, 0, 0);
  }

  createProcessor(shared: Uint8Array): VirtualProcessor {
    const descriptor = checked(
      this.native,
      this.native.ioctl(this.descriptor, request.CREATE_VCPU, 0),
      'KVM_CREATE_VCPU',
    );
    this.processor = new KvmProcessor(this.native, descriptor, shared);
    return this.processor;
  }

  close(): void {
    this.processor?.close();
    this.native.close(this.descriptor);
    this.native.close(this.device);
  }

  /** struct kvm_userspace_memory_region. */
  private setRegion(slot: number, address: number, length: number, place: number): void {
    const region = new DataView(new ArrayBuffer(32));
    region.setUint32(0, slot, true);
    region.setBigUint64(8, BigInt(address), true);
    region.setBigUint64(16, BigInt(length), true);
    region.setBigUint64(24, BigInt(place), true);
    const result = this.native.ioctlAt(this.descriptor, request.SET_USER_MEMORY_REGION, new Uint8Array(region.buffer));
    checked(this.native, result, 'KVM_SET_USER_MEMORY_REGION');
  }
}

class KvmProcessor implements VirtualProcessor {
  private readonly native: Native & CallErrors;
  private readonly descriptor: number;
  private readonly timer: number;
  private readonly sliceSet = new Uint8Array(128);
  private readonly noTime = new Uint8Array(16);

  constructor(native: Native & CallErrors & CallErrors, descriptor: number, shared: Uint8Array) {
    this.native = native;
    this.descriptor = descriptor;
    const place = native.memmove(shared, shared, 0);
    const PROT_READ_WRITE = 3;
    const MAP_SHARED_FIXED = 0x11;
    const mapped = native.mmap(place, shared.length, PROT_READ_WRITE, MAP_SHARED_FIXED, descriptor, 0);
    if (mapped !== place) throw new HypervisorError(`mmap of the processor: ${native.message(native.errno())}`);
    this.timer = this.startTimer();
  }

  run(): RunResult {
    const { native } = this;
    if (native.ioctl(this.descriptor, request.RUN, 0) >= 0) return 'exited';
    const error = native.errno();
    if (error !== EINTR && error !== EAGAIN) throw new HypervisorError(`KVM_RUN: ${native.message(error)}`);
    while (native.sigtimedwait(this.sliceSet, null, this.noTime) > 0);
    return 'interrupted';
  }

  getSystemRegisters(into: Uint8Array): void {
    this.call(request.GET_SREGS, into, 'KVM_GET_SREGS');
  }

  setSystemRegisters(from: Uint8Array): void {
    this.call(request.SET_SREGS, from, 'KVM_SET_SREGS');
  }

  getFloatingPoint(into: Uint8Array): void {
    this.call(request.GET_XSAVE, into, 'KVM_GET_XSAVE');
  }

  setFloatingPoint(from: Uint8Array): void {
    this.call(request.SET_XSAVE, from, 'KVM_SET_XSAVE');
  }

  setModelSpecificRegisters(values: readonly (readonly [index: number, value: bigint])[]): void {
    const list = new DataView(new ArrayBuffer(8 + 16 * values.length));
    list.setUint32(0, values.length, true);
    values.forEach(([index, value], at) => {
      list.setUint32(8 + 16 * at, index, true);
      list.setBigUint64(16 + 16 * at, value, true);
    });
    const done = this.call(request.SET_MSRS, new Uint8Array(list.buffer), 'KVM_SET_MSRS');
    if (done !== values.length) {
      throw new HypervisorError(`KVM_SET_MSRS: register 0x${values[done][0].toString(16)} is refused`);
    }
  }

  setIdentification(entries: readonly (readonly number[])[]): void {
    const list = new DataView(new ArrayBuffer(8 + 40 * entries.length));
    list.setUint32(0, entries.length, true);
    entries.forEach(([leaf, subleaf, ...values], at) => {
      const KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;
      const place = 8 + 40 * at;
      list.setUint32(place, leaf, true);
      list.setUint32(place + 4, Math.max(subleaf, 0), true);
      list.setUint32(place + 8, subleaf < 0 ? 0 : KVM_CPUID_FLAG_SIGNIFCANT_INDEX, true);
      for (const [register, value] of values.entries()) list.setInt32(place + 12 + 4 * register, value, true);
    });
    this.call(request.SET_CPUID2, new Uint8Array(list.buffer), 'KVM_SET_CPUID2');
  }

  close(): void {
    this.native.timerDelete(this.timer);
    this.native.close(this.descriptor);
  }

  private call(code: number, argument: Uint8Array, name: string): number {
    return checked(this.native, this.native.ioctlAt(this.descriptor, code, argument), name);
  }

  /** A timer whose signal ends KVM_RUN, and nothing else: it is blocked everywhere but there. @returns the timer's id */
  private startTimer(): number {
    const { native, sliceSet } = this;
    const SIG_BLOCK = 0;
    const CLOCK_THREAD_CPUTIME_ID = 3;
    const SIGEV_THREAD_ID = 4;
    const bit = sliceSignal - 1;
    sliceSet[bit >> 3] = 1 << (bit & 7);
    const mask = new Uint8Array(128);
    if (native.sigprocmask(SIG_BLOCK, sliceSet, mask) !== 0) throw new HypervisorError('a signal cannot be blocked');
    // struct kvm_signal_mask: length and set of the kernel's size.
    const during = new Uint8Array(12);
    during[0] = 8;
    during.set(mask.subarray(0, 8), 4);
    during[4 + (bit >> 3)] &= ~(1 << (bit & 7));
    this.call(request.SET_SIGNAL_MASK, during, 'KVM_SET_SIGNAL_MASK');
    // struct sigevent: value, signal, kind, thread.
    const event = new DataView(new ArrayBuffer(64));
    event.setInt32(8, sliceSignal, true);
    event.setInt32(12, SIGEV_THREAD_ID, true);
    event.setInt32(16, native.gettid(), true);
    const id = new Uint8Array(8);
    checked(native, native.timerCreate(CLOCK_THREAD_CPUTIME_ID, new Uint8Array(event.buffer), id), 'timer_create');
    const timer = Number(new DataView(id.buffer).getBigUint64(0, true));
    // struct itimerspec: interval and first time, in seconds and nanoseconds.
    const value = new DataView(new ArrayBuffer(32));
    value.setBigInt64(8, BigInt(slice * 1_000_000), true);
    value.setBigInt64(24, BigInt(slice * 1_000_000), true);
    checked(native, native.timerSet(timer, 0, new Uint8Array(value.buffer), null), 'timer_settime');
    return timer;
  }
}
