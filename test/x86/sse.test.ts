/**
 * What comparing single instructions with the processor (native/) does not show: MXCSR from instruction to instruction, what
 * asks for exactness, faults of operands, MMX beside x87; and known answers, for hosts that are not x86.
 */
import { describe, expect, test } from 'vitest';
import type { EngineName } from '../../src/engines/create-engine.ts';
import type { Fetch } from '../../translators/frontend.ts';
import { looksAtRoundingMode } from '../../translators/x86/mxcsr-use.ts';
import { defaultMxcsr } from '../../translators/x86/registers.ts';
import { bytesOf, dataAddress, X86Guest } from './guest.ts';

const engines: readonly EngineName[] = ['interpreted', 'regions', 'wasm'];
const rdiRsi = (mode: 32 | 64): Record<string, number> =>
  mode === 64 ? { rdi: dataAddress, rsi: dataAddress + 64 } : { edi: dataAddress, esi: dataAddress + 64 };
const stored = dataAddress + 64;

/** Runs a test with rdi and rsi at data, on each engine and in both modes. */
function onEveryEngine(name: string, run: (guest: X86Guest, engine: EngineName) => void): void {
  test.each(engines.flatMap((engine) => [32, 64].map((mode) => [engine, mode as 32 | 64] as const)))(
    `${name} (%s, %i-bit mode)`,
    (engine, mode) => {
      const guest = new X86Guest(mode, engine);
      guest.set(rdiRsi(mode));
      run(guest, engine);
      guest.close();
    },
  );
}

const viewOf = (guest: X86Guest, name: string): DataView => {
  const { offset } = guest.state.register(name);
  return new DataView(guest.state.i32.buffer, guest.state.i32.byteOffset + offset, 16);
};

function setDoubles(guest: X86Guest, n: number, low: number, high = 0): void {
  viewOf(guest, `xmm${n}`).setFloat64(0, low, true);
  viewOf(guest, `xmm${n}`).setFloat64(8, high, true);
}

const doubles = (guest: X86Guest, n: number): [number, number] => {
  const view = viewOf(guest, `xmm${n}`);
  return [view.getFloat64(0, true), view.getFloat64(8, true)];
};

/** A vector as hexadecimal digits, the highest byte first. */
function setHex(guest: X86Guest, n: number, digits: string): void {
  bytesOf(digits)
    .reverse()
    .forEach((byte, at) => {
      viewOf(guest, `xmm${n}`).setUint8(at, byte);
    });
}

const hex = (guest: X86Guest, n: number): string =>
  Array.from({ length: 16 }, (_, at) =>
    viewOf(guest, `xmm${n}`)
      .getUint8(15 - at)
      .toString(16)
      .padStart(2, '0'),
  ).join('');

const storedWord = (guest: X86Guest): number =>
  new DataView(Uint8Array.from(guest.read(stored, 4)).buffer).getUint32(0, true);

const wordBytes = (word: number): number[] => [word & 0xff, (word >> 8) & 0xff, (word >> 16) & 0xff, word >>> 24];

const ldmxcsr = '0F AE 17';
const stmxcsr = '0F AE 1E';
const addsd = 'F2 0F 58 C1';
const tiny = 2 ** -60;

