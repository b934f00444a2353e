/** Translations that are inspected: their counters, and how they are shown. */
import type { RegionCounters } from '../../../translators/counters.ts';
import type { Fetch, Frontend } from '../../../translators/frontend.ts';
import { emitRegion, type EmitOptions as JavaScriptOptions } from '../../../translators/javascript/region.ts';
import type { RegionAnalysis } from '../../../translators/optimize/analyse.ts';
import type { Region } from '../../../translators/optimize/discover.ts';
import type { HelperRegisters } from '../../../translators/optimize/registers-flow.ts';
import type { Trap } from '../../../translators/webassembly/emitted-module.ts';
import {
  accessTraps,
  emitModule,
  type EmitOptions as WebAssemblyOptions,
} from '../../../translators/webassembly/region.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { InspectedTranslation, Inspector } from '../inspection.ts';
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

  /** Zeroed counters for a region; undefined when there is no room. @param blocks how many the region has */
  allocate(blocks: number): RegionCounters | undefined {
    const left = (this.end - this.next + (blockLimit - this.blocks) * blockSize) >> 3;
    if (1 + 2 * blocks > left) return undefined;
    const entries = this.counter();
    const counters = Array.from({ length: blocks }, () => ({
      executions: this.counter(),
      instructions: this.counter(),
    }));
    return { entries, blocks: counters };
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

/** Shows the translations of one thread to an inspector. */
export class Inspected {
  /** What JavaScript translations find in their environment besides. */
  readonly names = ['counts'];
  readonly values: readonly unknown[];
  private readonly inspector: Inspector;
  private readonly memory: GuestMemory;
  private readonly room: CounterRoom;
  private readonly frontend: Frontend;
  private readonly helpers: readonly HelperRegisters[];
  private readonly fetch: Fetch;

  /** @param frontend the one that translations are made with */
  constructor(
    inspector: Inspector,
    memory: GuestMemory,
    frontend: Frontend,
    helpers: readonly HelperRegisters[],
    fetch: Fetch,
  ) {
    this.inspector = inspector;
    this.memory = memory;
    this.room = new CounterRoom(memory);
    this.frontend = frontend;
    this.helpers = helpers;
    this.fetch = fetch;
    this.values = [new Float64Array(memory.buffer, 0, memory.buffer.byteLength >> 3)];
  }

  counters(region: Region): RegionCounters | undefined {
    return this.room.allocate(region.blocks.length);
  }

  /** What a block executed before it trapped. */
  countTrap({ counter, executed }: Trap): void {
    if (counter === undefined) return;
    const { view } = this.memory;
    view.setFloat64(counter, view.getFloat64(counter, true) + executed, true);
  }

  showJavaScript(found: Found, options: JavaScriptOptions, cost: TranslationCost): void {
    const { frontend, helpers } = this;
    const { region, analysis } = found;
    const plain = { ...options, counters: undefined, countInstructions: false, indirectTargets: targetsNow(found) };
    this.show(found, options, cost, undefined, () => ({
      kind: 'javascript',
      emitted: emitRegion(region, analysis, frontend, helpers, plain),
    }));
  }

  showWebAssembly(found: Found, options: WebAssemblyOptions, cost: TranslationCost): void {
    const { frontend, helpers } = this;
    const { region, analysis } = found;
    const plain = {
      ...options,
      counters: undefined,
      countInstructions: false,
      indirectTargets: targetsNow(found),
      notesOrigins: true,
    };
    const traps = options.accessesTrap ? accessTraps(region.unit, options.layout) : undefined;
    this.show(found, options, cost, traps, () => ({
      kind: 'webassembly',
      emitted: emitModule(region, analysis, frontend, helpers, plain),
    }));
  }

  private show(
    { region, analysis }: Found,
    { name, preciseFaults, counters }: JavaScriptOptions | WebAssemblyOptions,
    cost: TranslationCost,
    traps: InspectedTranslation['traps'],
    emit: InspectedTranslation['emit'],
  ): void {
    const { frontend, helpers, fetch } = this;
    this.inspector.translated(
      { cost, name, region, analysis, frontend, helpers, preciseFaults, traps, counters, emit },
      fetch,
    );
  }
}

/** The targets of a region's indirect jumps that are known now. */
function targetsNow({ region, indirectTargets }: Found): (pc: number) => readonly number[] {
  const { unit, blocks } = region;
  const sites = blocks.map(({ end }) => unit.pc[end - 1] >>> 0);
  const known = new Map(sites.map((site) => [site, indirectTargets(site).slice()]));
  return (pc) => known.get(pc >>> 0) ?? [];
}
