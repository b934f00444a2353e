/**
 * The options of `stele run`, declared once: the command line, environment variables, the configuration
 * file, the help and the page of options derive from these rows. A flag beats the environment, which
 * beats the configuration file, which beats the default.
 */
import { type EngineName, engineNames } from '../engines/create-engine.ts';
import type { LogKind } from '../engines/engine.ts';

export const logKinds: readonly LogKind[] = ['in_asm', 'op', 'out_js', 'out_wasm', 'exec', 'unimp'];

/**
 * What an option's value is: a switch; text; a list of texts (the flag can be repeated); a size in bytes
 * (suffixes K, M, G); a limit, which is a size or seconds (suffixes ms, s, m, h), or `none`; a positive number; a choice
 * among names; a set of names with commas.
 */
export type OptionKind =
  | 'switch'
  | 'text'
  | 'texts'
  | 'size'
  | 'size limit'
  | 'time limit'
  | 'number'
  | 'choice'
  | 'names';

/** What an option can be; a limit that is none is infinite. */
export type OptionValue = boolean | string | number | string[];

/** What the texts of an option mean. */
export interface ValueRow {
  readonly kind: OptionKind;
  readonly choices?: readonly string[];
}

export interface OptionRow extends ValueRow {
  /** Key in RunOptions: `long` in camel case, which commander makes of it too. */
  readonly key: keyof RunOptions;
  /** One letter, as QEMU's user mode has it; empty for none. */
  readonly short: string;
  /** Also the key in the configuration file. */
  readonly long: string;
  /** A spelling with one dash that QEMU's users know. */
  readonly alias?: string;
  /** Placeholder of the value in the help; empty for a switch. */
  readonly value: string;
  readonly environment: string;
  readonly default: RunOptions[keyof RunOptions];
  readonly doc: string;
}

/** What `stele run` was asked for. */
export interface RunOptions {
  /** Looked in first for absolute paths that the guest opens; empty: none. */
  sysroot: string;
  /** NAME=VALUE to add to the guest's environment. */
  setEnv: string[];
  /** Names to remove from it. */
  unsetEnv: string[];
  /** The guest's argv[0]; empty: the program's path as given. */
  argv0: string;
  /** Bytes; the guest's stack limit. */
  stackSize: number;
  engine: EngineName;
  /** Where a debugger connects: a port's number or a path; empty: nobody does. */
  gdb: string;
  strace: boolean;
  log: LogKind[];
  /** Where the log and strace go; empty: standard error. */
  logFile: string;
  stats: boolean;
  /** Statistics of each translation. */
  statsFull: boolean;
  json: boolean;
  /** Where statistics go; empty: standard error. */
  statsFile: string;
  /** Where a CPU profile of the guest goes; empty: none. */
  cpuProf: string;
  /** Write a map of translations for Linux's perf. */
  perfmap: boolean;
  /** Keep no translations, and use none that are kept. */
  noCache: boolean;
  /** Where they are kept; empty: in the user's cache directory. */
  cacheDir: string;
  /** Bytes that all of them may take. */
  cacheSize: number;
  /** The configuration file; empty: the user's, if there is one. */
  config: string;
}

