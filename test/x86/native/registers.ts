/** Between the registers of a state block and those of a case. */
import type { State } from '../../../translators/ir/state.ts';
import { i386Registers, segmentNames, x86_64Registers } from '../../../translators/x86/registers.ts';
import { flagsWord, readFxsave, setFlagsWord, writeFxsave } from '../../../translators/x86/state-image.ts';
import { type Case, comparedFlags, type Outcome } from './case.ts';

/** Selectors of es, cs, ss, ds, fs and gs that Linux gives programs, with the C library's thread pointer. */
const selectors = { 32: [0x2b, 0x23, 0x2b, 0x2b, 0, 0x63], 64: [0, 0x33, 0x2b, 0, 0, 0] } as const;

const generalNames = (mode: 32 | 64): readonly string[] => (mode === 64 ? x86_64Registers : i386Registers).general;

const viewOf = (state: State, name: string): DataView =>
  new DataView(state.i32.buffer, state.base + state.register(name).offset);

export function writeRegisters(state: State, mode: 32 | 64, one: Case): void {
  for (const [n, name] of segmentNames.entries()) state.set(name, selectors[mode][n]);
  for (const [n, name] of generalNames(mode).entries()) {
    const view = viewOf(state, name);
    if (mode === 64) view.setBigUint64(0, one.registers[n], true);
    else view.setUint32(0, Number(one.registers[n]), true);
  }
  setFlagsWord(state, one.flags);
  readFxsave(state, one.fx);
}

export function readRegisters(state: State, mode: 32 | 64, outcome: Outcome): void {
  for (const [n, name] of generalNames(mode).entries()) {
    const view = viewOf(state, name);
    outcome.registers[n] = mode === 64 ? view.getBigUint64(0, true) : BigInt(view.getUint32(0, true));
  }
  outcome.flags = flagsWord(state) & comparedFlags;
  writeFxsave(state, outcome.fx);
}

/**
 * The parts of an FXSAVE image that are compared. Addresses and opcode of the last x87 instruction are not: processors
 * differ in when they keep them.
 */
export function floatingParts(mode: 32 | 64): { readonly name: string; readonly at: number; readonly size: number }[] {
  return [
    { name: 'control', at: 0, size: 2 },
    { name: 'status', at: 2, size: 2 },
    { name: 'tags', at: 4, size: 1 },
    { name: 'mxcsr', at: 24, size: 4 },
    ...Array.from({ length: 8 }, (_, n) => ({ name: `st${n}`, at: 32 + 16 * n, size: 10 })),
    ...Array.from({ length: mode === 64 ? 16 : 8 }, (_, n) => ({ name: `xmm${n}`, at: 160 + 16 * n, size: 16 })),
  ];
}
