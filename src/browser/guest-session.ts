/** Runs one guest with files in memory and a terminal, by messages: what a page's worker does, and its tests. */
import { header } from '../../translators/ir/state.ts';
import { fatalReport } from '../cli/fatal-report.ts';
import { createGuest, type Guest, runCost } from '../cli/guest.ts';
import { findingsOf, type InspectedRun } from '../cli/guest-findings.ts';
import { statisticsTable } from '../diagnostics/statistics.ts';
import { ElfError } from '../elf/elf-error.ts';
import { Collector } from '../inspect/collector.ts';
import { detailsOf, summaryOf } from '../inspect/page-data.ts';
import { byHeat, documentOf, type Findings, type Heat, regionReport } from '../inspect/report.ts';
import { stages } from '../inspect/stage-names.ts';
import { resource } from '../linux/limits.ts';
import type { ExitStatus } from '../linux/process.ts';
import { runThread } from '../linux/run.ts';
import { signalCode, signalDescription, signalNumbers } from '../linux/signals.ts';
import { NoMemoryError } from '../memory/address-space.ts';
import { type BrowserSurroundings, BrowserSystem, userId } from './browser-system.ts';
import { FileTree } from './file-tree.ts';
import { OutputBuffer } from './output-buffer.ts';
import type { FromSession, Outcome, RunRequest, ToSession } from './session-messages.ts';
import { homeDirectory, makeStandardFiles, type StandardFiles } from './standard-tree.ts';
import { Terminal } from './terminal.ts';

const encoder = new TextEncoder();
const stackLimit = 8 << 20;

const executable = 0o755;
const ordinary = 0o644;
/** Why regions have no machine code. */
const hostNote = 'a browser does not tell the machine code that it makes; "stele inspect" shows it';

export class GuestSession {
  private readonly system: BrowserSystem;
  private readonly tell: (message: FromSession) => void;
  private readonly output: OutputBuffer;
  private readonly terminal: Terminal;
  private outputLimit = Number.POSITIVE_INFINITY;
  private standard: StandardFiles | undefined;
  private guest: Guest | undefined;
  /** Why the session ended the guest; empty: it did not. */
  private stopReason = '';
  private findings: Findings | undefined;
  private heats: readonly Heat[] = [];

  /** @param tell sends a message to the page; byte arrays in it are its own from then on */
  constructor(surroundings: BrowserSurroundings, tell: (message: FromSession) => void) {
    this.system = new BrowserSystem(surroundings);
    this.tell = tell;
    this.output = new OutputBuffer((bytes) => tell({ kind: 'output', bytes }));
    this.system.beforeEvents = () => this.output.flush();
    this.terminal = new Terminal({
      show: (bytes) => this.show(bytes),
      signal: (signal) => this.signal(signal),
    });
  }

  /** @returns when the message has had its effect: for a run, when that is over */
  async receive(message: ToSession): Promise<void> {
    switch (message.kind) {
      case 'run':
        try {
          await this.run(message);
        } catch (error) {
          const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
          this.tell({ kind: 'failed', message: text });
        }
        return;
      case 'input':
        this.terminal.type(message.bytes);
        this.output.flush();
        return;
      case 'size':
        this.terminal.size = message.size;
        this.signal(signalNumbers.SIGWINCH);
        return;
      case 'stop':
        this.end('');
        return;
      case 'inspect':
        this.inspect();
        return;
      case 'details':
        this.describe(message.number);
        return;
      case 'files':
        this.tell({ kind: 'files', files: this.standard === undefined ? [] : [...this.standard.homeFiles()] });
        return;
    }
  }

  private async run(request: RunRequest): Promise<void> {
    const { system } = this;
    const collector = request.isInspected ? new Collector() : undefined;
    const start = performance.now();
    const guest = this.load(request, collector);
    if (guest === undefined) return;
    this.guest = guest;
    const { state } = guest.thread;
    await system.start(state.i32, header.interrupt >> 2);
    this.tell({ kind: 'started' });
    const loaded = performance.now();
    let status: ExitStatus;
    try {
      status = await runThread(guest.thread, guest.engine);
    } finally {
      system.stop();
      this.output.flush();
    }
    const ended = performance.now();
    guest.engine.close();
    const { program, arguments: args } = request;
    const run: InspectedRun = { program: program.path, arguments: args, status, times: { start, loaded, ended } };
    if (collector !== undefined) {
      this.findings = { ...findingsOf(guest, system, collector, run), host: new Map(), hostNote };
    }
    this.tell({
      kind: 'ended',
      outcome: this.outcomeOf(status),
      report: status.kind === 'signal' && status.core ? fatalReport(status, guest) : '',
      statistics: statisticsTable(runCost(guest, system, loaded - start, ended - loaded)),
      translations: collector?.collected.length ?? 0,
    });
  }

