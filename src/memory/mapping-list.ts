/**
 * The mappings of an address space: records that never overlap, in address order. Changing a part of a
 * record splits it; equal neighbours merge again, as in Linux's /proc/PID/maps.
 */
import type { Mapping } from './guest-memory.ts';

/** Only a file's offset goes on from record to record; anonymous and [named] memory has none. */
function backedByFile(mapping: Mapping): boolean {
  return mapping.name !== '' && !mapping.name.startsWith('[');
}

/** The file offset of an address in a mapping, or of the address past its end. */
export function offsetAt(mapping: Mapping, address: number): number {
  return backedByFile(mapping) ? mapping.offset + (address - mapping.start) : mapping.offset;
}

/** The part of a mapping between two of its addresses. */
function slice(mapping: Mapping, start: number, end: number): Mapping {
  if (start === mapping.start && end === mapping.end) return mapping;
  return { ...mapping, start, end, offset: offsetAt(mapping, start) };
}

function joins(a: Mapping, b: Mapping): boolean {
  return (
    a.end === b.start &&
    a.protection === b.protection &&
    a.shared === b.shared &&
    a.growsDown === b.growsDown &&
    a.name === b.name &&
    offsetAt(a, a.end) === b.offset
  );
}

function lengthOf(mappings: readonly Mapping[]): number {
  return mappings.reduce((sum, { start, end }) => sum + end - start, 0);
}

export class MappingList {
  private records: Mapping[] = [];
  /** Bytes of all records together, now and at the most. */
  bytes = 0;
  mostBytes = 0;

  get length(): number {
    return this.records.length;
  }

  all(): Mapping[] {
    return this.records.slice();
  }

  /** Index of the first record that ends above the address: the one that holds it, or the next higher one. */
  private indexAbove(address: number): number {
    let low = 0;
    let high = this.records.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.records[middle].end > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The record that holds the address. */
  at(address: number): Mapping | undefined {
    const found = this.records[this.indexAbove(address)];
    return found !== undefined && found.start <= address ? found : undefined;
  }

  /** The first record that ends above the address. */
  above(address: number): Mapping | undefined {
    return this.records[this.indexAbove(address)];
  }

  /** The last record that starts below the address. */
  below(address: number): Mapping | undefined {
    const index = this.indexAbove(address);
    const found = this.records[index];
    return found !== undefined && found.start < address ? found : this.records[index - 1];
  }

  /** The records, or parts of records, in a range. */
  within(start: number, end: number): Mapping[] {
    const result: Mapping[] = [];
    for (let index = this.indexAbove(start); index < this.records.length; index++) {
      const record = this.records[index];
      if (record.start >= end) break;
      result.push(slice(record, Math.max(start, record.start), Math.min(end, record.end)));
    }
    return result;
  }

  /** Puts records, all inside the range and in address order, in the place of what the range held. */
  replace(start: number, end: number, inserted: readonly Mapping[]): void {
    this.bytes += lengthOf(inserted) - lengthOf(this.within(start, end));
    this.mostBytes = Math.max(this.mostBytes, this.bytes);
    const first = this.indexAbove(start);
    let last = first;
    const parts: Mapping[] = [];
    const add = (part: Mapping): void => {
      const previous = parts.at(-1);
      if (previous !== undefined && joins(previous, part)) parts[parts.length - 1] = { ...previous, end: part.end };
      else parts.push(part);
    };
    const before = this.records[first - 1];
    if (before !== undefined) add(before);
    const head = this.records[first];
    if (head !== undefined && head.start < start) add(slice(head, head.start, start));
    for (const part of inserted) add(part);
    while (last < this.records.length && this.records[last].start < end) last++;
    const tail = this.records[last - 1];
    if (last > first && tail.end > end) add(slice(tail, end, tail.end));
    const after = this.records[last];
    if (after !== undefined) add(after);
    const from = before === undefined ? first : first - 1;
    this.records.splice(from, (after === undefined ? last : last + 1) - from, ...parts);
  }

  /** Start of the highest gap of `length` bytes inside [minimum, below). */
  findGap(length: number, minimum: number, below: number): number | undefined {
    let end = below;
    for (let index = this.indexAbove(below - 1); index >= 0; index--) {
      const record = this.records[index];
      if (record === undefined || record.start >= end) continue;
      if (end - record.end >= length) return end - length;
      end = record.start;
    }
    return end - minimum >= length ? end - length : undefined;
  }
}
