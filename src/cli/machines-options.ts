/** The command line of `stele machines`. */
import { Command, Option } from 'commander';
import {
  hasTextValue,
  joinMachineSettings,
  type MachineRow,
  type MachineSettings,
  machineOptionRows,
  setMachineSetting,
} from './machine-options.ts';
import { type MachineSegment, type MachinesOptions, type ProgressKind, progressKinds } from './machines.ts';
import { parseValue, UsageError } from './options.ts';

/** Between one machine and the next on the command line. */
const separator = '+';

const help = `
Options in front of the first program are for all machines that do not say otherwise; those behind a "+" are for that
machine alone. A program whose name ends in .yaml, .yml or .json is a file of machines (docs/machines.md).

Each line that a machine writes stands behind its name, unless its output goes to a file; standard error tells what is
going on. Ctrl-C ends all machines, twice at once.

Exit status: 0 when all machines ended with exit status 0; 2 when one did not, or could not run; 1 for a wrong command
line or file, before anything has run; 128 + n when signal n ended all of it.`;

function optionOf(row: MachineRow): Option {
  const flags = `${row.short === '' ? '' : `-${row.short}, `}--${row.long} <${row.value}>`;
  const choices = row.choices === undefined ? '' : `: ${row.choices.join(', ')}`;
  const option = new Option(flags, `${row.doc}${choices}${row.default === '' ? '' : ` (default: ${row.default})`}`);
  if (row.kind === 'variables') {
    option.argParser((text: string, previous: MachineSettings['env']) => {
      const [, name, value] = /^([^=]+)(?:=(.*))?$/s.exec(text) ?? [];
      if (name === undefined) throw new UsageError(`--${row.long}: "${text}" is not name=value`);
      return { ...previous, [name]: value ?? null };
    });
  } else if (hasTextValue(row)) {
    option.argParser((text: string) => parseValue(row, text, `--${row.long}`));
  }
  return option;
}

function addMachineOptions(command: Command): void {
  command
    .argument('[program]', 'a static Linux executable, or a file of machines')
    .argument('[args...]', 'its arguments');
  for (const row of machineOptionRows) command.addOption(optionOf(row));
  command.option('--name <name>', 'what the machine is called (default: as its program)');
  command.passThroughOptions();
}

/** What the options of one machine say. */
function settingsOf(values: Readonly<Record<string, unknown>>): MachineSettings {
  const settings: MachineSettings = {};
  for (const row of machineOptionRows) {
    if (values[row.key] !== undefined) setMachineSetting(settings, row, values[row.key] as string);
  }
  return settings;
}

/**
 * Arguments up to the first separator, and those of each machine behind one.
 * @param args all that come behind the command's name
 */
export function splitMachines(args: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  for (const arg of args) {
    if (arg === separator) parts.push([]);
    else (parts.at(-1) as string[]).push(arg);
  }
  return parts;
}

/** The machine behind a separator. @throws UsageError */
function parseSegment(args: readonly string[]): MachineSegment {
  const command = new Command('machine')
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .helpOption(false);
  addMachineOptions(command);
  command.parse(args, { from: 'user' });
  const [program, ...rest] = command.args;
  if (program === undefined) throw new UsageError(`"${separator}": no program is given behind it`);
  const values = command.opts<{ name?: string }>();
  return { name: values.name, settings: settingsOf(values), program, args: rest };
}

/** @param others the arguments of the machines behind separators, which commander is not to see */
export function addMachines(
  stele: Command,
  others: readonly (readonly string[])[],
  action: (options: MachinesOptions) => void,
): void {
  const command = stele.command('machines').description('run several programs side by side, each with its limits');
  command.usage(
    `[options] PROGRAM [arguments] [${separator} [options] PROGRAM [arguments]]...\n       stele machines [options] FILE`,
  );
  addMachineOptions(command);
  command
    .option('--cpus <count>', 'processors that they share (default: all)')
    .addOption(
      new Option('--progress <kind>', 'how to show what is going on; auto: a table on a terminal, else lines')
        .choices(progressKinds)
        .default('auto'),
    )
    .option('--json', 'print what became of them, with what they wrote, as JSON on standard output')
    .option('--check', 'only look whether everything is right, and run nothing')
    .addHelpText('after', help)
    .action((program: string | undefined, args: string[], values: Record<string, unknown>) => {
      if (program === undefined) throw new UsageError('machines: no program and no file of machines is given');
      const settings = settingsOf(values);
      const first = { name: values.name as string | undefined, settings, program, args };
      const rest = others.map(parseSegment).map((segment) => ({
        ...segment,
        settings: joinMachineSettings(segment.settings, settings),
      }));
      action({
        segments: [first, ...rest],
        cpus: values.cpus === undefined ? undefined : wholeNumber(values.cpus as string, '--cpus'),
        progress: values.progress as ProgressKind,
        json: values.json === true,
        check: values.check === true,
      });
    });
}

/** @throws UsageError */
function wholeNumber(text: string, where: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new UsageError(`${where}: "${text}" is not a whole number from 1 on`);
  return Number(text);
}
