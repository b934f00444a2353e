/** A test guest's whole state, to be compared, and random states to begin with. */
import { createHash } from 'node:crypto';
import { header, type State } from '../../translators/ir/state.ts';
import { testRegisters } from './guest.ts';

/** Everything that the guest or the caller can see: registers as bits, header, memory. */
export function visible(state: State, buffer: ArrayBufferLike) {
  const registers = testRegisters.registers.map(({ name, type, index }) => {
    if (type === 'i32') return `${name}=${state.i32[index]}`;
    return `${name}=${BigInt.asUintN(64, state.i64[index]).toString(16)}`;
  });
  const { exit, detail, access, instructions } = header;
  return {
    registers: registers.join(' '),
    pc: state.pc,
    exit: state.i32[exit >> 2],
    detail: state.i32[detail >> 2],
    access: state.i32[access >> 2],
    instructions: state.f64[instructions >> 3],
    memory: createHash('sha256').update(new Uint8Array(buffer)).digest('hex'),
  };
}

/** Fills registers and memory with what a seed says. */
export function fill(state: State, buffer: ArrayBufferLike, seed: number): void {
  let x = seed | 1;
  const next = (): number => {
    x = Math.imul(x, 1664525) + 1013904223;
    return (x ^ (x >>> 13)) | 0;
  };
  for (const { type, offset, bit } of testRegisters.registers) {
    const value = next();
    // Some registers hold addresses, so that accesses through them succeed too.
    state.i32[offset >> 2] = bit ? value & 1 : (value & 3) === 0 ? 0x2000 + (value >>> 19) : value;
    if (type !== 'i32') state.i32[(offset >> 2) + 1] = next();
  }
  const words = new Int32Array(buffer as ArrayBuffer);
  for (let at = 0; at < words.length; at += 7) words[at] = next();
}
