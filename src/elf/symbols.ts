/** Which function or label holds an address, by the symbol table. */
import type { ElfImage } from './read-elf.ts';
import { readName, readSections, type Section } from './sections.ts';

export interface FoundSymbol {
  readonly name: string;
  /** First address, and bytes. */
  readonly start: number;
  readonly size: number;
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
  private starts: Float64Array | undefined;
  private sizes = new Float64Array(0);
  private names = new Uint32Array(0);
  private strings: Section | undefined;
  private readonly found = new Map<number, FoundSymbol>();

  /** @param bias what the loader added to the file's addresses */
  constructor(image: ElfImage, bias: number) {
    this.image = image;
    this.bias = bias;
  }

  /** The symbol that holds a guest address. */
  symbolAt(address: number): FoundSymbol | undefined {
    const starts = this.starts ?? this.read();
    const target = address - this.bias;
    let low = 0;
    let high = starts.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (starts[middle] <= target) low = middle + 1;
      else high = middle;
    }
    const index = low - 1;
    if (index < 0 || target >= starts[index] + this.sizes[index]) return undefined;
    const known = this.found.get(index);
    if (known !== undefined) return known;
    const name = readName(this.image.reader.bytes, this.names[index], this.strings as Section);
    const symbol = { name, start: starts[index] + this.bias, size: this.sizes[index] };
    this.found.set(index, symbol);
    return symbol;
  }

  /** Sorts the table by address, one symbol for an address, and lets labels without a size last to the next symbol. */
  private read(): Float64Array {
    const { reader } = this.image;
    const sections = readSections(this.image);
    const table = sections.find((section) => section?.type === typeSymbolTable);
    const strings = table === undefined ? undefined : sections[table.link];
    if (table === undefined || strings === undefined) {
      this.starts = new Float64Array(0);
      return this.starts;
    }
    this.strings = strings;
    const entrySize = reader.is64 ? 24 : 16;
    const places: number[] = [];
    for (let at = table.offset; at + entrySize <= table.offset + table.size; at += entrySize) {
      const type = reader.u8(at + (reader.is64 ? 4 : 12)) & 15;
      const section = sections[reader.u16(at + (reader.is64 ? 6 : 14))];
      if (section === undefined || (section.flags & flagExecutable) === 0 || reader.u32(at) === 0) continue;
      if (type === symbolNone || type === symbolFunction || type === symbolIndirectFunction) places.push(at);
    }
    const value = (at: number): number => (reader.is64 ? reader.u64(at + 8) : reader.u32(at + 4));
    const size = (at: number): number => (reader.is64 ? reader.u64(at + 16) : reader.u32(at + 8));
    const local = (at: number): boolean => reader.u8(at + (reader.is64 ? 4 : 12)) >> 4 === bindingLocal;
    // Of several names for one address the last in this order stays: sized before unsized, global before local.
    places.sort((a, b) => value(a) - value(b) || size(a) - size(b) || Number(local(b)) - Number(local(a)) || b - a);
    const kept: number[] = [];
    let coveredUntil = 0;
    for (let i = 0; i < places.length; i++) {
      const at = places[i];
      if (i + 1 < places.length && value(places[i + 1]) === value(at)) continue;
      if (size(at) === 0 && value(at) < coveredUntil) continue;
      kept.push(at);
      coveredUntil = Math.max(coveredUntil, value(at) + size(at));
    }
    this.starts = Float64Array.from(kept, value);
    this.names = Uint32Array.from(kept, (at) => strings.offset + reader.u32(at));
    this.sizes = Float64Array.from(kept, (at, index) => {
      if (size(at) > 0) return size(at);
      const section = sections[reader.u16(at + (reader.is64 ? 6 : 14))] as Section;
      const next = index + 1 < kept.length ? value(kept[index + 1]) : Number.POSITIVE_INFINITY;
      return Math.max(0, Math.min(next, section.address + section.size) - value(at));
    });
    return this.starts;
  }
}