describe('MXCSR', () => {
  onEveryEngine('rounds as it says once it is loaded', (guest) => {
    for (const [mxcsr, sum] of [
      [0x1f80, 1],
      [0x5f80, 1 + 2 ** -52],
      [0x3f80, 1],
      [0x7f80, 1],
    ]) {
      guest.write(dataAddress, wordBytes(mxcsr));
      setDoubles(guest, 0, 1);
      setDoubles(guest, 1, tiny);
      expect(guest.run(`${ldmxcsr} ${addsd} ${stmxcsr}`)).toBe('breakpoint');
      expect(doubles(guest, 0)[0]).toBe(sum);
      expect(storedWord(guest)).toBe(mxcsr | 0x20);
    }
  });

  onEveryEngine('is in force, too, when the system has changed it', (guest) => {
    setDoubles(guest, 1, tiny);
    for (const mxcsr of [0x1f80, 0x5f80]) {
      setDoubles(guest, 0, 1);
      guest.set({ mxcsr: mxcsr ^ defaultMxcsr });
      guest.run(addsd);
      expect(doubles(guest, 0)[0]).toBe(mxcsr === defaultMxcsr ? 1 : 1 + 2 ** -52);
    }
  });

  onEveryEngine('has exceptions exact from where a program stores it', (guest) => {
    setDoubles(guest, 0, 1);
    setDoubles(guest, 1, tiny);
    guest.run(stmxcsr);
    guest.run(`${addsd} ${stmxcsr}`);
    expect(storedWord(guest)).toBe(defaultMxcsr | 0x20);
  });

  onEveryEngine('is stored for its rounding mode without asking for exceptions', (guest, engine) => {
    setDoubles(guest, 0, 1);
    setDoubles(guest, 1, tiny);
    // stmxcsr [rsi]; mov eax,[rsi]; and ah,9F
    guest.run(`${stmxcsr} 8B 06 80 E4 9F`);
    expect(storedWord(guest)).toBe(defaultMxcsr);
    guest.run(addsd);
    // Only WebAssembly runs a block that has not run before; the others interpret it, which keeps exceptions all the same.
    expect(guest.get('mxcsr')).toBe(engine === 'wasm' ? 0n : 0x20n);
  });

  onEveryEngine('an exception that is not masked leaves before the result', (guest) => {
    guest.write(dataAddress, wordBytes(0x1d80));
    setDoubles(guest, 0, 1, 5);
    setDoubles(guest, 1, 0, 0);
    // ldmxcsr [rdi]; divpd xmm0,xmm1
    expect(guest.run(`${ldmxcsr} 66 0F 5E C1`)).toBe('floating_point');
    expect([guest.detail, guest.stoppedAt]).toEqual([4 << 16, 3]);
    expect(doubles(guest, 0)).toEqual([1, 5]);
    expect(guest.get('mxcsr') ^ BigInt(defaultMxcsr)).toBe(0x1d84n);
  });

  onEveryEngine('has reserved bits that must be 0', (guest) => {
    guest.write(dataAddress, wordBytes(0x11f80));
    expect(guest.run(ldmxcsr)).toBe('protection');
    expect(guest.get('mxcsr')).toBe(0n);
  });

  test.each([
    ['and ah,9F', '80 E4 9F', true],
    ['test ah,60', 'F6 C4 60', true],
    ['and ebx,6000', '81 E3 00 60 00 00', true],
    ['and eax,FFFF9FFF behind other code', '8B 44 24 0C 89 C2 25 FF 9F FF FF', true],
    ['test edx,6000', 'F7 C2 00 60 00 00', true],
    ['and eax,3F', '25 3F 00 00 00', false],
    ['and ah,7F', '80 E4 7F', false],
    ['the mask too far away', `${'90 '.repeat(48)}80 E4 9F`, false],
    ['code that ends', '90 90', false],
  ])('%s', (_name, code, expected) => {
    const bytes = bytesOf(code);
    const fetch: Fetch = (address, length) => {
      if (address + length > bytes.length) return undefined;
      let value = 0;
      for (let at = length - 1; at >= 0; at--) value = value * 256 + bytes[address + at];
      return value;
    };
    expect(looksAtRoundingMode(fetch, 0)).toBe(expected);
  });
});

describe('operands', () => {
  onEveryEngine('of 16 bytes must be aligned, but not for unaligned moves', (guest) => {
    guest.write(dataAddress + 1, [...Array(16).keys()]);
    // movaps xmm0,[rdi+1]; movapd [rdi+1],xmm0; paddb xmm0,[rdi+1]
    for (const code of ['0F 28 47 01', '66 0F 29 47 01', '66 0F FC 47 01']) {
      expect([guest.run(code), guest.stoppedAt]).toEqual(['protection', 0]);
    }
    // movups xmm0,[rdi+1]; movdqu [rsi+3],xmm0
    expect(guest.run('0F 10 47 01 F3 0F 7F 46 03')).toBe('breakpoint');
    expect(guest.read(stored + 3, 16)).toEqual([...Array(16).keys()]);
  });

  onEveryEngine('a store across the end of memory writes nothing', (guest) => {
    const end = dataAddress + 0x2000;
    guest.set(guest.state.file.numbers.rdi === undefined ? { edi: end - 8 } : { rdi: end - 8 });
    setDoubles(guest, 0, 1, 2);
    // movups [rdi],xmm0; what follows may be read only
    expect(guest.run('0F 11 07')).toBe('fault');
    expect(guest.detail).toBe(end);
    expect(guest.read(end - 8, 8)).toEqual(Array(8).fill(0));
  });
});

describe('MMX', () => {
  onEveryEngine('registers are those of x87, all in use until emms', (guest) => {
    guest.write(dataAddress, [1, 2, 3, 4, 5, 6, 7, 8]);
    guest.set({ 'x87.top': 5 });
    // movq mm3,[rdi]; paddb mm3,mm3; movq [rsi],mm3
    guest.run('0F 6F 1F 0F FC DB 0F 7F 1E');
    expect(guest.read(stored, 8)).toEqual([2, 4, 6, 8, 10, 12, 14, 16]);
    expect(['mm3', 'x87.head3', 'x87.top', 'x87.tags'].map((name) => guest.get(name))).toEqual([
      0x100e0c0a08060402n,
      0xffffn,
      0n,
      0xffn,
    ]);
    guest.run('0F 77');
    expect(guest.get('x87.tags')).toBe(0n);
  });
});

