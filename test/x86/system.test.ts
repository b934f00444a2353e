/** Flags as words, segments, addresses, identification, exits: what single instructions compared with the processor do not show. */
import { describe, expect, test } from 'vitest';
import { Builder, op } from '../../translators/ir/builder.ts';
import { cpuid, featureNames, hardwareCapabilities, processor } from '../../translators/x86/features.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';
import { bytesOf, codeAddress, dataAddress, X86Guest } from './guest.ts';

const modes = [32, 64] as const;
const stack = dataAddress + 0x800;
const AC = 0x40000;
const ID = 0x200000;
const NT = 0x4000;

/** Runs a test with a guest of each mode; `r` names a register by its letters behind e or r. */
const inBothModes = (
  name: string,
  run: (guest: X86Guest, r: (letters: string) => string, mode: 32 | 64) => void,
): void =>
  test.each(modes)(`${name} (%i-bit mode)`, (mode) => {
    const guest = new X86Guest(mode);
    guest.set({ [mode === 64 ? 'rsp' : 'esp']: stack });
    run(guest, (letters) => (mode === 64 ? 'r' : 'e') + letters, mode);
    guest.close();
  });

describe('flags as a word', () => {
  inBothModes('every combination goes through popf and pushf', (guest, r) => {
    for (let n = 0; n < 128; n++) {
      const bits = [0, 2, 4, 6, 7, 10, 11].reduce((flags, bit, place) => flags | (((n >> place) & 1) << bit), 0);
      guest.set({ [r('ax')]: bits | NT | AC | ID });
      // push eax; popf; pushf; pop ecx
      expect(guest.run('50 9D 9C 59')).toBe('breakpoint');
      expect(guest.get(r('cx'))).toBe(BigInt(bits | NT | AC | ID | 0x202));
    }
  });

  inBothModes('of 16 bits the upper flags stay', (guest, r) => {
    guest.set({ [r('ax')]: AC | ID | 0x8d5 });
    // push eax; popf; pushw 0; popfw; pushf; pop ecx
    guest.run('50 9D 66 6A 00 66 9D 9C 59');
    expect(guest.get(r('cx'))).toBe(BigInt(AC | ID | 0x202));
  });

  inBothModes('sahf leaves OF, lahf shows what is there', (guest, r) => {
    // mov al,7F; add al,1 (OF, SF, AF); mov ah,45; sahf; seto cl; lahf
    guest.set({ [r('ax')]: 0 });
    guest.run('B0 7F 04 01 B4 45 9E 0F 90 C1 9F');
    expect(guest.get(r('cx')) & 0xffn).toBe(1n);
    expect(guest.get(r('ax')) & 0xff00n).toBe(0x4700n);
  });
});

