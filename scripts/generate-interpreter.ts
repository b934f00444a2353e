/**
 * Writes translators/ir/interpreter.generated.ts, the interpreter's run loop, from the tables of
 * operations and interpreter instructions.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  callOperand,
  type Instruction,
  instructions,
  ordinaryArithmetic,
  takesImmediate,
} from '../translators/ir/interpreter-encoding.ts';
import { accessors } from '../translators/ir/memory-access.ts';
import { exitCode, type Operation } from '../translators/ir/operations.ts';
import { runtime } from '../translators/ir/runtime.ts';
import { header } from '../translators/ir/state.ts';

const path = fileURLToPath(new URL('../translators/ir/interpreter.generated.ts', import.meta.url));

const word = (index: number): string => `code[ip + ${index}]`;
const letters = ['a', 'b', 'c'];

/** Statements of the instructions with a meaning of their own; `next` is the instruction's length. */
const specialCases: Readonly<Record<string, string>> = {
  enter: `
      if (i32[${header.interrupt >> 2}] !== 0) return cpu.leave(code[ip + 3], stop.interrupt, left);
      if (left <= 0) return cpu.leave(code[ip + 3], stop.budget, left);
      if (--code[ip + 1] === 0) return cpu.leave(code[ip + 3], stop.hot, left);
      left -= code[ip + 2];`,
  stale: `
      if (code[ip + 1] !== 0) { ip = code[ip + 1]; continue; }
      pc = code[ip + 3]; link = ip + 1; key = 0; break;`,
  leave: `
      return cpu.leave(code[ip + 3], stop.translated, left);`,
  const32: `
      i32[code[ip + 1]] = code[ip + 2];`,
  const64: `
      const d = code[ip + 1] << 1;
      i32[d] = code[ip + 2];
      i32[d + 1] = code[ip + 3];`,
  move32: `
      i32[code[ip + 1]] = i32[code[ip + 2]];`,
  move64: `
      const d = code[ip + 1] << 1;
      const a = code[ip + 2] << 1;
      i32[d] = i32[a];
      i32[d + 1] = i32[a + 1];`,
  'helper.i32': helperCase('i32[code[ip + 1]] = ', 2, 7),
  'helper.f64': helperCase('f64[code[ip + 1]] = ', 2, 7),
  'helper.none': helperCase('', 1, 6),
  settle: `
      if (cpu.unsettled !== 0) cpu.settle();`,
  ...Object.fromEntries(Object.keys(ordinaryArithmetic).map((name) => [`ordinary.${name}`, ordinaryCase(name)])),
  compare_exchange32: `
      const address = (i32[code[ip + 2]] + code[ip + 3]) | 0;
      if ((permissions[${permissionIndex(4)}] & 3) !== 3) {
        let forbidden = firstForbidden(permissions, address, 4, 1);
        if (forbidden >= 0) return cpu.fault(ip, forbidden, 1, left);
        forbidden = firstForbidden(permissions, address, 4, 2);
        if (forbidden >= 0) return cpu.fault(ip, forbidden, 2, left);
      }
      const at = (origin4 + (address ^ flip)) >>> 2;
      i32[code[ip + 1]] = Atomics.compareExchange(words, at, i32[code[ip + 4]], i32[code[ip + 5]]);`,
  check: `
      const forbidden = firstForbidden(permissions, i32[code[ip + 1]] + code[ip + 2], code[ip + 3], code[ip + 4]);
      if (forbidden >= 0) return cpu.fault(ip, forbidden, code[ip + 4], left);`,
  jump: `
      if (code[ip + 1] !== 0) { ip = code[ip + 1]; continue; }
      pc = code[ip + 2]; link = ip + 1; key = 0; break;`,
  branch: branchCase('i32[code[ip + 1]] !== 0', 2),
  jump_indirect: `
      pc = i32[code[ip + 1]];
      if (code[ip + 2] === pc && code[ip + 3] !== 0) { ip = code[ip + 3]; continue; }
      link = ip + 3; key = ip + 2; break;`,
  branch_indirect: `
      if (i32[code[ip + 1]] !== 0) {
        pc = i32[code[ip + 2]];
        if (code[ip + 5] === pc && code[ip + 6] !== 0) { ip = code[ip + 6]; continue; }
        link = ip + 6; key = ip + 5; break;
      }
      if (code[ip + 3] !== 0) { ip = code[ip + 3]; continue; }
      pc = code[ip + 4]; link = ip + 3; key = 0; break;`,
  system_call: `
      i32[${header.exit >> 2}] = ${exitCode.system_call};
      return cpu.leave(code[ip + 1], stop.exit, left);`,
  exit: `
      return cpu.exit(ip, code[ip + 1], code[ip + 2], left);`,
  exit_if: `
      if (i32[code[ip + 1]] !== 0) return cpu.exit(ip, code[ip + 2], code[ip + 3], left);`,
};

