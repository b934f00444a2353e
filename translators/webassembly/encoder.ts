/**
 * Writes WebAssembly's binary format (WebAssembly Core Specification 2.0, chapter 5), as far as translations need it:
 * bytes and LEB128 numbers, and a module of one function with its imports.
 */

/** Value types (section 5.3.1). */
export const valueType = { i32: 0x7f, i64: 0x7e, f32: 0x7d, f64: 0x7c, v128: 0x7b } as const;
export type ValueType = keyof typeof valueType;

/** A growing sequence of bytes. */
export class ByteWriter {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity);
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }

  /** An unsigned number below 2^32. */
  unsigned(value: number): void {
    let rest = value >>> 0;
    while (rest > 0x7f) {
      this.byte((rest & 0x7f) | 0x80);
      rest >>>= 7;
    }
    this.byte(rest);
  }

  /** A signed 32-bit number. */
  signed(value: number): void {
    let rest = value | 0;
    for (;;) {
      const low = rest & 0x7f;
      rest >>= 7;
      if ((rest === 0 && (low & 0x40) === 0) || (rest === -1 && (low & 0x40) !== 0)) {
        this.byte(low);
        return;
      }
      this.byte(low | 0x80);
    }
  }

  /** A signed 64-bit number, as two words. */
  signed64(low: number, high: number): void {
    let rest = (BigInt(high) << 32n) | BigInt(low >>> 0);
    for (;;) {
      const part = Number(rest & 0x7fn);
      rest >>= 7n;
      if ((rest === 0n && (part & 0x40) === 0) || (rest === -1n && (part & 0x40) !== 0)) {
        this.byte(part);
        return;
      }
      this.byte(part | 0x80);
    }
  }

  /** A word, least significant byte first. */
  word(value: number): void {
    for (let shift = 0; shift < 32; shift += 8) this.byte((value >>> shift) & 0xff);
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.bytes.length) this.grow(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** A name: its length and its UTF-8 bytes; only ASCII is asked for here. */
  name(text: string): void {
    this.unsigned(text.length);
    for (let at = 0; at < text.length; at++) this.byte(text.charCodeAt(at) & 0x7f);
  }

  /** The bytes from a position on, taken out. */
  cut(from: number): Uint8Array {
    const part = this.bytes.slice(from, this.length);
    this.length = from;
    return part;
  }

  /** What `write` writes here, with its length in bytes before it. */
  sized(write: () => void): void {
    // A length of one to five bytes takes five, as it may (section 5.2.2).
    const at = this.length;
    this.length += 5;
    if (this.length > this.bytes.length) this.grow(0);
    write();
    let rest = this.length - at - 5;
    for (let byte = 0; byte < 5; byte++) {
      this.bytes[at + byte] = (rest & 0x7f) | (byte < 4 ? 0x80 : 0);
      rest >>>= 7;
    }
  }

  finish(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(2 * this.bytes.length, this.length + needed));
    larger.set(this.bytes);
    this.bytes = larger;
  }
}

export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly result: ValueType | '';
}

export interface FunctionImport {
  readonly name: string;
  readonly type: FunctionType;
}

/** What is known of the condition of the `if` or `br_if` at an offset in a function's body. */
export interface BranchHint {
  readonly offset: number;
  readonly isLikely: boolean;
}

export interface ModuleParts {
  /** The function's name for profiles and stack traces. */
  readonly name: string;
  readonly type: FunctionType;
  /** Types of the locals behind the parameters, as runs. */
  readonly locals: readonly { readonly type: ValueType; readonly count: number }[];
  /** The body without the final `end`. */
  readonly body: Uint8Array;
  /** By rising offset. */
  readonly hints?: readonly BranchHint[];
  readonly imports: readonly FunctionImport[];
  /** Pages of the shared memory that is imported. */
  readonly memoryPages: number;
  /** Entries of a table of functions of the module's own type; absent: no table. */
  readonly tableEntries?: number;
  /** The table is not imported, but made here: each entry is the module's function. */
  readonly makesTable?: boolean;
}

/** Where module functions are imported from, and the names of what each imports and exports. */
export const importModule = 'stele';
export const memoryName = 'memory';
export const tableName = 'table';
export const exportName = 'f';

/** How every module begins: "\0asm", version 1. */
export function writeHeader(out: ByteWriter): void {
  out.word(0x6d736100);
  out.word(1);
}

export function writeSection(out: ByteWriter, id: number, write: (into: ByteWriter) => void): void {
  out.byte(id);
  out.sized(() => write(out));
}

/** The section of function types. */
export function writeTypes(out: ByteWriter, types: readonly FunctionType[]): void {
  writeSection(out, 1, (into) => {
    into.unsigned(types.length);
    for (const { parameters, result } of types) {
      into.byte(0x60);
      into.unsigned(parameters.length);
      for (const type of parameters) into.byte(valueType[type]);
      into.unsigned(result === '' ? 0 : 1);
      if (result !== '') into.byte(valueType[result]);
    }
  });
}

