/** The command line by commander, made from the rows in options.ts. Loaded only when there is something to parse. */
import { Command, CommanderError, Option } from 'commander';
import { contenderNames } from '../compare/contenders.ts';
import { probes } from '../compare/probes.ts';
import type { CompareOptions } from './compare.ts';
import type { InspectOptions } from './inspect.ts';
import { addInspect, separateServe } from './inspect-options.ts';
import type { MachinesOptions } from './machines.ts';
import { addMachines, splitMachines } from './machines-options.ts';
import { type OptionRow, type PartialOptions, parseValue, runOptions, UsageError } from './options.ts';

/** What the user asked for. */
export type Request =
  | {
      readonly kind: 'run';
      readonly options: PartialOptions;
      readonly program: string;
      readonly args: readonly string[];
    }
  | { readonly kind: 'doctor'; readonly json: boolean }
  | {
      readonly kind: 'cache';
      readonly action: 'list' | 'clear';
      readonly options: PartialOptions;
      readonly json: boolean;
    }
  | {
      readonly kind: 'compare';
      readonly options: CompareOptions;
      readonly program: string;
      readonly args: readonly string[];
    }
  | {
      readonly kind: 'inspect';
      readonly options: InspectOptions;
      readonly program: string;
      readonly args: readonly string[];
    }
  | { readonly kind: 'machines'; readonly options: MachinesOptions }
  /** Text to print on standard output: help, version. */
  | { readonly kind: 'print'; readonly text: string };

const description = 'Runs programs built for another processor.';
const exitCodes = `
Exit status: the program's own; 128 + n when signal n ended it; 1 for a wrong command line, 126 for a
program that cannot be run, 127 for one that does not exist.`;

function flagsOf(row: OptionRow): string {
  const value = row.value === '' ? '' : ` <${row.value}>`;
  return `${row.short === '' ? '' : `-${row.short}, `}--${row.long}${value}`;
}

function docOf(row: OptionRow): string {
  const choices = row.choices === undefined ? '' : `: ${row.choices.join(', ')}`;
  const alias = row.alias === undefined ? '' : ` (also ${row.alias})`;
  return `${row.doc}${choices}${alias} [${row.environment}]`;
}

function optionOf(row: OptionRow): Option {
  // Commander takes only single letters after one dash; expandAliases() replaces the other spellings.
  const option = new Option(flagsOf(row), docOf(row));
  // Commander would take "--no-cache" for the negation of "--cache".
  option.negate = false;
  const where = row.short === '' ? `--${row.long}` : `-${row.short}`;
  if (row.kind !== 'switch') {
    option.argParser((text: string, previous: unknown) => {
      const value = parseValue(row, text, where);
      return row.kind === 'texts' && previous !== undefined
        ? [...(previous as string[]), ...(value as string[])]
        : value;
    });
  }
  return option;
}

/** Replaces QEMU's long spellings with one dash before the program's name by Stele's. */
function expandAliases(args: readonly string[]): string[] {
  const expanded = [...args];
  for (let i = 0; i < expanded.length; i++) {
    const arg = expanded[i];
    if (!arg.startsWith('-') || arg === '--') break;
    const row = runOptions.find(
      (candidate) => arg === candidate.alias || arg === `--${candidate.long}` || arg === `-${candidate.short}`,
    );
    if (row !== undefined && arg === row.alias) expanded[i] = `--${row.long}`;
    else if (row !== undefined && row.kind !== 'switch') i++;
  }
  return expanded;
}

/**
 * @param args without the interpreter and the script
 * @throws UsageError
 */
