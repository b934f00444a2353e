import { describe, expect, test } from 'vitest';
import { auxiliary as a } from '../../src/linux/abi/auxiliary.ts';
import { resource } from '../../src/linux/limits.ts';
import { growStack } from '../../src/linux/memory.ts';
import { createProcess, programAddress, programSize, type TestProcess } from './process-guest.ts';

function text({ memory }: TestProcess, address: number): string {
  return new TextDecoder().decode(memory.readString(address));
}

/** Reads the words at the stack pointer as the C library's start does. */
function readStack(guest: TestProcess) {
  const { memory, state } = guest;
  let address = state.get('r1') >>> 0;
  const next = (): number => {
    const word = memory.readU32(address);
    address += 4;
    return word;
  };
  const strings = (): string[] => {
    const list: string[] = [];
    for (let word = next(); word !== 0; word = next()) list.push(text(guest, word));
    return list;
  };
  const count = next();
  const argv = strings();
  const environment = strings();
  const vector: [number, number][] = [];
  for (;;) {
    const entry: [number, number] = [next(), next()];
    vector.push(entry);
    if (entry[0] === a.AT_NULL) break;
  }
  return { count, argv, environment, vector, end: address };
}

describe('the stack at the first instruction', () => {
  const guest = createProcess({ arguments: ['name', 'one', '', 'trëe'], environment: ['A=1', 'EMPTY='] });
  const stack = readStack(guest);
  const value = (type: number) => stack.vector.find(([each]) => each === type)?.[1] ?? -1;

  test('arguments and environment, in order', () => {
    expect(stack.count).toBe(4);
    expect(stack.argv).toEqual(['name', 'one', '', 'trëe']);
    expect(stack.environment).toEqual(['A=1', 'EMPTY=']);
  });
  test('the auxiliary vector, in the order of the kernel', () => {
    // biome-ignore format: in groups, as the kernel makes them
    expect(stack.vector.map(([type]) => type)).toEqual([
      22, 22, 19, 20, 21,
      16, 6, 17, 3, 4, 5, 7, 8, 9, 11, 12, 13, 14, 23, 25, 26, 31, 15, 24, 0,
    ]);
    expect(value(a.AT_PAGESZ)).toBe(4096);
    expect(value(a.AT_PHDR)).toBe(programAddress + 52);
    expect([value(a.AT_PHENT), value(a.AT_PHNUM)]).toEqual([32, 4]);
    expect(value(a.AT_ENTRY)).toBe(programAddress + 0x100);
    expect([a.AT_UID, a.AT_EUID, a.AT_GID, a.AT_EGID, a.AT_SECURE].map(value)).toEqual([1000, 1000, 100, 100, 0]);
    expect([value(a.AT_DCACHEBSIZE), value(a.AT_ICACHEBSIZE)]).toEqual([32, 32]);
    expect([value(a.AT_HWCAP), value(a.AT_HWCAP2), value(a.AT_CLKTCK)]).toEqual([0x8c000000, 0, 100]);
    expect(text(guest, value(a.AT_EXECFN))).toBe('/bin/program');
    expect(text(guest, value(a.AT_PLATFORM))).toBe('ppc750');
    expect([...guest.memory.readBytes(value(a.AT_RANDOM), 16)]).toEqual(new Array(16).fill(0x5a));
  });
  test('the stack pointer is aligned, the vectors end below the strings, the last word is zero', () => {
    const pointer = guest.state.get('r1') >>> 0;
    expect(pointer % 16).toBe(0);
    expect(stack.end).toBeLessThanOrEqual(value(a.AT_RANDOM));
    expect(guest.memory.readU32(guest.memory.limit - 4)).toBe(0);
    // The path is the highest string, as on Linux.
    expect(value(a.AT_EXECFN)).toBe(guest.memory.limit - 4 - '/bin/program\0'.length);
  });
});

describe('the process at the first instruction', () => {
  test('registers are zero but for the stack pointer', () => {
    const { state } = createProcess();
    expect(state.pc).toBe(programAddress + 0x100);
    expect([0, 2, 3, 4, 5, 13, 31].map((i) => state.get(`r${i}`))).toEqual(new Array(7).fill(0));
    expect([state.get('lr'), state.get('ctr'), state.get('fpscr'), state.get('f31')]).toEqual([0, 0, 0, 0]);
  });
  test('the heap begins behind the program, the stack is as large as its limit, nothing is mapped close below', () => {
    const { memory, process } = createProcess({ stackLimit: 0x20000 });
    expect(process.heap).toEqual({ start: programAddress + programSize, end: programAddress + programSize });
    const stack = memory.find(memory.limit - 1);
    expect(stack).toMatchObject({ start: memory.limit - 0x20000, protection: 3, growsDown: true, name: '[stack]' });
    expect(process.stackGrows).toBe(false);
    expect(process.mappingCeiling).toBe(memory.limit - 0x8000000 - 0x100000);
    expect(memory.find(process.signalTrampoline)).toMatchObject({ protection: 5, name: '[sigtramp]' });
  });
  test('under a memory limit the stack begins with what its contents take and 128 KiB, and grows as far as the limit allows', () => {
    const memoryLimit = 1 << 20;
    const { memory, process } = createProcess({ memoryLimit, arguments: ['program', 'x'.repeat(50_000)] });
    const { start } = memory.find(memory.limit - 1)!;
    expect(memory.limit - start).toBeGreaterThan((128 << 10) + 50_000);
    expect(memory.limit - start).toBeLessThan((128 << 10) + 60_000);
    expect(process.stackGrows).toBe(true);
    expect(process.mappingCeiling).toBe(memory.limit - 0x8000000 - 0x100000);
    const left = memoryLimit - memory.mappedBytes;
    expect(growStack(process, start - left)).toBe(true);
    expect(memory.mappedBytes).toBe(memoryLimit);
    expect(process.limits.reached.size).toBe(0);
    expect(growStack(process, start - left - 1)).toBe(false);
    expect([...process.limits.reached]).toEqual([resource.AS]);
    expect(memory.mostMappedBytes).toBe(memoryLimit);
    memory.unmap(start, 4096);
    expect([memory.mappedBytes, memory.mostMappedBytes]).toEqual([memoryLimit - 4096, memoryLimit]);
  });
  test('a stack with a limit of more than 64 MiB grows', () => {
    const { memory, process } = createProcess({ stackLimit: 80 << 20 });
    expect(memory.find(memory.limit - 1)?.start).toBe(memory.limit - (64 << 20));
    expect(process.stackGrows).toBe(true);
  });
  test('its name is the file’s', () => {
    expect(new TextDecoder().decode(createProcess().process.name)).toBe('program');
  });
});
