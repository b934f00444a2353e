/** Commands of Stele's own: GDB's `monitor`. */
import { header } from '../../translators/ir/state.ts';
import type { Debugger } from './debugger.ts';
import type { DebuggedProgram } from './program.ts';

interface MonitorCommand {
  readonly name: string;
  readonly doc: string;
  /** The output; ends with a newline unless it is empty. */
  readonly run: (debug: Debugger, program: DebuggedProgram) => string;
}

// biome-ignore format: one row per line
const commands: readonly MonitorCommand[] = [
  { name: 'help', doc: 'this list', run: help },
  { name: 'calls', doc: 'the last system calls, oldest first', run: (_debug, program) => program.recentCalls().map((call) => `${call}\n`).join('') },
  { name: 'maps', doc: "the guest's memory map", run: maps },
  { name: 'engine', doc: 'what runs the guest', run: ({ engine }) => `${engine.name}\n` },
  { name: 'instructions', doc: 'guest instructions that the interpreter has counted', run: ({ state }) => `${state.f64[header.instructions >> 3]}\n` },
];

/** @returns the output; ends with a newline unless it is empty */
export function monitor(text: string, debug: Debugger, program: DebuggedProgram): string {
  const wanted = text.trim();
  const command = commands.find(({ name }) => name === (wanted === '' ? 'help' : wanted));
  return command === undefined
    ? `There is no command "${wanted}". "monitor help" lists them.\n`
    : command.run(debug, program);
}

function help(): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  return commands.map(({ name, doc }) => `monitor ${name.padEnd(width)}  ${doc}\n`).join('');
}

function maps({ memory }: Debugger): string {
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  const lines = memory.mappings().map(({ start, end, protection, name }) => {
    const bits = ['r', 'w', 'x'].map((letter, bit) => (((protection >> bit) & 1) === 1 ? letter : '-')).join('');
    return `${hex(start)}-${hex(end)} ${bits} ${name}`.trimEnd();
  });
  return lines.map((line) => `${line}\n`).join('');
}
