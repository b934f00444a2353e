/**
 * Files that are mapped. A private mapping is a copy of the file's contents at the time of mmap. A shared one
 * is a copy too, whose changes go to the file at msync, munmap and at the end of the process; the file's own
 * changes do not come back into it. (A mapping of the host's in the guest's memory would do more for little-endian
 * guests, but where another process truncates the file an access is SIGBUS, which V8 does not catch on Linux as it does
 * SIGSEGV: the host would die of it.)
 */
import type { GuestMemory } from '../memory/guest-memory.ts';
import { errno } from './errno.ts';
import type { OpenFile } from './open-file.ts';

interface SharedRange {
  readonly start: number;
  readonly end: number;
  readonly file: OpenFile;
  /** Offset of `start` in the file. */
  readonly offset: number;
  /** The file's contents as they were last read or written. */
  readonly known: Uint8Array;
}

/** Unit in which changes are found and written. */
const chunk = 4096;

export class MappedFiles {
  private readonly memory: GuestMemory;
  private ranges: SharedRange[] = [];

  constructor(memory: GuestMemory) {
    this.memory = memory;
  }

  /** Fills fresh memory with a file's contents; what lies past its end stays zero. @returns 0 or -errno */
  fill(start: number, length: number, file: OpenFile, offset: number): number {
    const bytes = new Uint8Array(length);
    const count = readFully(file, bytes, offset);
    if (count < 0) return count;
    if (count > 0) this.memory.poke(start, bytes.subarray(0, count));
    return 0;
  }

  /** Remembers that changes of a range belong to a file. The file stays open for as long. */
  share(start: number, end: number, file: OpenFile, offset: number): void {
    const known = this.memory.peek(start, end - start);
    file.references++;
    this.ranges.push({ start, end, file, offset, known });
  }

  /** Whether a range holds a shared mapping of a file that is not open for writing. */
  isReadOnly(start: number, end: number): boolean {
    return this.ranges.some((range) => range.start < end && start < range.end && !range.file.access.write);
  }

  /** Writes the changes of a range to its files. @returns 0 or -errno */
  flush(start: number, end: number): number {
    let result = 0;
    for (const range of this.ranges) {
      if (range.start >= end || start >= range.end || !range.file.access.write) continue;
      result = this.write(range, Math.max(start, range.start), Math.min(end, range.end)) || result;
    }
    return result;
  }

  /** Writes the changes of a range and forgets that it belonged to files; before it is unmapped or replaced. */
  release(start: number, end: number): void {
    if (this.ranges.length === 0) return;
    this.flush(start, end);
    this.ranges = this.ranges.flatMap((range) => {
      if (range.start >= end || start >= range.end) return [range];
      const rest: SharedRange[] = [];
      if (range.start < start) rest.push(part(range, range.start, start));
      if (end < range.end) rest.push(part(range, end, range.end));
      range.file.references += rest.length - 1;
      if (range.file.references === 0) range.file.dispose();
      return rest;
    });
  }

  /** Follows a mapping that moves (mremap); its bytes have been flushed. */
  move(from: number, length: number, to: number): void {
    this.ranges = this.ranges.map((range) => {
      if (range.start < from || range.end > from + length) return range;
      const distance = to - from;
      return { ...range, start: range.start + distance, end: range.end + distance };
    });
  }

  private write(range: SharedRange, start: number, end: number): number {
    const now = this.memory.peek(start, end - start);
    const status = range.file.status();
    if (typeof status === 'number') return status;
    for (let position = 0; position < now.length; position += chunk) {
      const known = range.known.subarray(start - range.start + position);
      const room = Number(status.size) - (range.offset + start - range.start + position);
      const bytes = now.subarray(position, position + Math.min(chunk, Math.max(0, room)));
      if (bytes.every((byte, i) => byte === known[i])) continue;
      const written = range.file.writeAt(bytes, range.offset + start - range.start + position);
      if (written < 0) return -errno.EIO;
      known.set(bytes);
    }
    return 0;
  }
}

function part(range: SharedRange, start: number, end: number): SharedRange {
  const skip = start - range.start;
  const known = range.known.subarray(skip, end - range.start);
  return { start, end, file: range.file, offset: range.offset + skip, known };
}

/** @returns bytes read until the end of the file or of the buffer, or -errno */
function readFully(file: OpenFile, bytes: Uint8Array, offset: number): number {
  let count = 0;
  while (count < bytes.length) {
    const got = file.readAt(bytes.subarray(count), offset + count);
    if (got < 0) return got;
    if (got === 0) break;
    count += got;
  }
  return count;
}
