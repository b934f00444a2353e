/** `stele machines`: several guests side by side, each with its limits, in threads of this process. */
import { ElfError } from '../elf/elf-error.ts';
import type { Target } from '../elf/machines.ts';
import { readElf } from '../elf/read-elf.ts';
import { foreignGuest } from '../engines/create-engine.ts';
import {
  absolutePath,
  environmentBytes,
  readExecutable,
  readText,
  writeBytes,
  writeError,
  writeOutput,
} from '../host/command.ts';
import { isDirectory } from '../host/inspection.ts';
import {
  after,
  clearModeMask,
  isTerminal,
  type LiveLines,
  liveLines,
  onTermination,
  openForGuests,
  plainLine,
  processorCount,
  readProblem,
  writeProblem,
} from '../host/machine-surroundings.ts';
import { startMachineThread } from '../host/machine-threads.ts';
import { type Control, request } from '../machines/control.ts';
import type { MachineData, MachineMessage } from '../machines/messages.ts';
import { Collected, joinBytes, Lines } from '../machines/output.ts';
import { finalTable, formatBytes, Load, liveTable, machinesJson, type ReportedPlan } from '../machines/report.ts';
import { type Listener, type Machine, Supervisor } from '../machines/supervisor.ts';
import { completeOptions } from './configuration.ts';
import { guestEnvironment } from './guest-environment.ts';
import type { MachineRequest } from './machine-file.ts';
import { joinMachineSettings, type MachineSettings, machineDefaults } from './machine-options.ts';
import { UsageError } from './options.ts';

/** How what is going on is shown; `auto`: a table on a terminal, lines elsewhere. */
export const progressKinds = ['auto', 'table', 'lines', 'none'] as const;
export type ProgressKind = (typeof progressKinds)[number];

/** A program of the command line, or a file of machines, with what is said of it there. */
export interface MachineSegment {
  /** undefined: after the program, or its file's, name. */
  readonly name: string | undefined;
  readonly settings: MachineSettings;
  readonly program: string;
  readonly args: readonly string[];
}

export interface MachinesOptions {
  readonly segments: readonly MachineSegment[];
  /** Processors that they share; undefined: all that there are. */
  readonly cpus: number | undefined;
  readonly progress: ProgressKind;
  readonly json: boolean;
  /** Only looks whether everything is right. */
  readonly check: boolean;
}

const failed = 2;
/** Bytes of each stream of each machine that the JSON holds. */
const mostCollected = 1 << 24;
/** Mappings of all guests that the host's pages can follow: each takes two of 65 530 (src/memory/host-protection.ts), some of which are Node's. */
const mostMappings = 24_000;
/** Milliseconds from one table to the next, and between looks at what is to be written above it. */
const tableInterval = 500;
const drawInterval = 50;
/** Pieces of output that wait for that. */
const mostHeld = 1000;

interface Plan extends ReportedPlan {
  readonly data: Omit<MachineData, 'control'>;
}

/**
 * Runs machines to their ends.
 * @returns the exit status: 0 when all ended with 0
 * @throws UsageError when something is wrong with what was asked for; nothing has run then
 */
export async function runMachines(options: MachinesOptions): Promise<number> {
  const plans = makePlans(await findRequests(options.segments));
  if (options.check) {
    const names = plans.map(({ name, isa, engine }) => `${name} (${isa}, ${engine})`);
    writeOutput(`${plans.length} ${plans.length === 1 ? 'machine' : 'machines'}: ${names.join(', ')}\n`);
    return 0;
  }
  const display = new Display(options);
  const host = {
    processors: options.cpus ?? processorCount(),
    start: (plan: Plan, control: Control) =>
      startMachineThread<MachineData, MachineMessage>(plan.name, { ...plan.data, control: control.buffer }),
    now: () => performance.now(),
    after,
  };
  const supervisor = new Supervisor<Plan>(plans, host, display);
  let received = 0;
  onTermination((signal) => {
    display.note(received === 0 ? 'ending all machines; again: at once' : 'ending all machines at once');
    supervisor.stop(signal === 2 ? request.interrupt : request.terminate, received !== 0);
    received = signal;
  });
  display.begin(supervisor.machines);
  await supervisor.run();
  display.end(supervisor.machines);
  if (received !== 0) return 128 + received;
  return supervisor.machines.every(({ outcome }) => outcome?.kind === 'success') ? 0 : failed;
}

