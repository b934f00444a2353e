/**
 * Terminals, pipes and sockets of the host: reads of them wait, so they go through the host's event loop.
 *
 * A host read cannot be called back. One that the guest no longer waits for (a signal came, poll asked
 * whether there is something) stays pending, and its bytes go to the next read.
 */
import type { FileHost } from '../host/host.ts';
import { errno } from './errno.ts';
import { HostBacked, type HostOptions } from './file-host.ts';
import { type AccessMode, pollBits, readable, writable } from './open-file.ts';
import { restart } from './signal-frame.ts';
import type { Thread } from './thread.ts';

/** Bytes that one read ahead asks for. */
const aheadSize = 65536;
/** How long a call that must not wait gives a host read to answer: an answer that is there takes less. */
const promptness = 2;
/** Pauses between attempts to write to a full non-blocking descriptor: first and longest, in milliseconds. */
const firstPause = 1;
const longestPause = 16;

const nothing = new Uint8Array(0);

export class HostStream extends HostBacked {
  /** Bytes that a host read has brought and no guest read has taken. */
  private ahead: Uint8Array = nothing;
  /** What the last host read said when it was not bytes: 0 for the end, or -errno; told once. */
  private outcome: number | undefined;
  private pending: Promise<void> | undefined;
  private readonly terminal: boolean;

  constructor(
    host: FileHost,
    descriptor: number,
    flags: number,
    access: AccessMode,
    terminal: boolean,
    options: HostOptions = {},
  ) {
    super(host, descriptor, flags, access, options);
    this.terminal = terminal;
  }

  read(buffer: Uint8Array, thread: Thread): number | Promise<number> {
    const taken = this.take(buffer);
    if (taken !== undefined) return taken;
    if (this.nonBlocking) return this.readPromptly(buffer);
    return this.readWaiting(buffer, thread);
  }

  write(bytes: Uint8Array, thread: Thread): number | Promise<number> {
    let done = 0;
    while (done < bytes.length) {
      const written = this.host.write(this.descriptor, done === 0 ? bytes : bytes.subarray(done), undefined);
      if (written >= 0) done += written;
      else if (written === -errno.EAGAIN) {
        // The host's side of the descriptor was made non-blocking by someone else; the guest's was not.
        if (this.nonBlocking) return done > 0 ? done : written;
        return this.writeLater(bytes, done, thread);
      } else return done > 0 ? done : written;
    }
    return done;
  }

  override readiness(): number {
    let bits = this.access.write ? writable : 0;
    if (this.ahead.length > 0) bits |= readable;
    else if (this.outcome !== undefined) bits |= this.outcome === 0 && !this.terminal ? pollBits.POLLHUP : readable;
    return bits;
  }

  override whenChanged(bits: number): Promise<void> | undefined {
    if ((bits & (readable | pollBits.POLLHUP)) === 0 || !this.access.read) return undefined;
    if (this.ahead.length > 0 || this.outcome !== undefined) return undefined;
    this.pending ??= this.fetch(aheadSize);
    return this.pending;
  }

  override isUncertain(bits: number): boolean {
    return this.whenChanged(bits) !== undefined;
  }

  override available(): number {
    return this.ahead.length;
  }

  /** Drops what was read ahead (TCIFLUSH). */
  discard(): void {
    this.ahead = nothing;
  }

  override get isTerminal(): boolean {
    return this.terminal;
  }

  private take(buffer: Uint8Array): number | undefined {
    if (this.ahead.length > 0) {
      const bytes = Math.min(this.ahead.length, buffer.length);
      buffer.set(this.ahead.subarray(0, bytes));
      this.ahead = this.ahead.subarray(bytes);
      return bytes;
    }
    const outcome = this.outcome;
    this.outcome = undefined;
    return outcome;
  }

  private async fetch(size: number): Promise<void> {
    const buffer = new Uint8Array(size);
    let bytes = await this.host.readWaiting(this.descriptor, buffer);
    for (let pause = firstPause; bytes === -errno.EAGAIN; pause = Math.min(2 * pause, longestPause)) {
      await this.host.delay(pause);
      bytes = await this.host.readWaiting(this.descriptor, buffer);
    }
    this.pending = undefined;
    if (bytes > 0) this.ahead = buffer.subarray(0, bytes);
    else this.outcome = bytes;
  }

  private async readPromptly(buffer: Uint8Array): Promise<number> {
    this.pending ??= this.fetch(aheadSize);
    await Promise.race([this.pending, this.host.delay(promptness)]);
    return this.take(buffer) ?? -errno.EAGAIN;
  }

  private async readWaiting(buffer: Uint8Array, thread: Thread): Promise<number> {
    for (;;) {
      // Exactly as many bytes as the guest asked for: what it does not read stays for others.
      this.pending ??= this.fetch(buffer.length);
      await Promise.race([this.pending, thread.whenInterrupted()]);
      const taken = this.take(buffer);
      if (taken !== undefined) return taken;
      if (thread.interrupted) return -restart.ERESTARTSYS;
    }
  }

  private async writeLater(bytes: Uint8Array, done: number, thread: Thread): Promise<number> {
    let pause = firstPause;
    for (;;) {
      await this.host.delay(pause);
      pause = Math.min(2 * pause, longestPause);
      const written = this.host.write(this.descriptor, bytes.subarray(done), undefined);
      if (written >= 0) {
        done += written;
        if (done === bytes.length) return done;
        pause = firstPause;
      } else if (written !== -errno.EAGAIN) {
        return done > 0 ? done : written;
      }
      if (thread.interrupted) return done > 0 ? done : -restart.ERESTARTSYS;
    }
  }
}
