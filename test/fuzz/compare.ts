/** What differs between two runs of a program, and the smallest program that still shows it. */
import type { EngineName } from '../../src/engines/create-engine.ts';
import { disassemble } from '../../translators/powerpc/disassemble.ts';
import { nop } from './assembler.ts';
import { codeAddress } from './layout.ts';
import { type FuzzMachine, type Outcome, registerPlaces, type Stop, translatedEngines } from './machine.ts';
import { type Program, reduced } from './programs.ts';

const hex = (value: number): string => (value >>> 0).toString(16).padStart(8, '0');

/** Differences of an outcome from the expected one, in words; empty when there are none. */
export function differences(expected: Outcome, actual: Outcome): string[] {
  if (actual.error !== undefined || expected.error !== undefined) {
    return [expected.error, actual.error].flatMap((error) =>
      error === undefined ? [] : [error instanceof Error ? (error.stack ?? error.message) : String(error)],
    );
  }
  if (expected.endless || actual.endless) return expected.endless ? [] : ['it does not end'];
  const found: string[] = [];
  const count = Math.max(expected.stops.length, actual.stops.length);
  for (let i = 0; i < count; i++) {
    found.push(...stopDifferences(expected.stops[i], actual.stops[i]));
    if (found.length > 0) return found;
  }
  const at = expected.memory.findIndex((byte, index) => byte !== actual.memory[index]);
  if (at >= 0) found.push(`memory: byte ${at} of what is compared is ${actual.memory[at]}, not ${expected.memory[at]}`);
  return found;
}

function stopDifferences(expected: Stop | undefined, actual: Stop | undefined): string[] {
  if (expected === undefined || actual === undefined) {
    return [`one stops more often: expected ${place(expected)}, found ${place(actual)}`];
  }
  const found: string[] = [];
  if (place(expected) !== place(actual)) found.push(`expected ${place(expected)}, found ${place(actual)}`);
  for (const { name, at, words } of registerPlaces) {
    const value = ({ registers }: Stop): string =>
      Array.from(registers.subarray(at, at + words), hex)
        .reverse()
        .join('');
    if (value(expected) !== value(actual)) found.push(`${name} is ${value(actual)}, not ${value(expected)}`);
  }
  if (found.length > 0) found.unshift(`in round ${expected.round} at ${hex(expected.pc)}:`);
  return found;
}

function place(stop: Stop | undefined): string {
  if (stop === undefined) return 'nothing';
  const { round, reason, pc, detail, access } = stop;
  return `${reason} at ${hex(pc)} (${hex(detail)}, ${access}) in round ${round}`;
}

export interface Failure {
  readonly program: Program;
  readonly engine: EngineName;
  readonly found: readonly string[];
}

/** Runs a program on every engine. @returns the first engine that does not do what the interpreter does */
export function findFailure(
  machine: FuzzMachine,
  program: Program,
  engines: readonly EngineName[] = translatedEngines,
): Failure | undefined {
  const expected = machine.run(program, 'interpreted');
  for (const engine of engines) {
    const found = differences(expected, machine.run(program, engine));
    if (found.length > 0) return { program, engine, found };
  }
  return undefined;
}

/** Takes away instructions and rounds as long as the failure stays. */
export function minimize(machine: FuzzMachine, failure: Failure): Failure {
  let best = failure;
  const attempt = (program: Program): boolean => {
    const next = findFailure(machine, program, [failure.engine]);
    if (next !== undefined) best = next;
    return next !== undefined;
  };
  for (const rounds of [1, 2, 4, 8, 16]) {
    if (rounds < best.program.rounds && attempt({ ...best.program, rounds })) break;
  }
  const takeAway = (): void => {
    for (let size = best.program.removable.length; size >= 1; size = size >> 1) {
      for (let start = 0; start < best.program.removable.length; ) {
        const { removable } = best.program;
        const keep = new Set([...removable.slice(0, start), ...removable.slice(start + size)]);
        if (!attempt(reduced(best.program, keep))) start += size;
      }
    }
  };
  takeAway();
  // Then what holds the program together: it may become endless on the way, which the watchdog ends.
  const { patience } = machine;
  machine.patience = 500;
  const words = best.program.words.map((_, at) => at);
  const structure = words.filter((at) => best.program.words[at] !== nop && !best.program.removable.includes(at));
  attempt({ ...best.program, removable: [...best.program.removable, ...structure] });
  takeAway();
  machine.patience = patience;
  return best;
}

/** A failure as a report: how to repeat it, the code, and the differences. */
export function describeFailure({ program, engine, found }: Failure): string {
  const { kind, seed, rounds, words, preciseFaults, symbols, tables, limits } = program;
  const code = words.flatMap((word, at) =>
    word === nop ? [] : [`  ${hex(codeAddress + 4 * at)}  ${hex(word)}  ${disassemble(word, codeAddress + 4 * at)}`],
  );
  return [
    `${engine} differs from interpreted: --kinds ${kind} --seed ${seed} --count 1`,
    `${rounds} rounds, precise faults ${preciseFaults}, symbols ${symbols.length > 0}, tables ${tables.map(hex).join(' ')}`,
    `limits ${JSON.stringify(limits)}`,
    ...code,
    ...found.map((line) => `  ${line}`),
  ].join('\n');
}
