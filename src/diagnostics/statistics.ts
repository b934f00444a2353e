/** What a run cost: counters declared once, printed as tables or as JSON. */
import { type CodeCost, type EngineStatistics, type Tier, type TierCost, tiers } from '../engines/statistics.ts';
import { hex8, type Places, symbolicAddress } from './places.ts';
import { formatTable } from './table.ts';

/** What the counters are read from. Times are in milliseconds. */
export interface RunCost {
  readonly engineName: string;
  readonly engine: EngineStatistics;
  /** Why accesses of translated code were checked; empty where the host's pages were protected instead. */
  readonly checkedBecause: string;
  /** What the addresses of translations are looked up in. */
  readonly places: Places;
  /** From the first guest instruction to the end, waiting included. */
  readonly runTime: number;
  /** Reading the file and placing it in memory. */
  readonly loadTime: number;
  readonly systemCalls: number;
  readonly systemCallTime: number;
  /** Largest resident set of this process, in bytes. */
  readonly peakMemory: number;
}

type Unit = 'count' | 'ms' | 'bytes' | 'name' | 'flag';

interface Counter {
  /** Key in JSON; times in milliseconds, sizes in bytes. */
  readonly key: string;
  readonly label: string;
  readonly unit: Unit;
  readonly value: (cost: RunCost) => number | string | boolean;
}

/** What one of each tier is called in tables, and what its size is in. */
// biome-ignore format: one row per line
const tierNames: Readonly<Record<Tier, { readonly one: string; readonly sizeUnit: string }>> = {
  interpreter: { one: 'interpreter block', sizeUnit: 'bytes' },
  javascriptBlocks: { one: 'JavaScript block', sizeUnit: 'characters' },
  javascriptRegions: { one: 'JavaScript region', sizeUnit: 'characters' },
  webassemblyRegions: { one: 'WebAssembly region', sizeUnit: 'bytes' },
};

type Phase = 'liftTime' | 'optimizeTime' | 'emitTime' | 'compileTime';
const phases: readonly Phase[] = ['liftTime', 'optimizeTime', 'emitTime', 'compileTime'];

/** What a phase took in all tiers. */
const timeOf = ({ engine }: RunCost, phase: Phase): number =>
  tiers.reduce((sum, tier) => sum + engine.tiers[tier][phase], 0);

const translationTime = (cost: RunCost): number => phases.reduce((sum, phase) => sum + timeOf(cost, phase), 0);

// biome-ignore format: one counter per line
export const counters: readonly Counter[] = [
  { key: 'engine', label: 'engine', unit: 'name', value: (cost) => cost.engineName },
  { key: 'pageProtection', label: 'page protection', unit: 'name', value: (cost) => (cost.checkedBecause === '' ? 'by the host' : 'checked') },
  { key: 'guestInstructions', label: 'guest instructions', unit: 'count', value: (cost) => cost.engine.guestInstructions },
  { key: 'regionsFromCache', label: 'regions from the cache', unit: 'count', value: (cost) => cost.engine.regionsFromCache },
  { key: 'regionsKept', label: 'regions kept in the cache', unit: 'count', value: (cost) => cost.engine.regionsKept },
  { key: 'blocksFromCache', label: 'blocks from the cache', unit: 'count', value: (cost) => cost.engine.blocksFromCache },
  { key: 'blocksKept', label: 'blocks kept in the cache', unit: 'count', value: (cost) => cost.engine.blocksKept },
  { key: 'invalidations', label: 'translations invalidated', unit: 'count', value: (cost) => cost.engine.invalidations },
  { key: 'exactFloatingPoint', label: 'exact floating-point status', unit: 'flag', value: (cost) => cost.engine.exactFloatingPoint },
  { key: 'systemCalls', label: 'system calls', unit: 'count', value: (cost) => cost.systemCalls },
  { key: 'loadTime', label: 'time loading the program', unit: 'ms', value: (cost) => cost.loadTime },
  { key: 'liftTime', label: 'time decoding and lifting', unit: 'ms', value: (cost) => timeOf(cost, 'liftTime') },
  { key: 'optimizeTime', label: 'time optimizing', unit: 'ms', value: (cost) => timeOf(cost, 'optimizeTime') },
  { key: 'emitTime', label: 'time emitting', unit: 'ms', value: (cost) => timeOf(cost, 'emitTime') },
  { key: 'compileTime', label: 'time compiling', unit: 'ms', value: (cost) => timeOf(cost, 'compileTime') },
  { key: 'systemCallTime', label: 'time in system calls', unit: 'ms', value: (cost) => cost.systemCallTime },
  { key: 'executionTime', label: 'time executing', unit: 'ms', value: (cost) => Math.max(0, cost.runTime - cost.systemCallTime - translationTime(cost)) },
  { key: 'runTime', label: 'time in all', unit: 'ms', value: (cost) => cost.loadTime + cost.runTime },
  { key: 'peakMemory', label: 'peak memory', unit: 'bytes', value: (cost) => cost.peakMemory },
];

