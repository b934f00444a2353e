/**
 * Signal frames of i386 Linux, byte for byte those of arch/x86/kernel/signal_32.c for a 32-bit program of a 64-bit
 * kernel on a processor without XSAVE.
 *
 * From the interrupted stack pointer down:
 *
 *     FXSAVE image  512  (aligned to 64)
 *     FSAVE image   112
 *     with SA_SIGINFO                     without
 *     retcode     8                       retcode        8
 *     ucontext  116                       extramask      4  (upper half of the mask)
 *     siginfo   128                       (unused)     624
 *     &ucontext   4                       sigcontext    88
 *     &siginfo    4
 *     signal      4                       signal         4
 *     pretcode    4                       pretcode       4  (4 below a multiple of 16)
 *
 * The handler's arguments are the words behind pretcode, its return address; eax, edx and ecx hold them, too.
 */

import type { State } from '../../translators/ir/state.ts';
import { i386Registers } from '../../translators/x86/registers.ts';
import { fxsaveSize, readFxsave, writeFxsave } from '../../translators/x86/state-image.ts';
import { threadSegments, threadSelector } from '../../translators/x86/thread-segments.ts';
import * as x86 from './abi/x86.ts';
import { callParts } from './exceptions-x86.ts';
import type { SignalAbi } from './signal-frame.ts';
import { fsaveSize, readFsave, writeFsave } from './signal-frame-fsave.ts';
import {
  checkAlternateStack,
  frameTop,
  fxsavePlace,
  initialFxsave,
  resetForHandler,
  restoreFlags,
  restorerFlag,
  savedFlags,
} from './signal-frame-x86.ts';
import { signalInfoSize, writeSignalInfo } from './signal-info.ts';
import { effectiveStackFlags, setAlternateStack } from './signal-stack.ts';
import { actionFlag } from './signals.ts';
import type { Thread } from './thread.ts';

const restartNumber = 0;
/** popl %eax; movl $119,%eax; int $0x80 */
const plainCode = Uint8Array.of(0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80);
/** movl $173,%eax; int $0x80 */
const realTimeCode = Uint8Array.of(0xb8, 173, 0, 0, 0, 0xcd, 0x80, 0);

/** Offsets in the frames (struct sigframe_ia32, struct rt_sigframe_ia32), and their sizes. */
const plain = { signal: 4, registers: 8, extraMask: 720, code: 724, size: 732 } as const;
const realTime = {
  signal: 4,
  infoPointer: 8,
  contextPointer: 12,
  info: 16,
  context: 144,
  stack: 152,
  registers: 164,
  mask: 252,
  code: 260,
  size: 268,
} as const;
/** Offsets in struct sigcontext_32. */
const mc = {
  gs: 0,
  fs: 4,
  es: 8,
  ds: 12,
  general: 16,
  trap: 48,
  error: 52,
  eip: 56,
  cs: 60,
  flags: 64,
  spAtSignal: 68,
  ss: 72,
  fpstate: 76,
  oldMask: 80,
  cr2: 84,
} as const;
/** The general registers in its order. */
const generalOrder = ['edi', 'esi', 'ebp', 'esp', 'ebx', 'edx', 'ecx', 'eax'];
const segmentOrder = ['gs', 'fs', 'es', 'ds'] as const;

const { file } = i386Registers;
const index = (name: string): number => file.registers[file.numbers[name]].index;
const generalIndices = generalOrder.map(index);
const [esp, eax, edx, ecx] = ['esp', 'eax', 'edx', 'ecx'].map(index);

