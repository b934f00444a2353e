/**
 * Repeated string instructions, a helper for each. Upwards, runs of elements that memory allows are done at once; downwards,
 * and with addresses that wrap around, element by element. Where an element faults, the registers say how far it came, as on
 * the processor.
 */
import type { Helper, Machine } from '../frontend.ts';
import { firstForbidden } from '../ir/memory-access.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type State } from '../ir/state.ts';
import { pageShift, permission } from '../memory-view.ts';
import { fs, rax, rcx, rdi, rsi, type X86Registers } from './registers.ts';
import { log2 } from './values.ts';

export type StringKind = 'movs' | 'cmps' | 'stos' | 'lods' | 'scas';

/** The name of the helper that repeats an instruction. */
export const repeatHelper = (kind: StringKind): string => `rep_${kind}`;

/** The helpers' operand. @param segment Instruction.segment @param repeat Instruction.repeat */
export function packRepeat(size: number, addressSize: number, segment: number, repeat: number): number {
  const override = segment >= fs ? segment : 0;
  return log2(size) | (log2(addressSize) << 2) | (override << 4) | (repeat << 8);
}

/** While elements are equal, not while they differ. */
const repeatWhileEqual = 0xf3;

/** Elements that are few. */
const few = 16;
/** Bytes up to which words and bytes are copied one by one: calling TypedArray.copyWithin takes as long as copying some of them. */
const shortCopy = 64;

/** More elements than memory has are not looked at in one go. */
const longest = 0x1000_0000;

function leave(state: State, reason: number, address: number, access: number): number {
  const { i32 } = state;
  i32[header.exit >> 2] = reason;
  i32[header.detail >> 2] = address;
  i32[header.access >> 2] = access;
  return 0;
}

