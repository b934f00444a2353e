/** The WebAssembly side of a thread's translated code: the table of functions, and the slots of cells in it. */

import type { Machine } from '../../../translators/frontend.ts';
import {
  hasFusedMultiplyAdd,
  type LinkEnvironment,
  link,
  type TableFunction,
  tableFunction,
} from '../../../translators/webassembly/link.ts';
import type { EmittedModule, Trap } from '../../../translators/webassembly/region.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { Cell } from './cells.ts';

/** Slots that the table grows by. */
const step = 1024;
/** Pairs of the slot cache in a state block's 4096 bytes. */
const cacheEntries = 512;

export interface LinkerHooks extends Pick<LinkEnvironment, 'functions'> {
  /** A helper as a function of its operands, in a machine. */
  helper(number: number, machine: Machine): (...values: number[]) => number;
  cell(pc: number): Cell;
  /** Runs a cell that has no translation: makes one, and calls it. */
  callUntranslated(cell: Cell, depth: number): number;
}

export class WebAssemblyLinker {
  readonly memoryPages: number;
  /** See EmitOptions.slotCache. */
  readonly slotCache: { readonly offset: number; readonly entries: number };
  readonly hasFusedMultiplyAdd: boolean;
  private readonly table = new WebAssembly.Table({ element: 'anyfunc', initial: step });
  private readonly slots = new Map<Cell, number>();
  private readonly cells: Cell[] = [];
  /** By the names of functions. */
  private readonly traps = new Map<string, readonly Trap[]>();
  private readonly stub: TableFunction;
  private readonly cache: Int32Array;
  private readonly hooks: LinkerHooks;
  private readonly environment: Omit<LinkEnvironment, 'helper'>;

  /** @param alignment distance of instructions in bytes */
  constructor(memory: GuestMemory, alignment: number, hooks: LinkerHooks) {
    this.hooks = hooks;
    this.memoryPages = memory.buffer.byteLength / 0x10000;
    this.hasFusedMultiplyAdd = hasFusedMultiplyAdd();
    const offset = memory.allocateStateBlock();
    this.slotCache = { offset, entries: cacheEntries };
    this.cache = new Int32Array(memory.buffer, offset, 2 * cacheEntries).fill(-1);
    this.stub = tableFunction(
      (depth, slot) => hooks.callUntranslated(this.cells[slot], depth),
      memory.memory,
      this.memoryPages,
    );
    const shift = Math.log2(alignment);
    this.environment = {
      memory: memory.memory,
      table: this.table,
      functions: {
        ...hooks.functions,
        G: (pc) => {
          const slot = this.slotOf(hooks.cell(pc));
          const at = ((pc >>> shift) & (cacheEntries - 1)) * 2;
          this.cache[at] = pc;
          this.cache[at + 1] = slot;
          return slot;
        },
      },
    };
  }

  /** A cell's place in the table. */
  slotOf(cell: Cell): number {
    let slot = this.slots.get(cell);
    if (slot === undefined) {
      slot = this.cells.length;
      this.cells.push(cell);
      this.slots.set(cell, slot);
      if (slot === this.table.length) this.table.grow(step);
      this.table.set(slot, this.stub);
    }
    return slot;
  }

  /** Makes a cell's translation, whose helpers run in `machine`, and puts it into the table. */
  link(cell: Cell, emitted: EmittedModule, machine: Machine): TableFunction {
    const made = link(emitted, { ...this.environment, helper: (number) => this.hooks.helper(number, machine) });
    this.table.set(this.slotOf(cell), made);
    this.traps.set(emitted.name, emitted.traps);
    return made;
  }

  /** A name that no other function of this thread has: a trap's place is found by it. */
  uniqueName(name: string): string {
    return this.traps.has(name) ? `${name}$${this.traps.size}` : name;
  }

  /** Where a WebAssembly function of this thread trapped; undefined for any other error. */
  trapOf(error: unknown): Trap | undefined {
    if (!(error instanceof WebAssembly.RuntimeError)) return undefined;
    const place = /at (\S+) \(wasm:[^)]*:0x([0-9a-f]+)\)/.exec(rawStack(error));
    if (place === null) return undefined;
    const offset = Number.parseInt(place[2], 16);
    return this.traps.get(place[1])?.find((trap) => trap.offset === offset);
  }

  /** Takes a cell's translation out of the table. */
  unlink(cell: Cell): void {
    const slot = this.slots.get(cell);
    if (slot !== undefined) this.table.set(slot, this.stub);
  }
}

/** An error's stack as V8 writes it, whatever is installed to write it otherwise. */
function rawStack(error: Error): string {
  const formatter: { prepareStackTrace?: unknown } = Error;
  const { prepareStackTrace } = formatter;
  formatter.prepareStackTrace = undefined;
  try {
    return error.stack ?? '';
  } finally {
    formatter.prepareStackTrace = prepareStackTrace;
  }
}
