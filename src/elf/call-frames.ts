/**
 * Call frame information: for each place in the code, where its caller's registers are (DWARF 5, section 6.4, and the
 * LSB's "Exception Frames" for .eh_frame). Compilers write it for x86 at all levels of optimization, so that callers are
 * found without frame pointers.
 */
import { DwarfCursor } from './dwarf-cursor.ts';
import type { ElfImage } from './read-elf.ts';
import { readSections, type Section } from './sections.ts';

/** Begins to read a DWARF expression. */
export type Expression = () => DwarfCursor;

/** How a register of the caller is found; registers have DWARF's numbers of the architecture. */
export type RegisterRule =
  /** In memory, so many bytes from the frame's address. */
  | { readonly kind: 'offset'; readonly offset: number }
  /** The frame's address and so many bytes. */
  | { readonly kind: 'value'; readonly offset: number }
  | { readonly kind: 'register'; readonly register: number }
  /** In memory, where an expression says. */
  | { readonly kind: 'expression'; readonly expression: Expression }
  /** Nowhere. */
  | { readonly kind: 'undefined' };

/** The address of a frame (CFA): what the stack pointer was before the call. */
export type FrameRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly expression: Expression };

export interface CallFrame {
  readonly frame: FrameRule;
  /** Registers without a rule are as they are. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
  /** Which register's rule finds the return address. */
  readonly returnAddress: number;
  /** A signal handler returns there: the caller's address is that of an instruction that was interrupted. */
  readonly isSignal: boolean;
}

/** What the descriptions of many functions share (CIE). */
interface Common {
  readonly codeAlignment: number;
  readonly dataAlignment: number;
  readonly returnAddress: number;
  readonly isSignal: boolean;
  readonly hasAugmentation: boolean;
  /** DW_EH_PE_*: how addresses are written. */
  readonly encoding: number;
  /** Where its instructions begin and end, in the file. */
  readonly start: number;
  readonly end: number;
}

/** A function's description (FDE); addresses are the file's. */
interface Description {
  readonly low: number;
  readonly high: number;
  readonly common: Common;
  readonly start: number;
  readonly end: number;
}

/** The call frame information of a program, read when it is first asked for. */
export class CallFrames {
  private readonly image: ElfImage;
  private readonly bias: number;
  private descriptions: Description[] | undefined;

  /** @param bias what the loader added to the file's addresses */
  constructor(image: ElfImage, bias: number) {
    this.image = image;
    this.bias = bias;
  }

