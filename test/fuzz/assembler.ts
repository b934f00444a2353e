/** A small assembler for generated programs: instruction words, and branches to labels that are placed later. */

/** The D form: primary opcode, RT, RA and a 16-bit immediate. */
export const immediateForm = (primary: number, rt: number, ra: number, immediate: number): number =>
  ((primary << 26) | (rt << 21) | (ra << 16) | (immediate & 0xffff)) >>> 0;
/** The X form with primary opcode 31: RT, RA, RB and the extended opcode. */
export const indexedForm = (rt: number, ra: number, rb: number, extended: number): number =>
  ((31 << 26) | (rt << 21) | (ra << 16) | (rb << 11) | (extended << 1)) >>> 0;

export const nop = 0x60000000;
export const systemCall = 0x44000002;
export const instructionSync = 0x4c00012c;
export const sync = 0x7c0004ac;
export const returnToLink = 0x4e800020;
export const jumpToCounter = 0x4e800420;
export const callCounter = 0x4e800421;

export const addImmediate = (rt: number, ra: number, value: number): number => immediateForm(14, rt, ra, value);
export const compareImmediate = (field: number, ra: number, value: number): number =>
  immediateForm(11, field << 2, ra, value);
export const loadWord = (rt: number, displacement: number, ra: number): number =>
  immediateForm(32, rt, ra, displacement);
export const storeWord = (rs: number, displacement: number, ra: number): number =>
  immediateForm(36, rs, ra, displacement);
export const storeWordUpdate = (rs: number, displacement: number, ra: number): number =>
  immediateForm(37, rs, ra, displacement);
const specialField = (number: number): number => ((number & 31) << 5) | (number >>> 5);
const moveSpecial = (rt: number, number: number, extended: number): number =>
  ((31 << 26) | (rt << 21) | (specialField(number) << 11) | (extended << 1)) >>> 0;
/** mtspr and mfspr. */
export const moveToSpecial = (number: number, rs: number): number => moveSpecial(rs, number, 467);
export const moveFromSpecial = (rt: number, number: number): number => moveSpecial(rt, number, 339);
/** Numbers of the special registers. */
export const special = { xer: 1, lr: 8, ctr: 9 } as const;
/** bclr and bcctr, with the link bit. */
export const branchToRegister = (bo: number, bi: number, extended: 16 | 528, link: 0 | 1): number =>
  ((19 << 26) | (bo << 21) | (bi << 16) | (extended << 1) | link) >>> 0;

/** A label is a number; `label()` makes one and `place()` says where it is. */
export type Label = number;

interface Fixup {
  readonly at: number;
  readonly label: Label;
  readonly kind: 'branch' | 'condition' | 'high' | 'low';
}

export class Assembler {
  readonly words: number[] = [];
  /** Positions of words that a program still makes sense without. */
  readonly removable: number[] = [];
  private readonly base: number;
  private readonly places: number[] = [];
  private readonly fixups: Fixup[] = [];

  /** @param base guest address of the first word */
  constructor(base: number) {
    this.base = base;
  }

  emit(...words: number[]): void {
    for (const word of words) this.words.push(word);
  }

  /** Emits words that minimizing may take away. */
  emitRemovable(...words: number[]): void {
    for (const word of words) {
      this.removable.push(this.words.length);
      this.words.push(word);
    }
  }

  label(): Label {
    return this.places.push(-1) - 1;
  }

  place(label: Label): void {
    this.places[label] = this.words.length;
  }

  /** Guest address of a placed label. */
  addressOf(label: Label): number {
    if (this.places[label] < 0) throw new RangeError(`label ${label} has no place`);
    return this.base + 4 * this.places[label];
  }

  /** b or bl. */
  branch(label: Label, link: 0 | 1 = 0): void {
    this.fixups.push({ at: this.words.length, label, kind: 'branch' });
    this.emit((18 << 26) | link);
  }

  /** bc or bcl. */
  branchIf(bo: number, bi: number, label: Label, link: 0 | 1 = 0): void {
    this.fixups.push({ at: this.words.length, label, kind: 'condition' });
    this.emit((16 << 26) | (bo << 21) | (bi << 16) | link);
  }

  /** Loads a constant (two instructions). */
  constant(register: number, value: number): void {
    this.emit(immediateForm(15, register, 0, value >>> 16), immediateForm(24, register, register, value));
  }

  /** Loads a label's address (two instructions). */
  addressInto(register: number, label: Label): void {
    this.fixups.push({ at: this.words.length, label, kind: 'high' });
    this.fixups.push({ at: this.words.length + 1, label, kind: 'low' });
    this.constant(register, 0);
  }

  /** The finished words; every label that is used must have a place. */
  finish(): number[] {
    for (const { at, label, kind } of this.fixups) {
      const address = this.addressOf(label);
      const displacement = address - (this.base + 4 * at);
      let field: number;
      if (kind === 'branch') field = displacement & 0x03fffffc;
      else if (kind === 'high') field = address >>> 16;
      else if (kind === 'low') field = address & 0xffff;
      else if (displacement >= -0x8000 && displacement < 0x8000) field = displacement & 0xfffc;
      else throw new RangeError('a conditional branch cannot reach its label');
      this.words[at] |= field;
    }
    return this.words.map((word) => word >>> 0);
  }
}
