/**
 * Reads an ELF file's header and program headers, and checks every field that Linux or Stele relies on.
 * Layouts: System V ABI, chapters 4 and 5 (elf.h).
 */
import { ElfError, hex } from './elf-error.ts';
import { describeTarget, machineName, type Target, targets } from './machines.ts';
import { Reader } from './reader.ts';

/** A part of the file that is loaded. Offsets, addresses and sizes are in bytes. */
export interface Segment {
  /** Which program header it comes from, and where its p_vaddr stands in the file. */
  readonly index: number;
  readonly addressField: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
  readonly memorySize: number;
  /** Bits 1 read, 2 write, 4 execute, as in guest-memory.ts. */
  readonly protection: number;
  /** A power of two, at least 1. */
  readonly alignment: number;
}

export interface ElfImage {
  readonly reader: Reader;
  readonly target: Target;
  /** Whether the program can be loaded at any address (a static PIE). */
  readonly positionIndependent: boolean;
  readonly entry: number;
  /** e_flags. */
  readonly flags: number;
  /** In address order, not overlapping. */
  readonly segments: readonly Segment[];
  readonly programHeadersOffset: number;
  readonly programHeaderCount: number;
  readonly programHeaderSize: number;
  /** PT_GNU_STACK asks for it, or is absent, which means the same. */
  readonly stackExecutable: boolean;
}

const identSize = 16;
const types: Readonly<Record<number, string>> = {
  0: 'no type',
  1: 'a relocatable object, which must be linked first',
  4: 'a core dump',
};
const typeExecutable = 2;
const typeShared = 3;
const segmentLoad = 1;
const segmentInterpreter = 3;
const segmentGnuStack = 0x6474e551;
/** More program headers than any program has; Linux allows 64 KiB of them. */
const maximumProgramHeaders = 1024;
const maximumAlignment = 2 ** 30;

/** @throws ElfError when the file is not a static program for one of the targets */
export function readElf(bytes: Uint8Array, accepted: readonly Target[] = targets): ElfImage {
  const reader = readIdent(bytes);
  const type = reader.u16(16);
  if (type !== typeExecutable && type !== typeShared) {
    throw new ElfError('e_type', 16, `is ${type}: ${types[type] ?? 'not a program'}`);
  }
  const target = findTarget(reader, accepted);
  if (reader.u32(20) !== 1) throw new ElfError('e_version', 20, `is ${reader.u32(20)}, not 1`);
  const { is64 } = reader;
  const entry = reader.word(24, 'e_entry');
  const programHeadersOffset = reader.word(is64 ? 32 : 28, 'e_phoff');
  const flags = reader.u32(is64 ? 48 : 36);
  const tail = is64 ? 52 : 40;
  const headerSize = is64 ? 64 : 52;
  const programHeaderSize = is64 ? 56 : 32;
  expect(reader, tail, 'e_ehsize', headerSize);
  const programHeaderCount = reader.u16(tail + 4);
  if (programHeaderCount === 0) throw new ElfError('e_phnum', tail + 4, 'is 0: there is nothing to load');
  expect(reader, tail + 2, 'e_phentsize', programHeaderSize);
  if (programHeaderCount > maximumProgramHeaders) {
    throw new ElfError('e_phnum', tail + 4, `is ${programHeaderCount}, more than ${maximumProgramHeaders}`);
  }
  const headersEnd = programHeadersOffset + programHeaderCount * programHeaderSize;
  if (programHeadersOffset < headerSize || headersEnd > bytes.length) {
    const where = `${hex(programHeadersOffset)} to ${hex(headersEnd)}`;
    throw new ElfError(
      'e_phoff',
      is64 ? 32 : 28,
      `puts the program headers at ${where} of a file of ${hex(bytes.length)} bytes`,
    );
  }

  const segments: Segment[] = [];
  let stackExecutable = true;
  for (let index = 0; index < programHeaderCount; index++) {
    const header = programHeadersOffset + index * programHeaderSize;
    const kind = reader.u32(header);
    if (kind === segmentInterpreter) throw dynamicError(reader, header, index);
    if (kind === segmentGnuStack) stackExecutable = (protectionOf(reader, header) & 4) !== 0;
    if (kind !== segmentLoad) continue;
    const segment = readSegment(reader, header, index, segments.at(-1));
    if (segment.memorySize > 0) segments.push(segment);
  }
  if (segments.length === 0) throw new ElfError('e_phnum', tail + 4, 'counts no segment to load (PT_LOAD)');
  const holdsEntry = (s: Segment): boolean => entry >= s.address && entry < s.address + s.memorySize;
  if (!segments.some((s) => holdsEntry(s) && (s.protection & 4) !== 0)) {
    throw new ElfError('e_entry', 24, `is ${hex(entry)}, which is in no executable segment`);
  }
  return {
    reader,
    target,
    positionIndependent: type === typeShared,
    entry,
    flags,
    segments,
    programHeadersOffset,
    programHeaderCount,
    programHeaderSize,
    stackExecutable,
  };
}

