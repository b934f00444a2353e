/** `stele run --cpu-prof FILE` and `--perfmap`: profiles in which translations have the guest's names. */
import { guestProfile } from '../diagnostics/cpu-profile.ts';
import { guestPerfMap } from '../diagnostics/perf-map.ts';
import { generatedScript } from '../engines/translated/stack-traces.ts';
import { absolutePath } from '../host/command.ts';
import { restartWithPerfMap, rewritePerfMap, startProfiler, writesPerfMap } from '../host/profiler.ts';
import type { Guest } from './guest.ts';
import { type RunOptions, UsageError } from './options.ts';
import { openSink } from './program-file.ts';

export interface Profiles {
  /** Writes them: the program has ended. @param program its path as it was given */
  finish(guest: Pick<Guest, 'symbols' | 'lines'>, program: string): Promise<void>;
}

/**
 * Begins what was asked for. May start the command anew, as only a V8 that was told so from its start writes a map.
 * @throws UsageError
 */
export async function startProfiles({ cpuProf, perfmap }: Pick<RunOptions, 'cpuProf' | 'perfmap'>): Promise<Profiles> {
  if (perfmap && !writesPerfMap())
    throw new UsageError(`--perfmap: it cannot be written here: ${restartWithPerfMap()}`);
  const sink = cpuProf === '' ? undefined : openSink(cpuProf, '--cpu-prof');
  // The guest may change the working directory.
  const folder = absolutePath('.');
  const stop = sink === undefined ? undefined : await startProfiler();
  return {
    finish: async ({ symbols, lines }, program) => {
      const places = {
        symbolAt: (address: number) => symbols.symbolAt(address),
        lineAt: (address: number) => lines.lineAt(address),
      };
      if (perfmap) rewritePerfMap((text) => guestPerfMap(text, places));
      if (sink === undefined || stop === undefined) return;
      const path = program.startsWith('/') ? program : `${folder}/${program}`;
      const profile = guestProfile(await stop(), { places, program: path, scriptOf: generatedScript });
      sink.write(JSON.stringify(profile));
      sink.flush();
    },
  };
}
