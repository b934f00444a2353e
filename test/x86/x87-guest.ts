/** An i386 thread for tests of x87 instructions: cases like those that test/x86/native/x87-runner.c runs on the processor. */
import { AddressSpace } from '../../src/memory/address-space.ts';
import { protection } from '../../src/memory/guest-memory.ts';
import type { Machine } from '../../translators/frontend.ts';
import { Builder } from '../../translators/ir/builder.ts';
import { Interpreter } from '../../translators/ir/interpreter.ts';
import { exitReasons } from '../../translators/ir/operations.ts';
import { header, State } from '../../translators/ir/state.ts';
import type { Unit } from '../../translators/ir/unit.ts';
import { makeX87Kernel } from '../../translators/webassembly/x87/kernel.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';

export const stateSize = 108;
export const memorySize = 16;
export const caseSize = 160;
export const answerSize = 128;

export const codeAddress = 0x10000000;
const imageAddress = 0x20000000;
const answerAddress = imageAddress + 256;
export const memoryAddress = imageAddress + 512;

const frontend = x86Frontend(32);
/** frstor [edi]; fnsave [ebx] */
const restore = [0xdd, 0x27];
const save = [0xdd, 0x33];

/** Sets CF, PF, ZF of EFLAGS in the parts that registers.ts describes; the other flags are 0. */
function setFlags(state: State, word: number): void {
  const carry = word & 1;
  const parity = (word >> 2) & 1;
  const zero = (word >> 6) & 1;
  state.set('flags.carry', carry | ((parity ^ zero) << 8));
  state.set('flags.result', zero ^ 1);
  state.set('flags.carries', carry << 31);
}

/** CF, PF, AF, ZF, SF and OF, with the bits that are always set. */
function flagsOf(state: State): number {
  const corrections = state.get('flags.carry');
  const result = state.get('flags.result');
  const carries = state.get('flags.carries');
  let byte = (result ^ (corrections >> 8)) & 0xff;
  let parity = 1;
  for (; byte !== 0; byte &= byte - 1) parity ^= 1;
  const carry = corrections & 1;
  const sign = (result < 0 ? 1 : 0) ^ ((corrections >> 1) & 1);
  const overflow = (carries < 0 ? 1 : 0) ^ carry;
  return 0x202 | carry | (parity << 2) | (carries & 16) | (result === 0 ? 0x40 : 0) | (sign << 7) | (overflow << 11);
}

export class X87Guest {
  readonly memory = new AddressSpace('little');
  readonly state = new State(frontend.registers, this.memory.buffer, this.memory.allocateStateBlock());
  private readonly interpreter: Interpreter;
  private code: readonly number[] = [];
  exact: boolean;
  /** Calls that the kernel left to helpers. */
  slowCalls = 0;

  /** @param withKernel helpers are the kernel's @param exact all exceptions are lifted, also unmasked ones */
  constructor(withKernel = false, exact = true) {
    const { memory, state } = this;
    this.exact = exact;
    memory.map(imageAddress, 0x1000, protection.read | protection.write);
    const machine: Machine = {
      memory,
      bytes: new Uint8Array(memory.buffer),
      timeBase: () => ({ low: 0, high: 0 }),
      invalidateCode: () => {},
      requireExactFloatingPoint: () => {},
      leaveDefaultFloatingPoint: () => {},
      loadByte: (address) => {
        const at = (address >>> 0) - codeAddress;
        if (at >= 0 && at < this.code.length) return this.code[at];
        return memory.allows(address >>> 0, 1, protection.read) ? memory.readU8(address >>> 0) : -1;
      },
      storeByte: (address, value) => {
        if (!memory.allows(address >>> 0, 1, protection.write)) return false;
        memory.writeU8(address >>> 0, value);
        return true;
      },
    };
    let used = frontend;
    if (withKernel) {
      const { helpers } = frontend;
      const kernel = makeX87Kernel(memory.memory, state, helpers, (number) => (a, b, c) => {
        this.slowCalls++;
        return helpers[number].run(state, machine, a, b, c);
      });
      used = {
        ...frontend,
        helpers: helpers.map((helper) => {
          const run = kernel.forJavaScript.get(helper.name);
          return run === undefined ? helper : { ...helper, run };
        }),
      };
    }
    this.interpreter = new Interpreter(used, state, memory, machine, (pc) => this.block(pc));
  }

  /** Runs code as one block, at `codeAddress`. @returns why it was left */
  execute(code: readonly number[]): (typeof exitReasons)[number] {
    this.code = code;
    this.interpreter.invalidate(codeAddress, 64);
    this.state.pc = codeAddress;
    this.state.i32[header.exit >> 2] = 0;
    this.interpreter.step();
    return exitReasons[this.state.i32[header.exit >> 2]];
  }

  private block(start: number): Unit {
    const builder = new Builder(frontend.registers);
    builder.begin(start);
    let pc = start;
    let count = 0;
    const end = codeAddress + this.code.length;
    const fetch = (address: number, length: number): number | undefined => {
      let value = 0;
      for (let n = 0; n < length; n++) value += (this.code[address - codeAddress + n] ?? 0x90) * 2 ** (8 * n);
      return value;
    };
    while (!builder.ended && pc < end) {
      pc += frontend.lift(builder, fetch, pc, { exactFloatingPoint: this.exact });
      count++;
    }
    if (!builder.ended) builder.jump(pc);
    builder.end(pc, count);
    return builder.unit;
  }

  /** Runs a case; the answer is as the native runner's. */
  run(test: Uint8Array): { answer: Uint8Array; exit: string } {
    const { memory, state } = this;
    const view = new DataView(test.buffer, test.byteOffset, test.byteLength);
    const length = view.getUint32(128, true);
    memory.writeBytes(imageAddress, test.subarray(0, stateSize));
    memory.writeBytes(memoryAddress, test.subarray(112, 128));
    state.set('edi', imageAddress);
    state.set('ebx', answerAddress);
    state.set('edx', memoryAddress);
    state.set('eax', 0);
    setFlags(state, view.getUint32(108, true));
    this.execute(restore);
    const exit = this.execute([...test.subarray(132, 132 + length)]);
    const flags = flagsOf(state);
    this.execute(save);
    const answer = new Uint8Array(answerSize);
    answer.set(memory.readBytes(answerAddress, stateSize));
    new DataView(answer.buffer).setUint16(stateSize, flags, true);
    new DataView(answer.buffer).setUint16(stateSize + 2, state.get('eax') & 0xffff, true);
    answer.set(memory.readBytes(memoryAddress, memorySize), 112);
    return { answer, exit };
  }
}
