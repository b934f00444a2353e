/**
 * Random blocks of IR on every engine that translates, for guests of both byte orders, with accesses that are checked and
 * with accesses that trap: each as on the plain evaluator.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EngineOptions } from '../../src/engines/engine.ts';
import { policies } from '../../src/engines/translated/policy.ts';
import { TranslatedEngine } from '../../src/engines/translated/translated-engine.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import type { Frontend } from '../../translators/frontend.ts';
import { exitCode } from '../../translators/ir/operations.ts';
import { printUnit } from '../../translators/ir/printer.ts';
import { header, State } from '../../translators/ir/state.ts';
import type { Unit } from '../../translators/ir/unit.ts';
import { byteOffset, makeMemory, makeState, memoryRange, testFrontend, testNames, testRegisters } from '../ir/guest.ts';
import { expressionUnit, instructionUnit } from '../ir/random-instructions.ts';
import { evaluate } from '../ir/reference.ts';
import { replayRange } from '../ir/replay.ts';
import { fill, visible } from '../ir/visible.ts';

const isProtected = new AddressSpace('little', findHostPages).enableHostProtection();
if (!isProtected) console.info('Not tested: random blocks where accesses trap (no page protection on this host)');

/** Where the test guest's memory lies in an address space, less where it lies in the evaluator's. */
const shift = 0x100000;
/** Leaves where the unit has no instruction, as an exit that no unit makes. */
const behind = { reason: 'software_interrupt', detail: 0x77 } as const;

class UnitGuest {
  readonly memory: AddressSpace;
  readonly state: State;
  private readonly engine: TranslatedEngine;
  private unit: Unit | undefined;

  constructor(name: keyof typeof policies, byteOrder: 'big' | 'little', alignment: number, traps: boolean) {
    this.memory = new AddressSpace(byteOrder, traps ? findHostPages : undefined);
    this.state = new State(testRegisters, this.memory.buffer, this.memory.allocateStateBlock());
    const frontend: Frontend = {
      ...testFrontend,
      byteOrder,
      instructionAlignment: alignment,
      lift: (builder, _fetch, pc) => {
        const unit = this.unit as Unit;
        const [block] = unit.blocks;
        let first = block.first;
        while (first < block.end && unit.pc[first] !== (pc | 0)) first++;
        let end = first;
        while (end < block.end && unit.pc[end] === (pc | 0)) end++;
        if (first === block.end) builder.exit(behind.reason, behind.detail);
        else replayRange(unit, first, end, builder, this.values, shift);
        return 4;
      },
    };
    const options: EngineOptions = {
      frontend,
      memory: this.memory,
      countInstructions: true,
      host: {
        systemCall: () => {
          this.called = true;
          return false;
        },
        symbolAt: () => undefined,
        timeBase: () => ({ low: 0, high: 0 }),
      },
    };
    this.engine = new TranslatedEngine(name, options, { ...policies[name], threshold: 1 });
    this.engine.requirePreciseFaults();
    this.memory.map(shift + 0x2000, 0x2000, 3);
    this.memory.map(shift + 0x4000, 0x1000, 1);
    this.memory.map(shift + 0x5000, 0x1000, 2);
  }
  private values = new Map<number, number>();
  private called = false;

  /** Runs a unit's block on the state and the memory that the evaluator begins with. */
  run(unit: Unit, seed: number) {
    const { memory, state } = this;
    this.unit = unit;
    this.values = new Map();
    const [block] = unit.blocks;
    this.engine.invalidate(0, 0x7fffffff);
    const from = makeMemory(memory.mirrored);
    state.i32.fill(0);
    fill(state, from.buffer, seed);
    for (let at = memoryRange.start; at < memoryRange.end; at++) {
      this.bytes[at - memoryRange.start] = from.view.getUint8(byteOffset(from, at));
    }
    memory.poke(shift + memoryRange.start, this.bytes);
    state.pc = block.pc;
    this.called = false;
    this.engine.run(state);
    const { i32 } = state;
    if (this.called) i32[header.exit >> 2] = exitCode.system_call;
    if (i32[header.exit >> 2] === exitCode[behind.reason] && i32[header.detail >> 2] === behind.detail) {
      i32[header.exit >> 2] = 0;
      i32[header.detail >> 2] = 0;
    } else if (i32[header.exit >> 2] === exitCode.fault && i32[header.access >> 2] !== 4) {
      i32[header.detail >> 2] -= shift;
    }
    i32[header.unwind >> 2] = 0;
    const to = makeMemory(memory.mirrored);
    memory.peek(shift + memoryRange.start, this.bytes.length).forEach((byte, at) => {
      to.view.setUint8(byteOffset(to, memoryRange.start + at), byte);
    });
    return visible(state, to.buffer);
  }
  private readonly bytes = new Uint8Array(memoryRange.end - memoryRange.start);
}

/** What the plain evaluator makes of a unit, with the memory outside of the guest's pages left out. */
function expected(unit: Unit, seed: number, mirrored: boolean) {
  const [state, memory] = [makeState(), makeMemory(mirrored)];
  fill(state, memory.buffer, seed);
  for (let at = 0; at < memory.buffer.byteLength; at++) {
    const guest = mirrored ? memory.origin - at - 1 : at - memory.origin;
    if (guest < memoryRange.start || guest >= memoryRange.end) memory.view.setUint8(at, 0);
  }
  state.pc = unit.blocks[0].pc;
  evaluate(unit, unit.blocks[0], state, memory);
  return visible(state, memory.buffer);
}

const names = ['blocks', 'regions', 'wasm'] as const;
const kinds = [
  ['instructions of every kind', instructionUnit],
  ['integer expressions', expressionUnit],
] as const;

for (const [byteOrder, alignment] of [
  ['big', 4],
  ['little', 1],
] as const) {
  for (const traps of isProtected ? [false, true] : [false]) {
    describe.each(traps ? (['wasm'] as const) : names)(
      `%s, ${byteOrder}-endian, ${traps ? 'trapping' : 'checked'}`,
      (name) => {
        test.each(kinds)('%s', (_kind, units) => {
          const guest = new UnitGuest(name, byteOrder, alignment, traps);
          let exits = 0;
          fc.assert(
            fc.property(units, fc.integer(), (unit, seed) => {
              const reference = expected(unit, seed, byteOrder === 'big');
              // What may be written can be read on a host.
              fc.pre(!traps || reference.access !== 1 || reference.detail >>> 12 !== 5);
              // Control goes to instructions only: -1 and -2 mean something else between translations (instructionAlignment).
              fc.pre(reference.pc % alignment === 0);
              if (reference.exit !== 0) exits++;
              expect(guest.run(unit, seed), printUnit(unit, testNames)).toEqual(reference);
            }),
            { numRuns: Number(process.env.STELE_RUNS ?? 150) },
          );
          expect(exits > 10).toBe(units === kinds[0][1]);
          expect(guest.memory.hostProtection).toBe(traps ? 'on' : name === 'wasm' ? 'unavailable' : 'off');
        });
      },
    );
  }
}
