/**
 * Hostile programs: static ELF files that run hot for a while and then do what no program should. Random bytes or
 * instructions as code; jumps, accesses and stacks anywhere; system calls without sense; changes of their own code and of
 * the pages that it lies in; signal handlers that look at everything, repair, skip, or make it worse.
 */
import { systemCalls } from '../../src/linux/table.ts';
import { masks, rows, values } from '../../translators/powerpc/decode.ts';
import { buildElf } from '../elf/build-elf.ts';
import { generator } from '../float/cases.ts';
import {
  Assembler,
  addImmediate,
  branchToRegister,
  callCounter,
  compareImmediate,
  immediateForm,
  indexedForm,
  instructionSync,
  jumpToCounter,
  type Label,
  loadWord,
  moveToSpecial,
  returnToLink,
  special,
  storeWord,
  storeWordUpdate,
  sync,
  systemCall,
} from './assembler.ts';
import {
  below,
  eligibleInstructions,
  type InstructionOptions,
  oneIn,
  pick,
  type Random,
  randomInstruction,
} from './instructions.ts';
import {
  absentAddress,
  bases,
  codeAddress,
  dataAddress,
  general,
  lastDataAddress,
  readOnlyAddress,
  register,
  tableAddress,
} from './layout.ts';
import { bytesOf } from './machine.ts';
import { beginExact, type Limits } from './programs.ts';

export const shapes = ['noise', 'hot', 'calls'] as const;
export type Shape = (typeof shapes)[number];

export interface HostileProgram {
  readonly seed: number;
  readonly shape: Shape;
  readonly words: readonly number[];
  /** The ELF file. */
  readonly file: Uint8Array;
  readonly limits: Limits;
  /** Registers are exact at faults from the start. */
  readonly preciseFaults: boolean;
  /** The floating-point status is exact from the start. */
  readonly exactFloatingPoint: boolean;
  /** The architecture says what it does: it never runs what it wrote without icbi. */
  readonly determined: boolean;
}

/** Writable and executable pages beside the code, empty at the start. */
const writableCodeAddress = 0x2c000000;
const pageBytes = 0x1000;
/** Where handlers gather what they see: a digest and a count. */
export const digestAddress = lastDataAddress + 0x800;
const handledLimit = 200;
/** Walks through memory. */
const walker = 13;

const fatalSignals = [4, 5, 7, 8, 11] as const;
const handlerKinds = ['none', 'none', 'skip', 'skip', 'escape', 'fix', 'again', 'spoil', 'nowhere'] as const;
type HandlerKind = (typeof handlerKinds)[number];

const actionFlags = { siginfo: 4, onStack: 0x08000000, noDefer: 0x40000000, reset: 0x80000000 } as const;
/** Words of ucontext's registers (asm/ptrace.h). */
const contextWords = { nip: 32, msr: 33, count: 44, dar: 41 } as const;
/** Byte offset of the pointer to them in struct ucontext. */
const contextPointer = 48;

const calls = {
  exit: 1,
  mmap: 90,
  munmap: 91,
  mprotect: 125,
  mremap: 163,
  rt_sigaction: 173,
  sigaltstack: 185,
  madvise: 205,
} as const;
const callNumbers = systemCalls.flatMap(({ numbers }) => (numbers.powerpc === undefined ? [] : [numbers.powerpc]));

const strings = [
  'file',
  'folder',
  'folder/inner',
  'link',
  '.',
  '..',
  '/',
  '../../etc/passwd',
  '/etc/passwd',
  '/proc/self/mem',
  '/proc/self/maps',
  '/proc/self/fd/0',
  '/dev/null',
  '/dev/zero',
  `/${'x'.repeat(300)}`,
  'x/'.repeat(100),
];

/** Guest addresses that lead to the beginning of the host's buffer, with the permission table and state blocks, if nothing stops them. */
const reserveStart = 0x7f000000;
const reserveSize = 0xff0000;

const pagesOfInterest: readonly number[] = [
  codeAddress,
  codeAddress + pageBytes,
  dataAddress,
  dataAddress + pageBytes,
  readOnlyAddress,
  absentAddress,
  lastDataAddress,
  tableAddress,
  writableCodeAddress,
];

