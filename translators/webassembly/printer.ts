/** Prints the body of an emitted function as indented text, one instruction a line, in the names of the text format. */
import type { FunctionImport } from './encoder.ts';
import { opcodeNames, wasm } from './instructions.ts';

/** Names of the prefixed instructions that the emitters use. */
const prefixedNames: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  252: { 2: 'i32.trunc_sat_f64_s' },
  253: { 20: 'f64x2.splat', 33: 'f64x2.extract_lane', 263: 'f64x2.relaxed_madd' },
  254: { 72: 'i32.atomic.rmw.cmpxchg' },
};

/** @param imports names of the functions that `call` may name */
export function printBody(body: Uint8Array, imports: readonly FunctionImport[]): string {
  let at = 0;
  const unsigned = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = body[at++];
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  const signed = (): bigint => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = body[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(Number(shift) + 7, value);
    }
  };
  const lines: string[] = [];
  let depth = 1;
  while (at < body.length) {
    const opcode = body[at++];
    let text = opcodeNames.get(opcode) ?? `0x${opcode.toString(16)}`;
    const outdent = opcode === wasm.end || opcode === wasm.else ? 1 : 0;
    const indent = '  '.repeat(depth - outdent);
    if (opcode === wasm.block || opcode === wasm.loop || opcode === wasm.if) {
      const type = body[at++];
      if (type !== 0x40) text += ` (result ${{ 127: 'i32', 126: 'i64', 124: 'f64' }[type]})`;
      depth++;
    } else if (opcode === wasm.end) {
      depth--;
    } else if (opcode === wasm.br || (opcode >= wasm.local_get && opcode <= wasm.local_tee)) {
      text += ` ${unsigned()}`;
    } else if (opcode === wasm.br_table) {
      for (let count = unsigned() + 1; count > 0; count--) text += ` ${unsigned()}`;
    } else if (opcode === wasm.call) {
      text += ` $${imports[unsigned()].name}`;
    } else if (opcode === wasm.call_indirect || opcode === wasm.return_call_indirect) {
      text += ` (type ${unsigned()})`;
      unsigned();
    } else if (opcode >= wasm.i32_load && opcode <= wasm.i32_store16) {
      unsigned();
      text += ` offset=${unsigned()}`;
    } else if (opcode === wasm.i32_const || opcode === wasm.i64_const) {
      text += ` ${signed()}`;
    } else if (opcode === wasm.f64_const) {
      text += ` ${new DataView(body.buffer, body.byteOffset + at, 8).getFloat64(0, true)}`;
      at += 8;
    } else if (prefixedNames[opcode] !== undefined) {
      const code = unsigned();
      text = prefixedNames[opcode][code] ?? `0x${opcode.toString(16)} ${code}`;
      if (code === 0x21) text += ` ${body[at++]}`;
      if (opcode === 0xfe) {
        unsigned();
        text += ` offset=${unsigned()}`;
      }
    }
    lines.push(indent + text);
  }
  return lines.join('\n');
}
