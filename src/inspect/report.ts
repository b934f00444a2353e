/** What an inspection found: the document that --json prints, and that the views on the terminal show. docs/inspect.md describes it. */

import type { BlockCounters } from '../../translators/counters.ts';
import type { Region } from '../../translators/optimize/discover.ts';
import type { ProfileSamples } from '../diagnostics/cpu-profile.ts';
import { type Places, symbolicAddress } from '../diagnostics/places.ts';
import type { Retirement } from '../engines/inspection.ts';
import { type Tier, tiers } from '../engines/statistics.ts';
import type { ExitStatus } from '../linux/process.ts';
import { type CollectedTranslation, executedIn, type Sample } from './collector.ts';
import type { HostCode } from './host-code.ts';
import type { SourceFiles, SourceRun } from './source-files.ts';
import type { Stage } from './stage-names.ts';
import { codeLines, codeSize, optimizedCounts, type StageLine, stageLines } from './stages.ts';
import { type Work, workOf } from './work.ts';

/** Changes when a document cannot be read any more as one of the last version. */
export const reportVersion = 1;

/** Per guest instruction. */
export interface Expansion {
  /** IR operations, as lifted, and those of them that code is made of. */
  readonly ir: number;
  readonly optimized: number;
  /** Lines of JavaScript; instructions of WebAssembly. */
  readonly code: number;
  /** Machine instructions; null where they are not known. */
  readonly host: number | null;
}

export interface BlockReport {
  readonly pc: number;
  readonly endPc: number;
  readonly guestInstructions: number;
  readonly operations: number;
  readonly optimizedOperations: number;
  /** Lines of JavaScript, or instructions of WebAssembly, that came from the block. */
  readonly codeLines: number;
  /** Machine instructions that came from it; null where they are not known. */
  readonly hostInstructions: number | null;
  /** Guest addresses of the blocks of the region that it leads to. */
  readonly successors: readonly number[];
  /** Times that control went on to each of them; null where that was not counted. The rest of `executions` left the region. */
  readonly taken: readonly number[] | null;
  /** Times that it began to run; null where that was not counted. */
  readonly executions: number | null;
  /** Guest instructions that ran in it. */
  readonly executed: number | null;
  /** Where the source line changes: guest address, index in the report's `files`, line; -1 and 0 where none is known. Empty without line tables. */
  readonly source: readonly SourceRun[];
}

export interface RegionReport {
  /** In the order of making, from 0. */
  readonly number: number;
  /** Of the generated function. */
  readonly name: string;
  readonly pc: number;
  /** "main+0x1c"; empty where no symbol is known. */
  readonly symbol: string;
  /** "count.c:12"; empty where the program has no line tables. */
  readonly line: string;
  readonly tier: Tier;
  readonly entries: number | null;
  readonly executed: number | null;
  /** Of all guest instructions that ran, interpreted ones too. */
  readonly share: number | null;
  /** Of the samples that V8's profiler took while the program ran; null where it took none. */
  readonly time: number | null;
  readonly guestInstructions: number;
  readonly operations: number;
  readonly optimizedOperations: number;
  readonly code: {
    /** Lines of JavaScript, or instructions of WebAssembly. */
    readonly lines: number;
    readonly size: number;
    readonly sizeUnit: 'characters' | 'bytes';
  };
  /** The machine code that V8's optimizing compiler makes of it, without padding; null where it is not known. */
  readonly host: { readonly instructions: number; readonly bytes: number } | null;
  readonly expansion: Expansion;
  /** The same of the blocks that ran, each as often as its guest instructions did; null where nothing ran in it. */
  readonly executedExpansion: Expansion | null;
  /** When it was ready, in milliseconds since the program began to run, or to be translated. */
  readonly madeAt: number;
  /** When and why it was taken out of use; null where it was not. */
  readonly retired: { readonly at: number; readonly why: Retirement } | null;
  /** Milliseconds. */
  readonly times: { readonly lift: number; readonly optimize: number; readonly emit: number; readonly compile: number };
  readonly blocks: readonly BlockReport[];
  /** Of the stages that were asked for, where the region was. */
  readonly lines?: readonly StageLine[];
}

