/** siginfo_t as 32-bit ABIs lay it out (asm-generic/siginfo.h): 128 bytes. */
import type { SignalInfo } from './signal-queue.ts';
import { signalNumbers as s, signalCode } from './signals.ts';

export const signalInfoSize = 128;

/** Writes a siginfo_t at the start of a view. */
export function writeSignalInfo(view: DataView, info: SignalInfo, little = false): void {
  view.setInt32(0, info.signal, little);
  view.setInt32(4, info.error ?? 0, little);
  view.setInt32(8, info.code, little);
  if (info.raw !== undefined) {
    new Uint8Array(view.buffer, view.byteOffset + 12, signalInfoSize - 12).set(info.raw);
    return;
  }
  if (info.code === signalCode.SI_TIMER) {
    view.setInt32(12, info.timer ?? 0, little);
    view.setInt32(16, info.overrun ?? 0, little);
    view.setInt32(20, info.value ?? 0, little);
  } else if (info.code > 0 && isFault(info.signal)) {
    view.setInt32(12, info.address ?? 0, little);
  } else {
    view.setInt32(12, info.pid ?? 0, little);
    view.setInt32(16, info.uid ?? 0, little);
    view.setInt32(20, info.value ?? 0, little);
  }
}

function isFault(signal: number): boolean {
  return [s.SIGSEGV, s.SIGBUS, s.SIGILL, s.SIGFPE, s.SIGTRAP].some((fault) => fault === signal);
}
