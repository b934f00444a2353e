/** Makes functions of emitted source text: many in one go, since each call of the compiler has a price. */
import { operations } from '../ir/operations.ts';
import { calledFunctions } from '../ir/vector-halves.ts';
import { identifierOf } from '../ir/vector-operations.ts';
import type { EmittedRegion } from './region.ts';
import { javascriptRuntime } from './runtime.ts';

/** A translation: takes the depth of guest calls and gives the guest address to go on at (-1: see region.ts); a chained one gives a cell. */
export type Translation = (depth: number) => unknown;

/** Where generated functions find what they name besides the runtime. */
export interface Environment {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
  /** The cell of a guest address. */
  cell(pc: number): unknown;
  /** The function of a helper. */
  helper(number: number): unknown;
}

const runtimeNames = Object.keys(javascriptRuntime);
const runtimeValues = Object.values(javascriptRuntime);

/** Lines that V8 puts before a function's body when it is made by `new Function`. */
const headLines = 2;

export interface CompiledBatch {
  readonly functions: readonly Translation[];
  /** The script's name in stack traces. */
  readonly url: string;
  /** For each line of the script (from 1), the guest address that it came from, or -1. */
  readonly pcs: readonly number[];
}

/** Compiles regions into functions, in the same order. */
export function compile(regions: readonly EmittedRegion[], environment: Environment, url: string): CompiledBatch {
  const names = [...runtimeNames, ...environment.names];
  const values = [...runtimeValues, ...environment.values];
  const seen = new Set<string>();
  const add = (name: string, value: () => unknown): void => {
    if (seen.has(name)) return;
    seen.add(name);
    names.push(name);
    values.push(value());
  };
  // Lines count from 1, and the first of the body holds none of the functions.
  const pcs: number[] = new Array(headLines + 2).fill(-1);
  let text = 'return [';
  for (const region of regions) {
    for (const pc of region.cells) add(`c${pc.toString(16)}`, () => environment.cell(pc));
    for (const code of region.calls) {
      const name = identifierOf(operations[code].name);
      add(name, () => calledFunctions[name]);
    }
    for (const number of region.helpers) add(`h${number}`, () => environment.helper(number));
    for (const table of region.tables) add(table.name, () => table.selectors);
    // In parentheses V8 compiles it now: otherwise it would parse it twice, as it is called right away.
    text += `\n(${region.source}),`;
    for (const pc of region.pcs) pcs.push(pc);
  }
  text += `\n];\n//# sourceURL=${url}`;
  const functions = new Function(...names, text)(...values) as Translation[];
  return { functions, url, pcs };
}
