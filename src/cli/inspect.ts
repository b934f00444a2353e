/** `stele inspect`: runs a program, or only translates it, and shows its translations. */
import { samplesOf } from '../diagnostics/cpu-profile.ts';
import { ElfError } from '../elf/elf-error.ts';
import { TranslatedEngine } from '../engines/translated/translated-engine.ts';
import { argumentBytes, environmentBytes, outputIsColoured, writeError, writeOutput } from '../host/command.ts';
import { NodeSystem } from '../host/node-system.ts';
import { findHostPages } from '../host/page-protection.ts';
import { startProfiler } from '../host/profiler.ts';
import { openNowhere, RedirectedFiles } from '../host/redirected-files.ts';
import { compileHinted } from '../host/tiering.ts';
import { translateAhead } from '../inspect/ahead.ts';
import { Collector } from '../inspect/collector.ts';
import { coloured, plain } from '../inspect/colours.ts';
import { byHeat, type Findings, type Heat, type RegionReport, regionReport, reportOf } from '../inspect/report.ts';
import { type Stage, stages } from '../inspect/stage-names.ts';
import { hotTable, listing } from '../inspect/views.ts';
import type { ExitStatus } from '../linux/process.ts';
import { runThread } from '../linux/run.ts';
import { signalDescription } from '../linux/signals.ts';
import { NoMemoryError } from '../memory/address-space.ts';
import { protection } from '../memory/guest-memory.ts';
import { createGuest, type Guest } from './guest.ts';
import { type Found, findingsOf } from './guest-findings.ts';
import { findHostCode } from './inspect-host.ts';
import type { InspectedEngine } from './inspect-options.ts';
import { preparePage } from './inspect-page.ts';
import { UsageError } from './options.ts';
import { cannotRun, readProgram } from './program-file.ts';

export interface InspectOptions {
  readonly engine: InspectedEngine;
  /** How many regions to show; undefined: 20 in the table, 1 where stages are listed. */
  readonly hot: number | undefined;
  /** Only regions with code of the function of this name; empty: of any. */
  readonly symbol: string;
  /** Only regions that hold this guest address. */
  readonly address: number | undefined;
  /** What to list of each region; empty: a table, or the stages that there are where a region was named. */
  readonly show: readonly Stage[];
  /** Find the machine code of all translations, however long it takes. */
  readonly host: boolean;
  readonly json: boolean;
  /** Translate without running. */
  readonly isStatic: boolean;
  /** Discard what the program writes. */
  readonly quiet: boolean;
  readonly sysroot: string;
  /** The file that gets the page; "-": standard output; empty: none. */
  readonly html: string;
  /** The port that the page is served on; 0: the usual one, or another that is free; undefined: none. */
  readonly serve: number | undefined;
}

const tableRows = 20;

/**
 * @returns the exit status: 0 where there was something to show, however the program itself ended
 * @throws UsageError where no translation is what was asked for
 */
export async function inspect(options: InspectOptions, program: string, args: readonly string[]): Promise<number> {
  const [path, ...rest] = argumentBytes(args.length + 1);
  const file = readProgram(path, program);
  if (typeof file === 'number') return file;
  const page = options.html !== '' || options.serve !== undefined ? await preparePage(options) : undefined;
  const collector = new Collector();
  const system = new NodeSystem();
  const start = performance.now();
  let guest: Guest;
  try {
    guest = createGuest({
      file,
      path,
      arguments: [path, ...rest],
      environment: environmentBytes(),
      system,
      fileHost: new RedirectedFiles(outputs(options.quiet)),
      root: options.sysroot === '' ? undefined : new TextEncoder().encode(options.sysroot),
      stackLimit: 8 << 20,
      findHostPages,
      compile: compileHinted,
      engine: options.engine,
      measure: true,
      inspector: collector,
      ahead: options.isStatic,
    });
  } catch (error) {
    if (!(error instanceof ElfError || error instanceof NoMemoryError)) throw error;
    writeError(`stele: ${program}: ${error.message}\n`);
    return cannotRun;
  }
  const stopProfiler = options.isStatic ? undefined : await startProfiler();
  const loaded = performance.now();
  let status: ExitStatus | undefined;
  if (options.isStatic) translateAll(guest, collector);
  else status = await runThread(guest.thread, guest.engine);
  const ended = performance.now();
  const profile = await stopProfiler?.();
  guest.engine.close();
  const times = { start, loaded, ended };
  const samples = profile === undefined ? undefined : samplesOf(profile);
  const run = { program, arguments: args, status, times, profile: samples };
  const found = findingsOf(guest, system, collector, run);
  const heats = byHeat(found);
  const chosen = choose(options, found, heats);
  const findings: Findings = { ...found, ...(await hostCodeFor(options, found, heats, chosen)) };
  if (page === undefined || options.json) show(options, findings, heats, chosen);
  await page?.show(findings, heats);
  return 0;
}

/** The regions that the views show. */
interface Choice {
  readonly regions: readonly Heat[];
  /** Stages to list of each; none: a table of the regions. */
  readonly stages: readonly Stage[];
}

/** What the guest writes is not the command's own output: it goes to standard error, or nowhere. */
function outputs(quiet: boolean): ReadonlyMap<number, number> {
  if (!quiet) return new Map([[1, 2]]);
  const nowhere = openNowhere();
  return new Map([
    [1, nowhere],
    [2, nowhere],
  ]);
}

