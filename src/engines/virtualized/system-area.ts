/**
 * What a processor in 64-bit mode needs besides the guest's own memory, as bytes: descriptor tables, the task state,
 * page tables, and a few instructions that end in the engine. All of it lies in guest-physical memory above the guest's,
 * and the guest can neither write nor, but for the page that `syscall` leads to, read it (AMD64 Architecture
 * Programmer's Manual, volume 2).
 *
 * The guest's instructions run in ring 3. What they cannot do by themselves leads to an `out` instruction, whose port
 * tells the engine what it was:
 *
 * | what | leads to |
 * | --- | --- |
 * | exception v, v < 32 | port 0x80 + v, in ring 0; the frame is on the stack of the task state |
 * | int 0x80 | port 0xa0, likewise |
 * | syscall | port 0xf4, in ring 0; or in ring 3 where the host's KVM is a paravirtualized one (kvm_pvm) |
 */
import { PageTables, pageTableBytes, present, user } from './page-tables.ts';

/** Guest-physical address of the area: above all that guests can map, and a multiple of 4 GiB. */
export const systemPhysical = 0x1_0000_0000;
/** Where ring 0 sees it. */
const systemVirtual = 0xffff_ff80_0000_0000n;
/** Where the guest sees the instructions that `syscall` leads to: above all that it can map. */
export const systemCallStub = 0x7f00_0000_0000n;
/** Bytes of the `out` instruction there. */
export const systemCallStubLength = 2n;

export const ports = { exception: 0x80, interrupt80: 0xa0, systemCall: 0xf4 } as const;

/** Selectors, as Linux has them, with the privilege level in the low bits. */
export const selectors = {
  kernelCode: 0x10,
  kernelData: 0x18,
  userCode32: 0x23,
  userData: 0x2b,
  userCode: 0x33,
  task: 0x40,
} as const;

const page = 4096;
/** Places in the area, in bytes. */
const at = {
  systemDirectories: 1 * page,
  systemDirectory: 2 * page,
  systemTable: 3 * page,
  stubDirectories: 4 * page,
  stubDirectory: 5 * page,
  stubTable: 6 * page,
  descriptors: 7 * page,
  interrupts: 8 * page,
  task: 9 * page,
  exceptionStubs: 12 * page,
  systemCallStub: 13 * page,
  stack: 14 * page,
  pageTables: 16 * page,
} as const;

/** Bytes of the area. */
export const systemSize = at.pageTables + pageTableBytes;

const writable = 2;
const inner = present | writable | user;

/** AMD64 volume 2, sections 4.7 and 4.8: 64-bit code, flat data, 32-bit code. */
const descriptorOf = {
  kernelCode: 0x00af_9b00_0000_ffffn,
  kernelData: 0x00cf_9300_0000_ffffn,
  userCode32: 0x00cf_fb00_0000_ffffn,
  userData: 0x00cf_f300_0000_ffffn,
  userCode: 0x00af_fb00_0000_ffffn,
} as const;

const interruptGates = 0x81;
const descriptorBytes = 10 * 8;
/** The task state: 104 bytes, then a bit for each port, 0 where ring 3 may use it, and a byte of ones. */
const taskBytes = 104 + 8193;
/** Offset of the stack for ring 0 in the task state, and of the word that tells where the ports' bits are. */
const taskStack = 4;
const taskPorts = 102;

export class SystemArea {
  readonly bytes: Uint8Array;
  readonly pageTables: PageTables;
  private readonly view: DataView;

