/** x86 code that changes without saying so: a store takes effect on the next instruction, on every engine. */
import { describe, expect, test } from 'vitest';
import { createEngine } from '../../src/engines/create-engine.ts';
import type { EngineOptions } from '../../src/engines/engine.ts';
import { policies } from '../../src/engines/translated/policy.ts';
import { TranslatedEngine } from '../../src/engines/translated/translated-engine.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { exitReasons } from '../../translators/ir/operations.ts';
import { header, State } from '../../translators/ir/state.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';

const code = 0x10000000;
const other = 0x10010000;
const stack = 0x20000000;
const frontend = x86Frontend(32);
const names = ['interpreted', ...(Object.keys(policies) as (keyof typeof policies)[])] as const;

const word = (value: number): number[] => [value, value >> 8, value >> 16, value >> 24].map((byte) => byte & 0xff);
const increment = [0x41];
const systemCall = [0xcd, 0x80];

class Guest {
  readonly memory = new AddressSpace('little', findHostPages);
  readonly state = new State(frontend.registers, this.memory.buffer, this.memory.allocateStateBlock());
  private readonly engine;

  constructor(name: (typeof names)[number]) {
    this.memory.coherentCode = frontend.coherentCode === true;
    const options: EngineOptions = {
      frontend,
      memory: this.memory,
      countInstructions: false,
      host: { systemCall: () => false, symbolAt: () => undefined, timeBase: () => ({ low: 0, high: 0 }) },
    };
    const soon = { threshold: 3 };
    this.engine =
      name === 'interpreted'
        ? createEngine(name, options)
        : new TranslatedEngine(
            name,
            options,
            policies[name].translateAtOnce ? policies[name] : { ...policies[name], ...soon },
          );
    this.memory.map(code, 0x1000, 7);
    this.memory.map(other, 0x1000, 5);
    this.memory.map(stack, 0x1000, 3);
    this.state.set('esp', stack + 0x800);
  }

  /** Runs with a count in ecx. @returns the reason for which the engine left, none for a system call */
  run(pc: number, count: number): string {
    const { state } = this;
    state.pc = pc;
    state.set('ecx', count);
    state.set('ebx', 0);
    this.engine.run(state);
    const reason = exitReasons[state.i32[header.exit >> 2]];
    return reason === 'system_call' ? 'none' : reason;
  }
}

/** Adds up ecx, counting down: each time the number is written into the instruction behind the store. */
const adding = [
  ...[0x89, 0x0d, ...word(code + 7)], // mov [code + 7], ecx
  ...[0xb8, ...word(0)], // mov eax, 0
  ...[0x01, 0xc3], // add ebx, eax
  ...[0x49, 0x75, 0xf0], // dec ecx; jnz code
  ...systemCall,
];
/** The same, with the instruction that changes in a function on the other page. */
const calling = [
  ...[0x89, 0x0d, ...word(code + 1)], // mov [code + 1], ecx
  ...[0xe8, ...word(code - (other + 11))], // call code
  ...[0x01, 0xc3],
  ...[0x49, 0x75, 0xf0],
  ...systemCall,
];
const answering = [0xb8, ...word(0), 0xc3]; // mov eax, 0; ret

describe.each(names)('%s', (name) => {
  // As often as a page is watched, and more often.
  test.each([12, 300])('the next instruction is written %i times', (count) => {
    const guest = new Guest(name);
    guest.memory.poke(code, Uint8Array.from(adding));
    expect(guest.run(code, count)).toBe('none');
    expect(guest.state.get('ebx')).toBe((count * (count + 1)) / 2);
  });

  test.each([12, 300])('a function is written %i times', (count) => {
    const guest = new Guest(name);
    guest.memory.poke(other, Uint8Array.from(calling));
    guest.memory.poke(code, Uint8Array.from(answering));
    expect(guest.run(other, count)).toBe('none');
    expect(guest.state.get('ebx')).toBe((count * (count + 1)) / 2);
  });

  test('a page that is closed for good faults', () => {
    const guest = new Guest(name);
    guest.memory.poke(other, Uint8Array.from(calling));
    guest.memory.poke(code, Uint8Array.from(answering));
    guest.run(other, 3);
    guest.memory.protect(code, 0x1000, 5);
    expect(guest.run(other, 3)).toBe('fault');
    expect([guest.state.pc, guest.state.i32[header.detail >> 2], guest.state.i32[header.access >> 2]]).toEqual([
      other,
      code + 1,
      2,
    ]);
    guest.memory.protect(code, 0x1000, 7);
    expect(guest.run(other, 4)).toBe('none');
    expect(guest.state.get('ebx')).toBe(10);
  });

  test('the system writes into a watched page', () => {
    const guest = new Guest(name);
    guest.memory.poke(code, Uint8Array.from([...increment, ...systemCall]));
    guest.run(code, 5);
    guest.run(code, 5);
    expect(guest.state.get('ecx')).toBe(6);
    guest.memory.writeBytes(code, Uint8Array.from([0x49]));
    guest.run(code, 5);
    expect(guest.state.get('ecx')).toBe(4);
  });
});