/** An address that something is wrong with, most of the time. */
function wildAddress(next: Random): number {
  switch (below(next, 10)) {
    case 0:
      return below(next, 0x20000);
    case 1:
      return (reserveStart + below(next, reserveSize)) >>> 0;
    case 2:
      return (reserveStart - 0x8000 + below(next, 0x10000)) >>> 0;
    case 3:
      return (reserveStart + reserveSize - 0x8000 + below(next, 0x18000)) >>> 0;
    case 4:
      return (pick(next, [0x7fffffff, 0x80000000, 0xffffffff, 0]) + below(next, 64) - 32) >>> 0;
    case 5:
      return next() >>> 0;
    default: {
      const page = pick(next, pagesOfInterest);
      if (oneIn(next, 3)) return page + pageBytes - below(next, 16);
      return page + (oneIn(next, 3) ? below(next, pageBytes) : below(next, pageBytes) & ~3);
    }
  }
}

/** A value of a system call's argument. */
function wildArgument(next: Random, paths: readonly number[]): number {
  switch (below(next, 12)) {
    case 0:
      return wildAddress(next);
    case 1:
    case 2:
      return dataAddress + (below(next, 0x2000) & ~3);
    case 3:
      return pick(next, paths);
    case 4:
      return pick(next, [0, 0xffffffff, 0x7fffffff, 0x80000000, 0x1000, 0x10000, 0xfffff000]);
    case 5:
      return 2 ** below(next, 32);
    case 6:
      return next() >>> 0;
    case 7:
      return below(next, 0x3000);
    default:
      return below(next, 24);
  }
}

class HostileEmitter {
  readonly assembler = new Assembler(codeAddress);
  /** Words of the read-only table: actions of signals, then the strings. */
  readonly table: { readonly label?: Label; readonly word: number }[] = [];
  readonly next: Random;
  determined = true;
  readonly handlers: readonly HandlerKind[];
  private readonly shape: Shape;
  private readonly options: InstructionOptions;
  private readonly from: ReturnType<typeof eligibleInstructions>;
  private readonly paths: number[] = [];
  private readonly functions: Label[];
  private readonly exit: Label;
  private readonly rounds: number;

  constructor(next: Random, shape: Shape) {
    this.next = next;
    this.shape = shape;
    this.handlers = fatalSignals.map(() => pick(next, handlerKinds));
    // Where every fault is survived anything may fault from the start.
    const survives = this.handlers.every((kind) => kind === 'skip');
    this.options = { faults: survives || oneIn(next, 6), status: oneIn(next, 4), qemu: false };
    this.from = eligibleInstructions(this.options);
    this.functions = Array.from({ length: below(next, 4) }, () => this.assembler.label());
    this.exit = this.assembler.label();
    this.rounds = pick(next, [5, 60, 200, 400]);
  }

  emit(): void {
    const { assembler, next } = this;
    this.prologue();
    if (this.shape === 'noise') this.noise();
    else this.loop();
    assembler.place(this.exit);
    assembler.emit(addImmediate(0, 0, calls.exit), addImmediate(3, 0, below(next, 100)), systemCall);
    for (const label of this.functions) {
      assembler.place(label);
      for (let left = below(next, 4); left >= 0; left--) this.piece(false);
      assembler.emit(returnToLink);
    }
  }

  private prologue(): void {
    const { assembler, next } = this;
    for (const [number, value] of bases) assembler.constant(number, value);
    assembler.constant(register.index, below(next, 32) - 16);
    assembler.emit(addImmediate(register.fuel, 0, this.rounds));
    assembler.constant(walker, pick(next, [dataAddress + 0x400, dataAddress + 0x1e00, lastDataAddress + 0xf00]));
    this.installHandlers();
    for (const number of general) assembler.constant(number, oneIn(next, 4) ? wildAddress(next) : next() >>> 0);
    for (let number = 0; number < 10; number++) {
      // lfd: something of the data.
      assembler.emit(immediateForm(50, number, register.middle, 8 * number));
    }
  }

