/** Gathers what a guest writes, so that a page is told of many small writes at once. */

/** Milliseconds that bytes may wait for others: less than a frame. */
const longestWait = 8;
const bufferSize = 1 << 16;

export class OutputBuffer {
  /** Bytes that were shown or wait. */
  total = 0;
  private readonly buffer = new Uint8Array(bufferSize);
  private length = 0;
  private flushed = Number.NEGATIVE_INFINITY;
  private readonly show: (bytes: Uint8Array<ArrayBuffer>) => void;

  /** @param show is given bytes for good */
  constructor(show: (bytes: Uint8Array<ArrayBuffer>) => void) {
    this.show = show;
  }

  write(bytes: Uint8Array): void {
    this.total += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      const part = bytes.subarray(at, at + bufferSize - this.length);
      this.buffer.set(part, this.length);
      this.length += part.length;
      at += part.length;
      if (this.length === bufferSize) this.flush();
    }
    if (performance.now() - this.flushed >= longestWait) this.flush();
  }

  /** Shows what waits. To be called whenever the guest does nothing for a while. */
  flush(): void {
    this.flushed = performance.now();
    if (this.length === 0) return;
    this.show(this.buffer.slice(0, this.length));
    this.length = 0;
  }
}
