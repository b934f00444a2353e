/** Reads and writes the kernel's forms of time in guest memory. Inside the personality a time is nanoseconds. */
import { errno } from './errno.ts';
import type { SystemCall } from './system-call.ts';

export const nanosecondsPerSecond = 1_000_000_000;
/** The largest time that is kept; longer ones are as good as never. */
export const longestTime = 2 ** 63;

/**
 * Reads a timespec.
 * @param wide with 64-bit seconds whatever the ABI's word size
 * @returns nanoseconds, or -EINVAL for a negative or malformed time
 * @throws MemoryFault
 */
export function readInterval({ abi, memory }: SystemCall, address: number, wide: boolean): number {
  if (wide && abi.model.wordSize === 4) {
    // The upper half of the nanoseconds is padding, which a 32-bit program need not have cleared.
    const nanoseconds = Number(BigInt.asUintN(32, memory.readU64(address + 8)));
    return joinTime(Number(memory.readI64(address)), nanoseconds);
  }
  const { tv_sec, tv_nsec } = abi.structures.timespec.read(memory, address);
  return joinTime(tv_sec, tv_nsec);
}

/** Writes a timespec; an address of 0 writes nothing. */
export function writeInterval({ abi, memory }: SystemCall, address: number, time: number, wide: boolean): void {
  if (address === 0) return;
  const { seconds, nanoseconds } = splitTime(time);
  abi.structures[wide ? 'timespec64' : 'timespec'].write(memory, address, { tv_sec: seconds, tv_nsec: nanoseconds });
}

export function joinTime(seconds: number, nanoseconds: number): number {
  if (seconds < 0 || nanoseconds < 0 || nanoseconds >= nanosecondsPerSecond) return -errno.EINVAL;
  return Math.min(longestTime, seconds * nanosecondsPerSecond + nanoseconds);
}

export function splitTime(time: number): { seconds: number; nanoseconds: number } {
  const seconds = Math.floor(time / nanosecondsPerSecond);
  return { seconds, nanoseconds: Math.floor(time - seconds * nanosecondsPerSecond) };
}
