/** The bytes of regular files in memory, under a common limit. */
import { errno } from '../linux/errno.ts';

/** Bytes that all files together may take. */
export class Quota {
  readonly limit: number;
  used = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  /** @returns whether there was room */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) return false;
    this.used += bytes;
    return true;
  }
}

/** A regular file's contents. What was never written takes no room and reads as zeros. */
export class ByteStore {
  size = 0;
  private bytes = new Uint8Array(0);
  private readonly quota: Quota;

  constructor(quota: Quota) {
    this.quota = quota;
  }

  /** @returns the number of bytes read, 0 at the end */
  read(buffer: Uint8Array, position: number): number {
    const count = Math.max(0, Math.min(buffer.length, this.size - position));
    const stored = this.bytes.subarray(Math.min(position, this.bytes.length), position + count);
    buffer.set(stored);
    buffer.fill(0, stored.length, count);
    return count;
  }

  /** @returns the number of bytes written, or -ENOSPC */
  write(bytes: Uint8Array, position: number): number {
    if (bytes.length === 0) return 0;
    const end = position + bytes.length;
    if (!this.reserve(end)) return -errno.ENOSPC;
    this.bytes.set(bytes, position);
    this.size = Math.max(this.size, end);
    return bytes.length;
  }

  truncate(size: number): void {
    if (size < this.bytes.length) {
      this.quota.used -= this.bytes.length - size;
      this.bytes = this.bytes.slice(0, size);
    }
    this.size = size;
  }

  /** Takes over contents that somebody else made. */
  adopt(bytes: Uint8Array): boolean {
    if (!this.quota.take(bytes.length)) return false;
    this.bytes = Uint8Array.from(bytes);
    this.size = bytes.length;
    return true;
  }

  /** A copy of everything. @throws RangeError where a file with a hole is larger than an array can be */
  all(): Uint8Array<ArrayBuffer> {
    const copy = new Uint8Array(this.size);
    this.read(copy, 0);
    return copy;
  }

  /** Makes room for the bytes up to `end`, and some more to come. */
  private reserve(end: number): boolean {
    const { length } = this.bytes;
    if (end <= length) return true;
    for (const capacity of [Math.max(end, 2 * length), end]) {
      if (!this.quota.take(capacity - length)) continue;
      const larger = new Uint8Array(capacity);
      larger.set(this.bytes);
      this.bytes = larger;
      return true;
    }
    return false;
  }
}
