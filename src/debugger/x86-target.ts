/** What a debugger sees of an x86 thread (GDB manual, "i386 Features"). */
import type { State } from '../../translators/ir/state.ts';
import { i386Registers, x86_64Registers } from '../../translators/x86/registers.ts';
import {
  flagsWord,
  fxsavePlaces,
  fxsaveSize,
  readFxsave,
  setFlagsWord,
  writeFxsave,
} from '../../translators/x86/state-image.ts';
import {
  constantRegister,
  type DebugRegister,
  type DebugTarget,
  type Feature,
  programCounter,
  stateRegister,
} from './registers.ts';

/** A part of the FXSAVE image. */
function imageRegister(
  name: string,
  bits: number,
  place: number,
  options: { type?: string; group?: string; bytes?: number } = {},
): DebugRegister {
  const { type, group, bytes = bits / 8 } = options;
  return {
    name,
    bits,
    type,
    group,
    read(state) {
      const image = new Uint8Array(fxsaveSize);
      writeFxsave(state, image);
      return image.subarray(place, place + bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
    },
    write(state, value) {
      const image = new Uint8Array(fxsaveSize);
      writeFxsave(state, image);
      for (let i = 0; i < bytes; i++) image[place + i] = Number((value >> BigInt(8 * i)) & 0xffn);
      readFxsave(state, image);
    },
  };
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7];
const float = { group: 'float' } as const;

/** What the tag word says of a register's contents (SDM volume 1, section 8.1.7). */
const tag = { valid: 0, zero: 1, special: 2, empty: 3 } as const;

/** The tag word, two bits for each physical register; the state keeps the abridged one. */
const tagWord: DebugRegister = {
  name: 'ftag',
  bits: 32,
  ...float,
  read(state) {
    let word = 0;
    for (const n of eight) word |= tagOf(state, n) << (2 * n);
    return BigInt(word);
  },
  write(state, value) {
    let tags = 0;
    for (const n of eight) if (((Number(value) >> (2 * n)) & 3) !== tag.empty) tags |= 1 << n;
    state.set('x87.tags', tags);
  },
};

function tagOf(state: State, physical: number): number {
  if (((state.get('x87.tags') >> physical) & 1) === 0) return tag.empty;
  const exponent = state.get(`x87.head${physical}`) & 0x7fff;
  const significand = state.i64[state.register(`mm${physical}`).index];
  if (exponent === 0) return significand === 0n ? tag.zero : tag.special;
  return exponent !== 0x7fff && significand < 0n ? tag.valid : tag.special;
}

const flags: DebugRegister = {
  name: 'eflags',
  bits: 32,
  type: 'i386_eflags',
  read: (state) => BigInt(flagsWord(state) >>> 0),
  write: (state, value) => setFlagsWord(state, Number(value)),
};

/** Names of single bits, as a type; the others have none. */
const flagsType = (id: string, bytes: number, names: Readonly<Record<string, number>>): string => {
  const fields = Object.entries(names).map(([name, bit]) => `<field name="${name}" start="${bit}" end="${bit}"/>`);
  return `<flags id="${id}" size="${bytes}">${fields.join('')}</flags>\n`;
};
// biome-ignore format: one line
const flagNames = { CF: 0, '': 1, PF: 2, AF: 4, ZF: 6, SF: 7, TF: 8, IF: 9, DF: 10, OF: 11, NT: 14, RF: 16, VM: 17, AC: 18, ID: 21 };
// biome-ignore format: one line
const mxcsrNames = { IE: 0, DE: 1, ZE: 2, OE: 3, UE: 4, PE: 5, DAZ: 6, IM: 7, DM: 8, ZM: 9, OM: 10, UM: 11, PM: 12, FZ: 15 };

/** How the contents of an XMM register can be looked at, as GDB has it. */
const vectorTypes = `<vector id="v4f" type="ieee_single" count="4"/>
<vector id="v2d" type="ieee_double" count="2"/>
<vector id="v16i8" type="int8" count="16"/>
<vector id="v8i16" type="int16" count="8"/>
<vector id="v4i32" type="int32" count="4"/>
<vector id="v2i64" type="int64" count="2"/>
<union id="vec128"><field name="v4_float" type="v4f"/><field name="v2_double" type="v2d"/>\
<field name="v16_int8" type="v16i8"/><field name="v8_int16" type="v8i16"/><field name="v4_int32" type="v4i32"/>\
<field name="v2_int64" type="v2i64"/><field name="uint128" type="uint128"/></union>
`;

/** GDB's order of the general registers; with 64 bits it is not that of their encoding. */
const order64 = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'];
for (let n = 8; n < 16; n++) order64.push(`r${n}`);

/** Whether a general register holds a pointer into the stack. */
const pointsToStack = (name: string): boolean => /^[er][sb]p$/.test(name);

function targetOf(is64: boolean): DebugTarget {
  const word = is64 ? 64 : 32;
  const { general } = is64 ? x86_64Registers : i386Registers;
  const { st, xmm } = fxsavePlaces;
  const core: Feature = {
    name: 'org.gnu.gdb.i386.core',
    types: flagsType('i386_eflags', 4, flagNames),
    registers: [
      ...(is64 ? order64 : general).map((name) =>
        stateRegister(name, word, { type: pointsToStack(name) ? 'data_ptr' : `int${word}` }),
      ),
      programCounter(is64 ? 'rip' : 'eip', word),
      flags,
      // Selectors cannot be written: their bases would have to follow.
      ...['cs', 'ss', 'ds', 'es', 'fs', 'gs'].map((name): DebugRegister => {
        const { read } = stateRegister(name, 32);
        return { name, bits: 32, type: 'int32', read };
      }),
      ...eight.map((n) => imageRegister(`st${n}`, 80, st + 16 * n, { type: 'i387_ext' })),
      imageRegister('fctrl', 32, fxsavePlaces.control, { ...float, bytes: 2 }),
      imageRegister('fstat', 32, fxsavePlaces.status, { ...float, bytes: 2 }),
      tagWord,
      constantRegister('fiseg', 32, 0n, float),
      imageRegister('fioff', 32, fxsavePlaces.instruction, float),
      constantRegister('foseg', 32, 0n, float),
      imageRegister('fooff', 32, fxsavePlaces.data, float),
      constantRegister('fop', 32, 0n, float),
    ],
  };
  const sse: Feature = {
    name: 'org.gnu.gdb.i386.sse',
    types: vectorTypes + flagsType('i386_mxcsr', 4, mxcsrNames),
    registers: [
      ...Array.from({ length: is64 ? 16 : 8 }, (_, n) =>
        imageRegister(`xmm${n}`, 128, xmm + 16 * n, { type: 'vec128' }),
      ),
      imageRegister('mxcsr', 32, fxsavePlaces.mxcsr, { type: 'i386_mxcsr', group: 'vector' }),
    ],
  };
  const segments: Feature = {
    name: 'org.gnu.gdb.i386.segments',
    registers: [stateRegister('fs_base', 64, { from: 'fs.base' }), stateRegister('gs_base', 64, { from: 'gs.base' })],
  };
  // A debugger never sees a thread within a system call: nothing is to be restarted, which -1 says.
  const linux: Feature = {
    name: 'org.gnu.gdb.i386.linux',
    registers: [constantRegister(is64 ? 'orig_rax' : 'orig_eax', word, -1n, { group: 'system' })],
  };
  return {
    architecture: is64 ? 'i386:x86-64' : 'i386',
    byteOrder: 'little',
    features: is64 ? [core, sse, linux, segments] : [core, sse, linux],
    programCounter: is64 ? 'rip' : 'eip',
    stackPointer: is64 ? 'rsp' : 'esp',
    framePointer: is64 ? 'rbp' : 'ebp',
  };
}

export const i386Target = targetOf(false);
export const x86_64Target = targetOf(true);
