/** System calls that install handlers, change masks, send signals and wait for them. */
import { errno } from './errno.ts';
import { withFrame } from './signal-delivery.ts';
import { restart } from './signal-frame.ts';
import { signalInfoSize, writeSignalInfo } from './signal-info.ts';
import { bitOf, lastSignal, type SignalInfo } from './signal-queue.ts';
import { effectiveStackFlags, onAlternateStack, setAlternateStack, stackFlag } from './signal-stack.ts';
import { actionFlag, type SignalAction, signalCode, signalNumbers } from './signals.ts';
import type { SystemCall, SystemCallRow } from './system-call.ts';
import type { Thread } from './thread.ts';
import { readInterval } from './time-values.ts';

const invalid = -errno.EINVAL;
/** Bytes of the kernel's sigset_t. */
const setSize = 8;

// -- sets: 32-bit words, signals 1 to 32 first

function readSet({ abi, memory }: SystemCall, address: number): bigint {
  if (abi.model.wordSize === 8) return memory.readU64(address);
  return BigInt(memory.readU32(address)) | (BigInt(memory.readU32(address + 4)) << 32n);
}

function writeSet({ abi, memory }: SystemCall, address: number, set: bigint): void {
  if (abi.model.wordSize === 8) memory.writeU64(address, set);
  else {
    memory.writeU32(address, Number(set & 0xffffffffn));
    memory.writeU32(address + 4, Number(set >> 32n));
  }
}

/** Both halves of a mask whose lower word an old call replaces. */
const lowWord = 0xffffffffn;

// -- actions

const isSignal = (signal: number): boolean => signal >= 1 && signal <= lastSignal;
const isFixed = (signal: number): boolean => signal === signalNumbers.SIGKILL || signal === signalNumbers.SIGSTOP;
const unblockable = bitOf(signalNumbers.SIGKILL) | bitOf(signalNumbers.SIGSTOP);

/** Installs an action. @returns 0 or -errno */
function install({ process }: SystemCall, signal: number, action: SignalAction): number {
  if (isFixed(signal)) return invalid;
  process.signals.setAction(signal, { ...action, mask: action.mask & ~unblockable });
  return 0;
}

function rtSigaction(call: SystemCall): number {
  const { process, memory, abi, args } = call;
  const [signal, address, old, size] = args;
  if (size !== setSize || !isSignal(signal)) return invalid;
  const before = process.signals.action(signal);
  const layout = abi.structures.sigaction;
  if (address !== 0) {
    const { sa_handler, sa_flags, sa_restorer } = layout.read(memory, address);
    const mask = readSet(call, address + layout.size);
    // Flags that do not fit 32 bits do not exist.
    const action = { handler: sa_handler, flags: sa_flags % 0x100000000, restorer: sa_restorer, mask };
    const result = install(call, signal, action);
    if (result < 0) return result;
  }
  if (old !== 0) {
    const { handler, flags, restorer } = before;
    layout.write(memory, old, { sa_handler: handler, sa_flags: flags, sa_restorer: restorer });
    writeSet(call, old + layout.size, before.mask);
  }
  return 0;
}

/** struct old_sigaction: handler, mask of one word, flags, restorer. */
function sigaction(call: SystemCall): number {
  const { process, memory, args } = call;
  const [signal, address, old] = args;
  if (!isSignal(signal)) return invalid;
  const before = process.signals.action(signal);
  if (address !== 0) {
    const action = {
      handler: memory.readU32(address),
      mask: BigInt(memory.readU32(address + 4)),
      flags: memory.readU32(address + 8),
      restorer: memory.readU32(address + 12),
    };
    const result = install(call, signal, action);
    if (result < 0) return result;
  }
  if (old !== 0) {
    memory.writeU32(old, before.handler);
    memory.writeU32(old + 4, Number(before.mask & lowWord));
    memory.writeU32(old + 8, before.flags);
    memory.writeU32(old + 12, before.restorer);
  }
  return 0;
}

/** System V's signal: one shot, and the signal is not blocked in its handler. */
function signalCall(call: SystemCall): number {
  const [signal, handler] = call.args;
  if (!isSignal(signal)) return invalid;
  const before = call.process.signals.action(signal).handler;
  const flags = actionFlag.SA_RESETHAND | actionFlag.SA_NODEFER;
  const result = install(call, signal, { handler, flags: flags >>> 0, mask: 0n, restorer: 0 });
  return result < 0 ? result : before;
}

