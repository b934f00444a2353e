/** Where `stele` begins: finds the command, and turns what went wrong into a message and an exit status. */
import manifest from '../../package.json' with { type: 'json' };
import { commandArguments, exit, writeError, writeOutput } from '../host/command.ts';
import { type PartialOptions, UsageError } from './options.ts';

const usageStatus = 1;
/** EX_SOFTWARE of sysexits.h: an error of Stele's own. */
const internalErrorStatus = 70;

interface RunRequest {
  readonly options: PartialOptions;
  readonly program: string;
  readonly args: readonly string[];
}

/** What to run. Without options there is nothing to parse: the program's name ends them, and commander need not be loaded. */
async function request(args: readonly string[]): Promise<RunRequest | undefined> {
  const [command, program, ...rest] = args;
  if (command === 'run' && program !== undefined && !program.startsWith('-')) {
    return { options: {}, program, args: rest };
  }
  const { parseCommandLine } = await import('./command-line.ts');
  const parsed = parseCommandLine(args, manifest.version);
  if (parsed.kind === 'run') return parsed;
  writeOutput(parsed.text);
  return undefined;
}

async function main(): Promise<number> {
  try {
    const found = await request(commandArguments());
    if (found === undefined) return 0;
    const { run } = await import('./run.ts');
    return await run(found.options, found.program, found.args);
  } catch (error) {
    if (!(error instanceof UsageError)) {
      const { describeInternalError } = await import('../diagnostics/stack-trace.ts');
      writeError(describeInternalError(error));
      return internalErrorStatus;
    }
    writeError(`stele: ${error.message}\nTry "stele --help" or "stele run --help".\n`);
    return usageStatus;
  }
}

main().then(exit);
