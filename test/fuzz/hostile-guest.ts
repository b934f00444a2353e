/**
 * Runs a hostile program on an engine as `stele run` would: the same loader, personality, signals and report of its death.
 * Its files are confined to one directory, its time stands still unless it waits, and its memory is limited. What can be
 * seen of the run at its end is noted, and whether everything that is not the guest's is as it was.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createGuest, type Guest } from '../../src/cli/guest.ts';
import { describeFatalSignal } from '../../src/diagnostics/fatal-signal.ts';
import { createEngine, type PortableEngineName } from '../../src/engines/create-engine.ts';
import type { Engine, EngineOptions } from '../../src/engines/engine.ts';
import { policies } from '../../src/engines/translated/policy.ts';
import { TranslatedEngine } from '../../src/engines/translated/translated-engine.ts';
import { findHostPages } from '../../src/host/page-protection.ts';
import { resource } from '../../src/linux/limits.ts';
import type { ExitStatus } from '../../src/linux/process.ts';
import { runThread } from '../../src/linux/run.ts';
import { signalName } from '../../src/linux/signals.ts';
import { Strace } from '../../src/linux/strace.ts';
import type { AddressSpace } from '../../src/memory/address-space.ts';
import { effectiveProtection } from '../../src/memory/guest-memory.ts';
import { stateBlockSize } from '../../translators/ir/state.ts';
import { pageCount, pageShift, pageSize, uncheckedReach } from '../../translators/memory-view.ts';
import { fpscr } from '../../translators/powerpc/floating-point-status.ts';
import { StillSystem } from '../linux/process-guest.ts';
import { ConfinedFiles } from './confined-files.ts';
import { digestAddress, type HostileProgram } from './hostile-programs.ts';
import type { Limits } from './programs.ts';
import { stepTime, Watchdog } from './watchdog.ts';

/** The ways in which a program is run, the first of which is the measure of the others. */
export const ways = ['interpreted', 'blocks', 'regions', 'wasm', 'wasm-checked', 'auto', 'auto-checked'] as const;
export type Way = (typeof ways)[number];

/** The engine of a way, and whether it must do without the host's page protection. */
export function meaningOf(way: Way): { readonly name: PortableEngineName; readonly checked: boolean } {
  return { name: way.replace('-checked', '') as PortableEngineName, checked: way.endsWith('-checked') };
}

export interface HostileOutcome {
  /** Exit status or signal, with its place; `endless` or `waits` for a program that was ended from outside. */
  readonly end: string;
  /** The guest was ended because its time was over, or because nothing could come that it waited for. */
  readonly cut: boolean;
  /** Digests and values, by name, that every way must give alike. */
  readonly seen: Readonly<Record<string, string>>;
  /** Regions or blocks translated, and handlers entered. */
  readonly translations: number;
  readonly handled: number;
  /** What is not as it must be around the guest. */
  readonly faults: readonly string[];
}

/** Milliseconds until a program without end is ended, where nothing is known of it, and where it is known to end. */
const patience = { first: 300, known: 10_000 } as const;
/** Milliseconds that a guest waits for what only the host could bring. */
const waitLimit = 30;
/** Bytes of memory, and of files and output, that a guest may have. */
const memoryLimit = 64n << 20n;
const fileLimit = 1 << 20;

const endless: ExitStatus = { kind: 'exit', code: 998 };
const waits: ExitStatus = { kind: 'exit', code: 999 };

/** Time passes when somebody looks and when everybody waits; nothing reaches the host. */
class HostileSystem extends StillSystem {
  /** When the guest must end, in real time. */
  end = 0;
  cut: (status: ExitStatus) => void = () => {};
  private outstanding = 0;