  private installHandlers(): void {
    const { assembler, next } = this;
    const alternate = oneIn(next, 2);
    const at = (): number => tableAddress + 4 * this.table.length;
    for (const text of strings) {
      this.paths.push(at());
      const bytes = new TextEncoder().encode(text);
      const view = new DataView(new ArrayBuffer((bytes.length + 4) & ~3));
      new Uint8Array(view.buffer).set(bytes);
      for (let i = 0; i < view.byteLength; i += 4) this.table.push({ word: view.getUint32(i) });
    }
    if (alternate) {
      const stack = oneIn(next, 3) ? wildAddress(next) : dataAddress;
      assembler.constant(3, at());
      this.table.push({ word: stack }, { word: 0 }, { word: pick(next, [0x2000, 0x1000, 0x800, next()]) });
      assembler.emit(addImmediate(4, 0, 0), addImmediate(0, 0, calls.sigaltstack), systemCall);
    }
    const made = new Map<HandlerKind, Label>();
    const skipped = assembler.label();
    assembler.branch(skipped);
    for (const kind of new Set(this.handlers)) {
      if (kind === 'none' || kind === 'nowhere') continue;
      const label = assembler.label();
      assembler.place(label);
      made.set(kind, label);
      this.handler(kind);
    }
    assembler.place(skipped);
    fatalSignals.forEach((signal, i) => {
      const kind = this.handlers[i];
      if (kind === 'none') return;
      let flags: number = actionFlags.siginfo;
      if (alternate) flags |= actionFlags.onStack;
      if (oneIn(next, 4)) flags |= actionFlags.noDefer;
      if (oneIn(next, 12)) flags |= actionFlags.reset;
      assembler.constant(4, at());
      this.table.push({ label: made.get(kind), word: wildAddress(next) }, { word: flags >>> 0 }, { word: 0 });
      this.table.push({ word: 0 }, { word: 0 });
      assembler.emit(addImmediate(3, 0, signal), addImmediate(5, 0, 0), addImmediate(6, 0, 8));
      assembler.emit(addImmediate(0, 0, calls.rt_sigaction), systemCall);
    });
  }

  /** A handler with SA_SIGINFO: adds all that its context shows to the digest, then does what its kind says. */
  private handler(kind: HandlerKind): void {
    const { assembler, next } = this;
    const [again, done] = [assembler.label(), assembler.label()];
    assembler.emit(loadWord(9, contextPointer, 5), addImmediate(6, 9, -4));
    assembler.constant(7, digestAddress);
    assembler.emit(loadWord(8, 0, 7), addImmediate(10, 0, contextWords.count), moveToSpecial(special.ctr, 10));
    assembler.place(again);
    // lwzu r10,4(r6); rlwinm r8,r8,5,0,31; xor r8,r8,r10
    assembler.emit(immediateForm(33, 10, 6, 4), 0x5508283e, indexedForm(8, 8, 10, 316));
    assembler.branchIf(16, 0, again);
    assembler.emit(storeWord(8, 0, 7), loadWord(8, 4, 7), addImmediate(8, 8, 1), storeWord(8, 4, 7));
    assembler.emit(compareImmediate(0, 8, handledLimit));
    assembler.branchIf(12, 1, this.exit);
    if (kind === 'skip') {
      assembler.emit(loadWord(10, 4 * contextWords.nip, 9), addImmediate(10, 10, 4));
      assembler.emit(storeWord(10, 4 * contextWords.nip, 9));
    } else if (kind === 'escape') {
      assembler.addressInto(10, this.exit);
      assembler.emit(storeWord(10, 4 * contextWords.nip, 9));
    } else if (kind === 'fix') {
      // mprotect(the page of the address, a page, everything)
      assembler.emit(loadWord(3, 4 * contextWords.dar, 9), 0x54630026, addImmediate(4, 0, pageBytes));
      assembler.emit(addImmediate(5, 0, 7), addImmediate(0, 0, calls.mprotect), systemCall);
    } else if (kind === 'spoil') {
      for (let left = 1 + below(next, 3); left > 0; left--) {
        assembler.constant(10, wildAddress(next));
        assembler.emit(storeWord(10, 4 * below(next, contextWords.count), 9));
      }
    }
    assembler.place(done);
    assembler.emit(returnToLink);
  }

  /** Random words, or instructions of every kind with random operands. */
  private noise(): void {
    const { assembler, next } = this;
    const valid = oneIn(next, 2);
    for (let left = pick(next, [4, 40, 1000]); left > 0; left--) {
      const row = below(next, rows.length);
      assembler.emit((valid ? values[row] | (next() & ~masks[row]) : next()) >>> 0);
    }
  }

  private loop(): void {
    const { assembler, next } = this;
    const head = assembler.label();
    assembler.place(head);
    for (let left = 2 + below(next, 8); left > 0; left--) this.piece(true);
    assembler.emit(addImmediate(register.fuel, register.fuel, -1), compareImmediate(0, register.fuel, 0));
    assembler.branchIf(12, 1, head);
  }