describe('segments', () => {
  inBothModes('thread-local ones have their bases, others none', (guest, r) => {
    guest.set({ 'segment1.base': dataAddress, 'segments.present': 2 });
    guest.write(dataAddress + 16, [0x78, 0x56, 0x34, 0x12]);
    guest.set({ [r('ax')]: 0x6b, [r('dx')]: 16 });
    // mov gs,eax; mov ecx,gs:[rdx]; mov eax,gs
    expect(guest.run('8E E8 65 8B 0A 8C E8')).toBe('breakpoint');
    expect([guest.get(r('cx')), guest.get(r('ax')), guest.get('gs.base')]).toEqual([
      0x12345678n,
      0x6bn,
      BigInt(dataAddress),
    ]);
    for (const selector of [0, 3, 0x2b]) {
      guest.set({ [r('ax')]: selector });
      expect(guest.run('8E E8')).toBe('breakpoint');
      expect([guest.get('gs'), guest.get('gs.base')]).toEqual([BigInt(selector), 0n]);
    }
  });

  inBothModes('what is not there, or not for programs, is refused', (guest, r) => {
    guest.set({ 'segments.present': 2, gs: 0x6b });
    for (const selector of [0x63, 0x73, 0x10, 0x18, 0x07, 0x1003]) {
      guest.set({ [r('ax')]: selector });
      expect([selector, guest.run('8E E8'), guest.stoppedAt, guest.get('gs')]).toEqual([
        selector,
        'protection',
        0,
        0x6bn,
      ]);
    }
    // SS needs a segment, and the program's privilege level; CS is not loaded so.
    for (const selector of [0, 3, 0x28]) {
      guest.set({ [r('ax')]: selector });
      expect(guest.run('8E D0')).toBe('protection');
    }
    expect(guest.run('8E C8')).toBe('illegal');
    expect(guest.run('8E F0')).toBe('illegal');
  });

  test('a pointer with its selector', () => {
    const guest = new X86Guest(32);
    guest.set({ 'segment0.base': 0x1000, 'segments.present': 1, eax: dataAddress });
    guest.write(dataAddress, [1, 2, 3, 4, 0x63, 0]);
    // lgs ecx,[eax]
    expect(guest.run('0F B5 08')).toBe('breakpoint');
    expect([guest.get('ecx'), guest.get('gs'), guest.get('gs.base')]).toEqual([0x04030201n, 0x63n, 0x1000n]);
    guest.close();
  });
});

describe('addresses of 64-bit programs', () => {
  const low = BigInt(dataAddress);
  // biome-ignore format: one address per line
  const addresses: readonly (readonly [text: string, code: string, registers: Record<string, bigint>, reason: string])[] = [
    ['a base', '8B 03', { rbx: low }, 'breakpoint'],
    ['a base beyond 4 GiB', '8B 03', { rbx: low + 0x1_0000_0000n }, 'wide_address'],
    ['a base and a displacement that meet in the middle', '8B 83 00 00 00 F0', { rbx: low + 0x1000_0000n }, 'breakpoint'],
    ['a displacement that leads beyond 4 GiB', '8B 83 00 00 00 70', { rbx: 0xf000_0000n }, 'wide_address'],
    ['a negative index', '8B 04 8B', { rbx: low + 16n, rcx: -4n }, 'breakpoint'],
    ['an index that leads beyond 4 GiB', '8B 04 8B', { rbx: low, rcx: 0x4000_0000n }, 'wide_address'],
    ['FS', '64 8B 03', { rbx: 16n, 'fs.base': low }, 'breakpoint'],
    ['FS beyond 4 GiB', '64 8B 03', { rbx: 16n, 'fs.base': 0x7f00_0000_0000n }, 'wide_address'],
    ['32-bit addresses', '67 8B 03', { rbx: low + 0x5_0000_0000n }, 'breakpoint'],
    ['32-bit addresses that wrap around', '67 8B 43 10', { rbx: 0xffff_fff8n }, 'fault'],
    ['an absolute address of 64 bits', 'A1 00 00 00 20 01 00 00 00', {}, 'wide_address'],
    ['the stack', '59', { rsp: 0x7fff_0000_0000n }, 'wide_address'],
    ['a jump', 'FF E3', { rbx: 0x1_0000_0000n }, 'wide_address'],
  ];
  test.each(addresses)('%s', (_text, code, registers, reason) => {
    const guest = new X86Guest(64);
    guest.set(registers);
    expect(guest.run(code)).toBe(reason);
    if (reason !== 'breakpoint') expect(guest.stoppedAt).toBe(0);
    guest.close();
  });

  test('one check serves all that lies near a base', () => {
    const guest = new X86Guest(64);
    const { unit } = lift(64, '48 8B 03 48 8B 4B 08 48 89 43 10 50 51 FF 74 24 08 59');
    const checks = opsOf(unit).filter((name) => name === op.exit_if);
    // RBX and RSP.
    expect(checks.length).toBe(2);
    guest.close();
  });

  test('lea knows no address that is too wide', () => {
    const guest = new X86Guest(64);
    guest.set({ rbx: 0x7fff_ffff_ffffn, rcx: 3n });
    // lea rax,[rbx+rcx*8+1]; lea edx,[rbx+rcx*8+1]
    expect(guest.run('48 8D 44 CB 01 8D 54 CB 01')).toBe('breakpoint');
    expect([guest.get('rax'), guest.get('rdx')]).toEqual([0x8000_0000_0018n, 0x18n]);
    guest.close();
  });
});

