/**
 * Conditions are made in two ways: from the operands of the instruction that set the flags, where that is in the same block,
 * and from the flags' parts. Single instructions, whose parts are compared with the processor elsewhere, are the judge.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { bytesOf, X86Guest } from './guest.ts';

/** Instructions that set flags, of EAX and ECX, of their lower parts, and of RAX and RCX. */
// biome-ignore format: one instruction per line
const setters: readonly (readonly [text: string, code: string])[] = [
  ['add eax, ecx', '01 C8'], ['add al, cl', '00 C8'], ['add ax, cx', '66 01 C8'],
  ['sub eax, ecx', '29 C8'], ['sub al, cl', '28 C8'], ['cmp ax, cx', '66 39 C8'],
  ['cmp eax, ecx', '39 C8'], ['cmp al, cl', '38 C8'], ['cmp eax, 1', '83 F8 01'],
  ['adc eax, ecx', '11 C8'], ['adc al, cl', '10 C8'],
  ['sbb eax, ecx', '19 C8'], ['sbb ax, cx', '66 19 C8'],
  ['and eax, ecx', '21 C8'], ['test al, cl', '84 C8'], ['test ax, ax', '66 85 C0'], ['xor eax, eax', '31 C0'],
  ['inc eax', 'FF C0'], ['dec al', 'FE C8'], ['inc ax', '66 FF C0'],
  ['neg eax', 'F7 D8'], ['neg al', 'F6 D8'],
  ['shl eax, 1', 'D1 E0'], ['shr al, 3', 'C0 E8 03'], ['sar eax, cl', 'D3 F8'], ['rol eax, 1', 'D1 C0'], ['rcr al, 1', 'D0 D8'],
  ['shld eax, ecx, 5', '0F A4 C8 05'],
  ['imul eax, ecx', '0F AF C1'],
  ['bt eax, ecx', '0F A3 C8'], ['bsf eax, ecx', '0F BC C1'], ['popcnt eax, ecx', 'F3 0F B8 C1'], ['lzcnt eax, ecx', 'F3 0F BD C1'],
  ['clc', 'F8'], ['stc', 'F9'], ['cmc', 'F5'], ['sahf', '9E'], ['xadd eax, ecx', '0F C1 C8'], ['cmpxchg ecx, edx', '0F B1 D1'],
];
const wideSetters: typeof setters = [
  ['add rax, rcx', '48 01 C8'],
  ['cmp rax, rcx', '48 39 C8'],
  ['sbb rax, rcx', '48 19 C8'],
  ['test rax, rcx', '48 85 C8'],
  ['dec rax', '48 FF C8'],
  ['shl rax, 1', '48 D1 E0'],
];

const edges = [0n, 1n, 0x7fn, 0x80n, 0xffn, 0x8000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ffffn];
const wideEdges = [...edges, 0x7fff_ffff_ffff_ffffn, 0x8000_0000_0000_0000n, 0xffff_ffff_ffff_ffffn, 0x1_0000_0000n];

/** jmp to the next instruction: the block ends. */
const newBlock = bytesOf('EB 00');

for (const mode of [32, 64] as const) {
  describe(`${mode}-bit mode`, () => {
    const guest = new X86Guest(mode);
    afterAll(() => guest.close());
    const a = mode === 64 ? 'rax' : 'eax';
    const c = mode === 64 ? 'rcx' : 'ecx';
    const d = mode === 64 ? 'rdx' : 'edx';

    /** All conditions after an instruction, a bit each. */
    function conditionsAfter(
      setter: readonly number[],
      separate: boolean,
      x: bigint,
      y: bigint,
      flags: number,
    ): number {
      let all = 0;
      for (let condition = 0; condition < 16; condition++) {
        guest.set({ [a]: x, [c]: y, [d]: 0, 'flags.carry': flags & 1, 'flags.result': 1, 'flags.carries': 0 });
        // setcc dl
        guest.run([...setter, ...(separate ? newBlock : []), 0x0f, 0x90 + condition, 0xc2]);
        all |= Number(guest.get(d) & 0xffn) << condition;
      }
      return all;
    }

    test.each(mode === 64 ? [...setters, ...wideSetters] : setters)('%s', (_text, code) => {
      const setter = bytesOf(code);
      const values = mode === 64 ? wideEdges : edges;
      values.forEach((x, n) => {
        for (const y of [x, values[(n + 3) % values.length], values[(n * 5 + 1) % values.length]]) {
          for (const flags of [0, 1]) {
            const fused = conditionsAfter(setter, false, x, y, flags);
            const fromParts = conditionsAfter(setter, true, x, y, flags);
            expect([x, y, flags, fused]).toEqual([x, y, flags, fromParts]);
            // Each condition and its opposite.
            expect((fused ^ (fused >> 1)) & 0x5555).toBe(0x5555);
          }
        }
      });
    });
  });
}