// -- masks

const how = { BLOCK: 0, UNBLOCK: 1, SETMASK: 2 } as const;

function combine(before: bigint, operation: number, set: bigint): bigint | undefined {
  if (operation === how.BLOCK) return before | set;
  if (operation === how.UNBLOCK) return before & ~set;
  return operation === how.SETMASK ? set : undefined;
}

function rtSigprocmask(call: SystemCall): number {
  const { thread, args } = call;
  const [operation, address, old, size] = args;
  if (size !== setSize) return invalid;
  const before = thread.signalMask;
  if (address !== 0) {
    const mask = combine(before, operation, readSet(call, address));
    if (mask === undefined) return invalid;
    thread.setSignalMask(mask);
  }
  if (old !== 0) writeSet(call, old, before);
  return 0;
}

function sigprocmask({ thread, memory, args: [operation, address, old] }: SystemCall): number {
  const before = thread.signalMask;
  if (address !== 0) {
    const low = combine(before & lowWord, operation, BigInt(memory.readU32(address)));
    if (low === undefined) return invalid;
    thread.setSignalMask((before & ~lowWord) | (low & lowWord));
  }
  if (old !== 0) memory.writeU32(old, Number(before & lowWord));
  return 0;
}

function ssetmask({ thread, args: [mask] }: SystemCall): number {
  const before = thread.signalMask;
  thread.setSignalMask(BigInt(mask));
  return Number(before & lowWord) | 0;
}

const pendingSet = ({ process, thread }: SystemCall): bigint =>
  (thread.pending.set | process.signals.pending.set) & thread.signalMask;

function rtSigpending(call: SystemCall): number {
  const [address, size] = call.args;
  if (size > setSize) return invalid;
  writeSet(call, address, pendingSet(call));
  return 0;
}

// -- waiting

async function suspend(thread: Thread, mask: bigint): Promise<number> {
  thread.setTemporarySignalMask(mask);
  await thread.whenInterrupted();
  return -restart.ERESTARTNOHAND;
}

function rtSigsuspend(call: SystemCall): number | Promise<number> {
  const [address, size] = call.args;
  if (size !== setSize) return invalid;
  return suspend(call.thread, readSet(call, address));
}

async function pause({ thread }: SystemCall): Promise<number> {
  await thread.whenInterrupted();
  return -restart.ERESTARTNOHAND;
}

/** Takes a signal of a set without its handler, waiting for it if need be. */
function rtSigtimedwait(call: SystemCall, wide: boolean): number | Promise<number> {
  const { process, thread, args } = call;
  const [address, infoAddress, timeout, size] = args;
  if (size !== setSize) return invalid;
  const wanted = readSet(call, address) & ~unblockable;
  const limit = timeout === 0 ? undefined : readInterval(call, timeout, wide);
  if (limit !== undefined && limit < 0) return limit;
  const finish = (info: SignalInfo): number => {
    if (infoAddress !== 0) writeInfo(call, infoAddress, info);
    return info.signal;
  };
  const ready = process.signals.take(thread, ~wanted);
  if (ready !== undefined) return finish(ready);
  if (limit === 0) return -errno.EAGAIN;
  return (async () => {
    // The wanted signals are let through while we wait, so that they wake us.
    const mask = thread.signalMask;
    thread.awaited = wanted;
    thread.setSignalMask(mask & ~wanted);
    const awakening = await thread.sleep(limit);
    thread.awaited = 0n;
    thread.setSignalMask(mask);
    const info = process.signals.take(thread, ~wanted);
    if (info !== undefined) return finish(info);
    return awakening === 'elapsed' ? -errno.EAGAIN : -errno.EINTR;
  })();
}

function writeInfo({ abi, memory }: SystemCall, address: number, info: SignalInfo): void {
  const bytes = new Uint8Array(signalInfoSize);
  writeSignalInfo(new DataView(bytes.buffer), info, abi.model);
  memory.writeBytes(address, bytes);
}

// -- sending

/**
 * Sends to this process, or through the host to others. A group that we belong to gets it from the host, which
 * then also sends it to us. Everybody (-1) is refused: a guest should not end its user's session.
 */
function kill({ process, args: [pid, signal] }: SystemCall): number {
  if (signal < 0 || signal > lastSignal) return invalid;
  if (pid === -1) return -errno.EPERM;
  if (pid !== process.id) return process.system.kill(pid, signal);
  if (signal !== 0)
    process.signals.send(origin(process.id, process.system.credentials().uid, signal, signalCode.SI_USER));
  return 0;
}