  private piece(outermost: boolean): void {
    const { assembler, next, shape } = this;
    const choice = below(next, 16);
    if (choice < 6) {
      for (let left = 1 + below(next, 6); left > 0; left--) {
        assembler.emitRemovable(...randomInstruction(next, this.from, this.options));
      }
    } else if (choice < 8) {
      this.walk();
    } else if (choice < 11 && outermost && this.functions.length > 0) {
      const callee = pick(next, this.functions);
      if (oneIn(next, 2)) assembler.branch(callee, 1);
      else {
        assembler.addressInto(12, callee);
        assembler.emit(moveToSpecial(special.ctr, 12), callCounter);
      }
    } else if (shape === 'calls' && choice < 14) {
      this.call();
    } else {
      this.once();
    }
  }

  /** An access that goes on from round to round, until it leaves its page. */
  private walk(): void {
    const { next, assembler } = this;
    const stride = pick(next, [4, 8, 16, 64, 256, -4, -64, 4096, 3]);
    // lwz, lbz, stw, stb, lhz, sth, lfd, stfd, stmw
    const primary = pick(next, [32, 34, 36, 38, 40, 44, 50, 54, 47]);
    const target = primary === 47 ? 29 : primary >= 48 ? below(next, 8) : pick(next, general);
    assembler.emit(immediateForm(primary, target, walker, pick(next, [0, 0, 4, -8, 0x7ffc, -0x8000])));
    assembler.emit(addImmediate(walker, walker, stride));
  }

  /** Something wild in one round only, after the code around it became hot. */
  private once(): void {
    const { assembler, next } = this;
    const field = below(next, 8);
    const skip = assembler.label();
    assembler.emit(compareImmediate(field, register.fuel, below(next, this.rounds)));
    assembler.branchIf(4, 4 * field + 2, skip);
    this.wild();
    assembler.place(skip);
  }

  private wild(): void {
    const { assembler, next } = this;
    switch (below(next, 9)) {
      case 0:
      case 1:
        this.jump();
        return;
      case 2:
      case 3: {
        // Any access, its base anywhere.
        const [load, ...rest] = randomInstruction(next, this.from, this.options);
        const base = pick(next, [register.updated, 12]);
        assembler.constant(base, wildAddress(next));
        assembler.emitRemovable(load, ...rest);
        const primary = pick(next, [32, 33, 34, 36, 37, 38, 40, 42, 44, 45, 46, 47, 48, 49, 50, 52, 54, 55]);
        const displacement = pick(next, [0, 4, -4, 0x7fff, -0x8000, next()]);
        assembler.emit(immediateForm(primary, primary < 46 ? 11 : 25 + below(next, 7), base, displacement));
        // An indexed one: lwzx, stwx, lbzx, stbx, dcbz, lwarx, stwcx., icbi, lwbrx, stwbrx, lswx, stswx
        if (oneIn(next, 2)) {
          const extended = pick(next, [23, 151, 87, 215, 1014, 20, 150, 982, 534, 662, 533, 661]);
          assembler.emit(indexedForm(11, base, register.index, extended) | (extended === 150 ? 1 : 0));
        }
        return;
      }
      case 4:
        this.rewrite();
        return;
      case 5:
        this.changePages();
        return;
      case 6:
        this.call();
        return;
      case 7:
        // A stack somewhere, and its use.
        assembler.constant(1, wildAddress(next));
        assembler.emit(storeWordUpdate(1, -16, 1));
        return;
      default:
        // Nothing, a trap, mfmsr, rfi, any word.
        assembler.emit(pick(next, [0, 0x7fe00008, 0x7c0000a6, 0x4c000064, next() >>> 0]));
    }
  }

  /** Goes on somewhere, through LR or CTR. */
  private jump(): void {
    const { assembler, next } = this;
    if (oneIn(next, 3)) assembler.constant(12, codeAddress + below(next, 0x800));
    else assembler.constant(12, wildAddress(next));
    if (oneIn(next, 2)) {
      assembler.emit(moveToSpecial(special.lr, 12), oneIn(next, 2) ? returnToLink : branchToRegister(20, 0, 16, 1));
    } else {
      assembler.emit(moveToSpecial(special.ctr, 12), oneIn(next, 2) ? jumpToCounter : callCounter);
    }
  }

