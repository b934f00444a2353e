/** WebAssembly functions that access a memory without any check: what a translation does where the host checks. */
import type { AddressSpace } from '../../src/memory/address-space.ts';

/** Accesses at guest addresses. Each throws WebAssembly.RuntimeError where the host does not allow it. */
export interface Accessors {
  load(address: number, size: 1 | 4 | 8): bigint;
  store(address: number, size: 1 | 4 | 8, value: bigint): void;
}

const i32 = 0x7f;
const i64 = 0x7e;
/** Type, alignment as a power of two, load and store instruction for each size. */
const instructions = {
  1: [i64, 0, 0x31, 0x3c],
  4: [i64, 0, 0x35, 0x3e],
  8: [i64, 0, 0x29, 0x37],
} as const;
const sizes = [1, 4, 8] as const;

function number(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function vector(items: readonly (readonly number[])[]): number[] {
  return [...number(items.length), ...items.flat()];
}

function withLength(bytes: readonly number[]): number[] {
  return [...number(bytes.length), ...bytes];
}

const name = (text: string): number[] => withLength([...Buffer.from(text)]);
const section = (id: number, bytes: readonly number[]): number[] => [id, ...withLength(bytes)];

function moduleBytes(pages: number): Uint8Array<ArrayBuffer> {
  const bodies = sizes.flatMap((size) => {
    const [, align, load, store] = instructions[size];
    return [withLength([0, 0x20, 0, load, align, 0, 0x0b]), withLength([0, 0x20, 0, 0x20, 1, store, align, 0, 0x0b])];
  });
  const names = sizes.flatMap((size) => [name(`load${size}`), name(`store${size}`)]);
  return new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      vector([
        [0x60, 1, i32, 1, i64],
        [0x60, 2, i32, i64, 0],
      ]),
    ),
    ...section(2, vector([[...name('host'), ...name('memory'), 2, 3, ...number(pages), ...number(pages)]])),
    ...section(3, vector(bodies.map((_, index) => [index % 2]))),
    ...section(7, vector(names.map((text, index) => [...text, 0, index]))),
    ...section(10, vector(bodies)),
  ]);
}

export function accessors(memory: AddressSpace): Accessors {
  const module = new WebAssembly.Module(moduleBytes(memory.buffer.byteLength / 0x10000));
  const { exports } = new WebAssembly.Instance(module, { host: { memory: memory.memory } });
  const functions = exports as Readonly<Record<string, (offset: number, value?: bigint) => bigint>>;
  const offset = (address: number, size: number): number =>
    memory.mirrored ? memory.origin - address - size : memory.origin + address;
  return {
    load: (address, size) => BigInt.asUintN(64, functions[`load${size}`](offset(address, size))),
    store: (address, size, value) => {
      functions[`store${size}`](offset(address, size), value);
    },
  };
}
