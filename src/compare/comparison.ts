/** Runs a program in every way that it can be run, in turn, and sums up what was measured. */
import type { Target } from '../elf/machines.ts';
import type { ChildRun } from '../host/measured-child.ts';
import type { Work } from '../inspect/work.ts';
import type { Contender } from './contenders.ts';
import { type GuestWork, measureProbes, type ProbeCosts } from './probes.ts';

/** A program to compare, and who runs it. */
export interface Entrant {
  /** What the report calls it: `x86-64`, or with a number behind it where there are two of a kind. */
  readonly label: string;
  readonly abi: Target['abi'];
  readonly program: string;
  readonly args: readonly string[];
  readonly contenders: readonly Contender[];
  /** The program of probes for this kind of guest; undefined where none are wanted. */
  readonly probes: string | undefined;
}

export interface ComparisonOptions {
  /** Measured rounds; one more, which does not count, comes before them. */
  readonly rounds: number;
  /** Seconds that a run may take. */
  readonly timeout: number;
  /** Options of `stele run` for all. */
  readonly runOptions: readonly string[];
  /** The command that counts what a program's instructions do (`stele inspect --json`). */
  inspect(entrant: Entrant): readonly string[];
  run(command: readonly string[], timeout: number): Promise<ChildRun>;
  /** Told before each run. */
  progress(text: string): void;
}

/** Middle value, smallest and largest. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface Result {
  readonly entrant: Entrant;
  readonly contender: Contender;
  /** Seconds; undefined where no run came to its end in time. */
  readonly wall: Spread | undefined;
  /** User and system time in seconds; undefined where it cannot be measured. */
  readonly cpu: Spread | undefined;
  /** Bytes, of the largest run. */
  readonly peakMemory: number | undefined;
  /** Page faults of the host that one run had. */
  readonly minorFaults: number | undefined;
  /** Runs that were stopped for taking too long. */
  readonly stopped: boolean;
  /** Of the last run that came to its end. */
  readonly status: number | undefined;
  readonly stdout: Uint8Array | undefined;
  readonly stderr: Uint8Array | undefined;
  /** What Stele's statistics said in a run of their own (`stele run --json`). */
  readonly statistics: Readonly<Record<string, unknown>> | undefined;
  /** What the engine takes for one of each; undefined where that was not measured. */
  readonly probes: ProbeCosts | undefined;
  /** What the program's instructions did; the same for all of an entrant's results. */
  readonly work: ProgramWork | undefined;
}

/** What a program's instructions did, and what stood for each of them where they ran, translated to WebAssembly. */
export interface ProgramWork extends GuestWork {
  /** Instructions of WebAssembly, and of the machine code that V8 makes of these; null where that is not known. */
  readonly expansion: { readonly code: number; readonly host: number | null };
}

/** One whose output or exit status is another than the first one's. */
export interface Difference {
  readonly result: Result;
  readonly reference: Result;
  /** Output, exit status. */
  readonly what: string;
}

export function spreadOf(samples: readonly number[]): Spread | undefined {
  if (samples.length === 0) return undefined;
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, least: sorted[0], most: sorted[sorted.length - 1] };
}

interface Samples {
  readonly entrant: Entrant;
  readonly contender: Contender;
  readonly runs: ChildRun[];
  stopped: boolean;
}

/**
 * Measures all contenders of all entrants: one round to warm up, then `rounds` rounds in which each has its turn, so that
 * what slowly changes on the machine touches all alike. Who takes too long has no further turn.
 */
export async function compare(entrants: readonly Entrant[], options: ComparisonOptions): Promise<Result[]> {
  const all = entrants.flatMap((entrant) =>
    entrant.contenders.map((contender): Samples => ({ entrant, contender, runs: [], stopped: false })),
  );
  const turn = async (samples: Samples, label: string): Promise<ChildRun> => {
    const { entrant, contender } = samples;
    const name = entrants.length > 1 ? `${entrant.label}, ${contender.name}` : contender.name;
    options.progress(`${label}: ${name}`);
    const command = contender.command(entrant.program, entrant.args, options.runOptions);
    return await options.run(command, options.timeout);
  };
  for (let round = 0; round <= options.rounds; round++) {
    const label = round === 0 ? 'warming up' : `round ${round} of ${options.rounds}`;
    for (const samples of all) {
      if (samples.stopped) continue;
      const run = await turn(samples, label);
      samples.stopped = run.timedOut;
      if (!run.timedOut && round > 0) samples.runs.push(run);
    }
  }
  const works = new Map<Entrant, ProgramWork | undefined>();
  for (const entrant of entrants) works.set(entrant, await countWork(entrant, options));
  const results: Result[] = [];
  for (const samples of all) {
    const { entrant, contender, stopped } = samples;
    const statistics = stopped ? undefined : await readStatistics(samples, options);
    let probes: ProbeCosts | undefined;
    if (entrant.probes !== undefined) {
      options.progress(`probing: ${contender.name}`);
      probes = await measureProbes(contender, entrant.probes, options.run);
    }
    results.push(summary(samples, { statistics, probes, work: works.get(entrant) }));
  }
  return results;
}

