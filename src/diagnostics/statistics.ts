/** What a run cost: counters declared once, printed as a table or as JSON. */
import type { EngineStatistics } from '../engines/engine.ts';

/** What the counters are read from. Times are in milliseconds. */
export interface RunCost {
  readonly engineName: string;
  readonly engine: EngineStatistics;
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

const translationTime = ({ engine }: RunCost): number =>
  engine.liftTime + engine.optimizeTime + engine.emitTime + engine.compileTime;

// biome-ignore format: one counter per line
export const counters: readonly Counter[] = [
  { key: 'engine', label: 'engine', unit: 'name', value: (cost) => cost.engineName },
  { key: 'guestInstructions', label: 'guest instructions', unit: 'count', value: (cost) => cost.engine.guestInstructions },
  { key: 'blocks', label: 'blocks translated', unit: 'count', value: (cost) => cost.engine.blocks },
  { key: 'regions', label: 'regions translated', unit: 'count', value: (cost) => cost.engine.regions },
  { key: 'liftedInstructions', label: 'guest instructions lifted', unit: 'count', value: (cost) => cost.engine.liftedInstructions },
  { key: 'invalidations', label: 'translations invalidated', unit: 'count', value: (cost) => cost.engine.invalidations },
  { key: 'exactFloatingPoint', label: 'exact floating-point status', unit: 'flag', value: (cost) => cost.engine.exactFloatingPoint },
  { key: 'systemCalls', label: 'system calls', unit: 'count', value: (cost) => cost.systemCalls },
  { key: 'loadTime', label: 'time loading the program', unit: 'ms', value: (cost) => cost.loadTime },
  { key: 'liftTime', label: 'time decoding and lifting', unit: 'ms', value: (cost) => cost.engine.liftTime },
  { key: 'optimizeTime', label: 'time optimizing', unit: 'ms', value: (cost) => cost.engine.optimizeTime },
  { key: 'emitTime', label: 'time emitting', unit: 'ms', value: (cost) => cost.engine.emitTime },
  { key: 'compileTime', label: 'time compiling', unit: 'ms', value: (cost) => cost.engine.compileTime },
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

/** One counter per line, numbers aligned on the right. */
export function statisticsTable(cost: RunCost): string {
  const cells = counters.map(({ label, unit, value }) => [label, format(value(cost), unit)]);
  const labelWidth = Math.max(...cells.map(([label]) => label.length));
  const valueWidth = Math.max(...cells.map(([, value]) => value.length));
  return cells.map(([label, value]) => `${label.padEnd(labelWidth)}  ${value.padStart(valueWidth)}\n`).join('');
}

/** One JSON object in one line. */
export function statisticsJson(cost: RunCost): string {
  return `${JSON.stringify(Object.fromEntries(counters.map(({ key, value }) => [key, value(cost)])))}\n`;
}
