/** Places an ELF image in a guest's memory. */
import { pageSize } from '../../translators/memory-view.ts';
import { effectiveProtection, type GuestMemory } from '../memory/guest-memory.ts';
import { ElfError, hex } from './elf-error.ts';
import type { ElfImage, Segment } from './read-elf.ts';

export interface LoadedProgram {
  readonly entry: number;
  /** Where the program headers are in guest memory (AT_PHDR); 0 when no segment holds them. */
  readonly programHeadersAddress: number;
  readonly programHeaderCount: number;
  readonly programHeaderSize: number;
  /** What was added to the file's addresses: 0 unless the program is position-independent. */
  readonly bias: number;
  /** Where the heap starts: the page after the last segment. */
  readonly breakStart: number;
  readonly stackExecutable: boolean;
}

/** Where position-independent programs go, as on Linux (ELF_ET_DYN_BASE of 32-bit PowerPC). */
const positionIndependentBase = 0x20000000;

const floor = (address: number): number => address - (address % pageSize);
const ceil = (address: number): number => floor(address + pageSize - 1);

/**
 * Maps the image's segments, zeroes what lies past their file contents, and sets their protection; a
 * page that two segments share gets what both allow.
 * @param path names the file's mappings (/proc/self/maps)
 * @throws ElfError when the program's addresses are not the guest's to use
 */
export function loadElf(image: ElfImage, memory: GuestMemory, path = ''): LoadedProgram {
  const bias = image.positionIndependent ? biasOf(image) : 0;
  for (const segment of image.segments) {
    const start = segment.address + bias;
    const end = ceil(start + segment.memorySize);
    if (floor(start) < memory.minimum || end > memory.limit) {
      const range = `${hex(start)} to ${hex(start + segment.memorySize)}`;
      const allowed = `${hex(memory.minimum)} to ${hex(memory.limit)}`;
      const field = `p_vaddr of program header ${segment.index}`;
      throw new ElfError(field, segment.addressField, `needs addresses ${range}; programs may use ${allowed}`);
    }
  }
  let mappedEnd = 0;
  let lastProtection = 0;
  for (const segment of image.segments) {
    const address = segment.address + bias;
    const end = ceil(address + segment.memorySize);
    const start = floor(address);
    if (start < mappedEnd) {
      lastProtection |= effectiveProtection(segment.protection);
      memory.protect(start, pageSize, lastProtection);
    }
    const first = Math.max(start, mappedEnd);
    if (end > first) {
      mapSegment(memory, segment, address, first, path);
      lastProtection = effectiveProtection(segment.protection);
      mappedEnd = end;
    }
    memory.poke(address, image.reader.bytes.subarray(segment.offset, segment.offset + segment.fileSize));
  }
  return {
    entry: image.entry + bias,
    programHeadersAddress: programHeadersAddress(image, bias),
    programHeaderCount: image.programHeaderCount,
    programHeaderSize: image.programHeaderSize,
    bias,
    breakStart: mappedEnd,
    stackExecutable: image.stackExecutable,
  };
}

/** Maps a segment's pages from `first` on: those with file contents under the file's name, the rest without. */
function mapSegment(memory: GuestMemory, segment: Segment, address: number, first: number, path: string): void {
  const protection = effectiveProtection(segment.protection);
  const end = ceil(address + segment.memorySize);
  const fileEnd = Math.max(first, segment.fileSize === 0 ? first : ceil(address + segment.fileSize));
  if (fileEnd > first) {
    const offset = Math.max(0, segment.offset + first - address);
    memory.map(first, fileEnd - first, protection, { name: path, offset: path === '' ? 0 : offset });
  }
  if (end > fileEnd) memory.map(fileEnd, end - fileEnd, protection);
}

function biasOf(image: ElfImage): number {
  const alignment = Math.max(pageSize, ...image.segments.map((segment) => segment.alignment));
  const lowest = image.segments[0].address;
  const base = Math.ceil(positionIndependentBase / alignment) * alignment;
  return base - (lowest - (lowest % alignment));
}

function programHeadersAddress(image: ElfImage, bias: number): number {
  const offset = image.programHeadersOffset;
  const end = offset + image.programHeaderCount * image.programHeaderSize;
  const holder = image.segments.find((s) => s.offset <= offset && end <= s.offset + s.fileSize);
  return holder === undefined ? 0 : holder.address + (offset - holder.offset) + bias;
}