export interface Totals {
  readonly translations: number;
  /** Guest instructions, operations and lines of all regions. */
  readonly guestInstructions: number;
  readonly operations: number;
  readonly optimizedOperations: number;
  readonly codeLines: number;
  /** Of those regions whose machine code is known; null where none is. */
  readonly hostInstructions: number | null;
  readonly expansion: Expansion;
  /** That of the regions, each as often as guest instructions ran in it; null where nothing ran in a translation. */
  readonly executedExpansion: Expansion | null;
  /** Guest instructions that ran: in all, in translations, and outside of them, in the interpreter. Null where nothing ran. */
  readonly executed: number | null;
  readonly translated: number | null;
  readonly interpreted: number | null;
  /** Translations that had no room for counters: what they ran counts as interpreted. */
  readonly uncounted: number;
  /** What the instructions in translations did; null where nothing ran. */
  readonly work: Work | null;
}

/** How the run went on: columns of the same length. Guest instructions that had run, by the tier that ran them. */
export interface Timeline {
  /** Milliseconds since the program began to run. */
  readonly at: readonly number[];
  readonly executed: Readonly<Partial<Record<Tier, readonly number[]>>>;
}

export interface Report {
  readonly format: 'stele-inspect';
  readonly version: number;
  readonly program: string;
  readonly arguments: readonly string[];
  /** The program's ABI: powerpc, i386, x86-64. */
  readonly abi: string;
  readonly engine: string;
  /** How the program ended; null where it was not run. */
  readonly outcome: { readonly exit: number } | { readonly signal: number } | null;
  readonly totals: Totals;
  /** What `stele run --stats --json` prints of a run; null where there was none. */
  readonly statistics: unknown;
  /** Regions whose machine code is known, and why not of all; empty when it is. */
  readonly hostCode: { readonly regions: number; readonly note: string };
  /** Null where nothing ran. */
  readonly timeline: Timeline | null;
  /** Source files, which blocks name by their index here. */
  readonly files: readonly string[];
  /** The hottest first; where nothing ran, in the order of their addresses. */
  readonly regions: readonly RegionReport[];
}

/** What a report is made of. */
export interface Findings {
  readonly program: string;
  readonly arguments: readonly string[];
  readonly abi: string;
  readonly engine: string;
  readonly status: ExitStatus | undefined;
  /** Guest instructions that ran. */
  readonly executed: number;
  readonly statistics: unknown;
  readonly collected: readonly CollectedTranslation[];
  readonly samples: readonly Sample[];
  /** What V8's profiler saw of the run; undefined where nothing ran. */
  readonly profile: ProfileSamples | undefined;
  /** When the program began to run, on the clock of costs. */
  readonly start: number;
  readonly places: Places;
  readonly files: SourceFiles;
  /** Machine code by the number of the region, and why not of all. */
  readonly host: ReadonlyMap<number, HostCode>;
  readonly hostNote: string;
  /** The counter at an offset in memory. */
  count(offset: number): number;
}

/** A translation with its counts, before more is made of it. */
export interface Heat {
  readonly number: number;
  readonly collected: CollectedTranslation;
  readonly entries: number | null;
  readonly executed: number | null;
}

/** All translations, the hottest first. */
export function byHeat({ collected, status, count }: Pick<Findings, 'collected' | 'status' | 'count'>): Heat[] {
  const heats = collected.map((one, number): Heat => {
    const { counters } = one.translation;
    if (status === undefined || counters === undefined)
      return { number, collected: one, entries: null, executed: null };
    return {
      number,
      collected: one,
      entries: count(counters.entries),
      executed: executedIn(one.translation, count),
    };
  });
  const pc = ({ collected: { translation } }: Heat): number => translation.cost.address;
  return heats.sort((a, b) => (b.executed ?? 0) - (a.executed ?? 0) || pc(a) - pc(b) || a.number - b.number);
}

/** @param shown which stages of a region its report has as lines */
export function reportOf(findings: Findings, heats: readonly Heat[], shown: (heat: Heat) => readonly Stage[]): Report {
  return documentOf(
    findings,
    heats.map((heat) => regionReport(heat, findings, shown(heat))),
  );
}

/** What totals are made of. */
type Sizes = Pick<
  RegionReport,
  'guestInstructions' | 'operations' | 'optimizedOperations' | 'code' | 'host' | 'executed' | 'executedExpansion'
