/**
 * WebAssembly written by hand, as expressions of TypeScript: `add(multiply(a, b), shiftRight(c, 32))`. For the kernels, the
 * functions that translations call where a helper's ordinary case deserves better than JavaScript.
 */
import {
  ByteWriter,
  type FunctionType,
  type ValueType,
  valueType,
  writeHeader,
  writeMemoryImport,
  writeSection,
  writeTypes,
} from '../encoder.ts';

/** Code that pushes a value. */
export interface Expression {
  readonly type: ValueType;
  readonly write: (out: ByteWriter) => void;
}

/** An expression, or a constant of the type that its neighbour has. */
export type Operand = Expression | number | bigint;

export interface Variable extends Expression {
  readonly index: number;
}

const isExpression = (operand: Operand): operand is Expression => typeof operand === 'object';

function constant(type: ValueType, value: number | bigint): Expression {
  return {
    type,
    write: (out) => {
      if (type === 'i32') {
        out.byte(0x41);
        out.signed(Number(value));
      } else {
        const bits = BigInt.asIntN(64, BigInt(value));
        out.byte(0x42);
        out.signed64(Number(BigInt.asIntN(32, bits)), Number(bits >> 32n));
      }
    },
  };
}

export const i32 = (value: number): Expression => constant('i32', value);
export const i64 = (value: number | bigint): Expression => constant('i64', value);

function asType(type: ValueType, operand: Operand): Expression {
  return isExpression(operand) ? operand : constant(type, operand);
}

function typed(a: Operand, b: Operand): ValueType {
  const known = isExpression(a) ? a : b;
  if (!isExpression(known)) throw new TypeError('of two constants nothing tells the type');
  return known.type;
}

function applied(type: ValueType, opcode: number, ...operands: readonly Expression[]): Expression {
  return {
    type,
    write: (out) => {
      for (const { write } of operands) write(out);
      out.byte(opcode);
    },
  };
}

type Binary = (a: Operand, b: Operand) => Expression;

/** An instruction on two operands of one type, by its opcodes for i32 and i64. */
function binary(opcode32: number, opcode64: number, compares = false): Binary {
  return (a, b) => {
    const type = typed(a, b);
    const left = asType(type, a);
    const right = asType(type, b);
    if (left.type !== right.type) throw new TypeError(`${left.type} and ${right.type} do not go together`);
    return applied(compares ? 'i32' : type, type === 'i32' ? opcode32 : opcode64, left, right);
  };
}

export const add = binary(0x6a, 0x7c);
export const subtract = binary(0x6b, 0x7d);
export const multiply = binary(0x6c, 0x7e);
export const divideUnsigned = binary(0x6e, 0x80);
export const and = binary(0x71, 0x83);
export const or = binary(0x72, 0x84);
export const xor = binary(0x73, 0x85);
export const equal = binary(0x46, 0x51, true);
export const notEqual = binary(0x47, 0x52, true);
export const lessSigned = binary(0x48, 0x53, true);
export const lessUnsigned = binary(0x49, 0x54, true);
export const greaterSigned = binary(0x4a, 0x55, true);
export const greaterUnsigned = binary(0x4b, 0x56, true);
export const atLeastSigned = binary(0x4e, 0x59, true);
export const atLeastUnsigned = binary(0x4f, 0x5a, true);

/** A shift; the count may be an i32 whatever is shifted. */
function shift(opcode32: number, opcode64: number): (a: Expression, count: Operand) => Expression {
  return (a, count) => {
    const by = asType(a.type, count);
    return applied(a.type, a.type === 'i32' ? opcode32 : opcode64, a, by.type === a.type ? by : extend(by));
  };
}

export const shiftLeft = shift(0x74, 0x86);
/** With zeros in. */
export const shiftRight = shift(0x76, 0x88);

const unary = (type: ValueType, opcode: number) => (a: Expression) => applied(type, opcode, a);

