/** A read-only file whose contents we make (files of /proc). */
import type { FileStatus } from '../host/host.ts';
import { errno } from './errno.ts';
import { OpenFile } from './open-file.ts';

export class MemoryFile extends OpenFile {
  private readonly content: Uint8Array;
  private readonly known: FileStatus | number;
  private position = 0;

  constructor(content: Uint8Array, status: FileStatus | number) {
    super(0, { read: true, write: false });
    this.content = content;
    this.known = status;
  }

  read(buffer: Uint8Array): number {
    const bytes = this.readAt(buffer, this.position);
    this.position += bytes;
    return bytes;
  }

  override readAt(buffer: Uint8Array, position: number): number {
    const part = this.content.subarray(position, position + buffer.length);
    buffer.set(part);
    return part.length;
  }

  write(): number {
    return -errno.EBADF;
  }

  override seek(offset: number, whence: number): number {
    if (whence < 0 || whence > 2) return -errno.EINVAL;
    const target = offset + [0, this.position, this.content.length][whence];
    if (target < 0) return -errno.EINVAL;
    this.position = target;
    return target;
  }

  status(): FileStatus | number {
    return this.known;
  }

  dispose(): void {}
}
