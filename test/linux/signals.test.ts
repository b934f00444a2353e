import { beforeEach, describe, expect, test } from 'vitest';
import { errno } from '../../src/linux/errno.ts';
import { deliverSignals } from '../../src/linux/signal-delivery.ts';
import { actionFlag, signalNumbers as s, signalCode } from '../../src/linux/signals.ts';
import { createProcess, programAddress, type TestProcess } from './process-guest.ts';

const handler = programAddress + 0x800;
const scratch = programAddress + 0x1000;

let guest: TestProcess;
beforeEach(() => {
  guest = createProcess();
});

/** Installs an action by rt_sigaction. */
function install(signal: number, to: number, flags = 0, mask = 0n): number {
  const { memory } = guest;
  memory.writeU32(scratch, to);
  memory.writeU32(scratch + 4, flags);
  memory.writeU32(scratch + 8, 0);
  memory.writeU32(scratch + 12, Number(mask & 0xffffffffn));
  memory.writeU32(scratch + 16, Number(mask >> 32n));
  return guest.call('rt_sigaction', signal, scratch, 0, 8);
}

const block = (mask: bigint) => guest.thread.setSignalMask(mask);
const bit = (signal: number): bigint => 1n << BigInt(signal - 1);
const raise = (signal: number) => guest.call('tkill', guest.process.id, signal);
/** Returns from the handler as its trampoline does. */
function sigreturn(name: 'sigreturn' | 'rt_sigreturn'): void {
  guest.begin(name, []);
  guest.thread.deferred?.();
  guest.thread.deferred = undefined;
}

/** Gives every register a value of its own. */
function fillRegisters(): void {
  const { state } = guest;
  for (let i = 0; i < 32; i++) if (i !== 1) state.set(`r${i}`, 0x1000 + i);
  for (let i = 0; i < 32; i++) state.set(`f${i}`, i + 0.5);
  state.set('lr', 0x2001);
  state.set('ctr', 0x2002);
  state.set('cr0.gt', 1);
  state.set('cr7.so', 1);
  state.set('xer.ca', 1);
  state.set('xer.so', 1);
  state.set('xer.count', 0x55);
  state.set('fpscr', 0x82004001 | 0);
  state.pc = programAddress + 0x200;
}

function snapshot(): unknown[] {
  const { state } = guest;
  const values = state.file.registers.map(({ name }) => (name === 'reserve.address' ? 0 : state.get(name)));
  return [state.pc, ...values];
}

