/**
 * What the virtualized engine asks of the host: a virtual machine with one virtual processor, in the shape that Linux's
 * KVM gives it (Documentation/virt/kvm/api.rst). src/host/kvm.ts is the one that there is.
 */

/** Why there is no virtual machine: a clause, and what to do about it. */
export interface NoHypervisor {
  readonly reason: string;
}

/** Errors of the host's calls; the message names the call. */
export class HypervisorError extends Error {}

/** How KVM_RUN came back. */
export type RunResult = 'exited' | 'interrupted';

export interface VirtualMachine {
  /**
   * Lets guest-physical memory be bytes of a buffer. Called again with the same slot, it replaces what was there.
   * @param address guest-physical; it, the length and the bytes' place are multiples of 4096; a length of 0 takes the slot away
   */
  setMemory(slot: number, address: number, bytes: Uint8Array): void;
  /** Takes a slot's memory away. */
  removeMemory(slot: number, address: number): void;
  /** Bytes of the area that the processor and the engine share (struct kvm_run). */
  readonly sharedSize: number;
  /** Makes the machine's processor. @param shared whole pages of a buffer, which become that area */
  createProcessor(shared: Uint8Array): VirtualProcessor;
  close(): void;
}

export interface VirtualProcessor {
  /** Runs the guest until something must be done for it, or for some milliseconds at the most. */
  run(): RunResult;
  /** struct kvm_sregs, 312 bytes. */
  getSystemRegisters(into: Uint8Array): void;
  setSystemRegisters(from: Uint8Array): void;
  /** struct kvm_xsave, 4096 bytes. */
  getFloatingPoint(into: Uint8Array): void;
  setFloatingPoint(from: Uint8Array): void;
  setModelSpecificRegisters(values: readonly (readonly [index: number, value: bigint])[]): void;
  /** What the CPUID instruction answers in the guest: leaf, subleaf (or -1 where it has none), eax, ebx, ecx, edx. */
  setIdentification(entries: readonly (readonly number[])[]): void;
}

/** Makes a virtual machine, or says why there is none. */
export type CreateVirtualMachine = () => VirtualMachine | NoHypervisor;
