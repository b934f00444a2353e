/** What translations use of WebAssembly beyond its first version, and whether the host has it. */
import { encodeModule, type ValueType } from './encoder.ts';
import { FunctionWriter } from './function.ts';
import { fusedMultiplyAdd, wasm } from './instructions.ts';

export interface Feature {
  readonly name: string;
  /** Whether translations cannot do without. */
  readonly isRequired: boolean;
  /** The result of `write`. */
  readonly result: ValueType;
  /** Its module has a table as that of translations. */
  readonly hasTable?: boolean;
  /** Writes a function body that is valid only where the feature is there. */
  write(f: FunctionWriter): void;
}

// biome-ignore format: one row per line
export const features: readonly Feature[] = [
  { name: 'shared memory', isRequired: true, result: 'i32', write: (f) => f.i32(0) },
  { name: 'atomic operations', isRequired: true, result: 'i32', write: writeAtomic },
  { name: 'tail calls', isRequired: true, result: 'i32', hasTable: true, write: (f) => { f.i32(0); f.callIndirect(wasm.return_call_indirect); } },
  { name: 'typed tables', isRequired: true, result: 'i32', hasTable: true, write: (f) => f.i32(0) },
  { name: 'sign extension', isRequired: true, result: 'i32', write: (f) => { f.i32(0); f.op(wasm.i32_extend16_s); } },
  { name: 'saturating conversions', isRequired: true, result: 'i32', write: (f) => { f.f64(0, 0); f.prefixed(0xfc, 0x02); } },
  { name: 'SIMD', isRequired: true, result: 'v128', write: (f) => f.v128([0, 0, 0, 0]) },
  { name: 'relaxed SIMD', isRequired: false, result: 'f64', write: writeRelaxed },
];

function writeAtomic(f: FunctionWriter): void {
  for (let operand = 0; operand < 3; operand++) f.i32(0);
  // i32.atomic.rmw.cmpxchg, aligned to 4 bytes, at offset 0
  f.prefixed(0xfe, 0x48);
  f.out.byte(2);
  f.out.byte(0);
}

function writeRelaxed(f: FunctionWriter): void {
  fusedMultiplyAdd({
    push: () => f.f64(0, 0),
    prefixed: (prefix, code) => f.prefixed(prefix, code),
    op: (code) => f.op(code),
  });
}

/** Whether the host accepts a feature, in a module such as a translation's. */
export function isSupported({ name, result, hasTable, write }: Feature): boolean {
  const f = new FunctionWriter(0);
  write(f);
  const { bytes } = encodeModule({
    name,
    type: { parameters: [], result },
    locals: f.localRuns(),
    body: f.out.finish(),
    imports: f.imports,
    memoryPages: 1,
    ...(hasTable ? { tableEntries: 1, makesTable: true } : {}),
  });
  return WebAssembly.validate(bytes);
}
