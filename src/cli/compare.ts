/** `stele compare`: a program on every engine, native and in QEMU where these are there, side by side. */
import { compare, type Entrant, findDifferences } from '../compare/comparison.ts';
import { type Absentee, contenderNames, findContenders, type Surroundings } from '../compare/contenders.ts';
import { csvReport, jsonReport } from '../compare/data-report.ts';
import { type Comparison, textReport } from '../compare/text-report.ts';
import { ElfError } from '../elf/elf-error.ts';
import { readElf } from '../elf/read-elf.ts';
import { examplePath, mayExecute, progressLine, steleCommand, writeError, writeOutput } from '../host/command.ts';
import { machineDescription, programVersion, runtime } from '../host/inspection.ts';
import { canMeasureResources, runMeasured } from '../host/measured-child.ts';
import { UsageError } from './options.ts';
import { tracingProblem, virtualizationProblem } from './processor-engines.ts';
import { cannotRun, openReport, readProgram } from './program-file.ts';

export interface CompareOptions {
  readonly rounds: number;
  /** Seconds that one run may take. */
  readonly timeout: number;
  /** Names of contenders; empty: all. */
  readonly engines: readonly string[];
  /** The same program built for other processors. */
  readonly also: readonly string[];
  /** The file that every run reads as its standard input; empty: nothing. */
  readonly input: string;
  readonly sysroot: string;
  /** Measure what each engine takes for one of each, too. */
  readonly probes: boolean;
  /** Files to write; "-" is standard output; empty: none. */
  readonly json: string;
  readonly csv: string;
  readonly html: string;
  readonly svg: string;
}

/** Forms that what was found can be written in, besides text; the charts are loaded when they are wanted. */
const reports: readonly {
  readonly option: 'json' | 'csv' | 'html' | 'svg';
  make(comparison: Comparison): Promise<string>;
}[] = [
  { option: 'json', make: jsonReport },
  { option: 'csv', make: async (comparison) => csvReport(comparison) },
  { option: 'html', make: async (comparison) => (await import('../compare/html-report.ts')).htmlReport(comparison) },
  { option: 'svg', make: async (comparison) => (await import('../compare/html-report.ts')).svgReport(comparison) },
];

/** The programs of probes, among the examples. */
const probeName = { powerpc: 'probes', i386: 'probes.i386', 'x86-64': 'probes.x86-64' } as const;

/** Exit status where outputs differ, or nobody came to the end. */
const differs = 2;

/**
 * Compares, and prints what was found.
 * @returns the exit status: 0 where all outputs are equal, and there is one
 * @throws UsageError
 */
export async function runCompare(options: CompareOptions, program: string, args: readonly string[]): Promise<number> {
  const surroundings: Omit<Surroundings, 'mayExecute'> = {
    stele: steleCommand(),
    architecture: runtime().architecture,
    platform: runtime().platform,
    programVersion,
    virtualizationProblem,
    tracingProblem,
  };
  const entrants: Entrant[] = [];
  const absentees: Absentee[] = [];
  for (const path of [program, ...options.also]) {
    const found = examine(path, args, surroundings);
    if (typeof found === 'number') return found;
    const { abi } = found.entrant;
    const probes = options.probes ? examplePath(probeName[abi]) : undefined;
    const twins = entrants.filter((other) => other.abi === abi).length;
    const label = twins === 0 ? abi : `${abi} (${twins + 1})`;
    entrants.push(chosen({ ...found.entrant, label, probes }, options));
    for (const { name, reason } of found.absentees) {
      if (!isWanted(name, options)) continue;
      absentees.push({ name: options.also.length === 0 ? name : `${label}, ${name}`, reason });
    }
  }
  if (options.probes && entrants.some(({ probes }) => probes === undefined)) {
    absentees.push({
      name: 'what one of each takes',
      reason: 'the programs examples/probes do not lie beside this Stele',
    });
  }
  const writers = reports.map(({ option, make }) => ({ make, write: openReport(options[option], `--${option}`) }));
  const progress = progressLine();
  const sysroot = options.sysroot === '' ? [] : ['--sysroot', options.sysroot];
  const results = await compare(entrants, {
    rounds: options.rounds,
    timeout: options.timeout,
    runOptions: sysroot,
    inspect: ({ program, args }) => [
      ...surroundings.stele,
      ...['inspect', '--json', '--quiet', '--engine', 'wasm'],
      ...sysroot,
      program,
      ...args,
    ],
    run: (command, timeout) =>
      runMeasured(command, { timeout, input: options.input === '' ? undefined : options.input }),
    progress: (text) => progress.show(text),
  });
  progress.clear();
  const comparison: Comparison = {
    results,
    differences: findDifferences(results),
    absentees,
    rounds: options.rounds,
    timeout: options.timeout,
    machine: machineDescription(),
  };
  if (reports.every(({ option }) => options[option] !== '-')) writeOutput(textReport(comparison));
  if (!canMeasureResources()) {
    writeError('stele: without koffi neither processor time nor memory of other processes can be measured\n');
  }
  for (const { make, write } of writers) write?.(await make(comparison));
  const hasFinished = results.some(({ stdout }) => stdout !== undefined);
  return hasFinished && comparison.differences.length === 0 ? 0 : differs;
}

/** Reads a program and finds who can run it. @returns an exit status where it is none */
function examine(
  path: string,
  args: readonly string[],
  surroundings: Omit<Surroundings, 'mayExecute'>,
): { readonly entrant: Entrant; readonly absentees: readonly Absentee[] } | number {
  const file = readProgram(new TextEncoder().encode(path), path);
  if (typeof file === 'number') return file;
  try {
    const { abi } = readElf(file).target;
    const { contenders, absentees } = findContenders(abi, { ...surroundings, mayExecute: mayExecute(path) });
    return { entrant: { label: abi, abi, program: path, args, contenders, probes: undefined }, absentees };
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    writeError(`stele: ${path}: ${error.message}\n`);
    return cannotRun;
  }
}

const isWanted = (name: string, { engines }: CompareOptions): boolean => engines.length === 0 || engines.includes(name);

/** The contenders that the user asked for. @throws UsageError when one of them is nobody's name */
function chosen(entrant: Entrant, options: CompareOptions): Entrant {
  const unknown = options.engines.find((name) => !contenderNames.includes(name));
  if (unknown !== undefined) throw new UsageError(`--engines: "${unknown}" is not one of ${contenderNames.join(', ')}`);
  const contenders = entrant.contenders.filter(({ name }) => isWanted(name, options));
  if (contenders.length === 0) throw new UsageError(`--engines: nobody of these can run ${entrant.program} here`);
  return { ...entrant, contenders };
}
