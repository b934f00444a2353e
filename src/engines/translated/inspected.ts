/** Translations that are inspected: their counters, and how they are shown. */
import type { RegionCounters } from '../../../translators/counters.ts';
import type { Fetch, Frontend } from '../../../translators/frontend.ts';
import { header, type State } from '../../../translators/ir/state.ts';
import { emitRegion, type EmitOptions as JavaScriptOptions } from '../../../translators/javascript/region.ts';
import type { RegionAnalysis } from '../../../translators/optimize/analyse.ts';
import type { Region } from '../../../translators/optimize/discover.ts';
import type { HelperRegisters } from '../../../translators/optimize/registers-flow.ts';
import type { EmitOptions as WebAssemblyOptions } from '../../../translators/webassembly/emit-options.ts';
import type { Trap } from '../../../translators/webassembly/emitted-module.ts';
import { accessTraps } from '../../../translators/webassembly/memory.ts';
import { emitModule } from '../../../translators/webassembly/region.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { InspectedTranslation, Inspector, Retirement } from '../inspection.ts';
import type { TranslationCost } from '../statistics.ts';

/** State blocks that counters may take; the others are left to threads. Together they hold 786 432 counters. */
const blockLimit = 1536;
const blockSize = 4096;

/** Gives out counters in the memory that translations run on. */
class CounterRoom {
  private readonly memory: GuestMemory;
  private blocks = 0;
  private next = 0;
  private end = 0;

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  /** Zeroed counters for a region; undefined when there is no room. */
  allocate({ successors }: Region): RegionCounters | undefined {
    const targets = successors.map((blocks) => [...new Set(blocks)]);
    const wanted = targets.reduce((sum, { length }) => sum + 2 + length, 1);
    const left = (this.end - this.next + (blockLimit - this.blocks) * blockSize) >> 3;
    if (wanted > left) return undefined;
    const entries = this.counter();
    const blocks = targets.map((reached) => ({
      executions: this.counter(),
      instructions: this.counter(),
      edges: new Map(reached.map((target) => [target, this.counter()])),
    }));
    return { entries, blocks };
  }

  private counter(): number {
    if (this.next === this.end) {
      this.next = this.memory.allocateStateBlock();
      this.end = this.next + blockSize;
      this.blocks++;
    }
    const counter = this.next;
    this.next += 8;
    return counter;
  }
}

/** What was found out about a region before its translation was made. */
interface Found {
  readonly region: Region;
  readonly analysis: RegionAnalysis;
  indirectTargets(pc: number): readonly number[];
}

/** What Inspected asks of the thread's code. */
export interface InspectedParts {
  readonly inspector: Inspector;
  readonly memory: GuestMemory;
  readonly state: State;
  /** The one that translations are made with. */
  readonly frontend: Frontend;
  readonly helpers: readonly HelperRegisters[];
  readonly fetch: Fetch;
  readonly now: () => number;
}

/** Shows the translations of one thread to an inspector. */
export class Inspected {
  /** What JavaScript translations find in their environment besides. */
  readonly names = ['counts'];
  readonly values: readonly unknown[];
  private readonly parts: InspectedParts;
  private readonly room: CounterRoom;
  /** Those in use, by the guest addresses of their entries. */
  private readonly inUse = new Map<number, InspectedTranslation>();

  constructor(parts: InspectedParts) {
    const { memory } = parts;
    this.parts = parts;
    this.room = new CounterRoom(memory);
    this.values = [new Float64Array(memory.buffer, 0, memory.buffer.byteLength >> 3)];
  }

  counters(region: Region): RegionCounters | undefined {
    return this.room.allocate(region);
  }

  /** What a block executed before it trapped. */
  countTrap({ counter, executed }: Trap): void {
    if (counter === undefined) return;
    const { view } = this.parts.memory;
    view.setFloat64(counter, view.getFloat64(counter, true) + executed, true);
  }

  showJavaScript(found: Found, options: JavaScriptOptions, cost: TranslationCost, script: string): void {
    const { frontend, helpers } = this.parts;
    const { region, analysis } = found;
    const plain = { ...options, counters: undefined, countInstructions: false, indirectTargets: targetsNow(found) };
    this.show(found, options, cost, script, undefined, () => ({
      kind: 'javascript',
      emitted: emitRegion(region, analysis, frontend, helpers, plain),
    }));
  }

  showWebAssembly(found: Found, options: WebAssemblyOptions, cost: TranslationCost): void {
    const { frontend, helpers } = this.parts;
    const { region, analysis } = found;
    const plain = {
      ...options,
      counters: undefined,
      countInstructions: false,
      indirectTargets: targetsNow(found),
      notesOrigins: true,
    };
    const traps = options.accessesTrap ? accessTraps(region.unit, options.layout) : undefined;
    this.show(found, options, cost, '', traps, () => ({
      kind: 'webassembly',
      emitted: emitModule(region, analysis, frontend, helpers, plain),
    }));
  }

  private show(
    { region, analysis }: Found,
    { name, preciseFaults, counters }: JavaScriptOptions | WebAssemblyOptions,
    cost: TranslationCost,
    script: string,
    traps: InspectedTranslation['traps'],
    emit: InspectedTranslation['emit'],
  ): void {
    const { frontend, helpers, fetch, inspector } = this.parts;
    const translation = {
      cost,
      name,
      script,
      region,
      analysis,
      frontend,
      helpers,
      preciseFaults,
      traps,
      counters,
      emit,
    };
    this.inUse.set(cost.address, translation);
    inspector.translated(translation, fetch);
    this.tellProgress();
  }

  /** The translation that a guest address begins was taken out of use. */
  retire(pc: number, why: Retirement): void {
    const translation = this.inUse.get(pc);
    if (translation === undefined) return;
    this.inUse.delete(pc);
    this.parts.inspector.retired(translation, this.parts.now(), why);
  }

  tellProgress(): void {
    const { inspector, memory, state, now } = this.parts;
    inspector.progress({
      at: now(),
      executed: state.f64[header.instructions >> 3],
      count: (offset) => memory.view.getFloat64(offset, true),
    });
  }
}

/** The targets of a region's indirect jumps that are known now. */
function targetsNow({ region, indirectTargets }: Found): (pc: number) => readonly number[] {
  const { unit, blocks } = region;
  const sites = blocks.map(({ end }) => unit.pc[end - 1] >>> 0);
  const known = new Map(sites.map((site) => [site, indirectTargets(site).slice()]));
  return (pc) => known.get(pc >>> 0) ?? [];
}
