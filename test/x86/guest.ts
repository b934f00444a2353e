/** An x86 guest without a system: code in one page, data in another, registers by name. */
import { createEngine, type EngineName } from '../../src/engines/create-engine.ts';
import type { Engine } from '../../src/engines/engine.ts';
import type { findHostPages } from '../../src/host/page-protection.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { protection } from '../../src/memory/guest-memory.ts';
import { type ExitReason, exitReasons } from '../../translators/ir/operations.ts';
import { header, State } from '../../translators/ir/state.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';

export const codeAddress = 0x10000000;
/** Two pages that may be written, and one that may only be read; around them is nothing. */
export const dataAddress = 0x20000000;
export const dataSize = 0x2000;
export const readOnlyAddress = dataAddress + dataSize;

const int3 = 0xcc;

/** The bytes of a text in hexadecimal; blanks are for the eye. */
export const bytesOf = (text: string): number[] =>
  (text.replaceAll(' ', '').match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16));

export class X86Guest {
  readonly memory: AddressSpace;
  readonly state: State;
  private readonly engine: Engine;

  /** @param findPages the host's page protection, so that accesses trap; then faults are not precise */
  constructor(mode: 32 | 64, engine: EngineName = 'interpreted', findPages?: typeof findHostPages) {
    const memory = new AddressSpace('little', findPages);
    this.memory = memory;
    const frontend = x86Frontend(mode);
    this.state = new State(frontend.registers, memory.buffer, memory.allocateStateBlock());
    memory.map(codeAddress, 0x1000, protection.read | protection.execute);
    memory.map(dataAddress, dataSize, protection.read | protection.write);
    memory.map(readOnlyAddress, 0x1000, protection.read);
    this.engine = createEngine(engine, {
      frontend,
      memory,
      countInstructions: false,
      host: {
        systemCall: () => false,
        symbolAt: () => ({ name: 'code', start: codeAddress, size: 0x1000 }),
        timeBase: () => ({ low: 0x89abcdef | 0, high: 0x01234567 }),
      },
    });
    memory.onCodeChange = (start, length) => this.engine.invalidate(start, length);
    if (findPages === undefined) this.engine.requirePreciseFaults();
  }

  /** Runs code up to an exit; behind it is int3. Registers stay from run to run. */
  run(code: string | readonly number[]): ExitReason {
    const bytes = typeof code === 'string' ? bytesOf(code) : code;
    const page = new Uint8Array(0x1000).fill(int3);
    page.set(bytes);
    this.memory.poke(codeAddress, page);
    this.engine.invalidate(codeAddress, 0x1000);
    this.state.pc = codeAddress;
    this.engine.run(this.state);
    return exitReasons[this.state.i32[header.exit >> 2]];
  }

  /** The detail of the exit, unsigned. */
  get detail(): number {
    return this.state.i32[header.detail >> 2] >>> 0;
  }

  /** Bytes from the beginning of the code to where it was left. */
  get stoppedAt(): number {
    return this.state.pc - codeAddress;
  }

  get(name: string): bigint {
    const { type, index } = this.state.register(name);
    return type === 'i64' ? BigInt.asUintN(64, this.state.i64[index]) : BigInt(this.state.i32[index] >>> 0);
  }

  /** Several registers by name. */
  set(values: Readonly<Record<string, number | bigint>>): void {
    for (const [name, value] of Object.entries(values)) {
      const { type, index } = this.state.register(name);
      if (type === 'i64') this.state.i64[index] = BigInt.asIntN(64, BigInt(value));
      else this.state.i32[index] = Number(BigInt.asIntN(32, BigInt(value)));
    }
  }

  write(address: number, bytes: readonly number[]): void {
    this.memory.poke(address, Uint8Array.from(bytes));
  }

  read(address: number, length: number): number[] {
    return [...this.memory.peek(address, length)];
  }

  close(): void {
    this.engine.close();
  }
}
