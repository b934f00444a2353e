/** Finds the machine code of the translations of an inspection. */
import { runtime } from '../host/inspection.ts';
import { listModules, listRun, traceModules } from '../host/v8-listing.ts';
import { type HostCode, hostCodeOf, hostSize, isMadeOf } from '../inspect/host-code.ts';
import type { Heat } from '../inspect/report.ts';
import { ListingReader, type V8Code } from '../inspect/v8-code.ts';
import { codeOfTrace } from '../inspect/v8-trace.ts';

export interface HostQuestion {
  /** All translations, those first that matter most. */
  readonly heats: readonly Heat[];
  /** Those whose lines are wanted. */
  readonly listed: readonly Heat[];
  /** Take the time that it takes, and run the program once more for the code of JavaScript. */
  readonly isPatient: boolean;
  /** The command that runs the program. */
  readonly run: readonly string[];
}

export interface HostAnswer {
  readonly host: Map<number, HostCode>;
  /** Why not of all translations; empty when it is. */
  readonly note: string;
}

/** Milliseconds for V8's listing: where nobody asked for it, and where somebody did. */
const quick = 5000;
const patient = 600_000;

/** Modules that one process lists: to make them takes time, too. */
const modulesAtOnce = 256;

const isWebAssembly = ({ collected }: Heat): boolean => collected.translation.cost.tier === 'webassemblyRegions';

/** Asks V8 for the machine code of translations. */
export async function findHostCode(question: HostQuestion): Promise<HostAnswer> {
  const { heats, isPatient } = question;
  const host = new Map<number, HostCode>();
  if (heats.length === 0) return { host, note: '' };
  const timeout = isPatient ? patient : quick;
  const webassembly = heats.filter(isWebAssembly);
  const javascript = heats.filter((heat) => !isWebAssembly(heat));
  let timedOut = false;
  if (webassembly.length > 0) timedOut = await ofWebAssembly(webassembly, question, host, timeout);
  if (javascript.length > 0) {
    if (!isPatient)
      return { host, note: 'the machine code of JavaScript is listed with --host, which runs the program once more' };
    timedOut = (await ofJavaScript(javascript, question, host, timeout)) || timedOut;
  }
  if (timedOut)
    return {
      host,
      note: `machine code of ${host.size} translations; ${isPatient ? 'the others took too long' : '--host waits for all'}`,
    };
  if (host.size === 0 && webassembly.length > 0)
    return { host, note: `Node ${runtime().node} does not list machine code` };
  const missing = heats.length - host.size;
  return { host, note: missing === 0 ? '' : `V8 did not optimize ${missing} of ${heats.length} translations` };
}

/** Each module is compiled once more, by the optimizing compiler alone. @returns whether there was no time for all */
async function ofWebAssembly(
  heats: readonly Heat[],
  { listed }: HostQuestion,
  host: Map<number, HostCode>,
  timeout: number,
): Promise<boolean> {
  const byName = new Map(heats.map((heat) => [heat.collected.translation.name, heat]));
  const numberOf = ({ name }: V8Code): number | undefined => byName.get(name)?.number;
  const reader = new ListingReader((code) => {
    const number = numberOf(code);
    if (number !== undefined) host.set(number, hostSize(code));
  });
  const end = performance.now() + timeout;
  let timedOut = false;
  for (let first = 0; first < heats.length && !timedOut; first += modulesAtOnce) {
    const left = Math.ceil(end - performance.now());
    if (left <= 0) timedOut = true;
    else {
      const modules = heats.slice(first, first + modulesAtOnce).map(moduleOf);
      ({ timedOut } = await listModules(modules, (line) => reader.line(line), left));
    }
  }
  const addLines = (document: unknown): void => {
    const code = codeOfTrace(document);
    const heat = code === undefined ? undefined : byName.get(code.name);
    if (code === undefined || heat === undefined) return;
    const { translation } = heat.collected;
    host.set(heat.number, hostCodeOf(code, translation, translation.emit()));
  };
  await traceModules(listed.filter(isWebAssembly).map(moduleOf), addLines, timeout);
  return timedOut;
}

function moduleOf({ collected }: Heat): Uint8Array {
  const code = collected.translation.emit();
  if (code.kind !== 'webassembly') throw new Error('only WebAssembly has modules');
  return code.emitted.bytes;
}

/** @returns whether there was no time for the whole run */
async function ofJavaScript(
  heats: readonly Heat[],
  { run, listed }: HostQuestion,
  host: Map<number, HostCode>,
  timeout: number,
): Promise<boolean> {
  const wanted = new Set(listed);
  const reader = new ListingReader((code) => {
    for (const heat of heats) {
      const { translation } = heat.collected;
      if (translation.name !== code.name) continue;
      const emitted = translation.emit();
      if (!isMadeOf(code, emitted)) continue;
      host.set(heat.number, wanted.has(heat) ? hostCodeOf(code, translation, emitted) : hostSize(code));
    }
  });
  const { timedOut } = await listRun(run, (line) => reader.line(line), timeout);
  return timedOut;
}
