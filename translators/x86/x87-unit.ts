/**
 * The x87 unit of a guest thread: its stack of registers, tags, status and control words (Intel SDM volume 1, chapter 8).
 *
 * Every helper begins and ends here: operands that are not there are stack faults, and a result is written unless an
 * unmasked exception forbids it.
 */
import { Context, defaultControl, type Extended, exception, indefinite, withoutResult } from '../float/extended.ts';
import type { RegisterFile, State } from '../ir/state.ts';
import { x87RegistersOf } from './x87-registers.ts';

/** Bits of the status word beside the exceptions. */
export const status = {
  stackFault: 0x40,
  summary: 0x80,
  c0: 0x100,
  c1: 0x200,
  c2: 0x400,
  c3: 0x4000,
  busy: 0x8000,
} as const;

/** Set together when an unmasked exception is pending. */
export const pending = status.summary | status.busy;

export class X87 {
  readonly context = new Context();
  /** Indices into the state's arrays. */
  private readonly significand: number;
  private readonly head: number;
  private readonly top: number;
  private readonly tags: number;
  private readonly status: number;
  private readonly control: number;
  readonly second: number;
  readonly instruction: number;
  readonly data: number;
  /** The thread that the present instruction is of. */
  private state!: State;

  constructor(file: RegisterFile) {
    const numbers = x87RegistersOf(file);
    const index = (register: number): number => file.registers[register].index;
    this.significand = index(numbers.significand);
    this.head = index(numbers.head);
    this.top = index(numbers.top);
    this.tags = index(numbers.tags);
    this.status = index(numbers.status);
    this.control = index(numbers.control);
    this.second = index(numbers.second);
    this.instruction = index(numbers.instruction);
    this.data = index(numbers.data);
  }

  // -- control

  /** Attends to a thread, outside of an instruction. */
  of(state: State): this {
    this.state = state;
    return this;
  }

  /** Begins an instruction of a thread. */
  start(state: State): Context {
    this.state = state;
    this.context.start(this.controlWord);
    return this.context;
  }

  get controlWord(): number {
    return this.state.i32[this.control] ^ defaultControl;
  }

  /** Sets the control word, of which some bits are fixed. An exception that is unmasked so becomes pending. */
  set controlWord(value: number) {
    this.state.i32[this.control] = ((value & 0x1f3f) | 0x40) ^ defaultControl;
    this.summarize();
  }

  /** Whether some exception is unmasked. */
  get hasUnmasked(): boolean {
    return (this.controlWord & 0x3f) !== 0x3f;
  }

  /** The status word with the top of the stack in bits 11 to 13. */
  get statusWord(): number {
    return this.state.i32[this.status] | (this.state.i32[this.top] << 11);
  }

  set statusWord(value: number) {
    this.state.i32[this.status] = value & 0x477f;
    this.state.i32[this.top] = (value >> 11) & 7;
    this.summarize();
  }

  /** Sets the summary of pending exceptions by status and control word. */
  private summarize(): void {
    const { i32 } = this.state;
    const value = i32[this.status] & ~pending;
    i32[this.status] = (value & ~this.controlWord & 0x3f) !== 0 ? value | pending : value;
  }

  /** Empties all registers' tags, and sets control and status words as finit does. */
  initialize(): void {
    const { i32 } = this.state;
    i32[this.control] = 0;
    i32[this.status] = 0;
    i32[this.top] = 0;
    i32[this.tags] = 0;
    i32[this.instruction] = 0;
    i32[this.data] = 0;
  }

  clearExceptions(): void {
    this.state.i32[this.status] &= ~(0x7f | pending);
  }

  setConditions(mask: number, value: number): void {
    const { i32 } = this.state;
    i32[this.status] = (i32[this.status] & ~mask) | value;
  }

  // -- registers

  get tagBits(): number {
    return this.state.i32[this.tags];
  }

  set tagBits(value: number) {
    this.state.i32[this.tags] = value & 0xff;
  }

  /** Number of the physical register that is ST(i). */
  physical(i: number): number {
    return (this.state.i32[this.top] + i) & 7;
  }

