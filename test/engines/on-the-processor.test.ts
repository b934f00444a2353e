/** The engines that run guests on the processor itself, on hosts that have it: what leaves the guest, exactly, and what the guest sees of changed memory. */
import { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createEngine } from '../../src/engines/create-engine.ts';
import type { Engine } from '../../src/engines/engine.ts';
import { traceeProgram } from '../../src/engines/traced/tracee-program.ts';
import { createVirtualMachine } from '../../src/host/kvm.ts';
import { startTracedProcess } from '../../src/host/ptrace.ts';
import { AddressSpace } from '../../src/memory/address-space.ts';
import { type ExitReason, exitReasons } from '../../translators/ir/operations.ts';
import { header, State } from '../../translators/ir/state.ts';
import { permission } from '../../translators/memory-view.ts';
import { x86Frontend } from '../../translators/x86/frontend.ts';
import { x86_64Registers } from '../../translators/x86/registers.ts';

/** Says what is missing, when something is. */
function isThere(name: string, made: { close(): void } | { reason: string }): boolean {
  if ('reason' in made) {
    console.info(`Not tested: the engine ${name}. ${made.reason}`);
    return false;
  }
  made.close();
  return true;
}

const smallMemory = new Uint8Array(new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer);
const names = (['virtualized', 'traced'] as const).filter((name) =>
  isThere(name, name === 'virtualized' ? createVirtualMachine() : startTracedProcess(traceeProgram(), smallMemory, [])),
);

const { read, write, execute } = permission;
const code = 0x400000;
const data = 0x500000;
const stack = 0x600000;

let memory: AddressSpace;
let state: State;
let engine: Engine;
/** Serves a system call; false leaves run(). */
let serve: (state: State) => boolean;

const get = (name: string): bigint => state.i64[state.register(name).index];
const set = (name: string, value: bigint): void => {
  state.i64[state.register(name).index] = value;
};

function start(name: (typeof names)[number]): void {
  memory = new AddressSpace('little');
  memory.map(code, 0x1000, read | execute);
  memory.map(data, 0x2000, read | write);
  memory.map(stack, 0x1000, read | write);
  state = new State(x86_64Registers.file, memory.buffer, memory.allocateStateBlock());
  serve = () => false;
  engine = createEngine(name, {
    frontend: x86Frontend(64),
    memory,
    countInstructions: false,
    createVirtualMachine,
    startTracedProcess,
    host: { systemCall: (which) => serve(which), symbolAt: () => undefined, timeBase: () => ({ low: 0, high: 0 }) },
  });
  state.pc = code;
  set('rsp', BigInt(stack + 0x1000));
}

afterEach(() => engine.close());

/** Puts machine code, written in hexadecimal, where the guest begins. */
function program(...lines: string[]): void {
  memory.poke(code, Uint8Array.from(Buffer.from(lines.join('').replaceAll(' ', ''), 'hex')));
}

/** Runs until something is left for. */
function run(): { reason: ExitReason; detail: number; access: number; pc: number } {
  engine.run(state);
  const { i32, pc } = state;
  const reason = exitReasons[i32[header.exit >> 2]];
  return { reason, detail: i32[header.detail >> 2] >>> 0, access: i32[header.access >> 2], pc };
}

