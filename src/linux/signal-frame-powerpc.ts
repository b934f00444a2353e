/**
 * Signal frames of 32-bit PowerPC Linux, byte for byte those of arch/powerpc/kernel/signal_32.c on a machine
 * without AltiVec registers in use.
 *
 * From the interrupted stack pointer down, aligned to 16 bytes:
 *
 *     with SA_SIGINFO                   without
 *     abigap    224  (red zone of another ABI)
 *     ucontext 1184                     abigap      224
 *     siginfo   128                     mcontext    992
 *     gap        80                     sigcontext   32
 *                                       gap          64
 *
 * The gap is the handler's caller's stack frame; its first word is the back chain. r3 is the signal; r4, r5 and r6
 * lead to siginfo, ucontext and frame, or r4 to the sigcontext. LR leads to the trampoline.
 */
import type { State } from '../../translators/ir/state.ts';
import { powerpcRegisters } from '../../translators/powerpc/registers.ts';
import { conditionWord, setConditionWord, setXerWord, xerWord } from '../../translators/powerpc/state-words.ts';
import type { SignalAbi } from './signal-frame.ts';
import { writeSignalInfo } from './signal-info.ts';
import type { SignalInfo } from './signal-queue.ts';
import { effectiveStackFlags, onAlternateStack, setAlternateStack } from './signal-stack.ts';
import { actionFlag, type SignalAction, signalNumbers as s, signalCode } from './signals.ts';
import type { Thread } from './thread.ts';

const callNumber = { sigreturn: 119, rt_sigreturn: 172 } as const;
const instruction = {
  /** li r0,n */
  loadNumber: 0x38000000,
  systemCall: 0x44000002,
} as const;

/** Sizes and offsets in bytes. */
const infoSize = 128;
const abiGap = 224;
const plainGap = 64;
const realTimeGap = 80;
const contextSize = 32;
/** In struct ucontext. */
const ucontext = { flags: 0, link: 4, stack: 8, regs: 48, mask: 52, registers: 192, size: 1184 } as const;
/** In struct mcontext. */
const mcontext = { floats: 192, fpscr: 192 + 32 * 8 + 4, trampoline: 456, vrsave: 464 + 32 * 16, size: 992 } as const;
/** Words of mc_gregs behind the 32 general registers (asm/ptrace.h). */
const word = {
  nip: 32,
  msr: 33,
  origR3: 34,
  ctr: 35,
  link: 36,
  xer: 37,
  ccr: 38,
  trap: 40,
  dar: 41,
  dsisr: 42,
} as const;

/** Problem state, external interrupts, machine checks, translation on: what a user program's MSR looks like. */
const userMsr = 0xd032;

const index = (name: string): number => powerpcRegisters.registers[powerpcRegisters.numbers[name]].index;
const at = {
  r0: index('r0'),
  f0: index('f0'),
  lr: index('lr'),
  ctr: index('ctr'),
  overflow: index('cr0.so'),
  fpscr: index('fpscr'),
  reserve: index('reserve.address'),
  vrsave: index('vrsave'),
} as const;
const r1 = at.r0 + 1;
const r3 = at.r0 + 3;

/** FPSCR's exception bits and what they are to a handler, the first one that is set counting (__parse_fpscr in traps.c). */
const floatingPointCodes: readonly (readonly [bit: number, code: number])[] = [
  [0x20000000, signalCode.FPE_FLTINV],
  [0x10000000, signalCode.FPE_FLTOVF],
  [0x08000000, signalCode.FPE_FLTUND],
  [0x04000000, signalCode.FPE_FLTDIV],
  [0x02000000, signalCode.FPE_FLTRES],
];

