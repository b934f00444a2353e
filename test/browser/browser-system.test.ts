/** Ticks without a thread of their own, and what a browser's machine tells. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BrowserSystem } from '../../src/browser/browser-system.ts';
import { errno } from '../../src/linux/errno.ts';

let now: number;
let system: BrowserSystem;
let words: Int32Array;
beforeEach(async () => {
  now = 1000;
  vi.spyOn(performance, 'now').mockImplementation(() => now);
  system = new BrowserSystem({
    isIsolated: false,
    processors: 4,
    yieldToEvents: async () => {},
    startWorker: () => {
      throw new Error('no worker is wanted');
    },
  });
  words = new Int32Array(new SharedArrayBuffer(8));
  await system.start(words, 1);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Polls after some milliseconds. @returns whether that was a tick */
function ticksAfter(milliseconds: number): boolean {
  now += milliseconds;
  words[1] = 0;
  system.poll();
  return words[1] === 1;
}

test('an ordinary guest is interrupted twenty times a second', () => {
  expect([ticksAfter(0), ticksAfter(49), ticksAfter(1), ticksAfter(0), ticksAfter(50)]).toEqual([
    false,
    false,
    true,
    false,
    true,
  ]);
});

test('one with timers at its deadlines, and not again and again when it sets them', () => {
  const ticker = system.startTicker();
  const setDeadline = (milliseconds: number) => ticker.setDeadline(system.monotonicTime() + milliseconds * 1e6);
  setDeadline(3);
  expect([ticksAfter(2), ticksAfter(1)]).toEqual([false, true]);
  setDeadline(1000);
  expect(ticksAfter(0)).toBe(false);
  setDeadline(1000);
  expect([ticksAfter(0), ticksAfter(9), ticksAfter(1)]).toEqual([false, false, true]);
  ticker.stop();
  expect([ticksAfter(10), ticksAfter(49), ticksAfter(1)]).toEqual([true, false, true]);
});

test('nothing is interrupted any more after the end', () => {
  system.stop();
  expect(ticksAfter(1000)).toBe(false);
});

test('waiting is no processor time', () => {
  const before = system.processCpuTime().user;
  now += 5;
  const end = system.stayAlive();
  now += 700;
  end();
  expect(system.processCpuTime().user - before).toBe(5_000_000);
});

test('there is one process, whose signals have listeners or none', () => {
  const heard: number[] = [];
  system.onSignal(2, () => heard.push(2));
  expect([system.raise(2), system.raise(3)]).toEqual([true, false]);
  system.onSignal(2, undefined);
  expect(system.raise(2)).toBe(false);
  expect(heard).toEqual([2]);
  expect(system.kill(12345, 9)).toBe(-errno.ESRCH);
});

test('random bytes fill more than one call gives', () => {
  const bytes = new Uint8Array(200_000);
  system.fillRandom(bytes);
  for (const start of [0, 65536, 131072, 199_000]) expect(bytes.subarray(start, start + 1000).some(Boolean)).toBe(true);
});
