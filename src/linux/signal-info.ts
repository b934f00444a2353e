/** siginfo_t (asm-generic/siginfo.h): 128 bytes. */
import type { DataModel } from './abi/structure.ts';
import type { SignalInfo } from './signal-queue.ts';
import { signalNumbers as s, signalCode } from './signals.ts';

export const signalInfoSize = 128;

/** Writes a siginfo_t at the start of a view. */
export function writeSignalInfo(view: DataView, info: SignalInfo, { byteOrder, wordSize }: DataModel): void {
  const little = byteOrder === 'little';
  const word = (offset: number, value: number | bigint): void => {
    if (wordSize === 8) view.setBigInt64(offset, BigInt.asIntN(64, BigInt(value)), little);
    else view.setInt32(offset, Number(BigInt.asIntN(32, BigInt(value))), little);
  };
  view.setInt32(0, info.signal, little);
  view.setInt32(4, info.error ?? 0, little);
  view.setInt32(8, info.code, little);
  if (info.raw !== undefined) {
    new Uint8Array(view.buffer, view.byteOffset + 12, signalInfoSize - 12).set(info.raw);
    return;
  }
  // What depends on the code is aligned as a pointer is.
  const start = wordSize === 8 ? 16 : 12;
  if (info.code === signalCode.SI_TIMER) {
    view.setInt32(start, info.timer ?? 0, little);
    view.setInt32(start + 4, info.overrun ?? 0, little);
    word(start + 8, info.value ?? 0);
  } else if (info.code > 0 && isFault(info.signal)) {
    word(start, info.address ?? 0);
  } else {
    view.setInt32(start, info.pid ?? 0, little);
    view.setInt32(start + 4, info.uid ?? 0, little);
    word(start + 8, info.value ?? 0);
  }
}

function isFault(signal: number): boolean {
  return [s.SIGSEGV, s.SIGBUS, s.SIGILL, s.SIGFPE, s.SIGTRAP].some((fault) => fault === signal);
}
