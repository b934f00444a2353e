/** Who calls a kernel's function in a helper's place, and when. */
import { describe, expect, it } from 'vitest';
import { HelperFunctions } from '../../src/engines/translated/helper-functions.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import type { Helper, Machine } from '../../translators/frontend.ts';
import { State } from '../../translators/ir/state.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';

const frontend = x86Frontend(32);
const machine = {} as Machine;

function setUp() {
  const memory = new AddressSpace('little');
  const state = new State(frontend.registers, memory.buffer, memory.allocateStateBlock());
  const calls: string[] = [];
  const helpers = frontend.helpers.map((helper): Helper => {
    const run: Helper['run'] = (...operands) => {
      calls.push(helper.name);
      return helper.run(...operands);
    };
    return { ...helper, run };
  });
  const functions = new HelperFunctions(helpers, memory.memory, state, machine);
  return { state, calls, functions };
}

const numberOf = (name: string): number => frontend.helpers.findIndex((helper) => helper.name === name);
const load = numberOf('x87.load.integer');
const add = numberOf('x87.add.top');
const sine = numberOf('x87.sin');

describe('the functions of helpers', () => {
  it('are the kernel for WebAssembly and JavaScript, but for what is not ordinary', () => {
    const { state, calls, functions } = setUp();
    functions.forWebAssembly(load, machine)(5);
    functions.forJavaScript(add)(state, machine, 0, 0, 0);
    expect([state.get('x87.head7'), calls.length]).toEqual([0x3fff + 3, 0]);
    // Addition of an empty register is a stack fault.
    functions.forWebAssembly(add, machine)(1);
    expect(calls).toEqual(['x87.add.top']);
    expect(state.get('x87.status')).toBe(0x41);
  });

  it('are the helpers where the kernel has none', () => {
    const { state, calls, functions } = setUp();
    functions.forWebAssembly(load, machine)(0);
    functions.forWebAssembly(sine, machine)();
    functions.forJavaScript(sine)(state, machine, 0, 0, 0);
    expect(calls).toEqual(['x87.sin', 'x87.sin']);
  });

  it('are the kernel for an interpreter only after some thousand calls', () => {
    const { state, calls, functions } = setUp();
    const interpreted = functions.forInterpreter();
    interpreted[load].run(state, machine, 0, 0, 0);
    for (let n = 0; n < 5000; n++) interpreted[add].run(state, machine, 0, 0, 0);
    expect(calls.length).toBeGreaterThan(1000);
    expect(calls.length).toBeLessThan(4000);
  });
});
