/**
 * Structures that system calls pass through memory, declared as lists of fields. Offsets and sizes
 * follow from the ABI's sizes and alignments, as a C compiler would lay the structure out.
 */
import type { GuestMemory } from '../../memory/guest-memory.ts';

/** Types of fields. `long` and `ulong` have the ABI's word size. */
export type FieldType = 'u8' | 'u16' | 'u32' | 'u64' | 'i16' | 'i32' | 'i64' | 'long' | 'ulong';

/** `name: type`, or `name: [type, count]` for an array. */
export type FieldRows = Readonly<Record<string, FieldType | readonly [FieldType, number]>>;

export interface DataModel {
  readonly byteOrder: 'big' | 'little';
  /** Bytes of a long and of a pointer. */
  readonly wordSize: 4 | 8;
  /** Alignment of a 64-bit integer inside a structure: 4 on i386, else 8. */
  readonly alignmentOf64: 4 | 8;
}

export interface Field {
  readonly name: string;
  readonly type: Exclude<FieldType, 'long' | 'ulong'>;
  readonly offset: number;
  readonly count: number;
}

/** Values of fields by name; what is not named is 0. A scalar stands for an array's first element. */
export type FieldValues = Readonly<Record<string, number | bigint | readonly number[]>>;

const sizes = { u8: 1, u16: 2, u32: 4, u64: 8, i16: 2, i32: 4, i64: 8 } as const;

interface Layout {
  readonly fields: Readonly<Record<string, Field>>;
  readonly size: number;
}

export class Structure {
  private readonly rows: FieldRows;
  private readonly model: DataModel;
  private readonly packed: boolean;
  private readonly little: boolean;
  /** Made at the first use: a program needs a few of an ABI's structures. */
  private layout: Layout | undefined;

  constructor(rows: FieldRows, model: DataModel, packed = false) {
    this.rows = rows;
    this.model = model;
    this.packed = packed;
    this.little = model.byteOrder === 'little';
  }

  get fields(): Readonly<Record<string, Field>> {
    return this.laidOut().fields;
  }

  /** Bytes, with the padding at the end. */
  get size(): number {
    return this.laidOut().size;
  }

  private laidOut(): Layout {
    this.layout ??= layOut(this.rows, this.model, this.packed);
    return this.layout;
  }

  /** The structure's bytes in guest order; integers are taken modulo their size. */
  encode(values: FieldValues): Uint8Array {
    const { fields, size } = this.laidOut();
    const bytes = new Uint8Array(size);
    const view = new DataView(bytes.buffer);
    for (const name in values) {
      const field = fields[name];
      if (field === undefined) continue;
      const value = values[name];
      if (typeof value === 'object') {
        const step = sizes[field.type];
        for (let i = 0; i < field.count && i < value.length; i++) {
          this.put(view, field.type, field.offset + i * step, value[i]);
        }
      } else {
        this.put(view, field.type, field.offset, value);
      }
    }
    return bytes;
  }

  /** @throws MemoryFault when the guest may not write there */
  write(memory: GuestMemory, address: number, values: FieldValues): void {
    memory.writeBytes(address, this.encode(values));
  }

  /** Reads the structure; 64-bit fields become numbers, exact to 2^53. @throws MemoryFault */
  read(memory: GuestMemory, address: number): Record<string, number> {
    const { fields, size } = this.laidOut();
    const bytes = memory.readBytes(address, size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const values: Record<string, number> = {};
    for (const name in fields) values[name] = this.get(view, fields[name].type, fields[name].offset);
    return values;
  }

  private put(view: DataView, type: Field['type'], offset: number, value: number | bigint): void {
    const little = this.little;
    if (sizes[type] === 8) view.setBigInt64(offset, BigInt.asIntN(64, toBigInt(value)), little);
    else {
      const number = typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value;
      if (sizes[type] === 4) view.setInt32(offset, number, little);
      else if (sizes[type] === 2) view.setInt16(offset, number, little);
      else view.setInt8(offset, number);
    }
  }

  private get(view: DataView, type: Field['type'], offset: number): number {
    const little = this.little;
    switch (type) {
      case 'u8':
        return view.getUint8(offset);
      case 'u16':
        return view.getUint16(offset, little);
      case 'i16':
        return view.getInt16(offset, little);
      case 'u32':
        return view.getUint32(offset, little);
      case 'i32':
        return view.getInt32(offset, little);
      case 'u64':
        return Number(view.getBigUint64(offset, little));
      case 'i64':
        return Number(view.getBigInt64(offset, little));
    }
  }
}

/** Lays fields out as a C compiler would. */
function layOut(rows: FieldRows, model: DataModel, packed: boolean): Layout {
  let offset = 0;
  let largest = 1;
  const fields: Record<string, Field> = {};
  for (const [name, row] of Object.entries(rows)) {
    const [declared, count] = typeof row === 'string' ? [row, 1] : row;
    const type = concrete(declared, model.wordSize);
    const size = sizes[type];
    const alignment = packed ? 1 : size === 8 ? model.alignmentOf64 : size;
    largest = Math.max(largest, alignment);
    offset = align(offset, alignment);
    fields[name] = { name, type, offset, count };
    offset += size * count;
  }
  return { fields, size: align(offset, largest) };
}

function concrete(type: FieldType, wordSize: 4 | 8): Field['type'] {
  if (type === 'long') return wordSize === 4 ? 'i32' : 'i64';
  if (type === 'ulong') return wordSize === 4 ? 'u32' : 'u64';
  return type;
}

function toBigInt(value: number | bigint): bigint {
  return typeof value === 'bigint' ? value : BigInt(Math.trunc(value));
}

function align(offset: number, alignment: number): number {
  return (offset + alignment - 1) & -alignment;
}
