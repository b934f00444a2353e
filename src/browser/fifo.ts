/** A named pipe between open files of one process. */
import { errno } from '../linux/errno.ts';

/** Bytes that it holds (PIPE_BUF pages of Linux's default). */
const capacity = 65536;

export class Fifo {
  private bytes = new Uint8Array(0);
  private readers = 0;
  private writers = 0;
  private waiting: (() => void)[] = [];

  open(read: boolean, write: boolean): void {
    if (read) this.readers++;
    if (write) this.writers++;
    this.changed();
  }

  close(read: boolean, write: boolean): void {
    if (read) this.readers--;
    if (write) this.writers--;
    this.changed();
  }

  /** Whether there is somebody at the other end of one that is opened for `read` or for `write`. */
  hasOther(read: boolean, write: boolean): boolean {
    return (!read || this.writers > 0) && (!write || this.readers > 0);
  }

  /** @returns bytes, 0 when nobody can write any more, or -EAGAIN when there is nothing yet */
  read(buffer: Uint8Array): number {
    const count = Math.min(buffer.length, this.bytes.length);
    if (count === 0) return this.writers === 0 ? 0 : -errno.EAGAIN;
    buffer.set(this.bytes.subarray(0, count));
    this.bytes = this.bytes.slice(count);
    this.changed();
    return count;
  }

  write(bytes: Uint8Array): number {
    if (this.readers === 0) return -errno.EPIPE;
    const count = Math.min(bytes.length, capacity - this.bytes.length);
    if (count === 0 && bytes.length > 0) return -errno.EAGAIN;
    const joined = new Uint8Array(this.bytes.length + count);
    joined.set(this.bytes);
    joined.set(bytes.subarray(0, count), this.bytes.length);
    this.bytes = joined;
    this.changed();
    return count;
  }

  /** Resolves when something was read, written, opened or closed. */
  change(): Promise<void> {
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private changed(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const resolve of waiting) resolve();
  }
}
