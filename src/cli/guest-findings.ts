/** What a guest's run left for an inspection. */
import type { ProfileSamples } from '../diagnostics/cpu-profile.ts';
import type { Places } from '../diagnostics/places.ts';
import { statisticsJson } from '../diagnostics/statistics.ts';
import type { System } from '../host/system.ts';
import type { Collector } from '../inspect/collector.ts';
import type { Findings } from '../inspect/report.ts';
import { SourceFiles } from '../inspect/source-files.ts';
import type { ExitStatus } from '../linux/process.ts';
import { type Guest, runCost } from './guest.ts';

/** What is found before anybody asks for machine code. */
export type Found = Omit<Findings, 'host' | 'hostNote'>;

/** A run that is over. Times are milliseconds on the clock of costs. */
export interface InspectedRun {
  readonly program: string;
  readonly arguments: readonly string[];
  /** undefined: the program was only translated. */
  readonly status: ExitStatus | undefined;
  /** Before the file was read, when it was in memory, and at the end. */
  readonly times: { readonly start: number; readonly loaded: number; readonly ended: number };
  /** What V8's profiler saw of it, where somebody asked. */
  readonly profile?: ProfileSamples | undefined;
}

/** @param collector was given to the guest as its inspector */
export function findingsOf(guest: Guest, system: System, collector: Collector, run: InspectedRun): Found {
  const { symbols, lines, memory } = guest;
  const { start, loaded, ended } = run.times;
  const count = (offset: number): number => memory.view.getFloat64(offset, true);
  const executed = guest.engine.statistics.guestInstructions;
  collector.sample({ at: ended, executed, count });
  const statistics = statisticsJson(runCost(guest, system, loaded - start, ended - loaded));
  const places: Places = {
    symbolAt: (address) => symbols.symbolAt(address),
    lineAt: (address) => lines.lineAt(address),
  };
  return {
    program: run.program,
    arguments: run.arguments,
    abi: guest.image.target.abi,
    engine: guest.engine.name,
    status: run.status,
    executed,
    statistics: run.status === undefined ? null : JSON.parse(statistics),
    collected: collector.collected,
    samples: collector.samples,
    start: loaded,
    profile: run.profile,
    places,
    files: new SourceFiles(places),
    count,
  };
}
