/**
 * The run loop of a guest thread: lets an engine run it, and does what the engine leaves for: waits for
 * calls, turns exceptions into signals, delivers signals, looks after timers.
 */
import { type ExitReason, exitReasons } from '../../translators/ir/operations.ts';
import { header } from '../../translators/ir/state.ts';
import type { Engine } from '../engines/engine.ts';
import { growStack } from './memory.ts';
import type { ExitStatus } from './process.ts';
import { deliverSignals, deliverSignalsUnder } from './signal-delivery.ts';
import { signalCode, signalNumbers } from './signals.ts';
import type { Supervisor } from './supervisor.ts';
import type { Thread, ThreadException } from './thread.ts';

/**
 * Runs a thread until its process has ended.
 * @param supervisor is asked before the thread runs guest code, and before a signal is delivered
 */
export async function runThread(thread: Thread, engine: Engine, supervisor?: Supervisor): Promise<ExitStatus> {
  const { process, state } = thread;
  process.requirePreciseFaults = () => engine.requirePreciseFaults();
  if (process.stackGrows) engine.requirePreciseFaults();
  while (process.exitStatus === undefined) {
    const held = supervisor?.beforeRun(thread);
    if (held !== undefined) {
      await held;
      if (process.exitStatus !== undefined) break;
    }
    engine.run(state);
    const reason = exitReasons[state.i32[header.exit >> 2]];
    const isOtherCall = reason === 'software_interrupt';
    if (isOtherCall) process.makeOtherCall(thread);
    const fromCall = reason === 'none' || reason === 'system_call' || isOtherCall;
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
      thread.exception = { reason, detail: 0, address: 0, access: 0, mapped: true, isStack: false };
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
    const inCall = fromCall && deferred === undefined;
    if (supervisor === undefined) deliverSignals(thread, inCall);
    else await deliverSignalsUnder(supervisor, thread, inCall);
    thread.review();
  }
  return process.exitStatus;
}

/** Turns what stopped the guest's instruction into a signal, unless a stack that grows makes it go on. */
function raiseException(thread: Thread, reason: ExitReason): void {
  const { process, state } = thread;
  const { memory, signals, signalAbi } = process;
  const detail = state.i32[header.detail >> 2];
  const access = state.i32[header.access >> 2];
  let exception: ThreadException = { reason, detail, address: 0, access, mapped: false, isStack: false };
  if (reason === 'fault' || reason === 'wide_address') {
    const low = detail >>> 0;
    if (reason === 'fault' && growStack(process, low)) return;
    const wide = access === executeAccess ? undefined : process.wideAddress(thread);
    const address = wide?.address ?? low;
    const mapped = wide === undefined && memory.find(low) !== undefined;
    exception =
      wide === undefined || isCanonical(wide.address)
        ? { ...exception, reason: 'fault', address, mapped }
        : { ...exception, reason: 'protection', detail: 0, isStack: wide.isStack };
  }
  thread.exception = exception;
  signalAbi.beginException?.(thread, exception);
  const { address, mapped } = exception;
  const code = mapped ? signalCode.SEGV_ACCERR : signalCode.SEGV_MAPERR;
  signals.force(
    exception.reason === 'fault'
      ? { signal: signalNumbers.SIGSEGV, code, address }
      : signalAbi.exceptionSignal(exception, thread),
    thread,
  );
}

const executeAccess = 4;

/** Whether a processor with addresses of 48 bits would look for a page there. */
function isCanonical(address: bigint): boolean {
  return BigInt.asUintN(64, BigInt.asIntN(48, address)) === address;
}
