/**
 * The text form of IR. parser.ts reads it back to the same unit.
 *
 *     block 0x10000100 (2 instructions, ends 0x10000108)
 *       v0 = get.i32 r3
 *       v1 = i32.const 4
 *       v2 = i32.add v0, v1
 *       set.i32 r3, v2
 *      @ 0x10000104
 *       store32 v2 + 8, v0
 *       jump 0x10000108
 *
 * A value is named after the index of its instruction. `@` gives the guest address of the
 * instructions that follow (the block's own to begin with); `;` starts a comment.
 */
import type { Helper } from '../frontend.ts';
import { exitReasons, type Operation, operations } from './operations.ts';
import { accessNames, hex, isWideConstant, operandsOf, wordOf } from './printer-format.ts';
import type { RegisterFile } from './state.ts';
import type { Block, Unit } from './unit.ts';

/** The names that text uses for what IR numbers. */
export interface Names {
  readonly registers: RegisterFile;
  readonly helpers: readonly Helper[];
}

/** A comment for a guest address, such as its disassembly; '' for none. */
export type Comment = (pc: number) => string;

const noComment: Comment = () => '';

export function printUnit(unit: Unit, names: Names, comment: Comment = noComment): string {
  return unit.blocks.map((block) => printBlock(unit, block, names, comment)).join('\n');
}

export function printBlock(unit: Unit, block: Block, names: Names, comment: Comment = noComment): string {
  const count = block.guestInstructions;
  const remark = (pc: number): string => {
    const text = comment(pc >>> 0);
    return text === '' ? '' : ` ; ${text}`;
  };
  let text = `block ${hex(block.pc)} (${count} instruction${count === 1 ? '' : 's'}, ends ${hex(block.endPc)})`;
  text += `${remark(block.pc)}\n`;
  let pc = block.pc | 0;
  for (let index = block.first; index < block.end; index++) {
    if (unit.pc[index] !== pc) {
      pc = unit.pc[index];
      text += ` @ ${hex(pc)}${remark(pc)}\n`;
    }
    text += `  ${printInstruction(unit, index, names)}\n`;
  }
  return text;
}

/** One instruction, without its address. */
export function printInstruction(unit: Unit, index: number, names: Names): string {
  const operation = operations[unit.op[index]];
  const { name, immediates, result } = operation;
  const helper = immediates.includes('helper') ? names.helpers[unit.imm[index]] : undefined;
  const count = helper === undefined ? operation.operands.length : helper.operands.length;
  const parts = operandsOf(unit, index, count).map((value) => `v${value}`);
  const head = result === '' ? name : `v${index} = ${name}`;
  if (helper !== undefined) return `${head} ${helper.name}(${parts.join(', ')})`;
  let tail = '';
  if (name === 'check') {
    parts[0] += displacement(unit.imm[index]);
    parts.push(`${unit.b[index]}`, accessNames[unit.c[index]]);
    return `${head} ${parts.join(', ')}`;
  }
  for (const immediate of immediates) {
    const value = unit[wordOf(operation, immediate)][index];
    switch (immediate) {
      case 'constant':
        parts.push(constantText(unit, index, operation));
        break;
      case 'register':
        parts.unshift(names.registers.registers[value].name);
        break;
      case 'displacement':
        parts[0] += displacement(value);
        break;
      case 'order':
        if (value === 1) tail = ' reversed';
        break;
      case 'exit':
        parts.push(exitReasons[value]);
        break;
      case 'detail':
        parts.push(`${value}`);
        break;
      case 'else':
      case 'link':
        tail = ` ${immediate} ${hex(value)}`;
        break;
      default:
        parts.push(hex(value));
    }
  }
  return `${head}${parts.length > 0 ? ' ' : ''}${parts.join(', ')}${tail}`;
}

function displacement(value: number): string {
  return value < 0 ? ` - ${-value}` : ` + ${value}`;
}

function constantText(unit: Unit, index: number, operation: Operation): string {
  if (!isWideConstant(operation)) return `${unit.imm[index]}`;
  const words = [unit.b[index], unit.a[index]];
  if (operation.result === 'v128') words.unshift(unit.imm[index], unit.c[index]);
  return `0x${words.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')}`;
}
