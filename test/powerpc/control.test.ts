/** Branches in all their forms, traps, system calls, and what user programs may not do. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Builder } from '../../translators/ir/builder.ts';
import { exitCode, operations } from '../../translators/ir/operations.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';
import { codeAddress, Guest } from './guest.ts';

const guest = new Guest();
beforeEach(() => guest.reset());

const next = codeAddress + 4;
const target = 0x30000100;

/** Runs one instruction, and gives the pc, link and count registers after it. */
function after(word: number): { pc: number; lr: number; ctr: number } {
  expect(guest.run([word])).toBe('none');
  return { pc: guest.state.pc, lr: Number(guest.get('lr')), ctr: Number(guest.get('ctr')) };
}

/** The operation that ends the block of one instruction. */
function terminator(word: number): string {
  guest.run([word]);
  const unit = guest.block(codeAddress);
  return operations[unit.op[unit.count - 1]].name;
}

/** What the manual says of BO: [0] ignores the condition, [1] is the value wanted, [2] leaves the count alone, [3] wants it to be 0. */
function branches(bo: number, bit: number, count: number): { taken: boolean; ctr: number } {
  const ctr = (bo & 4) === 0 ? (count - 1) >>> 0 : count;
  const counterAllows = (bo & 4) !== 0 || (ctr === 0) === ((bo & 2) !== 0);
  const conditionAllows = (bo & 16) !== 0 || bit === ((bo >> 3) & 1);
  return { taken: counterAllows && conditionAllows, ctr };
}

const everyForm: { bo: number; bit: number; count: number }[] = [];
for (let bo = 0; bo < 32; bo++) {
  for (const bit of [0, 1]) for (const count of [0, 1, 2]) everyForm.push({ bo, bit, count });
}

/** Sets up a form: condition bit 14 (cr3.eq) has the bit, all others its opposite. */
function prepare({ bit, count }: { bit: number; count: number }): void {
  guest.reset();
  guest.set('cr', bit === 1 ? 0x20000n : 0xfffdffffn);
  guest.set('ctr', BigInt(count));
  guest.set('lr', BigInt(target | 3));
}

describe('conditional branches', () => {
  it.each([0, 1])('bc, link bit %d', (link) => {
    for (const form of everyForm) {
      prepare(form);
      const { taken, ctr } = branches(form.bo, form.bit, form.count);
      const word = (0x40000000 | (form.bo << 21) | (14 << 16) | 0xff00 | link) >>> 0;
      expect({ form, ...after(word) }).toEqual({
        form,
        pc: taken ? codeAddress - 0x100 : next,
        lr: link === 1 ? next : target | 3,
        ctr,
      });
    }
  });

  it.each([0, 1])('bclr, link bit %d', (link) => {
    for (const form of everyForm) {
      prepare(form);
      const { taken, ctr } = branches(form.bo, form.bit, form.count);
      const word = (0x4c000020 | (form.bo << 21) | (14 << 16) | link) >>> 0;
      expect({ form, ...after(word) }).toEqual({
        form,
        pc: taken ? target : next,
        lr: link === 1 ? next : target | 3,
        ctr,
      });
    }
  });

  it.each([0, 1])('bcctr, link bit %d', (link) => {
    for (const form of everyForm) {
      prepare(form);
      guest.set('ctr', BigInt(target | 1));
      const word = (0x4c000420 | (form.bo << 21) | (14 << 16) | link) >>> 0;
      if ((form.bo & 4) === 0) {
        expect(guest.run([word])).toBe('illegal');
        expect([guest.get('ctr'), guest.get('lr')]).toEqual([BigInt(target | 1), BigInt(target | 3)]);
        continue;
      }
      const { taken } = branches(form.bo, form.bit, form.count);
      expect({ form, ...after(word) }).toEqual({
        form,
        pc: taken ? target : next,
        lr: link === 1 ? next : target | 3,
        ctr: target | 1,
      });
    }
  });

  it('to absolute addresses', () => {
    // bca 20,0,0x40; bcla 20,0,-0x100
    expect(after(0x42800042).pc).toBe(0x40);
    expect(after(0x4280ff03)).toEqual({ pc: 0xffffff00, lr: next, ctr: 0 });
  });
});

describe('unconditional branches', () => {
  it.each([
    ['b, forward', 0x48000010, codeAddress + 16, 0],
    ['b, backward', 0x4bfffff0, codeAddress - 16, 0],
    ['b, farthest', 0x49fffffc, codeAddress + 0x1fffffc, 0],
    ['ba', 0x4bffff02, 0xffffff00, 0],
    ['bl', 0x48000011, codeAddress + 16, next],
    ['bla', 0x48000103, 0x100, next],
  ])('%s', (_name, word, pc, lr) => {
    expect(after(word)).toEqual({ pc, lr, ctr: 0 });
  });
});