const origin = (pid: number, uid: number, signal: number, code: number): SignalInfo => ({ signal, code, pid, uid });

function sendToThread(call: SystemCall, group: number, id: number, signal: number): number {
  const { process } = call;
  if (signal < 0 || signal > lastSignal || id <= 0 || group === 0) return invalid;
  const thread = process.threads.find((each) => each.id === id);
  if (thread === undefined || (group > 0 && group !== process.id)) {
    return thread === undefined && process.system.processIds(id) !== undefined ? -errno.EPERM : -errno.ESRCH;
  }
  const { uid } = process.system.credentials();
  if (signal !== 0) process.signals.send(origin(process.id, uid, signal, signalCode.SI_TKILL), thread);
  return 0;
}

/** Sends with a siginfo of the guest's making. @param thread undefined: to the process */
function queueInfo(
  { process, memory }: SystemCall,
  signal: number,
  address: number,
  thread: Thread | undefined,
): number {
  if (signal < 0 || signal > lastSignal) return invalid;
  const error = memory.readI32(address + 4);
  const code = memory.readI32(address + 8);
  const raw = memory.readBytes(address + 12, signalInfoSize - 12);
  if (signal !== 0) process.signals.send({ signal, code, error, raw, pid: process.id }, thread);
  return 0;
}

function rtSigqueueinfo(call: SystemCall): number {
  const { process, args } = call;
  const [pid, signal, address] = args;
  if (pid !== process.id) return process.system.processIds(pid) === undefined ? -errno.ESRCH : -errno.EPERM;
  return queueInfo(call, signal, address, undefined);
}

function rtTgsigqueueinfo(call: SystemCall): number {
  const { process, args } = call;
  const [group, id, signal, address] = args;
  if (group <= 0 || id <= 0) return invalid;
  const thread = process.threads.find((each) => each.id === id);
  if (thread === undefined || group !== process.id) return -errno.ESRCH;
  return queueInfo(call, signal, address, thread);
}

// -- stacks and returns

function sigaltstack(call: SystemCall): number {
  const { thread, process, memory, abi, args } = call;
  const [address, old] = args;
  const layout = abi.structures.signalStack;
  const { base, size } = thread.alternateStack;
  const inUse = onAlternateStack(thread, process.signalAbi.stackPointer(thread));
  const before = { base, size, flags: effectiveStackFlags(thread) | (inUse ? stackFlag.SS_ONSTACK : 0) };
  if (address !== 0) {
    const { ss_sp, ss_flags, ss_size } = layout.read(memory, address);
    if (inUse) return -errno.EPERM;
    const result = setAlternateStack(thread, ss_sp, ss_flags, ss_size);
    if (result < 0) return result;
  }
  if (old !== 0) {
    layout.write(memory, old, { ss_sp: before.base, ss_flags: before.flags, ss_size: before.size });
  }
  return 0;
}

/** The registers come from the frame, so the result that is returned here is overwritten right after. */
function sigreturn({ process, thread }: SystemCall, realTime: boolean): number {
  thread.defer(() => {
    thread.restart = undefined;
    withFrame(thread, () => thread.setSignalMask(process.signalAbi.leaveHandler(thread, realTime)));
  });
  return 0;
}

/** PowerPC's own call to save a context and go on in another. */
function swapcontext({ process, thread, args: [old, next, size] }: SystemCall): number {
  const { contexts } = process.signalAbi;
  if (contexts === undefined) return -errno.ENOSYS;
  if (size < contexts.size) return invalid;
  if (old !== 0) contexts.save(thread, old);
  if (next !== 0) {
    process.memory.readU8(next);
    process.memory.readU8(next + contexts.size - 1);
    thread.defer(() => withFrame(thread, () => thread.setSignalMask(contexts.load(thread, next))));
  }
  return 0;
}

