/** A small guest for IR tests: registers of every type, helpers of every kind, four pages of memory. */
import type { Frontend, Helper, Machine } from '../../translators/frontend.ts';
import { exitCode } from '../../translators/ir/operations.ts';
import { defineRegisters, header, type RegisterRow, State, stateBlockSize } from '../../translators/ir/state.ts';
import { type MemoryView, pageCount, pageShift } from '../../translators/memory-view.ts';

const rows: RegisterRow[] = [];
for (let i = 0; i < 6; i++) rows.push({ name: `r${i}`, type: 'i32' });
for (const name of ['eq', 'lt']) rows.push({ name, type: 'i32', bit: true });
for (let i = 0; i < 4; i++) rows.push({ name: `f${i}`, type: 'f64' });
for (let i = 0; i < 4; i++) rows.push({ name: `d${i}`, type: 'i64' });

export const testRegisters = defineRegisters(rows);

/** Sets r0 to r0 + a, b times over, so that order and number of calls show. */
const accumulate: Helper = {
  name: 'accumulate',
  operands: ['i32', 'i32'],
  result: '',
  reads: ['r0'],
  writes: ['r0'],
  run: (state, _machine, a, b) => {
    const { index } = state.register('r0');
    state.i32[index] = Math.imul(state.i32[index], 3) + Math.imul(a, b);
    return 0;
  },
};

/** a + b * c in i32 arithmetic. */
const combine: Helper = {
  name: 'combine',
  operands: ['i32', 'i32', 'i32'],
  result: 'i32',
  reads: [],
  writes: [],
  run: (_state, _machine, a, b, c) => (a + Math.imul(b, c)) | 0,
};

/** Half of a double plus an integer; writes eq. */
const halve: Helper = {
  name: 'halve',
  operands: ['f64', 'i32'],
  result: 'f64',
  reads: [],
  writes: ['eq'],
  run: (state, _machine, a, b) => {
    state.i32[state.register('eq').index] = b & 1;
    return a / 2 + b;
  },
};

/** Traps with the detail a when a is odd, else counts r1 up; may touch every register. */
const trapWhenOdd: Helper = {
  name: 'trap_when_odd',
  operands: ['i32'],
  result: 'i32',
  reads: ['*'],
  writes: ['*'],
  mayExit: true,
  run: (state, _machine, a) => {
    if ((a & 1) !== 0) {
      state.i32[header.exit >> 2] = exitCode.trap;
      state.i32[header.detail >> 2] = a;
      return 0;
    }
    state.i32[state.register('r1').index]++;
    return a >> 1;
  },
};

export const testHelpers: readonly Helper[] = [accumulate, combine, halve, trapWhenOdd];

export const testNames = { registers: testRegisters, helpers: testHelpers };

export const testFrontend: Frontend = {
  name: 'test',
  byteOrder: 'big',
  addressBits: 32,
  registers: testRegisters,
  helpers: testHelpers,
  instructionAlignment: 4,
  floatingPointControl: { register: rows[0].name, mask: 0, inexact: 0 },
  lift: () => 4,
  disassemble: () => ({ text: '', length: 4 }),
};

/** Of the helpers here none looks at memory. */
const noMemory: MemoryView = {
  buffer: new ArrayBuffer(0),
  view: new DataView(new ArrayBuffer(0)),
  mirrored: false,
  origin: 0,
  permissions: new Uint8Array(0),
};

export const testMachine: Machine = {
  memory: noMemory,
  bytes: new Uint8Array(0),
  timeBase: () => ({ low: 0, high: 0 }),
  invalidateCode: () => {},
  loadByte: () => -1,
  storeByte: () => false,
  requireExactFloatingPoint: () => {},
  leaveDefaultFloatingPoint: () => {},
};

/** Guest addresses below this have host memory. */
const memorySize = 0x10000;

/** Pages of the test guest: 0x2000 and 0x3000 may be read and written, 0x4000 only read, 0x5000 only written. */
const pagePermissions: readonly (readonly [page: number, bits: number])[] = [
  [2, 3],
  [3, 3],
  [4, 1],
  [5, 2],
];

/** The guest addresses that have memory at all. */
export const memoryRange = { start: 0x2000, end: 0x6000 };

let permissions: Uint8Array | undefined;

/** Memory of the test guest, zero; the permission table, which never changes, is shared. */
export function makeMemory(mirrored = true): MemoryView {
  permissions ??= makePermissions();
  const buffer = new ArrayBuffer(memorySize);
  return { buffer, view: new DataView(buffer), mirrored, origin: mirrored ? memorySize : 0, permissions };
}

function makePermissions(): Uint8Array {
  const table = new Uint8Array(8 * pageCount);
  for (const [page, bits] of pagePermissions) table[page] = bits;
  for (let row = 1; row < 8; row++) {
    for (const [page] of pagePermissions) table[row * pageCount + page] = table[page] & table[page + 1];
  }
  return table;
}

/** Host offset of the byte at a guest address. */
export function byteOffset(memory: MemoryView, address: number): number {
  return memory.mirrored ? memory.origin - address - 1 : memory.origin + address;
}

/** Permission bits of the page that holds a guest address. */
export function permissionAt(address: number): number {
  const page = (address >>> 0) >>> pageShift;
  return pagePermissions.find(([number]) => number === page)?.[1] ?? 0;
}

export function makeState(): State {
  return new State(testRegisters, new ArrayBuffer(stateBlockSize), 0);
}
