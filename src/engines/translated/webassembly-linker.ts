/** The WebAssembly side of a thread's translated code: the table of functions, and the slots of cells in it. */

import type { Machine } from '../../../translators/frontend.ts';
import type { Trap } from '../../../translators/webassembly/emitted-module.ts';
import {
  hasFusedMultiplyAdd,
  type Linkable,
  type LinkEnvironment,
  link,
  makeTable,
  type TableFunction,
} from '../../../translators/webassembly/link.ts';
import type { GuestMemory } from '../../memory/guest-memory.ts';
import type { Cell } from './cells.ts';

/** The slot of cells for which there is none: what stands there lets the engine go on. */
const noSlot = 0;
/** Pairs of the slot cache in a state block's 4096 bytes. */
const cacheEntries = 512;

export interface LinkerHooks extends Pick<LinkEnvironment, 'functions' | 'compile'> {
  /** A helper as a function of its operands, in a machine. */
  helper(number: number, machine: Machine): (...values: number[]) => number;
  cell(pc: number): Cell;
  /** What a cell without a translation does when it is called or jumped to. */
  enterUntranslated(cell: Cell, depth: number): number;
}

export class WebAssemblyLinker {
  readonly memoryPages: number;
  /** See EmitOptions.slotCache. */
  readonly slotCache: { readonly offset: number; readonly entries: number };
  readonly hasFusedMultiplyAdd: boolean;
  readonly tableEntries: number;
  private readonly table: WebAssembly.Table;
  private readonly slots = new Map<Cell, number>();
  /** By slot. */
  private readonly cells: (Cell | undefined)[] = [undefined];
  /** By the names of functions. */
  private readonly traps = new Map<string, readonly Trap[]>();
  private readonly stub: TableFunction;
  /** The guest address of the cell that was found to have no slot last. */
  private withoutSlot = 0;
  private readonly cache: Int32Array;
  private readonly hooks: LinkerHooks;
  private readonly environment: Omit<LinkEnvironment, 'helper'>;

  /**
   * @param alignment distance of instructions in bytes
   * @param tableEntries slots of the table, which cannot grow: addresses beyond are left to the engine
   */
  constructor(memory: GuestMemory, alignment: number, tableEntries: number, hooks: LinkerHooks) {
    this.hooks = hooks;
    this.tableEntries = tableEntries;
    this.memoryPages = memory.buffer.byteLength / 0x10000;
    this.hasFusedMultiplyAdd = hasFusedMultiplyAdd();
    const offset = memory.allocateStateBlock();
    this.slotCache = { offset, entries: cacheEntries };
    this.cache = new Int32Array(memory.buffer, offset, 2 * cacheEntries).fill(0);
    // Empty: every entry has an address that belongs to another one.
    this.cache[0] = alignment;
    const call = (depth: number, slot: number): number => {
      const cell = this.cells[slot];
      return cell === undefined ? this.withoutSlot : hooks.enterUntranslated(cell, depth);
    };
    const { table, stub } = makeTable(tableEntries, call, memory.memory, this.memoryPages);
    this.table = table;
    this.stub = stub;
    const shift = Math.log2(alignment);
    this.environment = {
      compile: hooks.compile,
      memory: memory.memory,
      table: this.table,
      functions: {
        ...hooks.functions,
        G: (pc) => {
          const slot = this.slotOf(hooks.cell(pc));
          if (slot === noSlot) return slot;
          const at = ((pc >>> shift) & (cacheEntries - 1)) * 2;
          this.cache[at] = pc;
          this.cache[at + 1] = slot;
          return slot;
        },
      },
    };
  }

  /** A cell's place in the table; `noSlot` when the table is full. */
  slotOf(cell: Cell): number {
    let slot = this.slots.get(cell);
    if (slot === undefined) {
      slot = this.cells.length;
      if (slot === this.tableEntries) {
        this.withoutSlot = cell.pc;
        return noSlot;
      }
      this.cells.push(cell);
      this.slots.set(cell, slot);
    }
    return slot;
  }

  /** The guest addresses that have places in the table, in the order of these. */
  slotAddresses(): number[] {
    return Array.from(this.slots.keys(), ({ pc }) => pc);
  }

  /** Makes a cell's translation, whose helpers run in `machine`, and puts it into the table. */
  link(cell: Cell, emitted: Linkable, machine: Machine): TableFunction {
    const made = link(emitted, { ...this.environment, helper: (number) => this.hooks.helper(number, machine) });
    const slot = this.slotOf(cell);
    if (slot !== noSlot) this.table.set(slot, made);
    this.traps.set(emitted.name, emitted.traps);
    return made;
  }

  /** A name that no other function of this thread has: a trap's place is found by it. */
  uniqueName(name: string): string {
    let unique = name;
    for (let number = this.traps.size; this.traps.has(unique); number++) unique = `${name}$${number}`;
    return unique;
  }

  /** Whether no other function of this thread has the name of a module's. */
  isNameFree({ name, traps }: Linkable): boolean {
    const known = this.traps.get(name);
    return known === undefined || known === traps;
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
