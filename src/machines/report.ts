/** Tables of machines, for people and for programs. */

import { formatTable } from '../diagnostics/table.ts';
import type { Target } from '../elf/machines.ts';
import type { EngineName } from '../engines/create-engine.ts';
import type { Collected } from './output.ts';
import type { Machine, MachinePlan } from './supervisor.ts';

/** What reports tell of a machine besides what the supervisor knows. */
export interface ReportedPlan extends MachinePlan {
  readonly program: string;
  readonly args: readonly string[];
  readonly isa: Target['abi'];
  readonly engine: EngineName;
  readonly memoryLimit: number | undefined;
  readonly outputLimit: number | undefined;
}

const units = ['B', 'K', 'M', 'G', 'T'];

/** `12.3M` */
export function formatBytes(bytes: number): string {
  let unit = 0;
  let value = bytes;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return unit === 0 ? `${value}${units[0]}` : `${value < 99.95 ? value.toFixed(1) : Math.round(value)}${units[unit]}`;
}

/** `0.25 s` of milliseconds. */
export function formatTime(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  return `${seconds < 100 ? seconds.toFixed(2) : seconds.toFixed(0)} s`;
}

/** Milliseconds from the guest's first instruction on, until its end or now. */
export function wallTime<Plan extends MachinePlan>({ startTime, endTime }: Machine<Plan>, now: number): number {
  return startTime === undefined ? 0 : (endTime ?? now) - startTime;
}

const header = ['machine', 'ISA', 'engine', 'state', 'CPU', 'CPU time', 'time', 'memory', 'calls', 'output'];

/** Part of a processor that a machine has had lately, by what was seen of it before. */
export class Load<Plan extends MachinePlan> {
  private readonly seen = new Map<Machine<Plan>, { cpu: number; time: number; load: number }>();

  /** Percent; nothing where there is nothing to tell. @param now milliseconds */
  of(machine: Machine<Plan>, now: number): string {
    const { cpu } = machine.usage;
    const last = this.seen.get(machine);
    if (machine.state === 'ended' || machine.state === 'starting') return '';
    const passed = now - (last?.time ?? machine.startTime ?? now);
    const load = passed > 0 ? (cpu - (last?.cpu ?? 0)) / 1e6 / passed : 0;
    this.seen.set(machine, { cpu, time: now, load });
    return `${Math.round(load * 100)}%`;
  }
}

function row(machine: Machine<ReportedPlan>, state: string, load: string, now: number): string[] {
  const { plan, usage } = machine;
  const { cpu, memory, peakMemory, systemCalls, output } = usage;
  return [
    plan.name,
    plan.isa,
    plan.engine,
    state,
    load,
    formatTime(cpu / 1e6),
    formatTime(wallTime(machine, now)),
    formatBytes(machine.state === 'ended' ? peakMemory : memory),
    String(systemCalls),
    formatBytes(output),
  ];
}

const leftColumns = 4;

/** What is going on, as lines: those that run first. @param most lines */
export function liveTable(
  machines: readonly Machine<ReportedPlan>[],
  load: Load<ReportedPlan>,
  now: number,
  most: number,
): string[] {
  const ended = machines.filter(({ state }) => state === 'ended');
  const failed = ended.filter(({ outcome }) => outcome?.kind !== 'success');
  const ordered = [...machines.filter(({ state }) => state !== 'ended'), ...ended.toReversed()];
  const room = Math.max(1, most - 4);
  const shown = ordered.slice(0, ordered.length > room ? room - 1 : room);
  const stateOf = ({ state, outcome }: Machine<ReportedPlan>): string =>
    state === 'ended' ? (outcome?.kind === 'success' ? 'done' : (outcome?.kind ?? '')) : state;
  const rows = shown.map((machine) => row(machine, stateOf(machine), load.of(machine, now), now));
  const rest = ordered.length - shown.length;
  const sum = `${machines.length} machines: ${machines.length - ended.length} to go, ${ended.length - failed.length} done, ${failed.length} failed`;
  return [sum, ...formatTable(header, rows, leftColumns).split('\n'), ...(rest > 0 ? [`... and ${rest} more`] : [])];
}

/** What became of all, when it is over. */
export function finalTable(machines: readonly Machine<ReportedPlan>[], now: number): string {
  const rows = machines.map((machine) => {
    const cells = row(machine, machine.outcome?.kind === 'success' ? 'ok' : 'FAILED', '', now);
    return [...cells.slice(0, leftColumns), ...cells.slice(leftColumns + 1)];
  });
  const titles = [...header.slice(0, 3), 'result', ...header.slice(leftColumns + 1)];
  const failures = machines
    .filter(({ outcome }) => outcome?.kind !== 'success')
    .map(({ plan, outcome }) => `${plan.name}: ${outcome?.text}\n`);
  const end =
    failures.length === 0
      ? `\n${machines.length === 1 ? 'The machine' : `All ${machines.length} machines`} ended with exit status 0.\n`
      : `\n${failures.length} of ${machines.length} failed:\n${failures.join('')}`;
  return `${formatTable(titles, rows, leftColumns)}\n${end}`;
}

/** A stream that was kept: text, or base64 of what is no UTF-8. */
function streamFields(name: string, collected: Collected | undefined): Record<string, unknown> {
  if (collected === undefined) return {};
  const { bytes, dropped } = collected;
  const rest = dropped === 0 ? {} : { [`${name}Dropped`]: dropped };
  try {
    return { [name]: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), ...rest };
  } catch {
    const text = bytes.reduce((characters, byte) => characters + String.fromCharCode(byte), '');
    return { [`${name}Base64`]: btoa(text), ...rest };
  }
}

/** Seconds to the microsecond. */
const seconds = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1e6;

/** @param streams what was kept of a machine's standard output and error */
export function machinesJson(
  machines: readonly Machine<ReportedPlan>[],
  streams: (machine: Machine<ReportedPlan>) => readonly [Collected | undefined, Collected | undefined],
  now: number,
): string {
  const finite = (limit: number | undefined): number | null => limit ?? null;
  const described = machines.map((machine) => {
    const { plan, usage, outcome } = machine;
    const [stdout, stderr] = streams(machine);
    return {
      name: plan.name,
      program: plan.program,
      args: plan.args,
      isa: plan.isa,
      engine: plan.engine,
      share: plan.share,
      limits: {
        memory: finite(plan.memoryLimit),
        output: finite(plan.outputLimit),
        cpu: finite(plan.cpuLimit),
        wall: finite(plan.wallLimit),
      },
      outcome: outcome?.kind,
      message: outcome?.text,
      status: outcome?.status ?? null,
      signal: outcome?.signal ?? null,
      wall: seconds(wallTime(machine, now)),
      cpu: seconds(usage.cpu / 1e6),
      peakMemory: usage.peakMemory,
      systemCalls: usage.systemCalls,
      output: usage.output,
      ...streamFields('stdout', stdout),
      ...streamFields('stderr', stderr),
    };
  });
  const failed = described.filter(({ outcome }) => outcome !== 'success').length;
  return `${JSON.stringify({ failed, machines: described }, undefined, 2)}\n`;
}
