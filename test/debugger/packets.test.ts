/** Packets of GDB's remote protocol as they are written and read, hostile ones among them. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Arrival,
  bytesOf,
  encodePacket,
  fromHex,
  hexNumber,
  longestPacket,
  PacketReader,
  textOf,
  toHex,
} from '../../src/debugger/packets.ts';
import { fromGdbSignal, toGdbSignal } from '../../src/debugger/signal-numbers.ts';

/** What a text says, pieces of which arrive one after another. */
function read(...pieces: readonly (string | Uint8Array)[]): string[] {
  const reader = new PacketReader();
  const found: string[] = [];
  const note = (arrival: Arrival): void => {
    found.push(arrival.kind === 'packet' ? `packet ${textOf(arrival.data)}` : arrival.kind);
  };
  for (const piece of pieces) reader.push(typeof piece === 'string' ? bytesOf(piece) : piece, note);
  return found;
}

describe('reading', () => {
  test.each([
    ['$OK#9a', ['packet OK']],
    ['$#00', ['packet ']],
    ['+$m0,4#FD', ['acknowledged', 'packet m0,4']],
    ['-', ['rejected']],
    ['\x03', ['interrupt']],
    ['noise', []],
    ['$OK#9b', ['damaged']],
    ['$OK#zz', ['damaged']],
    ['$OK#-a', ['damaged']],
    ['$g#67$g#67', ['packet g', 'packet g']],
    // An interrupt within a packet is a byte of its data.
    ['$a\x03#64', ['packet a\x03']],
    // The other side begins anew.
    ['$m0,$g#67', ['packet g']],
    ['$a}\x03#e1', ['packet a#']],
    ['$0* #7a', ['packet 0000']],
    ['$}\n* #e1'.replace('#e1', '#d1'), ['packet ****']],
  ])('%j', (text, expected) => {
    expect(read(text)).toEqual(expected);
    expect(read(...text)).toEqual(expected);
  });

  test.each(['}', '0*', '* ', '0*\x1c', '0*\x1f', '0*\x7f'])('%j is no packet', (data) => {
    const sum = bytesOf(data).reduce((total, byte) => total + byte, 0) & 0xff;
    expect(read(`$${data}#${sum.toString(16).padStart(2, '0')}`)).toEqual(['damaged']);
  });

  test('a packet that is too long is damaged, and the next one is read', () => {
    const data = new Uint8Array(longestPacket + 1).fill(0x61);
    expect(read(encodePacket(data.subarray(1))).length).toBe(1);
    expect(read(encodePacket(data.subarray(1)))[0].slice(0, 8)).toBe('packet a');
    expect(read(encodePacket(data), '$g#67')).toEqual(['damaged', 'packet g']);
  });

  test('runs cannot make a packet longer than one can be', () => {
    const data = `a${'*~'.repeat(longestPacket / 97 + 1)}`;
    const sum = bytesOf(data).reduce((total, byte) => total + byte, 0) & 0xff;
    expect(read(`$${data}#${sum.toString(16).padStart(2, '0')}`)).toEqual(['damaged']);
  });

  test('random bytes do no harm: what follows is read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(read(bytes, '#00#00$g#67').at(-1)).toBe('packet g');
      }),
    );
  });
});

test('what is written is read again, whatever the bytes and the pieces', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(), (bytes, cut) => {
      const packet = encodePacket(bytes);
      const place = cut % packet.length;
      expect(read(packet.subarray(0, place), packet.subarray(place))).toEqual([`packet ${textOf(bytes)}`]);
      // Nothing that means something to the protocol stands in the data.
      expect(packet.subarray(1, -3).some((byte) => [0x23, 0x24, 0x2a].includes(byte))).toBe(false);
    }),
  );
});

test('hexadecimal digits', () => {
  expect(toHex(Uint8Array.of(0, 0x7f, 0xff))).toBe('007fff');
  expect(fromHex('007fFF')).toEqual(Uint8Array.of(0, 0x7f, 0xff));
  expect([fromHex('0'), fromHex('0g')]).toEqual([undefined, undefined]);
  expect(['0', 'fF', '1fffffffffffff', '20000000000000', '', '-1', '0x1', undefined].map(hexNumber)).toEqual([
    0,
    255,
    2 ** 53 - 1,
    undefined,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("each of Linux's signals has a number of GDB's, which leads back", () => {
  // From include/gdb/signals.def.
  expect([2, 7, 10, 11, 17, 34, 64].map(toGdbSignal)).toEqual([2, 10, 30, 11, 20, 46, 78]);
  const sixteen = 16;
  for (let signal = 1; signal <= 64; signal++) {
    expect(fromGdbSignal(toGdbSignal(signal)), `signal ${signal}`).toBe(signal === sixteen ? undefined : signal);
  }
  expect([0, 7, 29, 33, 44, 76, 79, -1].map(fromGdbSignal)).toEqual(Array(8).fill(undefined));
});
