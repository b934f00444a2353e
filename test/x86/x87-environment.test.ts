/** What x87 keeps beside its registers: last instruction and operand, images in memory, pending exceptions. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Machine } from '../../translators/frontend.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';
import { FxsaveX87 } from '../../translators/x86/x87-environment.ts';
import { codeAddress, memoryAddress, X87Guest } from './x87-guest.ts';

let guest: X87Guest;
/** Words of 4 (or 2) bytes from the memory operand on. */
const words = (count: number, size = 4): number[] => {
  const bytes = guest.memory.readBytes(memoryAddress, count * size);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return Array.from({ length: count }, (_, n) =>
    size === 4 ? view.getUint32(4 * n, true) : view.getUint16(2 * n, true),
  );
};

const fninit = [0xdb, 0xe3];
const fld1 = [0xd9, 0xe8];
const fldz = [0xd9, 0xee];
/** ST(1) = ST(1) / ST(0), and a pop. */
const fdivp = [0xde, 0xf9];
const faddDouble = [0xdc, 0x02];
const fnstenv = [0xd9, 0x32];
const fldenv = [0xd9, 0x22];
const fnsave = [0xdd, 0x32];
const frstor = [0xdd, 0x22];
const fnstsw = [0xdf, 0xe0];
const fnclex = [0xdb, 0xe2];
const fwait = [0x9b];
const operandSize = 0x66;

beforeEach(() => {
  guest = new X87Guest();
  guest.state.set('edx', memoryAddress);
  guest.execute(fninit);
});

describe('the environment', () => {
  it('names the last instruction that is not a control instruction, its opcode and its operand', () => {
    // 1.0 is added; then the status is read, which does not count.
    guest.memory.writeBytes(memoryAddress, new Uint8Array([0, 0, 0, 0, 0, 0, 0xf0, 0x3f]));
    guest.execute([...fld1, ...faddDouble, ...fnstsw, ...fnstenv]);
    // The top is 7, and register 7 valid. The opcode is the low three bits of DC and the second byte.
    const selectors = 0x0023 | (0x0402 << 16);
    expect(words(7)).toEqual([
      0xffff037f,
      0xffff3800,
      0xffff3fff,
      codeAddress + 2,
      selectors,
      memoryAddress,
      0xffff002b,
    ]);
  });

  it('has 14 bytes with an operand size of 16 bits', () => {
    guest.execute([...fld1, operandSize, ...fnstenv]);
    expect(words(7, 2)).toEqual([0x037f, 0x3800, 0x3fff, codeAddress & 0xffff, 0x23, 0, 0]);
  });

  it('masks everything when it is stored, and comes back', () => {
    guest.state.set('x87.control', 0x37f ^ 0x340);
    guest.execute([...fld1, ...fnstenv]);
    expect(guest.state.get('x87.control')).toBe(0x37f ^ 0x37f);
    guest.execute([...fninit, ...fldenv]);
    expect(guest.state.get('x87.control')).toBe(0x37f ^ 0x340);
    expect(guest.state.get('x87.top')).toBe(7);
    expect(guest.state.get('x87.tags')).toBe(0x80);
  });

  for (const prefix of [[], [operandSize]]) {
    it(`comes back with all registers ${prefix.length === 0 ? '' : 'at 16 bits '}after fnsave, which initializes`, () => {
      guest.execute([...fld1, ...fldz, ...prefix, ...fnsave]);
      expect(guest.state.get('x87.tags')).toBe(0);
      expect(guest.state.get('x87.top')).toBe(0);
      guest.execute([...prefix, ...frstor]);
      expect(guest.state.get('x87.top')).toBe(6);
      expect(guest.state.get('x87.tags')).toBe(0xc0);
      expect(guest.state.get('x87.head7')).toBe(0x3fff);
      expect(guest.state.i64[guest.state.register('mm7').index]).toBe(-(1n << 63n));
      expect(guest.state.get('x87.head6')).toBe(0);
    });
  }

  it('faults where it may not be stored, with nothing changed', () => {
    guest.execute(fld1);
    guest.state.set('edx', 0x30000000);
    expect(guest.execute(fnsave)).toBe('fault');
    expect(guest.state.get('x87.tags')).toBe(0x80);
  });
});

describe('an unmasked exception', () => {
  const unmaskZeroDivide = () => guest.state.set('x87.control', 0x37f ^ 0x37b);

  it('stops the next instruction that waits, not the one that raised it', () => {
    unmaskZeroDivide();
    expect(guest.execute([...fld1, ...fldz, ...fdivp])).toBe('none');
    // Nothing was written or popped.
    expect(guest.state.get('x87.top')).toBe(6);
    expect(guest.execute(fnstsw)).toBe('none');
    expect(guest.state.get('eax')).toBe(0xb084);
    for (const code of [fld1, fwait, fldenv, frstor, [0xd9, 0xd0]]) {
      expect(guest.execute(code)).toBe('floating_point');
      expect(guest.state.i32[3]).toBe(4);
      expect(guest.state.pc).toBe(codeAddress);
    }
    expect(guest.execute([...fnclex, ...fld1])).toBe('none');
  });

  it('is pending at once when the control word unmasks what has happened', () => {
    guest.execute([...fld1, ...fldz, ...fdivp]);
    guest.memory.writeBytes(memoryAddress, new Uint8Array([0x7b, 0x03]));
    // fldcw [edx]
    expect(guest.execute([0xd9, 0x2a])).toBe('none');
    expect(guest.execute(fwait)).toBe('floating_point');
  });
});

describe('the image of fxsave', () => {
  it('has the registers from the top on, and comes back', () => {
    guest.execute([...fld1, ...fldz]);
    const fxsave = new FxsaveX87(guest.state.file);
    const image = new DataView(new ArrayBuffer(512));
    fxsave.write(guest.state, image);
    expect([image.getUint16(0, true), image.getUint16(2, true), image.getUint16(4, true)]).toEqual([
      0x37f, 0x3000, 0xc0,
    ]);
    expect(image.getUint16(32 + 8, true)).toBe(0);
    expect(image.getUint16(48 + 8, true)).toBe(0x3fff);
    guest.execute(fninit);
    expect(fxsave.read(guest.state, image)).toBe(false);
    expect(guest.state.get('x87.head7')).toBe(0x3fff);
    expect(guest.state.get('x87.tags')).toBe(0xc0);
    image.setUint16(0, 0x37b, true);
    expect(fxsave.read(guest.state, image)).toBe(true);
  });
});

describe('helpers behind which nobody looks for stale translations', () => {
  const machine = new Proxy({} as Machine, {
    get: (_target, name) => {
      throw new Error(`asked the machine for ${String(name)}`);
    },
  });

  it('ask the machine for nothing, with empty registers and with full ones, masked and not', () => {
    const { helpers } = x86Frontend(32);
    const local = helpers.filter(({ isLocal }) => isLocal);
    expect(local.length).toBeGreaterThan(80);
    for (const tags of [0, 0xff]) {
      for (const control of [0, 0x3f]) {
        for (const { run } of local) {
          guest.state.set('x87.tags', tags);
          guest.state.set('x87.control', control);
          run(guest.state, machine, 1, 1, 1);
        }
      }
    }
  });

  it('are not those that unmask exceptions', () => {
    const names = ['x87.loadControl', 'x87.loadEnvironment', 'x87.restore'];
    const found = x86Frontend(32).helpers.filter(({ name }) => names.includes(name));
    expect(found.map(({ isLocal }) => isLocal)).toEqual([false, false, false]);
  });
});