// Gueron, Intel Advanced Encryption Standard (AES) New Instructions Set, and Gueron and Kounavis, Intel Carry-Less
// Multiplication Instruction: the examples there.
describe('known answers', () => {
  const a = '7b5b54657374566563746f725d53475d';
  const b = '48692853686179295b477565726f6e5d';
  const cases: readonly (readonly [name: string, code: string, x: string, y: string, result: string])[] = [
    ['aesenc', '66 0F 38 DC C1', a, b, 'a8311c2f9fdba3c58b104b58ded7e595'],
    ['aesenclast', '66 0F 38 DD C1', a, b, 'c7fb881e938c5964177ec42553fdc611'],
    ['aesdec', '66 0F 38 DE C1', a, b, '138ac342faea2787b58eb95eb730392a'],
    ['aesdeclast', '66 0F 38 DF C1', a, b, 'c5a391ef6b317f95d410637b72a593d0'],
    ['aesimc', '66 0F 38 DB C1', b, a, '627a6f6644b109c82b18330a81c3b3e5'],
    ['aeskeygenassist', '66 0F 3A DF C1 01', a, '3c4fcf098815f7aba6d2ae2816157e2b', '01eb848beb848a013424b5e524b5e434'],
    ['pclmulqdq of the low halves', '66 0F 3A 44 C1 00', a, b, '1d4d84c85c3440c0929633d5d36f0451'],
    ['pclmulqdq of low and high', '66 0F 3A 44 C1 10', a, b, '1bd17c8d556ab5a17fa540ac2a281315'],
    [
      'a product whose bits are those of a signalling NaN',
      '66 0F 3A 44 C1 00',
      '01'.padStart(32, '0'),
      '7ff0000000000001'.padStart(32, '0'),
      '7ff0000000000001'.padStart(32, '0'),
    ],
    ['phminposuw', '66 0F 38 41 C1', a, '00050004000300020009000800070006', '00000000000000000000000000040002'],
    [
      'minps with a NaN takes the second',
      '0F 5D C1',
      '7f8000017fc00001bf80000000000000',
      '3f8000007f8000023f80000080000000',
      '3f8000007f800002bf80000080000000',
    ],
  ];
  for (const [name, code, x, y, result] of cases) {
    onEveryEngine(name, (guest) => {
      setHex(guest, 0, x);
      setHex(guest, 1, y);
      expect(guest.run(code)).toBe('breakpoint');
      expect(hex(guest, 0)).toBe(result);
    });
  }

  onEveryEngine('of twice the same register', (guest) => {
    const some = '0123456789abcdeffedcba9876543210';
    // pxor, psubb, pandn, pcmpgtd; pcmpeqd; pand, por: all of xmm0 and xmm0
    for (const code of ['66 0F EF C0', '66 0F F8 C0', '66 0F DF C0', '66 0F 66 C0']) {
      setHex(guest, 0, some);
      guest.run(code);
      expect(hex(guest, 0), code).toBe('0'.repeat(32));
    }
    setHex(guest, 0, some);
    guest.run('66 0F 76 C0');
    expect(hex(guest, 0)).toBe('f'.repeat(32));
    setHex(guest, 0, some);
    guest.run('66 0F DB C0 66 0F EB C0');
    expect(hex(guest, 0)).toBe(some);
  });

  onEveryEngine('pcmpistri finds the first of a set', (guest) => {
    const text = (string: string): string => Buffer.from(string.padEnd(16, '\0')).reverse().toString('hex');
    setHex(guest, 0, text('.,'));
    setHex(guest, 1, text('Hello, world.'));
    // pcmpistri xmm0,xmm1,0
    guest.run('66 0F 3A 63 C1 00');
    expect(
      guest.state.i32[guest.state.register(guest.state.file.numbers.rcx === undefined ? 'ecx' : 'rcx').offset >> 2],
    ).toBe(5);
  });
});

describe('estimates', () => {
  onEveryEngine('are as near as the manual demands', (guest) => {
    const view = viewOf(guest, 'xmm1');
    const result = viewOf(guest, 'xmm0');
    let x = 1e-30;
    for (let n = 0; n < 40; n++, x *= 47.3) {
      view.setFloat32(0, x, true);
      const single = view.getFloat32(0, true);
      // rcpss xmm0,xmm1
      guest.run('F3 0F 53 C1');
      expect(Math.abs(result.getFloat32(0, true) * single - 1)).toBeLessThanOrEqual(1.5 * 2 ** -12);
      // rsqrtss xmm0,xmm1
      guest.run('F3 0F 52 C1');
      expect(Math.abs(result.getFloat32(0, true) * Math.sqrt(single) - 1)).toBeLessThanOrEqual(1.5 * 2 ** -12);
    }
    view.setUint32(0, 0x80000001, true);
    guest.run('F3 0F 53 C1');
    expect(result.getFloat32(0, true)).toBe(-Infinity);
  });
});
