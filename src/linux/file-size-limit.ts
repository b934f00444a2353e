/** RLIMIT_FSIZE: how far writes and truncations may extend a regular file (generic_write_checks, inode_newsize_ok). */
import { errno } from './errno.ts';
import { resource } from './limits.ts';
import { fileTypes, type OpenFile } from './open-file.ts';
import { signalNumbers } from './signals.ts';
import type { SystemCall } from './system-call.ts';

/** Beyond the limit: SIGXFSZ for the thread. @returns -EFBIG */
function refuse({ process, thread }: SystemCall): number {
  process.signals.send({ signal: signalNumbers.SIGXFSZ, code: 0, pid: process.id }, thread);
  return -errno.EFBIG;
}

/**
 * How many of `length` bytes may be written.
 * @param position undefined: at the file's offset
 * @returns bytes, or -EFBIG when not even one
 */
export function writableLength(call: SystemCall, file: OpenFile, position: number | undefined, length: number): number {
  const limit = call.process.limits.soft(resource.FSIZE);
  if (limit === Number.POSITIVE_INFINITY || length === 0) return length;
  const status = file.status();
  if (typeof status === 'number' || (Number(status.mode) & fileTypes.mask) !== fileTypes.regular) return length;
  const start = file.append ? Number(status.size) : (position ?? file.seek(0, 1));
  return start >= limit ? refuse(call) : Math.min(length, limit - start);
}

/** Whether a file may be made this long. @returns 0 or -EFBIG */
export function checkNewSize(call: SystemCall, size: number): number {
  return size > call.process.limits.soft(resource.FSIZE) ? refuse(call) : 0;
}
