/** The command line of `stele inspect`. */
import type { Command } from 'commander';
import { type Stage, stages } from '../inspect/stage-names.ts';
import type { InspectOptions } from './inspect.ts';
import { UsageError } from './options.ts';

/** Engines that translate. */
export const inspectedEngines = ['auto', 'wasm', 'regions', 'blocks'] as const;
export type InspectedEngine = (typeof inspectedEngines)[number];

/** Where the page is served when the user names no port, unless somebody else is there. */
export const usualPort = 7357;

const help = `
What the program writes goes to standard error, so that standard output has the view only. Exit status: 0 when there is
something to show, however the program ended; 1 for a wrong command line, or when no translation is what was asked for;
126 for a program that cannot be run, 127 for one that does not exist.`;

export function addInspect(
  stele: Command,
  action: (options: InspectOptions, program: string, args: readonly string[]) => void,
): Command {
  const command = stele
    .command('inspect')
    .description('run a program, and show what became of its code: IR, JavaScript, WebAssembly, with counts')
    .passThroughOptions();
  command.argument('<program>', 'a static Linux executable').argument('[args...]', 'its arguments');
  command
    .option('--engine <name>', `how to run it: ${inspectedEngines.join(', ')}`, 'auto')
    .option('--hot <count>', 'show the hottest regions, this many (default: a table of 20)')
    .option('--symbol <name>', 'list the regions with code of this function')
    .option('--address <address>', 'list the regions that hold this guest address: 0x10000400')
    .option('--show <stages>', `list these of each region, separated by commas: ${stages.join(', ')}`)
    .option('--static', 'translate all functions without running anything')
    .option('--html <file>', 'write a page that shows all regions, and needs nothing else ("-": to standard output)')
    .option(
      '--serve [port]',
      `show that page to browsers on this machine (default port: ${usualPort}, or one that is free)`,
    )
    .option('--host', 'count the machine code of all translations; for that of JavaScript, run the program once more')
    .option('--json', 'print all regions as JSON (docs/inspect.md), with the stages of those that would be listed')
    .option('-q, --quiet', 'discard what the program writes')
    .option('-L, --sysroot <dir>', 'look for the files that the guest names in this directory first')
    .addHelpText('after', help)
    .action((program: string, args: string[], values: Record<string, string | true | undefined>) => {
      const {
        engine,
        hot,
        symbol = '',
        address,
        show,
        host,
        json,
        static: isStatic,
        quiet,
        sysroot = '',
        html = '',
        serve,
      } = values;
      action(
        {
          engine: oneOf(inspectedEngines, engine as string, '--engine'),
          hot: hot === undefined ? undefined : count(hot as string),
          symbol: symbol as string,
          address: address === undefined ? undefined : guestAddress(address as string),
          show:
            show === undefined ? [] : (show as string).split(',').map((name) => oneOf(stages, name, '--show') as Stage),
          host: host === true,
          json: json === true,
          isStatic: isStatic === true,
          quiet: quiet === true,
          sysroot: sysroot as string,
          html: html as string,
          serve: serve === undefined ? undefined : port(serve),
        },
        program,
        args,
      );
    });
  return command;
}

/** @throws UsageError */
function oneOf<Name extends string>(names: readonly Name[], text: string, where: string): Name {
  const name = names.find((candidate) => candidate === text);
  if (name === undefined) throw new UsageError(`${where}: "${text}" is not one of ${names.join(', ')}`);
  return name;
}

/** @param text true where the user named none. @throws UsageError */
function port(text: string | true): number {
  if (text === true || text === '') return 0;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (value < 1 || value > 65_535) throw new UsageError(`--serve: "${text}" is not a port from 1 to 65535`);
  return value;
}

/**
 * Tells a port from the program's name, which commander would take for it: "--serve PROGRAM" becomes "--serve= PROGRAM".
 * @param args from behind the command's name
 */
export function separateServe(args: readonly string[], { options }: Command): string[] {
  const separated = [...args];
  for (let i = 0; i < args.length && args[i].startsWith('-') && args[i] !== '--'; i++) {
    if (args[i] === '--serve' && !/^\d+$/.test(args[i + 1] ?? '')) separated[i] = '--serve=';
    else if (
      options.find(({ short, long }) => args[i] === short || args[i] === long)?.required ||
      args[i] === '--serve'
    )
      i++;
  }
  return separated;
}

/** @throws UsageError */
function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new UsageError(`--hot: "${text}" is not a whole number from 1 on`);
  return Number(text);
}

/** @throws UsageError */
function guestAddress(text: string): number {
  if (!/^(0x)?[\da-f]{1,8}$/i.test(text)) {
    throw new UsageError(`--address: "${text}" is not a guest address in hexadecimal, such as 0x10000400`);
  }
  return Number.parseInt(text, 16);
}
