/** The area that KVM and the engine share (struct kvm_run), as far as it is used: why the guest was left, and its registers. */
import { type SystemArea, selectors } from './system-area.ts';

/** Offsets in bytes. */
const at = { exitReason: 8, port: 34, valid: 288, dirty: 296, registers: 304, systemRegisters: 448 } as const;
/** Offsets in struct kvm_sregs; a segment takes 24 bytes. */
const system = {
  cs: 0,
  ds: 24,
  es: 48,
  fs: 72,
  gs: 96,
  ss: 120,
  tr: 144,
  ldt: 168,
  gdt: 192,
  idt: 208,
  cr0: 224,
  cr2: 232,
  cr3: 240,
  cr4: 248,
  efer: 264,
  size: 312,
} as const;
/** Bytes of struct kvm_sregs. */
export const systemRegistersSize = system.size;

const registersDirty = 1n;
const systemRegistersDirty = 2n;

/** Indices into struct kvm_regs, by the number that instructions encode a register with. */
const order = [0, 2, 3, 1, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const ripIndex = 16;
const flagsIndex = 17;

/** Exit reasons of KVM that are known here (KVM_EXIT_*). */
export const kvmExit = { io: 2 } as const;

export class ProcessorState {
  private readonly view: DataView;
  private readonly words: BigUint64Array;
  private readonly systemBytes: Uint8Array;
  /** Code and stack segment of ring 3, as they are in struct kvm_sregs. */
  private readonly userSegments: { readonly code: Uint8Array; readonly stack: Uint8Array };

  /**
   * @param shared struct kvm_run
   * @param systemRegisters struct kvm_sregs that the processor was set to: no exit has told them yet
   */
  constructor(shared: Uint8Array, systemRegisters: Uint8Array) {
    this.view = new DataView(shared.buffer, shared.byteOffset, shared.byteLength);
    this.words = new BigUint64Array(shared.buffer, shared.byteOffset + at.registers, 18);
    this.systemBytes = new Uint8Array(shared.buffer, shared.byteOffset + at.systemRegisters, system.size);
    this.userSegments = {
      code: segment(selectors.userCode, codeKind, 0n),
      stack: segment(selectors.userData, dataKind, 0n),
    };
    this.systemBytes.set(systemRegisters);
    // Registers and system registers come with every exit.
    this.view.setBigUint64(at.valid, registersDirty | systemRegistersDirty, true);
  }

  get exitReason(): number {
    return this.view.getUint32(at.exitReason, true);
  }

  /** The port of an `out` that the guest was left for. */
  get port(): number {
    return this.view.getUint16(at.port, true);
  }

  general(number: number): bigint {
    return this.words[order[number]];
  }
  setGeneral(number: number, value: bigint): void {
    this.words[order[number]] = value;
  }

  get rip(): bigint {
    return this.words[ripIndex];
  }
  set rip(value: bigint) {
    this.words[ripIndex] = value;
  }

  get flags(): bigint {
    return this.words[flagsIndex];
  }
  set flags(value: bigint) {
    this.words[flagsIndex] = value;
  }

  /** The address whose access faulted last. */
  get faultAddress(): bigint {
    return this.view.getBigUint64(at.systemRegisters + system.cr2, true);
  }

  /** Whether the processor is in ring 3. */
  get isUser(): boolean {
    return (this.view.getUint16(at.systemRegisters + system.cs + 12, true) & 3) === 3;
  }

  /** Registers were written: the processor takes them over when it goes on. */
  markRegisters(): void {
    this.markDirty(registersDirty);
  }

  /** Puts the processor into ring 3. */
  enterUser(): void {
    this.systemBytes.set(this.userSegments.code, system.cs);
    this.systemBytes.set(this.userSegments.stack, system.ss);
    this.markDirty(registersDirty | systemRegistersDirty);
  }

  setBases(fs: bigint, gs: bigint): void {
    this.view.setBigUint64(at.systemRegisters + system.fs, fs, true);
    this.view.setBigUint64(at.systemRegisters + system.gs, gs, true);
    this.markDirty(systemRegistersDirty);
  }

  /** The root of the page tables; another value than before makes the processor forget what it knows of them. */
  setPageTableRoot(root: bigint): void {
    this.view.setBigUint64(at.systemRegisters + system.cr3, root, true);
    this.markDirty(systemRegistersDirty);
  }

  private markDirty(bits: bigint): void {
    this.view.setBigUint64(at.dirty, this.view.getBigUint64(at.dirty, true) | bits, true);
  }
}

const codeKind = { type: 11, big: 0, long: 1 };
const dataKind = { type: 3, big: 1, long: 0 };

/** A segment of ring 3 as in struct kvm_segment. */
function segment(selector: number, { type, big, long }: typeof codeKind, base: bigint): Uint8Array {
  const bytes = new Uint8Array(24);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, base, true);
  view.setUint32(8, 0xffff_ffff, true);
  view.setUint16(12, selector, true);
  // type, present, privilege, default size, code or data, 64-bit code, granularity, available, unusable
  bytes.set([type, 1, 3, big, 1, long, 1, 0, 0], 14);
  return bytes;
}

/** Struct kvm_sregs of a processor in 64-bit mode, in ring 3. @param from what the host made, which is changed */
export function fillSystemRegisters(from: Uint8Array, area: SystemArea): void {
  const view = new DataView(from.buffer, from.byteOffset, from.byteLength);
  from.set(segment(selectors.userCode, codeKind, 0n), system.cs);
  for (const place of [system.ds, system.es, system.fs, system.gs, system.ss]) {
    from.set(segment(selectors.userData, dataKind, 0n), place);
  }
  const { task, descriptorTable, interruptTable } = area;
  view.setBigUint64(system.tr, task.base, true);
  view.setUint32(system.tr + 8, task.limit, true);
  view.setUint16(system.tr + 12, selectors.task, true);
  // A busy 64-bit task state, present.
  from.set([11, 1, 0, 0, 0, 0, 0, 0, 0], system.tr + 14);
  from.fill(0, system.ldt, system.ldt + 24);
  from[system.ldt + 22] = 1;
  for (const [place, table] of [
    [system.gdt, descriptorTable],
    [system.idt, interruptTable],
  ] as const) {
    view.setBigUint64(place, table.base, true);
    view.setUint16(place + 8, table.limit, true);
  }
  // Protection, paging, write protection, exact exceptions of the FPU; PAE, FXSAVE, SIMD exceptions, FS/GS base
  // instructions and XSAVE; long mode, no-execute pages, syscall.
  view.setBigUint64(system.cr0, 0x8005_0033n, true);
  view.setBigUint64(system.cr3, area.pageTables.root, true);
  view.setBigUint64(system.cr4, 0x620n, true);
  view.setBigUint64(system.efer, 0xd01n, true);
}

/** Model-specific registers that make `syscall` lead to the engine, and clear the flags that Linux clears. */
export const systemCallRegisters = (stub: bigint): (readonly [index: number, value: bigint])[] => [
  [0xc000_0081, (0x23n << 48n) | (BigInt(selectors.kernelCode) << 32n)],
  [0xc000_0082, stub],
  [0xc000_0083, 0n],
  [0xc000_0084, 0x4_7700n],
];
