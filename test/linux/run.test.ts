import { beforeEach, describe, expect, test } from 'vitest';
import { runThread } from '../../src/linux/run.ts';
import { actionFlag, signalNumbers as s } from '../../src/linux/signals.ts';
import { type ExitReason, exitCode } from '../../translators/ir/operations.ts';
import { header, type State } from '../../translators/ir/state.ts';
import { createProcess, programAddress, scriptedEngine, type TestProcess } from './process-guest.ts';

const handler = programAddress + 0x800;
const scratch = programAddress + 0x1000;

let guest: TestProcess;
beforeEach(() => {
  guest = createProcess();
});

type Step = (state: State) => number;

/** A step that leaves for a reason. */
const leave =
  (reason: ExitReason, detail = 0, access = 0): Step =>
  (state) => {
    state.i32[header.detail >> 2] = detail;
    state.i32[header.access >> 2] = access;
    return exitCode[reason];
  };
/** A step that makes a system call, which must want the engine left. */
const call =
  (name: string, ...args: number[]): Step =>
  () => {
    expect(guest.begin(name, args)).toBe(false);
    return exitCode.none;
  };
/** A step that looks at what the guest would see. */
const look =
  (see: (state: State) => void): Step =>
  (state) => {
    see(state);
    return call('exit_group', 7)(state);
  };

const run = (...steps: Step[]) => runThread(guest.thread, scriptedEngine(steps));

function install(signal: number, flags = 0): void {
  const { memory } = guest;
  [handler, flags, 0, 0, 0].forEach((word, i) => {
    memory.writeU32(scratch + i * 4, word);
  });
  expect(guest.call('rt_sigaction', signal, scratch, 0, 8)).toBe(0);
}

describe('how a process ends', () => {
  test('exit_group with the low byte of its status', async () => {
    expect(await run(call('exit_group', 0x1ff))).toEqual({ kind: 'exit', code: 255 });
  });
  test('exit clears the word that set_tid_address named', async () => {
    guest.memory.writeU32(scratch, 5);
    expect(guest.call('set_tid_address', scratch)).toBe(guest.process.id);
    await run(call('exit', 0));
    expect(guest.memory.readU32(scratch)).toBe(0);
  });
  const readOnly = 0x30000000;
  // biome-ignore format: one row per line
  const exceptions: [string, Step, object][] = [
    ['a store to nowhere',       leave('fault', 0x1234, 2),             { signal: s.SIGSEGV, code: 1, address: 0x1234, core: true }],
    ['a forbidden store',        leave('fault', readOnly + 8, 2),       { signal: s.SIGSEGV, code: 2, address: readOnly + 8 }],
    ['an illegal instruction',   leave('illegal'),                      { signal: s.SIGILL, code: 1, address: programAddress + 0x100 }],
    ['a privileged instruction', leave('privileged'),                   { signal: s.SIGILL, code: 5 }],
    ['a trap',                   leave('trap'),                         { signal: s.SIGTRAP, code: 1 }],
    ['a division by zero',       leave('floating_point', 0x04000000),   { signal: s.SIGFPE, code: 3 }],
    ['an overflow',              leave('floating_point', 0x12000000),   { signal: s.SIGFPE, code: 4 }],
    ['an underflow',             leave('floating_point', 0x0a000000),   { signal: s.SIGFPE, code: 5 }],
    ['an inexact result',        leave('floating_point', 0x02000000),   { signal: s.SIGFPE, code: 6 }],
    ['an invalid operation',     leave('floating_point', 0x20000000),   { signal: s.SIGFPE, code: 7 }],
    ['an unknown exception',     leave('floating_point', 0),            { signal: s.SIGFPE, code: 14 }],
    ['a misaligned access',      leave('misaligned', 0x1001, 1),        { signal: s.SIGBUS, code: 1, address: 0x1001 }],
  ];
  test.each(exceptions)('%s', async (_, step, status) => {
    guest.memory.map(readOnly, 4096, 1);
    expect(await run(step)).toMatchObject({ kind: 'signal', pc: programAddress + 0x100, ...status });
  });
});

describe('what goes on', () => {
  test('a touch below a stack that may grow is no signal', async () => {
    const { memory } = guest;
    memory.map(0x30010000, 4096, 3, { growsDown: true });
    await run(
      leave('fault', 0x3000fff0, 2),
      look(() => memory.writeU32(0x3000fff0, 1)),
    );
    expect(memory.readU32(0x3000fff0)).toBe(1);
  });
  test.each([false, true])('faults are precise where the stack may grow: %s', async (grows) => {
    let asked = 0;
    const engine = scriptedEngine([call('exit_group', 7)]);
    engine.requirePreciseFaults = () => {
      asked++;
    };
    guest.process.stackGrows = grows;
    await runThread(guest.thread, engine);
    expect(asked).toBe(grows ? 1 : 0);
  });
  test('a fault enters the handler', async () => {
    install(s.SIGSEGV, actionFlag.SA_SIGINFO);
    const status = await run(
      leave('fault', 0x1234, 1),
      look((state) => {
        expect(state.pc).toBe(handler);
        expect(guest.memory.readU32((state.get('r4') >>> 0) + 12)).toBe(0x1234);
      }),
    );
    expect(status).toEqual({ kind: 'exit', code: 7 });
  });
  test('sigreturn gives back the registers', async () => {
    install(s.SIGTRAP);
    await run(
      (state) => {
        state.set('r3', 1234);
        state.set('cr0.so', 1);
        return exitCode.trap;
      },
      call('sigreturn'),
      look((state) => {
        expect([state.get('r3'), state.get('cr0.so'), state.pc]).toEqual([1234, 1, programAddress + 0x100]);
      }),
    );
  });
  test('an interrupt lets timers expire and signals in, and clears the word', async () => {
    install(s.SIGALRM);
    guest.call('alarm', 1);
    expect(guest.system.tickers).toBe(1);
    await run(
      (state) => {
        state.i32[header.interrupt >> 2] = 1;
        guest.system.now += 1.5e9;
        return exitCode.interrupt;
      },
      look((state) => {
        expect(state.i32[header.interrupt >> 2]).toBe(0);
        expect([state.pc, state.get('r3')]).toEqual([handler, s.SIGALRM]);
      }),
    );
  });
  test('a call that waits is waited for', async () => {
    guest.memory.writeU32(scratch, 10);
    guest.memory.writeU32(scratch + 4, 0);
    const sleeping = run(
      call('nanosleep', scratch, 0),
      look((state) => expect([state.get('r3'), state.get('cr0.so')]).toEqual([0, 0])),
    );
    await guest.system.advance(10e9);
    expect(await sleeping).toEqual({ kind: 'exit', code: 7 });
  });
  test('a call that a handler with SA_RESTART interrupts is made again', async () => {
    install(s.SIGUSR1, actionFlag.SA_RESTART);
    guest.memory.writeU32(scratch, 7);
    guest.state.pc = programAddress + 0x204;
    const waiting = run(
      call('futex', scratch, 0, 7, 0),
      call('sigreturn'),
      look((state) => expect([state.pc, state.get('r3') >>> 0]).toEqual([programAddress + 0x200, scratch])),
    );
    await guest.system.yieldToEvents();
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    expect(await waiting).toEqual({ kind: 'exit', code: 7 });
  });
});
