/**
 * The registers that a debugger sees: their names and places in GDB's standard features (GDB manual, "Standard Target
 * Features"), and how each is made of the guest's state. From these rows derive the target description and the packets
 * that read and write registers.
 */
import type { State } from '../../translators/ir/state.ts';

export interface DebugRegister {
  readonly name: string;
  readonly bits: number;
  /** GDB's type; absent: an integer of that size. */
  readonly type?: string;
  /** The group that `info registers` lists it in, where that does not follow from the type. */
  readonly group?: string;
  /** The value as an unsigned number. */
  read(state: State): bigint;
  /** Absent: what a debugger writes is dropped. @param value unsigned, of `bits` bits */
  readonly write?: (state: State, value: bigint) => void;
}

export interface Feature {
  /** `org.gnu.gdb.i386.core` */
  readonly name: string;
  /** Definitions of types, as XML. */
  readonly types?: string;
  readonly registers: readonly DebugRegister[];
}

/** What a debugger must know of an architecture. */
export interface DebugTarget {
  /** GDB's name: `powerpc:common`. */
  readonly architecture: string;
  readonly byteOrder: 'big' | 'little';
  readonly features: readonly Feature[];
  readonly programCounter: string;
  readonly stackPointer: string;
  /** What a stop tells without being asked, besides these two. */
  readonly framePointer?: string;
}

/** The registers of all features; a register's number is its index. */
export function registersOf(target: DebugTarget): readonly DebugRegister[] {
  return target.features.flatMap(({ registers }) => registers);
}

/** A register that is one of the frontend's, under its own name or another. */
export function stateRegister(
  name: string,
  bits: 32 | 64,
  options: { from?: string; type?: string; group?: string } = {},
): DebugRegister {
  const { from = name, type, group } = options;
  return {
    name,
    bits,
    type,
    group,
    read(state) {
      const register = state.register(from);
      return BigInt.asUintN(
        bits,
        register.type === 'i32' ? BigInt(state.i32[register.index]) : state.i64[register.offset >> 3],
      );
    },
    write(state, value) {
      const register = state.register(from);
      if (register.type === 'i32') state.i32[register.index] = Number(BigInt.asIntN(32, value));
      else state.i64[register.offset >> 3] = BigInt.asIntN(64, value);
    },
  };
}

/** The program counter. A value that no guest address has leads to where nothing is mapped. */
export function programCounter(name: string, bits: 32 | 64): DebugRegister {
  return {
    name,
    bits,
    type: 'code_ptr',
    read: (state) => BigInt(state.pc),
    write(state, value) {
      state.pc = value > 0xffffffffn ? 0xffffffff : Number(value);
    },
  };
}

/** A register that always reads the same. */
export function constantRegister(
  name: string,
  bits: number,
  value: bigint,
  options: { type?: string; group?: string } = {},
): DebugRegister {
  return { name, bits, ...options, read: () => BigInt.asUintN(bits, value) };
}

/** A register's bytes in the guest's order. */
export function registerBytes(register: DebugRegister, state: State, byteOrder: 'big' | 'little'): Uint8Array {
  let value = register.read(state);
  const bytes = new Uint8Array(register.bits / 8);
  for (let i = 0; i < bytes.length; i++, value >>= 8n) bytes[i] = Number(value & 0xffn);
  return byteOrder === 'big' ? bytes.reverse() : bytes;
}

/** Sets a register from its bytes, of which there must be as many as it has. */
export function setRegisterBytes(
  register: DebugRegister,
  state: State,
  bytes: Uint8Array,
  byteOrder: 'big' | 'little',
): void {
  const ordered = byteOrder === 'big' ? bytes : bytes.toReversed();
  let value = 0n;
  for (const byte of ordered) value = (value << 8n) | BigInt(byte);
  register.write?.(state, value);
}

/** The target description (GDB manual, "Target Description Format"). */
export function targetDescription(target: DebugTarget): string {
  let number = 0;
  const features = target.features.map(({ name, types = '', registers }) => {
    const rows = registers.map((register) => {
      const { bits, type, group } = register;
      const attributes = `type="${type ?? 'int'}"${group === undefined ? '' : ` group="${group}"`}`;
      return `<reg name="${register.name}" bitsize="${bits}" regnum="${number++}" ${attributes}/>\n`;
    });
    return `<feature name="${name}">\n${types}${rows.join('')}</feature>\n`;
  });
  return `<?xml version="1.0"?>
<!DOCTYPE target SYSTEM "gdb-target.dtd">
<target version="1.0">
<architecture>${target.architecture}</architecture>
<osabi>GNU/Linux</osabi>
${features.join('')}</target>
`;
}
