/**
 * Helpers of x87's control instructions, and the images of its state in memory: environment (fnstenv), state (fnsave), and
 * the x87 part of fxsave (Intel SDM volume 1, sections 8.1.10 and 10.5.1).
 */
import { type Extended, exponentOf, integerBit } from '../float/extended.ts';
import type { Machine } from '../frontend.ts';
import { exitCode } from '../ir/operations.ts';
import { header, type RegisterFile, type State } from '../ir/state.ts';
import type { Type } from '../ir/types.ts';
import type { HelperRow, Run } from './x87-helper-row.ts';
import { leaveWithFault } from './x87-transfer.ts';
import { pending, X87 } from './x87-unit.ts';

/** Bytes of an environment, by operand size 2 and 4; the eight registers that fnsave stores behind it. */
const environmentSize = { 2: 14, 4: 28 } as const;
const registersSize = 80;

/** Kinds of registers in the full tag word. */
const tag = { valid: 0, zero: 1, special: 2, empty: 3 } as const;

function tagOf(value: Extended): number {
  const exponent = exponentOf(value);
  if (exponent === 0) return value.significand === 0n ? tag.zero : tag.special;
  return exponent === 0x7fff || (value.significand & integerBit) === 0n ? tag.special : tag.valid;
}

/** The tag word as the environment has it: two bits for each physical register. */
function fullTags(unit: X87): number {
  let tags = 0;
  for (let n = 7; n >= 0; n--) {
    const isUsed = (unit.tagBits & (1 << n)) !== 0;
    tags = (tags << 2) | (isUsed ? tagOf(unit.register(n)) : tag.empty);
  }
  return tags;
}

function abridgedTags(tags: number): number {
  let bits = 0;
  for (let n = 0; n < 8; n++) if (((tags >> (2 * n)) & 3) !== tag.empty) bits |= 1 << n;
  return bits;
}

const prefixes = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);

/** The opcode of the instruction at an address, as the environment has it: the low three bits of its first byte, and the second. */
function opcodeAt(machine: Pick<Machine, 'loadByte'>, address: number, hasRex: boolean): number {
  let at = address;
  let byte = machine.loadByte(at);
  while (byte >= 0 && (prefixes.has(byte) || (hasRex && (byte & 0xf0) === 0x40))) byte = machine.loadByte(++at | 0);
  const second = machine.loadByte((at + 1) | 0);
  return byte < 0 || second < 0 ? 0 : ((byte & 7) << 8) | second;
}

function writeRegister(view: DataView, at: number, { head, significand }: Extended): void {
  view.setBigUint64(at, significand, true);
  view.setUint16(at + 8, head, true);
}

function readRegister(view: DataView, at: number): Extended {
  return { head: view.getUint16(at + 8, true), significand: view.getBigUint64(at, true) };
}

