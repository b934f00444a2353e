/** What PowerPC instructions need that the IR's operations do not express: functions that IR calls. */
import type { Helper, Machine } from '../frontend.ts';
import type { Builder, Value } from '../ir/builder.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type State } from '../ir/state.ts';
import { floatingPointHelpers } from './floating-point.ts';
import { powerpcRegisters, stringCount } from './registers.ts';

/** Bytes of a cache block: what dcbz clears and icbi invalidates (AT_DCACHEBSIZE of the auxiliary vector says the same). */
export const cacheBlockSize = 32;

const generalRegisters = powerpcRegisters.registers.slice(0, 32).map((register) => register.name);
const wordIndex = (register: number): number => powerpcRegisters.registers[register].index;

function fault(state: State, address: number, access: 1 | 2): void {
  state.i32[header.exit >> 2] = exitCode.fault;
  state.i32[header.detail >> 2] = address;
  state.i32[header.access >> 2] = access;
}

/** Loads as many bytes as XER says from `address` into the registers from `first` on, four each, around r31 to r0. */
function loadString(state: State, machine: Machine, address: number, first: number): number {
  const count = state.i32[wordIndex(stringCount)];
  // No register may change when a later byte faults.
  for (let i = 0; i < count; i++) {
    if (machine.loadByte((address + i) | 0) >= 0) continue;
    fault(state, (address + i) | 0, 1);
    return 0;
  }
  for (let i = 0; i < count; i += 4) {
    let word = 0;
    for (let j = 0; j < 4; j++) {
      word = (word << 8) | (i + j < count ? machine.loadByte((address + i + j) | 0) : 0);
    }
    state.i32[wordIndex((first + (i >> 2)) & 31)] = word;
  }
  return 0;
}

function storeString(state: State, machine: Machine, address: number, first: number): number {
  const count = state.i32[wordIndex(stringCount)];
  for (let i = 0; i < count; i++) {
    const word = state.i32[wordIndex((first + (i >> 2)) & 31)];
    if (machine.storeByte((address + i) | 0, (word >>> (24 - (i & 3) * 8)) & 255)) continue;
    fault(state, (address + i) | 0, 2);
    return 0;
  }
  return 0;
}

// lswx leaves some or, when it faults, all registers as they were: so it reads what it may write.
// biome-ignore format: one helper per line
const systemHelpers: readonly Helper[] = [
  { name: 'timeBaseLower', operands: [], result: 'i32', reads: [], writes: [], run: (_state, machine) => machine.timeBase().low | 0 },
  { name: 'timeBaseUpper', operands: [], result: 'i32', reads: [], writes: [], run: (_state, machine) => machine.timeBase().high | 0 },
  { name: 'icbi', operands: ['i32'], result: '', reads: [], writes: [], run: (_state, machine, address) => { machine.invalidateCode(address, cacheBlockSize); return 0; } },
  { name: 'lswx', operands: ['i32', 'i32'], result: '', reads: ['xer.count', ...generalRegisters], writes: generalRegisters, mayExit: true, run: loadString },
  { name: 'stswx', operands: ['i32', 'i32'], result: '', reads: ['xer.count', ...generalRegisters], writes: [], mayExit: true, run: storeString },
];

export const powerpcHelpers: readonly Helper[] = [...floatingPointHelpers, ...systemHelpers];

const numbers = new Map(powerpcHelpers.map((helper, number) => [helper.name, number]));
const written = powerpcHelpers.map((helper) =>
  helper.writes.includes('*') ? '*' : helper.writes.map((name) => powerpcRegisters.numbers[name]),
);

/** The number of the helper with this name. @throws RangeError when there is none */
export function helperNumber(name: string): number {
  const number = numbers.get(name);
  if (number === undefined) throw new RangeError(`there is no helper ${name}`);
  return number;
}

/** Calls a helper with what its declaration says about results and registers. */
export function callHelper(b: Builder, number: number, ...operands: readonly Value[]): Value {
  return b.helper(number, powerpcHelpers[number].result, operands, written[number]);
}
