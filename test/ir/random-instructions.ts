/**
 * Random units as frontends make them: guest instructions that share no values, each with one effect, behind whatever may
 * leave the block. So an engine may leave before any of them, and another tier may go on there.
 */
import fc from 'fast-check';
import { codes, exitCode, type Operation, operations } from '../../translators/ir/operations.ts';
import { Unit } from '../../translators/ir/unit.ts';
import { testHelpers, testRegisters } from './guest.ts';

const treeTypes = ['i32', 'i64', 'f64'] as const;
type TreeType = (typeof treeTypes)[number];
type Tree =
  | readonly [operation: Operation, operands: readonly Tree[]]
  | { readonly constant: bigint }
  | { readonly register: number };

/** Of the operations on doubles those that say what happens to each bit of a NaN. */
const exactOnDoubles = new Set(
  'neg abs select eq lt gt ge unordered from_halves low high convert_i32_s convert_i32_u'
    .split(' ')
    .map((n) => `f64.${n}`),
);
exactOnDoubles.add('i32.trunc_f64_s').add('i32.nearest_f64_s');

const pureOperations = (types: readonly TreeType[], result: TreeType): readonly Operation[] =>
  operations.filter(
    ({ flags, name, operands, result: made }) =>
      flags.has('pure') &&
      made === result &&
      operands.length > 0 &&
      operands.every((type) => types.includes(type as TreeType)) &&
      ((made !== 'f64' && !operands.includes('f64')) || exactOnDoubles.has(name)),
  );
/** Those that simplify in pairs, once more. */
const pairing = (result: TreeType): readonly Operation[] =>
  result === 'f64' ? [] : ['add', 'and', 'sub'].map((name) => operations[codes[`${result}.${name}`]]);
const constants = fc.oneof(
  fc.constantFrom(0n, 1n, -1n, 2n, 31n, 32n, 63n, 64n, 0xffffffffn, -0x80000000n, 0x100000000n, -(1n << 63n)),
  fc.bigInt({ min: -(1n << 63n), max: (1n << 63n) - 1n }),
);

/** Trees of pure operations whose leaves are constants and registers. */
function treesOf(types: readonly TreeType[]) {
  return fc.letrec<Record<TreeType, Tree>>((tie) => {
    const leaf = fc.oneof(
      constants.map((constant) => ({ constant })),
      fc.nat(2).map((register) => ({ register })),
    );
    const node = (choices: readonly Operation[]): fc.Arbitrary<Tree> =>
      fc
        .constantFrom(...choices)
        .chain((operation) =>
          fc
            .tuple(...operation.operands.map((operand) => tie(operand as TreeType)))
            .map((operands) => [operation, operands] as const),
        );
    const tree = (type: TreeType) => {
      const choices = [pureOperations(types, type), pairing(type)].filter((each) => each.length > 0);
      return fc.oneof({ depthSize: 'small', withCrossShrink: true }, leaf, ...choices.map(node));
    };
    return { i32: tree('i32'), i64: tree('i64'), f64: tree('f64') };
  });
}

type Emit = (unit: Unit, pc: number) => void;

function emitTree(unit: Unit, pc: number, type: TreeType, tree: Tree): number {
  if ('constant' in tree) {
    const [low, high] = [Number(BigInt.asIntN(32, tree.constant)), Number(tree.constant >> 32n)];
    if (type === 'i32') return unit.append(codes['i32.const'], -1, -1, -1, low, pc);
    return unit.append(codes[`${type}.const`], low, high, -1, 0, pc);
  }
  if ('register' in tree) return unit.append(codes[`get.${type}`], -1, -1, -1, registerNamed(type, tree.register), pc);
  const [operation, operands] = tree;
  const words = operands.map((operand, at) => emitTree(unit, pc, operation.operands[at] as TreeType, operand));
  return unit.append(operation.code, words[0], words[1] ?? -1, words[2] ?? -1, 0, pc);
}

const registerNamed = (type: TreeType, number: number): number =>
  testRegisters.numbers[`${{ i32: 'r', i64: 'd', f64: 'f' }[type]}${number}`];

function emitSet(unit: Unit, pc: number, type: TreeType, register: number, value: number): void {
  unit.append(codes[`set.${type}`], value, -1, -1, registerNamed(type, register), pc);
}

/** An instruction that computes an expression and writes it to a register. */
function settings(types: readonly TreeType[]): fc.Arbitrary<Emit> {
  const trees = treesOf(types);
  return fc.oneof(
    ...types.map((type) =>
      fc.tuple(trees[type], fc.nat(3)).map(
        ([tree, register]): Emit =>
          (unit, pc) => {
            emitSet(unit, pc, type, register, emitTree(unit, pc, type, tree));
          },
      ),
    ),
  );
}

const trees = treesOf(treeTypes);

/** Addresses on the test guest's pages, about their borders, and far from them. */
const addresses: fc.Arbitrary<(unit: Unit, pc: number) => number> = fc.oneof(
  fc
    .constantFrom(0x2000, 0x2ffd, 0x2fff, 0x3ff9, 0x3ffe, 0x4008, 0x4fff, 0x5ffc, 0x1ffe, -4, 0)
    .map((address) => (unit: Unit, pc: number) => unit.append(codes['i32.const'], -1, -1, -1, address, pc)),
  fc.tuple(fc.nat(2), fc.constantFrom(0x1ff8, 0x3fff)).map(([register, mask]) => (unit: Unit, pc: number) => {
    const value = unit.append(codes['get.i32'], -1, -1, -1, registerNamed('i32', register), pc);
    const masked = unit.append(
      codes['i32.and'],
      value,
      unit.append(codes['i32.const'], -1, -1, -1, mask, pc),
      -1,
      0,
      pc,
    );
    return unit.append(codes['i32.add'], masked, unit.append(codes['i32.const'], -1, -1, -1, 0x2000, pc), -1, 0, pc);
  }),
  fc
    .nat(2)
    .map(
      (register) => (unit: Unit, pc: number) =>
        unit.append(codes['get.i32'], -1, -1, -1, registerNamed('i32', register), pc),
    ),
);
/** Near ones, which may stand in a host's instruction, and far ones that wrap around. */
const displacements = fc.oneof(
  fc.integer({ min: -40, max: 40 }),
  fc.constantFrom(-0x8000, 0x12000, -0x12000, -0x7fff0000),
);