/** The words: helper number, bits that tell f64 operands (1, 2, 4) and a helper that may exit (8), operands. */
function helperCase(assign: string, at: number, next: number): string {
  const operand = (index: number) =>
    `(mask & ${1 << index}) !== 0 ? f64[${word(at + 2 + index)}] : i32[${word(at + 2 + index)}]`;
  return `
      if (cpu.unsettled !== 0) cpu.settle();
      const mask = ${word(at + 1)};
      const result = helpers[${word(at)}](cpu.state, cpu.machine, ${operand(0)}, ${operand(1)}, ${operand(2)});
      if ((mask & 8) !== 0 && i32[${header.exit >> 2}] !== 0) return cpu.leaveInside(ip, left);
      ${assign === '' ? 'void result;' : `${assign}result;`}
      ip += ${next};
      continue;`;
}

/** Arithmetic with an ordinary outcome, whose helper is only noted; any other is the helper's. */
function ordinaryCase(name: string): string {
  const { javascript, single } = ordinaryArithmetic[name];
  const [least, most] = single ? [2 ** -125, 2 ** 127] : [2 ** -940, 2 ** 980];
  const operands = letters.filter((letter) => new RegExp(`\\b${letter}\\b`).test(javascript));
  return `${operands.map((letter, index) => `\n      const ${letter} = f64[${word(4 + index)}];`).join('')}
      const value = ${javascript};
      const magnitude = Math.abs(value);
      if (magnitude > ${least} && magnitude < ${most} && (i32[statusWord] & ordinaryMask) === ordinaryStatus) {
        cpu.unsettled = ${word(2)} + 1;
        ${operands.map((letter, index) => `unsettledOperands[${index}] = ${letter};`).join('\n        ')}
        f64[${word(1)}] = value;
        ip += 7;
        continue;
      }
      if (cpu.callArithmetic(ip)) return cpu.leaveInside(ip, left);
      ip += 7;
      continue;`;
}

function branchCase(condition: string, at: number): string {
  return `
      if (${condition}) {
        if (${word(at)} !== 0) { ip = ${word(at)}; continue; }
        pc = ${word(at + 2)}; link = ip + ${at}; key = 0; break;
      }
      if (${word(at + 1)} !== 0) { ip = ${word(at + 1)}; continue; }
      pc = ${word(at + 3)}; link = ip + ${at + 1}; key = 0; break;`;
}

/** Index into the permission table of an access of `bytes` bytes (memory-view.ts). */
function permissionIndex(bytes: number): string {
  const shift = Math.log2(bytes);
  if (shift === 0) return 'address >>> 12';
  return `((address >>> ${shift}) | (address << ${32 - shift})) >>> ${12 - shift}`;
}

/** The operation's JavaScript with its operands read from slots; a constant b from the stream. */
function operandLines(operation: Operation, at: number, constantB: boolean): string {
  return operation.operands
    .map((type, index) => {
      const slot = word(at + index);
      return `\n      const ${letters[index]} = ${constantB && index === 1 ? slot : `${type}[${slot}]`};`;
    })
    .join('');
}

const substituted = (javascript: string, imm: string): string =>
  javascript.replace(/\$imm/g, imm).replace(/\$([abc])/g, '$1');

function memoryCase(instruction: Instruction): string {
  const operation = instruction.operation as Operation;
  const { bytes, name, result, operands } = operation;
  const load = instruction.form === 'load';
  const bit = load ? 1 : 2;
  const head = `
      const address = (i32[${word(load ? 2 : 1)}] + ${word(load ? 3 : 2)}) | 0;
      if ((permissions[${permissionIndex(bytes)}] & ${bit}) === 0) {
        const forbidden = firstForbidden(permissions, address, ${bytes}, ${bit});
        if (forbidden >= 0) return cpu.fault(ip, forbidden, ${bit}, left);
      }
      const at = (origin${bytes} + (address ^ flip)) >>> 0;`;
  const little = instruction.reversed ? 'false' : 'true';
  if (name === 'load64.f64' || name === 'store64.f64') {
    const [low, high] = instruction.reversed ? ['at + 4', 'at'] : ['at', 'at + 4'];
    const slot = `\n      const slot = ${word(load ? 1 : 3)} << 1;`;
    return load
      ? `${head}${slot}
      i32[slot] = view.getInt32(${low}, ${little});
      i32[slot + 1] = view.getInt32(${high}, ${little});`
      : `${head}${slot}
      view.setInt32(${low}, i32[slot], ${little});
      view.setInt32(${high}, i32[slot + 1], ${little});`;
  }
  const access = accessors[name].replace('little', little);
  return load
    ? `${head}\n      ${result}[${word(1)}] = ${access};`
    : `${head}\n      ${access.replace('value', `${operands[1]}[${word(3)}]`)};`;
}