export const powerpcSignals: SignalAbi = {
  trampoline: words([
    instruction.loadNumber + callNumber.rt_sigreturn,
    instruction.systemCall,
    instruction.loadNumber + callNumber.sigreturn,
    instruction.systemCall,
  ]),

  enterHandler(thread, action, info, mask) {
    const { state } = thread;
    const i32 = state.i32;
    const interrupted = i32[r1] >>> 0;
    const { alternateStack } = thread;
    const switches =
      (action.flags & actionFlag.SA_ONSTACK) !== 0 &&
      alternateStack.size !== 0 &&
      !onAlternateStack(thread, interrupted);
    const stack = switches ? alternateStack.base + alternateStack.size : interrupted;
    const realTime = (action.flags & actionFlag.SA_SIGINFO) !== 0;
    const top = realTime
      ? enterRealTime(thread, info, mask, stack)
      : enterPlain(thread, action, info.signal, mask, stack);
    i32[r1] = top;
    i32[r3] = info.signal;
    i32[at.lr] = thread.process.signalTrampoline + (realTime ? 0 : 8);
    i32[at.fpscr] = 0;
    i32[at.reserve] = -1;
    state.pc = action.handler;
  },

  leaveHandler(thread, realTime) {
    const { memory } = thread.process;
    const stack = thread.state.i32[r1] >>> 0;
    if (realTime) {
      const context = stack + realTimeGap + infoSize;
      const mask = readMask(memory.readU32(context + ucontext.mask), memory.readU32(context + ucontext.mask + 4));
      loadRegisters(thread.state, memory.readBytes(memory.readU32(context + ucontext.regs), mcontext.size));
      const saved = context + ucontext.stack;
      setAlternateStack(thread, memory.readU32(saved), memory.readU32(saved + 4), memory.readU32(saved + 8));
      return mask;
    }
    const context = stack + plainGap;
    const mask = readMask(memory.readU32(context + 24), memory.readU32(context + 12));
    loadRegisters(thread.state, memory.readBytes(memory.readU32(context + 28), mcontext.size));
    return mask;
  },

  contexts: {
    size: ucontext.size,

    save(thread, address) {
      const { memory } = thread.process;
      const registers = new Uint8Array(mcontext.size);
      saveRegisters(thread, new DataView(registers.buffer), 0);
      memory.writeBytes(address + ucontext.registers, registers);
      memory.writeU32(address + ucontext.regs, address + ucontext.registers);
      memory.writeU32(address + ucontext.mask, Number(thread.signalMask & 0xffffffffn));
      memory.writeU32(address + ucontext.mask + 4, Number(thread.signalMask >> 32n));
    },

    load(thread, address) {
      const { memory } = thread.process;
      const mask = readMask(memory.readU32(address + ucontext.mask), memory.readU32(address + ucontext.mask + 4));
      loadRegisters(thread.state, memory.readBytes(memory.readU32(address + ucontext.regs), mcontext.size), true);
      return mask;
    },
  },

  exceptionSignal({ reason, detail }, { state }) {
    const { pc } = state;
    switch (reason) {
      case 'illegal':
        return { signal: s.SIGILL, code: signalCode.ILL_ILLOPC, address: pc };
      case 'privileged':
        return { signal: s.SIGILL, code: signalCode.ILL_PRVOPC, address: pc };
      case 'trap':
      case 'breakpoint':
        return { signal: s.SIGTRAP, code: signalCode.TRAP_BRKPT, address: pc };
      case 'floating_point': {
        const code = floatingPointCodes.find(([bit]) => (detail & bit) !== 0)?.[1] ?? signalCode.FPE_FLTUNK;
        return { signal: s.SIGFPE, code, address: pc };
      }
      case 'misaligned':
        return { signal: s.SIGBUS, code: signalCode.BUS_ADRALN, address: detail >>> 0 };
      default:
        throw new RangeError(`the engine left for a reason that PowerPC does not have: ${reason}`);
    }
  },

  stackPointer: ({ state }) => state.i32[r1] >>> 0,
  callError: ({ state }) => (state.i32[at.overflow] !== 0 ? state.i32[r3] : 0),
  setCallError({ state }, error) {
    state.i32[r3] = error;
    state.i32[at.overflow] = 1;
  },
  restartCall({ state, callArgument }) {
    state.i32[r3] = callArgument;
    state.pc -= 4;
  },
  resumeCall({ state }) {
    state.i32[at.r0] = 0;
    state.pc -= 4;
  },
};

/** @returns the new stack pointer */
function enterRealTime(thread: Thread, info: SignalInfo, mask: bigint, stack: number): number {
  const { process, state } = thread;
  const { memory } = process;
  const frame = ((stack - infoSize - ucontext.size - abiGap) & -16) >>> 0;
  const top = frame - realTimeGap;
  const context = frame + infoSize;
  const bytes = new Uint8Array(infoSize + ucontext.size);
  const view = new DataView(bytes.buffer);
  writeSignalInfo(view, info, thread.process.files.abi.model);
  const { base, size } = thread.alternateStack;
  view.setUint32(infoSize + ucontext.stack, base);
  view.setUint32(infoSize + ucontext.stack + 4, effectiveStackFlags(thread));
  view.setUint32(infoSize + ucontext.stack + 8, size);
  view.setUint32(infoSize + ucontext.regs, context + ucontext.registers);
  view.setUint32(infoSize + ucontext.mask, Number(mask & 0xffffffffn));
  view.setUint32(infoSize + ucontext.mask + 4, Number(mask >> 32n));
  saveRegisters(thread, view, infoSize + ucontext.registers);
  memory.writeU32(top, state.i32[r1]);
  memory.writeBytes(frame, bytes);
  state.i32[r3 + 1] = frame;
  state.i32[r3 + 2] = context;
  state.i32[r3 + 3] = frame;
  return top;
}