  override monotonicTime() {
    this.now += 1000;
    return this.now;
  }
  override machine() {
    const facts = { hostName: 'host', release: '6.1.0', version: '#1', processors: 2, memory: 2 ** 32 };
    return { ...facts, freeMemory: 2 ** 31, uptime: 1000, load: [0, 0, 0] };
  }
  override resourceUsage() {
    const counts = { minorFaults: 1, majorFaults: 0, blocksRead: 0, blocksWritten: 0 };
    return { user: 0, system: 0, maximumResident: 1000, voluntarySwitches: 1, involuntarySwitches: 0, ...counts };
  }
  override priority() {
    return 0;
  }
  override setPriority() {
    return false;
  }
  override after(nanoseconds: number, callback: () => void) {
    this.outstanding++;
    const cancel = super.after(nanoseconds, () => {
      this.outstanding--;
      callback();
    });
    return () => {
      if (this.outstanding > 0) this.outstanding--;
      cancel();
    };
  }
  override stayAlive() {
    let over = false;
    const step = async (): Promise<void> => {
      for (let steps = 0; !over && this.outstanding > 0 && steps < 1000; steps++)
        await this.advance(2 ** (20 + (steps % 40)));
      if (!over) timer = setTimeout(() => this.cut(waits), waitLimit);
    };
    let timer: NodeJS.Timeout | undefined;
    setImmediate(step);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }
  override async yieldToEvents() {
    if (performance.now() >= this.end) this.cut(endless);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class HostileGuests {
  private readonly directory = mkdtempSync(join(tmpdir(), 'stele-hostile-'));
  private watchdog: Watchdog | undefined;

  /** @param known the program has ended on another engine */
  async run(program: HostileProgram, way: Way, known: boolean): Promise<HostileOutcome> {
    const { name, checked } = meaningOf(way);
    const directory = join(this.directory, 'guest');
    mkdirSync(directory);
    writeFileSync(join(directory, 'file'), 'some text in a file\n');
    mkdirSync(join(directory, 'folder'));
    process.chdir(directory);
    const files = new ConfinedFiles(directory, fileLimit);
    const system = new HostileSystem();
    const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
    const traced = createHash('sha256');
    const guest = createGuest({
      file: program.file,
      path: encode('/program'),
      arguments: [encode('program')],
      environment: [],
      system,
      fileHost: files.host,
      root: encode(directory),
      stackLimit: 1 << 20,
      findHostPages: checked ? undefined : findHostPages,
      engine: 'interpreted',
      measure: false,
      observer: program.seed % 3 === 0 ? new Strace((text) => traced.update(text)) : undefined,
    });
    const { thread } = guest;
    for (const which of [resource.AS, resource.FSIZE]) {
      const limit = which === resource.AS ? memoryLimit : BigInt(fileLimit);
      thread.process.limits.set(which, { soft: limit, hard: limit });
    }
    const around = new Surroundings(guest.memory);
    const engine = limitedEngine(name, guest, program.limits);
    if (program.preciseFaults) engine.requirePreciseFaults();
    let cut = false;
    system.cut = (status) => {
      cut = true;
      thread.process.exit(status);
      thread.review();
    };
    const time = known ? patience.known : patience.first;
    // The watchdog may come early by part of a step, and comes once.
    system.end = performance.now() + time - 2 * stepTime;
    this.watchdog ??= new Watchdog(thread.state);
    this.watchdog.turnTo(thread.state);
    this.watchdog.watch(time);
    try {
      const status = await runThread(thread, engine);
      return {
        end: describeEnd(status, guest, program),
        cut,
        seen: cut ? {} : { ...look(guest, program, status), output: files.output(), traced: traced.digest('hex') },
        translations: engine.statistics.regions,
        handled: guest.memory.allows(digestAddress, 8, 1) ? guest.memory.readU32(digestAddress + 4) : 0,
        faults: [...around.faults(), ...(files.close() > 0 ? ['descriptors of the host are left open'] : [])],
      };
    } finally {
      this.watchdog.watch(0);
      files.close();
      process.chdir(this.directory);
      rmSync(directory, { recursive: true, force: true });
    }
  }

  close(): void {
    this.watchdog?.close();
    process.chdir('/');
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** An engine for a guest, with limits instead of its own where it translates. */
export function limitedEngine(name: PortableEngineName, guest: Guest, limited: Limits): Engine {
  const { frontend, memory, dispatcher } = guest;
  let ticks = 0;
  const options: EngineOptions = {
    frontend,
    memory,
    countInstructions: false,
    host: {
      systemCall: () => dispatcher.dispatch(),
      symbolAt: () => undefined,
      timeBase: () => ({ low: Math.imul(++ticks, 0x01234567), high: ticks }),
    },
  };
  if (name === 'interpreted') {
    const engine = createEngine(name, options);
    memory.onCodeChange = (start, length) => engine.invalidate(start, length);
    return engine;
  }
  const { threshold, ...limits } = limited;
  const policy = { ...policies[name], ...limits };
  return new TranslatedEngine(name, options, policy.translateAtOnce ? policy : { ...policy, threshold });
}

function describeEnd(status: ExitStatus, guest: Guest, program: HostileProgram): string {
  if (status === endless) return 'endless';
  if (status === waits) return 'waits';
  if (status.kind === 'exit') return `exit ${status.code}`;
  const { thread, dispatcher, frontend, memory } = guest;
  // The report looks at memory around wild registers.
  const report = describeFatalSignal(
    {
      signal: status.signal,
      description: 'a signal',
      pc: status.pc,
      address: status.address,
      access: thread.exception?.access ?? 0,
      mayBeStale: !program.preciseFaults,
    },
    {
      frontend,
      memory,
      state: thread.state,
      symbolAt: () => undefined,
      recentCalls: dispatcher.recentCalls().map(({ name }) => name),
    },
  );
  const { pc, code, address } = status;
  const hex = (value: number | bigint | undefined): string =>
    value === undefined ? 'nothing' : (Number(value) >>> 0).toString(16);
  const lines = report.split('\n').length;
  return `${signalName(status.signal)} at ${hex(pc)}, code ${code}, address ${hex(address)}${lines > 3 ? '' : ', no report'}`;
}

/** Bits of FPSCR that do not tell what happened. */
const controlBits = fpscr.VE | fpscr.OE | fpscr.UE | fpscr.ZE | fpscr.XE | fpscr.NI | fpscr.RN;
/** Pages of each mapping that are compared. */
const comparedPages = 16;

/** What must be the same on every engine. */
function look(guest: Guest, program: HostileProgram, status: ExitStatus): Record<string, string> {
  const { memory, thread, engine, frontend } = guest;
  const { state, exception } = thread;
  const exact =
    program.preciseFaults || exception?.reason !== 'fault' || exception.access === 4 || engine.statistics === undefined;
  const registers = frontend.registers.registers
    .filter(({ pinned }) => exact || pinned)
    .map(({ name, type, index }) => {
      const value =
        type === 'f64' ? `${state.i32[2 * index]},${state.i32[2 * index + 1]}` : String(state.i32[index] >>> 0);
      const isStatus = name === 'fpscr' && !program.exactFloatingPoint;
      return `${name}=${isStatus ? Number(value) & controlBits : value}`;
    })
    .join(' ');
  const seen: Record<string, string> = { registers: status.kind === 'signal' ? registers : '' };
  for (const { start, end, protection } of memory.mappings()) {
    const digest = createHash('sha256').update(memory.peek(start, Math.min(end - start, comparedPages * pageSize)));
    seen[`${start.toString(16)}-${end.toString(16)} ${protection}`] = digest.digest('hex').slice(0, 16);
  }
  return seen;
}

/** What lies beside the guest's memory in the buffer: nothing of it may change but the engine's own. */
class Surroundings {
  private readonly memory: AddressSpace;
  private readonly canary: Int32Array;

  constructor(memory: AddressSpace) {
    this.memory = memory;
    // Between the thread's state block and what the engine sets aside.
    this.canary = new Int32Array(memory.buffer, memory.allocateStateBlock(), stateBlockSize >> 2).fill(0x5ca1ab1e);
  }

  faults(): string[] {
    const { memory, canary } = this;
    const found: string[] = [];
    if (!canary.every((word) => word === 0x5ca1ab1e)) found.push('a state block that nobody uses was written');
    const after = memory.allocateStateBlock() + stateBlockSize;
    const rest = new Uint8Array(memory.buffer, after, memory.origin - memory.limit - uncheckedReach - after);
    if (!areEqual(rest, nothing.subarray(0, rest.length)))
      found.push('the reserve before the guest’s memory was written');
    const expected = new Uint8Array(pageCount);
    for (const { start, end, protection } of memory.mappings()) {
      expected.fill(effectiveProtection(protection), start >>> pageShift, end >>> pageShift);
    }
    const row = (number: number): Uint8Array =>
      memory.permissions.subarray(number * pageCount, (number + 1) * pageCount);
    if (!areEqual(row(0), expected)) found.push('the permission table is not what is mapped');
    for (let page = 0; page + 1 < pageCount; page++) expected[page] &= expected[page + 1];
    for (let number = 1; number < 8; number++) {
      if (!areEqual(row(number), expected)) found.push(`row ${number} of the permission table is not what is mapped`);
    }
    return found;
  }
}

const nothing = new Uint8Array(0x1000000);
const areEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
