/**
 * Random stretches of integer instructions, whole and with a jump behind each: within a block the lifter uses what it knows
 * of values (which addresses were checked, what set the flags, which register is the sign of another), across blocks nothing.
 * Single instructions are compared with the processor elsewhere.
 */
import { describe, expect, test } from 'vitest';
import type { EngineName } from '../../src/engines/create-engine.ts';
import { bytesOf, dataAddress, X86Guest } from './guest.ts';
import { type Random, randomFrom } from './random.ts';

/** EBX points into the data and ESP at the stack; the others hold anything. */
const rbx = 3;
const rsp = 4;
const free = [0, 1, 2, 5, 6, 7];

/** Makes the bytes of one instruction. */
class Maker {
  private readonly mode: 32 | 64;
  private readonly next: Random;

  constructor(mode: 32 | 64, next: Random) {
    this.mode = mode;
    this.next = next;
  }

  private pick<T>(values: readonly T[]): T {
    return values[this.next(values.length)];
  }

  /** Prefixes and opcode for operands of a random size; the opcode of bytes is one less. */
  private sized(opcode: number, modrm: readonly number[], map: readonly number[] = []): number[] {
    const size = this.pick([1, 2, 4, 4, 4, 8]);
    const prefix = size === 2 ? [0x66] : size === 8 && this.mode === 64 ? [0x48] : [];
    return [...prefix, ...map, size === 1 ? opcode - 1 : opcode, ...modrm];
  }

  /** The same without bytes. */
  private word(opcode: readonly number[], modrm: readonly number[]): number[] {
    const size = this.pick([2, 4, 4, 8]);
    const prefix = size === 2 ? [0x66] : size === 8 && this.mode === 64 ? [0x48] : [];
    return [...prefix, ...opcode, ...modrm];
  }

  /** ModRM of a register or of memory off EBX, with `reg` in its middle. */
  private operand(reg: number, onlyRegister = false): number[] {
    if (onlyRegister || this.next(2) === 0) return [0xc0 | (reg << 3) | this.pick([0, 1, 2])];
    return [0x40 | (reg << 3) | rbx, this.next(96)];
  }

  instruction(): number[] {
    const { next } = this;
    const register = this.pick([0, 1, 2]);
    const condition = next(16);
    const byte = next(256);
    switch (next(20)) {
      case 0:
      case 1:
        // add, or, adc, sbb, and, sub, xor, cmp: both directions.
        return this.sized(8 * next(8) + this.pick([1, 3]), this.operand(register));
      case 2:
        return this.word([0x83], [...this.operand(next(8)), byte]);
      case 3:
        return this.sized(this.pick([0x85, 0x87, 0x89, 0x8b]), this.operand(register));
      case 4:
        // inc, dec; not, neg, mul, imul.
        return next(2) === 0 ? this.sized(0xff, this.operand(next(2))) : this.sized(0xf7, this.operand(2 + next(4)));
      case 5:
        return this.sized(0xc1, [...this.operand(next(8)), next(40)]);
      case 6:
        return this.sized(this.pick([0xd1, 0xd3]), this.operand(next(8)));
      case 7:
        return [0x0f, 0x90 | condition, ...this.operand(0)];
      case 8:
        return this.word([0x0f, 0x40 | condition], this.operand(register));
      case 9:
        return this.word([0x0f, this.pick([0xaf, 0xb6, 0xb7, 0xbc, 0xbd, 0xbe, 0xbf])], this.operand(register));
      case 10:
        return this.word([0x0f, this.pick([0xa3, 0xab, 0xb3, 0xbb])], this.operand(register, true));
      case 11:
        return this.word([0x0f, 0xba], [...this.operand(4 + next(4)), byte]);
      case 12:
        // lea of base, index and displacement.
        return this.word(
          [0x8d],
          [0x44 | (register << 3), (next(4) << 6) | (this.pick(free) << 3) | this.pick([0, 1, 2, rbx]), byte],
        );
      case 13:
        // push and pop in pairs, so that the stack stays.
        return [0x50 | this.pick([0, 1, 2, rbx]), 0x58 | this.pick([0, 1, 2, 5])];
      case 14:
        // pushf, pop; cdq, cqo; cbw.
        return this.pick([
          [0x9c, 0x58],
          this.word([0x99], []),
          this.word([0x98], []),
          [0x9f],
          [0x9e],
          [0xf5],
          [0xf8],
          [0xf9],
        ]);
      case 15:
        // mov ecx, 2 to 100; then cdq, xor edx,edx or cqo, and idiv or div ecx.
        return [
          ...[0xb9, 2 + next(99), 0, 0, 0],
          ...this.pick([
            [0x99, 0xf7, 0xf9],
            [0x31, 0xd2, 0xf7, 0xf1],
            [0x31, 0xd2, 0xf7, 0xf9],
            this.mode === 64 ? [0x48, 0x99, 0x48, 0xf7, 0xf9] : [],
          ]),
        ];
      case 16:
        return this.word([0x0f, this.pick([0xa4, 0xac])], [...this.operand(register), byte]);
      case 17:
        return this.sized(0xc1, this.operand(register), [0x0f]);
      case 18: {
        // lea ebp and edi of the same base and index, which is scaled in different ways.
        const wide = this.mode === 64 ? [0x48] : [];
        const address = (target: number): number[] => [
          ...wide,
          0x8d,
          0x44 | (target << 3),
          (next(4) << 6) | (6 << 3) | rbx,
          byte,
        ];
        return [...address(5), ...address(7)];
      }
      default:
        return this.sized(0xb1, this.operand(register), [0x0f]);
    }
  }
}