  /** Writes an instruction over the code, or to the pages beside it, and goes there or not. */
  private rewrite(): void {
    const { assembler, next } = this;
    const target =
      (oneIn(next, 2) ? codeAddress + 4 * below(next, 400) : writableCodeAddress + 4 * below(next, 8)) >>> 0;
    const start = codeAddress + 4 * assembler.words.length;
    assembler.constant(12, target);
    for (let left = 1 + below(next, 3); left > 0; left--) {
      const row = below(next, rows.length);
      assembler.constant(11, (values[row] | (next() & ~masks[row])) >>> 0);
      assembler.emit(storeWord(11, 4 * (left - 1), 12));
    }
    if (oneIn(next, 2)) {
      assembler.emit(indexedForm(0, 0, 12, 54), sync, indexedForm(0, 0, 12, 982), instructionSync);
      // What it writes over itself it runs before that.
      const end = codeAddress + 4 * assembler.words.length;
      if (target < end && target + 12 > start) this.determined = false;
    } else {
      this.determined = false;
    }
    if (oneIn(next, 2)) assembler.emit(moveToSpecial(special.ctr, 12), pick(next, [jumpToCounter, callCounter]));
  }

  /** Protects, unmaps, replaces or moves pages, those of the code among them. */
  private changePages(): void {
    const { next } = this;
    const page = pick(next, pagesOfInterest);
    const length = pageBytes * (1 + below(next, 3));
    const access = below(next, 8);
    const fixed = 0x32; // MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS
    // biome-ignore format: one row per line
    const [number, ...args] = pick(next, [
      [calls.mprotect, page, length, access],
      [calls.mprotect, page, length, access],
      [calls.munmap, page, length],
      [calls.mmap, page, length, access, fixed, 0xffffffff, 0],
      [calls.mremap, page, length, pageBytes, 3, pick(next, pagesOfInterest)],
      [calls.mremap, page, length, 4 * pageBytes, 1],
      [calls.madvise, page, length, 4],
    ]);
    this.callWith(number, args);
  }

  /** A system call without sense. */
  private call(): void {
    const { next } = this;
    const number = oneIn(next, 8) ? pick(next, [below(next, 500), next() >>> 0]) : pick(next, callNumbers);
    this.callWith(
      number,
      Array.from({ length: below(next, 7) }, () => wildArgument(next, this.paths)),
    );
  }

  private callWith(number: number, args: readonly number[]): void {
    args.forEach((value, i) => {
      this.assembler.constant(3 + i, value >>> 0);
    });
    this.assembler.constant(0, number);
    this.assembler.emit(systemCall);
  }
}

/** The program of a seed. */
export function createHostileProgram(seed: number): HostileProgram {
  const next = generator(seed);
  const shape = pick(next, ['noise', 'hot', 'hot', 'hot', 'calls'] as const);
  const limits: Limits = {
    threshold: pick(next, [1, 3, 10, 30]),
    regionLimit: pick(next, [600, 600, 40]),
    blockLimit: pick(next, [128, 128, 8]),
    depthLimit: pick(next, [4500, 100, 10]),
    loopBudget: pick(next, [5000, 100, 5]),
    tableEntries: pick(next, [4096, 4096, 4]),
  };
  const emitter = new HostileEmitter(next, shape);
  // Frames of signals show the floating-point status, and noise reads it.
  const exactFloatingPoint = shape === 'noise' || emitter.handlers.some((kind) => kind !== 'none') || oneIn(next, 2);
  const { assembler } = emitter;
  if (exactFloatingPoint) {
    assembler.constant(register.middle, dataAddress);
    assembler.emit(...beginExact);
  }
  emitter.emit();
  const words = assembler.finish();
  const writable = oneIn(next, 3) ? 2 : 0;
  const data = (length: number): Uint8Array => Uint8Array.from({ length }, () => next() & 255);
  const table = emitter.table.map(({ label, word }) => (label === undefined ? word : assembler.addressOf(label)));
  const file = buildElf({
    entry: codeAddress,
    segments: [
      { address: codeAddress, bytes: bytesOf(words), flags: 5 | writable },
      { address: dataAddress, bytes: data(0x1800), memorySize: 0x2000, flags: 6 },
      { address: readOnlyAddress, bytes: data(0x1000), flags: 4 },
      { address: lastDataAddress, bytes: new Uint8Array(0x1000), flags: 6 },
      { address: tableAddress, bytes: bytesOf(table), flags: 4 },
      { address: writableCodeAddress, bytes: bytesOf([returnToLink]), memorySize: 2 * pageBytes, flags: 7 },
    ],
  });
  return {
    seed,
    shape,
    words,
    file,
    limits,
    preciseFaults: oneIn(next, 2),
    exactFloatingPoint,
    // Noise writes anywhere, and may run it.
    determined: emitter.determined && (shape !== 'noise' || writable === 0),
  };
}