// -- what was asked for

const machineFileEnding = /\.(ya?ml|json)$/i;

interface Wanted {
  readonly requests: readonly MachineRequest[];
  readonly problems: readonly string[];
}

/** @throws UsageError */
async function findRequests(segments: readonly MachineSegment[]): Promise<Wanted> {
  const requests: MachineRequest[] = [];
  const problems: string[] = [];
  for (const { name, settings, program, args } of segments) {
    if (!machineFileEnding.test(program)) {
      requests.push({
        name: name ?? unusedName(program.split('/').at(-1) as string, requests),
        settings: { ...settings, program, args: [...args] },
        place: (key) => `${program}${key === undefined || key === 'program' ? '' : `: ${key}`}`,
      });
      continue;
    }
    if (name !== undefined) throw new UsageError(`--name: the machines of ${program} have names`);
    if (args.length > 0) throw new UsageError(`${program}: a file of machines takes no arguments ("${args[0]}")`);
    const text = readText(program);
    if (typeof text !== 'string') throw new UsageError(`${program}: ${text.message}`);
    const { parseMachineFile } = await import('./machine-file.ts');
    const { defaults, machines, problems: found } = parseMachineFile(text, program);
    problems.push(...found);
    for (const machine of machines) {
      requests.push({ ...machine, settings: joinMachineSettings(machine.settings, settings, defaults) });
    }
  }
  const names = requests.map(({ name }) => name);
  for (const [index, { name, place }] of requests.entries()) {
    if (names.indexOf(name) !== index) problems.push(`${place()}: there is another machine called "${name}"`);
  }
  return { requests, problems };
}

/** A program's name, numbered if there is one already. */
function unusedName(wanted: string, requests: readonly MachineRequest[]): string {
  const isUsed = (name: string): boolean => requests.some((each) => each.name === name);
  let name = wanted;
  for (let number = 2; isUsed(name); number++) name = `${wanted}-${number}`;
  return name;
}

// -- plans

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const finite = (limit: number | undefined): number | undefined =>
  limit === undefined || limit === Number.POSITIVE_INFINITY ? undefined : limit;

/** Looks at everything that machines need before any of them begins. @throws UsageError */
function makePlans({ requests, problems: earlier }: Wanted): Plan[] {
  const defaults = machineDefaults();
  const complete = requests.map((one) => ({ ...one, settings: joinMachineSettings(one.settings, defaults) }));
  const checked = complete.map((one) => ({ ...one, ...checkMachine(one) }));
  const problems = [...earlier, ...checked.flatMap((one) => one.problems)];
  if (problems.length > 0) throw new UsageError(problems.join('\nstele: '));
  const descriptors = openStreams(complete);
  const { noCache, cacheDir, cacheSize } = completeOptions({});
  const cache = noCache ? undefined : { cacheDir: cacheDir === '' ? '' : absolutePath(cacheDir), cacheSize };
  const mask = clearModeMask();
  return checked.map(({ name, settings, file, isa }, index): Plan => {
    const { program = '', args = [], engine = 'auto', cpuShare = 1, env = {} } = settings;
    const limits = [settings.memoryLimit, settings.outputLimit, settings.wallLimit, settings.cpuLimit].map(finite);
    const [memoryLimit, outputLimit, wallLimit, cpuLimit] = limits;
    const unset = Object.keys(env).filter((variable) => env[variable] === null);
    const set = Object.keys(env).filter((variable) => env[variable] !== null);
    return {
      name,
      program,
      args,
      isa: isa as Target['abi'],
      engine,
      share: cpuShare,
      memoryLimit,
      outputLimit,
      cpuLimit,
      wallLimit,
      limitTexts: {
        memory: formatBytes(memoryLimit ?? 0),
        output: formatBytes(outputLimit ?? 0),
        wall: `${wallLimit} s`,
        cpu: `${cpuLimit} s`,
      },
      data: {
        file: file as Uint8Array,
        path: bytes(absolutePath(program)),
        arguments: [program, ...args].map(bytes),
        environment: guestEnvironment(
          environmentBytes(),
          unset,
          set.map((variable) => `${variable}=${env[variable]}`),
        ),
        engine,
        memoryLimit,
        outputLimit,
        root: settings.root === undefined ? undefined : bytes(absolutePath(settings.root)),
        directory: settings.directory === undefined ? undefined : bytes(absolutePath(settings.directory)),
        descriptors: descriptors[index],
        mask,
        mostMappings: Math.floor(mostMappings / requests.length),
        cache,
      },
    };
  });
}