const length = 24;
/** jmp to the next instruction. */
const newBlock = bytesOf('EB 00');

function compare(mode: 32 | 64, engine: EngineName, seed: number, count: number): void {
  const whole = new X86Guest(mode, engine);
  const split = new X86Guest(mode);
  const names =
    mode === 64 ? 'rax rcx rdx rbx rsp rbp rsi rdi'.split(' ') : 'eax ecx edx ebx esp ebp esi edi'.split(' ');
  const edges = [0n, 1n, 0x7fn, 0x80n, 0xffffn, 0x8000_0000n, 0xffff_ffffn, 0x1_0000_0000n, -1n, 1n << 63n];
  for (let n = 0; n < count; n++) {
    const next = randomFrom(seed + n);
    const maker = new Maker(mode, next);
    const instructions = Array.from({ length }, () => maker.instruction());
    const value = (): bigint =>
      next(2) === 0 ? edges[next(edges.length)] : (BigInt(next(2 ** 31)) << 33n) | BigInt(next(2 ** 31));
    const before: Record<string, bigint> = Object.fromEntries(names.map((name) => [name, value()]));
    before[names[rbx]] = BigInt(dataAddress + 16);
    before[names[rsp]] = BigInt(dataAddress + 0x1800);
    const data = Array.from({ length: 128 }, () => next(256));
    const results = [whole, split].map((guest) => {
      guest.set({ 'flags.carry': 0, 'flags.result': 1, 'flags.carries': 0, ...before });
      guest.write(dataAddress, data);
      const parts = guest === split ? instructions.map((bytes) => [...bytes, ...newBlock]) : instructions;
      // Behind it the flags go to the stack.
      const reason = guest.run([...parts.flat(), 0x9c, 0x58]);
      return [
        reason,
        ...names.map((name) => `${name} ${guest.get(name).toString(16)}`),
        guest.read(dataAddress, 128).join(' '),
      ];
    });
    const text = instructions.map((bytes) => bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(' '));
    expect(results[1][0]).toBe('breakpoint');
    expect([`seed ${seed + n}`, ...text, ...results[0]]).toEqual([`seed ${seed + n}`, ...text, ...results[1]]);
  }
  whole.close();
  split.close();
}

const seed = Number(process.env.SEED ?? 1);
const count = Number(process.env.COUNT ?? 60);

describe.each([32, 64] as const)('%i-bit mode', (mode) => {
  test.each(['interpreted', 'blocks', 'regions', 'wasm', 'auto'] as const)(
    'stretches of instructions on engine %s',
    (engine) => {
      compare(mode, engine, seed, count);
    },
  );
});
