/** Delivers pending signals to a thread, on its way back to guest code. */
import { MemoryFault } from '../memory/guest-memory.ts';
import { restart } from './signal-frame.ts';
import { bitOf, type SignalInfo } from './signal-queue.ts';
import { stackFlag } from './signal-stack.ts';
import {
  actionFlag,
  defaultAction,
  defaultEffect,
  ignoreAction,
  type SignalAction,
  signalCode,
  signalNumbers,
} from './signals.ts';
import type { Supervisor } from './supervisor.ts';
import type { Thread } from './thread.ts';

/**
 * Delivers every signal that the thread's mask lets through: enters handlers (the last one entered runs
 * first), carries out default actions.
 * @param fromCall the thread has just made a system call, which may have to be restarted
 */
export function deliverSignals(thread: Thread, fromCall: boolean): void {
  const { process } = thread;
  let inCall = fromCall;
  while (process.exitStatus === undefined) {
    const info = process.signals.take(thread);
    if (info === undefined) break;
    const action = process.signals.action(info.signal);
    if (inCall && isHandled(action)) {
      settleCall(thread, action);
      inCall = false;
    }
    deliver(thread, info);
  }
  if (process.exitStatus !== undefined) return;
  if (inCall) settleCall(thread, undefined);
  thread.restoreSignalMask();
}

/**
 * The same for a thread that somebody watches over, who sees each signal first and may have another one delivered, or none.
 * A call that was interrupted is settled before that, by the signal's action: whoever looks on finds the thread outside
 * of calls, and may let it run elsewhere in the meantime.
 */
export async function deliverSignalsUnder(supervisor: Supervisor, thread: Thread, fromCall: boolean): Promise<void> {
  const { process } = thread;
  let inCall = fromCall;
  while (process.exitStatus === undefined) {
    const info = process.signals.take(thread);
    if (info === undefined) break;
    const action = process.signals.action(info.signal);
    if (inCall) settleCall(thread, isHandled(action) ? action : undefined);
    inCall = false;
    const wanted = await supervisor.beforeSignal(thread, info);
    if (wanted !== undefined && process.exitStatus === undefined) deliver(thread, wanted);
  }
  if (process.exitStatus !== undefined) return;
  if (inCall) settleCall(thread, undefined);
  thread.restoreSignalMask();
}

const isHandled = ({ handler }: SignalAction): boolean => handler !== ignoreAction && handler !== defaultAction;

/** Does what a signal's action asks for. */
function deliver(thread: Thread, info: SignalInfo): void {
  const action = thread.process.signals.action(info.signal);
  if (isHandled(action)) enter(thread, action, info);
  else if (action.handler === defaultAction) takeDefaultAction(thread, info);
}

/** Restarts an interrupted call or lets it end with EINTR, as its result and the handler's action ask. */
function settleCall(thread: Thread, action: SignalAction | undefined): void {
  const abi = thread.process.signalAbi;
  const error = abi.callError(thread);
  const again =
    error === restart.ERESTARTNOINTR ||
    (action === undefined && (error === restart.ERESTARTNOHAND || error === restart.ERESTART_RESTARTBLOCK)) ||
    (error === restart.ERESTARTSYS && (action === undefined || (action.flags & actionFlag.SA_RESTART) !== 0));
  if (again) {
    if (error === restart.ERESTART_RESTARTBLOCK) abi.resumeCall(thread);
    else abi.restartCall(thread);
  } else if (error >= restart.ERESTARTSYS && error <= restart.ERESTART_RESTARTBLOCK) {
    abi.setCallError(thread, interruptedCall);
  }
}

const interruptedCall = 4;

function enter(thread: Thread, action: SignalAction, info: SignalInfo): void {
  const { process } = thread;
  const { signal } = info;
  const before = thread.savedSignalMask ?? thread.signalMask;
  if (!withFrame(thread, () => process.signalAbi.enterHandler(thread, action, info, before))) {
    // The stack cannot take the frame. A handler of SIGSEGV itself has then had its chance.
    if (signal === signalNumbers.SIGSEGV) process.signals.setAction(signal, { ...action, handler: defaultAction });
    return;
  }
  thread.savedSignalMask = undefined;
  if ((thread.alternateStack.flags & stackFlag.SS_AUTODISARM) !== 0) {
    thread.alternateStack = { base: 0, size: 0, flags: 0 };
  }
  if ((action.flags & actionFlag.SA_RESETHAND) !== 0) {
    process.signals.setAction(signal, { ...action, handler: defaultAction });
  }
  const own = (action.flags & actionFlag.SA_NODEFER) !== 0 ? 0n : bitOf(signal);
  thread.setSignalMask(thread.signalMask | action.mask | own);
}

/** Does work on a frame on the guest's stack. A stack that cannot be accessed is a segmentation fault. @returns whether it went well */
export function withFrame(thread: Thread, work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    if (!(error instanceof MemoryFault)) throw error;
    const { address } = error;
    thread.process.signals.force({ signal: signalNumbers.SIGSEGV, code: signalCode.SI_KERNEL, address }, thread);
    return false;
  }
}

function takeDefaultAction(thread: Thread, info: SignalInfo): void {
  const { process } = thread;
  const { signal, code, address } = info;
  const effect = defaultEffect(signal);
  if (effect === 'ignore') return;
  if (effect === 'stop') {
    process.system.kill(process.id, signalNumbers.SIGSTOP);
    return;
  }
  const sender = code <= 0 ? info.pid : undefined;
  const core = effect === 'core';
  process.exit({ kind: 'signal', signal, core, pc: thread.state.pc, code, address, sender });
}
