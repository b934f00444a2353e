/** Which function or label holds an address, by the symbol table. */
import type { ElfImage } from './read-elf.ts';
import { readName, readSections, type Section } from './sections.ts';

export interface FoundSymbol {
  readonly name: string;
  /** First address, and bytes. */
  readonly start: number;
  readonly size: number;
}

/** A symbol in the file. */
interface Entry {
  readonly start: number;
  /** 0 for a label. */
  readonly size: number;
  readonly local: boolean;
  /** Offset of the name in the file. */
  readonly name: number;
  /** Where the section that holds the symbol ends. */
  readonly sectionEnd: number;
}

const typeSymbolTable = 2;
const flagExecutable = 4;
const symbolNone = 0;
const symbolFunction = 2;
const symbolIndirectFunction = 10;
const bindingLocal = 0;

/**
 * The code symbols of a program. The table is read when the first symbol is asked for; a name when it is found.
 */
export class SymbolTable {
  private readonly image: ElfImage;
  private readonly bias: number;
  private strings: Section | undefined;
  /** In address order, one for an address. */
  private entries: readonly Entry[] | undefined;
  private starts = new Float64Array(0);
  private readonly found = new Map<number, FoundSymbol>();

  /** @param bias what the loader added to the file's addresses */
  constructor(image: ElfImage, bias: number) {
    this.image = image;
    this.bias = bias;
  }

  /** The symbol that holds a guest address. */
  symbolAt(address: number): FoundSymbol | undefined {
    const entries = this.entries ?? this.read();
    const { starts } = this;
    const target = address - this.bias;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle] <= target) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    if (index < 0) return undefined;
    const { start, size, sectionEnd, name } = entries[index];
    // A label lasts to the next symbol or the end of its section.
    const end = size > 0 ? start + size : Math.min(starts[index + 1] ?? sectionEnd, sectionEnd);
    if (target >= end) return undefined;
    let symbol = this.found.get(index);
    if (symbol === undefined) {
      const text = readName(this.image.reader.bytes, name, this.strings as Section);
      symbol = { name: text, start: start + this.bias, size: end - start };
      this.found.set(index, symbol);
    }
    return symbol;
  }

  /** The functions that the table gives a size, in address order. */
  functions(): FoundSymbol[] {
    const sized = (this.entries ?? this.read()).filter(({ size }) => size > 0);
    return sized.map(({ start }) => this.symbolAt(start + this.bias) as FoundSymbol);
  }

  private read(): readonly Entry[] {
    const sections = readSections(this.image);
    const table = sections.find((section) => section?.type === typeSymbolTable);
    this.strings = table === undefined ? undefined : sections[table.link];
    const entries = this.strings === undefined ? [] : this.codeSymbols(table as Section, this.strings, sections);
    // Of several names for one address the first in this order stays: sized before labels, global before local.
    entries.sort((a, b) => a.start - b.start || b.size - a.size || Number(a.local) - Number(b.local));
    const kept: Entry[] = [];
    let coveredUntil = 0;
    for (const entry of entries) {
      if (entry.start === kept.at(-1)?.start || (entry.size === 0 && entry.start < coveredUntil)) continue;
      kept.push(entry);
      coveredUntil = Math.max(coveredUntil, entry.start + entry.size);
    }
    this.starts = Float64Array.from(kept, ({ start }) => start);
    this.entries = kept;
    return kept;
  }

  private codeSymbols(table: Section, strings: Section, sections: readonly (Section | undefined)[]): Entry[] {
    const { reader } = this.image;
    const { is64 } = reader;
    const size = is64 ? 24 : 16;
    const entries: Entry[] = [];
    for (let at = table.offset; at + size <= table.offset + table.size; at += size) {
      const info = reader.u8(at + (is64 ? 4 : 12));
      const type = info & 15;
      if (type !== symbolFunction && type !== symbolNone && type !== symbolIndirectFunction) continue;
      const section = sections[reader.u16(at + (is64 ? 6 : 14))];
      const name = reader.u32(at);
      if (section === undefined || (section.flags & flagExecutable) === 0 || name === 0) continue;
      entries.push({
        start: is64 ? reader.u64(at + 8) : reader.u32(at + 4),
        size: is64 ? reader.u64(at + 16) : reader.u32(at + 8),
        local: info >> 4 === bindingLocal,
        name: strings.offset + name,
        sectionEnd: section.address + section.size,
      });
    }
    return entries;
  }
}