/** @returns the new stack pointer */
function enterPlain(thread: Thread, action: SignalAction, signal: number, mask: bigint, stack: number): number {
  const { process, state } = thread;
  const { memory } = process;
  const frame = ((stack - contextSize - mcontext.size - abiGap) & -16) >>> 0;
  const top = frame - plainGap;
  const bytes = new Uint8Array(contextSize + mcontext.size);
  const view = new DataView(bytes.buffer);
  // struct sigcontext: four unused words, of which the last has the mask's upper half.
  view.setUint32(12, Number(mask >> 32n));
  view.setUint32(16, signal);
  view.setUint32(20, action.handler);
  view.setUint32(24, Number(mask & 0xffffffffn));
  view.setUint32(28, frame + contextSize);
  saveRegisters(thread, view, contextSize);
  memory.writeU32(top, state.i32[r1]);
  memory.writeBytes(frame, bytes);
  state.i32[r3 + 1] = frame;
  return top;
}

/** Fills a struct mcontext. */
function saveRegisters(thread: Thread, view: DataView, offset: number): void {
  const { state } = thread;
  const i32 = state.i32;
  const put = (position: number, value: number) => view.setInt32(offset + position * 4, value);
  for (let i = 0; i < 32; i++) put(i, i32[at.r0 + i]);
  put(word.nip, state.pc);
  put(word.msr, userMsr);
  put(word.origR3, thread.callArgument);
  put(word.ctr, i32[at.ctr]);
  put(word.link, i32[at.lr]);
  put(word.xer, xerWord(state));
  put(word.ccr, conditionWord(state));
  const { trap, address, status } = exceptionWords(thread);
  put(word.trap, trap);
  put(word.dar, address);
  put(word.dsisr, status);
  for (let i = 0; i < 32; i++) view.setBigInt64(offset + mcontext.floats + i * 8, state.i64[at.f0 + i]);
  view.setInt32(offset + mcontext.fpscr, i32[at.fpscr]);
  view.setInt32(offset + mcontext.vrsave, i32[at.vrsave]);
}

/** Takes all registers but MSR from a struct mcontext. */
function loadRegisters(state: State, bytes: Uint8Array, keepTls = false): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const i32 = state.i32;
  const get = (position: number): number => view.getInt32(position * 4);
  for (let i = 0; i < 32; i++) if (i !== 2 || !keepTls) i32[at.r0 + i] = get(i);
  state.pc = get(word.nip);
  i32[at.ctr] = get(word.ctr);
  i32[at.lr] = get(word.link);
  setXerWord(state, get(word.xer));
  setConditionWord(state, get(word.ccr));
  for (let i = 0; i < 32; i++) state.i64[at.f0 + i] = view.getBigInt64(mcontext.floats + i * 8);
  i32[at.fpscr] = view.getInt32(mcontext.fpscr);
  i32[at.vrsave] = view.getInt32(mcontext.vrsave);
  i32[at.reserve] = -1;
}

/** Interrupt vector, DAR and DSISR for what stopped the thread. */
function exceptionWords({ exception }: Thread): { trap: number; address: number; status: number } {
  if (exception === undefined) return { trap: 0xc00, address: 0, status: 0 };
  const { reason, access, mapped, detail } = exception;
  const address = Number(exception.address);
  switch (reason) {
    case 'fault': {
      if ((access & 4) !== 0) return { trap: 0x400, address, status: mapped ? 0x08000000 : 0x40000000 };
      const why = mapped ? 0x08000000 : 0x40000000;
      return { trap: 0x300, address, status: why | ((access & 2) !== 0 ? 0x02000000 : 0) };
    }
    case 'misaligned':
      return { trap: 0x600, address: detail, status: 0 };
    case 'interrupt':
      return { trap: 0x900, address: 0, status: 0 };
    default:
      return { trap: 0x700, address: 0, status: 0 };
  }
}

function readMask(low: number, high: number): bigint {
  return BigInt(low) | (BigInt(high) << 32n);
}

function words(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setUint32(i * 4, value);
  });
  return bytes;
}
