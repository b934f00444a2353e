/** Builds small ELF files for tests, in either class and byte order. */

export interface SegmentSpecification {
  readonly address: number;
  readonly bytes: Uint8Array;
  readonly memorySize?: number;
  /** PF_* bits: 4 read, 2 write, 1 execute. */
  readonly flags: number;
  readonly alignment?: number;
  /** p_type; PT_LOAD when absent. */
  readonly type?: number;
}

export interface FileSpecification {
  readonly addressBits?: 32 | 64;
  readonly byteOrder?: 'big' | 'little';
  readonly machine?: number;
  readonly type?: number;
  readonly entry?: number;
  readonly segments: readonly SegmentSpecification[];
}

/** Writes numbers at places of a file in its byte order; `word` is as wide as an address. */
export class FileWriter {
  readonly bytes: Uint8Array;
  readonly is64: boolean;
  private readonly view: DataView;
  private readonly little: boolean;

  constructor(size: number, addressBits: 32 | 64, byteOrder: 'big' | 'little') {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.is64 = addressBits === 64;
    this.little = byteOrder === 'little';
  }

  u16(offset: number, value: number): void {
    this.view.setUint16(offset, value, this.little);
  }
  u32(offset: number, value: number): void {
    this.view.setUint32(offset, value, this.little);
  }
  word(offset: number, value: number): void {
    if (this.is64) this.view.setBigUint64(offset, BigInt(value), this.little);
    else this.u32(offset, value);
  }
}

/** The file: header, program headers, then the segments' contents, each congruent to its address modulo its alignment. */
export function buildElf(specification: FileSpecification): Uint8Array {
  const { addressBits = 32, byteOrder = 'big', machine = 20, type = 2, segments } = specification;
  const headerSize = addressBits === 64 ? 64 : 52;
  const entrySize = addressBits === 64 ? 56 : 32;
  let end = headerSize + entrySize * segments.length;
  const offsets = segments.map(({ address, bytes, alignment = 0x1000 }) => {
    const modulus = Math.max(1, alignment);
    const offset = end + ((((address - end) % modulus) + modulus) % modulus);
    end = offset + bytes.length;
    return offset;
  });
  const file = new FileWriter(end, addressBits, byteOrder);
  file.bytes.set([0x7f, 0x45, 0x4c, 0x46, addressBits / 32, byteOrder === 'little' ? 1 : 2, 1]);
  file.u16(16, type);
  file.u16(18, machine);
  file.u32(20, 1);
  file.word(24, specification.entry ?? segments[0].address);
  file.word(file.is64 ? 32 : 28, headerSize);
  const tail = file.is64 ? 52 : 40;
  file.u16(tail, headerSize);
  file.u16(tail + 2, entrySize);
  file.u16(tail + 4, segments.length);
  segments.forEach((segment, index) => {
    const at = headerSize + index * entrySize;
    const { address, bytes, memorySize = bytes.length, flags, alignment = 0x1000, type: kind = 1 } = segment;
    const places = file.is64
      ? { flags: 4, offset: 8, address: 16, fileSize: 32, memorySize: 40, alignment: 48 }
      : { flags: 24, offset: 4, address: 8, fileSize: 16, memorySize: 20, alignment: 28 };
    file.u32(at, kind);
    file.u32(at + places.flags, flags);
    file.word(at + places.offset, offsets[index]);
    file.word(at + places.address, address);
    file.word(at + places.fileSize, bytes.length);
    file.word(at + places.memorySize, memorySize);
    file.word(at + places.alignment, alignment);
    file.bytes.set(bytes, offsets[index]);
  });
  return file.bytes;
}
