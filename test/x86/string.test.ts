/** Repeated string instructions: runs, overlaps, directions, and where registers stand when an element faults. Expectations are a processor's. */
import { afterAll, describe, expect, test } from 'vitest';
import { dataAddress, dataSize, readOnlyAddress, X86Guest } from './guest.ts';

interface Repetition {
  readonly name: string;
  readonly code: string;
  readonly down?: true;
  readonly before: { readonly c: number; readonly si?: number; readonly di?: number; readonly a?: number };
  /** The address that faults. */
  readonly fault?: number;
  readonly after: { readonly c: number; readonly si?: number; readonly di?: number; readonly a?: number };
  /** The last 24 bytes that may be written; unchanged where they are not given. */
  readonly bytes?: string;
}

const unchanged = '77 7e 85 8c 93 9a a1 a8 af b6 bd c4 cb d2 d9 e0 e7 ee f5 fc 03 0a 11 18';
const start = dataAddress;
const end = dataAddress + dataSize;
const readOnlyEnd = readOnlyAddress + 0x1000;

// biome-ignore format: a repetition in a few lines
const repetitions: readonly Repetition[] = [
  { name: 'movsb into the page that may only be read', code: 'F3 A4', before: { c: 20, si: start, di: end - 8 },
    fault: end, after: { c: 12, si: start + 8, di: end }, bytes: '77 7e 85 8c 93 9a a1 a8 af b6 bd c4 cb d2 d9 e0 00 07 0e 15 1c 23 2a 31' },
  { name: 'movsd with an element across the end', code: 'F3 A5', before: { c: 5, si: start, di: end - 10 },
    fault: end, after: { c: 3, si: start + 8, di: end - 2 }, bytes: '77 7e 85 8c 93 9a a1 a8 af b6 bd c4 cb d2 00 07 0e 15 1c 23 2a 31 11 18' },
  { name: 'movsd from beyond the last page', code: 'F3 A5', before: { c: 5, si: readOnlyEnd - 10, di: end - 16 },
    fault: readOnlyEnd, after: { c: 3, si: readOnlyEnd - 2, di: end - 8 }, bytes: '77 7e 85 8c 93 9a a1 a8 00 00 00 00 00 00 00 00 e7 ee f5 fc 03 0a 11 18' },
  { name: 'stosd with an element across the end', code: 'F3 AB', before: { c: 5, di: end - 14, a: 0x11223344 },
    fault: end, after: { c: 2, di: end - 2 }, bytes: '77 7e 85 8c 93 9a a1 a8 af b6 44 33 22 11 44 33 22 11 44 33 22 11 11 18' },
  { name: 'movsb onto itself, three bytes further', code: 'F3 A4', before: { c: 11, si: end - 16, di: end - 13 },
    after: { c: 0, si: end - 5, di: end - 2 }, bytes: '77 7e 85 8c 93 9a a1 a8 af b6 bd af b6 bd af b6 bd af b6 bd af b6 11 18' },
  { name: 'movsd onto itself, two bytes further', code: 'F3 A5', before: { c: 4, si: end - 23, di: end - 21 },
    after: { c: 0, si: end - 7, di: end - 5 }, bytes: '77 7e 85 7e 85 8c 93 8c 93 a8 af a8 af c4 cb c4 cb e0 e7 fc 03 0a 11 18' },
  { name: 'movsb downwards', code: 'F3 A4', down: true, before: { c: 5, si: end - 12, di: end - 10 },
    after: { c: 0, si: end - 17, di: end - 15 }, bytes: '77 7e 85 8c 93 9a a1 a8 af b6 af b6 bd c4 cb e0 e7 ee f5 fc 03 0a 11 18' },
  { name: 'movsd downwards', code: 'F3 A5', down: true, before: { c: 3, si: end - 12, di: end - 10 },
    after: { c: 0, si: end - 24, di: end - 22 }, bytes: '77 7e 85 8c 93 9a 93 9a a1 a8 af b6 bd c4 cb d2 d9 e0 f5 fc 03 0a 11 18' },
  { name: 'stosd downwards out of the first page', code: 'F3 AB', down: true, before: { c: 4, di: start + 6 }, fault: start - 2, after: { c: 2, di: start - 2 } },
  { name: 'stosw', code: 'F3 66 AB', before: { c: 3, di: end - 15, a: 0xbeef },
    after: { c: 0, di: end - 9 }, bytes: '77 7e 85 8c 93 9a a1 a8 af ef be ef be ef be e0 e7 ee f5 fc 03 0a 11 18' },
  { name: 'stosb of many', code: 'F3 AA', before: { c: 15, di: end - 20, a: 0x5a },
    after: { c: 0, di: end - 5 }, bytes: '77 7e 85 8c 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a 5a fc 03 0a 11 18' },
  { name: 'scasb that finds nothing', code: 'F2 AE', before: { c: 0x100, di: end - 16, a: 0xaa }, after: { c: 0, di: end + 0xf0 } },
  { name: 'scasb that finds', code: 'F2 AE', before: { c: 0x100, di: end - 24, a: 0xaf }, after: { c: 0xf7, di: end - 15 } },
  { name: 'scasb out of the last page', code: 'F2 AE', before: { c: 0x2000, di: readOnlyEnd - 16, a: 0xaa }, fault: readOnlyEnd, after: { c: 0x1ff0, di: readOnlyEnd } },
  { name: 'cmpsd of equal memory', code: 'F3 A7', before: { c: 16, si: start, di: start }, after: { c: 0, si: start + 64, di: start + 64 } },
  { name: 'cmpsb up to a difference', code: 'F3 A6', before: { c: 16, si: end - 3, di: end - 2 }, after: { c: 15, si: end - 2, di: end - 1 } },
  { name: 'lodsd', code: 'F3 AD', before: { c: 4, si: start + 16 }, after: { c: 0, si: start + 32, a: 0xd9d2cbc4 } },
  { name: 'lodsd out of the last page', code: 'F3 AD', before: { c: 4, si: readOnlyEnd - 7 }, fault: readOnlyEnd, after: { c: 3, si: readOnlyEnd - 3, a: 0 } },
  { name: 'none at all, wherever it would be', code: 'F3 A4', before: { c: 0, si: 8, di: 16 }, after: { c: 0, si: 8, di: 16 } },
];