export const isZero = (a: Expression): Expression => applied('i32', a.type === 'i32' ? 0x45 : 0x50, a);
export const leadingZeros = (a: Expression): Expression => applied(a.type, a.type === 'i32' ? 0x67 : 0x79, a);
/** The low word. */
export const wrap = unary('i32', 0xa7);
/** An i32 as an i64, with zeros. */
export const extend = unary('i64', 0xad);
export const extendSigned = unary('i64', 0xac);
/** The low 16 bits of an i64, sign-extended; the low 32. */
export const extend16 = unary('i64', 0xc3);
export const extend32 = unary('i64', 0xc4);
export const squareRoot = unary('f64', 0x9f);
export const multiplyDouble = (a: Expression, b: Expression): Expression => applied('f64', 0xa2, a, b);
export const divideDouble = (a: Expression, b: Expression): Expression => applied('f64', 0xa3, a, b);
export const addDouble = (a: Expression, b: Expression): Expression => applied('f64', 0xa0, a, b);
export const doubleOfUnsigned = unary('f64', 0xba);
export const doubleOfSigned = unary('f64', 0xb9);
export const bitsOfDouble = unary('i64', 0xbd);
export const doubleOfBits = unary('f64', 0xbf);

export function double(value: number): Expression {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  return {
    type: 'f64',
    write: (out) => {
      out.byte(0x44);
      out.word(bits.getInt32(4));
      out.word(bits.getInt32(0));
    },
  };
}

/** Towards zero, saturating. */
export function truncateToSigned(a: Expression): Expression {
  return {
    type: 'i64',
    write: (out) => {
      a.write(out);
      out.byte(0xfc);
      out.unsigned(6);
    },
  };
}

/** `a` when the condition is not 0, else `b`; both are computed. */
export function select(condition: Expression, a: Operand, b: Operand): Expression {
  const type = typed(a, b);
  return applied(type, 0x1b, asType(type, a), asType(type, b), condition);
}

/** Loads from an address of the memory plus a constant. */
export function load(type: 'i32' | 'i64', address: Expression, offset: number): Expression {
  return {
    type,
    write: (out) => {
      address.write(out);
      out.byte(type === 'i32' ? 0x28 : 0x29);
      out.unsigned(type === 'i32' ? 2 : 3);
      out.unsigned(offset);
    },
  };
}

/** A function that calls can name. */
export interface Callable {
  readonly index: number;
  readonly type: FunctionType;
}

export function call(target: Callable, ...operands: readonly Operand[]): Expression {
  const { type } = target;
  return {
    // Of a function without a result the type is of no account.
    type: type.result === '' ? 'i32' : type.result,
    write: (out) => {
      operands.forEach((operand, n) => {
        asType(type.parameters[n], operand).write(out);
      });
      out.byte(0x10);
      out.unsigned(target.index);
    },
  };
}

/** The body of a function: statements, one after the other. */
export class Body {
  readonly type: FunctionType;
  readonly parameters: readonly Variable[];
  readonly localTypes: ValueType[] = [];
  private readonly out = new ByteWriter(256);
  /** Open blocks and ifs. */
  private depth = 0;

  constructor(type: FunctionType) {
    this.type = type;
    this.parameters = type.parameters.map(variable);
  }

  /** A new local, set to the value if there is one. */
  local(type: ValueType, value?: Operand): Variable {
    this.localTypes.push(type);
    const made = variable(type, this.parameters.length + this.localTypes.length - 1);
    if (value !== undefined) this.set(made, value);
    return made;
  }

  /** A new local with the value of an expression. */
  let(value: Expression): Variable {
    return this.local(value.type, value);
  }

  set(target: Variable, value: Operand): void {
    const expression = asType(target.type, value);
    if (expression.type !== target.type)
      throw new TypeError(`${expression.type} for a variable of type ${target.type}`);
    expression.write(this.out);
    this.out.byte(0x21);
    this.out.unsigned(target.index);
  }

  store(address: Expression, offset: number, value: Expression): void {
    address.write(this.out);
    value.write(this.out);
    this.out.byte(value.type === 'i32' ? 0x36 : 0x37);
    this.out.unsigned(value.type === 'i32' ? 2 : 3);
    this.out.unsigned(offset);
  }