// biome-ignore format: one row per line
export const runOptions: readonly OptionRow[] = [
  { key: 'sysroot', short: 'L', long: 'sysroot', value: 'dir', kind: 'text', environment: 'STELE_SYSROOT', default: '', doc: "look for the files that the guest names in this directory first" },
  { key: 'setEnv', short: 'E', long: 'set-env', value: 'name=value', kind: 'texts', environment: 'STELE_SET_ENV', default: [], doc: "set a variable in the guest's environment (can be repeated; name=value,name=value sets two)" },
  { key: 'unsetEnv', short: 'U', long: 'unset-env', value: 'name', kind: 'texts', environment: 'STELE_UNSET_ENV', default: [], doc: "remove a variable from the guest's environment (can be repeated, or names separated by commas)" },
  { key: 'argv0', short: '0', long: 'argv0', value: 'name', kind: 'text', environment: 'STELE_ARGV0', default: '', doc: "the guest's argv[0] (default: the program's path)" },
  { key: 'stackSize', short: 's', long: 'stack-size', value: 'size', kind: 'size', environment: 'STELE_STACK_SIZE', default: 8 << 20, doc: "limit of the guest's stack in bytes, or with a suffix K, M or G" },
  { key: 'engine', short: '', long: 'engine', value: 'name', kind: 'choice', choices: engineNames, environment: 'STELE_ENGINE', default: 'auto', doc: "how to run guest code" },
  { key: 'gdb', short: 'g', long: 'gdb', value: 'port', kind: 'text', environment: 'STELE_GDB', default: '', doc: "wait for a debugger (gdb-multiarch's \"target remote\") on this port of the loopback interface, 0 for any that is free, or on a Unix socket with this path" },
  { key: 'strace', short: '', long: 'strace', alias: '-strace', value: '', kind: 'switch', environment: 'STELE_STRACE', default: false, doc: "print the guest's system calls on standard error" },
  { key: 'log', short: 'd', long: 'log', value: 'items', kind: 'names', choices: logKinds, environment: 'STELE_LOG', default: [], doc: "log these, separated by commas" },
  { key: 'logFile', short: 'D', long: 'log-file', value: 'file', kind: 'text', environment: 'STELE_LOG_FILE', default: '', doc: "write the log and the system calls to a file instead of standard error" },
  { key: 'stats', short: '', long: 'stats', value: '', kind: 'switch', environment: 'STELE_STATS', default: false, doc: "print what the run cost on standard error when it is over" },
  { key: 'statsFull', short: '', long: 'stats-full', value: '', kind: 'switch', environment: 'STELE_STATS_FULL', default: false, doc: "add a line for each translation to the statistics (implies --stats)" },
  { key: 'json', short: '', long: 'json', value: '', kind: 'switch', environment: 'STELE_JSON', default: false, doc: "print statistics as JSON (implies --stats)" },
  { key: 'statsFile', short: '', long: 'stats-file', value: 'file', kind: 'text', environment: 'STELE_STATS_FILE', default: '', doc: "write statistics to a file instead (implies --stats)" },
  { key: 'cpuProf', short: '', long: 'cpu-prof', value: 'file', kind: 'text', environment: 'STELE_CPU_PROF', default: '', doc: "write a CPU profile of the guest's functions and source lines to a file, as Chrome's DevTools, Visual Studio Code and speedscope read it" },
  { key: 'perfmap', short: '', long: 'perfmap', value: '', kind: 'switch', environment: 'STELE_PERFMAP', default: false, doc: "write /tmp/perf-PID.map, so that Linux's perf knows the guest's functions" },
  { key: 'noCache', short: '', long: 'no-cache', value: '', kind: 'switch', environment: 'STELE_NO_CACHE', default: false, doc: "use nothing that earlier runs kept (translations, interpreter code), and keep nothing" },
  { key: 'cacheDir', short: '', long: 'cache-dir', value: 'dir', kind: 'text', environment: 'STELE_CACHE_DIR', default: '', doc: "keep translations and interpreter code in this directory (default: stele in the user's cache directory)" },
  { key: 'cacheSize', short: '', long: 'cache-size', value: 'size', kind: 'size', environment: 'STELE_CACHE_SIZE', default: 256 << 20, doc: "limit of what is kept for all programs together, in bytes, or with a suffix K, M or G" },
  { key: 'config', short: '', long: 'config', value: 'file', kind: 'text', environment: 'STELE_CONFIG', default: '', doc: "configuration file with any of these options (default: stele/config.json in the user's configuration directory)" },
];

/** An option's value that cannot be used; the message names the option as the user wrote it. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const sizeUnits: Readonly<Record<string, number>> = { '': 1, K: 1 << 10, M: 1 << 20, G: 1 << 30 };
const timeUnits: Readonly<Record<string, number>> = { '': 1, ms: 0.001, s: 1, m: 60, h: 3600 };

/** @returns bytes @throws UsageError */
function parseSize(text: string, where: string): number {
  const match = /^(\d+)([KMG]?)$/i.exec(text);
  const size = match === null ? 0 : Number(match[1]) * sizeUnits[match[2].toUpperCase()];
  if (size < 1) throw new UsageError(`${where}: "${text}" is not a size such as 8M`);
  return size;
}

