/** Which source line an address belongs to, by the DWARF line tables, versions 2 to 5 (DWARF 5, section 6.2). */
import { DwarfCursor } from './dwarf-cursor.ts';
import type { ElfImage } from './read-elf.ts';
import { readSections, type Section } from './sections.ts';

export interface SourceLine {
  /** The path as the compiler was given it, below its directory. */
  readonly file: string;
  readonly line: number;
}

/** Standard opcodes (DW_LNS_*), extended ones (DW_LNE_*), content types (DW_LNCT_*) and forms (DW_FORM_*). */
const standard = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const extended = { endSequence: 1, setAddress: 2 } as const;
const contentPath = 1;
const contentDirectory = 2;
const form = {
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  data1: 0x0b,
  strp: 0x0e,
  udata: 0x0f,
  data16: 0x1e,
  lineStrp: 0x1f,
} as const;

/** Rows of consecutive addresses; row i holds from addresses[i] to before addresses[i + 1]. The last row only ends it. */
interface Sequence {
  readonly addresses: number[];
  readonly lines: number[];
  readonly files: number[];
  readonly names: readonly string[];
}

interface LineProgram {
  readonly minimumLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** Operands of each standard opcode. */
  readonly operandCounts: readonly number[];
  readonly names: readonly string[];
}

/** The line tables of a program, read when the first line is asked for. */
export class LineTable {
  private readonly image: ElfImage;
  private readonly bias: number;
  private sections: (Section | undefined)[] = [];
  private sequences: Sequence[] | undefined;

  /** @param bias what the loader added to the file's addresses */
  constructor(image: ElfImage, bias: number) {
    this.image = image;
    this.bias = bias;
  }

  /** The source line of a guest address. */
  lineAt(address: number): SourceLine | undefined {
    this.sequences ??= this.read();
    const target = address - this.bias;
    const sequence = this.sequences[lastAtMost(this.sequences.length, (i) => this.sequences![i].addresses[0], target)];
    if (sequence === undefined) return undefined;
    const { addresses } = sequence;
    const row = lastAtMost(addresses.length, (i) => addresses[i], target);
    if (row === addresses.length - 1 || sequence.lines[row] === 0) return undefined;
    return { file: sequence.names[sequence.files[row]] ?? '', line: sequence.lines[row] };
  }

