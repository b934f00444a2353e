/**
 * Conditions of breakpoints, as GDB compiles them: bytecode for a machine with a stack of 64-bit numbers (GDB manual,
 * appendix "The GDB Agent Expression Mechanism"). So a condition that is false costs no message.
 */

/** What an expression looks at. */
export interface AgentView {
  /** A register by its number in the target description, unsigned; undefined where there is none. */
  register(number: number): bigint | undefined;
  /** An unsigned number of `length` bytes in the guest's order; undefined where nothing is mapped. */
  memory(address: bigint, length: number): bigint | undefined;
}

/** Operations after which an expression counts as one that does not end. */
const longestEvaluation = 10_000;

const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value);
const flag = (value: boolean): bigint => (value ? 1n : 0n);

type Binary = (a: bigint, b: bigint) => bigint | undefined;

/** Operations on the two topmost numbers, `b` on top, as signed ones. @returns undefined: there is no result */
// biome-ignore format: one row per line
const binary: Readonly<Record<number, Binary>> = {
  2: (a, b) => a + b,
  3: (a, b) => a - b,
  4: (a, b) => a * b,
  5: (a, b) => (b === 0n ? undefined : a / b),
  6: (a, b) => (b === 0n ? undefined : unsigned(a) / unsigned(b)),
  7: (a, b) => (b === 0n ? undefined : a % b),
  8: (a, b) => (b === 0n ? undefined : unsigned(a) % unsigned(b)),
  9: (a, b) => (unsigned(b) > 63n ? 0n : a << b),
  10: (a, b) => a >> (unsigned(b) > 63n ? 63n : b),
  11: (a, b) => (unsigned(b) > 63n ? 0n : unsigned(a) >> b),
  15: (a, b) => a & b,
  16: (a, b) => a | b,
  17: (a, b) => a ^ b,
  19: (a, b) => flag(a === b),
  20: (a, b) => flag(a < b),
  21: (a, b) => flag(unsigned(a) < unsigned(b)),
};

const code = {
  logicalNot: 0x0e,
  bitNot: 0x12,
  signExtend: 0x16,
  ref8: 0x17,
  ref64: 0x1a,
  ifGoto: 0x20,
  goto: 0x21,
  const8: 0x22,
  const64: 0x25,
  register: 0x26,
  end: 0x27,
  duplicate: 0x28,
  pop: 0x29,
  zeroExtend: 0x2a,
  swap: 0x2b,
  pick: 0x32,
  rotate: 0x33,
} as const;

/**
 * Evaluates an expression.
 * @returns the number on top of the stack at its end, signed; undefined when it does not make sense, looks at what is not
 * there, or does not end
 */
export function evaluateAgentExpression(bytes: Uint8Array, view: AgentView): bigint | undefined {
  const stack: bigint[] = [];
  let at = 0;
  /** An unsigned operand, most significant byte first; NaN past the end. */
  const operand = (length: number): bigint | undefined => {
    if (at + length > bytes.length) return undefined;
    let value = 0n;
    for (let i = 0; i < length; i++) value = (value << 8n) | BigInt(bytes[at++]);
    return value;
  };
  const push = (value: bigint | undefined): boolean => {
    if (value === undefined) return false;
    stack.push(BigInt.asIntN(64, value));
    return true;
  };
  /** @returns whether the operation made sense */
  const perform = (operation: number): boolean => {
    if (operation in binary) {
      const [b, a] = [stack.pop(), stack.pop()];
      return a !== undefined && b !== undefined && push(binary[operation](a, b));
    }
    if (operation >= code.const8 && operation <= code.const64) return push(operand(1 << (operation - code.const8)));
    if (operation === code.register) {
      const number = operand(2);
      return number !== undefined && push(view.register(Number(number)));
    }
    if (operation === code.goto) {
      at = Number(operand(2) ?? -1n);
      return at >= 0;
    }
    if (operation === code.pick) {
      const depth = operand(1);
      return depth !== undefined && push(stack.at(-1 - Number(depth)));
    }
    if (operation === code.rotate) {
      const [c, b, a] = [stack.pop(), stack.pop(), stack.pop()];
      return push(c) && push(a) && push(b);
    }
    const top = stack.pop();
    if (top === undefined) return false;
    if (operation >= code.ref8 && operation <= code.ref64) {
      return push(view.memory(unsigned(top), 1 << (operation - code.ref8)));
    }
    switch (operation) {
      case code.logicalNot:
        return push(flag(top === 0n));
      case code.bitNot:
        return push(~top);
      case code.signExtend:
      case code.zeroExtend: {
        const bits = Number(operand(1) ?? 0n);
        if (bits === 0 || bits > 64) return false;
        return push(operation === code.signExtend ? BigInt.asIntN(bits, top) : BigInt.asUintN(bits, top));
      }
      case code.ifGoto: {
        const target = operand(2);
        if (target !== undefined && top !== 0n) at = Number(target);
        return target !== undefined;
      }
      case code.duplicate:
        return push(top) && push(top);
      case code.pop:
        return true;
      case code.swap: {
        const below = stack.pop();
        return push(top) && push(below);
      }
      default:
        return false;
    }
  };
  for (let count = 0; count < longestEvaluation && at < bytes.length; count++) {
    const operation = bytes[at++];
    if (operation === code.end) return stack.at(-1);
    if (!perform(operation)) return undefined;
  }
  return undefined;
}
