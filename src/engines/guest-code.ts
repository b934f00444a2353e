/** What every engine that reads guest code shares: fetching instructions, and the machine that helpers see. */
import type { Fetch, Frontend, Machine } from '../../translators/frontend.ts';
import { Builder } from '../../translators/ir/builder.ts';
import type { PreparationObserver } from '../../translators/ir/interpreter.ts';
import { Unit } from '../../translators/ir/unit.ts';
import { type MemoryView, pageShift, permission } from '../../translators/memory-view.ts';
import { liftBlock } from '../../translators/optimize/lift-block.ts';
import type { GuestMemory } from '../memory/guest-memory.ts';
import type { EngineHost } from './engine.ts';
import type { EngineStatistics, TierCost } from './statistics.ts';

/** Reads code where the guest may execute. @param watches a store there is stopped from then on, where code is coherent */
export function codeFetcher(memory: GuestMemory, watches = true): Fetch {
  const { permissions, view, mirrored, origin } = memory;
  return (address, length) => {
    const pages = permissions[address >>> pageShift] & permissions[((address + length - 1) >>> 0) >>> pageShift];
    if ((pages & permission.execute) === 0) return undefined;
    if (watches && (pages & permission.write) !== 0) memory.watchCode(address, length);
    const offset = mirrored ? origin - address - length : origin + address;
    if (length === 4) return view.getUint32(offset, true);
    return length === 2 ? view.getUint16(offset, true) : view.getUint8(offset);
  };
}

/** The longest block, in guest instructions. */
export const blockLimit = 64;

/** Lifts single blocks for an interpreter, with everything exact. */
export class BlockLifter {
  /** Blocks whose lifting read code that is not theirs. */
  readonly readsElsewhere = new Set<number>();
  private readonly frontend: Frontend;
  private readonly fetch: Fetch;
  private readonly limit: number;
  // The guest range that was read for a block.
  private low = 0;
  private high = 0;
  private readonly unit = new Unit(4096);
  private readonly builder: Builder;
  private readonly cost: TierCost;
  private readonly host: EngineHost;
  private readonly onBlock: ((unit: Unit) => void) | undefined;

  constructor(
    frontend: Frontend,
    fetch: Fetch,
    host: EngineHost,
    statistics: EngineStatistics,
    onBlock: ((unit: Unit) => void) | undefined,
    limit = blockLimit,
  ) {
    this.frontend = frontend;
    this.limit = limit;
    this.fetch = (address, length) => {
      if (address < this.low) this.low = address;
      if (address + length > this.high) this.high = address + length;
      return fetch(address, length);
    };
    this.builder = frontend.makeBuilder?.(this.unit) ?? new Builder(frontend.registers, this.unit);
    this.cost = statistics.tiers.interpreter;
    this.host = host;
    this.onBlock = onBlock;
  }

  /** The block at a guest address, as the first of a unit that is valid until the next call. */
  lift(pc: number): Unit {
    const { frontend, builder, fetch, host, cost } = this;
    const start = host.now?.() ?? 0;
    this.unit.clear();
    this.low = pc;
    this.high = pc;
    cost.instructions += liftBlock(frontend, builder, fetch, pc, this.limit, exact, isNeverStart);
    if (this.low < pc || this.high > this.unit.blocks[0].endPc) this.readsElsewhere.add(pc);
    cost.count++;
    if (host.now !== undefined) cost.liftTime += host.now() - start;
    if (host.log !== undefined) this.onBlock?.(this.unit);
    return this.unit;
  }

  /** Counts what an interpreter makes of these blocks; undefined where costs are not measured. */
  preparationObserver(): PreparationObserver | undefined {
    const { cost, host } = this;
    const { now } = host;
    if (now === undefined) return undefined;
    return {
      now,
      prepared: (milliseconds, words) => {
        cost.emitTime += milliseconds;
        cost.size += 4 * words;
      },
    };
  }
}

const exact = { exactFloatingPoint: true };
const isNeverStart = () => false;

/** What an engine does itself of the machine that helpers see. */
export interface MachineHooks {
  invalidateCode(address: number, length: number): void;
  requireExactFloatingPoint(): void;
  leaveDefaultFloatingPoint(): void;
}

/** What helpers access of a guest's memory: mostly all of it, as it is. */
export interface GuestAccess extends MemoryView, Pick<GuestMemory, 'readU8' | 'writeU8'> {
  /** All of the buffer, for moves of runs of bytes; absent: a plain view. */
  readonly runs?: Uint8Array;
}

export function createMachine(memory: GuestAccess, host: EngineHost, hooks: MachineHooks): Machine {
  const allowed = (address: number, access: number): boolean =>
    (memory.permissions[address >>> pageShift] & access) !== 0;
  return {
    memory,
    bytes: memory.runs ?? new Uint8Array(memory.buffer),
    timeBase: () => host.timeBase(),
    invalidateCode: (address, length) => hooks.invalidateCode(address, length),
    requireExactFloatingPoint: () => hooks.requireExactFloatingPoint(),
    leaveDefaultFloatingPoint: () => hooks.leaveDefaultFloatingPoint(),
    keepsRunning: () => host.keepsRunning?.(),
    isOwnWork: () => host.isOwnWork?.(),
    loadByte: (address) => (allowed(address, permission.read) ? memory.readU8(address >>> 0) : -1),
    storeByte: (address, value) => {
      if (!allowed(address, permission.write)) return false;
      memory.writeU8(address >>> 0, value);
      return true;
    },
  };
}
