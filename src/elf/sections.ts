/**
 * Section headers: what an ELF file says of itself beyond what is loaded. A program runs without them, so
 * broken ones count as absent.
 */
import type { ElfImage } from './read-elf.ts';
import type { Reader } from './reader.ts';

export interface Section {
  readonly name: string;
  /** sh_type: 2 symbol table, 3 strings, 8 without contents. */
  readonly type: number;
  readonly flags: number;
  readonly address: number;
  /** The contents' place in the file. */
  readonly offset: number;
  readonly size: number;
  /** sh_link: for a symbol table the index of its strings. */
  readonly link: number;
}

const typeNoBits = 8;
const flagCompressed = 0x800;
/** Where the section headers are, how large one is, how many there are, which one holds the names (32-bit, 64-bit). */
const headerFields = { 32: [32, 46, 48, 50], 64: [40, 58, 60, 62] } as const;

/** All sections whose contents are inside the file; the index is the file's own. */
export function readSections(image: ElfImage): (Section | undefined)[] {
  const { reader } = image;
  const [tableField, sizeField, countField, namesField] = headerFields[reader.addressBits];
  const table = reader.is64 ? reader.u64(tableField) : reader.u32(tableField);
  const size = reader.u16(sizeField);
  const count = reader.u16(countField);
  if (size !== (reader.is64 ? 64 : 40) || table === 0 || table + count * size > reader.bytes.length) return [];
  const names = readSection(reader, table + reader.u16(namesField) * size, undefined);
  return Array.from({ length: count }, (_, index) => readSection(reader, table + index * size, names));
}

function readSection(reader: Reader, header: number, names: Section | undefined): Section | undefined {
  const { is64 } = reader;
  if (header + (is64 ? 64 : 40) > reader.bytes.length) return undefined;
  const word = (narrow: number, wide: number): number =>
    is64 ? reader.u64(header + wide) : reader.u32(header + narrow);
  const type = reader.u32(header + 4);
  const offset = word(16, 24);
  const size = word(20, 32);
  if (type !== typeNoBits && offset + size > reader.bytes.length) return undefined;
  const flags = word(8, 8);
  // Nobody compresses the sections that are wanted here unless asked to.
  if ((flags & flagCompressed) !== 0) return undefined;
  const name = names === undefined ? '' : readName(reader.bytes, names.offset + reader.u32(header), names);
  return { name, type, flags, address: word(12, 16), offset, size, link: reader.u32(header + (is64 ? 40 : 24)) };
}

/** The string at a place in a section of strings. */
export function readName(bytes: Uint8Array, offset: number, strings: Section): string {
  const limit = strings.offset + strings.size;
  if (offset < strings.offset || offset >= limit) return '';
  let end = offset;
  let text = '';
  while (end < limit && bytes[end] !== 0) text += String.fromCharCode(bytes[end++]);
  return text;
}