/** Checks e_ident, which says how to read the rest. */
function readIdent(bytes: Uint8Array): Reader {
  if (bytes.length < identSize || bytes[0] !== 0x7f || bytes[1] !== 0x45 || bytes[2] !== 0x4c || bytes[3] !== 0x46) {
    const start = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new ElfError('EI_MAG', 0, `is ${start === '' ? 'missing' : start}, not 7f 45 4c 46: this is not an ELF file`);
  }
  const [fileClass, data, version, osAbi] = bytes.subarray(4, 8);
  if (fileClass !== 1 && fileClass !== 2) {
    throw new ElfError('EI_CLASS', 4, `is ${fileClass}, neither 1 (32-bit) nor 2 (64-bit)`);
  }
  if (data !== 1 && data !== 2) {
    throw new ElfError('EI_DATA', 5, `is ${data}, neither 1 (little-endian) nor 2 (big-endian)`);
  }
  if (version !== 1) throw new ElfError('EI_VERSION', 6, `is ${version}, not 1`);
  // System V and Linux (glibc marks programs with indirect functions so); other systems' calls mean other things.
  if (osAbi !== 0 && osAbi !== 3) throw new ElfError('EI_OSABI', 7, `is ${osAbi}: not a program for Linux`);
  const size = fileClass === 2 ? 64 : 52;
  if (bytes.length < size) {
    throw new ElfError('e_ehsize', 0, `needs ${size} bytes of header, but the file has only ${bytes.length}`);
  }
  return new Reader(bytes, fileClass === 2 ? 64 : 32, data === 2 ? 'big' : 'little');
}

function findTarget(reader: Reader, accepted: readonly Target[]): Target {
  const machine = reader.u16(18);
  const { addressBits, byteOrder } = reader;
  const found = accepted.find(
    (t) => t.machine === machine && t.addressBits === addressBits && t.byteOrder === byteOrder,
  );
  if (found !== undefined) return found;
  const runs = accepted.map(describeTarget).join(', ');
  const what = describeTarget({ machine, addressBits, byteOrder });
  throw new ElfError('e_machine', 18, `is ${machine} (${machineName(machine)}): a ${what} program; Stele runs ${runs}`);
}

function expect(reader: Reader, offset: number, field: string, wanted: number): void {
  const value = reader.u16(offset);
  if (value !== wanted) throw new ElfError(field, offset, `is ${value}, not ${wanted}`);
}

function protectionOf(reader: Reader, header: number): number {
  const flags = reader.u32(header + (reader.is64 ? 4 : 24));
  return ((flags >> 2) & 1) | (flags & 2) | ((flags & 1) << 2);
}

function dynamicError(reader: Reader, header: number, index: number): ElfError {
  const fieldOffset = header + (reader.is64 ? 8 : 4);
  const offset = reader.word(fieldOffset, `p_offset of program header ${index}`);
  const path = reader.bytes.subarray(offset, offset + 256);
  const end = path.indexOf(0);
  const name = end > 0 ? `"${new TextDecoder().decode(path.subarray(0, end))}"` : 'an interpreter';
  return new ElfError(
    `p_type of program header ${index}`,
    header,
    `is PT_INTERP: the program is linked dynamically and asks for ${name}; link it with -static`,
  );
}

function readSegment(reader: Reader, header: number, index: number, previous: Segment | undefined): Segment {
  const { is64 } = reader;
  const name = (field: string): string => `${field} of program header ${index}`;
  const at = is64
    ? { offset: 8, address: 16, fileSize: 32, memorySize: 40, alignment: 48 }
    : { offset: 4, address: 8, fileSize: 16, memorySize: 20, alignment: 28 };
  const fail = (field: string, place: number, problem: string): never => {
    throw new ElfError(name(field), header + place, problem);
  };
  const offset = reader.word(header + at.offset, name('p_offset'));
  const address = reader.word(header + at.address, name('p_vaddr'));
  const fileSize = reader.word(header + at.fileSize, name('p_filesz'));
  const memorySize = reader.word(header + at.memorySize, name('p_memsz'));
  const alignment = Math.max(1, reader.word(header + at.alignment, name('p_align')));
  const fileLength = reader.bytes.length;
  if (offset > fileLength)
    fail('p_offset', at.offset, `is ${hex(offset)}, past the end of the file (${hex(fileLength)})`);
  if (fileSize > fileLength - offset) {
    const rest = `the file has ${hex(fileLength - offset)} bytes from ${hex(offset)} on: it is truncated`;
    fail('p_filesz', at.fileSize, `is ${hex(fileSize)}, but ${rest}`);
  }
  if (fileSize > memorySize) {
    fail('p_filesz', at.fileSize, `is ${hex(fileSize)}, more than p_memsz (${hex(memorySize)})`);
  }
  if (address + memorySize > 2 ** reader.addressBits) {
    fail('p_memsz', at.memorySize, `is ${hex(memorySize)}, which wraps round the address space from ${hex(address)}`);
  }
  if (alignment > maximumAlignment || !Number.isInteger(Math.log2(alignment))) {
    fail('p_align', at.alignment, `is ${hex(alignment)}, not a power of two up to ${hex(maximumAlignment)}`);
  }
  if (address % alignment !== offset % alignment) {
    fail(
      'p_vaddr',
      at.address,
      `is ${hex(address)}, not congruent to p_offset ${hex(offset)} modulo ${hex(alignment)}`,
    );
  }
  if (memorySize > 0 && previous !== undefined && address < previous.address + previous.memorySize) {
    const other = `${hex(previous.address)} to ${hex(previous.address + previous.memorySize)}`;
    fail('p_vaddr', at.address, `is ${hex(address)}, which is below the end of the segment before (${other})`);
  }
  const addressField = header + at.address;
  return {
    index,
    addressField,
    offset,
    address,
    fileSize,
    memorySize,
    protection: protectionOf(reader, header),
    alignment,
  };
}
