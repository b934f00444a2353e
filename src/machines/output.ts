/** What machines write, put together line by line: each behind the name of its machine, or all of it kept. */

const newline = 10;
/** Bytes of a line after which it is shown in parts. */
const longestLine = 1 << 16;

/** Splits a stream into lines. */
export class Lines {
  private held: Uint8Array[] = [];
  private heldLength = 0;

  /** @returns whole lines, each with its newline */
  add(bytes: Uint8Array): Uint8Array[] {
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      lines.push(this.take(bytes.subarray(start, end + 1)));
      start = end + 1;
    }
    if (start < bytes.length) {
      this.held.push(bytes.subarray(start));
      this.heldLength += bytes.length - start;
      if (this.heldLength >= longestLine) lines.push(...this.end());
    }
    return lines;
  }

  /** @returns what has no newline yet, with one */
  end(): Uint8Array[] {
    return this.heldLength === 0 ? [] : [this.take(Uint8Array.of(newline))];
  }

  private take(last: Uint8Array): Uint8Array {
    const line = joinBytes([...this.held, last]);
    this.held = [];
    this.heldLength = 0;
    return line;
  }
}

export function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Keeps the first so many bytes of a stream. */
export class Collected {
  /** Bytes that were not kept. */
  dropped = 0;
  private readonly parts: Uint8Array[] = [];
  private room: number;

  constructor(room: number) {
    this.room = room;
  }

  /** @returns nothing to be shown */
  add(bytes: Uint8Array): undefined {
    const kept = bytes.subarray(0, this.room);
    this.room -= kept.length;
    this.dropped += bytes.length - kept.length;
    if (kept.length > 0) this.parts.push(kept);
  }

  get bytes(): Uint8Array {
    return joinBytes(this.parts);
  }
}