export const i386Signals: SignalAbi = {
  trampoline: Uint8Array.of(...realTimeCode, ...plainCode),

  enterHandler(thread, action, info, mask) {
    const { process, state } = thread;
    const { memory } = process;
    const interrupted = state.i32[esp] >>> 0;
    const image = fxsavePlace(frameTop(thread, action, interrupted));
    const fpstate = image - fsaveSize;
    const isRealTime = (action.flags & actionFlag.SA_SIGINFO) !== 0;
    const layout = isRealTime ? realTime : plain;
    const frame = Math.floor((fpstate - layout.size + 4) / 16) * 16 - 4;
    checkAlternateStack(thread, action, interrupted, frame);
    const bytes = new Uint8Array(layout.size);
    const view = new DataView(bytes.buffer);
    const put = (offset: number, value: number | bigint): void =>
      view.setInt32(offset, Number(BigInt.asIntN(32, BigInt(value))), true);
    const ownCode = process.signalTrampoline + (isRealTime ? 0 : realTimeCode.length);
    put(0, (action.flags & restorerFlag) !== 0 ? action.restorer : ownCode);
    put(layout.signal, info.signal);
    bytes.set(isRealTime ? realTimeCode : plainCode, layout.code);
    putContext(thread, view, layout.registers, fpstate, mask);
    if (isRealTime) {
      put(realTime.infoPointer, frame + realTime.info);
      put(realTime.contextPointer, frame + realTime.context);
      writeSignalInfo(new DataView(bytes.buffer, realTime.info, signalInfoSize), info, process.files.abi.model);
      put(realTime.stack, thread.alternateStack.base);
      put(realTime.stack + 4, effectiveStackFlags(thread));
      put(realTime.stack + 8, thread.alternateStack.size);
      view.setBigUint64(realTime.mask, mask, true);
    } else put(plain.extraMask, mask >> 32n);
    const floats = new Uint8Array(fsaveSize + fxsaveSize);
    writeFxsave(state, floats.subarray(fsaveSize));
    writeFsave(floats);
    memory.writeBytes(fpstate, floats);
    memory.writeBytes(frame, bytes);
    state.i32[esp] = frame;
    state.i32[eax] = info.signal;
    state.i32[edx] = isRealTime ? frame + realTime.info : 0;
    state.i32[ecx] = isRealTime ? frame + realTime.context : 0;
    for (const name of ['ds', 'es', 'ss']) state.set(name, x86.selectors.data);
    state.pc = action.handler;
    resetForHandler(state);
  },

  leaveHandler(thread, isRealTime) {
    const { process, state } = thread;
    const { memory } = process;
    // pretcode is gone from the stack; the restorer of the plain frame has taken the signal, too.
    const frame = (state.i32[esp] >>> 0) - (isRealTime ? 4 : 8);
    const layout = isRealTime ? realTime : plain;
    const bytes = memory.readBytes(frame, layout.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (offset: number): number => view.getUint32(offset, true);
    const fpstate = word(layout.registers + mc.fpstate);
    const floats = fpstate === 0 ? undefined : memory.readBytes(fpstate, fsaveSize + fxsaveSize);
    loadContext(state, view, layout.registers);
    if (floats !== undefined) readFsave(floats);
    readFxsave(state, floats === undefined ? initialFxsave : floats.subarray(fsaveSize));
    if (!isRealTime) return (BigInt(word(plain.extraMask)) << 32n) | BigInt(word(plain.registers + mc.oldMask));
    setAlternateStack(thread, word(realTime.stack), word(realTime.stack + 4), word(realTime.stack + 8));
    return view.getBigUint64(realTime.mask, true);
  },

  ...callParts(i386Registers, restartNumber),
};

/** Fills a struct sigcontext_32. */
function putContext(thread: Thread, view: DataView, start: number, fpstate: number, mask: bigint): void {
  const { state, trap } = thread;
  const put = (offset: number, value: number): void => view.setInt32(start + offset, value, true);
  for (const name of segmentOrder) put(mc[name], state.get(name));
  generalIndices.forEach((register, i) => {
    put(mc.general + i * 4, state.i32[register]);
  });
  put(mc.trap, trap.number);
  put(mc.error, trap.error);
  put(mc.eip, state.pc);
  put(mc.cs, state.get('cs'));
  put(mc.flags, savedFlags(thread));
  put(mc.spAtSignal, state.i32[esp]);
  put(mc.ss, state.get('ss'));
  put(mc.fpstate, fpstate);
  put(mc.oldMask, Number(BigInt.asIntN(32, mask)));
  put(mc.cr2, Number(trap.address));
}

/** Takes the registers from a struct sigcontext_32. */
function loadContext(state: State, view: DataView, start: number): void {
  const word = (offset: number): number => view.getInt32(start + offset, true);
  for (const name of segmentOrder) loadSegment(state, name, word(mc[name]) & 0xffff);
  generalIndices.forEach((register, i) => {
    state.i32[register] = word(mc.general + i * 4);
  });
  state.pc = word(mc.eip);
  restoreFlags(state, word(mc.flags));
}

/** Puts a selector back, and the base that belongs to it. */
function loadSegment(state: State, name: string, selector: number): void {
  state.set(name, selector);
  if (name !== 'fs' && name !== 'gs') return;
  const entry = (selector >> 3) - threadSelector;
  const isThreadEntry = entry >= 0 && entry < threadSegments;
  state.set(`${name}.base`, isThreadEntry ? state.get(`segment${entry}.base`) : 0);
}