export function stringHelpers(registers: X86Registers): readonly Helper[] {
  const { general, is64, file } = registers;
  /** Index of a register's low word in State.i32. */
  const wordOf = (name: string): number => file.registers[file.numbers[name]].offset >> 2;
  const accumulatorWord = wordOf(general[rax]);
  const countWord = wordOf(general[rcx]);
  const sourceWord = wordOf(general[rsi]);
  const destinationWord = wordOf(general[rdi]);
  const carryWord = wordOf('flags.carry');
  const resultWord = wordOf('flags.result');
  const carriesWord = wordOf('flags.carries');
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

  const setPart = (state: State, word: number, value: bigint): void => {
    state.i32[word] = Number(BigInt.asIntN(32, value));
    if (is64) state.i32[word + 1] = Number(BigInt.asIntN(32, value >> 32n));
  };

  /** The flags of x - y, sign-extended elements of at most 4 bytes, as flags.ts has them. */
  const setFlags = (state: State, size: number, x: number, y: number): void => {
    const { i32 } = state;
    const unused = 32 - 8 * size;
    const result = ((x - y) << unused) >> unused;
    i32[carryWord] = x >>> 0 < y >>> 0 ? 1 : 0;
    i32[resultWord] = result;
    i32[carriesWord] = x ^ y ^ result;
    if (is64) {
      i32[resultWord + 1] = result >> 31;
      i32[carriesWord + 1] = i32[carriesWord] >> 31;
    }
  };

  /** The same of elements of 8 bytes. */
  const setWideFlags = (state: State, x: bigint, y: bigint): void => {
    const result = BigInt.asIntN(64, x - y);
    state.i32[carryWord] = BigInt.asUintN(64, x) < BigInt.asUintN(64, y) ? 1 : 0;
    setPart(state, resultWord, result);
    setPart(state, carriesWord, x ^ y ^ result);
  };

  const highOf = (state: State): number => (is64 ? state.i32[accumulatorWord + 1] : 0);

  /** The last of elements that were loaded. */
  const setAccumulator = (state: State, size: number, { memory }: Machine, at: number): void => {
    const { i32 } = state;
    const { view } = memory;
    const value = lowAt(view, at, size);
    if (size < 4) {
      const mask = size === 1 ? 0xff : 0xffff;
      i32[accumulatorWord] = (i32[accumulatorWord] & ~mask) | (value & mask);
      return;
    }
    i32[accumulatorWord] = value;
    if (is64) i32[accumulatorWord + 1] = size === 8 ? view.getInt32(at + 4, true) : 0;
  };

  /** The helper for one instruction. */
  const repeat = (kind: StringKind): Helper => {
    const usesSource = kind === 'movs' || kind === 'cmps' || kind === 'lods';
    const usesDestination = kind !== 'lods';
    const access = kind === 'movs' || kind === 'stos' ? permission.write : permission.read;

    /** Does `run` elements at these offsets of the buffer. @returns how many, negative when the repetition is over */
    const doRun = (state: State, machine: Machine, packed: number, to: number, from: number, run: number): number => {
      const size = 1 << (packed & 3);
      const { i32 } = state;
      const { bytes, memory } = machine;
      if (kind === 'movs') copyElements(machine, to, from, size, run * size);
      else if (kind === 'stos') fill(bytes, to, i32[accumulatorWord], highOf(state), size, run * size);
      else if (kind === 'lods') setAccumulator(state, size, machine, from + (run - 1) * size);
      else {
        const { view } = memory;
        const whileEqual = packed >>> 8 === repeatWhileEqual;
        const accumulator = i32[accumulatorWord];
        const done =
          kind === 'cmps'
            ? compareRuns(view, from, to, size, run, whileEqual)
            : scan(view, to, size, run, accumulator, highOf(state), whileEqual);
        const x = from + (done - 1) * size;
        const y = to + (done - 1) * size;
        if (size === 8) {
          const first = kind === 'cmps' ? view.getBigInt64(x, true) : state.i64[accumulatorWord >> 1];
          const second = view.getBigInt64(y, true);
          setWideFlags(state, first, second);
          return (first === second) === whileEqual ? done : -done;
        }
        const unused = 32 - 8 * size;
        const first = kind === 'cmps' ? lowAt(view, x, size) : (accumulator << unused) >> unused;
        const second = lowAt(view, y, size);
        setFlags(state, size, first, second);
        return (first === second) === whileEqual ? done : -done;
      }
      return run;
    };

    /** Copies some elements upwards within a page, as the C library's memcpy mostly does. @returns whether that is what there was to do */
    const copyFew = (state: State, machine: Machine, packed: number): boolean => {
      const { i32 } = state;
      // Addresses of 4 bytes without a segment's base.
      if (((packed >> 2) & 0x3f) !== 2 || i32[directionWord] !== 0) return false;
      const count = i32[countWord];
      if (count === 0) return true;
      if (count >>> 0 > few) return false;
      const { permissions, origin } = machine.memory;
      const size = 1 << (packed & 3);
      const length = count * size;
      const from = i32[sourceWord] >>> 0;
      const to = i32[destinationWord] >>> 0;
      if (from >>> pageShift !== (from + length - 1) >>> pageShift) return false;
      if (to >>> pageShift !== (to + length - 1) >>> pageShift) return false;
      if ((permissions[from >>> pageShift] & permission.read) === 0) return false;
      if ((permissions[to >>> pageShift] & permission.write) === 0) return false;
      copyElements(machine, origin + to, origin + from, size, length);
      addTo(state, countWord, 4, -count);
      addTo(state, sourceWord, 4, length);
      addTo(state, destinationWord, 4, length);
      return true;
    };

    const runAll = (state: State, machine: Machine, packed: number): number => {
      if (kind === 'movs' && copyFew(state, machine, packed)) return 0;
      const size = 1 << (packed & 3);
      const addressBytes = 1 << ((packed >> 2) & 3);
      const segment = (packed >> 4) & 15;
      const { origin, permissions } = machine.memory;
      const base = segment === 0 ? 0 : read(state, baseWords[segment - fs], is64 ? 8 : 4);
      const down = state.i32[directionWord] !== 0;
      let left = read(state, countWord, addressBytes);
      while (left > 0) {
        let from = usesSource ? read(state, sourceWord, addressBytes) + base : 0;
        if (!is64) from %= 0x1_0000_0000;
        const to = usesDestination ? read(state, destinationWord, addressBytes) : 0;
        if (from > 0xffff_ffff || to > 0xffff_ffff) return leave(state, exitCode.wide_address, 0, 0);
        // How many elements are done now: one, where the next one's address is not simply the next.
        let run = down || addressBytes === 2 ? 1 : Math.min(left, longest);
        if (usesSource) {
          const bad = firstForbidden(permissions, from, run * size, permission.read);
          if (bad >= 0 && bad < from + size) return leave(state, exitCode.fault, bad, permission.read);
          if (bad >= 0) run = Math.floor((bad - from) / size);
        }
        if (usesDestination) {
          const bad = firstForbidden(permissions, to, run * size, access);
          if (bad >= 0 && bad < to + size) return leave(state, exitCode.fault, bad, access);
          if (bad >= 0) run = Math.floor((bad - to) / size);
        }
        const result = doRun(state, machine, packed, origin + to, origin + from, run);
        const done = Math.abs(result);
        const moved = done * size * (down ? -1 : 1);
        addTo(state, countWord, addressBytes, -done);
        if (usesSource) addTo(state, sourceWord, addressBytes, moved);
        if (usesDestination) addTo(state, destinationWord, addressBytes, moved);
        if (result < 0) break;
        left -= done;
      }
      return 0;
    };

    const pointers = [general[rcx], ...(usesSource ? [general[rsi]] : []), ...(usesDestination ? [general[rdi]] : [])];
    const compares = kind === 'cmps' || kind === 'scas';
    // What may stay as it was is read, too.
    const writes = [
      ...pointers,
      ...(compares ? ['flags.carry', 'flags.result', 'flags.carries'] : []),
      ...(kind === 'lods' ? [general[rax]] : []),
    ];
    const reads = [...writes, ...(kind === 'stos' || kind === 'scas' ? [general[rax]] : []), 'flags.direction'];
    if (usesSource) reads.push('fs.base', 'gs.base');
    return { name: repeatHelper(kind), operands: ['i32'], result: '', reads, writes, mayExit: true, run: runAll };
  };

  return (['movs', 'cmps', 'stos', 'lods', 'scas'] as const).map(repeat);
}