function translateAll({ engine, thread, symbols, memory, program }: Guest, collector: Collector): void {
  if (!(engine instanceof TranslatedEngine)) throw new Error(`${engine.name} does not translate`);
  translateAhead({
    collector,
    entries: [program.entry, ...symbols.functions().map(({ start }) => start)],
    isCode: (pc) => memory.allows(pc, 1, protection.execute),
    translateAt: (pc) => engine.translateAt(thread.state, pc),
  });
}

/** @throws UsageError where nothing is what was asked for */
function choose(options: InspectOptions, found: Found, heats: readonly Heat[]): Choice {
  const isNamed = options.symbol !== '' || options.address !== undefined;
  const wanted = isNamed ? heats.filter((heat) => isWanted(heat, options, found)) : heats;
  if (isNamed && wanted.length === 0) throw new UsageError(nothingFound(options, heats, found));
  const isListed = options.show.length > 0 || isNamed;
  const most = options.hot ?? (isNamed ? wanted.length : isListed ? 1 : tableRows);
  return {
    regions: wanted.slice(0, most),
    stages: options.show.length > 0 ? options.show : isListed ? stages : [],
  };
}

/** Finds machine code: of all regions where the views or the page tell how much there is, with lines where they show them. */
async function hostCodeFor(
  options: InspectOptions,
  { program, arguments: args }: Found,
  heats: readonly Heat[],
  { regions, stages: listed }: Choice,
): Promise<Pick<Findings, 'host' | 'hostNote'>> {
  const { engine, sysroot, json } = options;
  const hasPage = options.html !== '' || options.serve !== undefined;
  const isShort = listed.length > 0 && !json && !hasPage;
  const lines = hasPage ? (options.host ? heats : heats.slice(0, tableRows)) : [];
  const root = sysroot === '' ? [] : ['--sysroot', sysroot];
  const { host, note } = await findHostCode({
    heats: isShort ? regions : heats,
    listed: [...new Set([...(listed.includes('host') ? regions : []), ...lines])],
    isPatient: options.host || options.show.includes('host'),
    run: ['run', '--no-cache', '--engine', engine, ...root, program, ...args],
  });
  return { host, hostNote: note };
}

function show(options: InspectOptions, findings: Findings, heats: readonly Heat[], chosen: Choice): void {
  const { status, program } = findings;
  if (options.json) {
    const isListed = new Set(chosen.regions);
    writeOutput(`${JSON.stringify(reportOf(findings, heats, (heat) => (isListed.has(heat) ? chosen.stages : [])))}\n`);
    return;
  }
  if (status?.kind === 'signal') {
    writeError(`stele: ${program}: ended by signal ${status.signal} (${signalDescription(status.signal)})\n`);
  }
  if (chosen.stages.length === 0) {
    const report = reportOf(findings, heats, () => []);
    writeOutput(hotTable(report, report.regions.slice(0, chosen.regions.length)));
    return;
  }
  const palette = outputIsColoured() ? coloured : plain;
  const texts = chosen.regions.map((heat) => {
    const region = regionReport(heat, findings, chosen.stages);
    return listing(region, missingStages(region, options.show, findings.hostNote), palette);
  });
  writeOutput(texts.join('\n'));
}

/** Why a region has no lines of stages that were asked for. */
function missingStages({ tier, host }: RegionReport, wanted: readonly Stage[], hostNote: string): string[] {
  const isWebAssembly = tier === 'webassemblyRegions';
  const notes: Partial<Record<Stage, string>> = isWebAssembly
    ? { js: 'this translation is WebAssembly; --engine regions makes JavaScript' }
    : { wasm: 'this translation is JavaScript; --engine wasm makes WebAssembly' };
  if (host === null) notes.host = hostNote;
  return wanted.flatMap((stage) => (notes[stage] === undefined ? [] : [`${stage}: ${notes[stage]}`]));
}

/** Whether a region has code of the function, or at the address, that was named. */
function isWanted(
  { collected }: Heat,
  { symbol, address }: InspectOptions,
  { places }: Pick<Findings, 'places'>,
): boolean {
  const { blocks } = collected.translation.region;
  if (address !== undefined && !blocks.some(({ pc, endPc }) => address >= pc && address < endPc)) return false;
  return symbol === '' || blocks.some(({ pc }) => places.symbolAt(pc)?.name === symbol);
}

function nothingFound(
  { symbol, address, isStatic }: InspectOptions,
  heats: readonly Heat[],
  { places }: Pick<Findings, 'places'>,
): string {
  const what = [
    symbol === '' ? '' : `of the function "${symbol}"`,
    address === undefined ? '' : `at 0x${address.toString(16)}`,
  ];
  const names = new Set(heats.map(({ collected }) => places.symbolAt(collected.translation.cost.address)?.name));
  const known = [...names].filter((name) => name !== undefined).slice(0, 8);
  const there = known.length === 0 ? 'nothing was translated' : `the hottest are of ${known.join(', ')}`;
  const advice = isStatic ? '' : '; code that runs seldom is translated with --engine wasm or --static';
  return `there is no translation ${what.filter((part) => part !== '').join(' ')}: ${there}${advice}`;
}
