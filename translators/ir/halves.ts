/**
 * A frontend with registers of 64 bits, seen by a backend that has none: the interpreter and generated JavaScript keep
 * each such register as two of 32 bits, at the same place of the state block, and lift with a builder of pairs
 * (pairs.ts). WebAssembly takes the frontend as it is. So one state block serves all.
 *
 * | register | halves |
 * | --- | --- |
 * | `rax`, i64 | `rax`, i32, and `rax.high`, i32 |
 * | `xmm0`, v128 | `xmm0`, f64, and `xmm0.high`, f64: doubles with these bits |
 */
import type { Frontend } from '../frontend.ts';
import { Builder } from './builder.ts';
import { Evaluator } from './evaluator.ts';
import { type HalvesFile, withPairs } from './pairs.ts';
import { type Register, type RegisterFile, registerFile } from './state.ts';
import { halfTypes, sizeOf } from './types.ts';

class HalvesBuilder extends withPairs(Builder) {}

class HalvesEvaluator extends withPairs(Evaluator) {
  override run(start: number): number {
    this.forgetPairs();
    return super.run(start);
  }
}

/** What inHalves (in-halves.ts) makes of a frontend with registers that come in halves. */
export function toHalves(frontend: Frontend): Frontend {
  const file = halvesOf(frontend.registers, frontend.byteOrder === 'little');
  const names = (whole: readonly string[]): string[] =>
    whole.flatMap((name) => {
      const number = frontend.registers.numbers[name];
      return name === '*' || file.highs[number] < 0 ? [name] : [name, highName(name)];
    });
  const halved: Frontend = {
    ...frontend,
    registers: file,
    helpers: frontend.helpers.map((helper) => ({
      ...helper,
      reads: names(helper.reads),
      writes: names(helper.writes),
    })),
    makeBuilder: (unit) => new HalvesBuilder(file, unit),
    makeEvaluator: (state, memory, fetch) => new HalvesEvaluator(halved, state, memory, fetch),
  };
  return halved;
}

const highName = (name: string): string => `${name}.high`;

function halvesOf(whole: RegisterFile, lowFirst: boolean): HalvesFile {
  const registers: Register[] = [];
  const lows = new Int16Array(whole.registers.length);
  const highs = new Int16Array(whole.registers.length).fill(-1);
  whole.registers.forEach((register, number) => {
    const type = halfTypes[register.type];
    lows[number] = registers.length;
    if (type === undefined) {
      registers.push(register);
      return;
    }
    const size = sizeOf[type];
    const half = (name: string, offset: number): Register => ({
      ...register,
      name,
      type,
      offset,
      index: offset / size,
    });
    registers.push(half(register.name, register.offset));
    highs[number] = registers.length;
    registers.push(half(highName(register.name), register.offset + size));
  });
  return { ...registerFile(registers), lows, highs, lowFirst };
}
