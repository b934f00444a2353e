/**
 * Repeated string instructions. Upwards, runs of elements that memory allows are done at once; downwards, and with addresses
 * that wrap around, element by element. Where an element faults, the registers say how far it came, as on the processor.
 */
import type { Helper, Machine } from '../frontend.ts';
import { firstForbidden } from '../ir/memory-access.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type State } from '../ir/state.ts';
import { permission } from '../memory-view.ts';
import { fs, rax, rcx, rdi, rsi, type X86Registers } from './registers.ts';
import { log2 } from './values.ts';

const kinds = ['movs', 'cmps', 'stos', 'lods', 'scas'] as const;
export type StringKind = (typeof kinds)[number];

/** The helper's operand. @param segment Instruction.segment @param repeat Instruction.repeat */
export function packRepeat(
  kind: StringKind,
  size: number,
  addressSize: number,
  segment: number,
  repeat: number,
): number {
  const override = segment >= fs ? segment : 0;
  return kinds.indexOf(kind) | (log2(size) << 3) | (log2(addressSize) << 5) | (override << 7) | (repeat << 10);
}

/** More elements than memory has are not looked at in one go. */
const longest = 0x1000_0000;

export function stringHelpers(registers: X86Registers): readonly Helper[] {
  const { general, is64, file } = registers;
  const pointers = [rcx, rsi, rdi].map((n) => general[n]);
  const flags = ['flags.carry', 'flags.result', 'flags.carries'];
  const reads = [...pointers, general[rax], 'flags.direction', 'fs.base', 'gs.base', ...flags];
  const writes = [...pointers, general[rax], ...flags];
  /** Index of a register's low word in State.i32. */
  const wordOf = (name: string): number => file.registers[file.numbers[name]].offset >> 2;
  const words = {
    a: wordOf(general[rax]),
    c: wordOf(general[rcx]),
    si: wordOf(general[rsi]),
    di: wordOf(general[rdi]),
  };
  const [carryWord, resultWord, carriesWord] = flags.map(wordOf);
  const directionWord = wordOf('flags.direction');
  const baseWords = [wordOf('fs.base'), wordOf('gs.base')];

  /** A register of a pointer's size as a number; beyond 2^53 rounded, but then wide all the same. */
  const read = (state: State, word: number, bytes: number): number => {
    const low = state.i32[word] >>> 0;
    if (bytes === 2) return low & 0xffff;
    return bytes === 8 ? (state.i32[word + 1] >>> 0) * 0x1_0000_0000 + low : low;
  };

  /** Adds to a register of a pointer's size. */
  const addTo = (state: State, word: number, bytes: number, by: number): void => {
    const { i32 } = state;
    if (bytes === 2) {
      i32[word] = (i32[word] & ~0xffff) | ((i32[word] + by) & 0xffff);
      return;
    }
    const sum = (i32[word] >>> 0) + by;
    i32[word] = sum;
    if (bytes === 8) i32[word + 1] += Math.floor(sum / 0x1_0000_0000);
    else if (is64) i32[word + 1] = 0;
  };

  /** The flags of x - y, elements of `size` bytes, as flags.ts has them. */
  const compare = (state: State, size: number, x: bigint, y: bigint): void => {
    const signed = (value: bigint): bigint => BigInt.asIntN(8 * size, value);
    const { i32 } = state;
    i32[carryWord] = BigInt.asUintN(64, x) < BigInt.asUintN(64, y) ? 1 : 0;
    for (const [word, value] of [
      [resultWord, signed(x - y)],
      [carriesWord, signed(x ^ y ^ (x - y))],
    ] as const) {
      i32[word] = Number(BigInt.asIntN(32, value));
      if (is64) i32[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
    }
  };

  const run = (state: State, machine: Machine, packed: number): number => {
    const kind = kinds[packed & 7];
    const size = 1 << ((packed >> 3) & 3);
    const addressBytes = 1 << ((packed >> 5) & 3);
    const segment = (packed >> 7) & 7;
    const repeat = (packed >> 10) & 0xff;
    const { i32 } = state;
    const { memory } = machine;
    const { view, origin, permissions } = memory;
    const count = read(state, words.c, addressBytes);
    const usesSource = kind === 'movs' || kind === 'cmps' || kind === 'lods';
    const usesDestination = kind !== 'lods';
    const writesDestination = kind === 'movs' || kind === 'stos';
    const base = segment === 0 ? 0 : read(state, baseWords[segment - fs], is64 ? 8 : 4);
    const down = i32[directionWord] !== 0;
    const load = (address: number): bigint => {
      const at = origin + address;
      if (size === 8) return view.getBigUint64(at, true);
      return BigInt(size === 4 ? view.getUint32(at, true) : size === 2 ? view.getUint16(at, true) : view.getUint8(at));
    };
    const leave = (reason: number, address: number, access: number): number => {
      i32[header.exit >> 2] = reason;
      i32[header.detail >> 2] = address;
      i32[header.access >> 2] = access;
      return 0;
    };

    let left = count;
    while (left > 0) {
      let from = read(state, words.si, addressBytes) + base;
      const to = read(state, words.di, addressBytes);
      if (!is64) from %= 0x1_0000_0000;
      if ((usesSource && from > 0xffff_ffff) || (usesDestination && to > 0xffff_ffff))
        return leave(exitCode.wide_address, 0, 0);
      // How many elements are done now: one, where the next one's address is not simply the next.
      let run = down || addressBytes === 2 ? 1 : Math.min(left, longest);
      if (usesSource) {
        const bad = firstForbidden(permissions, from, run * size, permission.read);
        if (bad >= 0 && bad < from + size) return leave(exitCode.fault, bad, permission.read);
        if (bad >= 0) run = Math.floor((bad - from) / size);
      }
      if (usesDestination) {
        const access = writesDestination ? permission.write : permission.read;
        const bad = firstForbidden(permissions, to, run * size, access);
        if (bad >= 0 && bad < to + size) return leave(exitCode.fault, bad, access);
        if (bad >= 0) run = Math.floor((bad - to) / size);
      }
      let done = run;
      let stop = false;
      switch (kind) {
        case 'movs':
          copyElements(machine.bytes, origin + to, origin + from, size, run * size);
          break;
        case 'stos':
          fill(machine.bytes, origin + to, state, words.a, size, run * size);
          break;
        case 'lods': {
          const value = load(from + (run - 1) * size);
          if (size < 4) i32[words.a] = (i32[words.a] & (size === 1 ? ~0xff : ~0xffff)) | Number(value);
          else {
            i32[words.a] = Number(BigInt.asIntN(32, value));
            if (is64) i32[words.a + 1] = Number(BigInt.asIntN(32, value >> 32n));
          }
          break;
        }
        default: {
          const accumulator = BigInt.asUintN(8 * size, join(i32[words.a], is64 ? i32[words.a + 1] : 0));
          const whileEqual = repeat === 0xf3;
          let x = 0n;
          let y = 0n;
          for (done = 0; done < run && !stop; done++) {
            x = kind === 'cmps' ? load(from + done * size) : accumulator;
            y = load(to + done * size);
            stop = (x === y) !== whileEqual;
          }
          compare(state, size, x, y);
        }
      }
      const moved = done * size * (down ? -1 : 1);
      addTo(state, words.c, addressBytes, -done);
      if (usesSource) addTo(state, words.si, addressBytes, moved);
      if (usesDestination) addTo(state, words.di, addressBytes, moved);
      left -= done;
      if (stop) break;
    }
    return 0;
  };

  return [{ name: 'repeatString', operands: ['i32'], result: '', reads, writes, mayExit: true, run }];
}

const join = (low: number, high: number): bigint => (BigInt(high) << 32n) | BigInt(low >>> 0);

/** Copies elements upwards, each of which is read as a whole before it is written. */
function copyElements(bytes: Uint8Array, to: number, from: number, size: number, length: number): void {
  if (to <= from || to >= from + size) copyUpwards(bytes, to, from, length);
  else for (let done = 0; done < length; done += size) bytes.copyWithin(to + done, from + done, from + done + size);
}

/** Copies byte after byte upwards: where the destination begins inside the source, the bytes before it repeat. */
function copyUpwards(bytes: Uint8Array, to: number, from: number, length: number): void {
  if (to <= from || to >= from + length) {
    bytes.copyWithin(to, from, from + length);
    return;
  }
  // What has been written doubles with each step.
  for (let done = 0; done < length; ) {
    const part = Math.min(length - done, to - from + done);
    bytes.copyWithin(to + done, from, from + part);
    done += part;
  }
}

/** Fills memory with elements of `size` bytes, the low bytes of the register at `word`. */
function fill(bytes: Uint8Array, at: number, state: State, word: number, size: number, length: number): void {
  const element = Uint8Array.from({ length: size }, (_, n) => state.i32[word + (n >> 2)] >>> (8 * (n & 3)));
  if (element.every((byte) => byte === element[0])) {
    bytes.fill(element[0], at, at + length);
    return;
  }
  bytes.set(element, at);
  copyUpwards(bytes, at + size, at, length - size);
}