const moves = operations.filter(
  ({ bytes, flags, name, operands, result }) =>
    bytes > 0 &&
    /^(load|store)/.test(name) &&
    treeTypes.includes((flags.has('load') ? result : operands[1]) as TreeType),
);

const accesses: fc.Arbitrary<Emit> = fc.constantFrom(...moves).chain((operation) => {
  const { flags, name } = operation;
  const type = (flags.has('load') ? operation.result : operation.operands[1]) as TreeType;
  const isReversible = !name.endsWith('.f64');
  return fc.tuple(addresses, displacements, trees[type], fc.nat(3), isReversible ? fc.nat(1) : fc.constant(0)).map(
    ([address, displacement, tree, register, order]): Emit =>
      (unit, pc) => {
        if (flags.has('load')) {
          const value = unit.append(operation.code, address(unit, pc), -1, order, displacement, pc);
          emitSet(unit, pc, type, register, value);
        } else {
          const value = emitTree(unit, pc, type, tree);
          unit.append(operation.code, address(unit, pc), value, order, displacement, pc);
        }
      },
  );
});

const checks: fc.Arbitrary<Emit> = fc
  .tuple(addresses, displacements, fc.integer({ min: 1, max: 200 }), fc.constantFrom(1, 2))
  .map(
    ([address, displacement, bytes, access]): Emit =>
      (unit, pc) => {
        unit.append(codes.check, address(unit, pc), bytes, access, displacement, pc);
      },
  );

const exits: fc.Arbitrary<Emit> = fc.tuple(trees.i32, fc.integer({ min: 2, max: 5 }), fc.nat(99)).map(
  ([tree, reason, detail]): Emit =>
    (unit, pc) => {
      unit.append(codes.exit_if, emitTree(unit, pc, 'i32', tree), detail, -1, reason, pc);
    },
);

const helpers: fc.Arbitrary<Emit> = fc.nat(testHelpers.length - 1).chain((number) => {
  const { operands, result } = testHelpers[number];
  const kind = result === '' ? 'none' : result;
  return fc.tuple(fc.nat(3), ...operands.map((type) => trees[type as TreeType])).map(
    ([register, ...values]): Emit =>
      (unit, pc) => {
        const words = values.map((tree, at) => emitTree(unit, pc, operands[at] as TreeType, tree));
        const made = unit.append(codes[`helper.${kind}`], words[0], words[1] ?? -1, words[2] ?? -1, number, pc);
        if (result !== '') emitSet(unit, pc, result as TreeType, register, made);
      },
  );
});

const target = fc.constantFrom(0x3000, 0x3004, 0x3100, -1, -2, 0x7ffffff0);
const ends: fc.Arbitrary<Emit> = fc.tuple(fc.nat(7), trees.i32, trees.i32, target, target).map(
  ([kind, condition, address, one, other]): Emit =>
    (unit, pc) => {
      const value = (tree: Tree): number => emitTree(unit, pc, 'i32', tree);
      const append = (name: string, a: number, b: number, imm: number) => unit.append(codes[name], a, b, -1, imm, pc);
      const outside = (): number => {
        // No way back into the unit.
        const bit = unit.append(codes['i32.const'], -1, -1, -1, 0x3000, pc);
        return unit.append(codes['i32.or'], value(address), bit, -1, 0, pc);
      };
      if (kind === 0) append('jump', -1, -1, one);
      else if (kind === 1) append('branch', value(condition), other, one);
      else if (kind === 2) append('return', outside(), -1, 0);
      else if (kind === 3) append('jump_indirect', outside(), -1, 0);
      else if (kind === 4) append('branch_return', value(condition), outside(), one);
      else if (kind === 5) append('branch_indirect', value(condition), outside(), one);
      else if (kind === 6) append('system_call', -1, 0x3000, 0);
      else append('exit', -1, 5, exitCode.trap);
    },
);

function unitOf(instructions: readonly Emit[], end: Emit): Unit {
  const unit = new Unit(16);
  const start = 0x1000;
  let pc = start;
  for (const emit of [...instructions, end]) {
    emit(unit, pc);
    pc += 4;
  }
  unit.blocks.push({ pc: start, first: 0, end: unit.count, guestInstructions: instructions.length + 1, endPc: pc });
  return unit;
}

/** Units of a few instructions, each of which computes an integer expression and writes it to a register. */
export const expressionUnit: fc.Arbitrary<Unit> = fc
  .array(settings(['i32', 'i64']), { minLength: 1, maxLength: 3 })
  .map((instructions) =>
    unitOf(instructions, (unit, pc) => {
      unit.append(codes.jump, -1, -1, -1, pc + 4, pc);
    }),
  );

/** Units of instructions of every kind. */
export const instructionUnit: fc.Arbitrary<Unit> = fc
  .tuple(
    fc.array(fc.oneof(settings(treeTypes), settings(treeTypes), accesses, accesses, checks, exits, helpers), {
      minLength: 1,
      maxLength: 12,
    }),
    ends,
  )
  .map(([instructions, end]) => unitOf(instructions, end));
