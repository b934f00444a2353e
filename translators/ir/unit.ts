/**
 * Storage for IR: instructions of one translation in flat arrays, grouped into blocks.
 *
 * A value is the index of the instruction that makes it. Instructions of a block are contiguous and
 * a value is used only within its block; what crosses blocks goes through guest registers.
 * Operands stand in the words a, b, c in order; `imm` and the words that operands leave free hold
 * immediates (operations.ts, column `immediates`). -1 stands for an absent operand.
 */

export interface Block {
  /** Guest address of the first instruction. */
  readonly pc: number;
  /** Index of the first instruction, and the one past the last. */
  first: number;
  end: number;
  /** Guest instructions in the block, and the guest address past the last of them. */
  guestInstructions: number;
  endPc: number;
  /** Where instructions vary in length: their guest addresses. Not all of them leave something in the IR. */
  starts?: readonly number[];
  /** The block ends in a call of the guest's that is a jump here, because the called function is part of the region. */
  endsInInlinedCall?: boolean;
}

/** How many of a block's instructions, which vary in length, come before one of them. */
export function instructionsBefore(starts: readonly number[], pc: number): number {
  const count = starts.indexOf(pc >>> 0);
  return count < 0 ? starts.length : count;
}

export class Unit {
  /** Instructions in use. */
  count = 0;
  blocks: Block[] = [];
  op: Uint16Array;
  a: Int32Array;
  b: Int32Array;
  c: Int32Array;
  imm: Int32Array;
  /** Guest address of the instruction that each IR instruction came from. */
  pc: Int32Array;

  /**
   * Reads of registers that were answered with a value known in the block, and so left no `get`: pairs of the position
   * (the next instruction's index) and the register. Where control may leave in the middle of a block they tell
   * which registers are still to be read.
   */
  forwardedReads: number[] = [];

  constructor(capacity = 1024) {
    this.op = new Uint16Array(capacity);
    this.a = new Int32Array(capacity);
    this.b = new Int32Array(capacity);
    this.c = new Int32Array(capacity);
    this.imm = new Int32Array(capacity);
    this.pc = new Int32Array(capacity);
  }

  /** Empties the unit for reuse; its arrays stay. */
  clear(): void {
    this.count = 0;
    this.blocks = [];
    this.forwardedReads = [];
  }

  /** Appends an instruction and returns its index. */
  append(op: number, a: number, b: number, c: number, imm: number, pc: number): number {
    if (this.count === this.op.length) this.grow();
    const index = this.count++;
    this.op[index] = op;
    this.a[index] = a;
    this.b[index] = b;
    this.c[index] = c;
    this.imm[index] = imm;
    this.pc[index] = pc;
    return index;
  }

  private grow(): void {
    const capacity = this.op.length * 2;
    const op = new Uint16Array(capacity);
    op.set(this.op);
    this.op = op;
    this.a = enlarged(this.a, capacity);
    this.b = enlarged(this.b, capacity);
    this.c = enlarged(this.c, capacity);
    this.imm = enlarged(this.imm, capacity);
    this.pc = enlarged(this.pc, capacity);
  }
}

function enlarged(array: Int32Array, capacity: number): Int32Array {
  const result = new Int32Array(capacity);
  result.set(array);
  return result;
}
