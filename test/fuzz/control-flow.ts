/**
 * Random control flow: functions of a few blocks with loops, irreducible cycles, calls and recursion, returns that match
 * no call, jump tables, and, for programs that rewrite themselves, stores to their own code.
 *
 * A function's head and every block that is branched back to take one from r14 and give up below zero, so every program ends.
 */
import {
  Assembler,
  addImmediate,
  branchToRegister,
  callCounter,
  compareImmediate,
  indexedForm,
  instructionSync,
  jumpToCounter,
  type Label,
  loadWord,
  moveFromSpecial,
  moveToSpecial,
  nop,
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
import { codeAddress, codeSize, general, register, stackStart, tableAddress } from './layout.ts';
import type { Kind, Program } from './programs.ts';

/** What the host does at a system call with this number in r0. */
export const events = [
  'end',
  'leave',
  'interrupt',
  'patch',
  'protect',
  'remap',
  'forbid',
  'precise',
  'invalidate',
] as const;
export type Event = (typeof events)[number];

const eventsOf: Readonly<Record<string, readonly Event[]>> = {
  branches: ['leave'],
  rewriting: ['leave', 'patch', 'patch', 'protect', 'remap', 'forbid', 'precise', 'invalidate'],
  interrupts: ['leave', 'interrupt', 'interrupt', 'precise'],
};

interface Block {
  readonly label: Label;
  /** Branched back to, or entered from elsewhere. */
  counted: boolean;
}

interface Function {
  readonly blocks: readonly Block[];
  /** Calls nothing, has no frame, and returns by LR as it was. */
  readonly leaf: boolean;
  readonly epilogue: Label;
  /** Below zero: return, so that the calls so far are returned from; else end the round. */
  readonly returnsWhenEmpty: boolean;
  /** Instructions of a block's body at most. */
  readonly bodyLength: number;
  /** Its code is there: which blocks count is settled. */
  emitted: boolean;
}

const frame = 16;
/** r1 in the outermost function's body. */
const outerFrame = stackStart - frame;

class Emitter {
  readonly assembler = new Assembler(codeAddress);
  readonly tables: Label[][] = [];
  /** Words that a program may write over, and what it may write there. */
  readonly slots: { label: Label; words: number[] }[] = [];
  readonly functions: readonly Function[];
  private readonly next: Random;
  private readonly kind: Kind;
  private readonly options: InstructionOptions;
  private readonly from: ReturnType<typeof eligibleInstructions>;
  private readonly end: Label;
  private readonly qemu: boolean;

  constructor(next: Random, kind: Kind, qemu: boolean) {
    this.next = next;
    this.kind = kind;
    this.qemu = qemu;
    this.options = { faults: false, status: false, qemu };
    this.from = eligibleInstructions(this.options);
    this.end = this.assembler.label();
    const long = oneIn(next, 8);
    this.functions = Array.from({ length: 1 + below(next, 5) }, (_, number): Function => {
      const blocks = Array.from({ length: 2 + below(next, long ? 14 : 7) }, (_, index) => ({
        label: this.assembler.label(),
        counted: index === 0,
      }));
      return {
        blocks,
        leaf: number > 0 && oneIn(next, 3),
        epilogue: this.assembler.label(),
        returnsWhenEmpty: number > 0 && oneIn(next, 2),
        bodyLength: long ? 60 : pick(next, [1, 4, 10]),
        emitted: false,
      };
    });
  }

  emit(): void {
    const { assembler } = this;
    // Slots are named before the code that writes them is emitted.
    if (this.kind === 'rewriting') {
      for (let i = 0; i < 4; i++) {
        const words = Array.from({ length: 3 }, () => this.plainInstruction());
        this.slots.push({ label: assembler.label(), words });
      }
    }
    let slot = 0;
    this.functions.forEach((one, number) => {
      // Which blocks are branched back to is known only when all terminators are: so they are decided first.
      const terminators = one.blocks.map((_, index) => this.terminator(one, number, index));
      one.emitted = true;
      one.blocks.forEach((block, index) => {
        this.head(one, number, index, block);
        this.body(one);
        if (slot < this.slots.length && oneIn(this.next, 3)) this.slot(slot++);
        terminators[index]();
      });
      assembler.place(one.epilogue);
      this.epilogue(one, number);
    });
    while (slot < this.slots.length) this.slot(slot++);
    assembler.place(this.end);
    assembler.emit(addImmediate(0, 0, 0), systemCall);
    assembler.branch(this.end);
  }

  /** An instruction that touches no memory and sets no special register. */
  private plainInstruction(): number {
    for (;;) {
      const words = randomInstruction(this.next, this.from, this.options);
      const primary = words[0] >>> 26;
      if (words.length === 1 && (primary < 32 || primary >= 59) && primary !== 31) return words[0];
    }
  }

  private slot(index: number): void {
    this.assembler.place(this.slots[index].label);
    this.assembler.emit(this.slots[index].words[0]);
  }

  private head(one: Function, number: number, index: number, block: Block): void {
    const { assembler, next } = this;
    if (index === 0 && !one.leaf) {
      assembler.place(block.label);
      assembler.emit(storeWordUpdate(1, -frame, 1), moveFromSpecial(0, special.lr), storeWord(0, frame + 4, 1));
    } else {
      assembler.place(block.label);
    }
    if (!block.counted) return;
    const empty = one.returnsWhenEmpty ? one.epilogue : this.end;
    if (oneIn(next, 2)) {
      const field = below(next, 8);
      assembler.emit(addImmediate(register.fuel, register.fuel, -1), compareImmediate(field, register.fuel, 0));
      assembler.branchIf(12, 4 * field, empty);
    } else {
      // addic.
      assembler.emit(((13 << 26) | (register.fuel << 21) | (register.fuel << 16) | 0xffff) >>> 0);
      assembler.branchIf(12, 0, empty);
    }
    if (number === 0 && index === 0 && oneIn(next, 2)) this.event();
  }

  private body(one: Function): void {
    const { next, assembler } = this;
    for (let left = below(next, one.bodyLength + 1); left > 0; left--) {
      assembler.emitRemovable(...randomInstruction(next, this.from, this.options));
    }
    if (oneIn(next, 400)) {
      for (let i = 0; i < 150; i++) assembler.emitRemovable(this.plainInstruction());
    }
    if (this.kind === 'rewriting' && oneIn(next, 4)) this.rewrite();
    if (this.kind !== 'branches' && oneIn(next, 6)) this.event();
  }

  /** Stores an instruction over a slot, and makes it known as the architecture asks. */
  private rewrite(): void {
    const { assembler, next } = this;
    const { label, words } = pick(next, this.slots);
    assembler.addressInto(12, label);
    assembler.constant(11, pick(next, words));
    assembler.emit(storeWord(11, 0, 12), indexedForm(0, 0, 12, 54), sync, indexedForm(0, 0, 12, 982), instructionSync);
  }

  private event(): void {
    const { assembler, next, kind, qemu } = this;
    if (qemu) return;
    assembler.emit(addImmediate(0, 0, events.indexOf(pick(next, eventsOf[kind]))), systemCall);
  }

  private epilogue(one: Function, number: number): void {
    const { assembler } = this;
    if (number === 0) {
      assembler.branch(this.end);
      return;
    }
    if (!one.leaf) assembler.emit(loadWord(0, frame + 4, 1), moveToSpecial(special.lr, 0), addImmediate(1, 1, frame));
    assembler.emit(returnToLink);
  }

  /** Any block of the function, marked when it is branched back to. */
  private target(one: Function, index: number): Label {
    const at = below(this.next, one.blocks.length + 1);
    if (at === one.blocks.length) return one.epilogue;
    // The first block of a function with a frame makes one.
    const chosen = at === 0 && !one.leaf ? 1 : at;
    if (chosen <= index) one.blocks[chosen].counted = true;
    return one.blocks[chosen].label;
  }

  /** Sets some condition field from what the code computed. */
  private compare(): number {
    const { next, assembler } = this;
    const field = below(next, 8);
    const a = pick(next, general);
    if (oneIn(next, 2)) assembler.emit(compareImmediate(field, a, below(next, 64) - 32));
    else assembler.emit(indexedForm(field << 2, a, pick(next, general), oneIn(next, 2) ? 0 : 32));
    return 4 * field + below(next, 4);
  }

  /** Decides how a block ends; the answer emits it. */
  private terminator(one: Function, number: number, index: number): () => void {
    const { next, assembler } = this;
    const choice = below(next, 22);
    const condition = (): number => (oneIn(next, 3) ? below(next, 32) : this.compare());
    switch (choice) {
      case 0:
      case 1:
      case 2:
      case 3:
      case 4: {
        const target = this.target(one, index);
        return () => assembler.branchIf(pick(next, [12, 4, 13, 5]), condition(), target);
      }
      case 5:
      case 6: {
        const target = this.target(one, index);
        return () => assembler.branch(target);
      }
      case 7:
      case 8: {
        // A loop counted by CTR, or CTR and a condition.
        const target = this.target(one, index);
        return () => assembler.branchIf(pick(next, [16, 16, 18, 0, 2, 8, 10]), below(next, 32), target);
      }
      case 9:
      case 10:
      case 11:
      case 12:
        return this.call(one);
      case 13:
      case 14:
        return this.jumpTable(one, index);
      case 15:
        // A return on a condition, where LR is still as it was.
        return () => {
          if (one.leaf) assembler.emit(branchToRegister(pick(next, [12, 4]), condition(), 16, 0));
        };
      case 16:
        return this.jumpIntoAnother(one, number);
      case 17:
        return this.longJump();
      case 18: {
        // A conditional jump through CTR.
        const target = this.target(one, index);
        return () => {
          assembler.addressInto(12, target);
          assembler.emit(moveToSpecial(special.ctr, 12));
          assembler.emit(branchToRegister(pick(next, [12, 4]), condition(), 528, 0));
        };
      }
      default:
        return () => {};
    }
  }

  private call(one: Function): () => void {
    const { next, assembler, functions } = this;
    if (one.leaf || functions.length === 1) return () => {};
    const callee = functions[1 + below(next, functions.length - 1)];
    const label = callee.blocks[0].label;
    switch (below(next, 6)) {
      case 0:
        return () => {
          assembler.addressInto(12, label);
          assembler.emit(moveToSpecial(special.ctr, 12), callCounter);
        };
      case 1:
        return () => {
          assembler.addressInto(12, label);
          // blrl
          assembler.emit(moveToSpecial(special.lr, 12), branchToRegister(20, 0, 16, 1));
        };
      case 2:
        return () => assembler.branchIf(pick(next, [12, 4]), this.compare(), label, 1);
      case 3: {
        // One of several functions, by a table.
        const table = Array.from({ length: 4 }, () => pick(next, functions.slice(1)).blocks[0].label);
        return () => {
          this.loadFromTable(table);
          assembler.emit(moveToSpecial(special.ctr, 12), callCounter);
        };
      }
      default:
        return () => assembler.branch(label, 1);
    }
  }

  /** Jumps to one of several blocks, through CTR or, as some code does, LR. */
  private jumpTable(one: Function, index: number): () => void {
    const { next, assembler } = this;
    const table = Array.from({ length: pick(next, [4, 8]) }, () => this.target(one, index));
    const byLink = !one.leaf && oneIn(next, 4);
    return () => {
      this.loadFromTable(table);
      if (byLink) assembler.emit(moveToSpecial(special.lr, 12), returnToLink);
      else assembler.emit(moveToSpecial(special.ctr, 12), jumpToCounter);
    };
  }

  /** r12 = an entry of a new table, chosen by some register or by the fuel, which changes all the time. */
  private loadFromTable(table: Label[]): void {
    const { assembler, next } = this;
    const at = tableAddress + 4 * this.tables.reduce((sum, each) => sum + each.length, 0);
    this.tables.push(table);
    const selector = oneIn(next, 2) ? register.fuel : pick(next, general);
    // rlwinm r11,selector,2,... : index times 4
    const first = table.length === 8 ? 27 : 28;
    assembler.emit(((21 << 26) | (selector << 21) | (11 << 16) | (2 << 11) | (first << 6) | (29 << 1)) >>> 0);
    assembler.constant(12, at);
    assembler.emit(indexedForm(12, 12, 11, 23));
  }

  /** Goes on in the middle of another function of the same shape. */
  private jumpIntoAnother(one: Function, number: number): () => void {
    const others = this.functions.filter((each, at) => at > 0 && each !== one && each.leaf === one.leaf);
    if (number === 0 || others.length === 0) return () => {};
    const { blocks, emitted } = pick(this.next, others);
    const block = blocks[1 + below(this.next, blocks.length - 1)];
    if (emitted && !block.counted) return () => {};
    block.counted = true;
    return () => this.assembler.branch(block.label);
  }

  /** Returns to a block of the outermost function whatever was called since. */
  private longJump(): () => void {
    const { next, assembler, functions } = this;
    const { blocks } = functions[0];
    const block = blocks[1 + below(next, blocks.length - 1)];
    if (functions[0].emitted && !block.counted) return () => {};
    block.counted = true;
    return () => {
      assembler.constant(1, outerFrame);
      assembler.addressInto(12, block.label);
      assembler.emit(moveToSpecial(special.lr, 12), returnToLink);
    };
  }
}

/** A program with random control flow. */
export function emitControlFlow(next: Random, kind: Kind, qemu: boolean): Omit<Program, 'kind' | 'seed' | 'limits'> {
  for (;;) {
    const emitter = new Emitter(next, kind, qemu);
    emitter.emit();
    const { assembler, functions, tables, slots } = emitter;
    if (assembler.words.length * 4 > codeSize) continue;
    const words = assembler.finish();
    const starts = functions.map(({ blocks }) => assembler.addressOf(blocks[0].label));
    const symbols = starts.map((start, i) => ({
      name: `function${i}`,
      start,
      size: (starts[i + 1] ?? codeAddress + 4 * words.length) - start,
    }));
    const deep = oneIn(next, 6);
    return {
      words,
      removable: assembler.removable,
      tables: tables.flat().map((label) => assembler.addressOf(label)),
      symbols: oneIn(next, 2) ? symbols : [],
      rounds: kind === 'rewriting' ? 3 : 8,
      writableCode: kind === 'rewriting',
      preciseFaults: oneIn(next, 2),
      exactFloatingPoint: false,
      fuel: kind === 'rewriting' ? [30, 60, 100] : [40, 100, 300, deep ? 2500 : 500],
      interrupts: kind === 'interrupts',
      patches: slots.flatMap(({ label, words: choices }) =>
        [...choices, nop].map((word) => ({ at: (assembler.addressOf(label) - codeAddress) >> 2, word })),
      ),
    };
  }
}