describe('frames', () => {
  test('without SA_SIGINFO: sigcontext and mcontext where signal_32.c puts them', () => {
    install(s.SIGUSR1, handler);
    fillRegisters();
    const before = snapshot();
    const stack = guest.state.get('r1') >>> 0;
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    guest.thread.setSignalMask(bit(s.SIGHUP) | bit(40));
    deliverSignals(guest.thread, false);
    const { memory, state, process } = guest;
    const top = state.get('r1') >>> 0;
    const frame = ((stack - 1248) & -16) >>> 0;
    expect(top).toBe(frame - 64);
    expect(memory.readU32(top)).toBe(stack);
    expect(state.pc).toBe(handler);
    expect([state.get('r3'), state.get('r4') >>> 0]).toEqual([s.SIGUSR1, frame]);
    expect(state.get('lr') >>> 0).toBe(process.signalTrampoline + 8);
    expect(state.get('fpscr')).toBe(0);
    // struct sigcontext
    const words = Array.from({ length: 8 }, (_, i) => memory.readU32(frame + i * 4));
    expect(words).toEqual([0, 0, 0, Number(bit(40) >> 32n), s.SIGUSR1, handler, 1, frame + 32]);
    // struct mcontext
    const registers = frame + 32;
    expect(memory.readU32(registers)).toBe(0x1000);
    expect(memory.readU32(registers + 4)).toBe(stack);
    expect(memory.readU32(registers + 31 * 4)).toBe(0x101f);
    expect(memory.readU32(registers + 32 * 4)).toBe(programAddress + 0x200);
    expect(memory.readU32(registers + 35 * 4)).toBe(0x2002);
    expect(memory.readU32(registers + 36 * 4)).toBe(0x2001);
    expect(memory.readU32(registers + 37 * 4)).toBe(0xa0000055);
    expect(memory.readU32(registers + 38 * 4)).toBe(0x40000001);
    expect(memory.readF64(registers + 192 + 31 * 8)).toBe(31.5);
    expect(memory.readU64(registers + 192 + 32 * 8)).toBe(0x82004001n);
    expect(guest.thread.signalMask).toBe(bit(s.SIGHUP) | bit(40) | bit(s.SIGUSR1));
    sigreturn('sigreturn');
    expect(snapshot()).toEqual(before);
    expect(guest.thread.signalMask).toBe(bit(s.SIGHUP) | bit(40));
  });

  test('with SA_SIGINFO: siginfo and ucontext where signal_32.c puts them', () => {
    install(s.SIGSEGV, handler, actionFlag.SA_SIGINFO, bit(s.SIGTERM) | bit(64));
    fillRegisters();
    const before = snapshot();
    const stack = guest.state.get('r1') >>> 0;
    guest.thread.exception = {
      reason: 'fault',
      detail: 0x1234,
      address: 0x1234,
      access: 2,
      mapped: false,
      isStack: false,
    };
    guest.process.signals.force({ signal: s.SIGSEGV, code: signalCode.SEGV_MAPERR, address: 0x1234 }, guest.thread);
    deliverSignals(guest.thread, false);
    const { memory, state, process } = guest;
    const frame = ((stack - 1536) & -16) >>> 0;
    const context = frame + 128;
    const top = state.get('r1') >>> 0;
    expect(top).toBe(frame - 80);
    expect(memory.readU32(top)).toBe(stack);
    const passed = ['r3', 'r4', 'r5', 'r6', 'lr'].map((name) => state.get(name) >>> 0);
    expect(passed).toEqual([s.SIGSEGV, frame, context, frame, process.signalTrampoline]);
    const info = Array.from({ length: 4 }, (_, i) => memory.readU32(frame + i * 4));
    expect(info).toEqual([s.SIGSEGV, 0, signalCode.SEGV_MAPERR, 0x1234]);
    // uc_flags, uc_link, uc_stack (sp, flags SS_DISABLE, size)
    expect(Array.from({ length: 5 }, (_, i) => memory.readU32(context + i * 4))).toEqual([0, 0, 0, 2, 0]);
    expect(memory.readU32(context + 48)).toBe(context + 192);
    expect(memory.readU64(context + 52)).toBe(0n);
    const registers = context + 192;
    expect(memory.readU32(registers + 32 * 4)).toBe(programAddress + 0x200);
    // trap, dar, dsisr: a data storage interrupt for a store to where nothing is
    expect([40, 41, 42].map((i) => memory.readU32(registers + i * 4))).toEqual([0x300, 0x1234, 0x42000000]);
    expect(guest.thread.signalMask).toBe(bit(s.SIGSEGV) | bit(s.SIGTERM) | bit(64));
    sigreturn('rt_sigreturn');
    expect(snapshot()).toEqual(before);
    expect(guest.thread.signalMask).toBe(0n);
  });

  test('a handler may change the context that it returns to', () => {
    install(s.SIGUSR1, handler, actionFlag.SA_SIGINFO);
    raise(s.SIGUSR1);
    deliverSignals(guest.thread, false);
    const registers = guest.memory.readU32((guest.state.get('r5') >>> 0) + 48);
    guest.memory.writeU32(registers + 32 * 4, 0x12345678);
    guest.memory.writeU32(registers + 14 * 4, 99);
    guest.memory.writeU32(registers + 38 * 4, 0x80000000);
    sigreturn('rt_sigreturn');
    const { state } = guest;
    expect([state.pc, state.get('r14'), state.get('cr0.lt')]).toEqual([0x12345678, 99, 1]);
  });

  test('the trampoline holds the two calls and cannot be written', () => {
    const { memory, process } = guest;
    const code = Array.from({ length: 4 }, (_, i) => memory.readU32(process.signalTrampoline + i * 4));
    expect(code).toEqual([0x380000ac, 0x44000002, 0x38000077, 0x44000002]);
    expect(() => memory.writeU32(process.signalTrampoline, 0)).toThrow();
  });

  test('SA_ONSTACK uses the alternate stack, once', () => {
    const base = programAddress + 0x8000;
    guest.memory.writeU32(scratch, base);
    guest.memory.writeU32(scratch + 4, 0);
    guest.memory.writeU32(scratch + 8, 0x4000);
    expect(guest.call('sigaltstack', scratch, 0)).toBe(0);
    install(s.SIGUSR1, handler, actionFlag.SA_ONSTACK);
    install(s.SIGUSR2, handler, actionFlag.SA_ONSTACK | actionFlag.SA_SIGINFO);
    raise(s.SIGUSR1);
    deliverSignals(guest.thread, false);
    const first = guest.state.get('r1') >>> 0;
    expect(first).toBe(base + 0x4000 - 1248 - 64);
    expect(guest.call('sigaltstack', 0, scratch)).toBe(0);
    expect([0, 4, 8].map((i) => guest.memory.readU32(scratch + i))).toEqual([base, 1, 0x4000]);
    expect(guest.call('sigaltstack', scratch, 0)).toBe(-errno.EPERM);
    raise(s.SIGUSR2);
    deliverSignals(guest.thread, false);
    expect(guest.state.get('r1') >>> 0).toBe(first - 1536 - 80);
    sigreturn('rt_sigreturn');
    sigreturn('sigreturn');
    expect(guest.call('sigaltstack', 0, scratch)).toBe(0);
    expect(guest.memory.readU32(scratch + 4)).toBe(0);
  });

  test('SS_AUTODISARM takes the stack away until the handler returns', () => {
    const base = programAddress + 0x8000;
    [base, 0x80000000, 0x4000].forEach((word, i) => {
      guest.memory.writeU32(scratch + i * 4, word);
    });
    expect(guest.call('sigaltstack', scratch, 0)).toBe(0);
    install(s.SIGUSR1, handler, actionFlag.SA_ONSTACK | actionFlag.SA_SIGINFO);
    raise(s.SIGUSR1);
    deliverSignals(guest.thread, false);
    expect(guest.thread.alternateStack.size).toBe(0);
    sigreturn('rt_sigreturn');
    expect(guest.thread.alternateStack).toEqual({ base, size: 0x4000, flags: 0x80000000 });
  });

  test('a stack that cannot take the frame kills with SIGSEGV', () => {
    install(s.SIGUSR1, handler);
    guest.state.set('r1', 0x2000);
    raise(s.SIGUSR1);
    deliverSignals(guest.thread, false);
    expect(guest.process.exitStatus).toMatchObject({ kind: 'signal', signal: s.SIGSEGV, core: true });
  });
});