>;

/** A report of regions, whatever is told of each of them. @param regions all of them, the hottest first */
export function documentOf<Region extends Sizes>(
  findings: Findings,
  regions: readonly Region[],
): Omit<Report, 'regions'> & { readonly regions: readonly Region[] } {
  const { program, arguments: args, abi, engine, status, statistics } = findings;
  return {
    format: 'stele-inspect',
    version: reportVersion,
    program,
    arguments: args,
    abi,
    engine,
    outcome: status === undefined ? null : status.kind === 'exit' ? { exit: status.code } : { signal: status.signal },
    totals: totalsOf(regions, findings),
    statistics,
    hostCode: { regions: findings.host.size, note: findings.hostNote },
    timeline: status === undefined ? null : timelineOf(findings),
    files: findings.files.names,
    regions,
  };
}

export function regionReport(heat: Heat, findings: Findings, shown: readonly Stage[]): RegionReport {
  const { collected, number, entries, executed } = heat;
  const { translation, retired } = collected;
  const { region, cost, counters, script, name } = translation;
  const { places, files, count, status, start, profile } = findings;
  const operations = region.blocks.map(({ first, end }) => end - first);
  const optimized = optimizedCounts(collected);
  const emitted = translation.emit();
  const code = codeLines(translation, emitted);
  const ofBlock = region.blocks.map(() => 0);
  for (const { block } of code) if (block !== undefined) ofBlock[block]++;
  const { guestInstructions } = region;
  const line = places.lineAt?.(cost.address);
  const sums = {
    guestInstructions,
    operations: sum(operations),
    optimizedOperations: sum(optimized),
    codeLines: code.length,
  };
  const host = findings.host.get(number);
  const isCounted = status !== undefined && counters !== undefined;
  const blocks = region.blocks.map(
    (block, index): BlockReport => ({
      pc: block.pc,
      endPc: block.endPc,
      guestInstructions: block.guestInstructions,
      operations: operations[index],
      optimizedOperations: optimized[index],
      codeLines: ofBlock[index],
      hostInstructions: host?.blocks?.[index] ?? null,
      ...flowOf(region, index, isCounted ? counters.blocks[index] : undefined, count),
      source: files.runsOf(collected.guest[index]),
    }),
  );
  const expansion = expansionOf(sums, host?.instructions);
  return {
    number,
    name,
    pc: cost.address,
    symbol: symbolicAddress(cost.address, places),
    line: line === undefined ? '' : `${line.file}:${line.line}`,
    tier: cost.tier,
    entries,
    executed,
    share: executed === null ? null : ratio(executed, findings.executed),
    time: profile === undefined || profile.all === 0 ? null : profile.of(script, name) / profile.all,
    guestInstructions,
    operations: sums.operations,
    optimizedOperations: sums.optimizedOperations,
    code: {
      lines: code.length,
      size: codeSize(emitted),
      sizeUnit: cost.tier === 'webassemblyRegions' ? 'bytes' : 'characters',
    },
    host: host === undefined ? null : { instructions: host.instructions, bytes: host.bytes },
    expansion,
    executedExpansion: executedExpansionOf(blocks, expansion.host),
    madeAt: milliseconds(cost.at - start),
    retired: retired === undefined ? null : { at: milliseconds(retired.at - start), why: retired.why },
    times: {
      lift: milliseconds(cost.liftTime),
      optimize: milliseconds(cost.optimizeTime),
      emit: milliseconds(cost.emitTime),
      compile: milliseconds(cost.compileTime),
    },
    blocks,
    ...(shown.length > 0 && {
      lines: shown.flatMap((stage) => (stage === 'host' ? (host?.lines ?? []) : stageLines(stage, collected))),
    }),
  };
}

/** Where a block leads, and how often it and its ways ran. */
function flowOf(
  { blocks, successors }: Region,
  index: number,
  counters: BlockCounters | undefined,
  count: Findings['count'],
): Pick<BlockReport, 'successors' | 'taken' | 'executions' | 'executed'> {
  const targets = [...new Set(successors[index])];
  return {
    successors: targets.map((target) => blocks[target].pc),
    taken: counters === undefined ? null : targets.map((target) => count(counters.edges.get(target) as number)),
    executions: counters === undefined ? null : count(counters.executions),
    executed: counters === undefined ? null : count(counters.instructions),
  };
}

