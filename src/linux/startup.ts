/**
 * What the kernel does between loading a program and its first instruction: stack with arguments,
 * environment and auxiliary vector (fs/binfmt_elf.c), heap, registers. What differs between architectures is in
 * their ABIs.
 */
import type { State } from '../../translators/ir/state.ts';
import { pageSize } from '../../translators/memory-view.ts';
import type { LoadedProgram } from '../elf/load-elf.ts';
import { protection } from '../memory/guest-memory.ts';
import { auxiliary } from './abi/auxiliary.ts';
import { clockTicks } from './clocks.ts';
import { resource } from './limits.ts';
import type { Process } from './process.ts';
import { Thread } from './thread.ts';

export interface StartupOptions {
  readonly program: LoadedProgram;
  /** argv; the first is argv[0]. Bytes without the terminating zero. */
  readonly arguments: readonly Uint8Array[];
  /** `NAME=value`. */
  readonly environment: readonly Uint8Array[];
  /** The path that the program was started by (AT_EXECFN). */
  readonly path: Uint8Array;
}

/** Linux keeps mappings this far from the end of the stack, so that it can grow to its limit, and to a higher one that is set later (mmap_base). */
const stackGuard = 256 * pageSize;
const leastStackGap = 128 << 20;
/** A stack without a limit gets as much as this at the start. */
const largestStack = 64 << 20;
/** What execve(2) gives it besides the arguments (stack_expand of setup_arg_pages, fs/exec.c), and a page for what else lies there. */
const firstStack = (128 << 10) + pageSize;
/** An argument takes a zero, and a pointer of at most this size. */
const largestWord = 9;

/** A first thread, ready to run the program, in a process whose memory holds the program. */
export function startThread(process: Process, state: State, options: StartupOptions): Thread {
  const thread = new Thread(process.id, state, process);
  process.threads.push(thread);
  prepareHeap(process, options.program.breakStart);
  const top = mapStack(process, options);
  mapTrampoline(process);
  process.name = commandName(options.path);
  const stackPointer = fillStack(process, top, options);
  const { path, arguments: args, environment } = options;
  const { id: processId, memory } = process;
  process.files.proc.program = {
    path,
    arguments: args,
    environment,
    processId,
    memory,
    stackPointer,
    name: () => process.name,
  };
  state.i32.fill(0);
  process.files.abi.start.setRegisters(state, stackPointer);
  state.pc = options.program.entry;
  return thread;
}

function prepareHeap(process: Process, end: number): void {
  const start = Math.ceil(end / pageSize) * pageSize;
  process.heap = { start, end: start };
}

/** @returns the address past the stack's highest */
function mapStack(process: Process, { program, arguments: args, environment }: StartupOptions): number {
  const { memory, limits } = process;
  const size = Math.min(limits.soft(resource.STACK), largestStack) & -pageSize;
  // Where what is mapped counts, the stack grows as it is used, as on Linux.
  const strings = [...args, ...environment].reduce((bytes, { length }) => bytes + length + largestWord, 0);
  const isCounted = limits.soft(resource.AS) !== Number.POSITIVE_INFINITY;
  const first = isCounted ? Math.min(size, (firstStack + strings) & -pageSize) : size;
  const top = memory.limit;
  const bits = protection.read | protection.write | (program.stackExecutable ? protection.execute : 0);
  memory.map(top - first, first, bits, { growsDown: true, name: '[stack]' });
  process.stackGrows = limits.soft(resource.STACK) > first;
  process.mappingCeiling = top - Math.max(size, leastStackGap) - stackGuard;
  return top;
}

function mapTrampoline(process: Process): void {
  const { memory } = process;
  const place = memory.findFree(pageSize, process.mappingCeiling);
  if (place === undefined) throw new RangeError('the address space has no room for the signal trampoline');
  memory.map(place, pageSize, protection.read | protection.execute, { name: '[sigtramp]' });
  memory.poke(place, process.signalAbi.trampoline);
  process.signalTrampoline = place;
}

/** The name that a process has until it gives itself another: the file's, at most 15 bytes. */
function commandName(path: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = path.lastIndexOf(0x2f) + 1;
  return path.slice(start, start + 15);
}

/** Lays out strings, vectors and auxiliary vector. @returns the stack pointer */
function fillStack(process: Process, top: number, options: StartupOptions): number {
  const { memory, system } = process;
  const { start, model } = process.files.abi;
  const { wordSize } = model;
  // The last word of the stack stays zero.
  let address = top - wordSize;
  const place = (bytes: Uint8Array): number => {
    address -= bytes.length;
    memory.poke(address, bytes);
    return address;
  };
  const placeString = (text: Uint8Array): number => {
    address -= 1;
    return place(text);
  };
  const path = placeString(options.path);
  // In memory the strings follow each other as they do in the vectors.
  const environment = options.environment.toReversed().map(placeString).reverse();
  const argv = options.arguments.toReversed().map(placeString).reverse();
  address &= -16;
  const platformName = placeString(new TextEncoder().encode(start.platform));
  address &= -16;
  const seed = new Uint8Array(16);
  system.fillRandom(seed);
  const random = place(seed);

  const { program } = options;
  const { uid, effectiveUid, gid, effectiveGid } = system.credentials();
  const a = auxiliary;
  // biome-ignore format: one entry per line, in the kernel's order
  const vector: readonly (readonly [number, number])[] = [
    ...start.vector,
    [a.AT_HWCAP, start.capabilities[0] >>> 0],
    [a.AT_PAGESZ, pageSize],
    [a.AT_CLKTCK, clockTicks],
    [a.AT_PHDR, program.programHeadersAddress],
    [a.AT_PHENT, program.programHeaderSize],
    [a.AT_PHNUM, program.programHeaderCount],
    [a.AT_BASE, 0],
    [a.AT_FLAGS, 0],
    [a.AT_ENTRY, program.entry],
    [a.AT_UID, uid],
    [a.AT_EUID, effectiveUid],
    [a.AT_GID, gid],
    [a.AT_EGID, effectiveGid],
    [a.AT_SECURE, uid !== effectiveUid || gid !== effectiveGid ? 1 : 0],
    [a.AT_RANDOM, random],
    [a.AT_HWCAP2, start.capabilities[1]],
    [a.AT_EXECFN, path],
    [a.AT_PLATFORM, platformName],
    ...(start.hasBasePlatform ? [[a.AT_BASE_PLATFORM, platformName] as const] : []),
    [a.AT_NULL, 0],
  ];
  const words = [argv.length, ...argv, 0, ...environment, 0, ...vector.flat()];
  const stackPointer = (address - words.length * wordSize) & -16;
  words.forEach((word, i) => {
    if (wordSize === 4) memory.writeU32(stackPointer + i * wordSize, word);
    else memory.writeU64(stackPointer + i * wordSize, BigInt(word));
  });
  return stackPointer;
}