  if(condition: Expression, then: () => void, otherwise?: () => void): void {
    condition.write(this.out);
    this.out.byte(0x04);
    this.out.byte(0x40);
    this.depth++;
    then();
    if (otherwise !== undefined) {
      this.out.byte(0x05);
      otherwise();
    }
    this.depth--;
    this.out.byte(0x0b);
  }

  /** Statements that `leave` may leave. */
  block(statements: (leave: (condition: Expression) => void) => void): void {
    this.out.byte(0x02);
    this.out.byte(0x40);
    const level = this.depth++;
    statements((condition) => {
      condition.write(this.out);
      this.out.byte(0x0d);
      this.out.unsigned(this.depth - level - 1);
    });
    this.depth--;
    this.out.byte(0x0b);
  }

  /** @param value the result; where there is none, maybe a call to end with */
  return(value?: Operand): void {
    if (value !== undefined) asType(this.type.result === '' ? 'i32' : this.type.result, value).write(this.out);
    this.out.byte(0x0f);
  }

  /** Computes something for its effect: a call of a function without a result. */
  do(expression: Expression): void {
    expression.write(this.out);
  }

  /** The bytes of the function as the code section has them: locals and instructions. */
  finish(): Uint8Array {
    const code = new ByteWriter(this.out.length + 64);
    code.unsigned(this.localTypes.length);
    for (const type of this.localTypes) {
      code.unsigned(1);
      code.byte(valueType[type]);
    }
    code.append(this.out.finish());
    code.byte(0x0b);
    return code.finish();
  }
}

function variable(type: ValueType, index: number): Variable {
  return {
    type,
    index,
    write: (out) => {
      out.byte(0x20);
      out.unsigned(index);
    },
  };
}

/** A module of several functions over a shared memory. */
export class ModuleWriter {
  private readonly types: FunctionType[] = [];
  private readonly imports: { name: string; type: FunctionType }[] = [];
  private readonly bodies: Body[] = [];
  private readonly exports: { name: string; index: number }[] = [];

  /** Imports come before all functions. */
  import(name: string, type: FunctionType): Callable {
    this.imports.push({ name, type });
    return { index: this.imports.length - 1, type };
  }

  function(type: FunctionType, write: (body: Body) => void, exportName?: string): Callable {
    const body = new Body(type);
    write(body);
    this.bodies.push(body);
    const index = this.imports.length + this.bodies.length - 1;
    if (exportName !== undefined) this.exports.push({ name: exportName, index });
    return { index, type };
  }

  /** @param memoryPages of the shared memory that is imported as `memory`, like everything from the module `module` */
  encode(module: string, memoryPages: number): Uint8Array<ArrayBuffer> {
    const out = new ByteWriter(4096);
    writeHeader(out);
    const section = (id: number, write: (into: ByteWriter) => void): void => writeSection(out, id, write);
    const importTypes = this.imports.map(({ type }) => this.typeIndex(type));
    const bodyTypes = this.bodies.map(({ type }) => this.typeIndex(type));
    writeTypes(out, this.types);
    section(2, (into) => {
      into.unsigned(this.imports.length + 1);
      this.imports.forEach(({ name }, n) => {
        into.name(module);
        into.name(name);
        into.byte(0);
        into.unsigned(importTypes[n]);
      });
      writeMemoryImport(into, module, memoryPages);
    });
    section(3, (into) => {
      into.unsigned(bodyTypes.length);
      for (const type of bodyTypes) into.unsigned(type);
    });
    section(7, (into) => {
      into.unsigned(this.exports.length);
      for (const { name, index } of this.exports) {
        into.name(name);
        into.byte(0);
        into.unsigned(index);
      }
    });
    section(10, (into) => {
      into.unsigned(this.bodies.length);
      for (const body of this.bodies) {
        const code = body.finish();
        into.unsigned(code.length);
        into.append(code);
      }
    });
    return out.bytes.slice(0, out.length) as Uint8Array<ArrayBuffer>;
  }

  private typeIndex(type: FunctionType): number {
    const same = (other: FunctionType): boolean =>
      other.result === type.result && other.parameters.join() === type.parameters.join();
    const known = this.types.findIndex(same);
    return known >= 0 ? known : this.types.push(type) - 1;
  }
}
