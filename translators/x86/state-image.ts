/**
 * The guest's flags and floating-point registers in the forms that processors and kernels have for them: the EFLAGS
 * word, and the image of FXSAVE (SDM volume 1, section 10.5.1). For signal frames, debuggers, and engines that run the
 * guest on the processor. Not for hot paths.
 */
import type { State } from '../ir/state.ts';
import { AF, CF, DF, fixedFlags, OF, PF, SF, systemFlags, ZF } from './flags.ts';
import { defaultMxcsr } from './registers.ts';

/** Bytes of an FXSAVE image. */
export const fxsaveSize = 512;
/** Bits of MXCSR that there are (MXCSR_MASK in the image). */
const mxcsrMask = 0xffff;
/** What the control word register is kept as the difference to. */
const defaultControl = 0x37f;
/** The place of the top of the stack in the status word. */
const topShift = 11;

/** Places in the image: bytes from its beginning; registers are 16 bytes apart. */
// biome-ignore format: one line
export const fxsavePlaces = { control: 0, status: 2, tags: 4, instruction: 8, data: 16, mxcsr: 24, mask: 28, st: 32, xmm: 160 } as const;
const at = fxsavePlaces;
/** Bytes of a register there. */
const slot = 16;

const is64 = (state: State): boolean => 'rax' in state.file.numbers;

/** The value of a register that may have 32 or 64 bits, signed. */
function wordOf(state: State, name: string): bigint {
  const { type, index } = state.register(name);
  return type === 'i64' ? state.i64[index] : BigInt(state.i32[index]);
}

function setWord(state: State, name: string, value: bigint): void {
  const { type, index } = state.register(name);
  if (type === 'i64') state.i64[index] = value;
  else state.i32[index] = Number(BigInt.asIntN(32, value));
}

/** Whether a byte has an even number of ones. */
function isEven(byte: number): boolean {
  const nibble = (byte ^ (byte >> 4)) & 15;
  return ((0x9669 >> nibble) & 1) === 1;
}

/** EFLAGS, as pushf shows it. */
export function flagsWord(state: State): number {
  const carry = state.get('flags.carry');
  const result = wordOf(state, 'flags.result');
  const carries = wordOf(state, 'flags.carries');
  const isCarry = (carry & 1) !== 0;
  let word = fixedFlags | (state.get('flags.system') & systemFlags) | (state.get('flags.direction') & DF);
  if (isCarry) word |= CF;
  if (isEven((Number(result & 255n) ^ (carry >> 8)) & 255)) word |= PF;
  if ((carries & 16n) !== 0n) word |= AF;
  if (result === 0n) word |= ZF;
  if (result < 0n !== ((carry & 2) !== 0)) word |= SF;
  if (carries < 0n !== isCarry) word |= OF;
  return word;
}

/** Sets the flags that a program can change, from a word that has them at their places in EFLAGS. */
export function setFlagsWord(state: State, word: number): void {
  const has = (flag: number): number => ((word & flag) !== 0 ? 1 : 0);
  // The result is 0, which is even, or 1, which is odd; neither is negative: corrected where the flags are otherwise.
  const parity = has(PF) ^ has(ZF);
  state.set('flags.carry', has(CF) | (has(SF) << 1) | (parity << 8));
  setWord(state, 'flags.result', has(ZF) === 1 ? 0n : 1n);
  const sign = has(OF) !== has(CF) ? -1n << (is64(state) ? 63n : 31n) : 0n;
  setWord(state, 'flags.carries', sign | BigInt(word & AF));
  state.set('flags.direction', has(DF) === 1 ? -1 : 0);
  state.set('flags.system', word & systemFlags);
}

/** Calls back with each XMM register's number and the index of its lower half among the state's 64-bit words. */
function forEachXmm({ file }: State, action: (number: number, index: number) => void): void {
  for (let n = 0; `xmm${n}` in file.numbers; n++) action(n, file.registers[file.numbers[`xmm${n}`]].offset >> 3);
}

/** Writes the image that FXSAVE would, without its reserved bytes. @param image at least fxsaveSize bytes */
export function writeFxsave(state: State, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const top = state.get('x87.top');
  view.setUint16(at.control, state.get('x87.control') ^ defaultControl, true);
  view.setUint16(at.status, state.get('x87.status') | (top << topShift), true);
  view.setUint16(at.tags, state.get('x87.tags'), true);
  view.setBigUint64(at.instruction, BigInt(state.get('x87.instruction') >>> 0), true);
  view.setBigUint64(at.data, BigInt(state.get('x87.data') >>> 0), true);
  view.setUint32(at.mxcsr, state.get('mxcsr') ^ defaultMxcsr, true);
  view.setUint32(at.mask, mxcsrMask, true);
  for (let n = 0; n < 8; n++) {
    const physical = (top + n) & 7;
    view.setBigInt64(at.st + slot * n, wordOf(state, `mm${physical}`), true);
    view.setBigUint64(at.st + slot * n + 8, BigInt(state.get(`x87.head${physical}`) & 0xffff), true);
  }
  forEachXmm(state, (n, index) => {
    view.setBigInt64(at.xmm + slot * n, state.i64[index], true);
    view.setBigInt64(at.xmm + slot * n + 8, state.i64[index + 1], true);
  });
}

/** Sets the floating-point registers from an image as FXSAVE writes it; bits of MXCSR that there are none of are dropped. */
export function readFxsave(state: State, image: Uint8Array): void {
  const view = new DataView(image.buffer, image.byteOffset, image.byteLength);
  const status = view.getUint16(at.status, true);
  const top = (status >> topShift) & 7;
  state.set('x87.control', view.getUint16(at.control, true) ^ defaultControl);
  state.set('x87.status', status & ~(7 << topShift));
  state.set('x87.top', top);
  state.set('x87.tags', view.getUint8(at.tags));
  state.set('x87.instruction', view.getInt32(at.instruction, true));
  state.set('x87.data', view.getInt32(at.data, true));
  state.set('mxcsr', (view.getUint32(at.mxcsr, true) & mxcsrMask) ^ defaultMxcsr);
  for (let n = 0; n < 8; n++) {
    const physical = (top + n) & 7;
    setWord(state, `mm${physical}`, view.getBigInt64(at.st + slot * n, true));
    state.set(`x87.head${physical}`, view.getUint16(at.st + slot * n + 8, true));
  }
  forEachXmm(state, (n, index) => {
    state.i64[index] = view.getBigInt64(at.xmm + slot * n, true);
    state.i64[index + 1] = view.getBigInt64(at.xmm + slot * n + 8, true);
  });
}
