/** Which registers a report shows, and how: what their numbers mean to people who know the processor. */
import type { State } from '../../translators/ir/state.ts';
import { flagsWord } from '../../translators/x86/state-image.ts';
import { hex8 } from './places.ts';

export interface RegisterView {
  /** Names and values, as a table. */
  readonly cells: readonly (readonly [name: string, value: string])[];
  /** Names of flags that are set. */
  readonly set: readonly string[];
}

type View = (state: State) => RegisterView;

/** By the frontend's name. */
const views: Readonly<Record<string, View>> = { i386: viewX86, 'x86-64': viewX86 };

export function registerView(architecture: string, state: State): RegisterView {
  return (views[architecture] ?? viewAll)(state);
}

/** General registers as hexadecimal words, and the one-bit registers that are set. */
function viewAll(state: State): RegisterView {
  const { registers } = state.file;
  const words = registers.filter((register) => register.type === 'i32' && !register.bit);
  const bits = registers.filter((register) => register.bit && state.i32[register.index] !== 0);
  return { cells: words.map(({ name, index }) => [name, hex8(state.i32[index])]), set: bits.map(({ name }) => name) };
}

const flagNames: Readonly<Record<string, number>> = {
  CF: 0x1,
  PF: 0x4,
  AF: 0x10,
  ZF: 0x40,
  SF: 0x80,
  DF: 0x400,
  OF: 0x800,
};
const general32 = ['eax', 'ebx', 'ecx', 'edx', 'esi', 'edi', 'ebp', 'esp'];
const general64 = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp'];
for (let n = 8; n < 16; n++) general64.push(`r${n}`);

/** General registers, the bases that thread-local data is found by, EFLAGS. */
function viewX86(state: State): RegisterView {
  const is64 = 'rax' in state.file.numbers;
  const word = (name: string): readonly [string, string] => {
    const { type, index } = state.register(name);
    const value = type === 'i64' ? BigInt.asUintN(64, state.i64[index]) : BigInt(state.i32[index] >>> 0);
    return [name, value.toString(16).padStart(type === 'i64' ? 16 : 8, '0')];
  };
  const flags = flagsWord(state);
  const names = [...(is64 ? general64 : general32), 'fs.base', 'gs.base'];
  return {
    cells: [...names.map(word), [is64 ? 'rflags' : 'eflags', hex8(flags)]],
    set: Object.keys(flagNames).filter((name) => (flags & flagNames[name]) !== 0),
  };
}
