/**
 * What exceptions of an x86 processor are to a program, and how its calls end and start again: the same for i386 and
 * x86-64 (arch/x86/kernel/traps.c, signal.c, fpu/xstate.c).
 */
import type { State } from '../../translators/ir/state.ts';
import type { X86Registers } from '../../translators/x86/registers.ts';
import { protection } from '../memory/guest-memory.ts';
import { errorOf } from './abi/x86.ts';
import type { ExceptionSignal, SignalAbi } from './signal-frame.ts';
import { signalNumbers as s, signalCode } from './signals.ts';
import type { Thread, ThreadException, Trap } from './thread.ts';

/** Numbers of exceptions (SDM volume 3, 6.3.1). */
// biome-ignore format: one line
const trapNumber = { divide: 0, debug: 1, breakpoint: 3, overflow: 4, bound: 5, invalid: 6, stack: 12, protection: 13, page: 14, x87: 16, alignment: 17, simd: 19 } as const;

/** Bits of a page fault's error code. */
const pageError = { present: 1, write: 2, user: 4, fetch: 16 } as const;

/** Status bits of an x87 or SIMD exception and what they are to a handler, the first one that is set counting (fpu__exception_code). */
const floatingPointCodes: readonly (readonly [bits: number, code: number])[] = [
  [0x01, signalCode.FPE_FLTINV],
  [0x04, signalCode.FPE_FLTDIV],
  [0x08, signalCode.FPE_FLTOVF],
  [0x12, signalCode.FPE_FLTUND],
  [0x20, signalCode.FPE_FLTRES],
];
/** A floating-point exception's detail holds the bits of x87, or from here on those of MXCSR. */
const simdShift = 16;

/** The first address that is not a program's; what lies beyond looks as if it were there. */
const kernelStart = 0x8000_0000_0000n;

/** Whether a page fault looks as if the page were there and only forbidden. */
function isPresent({ process }: Thread, address: number | bigint): boolean {
  if (address >= kernelStart) return true;
  return (
    address <= 0xffffffff && (process.memory.find(Number(address))?.protection ?? protection.none) !== protection.none
  );
}

function trapOf(exception: ThreadException, thread: Thread): Trap {
  const { reason, address, access, detail, isStack } = exception;
  // Only a page fault changes CR2.
  const plain = (number: number, error = 0): Trap => ({ number, error, address: thread.trap.address });
  switch (reason) {
    case 'fault': {
      const how = ((access & 2) !== 0 ? pageError.write : 0) | ((access & 4) !== 0 ? pageError.fetch : 0);
      return {
        number: trapNumber.page,
        error: pageError.user | how | (isPresent(thread, address) ? pageError.present : 0),
        address,
      };
    }
    case 'divide':
      return plain(trapNumber.divide);
    case 'trap':
      return plain(trapNumber.debug);
    case 'breakpoint':
      return plain(trapNumber.breakpoint);
    case 'overflow':
      return plain(trapNumber.overflow);
    case 'bound':
      return plain(trapNumber.bound);
    case 'illegal':
      return plain(trapNumber.invalid);
    case 'misaligned':
      return plain(trapNumber.alignment);
    case 'floating_point':
      return plain(detail >>> simdShift === 0 ? trapNumber.x87 : trapNumber.simd);
    default:
      // The detail names the gate of an interrupt that programs may not raise.
      return plain(isStack ? trapNumber.stack : trapNumber.protection, detail);
  }
}

function exceptionSignal({ reason, detail, isStack }: ThreadException, { state }: Thread): ExceptionSignal {
  const { pc } = state;
  switch (reason) {
    case 'divide':
      return { signal: s.SIGFPE, code: signalCode.FPE_INTDIV, address: pc };
    case 'illegal':
      return { signal: s.SIGILL, code: signalCode.ILL_ILLOPN, address: pc };
    case 'floating_point': {
      const bits = detail >>> simdShift === 0 ? detail : detail >>> simdShift;
      const code = floatingPointCodes.find(([mask]) => (bits & mask) !== 0)?.[1] ?? signalCode.FPE_FLTUNK;
      return { signal: s.SIGFPE, code, address: pc };
    }
    case 'breakpoint':
      return { signal: s.SIGTRAP, code: signalCode.SI_KERNEL, address: 0 };
    case 'trap':
      return { signal: s.SIGTRAP, code: signalCode.TRAP_TRACE, address: pc };
    case 'misaligned':
      return { signal: s.SIGBUS, code: signalCode.BUS_ADRALN, address: 0 };
    default:
      return { signal: isStack ? s.SIGBUS : s.SIGSEGV, code: signalCode.SI_KERNEL, address: 0 };
  }
}

/** Bytes of every instruction that makes a call: int 0x80, syscall. */
const callLength = 2;

/** What both ABIs do about calls and exceptions. @param restartNumber of restart_syscall */
export function callParts(registers: X86Registers, restartNumber: number) {
  const wordOf = (number: number): number => registers.file.registers[number].offset >> 2;
  const accumulator = wordOf(0);
  const stackPointer = wordOf(4);
  const setAccumulator = (state: State, value: number): void => {
    state.i32[accumulator] = value;
    if (registers.is64) state.i32[accumulator + 1] = value >> 31;
  };
  return {
    exceptionSignal,
    beginException(thread: Thread, exception: ThreadException): void {
      const { reason, detail } = exception;
      thread.trap = trapOf(exception, thread);
      // Traps are reported behind their instruction.
      if (reason === 'breakpoint' || reason === 'overflow') thread.state.pc = detail;
    },
    stackPointer: ({ state }: Thread) => state.i32[stackPointer] >>> 0,
    callError: ({ state }: Thread) => errorOf(state.i32[accumulator]),
    setCallError: ({ state }: Thread, error: number) => setAccumulator(state, -error),
    restartCall({ state, callNumber }: Thread): void {
      setAccumulator(state, callNumber);
      state.pc -= callLength;
    },
    resumeCall({ state }: Thread): void {
      setAccumulator(state, restartNumber);
      state.pc -= callLength;
    },
  } satisfies Partial<SignalAbi>;
}