/** The import of a shared memory of so many pages, at most as many. */
export function writeMemoryImport(into: ByteWriter, module: string, pages: number): void {
  into.name(module);
  into.name(memoryName);
  // Shared, with a maximum.
  into.byte(2);
  into.byte(3);
  into.unsigned(pages);
  into.unsigned(pages);
}

/** Where modules are written before their bytes are taken. */
const modules = new ByteWriter(1 << 16);

/**
 * A module that imports a shared memory, functions and maybe a table, and exports one function, of type 0. The table's
 * entries are references to functions of that type, never null, and it cannot grow: then a call through it checks nothing.
 * @returns its bytes, the offset in them of the function's first instruction, and how many bytes before it declare locals
 */
export function encodeModule(parts: ModuleParts): {
  bytes: Uint8Array<ArrayBuffer>;
  bodyOffset: number;
  localsSize: number;
} {
  const types: string[] = [];
  const typeBytes: FunctionType[] = [];
  const typeIndex = (type: FunctionType): number => {
    const key = `${type.parameters.join(',')}:${type.result}`;
    const known = types.indexOf(key);
    if (known >= 0) return known;
    types.push(key);
    typeBytes.push(type);
    return types.length - 1;
  };
  typeIndex(parts.type);
  const importTypes = parts.imports.map(({ type }) => typeIndex(type));

  const out = modules;
  out.length = 0;
  writeHeader(out);
  const section = (id: number, write: (into: ByteWriter) => void): void => writeSection(out, id, write);
  // (ref 0), with as many entries at most as at first.
  const tableType = (into: ByteWriter): void => {
    const entries = parts.tableEntries as number;
    into.byte(0x64);
    into.byte(0);
    into.byte(1);
    into.unsigned(entries);
    into.unsigned(entries);
  };
  writeTypes(out, typeBytes);
  section(2, (into) => {
    const importsTable = parts.tableEntries !== undefined && parts.makesTable !== true;
    into.unsigned(parts.imports.length + (importsTable ? 2 : 1));
    parts.imports.forEach(({ name }, index) => {
      into.name(importModule);
      into.name(name);
      into.byte(0);
      into.unsigned(importTypes[index]);
    });
    writeMemoryImport(into, importModule, parts.memoryPages);
    if (!importsTable) return;
    into.name(importModule);
    into.name(tableName);
    into.byte(1);
    tableType(into);
  });
  section(3, (into) => {
    into.unsigned(1);
    into.unsigned(0);
  });
  if (parts.makesTable === true) {
    section(4, (into) => {
      into.unsigned(1);
      // With an initial value: the expression ref.func.
      into.byte(0x40);
      into.byte(0);
      tableType(into);
      into.byte(0xd2);
      into.unsigned(parts.imports.length);
      into.byte(0x0b);
    });
  }
  section(7, (into) => {
    into.unsigned(parts.makesTable === true ? 2 : 1);
    into.name(exportName);
    into.byte(0);
    into.unsigned(parts.imports.length);
    if (parts.makesTable !== true) return;
    into.name(tableName);
    into.byte(1);
    into.unsigned(0);
  });
  const locals = encodeLocals(parts.locals);
  if (parts.hints !== undefined && parts.hints.length > 0) {
    const { hints } = parts;
    // Branch hints (proposal "branch hinting", in WebAssembly 3.0's appendix): offsets count from the locals on.
    section(0, (into) => {
      into.name('metadata.code.branch_hint');
      into.unsigned(1);
      into.unsigned(parts.imports.length);
      into.unsigned(hints.length);
      for (const { offset, isLikely } of hints) {
        into.unsigned(offset + locals.length);
        into.byte(1);
        into.byte(isLikely ? 1 : 0);
      }
    });
  }
  section(10, (into) => {
    into.unsigned(1);
    into.sized(() => {
      into.append(locals);
      into.append(parts.body);
      into.byte(0x0b);
    });
  });
  // Behind the body stands the final `end`.
  const bodyEnd = out.length - 1;
  // The name section (appendix 7.4.1): function names.
  section(0, (into) => {
    into.name('name');
    into.byte(1);
    into.sized(() => {
      into.unsigned(1);
      into.unsigned(parts.imports.length);
      into.name(parts.name);
    });
  });
  const bytes = out.bytes.slice(0, out.length) as Uint8Array<ArrayBuffer>;
  return { bytes, bodyOffset: bodyEnd - parts.body.length, localsSize: locals.length };
}

/** The declarations of a function's locals. */
function encodeLocals(runs: ModuleParts['locals']): Uint8Array {
  const out = new ByteWriter(16);
  out.unsigned(runs.length);
  for (const { type, count } of runs) {
    out.unsigned(count);
    out.byte(valueType[type]);
  }
  return out.finish();
}
