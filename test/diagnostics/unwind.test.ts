/** Callers that are found by call frame information, at every instruction of a program. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createDebuggedEngine } from '../../src/cli/debug.ts';
import type { DebuggedEngine } from '../../src/debugger/debugged-engine.ts';
import { backTrace } from '../../src/diagnostics/back-trace.ts';
import { describeFatalSignal } from '../../src/diagnostics/fatal-signal.ts';
import { callerFrame } from '../../src/diagnostics/unwind.ts';
import { CallFrames } from '../../src/elf/call-frames.ts';
import { readElf } from '../../src/elf/read-elf.ts';
import { readSections } from '../../src/elf/sections.ts';
import { SymbolTable } from '../../src/elf/symbols.ts';
import { portableEngineNames } from '../../src/engines/create-engine.ts';
import { runThread } from '../../src/linux/run.ts';
import { debuggedProgram, lineOf } from '../debugger/client.ts';
import { binaryPath, guests } from '../guests/programs.ts';
import { makeGuest } from './guest.ts';

describe.each(guests)('%s', (guest) => {
  const name = debuggedProgram(guest);

  test('at each instruction that runs the callers are those that called', () => {
    const { engine, thread, frontend, memory, symbols, image, program } = makeGuest(name, 'interpreted', {
      createEngine: createDebuggedEngine,
    });
    const { state } = thread;
    const frames = new CallFrames(image, program.bias);
    const word = (address: number): number | undefined => {
      try {
        return memory.readU32(address);
      } catch {
        return undefined;
      }
    };
    const called: number[] = [];
    const sizes = new Set<number>();
    const end = symbols.functions().find((symbol) => symbol.name === 'count')?.start;
    for (let steps = 0; state.pc !== end; steps++) {
      expect(steps).toBeLessThan(1000);
      const { pc } = state;
      const view = { state, pc, word, symbolAt: (address: number) => symbols.symbolAt(address) };
      const found = backTrace(frontend.name, { ...view, frameAt: (address) => frames.at(address) }, 20);
      expect(found, `at ${symbols.symbolAt(pc)?.name} 0x${pc.toString(16)}`).toEqual(called.toReversed());
      sizes.add(called.length);
      (engine as DebuggedEngine).resume({ kind: 'step' }, state);
      engine.run(state);
      const text = frontend.disassemble((address, length) => {
        const value = memory.readBytes(address, length);
        return (guest === 'powerpc' ? value : value.toReversed()).reduce((sum, byte) => ((sum << 8) | byte) >>> 0, 0);
      }, pc).text;
      if (/^(call|bl)\b/.test(text)) called.push(pc);
      else if (/^(ret|blr)\b/.test(text)) called.pop();
    }
    // From _start to the innermost of inner, and square.
    expect([...sizes].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  test.each(portableEngineNames)(
    'a fault on the engine %s is reported with functions, lines and callers',
    async (engine) => {
      const {
        thread,
        engine: running,
        frontend,
        memory,
        symbols,
        lines,
        image,
        program,
      } = makeGuest(name, engine, {
        arguments: ['f'],
      });
      const status = await runThread(thread, running);
      if (status.kind !== 'signal') throw new Error(`the program ended by ${status.kind}`);
      const { signal, pc, address } = status;
      const frames = new CallFrames(image, program.bias);
      const report = describeFatalSignal(
        { signal, description: '', pc, address, access: 1, mayBeStale: false },
        {
          frontend,
          memory,
          state: thread.state,
          symbolAt: (address) => symbols.symbolAt(address),
          lineAt: (address) => lines.lineAt(address),
          frameAt: (address) => frames.at(address),
          recentCalls: [],
        },
      );
      const place = (symbol: string, text: string): unknown =>
        expect.stringMatching(new RegExp(` ${symbol}\\+0x[0-9a-f]+ \\(.*debugged\\.c:${lineOf(text)}\\)$`));
      expect(report.split('\n').slice(1, 8)).toEqual([
        place('fail', 'int before = *place'),
        '  read of 0x00000000, which is not mapped',
        '  called from',
        place('lead', 'int result = fail(place)'),
        place('start', "if (letter == 'f')"),
        // Assembly, which the line table says nothing of.
        expect.stringMatching(/ _start\+0x[0-9a-f]+ /),
        '  code',
      ]);
    },
  );

  test('information that makes no sense is as good as none', () => {
    const file = readFileSync(binaryPath(name));
    const section = readSections(readElf(file)).find((each) => each?.name === '.eh_frame');
    if (section === undefined) throw new Error('the program has no call frame information');
    const addresses = new SymbolTable(readElf(file), 0).functions().map(({ start }) => start + 4);
    let random = 1;
    const next = (limit: number): number => {
      random = (Math.imul(random, 1103515245) + 12345) >>> 0;
      return (random >>> 8) % limit;
    };
    let understood = 0;
    for (let round = 0; round < 300; round++) {
      const broken = Uint8Array.from(file);
      for (let n = next(8); n >= 0; n--) broken[section.offset + next(section.size)] = next(256);
      const frames = new CallFrames(readElf(broken), 0);
      for (const address of addresses) {
        const frame = frames.at(address);
        if (frame === undefined) continue;
        callerFrame(frame, new Map([[1, 0x1000]]), 1, { pointer: () => 0x2000 });
        understood++;
      }
    }
    expect(understood).toBeGreaterThan(0);
    expect(understood).toBeLessThan(300 * addresses.length);
  });
});
