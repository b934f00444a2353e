/** Bytes that were never meant as code, run as a whole program: it dies of a signal, the same one on every engine. */
import { afterAll, expect, test } from 'vitest';
import { createEngine, portableEngineNames as engineNames } from '../../src/engines/create-engine.ts';
import { powerpc as powerpcAbi } from '../../src/linux/abi/powerpc.ts';
import { Dispatcher } from '../../src/linux/dispatch.ts';
import type { ExitStatus } from '../../src/linux/process.ts';
import { runThread } from '../../src/linux/run.ts';
import { signalNumbers } from '../../src/linux/signals.ts';
import { header } from '../../translators/ir/state.ts';
import { masks, rows, values } from '../../translators/powerpc/decode.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import { generator, seed } from '../float/cases.ts';
import { below, oneIn, type Random } from '../fuzz/instructions.ts';
import { bytesOf } from '../fuzz/machine.ts';
import { Watchdog } from '../fuzz/watchdog.ts';
import { createProcess, programAddress, programSize } from '../linux/process-guest.ts';

const programs = 60;
/** Milliseconds that a program without end may run. */
const patience = 200;

const fatal = (['SIGILL', 'SIGTRAP', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const).map((name) => signalNumbers[name]);

/** A program that was ended because it ran on and on. */
const endless: ExitStatus = { kind: 'exit', code: 99 };

const watchdogs: Watchdog[] = [];
afterAll(() => {
  for (const watchdog of watchdogs) watchdog.close();
});

/** A process whose calls all fail with ENOSYS. It serves many programs: address spaces are large. */
function createRunner() {
  const guest = createProcess();
  const { process, state, memory, thread, system } = guest;
  const dispatcher = new Dispatcher(thread, powerpcAbi, { table: [] });
  const watchdog = new Watchdog(state);
  watchdogs.push(watchdog);
  system.yieldToEvents = async () => process.exit(endless);
  return async (name: (typeof engineNames)[number], words: readonly number[], next: Random) => {
    const engine = createEngine(name, {
      frontend: powerpc,
      memory,
      countInstructions: false,
      host: {
        systemCall: () => dispatcher.dispatch(),
        symbolAt: () => undefined,
        timeBase: () => ({ low: 0, high: 0 }),
      },
    });
    memory.onCodeChange = (start, length) => engine.invalidate(start, length);
    memory.map(programAddress, programSize, 7);
    memory.poke(programAddress, bytesOf(words));
    for (const register of powerpc.registers.registers) {
      if (register.type === 'f64') state.f64[register.index] = below(next, 1000) / 7;
      else if (register.bit) state.i32[register.index] = next() & 1;
      else state.i32[register.index] = oneIn(next, 2) ? programAddress + (next() & 0xfff8) : next();
    }
    state.set('xer.count', 5);
    state.set('fpscr', 0);
    state.set('reserve.address', -1);
    state.pc = programAddress + 0x8000;
    state.i32[header.interrupt >> 2] = 0;
    process.exitStatus = undefined;
    // Whether a program ends at all the interpreter decides; on a busy machine a translating engine may take long.
    watchdog.watch(name === 'interpreted' ? patience : 100 * patience);
    const status = await runThread(thread, engine);
    watchdog.watch(0);
    return status;
  };
}

/** Random words, or instructions of every kind with random operands. */
function randomWords(next: Random): number[] {
  const valid = oneIn(next, 2);
  return Array.from({ length: programSize / 4 }, () => {
    const row = below(next, rows.length);
    return (valid ? values[row] | (next() & ~masks[row]) : next()) >>> 0;
  });
}

test('random code dies of the same signal on every engine', { timeout: 120_000 }, async () => {
  const run = createRunner();
  const next = generator(seed);
  let died = 0;
  for (let i = 0; i < programs; i++) {
    const words = randomWords(next);
    const registers = next();
    const expected = await run('interpreted', words, generator(registers));
    if (expected === endless) continue;
    expect(expected.kind, `SEED=${seed}, program ${i}`).toBe('signal');
    if (expected.kind === 'signal') expect(fatal).toContain(expected.signal);
    died++;
    for (const name of engineNames) {
      if (name === 'interpreted') continue;
      expect(await run(name, words, generator(registers)), `SEED=${seed}, program ${i}, ${name}`).toEqual(expected);
    }
  }
  expect(died).toBeGreaterThan(programs / 2);
});
