/** Checks that IR keeps its rules. For tests and debugging; frontends' output is trusted otherwise. */
import { exitReasons, operations } from './operations.ts';
import { type Names, printInstruction } from './printer.ts';
import { hex, operandsOf, wordOf } from './printer-format.ts';
import type { Block, Unit } from './unit.ts';

/** Every violation in the unit, one message each, naming block, instruction and reason; empty when there is none. */
export function verifyUnit(unit: Unit, names: Names): string[] {
  return unit.blocks.flatMap((block) => verifyBlock(unit, block, names));
}

/** The violations in one block. */
export function verifyBlock(unit: Unit, block: Block, names: Names): string[] {
  const messages: string[] = [];
  const place = `block ${hex(block.pc)}`;
  if (block.first < 0 || block.end > unit.count || block.first >= block.end) {
    return [`${place}: instructions ${block.first} to ${block.end} are not a range of the unit's ${unit.count}`];
  }
  if (block.guestInstructions < 1) messages.push(`${place}: it has ${block.guestInstructions} guest instructions`);
  for (let index = block.first; index < block.end; index++) {
    for (const reason of violations(unit, block, index, names)) {
      messages.push(`${place}: instruction ${index}, ${describe(unit, index, names)}: ${reason}`);
    }
  }
  return messages;
}

/** The instruction's text, or as much of it as its words allow. */
function describe(unit: Unit, index: number, names: Names): string {
  const operation = operations[unit.op[index]];
  if (operation === undefined) return `operation ${unit.op[index]}`;
  const imm = unit.imm[index];
  const named =
    (!operation.immediates.includes('register') || names.registers.registers[imm] !== undefined) &&
    (!operation.immediates.includes('helper') || names.helpers[imm] !== undefined);
  return named ? printInstruction(unit, index, names) : operation.name;
}

function violations(unit: Unit, block: Block, index: number, names: Names): string[] {
  const operation = operations[unit.op[index]];
  if (operation === undefined) return ['there is no such operation'];
  const found: string[] = [];
  const isLast = index === block.end - 1;
  const ends = operation.flags.has('ends');
  if (isLast && !ends) found.push('the block does not end with a terminator');
  if (!isLast && ends) found.push('a terminator before the end of the block');

  let expected = operation.operands;
  for (const immediate of operation.immediates) {
    const value = unit[wordOf(operation, immediate)][index];
    switch (immediate) {
      case 'register': {
        const register = names.registers.registers[value];
        const type = operation.result === '' ? operation.operands[0] : operation.result;
        if (register === undefined) found.push(`there is no register ${value}`);
        else if (register.type !== type) found.push(`register ${register.name} is ${register.type}, not ${type}`);
        break;
      }
      case 'helper': {
        const helper = names.helpers[value];
        if (helper === undefined) {
          found.push(`there is no helper ${value}`);
          break;
        }
        expected = helper.operands;
        if (helper.result !== operation.result) {
          found.push(
            `helper ${helper.name} results in ${helper.result || 'nothing'}, not ${operation.result || 'nothing'}`,
          );
        }
        break;
      }
      case 'order':
        if (value !== 0 && value !== 1) found.push(`byte order ${value} is neither 0 nor 1`);
        break;
      case 'exit':
        if (value < 1 || value >= exitReasons.length) found.push(`there is no exit reason ${value}`);
        break;
      default:
    }
  }
  if (operation.name === 'check') {
    if (unit.b[index] < 1) found.push(`a check of ${unit.b[index]} bytes`);
    if (unit.c[index] !== 1 && unit.c[index] !== 2) found.push(`access ${unit.c[index]} is neither 1 nor 2`);
  }

  operandsOf(unit, index, expected.length).forEach((value, at) => {
    if (value < block.first || value >= index) {
      found.push(`operand ${at + 1} is not defined before it in the block`);
      return;
    }
    const { result, name } = operations[unit.op[value]];
    if (result !== expected[at]) {
      found.push(`operand ${at + 1} is v${value} (${name}), which is ${result || 'no value'}, not ${expected[at]}`);
    }
  });
  return found;
}