describe('exits', () => {
  // biome-ignore format: one instruction per line
  const exits: readonly (readonly [text: string, code: string, modes: readonly (32 | 64)[], reason: string, detail: number | undefined])[] = [
    ['int3: behind it', 'CC', modes, 'breakpoint', 1],
    ['int 3', 'CD 03', modes, 'breakpoint', 2],
    ['int 4', 'CD 04', modes, 'overflow', 2],
    ['int 0x80 of 32-bit programs', 'CD 80', [32], 'system_call', undefined],
    ['int 0x80 of 64-bit programs', 'CD 80', [64], 'software_interrupt', 2],
    ['another int', 'CD 21', modes, 'protection', undefined],
    ['into', 'B0 7F 04 01 CE', [32], 'overflow', 5],
    ['into without overflow', '30 C0 CE', [32], 'breakpoint', 4],
    ['bound', '62 01', [32], 'bound', undefined],
    ['aam of base 0', 'D4 00', [32], 'divide', undefined],
    ['div by 0', 'F7 F0', modes, 'divide', undefined],
    ['ud2', '0F 0B', modes, 'illegal', undefined],
    ['hlt', 'F4', modes, 'protection', undefined],
    ['in', 'EC', modes, 'protection', undefined],
    ['rep insb', 'F3 6C', modes, 'protection', undefined],
    ['cli', 'FA', modes, 'protection', undefined],
    ['rdmsr', '0F 32', modes, 'protection', undefined],
    ['retf', 'CB', modes, 'protection', undefined],
    ['syscall of 32-bit programs', '0F 05', [32], 'illegal', undefined],
  ];
  for (const mode of modes) {
    test.each(exits.filter(([, , valid]) => valid.includes(mode)))(
      `%s (${mode}-bit mode)`,
      (_text, code, _modes, reason, detail) => {
        const guest = new X86Guest(mode);
        const letter = mode === 64 ? 'r' : 'e';
        guest.set({ [`${letter}ax`]: 0, [`${letter}cx`]: dataAddress, [`${letter}sp`]: stack });
        guest.write(dataAddress, [1, 0, 0, 0, 5, 0, 0, 0]);
        expect(guest.run(code)).toBe(reason);
        if (detail !== undefined) expect(guest.detail).toBe(codeAddress + detail);
        guest.close();
      },
    );
  }

  test('syscall keeps the return address and the flags', () => {
    const guest = new X86Guest(64);
    // xor eax,eax; syscall
    expect(guest.run('31 C0 0F 05')).toBe('system_call');
    expect([guest.get('rcx'), guest.get('r11'), guest.stoppedAt]).toEqual([BigInt(codeAddress + 4), 0x246n, 4]);
    guest.close();
  });
});

