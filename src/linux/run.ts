/**
 * The run loop of a guest thread: lets an engine run it, and does what the engine leaves for: waits for
 * calls, turns exceptions into signals, delivers signals, looks after timers.
 */
import { type ExitReason, exitReasons } from '../../translators/ir/operations.ts';
import { header } from '../../translators/ir/state.ts';
import type { Engine } from '../engines/engine.ts';
import { resource } from './limits.ts';
import type { ExitStatus } from './process.ts';
import { deliverSignals } from './signal-delivery.ts';
import { signalCode, signalNumbers } from './signals.ts';
import type { Thread } from './thread.ts';

/** Runs a thread until its process has ended. */
export async function runThread(thread: Thread, engine: Engine): Promise<ExitStatus> {
  const { process, state } = thread;
  process.requirePreciseFaults = () => engine.requirePreciseFaults();
  while (process.exitStatus === undefined) {
    engine.run(state);
    const reason = exitReasons[state.i32[header.exit >> 2]];
    const fromCall = reason === 'none' || reason === 'system_call';
    if (fromCall) {
      thread.exception = undefined;
      if (thread.waiting !== undefined) {
        const release = process.system.stayAlive();
        await thread.waiting;
        release();
        thread.endWait();
      }
    } else if (reason === 'interrupt') {
      // Cleared first: what happens from here on sets it again.
      Atomics.store(state.i32, header.interrupt >> 2, 0);
      thread.exception = { reason, address: 0, access: 0, mapped: true };
      await process.system.yieldToEvents();
      process.timers.service();
    } else {
      raiseException(thread, reason);
    }
    const { deferred } = thread;
    if (deferred !== undefined) {
      thread.deferred = undefined;
      deferred();
    }
    deliverSignals(thread, fromCall && deferred === undefined);
    thread.review();
  }
  return process.exitStatus;
}

/** Turns what stopped the guest's instruction into a signal, unless a stack that grows makes it go on. */
function raiseException(thread: Thread, reason: ExitReason): void {
  const { process, state } = thread;
  const { memory, limits, signals } = process;
  const detail = state.i32[header.detail >> 2];
  const access = state.i32[header.access >> 2];
  const raise = (signal: number, code: number, address: number, mapped = true) => {
    thread.exception = { reason, address, access, mapped };
    signals.force({ signal, code, address }, thread);
  };
  switch (reason) {
    case 'fault': {
      const address = detail >>> 0;
      if (memory.growStack(address, limits.soft(resource.STACK))) return;
      const mapped = memory.find(address) !== undefined;
      raise(signalNumbers.SIGSEGV, mapped ? signalCode.SEGV_ACCERR : signalCode.SEGV_MAPERR, address, mapped);
      return;
    }
    case 'illegal':
      raise(signalNumbers.SIGILL, signalCode.ILL_ILLOPC, state.pc);
      return;
    case 'privileged':
      raise(signalNumbers.SIGILL, signalCode.ILL_PRVOPC, state.pc);
      return;
    case 'trap':
    case 'breakpoint':
      raise(signalNumbers.SIGTRAP, signalCode.TRAP_BRKPT, state.pc);
      return;
    case 'floating_point':
      raise(signalNumbers.SIGFPE, process.signalAbi.floatingPointCode(detail), state.pc);
      return;
    case 'misaligned':
      raise(signalNumbers.SIGBUS, signalCode.BUS_ADRALN, detail >>> 0);
      return;
    default:
      throw new RangeError(`the engine left for a reason that is not known here: ${reason}`);
  }
}