/** @returns what is wrong with a machine; else its program */
function checkMachine({ settings, place }: MachineRequest): {
  readonly problems: readonly string[];
  readonly file?: Uint8Array;
  readonly isa?: Target['abi'];
} {
  const { program, isa, engine = 'auto' } = settings;
  const problems: string[] = [];
  for (const key of ['root', 'directory'] as const) {
    const path = settings[key];
    if (path !== undefined && !isDirectory(path)) problems.push(`${place(key)}: ${path} is not a directory`);
  }
  const { stdin } = settings;
  const unreadable = stdin === undefined ? undefined : readProblem(stdin);
  if (unreadable !== undefined) problems.push(`${place('stdin')}: ${stdin}: ${unreadable.message}`);
  for (const key of ['stdout', 'stderr'] as const) {
    const path = settings[key];
    const problem = path === undefined ? undefined : writeProblem(path);
    if (problem !== undefined) problems.push(`${place(key)}: ${path}: ${problem.message}`);
  }
  if (program === undefined) return { problems: [`${place()}: no program is given`, ...problems] };
  const file = readExecutable(bytes(program));
  if ('code' in file) return { problems: [...problems, `${place('program')}: ${program}: ${file.message}`] };
  let found: Target['abi'];
  try {
    found = readElf(file).target.abi;
  } catch (error) {
    if (!(error instanceof ElfError)) throw error;
    return { problems: [...problems, `${place('program')}: ${program}: ${error.message}`] };
  }
  if (isa !== undefined && isa !== found)
    problems.push(`${place('isa')}: ${program} is built for ${found}, not ${isa}`);
  const foreign = foreignGuest(engine, found);
  if (foreign !== '') problems.push(`${place('engine')}: the engine ${engine} cannot run ${program}: ${foreign}`);
  return { problems, file, isa: found };
}

/** Opens the files that standard descriptors are to be, each one once. @throws UsageError */
function openStreams(requests: readonly MachineRequest[]): MachineData['descriptors'][] {
  const opened = new Map<string, number>();
  const open = (path: string, writes: boolean, where: string): number => {
    const key = `${writes ? 'w' : 'r'}${absolutePath(path)}`;
    // What is read has a position of its own for each machine.
    const known = writes ? opened.get(key) : undefined;
    if (known !== undefined) return known;
    const descriptor = openForGuests(path, writes);
    if (typeof descriptor !== 'number') throw new UsageError(`${where}: ${path}: ${descriptor.message}`);
    opened.set(key, descriptor);
    return descriptor;
  };
  return requests.map(({ settings, place }) => {
    const { stdin = '/dev/null', stdout, stderr } = settings;
    return [
      open(stdin, false, place('stdin')),
      stdout === undefined ? undefined : open(stdout, true, place('stdout')),
      stderr === undefined ? undefined : open(stderr, true, place('stderr')),
    ];
  });
}

// -- what the user sees

type Streams = readonly [Lines | Collected, Lines | Collected];

/** Shows what is going on, what machines write, and what became of them. */
class Display implements Listener<Plan> {
  private readonly options: MachinesOptions;
  private readonly live: LiveLines | undefined;
  private readonly showsLines: boolean;
  private readonly streams = new Map<Machine<Plan>, Streams>();
  private readonly load = new Load<ReportedPlan>();
  private machines: readonly Machine<Plan>[] = [];
  private nameWidth = 0;
  private cancel = (): void => {};
  /** With a table: what is to be written above it. */
  private held: { readonly descriptor: 1 | 2; readonly written: Uint8Array }[] = [];
  private table: readonly string[] = [];
  private counted = Number.NEGATIVE_INFINITY;

