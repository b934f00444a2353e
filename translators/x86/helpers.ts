/** What x86 instructions need that the IR's operations do not express: functions that IR calls. */
import type { Helper } from '../frontend.ts';
import type { Builder, Value } from '../ir/builder.ts';
import { i386Registers, type X86Registers, x86_64Registers } from './registers.ts';
import { sseHelpers } from './sse-helpers.ts';
import { stringHelpers } from './string-helper.ts';
import { systemHelpers } from './system-helpers.ts';
import { x87Helpers } from './x87-helpers.ts';

/** The helpers of one mode, and the registers that each writes, by number. */
interface HelperSet {
  readonly helpers: readonly Helper[];
  readonly numbers: ReadonlyMap<string, number>;
  readonly written: readonly (readonly number[] | '*')[];
}

/** All helpers of a mode, from the files of the subjects. */
function helpersOf(registers: X86Registers): readonly Helper[] {
  return [
    ...systemHelpers(registers),
    ...stringHelpers(registers),
    ...x87Helpers(registers.file, registers.is64),
    ...sseHelpers(registers.file, registers.is64),
  ];
}

function assemble(registers: X86Registers): HelperSet {
  const helpers = helpersOf(registers);
  return {
    helpers,
    numbers: new Map(helpers.map((helper, number) => [helper.name, number])),
    written: helpers.map(({ writes }) =>
      writes.includes('*') ? '*' : writes.map((name) => registers.file.numbers[name]),
    ),
  };
}

const set32 = assemble(i386Registers);
const set64 = assemble(x86_64Registers);

export const i386Helpers = set32.helpers;
export const x86_64Helpers = set64.helpers;

/** Calls a helper by name, with what its declaration says about results and registers. @throws RangeError when there is none */
export function callHelper(b: Builder, registers: X86Registers, name: string, operands: readonly Value[]): Value {
  const set = registers.is64 ? set64 : set32;
  const number = set.numbers.get(name);
  if (number === undefined) throw new RangeError(`there is no helper ${name}`);
  return b.helper(number, set.helpers[number].result, operands, set.written[number]);
}