  /** Physical register n, whatever its tag. */
  register(n: number): Extended {
    const { i64, i32 } = this.state;
    return { head: i32[this.head + n] & 0xffff, significand: BigInt.asUintN(64, i64[this.significand + n]) };
  }

  setRegister(n: number, { head, significand }: Extended): void {
    this.state.i64[this.significand + n] = BigInt.asIntN(64, significand);
    this.state.i32[this.head + n] = head;
  }

  isEmpty(i: number): boolean {
    return (this.tagBits & (1 << this.physical(i))) === 0;
  }

  /** ST(i), or the indefinite and a stack fault when it is empty. */
  read(i: number): Extended {
    if (!this.isEmpty(i)) return this.register(this.physical(i));
    this.underflow();
    return indefinite;
  }

  /** Makes ST(i) this value, and not empty. */
  write(i: number, value: Extended): void {
    const n = this.physical(i);
    this.setRegister(n, value);
    this.tagBits |= 1 << n;
  }

  private underflow(): void {
    this.context.flags |= exception.invalid | status.stackFault;
  }

  /** Whether the operands were there and no unmasked exception keeps the result from being written. */
  get hasResult(): boolean {
    return (this.context.flags & ~this.context.control & withoutResult) === 0;
  }

  get hasStackFault(): boolean {
    return (this.context.flags & status.stackFault) !== 0;
  }

  /** Ends an instruction whose exceptions are in the context; C1 tells how it was rounded. */
  finish(): void {
    this.finishWith(status.c1, this.context.roundedUp ? status.c1 : 0);
  }

  /** The same with condition codes: those in `mask` become `value`, or with a stack fault C1 is cleared. */
  finishWith(mask: number, value: number): void {
    const { i32 } = this.state;
    const faults = this.hasStackFault;
    i32[this.status] = (i32[this.status] & ~(mask | (faults ? status.c1 : 0))) | value | this.context.flags;
    this.summarize();
  }

  /** Writes ST(i), when there is a result, and pops as often as asked; the end of most instructions. */
  finishResult(i: number, value: Extended, pops = 0): void {
    if (this.hasResult) {
      this.write(i, value);
      this.pop(pops);
    }
    this.finishOperand();
  }

  pop(times = 1): void {
    const { i32 } = this.state;
    for (let n = 0; n < times; n++) {
      i32[this.tags] &= ~(1 << i32[this.top]);
      this.rotate(1);
    }
  }

  /** Moves the top of the stack: 1 as popping does, -1 as pushing does. */
  rotate(by: number): void {
    const { i32 } = this.state;
    i32[this.top] = (i32[this.top] + by) & 7;
  }

  /** Ends an instruction whose only result is elsewhere; with a stack fault C1 tells of underflow. */
  finishOperand(): void {
    if (this.hasStackFault) this.context.roundedUp = false;
    this.finish();
  }

  /** Pushes what an instruction gives, unless the stack is full: then nothing else is looked at. */
  push(compute: () => Extended): void {
    const { context } = this;
    const overflows = !this.hasStackFault && !this.isEmpty(7);
    if (overflows) context.flags |= exception.invalid | status.stackFault;
    const value = this.hasStackFault ? indefinite : compute();
    // A denormal operand that is unmasked is pushed nevertheless.
    if ((context.flags & ~context.control & exception.invalid) === 0) {
      this.rotate(-1);
      this.write(0, value);
    }
    this.finishWith(status.c1, 0);
    if (overflows) this.setConditions(status.c1, status.c1);
  }

  /** Ends an instruction on ST(0) with two results: the first takes its place, the second is pushed. */
  finishPair(compute: () => readonly [Extended, Extended]): void {
    const { context } = this;
    const overflows = !this.hasStackFault && !this.isEmpty(7);
    if (overflows) context.flags |= exception.invalid | status.stackFault;
    const [first, second] = this.hasStackFault ? [indefinite, indefinite] : compute();
    if (this.hasResult) {
      this.write(0, first);
      this.rotate(-1);
      this.write(0, second);
    }
    this.finishOperand();
    if (overflows) this.setConditions(status.c1, status.c1);
  }
}
