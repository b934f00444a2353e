/**
 * Helpers of SSE instructions: arithmetic with MXCSR kept exactly, and what the IR does not express. Singles come and go
 * as their bits (i32), vectors as halves (f64 values with their bits).
 *
 * An exception that is not masked sets the state's exit word to `floating_point` (detail: the exceptions as bits of
 * MXCSR, shifted left by 16, which tells them from those of x87), so the block is left before the instruction has changed a register.
 */
import type { Format } from '../float/arithmetic.ts';
import { fromHalves, highHalf, lowHalf } from '../float/bits.ts';
import type { Helper, Machine } from '../frontend.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type RegisterFile, type State } from '../ir/state.ts';
import type { Type } from '../ir/types.ts';
import { aesHelpers } from './aes.ts';
import { defaultMxcsr } from './registers.ts';
import { double, exceptions, operations, relation, SseUnit, single, singleBits, singleToDouble } from './sse-unit.ts';
import { compareStrings } from './string-compare.ts';
import { FxsaveX87 } from './x87-environment.ts';
import { leaveWithFault } from './x87-transfer.ts';

type Run = Helper['run'];

/** Where the detail of an exit has the exceptions of vectors. */
const vectorException = 16;

/** Bits of MXCSR that are not status. */
const controlBits = 0xffc0;

/** EFLAGS as comparisons set them: ZF bit 6, PF bit 2, CF bit 0. */
const comparisonFlags: Readonly<Record<number, number>> = {
  [relation.less]: 1,
  [relation.greater]: 0,
  [relation.equal]: 0x40,
  [relation.unordered]: 0x45,
};

