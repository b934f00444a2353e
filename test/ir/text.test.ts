import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { codes } from '../../translators/ir/operations.ts';
import { ParseError, parseUnit } from '../../translators/ir/parser.ts';
import { printUnit } from '../../translators/ir/printer.ts';
import { Unit } from '../../translators/ir/unit.ts';
import { verifyUnit } from '../../translators/ir/verifier.ts';
import { testNames } from './guest.ts';
import { randomUnit } from './random-units.ts';

const contents = (unit: Unit) => ({
  blocks: unit.blocks,
  words: [unit.op, unit.a, unit.b, unit.c, unit.imm, unit.pc].map((array) => [...array.subarray(0, unit.count)]),
});

describe('text form', () => {
  test('parses back to the same unit', () => {
    fc.assert(
      fc.property(randomUnit(20), (unit) => {
        expect(contents(parseUnit(printUnit(unit, testNames), testNames))).toEqual(contents(unit));
      }),
      { numRuns: 300 },
    );
  });

  test('random units keep the rules', () => {
    fc.assert(
      fc.property(randomUnit(20), (unit) => {
        expect(verifyUnit(unit, testNames)).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test('prints every kind of instruction readably', () => {
    const text = `block 0x10000100 (3 instructions, ends 0x1000010c)
  v0 = get.i32 r3
  v1 = i32.const -4
  v2 = i32.add v0, v1
  set.i32 r3, v2
 @ 0x10000104
  v4 = load16_u v0 - 8 reversed
  store32 v2 + 8, v0
  v6 = f64.const 0x7ff8000000000001
  v7 = f64.nan_of2 v6, v6, v6, 0x7ff80000
  v8 = helper.i32 combine(v0, v1, v4)
  helper.none accumulate(v0, v8)
  check v0 + 0, 128, write
  v11 = compare_exchange32 v0 + 0, v1, v2
  exit_if v11, trap, -1
 @ 0x10000108
  branch_return v11, v0 else 0x1000010c

block 0x20000000 (1 instruction, ends 0x20000004)
  call 0x10000100 link 0x20000004
`;
    expect(printUnit(parseUnit(text, testNames), testNames)).toBe(text);
  });

  test('comments stand behind guest addresses and are ignored', () => {
    const text = 'block 0x1000 (1 instruction, ends 0x1004) ; b 0x1004\n  jump 0x1004\n';
    const unit = parseUnit(text, testNames);
    expect(printUnit(unit, testNames, () => 'b 0x1004')).toBe(text);
  });

  // biome-ignore format: one case per line
  const wrong: [text: string, message: string][] = [
    ['  jump 0x0', 'line 1: an instruction outside a block'],
    ['block 0 (1 instruction, ends 4)\n  v0 = i32.frob v1', 'line 2: there is no operation i32.frob'],
    ['block 0 (1 instruction, ends 4)\n  i32.const 1', 'line 2: the value of i32.const needs a name'],
    ['block 0 (1 instruction, ends 4)\n  v0 = jump 0', 'line 2: jump makes no value'],
    ['block 0 (1 instruction, ends 4)\n  v0 = i32.neg v7', 'line 2: v7 is not defined here'],
    ['block 0 (1 instruction, ends 4)\n  v0 = get.i32 r99', 'line 2: there is no register r99'],
    ['block 0 (1 instruction, ends 4)\n  helper.none nobody()', 'line 2: there is no helper nobody'],
    ['block 0 (1 instruction, ends 4)\n  exit bored, 1', 'line 2: there is no exit reason bored'],
    ['block 0 (1 instruction, ends 4)\n  jump 0x100000000', 'line 2: 0x100000000 is not a 32-bit number'],
    ['block 0 (1 instruction, ends 4)\n  jump 0x10 0x20', "line 2: '0x20' is left over"],
    ['block 0 (1 instruction, ends 4)\n  v0 = i32.const 1\n  v0 = i32.const 2', 'line 3: v0 is defined twice'],
    ['block 0 (1 instruction, ends 4)\n  v0 = i32.const 1\n  v1 = i32.add v0 v0', "line 3: expected a comma at 'v0'"],
  ];
  test.each(wrong)('%j is an error', (text, message) => {
    expect(() => parseUnit(text, testNames)).toThrow(new ParseError(0, message).constructor);
    expect(() => parseUnit(text, testNames)).toThrow(message);
  });
});

describe('verifier', () => {
  // biome-ignore format: one case per line
  const wrong: [body: string, message: string][] = [
    ['v0 = i32.const 1', 'instruction 0, v0 = i32.const 1: the block does not end with a terminator'],
    ['jump 0x4\n  jump 0x4', 'instruction 0, jump 0x4: a terminator before the end of the block'],
    ['v0 = get.i32 f0\n  jump 0x4', 'instruction 0, v0 = get.i32 f0: register f0 is f64, not i32'],
    ['v0 = i64.const 0x1\n  set.i32 r0, v0\n  jump 0x4', 'instruction 1, set.i32 r0, v0: operand 1 is v0 (i64.const), which is i64, not i32'],
    ['v0 = f64.const 0x1\n  v1 = helper.i32 combine(v0, v0, v0)\n  jump 0x4', 'operand 2 is v0 (f64.const), which is f64, not i32'],
    ['v0 = i32.const 1\n  v1 = helper.f64 combine(v0, v0, v0)\n  jump 0x4', 'helper combine results in i32, not f64'],
    ['exit none, 0', 'there is no exit reason 0'],
    ['v0 = i32.const 1\n  check v0 + 0, 0, read\n  jump 0x4', 'a check of 0 bytes'],
  ];
  test.each(wrong)('%j', (body, message) => {
    const unit = parseUnit(`block 0x0 (1 instruction, ends 0x4)\n  ${body}`, testNames);
    expect(verifyUnit(unit, testNames).join('\n')).toContain(message);
  });

  test('instructions that text cannot say', () => {
    const unit = new Unit();
    unit.append(65000, -1, -1, -1, 0, 0);
    unit.append(codes['i32.neg'], 5, -1, -1, 0, 0);
    unit.append(codes['get.i32'], -1, -1, -1, 99, 0);
    unit.append(codes['helper.none'], -1, -1, -1, -1, 0);
    unit.append(codes.load32, 1, -1, 7, 0, 0);
    unit.append(codes.jump, -1, -1, -1, 0, 0);
    unit.blocks.push({ pc: 0, first: 0, end: 6, guestInstructions: 0, endPc: 4 });
    unit.blocks.push({ pc: 8, first: 6, end: 6, guestInstructions: 1, endPc: 12 });
    expect(verifyUnit(unit, testNames)).toEqual([
      'block 0x0: it has 0 guest instructions',
      'block 0x0: instruction 0, operation 65000: there is no such operation',
      'block 0x0: instruction 1, v1 = i32.neg v5: operand 1 is not defined before it in the block',
      'block 0x0: instruction 2, get.i32: there is no register 99',
      'block 0x0: instruction 3, helper.none: there is no helper -1',
      'block 0x0: instruction 4, v4 = load32 v1 + 0: byte order 7 is neither 0 nor 1',
      "block 0x8: instructions 6 to 6 are not a range of the unit's 6",
    ]);
  });
});
