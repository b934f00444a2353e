/** A PowerPC thread for tests: a few pages of memory, and words of code run by the IR interpreter. */
import { AddressSpace } from '../../src/memory/address-space.ts';
import { protection } from '../../src/memory/guest-memory.ts';
import type { Frontend, LiftOptions, Machine } from '../../translators/frontend.ts';
import { Builder } from '../../translators/ir/builder.ts';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { exitReasons } from '../../translators/ir/operations.ts';
import { header, State } from '../../translators/ir/state.ts';
import type { Unit } from '../../translators/ir/unit.ts';
import { powerpc } from '../../translators/powerpc/frontend.ts';

/** Where the code, the data (one readable and writable page) and a read-only page lie; what follows is not mapped. */
export const codeAddress = 0x10000000;
export const dataAddress = 0x20000000;
export const readOnlyAddress = 0x20001000;

const conditions = ['lt', 'gt', 'eq', 'so'];

export class Guest {
  readonly memory = new AddressSpace('big');
  readonly state = new State(powerpc.registers, this.memory.buffer, this.memory.allocateStateBlock());
  /** What helpers asked for. */
  readonly requests: string[] = [];
  exact = true;
  /** What lies at `codeAddress`. */
  code: readonly number[] = [];
  readonly machine: Machine;
  private readonly interpreter: Interpreter;

  constructor(frontend: Frontend = powerpc) {
    const { memory, requests } = this;
    memory.map(dataAddress, 0x1000, protection.read | protection.write);
    memory.map(readOnlyAddress, 0x1000, protection.read);
    this.machine = {
      memory,
      bytes: new Uint8Array(memory.buffer),
      timeBase: () => ({ low: 0x89abcdef | 0, high: 0x01234567 }),
      invalidateCode: (address, length) => requests.push(`invalidate ${(address >>> 0).toString(16)} ${length}`),
      requireExactFloatingPoint: () => requests.push('exact'),
      leaveDefaultFloatingPoint: () => {},
      loadByte: (address) => (memory.allows(address >>> 0, 1, protection.read) ? memory.readU8(address >>> 0) : -1),
      storeByte: (address, value) => {
        if (!memory.allows(address >>> 0, 1, protection.write)) return false;
        memory.writeU8(address >>> 0, value);
        return true;
      },
    };
    this.interpreter = new Interpreter(frontend, this.state, memory, this.machine, (pc) => this.block(pc));
  }

  /**
   * Runs instructions as one block, up to a terminator or the last of them.
   * @returns the reason for an exit, `none` when the block just ended
   */
  run(words: readonly number[]): (typeof exitReasons)[number] {
    this.code = words;
    this.interpreter.invalidate(codeAddress, 4 * words.length);
    this.state.pc = codeAddress;
    this.state.i32[header.exit >> 2] = 0;
    this.interpreter.step();
    return exitReasons[this.state.i32[header.exit >> 2]];
  }

  /** The block's IR: lifted as the engines do it. */
  block(start: number): Unit {
    const builder = new Builder(powerpc.registers);
    const options: LiftOptions = { exactFloatingPoint: this.exact };
    builder.begin(start);
    let pc = start;
    const end = codeAddress + 4 * this.code.length;
    while (!builder.ended && pc < end) {
      pc += powerpc.lift(builder, (address) => this.code[(address - codeAddress) >> 2], pc, options);
    }
    if (!builder.ended) builder.jump(pc);
    builder.end(pc, (pc - start) >> 2);
    return builder.unit;
  }

  /** A register by name, unsigned; besides the frontend's names `cr` and `xer` as wholes; floating-point registers as bits. */
  get(name: string): bigint {
    if (name === 'cr') {
      let value = 0n;
      for (let bit = 0; bit < 32; bit++) {
        value = (value << 1n) | BigInt(this.state.get(`cr${bit >> 2}.${conditions[bit & 3]}`));
      }
      return value;
    }
    if (name === 'xer') {
      const { state } = this;
      const flags = (state.get('xer.so') << 31) | (state.get('xer.ov') << 30) | (state.get('xer.ca') << 29);
      return BigInt((flags | state.get('xer.count')) >>> 0);
    }
    const register = this.state.register(name);
    if (register.type === 'f64') return BigInt.asUintN(64, this.state.i64[register.index]);
    return BigInt(this.state.i32[register.index] >>> 0);
  }

  set(name: string, value: bigint): void {
    const { state } = this;
    if (name === 'cr') {
      for (let bit = 0; bit < 32; bit++) {
        state.set(`cr${bit >> 2}.${conditions[bit & 3]}`, Number((value >> BigInt(31 - bit)) & 1n));
      }
    } else if (name === 'xer') {
      state.set('xer.so', Number((value >> 31n) & 1n));
      state.set('xer.ov', Number((value >> 30n) & 1n));
      state.set('xer.ca', Number((value >> 29n) & 1n));
      state.set('xer.count', Number(value & 127n));
    } else {
      const register = state.register(name);
      if (register.type === 'f64') state.i64[register.index] = BigInt.asIntN(64, value);
      else state.i32[register.index] = Number(BigInt.asIntN(32, value));
    }
  }

  /** Sets every register to 0 and the data to the bytes 81, 82, 83… (64 of them, then zeros). */
  reset(): void {
    for (const register of powerpc.registers.registers) {
      if (register.type === 'f64') this.state.i64[register.index] = 0n;
      else this.state.i32[register.index] = 0;
    }
    this.state.set('reserve.address', -1);
    this.memory.writeBytes(dataAddress, pattern);
    this.requests.length = 0;
  }

  /** Names of registers with `cr` and `xer` as wholes, in the order of the tables of cases. */
  static readonly names: readonly string[] = [
    ...numbered('r'),
    ...['cr', 'xer', 'lr', 'ctr'],
    ...numbered('f'),
    'fpscr',
  ];
}

function numbered(letter: string): string[] {
  return Array.from({ length: 32 }, (_, number) => `${letter}${number}`);
}

/** The data that every case starts with. */
export const pattern = new Uint8Array(4096).map((_, index) => (index < 64 ? 0x81 + index : 0));
