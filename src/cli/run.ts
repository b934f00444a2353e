/** `stele run`: runs a program as if it had been started itself: its output, its exit status, its death by a signal. */

import { ElfError } from '../elf/elf-error.ts';
import { EngineUnavailable } from '../engines/create-engine.ts';
import type { Log, LogKind } from '../engines/engine.ts';
import {
  absolutePath,
  argumentBytes,
  dieOfSignal,
  environmentBytes,
  errorSink,
  type TextSink,
  writeError,
} from '../host/command.ts';
import { createVirtualMachine } from '../host/kvm.ts';
import { NodeFiles } from '../host/node-files.ts';
import { NodeSystem } from '../host/node-system.ts';
import { findHostPages } from '../host/page-protection.ts';
import { startTracedProcess } from '../host/ptrace.ts';
import { compileHinted, type Optimization } from '../host/tiering.ts';
import type { ExitStatus } from '../linux/process.ts';
import { runThread } from '../linux/run.ts';
import { NoMemoryError } from '../memory/address-space.ts';
import { completeOptions } from './configuration.ts';
import { fatalReport } from './fatal-report.ts';
import { createGuest, type Guest, runCost } from './guest.ts';
import { guestEnvironment } from './guest-environment.ts';
import type { PartialOptions, RunOptions } from './options.ts';
import { cannotRun, openSink, readProgram } from './program-file.ts';
import { openBlockStore, openTranslationStore } from './program-stores.ts';

/**
 * Runs a program to its end.
 * @param args the program's arguments, which are the last ones of the command line
 * @param optimization lets V8 optimize, which it does not yet
 * @returns the exit status; does not return when a signal ended the program
 * @throws UsageError
 */
export async function run(
  flags: PartialOptions,
  program: string,
  args: readonly string[],
  optimization: Optimization,
): Promise<number> {
  const options = completeOptions(flags);
  const profiles = wantsProfiles(options) ? await (await import('./profiles.ts')).startProfiles(options) : undefined;
  // Node makes `performance` when it is first used, which costs 3 ms.
  const now = wantsStatistics(options) ? () => performance.now() : () => 0;
  const start = now();
  const [path, ...rest] = argumentBytes(args.length + 1);
  const file = readProgram(path, program);
  if (typeof file === 'number') return file;
  const sink = options.logFile === '' ? errorSink : openSink(options.logFile, '--log-file');
  const statistics = statisticsSink(options);
  const { log } = options;
  // A log shall have everything that is translated.
  const debugging = options.gdb === '' ? undefined : await import('./debug.ts');
  // And what is kept knows of no breakpoints.
  const keeps = !options.noCache && log.length === 0 && debugging === undefined;
  // The guest may change the working directory.
  const cache = { ...options, cacheDir: options.cacheDir === '' ? '' : absolutePath(options.cacheDir) };
  const system = new NodeSystem();
  // The other engines' code is compiled from the start, and wants to be optimized.
  if (options.engine !== 'auto' && options.engine !== 'interpreted') optimization.allOfIt();
  let guest: Guest;
  try {
    guest = createGuest({
      file,
      path,
      arguments: [options.argv0 === '' ? path : new TextEncoder().encode(options.argv0), ...rest],
      environment: guestEnvironment(environmentBytes(), options.unsetEnv, options.setEnv),
      system,
      fileHost: new NodeFiles(),
      root: options.sysroot === '' ? undefined : new TextEncoder().encode(options.sysroot),
      stackLimit: options.stackSize,
      findHostPages,
      compile: compileHinted,
      engine: debugging?.debuggableEngine(options.engine) ?? options.engine,
      createEngine: debugging?.createDebuggedEngine,
      createVirtualMachine,
      startTracedProcess,
      measure: statistics !== undefined,
      mayBeShort: true,
      keepsRunning: options.engine === 'auto' ? optimization.someOfIt : optimization.allOfIt,
      isOwnWork: optimization.allOfIt,
      observer: options.strace ? await createTracer(sink) : undefined,
      log: log.length === 0 ? undefined : logger(new Set(log), sink),
      translations: keeps ? () => openTranslationStore(file, path, cache) : undefined,
      blocks: keeps ? () => openBlockStore(path, cache) : undefined,
    });
  } catch (error) {
    if (error instanceof NoMemoryError) {
      writeError(`stele: the guest's memory cannot be made: ${error.message}. "stele doctor" tells what to do.\n`);
      return cannotRun;
    }
    if (error instanceof EngineUnavailable) {
      writeError(`stele: ${program}: the engine ${options.engine} cannot run it: ${error.message}\n`);
      return cannotRun;
    }
    if (!(error instanceof ElfError)) throw error;
    writeError(`stele: ${program}: ${error.message}\n`);
    return cannotRun;
  }
  const loaded = now();
  if (options.statsFull) guest.engine.statistics.translations = [];
  const session = await debugging?.debug(options.gdb, guest, absolutePath(program), file);
  let status: ExitStatus;
  try {
    status = await runThread(guest.thread, guest.engine, session?.debugger);
  } finally {
    // The last lines before an error of Stele's own are the ones that are wanted most.
    sink.flush();
    // The launcher keeps compiled code for runs that begin with V8's own settings.
    optimization.allOfIt();
  }
  const ended = now();
  await session?.end(status);
  guest.engine.close();
  if (status.kind === 'signal' && status.core) writeError(fatalReport(status, guest));
  await profiles?.finish(guest, program);
  if (statistics !== undefined) {
    const { statisticsJson, statisticsTable } = await import('../diagnostics/statistics.ts');
    const cost = runCost(guest, system, loaded - start, ended - loaded);
    statistics.write(options.json ? statisticsJson(cost) : statisticsTable(cost));
    statistics.flush();
  }
  return status.kind === 'exit' ? status.code : dieOfSignal(status.signal);
}

function wantsStatistics({ stats, statsFull, json, statsFile }: RunOptions): boolean {
  return stats || statsFull || json || statsFile !== '';
}

const wantsProfiles = ({ cpuProf, perfmap }: RunOptions): boolean => cpuProf !== '' || perfmap;

/** Where statistics go, if any are wanted. */
function statisticsSink(options: RunOptions): TextSink | undefined {
  if (options.statsFile !== '') return openSink(options.statsFile, '--stats-file');
  return wantsStatistics(options) ? errorSink : undefined;
}

function logger(kinds: ReadonlySet<LogKind>, sink: TextSink): Log {
  return {
    wants: (kind) => kinds.has(kind),
    write: (kind, text) => {
      if (kinds.has(kind)) sink.write(`${text}\n`);
    },
  };
}

/** Strace, which is loaded only when it is wanted. */
async function createTracer(sink: TextSink) {
  const { Strace } = await import('../linux/strace.ts');
  return new Strace((text) => sink.write(text));
}