  /** All sequences in address order. A unit that makes no sense ends the reading: what follows cannot be found. */
  private read(): Sequence[] {
    this.sections = readSections(this.image);
    const section = this.sections.find((candidate) => candidate?.name === '.debug_line');
    const sequences: Sequence[] = [];
    if (section === undefined) return sequences;
    const cursor = new DwarfCursor(this.image.reader, section.offset, section.offset + section.size);
    try {
      while (cursor.offset < cursor.end) this.readUnit(cursor, sequences);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    return sequences.sort((a, b) => a.addresses[0] - b.addresses[0]);
  }

  private readUnit(section: DwarfCursor, sequences: Sequence[]): void {
    let length = section.u32();
    const wide = length === 0xffffffff;
    if (wide) length = section.u64();
    const start = section.skip(length);
    const cursor = new DwarfCursor(section.reader, start, start + length);
    const version = cursor.u16();
    if (version < 2 || version > 5) return;
    if (version === 5) cursor.skip(2);
    const headerLength = cursor.sized(wide ? 8 : 4);
    const programStart = cursor.offset + headerLength;
    const minimumLength = cursor.u8();
    if (version >= 4) cursor.skip(1);
    cursor.skip(1);
    const lineBase = cursor.i8();
    const lineRange = Math.max(1, cursor.u8());
    const opcodeBase = cursor.u8();
    const operandCounts = Array.from({ length: Math.max(0, opcodeBase - 1) }, () => cursor.u8());
    const names = version === 5 ? this.readNames5(cursor, wide) : readNames(cursor);
    cursor.skip(programStart - cursor.offset);
    runLineProgram(cursor, { minimumLength, lineBase, lineRange, opcodeBase, operandCounts, names }, sequences);
  }

  /** The paths of a version 5 unit; the file number is the index. */
  private readNames5(cursor: DwarfCursor, wide: boolean): string[] {
    const directories = this.readEntries(cursor, wide).map(({ path }) => path);
    return this.readEntries(cursor, wide).map(({ path, directory }) =>
      joinPath(joinPath(directories[0] ?? '', directories[directory] ?? ''), path),
    );
  }

  private readEntries(cursor: DwarfCursor, wide: boolean): { path: string; directory: number }[] {
    const formats = Array.from({ length: cursor.u8() }, () => ({ content: cursor.uleb(), form: cursor.uleb() }));
    const count = cursor.uleb();
    const entries: { path: string; directory: number }[] = [];
    if (formats.length === 0) return entries;
    for (let i = 0; i < count; i++) {
      const entry = { path: '', directory: 0 };
      for (const format of formats) {
        const value = this.readForm(cursor, format.form, wide);
        if (format.content === contentPath) entry.path = String(value);
        else if (format.content === contentDirectory) entry.directory = Number(value);
      }
      entries.push(entry);
    }
    return entries;
  }

  /** @throws RangeError for a form that line tables do not use */
  private readForm(cursor: DwarfCursor, kind: number, wide: boolean): string | number {
    switch (kind) {
      case form.string:
        return cursor.string();
      case form.lineStrp:
        return this.stringIn('.debug_line_str', cursor.sized(wide ? 8 : 4));
      case form.strp:
        return this.stringIn('.debug_str', cursor.sized(wide ? 8 : 4));
      case form.udata:
        return cursor.uleb();
      case form.data1:
        return cursor.u8();
      case form.data2:
        return cursor.u16();
      case form.data4:
        return cursor.u32();
      case form.data8:
        return cursor.u64();
      case form.data16:
        return cursor.skip(16);
      case form.block:
        return cursor.skip(cursor.uleb());
      default:
        throw new RangeError(`form ${kind} is not known`);
    }
  }

  private stringIn(name: string, offset: number): string {
    const section = this.sections.find((candidate) => candidate?.name === name);
    if (section === undefined) throw new RangeError(`there is no ${name}`);
    const cursor = new DwarfCursor(this.image.reader, section.offset, section.offset + section.size);
    cursor.skip(offset);
    return cursor.string();
  }
}

/** The paths of a unit before version 5: files count from 1, and directory 0 is the compiler's own, which is not named. */
function readNames(cursor: DwarfCursor): string[] {
  const directories = [''];
  for (let text = cursor.string(); text !== ''; text = cursor.string()) directories.push(text);
  const names = [''];
  for (let text = cursor.string(); text !== ''; text = cursor.string()) {
    names.push(joinPath(directories[cursor.uleb()] ?? '', text));
    cursor.uleb();
    cursor.uleb();
  }
  return names;
}

function joinPath(directory: string, name: string): string {
  if (directory === '' || name.startsWith('/')) return name;
  return name === '' ? directory : `${directory}/${name}`;
}

/** Runs a unit's program, which builds its rows. Dead functions, which linkers place at address 0, are left out. */
function runLineProgram(cursor: DwarfCursor, program: LineProgram, sequences: Sequence[]): void {
  const { minimumLength, lineBase, lineRange, opcodeBase, operandCounts, names } = program;
  let address = 0;
  let line = 1;
  let file = 1;
  let sequence: Sequence = { addresses: [], lines: [], files: [], names };
  const emit = (): void => {
    const last = sequence.addresses.length - 1;
    // Addresses only go up within a sequence; a table that breaks this could not be searched.
    if (last >= 0 && address < sequence.addresses[last]) return;
    if (last >= 0 && address === sequence.addresses[last]) {
      sequence.lines[last] = line;
      sequence.files[last] = file;
      return;
    }
    sequence.addresses.push(address);
    sequence.lines.push(line);
    sequence.files.push(file);
  };
  while (cursor.offset < cursor.end) {
    const opcode = cursor.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      address += Math.floor(adjusted / lineRange) * minimumLength;
      line += lineBase + (adjusted % lineRange);
      emit();
    } else if (opcode === 0) {
      const length = cursor.uleb();
      const next = cursor.offset + length;
      const kind = length === 0 ? 0 : cursor.u8();
      if (kind === extended.endSequence) {
        emit();
        if (sequence.addresses.length > 1 && sequence.addresses[0] > 0) sequences.push(sequence);
        sequence = { addresses: [], lines: [], files: [], names };
        address = 0;
        line = 1;
        file = 1;
      } else if (kind === extended.setAddress) {
        address = cursor.sized(length - 1);
      }
      cursor.skip(next - cursor.offset);
    } else if (opcode === standard.copy) emit();
    else if (opcode === standard.advancePc) address += cursor.uleb() * minimumLength;
    else if (opcode === standard.advanceLine) line += cursor.sleb();
    else if (opcode === standard.setFile) file = cursor.uleb();
    else if (opcode === standard.constAddPc) address += Math.floor((255 - opcodeBase) / lineRange) * minimumLength;
    else if (opcode === standard.fixedAdvancePc) address += cursor.u16();
    else for (let i = operandCounts[opcode - 1] ?? 0; i > 0; i--) cursor.uleb();
  }
}

/** The last of `count` ascending numbers that is at most `target`, or -1. */
function lastAtMost(count: number, at: (index: number) => number, target: number): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (at(middle) <= target) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