describe('identification', () => {
  inBothModes('cpuid tells the table, and clears upper halves', (guest, r, mode) => {
    const is64 = mode === 64;
    for (const [leaf, subleaf] of [
      [0, 0],
      [1, 0],
      [4, 2],
      [7, 0],
      [0x80000001, 0],
      [0x80000003, 0],
      [0x40000000, 0],
    ]) {
      guest.set({ [r('ax')]: leaf, [r('cx')]: subleaf, [r('bx')]: -1, [r('dx')]: -1 });
      guest.run('0F A2');
      const answer = ['ax', 'bx', 'cx', 'dx'].map((letters) => guest.get(r(letters)));
      expect(answer).toEqual(cpuid(is64, leaf, subleaf).map((word) => BigInt(word >>> 0)));
    }
  });

  test('what a program of level x86-64-v2 asks for', () => {
    const [, , ecx, edx] = cpuid(true, 1, 0);
    // SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; AES and PCLMULQDQ; no FMA, XSAVE, OSXSAVE, AVX.
    expect(ecx & 0x1898_2203).toBe(0x0098_2201 | 2);
    expect((ecx >>> 25) & 1).toBe(1);
    // FPU, TSC, CX8, CMOV, MMX, FXSR, SSE, SSE2.
    expect(edx & 0x0780_8111).toBe(0x0780_8111);
    expect(hardwareCapabilities(true)).toBe(edx >>> 0);
    expect(featureNames(true)).toContain('lahf_lm');
    expect(featureNames(false)).not.toContain('lm');
    expect(cpuid(true, 7, 0)[1] & 0x28).toBe(0);
  });

  test('maker, name and caches', () => {
    const text = (words: readonly number[]): string =>
      String.fromCharCode(...new Uint8Array(Int32Array.from(words).buffer)).replaceAll('\0', '');
    const [, b, c, d] = cpuid(true, 0, 0);
    expect(text([b, d, c])).toBe(processor.vendor);
    expect(text([2, 3, 4].flatMap((n) => cpuid(true, 0x80000000 + n, 0)))).toBe(processor.name);
    const [, geometry, sets] = cpuid(true, 4, 0);
    // Ways, partitions and line size, each less one.
    expect(((geometry >>> 22) + 1) * (((geometry >> 12) & 0x3ff) + 1) * ((geometry & 0xfff) + 1) * (sets + 1)).toBe(
      32 * 1024,
    );
  });

  inBothModes('rdtsc reads the time base', (guest, r) => {
    guest.set({ [r('ax')]: -1, [r('dx')]: -1, [r('cx')]: -1 });
    // rdtscp
    guest.run('0F 01 F9');
    expect(['ax', 'dx', 'cx'].map((letters) => guest.get(r(letters)))).toEqual([0x89abcdefn, 0x01234567n, 0n]);
  });
});

/** The block of some code. */
function lift(mode: 32 | 64, code: string) {
  const frontend = x86Frontend(mode);
  const bytes = bytesOf(code);
  const builder = new Builder(frontend.registers);
  builder.begin(codeAddress);
  const fetch = (address: number, length: number): number =>
    Array.from({ length }, (_, n) => bytes[address - codeAddress + n] ?? 0x90).reduceRight(
      (word, byte) => (word << 8) | byte,
      0,
    ) >>> 0;
  let pc = codeAddress;
  while (!builder.ended && pc < codeAddress + bytes.length)
    pc += frontend.lift(builder, fetch, pc, { exactFloatingPoint: true });
  return { unit: builder.unit, registers: frontend.registers };
}

const opsOf = (unit: Builder['unit']): number[] => [...unit.op.subarray(0, unit.count)];

describe('conditions', () => {
  // biome-ignore format: one pair per line
  test.each([
    ['cmp eax,ecx; jl', 32, '39 C8 7C 10', 'i32.lt_s'],
    ['cmp eax,ecx; jae', 32, '39 C8 73 10', 'i32.ge_u'],
    ['cmp rax,rcx; jg', 64, '48 39 C8 7F 10', 'i64.gt_s'],
    ['test eax,eax; jne', 64, '85 C0 75 10', 'i32.ne'],
    ['sub eax,ecx; jbe', 64, '29 C8 76 10', 'i32.le_u'],
    ['dec ecx; jne', 32, '49 75 F0', 'i32.ne'],
    ['and eax,ecx; js', 32, '21 C8 78 10', 'i32.lt_s'],
  ] as const)('%s is a comparison and a branch', (_text, mode, code, comparison) => {
    const { unit } = lift(mode, code);
    const branch = unit.count - 1;
    expect(unit.op[branch]).toBe(op.branch);
    expect(unit.op[unit.a[branch]]).toBe(op[comparison]);
  });
});
