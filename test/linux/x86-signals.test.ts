/**
 * Signal frames of i386 and x86-64: places and contents as the kernel's (struct rt_sigframe, sigframe_ia32,
 * rt_sigframe_ia32), and what exceptions become. Whole programs compare with the processor in test/programs/x86.test.ts.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { errno } from '../../src/linux/errno.ts';
import { runThread } from '../../src/linux/run.ts';
import { deliverSignals } from '../../src/linux/signal-delivery.ts';
import { restart } from '../../src/linux/signal-frame.ts';
import { actionFlag, signalNumbers as s, signalCode } from '../../src/linux/signals.ts';
import { type ExitReason, exitCode } from '../../translators/ir/operations.ts';
import { header } from '../../translators/ir/state.ts';
import { flagsWord, setFlagsWord } from '../../translators/x86/state-image.ts';
import { createProcess, programAddress, scriptedEngine, setWord, type TestProcess, wordOf } from './process-guest.ts';

const handler = programAddress + 0x800;
const restorer = programAddress + 0x900;
const stackTop = programAddress + 0x8000;
const SA_RESTORER = 0x04000000;
const bit = (signal: number): bigint => 1n << BigInt(signal - 1);

let guest: TestProcess;

function install(signal: number, flags: number, mask = 0n): void {
  guest.process.signals.setAction(signal, { handler, flags: flags >>> 0, mask, restorer });
}

/** Gives every register a value of its own; the stack pointer and what cannot have any value aside. */
function fillRegisters(): void {
  const { state } = guest;
  for (const { name, type, index } of state.file.registers) {
    if (type === 'i64') state.i64[index] = 0x1_0000_0001n * BigInt(index + 1000);
    else if (/^e../.test(name)) state.i32[index] = index + 1000;
  }
  for (let n = 0; n < 8; n++) state.set(`x87.head${n}`, 0x4000 + n);
  state.set('x87.top', 5);
  state.set('x87.tags', 0xe0);
  state.set('x87.status', 0x4700);
  state.set('x87.control', 0x400);
  state.set('mxcsr', 0x6000);
  setWord(state, state.file.numbers.rsp === undefined ? 'esp' : 'rsp', stackTop);
  setFlagsWord(state, 0x8d5);
  state.pc = programAddress + 0x200;
}

/** All registers, flags as a word: their parts may differ. */
function snapshot(): unknown[] {
  const { state } = guest;
  const registers = state.file.registers.filter(({ name }) => !/^flags\.(carry|result|carries)$/.test(name));
  return [
    state.pc,
    flagsWord(state),
    ...registers.map(({ name, type, offset }) => [
      name,
      type === 'i32' ? state.i32[offset >> 2] : state.i64[offset >> 3],
      name.startsWith('xmm') ? state.i64[(offset >> 3) + 1] : 0n,
    ]),
  ];
}

/** What the restorer's call does. */
function sigreturn(name: 'sigreturn' | 'rt_sigreturn'): void {
  guest.begin(name, []);
  guest.thread.deferred?.();
  guest.thread.deferred = undefined;
}