function timelineOf({ samples, start }: Findings): Timeline {
  const used = tiers.filter((tier) => samples.some((sample) => sample[tier] !== undefined));
  const columns = used.map((tier) => [tier, samples.map((sample) => sample[tier] ?? 0)]);
  return { at: samples.map(({ at }) => milliseconds(at - start)), executed: Object.fromEntries(columns) };
}

function totalsOf(regions: readonly Sizes[], { status, executed, collected, count }: Findings): Totals {
  const sums = {
    guestInstructions: sum(regions.map((region) => region.guestInstructions)),
    operations: sum(regions.map((region) => region.operations)),
    optimizedOperations: sum(regions.map((region) => region.optimizedOperations)),
    codeLines: sum(regions.map(({ code }) => code.lines)),
  };
  const measured = regions.filter(({ host }) => host !== null);
  const hostInstructions = measured.length === 0 ? null : sum(measured.map(({ host }) => host?.instructions ?? 0));
  const expansion = {
    ...expansionOf(sums, undefined),
    host: hostInstructions === null ? null : hostInstructions / sum(measured.map((each) => each.guestInstructions)),
  };
  const translated = sum(regions.map((region) => region.executed ?? 0));
  const hasRun = status !== undefined;
  return {
    translations: regions.length,
    ...sums,
    hostInstructions,
    expansion,
    executedExpansion: meanExpansion(regions),
    executed: hasRun ? executed : null,
    translated: hasRun ? translated : null,
    interpreted: hasRun ? executed - translated : null,
    uncounted: hasRun ? regions.filter((region) => region.executed === null).length : 0,
    work: hasRun ? workOf(collected, count) : null,
  };
}

/** Of blocks that ran; of their machine code, as much as of the region where it is not known by block. */
function executedExpansionOf(blocks: readonly BlockReport[], host: number | null): Expansion | null {
  const sums = { ir: 0, optimized: 0, code: 0, host: 0 };
  let all = 0;
  for (const block of blocks) {
    const executed = block.executed ?? 0;
    // The head of a loop around the entry's has none.
    const each = block.guestInstructions === 0 ? 0 : executed / block.guestInstructions;
    all += executed;
    sums.ir += each * block.operations;
    sums.optimized += each * block.optimizedOperations;
    sums.code += each * block.codeLines;
    sums.host += block.hostInstructions === null ? executed * (host ?? 0) : each * block.hostInstructions;
  }
  if (all === 0) return null;
  const { ir, optimized, code } = sums;
  return { ir: ir / all, optimized: optimized / all, code: code / all, host: host === null ? null : sums.host / all };
}

/** The mean of regions' expansions, by how much ran in each. */
function meanExpansion(regions: readonly Sizes[]): Expansion | null {
  const mean = (of: (expansion: Expansion) => number | null): number | null => {
    let [all, weighted] = [0, 0];
    for (const { executed, executedExpansion } of regions) {
      const value = executedExpansion === null ? null : of(executedExpansion);
      if (value === null) continue;
      all += executed ?? 0;
      weighted += (executed ?? 0) * value;
    }
    return all === 0 ? null : weighted / all;
  };
  const [ir, optimized, code] = [mean((each) => each.ir), mean((each) => each.optimized), mean((each) => each.code)];
  if (ir === null || optimized === null || code === null) return null;
  return { ir, optimized, code, host: mean((each) => each.host) };
}

/** To the microsecond. */
const milliseconds = (time: number): number => Math.round(time * 1000) / 1000;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const ratio = (value: number, of: number): number => (of === 0 ? 0 : value / of);

function expansionOf(
  sums: Pick<Totals, 'guestInstructions' | 'operations' | 'optimizedOperations' | 'codeLines'>,
  hostInstructions: number | undefined,
): Expansion {
  const { guestInstructions } = sums;
  return {
    ir: ratio(sums.operations, guestInstructions),
    optimized: ratio(sums.optimizedOperations, guestInstructions),
    code: ratio(sums.codeLines, guestInstructions),
    host: hostInstructions === undefined ? null : ratio(hostInstructions, guestInstructions),
  };
}
