/**
 * What can be said of a machine of `stele machines`, declared once: the keys of its file, the options of its command line,
 * its help and docs/machines.md derive from these rows.
 */
import { type Target, targets } from '../elf/machines.ts';
import { type EngineName, engineNames } from '../engines/create-engine.ts';
import { type OptionKind, type OptionValue, parseValue, type ValueRow } from './options.ts';

/** What is said of one machine; absent: nothing is. Limits are infinite where there is none. */
export interface MachineSettings {
  program?: string;
  args?: string[];
  /** Variables to set; null removes one. */
  env?: Record<string, string | null>;
  isa?: Target['abi'];
  engine?: EngineName;
  memoryLimit?: number;
  cpuShare?: number;
  /** Seconds. */
  cpuLimit?: number;
  wallLimit?: number;
  outputLimit?: number;
  root?: string;
  directory?: string;
  stdin?: string;
  stdout?: string;
  stderr?: string;
}

/** Kinds of the file's own: a list of texts, and texts by name. */
export type MachineValueKind = OptionKind | 'list' | 'variables';

export interface MachineRow {
  /** Key in MachineSettings: `long` in camel case. */
  readonly key: keyof MachineSettings;
  /** The key in the file, and the option's name. */
  readonly long: string;
  /** The option's letter; empty for none. */
  readonly short: string;
  readonly kind: MachineValueKind;
  /** Whether it names a file, which is looked up from where the file of machines lies. */
  readonly isPath?: boolean;
  readonly choices?: readonly string[];
  /** Placeholder of the value in the help; empty where the command line says it in another way. */
  readonly value: string;
  /** What holds where nothing is said, as text; empty for nothing. */
  readonly default: string;
  readonly doc: string;
}

// biome-ignore format: one row per line
export const machineRows: readonly MachineRow[] = [
  { key: 'program', long: 'program', short: '', kind: 'text', isPath: true, value: '', default: '', doc: "the program, a static Linux executable" },
  { key: 'args', long: 'args', short: '', kind: 'list', value: '', default: '', doc: "its arguments" },
  { key: 'env', long: 'env', short: 'E', kind: 'variables', value: 'name=value', default: '', doc: "variables of its environment besides those of the command's own; null (on the command line a name alone) removes one" },
  { key: 'isa', long: 'isa', short: '', kind: 'choice', choices: targets.map(({ abi }) => abi), value: 'name', default: '', doc: "what the program is built for, which its file tells: to be sure" },
  { key: 'engine', long: 'engine', short: '', kind: 'choice', choices: engineNames, value: 'name', default: 'auto', doc: "how to run guest code" },
  { key: 'memoryLimit', long: 'memory-limit', short: '', kind: 'size limit', value: 'size', default: '512M', doc: "bytes of address space, beyond which mmap and brk fail; with a suffix K, M or G; none for no limit" },
  { key: 'cpuShare', long: 'cpu-share', short: '', kind: 'number', value: 'number', default: '1', doc: "processor time in proportion to that of the others, when there is not enough for all" },
  { key: 'cpuLimit', long: 'cpu-limit', short: '', kind: 'time limit', value: 'time', default: 'none', doc: "processor time after which it is stopped: seconds, or with a suffix ms, s, m or h" },
  { key: 'wallLimit', long: 'wall-limit', short: '', kind: 'time limit', value: 'time', default: 'none', doc: "time after which it is stopped, however much of it was its own" },
  { key: 'outputLimit', long: 'output-limit', short: '', kind: 'size limit', value: 'size', default: 'none', doc: "bytes of standard output and standard error together after which it is stopped" },
  { key: 'root', long: 'root', short: '', kind: 'text', isPath: true, value: 'dir', default: '', doc: "look for the files that the guest names in this directory first" },
  { key: 'directory', long: 'directory', short: '', kind: 'text', isPath: true, value: 'dir', default: '', doc: "its working directory (default: the command's)" },
  { key: 'stdin', long: 'stdin', short: '', kind: 'text', isPath: true, value: 'file', default: '', doc: "the file that it reads as standard input (default: nothing)" },
  { key: 'stdout', long: 'stdout', short: '', kind: 'text', isPath: true, value: 'file', default: '', doc: "the file that its standard output goes to (default: the command's, each line behind the machine's name)" },
  { key: 'stderr', long: 'stderr', short: '', kind: 'text', isPath: true, value: 'file', default: '', doc: "the same for standard error" },
];

/** Those that the command line has as options: the program and its arguments stand for themselves there. */
export const machineOptionRows = machineRows.filter(({ value }) => value !== '');

/** What holds where nothing is said. */
export function machineDefaults(): MachineSettings {
  const settings: MachineSettings = {};
  for (const row of machineRows) {
    if (hasTextValue(row) && row.default !== '')
      setMachineSetting(settings, row, parseValue(row, row.default, row.long));
  }
  return settings;
}

/** A row whose texts parseValue() understands. */
export function hasTextValue(row: MachineRow): row is MachineRow & ValueRow {
  return row.kind !== 'list' && row.kind !== 'variables';
}

/** Sets what a row is about. */
export function setMachineSetting(
  settings: MachineSettings,
  row: MachineRow,
  value: OptionValue | MachineSettings['env'],
): void {
  (settings as Record<string, unknown>)[row.key] = value;
}

/** Joins what was said in several places; the first that says something of a key decides, of a variable too. */
export function joinMachineSettings(...sources: readonly MachineSettings[]): MachineSettings {
  const settings: MachineSettings = {};
  for (const source of sources.toReversed()) {
    const env = { ...settings.env, ...source.env };
    Object.assign(settings, source, Object.keys(env).length === 0 ? {} : { env });
  }
  return settings;
}