  /** How to leave the frame of the code at a guest address; undefined where nothing is said of it. */
  at(address: number): CallFrame | undefined {
    this.descriptions ??= this.read();
    const { descriptions } = this;
    const target = address - this.bias;
    let low = 0;
    let high = descriptions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (descriptions[middle].low <= target) low = middle + 1;
      else high = middle;
    }
    const description = descriptions[low - 1];
    if (description === undefined || target >= description.high) return undefined;
    try {
      return new FrameProgram(this.image, description).run(target);
    } catch (error) {
      if (error instanceof RangeError) return undefined;
      throw error;
    }
  }

  /** The descriptions of both sections, in address order; of two for the same place the one of .eh_frame. */
  private read(): Description[] {
    const sections = readSections(this.image);
    const found: Description[] = [];
    for (const name of ['.eh_frame', '.debug_frame']) {
      const section = sections.find((candidate) => candidate?.name === name);
      if (section !== undefined) this.readSection(section, name === '.eh_frame', found);
    }
    return found.sort((a, b) => a.low - b.low).filter(({ low }, i, all) => low !== all[i - 1]?.low);
  }

  /** What makes no sense ends the reading: what follows cannot be found. */
  private readSection(section: Section, isExceptionFrame: boolean, found: Description[]): void {
    const { reader } = this.image;
    const cursor = new DwarfCursor(reader, section.offset, section.offset + section.size);
    const commons = new Map<number, Common>();
    /** What is at an address of the file when the section is loaded, for addresses that count from their own place. */
    const placeOf = (offset: number): number => section.address + offset - section.offset;
    try {
      while (cursor.offset + 4 <= cursor.end) {
        const entry = cursor.offset;
        let length = cursor.u32();
        const isWide = length === 0xffffffff;
        if (isWide) length = cursor.u64();
        if (length === 0) continue;
        const idPlace = cursor.skip(length);
        const body = new DwarfCursor(reader, idPlace, idPlace + length);
        const id = body.sized(isWide && !isExceptionFrame ? 8 : 4);
        if (id === (isExceptionFrame ? 0 : 0xffffffff)) {
          const common = readCommon(body, reader.addressBits);
          if (common !== undefined) commons.set(entry, common);
          continue;
        }
        const common = commons.get(isExceptionFrame ? idPlace - id : section.offset + id);
        if (common === undefined) continue;
        const low = readAddress(body, common.encoding, placeOf, reader.addressBits);
        const size = readAddress(body, common.encoding & formatMask, placeOf, reader.addressBits);
        if (low === undefined || size === undefined) continue;
        if (common.hasAugmentation) body.skip(body.uleb());
        // Of functions that linkers dropped a description may stay, at address 0.
        if (low > 0) found.push({ low, high: low + size, common, start: body.offset, end: body.end });
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
}

/** @returns undefined for what is not understood: its functions have no descriptions then */
function readCommon(body: DwarfCursor, addressBits: number): Common | undefined {
  const version = body.u8();
  const augmentation = body.string();
  if (version === 4) body.skip(2);
  const codeAlignment = body.uleb();
  const dataAlignment = body.sleb();
  const returnAddress = version === 1 ? body.u8() : body.uleb();
  const hasAugmentation = augmentation.startsWith('z');
  if (augmentation !== '' && !hasAugmentation) return undefined;
  let encoding = 0;
  let isSignal = false;
  if (hasAugmentation) {
    const length = body.uleb();
    const data = new DwarfCursor(body.reader, body.offset, body.offset + length);
    body.skip(length);
    for (const letter of augmentation.slice(1)) {
      if (letter === 'R') encoding = data.u8();
      else if (letter === 'L') data.u8();
      else if (letter === 'P') readAddress(data, data.u8() & formatMask, (offset) => offset, addressBits);
      else if (letter === 'S') isSignal = true;
      else return undefined;
    }
  }
  const { offset: start, end } = body;
  return { codeAlignment, dataAlignment, returnAddress, isSignal, hasAugmentation, encoding, start, end };
}

const formatMask = 0x0f;
const relativeMask = 0x70;
const programCounterRelative = 0x10;
const indirect = 0x80;

/** An address as exception frames encode it (DW_EH_PE_*); undefined for an encoding that needs a running program. */
function readAddress(
  cursor: DwarfCursor,
  encoding: number,
  placeOf: (offset: number) => number,
  addressBits: number,
): number | undefined {
  const place = placeOf(cursor.offset);
  const value = readFormat(cursor, encoding & formatMask, addressBits);
  const relative = encoding & relativeMask;
  if (value === undefined || (encoding & indirect) !== 0) return undefined;
  if (relative === 0) return value;
  return relative === programCounterRelative ? place + value : undefined;
}

function readFormat(cursor: DwarfCursor, format: number, addressBits: number): number | undefined {
  switch (format) {
    case 0x00:
      return cursor.sized(addressBits / 8);
    case 0x01:
      return cursor.uleb();
    case 0x02:
      return cursor.u16();
    case 0x03:
      return cursor.u32();
    case 0x04:
      return cursor.u64();
    case 0x09:
      return cursor.sleb();
    case 0x0a:
      return (cursor.u16() << 16) >> 16;
    case 0x0b:
      return cursor.u32() | 0;
    case 0x0c:
      // What is negative is near 2^64, beyond a double's precision; the low word and the sign are what counts.
      return Number(BigInt.asIntN(64, BigInt(cursor.u64())));
    default:
      return undefined;
  }
}

/** DW_CFA_*: the first three have an operand in their low six bits. */
const cfa = {
  advance: 0x40,
  offset: 0x80,
  restore: 0xc0,
  nop: 0x00,
  advance1: 0x02,
  advance2: 0x03,
  advance4: 0x04,
  offsetExtended: 0x05,
  restoreExtended: 0x06,
  undefined: 0x07,
  sameValue: 0x08,
  register: 0x09,
  rememberState: 0x0a,
  restoreState: 0x0b,
  defineFrame: 0x0c,
  defineFrameRegister: 0x0d,
  defineFrameOffset: 0x0e,
  defineFrameExpression: 0x0f,
  expression: 0x10,
  offsetExtendedSigned: 0x11,
  defineFrameSigned: 0x12,
  defineFrameOffsetSigned: 0x13,
  valueOffset: 0x14,
  valueOffsetSigned: 0x15,
  argumentsSize: 0x2e,
} as const;

/** The instructions that build the rules of a function, up to an address. */
class FrameProgram {
  private readonly description: Description;
  private readonly image: ElfImage;
  private frame: FrameRule | undefined;
  private registers = new Map<number, RegisterRule>();
  private initial: ReadonlyMap<number, RegisterRule> = new Map();
  private readonly remembered: { frame: FrameRule | undefined; registers: Map<number, RegisterRule> }[] = [];
  private location: number;

  constructor(image: ElfImage, description: Description) {
    this.image = image;
    this.description = description;
    this.location = description.low;
  }

  /** @throws RangeError when an instruction is not known or cut off */
  run(target: number): CallFrame | undefined {
    const { common, start, end } = this.description;
    const { reader } = this.image;
    this.perform(new DwarfCursor(reader, common.start, common.end), Number.POSITIVE_INFINITY);
    this.initial = new Map(this.registers);
    this.perform(new DwarfCursor(reader, start, end), target);
    const { frame, registers } = this;
    const { returnAddress, isSignal } = common;
    return frame === undefined ? undefined : { frame, registers, returnAddress, isSignal };
  }

  /** Performs instructions as long as the rules that they build begin at or before `target`. */
  private perform(cursor: DwarfCursor, target: number): void {
    const { codeAlignment, dataAlignment } = this.description.common;
    const set = (register: number, rule: RegisterRule): unknown => this.registers.set(register, rule);
    const expression = (): Expression => {
      const length = cursor.uleb();
      const start = cursor.skip(length);
      return () => new DwarfCursor(cursor.reader, start, start + length);
    };
    while (cursor.offset < cursor.end && this.location <= target) {
      const byte = cursor.u8();
      const operand = byte & 0x3f;
      const code = (byte & 0xc0) === 0 ? byte : byte & 0xc0;
      switch (code) {
        case cfa.nop:
          break;
        case cfa.advance:
          this.location += operand * codeAlignment;
          break;
        case cfa.advance1:
          this.location += cursor.u8() * codeAlignment;
          break;
        case cfa.advance2:
          this.location += cursor.u16() * codeAlignment;
          break;
        case cfa.advance4:
          this.location += cursor.u32() * codeAlignment;
          break;
        case cfa.offset:
          set(operand, { kind: 'offset', offset: cursor.uleb() * dataAlignment });
          break;
        case cfa.offsetExtended:
          set(cursor.uleb(), { kind: 'offset', offset: cursor.uleb() * dataAlignment });
          break;
        case cfa.offsetExtendedSigned:
          set(cursor.uleb(), { kind: 'offset', offset: cursor.sleb() * dataAlignment });
          break;
        case cfa.valueOffset:
          set(cursor.uleb(), { kind: 'value', offset: cursor.uleb() * dataAlignment });
          break;
        case cfa.valueOffsetSigned:
          set(cursor.uleb(), { kind: 'value', offset: cursor.sleb() * dataAlignment });
          break;
        case cfa.register:
          set(cursor.uleb(), { kind: 'register', register: cursor.uleb() });
          break;
        case cfa.expression:
          set(cursor.uleb(), { kind: 'expression', expression: expression() });
          break;
        case cfa.undefined:
          set(cursor.uleb(), { kind: 'undefined' });
          break;
        case cfa.sameValue:
          this.registers.delete(cursor.uleb());
          break;
        case cfa.restore:
          this.restore(operand);
          break;
        case cfa.restoreExtended:
          this.restore(cursor.uleb());
          break;
        case cfa.rememberState:
          this.remembered.push({ frame: this.frame, registers: new Map(this.registers) });
          break;
        case cfa.restoreState: {
          const state = this.remembered.pop();
          if (state === undefined) throw new RangeError('no state was remembered');
          this.frame = state.frame;
          this.registers = state.registers;
          break;
        }
        case cfa.defineFrame:
          this.frame = { kind: 'register', register: cursor.uleb(), offset: cursor.uleb() };
          break;
        case cfa.defineFrameSigned:
          this.frame = { kind: 'register', register: cursor.uleb(), offset: cursor.sleb() * dataAlignment };
          break;
        case cfa.defineFrameRegister:
          this.frame = { kind: 'register', register: cursor.uleb(), offset: this.frameOffset };
          break;
        case cfa.defineFrameOffset:
          this.frame = { kind: 'register', register: this.frameRegister, offset: cursor.uleb() };
          break;
        case cfa.defineFrameOffsetSigned:
          this.frame = { kind: 'register', register: this.frameRegister, offset: cursor.sleb() * dataAlignment };
          break;
        case cfa.defineFrameExpression:
          this.frame = { kind: 'expression', expression: expression() };
          break;
        case cfa.argumentsSize:
          cursor.uleb();
          break;
        default:
          throw new RangeError(`the instruction ${byte} is not known`);
      }
    }
  }

  private restore(register: number): void {
    const rule = this.initial.get(register);
    if (rule === undefined) this.registers.delete(register);
    else this.registers.set(register, rule);
  }

  private get frameOffset(): number {
    return this.frame?.kind === 'register' ? this.frame.offset : 0;
  }

  private get frameRegister(): number {
    return this.frame?.kind === 'register' ? this.frame.register : 0;
  }
}