it.each([
  ['b', 0x48000010, 'jump'],
  ['bl', 0x48000011, 'call'],
  ['bl to the next instruction, which learns its address', 0x48000005, 'jump'],
  ['bcl 20,31 to the next instruction', 0x429f0005, 'jump'],
  ['bcl 20,0 to elsewhere', 0x42800011, 'call'],
  ['beq', 0x41820010, 'branch'],
  ['bdnz', 0x42000010, 'branch'],
  ['blr', 0x4e800020, 'return'],
  ['beqlr', 0x4d820020, 'branch_return'],
  ['blrl', 0x4e800021, 'call_indirect'],
  ['beqlrl', 0x4d820021, 'jump_indirect'],
  ['bctr', 0x4e800420, 'jump_indirect'],
  ['beqctr', 0x4d820420, 'branch_indirect'],
  ['bctrl', 0x4e800421, 'call_indirect'],
  ['sc', 0x44000002, 'system_call'],
])('%s ends a block with the right operation', (_name, word, operation) => {
  expect(terminator(word)).toBe(operation);
});

describe('traps', () => {
  const values = [0, 1, -1, 0x7fffffff, -0x80000000];
  const traps = (to: number, a: number, b: number): boolean =>
    ((to & 16) !== 0 && a < b) ||
    ((to & 8) !== 0 && a > b) ||
    ((to & 4) !== 0 && a === b) ||
    ((to & 2) !== 0 && a >>> 0 < b >>> 0) ||
    ((to & 1) !== 0 && a >>> 0 > b >>> 0);

  it('tw', () => {
    for (let to = 0; to < 32; to++) {
      for (const a of values) {
        for (const b of values) {
          guest.set('r4', BigInt(a));
          guest.set('r5', BigInt(b));
          const reason = guest.run([0x7c042808 | (to << 21)]);
          expect({ to, a, b, reason }).toEqual({ to, a, b, reason: traps(to, a, b) ? 'trap' : 'none' });
          expect(guest.state.pc).toBe(reason === 'trap' ? codeAddress : next);
        }
      }
    }
  });

  it('twi', () => {
    for (let to = 0; to < 32; to++) {
      for (const a of values) {
        guest.set('r4', BigInt(a));
        const reason = guest.run([0x0c04ffff | (to << 21)]);
        expect({ to, a, reason }).toEqual({ to, a, reason: traps(to, a, -1) ? 'trap' : 'none' });
      }
    }
  });
});

it('a system call leaves with the pc behind it', () => {
  expect(guest.run([0x44000002])).toBe('system_call');
  expect(guest.state.pc).toBe(next);
});

it.each([
  ['rfi', 0x4c000064],
  ['mtmsr', 0x7c600124],
  ['mfmsr', 0x7c6000a6],
  ['mtsr', 0x7c6101a4],
  ['mtsrin', 0x7c6021e4],
  ['mfsr', 0x7c6104a6],
  ['mfsrin', 0x7c602526],
  ['tlbie', 0x7c001a64],
  ['tlbia', 0x7c0002e4],
  ['tlbsync', 0x7c00046c],
  ['dcbi', 0x7c0323ac],
  ['mfspr of a special register of the system (SRR0)', 0x7c7a02a6],
  ['mtspr of one', 0x7c7a03a6],
])('%s is privileged', (_name, word) => {
  expect(guest.run([word])).toBe('privileged');
  expect(guest.state.pc).toBe(codeAddress);
});

it.each([
  ['the word 0', 0],
  ['AltiVec', 0x10000484],
  ['mfspr of an unknown register', 0x7c6002a6],
  ['mtspr of the time base', 0x7c6c43a6],
  ['mftb of an unknown register', 0x7c6a02e6],
  ['lwzu with base 0', 0x84600004],
  ['lwzu with the target as base', 0x84630004],
  ['lwzux with the target as base', 0x7c63206e],
  ['lfdu with base 0', 0xcc600008],
  ['stwu with base 0', 0x94600004],
  ['stfdux with base 0', 0x7c6025ee],
])('%s is illegal', (_name, word) => {
  guest.set('r3', 0x20000000n);
  expect(guest.run([word])).toBe('illegal');
  expect(guest.state.pc).toBe(codeAddress);
});

it('code that cannot be executed is a fault at its address', () => {
  const builder = new Builder(powerpc.registers);
  const block = builder.begin(codeAddress);
  expect(powerpc.lift(builder, () => undefined, codeAddress, { exactFloatingPoint: true })).toBe(4);
  builder.end(next, 1);
  const { op, imm, b, count } = builder.unit;
  expect(count - block.first).toBe(1);
  expect([operations[op[0]].name, imm[0], b[0]]).toEqual(['exit', exitCode.fault, codeAddress]);
});