export function environmentRows(unit: X87, is64: boolean): readonly HelperRow[] {
  const rows: HelperRow[] = [];
  const define = (name: string, operands: readonly Type[], result: Type | '', run: Run): void => {
    rows.push([name, operands, result, run]);
  };
  const image = new DataView(new ArrayBuffer(environmentSize[4] + registersSize));
  const codeSelector = is64 ? 0x33 : 0x23;
  const dataSelector = is64 ? 0 : 0x2b;

  define('wait', [], '', (state) => {
    unit.of(state);
    if ((unit.statusWord & pending) === 0) return 0;
    state.i32[header.exit >> 2] = exitCode.floating_point;
    state.i32[header.detail >> 2] = unit.statusWord & ~unit.controlWord & 0x3f;
    return 0;
  });
  define('initialize', [], '', (state) => {
    unit.of(state).initialize();
    return 0;
  });
  define('clear', [], '', (state) => {
    unit.of(state).clearExceptions();
    return 0;
  });
  /** Sets the control word. Where it unmasks an exception, instructions must look for pending ones: exact lifting does. */
  const control = (machine: Machine, value: number): void => {
    unit.controlWord = value;
    if (unit.hasUnmasked) machine.requireExactFloatingPoint();
  };
  define('loadControl', ['i32'], '', (state, machine, value) => {
    unit.of(state);
    control(machine, value);
    return 0;
  });

  const writeEnvironment = (machine: Machine, state: State, size: 2 | 4): void => {
    const instruction = state.i32[unit.instruction];
    const data = state.i32[unit.data];
    const isKnown = instruction !== 0;
    const write = (n: number, value: number, isWide = false): void => {
      if (size === 2) image.setUint16(2 * n, value, true);
      else image.setUint32(4 * n, isWide ? value : value | 0xffff0000, true);
    };
    write(0, unit.controlWord);
    write(1, unit.statusWord);
    write(2, fullTags(unit));
    write(3, instruction, true);
    const opcode = isKnown && size === 4 ? opcodeAt(machine, instruction, is64) : 0;
    write(4, (isKnown ? codeSelector : 0) | (opcode << 16), true);
    write(5, data, true);
    write(6, data !== 0 ? dataSelector : 0);
  };
  const readEnvironment = (machine: Machine, state: State, size: 2 | 4): void => {
    const read = (n: number): number => image.getUint16(size * n, true);
    const address = (n: number): number => (size === 4 ? image.getInt32(4 * n, true) : read(n));
    control(machine, read(0));
    unit.statusWord = read(1);
    unit.tagBits = abridgedTags(read(2));
    state.i32[unit.instruction] = address(3);
    state.i32[unit.data] = address(5);
  };
  /** From the image to memory; false with a fault where the guest may not write. */
  const put = (state: State, machine: Machine, address: number, length: number): boolean => {
    for (let n = 0; n < length; n++) {
      const at = (address + n) | 0;
      if (machine.storeByte(at, image.getUint8(n))) continue;
      leaveWithFault(state, at, 2);
      return false;
    }
    return true;
  };
  const take = (state: State, machine: Machine, address: number, length: number): boolean => {
    for (let n = 0; n < length; n++) {
      const at = (address + n) | 0;
      const byte = machine.loadByte(at);
      if (byte < 0) {
        leaveWithFault(state, at, 1);
        return false;
      }
      image.setUint8(n, byte);
    }
    return true;
  };
  const sizeOf = (size: number): 2 | 4 => (size === 2 ? 2 : 4);

  define('storeEnvironment', ['i32', 'i32'], '', (state, machine, address, operandSize) => {
    unit.of(state);
    const size = sizeOf(operandSize);
    writeEnvironment(machine, state, size);
    if (put(state, machine, address, environmentSize[size])) unit.controlWord |= 0x3f;
    return 0;
  });
  define('loadEnvironment', ['i32', 'i32'], '', (state, machine, address, operandSize) => {
    unit.of(state);
    const size = sizeOf(operandSize);
    if (take(state, machine, address, environmentSize[size])) readEnvironment(machine, state, size);
    return 0;
  });
  define('save', ['i32', 'i32'], '', (state, machine, address, operandSize) => {
    unit.of(state);
    const size = sizeOf(operandSize);
    const start = environmentSize[size];
    writeEnvironment(machine, state, size);
    for (let i = 0; i < 8; i++) writeRegister(image, start + 10 * i, unit.register(unit.physical(i)));
    if (put(state, machine, address, start + registersSize)) unit.initialize();
    return 0;
  });
  define('restore', ['i32', 'i32'], '', (state, machine, address, operandSize) => {
    unit.of(state);
    const size = sizeOf(operandSize);
    const start = environmentSize[size];
    if (!take(state, machine, address, start + registersSize)) return 0;
    readEnvironment(machine, state, size);
    for (let i = 0; i < 8; i++) unit.setRegister(unit.physical(i), readRegister(image, start + 10 * i));
    return 0;
  });
  return rows;
}

/** The x87 part of an fxsave image: bytes 0 to 23 and 32 to 159. */
export class FxsaveX87 {
  private readonly unit: X87;

  constructor(file: RegisterFile) {
    this.unit = new X87(file);
  }

  /** Writes it. @param machine where code is read from, for the last instruction's opcode */
  write(state: State, image: DataView, machine?: Pick<Machine, 'loadByte'>): void {
    const unit = this.unit.of(state);
    image.setUint16(0, unit.controlWord, true);
    image.setUint16(2, unit.statusWord, true);
    image.setUint16(4, unit.tagBits, true);
    const instruction = state.i32[unit.instruction];
    image.setUint16(6, machine === undefined || instruction === 0 ? 0 : opcodeAt(machine, instruction, false), true);
    image.setUint32(8, instruction, true);
    image.setUint32(12, 0, true);
    image.setUint32(16, state.i32[unit.data], true);
    image.setUint32(20, 0, true);
    for (let i = 0; i < 8; i++) {
      const at = 32 + 16 * i;
      writeRegister(image, at, unit.register(unit.physical(i)));
      image.setUint16(at + 10, 0, true);
      image.setUint32(at + 12, 0, true);
    }
  }

  /** Reads it. @returns whether an exception is unmasked now: then exact lifting is asked for (Machine.requireExactFloatingPoint) */
  read(state: State, image: DataView): boolean {
    const unit = this.unit.of(state);
    unit.controlWord = image.getUint16(0, true);
    unit.statusWord = image.getUint16(2, true);
    unit.tagBits = image.getUint16(4, true);
    state.i32[unit.instruction] = image.getInt32(8, true);
    state.i32[unit.data] = image.getInt32(16, true);
    for (let i = 0; i < 8; i++) unit.setRegister(unit.physical(i), readRegister(image, 32 + 16 * i));
    return unit.hasUnmasked;
  }
}
