/** What loads and stores do where the guest may not: nothing. And reservations, and cache management. */
import { beforeEach, describe, expect, it } from 'vitest';
import { header } from '../../translators/ir/state.ts';
import { decode, rows } from '../../translators/powerpc/decode.ts';
import { disassemble } from '../../translators/powerpc/disassemble.ts';
import { codeAddress, dataAddress, Guest, pattern, readOnlyAddress } from './guest.ts';

const guest = new Guest();
beforeEach(() => guest.reset());

/** Past the read-only page nothing is mapped. */
const unmapped = readOnlyAddress + 0x1000;

const registers = (): string => Guest.names.map((name) => `${name}=${guest.get(name).toString(16)}`).join(' ');

interface Form {
  readonly word: number;
  /** 1 read, 2 write. */
  readonly access: number;
}

/** Every load and store, with rt = 7 (or 24 for multiple and string forms), ra = 4, rb = 5, displacement 8. */
const forms: Form[] = [];
for (const [name, bits] of rows) {
  if (!/^(l|st)[bhwfms]/.test(name)) continue;
  const fields: Record<string, number> = { t: 7, s: 7, a: 4, b: 5, n: 5, d: 8 };
  if (/^(lm|stm|ls|sts)/.test(name)) fields.t = fields.s = 24;
  let word = 0;
  const places = bits.replaceAll(' ', '');
  for (let i = 0; i < 32; i++) {
    const letter = places[i];
    const last = places.lastIndexOf(letter);
    const bit = letter === '1' ? 1 : ((fields[letter] ?? 0) >> (last - i)) & 1;
    word = (word << 1) | bit;
  }
  forms.push({ word: word >>> 0, access: name.startsWith('l') ? 1 : 2 });
}

/** The registers so that the form's first byte is at `address`. */
function aim(form: Form, address: number): void {
  const text = rows[decode(form.word)];
  guest.set('xer', 10n);
  const displacement = text[1].includes('dddd') ? 8 : 0;
  const indexed = text[1].includes('bbbbb');
  guest.set('r4', BigInt(indexed ? address - 0x40 : address - displacement));
  guest.set('r5', 0x40n);
  guest.set('r7', 0x1234n);
  guest.set('f7', 0x3ff8000000000000n);
}

const named = forms.map((form) => [disassemble(form.word, 0), form] as const);

it('finds every load and store', () => {
  expect(forms.length).toBe(63);
});

describe.each(named)('%s', (_text, form) => {
  it('faults where nothing is mapped, with no register changed', () => {
    aim(form, unmapped + 0x100);
    const before = registers();
    expect(guest.run([form.word])).toBe('fault');
    expect(registers()).toBe(before);
    expect(guest.state.pc).toBe(codeAddress);
    expect(guest.state.i32[header.detail >> 2] >>> 0).toBe(unmapped + 0x100);
    // A store-conditional also reads.
    if (!rows[decode(form.word)][0].endsWith('cx.')) {
      expect(guest.state.i32[header.access >> 2]).toBe(form.access);
    }
  });

  it('may read a page that is not writable, and only read', () => {
    aim(form, readOnlyAddress + 0x100);
    const before = registers();
    expect(guest.run([form.word])).toBe(form.access === 1 ? 'none' : 'fault');
    if (form.access === 2) expect(registers()).toBe(before);
  });
});

/** Forms that move more than a doubleword. */
const long = named.filter(([text]) => /^(lmw|stmw|lsw|stsw)/.test(text));

it.each(long)('%s changes nothing when its end faults', (_text, form) => {
  const start = form.access === 1 ? unmapped - 4 : readOnlyAddress - 4;
  aim(form, start);
  for (let number = 24; number < 32; number++) guest.set(`r${number}`, BigInt(number));
  const before = registers();
  expect(guest.run([form.word])).toBe('fault');
  expect(registers()).toBe(before);
  expect(guest.state.i32[header.detail >> 2] >>> 0).toBe(start + 4);
});

