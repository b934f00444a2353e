/** Helpers of the integer instructions: wide division, segments, identification, time, checksums. */
import type { Helper, Machine } from '../frontend.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type State } from '../ir/state.ts';
import { cpuid } from './features.ts';
import { flatSelectors, fs, gs, rax, rbx, rcx, rdx, segmentNames, ss, type X86Registers } from './registers.ts';
import { threadSegments, threadSelector } from './thread-segments.ts';

/** The polynomial of iSCSI (CRC-32C), reversed: what one byte more makes of a checksum. */
const crcTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte;
  for (let bit = 0; bit < 8; bit++) sum = (sum >>> 1) ^ ((sum & 1) !== 0 ? 0x82f63b78 : 0);
  return sum;
});

/** The checksum after `bytes` more bytes, those of `source` from the lowest on. */
function crc32(start: number, source: number, bytes: number): number {
  let sum = start;
  for (let n = 0; n < bytes; n++) sum = (sum >>> 8) ^ crcTable[(sum ^ (source >>> (8 * n))) & 0xff];
  return sum;
}

export function systemHelpers(registers: X86Registers): readonly Helper[] {
  const { general, is64, file } = registers;
  const wordOf = (number: number): number => file.registers[number].offset >> 2;

  /** Writes the lower word of a register; the upper one of 64 bits is cleared. */
  const setWord = (state: State, number: number, value: number): void => {
    const word = wordOf(number);
    state.i32[word] = value;
    if (is64) state.i32[word + 1] = 0;
  };

  const leave = (state: State, reason: number): number => {
    state.i32[header.exit >> 2] = reason;
    state.i32[header.detail >> 2] = 0;
    return 0;
  };

  const indexOf = (number: number): number => file.registers[number].index;

  /** RDX:RAX / the scratch register. */
  const divide = (state: State, signed: boolean): number => {
    const { i64 } = state;
    const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
    const [low, high, divisor] = [rax, rdx, registers.scratch].map((number) => i64[indexOf(number)]);
    const dividend = ((signed ? high : unsigned(high)) << 64n) | unsigned(low);
    const by = signed ? divisor : unsigned(divisor);
    const quotient = dividend / by;
    if (quotient !== (signed ? BigInt.asIntN(64, quotient) : unsigned(quotient))) return leave(state, exitCode.divide);
    i64[indexOf(rax)] = quotient;
    i64[indexOf(rdx)] = dividend % by;
    return 0;
  };

  /** Loads a segment register: flat segments, none (not for SS), and the thread-local ones that are there. */
  const loadSegment = (state: State, _machine: Machine, segment: number, selector: number): number => {
    const { i32 } = state;
    const index = (selector >> 3) - threadSelector;
    const isThreadLocal = index >= 0 && index < threadSegments && (selector & 4) === 0;
    const isNone = (selector & ~3) === 0;
    let base = 0;
    if (isThreadLocal && ((i32[wordOf(registers.segmentsPresent)] >>> index) & 1) !== 0) {
      base = i32[wordOf(registers.segmentBase + index)];
    } else if (isNone ? segment === ss : !flatSelectors(is64).includes(selector | 3))
      return leave(state, exitCode.protection);
    if (segment === ss && (selector & 3) !== 3) return leave(state, exitCode.protection);
    i32[wordOf(registers.segment + segment)] = selector;
    if (segment === fs) setWord(state, registers.fsBase, base);
    else if (segment === gs) setWord(state, registers.gsBase, base);
    return 0;
  };

  const identify = (state: State): number => {
    const answer = cpuid(is64, state.i32[wordOf(rax)], state.i32[wordOf(rcx)]);
    for (const [n, number] of [rax, rbx, rcx, rdx].entries()) setWord(state, number, answer[n]);
    return 0;
  };

  const readTime = (state: State, machine: Machine): number => {
    const { low, high } = machine.timeBase();
    setWord(state, rax, low);
    setWord(state, rdx, high);
    return 0;
  };

  const dividend = [general[rax], general[rdx]];
  const answers = [rax, rbx, rcx, rdx].map((number) => general[number]);
  const bases = ['fs.base', 'gs.base'];
  const selectors = [...segmentNames];
  const descriptors = [...Array.from({ length: threadSegments }, (_, n) => `segment${n}.base`), 'segments.present'];
  // What leaves in the middle writes nothing; so what may be written is also read.
  // biome-ignore format: one helper per line
  return [
    { name: 'div128', operands: [], result: '', reads: [...dividend, 'scratch'], writes: dividend, mayExit: true, run: (state) => divide(state, false) },
    { name: 'idiv128', operands: [], result: '', reads: [...dividend, 'scratch'], writes: dividend, mayExit: true, run: (state) => divide(state, true) },
    { name: 'loadSegment', operands: ['i32', 'i32'], result: '', reads: [...descriptors, ...selectors, ...bases], writes: [...selectors, ...bases], mayExit: true, run: loadSegment },
    { name: 'cpuid', operands: [], result: '', reads: answers, writes: answers, run: identify },
    { name: 'rdtsc', operands: [], result: '', reads: [], writes: dividend, run: readTime },
    { name: 'crc32', operands: ['i32', 'i32', 'i32'], result: 'i32', reads: [], writes: [], run: (_state, _machine, start, source, bytes) => crc32(start, source, bytes) },
  ];
}