describe('actions', () => {
  test('rt_sigaction returns the old action and refuses SIGKILL', () => {
    install(s.SIGUSR1, handler, actionFlag.SA_RESTART, bit(s.SIGKILL) | bit(33));
    expect(guest.call('rt_sigaction', s.SIGUSR1, 0, scratch, 8)).toBe(0);
    const words = Array.from({ length: 5 }, (_, i) => guest.memory.readU32(scratch + i * 4));
    expect(words).toEqual([handler, actionFlag.SA_RESTART, 0, 0, 1]);
    expect(install(s.SIGKILL, handler)).toBe(-errno.EINVAL);
    expect(install(65, handler)).toBe(-errno.EINVAL);
    expect(guest.call('rt_sigaction', s.SIGUSR1, 0, 0, 4)).toBe(-errno.EINVAL);
  });
  test('SA_RESETHAND and SA_NODEFER', () => {
    install(s.SIGUSR1, handler, (actionFlag.SA_RESETHAND | actionFlag.SA_NODEFER) >>> 0);
    raise(s.SIGUSR1);
    deliverSignals(guest.thread, false);
    expect(guest.thread.signalMask).toBe(0n);
    expect(guest.process.signals.action(s.SIGUSR1).handler).toBe(0);
  });
  test('handlers nest: the signal entered last runs first, and returns into the other', () => {
    install(s.SIGUSR1, handler);
    install(s.SIGUSR2, handler + 4);
    guest.state.pc = programAddress;
    block(bit(s.SIGUSR1) | bit(s.SIGUSR2));
    raise(s.SIGUSR2);
    raise(s.SIGUSR1);
    block(0n);
    deliverSignals(guest.thread, false);
    expect(guest.state.pc).toBe(handler + 4);
    sigreturn('sigreturn');
    expect(guest.state.pc).toBe(handler);
    sigreturn('sigreturn');
    expect(guest.state.pc).toBe(programAddress);
  });
  // biome-ignore format: one row per line
  const effects: [number, unknown][] = [
    [s.SIGTERM,  { kind: 'signal', signal: s.SIGTERM, core: false }],
    [s.SIGABRT,  { kind: 'signal', signal: s.SIGABRT, core: true }],
    [s.SIGKILL,  { kind: 'signal', signal: s.SIGKILL, core: false }],
    [40,         { kind: 'signal', signal: 40, core: false }],
  ];
  test.each(effects)('signal %i by default ends the process', (signal, status) => {
    raise(signal);
    deliverSignals(guest.thread, false);
    expect(guest.process.exitStatus).toMatchObject(status as object);
  });
  test.each([s.SIGCHLD, s.SIGURG, s.SIGWINCH, s.SIGCONT])('signal %i by default does nothing', (signal) => {
    raise(signal);
    expect(guest.thread.attention).toBe(false);
    deliverSignals(guest.thread, false);
    expect(guest.process.exitStatus).toBeUndefined();
  });
  test('SIGSTOP stops the host process', () => {
    raise(s.SIGSTOP);
    deliverSignals(guest.thread, false);
    expect(guest.system.sent).toEqual([[guest.process.id, s.SIGSTOP]]);
  });
  test('ignoring a signal drops those that wait', () => {
    block(bit(s.SIGUSR1));
    raise(s.SIGUSR1);
    install(s.SIGUSR1, 1);
    block(0n);
    expect(guest.thread.attention).toBe(false);
  });
  test('a fault kills although its signal is blocked or ignored', () => {
    install(s.SIGSEGV, 1);
    guest.process.signals.force({ signal: s.SIGSEGV, code: 1, address: 5 }, guest.thread);
    deliverSignals(guest.thread, false);
    expect(guest.process.exitStatus).toMatchObject({ kind: 'signal', signal: s.SIGSEGV, address: 5 });
  });
  test('handlers of faults ask for precise ones, handlers of outside signals for a ticker', () => {
    let precise = 0;
    guest.process.requirePreciseFaults = () => precise++;
    install(s.SIGALRM, handler);
    install(s.SIGTERM, 1);
    expect([precise, guest.system.tickers]).toEqual([0, 0]);
    install(s.SIGSEGV, handler);
    install(s.SIGTERM, handler);
    expect([precise, guest.system.tickers]).toEqual([1, 1]);
    guest.system.heard.get(s.SIGTERM)?.();
    expect(guest.thread.attention).toBe(true);
    install(s.SIGTERM, 0);
    expect(guest.system.heard.has(s.SIGTERM)).toBe(false);
  });
});

