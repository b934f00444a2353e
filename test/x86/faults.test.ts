/**
 * Random loops that go on until an access faults, where accesses trap and nobody handles that: registers are then written
 * late, but the fault's place, its address and all that was stored before it are those of the interpreter.
 */
import { describe, expect, test } from 'vitest';
import { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { dataAddress, dataSize, readOnlyAddress, X86Guest } from './guest.ts';
import { type Random, randomFrom } from './random.ts';

const isProtected = new AddressSpace('little', findHostPages).enableHostProtection();
if (!isProtected) console.info('Not tested: faults of accesses that trap (no page protection on this host)');

const values = [0, 1, 2];
const pointers = [3, 6, 7];
const esp = 4;

/** Makes a loop's instructions. Pointers are RBX, RSI and RDI, which only grow, and RBP. */
class LoopMaker {
  private readonly wide: readonly number[];
  private readonly next: Random;

  constructor(mode: 32 | 64, next: Random) {
    this.wide = mode === 64 ? [0x48] : [];
    this.next = next;
  }

  private pick<T>(from: readonly T[]): T {
    return from[this.next(from.length)];
  }

  /** An instruction with a register and memory off a pointer, or off a pointer and a value that is less than 128. */
  private access(opcode: number): number[] {
    const [register, pointer] = [this.pick(values), this.pick(pointers)];
    const displacement = this.next(64);
    if (this.next(3) > 0) return [opcode, 0x40 | (register << 3) | pointer, displacement];
    const index = this.pick(values);
    // and index, 127
    return [0x83, 0xe0 | index, 0x7f, opcode, 0x44 | (register << 3), (index << 3) | pointer, displacement];
  }

  private grow(): number[] {
    return [...this.wide, 0x83, 0xc0 | this.pick(pointers), 16 + this.next(100)];
  }

  private instruction(): number[] {
    const { next, wide } = this;
    const [value, other] = [this.pick(values), this.pick(values)];
    switch (next(20)) {
      case 0:
      case 1:
        return this.access(0x8b);
      case 2:
        return this.access(0x89);
      case 3:
        return this.access(this.pick([0x01, 0x03, 0x2b, 0x3b, 0x39]));
      case 4:
        return this.grow();
      case 5: {
        // mov of one pointer to another; lea of a value, and a load off it.
        const [to, from] = [this.pick(pointers), this.pick(pointers)];
        if (next(2) === 0) return [...wide, 0x8b, 0xc0 | (to << 3) | from];
        return [...wide, 0x8d, 0x40 | (value << 3) | from, next(64), 0x8b, 0x40 | (other << 3) | value, next(64)];
      }
      case 6:
        // xor value, value: mostly followed by something that stores it.
        return [0x31, 0xc0 | (value << 3) | value, 0x89, 0x40 | (value << 3) | this.pick(pointers), next(64)];
      case 7:
        return [0x81, 0xc0 | value, next(256), next(256), next(256), next(256)];
      case 8:
        return [0x50 | value, 0x58 | other];
      case 9:
        // mov ebx to memory off it.
        return [...wide, 0x89, 0x40 | (3 << 3) | this.pick(pointers), next(64)];
      case 10:
        // mov value, constant; and a load off a pointer and that.
        return [
          ...[0xb8 | value, next(256), next(dataSize >> 8), 0, 0],
          ...[0x8b, 0x44 | (other << 3), (value << 3) | this.pick(pointers), next(64)],
        ];
      case 11: {
        // RBP as a value, which is read behind another access, and then as a pointer.
        const [from, to] = [this.pick(pointers), this.pick(pointers)];
        return [
          ...[
            0x8b,
            0x68 | from,
            next(64),
            0x8b,
            0x40 | (value << 3) | this.pick(pointers),
            next(64),
            0x01,
            0xe8 | value,
          ],
          ...[...wide, 0x8d, 0x68 | to, next(64), 0x8b, 0x45 | (other << 3), next(64)],
        ];
      }
      case 13:
        // push, an access, push or pop; sub esp, 32, an access, add esp, 32, another access.
        return [0x50 | value, ...this.access(0x8b), this.pick([0x50, 0x58]) | other];
      case 14:
        return [...[...wide, 0x83, 0xec, 32], ...this.access(0x8b), ...[...wide, 0x83, 0xc4, 32], ...this.access(0x8b)];
      case 15:
        // push, fninit, which is a helper and sees all registers, an access, pop.
        return [0x50 | value, 0xdb, 0xe3, ...this.access(0x8b), 0x58 | other];
      case 16:
        // lea ebp, [esp - 16]; in another block push, fninit, mov esp, ebp, an access.
        return [
          ...[...wide, 0x8d, 0x6c, 0x24, 0xf0, 0xeb, 0, 0x50 | value, 0xdb, 0xe3],
          ...[...wide, 0x89, 0xec, ...this.access(0x8b)],
        ];
      case 12:
        return [0x8b, 0x45 | (value << 3), next(64)];
      default:
        return [this.pick([0x31, 0x01, 0x29, 0x21]), 0xc0 | (value << 3) | other];
    }
  }

  /** The whole loop: some instructions are jumped over at times. */
  loop(): number[] {
    const code: number[] = [];
    const growing = this.next(5);
    for (let n = 0; n < 5; n++) {
      const instruction = n === growing ? [...this.grow(), ...this.access(0x8b)] : this.instruction();
      // test al, 1 to test dl, 2; jz behind it
      if (n !== growing && this.next(3) === 0)
        code.push(0xf6, 0xc0 | this.pick(values), 1 + this.next(2), 0x74, instruction.length);
      code.push(...instruction);
    }
    for (const pointer of pointers) code.push(...this.wide, 0x83, 0xc0 | pointer, 8);
    return [...code, 0xeb, 0x100 - code.length - 2];
  }
}

const seed = Number(process.env.SEED ?? 1);
const count = isProtected ? Number(process.env.COUNT ?? 120) : 0;

describe.each([32, 64] as const)('%i-bit mode', (mode) => {
  test('faults at the end of loops', () => {
    const guests = [new X86Guest(mode), new X86Guest(mode, 'wasm', findHostPages)];
    const names = mode === 64 ? 'rax rcx rdx rbx rsp rbp rsi rdi' : 'eax ecx edx ebx esp ebp esi edi';
    for (let n = 0; n < count; n++) {
      const next = randomFrom(seed + n);
      const code = new LoopMaker(mode, next).loop();
      const registers = names.split(' ').map((name, number) => {
        const value = number === esp ? dataSize - 64 : next(dataSize / 2);
        return [name, values.includes(number) ? value : dataAddress + value];
      });
      const data = Array.from({ length: dataSize }, () => next(256));
      const [expected, actual] = guests.map((guest) => {
        guest.set(Object.fromEntries(registers));
        guest.write(dataAddress, data);
        const reason = guest.run(code);
        const stack = guest.get(names.split(' ')[esp]);
        return {
          reason,
          address: guest.detail,
          place: guest.stoppedAt,
          stack,
          data: guest.read(dataAddress, dataSize),
        };
      });
      expect(expected.reason, `seed ${seed + n}`).toBe('fault');
      expect(actual, `seed ${seed + n}: ${code.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`).toEqual(
        expected,
      );
    }
    for (const guest of guests) guest.close();
    expect(guests[1].memory.hostProtection).toBe(isProtected ? 'on' : 'off');
  });
});

test.runIf(isProtected)('an assignment that an address comes from is not followed by an older one', () => {
  const guest = new X86Guest(64, 'wasm', findHostPages);
  guest.set({ rbx: dataAddress, rsi: dataAddress, rdi: dataAddress + 8, rax: 0, rcx: 0, rbp: 0 });
  const reason = guest.run(
    // mov ebp, [rsi]; mov eax, [rdi], which is checked to be no wide address; add eax, ebp; lea rbp, [rbx]; mov ecx, [rbp]
    '8b2e 8b07 01e8 488d2b 8b4d00' +
      // jmp to the next instruction: mov ecx, [rbp + 64], add rbx, 16; jmp to the first
      'eb00 8b4d40 4883c310 ebe9',
  );
  expect({ reason, detail: guest.detail, place: guest.stoppedAt }).toEqual({
    reason: 'fault',
    detail: readOnlyAddress + 0x1000,
    place: 14,
  });
  guest.close();
});
