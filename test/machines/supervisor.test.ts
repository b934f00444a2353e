/** What the supervisor does with its machines, whose threads are made up here, as is the clock. */
import { expect, test } from 'vitest';
import { Control, request } from '../../src/machines/control.ts';
import type { Ending, MachineMessage } from '../../src/machines/messages.ts';
import { type Machine, type MachinePlan, type Runner, Supervisor } from '../../src/machines/supervisor.ts';

/** A thread of a test's making. */
class Thread implements Runner {
  readonly control: Control;
  readonly words = new Int32Array(new SharedArrayBuffer(4));
  wakes = 0;
  terminated = false;
  private listeners: Parameters<Runner['listen']>[0] | undefined;

  constructor(control: Control) {
    this.control = new Control(control.buffer);
  }

  wake(): void {
    this.wakes++;
  }
  terminate(): void {
    this.terminated = true;
    this.listeners?.end();
  }
  listen(listeners: Parameters<Runner['listen']>[0]): void {
    this.listeners = listeners;
  }

  send(message: MachineMessage): void {
    this.listeners?.message(message);
  }
  begin(): void {
    this.send({ kind: 'started', words: this.words, interrupt: 0 });
  }
  end(ending: Ending = { kind: 'exit', code: 0, wasRefusedMemory: false }): void {
    this.send({ kind: 'ended', ending });
  }
  fail(error: unknown): void {
    this.listeners?.error(error);
    this.listeners?.end();
  }
  stop(): void {
    this.listeners?.end();
  }
  /** Processor time in milliseconds. */
  use(cpu: number): void {
    this.control.usage = { cpu: cpu * 1e6, memory: 0, peakMemory: 0, systemCalls: 0, output: 0 };
  }
}

const plan = (name: string, more: Partial<MachinePlan> = {}): MachinePlan => ({
  name,
  share: 1,
  cpuLimit: undefined,
  wallLimit: undefined,
  limitTexts: { memory: 'M', output: 'O', wall: 'W', cpu: 'C' },
  ...more,
});

/** A supervisor of some machines, whose clock goes on when it is told to. */
function supervise(plans: readonly MachinePlan[], processors = 2) {
  const threads: Thread[] = [];
  const ended: string[] = [];
  const failures: unknown[] = [];
  let time = 0;
  let timers: { at: number; callback: () => void }[] = [];
  const supervisor = new Supervisor(
    plans,
    {
      processors,
      start: ({ name }, control) => {
        if (name === 'unstartable') throw new Error('no thread can be had');
        threads.push(new Thread(control));
        return threads[threads.length - 1];
      },
      now: () => time,
      after: (milliseconds, callback) => {
        const timer = { at: time + milliseconds, callback };
        timers.push(timer);
        return () => {
          timers = timers.filter((each) => each !== timer);
        };
      },
    },
    {
      started: () => {},
      output: () => {},
      ended: ({ plan: { name }, outcome }: Machine<MachinePlan>) =>
        ended.push(`${name}: ${outcome?.kind}: ${outcome?.text}`),
      failed: (_, error) => failures.push(error),
    },
  );
  let isOver = false;
  const over = supervisor.run().then(() => {
    isOver = true;
  });
  const pass = (milliseconds: number): void => {
    const until = time + milliseconds;
    for (;;) {
      const next = timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      timers = timers.filter((each) => each !== next);
      time = next.at;
      next.callback();
    }
    time = until;
  };
  return { supervisor, threads, ended, failures, pass, over, isOver: () => isOver };
}

test('it is over when all machines are, however they ended', async () => {
  const { threads, ended, over, isOver } = supervise([plan('a'), plan('b')]);
  for (const thread of threads) thread.begin();
  threads[1].end({ kind: 'exit', code: 7, wasRefusedMemory: false });
  await Promise.resolve();
  expect(isOver()).toBe(false);
  threads[0].end();
  await over;
  expect(ended).toEqual(['b: exit-status: exit status 7', 'a: success: exit status 0']);
});