describe('pending signals', () => {
  test('ordinary ones are kept once, real-time ones each, low numbers come first', () => {
    block(~0n & ((1n << 64n) - 1n));
    for (const signal of [50, s.SIGUSR2, 40, s.SIGUSR1, s.SIGUSR1, 40]) raise(signal);
    expect(guest.call('rt_sigpending', scratch, 8)).toBe(0);
    expect(guest.memory.readU32(scratch)).toBe(Number(bit(s.SIGUSR1) | bit(s.SIGUSR2)));
    const order: number[] = [];
    for (;;) {
      const info = guest.process.signals.take(guest.thread, 0n);
      if (info === undefined) break;
      order.push(info.signal);
    }
    expect(order).toEqual([s.SIGUSR1, s.SIGUSR2, 40, 40, 50]);
  });
  test('rt_sigqueueinfo passes its siginfo through', () => {
    install(40, handler, actionFlag.SA_SIGINFO);
    [40, 0, -1, guest.process.id, 1000, 0x1234].forEach((word, i) => {
      guest.memory.writeU32(scratch + i * 4, word);
    });
    expect(guest.call('rt_sigqueueinfo', guest.process.id, 40, scratch)).toBe(0);
    deliverSignals(guest.thread, false);
    const info = guest.state.get('r4') >>> 0;
    const words = Array.from({ length: 6 }, (_, i) => guest.memory.readU32(info + i * 4));
    expect(words).toEqual([40, 0, 0xffffffff, guest.process.id, 1000, 0x1234]);
  });
  test('masks', () => {
    guest.memory.writeU64(scratch, 0x00000001_80000000n);
    expect(guest.call('rt_sigprocmask', 2, scratch, 0, 8)).toBe(0);
    expect(guest.thread.signalMask).toBe(1n | bit(64));
    guest.memory.writeU64(scratch, 0x00000101_00000000n);
    expect(guest.call('rt_sigprocmask', 1, scratch, scratch + 8, 8)).toBe(0);
    expect(guest.thread.signalMask).toBe(bit(64));
    expect(guest.memory.readU64(scratch + 8)).toBe(0x00000001_80000000n);
    guest.memory.writeU64(scratch, ~0n);
    expect(guest.call('rt_sigprocmask', 0, scratch, 0, 8)).toBe(0);
    expect(guest.thread.signalMask & (bit(s.SIGKILL) | bit(s.SIGSTOP))).toBe(0n);
    expect(guest.call('rt_sigprocmask', 3, scratch, 0, 8)).toBe(-errno.EINVAL);
    expect(guest.call('rt_sigprocmask', 0, 4, 0, 8)).toBe(-errno.EFAULT);
  });
});

