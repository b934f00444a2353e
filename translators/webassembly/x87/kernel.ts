/**
 * The x87 kernel: a module with the ordinary cases of x87 helpers, working on a thread's registers in place. Operands are
 * normal numbers and zeros, and results normal, with every rounding mode and precision, inexactness masked; everything else
 * is left, before any effect, to the helper itself.
 *
 * Its functions take the place of the helpers of the same names, for whoever calls helpers: a call from translated
 * WebAssembly stays in WebAssembly.
 */
import type { Helper } from '../../frontend.ts';
import type { State } from '../../ir/state.ts';
import type { FunctionType } from '../encoder.ts';
import { type ArithmeticCores, defineArithmeticCores } from './arithmetic.ts';
import { hasDefaultMode, inDefaultMode } from './default-mode.ts';
import {
  type Body,
  bitsOfDouble,
  type Callable,
  call,
  doubleOfBits,
  i32,
  load,
  ModuleWriter,
  type Variable,
} from './expressions.ts';
import { defineTransfers, sources } from './transfer.ts';
import { KernelBody, type KernelParts, type Number80, slowUnless, type X87Places } from './unit.ts';

const prefix = 'x87.';
const importModule = 'stele';

/** Arithmetic helpers, the function that does it, and whether it takes its operands in reverse. */
const arithmetic: readonly (readonly [
  name: string,
  core: keyof ArithmeticCores,
  reversed: boolean,
  negates: boolean,
])[] = [
  ['add', 'add', false, false],
  ['mul', 'multiply', false, false],
  ['sub', 'add', false, true],
  ['subr', 'add', true, true],
  ['div', 'divide', false, false],
  ['divr', 'divide', true, false],
];

function defineArithmetic(parts: KernelParts): void {
  const { define } = parts;
  const cores = defineArithmeticCores(parts);
  for (const [name, core, reversed, negates] of arithmetic) {
    /** Computes into a register and ends the function, or leaves for the helper. */
    const compute = (f: KernelBody, register: Variable, a: Number80, b: Number80, done: () => void): void => {
      const [first, second] = reversed ? [b, a] : [a, b];
      if (negates) f.negate(second);
      if (hasDefaultMode(core)) inDefaultMode(f, core, register, first, second, done);
      slowUnless(f, cores[core], register, first.significand, first.head, second.significand, second.head);
      done();
    };
    for (const { name: source, type, widen } of sources) {
      define(`${name}.${source}`, { parameters: [type], result: '' }, (f, [value]) => {
        const register = f.physical(0);
        f.slowIfEmpty(register);
        compute(f, register, f.read(register), widen(f, value), () => f.k.return());
      });
    }
    define(`${name}.top`, { parameters: ['i32'], result: '' }, (f, [i]) => {
      const register = f.physical(0);
      const other = f.physical(i);
      f.slowIfEitherEmpty(register, other);
      compute(f, register, f.read(register), f.read(other), () => f.k.return());
    });
    define(`${name}.other`, { parameters: ['i32', 'i32'], result: '' }, (f, [i, pops]) => {
      const register = f.physical(i);
      const other = f.physical(0);
      f.slowIfEitherEmpty(register, other);
      compute(f, register, f.read(register), f.read(other), () => {
        f.pop(pops);
        f.k.return();
      });
    });
  }
  define('sqrt', { parameters: [], result: '' }, (f) => {
    const register = f.physical(0);
    f.slowIfEmpty(register);
    const { significand, head } = f.read(register);
    slowUnless(f, cores.squareRoot, register, significand, head);
    f.k.return();
  });
}

/** Behind the name of a function: its form for callers in JavaScript. */
const fromMemory = ' from memory';

/** Between JavaScript and WebAssembly a double is left in memory: a call would not keep all bits of a NaN. */
function withoutDoubles({ parameters, result }: FunctionType): FunctionType {
  return { parameters: parameters.filter((type) => type !== 'f64'), result: result === 'f64' ? '' : result };
}

const hasDouble = ({ parameters, result }: FunctionType): boolean => parameters[0] === 'f64' || result === 'f64';