/** @returns seconds @throws UsageError */
function parseTime(text: string, where: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text);
  const time = match === null ? 0 : Number(match[1]) * timeUnits[match[2]];
  if (!(time > 0)) throw new UsageError(`${where}: "${text}" is not a time such as 10s, 500ms or 2m`);
  return time;
}

/**
 * The value that a text stands for.
 * @param where names the source in messages: `--engine`, `STELE_ENGINE`
 * @throws UsageError
 */
export function parseValue(row: ValueRow, text: string, where: string): OptionValue {
  switch (row.kind) {
    case 'switch':
      if (text === '1' || text === 'true' || text === 'yes') return true;
      if (text === '0' || text === 'false' || text === 'no' || text === '') return false;
      throw new UsageError(`${where}: "${text}" is neither 1 nor 0`);
    case 'size':
      return parseSize(text, where);
    case 'size limit':
      return text === 'none' ? Number.POSITIVE_INFINITY : parseSize(text, where);
    case 'time limit':
      return text === 'none' ? Number.POSITIVE_INFINITY : parseTime(text, where);
    case 'number':
      if (!(Number(text) > 0 && Number(text) < 1e9))
        throw new UsageError(`${where}: "${text}" is not a positive number`);
      return Number(text);
    case 'choice':
      return oneOf(row, text, where);
    case 'names':
      return text.split(',').map((name) => oneOf(row, name, where));
    case 'texts':
      return [text];
    case 'text':
      return text;
  }
}

function oneOf(row: ValueRow, name: string, where: string): string {
  const choices = row.choices as readonly string[];
  if (!choices.includes(name)) throw new UsageError(`${where}: "${name}" is not one of ${choices.join(', ')}`);
  return name;
}

/**
 * The value that a configuration file's entry stands for: JSON's own types, or what an option takes as text.
 * @throws UsageError
 */
function configuredValue(row: OptionRow, value: unknown, where: string): OptionValue {
  if (typeof value === 'string') return parseValue(row, value, where);
  if (row.kind === 'switch' && typeof value === 'boolean') return value;
  if (row.kind === 'size' && typeof value === 'number') return parseValue(row, String(value), where);
  if ((row.kind === 'texts' || row.kind === 'names') && Array.isArray(value)) {
    const texts = value.map(String);
    return row.kind === 'texts' ? texts : texts.map((name) => oneOf(row, name, where));
  }
  throw new UsageError(`${where}: ${JSON.stringify(value)} cannot be used here`);
}

/** Options from one source: only those that it sets. */
export type PartialOptions = Partial<RunOptions>;

function assign(options: PartialOptions, row: OptionRow, value: OptionValue): void {
  (options as Record<string, unknown>)[row.key] = value;
}

/** @throws UsageError */
export function optionsFromEnvironment(environment: Readonly<Record<string, string | undefined>>): PartialOptions {
  const options: PartialOptions = {};
  for (const row of runOptions) {
    const text = environment[row.environment];
    if (text !== undefined) assign(options, row, parseValue(row, text, row.environment));
  }
  return options;
}

/**
 * @param text the configuration file's contents: a JSON object whose keys are options' long names
 * @throws UsageError
 */
export function optionsFromConfiguration(text: string, path: string): PartialOptions {
  let entries: unknown;
  try {
    entries = JSON.parse(text);
  } catch (error) {
    throw new UsageError(`${path}: ${(error as Error).message}`);
  }
  if (typeof entries !== 'object' || entries === null || Array.isArray(entries)) {
    throw new UsageError(`${path}: the file does not hold a JSON object`);
  }
  const options: PartialOptions = {};
  for (const [name, value] of Object.entries(entries)) {
    const row = runOptions.find(({ long }) => long === name);
    if (row === undefined || row.key === 'config') throw new UsageError(`${path}: there is no option "${name}"`);
    assign(options, row, configuredValue(row, value, `${path}: ${name}`));
  }
  return options;
}

/** Joins sources of options; the first that sets an option decides. */
export function resolveOptions(...sources: readonly PartialOptions[]): RunOptions {
  const options: PartialOptions = {};
  for (const row of runOptions) {
    const source = sources.find((candidate) => candidate[row.key] !== undefined);
    assign(options, row, source === undefined ? row.default : source[row.key]!);
  }
  return options as RunOptions;
}