/** A call through the table of functions; its words: destination, function, bits that say what the operands are, four operands. */
function callCase(type: string): string {
  const operand = (index: number) => {
    const kind = `(mask & ${3 << (2 * index)})`;
    const at = word(4 + index);
    const of = (name: string) => callOperand[name] << (2 * index);
    return `${kind} === ${of('f64')} ? f64[${at}] : ${kind} === ${of('constant')} ? ${at} : ${kind} === ${of('f32')} ? f32[${at}] : i32[${at}]`;
  };
  return `
      const mask = ${word(3)};
      ${type}[${word(1)}] = called[${word(2)}](${operand(0)}, ${operand(1)}, ${operand(2)}, ${operand(3)});`;
}

function body(instruction: Instruction): string {
  const { form, name, length } = instruction;
  const next = `\n      ip += ${length};\n      continue;`;
  const ended = (text: string): string => (/(?:continue|break|left\));\s*$/.test(text) ? text : text + next);
  if (form === 'special') {
    const text = specialCases[name];
    return name === 'exit_if' || name === 'check' ? text + next : ended(text);
  }
  const operation = instruction.operation as Operation;
  switch (form) {
    case 'value':
    case 'valueImmediate': {
      const imm = takesImmediate(operation) ? word(2 + operation.operands.length) : '0';
      const value = substituted(operation.javascript, imm);
      return `${operandLines(operation, 2, form === 'valueImmediate')}\n      ${operation.result}[${word(1)}] = ${value};${next}`;
    }
    case 'call':
      return callCase(name.slice(5)) + next;
    case 'load':
    case 'store':
      return memoryCase(instruction) + next;
    default:
      return (
        operandLines(operation, 1, form === 'compareBranchImmediate') + branchCase(substituted(operation.test, '0'), 3)
      );
  }
}

/** The text of interpreter.generated.ts. */
export function generateInterpreter(): string {
  const cases = instructions
    .map((instruction) => `    // ${instruction.name}\n    case ${instruction.opcode}: {${body(instruction)}\n    }`)
    .join('\n');
  const names = Object.keys(runtime)
    .sort()
    .filter((name) => new RegExp(`\\b${name}\\(`).test(cases));
  return `// Generated by scripts/generate-interpreter.ts from the operations' table. Do not edit.
import type { Interpreter } from './interpreter.ts';
import { stop } from './interpreter-encoding.ts';
import { firstForbidden, hostFlip, hostOrigin } from './memory-access.ts';
import { runtime } from './runtime.ts';

const { ${names.join(', ')} } = runtime;

/** Runs interpreter code from position \`ip\` until something stops it; returns why (\`stop\`). */
export function execute(cpu: Interpreter, ip: number, left: number): number {
  const { called, helpers, memory, state } = cpu;
  const { i32, f32, f64 } = state;
  const { view, permissions } = memory;
  const { words, statusWord, ordinaryMask, ordinaryStatus, unsettledOperands } = cpu;
  const flip = hostFlip(memory);
  const origin1 = hostOrigin(memory, 1);
  const origin2 = hostOrigin(memory, 2);
  const origin4 = hostOrigin(memory, 4);
  const origin8 = hostOrigin(memory, 8);
  let code = cpu.code;
  let pc = 0;
  let link = 0;
  let key = 0;
  for (;;) {
    switch (code[ip]) {
${cases.replace(/^/gm, '  ')}
      default:
        throw new Error(\`interpreter code is damaged at \${ip}: \${code[ip]}\`);
    }
    ip = cpu.resolve(pc, link, key);
    if (ip === 0) return cpu.leave(pc, stop.missing, left);
    code = cpu.code;
  }
}
`;
}

if (import.meta.main) writeFileSync(path, generateInterpreter());
