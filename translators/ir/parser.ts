/** Reads the text form of IR (printer.ts). */
import { exitReasons, operations } from './operations.ts';
import type { Names } from './printer.ts';
import { accessNames, isWideConstant, operandWords, wordOf } from './printer-format.ts';
import { type Block, Unit } from './unit.ts';

/** Text that is not IR; `line` counts from 1. */
export class ParseError extends Error {
  readonly line: number;

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`);
    this.line = line;
  }
}

const byName = new Map(operations.map((operation) => [operation.name, operation]));

/**
 * Parses blocks.
 * @throws ParseError where the text is not IR; the verifier says whether what it says makes sense
 */
export function parseUnit(text: string, names: Names): Unit {
  return new Parser(names).parse(text);
}

class Parser {
  private readonly names: Names;
  private readonly unit = new Unit();
  private readonly values = new Map<string, number>();
  private block: Block | undefined;
  private pc = 0;
  private line = 0;
  /** What is left of the line. */
  private rest = '';

  constructor(names: Names) {
    this.names = names;
  }

  parse(text: string): Unit {
    for (const line of text.split('\n')) {
      this.line++;
      this.rest = line.replace(/;.*/, '').trim();
      if (this.rest === '') continue;
      if (this.accept(/^block\b/)) this.blockHead();
      else if (this.accept(/^@/)) this.pc = this.number();
      else this.instruction();
      if (this.rest !== '') this.fail(`'${this.rest}' is left over`);
    }
    return this.unit;
  }

  private blockHead(): void {
    const pc = this.number() >>> 0;
    this.expect(/^\(/, '(');
    const guestInstructions = this.number();
    this.expect(/^instructions?, ends\b/, "'instructions, ends'");
    const endPc = this.number() >>> 0;
    this.expect(/^\)/, ')');
    const first = this.unit.count;
    this.block = { pc, first, end: first, guestInstructions, endPc };
    this.unit.blocks.push(this.block);
    this.values.clear();
    this.pc = pc | 0;
  }

  private instruction(): void {
    const { unit, block } = this;
    if (block === undefined) this.fail('an instruction outside a block');
    const named = this.accept(/^(v\d+)\s*=\s*/);
    const name = this.expect(/^[\w.]+/, 'an operation')[0];
    const operation = byName.get(name);
    if (operation === undefined) this.fail(`there is no operation ${name}`);
    if ((named !== undefined) !== (operation.result !== '')) {
      this.fail(operation.result === '' ? `${name} makes no value` : `the value of ${name} needs a name`);
    }
    const words = { a: -1, b: -1, c: -1, imm: 0 };
    const { immediates } = operation;
    if (immediates.includes('helper')) this.helperCall(words);
    else {
      this.separated = false;
      if (immediates.includes('register')) words.imm = this.register();
      for (let at = 0; at < operation.operands.length; at++) {
        words[operandWords[at]] = this.value();
        if (at === 0 && immediates.includes('displacement')) words.imm = this.displacement();
      }
      if (name === 'check') {
        words.b = this.item().number();
        words.c = accessNames.indexOf(this.item().expect(/^(?:read|write)\b/, 'read or write')[0]);
      } else {
        for (const immediate of immediates) {
          if (immediate === 'register' || immediate === 'displacement') continue;
          if (operation.result === 'v128' && immediate === 'constant') {
            [words.a, words.b, words.c, words.imm] = this.item().wideConstant(4);
          } else if (isWideConstant(operation)) [words.a, words.b] = this.item().wideConstant(2);
          else words[wordOf(operation, immediate)] = this.immediate(immediate);
        }
      }
    }
    const index = unit.append(operation.code, words.a, words.b, words.c, words.imm, this.pc);
    if (named !== undefined) {
      if (this.values.has(named[1])) this.fail(`${named[1]} is defined twice`);
      this.values.set(named[1], index);
    }
    block.end = unit.count;
  }

  private immediate(immediate: string): number {
    switch (immediate) {
      case 'order':
        return this.accept(/^reversed\b/) === undefined ? 0 : 1;
      case 'else':
      case 'link':
        this.expect(immediate === 'else' ? /^else\b/ : /^link\b/, `'${immediate}'`);
        return this.number();
      case 'exit': {
        const name = this.item().expect(/^\w+/, 'a reason')[0];
        const reason = (exitReasons as readonly string[]).indexOf(name);
        if (reason < 0) this.fail(`there is no exit reason ${name}`);
        return reason;
      }
      default:
        return this.item().number();
    }
  }

  private helperCall(words: Record<'a' | 'b' | 'c' | 'imm', number>): void {
    const name = this.expect(/^[\w.]+/, 'a helper')[0];
    words.imm = this.names.helpers.findIndex((helper) => helper.name === name);
    if (words.imm < 0) this.fail(`there is no helper ${name}`);
    this.expect(/^\(/, '(');
    this.separated = false;
    for (let at = 0; this.accept(/^\)/) === undefined; at++) {
      if (at === operandWords.length) this.fail('a helper has at most three operands');
      words[operandWords[at]] = this.value();
    }
  }

  // -- items of a line

  /** Whether the next item of a list stands behind a comma. */
  private separated = false;

  private item(): this {
    if (this.separated) this.expect(/^,/, 'a comma');
    this.separated = true;
    return this;
  }

  private value(): number {
    const name = this.item().expect(/^v\d+/, 'a value')[0];
    const index = this.values.get(name);
    if (index === undefined) this.fail(`${name} is not defined here`);
    return index;
  }

  private register(): number {
    const name = this.item().expect(/^[\w.]+/, 'a register')[0];
    const number = this.names.registers.numbers[name];
    if (number === undefined) this.fail(`there is no register ${name}`);
    return number;
  }

  private displacement(): number {
    const sign = this.accept(/^[+-]/);
    if (sign === undefined) return 0;
    return sign[0] === '-' ? -this.number() | 0 : this.number();
  }

  /** A decimal or hexadecimal 32-bit number, as a signed word. */
  private number(): number {
    const text = this.expect(/^-?(?:0x[\da-f]+|\d+)\b/i, 'a number')[0];
    const value = text.startsWith('-') ? -Number(text.slice(1)) : Number(text);
    if (value > 0xffffffff || value < -0x80000000) this.fail(`${text} is not a 32-bit number`);
    return value | 0;
  }

  /** A constant of some words; the lowest comes first. */
  private wideConstant(count: number): number[] {
    const text = this.expect(/^0x[\da-f]{1,32}\b/i, 'hexadecimal digits')[0];
    const value = BigInt(text);
    if (value >> BigInt(32 * count) !== 0n) this.fail(`${text} has more than ${32 * count} bits`);
    return Array.from({ length: count }, (_, at) => Number(BigInt.asIntN(32, value >> BigInt(32 * at))));
  }

  private accept(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.rest);
    if (match === null) return undefined;
    this.rest = this.rest.slice(match[0].length).trimStart();
    return match;
  }

  private expect(pattern: RegExp, what: string): RegExpExecArray {
    return this.accept(pattern) ?? this.fail(`expected ${what} at '${this.rest}'`);
  }

  private fail(message: string): never {
    throw new ParseError(this.line, message);
  }
}
