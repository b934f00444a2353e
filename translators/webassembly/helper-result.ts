/**
 * Functions of JavaScript that give a double with any bits. V8 may make a signalling NaN quiet where a function that it
 * has not compiled yet returns it to WebAssembly; a half of a vector must stay as it is. So the result goes through memory.
 */
import { encodeModule, exportName, importModule, memoryName, type ValueType } from './encoder.ts';
import { FunctionWriter } from './function.ts';
import { wasm } from './opcodes.ts';

type Numeric = (...operands: number[]) => number;

/**
 * The function as one of WebAssembly that gives its result unchanged.
 * @param slot doubles of `memory`, and the index of one that is free
 * @param offset of that double in bytes
 */
export function withUnchangedResult(
  run: Numeric,
  parameters: readonly ValueType[],
  memory: WebAssembly.Memory,
  slot: { readonly doubles: Float64Array; readonly index: number; readonly offset: number },
): Numeric {
  const { doubles, index, offset } = slot;
  const store = (a: number, b: number, c: number): void => {
    doubles[index] = run(a, b, c);
  };
  const f = new FunctionWriter(parameters.length);
  for (let parameter = 0; parameter < parameters.length; parameter++) f.get(parameter);
  f.call(f.import('store', { parameters, result: '' }));
  f.i32(0);
  f.memory(wasm.f64_load, 3, offset);
  const { bytes } = encodeModule({
    name: 'result',
    type: { parameters, result: 'f64' },
    locals: [],
    body: f.out.finish(),
    imports: f.imports,
    memoryPages: memory.buffer.byteLength / 0x10000,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    [importModule]: { store: store as unknown as Numeric, [memoryName]: memory },
  });
  return exports[exportName] as Numeric;
}