function format(value: number | string | boolean, unit: Unit): string {
  switch (unit) {
    case 'count':
      return (value as number).toLocaleString('en');
    case 'ms':
      return `${(value as number).toFixed(1)} ms`;
    case 'bytes':
      return `${((value as number) / (1 << 20)).toFixed(1)} MiB`;
    case 'flag':
      return value === true ? 'on' : 'off';
    case 'name':
      return value as string;
  }
}

/** One counter per line, numbers aligned on the right; then a line per tier, and per translation where these were kept. */
export function statisticsTable(cost: RunCost): string {
  const cells = counters.map(({ label, unit, value }) => [label, format(value(cost), unit)]);
  const labelWidth = Math.max(...cells.map(([label]) => label.length));
  const valueWidth = Math.max(...cells.map(([, value]) => value.length));
  const lines = cells.map(([label, value]) => `${label.padEnd(labelWidth)}  ${value.padStart(valueWidth)}`);
  if (cost.checkedBecause !== '') lines.push(`accesses were checked: ${cost.checkedBecause}`);
  const parts = [lines.join('\n')];
  if (tiers.some((tier) => cost.engine.tiers[tier].count > 0)) parts.push(tierTable(cost));
  if (cost.engine.exits.size > 0) parts.push(exitTable(cost));
  if (cost.engine.translations !== undefined) parts.push(translationTable(cost));
  return parts.map((part) => `${part}\n`).join('\n');
}

const costHeader = ['instructions', 'size', 'lift', 'optimize', 'emit', 'compile'];

function costCells(cost: CodeCost, tier: Tier): string[] {
  const { sizeUnit } = tierNames[tier];
  return [
    format(cost.instructions, 'count'),
    `${format(cost.size, 'count')} ${sizeUnit}`,
    ...phases.map((phase) => format(cost[phase], 'ms')),
  ];
}

/** The tiers that were in use. */
function tierTable({ engine }: RunCost): string {
  const used = tiers.filter((tier) => engine.tiers[tier].count > 0);
  const row = (tier: Tier, sum: TierCost): string[] => [
    `${tierNames[tier].one}s`,
    format(sum.count, 'count'),
    ...costCells(sum, tier),
  ];
  return formatTable(
    ['tier', 'count', ...costHeader],
    used.map((tier) => row(tier, engine.tiers[tier])),
  );
}

/** Why the processor left the guest, and how often. */
function exitTable({ engine }: RunCost): string {
  return formatTable(
    ['exits of the guest', 'count'],
    Array.from(engine.exits, ([reason, count]) => [reason, format(count, 'count')]),
  );
}

/** One translation per line, in the order of making. */
function translationTable({ engine, places }: RunCost): string {
  const rows = (engine.translations ?? []).map((one) => [
    tierNames[one.tier].one,
    `0x${hex8(one.address)}`,
    symbolicAddress(one.address, places),
    format(one.at, 'ms'),
    ...costCells(one, one.tier),
  ]);
  return formatTable(['translation', 'address', 'function', 'at', ...costHeader], rows, 3);
}

/** One JSON object in one line. Translations are in it where they were kept. */
export function statisticsJson(cost: RunCost): string {
  const { engine, places } = cost;
  const values = Object.fromEntries(counters.map(({ key, value }) => [key, value(cost)]));
  const translations = engine.translations?.map((one) => ({ ...one, function: symbolicAddress(one.address, places) }));
  return `${JSON.stringify({ ...values, checkedBecause: cost.checkedBecause, tiers: engine.tiers, exits: Object.fromEntries(engine.exits), translations })}\n`;
}