describe('x86-64 frames', () => {
  beforeEach(() => {
    guest = createProcess({ abi: 'x86-64' });
    fillRegisters();
  });

  test('below the red zone and the floating-point state, and everything comes back', () => {
    install(s.SIGUSR1, actionFlag.SA_SIGINFO | SA_RESTORER, bit(s.SIGTERM));
    guest.thread.setSignalMask(bit(s.SIGHUP) | bit(40));
    const before = snapshot();
    guest.process.signals.send({
      signal: s.SIGUSR1,
      code: signalCode.SI_QUEUE,
      pid: 77,
      uid: 8,
      value: 0x1_2345_6789n,
    });
    deliverSignals(guest.thread, false);
    const { memory, state } = guest;
    const fpstate = Math.floor((stackTop - 128 - 512) / 64) * 64;
    // What a native program sees: 456 bytes from frame to state.
    const frame = fpstate - 456;
    const word = (offset: number) => memory.readU64(frame + offset);
    const registers = ['rsp', 'rdi', 'rsi', 'rdx', 'rax'].map((name) => wordOf(state, name));
    expect(registers).toEqual([frame, s.SIGUSR1, frame + 312, frame + 8, 0]);
    expect([state.pc, word(0)]).toEqual([handler, BigInt(restorer)]);
    // uc_flags, uc_link, uc_stack
    expect([8, 16, 24, 32, 40].map(word)).toEqual([6n, 0n, 0n, 2n, 0n]);
    const saved = 'r8 r9 r10 r11 r12 r13 r14 r15 rdi rsi rbp rbx rdx rax rcx'.split(' ');
    const kept = Object.fromEntries(before.slice(2) as [string, bigint][]);
    expect(saved.map((_, i) => word(48 + i * 8))).toEqual(saved.map((name) => kept[name]));
    expect([word(168), word(176), word(184)]).toEqual([BigInt(stackTop), BigInt(programAddress + 0x200), 0xad7n]);
    // cs, gs, fs, ss; error, trap, old mask, cr2; fpstate; mask
    expect(word(192)).toBe(0x002b_0000_0000_0033n);
    expect([200, 208, 216, 224, 232].map(word)).toEqual([0n, 0n, bit(s.SIGHUP) | bit(40), 0n, BigInt(fpstate)]);
    expect(word(304)).toBe(bit(s.SIGHUP) | bit(40));
    // siginfo: signal, error, code, pid, uid, value
    expect([312, 316, 320, 328, 332].map((offset) => memory.readI32(frame + offset))).toEqual([10, 0, -1, 77, 8]);
    expect(word(336)).toBe(0x1_2345_6789n);
    // FXSAVE: control, status with the top, tags; MXCSR; ST(0) is register 5
    expect([0, 2, 4].map((offset) => memory.readU16(fpstate + offset))).toEqual([0x77f, 0x4700 | (5 << 11), 0xe0]);
    expect(memory.readU32(fpstate + 24)).toBe(0x1f80 ^ 0x6000);
    expect(memory.readU64(fpstate + 32)).toBe(kept.mm5);
    expect(memory.readU16(fpstate + 40)).toBe(0x4005);
    // The handler has clean floating point and no DF.
    expect(['x87.control', 'x87.tags', 'mxcsr'].map((name) => state.get(name))).toEqual([0, 0, 0]);
    expect(flagsWord(state) & 0x400).toBe(0);
    expect(guest.thread.signalMask).toBe(bit(s.SIGHUP) | bit(40) | bit(s.SIGUSR1) | bit(s.SIGTERM));
    // The handler's ret takes the restorer's address.
    setWord(state, 'rsp', frame + 8);
    sigreturn('rt_sigreturn');
    expect(snapshot()).toEqual(before);
    expect(guest.thread.signalMask).toBe(bit(s.SIGHUP) | bit(40));
  });

  test('without a restorer there is no frame, and the process dies of SIGSEGV', () => {
    install(s.SIGUSR1, actionFlag.SA_SIGINFO);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    deliverSignals(guest.thread, false);
    expect(guest.process.exitStatus).toMatchObject({ kind: 'signal', signal: s.SIGSEGV });
  });

  test('a handler may change the context that it returns to, floating point included', () => {
    install(s.SIGUSR1, actionFlag.SA_SIGINFO | SA_RESTORER);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    deliverSignals(guest.thread, false);
    const { memory, state } = guest;
    const frame = wordOf(state, 'rsp');
    memory.writeU64(frame + 48 + 8 * 13, 0xfedc_ba98_7654_3210n);
    memory.writeU64(frame + 176, 0x1234_5678n);
    memory.writeU64(frame + 184, 0x40c01n);
    memory.writeU32(Number(memory.readU64(frame + 232)) + 24, 0x1fa0);
    setWord(state, 'rsp', frame + 8);
    sigreturn('rt_sigreturn');
    expect([state.i64[state.register('rax').index], state.pc]).toEqual([
      BigInt.asIntN(64, 0xfedc_ba98_7654_3210n),
      0x1234_5678,
    ]);
    expect([flagsWord(state), state.get('mxcsr')]).toEqual([0x40e03, 0x20]);
  });
});

