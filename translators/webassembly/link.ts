/** Makes callable functions of emitted modules. */
import { runtime } from '../ir/runtime.ts';
import type { EmittedModule } from './emitted-module.ts';
import { encodeModule, exportName, type FunctionType, importModule, memoryName, tableName } from './encoder.ts';
import { FunctionWriter } from './function.ts';
import { fusedMultiplyAdd } from './instructions.ts';
import { translationType } from './slots.ts';

/** A translation in the table: takes the depth of guest calls and its slot, gives the guest address to go on at. */
export type TableFunction = (depth: number, slot: number) => number;

/** What translations import besides the operations' runtime. */
export interface LinkEnvironment {
  readonly memory: WebAssembly.Memory;
  readonly table: WebAssembly.Table;
  /** X, Y, V, G, N: see region.ts. */
  readonly functions: Readonly<Record<string, (...values: number[]) => number>>;
  /** Compiles a module in the way that suits the host; absent: as it does by itself. */
  readonly compile?: ((bytes: Uint8Array<ArrayBuffer>) => WebAssembly.Module) | undefined;
  /** A helper as a function of its operands. */
  helper(number: number): (...values: number[]) => number;
}

/** What linking needs of a module. */
export interface Linkable extends Pick<EmittedModule, 'name' | 'bytes' | 'traps'> {
  readonly imports: readonly { readonly name: string }[];
}

/** Compiles a module and gives its function. */
export function link(emitted: Linkable, environment: LinkEnvironment): TableFunction {
  const imports: Record<string, WebAssembly.ImportValue> = {
    [memoryName]: environment.memory,
    [tableName]: environment.table,
  };
  for (const { name } of emitted.imports) imports[name] = importOf(name, environment);
  const { compile = (bytes) => new WebAssembly.Module(bytes) } = environment;
  const instance = new WebAssembly.Instance(compile(emitted.bytes), { [importModule]: imports });
  return instance.exports[exportName] as TableFunction;
}

function importOf(name: string, environment: LinkEnvironment): WebAssembly.ImportValue {
  const own = environment.functions[name];
  if (own !== undefined) return own;
  if (/^h\d+$/.test(name)) return environment.helper(Number(name.slice(1)));
  const found = (runtime as unknown as Record<string, (...values: number[]) => number>)[name];
  if (found === undefined) throw new Error(`there is no function ${name} to import`);
  return found;
}

/**
 * Makes a table of translations, each of which calls `call` to begin with.
 * @returns the table, and the function that stands in it
 */
export function makeTable(
  entries: number,
  call: TableFunction,
  memory: WebAssembly.Memory,
  memoryPages: number,
): { table: WebAssembly.Table; stub: TableFunction } {
  const f = new FunctionWriter(2);
  f.get(0);
  f.get(1);
  f.call(f.import('call', translationType));
  const { bytes } = encodeModule({
    name: 'stub',
    type: translationType,
    locals: [],
    body: f.out.finish(),
    imports: f.imports,
    memoryPages,
    tableEntries: entries,
    makesTable: true,
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    [importModule]: { call, [memoryName]: memory },
  });
  return { table: exports[tableName] as WebAssembly.Table, stub: exports[exportName] as TableFunction };
}

/** Whether f64x2.relaxed_madd rounds once here; the specification leaves that to the host. */
export function hasFusedMultiplyAdd(): boolean {
  const type: FunctionType = { parameters: ['f64', 'f64', 'f64'], result: 'f64' };
  const f = new FunctionWriter(3);
  fusedMultiplyAdd({
    push: (operand) => f.get(operand),
    prefixed: (prefix, code) => f.prefixed(prefix, code),
    op: (code) => f.op(code),
  });
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
  try {
    const { bytes } = encodeModule({
      name: 'fma',
      type,
      locals: [],
      body: f.out.finish(),
      imports: [],
      memoryPages: 1,
    });
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
      [importModule]: { [memoryName]: memory },
    });
    const multiplyAdd = exports[exportName] as (...values: number[]) => number;
    // (1 + e)(1 - e) - 1 is -e * e, which two roundings make 0.
    const e = 2 ** -30;
    return multiplyAdd(1 + e, 1 - e, -1) === -e * e;
  } catch (error) {
    if (error instanceof WebAssembly.CompileError) return false;
    throw error;
  }
}
