/**
 * Signal frames of x86-64 Linux, byte for byte those of arch/x86/kernel/signal_64.c on a processor without XSAVE.
 *
 * From the interrupted stack pointer down:
 *
 *     red zone    128
 *     fpstate     512  (FXSAVE, aligned to 64)
 *     siginfo     128
 *     ucontext    304
 *     pretcode      8  (the restorer's address, which the handler returns to; the frame is 8 below a multiple of 16)
 *
 * rdi is the signal, rsi and rdx lead to siginfo and ucontext, rax is 0.
 */
import { x86_64Registers } from '../../translators/x86/registers.ts';
import { fxsaveSize, readFxsave, writeFxsave } from '../../translators/x86/state-image.ts';
import { MemoryFault } from '../memory/guest-memory.ts';
import { beyondMemory } from './abi/abi.ts';
import * as x86 from './abi/x86.ts';
import { callParts } from './exceptions-x86.ts';
import type { SignalAbi } from './signal-frame.ts';
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
import { writeSignalInfo } from './signal-info.ts';
import { effectiveStackFlags, setAlternateStack } from './signal-stack.ts';
import type { Thread } from './thread.ts';

const restartNumber = 219;
const redZone = 128;
/** UC_SIGCONTEXT_SS and UC_STRICT_RESTORE_SS: the context has SS. */
const contextFlags = 6;

/** Offsets in the frame (struct rt_sigframe), and its size. */
const at = { context: 8, stack: 24, registers: 48, mask: 304, info: 312, size: 440 } as const;
/** Offsets in struct sigcontext_64, from `registers`. */
const mc = {
  general: 0,
  rip: 128,
  flags: 136,
  cs: 144,
  ss: 150,
  error: 152,
  trap: 160,
  oldMask: 168,
  cr2: 176,
  fpstate: 184,
} as const;
/** The general registers in its order. */
// biome-ignore format: one line
const generalOrder = ['r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rdi', 'rsi', 'rbp', 'rbx', 'rdx', 'rax', 'rcx', 'rsp'];

const { file } = x86_64Registers;
const index = (name: string): number => file.registers[file.numbers[name]].index;
const generalIndices = generalOrder.map(index);
const [rdi, rsi, rdx, rax, rsp] = ['rdi', 'rsi', 'rdx', 'rax', 'rsp'].map(index);

export const x86_64Signals: SignalAbi = {
  // A program brings its own code for the return: without SA_RESTORER nothing is delivered.
  trampoline: new Uint8Array(0),

  enterHandler(thread, action, info, mask) {
    const { process, state } = thread;
    const { memory } = process;
    if ((action.flags & restorerFlag) === 0) throw new MemoryFault(0, 2);
    const interrupted = Number(BigInt.asUintN(64, state.i64[rsp]));
    const fpstate = fxsavePlace(frameTop(thread, action, interrupted - redZone));
    const frame = Math.floor((fpstate - at.size) / 16) * 16 - 8;
    checkAlternateStack(thread, action, interrupted - redZone, frame);
    const image = new Uint8Array(fxsaveSize);
    writeFxsave(state, image);
    const bytes = new Uint8Array(at.size);
    const view = new DataView(bytes.buffer);
    const put = (offset: number, value: bigint | number): void =>
      view.setBigInt64(offset, BigInt.asIntN(64, BigInt(value)), true);
    put(0, action.restorer);
    put(at.context, contextFlags);
    put(at.stack, thread.alternateStack.base);
    view.setUint32(at.stack + 8, effectiveStackFlags(thread), true);
    put(at.stack + 16, thread.alternateStack.size);
    generalIndices.forEach((register, i) => {
      put(at.registers + mc.general + i * 8, state.i64[register]);
    });
    put(at.registers + mc.rip, state.pc);
    put(at.registers + mc.flags, savedFlags(thread));
    view.setUint16(at.registers + mc.cs, x86.selectors.code64, true);
    view.setUint16(at.registers + mc.ss, state.get('ss'), true);
    put(at.registers + mc.error, thread.trap.error);
    put(at.registers + mc.trap, thread.trap.number);
    put(at.registers + mc.oldMask, mask);
    put(at.registers + mc.cr2, thread.trap.address);
    put(at.registers + mc.fpstate, fpstate);
    put(at.mask, mask);
    writeSignalInfo(new DataView(bytes.buffer, at.info), info, process.files.abi.model);
    memory.writeBytes(fpstate, image);
    memory.writeBytes(frame, bytes);
    state.i64[rsp] = BigInt(frame);
    state.i64[rdi] = BigInt(info.signal);
    state.i64[rsi] = BigInt(frame + at.info);
    state.i64[rdx] = BigInt(frame + at.context);
    state.i64[rax] = 0n;
    state.pc = action.handler > 0xffffffff ? beyondMemory : action.handler;
    resetForHandler(state);
  },

  leaveHandler(thread) {
    const { process, state } = thread;
    const { memory } = process;
    // The handler's return has taken pretcode from the stack.
    const frame = Number(BigInt.asUintN(64, state.i64[rsp])) - 8;
    const bytes = memory.readBytes(frame, at.size);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const word = (offset: number): bigint => view.getBigUint64(offset, true);
    const fpstate = word(at.registers + mc.fpstate);
    const image = fpstate === 0n ? initialFxsave : memory.readBytes(Number(fpstate), fxsaveSize);
    generalIndices.forEach((register, i) => {
      state.i64[register] = word(at.registers + mc.general + i * 8);
    });
    const rip = word(at.registers + mc.rip);
    state.pc = rip > 0xffffffffn ? beyondMemory : Number(rip);
    restoreFlags(state, view.getInt32(at.registers + mc.flags, true));
    readFxsave(state, image);
    restoreStack(thread, view);
    return word(at.mask);
  },

  ...callParts(x86_64Registers, restartNumber),
};

function restoreStack(thread: Thread, view: DataView): void {
  const [base, size] = [at.stack, at.stack + 16].map((offset) => Number(view.getBigUint64(offset, true)));
  setAlternateStack(thread, base, view.getUint32(at.stack + 8, true), size);
}