describe('reservations', () => {
  const lwarx = 0x7c602028; // r3 <- (r4)
  const stwcx = 0x7ca0212d; // r5 -> (r4)
  const success = 0x20000000n;

  it.each([
    ['word', lwarx, stwcx, 8, '898a8b8c', '11223344'],
    ['halfword', 0x7c6020e8, 0x7ca025ad, 8, '898a', '3344'],
    ['halfword at an odd word half', 0x7c6020e8, 0x7ca025ad, 10, '8b8c', '3344'],
    ['byte 0', 0x7c602068, 0x7ca0256d, 8, '89', '44'],
    ['byte 1', 0x7c602068, 0x7ca0256d, 9, '8a', '44'],
    ['byte 2', 0x7c602068, 0x7ca0256d, 10, '8b', '44'],
    ['byte 3', 0x7c602068, 0x7ca0256d, 11, '8c', '44'],
  ])('%s: a pair succeeds, a second store fails', (_name, load, store, offset, loaded, stored) => {
    const data = (): string => Buffer.from(guest.memory.readBytes(dataAddress, 16)).toString('hex');
    const original = Buffer.from(pattern.subarray(0, 16)).toString('hex');
    const changed = original.slice(0, 2 * offset) + stored + original.slice(2 * offset + stored.length);
    guest.set('r4', BigInt(dataAddress + offset));
    guest.set('r5', 0x11223344n);
    guest.set('cr', 0xffffffffn);
    guest.run([load]);
    expect(guest.get('r3').toString(16)).toBe(loaded);
    guest.run([store]);
    expect(guest.get('cr')).toBe(0x0fffffffn | success);
    expect(data()).toBe(changed);
    guest.set('r5', 0n);
    guest.set('xer', 0x80000000n);
    guest.run([store]);
    expect(guest.get('cr')).toBe(0x1fffffffn);
    expect(data()).toBe(changed);
  });

  it('fails at another address', () => {
    guest.set('r4', BigInt(dataAddress));
    guest.run([lwarx]);
    guest.set('r4', BigInt(dataAddress + 4));
    guest.run([stwcx]);
    expect(guest.get('cr')).toBe(0n);
    expect(guest.memory.readU32(dataAddress + 4)).toBe(0x85868788);
  });

  it('fails when the word has changed', () => {
    guest.set('r4', BigInt(dataAddress));
    guest.run([lwarx]);
    guest.memory.writeU32(dataAddress, 5);
    guest.run([stwcx]);
    expect(guest.get('cr')).toBe(0n);
    expect(guest.memory.readU32(dataAddress)).toBe(5);
  });

  it.each([
    ['lwarx', lwarx, 2],
    ['stwcx.', stwcx, 2],
    ['lharx', 0x7c6020e8, 1],
    ['sthcx.', 0x7ca025ad, 1],
  ])('%s must be aligned', (_name, word, offset) => {
    guest.set('r4', BigInt(dataAddress + offset));
    expect(guest.run([word])).toBe('misaligned');
  });
});

describe('caches', () => {
  it.each([
    ['dcbz', 0x7c0427ec, 'fault'],
    ['dcbst', 0x7c00206c, 'fault'],
    ['dcbf', 0x7c0020ac, 'fault'],
    ['icbi', 0x7c0027ac, 'fault'],
    ['dcbt', 0x7c00222c, 'none'],
    ['dcbtst', 0x7c0021ec, 'none'],
    ['dcba', 0x7c0025ec, 'none'],
  ])('%s where nothing is mapped', (_name, word, reason) => {
    guest.set('r4', BigInt(unmapped));
    expect(guest.run([word])).toBe(reason);
  });

  it('icbi declares the cache block of its address stale', () => {
    guest.set('r4', BigInt(dataAddress + 0x47));
    expect(guest.run([0x7c0027ac])).toBe('none');
    expect(guest.requests).toEqual([`invalidate ${(dataAddress + 0x40).toString(16)} 32`]);
    expect(guest.state.pc).toBe(codeAddress + 4);
  });

  it('dcbz clears 32 bytes', () => {
    guest.set('r4', BigInt(dataAddress + 0x1f));
    guest.run([0x7c0027ec]);
    expect(guest.memory.readBytes(dataAddress, 33)).toEqual(
      Uint8Array.from({ length: 33 }, (_, i) => (i < 32 ? 0 : 0xa1)),
    );
  });
});