describe('i386 frames', () => {
  beforeEach(() => {
    guest = createProcess({ abi: 'i386' });
    fillRegisters();
  });

  const image = Math.floor((stackTop - 512) / 64) * 64;
  const fpstate = image - 112;
  const generalOrder = 'edi esi ebp esp ebx edx ecx eax'.split(' ');

  /** Looks at a struct sigcontext_32. */
  function expectContext(start: number, before: unknown[]): void {
    const { memory } = guest;
    const word = (offset: number) => memory.readU32(start + offset);
    const kept = Object.fromEntries(before.slice(2) as [string, number][]);
    expect([0, 4, 8, 12].map(word)).toEqual([0, 0, 0x2b, 0x2b]);
    expect(generalOrder.map((_, i) => word(16 + i * 4))).toEqual(generalOrder.map((name) => kept[name] >>> 0));
    // trap, error, eip, cs, flags, esp, ss, fpstate, old mask, cr2
    const rest = [48, 52, 56, 60, 64, 68, 72, 76, 80, 84].map(word);
    const mask = Number((bit(s.SIGHUP) | bit(40)) & 0xffffffffn);
    expect(rest).toEqual([0, 0, programAddress + 0x200, 0x23, 0xad7, stackTop, 0x2b, fpstate, mask, 0]);
    // FSAVE's image: words with the upper half set; tags of the three registers in use, valid ones, behind five empty ones.
    const fsave = [0, 4, 8, 16, 24].map((offset) => memory.readU32(fpstate + offset));
    const status = 0x4700 | (5 << 11);
    expect(fsave.map((value) => value.toString(16))).toEqual(
      [0xffff077f, 0xffff0000 + status, 0xffffabff, 0x23, 0xffff002b].map((value) => value.toString(16)),
    );
    expect([memory.readU16(fpstate + 28 + 8), memory.readU16(fpstate + 108)]).toEqual([0x4005, status]);
    expect([memory.readU16(image), memory.readU32(image + 24)]).toEqual([0x77f, 0x1f80 ^ 0x6000]);
  }

  test('without SA_SIGINFO', () => {
    install(s.SIGUSR1, 0);
    guest.thread.setSignalMask(bit(s.SIGHUP) | bit(40));
    const before = snapshot();
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    deliverSignals(guest.thread, false);
    const { memory, state, process } = guest;
    const frame = Math.floor((fpstate - 732 + 4) / 16) * 16 - 4;
    const registers = ['esp', 'eax', 'edx', 'ecx'].map((name) => wordOf(state, name));
    expect(registers).toEqual([frame, s.SIGUSR1, 0, 0]);
    // Our own code stands for the one of the vDSO.
    const code = memory.readU32(frame);
    expect(code).toBe(process.signalTrampoline + 8);
    expect([...memory.readBytes(code, 8)]).toEqual([0x58, 0xb8, 119, 0, 0, 0, 0xcd, 0x80]);
    expect(memory.readU32(frame + 4)).toBe(s.SIGUSR1);
    expect(memory.readU32(frame + 720)).toBe(Number(bit(40) >> 32n));
    expectContext(frame + 8, before);
    // ret, popl %eax
    setWord(state, 'esp', frame + 8);
    sigreturn('sigreturn');
    expect(snapshot()).toEqual(before);
    expect(guest.thread.signalMask).toBe(bit(s.SIGHUP) | bit(40));
  });

  test('with SA_SIGINFO', () => {
    install(s.SIGUSR1, actionFlag.SA_SIGINFO | SA_RESTORER);
    guest.thread.setSignalMask(bit(s.SIGHUP) | bit(40));
    const before = snapshot();
    guest.process.signals.send({ signal: s.SIGUSR1, code: signalCode.SI_QUEUE, pid: 77, uid: 8, value: 9 });
    deliverSignals(guest.thread, false);
    const { memory, state } = guest;
    const frame = Math.floor((fpstate - 268 + 4) / 16) * 16 - 4;
    const [info, context] = [frame + 16, frame + 144];
    const registers = ['esp', 'eax', 'edx', 'ecx'].map((name) => wordOf(state, name));
    expect(registers).toEqual([frame, s.SIGUSR1, info, context]);
    const words = [0, 4, 8, 12].map((offset) => memory.readU32(frame + offset));
    expect(words).toEqual([restorer, s.SIGUSR1, info, context]);
    expect([0, 8, 12, 16, 20].map((offset) => memory.readI32(info + offset))).toEqual([10, -1, 77, 8, 9]);
    expect([0, 4, 8, 12, 16].map((offset) => memory.readU32(context + offset))).toEqual([0, 0, 0, 2, 0]);
    expectContext(context + 20, before);
    expect(memory.readU64(context + 108)).toBe(bit(s.SIGHUP) | bit(40));
    expect([...memory.readBytes(frame + 260, 7)]).toEqual([0xb8, 173, 0, 0, 0, 0xcd, 0x80]);
    setWord(state, 'esp', frame + 4);
    sigreturn('rt_sigreturn');
    expect(snapshot()).toEqual(before);
    expect(guest.thread.signalMask).toBe(bit(s.SIGHUP) | bit(40));
  });

  test('x87 comes back from the FSAVE image, a selector with its base', () => {
    const { memory, state } = guest;
    memory.writeU32(programAddress, 0xffffffff);
    memory.writeU32(programAddress + 4, 0x1000_2000);
    memory.writeU32(programAddress + 8, 0xfffff);
    memory.writeU32(programAddress + 12, 0x51);
    expect(guest.call('set_thread_area', programAddress)).toBe(0);
    install(s.SIGUSR1, actionFlag.SA_SIGINFO | SA_RESTORER);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    deliverSignals(guest.thread, false);
    const frame = wordOf(state, 'esp');
    const place = memory.readU32(frame + 164 + 76);
    memory.writeU32(frame + 164, 0x63);
    memory.writeU32(place, 0xffff037f);
    memory.writeU16(place + 28 + 8, 0x3fff);
    setWord(state, 'esp', frame + 4);
    sigreturn('rt_sigreturn');
    expect([state.get('gs'), state.get('gs.base')]).toEqual([0x63, 0x1000_2000]);
    expect([state.get('x87.control'), state.get('x87.head5')]).toEqual([0, 0x3fff]);
  });

  test('a frame that does not fit the alternate stack is not written', () => {
    guest.thread.alternateStack = { base: programAddress + 0x1000, size: 2048, flags: 0 };
    install(s.SIGUSR1, actionFlag.SA_ONSTACK | actionFlag.SA_SIGINFO | SA_RESTORER);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    deliverSignals(guest.thread, false);
    expect(wordOf(guest.state, 'esp')).toBeGreaterThan(programAddress + 0x1000);
    expect(wordOf(guest.state, 'esp')).toBeLessThan(programAddress + 0x1800);
    guest.thread.setSignalMask(0n);
    setWord(guest.state, 'esp', programAddress + 0x1200);
    guest.process.signals.send({ signal: s.SIGUSR1, code: 0 });
    deliverSignals(guest.thread, false);
    expect(guest.process.exitStatus).toMatchObject({ kind: 'signal', signal: s.SIGSEGV });
  });
});

