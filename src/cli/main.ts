/** Where `stele` begins: finds the command, and turns what went wrong into a message and an exit status. */
import manifest from '../../package.json' with { type: 'json' };
import { commandArguments, exit, writeError, writeOutput } from '../host/command.ts';
import { deferOptimization } from '../host/tiering.ts';
import { type MachineData, machineCommand } from '../machines/messages.ts';
import type { Request } from './command-line.ts';
import { UsageError } from './options.ts';

interface MachineThreadRequest {
  readonly kind: 'machine';
  readonly data: MachineData;
}

const usageStatus = 1;
/** Commands with options to read about; without one the user may mean `run`. */
const helpTopics = new Set(['compare', 'inspect', 'machines']);
/** EX_SOFTWARE of sysexits.h: an error of Stele's own. */
const internalErrorStatus = 70;

/** What to do. Without options there is nothing to parse: the program's name ends them, and commander need not be loaded. */
async function request(args: readonly string[]): Promise<Request | MachineThreadRequest> {
  const [command, program, ...rest] = args;
  if (command === 'run' && program !== undefined && !program.startsWith('-')) {
    return { kind: 'run', options: {}, program, args: rest };
  }
  if (command === machineCommand) {
    const { machineData } = await import('../host/machine-threads.ts');
    const data = machineData<MachineData>();
    if (data !== undefined) return { kind: 'machine', data };
  }
  const { parseCommandLine } = await import('./command-line.ts');
  return parseCommandLine(args, manifest.version);
}

async function perform(wanted: Request | MachineThreadRequest): Promise<number> {
  switch (wanted.kind) {
    case 'run': {
      // Before anything else is evaluated: V8 would begin to optimize what makes tables.
      const optimization = deferOptimization();
      const { run } = await import('./run.ts');
      return await run(wanted.options, wanted.program, wanted.args, optimization);
    }
    case 'doctor': {
      const { doctor } = await import('./doctor.ts');
      return doctor(wanted.json);
    }
    case 'cache': {
      const { clearCache, listCache } = await import('./cache.ts');
      return wanted.action === 'list' ? listCache(wanted.options, wanted.json) : clearCache(wanted.options);
    }
    case 'compare': {
      const { runCompare } = await import('./compare.ts');
      return await runCompare(wanted.options, wanted.program, wanted.args);
    }
    case 'inspect': {
      const { inspect } = await import('./inspect.ts');
      return await inspect(wanted.options, wanted.program, wanted.args);
    }
    case 'machines': {
      const { runMachines } = await import('./machines.ts');
      return await runMachines(wanted.options);
    }
    case 'machine': {
      const { runMachine } = await import('./machine.ts');
      await runMachine(wanted.data);
      return 0;
    }
    case 'print':
      writeOutput(wanted.text);
      return 0;
  }
}

async function main(): Promise<number> {
  try {
    return await perform(await request(commandArguments()));
  } catch (error) {
    if (!(error instanceof UsageError)) {
      const { describeInternalError } = await import('../diagnostics/stack-trace.ts');
      writeError(describeInternalError(error));
      return internalErrorStatus;
    }
    const [command] = commandArguments();
    const topic = helpTopics.has(command) ? command : 'run';
    writeError(`stele: ${error.message}\nTry "stele --help" or "stele ${topic} --help".\n`);
    return usageStatus;
  }
}

main().then(exit);