  constructor(options: MachinesOptions) {
    this.options = options;
    const { progress } = options;
    this.live = progress === 'auto' || progress === 'table' ? liveLines() : undefined;
    if (progress === 'table' && this.live === undefined) {
      writeError('stele: standard error is no terminal: there is no table, only lines\n');
    }
    this.showsLines = progress !== 'none' && this.live === undefined;
  }

  begin(machines: readonly Machine<Plan>[]): void {
    this.machines = machines;
    this.nameWidth = Math.max(...machines.map(({ plan }) => plan.name.length));
    this.draw();
  }

  end(machines: readonly Machine<Plan>[]): void {
    this.cancel();
    this.writeHeld();
    this.live?.clear();
    const now = performance.now();
    if (this.options.json) {
      const kept = (machine: Machine<Plan>, index: 0 | 1): Collected | undefined => {
        const stream = this.streams.get(machine)?.[index];
        return stream instanceof Collected && machine.plan.data.descriptors[index + 1] === undefined
          ? stream
          : undefined;
      };
      writeOutput(
        machinesJson(
          machines,
          (machine) => [kept(machine as Machine<Plan>, 0), kept(machine as Machine<Plan>, 1)],
          now,
        ),
      );
    }
    if (this.options.progress !== 'none') writeError(`${finalTable(machines, now)}`);
  }

  /** A line for the user, when it is something that is not to be overlooked. */
  note(text: string): void {
    this.write(2, [bytes(`stele: ${text}\n`)]);
  }

  started({ plan }: Machine<Plan>): void {
    if (this.showsLines) this.note(`${plan.name}: started (${plan.isa}, ${plan.engine})`);
  }

  output(machine: Machine<Plan>, descriptor: 1 | 2, written: Uint8Array): void {
    const stream = this.streamsOf(machine)[descriptor - 1];
    const lines = stream.add(written);
    if (lines !== undefined) this.writeLines(machine, descriptor, lines);
  }

  ended(machine: Machine<Plan>): void {
    for (const [index, stream] of this.streamsOf(machine).entries()) {
      if (stream instanceof Lines) this.writeLines(machine, (index + 1) as 1 | 2, stream.end());
    }
    if (this.showsLines) this.note(`${machine.plan.name}: ${machine.outcome?.text}`);
  }

  failed({ plan }: Machine<Plan>, error: unknown): void {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.note(`${plan.name}: an error of Stele's own, which is worth a report:\n${stack}`);
  }

  private streamsOf(machine: Machine<Plan>): Streams {
    let streams = this.streams.get(machine);
    if (streams === undefined) {
      streams = this.options.json
        ? [new Collected(mostCollected), new Collected(mostCollected)]
        : [new Lines(), new Lines()];
      this.streams.set(machine, streams);
    }
    return streams;
  }

  /** Writes lines, each behind the machine's name, as far as there is more than one machine. */
  private writeLines({ plan }: Machine<Plan>, descriptor: 1 | 2, lines: readonly Uint8Array[]): void {
    const prefix = bytes(`${plan.name.padEnd(this.nameWidth)} | `);
    const shown = isTerminal(descriptor) ? lines.map(plainLine) : lines;
    this.write(
      descriptor,
      shown.flatMap((line) => [prefix, line]),
    );
  }

  /** Writes at once, or above the table when that is drawn next. */
  private write(descriptor: 1 | 2, parts: readonly Uint8Array[]): void {
    if (parts.length === 0) return;
    const written = joinBytes(parts);
    if (this.live === undefined) {
      writeBytes(descriptor, written);
      return;
    }
    this.held.push({ descriptor, written });
    if (this.held.length >= mostHeld) this.writeHeld();
  }

  private writeHeld(): void {
    if (this.held.length === 0) return;
    this.live?.clear();
    for (const { descriptor, written } of this.held) writeBytes(descriptor, written);
    this.held = [];
  }

  /** Writes what is held, and the table below it; again and again. */
  private draw(): void {
    const { live } = this;
    if (live === undefined) return;
    this.writeHeld();
    const now = performance.now();
    if (now - this.counted >= tableInterval) {
      this.counted = now;
      this.table = liveTable(this.machines, this.load, now, live.rows - 1);
    }
    live.draw(this.table);
    this.cancel = after(drawInterval, () => this.draw());
  }
}
