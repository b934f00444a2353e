/** What is said of a guest that a signal ended. */
import { describeFatalSignal } from '../diagnostics/fatal-signal.ts';
import { CallFrames } from '../elf/call-frames.ts';
import type { ExitStatus } from '../linux/process.ts';
import { signalDescription } from '../linux/signals.ts';
import type { Guest } from './guest.ts';

/** Lines for standard error: where it happened, why, and what the guest was doing. */
export function fatalReport(status: Extract<ExitStatus, { kind: 'signal' }>, guest: Guest): string {
  const { symbols, lines, frontend, memory, thread } = guest;
  const frames = new CallFrames(guest.image, guest.program.bias);
  const fatal = {
    signal: status.signal,
    description: signalDescription(status.signal),
    pc: status.pc,
    address: status.address,
    access: thread.exception?.access ?? 0,
    mayBeStale:
      (thread.exception?.access ?? 0) !== 0 &&
      guest.engine.statistics.regions + guest.engine.statistics.regionsFromCache > 0,
  };
  return describeFatalSignal(fatal, {
    frontend,
    memory,
    state: thread.state,
    symbolAt: (address) => symbols.symbolAt(address),
    lineAt: (address) => lines.lineAt(address),
    frameAt: (address) => frames.at(address),
    recentCalls: guest.recentCalls(),
  });
}