test('a thread that fails, ends by itself or cannot be had is one failure', async () => {
  const { threads, ended, failures, over } = supervise([plan('a'), plan('unstartable'), plan('b'), plan('c')]);
  threads[0].fail(new RangeError('oh dear'));
  threads[1].begin();
  threads[1].stop();
  threads[2].begin();
  threads[2].end();
  await over;
  expect(ended).toEqual([
    'unstartable: internal-error: internal error: no thread can be had',
    'a: internal-error: internal error: oh dear',
    'b: internal-error: internal error: its thread ended by itself',
    'c: success: exit status 0',
  ]);
  expect(failures.map((error) => (error as Error).message)).toEqual(['no thread can be had', 'oh dear']);
});

test('with the wall limit the guest is asked to end, and the thread is terminated when it does not', () => {
  const { threads, ended, pass } = supervise([plan('a', { wallLimit: 2 }), plan('b', { wallLimit: 2 })]);
  pass(1000);
  for (const thread of threads) thread.begin();
  pass(1990);
  expect(threads.map(({ control }) => control.takeRequests())).toEqual([0, 0]);
  pass(10);
  expect(threads.map(({ control }) => control.takeRequests())).toEqual([request.end, request.end]);
  expect(threads.map(({ words, wakes }) => [words[0], wakes > 0])).toEqual([
    [1, true],
    [1, true],
  ]);
  threads[0].end({ kind: 'signal', signal: 9, pc: 0, wasRefusedMemory: false });
  pass(10_000);
  expect(threads.map(({ terminated }) => terminated)).toEqual([false, true]);
  expect(ended).toEqual([
    'a: wall-limit: stopped: its wall limit of W was over',
    'b: wall-limit: stopped: its wall limit of W was over',
  ]);
});

test('with the CPU limit the guest is asked to end, soon after it was reached', () => {
  const { threads, pass } = supervise([plan('a', { cpuLimit: 1 })]);
  threads[0].begin();
  threads[0].use(900);
  pass(60);
  threads[0].use(999);
  pass(60);
  expect(threads[0].control.takeRequests()).toBe(0);
  threads[0].use(1000);
  pass(2);
  expect(threads[0].control.takeRequests()).toBe(request.end);
});

test('as many run as there are processors, and who may not is interrupted', () => {
  const { threads, pass } = supervise([plan('a'), plan('b', { share: 3 })], 1);
  for (const thread of threads) thread.begin();
  pass(60);
  const turns = [0, 0];
  for (let tick = 0; tick < 400; tick++) {
    pass(10);
    expect(threads.filter(({ control }) => control.isPermitted)).toHaveLength(1);
    for (const [index, { control, words }] of threads.entries()) {
      if (control.isPermitted) turns[index] += 10;
      else expect(words[0]).toBe(1);
      threads[index].use(turns[index]);
    }
  }
  expect(turns[1] / turns[0]).toBeGreaterThan(2.85);
  expect(turns[1] / turns[0]).toBeLessThan(3.15);
});

test('who waits leaves the processor to the others', () => {
  const { threads, pass } = supervise([plan('a'), plan('b')], 1);
  for (const thread of threads) thread.begin();
  threads[0].control.isWaiting = true;
  pass(100);
  expect(threads.map(({ control }) => control.isPermitted)).toEqual([true, true]);
});

test('a signal goes to all, and who does not end of it is ended some seconds later; a second one ends all', () => {
  const { supervisor, threads, ended, pass } = supervise([plan('a'), plan('b'), plan('c')]);
  for (const thread of threads) thread.begin();
  supervisor.stop(request.interrupt, false);
  expect(threads.map(({ control }) => control.takeRequests())).toEqual([1, 1, 1]);
  threads[0].end({ kind: 'signal', signal: 2, pc: 0, wasRefusedMemory: false });
  pass(2900);
  expect(threads.map(({ control }) => control.takeRequests())).toEqual([0, 0, 0]);
  pass(200);
  expect(threads.map(({ control }) => control.takeRequests())).toEqual([0, request.end, request.end]);
  supervisor.stop(request.interrupt, true);
  expect(threads.map(({ control }) => control.takeRequests())).toEqual([0, request.end, request.end]);
  pass(5000);
  expect(ended.map((line) => line.split(':', 2).join(':'))).toEqual(['a: interrupt', 'b: interrupt', 'c: interrupt']);
});
