/** Where generated programs find things, and which registers have a purpose in them. */

export const codeAddress = 0x10000000;
/** Bytes that the code may take. */
export const codeSize = 0x8000;

/** Two writable pages, a read-only one, one that is not mapped, a writable one. */
export const dataAddress = 0x20000000;
export const readOnlyAddress = 0x20002000;
export const absentAddress = 0x20003000;
export const lastDataAddress = 0x20004000;
export const dataEnd = 0x20005000;

/** Tables of code addresses, which programs only read. */
export const tableAddress = 0x28000000;
export const tableSize = 0x1000;

export const stackAddress = 0x30000000;
export const stackSize = 0x20000;
/** What r1 holds at the start of a round. */
export const stackStart = stackAddress + stackSize - 0x100;

/** Registers that generated code computes with. */
export const general = [0, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 25, 26, 27, 28, 29, 30, 31] as const;
/** Floating-point registers that it computes with: f0 up to this many. */
export const floatingCount = 10;

export const register = {
  stack: 1,
  /** Counts down with every function and every backward branch; the round ends below zero. */
  fuel: 14,
  /** Bases of accesses: within data, and around the ends of pages of different kinds. */
  middle: 15,
  writablePages: 16,
  readOnlyPage: 17,
  absentPage: 18,
  afterAbsent: 19,
  code: 20,
  /** A small number, for indexed accesses. */
  index: 21,
  /** Base of update forms: set before each. */
  updated: 22,
  /** Zero, and the last addresses of memory. */
  zero: 23,
  top: 24,
} as const;

/** Values of the registers that have a purpose, but the index. */
export const bases: readonly (readonly [register: number, value: number])[] = [
  [register.middle, dataAddress + 0x800],
  [register.writablePages, dataAddress + 0x1000],
  [register.readOnlyPage, readOnlyAddress],
  [register.absentPage, absentAddress],
  [register.afterAbsent, lastDataAddress],
  [register.code, codeAddress + 0x40],
  [register.zero, 0],
  [register.top, 0xfffffff8],
];