/** The module's bytes, and the helpers that it imports and exports, by name with their types. */
function encodeX87Kernel(
  places: X87Places,
  memoryPages: number,
): { bytes: Uint8Array<ArrayBuffer>; functions: ReadonlyMap<string, FunctionType> } {
  // Imports are numbered before functions: their names and types come from a first pass.
  const functions = new Map<string, FunctionType>();
  describe({
    define: (name, type) => functions.set(prefix + name, type),
    shared: (type) => ({ index: 0, type }),
  });
  const module = new ModuleWriter();
  const helpers = new Map<string, Callable>();
  for (const [name, type] of functions) helpers.set(name, module.import(name, withoutDoubles(type)));
  const body = (k: Body, write: (f: KernelBody, parameters: readonly Variable[]) => void): void =>
    k.block((leave) => write(new KernelBody(k, places, leave), k.parameters));
  describe({
    define: (shortName, type, write) => {
      const name = prefix + shortName;
      const fast = module.function(
        type,
        (k) => {
          body(k, write);
          const [first] = k.parameters;
          if (first?.type === 'f64') k.store(i32(0), places.operand, bitsOfDouble(first));
          const others = k.parameters.filter((parameter) => parameter.type !== 'f64');
          const helper = call(helpers.get(name) as Callable, ...others);
          if (type.result === 'f64') k.do(helper);
          k.return(type.result === 'f64' ? doubleOfBits(load('i64', i32(0), places.operand)) : helper);
        },
        name,
      );
      if (!hasDouble(type)) return;
      module.function(
        withoutDoubles(type),
        (k) => {
          const operand = doubleOfBits(load('i64', i32(0), places.operand));
          const result = call(fast, ...(type.parameters[0] === 'f64' ? [operand] : []), ...k.parameters);
          if (type.result === 'f64') k.store(i32(0), places.operand, bitsOfDouble(result));
          else k.return(result);
        },
        name + fromMemory,
      );
    },
    shared: (type, write) =>
      module.function(type, (k) => {
        body(k, write);
        k.return(0);
      }),
  });
  return { bytes: module.encode(importModule, memoryPages), functions };
}

function describe(parts: KernelParts): void {
  defineArithmetic(parts);
  defineTransfers(parts);
}

/** Where a thread's x87 registers lie. */
function x87Places(state: State): X87Places {
  const place = (name: string): number => state.base + state.register(name).offset;
  return {
    significand: place('mm0'),
    head: place('x87.head0'),
    top: place('x87.top'),
    tags: place('x87.tags'),
    status: place('x87.status'),
    control: place('x87.control'),
    second: place('x87.second'),
    operand: place('x87.operand'),
  };
}

type Numeric = (...operands: number[]) => number;

/** A thread's kernel, by the names of the helpers that its functions take the place of. */
export interface X87Kernel {
  /** For WebAssembly: with the operands and the result of the helper. */
  readonly forWebAssembly: ReadonlyMap<string, Numeric>;
  /** For JavaScript: to be called as the helper's `run`. */
  readonly forJavaScript: ReadonlyMap<string, Helper['run']>;
}

/** @param run a helper as a function of its operands, in the machine that it shall run in */
export function makeX87Kernel(
  memory: WebAssembly.Memory,
  state: State,
  helpers: readonly Helper[],
  run: (number: number) => Numeric,
): X87Kernel {
  const { bytes, functions } = encodeX87Kernel(x87Places(state), memory.buffer.byteLength >>> 16);
  const { f64 } = state;
  const operand = state.register('x87.operand').index;
  const imports: Record<string, WebAssembly.ImportValue> = { memory };
  for (const [name, { parameters, result }] of functions) {
    const helper = run(helpers.findIndex((candidate) => candidate.name === name));
    imports[name] =
      parameters[0] === 'f64'
        ? (second: number) => helper(f64[operand], second)
        : result === 'f64'
          ? () => {
              f64[operand] = helper();
              return 0;
            }
          : helper;
  }
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), { [importModule]: imports });
  const forWebAssembly = new Map<string, Numeric>();
  const forJavaScript = new Map<string, Helper['run']>();
  for (const [name, type] of functions) {
    const fast = exports[name] as Numeric;
    forWebAssembly.set(name, fast);
    if (!hasDouble(type)) {
      forJavaScript.set(name, (_state, _machine, a, b) => fast(a, b));
      continue;
    }
    const stored = exports[name + fromMemory] as Numeric;
    forJavaScript.set(name, (_state, _machine, a, b) => {
      if (type.parameters[0] === 'f64') f64[operand] = a;
      stored(b);
      return type.result === 'f64' ? f64[operand] : 0;
    });
  }
  return { forWebAssembly, forJavaScript };
}