// biome-ignore format: one row per line
export const rows: SystemCallRow[] = [
  { name: 'pause', numbers: { powerpc: 29, i386: 29, 'x86-64': 34 }, arguments: [], handler: pause, support: 'full' },
  { name: 'kill', numbers: { powerpc: 37, i386: 37, 'x86-64': 62 }, arguments: ['int', 'signal'], handler: kill, support: 'partial', note: 'EPERM for -1, everybody' },
  { name: 'signal', numbers: { powerpc: 48, i386: 48 }, arguments: ['signal', 'pointer'], handler: signalCall, support: 'full' },
  { name: 'sigaction', numbers: { powerpc: 67, i386: 67 }, arguments: ['signal', 'pointer', 'pointer'], handler: sigaction, support: 'full' },
  { name: 'sgetmask', numbers: { powerpc: 68, i386: 68 }, arguments: [], handler: ({ thread }) => Number(thread.signalMask & lowWord) | 0, support: 'full' },
  { name: 'ssetmask', numbers: { powerpc: 69, i386: 69 }, arguments: ['hex'], handler: ssetmask, support: 'full' },
  { name: 'sigsuspend', numbers: { powerpc: 72, i386: 72 }, arguments: ['hex'], handler: ({ thread, args: [mask] }) => suspend(thread, BigInt(mask)), support: 'full' },
  { name: 'sigpending', numbers: { powerpc: 73, i386: 73 }, arguments: ['pointer'], handler: (call) => { call.memory.writeU32(call.args[0], Number(pendingSet(call) & lowWord)); return 0; }, support: 'full' },
  { name: 'sigreturn', numbers: { powerpc: 119, i386: 119 }, arguments: [], handler: (call) => sigreturn(call, false), support: 'full' },
  { name: 'sigprocmask', numbers: { powerpc: 126, i386: 126 }, arguments: ['int', 'pointer', 'pointer'], handler: sigprocmask, support: 'full' },
  { name: 'rt_sigreturn', numbers: { powerpc: 172, i386: 173, 'x86-64': 15 }, arguments: [], handler: (call) => sigreturn(call, true), support: 'full' },
  { name: 'rt_sigaction', numbers: { powerpc: 173, i386: 174, 'x86-64': 13 }, arguments: ['signal', 'pointer', 'pointer', 'size'], handler: rtSigaction, support: 'full' },
  { name: 'rt_sigprocmask', numbers: { powerpc: 174, i386: 175, 'x86-64': 14 }, arguments: ['int', 'pointer', 'pointer', 'size'], handler: rtSigprocmask, support: 'full' },
  { name: 'rt_sigpending', numbers: { powerpc: 175, i386: 176, 'x86-64': 127 }, arguments: ['pointer', 'size'], handler: rtSigpending, support: 'full' },
  { name: 'rt_sigtimedwait', numbers: { powerpc: 176, i386: 177, 'x86-64': 128 }, arguments: ['pointer', 'pointer', 'timespec', 'size'], handler: (call) => rtSigtimedwait(call, false), support: 'full' },
  { name: 'rt_sigqueueinfo', numbers: { powerpc: 177, i386: 178, 'x86-64': 129 }, arguments: ['int', 'signal', 'pointer'], handler: rtSigqueueinfo, support: 'partial', note: 'only to the process itself' },
  { name: 'rt_sigsuspend', numbers: { powerpc: 178, i386: 179, 'x86-64': 130 }, arguments: ['pointer', 'size'], handler: rtSigsuspend, support: 'full' },
  { name: 'sigaltstack', numbers: { powerpc: 185, i386: 186, 'x86-64': 131 }, arguments: ['pointer', 'pointer'], handler: sigaltstack, support: 'full' },
  { name: 'tkill', numbers: { powerpc: 208, i386: 238, 'x86-64': 200 }, arguments: ['int', 'signal'], handler: (call) => sendToThread(call, -1, call.args[0], call.args[1]), support: 'full' },
  { name: 'swapcontext', numbers: { powerpc: 249 }, arguments: ['pointer', 'pointer', 'size'], handler: swapcontext, support: 'full' },
  { name: 'tgkill', numbers: { powerpc: 250, i386: 270, 'x86-64': 234 }, arguments: ['int', 'int', 'signal'], handler: (call) => sendToThread(call, call.args[0], call.args[1], call.args[2]), support: 'full' },
  { name: 'rt_tgsigqueueinfo', numbers: { powerpc: 322, i386: 335, 'x86-64': 297 }, arguments: ['int', 'int', 'signal', 'pointer'], handler: rtTgsigqueueinfo, support: 'full' },
  { name: 'rt_sigtimedwait_time64', numbers: { powerpc: 421, i386: 421 }, arguments: ['pointer', 'pointer', 'pointer', 'size'], handler: (call) => rtSigtimedwait(call, true), support: 'full' },
];