export function parseCommandLine(args: readonly string[], version: string): Request {
  let request: Request | undefined;
  let output = '';
  const write = (text: string): void => {
    output += text;
  };
  const stele = new Command('stele').description(description).version(version, '-V, --version');
  stele.exitOverride().configureOutput({ writeOut: write, writeErr: () => {}, getOutHelpWidth: () => 100 });
  stele.enablePositionalOptions().helpCommand(true);
  const run = stele.command('run').description('run a program').passThroughOptions();
  run.argument('<program>', 'a static Linux executable').argument('[args...]', 'its arguments');
  for (const row of runOptions) run.addOption(optionOf(row));
  run.addHelpText('after', exitCodes);
  run.action((program: string, programArgs: string[], values: Record<string, unknown>) => {
    const options = Object.fromEntries(runOptions.map((row) => [row.key, values[row.key]]));
    request = { kind: 'run', options: options as PartialOptions, program, args: programArgs };
  });
  addCompare(stele, (options, program, programArgs) => {
    request = { kind: 'compare', options, program, args: programArgs };
  });
  const inspect = addInspect(stele, (options, program, programArgs) => {
    request = { kind: 'inspect', options, program, args: programArgs };
  });
  const [first, ...others] = args[0] === 'machines' ? splitMachines(args) : [args];
  addMachines(stele, others, (options) => {
    request = { kind: 'machines', options };
  });
  const doctor = stele
    .command('doctor')
    .description('tell what this machine offers, and what to do where something is missing');
  doctor.option('--json', 'print it as JSON').action(({ json = false }: { json?: boolean }) => {
    request = { kind: 'doctor', json };
  });
  const cache = stele.command('cache').description('translations that are kept from run to run');
  const rows = runOptions.filter(({ key }) => key === 'cacheDir' || key === 'config');
  const cacheCommand = (action: 'list' | 'clear', doc: string): Command => {
    const command = cache.command(action).description(doc);
    for (const row of rows) command.addOption(optionOf(row));
    return command.action((values: PartialOptions & { json?: true }) => {
      const options = Object.fromEntries(rows.map(({ key }) => [key, values[key]]));
      request = { kind: 'cache', action, options, json: values.json === true };
    });
  };
  cacheCommand('list', 'list them by program, those used last first').option('--json', 'print the list as JSON');
  cacheCommand('clear', 'remove all of them');
  const [command, ...rest] = first;
  try {
    const expanded =
      command === 'run' ? expandAliases(rest) : command === 'inspect' ? separateServe(rest, inspect) : rest;
    stele.parse(args.length === 0 ? [] : [command, ...expanded], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'print', text: output };
    const problem = error.message.replace(/^error: /, '');
    throw new UsageError(error.code === 'commander.help' ? 'no command is given' : problem);
  }
  return request as Request;
}

const compareHelp = `
What each engine takes for one of each is measured by a program of our own (examples/probes), in loops whose turns are:
${probes.map(({ label, turn }) => `  ${label.padEnd(16)}  ${turn}`).join('\n')}

"native" needs a program built for this processor, "virtualized" one for x86-64 and /dev/kvm, "traced" one for x86 and
ptrace, "qemu" QEMU's user mode. Exit status: 0 when all outputs are equal, 2 when they are not or no run came to its
end in time; 1 for a wrong command line, 126 for a program that cannot be run, 127 for one that does not exist.`;

/** A whole number from 1 on, or a number of seconds. @throws UsageError */
function positive(text: string, where: string, isWhole: boolean): number {
  const value = Number(text);
  if (!(value > 0 && value < 1e9) || (isWhole && !Number.isInteger(value))) {
    throw new UsageError(`${where}: "${text}" is not a ${isWhole ? 'whole number from 1 on' : 'number of seconds'}`);
  }
  return value;
}

/** What commander makes of the options of `stele compare`. */
type Values = Readonly<Record<string, string>> & { readonly probes: boolean; readonly also: readonly string[] };

function addCompare(
  stele: Command,
  action: (options: CompareOptions, program: string, args: readonly string[]) => void,
): void {
  const command = stele
    .command('compare')
    .description('run a program on every engine, side by side, and show what each costs')
    .passThroughOptions();
  command.argument('<program>', 'a static Linux executable').argument('[args...]', 'its arguments');
  command
    .option('-n, --rounds <count>', 'measured rounds, in which each has its turn', '5')
    .option('--timeout <seconds>', 'stop a run that takes longer; it has no further turn', '60')
    .option('--engines <names>', `only these, separated by commas: ${contenderNames.join(', ')}`)
    .addOption(
      new Option('--also <program>', 'the same program built for another processor, side by side; can be repeated')
        .argParser((text: string, previous: readonly string[]) => [...previous, text])
        .default([], 'none'),
    )
    .option('--input <file>', "the program's standard input, for every run (default: nothing)")
    .option('-L, --sysroot <dir>', 'look for the files that the guest names in this directory first')
    .option('--no-probes', 'do not measure what each engine takes for a system call, a page fault and so on')
    .option('--json <file>', 'write all that was measured as JSON ("-": to standard output, instead of the table)')
    .option('--csv <file>', 'write the times as comma-separated values (likewise)')
    .option('--html <file>', 'write a page with tables and charts (likewise)')
    .option('--svg <file>', 'write the chart of times (likewise)')
    .addHelpText('after', compareHelp)
    .action((program: string, args: string[], values: Values) => {
      const {
        probes: wantsProbes,
        also,
        rounds,
        timeout,
        engines = '',
        input = '',
        sysroot = '',
        json = '',
        csv = '',
        html = '',
        svg = '',
      } = values;
      const options = {
        rounds: positive(rounds, '--rounds', true),
        timeout: positive(timeout, '--timeout', false),
        engines: engines === '' ? [] : engines.split(','),
      };
      action({ ...options, also, input, sysroot, probes: wantsProbes, json, csv, html, svg }, program, args);
    });
}