describe('calls that a signal interrupts', () => {
  const begin = (name: string, ...args: number[]) => {
    guest.state.pc = programAddress + 0x204;
    guest.begin(name, args);
  };
  const finish = async () => {
    await guest.thread.waiting;
    guest.thread.waiting = undefined;
    deliverSignals(guest.thread, true);
  };
  const savedWord = (i: number) =>
    guest.memory.readU32(guest.memory.readU32((guest.state.get('r5') >>> 0) + 48) + i * 4);

  test('pause ends with EINTR after a handler, and goes on after none', async () => {
    install(s.SIGUSR1, handler, actionFlag.SA_SIGINFO | actionFlag.SA_RESTART);
    begin('pause');
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    await finish();
    expect(guest.state.pc).toBe(handler);
    expect([savedWord(3), savedWord(32), savedWord(38) & 0x10000000]).toEqual([
      errno.EINTR,
      programAddress + 0x204,
      0x10000000,
    ]);
  });
  test('sigsuspend: the frame holds the mask from before', async () => {
    install(s.SIGUSR1, handler, actionFlag.SA_SIGINFO);
    block(bit(s.SIGUSR1) | bit(s.SIGHUP));
    guest.memory.writeU64(scratch + 32, 0n);
    begin('rt_sigsuspend', scratch + 32, 8);
    expect(guest.thread.signalMask).toBe(0n);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    await finish();
    expect(guest.memory.readU32((guest.state.get('r5') >>> 0) + 52)).toBe(Number(bit(s.SIGUSR1) | bit(s.SIGHUP)));
    sigreturn('rt_sigreturn');
    expect(guest.thread.signalMask).toBe(bit(s.SIGUSR1) | bit(s.SIGHUP));
  });
  test('nanosleep writes what is left; without a handler it goes on by restart_syscall', async () => {
    guest.memory.writeU32(scratch + 32, 5);
    guest.memory.writeU32(scratch + 36, 0);
    begin('nanosleep', scratch + 32, scratch + 48);
    await guest.system.advance(2e9);
    // A signal that is kept while blocked and then ignored wakes the call without a handler.
    block(bit(s.SIGCHLD));
    guest.process.signals.send({ signal: s.SIGCHLD, code: 0 });
    block(0n);
    await finish();
    expect([guest.memory.readU32(scratch + 48), guest.memory.readU32(scratch + 52)]).toEqual([3, 0]);
    expect([guest.state.get('r0'), guest.state.pc]).toEqual([0, programAddress + 0x200]);
    guest.begin('restart_syscall', []);
    await guest.system.advance(3e9);
    await finish();
    expect(guest.result()).toBe(0);
  });
  test('sigtimedwait takes the signal without its handler, or gives up', async () => {
    install(s.SIGUSR1, handler);
    block(bit(s.SIGUSR1));
    guest.memory.writeU32(scratch + 32, Number(bit(s.SIGUSR1)));
    guest.memory.writeU32(scratch + 36, 0);
    begin('rt_sigtimedwait', scratch + 32, scratch + 64, 0, 8);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0, pid: 77 });
    await finish();
    expect(guest.result()).toBe(s.SIGUSR1);
    expect(guest.memory.readU32(scratch + 64 + 12)).toBe(77);
    expect(guest.thread.signalMask).toBe(bit(s.SIGUSR1));
    guest.memory.writeU64(scratch + 48, 1_000_000n);
    begin('rt_sigtimedwait', scratch + 32, 0, scratch + 48, 8);
    await guest.system.advance(2e6);
    await finish();
    expect(guest.result()).toBe(-errno.EAGAIN);
  });
});

describe('kill', () => {
  test('to itself, to others, and what it refuses', () => {
    expect(guest.call('kill', guest.process.id, 0)).toBe(0);
    expect(guest.call('kill', guest.process.id, 65)).toBe(-errno.EINVAL);
    expect(guest.call('kill', -1, s.SIGTERM)).toBe(-errno.EPERM);
    expect(guest.call('kill', 99, s.SIGTERM)).toBe(0);
    expect(guest.system.sent).toEqual([[99, s.SIGTERM]]);
    expect(guest.call('tgkill', guest.process.id, guest.process.id, s.SIGUSR1)).toBe(0);
    expect(guest.process.signals.take(guest.thread)).toMatchObject({ signal: s.SIGUSR1, code: -6, uid: 1000 });
    expect(guest.call('tgkill', 5, guest.process.id, s.SIGUSR1)).toBe(-errno.ESRCH);
    expect(guest.call('tkill', 0, s.SIGUSR1)).toBe(-errno.EINVAL);
  });
});