export function sseHelpers(file: RegisterFile, is64: boolean): readonly Helper[] {
  const unit = new SseUnit();
  const { index } = file.registers[file.numbers.mxcsr];
  const helpers: Helper[] = [];

  /** Adds what was raised to MXCSR, and leaves where it is not masked. */
  const deliver = (state: State): void => {
    const raised = unit.reported;
    if (raised === 0) return;
    state.i32[index] = (unit.control | raised) ^ defaultMxcsr;
    const unmasked = unit.unmaskedOf(raised);
    if (unmasked === 0) return;
    state.i32[header.exit >> 2] = exitCode.floating_point;
    state.i32[header.detail >> 2] = unmasked << vectorException;
  };

  /**
   * A helper that computes with `unit`, whose exceptions it then adds to MXCSR. An instruction that needs two of them calls
   * `NAME.first` and right behind it `NAME.last`, which adds the exceptions of both.
   */
  const define = (
    name: string,
    operands: readonly Type[],
    result: Type | '',
    compute: (a: number, b: number, c: number) => number,
  ): void => {
    const add = (suffix: string, isFirst: boolean, isLast: boolean): void => {
      const run: Run = (state, _machine, a, b, c) => {
        if (isFirst) unit.begin(state.i32[index] ^ defaultMxcsr);
        const value = compute(a, b, c);
        if (isLast) deliver(state);
        return value;
      };
      const writes = isLast ? ['mxcsr'] : [];
      helpers.push({ name: `sse.${name}${suffix}`, operands, result, reads: ['mxcsr'], writes, mayExit: isLast, run });
    };
    add('', true, true);
    add('.first', true, false);
    add('.last', false, true);
  };

  /** Lane by lane of a half that holds two singles. */
  const lanes = (a: number, b: number, lane: (x: number, y: number) => number): number => {
    const low = lane(lowHalf(a), lowHalf(b));
    return fromHalves(low, lane(highHalf(a), highHalf(b)));
  };
  const maskOf = (condition: boolean): number => (condition ? -1 : 0);

  /**
   * The same operation in three forms: on doubles (`NAMEsd`), on the bits of a single (`NAMEss`), and on halves (`NAMEps`).
   * `lane` has numbers; it gives one.
   */
  const arithmetic = (name: string, lane: (a: number, b: number, format: Format) => number): void => {
    const onBits = (a: number, b: number): number => singleBits(lane(singleToDouble(a), singleToDouble(b), single));
    define(`${name}sd`, ['f64', 'f64'], 'f64', (a, b) => lane(a, b, double));
    define(`${name}ss`, ['i32', 'i32'], 'i32', onBits);
    define(`${name}ps`, ['f64', 'f64'], 'f64', (a, b) => lanes(a, b, onBits));
  };
  for (const [name, operation] of Object.entries(operations)) {
    arithmetic(name, (a, b, format) => unit.arithmetic(operation, a, b, format));
  }
  arithmetic('sqrt', (_, b, format) => unit.squareRoot(b, format));

  define('addsubps', ['f64', 'f64'], 'f64', (a, b) => {
    const lane = (name: string, x: number, y: number): number =>
      singleBits(unit.arithmetic(operations[name], singleToDouble(x), singleToDouble(y), single));
    const low = lane('sub', lowHalf(a), lowHalf(b));
    return fromHalves(low, lane('add', highHalf(a), highHalf(b)));
  });
  arithmetic('min', (a, b, format) => unit.extreme(a, b, false, format));
  arithmetic('max', (a, b, format) => unit.extreme(a, b, true, format));

  const comparedSingles = (a: number, b: number, predicate: number): number =>
    maskOf(unit.predicate(singleToDouble(a), singleToDouble(b), predicate, single));
  define('cmpsd', ['f64', 'f64', 'i32'], 'f64', (a, b, predicate) => {
    const mask = maskOf(unit.predicate(a, b, predicate, double));
    return fromHalves(mask, mask);
  });
  define('cmpss', ['i32', 'i32', 'i32'], 'i32', comparedSingles);
  define('cmpps', ['f64', 'f64', 'i32'], 'f64', (a, b, predicate) =>
    lanes(a, b, (x, y) => comparedSingles(x, y, predicate)),
  );
  define(
    'comisd',
    ['f64', 'f64', 'i32'],
    'i32',
    (a, b, quiet) => comparisonFlags[unit.compare(a, b, quiet !== 0, double)],
  );
  define(
    'comiss',
    ['i32', 'i32', 'i32'],
    'i32',
    (a, b, quiet) => comparisonFlags[unit.compare(singleToDouble(a), singleToDouble(b), quiet !== 0, single)],
  );

  // To integral values; the immediate is the instruction's.
  const integral = (a: number, immediate: number, format: Format): number =>
    unit.toIntegral(a, unit.modeOf(immediate), (immediate & 8) !== 0, format);
  const integralSingle = (a: number, immediate: number): number =>
    singleBits(integral(singleToDouble(a), immediate, single));
  define('roundsd', ['f64', 'i32'], 'f64', (a, immediate) => integral(a, immediate, double));
  define('roundss', ['i32', 'i32'], 'i32', integralSingle);
  define('roundps', ['f64', 'i32'], 'f64', (a, immediate) => lanes(a, 0, (x) => integralSingle(x, immediate)));

  // Conversions. `truncates`: towards zero, else as MXCSR says.
  const modeFor = (truncates: number): number => unit.modeOf(truncates !== 0 ? 3 : 4);
  const halvesOf = (value: bigint): number =>
    fromHalves(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)));
  const bitsOf = (value: number): bigint => (BigInt(highHalf(value)) << 32n) | BigInt(lowHalf(value) >>> 0);
  define('double_to_word', ['f64', 'i32'], 'i32', (a, truncates) => unit.toWord(a, modeFor(truncates), double));
  define('single_to_word', ['i32', 'i32'], 'i32', (a, truncates) =>
    unit.toWord(singleToDouble(a), modeFor(truncates), single),
  );
  define('singles_to_words', ['f64', 'i32'], 'f64', (a, truncates) =>
    lanes(a, 0, (x) => unit.toWord(singleToDouble(x), modeFor(truncates), single)),
  );
  define('double_to_doubleword', ['f64', 'i32'], 'f64', (a, truncates) =>
    halvesOf(unit.toDoubleword(a, modeFor(truncates), double)),
  );
  define('single_to_doubleword', ['i32', 'i32'], 'f64', (a, truncates) =>
    halvesOf(unit.toDoubleword(singleToDouble(a), modeFor(truncates), single)),
  );
  const wordToSingle = (a: number): number => singleBits(unit.fromInteger(BigInt(a), single));
  define('word_to_single', ['i32'], 'i32', wordToSingle);
  define('words_to_singles', ['f64'], 'f64', (a) => lanes(a, 0, wordToSingle));
  define('doubleword_to_single', ['f64'], 'i32', (a) => singleBits(unit.fromInteger(bitsOf(a), single)));
  define('doubleword_to_double', ['f64'], 'f64', (a) => unit.fromInteger(bitsOf(a), double));
  define('double_to_single', ['f64'], 'i32', (a) => unit.narrow(a));
  define('single_to_double', ['i32'], 'f64', (a) => unit.widen(a));

  // -- MXCSR

  /** Replaces MXCSR; says so when the mode is not the default one, or when exceptions are taken away or put in. */
  const setMxcsr = (state: State, machine: Machine, value: number): void => {
    const next = value ^ defaultMxcsr;
    if (((next ^ state.i32[index]) & exceptions) !== 0) machine.requireExactFloatingPoint();
    if ((next & controlBits) !== 0) machine.leaveDefaultFloatingPoint();
    state.i32[index] = next;
  };
  helpers.push({
    name: 'sse.set_mxcsr',
    operands: ['i32'],
    result: '',
    reads: ['mxcsr'],
    writes: ['mxcsr'],
    run: (state, machine, value) => {
      setMxcsr(state, machine, value);
      return 0;
    },
  });
  helpers.push({
    name: 'sse.mxcsr',
    operands: [],
    result: 'i32',
    reads: ['mxcsr'],
    writes: [],
    // What is computed before it in the same function must be exact, too.
    changesFloatingPointMode: true,
    run: (state, machine) => {
      machine.requireExactFloatingPoint();
      return state.i32[index] ^ defaultMxcsr;
    },
  });

  // -- fxsave and fxrstor (SDM volume 1, section 10.5.1)

  const x87 = new FxsaveX87(file);
  const image = new DataView(new ArrayBuffer(512));
  const vectors = (state: State, move: (word: number, at: number) => void): void => {
    const { offset } = state.register('xmm0');
    for (let word = 0; word < (is64 ? 64 : 32); word++) move((offset >> 2) + word, 160 + 4 * word);
  };
  const mxcsrAt = 24;
  const mxcsrMaskAt = 28;
  /** Bytes that fxsave leaves alone: reserved, and available to software. */
  const saved = 416;
  const everything = ['*'];
  helpers.push({
    name: 'sse.fxsave',
    operands: ['i32'],
    result: '',
    reads: everything,
    writes: [],
    mayExit: true,
    run: (state, machine, address) => {
      machine.requireExactFloatingPoint();
      for (let at = 0; at < saved; at += 4) image.setInt32(at, 0);
      x87.write(state, image, machine);
      image.setInt32(mxcsrAt, state.i32[index] ^ defaultMxcsr, true);
      image.setInt32(mxcsrMaskAt, 0xffff, true);
      vectors(state, (word, at) => image.setInt32(at, state.i32[word], true));
      const length = is64 ? saved : 288;
      for (let at = 0; at < length; at++) {
        if (machine.storeByte((address + at) | 0, image.getUint8(at))) continue;
        leaveWithFault(state, (address + at) | 0, 2);
        return 0;
      }
      return 0;
    },
  });
  helpers.push({
    name: 'sse.fxrstor',
    operands: ['i32'],
    result: '',
    reads: everything,
    writes: everything,
    mayExit: true,
    run: (state, machine, address) => {
      for (let at = 0; at < 512; at++) {
        const byte = machine.loadByte((address + at) | 0);
        if (byte < 0) {
          leaveWithFault(state, (address + at) | 0, 1);
          return 0;
        }
        image.setUint8(at, byte);
      }
      const mxcsr = image.getInt32(mxcsrAt, true);
      if ((mxcsr & ~0xffff) !== 0) {
        state.i32[header.exit >> 2] = exitCode.protection;
        state.i32[header.detail >> 2] = 0;
        return 0;
      }
      if (x87.read(state, image)) machine.requireExactFloatingPoint();
      setMxcsr(state, machine, mxcsr);
      vectors(state, (word, at) => {
        state.i32[word] = image.getInt32(at, true);
      });
      return 0;
    },
  });

  // -- what is no arithmetic of numbers

  const pure = (
    name: string,
    operands: readonly Type[],
    result: Type,
    run: (a: number, b: number, c: number) => number,
  ): void => {
    helpers.push({
      name: `sse.${name}`,
      operands,
      result,
      reads: [],
      writes: [],
      run: (_state, _machine, a, b, c) => run(a, b, c),
    });
  };
  const scratch = new Float64Array(2);
  const bytes = new Uint8Array(scratch.buffer);
  const halfwords = new Uint16Array(scratch.buffer);

  pure('least_halfword', ['f64', 'f64'], 'f64', (a, b) => {
    scratch[0] = a;
    scratch[1] = b;
    let lane = 0;
    for (let at = 1; at < 8; at++) if (halfwords[at] < halfwords[lane]) lane = at;
    return fromHalves(halfwords[lane] | (lane << 16), 0);
  });
  pure('sums_of_differences', ['f64', 'i32'], 'f64', (a, block) => {
    scratch[0] = a;
    for (let at = 0; at < 4; at++) {
      let sum = 0;
      for (let byte = 0; byte < 4; byte++) sum += Math.abs(bytes[at + byte] - ((block >>> (8 * byte)) & 0xff));
      halfwords[4 + at] = sum;
    }
    return scratch[1];
  });
  for (const [name, run] of aesHelpers) pure(name, ['f64', 'f64'], 'f64', run);

  // The guest may write all of these bytes.
  helpers.push({
    name: 'sse.store_masked',
    operands: ['i32', 'f64', 'f64'],
    result: '',
    reads: [],
    writes: [],
    run: (_state, machine, address, value, mask) => {
      scratch[0] = mask;
      scratch[1] = value;
      for (let at = 0; at < 8; at++) {
        if (bytes[at] >= 0x80) machine.storeByte((address + at) | 0, bytes[8 + at]);
      }
      return 0;
    },
  });

  const first = file.registers[file.numbers['vector.first']].offset >> 2;
  const second = file.registers[file.numbers['vector.second']].offset >> 2;
  helpers.push({
    name: 'sse.compare_strings',
    operands: ['i32', 'i32', 'i32'],
    result: 'i32',
    reads: ['vector.first', 'vector.second'],
    writes: [],
    run: (state, _machine, immediate, firstLength, secondLength) => {
      return compareStrings(state.i32, first, second, immediate, firstLength, secondLength);
    },
  });
  return helpers;
}
