/** Reads DWARF's encodings one after another (DWARF 5, section 7). */
import type { Reader } from './reader.ts';

/** @throws RangeError past the end */
export class DwarfCursor {
  readonly reader: Reader;
  offset: number;
  readonly end: number;

  constructor(reader: Reader, offset: number, end: number) {
    this.reader = reader;
    this.offset = offset;
    this.end = end;
  }

  /** The offset of the next `length` bytes, which are skipped. */
  skip(length: number): number {
    const start = this.offset;
    if (!(length >= 0 && start + length <= this.end)) throw new RangeError('the debugging information is truncated');
    this.offset = start + length;
    return start;
  }

  u8(): number {
    return this.reader.u8(this.skip(1));
  }

  i8(): number {
    return (this.u8() << 24) >> 24;
  }

  u16(): number {
    return this.reader.u16(this.skip(2));
  }

  u32(): number {
    return this.reader.u32(this.skip(4));
  }

  u64(): number {
    return this.reader.u64(this.skip(8));
  }

  /** A number of 1, 2, 4 or 8 bytes. */
  sized(length: number): number {
    if (length === 1) return this.u8();
    if (length === 2) return this.u16();
    if (length === 4) return this.u32();
    if (length === 8) return this.u64();
    throw new RangeError(`a number has ${length} bytes`);
  }

  /** An unsigned LEB128 number; beyond 2^53 it loses low bits. */
  uleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  }

  sleb(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      scale *= 128;
      if (byte < 0x80) return (byte & 0x40) !== 0 ? value - scale : value;
    }
  }

  /** A string that ends with a zero byte. */
  string(): string {
    let text = '';
    for (;;) {
      const byte = this.u8();
      if (byte === 0) return text;
      text += String.fromCharCode(byte);
    }
  }
}
