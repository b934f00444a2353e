/**
 * Probes: what an engine takes for one of each of the things that programs do, measured by a guest program
 * (examples/src/probes.c), which is its own clock; and for starting and ending a program that does nothing.
 */
import type { Target } from '../elf/machines.ts';
import type { ChildRun } from '../host/measured-child.ts';
import type { Work } from '../inspect/work.ts';
import type { Contender } from './contenders.ts';

export interface Probe {
  /** As the guest program calls it, and the reports' data. */
  readonly name: string;
  /** At the head of a column. */
  readonly label: string;
  /** What one turn is. */
  readonly turn: string;
}

// biome-ignore format: one row per line
export const probes: readonly Probe[] = [
  { name: 'integer', label: 'integer loop', turn: 'six shifts and six exclusive ors, in two chains' },
  { name: 'float', label: 'FP loop', turn: 'three multiplications and three additions of doubles, in three chains' },
  { name: 'memory', label: 'memory loop', turn: 'a load and a store within 16 KiB' },
  { name: 'call', label: 'call, return', turn: 'a call of a function that adds 3' },
  { name: 'indirect-branch', label: 'indirect branch', turn: 'an instruction of an interpreter: a jump by a table with four targets' },
  { name: 'system-call', label: 'system call', turn: 'a getppid' },
  { name: 'page-touch', label: 'page fault', turn: 'getting a page, its first load and store, giving it back' },
  { name: 'signal', label: 'SIGSEGV handled', turn: 'a load from the null page, and a handler that goes on behind it' },
];

/** What guest instructions do, and how many they are. */
export interface GuestWork extends Work {
  readonly instructions: number;
}

/** A row of the table below. */
const work = (
  instructions: number,
  memoryAccesses: number,
  floatOperations: number,
  calls: number,
  indirectBranches: number,
): GuestWork => ({ instructions, memoryAccesses, floatOperations, calls, indirectBranches });

/** What one turn of a loop is in each of the programs, as `stele inspect` counts it; compilers differ in how they unroll. */
// biome-ignore format: one row per line
export const workPerTurn: Readonly<Record<Target['abi'], Readonly<Record<'integer' | 'float' | 'memory' | 'call' | 'indirect-branch', GuestWork>>>> = {
  powerpc: {
    integer: work(13, 0, 0, 0, 0),
    float: work(6.5, 0, 6, 0, 0),
    memory: work(8, 2, 0, 0, 0),
    call: work(4, 0, 0, 1, 0),
    'indirect-branch': work(12.75, 4, 0, 0, 1),
  },
  i386: {
    integer: work(21, 0, 0, 0, 0),
    float: work(9, 0, 6, 0, 0),
    memory: work(8, 2, 0, 0, 0),
    call: work(6, 2, 0, 1, 0),
    'indirect-branch': work(9.5, 2, 0, 0, 1),
  },
  'x86-64': {
    integer: work(21, 0, 0, 0, 0),
    float: work(9, 0, 6, 0, 0),
    memory: work(8, 2, 0, 0, 0),
    call: work(8, 2, 0, 1, 0),
    'indirect-branch': work(9.5, 2, 0, 0, 1),
  },
};

/** What was measured on one engine. */
export interface ProbeCosts {
  /** Nanoseconds of a turn, by the probe's name; without those that the engine did not come to the end of. */
  readonly turns: Readonly<Record<string, number>>;
  /** Seconds that a program takes that does nothing: wall time, and processor time where that can be measured. */
  readonly startWall: number;
  readonly startCpu: number | undefined;
  /** Page faults of that. */
  readonly startFaults: number | undefined;
}

/** Milliseconds for which a probe's loop is to run; each takes four hundred times that at the most. */
const loopTime = 2;
/** Seconds after which an engine's probes are stopped, whatever it is that they wait for. */
const patience = 30;
/** The program is started this often to do nothing; the fastest counts. */
const starts = 3;

/** @param program the probes for the contender's kind of guest */
export async function measureProbes(
  contender: Contender,
  program: string,
  run: (command: readonly string[], timeout: number) => Promise<ChildRun>,
): Promise<ProbeCosts | undefined> {
  const empty: ChildRun[] = [];
  for (let start = 0; start < starts; start++) {
    empty.push(await run(contender.command(program, ['0', 'nothing'], []), patience));
  }
  const { stdout } = await run(contender.command(program, [String(loopTime)], []), patience);
  const turns = parseProbes(new TextDecoder().decode(stdout));
  if (Object.keys(turns).length === 0) return undefined;
  const least = (values: readonly (number | undefined)[]): number | undefined => {
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.min(...known);
  };
  return {
    turns,
    startWall: Math.min(...empty.map(({ wall }) => wall)),
    startCpu: least(
      empty.map(({ user, system }) => (user === undefined || system === undefined ? undefined : user + system)),
    ),
    startFaults: least(empty.map(({ minorFaults }) => minorFaults)),
  };
}

/** @param text lines of the program: name, turns, what they computed, nanoseconds. @returns nanoseconds of a turn by name */
export function parseProbes(text: string): Record<string, number> {
  const turns: Record<string, number> = {};
  for (const { name } of probes) {
    const match = new RegExp(`^${name} (\\d+) \\d+ (\\d+)$`, 'm').exec(text);
    if (match !== null) turns[name] = Number(match[2]) / Number(match[1]);
  }
  return turns;
}

/** Nanoseconds of each kind of work, of which the loops' turns are sums. */
export type WorkCosts = { readonly [Kind in keyof GuestWork]: number };

/**
 * What one instruction takes, and what each other kind of work takes beyond that of its instructions. The loops are
 * taken apart one after the other: each has one kind of work that those before it do not have.
 */
export function workCosts(abi: Target['abi'], { turns }: ProbeCosts): WorkCosts | undefined {
  const loops = workPerTurn[abi];
  const costs = { instructions: 0, memoryAccesses: 0, floatOperations: 0, calls: 0, indirectBranches: 0 };
  const steps = [
    ['integer', 'instructions'],
    ['memory', 'memoryAccesses'],
    ['float', 'floatOperations'],
    ['call', 'calls'],
    ['indirect-branch', 'indirectBranches'],
  ] as const;
  for (const [loop, kind] of steps) {
    const turn = turns[loop];
    if (turn === undefined) return undefined;
    // A processor does several things at once: a loop may take less than its parts would.
    costs[kind] = Math.max(0, (turn - timeOf(loops[loop], costs)) / loops[loop][kind]);
  }
  return costs;
}

/** Nanoseconds that some work takes. */
export const timeOf = (done: GuestWork, costs: WorkCosts): number =>
  (Object.keys(costs) as (keyof GuestWork)[]).reduce((sum, kind) => sum + done[kind] * costs[kind], 0);