/** What is read of the document of `stele inspect --json`. */
interface Inspection {
  readonly totals: {
    readonly executed: number;
    readonly translated: number;
    readonly work: Work;
    readonly executedExpansion: ProgramWork['expansion'];
  };
}

/** @returns undefined where no translation ran, or the program takes too long */
async function countWork(entrant: Entrant, options: ComparisonOptions): Promise<ProgramWork | undefined> {
  if (entrant.probes === undefined) return undefined;
  options.progress(`counting: ${entrant.label}`);
  const { stdout, timedOut } = await options.run(options.inspect(entrant), options.timeout);
  if (timedOut) return undefined;
  try {
    const { totals } = JSON.parse(new TextDecoder().decode(stdout)) as Inspection;
    const { executed, translated, work, executedExpansion } = totals;
    if (translated === 0) return undefined;
    // What the interpreter ran did not count its work: it is taken to be like the rest.
    const scaled = (count: number): number => (count * executed) / translated;
    return {
      instructions: executed,
      memoryAccesses: scaled(work.memoryAccesses),
      floatOperations: scaled(work.floatOperations),
      calls: scaled(work.calls),
      indirectBranches: scaled(work.indirectBranches),
      expansion: { code: executedExpansion.code, host: executedExpansion.host },
    };
  } catch {
    return undefined;
  }
}

/** A run of its own: counting costs time. */
async function readStatistics(
  { entrant, contender }: Samples,
  options: ComparisonOptions,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (contender.kind === 'native' || contender.kind === 'qemu') return undefined;
  options.progress(`counting: ${contender.name}`);
  const command = contender.command(entrant.program, entrant.args, [...options.runOptions, '--json']);
  const { stderr, timedOut } = await options.run(command, options.timeout * 2);
  if (timedOut) return undefined;
  // The program's own error output comes before it.
  const line = new TextDecoder().decode(stderr).trimEnd().split('\n').at(-1) as string;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
}

function summary(
  { entrant, contender, runs, stopped }: Samples,
  counted: Pick<Result, 'statistics' | 'probes' | 'work'>,
): Result {
  const last = runs.at(-1);
  const cpu = runs.flatMap(({ user, system }) => (user === undefined || system === undefined ? [] : [user + system]));
  const memory = runs.flatMap(({ peakMemory }) => (peakMemory === undefined ? [] : [peakMemory]));
  const faults = runs.flatMap(({ minorFaults }) => (minorFaults === undefined ? [] : [minorFaults]));
  return {
    entrant,
    contender,
    wall: spreadOf(runs.map(({ wall }) => wall)),
    cpu: spreadOf(cpu),
    peakMemory: memory.length === 0 ? undefined : Math.max(...memory),
    minorFaults: spreadOf(faults)?.median,
    stopped,
    status: last?.status,
    stdout: last?.stdout,
    stderr: last?.stderr,
    ...counted,
  };
}

const isEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a.length === b.length && a.every((byte, index) => byte === b[index]);

/** Whose output or exit status differs from the first one's that came to its end. */
export function findDifferences(results: readonly Result[]): Difference[] {
  const finished = results.filter(({ stdout }) => stdout !== undefined);
  const [reference, ...others] = finished;
  const differences: Difference[] = [];
  for (const result of others) {
    const what = [
      isEqual(result.stdout as Uint8Array, reference.stdout as Uint8Array) ? '' : 'output',
      result.status === reference.status ? '' : 'exit status',
    ].filter((name) => name !== '');
    if (what.length > 0) differences.push({ result, reference, what: what.join(' and ') });
  }
  return differences;
}