for (const mode of [32, 64] as const) {
  describe(`${mode}-bit mode`, () => {
    const guest = new X86Guest(mode);
    afterAll(() => guest.close());
    const letter = mode === 64 ? 'r' : 'e';
    const names = { a: `${letter}ax`, c: `${letter}cx`, si: `${letter}si`, di: `${letter}di` };

    test.each(repetitions)('$name', ({ code, down, before, fault, after, bytes }) => {
      const pattern = Array.from({ length: dataSize }, (_, n) => (n * 7 + (n >> 8)) & 0xff);
      guest.write(dataAddress, pattern);
      const values = { a: 0, si: 0, di: 0, ...before };
      for (const key of ['a', 'c', 'si', 'di'] as const) guest.set({ [names[key]]: values[key] });
      guest.set({ 'flags.direction': down ? -1 : 0 });
      const reason = guest.run(code);
      expect(reason).toBe(fault === undefined ? 'breakpoint' : 'fault');
      if (fault !== undefined) expect([guest.detail, guest.stoppedAt]).toEqual([fault, 0]);
      const wanted = { a: values.a, si: values.si, di: values.di, ...after };
      for (const key of ['a', 'c', 'si', 'di'] as const)
        expect([key, Number(guest.get(names[key]))]).toEqual([key, wanted[key]]);
      const memory = guest.read(end - 24, 24).map((byte) => byte.toString(16).padStart(2, '0'));
      expect(memory.join(' ')).toBe(bytes ?? unchanged);
    });
  });
}

test('with 16-bit addresses, where nothing is mapped, only the lower halves count', () => {
  const guest = new X86Guest(32);
  guest.set({ eax: 0x77, ecx: 0x2000_0003, edi: dataAddress | 0x1234 });
  expect(guest.run('67 F3 AA')).toBe('fault');
  expect([guest.detail, guest.get('ecx'), guest.get('edi')]).toEqual([
    0x1234,
    0x2000_0003n,
    BigInt(dataAddress | 0x1234),
  ]);
  guest.set({ ecx: 0x2000_0000 });
  expect(guest.run('67 F3 AA')).toBe('breakpoint');
  guest.close();
});

test('with 32-bit addresses in 64-bit mode the registers lose their upper halves, and addresses beyond 4 GiB leave', () => {
  const guest = new X86Guest(64);
  guest.set({ rax: 0x55, rcx: 0x1_0000_0002n, rdi: 0x5_0000_0000n + BigInt(dataAddress) });
  expect(guest.run('67 F3 AA')).toBe('breakpoint');
  expect([guest.get('rcx'), guest.get('rdi')]).toEqual([0n, BigInt(dataAddress) + 2n]);
  guest.set({ rcx: 2, rdi: 0x5_0000_0000n + BigInt(dataAddress) });
  expect(guest.run('F3 AA')).toBe('wide_address');
  expect([guest.get('rcx'), guest.stoppedAt]).toEqual([2n, 0]);
  guest.close();
});

test('comparisons leave the flags of the last one', () => {
  const guest = new X86Guest(32);
  guest.write(dataAddress, [1, 2, 3, 0x80]);
  guest.write(dataAddress + 16, [1, 2, 3, 0x7f]);
  guest.set({ ecx: 10, esi: dataAddress, edi: dataAddress + 16, 'flags.direction': 0 });
  // repe cmpsb; pushf; pop eax: 80 - 7F overflows and is positive.
  guest.set({ esp: dataAddress + 0x100 });
  guest.run('F3 A6 9C 58');
  expect(guest.get('eax') & 0x8d5n).toBe(0x810n);
  expect(guest.get('ecx')).toBe(6n);
  guest.close();
});