describe('what exceptions become', () => {
  const kernel = signalCode.SI_KERNEL;
  /** Reason, detail, access; signal, code, address; trap, error code, CR2, whether RF is set, where it is reported. */
  // biome-ignore format: one exception per line
  const rows: [ExitReason, number, number, number, number, number, number, number, number, boolean, number][] = [
    ['divide',         0,           0, s.SIGFPE,  signalCode.FPE_INTDIV,  0x200,  0,  0,     0,      true,  0x200],
    ['illegal',        0,           0, s.SIGILL,  signalCode.ILL_ILLOPN,  0x200,  6,  0,     0,      true,  0x200],
    ['protection',     0,           0, s.SIGSEGV, kernel,                 0,      13, 0,     0,      true,  0x200],
    ['protection',     0x212,       0, s.SIGSEGV, kernel,                 0,      13, 0x212, 0,      true,  0x200],
    ['bound',          0,           0, s.SIGSEGV, kernel,                 0,      5,  0,     0,      true,  0x200],
    ['breakpoint',     0x201,       0, s.SIGTRAP, kernel,                 0,      3,  0,     0,      false, 0x201],
    ['overflow',       0x201,       0, s.SIGSEGV, kernel,                 0,      4,  0,     0,      false, 0x201],
    ['floating_point', 0x04,        0, s.SIGFPE,  signalCode.FPE_FLTDIV,  0x200,  16, 0,     0,      true,  0x200],
    ['floating_point', 0x20,        0, s.SIGFPE,  signalCode.FPE_FLTRES,  0x200,  16, 0,     0,      true,  0x200],
    ['floating_point', 0x010000,    0, s.SIGFPE,  signalCode.FPE_FLTINV,  0x200,  19, 0,     0,      true,  0x200],
    ['floating_point', 0x100000,    0, s.SIGFPE,  signalCode.FPE_FLTUND,  0x200,  19, 0,     0,      true,  0x200],
    ['fault',          0x10,        2, s.SIGSEGV, signalCode.SEGV_MAPERR, 0x10,   14, 6,     0x10,   true,  0x200],
    ['fault',          0x1234,      4, s.SIGSEGV, signalCode.SEGV_MAPERR, 0x1234, 14, 0x14,  0x1234, true,  0x200],
  ];

  test.each(rows)(
    '%s, detail %i, access %i',
    async (reason, detail, access, signal, code, address, trap, error, cr2, resumes, place) => {
      guest = createProcess({ abi: 'i386' });
      fillRegisters();
      install(signal, actionFlag.SA_SIGINFO | SA_RESTORER);
      const base = programAddress;
      const inProgram = (offset: number) => (offset === 0 || reason === 'fault' ? offset : base + offset);
      const engine = scriptedEngine([
        ({ i32 }) => {
          i32[header.detail >> 2] = reason === 'breakpoint' || reason === 'overflow' ? base + detail : detail;
          i32[header.access >> 2] = access;
          return exitCode[reason];
        },
        () => {
          guest.process.exit({ kind: 'exit', code: 0 });
          return exitCode.none;
        },
      ]);
      await runThread(guest.thread, engine);
      const { memory, state } = guest;
      const frame = wordOf(state, 'esp');
      const info = [0, 8, 12].map((offset) => memory.readI32(frame + 16 + offset));
      expect(info).toEqual([signal, code, inProgram(address)]);
      const context = [48, 52, 56, 64, 84].map((offset) => memory.readU32(frame + 164 + offset));
      expect(context).toEqual([trap, error, base + place, resumes ? 0x10ad7 : 0xad7, cr2]);
    },
  );

  test('addresses beyond 32 bits: canonical ones are told, others are a general or a stack protection', async () => {
    for (const [wide, signal, code, address, trap, error] of [
      [{ address: 0x1234_1234_1234n, isStack: false }, s.SIGSEGV, signalCode.SEGV_MAPERR, 0x1234_1234_1234n, 14n, 4n],
      [
        { address: 0xffff_9234_1234_1234n, isStack: false },
        s.SIGSEGV,
        signalCode.SEGV_MAPERR,
        0xffff_9234_1234_1234n,
        14n,
        5n,
      ],
      [{ address: 0x8000_0000_0000n, isStack: false }, s.SIGSEGV, kernel, 0n, 13n, 0n],
      [{ address: 0x8000_0000_0000n, isStack: true }, s.SIGBUS, kernel, 0n, 12n, 0n],
    ] as const) {
      guest = createProcess({ abi: 'x86-64' });
      fillRegisters();
      guest.process.wideAddress = () => wide;
      install(signal, actionFlag.SA_SIGINFO | SA_RESTORER);
      const engine = scriptedEngine([
        ({ i32 }) => {
          i32[header.access >> 2] = 0;
          return exitCode.wide_address;
        },
        () => {
          guest.process.exit({ kind: 'exit', code: 0 });
          return exitCode.none;
        },
      ]);
      await runThread(guest.thread, engine);
      const { memory, state } = guest;
      const frame = wordOf(state, 'rsp');
      expect([memory.readI32(frame + 312), memory.readI32(frame + 320), memory.readU64(frame + 328)]).toEqual([
        signal,
        code,
        address,
      ]);
      expect([208, 200, 224].map((offset) => memory.readU64(frame + offset))).toEqual([
        trap,
        error,
        trap === 14n ? address : 0n,
      ]);
    }
  });
});

describe.each([
  ['i386', 'eax', 0],
  ['x86-64', 'rax', 219],
] as const)('%s: calls that a signal interrupts', (abi, accumulator, restartNumber) => {
  beforeEach(() => {
    guest = createProcess({ abi });
    fillRegisters();
  });

  test('start again with their number in the accumulator, go on by restart_syscall, or end with EINTR', () => {
    const { signals, addresses } = { signals: guest.process.signalAbi, addresses: guest.state.pc };
    const { thread, state } = guest;
    thread.callNumber = 3;
    setWord(state, accumulator, -restart.ERESTARTSYS);
    expect(signals.callError(thread)).toBe(restart.ERESTARTSYS);
    signals.restartCall(thread);
    expect([wordOf(state, accumulator), state.pc]).toEqual([3, addresses - 2]);
    signals.resumeCall(thread);
    expect([wordOf(state, accumulator), state.pc]).toEqual([restartNumber, addresses - 4]);
    signals.setCallError(thread, errno.EINTR);
    expect(guest.result()).toBe(-errno.EINTR);
  });
});
