/** Conditions of breakpoints, as GDB compiles them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { evaluateAgentExpression } from '../../src/debugger/agent-expression.ts';

const view = {
  register: (number: number) => (number === 3 ? 0xffff_ffffn : undefined),
  memory: (address: bigint, length: number) => (address === 0x1000n ? (1n << BigInt(8 * length)) - 2n : undefined),
};

/** Pushes a signed number. */
const push = (value: number): number[] => [
  0x25,
  ...[7, 6, 5, 4, 3, 2, 1, 0].map((n) => Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(8 * n)) & 255n)),
];
const evaluate = (...bytes: (number | number[])[]): bigint | undefined =>
  evaluateAgentExpression(Uint8Array.from(bytes.flat()), view);
const end = 0x27;

// biome-ignore format: one row per line
test.each<[name: string, code: (number | number[])[], result: number | bigint | undefined]>([
  ['add', [push(7), push(-9), 0x02, end], -2],
  ['sub', [push(7), push(9), 0x03, end], -2],
  ['mul', [push(-7), push(9), 0x04, end], -63],
  ['div_signed', [push(-7), push(2), 0x05, end], -3],
  ['div_unsigned', [push(-7), push(2), 0x06, end], 0x7fff_ffff_ffff_fffcn],
  ['rem_signed', [push(-7), push(4), 0x07, end], -3],
  ['rem_unsigned', [push(-7), push(4), 0x08, end], 1],
  ['a division by zero', [push(7), push(0), 0x05, end], undefined],
  ['lsh', [push(3), push(4), 0x09, end], 48],
  ['lsh by too much', [push(3), push(-1), 0x09, end], 0],
  ['rsh_signed', [push(-16), push(2), 0x0a, end], -4],
  ['rsh_unsigned', [push(-16), push(60), 0x0b, end], 15],
  ['log_not', [push(0), 0x0e, end], 1],
  ['bit_and', [push(12), push(10), 0x0f, end], 8],
  ['bit_or', [push(12), push(10), 0x10, end], 14],
  ['bit_xor', [push(12), push(10), 0x11, end], 6],
  ['bit_not', [push(12), 0x12, end], -13],
  ['equal', [push(12), push(12), 0x13, end], 1],
  ['less_signed', [push(-1), push(1), 0x14, end], 1],
  ['less_unsigned', [push(-1), push(1), 0x15, end], 0],
  ['ext', [push(0x80), 0x16, 8, end], -128],
  ['zero_ext', [push(-1), 0x2a, 8, end], 255],
  ['const8', [0x22, 200, end], 200],
  ['const16', [0x23, 1, 2, end], 258],
  ['const32', [0x24, 0xff, 0xff, 0xff, 0xff, end], 0xffff_ffffn],
  ['reg', [0x26, 0, 3, end], 0xffff_ffffn],
  ['a register that there is none of', [0x26, 0, 4, end], undefined],
  ['ref8', [push(0x1000), 0x17, end], 0xfe],
  ['ref16', [push(0x1000), 0x18, end], 0xfffe],
  ['ref32', [push(0x1000), 0x19, end], 0xffff_fffen],
  ['ref64', [push(0x1000), 0x1a, end], -2],
  ['memory that there is none of', [push(0x2000), 0x19, end], undefined],
  ['if_goto, taken', [0x22, 1, 0x20, 0, 8, 0x22, 5, end, 0x22, 6, end], 6],
  ['if_goto, not taken', [0x22, 0, 0x20, 0, 8, 0x22, 5, end, 0x22, 6, end], 5],
  ['goto', [0x21, 0, 6, 0x22, 5, end, 0x22, 6, end], 6],
  ['dup', [push(3), 0x28, 0x02, end], 6],
  ['pop', [push(3), push(4), 0x29, end], 3],
  ['swap', [push(3), push(4), 0x2b, 0x03, end], 1],
  ['pick', [push(3), push(4), 0x32, 1, end], 3],
  ['rot: a b c becomes c a b', [push(9), push(5), push(1), 0x33, 0x03, 0x03, end], -3],
  ['nothing on the stack', [0x02, end], undefined],
  ['an empty expression', [end], undefined],
  ['no end', [push(1)], undefined],
  ['an operand that is cut off', [0x24, 1, 2], undefined],
  ['an operation that there is none of', [push(1), 0x7f, end], undefined],
  ['no end in sight', [0x21, 0, 0], undefined],
])('%s', (_name, code, result) => {
  expect(evaluate(...code)).toBe(result === undefined ? undefined : BigInt(result));
});

test('random bytes are an expression without a value, or with one', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      expect(['bigint', 'undefined']).toContain(typeof evaluateAgentExpression(bytes, view));
    }),
  );
});
