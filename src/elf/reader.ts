/** Reads the numbers of an ELF file in its own byte order and address size. */
import { ElfError } from './elf-error.ts';

export class Reader {
  readonly bytes: Uint8Array;
  readonly addressBits: 32 | 64;
  readonly byteOrder: 'big' | 'little';
  private readonly view: DataView;
  private readonly little: boolean;

  constructor(bytes: Uint8Array, addressBits: 32 | 64, byteOrder: 'big' | 'little') {
    this.bytes = bytes;
    this.addressBits = addressBits;
    this.byteOrder = byteOrder;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.little = byteOrder === 'little';
  }

  get is64(): boolean {
    return this.addressBits === 64;
  }

  u8(offset: number): number {
    return this.view.getUint8(offset);
  }

  u16(offset: number): number {
    return this.view.getUint16(offset, this.little);
  }

  u32(offset: number): number {
    return this.view.getUint32(offset, this.little);
  }

  /** A doubleword; values above 2^53 lose their low bits. */
  u64(offset: number): number {
    const first = this.u32(offset);
    const second = this.u32(offset + 4);
    return this.little ? second * 2 ** 32 + first : first * 2 ** 32 + second;
  }

  /** An address, offset or size: 4 or 8 bytes. @throws ElfError for one that no file or memory can have */
  word(offset: number, field: string): number {
    if (!this.is64) return this.u32(offset);
    const value = this.u64(offset);
    if (value > Number.MAX_SAFE_INTEGER)
      throw new ElfError(field, offset, `is 0x${value.toString(16)}, which is absurd`);
    return value;
  }
}