/** The low word of an element, sign-extended. */
function lowAt(view: DataView, at: number, size: number): number {
  if (size === 1) return view.getInt8(at);
  return size === 2 ? view.getInt16(at, true) : view.getInt32(at, true);
}

/** Whether the two elements of 8 bytes have the same upper words; smaller ones have none. */
const sameAbove = (view: DataView, x: number, y: number, size: number): boolean =>
  size < 8 || view.getInt32(x + 4, true) === view.getInt32(y + 4, true);

/** Compares elements until one is equal, or is not. @returns how many were compared */
function compareRuns(view: DataView, x: number, y: number, size: number, run: number, whileEqual: boolean): number {
  for (let n = 0; n < run; n++) {
    const at = n * size;
    const equal = lowAt(view, x + at, size) === lowAt(view, y + at, size) && sameAbove(view, x + at, y + at, size);
    if (equal !== whileEqual) return n + 1;
  }
  return run;
}

/** The same with a value in the place of one side's elements. */
function scan(
  view: DataView,
  y: number,
  size: number,
  run: number,
  low: number,
  high: number,
  whileEqual: boolean,
): number {
  const unused = size < 4 ? 32 - 8 * size : 0;
  const value = (low << unused) >> unused;
  for (let n = 0; n < run; n++) {
    const at = y + n * size;
    const equal = lowAt(view, at, size) === value && (size < 8 || view.getInt32(at + 4, true) === high);
    if (equal !== whileEqual) return n + 1;
  }
  return run;
}

/** Copies elements upwards, each of which is read as a whole before it is written. */
function copyElements({ bytes, memory }: Machine, to: number, from: number, size: number, length: number): void {
  if (size === 4 && length <= shortCopy) {
    const { view } = memory;
    for (let done = 0; done < length; done += 4) view.setInt32(to + done, view.getInt32(from + done, true), true);
    return;
  }
  if (size === 1 && length <= few) {
    for (let done = 0; done < length; done++) bytes[to + done] = bytes[from + done];
    return;
  }
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

/** Fills memory with elements of `size` bytes. Copying what is there is several times as fast as TypedArray.fill in shared memory. */
function fill(bytes: Uint8Array, at: number, low: number, high: number, size: number, length: number): void {
  const first = Math.min(length, 16);
  for (let n = 0; n < first; n++) {
    const place = n & (size - 1);
    bytes[at + n] = (place < 4 ? low : high) >>> (8 * (place & 3));
  }
  if (length > first) copyUpwards(bytes, at + first, at, length - first);
}