describe.each(names)('the engine %s', (name) => {
  beforeEach(() => start(name));

  test('serves system calls in place, with registers in and out, until told to leave', () => {
    // again: inc rbx; mov eax, 39; syscall; add r15, rax; jmp again
    program('48 ff c3', 'b8 27 00 00 00', '0f 05', '49 01 c7', 'eb f1');
    const seen: bigint[] = [];
    serve = () => {
      expect(get('rax')).toBe(39n);
      expect(get('rcx')).toBe(BigInt(code + 10));
      seen.push(get('rbx'));
      set('rax', 1000n);
      return seen.length < 5;
    };
    expect(run()).toMatchObject({ reason: 'system_call', pc: code + 10 });
    expect(seen).toEqual([1n, 2n, 3n, 4n, 5n]);
    expect(get('r15')).toBe(4000n);
    expect(engine.statistics.exits.get('system call')).toBe(5);
  });

  test('keeps all general registers, flags, vectors and the x87 stack across leaving', () => {
    // syscall; syscall, so that everything goes through the processor twice.
    program('0f 05', '0f 05');
    const names = x86_64Registers.general.filter((name) => !['rcx', 'r11'].includes(name));
    for (const [number, name] of names.entries()) set(name, 0x1122_3344_5566_7700n + BigInt(number));
    for (let n = 0; n < 16; n++) {
      const index = state.register(`xmm${n}`).offset >> 3;
      state.i64[index] = BigInt(n) << 60n;
      state.i64[index + 1] = BigInt(n) * 3n;
    }
    // st(0) = pi, in physical register 7.
    state.set('x87.top', 7);
    state.set('x87.tags', 0x80);
    state.i64[state.register('mm7').index] = BigInt.asIntN(64, 0xc90f_daa2_2168_c235n);
    state.set('x87.head7', 0x4000);
    state.set('mxcsr', 0x6000);
    const before = Array.from(state.i64.subarray(8, 200));
    run();
    run();
    const after = Array.from(state.i64.subarray(8, 200));
    for (const name of ['rcx', 'r11', 'flags.result', 'flags.carries']) {
      const index = state.register(name).index - 8;
      before[index] = 0n;
      after[index] = 0n;
    }
    expect(after).toEqual(before);
  });

  test.each([
    ['carry, parity, zero', 0x45],
    ['sign and zero at once', 0xc0],
    ['overflow, auxiliary, direction', 0xc10],
    ['none', 0],
  ])('has the flags that popf sets: %s', (_, flags) => {
    // push imm32; popf; lahf (through pushf; pop rbx); syscall: r11 and rbx have the flags
    program(`68 ${Buffer.from(Int32Array.of(flags).buffer).toString('hex')}`, '9d', '9c', '5b', '0f 05', '9c 5d 0f 05');
    run();
    expect(get('rbx')).toBe(BigInt(flags | 0x202));
    // Direction is cleared by no system call.
    run();
    expect(get('rbp')).toBe(BigInt(flags | 0x202));
  });

  test.each([
    ['reading nothing', '8a 04 25 00 00 70 00', 0x700000, read],
    ['writing what may be read', '88 04 25 00 00 40 00', 0x400000, write],
    ['running data', 'b8 00 00 50 00 ff e0', 0x500000, execute],
    ['the null page', '8b 04 25 08 00 00 00', 8, read],
  ])('tells of a fault: %s', (_, bytes, address, access) => {
    program(bytes);
    set('rbx', 77n);
    const pc = access === execute ? address : code;
    expect(run()).toEqual({ reason: 'fault', detail: address, access, pc });
    expect(get('rbx')).toBe(77n);
    expect(get('rsp')).toBe(BigInt(stack + 0x1000));
  });

  test('goes on behind a fault once the page is there', () => {
    // mov eax, [0x700000]; syscall
    program('8b 04 25 00 00 70 00', '0f 05');
    expect(run().reason).toBe('fault');
    memory.map(0x700000, 0x1000, read | write);
    memory.writeU32(0x700000, 0x12345678);
    expect(run().reason).toBe('system_call');
    expect(get('rax')).toBe(0x12345678n);
  });

  test.each([
    ['unmapped', () => memory.unmap(data, 0x1000)],
    ['made read-only', () => memory.protect(data, 0x1000, read)],
  ])('sees at once what is %s, however often', (_, take) => {
    // again: mov [0x500000], al; syscall; jmp again
    program('88 04 25 00 00 50 00', '0f 05', 'eb f5');
    for (let round = 0; round < 300; round++) {
      expect(run().reason).toBe('system_call');
      take();
      expect(run()).toMatchObject({ reason: 'fault', detail: data, access: write, pc: code });
      memory.map(data, 0x1000, read | write);
    }
  });

  test('runs code that the guest or the personality has just written', () => {
    memory.map(code, 0x1000, read | write | execute);
    // again: mov eax, 1; syscall; inc byte [again + 1]; jmp again
    program('b8 01 00 00 00', '0f 05', 'fe 04 25 01 00 40 00', 'eb f0');
    const seen: bigint[] = [];
    serve = () => {
      seen.push(get('rax'));
      if (seen.length === 3) memory.writeU8(code + 1, 100);
      return seen.length < 5;
    };
    run();
    expect(seen).toEqual([1n, 2n, 3n, 101n, 102n]);
  });

  test.each<[string, string, ExitReason, number]>([
    ['division by zero', '31 c9 f7 f1', 'divide', code + 2],
    ['ud2', '0f 0b', 'illegal', code],
    ['hlt', 'f4', 'protection', code],
    ['cli', 'fa', 'protection', code],
    ['in', 'e4 10', 'protection', code],
    ['the port of system calls', 'e6 f4', 'protection', code],
    ['another port', 'e6 80', 'protection', code],
    ['int 0x20', 'cd 20', 'protection', code],
    ['an address that is not canonical', '48 b8 00 00 00 00 00 00 00 80 8a 00', 'protection', code + 10],
    ['an address beyond 4 GiB', '48 b8 00 00 00 00 01 00 00 00 8a 00', 'wide_address', code + 10],
    ['the system area', '48 b8 00 00 00 00 80 ff ff ff 8a 00', 'wide_address', code + 10],
    ['int3', 'cc', 'breakpoint', code + 1],
    ['int 0x80', 'cd 80', 'software_interrupt', code + 2],
  ])('leaves for %s', (_, bytes, reason, pc) => {
    program(bytes);
    // A signal does not tell a general protection fault's reason: the frontend looks at the instruction.
    const told = name === 'traced' && reason === 'protection' ? 'wide_address' : reason;
    expect(run()).toMatchObject({ reason: told, pc });
    expect(get('rsp')).toBe(BigInt(stack + 0x1000));
  });

  test.each([
    // fninit; push 0x37b; fldcw [rsp]; fldz; fld1; fdivrp: 1 / 0, then fwait
    ['x87', 'db e3 68 7b 03 00 00 d9 2c 24 d9 e8 d9 ee de f9 9b', 0x04],
    // push 0x1d80 (division by zero not masked); ldmxcsr [rsp]; mov eax, 1; cvtsi2sd xmm0, eax; xorps xmm1, xmm1; divsd xmm0, xmm1
    ['SIMD', '68 80 1d 00 00 0f ae 14 24 b8 01 00 00 00 f2 0f 2a c0 0f 57 c9 f2 0f 5e c1', 0x04 << 16],
  ])('tells which %s exception it was', (_, bytes, detail) => {
    program(bytes);
    expect(run()).toMatchObject({ reason: 'floating_point', detail });
  });

  test('has the bases of FS and GS', () => {
    // mov rax, fs:[8]; mov rbx, gs:[16]; syscall
    program('64 48 8b 04 25 08 00 00 00', '65 48 8b 1c 25 10 00 00 00', '0f 05');
    set('fs.base', BigInt(data));
    set('gs.base', BigInt(data + 0x1000));
    memory.writeU64(data + 8, 1111n);
    memory.writeU64(data + 0x1010, 2222n);
    expect(run().reason).toBe('system_call');
    expect([get('rax'), get('rbx')]).toEqual([1111n, 2222n]);
  });

  test('leaves an endless loop when something wants its attention', async () => {
    program('48 ff c3', 'eb fb');
    const worker = new Worker(
      `const { workerData: { buffer, index } } = require('node:worker_threads');
       const words = new Int32Array(buffer);
       Atomics.wait(words, 0, words[0], 100);
       Atomics.store(words, index, 1);`,
      { eval: true, workerData: { buffer: memory.buffer, index: (state.base + header.interrupt) >> 2 } },
    );
    await new Promise((resolve) => worker.once('online', resolve));
    expect(run()).toMatchObject({ reason: 'interrupt' });
    expect(get('rbx')).toBeGreaterThan(1000n);
    await worker.terminate();
  });
});
