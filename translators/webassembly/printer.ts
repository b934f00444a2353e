/** Prints the body of an emitted function as indented text, one instruction a line, in the names of the text format. */
import type { FunctionImport } from './encoder.ts';
import { opcodeNames, wasm } from './instructions.ts';
import { lanedCodes, simd, vectorCodeNames, vectorPrefix } from './vector-instructions.ts';

const memoryCodes: ReadonlySet<number> = new Set([
  simd.v128_load,
  simd.v128_load32_zero,
  simd.v128_load64_zero,
  simd.v128_store,
]);

/** Names of the prefixed instructions that the emitters use. */
const prefixedNames: Readonly<Record<number, Readonly<Record<number, string>>>> = {
  252: { 2: 'i32.trunc_sat_f64_s', 6: 'i64.trunc_sat_f64_s' },
  253: Object.fromEntries(vectorCodeNames),
  254: { 72: 'i32.atomic.rmw.cmpxchg' },
};

/** @param imports names of the functions that `call` may name */
export function printBody(body: Uint8Array, imports: readonly FunctionImport[]): string {
  return bodyLines(body, imports)
    .map(({ text }) => text)
    .join('\n');
}

/** An instruction, indented, and its offset in the body. */
export interface BodyLine {
  readonly offset: number;
  readonly text: string;
}

/** What printBody() joins. */
export function bodyLines(body: Uint8Array, imports: readonly FunctionImport[]): BodyLine[] {
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
  const lines: BodyLine[] = [];
  let depth = 1;
  while (at < body.length) {
    const offset = at;
    const opcode = body[at++];
    let text = opcodeNames.get(opcode) ?? `0x${opcode.toString(16)}`;
    const outdent = opcode === wasm.end || opcode === wasm.else ? 1 : 0;
    const indent = '  '.repeat(depth - outdent);
    if (opcode === wasm.block || opcode === wasm.loop || opcode === wasm.if) {
      const type = body[at++];
      if (type !== 0x40) text += ` (result ${{ 127: 'i32', 126: 'i64', 125: 'f32', 124: 'f64', 123: 'v128' }[type]})`;
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
      if (opcode === vectorPrefix) {
        if (lanedCodes.has(code)) text += ` ${body[at++]}`;
        if (code === simd.v128_const || code === simd.i8x16_shuffle) {
          text += ` ${[...body.subarray(at, at + 16)].join(' ')}`;
          at += 16;
        }
      }
      if (opcode === 0xfe || (opcode === vectorPrefix && memoryCodes.has(code))) {
        unsigned();
        text += ` offset=${unsigned()}`;
      }
    }
    lines.push({ offset, text: indent + text });
  }
  return lines;
}