  /** Puts the guest together. @returns undefined when that is not possible, which the page was told */
  private load(request: RunRequest, collector: Collector | undefined): Guest | undefined {
    const { system } = this;
    const { program, limits } = request;
    this.terminal.size = request.size;
    this.outputLimit = limits.output;
    const refuse = (reason: string): undefined => this.tell({ kind: 'refused', reason }) as undefined;
    try {
      const user = { uid: userId, gid: userId };
      const now = (): bigint => {
        const { seconds, nanoseconds } = system.realTime();
        return BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds);
      };
      const tree = new FileTree(user, limits.files, now);
      const { processId } = system;
      const facts = { processId, name: program.path, memory: limits.memory, uptime: () => performance.now() / 1000 };
      const standard = makeStandardFiles(tree, this.terminal, facts, (bytes) => system.fillRandom(bytes));
      this.standard = standard;
      for (const file of [program, ...request.files]) {
        const permissions = file === program ? executable : ordinary;
        if (!standard.addFile(file.path, file.bytes, permissions)) {
          return refuse(`${file.path}: the files take more than ${limits.files} bytes`);
        }
      }
      const path = encoder.encode(`${homeDirectory}/${program.path}`);
      const guest = createGuest({
        file: program.bytes,
        path,
        arguments: [encoder.encode(program.path), ...request.arguments.map((text) => encoder.encode(text))],
        environment: request.environment.map((text) => encoder.encode(text)),
        system,
        fileHost: standard.files,
        stackLimit,
        engine: request.engine,
        measure: true,
        inspector: collector,
      });
      const memory = BigInt(limits.memory);
      guest.process.limits.set(resource.AS, { soft: memory, hard: memory });
      return guest;
    } catch (error) {
      if (error instanceof ElfError) return refuse(`${program.path}: ${error.message}`);
      if (error instanceof NoMemoryError) return refuse(`the guest's memory cannot be made: ${error.message}`);
      throw error;
    }
  }

  private outcomeOf(status: ExitStatus): Outcome {
    if (this.stopReason !== '') return { kind: 'limit', reason: this.stopReason };
    if (status.kind === 'exit') return { kind: 'exit', code: status.code };
    return { kind: 'signal', signal: status.signal, description: signalDescription(status.signal) };
  }

  // -- the terminal

  private show(bytes: Uint8Array): void {
    const room = this.outputLimit - this.output.total;
    this.output.write(bytes.length > room ? bytes.subarray(0, Math.max(0, room)) : bytes);
    if (bytes.length > room) this.end(`it wrote more than ${this.outputLimit} bytes`);
  }

  /** A signal from the terminal, which does to a guest without a handler what it does by default. */
  private signal(signal: number): void {
    if (this.system.raise(signal)) return;
    this.guest?.process.signals.send({ signal, code: signalCode.SI_KERNEL });
  }

  /** Ends the guest, whatever it thinks of that. @param reason empty: somebody wanted it so */
  private end(reason: string): void {
    this.stopReason ||= reason;
    this.guest?.process.signals.send({ signal: signalNumbers.SIGKILL, code: signalCode.SI_USER });
  }

  // -- inspection

  private inspect(): void {
    const { findings } = this;
    if (findings === undefined) return;
    this.heats = byHeat(findings);
    const regions = this.heats.map((heat) => summaryOf(regionReport(heat, findings, [])));
    this.tell({ kind: 'summary', summary: documentOf(findings, regions) });
  }

  private describe(number: number): void {
    const { findings } = this;
    const heat = this.heats.find((one) => one.number === number);
    if (findings === undefined || heat === undefined) return;
    this.tell({ kind: 'details', number, details: detailsOf(regionReport(heat, findings, stages)) });
  }
}