  /** @param bytes systemSize zero bytes, at a multiple of 4096 */
  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const indexOf = (virtual: bigint): number => Number((virtual >> 39n) & 511n);
    this.pageTables = new PageTables(bytes.subarray(at.pageTables), systemPhysical, at.pageTables, [
      [indexOf(systemVirtual), at.systemDirectories | inner],
      [indexOf(systemCallStub), at.stubDirectories | inner],
    ]);
    this.mapArea();
    this.writeDescriptors();
    this.writeTask();
    this.writeStubs();
  }

  /** A word of the frame that an exception left. @param stackPointer of the processor, at the `out` */
  frameWord(stackPointer: bigint, index: number): bigint {
    return this.view.getBigUint64(Number(stackPointer - systemVirtual) + 8 * index, true);
  }

  get descriptorTable(): { base: bigint; limit: number } {
    return { base: this.virtual(at.descriptors), limit: descriptorBytes - 1 };
  }

  get interruptTable(): { base: bigint; limit: number } {
    return { base: this.virtual(at.interrupts), limit: interruptGates * 16 - 1 };
  }

  get task(): { base: bigint; limit: number } {
    return { base: this.virtual(at.task), limit: taskBytes - 1 };
  }

  private virtual(offset: number): bigint {
    return systemVirtual + BigInt(offset);
  }

  /** An entry of a page table for a place of the area. */
  private entryOf(offset: number, bits: number): bigint {
    return BigInt(systemPhysical + offset) | BigInt(bits);
  }

  private put(offset: number, value: bigint): void {
    this.view.setBigUint64(offset, value, true);
  }

  /** Page tables for what ring 0 uses of the area, and for the page that ring 3 sees. */
  private mapArea(): void {
    this.put(at.systemDirectories, this.entryOf(at.systemDirectory, inner));
    this.put(at.systemDirectory, this.entryOf(at.systemTable, inner));
    for (let place: number = at.descriptors; place < at.pageTables; place += page) {
      this.put(at.systemTable + (place / page) * 8, this.entryOf(place, present | writable));
    }
    this.put(at.stubDirectories, this.entryOf(at.stubDirectory, inner));
    this.put(at.stubDirectory, this.entryOf(at.stubTable, inner));
    this.put(at.stubTable, this.entryOf(at.systemCallStub, present | user));
  }

  private writeDescriptors(): void {
    for (const name of ['kernelCode', 'kernelData', 'userCode32', 'userData', 'userCode'] as const) {
      this.put(at.descriptors + (selectors[name] & ~7), descriptorOf[name]);
    }
    const { base, limit } = this.task;
    const busyTask = 0x8bn;
    const low = BigInt(limit & 0xffff) | ((base & 0xff_ffffn) << 16n) | (busyTask << 40n);
    const high = (BigInt(limit >> 16) << 48n) | (((base >> 24n) & 0xffn) << 56n);
    this.put(at.descriptors + selectors.task, low | high);
    this.put(at.descriptors + selectors.task + 8, base >> 32n);
    for (let vector = 0; vector < 32; vector++) {
      // int3 and into may be used by ring 3; `int n` with any other number is a general protection fault.
      this.writeGate(vector, at.exceptionStubs + 8 * vector, vector === 3 || vector === 4);
    }
    this.writeGate(0x80, at.exceptionStubs + 8 * 32, true);
  }

  private writeGate(vector: number, stub: number, isOpen: boolean): void {
    const target = this.virtual(stub);
    const kind = isOpen ? 0xeen : 0x8en;
    const low = (target & 0xffffn) | (BigInt(selectors.kernelCode) << 16n) | (kind << 40n);
    this.put(at.interrupts + 16 * vector, low | (((target >> 16n) & 0xffffn) << 48n));
    this.put(at.interrupts + 16 * vector + 8, target >> 32n);
  }

  private writeTask(): void {
    this.put(at.task + taskStack, this.virtual(at.stack + page));
    this.view.setUint16(at.task + taskPorts, 104, true);
    this.bytes.fill(0xff, at.task + 104, at.task + taskBytes);
    this.bytes[at.task + 104 + (ports.systemCall >> 3)] &= ~(1 << (ports.systemCall & 7));
  }

  private writeStubs(): void {
    // out %al, $port; hlt: the engine never goes on behind it.
    for (let vector = 0; vector < 32; vector++) {
      this.bytes.set([0xe6, ports.exception + vector, 0xf4], at.exceptionStubs + 8 * vector);
    }
    this.bytes.set([0xe6, ports.interrupt80, 0xf4], at.exceptionStubs + 8 * 32);
    // out %al, $port; sysretq.
    this.bytes.set([0xe6, ports.systemCall, 0x48, 0x0f, 0x07], at.systemCallStub);
  }
}
