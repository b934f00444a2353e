/** Registers that loops write to the state block late: no way out of a loop forgets them. */
import { expect, test } from 'vitest';
import { policies } from '../../src/engines/translated/policy.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { Assembler, addImmediate, compareImmediate, indexedForm, systemCall } from '../fuzz/assembler.ts';
import { code, data, limitsOf, TestThread } from './thread.ts';

const whenSet = 12; // BO of a branch on a condition bit
const whenClear = 4;

const names = Object.keys(policies) as (keyof typeof policies)[];

test.each(names)('%s keeps what a loop carries over a seldom taken way out of its middle', (name) => {
  // r3 += 1 in the loop's first block; the second one has a reservation, which faults where it is not aligned.
  const assembler = new Assembler(code);
  const [loop, end] = [assembler.label(), assembler.label()];
  const loadWordReserved = indexedForm(6, 0, 7, 20);
  assembler.place(loop);
  assembler.emit(addImmediate(3, 3, 1), compareImmediate(1, 4, 0));
  assembler.branchIf(whenSet, 6, end);
  assembler.emit(loadWordReserved, addImmediate(4, 4, -1), compareImmediate(0, 4, 0));
  assembler.branchIf(whenClear, 2, loop);
  assembler.place(end);
  assembler.emit(systemCall);
  // Registers are written late only where accesses trap.
  for (const findPages of [undefined, findHostPages]) {
    const limits = { ...limitsOf(name), loopBudget: 10 };
    const thread = new TestThread(name, limits, undefined, undefined, findPages);
    thread.place(assembler);
    thread.state.set('r4', 1000);
    thread.state.set('r7', data);
    expect(thread.run()).toBe('none');
    expect(thread.state.get('r3')).toBe(1000);
  }
});
